"""How values are shown to a person, and read from what a person typed.

A :class:`Formats` is handed down from the organisation's settings; nothing below looks at the process's
locale.  :data:`ISO` is the form without a locale: what is stored, journalled and exported, and what filters
are written in.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Final, Protocol

import attrs

from nubetis.errors import InvalidValue

__all__ = ["ISO", "Formats", "IsoFormats"]

_DIGITS: Final = 60
"""No number that a person types is longer; ``1e999999`` must not become a million characters."""


class Formats(Protocol):
    """Shows values to a person and reads them back.

    ``parse_x(show_x(value)) == value`` for every value that the form can show exactly.  A *parse* takes text
    with or without white space around it and otherwise raises :class:`~nubetis.errors.InvalidValue`
    (``bad_format``).

    >>> formats: Formats = ISO
    >>> formats.show_date(formats.parse_date("2026-01-31"))
    '2026-01-31'
    """

    def show_number(self, value: Decimal | int, *, scale: int | None = None) -> str:
        """Give *value*, with exactly *scale* decimals when that is given."""
        ...

    def parse_number(self, text: str) -> Decimal:
        """Give the number that *text* says."""
        ...

    def show_date(self, value: date) -> str:
        """Give a day."""
        ...

    def parse_date(self, text: str) -> date:
        """Give the day that *text* says."""
        ...

    def show_datetime(self, value: datetime) -> str:
        """Give an instant, in the zone of the person."""
        ...

    def parse_datetime(self, text: str) -> datetime:
        """Give the instant that *text* says, in UTC."""
        ...

    def show_time(self, value: time) -> str:
        """Give a time of day."""
        ...

    def parse_time(self, text: str) -> time:
        """Give the time of day that *text* says."""
        ...

    def show_boolean(self, value: bool) -> str:  # noqa: FBT001 - the value itself, not a switch
        """Give yes or no."""
        ...

    def parse_boolean(self, text: str) -> bool:
        """Give the truth that *text* says."""
        ...

    def show_money(self, amount: Decimal, currency: str) -> str:
        """Give an amount with its currency."""
        ...

    def parse_money(self, text: str) -> tuple[Decimal, str | None]:
        """Give amount and currency; the currency is ``None`` when *text* names none."""
        ...


def _unread(what: str, example: str) -> InvalidValue:
    return InvalidValue("bad_format", what=what, example=example)


@attrs.frozen
class IsoFormats:
    """The form without a locale: ``1000.5``, ``2026-01-31``, ``2026-01-31T09:30:00+00:00``, ``true``.

    >>> ISO.show_number(Decimal("1000.50")), ISO.parse_number("1000.5")
    ('1000.50', Decimal('1000.5'))
    >>> ISO.parse_money("1200.00 PEN")
    (Decimal('1200.00'), 'PEN')
    """

    def show_number(self, value: Decimal | int, *, scale: int | None = None) -> str:
        """Give *value* without an exponent, with exactly *scale* decimals when that is given."""
        return f"{Decimal(value):f}" if scale is None else f"{Decimal(value):.{scale}f}"

    def parse_number(self, text: str) -> Decimal:
        """Give the number that *text* says: ASCII digits, a point, no grouping."""
        bare = text.strip()
        if bare.isascii() and len(bare) <= _DIGITS and "_" not in bare and "e" not in bare.lower():
            return _decimal(bare)
        raise _unread("a number", "1000.5")

    def show_date(self, value: date) -> str:
        """Give a day as ``2026-01-31``."""
        return value.isoformat()

    def parse_date(self, text: str) -> date:
        """Give the day that ``2026-01-31`` says."""
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise _unread("a date", "2026-01-31") from None

    def show_datetime(self, value: datetime) -> str:
        """Give an instant in UTC."""
        return value.astimezone(UTC).isoformat()

    def parse_datetime(self, text: str) -> datetime:
        """Give the instant that *text* says; its zone must be there."""
        try:
            found = datetime.fromisoformat(text.strip())
            if found.utcoffset() is not None:
                return found.astimezone(UTC)
        except (ValueError, OverflowError):
            pass
        raise _unread("an instant with its zone", "2026-01-31T09:30:00+00:00")

    def show_time(self, value: time) -> str:
        """Give a time of day as ``09:30:00``."""
        return value.isoformat()

    def parse_time(self, text: str) -> time:
        """Give the time of day that ``09:30`` says."""
        try:
            return time.fromisoformat(text.strip())
        except ValueError:
            raise _unread("a time of day", "09:30") from None

    def show_boolean(self, value: bool) -> str:  # noqa: FBT001 - the value itself, not a switch
        """Give ``true`` or ``false``."""
        return "true" if value else "false"

    def parse_boolean(self, text: str) -> bool:
        """Give the truth that ``true`` or ``false`` says, in any case."""
        bare = text.strip().lower()
        if bare not in {"true", "false"}:
            raise _unread("true or false", "true")
        return bare == "true"

    def show_money(self, amount: Decimal, currency: str) -> str:
        """Give an amount with its currency as ``1200.00 PEN``."""
        return f"{self.show_number(amount)} {currency}"

    def parse_money(self, text: str) -> tuple[Decimal, str | None]:
        """Give amount and currency of ``1200.00 PEN`` or ``1200.00``."""
        words = text.split()
        if len(words) == 1:
            return self.parse_number(words[0]), None
        if len(words) == 2 and _is_currency(words[1]):
            return self.parse_number(words[0]), words[1]
        raise _unread("an amount of money", "1200.00 PEN")


def _decimal(bare: str) -> Decimal:
    try:
        value = Decimal(bare)
    except InvalidOperation:  # or NaN, where the host does not trap it
        raise _unread("a number", "1000.5") from None
    if not value.is_finite():
        raise _unread("a number", "1000.5")
    return value


def _is_currency(word: str) -> bool:
    return len(word) == 3 and word.isascii() and word.isalpha() and word.isupper()


ISO: Final = IsoFormats()
"""The one :class:`IsoFormats`."""
