"""Undo takes an operation back field by field; what somebody else changed since stays and is named."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F
from nubetis.errors import Damaged, NotFound
from nubetis.model.fields import Field, FieldState
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.model.plan import Cause, CauseKind, Plan
from nubetis.model.store import Batch, Updates
from nubetis.model.system import CHANGES
from nubetis.session import erasing, past, undoing
from tests.stores import refusing, rows_of, state_of

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


def made_together(session, count=1):
    """Make accounts and a contact of each in one operation; give it, and the ids of both."""
    accounts = session.plan_create("accounts", [{"name": f"a{n}"} for n in range(count)])
    ids = [change.record for change in accounts.changes]
    plan = session.plan_create("contacts", [{"last_name": "Paz", "account": each} for each in ids], after=accounts)
    return session.apply(plan), ids, [each.record for each in plan.changes][count:]


def test_records_made_together_do_not_hold_each_other(nubetis_session):
    operation, _, _ = made_together(nubetis_session)

    assert nubetis_session.undo(operation).kept == ()
    assert (0, 0) == (nubetis_session.count("accounts"), nubetis_session.count("contacts"))


@pytest.mark.usefixtures("small_chunks")
def test_nor_do_those_made_in_several_transactions_of_one_operation(nubetis_session):
    operation, _, _ = made_together(nubetis_session, 5)

    assert nubetis_session.undo(operation).kept == ()
    assert (0, 0) == (nubetis_session.count("accounts"), nubetis_session.count("contacts"))


@pytest.mark.parametrize("keeps", ["touched", "linked", "handed over"])
def test_what_was_made_with_a_record_that_stays_and_links_to_it_stays_too(
    nubetis_org, nubetis_session, small_chunks, keeps
):
    """Undo leaves no link that leads nowhere."""
    (ana,) = nubetis_org.people("ana")
    operation, accounts, contacts = made_together(ana, 4)
    if keeps == "touched":
        ana.edit(contacts[0], last_name="Ríos")
    elif keeps == "linked":
        ana.create("notes", title="x", about=contacts[0])
    else:
        nubetis_session.edit(contacts[0], owner="admin")
    undo = ana.undo(operation)

    assert accounts[0] in {each.record for each in undo.kept}
    assert [accounts[0]] == [each.id for each in nubetis_session.find("accounts")]
    assert [contacts[0]] == [each.id for each in nubetis_session.find("contacts")]


def test_a_link_made_since_the_other_way_round_holds_too(nubetis_session):
    """The earlier record was touched, and so it stays; what it links to by now is the later one's own kind."""
    accounts = nubetis_session.plan_create("accounts", [{"name": "a"}])
    plan = nubetis_session.plan_create("accounts", [{"name": "b"}], after=accounts)
    one, two = (each.record for each in plan.changes)
    operation = nubetis_session.apply(plan)
    nubetis_session.edit(one, parent=two)

    assert {(one, "stale"), (two, "referenced")} == {
        (each.record, each.code) for each in nubetis_session.undo(operation).kept
    }


@pytest.mark.usefixtures("small_chunks")
def test_each_record_is_taken_back_once_however_small_the_blocks_are(nubetis_session, monkeypatch):
    monkeypatch.setattr(undoing, "BLOCK", 1)
    leads = [nubetis_session.create("leads", name=str(n), company="Old").id for n in range(4)]
    operation = nubetis_session.apply(nubetis_session.plan_update("leads", EVERYTHING, company="New"))

    assert leads == sorted(nubetis_session.undo(operation).reversed)
    assert nubetis_session.count("leads", F.company == "Old") == 4


def test_undoing_twice_does_nothing_the_second_time(nubetis_session):
    """What is back already is not set back again, nor reported as somebody else's."""
    lead = nubetis_session.create("leads", name="x", company="Old")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "New"}}))
    first = nubetis_session.undo(operation).operation
    again = nubetis_session.undo(operation)

    assert nubetis_session.get(lead)["company"] == "Old"
    assert (again.operation, again.reversed) == (None, ())
    assert past.operations(nubetis_session, limit=1) == [first]


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


def test_one_cannot_undo_into_a_record_one_may_no_longer_edit(showing, nubetis_org, nubetis_session):
    """Undo is limited by the rights of the one who undoes, as they are now; of what he still sees he is told."""
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


# -- what is not there to be set back -------------------------------------------------------------------------------
def nicknamed(org, session):
    """Make a lead whose field of its own is edited; give the lead and the operation."""
    org.add_field("leads", Field(name="nickname", type=kind("text")))
    lead = session.create("leads", name="A", nickname="old", company="Old")
    return lead, session.apply(session.plan_edits("leads", {lead.id: {"nickname": "new", "company": "New"}}))


@pytest.mark.parametrize(
    ("steps", "field", "word"),
    [(("retire_field",), "nickname", "retired"), (("retire_field", "purge_field"), None, "gone for good")],
    ids=["retired", "purged"],
)
def test_of_a_field_that_is_no_more_undo_says_so_and_takes_back_the_others(
    nubetis_org, nubetis_session, steps, field, word
):
    lead, operation = nicknamed(nubetis_org, nubetis_session)
    for step in steps:
        nubetis_org.alter(getattr(nubetis_org.schema, step)("leads", "nickname"))
    undo = nubetis_session.undo(operation)

    assert [(lead.id, field, "undo_foreign")] == [(each.record, each.field, each.code) for each in undo.failed]
    assert word in str(undo.failed[0])
    assert lead.id in str(undo.failed[0])
    assert (undo.kept, undo.reversed) == ((), (lead.id,))
    assert nubetis_session.get(lead.id)["company"] == "Old"


def test_a_field_that_was_retired_and_taken_up_again_is_set_back(nubetis_org, nubetis_session):
    lead, operation = nicknamed(nubetis_org, nubetis_session)
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "nickname"))
    retired = next(each for each in nubetis_org.schema.module("leads").fields if each.name == "nickname")
    nubetis_org.alter(nubetis_org.schema.with_field("leads", attrs.evolve(retired, state=FieldState.ACTIVE)))

    assert nubetis_session.undo(operation).failed == ()
    assert nubetis_session.get(lead.id)["nickname"] == "old"


def test_what_was_erased_undo_names_as_erased(nubetis_org, nubetis_session):
    """Of the erasure, and of every operation that had the value."""
    lead, operation = nicknamed(nubetis_org, nubetis_session)
    erasure = erasing.erase(nubetis_session, lead.id, fields=["nickname"])
    undone, again = nubetis_session.undo(operation), nubetis_session.undo(erasure)

    assert [(lead.id, "nickname")] == [(each.record, each.field) for each in undone.failed]
    assert [(lead.id, "nickname")] == [(each.record, each.field) for each in again.failed]
    assert "erased" in str(again.failed[0])
    assert undone.reversed == (lead.id,)


def test_undo_does_not_write_what_somebody_put_into_the_journal(nubetis_org, nubetis_session):
    """The value must be the one that was committed to."""
    lead, operation = nicknamed(nubetis_org, nubetis_session)
    at = CHANGES.layout.index["before"]
    (change,) = [row for row in rows_of(nubetis_org, CHANGES) if '["old"]' in row[at]]
    forged = change[at].replace('"old"', '"forged"')
    batch = Batch(parts=(Updates(CHANGES, ("before",), [change[0]], [(forged,)]),))
    nubetis_org._world.store.write(lambda txn: txn.write(batch))
    undo = nubetis_session.undo(operation)

    assert [(lead.id, "nickname")] == [(each.record, each.field) for each in undo.failed]
    assert nubetis_session.get(lead.id)["nickname"] == "new"
    assert nubetis_session.get(lead.id)["company"] == "Old"


@pytest.mark.parametrize("column", ["before", "salts", "commitment"])
@pytest.mark.parametrize("text", ["{", "[1]", '{"x": 1}', "7", "\u0000"])
def test_a_journal_that_cannot_be_read_is_named_as_damaged(nubetis_org, nubetis_clock, nubetis_session, column, text):
    """By undo, history and "as of": never a raw error; verifying lists it."""
    lead, operation = nicknamed(nubetis_org, nubetis_session)
    then = nubetis_session.now()
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead.id, company="Newer")
    keys = [row[0] for row in rows_of(nubetis_org, CHANGES)]
    batch = Batch(parts=(Updates(CHANGES, (column,), keys, [(text,)] * len(keys)),))
    nubetis_org._world.store.write(lambda txn: txn.write(batch))

    for ask in (
        lambda: nubetis_session.undo(operation),
        lambda: past.history(nubetis_session, lead.id),
        lambda: past.as_of(nubetis_session, lead.id, then),
    ):
        with refusing("damaged", Damaged):
            ask()
    assert nubetis_org.verify().tampered


def test_what_was_changed_and_changed_back_since_is_taken_back(nubetis_session):
    """The field has the value that the operation gave it: nothing of anybody's is lost."""
    lead = nubetis_session.create("leads", name="A", company="old")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "new"}}))
    for company in ("other", "new"):
        nubetis_session.edit(lead.id, company=company)
    undo = nubetis_session.undo(operation)

    assert ("old", (lead.id,), ()) == (nubetis_session.get(lead.id)["company"], undo.reversed, undo.kept)
