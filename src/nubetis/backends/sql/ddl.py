"""Bringing tables to a schema.

Only what destroys needs a step: a module dropped, a field purged.  For the rest each table is compared with what it
must be, and what is missing is made.  So all can be repeated, and what was interrupted is simply done again; where the
database has DDL in transactions (SQLite, PostgreSQL) nothing is ever half done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn, CreateIndex, CreateTable

from nubetis.backends.sql.checks import members
from nubetis.backends.sql.tables import Index, ModuleTable, Tables, parameter, side_name
from nubetis.backends.sql.tallies import Tallies
from nubetis.errors import Conflict
from nubetis.model.schema import Schema, SchemaStep, StepKind
from nubetis.model.store import FORMAT
from nubetis.model.system import COUNTERS, TALLIES, VERSIONS

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Cell, Connection
    from nubetis.model.fields import Field
    from nubetis.types import Row

__all__ = ["Builder"]

_CHUNK: Final = 10_000


class Builder:
    """Makes and changes tables, inside the transaction of *connection*."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._db = connection
        self._tables = tables
        self._dialect = tables.dialect

    def migrate(self, steps: Iterable[SchemaStep], schema: Schema) -> None:
        """Do *steps*, and what needs none (indexes, tallies); in an empty database write format and versions too."""
        if self._dialect.schema_lock:
            self._db.execute(self._dialect.schema_lock)
        for module in (VERSIONS, COUNTERS, TALLIES):
            self._ensure(self._tables.of(module))
        for step in steps:
            self._step(step)
        for module in schema.modules:
            self._ensure(self._tables.of(module))
            Tallies(self._db, self._tables).settle(self._tables.of(module))
        self._number()

    def _number(self) -> None:
        table = self._tables.of(VERSIONS).table
        row = {"id": 1, "format": FORMAT, "schema": 0, "access": 0, "settings": 0}
        if not self._db.execute(self._text(sa.select(table.c.id))).fetchall():
            insert = sa.insert(table).values({name: parameter(place) for place, name in enumerate(row)})
            self._db.execute(self._text(insert), tuple(row.values()))

    def _step(self, step: SchemaStep) -> None:
        home = self._tables.of(step.module)
        if step.kind is StepKind.DROP_MODULE:
            self._drop(home)
        elif step.kind is StepKind.PURGE_FIELD and step.field is not None:
            self._purge(home, step.field)

    def rebuild(self, home: ModuleTable) -> None:
        """Make again what is derived from the rows of a table: twins, sets, tallies, indexes.

        Raises:
            Conflict: ``not_unique``; a value that must be unique is there twice.
        """
        if self._dialect.table_lock:
            self._db.execute(self._dialect.table_lock.format(table=self._quoted(home.name)))
        self.drop_indexes(home)
        for twin, place, fold in home.twins:
            self._fill_twin(home, (home.columns[place], twin), fold)
        self._ensure(home)
        for column, side in home.sides.items():
            self._fill_side(home, column, side)
        tallies = Tallies(self._db, self._tables)
        tallies.forget(home.module.id)
        tallies.settle(home)

    # -- for a bulk load -------------------------------------------------------------------------------------
    def drop_indexes(self, home: ModuleTable) -> None:
        """Take the indexes away: making them at once afterwards costs less than keeping them row by row."""
        for index in home.indexes:
            self._db.execute(f"DROP INDEX IF EXISTS {self._quoted(index.name(home.name))}")

    def make_indexes(self, home: ModuleTable) -> None:
        """Make the indexes that are missing.

        Raises:
            Conflict: ``not_unique``.
        """
        for index in home.indexes:
            self._make_index(home, index)

    # -- one table ------------------------------------------------------------------------------------------
    def _ensure(self, home: ModuleTable) -> None:
        """Make the table what it must be."""
        found = self._dialect.columns_of(self._db, home.name)
        for side in home.sides.values():
            self._run(CreateTable(side, if_not_exists=True))
            self._index(sa.Index(f"{side.name}__ix__value", side.c.value, side.c.record))
        if not found:
            self._run(CreateTable(home.table))
        self._drop_surplus(home, found)
        for name in [name for name in home.full_columns if found and name not in found]:
            self._add_column(home, name)
        self.make_indexes(home)

    def _add_column(self, home: ModuleTable, name: str) -> None:
        column = self._text(CreateColumn(home.table.c[name]))
        self._db.execute(f"ALTER TABLE {self._quoted(home.name)} ADD COLUMN {column}")
        for twin, place, fold in home.twins:
            if twin == name:
                self._fill_twin(home, (home.columns[place], twin), fold)

    def _fill_twin(self, home: ModuleTable, names: tuple[str, str], fold: Callable[[str], str]) -> None:
        cells, folded = home.table.c, home.table.c[names[1]]
        cell = cells[names[0]]
        write = self._text(sa.update(home.table).where(cells.id == parameter(1)).values({folded: parameter(0)}))
        for rows in self._chunks(cells.id, cell, folded):
            pairs = [(None if text is None else fold(str(text)), key, old) for key, text, old in rows]
            self._db.executemany(write, [(new, key) for new, key, old in pairs if new != old])

    def _fill_side(self, home: ModuleTable, column: str, side: sa.Table) -> None:
        cells = home.table.c
        self._run(sa.delete(side))
        values = {side.c.record: parameter(0), side.c.value: parameter(1)}
        write = self._text(sa.insert(side).values(values).inline())
        for rows in self._chunks(cells.id, cells[column]):
            pairs = [(key, dict.fromkeys(members(cell))) for key, cell in rows if cell is not None]
            self._db.executemany(write, [(key, value) for key, values in pairs for value in values])

    def _chunks(self, key: Cell, *cells: Cell) -> Iterator[list[Row]]:
        """Give *key* and *cells* of all rows, by and by."""
        ahead = sa.select(key, *cells).where(key > parameter(0)).order_by(key)
        read = self._text(ahead.suffix_with(sa.text(f"LIMIT {_CHUNK}")))
        last = -(1 << 63)
        while rows := self._db.execute(read, (last,)).fetchall():
            yield rows
            last = int(rows[-1][0] or 0)

    def _make_index(self, home: ModuleTable, index: Index) -> None:
        cells = [self._indexed(home.table.c[name], index) for name in index.columns]
        if self._dialect.key_in_index and index.field is None:
            cells.append(home.table.c.id)
        settings: dict[str, Any] = {self._dialect.partial: sa.text(index.condition)} if index.condition else {}
        unique = index.field is not None
        try:
            self._index(sa.Index(index.name(home.name), *cells, unique=unique, **settings))
        except self._dialect.collision as error:
            if index.field is None or not self._dialect.violated(error):
                raise
            raise Conflict("not_unique", field=index.field.name) from None

    def _indexed(self, cell: Cell, index: Index) -> Cell:
        return self._dialect.digest(cell) if index.digest else self._dialect.ordered(cell, False)  # noqa: FBT003 - up

    def _drop_surplus(self, home: ModuleTable, found: list[str]) -> None:
        """Take away what can be made again: indexes and twins that no longer belong."""
        wanted = {index.name(home.name) for index in home.indexes}
        for name in self._dialect.indexes_of(self._db, home.name):
            if home.made(name) and name not in wanted:
                self._db.execute(f"DROP INDEX {self._quoted(name)}")
        self._drop_columns(home, [name for name in found if name.endswith("__f") and name not in home.full_columns])

    def _drop_columns(self, home: ModuleTable, names: Iterable[str]) -> None:
        for name in names:
            self._db.execute(f"ALTER TABLE {self._quoted(home.name)} DROP COLUMN {self._quoted(name)}")

    def _purge(self, home: ModuleTable, field: Field) -> None:
        found = self._dialect.columns_of(self._db, home.name)
        columns = [field.column_of(part) for part in field.parts]
        self._drop_surplus(home, found)
        left = self._dialect.columns_of(self._db, home.name)
        self._drop_columns(home, [name for name in (*columns, *[f"{name}__f" for name in columns]) if name in left])
        for column in columns:
            self._db.execute(f"DROP TABLE IF EXISTS {self._quoted(side_name(home.name, column))}")

    def _drop(self, home: ModuleTable) -> None:
        for name in [*self._sides(home.name), *[side.name for side in home.sides.values()], home.name]:
            self._db.execute(f"DROP TABLE IF EXISTS {self._quoted(name)}")
        Tallies(self._db, self._tables).forget(home.module.id)

    def _sides(self, table: str) -> list[str]:
        return [name for name in self._dialect.tables_of(self._db) if name.startswith(f"{table}__")]

    # -- text -----------------------------------------------------------------------------------------------
    def _index(self, index: sa.Index) -> None:
        self._run(CreateIndex(index, if_not_exists=True))

    def _run(self, element: sa.ClauseElement) -> None:
        self._db.execute(self._text(element))

    def _text(self, element: sa.sql.expression.ClauseElement) -> str:
        return str(element.compile(dialect=self._dialect.compiler))

    def _quoted(self, name: str) -> str:
        return str(self._dialect.compiler.identifier_preparer.quote(name))
