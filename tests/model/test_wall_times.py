"""A time on the wall on the days when the clocks are changed: New York, in 2026."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nubetis.model.kinds import WallTime


@pytest.mark.parametrize("fold", [0, 1])
@pytest.mark.parametrize(
    ("local", "instant"),
    [
        ("2026-03-08T01:30", "2026-03-08T06:30"),
        ("2026-03-08T02:30", "2026-03-08T07:30"),  # not on any clock: the later
        ("2026-03-08T03:30", "2026-03-08T07:30"),
        ("2026-11-01T01:30", "2026-11-01T05:30"),  # twice: the first
        ("2026-11-01T02:30", "2026-11-01T07:30"),
    ],
)
def test_in_a_gap_the_later_and_in_a_fold_the_first_instant_is_meant(local, instant, fold):
    wall = WallTime(datetime.fromisoformat(local).replace(fold=fold), "America/New_York")

    assert wall.instant() == datetime.fromisoformat(instant).replace(tzinfo=UTC)
