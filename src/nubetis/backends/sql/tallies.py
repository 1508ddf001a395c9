"""Live counts, kept as a ledger of deltas: writers append, so no row is fought over.

A delta is (module, column, the value as JSON, how many more), and once more the value where it is a whole number, by
which an index finds it.  :meth:`Tallies.of` adds them up, :meth:`Tallies.compact` does so for good.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import sqlalchemy as sa

from nubetis.backends.sql.shapes import packed
from nubetis.backends.sql.tables import ModuleTable, Tables, parameter
from nubetis.model.prepared import Settled
from nubetis.model.schema import DELETED_IN
from nubetis.model.system import TALLIES
from nubetis.types import ModuleId, Row, Stored

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Bool, Cell, Connection
    from nubetis.model.schema import Module

__all__ = ["Tallies", "living_counts"]

Counts: TypeAlias = dict[str, Counter[Stored]]
"""Column → value → how many."""

_KEYS: Final = 500


def living_counts(home: ModuleTable, rows: Iterable[Row]) -> Counts:
    """Count the living among *rows*, which are whole."""
    living = [row for row in rows if row[DELETED_IN] is None] if home.module.journalled else rows
    return {column: Counter([row[place] for row in living]) for column, place in home.tallied}


def _text(value: Stored) -> str:
    return json.dumps(value, ensure_ascii=False)


def _number(value: object) -> int | None:
    """Give what a value is found by among thousands."""
    return value if isinstance(value, int) else None


class Tallies:
    """The ledger of deltas, in one transaction."""

    def __init__(self, connection: Connection, tables: Tables) -> None:
        self._db = connection
        self._tables = tables
        self._ledger = tables.of(TALLIES)

    def of(self, module: Module, column: str) -> dict[Stored, int]:
        """Give the count of each value that has one."""
        return self._counts(module, column)

    def without(self, module: Module, column: str, values: Sequence[Stored]) -> dict[Stored, int]:
        """Give the count of each value that has one, and that is not one of *values*, of which none is missing."""
        return self._counts(module, column, self._wanted(values))

    def _counts(self, module: Module, column: str, without: tuple[Cell, Stored] | None = None) -> dict[Stored, int]:
        """Count whole numbers, by the index alone, and what else there is; *without* some of the one or the other."""
        cells = self._ledger.table.c
        numbers = self._sums(module, column, cells.number, without)
        others = self._sums(module, column, cells.value, without)
        values = json.loads(f"[{','.join([str(value) for value, _ in others])}]")
        return dict(numbers) | {value: total for value, (_, total) in zip(values, others, strict=True)}

    def _sums(
        self, module: Module, column: str, cell: Cell, without: tuple[Cell, Stored] | None
    ) -> list[tuple[Stored, int]]:
        less = without is not None and without[0] is cell

        def build() -> sa.ClauseElement:
            number, total = self._ledger.table.c.number, sa.func.sum(self._ledger.table.c.delta)
            kind = number.is_not(None) if cell is number else number.is_(None)
            gone = [cell.not_in(sa.select(self._each(cell).c.value))] if less else []
            selected = sa.select(cell, total).where(*self._of_column(), kind, *gone)
            return selected.group_by(cell).having(total != sa.literal_column("0"))

        statement = self._ledger.statement(("sums", cell.name, less), build)
        given = (module.id, column, *([without[1]] if without is not None and less else []))
        return [(value, int(total or 0)) for value, total in self._db.execute(statement.text, given)]

    def whole(self, module: Module, column: str) -> int:
        """Give how many rows there are."""
        return self._sum("whole", module, column, list)

    def total(self, module: Module, column: str, values: Sequence[Stored]) -> int:
        """Give the count of all rows that have one of *values*.

        Whole numbers are found by index, other values by a scan of the column's counts.
        """
        found = 0
        if not isinstance(values, Settled) and None in values:
            values = [value for value in values if value is not None]
            null = self._ledger.table.c.value == sa.literal_column("'null'")
            found = self._sum("missing", module, column, lambda: [null])
        if not values:
            return found
        cell, wanted = self._wanted(values)
        return found + self._sum(
            f"total {cell.name}", module, column, lambda: [cell.in_(sa.select(self._each(cell).c.value))], wanted
        )

    def _sum(self, name: str, module: Module, column: str, build: Callable[[], list[Bool]], *constants: Stored) -> int:
        total = sa.func.sum(self._ledger.table.c.delta)
        statement = self._ledger.statement(name, lambda: sa.select(total).where(*self._of_column(), *build()))
        row = self._db.execute(statement.text, (module.id, column, *constants)).fetchone()
        return int(row[0] or 0) if row else 0

    def _of_column(self) -> list[Bool]:
        cells = self._ledger.table.c
        return [cells.module == parameter(0), cells.column == parameter(1)]

    def _wanted(self, values: Sequence[Stored]) -> tuple[Cell, Stored]:
        """Give the cell by which *values*, all of one type, are found, and all of them as one parameter."""
        cells, pack = self._ledger.table.c, self._tables.dialect.pack_many
        if not values or isinstance(values[0], int):
            return cells.number, packed(values, pack)
        return cells.value, pack([_text(value) for value in values])

    def _each(self, cell: Cell) -> sa.FromClause:
        return self._tables.dialect.each(cell, parameter(2), "w")

    def add(self, module: Module, counts: Mapping[str, Mapping[Stored, int]], *, sign: int = 1) -> None:
        """Append what *counts* say, one delta for each value."""
        rows = [
            (module.id, column, _text(value), sign * delta, _number(value))
            for column, values in counts.items()
            for value, delta in values.items()
            if delta
        ]
        if rows:
            self._db.executemany(self._insert(), rows)
            self._tables.appended += len(rows)

    def _insert(self) -> str:
        cells = self._ledger.table.c
        names = (cells.module, cells.column, cells.value, cells.delta, cells.number)
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
        every = sa.select(*keys, sa.func.sum(cells.delta), cells.number, sa.func.count())
        found = self._db.execute(self._ledger.finish(every.group_by(*keys, cells.number)).text).fetchall()
        stale = dict.fromkeys(row[:2] for row in found if row[5] != 1 and (not wanted or row[0] in wanted))
        gone = sa.delete(self._ledger.table).where(*[cell == parameter(place) for place, cell in enumerate(keys[:2])])
        self._db.executemany(self._ledger.finish(gone).text, list(stale))  # by index: a value each would scan them all
        self._db.executemany(self._insert(), [row[:5] for row in found if row[:2] in stale and row[3]])

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
            return self._is_numbered(home, column) and self._counted(home, column) == self.of(home.module, column)
        except ValueError:  # a value in the ledger is not JSON
            return False

    def _is_numbered(self, home: ModuleTable, column: str) -> bool:
        cells = self._ledger.table.c
        both = sa.select(cells.value, cells.number).where(*self._of_column()).distinct()
        found = self._db.execute(self._ledger.statement("numbered", lambda: both).text, (home.module.id, column))
        return all(number == _number(json.loads(str(value))) for value, number in found)

    def _counted(self, home: ModuleTable, column: str) -> dict[Stored, int]:
        cell = home.table.c[column]
        living = [home.table.c.deleted_in.is_(None)] if home.module.journalled else []
        counted = sa.select(cell, sa.func.count()).where(*living).group_by(cell)
        statement = home.statement(("counted", column), lambda: counted)
        return {value: int(number or 0) for value, number in self._db.execute(statement.text)}
