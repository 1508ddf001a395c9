"""What the field types have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, FieldType, Operator, Part, Storage, Value
from nubetis.types import Cells, Row, Stored

__all__ = [
    "DIGITS",
    "EQUAL",
    "LONG",
    "MANY",
    "ORDER",
    "TEXT",
    "one",
    "operand_of",
    "pack_same",
    "plain",
    "unpack_same",
    "wrong",
]

DIGITS: Final = 18
"""Digits of a decimal, so that its scaled integer fits 63 bits."""

EQUAL: Final = frozenset(
    {Operator.EQ, Operator.IN, Operator.EMPTY, Operator.CHANGED, Operator.CHANGED_FROM, Operator.CHANGED_TO}
)
ORDER: Final = EQUAL | {Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN}
TEXT: Final = ORDER | {Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES}
LONG: Final = frozenset({Operator.EMPTY, Operator.MATCHES})
MANY: Final = frozenset({Operator.ANY_OF, Operator.ALL_OF, Operator.EMPTY})


def wrong(field: Field, offered: object, expected: str) -> InvalidValue:
    """Give the error for a value of another type."""
    return InvalidValue("wrong_type", field=field.name, expected=expected, given=type(offered).__name__)


def one(storage: Storage, *, text: bool = False) -> Callable[[Field], tuple[Part, ...]]:
    """Give the parts of a type that keeps one column."""
    parts = (Part("", storage, text=text),)
    return lambda field: parts


def pack_same(field: Field, value: Value) -> Row:
    """Pack a value whose stored form is itself."""
    return (value,)


def unpack_same(field: Field, row: Cells) -> Value:
    """Unpack a value whose stored form is itself."""
    return row[0]


def operand_of(
    pack: Callable[[Field, Value], Row],
) -> Callable[[Field, object], tuple[tuple[str, Stored], ...]]:
    """Give the operand function of a type whose constants are packed like its values."""

    def operand(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
        return (("", pack(field, field.type.check(field, offered))[0]),)

    return operand


def plain(name: str, storage: Storage, **functions: Value) -> FieldType:
    """Make a field type of one part; what is not given is that of values that store themselves."""
    pack = functions.pop("pack", pack_same)
    settings: dict[str, Value] = {
        "parts": one(storage),
        "pack": pack,
        "unpack": unpack_same,
        "operators": ORDER,
        "operand": operand_of(pack),
        "plain": "unpack" not in functions,
    } | functions
    return FieldType(name=name, **settings)
