"""Sets of whole numbers that lie close together: a few intervals instead of many members.

With roles and users numbered along the tree (:mod:`nubetis.access.numbering`), "all below Ana" is one interval, and
whatever sharing rules add to it stays a short list.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, TypeAlias

import attrs

__all__ = ["NOBODY", "Intervals", "Span"]

Span: TypeAlias = tuple[int, int]
"""A half-open interval: from the first number to before the second."""


@attrs.frozen(repr=False)
class Intervals:
    """A set of whole numbers from 0 on, as the *bounds* between outside and inside.

    Inside is from the first bound on, outside from the second, inside from the third.  Bounds ascend strictly, so
    equal sets are equal values.  Membership costs one binary search.

    >>> some = Intervals.of([(5, 8), (1, 3), (3, 4)])
    >>> some, 3 in some, 4 in some, len(some)
    (Intervals[1:4, 5:8], True, False, 6)
    """

    bounds: tuple[int, ...] = ()

    @classmethod
    def of(cls, spans: Iterable[Span]) -> Intervals:
        """Join *spans*, which may come in any order, touch, overlap or be empty."""
        joined: list[int] = []
        for start, end in sorted(spans):
            if start >= end:
                continue
            if joined and start <= joined[-1]:
                joined[-1] = max(joined[-1], end)
            else:
                joined += (start, end)
        return cls(tuple(joined))

    @classmethod
    def one(cls, number: int) -> Intervals:
        """Give the set of just one number."""
        return cls((number, number + 1))

    def __repr__(self) -> str:
        return f"Intervals[{', '.join(f'{start}:{end}' for start, end in self.spans)}]"

    def __contains__(self, number: int) -> bool:
        return bisect_right(self.bounds, number) % 2 == 1

    def __iter__(self) -> Iterator[int]:
        return chain.from_iterable(range(start, end) for start, end in self.spans)

    def __len__(self) -> int:
        return sum(self.bounds[1::2]) - sum(self.bounds[::2])

    def __bool__(self) -> bool:
        return bool(self.bounds)

    @property
    def spans(self) -> list[Span]:
        """The intervals, in order."""
        return list(zip(self.bounds[::2], self.bounds[1::2], strict=True))

    def __or__(self, other: Intervals) -> Intervals:
        return Intervals.of([*self.spans, *other.spans])

    def __and__(self, other: Intervals) -> Intervals:
        both = [
            (max(start, first), min(end, last)) for start, end in self.spans for first, last in other._near(start, end)
        ]
        return Intervals.of(both)

    def __sub__(self, other: Intervals) -> Intervals:
        return Intervals.of([span for start, end in self.spans for span in other._gaps(start, end)])

    def __le__(self, other: Intervals) -> bool:
        """Say whether each member is one of *other*."""
        return all(other.covers(start, end) for start, end in self.spans)

    def covers(self, start: int, end: int) -> bool:
        """Say whether all from *start* to before *end* are members."""
        at = bisect_right(self.bounds, start)
        return start >= end or (at % 2 == 1 and end <= self.bounds[at])

    def meets(self, start: int, end: int) -> bool:
        """Say whether any from *start* to before *end* is a member."""
        at = bisect_right(self.bounds, start)
        return start < end and (at % 2 == 1 or (at < len(self.bounds) and self.bounds[at] < end))

    def _near(self, start: int, end: int) -> list[Span]:
        """Give the intervals that may meet the one from *start* to before *end*."""
        first, last = bisect_right(self.bounds, start), bisect_right(self.bounds, end)
        return self.spans[first // 2 : (last + 1) // 2]

    def _gaps(self, start: int, end: int) -> Iterator[Span]:
        """Give what of the numbers from *start* to before *end* are no members."""
        for first, last in self._near(start, end):
            yield start, first
            start = max(start, last)
        yield start, end


NOBODY: Final = Intervals()
