"""Days and periods: when they begin and end on the clocks of the one who asks.

A day begins at its midnight there, so the days on which the clocks change have 23 or 25 hours, and one that the
zone left out has none.  Where midnight comes twice the first counts; where it is skipped, what comes after the gap.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from nubetis.model.fields import Storage
from nubetis.model.filters import Period, PeriodKind, Unit
from nubetis.model.kinds import instant_text

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint

__all__ = ["day_bounds", "day_of", "period_bounds", "period_days"]

_MONTHS: Final = {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.YEAR: 12, Unit.FISCAL_QUARTER: 3, Unit.FISCAL_YEAR: 12}
_DAYS: Final = {Unit.DAY: 1, Unit.WEEK: 7}
_END: Final = date.max.toordinal() + 1
"""The day after the calendar's last."""


def _today(view: Viewpoint) -> date:
    try:
        return view.now.astimezone(ZoneInfo(view.zone)).date()
    except OverflowError:  # the calendar's first hours in the west, its last ones in the east
        return view.now.date()


def _unit_start(day: date, unit: Unit, view: Viewpoint) -> int:
    """Give the day, or the month since year 0, in which the unit round *day* begins."""
    if unit in _DAYS:
        return day.toordinal() - (day.weekday() - view.first_day) % 7 * (unit is Unit.WEEK)
    offset = view.fiscal_month - 1 if unit in {Unit.FISCAL_QUARTER, Unit.FISCAL_YEAR} else 0
    months = day.year * 12 + day.month - 1 - offset
    return months - months % _MONTHS[unit] + offset


def _day(count: int, unit: Unit) -> int:
    """Give the day that begins the day or the month *count*, within the calendar."""
    if unit in _DAYS:
        return min(max(count, 1), _END)
    year, month = divmod(count, 12)
    if not 1 <= year <= date.max.year:
        return 1 if year < 1 else _END
    return date(year, month + 1, 1).toordinal()


def period_days(span: Period, view: Viewpoint) -> tuple[int, int]:
    """Give the first day of *span* and the day after its last, as ordinals; the calendar's first is 1.

    A period that lies beyond the calendar has no days; what is older begins with the calendar.

    >>> from datetime import UTC
    >>> from nubetis.model.bind import Viewpoint
    >>> view = Viewpoint(now=datetime(2026, 5, 20, tzinfo=UTC))
    >>> [date.fromordinal(day) for day in period_days(Period(PeriodKind.LAST, Unit.QUARTER), view)]
    [datetime.date(2026, 1, 1), datetime.date(2026, 4, 1)]
    """
    step = _DAYS.get(span.unit) or _MONTHS[span.unit]
    start = _unit_start(_today(view), span.unit, view)
    first, after = _counted(span, start, step)
    return 1 if span.kind is PeriodKind.OLDER else _day(first, span.unit), _day(after, span.unit)


def _counted(span: Period, start: int, step: int) -> tuple[int, int]:
    """Give where *span* begins and ends, of units *step* long of which the present one begins at *start*."""
    if span.count is None:
        first = start + {PeriodKind.THIS: 0, PeriodKind.LAST: -step}.get(span.kind, step)
        return first, first + step
    if span.kind is PeriodKind.NEXT:
        return start, start + span.count * step
    first, after = start + step - span.count * step, start + step
    return (first, first) if span.kind is PeriodKind.OLDER else (first, after)


_FIRST: Final = "0001-01-01T00:00:00.000000Z"
_LAST: Final = "9999-12-31T24:00:00.000000Z"
"""After every instant, and every day, that there is."""


def _midnight(day: int, zone: str) -> str:
    """Give the stored instant at which *day* begins."""
    if day in {1, _END}:  # which begin elsewhere beyond the calendar
        return _FIRST if day == 1 else _LAST
    return instant_text(datetime.combine(date.fromordinal(day), time(), ZoneInfo(zone)))


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
    return _midnight(day.toordinal(), zone), _midnight(day.toordinal() + 1, zone)


def period_bounds(span: Period, storage: Storage, view: Viewpoint) -> tuple[str, str]:
    """Give the stored first day of *span* and the day after its last, or the instants at which they begin."""
    first, after = period_days(span, view)
    if storage is Storage.DATE:
        return _date_text(first), _date_text(after)
    return _midnight(first, view.zone), _midnight(after, view.zone)


def _date_text(day: int) -> str:
    return _LAST if day == _END else date.fromordinal(day).isoformat()
