"""A schema over a long life: ids, columns, tables and prefixes are given once, whatever comes and goes."""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import attrs
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import NubetisError
from nubetis.model.convert import from_json, to_json
from nubetis.model.fields import Field, FieldState
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema, StepKind, diff

NAMES = ("a", "b", "c")
STEPS = st.tuples(
    st.sampled_from(["add", "retire", "purge", "rename", "module", "drop", "call"]),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
)
LIVES = st.lists(STEPS, max_size=25)
FIRST = Schema().with_module(Module(name="first", fields=[Field(name="z", type=kind("text"))]))


def after(schema, step):
    """Give *schema* after *step*, or itself where the step does not fit."""
    try:
        return changed(schema, *step)
    except NubetisError:
        return schema


def changed(schema, act, one, other):
    module = schema.modules[-1]
    match act:
        case "add":
            return schema.with_field(module.name, Field(name=one, type=kind("text")))
        case "retire":
            return schema.retire_field(module.name, one)
        case "purge":
            return schema.purge_field(module.name, one)
        case "rename":
            return schema.with_field(module.name, attrs.evolve(module.field(one), name=other))
        case "module":
            return schema.with_module(Module(name=one, fields=[Field(name="z", type=kind("text"))]))
        case "drop":
            return schema.without_module(one)
        case "call":
            return schema.with_module(attrs.evolve(schema.module(one), name=other))


def lived(steps):
    """Give every schema of a life, the first one too."""
    found = [FIRST]
    for step in steps:
        found.append(after(found[-1], step))
    return found


@given(LIVES)
def test_a_number_of_a_module_or_field_means_one_thing_for_ever(steps):
    """Once gone, it does not come back."""
    life = lived(steps)
    for numbers in (
        [{module.id for module in schema.modules} for schema in life],
        [{(module.id, field.id) for module in schema.modules for field in module.fields} for schema in life],
    ):
        seen = set()
        for before, now in zip([set(), *numbers], numbers, strict=False):
            assert not (now - before) & seen
            seen |= now


@given(LIVES)
def test_no_two_fields_share_a_column_and_no_two_modules_a_table_name_or_prefix(steps):
    for schema in lived(steps):
        for of in ("name", "table", "prefix", "id"):
            assert len(schema.modules) == len({getattr(module, of) for module in schema.modules})
        for module in schema.modules:
            columns = [column.name for column in module.layout.columns]
            assert sorted(set(columns)) == sorted(columns)


@given(LIVES)
def test_a_field_keeps_its_column_and_a_module_its_table_and_prefix(steps):
    life = lived(steps)
    for old, new in pairwise(life):
        for module in new.modules:
            before = old.by_id.get(module.id, module)
            assert (before.table, before.prefix) == (module.table, module.prefix)
            columns = {field.id: field.column for field in before.fields}
            assert all(columns.get(field.id, field.column) == field.column for field in module.fields)


@given(LIVES)
def test_a_change_has_a_step_and_no_change_has_none(steps):
    """The step says what it changes: what it names is in one of the schemas, and differs."""
    life = lived(steps)
    for old, new in pairwise(life):
        found = diff(old, new)
        assert (old.modules == new.modules) == (found == [])
        for step in found:
            there = step.module.id in (old if step.kind is StepKind.DROP_MODULE else new).by_id
            assert there
            assert step.before != step.field or step.field is None


@given(LIVES)
def test_every_schema_of_a_life_comes_back_from_json(steps):
    schema = reduce(after, steps, FIRST)
    again = from_json(to_json(schema), Schema)
    assert (schema.modules, schema.next_module) == (again.modules, again.next_module)
    assert diff(schema, again) == []


@given(LIVES)
def test_each_change_raises_the_version_by_one_and_leaves_its_base(steps):
    life = lived(steps)
    for old, new in pairwise(life):
        assert new is old or (new.version, new.base) == (old.version + 1, old.base)


@given(LIVES)
def test_what_is_retired_lies_where_it_lay(steps):
    """Rows of before can be read."""
    for schema in lived(steps):
        for module in schema.modules:
            retired = [field for field in module.fields if field.state is FieldState.RETIRED]
            assert all(field.column in module.layout.index for field in retired)
            assert all(module.layout.slots.get(field.name, None) is not field for field in retired)
