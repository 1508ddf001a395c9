"""The door to the engine: numpy and rapidfuzz are loaded by the first search, not by the first table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import attrs

from nubetis.data.cells import Cell, Columns
from nubetis.data.dedupe.matches import Matches

__all__ = ["column_digest", "find_duplicates"]

_BATCH: Final = 4096


def find_duplicates(columns: Columns, *, seed: int = 1) -> Matches:
    """Find the rows of *columns* that mean the same person or company, without labels.

    The same for the same rows and seed, whatever the order of the rows.

    >>> find_duplicates({"email": ["ana@x.pe", "luis@x.pe"]}).clusters()
    ()
    """
    from nubetis.data.dedupe.engine import search  # noqa: PLC0415 - the one door of the engine

    found = search(columns, rows=len(next(iter(columns.values()), ())), seed=seed)
    return attrs.evolve(found, searched=frozenset(map(column_digest, columns.values())))


def column_digest(cells: Sequence[Cell]) -> str:
    """Give 32 hexadecimal digits that stand for the cells of a column, in their order.

    >>> column_digest(["a", None]) == column_digest(["a", ""])
    False
    """
    hasher = hashlib.blake2b(digest_size=16)
    for start in range(0, len(cells), _BATCH):
        hasher.update(repr(list(cells[start : start + _BATCH])).encode())
    return hasher.hexdigest()
