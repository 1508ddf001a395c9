"""Connections to one schema of a PostgreSQL server: what its URL says, and the settings every connection has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import count
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

import attrs
import psycopg
from psycopg.pq import TransactionStatus

from nubetis.backends.sql.dialects import Cursor, Profile
from nubetis.backends.sql.postgres.faults import unreachable
from nubetis.errors import InvalidValue, StoreError
from nubetis.types import Row, Stored

__all__ = ["Link", "Location", "connect", "locate"]

_SCHEMES: Final = ("postgresql", "postgresql+psycopg")
_LONGEST: Final = 63
"""Bytes of a name."""
_LOCK_WAIT: Final = "60s"
_ALIVE: Final = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})


@attrs.frozen
class Location:
    """What a URL says; *url* is without password, *conninfo* is what the driver is told."""

    url: str
    conninfo: str = attrs.field(repr=False)
    schema: str
    profile: Profile = Profile.DURABLE


def locate(url: str) -> Location:
    """Read a URL such as ``postgresql+psycopg://ana@db.example/crm?schema=acme``; without a schema it is ``nubetis``.

    ``profile=fast`` lets a commit return before it is on the disk.  All else is the driver's: ``host``, ``sslmode``…

    Raises:
        InvalidValue: ``bad_argument``.

    >>> locate("postgresql://ana:secret@db.example/crm?schema=acme").url
    'postgresql://ana@db.example/crm?schema=acme'
    """
    parts = urlsplit(url)
    settings = dict(parse_qsl(parts.query, keep_blank_values=True))
    schema, profile = settings.pop("schema", "nubetis"), settings.pop("profile", Profile.DURABLE.value)
    if parts.scheme not in _SCHEMES or profile not in list(Profile):
        raise InvalidValue(
            "bad_argument", argument="url", reason="write it as postgresql://user@host/database?schema=acme"
        )
    if not 0 < len(schema.encode()) <= _LONGEST or "\0" in schema or schema.startswith("pg_"):
        raise InvalidValue("bad_argument", argument="url", reason=f"a schema has 1 to {_LONGEST} bytes, and no pg_")
    user, _, host = parts.netloc.rpartition("@")
    name = user.partition(":")[0]
    netloc = f"{name}@{host}" if name else host
    shown = urlunsplit((parts.scheme, netloc, parts.path, f"schema={quote(schema)}", ""))
    conninfo = urlunsplit(("postgresql", parts.netloc, parts.path, urlencode(settings, quote_via=quote), ""))
    return Location(shown, conninfo, schema, Profile(profile))


class Link:
    """A connection that begins no transaction by itself; see :class:`nubetis.backends.sql.dialects.Connection`."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]]) -> None:
        self.born = 0
        self._connection = connection
        self._names = count(1)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction stands, sound or not."""
        return self._connection.info.transaction_status in _ALIVE

    @property
    def usable(self) -> bool:
        """Say whether the server still answers, as far as is known."""
        return not self._connection.closed

    def is_there(self) -> bool:
        """Say so: nobody moves a schema that is in use."""
        return True

    def execute(self, sql: str, parameters: Sequence[Stored] = (), /) -> Cursor:
        """Run one statement."""
        return cast("Cursor", self._connection.execute(sql.encode(), parameters))

    def executemany(self, sql: str, parameters: Iterable[Sequence[Stored]], /) -> Cursor:
        """Run one statement for each of *parameters*, in one conversation."""
        cursor = self._connection.cursor()
        cursor.executemany(sql.encode(), parameters)
        return cast("Cursor", cursor)

    def insert_many(self, sql: str, rows: Sequence[Row], /) -> None:
        """Insert rows by ``COPY``."""
        with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for row in rows:
                copy.write_row(row)

    def stream(self, sql: str, parameters: Sequence[Stored] = (), /) -> Cursor:
        """Run a query whose rows wait in the server."""
        cursor = self._connection.cursor(name=f"rows{next(self._names)}")
        cursor.execute(sql.encode(), parameters)
        return cast("Cursor", cursor)

    def commit(self) -> None:
        """Make the transaction last; one in which a statement failed cannot."""
        try:
            said = self._connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if error.sqlstate is not None:
                raise
            raise StoreError(
                "store_failed", reason="the connection was lost while it committed: look whether it was written"
            ) from None
        if said != "COMMIT":
            raise StoreError("store_failed", reason="the unit went on after a statement that failed")

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


def connect(place: Location) -> Link:
    """Connect to the schema at *place*, whether it is there or not.

    Raises:
        StoreError: ``unreachable``.
    """
    try:
        connection = psycopg.connect(place.conninfo, autocommit=True, application_name="nubetis")
    except psycopg.OperationalError as error:
        raise unreachable(error, place.url) from None
    settings = {
        "search_path": _quoted(place.schema),
        "synchronous_commit": "on" if place.profile is Profile.DURABLE else "off",
        "lock_timeout": _LOCK_WAIT,
        "jit": "off",  # compiling costs more than a page
        "client_encoding": "UTF8",
    }
    for name, value in settings.items():
        connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    return Link(connection)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
