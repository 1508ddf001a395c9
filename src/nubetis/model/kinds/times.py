"""Yes and no, days, instants, times of day and times on the wall."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from random import Random
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, FieldType, Part, Storage, Value
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import EQUAL, plain, wrong
from nubetis.types import Cells, Row, Stored

__all__ = ["TYPES", "WallTime", "instant", "instant_text"]


def _check_boolean(field: Field, offered: object) -> bool:
    if not isinstance(offered, bool):
        raise wrong(field, offered, "true or false")
    return offered


def _pack_boolean(field: Field, value: Value) -> Row:
    return (int(value),)


def _unpack_boolean(field: Field, row: Cells) -> Value:
    return None if row[0] is None else bool(row[0])


def _check_date(field: Field, offered: object) -> date:
    if isinstance(offered, str):
        try:
            return date.fromisoformat(offered)
        except ValueError:
            raise InvalidValue("bad_date", field=field.name) from None
    if isinstance(offered, datetime) or not isinstance(offered, date):
        raise wrong(field, offered, "a date")
    return offered


def _pack_iso(field: Field, value: Value) -> Row:
    return (value.isoformat(),)


def _unpack_date(field: Field, row: Cells) -> Value:
    return None if row[0] is None else date.fromisoformat(row[0])


def _check_datetime(field: Field, offered: object) -> datetime:
    if not isinstance(offered, str | datetime):
        raise wrong(field, offered, "an instant")
    return instant(offered, name=field.name)


def instant(offered: object, *, name: str) -> datetime:
    """Give what was *offered* for *name* as an instant in UTC: an aware datetime, or its text in ISO form.

    Raises:
        InvalidValue: ``bad_datetime``; it is none, or has no zone.

    >>> instant("2026-01-31T09:30:00-05:00", name="since")
    datetime.datetime(2026, 1, 31, 14, 30, tzinfo=datetime.timezone.utc)
    """
    with suppress(ValueError, OverflowError):
        found = datetime.fromisoformat(offered) if isinstance(offered, str) else offered
        if isinstance(found, datetime) and found.tzinfo is not None:
            return found.astimezone(UTC)
    raise InvalidValue("bad_datetime", field=name)


def instant_text(value: datetime) -> str:
    """Give the stored form of an aware instant: UTC with microseconds, so that text order is time order.

    >>> instant_text(datetime(2026, 1, 31, 9, 30, tzinfo=UTC))
    '2026-01-31T09:30:00.000000Z'
    """
    return value.astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def _pack_datetime(field: Field, value: Value) -> Row:
    return (instant_text(value),)


def _unpack_datetime(field: Field, row: Cells) -> Value:
    return None if row[0] is None else datetime.fromisoformat(row[0])


def _check_time(field: Field, offered: object) -> time:
    try:
        found = time.fromisoformat(offered) if isinstance(offered, str) else offered
    except ValueError:
        raise InvalidValue("bad_time", field=field.name) from None
    if not isinstance(found, time):
        raise wrong(field, offered, "a time of day")
    if found.tzinfo is not None:
        raise InvalidValue("bad_time", field=field.name)
    return found.replace(fold=0)


def _pack_time(field: Field, value: Value) -> Row:
    return (value.isoformat(timespec="microseconds"),)


def _unpack_time(field: Field, row: Cells) -> Value:
    return None if row[0] is None else time.fromisoformat(row[0])


@attrs.frozen
class WallTime:
    """A time on the wall of a place: a meeting at 9 stays at 9 when the rules of its zone change."""

    local: datetime
    zone: str

    def instant(self) -> datetime:
        """Give the instant in UTC: in a gap the later, in a fold the first of the two."""
        return self.local.replace(tzinfo=ZoneInfo(self.zone), fold=0).astimezone(UTC)


def _check_wall(field: Field, offered: object) -> WallTime:
    if not isinstance(offered, WallTime):
        raise wrong(field, offered, "a WallTime")
    for part, expected in zip(attrs.astuple(offered), (datetime, str), strict=True):
        if not isinstance(part, expected):
            raise wrong(field, part, "a WallTime")
    if offered.local.tzinfo is not None or "/" not in offered.zone:
        raise InvalidValue("bad_zone", field=field.name)
    try:
        offered.instant()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidValue("bad_zone", field=field.name) from None
    except OverflowError:  # within a day of the calendar's end
        raise InvalidValue("bad_datetime", field=field.name) from None
    return offered


def _pack_wall(field: Field, value: Value) -> Row:
    assert isinstance(value, WallTime)  # noqa: S101 - checked
    return instant_text(value.instant()), value.local.isoformat(timespec="microseconds"), value.zone


def _unpack_wall(field: Field, row: Cells) -> Value:
    return None if row[1] is None else WallTime(datetime.fromisoformat(str(row[1])), str(row[2]))


def _operand_wall(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    wall = isinstance(offered, WallTime)
    instant = _check_wall(field, offered).instant() if wall else _check_datetime(field, offered)
    return (("", instant_text(instant)),)


def _parse_wall(field: Field, text: str, formats: Formats) -> Value:
    clock, _, zone = text.strip().rpartition(" ")
    try:
        return field.check(WallTime(datetime.fromisoformat(clock), zone))
    except ValueError:
        raise InvalidValue("bad_zone", field=field.name) from None


def _show_wall(field: Field, value: Value, formats: Formats) -> str:
    assert isinstance(value, WallTime)  # noqa: S101 - checked
    return f"{value.local.isoformat()} {value.zone}"


_START: Final = datetime(2020, 1, 1, tzinfo=UTC)


def _sample_datetime(field: Field, random: Random) -> datetime:
    return _START + timedelta(minutes=random.randint(0, 5_000_000))


def _sample_date(field: Field, random: Random) -> date:
    return _sample_datetime(field, random).date()


def _sample_time(field: Field, random: Random) -> time:
    return _sample_datetime(field, random).time()


def _sample_wall(field: Field, random: Random) -> WallTime:
    zone = random.choice(["America/Lima", "Europe/Madrid", "America/Santiago"])
    return WallTime(_sample_datetime(field, random).replace(tzinfo=None), zone)


def _parse_by(reader: str) -> Callable[[Field, str, Formats], Value]:
    return lambda field, text, formats: field.check(getattr(formats, reader)(text))


def _show_by(shower: str) -> Callable[[Field, Value, Formats], str]:
    return lambda field, value, formats: str(getattr(formats, shower)(value))


_WALL_PARTS: Final = (
    Part("", Storage.DATETIME),
    Part("local", Storage.TEXT, kind="choice"),
    Part("zone", Storage.TEXT, kind="choice"),
)

TYPES: Final[tuple[FieldType, ...]] = (
    plain(
        "boolean",
        Storage.BOOLEAN,
        check=_check_boolean,
        pack=_pack_boolean,
        unpack=_unpack_boolean,
        operators=EQUAL,
        parse=_parse_by("parse_boolean"),
        show=_show_by("show_boolean"),
        sample=lambda field, random: random.random() < 0.5,
    ),
    plain(
        "date",
        Storage.DATE,
        check=_check_date,
        pack=_pack_iso,
        unpack=_unpack_date,
        parse=_parse_by("parse_date"),
        show=_show_by("show_date"),
        sample=_sample_date,
    ),
    plain(
        "datetime",
        Storage.DATETIME,
        check=_check_datetime,
        pack=_pack_datetime,
        unpack=_unpack_datetime,
        parse=_parse_by("parse_datetime"),
        show=_show_by("show_datetime"),
        sample=_sample_datetime,
    ),
    plain(
        "time",
        Storage.TIME,
        check=_check_time,
        pack=_pack_time,
        unpack=_unpack_time,
        parse=_parse_by("parse_time"),
        show=_show_by("show_time"),
        sample=_sample_time,
    ),
    plain(
        "wall_time",
        Storage.DATETIME,
        parts=lambda field: _WALL_PARTS,
        check=_check_wall,
        pack=_pack_wall,
        unpack=_unpack_wall,
        operand=_operand_wall,
        parse=_parse_wall,
        show=_show_wall,
        sample=_sample_wall,
    ),
)
