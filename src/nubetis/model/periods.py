"""Days and periods: when they begin and end on the clocks of the one who asks.

A day begins at its midnight there, so the days on which the clocks change have 23 or 25 hours, and one that the
zone left out has none.  Where midnight comes twice the first counts; where it is skipped, what comes after the gap.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from nubetis.model.fields import Storage
from nubetis.model.filters import Period, PeriodKind, Unit
from nubetis.model.kinds import instant_text

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint

__all__ = ["day_bounds", "day_of", "period_bounds", "period_days"]

_MONTHS: Final = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12, Unit.FISCAL_QUARTER: 3, Unit.FISCAL_YEAR: 12}


def _month_start(months: int) -> date:
    return date(min(max(months // 12, 1), 9999), months % 12 + 1, 1)


def _unit_start(day: date, unit: Unit, view: Viewpoint) -> date:
    if unit is Unit.DAY:
        return day
    if unit is Unit.WEEK:
        return day - timedelta((day.weekday() - view.first_day) % 7)
    length = _MONTHS[unit]
    offset = view.fiscal_month - 1 if unit in {Unit.FISCAL_QUARTER, Unit.FISCAL_YEAR} else 0
    months = day.year * 12 + day.month - 1 - offset
    return _month_start(months - months % length + offset)


def _shift(start: date, unit: Unit, count: int) -> date:
    if unit in {Unit.DAY, Unit.WEEK}:
        return start + timedelta(count * (7 if unit is Unit.WEEK else 1))
    return _month_start(start.year * 12 + start.month - 1 + count * _MONTHS[unit])


def period_days(span: Period, view: Viewpoint) -> tuple[date | None, date]:
    """Give the first day of *span* and the day after its last; ``None`` where it has no beginning.

    >>> from datetime import UTC
    >>> from nubetis.model.bind import Viewpoint
    >>> view = Viewpoint(now=datetime(2026, 5, 20, tzinfo=UTC))
    >>> period_days(Period(PeriodKind.LAST, Unit.QUARTER), view)
    (datetime.date(2026, 1, 1), datetime.date(2026, 4, 1))
    """
    today = view.now.astimezone(ZoneInfo(view.zone)).date()
    start = _unit_start(today, span.unit, view)
    if span.count is None:
        first = _shift(start, span.unit, {PeriodKind.THIS: 0, PeriodKind.LAST: -1}.get(span.kind, 1))
        return first, _shift(first, span.unit, 1)
    if span.kind is PeriodKind.NEXT:
        return start, _shift(start, span.unit, span.count)
    end = _shift(start, span.unit, 1)
    first = _shift(end, span.unit, -span.count)
    return (None, first) if span.kind is PeriodKind.OLDER else (first, end)


_FIRST: Final = "0001-01-01T00:00:00.000000Z"
_LAST: Final = "9999-12-31T24:00:00.000000Z"
"""After every instant that there is."""


def _midnight(day: date, zone: str) -> str:
    """Give the stored instant at which *day* begins."""
    try:
        return instant_text(datetime.combine(day, time(), ZoneInfo(zone)))
    except OverflowError:  # east of Greenwich the calendar's first day begins before it
        return _FIRST


def day_of(storage: Storage, operand: object) -> date | None:
    """Give the day where an instant is compared with one; ``None`` where it is compared with anything else."""
    if storage is not Storage.DATETIME or isinstance(operand, datetime):
        return None
    if isinstance(operand, str) and len(operand) == len("2026-01-31"):
        with suppress(ValueError):
            return date.fromisoformat(operand)
    return operand if isinstance(operand, date) else None


def day_bounds(day: date, zone: str) -> tuple[str, str]:
    """Give the stored instants at which *day* and the next one begin in *zone*.

    >>> day_bounds(date(2026, 3, 29), "Europe/Madrid")
    ('2026-03-28T23:00:00.000000Z', '2026-03-29T22:00:00.000000Z')
    """
    return _midnight(day, zone), _LAST if day == date.max else _midnight(day + timedelta(1), zone)


def period_bounds(span: Period, storage: Storage, view: Viewpoint) -> tuple[str | None, str]:
    """Give the stored first day of *span* and the day after its last, or the instants at which they begin."""
    first, after = period_days(span, view)
    if storage is Storage.DATE:
        return None if first is None else first.isoformat(), after.isoformat()
    return None if first is None else _midnight(first, view.zone), _midnight(after, view.zone)
