"""Undo, and its preview, tell nothing of records that one may not see, and do nothing to them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nubetis import F
from nubetis.access.decision import Action
from nubetis.access.policy import RolePolicy
from nubetis.model.filters import EVERYTHING
from nubetis.session import past, state, undoing
from tests.stores import permit_all, state_of

PLANS = {
    "create": lambda s: s.plan_create("leads", [{"name": "kept"}, {"name": "gone"}]),
    "update": lambda s: s.plan_update("leads", EVERYTHING, company="New"),
    "delete": lambda s: s.plan_delete("leads", EVERYTHING),
}


@pytest.fixture
def ana(nubetis_org, nubetis_session):
    """A user who sees what she owns."""
    permit_all(nubetis_session)
    (ana,) = nubetis_org.people("ana")
    return ana


def done(ana, kind):
    """Do something to two leads of Ana's; give the operation and the leads by name."""
    if kind != "create":
        ana.apply(PLANS["create"](ana))
    operation = ana.apply(PLANS[kind](ana))
    deleted = kind == "delete"
    return operation, {each["name"]: each.id for each in ana.find("leads", deleted=deleted)}


LATER = {
    "handed over": lambda org, admin, lead: admin.edit(lead, owner="admin"),
    "handed over and changed": lambda org, admin, lead: admin.edit(lead, owner="admin", company="Theirs"),
    "purged": lambda org, admin, lead: (admin.delete(lead), org.purge(before=admin.now() + timedelta(minutes=1))),
}


@pytest.mark.parametrize(
    ("kind", "later"), [(k, n) for k in PLANS for n in LATER if (k, n) != ("delete", "purged")]
)  # a purge would take both
def test_neither_preview_nor_answer_tell_of_what_one_sees_no_more(nubetis_org, nubetis_session, ana, kind, later):
    """No id, no value, no number: as if the operation had had the other record only."""
    operation, leads = done(ana, kind)
    if kind == "delete":
        nubetis_session.restore(leads["gone"])
    LATER[later](nubetis_org, nubetis_session, leads["gone"])
    before = state_of(nubetis_session).get(leads["gone"])
    preview, undo = past.plan_undo(ana, operation), ana.undo(operation)

    assert ([leads["kept"]], (), ()) == ([each.record for each in preview.changes], preview.warnings, preview.refusals)
    assert ((leads["kept"],), (), ()) == (undo.reversed, undo.kept, undo.failed)
    assert leads["gone"] not in repr((preview, list(preview.changes), undo))
    assert before == state_of(nubetis_session).get(leads["gone"])


def test_an_administrator_is_told_of_what_is_gone(nubetis_org, nubetis_session, nubetis_clock, ana):
    """There is nothing that he may not see."""
    operation, leads = done(ana, "update")
    nubetis_session.delete(leads["gone"])
    nubetis_clock.advance(minutes=1)
    nubetis_org.purge(before=nubetis_session.now())
    undo = nubetis_session.undo(operation)

    assert [(leads["gone"], "undo_foreign")] == [(each.record, each.code) for each in undo.failed]


def test_of_hidden_records_that_link_to_ones_own_only_the_fact_is_told(nubetis_session, ana):
    """A record stays, because something refers to it; how much, and in which module, is not said."""
    operation, leads = done(ana, "create")
    hidden = nubetis_session.create("tasks", subject="x", about=leads["gone"], owner="admin")
    undo = ana.undo(operation)

    assert [(leads["gone"], "out_of_sight")] == [(each.record, each.code) for each in undo.kept]
    assert "tasks" not in repr(undo)
    assert hidden.id not in repr(undo)


def test_of_records_that_link_to_ones_own_those_are_counted_that_one_may_see(nubetis_session, ana):
    operation, leads = done(ana, "create")
    nubetis_session.create("tasks", subject="x", about=leads["gone"], owner="admin")
    ana.create("tasks", subject="y", about=leads["gone"])
    kept, told = ana.undo(operation).kept, nubetis_session.undo(operation).kept

    assert [("referenced", 1)] == [(each.code, each.params["count"]) for each in kept]
    assert [("referenced", 2)] == [(each.code, each.params["count"]) for each in told]


class NoDeletePolicy(RolePolicy):
    """One that lets nobody delete but administrators, nor write the company."""

    def grant(self, action, module):
        """Give what one owns, but for deleting."""
        if action is Action.DELETE and not self.user.administrator:
            return F.owner.is_empty()
        return super().grant(action, module)

    def writes(self, module, field):
        """Say no to the company."""
        return super().writes(module, field) and (self.user.administrator or field.name != "company")


@pytest.mark.parametrize(("kind", "words"), [
    ("create", "you may not delete it"), ("delete", "you may not delete it"), ("update", "you may not write its field"),
], ids=["create", "delete", "update"])  # fmt: skip
def test_each_kind_of_change_needs_its_own_right(nubetis_org, nubetis_session, ana, monkeypatch, kind, words):
    """Where it went since, the record is named, and the rest of the operation is taken back all the same."""
    operation, leads = done(ana, kind)
    monkeypatch.setattr(state, "RolePolicy", NoDeletePolicy)
    from nubetis import HostSignIn

    undo = nubetis_org.session(HostSignIn("ana")).undo(operation)
    assert {(lead, words) for lead in leads.values()} == {(e.record, e.params["reason"]) for e in undo.failed}
    assert () == undo.reversed


@pytest.mark.parametrize("block", [1, 2, 3])
@pytest.mark.parametrize("kind", PLANS)
def test_blocks_leave_no_seam(nubetis_session, small_chunks, monkeypatch, kind, block):
    """The plan is the same, however many records are looked at together."""
    nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": str(n)} for n in range(8)]))
    operation = nubetis_session.apply(PLANS[kind](nubetis_session))
    changed = nubetis_session.find("leads", deleted=kind == "delete", limit=3)
    for record in changed[:2]:
        if kind != "delete":
            nubetis_session.edit(record.id, company="Theirs")
    whole = past.plan_undo(nubetis_session, operation)
    monkeypatch.setattr(undoing, "BLOCK", block)
    pieces = past.plan_undo(nubetis_session, operation)

    assert (whole.digest, whole.warnings, whole.refusals) == (pieces.digest, pieces.warnings, pieces.refusals)
    assert len(whole)
