"""Units of work on connections of a pool: begun, committed, taken back, run again when another was faster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import nullcontext
from threading import get_ident
from typing import TYPE_CHECKING, Final, NoReturn, TypeVar

import attrs

from nubetis.backends.sql.txn import SqlTxn
from nubetis.errors import Damaged, StoreBusy, StoreError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from nubetis.backends.sql.dialects import Connection
    from nubetis.backends.sql.pool import Pool
    from nubetis.backends.sql.tables import Tables

__all__ = ["PATIENCE", "Units", "milliseconds", "of_a_lock"]

T = TypeVar("T")

PATIENCE: Final = 60.0
"""Seconds that a unit waits for other writers before it gives up."""

_LONGEST_PAUSE: Final = 0.1
_BESIDE: Final = 2
"""How often a unit is tried beside other writers; then it asks them to wait, and comes to its end."""
_SHORTLY: Final = 0.25
"""Seconds for which one asks to be alone, and then again: those who come meanwhile wait behind it."""
_CROWDED: Final = 2.0
"""Seconds for which writers queue, after some of them waited for each other."""


class _Outrun(Exception):
    """The schema changed under a unit, whose snapshot was older than the tables."""


@attrs.frozen
class _Try:
    """One of the times that a unit is run: how often it was *before*, and how many seconds are *left* to wait."""

    before: int
    left: float


def milliseconds(seconds: float) -> int:
    """Give *seconds* as a server counts them, to which none would mean for ever."""
    return max(1, round(seconds * 1000))


def of_a_lock(seconds: float) -> float:
    """Give how long of *seconds* to wait for one lock: a row is waited for behind others, and then for itself."""
    return seconds / 2 if seconds > _LONGEST_PAUSE else seconds


@attrs.define
class Units:
    """Runs units of work.

    *patience* is how many seconds a unit waits for other writers before it gives up.

    Where the database takes several writers at a time, each is tried beside the others; one that was taken back for
    their sake again and again is run while no other is, so that every unit comes to its end.  Writers that waited for
    each other cost the server a second, so for a while those of this process queue at once.
    """

    url: str
    pool: Pool
    tables: Tables
    patience: float = PATIENCE
    _crowded: float = 0.0

    def read(self, unit: Callable[[SqlTxn], T]) -> T:
        """Run a unit that only reads, on one snapshot."""
        begin = self.tables.dialect.begin_read
        return self.attempt(lambda now: self._run(unit, begin, self._wait(now), writable=False))

    def write(self, unit: Callable[[SqlTxn], T]) -> T:
        """Run a unit and commit it; run it again when another writer was faster."""
        return self._write(unit, self.tables.dialect.begin_write, self._lock)

    def define(self, unit: Callable[[SqlTxn], T]) -> T:
        """Run a unit that makes and changes tables."""
        return self._write(unit, self.tables.dialect.begin_schema, self._wait)

    def alone(self, work: Callable[[Connection], T]) -> T:
        """Do *work*, which writes, on a connection, outside any unit and beside no other writer of this process."""
        self.refuse_nesting()
        with self._turn():
            return self.apart(work)

    def apart(self, work: Callable[[Connection], T]) -> T:
        """Do *work* on a connection, outside any unit."""

        def once(_: _Try) -> T:
            link = self.pool.take()
            broken = True
            try:
                result = work(link)
                broken = False
            finally:
                self._abandon(link, broken=broken)
            return result

        return self.attempt(once)

    def _write(self, unit: Callable[[SqlTxn], T], begin: str, lock: Callable[[_Try], str]) -> T:
        self.refuse_nesting()
        with self._turn():
            return self.attempt(lambda now: self._run(unit, begin, lock(now), writable=True))

    def _lock(self, now: _Try) -> str:
        dialect = self.tables.dialect
        if now.before < _BESIDE and time.monotonic() >= self._crowded:
            return _joined(self._wait(now), dialect.write_lock)
        waits = (min(_SHORTLY, now.left), of_a_lock(now.left))
        shortly, then = (dialect.lock_wait.format(milliseconds(each)) for each in waits)
        return _joined(shortly, dialect.alone_lock, then)

    def _wait(self, now: _Try) -> str:
        """Give what lets a unit wait for what is left; the first time the connection says so."""
        return self.tables.dialect.lock_wait.format(milliseconds(of_a_lock(now.left))) if now.before else ""

    def _turn(self) -> AbstractContextManager[object]:
        """Let the writers of this process queue, where the database takes one at a time."""
        return self.pool.turn(self.url, self.patience) if self.tables.dialect.one_writer else nullcontext()

    def refuse_nesting(self) -> None:
        """Stop where this thread is inside a unit already.

        Raises:
            StoreError: ``store_failed``.
        """
        if get_ident() in self.pool.busy:
            raise StoreError("store_failed", reason="a unit of work was begun inside another")

    def _run(self, unit: Callable[[SqlTxn], T], begin: str, lock: str = "", *, writable: bool) -> T:
        self.refuse_nesting()
        dialect, me = self.tables.dialect, get_ident()
        link = self.pool.take()
        self.pool.busy.add(me)
        done = broken = False
        try:
            link.begin(begin, lock)
            result = self._transact(link, unit, writable=writable)
            done = True
        except dialect.raised as error:
            broken = not dialect.is_busy(error)
            raise
        finally:
            self.pool.busy.discard(me)
            if done:
                self.pool.give(link)
            else:
                self._abandon(link, broken=broken)
        return result

    def _transact(self, link: Connection, unit: Callable[[SqlTxn], T], *, writable: bool) -> T:
        if writable and not link.is_there():
            raise StoreError("store_failed", reason="its file was moved, replaced or deleted while it was open")
        txn = SqlTxn(link, self.tables, writable=writable)
        try:
            result = unit(txn)
        except self.tables.dialect.raised as error:
            self._tell_unreadable(error, txn.looking_at)
            txn.end()
            if self.tables.dialect.is_missing(error) and (txn.led or self._is_outrun(link, txn.seen)):
                raise _Outrun from error
            raise
        finally:
            txn.end()
        self._commit(link, lost=txn.lost, writable=writable)
        return result

    @staticmethod
    def _is_outrun(link: Connection, seen: int | None) -> bool:
        """Say whether the schema is another than the unit saw; its transaction is taken back."""
        if seen is None:
            return False
        link.execute("ROLLBACK")
        now = link.execute('SELECT "schema" FROM versions WHERE id = 1').fetchone()
        return now is not None and now[0] != seen

    def _tell_unreadable(self, error: Exception, module: str) -> None:
        """Say in which module a text is that cannot be read; the driver says its column, and would show the text."""
        if self.tables.dialect.is_unreadable(error):
            raise Damaged("damaged", what=f"{module} at {self.url}", reason="a text in it is not Unicode") from None

    def _commit(self, link: Connection, *, lost: bool, writable: bool) -> None:
        if lost:
            raise StoreError("store_failed", reason="the unit went on after a write that failed in part")
        if not self.pool.is_own(link):
            raise StoreError("store_failed", reason="the process was forked inside a unit of work")
        if writable:
            link.commit()
        elif link.in_transaction or not link.usable:
            link.execute("COMMIT")  # one that is lost here is run again like any other: it wrote nothing

    def _abandon(self, link: Connection, *, broken: bool) -> None:
        """Take back what the unit did; a connection that may be broken is closed, which does that too."""
        if broken or not link.usable or not self.pool.is_own(link):
            self.pool.drop(link)
            return
        try:
            if link.in_transaction:
                link.execute("ROLLBACK")
        except self.tables.dialect.raised:
            self.pool.drop(link)
        else:
            self.pool.give(link)

    def attempt(self, work: Callable[[_Try], T]) -> T:
        """Do *work*, again and again while others are faster; the pauses grow and differ, so that all get on.

        Patience ends so long after the first time that it did not succeed; where it waited for a lock, that counts.
        """
        dialect = self.tables.dialect
        tried, deadline, pause, left = 0, 0.0, 0.001, self.patience
        while True:
            begun = time.monotonic()
            try:
                return work(_Try(tried, left))
            except (_Outrun, dialect.raised) as error:
                now = time.monotonic()
                deadline = deadline or (begun if dialect.has_waited(error) else now) + self.patience
                left = deadline - now
                if dialect.is_entangled(error):
                    self._crowded = time.monotonic() + _CROWDED
                if not isinstance(error, _Outrun) and not dialect.is_busy(error):
                    self._tell(error)
                if left <= 0:
                    raise StoreBusy("store_busy", url=self.url, seconds=round(self.patience, 1)) from error
            time.sleep(min(random.uniform(0, pause), left))  # noqa: S311 - spreads the writers
            tried, pause, left = tried + 1, min(pause * 2, _LONGEST_PAUSE), deadline - time.monotonic()

    def _tell(self, error: Exception) -> NoReturn:
        """Raise the error of ours, and what led to it unless that could show values."""
        found = self.tables.dialect.translated(error, self.url)
        raise found from (None if isinstance(found, Damaged) else error)


def _joined(*statements: str) -> str:
    return "; ".join(filter(None, statements))
