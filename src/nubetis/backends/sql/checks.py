"""Looking for what is wrong: the tables, and what was derived from their rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from nubetis.backends.sql.tallies import Tallies
from nubetis.model.system import SYSTEM_SCHEMA

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection
    from nubetis.backends.sql.tables import ModuleTable, Tables
    from nubetis.model.schema import Schema

__all__ = ["faults_of"]

_MOST: Final = 20
"""Columns that are listed; more would say nothing more."""


def faults_of(connection: Connection, tables: Tables, schema: Schema) -> list[str]:
    """Give what is wrong, in sentences without values; nothing where all is well.

    Looks at the tables of *schema*, of the system modules and of those used since the store was opened.
    """
    present = set(tables.dialect.tables_of(connection))
    known = {table.module.id: table for table in tables.all() if table.name in present}
    modules = (*SYSTEM_SCHEMA.modules, *schema.modules) if present else ()
    known |= {module.id: tables.of(module) for module in modules if schema.modules or tables.of(module).name in present}
    return [fault for home in known.values() for fault in _Check(connection, tables, home).faults()]


class _Check:
    """Compares one table with what it must be."""

    def __init__(self, connection: Connection, tables: Tables, home: ModuleTable) -> None:
        self._db = connection
        self._tables = tables
        self._home = home

    def faults(self) -> Iterator[str]:
        """Give what is wrong, in sentences."""
        home, dialect = self._home, self._tables.dialect
        missing = sorted(set(home.full_columns) - set(dialect.columns_of(self._db, home.name)))
        if missing:
            yield f"Table {home.name} lacks {', '.join(missing[:_MOST])}."
            return
        lost = {index.name(home.name) for index in home.indexes} - dialect.indexes_of(self._db, home.name)
        if lost:
            yield f"Table {home.name} lacks the indexes {', '.join(sorted(lost))}."
        try:
            yield from self._derived()
        except dialect.raised as error:
            if not dialect.is_unreadable(error):
                raise
            yield f"Table {home.name} holds a text that is not Unicode."

    def _derived(self) -> Iterator[str]:
        home = self._home
        for column in Tallies(self._db, self._tables).wrong(home):
            yield f"The tallies of {home.name} by {column} do not say what its rows say."
        for twin, place, fold in home.twins:
            pairs = self._read(sa.select(home.table.c[home.columns[place]], home.table.c[twin]))
            wrong = sum([folded != (None if text is None else fold(str(text))) for text, folded in pairs])
            if wrong:
                yield f"Column {twin} of {home.name} is not the fold of its text in {wrong} rows."
        for column, side in home.sides.items():
            if not self._same_sets(column, side):
                yield f"Table {side.name} does not say what column {column} of {home.name} says."

    def _same_sets(self, column: str, side: sa.Table) -> bool:
        cells = self._home.table.c
        rows = self._read(sa.select(cells.id, cells[column]).where(cells[column].is_not(None)).order_by(cells.id))
        wanted = ((key, value) for key, cell in rows for value in sorted(json.loads(str(cell))))
        found = ((row[0], row[1]) for row in self._read(sa.select(side).order_by(side.c.record, side.c.value)))
        return all(a == b for a, b in zip_longest(wanted, found))

    def _read(self, selected: sa.ClauseElement) -> Iterator[tuple[object, ...]]:
        return iter(self._db.execute(self._home.finish(selected).text))
