"""What agreement is worth: Fellegi and Sunter's weights, learnt without labels.

For each column and level, *m* is how often two records of one person show it, *u* how often two others do.
*u* comes from random pairs, *m* and the share of matches from expectation maximisation over the candidates,
held near sensible values by a prior.  Equal values weigh more the rarer they are.  A column that merely repeats
another (a region, given the town) is weighed given the other.

Reference: Fellegi and Sunter (1969), A theory for record linkage; Winkler (2000), frequency-based matching.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs
import numpy as np

from nubetis.data.dedupe.columns import Entries, Role
from nubetis.data.dedupe.compare import EQUAL, LEVELS, compare_columns
from nubetis.data.profile import ColumnKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nubetis.data.dedupe.block import Pairs
    from nubetis.data.dedupe.compare import Levels

__all__ = ["Model", "learn"]

Numbers: TypeAlias = "NDArray[np.float64]"

_ROUNDS: Final = 25
_RANDOM_PAIRS: Final = 20_000
_PRIOR_M: Final = np.array([0.07, 0.05, 0.08, 0.15, 0.65])
_PRIOR_PAIRS: Final = 20.0
_HELD: Final = {Role.NAME: 2.0, Role.PLACE: 0.3, Role.OTHER: 0.0}
"""How firmly m is held near the prior, in parts of the matches: who has another name is another person."""
_PLACE: Final = 8.0
"""Bits that one column of a place can say at most: a household, a firm."""
_MOST: Final = 12.0
"""Bits that one column can say at most: households share a telephone, colleagues an address."""
_PSEUDO_ROWS: Final = 50.0
_CHANCE: Final = {
    ColumnKind.EMAIL: 1e-5,
    ColumnKind.URL: 1e-3,
    ColumnKind.PHONE: 1e-5,
    ColumnKind.CODE: 1e-4,
    ColumnKind.DATE: 1e-3,
    ColumnKind.PERSON: 5e-3,
    ColumnKind.COMPANY: 2e-3,
    ColumnKind.TEXT: 2e-3,
    ColumnKind.LONG: 1e-4,
    ColumnKind.NUMBER: 1e-2,
    ColumnKind.CATEGORY: 0.2,
}
"""How often two strangers have the same value, where the table is too small to say."""


@attrs.frozen(eq=False)
class Model:
    """Everything that turns levels of agreement into weights, in bits."""

    m: Numbers
    u: Numbers
    chance: tuple[Numbers, ...]
    given: Numbers
    prior: float

    def weights(self, entries: Entries, pairs: Pairs) -> Numbers:
        """Give the weight of each column for each pair of entries."""
        return _weights(self, entries, pairs, compare_columns(entries.columns, *pairs))

    def scores(self, weights: Numbers) -> Numbers:
        """Give the probability that a pair is a match."""
        return _probability(weights.sum(axis=1) + self.prior)


def _probability(bits: Numbers) -> Numbers:
    return 1 / (1 + np.exp2(-np.clip(bits, -500, 500)))


def learn(entries: Entries, pairs: Pairs, *, seed: int) -> Model:
    """Learn the model of *entries* from the candidates *pairs*."""
    columns = entries.columns
    chance = tuple([_chance(entries, place) for place in range(len(columns))])
    u = _random_levels(entries, seed=seed)
    model = Model(np.tile(_PRIOR_M, (len(columns), 1)), u, chance, _given(entries), 0.0)
    levels = compare_columns(columns, *pairs)
    total = len(entries) * (len(entries) - 1) / 2
    matches = 0.1 * len(entries)
    for _ in range(_ROUNDS):
        model = attrs.evolve(model, prior=float(np.log2(matches / max(total - matches, 1.0))))
        sure = model.scores(_weights(model, entries, pairs, levels))
        matches = float(np.clip(sure.sum() + 0.5, 0.5, max(total / 2, 1.0)))
        model = attrs.evolve(model, m=_expected(entries, levels, sure))
    return model


def _chance(entries: Entries, place: int) -> Numbers:
    """Give for each value how likely a stranger has it too; one record more than two is the least that tells."""
    column = entries.columns[place]
    sizes = np.array([len(rows) for rows in entries.rows], dtype=np.float64)
    there = column.codes >= 0
    counts = np.bincount(column.codes[there], minlength=len(column.words)).astype(np.float64)
    return (np.maximum(counts - 2, 0) + _PSEUDO_ROWS * _CHANCE[column.kind]) / (len(sizes) + _PSEUDO_ROWS)


def _random_levels(entries: Entries, *, seed: int) -> Numbers:
    """Give u: the levels of random pairs, held off zero by some pairs of a plain stranger."""
    random = np.random.default_rng(seed)
    first = random.integers(0, len(entries), _RANDOM_PAIRS)
    second = random.integers(0, len(entries), _RANDOM_PAIRS)
    apart = first != second
    levels = compare_columns(entries.columns, first[apart], second[apart])
    found = [
        _shares(levels[:, place], np.ones(len(levels)), prior=_stranger(column.kind) * 30)
        for place, column in enumerate(entries.columns)
    ]
    return np.stack(found)


def _stranger(kind: ColumnKind) -> Numbers:
    chance = _CHANCE[kind]
    near = np.array([0.0, 0.1, 0.02, 0.5 * chance, chance])
    near[0] = 1 - near.sum()
    return near


def _shares(levels: Levels, weights: Numbers, *, prior: Numbers) -> Numbers:
    there = levels >= 0
    counts = np.bincount(levels[there], weights=weights[there], minlength=LEVELS) + prior
    shares: Numbers = counts / counts.sum()
    return shares


def _expected(entries: Entries, levels: Levels, sure: Numbers) -> Numbers:
    matches = float(sure.sum())
    found = []
    for place, column in enumerate(entries.columns):
        held = _PRIOR_M * (_PRIOR_PAIRS + _HELD[column.role] * matches)
        found.append(_shares(levels[:, place], sure, prior=held))
    return np.stack(found)


def _given(entries: Entries) -> Numbers:
    """Give for columns j, k how often strangers who agree on j agree on k as well.

    Only values that many share are asked: two records with a rare value in common may be one person.
    """
    columns = entries.columns
    found = np.zeros((len(columns), len(columns)))
    for place, column in enumerate(columns):
        first, second = _strangers(column.codes, len(column.words))
        if len(first) < 50:
            continue
        levels = compare_columns(columns, first, second)
        there = (levels >= 0).sum(axis=0)
        found[place] = ((levels == EQUAL).sum(axis=0) + 0.01) / (there + 1)
    return found


def _strangers(codes: NDArray[np.int64], size: int) -> Pairs:
    """Give pairs that share a common value, far apart in the order of content; at most 5,000."""
    order = np.argsort(codes, kind="stable")
    counts = np.bincount(codes[codes >= 0], minlength=size)
    starts = np.searchsorted(codes[order], np.arange(size))
    parts = []
    for code in np.flatnonzero(counts >= 8).tolist():
        block = order[starts[code] : starts[code] + counts[code]]
        half = len(block) // 2
        parts.append((block[:half], block[half : 2 * half]))
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    first, second = np.concatenate([a for a, _ in parts]), np.concatenate([b for _, b in parts])
    step = max(1, len(first) // 5000)
    return first[::step], second[::step]


def _weights(model: Model, entries: Entries, pairs: Pairs, levels: Levels) -> Numbers:
    """Give the weight of each column for each pair, the columns that say most first."""
    table = _level_weights(model)
    found = np.zeros(levels.shape)
    order = np.argsort([float(chance.mean()) for chance in model.chance], kind="stable")
    seen: list[int] = []
    for place in order.tolist():
        column = levels[:, place]
        weight = np.where(column >= 0, table[place][column], 0.0)
        equal = column == EQUAL
        chance = model.chance[place][entries.columns[place].codes[pairs[0][equal]]]
        for other in seen:
            agrees = levels[equal, other] == EQUAL
            chance = np.maximum(chance, np.where(agrees, model.given[other, place], 0.0))
        weight[equal] = np.log2(model.m[place, EQUAL] / np.minimum(chance, 1.0))
        found[:, place] = np.minimum(weight, _MOST)
        seen.append(place)
    return _damped(found, [place for place, column in enumerate(entries.columns) if column.role is Role.PLACE])


def _damped(weights: Numbers, places: Sequence[int]) -> Numbers:
    """Count what speaks for one place once: the strongest column whole, each further one half of the last."""
    group = weights[:, places]
    order = np.argsort(-group, axis=1, kind="stable")
    share = np.zeros_like(group)
    np.put_along_axis(share, order, np.tile(0.5 ** np.arange(len(places)), (len(group), 1)), axis=1)
    weights[:, places] = np.where(group > 0, np.minimum(group, _PLACE) * share, group)
    return weights


def _level_weights(model: Model) -> Numbers:
    """Give the weight of each level; a closer level never says less, and none says as much as equality."""
    table = np.maximum.accumulate(np.log2(model.m / model.u), axis=1)
    top = np.log2(model.m[:, EQUAL] / np.array([float(chance.mean()) for chance in model.chance]))
    most = np.maximum(0.8 * np.minimum(top, _MOST), 0.0)
    found: Numbers = np.minimum(table, most[:, None])
    return found
