"""Queries, pages, and cursors that mean the same place tomorrow.

Pages are *keyset* pages: a cursor holds the sort values of the last record seen, never a count, so that a page
costs the same anywhere and neither inserts nor deletes shift it.  An empty value sorts before all others, as the
first of an ascending order; the key breaks ties, in the direction of the last sort field.

"After this record" in the order (a, b, key) is three ranges, each of which an index serves:
``a = A and b = B and key > K``, then ``a = A and b > B``, then ``a > A``.  Stores run them one after another until
the page is full; that handles empty values and mixed directions exactly, where one big condition would not use an
index.
"""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Final, overload

import attrs

from nubetis.errors import InvalidCursor
from nubetis.model.bind import All, Bound, Missing, No, Test
from nubetis.model.fields import Operator, Storage
from nubetis.model.filters import EVERYTHING, Filter
from nubetis.model.record import Record
from nubetis.model.schema import Module
from nubetis.types import ModuleName, Row, Stored

__all__ = [
    "BoundQuery",
    "Order",
    "Page",
    "Query",
    "Total",
    "digest_of",
    "is_place",
    "order_values",
    "read_cursor",
    "write_cursor",
]


class Total(enum.StrEnum):
    """How far a page counts all records that fit."""

    NONE = "none"
    CAPPED = "capped"
    EXACT = "exact"


@attrs.frozen
class Query:
    """Which records of a module, in which order, which page.

    *sort* names fields; ``-amount`` is descending.  *after* is a cursor of an earlier page.
    """

    module: ModuleName
    where: Filter = EVERYTHING
    sort: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    limit: int = attrs.field(default=50, kw_only=True)
    after: str | None = attrs.field(default=None, kw_only=True)
    total: Total = attrs.field(default=Total.NONE, kw_only=True)
    deleted: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Order:
    """One column to sort by."""

    column: str
    descending: bool = False


@attrs.frozen(kw_only=True)
class BoundQuery:
    """What a store is asked: all names are columns, all values stored ones.

    *order* ends with the key.  *after* gives the values of the order's columns in the record that the page begins
    after.
    """

    module: Module
    where: Bound
    order: tuple[Order, ...] = (Order("id"),)
    limit: int = 50
    after: tuple[Stored, ...] | None = None

    def segments(self) -> list[Bound]:
        """Give the ranges that follow *after*, in order; one that holds always at the beginning."""
        if self.after is None:
            return [All(())]
        pairs = list(zip(self.order, self.after, strict=True))
        return [each for place in range(len(pairs) - 1, -1, -1) for each in _beyond(pairs[:place], *pairs[place])]

    def reversed(self) -> BoundQuery:
        """Give the same query in the opposite order."""
        return attrs.evolve(self, order=tuple([attrs.evolve(o, descending=not o.descending) for o in self.order]))


def _beyond(equal: Sequence[tuple[Order, Stored]], order: Order, value: Stored) -> list[Bound]:
    same = [Missing(o.column) if v is None else Test(o.column, Operator.EQ, v) for o, v in equal]
    if value is None:  # nothing sorts below an empty value
        return [] if order.descending else [All((*same, No(Missing(order.column))))]
    if not order.descending:
        return [All((*same, Test(order.column, Operator.GT, value)))]
    below: Bound = All((*same, Test(order.column, Operator.LT, value)))
    return [below] if order.column == "id" else [below, All((*same, Missing(order.column)))]


def order_values(module: Module, order: Sequence[Order], row: Row) -> tuple[Stored, ...]:
    """Give the values of the order's columns in *row*; what a cursor keeps."""
    index = module.layout.index
    if all(each.column in index for each in order):
        return tuple([row[index[each.column]] for each in order])
    full_index, full = module.layout.full_index, module.layout.fill(row)
    return tuple([full[full_index[each.column]] for each in order])


def is_place(order: Sequence[Order], module: Module, values: Sequence[object]) -> bool:
    """Say whether *values* can be those of the order's columns: as many, and of their types.

    Nothing keeps a user from making a cursor of his own; it leads to no record that he may not see.
    """
    kinds = [_place_type(module, each.column) for each in order]
    return len(values) == len(kinds) and all(
        type(value) is kind or (value is None and each.column != "id")
        for value, kind, each in zip(values, kinds, order, strict=True)
    )


def _place_type(module: Module, column: str) -> type:
    place = module.layout.index.get(column)
    return str if place is None or module.layout.columns[place].storage not in _NUMBERS else int


_NUMBERS: Final = frozenset({Storage.INTEGER, Storage.DECIMAL, Storage.BOOLEAN, Storage.KEY})


# -- cursors ----------------------------------------------------------------------------------------------------------
_CHECK: Final = 4
_as_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def digest_of(query: Query) -> str:
    """Give a short digest of what a cursor belongs to: module, filter and sort."""
    text = repr((query.module, query.where, query.sort, query.deleted))
    return hashlib.blake2b(text.encode(), digest_size=9).hexdigest()


def write_cursor(digest: str, values: Sequence[Stored], *, back: bool) -> str:
    """Give the opaque text of a place in the query with *digest*.

    >>> read_cursor(write_cursor("00", ["x", 7], back=False), "00")
    (('x', 7), False)
    """
    body = _as_json([digest, int(back), *values]).encode()
    check = hashlib.blake2b(body, digest_size=_CHECK).digest()
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


def read_cursor(cursor: str, digest: str) -> tuple[tuple[Stored, ...], bool]:
    """Give the values of *cursor* and whether it leads back.

    Raises:
        InvalidCursor: ``cursor_damaged`` or ``cursor_foreign``.
    """
    try:
        raw = base64.urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4))
        body = raw[_CHECK:]
        if hashlib.blake2b(body, digest_size=_CHECK).digest() != raw[:_CHECK]:
            raise InvalidCursor("cursor_damaged")
        found, back, *values = json.loads(body)
    except (ValueError, binascii.Error, TypeError, AttributeError, RecursionError):
        raise InvalidCursor("cursor_damaged") from None
    if found != digest:
        raise InvalidCursor("cursor_foreign")
    return tuple(values), bool(back)


@attrs.frozen(kw_only=True)
class Page(Sequence[Record]):
    """Some records of a query, in order; a sequence.

    *next* and *previous* are cursors for ``find(…, after=…)``; ``None`` at the end and at the beginning.
    *total* counts all that fit, where it was asked for; *capped* says that there are more than it.
    """

    records: tuple[Record, ...]
    filter: Filter = EVERYTHING
    sort: tuple[str, ...] = ()
    next: str | None = None
    previous: str | None = None
    total: int | None = None
    capped: bool = False

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Record]: ...
    def __getitem__(self, index: int | slice) -> Record | Sequence[Record]:
        return self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)
