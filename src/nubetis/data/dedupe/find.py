"""The door to the engine: numpy and rapidfuzz are loaded by the first search, not by the first table."""

from __future__ import annotations

from nubetis.data.cells import Columns
from nubetis.data.dedupe.matches import Matches

__all__ = ["find_duplicates"]


def find_duplicates(columns: Columns, *, seed: int = 1) -> Matches:
    """Find the rows of *columns* that mean the same person or company, without labels.

    The same for the same rows and seed, whatever the order of the rows.

    >>> find_duplicates({"email": ["ana@x.pe", "luis@x.pe"]}).clusters()
    ()
    """
    from nubetis.data.dedupe.engine import search  # noqa: PLC0415 - the one door of the engine

    return search(columns, rows=len(next(iter(columns.values()), ())), seed=seed)
