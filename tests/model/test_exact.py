"""Numbers are stored exactly whatever decimal context the host has set."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN, Context, Decimal, Inexact, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.model.exact import scaled, unscaled
from nubetis.model.fields import Field
from nubetis.model.kinds import kind
from nubetis.model.money import Money
from tests.stores import refusing

CONTEXTS = st.builds(
    Context,
    prec=st.integers(1, 60),
    rounding=st.sampled_from([ROUND_CEILING, ROUND_DOWN, ROUND_HALF_EVEN]),
    Emin=st.sampled_from([-999_999, -2, 0]),
    Emax=st.sampled_from([999_999, 2, 0]),
    traps=st.sampled_from([[], [Inexact]]),
)
"""What a host may have set, of which some is hardly usable."""


def field(scale, type_name="decimal"):
    return Field(name="x", type=kind(type_name), scale=scale)


@given(CONTEXTS, st.integers(-(10**30), 10**30), st.integers(0, 8))
def test_a_number_comes_back_as_it_went(context, number, scale):
    with localcontext(context):
        value = unscaled(number, scale)
        assert scaled(value, scale) == number
    assert Fraction(value) == Fraction(number, 10**scale)


@given(CONTEXTS, st.decimals(allow_nan=True, allow_infinity=True), st.integers(0, 8))
def test_what_the_scale_does_not_hold_is_none(context, value, scale):
    with localcontext(context):
        found = scaled(value, scale)
    exact = Fraction(value) * 10**scale if value.is_finite() else None
    assert found == (None if exact is None or exact.denominator > 1 else exact)


@given(CONTEXTS, st.integers(1 - 10**18, 10**18 - 1), st.integers(0, 8))
def test_a_field_keeps_what_it_is_given_in_any_context(context, number, scale):
    exact = Decimal((int(number < 0), tuple(map(int, str(abs(number)))), -scale))
    with localcontext(context):
        plain, money = field(scale), field(scale, "money")
        assert plain.pack(plain.check(exact)) == (number,)
        assert str(plain.type.unpack(plain, (number,))) == str(exact)
        assert money.pack(money.check(Money(exact, "PEN", home=exact))) == (number, "PEN", number)


@pytest.mark.parametrize(
    "offered",
    [
        Decimal("1." + "0" * 40 + "1"),
        Decimal("1e-99999999"),
        Decimal("1e99999999"),
        Decimal(10**18),
        Decimal("NaN"),
        Decimal("sNaN"),
        Decimal("-Infinity"),
        10**40,
        float("nan"),
        "1_0",
        "١٢",
        "\uff11\uff12",
        " 12",
        "12\n",
        "0x10",
        "NaN",
        "1e999999999",
    ],
    ids=repr,
)
@pytest.mark.parametrize("context", [Context(), Context(prec=3, traps=[])], ids=["default", "small"])
def test_a_number_that_would_be_rounded_or_guessed_is_refused(offered, context):
    with localcontext(context), refusing("bad_number", InvalidValue):
        field(2).check(offered)


@pytest.mark.parametrize("offered", [12.5, "12.5", "+12.5", "1.25e1", Decimal("12.50"), "12.50000000"], ids=repr)
def test_a_number_in_any_usual_form_is_taken(offered):
    plain = field(2)
    assert plain.pack(plain.check(offered)) == (1250,)
