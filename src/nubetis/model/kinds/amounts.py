"""Money."""

from __future__ import annotations

from random import Random
from typing import Final

from nubetis.errors import InvalidValue
from nubetis.model.exact import unscaled
from nubetis.model.fields import Field, FieldType, Part, Storage, Value
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import ORDER, wrong
from nubetis.model.kinds.numbers import check_decimal, pack_scaled, sample_decimal
from nubetis.model.money import Money
from nubetis.types import Cells, Row, Stored

__all__ = ["TYPES"]


def _pack_money(field: Field, value: Value) -> Row:
    assert isinstance(value, Money)  # noqa: S101 - checked
    home = None if value.home is None else pack_scaled(field, value.home)
    return pack_scaled(field, value.amount), value.currency, home


def _unpack_money(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    amount, home = (None if row[at] is None else unscaled(int(row[at] or 0), field.scale) for at in (0, 2))
    return Money(amount or 0, str(row[1]), home=home)


def _check_money(field: Field, offered: object) -> Money:
    if not isinstance(offered, Money):
        raise wrong(field, offered, "money such as Money('1200.00', 'PEN')")
    amount = check_decimal(field, offered.amount)
    home = None if offered.home is None else check_decimal(field, offered.home)
    if home and (not amount or (home < 0) is not (amount < 0)):
        raise InvalidValue("home_amount", field=field.name, reason="no rate makes it of the amount")
    same = amount is offered.amount and home is offered.home
    return offered if same else Money(amount, offered.currency, home=home)


def _operand_money(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    """A number is compared with the home amount; Money names its currency and is compared within it."""
    if isinstance(offered, Money):
        amount = pack_scaled(field, check_decimal(field, offered.amount))
        return (("", amount), ("currency", offered.currency))
    return (("home", pack_scaled(field, check_decimal(field, offered))),)


def _parse_money(field: Field, text: str, formats: Formats) -> Value:
    amount, currency = formats.parse_money(text)
    if currency is None:
        raise InvalidValue("bare_amount", field=field.name)
    return field.check(Money(amount, currency))


def _show_money(field: Field, value: Value, formats: Formats) -> str:
    assert isinstance(value, Money)  # noqa: S101 - checked
    return formats.show_money(value.amount, value.currency)


def _sample_money(field: Field, random: Random) -> Money:
    amount, home = sample_decimal(field, random), sample_decimal(field, random)
    return Money(amount, random.choice(["PEN", "EUR"]), home=home.copy_sign(amount) if amount else amount)


_MONEY_PARTS: Final = (
    Part("", Storage.DECIMAL, kind="decimal"),
    Part("currency", Storage.TEXT, kind="choice"),
    Part("home", Storage.DECIMAL, kind="decimal"),
)

TYPES: Final[tuple[FieldType, ...]] = (
    FieldType(
        name="money",
        check=_check_money,
        pack=_pack_money,
        unpack=_unpack_money,
        operand=_operand_money,
        parts=lambda field: _MONEY_PARTS,
        operators=ORDER,
        parse=_parse_money,
        show=_show_money,
        sample=_sample_money,
        ordered_by="home",
    ),
)
