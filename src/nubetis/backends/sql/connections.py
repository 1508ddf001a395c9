"""Connections to one SQLite file: made on demand, lent to one unit at a time, closed before a fork.

A unit takes an idle connection or a new one, so there are as many as units have ever run at once, and a thread that
ends leaves none behind.  SQLite keeps what it knows of locks for the whole process, so nothing of it may cross a
fork: all idle connections are closed just before one (``os.register_at_fork``), in the parent too, and both sides
open new ones when they need them.  One that a unit holds at that moment stays with the parent; the child keeps it
untouched for as long as it lives, because closing it would touch the parent's locks.
"""

from __future__ import annotations

import enum
import os
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack
from threading import Lock, get_ident
from typing import Final
from urllib.parse import parse_qsl, quote
from weakref import WeakSet

import attrs

from nubetis.errors import InvalidValue, StoreError

__all__ = ["PATIENCE", "Link", "Location", "Pool", "Profile", "connect", "identity", "locate", "may_name_a_file", "uri"]


PATIENCE: Final = 60.0
"""Seconds that a unit waits for other writers before it gives up."""

_SCHEME: Final = "sqlite://"
_BUSY_MS: Final = 250
"""Milliseconds that SQLite waits by itself; then we wait with jitter and try again."""


class Profile(enum.StrEnum):
    """What a returned write has survived."""

    DURABLE = "durable"
    """The loss of power: every commit is synced to the disk."""
    FAST = "fast"
    """The end of the process; the last commits may be lost with the power, none is torn."""


@attrs.frozen
class Location:
    """What a URL says: the file, absolute and without links, because the log lies beside that; and the profile."""

    url: str
    path: str
    profile: Profile = Profile.DURABLE


def locate(url: str) -> Location:
    """Read a URL such as ``sqlite:///acme.db?profile=fast``.

    Raises:
        InvalidValue: ``bad_argument``.

    >>> locate("sqlite:////srv/acme.db").path
    '/srv/acme.db'
    """
    bare, _, query = url.partition("?")
    path = bare.removeprefix(f"{_SCHEME}/")
    if not bare.startswith(f"{_SCHEME}/") or not path or path.startswith(":"):
        raise InvalidValue(
            "bad_argument", argument="url", reason="name a file, as sqlite:///acme.db; memory:// keeps none"
        )
    if not may_name_a_file(path):
        raise InvalidValue("bad_argument", argument="url", reason="no file can have this name")
    settings = parse_qsl(query, keep_blank_values=True) or [("profile", Profile.DURABLE.value)]
    (name, profile), *more = settings
    if more or name != "profile" or profile not in list(Profile):
        raise InvalidValue(
            "bad_argument", argument="url", reason="it takes profile=durable or profile=fast, nothing else"
        )
    return Location(bare, os.path.realpath(path), Profile(profile))


def may_name_a_file(path: str) -> bool:
    """Say whether the system can be given *path*; SQLite would end it at a NUL and open another file."""
    try:
        return b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


class Link(sqlite3.Connection):
    """A connection, the generation of the process that made it, and which file it has open."""

    born: int = 0
    file: tuple[int, int] | None = None


def uri(path: str, mode: str) -> str:
    """Give SQLite's name of the file at *path*: ``ro``, ``rw`` or ``rwc``.

    >>> uri("a b.db", "ro")
    'file:a%20b.db?mode=ro'
    """
    authority = "//" if path.startswith("/") else ""  # an empty one: what follows two slashes would be taken for it
    return f"file:{authority}{quote(os.fsencode(path))}?mode={mode}"


def identity(path: str) -> tuple[int, int] | None:
    """Say which file is at *path*, ``None`` where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked before each write
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect(name: str, profile: Profile = Profile.DURABLE) -> Link:
    """Open the file that *name* (see :func:`uri`) says, with the settings every connection has."""
    link = sqlite3.connect(
        name, uri=True, isolation_level=None, check_same_thread=False, cached_statements=512,
        timeout=_BUSY_MS / 1000, factory=Link,
    )  # fmt: skip
    link.born = _generation[0]
    with ExitStack() as on_failure:
        on_failure.callback(link.close)
        _settle(link, profile)
        on_failure.pop_all()
    return link


def _settle(link: Link, profile: Profile) -> None:
    durable = profile is Profile.DURABLE
    link.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    if durable:  # where the system has a stronger sync, as macOS
        link.execute("PRAGMA fullfsync = ON")
        link.execute("PRAGMA checkpoint_fullfsync = ON")
    link.execute("PRAGMA secure_delete = ON")  # what is erased leaves the file
    link.execute("PRAGMA cache_size = -32768")
    link.execute("PRAGMA temp_store = MEMORY")
    link.execute("PRAGMA journal_size_limit = 67108864")
    link.execute("PRAGMA trusted_schema = OFF")


class Pool:
    """Lends connections.

    *turn* is the lock on which the writers of this process queue; *busy* are the threads that are in a unit.
    """

    def __init__(self, make: Callable[[], Link]) -> None:
        self.turn = Lock()
        self.busy: set[int] = set()
        self._make = make
        self._idle: list[Link] = []
        self._closed = False
        _pools.add(self)

    def take(self) -> Link:
        """Give a connection that is the caller's alone until he gives it back."""
        try:
            return self._idle.pop()
        except IndexError:
            if self._closed:
                raise StoreError("closed", what="store") from None
            return self._make()

    def give(self, link: Link) -> None:
        """Take a connection back; one that a fork has made strange stays as it is for ever."""
        if link.born != _generation[0]:
            _strangers.append(link)
        elif self._closed:
            link.close()
        else:
            self._idle.append(link)

    def drop(self, link: Link) -> None:
        """Close a connection that may be broken."""
        if link.born != _generation[0]:
            _strangers.append(link)
        else:
            link.close()

    def is_own(self, link: Link) -> bool:
        """Say whether this process opened the connection."""
        return link.born == _generation[0]

    def drain(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def renew(self) -> None:
        """Begin anew in a child: other threads, and what they held, are gone; their numbers may be given again."""
        self.turn = Lock()
        self.busy &= {get_ident()}
        _strangers.extend(self._idle)  # given back by another thread when all had been closed for the fork
        self._idle.clear()

    def close(self) -> None:
        """Close what is idle now, and the rest as it comes back."""
        self._closed = True
        self.drain()


_pools: Final[WeakSet[Pool]] = WeakSet()
_strangers: Final[list[Link]] = []
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
