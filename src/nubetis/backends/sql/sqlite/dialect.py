"""SQLite, 3.40 or later: strict tables, the key as rowid, side tables without one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from nubetis.backends.sql.dialects import Bool, Cell, Connection, Dialect
from nubetis.backends.sql.sqlite.faults import is_busy, is_unreadable, translated
from nubetis.model.fields import Storage
from nubetis.model.fold import TILDE
from nubetis.types import Stored

__all__ = ["SQLITE"]

_TAKEN: Final = frozenset(
    {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID}
)


def _violated(error: Exception) -> tuple[str, ...]:
    """Read "UNIQUE constraint failed: deals.email__f, deals.x": names of ours, no values."""
    if not isinstance(error, sqlite3.IntegrityError) or error.sqlite_errorcode not in _TAKEN:
        return ()
    _, _, names = str(error).partition(": ")
    return tuple([name.partition(".")[2] for name in names.split(", ")])


def _columns_of(connection: Connection, table: str) -> list[str]:
    return [str(row[0]) for row in connection.execute("SELECT name FROM pragma_table_info(?)", (table,))]


def _indexes_of(connection: Connection, table: str) -> set[str]:
    return {str(row[0]) for row in connection.execute("SELECT name FROM pragma_index_list(?)", (table,))}


def _tables_of(connection: Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' ESCAPE '@'"
    )
    return [str(row[0]) for row in rows]


def _one_of_many(column: Cell, packed: Cell) -> Bool:
    return column.in_(sa.select(sa.func.json_each(packed).table_valued("value").c.value))


def _pack_many(values: Sequence[Stored]) -> Stored:
    return json.dumps(values)


def _bulk(table: sa.Table, columns: Sequence[str]) -> sa.ClauseElement:
    return sa.insert(table).values({name: sa.bindparam(f"p{place}") for place, name in enumerate(columns)})


_INTEGER: Final = sa.INTEGER()
_TEXT: Final = sa.TEXT()

SQLITE: Final = Dialect(
    name="sqlite",
    compiler=SQLiteDialect(paramstyle="qmark"),
    types={
        Storage.TEXT: _TEXT, Storage.INTEGER: _INTEGER, Storage.DECIMAL: _INTEGER, Storage.BOOLEAN: _INTEGER,
        Storage.DATE: _TEXT, Storage.DATETIME: _TEXT, Storage.TIME: _TEXT, Storage.KEY: _INTEGER, Storage.SET: _TEXT,
        Storage.BYTES: sa.BLOB(),
    },
    contains=lambda column, text: sa.func.instr(column, text) > sa.literal_column("0"),
    ends=lambda column, text, length: sa.func.substr(column, -length) == text,
    plain=lambda column: sa.func.replace(column, sa.literal_column(f"'{TILDE}'"), sa.literal_column("''")),
    one_of_many=_one_of_many,
    pack_many=_pack_many,
    ordered=lambda column, descending: column.desc() if descending else column.asc(),
    raised=sqlite3.Error,
    collision=sqlite3.IntegrityError,
    unfit=(OverflowError, UnicodeEncodeError),
    violated=_violated,
    is_busy=is_busy,
    is_unreadable=is_unreadable,
    translated=translated,
    columns_of=_columns_of,
    indexes_of=_indexes_of,
    tables_of=_tables_of,
    table_options={"sqlite_strict": True},
    side_options={"sqlite_strict": True, "sqlite_with_rowid": False},
    partial="sqlite_where",
    key_in_index=False,  # the key is the rowid, and every index ends with that
    bulk=_bulk,
    begin_read="BEGIN",
    begin_write="BEGIN IMMEDIATE",
    begin_schema="BEGIN IMMEDIATE",
    one_writer=True,
)  # fmt: skip
