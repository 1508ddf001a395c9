"""Text to filters: a reader by recursive descent, with one token of hindsight and none taken back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.errors import InvalidFilter, InvalidValue, require
from nubetis.model.bind import DEPTH
from nubetis.model.fields import Field, Operator
from nubetis.model.filters import EVERYTHING, NOTHING, And, Compare, Filter, Has, Not, Or, join
from nubetis.model.formats import Formats
from nubetis.model.text.foreign import foreign_joiner, foreign_operator
from nubetis.model.text.names import Names, Place, Readable, at_span
from nubetis.model.text.operands import Operands
from nubetis.model.text.tokens import END, NO_VALUE, Kind, Token, syntax_error, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nubetis.model.schema import Module, Schema

__all__ = ["parse"]


def _all_fields(module: Module, field: Field) -> bool:  # noqa: ARG001 - a Readable
    return True


def parse(
    text: str,
    *,
    module: Module | None = None,
    schema: Schema | None = None,
    formats: Formats | None = None,
    readable: Readable = _all_fields,
) -> Filter:
    """Give the filter that *text* says.

    Without *module*, values get their types by their look.  With it, the field decides, and unknown fields
    and choices are refused; *readable* hides those that the reader may not know of.  *schema* does the same
    for linked records.  With *formats* it is read as a person writes it: numbers and dates as *formats* reads
    them, fields and choices by their labels.

    Raises:
        InvalidFilter: ``params["position"]`` and ``params["end"]`` give the span that is wrong,
            ``params["hint"]`` what may have been meant.
        InvalidValue: ``bad_argument``; *text* is none.

    >>> parse('stage in (won, lost) and amount > 1000.5 "acme corp"').parts[1]
    F.amount > Decimal('1000.5')
    >>> parse("stage = won or not closed in last 7 days")
    (F.stage == 'won') | ~F.closed.in_(period('last', 'day', 7))
    """
    require(text, str, argument="text", expected="a text")
    is_number = None if formats is None else _NumberTest(formats)
    reader = _Reader(tokenize(text, is_number=is_number), Names(module, schema, formats, readable))
    found = reader.either()
    reader.finish()
    if 4 * (reader.deepest + 1) > DEPTH:  # "has (a or b and not c)" is four levels of filter
        _check_depth(found, 0, len(text))
    return found


@attrs.frozen
class _NumberTest:
    formats: Formats

    def __call__(self, word: str) -> bool:
        try:
            self.formats.parse_number(word[:_LONGEST])
        except InvalidValue:
            return False
        return len(word) <= _LONGEST


def _check_depth(where: Filter, level: int, length: int) -> None:
    if level > DEPTH:
        raise at_span(InvalidFilter("filter_depth", limit=DEPTH), 0, length)
    match where:
        case And(parts) | Or(parts):
            for part in parts:
                _check_depth(part, level + 1, length)
        case Not(inner) | Has(_, _, inner) | Compare(_, Operator.LINKED, Filter() as inner):
            _check_depth(inner, level + 1, length)
        case _:
            pass


# -- operators --------------------------------------------------------------------------------
_Form: TypeAlias = tuple[tuple[str, ...], Operator, bool]
"""Words after the first, the operator, whether it is denied."""

_SIGNS: Final[dict[str, tuple[_Form, ...]]] = {
    "=": (((), Operator.EQ, False),), "!=": (((), Operator.EQ, True),), "<": (((), Operator.LT, False),),
    "<=": (((), Operator.LE, False),), ">": (((), Operator.GT, False),), ">=": (((), Operator.GE, False),),
    "is": ((("empty",), Operator.EMPTY, False), (("not", "empty"), Operator.EMPTY, True)),
}  # fmt: skip
_WORDS: Final[dict[str, tuple[_Form, ...]]] = {
    "in": (((), Operator.IN, False),), "between": (((), Operator.BETWEEN, False),),
    "contains": (((), Operator.CONTAINS, False),), "matches": (((), Operator.MATCHES, False),),
    "starts": ((("with",), Operator.STARTS, False),), "ends": ((("with",), Operator.ENDS, False),),
    "any": ((("of",), Operator.ANY_OF, False),), "all": ((("of",), Operator.ALL_OF, False),),
    "linked": ((("(",), Operator.LINKED, False),), "older": ((("than",), Operator.IN, False),),
    "changed": (
        (("from",), Operator.CHANGED_FROM, False), (("to",), Operator.CHANGED_TO, False),
        ((), Operator.CHANGED, False),
    ),
}  # fmt: skip
_FIRST: Final = frozenset({*_SIGNS, *_WORDS, "not"})
_UNREAD: Final = frozenset({"older", "linked"})
"""Operators whose words are read again with the operand."""
_STRICT: Final = frozenset({"and", "or", "in", "is", "between", "contains", "matches", "changed"})
"""Words that are not looked for, unless in quotes."""
_AFTER: Final = frozenset({")", ",", "or", END})
"""What ends a row of terms."""
_TEXT_OPERATORS: Final = frozenset({Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES})
_SEVERAL: Final = frozenset({Operator.IN, Operator.ANY_OF, Operator.ALL_OF})
_SPECIAL: Final = _STRICT | {"has", "everything", "nothing"}
_NAMES: Final = frozenset({Kind.WORD, Kind.TEXT})
_LONGEST: Final = 60


def _instead_of_is(after: Sequence[Token]) -> str:
    """Give the hint for what follows ``is``: other languages say ``is null``."""
    words = [token.low for token in after[:2]]
    if words[0] in NO_VALUE:
        return "Did you mean is empty?"
    return f"Did you mean {'=' if words[0] != 'not' else 'is not empty' if words[1] in NO_VALUE else '!='}?"


@attrs.define
class _Reader(Operands):
    """Reads filters."""

    level: int = 0
    deepest: int = 0

    def finish(self) -> None:
        """Check that nothing is left."""
        token = self.tokens[self.at]
        if token.kind is not Kind.END:
            hint = "There is no ( for it." if token.text == ")" else 'Put words with signs in quotes: "a, b".'
            raise syntax_error(f"{token.text} cannot stand here", token.start, token.end, hint=hint)

    # junctions --------------------------------------------------------------------------------
    def either(self) -> Filter:
        """Read what is joined by ``or``."""
        parts = [self._both()]
        while self.take("or"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else join(Or, parts)

    def _both(self) -> Filter:
        parts = [self._term()]
        joined: list[Token | None] = [None]  # what begins the term, where no "and" stands before it
        while self.here.low not in _AFTER:
            token = self.here
            joined.append(None if self.take("and") else token)
            parts.append(self._term())
        fault = foreign_joiner(joined, parts)
        if fault is not None:
            raise fault
        return parts[0] if len(parts) == 1 else join(And, parts)

    def _term(self) -> Filter:
        denied = False
        while self.take("not"):
            denied = not denied
        found = self._primary()
        return ~found if denied else found

    def _primary(self) -> Filter:
        token = self.tokens[self.at]
        if token.kind is Kind.SIGN or token.kind is Kind.END:
            return self._group()
        stop = self._name_end()
        form = self._operator(stop) if self.tokens[stop].low in _FIRST else None
        if form is not None:
            return self._condition(stop, *form)
        if token.low in _SPECIAL:
            return self._special(token)
        fault = foreign_operator(token, *self.ahead, self.names) if token.kind is Kind.WORD else None
        if fault is not None:
            raise fault
        self.at += 1
        return Compare("", Operator.MATCHES, token.text)

    def _group(self) -> Filter:
        token = self.tokens[self.at]
        if not self.take("("):
            hint = "Write everything where every record is meant." if len(self.tokens) == 1 else ""
            raise self.missing("a condition", hint=hint)
        found = self._deeper(token)
        self.expect(")", ")")
        return found

    def _deeper(self, token: Token) -> Filter:
        self.level += 1
        self.deepest = max(self.deepest, self.level)
        if self.level > DEPTH:
            raise at_span(InvalidFilter("filter_depth", limit=DEPTH), token.start, token.end)
        found = self.either()
        self.level -= 1
        return found

    def _special(self, token: Token) -> Filter:
        if token.low == "has":
            return self._has(token)
        if token.low in _STRICT:
            hint = f'To look for the word, write "{token.text}".'
            raise syntax_error(f"{token.text} stands between two things", token.start, token.end, hint=hint)
        self.at += 1
        return EVERYTHING if token.low == "everything" else NOTHING

    def _has(self, token: Token) -> Filter:
        example = "Write has deals by account (…)."
        self.at += 1
        if self.here.kind not in _NAMES or self.after.low != "by":
            raise syntax_error("has is followed by a module, by and a field", token.start, token.end, hint=example)
        module = self.names.module_name(self.next())
        self.at += 1
        if self.here.kind not in _NAMES:
            raise self.missing("the field that links here", hint=example)
        there = self.names.of(module)
        field = [self.next()]
        via = there.path(field)
        there.place(via, field)
        where = self._within(there) if self.here.low == "(" else EVERYTHING
        return Has(module, via, where)

    def _within(self, there: Names) -> Filter:
        """Read ``(…)`` about records of another module."""
        here, self.names = self.names, there
        found = self._group()
        self.names = here
        return found

    # conditions -------------------------------------------------------------------------------
    def _name_end(self) -> int:
        """Give where the words end that may name a field: after one, or after a label of several."""
        size = self.names.label_length(self.tokens[self.at : self.at + 12])
        return self.at + size if size > 1 and self.tokens[self.at + size].low in _FIRST else self.at + 1

    def _operator(self, at: int) -> tuple[Operator, bool, int] | None:
        """Give operator, denial and where its words end, if one begins at *at*."""
        tokens = self.tokens
        first = tokens[at].low
        forms = _SIGNS.get(first) or _WORDS.get(first)
        if forms is None:
            at += 1
            forms = _WORDS.get(tokens[at].low, ())
        for rest, operator, denied in forms:
            stop = at + 1 + len(rest)
            if not rest or tuple([token.low for token in tokens[at + 1 : stop]]) == rest:
                return operator, denied or first == "not", at if tokens[at].low in _UNREAD else stop
        if first == "is":
            found = tokens[at]
            raise syntax_error("is says only is empty", found.start, found.end, hint=_instead_of_is(tokens[at + 1 :]))
        return None

    def _condition(self, stop: int, operator: Operator, denied: bool, after: int) -> Filter:  # noqa: FBT001 - one form
        name = self.tokens[self.at : stop]
        path = self.names.path(name)
        place = self.names.place(path, name)
        self.at = after
        found = Compare(path, operator, self._operand(operator, place))
        return Not(found) if denied else found

    def _operand(self, operator: Operator, place: Place | None) -> object:
        if operator in {Operator.EMPTY, Operator.CHANGED}:
            return None
        if operator in _TEXT_OPERATORS:
            return self.text()
        if operator in _SEVERAL:
            return self._several(operator, place)
        if operator is Operator.LINKED:
            self.at += 1
            return self._within(self._linked_names(place))
        if operator is Operator.BETWEEN:
            low = self.value(place)
            self.expect("and", "and with the upper end")
            return low, self.value(place)
        return self.value(place)

    def _linked_names(self, place: Place | None) -> Names:
        """Give the names of the module that is led to; of several, of the first that has what is asked first."""
        if place is None or not place[0].targets:
            return attrs.evolve(self.names, module=None)
        known = [self.names.of(target) for target in place[0].targets]
        tokens = (token.text for token in self.tokens[self.at :] if token.low not in {"(", "not"})
        first = next(tokens, "").partition(".")[0]
        return next((each for each in known if each.knows(first)), known[0])

    def _several(self, operator: Operator, place: Place | None) -> object:
        if not self.take("("):
            found = self.relative(place, sure=True)
            if found is None:
                raise self.missing("a list in parentheses", hint=f"Write {operator.value} (a, b).")
            return found
        values: list[object] = []
        while not self.take(")"):
            values.append(self.value(place))
            if not self.take(","):
                self.expect(")", ")")
                break
        return tuple(values)
