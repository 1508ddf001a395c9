"""A snapshot of access: the same text for the same access, no values in it, and a difference that can be read."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import F
from nubetis.access.entitlements import Entitlements
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.access.snapshot import AccessSnapshot, SnapshotChange, compare
from nubetis.errors import AccessDenied, InvalidValue
from nubetis.session.delegating import plan_delegation
from nubetis.session.editions import plan_edition
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule
from nubetis.session.snapshots import access_snapshot
from nubetis.testing.people import ADMINISTRATOR, make_org
from tests.stores import refusing

SECTIONS = [each.name for each in attrs.fields(AccessSnapshot)]
VALUES = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
SNAPSHOTS = st.fixed_dictionaries({name: st.dictionaries(st.text(max_size=4), VALUES, max_size=3) for name in SECTIONS})


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    lines = ("eva: Head", "luis: Lead < eva", "ana: Rep < luis", "pia: Office")
    found = dict(zip(("eva", "luis", "ana", "pia"), nubetis_org.people(*lines), strict=True))
    admin = nubetis_session
    admin.apply(plan_group(admin, "Front", ["role Office", "pia"]))
    admin.apply(plan_share_rule(admin, "north", "leads", source="role Lead+", target="group Front", level="write"))
    admin.apply(plan_share_rule(admin, "secret", "leads", where=F.company == "Hush", target="pia"))
    admin.apply(plan_default(admin, "deals", level="read"))
    return found


@given(SNAPSHOTS)
def test_reading_gives_back_what_was_shown(sections):
    snapshot = AccessSnapshot(**sections)
    assert AccessSnapshot.parse(snapshot.show()) == snapshot
    assert compare(snapshot, snapshot) == []


@given(SNAPSHOTS, SNAPSHOTS)
def test_turning_a_comparison_round_turns_each_difference(one, other):
    first, second = AccessSnapshot(**one), AccessSnapshot(**other)
    there = [(each.path, each.before, each.after) for each in compare(first, second)]
    back = [(each.path, each.after, each.before) for each in compare(second, first)]
    assert sorted(map(repr, there)) == sorted(map(repr, back))


def test_the_same_access_is_the_same_text(nubetis_session, staff):
    """Whatever records come and go, and however often it is taken."""
    before = access_snapshot(nubetis_session)
    staff["ana"].create("leads", name="X", company="Hush")
    assert access_snapshot(nubetis_session).show() == before.show()
    assert AccessSnapshot.parse(before.show()) == before


def test_what_a_snapshot_says(nubetis_session, staff):
    """By names; of a filter the fields alone."""
    found = access_snapshot(nubetis_session)
    assert found.roles["Rep"] == {"reports_to": "Lead", "peers": False}
    assert found.profiles["Administrator"]["administrator"]
    assert found.groups["Front"] == ["role Office", "user pia"]
    assert found.rules["north"] | {"where": None} == {
        "module": "leads", "source": "role Lead+", "target": "group Front", "level": "write", "superiors": False,
        "where": None,
    }  # fmt: skip
    assert found.rules["secret"]["where"]["fields"] == ["company"]
    assert found.defaults["deals"]["level"] == "read"
    assert found.functions["manage_users"] == ["admin"]
    assert found.reach["Head"]["leads"] == {"everybody": "none", "delete": ["Lead+"]}
    assert found.reach["Office"]["leads"] == {"everybody": "none", "write": ["Lead+"]}
    assert found.reach["Office"]["deals"] == {"everybody": "read"}
    assert found.users["ana"] == {
        "role": "Rep", "profile": "Standard", "permission_sets": [], "state": "active", "person": True,
    }  # fmt: skip
    assert found.edition == {}
    for text in ("Hush", "Eva", "use_"):
        assert text not in found.show()


def test_the_reach_of_a_role_is_what_its_user_has(nubetis_session, staff):
    """Where rules and groups name roles."""
    found = access_snapshot(nubetis_session)
    made = {name: session.create("leads", name=name) for name, session in staff.items()}
    role = {"eva": "Head", "luis": "Lead", "ana": "Rep", "pia": "Office"}
    for viewer, session in staff.items():
        reach = found.reach[role[viewer]]["leads"]
        for owner, lead in made.items():
            names = {role[owner], *["Lead+" for _ in (1,) if role[owner] in {"Lead", "Rep"}]}
            told = [level for level in ("read", "write", "delete") if names & set(reach.get(level, []))]
            level = session.decide("view", lead).level.text if session.can("view", lead.id) else None
            assert owner == viewer or [level] == (told or [None])


CHANGES = {
    "role": (lambda s: s.edit(one(s, "roles", "Office"), reports_to=one(s, "roles", "Head").id), {
        "+ roles / Office / reports_to: Head", "+ reach / Head / leads / delete: Office"}),
    "rule": (lambda s: s.edit(one(s, "sharing_rules", "north"), level="read"), {
        "~ rules / north / level: write → read"}),
    "filter": (lambda s: s.edit(one(s, "sharing_rules", "secret"), active=False), {"- rules / secret: "}),
    "default": (lambda s: s.apply(plan_default(s, "deals", level="write")), {
        "~ defaults / deals / level: read → write", "~ reach / Rep / deals / everybody: read → write"}),
    "profile": (lambda s: s.edit(one(s, "profiles", "Standard"), permissions=json.dumps(write_permissions(
        attrs.evolve(STANDARD, functions=[Function.MANAGE_SHARING])))), {
        "+ profiles / Standard / functions: manage_sharing"}),
    "role of a user": (lambda s: s.edit(user(s), role=one(s, "roles", "Head").id), {
        "~ users / pia / role: Office → Head"}),
    "profile of a user": (lambda s: s.edit(user(s), profile=one(s, "profiles", "Administrator").id), {
        "~ users / pia / profile: Standard → Administrator", "+ functions / manage_users: pia"}),
    "permission set of a user": (lambda s: s.edit(
        user(s), permission_sets=[s.create("permission_sets", name="Out", permissions="{}").id]), {
        "+ users / pia / permission_sets: Out"}),
    "state of a user": (lambda s: s.edit(user(s), state="suspended"), {"~ users / pia / state: active → suspended"}),
    "a user more": (lambda s: s.create(
        "users", name="Zoe", email="zoe@acme.pe", role=user(s)["role"], profile=user(s)["profile"]), {
        "+ users / zoe@acme.pe: "}),
    "a user less": (lambda s: s.delete(s.create(
        "users", name="Zoe", email="zoe@acme.pe", role=user(s)["role"], profile=user(s)["profile"])), {}),
    "delegation": (lambda s: s.apply(plan_delegation(s, "pia", modules="leads", actions="view")), {
        '+ delegations / admin > pia: [{"actions": ["view"], "functions": [], "modules": ["leads"], "since": null, '}),
    "edition": (lambda s: s.apply(plan_edition(s, Entitlements(
        users=50, lacks=["retention"], lacks_modules=[s.schema.module("deals").id]))), {
        "+ edition / users: 50", '+ edition / lacks: ["retention"]', '+ edition / lacks_modules: ["deals"]'}),
}  # fmt: skip


def user(session):
    return session.find("users", F.handle == "pia")[0]


def one(session, module, name):
    return session.find(module, F.name == name)[0]


@pytest.mark.parametrize(("change", "lines"), CHANGES.values(), ids=CHANGES)
def test_a_difference_says_what_changed(nubetis_session, staff, change, lines):
    before = access_snapshot(nubetis_session)
    change(nubetis_session)
    found = [str(each) for each in compare(before, access_snapshot(nubetis_session))]
    for line in lines:
        assert any(each.startswith(line) for each in found), found
    assert bool(found) is bool(lines), found


def test_a_long_chain_of_roles_is_said_once_by_each():
    """Not all of it by each above."""
    sizes = []
    for count in (20, 40):
        with make_org() as org:
            admin, above = org.administrator(), None
            for number in range(count):
                above = admin.create("roles", name=f"R{number}", reports_to=above).id
            sizes.append(len(access_snapshot(admin).show()))
    assert sizes[1] < 2.5 * sizes[0]


def test_a_delegation_that_is_over_is_none(nubetis_session, nubetis_clock, staff):
    before = access_snapshot(nubetis_session)
    nubetis_session.apply(plan_delegation(nubetis_session, "pia", until=nubetis_session.now() + timedelta(hours=1)))
    assert [each.path[0] for each in compare(before, access_snapshot(nubetis_session))] == ["delegations"]
    nubetis_clock.advance(hours=1)
    assert compare(before, access_snapshot(nubetis_session)) == []


def test_organisations_made_alike_have_one_text():
    """Whatever ids their records have."""
    texts = []
    for before in (0, 7):
        with make_org() as org:
            admin = org.administrator()
            for at in range(before):
                admin.delete(admin.create("leads", name=str(at)))
            (pia,) = org.people("pia: Office")
            admin.apply(plan_group(admin, "Front", ["pia", ADMINISTRATOR]))
            admin.apply(plan_share_rule(admin, "hers", "leads", source="pia", target="group Front"))
            texts.append((pia.user, access_snapshot(admin).show()))
    assert texts[0][0] != texts[1][0]
    assert texts[0][1] == texts[1][1]


def test_others_access_is_for_those_who_may_explain_it(nubetis_org, nubetis_session, staff):
    """Without the fields that they may not read themselves."""
    with refusing("denied", AccessDenied):
        access_snapshot(staff["ana"])
    leads = nubetis_org.schema.module("leads")
    said = attrs.evolve(
        STANDARD, functions=[Function.EXPLAIN_ACCESS],
        fields={(leads.id, leads.field("company").id): FieldLevel.HIDDEN},
    )  # fmt: skip
    kept = json.dumps(write_permissions(said))
    profile = nubetis_session.create("profiles", name="Less", permissions=kept)
    assert access_snapshot(nubetis_session).profiles["Less"]["fields"] == {"leads.company": "hidden"}
    nubetis_session.edit(staff["ana"].user, profile=profile.id)
    assert "company" not in access_snapshot(staff["ana"]).show()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 1}', "x", '{"format": 3}', "[" * 100_000])
def test_what_is_no_snapshot(text):
    with refusing("bad_snapshot", InvalidValue):
        AccessSnapshot.parse(text)
    with refusing("bad_snapshot", InvalidValue):
        AccessSnapshot.parse(AccessSnapshot().show().replace('"rules": {}', '"rules": []'))


def test_a_difference_in_words():
    assert str(SnapshotChange(("a", "b"), None, "x")) == "+ a / b: x"
    assert str(SnapshotChange(("a",), True, False)) == "~ a: true → false"
