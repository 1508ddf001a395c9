"""Rights that go, and faults of any kind, in the middle of a long operation: nothing of it stays."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import AccessDenied, Cancelled, NotFound
from nubetis.model.filters import EVERYTHING
from nubetis.model.plan import OperationState
from nubetis.model.system import BLOBS
from nubetis.session import past, resuming
from tests.session.stopping import NAMES, PLANS, cancel
from tests.stores import refusing, rows_of, state_of

pytestmark = pytest.mark.usefixtures("small_chunks")


def at_first(do):
    """Give a progress that does something after the first transaction."""

    def progress(position, total):
        if position == 3:
            do()

    return progress


def losing(session, user, how):
    """Give what takes rights from *user*: he is no administrator any more, or may not work at all."""
    profile = session.find("profiles", F.administrator == False)[0].id  # noqa: E712 - a filter
    values = {"profile": profile} if how == "downgraded" else {"state": "deactivated"}
    return lambda: session.edit(user, **values)


def is_over(org, session, before):
    """Make sure that nothing of the operation is left, and that the journal says so."""
    assert before == state_of(session)
    assert (org.interrupted(), rows_of(org, BLOBS)) == ([], [])
    assert (org.check(), org.verify().tampered) == ([], ())
    found = {each.key: each for each in past.operations(session, limit=9)}
    back = next(each for each in found.values() if each.undo_of is not None)
    failed = found[back.undo_of]
    assert (failed.state, back.state) == (OperationState.FAILED, OperationState.DONE)
    return failed, back


@pytest.mark.parametrize("how", ["downgraded", "deactivated"])
@pytest.mark.parametrize("kind", ["update", "delete"])
def test_rights_that_go_in_the_middle_stop_the_rest_and_what_was_written_goes_back(
    nubetis_org, nubetis_session, how, kind
):
    """Each transaction is held to the rights as they then are; nubetis itself takes back what one may no longer."""
    (eva,) = nubetis_org.people("eva !admin")
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before, lose = state_of(nubetis_session), losing(nubetis_session, eva.user, how)
    plan = PLANS[kind](eva)
    with refusing("denied", AccessDenied):
        eva.apply(plan, progress=at_first(lose))

    failed, back = is_over(nubetis_org, nubetis_session, before)
    assert (failed.actor, back.actor, back.on_behalf_of) == (eva.user, None, eva.user)
    assert back.purpose == "taking back"


def test_one_who_may_not_create_any_more_leaves_what_he_made_in_the_bin(nubetis_org, nubetis_session):
    (eva,) = nubetis_org.people("eva !admin")
    lose = losing(nubetis_session, eva.user, "downgraded")
    some = [{"name": f"n{n}", "value": str(n)} for n in range(8)]
    count = nubetis_session.count("settings")
    with refusing("denied", AccessDenied):
        eva.apply(eva.plan_create("settings", some), progress=at_first(lose))

    assert nubetis_session.count("settings") == count
    assert nubetis_org.interrupted() == []


def test_rights_that_go_while_one_resumes_stop_the_rest(nubetis_org, nubetis_session):
    (eva,) = nubetis_org.people("eva !admin")
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before, lose = state_of(nubetis_session), losing(nubetis_session, eva.user, "downgraded")
    cancel(eva, PLANS["update"](eva), 1)
    with refusing("denied", AccessDenied):
        resuming.resume(eva, nubetis_org.interrupted()[0], progress=lambda position, total: lose())

    is_over(nubetis_org, nubetis_session, before)


def test_who_may_not_write_the_rest_does_not_resume_and_takes_nothing_back(nubetis_org, nubetis_session):
    """It stays as it was left, for one who may."""
    (eva,) = nubetis_org.people("eva !admin")
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    cancel(eva, PLANS["update"](eva), 3)
    losing(nubetis_session, eva.user, "downgraded")()
    (left,) = nubetis_org.interrupted()
    with refusing("denied", AccessDenied):
        resuming.resume(eva, left)

    assert nubetis_org.interrupted() == [left]
    assert nubetis_session.count("leads", F.company == "New") == 3
    assert resuming.resume(nubetis_session, left).state is OperationState.DONE


@pytest.mark.parametrize("error", [ZeroDivisionError, OSError, MemoryError, NotFound("no_operation", id="x")])
@pytest.mark.parametrize("kind", ["update", "delete"])
def test_whatever_progress_raises_nothing_stays(nubetis_org, nubetis_session, kind, error):
    """An error of the host's is a fault like any other, and it is the one that comes out."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = state_of(nubetis_session)

    def fail():
        raise error

    with pytest.raises(error if isinstance(error, type) else type(error)):
        nubetis_session.apply(PLANS[kind](nubetis_session), progress=at_first(fail))

    is_over(nubetis_org, nubetis_session, before)


def test_who_gives_his_records_away_half_way_gets_all_of_them_back(nubetis_org, nubetis_session):
    """What he does not see any more is taken back, too."""
    luis, ana = nubetis_org.people("luis", "ana")
    luis.apply(luis.plan_create("leads", NAMES))
    before = state_of(nubetis_session)

    def fail():
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        luis.apply(luis.plan_update("leads", EVERYTHING, owner=ana.user), progress=at_first(fail))

    is_over(nubetis_org, nubetis_session, before)


def test_a_session_that_is_closed_half_way_takes_back(nubetis_org, nubetis_session):
    other = nubetis_org.administrator()
    with refusing("closed"):
        other.apply(other.plan_create("leads", NAMES), progress=at_first(other.close))

    assert nubetis_session.count("leads") == 0
    assert nubetis_org.interrupted() == []


def test_who_is_sent_away_and_asks_to_stop_leaves_what_can_be_resumed(nubetis_org, nubetis_session):
    (eva,) = nubetis_org.people("eva !admin")
    lose = losing(nubetis_session, eva.user, "deactivated")

    def stop():
        lose()
        raise Cancelled("cancelled", done=3)

    with pytest.raises(Cancelled):
        eva.apply(eva.plan_create("leads", NAMES), progress=at_first(stop))

    (left,) = nubetis_org.interrupted()
    assert left.state is OperationState.CANCELLED
    assert resuming.resume(nubetis_session, left).position == len(NAMES)


def test_an_operation_that_fails_in_a_unit_is_taken_back_in_the_unit(nubetis_org, nubetis_session):
    """Resumed inside a unit, its steps are the unit's; so is what takes them back."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = state_of(nubetis_session)
    cancel(nubetis_session, PLANS["update"](nubetis_session), 3)
    (left,) = nubetis_org.interrupted()

    def work(session):
        with pytest.raises(ZeroDivisionError):
            resuming.resume(session, left, progress=lambda position, total: 1 // 0)

    nubetis_session.unit(work)
    is_over(nubetis_org, nubetis_session, before)
