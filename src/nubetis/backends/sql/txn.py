"""One transaction: what is read here, what is written in :mod:`nubetis.backends.sql.writes`."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from typing import TYPE_CHECKING, Final, Never, TypeVar

from nubetis.backends.sql.checks import findings_of
from nubetis.backends.sql.ddl import Builder
from nubetis.backends.sql.planner import Planner
from nubetis.backends.sql.shapes import Shape, tame
from nubetis.backends.sql.statements import (
    Build,
    aggregate,
    counted,
    measured,
    padded,
    page,
    prepare,
    select_keys,
    streamed,
)  # fmt: skip
from nubetis.backends.sql.tallies import Tallies
from nubetis.backends.sql.unions import union_of
from nubetis.backends.sql.writes import Writer, end_savepoint
from nubetis.errors import NewerFormat, StoreError
from nubetis.model.bind import ALWAYS, Bound, Normal, Test
from nubetis.model.fields import Operator
from nubetis.model.normal import normal_form
from nubetis.model.store import FORMAT, Columns, Measure, Outcome, Versions
from nubetis.model.system import VERSIONS

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection, Cursor
    from nubetis.backends.sql.tables import ModuleTable, Tables
    from nubetis.backends.sql.unions import Union
    from nubetis.model.findings import Finding
    from nubetis.model.query import BoundQuery
    from nubetis.model.schema import Module, Schema, SchemaStep
    from nubetis.model.store import Batch, Txn
    from nubetis.types import Key, ModuleId, Progress, Row, Stored

__all__ = ["SqlTxn"]

_T = TypeVar("_T")

_MOST_KEYS: Final = 500
"""Keys of one statement; more are asked for by several."""


class _Ended:
    """Stands in for the connection when the unit has ended."""

    born = -1
    in_transaction = usable = False

    def execute(self, *_: object) -> Never:
        """Refuse."""
        raise StoreError("closed", what="unit of work")

    begin = executemany = insert_many = stream = commit = is_there = execute

    def close(self) -> None:
        """Do nothing: it is closed."""


class SqlTxn:
    """The transaction of one unit, on a connection that is its own; see :class:`nubetis.model.store.Txn`.

    *lost* says that it must not be committed, even if the unit goes on.  *looking_at* names the module whose rows are
    being fetched, for errors.  *seen* is the version of the schema that the unit goes by; one that is *led* by what the
    database has goes by none, and what it misses was taken away meanwhile.
    """

    def __init__(self, connection: Connection, tables: Tables, *, writable: bool) -> None:
        self._db: Connection = connection
        self._tables = tables
        self._writable = writable
        self._unfit = tables.dialect.unfit
        self._open: list[Cursor] = []
        self.lost = False
        self.looking_at = ""
        self.seen: int | None = None
        self.led = False
        self._depth = count(1)
        self._given: dict[str, int] = {}

    def end(self) -> None:
        """Let go of the connection."""
        self._db, open_ones = _Ended(), self._open
        self._open = []
        for cursor in open_ones:
            try:
                cursor.close()
            except self._tables.dialect.raised:  # the line is lost: what follows says so
                cursor.close()  # now it knows that there is nobody to tell, and only lets go

    def apart(self, work: Callable[[Connection], object]) -> None:
        """Do *work* on the connection, which sees the snapshot of this unit."""
        work(self._db)

    # -- reading --------------------------------------------------------------------------------------------
    def versions(self) -> Versions:
        """Give the versions row."""
        home = self._tables.of(VERSIONS)
        found = self._db.execute(home.select_one, (1,)).fetchone()
        if found is None:
            return Versions()
        _, version, schema, access, settings, _ = found
        if int(version or 0) > FORMAT:
            raise NewerFormat("newer_format", url="The store", found=version, known=FORMAT)
        self.seen = int(schema or 0)
        return Versions(self.seen, int(access or 0), int(settings or 0))

    def get_many(self, module: Module, keys: Sequence[Key]) -> list[Row | None]:
        """Give the row of each key, deleted ones too."""
        home = self._look_at(module)
        try:
            if len(keys) == 1:
                return [self._db.execute(home.select_one, keys).fetchone()]
            return list(map(self._by_key(home, keys).get, keys))
        except self._unfit:  # no row has a key of more than 64 bits
            found = self._by_key(home, [key for key in keys if -(1 << 63) <= key < 1 << 63])
            return list(map(found.get, keys))

    def _by_key(self, home: ModuleTable, keys: Sequence[Key]) -> dict[Stored, Row]:
        found: dict[Stored, Row] = {}
        for at in range(0, len(keys), _MOST_KEYS):
            part = keys[at : at + _MOST_KEYS]
            size = padded(len(part))
            statement = home.statement(("get", size), partial(select_keys, home, size))
            filled = part if len(part) == size else [*part, *[part[-1]] * (size - len(part))]
            found.update({row[0]: row for row in self._db.execute(statement.text, filled).fetchall()})
        return found

    def query(self, query: BoundQuery) -> list[Row]:
        """Give a keyset page."""
        rows: list[Row] = []
        planner = self._planner(query.module, query.where)
        for segment in query.segments():
            left = query.limit - len(rows)
            if left <= 0:
                break
            found = self._by_ways(planner, partial(Planner.rows, segment=segment, order=query.order, limit=left))
            rows += self._page(query, normal_form(query.where), segment, left) if found is None else found
        return rows

    def _by_ways(self, planner: Planner | None, ask: Callable[[Planner], _T]) -> _T | None:
        """Give what the ways say; ``None`` where there are none, or the driver refuses a constant of theirs."""
        try:
            return None if planner is None else ask(planner)
        except self._unfit:  # one statement does it, see :meth:`_select`
            return None

    def _page(self, query: BoundQuery, where: Bound, segment: Bound, limit: int) -> list[Row]:
        build = partial(page, order=query.order)
        key = ("page", *[(each.column, each.descending) for each in query.order])
        return self._select(query.module, (where, segment), build=build, key=key, more=(limit,)).fetchall()

    def _planner(self, module: Module, where: Bound) -> Planner | None:
        """Give what plans for several ways, if *where* has some that an index leads to."""
        home = self._look_at(module)
        asked = where if isinstance(where, Normal) else Normal(normal_form(where))
        if home not in asked.kept:
            asked.kept[home] = union_of(self._tables, home, asked.form)
        union: Union | None = asked.kept[home]
        if union is None:
            return None
        return Planner(tables=self._tables, home=home, union=union, db=self._db, hole=asked.hole, now=asked.now)

    def stream(
        self, module: Module, where: Bound = ALWAYS, *, columns: Sequence[str] = (), size: int = 256
    ) -> Iterator[Columns]:
        """Give all rows that fit, in key order, as batches of columns."""
        names = tuple(columns) or self._tables.of(module).columns
        chosen = normal_form(where)
        if self._writable:  # what the unit writes between two batches must not disturb an open cursor
            yield from self._stream_pages(module, chosen, names, size)
            return
        cursor = self._select(
            module, (chosen,), build=partial(streamed, names=names), key=("stream", names), run=self._db.stream
        )
        self._open.append(cursor)
        while rows := cursor.fetchmany(size):
            yield tuple(zip(*rows, strict=True))
            if len(rows) < size:
                return
            self._look_at(module)

    def _stream_pages(self, module: Module, where: Bound, names: tuple[str, ...], size: int) -> Iterator[Columns]:
        build, key = partial(streamed, names=(*names, "id"), paged=True), ("stream page", names)
        beyond: Bound = ALWAYS
        while True:
            rows = self._select(module, (where, beyond), build=build, key=key, more=(size,)).fetchall()
            if not rows:
                return
            *turned, keys = zip(*rows, strict=True)
            yield tuple(turned)
            beyond = Test("id", Operator.GT, keys[-1])

    def count(self, module: Module, where: Bound = ALWAYS, *, limit: int | None = None) -> int:
        """Give how many rows fit; counting may stop at *limit*."""
        by_ways = self._by_ways(self._planner(module, where), partial(Planner.count, limit=limit))
        if by_ways is not None:
            return by_ways
        more = () if limit is None else (limit,)
        found = self._select(
            module, (normal_form(where),), build=partial(counted, capped=limit is not None), key=("count", len(more)),
            more=more,
        ).fetchone()  # fmt: skip
        return int(found[0] or 0) if found else 0

    def aggregate(
        self, module: Module, where: Bound, *, groups: Sequence[str] = (), measures: Sequence[Measure]
    ) -> list[Row]:
        """Give a row for each group, in the order of the groups."""
        build = partial(aggregate, groups=tuple(groups), measures=tuple(measures))
        key = ("aggregate", *groups, None, *[(each.kind, each.column) for each in measures])
        rows = self._select(module, (normal_form(where),), build=build, key=key).fetchall()
        return [(*row[: len(groups)], *measured(row[len(groups) :], measures)) for row in rows]

    def tally(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the number of living rows for each value of *column*."""
        return Tallies(self._db, self._tables).of(module, column)

    def _look_at(self, module: Module) -> ModuleTable:
        self.looking_at = str(module.name)
        return self._tables.of(module)

    def _select(
        self,
        module: Module,
        parts: Sequence[Bound],
        *,
        build: Build,
        key: Shape,
        more: Sequence[Stored] = (),
        run: Callable[[str, Sequence[Stored]], Cursor] | None = None,
    ) -> Cursor:
        home, run = self._look_at(module), run or self._db.execute
        try:
            return run(*self._prepared(home, parts, build, key=key, more=more))
        except self._unfit:
            return run(*self._prepared(home, [tame(part) for part in parts], build, key=key, more=more))

    def _prepared(
        self, home: ModuleTable, parts: Sequence[Bound], build: Build, *, key: Shape, more: Sequence[Stored]
    ) -> tuple[str, Sequence[Stored]]:
        statement, constants = prepare(self._tables, home, parts, build=build, key=key)
        constants += more
        return statement.text, statement.arguments(constants)

    # -- writing --------------------------------------------------------------------------------------------
    def write(self, batch: Batch) -> Outcome:
        """Apply *batch* whole, or return what stands against it."""
        self.looking_at = ", ".join(dict.fromkeys(str(part.module.name) for part in batch.parts))
        return self._writer().write(batch)

    def bulk_load(self, module: Module, rows: Iterable[Row]) -> int:
        """Insert many rows as fast as the database can."""
        with self._lost_on_failure():
            return self._writer().load(module, rows)

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        """Set the same values in all rows that fit."""
        chosen = normal_form(where)
        self._look_at(module)
        with self._lost_on_failure():
            try:
                return self._writer().update_where(module, chosen, values)
            except self._unfit:
                return self._writer().update_where(module, tame(chosen), values)

    def allocate(self, counter: str, count: int = 1) -> int:
        """Take *count* numbers from a counter; give the first."""
        first = self._writer().allocate(counter, count)
        self._given[counter] = first + count - 1
        return first

    def compact(self, module_ids: Iterable[ModuleId]) -> None:
        """Add up the ledgers of tallies; what :meth:`nubetis.model.store.Store.compact` does."""
        Tallies(self._db, self._tables).compact(module_ids)

    def migrate(
        self, steps: Iterable[SchemaStep], schema: Schema, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Make and change tables; what :meth:`nubetis.model.store.Store.migrate` does."""
        self._builder(fence).migrate(steps, schema)

    def check(self, schema: Schema | None, progress: Progress | None) -> list[Finding]:
        """Compare tables with what they must be; what :meth:`nubetis.model.store.Store.check` does."""
        self.led = True
        return findings_of(self._db, self._tables, schema, progress)

    def rebuild(self, home: ModuleTable, fence: Callable[[Txn], object] | None = None) -> None:
        """Make again what is derived from the rows of a table."""
        self._builder(fence).rebuild(home)

    def _builder(self, fence: Callable[[Txn], object] | None) -> Builder:
        """Give what makes tables, once no other can and *fence* has looked."""
        builder = Builder(self._db, self._tables)
        builder.lock()
        if fence is not None:
            fence(self)
        return builder

    def clear(self, schema: Schema, url: str) -> None:
        """Drop every table; what :meth:`nubetis.model.store.Store.clear` does."""
        self._builder(None).clear(schema, url)

    @contextmanager
    def savepoint(self) -> Generator[None]:
        """Give a block of which nothing stays when it raises, but the numbers taken in it are not given again."""
        name, whole = f"s{next(self._depth)}", False
        self._db.execute(f"SAVEPOINT {name}")
        try:
            yield
            whole = True
        finally:
            end_savepoint(self._db, name, keep=whole)
            if not whole and self._db.in_transaction:
                Writer(self._db, self._tables).skip(self._given)

    @contextmanager
    def _lost_on_failure(self) -> Generator[None]:
        """Mark the unit as lost when the block raises: what it did in part must not be committed."""
        whole = False
        try:
            yield
            whole = True
        finally:
            self.lost = self.lost or not whole

    def _writer(self) -> Writer:
        if not self._writable:
            raise StoreError("store_failed", reason="a unit that only reads cannot write")
        if self.lost or not self._db.in_transaction:
            raise StoreError("closed", what="unit of work")
        return Writer(self._db, self._tables)
