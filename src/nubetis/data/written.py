"""How dates and numbers are written in a file, by the vote of its columns.

``03/04/2026`` says nothing; a column in which one cell is ``31/01/2026`` does.  Where a column leaves it open,
nothing is guessed: the cells stay unread, and the caller says how they are written.

The numbers of a file are written in one way: one cell with a decimal comma speaks for all, as does a cell such as
``1.250`` in a column of whole numbers.
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
_COMMA: Final = re.compile(r"\s*[-+]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?\s*")
_GROUPED: Final = re.compile(r"\s*[-+]?[1-9]\d{0,2}(\.\d{3})+\s*")
_NUMBERS: Final = frozenset({"integer", "decimal", "percent", "money"})
_CURRENCY: Final = re.compile(r"\s+[A-Z]{3}\s*$")


class DateOrder(enum.StrEnum):
    """What a date begins with."""

    ISO = enum.auto()
    DAY = enum.auto()
    MONTH = enum.auto()


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
    unsure: bool = False
    """Whether ``1.000`` may be a thousand or one: it stays unread."""

    def parse_date(self, text: str) -> date:
        """Give the day that *text* says."""
        found = _PARTS.fullmatch(text)
        if self.order is DateOrder.ISO or found is None:
            return ISO.parse_date(text)
        first, second, year = map(int, found.groups())
        day, month = (first, second) if self.order is DateOrder.DAY else (second, first)
        try:
            return date(year, month, day)
        except ValueError:
            example = "31/01/2026" if self.order is DateOrder.DAY else "01/31/2026"
            raise InvalidValue("bad_format", what="a date", example=example) from None

    def parse_number(self, text: str) -> Decimal:
        """Give the number that *text* says."""
        if self.unsure and _GROUPED.fullmatch(text):
            raise InvalidValue("bad_format", what="a number", example="1000.5")
        if self.comma and _COMMA.fullmatch(text):
            return ISO.parse_number(text.replace(".", "").replace(",", "."))
        return ISO.parse_number(text)


def written_formats(table: Table, field_map: FieldMap, module: Module) -> Formats:
    """Give the formats in which *table* writes the columns that are dates and numbers of *module*."""
    kinds = {column: module.field(path.partition(".")[0]).type.name for column, path in field_map.fields.items()}
    dates = [cell for column, kind in kinds.items() if kind == "date" for cell in table[column]]
    numbers = [cell for column, kind in kinds.items() if kind in _NUMBERS for cell in table[column]]
    whole = [cell for column, kind in kinds.items() if kind == "integer" for cell in table[column]]
    grouped = [cell for cell in whole if cell and _GROUPED.fullmatch(cell)]
    comma = _has_comma(numbers) or any(Decimal(cell) % 1 for cell in grouped)
    return WrittenFormats(order=_order(dates), comma=comma, unsure=bool(grouped) and not comma)


def _order(cells: Iterable[Cell]) -> DateOrder:
    found = [match for cell in cells if cell and (match := _PARTS.fullmatch(cell))]
    days_first = sum(int(match[1]) > 12 for match in found)
    months_first = sum(int(match[2]) > 12 for match in found)
    if days_first == months_first:
        return DateOrder.ISO
    return DateOrder.DAY if days_first > months_first else DateOrder.MONTH


def _has_comma(cells: Iterable[Cell]) -> bool:
    return any(match[3] for cell in cells if cell and (match := _COMMA.fullmatch(_CURRENCY.sub("", cell))))
