"""Connections: made on demand, lent to one unit at a time, closed before a fork.

A unit takes an idle connection or a new one, so there are as many as units have ever run at once, and a thread that
ends leaves none behind.  Nothing of a connection may cross a fork (SQLite keeps its locks for the whole process, a
server would see two clients on one line): all idle ones are closed just before it (``os.register_at_fork``), in the
parent too, and both sides open new ones when they need them.  One that a unit holds at that moment stays with the
parent; the child keeps it untouched for as long as it lives, because closing it would reach what the parent uses.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from threading import Lock, get_ident
from typing import TYPE_CHECKING, Final
from weakref import WeakSet

from nubetis.errors import StoreBusy, StoreError

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection

__all__ = ["Pool"]


class Pool:
    """Lends connections; *busy* are the threads that are in a unit."""

    def __init__(self, make: Callable[[], Connection]) -> None:
        self.busy: set[int] = set()
        self._turn = Lock()
        self._make = make
        self._idle: list[Connection] = []
        self._closed = False
        _pools.add(self)

    def take(self) -> Connection:
        """Give a connection that is the caller's alone until he gives it back."""
        try:
            return self._idle.pop()
        except IndexError:
            if self._closed:
                raise StoreError("closed", what="store") from None
            made = self._make()
            made.born = _generation[0]
            return made

    def give(self, link: Connection) -> None:
        """Take a connection back; one that a fork has made strange stays as it is for ever."""
        if not self.is_own(link):
            _strangers.append(link)
        elif self._closed:
            link.close()
        else:
            self._idle.append(link)

    def drop(self, link: Connection) -> None:
        """Close a connection that may be broken."""
        if self.is_own(link):
            link.close()
        else:
            _strangers.append(link)

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

    def drain(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def renew(self) -> None:
        """Begin anew in a child: other threads, and what they held, are gone; their numbers may be given again."""
        self._turn = Lock()
        self.busy &= {get_ident()}
        _strangers.extend(self._idle)  # given back by another thread when all had been closed for the fork
        self._idle.clear()

    def close(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        self._closed = True
        self.drain()


_pools: Final[WeakSet[Pool]] = WeakSet()
_strangers: Final[list[Connection]] = []
_generation: Final = [0]


def _before_fork() -> None:
    for pool in list(_pools):
        pool.drain()


def _after_fork() -> None:
    _generation[0] += 1
    for pool in list(_pools):
        pool.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
