"""Live counts, kept as a ledger of deltas: writers append, so no row is fought over.

A delta is (module, column, the value as JSON, how many more).  :meth:`Tallies.of` adds them up,
:meth:`Tallies.compact` does so for good.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import sqlalchemy as sa

from nubetis.backends.sql.tables import ModuleTable, Tables, parameter
from nubetis.model.schema import DELETED_IN
from nubetis.model.system import TALLIES
from nubetis.types import ModuleId, Row, Stored

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection
    from nubetis.model.schema import Module

__all__ = ["Tallies", "living_counts"]

Counts: TypeAlias = dict[str, Counter[Stored]]
"""Column → value → how many."""

_KEYS: Final = 500


def living_counts(home: ModuleTable, rows: Iterable[Row]) -> Counts:
    """Count the living among *rows*, which are whole."""
    living = [row for row in rows if row[DELETED_IN] is None] if home.module.journalled else rows
    return {column: Counter([row[place] for row in living]) for column, place in home.tallied}


class Tallies:
    """The ledger of deltas, in one transaction."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._db = connection
        self._tables = tables
        self._ledger = tables.of(TALLIES)

    def of(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the count of each value that has one."""
        cells = self._ledger.table.c

        def build() -> sa.ClauseElement:
            total = sa.func.sum(cells.delta)
            where = (cells.module == parameter(0), cells.column == parameter(1))
            return (
                sa.select(cells.value, total)
                .where(*where)
                .group_by(cells.value)
                .having(total != sa.literal_column("0"))
            )

        statement = self._ledger.statement("tally", build)
        found = self._db.execute(statement.text, (module.id, column))
        return {json.loads(str(value)): int(total or 0) for value, total in found}

    def total(self, module: Module, column: str, values: Sequence[Stored]) -> int:
        """Give the count of all rows that have one of *values*."""
        cells, dialect = self._ledger.table.c, self._tables.dialect

        def build() -> sa.ClauseElement:
            wanted = sa.select(dialect.each(cells.value, parameter(2), "w").c.value)
            where = (cells.module == parameter(0), cells.column == parameter(1), cells.value.in_(wanted))
            return sa.select(sa.func.sum(cells.delta)).where(*where)

        statement = self._ledger.statement("total", build)
        texts = dialect.pack_many([json.dumps(value) for value in values])
        row = self._db.execute(statement.text, (module.id, column, texts)).fetchone()
        return int(row[0] or 0) if row else 0

    def add(self, module: Module, counts: Mapping[str, Mapping[Stored, int]], *, sign: int = 1) -> None:
        """Append what *counts* say, one delta for each value."""
        rows = [
            (module.id, column, json.dumps(value, ensure_ascii=False), sign * delta)
            for column, values in counts.items()
            for value, delta in values.items()
            if delta
        ]
        if rows:
            self._db.executemany(self._insert(), rows)
            self._tables.appended += len(rows)

    def _insert(self) -> str:
        cells = self._ledger.table.c
        names = (cells.module, cells.column, cells.value, cells.delta)
        values = {cell: parameter(place) for place, cell in enumerate(names)}
        return self._ledger.statement("add", lambda: sa.insert(self._ledger.table).values(values).inline()).text

    def of_keys(self, home: ModuleTable, keys: Sequence[int]) -> Counts:
        """Count the living rows with these keys."""
        counts: Counts = {column: Counter() for column, _ in home.tallied}
        once = list(dict.fromkeys(keys))
        for at in range(0, len(once), _KEYS):
            self._count_part(home, once[at : at + _KEYS], counts)
        return counts

    def _count_part(self, home: ModuleTable, keys: Sequence[int], counts: Counts) -> None:
        cells = home.table.c

        def build() -> sa.ClauseElement:
            chosen = sa.select(*[cells[column] for column, _ in home.tallied])
            among = self._tables.dialect.one_of_many(cells.id, parameter(0))
            return chosen.where(among, *([cells.deleted_in.is_(None)] if home.module.journalled else []))

        statement = home.statement("tallied", build)
        packed = self._tables.dialect.pack_many(keys)
        rows = self._db.execute(statement.text, (packed,)).fetchall()
        for (column, _), values in zip(home.tallied, zip(*rows, strict=True), strict=bool(rows)):
            counts[column].update(values)

    def compact(self, module_ids: Iterable[ModuleId] = ()) -> None:
        """Replace the deltas of each value by their sum."""
        wanted = set(module_ids)
        cells = self._ledger.table.c
        keys = (cells.module, cells.column, cells.value)
        every = sa.select(*keys, sa.func.sum(cells.delta), sa.func.count()).group_by(*keys)
        found = self._db.execute(self._ledger.finish(every).text).fetchall()
        stale = dict.fromkeys(row[:2] for row in found if row[4] != 1 and (not wanted or row[0] in wanted))
        gone = sa.delete(self._ledger.table).where(*[cell == parameter(place) for place, cell in enumerate(keys[:2])])
        self._db.executemany(self._ledger.finish(gone).text, list(stale))  # by index: a value each would scan them all
        self._db.executemany(self._insert(), [row[:4] for row in found if row[:2] in stale and row[3]])

    def settle(self, homes: Iterable[ModuleTable]) -> None:
        """Begin the counts that the modules did not have, forget those that they no longer have."""
        cells = self._ledger.table.c
        kept = sa.select(cells.module, cells.column).distinct()
        known: dict[object, set[str]] = {}
        for module, column in self._db.execute(self._ledger.statement("kept", lambda: kept).text):
            known.setdefault(module, set()).add(str(column))
        for home in homes:
            self._settle(home, known.get(home.module.id, set()))

    def _settle(self, home: ModuleTable, known: set[str]) -> None:
        wanted = [column for column, _ in home.tallied]
        for column in sorted(known.difference(wanted)):
            self.forget(home.module.id, column)
        self.add(home.module, {column: self._counted(home, column) for column in wanted if column not in known})

    def forget(self, module: ModuleId, column: str | None = None) -> None:
        """Take the counts of a module out of the ledger."""
        cells = self._ledger.table.c
        gone = sa.delete(self._ledger.table).where(cells.module == parameter(0))
        if column is None:
            self._db.execute(self._ledger.finish(gone).text, (module,))
            return
        one = gone.where(cells.column == parameter(1))
        self._db.execute(self._ledger.finish(one).text, (module, column))

    def wrong(self, home: ModuleTable) -> list[str]:
        """Give the columns whose ledger does not say what the rows say."""
        return [column for column, _ in home.tallied if not self._says(home, column)]

    def _says(self, home: ModuleTable, column: str) -> bool:
        try:
            return self._counted(home, column) == self.of(home.module, column)
        except ValueError:  # a value in the ledger is not JSON
            return False

    def _counted(self, home: ModuleTable, column: str) -> dict[Stored, int]:
        cell = home.table.c[column]
        living = [home.table.c.deleted_in.is_(None)] if home.module.journalled else []
        counted = sa.select(cell, sa.func.count()).where(*living).group_by(cell)
        statement = home.statement(("counted", column), lambda: counted)
        return {value: int(number or 0) for value, number in self._db.execute(statement.text)}
