"""Long operations: many transactions, stopped, resumed, failed, and always whole in the end."""

from __future__ import annotations

import pytest

from nubetis import F, hookimpl
from nubetis.errors import Cancelled, InvalidValue, NubetisError, PlanDrifted
from nubetis.model.plan import OperationState
from nubetis.model.system import BLOBS, ENTRIES
from nubetis.session import past, resuming
from nubetis.session.applying import chunks
from nubetis.testing.people import make_org
from tests.session.stopping import NAMES, PLANS, shape, stop_after
from tests.stores import refusing, rows_of, state_of

pytestmark = pytest.mark.usefixtures("small_chunks")


def test_each_transaction_has_its_entry(nubetis_org, nubetis_session):
    """Eight records in lots of three are three entries of one operation, and nothing of the plan is left."""
    before = len(rows_of(nubetis_org, ENTRIES))
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))

    assert (operation.state, operation.position) == (OperationState.DONE, len(NAMES))
    assert len(rows_of(nubetis_org, ENTRIES)) - before == 3
    assert rows_of(nubetis_org, BLOBS) == []
    assert nubetis_org.verify().tampered == ()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 20])
def test_lots_keep_all_records_in_their_order(nubetis_session, size):
    """Cutting a plan loses nothing, repeats nothing and mixes nothing."""
    first = nubetis_session.plan_create("leads", NAMES).parts
    second = nubetis_session.plan_create("accounts", [{"name": "a"}, {"name": "b"}]).parts
    lots = list(chunks((*first, *second), size))

    assert [row for part in (*first, *second) for row in part.rows] == [r for lot in lots for p in lot for r in p.rows]
    assert all(sum(map(len, lot)) == size for lot in lots[:-1])


def test_progress_is_told_after_each_transaction(nubetis_session):
    """Done and total, growing."""
    told = []
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES), progress=lambda *at: told.append(at))

    assert told == [(3, 8), (6, 8), (8, 8)]


def test_progress_is_told_of_taking_back_as_well(nubetis_session):
    told = []
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    nubetis_session.undo(operation, progress=lambda *at: told.append(at))

    assert told == [(3, 8), (6, 8), (8, 8)]


@pytest.mark.parametrize("kind", PLANS)
@pytest.mark.parametrize("stop", [1, 3, 4, 6])
def test_a_cancelled_operation_is_resumed_to_the_same_end(nubetis_org, nubetis_session, kind, stop):
    """Stopping anywhere and going on reaches what the uninterrupted run reaches."""
    with make_org() as other, other.administrator() as free:
        free.apply(free.plan_create("leads", NAMES))
        free.apply(PLANS[kind](free))
        wanted = shape(free)
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    with pytest.raises(Cancelled):
        nubetis_session.apply(PLANS[kind](nubetis_session), progress=stop_after(stop))
    (left,) = nubetis_org.interrupted()
    resumed = resuming.resume(nubetis_session, left)

    assert left.state == OperationState.CANCELLED
    assert (resumed.state, resumed.position) == (OperationState.DONE, len(NAMES))
    assert wanted == shape(nubetis_session)
    assert (nubetis_org.interrupted(), rows_of(nubetis_org, BLOBS)) == ([], [])
    assert nubetis_org.verify().tampered == ()


def test_who_asks_to_stop_what_is_done_comes_too_late(nubetis_org, nubetis_session):
    """After the last transaction there is nothing to stop: the operation is done, and not to be resumed."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", NAMES), progress=stop_after(len(NAMES)))

    assert (operation.state, operation.position) == (OperationState.DONE, len(NAMES))
    assert nubetis_org.interrupted() == []


def test_progress_is_told_of_a_short_operation_too(nubetis_session):
    """One transaction, one call; asking to stop comes too late."""
    told = []
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES[:2]), progress=lambda *at: told.append(at))
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", NAMES[:2]), progress=stop_after(1))

    assert told == [(2, 2)]
    assert operation.state is OperationState.DONE


def test_a_progress_that_fails_after_the_end_takes_nothing_back(nubetis_org, nubetis_session):
    """Done is done: an error of whoever watches is his own."""

    def progress(position, total):
        if position == total:
            raise InvalidValue("bad_argument", argument="x", reason="y")

    with refusing("bad_argument"):
        nubetis_session.apply(nubetis_session.plan_create("leads", NAMES), progress=progress)
    assert nubetis_session.count("leads") == len(NAMES)
    assert nubetis_org.interrupted() == []


def test_a_cancelled_operation_can_be_undone_instead(nubetis_org, nubetis_session):
    """What was written so far goes back."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = state_of(nubetis_session)
    with pytest.raises(Cancelled):
        nubetis_session.apply(PLANS["update"](nubetis_session), progress=stop_after(6))
    assert nubetis_session.count("leads", F.company == "New") == 6
    nubetis_session.undo(nubetis_org.interrupted()[0])

    assert before == state_of(nubetis_session)


def test_an_operation_that_is_done_is_not_done_again_by_resume(nubetis_session):
    """Resuming is safe to repeat."""
    operation = nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))

    assert operation.key == resuming.resume(nubetis_session, operation).key
    assert nubetis_session.count("leads") == len(NAMES)


@pytest.mark.parametrize("kind", ["update", "delete"])
def test_a_failure_in_the_middle_leaves_nothing(nubetis_org, nubetis_session, kind):
    """The last lot drifted: what the others wrote is taken back, and the operation says that it failed."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    plan = PLANS[kind](nubetis_session)
    last = nubetis_session.find("leads", sort="-id", limit=1)[0]
    nubetis_org.administrator().edit(last, description="Other")
    before = state_of(nubetis_session)

    with refusing("drifted", PlanDrifted):
        nubetis_session.apply(plan)
    assert before == state_of(nubetis_session)
    assert rows_of(nubetis_org, BLOBS) == []
    assert OperationState.FAILED in {operation.state for operation in past.operations(nubetis_session, limit=3)}
    assert nubetis_org.interrupted() == []


def test_a_failure_in_the_middle_of_creations_leaves_them_in_the_bin(nubetis_session):
    """A unique value taken meanwhile fails the last lot; nothing of the import is seen."""
    offered = [{"name": str(n), "code": str(n)} for n in range(10)]
    plan = nubetis_session.plan_create("products", offered)
    nubetis_session.create("products", name="Other", code="9")

    with refusing("not_unique"):
        nubetis_session.apply(plan)
    assert [record["name"] for record in nubetis_session.find("products")] == ["Other"]


def test_tolerance_counts_over_all_lots(nubetis_org, nubetis_session):
    """Two drifted records in two lots are one too many for a tolerance of one."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    plan = PLANS["update"](nubetis_session)
    for name in ("1", "7"):
        other = nubetis_org.administrator()
        other.edit(other.find("leads", F.name == name)[0], description="Other")
    with pytest.raises(NubetisError):
        nubetis_session.apply(plan, tolerance=1)
    assert nubetis_session.count("leads", F.company == "New") == 0

    operation = nubetis_session.apply(PLANS["update"](nubetis_session), tolerance=2)
    assert operation.skipped == ()


def test_skipped_records_of_all_lots_are_named_at_the_end(nubetis_org, nubetis_session):
    """The operation lists what was left out, whichever transaction left it out."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    plan = PLANS["update"](nubetis_session)
    gone = []
    for name in ("1", "7"):
        other = nubetis_org.administrator()
        gone.append(other.edit(other.find("leads", F.name == name)[0], description="Other").id)

    assert tuple(gone) == nubetis_session.apply(plan, tolerance=2).skipped


def test_a_long_operation_in_a_unit_goes_with_the_unit(nubetis_org, nubetis_session):
    """Inside a unit all lots are one transaction."""

    def work(session):
        session.apply(session.plan_create("leads", NAMES))
        raise Cancelled("cancelled", done=0)

    with pytest.raises(Cancelled):
        nubetis_session.unit(work)
    assert (state_of(nubetis_session), rows_of(nubetis_org, BLOBS)) == ({}, [])


def test_nobody_resumes_anothers_operation(nubetis_org):
    """An interrupted operation of somebody else is none."""
    luis, ana = nubetis_org.people("luis", "ana")
    with pytest.raises(Cancelled):
        ana.apply(ana.plan_create("leads", NAMES), progress=stop_after(3))

    with refusing("no_operation"):
        resuming.resume(luis, nubetis_org.interrupted()[0])


def test_a_plug_in_that_raises_after_a_transaction_does_not_halve_the_operation(nubetis_store_url):
    """What was stored was stored: the operation ends as whole as it would without the plug-in."""

    class Bad:
        armed = False

        @hookimpl
        def nubetis_committed(self, committed):  # noqa: ARG002 - the hook names it
            if self.armed:
                raise ZeroDivisionError

    bad = Bad()
    with make_org(nubetis_store_url, plugins=[bad]) as org, org.administrator() as session:
        bad.armed = True
        try:
            session.apply(session.plan_create("leads", NAMES))
        except NubetisError:
            assert session.count("leads") == 0
        else:
            assert session.count("leads") == len(NAMES)
        assert org.interrupted() == []
