"""The shape of a filter: its structure without its constants.

Building and compiling an SQL expression costs a millisecond or two; walking a filter costs a microsecond a node.  So
statements are kept by *shape*, and a query is its shape, which finds the statement, and the list of its constants, in
the order in which :mod:`nubetis.backends.sql.compile` numbers its parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeAlias

import attrs

from nubetis.errors import InvalidFilter
from nubetis.model.bind import (
    NEVER,
    All,
    AnyOf,
    Bound,
    Holds,
    Linked,
    Linking,
    Missing,
    No,
    OneOf,
    Test,
    Within,
    Word,
)  # fmt: skip
from nubetis.model.fields import Operator
from nubetis.model.fold import apart
from nubetis.model.normal import normal_form
from nubetis.model.prepared import Settled
from nubetis.types import Stored

__all__ = ["SMALL", "Shape", "after_prefix", "bucket", "packed", "shape", "tame"]

Shape: TypeAlias = tuple[Hashable, ...]
Pack: TypeAlias = Callable[[Sequence[Stored]], Stored]
"""Makes one parameter of many values."""

SMALL: Final = 32
"""Lists up to this long are single parameters; longer ones are packed in one."""

_SIZES: Final = tuple([1 << (count - 1).bit_length() if count else 0 for count in range(SMALL + 1)])


def bucket(count: int) -> int:
    """Give how many parameters a list of *count* values takes: a power of two, or 0 where it is packed.

    >>> bucket(3), bucket(33)
    (4, 0)
    """
    return _SIZES[count] if count <= SMALL else 0


def after_prefix(prefix: str) -> str | None:
    """Give the least text that is greater than all that begin with *prefix*, ``None`` where there is none.

    >>> after_prefix("lima")
    'limb'
    """
    kept = prefix.rstrip("\U0010ffff")
    if not kept:
        return None
    last = ord(kept[-1]) + 1
    return kept[:-1] + chr(0xE000 if last == 0xD800 else last)


def packed(values: Sequence[Stored], pack: Pack) -> Stored:
    """Give *values* as one parameter; what many queries ask with is packed once."""
    if not isinstance(values, Settled):
        return pack(values)
    known = values.kept.get(pack)
    if known is None:
        known = values.kept[pack] = pack(values)
    return known


def shape(bound: Bound, pack: Pack) -> tuple[Shape, list[Stored]]:
    """Give the shape of *bound*, which is in normal form, and its constants in order."""
    key: list[Hashable] = []
    params: list[Stored] = []
    _Walk(key, params, pack).take(bound)
    return tuple(key), params


class _Walk:
    """Collects shape and constants."""

    __slots__ = ("key", "pack", "params")

    def __init__(self, key: list[Hashable], params: list[Stored], pack: Pack) -> None:
        self.key = key
        self.params = params
        self.pack = pack

    def take(self, bound: Bound) -> None:
        """Take in one node and all below it."""
        match bound:
            case Test():
                self.key += (bound.operator, bound.column)
                self.params.append(bound.value)
            case Missing():
                self.key += ("missing", bound.column)
            case All() | AnyOf():
                self.key += ("all" if isinstance(bound, All) else "any", len(bound.parts))
                for part in bound.parts:
                    self.take(part)
            case No():
                self.key.append("no")
                self.take(bound.part)
            case OneOf():
                self._one_of(bound)
            case Within() | Word():
                self._text(bound)
            case _:
                self._related(bound)

    def _one_of(self, bound: OneOf) -> None:
        settled = isinstance(bound.values, Settled)
        values: Sequence[Stored] = bound.values if settled else [each for each in bound.values if each is not None]
        size = bucket(len(values))
        self.key += ("one of", bound.column, size, bool(values))
        if size:
            self.params += values
            self.params += [values[-1]] * (size - len(values))
        elif values:
            self.params.append(packed(values, self.pack))

    def _text(self, bound: Within | Word) -> None:
        if isinstance(bound, Word):
            self.key += ("word", bound.columns)
            self.params += [bound.text] * len(bound.columns)
            return
        self.key += (bound.operator, bound.column, bool(bound.text), bound.apart)
        if not bound.text:
            return
        self.params += [bound.text, apart(bound.text)] if bound.apart else [bound.text]
        if bound.operator is Operator.STARTS:
            end = after_prefix(bound.text)
            self.key.append(end is None)
            self.params += [end] if end is not None else []
        elif bound.operator is Operator.ENDS:
            self.params.append(len(bound.text))

    def _related(self, bound: Bound) -> None:
        match bound:
            case Holds():
                self.key += ("holds", bound.column)
                self.params.append(bound.value)
            case Linked():
                self.key += ("linked", bound.column, id(bound.module))
                self.take(bound.where)
            case Linking():
                self.key += ("linking", bound.via, id(bound.module), bound.prefix is None)
                self.params += [] if bound.prefix is None else [bound.prefix]
                self.take(bound.where)
            case _:
                raise InvalidFilter("filter_context", what="a record before its change")


# -- constants that no column can hold --------------------------------------------------------------------------------
_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1


def tame(bound: Bound) -> Bound:
    """Give a filter that means the same without constants that the driver refuses: great numbers, half characters."""
    match bound:
        case All(parts) | AnyOf(parts):
            return normal_form(type(bound)(tuple([tame(part) for part in parts])))
        case No(part):
            return normal_form(No(tame(part)))
        case Linked() | Linking():
            return attrs.evolve(bound, where=tame(bound.where))
        case Test():
            return _tame_test(bound)
        case OneOf():
            return normal_form(attrs.evolve(bound, values=tuple([value for value in bound.values if _fits(value)])))
        case Within(text=text) | Word(text=text) | Holds(value=text):
            return bound if _fits(text) else NEVER
        case _:
            return bound


def _fits(value: Stored) -> bool:
    if isinstance(value, int):
        return _LEAST <= value <= _MOST
    return not isinstance(value, str) or _half(value) is None


def _half(text: str) -> int | None:
    return next((place for place, char in enumerate(text) if "\ud800" <= char <= "\udfff"), None)


def _tame_test(test: Test) -> Bound:
    value = test.value
    if _fits(value):
        return test
    if test.operator is Operator.EQ:
        return NEVER
    upward = test.operator in {Operator.GT, Operator.GE}
    if isinstance(value, int):
        return No(Missing(test.column)) if (value < 0) is upward else NEVER
    text = str(value)  # every text without half characters stands on the same side of this one as of *value*
    limit = text[: _half(text)] + "\ue000"
    return Test(test.column, Operator.GE if upward else Operator.LT, limit)
