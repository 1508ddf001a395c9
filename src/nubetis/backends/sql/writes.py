"""Writing: batches that apply whole or not at all, bulk loads, counters.

A batch is applied at full speed under a savepoint.  Only when something stands against it is it taken back and
offered again row by row, to name every conflict; then it is taken back for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, cast

import attrs
import sqlalchemy as sa

from nubetis.backends.sql.checks import members
from nubetis.backends.sql.compile import Conditions
from nubetis.backends.sql.ddl import Builder
from nubetis.backends.sql.dialects import Bool, Cell
from nubetis.backends.sql.statements import prepare
from nubetis.backends.sql.tables import ModuleTable, Tables, parameter
from nubetis.backends.sql.tallies import Tallies, living_counts
from nubetis.errors import Conflict
from nubetis.model.schema import key_of
from nubetis.model.store import (
    Batch,
    ConflictKind,
    Expect,
    Guard,
    Inserts,
    Outcome,
    Removals,
    Updates,
    WriteConflict,
)  # fmt: skip
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.types import LEAST, MOST

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection
    from nubetis.model.bind import Bound
    from nubetis.model.schema import Module
    from nubetis.types import Key, Row, Stored

__all__ = ["Writer", "end_savepoint"]

_CHUNK: Final = 10_000
"""Rows of a bulk load that are turned and folded together."""

_MARK: Final = "batch"


def end_savepoint(connection: Connection, name: str, *, keep: bool) -> None:
    """Keep what was done since the savepoint, or take it back; a full disk may have done that already."""
    if not connection.in_transaction:
        return
    if not keep:
        connection.execute(f"ROLLBACK TO {name}")
    connection.execute(f"RELEASE {name}")


class _Stands(Exception):
    """Something stands against the batch."""


class Writer:
    """Writes, in one transaction."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._db = connection
        self._tables = tables
        self._violated = tables.dialect.violated
        self._collision = tables.dialect.collision
        self._tallies = Tallies(connection, tables)

    # -- batches --------------------------------------------------------------------------------------------
    def write(self, batch: Batch) -> Outcome:
        """Apply *batch* whole, or return what stands against it."""
        self._db.execute(f"SAVEPOINT {_MARK}")
        written = False
        try:
            outcome = self._offer(batch)
            written = outcome.written
        finally:
            end_savepoint(self._db, _MARK, keep=written)
        return outcome

    def _offer(self, batch: Batch) -> Outcome:
        conflicts = [found for each in batch.expects for found in self._expect(each)]
        conflicts += [found for guard in batch.guards for found in self._guard(guard)]
        against = None if conflicts else self._apply(batch)
        if not conflicts and against is None:
            return Outcome()
        self._db.execute(f"ROLLBACK TO {_MARK}")
        conflicts += [found for part in batch.parts for found in self._one_by_one(part)]
        if against is not None and not conflicts:  # no row shows it, as where a set has a member twice
            raise against
        return Outcome(tuple(conflicts))

    def _apply(self, batch: Batch) -> Exception | None:
        """Write *batch*; give what stands against it."""
        try:
            for part in batch.parts:
                self._part(part)
        except _Stands as stands:
            return stands
        except self._collision as error:
            if not self._violated(error):
                raise
            return error
        return None

    def _part(self, part: Inserts | Updates | Removals) -> None:
        home = self._tables.of(part.module)
        if isinstance(part, Inserts):
            self._insert(home, part.rows)
        elif isinstance(part, Updates):
            self._update(home, part)
        else:
            self._remove(home, part.keys)

    # -- inserts --------------------------------------------------------------------------------------------
    def _insert(self, home: ModuleTable, rows: Sequence[Row]) -> None:
        if len(rows) == 1:
            self._db.execute(home.statement("insert", partial(_insert, home)).text, home.fill(rows)[0])
        elif rows:
            build = partial(self._tables.dialect.bulk, home.table, home.full_columns)
            self._db.insert_many(home.statement("insert many", build).text, home.filled(rows))
        for column, place in home.sets.items():
            self._put_sets(home, column, [(row[0], row[place]) for row in rows if row[place] is not None])
        if home.tallied:
            self._tallies.add(home.module, living_counts(home, rows))

    def _put_sets(self, home: ModuleTable, column: str, cells: Sequence[tuple[Stored, Stored]]) -> None:
        if not cells:
            return
        values: dict[Stored, list[str]] = {cell: members(cell) for cell in {cell for _, cell in cells}}
        side = home.sides[column]
        text = home.statement(("put set", column), partial(_insert_side, side)).text
        self._db.executemany(text, [(key, value) for key, cell in cells for value in values[cell]])

    def _clear_sets(self, home: ModuleTable, columns: Iterable[str], keys: Sequence[Key]) -> None:
        for column in columns:
            text = home.statement(("clear set", column), partial(_delete_side, home.sides[column])).text
            self._db.executemany(text, [(key,) for key in keys])

    # -- updates --------------------------------------------------------------------------------------------
    def _update(self, home: ModuleTable, part: Updates) -> None:
        if not part.keys:
            return
        text, rows = self._update_rows(home, part)
        counted = not {"deleted_in", *[column for column, _ in home.tallied]}.isdisjoint(part.columns)
        before = self._tallies.of_keys(home, part.keys) if counted and home.tallied else {}
        if self._db.executemany(text, rows).rowcount != len(rows):
            raise _Stands
        for column in home.sets.keys() & set(part.columns):
            self._clear_sets(home, [column], part.keys)
            at = part.columns.index(column)
            pairs = dict(zip(part.keys, [values[at] for values in part.values], strict=True))
            self._put_sets(home, column, [(key, cell) for key, cell in pairs.items() if cell is not None])
        if before:
            self._tallies.add(home.module, _difference(self._tallies.of_keys(home, part.keys), before))

    def _update_rows(self, home: ModuleTable, part: Updates) -> tuple[str, list[Row]]:
        names, values = home.with_twins(part.columns, part.values)
        versioned = part.expected is not None
        build = partial(_update, home, names, versioned=versioned)
        text = home.statement(("update", names, versioned), build).text
        if part.expected is None:
            return text, [(*row, key) for row, key in zip(values, part.keys, strict=True)]
        return text, [(*row, key, version) for row, key, version in zip(values, part.keys, part.expected, strict=True)]

    # -- removals -------------------------------------------------------------------------------------------
    def _remove(self, home: ModuleTable, keys: Sequence[Key]) -> None:
        if home.tallied:
            self._tallies.add(home.module, self._tallies.of_keys(home, keys), sign=-1)
        self._clear_sets(home, home.sets, keys)
        text = home.statement("delete", partial(_delete, home)).text
        self._db.executemany(text, [(key,) for key in keys])

    # -- conflicts ------------------------------------------------------------------------------------------
    def _one_by_one(self, part: Inserts | Updates | Removals) -> Iterator[WriteConflict]:
        home = self._tables.of(part.module)
        if isinstance(part, Removals):
            self._remove(home, part.keys)
        elif isinstance(part, Inserts):
            text = home.statement("insert", partial(_insert, home)).text
            for row in home.fill(part.rows):
                yield from self._try(home, text, row, key=row[0])
        else:
            text, rows = self._update_rows(home, part)
            for key, row in zip(part.keys, rows, strict=True):
                yield from self._try(home, text, row, key=key)

    def _try(self, home: ModuleTable, text: str, row: Sequence[Stored], *, key: Stored) -> Iterator[WriteConflict]:
        number = cast("Key", key)
        try:
            with self._taken_back():
                changed = self._db.execute(text, row).rowcount
        except self._collision as error:
            columns = self._violated(error)
            if not columns:
                raise
            yield _not_unique(home, number, columns)
            return
        if not changed:
            yield self._why_unchanged(home, number)

    @contextmanager
    def _taken_back(self) -> Generator[None]:
        """Give a block that, when it raises, leaves the transaction as it was: some databases end it otherwise."""
        whole = False
        self._db.execute("SAVEPOINT one")
        try:
            yield
            whole = True
        finally:
            end_savepoint(self._db, "one", keep=whole)

    def _why_unchanged(self, home: ModuleTable, key: Key) -> WriteConflict:
        found = self._db.execute(home.select_one, (key,)).fetchone()
        if found is None:
            return WriteConflict(ConflictKind.MISSING, home.module, key)
        return WriteConflict(ConflictKind.STALE, home.module, key, actual=int(found[1] or 0))

    # -- versions and counters ------------------------------------------------------------------------------
    def _expect(self, expect: Expect) -> Iterator[WriteConflict]:
        home = self._tables.of(VERSIONS)
        text = home.statement(("expect", expect.name), partial(_expected, home, str(expect.name))).text
        if self._db.execute(text, (expect.version,)).rowcount == 1:
            return
        found = self._db.execute(home.select_one, (1,)).fetchone()
        actual = found[home.columns.index(str(expect.name))] if found else 0
        yield WriteConflict(ConflictKind.VERSION, column=str(expect.name), actual=int(actual or 0))

    def _guard(self, guard: Guard) -> Iterator[WriteConflict]:
        floor = LEAST if guard.floor is None else guard.floor
        ceiling = MOST if guard.ceiling is None else guard.ceiling
        if self._add(guard.counter, guard.delta, (floor, ceiling)) is None:
            yield WriteConflict(ConflictKind.GUARD, column=guard.counter, actual=self._counter(guard.counter))

    def allocate(self, counter: str, count: int) -> int:
        """Take *count* numbers from a counter; give the first."""
        last = self._add(counter, count, (LEAST, MOST))
        return (last or 0) - count + 1

    def skip(self, given: Mapping[str, int]) -> None:
        """Let each counter go on after the last number given, where a savepoint took it back."""
        for counter, last in given.items():
            behind = last - (self._counter(counter) or 0)
            if behind > 0:
                self.allocate(counter, behind)

    def _add(self, counter: str, delta: int, bounds: tuple[int, int]) -> int | None:
        """Add to a counter, which is 0 before its first use; give its value, ``None`` where it would pass *bounds*."""
        home = self._tables.of(COUNTERS)
        make = home.statement("counter", partial(_new_counter, home)).text
        add = home.statement("add", partial(_guarded, home))
        for _ in range(2):
            found = self._db.execute(add.text, add.arguments((delta, counter, *bounds))).fetchone()
            if found is not None:
                return int(found[0] or 0)
            if self._counter(counter) is not None:
                return None
            self._db.execute(make, (counter,))
        return None

    def _counter(self, counter: str) -> int | None:
        home = self._tables.of(COUNTERS)
        text = home.statement("value", partial(_counter_value, home)).text
        found = self._db.execute(text, (counter,)).fetchone()
        return None if found is None else int(found[0] or 0)

    # -- many rows ------------------------------------------------------------------------------------------
    def load(self, module: Module, rows: Iterable[Row]) -> int:
        """Insert many rows; give their number."""
        home = self._tables.of(module)
        source, total, size = iter(rows), 0, 1 if home.heavy else _CHUNK
        first = list(islice(source, size))
        afresh = len(first) == _CHUNK and self._is_empty(home)
        builder = Builder(self._db, self._tables)
        if afresh:
            builder.drop_indexes(home)
        try:
            for chunk in chain([first], iter(lambda: list(islice(source, size)), [])):
                self._insert(home, chunk)
                total += len(chunk)
        except self._collision as error:
            raise self._lost(error, home) from error
        if afresh:
            builder.make_indexes(home)
        return total

    def _is_empty(self, home: ModuleTable) -> bool:
        text = home.statement("any", partial(_any, home)).text
        return self._db.execute(text).fetchone() is None

    def _lost(self, error: Exception, home: ModuleTable) -> Exception:
        columns = self._violated(error)
        return Conflict("not_unique", field=_field_of(home, columns)) if columns else error

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        """Set the same values in all rows that fit *where*, which is in normal form."""
        home = self._tables.of(module)
        change = _Change(home, dict(values))
        keys = self._fitting(home, where) if change.touches_sets else []
        deltas = self._deltas(home, where, change) if change.touches_tallies else {}
        names, (row,) = home.with_twins(tuple(values), [tuple(values.values())])
        build = partial(_update_fitting, names=names)
        statement, constants = prepare(self._tables, home, [where], build=build, key=("update where", *names))
        try:
            changed = self._db.execute(statement.text, statement.arguments([*constants, *row])).rowcount
        except self._collision as error:
            raise self._lost(error, home) from error
        self._tallies.add(module, deltas)
        for column in home.sets.keys() & values.keys():
            self._clear_sets(home, [column], keys)
            self._put_sets(home, column, [(key, values[column]) for key in keys if values[column] is not None])
        return changed

    def _fitting(self, home: ModuleTable, where: Bound) -> list[Key]:
        statement, constants = prepare(self._tables, home, [where], build=_select_fitting, key=("fitting",))
        found = self._db.execute(statement.text, statement.arguments(constants))
        return [key_of(row) for row in found]

    def _deltas(self, home: ModuleTable, where: Bound, change: _Change) -> dict[str, Counter[Stored]]:
        statement, constants = prepare(self._tables, home, [where], build=_count_fitting, key=("tallies",))
        deltas: dict[str, Counter[Stored]] = {column: Counter() for column, _ in home.tallied}
        for *cells, deleted, number in self._db.execute(statement.text, statement.arguments(constants)):
            for (column, _), cell in zip(home.tallied, cells, strict=True):
                deltas[column][cell] -= int(number or 0) if deleted is None else 0
                after = change.values.get("deleted_in", deleted)
                deltas[column][change.values.get(column, cell)] += int(number or 0) if after is None else 0
        return deltas


@attrs.frozen
class _Change:
    """The same values for many rows, and what hangs on them."""

    home: ModuleTable
    values: dict[str, Stored]

    @property
    def touches_sets(self) -> bool:
        return not self.home.sets.keys().isdisjoint(self.values)

    @property
    def touches_tallies(self) -> bool:
        tallied = [column for column, _ in self.home.tallied]
        return bool(tallied) and not {"deleted_in", *tallied}.isdisjoint(self.values)


def _difference(
    after: Mapping[str, Counter[Stored]], before: Mapping[str, Counter[Stored]]
) -> dict[str, Counter[Stored]]:
    found = {column: Counter(values) for column, values in after.items()}
    for column, values in before.items():
        found[column].subtract(values)
    return found


def _field_of(home: ModuleTable, columns: tuple[str, ...]) -> str:
    index = next((each for each in home.indexes if each.field is not None and each.columns == columns), None)
    return columns[0] if index is None or index.field is None else index.field.name


def _not_unique(home: ModuleTable, key: Key, columns: tuple[str, ...]) -> WriteConflict:
    if columns == ("id",):
        return WriteConflict(ConflictKind.TAKEN, home.module, key)
    index = next((each for each in home.indexes if each.field is not None and each.columns == columns), None)
    column = columns[0] if index is None or index.field is None else index.field.column
    return WriteConflict(ConflictKind.UNIQUE, home.module, key, column)


# -- statements -------------------------------------------------------------------------------------------------------
def _insert(home: ModuleTable) -> sa.ClauseElement:
    return sa.insert(home.table).values({name: parameter(place) for place, name in enumerate(home.full_columns)})


def _insert_side(side: sa.Table) -> sa.ClauseElement:
    return sa.insert(side).values({"record": parameter(0), "value": parameter(1)})


def _delete_side(side: sa.Table) -> sa.ClauseElement:
    return sa.delete(side).where(side.c.record == parameter(0))


def _any(home: ModuleTable) -> sa.ClauseElement:
    return sa.select(home.table.c.id).suffix_with(sa.text("LIMIT 1"))


def _delete(home: ModuleTable) -> sa.ClauseElement:
    return sa.delete(home.table).where(home.table.c.id == parameter(0))


def _update(home: ModuleTable, names: Sequence[str], *, versioned: bool) -> sa.ClauseElement:
    cells, last = home.table.c, len(names)
    pairs: list[tuple[Cell, Cell]] = [(cells[name], parameter(place)) for place, name in enumerate(names)]
    found = sa.update(home.table).where(cells.id == parameter(last))
    if not versioned:
        return found.ordered_values(*pairs)
    pairs.append((cells.version, cells.version + sa.literal_column("1")))
    return found.where(cells.version == parameter(last + 1)).ordered_values(*pairs)


def _update_fitting(
    home: ModuleTable, conditions: Conditions, where: Bool, *, names: Sequence[str]
) -> sa.ClauseElement:
    pairs = [(home.table.c[name], conditions.parameter()) for name in names]
    return sa.update(home.table).where(where).ordered_values(*pairs)


def _select_fitting(home: ModuleTable, _conditions: Conditions, where: Bool) -> sa.ClauseElement:
    return sa.select(home.table.c.id).where(where)


def _count_fitting(home: ModuleTable, _conditions: Conditions, where: Bool) -> sa.ClauseElement:
    cells = [home.table.c[column] for column, _ in home.tallied]
    deleted: list[Cell] = [home.table.c.deleted_in] if home.module.journalled else []
    shown = deleted or [sa.null()]  # PostgreSQL groups by no constant
    return sa.select(*cells, *shown, sa.func.count()).where(where).group_by(*cells, *deleted)


def _expected(home: ModuleTable, name: str) -> sa.ClauseElement:
    cell = home.table.c[name]
    return (
        sa.update(home.table)
        .where(home.table.c.id == sa.literal_column("1"), cell == parameter(0))
        .values({cell: cell + sa.literal_column("1")})
    )


def _guarded(home: ModuleTable) -> sa.ClauseElement:
    cells, delta = home.table.c, parameter(0)
    after = cells.value + delta
    bounds = (after >= parameter(2), after <= parameter(3))
    found = sa.update(home.table).where(cells.name == parameter(1), *bounds).values({cells.value: after})
    return found.returning(cells.value)


def _new_counter(home: ModuleTable) -> sa.ClauseElement:
    return sa.insert(home.table).values({"name": parameter(0), "value": sa.literal_column("0")}).inline()


def _counter_value(home: ModuleTable) -> sa.ClauseElement:
    return sa.select(home.table.c.value).where(home.table.c.name == parameter(0))
