"""Decimals kept as whole numbers: exactly, whatever decimal context the host works in.

A context is a host's own affair: one of three digits, or one that traps nothing, must not change what is stored.
"""

from __future__ import annotations

from decimal import Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from typing import Final

__all__ = ["scaled", "unscaled"]

_CONTEXT: Final = Context(
    prec=400, Emin=-9_999, Emax=9_999, traps=[InvalidOperation, DivisionByZero, Overflow, Inexact]
)
"""Room for any number that a column can hold, and for sums of them; what does not fit raises."""


def unscaled(number: int, scale: int) -> Decimal:
    """Give the decimal that *number* stands for, with *scale* places; the inverse of :func:`scaled`.

    >>> unscaled(1250, 2)
    Decimal('12.50')
    """
    return Decimal(number).scaleb(-scale, _CONTEXT)


def scaled(value: Decimal, scale: int) -> int | None:
    """Give *value* as a whole number of units of its last place; ``None`` where *scale* places do not hold it.

    >>> scaled(Decimal("12.5"), 2), scaled(Decimal("12.505"), 2), scaled(Decimal("1e-99999999"), 2)
    (1250, None, None)
    """
    try:
        moved = value.scaleb(scale, _CONTEXT)
        whole = moved.to_integral_exact(context=_CONTEXT)
    except ArithmeticError:
        return None
    return int(whole) if whole.is_finite() else None
