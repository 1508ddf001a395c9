"""What is gathered of many rows, field by field, to be asked about once: links, unique values, choices."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

import attrs

from nubetis.model.fields import Field
from nubetis.model.schema import key_of
from nubetis.types import Row, Stored

__all__ = ["Links", "Retired", "Uniques"]


@attrs.define
class Links:
    """Gathers where the links of one field lead: (prefix, key) → places."""

    field: Field
    at: int
    places: dict[tuple[str, int], list[int]] = attrs.field(factory=dict)

    def see(self, place: int, row: Row) -> None:
        """Look at the row at *place*."""
        key = row[self.at]
        if key is not None:
            several = len(self.field.targets) > 1
            prefix = str(row[self.at + 1]) if several else self.field.prefixes[0]
            self.places.setdefault((prefix, cast("int", key)), []).append(place)


@attrs.define
class Uniques:
    """Gathers the values of one unique field, folded: (place, value, key)."""

    field: Field
    at: int
    seen: list[tuple[int, Stored, int]] = attrs.field(factory=list)

    @property
    def column(self) -> str:
        """The column that must be unique."""
        return f"{self.field.column}__f" if self.field.has_twin(self.field.parts[0]) else self.field.column

    def see(self, place: int, row: Row) -> None:
        """Look at the row at *place*."""
        value = row[self.at]
        if value is not None:
            fold = self.field.type.fold if self.column != self.field.column else None
            self.seen.append((place, value if fold is None else fold(str(value)), key_of(row)))


@attrs.define
class Retired:
    """Gathers where the choices of one field come to records that had them not, though they are retired."""

    field: Field
    at: int
    places: list[int] = attrs.field(factory=list)

    def see(self, place: int, row: Row, before: Row | None) -> None:
        """Look at the row at *place*, and at what it was, which is nothing for a new one."""
        had = () if before is None else self._chosen(before)
        known = self.field.choice_values()
        if any(each in known and known[each].retired for each in self._chosen(row) if each not in had):
            self.places.append(place)

    def _chosen(self, row: Row) -> Collection[str]:
        value = self.field.type.unpack(self.field, (row[self.at],))
        return (value,) if isinstance(value, str) else value or ()
