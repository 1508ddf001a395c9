"""The recycle bin: whose deletion is taken back, when a record goes for good, and what the journal keeps of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nubetis.model.store import Batch, Inserts
from nubetis.model.system import CHANGES
from nubetis.session import past
from tests.stores import rows_of

TICK = timedelta(microseconds=1)


def test_a_record_that_somebody_else_deleted_again_stays_deleted_when_the_first_deletion_is_undone(
    nubetis_org, nubetis_session
):
    """It lies in the bin by another's hand: the first deletion was over when the record was restored."""
    lead = nubetis_session.create("leads", name="x")
    first = nubetis_session.delete(lead.id)
    nubetis_session.restore(lead.id)
    second = nubetis_org.administrator().delete(lead.id)
    undo = nubetis_session.undo(first)

    assert [(lead.id, "stale")] == [(each.record, each.code) for each in undo.kept]
    assert undo.reversed == ()
    assert nubetis_session.count("leads") == 0
    assert nubetis_session.undo(second).reversed == (lead.id,)
    assert nubetis_session.get(lead.id)["name"] == "x"


@pytest.mark.parametrize(("before", "gone"), [(-TICK, 0), (timedelta(0), 0), (TICK, 1)])
def test_what_was_deleted_at_the_instant_itself_is_not_purged(
    nubetis_org, nubetis_clock, nubetis_session, before, gone
):
    """Before an instant means before it, to the microsecond."""
    lead = nubetis_session.create("leads", name="x")
    nubetis_session.delete(lead.id)

    assert gone == nubetis_org.purge(before=nubetis_clock() + before)
    assert 1 - gone == len(nubetis_session.find("leads", deleted=True))


def test_a_purge_takes_what_lies_in_the_bin_only_and_stands_in_the_journal(nubetis_org, nubetis_clock, nubetis_session):
    kept, gone = (nubetis_session.create("leads", name=name) for name in "ab")
    nubetis_session.delete(gone.id)
    nubetis_clock.advance(days=1)

    assert nubetis_org.purge(before=nubetis_clock()) == 1
    assert nubetis_org.purge(before=nubetis_clock()) == 0
    assert [each.id for each in nubetis_session.find("leads")] == [kept.id]
    assert "purge" in past.operations(nubetis_session, limit=1)[0].cause.detail
    assert nubetis_org.verify().tampered == ()


def test_a_change_that_belongs_to_no_entry_is_found(nubetis_org, nubetis_session):
    """Seals speak of entries; a row that names none of them would slip past them."""
    lead = nubetis_session.create("leads", name="x")
    nubetis_session.edit(lead.id, name="y")
    (row,) = rows_of(nubetis_org, CHANGES)
    entry = CHANGES.layout.index["entry"]
    stranger = [row[0] + 1, *row[1:]]
    stranger[entry] = 999
    batch = Batch(parts=(Inserts(CHANGES, [tuple(stranger)]),))
    nubetis_org._world.store.write(lambda txn: txn.write(batch))

    assert [f"change {row[0] + 1} belongs to no entry"] == [str(each) for each in nubetis_org.verify().tampered]


def test_a_user_in_the_bin_is_a_tombstone_that_is_not_purged(nubetis_org, nubetis_session, nubetis_clock):
    """His records still name him; what is personal of him goes by an erasure."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="A")
    nubetis_session.delete(ana.user)
    nubetis_session.delete(nubetis_session.create("leads", name="B"))
    nubetis_clock.advance(days=1)

    assert nubetis_org.purge(before=nubetis_clock()) == 1
    assert [each.id for each in nubetis_session.find("users", deleted=True)] == [ana.user]
    assert nubetis_session.get(lead.id)["owner"] == ana.user
    assert nubetis_org.check() == []
