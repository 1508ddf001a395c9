"""Transactions: what a unit of work is given."""

from __future__ import annotations

from bisect import bisect_left
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING

import attrs

from nubetis.errors import Conflict
from nubetis.model.bind import ALWAYS, AnyOf, Bound
from nubetis.model.evaluate import matcher
from nubetis.model.store import (
    Batch,
    Measure,
    MeasureKind,
    Outcome,
    Versions,
)  # fmt: skip
from nubetis.model.system import VERSIONS
from nubetis.types import Key, Row, Stored

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence

    from nubetis.model.query import BoundQuery
    from nubetis.model.schema import Module
    from nubetis.model.store import Columns

from nubetis.backends.memory.steps import ONLY, Step
from nubetis.backends.memory.tables import Relations, Table, Tables, failed, number, table_of

__all__ = ["Transaction"]


class Transaction:
    """The :class:`~nubetis.model.store.Txn` of one unit; *lost* says that it must not be kept."""

    def __init__(self, tables: Tables, *, writes: bool) -> None:
        self.tables = tables
        self._writes = writes
        self._is_open = True
        self._given: dict[str, int] = {}
        self.lost = False

    def end(self) -> None:
        """Refuse all writes from now on."""
        self._is_open = False

    def versions(self) -> Versions:
        """Give the versions row."""
        table = table_of(self.tables, VERSIONS)
        only, index = table.rows.get(ONLY) or (), table.index
        return Versions(*[number(only[index[each.name]]) for each in attrs.fields(Versions)])

    def get_many(self, module: Module, keys: Sequence[Key]) -> list[Row | None]:
        """Give the row of each key, in that order."""
        table = table_of(self.tables, module)
        shown, get = table.shown(module), table.rows.get
        return [None if full is None else shown(full) for full in map(get, keys)]

    def query(self, query: BoundQuery) -> list[Row]:
        """Give a keyset page."""
        table = table_of(self.tables, query.module)
        rows = _by_key(table, query) if len(query.order) == 1 else _ordered(table, query)
        found = self._fitting(table, query.where, rows=rows)
        return list(map(table.shown(query.module), islice(found, query.limit)))

    def stream(
        self, module: Module, where: Bound = ALWAYS, *, columns: Sequence[str] = (), size: int = 256
    ) -> Iterator[Columns]:
        """Give all rows that fit, in key order, as batches of columns."""
        table = table_of(self.tables, module)
        names = columns or [column.name for column in module.layout.columns]
        places = [table.index[name] for name in names]
        return _batches(self._fitting(table, where), places, size)

    def count(self, module: Module, where: Bound = ALWAYS, *, limit: int | None = None) -> int:
        """Give how many rows fit, at most *limit*."""
        table = table_of(self.tables, module)
        if where == ALWAYS:
            return len(table.rows) if limit is None else min(len(table.rows), limit)
        return sum(1 for _ in islice(self._fitting(table, where), limit))

    def aggregate(
        self, module: Module, where: Bound, *, groups: Sequence[str] = (), measures: Sequence[Measure]
    ) -> list[Row]:
        """Give a row for each group, in the order of the groups."""
        table = table_of(self.tables, module)
        places = [table.index[name] for name in groups]
        found: dict[Row, list[Row]] = {} if groups else {(): []}
        for full in self._fitting(table, where):
            found.setdefault(tuple([full[at] for at in places]), []).append(full)
        ordered = sorted(found, key=lambda group: [(cell is not None, cell) for cell in group])
        return [group + tuple([_measured(m, found[group], table.index) for m in measures]) for group in ordered]

    def tally(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the number of living rows for each value of *column*."""
        tallies = table_of(self.tables, module).tallies
        return {value: count for (name, _, value), count in tallies.items() if name == column}

    def _fitting(self, table: Table, where: Bound, *, rows: Iterator[Row] | None = None) -> Iterator[Row]:
        """Give the full rows that fit, in the order of *rows*, which is that of the keys if nothing is said."""
        among = table.rows.values() if rows is None else rows
        return among if where == ALWAYS else filter(matcher(where, table.index, Relations(self.tables)), among)

    # writing -----------------------------------------------------------------------------------------------
    def write(self, batch: Batch) -> Outcome:
        """Apply *batch* whole, or give what stands against it."""
        step = self._step()
        step.apply(batch)
        if not step.conflicts:
            self.tables = step.tables
        return Outcome(tuple(step.conflicts))

    def bulk_load(self, module: Module, rows: Iterable[Row]) -> int:
        """Insert many rows; give their number."""
        step = self._step()
        try:
            count = step.insert(module, rows)
        except BaseException:
            self.lost = True
            raise
        self._take(step)
        return count

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        """Set the same values in all rows that fit; give their number."""
        step = self._step()
        table = step.table(module)
        cells = {table.layout.index[column]: value for column, value in values.items()}
        found = list(self._fitting(table_of(self.tables, module), where))
        for full in found:
            step.set_cells(table, full, cells)
        self._take(step)
        return len(found)

    def allocate(self, counter: str, count: int = 1) -> int:
        """Take *count* numbers; give the first."""
        step = self._step()
        last = step.counter(counter)
        step.set_counter(counter, last + count)
        self._take(step)
        self._given[counter] = last + count
        return last + 1

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Give a block of which nothing stays when it raises, but the numbers taken in it are not given again."""
        before, whole = self._step().tables, False
        try:
            yield
            whole = True
        finally:
            if not whole:
                self.tables = before
                self._skip_given()

    def _skip_given(self) -> None:
        if self.lost:
            return
        step = self._step()
        for counter, last in self._given.items():
            step.set_counter(counter, max(last, step.counter(counter)))
        self._take(step)

    def _step(self) -> Step:
        if not self._writes:
            raise failed("a unit that was begun with read may not write")
        if not self._is_open or self.lost:
            raise failed("the unit of this transaction is over")
        return Step(self.tables)

    def _take(self, step: Step) -> None:
        for conflict in step.conflicts:
            self.lost = True
            raise Conflict("not_unique", field=conflict.column or "id")
        self.tables = step.tables


def _by_key(table: Table, query: BoundQuery) -> Iterator[Row]:
    """Give the rows in the order of the query, which is that of the keys, after where it begins."""
    after = None if query.after is None else Key(number(query.after[0]))
    if query.order[0].descending:
        return table.rows.below(after)
    return table.rows.values() if after is None else table.rows.above(after)


def _ordered(table: Table, query: BoundQuery) -> Iterator[Row]:
    """Give the rows in the order of the query, after where it begins; from there on all of them lie beyond."""
    rows, start = table.in_order(query.order), 0
    if query.after is not None:
        beyond = matcher(AnyOf(tuple(query.segments())), table.index)
        start = bisect_left(rows, 1, key=beyond)
    return map(rows.__getitem__, range(start, len(rows)))


def _batches(rows: Iterator[Row], places: Sequence[int], size: int) -> Iterator[Columns]:
    while batch := list(islice(rows, size)):
        yield tuple([list(map(itemgetter(at), batch)) for at in places])


def _measured(measure: Measure, rows: Sequence[Row], index: Mapping[str, int]) -> Stored:
    if not measure.column:
        return len(rows)
    at = index[measure.column]
    cells = [full[at] for full in rows if full[at] is not None]
    match measure.kind:
        case MeasureKind.COUNT:
            return len(cells)
        case MeasureKind.SUM:
            return sum(map(number, cells)) if cells else None
        case MeasureKind.MIN:
            return min(cells, default=None)  # type: ignore[type-var]  # of one kind
        case MeasureKind.MAX:
            return max(cells, default=None)  # type: ignore[type-var]  # of one kind
