"""Filters: what a permission, a view, a rule, a search or a bulk selection says of records.

A :class:`Filter` is an immutable value, built with :data:`F`, ``&``, ``|`` and ``~``, or read from text
(:mod:`nubetis.model.text`) or JSON (:mod:`nubetis.model.convert`).  It names fields; *binding* it to a module
(:mod:`nubetis.model.bind`) fixes types, users and dates; a bound filter is evaluated in Python
(:mod:`nubetis.model.evaluate`) or compiled by a store, with equal answers.

Two truth values, always
------------------------
A comparison with a missing value is false, and ``~`` is true negation: every record is on exactly one side of a
filter.  "Is not won" therefore includes the records without a stage.

Days
----
An instant compared with a date is compared with that day on the viewer's clocks: ``==`` holds from its first instant
to before the next day's, ``<`` before its first, ``<=`` before the next day's, ``>`` from there on, ``>=`` from its
first instant on; ``between`` includes both days.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from keyword import iskeyword
from typing import Final, NoReturn, TypeVar

import attrs

from nubetis.errors import InvalidFilter, misused, require
from nubetis.model.fields import Operator
from nubetis.model.nearest import LONGEST, suggest

__all__ = [
    "EVERYTHING",
    "ME",
    "MY_SUBORDINATES",
    "MY_TEAM",
    "NOTHING",
    "TODAY",
    "TOMORROW",
    "YESTERDAY",
    "And",
    "Compare",
    "F",
    "FieldPath",
    "Filter",
    "Has",
    "Not",
    "Or",
    "People",
    "Period",
    "PeriodKind",
    "Unit",
    "conditions_of",
    "has",
    "join",
    "keywords",
    "period",
]

_E = TypeVar("_E", bound=enum.StrEnum)


class Filter:
    """What is asked of a record; combine with ``&``, ``|`` and ``~``; shown as the Python that builds it.

    >>> (F.stage == "won") & ~(F.amount > 1000)
    (F.stage == 'won') & ~(F.amount > 1000)
    """

    __slots__ = ()

    def __and__(self, other: Filter) -> Filter:
        """Both hold."""
        return join(And, (self, other))

    def __or__(self, other: Filter) -> Filter:
        """At least one holds."""
        return join(Or, (self, other))

    def __invert__(self) -> Filter:
        """This does not hold."""
        return self.part if isinstance(self, Not) else Not(self)

    def __bool__(self) -> NoReturn:
        raise InvalidFilter("filter_truth")


def _parts(part: Filter, kind: type[And | Or]) -> tuple[Filter, ...]:
    return part.parts if isinstance(part, kind) else (part,)


def join(kind: type[And | Or], filters: Iterable[Filter]) -> Filter:
    """Join many filters as ``&`` or ``|`` join two: flat, and one alone is itself.

    >>> join(And, [EVERYTHING, F.stage == "won"])
    F.stage == 'won'
    """
    parts = tuple([part for each in filters for part in _parts(each, kind)])
    return parts[0] if len(parts) == 1 else kind(parts)


def _shown(part: Filter) -> str:
    joined = isinstance(part, And | Or) and len(part.parts) > 1
    signed = isinstance(part, Compare) and part.operator in _SIGNS
    return f"({part!r})" if joined or signed else repr(part)


def _joined(whole: And | Or, sign: str, empty: str) -> str:
    if len(whole.parts) == 1 or any(isinstance(part, type(whole)) for part in whole.parts):  # as no operator builds it
        return f"{type(whole).__name__}({whole.parts!r})"
    return sign.join(map(_shown, whole.parts)) or empty


@attrs.frozen(repr=False)
class And(Filter):
    """All of *parts* hold; of none, everything does."""

    parts: tuple[Filter, ...]

    def __repr__(self) -> str:
        return _joined(self, " & ", "EVERYTHING")


@attrs.frozen(repr=False)
class Or(Filter):
    """At least one of *parts* holds; of none, nothing does."""

    parts: tuple[Filter, ...]

    def __repr__(self) -> str:
        return _joined(self, " | ", "NOTHING")


@attrs.frozen(repr=False)
class Not(Filter):
    """*part* does not hold."""

    part: Filter

    def __repr__(self) -> str:
        return f"Not({self.part!r})" if isinstance(self.part, Not) else f"~{_shown(self.part)}"


EVERYTHING: Final[Filter] = And(())
"""Every record."""

NOTHING: Final[Filter] = Or(())
"""No record."""


class People(enum.StrEnum):
    """Users named by their relation to the one who asks."""

    ME = "me"
    MY_TEAM = "my team"
    MY_SUBORDINATES = "my subordinates"

    def __repr__(self) -> str:
        return self.name


ME: Final = People.ME
MY_TEAM: Final = People.MY_TEAM
MY_SUBORDINATES: Final = People.MY_SUBORDINATES


class PeriodKind(enum.StrEnum):
    """Where a period lies, seen from now."""

    THIS = "this"
    LAST = "last"
    NEXT = "next"
    OLDER = "older than"


class Unit(enum.StrEnum):
    """What a period is counted in."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    FISCAL_QUARTER = "fiscal quarter"
    FISCAL_YEAR = "fiscal year"


@attrs.frozen(repr=False)
class Period:
    """A stretch of days relative to today, in the viewer's zone.

    Without *count* it is a calendar unit: "last quarter" is the whole quarter before this one.  With *count* it is
    so many units that end (last) or begin (next) with today, or, for "older than", all before them.
    """

    kind: PeriodKind
    unit: Unit = Unit.DAY
    count: int | None = None

    def __attrs_post_init__(self) -> None:
        needed = self.kind is PeriodKind.OLDER
        if needed if self.count is None else type(self.count) is not int or not 1 <= self.count <= 10_000:
            raise InvalidFilter("bad_argument", argument="count", reason="a period counts 1 to 10,000 units")

    def __repr__(self) -> str:
        count = "" if self.count is None else f", {self.count}"
        return f"period({self.kind.value!r}, {self.unit.value!r}{count})"


def period(kind: str, unit: str, count: int | None = None) -> Period:
    """Give a relative period.

    Raises:
        InvalidFilter: ``bad_argument``; no such kind or unit, or a count that is none.

    >>> period("last", "quarter").unit.value
    'quarter'
    """
    return Period(_member(PeriodKind, kind, "kind"), _member(Unit, unit, "unit"), count)


def _member(choices: type[_E], value: str, argument: str) -> _E:
    if value not in {each.value for each in choices}:
        known = ", ".join(each.value for each in choices)
        raise InvalidFilter("bad_argument", argument=argument, reason=f"give one of {known}")
    return choices(value)


TODAY: Final = Period(PeriodKind.THIS, Unit.DAY)
YESTERDAY: Final = Period(PeriodKind.LAST, Unit.DAY)
TOMORROW: Final = Period(PeriodKind.NEXT, Unit.DAY)


@attrs.frozen(repr=False)
class Compare(Filter):
    """One field against one operand.

    *operand* is a value; a tuple of them for ``in``, ``between``, ``any of``, ``all of``; a :class:`Period` or
    :class:`People` where dates or users are meant; a :class:`Filter` for ``linked``; ``None`` for ``is empty`` and
    ``changed``.  An empty *path* with ``matches`` means all searchable fields.
    """

    path: str
    operator: Operator
    operand: object = None

    def __repr__(self) -> str:
        name = repr(FieldPath(self.path))
        if self.operator in _SIGNS:
            return f"{name} {_SIGNS[self.operator]} {self.operand!r}"
        if not self.path and self.operator is Operator.MATCHES:
            return f"keywords({self.operand!r})"
        call = f"{name}.{_CALLS[self.operator]}"
        if self.operator not in _SPREAD:
            return f"{call}()" if self.operand is None else f"{call}({self.operand!r})"
        if isinstance(self.operand, tuple):
            return f"{call}({', '.join(map(repr, self.operand))})"
        return f"Compare({self.path!r}, Operator.{self.operator.name}, {self.operand!r})"


_SIGNS: Final = {
    Operator.EQ: "==",
    Operator.LT: "<",
    Operator.LE: "<=",
    Operator.GT: ">",
    Operator.GE: ">=",
}
_CALLS: Final = {
    Operator.BETWEEN: "between",
    Operator.IN: "in_",
    Operator.EMPTY: "is_empty",
    Operator.CONTAINS: "contains",
    Operator.STARTS: "starts_with",
    Operator.ENDS: "ends_with",
    Operator.MATCHES: "matches",
    Operator.ANY_OF: "any_of",
    Operator.ALL_OF: "all_of",
    Operator.LINKED: "linked",
    Operator.CHANGED: "changed",
    Operator.CHANGED_FROM: "changed_from",
    Operator.CHANGED_TO: "changed_to",
}
_MEANT: Final = {
    **dict.fromkeys(("like", "ilike", "icontains", "includes", "has", "search", "regexp"), "contains"),
    **dict.fromkeys(("eq", "equals", "exact", "iexact"), "=="),
    **dict.fromkeys(("ne", "not_equals"), "!="),
    **dict.fromkeys(("lt", "lte", "le", "less"), "<, <="),
    **dict.fromkeys(("gt", "gte", "ge", "greater"), ">, >="),
    **dict.fromkeys(("isnull", "is_null", "is_none", "isna", "empty"), "is_empty"),
    **dict.fromkeys(("one_of", "is_in", "isin", "any"), "in_"),
}
"""What those write who know other libraries: nothing that is written so is near to what they mean."""
_SPREAD: Final = frozenset({Operator.BETWEEN, Operator.ANY_OF, Operator.ALL_OF})


@attrs.frozen(repr=False)
class Has(Filter):
    """Some record of *module* links here by its field *via* and fits *where*."""

    module: str
    via: str
    where: Filter = EVERYTHING

    def __repr__(self) -> str:
        where = "" if self.where == EVERYTHING else f", where={self.where!r}"
        return f"has({self.module!r}, via={self.via!r}{where})"


def has(module: str, *, via: str, where: Filter = EVERYTHING) -> Filter:
    """Records to which a record of *module* that fits *where* is linked by *via*.

    >>> has("deals", via="account", where=F.stage == "won").module
    'deals'
    """
    return Has(module, via, where)


def keywords(text: str) -> Filter:
    """Records in whose searchable fields all words of *text* stand.

    >>> keywords("acme lima")
    keywords('acme lima')
    """
    return Compare("", Operator.MATCHES, text)


def conditions_of(where: Filter) -> Iterator[Compare | Has]:
    """Give the conditions that *where* is made of, and not what they ask of linked records.

    >>> [each.path for each in conditions_of((F.name == "Acme") & ~(F.size > 5)) if isinstance(each, Compare)]
    ['name', 'size']
    """
    match where:
        case And(parts) | Or(parts):
            yield from [each for part in parts for each in conditions_of(part)]
        case Not(part):
            yield from conditions_of(part)
        case Compare() | Has():
            yield where
        case _:
            pass


class FieldPath:
    """A field, by name, about to be compared; made by :data:`F`."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __getattr__(self, name: str) -> FieldPath:
        if name.startswith("__"):
            raise AttributeError(name)
        return FieldPath(f"{self._path}.{name}")

    def __repr__(self) -> str:
        first, *rest = self._path.split(".")
        dotted = _is_attribute(first) and all(_is_attribute(each) and not hasattr(FieldPath, each) for each in rest)
        return f"F.{self._path}" if dotted else f"F[{self._path!r}]"

    def __call__(self, *_: object, **__: object) -> NoReturn:
        """Stop where a name that is no operator is called as one.

        Raises:
            InvalidFilter: ``bad_argument``, with the operator that may be meant.
        """
        name = self._path.rpartition(".")[2]
        known = _CALLS.values()
        bare = name.lower().strip("_")
        hint = f"Did you mean {_MEANT[bare]}?" if bare in _MEANT else suggest(name[:LONGEST], known)
        raise InvalidFilter("bad_argument", argument=repr(self), reason=f"no such operator; {hint.rstrip('.')}")

    def __hash__(self) -> int:
        return hash(self._path)

    def __bool__(self) -> NoReturn:
        raise InvalidFilter("filter_truth")

    def _is(self, operator: Operator, operand: object = None) -> Filter:
        return Compare(self._path, operator, operand)

    def __eq__(self, value: object) -> Filter:  # type: ignore[override]  # a filter, not a truth
        return self.is_empty() if value is None else self._is(Operator.EQ, value)

    def __ne__(self, value: object) -> Filter:  # type: ignore[override]  # a filter, not a truth
        return ~(self == value)

    def __lt__(self, value: object) -> Filter:
        return self._is(Operator.LT, value)

    def __le__(self, value: object) -> Filter:
        return self._is(Operator.LE, value)

    def __gt__(self, value: object) -> Filter:
        return self._is(Operator.GT, value)

    def __ge__(self, value: object) -> Filter:
        return self._is(Operator.GE, value)

    def between(self, low: object, high: object) -> Filter:
        """From *low* to *high*, both included."""
        return self._is(Operator.BETWEEN, (low, high))

    def in_(self, values: Iterable[object] | Period | People) -> Filter:
        """One of *values*, or within a period."""
        if isinstance(values, Period | People):
            return self._is(Operator.IN, values)
        if isinstance(values, str) or not isinstance(values, Iterable):
            raise misused("in_", "a list of values", values)
        return self._is(Operator.IN, tuple(values))

    def is_empty(self) -> Filter:
        """Has no value."""
        return self._is(Operator.EMPTY)

    def contains(self, text: str) -> Filter:
        """Has *text* in it; case and accents do not count."""
        return self._is(Operator.CONTAINS, text)

    def starts_with(self, text: str) -> Filter:
        """Begins with *text*."""
        return self._is(Operator.STARTS, text)

    def ends_with(self, text: str) -> Filter:
        """Ends with *text*."""
        return self._is(Operator.ENDS, text)

    def matches(self, text: str) -> Filter:
        """Has all words of *text* in it; ñ counts as n."""
        return self._is(Operator.MATCHES, text)

    def any_of(self, *values: object) -> Filter:
        """Holds at least one of *values*."""
        return self._is(Operator.ANY_OF, values)

    def all_of(self, *values: object) -> Filter:
        """Holds all of *values*."""
        return self._is(Operator.ALL_OF, values)

    def linked(self, where: Filter) -> Filter:
        """Leads to a record that fits *where*."""
        return self._is(Operator.LINKED, where)

    def changed(self) -> Filter:
        """Has another value than before; in rules only."""
        return self._is(Operator.CHANGED)

    def changed_from(self, value: object) -> Filter:
        """Had *value* and has it no more; in rules only."""
        return self._is(Operator.CHANGED_FROM, value)

    def changed_to(self, value: object) -> Filter:
        """Has *value* and had it not; in rules only."""
        return self._is(Operator.CHANGED_TO, value)


def _is_attribute(name: str) -> bool:
    return name.isidentifier() and name.isascii() and not iskeyword(name) and not name.startswith("__")


class _Fields:
    """Names fields: ``F.stage``, ``F["stage"]``, ``F.address.city``."""

    __slots__ = ()

    def __getattr__(self, name: str) -> FieldPath:
        if name.startswith("__"):
            raise AttributeError(name)
        return FieldPath(name)

    def __getitem__(self, path: str) -> FieldPath:
        require(path, str, argument="F[…]", expected="the name of one field")
        return FieldPath(path)

    def __repr__(self) -> str:
        return "F"


F: Final = _Fields()
"""Names the field that a filter begins with.

>>> F.stage == "won"
F.stage == 'won'
"""
