"""Intervals are sets: whatever is asked of them, a set of numbers answers alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nubetis.access.intervals import NOBODY, Intervals

SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def as_set(spans):
    """Give the members of *spans*, one by one."""
    return {each for start, end in spans for each in range(start, end)}


@given(SPANS)
def test_they_hold_what_their_spans_hold(spans):
    found, members = Intervals.of(spans), as_set(spans)
    assert list(found) == sorted(members)
    assert len(found) == len(members)
    assert bool(found) == bool(members)
    assert [each for each in range(-1, 45) if each in found] == sorted(members)


@given(SPANS)
def test_equal_sets_are_equal_values(spans):
    """However they were given: joined, in one order, without an empty one, none touching the next."""
    found = Intervals.of(spans)
    assert found == Intervals.of([(each, each + 1) for each in as_set(spans)])
    assert all(low < high for low, high in zip(found.bounds, found.bounds[1:], strict=False))
    assert found == Intervals.of(found.spans)


@given(SPANS, SPANS)
def test_they_are_joined_met_and_taken_away_as_sets(one, other):
    a, b = Intervals.of(one), Intervals.of(other)
    left, right = as_set(one), as_set(other)
    assert set(a | b) == left | right
    assert set(a & b) == left & right
    assert set(a - b) == left - right
    assert (a <= b) == (left <= right)


@given(SPANS, st.integers(0, 40), st.integers(0, 40))
def test_a_span_is_covered_or_met(spans, start, end):
    found, members, span = Intervals.of(spans), as_set(spans), set(range(start, end))
    assert found.covers(start, end) == (span <= members)
    assert found.meets(start, end) == bool(span & members)


def test_nobody_is_in_none():
    assert not NOBODY
    assert list(NOBODY) == []
    assert repr(Intervals.of([(4, 6), (0, 1)])) == "Intervals[0:1, 4:6]"
