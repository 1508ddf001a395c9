"""Amounts of money of which more stands in columns beside them: the currency, and what they are worth at home.

A file may have ``amount`` (``300``), ``amount.currency`` (``USD``) and ``amount.home`` (``1125 PEN``).  The last is
needed where the amount is in another currency than that in which the organisation counts.  An empty cell says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from nubetis.errors import InvalidValue
from nubetis.model.money import Money

if TYPE_CHECKING:
    from nubetis.model.fields import Field, Value

__all__ = ["OPEN", "join_money"]

OPEN: Final = "XXX"
"""The code for no currency (ISO 4217): of an amount whose currency stands in another column."""


def join_money(field: Field, money: Money | None, beside: Mapping[str, Value], *, own: str | None) -> Money | None:
    """Give the value of *field* that an amount and the cells *beside* it say; *own* is the organisation's currency.

    Raises:
        InvalidValue: ``currency_twice``, ``bare_amount``, ``home_amount``.
    """
    if money is None:
        if "home" in beside:
            raise InvalidValue("home_amount", field=field.name, reason="there is no amount")
        return None
    said = beside.get("currency")
    currency = (said or own) if money.currency == OPEN else money.currency
    if currency is None:
        raise InvalidValue("bare_amount", field=field.name)
    if said not in {None, currency}:
        raise InvalidValue("currency_twice", field=field.name, first=currency, second=said)
    home = _home(field, *beside["home"], own=own) if "home" in beside else money.home
    joined: Money = field.check(Money(money.amount, currency, home=home))
    return joined


def _home(field: Field, amount: Decimal, currency: str | None, *, own: str | None) -> Decimal:
    if own is not None and currency not in {None, own}:
        reason = f"it is in {currency}, the organisation counts in {own}"
        raise InvalidValue("home_amount", field=field.name, reason=reason)
    return amount
