"""How dates and numbers are written in a file, by the vote of its columns.

``03/04/2026`` says nothing; a column in which one cell is ``31/01/2026`` does.  Where a column leaves it open,
nothing is guessed: the cells stay unread, and the caller says how they are written.

A number with two signs, or with other than three digits behind its one sign, can be read in one way only:
``1,234.50``, ``1.234,50``, ``1234,5``.  Such cells speak for the others of the file, as does a cell such as ``1.250``
in a column of whole numbers.  An amount of money may name its currency by code or sign, before or behind it.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.formats import ISO, Formats, IsoFormats

if TYPE_CHECKING:
    from nubetis.data.cells import Cell
    from nubetis.data.mapping import FieldMap
    from nubetis.data.table import Table
    from nubetis.model.schema import Module

__all__ = ["DateOrder", "WrittenFormats", "written_formats"]

_PARTS: Final = re.compile(r"\s*(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\s*")
_SHORT_YEAR: Final = re.compile(r"\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{2}\s*")
_POINT: Final = re.compile(r"[-+]?([1-9]\d{0,2}(,\d{3})+|\d+)(\.\d+)?", re.ASCII)
_COMMA: Final = re.compile(r"[-+]?([1-9]\d{0,2}(\.\d{3})+|\d+)(,\d+)?", re.ASCII)
_SPACED: Final = re.compile(r"(?<=\d)[ \u00a0\u202f](?=\d{3}(?!\d))")
_MONEY: Final = re.compile(r"([-+]?)\s*([^\d\s.,+-][^\d+-]*?)?\s*([-+]?\s*\d[\d.,]*)\s*([^\d.,]*)")
_LONGEST: Final = 60
"""No number that a person writes is longer; longer texts are not looked at."""
_CODE: Final = re.compile(r"[A-Z]{3}")
_NUMBERS: Final = frozenset({"integer", "decimal", "percent", "money"})
_OPEN: Final = frozenset({"integer", "money"})
"""Kinds in which ``1.250`` is not taken for one and a quarter unless another cell says so."""

_SIGNS: Final = {
    "$": frozenset(["ARS", "AUD", "CAD", "CLP", "COP", "CUP", "DOP", "HKD", "MXN", "NZD", "SGD", "USD", "UYU"]),
    "S/": frozenset({"PEN"}),
    "S/.": frozenset({"PEN"}),
    "€": frozenset({"EUR"}),
    "£": frozenset({"GBP"}),
    "¥": frozenset({"CNY", "JPY"}),
    "US$": frozenset({"USD"}),
    "U$S": frozenset({"USD"}),
    "R$": frozenset({"BRL"}),
    "Bs": frozenset({"BOB", "VES"}),
    "Bs.": frozenset({"BOB", "VES"}),
    "B/.": frozenset({"PAB"}),
    "₡": frozenset({"CRC"}),
    "₲": frozenset({"PYG"}),
    "Q": frozenset({"GTQ"}),
    "L": frozenset({"HNL"}),
}
"""What stands for a currency beside an amount; of several the organisation's own is meant, or none is."""


class DateOrder(enum.StrEnum):
    """What a date begins with."""

    ISO = enum.auto()
    DAY = enum.auto()
    MONTH = enum.auto()


_EXAMPLES: Final = {
    DateOrder.ISO: "2026-01-31",
    DateOrder.DAY: "31/01/2026",
    DateOrder.MONTH: "01/31/2026",
}


@attrs.frozen(kw_only=True)
class WrittenFormats(IsoFormats):
    """Reads dates in an *order*, and numbers with a decimal comma; what is written as ISO it reads as well.

    >>> WrittenFormats(order=DateOrder.DAY).parse_date("31/01/2026").isoformat()
    '2026-01-31'
    >>> WrittenFormats(comma=True).parse_number("1.234,50")
    Decimal('1234.50')
    """

    order: DateOrder = DateOrder.ISO
    comma: bool = False
    """Whether ``1.000`` is a thousand, and ``1,000`` is one."""
    point: bool = False
    """Whether it is the other way round."""
    unsure: bool = False
    """Whether ``1.000`` may be either: it stays unread, as ``1,000`` always does where neither is said."""
    currency: str | None = None
    """The organisation's own, which ``$`` means where it can."""

    def parse_date(self, text: str) -> date:
        """Give the day that *text* says."""
        if _SHORT_YEAR.fullmatch(text):
            raise InvalidValue("short_year", example=_EXAMPLES[self.order])
        found = _PARTS.fullmatch(text)
        if self.order is DateOrder.ISO:
            return _iso_date(text)
        try:
            return ISO.parse_date(text) if found is None else _day(found, self.order)
        except ValueError:  # as InvalidValue is
            raise InvalidValue("bad_format", what="a date", example=_EXAMPLES[self.order]) from None

    def parse_number(self, text: str) -> Decimal:
        """Give the number that *text* says."""
        bare = _SPACED.sub("", text.strip())
        read = _readings(bare)
        if len(set(read)) < 2:
            return read[0] if read else ISO.parse_number(bare)
        if self.comma is self.point and (self.unsure or "," in bare):
            raise InvalidValue("ambiguous_number")
        return read[1] if self.comma and not self.point else read[0]

    def parse_money(self, text: str) -> tuple[Decimal, str | None]:
        """Give amount and currency of ``1.200,00 PEN``, ``S/ 1200``, ``€5``; the sign of several means the own one."""
        found = _money(text)
        if found is None:
            return ISO.parse_money(text)
        minus, before, number, behind = found.groups(default="")
        signs = [each.strip() for each in (before, behind) if each.strip()]
        if len(signs) > 1 or (minus and number[0] in "+-"):
            raise InvalidValue("bad_format", what="an amount of money", example="1200.00 PEN")
        amount = self.parse_number(minus + "".join(number.split()))
        return amount, self.parse_currency(signs[0]) if signs else None

    def parse_currency(self, text: str) -> str:
        """Give the code of a currency that is written as code or sign.

        >>> WrittenFormats(currency="MXN").parse_currency("$"), WrittenFormats().parse_currency("S/")
        ('MXN', 'PEN')
        """
        bare = text.strip()
        meant = _SIGNS.get(bare, frozenset())
        if _CODE.fullmatch(bare):
            return bare
        if self.currency in meant or len(meant) == 1:
            return str(self.currency if self.currency in meant else next(iter(meant)))
        if meant:
            raise InvalidValue("ambiguous_currency", sign=bare, currencies=", ".join(sorted(meant)))
        raise InvalidValue("bad_format", what="a currency", example="PEN")


def written_formats(table: Table, field_map: FieldMap, module: Module, *, currency: str | None = None) -> Formats:
    """Give the formats in which *table* writes the columns that are dates and numbers of *module*.

    *currency* is the organisation's own.
    """
    kinds = {column: module.field(path.partition(".")[0]).type.name for path, column in field_map.filled.items()}
    dates = [cell for column, kind in kinds.items() if kind == "date" for cell in table[column]]
    cells = [(kind, _number_in(cell)) for column, kind in kinds.items() if kind in _NUMBERS for cell in table[column]]
    votes = {vote for kind, text in set(cells) for vote in _votes(kind, text)}
    unsure = any(kind in _OPEN and len(set(_readings(text))) > 1 for kind, text in set(cells))
    return WrittenFormats(order=_order(dates), comma="," in votes, point="." in votes, unsure=unsure, currency=currency)


def _day(found: re.Match[str], order: DateOrder) -> date:
    first, second, year = map(int, found.groups())
    return date(year, second, first) if order is DateOrder.DAY else date(year, first, second)


def _iso_date(text: str) -> date:
    found = _PARTS.fullmatch(text)
    if found is not None and max(int(found[1]), int(found[2])) <= 12:
        raise InvalidValue("ambiguous_date")
    return ISO.parse_date(text)


def _readings(bare: str) -> list[Decimal]:
    """Give what a number says with a decimal point, and what with a decimal comma, as far as it can be so."""
    if len(bare) > _LONGEST:
        return []
    point = [bare.replace(",", "")] if _POINT.fullmatch(bare) else []
    comma = [bare.replace(".", "").replace(",", ".")] if _COMMA.fullmatch(bare) else []
    return [ISO.parse_number(each) for each in point + comma]


def _number_in(cell: Cell) -> str:
    """Give the number of a cell, without its currency."""
    found = _money(cell or "")
    return found[3] if found else ""


def _money(text: str) -> re.Match[str] | None:
    bare = text.strip()
    return _MONEY.fullmatch(_SPACED.sub("", bare)) if len(bare) <= _LONGEST else None


def _votes(kind: str, text: str) -> str:
    """Give the decimal sign for which a number speaks, if it does."""
    read = _readings(text)
    if len(set(read)) == 2 and kind == "integer":
        whole = [not each % 1 for each in read]
        return "" if all(whole) or not any(whole) else "." if whole[0] else ","
    if len(read) != 1:
        return ""
    return "." if _POINT.fullmatch(text) else ","


def _order(cells: Iterable[Cell]) -> DateOrder:
    found = [match for cell in cells if cell and (match := _PARTS.fullmatch(cell))]
    days_first = sum(int(match[1]) > 12 for match in found)
    months_first = sum(int(match[2]) > 12 for match in found)
    if days_first == months_first:
        return DateOrder.ISO
    return DateOrder.DAY if days_first > months_first else DateOrder.MONTH
