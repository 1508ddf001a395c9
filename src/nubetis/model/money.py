"""Money: an amount and its currency, and the same in the organisation's currency at a dated rate."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

import attrs

from nubetis.errors import InvalidValue, misused

__all__ = ["CURRENCIES", "Money"]

CURRENCIES: Final = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN BWP BYN BZD
    CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP
    GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW
    KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD NGN
    NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN UYI UYU UYW UZS VED VES VND
    VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
    """.split()  # noqa: SIM905 - a table of words
)
"""The currencies of ISO 4217 that one can count in: all but metals, bonds and codes for tests."""


def _amount(value: Decimal | int | str) -> Decimal:
    if isinstance(value, float):
        raise misused("amount", "a text such as '1200.00', a Decimal or a whole number", value)
    try:
        amount = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise InvalidValue("bad_number", field="amount", scale=4, digits=18) from None
    if not amount.is_finite():
        raise InvalidValue("bad_number", field="amount", scale=4, digits=18)
    return amount


def _currency(value: str) -> str:
    code = str(value)
    if len(code) != 3 or not (code.isascii() and code.isalpha() and code.isupper()):
        raise InvalidValue("bad_currency", field="currency")
    return code


@attrs.frozen
class Money:
    """An amount in a currency (ISO 4217).

    *home* is the amount in the organisation's currency, at the rate of the day of the write; where the currency
    is the organisation's own it is filled in.  Amounts are compared, sorted and added up by it; without one they stand
    beside no other amount.

    >>> Money("1200", "PEN")
    Money('1200', 'PEN')
    """

    amount: Decimal = attrs.field(converter=_amount)
    currency: str = attrs.field(converter=_currency)
    home: Decimal | None = attrs.field(default=None, kw_only=True, converter=attrs.converters.optional(_amount))

    def __repr__(self) -> str:
        at = "" if self.home is None or self.home == self.amount else f", home='{self.home}'"
        return f"Money('{self.amount}', '{self.currency}'{at})"

    def __str__(self) -> str:
        return f"{self.amount} {self.currency}"
