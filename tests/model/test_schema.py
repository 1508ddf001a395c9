"""Schemas: ids that stay, steps from one to the next, rows that keep their meaning."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import reduce

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nubetis
from nubetis.errors import InvalidValue, NotFound
from nubetis.model.fields import Field, FieldState
from nubetis.model.filters import F
from nubetis.model.kinds import kind
from nubetis.model.schema import FIRST_OWN_FIELD, Module, Schema, StepKind, ValidationRule, diff
from nubetis.model.standard import base_schema
from nubetis.testing.strategies import schemas, worlds

FEWER = settings(max_examples=max(settings.default.max_examples * 2 // 5, 1))


def text(name, **more):
    return Field(name=name, type=kind("text"), **more)


def pets(*names):
    return Module(name="pets", fields=[text(name) for name in names])


@pytest.fixture
def schema():
    return Schema().with_module(pets("name", "race"))


def applied(old, steps):
    """Give the fields that a store has when it obeys *steps*."""
    found = {number: module.fields for number, module in old.by_id.items()}
    for step in steps:
        if step.kind is StepKind.DROP_MODULE:
            found.pop(step.module.id, None)
        else:
            found[step.module.id] = step.module.fields
    return found


def edited(schema, edit):
    """Give *schema* after one edit, or itself where the edit does not fit."""
    things = schema.module("things")
    own, last = things.fields, things.fields[-1]
    match edit:
        case "add":
            return schema.with_field("things", text(f"new{things.next_field}"))
        case "purge" if len(own) > 1:
            return schema.with_module(attrs.evolve(things, fields=own[:-1]))
        case "label":
            return schema.with_field("things", attrs.evolve(last, label="Another", help="More"))
        case "retire" if len(own) > 1:
            return schema.retire_field("things", last.name) if last.state is FieldState.ACTIVE else schema
        case "module" if "extra" not in schema:
            return schema.with_module(Module(name="extra", fields=[text("name")]))
        case "drop" if "extra" in schema:
            return schema.without_module("extra")
    return schema


EDITS = st.lists(st.sampled_from(["add", "purge", "label", "retire", "module", "drop"]), max_size=6)


@given(EDITS, EDITS)
def test_the_steps_between_two_schemas_lead_from_one_to_the_other(before, more):
    things = Module(name="things", fields=[text("name"), text("race")])
    old = reduce(edited, before, Schema().with_module(things))
    new = reduce(edited, more, old)
    steps = diff(old, new)
    expected = {number: module.fields for number, module in new.by_id.items()}
    assert expected == applied(old, steps) == applied(old, [*steps, *steps])


@FEWER
@given(schemas())
def test_nothing_leads_from_a_schema_to_itself(schema):
    assert diff(schema, schema) == []


def test_ids_are_given_once_and_never_again(schema):
    first, second = schema.module("pets").fields
    assert (first.id, second.id) == (FIRST_OWN_FIELD, FIRST_OWN_FIELD + 1)
    without = schema.with_module(attrs.evolve(schema.module("pets"), fields=[first]))
    again = without.with_field("pets", text("race"))
    assert again.module("pets").field("race").id == FIRST_OWN_FIELD + 2
    kinds = [step.kind for step in diff(schema, again)]
    assert kinds == [StepKind.PURGE_FIELD, StepKind.ADD_FIELD]


def test_a_renamed_field_keeps_id_and_column(schema):
    renamed = schema.with_field("pets", attrs.evolve(schema.module("pets").field("race"), name="breed"))
    field = renamed.module("pets").field("breed")
    assert (field.id, field.column) == (FIRST_OWN_FIELD + 1, "race")
    assert [step.kind for step in diff(schema, renamed)] == [StepKind.CHANGE_FIELD]


def test_a_field_cannot_change_its_type(schema):
    changed = attrs.evolve(schema.module("pets").field("race"), type=kind("integer"), filterable=False)
    with pytest.raises(InvalidValue) as caught:
        diff(schema, schema.with_field("pets", changed))
    assert caught.value.code == "schema_type"


def test_a_retired_field_is_unseen_but_has_its_place(schema):
    retired = schema.retire_field("pets", "race").module("pets")
    assert "race" not in retired.layout.slots
    assert retired.layout.column("race").field.state is FieldState.RETIRED
    with pytest.raises(NotFound) as caught:
        retired.field("race")
    assert caught.value.code == "unknown_field"


@pytest.mark.parametrize(
    ("needs", "reason"),
    [
        ({"title": "home"}, "it is the title of pets"),
        ({"tallied_by": ("home",)}, "counts are kept by it"),
        ({"indexes": (("home", "name"),)}, "an index names it"),
    ],
)
def test_what_a_module_needs_cannot_be_retired_and_it_is_said_for_what(needs, reason):
    """It is there, so that no sentence may say that it is not."""
    pets = Module(name="pets", fields=[text("name"), Field(name="home", type=kind("address"))], **needs)
    with pytest.raises(InvalidValue) as caught:
        Schema().with_module(pets).retire_field("pets", "home")

    assert (caught.value.code, caught.value.params["reason"]) == ("schema_needed", reason)


def test_what_every_record_has_cannot_be_retired(schema):
    with pytest.raises(InvalidValue) as caught:
        schema.retire_field("pets", "owner")
    assert caught.value.code == "schema_system"


@pytest.mark.parametrize("name", ["name", "owner"])
def test_two_fields_of_a_module_have_two_names(schema, name):
    with pytest.raises(InvalidValue) as caught:
        schema.with_field("pets", text(name))
    assert caught.value.code == "name_taken"


def test_two_modules_have_two_names_and_two_prefixes(schema):
    more = schema.with_module(Module(name="petrols", fields=[text("name")]))
    assert [module.prefix for module in more.modules] == ["pet", "pe2"]
    with pytest.raises(InvalidValue):
        more.with_module(pets("x"))


def test_a_link_must_lead_somewhere(schema):
    link = Field(name="about", type=kind("link"), targets=("petz",))
    with pytest.raises(NotFound) as caught:
        schema.with_field("pets", link)
    assert caught.value.params["hint"] == "Did you mean pets?"


def test_a_module_that_others_link_to_cannot_go():
    base = base_schema()
    for name in ("accounts", "users"):
        with pytest.raises(InvalidValue):
            base.without_module(name)
    assert "notes" not in base.without_module("notes")


@FEWER
@given(worlds())
def test_slots_and_columns_tell_the_same_of_a_row(world):
    layout = world.module.layout
    for row in world.rows["things"]:
        assert len(layout.columns) == len(row)
        again = [cell for slot in layout.slots.values() for cell in slot.field.pack(_none_if_empty(slot.read(row)))]
        assert list(row) == again
        full = layout.fill(row)
        assert len(layout.full_index) == len(full)
        for at, column in enumerate(layout.columns):
            twin = None if column.twin is None or row[at] is None else column.field.type.fold(row[at])
            assert twin == (None if column.twin is None else full[layout.full_index[column.twin]])


def _none_if_empty(value):
    """Give the value; a set of no choices is stored as nothing."""
    return None if value == () else value


@pytest.mark.parametrize(
    "change",
    [
        {"name": "beasts"},
        {"label": "Beasts"},
        {"title": "race"},
        {"tallied_by": ("race",)},
        {"indexes": (("race", "name"),)},
        {"rules": (ValidationRule(name="named", where=F.name.is_empty(), message="Name it."),)},
        {"system": True},
    ],
)
def test_a_change_of_the_module_alone_is_a_step(schema, change):
    changed = schema.with_module(attrs.evolve(schema.module("pets"), **change))
    steps = diff(schema, changed)
    assert [(StepKind.CHANGE_MODULE, changed.by_id[1])] == [(step.kind, step.module) for step in steps]
    assert [StepKind.CHANGE_MODULE] == [step.kind for step in diff(changed, schema)]


def test_new_fields_alone_do_not_change_the_module(schema):
    assert [StepKind.ADD_FIELD] == [step.kind for step in diff(schema, schema.with_field("pets", text("age")))]


@pytest.mark.parametrize("change", [{"table": "elsewhere"}, {"prefix": "xyz"}, {"journalled": False}])
def test_what_records_and_their_ids_are_found_by_cannot_change(schema, change):
    with pytest.raises(InvalidValue) as caught:
        diff(schema, schema.with_module(attrs.evolve(schema.module("pets"), **change)))
    assert ("bad_argument", *change) == (caught.value.code, caught.value.params["argument"])


@pytest.mark.parametrize("columns", [("race", "nmae"), ("nmae",)])
def test_an_index_of_a_field_that_is_not_there_is_refused(schema, columns):
    with pytest.raises(NotFound) as caught:
        schema.with_module(attrs.evolve(schema.module("pets"), indexes=(columns,)))
    assert ("unknown_field", "Did you mean name?") == (caught.value.code, caught.value.params["hint"])


def test_the_indexes_of_a_purged_field_go_with_it(schema):
    indexed = attrs.evolve(schema.module("pets"), indexes=(("race", "name"), ("name", "owner")))
    retired = schema.with_module(indexed).retire_field("pets", "race")
    assert (("race", "name"), ("name", "owner")) == retired.module("pets").indexes
    assert (("name", "owner"),) == retired.purge_field("pets", "race").module("pets").indexes


def indexes_of(path, table):
    with closing(sqlite3.connect(path)) as file:
        return {name for _, name, *_ in file.execute(f"PRAGMA index_list({table})") if "__ix__" in name}


def test_an_index_appears_in_a_database_that_is_in_use_and_disappears_again(tmp_path):
    """Through the organisation: the definition is stored, and found again when it is opened anew."""
    url = f"sqlite:///{tmp_path}/org.db"
    with closing(nubetis.create(url, administrator="ana@acme.pe")) as org:
        leads, before = org.schema.module("leads"), indexes_of(tmp_path / "org.db", "leads")
        org.alter(org.schema.with_module(attrs.evolve(leads, indexes=(("status", "created_at"),))))
        assert before | {"leads__ix__status__created_at"} == indexes_of(tmp_path / "org.db", "leads")
    with closing(nubetis.open(url)) as org:
        leads = org.schema.module("leads")
        assert (("status", "created_at"),) == leads.indexes
        org.alter(org.schema.with_module(attrs.evolve(leads, indexes=(), label="Prospects")))
        assert (before, "Prospects") == (indexes_of(tmp_path / "org.db", "leads"), org.schema.module("leads").label)
