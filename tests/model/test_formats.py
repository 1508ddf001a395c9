"""The ISO formats: what they show, they read."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.model.formats import ISO

NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**15), max_value=10**15, places=4)
ZONES = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(NUMBERS)
def test_a_number_is_read_as_it_was_shown(value):
    assert value == ISO.parse_number(ISO.show_number(value))


@given(st.dates())
def test_a_date_is_read_as_it_was_shown(value):
    assert value == ISO.parse_date(ISO.show_date(value))


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES))  # noqa: DTZ001 - zones come apart
def test_an_instant_is_read_as_it_was_shown(value):
    shown = ISO.show_datetime(value)
    assert (value, True) == (ISO.parse_datetime(shown), shown.endswith("+00:00"))


@given(NUMBERS, st.sampled_from(["PEN", "USD", "EUR"]))
def test_money_is_read_as_it_was_shown(amount, currency):
    assert (amount, currency) == ISO.parse_money(ISO.show_money(amount, currency))


def test_money_may_come_without_a_currency():
    assert (Decimal("12.50"), None) == ISO.parse_money(" 12.50 ")


def test_a_scale_gives_that_many_decimals():
    assert (
        ISO.show_number(Decimal("1000.5"), scale=2),
        ISO.show_number(Decimal("1000.5")),
    ) == ("1000.50", "1000.5")


@pytest.mark.parametrize("text", ["", "1,000.5", "1e9", "nan", "inf", "1_000", "٣", "9" * 100, "--1"])
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(InvalidValue) as caught:
        ISO.parse_number(text)
    assert caught.value.code == "bad_format"


@pytest.mark.parametrize("text", ["2026-01-31T09:30:00", "", "yesterday", "9999-12-31T23:59:59-12:00"])
def test_an_instant_without_a_zone_or_beyond_the_calendar_is_refused(text):
    with pytest.raises(InvalidValue):
        ISO.parse_datetime(text)


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (ISO.parse_date, "31/01/2026"),
        (ISO.parse_time, "half past nine"),
        (ISO.parse_boolean, "perhaps"),
        (ISO.parse_money, "1 2 3"),
        (ISO.parse_money, "1200 soles"),
    ],
)
def test_other_text_is_refused(parse, text):
    with pytest.raises(InvalidValue):
        parse(text)


def test_other_values_are_read_as_they_were_shown():
    when = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    assert when.time() == ISO.parse_time(ISO.show_time(when.time()))
    assert [ISO.parse_boolean(ISO.show_boolean(truth)) for truth in (True, False)] == [True, False]
    assert date(2026, 1, 31) == ISO.parse_date(" 2026-01-31 ")
