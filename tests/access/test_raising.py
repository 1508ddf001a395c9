"""Nobody gives himself or others what he has not got, by whatever road; administrators alone may give everything."""

from __future__ import annotations

import json
from contextlib import suppress

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.decision import Action
from nubetis.access.permissions import (
    NO_PERMISSION,
    STANDARD,
    FieldLevel,
    Function,
    Permissions,
    write_permissions,
)
from nubetis.errors import NubetisError, Refused
from nubetis.session.sharing import plan_default, plan_share_rule
from tests.stores import refusing

MANAGER = attrs.evolve(
    STANDARD,
    functions=[
        Function.MANAGE_USERS, Function.MANAGE_ROLES, Function.MANAGE_PROFILES, Function.MANAGE_SHARING,
        Function.MANAGE_SETTINGS,
    ],
)  # fmt: skip


def kept(permissions):
    return json.dumps(write_permissions(permissions))


def one(session, module, name):
    return session.find(module, F.name == name)[0]


@pytest.fixture
def manager(nubetis_org, nubetis_session):
    """Give the session of luis, who may manage people and sharing and is no administrator; ana is below him."""
    lines = ("eva: Head", "luis: Lead < eva", "tom: Lead", "ana: Rep < luis", "pia: Office")
    _, luis, *_ = nubetis_org.people(*lines)
    profile = nubetis_session.create("profiles", name="Manager", permissions=kept(MANAGER))
    nubetis_session.edit(luis.user, profile=profile.id)
    nubetis_session.create("profiles", name="More", permissions=kept(attrs.evolve(MANAGER, default=list(Action))))
    nubetis_session.create("profiles", name="Less", permissions=kept(Permissions(default=[Action.VIEW])))
    nubetis_session.create(
        "permission_sets", name="Exports", permissions=kept(Permissions(default=[Action.EXPORT, Action.VIEW]))
    )
    return luis


def person(session, *, role, profile):
    return {
        "name": "N", "email": "n@acme.pe", "role": one(session, "roles", role).id,
        "profile": one(session, "profiles", profile).id,
    }  # fmt: skip


RAISING = {
    "administrator made": lambda s: s.create("users", person(s, role="Rep", profile="Administrator")),
    "more than one has": lambda s: s.create("users", person(s, role="Rep", profile="More")),
    "role above": lambda s: s.create("users", person(s, role="Head", profile="Standard")),
    "own role": lambda s: s.edit(s.user, role=one(s, "roles", "Head").id),
    "own profile": lambda s: s.edit(s.user, profile=one(s, "profiles", "More").id),
    "own administrator": lambda s: s.edit(s.user, profile=one(s, "profiles", "Administrator").id),
    "own set": lambda s: s.edit(s.user, permission_sets=[one(s, "permission_sets", "Exports").id]),
    "set of another": lambda s: s.apply(
        s.plan_update("users", F.handle == "ana", permission_sets=[one(s, "permission_sets", "Exports").id])),
    "own profile written": lambda s: s.edit(one(s, "profiles", "Manager"), permissions=kept(
        attrs.evolve(MANAGER, default=list(Action)))),
    "flag": lambda s: s.edit(one(s, "profiles", "Manager"), administrator=True),
    "role moved above": lambda s: s.apply(s.plan_edits("roles", {
        one(s, "roles", "Lead").id: {"reports_to": None}, one(s, "roles", "Head").id: {
            "reports_to": one(s, "roles", "Lead").id}})),
    "another moved below": lambda s: s.edit(one(s, "roles", "Office"), reports_to=one(s, "roles", "Lead").id),
    "default": lambda s: s.apply(plan_default(s, "leads", level="read")),
    "rule for himself": lambda s: s.apply(plan_share_rule(s, "r", "leads", source="pia", target="luis")),
    "rule for another": lambda s: s.apply(plan_share_rule(s, "r", "leads", source="eva", target="ana")),
    "rule on values": lambda s: s.apply(plan_share_rule(s, "r", "leads", where=F.name == "x", target="luis")),
    "peers": lambda s: s.edit(one(s, "roles", "Office"), peers=True),
    "by the parent": lambda s: s.apply(plan_default(s, "contacts", parent="account", parent_level="read")),
}  # fmt: skip


@pytest.mark.parametrize("road", RAISING)
def test_nobody_raises_himself_or_another(nubetis_session, manager, road):
    """It is refused, and nothing of it is written."""
    if road == "peers":  # it gives something only where there are two of them
        nubetis_session.create("users", person(nubetis_session, role="Office", profile="Standard"))
    before = nubetis_session.count("users"), nubetis_session.count("sharing_rules")
    with refusing("raises_rights", Refused):
        RAISING[road](manager)
    assert before == (nubetis_session.count("users"), nubetis_session.count("sharing_rules"))


GIVING = {
    "role beside": lambda s: s.create("users", person(s, role="Office", profile="Standard")),
    "below": lambda s: s.create("users", person(s, role="Rep", profile="Standard")),
    "less": lambda s: s.create("users", person(s, role="Rep", profile="Less")),
    "as oneself": lambda s: s.create("users", person(s, role="Lead", profile="Manager")),
    "taken away": lambda s: s.apply(s.plan_update("users", F.handle == "ana", state="suspended")),
    "own records": lambda s: s.apply(plan_share_rule(s, "r", "leads", source="luis", target="pia")),
    "records of those below": lambda s: s.apply(plan_share_rule(s, "r", "leads", source="ana", target="pia")),
    "role below": lambda s: s.create("roles", name="New", reports_to=one(s, "roles", "Lead").id),
    "group": lambda s: s.create("groups", name="G", members=["everybody"]),
    "less upward": lambda s: s.apply(plan_default(s, "leads", upward="read")),
}


@pytest.mark.parametrize("road", GIVING)
def test_what_one_has_one_may_give(manager, road):
    """And take away."""
    GIVING[road](manager)


def test_what_somebody_had_already_is_not_raised(nubetis_org, nubetis_session, manager):
    """Whoever manages people may move one who may edit a field that he himself may only read."""
    leads = nubetis_org.schema.module("leads")
    said = attrs.evolve(MANAGER, fields={(leads.id, leads.field("company").id): FieldLevel.READ})
    nubetis_session.edit(one(nubetis_session, "profiles", "Manager"), permissions=kept(said))
    below = nubetis_session.create("roles", name="Deep", reports_to=one(nubetis_session, "roles", "Rep").id)
    manager.apply(manager.plan_update("users", F.handle == "ana", role=below.id))
    with refusing("raises_rights", Refused):
        manager.create("users", person(manager, role="Rep", profile="Standard"))


FIELDS = {
    "own profile": lambda s, org: s.edit(one(s, "profiles", "Manager"), permissions=kept(MANAGER)),
    "to be read": lambda s, org: s.edit(
        one(s, "profiles", "Manager"), permissions=kept(phones(org, FieldLevel.READ, MANAGER))
    ),
    "profile of another": lambda s, org: s.edit(
        one(s, "profiles", "Less"), permissions=kept(phones(org, FieldLevel.READ, Permissions(default=[Action.VIEW])))
    ),
    "own set": lambda s, _: s.edit(s.user, permission_sets=[one(s, "permission_sets", "Phones").id]),
    "set written": lambda s, org: s.edit(
        one(s, "permission_sets", "Mine"), permissions=kept(phones(org, FieldLevel.READ))
    ),
    "another profile": lambda s, _: s.edit(s.user, profile=one(s, "profiles", "Standard").id),
}


def phones(org, level, permissions=NO_PERMISSION):
    leads = org.schema.module("leads")
    return attrs.evolve(permissions, fields={(leads.id, leads.field("phone").id): level})


@pytest.fixture
def unread(nubetis_org, nubetis_session, manager):
    """Give the manager who may not read phones, nor may ana."""
    admin = nubetis_session
    for name, permissions in (("Manager", MANAGER), ("Less", Permissions(default=[Action.VIEW]))):
        hidden = kept(phones(nubetis_org, FieldLevel.HIDDEN, permissions))
        admin.edit(one(admin, "profiles", name), permissions=hidden)
    admin.apply(admin.plan_update("users", F.handle == "ana", profile=one(admin, "profiles", "Less").id))
    admin.create("permission_sets", name="Phones", permissions=kept(phones(nubetis_org, FieldLevel.READ)))
    mine = admin.create("permission_sets", name="Mine", permissions=kept(NO_PERMISSION))
    admin.edit(manager.user, permission_sets=[mine.id])
    return manager


@pytest.mark.parametrize("road", FIELDS)
def test_nobody_lets_himself_or_another_read_a_field_that_he_may_not(nubetis_org, unread, road):
    with refusing("raises_rights", Refused):
        FIELDS[road](unread, nubetis_org)
    assert "phone" not in unread.create("leads", name="x")


def test_a_field_that_somebody_has_already_does_not_stand_against_what_he_is_given(nubetis_session, unread):
    """She gets a verb that he has, and reads the phones that he does not read as before."""
    admin = nubetis_session
    profile = admin.create("profiles", name="Views", permissions=kept(Permissions(default=[Action.VIEW])))
    admin.apply(admin.plan_update("users", F.handle == "ana", profile=profile.id))
    for verb in (Action.EDIT, Action.EXPORT):  # to edit a phone is more than to read it
        with refusing("raises_rights", Refused):
            given = kept(Permissions(default=[Action.VIEW, verb]))
            unread.edit(one(unread, "profiles", "Views"), permissions=given)
    more = kept(Permissions(default=[Action.VIEW, Action.SHARE]))
    unread.edit(one(unread, "profiles", "Views"), permissions=more)


def test_who_really_gains_is_named(nubetis_org, nubetis_session, manager):
    """Administrators have everything, and who may not sign in comes after those who may."""
    users = nubetis_session.find("users", sort="id", limit=20)
    assert users[0].id == nubetis_session.user  # she would be the first
    suspended = nubetis_session.find("users", F.handle == "eva")[0].id
    nubetis_session.edit(suspended, state="suspended")
    with refusing("raises_rights", Refused) as caught:
        manager.apply(plan_default(manager, "deals", level="delete"))
    assert caught.value.params["user"] not in {nubetis_session.user, suspended}


def test_by_a_parent_that_is_already_one_gives_what_one_has(nubetis_session, manager):
    """Who comes has by the parent what everybody has by it, and who has everybody's records may let them be had so."""
    nubetis_session.apply(plan_default(nubetis_session, "contacts", parent="account", parent_level="write"))
    manager.create("users", person(manager, role="Rep", profile="Standard"))
    manager.apply(plan_default(manager, "contacts", parent="account", parent_level="read"))
    with refusing("raises_rights", Refused):
        manager.apply(plan_default(manager, "contacts", parent="account", parent_level="write"))
    nubetis_session.apply(plan_default(nubetis_session, "contacts", level="write"))
    manager.apply(plan_default(manager, "contacts", level="write", parent="account", parent_level="write"))


@pytest.mark.parametrize("road", RAISING)
def test_an_administrator_may(nubetis_session, manager, road):
    if road == "own profile":  # he is the last one
        with refusing("last_administrator", Refused):
            RAISING[road](nubetis_session)
        return
    RAISING[road](nubetis_session)


def test_no_sequence_of_calls_gives_anybody_what_its_actor_had_not(nubetis_org, nubetis_session, manager, rng):
    """Whatever he tries, in whatever order: all whom he made or changed see and may no more than he did."""
    lead = {name: nubetis_org.session(HostSignIn(name)).create("leads", name=name).id for name in ("eva", "pia", "ana")}
    had = {each for each in lead.values() if manager.can("view", each)}
    could = {(a, m) for a in Action for m in ("leads", "deals", "users", "profiles") if manager.can(a, m)}
    roads = [*RAISING.values(), *GIVING.values()]
    for act in rng.choices(roads, k=25):
        with suppress(NubetisError):
            act(manager)
    for user in nubetis_session.find("users", F.state == "active", limit=100):
        if user["handle"] in {"eva", "tom", "pia", "admin"}:
            continue
        session = nubetis_org.session(HostSignIn(user.id))
        assert {each for each in lead.values() if session.can("view", each)} <= had
        assert {(a, m) for a in Action for m in ("leads", "deals", "users", "profiles") if session.can(a, m)} <= could


def test_nobody_raises_anybody_behind_another_change_in_one_unit(manager):
    """What a unit did before gives it no more than it had."""

    def work(session, road):
        session.create("groups", name="G", members=["everybody"])
        session.create("roles", name="New", reports_to=one(session, "roles", "Lead").id)
        RAISING[road](session)

    for road in sorted(set(RAISING) - {"peers"}):
        with refusing("raises_rights", Refused):
            manager.unit(lambda session, road=road: work(session, road))
    assert manager.count("groups") == 0
