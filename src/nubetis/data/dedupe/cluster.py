"""From pairs to groups, with a guard against chains: A like B and B like C does not make A like C."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

__all__ = ["cluster"]

_LEAST: Final = 0.6
"""More than a half, so that three in a row, whose ends are not alike, stay apart."""


def cluster(pairs: Iterable[tuple[int, int, float]], *, above: float) -> list[tuple[int, ...]]:
    """Give groups of two and more, sorted; *pairs* come best first.

    Two groups become one when, of all pairs between them, the average is at least six tenths of *above*; a pair that
    was never thought worth comparing counts as 0.

    >>> cluster([(0, 1, 0.99), (1, 2, 0.97), (0, 2, 0.9)], above=0.95)
    [(0, 1, 2)]
    >>> cluster([(0, 1, 0.99), (2, 3, 0.98), (1, 2, 0.96)], above=0.95)
    [(0, 1), (2, 3)]
    """
    kept = list(pairs)
    scores = {(first, second): score for first, second, score in kept}
    group_of: dict[int, int] = {}
    groups: dict[int, list[int]] = {}
    for first, second, score in kept:
        if score < above:
            break
        left = groups.setdefault(group_of.setdefault(first, first), [first])
        right = groups.setdefault(group_of.setdefault(second, second), [second])
        if left is not right and _is_close(left, right, scores, _LEAST * above):
            _join(left, right, group_of, groups)
    return sorted([tuple(sorted(group)) for group in groups.values() if len(group) > 1])


def _is_close(left: Sequence[int], right: Sequence[int], scores: dict[tuple[int, int], float], least: float) -> bool:
    total = sum([scores.get((min(a, b), max(a, b)), 0.0) for a in left for b in right])
    return total >= least * len(left) * len(right)


def _join(left: list[int], right: list[int], group_of: dict[int, int], groups: dict[int, list[int]]) -> None:
    small, large = sorted([left, right], key=len)
    small_name, large_name = group_of[small[0]], group_of[large[0]]
    for member in small:
        group_of[member] = large_name
    large += small
    del groups[small_name]
