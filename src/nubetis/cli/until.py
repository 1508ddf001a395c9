"""The end of what is shared or lent for a time: read as people write it, and shown as they wrote it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from typing import Final

import click

from nubetis.cli.call import Answer
from nubetis.cli.face import text_of
from nubetis.cli.texts import _

__all__ = ["say_until", "since_option", "until_option"]

_DAY: Final = "%Y-%m-%d"
_FORMATS: Final = ("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S")


def until_option(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Give a command ``--until``: a day, to its end, or an instant."""
    text = _("Until the end of a day, or an instant in UTC.")
    return click.option("--until", callback=_read, metavar="2026-12-31", help=text)(function)


def since_option(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Give a command ``--since``: a day, from its beginning, or an instant."""
    text = _("From the beginning of a day, or an instant in UTC.")
    return click.option("--since", callback=_read_since, metavar="2026-12-01", help=text)(function)


def _read_since(context: click.Context, parameter: click.Parameter, given: str | None) -> datetime | None:
    """Read a day or an instant; a day begins."""
    found = _read(context, parameter, given)
    by_day = given is not None and len(given) == len("2026-12-01")
    return found - timedelta(days=1) if found is not None and by_day else found


def _read(_context: click.Context, _parameter: click.Parameter, given: str | None) -> datetime | None:
    """Read a day or an instant."""
    if given is None:
        return None
    with suppress(ValueError, OverflowError):
        return datetime.strptime(given, _DAY).replace(tzinfo=UTC) + timedelta(days=1)
    for form in _FORMATS:
        with suppress(ValueError):
            return datetime.strptime(given, form).replace(tzinfo=UTC)
    raise click.BadParameter(
        _("{given} is neither a day such as 2026-12-31 nor an instant such as 2026-12-31T18:00.").format(given=given)
    )


def say_until(until: datetime | None) -> str:
    """Give the end as it was written: a day is named where it is the end of one.

    >>> say_until(datetime(2027, 1, 1, tzinfo=UTC)), say_until(datetime(2027, 1, 1, 18, tzinfo=UTC))
    ('2026-12-31', '2027-01-01 18:00:00')
    """
    if until is not None and until.astimezone(UTC).time() == time():
        until = until.astimezone(UTC) - timedelta(days=1)
        return f"{until:{_DAY}}"
    return text_of(until)
