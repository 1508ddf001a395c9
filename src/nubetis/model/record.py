"""Records: a module's layout over one row, read on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from nubetis.errors import UNREADABLE, NotFound, damage
from nubetis.model.ids import encode
from nubetis.model.nearest import suggest
from nubetis.model.schema import VERSION, key_of
from nubetis.types import Key, ModuleName, RecordId, Row

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.model.schema import Module

__all__ = ["Record"]


class Record(Mapping[str, "Value"]):
    """One record as it was read; immutable.

    ``record["stage"]`` gives a field's value; the names are those the reader may see.  Values are unpacked when
    they are asked for.  Its ``repr`` shows no value.
    """

    __slots__ = ("_module", "_row")

    def __init__(self, module: Module, row: Row) -> None:
        self._module = module
        self._row = row

    @property
    def id(self) -> RecordId:
        """The record's id as text."""
        return encode(self._module.prefix, key_of(self._row))

    @property
    def key(self) -> Key:
        """The record's id inside the store."""
        return key_of(self._row)

    @property
    def version(self) -> int:
        """How often the record was written."""
        return int(self._row[VERSION] or 0)

    @property
    def module(self) -> ModuleName:
        """The name of its module."""
        return self._module.name

    @property
    def row(self) -> Row:
        """The stored form, in the order of the module's columns."""
        return self._row

    @property
    def title(self) -> str:
        """One line that stands for the record."""
        return str(self[self._module.title] or self.id)

    def __getitem__(self, name: str) -> Value:
        slot = self._module.layout.slots.get(name)
        if slot is None:
            hint = suggest(name, self._module.layout.slots)
            raise _UnknownKey("unknown_field", module=self._module.name, field=name, hint=hint)
        try:
            value: Value = slot.read(self._row)
        except UNREADABLE as error:  # from None: what led to it would show the value
            field = f"{self._module.name}.{name}"
            raise damage(f"{field} at {self.id}", error) from None
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._module.layout.slots)

    def __len__(self) -> int:
        return len(self._module.layout.slots)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Record):
            return NotImplemented
        return self._module.id == other._module.id and self._row == other._row

    def __hash__(self) -> int:
        return hash((self._module.id, self._row))

    def __repr__(self) -> str:
        return f"<{self._module.name} {self.id} version {self.version}>"


class _UnknownKey(NotFound, KeyError):
    """Lets ``record.get(name)`` and ``name in record`` work as for any mapping."""
