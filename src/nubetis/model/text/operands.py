"""Reading what a filter compares with: values by their look or as a field takes them, periods, people."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import InvalidFilter, InvalidValue
from nubetis.model.fields import Field, FieldType, Part, Storage, Value
from nubetis.model.filters import People, Period, PeriodKind, Unit
from nubetis.model.formats import ISO, Formats
from nubetis.model.kinds import BUILT_IN, WallTime
from nubetis.model.money import Money
from nubetis.model.nearest import suggest
from nubetis.model.text.cursor import Cursor
from nubetis.model.text.foreign import foreign_value, twin_sign
from nubetis.model.text.tokens import Kind, Token, syntax_error
from nubetis.model.text.values import DAYS, PERIODS, UNITS, by_look, is_currency, is_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nubetis.model.text.names import Place

__all__ = ["Operands"]

_NAMES: Final = frozenset({Kind.WORD, Kind.TEXT})
_DATES: Final = frozenset({Storage.DATE, Storage.DATETIME})
_ISO_TOO: Final = frozenset({*_DATES, Storage.TIME, Storage.BOOLEAN})
"""What a person may also write without a locale: it cannot be misread."""
_PEOPLE: Final = {"team": People.MY_TEAM, "subordinates": People.MY_SUBORDINATES}
_RELATIVE: Final = frozenset({"me", "my", "older", *DAYS, *PERIODS})
"""Words that a period or people can begin with."""
_LONGEST: Final = 60


@attrs.define
class Operands(Cursor):
    """Reads operands."""

    def text(self) -> str:
        """Read a text, whatever it looks like."""
        if self.here.kind not in _NAMES:
            raise self.missing("a text")
        self._refuse_foreign(self.here)
        return self.next().text

    def _refuse_foreign(self, token: Token) -> None:
        fault = foreign_value(token)
        if fault is not None:
            raise fault

    def value(self, place: Place | None) -> Value:
        """Read a value: as the field at *place* takes it, by its look where there is none."""
        token = self.here
        if token.kind not in _NAMES:
            raise self.missing("a value", hint=twin_sign(self.tokens[self.at - 1], token))
        if place is None or token.text not in place[0].choice_values():
            self._refuse_foreign(token)
        found = self.relative(place) if token.kind is Kind.WORD else None
        if found is not None:
            return found
        return self._looked(token) if place is None else self._typed(token, place)

    # periods and people -----------------------------------------------------------------------
    def relative(self, place: Place | None, *, sure: bool = False) -> Period | People | None:
        """Read a period or people where the field takes them; *sure* where nothing else can come."""
        if self.here.low not in _RELATIVE:
            return None
        found: Period | People | None = None
        if place is None or "users" in place[0].targets:
            found = self._people(sure=sure or place is not None)
        if found is None and (place is None or place[1].storage in _DATES):
            found = self._period(sure=sure or place is not None)
        return found

    def _people(self, *, sure: bool) -> People | None:
        if self.take("me"):
            return People.ME
        if self.here.low != "my":
            return None
        after = self.after
        if after.low in _PEOPLE:
            self.at += 2
            return _PEOPLE[after.low]
        if sure and after.kind is Kind.WORD:
            hint = suggest(after.low[:_LONGEST], _PEOPLE)
            raise syntax_error("no such people", after.start, after.end, hint=hint)
        return None

    def _period(self, *, sure: bool) -> Period | None:
        low, after = self.here.low, self.after
        if low in DAYS:
            self.at += 1
            return DAYS[low]
        if low == "older" and after.low == "than":
            self.at += 2
            return Period(PeriodKind.OLDER, count=self._count(), unit=self._unit())
        counted = after.kind is Kind.WORD and after.text.isascii() and after.text.isdigit()
        if low not in PERIODS or not (counted or sure or after.low in UNITS or after.low == "fiscal"):
            return None
        self.at += 1
        return Period(PERIODS[low], count=self._count() if counted else None, unit=self._unit())

    def _count(self) -> int:
        token = self.here
        if token.kind is not Kind.WORD:
            raise self.missing("a number of units", hint="Write older than 30 days.")
        digits = token.text.isascii() and token.text.isdigit() and len(token.text) <= 5
        if not digits or not 1 <= int(token.text) <= 10_000:
            raise syntax_error("a period counts 1 to 10,000 units", token.start, token.end)
        self.at += 1
        return int(token.text)

    def _unit(self) -> Unit:
        first = self.here
        fiscal = self.take("fiscal")
        token = self.here
        if token.kind is not Kind.WORD:
            raise self.missing("day, week, month, quarter or year")
        name = f"fiscal {token.low}" if fiscal else token.low
        if name not in UNITS:
            hint = suggest(name[:_LONGEST], UNITS)
            raise syntax_error("no such unit of a period", first.start, token.end, hint=hint)
        self.at += 1
        return UNITS[name]

    # by look ----------------------------------------------------------------------------------
    def _looked(self, token: Token) -> Value:
        self.at += 1
        if token.kind is Kind.TEXT:
            return token.text
        found = self._look(token)
        if isinstance(found, int | Decimal) and not isinstance(found, bool) and self._comes(is_currency):
            return Money(found, self.next().text)
        if isinstance(found, datetime) and found.tzinfo is None and self._comes(is_zone):
            return WallTime(found, self.next().text)
        return found

    def _comes(self, test: Callable[[str], bool]) -> bool:
        """Say whether a currency or a zone comes after the value."""
        return self.here.kind is Kind.WORD and test(self.here.text)

    def _look(self, token: Token) -> Value:
        try:
            formats = self.names.formats
            return by_look(token.text) if formats is None else _by_face(token.text, formats)
        except ValueError:  # InvalidValue is one
            hint = "Put a text in quotes."
            raise syntax_error("no such number, date or time", token.start, token.end, hint=hint) from None

    # by type ----------------------------------------------------------------------------------
    def _typed(self, token: Token, place: Place) -> Value:
        field, part = place
        if part.storage is Storage.KEY or part.text or (part.name and part.storage is Storage.TEXT):
            self.at += 1
            return token.text  # to the letter: a zone or a currency is compared with what is kept
        if not part.name and (part.storage is Storage.SET or field.choices or field.type.name == "choice"):
            return self._choice(field)
        self.at += 1
        if not part.name and any(each.name == "zone" for each in field.parts):
            return self._wall(token, field)
        if not part.name and any(each.name == "currency" for each in field.parts):
            return self._money(token, field)
        return self._read(token, field, part)

    def _choice(self, field: Field) -> str:
        ahead = self.tokens[self.at : self.at + 12]
        size = self.names.choice_length(field, ahead)
        self.at += size
        return self.names.choice(field, ahead[:size])

    def _wall(self, token: Token, field: Field) -> Value:
        """Read a local time and its zone, or an instant."""
        found = self._look(token) if token.kind is Kind.WORD else None
        if isinstance(found, datetime) and found.tzinfo is not None:
            return found
        if isinstance(found, datetime) and self._comes(is_zone):
            return self._checked(WallTime(found, self.next().text), token, field)
        return self._read(token, field, field.parts[0])

    def _money(self, token: Token, field: Field) -> Value:
        """Read an amount, with its currency where one is named."""
        number = attrs.evolve(field, type=BUILT_IN["decimal"], choices=(), targets=())
        if token.kind is Kind.TEXT:
            total, currency = self._amount(token, field)
            return total if currency is None else self._checked(Money(total, currency), token, field)
        amount = self._read(token, number, number.parts[0])
        if isinstance(amount, Decimal) and self._comes(is_currency):
            return Money(amount, self.next().text)
        return amount

    def _amount(self, token: Token, field: Field) -> tuple[Decimal, str | None]:
        try:
            return (self.names.formats or ISO).parse_money(token.text)
        except InvalidValue as error:
            raise _bad_value(error, token, field) from None

    def _read(self, token: Token, field: Field, part: Part) -> Value:
        """Let the type of *field*, or of the one *part*, read the token."""
        first: InvalidValue | None = None
        for kind, formats in self._ways(field, part):
            seen = field if kind is field.type else attrs.evolve(field, type=kind, choices=(), targets=())
            try:
                return kind.parse(seen, token.text, formats)
            except InvalidValue as error:
                first = first or error
        assert first is not None  # noqa: S101 - there is always one way
        raise _bad_value(first, token, field) from first  # by which the reason is translated

    def _ways(self, field: Field, part: Part) -> Iterator[tuple[FieldType, Formats]]:
        """Give the types and formats by which a value may be read, in order; an instant may be a whole day."""
        kind = BUILT_IN[part.kind] if part.name and part.kind in BUILT_IN else field.type
        face = self.names.formats
        faces = [ISO] if face is None else [face, ISO] if part.storage in _ISO_TOO else [face]
        kinds = [kind, BUILT_IN["date"]] if part.storage is Storage.DATETIME else [kind]
        return ((each, formats) for each in kinds for formats in faces)

    def _checked(self, value: Value, token: Token, field: Field) -> Value:
        try:
            return field.check(value)
        except InvalidValue as error:
            raise _bad_value(error, token, field) from None


def _bad_value(error: InvalidValue, token: Token, field: Field) -> InvalidFilter:
    where = {"position": token.start, "end": token.end}
    return InvalidFilter("filter_value", field=field.name, reason=str(error).rstrip("."), **where)


def _by_face(word: str, formats: Formats) -> Value:
    """Give the value that *word* looks like to a person with *formats*."""
    if not word.lstrip("-+")[:1].isdigit():
        return by_look(word)
    for read in (formats.parse_number, formats.parse_date):
        try:
            return read(word)
        except InvalidValue:
            continue
    found = by_look(word)
    if not isinstance(found, int | Decimal):
        return found
    raise ValueError(word)  # 1000.5 where the decimal sign is a comma
