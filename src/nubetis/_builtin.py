"""The built-in plug-ins: what nubetis is made of, registered by the hooks that a host uses."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from nubetis.backends.blobs import StoreBlobs
from nubetis.backends.memory import open_memory
from nubetis.data.files import BUILT_IN as BUILT_IN_FILES
from nubetis.errors import MissingExtra
from nubetis.hookspecs import Registry, hookimpl
from nubetis.model.fields import FieldType
from nubetis.model.kinds import BUILT_IN
from nubetis.model.rules import ValidationRules
from nubetis.model.schema import Module
from nubetis.model.standard import STANDARD_MODULES
from nubetis.session.retaining import RetentionRules

if TYPE_CHECKING:
    from nubetis.model.outbox import Message
    from nubetis.model.plan import Committed
    from nubetis.model.store import Store

__all__ = ["BUILT_IN_PLUGINS"]

_log = logging.getLogger("nubetis")


def _open_sqlite(url: str, *, create: bool) -> Store:
    """Open an SQLite file; SQLAlchemy loads here, and not before."""
    from nubetis.backends.sql import open_sqlite  # noqa: PLC0415 - the one door of a heavy library

    return open_sqlite(url, create=create)


def _open_postgres(url: str, *, create: bool) -> Store:
    """Open a schema of a PostgreSQL server; needs the extra ``postgres``."""
    try:
        from nubetis.backends.sql.postgres import open_postgres  # noqa: PLC0415 - the one door of a heavy library
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "psycopg":
            raise
        raise MissingExtra("missing_extra", package="psycopg", extra="postgres") from None
    return open_postgres(url, create=create)


class BuiltInStores:
    """The stores that come with nubetis."""

    @hookimpl
    def nubetis_stores(self, registry: Registry) -> None:
        """Register memory, SQLite and PostgreSQL."""
        registry.add_store("memory", open_memory)
        registry.add_store("sqlite", _open_sqlite)
        registry.add_store("postgresql", _open_postgres)
        registry.add_store("postgresql+psycopg", _open_postgres)

    @hookimpl
    def nubetis_blob_stores(self, registry: Registry) -> None:
        """Register the place inside the organisation's store."""
        registry.add_blob_store("store", StoreBlobs)


class BuiltInFiles:
    """The kinds of file that come with nubetis."""

    @hookimpl
    def nubetis_file_formats(self, registry: Registry) -> None:
        """Register what :mod:`nubetis.data.files` reads and writes without an organisation."""
        for file_format in BUILT_IN_FILES:
            registry.add_file_format(file_format)


class StandardModel:
    """The field types and modules that come with nubetis."""

    @hookimpl
    def nubetis_field_types(self) -> Sequence[FieldType]:
        """Give the built-in field types."""
        return tuple(BUILT_IN.values())

    @hookimpl
    def nubetis_modules(self) -> Sequence[Module]:
        """Give the standard modules."""
        return STANDARD_MODULES


class LogNotifications:
    """Takes what no other plug-in takes: writes a line to the log, without the message's body."""

    @hookimpl(trylast=True)
    def nubetis_notify(self, messages: Sequence[Message]) -> Sequence[str]:
        """Write one line for each message."""
        for message in messages:
            _log.info("notification %s %s", message.kind, message.key)
        return [message.key for message in messages]


class LogTransactions:
    """Writes one line to the log for each transaction, for whoever debugs: what was written, never a value."""

    @hookimpl
    def nubetis_committed(self, committed: Committed) -> None:
        """Write the line, where anybody wants it."""
        if _log.isEnabledFor(logging.DEBUG):
            operation, records = committed.operation, sum(map(len, committed.parts))
            kind = operation.cause.kind.value
            _log.debug("committed %s %s %s: %d records", committed.org_id, operation.id, kind, records)


BUILT_IN_PLUGINS: Final[tuple[object, ...]] = (
    BuiltInStores(),
    BuiltInFiles(),
    StandardModel(),
    ValidationRules(),
    RetentionRules(),
    LogNotifications(),
    LogTransactions(),
)
