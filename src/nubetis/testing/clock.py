"""A clock that moves only when it is told to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import attrs

__all__ = ["START", "FixedClock"]

START: Final = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
"""Where a fixed clock stands at first: a Monday morning."""


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise ValueError("a clock shows an instant: give it a zone")
    return instant.astimezone(UTC)


@attrs.define
class FixedClock:
    """Gives the same instant until it is moved; call it as any clock is called.

    >>> clock = FixedClock()
    >>> clock.advance(days=1, hours=2).isoformat()
    '2026-03-03T11:30:00+00:00'
    >>> clock() == clock.now
    True
    """

    now: datetime = attrs.field(default=START, converter=_in_utc, on_setattr=attrs.setters.convert)

    def __call__(self) -> datetime:
        """Give the instant it shows."""
        return self.now

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move on, or back where the numbers are negative; give the instant it then shows."""
        self.now += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self.now

    def move_to(self, instant: datetime) -> datetime:
        """Show *instant*, in UTC.

        Raises:
            ValueError: it has no zone.
        """
        self.now = instant
        return self.now
