"""Bringing tables to a schema.

Only what destroys needs a step, a module dropped, a field purged, and what is there already and may be stale: a twin
or a tally that was begun while some writers did not know it yet.  For the rest each table is compared with what it
must be, and what is missing is made.  So all can be repeated, and what was interrupted is simply done again; where the
database has DDL in transactions (SQLite, PostgreSQL) nothing is ever half done.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa
from sqlalchemy.schema import CreateColumn

from nubetis.backends.sql.checks import is_made_as_side, is_set, members, repeated, strangers
from nubetis.backends.sql.dialects import Found
from nubetis.backends.sql.tables import Index, ModuleTable, Tables, parameter, side_name
from nubetis.backends.sql.tallies import Tallies
from nubetis.backends.sql.told import tell, untold
from nubetis.errors import Conflict, Damaged, StoreError
from nubetis.model.kinds.choices import pack_set
from nubetis.model.schema import Schema, SchemaStep, StepKind
from nubetis.model.store import FORMAT
from nubetis.model.system import COUNTERS, TALLIES, VERSIONS
from nubetis.model.widening import begun_tallies, begun_twins

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Cell, Connection
    from nubetis.model.fields import Field
    from nubetis.types import Row

__all__ = ["Builder"]

_CHUNK: Final = 10_000


def _columns(field: Field | None) -> list[str]:
    return [] if field is None else [field.column_of(part) for part in field.parts]


class Builder:
    """Makes and changes tables, inside the transaction of *connection*."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._db = connection
        self._tables = tables
        self._dialect = tables.dialect
        self._coming: set[tuple[int, str]] = set()
        """Columns that a step names, by module: they may be new."""

    def lock(self) -> None:
        """Let no other change tables until the transaction ends."""
        if self._dialect.schema_lock:
            self._db.execute(self._dialect.schema_lock)

    def migrate(self, steps: Iterable[SchemaStep], schema: Schema) -> None:
        """Do *steps*, and what needs none (indexes, tallies); in an empty database write format and versions too."""
        every = list(steps)
        self._coming = {(step.module.id, name) for step in every for name in _columns(step.field)}
        for module in (VERSIONS, COUNTERS, TALLIES):
            self._ensure(self._tables.of(module))
        for step in every:
            self._step(step)
        for module in schema.modules:
            self._ensure(self._tables.of(module))
        Tallies(self._db, self._tables).settle([self._tables.of(module) for module in schema.modules])
        self._number()

    def clear(self, schema: Schema, url: str) -> None:
        """Drop every table, of the modules of *schema* or made as theirs.

        Raises:
            StoreError: ``not_replaced``.
        """
        self.refuse_others(schema, url)
        for name in list(self._found):
            self._drop_table(name)

    def refuse_others(self, schema: Schema, url: str) -> None:
        """Stop where a table or a view is there that is neither of *schema* nor made as ours.

        Raises:
            StoreError: ``not_replaced``.
        """
        views = [str(name) for (name,) in self._db.execute(self._dialect.views)]
        if others := [*strangers(self._tables, schema, self._found), *views]:
            raise StoreError("not_replaced", url=url, others=", ".join(sorted(others)))

    def _number(self) -> None:
        table = self._tables.of(VERSIONS).table
        row = {"id": 1, "format": FORMAT, "schema": 0, "access": 0, "settings": 0}
        if not self._db.execute(self._dialect.text(sa.select(table.c.id))).fetchall():
            insert = sa.insert(table).values({name: parameter(place) for place, name in enumerate(row)})
            self._db.execute(self._dialect.text(insert), tuple(row.values()))

    def _step(self, step: SchemaStep) -> None:
        home = self._tables.of(step.module)
        if step.kind is StepKind.DROP_MODULE:
            self._drop(home)
        elif step.kind is StepKind.PURGE_FIELD and step.field is not None:
            self._purge(home, step.field)
        elif home.name in self._found:
            self._catch_up(home, step)

    def _catch_up(self, home: ModuleTable, step: SchemaStep) -> None:
        """Make again what writers did not keep up who knew the module as it was: twins and tallies that began."""
        there = self._found[home.name].columns
        twins = [column for column in begun_twins(step) if f"{column}__f" in there]
        tallies = begun_tallies(step)
        if twins or tallies:
            self._lock(home)
        for column in twins:
            self._fill_twin(home, (column, f"{column}__f"), home.folds[column])
        for column in tallies:
            Tallies(self._db, self._tables).forget(home.module.id, column)

    def _lock(self, home: ModuleTable) -> None:
        if self._dialect.table_lock:
            self._db.execute(self._dialect.table_lock.format(table=self._quoted(home.name)))

    def rebuild(self, home: ModuleTable) -> None:
        """Make again what is derived from the rows of a table: twins, sets, tallies, indexes, and columns it lacks.

        Over a value that must be unique, and is there twice, no index can be made: it goes without.  Of a column that
        is gone the values are too, but choices stand in their table as well, and what nubetis sets in the journal.

        Raises:
            Damaged: it lacks what nobody can tell.
        """
        self._lock(home)
        lost = set(home.columns).difference(self._found[home.name].columns)
        self._refuse_untold(home, lost)
        self.drop_indexes(home)
        self._widen(home)
        if lost and home.module.id == TALLIES.id:
            self._db.execute(self._dialect.text(sa.delete(home.table)))  # what is left of them cannot be read
        for column in lost.intersection(home.sides):
            self._fill_set(home, column)
        for twin, place, fold in home.twins:
            self._fill_twin(home, (home.columns[place], twin), fold)
        unique = [(name, index) for name, (index, _) in home.index_creation.items() if index.field is not None]
        twice = [name for name, index in unique if repeated(self._db, home, index) is not None]
        self.make_indexes(home, without=twice)
        for column, side in home.sides.items():
            self._fill_side(home, column, side)
        if self._tables.of(TALLIES).name in self._found:
            tallies = Tallies(self._db, self._tables)
            tallies.forget(home.module.id)
            tallies.settle([home])

    # -- for a bulk load -------------------------------------------------------------------------------------
    def drop_indexes(self, home: ModuleTable) -> None:
        """Take the indexes away: making them at once afterwards costs less than keeping them row by row."""
        for name in home.index_creation:
            self._db.execute(f"DROP INDEX IF EXISTS {self._quoted(name)}")
        if home.name in self._found:
            self._found[home.name].indexes.difference_update(home.index_creation)

    def make_indexes(self, home: ModuleTable, *, without: Collection[str] = ()) -> None:
        """Make the indexes that are missing, but for those *without* which it shall be.

        Raises:
            Conflict: ``not_unique``.
        """
        present = self._found.setdefault(home.name, Found()).indexes
        for name in [name for name in home.index_creation if name not in present and name not in without]:
            self._make_index(*home.index_creation[name])
            present.add(name)

    # -- one table ------------------------------------------------------------------------------------------
    def _ensure(self, home: ModuleTable) -> None:
        """Make the table what it must be."""
        self._widen(home)
        self.make_indexes(home)

    def _widen(self, home: ModuleTable) -> None:
        """Make what the table lacks, but for its indexes, and take away what is surplus."""
        for name, (table, index, text) in home.side_creation.items():
            if name not in self._found:
                self._make_table(name, table)
            if index not in self._found[name].indexes:
                self._db.execute(text)
                self._found[name].indexes.add(index)
        if home.name not in self._found:
            self._make_table(home.name, home.creation, home.full_columns)
        found = self._found[home.name]
        missing = [name for name in home.full_columns if name not in found.columns]
        lost = [name for name in missing if (home.module.id, name) not in self._coming]
        self._refuse_untold(home, lost)
        self._drop_surplus(home, found)
        for name in missing:
            self._add_column(home, name)
            found.columns.append(name)
        if lost:
            tell(self._db, self._tables, home, lost)

    def _refuse_untold(self, home: ModuleTable, lost: Collection[str]) -> None:
        """Stop where columns are lost that must not be empty, and of which the journal does not tell."""
        if lost and (left := untold(self._tables, home, lost, self._found)):
            raise Damaged("damaged", what=f"Table {home.name}", reason=f"it lacks {', '.join(left)}")

    def _make_table(self, name: str, text: str, columns: Iterable[str] = ()) -> None:
        self._db.execute(text)
        self._found[name] = Found(list(columns))

    def _add_column(self, home: ModuleTable, name: str) -> None:
        column = self._dialect.text(CreateColumn(home.table.c[name]))
        self._db.execute(f"ALTER TABLE {self._quoted(home.name)} ADD COLUMN {column}")
        for twin, place, fold in home.twins:
            if twin == name:
                self._fill_twin(home, (home.columns[place], twin), fold)

    def _fill_twin(self, home: ModuleTable, names: tuple[str, str], fold: Callable[[str], str]) -> None:
        cells, folded = home.table.c, home.table.c[names[1]]
        cell = cells[names[0]]
        write = self._dialect.text(sa.update(home.table).where(cells.id == parameter(1)).values({folded: parameter(0)}))
        for rows in self._chunks(cells.id, cell, folded):
            pairs = [(None if text is None else fold(str(text)), key, old) for key, text, old in rows]
            self._db.executemany(write, [(new, key) for new, key, old in pairs if new != old])

    def _fill_side(self, home: ModuleTable, column: str, side: sa.Table) -> None:
        cells = home.table.c
        self._rescue(home, column, side)
        self._db.execute(self._dialect.text(sa.delete(side)))
        values = {side.c.record: parameter(0), side.c.value: parameter(1)}
        write = self._dialect.text(sa.insert(side).values(values).inline())
        for rows in self._chunks(cells.id, cells[column]):
            pairs = [(key, dict.fromkeys(members(cell))) for key, cell in rows if cell is not None]
            self._db.executemany(write, [(key, value) for key, values in pairs for value in values])

    def _rescue(self, home: ModuleTable, column: str, side: sa.Table) -> None:
        """Write the cells of a set that nobody can read as the side table has them, the last that knows."""
        cells = home.table.c
        read = self._dialect.text(sa.select(side.c.value).where(side.c.record == parameter(0)).order_by(side.c.value))
        write = sa.update(home.table).where(cells.id == parameter(1)).values({cells[column]: parameter(0)})
        for rows in self._chunks(cells.id, cells[column]):
            for key in [key for key, cell in rows if cell is not None and not is_set(cell)]:
                values = [str(value) for (value,) in self._db.execute(read, (key,)).fetchall()]
                if values:
                    self._db.execute(self._dialect.text(write), (pack_set(values), key))

    def _fill_set(self, home: ModuleTable, column: str) -> None:
        """Write the cells of a set as its side table has them."""
        cells, side = home.table.c, home.sides[column].c
        rows = self._db.execute(self._dialect.text(sa.select(side.record, side.value).order_by(side.record))).fetchall()
        sets = [(key, pack_set(str(value) for _, value in found)) for key, found in groupby(rows, itemgetter(0))]
        write = sa.update(home.table).where(cells.id == parameter(1)).values({cells[column]: parameter(0)})
        self._db.executemany(self._dialect.text(write), [(cell, key) for key, cell in sets])

    def _chunks(self, key: Cell, *cells: Cell) -> Iterator[list[Row]]:
        """Give *key* and *cells* of all rows, by and by."""
        ahead = sa.select(key, *cells).where(key > parameter(0)).order_by(key)
        read = self._dialect.text(ahead.suffix_with(sa.text(f"LIMIT {_CHUNK}")))
        last = -(1 << 63)
        while rows := self._db.execute(read, (last,)).fetchall():
            yield rows
            last = int(rows[-1][0] or 0)

    def _make_index(self, index: Index, text: str) -> None:
        try:
            self._db.execute(text)
        except self._dialect.collision as error:
            if index.field is None or not self._dialect.violated(error):
                raise
            raise Conflict("not_unique", field=index.field.name) from None

    def _drop_surplus(self, home: ModuleTable, found: Found) -> None:
        """Take away what can be made again: indexes and twins that no longer belong."""
        for name in sorted(found.indexes.difference(home.index_creation)):
            if home.made(name):
                self._db.execute(f"DROP INDEX {self._quoted(name)}")
                found.indexes.remove(name)
        twins = [name for name in found.columns if name.endswith("__f") and name not in home.full_columns]
        self._drop_columns(home, found, twins)

    def _drop_columns(self, home: ModuleTable, found: Found, names: Iterable[str]) -> None:
        for name in names:
            self._db.execute(f"ALTER TABLE {self._quoted(home.name)} DROP COLUMN {self._quoted(name)}")
            found.columns.remove(name)

    def _purge(self, home: ModuleTable, field: Field) -> None:
        columns = _columns(field)
        found = self._found.get(home.name)
        if found is not None:
            self._drop_surplus(home, found)
            gone = [name for name in (*columns, *[f"{name}__f" for name in columns]) if name in found.columns]
            self._drop_columns(home, found, gone)
        for column in columns:
            self._drop_table(side_name(home.name, column))

    def _drop(self, home: ModuleTable) -> None:
        sides = [name for name, found in self._found.items() if is_made_as_side(name, found, [home.name])]
        for name in dict.fromkeys([*sides, *[side.name for side in home.sides.values()], home.name]):
            self._drop_table(name)
        Tallies(self._db, self._tables).forget(home.module.id)

    def _drop_table(self, name: str) -> None:
        self._db.execute(f"DROP TABLE IF EXISTS {self._quoted(name)}")
        self._found.pop(name, None)

    # -- text -----------------------------------------------------------------------------------------------
    @cached_property
    def _found(self) -> dict[str, Found]:
        """The tables that are there; kept up with what is done."""
        return self._dialect.catalogue(self._db)

    def _quoted(self, name: str) -> str:
        return str(self._dialect.compiler.identifier_preparer.quote(name))
