"""How alike two texts are: the one door to rapidfuzz.

Nothing that ``import nubetis`` loads may import this module; numpy and rapidfuzz come with it.
Every similarity runs from 0 (nothing in common) to 1 (equal).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Measure", "Scores", "similarities", "similarity", "similarity_table"]

Scores: TypeAlias = "NDArray[np.float32]"
"""Similarities, 32 bits each."""


class Measure(enum.StrEnum):
    """What counts as alike."""

    NAME = enum.auto()
    """Jaro-Winkler: short names; a common beginning counts more."""
    EDITS = enum.auto()
    """Edits, an exchange of neighbours counted as one: codes, e-mails, numbers."""
    WORDS = enum.auto()
    """Equal words in any order: titles, company names, addresses."""
    WITHIN = enum.auto()
    """The words of the shorter stand in the longer."""


_Scorer: TypeAlias = Callable[..., float]

_SCORERS: Final[dict[Measure, tuple[_Scorer, float]]] = {
    Measure.NAME: (JaroWinkler.normalized_similarity, 1.0),
    Measure.EDITS: (OSA.normalized_similarity, 1.0),
    Measure.WORDS: (fuzz.token_sort_ratio, 100.0),
    Measure.WITHIN: (fuzz.token_set_ratio, 100.0),
}
"""Measure → rapidfuzz's scorer and what it calls equal."""


def similarity(first: str, second: str, *, measure: Measure = Measure.NAME) -> float:
    """Give how alike two texts are.

    >>> round(similarity("martha", "marhta"), 3)
    0.961
    """
    scorer, top = _SCORERS[measure]
    return scorer(first, second) / top


def similarities(first: Sequence[str], second: Sequence[str], *, measure: Measure = Measure.NAME) -> Scores:
    """Give how alike the texts at each place are; 8-10 million pairs a second.

    >>> similarities(["ana", "luis"], ["ana", "otto"]).round(1).tolist()
    [1.0, 0.0]
    """
    scorer, top = _SCORERS[measure]
    found: Scores = process.cpdist(first, second, scorer=scorer, dtype=np.float32)
    return found / np.float32(top)


def similarity_table(first: Sequence[str], second: Sequence[str], *, measure: Measure = Measure.NAME) -> Scores:
    """Give how alike each text of *first* is to each of *second*: a row for each of *first*.

    It holds ``len(first) * len(second)`` numbers: cut long lists into pieces.

    >>> similarity_table(["ana"], ["ana", "anna"]).tolist()[0][0]
    1.0
    """
    scorer, top = _SCORERS[measure]
    found: Scores = process.cdist(first, second, scorer=scorer, dtype=np.float32)
    return found / np.float32(top)
