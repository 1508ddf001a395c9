"""Binding: a filter and a module become tests on stored columns.

A bound filter has a dozen kinds of node, all of them two-valued tests on columns of one row (:class:`Test`,
:class:`OneOf`, :class:`Missing`, :class:`Within`, :class:`Word`, :class:`Holds`, :class:`Differs`), on linked rows
(:class:`Linked`, :class:`Linking`), and ``all``, ``any``, ``none`` of others.  What a field type, a user's name, a
time zone or a fold means is settled here, once; the evaluator and the stores see columns and stored values only.

Columns are named as the layout names them, twins included; ``old:`` before a name means the row before the change.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import attrs

from nubetis.errors import InvalidFilter, InvalidValue
from nubetis.model.columns import CHANGES, as_part, bad_operator, compared, find_asked
from nubetis.model.fields import Field, Operator, Part, Storage
from nubetis.model.filters import (
    EVERYTHING,
    And,
    Compare,
    Filter,
    Has,
    Not,
    Or,
    People,
    Period,
)
from nubetis.model.fold import TILDE, fold_keyword
from nubetis.model.kinds.links import user_named
from nubetis.model.kinds.texts import is_storable
from nubetis.model.numbered import module_named
from nubetis.model.periods import day_bounds, day_of, period_bounds
from nubetis.model.prepared import Prepared, Settled
from nubetis.model.schema import Module, Schema
from nubetis.types import RecordId, Stored

__all__ = [
    "ALWAYS",
    "NEVER",
    "RIGHTS",
    "All",
    "AnyOf",
    "Bound",
    "Differs",
    "Holds",
    "Linked",
    "Linking",
    "Missing",
    "No",
    "Normal",
    "OneOf",
    "Test",
    "Viewpoint",
    "Within",
    "Word",
    "bind",
    "dated",
    "links_in",
]

DEPTH: Final = 60
"""How deep a filter may be nested; deeper ones would exhaust a store's own parser."""

LINKS: Final = 4
"""How many links a filter may follow in a row; SQLite's parser takes eight, those of rights and shares among them."""

RIGHTS: Final = 3
"""How many links rights may follow in a row, whatever filter leads to the records; a share is one more."""

CONDITIONS: Final = 1000
"""How many conditions a filter may have, what the viewer may see included; a list of values is one."""

VALUES: Final = 100_000
"""How many values its lists may hold together."""


@attrs.frozen
class Test:
    """The column has a value, and it stands so to *value*: ``=``, ``<``, ``<=``, ``>``, ``>=``."""

    column: str
    operator: Operator
    value: Stored


@attrs.frozen
class OneOf:
    """The column has one of *values*."""

    column: str
    values: tuple[Stored, ...]


@attrs.frozen
class Missing:
    """The column has no value."""

    column: str


@attrs.frozen
class Within:
    """The text column contains, starts with or ends with *text*, to the letter.

    *apart* is for a folded *text* that is contained and ends in n: that is not the n of an ñ, kept as n and U+0303.
    """

    column: str
    operator: Operator
    text: str
    apart: bool = False


@attrs.frozen
class Word:
    """At least one of the folded columns, its ñ read as n, contains *text*."""

    columns: tuple[str, ...]
    text: str


@attrs.frozen
class Holds:
    """The set column holds *value*."""

    column: str
    value: str


@attrs.frozen
class Differs:
    """The two columns differ; two missing values do not."""

    column: str
    other: str


@attrs.frozen
class Linked:
    """The column is the key of a living record of *module* that fits *where*."""

    column: str
    module: Module = attrs.field(hash=False)
    where: Bound


@attrs.frozen
class Linking:
    """A living record of *module* has this record's key in its column *via* and fits *where*.

    *prefix* is set where that link can lead to several modules.
    """

    module: Module = attrs.field(hash=False)
    via: str
    where: Bound
    prefix: str | None = None


@attrs.frozen
class All:
    """Every one of *parts* holds."""

    parts: tuple[Bound, ...]


@attrs.frozen
class AnyOf:
    """At least one of *parts* holds."""

    parts: tuple[Bound, ...]


@attrs.frozen
class No:
    """*part* does not hold."""

    part: Bound


@attrs.frozen(match_args=False)
class Normal:
    """*form*, which is in normal form: what is asked again and again need not be brought into it each time.

    Where there is a *hole*, tests of *form* compare with that very text instead of with the instant of asking, *now*,
    and *part* is what is meant.  What stores make of *form*, whatever the instant, is *kept* with it.
    """

    __match_args__ = ("part",)

    form: Bound
    hole: str = attrs.field(default="", kw_only=True)
    now: str = attrs.field(default="", kw_only=True)
    kept: dict[Hashable, Any] = attrs.field(factory=dict, eq=False, repr=False, kw_only=True)

    @property
    def part(self) -> Bound:
        """The filter."""
        return dated(self.form, self.hole, self.now) if self.hole else self.form


Bound: TypeAlias = (
    Test | OneOf | Missing | Within | Word | Holds | Differs | Linked | Linking | All | AnyOf | No | Normal
)


def dated(bound: Bound, hole: str, now: str) -> Bound:
    """Give *bound* with tests that compare with *now* where they compared with *hole*."""
    match bound:
        case Test(column, operator, value):
            return Test(column, operator, now) if value == hole else bound
        case All(parts) | AnyOf(parts):
            return type(bound)(tuple([dated(part, hole, now) for part in parts]))
        case No(part):
            return No(dated(part, hole, now))
        case Linked() | Linking():
            return attrs.evolve(bound, where=dated(bound.where, hole, now))
        case _:
            return bound


ALWAYS: Final = All(())
NEVER: Final = AnyOf(())


def _same(name: str) -> RecordId:
    return RecordId(name)


def _all_fields(_module: Module, _field: Field) -> bool:
    return True


def _all_records(_module: Module) -> Filter:
    return EVERYTHING


@attrs.frozen(kw_only=True)
class Viewpoint:
    """From where a filter is seen: who asks, when, where, and what he may read.

    *find_user* gives the record id of a user named by e-mail or handle.  *people* gives the record ids that
    :class:`People` stand for.  *with_old* says that a record before a change is at hand (rules).
    *visible* gives what he may see of a module, so that a filter on linked records looks at no others.
    *first_day* is 0 for Monday; *fiscal_month* is the month in which the fiscal year begins.
    """

    now: datetime
    zone: str = "UTC"
    first_day: int = 0
    fiscal_month: int = 1
    people: Mapping[People, tuple[RecordId, ...]] = attrs.field(factory=dict)
    find_user: Callable[[str], RecordId] = _same
    readable: Callable[[Module, Field], bool] = _all_fields
    visible: Callable[[Module], Filter] = _all_records
    with_old: bool = False

    def freed(self) -> Viewpoint:
        """Give the same of one who may look at everything, as what policies give does."""
        return Viewpoint(
            now=self.now, zone=self.zone, first_day=self.first_day, fiscal_month=self.fiscal_month, people=self.people,
            find_user=self.find_user, with_old=self.with_old,
        )  # fmt: skip


# -- binding ----------------------------------------------------------------------------------------------------------
def bind(where: Filter, module: Module, schema: Schema, view: Viewpoint) -> Bound:
    """Settle what *where* means for records of *module*.

    Raises:
        InvalidFilter: unknown or unreadable field, operator or value that the field's type does not know.
    """
    found = _Binder(module, schema, view).bind(where, 0)
    conditions, values = _size(found)
    if conditions > CONDITIONS:
        raise InvalidFilter("filter_size", size=conditions, limit=CONDITIONS)
    if values > VALUES:
        raise InvalidFilter("filter_values", size=values, limit=VALUES)
    return found


def _size(bound: Bound) -> tuple[int, int]:
    """Give the number of conditions in *bound*, and of the values that they compare with."""
    conditions = values = 0
    left = [bound]
    while left:
        each = left.pop()
        match each:
            case All(parts) | AnyOf(parts):
                left += parts
            case No(part) | Normal(part):
                left.append(part)
            case Linked() | Linking():
                left.append(each.where)
            case OneOf(_, listed):
                values += len(listed)
            case _:
                pass
        conditions += len(each.columns) if isinstance(each, Word) else not isinstance(each, All | AnyOf | No | Normal)
    return conditions, values


def links_in(bound: Bound) -> int:
    """Give how many links *bound* follows in a row."""
    match bound:
        case All(parts) | AnyOf(parts):
            return max(map(links_in, parts), default=0)
        case No(part):
            return links_in(part)
        case Linked() | Linking():
            return 1 + links_in(bound.where)
        case _:
            return 0


def _with_lists(parts: Iterable[Bound]) -> Iterator[Bound]:
    """Give *parts*, of which one must hold, with those that compare one column for equality put into one list."""
    lists: dict[str, dict[Stored, None]] = {}
    for part in parts:
        if isinstance(part, Test) and part.operator is Operator.EQ:
            lists.setdefault(part.column, {})[part.value] = None
        elif isinstance(part, OneOf) and not isinstance(part.values, Settled):
            lists.setdefault(part.column, {}).update(dict.fromkeys(part.values))
        else:
            yield part
    for column, found in lists.items():
        yield Test(column, Operator.EQ, *found) if len(found) == 1 else OneOf(column, tuple(found))


@attrs.frozen
class _Binder:
    """Binds filters to one module; *links* says how many led there."""

    module: Module
    schema: Schema
    view: Viewpoint
    links: int = 0

    def bind(self, where: Filter, depth: int) -> Bound:
        if depth > DEPTH:
            raise InvalidFilter("filter_depth", limit=DEPTH)
        match where:
            case And(parts):
                return All(tuple([self.bind(part, depth + 1) for part in parts]))
            case Or(parts):
                found = [self.bind(part, depth + 1) for part in parts]
                return AnyOf(tuple(_with_lists(found) if len(found) > _FEW else found))
            case Not(part):
                return No(self.bind(part, depth + 1))
            case Has():
                return self._has(where, depth)
            case Compare():
                return self._compare(where, depth)
            case Prepared():
                return where.make(self.view)
            case _:
                raise InvalidFilter("bad_argument", argument="filter", reason=_no_filter(where))

    def _has(self, where: Has, depth: int) -> Bound:
        child = module_named(where.module, self.schema)
        field, part = find_asked(child, where.via, self.view)
        if self.module.name not in field.targets:
            raise InvalidFilter("filter_value", field=where.via, reason=f"it does not link to {self.module.name}")
        inner = self._of_linked(child, where.where, depth)
        return Linking(child, field.column_of(part), inner, self.module.prefix if len(field.targets) > 1 else None)

    def _of_linked(self, module: Module, where: Filter, depth: int) -> Bound:
        """Bind what linked records must fit, and what lets the viewer see them, be it by what he may not see."""
        if self.links == LINKS:
            raise InvalidFilter("filter_links", limit=LINKS)
        free = attrs.evolve(self.view, readable=_all_fields, visible=_all_records)
        inner = attrs.evolve(self, module=module, links=self.links + 1)
        seen = attrs.evolve(inner, view=free, links=0).bind(self.view.visible(module), depth + 1)
        return All((inner.bind(where, depth + 1), seen))

    def _compare(self, where: Compare, depth: int) -> Bound:
        if where.operator is Operator.MATCHES:
            return self._matches(where)
        field, part = find_asked(self.module, where.path, self.view)
        if "." in where.path and part.kind:
            field = as_part(field, part)
            part = field.parts[0]
        self._check_operator(field, part, where.operator)
        if where.operator is Operator.LINKED:
            return self._linked(field, where, depth)
        if where.operator is Operator.EMPTY:
            return self._empty(field, where.path)
        if where.operator in CHANGES:
            return self._changed(field, part, where)
        return self._test(field, part, where.operator, where.operand)

    def _check_operator(self, field: Field, part: Part, operator: Operator) -> None:
        if operator not in field.type.operators:
            raise bad_operator(field, operator)
        if part.text and not field.filterable and operator not in {Operator.EMPTY, *CHANGES}:
            raise bad_operator(field, operator)

    def _empty(self, field: Field, path: str) -> Bound:
        parts = field.parts if "." not in path and field.parts[0].name else field.parts[:1]
        found = tuple([Missing(field.column_of(part)) for part in parts])
        return found[0] if len(found) == 1 else All(found)

    def _linked(self, field: Field, where: Compare, depth: int) -> Bound:
        if not isinstance(where.operand, Filter):
            raise InvalidFilter("filter_value", field=field.name, reason="linked takes a filter")
        if len(field.targets) == 1:
            module = self.schema.module(field.targets[0])
            return Linked(field.column, module, self._of_linked(module, where.operand, depth))
        return AnyOf(tuple(self._linked_to_some(field, where.operand, depth)))

    def _linked_to_some(self, field: Field, where: Filter, depth: int) -> Iterator[Bound]:
        """Bind *where* to each module of several that a link leads to; one that lacks a field in it never fits.

        Raises:
            InvalidFilter: ``unknown_field``; all of them lack one.
        """
        unknown: list[InvalidFilter] = []
        for module in map(self.schema.module, field.targets):
            try:
                inner = Linked(field.column, module, self._of_linked(module, where, depth))
            except InvalidFilter as error:
                if error.code != "unknown_field":
                    raise
                unknown.append(error)
            else:
                yield All((Test(f"{field.column}.module", Operator.EQ, module.prefix), inner))
        if len(unknown) == len(field.targets):
            raise unknown[0]

    # values ------------------------------------------------------------------------------------------------
    def _test(self, field: Field, part: Part, operator: Operator, operand: object) -> Bound:
        if isinstance(operand, Period):
            return self._period(field, part, operator, operand)
        if day := day_of(part.storage, operand):
            return _period_test(field.column_of(part), operator, *day_bounds(day, self.view.zone))
        if operator in {Operator.CONTAINS, Operator.STARTS, Operator.ENDS}:
            return self._within(field, part, operator, operand)
        if operator is Operator.BETWEEN:
            low, high = _several(field, operand, 2)
            return All((self._test(field, part, Operator.GE, low), self._test(field, part, Operator.LE, high)))
        if operator in {Operator.IN, Operator.ANY_OF}:
            return self._one_of(field, part, operand)
        if operator is Operator.ALL_OF:
            return All(tuple([self._single(field, part, Operator.EQ, each) for each in _several(field, operand)]))
        if isinstance(operand, People):
            return self._one_of(field, part, operand)
        return self._single(field, part, operator, operand)

    def _one_of(self, field: Field, part: Part, operand: object) -> Bound:
        values = self._people(field, operand) if isinstance(operand, People) else _several(field, operand)
        if any(isinstance(value, People | Period) or day_of(part.storage, value) for value in values):
            return AnyOf(tuple([self._test(field, part, Operator.EQ, value) for value in values]))
        tests = [self._single(field, part, Operator.EQ, value) for value in values]
        simple = [test for test in tests if isinstance(test, Test)]
        if len(simple) == len(tests) and tests:
            return OneOf(simple[0].column, tuple(dict.fromkeys(test.value for test in simple)))
        return AnyOf(tuple(tests))

    def _people(self, field: Field, operand: People) -> tuple[object, ...]:
        if "users" not in field.targets:
            raise InvalidFilter("filter_value", field=field.name, reason=f"{operand.value} is a user")
        if operand not in self.view.people:
            raise InvalidFilter("filter_context", what=f'"{operand.value}"')
        return self.view.people[operand]

    def _single(self, field: Field, part: Part, operator: Operator, operand: object) -> Bound:
        if part.storage is Storage.SET:
            return Holds(field.column, str(self._stored(field, operand)[0][1]))
        pairs = self._stored(field, operand)
        tests = [
            self._stored_test(field, name, operator if place == 0 else Operator.EQ, value)
            for place, (name, value) in enumerate(pairs)
        ]
        return tests[0] if len(tests) == 1 else All(tuple(tests))

    def _stored_test(self, field: Field, part_name: str, operator: Operator, value: Stored) -> Bound:
        part = next(each for each in field.parts if each.name == part_name)
        if value is None:
            raise InvalidFilter("filter_value", field=field.name, reason="say is empty")
        if field.has_twin(part) and field.type.fold is not None:
            value = field.type.fold(str(value))
        return Test(compared(field, part), operator, value)

    def _stored(self, field: Field, operand: object) -> tuple[tuple[str, Stored], ...]:
        if "users" in field.targets and isinstance(operand, str):
            operand = user_named(field, operand, self.view.find_user)
        try:
            return field.type.operand(field, operand)
        except InvalidFilter:
            raise
        except InvalidValue as error:
            raise InvalidFilter("filter_value", field=field.name, reason=str(error).rstrip(".")) from None

    def _within(self, field: Field, part: Part, operator: Operator, operand: object) -> Bound:
        text = self._stored(field, operand)[0][1] if isinstance(operand, str) and operand else None
        folded = field.type.fold(str(text)) if field.type.fold is not None and text is not None else text
        if not folded:  # an accent alone folds to nothing
            raise InvalidFilter("filter_value", field=field.name, reason="give a text that is not empty")
        column, folded = compared(field, part), str(folded)
        if not folded.endswith("n") or operator is Operator.ENDS:
            return Within(column, operator, folded)
        if operator is Operator.CONTAINS:
            return Within(column, operator, folded, apart=True)
        return All((Within(column, operator, folded), No(Within(column, operator, folded + TILDE))))

    def _period(self, field: Field, part: Part, operator: Operator, span: Period) -> Bound:
        if part.storage not in {Storage.DATE, Storage.DATETIME}:
            raise InvalidFilter("filter_value", field=field.name, reason="a period is for dates")
        return _period_test(field.column_of(part), operator, *period_bounds(span, part.storage, self.view))

    # words and changes -------------------------------------------------------------------------------------
    def _matches(self, where: Compare) -> Bound:
        columns = self._word_columns(where.path)
        words = fold_keyword(where.operand).split() if isinstance(where.operand, str) else []
        if not words:
            raise InvalidFilter("filter_value", field=where.path or "matches", reason="give at least one word")
        if not all(map(is_storable, words)):
            raise InvalidFilter("filter_value", field=where.path or "matches", reason="no text has such a character")
        return All(tuple([Word(columns, word) for word in words]))

    def _word_columns(self, path: str) -> tuple[str, ...]:
        if not path:
            slots = self.module.layout.slots.values()
            fields = [s.field for s in slots if s.field.searchable and self.view.readable(self.module, s.field)]
            return tuple([f"{f.column_of(p)}__f" for f in fields for p in f.parts if f.has_twin(p)])
        field, part = find_asked(self.module, path, self.view)
        parts = field.parts if "." not in path else (part,)
        columns = tuple([f"{field.column_of(each)}__f" for each in parts if field.has_twin(each)])
        if not columns or Operator.MATCHES not in as_part(field, part).type.operators:
            raise bad_operator(field, Operator.MATCHES)
        return columns

    def _changed(self, field: Field, part: Part, where: Compare) -> Bound:
        if not self.view.with_old:
            raise InvalidFilter("filter_context", what=f'"{where.operator.value}"')
        differs = tuple([Differs(field.column_of(each), f"old:{field.column_of(each)}") for each in field.parts])
        changed = differs[0] if len(differs) == 1 else AnyOf(differs)
        if where.operator is Operator.CHANGED:
            return changed
        test = self._test(field, part, Operator.EQ, where.operand)
        return All((changed, test if where.operator is Operator.CHANGED_TO else _on_old(test)))


_FEW: Final = 4  # equalities that stay as they are written; more are put into a list


def _no_filter(given: object) -> str:
    if isinstance(given, str):
        return "read a text first: nubetis.model.text.parse(text, module=…)"
    return f"{type(given).__name__} is no filter"


def _several(field: Field, operand: object, count: int | None = None) -> tuple[object, ...]:
    if not isinstance(operand, tuple) or (count is not None and len(operand) != count):
        wanted = "several values" if count is None else f"{count} values"
        raise InvalidFilter("filter_value", field=field.name, reason=f"give {wanted}")
    return operand


def _period_test(column: str, operator: Operator, start: str, end: str) -> Bound:
    if operator in {Operator.EQ, Operator.IN}:
        return All((Test(column, Operator.GE, start), Test(column, Operator.LT, end)))
    limit = start if operator in {Operator.LT, Operator.GE} else end
    return Test(column, Operator.LT if operator in {Operator.LT, Operator.LE} else Operator.GE, limit)


def _on_old(bound: Bound) -> Bound:
    match bound:
        case Test() | OneOf() | Holds():
            return attrs.evolve(bound, column=f"old:{bound.column}")
        case All(parts) | AnyOf(parts):
            return type(bound)(tuple([_on_old(part) for part in parts]))
        case _:
            return bound
