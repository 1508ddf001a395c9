"""The Store contract: what a back end must do, and nothing of users or rights.

A store keeps *rows* of modules.  A row is a tuple in the order of ``module.layout.columns``, of stored values
(:class:`nubetis.model.fields.Storage`).  What can be derived from a row the store derives by itself, in the same
write: folded twins (``layout.twins``), the index of set columns, tallies.

Rules for every store
---------------------
1.  **Units.**  :meth:`Store.read` and :meth:`Store.write` call a unit of work with a :class:`Txn`.  The unit may be
    called again when the store must retry, so it has no effect outside the transaction.  When it raises, nothing of
    it stays.  A read unit sees one snapshot; a write unit sees its own writes.  A unit opens no other unit of its
    store in the same thread: that is refused with ``store_failed``, as is a write in a read unit.
2.  **Writes** are serialisable.  A :class:`Batch` is applied whole or not at all; what stands against it is
    *returned* as conflicts, and the transaction goes on as if the batch had not been offered.  The parts of a
    batch apply in their order, and each row must fit what stands before it.
3.  **Versions.**  An update with an expected version applies only to that version; the store adds one.
4.  **Uniqueness** holds among living rows (``deleted_in`` is ``None``) on the folded value, also between writers.
5.  **Durability.**  When ``write`` returns, the unit survives the end of the process; in the durable profile it
    survives the loss of power.
6.  **Order.**  Text compares by code point; an empty value sorts first.
7.  **Isolation.**  A store serves one organisation.  Threads, processes and forks may share it; a store reopens
    after a fork.  Waiting for other writers is the store's business.
8.  **Own modules.**  Versions and counters can be read as rows of the modules ``versions`` and ``counters``, and the
    versions set as the row with key 1: so they are copied to another store.  Tallies are the store's own affair.
9.  What it cannot do it declares in :class:`Capabilities`.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Final, Protocol, TypeAlias, TypeVar

import attrs

from nubetis.errors import StoreError
from nubetis.model.bind import ALWAYS, Bound
from nubetis.model.findings import Finding
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Module, Schema, SchemaStep
from nubetis.types import Key, ModuleId, Progress, Row, Stored

__all__ = [
    "FORMAT",
    "Batch",
    "Capabilities",
    "ConflictKind",
    "Expect",
    "Guard",
    "Inserts",
    "Measure",
    "MeasureKind",
    "Outcome",
    "Removals",
    "Store",
    "StoreFactory",
    "Txn",
    "Updates",
    "VersionName",
    "Versions",
    "WriteConflict",
]

T = TypeVar("T")

FORMAT: Final = 1
"""The version of the data format this nubetis reads and writes."""


@attrs.frozen(kw_only=True)
class Capabilities:
    """What a store can do; what it cannot is refused when a plan is made."""

    name: str
    durable: bool = True
    """A returned write survives the loss of power."""
    processes: bool = True
    """Several processes may open it at once."""
    ddl_in_txn: bool = True
    """A schema step is part of a transaction."""
    savepoints: bool = True
    """:meth:`Txn.savepoint` works."""
    snapshots: bool = True
    """:meth:`Store.snapshot` works beside writers; where it does not, a back-up is a copy into an SQLite file."""
    linked_filters: bool = True
    """Filters on linked records are evaluated by the store."""
    max_fields: int = 1500
    """Columns of one module, the twins of its texts among them."""
    max_params: int = 30_000
    """Parameters of one statement; a unit may be given more values than that."""

    def refuse_excess(self, modules: Iterable[Module]) -> None:
        """Refuse modules with more columns than the store can hold.

        Raises:
            StoreError: ``no_capability``.
        """
        for module in modules:
            count = len(module.layout.full_index)
            if count > self.max_fields:
                what = f"more than {self.max_fields} columns ({module.name} has {count}, twins of texts among them)"
                raise StoreError("no_capability", what=what, hint="Purge fields that nobody uses, or link two modules.")


class VersionName(enum.StrEnum):
    """The numbers that tell a reader whether what he cached still holds."""

    SCHEMA = "schema"
    ACCESS = "access"
    SETTINGS = "settings"


@attrs.frozen
class Versions:
    """The versions row, read first in each unit of work."""

    schema: int = 0
    access: int = 0
    settings: int = 0

    def of(self, name: VersionName) -> int:
        """Give the number of *name*."""
        return int(getattr(self, name.value))


# -- what is written --------------------------------------------------------------------------------------------------
@attrs.frozen
class Inserts:
    """New rows of one module, whole."""

    module: Module
    rows: Sequence[Row]


@attrs.frozen
class Updates:
    """New values of the same columns in rows of one module.

    *expected* has a version for each key, or is ``None`` where versions do not matter (and are not raised:
    ledgers have none).
    """

    module: Module
    columns: tuple[str, ...]
    keys: Sequence[Key]
    values: Sequence[Row]
    expected: Sequence[int] | None = None


@attrs.frozen
class Removals:
    """Rows that cease to exist.  Keys that are not there do no harm."""

    module: Module
    keys: Sequence[Key]


@attrs.frozen(kw_only=True)
class Guard:
    """Adds *delta* to a counter, which must then lie between *floor* and *ceiling*, both included."""

    counter: str
    delta: int
    floor: int | None = None
    ceiling: int | None = None


@attrs.frozen
class Expect:
    """The version *name* must still be *version*; it is raised by one."""

    name: VersionName
    version: int


@attrs.frozen(kw_only=True)
class Batch:
    """Everything that must be written together."""

    parts: tuple[Inserts | Updates | Removals, ...] = ()
    guards: tuple[Guard, ...] = ()
    expects: tuple[Expect, ...] = ()


class ConflictKind(enum.StrEnum):
    """What stands against a batch."""

    STALE = "stale"
    """The row has another version; *actual* tells which."""
    MISSING = "missing"
    """There is no such row to update."""
    UNIQUE = "unique"
    """A living row has this value already; *key* is the row offered, *column* the field's (never its twin)."""
    TAKEN = "taken"
    """The key is in use."""
    GUARD = "guard"
    """The counter *column* would leave its bounds; *actual* is its value."""
    VERSION = "version"
    """The version *column* has moved to *actual*."""


@attrs.frozen
class WriteConflict:
    """One thing that stands against a batch."""

    kind: ConflictKind
    module: Module | None = None
    key: Key | None = None
    column: str = ""
    actual: int | None = None


@attrs.frozen
class Outcome:
    """What became of a batch: no conflicts, and it is written; or conflicts, and nothing of it is."""

    conflicts: tuple[WriteConflict, ...] = ()

    @property
    def written(self) -> bool:
        """Say whether the batch was written."""
        return not self.conflicts


# -- what is read -----------------------------------------------------------------------------------------------------
class MeasureKind(enum.StrEnum):
    """What an aggregate computes; empty values do not count."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"


@attrs.frozen
class Measure:
    """One number for each group: of a column, or, for ``count``, of the rows where *column* is empty."""

    kind: MeasureKind
    column: str = ""


Columns: TypeAlias = tuple[Sequence[Stored], ...]
"""A batch of rows, turned: one sequence a column asked for."""


class Txn(Protocol):
    """One transaction; lives as long as the unit that was given it."""

    def versions(self) -> Versions:
        """Give the versions row."""
        ...

    def get_many(self, module: Module, keys: Sequence[Key]) -> list[Row | None]:
        """Give the row of each key, in that order, deleted ones too; ``None`` where there is none."""
        ...

    def query(self, query: BoundQuery) -> list[Row]:
        """Give a keyset page: at most ``query.limit`` rows that fit, in its order, after ``query.after``."""
        ...

    def stream(
        self, module: Module, where: Bound = ALWAYS, *, columns: Sequence[str] = (), size: int = 256
    ) -> Iterator[Columns]:
        """Give all rows that fit, in key order, as batches of columns.

        *columns* names columns or twins; empty means all of the layout.  A batch has at most *size* rows:
        few enough to stay in the processor's cache while they are turned.
        """
        ...

    def count(self, module: Module, where: Bound = ALWAYS, *, limit: int | None = None) -> int:
        """Give how many rows fit, at most *limit*."""
        ...

    def aggregate(
        self, module: Module, where: Bound, *, groups: Sequence[str] = (), measures: Sequence[Measure]
    ) -> list[Row]:
        """Give a row for each group: the values of *groups*, then those of *measures*; in the order of the groups.

        Without groups there is just one row, even of no records.  Groups and measures name columns or twins.  Of no
        values the count is 0 and the other measures are ``None``.  Sums are exact, however large.
        """
        ...

    def tally(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the number of living rows for each value of *column*, one of ``module.tallied_by``, from the ledger."""
        ...

    def write(self, batch: Batch) -> Outcome:
        """Apply *batch* whole, or return what stands against it."""
        ...

    def bulk_load(self, module: Module, rows: Iterable[Row]) -> int:
        """Insert many rows as fast as the store can; give their number.

        What *rows* raises is raised; then the unit is lost.

        Raises:
            Conflict: ``not_unique``; then the unit is lost.
        """
        ...

    def update_where(self, module: Module, where: Bound, values: Mapping[str, Stored]) -> int:
        """Set the same values in all rows that fit, without looking at versions; give their number.

        Raises:
            Conflict: ``not_unique``; then the unit is lost.
        """
        ...

    def allocate(self, counter: str, count: int = 1) -> int:
        """Take *count* numbers from a counter that begins at 1; give the first.

        Numbers are never given twice: a unit keeps what it took in a savepoint that raises, so there may be gaps.
        Only a unit that fails as a whole gives its numbers back: nobody outside may have seen them.  A counter that
        numbers are taken from is not lowered by a guard.
        """
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Give a block of which nothing but the numbers taken stays when it raises; the transaction goes on."""
        ...


class Store(Protocol):
    """Keeps the rows of one organisation."""

    capabilities: Capabilities

    def format(self) -> int | None:
        """Give the data format found, ``None`` where there is nothing yet.

        Raises:
            StoreError: ``not_nubetis``, ``damaged``.
        """
        ...

    def read(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        ...

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit and commit it; run it again when another writer was faster.

        Raises:
            StoreBusy: others held the store for too long.
            StoreError: ``disk_full``, ``read_only_store``, ``read_only_server``, ``store_failed``; nothing of the unit
                was written.
            StoreError: ``commit_unknown``; the line was lost, and the unit was written whole or not at all.
        """
        ...

    def migrate(
        self, steps: Iterable[SchemaStep], schema: Schema, *, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Bring the tables to *schema* by *steps*, each of which may have been done before.

        *fence* looks first, in the transaction of the change and when no other change can come between; what it
        raises is raised, and nothing was changed: so that of several who go on with a change none does a step late.

        The first call, on an empty store, also writes the format and the versions row, all of it 0.  A new field is
        empty in the rows there are.

        Raises:
            Conflict: ``not_unique``; a field that becomes unique holds a value twice.  Nothing was changed.
            StoreError: ``no_capability``; a module has more columns than the store can hold.  Nothing was changed.
        """
        ...

    def snapshot(self, target: str, *, fence: Callable[[Txn], object] | None = None) -> None:
        """Write a consistent copy to *target* while others write.

        *fence* looks first, at what is copied; what it raises is raised, and there is no copy.
        """
        ...

    def check(self, schema: Schema | None = None, *, progress: Progress | None = None) -> list[Finding]:
        """Give what is wrong with the store; nothing where all is well.

        Compares what is derived from rows (twins, sets, indexes, tallies) with the rows, on one snapshot and beside
        writers, in memory that does not grow with the records.  *schema* names the modules; without it, those that
        the store knows.  Findings name tables and columns, never values.
        """
        ...

    def mend(
        self, findings: Iterable[Finding], schema: Schema, *, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Make again what is derived from rows, where *findings* of :meth:`check` say that it does not follow.

        No row changes.  What cannot be mended stays as it is, and is found again.

        *fence* looks before anything is made again, in the transaction that does it and when no change of the schema
        can come between; what it raises is raised: *schema* is no longer what there is, and would take too much away.
        """
        ...

    def facts(self) -> dict[str, str | int]:
        """Give what helps to judge the store, by names of its own: versions, sizes, settings; never a secret."""
        ...

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Add up the ledgers of tallies, and leave nothing of what is gone where it was; readers see no difference."""
        ...

    def clear(self, known: Iterable[Module] = ()) -> None:
        """Take away all that is here, whatever state it is in, in one transaction; then there is no format.

        Nothing of it is read, so that a damaged organisation can be replaced.  *known* are modules that it may have
        besides those of the system.

        Raises:
            StoreError: ``not_replaced``; something is there that nubetis did not make, and nothing was changed.
        """
        ...

    def discard(self) -> None:
        """Close a store that was opened with *create*, and leave nothing where nothing was.

        Where an organisation has been set up meanwhile, whose versions are no longer 0, it stays.
        """
        ...

    def close(self) -> None:
        """Let go of everything; calling it twice does no harm."""
        ...


class StoreFactory(Protocol):
    """Opens a store; registered for a URL scheme by the hook ``nubetis_stores``."""

    def __call__(self, url: str, *, create: bool) -> Store:
        """Open the store at *url*.  With *create* make one where there is none; without, raise ``NotFound``."""
        ...
