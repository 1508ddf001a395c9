"""The memory store: the Store contract in the plainest Python that is not slow.

Theory
------
The whole organisation is one value that never changes: a mapping of module id → :class:`_Table`, each with its
rows in a :class:`~nubetis.backends.sorted_map.SortedMap`.  Every write makes a new value, which shares with the old
one what it did not touch.  The rest follows:

*   a read unit holds the value it began with, and no writer disturbs it;
*   a write unit goes from value to value; commit puts the last one in the place of the first, failure drops it;
*   a savepoint, or a batch, keeps the value before it and takes it back;
*   a stream reads the value at which it was opened, whatever its unit writes meanwhile.

Writers queue on one lock, so they are serial.  Tables keep *full* rows: the columns, then the folded twins.  What
is derived from rows (values taken by unique columns, tallies) changes with the row.

``memory://name`` names an organisation of this process.  It lives until the process ends or :func:`forget_memory`
is called; closing lets go of the handle only, so that it can be opened again as a file can.  ``memory://`` makes
one without a name, which goes with its handle.

There is no snapshot: a copy in a file would need a reader of its own, and who wants a file has the SQLite store.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import attrs

from nubetis.backends.sorted_map import SortedMap
from nubetis.errors import Conflict, NotFound, StoreBusy, StoreError
from nubetis.model.bind import ALWAYS, All, AnyOf, Bound
from nubetis.model.evaluate import matcher
from nubetis.model.schema import DELETED_IN, VERSION, Module, Schema, SchemaStep, StepKind
from nubetis.model.store import (
    FORMAT, Batch, Capabilities, ConflictKind, Expect, Guard, Inserts, Measure, MeasureKind, Outcome, Removals, Txn,
    Updates, Versions, WriteConflict,
)  # fmt: skip
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.types import Key, ModuleId, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.query import BoundQuery, Order
    from nubetis.model.store import Columns

__all__ = ["MemoryStore", "forget_memory", "open_memory"]

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Seconds that a writer waits for those before him."""

_ONLY: Final = Key(1)
"""The key of the versions row."""

_Tally: TypeAlias = tuple[str, int, Stored]
"""Column, rank of the value's kind, value: so values of all kinds have an order."""

_Tables: TypeAlias = dict[ModuleId, "_Table"]


def _failed(reason: str) -> StoreError:
    return StoreError("store_failed", reason=reason)


# -- tables -----------------------------------------------------------------------------------------------------------
class _Table:
    """The rows of one module, and what is derived from them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.layout = module.layout
        self.index = module.layout.full_index
        self.rows: SortedMap[Key, Row] = SortedMap()
        self.tallies: SortedMap[_Tally, int] = SortedMap()
        self.taken: dict[str, SortedMap[str, Key]] = {}
        self._uniques: list[tuple[str, int]] = []
        self._tallied = [(name, self.index[name]) for name in _tallied_columns(module)]
        for column, compared in _unique_columns(module):
            self.taken[column] = SortedMap()
            self._uniques.append((column, self.index[compared]))

    def fork(self) -> _Table:
        """Give a table with the same rows, to be written without touching this one."""
        new = _Table.__new__(_Table)
        new.__dict__.update(self.__dict__)
        new.rows, new.tallies = self.rows.fork(), self.tallies.fork()
        new.taken = {column: values.fork() for column, values in self.taken.items()}
        return new

    def living(self, full: Row | None) -> Row | None:
        """Give the row if it counts for uniqueness, tallies and links."""
        if full is None or (self.module.journalled and full[DELETED_IN] is not None):
            return None
        return full

    def put(self, key: Key, full: Row | None) -> str:
        """Set the row of *key*, or take it out; give the column whose uniqueness forbids that, or nothing."""
        old = self.rows.get(key)
        was, now = self.living(old), self.living(full)
        forbidden = self._claim(key, was, now)
        if forbidden:
            return forbidden
        for column, at in self._tallied:
            self._count(_tally_of(column, was, at), _tally_of(column, now, at))
        if full is None:
            self.rows.pop(key)
        else:
            self.rows[key] = full
        return ""

    def _claim(self, key: Key, was: Row | None, now: Row | None) -> str:
        moves = [(column, was and was[at], now and now[at]) for column, at in self._uniques]
        moves = [(column, old, new) for column, old, new in moves if old != new]
        for column, _, new in moves:
            if new is not None and self.taken[column].get(str(new)) is not None:
                return column
        for column, old, new in moves:
            if old is not None:
                self.taken[column].pop(str(old))
            if new is not None:
                self.taken[column][str(new)] = key
        return ""

    def _count(self, was: _Tally | None, now: _Tally | None) -> None:
        if was == now:
            return
        for tally, delta in ((was, -1), (now, 1)):
            if tally is not None:
                self._add(tally, delta)

    def _add(self, tally: _Tally, delta: int) -> None:
        total = (self.tallies.get(tally) or 0) + delta
        if total:
            self.tallies[tally] = total
        else:
            self.tallies.pop(tally)

    # rows of a module whose schema is a step ahead or behind -----------------------------------------------
    def shown(self, module: Module) -> Callable[[Row], Row]:
        """Give the function that makes of a full row one of *module*."""
        if self._has_columns_of(module):
            width = len(self.layout.columns)
            return lambda full: full[:width]
        places = [self.layout.index.get(column.name) for column in module.layout.columns]
        return lambda full: tuple([None if at is None else full[at] for at in places])

    def taken_from(self, module: Module) -> Callable[[Row], Row]:
        """Give the function that makes of a row of *module* a full one."""
        width, fill = len(module.layout.columns), self.layout.fill
        same = self._has_columns_of(module)
        places = [module.layout.index.get(column.name) for column in self.layout.columns]

        def adopt(row: Row) -> Row:
            if len(row) != width:
                raise _failed(f"a row of {module.name} has {width} columns, not {len(row)}")
            return fill(row if same else tuple([None if at is None else row[at] for at in places]))

        return adopt

    def _has_columns_of(self, module: Module) -> bool:
        ours, theirs = self.layout.columns, module.layout.columns
        return ours is theirs or [each.name for each in ours] == [each.name for each in theirs]


def _tally_of(column: str, full: Row | None, at: int) -> _Tally | None:
    if full is None:
        return None
    value = full[at]
    return (column, 0 if value is None else 1 if isinstance(value, int) else 2, value)


def _tallied_columns(module: Module) -> list[str]:
    return [module.field(name).column for name in module.tallied_by]


def _unique_columns(module: Module) -> list[tuple[str, str]]:
    """Give the columns of unique fields, each with the one that is compared: its twin, if it has one."""
    firsts = [(field, field.parts[0]) for field in module.all_fields if field.unique]
    named = [(field.column_of(part), field.has_twin(part)) for field, part in firsts]
    return [(column, f"{column}__f" if twin else column) for column, twin in named]


def _moved(old: _Table, module: Module) -> _Table:
    """Give the table of *module* with the rows of *old*; columns are known by their fields' ids.

    Raises:
        Conflict: ``not_unique``; a field that becomes unique holds a value twice.
    """
    new = _Table(module)
    places = {(column.field.id, column.part.name): at for at, column in enumerate(old.layout.columns)}
    sources = [places.get((column.field.id, column.part.name)) for column in new.layout.columns]
    for key, full in old.rows.items():
        row = tuple([None if at is None else full[at] for at in sources])
        column = new.put(key, new.layout.fill(row))
        if column:
            raise Conflict("not_unique", field=column)
    return new


def _table_of(tables: _Tables, module: Module) -> _Table:
    try:
        return tables[module.id]
    except KeyError:
        raise _failed(f"it has no table for {module.name}: migrate it first") from None


class _Related:
    """Finds linked rows for :func:`nubetis.model.evaluate.matcher`; an index of a link is made when first needed."""

    def __init__(self, tables: _Tables) -> None:
        self._tables = tables
        self._links: dict[tuple[ModuleId, str], Mapping[Stored, list[Row]]] = {}

    def by_key(self, module: Module, key: int) -> Row | None:
        """Give the living row of *module* with this key."""
        table = _table_of(self._tables, module)
        full = table.living(table.rows.get(Key(key)))
        return None if full is None else self._seen_as(module, full)

    def by_link(self, module: Module, column: str, key: int) -> Iterable[Row]:
        """Give the living rows of *module* whose *column* is *key*."""
        known = self._links.get((module.id, column))
        if known is None:
            known = self._links[module.id, column] = self._index_link(module, column)
        return known.get(key, ())

    def _index_link(self, module: Module, column: str) -> Mapping[Stored, list[Row]]:
        table, found = _table_of(self._tables, module), defaultdict[Stored, list[Row]](list)
        at = table.index[column]
        for full in table.rows.values():
            if full[at] is not None and table.living(full) is not None:
                found[full[at]].append(self._seen_as(module, full))
        return dict(found)

    def _seen_as(self, module: Module, full: Row) -> Row:
        table = self._tables[module.id]
        return full if table.module is module else module.layout.fill(table.shown(module)(full))


# -- writing ----------------------------------------------------------------------------------------------------------
class _Step:
    """One write: a copy of the tables, made as it goes, and what stands against it."""

    def __init__(self, tables: _Tables) -> None:
        self.tables = dict(tables)
        self.conflicts: list[WriteConflict] = []
        self._own: set[ModuleId] = set()

    def table(self, module: Module) -> _Table:
        """Give the table of *module*, to be written."""
        if module.id not in self._own:
            self.tables[module.id] = _table_of(self.tables, module).fork()
            self._own.add(module.id)
        return self.tables[module.id]

    def apply(self, batch: Batch) -> None:
        """Write all that nothing stands against, in the order of the batch."""
        for expect in batch.expects:
            self._expect(expect)
        for guard in batch.guards:
            self._guard(guard)
        for part in batch.parts:
            match part:
                case Inserts():
                    self.insert(part.module, part.rows)
                case Updates():
                    self._update(part)
                case Removals():
                    self._remove(part)

    def insert(self, module: Module, rows: Iterable[Row]) -> int:
        """Write new rows; give how many were offered."""
        table, count = self.table(module), 0
        adopt = table.taken_from(module)
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number counts
            full = adopt(row)
            key = _key_of(full)
            if table.rows.get(key) is not None:
                self.conflicts.append(WriteConflict(ConflictKind.TAKEN, module, key))
            else:
                self.put(table, key, full)
        return count

    def put(self, table: _Table, key: Key, full: Row) -> None:
        """Write one row, if its unique values are free."""
        column = table.put(key, full)
        if column:
            self.conflicts.append(WriteConflict(ConflictKind.UNIQUE, table.module, key, column))

    def set_cells(self, table: _Table, full: Row, cells: Mapping[int, Stored]) -> None:
        """Write some cells of one row."""
        row = list(full[: len(table.layout.columns)])
        for at, value in cells.items():
            row[at] = value
        self.put(table, _key_of(full), table.layout.fill(tuple(row)))

    def _update(self, part: Updates) -> None:
        table = self.table(part.module)
        places = [table.layout.index[column] for column in part.columns]
        expected = [None] * len(part.keys) if part.expected is None else part.expected
        for key, values, version in zip(part.keys, part.values, expected, strict=True):
            full = table.rows.get(key)
            cells = dict(zip(places, values, strict=True))
            if full is None:
                self.conflicts.append(WriteConflict(ConflictKind.MISSING, part.module, key))
            elif version is None:
                self.set_cells(table, full, cells)
            elif full[VERSION] != version:
                actual = _number(full[VERSION])
                self.conflicts.append(WriteConflict(ConflictKind.STALE, part.module, key, actual=actual))
            else:
                self.set_cells(table, full, {**cells, VERSION: version + 1})

    def _remove(self, part: Removals) -> None:
        table = self.table(part.module)
        for key in part.keys:
            if table.rows.get(key) is not None:
                table.put(key, None)

    def _expect(self, expect: Expect) -> None:
        table = self.table(VERSIONS)
        only = table.rows.get(_ONLY) or ()
        at = table.index[expect.name.value]
        if only[at] == expect.version:
            self.set_cells(table, only, {at: expect.version + 1})
        else:
            actual = _number(only[at])
            self.conflicts.append(
                WriteConflict(ConflictKind.VERSION, column=expect.name.value, actual=actual)
            )

    def _guard(self, guard: Guard) -> None:
        value = self.counter(guard.counter)
        new = value + guard.delta
        low, high = guard.floor, guard.ceiling
        if (low is not None and new < low) or (high is not None and new > high):
            self.conflicts.append(WriteConflict(ConflictKind.GUARD, column=guard.counter, actual=value))
        else:
            self.set_counter(guard.counter, new)

    def counter(self, name: str) -> int:
        """Give the value of a counter; one that nobody wrote yet is 0."""
        table = _table_of(self.tables, COUNTERS)
        key = table.taken["name"].get(name)
        full = None if key is None else table.rows.get(key)
        return 0 if full is None else _number(full[table.index["value"]])

    def set_counter(self, name: str, value: int) -> None:
        """Set the value of a counter."""
        table = self.table(COUNTERS)
        key = table.taken["name"].get(name) or Key(len(table.rows) + 1)
        row: dict[str, Stored] = {"id": key, "name": name, "value": value}
        table.put(key, table.layout.fill(tuple([row[column.name] for column in table.layout.columns])))


def _key_of(full: Row) -> Key:
    return Key(_number(full[0]))


def _number(value: Stored) -> int:
    return value if isinstance(value, int) else 0


# -- reading ----------------------------------------------------------------------------------------------------------
class _Transaction:
    """The :class:`~nubetis.model.store.Txn` of one unit."""

    def __init__(self, tables: _Tables, *, writes: bool) -> None:
        self.tables = tables
        self._writes = writes
        self._is_open = True

    def end(self) -> None:
        """Refuse all writes from now on."""
        self._is_open = False

    def versions(self) -> Versions:
        """Give the versions row."""
        table = _table_of(self.tables, VERSIONS)
        only, index = table.rows.get(_ONLY) or (), table.index
        return Versions(*[_number(only[index[each.name]]) for each in attrs.fields(Versions)])

    def get_many(self, module: Module, keys: Sequence[Key]) -> list[Row | None]:
        """Give the row of each key, in that order."""
        table = _table_of(self.tables, module)
        shown, get = table.shown(module), table.rows.get
        return [None if full is None else shown(full) for full in map(get, keys)]

    def query(self, query: BoundQuery) -> list[Row]:
        """Give a keyset page."""
        table = _table_of(self.tables, query.module)
        where = query.where if query.after is None else All((query.where, AnyOf(tuple(query.segments()))))
        if len(query.order) == 1:
            found = self._fitting(table, query.where, rows=_by_key(table, query))
        else:
            found = iter(_sorted(self._fitting(table, where), query.order, table.index))
        return list(map(table.shown(query.module), islice(found, query.limit)))

    def stream(
        self, module: Module, where: Bound = ALWAYS, *, columns: Sequence[str] = (), size: int = 2048
    ) -> Iterator[Columns]:
        """Give all rows that fit, in key order, as batches of columns."""
        table = _table_of(self.tables, module)
        names = columns or [column.name for column in module.layout.columns]
        places = [table.index[name] for name in names]
        return _batches(self._fitting(table, where), places, size)

    def count(self, module: Module, where: Bound = ALWAYS, *, limit: int | None = None) -> int:
        """Give how many rows fit, at most *limit*."""
        table = _table_of(self.tables, module)
        if where == ALWAYS:
            return len(table.rows) if limit is None else min(len(table.rows), limit)
        return sum(1 for _ in islice(self._fitting(table, where), limit))

    def aggregate(
        self, module: Module, where: Bound, *, groups: Sequence[str] = (), measures: Sequence[Measure]
    ) -> list[Row]:
        """Give a row for each group, in the order of the groups."""
        table = _table_of(self.tables, module)
        places = [table.index[name] for name in groups]
        found: dict[Row, list[Row]] = {} if groups else {(): []}
        for full in self._fitting(table, where):
            found.setdefault(tuple([full[at] for at in places]), []).append(full)
        ordered = sorted(found, key=lambda group: [(cell is not None, cell) for cell in group])
        return [
            group + tuple([_measured(m, found[group], table.index) for m in measures]) for group in ordered
        ]

    def tally(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the number of living rows for each value of *column*."""
        tallies = _table_of(self.tables, module).tallies
        return {value: count for (name, _, value), count in tallies.items() if name == column}

    def _fitting(self, table: _Table, where: Bound, *, rows: Iterator[Row] | None = None) -> Iterator[Row]:
        """Give the full rows that fit, in the order of *rows*, which is that of the keys if nothing is said."""
        among = table.rows.values() if rows is None else rows
        return among if where == ALWAYS else filter(matcher(where, table.index, _Related(self.tables)), among)

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
        count = step.insert(module, rows)
        self._take(step)
        return count

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        """Set the same values in all rows that fit; give their number."""
        step = self._step()
        table = step.table(module)
        cells = {table.layout.index[column]: value for column, value in values.items()}
        found = list(self._fitting(_table_of(self.tables, module), where))
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
        return last + 1

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Give a block of which nothing stays when it raises."""
        before = self._step().tables
        try:
            yield
        except BaseException:
            self.tables = before
            raise

    def _step(self) -> _Step:
        if not self._writes:
            raise _failed("a unit that was begun with read may not write")
        if not self._is_open:
            raise _failed("the unit of this transaction is over")
        return _Step(self.tables)

    def _take(self, step: _Step) -> None:
        for conflict in step.conflicts:
            raise Conflict("not_unique", field=conflict.column or "id")
        self.tables = step.tables


def _by_key(table: _Table, query: BoundQuery) -> Iterator[Row]:
    """Give the rows in the order of the query, which is that of the keys, after where it begins."""
    after = None if query.after is None else Key(_number(query.after[0]))
    if query.order[0].descending:
        return table.rows.below(after)
    return table.rows.values() if after is None else table.rows.above(after)


def _sorted(rows: Iterable[Row], order: Sequence[Order], index: Mapping[str, int]) -> list[Row]:
    """Sort by the last column first: a stable sort keeps what earlier ones leave equal."""
    found = list(rows)
    for each in reversed(order):
        at = index[each.column]
        found.sort(key=lambda full, at=at: (full[at] is not None, full[at]), reverse=each.descending)  # type: ignore[misc]
    return found


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
            return sum(map(_number, cells)) if cells else None
        case MeasureKind.MIN:
            return min(cells, default=None)  # type: ignore[type-var]  # of one kind
        case MeasureKind.MAX:
            return max(cells, default=None)  # type: ignore[type-var]  # of one kind


# -- the store --------------------------------------------------------------------------------------------------------
class _Home:
    """Where an organisation lives: the last committed value, and the queue of writers."""

    def __init__(self) -> None:
        self.tables: _Tables = {}
        self.queue = threading.Lock()
        self.thread = threading.local()

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Refuse a unit inside a unit of the same thread: it would see, or wait for, half of the outer one."""
        if getattr(self.thread, "busy", False):
            raise _failed("a unit of work is under way in this thread: go on with its transaction")
        self.thread.busy = True
        try:
            yield
        finally:
            self.thread.busy = False


class MemoryStore:
    """Keeps an organisation in memory, with the semantics that every store has.

    >>> from nubetis.model.schema import Schema, diff
    >>> from nubetis.model.system import ROLES, SYSTEM_SCHEMA
    >>> store = open_memory("memory://", create=True)
    >>> store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    >>> store.read(lambda txn: txn.count(ROLES))
    0
    """

    capabilities = Capabilities(name="memory", durable=False, processes=False, snapshots=False)

    def __init__(self, url: str, home: _Home) -> None:
        self._url = url
        self._home: _Home | None = home

    def format(self) -> int | None:
        """Give the data format, ``None`` where there is nothing yet."""
        table = self._open().tables.get(VERSIONS.id)
        only = None if table is None else table.rows.get(_ONLY)
        return None if table is None or only is None else _number(only[table.index["format"]])

    def read(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        home = self._open()
        with home.unit():
            return unit(_Transaction(home.tables, writes=False))

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit and commit it."""
        home = self._open()
        with home.unit(), self._turn(home):
            txn = _Transaction(home.tables, writes=True)
            try:
                result = unit(txn)
            finally:
                txn.end()
            home.tables = txn.tables
            return result

    def migrate(self, steps: Iterable[SchemaStep], schema: Schema) -> None:
        """Bring the tables to *schema*, which says what each must be; the steps say which ones go.

        Raises:
            Conflict: ``not_unique``; a field that becomes unique holds a value twice, and nothing was changed.
        """
        home = self._open()
        with home.unit(), self._turn(home):
            tables = dict(home.tables)
            for step in steps:
                if step.kind is StepKind.DROP_MODULE:
                    tables.pop(step.module.id, None)
            for module in schema.modules:
                old = tables.get(module.id)
                if old is None or old.module != module:
                    tables[module.id] = _Table(module) if old is None else _moved(old, module)
            home.tables = _with_versions_row(tables)

    def snapshot(self, target: str) -> None:
        """Refuse: see the theory above."""
        raise StoreError("no_capability", what="snapshots", hint="Copy its records into an SQLite store.")

    def check(self) -> list[str]:
        """Give what is wrong with the store, in sentences: what is derived must follow from the rows."""
        faults: list[str] = []
        for table in self._open().tables.values():
            again = _moved(table, table.module)
            for what in ("rows", "tallies", "taken"):
                if _plain(getattr(again, what)) != _plain(getattr(table, what)):
                    faults.append(f"The {what} of module {table.module.name} do not follow from its records.")
        return faults

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Do nothing: tallies are added up as they are written."""

    def close(self) -> None:
        """Let go of the organisation; a named one can be opened again."""
        self._home = None

    def _open(self) -> _Home:
        if self._home is None:
            raise StoreError("closed", what="store")
        return self._home

    @contextmanager
    def _turn(self, home: _Home) -> Iterator[None]:
        if not home.queue.acquire(timeout=PATIENCE):
            raise StoreBusy("store_busy", url=self._url, seconds=PATIENCE)
        try:
            yield
        finally:
            home.queue.release()


def _plain(derived: object) -> object:
    if isinstance(derived, dict):
        return {name: _plain(part) for name, part in derived.items()}
    return list(derived.items()) if isinstance(derived, SortedMap) else derived


def _with_versions_row(tables: _Tables) -> _Tables:
    table = _table_of(tables, VERSIONS)
    if table.rows.get(_ONLY) is None:
        start = {"id": _ONLY, "format": FORMAT} | dict.fromkeys(
            [each.name for each in attrs.fields(Versions)], 0
        )
        table.put(_ONLY, tuple([start.get(column.name) for column in table.layout.columns]))
    return tables


# -- organisations of this process ------------------------------------------------------------------------------------
_HOMES: Final[dict[str, _Home]] = {}
_HOMES_LOCK: Final = threading.Lock()


def open_memory(url: str, *, create: bool) -> MemoryStore:
    """Open ``memory://name``, or make a store without a name at ``memory://``.

    Raises:
        NotFound: ``no_database``; *create* is false and nobody made it.
    """
    name = url.partition("://")[2]
    if not name and create:
        return MemoryStore(url, _Home())
    with _HOMES_LOCK:
        if name not in _HOMES and not create:
            raise NotFound("no_database", url=url)
        return MemoryStore(url, _HOMES.setdefault(name, _Home()))


def forget_memory(url: str) -> None:
    """Forget the named organisation at *url*; those who have it open keep it until they close."""
    with _HOMES_LOCK:
        _HOMES.pop(url.partition("://")[2], None)
