"""Connections to one SQLite file: what its URL says, and the settings that every connection has."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, quote

import attrs

from nubetis.backends.sql.dialects import Profile
from nubetis.backends.sql.sqlite.faults import decoding
from nubetis.errors import InvalidValue, StoreError
from nubetis.types import Row, Stored

__all__ = ["Link", "Location", "connect", "locate", "may_name_a_file", "refuse_no_folder", "remove", "uri"]


_SCHEME: Final = "sqlite://"
_BUSY_MS: Final = 250
"""Milliseconds that SQLite waits by itself; then we wait with jitter and try again."""


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


def refuse_no_folder(path: str, named: str) -> None:
    """Stop where the file at *path*, which is to be made, has no folder.

    Raises:
        StoreError: ``no_folder``.
    """
    folder = os.path.dirname(path) or os.curdir  # noqa: PTH120 - see open_sqlite
    if not os.path.lexists(folder):
        raise StoreError("no_folder", url=named, folder=folder)


class Link(sqlite3.Connection):
    """A connection, the generation of the process that made it, and which file it has open."""

    born: int = 0
    usable: bool = True
    path: str = ""
    file: tuple[int, int] | None = None

    def is_there(self) -> bool:
        """Say whether the file it has open is still the one at its path."""
        return self.file == _identity(self.path)

    def begin(self, sql: str, lock: str = "", /) -> None:  # noqa: ARG002 - beginning to write is one
        """Begin a transaction."""
        self.execute(sql)

    def insert_many(self, sql: str, lots: Iterable[Sequence[Row]], /) -> None:
        """Insert rows by one prepared statement."""
        self.executemany(sql, chain.from_iterable(lots))

    def stream(self, sql: str, parameters: Sequence[Stored] = (), /) -> sqlite3.Cursor:
        """Run a query whose rows are read as they come; every cursor of SQLite is so."""
        return self.execute(sql, parameters)


def uri(path: str, mode: str) -> str:
    """Give SQLite's name of the file at *path*: ``ro``, ``rw`` or ``rwc``.

    >>> uri("a b.db", "ro")
    'file:a%20b.db?mode=ro'
    """
    authority = "//" if path.startswith("/") else ""  # an empty one: what follows two slashes would be taken for it
    return f"file:{authority}{quote(os.fsencode(path))}?mode={mode}"


def _identity(path: str) -> tuple[int, int] | None:
    """Say which file is at *path*, ``None`` where there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116 - asked before each write
    except OSError:
        return None
    return found.st_dev, found.st_ino


def remove(path: str) -> None:
    """Take away the file at *path* and what SQLite keeps beside it."""
    for beside in ("", "-journal", "-wal", "-shm"):
        Path(f"{path}{beside}").unlink(missing_ok=True)


def connect(path: str, profile: Profile = Profile.DURABLE, *, mode: str = "rw") -> Link:
    """Open the file at *path*, with the settings every connection has."""
    link = sqlite3.connect(
        uri(path, mode), uri=True, isolation_level=None, check_same_thread=False, cached_statements=512,
        timeout=_BUSY_MS / 1000, factory=Link,
    )  # fmt: skip
    with ExitStack() as on_failure:
        on_failure.callback(link.close)
        link.path, link.file = path, _identity(path)
        with decoding():
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
