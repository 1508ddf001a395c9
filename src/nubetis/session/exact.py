"""Edits that say of each record no more than what changes in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import attrs

from nubetis.model.plan import Edits
from nubetis.session.spool import Spool
from nubetis.types import Row

__all__ = ["exact"]


def exact(part: Edits, after: Row) -> Iterator[Edits]:
    """Cut *part*, which gives all its rows *after*, so that each row has the fields alone that change."""
    cuts = list(_cuts(part))

    def changed(row: Row) -> tuple[int, ...]:
        moved = [any(row[p] != after[c] for p, c in zip(places, cells, strict=True)) for places, cells in cuts]
        return tuple([at for at, different in enumerate(moved) if different])

    kinds = {changed(row) for row in part.rows} if len(cuts) > 1 else set[tuple[int, ...]]()
    if kinds <= {tuple(range(len(cuts)))}:
        yield part
        return
    for kind in sorted(kinds):
        rows = Spool(row for row in part.rows if changed(row) == kind)
        values = tuple([after[cell] for at in kind for cell in cuts[at][1]])
        fields = tuple([part.fields[at] for at in kind])
        yield attrs.evolve(part, rows=rows, fields=fields, after=[values] * len(rows))


def _cuts(part: Edits) -> Iterator[tuple[Sequence[int], Sequence[int]]]:
    """Give for each field its places in a row, and those of its cells in the new values."""
    first = 0
    for field in part.fields:
        cells = range(first, first + len(field.parts))
        yield [part.places[cell] for cell in cells], cells
        first = cells.stop
