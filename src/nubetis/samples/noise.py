"""What goes wrong when people and companies are written down, each kind of error by its name and rate.

A process changes a `Draft` in place.  The order of the rates in `Noise` is the order of the processes: first
what the source did not know (an old employer, a nickname), then how it writes, then slips of the fingers,
then what programs do to a text (capitals, lost accents, mojibake).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from random import Random
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.samples.words import NICKNAMES, ascii_text
from nubetis.samples.world import Firm, Person, new_phone

__all__ = [
    "CLEAN",
    "TYPICAL",
    "Draft",
    "Noise",
    "Process",
    "company_processes",
    "contact_processes",
    "missing_rates",
]


def _check_rate(_: object, attribute: attrs.Attribute[float], value: float) -> None:
    """Refuse what is no chance."""
    if not 0 <= value <= 1:
        raise InvalidValue("bad_argument", argument=attribute.name, reason=f"a rate is from 0 to 1, not {value}")


def _rate(default: float) -> float:
    """Give an attribute that holds a chance between 0 and 1."""
    rate: float = attrs.field(default=default, validator=_check_rate)
    return rate


@attrs.frozen(kw_only=True)
class Noise:
    """The chance, for one record, of each thing that goes wrong with it.

    Attributes:
        duplicated: Share of people (companies) with two to five records instead of one.
        first: Chance that the errors touch the first record of an entity too; they always touch the others.
        missing: 0 keeps every value, 1 loses as many as each lead source usually does (`missing_rates`).
        households: Chance that a person lives with one already seen (same address and telephone).
        colleagues: Chance that somebody who works does so for a company already seen.
        shared_email: Chance that somebody who works has only the company's common address.
        employer: Changed the company, the title and the address at work.
        moved: An old home address.
        phone_old: An old mobile number.
        email_other: The person's other e-mail address.
        birth_date: Day and month swapped, the year one off, or the first of January.
        nickname: Paco for Francisco.
        given_dropped: One of two given names left out.
        one_surname: The second surname left out.
        initials: A given name as an initial.
        honorific: ``Sr.``, ``Dra.``, ``Ing.`` in front.
        name_swap: Surname and given name in each other's place.
        company_style: ``SAC`` for ``S.A.C.``, no suffix, the trade name, ``Hnos.``.
        address_style: ``Avenida`` for ``Av.``, ``Cl`` for ``C/``.
        typo: A slip in a name, company, street or city.
        email_typo: A slip in the e-mail address.
        phone_digit: One digit wrong.
        phone_place: Mobile and fixed line in each other's place.
        phone_style: The many ways to write a number.
        accents: Lost in the whole record.
        case: CAPITALS or small letters.
        spaces: At the ends or doubled.
        mojibake: ``GarcÃ­a``.

    >>> Noise(typo=0.5).typo
    0.5
    """

    duplicated: float = _rate(0.12)
    first: float = _rate(0.35)
    missing: float = _rate(1.0)
    households: float = _rate(0.12)
    colleagues: float = _rate(0.55)
    shared_email: float = _rate(0.03)
    employer: float = _rate(0.06)
    moved: float = _rate(0.08)
    phone_old: float = _rate(0.10)
    email_other: float = _rate(0.18)
    birth_date: float = _rate(0.04)
    nickname: float = _rate(0.10)
    given_dropped: float = _rate(0.25)
    one_surname: float = _rate(0.22)
    initials: float = _rate(0.05)
    honorific: float = _rate(0.03)
    name_swap: float = _rate(0.03)
    company_style: float = _rate(0.45)
    address_style: float = _rate(0.35)
    typo: float = _rate(0.18)
    email_typo: float = _rate(0.05)
    phone_digit: float = _rate(0.04)
    phone_place: float = _rate(0.05)
    phone_style: float = _rate(0.60)
    accents: float = _rate(0.30)
    case: float = _rate(0.15)
    spaces: float = _rate(0.06)
    mojibake: float = _rate(0.01)


TYPICAL: Final = Noise()
"""What a customer's export is like."""

_WORLD = ("households", "colleagues", "shared_email")

CLEAN: Final = Noise(**{field.name: 0.0 for field in attrs.fields(Noise) if field.name not in _WORLD})
"""No errors, no duplicates, nothing missing; households and colleagues remain."""


@attrs.define
class Draft:
    """A record while it is being written down."""

    text: dict[str, str]
    random: Random
    offices: Mapping[str, list[Firm]]
    firm: Firm | None
    person: Person | None = None
    born: date | None = None
    amount: Decimal | None = None
    employees: int | None = None

    def chance(self, rate: float) -> bool:
        """Say yes at the rate."""
        return self.random.random() < rate

    def any(self, choices: tuple[str, ...]) -> str:
        """Draw one, all equally likely."""
        return choices[int(self.random.random() * len(choices))]

    def has(self, *names: str) -> list[str]:
        """Give those of the fields that hold something."""
        return [name for name in names if self.text.get(name)]

    def rewrite(self, names: Iterable[str], change: Callable[[str], str]) -> None:
        """Change the text of the fields."""
        for name in names:
            self.text[name] = change(self.text[name])


Process = Callable[[Draft], None]

_NAMES = ("first_name", "last_name")
_WRITTEN = (*_NAMES, "company", "name", "trade_name", "street", "city", "region")
_PLACE = ("street", "city", "region", "postcode")
_OTHER_DESKS = ("gerencia", "facturacion", "compras", "hola")
_HONORIFICS = (("Sr.", "Dr.", "Ing.", "Don"), ("Sra.", "Dra.", "Ing.", "Lic."))


# --- what the source did not know -------------------------------------------------------------


def _change_employer(draft: Draft) -> None:
    """Put another company of the country, with the person's address there."""
    person = draft.person
    if not person or not person.firm:
        return
    offices = [firm for firm in draft.offices[person.country.code] if firm is not person.firm]
    if not offices:
        return
    draft.firm = firm = offices[int(draft.random.random() * len(offices))]
    draft.text["company"] = firm.name
    if draft.text["email"].endswith(f"@{person.firm.domain}"):
        draft.text["email"] = person.email_at(firm)
    if person.at_work:
        draft.text.update(street=firm.street, city=firm.place.city, region=firm.place.region)
        draft.text.update(postcode=firm.postcode, phone=firm.phone)


def _move(draft: Draft) -> None:
    """Put another address of the country."""
    country = draft.person.country if draft.person else draft.firm and draft.firm.country
    if not country or (draft.person and draft.person.at_work):
        return
    place = country.place(draft.random)
    values = (country.address(draft.random), place.city, place.region, place.postcode.draw(draft.random))
    draft.text.update(zip(_PLACE, values, strict=True))


def _old_phone(draft: Draft) -> None:
    """Put a number that is no longer the person's, or the company's."""
    if draft.person:
        draft.text["mobile"] = new_phone(draft.person.country, draft.random)
    elif draft.firm:
        draft.text["phone"] = draft.firm.place.phone.draw(draft.random)


def _other_email(draft: Draft) -> None:
    """Put the other address: a person's private one, a company's other desk."""
    if draft.person:
        draft.text["email"] = draft.person.other_email
    elif draft.firm:
        draft.text["email"] = f"{draft.any(_OTHER_DESKS)}@{draft.firm.domain}"


def _wrong_birth_date(draft: Draft) -> None:
    """Confuse day and month, miss the year by one, or know the year alone."""
    born = draft.born
    if not born:
        return
    kind = draft.random.random()
    if kind < 0.4 and born.day <= 12 and born.day != born.month:
        draft.born = born.replace(day=born.month, month=born.day)
    elif kind < 0.8 or (born.day, born.month) == (1, 1):
        draft.born = born.replace(year=born.year + (1 if draft.chance(0.5) else -1), day=min(born.day, 28))
    else:
        draft.born = born.replace(day=1, month=1)


def _nickname(draft: Draft) -> None:
    """Put the short form of the given name."""
    given = draft.text["first_name"]
    if short := NICKNAMES.get(given) or NICKNAMES.get(given.split(" ", 1)[0]):
        draft.text["first_name"] = draft.any(short)


def _drop_given(draft: Draft) -> None:
    """Keep one of two given names, most often the first."""
    first, _, second = draft.text["first_name"].partition(" ")
    plain = second and " " not in second and draft.chance(0.25)
    draft.text["first_name"] = second if plain else first


def _drop_surname(draft: Draft) -> None:
    """Keep the first surname."""
    if draft.person:
        draft.text["last_name"] = draft.person.surnames[0]


def _initials(draft: Draft) -> None:
    """Write one given name, or the second surname, as an initial."""
    first, *rest = draft.text["first_name"].split(" ")
    if rest:
        draft.text["first_name"] = f"{first} {rest[-1][0]}."
    elif draft.person and len(draft.person.surnames) > 1 and draft.chance(0.5):
        draft.text["last_name"] = f"{draft.person.surnames[0]} {draft.person.surnames[1][0].upper()}."
    else:
        draft.text["first_name"] = f"{first[0]}."


def _honorific(draft: Draft) -> None:
    """Put a title in front of the name."""
    forms = _HONORIFICS[draft.person is not None and draft.person.female]
    draft.text["first_name"] = f"{draft.any(forms)} {draft.text['first_name']}"


def _swap_names(draft: Draft) -> None:
    """Put surnames first, each in the other's field."""
    text = draft.text
    text["first_name"], text["last_name"] = text["last_name"], text["first_name"]


# --- how a thing is written -------------------------------------------------------------------

_SHORT_COMPANY = (
    ("Hermanos", "Hnos."),
    ("Inversiones", "Inv."),
    ("Compañía", "Cía."),
    ("Corporación", "Corp."),
    ("Distribuidora", "Dist."),
    ("Servicios Generales", "SS.GG."),
    ("Comercial", "Com."),
    ("Industrias", "Ind."),
    ("Transportes", "Transp."),
    (" y ", " & "),
    ("Importaciones", "Import."),
    ("Constructora", "Const."),
    (" & ", " y "),
)


def _style_company(draft: Draft) -> None:
    """Write the company as people do: suffix without dots or left out, short words, the trade name."""
    name = "company" if "company" in draft.text else "name"
    if not draft.firm or not draft.text[name]:
        return
    core, suffix = draft.firm.core, draft.firm.name.removeprefix(draft.firm.core).strip()
    kind = draft.random.random()
    if kind < 0.4:
        suffix = suffix.replace(".", "")
    elif kind < 0.5:
        suffix = suffix.replace(".", ". ").strip()
    elif kind < 0.88:
        suffix = ""
    else:
        core, suffix = draft.firm.trade, ""
    if draft.chance(0.3):
        long, short = next(((a, b) for a, b in _SHORT_COMPANY if a in core), ("", ""))
        core = core.replace(long, short) if long else core
    draft.text[name] = f"{core} {suffix}".strip()


_ADDRESS_FORMS: Mapping[str, tuple[str, ...]] = {
    "Av.": ("Avenida", "Avda.", "AV", "Av"), "Avda.": ("Avenida", "Av.", "Av"),
    "Jr.": ("Jirón", "Jiron", "Jr"), "Calle": ("Ca.", "Cl.", "C/"), "C/": ("Calle", "C/.", "c."),
    "Psje.": ("Pasaje", "Pje."), "Pza.": ("Plaza", "Pl."), "Dpto.": ("Departamento", "Depto.", "Dpto"),
    "Of.": ("Oficina", "Ofic."), "Urb.": ("Urbanización", "Urb"), "Col.": ("Colonia", "Col"),
    "Blvd.": ("Boulevard", "Blvd"), "Cra.": ("Carrera", "Kr", "Cr", "Cra"), "Lt.": ("Lote", "Lt"),
    "#": ("No.", "Nro.", "N°"), "Apto.": ("Apartamento", "Apt", "Ap."), "Piso": ("P.", "piso"),
    "Dto.": ("Depto.", "Dto"), "Rua": ("R.", "R"), "Alameda": ("Al.",), "St": ("Street", "St."),
    "Ave": ("Avenue", "Av."), "Rd": ("Road", "Rd."), "Apt": ("Apartment", "#"), "Mz.": ("Manzana", "Mz"),
    "Paseo": ("Pº", "P.º"), "Calz.": ("Calzada",), "Pasaje": ("Pje.", "Psje."),
}  # fmt: skip


def _style_address(draft: Draft) -> None:
    """Write the words of the address longer or shorter, or leave the commas out."""
    words = draft.text["street"].split(" ")
    street = " ".join(draft.any(_ADDRESS_FORMS.get(word, (word,))) for word in words)
    draft.text["street"] = street.replace(",", "") if draft.chance(0.3) else street


_PHONE_STYLES: tuple[Callable[[str, list[str]], str], ...] = (
    lambda dial, parts: f"{dial}{''.join(parts)}",
    lambda dial, parts: f"00{dial[1:]}{''.join(parts)}",
    lambda _, parts: "".join(parts),
    lambda _, parts: "".join(parts),
    lambda _, parts: "-".join(parts),
    lambda _, parts: " ".join(parts),
    lambda dial, parts: f"({dial}) {' '.join(parts)}",
    lambda _, parts: ".".join(parts),
    lambda dial, parts: f"{dial[1:]}{''.join(parts)}",
    lambda dial, parts: f"{dial} {''.join(parts)}",
)
_LINE_STYLES: tuple[Callable[[str, list[str]], str], ...] = (
    lambda _, parts: f"(0{parts[0]}) {'-'.join(parts[1:])}",
    lambda _, parts: f"0{parts[0]}-{''.join(parts[1:])}",
    lambda _, parts: "-".join(parts[1:]),
    lambda _, parts: "".join(parts[1:]),
    lambda dial, parts: f"{dial} ({parts[0]}) {' '.join(parts[1:])}",
    lambda _, parts: f"(0{parts[0]}) {' '.join(parts[1:])} anexo 2{len(parts[1])}1",
)


def _style_phone(draft: Draft) -> None:
    """Write the numbers in other forms than ``+51 999 123 456``."""
    for name in draft.has("mobile", "phone"):
        dial, *parts = draft.text[name].split(" ")
        if dial.startswith("+") and len(parts) > 1:
            styles = _LINE_STYLES if name == "phone" and draft.chance(0.5) else _PHONE_STYLES
            draft.text[name] = styles[int(draft.random.random() * len(styles))](dial, parts)


# --- slips of the fingers ---------------------------------------------------------------------

_ROWS = ("qwertyuiop", "asdfghjklñ", "zxcvbnm")
_NEIGHBOURS = {key: row[max(at - 1, 0) : at] + row[at + 1 : at + 2] for row in _ROWS for at, key in enumerate(row)}


def slip(text: str, random: Random) -> str:
    """Give the text with one slip: a neighbouring key, two letters swapped, one lost or doubled.

    >>> slip("Quispe", Random(3))
    'Qiuspe'
    """
    places = [at for at, letter in enumerate(text) if letter.isalpha()]
    at = places[int(random.random() * len(places))] if places else 0
    letter, kind = text[at : at + 1], random.random()
    near = _NEIGHBOURS.get(ascii_text(letter).lower(), "")
    if kind < 0.35 and near:
        key = near[int(random.random() * len(near))]
        return f"{text[:at]}{key.upper() if letter.isupper() else key}{text[at + 1 :]}"
    if kind < 0.6 and text[at + 1 : at + 2].isalpha() and text[at + 1] != letter:
        return f"{text[:at]}{text[at + 1]}{letter}{text[at + 2 :]}"
    if kind < 0.85 and len(places) > 3:
        return text[:at] + text[at + 1 :]
    return text[: at + 1] + letter.lower() + text[at + 1 :]


def _typo(draft: Draft) -> None:
    """Slip in one field, most often a name."""
    if names := draft.has(*_NAMES, *_NAMES, "company", "name", "name", "street", "city"):
        draft.rewrite([draft.any(tuple(names))], lambda text: slip(text, draft.random))


_DOMAIN_SLIPS = (
    ("gmail.com", "gmial.com"),
    ("gmail.com", "gmail.con"),
    ("hotmail", "hotmal"),
    ("hotmail", "hotmial"),
    ("outlook", "outlok"),
    (".com", ".con"),
    (".com", ",com"),
    (".com", ".co"),
    ("@", "@@"),
    ("@", " @"),
)


def _email_typo(draft: Draft) -> None:
    """Slip in the local part or the domain."""
    if not draft.text["email"]:
        return
    local, _, domain = draft.text["email"].partition("@")
    right, wrong = _DOMAIN_SLIPS[int(draft.random.random() * len(_DOMAIN_SLIPS))]
    if draft.chance(0.5) and right in f"@{domain}":
        draft.text["email"] = local + f"@{domain}".replace(right, wrong)
    else:
        draft.text["email"] = f"{slip(local, draft.random).lower()}@{domain}"


def _phone_digit(draft: Draft) -> None:
    """Write one of the last six digits of a number wrong."""
    for name in draft.has("mobile", "phone")[:1]:
        text = draft.text[name]
        places = [at for at, letter in enumerate(text) if letter.isdigit()][-6:]
        at = places[int(draft.random.random() * len(places))]
        wrong = (int(text[at]) + 1 + int(draft.random.random() * 9)) % 10
        draft.text[name] = f"{text[:at]}{wrong}{text[at + 1 :]}"


def _phone_place(draft: Draft) -> None:
    """Put mobile and fixed line in each other's field."""
    text = draft.text
    if "mobile" in text:
        text["phone"], text["mobile"] = text["mobile"], text["phone"]


# --- what programs do to a text ---------------------------------------------------------------


def _accents(draft: Draft) -> None:
    """Lose the accents."""
    draft.rewrite(draft.has(*_WRITTEN, "job_title"), ascii_text)


def _case(draft: Draft) -> None:
    """Write in capitals or small letters: all, or the names."""
    kind = draft.random.random()
    names = draft.has(*_WRITTEN) if kind < 0.7 else draft.has(*_NAMES, "name")
    draft.rewrite(names, str.upper if kind < 0.45 or kind > 0.85 else str.lower)


def _spaces(draft: Draft) -> None:
    """Leave a space at the end, at the beginning or twice in the middle of a field."""
    names = draft.has(*_WRITTEN, "email", "mobile", "phone")
    if not names:
        return
    name, kind = draft.any(tuple(names)), draft.random.random()
    text = draft.text[name]
    if kind < 0.2 and " " in text:
        draft.text[name] = text.replace(" ", "  ", 1)
    else:
        draft.text[name] = f" {text}" if kind < 0.4 else f"{text} "


def mojibake(text: str) -> str:
    """Read UTF-8 as Windows-1252, as a spreadsheet does.

    >>> mojibake("Muñoz")
    'MuÃ±oz'
    """
    raw = text.encode()
    try:
        return raw.decode("cp1252")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _mojibake(draft: Draft) -> None:
    """Spoil every text of the record."""
    draft.rewrite(draft.has(*_WRITTEN, "job_title", "notes"), mojibake)


_SHARED: Mapping[str, Process] = {
    "moved": _move,
    "phone_old": _old_phone,
    "email_other": _other_email,
    "company_style": _style_company,
    "address_style": _style_address,
    "typo": _typo,
    "email_typo": _email_typo,
    "phone_digit": _phone_digit,
    "phone_style": _style_phone,
    "accents": _accents,
    "case": _case,
    "spaces": _spaces,
    "mojibake": _mojibake,
}
_PERSONAL: Mapping[str, Process] = {
    "employer": _change_employer,
    "birth_date": _wrong_birth_date,
    "nickname": _nickname,
    "given_dropped": _drop_given,
    "one_surname": _drop_surname,
    "initials": _initials,
    "honorific": _honorific,
    "name_swap": _swap_names,
    "phone_place": _phone_place,
}


def _active(noise: Noise, processes: Mapping[str, Process]) -> list[tuple[float, Process]]:
    """Give the rates above 0 and their processes, in the order of `Noise`."""
    names = [field.name for field in attrs.fields(Noise) if field.name in processes]
    return [(rate, processes[name]) for name in names if (rate := float(getattr(noise, name)))]


def contact_processes(noise: Noise) -> list[tuple[float, Process]]:
    """Give what may go wrong with a contact, and how often."""
    return _active(noise, {**_SHARED, **_PERSONAL})


def company_processes(noise: Noise) -> list[tuple[float, Process]]:
    """Give what may go wrong with a company, and how often."""
    return _active(noise, _SHARED)


# --- what a source does not ask for -----------------------------------------------------------

_HABITS = """
field      Web Referral Trade_show Import Walk-in Cold_call Social_media Partner
email        3       45          8     40      60        65           20      15
phone       85       65         60     25      60        15           95      35
mobile      25       10         30     45       8        60           35      30
company     30       25          3     10      55         8           70       5
job_title   60       55         10     70      80        30           85      20
street      80       75         85      8      40        70           95      45
city        35       30         40      4      20        30           45      15
birth_date  85       90         97     55      60        98           75      92
tax_id      92       95         98     15      40        95           99      60
notes       70       50         60     96      75        35           85      75
amount      80       70         85     25      30        90           95      45
website     30       60         25     75      85        60           50      30
trade_name  60       40         50     70      30        45           20      35
employees   85       80         60     40      90        75           95      50
"""
"""Chance in hundred that a record of the source lacks the field."""


def missing_rates(scale: float) -> dict[str, list[tuple[str, float]]]:
    """Give, by lead source, the chance that each field is missing.

    >>> missing_rates(1.0)["Web"][0]
    ('email', 0.03)
    """
    head, *lines = (line.split() for line in _HABITS.strip().splitlines())
    columns = {source.replace("_", " "): at for at, source in enumerate(head) if at}
    return {source: [(line[0], int(line[at]) * scale / 100) for line in lines] for source, at in columns.items()}
