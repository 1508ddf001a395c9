"""Periods at the edges: ends of months, leap days, days on which the clocks change, the ends of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from nubetis.model.bind import Viewpoint
from nubetis.model.fields import Storage
from nubetis.model.filters import Period, PeriodKind, Unit
from nubetis.model.periods import period_bounds, period_days

THIS, LAST, NEXT, OLDER = PeriodKind.THIS, PeriodKind.LAST, PeriodKind.NEXT, PeriodKind.OLDER


def seen_on(year, month, day, zone="UTC"):
    return Viewpoint(now=datetime(year, month, day, 12, tzinfo=UTC), zone=zone)


@pytest.mark.parametrize(
    ("today", "span", "first", "after"),
    [
        ((2024, 3, 31), Period(LAST, Unit.MONTH), (2024, 2, 1), (2024, 3, 1)),
        ((2023, 1, 31), Period(NEXT, Unit.MONTH), (2023, 2, 1), (2023, 3, 1)),
        ((2024, 2, 29), Period(LAST, Unit.YEAR), (2023, 1, 1), (2024, 1, 1)),
        ((2024, 2, 29), Period(THIS, Unit.DAY), (2024, 2, 29), (2024, 3, 1)),
        ((2024, 3, 1), Period(LAST, Unit.DAY), (2024, 2, 29), (2024, 3, 1)),
        ((2026, 12, 31), Period(NEXT, Unit.QUARTER), (2027, 1, 1), (2027, 4, 1)),
        ((2024, 3, 31), Period(LAST, Unit.MONTH, 2), (2024, 2, 1), (2024, 4, 1)),
        ((2026, 7, 15), Period(LAST, Unit.YEAR, 10_000), (1, 1, 1), (2027, 1, 1)),
        ((2026, 7, 15), Period(NEXT, Unit.YEAR, 10_000), (2026, 1, 1), (9999, 1, 1)),
    ],
)
def test_a_period_begins_and_ends_on_these_days(today, span, first, after):
    """However far it reaches, it stays within the calendar."""
    assert (date(*first), date(*after)) == period_days(span, seen_on(*today))


def test_dates_are_compared_with_the_stored_first_day_and_the_day_after_the_last():
    assert ("2024-02-01", "2024-03-01") == period_bounds(Period(THIS, Unit.MONTH), Storage.DATE, seen_on(2024, 2, 29))


@pytest.mark.parametrize("storage", [Storage.DATE, Storage.DATETIME])
def test_what_is_older_has_no_beginning(storage):
    assert period_bounds(Period(OLDER, Unit.DAY, 3), storage, seen_on(2026, 3, 2))[0] is None


@pytest.mark.parametrize(
    ("today", "expected"),
    [
        ((2026, 3, 29), ("2026-03-28T23:00:00.000000Z", "2026-03-29T22:00:00.000000Z")),
        ((2026, 10, 25), ("2026-10-24T22:00:00.000000Z", "2026-10-25T23:00:00.000000Z")),
    ],
    ids=["23 hours", "25 hours"],
)
def test_the_day_on_which_the_clocks_change_has_the_hours_it_has(today, expected):
    found = period_bounds(Period(THIS, Unit.DAY), Storage.DATETIME, seen_on(*today, zone="Europe/Madrid"))
    assert expected == found
