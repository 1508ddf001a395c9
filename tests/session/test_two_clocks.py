"""Several processes write to one store, each with a clock of its own: the journal is in the order of the writes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nubetis import F, open
from nubetis.errors import Damaged
from nubetis.model.bind import ALWAYS
from nubetis.model.query import BoundQuery, Order
from nubetis.model.store import Batch, Inserts
from nubetis.model.system import ENTRIES
from nubetis.org import Surroundings
from nubetis.session import past, resuming
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import OrgWithPeople, make_org
from tests.session.stopping import NAMES, PLANS, cancel
from tests.stores import refusing, rows_of


def opened_again(org, *, minutes):
    """Open the organisation as another process would whose clock is off by so many *minutes*."""
    clock = FixedClock()
    clock.advance(minutes=minutes)
    return OrgWithPeople.like(open(org.url, around=Surroundings(clock=clock)))


@pytest.mark.parametrize("minutes", [-60, 0, 60])
def test_undo_keeps_what_another_process_changed_since_whatever_its_clock_says(nubetis_org, nubetis_session, minutes):
    lead = nubetis_session.create("leads", name="A", company="First")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "Mine"}}))
    with opened_again(nubetis_org, minutes=minutes) as other, other.administrator() as theirs:
        theirs.edit(lead.id, company="Theirs")
    undone = nubetis_session.undo(operation)

    assert [refusal.code for refusal in undone.kept] == ["stale"]
    assert nubetis_session.get(lead.id)["company"] == "Theirs"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=12)
@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["a", "b", "c", "d"])), min_size=1, max_size=8))
def test_history_is_in_the_order_of_the_writes(tmp_path_factory, turns):
    """Three processes whose clocks are hours apart take turns at one record."""
    with make_org(f"sqlite:///{tmp_path_factory.mktemp('turns')}/org.db?profile=fast") as org:
        others = [opened_again(org, minutes=minutes) for minutes in (-600, 0, 600)]
        sessions = [each.administrator() for each in others]
        lead = sessions[1].create("leads", name="A", company="start")
        wanted = ["start"]
        for who, value in turns:
            sessions[who].edit(lead.id, company=value)
            wanted += [value] if value != wanted[-1] else []
        moments = past.history(sessions[0], lead.id)
        for each in others:
            each.close()

    assert [moment.after["company"] for moment in moments[::-1]] == wanted
    assert [moment.before["company"] for moment in moments[-2::-1]] == wanted[:-1]


@pytest.mark.usefixtures("small_chunks")
def test_undo_keeps_what_was_changed_between_two_transactions_of_a_long_operation(nubetis_org, nubetis_session):
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    cancel(nubetis_session, PLANS["update"](nubetis_session), after=3)
    (stopped,) = nubetis_org.interrupted()
    early = nubetis_session.find("leads", F.company == "New", sort="id")[0]
    nubetis_org.administrator().edit(early, company="Theirs")
    undone = nubetis_session.undo(resuming.resume(nubetis_session, stopped))

    assert [refusal.record for refusal in undone.kept] == [early.id]
    assert nubetis_session.get(early.id)["company"] == "Theirs"
    assert nubetis_session.count("leads", F.company == "Old") == len(NAMES) - 1


def test_undo_sets_back_what_was_changed_away_and_back_again(nubetis_org, nubetis_session):
    """The value is again the one that the operation left: nobody's work is lost with it."""
    lead = nubetis_session.create("leads", name="A", company="First")
    operation = nubetis_session.apply(nubetis_session.plan_edits("leads", {lead.id: {"company": "Mine"}}))
    for value in ("Theirs", "Mine"):
        nubetis_org.administrator().edit(lead.id, company=value)

    assert nubetis_session.undo(operation).kept == ()
    assert nubetis_session.get(lead.id)["company"] == "First"


def test_an_entry_that_no_clock_could_have_made_stops_the_writer_with_a_clear_error(nubetis_org, nubetis_session):
    """Nothing is written behind it, where it would be out of order."""
    (last,) = nubetis_org._world.store.read(
        lambda txn: txn.query(BoundQuery(module=ENTRIES, where=ALWAYS, order=(Order("id", descending=True),), limit=1))
    )
    forged = (2**63 - 1, *last[1:])
    nubetis_org._world.store.write(lambda txn: txn.write(Batch(parts=(Inserts(ENTRIES, [forged]),))))
    before = len(rows_of(nubetis_org, ENTRIES))

    with refusing("tampered", Damaged):
        nubetis_session.create("leads", name="A")
    assert len(rows_of(nubetis_org, ENTRIES)) == before
