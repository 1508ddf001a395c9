"""Rules on values that no index serves are named, with the field of which one would."""

from __future__ import annotations

import pytest

from nubetis.access.advice import Advice, advice
from nubetis.access.directory import Roster
from nubetis.access.sharing import EVERYBODY, Level, Rule
from nubetis.errors import AccessDenied
from nubetis.model.filters import F
from nubetis.model.standard import base_schema
from nubetis.session.advising import advise
from nubetis.session.sharing import plan_share_rule

SCHEMA = base_schema()
DEALS = SCHEMA.module("deals")


def advised(where):
    rule = Rule(key=1, name="won", module=DEALS.id, target=EVERYBODY, level=Level.READ, where=where)
    return [each.fields for each in advice(Roster(rules=(rule,)), SCHEMA)]


@pytest.mark.parametrize(
    "where",
    [F.stage == "won", F.stage.in_(["won", "lost"]), (F.stage == "won") & (F.source == "web"),
     (F.stage == "won") | (F.name == "Acme"), F.name.starts_with("Ac"), F.owner == "ana"],
)  # fmt: skip
def test_what_an_index_serves_is_not_named(where):
    assert advised(where) == []


@pytest.mark.parametrize(
    ("where", "fields"),
    [
        (F.source == "web", ("source",)),
        ((F.source == "web") & (F.probability > 50), ("source", "probability")),
        ((F.stage == "won") | (F.source == "web"), ("source",)),
        (F.name.contains("cm"), ()),
        (~(F.stage == "won"), ()),
    ],
)
def test_what_no_index_serves_is_named_with_the_fields_that_would_do(where, fields):
    assert advised(where) == [fields]


def test_rules_that_ask_for_the_same_are_said_together():
    rules = [
        Rule(key=key, name=f"r{key}", module=DEALS.id, target=EVERYBODY, level=Level.READ, where=F.source == value)
        for key, value in ((1, "web"), (2, "event"))
    ]
    (found,) = advice(Roster(rules=tuple(rules)), SCHEMA)
    assert found == Advice(module="deals", rules=("r1", "r2"), fields=("source",))
    assert str(found) == "deals: index source, for which r1, r2 ask"


def test_whoever_may_explain_access_is_advised(nubetis_session, nubetis_org):
    nubetis_session.apply(plan_share_rule(nubetis_session, "web", "deals", where=F.source == "web", target="everybody"))
    assert [each.fields for each in advise(nubetis_session)] == [("source",)]
    (luis,) = nubetis_org.people("luis: Rep")
    with pytest.raises(AccessDenied):
        advise(luis)
