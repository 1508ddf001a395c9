"""One SQLite file, opened as a store.

A write unit begins with ``BEGIN IMMEDIATE``, so it holds the write lock before it reads: a deferred one that reads
first and writes later fails as soon as another was faster.  Writers of this process queue on a lock of ours, those of
others wait with jitter; "database is locked" never gets out.  Read units see one snapshot (WAL) and wait for nobody.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, cast

import attrs

from nubetis.backends.sql.dialects import Connection, Dialect, Profile
from nubetis.backends.sql.pool import Pool
from nubetis.backends.sql.sqlite.checks import check_file, facts_of
from nubetis.backends.sql.sqlite.connections import Location, connect, locate, refuse_no_folder, remove
from nubetis.backends.sql.sqlite.copies import copy_out, found_in
from nubetis.backends.sql.sqlite.dialect import SQLITE
from nubetis.backends.sql.store import SqlStore
from nubetis.backends.sql.tables import Tables
from nubetis.backends.sql.units import Units
from nubetis.errors import NotFound
from nubetis.model.store import Capabilities

if TYPE_CHECKING:
    from nubetis.backends.sql.sqlite.connections import Link
    from nubetis.model.findings import Finding

__all__ = ["SqliteFile", "open_sqlite", "pool_of"]


def open_sqlite(url: str, *, create: bool) -> SqlStore:
    """Open the organisation in an SQLite file; with *create* make the file where there is none.

    Raises:
        NotFound: ``no_database``; no file is made.
        Damaged: ``not_sqlite``; ``damaged``, it is broken.
        NewerFormat: a later nubetis wrote it.
        StoreError: ``not_nubetis``, nothing was changed; ``no_folder``, to make a file in.

    >>> open_sqlite("sqlite:///acme.db", create=True).format() is None
    True
    """
    place = locate(url)
    pool = pool_of(place)
    with pool.inside():
        # the function, because the method of Path raises where a name is too long or a folder may not be entered
        exists = os.path.isfile(place.path) and found_in(place)  # noqa: PTH113
        if not exists and not create:
            raise NotFound("no_database", url=place.url)
        return SqlStore(SqliteFile.at(place, pool, make=not exists))


def pool_of(place: Location) -> Pool:
    """Give the connections to the file at *place*."""
    return Pool(lambda: connect(place.path, place.profile), file=place.path)


@attrs.frozen
class SqliteFile:
    """A file; see :class:`nubetis.backends.sql.store.Database`."""

    url: str
    pool: Pool
    capabilities: Capabilities
    dialect: Dialect = SQLITE

    @classmethod
    def at(cls, place: Location, pool: Pool, *, make: bool) -> SqliteFile:
        """Open the file at *place*, or *make* it."""
        units = Units(place.url, pool, Tables(SQLITE))
        with ExitStack() as until_open:
            if make:
                refuse_no_folder(place.path, place.url)
                units.attempt(lambda _: connect(place.path, mode="rwc").close())
                until_open.callback(remove, place.path)
            until_open.callback(pool.close)
            if make:  # now, while what fails can be taken away again
                units.apart(_log)
            units.apart(SQLITE.catalogue)  # makes what lies beside the file, if there is room
            found = cls(place.url, pool, units.apart(lambda link: _capabilities(cast("Link", link), place.profile)))
            until_open.pop_all()
        return found

    def make_ready(self, link: Connection) -> None:
        """Let the file have a log, as a back-up has none: the file itself says so, and it stays so."""
        _log(link)

    def shed(self, link: Connection) -> bool:
        """Write the log into the file and empty it, unless others read an older state."""
        ((patience,),) = link.execute("PRAGMA busy_timeout").fetchall()
        link.execute("PRAGMA busy_timeout = 0")  # each write tries again: none waits for a long reader
        try:
            ((busy, *_),) = link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        finally:
            link.execute(f"PRAGMA busy_timeout = {int(patience or 0)}")
        return not busy

    def rewrite(self, link: Connection) -> None:
        """Make the pages anew, by way of a file of the system's: SQLite leaves bytes of rows it moved between rows.

        ``secure_delete`` overwrites what is deleted, not what lay there before a page was put in order.  Cost: about a
        second for each 100 MB, and as much room beside the file.
        """
        link.execute("PRAGMA temp_store = FILE")
        try:
            link.execute("VACUUM")
        finally:
            link.execute("PRAGMA temp_store = MEMORY")

    def leave(self, link: Connection) -> None:
        """Take the file away while nobody else can write it; who has it open finds that out."""
        remove(cast("Link", link).path)

    def copy_out(self, link: Connection, target: str) -> None:
        """Copy the database to the file *target*."""
        copy_out(cast("Link", link), target)

    def check(self, link: Connection) -> Iterator[Finding]:
        """Give what is wrong with the file and its pages."""
        return check_file(cast("Link", link))

    def mend(self, link: Connection, finding: Finding) -> None:
        """Make an index again, or empty the log."""
        if finding.code == "index_wrong":
            link.execute(f"REINDEX {SQLITE.compiler.identifier_preparer.quote_identifier(finding.about)}")
        elif finding.code == "log_large":
            self.shed(link)

    def facts(self, link: Connection) -> dict[str, str | int]:
        """Give what the file has and how it is written."""
        return facts_of(cast("Link", link))


def _log(link: Connection) -> None:
    link.execute("PRAGMA journal_mode = WAL")


def _capabilities(link: Link, profile: Profile) -> Capabilities:
    columns, params = map(link.getlimit, (sqlite3.SQLITE_LIMIT_COLUMN, sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER))
    durable = profile is Profile.DURABLE
    return Capabilities(name="sqlite", durable=durable, max_fields=columns, max_params=params)
