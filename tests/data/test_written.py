"""How a file writes dates and numbers, by the vote of its columns."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from nubetis import Table
from nubetis.data import map_columns
from nubetis.data.written import DateOrder, WrittenFormats, written_formats
from nubetis.errors import InvalidValue
from nubetis.model.standard import base_schema

CONTACTS = base_schema().module("contacts")
ACCOUNTS = base_schema().module("accounts")


def order(*cells):
    table = Table({"birth_date": list(cells)})
    return written_formats(table, map_columns(table.columns, module="contacts"), CONTACTS).order


def test_one_cell_decides_for_its_column():
    assert order("03/04/1980", "31/01/1980", None) is DateOrder.DAY
    assert order("03/04/1980", "01-31-1980") is DateOrder.MONTH


def test_a_column_that_leaves_it_open_is_not_guessed():
    assert order("03/04/1980", "05/06/1981") is DateOrder.ISO
    assert order("31/01/1980", "01/31/1980") is DateOrder.ISO
    assert order("1980-01-31", "", None) is DateOrder.ISO


@pytest.mark.parametrize(
    ("given", "text", "expected"),
    [
        (DateOrder.DAY, "31/01/1980", date(1980, 1, 31)),
        (DateOrder.DAY, " 1.2.1980 ", date(1980, 2, 1)),
        (DateOrder.MONTH, "1/31/1980", date(1980, 1, 31)),
        (DateOrder.DAY, "1980-01-31", date(1980, 1, 31)),
        (DateOrder.ISO, "1980-01-31", date(1980, 1, 31)),
    ],
)
def test_dates_are_read_in_their_order(given, text, expected):
    assert WrittenFormats(order=given).parse_date(text) == expected


@pytest.mark.parametrize(
    ("given", "text"), [(DateOrder.DAY, "01/31/1980"), (DateOrder.MONTH, "31/01/1980"), (DateOrder.ISO, "31/01/1980")]
)
def test_a_day_that_does_not_exist_is_refused(given, text):
    with pytest.raises(InvalidValue):
        WrittenFormats(order=given).parse_date(text)


@pytest.mark.parametrize(
    ("text", "code"), [("03/04/1980", "ambiguous_date"), ("31/01/1980", "bad_format"), ("35/40/1980", "bad_format")]
)
def test_a_day_that_can_be_two_says_so(text, code):
    with pytest.raises(InvalidValue) as caught:
        WrittenFormats().parse_date(text)
    assert caught.value.code == code


def test_a_decimal_comma_is_found_and_read():
    table = Table({"name": ["A"], "employees": ["1.234,0"]})
    formats = written_formats(table, map_columns(table.columns, module="accounts"), ACCOUNTS)

    assert formats.parse_number("1.234,50") == Decimal("1234.50")
    assert formats.parse_number("-7") == -7
    assert WrittenFormats().parse_number("1234.5") == Decimal("1234.5")


def formats(**columns):
    table = Table(columns)
    return written_formats(table, map_columns(table.columns, module="accounts"), ACCOUNTS)


def test_one_cell_of_money_speaks_for_the_whole_file():
    found = formats(employees=["12"], annual_revenue=["1.234,50 PEN"])

    assert found.parse_money("1.234,50 PEN") == (Decimal("1234.50"), "PEN")
    assert found.parse_number("1.000") == 1000


def test_a_cell_that_only_thousands_make_whole_speaks_for_its_points():
    assert formats(employees=["12", "1.250", "3.000"]).parse_number("3.000") == 3000


def test_a_whole_number_that_may_be_one_or_a_thousand_stays_unread():
    found = formats(employees=["12", "1.000"])

    with pytest.raises(InvalidValue) as caught:
        found.parse_number("1.000")
    assert caught.value.code == "ambiguous_number"
    assert found.parse_number("12") == 12


def test_points_of_decimals_are_the_iso_points():
    assert formats(employees=["12", "2.5"]).parse_number("1.500") == Decimal("1.5")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1234.50", ("1234.50", None)),
        ("1234,50", ("1234.50", None)),
        ("1.234,50", ("1234.50", None)),
        ("1,234.50", ("1234.50", None)),
        ("1 234,50", ("1234.50", None)),
        ("PEN 1234.50", ("1234.50", "PEN")),
        ("1234.50 PEN", ("1234.50", "PEN")),
        ("1.234,50PEN", ("1234.50", "PEN")),
        ("S/ 1234.50", ("1234.50", "PEN")),
        ("S/. 1,234.50", ("1234.50", "PEN")),
        ("S/.5", ("5", "PEN")),
        ("-S/ 5", ("-5", "PEN")),
        ("S/ -5", ("-5", "PEN")),
        ("1.234.567 €", ("1234567", "EUR")),
        ("€\u00a01\u202f234", ("1234", "EUR")),
        ("US$ 7", ("7", "USD")),
    ],
)
def test_amounts_are_read_as_people_write_them(text, expected):
    amount, currency = WrittenFormats(currency="PEN").parse_money(text)

    assert (amount, currency) == (Decimal(expected[0]), expected[1])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PEN",
        "1234.50 PEN EUR",
        "PEN 5 EUR",
        "5 soles",
        "--5",
        "1,23.4",
        "12.34.56",
        "S/",
        "٣",
        "x" * 9999,
        "9" * 99,
    ],
)
def test_what_is_no_amount_is_refused(text):
    with pytest.raises(InvalidValue):
        WrittenFormats(currency="PEN").parse_money(text)


def test_the_sign_of_several_currencies_means_the_own_one_or_is_refused():
    assert WrittenFormats(currency="CLP").parse_money("$ 5")[1] == "CLP"
    with pytest.raises(InvalidValue) as caught:
        WrittenFormats(currency="PEN").parse_money("$ 5")
    assert caught.value.code == "ambiguous_currency"


@pytest.mark.parametrize(
    ("others", "cell", "expected"),
    [
        (["7,50"], "1.250", "1250"),
        (["7.50"], "1.250", "1.250"),
        (["7.50"], "1,250", "1250"),
        (["7,50"], "1,250", "1.250"),
        (["7"], "1,250", None),
        (["7"], "1.250", None),
        (["7,50", "7.50"], "1.250", None),
    ],
)
def test_other_cells_say_whether_a_sign_parts_thousands(others, cell, expected):
    """Where none does, or two contradict each other, the amount stays unread: 1.250 soles are not 1,250."""
    found = formats(annual_revenue=[*others, cell])

    if expected is not None:
        assert found.parse_money(cell)[0] == Decimal(expected)
        return
    with pytest.raises(InvalidValue):
        found.parse_money(cell)


@pytest.mark.parametrize(
    ("order", "example"),
    [(DateOrder.DAY, "31/01/2026"), (DateOrder.MONTH, "01/31/2026"), (DateOrder.ISO, "2026-01-31")],
)
def test_a_year_of_two_digits_is_named_as_the_fault_and_all_faults_of_a_column_have_one_example(order, example):
    how = WrittenFormats(order=order)
    faults = []
    for text in ("31/31/2001", "05/11/92", " 5-11-92 ", "soon", "2026-02-30"):
        with pytest.raises(InvalidValue) as caught:
            how.parse_date(text)
        faults.append(caught.value)

    assert [each.code for each in faults] == ["bad_format", "short_year", "short_year", "bad_format", "bad_format"]
    assert {each.params["example"] for each in faults} == {example}
