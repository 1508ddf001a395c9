"""The search for near duplicates, from columns to matches.  Numpy and rapidfuzz come with this module."""

from __future__ import annotations

import attrs
import numpy as np

from nubetis.data.cells import Columns
from nubetis.data.dedupe.block import candidate_pairs
from nubetis.data.dedupe.columns import Entries, code_columns, make_entries
from nubetis.data.dedupe.matches import Matches, Pair
from nubetis.data.dedupe.weigh import Model, learn

__all__ = ["search"]

_LEAST = 0.01


@attrs.frozen(eq=False)
class _Explainer:
    entries: Entries
    model: Model

    def explain(self, first: int, second: int) -> Pair:
        entry_of = {row: entry for entry, rows in enumerate(self.entries.rows) for row in rows}
        if first not in entry_of or second not in entry_of:
            return Pair(first, second, 0.0)
        ends = sorted([entry_of[first], entry_of[second]])
        weights = self.model.weights(self.entries, (np.array(ends[:1]), np.array(ends[1:])))
        names = [column.name for column in self.entries.columns]
        said = dict(zip(names, weights[0].tolist(), strict=True))
        return Pair(first, second, float(self.model.scores(weights)[0]), said, self.model.prior)


def search(columns: Columns, *, rows: int, seed: int) -> Matches:
    """Find the rows that may be one."""
    entries = make_entries(code_columns(columns))
    if not len(entries):
        return Matches(rows, seed, (), ())
    first, second = candidate_pairs(entries)
    many = np.array([entry for entry, group in enumerate(entries.rows) if len(group) > 1], dtype=np.int64)
    model = learn(entries, (first, second), seed=seed)
    pairs = np.concatenate([first, many]), np.concatenate([second, many])
    scores = model.scores(model.weights(entries, pairs))
    order = np.lexsort((pairs[1], pairs[0], -scores))
    links = [(int(pairs[0][at]), int(pairs[1][at]), float(scores[at])) for at in order.tolist() if scores[at] >= _LEAST]
    return Matches(rows, seed, entries.rows, tuple(links), _Explainer(entries, model))
