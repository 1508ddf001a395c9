"""Tables: the rows of one module, and what follows from them."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

from nubetis.backends.memory.sorted_map import SortedMap
from nubetis.errors import Conflict, StoreError
from nubetis.model.schema import DELETED_IN, Module
from nubetis.types import Key, ModuleId, Row, Stored

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from nubetis.model.query import Order

__all__ = ["Relations", "Table", "Tables", "TallyKey", "failed", "moved", "number", "table_of"]

TallyKey: TypeAlias = tuple[str, int, Stored]
"""Column, rank of the value's kind, value: so values of all kinds have an order."""

Tables: TypeAlias = "dict[ModuleId, Table]"
"""The whole organisation at one instant."""


_ORDERS: Final = 8
"""Orders of one table that are kept."""


def failed(reason: str) -> StoreError:
    """Give the error of a store that is used as it may not be."""
    return StoreError("store_failed", reason=reason)


def number(value: Stored) -> int:
    """Give a cell that is a number."""
    return value if isinstance(value, int) else 0


class Table:
    """The rows of one module, and what is derived from them."""

    def __init__(self, module: Module) -> None:
        self.module = module
        self.layout = module.layout
        self.index = module.layout.full_index
        self.rows: SortedMap[Key, Row] = SortedMap()
        self.tallies: SortedMap[TallyKey, int] = SortedMap()
        self.taken: dict[str, SortedMap[str, Key]] = {}
        self.orders: dict[tuple[Order, ...], list[Row]] = {}
        self._uniques: list[tuple[str, int]] = []
        self._tallied = [(name, self.index[name]) for name in _tallied_columns(module)]
        for column, compared in _unique_columns(module):
            self.taken[column] = SortedMap()
            self._uniques.append((column, self.index[compared]))

    def fork(self) -> Table:
        """Give a table with the same rows, to be written without touching this one."""
        new = Table.__new__(Table)
        new.__dict__.update(self.__dict__)
        new.rows, new.tallies = self.rows.fork(), self.tallies.fork()
        new.taken = {column: values.fork() for column, values in self.taken.items()}
        new.orders = {}
        return new

    def living(self, full: Row | None) -> Row | None:
        """Give the row if it counts for uniqueness, tallies and links."""
        if full is None or (self.module.journalled and full[DELETED_IN] is not None):
            return None
        return full

    def in_order(self, order: tuple[Order, ...]) -> list[Row]:
        """Give all rows in *order*; a state of the table sorts them once, so that all further pages cost the same."""
        found = self.orders.get(order)
        if found is None:
            found = _sorted(self.rows.values(), order, self.index)
            if len(self.orders) < _ORDERS:
                self.orders[order] = found
        return found

    def put(self, key: Key, full: Row | None) -> str:
        """Set the row of *key*, or take it out; give the column whose uniqueness forbids that, or nothing."""
        old = self.rows.get(key)
        was, now = self.living(old), self.living(full)
        forbidden = self._claim(key, was, now)
        if forbidden:
            return forbidden
        if self.orders:
            self.orders = {}
        for column, at in self._tallied:
            self._count(_tally_of(column, was, at), _tally_of(column, now, at))
        if full is None:
            self.rows.pop(key)
        else:
            self.rows[key] = full
        return ""

    def _claim(self, key: Key, was: Row | None, now: Row | None) -> str:
        moves = [(column, was and was[at], now and now[at]) for column, at in self._uniques]
        moves = [(column, old, new) for column, old, new in moves if old != new]
        for column, _, new in moves:
            if new is not None and self.taken[column].get(str(new)) is not None:
                return column
        for column, old, new in moves:
            if old is not None:
                self.taken[column].pop(str(old))
            if new is not None:
                self.taken[column][str(new)] = key
        return ""

    def _count(self, was: TallyKey | None, now: TallyKey | None) -> None:
        if was == now:
            return
        for tally, delta in ((was, -1), (now, 1)):
            if tally is not None:
                self._add(tally, delta)

    def _add(self, tally: TallyKey, delta: int) -> None:
        total = (self.tallies.get(tally) or 0) + delta
        if total:
            self.tallies[tally] = total
        else:
            self.tallies.pop(tally)

    # rows of a module whose schema is a step ahead or behind -----------------------------------------------
    def shown(self, module: Module) -> Callable[[Row], Row]:
        """Give the function that makes of a full row one of *module*."""
        if self._has_columns_of(module):
            width = len(self.layout.columns)
            return lambda full: full[:width]
        places = [self.layout.index.get(column.name) for column in module.layout.columns]
        return lambda full: tuple([None if at is None else full[at] for at in places])

    def taken_from(self, module: Module) -> Callable[[Row], Row]:
        """Give the function that makes of a row of *module* a full one."""
        width, fill = len(module.layout.columns), self.layout.fill
        same = self._has_columns_of(module)
        places = [module.layout.index.get(column.name) for column in self.layout.columns]

        def adopt(row: Row) -> Row:
            if len(row) != width:
                raise failed(f"a row of {module.name} has {width} columns, not {len(row)}")
            return fill(row if same else tuple([None if at is None else row[at] for at in places]))

        return adopt

    def _has_columns_of(self, module: Module) -> bool:
        ours, theirs = self.layout.columns, module.layout.columns
        return ours is theirs or [each.name for each in ours] == [each.name for each in theirs]


def _sorted(rows: Iterable[Row], order: tuple[Order, ...], index: Mapping[str, int]) -> list[Row]:
    """Sort by the last column first: a stable sort keeps what earlier ones leave equal."""
    found = list(rows)
    for each in reversed(order):
        at = index[each.column]
        found.sort(key=lambda full, at=at: (full[at] is not None, full[at]), reverse=each.descending)  # type: ignore[misc]
    return found


def _tally_of(column: str, full: Row | None, at: int) -> TallyKey | None:
    if full is None:
        return None
    value = full[at]
    return (column, 0 if value is None else 1 if isinstance(value, int) else 2, value)


def _tallied_columns(module: Module) -> list[str]:
    return [module.field(name).column for name in module.tallied_by]


def _unique_columns(module: Module) -> list[tuple[str, str]]:
    """Give the columns of unique fields, each with the one that is compared: its twin, if it has one."""
    firsts = [(field, field.parts[0]) for field in module.all_fields if field.unique]
    named = [(field.column_of(part), field.has_twin(part)) for field, part in firsts]
    return [(column, f"{column}__f" if twin else column) for column, twin in named]


def moved(old: Table, module: Module) -> Table:
    """Give the table of *module* with the rows of *old*; columns are known by their fields' ids.

    Raises:
        Conflict: ``not_unique``; a field that becomes unique holds a value twice.
    """
    new = Table(module)
    places = {(column.field.id, column.part.name): at for at, column in enumerate(old.layout.columns)}
    sources = [places.get((column.field.id, column.part.name)) for column in new.layout.columns]
    for key, full in old.rows.items():
        row = tuple([None if at is None else full[at] for at in sources])
        column = new.put(key, new.layout.fill(row))
        if column:
            raise Conflict("not_unique", field=column)
    return new


def table_of(tables: Tables, module: Module) -> Table:
    """Give the table of *module*.

    Raises:
        StoreError: ``store_failed``; there is none.
    """
    try:
        return tables[module.id]
    except KeyError:
        raise failed(f"it has no table for {module.name}: migrate it first") from None


class Relations:
    """Finds linked rows for :func:`nubetis.model.evaluate.matcher`; an index of a link is made when first needed."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._links: dict[tuple[ModuleId, str], Mapping[Stored, list[Row]]] = {}

    def by_key(self, module: Module, key: int) -> Row | None:
        """Give the living row of *module* with this key."""
        table = table_of(self._tables, module)
        full = table.living(table.rows.get(Key(key)))
        return None if full is None else self._seen_as(module, full)

    def by_link(self, module: Module, column: str, key: int) -> Iterable[Row]:
        """Give the living rows of *module* whose *column* is *key*."""
        known = self._links.get((module.id, column))
        if known is None:
            known = self._links[module.id, column] = self._index_link(module, column)
        return known.get(key, ())

    def _index_link(self, module: Module, column: str) -> Mapping[Stored, list[Row]]:
        table, found = table_of(self._tables, module), defaultdict[Stored, list[Row]](list)
        at = table.index[column]
        for full in table.rows.values():
            if full[at] is not None and table.living(full) is not None:
                found[full[at]].append(self._seen_as(module, full))
        return dict(found)

    def _seen_as(self, module: Module, full: Row) -> Row:
        table = self._tables[module.id]
        return full if table.module is module else module.layout.fill(table.shown(module)(full))
