"""The store on an SQL database: the same for all of them, but for what a :class:`Database` says."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, TypeVar

from nubetis.backends.sql.checks import homes_of
from nubetis.backends.sql.ddl import Builder
from nubetis.backends.sql.tables import Tables, table_name
from nubetis.backends.sql.units import PATIENCE, Units
from nubetis.errors import Damaged, NewerFormat, NubetisError, StoreError
from nubetis.model.findings import Area, Finding
from nubetis.model.schema import Schema, SchemaStep
from nubetis.model.store import FORMAT, Capabilities, Txn
from nubetis.model.system import SYSTEM_SCHEMA, TALLIES
from nubetis.types import ModuleId, Progress

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection, Dialect
    from nubetis.backends.sql.pool import Pool
    from nubetis.backends.sql.tables import ModuleTable
    from nubetis.backends.sql.txn import SqlTxn
    from nubetis.model.schema import Module

__all__ = ["Database", "SqlStore", "format_of", "has_begun"]

T = TypeVar("T")

_UNMENDED: Final = frozenset({"damaged", "read_only_server"})
"""What keeps one table from being mended, and not the others."""
_GROWN: Final = 50_000
"""Deltas after which the ledger of tallies is added up; that costs as much as some hundred of them."""

_KNOWN: Final = frozenset({"id", "format", "schema", "access", "settings"})


class Database(Protocol):
    """Where one organisation's tables are: a file, a schema of a server."""

    @property
    def url(self) -> str:
        """Its name in errors, without a password."""
        ...

    @property
    def dialect(self) -> Dialect:
        """What kind of database it is."""
        ...

    @property
    def pool(self) -> Pool:
        """The connections to it."""
        ...

    @property
    def capabilities(self) -> Capabilities:
        """What the store can do there."""
        ...

    def make_ready(self, link: Connection) -> None:
        """Make it ready to be written; whoever only reads leaves it as it is."""
        ...

    def leave(self, link: Connection) -> None:
        """Take away all that was made here, in the transaction of *link*, and the place itself where it was made."""
        ...

    def copy_out(self, link: Connection, target: str) -> None:
        """Copy all of it to the file *target*, which must not be there."""
        ...

    def shed(self, link: Connection) -> bool:
        """Leave no log of what is gone; say whether all of it went, for somebody may still read it."""
        ...

    def rewrite(self, link: Connection) -> None:
        """Write all of it anew, where what is gone may be left between what is there."""
        ...

    def check(self, link: Connection) -> Iterator[Finding]:
        """Give what is wrong with the database itself."""
        ...

    def mend(self, link: Connection, finding: Finding) -> None:
        """Put right what :meth:`check` found, where that can be done."""
        ...

    def facts(self, link: Connection) -> dict[str, str | int]:
        """Give what helps to judge it: versions, sizes, settings."""
        ...


def format_of(link: Connection, dialect: Dialect, url: str) -> int | None:
    """Give the format that the versions row names, ``None`` where there are no tables.

    Raises:
        StoreError: ``not_nubetis``.
        Damaged: it is ours, and the versions row is gone.
        NewerFormat: a later nubetis wrote it.
    """
    found = dialect.catalogue(link)
    if not found:
        return None
    known = "versions" in found and _KNOWN.issubset(found["versions"].columns)
    row = link.execute("SELECT format FROM versions WHERE id = 1").fetchone() if known else None
    if row is None:
        if _is_ours(found):
            raise Damaged("damaged", what=url, reason="its table versions is missing, or not whole")
        raise StoreError("not_nubetis", url=url)
    if int(row[0] or 0) > FORMAT:
        raise NewerFormat("newer_format", url=url, found=row[0], known=FORMAT)
    return int(row[0] or 0)


def _is_ours(found: Collection[str]) -> bool:
    """Say whether most tables of ours are there: nobody else has an organisation with a journal and seals."""
    names = {table_name(module) for module in SYSTEM_SCHEMA.modules}
    return len(names.intersection(found)) > len(names) // 2


def has_begun(link: Connection, dialect: Dialect, url: str) -> bool:
    """Say whether there is something of ours, be it harmed: whoever opens it is told by :func:`format_of`.

    Raises:
        StoreError: ``not_nubetis``.
        NewerFormat: a later nubetis wrote it.
    """
    try:
        return format_of(link, dialect, url) is not None
    except Damaged:
        return True


def _is_new(link: Connection) -> bool:
    """Say whether nobody has written anything since the tables were made."""
    row = link.execute('SELECT "schema", access, settings FROM versions WHERE id = 1').fetchone()
    return row is not None and not any(row)


class SqlStore:
    """Keeps one organisation in a database; see :class:`nubetis.model.store.Store`."""

    def __init__(self, database: Database, *, patience: float = PATIENCE) -> None:
        self._database = database
        self._tables = Tables(database.dialect)
        self._units = Units(database.url, database.pool, self._tables, patience)
        self._schema = Schema()
        self._is_shed = self._is_rewritten = True
        self._is_ready = False
        self.capabilities = database.capabilities

    def format(self) -> int | None:
        """Give the data format found, ``None`` where there is nothing yet."""
        place = self._database
        return self._units.apart(lambda link: format_of(link, place.dialect, place.url))

    def read(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        return self._units.read(unit)

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit and commit it; run it again when another writer was faster."""
        self._make_ready()
        result = self._units.write(unit)
        self._shed_again()
        self._add_up()
        return result

    def _add_up(self) -> None:
        """Add up the ledger of tallies once it has grown, so that reading a count costs what its values are many."""
        if self._tables.appended >= _GROWN:
            self._tables.appended = 0
            with suppress(NubetisError):  # what was written stands; the next that writes much tries again
                self._units.write(lambda txn: txn.compact(()))

    def migrate(
        self, steps: Iterable[SchemaStep], schema: Schema, *, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Bring the tables to *schema*, in one transaction."""
        every = list(steps)
        self.capabilities.refuse_excess(schema.modules)
        self._make_ready()
        try:
            self._units.define(lambda txn: txn.migrate(every, schema, fence))
        except BaseException:
            self._tables.forget(schema.modules)
            raise
        self._schema = schema

    def snapshot(self, target: str, *, fence: Callable[[Txn], object] | None = None) -> None:
        """Write a consistent copy to the file *target* while others write, of what *fence* saw.

        Raises:
            StoreError: ``unwritable``; there is a file already, or no room.
            Damaged: ``not_backed_up``; the copy is not whole.
        """

        def unit(txn: SqlTxn) -> None:
            if fence is not None:
                fence(txn)
            txn.apart(lambda link: self._database.copy_out(link, target))

        self._units.read(unit)

    def check(self, schema: Schema | None = None, *, progress: Progress | None = None) -> list[Finding]:
        """Give what is wrong."""
        known = schema or (self._schema if self._schema.modules else None)
        self._shed_again()
        try:
            findings = self._units.apart(lambda link: list(self._database.check(link)))
            findings += self._units.read(lambda txn: txn.check(known, progress))
        except Damaged as error:
            return [Finding("file_damaged", self._database.url, str(error.params.get("reason", "")))]
        return list(dict.fromkeys(findings))

    def mend(
        self, findings: Iterable[Finding], schema: Schema, *, fence: Callable[[Txn], object] | None = None
    ) -> None:
        """Make again what does not follow from rows; each table in a unit of its own, which begins with *fence*."""
        wanted = [each for each in findings if each.mends]
        for each in wanted:
            self._units.apart(partial(self._database.mend, finding=each))
        names = {each.about for each in wanted if each.area in {Area.SCHEMA, Area.TALLIES}}
        every = table_name(TALLIES) in names  # who makes that ledger again, first, makes that of each module
        for home in sorted(homes_of(self._tables, schema), key=lambda home: home.module.id != TALLIES.id):
            if every or not names.isdisjoint((home.name, *home.index_creation)):
                self._rebuild(home, fence)

    def _rebuild(self, home: ModuleTable, fence: Callable[[Txn], object] | None) -> None:
        """Make a table again; where that cannot be, it is found again, and what may not be done beside it."""
        try:
            self._units.define(lambda txn: txn.rebuild(home, fence))
        except StoreError as error:
            if error.code not in _UNMENDED:
                raise

    def facts(self) -> dict[str, str | int]:
        """Give what helps to judge the store."""
        return self._units.apart(self._database.facts)

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Add up the ledgers of tallies; leave nothing of what is gone, neither in tables nor in the log."""
        wanted = tuple(module_ids)

        self._units.write(lambda txn: txn.compact(wanted))
        self._is_rewritten = self._is_shed = False
        self._rewrite()
        self._shed()

    def _rewrite(self) -> None:
        self._units.alone(self._database.rewrite)
        self._is_rewritten = True

    def _make_ready(self) -> None:
        if not self._is_ready:
            self._units.refuse_nesting()
            self._units.apart(self._database.make_ready)
            self._is_ready = True

    def _shed(self) -> None:
        """Let go of the log; where that cannot be, because somebody reads it, say, each write and check tries again."""
        self._is_shed = False
        self._is_shed = self._units.apart(self._database.shed)

    def _shed_again(self) -> None:
        if not self._is_shed:
            with suppress(NubetisError):  # what was written stands
                self._shed()

    def clear(self, known: Iterable[Module] = ()) -> None:
        """Drop every table that is nubetis's: of *known* modules, of the system, or made as theirs."""
        wanted = Schema(modules=tuple(known))
        self._make_ready()
        self._units.define(lambda txn: txn.clear(wanted, self._database.url))
        self._schema = Schema()

    def refuse_others(self, known: Iterable[Module] = ()) -> None:
        """Stop where something is here that nubetis did not make, as :meth:`clear` does, and change nothing.

        Raises:
            StoreError: ``not_replaced``.
        """
        wanted = Schema(modules=tuple(known))
        self._units.apart(lambda link: Builder(link, self._tables).refuse_others(wanted, self._database.url))

    def discard(self) -> None:
        """Close, and leave nothing of a database that nobody has set up."""
        place = self._database

        def leave(link: Connection) -> None:
            link.execute(place.dialect.begin_write)
            if format_of(link, place.dialect, place.url) is None or _is_new(link):
                place.leave(link)

        with suppress(NubetisError):  # what led to this is told; a place that cannot be cleared stays
            self._units.apart(leave)
        self.close()

    def close(self) -> None:
        """Let go of the database; what :meth:`compact` could not rewrite is tried once more."""
        if not self._is_rewritten:
            with suppress(NubetisError):
                self._rewrite()
        self._database.pool.close()
