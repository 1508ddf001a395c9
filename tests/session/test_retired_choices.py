"""A choice that is retired stays with the records that have it, and comes to no other."""

from __future__ import annotations

import attrs
import pytest

import nubetis
from nubetis import F, Field
from nubetis.data import Survivor, load, merge
from nubetis.errors import InvalidValue, PlanDrifted, Refused
from nubetis.model.fields import Choice
from nubetis.model.kinds import kind
from nubetis.session import past
from tests.stores import refusing

ROADS = {
    "create": lambda s, other, value: s.create("deals", name="n", q=value),
    "edit": lambda s, other, value: s.edit(other, q=value),
    "plan_create": lambda s, other, value: s.apply(s.plan_create("deals", [{"name": "n", "q": value}])),
    "plan_update": lambda s, other, value: s.apply(s.plan_update("deals", F.id == other.id, q=value)),
    "plan_edits": lambda s, other, value: s.apply(s.plan_edits("deals", {other.id: {"q": value}})),
}


@pytest.fixture(params=["choice", "multi_choice"])
def org(nubetis_org, request):
    """Give an organisation whose deals have a field q with the choices a, b and c."""
    nubetis_org.add_field("deals", Field(name="q", type=kind(request.param), choices=("a", "b", "c")))
    return nubetis_org


def retire(org, *names):
    field = org.schema.module("deals").field("q")
    choices = [attrs.evolve(each, retired=each.value in names) for each in field.choices]
    org.alter(org.schema.with_field("deals", attrs.evolve(field, choices=choices)))


def of(org, *names):
    """Give the value of q that chooses *names*; of a field of one choice, the first."""
    return names[0] if org.schema.module("deals").field("q").type.name == "choice" else names


@pytest.mark.parametrize("road", ROADS)
def test_it_comes_to_no_other_record(org, nubetis_session, road):
    """On no road; what is left to choose from is said."""
    has, other = [nubetis_session.create("deals", name="x", q=of(org, each)) for each in "ab"]
    retire(org, "a")
    with refusing("retired_choice", match="Choices: b, c") as caught:
        ROADS[road](nubetis_session, other, of(org, "a", "b"))

    assert isinstance(caught.value, InvalidValue | Refused)
    found = {each.id: each["q"] for each in nubetis_session.find("deals")}
    assert found == {has.id: of(org, "a"), other.id: of(org, "b")}


def test_who_has_it_keeps_it(org, nubetis_session):
    """He is edited, deleted, restored and found; what he has may be written once more, and another beside it."""
    has = nubetis_session.create("deals", name="x", q=of(org, "a"))
    retire(org, "a")
    nubetis_session.edit(has.id, name="y", q=of(org, "a"))
    nubetis_session.edit(has.id, q=of(org, "a", "b"))
    nubetis_session.delete(has.id)
    nubetis_session.restore(has.id)
    asked = F.q == "a" if of(org, "a") == "a" else F.q.any_of("a")

    assert nubetis_session.get(has.id)["q"] == of(org, "a", "b")
    assert nubetis_session.count("deals", asked) == 1
    assert org.check() == []


@pytest.mark.parametrize("survivor", Survivor)
def test_who_is_merged_into_another_leaves_it_behind(org, nubetis_session, survivor):
    """The merge goes through; whoever had it lies in the recycle bin with it."""
    master = nubetis_session.create("deals", name="x")
    loser = nubetis_session.create("deals", name="x", q=of(org, "a", "b"), next_step="call")
    retire(org, "a")
    operation = merge(nubetis_session, master.id, [loser.id], survivor=survivor)
    left = of(org, "b") if of(org, "a", "b") != "a" else None

    assert (nubetis_session.get(master.id)["q"], nubetis_session.get(master.id)["next_step"]) == (left, "call")
    nubetis_session.undo(operation)
    assert nubetis_session.get(loser.id)["q"] == of(org, "a", "b")


@pytest.mark.parametrize("survivor", Survivor)
def test_a_master_that_has_it_keeps_it(org, nubetis_session, survivor):
    master = nubetis_session.create("deals", name="x", q=of(org, "a"))
    loser = nubetis_session.create("deals", name="x", q=of(org, "a"))
    retire(org, "a")
    merge(nubetis_session, master.id, [loser.id], survivor=survivor)

    assert nubetis_session.get(master.id)["q"] == of(org, "a")


def test_what_was_comes_back(org, nubetis_session):
    """To take back is not to choose: undo gives the record what it had."""
    has = nubetis_session.create("deals", name="x", q=of(org, "a"))
    nubetis_session.edit(has.id, q=of(org, "b"))
    retire(org, "a")
    with refusing("retired_choice"):
        nubetis_session.edit(has.id, q=of(org, "a"))
    nubetis_session.undo(next(each for each in past.operations(nubetis_session) if each.cause.kind == "user"))

    assert nubetis_session.get(has.id)["q"] == of(org, "a")


def test_it_may_be_chosen_again_once_it_is_back(org, nubetis_session):
    retire(org, "a", "c")
    retire(org, "c")

    assert nubetis_session.create("deals", name="x", q=of(org, "a"))["q"] == of(org, "a")


def test_a_row_of_a_file_that_chooses_it_is_refused_by_its_line(org, nubetis_session):
    retire(org, "a")
    report = load(nubetis_session, nubetis.read(b"name,q\nx,b\ny,a\n"), module="deals")

    assert [(each.line, each.field, each.code) for each in report.rejected] == [(3, "q", "retired_choice")]
    assert [each["name"] for each in nubetis_session.find("deals")] == ["x"]


def test_a_plan_made_before_chooses_nothing_any_more(org, nubetis_session):
    plan = nubetis_session.plan_create("deals", [{"name": "x", "q": of(org, "a")}])
    retire(org, "a")
    with refusing("outdated", PlanDrifted):
        nubetis_session.apply(plan)
    assert nubetis_session.count("deals") == 0


def test_a_default_is_not_retired(org):
    """Every creation would be refused."""
    field = org.schema.module("deals").field("q")
    org.alter(org.schema.with_field("deals", attrs.evolve(field, default=of(org, "a"))))
    with refusing("bad_argument", InvalidValue, match="q would begin with a choice that is retired"):
        retire(org, "a")
    retire(org, "b")
    with refusing("bad_argument", InvalidValue):
        org.add_field("deals", Field(name="w", type=kind("choice"), choices=(Choice("a", retired=True),), default="a"))
