"""Retention: rules say what goes, a plan says which records, and what is applied is just that."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nubetis import F
from nubetis.errors import AccessDenied, Cancelled, NotFound, PlanDrifted
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, ME
from nubetis.model.kinds import kind
from nubetis.model.plan import CauseKind, OperationState
from nubetis.session import past, resuming, retaining
from nubetis.session.holding import plan_hold
from nubetis.session.retaining import Fate, Stage, plan_retention, plan_rule, retain, rules
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.session.stopping import stop_after
from tests.stores import refusing, state_of, values_of


def rule(session, module="leads", *, name="rule", **given):
    session.apply(plan_rule(session, module, name=name, **{"days": 30, **given}))
    return rules(session)[-1]


def leads(session, *names, **values):
    return [session.create("leads", name=name, **values).id for name in names]


def records_of(plan):
    return [change.record for change in plan.changes]


def bin_of(session):
    return {each.id for each in session.find("leads", deleted=True, limit=1000)}


def test_what_was_not_changed_for_so_long_goes_into_the_bin(nubetis_session, nubetis_clock):
    old, won = leads(nubetis_session, "old"), leads(nubetis_session, "won", company="Acme")
    rule(nubetis_session, where=~(F.company == "acme"))
    nubetis_clock.advance(days=30, seconds=1e-6)
    new = leads(nubetis_session, "new")
    plan = plan_retention(nubetis_session)
    assert (records_of(plan), plan.counts()) == (old, {"delete": 1})
    operation = nubetis_session.apply(plan)

    assert operation.digest == plan.digest
    assert (operation.cause.kind, operation.cause.detail) == (CauseKind.RULE, {"retention": ["rule"]})
    assert bin_of(nubetis_session) == set(old)
    assert {*won, *new} == {each.id for each in nubetis_session.find("leads")}
    nubetis_session.undo(operation)
    assert bin_of(nubetis_session) == set()


@pytest.mark.parametrize(("more", "gone"), [(0, 0), (1, 1)])
def test_an_age_is_reached_once_it_is_passed(nubetis_session, nubetis_clock, more, gone):
    """To the microsecond, as with purging by hand."""
    leads(nubetis_session, "a")
    rule(nubetis_session)
    nubetis_clock.advance(days=30, seconds=more * 1e-6)

    assert gone == len(plan_retention(nubetis_session))


def test_what_lies_in_the_bin_for_so_long_is_purged(nubetis_org, nubetis_session, nubetis_clock):
    old, new, live = leads(nubetis_session, "old", "new", "live")
    rule(nubetis_session, action="purge")
    nubetis_session.delete(old)
    nubetis_clock.advance(days=20)
    nubetis_session.delete(new)
    nubetis_clock.advance(days=11)
    plan = plan_retention(nubetis_session)
    assert (records_of(plan), plan.counts()) == ([old], {"purge": 1})
    nubetis_session.apply(plan)

    assert bin_of(nubetis_session) == {new}
    assert [live] == [each.id for each in nubetis_session.find("leads")]
    assert len(plan_retention(nubetis_session)) == 0
    nubetis_org.verify().require()
    assert nubetis_org.check() == []


def test_live_records_can_be_purged_at_once(nubetis_session, nubetis_clock):
    leads(nubetis_session, "a", "b")
    rule(nubetis_session, action="purge", stage="live", where=F.name == "a")
    nubetis_clock.advance(days=31)
    retain(nubetis_session)

    assert ["b"] == [each["name"] for each in nubetis_session.find("leads")]
    assert bin_of(nubetis_session) == set()


def test_what_is_under_a_hold_is_not_purged_and_is_named(nubetis_session, nubetis_clock):
    held, free = leads(nubetis_session, "held", "free")
    hold = nubetis_session.apply(plan_hold(nubetis_session, "leads", records=[held], reason="x"))
    rule(nubetis_session, action="purge")
    for each in (held, free):
        nubetis_session.delete(each)
    nubetis_clock.advance(days=31)
    plan = plan_retention(nubetis_session)

    assert records_of(plan) == [free]
    assert [(held, "legal_hold")] == [(each.record, each.code) for each in plan.warnings]
    nubetis_session.apply(plan)
    assert bin_of(nubetis_session) == {held}
    nubetis_session.undo(hold)
    assert records_of(plan_retention(nubetis_session)) == [held]


def test_what_comes_under_a_hold_after_the_plan_is_spared_and_named(nubetis_session, nubetis_clock):
    one, two = leads(nubetis_session, "one", "two")
    rule(nubetis_session, action="purge", stage="live")
    nubetis_clock.advance(days=31)
    plan = plan_retention(nubetis_session)
    nubetis_session.apply(plan_hold(nubetis_session, "leads", records=[one], reason="x"))

    assert nubetis_session.apply(plan).skipped == (one,)
    assert [one] == [each.id for each in nubetis_session.find("leads")]
    assert two not in bin_of(nubetis_session)


@pytest.mark.parametrize("move", ["restore", "edit"])
def test_what_moved_after_the_plan_is_not_purged(nubetis_session, nubetis_clock, move):
    """It is drift, as for any plan."""
    one, two = leads(nubetis_session, "one", "two")
    stage = "bin" if move == "restore" else "live"
    rule(nubetis_session, action="purge", stage=stage)
    if move == "restore":
        nubetis_session.apply(nubetis_session.plan_delete("leads", EVERYTHING))
    nubetis_clock.advance(days=31)
    plan = plan_retention(nubetis_session)
    if move == "restore":
        nubetis_session.restore(one)
    else:
        nubetis_session.edit(one, name="new")

    with refusing("drifted", PlanDrifted):
        nubetis_session.apply(plan)
    assert nubetis_session.apply(plan, tolerance=1).skipped == (one,)
    assert nubetis_session.get(one).id == one
    assert two not in {each.id for each in nubetis_session.find("leads")} | bin_of(nubetis_session)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("held", [False, True])
def test_a_purge_that_is_stopped_goes_on_where_it_was_and_heeds_holds_placed_meanwhile(
    nubetis_org, nubetis_session, nubetis_clock, held
):
    made = leads(nubetis_session, *map(str, range(8)))
    rule(nubetis_session, action="purge", stage="live")
    nubetis_clock.advance(days=31)
    seen = []
    with pytest.raises(Cancelled):
        retain(nubetis_session, progress=lambda done, total: (seen.append((done, total)), stop_after(3)(done, total)))
    assert seen == [(3, 8)]
    left = [each.id for each in nubetis_session.find("leads")]
    assert left == made[3:]
    if held:
        nubetis_session.apply(plan_hold(nubetis_session, "leads", records=[made[7]], reason="x"))
    stopped = next(each for each in past.operations(nubetis_session) if each.state is OperationState.CANCELLED)
    done = resuming.resume(nubetis_session, stopped)

    assert done.state is OperationState.DONE
    assert done.skipped == ((made[7],) if held else ())
    assert [each.id for each in nubetis_session.find("leads")] == (made[7:] if held else [])
    nubetis_org.verify().require()


def test_what_several_rules_name_goes_by_the_first(nubetis_session, nubetis_clock):
    a, b = leads(nubetis_session, "a", "b")
    rule(nubetis_session, name="first", where=F.name == "a")
    rule(nubetis_session, name="second", action="purge", stage="live")
    nubetis_clock.advance(days=31)
    plan = plan_retention(nubetis_session)

    assert [(a, "delete"), (b, "purge")] == [(each.record, each.kind.value) for each in plan.changes]


def test_a_rule_that_is_not_active_is_asked_only_by_name(nubetis_session, nubetis_clock):
    leads(nubetis_session, "a")
    made = rule(nubetis_session)
    nubetis_session.edit(made.id, active=False)
    nubetis_clock.advance(days=31)

    assert len(plan_retention(nubetis_session)) == 0
    assert len(plan_retention(nubetis_session, names=["rule"])) == 1
    with refusing("not_found", NotFound):
        plan_retention(nubetis_session, names=["rule", "other"])


def test_a_rule_is_a_value_that_comes_back(nubetis_session):
    made = rule(nubetis_session, name="old", where=F.company == "acme", days=7, action="purge")

    assert (made.name, made.module, made.where, made.days) == ("old", "leads", F.company == "acme", 7)
    assert (made.action, made.stage, made.active) == (Fate.PURGE, Stage.BIN, True)


# -- what cannot be ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"where": F.owner == ME}, "filter_context"),
        ({"where": F.nowhere == 1}, "unknown_field"),
        ({"days": 0}, "bad_argument"),
        ({"days": -1}, "bad_argument"),
        ({"days": 10**9}, "bad_argument"),
        ({"days": True}, "bad_argument"),
        ({"action": "keep"}, "bad_argument"),
        ({"stage": "bin"}, "bad_argument"),
        ({"module": "modules", "action": "purge"}, "bad_argument"),
        ({"module": "changes", "action": "purge"}, "bad_argument"),
        ({"module": "users"}, "bad_argument"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_when_it_is_planned(nubetis_session, given, code):
    with refusing(code):
        plan_rule(nubetis_session, **{"module": "leads", "name": "x", "days": 1, **given})


BROKEN = [
    {"where": "no JSON"}, {"where": "[1"}, {"where": "[" * 3000}, {"days": -1}, {"module": 999_999}, {"stage": "bin"},
    {"where": '{"field": "nowhere", "is": "is empty"}'},
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: str(broken)[:40])
def test_a_rule_that_nobody_could_follow_is_refused_by_every_road(nubetis_session, broken):
    """By hand, too; and it stays what it was."""
    made = rule(nubetis_session)
    values = dict(nubetis_session.get(made.id)) | {"name": "other"} | broken
    roads = [
        lambda: nubetis_session.edit(made.id, broken),
        lambda: nubetis_session.apply(nubetis_session.plan_update("retention_rules", EVERYTHING, broken)),
        lambda: nubetis_session.create("retention_rules", values_of(values)),
    ]
    for road in roads:
        with refusing("bad_retention", match="cannot be followed"):
            road()
    assert rules(nubetis_session) == [made]


def stored_so(monkeypatch, session, broken):
    """Store a rule as an earlier version, or another program, might have."""
    made = rule(session, name="broken")
    with monkeypatch.context() as patched:
        patched.setattr(retaining, "_check", lambda *_: None)
        patched.setattr(retaining, "_SAID", frozenset())
        session.edit(made.id, broken)
    return made.id


@pytest.mark.parametrize("broken", BROKEN, ids=lambda broken: str(broken)[:40])
def test_a_rule_that_can_no_longer_be_followed_is_named_and_the_others_are(
    nubetis_session, nubetis_clock, monkeypatch, broken
):
    old = leads(nubetis_session, "a")
    made = stored_so(monkeypatch, nubetis_session, broken)
    rule(nubetis_session, name="good")
    nubetis_clock.advance(days=31)
    plan = plan_retention(nubetis_session)

    assert [("bad_retention", made)] == [(each.code, each.record) for each in plan.warnings]
    assert "broken cannot be followed: " in str(plan.warnings[0])
    assert records_of(plan) == old
    assert [bool(each.fault) for each in rules(nubetis_session)] == [True, False]
    assert len(plan_retention(nubetis_session, names=["broken"])) == 0
    assert nubetis_session.apply(plan).position == 1


def test_a_rule_of_which_a_field_is_gone_can_be_put_out_of_action(nubetis_org, nubetis_session, nubetis_clock):
    nubetis_org.add_field("leads", Field(name="shade", type=kind("text")))
    made = rule(nubetis_session, where=F.shade == "x")
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "shade"))
    nubetis_clock.advance(days=31)

    assert [made.id] == [each.record for each in plan_retention(nubetis_session).warnings]
    with refusing("bad_retention"):
        nubetis_session.edit(made.id, days=3)
    nubetis_session.edit(made.id, active=False)
    assert plan_retention(nubetis_session).warnings == ()
    nubetis_session.delete(made.id)


def test_a_rule_may_name_a_user(nubetis_session):
    """Who that is is asked when the rule is."""
    made = rule(nubetis_session, where=F.owner == "admin")

    assert nubetis_session.edit(made.id, days=3)["days"] == 3


def test_only_administrators_make_and_follow_rules(nubetis_org, nubetis_session):
    rule(nubetis_session)
    (ana,) = nubetis_org.people("ana")

    for call in (lambda: plan_rule(ana, "leads", name="x", days=1), lambda: rules(ana), lambda: plan_retention(ana)):
        with refusing("denied", AccessDenied):
            call()
    with refusing("denied", AccessDenied):
        ana.apply(plan_rule(nubetis_session, "leads", name="x", days=1))


# -- what is planned is what is done ----------------------------------------------------------------------------------
ACTS = st.lists(
    st.tuples(st.sampled_from(["create", "edit", "delete", "hold"]), st.integers(0, 5), st.integers(0, 40)), max_size=12
)
RULES = st.tuples(st.sampled_from([("bin", "live"), ("purge", "bin"), ("purge", "live")]), st.integers(1, 60))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS, wanted=RULES)
def test_a_plan_names_exactly_what_goes_and_nothing_that_is_held(acts, wanted):
    """Before and after differ by the records of the plan; a model in Python says which these are."""
    (action, stage), days = wanted
    clock = FixedClock()
    with make_org(clock=clock) as org, org.administrator() as session:
        model = _played(session, clock, acts)
        session.apply(plan_rule(session, "leads", name="rule", days=days, action=action, stage=stage))
        before, limit = state_of(session), clock() - timedelta(days=days)
        wanted_now = {
            each for each, (gone, at, held) in model.items()
            if gone is (stage == "bin") and at < limit and not (held and action == "purge")
        }  # fmt: skip
        plan = plan_retention(session)
        assert set(records_of(plan)) == wanted_now
        session.apply(plan)
        after = state_of(session)

    kept = {each: found for each, found in before.items() if each not in wanted_now}
    assert kept == {each: found for each, found in after.items() if each not in wanted_now}
    assert {each for each in wanted_now if each in after} == (wanted_now if action == "bin" else set())


def _played(session, clock, acts):
    """Do *acts*; give of each lead whether it is in the bin, when it was last changed, and whether it is held."""
    model = {}
    for act, number, days in acts:
        clock.advance(days=days)
        target = list(model)[number] if number < len(model) else None
        if act == "create" or target is None:
            model[session.create("leads", name="x").id] = (False, clock(), False)
        elif act == "hold":
            session.apply(plan_hold(session, "leads", reason="x", records=[target]))
            model[target] = (*model[target][:2], True)
        elif not model[target][0]:
            if act == "edit":
                session.edit(target, company=f"{clock()}{len(model)}{number}{days}")
            else:
                session.delete(target)
            model[target] = (act == "delete", clock(), model[target][2])
    return model


def test_where_no_record_is_old_enough_there_is_no_operation(nubetis_session):
    leads(nubetis_session, "a")
    rule(nubetis_session)
    before = past.operations(nubetis_session)

    assert retain(nubetis_session) is None
    assert past.operations(nubetis_session) == before
