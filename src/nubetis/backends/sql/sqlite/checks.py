"""What is wrong with a file: its pages, its indexes, its log, its rights, its disk."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nubetis.model.findings import Finding

if TYPE_CHECKING:
    from nubetis.backends.sql.sqlite.connections import Link

__all__ = ["check_file", "facts_of"]

LEAST_FREE: Final = 64
"""Megabytes that must be free: the log may grow to as much before it is cut."""

LARGEST_LOG: Final = 256
"""Megabytes of the log that are in order; it is cut to 64 as soon as nobody reads an older state."""

_MB: Final = 1 << 20
_MOST: Final = 20
"""Faults of the file that are listed; more would say nothing more."""

_INDEX: Final = re.compile(
    r"(?:row \d+ missing from|wrong # of entries in|non-unique entry in|rowid not at end-of-record for row \d+ of"
    r"|row \d+ values differ in|values differ for row \d+ of) index (?P<name>\S+)"
)
"""What SQLite says where an index does not fit its table, which REINDEX puts right."""

_OPTIONS: Final = ("THREADSAFE", "MAX_VARIABLE_NUMBER", "MAX_COLUMN", "DEFAULT_WAL_SYNCHRONOUS", "SECURE_DELETE")


def check_file(link: Link) -> Iterator[Finding]:
    """Give what is wrong with the file of a connection."""
    yield from _rights(link.path)
    free = shutil.disk_usage(Path(link.path).parent).free // _MB
    if free < LEAST_FREE:
        yield Finding("disk_low", link.path, count=free)
    log = _size(f"{link.path}-wal") // _MB
    if log > LARGEST_LOG:
        yield Finding("log_large", link.path, count=log)
    for row in link.execute(f"PRAGMA integrity_check({_MOST})"):
        if row[0] != "ok":
            yield _fault(link.path, str(row[0]))


def _fault(path: str, said: str) -> Finding:
    index = _INDEX.fullmatch(said)
    return Finding("file_damaged", path, said) if index is None else Finding("index_wrong", index["name"])


def _rights(path: str) -> Iterator[Finding]:
    for name in (path, f"{path}-wal"):
        if Path(name).exists():
            if not os.access(name, os.W_OK) or not os.access(Path(name).parent, os.W_OK):
                yield Finding("read_only", name)
            if Path(name).stat().st_mode & stat.S_IWOTH:
                yield Finding("exposed", name)


def facts_of(link: Link) -> dict[str, str | int]:
    """Give what the file has, how it is written, and what SQLite was compiled for."""
    return {
        "path": link.path,
        "mode": stat.filemode(Path(link.path).stat().st_mode),
        "bytes": _size(link.path),
        "log_bytes": _size(f"{link.path}-wal"),
        "free_disk_bytes": shutil.disk_usage(Path(link.path).parent).free,
        "journal_mode": str(link.execute("PRAGMA journal_mode").fetchone()[0]),
        "synchronous": ("off", "normal", "full", "extra")[int(link.execute("PRAGMA synchronous").fetchone()[0])],
        "page_size": int(link.execute("PRAGMA page_size").fetchone()[0]),
        "free_pages": int(link.execute("PRAGMA freelist_count").fetchone()[0]),
        "sqlite": sqlite3.sqlite_version,
        **_compiled(link),
    }


def _compiled(link: Link) -> dict[str, str | int]:
    """Give the options that matter, of those SQLite was compiled with."""
    found: dict[str, str] = {}
    for row in link.execute("PRAGMA compile_options"):
        name, _, value = str(row[0]).partition("=")
        found[name] = value or "yes"
    return {f"sqlite_{name.lower()}": found[name] for name in _OPTIONS if name in found}


def _size(path: str) -> int:
    return Path(path).stat().st_size if Path(path).exists() else 0
