"""Hypothesis strategies for schemas, rows, filters, queries and plans; hostile on purpose.

They are the makers of :mod:`nubetis.testing.generate`, driven by Hypothesis, so that what fails is made smaller.

>>> from hypothesis import given
>>> from nubetis.model.standard import base_schema
>>> @given(rows(base_schema().module("deals")))
... def test_keys_grow(found):
...     assert sorted(row[0] for row in found) == [row[0] for row in found]
>>> test_keys_grow()
>>> @given(plans(base_schema()))
... def test_a_plan_has_as_many_changes_as_it_says(plan):
...     assert len(list(plan.changes)) == len(plan) == sum(plan.counts().values())
>>> test_a_plan_has_as_many_changes_as_it_says()
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from random import Random
from typing import TYPE_CHECKING

import attrs
from hypothesis import strategies as st

from nubetis.model.bind import Bound, Viewpoint, bind
from nubetis.model.fields import Field, Value
from nubetis.model.filters import Filter
from nubetis.model.ids import encode
from nubetis.model.kinds import BUILT_IN
from nubetis.model.outbox import Message
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Creates, Edits, Part, Plan, Refusal
from nubetis.model.query import BoundQuery
from nubetis.model.schema import DELETED_IN, ID, Module, Schema, key_of
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.testing.generate import FilterMaker, any_query, any_rows, any_value, any_view
from nubetis.types import FieldName, Key, ModuleName, RecordId, Row, Stored

if TYPE_CHECKING:
    from hypothesis.vendor.pretty import RepresentationPrinter

__all__ = [
    "World",
    "fields",
    "filters",
    "modules",
    "names",
    "parts",
    "plans",
    "queries",
    "rows",
    "schemas",
    "values",
    "viewpoints",
    "worlds",
]

_LINKS = frozenset({"link", "owner"})


def _dice() -> st.SearchStrategy[Random]:
    return st.randoms(use_true_random=False)


def names() -> st.SearchStrategy[str]:
    """Give names that a module or a field can have."""
    return st.from_regex(r"[a-z][a-z0-9]{1,8}(_[a-z0-9]{1,4})?x", fullmatch=True)


@st.composite
def fields(draw: st.DrawFn, *, targets: Sequence[str] = ("users",)) -> Field:
    """Give a field of any built-in type; links lead to *targets*."""
    type_name = draw(st.sampled_from(sorted(BUILT_IN)))
    kind = BUILT_IN[type_name]
    chosen = draw(st.lists(st.sampled_from(list(targets)), min_size=1, max_size=2, unique=True))
    picky = type_name in {"choice", "multi_choice"} and draw(st.booleans())
    return Field(
        name=FieldName(draw(names())),
        type=kind,
        scale=draw(st.integers(0, 4)),
        filterable=kind.filterable and draw(st.booleans()),
        searchable=draw(st.booleans()),
        indexed=draw(st.booleans()),
        choices=("norte", "sur", "Ñuñoa", "50%") if picky else (),
        targets=[ModuleName(each) for each in chosen] if type_name in _LINKS else (),
    )


def _named_apart(found: list[Field]) -> list[Field]:
    apart = [f"{each.name}{place}" for place, each in enumerate(found)]
    return [attrs.evolve(each, name=name, column=name) for each, name in zip(found, apart, strict=True)]


@st.composite
def modules(draw: st.DrawFn, *, name: str = "things", targets: Sequence[str] = ("users",)) -> Module:
    """Give a journalled module with one to eight fields of its own."""
    own = draw(st.lists(fields(targets=targets), min_size=1, max_size=8).map(_named_apart))
    return Module(name=ModuleName(name), fields=own)


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Give the system modules and ``things`` and ``boxes``, which may link to each other."""
    known = ("users", "things", "boxes")
    return SYSTEM_SCHEMA.with_modules([draw(modules(name=name, targets=known)) for name in known[1:]])


@st.composite
def values(draw: st.DrawFn, field: Field) -> Value:
    """Give a checked value of *field*, ``None`` now and then."""
    return any_value(draw(_dice()), field)


@st.composite
def rows(draw: st.DrawFn, module: Module, *, most: int = 20) -> list[Row]:
    """Give stored rows of *module*, whose cells agree now and then."""
    return any_rows(draw(_dice()), module, count=draw(st.integers(0, most)), pool=draw(st.integers(1, 5)))


@st.composite
def viewpoints(draw: st.DrawFn, *, users: Sequence[RecordId] = ()) -> Viewpoint:
    """Give a viewpoint: some zone, first day of the week, fiscal year; *users* are who "me" and others may be."""
    return any_view(draw(_dice()), users)


@st.composite
def filters(
    draw: st.DrawFn,
    module: Module,
    *,
    schema: Schema,
    rows: Sequence[Row] = (),
    depth: int = 2,
    people: bool = True,
) -> Filter:
    """Give a filter on *module* whose constants come from *rows*, so that it is true for a fair share of them.

    It follows no links; *people* says whether it may ask for "me" and others who depend on the viewer.
    """
    maker = FilterMaker(module, rows, schema=schema, people=people)
    return maker.filter(draw(_dice()), depth=draw(st.integers(0, depth)))


@attrs.frozen(kw_only=True)
class World:
    """A schema, rows of two modules, a filter on the first, and what it is bound to."""

    schema: Schema = attrs.field(repr=False)
    module: Module = attrs.field(repr=False)
    rows: dict[str, list[Row]] = attrs.field(repr=lambda rows: str({name: rows[name][:3] for name in rows})[:5000])
    filter: Filter = attrs.field(repr=lambda where: repr(where)[:5000])
    bound: Bound = attrs.field(repr=False)
    view: Viewpoint = attrs.field(repr=False)

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:  # noqa: FBT001 - Hypothesis calls it
        printer.text("(cycle)" if cycle else repr(self))


@st.composite
def worlds(draw: st.DrawFn, *, linked: bool = True, depth: int = 3) -> World:
    """Give a schema, rows and a bound filter that fit each other; *linked* says whether it may follow links."""
    schema = draw(schemas())
    found = {name: draw(rows(schema.module(name))) for name in ("things", "boxes")}
    module, random = schema.module("things"), draw(_dice())
    maker = FilterMaker(module, found["things"], schema=schema, related=found if linked else None)
    where, view = maker.filter(random, depth=depth), draw(viewpoints(users=_users(found["things"], module)))
    bound = bind(where, module, schema, view)
    return World(schema=schema, module=module, rows=found, filter=where, bound=bound, view=view)


def _users(found: Sequence[Row], module: Module) -> list[RecordId]:
    owners = [module.layout.slots[FieldName("owner")].read(row) for row in found]
    return sorted({RecordId(str(owner)) for owner in owners if owner is not None})


@st.composite
def queries(draw: st.DrawFn, module: Module, where: Bound) -> BoundQuery:
    """Give the first page of a query in some order, mixed in direction."""
    return any_query(draw(_dice()), module, where)


# -- plans ------------------------------------------------------------------------------------------------------------
_IN_BIN = frozenset({ChangeKind.RESTORE, ChangeKind.PURGE})
_KINDS = (ChangeKind.UPDATE, ChangeKind.CREATE, ChangeKind.UPDATE, ChangeKind.DELETE, *sorted(_IN_BIN))
"""Edits are twice as likely, since they alone have values before and after."""


@st.composite
def parts(draw: st.DrawFn, module: Module, *, after: int = 0, most: int = 6) -> Part:
    """Give a part of a plan on a journalled *module*: records to create, to edit, to delete, to restore or to purge.

    Their keys come *after* a number; what is to be restored or purged lies in the recycle bin, and nothing else does.
    """
    kind = draw(st.sampled_from(_KINDS))
    found = [_moved(row, after, 7 if kind in _IN_BIN else None) for row in draw(rows(module, most=most))]
    if kind is ChangeKind.CREATE:
        return Creates(module, found)
    if kind is not ChangeKind.UPDATE:
        return Edits(module, found, kind=kind)
    own = [field for field in module.all_fields if not field.system]
    chosen = tuple(draw(st.lists(st.sampled_from(own), min_size=1, max_size=3, unique_by=lambda field: field.name)))
    dice = draw(_dice())
    cells = [tuple([cell for field in chosen for cell in field.pack(any_value(dice, field))]) for _ in found]
    return Edits(module, found, chosen, cells)


def _moved(row: Row, after: int, deleted_in: int | None) -> Row:
    cells: list[Stored] = list(row)
    cells[ID], cells[DELETED_IN] = after + key_of(row), deleted_in
    return tuple(cells)


@st.composite
def _refusals(draw: st.DrawFn, module: Module) -> Refusal:
    field = str(draw(st.sampled_from(module.all_fields)).name)
    line = draw(st.none() | st.integers(1, 99))
    record = None if line else encode(module.prefix, Key(draw(st.integers(1, 99))))
    code, params = draw(st.sampled_from([("required", {"field": field}), ("bad_rule", {"message": "Ñ {no}"})]))
    return Refusal(code=code, params=params, module=module.name, record=record, line=line, field=field)


@st.composite
def _messages(draw: st.DrawFn) -> Message:
    text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=9)
    return Message(kind=draw(names()), key=draw(text), body=draw(st.dictionaries(names(), text, max_size=2)))


@st.composite
def plans(draw: st.DrawFn, schema: Schema, *, modules: Sequence[str] = (), most: int = 6) -> Plan:
    """Give a plan of up to four parts on *modules* of *schema*, or on any but nubetis's own.

    No record is in two parts, of which each has at most *most*.  There are refusals, warnings and messages now and
    then.  It is what a plan can be, not what one store would take: links may lead nowhere.
    """
    known = [schema.module(name) for name in modules] or [each for each in schema.modules if not each.system]
    chosen = draw(st.lists(st.sampled_from(known), max_size=4))
    refused = st.lists(st.sampled_from(known).flatmap(_refusals), max_size=2).map(tuple)
    return Plan(
        cause=Cause(draw(st.sampled_from(CauseKind))),
        parts=tuple([draw(parts(module, after=place * most, most=most)) for place, module in enumerate(chosen)]),
        refusals=draw(refused),
        warnings=draw(refused),
        messages=tuple(draw(st.lists(_messages(), max_size=2))),
        access_version=draw(st.none() | st.integers(1, 9)),
        schema=schema,
        at=draw(st.datetimes(timezones=st.just(UTC))),
    )
