"""Steps: one write, from one state of the tables to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nubetis.model.schema import VERSION, Module
from nubetis.model.store import (
    Batch,
    ConflictKind,
    Expect,
    Guard,
    Inserts,
    Removals,
    Updates,
    WriteConflict,
)  # fmt: skip
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.types import Key, ModuleId, Row, Stored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


from nubetis.backends.memory.tables import Table, Tables, number, table_of

__all__ = ["ONLY", "Step"]

ONLY: Final = Key(1)
"""The key of the versions row."""


class Step:
    """One write: a copy of the tables, made as it goes, and what stands against it."""

    def __init__(self, tables: Tables) -> None:
        self.tables = dict(tables)
        self.conflicts: list[WriteConflict] = []
        self._own: set[ModuleId] = set()

    def table(self, module: Module) -> Table:
        """Give the table of *module*, to be written."""
        if module.id not in self._own:
            self.tables[module.id] = table_of(self.tables, module).fork()
            self._own.add(module.id)
        return self.tables[module.id]

    def apply(self, batch: Batch) -> None:
        """Write all that nothing stands against, in the order of the batch."""
        for expect in batch.expects:
            self._expect(expect)
        for guard in batch.guards:
            self._guard(guard)
        for part in batch.parts:
            match part:
                case Inserts():
                    self.insert(part.module, part.rows)
                case Updates():
                    self._update(part)
                case Removals():
                    self._remove(part)

    def insert(self, module: Module, rows: Iterable[Row]) -> int:
        """Write new rows; give how many were offered."""
        table, count = self.table(module), 0
        adopt = table.taken_from(module)
        for count, row in enumerate(rows, start=1):  # noqa: B007 - the last number counts
            full = adopt(row)
            key = key_of(full)
            if table.rows.get(key) is not None:
                self.conflicts.append(WriteConflict(ConflictKind.TAKEN, module, key))
            else:
                self.put(table, key, full)
        return count

    def put(self, table: Table, key: Key, full: Row) -> None:
        """Write one row, if its unique values are free."""
        column = table.put(key, full)
        if column:
            self.conflicts.append(WriteConflict(ConflictKind.UNIQUE, table.module, key, column))

    def set_cells(self, table: Table, full: Row, cells: Mapping[int, Stored]) -> None:
        """Write some cells of one row."""
        row = list(full[: len(table.layout.columns)])
        for at, value in cells.items():
            row[at] = value
        self.put(table, key_of(full), table.layout.fill(tuple(row)))

    def _update(self, part: Updates) -> None:
        table = self.table(part.module)
        places = [table.layout.index[column] for column in part.columns]
        expected = [None] * len(part.keys) if part.expected is None else part.expected
        for key, values, version in zip(part.keys, part.values, expected, strict=True):
            full = table.rows.get(key)
            cells = dict(zip(places, values, strict=True))
            if full is None:
                self.conflicts.append(WriteConflict(ConflictKind.MISSING, part.module, key))
            elif version is None:
                self.set_cells(table, full, cells)
            elif full[VERSION] != version:
                actual = number(full[VERSION])
                self.conflicts.append(WriteConflict(ConflictKind.STALE, part.module, key, actual=actual))
            else:
                self.set_cells(table, full, {**cells, VERSION: version + 1})

    def _remove(self, part: Removals) -> None:
        table = self.table(part.module)
        for key in part.keys:
            if table.rows.get(key) is not None:
                table.put(key, None)

    def _expect(self, expect: Expect) -> None:
        table = self.table(VERSIONS)
        only = table.rows.get(ONLY) or ()
        at = table.index[expect.name.value]
        if only[at] == expect.version:
            self.set_cells(table, only, {at: expect.version + 1})
        else:
            actual = number(only[at])
            self.conflicts.append(WriteConflict(ConflictKind.VERSION, column=expect.name.value, actual=actual))

    def _guard(self, guard: Guard) -> None:
        value = self.counter(guard.counter)
        new = value + guard.delta
        low, high = guard.floor, guard.ceiling
        if (low is not None and new < low) or (high is not None and new > high):
            self.conflicts.append(WriteConflict(ConflictKind.GUARD, column=guard.counter, actual=value))
        else:
            self.set_counter(guard.counter, new)

    def counter(self, name: str) -> int:
        """Give the value of a counter; one that nobody wrote yet is 0."""
        table = table_of(self.tables, COUNTERS)
        key = table.taken["name"].get(name)
        full = None if key is None else table.rows.get(key)
        return 0 if full is None else number(full[table.index["value"]])

    def set_counter(self, name: str, value: int) -> None:
        """Set the value of a counter."""
        table = self.table(COUNTERS)
        last = next(table.rows.below(None), None)
        key = table.taken["name"].get(name) or Key(1 if last is None else key_of(last) + 1)
        row: dict[str, Stored] = {"id": key, "name": name, "value": value}
        table.put(key, table.layout.fill(tuple([row[column.name] for column in table.layout.columns])))


def key_of(full: Row) -> Key:
    """Give the key of a full row."""
    return Key(number(full[0]))
