"""Wherever a long operation is stopped, what is left in the end is all of it or nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest

import nubetis
from nubetis import F
from nubetis.errors import Cancelled, NubetisError
from nubetis.model.filters import EVERYTHING
from nubetis.model.plan import OperationState
from nubetis.model.system import BLOBS
from nubetis.session import past, resuming
from nubetis.testing.people import OrgWithPeople
from tests.session.stopping import NAMES, PLANS, cancel, shape, stop_after
from tests.stores import permit_all, rows_of, state_of

pytestmark = pytest.mark.usefixtures("small_chunks")


class PowerCut(BaseException):
    """What the death of a process is played by: no error of nubetis, so that nobody takes care of it."""


class Failing:
    """A store that is cut off before or after one of its writes."""

    def __init__(self, store, number, when):
        self._store, self._left, self._when = store, number, when

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, unit):
        self._left -= 1
        if self._left == -1 and self._when == "before":
            raise PowerCut
        answer = self._store.write(unit)
        if self._left == -1:
            raise PowerCut
        return answer


def cut_off(org, work, number, when):
    """Do *work* in a process that dies at its write *number*; give the organisation opened anew."""
    session, store = org.administrator(), org._world.store
    org._world.store = Failing(store, number, when)
    with suppress(PowerCut, NubetisError):
        work(session)
    org._world.store = store
    url, around = org.url, org._around
    org.close()
    return OrgWithPeople.like(nubetis.open(url, around=around))


def go_on(org):
    """Resume what was interrupted until nothing is; give the number of rounds."""
    rounds = 0
    while found := org.interrupted():
        rounds += 1
        assert rounds < 5, found
        for operation in found:
            with suppress(NubetisError):
                resuming.resume(org.administrator(), operation)
    return rounds


def living(session):
    """Give the living records by name."""
    return [each for each in shape(session) if not each[1]]


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("kind", PLANS)
def test_an_operation_killed_at_any_write_is_whole_once_resumed(nubetis_org, nubetis_session, kind, number, when):
    """Killed before anything was kept, nothing happened; after that, resuming ends it, and twice is as once."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = shape(nubetis_session)
    plan = PLANS[kind](nubetis_session)
    wanted = {
        "create": sorted([*before, *[(f"new {n}", False, None) for n in range(8)]], key=str),
        "update": [(name, gone, "New") for name, gone, _ in before],
        "delete": [(name, True, company) for name, _, company in before],
    }[kind]
    org = cut_off(nubetis_org, lambda session: session.apply(plan), number, when)
    go_on(org)
    found = shape(org.administrator())

    assert found == (before if (number, when) == (0, "before") else sorted(wanted, key=str))
    assert (rows_of(org, BLOBS), org.check(), org.verify().tampered) == ([], [], ())
    org.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(7))
@pytest.mark.parametrize("kind", ["update", "delete", "create"])
def test_an_operation_that_fails_leaves_nothing_though_it_is_killed(nubetis_org, nubetis_session, kind, number, when):
    """Killed while it is written or while it is taken back: in the end nothing of it is to be seen."""
    s = nubetis_session
    if kind == "create":
        plan = s.plan_create("products", [{"name": str(n), "code": str(n)} for n in range(8)])
        s.create("products", name="Other", code="7")
    else:
        s.apply(s.plan_create("leads", NAMES))
        plan = PLANS[kind](s)
        s.edit(s.find("leads", F.name == "7")[0], company="Other")
    before = state_of(s, "leads", "products")
    org = cut_off(nubetis_org, lambda session: session.apply(plan), number, when)
    go_on(org)
    after = state_of(org.administrator(), "leads", "products")

    assert {record: each for record, each in after.items() if record in before} == before
    assert all(gone for record, (gone, _) in after.items() if record not in before)
    assert (rows_of(org, BLOBS), org.check(), org.verify().tampered) == ([], [], ())
    org.close()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("number", range(4))
def test_an_undo_killed_at_any_write_is_whole_once_resumed(nubetis_org, nubetis_session, number, when):
    """An undo is an operation as any other, also where it is interrupted."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = state_of(nubetis_session)
    operation = nubetis_session.apply(PLANS["update"](nubetis_session))
    done = state_of(nubetis_session)
    org = cut_off(nubetis_org, lambda session: session.undo(operation.id), number, when)
    go_on(org)

    assert state_of(org.administrator()) == (done if (number, when) == (0, "before") else before)
    org.close()


@pytest.mark.parametrize("after", [3, 6])
@pytest.mark.parametrize("kind", PLANS)
def test_an_operation_taken_back_is_over(nubetis_org, nubetis_session, kind, after):
    """A stopped operation that was undone is not gone on with: its rest would be half of it."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = living(nubetis_session)
    cancel(nubetis_session, PLANS[kind](nubetis_session), after)
    (left,) = nubetis_org.interrupted()
    nubetis_session.undo(left)

    assert (nubetis_org.interrupted(), rows_of(nubetis_org, BLOBS)) == ([], [])
    assert resuming.resume(nubetis_session, left).state is OperationState.FAILED
    assert living(nubetis_session) == before


def test_a_resumed_operation_is_stopped_and_resumed_again(nubetis_org, nubetis_session):
    """As often as one likes; positions grow and the operation stays one."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    before = len(past.operations(nubetis_session))
    cancel(nubetis_session, PLANS["update"](nubetis_session), 1)
    (left,) = nubetis_org.interrupted()

    with pytest.raises(Cancelled):
        resuming.resume(nubetis_session, left, progress=stop_after(1))
    (again,) = nubetis_org.interrupted()
    done = resuming.resume(nubetis_session, again.id)

    assert [each.position for each in (left, again, done)] == [3, 6, 8]
    assert len({each.id for each in (left, again, done)}) == 1
    assert len(past.operations(nubetis_session)) == before + 1


def test_another_administrator_resumes_and_the_journal_says_who_began(nubetis_org, nubetis_session):
    """Whoever may write the rest may go on; the operation stays its author's."""
    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES))
    cancel(nubetis_session, PLANS["update"](nubetis_session), 3)
    (eva,) = nubetis_org.people("eva !admin")
    (left,) = nubetis_org.interrupted()
    done = resuming.resume(eva, left)

    assert (done.state, done.actor) == (OperationState.DONE, nubetis_session.user)
    assert nubetis_session.count("leads", F.company == "New") == 8


def test_who_lost_the_right_does_not_go_on(nubetis_org, nubetis_session):
    """Rights are looked at when it is resumed: records handed over since are another's."""
    permit_all(nubetis_session)
    (ana,) = nubetis_org.people("ana")
    ana.apply(ana.plan_create("leads", NAMES))
    cancel(ana, PLANS["delete"](ana), 3)
    (left,) = nubetis_org.interrupted()
    nubetis_session.apply(nubetis_session.plan_update("leads", EVERYTHING, owner="admin"))
    plan = nubetis_session.plan_update("users", F.handle == "ana", state="suspended")
    nubetis_session.apply(plan)

    with pytest.raises(NubetisError):
        resuming.resume(ana, left)
    assert nubetis_session.count("leads") == 5
    assert len(nubetis_org.interrupted()) == 1
