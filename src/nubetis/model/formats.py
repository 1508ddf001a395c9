"""How a value is shown to a person and read from one.

:class:`Formats` is what every face takes; :class:`IsoFormats` is the locale-free one that stored text uses.
The real ones, bound to a user's language and zone, come from ``settings``.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Final, Protocol

import attrs

from nubetis.errors import InvalidValue

__all__ = ["ISO", "Formats", "IsoFormats"]

_NUMBER: Final = re.compile(r"[+-]?\d{1,38}(\.\d{1,18})?", re.ASCII)
_TRUE: Final = frozenset({"true", "yes", "1"})
_FALSE: Final = frozenset({"false", "no", "0"})


class Formats(Protocol):
    """Shows values as text and reads text as values; ``read(show(x)) == x`` for every value x.

    The ``read_`` methods raise :class:`~nubetis.errors.InvalidValue` and name *field* in it.
    """

    def show_number(self, value: Decimal | int) -> str:
        """Give *value* as text, with all its decimals."""
        ...

    def read_number(self, text: str, *, field: str = "number") -> Decimal:
        """Read a finite number."""
        ...

    def show_date(self, value: date) -> str:
        """Give a date as text."""
        ...

    def read_date(self, text: str, *, field: str = "date") -> date:
        """Read a date."""
        ...

    def show_datetime(self, value: datetime) -> str:
        """Give an instant as text, in the person's zone."""
        ...

    def read_datetime(self, text: str, *, field: str = "datetime") -> datetime:
        """Read an instant; without a zone it is in the person's."""
        ...

    def show_time(self, value: time) -> str:
        """Give a time of day as text."""
        ...

    def read_time(self, text: str, *, field: str = "time") -> time:
        """Read a time of day."""
        ...

    def show_boolean(self, value: bool) -> str:  # noqa: FBT001 - the value itself
        """Give yes or no."""
        ...

    def read_boolean(self, text: str, *, field: str = "boolean") -> bool:
        """Read yes or no."""
        ...


@attrs.frozen
class IsoFormats:
    """ISO 8601 and plain decimals: ``1000.5``, ``2026-01-31``, ``2026-01-31T09:30:00+00:00``, ``true``.

    >>> ISO.show_number(Decimal("1000.50")), ISO.read_date("2026-01-31")
    ('1000.50', datetime.date(2026, 1, 31))
    """

    def show_number(self, value: Decimal | int) -> str:
        """Give *value* in plain digits, never with an exponent."""
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    def read_number(self, text: str, *, field: str = "number") -> Decimal:
        """Read plain digits with a point."""
        if not _NUMBER.fullmatch(text.strip()):
            raise InvalidValue("bad_number", field=field, scale=18, digits=38)
        return Decimal(text.strip())

    def show_date(self, value: date) -> str:
        """Give ``2026-01-31``."""
        return value.isoformat()

    def read_date(self, text: str, *, field: str = "date") -> date:
        """Read ``2026-01-31``."""
        try:
            return date.fromisoformat(text.strip())
        except ValueError:
            raise InvalidValue("bad_date", field=field) from None

    def show_datetime(self, value: datetime) -> str:
        """Give the instant in UTC."""
        return value.astimezone(UTC).isoformat()

    def read_datetime(self, text: str, *, field: str = "datetime") -> datetime:
        """Read an instant; without a zone it is UTC."""
        try:
            found = datetime.fromisoformat(text.strip())
            return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
        except (ValueError, OverflowError):
            raise InvalidValue("bad_datetime", field=field) from None

    def show_time(self, value: time) -> str:
        """Give ``09:30:00``."""
        return value.isoformat()

    def read_time(self, text: str, *, field: str = "time") -> time:
        """Read ``09:30`` or ``09:30:00``."""
        try:
            return time.fromisoformat(text.strip()).replace(tzinfo=None)
        except ValueError:
            raise InvalidValue("bad_time", field=field) from None

    def show_boolean(self, value: bool) -> str:  # noqa: FBT001 - the value itself
        """Give ``true`` or ``false``."""
        return "true" if value else "false"

    def read_boolean(self, text: str, *, field: str = "boolean") -> bool:
        """Read ``true`` or ``false``, ``yes`` or ``no``, ``1`` or ``0``."""
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise InvalidValue("bad_boolean", field=field)
        return word in _TRUE


ISO: Final = IsoFormats()
"""The locale-free formats."""
