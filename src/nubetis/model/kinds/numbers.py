"""Integers, decimals, per cent."""

from __future__ import annotations

import re
from decimal import Decimal
from random import Random
from typing import Final, cast

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.exact import scaled, unscaled
from nubetis.model.fields import Field, FieldType, Storage, Value
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import DIGITS, plain, wrong
from nubetis.types import Cells, Row

__all__ = ["TYPES", "check_decimal", "pack_scaled", "sample_decimal"]

_WRITTEN: Final = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
"""A number as text: what every programming language reads, and nothing that only Python does."""


def _check_integer(field: Field, offered: object) -> int:
    if isinstance(offered, bool) or not isinstance(offered, int):
        raise wrong(field, offered, "a whole number")
    if not -(2**62) < offered < 2**62:
        raise InvalidValue("bad_number", field=field.name, scale=0, digits=DIGITS)
    return int(offered)


def check_decimal(field: Field, offered: object) -> Decimal:
    """Give a number as a decimal that the scale of *field* holds exactly; no other is taken."""
    value = offered if type(offered) is Decimal else _decimal(field, offered)
    whole = None if value is None else scaled(value, field.scale)
    if value is None or whole is None or abs(whole) >= 10**DIGITS:
        raise InvalidValue("bad_number", field=field.name, scale=field.scale, digits=DIGITS)
    return value


def _decimal(field: Field, offered: object) -> Decimal | None:
    if isinstance(offered, bool) or not isinstance(offered, int | float | Decimal | str):
        raise wrong(field, offered, "a number")
    if isinstance(offered, str) and not _WRITTEN.fullmatch(offered):
        return None
    return Decimal(repr(offered) if isinstance(offered, float) else offered)


def pack_scaled(field: Field, value: Decimal) -> int:
    """Give a number that :func:`check_decimal` let pass as it is stored."""
    return cast("int", scaled(value, field.scale))


def _pack_decimal(field: Field, value: Value) -> Row:
    return (pack_scaled(field, value),)


def _unpack_decimal(field: Field, row: Cells) -> Value:
    return None if row[0] is None else unscaled(int(row[0]), field.scale)


def _parse_integer(field: Field, text: str, formats: Formats) -> Value:
    number = formats.parse_number(text)
    if number != number.to_integral_value():
        raise InvalidValue("bad_number", field=field.name, scale=0, digits=DIGITS)
    return field.check(int(number))


def _parse_decimal(field: Field, text: str, formats: Formats) -> Value:
    return field.check(formats.parse_number(text))


def _parse_percent(field: Field, text: str, formats: Formats) -> Value:
    return _parse_decimal(field, text.strip().removesuffix("%"), formats)


def _show_number(field: Field, value: Value, formats: Formats) -> str:
    return formats.show_number(value)


def _sample_integer(field: Field, random: Random) -> int:
    return random.choice([0, 1, -1, random.randint(-1000, 1000), random.randint(0, 10**9)])


def sample_decimal(field: Field, random: Random) -> Decimal:
    """Give a number of the field's scale."""
    return unscaled(random.choice([0, 100, random.randint(-(10**6), 10**6)]), field.scale)


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
    attrs.evolve(_DECIMAL, name="percent", parse=_parse_percent),
)
