"""One column on its way to a field: its cells are read as values, or refused one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import attrs

from nubetis.data.amounts import OPEN
from nubetis.data.cells import Cell
from nubetis.data.mapping import FieldMap
from nubetis.data.names import PICKS, WHOLE
from nubetis.data.parts import BESIDE, named
from nubetis.data.written import WrittenFormats
from nubetis.errors import InvalidValue, NubetisError
from nubetis.model.fields import Field, Part, Value
from nubetis.model.formats import Formats
from nubetis.model.money import Money
from nubetis.model.schema import Module

__all__ = ["Slot", "attempt", "slots_of"]


@attrs.frozen
class Slot:
    """Reads the cells of one column as values of a field, or of one *part* of it (``address.city``).

    An amount that names none is in *currency*; *pick* takes what is meant out of a cell that says more.
    """

    module: Module
    column: str
    field: Field
    part: Part | None
    formats: Formats
    currency: str | None = None
    pick: Callable[[str], str] | None = None

    @property
    def path(self) -> str:
        """The name of the field, or of the field and the part."""
        return f"{self.field.name}.{self.part.name}" if self.part is not None else str(self.field.name)

    @classmethod
    def of(cls, module: Module, column: str, path: str, formats: Formats) -> Slot:
        """Give the slot for *path*: a field's name, or a field's and a part's.

        Raises:
            NotFound: ``unknown_field``.
        """
        found = named(module, path)
        return cls(module, column, found.field, found.part, formats)

    def read(self, text: str) -> Value:
        """Give the value that *text* says; of a part, and of a user's name, the text itself."""
        text = text if self.pick is None else self.pick(text)
        if self.part is not None:
            return _read_part(self.part, text, self.formats)
        if "users" in self.field.targets:
            return text
        try:
            return self.field.type.parse(self.field, text, self.formats)
        except InvalidValue as error:
            if error.code != "bare_amount" or self.currency is None:
                raise
            return self.field.check(Money(self.formats.parse_money(text)[0], self.currency))

    def reader(self) -> Callable[[str], Value | NubetisError]:
        """Give :meth:`read` with a memory, which gives a refusal as a value."""
        known: dict[str, Value | NubetisError] = {}

        def read(text: str) -> Value | NubetisError:
            if text not in known:
                known[text] = attempt(self.read, text)
            return known[text]

        return read

    def fit(self, cells: Iterable[Cell]) -> float:
        """Give the share of the cells that are values of the field; links are looked up later, so all of them."""
        filled = Counter([cell for cell in cells if cell])
        if not filled or self.field.targets:
            return 1.0
        good = [count for text, count in filled.items() if _fits(attempt(self.read, text))]
        return sum(good) / filled.total()


def slots_of(module: Module, field_map: FieldMap, formats: Formats, currency: str | None = None) -> list[Slot]:
    """Give the slots of a map; one of whole names is picked by two."""
    paths = field_map.filled
    beside = {name for name, _, part in (path.partition(".") for path in paths) if part in BESIDE}
    slots = [Slot.of(module, column, path, formats) for path, column in paths.items()]
    return [
        attrs.evolve(
            slot,
            currency=OPEN if slot.path in beside else currency,
            pick=PICKS.get(slot.path) if field_map.fields[slot.column] == WHOLE else None,
        )
        for slot in slots
    ]


def _read_part(part: Part, text: str, formats: Formats) -> Value:
    """Give what is said of a part of a field: a currency's code, an amount and its currency; all others are text.

    Raises:
        InvalidValue: ``bad_argument``; *part* is a number, which no column fills.
    """
    if part.name == "currency":
        return formats.parse_currency(text) if isinstance(formats, WrittenFormats) else Money(0, text.strip()).currency
    if part.name == "home":
        return formats.parse_money(text)
    if not part.text:
        raise InvalidValue("bad_argument", argument="field_map", reason="no column fills this part of a field")
    return text


def _fits(read: Value | NubetisError) -> bool:
    """Tell whether a cell is a value; one that lacks something, or has two meanings, is refused by its line."""
    return not isinstance(read, NubetisError) or read.code == "bare_amount" or read.code.startswith("ambiguous_")


def attempt(read: Callable[[str], Value], text: str) -> Value | NubetisError:
    """Give what *read* makes of *text*; a refusal as a value."""
    try:
        return read(text)
    except NubetisError as error:
        return error
