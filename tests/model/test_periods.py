"""Periods at the edges: ends of months, leap days, days on which the clocks change, the ends of the calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import product

import pytest

from nubetis.model.bind import Viewpoint
from nubetis.model.fields import Storage
from nubetis.model.filters import Period, PeriodKind, Unit
from nubetis.model.periods import period_bounds, period_days

END = date.max.toordinal() + 1
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
    ],
)
def test_a_period_begins_and_ends_on_these_days(today, span, first, after):
    """However far it reaches, it stays within the calendar."""
    assert (date(*first), date(*after)) == tuple(map(date.fromordinal, period_days(span, seen_on(*today))))


@pytest.mark.parametrize(
    ("today", "span", "days"),
    [
        ((9999, 12, 31), Period(THIS, Unit.DAY), range(END - 1, END)),
        ((9999, 12, 31), Period(THIS, Unit.YEAR), range(END - 365, END)),
        ((9999, 12, 31), Period(NEXT, Unit.DAY), range(END, END)),
        ((9999, 5, 5), Period(NEXT, Unit.YEAR), range(END, END)),
        ((9999, 12, 30), Period(NEXT, Unit.DAY, 10_000), range(END - 2, END)),
        ((2026, 7, 15), Period(NEXT, Unit.YEAR, 10_000), range(date(2026, 1, 1).toordinal(), END)),
        ((1, 1, 1), Period(LAST, Unit.DAY), range(1, 1)),
        ((1, 5, 5), Period(LAST, Unit.YEAR), range(1, 1)),
        ((1, 1, 3), Period(LAST, Unit.WEEK, 10_000), range(1, 8)),
        ((1, 1, 3), Period(OLDER, Unit.QUARTER, 2), range(1, 1)),
    ],
)
def test_beyond_the_calendar_there_are_no_days(today, span, days):
    """Of a period only those count that there are; one that lies beyond has none, and is nobody else's."""
    assert (days.start, days.stop) == period_days(span, seen_on(*today))


@pytest.mark.parametrize("zone", ["UTC", "America/Lima", "Pacific/Kiritimati"])
@pytest.mark.parametrize("now", [(1, 1, 1), (9999, 12, 31, 23, 59)], ids=["first", "last"])
def test_a_period_seen_from_an_end_of_the_calendar_has_bounds(zone, now):
    view = Viewpoint(now=datetime(*now, tzinfo=UTC), zone=zone)
    spans = [Period(kind, unit, count) for kind in PeriodKind for unit in Unit for count in (1, 10_000)]
    spans += [Period(kind, unit) for kind in (THIS, LAST, NEXT) for unit in Unit]
    for span, storage in product(spans, (Storage.DATE, Storage.DATETIME)):
        start, end = period_bounds(span, storage, view)
        assert "0001-01-01" <= start <= end <= "9999-12-31T24:00:00.000000Z"


def test_dates_are_compared_with_the_stored_first_day_and_the_day_after_the_last():
    assert ("2024-02-01", "2024-03-01") == period_bounds(Period(THIS, Unit.MONTH), Storage.DATE, seen_on(2024, 2, 29))


@pytest.mark.parametrize("storage", [Storage.DATE, Storage.DATETIME])
def test_what_is_older_begins_with_the_calendar(storage):
    assert (
        period_bounds(Period(OLDER, Unit.DAY, 3), storage, seen_on(2026, 3, 2, "America/Lima"))[0]
        <= "0001-01-01T00:00:00.000000Z"
    )


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
