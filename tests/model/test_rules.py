"""Validation rules: a filter and a message, asked of what a record would be."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given

from nubetis.errors import InvalidFilter
from nubetis.hookspecs import PROJECT
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.evaluate import matcher
from nubetis.model.filters import TODAY, F
from nubetis.model.ids import decode
from nubetis.model.money import Money
from nubetis.model.plan import ChangeKind, Creates, Edits, Plan
from nubetis.model.rules import ValidationRules
from nubetis.model.schema import ValidationRule
from nubetis.model.standard import base_schema
from nubetis.testing.strategies import filters, rows
from tests.rows import row_of

SCHEMA = base_schema()
NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
WON_WITHOUT_AMOUNT = ValidationRule(
    name="amount", where=(F.stage == "won") & F.amount.is_empty(), message="A won deal has an amount."
)


def ruled(*rules):
    """Give the schema with *rules* on deals, and that module."""
    schema = SCHEMA.with_module(attrs.evolve(SCHEMA.module("deals"), rules=rules))
    return schema, schema.module("deals")


def refused(part, *, schema, at=NOW):
    return list(ValidationRules().nubetis_validate(Plan(parts=(part,), schema=schema, at=at)))


def keys_of(refusals):
    return [decode(each.record)[1] for each in refusals]


def test_a_new_record_that_breaks_a_rule_is_refused_with_its_message():
    schema, deals = ruled(WON_WITHOUT_AMOUNT)
    part = Creates(deals, [row_of(deals, 1, stage="won"), row_of(deals, 2, stage="open")])
    (refusal,) = refused(part, schema=schema)
    assert ("bad_rule", "deals", 1) == (refusal.code, refusal.module, decode(refusal.record)[1])
    assert str(refusal).endswith(": A won deal has an amount.")


def test_a_record_is_judged_as_it_would_be_after_the_change():
    """Not as it is: the stage comes with the change, the amount was there before."""
    schema, deals = ruled(WON_WITHOUT_AMOUNT)
    found = [
        row_of(deals, 1, stage="open"),
        row_of(deals, 2, stage="open", amount=Money("5", "PEN", home="5")),
        row_of(deals, 3, stage="won"),
    ]
    to_won = Edits(deals, found, (deals.field("stage"),), [("won",)] * 3)
    assert [1, 3] == keys_of(refused(to_won, schema=schema))


def test_a_change_that_mends_a_broken_record_is_allowed():
    schema, deals = ruled(WON_WITHOUT_AMOUNT)
    mends = Edits(deals, [row_of(deals, 1, stage="won")], (deals.field("amount"),), [(500, "PEN", 500)])
    assert [] == refused(mends, schema=schema)


@pytest.mark.parametrize("kind", [ChangeKind.DELETE, ChangeKind.RESTORE, ChangeKind.PURGE])
def test_what_only_leaves_or_comes_back_is_not_judged(kind):
    """Otherwise a rule made later would keep what breaks it from being deleted."""
    schema, deals = ruled(WON_WITHOUT_AMOUNT)
    assert [] == refused(Edits(deals, [row_of(deals, 1, stage="won")], kind=kind), schema=schema)


def test_each_broken_rule_speaks_for_itself():
    nameless = ValidationRule(name="name", where=F.name.is_empty(), message="A deal has a name.")
    schema, deals = ruled(WON_WITHOUT_AMOUNT, nameless)
    part = Creates(deals, [row_of(deals, 1, stage="won"), row_of(deals, 2)])
    said = [(decode(each.record)[1], each.params["message"]) for each in refused(part, schema=schema)]
    assert [(1, "A won deal has an amount."), (1, "A deal has a name."), (2, "A deal has a name.")] == said


def test_a_module_without_rules_is_not_looked_at():
    schema, _ = ruled(WON_WITHOUT_AMOUNT)
    leads = schema.module("leads")
    assert [] == refused(Creates(leads, [row_of(leads, 1)]), schema=schema)


def test_days_are_counted_from_the_instant_of_the_plan():
    schema, deals = ruled(ValidationRule(name="today", where=F.closed.in_(TODAY), message="Not today."))
    part = Creates(deals, [row_of(deals, 1, closed=NOW.date())])
    assert [1] == keys_of(refused(part, schema=schema))
    assert [] == refused(part, schema=schema, at=datetime(2026, 2, 1, 12, tzinfo=UTC))


def test_text_is_compared_by_its_fold_as_everywhere():
    schema, deals = ruled(ValidationRule(name="test", where=F.name == "prueba", message="No tests."))
    part = Creates(deals, [row_of(deals, 1, name="PRUEBA"), row_of(deals, 2, name="prueba 2")])
    assert [1] == keys_of(refused(part, schema=schema))


def test_a_message_with_braces_is_said_to_the_letter():
    schema, deals = ruled(ValidationRule(name="x", where=F.name.is_empty(), message="Write {name}, 100 %"))
    (refusal,) = refused(Creates(deals, [row_of(deals, 1)]), schema=schema)
    assert str(refusal).endswith(": Write {name}, 100 %")


@given(
    filters(SCHEMA.module("products"), schema=SCHEMA, people=False),
    rows(SCHEMA.module("products"), most=5),
)
def test_a_rule_refuses_just_the_records_that_fit_its_filter(where, found):
    """A rule is a filter and has its meaning: no other reading of it exists."""
    products = attrs.evolve(SCHEMA.module("products"), rules=(ValidationRule(name="x", where=where, message="x"),))
    schema = SCHEMA.with_module(products)
    module = schema.module("products")
    fits = matcher(bind(where, module, schema, Viewpoint(now=NOW)), module.layout.full_index)
    wanted = [row[0] for row in found if fits(module.layout.fill(row))]
    assert wanted == keys_of(refused(Creates(module, found), schema=schema))


@pytest.mark.parametrize(
    ("where", "code"),
    [
        (F.account.linked(F.name == "x"), "filter_context"),
        (F.stage.changed(), "filter_context"),
        (F.stge == "won", "unknown_field"),
    ],
    ids=["linked", "changed", "unknown"],
)
def test_a_rule_that_cannot_be_asked_stops_the_plan_with_a_clear_error(where, code):
    """It never lets through what it cannot judge."""
    schema, deals = ruled(ValidationRule(name="x", where=where, message="x"))
    with pytest.raises(InvalidFilter) as caught:
        refused(Creates(deals, [row_of(deals, 1, stage="won")]), schema=schema)
    assert code == caught.value.code


def test_rules_are_registered_by_the_hook_that_plug_ins_use():
    assert hasattr(ValidationRules.nubetis_validate, f"{PROJECT}_impl")
