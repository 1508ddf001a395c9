"""The built-in field types."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Choice, Field, FieldType, Operator, Part, Storage, Value
from nubetis.model.fold import fold_exact, fold_text
from nubetis.model.formats import Formats
from nubetis.model.ids import decode, encode
from nubetis.model.money import Money
from nubetis.types import Cells, RecordId, Row, Stored

__all__ = ["BUILT_IN", "Address", "FileRef", "PersonName", "WallTime", "instant_text", "kind"]

DIGITS: Final = 18
"""Digits of a decimal, so that its scaled integer fits 63 bits."""

_EQUAL: Final = frozenset({Operator.EQ, Operator.IN, Operator.EMPTY, *(o for o in Operator if o.startswith("changed"))})
_ORDER: Final = _EQUAL | {Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN}
_TEXT: Final = _ORDER | {Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES}
_LONG: Final = frozenset({Operator.EMPTY, Operator.MATCHES})
_MANY: Final = frozenset({Operator.ANY_OF, Operator.ALL_OF, Operator.EMPTY})


def _wrong(field: Field, offered: object, expected: str) -> InvalidValue:
    return InvalidValue("wrong_type", field=field.name, expected=expected, given=type(offered).__name__)


def _one(storage: Storage, *, text: bool = False) -> Callable[[Field], tuple[Part, ...]]:
    parts = (Part("", storage, text=text),)
    return lambda field: parts


def _pack_same(field: Field, value: Value) -> Row:
    return (value,)


def _unpack_same(field: Field, row: Cells) -> Value:
    return row[0]


def _operand_of(
    pack: Callable[[Field, Value], Row],
) -> Callable[[Field, object], tuple[tuple[str, Stored], ...]]:
    def operand(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
        return (("", pack(field, field.type.check(field, offered))[0]),)

    return operand


# -- text -------------------------------------------------------------------------------------------------------------
_BAD: Final = re.compile("[\x00\ud800-\udfff]")


def clean_text(field: Field, offered: object, limit: int) -> str:
    """Give *offered* back if it is text that every store can hold."""
    if not isinstance(offered, str):
        raise _wrong(field, offered, "text")
    if len(offered) > limit:
        raise InvalidValue("too_long", field=field.name, limit=limit, length=len(offered))
    if (bad := _BAD.search(offered)) is not None:
        what = "NUL" if bad[0] == "\0" else "half of a surrogate pair"
        raise InvalidValue("bad_text", field=field.name, what=what)
    return str(offered)


def _check_text(field: Field, offered: object) -> str:
    return clean_text(field, offered, field.max_length)


def _check_long(field: Field, offered: object) -> str:
    return clean_text(field, offered, 1_000_000)


def _parse_text(field: Field, text: str, formats: Formats) -> Value:
    return field.check(text)


def _show_text(field: Field, value: Value, formats: Formats) -> str:
    return str(value)


_WORDS: Final = [
    "lima",
    "norte",
    "sol",
    "río",
    "ñandú",
    "Ágata",
    "café",
    "uno",
    "dos",
    "tres",
    "50%",
    "a_b",
    "x'y",
    "Straße",
    "東京",
    "Zoë",
]


def _sample_text(field: Field, random: Random) -> str:
    return " ".join(random.choices(_WORDS, k=random.randint(1, 3)))[: field.max_length]


def _text(name: str, **changes: Value) -> FieldType:
    base = FieldType(
        name=name,
        parts=_one(Storage.TEXT, text=True),
        check=_check_text,
        pack=_pack_same,
        unpack=_unpack_same,
        operand=_operand_of(_pack_same),
        operators=_TEXT,
        parse=_parse_text,
        show=_show_text,
        sample=_sample_text,
        fold=fold_text,
        filterable=True,
        plain=True,
    )
    return attrs.evolve(base, **changes)


_EMAIL: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,190}")
_URL: Final = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]*(\s?(x|ext\.?|anexo)\s?\d{1,6})?", re.IGNORECASE)


def _check_email(field: Field, offered: object) -> str:
    text = clean_text(field, offered, field.max_length).strip()
    if not _EMAIL.fullmatch(text):
        raise InvalidValue("bad_email", field=field.name)
    return text


def _check_url(field: Field, offered: object) -> str:
    text = clean_text(field, offered, 2000).strip()
    if not _URL.fullmatch(text):
        raise InvalidValue("bad_url", field=field.name)
    return text


def _check_phone(field: Field, offered: object) -> str:
    text = clean_text(field, offered, 60).strip()
    if not _PHONE.fullmatch(text) or not 3 <= sum(map(str.isdigit, text)) <= 20:
        raise InvalidValue("bad_phone", field=field.name)
    return text


def fold_phone(text: str) -> str:
    """Give the digits of a telephone number, and its leading plus."""
    digits = "".join([str(unicodedata.digit(char)) for char in text if char.isdigit()])
    return f"+{digits}" if text.lstrip().startswith("+") else digits


# Filters compare e-mail, phone and url with a piece of one, too, so their operands are text only.
def _operand_text(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    return (("", clean_text(field, offered, 2000)),)


def _sample_email(field: Field, random: Random) -> str:
    return f"{random.choice(['ana', 'luis', 'josé', 'maría'])}{random.randint(1, 99)}@{random.choice(['acme.pe', 'Gmail.com'])}"


def _sample_url(field: Field, random: Random) -> str:
    return f"https://{random.choice(['acme', 'norte', 'sol'])}.example/{random.randint(1, 9)}"


def _sample_phone(field: Field, random: Random) -> str:
    return random.choice(["+51 9{:08d}", "(01) {:07d}", "9{:08d}"]).format(random.randint(0, 9_999_999))


# -- numbers ----------------------------------------------------------------------------------------------------------
def _check_integer(field: Field, offered: object) -> int:
    if isinstance(offered, bool) or not isinstance(offered, int):
        raise _wrong(field, offered, "a whole number")
    if not -(2**62) < offered < 2**62:
        raise InvalidValue("bad_number", field=field.name, scale=0, digits=DIGITS)
    return int(offered)


def check_decimal(field: Field, offered: object) -> Decimal:
    """Bring a number to the scale of *field*, exactly or not at all."""
    if isinstance(offered, bool) or not isinstance(offered, int | float | Decimal | str):
        raise _wrong(field, offered, "a number")
    try:
        value = Decimal(repr(offered) if isinstance(offered, float) else offered)
        scaled = value.scaleb(field.scale)
        if value.is_finite() and abs(scaled) < 10**DIGITS and scaled == scaled.to_integral_value():
            return value
    except ArithmeticError:
        pass
    raise InvalidValue("bad_number", field=field.name, scale=field.scale, digits=DIGITS)


def _pack_decimal(field: Field, value: Value) -> Row:
    return (int(value.scaleb(field.scale)),)


def _unpack_decimal(field: Field, row: Cells) -> Value:
    return None if row[0] is None else Decimal(row[0]).scaleb(-field.scale)


def _parse_integer(field: Field, text: str, formats: Formats) -> Value:
    number = formats.parse_number(text)
    if number != number.to_integral_value():
        raise InvalidValue("bad_number", field=field.name, scale=0, digits=DIGITS)
    return field.check(int(number))


def _parse_decimal(field: Field, text: str, formats: Formats) -> Value:
    return field.check(formats.parse_number(text))


def _show_number(field: Field, value: Value, formats: Formats) -> str:
    return formats.show_number(value)


def _sample_integer(field: Field, random: Random) -> int:
    return random.choice([0, 1, -1, random.randint(-1000, 1000), random.randint(0, 10**9)])


def _sample_decimal(field: Field, random: Random) -> Decimal:
    return Decimal(random.choice([0, 100, random.randint(-(10**6), 10**6)])).scaleb(-field.scale)


# -- booleans, dates, times -------------------------------------------------------------------------------------------
def _check_boolean(field: Field, offered: object) -> bool:
    if not isinstance(offered, bool):
        raise _wrong(field, offered, "true or false")
    return offered


def _pack_boolean(field: Field, value: Value) -> Row:
    return (int(value),)


def _unpack_boolean(field: Field, row: Cells) -> Value:
    return None if row[0] is None else bool(row[0])


def _check_date(field: Field, offered: object) -> date:
    if isinstance(offered, str):
        try:
            return date.fromisoformat(offered)
        except ValueError:
            raise InvalidValue("bad_date", field=field.name) from None
    if isinstance(offered, datetime) or not isinstance(offered, date):
        raise _wrong(field, offered, "a date")
    return offered


def _pack_iso(field: Field, value: Value) -> Row:
    return (value.isoformat(),)


def _unpack_date(field: Field, row: Cells) -> Value:
    return None if row[0] is None else date.fromisoformat(row[0])


def _check_datetime(field: Field, offered: object) -> datetime:
    try:
        found = datetime.fromisoformat(offered) if isinstance(offered, str) else offered
        if not isinstance(found, datetime):
            raise _wrong(field, offered, "an instant")
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if isinstance(error, InvalidValue):
            raise
    raise InvalidValue("bad_datetime", field=field.name)


def instant_text(value: datetime) -> str:
    """Give the stored form of an aware instant: UTC with microseconds, so that text order is time order.

    >>> instant_text(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    '2026-01-31T09:30:00.000000Z'
    """
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _pack_datetime(field: Field, value: Value) -> Row:
    return (instant_text(value),)


def _unpack_datetime(field: Field, row: Cells) -> Value:
    return None if row[0] is None else datetime.fromisoformat(row[0])


def _check_time(field: Field, offered: object) -> time:
    try:
        found = time.fromisoformat(offered) if isinstance(offered, str) else offered
    except ValueError:
        raise InvalidValue("bad_time", field=field.name) from None
    if not isinstance(found, time):
        raise _wrong(field, offered, "a time of day")
    if found.tzinfo is not None:
        raise InvalidValue("bad_time", field=field.name)
    return found.replace(fold=0)


def _pack_time(field: Field, value: Value) -> Row:
    return (value.isoformat(timespec="microseconds"),)


def _unpack_time(field: Field, row: Cells) -> Value:
    return None if row[0] is None else time.fromisoformat(row[0])


@attrs.frozen
class WallTime:
    """A time on the wall of a place: a meeting at 9 stays at 9 when the rules of its zone change."""

    local: datetime
    zone: str

    def instant(self) -> datetime:
        """Give the instant in UTC: in a gap the later, in a fold the first of the two."""
        return self.local.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)


def _check_wall(field: Field, offered: object) -> WallTime:
    if not isinstance(offered, WallTime):
        raise _wrong(field, offered, "a WallTime")
    try:
        ZoneInfo(offered.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("bad_zone", field=field.name) from None
    if offered.local.tzinfo is not None or "/" not in offered.zone:
        raise InvalidValue("bad_zone", field=field.name)
    return offered


def _pack_wall(field: Field, value: Value) -> Row:
    assert isinstance(value, WallTime)  # noqa: S101 - checked
    return instant_text(value.instant()), value.local.isoformat(timespec="microseconds"), value.zone


def _unpack_wall(field: Field, row: Cells) -> Value:
    return None if row[1] is None else WallTime(datetime.fromisoformat(str(row[1])), str(row[2]))


def _operand_wall(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    instant = offered.instant() if isinstance(offered, WallTime) else _check_datetime(field, offered)
    return (("", instant_text(instant)),)


def _parse_wall(field: Field, text: str, formats: Formats) -> Value:
    clock, _, zone = text.strip().rpartition(" ")
    try:
        return field.check(WallTime(datetime.fromisoformat(clock), zone))
    except ValueError:
        raise InvalidValue("bad_zone", field=field.name) from None


def _show_wall(field: Field, value: Value, formats: Formats) -> str:
    assert isinstance(value, WallTime)  # noqa: S101 - checked
    return f"{value.local.isoformat()} {value.zone}"


_START: Final = datetime(2020, 1, 1, tzinfo=UTC)


def _sample_datetime(field: Field, random: Random) -> datetime:
    return _START + timedelta(minutes=random.randint(0, 5_000_000))


def _sample_date(field: Field, random: Random) -> date:
    return _sample_datetime(field, random).date()


def _sample_time(field: Field, random: Random) -> time:
    return _sample_datetime(field, random).time()


def _sample_wall(field: Field, random: Random) -> WallTime:
    zone = random.choice(["America/Lima", "Europe/Madrid", "America/Santiago"])
    return WallTime(_sample_datetime(field, random).replace(tzinfo=None), zone)


def _parse_by(reader: str) -> Callable[[Field, str, Formats], Value]:
    return lambda field, text, formats: field.check(getattr(formats, reader)(text))


def _show_by(shower: str) -> Callable[[Field, Value, Formats], str]:
    return lambda field, value, formats: str(getattr(formats, shower)(value))


# -- choices ----------------------------------------------------------------------------------------------------------
def _check_choice(field: Field, offered: object) -> str:
    known = field.choice_values()
    if not isinstance(offered, str):
        raise _wrong(field, offered, "a choice")
    if known and offered not in known:
        raise InvalidValue("unknown_choice", field=field.name, value=repr(offered[:60]), choices=", ".join(known))
    return clean_text(field, offered, field.max_length)


def _check_choices(field: Field, offered: object) -> tuple[str, ...]:
    if isinstance(offered, str) or not isinstance(offered, Iterable):
        raise _wrong(field, offered, "several choices")
    chosen = tuple(sorted({_check_choice(field, item) for item in offered}))
    if any('"' in item or "\\" in item or not item for item in chosen):
        raise InvalidValue("bad_text", field=field.name, what='" or \\')
    return chosen


def pack_set(chosen: Iterable[str]) -> str | None:
    """Give the stored form of several choices: a sorted JSON array, ``None`` for none."""
    found = sorted(set(chosen))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else None


def _pack_choices(field: Field, value: Value) -> Row:
    return (pack_set(value),)


def _unpack_choices(field: Field, row: Cells) -> Value:
    return () if row[0] is None else tuple(json.loads(str(row[0])))


def _operand_choice(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    return (("", _check_choice(field, offered)),)


def _label(field: Field, value: str) -> str:
    choice = field.choice_values().get(value, Choice(value))
    return choice.label or value


def _show_choice(field: Field, value: Value, formats: Formats) -> str:
    return str(value)


def _show_choices(field: Field, value: Value, formats: Formats) -> str:
    return "; ".join(value)


def _choice_named(field: Field, text: str) -> str:
    by_label = {fold_text(_label(field, value)): value for value in field.choice_values()}
    return by_label.get(fold_text(text), text)


def _parse_choice(field: Field, text: str, formats: Formats) -> Value:
    return field.check(_choice_named(field, text.strip()))


def _parse_choices(field: Field, text: str, formats: Formats) -> Value:
    return field.check([_choice_named(field, item.strip()) for item in text.split(";") if item.strip()])


def _sample_choice(field: Field, random: Random) -> str:
    return random.choice(list(field.choice_values()) or ["norte", "sur", "Ñuñoa"])


def _sample_choices(field: Field, random: Random) -> tuple[str, ...]:
    return tuple(sorted({_sample_choice(field, random) for _ in range(random.randint(1, 3))}))


# -- links ------------------------------------------------------------------------------------------------------------
# A link to one module keeps the key; a link to several keeps the prefix of the module as well.  The schema fills
# ``Field.prefixes``, so that ids can be read and written without it.
_LINK: Final = (Part("", Storage.KEY),)
_LINKS: Final = (Part("", Storage.KEY), Part("module", Storage.TEXT))


def _link_parts(field: Field) -> tuple[Part, ...]:
    return _LINK if len(field.targets) == 1 else _LINKS


def _check_link(field: Field, offered: object) -> RecordId:
    text = getattr(offered, "id", offered)
    if not isinstance(text, str):
        raise _wrong(field, offered, "a record or its id")
    prefix, key = decode(text)
    if field.prefixes and prefix not in field.prefixes:
        raise InvalidValue("wrong_module", field=field.name, expected=" or ".join(field.targets), given=prefix)
    return encode(prefix, key)


def _pack_link(field: Field, value: Value) -> Row:
    prefix, key = decode(str(value))
    return (key,) if len(field.targets) == 1 else (key, prefix)


def _unpack_link(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    return encode(field.prefixes[0] if len(row) == 1 else str(row[1]), int(row[0]))


def _operand_link(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    names = [part.name for part in _link_parts(field)]
    return tuple(zip(names, _pack_link(field, _check_link(field, offered)), strict=True))


def _parse_link(field: Field, text: str, formats: Formats) -> Value:
    return field.check(text.strip())


def _sample_link(field: Field, random: Random) -> Value:
    return encode(random.choice(field.prefixes), random.randint(1, 2**40)) if field.prefixes else None


# -- structured -------------------------------------------------------------------------------------------------------
def _pack_money(field: Field, value: Value) -> Row:
    assert isinstance(value, Money)  # noqa: S101 - checked
    home = value.amount if value.home is None else value.home
    return int(value.amount.scaleb(field.scale)), value.currency, int(home.scaleb(field.scale))


def _unpack_money(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    amount, home = (Decimal(int(row[place] or 0)).scaleb(-field.scale) for place in (0, 2))
    return Money(amount, str(row[1]), home=home)


def _check_money(field: Field, offered: object) -> Money:
    if not isinstance(offered, Money):
        raise _wrong(field, offered, "Money")
    home = None if offered.home is None else check_decimal(field, offered.home)
    return Money(check_decimal(field, offered.amount), offered.currency, home=home)


def _operand_money(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    """A number is compared with the home amount; Money names its currency and is compared within it."""
    if isinstance(offered, Money):
        amount = int(check_decimal(field, offered.amount).scaleb(field.scale))
        return (("", amount), ("currency", offered.currency))
    return (("home", int(check_decimal(field, offered).scaleb(field.scale))),)


def _parse_money(field: Field, text: str, formats: Formats) -> Value:
    amount, currency = formats.parse_money(text)
    if currency is None:
        raise InvalidValue("bad_currency", field=field.name)
    return field.check(Money(amount, currency))


def _show_money(field: Field, value: Value, formats: Formats) -> str:
    assert isinstance(value, Money)  # noqa: S101 - checked
    return formats.show_money(value.amount, value.currency)


def _sample_money(field: Field, random: Random) -> Money:
    return Money(_sample_decimal(field, random), random.choice(["PEN", "EUR"]), home=_sample_decimal(field, random))


@attrs.frozen(kw_only=True)
class Address:
    """A postal address in five parts; empty parts are ``None``."""

    street: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in attrs.astuple(self) if part)


@attrs.frozen(kw_only=True)
class PersonName:
    """A person's name in its parts; two surnames are two parts."""

    prefix: str | None = None
    given: str | None = None
    family: str | None = None
    second_family: str | None = None
    suffix: str | None = None

    def __str__(self) -> str:
        return " ".join(part for part in attrs.astuple(self) if part)


@attrs.frozen(kw_only=True)
class FileRef:
    """A file kept in the blob store: what its bytes hash to, and what it was called."""

    hash: str
    name: str
    size: int
    media_type: str = "application/octet-stream"

    def __str__(self) -> str:
        return self.name


def _structured(name: str, value_type: type, sample: Callable[[Field, Random], Value]) -> FieldType:
    """Make a field type of a frozen attrs class, one text part an attribute."""
    names = [attribute.name for attribute in attrs.fields(value_type)]
    parts = tuple(Part(each, Storage.TEXT, kind="text", text=True) for each in names)

    def check(field: Field, offered: object) -> Value:
        if not isinstance(offered, value_type):
            raise _wrong(field, offered, value_type.__name__)
        cells = {each: getattr(offered, each) or None for each in names}
        checked = {k: v if v is None else clean_text(field, v, field.max_length) for k, v in cells.items()}
        return value_type(**checked) if any(checked.values()) else None

    def pack(field: Field, value: Value) -> Row:
        return tuple([getattr(value, each) for each in names])

    def unpack(field: Field, row: Cells) -> Value:
        return value_type(**dict(zip(names, row, strict=True))) if any(row) else None

    def parse(field: Field, text: str, formats: Formats) -> Value:
        cells = [cell.strip() or None for cell in text.split("|")]
        return field.check(value_type(**dict(zip(names, cells, strict=False))))

    return FieldType(
        name=name,
        parts=lambda field: parts,
        check=check,
        pack=pack,
        unpack=unpack,
        operand=lambda field, offered: (),
        operators=frozenset({Operator.EMPTY, Operator.MATCHES}),
        parse=parse,
        show=lambda field, value, formats: "|".join(getattr(value, each) or "" for each in names).rstrip("|"),
        sample=sample,
        fold=fold_text,
        filterable=True,
    )


def _sample_address(field: Field, random: Random) -> Address:
    return Address(street=_sample_text(field, random), city=random.choice(["Lima", "Ñuñoa", "León"]), country="PE")


def _sample_person(field: Field, random: Random) -> PersonName:
    return PersonName(given=random.choice(["José", "Ana"]), family=random.choice(["Núñez", "Pena", "Peña"]))


_FILE_PARTS: Final = (
    Part("", Storage.TEXT),
    Part("name", Storage.TEXT, kind="text", text=True),
    Part("size", Storage.INTEGER, kind="integer"),
    Part("media_type", Storage.TEXT, kind="choice"),
)


def _check_file(field: Field, offered: object) -> FileRef:
    if not isinstance(offered, FileRef):
        raise _wrong(field, offered, "a FileRef")
    return attrs.evolve(offered, name=clean_text(field, offered.name, field.max_length))


def _pack_file(field: Field, value: Value) -> Row:
    return attrs.astuple(value)


def _unpack_file(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    return FileRef(hash=str(row[0]), name=str(row[1]), size=int(row[2] or 0), media_type=str(row[3]))


def _refuse_parse(field: Field, text: str, formats: Formats) -> Value:
    raise _wrong(field, text, "a FileRef")


def _check_bytes(field: Field, offered: object) -> bytes:
    if not isinstance(offered, bytes):
        raise _wrong(field, offered, "bytes")
    return offered


def _show_size(field: Field, value: Value, formats: Formats) -> str:
    return f"{len(value)} bytes"


def _sample_file(field: Field, random: Random) -> FileRef:
    return FileRef(hash=f"{random.getrandbits(256):064x}", name="contrato.pdf", size=random.randint(1, 10**6))


# -- the registry -----------------------------------------------------------------------------------------------------
def _plain(name: str, storage: Storage, **functions: Value) -> FieldType:
    pack = functions.pop("pack", _pack_same)
    settings: dict[str, Value] = {
        "parts": _one(storage),
        "pack": pack,
        "unpack": _unpack_same,
        "operators": _ORDER,
        "operand": _operand_of(pack),
        "plain": "unpack" not in functions,
    } | functions
    return FieldType(name=name, **settings)


def _make() -> dict[str, FieldType]:
    decimal = _plain(
        "decimal",
        Storage.DECIMAL,
        check=check_decimal,
        pack=_pack_decimal,
        unpack=_unpack_decimal,
        parse=_parse_decimal,
        show=_show_number,
        sample=_sample_decimal,
    )
    link = _plain(
        "link",
        Storage.KEY,
        parts=_link_parts,
        check=_check_link,
        pack=_pack_link,
        unpack=_unpack_link,
        operand=_operand_link,
        operators=_EQUAL | {Operator.LINKED},
        parse=_parse_link,
        show=_show_text,
        sample=_sample_link,
    )
    file = _plain(
        "file",
        Storage.TEXT,
        parts=lambda field: _FILE_PARTS,
        check=_check_file,
        pack=_pack_file,
        unpack=_unpack_file,
        operand=_operand_text,
        operators=frozenset({Operator.EMPTY}),
        parse=_refuse_parse,
        show=_show_text,
        sample=_sample_file,
    )
    types = [
        _text("text"),
        _text("long_text", check=_check_long, operators=_LONG, filterable=False),
        _text("email", check=_check_email, operand=_operand_text, fold=fold_exact, sample=_sample_email),
        _text("phone", check=_check_phone, operand=_operand_text, fold=fold_phone, sample=_sample_phone),
        _text("url", check=_check_url, operand=_operand_text, fold=fold_exact, sample=_sample_url),
        _plain(
            "integer",
            Storage.INTEGER,
            check=_check_integer,
            parse=_parse_integer,
            show=_show_number,
            sample=_sample_integer,
        ),
        _plain(
            "auto_number",
            Storage.INTEGER,
            check=_check_integer,
            parse=_parse_integer,
            show=_show_number,
            sample=_sample_integer,
        ),
        decimal,
        attrs.evolve(decimal, name="percent"),
        FieldType(
            name="money",
            check=_check_money,
            pack=_pack_money,
            unpack=_unpack_money,
            operand=_operand_money,
            parts=lambda field: _MONEY_PARTS,
            operators=_ORDER,
            parse=_parse_money,
            show=_show_money,
            sample=_sample_money,
        ),
        _plain(
            "boolean",
            Storage.BOOLEAN,
            check=_check_boolean,
            pack=_pack_boolean,
            unpack=_unpack_boolean,
            operators=_EQUAL,
            parse=_parse_by("parse_boolean"),
            show=_show_by("show_boolean"),
            sample=lambda field, random: random.random() < 0.5,
        ),
        _plain(
            "date",
            Storage.DATE,
            check=_check_date,
            pack=_pack_iso,
            unpack=_unpack_date,
            parse=_parse_by("parse_date"),
            show=_show_by("show_date"),
            sample=_sample_date,
        ),
        _plain(
            "datetime",
            Storage.DATETIME,
            check=_check_datetime,
            pack=_pack_datetime,
            unpack=_unpack_datetime,
            parse=_parse_by("parse_datetime"),
            show=_show_by("show_datetime"),
            sample=_sample_datetime,
        ),
        _plain(
            "time",
            Storage.TIME,
            check=_check_time,
            pack=_pack_time,
            unpack=_unpack_time,
            parse=_parse_by("parse_time"),
            show=_show_by("show_time"),
            sample=_sample_time,
        ),
        _plain(
            "wall_time",
            Storage.DATETIME,
            parts=lambda field: _WALL_PARTS,
            check=_check_wall,
            pack=_pack_wall,
            unpack=_unpack_wall,
            operand=_operand_wall,
            parse=_parse_wall,
            show=_show_wall,
            sample=_sample_wall,
        ),
        _plain(
            "choice",
            Storage.TEXT,
            check=_check_choice,
            operators=_EQUAL,
            operand=_operand_choice,
            parse=_parse_choice,
            show=_show_choice,
            sample=_sample_choice,
        ),
        _plain(
            "multi_choice",
            Storage.SET,
            check=_check_choices,
            pack=_pack_choices,
            unpack=_unpack_choices,
            operators=_MANY,
            operand=_operand_choice,
            parse=_parse_choices,
            show=_show_choices,
            sample=_sample_choices,
        ),
        _plain(
            "bytes",
            Storage.BYTES,
            check=_check_bytes,
            operators=frozenset({Operator.EMPTY}),
            parse=_refuse_parse,
            show=_show_size,
            sample=lambda field, random: random.randbytes(8),
        ),
        link,
        attrs.evolve(link, name="owner"),
        file,
        attrs.evolve(file, name="image"),
        _structured("address", Address, _sample_address),
        _structured("person_name", PersonName, _sample_person),
    ]
    return {each.name: each for each in types}


_MONEY_PARTS: Final = (
    Part("", Storage.DECIMAL, kind="decimal"),
    Part("currency", Storage.TEXT, kind="choice"),
    Part("home", Storage.DECIMAL, kind="decimal"),
)
_WALL_PARTS: Final = (
    Part("", Storage.DATETIME),
    Part("local", Storage.TEXT, kind="choice"),
    Part("zone", Storage.TEXT, kind="choice"),
)

BUILT_IN: Final = _make()
"""The built-in field types by name."""


def kind(name: str) -> FieldType:
    """Give the built-in field type *name*.

    Raises:
        InvalidValue: ``unknown_field_type``.

    >>> kind("money").name
    'money'
    """
    if name not in BUILT_IN:
        raise InvalidValue("unknown_field_type", type=name, hint=f"Known: {', '.join(BUILT_IN)}.")
    return BUILT_IN[name]
