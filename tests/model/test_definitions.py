"""What a programmer mistypes in a definition is refused where it stands, with its name and what to give instead."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import F, Field, Module
from nubetis.errors import InvalidValue
from nubetis.model.fields import Choice
from nubetis.model.kinds import BUILT_IN, kind
from nubetis.model.schema import FIRST_OWN_FIELD, ValidationRule
from nubetis.model.standard import base_schema
from tests.stores import refusing

SCHEMA = base_schema()
DEALS = SCHEMA.module("deals")


def field(**settings):
    return Field(**{"name": "q", "type": kind("text"), **settings})


def link(**settings):
    return field(**{"type": kind("link"), **settings})


def pets(**settings):
    return Module(**{"name": "pets", "fields": [field()], **settings})


def rule(**settings):
    return ValidationRule(**{"name": "r", "where": F.q == "x", "message": "m", **settings})


MISUSES = {
    "field named by number": (lambda: field(name=5), "name: give a text, not int"),
    "field of no name": (lambda: field(name=None), "name: give a text, not NoneType"),
    "text that leads somewhere": (lambda: field(targets=("contacts",)), "targets: q is no link, and leads nowhere"),
    "address that is unique": (
        lambda: field(type=kind("address"), unique=True),
        "unique: q has several parts, and none stands for it",
    ),
    "prefixes": (lambda: link(targets=("contacts",), prefixes=5), "prefixes: give a list of names, not int"),
    "choice of a number": (lambda: Choice(5), "choices: give a list of texts, or of Choice, not int"),
    "choice with a number": (lambda: Choice("a", label=5), "label: give a text, not int"),
    "colour": (lambda: Choice("a", colour=None), "colour: give a text, not NoneType"),
    "choice gone by a word": (lambda: Choice("a", retired="no"), "retired: give True or False"),
    "module named by number": (lambda: pets(name=5), "name: give a text, not int"),
    "module named by a list": (lambda: pets(name=["a"]), "name: give a text, not list"),
    "fields": (lambda: pets(fields=5), "fields: give a list of fields, not int"),
    "one field": (lambda: pets(fields=field()), "fields: give a list of fields, not Field"),
    "rules": (lambda: pets(rules=5), "rules: give a list of ValidationRule, not int"),
    "one rule": (lambda: pets(rules=rule()), "rules: give a list of ValidationRule, not ValidationRule"),
    "two rules of a name": (lambda: pets(rules=[rule(), rule(message="n")]), "already a rule named r"),
    "id of a module": (lambda: pets(id="x"), "id: give a whole number, not str"),
    "label of a module": (lambda: pets(label=None), "label: give a text, not NoneType"),
    "title": (lambda: pets(title=5), "title: give a text, not int"),
    "table": (lambda: pets(table=5), "table: give a text, not int"),
    "journal": (lambda: pets(journalled="no"), "journalled: give True or False"),
    "system": (lambda: pets(system=1), "system: give True or False"),
    "next field": (lambda: pets(next_field="x"), "next_field: give a whole number"),
    "tallies": (lambda: pets(tallied_by=5), "tallied_by: give names of fields, not int"),
    "rule that has no name": (lambda: rule(name=""), "name: a rule has a name"),
    "rule named by a number": (lambda: rule(name=5), "name: give a text, not int"),
    "rule that says nothing": (lambda: rule(message=" "), "message: a rule says why it refuses"),
    "message": (lambda: rule(message=None), "message: give a text, not NoneType"),
    "filter of a rule": (lambda: rule(where="q = x"), "where: give a filter, not str"),
    "id of what every record has": (
        lambda: pets(fields=[field(), field(name="w", id=9)]),
        "id: that of w is for nubetis to give",
    ),
    "id of a field to come": (lambda: pets(fields=[field(id=FIRST_OWN_FIELD)]), "id: that of q is for nubetis to give"),
    "id below all": (lambda: pets(fields=[field(id=-1)]), "id: that of q is for nubetis to give"),
    "id of no field": (lambda: SCHEMA.with_field("deals", field(id=999)), "id: that of q is for nubetis to give"),
    "id of a common field": (lambda: SCHEMA.with_field("deals", field(id=1)), "id: that of q is for nubetis to give"),
    "id of no module": (lambda: SCHEMA.with_module(pets(id=5000)), "id: that of pets is for nubetis to give"),
}


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_says_what_to_give(name):
    make, said = MISUSES[name]
    with pytest.raises(InvalidValue) as caught:
        make()
    assert said in str(caught.value)


ODD = st.none() | st.integers() | st.booleans() | st.binary() | st.just(()) | st.just({}) | st.just(object())


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_links_alone_lead_somewhere(name):
    """And nothing else takes targets, which would make it look like a link."""
    if name in {"link", "owner"}:
        assert field(type=kind(name), targets=("contacts",)).targets == ("contacts",)
        return
    with refusing("bad_argument", InvalidValue, match="targets: q is no link"):
        field(type=kind(name), targets=("contacts",))


@given(st.sampled_from(["name", "type", "label", "targets", "choices", "prefixes", "max_length", "id", "state"]),
       ODD)  # fmt: skip
def test_a_field_is_made_or_refused_and_nothing_else(argument, value):
    for make in (field, link):
        try:
            assert isinstance(make(**{argument: value}), Field)
        except InvalidValue:
            continue


@given(st.sampled_from([each.name for each in attrs.fields(Module) if each.name != "left_out"]),
       ODD)  # fmt: skip
def test_a_module_is_made_or_refused_and_nothing_else(argument, value):
    try:
        assert isinstance(pets(**{argument: value}), Module)
    except InvalidValue:
        return


def test_a_field_with_its_own_id_takes_the_place_of_the_one_before():
    """An id that nubetis gave says which field is meant."""
    stage = attrs.evolve(DEALS.field("stage"), name="step")
    changed = SCHEMA.with_field("deals", stage).module("deals")

    assert [each.id for each in changed.fields] == [each.id for each in DEALS.fields]
    assert changed.field("step").column == "stage"


def test_a_rule_of_another_module_may_have_the_name():
    schema = SCHEMA.with_modules([pets(rules=[rule()]), pets(name="cats", rules=[rule()])])
    with refusing("name_taken", InvalidValue, match="a rule named r"):
        schema.with_module(attrs.evolve(schema.module("cats"), rules=[rule(), rule(where=F.q == "y")]))
