"""Whole files: what one holds, and copies of it that are complete or not there at all."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from nubetis.backends.sql.sqlite.connections import (
    Link,
    Location,
    connect,
    locate,
    may_name_a_file,
    refuse_no_folder,
    uri,
)
from nubetis.backends.sql.sqlite.dialect import SQLITE
from nubetis.backends.sql.sqlite.faults import decoding, translated
from nubetis.backends.sql.store import format_of, has_begun
from nubetis.errors import Conflict, Damaged, StoreError, system_reason

__all__ = ["copy_out", "found_in", "put_in_place", "refuse_taken", "restore"]

_NONE: Final = "it is no database of nubetis"


def found_in(place: Location) -> bool:
    """Say whether something of ours is in the file, which may be empty; nothing is changed."""
    with _reading(place.path, place.url) as link:
        return has_begun(link, SQLITE, place.url)


def copy_out(link: Link, target: str) -> None:
    """Copy the database to the file *target*, which must not be there; what :func:`restore` would refuse is no copy.

    Raises:
        StoreError: ``unwritable``.
        Damaged: ``not_backed_up``.
    """
    refuse_taken(target)
    try:
        with _temporary(target) as temporary:
            _copy(link, temporary)  # page by page, be they ruined
            with _reading(temporary, link.path) as made:
                _verify(made, link.path)
    except Damaged as error:
        raise Damaged("not_backed_up", file=link.path, reason=error.params.get("reason", _NONE)) from None


def refuse_taken(target: str) -> None:
    """Stop where no file can be made at *target*.

    Raises:
        StoreError: ``unwritable``.
    """
    if not may_name_a_file(target):
        raise StoreError("unwritable", file=target, reason="no file can have this name")
    if os.path.lexists(target):
        raise StoreError("unwritable", file=target, reason="there is a file of this name")


@contextmanager
def put_in_place(url: str) -> Generator[str]:
    """Give the URL of a file to be made, which takes the place of the one at *url* when all went well.

    Until then what is at *url* is as it was.  Whoever has it open must close it before.
    """
    place = locate(url)
    with _temporary(place.path) as temporary:
        yield f"sqlite:///{temporary}?profile=fast"
        with closing(connect(temporary)) as link:
            link.execute("PRAGMA journal_mode = DELETE")  # one file that is whole by itself
        _sync(temporary)
        _clear(place)


def restore(source: str, url: str, *, replace: bool = False, look: Callable[[str], object] = lambda file: None) -> None:
    """Put the snapshot in the file *source* in the place of *url*; with *replace* also where there is one already.

    The snapshot is verified first, and a copy of it is shown to *look*, which may raise, before anything goes.  Whoever
    has the old file open must close it before.  What is no organisation is never replaced.

    Raises:
        Conflict: ``database_exists``.
        StoreError: ``not_nubetis``, ``store_busy``, ``unwritable``.
        Damaged: the snapshot is not whole; ``not_sqlite``, what is at *url* is no database.
        NewerFormat: a later nubetis wrote it.
    """
    place = locate(url)
    if _is_one(place) and not replace:
        raise Conflict("database_exists", url=place.url)
    if not Path(source).is_file():
        raise StoreError("unreadable", file=source, reason="there is no such file")
    with _restorable(source) as link, _temporary(place.path) as temporary:
        _copy(link, temporary)
        look(temporary)
        _clear(place)


def _is_one(place: Location) -> bool:
    """Say whether an organisation is at *place*, be it damaged; not where there is nothing, or an empty file.

    Raises:
        StoreError: ``not_nubetis``; ``not_sqlite``; something else is there.
    """
    try:
        return os.path.lexists(place.path) and found_in(place)
    except Damaged as error:
        if error.code == "not_sqlite":
            raise
        return True


@contextmanager
def _restorable(source: str) -> Generator[Link]:
    """Give a snapshot that is whole; of one that is not say so, and not to restore a back-up."""
    try:
        with _reading(source, source) as link:
            _verify(link, source)
            yield link
    except Damaged as error:
        raise Damaged("unrestorable", file=source, reason=error.params.get("reason", _NONE)) from None


@contextmanager
def _reading(path: str, named: str) -> Generator[Link]:
    try:
        with closing(sqlite3.connect(uri(path, "ro"), uri=True, factory=Link)) as link:
            with decoding():
                link.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
            yield link
    except sqlite3.Error as error:
        raise translated(error, named) from None


def _verify(link: Link, source: str) -> None:
    if format_of(link, SQLITE, source) is None:
        raise StoreError("not_nubetis", url=source)
    if [row[0] for row in link.execute("PRAGMA integrity_check(1)")] != ["ok"]:
        raise Damaged("damaged", what=source, reason="its pages do not fit together")


@contextmanager
def _temporary(target: str) -> Generator[str]:
    """Give the name of a file that becomes *target* at the end, with the rights of the one that was there, or goes.

    Until then it is in a folder of its own beside it, where nobody else can read it.
    """
    refuse_no_folder(target, target)
    parent = Path(target).absolute().parent
    try:
        rights = stat.S_IMODE(Path(target).stat().st_mode) if Path(target).exists() else None
        with TemporaryDirectory(prefix=".nubetis-", dir=parent) as folder:
            temporary = Path(folder, "copy.db")
            yield str(temporary)
            if rights is not None:
                temporary.chmod(rights)
            temporary.replace(target)
        _sync(str(parent))
    except OSError as error:
        raise StoreError("unwritable", file=target, reason=system_reason(error)) from None
    except sqlite3.Error as error:
        raise translated(error, target) from None


def _copy(link: sqlite3.Connection, target: str) -> None:
    with closing(sqlite3.connect(uri(target, "rwc"), uri=True, isolation_level=None)) as copy:
        link.backup(copy)
        with decoding():
            copy.execute("PRAGMA journal_mode = DELETE")  # one file that is whole by itself
    _sync(target)


def _sync(path: str) -> None:
    """Bring a file or folder to the disk; where a system cannot open folders, its own rename must do."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _clear(place: Location) -> None:
    """Bring the old file to rest, so that nothing beside it is taken for a part of the new one."""
    if not Path(place.path).exists():
        return
    try:
        with closing(connect(place.path)) as old:
            old.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.DatabaseError as error:
        found = translated(error, place.url)
        if not isinstance(found, Damaged):
            raise found from None
    for left in ("-wal", "-shm"):
        Path(f"{place.path}{left}").unlink(missing_ok=True)
