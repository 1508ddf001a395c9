"""The statements of a transaction, as expressions; made once for each shape."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import sqlalchemy as sa

from nubetis.backends.sql.compile import Conditions
from nubetis.backends.sql.dialects import Bool, Cell
from nubetis.backends.sql.shapes import Shape, shape
from nubetis.backends.sql.tables import ModuleTable, Statement, Tables, parameter
from nubetis.errors import InvalidFilter
from nubetis.model.bind import DEPTH
from nubetis.model.store import Measure, MeasureKind

if TYPE_CHECKING:
    from nubetis.model.bind import Bound
    from nubetis.model.query import Order
    from nubetis.types import Row, Stored

__all__ = ["Build", "aggregate", "counted", "measured", "padded", "page", "prepare", "select_keys", "streamed"]

Build: TypeAlias = Callable[[ModuleTable, Conditions, Bool], sa.ClauseElement]
"""Makes an expression of a table, its conditions (for more parameters) and the joined condition."""


def prepare(
    tables: Tables, home: ModuleTable, parts: Sequence[Bound], *, build: Build, key: Shape
) -> tuple[Statement, list[Stored]]:
    """Give the statement of *key* for rows that fit all *parts*, which are in normal form, and their constants."""
    shapes: list[Shape] = []
    constants: list[Stored] = []
    for part in parts:
        found, values = shape(part, tables.dialect.pack_many)
        shapes.append(found)
        constants += values

    def make() -> sa.ClauseElement:
        conditions = Conditions(tables, home.module)
        where = sa.and_(*[conditions.condition(part) for part in parts])
        return build(home, conditions, where)

    try:
        return home.statement((key, *shapes), make, keep=parts), constants
    except RecursionError:
        raise InvalidFilter("filter_depth", limit=DEPTH) from None


# -- by key -----------------------------------------------------------------------------------------------------------
_SIZES: Final = (2, 4, 8, 16, 32, 64, 128, 256, 500)


def padded(count: int) -> int:
    """Give how many keys the statement for *count* keys takes."""
    return next(size for size in _SIZES if count <= size)


def select_keys(home: ModuleTable, size: int) -> sa.ClauseElement:
    """Read the rows of *size* keys."""
    return sa.select(*home.row()).where(home.table.c.id.in_([parameter(place) for place in range(size)]))


# -- by filter --------------------------------------------------------------------------------------------------------
_Selected: TypeAlias = sa.Select[tuple[object, ...]]


def _limited(selected: _Selected, conditions: Conditions) -> _Selected:
    limit = conditions.parameter().key
    return selected.suffix_with(sa.text(f"LIMIT :{limit}"))


def page(home: ModuleTable, conditions: Conditions, where: Bool, *, order: Sequence[Order]) -> sa.ClauseElement:
    """Read a page; an empty value comes first in an ascending order."""
    by = [home.dialect.ordered(home.table.c[each.column], each.descending) for each in order]
    return _limited(sa.select(*home.row()).where(where).order_by(*by), conditions)


def streamed(
    home: ModuleTable, conditions: Conditions, where: Bool, *, names: Sequence[str], paged: bool = False
) -> sa.ClauseElement:
    """Read some columns in key order."""
    cells = [home.table.c[name] for name in names]
    selected = sa.select(*cells).where(where).order_by(home.table.c.id)
    return _limited(selected, conditions) if paged else selected


def counted(home: ModuleTable, conditions: Conditions, where: Bool, *, capped: bool) -> sa.ClauseElement:
    """Count rows, up to a limit."""
    if not capped:
        return sa.select(sa.func.count()).select_from(home.table).where(where)
    some = _limited(sa.select(sa.literal_column("1").label("one")).select_from(home.table).where(where), conditions)
    return sa.select(sa.func.count()).select_from(some.subquery())


def aggregate(
    home: ModuleTable, _conditions: Conditions, where: Bool, *, groups: Sequence[str], measures: Sequence[Measure]
) -> sa.ClauseElement:
    """Compute measures; a sum is computed in two halves, because the whole may pass 64 bits."""
    cells = [home.table.c[name] for name in groups]
    numbers = [number for each in measures for number in _numbers(home, each)]
    named = [number.label(f"m{place}") for place, number in enumerate(numbers)]
    selected = sa.select(*cells, *named).select_from(home.table).where(where)
    by = [home.dialect.ordered(cell, False) for cell in cells]  # noqa: FBT003 - ascending
    return selected.group_by(*cells).order_by(*by) if cells else selected


def _numbers(home: ModuleTable, measure: Measure) -> list[Cell]:
    if not measure.column:
        return [sa.func.count()]
    cell: Cell = home.table.c[measure.column]
    match measure.kind:
        case MeasureKind.COUNT:
            return [sa.func.count(cell)]
        case MeasureKind.MIN:
            return [sa.func.min(cell)]
        case MeasureKind.MAX:
            return [sa.func.max(cell)]
        case MeasureKind.SUM:
            low = cell.bitwise_and(sa.literal_column(str(_LOW)))
            return [sa.func.sum(cell.bitwise_rshift(sa.literal_column(str(_BITS)))), sa.func.sum(low)]


_BITS: Final = 32
_LOW: Final = (1 << _BITS) - 1


def measured(cells: Row, measures: Sequence[Measure]) -> Iterator[Stored]:
    """Give the measures of one row of :func:`aggregate`."""
    left = iter(cells)
    for each in measures:
        first = next(left)
        if each.kind is not MeasureKind.SUM:
            yield first
            continue
        low = next(left)
        yield None if first is None else (int(first) << _BITS) + int(low or 0)
