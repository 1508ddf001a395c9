"""SQLite, 3.40 or later: strict tables, the key as rowid, side tables without one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from nubetis.backends.sql.dialects import Bool, Cell, Connection, Dialect, Found, catalogue
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


# Tables of an extension have no page of their own, and cannot be looked at where it is not loaded.
_COLUMNS: Final = """
SELECT m.name, c.name,
    upper(c.type) || iif(c."notnull", ' NOT NULL', '') || iif(c.pk, ' PRIMARY KEY', '')
FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
WHERE m.type = 'table' AND m.rootpage > 0 AND m.name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY m.name, c.cid
"""

_INDEXES: Final = """
SELECT tbl_name, name,
    iif(upper(sql) LIKE 'CREATE UNIQUE %', 'UNIQUE ', '')
    || (SELECT group_concat(coalesce(name, '?'), ', ') FROM pragma_index_xinfo(m.name) WHERE key)
    || iif(instr(sql, ' WHERE '), substr(sql, instr(sql, ' WHERE ')), '')
FROM sqlite_master AS m WHERE type = 'index' AND tbl_name NOT LIKE 'sqlite@_%' ESCAPE '@'
"""


def _catalogue(connection: Connection) -> dict[str, Found]:
    return catalogue(connection.execute(_COLUMNS), connection.execute(_INDEXES))


def _one_of_many(column: Cell, packed: Cell) -> Bool:
    return column.in_(sa.select(sa.func.json_each(packed).table_valued("value").c.value))


def _each(_column: Cell, packed: Cell, name: str) -> sa.TableValuedAlias:
    return sa.func.json_each(packed).table_valued("value").alias(name)


def _lateral(one: sa.Select[Any], name: str) -> sa.FromClause:
    inner = one.subquery(f"{name}_one")
    every = sa.select(sa.func.json_group_array(inner.c.id)).scalar_subquery()
    return sa.func.json_each(every).table_valued("value").alias(name)


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
    apart=lambda column: sa.func.replace(
        column, sa.literal_column(f"'n{TILDE}'"), sa.literal_column(f"'{TILDE}'")
    ),
    one_of_many=_one_of_many,
    pack_many=_pack_many,
    each=_each,
    lateral=_lateral,
    ordered=lambda column, descending: column.desc() if descending else column.asc(),
    raised=sqlite3.Error,
    collision=sqlite3.IntegrityError,
    unfit=(OverflowError, UnicodeEncodeError),
    violated=_violated,
    is_busy=is_busy,
    is_entangled=lambda error: False,  # there is one writer at a time
    has_waited=lambda error: False,  # it waits before the unit begins
    is_missing=lambda error: False,  # a snapshot has its tables
    is_unreadable=is_unreadable,
    translated=translated,
    catalogue=_catalogue,
    views="SELECT name FROM sqlite_master WHERE type = 'view'",
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
