"""What SQLite says when it cannot go on, in the words of :mod:`nubetis.errors`.

No message of the driver is passed on where it could hold more than names: the errors of a damaged file, for one.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Final

from nubetis.errors import Damaged, InvalidFilter, NubetisError, StoreBusy, StoreError
from nubetis.model.bind import DEPTH

__all__ = ["code_of", "decoding", "is_busy", "is_unreadable", "translated"]

_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_READ_ONLY: Final = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH)
_SAID: Final[Mapping[int, tuple[type[NubetisError], str]]] = {
    sqlite3.SQLITE_NOTADB: (Damaged, "not_sqlite"),
    sqlite3.SQLITE_FULL: (StoreError, "disk_full"),
    sqlite3.SQLITE_IOERR_WRITE: (StoreError, "unwritten"),
    **dict.fromkeys(_READ_ONLY, (StoreError, "read_only_store")),
}
"""What is said of a place by its URL alone."""
_UNREADABLE: Final = "Could not decode"
"""What the driver says, before it shows the text."""


def code_of(error: Exception) -> int:
    """Give SQLite's primary result code, 0 where the driver raised by itself."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


@contextmanager
def decoding() -> Generator[None]:
    """Run what has SQLite read the catalogue of a file first, be it ruined.

    SQLite then quotes it, and where that is no Unicode, the driver cannot say what SQLite says.
    """
    try:
        yield
    except UnicodeDecodeError:
        error = sqlite3.DatabaseError("malformed database schema")
        error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
        raise error from None


def is_busy(error: Exception) -> bool:
    """Say whether somebody else was faster, so that the same may succeed now."""
    return code_of(error) in _BUSY


def is_unreadable(error: Exception) -> bool:
    """Say whether a stored text is not Unicode; the error shows the text, so nobody else must see it."""
    return not code_of(error) and _UNREADABLE in str(error)


def translated(error: Exception, url: str) -> NubetisError:
    """Give the error of ours that says the same."""
    code = code_of(error)
    if is_unreadable(error):
        return Damaged("damaged", what=url, reason="a text in it is not Unicode")
    if code in _BUSY:
        return StoreBusy("store_busy", url=url, seconds=0)
    if code == sqlite3.SQLITE_CORRUPT:
        return Damaged("damaged", what=url, reason="its pages do not fit together")
    if said := _SAID.get(getattr(error, "sqlite_errorcode", 0)) or _SAID.get(code):
        return said[0](said[1], url=url)
    if code == sqlite3.SQLITE_ERROR and str(error).startswith(("Expression tree", "parser stack")):
        return InvalidFilter("filter_depth", limit=DEPTH)
    return StoreError("store_failed", reason=_reason(error, code))


def _reason(error: Exception, code: int) -> str:
    if code in {0, sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_MISUSE}:
        return str(error)  # names of tables and columns: values are always bound
    return f"SQLite reports {getattr(error, 'sqlite_errorname', 'an error')}"
