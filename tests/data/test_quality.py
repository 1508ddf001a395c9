"""The schema is judged by what is kept in it: each remark where it is due, none where it is not."""

from __future__ import annotations

import time
import tracemalloc
from datetime import date

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import F, Money
from nubetis.data.quality import REMARKS, Remark, lint_schema, reads_as
from nubetis.errors import NotFound, sentence
from nubetis.i18n import PHRASES, phrase
from nubetis.model.fields import Field
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, ValidationRule
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.session.holding import plan_hold
from nubetis.session.retaining import plan_rule
from tests.stores import nubetis_store_url, refusing

__all__ = ["nubetis_store_url"]


def field(name, type_name="text", **more):
    return Field(name=name, type=kind(type_name), **more)


@pytest.fixture
def lint(nubetis_org, nubetis_session):
    """Give a function that makes a module of fields, fills it, and judges it: (code, field) of each remark."""

    def work(fields, rows, *, least=5, **more):
        nubetis_org.add_module(Module(name="pets", fields=[field("name"), *fields], **more))
        nubetis_session.apply(
            nubetis_session.plan_create("pets", [{"name": f"pet {n}", **r} for n, r in enumerate(rows)])
        )
        return lint_schema(nubetis_session, modules=["pets"], least=least)

    return work


def codes(report):
    return [(each.code, each.field) for each in report.remarks]


def test_a_field_without_a_value_is_unused_or_empty(lint):
    """It depends on whether anything speaks of it: a rule, an index, a tally."""
    fields = [field(name) for name in ("bare", "ruled", "tallied", "together", "filled")]
    rules = [ValidationRule(name="r", where=~F.ruled.is_empty() & (F.ruled == "x"), message="no")]
    report = lint(
        fields, [{"filled": f"x{n}"} for n in range(6)], rules=rules, tallied_by=("tallied",), indexes=(("together",),)
    )

    assert codes(report) == [
        ("field_unused", "bare"), ("field_empty", "ruled"), ("field_empty", "tallied"), ("field_empty", "together"),
    ]  # fmt: skip
    (first,) = report.of("field_unused")
    assert str(first) == "None of 6 records has a value in bare, and nothing else speaks of it."
    assert first.remedy == "Retire the field; purge it later."


def test_a_field_that_nobody_ever_chose_has_its_default(lint):
    report = lint([field("kind", "choice", choices=("cat", "dog"), default="cat")], [{} for _ in range(6)])
    assert codes(report) == [("field_default", "kind")]


DRIFTED = {
    "integer": [str(n * 7) for n in range(6)],
    "decimal": [f"{n}.50" for n in range(5)] + ["12"],
    "date": ["2026-01-31", "31/12/2026", "1.2.2026", "2026/03/04", "12-11-2020"],
    "datetime": [f"2026-01-31 0{n}:30" for n in range(6)],
    "email": [f"a{n}@acme.pe" for n in range(6)],
    "url": [f"https://acme.pe/{n}" for n in range(6)],
    "phone": [f"+51 987 654 32{n}" for n in range(6)],
    "boolean": ["yes", "no", "Sí", "No", "true"],
}


@pytest.mark.parametrize("kind_name", DRIFTED)
@pytest.mark.parametrize("nubetis_store_url", ["memory"], indirect=True)
def test_a_text_of_another_type_is_found(lint, kind_name):
    report = lint([field("value")], [{"value": each} for each in DRIFTED[kind_name]])
    (remark,) = report.of("field_drifted")

    assert remark.params == {"field": "value", "type": "text", "kind": kind_name, "filled": len(DRIFTED[kind_name])}


@pytest.mark.parametrize("nubetis_store_url", ["memory"], indirect=True)
@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("value", [*DRIFTED["integer"], "many"]),
        ("dni", [f"0123456{n}" for n in range(6)]),
        ("tax_id", [f"2012345678{n}" for n in range(6)]),
        ("value", ["1", "2", "3", "4"]),
    ],
    ids=["one is none", "leading zeros", "named a code", "too few"],
)
def test_a_text_that_is_one_is_left_alone(lint, name, values):
    assert lint([field(name)], [{name: each} for each in values]).of("field_drifted") == ()


def test_a_text_of_a_few_values_is_a_choice(lint):
    rows = [{"size": ["small", "large"][n % 2], "note": f"n{n}"} for n in range(24)]
    report = lint([field("size"), field("note")], rows)

    assert codes(report) == [("field_few", "size")]
    assert report.remarks[0].params == {"field": "size", "type": "text", "filled": 24, "distinct": 2}


def test_an_index_that_no_filter_asks_for_is_found(nubetis_org, nubetis_session, lint):
    """Filters of rules, of retention rules, of holds, and on what is linked."""
    names = ("ruled", "kept", "held", "linked", "alone")
    nubetis_org.add_module(Module(name="homes", fields=[field("name")]))
    rules = [ValidationRule(name="r", where=F.ruled == "x", message="no")]
    lint([field(name, indexed=True) for name in names] + [field("home", "link", targets=("homes",))], [], rules=rules)
    nubetis_session.apply(plan_rule(nubetis_session, "pets", name="r", days=1, where=F.kept == "x"))
    nubetis_session.apply(plan_hold(nubetis_session, "pets", reason="r", where=(F.held == "x") | (F.name == "y")))
    nubetis_org.add_module(Module(name="owners", fields=[field("name"), field("pet", "link", targets=("pets",))]))
    nubetis_session.apply(plan_rule(nubetis_session, "owners", name="o", days=1, where=F.pet.linked(F.linked == "x")))

    assert codes(lint_schema(nubetis_session, modules=["pets"])) == [("field_unfiltered", "alone")]


def test_fields_and_modules_that_nobody_can_tell_apart_are_found(nubetis_org, nubetis_session, lint):
    report = lint([field("one", label="Téléphone"), field("two", label="telephone")], [])
    assert [(each.field, each.params["other"]) for each in report.of("label_twice")] == [("two", "one")]
    nubetis_org.add_module(Module(name="beasts", fields=[field("name")], label="PETS"))
    report = lint_schema(nubetis_session, modules=["pets", "beasts"])

    assert {("beasts", None), ("pets", "two")} == {(each.module, each.field) for each in report.of("label_twice")}


def test_the_figures_are_those_of_the_records(lint):
    rows = [{"born": date(2026, 1, n + 1), "price": Money("1", "PEN")} if n % 2 else {} for n in range(6)]
    report = lint([field("born", "date"), field("price", "money"), field("tail")], rows, least=100)
    (module,) = report.modules

    assert (module.name, module.records, report.remarks) == ("pets", 6, ())
    assert [(each.name, each.type, each.filled) for each in module.fields] == [
        ("name", "text", 6), ("born", "date", 3), ("price", "money", 3), ("tail", "text", 0),
    ]  # fmt: skip
    assert [each.asked for each in module.fields] == [True, False, False, False]


def test_a_filter_that_nubetis_did_not_write_speaks_of_no_field(nubetis_session, lint):
    number = int(nubetis_session.schema.module("leads").id)
    nubetis_session.create("holds", reason="x", module=number, where="no JSON", since=nubetis_session.now())
    assert codes(lint([], [])) == []


def test_a_retired_field_is_judged_no_more(nubetis_org, nubetis_session, lint):
    assert codes(lint([field("old")], [{} for _ in range(6)])) == [("field_unused", "old")]
    nubetis_org.alter(nubetis_org.schema.retire_field("pets", "old"))
    assert codes(lint_schema(nubetis_session, modules=["pets"], least=5)) == []


def test_all_modules_but_nubetis_own_are_judged_where_none_is_named(nubetis_session):
    own = [each.name for each in nubetis_session.schema.modules if not each.system]
    assert own == [each.name for each in lint_schema(nubetis_session).modules]
    with refusing("unknown_module", NotFound):
        lint_schema(nubetis_session, modules=["pest"])


def test_a_report_is_a_frozen_value(lint):
    report = lint([field("bare")], [{} for _ in range(6)])
    assert attrs.evolve(report) == report
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        report.remarks = ()


def test_memory_does_not_grow_with_the_records():
    """Ten times as many records, with values that all differ, take no more."""

    class Door:
        """A door with as many records as wanted."""

        def __init__(self, schema, batches):
            self.schema, self.batches = schema, batches

        def stream(self, module, *, fields):
            for number in range(self.batches if module == "pets" else 0):
                yield tuple([[f"{name} {number} {n}" for n in range(200)] for name in fields])

    def peak(batches):
        schema = SYSTEM_SCHEMA.with_module(Module(name="pets", fields=[field("name"), field("race")]))
        tracemalloc.start()
        assert lint_schema(Door(schema, batches), modules=["pets"]).modules[0].records == 200 * batches
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found

    peak(2)
    assert peak(50) < 1.5 * peak(5)


@given(st.integers(-(10**17), 10**17))
def test_whatever_number_is_written_reads_as_one(number):
    assert {"integer", "decimal"} >= reads_as(str(number)) >= {"integer"}


@given(st.dates())
def test_whatever_day_is_written_reads_as_one(day):
    assert "date" in reads_as(day.isoformat())
    assert "date" in reads_as(f"{day.day}/{day.month}/{day.year:04}")


def test_a_remark_is_said_in_spanish():
    params = {"field": "peso", "type": "text", "filled": 20, "kind": "decimal"}
    remark = Remark(code="field_drifted", module="products", field="peso", params=params)

    assert phrase(str(remark), "es") == "peso es texto, y sus 20 valores se leen todos como decimal."
    assert phrase(remark.remedy, "es").startswith("Haga un campo nuevo")


@pytest.mark.parametrize("code", REMARKS)
def test_each_remark_can_be_said_in_other_languages(code):
    assert set(REMARKS[code]) <= set(PHRASES)
    filled = dict.fromkeys(("records", "field", "type", "filled", "kind", "distinct", "other"), "x")
    assert "{" not in sentence(REMARKS[code][0], filled)
    assert Remark(code=code, module="leads").remedy == REMARKS[code][1]


@pytest.mark.parametrize("start", ["a@", "a@a", "1", "+1", "1,", "http://", "1/1/2000 ", "(01)"])
@pytest.mark.parametrize("many", [".", "a.", "1", " ", "1,", "-", "(1) ", "@"])
def test_what_a_long_text_reads_as_takes_no_time(start, many):
    """Twice as long takes twice as long, whatever somebody wrote there: a hundred thousand in less than a second."""
    began = time.process_time()
    reads_as(start + many * (100_000 // len(many)) + "@ x")

    assert time.process_time() - began < 1
