"""Undo takes an operation back field by field; what somebody else changed since stays and is named."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import NotFound
from nubetis.model.filters import EVERYTHING
from nubetis.model.plan import Cause, CauseKind, Plan
from nubetis.session import past
from tests.stores import refusing, state_of

MODULES = ("leads", "contacts", "accounts", "deals", "tasks")


def world(session):
    """Make two leads, an account and a contact of it; give them by name."""
    account = session.create("accounts", name="Acme")
    found = {"account": account, "contact": session.create("contacts", last_name="Peña", account=account.id)}
    return found | {name: session.create("leads", name=name, company="Old") for name in ("a", "b")}


def merge(session, records):
    """Do what a merge does: move links, fill fields, delete the loser, all in one plan."""
    one, two = records["a"], records["b"]
    task = session.create("tasks", subject="Call", about=two.id)
    fill = session.plan_edits("leads", {one.id: {"company": "Merged"}})
    move = session.plan_edits("tasks", {task.id: {"about": one.id}})
    gone = session.plan_delete("leads", F.name == "b")
    return Plan(cause=Cause(CauseKind.MERGE), parts=(*fill.parts, *move.parts, *gone.parts))


PLANS = {
    "create": lambda s, w: s.plan_create("leads", [{"name": "x"}, {"name": "y"}]),
    "create linked": lambda s, w: s.plan_create("contacts", [{"last_name": "Paz", "account": w["account"].id}]),
    "update": lambda s, w: s.plan_update("leads", EVERYTHING, company="New", tags=["x", "y"]),
    "empty": lambda s, w: s.plan_update("leads", EVERYTHING, company=None),
    "edits": lambda s, w: s.plan_edits("leads", {w["a"].id: {"company": "1"}, w["b"].id: {"description": "2"}}),
    "delete": lambda s, w: s.plan_delete("leads", F.name == "a"),
    "merge": merge,
}


@pytest.mark.parametrize("kind", PLANS)
def test_undo_after_apply_is_identity_on_values(nubetis_session, kind):
    """What was there before is there again; what was made lies in the recycle bin."""
    records = world(nubetis_session)
    plan = PLANS[kind](nubetis_session, records)
    before = state_of(nubetis_session, *MODULES)
    undo = nubetis_session.undo(nubetis_session.apply(plan))
    after = state_of(nubetis_session, *MODULES)

    assert (undo.kept, undo.failed) == ((), ())
    assert {change.record for change in plan.changes} == set(undo.reversed)
    assert before == {name: value for name, value in after.items() if name in before}
    assert all(deleted for name, (deleted, _) in after.items() if name not in before)


@pytest.mark.parametrize("kind", PLANS)
def test_undo_of_undo_is_the_operation_again(nubetis_session, kind):
    """An undo is an operation as any other, and three times is as one."""
    operation = nubetis_session.apply(PLANS[kind](nubetis_session, world(nubetis_session)))
    applied = state_of(nubetis_session, *MODULES)
    undo = nubetis_session.undo(operation)
    undone = state_of(nubetis_session, *MODULES)
    again = nubetis_session.undo(undo.operation)

    assert applied == state_of(nubetis_session, *MODULES)
    nubetis_session.undo(again.operation)
    assert undone == state_of(nubetis_session, *MODULES)


def test_an_undo_names_what_it_undoes(nubetis_session):
    """The cause and the operation undone stand in the journal."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": "x"}]))
    nubetis_session.undo(operation)
    latest = past.operations(nubetis_session, limit=1)[0]

    assert (CauseKind.UNDO, operation.key) == (latest.cause.kind, latest.undo_of)
    assert {"operation": operation.id} == dict(latest.cause.detail)


def test_a_field_changed_since_stays_and_is_named_the_others_go_back(nubetis_org, nubetis_session):
    """Undo is by field: what nobody touched is set back, what somebody changed is kept, with the field's name."""
    lead = nubetis_session.create("leads", name="x", company="Old", description="Old")
    operation = nubetis_session.apply(
        nubetis_session.plan_edits("leads", {lead.id: {"company": "New", "description": "New"}})
    )
    nubetis_org.administrator().edit(lead.id, company="Theirs")
    undo = nubetis_session.undo(operation)
    now = nubetis_session.get(lead)

    assert (now["company"], now["description"]) == ("Theirs", "Old")
    assert [(lead.id, "company", "stale")] == [(kept.record, kept.field, kept.code) for kept in undo.kept]


def test_a_field_changed_and_changed_back_counts_as_untouched(nubetis_session):
    """What has the operation's value is the operation's."""
    lead = nubetis_session.create("leads", name="x", company="Old")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "New"}}))
    nubetis_session.edit(lead.id, description="other field")
    undo = nubetis_session.undo(operation)

    assert undo.kept == ()
    assert nubetis_session.get(lead)["company"] == "Old"


def test_a_preview_of_an_undo_writes_nothing_and_says_the_same(nubetis_org, nubetis_session):
    """plan_undo names what would be kept."""
    lead = nubetis_session.create("leads", name="x", company="Old")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "New"}}))
    nubetis_org.administrator().edit(lead.id, company="Theirs")
    preview = past.plan_undo(nubetis_session, operation)

    assert nubetis_session.get(lead)["company"] == "Theirs"
    assert preview.warnings == nubetis_session.undo(operation).kept


def test_a_record_that_was_touched_since_it_was_made_is_kept(nubetis_session):
    """Undoing a creation does not throw away later work."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": "x"}, {"name": "y"}]))
    touched = nubetis_session.find("leads", F.name == "x")[0]
    nubetis_session.edit(touched, company="Acme")
    undo = nubetis_session.undo(operation)

    assert [(touched.id, "stale")] == [(kept.record, kept.code) for kept in undo.kept]
    assert [record["name"] for record in nubetis_session.find("leads")] == ["x"]


def test_a_record_that_others_link_to_is_kept(nubetis_session):
    """Undoing a creation leaves no link that leads nowhere."""
    operation = nubetis_session.apply(nubetis_session.plan_create("accounts", [{"name": "x"}, {"name": "y"}]))
    account = nubetis_session.find("accounts", F.name == "x")[0]
    nubetis_session.create("contacts", last_name="Paz", account=account.id)
    undo = nubetis_session.undo(operation)

    assert [(account.id, "referenced")] == [(kept.record, kept.code) for kept in undo.kept]
    assert [record["name"] for record in nubetis_session.find("accounts")] == ["x"]


def test_a_link_to_one_of_several_modules_holds_its_record_only(nubetis_session):
    """The same number in another module is another record."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": "x"}]))
    lead = nubetis_session.find("leads")[0]
    nubetis_session.create("tasks", subject="Call", about=lead.id)

    assert [kept.code for kept in nubetis_session.undo(operation).kept] == ["referenced"]


def test_records_made_together_do_not_hold_each_other(nubetis_session):
    """Links inside one transaction do not keep it from being undone."""

    def work(session):
        account = session.plan_create("accounts", [{"name": "x"}])
        return session.apply(account)

    parent = nubetis_session.create("accounts", name="p")
    plan = nubetis_session.plan_create("accounts", [{"name": "x", "parent": parent.id}])
    operation = nubetis_session.apply(plan)

    assert nubetis_session.undo(operation).kept == ()
    assert nubetis_session.undo(nubetis_session.unit(work)).kept == ()


def test_undoing_twice_does_nothing_the_second_time(nubetis_session):
    """What is back already is not set back again, nor reported as somebody else's."""
    lead = nubetis_session.create("leads", name="x", company="Old")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "New"}}))
    nubetis_session.undo(operation)
    nubetis_session.undo(operation)

    assert nubetis_session.get(lead)["company"] == "Old"


def test_a_deleted_record_that_was_purged_or_restored_since_is_kept(nubetis_session):
    """The way back out of the recycle bin was somebody else's."""
    lead = nubetis_session.create("leads", name="x")
    operation = nubetis_session.delete(lead)
    nubetis_session.restore(lead.id)
    undo = nubetis_session.undo(operation)

    assert [(lead.id, "stale")] == [(kept.record, kept.code) for kept in undo.kept]


def test_undo_of_a_deletion_whose_unique_value_was_taken_fails_by_name(nubetis_session):
    """Restoring re-checks what must be unique; the rest of the operation goes back."""
    nubetis_session.apply(
        nubetis_session.plan_create("products", [{"name": "a", "code": "1"}, {"name": "b", "code": "2"}])
    )
    operation = nubetis_session.apply(nubetis_session.plan_delete("products", EVERYTHING))
    nubetis_session.create("products", name="c", code="1")
    undo = nubetis_session.undo(operation)

    assert [failed.code for failed in undo.failed] == ["not_unique"]
    assert [record["name"] for record in nubetis_session.find("products", sort="name")] == ["b", "c"]


def test_one_undoes_ones_own_operations_only(nubetis_org, nubetis_session):
    """Another's operation is none, unless one is an administrator."""
    luis, ana = nubetis_org.people("luis", "ana")
    lead = ana.create("leads", name="x")
    operation = past.operations(ana, limit=1)[0]

    with refusing("no_operation", NotFound):
        luis.undo(operation)
    assert (lead.id,) == nubetis_session.undo(operation).reversed


def test_one_cannot_undo_into_a_record_one_may_no_longer_edit(nubetis_org, nubetis_session):
    """Undo is limited by the rights of the one who undoes, as they are now."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="x", company="Old")
    operation = ana.apply(ana.plan_edits("leads", {lead.id: {"company": "New"}}))
    nubetis_session.edit(lead.id, owner="admin")
    undo = ana.undo(operation)

    assert [failed.code for failed in undo.failed] == ["undo_foreign"]
    assert nubetis_session.get(lead)["company"] == "New"


def test_the_last_entry_of_a_long_operation_is_undone_with_the_first(nubetis_session, small_chunks):
    """An operation of many transactions is taken back as a whole."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": str(n)} for n in range(10)]))
    edited = nubetis_session.apply(nubetis_session.plan_update("leads", EVERYTHING, company="x"))
    nubetis_session.undo(edited)

    assert nubetis_session.count("leads", F.company.is_empty()) == 10
    assert len(nubetis_session.undo(edited).reversed) == 10 or nubetis_session.count("leads") == 10
    assert len(nubetis_session.undo(operation).kept) == 10
