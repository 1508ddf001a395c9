"""An instant compared with a date: the day on the viewer's clocks, the same in Python, in memory and in SQLite."""

from __future__ import annotations

import operator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis.backends.memory import open_memory
from nubetis.backends.sql import open_sqlite
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.convert import from_json, to_json
from nubetis.model.evaluate import matcher, select
from nubetis.model.fields import Field, Operator
from nubetis.model.filters import TODAY, Compare, F, Filter
from nubetis.model.kinds import WallTime, instant_text, kind
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Module, Schema, diff
from nubetis.model.store import Batch, Inserts
from nubetis.model.text import parse, show

ZONES = {
    "UTC": date(2026, 3, 29),
    "Europe/Madrid": date(2026, 3, 29),  # 23 hours
    "America/New_York": date(2026, 11, 1),  # 25 hours
    "America/Santiago": date(2026, 9, 6),  # begins at one o'clock
    "America/Havana": date(2026, 11, 1),  # midnight comes twice
    "America/Sao_Paulo": date(2018, 2, 17),  # its last hour comes twice
    "Australia/Lord_Howe": date(2026, 4, 5),  # half an hour longer
    "Asia/Kolkata": date(2026, 3, 29),
    "Pacific/Kiritimati": date(2026, 3, 29),
    "Pacific/Apia": date(2011, 12, 30),  # was left out
}
"""Zones, each with a day of its own that is worth a look."""
SIGNS = {
    Operator.EQ: operator.eq, Operator.LT: operator.lt, Operator.LE: operator.le, Operator.GT: operator.gt,
    Operator.GE: operator.ge,
}  # fmt: skip
SCHEMA = Schema().with_modules(
    [
        Module(name="users", prefix="use", fields=[Field(name="name", type=kind("text"))]),
        Module(
            name="calls",
            fields=[
                Field(name="at", type=kind("datetime")),
                Field(name="starts", type=kind("wall_time")),
                Field(name="day", type=kind("date")),
            ],
        ),
    ]
)
CALLS = SCHEMA.module("calls")


def viewed(zone):
    return Viewpoint(now=datetime(2026, 3, 29, 12, tzinfo=UTC), zone=zone)


def row_of(number, at):
    """Give a call at the instant *at*, which may be missing."""
    cells = dict.fromkeys(CALLS.layout.index)
    cells |= {"id": number, "version": 1, "at": None if at is None else instant_text(at)}
    return tuple(cells.values())


def fits(where, zone, instants):
    test = matcher(bind(where, CALLS, SCHEMA, viewed(zone)), CALLS.layout.full_index)
    return [test(CALLS.layout.fill(row_of(1, at))) for at in instants]


@st.composite
def cases(draw):
    """Give a zone, a day near its odd one, and instants round it, to the microsecond."""
    zone = draw(st.sampled_from(sorted(ZONES)))
    odd = ZONES[zone]
    middle = datetime(odd.year, odd.month, odd.day, tzinfo=UTC)
    halves = st.integers(-144, 144).map(lambda half: middle + timedelta(minutes=30 * half))
    instants = st.builds(lambda at, more: at + timedelta(microseconds=more), halves, st.integers(-1, 1))
    return zone, odd + timedelta(draw(st.integers(-1, 1))), draw(st.lists(instants, min_size=1, max_size=12))


@given(cases(), st.sampled_from(sorted(SIGNS)))
def test_an_instant_stands_to_a_day_as_its_day_on_the_wall_does(case, sign):
    zone, day, instants = case
    expected = [SIGNS[sign](at.astimezone(ZoneInfo(zone)).date(), day) for at in instants]
    assert expected == fits(Compare("at", sign, day), zone, instants)


@given(cases(), st.integers(0, 2))
def test_between_two_days_includes_both(case, more):
    zone, day, instants = case
    last = day + timedelta(more)
    expected = [day <= at.astimezone(ZoneInfo(zone)).date() <= last for at in instants]
    assert expected == fits(F.at.between(day, last), zone, instants)


@given(cases())
def test_one_of_several_days_is_each_of_them(case):
    zone, day, instants = case
    each = [fits(F.at == one, zone, instants) for one in (day, day + timedelta(1))]
    assert list(map(any, zip(*each, strict=True))) == fits(F.at.in_([day, day + timedelta(1)]), zone, instants)


@given(cases())
def test_a_day_and_its_negation_split_the_instants(case):
    """The missing ones, too."""
    zone, day, instants = case
    instants = [*instants, None]
    for where in (F.at == day, F.at < day, F.at <= day, F.at > day, F.at >= day):
        assert [not yes for yes in fits(where, zone, instants)] == fits(~where, zone, instants)


@pytest.mark.parametrize(
    ("zone", "hours"),
    [("Europe/Madrid", 23), ("America/New_York", 25), ("Australia/Lord_Howe", 24.5), ("Pacific/Apia", 0)],
)
def test_a_day_has_the_hours_it_has(zone, hours):
    day = ZONES[zone]
    first = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=20)
    found = fits(F.at == day, zone, [first + timedelta(minutes=30 * half) for half in range(140)])
    assert hours * 2 == sum(found)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo", "America/Los_Angeles"])
def test_the_first_and_the_last_day_of_the_calendar_have_no_end(zone):
    """No instant lies before or after them, whatever the zone."""
    instants = [datetime.min.replace(tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
    assert [True, True, True] == fits(F.at <= date.max, zone, instants)
    assert [False, False, False] == fits(F.at > date.max, zone, instants)
    assert [False, True, True] == fits(F.at >= date(2, 1, 1), zone, instants)


def test_where_the_first_day_begins_before_the_calendar_it_begins_with_it():
    first = datetime.min.replace(tzinfo=UTC)
    assert [True] == fits(F.at == date.min, "Asia/Tokyo", [first])
    assert [False] == fits(F.at < date.min, "Asia/Tokyo", [first])


def test_today_is_the_day_of_today():
    instants = [datetime(2026, 3, 28, 22, tzinfo=UTC) + timedelta(hours=hour) for hour in range(40)]
    assert fits(F.at == TODAY, "Europe/Madrid", instants) == fits(F.at == date(2026, 3, 29), "Europe/Madrid", instants)


def test_a_day_among_other_operands_keeps_its_meaning():
    """A list may mix days, periods and instants; a range may begin with an instant and end with a day."""
    noon = datetime(2026, 3, 29, 12, tzinfo=UTC)
    instants = [noon + timedelta(hours=hours) for hours in (-36, -1, 0, 1, 20)]
    assert [True, False, True, False, True] == fits(
        F.at.in_([noon, date(2026, 3, 28), date(2026, 3, 30)]), "UTC", instants
    )
    assert [False, False, True, True, False] == fits(F.at.between(noon, date(2026, 3, 29)), "UTC", instants)
    assert [False, True, True, True, False] == fits(F.at.in_([TODAY]), "UTC", instants)


def test_a_meeting_is_on_the_day_of_the_viewer():
    """Nine in Auckland is the evening before in Madrid."""
    wall = WallTime(datetime(2026, 3, 30, 9), "Pacific/Auckland")  # noqa: DTZ001 - on a wall
    cells = dict.fromkeys(CALLS.layout.index) | {"id": 1, "version": 1}
    cells |= dict(zip(("starts", "starts.local", "starts.zone"), CALLS.field("starts").pack(wall), strict=True))
    full = CALLS.layout.fill(tuple(cells.values()))
    found = {
        (zone, day): matcher(
            bind(F.starts == date(2026, 3, day), CALLS, SCHEMA, viewed(zone)), CALLS.layout.full_index
        )(full)
        for zone in ("Pacific/Auckland", "Europe/Madrid")
        for day in (29, 30)
    }
    assert {("Pacific/Auckland", 30), ("Europe/Madrid", 29)} == {case for case, fit in found.items() if fit}


@given(cases(), st.sampled_from(sorted(SIGNS)))
def test_a_day_is_read_as_it_was_shown(case, sign):
    """Text by look, text by the field, JSON; and a day written as a text means that day."""
    zone, day, instants = case
    where = Compare("at", sign, day)
    assert where == parse(show(where)) == parse(show(where), module=CALLS) == from_json(to_json(where), Filter)
    assert fits(where, zone, instants) == fits(Compare("at", sign, day.isoformat()), zone, instants)


def opened(folder):
    """Open the stores to be compared, empty."""
    stores = [
        open_memory("memory://", create=True),
        open_sqlite(f"sqlite:///{folder}/org.db?profile=fast", create=True),
    ]
    for store in stores:
        store.migrate(diff(Schema(), SCHEMA), SCHEMA)
    return stores


def found_by(store, bound):
    query = BoundQuery(module=CALLS, where=bound, limit=99)
    return [row[0] for row in store.read(lambda txn: txn.query(query))]


@given(st.lists(cases(), min_size=1, max_size=3), st.sampled_from(sorted(SIGNS)))
@settings(max_examples=max(settings.default.max_examples // 20, 1))
def test_python_memory_and_sqlite_agree_on_days(tmp_path_factory, many, sign):
    instants = [None, *[at for _, _, some in many for at in some]]
    rows = [row_of(number, at) for number, at in enumerate(instants, 1)]
    columns = {name: [CALLS.layout.fill(row)[at] for row in rows] for name, at in CALLS.layout.full_index.items()}
    for store in opened(tmp_path_factory.mktemp("days")):
        store.write(lambda txn: txn.write(Batch(parts=(Inserts(CALLS, rows),))))
        for zone, day, _ in many:
            where = Compare("at", sign, day) | ~F.at.between(day, day + timedelta(1))
            bound = bind(where, CALLS, SCHEMA, viewed(zone))
            expected = [number for number, yes in enumerate(fits(where, zone, instants), 1) if yes]
            assert expected == found_by(store, bound)
            assert expected == [place + 1 for place in select(bound, columns, len(rows))]
        store.close()
