"""The schema on the way to another has what both have."""

from __future__ import annotations

import attrs
from hypothesis import given
from hypothesis import strategies as st

from nubetis.model.fields import Field, FieldState
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema, StepKind
from nubetis.model.widening import first_steps, last_steps, widened

MARKS = ("filterable", "searchable", "unique", "indexed")
NAMES = ("a", "b", "c", "d")
DROPS = {StepKind.DROP_MODULE, StepKind.PURGE_FIELD}


def start():
    fields = [Field(name=name, type=kind("text"), filterable=False) for name in NAMES]
    return Schema().with_modules([Module(name="pets", fields=fields), Module(name="junk", fields=fields)])


def purged(schema, name):
    return schema if name == "a" else schema.retire_field("pets", name).purge_field("pets", name)


def marked(field, **flags):
    """Give *field* with other marks; how a unique one is compared does not change."""
    new = attrs.evolve(field, **flags)
    if (field.unique or new.unique) and (field.filterable or field.searchable) != (new.filterable or new.searchable):
        return attrs.evolve(new, filterable=field.filterable, searchable=field.searchable)
    return new


@st.composite
def altered(draw, schema):
    """Give *schema* with other marks and tallies, and with less and more fields and modules."""
    pets = schema.module("pets")
    flags = st.fixed_dictionaries(dict.fromkeys(MARKS, st.booleans()))
    fields = [marked(field, **draw(flags)) for field in pets.fields]
    kept = [field.name for field in fields if field.name == "a" or draw(st.booleans())]
    new = schema.with_module(attrs.evolve(pets, fields=fields, tallied_by=()))
    for name in set(NAMES).intersection(field.name for field in fields).difference(kept):
        new = purged(new, name)
    for _ in range(draw(st.integers(0, 2))):
        new = new.with_field("pets", Field(name=f"n{new.module('pets').next_field}", type=kind("text")))
    tallied = tuple(draw(st.lists(st.sampled_from(kept), unique=True)))
    new = new.with_module(attrs.evolve(new.module("pets"), tallied_by=tallied))
    return new.without_module("junk") if "junk" in new and draw(st.booleans()) else new


@st.composite
def changes(draw):
    old = draw(altered(start()))
    return old, draw(altered(old))


@given(change=changes())
def test_it_has_the_columns_twins_and_tallies_of_both(change):
    old, new = change
    wide = widened(old, new).module("pets")
    for each in (old.module("pets"), new.module("pets")):
        assert each.layout.full_index.keys() <= wide.layout.full_index.keys()
        unique = {field.id for field in each.fields if field.unique}
        assert unique <= {field.id for field in wide.fields if field.unique}
    for name in (*new.module("pets").tallied_by, *old.module("pets").tallied_by):
        assert name in wide.tallied_by


@given(change=changes())
def test_no_step_towards_it_drops_and_all_that_do_come_last(change):
    old, new = change
    wide = widened(old, new)
    assert not DROPS.intersection(step.kind for step in first_steps(old, wide))
    gone = {field.id for field in old.module("pets").fields} - {field.id for field in new.module("pets").fields}
    last = last_steps(old, new)
    assert {step.field.id for step in last if step.kind is StepKind.PURGE_FIELD} == gone
    assert any(step.kind is StepKind.DROP_MODULE for step in last) == ("junk" in old and "junk" not in new)


@given(change=changes())
def test_what_is_not_wider_is_the_new_one(change):
    """A store knows its tables by the identity of their modules."""
    new = change[1]
    assert all(one is other for one, other in zip(widened(new, new).modules, new.modules, strict=True))
    more = new.with_field("pets", Field(name="more", type=kind("text")))
    assert all(one is other for one, other in zip(widened(new, more).modules, more.modules, strict=True))


def test_a_name_that_another_field_has_now_is_left_to_it():
    """The columns of the one that is no more stay, if they are its own."""
    old = start()
    field = old.module("pets").field("b")
    renamed = old.with_field("pets", attrs.evolve(old.module("pets").field("c"), name="x"))
    new = purged(renamed, "b")
    new = new.with_field("pets", attrs.evolve(new.module("pets").field("x"), name="b"))
    wide = widened(old, new).module("pets")

    assert wide.field("b").column == "c"
    assert wide.by_id[field.id].state is FieldState.RETIRED
    assert "b" in wide.layout.index
