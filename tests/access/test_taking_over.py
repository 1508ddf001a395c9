"""Who manages users takes nobody over who has what he has not: neither his sign-in nor whether he may sign in."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.permissions import STANDARD, Function, Permissions, write_permissions
from nubetis.errors import AccessDenied, Refused
from nubetis.model.plan import Cause, CauseKind
from nubetis.session.delegating import plan_delegation
from nubetis.session.erasing import erase
from nubetis.session.leaving import plan_offboarding
from tests.stores import refusing


def profile_with(session, name, *functions, **flags):
    kept = json.dumps(write_permissions(attrs.evolve(STANDARD, functions=functions)))
    return session.create("profiles", name=name, permissions=kept, **flags)


@pytest.fixture
def ivo(nubetis_org, nubetis_session):
    """Give the session of ivo, who manages users; boss is an administrator, rita may share more, ana has less."""
    ivo, _, rita, ana, out = nubetis_org.people(
        "ivo: Clerk", "boss: Head !admin", "rita: Desk", "ana: Rep", "out: Out !admin"
    )
    nubetis_session.edit(ivo.user, profile=profile_with(nubetis_session, "People", Function.MANAGE_USERS).id)
    nubetis_session.edit(rita.user, profile=profile_with(nubetis_session, "Sharer", Function.MANAGE_SHARING).id)
    nubetis_session.edit(out.user, state="suspended")
    (gone,) = nubetis_org.people("bin: Bin !admin")
    nubetis_session.delete(gone.user)
    assert ana.user
    return ivo


def named(session, handle, **settings):
    return session.find("users", F.handle == handle, **settings)[0]


def imported(session, handle, **values):
    plan = session.plan_edits("users", {named(session, handle).id: values}, cause=Cause(CauseKind.IMPORT))
    return session.apply(plan)


ROADS = {
    "e-mail": lambda s: s.edit(named(s, "boss"), email="evil@nubetis.test"),
    "handle": lambda s: s.edit(named(s, "boss"), handle="evil"),
    "suspended": lambda s: s.edit(named(s, "boss"), state="suspended"),
    "kind": lambda s: s.edit(named(s, "boss"), kind="service"),
    "lowered": lambda s: s.edit(named(s, "boss"), profile=s.find("profiles", F.name == "Standard")[0].id),
    "brought back": lambda s: s.edit(named(s, "out"), state="active", email="evil@nubetis.test"),
    "of many": lambda s: s.apply(s.plan_update("users", F.handle == "boss", email="evil@nubetis.test")),
    "imported": lambda s: imported(s, "boss", email="evil@nubetis.test"),
    "deleted": lambda s: s.delete(named(s, "boss")),
    "restored": lambda s: s.restore(named(s, "bin", deleted=True)),
    "erased": lambda s: erase(s, named(s, "bin", deleted=True), fields=["email"]),
    "off-boarded": lambda s: s.apply(plan_offboarding(s, "boss", to="ivo")),
    "no administrator": lambda s: s.edit(named(s, "rita"), email="evil@nubetis.test"),
    "in a unit": lambda s: s.unit(lambda s: (s.edit(s.user, name="I"), s.edit(named(s, "boss"), handle="evil"))),
}


def test_nobody_takes_over_one_who_has_more(ivo, nubetis_session):
    before = [dict(each) for each in nubetis_session.find("users", sort="id")]
    for road in ROADS.values():  # of what is refused nothing stays: the next begins where this one did
        with refusing("takes_over", Refused):
            road(ivo)
        assert before == [dict(each) for each in nubetis_session.find("users", sort="id")]


def test_an_administrator_may(ivo, nubetis_session):
    assert ivo.user
    for road in ("e-mail", "lowered", "off-boarded", "restored"):
        ROADS[road](nubetis_session)


def test_nor_by_taking_back_what_he_did_before_one_had_more(ivo, nubetis_session):
    done = ivo.apply(ivo.plan_edits("users", {named(ivo, "ana").id: {"email": "new@nubetis.test"}}))
    nubetis_session.edit(named(ivo, "ana"), profile=named(ivo, "boss")["profile"])
    with refusing("takes_over", Refused):
        ivo.undo(done)


def test_nor_with_a_plan_that_an_administrator_made(ivo, nubetis_session):
    plan = nubetis_session.plan_edits("users", {named(ivo, "boss").id: {"email": "new@nubetis.test"}})
    with refusing("takes_over", Refused):
        ivo.apply(plan)


def test_nor_by_lowering_the_profile_of_administrators(ivo, nubetis_org, nubetis_session):
    second = profile_with(nubetis_session, "Second", administrator=True)
    nubetis_session.edit(named(ivo, "boss"), profile=second.id)
    own = ivo.get(ivo.user)["profile"]
    both = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS, Function.MANAGE_PROFILES])
    nubetis_session.edit(own, permissions=json.dumps(write_permissions(both)))
    with refusing("takes_over", Refused):
        ivo.edit(second, administrator=False)


@pytest.mark.parametrize("road", ["profile", "permission set"])
def test_nor_by_first_making_less_of_one_who_has_more(ivo, nubetis_org, nubetis_session, road):
    """A profile or permission set is lowered by whoever has what its users have, or where it keeps them as they are."""
    admin = nubetis_session
    admin.edit(ivo.user, profile=profile_with(admin, "Both", Function.MANAGE_USERS, Function.MANAGE_PROFILES).id)
    rita, less = named(admin, "rita"), json.dumps(write_permissions(STANDARD))
    if road == "profile":
        name = rita["profile"]
    else:
        more = json.dumps(write_permissions(Permissions(functions=[Function.MANAGE_SHARING])))
        name = admin.create("permission_sets", name="More", permissions=more).id
        admin.edit(rita, profile=admin.find("profiles", F.name == "Standard")[0].id, permission_sets=[name])
        less = json.dumps(write_permissions(Permissions()))
    with refusing("takes_over", Refused):
        ivo.edit(name, permissions=less)
    unused = profile_with(admin, "Unused", Function.MANAGE_SHARING)
    ivo.edit(unused.id, permissions=json.dumps(write_permissions(STANDARD)))
    admin.edit(name, permissions=less)


def test_who_has_no_more_is_managed(ivo, nubetis_org):
    ana = named(ivo, "ana")
    ivo.edit(ana, email="ana2@nubetis.test", handle="ana2", state="suspended")
    ivo.edit(ana.id, state="active")
    ivo.delete(ana.id)
    ivo.restore(ana.id)
    ivo.edit(ivo.user, email="ivo2@nubetis.test")
    assert nubetis_org.session(HostSignIn("ana2@nubetis.test")).user == ana.id


def test_the_name_of_one_who_has_more_is_only_a_name(ivo):
    ivo.edit(named(ivo, "boss"), name="Boss")
    assert named(ivo, "boss")["name"] == "Boss"


def test_a_delegate_does_not_take_his_lender_over(ivo, nubetis_org):
    plan = plan_delegation(ivo, "ana", functions=["manage_users"], actions=["view"], until=ivo.now() + timedelta(1))
    ivo.apply(plan)
    acting = nubetis_org.session(HostSignIn("ana"), on_behalf_of="ivo")
    with refusing("takes_over", Refused):
        acting.edit(ivo.user, email="evil@nubetis.test")
    with pytest.raises(AccessDenied):
        acting.edit(acting.find("profiles")[0], name="x")
