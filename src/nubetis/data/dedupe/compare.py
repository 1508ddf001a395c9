"""How far two values of a column agree: a level from 0 (different) to 4 (equal), -1 where one is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from nubetis.data.dedupe.columns import Coded
from nubetis.data.profile import ColumnKind
from nubetis.model.similar import Measure, similarities

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nubetis.data.dedupe.columns import Codes
    from nubetis.model.similar import Scores

__all__ = ["EQUAL", "LEVELS", "MISSING", "Levels", "compare_columns", "levels_of"]

Levels: TypeAlias = "NDArray[np.int8]"

LEVELS: Final = 5
EQUAL: Final = 4
MISSING: Final = -1

_BOUNDS: Final = {
    ColumnKind.PERSON: (0.7, 0.82, 0.92),
    ColumnKind.EMAIL: (0.8, 0.86, 0.92),
    ColumnKind.URL: (0.8, 0.86, 0.92),
    ColumnKind.PHONE: (0.74, 0.8, 0.85),
    ColumnKind.DATE: (0.7, 0.74, 0.85),
    ColumnKind.CODE: (0.6, 0.7, 0.8),
    ColumnKind.NUMBER: (0.6, 0.7, 0.8),
    ColumnKind.CATEGORY: (0.8, 0.9, 0.95),
}
_OTHER_NUMBER: Final = 0.55
_WORD_BOUNDS: Final = (0.4, 0.6, 0.8)


def compare_columns(columns: Sequence[Coded], first: Codes, second: Codes) -> Levels:
    """Give the levels of pairs of entries: a row a pair, a column a column."""
    found = [levels_of(column, column.codes[first], column.codes[second]) for column in columns]
    levels = np.stack(found, axis=1)
    people = [place for place, column in enumerate(columns) if column.kind is ColumnKind.PERSON]
    if len(people) == 2:
        _mend_swaps(columns, (people[0], people[1]), (first, second), levels)
    return levels


def _mend_swaps(columns: Sequence[Coded], people: tuple[int, int], pairs: tuple[Codes, Codes], levels: Levels) -> None:
    """Raise the levels where first and last name stand in each other's place."""
    one, two = people
    for at in np.flatnonzero((levels[:, one] == 0) & (levels[:, two] == 0)).tolist():
        names = [columns[place].words[columns[place].codes[end[at]]] for end in pairs for place in people]
        if names[0] == names[3] and names[1] == names[2]:
            levels[at, one] = levels[at, two] = EQUAL - 1


def levels_of(column: Coded, first: Codes, second: Codes) -> Levels:
    """Give the level of each pair of codes; each different pair of values is compared once."""
    levels = np.full(len(first), MISSING, dtype=np.int8)
    there = np.flatnonzero((first >= 0) & (second >= 0))
    size = len(column.words)
    low, high = np.minimum(first[there], second[there]), np.maximum(first[there], second[there])
    pairs, inverse = np.unique(low * size + high, return_inverse=True)
    made = np.full(len(pairs), EQUAL, dtype=np.int8)
    unequal = np.flatnonzero(pairs // size != pairs % size) if size else np.zeros(0, dtype=np.int64)
    left = [column.words[code] for code in (pairs[unequal] // size).tolist()]
    right = [column.words[code] for code in (pairs[unequal] % size).tolist()]
    bounds = _BOUNDS.get(column.kind, _WORD_BOUNDS)
    made[unequal] = np.digitize(_alike(column, left, right), bounds).astype(np.int8)
    levels[there] = made[inverse.reshape(-1)]
    return levels


def _alike(column: Coded, left: Sequence[str], right: Sequence[str]) -> Scores:
    if not left:
        return np.zeros(0, dtype=np.float32)
    match column.kind:
        case ColumnKind.PERSON:
            names = similarities(left, right, measure=Measure.NAME)
            within = np.float32(0.9) * similarities(left, right, measure=Measure.WITHIN) ** 2
            best: Scores = np.maximum(names, within)
            return best
        case ColumnKind.TEXT | ColumnKind.COMPANY | ColumnKind.LONG:
            return _alike_words(column, left, right)
        case _:
            return similarities(left, right, measure=Measure.EDITS)


def _alike_words(column: Coded, left: Sequence[str], right: Sequence[str]) -> Scores:
    """Compare words by their weight: a rare word shared says much, a common one little."""
    weights = _word_weights(column)
    near = _near_words(left, right)
    words = [_shared(a.split(), b.split(), weights, near) for a, b in zip(left, right, strict=True)]
    edits = similarities(left, right, measure=Measure.EDITS)
    found = np.maximum(np.array(words, dtype=np.float32), edits)
    other = np.array([_other_number(a, b) for a, b in zip(left, right, strict=True)], dtype=bool)
    found[other] = np.minimum(found[other], np.float32(_OTHER_NUMBER))
    return found


def _other_number(left: str, right: str) -> bool:
    """Tell whether both hold numbers and none in common: another house of the street, another branch."""
    mine = {word for word in left.split() if word[0].isdigit()}
    theirs = {word for word in right.split() if word[0].isdigit()}
    return bool(mine and theirs) and not mine & theirs


def _word_weights(column: Coded) -> dict[str, float]:
    counts = Counter([word for text in column.words for word in set(text.split())])
    return {word: float(np.log(1 + len(column.words) / count)) for word, count in counts.items()}


def _near_words(left: Sequence[str], right: Sequence[str]) -> dict[tuple[str, str], float]:
    """Give the words, of those that one text has and the other has not, that are nearly the same."""
    wanted: set[tuple[str, str]] = set()
    for a, b in zip(left, right, strict=True):
        mine, theirs = set(a.split()), set(b.split())
        wanted.update([(x, y) for x in mine - theirs for y in theirs - mine if x[0] == y[0] and len(x) + len(y) > 6])
    pairs = sorted(wanted)
    if not pairs:
        return {}
    alike = similarities([x for x, _ in pairs], [y for _, y in pairs], measure=Measure.NAME)
    return {pair: float(score) for pair, score in zip(pairs, alike.tolist(), strict=True) if score >= 0.88}


def _shared(
    mine: Sequence[str], theirs: Sequence[str], weights: dict[str, float], near: dict[tuple[str, str], float]
) -> float:
    a, b = set(mine), set(theirs)
    whole = sum([weights[word] for word in a]) + sum([weights[word] for word in b])
    common = 2 * sum([weights[word] for word in a & b])
    rest = b - a
    for word in sorted(a - b):
        best = max([(near.get((word, other), 0.0), other) for other in sorted(rest)], default=(0.0, ""))
        if best[0]:
            rest.discard(best[1])
            common += best[0] * (weights[word] + weights[best[1]])
    return common / whole
