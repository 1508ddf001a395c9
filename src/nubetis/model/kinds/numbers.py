"""Integers, decimals, per cent."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, FieldType, Storage, Value
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import DIGITS, plain, wrong
from nubetis.types import Cells, Row

__all__ = ["TYPES", "check_decimal", "sample_decimal"]


def _check_integer(field: Field, offered: object) -> int:
    if isinstance(offered, bool) or not isinstance(offered, int):
        raise wrong(field, offered, "a whole number")
    if not -(2**62) < offered < 2**62:
        raise InvalidValue("bad_number", field=field.name, scale=0, digits=DIGITS)
    return int(offered)


def check_decimal(field: Field, offered: object) -> Decimal:
    """Bring a number to the scale of *field*, exactly or not at all."""
    if isinstance(offered, bool) or not isinstance(offered, int | float | Decimal | str):
        raise wrong(field, offered, "a number")
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


def sample_decimal(field: Field, random: Random) -> Decimal:
    """Give a number of the field's scale."""
    return Decimal(random.choice([0, 100, random.randint(-(10**6), 10**6)])).scaleb(-field.scale)


_DECIMAL = plain(
    "decimal",
    Storage.DECIMAL,
    check=check_decimal,
    pack=_pack_decimal,
    unpack=_unpack_decimal,
    parse=_parse_decimal,
    show=_show_number,
    sample=sample_decimal,
)

TYPES: Final[tuple[FieldType, ...]] = (
    plain(
        "integer",
        Storage.INTEGER,
        check=_check_integer,
        parse=_parse_integer,
        show=_show_number,
        sample=_sample_integer,
    ),
    plain(
        "auto_number",
        Storage.INTEGER,
        check=_check_integer,
        parse=_parse_integer,
        show=_show_number,
        sample=_sample_integer,
    ),
    _DECIMAL,
    attrs.evolve(_DECIMAL, name="percent"),
)
