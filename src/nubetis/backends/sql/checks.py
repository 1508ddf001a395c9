"""Looking for what is wrong: the tables, and what was derived from their rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from nubetis.backends.sql.tallies import Tallies
from nubetis.backends.sql.told import needed, untold
from nubetis.errors import Damaged
from nubetis.model.findings import Finding
from nubetis.model.ids import encode
from nubetis.model.schema import Schema
from nubetis.model.system import SYSTEM_SCHEMA, TALLIES

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection, Found
    from nubetis.backends.sql.tables import Index, ModuleTable, Tables
    from nubetis.types import Progress

__all__ = ["findings_of", "homes_of", "is_made_as_side", "is_set", "members", "repeated", "strangers"]

_MOST: Final = 20
"""Columns that are listed; more would say nothing more."""
_MAKING: Final = frozenset({"ALTER", "CREATE"})
"""What only who makes something again needs."""
_SIDE: Final = frozenset({"record", "value"})
_OURS: Final = frozenset({"id", "version", "created_in", "deleted_in"})
"""Columns that the table of every journalled module has."""


def homes_of(tables: Tables, schema: Schema) -> list[ModuleTable]:
    """Give the tables of *schema* and of the system modules, each once."""
    modules = {module.id: module for module in (*SYSTEM_SCHEMA.modules, *schema.modules)}
    return [tables.of(module) for module in modules.values()]


def findings_of(
    connection: Connection, tables: Tables, schema: Schema | None, progress: Progress | None = None
) -> list[Finding]:
    """Give what is wrong; nothing where all is well.

    Looks at the tables of *schema* and of the system modules; without a schema, at those that are there and were used
    since the store was opened.
    """
    present = tables.dialect.catalogue(connection)
    denied = _denied(connection, tables)
    homes = _used(tables, present) if schema is None else homes_of(tables, schema)
    findings = [Finding("table_denied", name, ", ".join(verbs)) for name, verbs in _unusable(denied, present)]
    closed = {name for name, verbs in denied.items() if "SELECT" in verbs}
    for done, home in enumerate(homes):
        if progress is not None:
            progress(done, len(homes))
        if home.name not in closed:
            found = list(_Check(connection, tables, home, present, closed).findings())
            findings += [*found, *_unmended(home, found, denied)]
    there = {name: found for name, found in present.items() if name not in closed}
    return findings if schema is None else [*findings, *_others(connection, tables, homes, there)]


def _denied(connection: Connection, tables: Tables) -> dict[str, list[str]]:
    """Give what the user of the database may not do, by table: a statement that he may not run would end the unit."""
    found: dict[str, list[str]] = {}
    for name, verb in connection.execute(tables.dialect.denied) if tables.dialect.denied else ():
        found.setdefault(str(name), []).append(str(verb))
    return found


def _unusable(denied: Mapping[str, list[str]], present: Collection[str]) -> Iterator[tuple[str, list[str]]]:
    """Give what may not be done by who only works."""
    for name, verbs in denied.items():
        if name in present and (left := [verb for verb in verbs if verb not in _MAKING]):
            yield name, left


def _unmended(home: ModuleTable, found: Iterable[Finding], denied: Mapping[str, list[str]]) -> Iterator[Finding]:
    """Say who else must mend what of a table was *found*, where the user of the database may not."""
    verbs = [verb for verb in denied.get(home.name, ()) if verb in _MAKING]
    if verbs and any(each.mends for each in found):
        yield Finding("table_denied", home.name, ", ".join(verbs))


def _others(
    connection: Connection, tables: Tables, homes: Collection[ModuleTable], present: Mapping[str, Found]
) -> Iterator[Finding]:
    """Give the tables that no module has: one that is made as ours and has rows has lost its module."""
    ours = {home.name for home in homes} | {side.name for home in homes for side in home.sides.values()}
    left = {name: found for name, found in present.items() if name not in ours}
    lost = {name: _rows(connection, tables, name) for name, found in left.items() if _OURS.issubset(found.columns)}
    yield from [Finding("module_lost", name, count=rows) for name, rows in lost.items() if rows]
    sides = tuple([f"{name}__" for name, rows in lost.items() if rows])
    yield from [Finding("table_foreign", name) for name in left if not lost.get(name) and not name.startswith(sides)]


def strangers(tables: Tables, schema: Schema, present: Mapping[str, Found]) -> list[str]:
    """Give the tables that are neither of *schema* or the system modules nor made as those of a module that is lost."""
    homes = homes_of(tables, schema)
    ours = {home.name for home in homes} | {side.name for home in homes for side in home.sides.values()}
    lost = {name for name, found in present.items() if name not in ours and is_made_as_ours(name, found)}
    sides = {name for name, found in present.items() if is_made_as_side(name, found, lost | ours)}
    return [name for name in present if name not in ours | lost | sides]


def is_made_as_ours(name: str, found: Found) -> bool:
    """Say whether a table is made as that of a module: its columns, and an index that nubetis names so.

    What somebody made of one with SQL, a copy of its rows, has no such index.
    """
    return _OURS.issubset(found.columns) and any(index.startswith(f"{name}__ix__") for index in found.indexes)


def is_made_as_side(name: str, found: Found, homes: Collection[str]) -> bool:
    """Say whether a table is made as the one beside one of *homes* that keeps the choices of a set."""
    beside = any(name.startswith(f"{home}__") for home in homes)
    return beside and set(found.columns) == _SIDE and f"{name}__ix__value" in found.indexes


def _rows(connection: Connection, tables: Tables, name: str) -> int:
    counted = sa.select(sa.func.count()).select_from(sa.table(name))
    row = connection.execute(tables.dialect.text(counted)).fetchone()
    return 0 if row is None else int(row[0] or 0)


def _used(tables: Tables, present: Collection[str]) -> list[ModuleTable]:
    known = {table.module.id: table for table in [*tables.all(), *homes_of(tables, Schema())]}
    return [table for table in known.values() if table.name in present]


def members(cell: object) -> list[str]:
    """Give the choices that the cell of a set holds, in order; none where it is not what nubetis writes."""
    return sorted(map(str, json.loads(str(cell)))) if is_set(cell) else []


def is_set(cell: object) -> bool:
    """Say whether a cell holds choices as nubetis writes them."""
    try:
        return isinstance(json.loads(str(cell)), list)
    except ValueError:
        return False


def repeated(connection: Connection, home: ModuleTable, index: Index) -> tuple[int, int] | None:
    """Give the first record, and how many they are, that stand against a unique index; ``None`` where none does."""
    cells = home.table.c
    keys = [home.dialect.digest(cells[name]) if index.digest else cells[name] for name in index.columns]
    where = [cells[name].is_not(None) for name in index.columns]
    where += [sa.text(index.condition)] if index.condition else []  # type: ignore[list-item]  # it is a condition
    several = sa.func.count() > sa.literal_column("1")
    least, number = sa.func.min(cells.id).label("least"), sa.func.count().label("number")
    groups = sa.select(least, number).where(*where).group_by(*keys).having(several).subquery()
    every = sa.select(sa.func.min(groups.c.least), sa.func.sum(groups.c.number))
    row = connection.execute(home.finish(every).text).fetchone()
    return None if row is None or row[0] is None else (int(row[0]), int(row[1] or 0))


class _Check:
    """Compares one table with what it must be."""

    def __init__(
        self,
        connection: Connection,
        tables: Tables,
        home: ModuleTable,
        present: Mapping[str, Found],
        closed: Collection[str],
    ) -> None:
        self._db = connection
        self._present = present
        self._closed = closed
        self._tables = tables
        self._home = home

    def findings(self) -> Iterator[Finding]:
        """Give what is wrong; a table that cannot be read is one finding, and not the end of the examination."""
        dialect, name = self._tables.dialect, self._home.name
        if name not in self._present:
            yield Finding("table_missing", name)
            return
        try:
            yield from self._form()
        except dialect.raised as error:
            if not isinstance(dialect.translated(error, name), Damaged):
                raise
            yield Finding("table_unreadable", name)

    def _form(self) -> Iterator[Finding]:
        home, present = self._home, self._present[self._home.name]
        if lacks := list(self._lacks()):
            yield from lacks
            return
        yield from self._columns(home.table)
        for side in home.sides.values():
            yield from self._columns(side)
        wanted, found = set(home.index_creation), present.indexes
        twice = list(self._twice(wanted - found))
        yield from [finding for _, finding in twice]
        if lost := wanted - found - {name for name, _ in twice}:
            yield Finding("index_missing", home.name, ", ".join(sorted(lost)))
        for name, (index, _) in home.index_creation.items():
            if present.index_forms.get(name, home.index_form(index)) != home.index_form(index):
                yield Finding("index_wrong", name)
        if left := {name for name in found - wanted if home.made(name)}:
            yield Finding("index_orphaned", home.name, ", ".join(sorted(left)))
        if strange := {name for name in found - wanted if not home.made(name)}:
            yield Finding("index_foreign", home.name, ", ".join(sorted(strange)[:_MOST]))
        yield from self._derived()

    def _lacks(self) -> Iterator[Finding]:
        """Give the columns that are not there: what was in a twin stands in its text, and tallies in the records."""
        home = self._home
        missing = set(home.full_columns).difference(self._present[home.name].columns)
        own = missing.intersection(home.columns) if home.module.id != TALLIES.id else missing & {"id"}
        kept = needed(home.module)
        lost = set(untold(self._tables, home, own, self._present))
        kinds = {"column_lost": lost, "column_told": own & kept - lost, "column_missing": own - kept}
        for code, names in {**kinds, "twin_missing": missing - own}.items():
            if names:
                yield Finding(code, home.name, ", ".join(sorted(names)[:_MOST]))

    def _twice(self, lost: Iterable[str]) -> Iterator[tuple[str, Finding]]:
        """Give those of the *lost* indexes that cannot be made again, for a value is there more than once."""
        home = self._home
        for name in sorted(lost):
            index, _ = home.index_creation[name]
            found = None if index.field is None else repeated(self._db, home, index)
            if index.field is not None and found is not None:
                about = f"{home.module.name}.{index.field.name}"
                yield name, Finding("not_unique", about, encode(home.module.prefix, found[0]), found[1])

    def _is_whole(self, table: sa.Table) -> bool:
        """Say whether a table can be read: a statement that fails would end the unit that all is examined in."""
        if table.name in self._closed:
            return False
        return table.name in self._present and set(self._present[table.name].columns).issuperset(table.columns.keys())

    def _columns(self, table: sa.Table) -> Iterator[Finding]:
        """Give the columns that nubetis did not make, or not so."""
        forms = self._present[table.name].forms if table.name in self._present else {}
        wanted = {column.name: self._tables.dialect.form(column) for column in table.columns}
        if wrong := [f"{name} {form}" for name, form in forms.items() if form != wanted.get(name, form)]:
            yield Finding("column_wrong", table.name, ", ".join(wrong[:_MOST]))
        if strange := [name for name in forms if name not in wanted]:
            yield Finding("column_foreign", table.name, ", ".join(strange[:_MOST]))

    def _derived(self) -> Iterator[Finding]:
        home = self._home
        if self._is_whole(self._tables.of(TALLIES).table):
            for column in Tallies(self._db, self._tables).wrong(home):
                yield Finding("tally_wrong", home.name, column)
        for twin, wrong in self._wrong_twins():
            yield Finding("twin_wrong", home.name, twin, wrong)
        for column, side in home.sides.items():
            if side.name not in self._closed and not self._same_sets(column, side):
                yield Finding("set_wrong", home.name, side.name)

    def _wrong_twins(self) -> Iterator[tuple[str, int]]:
        """Give each twin that differs from what its texts fold to, and in how many rows; reads the table once."""
        home, cells = self._home, self._home.table.c
        if not home.twins:
            return
        pairs = [(cells[home.columns[place]], cells[twin]) for twin, place, _ in home.twins]
        wrong = Counter[str]()
        for row in self._read(sa.select(*chain.from_iterable(pairs))):
            for (twin, _, fold), text, folded in zip(home.twins, row[::2], row[1::2], strict=True):
                if folded != (None if text is None else fold(str(text))):
                    wrong[twin] += 1
        yield from wrong.items()

    def _same_sets(self, column: str, side: sa.Table) -> bool:
        if not self._is_whole(side):
            return False
        cells = self._home.table.c
        rows = self._read(sa.select(cells.id, cells[column]).where(cells[column].is_not(None)).order_by(cells.id))
        wanted = ((key, value) for key, cell in rows for value in members(cell))
        found = ((row[0], row[1]) for row in self._read(sa.select(side).order_by(side.c.record, side.c.value)))
        return all(a == b for a, b in zip_longest(wanted, found))

    def _read(self, selected: sa.ClauseElement) -> Iterator[tuple[object, ...]]:
        with closing(self._db.stream(self._home.finish(selected).text)) as cursor:
            yield from cursor
