"""The store on SQLite: files, units of work, and what may go wrong with them.

A write unit begins with ``BEGIN IMMEDIATE``, so it holds the write lock before it reads: a deferred one that reads
first and writes later fails as soon as another was faster.  Writers of this process queue on a lock of ours, those of
others wait with jitter; "database is locked" never gets out.  Read units see one snapshot (WAL) and wait for nobody.
"""

from __future__ import annotations

import os
import random
import sqlite3
import time
from collections.abc import Callable, Iterable
from threading import get_ident
from typing import NoReturn, TypeVar

from nubetis.backends.sql.checks import faults_of
from nubetis.backends.sql.connections import PATIENCE, Link, Location, Pool, Profile, connect, identity, locate, uri
from nubetis.backends.sql.copies import copy_out, format_of, found_format
from nubetis.backends.sql.dialects import SQLITE
from nubetis.backends.sql.faults import is_busy, translated
from nubetis.backends.sql.tables import Tables
from nubetis.backends.sql.txn import SqlTxn
from nubetis.errors import Damaged, NotFound, StoreBusy, StoreError
from nubetis.model.schema import Schema, SchemaStep
from nubetis.model.store import Capabilities, Txn
from nubetis.types import ModuleId

__all__ = ["SqlStore", "open_sqlite"]

T = TypeVar("T")


def open_sqlite(url: str, *, create: bool) -> SqlStore:
    """Open the organisation in an SQLite file; with *create* make the file where there is none.

    Raises:
        NotFound: ``no_database``; no file is made.
        Damaged: the file is not SQLite's, or broken.
        NewerFormat: a later nubetis wrote it.
        StoreError: ``not_nubetis``; nothing was changed.

    >>> open_sqlite("sqlite:///acme.db", create=True).format() is None
    True
    """
    place = locate(url)
    # the function, because the method of Path raises where a name is too long or a folder may not be entered
    exists = os.path.isfile(place.path) and found_format(place) is not None  # noqa: PTH113
    if not exists and not create:
        raise NotFound("no_database", url=place.url)
    return SqlStore(place, make=not exists)


class SqlStore:
    """Keeps one organisation in an SQLite file; see :class:`nubetis.model.store.Store`.

    *patience* is how many seconds a unit waits for other writers.
    """

    def __init__(self, place: Location, *, make: bool = False, patience: float = PATIENCE) -> None:
        self._place = place
        self._patience = patience
        self._tables = Tables(SQLITE)
        self._schema = Schema()
        self._pool = Pool(self._connect)
        if make:
            self._attempt(lambda: connect(uri(place.path, "rwc")).close())
        self._with_link(lambda link: link.execute("PRAGMA journal_mode = WAL"))
        self.capabilities = self._capabilities()

    def _connect(self) -> Link:
        link = connect(uri(self._place.path, "rw"), self._place.profile)
        link.file = identity(self._place.path)
        return link

    def _capabilities(self) -> Capabilities:
        link = self._pool.take()
        columns = link.getlimit(sqlite3.SQLITE_LIMIT_COLUMN)
        params = link.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER)
        self._pool.give(link)
        durable = self._place.profile is Profile.DURABLE
        return Capabilities(name="sqlite", durable=durable, max_fields=columns // 2, max_params=params)

    def format(self) -> int | None:
        """Give the data format found, ``None`` where there is nothing yet."""
        return self._with_link(lambda link: format_of(link, self._place.url))

    # -- units ----------------------------------------------------------------------------------------------
    def read(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        try:
            return self._run(unit, SQLITE.begin_read, writable=False)
        except sqlite3.Error as error:
            if not is_busy(error):
                self._tell(error)
        return self._attempt(lambda: self._run(unit, SQLITE.begin_read, writable=False))

    def write(self, unit: Callable[[Txn], T]) -> T:
        """Run a unit and commit it; run it again when another writer was faster."""
        return self._in_turn(lambda: self._run(unit, SQLITE.begin_write, writable=True))

    def _run(self, unit: Callable[[SqlTxn], T], begin: str, *, writable: bool) -> T:
        me, busy = get_ident(), self._pool.busy
        if me in busy:
            raise StoreError("store_failed", reason="a unit of work was begun inside another")
        link = self._pool.take()
        busy.add(me)
        done = broken = False
        try:
            result = self._transact(link, unit, begin, writable=writable)
            done = True
        except sqlite3.Error as error:
            broken = not is_busy(error)
            raise
        finally:
            busy.discard(me)
            if done:
                self._pool.give(link)
            else:
                self._abandon(link, broken=broken)
        return result

    def _transact(self, link: Link, unit: Callable[[SqlTxn], T], begin: str, *, writable: bool) -> T:
        link.execute(begin)
        if writable and link.file != identity(self._place.path):
            raise StoreError("store_failed", reason="its file was moved, replaced or deleted while it was open")
        txn = SqlTxn(link, self._tables, writable=writable)
        try:
            result = unit(txn)
        finally:
            txn.end()
        self._commit(link, lost=txn.lost)
        return result

    def _commit(self, link: Link, *, lost: bool) -> None:
        if lost:
            raise StoreError("store_failed", reason="the unit went on after a write that failed in part")
        if not self._pool.is_own(link):
            raise StoreError("store_failed", reason="the process was forked inside a unit of work")
        link.execute("COMMIT")

    def _abandon(self, link: Link, *, broken: bool) -> None:
        """Take back what the unit did; a connection that may be broken is closed, which does that too."""
        if broken or not self._pool.is_own(link):
            self._pool.drop(link)
            return
        try:
            if link.in_transaction:
                link.execute("ROLLBACK")
        except sqlite3.Error:
            self._pool.drop(link)
        else:
            self._pool.give(link)

    def _in_turn(self, work: Callable[[], T]) -> T:
        """Do *work* while no other thread of this process writes."""
        pool = self._pool
        if get_ident() in pool.busy:
            raise StoreError("store_failed", reason="a unit of work was begun inside another")
        turn = pool.turn
        if not turn.acquire(timeout=self._patience):
            raise StoreBusy("store_busy", url=self._place.url, seconds=self._patience)
        try:
            return self._attempt(work)
        finally:
            if pool.turn is turn:  # a fork inside the unit made another
                turn.release()

    def _attempt(self, work: Callable[[], T]) -> T:
        """Do *work*, again and again while others hold the file; the pauses grow and differ, so that all get on."""
        deadline = time.monotonic() + self._patience
        pause = 0.001
        while True:
            try:
                return work()
            except sqlite3.Error as error:
                left = deadline - time.monotonic()
                if not is_busy(error) or left <= 0:
                    self._tell(error)
            time.sleep(min(random.uniform(0, pause), left))  # noqa: S311 - spreads the writers
            pause = min(pause * 2, 0.1)

    def _tell(self, error: sqlite3.Error) -> NoReturn:
        """Raise the error of ours, and what led to it unless that could show values."""
        found = translated(error, self._place.url, seconds=self._patience)
        raise found from (None if isinstance(found, Damaged) else error)

    def _with_link(self, work: Callable[[Link], T]) -> T:
        def once() -> T:
            link = self._pool.take()
            broken = True
            try:
                result = work(link)
                broken = False
            finally:
                self._abandon(link, broken=broken)
            return result

        return self._attempt(once)

    # -- the whole ------------------------------------------------------------------------------------------
    def migrate(self, steps: Iterable[SchemaStep], schema: Schema) -> None:
        """Bring the tables to *schema*, in one transaction."""
        every = list(steps)
        self.capabilities.refuse_excess(schema.modules)

        self._in_turn(lambda: self._run(lambda txn: txn.migrate(every, schema), SQLITE.begin_write, writable=True))
        self._schema = schema

    def snapshot(self, target: str) -> None:
        """Write a consistent copy to the file *target* while others write.

        Raises:
            StoreError: ``unwritable``; there is a file already, or no room.
        """
        self._with_link(lambda link: copy_out(link, target))

    def check(self) -> list[str]:
        """Give what is wrong with the file, in sentences."""
        return self._with_link(lambda link: faults_of(link, self._tables, self._schema))

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Add up the ledgers of tallies."""
        wanted = tuple(module_ids)

        self._in_turn(lambda: self._run(lambda txn: txn.compact(wanted), SQLITE.begin_write, writable=True))

    def close(self) -> None:
        """Let go of the file."""
        self._pool.close()
