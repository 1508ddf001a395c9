"""Nobody comes to what is shared with others by changing people: into a group or a role, or above somebody."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.compare import Comparison
from nubetis.access.directory import Directory
from nubetis.access.gaining import Gaining, Way
from nubetis.access.permissions import write_permissions
from nubetis.access.sharing import Principal, PrincipalKind
from nubetis.errors import Refused
from nubetis.session.delegating import plan_delegation
from nubetis.session.leaving import plan_offboarding
from nubetis.session.roles import plan_role_removal
from nubetis.session.sharing import plan_default, plan_group, share
from tests.access.test_compare import CHANGES, made
from tests.access.test_raising import MANAGER, one
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Give sessions by handle: ivo manages people and sharing, pia works with him; ana's records are shared."""
    admin = nubetis_session
    nubetis_org.people("eva: Head", "ana: Rep", "rob: Desk", "ivo: Clerk", "pia: Clerk", "zoe: Low < ivo")
    profile = admin.create("profiles", name="Manager", permissions=json.dumps(write_permissions(MANAGER)))
    admin.edit(admin.find("users", F.handle == "ivo")[0], profile=profile.id)
    for name in ("Vault", "Zed"):
        admin.create("roles", name=name)
    admin.create("roles", name="Empty", reports_to=one(admin, "roles", "Clerk").id)
    admin.apply(plan_group(admin, "Board", ["eva"]))
    admin.apply(plan_group(admin, "Inner", ["eva"]))
    joined(admin, "Board", one(admin, "groups", "Inner").id)
    names = ("admin", "eva", "ana", "rob", "ivo", "pia", "zoe")
    return {name: nubetis_org.session(HostSignIn(name)) for name in names}


def joined(session, group, *who):
    found = one(session, "groups", group)
    return session.edit(found, members=[*found["members"], *who])


def nothing_goes_up(admin):
    """Let nobody have the records of those below him: only what is shared is then gained."""
    for module in [each.name for each in admin.schema.modules if not each.system]:
        admin.apply(plan_default(admin, module, upward="none"))


def own_role(session):
    return session.get(session.user)["role"]


ROADS = {
    "into a group": ("group Board", lambda s, _: joined(s, "Board", s.user)),
    "into a group of a group": ("group Board", lambda s, _: joined(s, "Inner", s.user)),
    "another into a group": ("group Board", lambda s, of: joined(s, "Board", of["zoe"].user)),
    "role into a group": ("group Board", lambda s, _: joined(s, "Board", own_role(s))),
    "own role": ("role Vault", lambda s, _: s.edit(s.user, role=one(s, "roles", "Vault").id)),
    "role of another": ("role Vault", lambda s, of: s.edit(of["zoe"].user, role=one(s, "roles", "Vault").id)),
    "role removed": ("role Vault", lambda s, _: s.apply(plan_role_removal(s, "Clerk", heir="Vault"))),
    "role moved": ("role Zed+", lambda s, _: s.edit(own_role(s), reports_to=one(s, "roles", "Zed").id)),
    "new user": ("role Vault", lambda s, _: s.create("users", {
        "name": "N", "email": "n@acme.pe", "role": one(s, "roles", "Vault").id,
        "profile": s.get(s.user)["profile"]})),
}  # fmt: skip
UPWARDS = {
    "role below": ("rob", lambda s, _: s.edit(one(s, "roles", "Desk"), reports_to=own_role(s))),
    "user below": ("rob", lambda s, of: s.edit(of["rob"].user, role=one(s, "roles", "Empty").id)),
    "role shared with": ("role Desk", lambda s, _: s.edit(one(s, "roles", "Desk"), reports_to=own_role(s))),
    "group shared with": ("group Desks", lambda s, _: s.edit(one(s, "roles", "Desk"), reports_to=own_role(s))),
}


@pytest.fixture(params=[*ROADS, *UPWARDS])
def road(request, staff):
    """Give a road to something that is shared, and the lead that would be gained on it."""
    up = request.param in UPWARDS
    target, act = (UPWARDS if up else ROADS)[request.param]
    admin, ana = staff["admin"], staff["ana"]
    if up:
        nothing_goes_up(admin)
    admin.apply(plan_group(admin, "Desks", ["rob"]))
    lead = ana.create("leads", name="L")
    share(ana, lead, target, level="delete", superiors=up)
    return act, lead, target


def test_nobody_comes_to_what_is_shared_with_others(staff, road):
    """It is refused; the same is given to whoever has the record himself, and to administrators."""
    act, lead, _ = road
    for given in (None, "write"):
        if given:
            share(staff["ana"], lead, "ivo", level=given)
        with refusing("raises_rights", Refused):
            act(staff["ivo"], staff)
    assert not staff["ivo"].can("delete", lead.id)
    share(staff["ana"], lead, "ivo", level="delete")
    act(staff["ivo"], staff)


def test_administrators_may(staff):
    """They have everything; nor does it matter what comes to them."""
    lead = staff["ana"].create("leads", name="L")
    share(staff["ana"], lead, "group Board", level="delete")
    joined(staff["ivo"], "Board", staff["admin"].user)
    joined(staff["admin"], "Board", staff["ivo"].user)
    assert staff["ivo"].can("delete", lead.id)


def test_what_is_over_is_not_gained(staff, road, nubetis_clock):
    """Nor what goes to nobody above, nor what was taken back."""
    act, lead, target = road
    ana = staff["ana"]
    share(ana, lead, target, level="delete", until=ana.now() + timedelta(hours=1), superiors=True)
    nubetis_clock.advance(hours=1)
    act(staff["ivo"], staff)


def test_what_does_not_go_up_is_not_gained_from_below(staff):
    """Only shares that go to superiors do."""
    lead = staff["ana"].create("leads", name="L")
    share(staff["ana"], lead, "rob", level="delete")
    nothing_goes_up(staff["admin"])
    UPWARDS["role below"][1](staff["ivo"], staff)
    assert not staff["ivo"].find("leads")


def test_a_delegate_gains_nothing_for_good(nubetis_org, staff):
    """What ivo has and may give, pia who acts for him does not give herself."""
    ana, ivo, pia = (staff[name] for name in ("ana", "ivo", "pia"))
    lead = ana.create("leads", name="L")
    share(ana, lead, "group Board", level="delete")
    share(ana, lead, "ivo", level="delete")
    ivo.apply(plan_delegation(ivo, "pia", functions=["manage_sharing"], until=ivo.now() + timedelta(hours=1)))
    acting = nubetis_org.session(HostSignIn("pia"), on_behalf_of="ivo")
    with refusing("raises_rights", Refused):
        joined(acting, "Board", pia.user)
    joined(acting, "Board", staff["zoe"].user)
    share(ana, lead, "pia", level="delete")
    joined(acting, "Board", pia.user)


def test_related_records_are_gained_as_well(staff):
    """Of a share with related records one must have those, too."""
    admin, ana, ivo = (staff[name] for name in ("admin", "ana", "ivo"))
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="read"))
    account = ana.create("accounts", name="A")
    share(admin, account, "group Board", level="delete", related=True)
    share(admin, account, "ivo", level="delete")
    with refusing("raises_rights", Refused):
        joined(ivo, "Board", ivo.user)
    share(admin, account, "ivo", level="delete", related=True)
    joined(ivo, "Board", ivo.user)


def test_very_many_are_refused_and_not_looked_at(staff, monkeypatch):
    """A change that gives more than can be looked at is for administrators."""
    ana, ivo = staff["ana"], staff["ivo"]
    for name in "AB":
        lead = ana.create("leads", name=name)
        share(ana, lead, "group Board")
        share(ana, lead, "ivo")
    monkeypatch.setattr("nubetis.session.gaining._MOST", 1)
    with refusing("raises_rights", Refused):
        joined(ivo, "Board", ivo.user)
    monkeypatch.setattr("nubetis.session.gaining._MOST", 2)
    joined(ivo, "Board", ivo.user)


def group_changed(rng, roster):
    """Let each group have another's members."""
    keys = list(roster.groups)
    members = {key: roster.groups[other] for key, other in zip(keys, rng.sample(keys, len(keys)), strict=True)}
    return attrs.evolve(roster, groups=members)


def ways(directory, user):
    """Give by what a share reaches a user, each principal with whether the share must go up."""
    found = directory.principals(user)
    return {Way(each, superiors=False) for each, up in found if not up} | {
        Way(each, superiors=True) for each, _ in found
    }


@pytest.mark.parametrize("change", [*CHANGES, group_changed])
@pytest.mark.parametrize("of_one", [False, True])
def test_the_ways_gained_are_those_that_principals_tell(rng, change, of_one):
    """As said user by user: what reaches one after the change, did not before, and did not reach the actor."""
    for _ in range(4):
        roster = made(rng, rules=2)
        before, after = Directory(roster), Directory(change(rng, roster))
        actor = rng.choice(roster.users).key
        of = rng.choice(sorted(after.users)) if of_one else None
        told = Gaining(Comparison(before, after, ())).ways(actor, of=of)
        expected = set()
        for user in after.users if of is None else [of]:
            if not before.administrator(user):
                expected |= ways(after, user) - ways(before, user) - ways(before, actor)
        new = {Principal(PrincipalKind.USER, user) for user in after.users.keys() - before.users.keys()}
        assert {way for way in told if way.target not in new} == {way for way in expected if way.target not in new}


def test_who_takes_over_gains_nothing_that_the_actor_has_not(staff):
    """Off-boarding by one who is no administrator gives the heir no place in a group with which more is shared."""
    ana, ivo = staff["ana"], staff["ivo"]
    lead = ana.create("leads", name="L")
    share(ana, lead, "group Board", level="delete")
    plan = plan_offboarding(ivo, "eva", to="zoe")
    with refusing("raises_rights", Refused):
        ivo.apply(plan)
    share(ana, lead, "ivo", level="delete")
    ivo.apply(plan_offboarding(ivo, "eva", to="zoe"))
    assert staff["zoe"].can("delete", lead.id)
