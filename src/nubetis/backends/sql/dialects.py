"""What differs between databases, in one value each; the rest of the package does not know which one it talks to."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import attrs
import sqlalchemy as sa

from nubetis.model.fields import Storage
from nubetis.types import Row, Stored

if TYPE_CHECKING:
    from sqlalchemy.engine.interfaces import Dialect as Compiler
    from sqlalchemy.sql.type_api import TypeEngine

    from nubetis.errors import NubetisError

__all__ = ["Bool", "Cell", "Connection", "Cursor", "Dialect", "Found", "Profile", "catalogue"]


class Profile(enum.StrEnum):
    """What a returned write has survived."""

    DURABLE = "durable"
    """The loss of power: every commit is synced to the disk."""
    FAST = "fast"
    """The end of the process; the last commits may be lost with the power, none is torn."""


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

    born: int
    """The generation of the process that made it; see :mod:`nubetis.backends.sql.pool`."""

    @property
    def in_transaction(self) -> bool:
        """Say whether the transaction still stands; some faults take it back as a whole."""
        ...

    @property
    def usable(self) -> bool:
        """Say whether the database still answers, as far as is known."""
        ...

    def is_there(self) -> bool:
        """Say whether the database it has open is still the one that its URL names."""
        ...

    def begin(self, sql: str, lock: str = "", /) -> None:
        """Begin a transaction by *sql*, and take a *lock* before it sees anything."""
        ...

    def execute(self, sql: str, parameters: Sequence[Stored] = ..., /) -> Cursor:
        """Run one statement."""
        ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Stored]], /) -> Cursor:
        """Run one statement for each of *parameters*."""
        ...

    def insert_many(self, sql: str, lots: Iterable[Sequence[Row]], /) -> None:
        """Insert the rows of all *lots* as fast as the database can; *sql* was made by :attr:`Dialect.bulk`."""
        ...

    def stream(self, sql: str, parameters: Sequence[Stored] = ..., /) -> Cursor:
        """Run a query whose rows are fetched as they are asked for, never all at once."""
        ...

    def commit(self) -> None:
        """Make the transaction last."""
        ...

    def close(self) -> None:
        """Let go of the database; what was not committed is taken back."""
        ...


Bool: TypeAlias = sa.ColumnElement[bool]
"""A condition."""

Cell: TypeAlias = sa.ColumnElement[Any]
"""A column, or what is made of one; SQLAlchemy cannot know of which type."""


def _itself(cell: Cell) -> Cell:
    return cell


@attrs.frozen
class Found:
    """A table as the database has it: its columns in their order, the names of its indexes, the forms of both."""

    columns: list[str] = attrs.Factory(list)
    indexes: set[str] = attrs.Factory(set)
    forms: dict[str, str] = attrs.Factory(dict)
    index_forms: dict[str, str] = attrs.Factory(dict)


def catalogue(columns: Iterable[Row], indexes: Iterable[Row]) -> dict[str, Found]:
    """Give the tables that rows of (table, column, its form, in order) and of (table, index, its form) tell of."""
    found: dict[str, Found] = {}
    for table, column, form in columns:
        one = found.setdefault(str(table), Found())
        one.columns.append(str(column))
        one.forms[str(column)] = str(form)
    for table, index, form in indexes:
        one = found.setdefault(str(table), Found())
        one.indexes.add(str(index))
        one.index_forms[str(index)] = str(form)
    return found


@attrs.frozen(kw_only=True)
class Dialect:
    """What the package must know of a database.

    *contains*, *ends*, *plain* (a text without the combining tilde) and *apart* (one with the tilde alone in place of
    each ñ) are exact, to the letter.  *one_of_many*
    tests a column against one parameter made by *pack_many*.  *violated* gives the columns of the unique index or
    key that an error names, nothing for other errors.
    """

    name: str
    compiler: Compiler
    types: Mapping[Storage, TypeEngine[Any]]
    # expressions
    contains: Callable[[Cell, Cell], Bool]
    ends: Callable[[Cell, Cell, Cell], Bool]
    plain: Callable[[Cell], Cell]
    apart: Callable[[Cell], Cell]
    one_of_many: Callable[[Cell, Cell], Bool]
    pack_many: Callable[[Sequence[Stored]], Stored]
    each: Callable[[Cell, Cell, str], sa.TableValuedAlias]
    """The values, as *value* and under a name, of a parameter made by *pack_many* of values that a column can have."""
    lateral: Callable[[sa.Select[Any], str], sa.FromClause]
    """What a query of one *id* gives, under a name, for each row of what stands before it."""
    ordered: Callable[[Cell, bool], Cell]
    """A column to sort by, and whether it descends; an empty value is the least."""
    # errors
    raised: type[Exception]
    """All that the driver raises."""
    collision: type[Exception]
    """What it raises when a row does not fit the others."""
    unfit: tuple[type[Exception], ...]
    """What it raises for a constant that no column can hold."""
    violated: Callable[[Exception], tuple[str, ...]]
    is_busy: Callable[[Exception], bool]
    """Whether somebody else was faster, so that the same may succeed now."""
    has_waited: Callable[[Exception], bool]
    """Whether it waited for a lock as long as it was told to."""
    is_entangled: Callable[[Exception], bool]
    """Whether several waited for each other, which takes long to be seen."""
    is_missing: Callable[[Exception], bool]
    """Whether a table or a column is not there, which a change of the schema may have taken away meanwhile."""
    is_unreadable: Callable[[Exception], bool]
    """Whether a stored text is not Unicode."""
    translated: Callable[[Exception, str], NubetisError]
    """The error of ours that says the same, at a URL."""
    # tables
    catalogue: Callable[[Connection], dict[str, Found]]
    """The tables that are there, by name."""
    views: str
    """Asks for the names of what reads as a table does, and that nubetis never makes."""
    denied: str = ""
    """Asks for each table that may not be used, and what may not be done: ``SELECT`` or another verb, one a row.

    ``ALTER`` and ``CREATE`` are for who makes something again: to change the table, and to make what belongs to it.
    """
    table_options: Mapping[str, Any]
    side_options: Mapping[str, Any]
    partial: str
    """The option of an index that says for which rows it is."""
    key_in_index: bool
    """An index must name the key to be sorted by it too."""
    longest_indexed: int | None = None
    """Characters of a text that still fits into an index, once it is folded."""
    digest: Callable[[Cell], Cell] = _itself
    """What stands for a longer text in an index that keeps it unique."""
    bulk: Callable[[sa.Table, Sequence[str]], sa.ClauseElement]
    """The statement of :meth:`Connection.insert_many`."""
    # units
    begin_read: str
    begin_write: str
    write_lock: str = ""
    """What a unit that writes beside others holds, where the database takes several writers at a time."""
    alone_lock: str = ""
    """What one holds that would not get on beside them: no other begins until it has ended."""
    lock_wait: str = ""
    """Says for how many milliseconds the unit waits for each lock, where the connection says something else."""
    begin_schema: str
    """Begins a unit that makes tables, which waits for others of its kind."""
    schema_lock: str = ""
    """What it does first, where beginning is not enough."""
    table_lock: str = ""
    """Keeps other writers from a table, where there are others."""
    one_writer: bool
    """The database takes one writer at a time."""

    def form(self, column: sa.Column[Any]) -> str:
        """Give the form of *column* as :attr:`catalogue` does: its type, and what it refuses."""
        refuses = f"{'' if column.nullable else ' NOT NULL'}{' PRIMARY KEY' if column.primary_key else ''}"
        return f"{column.type.compile(dialect=self.compiler)}{refuses}"

    def text(self, element: sa.ClauseElement) -> str:
        """Compile *element*, which has no parameters or takes them as they come."""
        return str(element.compile(dialect=self.compiler))
