"""Merging: one plan, links follow, and undo takes everything back."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import F, HostSignIn
from nubetis.data import Survivor, best_master, merge, plan_merge, side_by_side
from nubetis.errors import Conflict, InvalidValue, NotFound, PlanDrifted
from nubetis.model.fields import Field
from nubetis.model.kinds import Address, kind
from nubetis.model.plan import Refusal
from nubetis.session import applying, past
from nubetis.session.planning import without
from tests.stores import refusing

COUNTED = ("version", "modified_at", "modified_by")


def state(session):
    """Give everything that the records of all modules hold, without what counts and dates writings."""
    return {
        (record.id, name): record[name]
        for module in session.schema.modules
        if not module.system
        for record in session.find(module.name, limit=1000)
        for name in record
        if name not in COUNTED
    }


@pytest.fixture
def twins(nubetis_session):
    """Give two accounts that are one, and a contact and a deal of the second."""
    s = nubetis_session
    first = s.create("accounts", name="Acme", phone="5550101", tags=("a",))
    second = s.create("accounts", name="ACME S.A.", website="https://acme.pe", phone="5550199", tags=("b",))
    contact = s.create("contacts", last_name="Ruiz", account=second.id)
    task = s.create("tasks", subject="Call", about=second.id)
    return first, second, contact, task


def test_the_master_keeps_its_values_and_gets_those_it_lacks(nubetis_session, twins):
    first, second, *_ = twins
    merge(nubetis_session, first, [second])
    merged = nubetis_session.get(first.id)

    assert (merged["name"], merged["phone"], merged["website"]) == ("Acme", "5550101", "https://acme.pe")
    assert merged["tags"] == ("a", "b")


def test_links_of_all_modules_lead_to_the_master(nubetis_session, twins):
    first, second, contact, task = twins
    merge(nubetis_session, first, [second])

    assert nubetis_session.get(contact.id)["account"] == first.id
    assert nubetis_session.get(task.id)["about"] == first.id
    with pytest.raises(NotFound):
        nubetis_session.get(second.id)
    assert [each.id for each in nubetis_session.find("accounts", deleted=True)] == [second.id]


def test_a_merge_is_one_plan_and_one_operation(nubetis_session, twins):
    first, second, *_ = twins
    plan = plan_merge(nubetis_session, first.id, [second.id])

    assert plan.counts() == {"update": 3, "delete": 1}
    assert (plan.cause.kind.value, plan.cause.detail) == ("merge", {"master": first.id, "losers": [second.id]})
    operation = nubetis_session.apply(plan)
    assert past.operations(nubetis_session, limit=1)[0].id == operation.id
    assert operation.changes == 4


def test_undoing_a_merge_gives_back_every_value(nubetis_session, twins):
    first, second, *_ = twins
    before = state(nubetis_session)
    operation = merge(nubetis_session, first, [second])
    assert state(nubetis_session) != before
    undone = nubetis_session.undo(operation)

    assert state(nubetis_session) == before
    assert (undone.kept, undone.failed) == ((), ())


def test_what_somebody_changed_since_stays_when_a_merge_is_undone(nubetis_session, twins):
    first, second, contact, _ = twins
    operation = merge(nubetis_session, first, [second])
    nubetis_session.edit(first.id, website="https://new.pe")
    undone = nubetis_session.undo(operation)

    assert nubetis_session.get(first.id)["website"] == "https://new.pe"
    assert [each.record for each in undone.kept] == [first.id]
    assert nubetis_session.get(contact.id)["account"] == second.id


def test_the_newest_value_may_win(nubetis_session, nubetis_clock, twins):
    first, second, *_ = twins
    nubetis_clock.advance(minutes=1)
    nubetis_session.edit(second.id, phone="5550000")
    merge(nubetis_session, first, [second.id], survivor=Survivor.NEWEST)

    assert nubetis_session.get(first.id)["phone"] == "5550000"


def test_values_that_are_given_go_before_all(nubetis_session, twins):
    first, second, *_ = twins
    merge(nubetis_session, first, [second], values={"name": "Acme SA", "website": None})
    merged = nubetis_session.get(first.id)

    assert (merged["name"], merged["website"]) == ("Acme SA", None)


def test_a_master_does_not_link_to_itself(nubetis_session):
    s = nubetis_session
    parent = s.create("accounts", name="Acme")
    child = s.create("accounts", name="Acme", parent=parent.id)
    merge(s, child, [parent])
    assert s.get(child.id)["parent"] is None

    other = s.create("accounts", name="Acme")
    grown = s.create("accounts", name="Acme", parent=other.id)
    merge(s, other, [grown])
    assert s.get(other.id)["parent"] is None


def test_losers_that_link_to_losers_are_deleted_once(nubetis_session):
    s = nubetis_session
    master, one = s.create("accounts", name="A"), s.create("accounts", name="B")
    two = s.create("accounts", name="C", parent=one.id)
    before = state(s)
    operation = merge(s, master, [one, two])

    assert s.count("accounts") == 1
    s.undo(operation)
    assert state(s) == before


def test_unique_values_stay_with_their_record(nubetis_session):
    s = nubetis_session
    master, loser = s.create("products", name="A"), s.create("products", name="A", code="X1")
    merge(s, master, [loser])

    assert s.get(master.id)["code"] is None


def test_a_record_changed_since_the_plan_stops_the_merge(nubetis_session, twins):
    first, second, *_ = twins
    plan = plan_merge(nubetis_session, first, [second])
    nubetis_session.edit(second.id, phone="5550000")

    with pytest.raises((PlanDrifted, Conflict)):
        nubetis_session.apply(plan)
    assert nubetis_session.get(second.id)["phone"] == "5550000"
    assert nubetis_session.count("accounts") == 2


def linked_since(session, record):
    """Give the records that link to *record* only now: one that is new, one that is old."""
    old = session.create("deals", name="Old")
    yield session.create("notes", title="New", about=record.id).id
    yield session.edit(old.id, account=record.id).id


def test_a_link_to_a_loser_made_since_the_plan_stops_the_merge(nubetis_org, nubetis_session, twins):
    """It would lead into the bin, and once that is emptied, nowhere; another plan takes it along."""
    first, second, *_ = twins
    for made in range(1, 3):
        plan = plan_merge(nubetis_session, first, [second])
        since = list(linked_since(nubetis_session, second))
        with refusing("drifted", PlanDrifted) as caught:
            nubetis_session.apply(plan)
        assert caught.value.params["count"] == 2
        assert nubetis_session.count("accounts") == 2, made
    merge(nubetis_session, first, [second])

    assert [nubetis_session.get(since[0])["about"], nubetis_session.get(since[1])["account"]] == [first.id, first.id]
    assert nubetis_org.check() == []


def test_links_made_since_are_left_within_the_tolerance_and_named(nubetis_session, twins):
    first, second, *_ = twins
    plan = plan_merge(nubetis_session, first, [second])
    since = list(linked_since(nubetis_session, second))
    operation = nubetis_session.apply(plan, tolerance=2)

    assert sorted(operation.skipped) == sorted(since)
    assert nubetis_session.get(since[0])["about"] == second.id


def test_a_merge_of_several_transactions_looks_when_the_losers_go(nubetis_session, twins, monkeypatch):
    """What it moved before is no longer linked to them."""
    monkeypatch.setattr(applying, "CHUNK", 2)
    first, second, contact, task = twins
    plan = plan_merge(nubetis_session, first, [second])

    def progress(done, of):
        if done < of and not nubetis_session.count("notes"):
            nubetis_session.create("notes", title="New", about=second.id)

    with refusing("drifted", PlanDrifted):
        nubetis_session.apply(plan, progress=progress)
    assert nubetis_session.get(task.id)["about"] == nubetis_session.get(contact.id)["account"] == second.id
    merge(nubetis_session, first, [second])
    assert nubetis_session.get(task.id)["about"] == first.id


def test_who_may_not_see_a_link_is_not_stopped_by_it(nubetis_org, nubetis_clock):
    """The plan could not move it, and its maker would learn of it."""
    ana, boss = next(nubetis_org.people("ana: Rep")), nubetis_org.administrator()
    first, second = ana.create("accounts", name="Acme"), ana.create("accounts", name="ACME")
    plan = plan_merge(ana, first, [second])
    hidden = boss.create("deals", name="D", account=second.id)
    ana.apply(plan)

    assert boss.get(hidden.id)["account"] == second.id


def test_what_was_refused_when_it_was_planned_is_known(nubetis_session, twins):
    """It stays where the rest is wanted: that it links to the loser is nothing new."""
    first, second, _, task = twins
    plan = plan_merge(nubetis_session, first, [second])
    refusal = Refusal(code="denied", params={}, module="tasks", record=task.id)
    parts = without(plan.parts, {("tasks", task.id)})
    plan = nubetis_session.state.world.vouch(attrs.evolve(plan, parts=parts, refusals=(refusal,)))
    nubetis_session.apply(plan, skip_refused=True)

    assert nubetis_session.get(task.id)["about"] == second.id


def test_only_different_records_of_one_module_are_merged(nubetis_session, twins):
    first, second, contact, _ = twins

    for losers in ([], [first], [second, second], [contact]):
        with pytest.raises(InvalidValue):
            plan_merge(nubetis_session, first, losers)


def test_a_record_that_is_not_there_is_not_found(nubetis_session, twins):
    first, second, *_ = twins
    nubetis_session.delete(second.id)

    with pytest.raises(NotFound):
        plan_merge(nubetis_session, first, [second.id])


def test_records_are_shown_side_by_side(nubetis_session, twins):
    first, second, *_ = twins
    shown = side_by_side([first, second], nubetis_session.schema.module("accounts"))

    assert shown["name"] == ("Acme", "ACME S.A.")
    assert shown["website"] == (None, "https://acme.pe")
    assert "industry" not in shown


def test_the_best_master_says_most_and_is_the_oldest_of_equals(nubetis_session):
    s = nubetis_session
    bare, full, twin = (s.create("accounts", name="A", **more) for more in ({}, {"phone": "5550"}, {"phone": "5551"}))

    assert best_master([bare, twin, full], s.schema.module("accounts")) == full


VALUES = st.fixed_dictionaries(
    {"last_name": st.sampled_from(["Ruiz", "Paz"])},
    optional={
        "email": st.sampled_from(["a@x.pe", "b@x.pe"]),
        "address": st.builds(Address, city=st.sampled_from(["Lima", "Cusco"])),
        "tags": st.lists(st.sampled_from(["a", "b"]), unique=True).map(tuple),
        "email_opt_out": st.booleans(),
    },
)


@given(
    st.lists(VALUES, min_size=2, max_size=6),
    st.lists(st.integers(0, 5), max_size=4),
    st.sampled_from(Survivor),
    st.randoms(use_true_random=False),
)
def test_undo_of_any_merge_is_its_inverse(people, deals, survivor, random):
    with nubetis.create("memory://", administrator="ana@acme.pe") as org, org.session(HostSignIn("ana@acme.pe")) as s:
        records = [s.create("contacts", values) for values in people]
        for place in deals:
            s.create("deals", name="D", contact=records[place % len(records)].id)
        before = state(s)
        chosen = random.sample(records, random.randint(2, len(records)))
        operation = merge(s, chosen[0], chosen[1:], survivor=survivor)

        assert s.count("contacts") == len(people) - len(chosen) + 1
        assert s.count("deals", F.contact.in_([each.id for each in chosen[1:]])) == 0
        assert s.count("deals") == len(deals)
        s.undo(operation)
        assert state(s) == before


@pytest.mark.parametrize("survivor", Survivor)
def test_what_nobody_may_write_stays_with_its_record(nubetis_org, nubetis_session, nubetis_clock, survivor):
    """A number that nubetis gave: also where the master was there before the field."""
    first = nubetis_session.create("accounts", name="Acme")
    nubetis_org.add_field("accounts", Field(name="number", type=kind("auto_number")))
    nubetis_clock.advance(hours=1)
    second = nubetis_session.create("accounts", name="Acme S.A.")
    merge(nubetis_session, first.id, [second.id], survivor=survivor)

    assert (None, 1) == (nubetis_session.get(first.id)["number"], second["number"])
