"""Connections: made on demand, lent to one unit at a time, closed before a fork.

A unit takes an idle connection or a new one, so there are as many as units have ever run at once, and a thread that
ends leaves none behind.  Nothing of a connection may cross a fork (SQLite keeps its locks for the whole process, a
server would see two clients on one line): all idle ones are closed just before it (``os.register_at_fork``), in the
parent too, and both sides open new ones when they need them.  One that a unit holds at that moment stays with the
parent; the child keeps it untouched for as long as it lives, because closing it would reach what the parent uses.

SQLite's own notes of who holds which lock are copied into the child while the locks are not: with a writer's, the
child waits for ever; with a reader's, it takes no lock where it should, and what it writes is lost when the parent
closes the file.  So before a fork no unit begins, and those of other threads on a file are waited for.  Where one has
not ended after :data:`LONGEST` seconds, or the unit itself forks, the child is refused that file, however it opens it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from nubetis.backends.sql.tables import CACHES
from nubetis.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection

__all__ = ["LONGEST", "Pool"]

LONGEST: Final = 60.0
"""Seconds that a fork waits for units of other threads."""

_PAUSE: Final = 0.001


class Pool:
    """Lends connections; *busy* are the threads that are in a unit.

    With *file* they are to that file of this machine, and a fork waits until nobody has one.
    """

    def __init__(self, make: Callable[[], Connection], *, file: str = "") -> None:
        self.busy: set[int] = set()
        self._file = file
        self._inside: list[int] = []
        self._turn = Lock()
        self._make = make
        self._idle: list[Connection] = []
        self._closed = False
        _pools.add(self)

    def take(self) -> Connection:
        """Give a connection that is the caller's alone until he gives it back."""
        self._enter()
        try:
            return self._idle.pop()
        except IndexError:
            return self._made()

    def give(self, link: Connection) -> None:
        """Take a connection back; one that a fork has made strange stays as it is for ever."""
        if self._closed or not self.is_own(link):
            self.drop(link)
        else:
            self._idle.append(link)
            self._leave()

    def drop(self, link: Connection) -> None:
        """Close a connection that may be broken."""
        try:
            if self.is_own(link):
                link.close()
            else:
                _strangers.append(link)
        finally:
            self._leave()

    @contextmanager
    def inside(self) -> Generator[None]:
        """Give the block in which other threads do not fork, nor is it begun while they do.

        Raises:
            StoreError: ``store_failed``; this process was forked while another thread was in such a block.
        """
        self._enter()
        try:
            yield
        finally:
            self._leave()

    def _enter(self) -> None:
        if _torn and self._file in _torn:
            raise StoreError("store_failed", reason=_TORN)
        me, within = get_ident(), self._inside
        within.append(me)
        while _forking and not self._is_awaited(me):  # whom the fork waits for goes on
            within.remove(me)
            time.sleep(_PAUSE)
            within.append(me)

    def _is_awaited(self, me: int) -> bool:
        """Say whether this thread has been inside already, of this pool or another: a copy has two."""
        return self._inside.count(me) > 1 or any(me in pool._inside for pool in list(_pools) if pool is not self)  # noqa: SLF001

    def _leave(self) -> None:
        try:  # noqa: SIM105 - each unit comes here
            self._inside.remove(get_ident())
        except ValueError:  # the unit forked, and this is the child
            pass

    def _made(self) -> Connection:
        made = None
        try:
            made = None if self._closed else self._make()
        finally:
            if made is None:
                self._leave()
        if made is None:
            raise StoreError("closed", what="store") from None
        made.born = _generation[0]
        return made

    def is_own(self, link: Connection) -> bool:
        """Say whether this process opened the connection."""
        return link.born == _generation[0]

    @contextmanager
    def turn(self, url: str, patience: float) -> Generator[None]:
        """Give the block in which no other thread of this process writes.

        Raises:
            StoreBusy: others wrote for *patience* seconds.
        """
        turn = self._turn
        if not turn.acquire(timeout=patience):
            raise StoreBusy("store_busy", url=url, seconds=round(patience, 1))
        try:
            yield
        finally:
            if self._turn is turn:  # a fork inside the unit made another
                turn.release()

    def await_others(self, until: float) -> None:
        """Wait until no other thread has a connection to the file; a unit that forks itself waits for nobody."""
        while self._file and self._inside and get_ident() not in self._inside and time.monotonic() < until:
            time.sleep(_PAUSE)

    def drain(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def renew(self) -> None:
        """Begin anew in a child: other threads, and what they held, are gone; their numbers may be given again."""
        if self._file and (self._inside or self._idle):
            _torn.add(self._file)
        self._inside.clear()
        self._turn = Lock()
        self.busy &= {get_ident()}
        _strangers.extend(self._idle)  # given back by another thread when all had been closed for the fork
        self._idle.clear()

    def close(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        self._closed = True
        with suppress(StoreError), self.inside():  # a child has nothing to close of a file it is refused
            self.drain()


_pools: Final[WeakSet[Pool]] = WeakSet()
_strangers: Final[list[Connection]] = []
_generation: Final = [0]
_forking: Final[list[int]] = []
"""The threads that are about to fork."""
_torn: Final[set[str]] = set()
"""Files that this process was born with a foreign connection to."""
_TORN: Final = "the process was forked while a thread of it was in a unit of work: begin a new process instead"


def _before_fork() -> None:
    _forking.append(get_ident())
    until = time.monotonic() + LONGEST
    for pool in list(_pools):
        pool.await_others(until)
        pool.drain()
    CACHES.acquire()  # last: a unit that is waited for may need it


def _after_fork_in_parent() -> None:
    CACHES.release()
    _forking.remove(get_ident())


def _after_fork() -> None:
    CACHES.release()
    _forking.clear()
    _generation[0] += 1
    for pool in list(_pools):
        pool.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork)
