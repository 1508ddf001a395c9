"""One schema of a PostgreSQL server, opened as a store.

A write unit is serialisable: PostgreSQL lets writers work side by side, notices when the result could not have come
about one after the other, and takes one of them back; that one is run again, after a pause that grows and differs.
Read units see one snapshot and wait for no writer, but for two that take a whole table until they commit: a change of
the schema, and a load of many rows into a module that has none, which takes its indexes away and makes them at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import attrs

from nubetis.backends.sql.dialects import Connection, Dialect, Profile
from nubetis.backends.sql.pool import Pool
from nubetis.backends.sql.postgres.connections import Location, connect, locate, reconnect
from nubetis.backends.sql.postgres.dialect import POSTGRES
from nubetis.backends.sql.store import SqlStore, has_begun
from nubetis.backends.sql.tables import Tables
from nubetis.backends.sql.units import PATIENCE, Units
from nubetis.errors import NotFound, StoreError
from nubetis.model.findings import Finding
from nubetis.model.store import Capabilities

__all__ = ["PostgresSchema", "open_postgres"]

_OLDEST: Final = 13
_MOST_COLUMNS: Final = 330
"""A row must fit a page: 8,160 bytes, 224 of them for what the row says of itself, also of 1,600 columns of which most
were dropped.  A text takes 24 at most, for longer ones lie outside; a number 15, with the gap before it."""
_ENCODING: Final = "UTF8"
"""Others cannot hold every text, or hold bytes that are none."""
_SETTINGS: Final = {
    "version": "server_version",
    "encoding": "server_encoding",
    "fsync": "fsync",
    "full_page_writes": "full_page_writes",
    "synchronous_commit": "synchronous_commit",
    "time_zone": "TimeZone",
}
"""Fact → setting of the server."""
_ISOLATION: Final = {"isolation_of_reads": POSTGRES.begin_read, "isolation_of_writes": POSTGRES.begin_write}
"""Units name their own isolation, whatever the server's default is."""
_LEVEL: Final = re.compile(r"ISOLATION LEVEL (SERIALIZABLE|REPEATABLE READ|READ COMMITTED)")

_WIDE: Final = """
SELECT relname, relnatts FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relkind = 'r' AND relnatts >= 1400 ORDER BY relname
"""
"""Tables that have had so many columns; those that were dropped count as well, for ever."""

_SIZE: Final = """
SELECT sum(pg_total_relation_size(pg_class.oid)) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relkind = 'r'
"""


def open_postgres(url: str, *, create: bool, patience: float = PATIENCE) -> SqlStore:
    """Open the organisation in a schema; with *create* make the schema where there is none.

    *patience* is how many seconds a unit waits for others before it gives up.

    Raises:
        NotFound: ``no_database``; no schema is made.
        NewerFormat: a later nubetis wrote it.
        StoreError: ``unreachable``, ``not_nubetis``, ``encoding_wrong``, ``read_only_server``, ``no_schema``; nothing
            was changed.
    """
    place = locate(url)
    found = PostgresSchema.at(place, patience=patience)
    units = Units(place.url, found.pool, Tables(POSTGRES), patience)
    units.attempt(lambda _: connect(place).close())  # a server that is not there is not waited for
    try:
        units.apart(lambda link: _enter(link, place, create=create))
    except BaseException:
        found.pool.close()
        raise
    return SqlStore(found, patience=patience)


def _enter(link: Connection, place: Location, *, create: bool) -> None:
    there = link.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (place.schema,)).fetchone() is not None
    if there and not link.execute("SELECT 1 WHERE has_schema_privilege(%s, 'USAGE')", (place.schema,)).fetchall():
        raise StoreError("read_only_server", url=place.url, reason="the schema is closed to the user")
    if there and has_begun(link, POSTGRES, place.url):
        return
    if not create:
        raise NotFound("no_database", url=place.url)
    encoding = str(_only(link, "SHOW server_encoding"))
    if encoding != _ENCODING:
        raise StoreError("encoding_wrong", url=place.url, encoding=encoding)
    if not there:
        _refuse_no_right(link, place)
        name = POSTGRES.compiler.identifier_preparer.quote(place.schema)
        link.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")


def _refuse_no_right(link: Connection, place: Location) -> None:
    """Stop where the schema is not there and may not be made."""
    asked = "SELECT current_database(), current_user, has_database_privilege(current_database(), 'CREATE')"
    row = link.execute(asked).fetchone()
    if row is not None and not row[2]:
        quote = POSTGRES.compiler.identifier_preparer.quote
        database, user = [quote(str(name)) for name in row[:2]]
        raise StoreError("no_schema", url=place.url, schema=place.schema, database=database, user=user)


@attrs.frozen
class PostgresSchema:
    """A schema; see :class:`nubetis.backends.sql.store.Database`."""

    url: str
    pool: Pool
    capabilities: Capabilities
    dialect: Dialect = POSTGRES

    @classmethod
    def at(cls, place: Location, *, patience: float = PATIENCE) -> PostgresSchema:
        """Give the schema at *place*."""
        durable = place.profile is Profile.DURABLE
        can = Capabilities(
            name="postgresql", durable=durable, snapshots=False, max_fields=_MOST_COLUMNS, max_params=65_535
        )
        return cls(place.url, Pool(lambda: reconnect(place, patience=patience)), can)

    def make_ready(self, link: Connection) -> None:
        """Do nothing: a server is."""

    def shed(self, link: Connection) -> bool:  # noqa: ARG002 - nothing is asked of it
        """Do nothing: the server keeps its log and its pages for itself, and its keeper says for how long."""
        return True

    def rewrite(self, link: Connection) -> None:
        """Do nothing: the server's own VACUUM takes what is gone out of its tables, when its keeper says so."""

    def leave(self, link: Connection) -> None:
        """Drop the tables; a schema without any may have been somebody's already."""
        quote = POSTGRES.compiler.identifier_preparer.quote
        for table in POSTGRES.catalogue(link):
            link.execute(f"DROP TABLE {quote(table)} CASCADE")
        link.commit()

    def copy_out(self, link: Connection, target: str) -> None:  # noqa: ARG002 - it does not get that far
        """Refuse: no file is the copy of a schema; :meth:`nubetis.Org.backup` copies the organisation into one."""
        raise StoreError("no_capability", what="snapshots", hint="Back it up: nubetis backup.")

    def check(self, link: Connection) -> Iterator[Finding]:
        """Give what is wrong with the server's settings; it looks after its pages itself."""
        facts = self.facts(link)
        if int(str(facts["version"]).partition(".")[0]) < _OLDEST:
            yield Finding("server_old", str(facts["version"]), str(_OLDEST))
        if facts["encoding"] != _ENCODING:
            yield Finding("encoding_wrong", self.url, str(facts["encoding"]))
        if self.capabilities.durable and facts["fsync"] == "off":
            yield Finding("not_durable", self.url, "fsync = off")
        if self.capabilities.durable and facts["full_page_writes"] == "off":
            yield Finding("not_durable", self.url, "full_page_writes = off")
        for name, columns in link.execute(_WIDE):
            yield Finding("columns_low", str(name), count=int(columns or 0))

    def mend(self, link: Connection, finding: Finding) -> None:
        """Do nothing: settings are the server's keeper's."""

    def facts(self, link: Connection) -> dict[str, str | int]:
        """Give what the server says of itself."""
        found = {name: str(_only(link, f"SHOW {setting}")) for name, setting in _SETTINGS.items()}
        size = _only(link, _SIZE)
        levels = {name: level[1].lower() for name, begin in _ISOLATION.items() if (level := _LEVEL.search(begin))}
        return {**found, **levels, "version": found["version"].partition(" ")[0], "bytes": int(str(size or 0))}


def _only(link: Connection, query: str) -> object:
    row = link.execute(query).fetchone()
    return None if row is None else row[0]
