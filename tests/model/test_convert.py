"""The JSON form of filters and definitions: exact, stable, and hard on what comes from outside."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal

import attrs
import pytest

from nubetis.errors import InvalidFilter, InvalidValue, NubetisError
from nubetis.model.bind import DEPTH
from nubetis.model.convert import FORMAT, from_json, module_text, schema_of, to_json
from nubetis.model.fields import Choice, Field, FieldState
from nubetis.model.filters import EVERYTHING, ME, NOTHING, And, Compare, F, Filter, Not, Or, has, keywords, period
from nubetis.model.ids import encode
from nubetis.model.kinds import BUILT_IN, Address, FileRef, PersonName, WallTime, kind
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema, ValidationRule
from nubetis.model.standard import base_schema

SCHEMA = base_schema()
LOCAL = datetime(2026, 1, 31, 9, 30)  # noqa: DTZ001 - the time on a wall

FORMS = [
    (EVERYTHING, {"all": []}),
    (NOTHING, {"any": []}),
    (F.stage == "won", {"field": "stage", "is": "=", "value": "won"}),
    (F.stage != "won", {"not": {"field": "stage", "is": "=", "value": "won"}}),
    (F.closed.is_empty(), {"field": "closed", "is": "is empty"}),
    (F.stage.changed(), {"field": "stage", "is": "changed"}),
    (F.stage.in_(["won", "lost"]), {"field": "stage", "is": "in", "value": ["won", "lost"]}),
    (F.a.between(1, 2.5), {"field": "a", "is": "between", "value": [1, 2.5]}),
    (F.active == True, {"field": "active", "is": "=", "value": True}),  # noqa: E712 - makes a filter
    (F.a == 2**53 + 1, {"field": "a", "is": "=", "value": {"integer": "9007199254740993"}}),
    (F.a == Decimal("1.50"), {"field": "a", "is": "=", "value": {"decimal": "1.50"}}),
    (F.a == date(2026, 1, 31), {"field": "a", "is": "=", "value": {"date": "2026-01-31"}}),
    (F.a == time(9, 30), {"field": "a", "is": "=", "value": {"time": "09:30:00"}}),
    (F.a == LOCAL.replace(tzinfo=UTC), {"field": "a", "is": "=", "value": {"datetime": "2026-01-31T09:30:00+00:00"}}),
    (
        F.a == WallTime(LOCAL, "America/Lima"),
        {"field": "a", "is": "=", "value": {"wall_time": {"local": "2026-01-31T09:30:00", "zone": "America/Lima"}}},
    ),
    (F.a == Money("5", "PEN"), {"field": "a", "is": "=", "value": {"money": {"amount": "5", "currency": "PEN"}}}),
    (
        F.a == Money("5", "PEN", home="1.50"),
        {"field": "a", "is": "=", "value": {"money": {"amount": "5", "currency": "PEN", "home": "1.50"}}},
    ),
    (
        F.a.in_(period("last", "day", 7)),
        {"field": "a", "is": "in", "value": {"period": {"kind": "last", "unit": "day", "count": 7}}},
    ),
    (F.a == period("this", "week"), {"field": "a", "is": "=", "value": {"period": {"kind": "this", "unit": "week"}}}),
    (F.owner == ME, {"field": "owner", "is": "=", "value": {"people": "me"}}),
    (F.owner == "me", {"field": "owner", "is": "=", "value": "me"}),
    (F.a == b"\x00\xff", {"field": "a", "is": "=", "value": {"bytes": "AP8="}}),
    (keywords("acme"), {"field": "", "is": "matches", "value": "acme"}),
    (
        F.account.linked(F.a == 1),
        {"field": "account", "is": "linked", "value": {"field": "a", "is": "=", "value": 1}},
    ),
    (has("deals", via="account"), {"has": "deals", "by": "account", "where": {"all": []}}),
    (
        (F.a == 1) | ~And((F.b == 2,)),
        {
            "any": [
                {"field": "a", "is": "=", "value": 1},
                {"not": {"all": [{"field": "b", "is": "=", "value": 2}]}},
            ]
        },
    ),
]


@pytest.mark.parametrize(("where", "data"), FORMS, ids=[repr(where) for where, _ in FORMS])
def test_each_filter_has_this_form(where, data):
    assert to_json(where) == data
    assert repr(from_json(json.loads(json.dumps(data)), Filter)) == repr(where)


def test_what_has_filters_by_may_be_left_out():
    assert from_json({"has": "deals", "by": "account"}, Filter) == has("deals", via="account")


def test_a_record_is_written_as_its_id():
    deal = Record(SCHEMA.module("deals"), (1, 1, 1, None))

    assert to_json(F.a == deal)["value"] == deal.id


@pytest.mark.parametrize(
    "where",
    [
        F.a == Decimal("NaN"),
        F.a == float("inf"),
        F.a == Address(city="Lima"),
        F.a == 10**1000,
        F.a.in_([["nested"]]),
        Compare("a", (F.a == 1).operator, EVERYTHING),
        And(("no filter",)),
    ],
)
def test_what_no_field_takes_is_not_written(where):
    with pytest.raises(InvalidValue) as caught:
        to_json(where)

    assert caught.value.code == "bad_argument"


BAD_FILTERS = [
    (5, "$", "give an object"),
    ([], "$", "give an object"),
    ({1: 2}, "$", "give an object"),
    ({}, "$", "give an object with one of field, all, any, not, has"),
    ({"all": {}}, "$.all", "give a list"),
    ({"all": [{"any": []}, 7]}, "$.all[1]", "give an object"),
    ({"all": [], "any": []}, "$", "unknown key any"),
    ({"not": {"field": "a", "is": "=", "value": 1, "x": 1}}, "$.not", "unknown key x"),
    ({"field": 1, "is": "="}, "$.field", "give a text"),
    ({"field": "a"}, "$.is", None),
    ({"field": "a", "is": "=="}, "$.is", "no such operator; Did you mean =?"),
    ({"field": "a", "is": "=", "value": {"decimal": "x"}}, "$.value.decimal", "this is no decimal"),
    ({"field": "a", "is": "=", "value": {"decimal": "NaN"}}, "$.value.decimal", "give a finite number"),
    ({"field": "a", "is": "=", "value": {"decimal": 5}}, "$.value.decimal", "give a text"),
    ({"field": "a", "is": "=", "value": {"integer": "1.5"}}, "$.value.integer", "give a whole number"),
    ({"field": "a", "is": "=", "value": {"date": "31/01/2026"}}, "$.value.date", "this is no date"),
    ({"field": "a", "is": "=", "value": {"people": "you"}}, "$.value.people", "this is no people"),
    ({"field": "a", "is": "=", "value": {"wall_time": {}}}, "$.value.wall_time", "this is no wall time"),
    ({"field": "a", "is": "=", "value": {"bytes": "é"}}, "$.value.bytes", "this is no bytes"),
    ({"field": "a", "is": "=", "value": {"period": {"kind": "last", "unit": "day", "count": True}}},
     "$.value.period.count", "give a whole number"),
    ({"field": "a", "is": "=", "value": {"period": {"kind": "last", "unit": "day", "count": 0}}},
     "$.value.period", None),
    ({"field": "a", "is": "=", "value": {"money": {"amount": "1", "currency": 5}}},
     "$.value.money.currency", "give a text"),
    ({"field": "a", "is": "=", "value": {"money": {"amount": "1", "currency": "pen"}}}, "$.value.money", None),
    ({"field": "a", "is": "in", "value": [1, {"x": 1}]}, "$.value[1]", None),
    ({"field": "a", "is": "in", "value": [[1]]}, "$.value[0]", "give an object"),
    ({"field": "a", "is": "=", "value": 10**1000}, "$.value", "give an object"),
    ({"field": "a", "is": "=", "value": float("nan")}, "$.value", "give an object"),
    ({"field": "a", "is": "linked", "value": {"field": 5}}, "$.value.field", "give a text"),
    ({"has": "deals"}, "$.by", "give a text"),
    ({"has": "deals", "by": "account", "where": []}, "$.where", "give an object"),
]  # fmt: skip


@pytest.mark.parametrize(("data", "path", "reason"), BAD_FILTERS, ids=[str(data) for data, *_ in BAD_FILTERS])
def test_what_is_no_filter_is_refused_with_its_path(data, path, reason):
    with pytest.raises(InvalidValue) as caught:
        from_json(data, Filter)

    assert (caught.value.code, caught.value.params["argument"]) == ("bad_argument", path)
    assert reason in {None, caught.value.params["reason"]}


@pytest.mark.parametrize("key", ["not", "all", "any"])
def test_deep_json_is_refused_without_being_followed(key):
    data = {"field": "a", "is": "is empty"}
    for _ in range(50_000):
        data = {key: data if key == "not" else [data]}

    with pytest.raises(InvalidFilter) as caught:
        from_json(data, Filter)

    assert caught.value.code == "filter_depth"


def test_filters_may_be_as_deep_as_they_can_be_bound():
    where = F.a == 1
    for _ in range(DEPTH):
        where = Not(where)

    assert from_json(to_json(where), Filter) == where
    with pytest.raises(InvalidFilter):
        to_json(Not(where))


# --- definitions -----------------------------------------------------------------------------


def test_the_schema_comes_back_exactly():
    data = json.loads(json.dumps(to_json(SCHEMA)))

    assert from_json(data, Schema) == SCHEMA
    assert from_json(data, Schema).version == SCHEMA.version
    assert to_json(from_json(data, Schema)) == data


def test_a_schema_comes_back_from_its_modules():
    definitions = [module_text(module) for module in reversed(SCHEMA.modules)]

    found = schema_of(definitions, types=BUILT_IN, version=SCHEMA.version)

    assert (found.modules, found.version) == (SCHEMA.modules, SCHEMA.version)


def test_a_changed_schema_keeps_ids_names_and_columns():
    """A renamed field keeps its id and column; a retired one stays."""
    stage = SCHEMA.module("deals").field("stage")
    renamed = SCHEMA.with_field("deals", attrs.evolve(stage, name="phase", label="Fase"))
    schema = renamed.retire_field("deals", "next_step")
    found = from_json(to_json(schema), Schema)
    phase = found.module("deals").field("phase")

    assert found == schema
    assert (phase.id, phase.column) == (stage.id, "stage")
    assert FieldState.RETIRED in {field.state for field in found.module("deals").fields}


def test_a_rule_comes_back_with_its_filter():
    rule = ValidationRule(name="won_has_amount", where=(F.stage == "won") & F.amount.is_empty(), message="¿Cuánto?")

    assert to_json(rule)["where"] == to_json(rule.where)
    assert from_json(to_json(rule), ValidationRule) == rule


DEFAULTS = [
    ("text", "Lima"), ("decimal", Decimal("1.50")), ("boolean", False), ("date", date(2026, 1, 31)),
    ("datetime", datetime(2026, 1, 31, tzinfo=UTC)), ("time", time(9, 30)), ("money", Money("5", "PEN", home="5")),
    ("multi_choice", ("a", "b")), ("bytes", b"\x00\xff"), ("wall_time", WallTime(LOCAL, "America/Lima")),
    ("address", Address(city="Lima")), ("person_name", PersonName(given="Ana")), ("integer", 7),
    ("file", FileRef(hash="0" * 64, name="a.pdf", size=1)), ("choice", "open"), ("email", "ana@acme.pe"),
]  # fmt: skip


@pytest.mark.parametrize(("type_name", "value"), DEFAULTS, ids=[name for name, _ in DEFAULTS])
def test_a_default_goes_through_the_stored_form_of_its_type(type_name, value):
    field = Field(name="a", type=kind(type_name), default=value)
    data = json.loads(json.dumps(to_json(field)))

    assert from_json(data, Field) == field


def test_a_link_has_a_default_too():
    field = Field(
        name="a", type=kind("link"), targets=["deals", "leads"], prefixes=("dea", "lea"), default=encode("lea", 7)
    )

    assert from_json(to_json(field), Field) == field


def test_a_plug_ins_type_is_found_in_the_registry_given():
    colour = attrs.evolve(kind("choice"), name="colour")
    field = Field(name="a", type=colour, choices=[Choice("red", "Rojo", colour="#f00")], default="red")

    assert from_json(to_json(field), Field, types={**BUILT_IN, "colour": colour}) == field
    with pytest.raises(InvalidValue) as caught:
        from_json(to_json(field), Field)
    assert caught.value.params["argument"] == "$.type"


def test_what_has_a_default_may_be_left_out():
    data = {"name": "pets", "fields": [{"name": "name", "type": "text"}]}

    assert from_json(data, Module) == Module(name="pets", fields=[Field(name="name", type=kind("text"))])


def changed(path, value):
    """Give the definition of deals with something else at *path*."""
    data = json.loads(module_text(SCHEMA.module("deals")))
    here = data
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = value
    return data


BAD_MODULES = [
    (("format",), FORMAT + 1, "$.format"),
    (("format",), "1", "$.format"),
    (("colour",), "red", "$"),
    (("name",), 5, "$.name"),
    (("system",), 1, "$.system"),
    (("id",), True, "$.id"),
    (("id",), 2**63, "$.id"),
    (("fields",), {}, "$.fields"),
    (("fields",), "abc", "$.fields"),
    (("indexes",), ["owner"], "$.indexes[0]"),
    (("tallied_by",), "owner", "$.tallied_by"),
    (("fields", 0), 5, "$.fields[0]"),
    (("fields", 0, "type"), "colour", "$.fields[0].type"),
    (("fields", 0, "required"), "yes", "$.fields[0].required"),
    (("fields", 0, "state"), "lost", "$.fields[0].state"),
    (("fields", 0, "scale"), 1000, "$.fields[0].scale"),
    (("fields", 0, "max_length"), 0, "$.fields[0].max_length"),
    (("fields", 0, "id"), -1, "$.fields[0].id"),
    (("fields", 0, "id"), 10**6, "$"),
    (("fields", 0, "id"), 33, "$.fields"),
    (("fields", 0, "name"), "amount", "$.fields"),
    (("fields", 0, "column"), "amount", "$.fields"),
    (("fields", 0, "default"), [5], "$.fields[0].default"),
    (("fields", 0, "default"), ["a", "b"], "$.fields[0].default"),
    (("fields", 1, "default"), ["1", "PEN", "1"], "$.fields[1].default"),
    (("fields", 2, "default"), ["lots"], "$.fields[2].default"),
    (("fields", 2, "choices", 0, "value"), 5, "$.fields[2].choices[0].value"),
    (("fields", 2, "choices", 0, "value"), "", "$.fields[2]"),
    (("fields", 2, "choices", 0, "shape"), "round", "$.fields[2].choices[0]"),
    (("rules",), [{"name": "a", "where": {"not": 5}, "message": "x"}], "$.rules[0].where.not"),
    (("rules",), [{"name": "a", "where": {"all": []}}], "$.rules[0].message"),
]


@pytest.mark.parametrize(("at", "value", "path"), BAD_MODULES, ids=[f"{at}={value}" for at, value, _ in BAD_MODULES])
def test_a_damaged_definition_is_refused_with_its_path(at, value, path):
    with pytest.raises(InvalidValue) as caught:
        from_json(changed(at, value), Module)

    assert (caught.value.code, caught.value.params["argument"]) == ("bad_argument", path)


def test_a_definition_that_is_no_object_is_refused():
    for data in (None, 5, "deals", [], [("name", "x")]):
        with pytest.raises(InvalidValue):
            from_json(data, Module)


def test_what_the_definition_itself_violates_keeps_its_code():
    with pytest.raises(InvalidValue) as caught:
        from_json(changed(("name",), "Deals!"), Module)

    assert caught.value.code == "bad_name"


def test_a_module_whose_title_is_no_field_is_refused():
    with pytest.raises(NubetisError) as caught:
        from_json(changed(("title",), "headline"), Module)

    assert caught.value.code == "unknown_field"


@pytest.mark.parametrize(
    ("name", "value"), [("name", "leads"), ("prefix", "lea"), ("table", "leads"), ("id", SCHEMA.module("leads").id)]
)
def test_modules_that_share_a_name_are_refused(name, value):
    definitions = [module_text(module) for module in SCHEMA.modules if module.name != "deals"]

    with pytest.raises(NubetisError):
        schema_of([*definitions, json.dumps(changed((name,), value))], types=BUILT_IN, version=1)


def test_a_schema_with_a_link_to_nowhere_is_refused():
    definitions = [module_text(module) for module in SCHEMA.modules if module.name != "accounts"]

    with pytest.raises(NubetisError) as caught:
        schema_of(definitions, types=BUILT_IN, version=1)

    assert caught.value.code == "unknown_module"


def test_everything_written_is_plain_json():
    """Enumerations are texts as well; a text that is one would be written under another name by others."""

    def kinds(data):
        if isinstance(data, dict):
            return {type(key) for key in data} | {each for value in data.values() for each in kinds(value)}
        return {each for value in data for each in kinds(value)} if isinstance(data, list) else {type(data)}

    assert kinds(to_json(SCHEMA)) <= {str, int, bool, type(None)}
    assert kinds(to_json(Or(tuple(where for where, _ in FORMS)))) <= {str, int, bool, float, type(None)}
