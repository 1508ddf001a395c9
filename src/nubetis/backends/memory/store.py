"""The memory store, and the organisations of this process."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar
from weakref import WeakSet

import attrs

from nubetis.backends.memory.sorted_map import SortedMap
from nubetis.errors import NotFound, StoreBusy, StoreError
from nubetis.model.findings import Finding
from nubetis.model.schema import Schema, SchemaStep, StepKind
from nubetis.model.store import (
    FORMAT,
    Capabilities,
    Txn,
    Versions,
)  # fmt: skip
from nubetis.model.system import SYSTEM_SCHEMA, VERSIONS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from nubetis.model.schema import Module
    from nubetis.types import ModuleId, Progress


from nubetis.backends.memory.steps import ONLY
from nubetis.backends.memory.tables import Table, Tables, failed, moved, number, table_of
from nubetis.backends.memory.transactions import Transaction

__all__ = ["MemoryStore", "forget_memory", "open_memory"]

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Seconds that a writer waits for those before him."""


_homes: Final[WeakSet[_Home]] = WeakSet()


class _Home:
    """Where an organisation lives: the last committed value, and the queue of writers."""

    def __init__(self) -> None:
        self.tables: Tables = {}
        self.queue = threading.Lock()
        self.thread = threading.local()
        _homes.add(self)

    @contextmanager
    def unit(self) -> Generator[None]:
        """Refuse a unit inside a unit of the same thread: it would see, or wait for, half of the outer one."""
        if getattr(self.thread, "busy", False):
            raise failed("a unit of work is under way in this thread: go on with its transaction")
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
        only = None if table is None else table.rows.get(ONLY)
        return None if table is None or only is None else number(only[table.index["format"]])

    def read(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        home = self._open()
        with home.unit():
            return unit(Transaction(home.tables, writes=False))

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit and commit it."""
        home = self._open()
        with home.unit(), self._turn(home):
            txn = Transaction(home.tables, writes=True)
            try:
                result = unit(txn)
            finally:
                txn.end()
            if txn.lost:
                raise failed("the unit went on after a write that failed in part")
            home.tables = txn.tables
            return result

    def migrate(
        self, steps: Iterable[SchemaStep], schema: Schema, *, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Bring the tables to *schema*, which says what each must be; the steps say which ones go.

        Raises:
            Conflict: ``not_unique``; a field that becomes unique holds a value twice, and nothing was changed.
            StoreError: ``no_capability``; a module has too many columns, and nothing was changed.
        """
        home = self._open()
        self.capabilities.refuse_excess(schema.modules)
        with home.unit(), self._turn(home):
            if fence is not None:
                fence(Transaction(home.tables, writes=False))
            tables = dict(home.tables)
            for step in steps:
                if step.kind is StepKind.DROP_MODULE:
                    tables.pop(step.module.id, None)
            for module in schema.modules:
                old = tables.get(module.id)
                if old is None or old.module != module:
                    tables[module.id] = Table(module) if old is None else moved(old, module)
            home.tables = _with_versions_row(tables)

    def snapshot(self, target: str, *, fence: Callable[[Txn], object] | None = None) -> None:  # noqa: ARG002 - the contract's
        """Refuse: see the theory above."""
        raise StoreError("no_capability", what="snapshots", hint="Back it up: nubetis backup.")

    def check(self, schema: Schema | None = None, *, progress: Progress | None = None) -> list[Finding]:
        """Give what is wrong with the store: what is derived must follow from the rows."""
        tables = self._open().tables
        wanted = [table.module for table in tables.values()] if schema is None else schema.modules
        findings: list[Finding] = []
        for done, module in enumerate(wanted):
            if progress is not None:
                progress(done, len(wanted))
            table = tables.get(module.id)
            findings += [Finding("table_missing", module.name)] if table is None else _compared(table)
        return findings + ([] if schema is None else _lost(tables, schema))

    def mend(
        self,
        findings: Iterable[Finding],
        schema: Schema,  # noqa: ARG002 - its tables know their modules
        *,
        fence: Callable[[Txn], object] | None = None,
    ) -> None:
        """Make again what is derived."""
        home, names = self._open(), {each.about for each in findings if each.mends}
        with home.unit(), self._turn(home):
            if fence is not None:
                fence(Transaction(home.tables, writes=False))
            astray = [table for table in home.tables.values() if table.module.name in names]
            home.tables = home.tables | {table.module.id: moved(table, table.module) for table in astray}

    def facts(self) -> dict[str, str | int]:
        """Give how much there is."""
        tables = self._open().tables.values()
        return {"tables": len(tables), "rows": sum(len(table.rows) for table in tables)}

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Do nothing: tallies are added up as they are written."""

    def clear(self, known: Iterable[Module] = ()) -> None:  # noqa: ARG002 - nothing of others can be here
        """Take away all that is here."""
        home = self._open()
        with home.unit(), self._turn(home):
            home.tables = {}

    def discard(self) -> None:
        """Close, and forget an organisation that nobody has set up."""
        home = self._open()
        with self._turn(home):
            if not home.tables or Transaction(home.tables, writes=False).versions() == Versions():
                home.tables = {}
        self.close()

    def close(self) -> None:
        """Let go of the organisation; a named one can be opened again."""
        self._home = None

    def _open(self) -> _Home:
        if self._home is None:
            raise StoreError("closed", what="store")
        return self._home

    @contextmanager
    def _turn(self, home: _Home) -> Generator[None]:
        queue = home.queue
        if not queue.acquire(timeout=PATIENCE):
            raise StoreBusy("store_busy", url=self._url, seconds=PATIENCE)
        try:
            yield
        finally:
            queue.release()


def _compared(table: Table) -> list[Finding]:
    """Give what of a table does not follow from its rows."""
    again, name = moved(table, table.module), str(table.module.name)
    astray = {
        what: _plain(getattr(again, what)) != _plain(getattr(table, what)) for what in ("rows", "tallies", "taken")
    }
    found = [Finding("twin_wrong", name, "rows", len(table.rows))] if astray["rows"] else []
    found += [Finding("tally_wrong", name, "tallies")] if astray["tallies"] else []
    return found + ([Finding("index_wrong", name)] if astray["taken"] else [])


def _lost(tables: Tables, schema: Schema) -> list[Finding]:
    """Give the tables whose module is not known any more, where they have rows."""
    known = {module.id for module in (*SYSTEM_SCHEMA.modules, *schema.modules)}
    left = [table for number, table in tables.items() if number not in known and table.rows]
    return [Finding("module_lost", str(table.module.table), count=len(table.rows)) for table in left]


def _plain(derived: object) -> object:
    if isinstance(derived, dict):
        return {name: _plain(part) for name, part in derived.items()}
    return list(derived.items()) if isinstance(derived, SortedMap) else derived


def _with_versions_row(tables: Tables) -> Tables:
    table = table_of(tables, VERSIONS)
    if table.rows.get(ONLY) is None:
        start = {"id": ONLY, "format": FORMAT} | dict.fromkeys([each.name for each in attrs.fields(Versions)], 0)
        table.put(ONLY, tuple([start.get(column.name) for column in table.layout.columns]))
    return tables


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


def _after_fork() -> None:
    """Begin anew in a child, which has a copy of its own: the threads that waited, or wrote, are gone."""
    _HOMES_LOCK.release()
    for home in list(_homes):
        home.queue = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_HOMES_LOCK.acquire, after_in_parent=_HOMES_LOCK.release, after_in_child=_after_fork)
