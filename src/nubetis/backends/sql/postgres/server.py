"""One schema of a PostgreSQL server, opened as a store.

A write unit is serialisable: PostgreSQL lets writers work side by side, notices when the result could not have come
about one after the other, and takes one of them back; that one is run again, after a pause that grows and differs.
Read units see one snapshot and wait for nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import attrs
import psycopg

from nubetis.backends.sql.dialects import Connection, Dialect, Profile
from nubetis.backends.sql.pool import Pool
from nubetis.backends.sql.postgres.connections import Location, connect, locate, reconnect
from nubetis.backends.sql.postgres.dialect import POSTGRES
from nubetis.backends.sql.postgres.faults import translated
from nubetis.backends.sql.store import SqlStore, format_of
from nubetis.errors import NotFound, StoreError
from nubetis.model.store import Capabilities

__all__ = ["PostgresSchema", "open_postgres"]


def open_postgres(url: str, *, create: bool) -> SqlStore:
    """Open the organisation in a schema; with *create* make the schema where there is none.

    Raises:
        NotFound: ``no_database``; no schema is made.
        NewerFormat: a later nubetis wrote it.
        StoreError: ``unreachable``, ``not_nubetis``, ``read_only_store``; nothing was changed.
    """
    place = locate(url)
    with closing(connect(place)) as link:
        try:
            _enter(link, place, create=create)
        except psycopg.Error as error:
            raise translated(error, place.url) from None
    return SqlStore(PostgresSchema.at(place))


def _enter(link: Connection, place: Location, *, create: bool) -> None:
    there = link.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (place.schema,)).fetchone() is not None
    if there and format_of(link, POSTGRES, place.url) is not None:
        return
    if not create:
        raise NotFound("no_database", url=place.url)
    if not there:
        name = POSTGRES.compiler.identifier_preparer.quote(place.schema)
        link.execute(f"CREATE SCHEMA IF NOT EXISTS {name}")


@attrs.frozen
class PostgresSchema:
    """A schema; see :class:`nubetis.backends.sql.store.Database`."""

    url: str
    pool: Pool
    capabilities: Capabilities
    dialect: Dialect = POSTGRES

    @classmethod
    def at(cls, place: Location) -> PostgresSchema:
        """Give the schema at *place*."""
        durable = place.profile is Profile.DURABLE
        # A row must fit a page of 8 KiB; a long text outside it takes 18 bytes, and its twin as much.
        can = Capabilities(name="postgresql", durable=durable, snapshots=False, max_fields=400, max_params=65_535)
        return cls(place.url, Pool(lambda: reconnect(place)), can)

    def shed(self, link: Connection) -> None:
        """Do nothing: the server keeps its log and its pages for itself, and its keeper says for how long."""

    def copy_out(self, link: Connection, target: str) -> None:  # noqa: ARG002 - it does not get that far
        """Refuse: no file is the copy of a schema; :meth:`nubetis.Org.backup` copies the organisation into one."""
        raise StoreError("no_capability", what="snapshots", hint="Back it up: nubetis backup.")

    def faults(self, link: Connection) -> Iterator[str]:  # noqa: ARG002 - there is nothing to ask
        """Give nothing: the server looks after its pages itself."""
        return iter(())
