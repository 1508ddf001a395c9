"""Filters as SQL expressions, in the meaning of :mod:`nubetis.model.evaluate`: two-valued, to the letter.

A test with a missing cell is *unknown* in SQL.  Where it stands unnegated that is as good as false, for ``AND``,
``OR`` and ``WHERE`` alike; a negated one says ``IS NULL OR …`` itself.  Filters come in normal form, so ``NOT``
stands before single tests only, and no expression ever negates an unknown.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

from nubetis.backends.sql.dialects import Bool, Cell
from nubetis.backends.sql.shapes import after_prefix, bucket
from nubetis.backends.sql.tables import parameter
from nubetis.errors import InvalidFilter
from nubetis.model.bind import (
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
from nubetis.model.schema import Module

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy.sql.compiler import SQLCompiler

    from nubetis.backends.sql.tables import ModuleTable, Tables

__all__ = ["Conditions"]

_Compare: TypeAlias = Callable[[Cell, Cell], Bool]

_SIGNS: Final[Mapping[Operator, _Compare]] = {
    Operator.EQ: operator.eq, Operator.LT: operator.lt, Operator.LE: operator.le, Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}  # fmt: skip
_OPPOSITE: Final[Mapping[Operator, _Compare]] = {
    Operator.EQ: operator.ne, Operator.LT: operator.ge, Operator.LE: operator.gt, Operator.GT: operator.le,
    Operator.GE: operator.lt,
}  # fmt: skip

_WIDTH: Final = 16
"""Tests that are joined without brackets; a long row of them would exhaust the database's parser."""


class _Brackets(sa.ColumnElement[bool]):
    """Brackets that SQLAlchemy does not take away."""

    inherit_cache = False
    type = sa.Boolean()

    def __init__(self, inner: Bool) -> None:
        self.inner = inner


@compiles(_Brackets)
def _write_brackets(element: _Brackets, compiler: SQLCompiler, **settings: object) -> str:
    return f"({compiler.process(element.inner, **settings)})"


def _join(parts: Sequence[Bool], how: Callable[..., Bool]) -> Bool:
    if len(parts) == 1:
        return parts[0]
    if len(parts) <= _WIDTH:
        return how(*parts)
    size = -(-len(parts) // _WIDTH)
    return how(*[_Brackets(_join(parts[at : at + size], how)) for at in range(0, len(parts), size)])


@attrs.frozen
class _Scope:
    """The row that a test looks at."""

    home: ModuleTable
    cells: Mapping[str, Cell]

    def cell(self, name: str) -> Cell:
        """Give the column *name*."""
        found = self.cells.get(name)
        if found is None:
            raise InvalidFilter("filter_context", what=f'"{name}"')
        return found


class Conditions:
    """Makes conditions on one module's rows; parameters are numbered as they come, from *first* on.

    *row* is what stands for the module's table, where that is not the table itself.  Those that *probe* test rows which
    are found by something else: no index is to be used for them but that of a link.
    """

    def __init__(
        self, tables: Tables, module: Module, row: sa.FromClause | None = None, *, first: int = 0, probe: bool = False
    ) -> None:
        self._tables = tables
        self._dialect = tables.dialect
        home = tables.of(module)
        self._scope = _Scope(home, dict((home.table if row is None else row).c))
        self._numbers: Iterator[int] = count(first)
        self._aliases: Iterator[int] = count(1)
        self._probe = probe

    def parameter(self) -> Cell:
        """Give the next parameter."""
        return parameter(next(self._numbers))

    def condition(self, bound: Bound) -> Bool:
        """Give *bound*, which is in normal form, as an expression."""
        found = self._make(bound, self._scope)
        return _opaque(found) if self._probe else found

    def _make(self, bound: Bound, scope: _Scope) -> Bool:
        match bound:
            case All(()):
                return sa.literal_column("1") == sa.literal_column("1")
            case AnyOf(()):
                return sa.literal_column("1") == sa.literal_column("0")
            case All(parts):
                return _join([self._make(part, scope) for part in parts], sa.and_)
            case AnyOf(parts):
                return _join([self._make(part, scope) for part in parts], sa.or_)
            case No(part):
                return self._negated(part, scope)
            case Holds() | Linked() | Linking():
                return self._related(bound, scope)
            case _:
                return self._test(bound, scope)

    def _test(self, bound: Bound, scope: _Scope) -> Bool:
        match bound:
            case Test():
                return self._compared(bound, scope)
            case Missing():
                return scope.cell(bound.column).is_(None)
            case OneOf():
                return self._one_of(bound, scope)
            case Within():
                return self._within(bound, scope.cell(bound.column))
            case Word():
                cells = [self._dialect.plain(scope.cell(name)) for name in bound.columns]
                found_in = [self._dialect.contains(cell, self.parameter()) for cell in cells]
                return _join(found_in, sa.or_) if found_in else self._make(AnyOf(()), scope)
            case _:
                raise InvalidFilter("filter_context", what="a record before its change")

    def _negated(self, part: Bound, scope: _Scope) -> Bool:
        match part:
            case Missing():
                return scope.cell(part.column).is_not(None)
            case Holds() | Linked() | Linking():
                return sa.not_(self._related(part, scope))
            case Test():
                cell = scope.cell(part.column)
                return self._or_missing(cell, _OPPOSITE[part.operator](cell, self.parameter()))
            case Word():
                cells = [scope.cell(name) for name in part.columns]
                parts = [self._or_missing(cell, sa.not_(self._word(cell))) for cell in cells]
                return _join(parts, sa.and_) if parts else self._make(All(()), scope)
            case OneOf() | Within():
                return self._or_missing(scope.cell(part.column), sa.not_(self._test(part, scope)))
            case _:
                return sa.not_(self._test(part, scope))

    def _or_missing(self, cell: Cell, test: Bool) -> Bool:
        return test if getattr(cell, "primary_key", False) else sa.or_(cell.is_(None), test)

    def _word(self, cell: Cell) -> Bool:
        return self._dialect.contains(self._dialect.plain(cell), self.parameter())

    def _compared(self, bound: Test, scope: _Scope) -> Bool:
        cell, value = scope.cell(bound.column), self.parameter()
        found = _SIGNS[bound.operator](cell, value)
        if bound.operator is Operator.EQ and bound.column in scope.home.digested:
            digest = self._dialect.digest
            return sa.and_(digest(cell) == digest(value), found)  # so that the index of digests finds it
        return found

    def _one_of(self, bound: OneOf, scope: _Scope) -> Bool:
        values = [value for value in bound.values if value is not None]
        if not values:
            return self._make(AnyOf(()), self._scope)
        cell, size = scope.cell(bound.column), bucket(len(values))
        if not size and self._probe:
            return cell.in_(sa.select(self._dialect.each(cell, self.parameter(), self._alias()).c.value))
        if not size:
            return self._dialect.one_of_many(cell, self.parameter())
        wanted = [self.parameter() for _ in range(size)]
        if bound.column in scope.home.digested:
            digest = self._dialect.digest
            return sa.and_(digest(cell).in_([digest(value) for value in wanted]), cell.in_(wanted))
        return cell.in_(wanted)

    def _within(self, bound: Within, cell: Cell) -> Bool:
        if not bound.text:
            return cell.is_not(None)
        if bound.apart:
            there = self._dialect.contains(cell, self.parameter())
            return sa.and_(there, self._dialect.contains(self._dialect.apart(cell), self.parameter()))
        if bound.operator is Operator.CONTAINS:
            return self._dialect.contains(cell, self.parameter())
        if bound.operator is Operator.ENDS:
            text, length = self.parameter(), self.parameter()
            return self._dialect.ends(cell, text, length)
        start = cell >= self.parameter()
        return start if after_prefix(bound.text) is None else sa.and_(start, cell < self.parameter())

    # other rows --------------------------------------------------------------------------------------------
    def _related(self, bound: Holds | Linked | Linking, scope: _Scope) -> Bool:
        if isinstance(bound, Holds):
            side = scope.home.sides[bound.column].alias(self._alias())
            held: list[Bool] = [side.c.record == scope.cell("id"), side.c.value == self.parameter()]
            return self._exists(side, held)
        home = self._tables.of(bound.module)
        there = home.table.alias(self._alias())
        inner = _Scope(home, dict(there.c))
        tests: list[Bool] = [inner.cell("deleted_in").is_(None)] if bound.module.journalled else []
        if isinstance(bound, Linked):
            tests.append(there.c.id == scope.cell(bound.column))
        else:
            tests.append(there.c[bound.via] == scope.cell("id"))
            tests += [] if bound.prefix is None else [there.c[f"{bound.via}.module"] == self.parameter()]
        where = self._make(bound.where, inner)
        return self._exists(there, [*tests, _opaque(where) if self._probe else where])

    def _exists(self, there: sa.FromClause, tests: Sequence[Bool]) -> Bool:
        inner: sa.Select[tuple[object]] = sa.select(sa.literal_column("1")).select_from(there).where(*tests)
        inner = inner.correlate_except(there)
        if not self._probe:
            return sa.exists(inner)
        return inner.suffix_with(sa.text("LIMIT 1")).scalar_subquery().is_not(None)  # looked up row by row

    def _alias(self) -> str:
        return f"x{next(self._aliases)}"


def _opaque(test: Bool) -> Bool:
    """Give *test* so that no database looks for an index that serves it."""
    yes: Cell = sa.literal_column("1")
    return sa.case((test, yes), else_=sa.literal_column("0")) == yes
