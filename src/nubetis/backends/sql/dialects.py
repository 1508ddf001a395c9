"""What differs between databases, in one value each; the rest of the package does not know which one it talks to."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeAlias

import attrs
import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteDialect

from nubetis.model.fields import Storage
from nubetis.model.fold import TILDE
from nubetis.types import Row, Stored

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect as Compiler
    from sqlalchemy.sql.type_api import TypeEngine

__all__ = ["SQLITE", "Bool", "Cell", "Connection", "Cursor", "Dialect"]


class Cursor(Protocol):
    """What is used of a driver's cursor."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def fetchone(self) -> Row | None:
        """Give the next row."""
        ...

    def fetchmany(self, size: int = ..., /) -> list[Row]:
        """Give the next rows."""
        ...

    def fetchall(self) -> list[Row]:
        """Give all further rows."""
        ...

    def close(self) -> None:
        """Let go of the result."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Connection(Protocol):
    """What is used of a driver's connection: it never begins a transaction by itself."""

    @property
    def in_transaction(self) -> bool:
        """Say whether the transaction still stands; some faults take it back as a whole."""
        ...

    def execute(self, sql: str, parameters: Sequence[Stored] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Stored]], /) -> Cursor:
        """Run one statement for each of *parameters*."""
        ...


Bool: TypeAlias = sa.ColumnElement[bool]
"""A condition."""

Cell: TypeAlias = sa.ColumnElement[Any]
"""A column, or what is made of one; SQLAlchemy cannot know of which type."""


@attrs.frozen(kw_only=True)
class Dialect:
    """What the package must know of a database.

    *contains*, *ends* and *plain* (a text without the combining tilde) are exact, to the letter.  *one_of_many*
    tests a column against one parameter made by *pack_many*.  *violated* gives the columns of the unique index or
    key that an error names, nothing for other errors.
    """

    name: str
    compiler: Compiler
    types: Mapping[Storage, TypeEngine[Any]]
    contains: Callable[[Cell, Cell], Bool]
    ends: Callable[[Cell, Cell, Cell], Bool]
    plain: Callable[[Cell], Cell]
    one_of_many: Callable[[Cell, Cell], Bool]
    pack_many: Callable[[Sequence[Stored]], Stored]
    collision: type[Exception]
    """What the driver raises when a row does not fit the others."""
    violated: Callable[[Exception], tuple[str, ...]]
    columns_of: Callable[[Connection, str], list[str]]
    """The columns of a table; none where there is no such table."""
    indexes_of: Callable[[Connection, str], set[str]]
    tables_of: Callable[[Connection], list[str]]
    table_options: Mapping[str, Any]
    side_options: Mapping[str, Any]
    partial: str
    """The option of an index that says for which rows it is."""
    key_in_index: bool
    """An index must name the key to be sorted by it too."""
    begin_read: str = "BEGIN"
    begin_write: str = "BEGIN"


# -- SQLite -----------------------------------------------------------------------------------------------------------
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
    collision=sqlite3.IntegrityError,
    violated=_violated,
    columns_of=_columns_of,
    indexes_of=_indexes_of,
    tables_of=_tables_of,
    table_options={"sqlite_strict": True},
    side_options={"sqlite_strict": True, "sqlite_with_rowid": False},
    partial="sqlite_where",
    key_in_index=False,  # the key is the rowid, and every index ends with that
    begin_write="BEGIN IMMEDIATE",
)  # fmt: skip
"""SQLite, 3.40 or later: strict tables, the key as rowid, side tables without one."""
