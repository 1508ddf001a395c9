"""How the fields of a module lie in a row: columns, their folded twins, and where each field's parts are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property

import attrs

from nubetis.model.fields import Field, FieldState, Part, Storage, Value
from nubetis.model.guards import parts_of
from nubetis.types import Row

__all__ = ["Layout", "Slot", "StoredColumn", "lay_out"]


@attrs.frozen
class StoredColumn:
    """One column of a module's table, in the order of its rows."""

    name: str
    storage: Storage
    field: Field
    part: Part
    twin: str | None
    """Name of the folded twin, kept beside it for filters and sorts."""


@attrs.frozen
class Slot:
    """Where a field's parts lie in a row."""

    field: Field
    start: int
    stop: int

    def read(self, row: Row) -> Value:
        """Give the field's value in *row*."""
        if self.field.type.plain:
            return row[self.start]
        return self.field.type.unpack(self.field, row[self.start : self.stop])


@attrs.frozen
class Layout:
    """How the fields of a module lie in a row."""

    columns: tuple[StoredColumn, ...]
    slots: Mapping[str, Slot]

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Column name → place in the row."""
        return {column.name: place for place, column in enumerate(self.columns)}

    @cached_property
    def twins(self) -> tuple[tuple[str, int, Callable[[str], str]], ...]:
        """(twin's name, place of its column, fold), in the order in which twins follow the columns in a full row."""
        return tuple(
            (column.twin, place, column.field.type.fold)
            for place, column in enumerate(self.columns)
            if column.twin is not None and column.field.type.fold is not None
        )

    @cached_property
    def full_index(self) -> Mapping[str, int]:
        """Column or twin name → place in a *full* row: the columns, then the twins."""
        start = len(self.columns)
        return {**self.index, **{name: start + place for place, (name, _, _) in enumerate(self.twins)}}

    def fill(self, row: Row) -> Row:
        """Give the full row: *row* and its folded twins."""
        return row + tuple([None if row[place] is None else fold(str(row[place])) for _, place, fold in self.twins])

    def column(self, name: str) -> StoredColumn:
        """Give the column *name*."""
        return self.columns[self.index[name]]


def lay_out(fields: Iterable[Field]) -> Layout:
    """Give how *fields* lie in a row, in their order; retired ones keep their columns."""
    columns: list[StoredColumn] = []
    slots: dict[str, Slot] = {}
    for field in fields:
        start = len(columns)
        for part in parts_of(field):
            name = field.column_of(part)
            columns.append(
                StoredColumn(name, part.storage, field, part, f"{name}__f" if field.has_twin(part) else None)
            )
        if field.state is FieldState.ACTIVE:
            slots[field.name] = Slot(field, start, len(columns))
    return Layout(tuple(columns), slots)
