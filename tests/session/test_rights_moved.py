"""A plan that touches people or rights holds under the rights it was made with, and no others."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import AccessDenied, Cancelled, PlanDrifted
from nubetis.model.plan import Cause, CauseKind, Plan
from nubetis.session.resuming import resume
from tests.session.stopping import stop_after
from tests.stores import refusing, rows_of


def people(session, count):
    """Plan *count* users."""
    role = session.find("roles")[0].id
    profile = session.find("profiles", F.administrator == False)[0].id  # noqa: E712 - a filter
    some = [{"name": f"P{n}", "email": f"p{n}@acme.pe", "role": role, "profile": profile} for n in range(count)]
    return session.plan_create("users", some)


def move_rights(session):
    """Change the rights of somebody else."""
    session.create("roles", name="Auditor")


@pytest.mark.parametrize("count", [1, 8], ids=["one transaction", "several"])
def test_a_plan_of_people_is_not_applied_once_rights_have_moved(nubetis_org, nubetis_session, small_chunks, count):
    plan = people(nubetis_session, count)
    move_rights(nubetis_org.administrator())
    with refusing("outdated", PlanDrifted):
        nubetis_session.apply(plan)

    assert nubetis_session.count("users") == 1
    assert nubetis_org.interrupted() == []


@pytest.mark.parametrize("count", [1, 8], ids=["one transaction", "several"])
def test_in_a_unit_too_and_nothing_of_it_stays(nubetis_org, nubetis_session, small_chunks, count):
    """Rights that the unit itself has moved count like those that another moved."""

    def work(session):
        plan = people(session, count)
        move_rights(session)
        with refusing("outdated", PlanDrifted):
            session.apply(plan)

    nubetis_session.unit(work)
    assert nubetis_session.count("users") == 1
    assert nubetis_session.count("roles", F.name == "Auditor") == 1


@pytest.mark.parametrize("count", [1, 8], ids=["one transaction", "several"])
def test_a_plan_of_people_is_applied_while_rights_stand_still(nubetis_session, small_chunks, count):
    """Its own transactions move the rights; that is not drift."""
    plan = people(nubetis_session, count)
    nubetis_session.create("leads", name="not a right")
    nubetis_session.apply(plan)

    assert nubetis_session.count("users") == 1 + count


@pytest.mark.parametrize("count", [1, 8], ids=["one transaction", "several"])
def test_a_plan_of_other_records_does_not_mind_that_rights_move(nubetis_org, nubetis_session, small_chunks, count):
    plan = nubetis_session.plan_create("leads", [{"name": str(n)} for n in range(count)])
    move_rights(nubetis_org.administrator())
    nubetis_session.apply(plan)

    assert nubetis_session.count("leads") == count


def test_an_operation_that_was_stopped_goes_on_under_the_rights_of_its_resumption(
    nubetis_org, nubetis_session, small_chunks
):
    """Only its first transaction is held to what the plan saw: who resumes is asked anew."""
    with pytest.raises(Cancelled):
        nubetis_session.apply(people(nubetis_session, 8), progress=stop_after(1))
    move_rights(nubetis_org.administrator())
    resume(nubetis_session, nubetis_org.interrupted()[0])

    assert nubetis_session.count("users") == 9


@pytest.mark.parametrize("module", ["users", "roles", "profiles"])
def test_every_change_of_people_or_rights_moves_the_version_by_one(nubetis_org, nubetis_session, module):
    def version():
        return nubetis_org._world.store.read(lambda txn: txn.versions()).access

    before = version()
    record = nubetis_session.find(module, sort="id")[0]
    nubetis_session.edit(record, name="Renamed")

    assert version() == before + 1
    nubetis_session.create("leads", name="x")
    assert version() == before + 1


# -- one part that one may not write ---------------------------------------------------------------------------------
def mixed(admin, mine, theirs):
    """Give one plan of the administrator that edits two leads, *mine* and *theirs*, in that order."""
    return admin.plan_edits("leads", {mine: {"company": "New"}, theirs: {"company": "New"}})


@pytest.mark.parametrize("order", ["mine first", "theirs first"])
def test_one_record_that_one_may_not_write_stops_the_whole_plan(nubetis_org, nubetis_session, order):
    """Most of it being one's own is not enough."""
    (ana,) = nubetis_org.people("ana")
    mine, theirs = ana.create("leads", name="m").id, nubetis_session.create("leads", name="t").id
    pair = (mine, theirs) if order == "mine first" else (theirs, mine)
    with refusing("denied", AccessDenied):
        ana.apply(mixed(nubetis_session, *pair))

    assert [each["company"] for each in nubetis_session.find("leads")] == [None, None]


def test_one_part_that_one_may_not_write_stops_the_whole_plan(nubetis_org, nubetis_session):
    """The parts before it, which one may write, are not written either."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="m")
    own = ana.plan_edits("leads", {lead.id: {"company": "New"}})
    settings = nubetis_session.plan_create("settings", [{"name": "theme", "value": "1"}])
    both = Plan(cause=Cause(CauseKind.USER), parts=(*own.parts, *settings.parts))
    before = rows_of(nubetis_org, nubetis_org.schema.module("settings"))
    with refusing("denied", AccessDenied):
        ana.apply(both)

    assert before == rows_of(nubetis_org, nubetis_org.schema.module("settings"))
    assert ana.get(lead)["company"] is None


@pytest.mark.parametrize("count", [2, 8], ids=["one transaction", "several"])
@pytest.mark.parametrize("make", ["update", "delete"])
def test_a_plan_of_an_administrator_opens_no_foreign_record(nubetis_org, nubetis_session, small_chunks, count, make):
    (ana,) = nubetis_org.people("ana")
    ana.apply(ana.plan_create("leads", [{"name": str(n)} for n in range(count - 1)]))
    nubetis_session.create("leads", name="theirs")
    everything = F.name != ""
    plans = {
        "update": lambda: nubetis_session.plan_update("leads", everything, company="New"),
        "delete": lambda: nubetis_session.plan_delete("leads", everything),
    }
    with refusing("denied", AccessDenied):
        ana.apply(plans[make]())

    assert nubetis_session.count("leads") == count
    assert nubetis_session.count("leads", F.company == "New") == 0
