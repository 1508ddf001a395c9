"""The text form of the values that filters compare with: numbers, dates, money, periods, people."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final

import attrs

from nubetis.errors import InvalidFilter
from nubetis.model.filters import TODAY, TOMORROW, YESTERDAY, People, Period, PeriodKind, Unit
from nubetis.model.kinds import WallTime
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.text.tokens import quoted

__all__ = ["DAYS", "PERIODS", "UNITS", "by_look", "canonical_value", "is_currency", "is_zone", "show_value"]

_DIGITS: Final = 60
_NUMBER: Final = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?", re.ASCII)
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_CLOCK: Final = re.compile(r"\d\d:\d\d[\d:.+-]*", re.ASCII)
_CURRENCY: Final = re.compile("[A-Z]{3}")
_ZONE: Final = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+")

DAYS: Final = {"yesterday": YESTERDAY, "today": TODAY, "tomorrow": TOMORROW}
"""Periods that have a word of their own."""
_DAY_WORDS: Final = {span: word for word, span in DAYS.items()}

PERIODS: Final = {kind.value: kind for kind in (PeriodKind.THIS, PeriodKind.LAST, PeriodKind.NEXT)}
"""Words that begin the other periods."""

UNITS: Final = {f"{unit.value}{s}": unit for unit in Unit for s in ("", "s")}
"""Units by their names in the singular and the plural."""


def is_currency(word: str) -> bool:
    """Say whether *word* can be the currency after an amount."""
    return _CURRENCY.fullmatch(word) is not None


def is_zone(word: str) -> bool:
    """Say whether *word* can be the zone after a local time."""
    return len(word) <= _DIGITS and _ZONE.fullmatch(word) is not None


def by_look(word: str) -> object:
    """Give the value that a bare *word* looks like; a text where it looks like nothing else.

    Raises:
        ValueError: it looks like a date or a time and is none.

    >>> by_look("1000.5"), by_look("2026-01-31"), by_look("TRUE"), by_look("won"), by_look("007")
    (Decimal('1000.5'), datetime.date(2026, 1, 31), True, 'won', '007')
    """
    if word[0].isalpha():
        return {"true": True, "false": False}.get(word.lower(), word)
    if _NUMBER.fullmatch(word):
        return _number(word)
    if _CLOCK.fullmatch(word):
        return time.fromisoformat(word)
    if not _DATE.match(word):
        return word
    return date.fromisoformat(word) if len(word) == 10 else datetime.fromisoformat(word)


def _number(word: str) -> int | Decimal:
    if len(word) > _DIGITS:
        raise ValueError(word[:_DIGITS])
    return Decimal(word) if "." in word else int(word)


# -- showing ----------------------------------------------------------------------------------
def canonical_value(value: object) -> object:
    """Give the one of all values that mean the same to every field.

    >>> canonical_value(0.1), canonical_value(Money("5", "PEN", home="1"))
    (Decimal('0.1'), Money('5', 'PEN'))
    """
    match value:
        case tuple():
            return tuple([canonical_value(each) for each in value])
        case float():
            return Decimal(repr(value))
        case Money():
            return attrs.evolve(value, home=None)
        case Record():
            return value.id
        case datetime() if value.utcoffset() is not None:
            return _in_utc(value)
        case _:
            return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # within a day of the calendar's end
        return value


def show_value(value: object) -> str:
    """Give the text of one value.

    Raises:
        InvalidFilter: ``filter_value``; a filter on it could be bound to no field, and it has no text.

    >>> show_value(Decimal("1000.50")), show_value(Period(PeriodKind.LAST, Unit.DAY, 7))
    ('1000.50', 'last 7 days')
    """
    match value:
        case People():
            return value.value
        case Period():
            return _show_period(value)
        case bool():
            return "true" if value else "false"
        case str():
            return quoted(str.__str__(value))
        case int() | Decimal():
            return _show_number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Money():
            return f"{_show_number(value.amount)} {value.currency}"
        case WallTime(local, zone) if local.tzinfo is None and is_zone(zone):
            return f"{local.isoformat()} {zone}"
        case _:
            raise _no_text(type(value).__name__)


def _no_text(what: str) -> InvalidFilter:
    return InvalidFilter("filter_value", field="filter", reason=f"{what} has no text form")


def _show_number(value: int | Decimal) -> str:
    size = value.adjusted() if isinstance(value, Decimal) and value.is_finite() else 0
    if isinstance(value, Decimal) and (not value.is_finite() or abs(size) > _DIGITS):
        raise _no_text("a number of more than 60 digits")
    if isinstance(value, int) and abs(value) >= 10**_DIGITS:
        raise _no_text("a number of more than 60 digits")
    text = f"{value:f}" if isinstance(value, Decimal) else str(int(value))
    if len(text) > _DIGITS:
        raise _no_text("a number of more than 60 digits")
    return text


def _show_period(span: Period) -> str:
    if span in _DAY_WORDS:
        return _DAY_WORDS[span]
    if span.count is None:
        return f"{span.kind.value} {span.unit.value}"
    return f"{span.kind.value} {span.count} {span.unit.value}{'s' if span.count != 1 else ''}"
