"""A table as the engine sees it: each column a sorted vocabulary and, for each row, a place in it.

Rows that are equal in their normal form become one *entry*; entries are sorted by content, so that everything
after this does not know in which order the rows came.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs
import numpy as np

from nubetis.data.cells import Cell, Columns
from nubetis.data.dedupe.normal import normal_value
from nubetis.data.mapping import normal_header
from nubetis.data.profile import ColumnKind, Profile, profile_column

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Coded", "Codes", "Entries", "Role", "code_columns", "make_entries"]

Codes: TypeAlias = "NDArray[np.int64]"

_SKIPPED: Final = frozenset({ColumnKind.EMPTY, ColumnKind.KEY})


_NAMED_PLACE: Final = re.compile(
    r"\b(addr\w*|street|city|town|suburb|zip|post\w*|state|province|region|county|country|direccion|calle|ciudad"
    r"|domicilio|localidad|distrito|provincia|departamento|municipio|estado|pais|endereco|rua|cidade|cep|cp)\b"
)
_NAMED_OWN: Final = re.compile(r"\b(mobile|cell\w*|celular|movil|telemovel|whatsapp)\b")


class Role(enum.Enum):
    """What agreement in a column means."""

    NAME = enum.auto()
    """It is what a record is called: other names, other records."""
    PLACE = enum.auto()
    """Households and colleagues have it in common; such columns say nearly the same as each other."""
    OTHER = enum.auto()


@attrs.frozen(eq=False)
class Coded:
    """One column: *codes* gives for each entry the place of its value in *words*, -1 where it has none."""

    name: str
    kind: ColumnKind
    role: Role
    words: tuple[str, ...]
    codes: Codes


@attrs.frozen(eq=False)
class Entries:
    """The different rows of a table, in the order of their content; *rows* gives where each stands."""

    columns: tuple[Coded, ...]
    rows: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.rows)


def code_columns(columns: Columns) -> list[Coded]:
    """Give the columns that say something about who is who; codes are by row."""
    profiles = [profile_column(name, cells) for name, cells in columns.items()]
    named = ColumnKind.PERSON if any(each.kind is ColumnKind.PERSON for each in profiles) else ColumnKind.COMPANY
    coded = [_coded(each, columns[each.name], _role(each, named)) for each in profiles if each.kind not in _SKIPPED]
    return [column for column in coded if column.words]


def _role(profile: Profile, named: ColumnKind) -> Role:
    header = normal_header(profile.name)
    if profile.kind is named:
        return Role.NAME
    if profile.kind is ColumnKind.PHONE:
        return Role.OTHER if _NAMED_OWN.search(header) else Role.PLACE
    return Role.PLACE if _NAMED_PLACE.search(header) or profile.kind is ColumnKind.COMPANY else Role.OTHER


def _coded(profile: Profile, cells: Sequence[Cell], role: Role) -> Coded:
    normal = {cell: normal_value(cell, profile.kind) for cell in set(cells) if cell}
    words = sorted(set(normal.values()) - {""})
    places = {word: place for place, word in enumerate(words)} | {"": -1}
    codes = np.array([places[normal[cell]] if cell else -1 for cell in cells], dtype=np.int64)
    return Coded(profile.name, profile.kind, role, tuple(words), codes)


def make_entries(columns: Sequence[Coded]) -> Entries:
    """Join equal rows; a row without any value is in no entry."""
    if not columns:
        return Entries((), ())
    table = np.stack([column.codes for column in columns], axis=1)
    kept = np.flatnonzero((table >= 0).any(axis=1))
    different, inverse = np.unique(table[kept], axis=0, return_inverse=True)
    rows: list[list[int]] = [[] for _ in different]
    for row, entry in zip(kept.tolist(), inverse.reshape(-1).tolist(), strict=True):
        rows[entry].append(row)
    coded = [attrs.evolve(column, codes=different[:, place]) for place, column in enumerate(columns)]
    return Entries(tuple(coded), tuple([tuple(group) for group in rows]))
