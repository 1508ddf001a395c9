"""One row out of several."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nubetis.data.cells import Cell, Columns

__all__ = ["fuse"]


def fuse(columns: Columns, clusters: Iterable[Sequence[int]], *, rows: int) -> dict[str, list[Cell]]:
    """Give the columns with one row for each cluster, where its first row stood.

    The fullest row is kept, the first of equals; its empty cells are filled from the others, in their order.

    >>> fuse({"name": ["Ana", None], "city": [None, "Lima"]}, [(0, 1)], rows=2)
    {'name': ['Ana'], 'city': ['Lima']}
    """
    groups = [sorted(cluster) for cluster in clusters]
    group_of = {row: group for group in groups for row in group}
    kept = [
        (row, _fullest_first(columns, group_of[row]) if row in group_of else (row,))
        for row in range(rows)
        if row not in group_of or row == group_of[row][0]
    ]
    return {name: [_first_filled(cells, group) for _, group in kept] for name, cells in columns.items()}


def _fullest_first(columns: Columns, group: Sequence[int]) -> Sequence[int]:
    filled = {row: sum([bool(cells[row]) for cells in columns.values()]) for row in group}
    master = max(group, key=lambda row: (filled[row], -row))
    return [master, *[row for row in group if row != master]]


def _first_filled(cells: Sequence[Cell], group: Sequence[int]) -> Cell:
    return next((cells[row] for row in group if cells[row]), cells[group[0]])
