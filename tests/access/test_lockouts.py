"""Before a plan is written one can see whom it locks out, and what nobody could do any more."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F
from nubetis.access.decision import Action
from nubetis.access.entitlements import Entitlements
from nubetis.access.permissions import STANDARD, Function, Permissions, write_permissions
from nubetis.errors import AccessDenied, InvalidValue, Refused
from nubetis.model.filters import EVERYTHING
from nubetis.session.editions import plan_edition
from nubetis.session.leaving import plan_offboarding
from nubetis.session.lockouts import Lockouts, lockouts
from tests.stores import refusing

HR = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS, Function.EXPLAIN_ACCESS])


def profile(session, name, permissions):
    return session.create("profiles", name=name, permissions=json.dumps(write_permissions(permissions)))


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Luis alone manages people beside the administrator; ana edits leads as everybody does."""
    luis, ana = nubetis_org.people("luis: Lead", "ana: Rep < luis")
    nubetis_session.edit(luis.user, profile=profile(nubetis_session, "HR", HR).id)
    return {"luis": luis, "ana": ana, "admin": nubetis_session}


def test_who_could_no_longer_sign_in(nubetis_session, staff):
    plan = nubetis_session.plan_update("users", F.handle.in_(["luis", "ana"]), state="suspended")
    found = lockouts(nubetis_session, plan)
    assert set(found.signed_out) == {staff["luis"].user, staff["ana"].user}
    assert (found.oneself, found.administrators, found.stopped) == (False, (nubetis_session.user,), None)
    assert found.functions == ("explain_access", "manage_users")
    assert "leads" in found.modules


def test_oneself(staff):
    luis = staff["luis"]
    found = lockouts(luis, luis.plan_edits("users", {luis.user: {"state": "deactivated"}}))
    assert found.oneself
    assert found.signed_out == (luis.user,)
    assert found.stopped is None


def test_who_loses_functions(nubetis_session, staff):
    """By another profile, or by what his own says; whoever no longer signs in is named once, there."""
    kept = nubetis_session.find("profiles", F.name == "HR")[0]
    plan = nubetis_session.plan_edits("profiles", {kept.id: {"permissions": json.dumps(write_permissions(STANDARD))}})
    assert lockouts(nubetis_session, plan) == Lockouts(
        administrators=(nubetis_session.user,),
        lost={staff["luis"].user: ("explain_access", "manage_users")},
        functions=("explain_access", "manage_users"),
    )


def test_modules_that_nobody_beside_the_administrators_could_edit(nubetis_session, staff):
    assert staff
    plan = nubetis_session.plan_update(
        "profiles", F.administrator == False,  # noqa: E712 - a filter
        permissions=json.dumps(write_permissions(Permissions(default=[Action.VIEW]))),
    )  # fmt: skip
    found = lockouts(nubetis_session, plan)
    assert set(found.modules) == {each.name for each in nubetis_session.schema.modules if not each.system}
    assert not found.signed_out


def test_an_edition_locks_out_of_modules_and_functions(nubetis_org, nubetis_session, staff):
    leads = nubetis_org.schema.module("leads").id
    plan = plan_edition(nubetis_session, Entitlements(lacks=["insight"], lacks_modules=[leads]))
    found = lockouts(nubetis_session, plan)
    assert found.modules == ("leads",)
    assert found.functions == ("explain_access",)
    assert found.lost == dict.fromkeys((nubetis_session.user, staff["luis"].user), ("explain_access",))


def test_an_edition_locks_administrators_out_too(nubetis_org, nubetis_session):
    leads = nubetis_org.schema.module("leads").id
    plan = plan_edition(nubetis_session, Entitlements(lacks=["retention"], lacks_modules=[leads]))
    found = lockouts(nubetis_session, plan)
    assert (found.modules, found.functions) == (("leads",), ("manage_retention",))
    assert found.lost == {nubetis_session.user: ("manage_retention",)}


STOPPED = {
    "last_administrator": lambda s: s.plan_update("users", EVERYTHING, state="suspended"),
    "edition_limit": lambda s: plan_edition(s, Entitlements(roles=2)),
    "no_licence": lambda s: plan_edition(s, Entitlements(users=1)),
}


@pytest.mark.parametrize("code", STOPPED)
def test_it_says_what_would_stop_the_plan(nubetis_session, staff, code):
    assert staff
    plan = STOPPED[code](nubetis_session)
    stopped = lockouts(nubetis_session, plan).stopped
    assert stopped is not None
    assert stopped.code == code
    with refusing(code, Refused):
        nubetis_session.apply(plan)


def test_what_is_said_is_what_happens(nubetis_session, staff):
    """Whoever would be signed out is, and nobody else; and nothing was written before."""
    plan = plan_offboarding(nubetis_session, "luis", to="ana", state="deleted")
    found = lockouts(nubetis_session, plan)
    assert staff["luis"].find("leads").next is None
    nubetis_session.apply(plan)
    for each in ("luis", "ana"):
        if staff[each].user in found.signed_out:
            with refusing("denied", AccessDenied):
                staff[each].find("leads")
        else:
            staff[each].find("leads")


def test_a_plan_that_changes_nobody_locks_nobody_out(nubetis_session, staff):
    assert staff
    found = lockouts(nubetis_session, nubetis_session.plan_create("leads", [{"name": "A"}]))
    assert not found
    assert found == Lockouts(administrators=(nubetis_session.user,))


def test_it_asks_for_a_plan_and_the_right_to_look(nubetis_session, staff):
    with refusing("bad_argument", InvalidValue):
        lockouts(nubetis_session, "plan")
    plan = nubetis_session.plan_create("leads", [{"name": "A"}])
    with refusing("denied", AccessDenied):
        lockouts(staff["ana"], plan)
