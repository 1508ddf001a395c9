"""Operations are found by what they wrote, by whom and when; and each says how many records of which modules."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nubetis import F
from nubetis.errors import NotFound
from nubetis.session import past
from nubetis.session.leaving import plan_offboarding
from tests.stores import refusing


@pytest.fixture
def people(nubetis_org):
    """Ana below luis, each with a record of another module."""
    luis, ana = nubetis_org.people("luis: Boss", "ana: Rep < luis")
    luis.create("deals", name="D")
    ana.plan_create("leads", [{"name": f"L{number}"} for number in range(3)])
    ana.apply(ana.plan_create("leads", [{"name": f"L{number}"} for number in range(3)]))
    return luis, ana


def ids(found):
    return [each.id for each in found]


def test_an_operation_says_how_many_records_of_which_modules_it_wrote(nubetis_session, people):
    admin, ana = nubetis_session, people[1]
    made, *_ = past.operations(admin, by="ana", limit=1)
    moved = admin.apply(plan_offboarding(admin, "ana", to="luis"))
    gone = admin.apply(admin.plan_delete("leads", F.name == "L0"))
    assert past.written(admin, [moved, made, gone]) == {
        moved.id: {"leads": 3, "users": 1}, made.id: {"leads": 3}, gone.id: {"leads": 1},
    }  # fmt: skip
    for each in past.operations(admin, limit=100):
        assert sum(past.written(admin, [each])[each.id].values()) == each.changes
    assert ana.user


def test_operations_are_found_by_module_and_by_who_did_them(nubetis_session, people):
    admin, luis, ana = nubetis_session, *people
    everything = past.operations(admin, limit=100)
    for module in ("leads", "deals", "users", "accounts"):
        told = [each for each in everything if module in past.written(admin, [each])[each.id]]
        assert ids(past.operations(admin, module=module, limit=100)) == ids(told)
    assert ids(past.operations(admin, module="users", limit=1)) == ids(
        [each for each in everything if "users" in past.written(admin, [each])[each.id]][:1]
    )
    for session, name in ((luis, "luis"), (ana, "ana@nubetis.test")):
        assert ids(past.operations(admin, by=name)) == ids([each for each in everything if each.actor == session.user])
    assert past.operations(admin, by="luis", module="leads") == []
    with refusing("unknown_user", NotFound):
        past.operations(admin, by="nobody")
    with refusing("unknown_module", NotFound):
        past.operations(admin, module="dealz")


def test_operations_are_found_by_when(nubetis_clock, nubetis_session):
    before = nubetis_session.now()
    nubetis_clock.advance(days=1)
    lead = nubetis_session.create("leads", name="X")
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead, name="Y")
    latest, made, *_ = past.operations(nubetis_session)
    day = timedelta(days=1)
    assert ids(past.operations(nubetis_session, since=before + day)) == [latest.id, made.id]
    assert ids(past.operations(nubetis_session, since=made.started_at, until=latest.started_at)) == [made.id]
    assert past.operations(nubetis_session, since=before + 3 * day) == []


def test_what_another_wrote_is_not_told(nubetis_session, people):
    luis, ana = people
    foreign = past.operations(nubetis_session, by="luis")
    assert foreign
    assert past.written(ana, foreign) == {}
    assert past.operations(ana, by="luis") == past.operations(ana, module="deals") == []
    assert past.written(luis, foreign) == {foreign[0].id: {"deals": 1}}
