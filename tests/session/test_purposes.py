"""What nubetis does itself says for what purpose: in the journal, in its digest, in what people are shown."""

from __future__ import annotations

import json

import pytest

from nubetis.model.plan import Cause
from nubetis.model.store import Batch, Updates
from nubetis.model.system import OPERATIONS
from nubetis.session import past
from tests.stores import rows_of


def latest(session):
    """Give the latest operation."""
    return past.operations(session, limit=1)[0]


def test_the_journal_keeps_the_purpose_of_all_that_a_system_session_writes(nubetis_org, nubetis_session):
    """Each kind of change; and an undo has the purpose of who undoes."""
    system = nubetis_org.system("mail sync")
    lead = system.create("leads", name="A")
    edited = system.edit(lead, name="B")
    done = [system.delete(edited), latest(system)]
    done.append(system.undo(done[0]).operation)

    assert {"mail sync"} == {each.operation.purpose for each in past.history(system, lead.id)}
    assert ["mail sync"] * 3 == [each.purpose for each in done]
    assert [None] * 3 == [each.actor for each in done]


def test_what_a_user_writes_has_no_purpose(nubetis_session):
    nubetis_session.create("leads", name="A")

    assert latest(nubetis_session).purpose == ""


def test_all_that_stands_in_a_new_organisation_has_a_purpose_or_an_actor(nubetis_org, nubetis_session):
    """Setting up, adding modules, purging."""
    nubetis_org.purge(before=nubetis_session.now())
    found = past.operations(nubetis_session, limit=1000)

    assert "setup" in {each.purpose for each in found}
    assert [] == [each.id for each in found if bool(each.purpose) is (each.actor is not None)]


def test_a_purpose_that_was_changed_is_found_out(nubetis_org, nubetis_session):
    """It is part of the digest of each entry."""
    nubetis_org.system("mail sync").create("leads", name="A")
    nubetis_org.verify().require()
    operation, at = latest(nubetis_session), OPERATIONS.layout.index["detail"]
    (row,) = [each for each in rows_of(nubetis_org, OPERATIONS) if each[0] == operation.key]
    forged = json.dumps({**json.loads(row[at]), "purpose": "setup"})
    batch = Batch(parts=(Updates(OPERATIONS, ("detail",), [operation.key], [(forged,)]),))
    nubetis_org._world.store.write(lambda txn: txn.write(batch))

    assert nubetis_org.verify().tampered


@pytest.mark.parametrize("name", ["sign_in", "purpose", "cause"])
def test_the_detail_of_a_cause_is_not_taken_for_something_else(nubetis_org, name):
    """Whoever names a detail so gets it back."""
    system = nubetis_org.system("mail sync")
    system.apply(system.plan_create("leads", [{"name": "A"}], cause=Cause(detail={name: "x"})))

    assert ({name: "x"}, {}, "mail sync") == (
        dict(latest(system).cause.detail), latest(system).sign_in, latest(system).purpose
    )  # fmt: skip
