"""PostgreSQL, 13 or later: text by the C collation, so that it sorts by code point as everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from nubetis.backends.sql.dialects import Bool, Cell, Connection, Dialect
from nubetis.backends.sql.postgres.faults import is_busy, translated, violated
from nubetis.model.fields import Storage
from nubetis.model.fold import TILDE
from nubetis.types import Stored

__all__ = ["POSTGRES"]

_INTEGER: Final = sa.BIGINT()
_TEXT: Final = sa.TEXT(collation="C")
_COMPILER: Final = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy says no more of it

_COLUMNS: Final = """
SELECT attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relname = %s AND attnum > 0 AND NOT attisdropped
ORDER BY attnum
"""


def _columns_of(connection: Connection, table: str) -> list[str]:
    return [str(row[0]) for row in connection.execute(_COLUMNS, (table,))]


def _indexes_of(connection: Connection, table: str) -> set[str]:
    text = "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema() AND tablename = %s"
    return {str(row[0]) for row in connection.execute(text, (table,))}


def _tables_of(connection: Connection) -> list[str]:
    rows = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    return [str(row[0]) for row in rows]


def _one_of_many(column: Cell, packed: Cell) -> Bool:
    return column.op("=", is_comparison=True)(sa.func.any(packed))


def _pack_many(values: Sequence[Stored]) -> Stored:
    return cast("Stored", list(values))  # the driver makes an array of it


def _ordered(column: Cell, descending: bool) -> Cell:  # noqa: FBT001 - one of two orders
    return column.desc().nulls_last() if descending else column.asc().nulls_first()


def _bulk(table: sa.Table, columns: Sequence[str]) -> sa.ClauseElement:
    quote = _COMPILER.identifier_preparer.quote
    names = ", ".join([quote(name) for name in columns])
    return sa.text(f"COPY {quote(table.name)} ({names}) FROM STDIN".replace(":", "\\:"))


POSTGRES: Final = Dialect(
    name="postgresql",
    compiler=_COMPILER,
    types={
        Storage.TEXT: _TEXT, Storage.INTEGER: _INTEGER, Storage.DECIMAL: _INTEGER, Storage.BOOLEAN: _INTEGER,
        Storage.DATE: _TEXT, Storage.DATETIME: _TEXT, Storage.TIME: _TEXT, Storage.KEY: _INTEGER, Storage.SET: _TEXT,
        Storage.BYTES: sa.LargeBinary(),
    },
    contains=lambda column, text: sa.func.strpos(column, text) > sa.literal_column("0"),
    ends=lambda column, text, length: sa.func.right(column, length) == text,
    plain=lambda column: sa.func.replace(column, sa.literal_column(f"'{TILDE}'"), sa.literal_column("''")),
    one_of_many=_one_of_many,
    pack_many=_pack_many,
    ordered=_ordered,
    raised=psycopg.Error,
    collision=psycopg.IntegrityError,
    unfit=(psycopg.DataError, UnicodeEncodeError),
    violated=violated,
    is_busy=is_busy,
    is_unreadable=lambda error: False,  # the server takes in nothing but Unicode
    translated=translated,
    columns_of=_columns_of,
    indexes_of=_indexes_of,
    tables_of=_tables_of,
    table_options={},
    side_options={},
    partial="postgresql_where",
    key_in_index=True,
    longest_indexed=290,  # an entry has room for 2,704 bytes; a syllable of Hangul is folded to 9
    digest=sa.func.md5,  # who makes two texts of one digest may keep only one of them
    bulk=_bulk,
    begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    begin_write="BEGIN ISOLATION LEVEL SERIALIZABLE",
    begin_schema="BEGIN ISOLATION LEVEL READ COMMITTED",
    schema_lock="SELECT pg_advisory_xact_lock(780173, hashtext(current_schema()))",
    table_lock="LOCK TABLE {table} IN EXCLUSIVE MODE",
    one_writer=False,
)  # fmt: skip
