"""Columns that nubetis alone sets, and what the journal tells of them where somebody took them away.

Made again and empty they would say something else: that nothing lies in the recycle bin, that no record was ever
changed.  So a column of this kind comes back with what was in it, or not at all:

- ``version``, ``deleted_in``, ``modified_at`` and ``modified_by`` by the last change of each record, in the order of
  the entries, which is that of the commits; of one that nobody changed it is as when it was made.
- ``created_at`` and ``created_by`` by the entry that ``created_in`` names.
- ``created_in`` by the keys that each entry says it made.  Where those of two entries lie among each other, it is not
  guessed which of them made a record.

What a system module needs besides, and every key, only a back-up knows; but the ledger of tallies follows from records.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from nubetis.backends.sql.tables import ModuleTable, Tables, parameter
from nubetis.errors import Damaged
from nubetis.model.journal import read_inserts
from nubetis.model.plan import ChangeKind
from nubetis.model.schema import Module
from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS, SYSTEM_SCHEMA, TALLIES
from nubetis.types import Row

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Cell, Connection, Found

__all__ = ["needed", "tell", "untold"]

_LOT: Final = 500
_JOURNAL: Final = (CHANGES, ENTRIES, OPERATIONS)
_TOLD: Final = ("created_in", "created_at", "created_by", "version", "deleted_in", "modified_at", "modified_by")
"""In the order in which they are filled: each needs none behind it."""


def needed(module: Module) -> frozenset[str]:
    """Give the columns of *module* that are never made again and empty; sets are not among them, they stand twice."""
    own = SYSTEM_SCHEMA.by_id.get(module.id) if module.id != TALLIES.id else None
    fields = [field for field in module.all_fields if field.system]
    fields += [] if own is None else [field for field in own.fields if field.type.name != "multi_choice"]
    return frozenset([field.column_of(part) for field in fields for part in field.parts])


def untold(tables: Tables, home: ModuleTable, lost: Collection[str], present: Mapping[str, Found]) -> list[str]:
    """Give those of the *lost* columns that nubetis cannot do without, and of which the journal tells nothing."""
    gone = needed(home.module).intersection(lost)
    if not home.module.journalled or not all(_is_whole(tables.of(module), present) for module in _JOURNAL):
        return sorted(gone)
    return sorted(gone.difference(_TOLD))


def _is_whole(home: ModuleTable, present: Mapping[str, Found]) -> bool:
    return home.name in present and set(present[home.name].columns).issuperset(home.columns)


def tell(connection: Connection, tables: Tables, home: ModuleTable, lost: Collection[str]) -> None:
    """Fill those of the *lost* columns of which the journal tells; they are there, and empty.

    Raises:
        Damaged: it does not tell for sure; the unit must not be committed.
    """
    teller = _Teller(connection, tables, home)
    for column in _TOLD:
        if column in lost and column in needed(home.module):
            teller.tell(column)


class _Teller:
    """Fills columns of one table."""

    def __init__(self, connection: Connection, tables: Tables, home: ModuleTable) -> None:
        self._db = connection
        self._home = home
        self._dialect = tables.dialect
        self._changes, self._entries, self._operations = (tables.of(module).table.c for module in _JOURNAL)

    def tell(self, column: str) -> None:
        if column == "created_in":
            self._tell_entries()
            return
        cells = self._home.table.c
        ways: dict[str, Callable[[], Cell]] = {
            "version": lambda: self._last(self._changes.version, *_MOVES) + sa.literal_column("1"),
            "deleted_in": self._deleted_in,
            "created_at": lambda: self._at(cells.created_in),
            "created_by": lambda: self._actor(cells.created_in),
            "modified_at": lambda: sa.func.coalesce(self._at(self._moved_in()), cells.created_at),
            "modified_by": lambda: self._modified_by(cells.created_by),
        }
        self._db.execute(self._dialect.text(sa.update(self._home.table).values({cells[column]: ways[column]()})))

    # -- by the last change ---------------------------------------------------------------------------------
    def _last(self, cell: Cell, *kinds: ChangeKind) -> Cell:
        """Give the greatest *cell* of the changes of a record, 0 where there are none of these *kinds*."""
        changes, of = self._changes, self._home.module.id
        among = changes.kind.in_([sa.literal_column(f"'{kind.value}'") for kind in kinds])
        where = (changes.module == sa.literal_column(str(of)), changes.record == self._home.table.c.id, among)
        last = sa.select(sa.func.max(cell)).where(*where).correlate(self._home.table).scalar_subquery()
        return sa.func.coalesce(last, sa.literal_column("0"))

    def _deleted_in(self) -> Cell:
        gone, back = (self._last(self._changes.entry, kind) for kind in (ChangeKind.DELETE, ChangeKind.RESTORE))
        return sa.case((gone > back, gone))

    def _moved_in(self) -> Cell:
        return self._last(self._changes.entry, *_MOVES)

    def _modified_by(self, creator: Cell) -> Cell:
        """Nobody, nubetis itself, may be who changed it last."""
        last = self._moved_in()
        return sa.case((last > sa.literal_column("0"), self._actor(last)), else_=creator)

    # -- by an entry ----------------------------------------------------------------------------------------
    def _at(self, entry: Cell) -> Cell:
        return sa.select(self._entries.at).where(self._entries.id == entry).scalar_subquery()

    def _actor(self, entry: Cell) -> Cell:
        entries, operations = self._entries, self._operations
        where = (entries.id == entry, operations.id == entries.operation)
        return sa.select(operations.actor).where(*where).scalar_subquery()

    # -- by what entries made -------------------------------------------------------------------------------
    def _tell_entries(self) -> None:
        cells, number = self._home.table.c, self._home.module.id
        between = (cells.id >= parameter(1), cells.id <= parameter(2))
        taken = self._home.finish(
            sa.select(sa.func.count()).where(between[0], between[1], cells.created_in != parameter(0))
        )
        write = self._home.finish(sa.update(self._home.table).where(*between).values(created_in=parameter(0)))
        for entry in self._rows_of_entries():
            for module, low, high, _ in read_inserts(entry):
                if module == number:
                    told = (entry[0], low, high)
                    found = self._db.execute(taken.text, taken.arguments(told)).fetchone()
                    if found is not None and found[0]:
                        reason = "the journal does not tell for sure which entry made each of its records"
                        raise Damaged("damaged", what=f"Table {self._home.name}", reason=reason)
                    self._db.execute(write.text, write.arguments(told))

    def _rows_of_entries(self) -> Iterator[Row]:
        """Give the entries, by and by: they are read while rows are written."""
        cells = [self._entries[column.name] for column in ENTRIES.layout.columns]
        ahead = sa.select(*cells).where(self._entries.id > parameter(0)).order_by(self._entries.id)
        read, last = self._dialect.text(ahead.suffix_with(sa.text(f"LIMIT {_LOT}"))), 0
        while rows := self._db.execute(read, (last,)).fetchall():
            yield from rows
            last = int(rows[-1][0] or 0)


_MOVES: Final = (ChangeKind.UPDATE, ChangeKind.DELETE, ChangeKind.RESTORE)
"""What raises the version of a record and says who changed it last."""
