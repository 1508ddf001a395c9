"""Filters to text."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from nubetis.errors import InvalidFilter
from nubetis.model.bind import DEPTH
from nubetis.model.fields import Operator
from nubetis.model.filters import And, Compare, Filter, Has, Not, Or, People, Period, PeriodKind, join
from nubetis.model.text.tokens import quoted
from nubetis.model.text.values import canonical_value, show_value

__all__ = ["canonical", "is_keyword", "show"]

_NO_OPERAND: Final = frozenset({Operator.EMPTY, Operator.CHANGED})
_SEVERAL: Final = frozenset({Operator.IN, Operator.ANY_OF, Operator.ALL_OF})
_TEXT: Final = frozenset({Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES})
_CONNECTORS: Final = frozenset({"and", "or", "not"})
_PREFIXED: Final = frozenset({Operator.LT, Operator.LE, Operator.GT, Operator.GE})


def canonical(where: Filter) -> Filter:
    """Give the one of all filters that mean the same by construction: what ``&``, ``|`` and ``~`` build.

    Nested ``And`` and ``Or`` are joined, those of one part are that part, ``not not`` is gone; a float is the
    decimal that it shows, an instant is in UTC, money has no home amount, a record is its id.

    Raises:
        InvalidFilter: ``filter_depth``; it is nested too deep to be bound.

    >>> from nubetis.model.filters import F
    >>> canonical(And((And((F.a == 0.5,)),)))
    F.a == Decimal('0.5')
    """
    return _canonical(where, 0)


def _canonical(where: Filter, level: int) -> Filter:
    if level > DEPTH:
        raise InvalidFilter("filter_depth", limit=DEPTH)
    match where:
        case And(parts):
            return join(And, [_canonical(part, level + 1) for part in parts])
        case Or(parts):
            return join(Or, [_canonical(part, level + 1) for part in parts])
        case Not(part):
            return ~_canonical(part, level + 1)
        case Has(module, via, inner):
            return Has(module, via, _canonical(inner, level + 1))
        case Compare(path, sign, operand):
            return Compare(path, sign, _canonical_operand(sign, operand, level))
        case _:
            raise InvalidFilter("bad_argument", argument="filter", reason=f"{type(where).__name__} is no filter")


def _canonical_operand(sign: Operator, operand: object, level: int) -> object:
    if isinstance(operand, Filter):
        return _canonical(operand, level + 1)
    return None if sign in _NO_OPERAND else canonical_value(operand)


def show(where: Filter) -> str:
    """Give the text of *where*, without a locale: what is stored, and read back by :func:`parse`.

    Raises:
        InvalidFilter: ``filter_value`` for an operand that fits no field; ``filter_depth``.

    >>> from nubetis.model.filters import ME, F, keywords
    >>> show((F.owner == ME) & F.stage.in_(["won", "lost"]) & ~F.amount.is_empty() & keywords("acme corp"))
    'owner = me and stage in (won, lost) and amount is not empty and "acme corp"'
    """
    return _show(canonical(where))


def _show(where: Filter) -> str:
    match where:
        case And(()):
            return "everything"
        case Or(()):
            return "nothing"
        case And(parts):
            return _show_all(parts)
        case Or(parts):
            return " or ".join([_show_inner(part, Or) for part in parts])
        case Not(Compare() as part):
            return _show_compare(part, negated=True)
        case Not(part):
            return f"not {_show_inner(part, And | Or)}"
        case Has(module, via, inner):
            linked = f"has {quoted(module)} by {quoted(via)}"
            return linked if inner == And(()) else f"{linked} ({_show(inner)})"
        case _:
            return _show_compare(where, negated=False)  # type: ignore[arg-type]  # canonical() let nothing else by


def _show_inner(where: Filter, wrapped: object) -> str:
    wraps = isinstance(where, wrapped) and bool(getattr(where, "parts", ()))  # type: ignore[arg-type]  # kinds of filter
    return f"({_show(where)})" if wraps else _show(where)


def _show_all(parts: tuple[Filter, ...]) -> str:
    shown = _show_inner(parts[0], Or)
    pieces = [shown]
    for before, part in itertools.pairwise(parts):
        pieces.append(" " if is_keyword(before) and is_keyword(part) else " and ")
        pieces.append(_show_inner(part, Or))
    return "".join(pieces)


def is_keyword(where: Filter) -> bool:
    """Say whether *where* looks for words, or denies that they are there."""
    where = where.part if isinstance(where, Not) else where
    return isinstance(where, Compare) and where.path == "" and where.operator is Operator.MATCHES


# -- one condition ----------------------------------------------------------------------------
def _show_compare(where: Compare, *, negated: bool) -> str:
    sign, operand = where.operator, where.operand
    if is_keyword(where):
        return f"{'not ' if negated else ''}{_show_text(operand)}"
    name = quoted(where.path, besides=_CONNECTORS)  # the operator after it says that it is a field
    if sign is Operator.EQ:
        return f"{name} {'!=' if negated else '='} {show_value(operand)}"
    if sign is Operator.EMPTY:
        return f"{name} is {'not ' if negated else ''}empty"
    if sign in _PREFIXED:
        return f"{'not ' if negated else ''}{name} {sign.value} {show_value(operand)}"
    said = _OPERANDS[sign](operand)
    older = sign is Operator.IN and isinstance(operand, Period) and operand.kind is PeriodKind.OLDER
    word = "" if older else f"{sign.value} "
    return f"{name} {'not ' if negated else ''}{word}{said}".rstrip(" ")


def _show_text(operand: object) -> str:
    if not isinstance(operand, str):
        raise _no_operand("give a text")
    return show_value(str.__str__(operand))


def _no_operand(reason: str) -> InvalidFilter:
    return InvalidFilter("filter_value", field="filter", reason=reason)


def _show_several(operand: object) -> str:
    if isinstance(operand, Period | People):
        return show_value(operand)
    if not isinstance(operand, tuple):
        raise _no_operand("give several values")
    return f"({', '.join([show_value(each) for each in operand])})"


def _show_between(operand: object) -> str:
    if not isinstance(operand, tuple) or len(operand) != 2:
        raise _no_operand("give 2 values")
    return f"{show_value(operand[0])} and {show_value(operand[1])}"


def _show_linked(operand: object) -> str:
    if not isinstance(operand, Filter):
        raise _no_operand("linked takes a filter")
    return f"({_show(operand)})"


_Shower: TypeAlias = Callable[[object], str]
_OPERANDS: Final[Mapping[Operator, _Shower]] = {
    **dict.fromkeys(_SEVERAL, _show_several),
    **dict.fromkeys(_TEXT, _show_text),
    Operator.BETWEEN: _show_between,
    Operator.LINKED: _show_linked,
    Operator.CHANGED: lambda operand: "",
    Operator.CHANGED_FROM: show_value,
    Operator.CHANGED_TO: show_value,
}
