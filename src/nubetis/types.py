"""Names for the kinds of text and number that travel between the layers."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final, NewType, TypeAlias

__all__ = [
    "LEAST",
    "MOST",
    "UNSET",
    "Cells",
    "FieldId",
    "FieldName",
    "Json",
    "Key",
    "ModuleId",
    "ModuleName",
    "Progress",
    "RecordId",
    "Row",
    "Scalar",
    "Stored",
    "Unset",
]

ModuleName = NewType("ModuleName", str)
"""The API name of a module: ``deals``."""

FieldName = NewType("FieldName", str)
"""The API name of a field: ``stage``."""

ModuleId = NewType("ModuleId", int)
"""The immutable number of a module; a rename keeps it."""

FieldId = NewType("FieldId", int)
"""The immutable number of a field; a rename keeps it."""

LEAST: Final = -(1 << 63)
MOST: Final = (1 << 63) - 1
"""The least and the greatest whole number that a column can keep."""

Key = NewType("Key", int)
"""A record's id inside the store: 63 bits, ordered by time."""

RecordId = NewType("RecordId", str)
"""A record's id outside the store: ``dea_0D3C…``; see :mod:`nubetis.model.ids`."""

Stored: TypeAlias = int | str | bytes | None
"""What a store keeps in one column; see :class:`nubetis.model.fields.Storage`."""

Row: TypeAlias = tuple[Stored, ...]
"""One record in its stored form, in the order of its module's columns."""

Cells: TypeAlias = tuple[Any, ...]
"""Cells of a row whose types the reader knows: binding or the field type has settled them."""

Scalar: TypeAlias = bool | int | str | Decimal | date | datetime | time | bytes | None
"""A plain value as the host's code sees it."""

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None
"""What JSON can say."""

Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with (done, total); *total* is ``None`` where it is not known."""


class Unset(enum.Enum):
    """The type of :data:`UNSET`."""

    UNSET = enum.auto()


UNSET: Final = Unset.UNSET
"""Says "not given" where ``None`` means "none"."""
