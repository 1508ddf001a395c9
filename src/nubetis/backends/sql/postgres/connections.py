"""Connections to one schema of a PostgreSQL server: what its URL says, and the settings every connection has."""

from __future__ import annotations

import random
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import count
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import attrs
import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import Conninfo, PipelineStatus, TransactionStatus

from nubetis.backends.sql.dialects import Cursor, Profile
from nubetis.backends.sql.postgres.copy_text import copy_text
from nubetis.backends.sql.postgres.faults import Unfit, is_busy, unreachable, was_slower
from nubetis.backends.sql.units import PATIENCE, milliseconds, of_a_lock
from nubetis.backends.urls import shown
from nubetis.errors import InvalidValue, StoreError
from nubetis.types import Row, Stored

__all__ = ["Link", "Location", "connect", "locate", "reconnect"]

_SCHEMES: Final = ("postgresql", "postgresql+psycopg")
_LONGEST: Final = 63
"""Bytes of a name."""
_MEANT: Final = frozenset({"$user", "information_schema"})
"""Names that mean something else in a search path, even quoted, or are the server's, besides ``pg_…``."""
_HOST: Final = re.compile(r"(?P<name>[^:\[\]]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]*))?")
_RESTART: Final = 5.0
"""Seconds that a server may take to come back."""
_ALIVE: Final = frozenset({TransactionStatus.INTRANS, TransactionStatus.INERROR})
_WHOLE: Final = _ALIVE | {TransactionStatus.IDLE}


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
    parts = _parts(url)
    settings = _settings(parts.query)
    schema, profile = settings.pop("schema", "nubetis"), settings.pop("profile", Profile.DURABLE.value)
    if parts.scheme not in _SCHEMES:
        raise _bad("url", "write it as postgresql://user@host/database?schema=acme")
    if profile not in list(Profile):
        raise _bad("url", "profile is durable or fast")
    _refuse_unknown(settings)
    _refuse_schema(schema)
    user, _, hosts = parts.netloc.rpartition("@")
    name, _, password = user.partition(":")
    given = {"user": unquote(name), "password": unquote(password), "dbname": unquote(parts.path[1:]), **_hosts(hosts)}
    told = {key: value for key, value in given.items() if value} | settings
    _refuse_no_database(told)
    return Location(shown(url), _conninfo(told), schema, Profile(profile))


def _bad(argument: str, reason: str) -> InvalidValue:
    return InvalidValue("bad_argument", argument=argument, reason=reason)


def _refuse_schema(name: str) -> None:
    """Refuse a name that PostgreSQL takes for another: tables would be made elsewhere than the URL says."""
    if not 0 < len(name.encode()) <= _LONGEST or "\0" in name:
        raise _bad("url", "the name of a schema has 1 to 63 bytes, such as schema=acme")
    if name in _MEANT or name.startswith("pg_"):
        raise _bad("url", "PostgreSQL keeps this name of a schema for itself: choose another, such as schema=acme")


def _refuse_no_database(settings: Mapping[str, str]) -> None:
    """Refuse to take the database that the driver guesses, which has the name of the user."""
    by_default = {setting.keyword.decode() for setting in Conninfo.get_defaults() if setting.val}
    if {"dbname", "service"}.isdisjoint({name for name, value in settings.items() if value} | by_default):
        raise _bad("url", "it names no database: write it as postgresql://user@host/database?schema=acme")


def _refuse_unknown(settings: Mapping[str, str]) -> None:
    """Name a setting that neither nubetis nor the driver knows; one with @ is a part of a password."""
    known = {setting.keyword.decode() for setting in Conninfo.get_defaults()}
    strange = [name for name in settings if name not in known]
    if strange and any("@" in value for value in settings.values()):
        raise _unescaped()
    if strange:
        raise _bad("url", f"nobody knows the setting {strange[0]}; those of nubetis are schema and profile")


def _bad_port() -> InvalidValue:
    """Say what is wrong with a port, and not what it is: where the host was forgotten it is a password."""
    return _bad("url", "what stands behind the host and a colon is its port, in digits, such as db.example:5432")


def _unescaped() -> InvalidValue:
    return _bad("url", "in a name or password write @ as %40, / as %2F, : as %3A, # as %23 and ? as %3F")


def _parts(url: str) -> SplitResult:
    """Split *url*; letters of a password that are not escaped would be taken for a part of the URL, and shown."""
    try:
        parts = urlsplit(url)
        url.encode()
    except ValueError:  # its text may show all of it
        raise _unescaped() from None
    if parts.fragment or any("@" in text for text in (parts.path, parts.query.partition("=")[0])):
        raise _unescaped()
    if "@" in parts.netloc.rpartition("@")[0]:
        raise _unescaped()
    return parts


def _settings(query: str) -> dict[str, str]:
    try:
        return dict(parse_qsl(query, keep_blank_values=True, errors="strict"))
    except ValueError:  # bytes that are no text: each would be read as the same character, and two schemas as one
        raise _bad("url", "what is escaped in it is not UTF-8") from None


def _hosts(text: str) -> dict[str, str]:
    """Give what the driver calls host and port; there may be several, with commas between them."""
    pairs = [_HOST.fullmatch(each) for each in text.split(",")]
    found = [pair for pair in pairs if pair is not None]
    if len(found) < len(pairs):
        several = any(each.count(":") > 1 for each in text.split(","))
        raise _unescaped() if several else _bad_port()
    ports = [pair["port"] or "" for pair in found]
    return {
        "host": ",".join([unquote(pair["name"]).strip("[]") for pair in found]),
        "port": ",".join(ports) if any(ports) else "",
    }


def _conninfo(settings: Mapping[str, str]) -> str:
    try:
        return make_conninfo("", **settings)
    except psycopg.Error:
        raise _bad("url", "the driver does not take one of the settings after the question mark") from None


class Link:
    """A connection that begins no transaction by itself; see :class:`nubetis.backends.sql.dialects.Connection`."""

    def __init__(self, connection: psycopg.Connection[tuple[Any, ...]], url: str) -> None:
        self.born = 0
        self._url = url
        self._connection = connection
        self._names = count(1)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction stands, sound or not."""
        return self._connection.info.transaction_status in _ALIVE

    @property
    def usable(self) -> bool:
        """Say whether the server still answers, as far as is known; one that broke in a pipeline never leaves it."""
        info = self._connection.info
        return info.pipeline_status is PipelineStatus.OFF and info.transaction_status in _WHOLE

    def is_there(self) -> bool:
        """Say so: nobody moves a schema that is in use."""
        return True

    def begin(self, sql: str, lock: str = "", /) -> None:
        """Begin a transaction and take a lock, in one message: the snapshot is made by what comes after both."""
        self._connection.execute(f"{sql}; {lock}".encode(), prepare=False)

    def execute(self, sql: str, parameters: Sequence[Stored] = (), /) -> Cursor:
        """Run one statement."""
        try:
            return cast("Cursor", self._connection.execute(sql.encode(), parameters))
        except psycopg.DataError as error:
            raise _judged(error) from None

    def executemany(self, sql: str, parameters: Iterable[Sequence[Stored]], /) -> Cursor:
        """Run one statement for each of *parameters*, in one conversation.

        Of one that fails its own error is raised, once the conversation has ended: an error that goes through the end
        of one makes the driver log that what came after was not done.
        """
        cursor = self._connection.cursor()
        failed: BaseException | None = None
        try:
            with self._connection.pipeline():
                try:
                    cursor.executemany(sql.encode(), parameters)
                except psycopg.Error as error:
                    failed = error
        except psycopg.errors.PipelineAborted as aborted:
            failed = failed or aborted.__context__ or aborted
        if failed is not None:
            raise failed
        return cast("Cursor", cursor)

    def insert_many(self, sql: str, lots: Iterable[Sequence[Row]], /) -> None:
        """Insert rows by ``COPY``; the server works at one lot while the next is made ready."""
        with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
            for rows in lots:
                copy.write(copy_text(rows))

    def stream(self, sql: str, parameters: Sequence[Stored] = (), /) -> Cursor:
        """Run a query whose rows wait in the server."""
        cursor = self._connection.cursor(name=f"rows{next(self._names)}")
        try:
            cursor.execute(sql.encode(), parameters)
        except psycopg.Error as error:
            with suppress(psycopg.Error):  # the line is lost: what follows says so
                cursor.close()
            raise (_judged(error) if isinstance(error, psycopg.DataError) else error) from None
        return cast("Cursor", cursor)

    def commit(self) -> None:
        """Make the transaction last; one in which a statement failed cannot."""
        try:
            said = self._connection.execute("COMMIT").statusmessage
        except psycopg.OperationalError as error:
            if was_slower(error):
                raise
            raise StoreError("commit_unknown", url=self._url) from None
        if said != "COMMIT":
            raise StoreError("store_failed", reason="the unit went on after a statement that failed")

    def close(self) -> None:
        """Let go of the server."""
        self._connection.close()


def _judged(error: psycopg.DataError) -> psycopg.DataError:
    """Tell what the driver cannot send from what the server cannot take, after which nothing more can be asked."""
    return Unfit(*error.args) if error.sqlstate is None else error


def connect(place: Location, *, patience: float = PATIENCE) -> Link:
    """Connect to the schema at *place*, whether it is there or not; who uses it waits *patience* seconds for a row.

    Raises:
        StoreError: ``unreachable``.
        psycopg.Error: the server was there, and ended the connection; the next may do.
    """
    try:
        connection = psycopg.connect(place.conninfo, autocommit=True, application_name="nubetis")
    except psycopg.Error as error:
        raise unreachable(error, place.url) from None
    settings = {
        "search_path": _quoted(place.schema),
        "synchronous_commit": "on" if place.profile is Profile.DURABLE else "off",
        "lock_timeout": f"{milliseconds(of_a_lock(patience))}ms",
        "jit": "off",  # compiling costs more than a page
        "client_encoding": "UTF8",
    }
    try:
        for name, value in settings.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
    except psycopg.Error as error:
        connection.close()
        if is_busy(error):
            raise
        raise unreachable(error, place.url) from None
    return Link(connection, place.url)


def reconnect(place: Location, *, patience: float = PATIENCE) -> Link:
    """Connect to where there was a server before: one that restarts is waited for, for some seconds.

    Raises:
        StoreError: ``unreachable``.
    """
    deadline, pause = time.monotonic() + _RESTART, 0.02
    while True:
        try:
            return connect(place, patience=patience)
        except StoreError:
            if time.monotonic() > deadline:
                raise
        time.sleep(random.uniform(0, pause))  # noqa: S311 - spreads those who come back
        pause = min(pause * 2, 0.5)


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
