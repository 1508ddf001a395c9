"""A long operation that somebody else lays hands on while it runs: one of them ends it, and no record is lost."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import Cancelled, Conflict
from nubetis.model.plan import OperationState
from nubetis.model.system import BLOBS
from nubetis.session import past, resuming
from tests.session.stopping import NAMES, PLANS, cancel, stop_after
from tests.stores import refusing, rows_of

pytestmark = pytest.mark.usefixtures("small_chunks")


@pytest.fixture
def plan(nubetis_session):
    """A plan of three transactions over eight records."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    return PLANS["update"](nubetis_session)


def once(work):
    """Give a progress that does *work* when the first lot is written."""
    calls = []

    def progress(position, total):
        calls.append(position)
        if len(calls) == 1:
            work()

    return progress


def renewed(session):
    return session.count("leads", F.company == "New")


def settled(org):
    """Say that nothing is left over and nothing is spoiled."""
    return (org.interrupted(), rows_of(org, BLOBS), org.check(), org.verify().tampered) == ([], [], [], ())


def test_one_resumed_while_it_runs_is_ended_by_the_other(nubetis_org, nubetis_session, plan):
    """Who finds that another went on stops, and takes nothing back."""
    other = nubetis_org.administrator()

    with refusing("operation_moved", Conflict):
        nubetis_session.apply(plan, progress=once(lambda: resuming.resume(other, nubetis_org.interrupted()[0])))
    assert past.operations(other)[0].state is OperationState.DONE
    assert (renewed(other), settled(nubetis_org)) == (8, True)


def test_one_taken_back_while_it_runs_stops(nubetis_org, nubetis_session, plan):
    """The rest of it would be half of it."""
    other = nubetis_org.administrator()

    with refusing("operation_moved", Conflict):
        nubetis_session.apply(plan, progress=once(lambda: other.undo(nubetis_org.interrupted()[0])))
    assert (renewed(other), settled(nubetis_org)) == (0, True)


def test_a_resumer_that_meets_the_first_one_stops_and_the_first_goes_on(nubetis_org, nubetis_session, plan):
    """The same with the parts exchanged: what counts is who wrote the next lot."""
    cancel(nubetis_session, plan)
    first = nubetis_org.interrupted()[0]
    other = nubetis_org.administrator()
    with refusing("operation_moved", Conflict):
        resuming.resume(other, first, progress=once(lambda: resuming.resume(nubetis_session, first)))
    assert (renewed(other), settled(nubetis_org)) == (8, True)


def test_one_that_is_cancelled_late_does_not_stop_who_went_on(nubetis_org, nubetis_session, plan):
    """Its ledger says what the other has done, not what it had done itself."""
    other = nubetis_org.administrator()

    def go_on_and_cancel():
        resuming.resume(other, nubetis_org.interrupted()[0])
        raise Cancelled("cancelled", done=3)

    with refusing("operation_moved", Conflict):
        nubetis_session.apply(plan, progress=once(go_on_and_cancel))
    (operation, *_) = past.operations(other)
    assert (operation.state, operation.position) == (OperationState.DONE, 8)
    assert (renewed(other), settled(nubetis_org)) == (8, True)


def test_one_that_another_took_further_and_left_stops(nubetis_org, nubetis_session, plan):
    """It is open still, but what this one would write next is written."""
    other = nubetis_org.administrator()

    def go_a_step():
        with refusing("cancelled", Cancelled):
            resuming.resume(other, nubetis_org.interrupted()[0], progress=stop_after(4))

    with refusing("operation_moved", Conflict):
        nubetis_session.apply(plan, progress=once(go_a_step))
    (left,) = nubetis_org.interrupted()
    assert (left.position, resuming.resume(other, left).position) == (6, 8)
    assert (renewed(other), settled(nubetis_org)) == (8, True)


class Busy:
    """A store in which something else is written before the first write of who uses it."""

    def __init__(self, store, work):
        self._store, self._work = store, work

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, unit):
        work, self._work = self._work, lambda: None
        work()
        return self._store.write(unit)


def test_an_undo_planned_before_the_operation_went_on_is_refused(nubetis_org, nubetis_session, plan):
    """It would leave what was written since."""
    cancel(nubetis_session, plan)
    (left,) = nubetis_org.interrupted()
    other, store = nubetis_org.administrator(), nubetis_org._world.store

    def go_on():
        nubetis_org._world.store = store
        resuming.resume(other, left)

    nubetis_org._world.store = Busy(store, go_on)
    with refusing("operation_moved", Conflict):
        nubetis_session.undo(left)
    assert (renewed(other), settled(nubetis_org)) == (8, True)


def test_a_resumed_operation_is_running_until_it_is_done(nubetis_org, nubetis_session, plan):
    """Not cancelled: somebody is at it."""
    cancel(nubetis_session, plan)
    states = []
    resuming.resume(
        nubetis_session,
        nubetis_org.interrupted()[0],
        progress=lambda position, total: states.append(past.operations(nubetis_session)[0].state.value),
    )
    assert states == ["running", "done"]


def test_what_drifted_since_it_was_stopped_is_left_out_up_to_the_tolerance(nubetis_org, nubetis_session, plan):
    """As when it is applied; the rest is written."""
    cancel(nubetis_session, plan)
    changed = nubetis_session.find("leads", F.company == "Old")[-1]
    nubetis_session.edit(changed, company="Other")
    done = resuming.resume(nubetis_session, nubetis_org.interrupted()[0], tolerance=1)

    assert (done.skipped, renewed(nubetis_session)) == ((changed.id,), 7)


def test_an_undo_ends_what_was_stopped_although_nothing_is_left_to_set_back(nubetis_org, nubetis_session, plan):
    """Somebody had set it back by hand; nobody may go on with it by mistake."""
    cancel(nubetis_session, plan)
    nubetis_session.apply(nubetis_session.plan_update("leads", F.company == "New", company="Old"))
    (left,) = nubetis_org.interrupted()

    undone = nubetis_session.undo(left)
    assert undone.operation is not None
    assert (renewed(nubetis_session), settled(nubetis_org)) == (0, True)
