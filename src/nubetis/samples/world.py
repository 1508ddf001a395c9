"""The real people and companies behind the records, before anybody writes them down.

Everything is drawn from one `random.Random` and in one order, so that the world of a seed is the same
whatever errors are put on it.  Memory stays bounded: a few open households and offices that newcomers may
join, and a bitmap of the addresses given away.
"""

from __future__ import annotations

import functools
import itertools
import zlib
from bisect import bisect
from datetime import date
from random import Random
from typing import TYPE_CHECKING, TypeVar

import attrs

from nubetis.samples.countries import Country, Place, scatter
from nubetis.samples.records import LEAD_SOURCES
from nubetis.samples.tax_ids import COMPANY_IDS, PERSON_IDS
from nubetis.samples.words import GIVEN, SECTORS, SURNAMES, TITLES, Pool, slug

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Firm", "Market", "Person", "Population", "Taken", "new_phone"]

_OPEN_HOMES = 256
_OPEN_OFFICES = 64
_BITS = 1 << 24
_OLDEST = date(1942, 1, 1).toordinal()
_AGES = date(2005, 1, 1).toordinal() - _OLDEST
_FOUNDED = date(1960, 1, 1).toordinal()
_FIRM_AGES = date(2022, 1, 1).toordinal() - _FOUNDED
_EMPLOYED = 0.62
_AT_WORK = 0.5
_TWO_NAMES = 0.42

_SOURCES = Pool.of(LEAD_SOURCES, flat=1.5)
_PROVIDERS = Pool.of("gmail.com hotmail.com outlook.com yahoo.com yahoo.es icloud.com live.com", flat=0.7)
_PERSONAL = (
    "{g}.{s}",
    "{g}{s}",
    "{i}{s}",
    "{g}{s}{y}",
    "{g}.{s}{y}",
    "{i}{s}{t}",
    "{s}.{g}",
    "{g}_{s}",
    "{g}{s}{t}",
    "{g}.{s}.{t}{y}",
)
_CORPORATE = ("{g}.{s}", "{i}{s}", "{i}{s}", "{g}.{s}", "{g}", "{g}_{s}", "{s}.{g}", "{i}{s}{t}")
_DESKS = ("info", "ventas", "contacto", "administracion")
_BEGINNINGS = """
Tec Nova Sol Inti Andi Pac Cen Mul Eco Agro Glo Vita Ali Ser Lum Qual Net Alfa Del Kal Qori Wayra Mar Tri Mega
Pro Inno
"""
_MIDDLES = "ra li no va te mi co du san per lo ni ga be ter vi la do"
_ENDINGS = "tec sur mar plus nor net pack gen les da corp via max ment sol ex ia in ax ora"
_BEGIN, _MIDDLE, _END = (tuple(words.split()) for words in (_BEGINNINGS, _MIDDLES, _ENDINGS))
_FLAVOURS = """
del Norte|del Sur|Andina|del Pacífico|Unidos|San José\
|Santa Rosa|Los Andes|El Sol|Nacional|Internacional|Asociados
"""


@attrs.frozen(eq=False)
class Firm:
    """A real company."""

    entity: int
    country: Country
    core: str
    name: str
    trade: str
    domain: str
    mailbox: str
    place: Place
    street: str
    postcode: str
    phone: str
    industry: str
    founded: date
    employees: int
    source: str

    @property
    def tax_id(self) -> str:
        """Give its tax number."""
        return COMPANY_IDS[self.country.code](self, scatter(self.entity, 20_517_003))


@attrs.frozen(eq=False)
class _Home:
    """An address that several people share, and the first of them."""

    country: Country
    place: Place
    street: str
    postcode: str
    phone: str
    female: bool
    given: str
    surnames: tuple[str, ...]


@attrs.frozen(eq=False)
class Person:
    """A real person."""

    entity: int
    country: Country
    female: bool
    given: str
    surnames: tuple[str, ...]
    born: date
    home: _Home
    firm: Firm | None
    title: str
    at_work: bool
    email: str
    mobile: str
    source: str

    @property
    def tax_id(self) -> str:
        """Give the person's tax number."""
        return PERSON_IDS[self.country.code](self, scatter(self.entity, 40_218_777))

    @property
    def other_email(self) -> str:
        """Give the person's second address; no first address has a number after ``_``."""
        provider = "gmail.com" if "@gmail" not in self.email else "hotmail.com"
        return f"{_local('{i}{s}', self.given, surnames=self.surnames, born=self.born)}_{self.entity}@{provider}"

    def email_at(self, firm: Firm) -> str:
        """Give the person's address at another firm."""
        template = "{g}.{s}.{t}" if len(self.surnames) > 1 else "{g}.{s}{y}"
        return f"{_local(template, self.given, surnames=self.surnames, born=self.born)}@{firm.domain}"


def _local(template: str, given: str, *, surnames: tuple[str, ...], born: date) -> str:
    """Write the local part of an address from a person's names and year of birth."""
    first = slug(given.split(" ", 1)[0])
    surname, *others = map(slug, surnames)
    text = template.format(g=first, i=first[:1], s=surname, t="".join(others)[:1], y=born.year % 100)
    return text.rstrip(".")


class Taken:
    """A set of texts in 2 MB: it never forgets one, and now and then takes a free text for taken."""

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def claim(self, text: str) -> bool:
        """Take the text; false where it was already taken."""
        place, bit = divmod(zlib.crc32(text.encode()) % _BITS, 8)
        if self._bits[place] >> bit & 1:
            return False
        self._bits[place] |= 1 << bit
        return True

    def unique(self, name: str, ending: str, *, random: Random) -> str:
        """Take ``name + ending``, with a number between them where that is already taken."""
        text, limit = name + ending, 30
        while not self.claim(text):
            text, limit = f"{name}{int(random.random() * limit) + 1}{ending}", limit * 3
        return text


def new_phone(country: Country, random: Random) -> str:
    """Draw a mobile number that was nobody's on purpose."""
    return country.mobiles[0].draw(random)


@functools.cache
def _sums(countries: tuple[Country, ...]) -> list[float]:
    """Give the running sums of the countries' weights."""
    return list(itertools.accumulate(country.weight for country in countries))


def _pick_country(countries: tuple[Country, ...], random: Random) -> Country:
    """Draw a country by its weight."""
    sums = _sums(countries)
    return countries[bisect(sums, random.random() * sums[-1])]


def _any(choices: Sequence[str], random: Random) -> str:
    """Draw one of the choices, all equally likely."""
    return choices[int(random.random() * len(choices))]


class Market:
    """The companies of a seed, in the order in which they are numbered."""

    def __init__(self, seed: int, countries: tuple[Country, ...]) -> None:
        self._random = Random(f"{seed}/companies")  # noqa: S311 - seeded on purpose
        self._countries = countries
        self._taken = Taken()
        self._numbers = itertools.count(1)
        self._flavours = _FLAVOURS.strip().split("|")

    def __iter__(self) -> Market:
        return self

    def __next__(self) -> Firm:
        """Found the next company."""
        random = self._random
        country = _pick_country(self._countries, random)
        sectors = SECTORS[country.language]
        sector, industry = sectors[int(random.random() ** 1.4 * len(sectors))]
        brand = self._brand()
        core = self._core(country, sector, brand=brand)
        place = country.place(random)
        return Firm(
            entity=next(self._numbers),
            country=country,
            core=core,
            industry=industry,
            name=f"{core} {country.suffixes[int(random.random() ** 2 * len(country.suffixes))]}",
            trade=brand if random.random() < 0.5 else core.removeprefix(f"{sector} "),
            domain=self._taken.unique(slug(core)[:26], _any(country.domains, random), random=random),
            mailbox=_any(_DESKS, random),
            place=place,
            street=country.address(random),
            postcode=place.postcode.draw(random),
            phone=place.phone.draw(random),
            founded=date.fromordinal(_FOUNDED + int(random.random() ** 0.5 * _FIRM_AGES)),
            employees=int(2 * 10 ** (random.random() ** 2 * 3.5)),
            source=_SOURCES.pick(random),
        )

    def _brand(self) -> str:
        """Coin a word."""
        random = self._random
        middle = _any(_MIDDLE, random) if random.random() < 0.7 else ""
        return f"{_any(_BEGIN, random)}{middle}{_any(_END, random)}"

    def _core(self, country: Country, sector: str, *, brand: str) -> str:
        """Make the name before the legal suffix."""
        random = self._random
        kind = random.random()
        surname = SURNAMES[country.code].pick(random)
        if kind < 0.26:
            return f"{sector} {surname}"
        if kind < 0.40:
            joiner = "&" if random.random() < 0.5 else "y"
            return f"{sector} {surname} {joiner} {SURNAMES[country.code].pick(random)}"
        if kind < 0.48:
            return f"{sector} Hermanos {surname}" if country.language == "es" else f"{surname} {sector}"
        if kind < 0.58:
            return f"{sector} {country.place(random).city} {self._flavour(country, brand)}".strip()
        return brand if kind < 0.75 else f"{sector} {brand}"

    def _flavour(self, country: Country, brand: str) -> str:
        """Give what follows the city in a name."""
        return _any(self._flavours, self._random) if country.language == "es" else brand


class Population:
    """The people of a seed, in the order in which they are numbered.

    Some join the home or the office of somebody before them: the pairs that look alike and are not the same
    person.
    """

    def __init__(self, seed: int, market: Market, *, households: float, colleagues: float, shared_email: float) -> None:
        self._random = Random(f"{seed}/people")  # noqa: S311 - seeded on purpose
        self._market = market
        self._countries = market._countries  # noqa: SLF001 - the two are one world
        self._households = households
        self._colleagues = colleagues
        self._shared_email = shared_email
        self._taken = Taken()
        self._numbers = itertools.count(1)
        self._offset = int(self._random.random() * 1e8)
        self._homes: list[_Home] = []
        self.offices: dict[str, list[Firm]] = {country.code: [] for country in self._countries}

    def __iter__(self) -> Population:
        return self

    def __next__(self) -> Person:
        """Bring the next person into the world."""
        random = self._random
        joins = self._homes and random.random() < self._households
        home = self._homes[int(random.random() * len(self._homes))] if joins else None
        country = home.country if home else _pick_country(self._countries, random)
        firm = self._firm(country, bound=home is not None) if random.random() < _EMPLOYED else None
        country = firm.country if firm else country
        return self._relative(home, firm) if home else self._stranger(country, firm)

    def _firm(self, country: Country, *, bound: bool) -> Firm | None:
        """Give an employer: an office of the country, or else, unless ``bound``, a new company."""
        random = self._random
        offices = self.offices[country.code]
        if offices and (bound or random.random() < self._colleagues):
            return offices[int(random.random() ** 2 * len(offices))]
        if bound:
            return None
        firm = next(self._market)
        _keep(self.offices[firm.country.code], firm, limit=_OPEN_OFFICES, random=random)
        return firm

    def _stranger(self, country: Country, firm: Firm | None) -> Person:
        """Make a person with a home of their own."""
        random = self._random
        female = random.random() < 0.5
        place = firm.place if firm and random.random() < 0.8 else country.place(random)
        home = _Home(
            country,
            place,
            country.address(random),
            place.postcode.draw(random),
            place.phone.draw(random),
            female,
            self._given(country, female=female),
            self._surname_pair(country, female=female),
        )
        _keep(self._homes, home, limit=_OPEN_HOMES, random=random)
        return self._person(home, firm, female=female, names=(home.given, home.surnames), born=self._born())

    def _relative(self, home: _Home, firm: Firm | None) -> Person:
        """Make a person of a known home: brother or sister, child, spouse, or one of the same name."""
        random = self._random
        kind = random.random()
        female = home.female if kind < 0.04 else random.random() < 0.5
        given = home.given if kind < 0.04 else self._given(home.country, female=female)
        surnames = home.surnames
        if 0.45 < kind < 0.70:
            surnames = (surnames[0], *self._surname_pair(home.country, female=False)[1:])
        elif kind >= 0.70:
            surnames = self._surname_pair(home.country, female=female)
        return self._person(home, firm, female=female, names=(given, surnames), born=self._born())

    def _person(
        self, home: _Home, firm: Firm | None, *, female: bool, names: tuple[str, tuple[str, ...]], born: date
    ) -> Person:
        """Make a person, with a number, an e-mail address and a mobile that nobody else has."""
        random = self._random
        entity = next(self._numbers)
        country = home.country
        titles = TITLES[country.language][female]
        mobile = country.mobiles[int(random.random() * len(country.mobiles))]
        return Person(
            entity,
            country,
            female,
            *names,
            born,
            home,
            firm,
            title=titles.pick(random) if firm else "",
            at_work=firm is not None and random.random() < _AT_WORK,
            email=self._email(firm, names[0], surnames=names[1], born=born),
            mobile=mobile.fill(scatter(entity, self._offset)),
            source=_SOURCES.pick(random),
        )

    def _given(self, country: Country, *, female: bool) -> str:
        """Draw one given name, or two."""
        random = self._random
        pool = GIVEN[country.language][female]
        first = pool.pick(random)
        if " " in first or random.random() > _TWO_NAMES:
            return first
        second = pool.pick(random)
        return first if second == first or " " in second else f"{first} {second}"

    def _surname_pair(self, country: Country, *, female: bool) -> tuple[str, ...]:
        """Draw the surnames; a few married women bear their husband's."""
        random = self._random
        pool = SURNAMES[country.code]
        if random.random() > country.second_surname:
            return (pool.pick(random),)
        first, second = pool.pick(random), pool.pick(random)
        plain = not female or country.language != "es" or " " in second or random.random() > 0.02
        return first, second if plain else f"de {second}"

    def _born(self) -> date:
        """Draw a date of birth, the middle years most."""
        random = self._random
        return date.fromordinal(_OLDEST + int((random.random() + random.random()) / 2 * _AGES))

    def _email(self, firm: Firm | None, given: str, *, surnames: tuple[str, ...], born: date) -> str:
        """Give an address of one's own at work or at home, or the firm's common one."""
        random = self._random
        if firm and random.random() < self._shared_email:
            return f"{firm.mailbox}@{firm.domain}"
        if firm and random.random() < 0.7:
            template, domain = _CORPORATE[firm.entity % len(_CORPORATE)], firm.domain
        else:
            template, domain = _any(_PERSONAL, random), _PROVIDERS.pick(random)
        return self._taken.unique(_local(template, given, surnames=surnames, born=born), f"@{domain}", random=random)


_T = TypeVar("_T")


def _keep(window: list[_T], newcomer: _T, *, limit: int, random: Random) -> None:
    """Put the newcomer in the window, in place of another where it is full."""
    if len(window) < limit:
        window.append(newcomer)
    else:
        window[int(random.random() * limit)] = newcomer
