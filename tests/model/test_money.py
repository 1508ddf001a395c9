"""Money: an exact amount in a currency, never one without the other."""

from __future__ import annotations

import copy
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.model.money import Money

AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**12), max_value=10**12)
CURRENCIES = st.sampled_from(["PEN", "EUR", "USD"])


@given(AMOUNTS, CURRENCIES, st.none() | AMOUNTS)
def test_its_repr_makes_it_again(amount, currency, home):
    """But for a home amount that is the amount: then it is the organisation's own currency, and said once."""
    money = Money(amount, currency, home=home)
    again = eval(repr(money), {"Money": Money})  # noqa: S307 - a repr of our own
    assert (money.amount, money.currency) == (again.amount, again.currency)
    assert again.home == (None if home == amount else home)


@given(AMOUNTS)
def test_an_amount_is_exact_however_it_is_given(amount):
    assert Money(amount, "PEN") == Money(str(amount), "PEN")
    assert amount == Money(str(amount), "PEN").amount


def test_a_whole_number_is_an_amount():
    assert Money(1200, "PEN") == Money("1200.00", "PEN")


def test_trailing_zeros_do_not_tell_amounts_apart():
    assert hash(Money("1200", "PEN")) == hash(Money("1200.00", "PEN"))


@pytest.mark.parametrize("other", [Money("1", "EUR"), Money("2", "PEN"), Money("1", "PEN", home="1"), Decimal(1), 1])
def test_money_of_another_amount_currency_or_home_amount_is_another(other):
    assert other != Money("1", "PEN")


@pytest.mark.parametrize(
    "amount", ["", "x", "1,5", "nan", "inf", "-Infinity", None, Decimal("NaN"), Decimal("sNaN"), [], "1 PEN"], ids=repr
)
def test_what_is_no_finite_number_is_no_amount(amount):
    for make in (lambda: Money(amount, "PEN"), lambda: Money(1, "PEN", home=amount or "x")):
        with pytest.raises(InvalidValue) as caught:
            make()
        assert caught.value.code == "bad_number"


@pytest.mark.parametrize("currency", ["", "pen", "Pen", "PE", "PENN", "P3N", "PEÑ", "S/.", None, 604, b"PEN", " PEN"])
def test_a_currency_is_three_capital_letters(currency):
    """Symbols and lower case are for the formats of a person to read, not for what is stored."""
    with pytest.raises(InvalidValue) as caught:
        Money(1, currency)
    assert caught.value.code == "bad_currency"


def test_money_cannot_be_added_by_accident():
    """Two currencies have no sum; who wants one takes the home amounts."""
    with pytest.raises(TypeError):
        Money(1, "PEN") + Money(1, "EUR")
    with pytest.raises(TypeError):
        Money(1, "PEN") < Money(1, "EUR")  # noqa: B015 - what is tested


def test_money_does_not_change():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Money(1, "PEN").amount = Decimal(2)


def test_a_copy_is_equal():
    money = Money("1.50", "EUR", home="6")
    assert money == copy.deepcopy(money)


def test_it_is_said_amount_first():
    assert str(Money("1200.50", "PEN", home="7")) == "1200.50 PEN"
