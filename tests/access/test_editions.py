"""The edition holds on every road and against all who write at the same time."""

from __future__ import annotations

import json
import threading
from contextlib import suppress

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import F, Field, HostSignIn, Module, Table
from nubetis.access.decision import Action, Reason
from nubetis.access.entitlements import (
    UNLIMITED,
    Entitlements,
    Feature,
    read_entitlements,
    write_entitlements,
)
from nubetis.access.invariants import check_roster
from nubetis.access.permissions import STANDARD, Function, Permissions, write_permissions
from nubetis.backends.memory import forget_memory
from nubetis.data import load, merge, plan_load
from nubetis.errors import AccessDenied, InvalidValue, NubetisError, Refused
from nubetis.model.kinds import kind
from nubetis.session import past
from nubetis.session.editions import edition, plan_edition, usage
from nubetis.session.explaining import explain_for
from nubetis.session.holding import plan_hold
from nubetis.session.leaving import plan_offboarding
from nubetis.session.previewing import who_can
from nubetis.session.rosters import read_roster
from nubetis.session.sharing import plan_group, plan_share_rule
from tests.access.test_states import person
from tests.stores import refusing

WHOLE = st.none() | st.integers(2, 1 << 40)
EDITIONS = st.builds(
    Entitlements, users=WHOLE, roles=WHOLE, profiles=WHOLE, import_rows=WHOLE, automations=WHOLE,
    lacks=st.frozensets(st.sampled_from(list(Feature))), lacks_modules=st.frozensets(st.integers(1, 1 << 20)),
    unlock_after=st.integers(0, 9), by_host=st.booleans(),
)  # fmt: skip


@given(EDITIONS)
def test_an_edition_is_read_as_it_was_written(found):
    assert read_entitlements(json.loads(json.dumps(write_entitlements(found)))) == found


BAD = [
    {"users": 0}, {"users": True}, {"users": "5"}, {"roles": 1}, {"profiles": -1}, {"import_rows": 1.5},
    {"lacks": "groups"}, {"lacks": ["grups"]}, {"lacks": [1]}, {"lacks_modules": ["leads"]}, {"unlock_after": None},
    {"by_host": 1}, {"seats": 5}, {"users": 1 << 60}, [], "gold", None,
]  # fmt: skip


@pytest.mark.parametrize("data", BAD, ids=str)
def test_what_is_no_edition_is_refused_with_its_reason(data):
    with refusing("bad_setting", InvalidValue, match="edition"):
        read_entitlements(data)


def test_what_is_no_edition_does_not_become_a_setting(nubetis_session):
    for data in BAD:
        with refusing("bad_setting", InvalidValue):
            nubetis_session.create("settings", name="edition", value=json.dumps(data))
    assert edition(nubetis_session) == UNLIMITED


def set_edition(session, **values):
    """Set an edition; give the operation."""
    return session.apply(plan_edition(session, Entitlements(**values)))


def test_an_edition_is_set_by_a_plan_journalled_and_undone(nubetis_org, nubetis_session):
    first = set_edition(nubetis_session, users=5)
    assert edition(nubetis_session) == nubetis_org.entitlements == Entitlements(users=5)
    nubetis_session.undo(first)
    assert edition(nubetis_session) == nubetis_org.entitlements == UNLIMITED
    set_edition(nubetis_session, users=5)
    nubetis_session.undo(set_edition(nubetis_session, users=6, lacks=["groups"]))
    assert edition(nubetis_session) == Entitlements(users=5)


def test_whoever_may_manage_settings_sets_it_unless_it_is_the_hosts(nubetis_org, nubetis_session):
    (ana, luis) = nubetis_org.people("ana", "luis")
    with refusing("denied", AccessDenied):
        plan_edition(ana, Entitlements(users=9))
    permissions = Permissions(default=STANDARD.default, functions=[Function.MANAGE_SETTINGS])
    profile = nubetis_session.create("profiles", name="S", permissions=json.dumps(write_permissions(permissions)))
    nubetis_session.edit(luis.user, profile=profile.id)
    set_edition(luis, users=9)
    set_edition(nubetis_org.system("billing"), users=9, by_host=True)
    kept = nubetis_session.find("settings", F.name == "edition")[0]
    for session in (luis, nubetis_session):
        for act in (
            lambda s: set_edition(s, users=99), lambda s: s.delete(kept.id), lambda s: s.edit(kept.id, value="{}"),
            lambda s: s.edit(kept.id, name="x"),
        ):  # fmt: skip
            with refusing("edition_of_host", AccessDenied):
                act(session)
    session = nubetis_org.system("billing")
    set_edition(session, users=4)
    assert usage(nubetis_session)["users"] == (3, 4)


def test_an_organisation_is_made_with_an_edition(tmp_path):
    url = f"memory://{tmp_path}"
    with refusing("bad_setting", InvalidValue):
        nubetis.create(url, administrator="ana@acme.pe", settings={"edition": {}})
    given = Entitlements(users=1, roles=2)
    with nubetis.create(url, administrator="eva@acme.pe", entitlements=given) as org:
        assert org.entitlements == given
        session = org.session(HostSignIn("eva"))
        assert usage(session) == {"users": (1, 1), "roles": (2, 2), "profiles": (2, None)}
        with refusing("no_licence", Refused):
            session.create("users", person(session))
        with refusing("edition_limit", Refused):
            session.create("roles", name="Third")
    forget_memory(url)


# -- seats ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def full(nubetis_org, nubetis_session):
    """Three seats, all taken: by the administrator, eva and luis; ana, bo and a service have none."""
    list(nubetis_org.people("eva", "luis", "ana", "bo"))
    one = {user["handle"]: user.id for user in nubetis_session.find("users")}
    nubetis_session.edit(one["ana"], state="deactivated")
    nubetis_session.edit(one["bo"], state="suspended")
    one["robot"] = nubetis_session.create("users", person(nubetis_session, "robot", kind="service")).id
    one["new"] = nubetis_session.create("users", person(nubetis_session, "new", state="invited")).id
    set_edition(nubetis_session, users=3, roles=3, profiles=3)
    return one


def deleted_and_full(session, one):
    """Take out of the bin who went there active, when another has his seat."""
    session.delete(one["luis"])
    session.edit(one["ana"], state="active")
    session.restore(one["luis"])


def undone_and_full(session, one):
    """Undo a suspension when another has the seat."""
    operation = session.apply(session.plan_edits("users", {one["luis"]: {"state": "suspended"}}))
    session.edit(one["ana"], state="active")
    session.undo(operation)


def merged_and_full(session, one):
    """Merge those without a seat so that the one that remains is active."""
    merge(session, one["ana"], [one["bo"]], values={"state": "active"})


ROADS = {
    "create": lambda s, _: s.create("users", person(s, "more")),
    "activate": lambda s, one: s.edit(one["new"], state="active"),
    "reactivate": lambda s, one: s.edit(one["bo"], state="active"),
    "of a service a person": lambda s, one: s.edit(one["robot"], kind="person"),
    "bulk": lambda s, one: s.apply(s.plan_update("users", F.handle.in_(["ana", "bo"]), state="active")),
    "import": lambda s, _: load(s, Table.from_dicts([person(s, "more")]), module="users"),
    "restore": deleted_and_full,
    "undo": undone_and_full,
    "merge": merged_and_full,
    "unit": lambda s, one: s.unit(lambda it: it.edit(one["new"], state="active")),
    "downgrade": lambda s, _: set_edition(s, users=2),
    "setting": lambda s, _: s.edit(s.find("settings", F.name == "edition")[0], value='{"users": 1}'),
}


@pytest.mark.parametrize("road", ROADS)
def test_no_road_takes_a_licence_too_many(nubetis_session, full, road):
    with refusing("no_licence", Refused):
        ROADS[road](nubetis_session, full)
    assert usage(nubetis_session)["users"] == (3, 3)


def test_nubetis_itself_is_held_to_it_too(nubetis_org, full):
    with refusing("no_licence", Refused):
        nubetis_org.system("testing").edit(full["new"], state="active")


def test_who_goes_leaves_his_seat_and_a_service_takes_none(nubetis_session, full):
    nubetis_session.edit(full["luis"], state="suspended")
    nubetis_session.edit(full["new"], state="active")
    nubetis_session.create("users", person(nubetis_session, "robot2", kind="service"))
    nubetis_session.edit(full["eva"], kind="service")
    nubetis_session.edit(full["luis"], state="active")
    assert usage(nubetis_session)["users"] == (3, 3)


@pytest.mark.parametrize("module", ["roles", "profiles"])
def test_roles_and_profiles_have_their_limit(nubetis_session, full, module):
    """On each road; there are three of each role, and two profiles."""
    assert full
    made = [each.id for each in nubetis_session.find(module) if not each["built_in"]]
    if not made:
        made = [nubetis_session.create(module, name="Third").id]
    with refusing("edition_limit", Refused, match=f"3 {module}"):
        nubetis_session.create(module, name="One more")
    with refusing("edition_limit", Refused):
        load(nubetis_session, Table({"name": ["One more"]}), module=module)
    with refusing("edition_limit", Refused):
        set_edition(nubetis_session, **{module: 2})
    assert usage(nubetis_session)[module] == (3, 3)


@pytest.mark.parametrize("turn", range(7))
def test_writers_who_race_for_the_last_seat_take_one(nubetis_org, nubetis_session, full, turn):
    """Two write at the same instant: one has the seat, the other is told so or that rights moved."""
    nubetis_session.edit(full["luis"], state="suspended")
    sessions = [nubetis_org.administrator() for _ in range(2)]
    barrier, codes = threading.Barrier(len(sessions)), list[str]()

    def take(session, user):
        barrier.wait()
        try:
            session.edit(user, state="active")
            codes.append("taken")
        except NubetisError as error:
            codes.append(error.code)

    threads = [
        threading.Thread(target=take, args=(session, full[name]))
        for session, name in zip(sessions, ("new", "ana"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes.count("taken") == 1
    assert set(codes) <= {"taken", "no_licence", "outdated"}
    assert usage(nubetis_session)["users"] == (3, 3)


def test_a_seat_planned_before_a_downgrade_is_not_taken_after_it(nubetis_org, nubetis_session, full):
    """The plan was made under another edition."""
    nubetis_session.edit(full["luis"], state="suspended")
    plan = nubetis_session.plan_edits("users", {full["new"]: {"state": "active"}})
    set_edition(nubetis_org.administrator(), users=2)
    with refusing("outdated", NubetisError):
        nubetis_session.apply(plan)


# -- imports ----------------------------------------------------------------------------------------------------------
def test_an_import_over_the_limit_is_refused_before_anything_is_written(nubetis_org, nubetis_session):
    set_edition(nubetis_session, import_rows=3)
    before = past.operations(nubetis_session)
    table = Table({"name": [f"L{number}" for number in range(4)]})
    for call in (lambda: plan_load(nubetis_session, table, module="leads"),
                 lambda: load(nubetis_session, table, module="leads")):  # fmt: skip
        with refusing("edition_limit", Refused, match="3 records of one import, and there would be 4"):
            call()
    assert (past.operations(nubetis_session), nubetis_session.count("leads")) == (before, 0)
    load(nubetis_session, Table({"name": ["A", "B", "C"]}), module="leads")
    nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": str(each)} for each in range(9)]))
    assert nubetis_session.count("leads") == 12


# -- features ---------------------------------------------------------------------------------------------------------
LACKING = {
    "groups": lambda s: s.apply(plan_group(s, "G", ["everybody"])),
    "sharing_rules": lambda s: s.apply(plan_share_rule(s, "r", "leads", source="ana", target="everybody")),
    "permission_sets": lambda s: s.create("permission_sets", name="P"),
    "retention": lambda s: plan_hold(s, "leads", reason="x", where=F.name == "x"),
    "insight": lambda s: explain_for(s, "ana", "view", "leads"),
}


@pytest.mark.parametrize("feature", LACKING)
def test_a_feature_that_the_edition_lacks_is_closed_to_administrators_too(nubetis_org, nubetis_session, feature):
    list(nubetis_org.people("ana"))
    operation = set_edition(nubetis_session, lacks=[feature])
    with pytest.raises(AccessDenied) as caught:
        LACKING[feature](nubetis_session)
    assert caught.value.code in {"not_in_edition", "denied"}
    nubetis_session.undo(operation)
    LACKING[feature](nubetis_session)


def test_custom_modules_are_a_feature(nubetis_org, nubetis_session):
    set_edition(nubetis_session, lacks=["custom_modules"])
    module = Module(name="visits", prefix="vis", fields=[Field(name="place", type=kind("text"))])
    with refusing("not_in_edition", AccessDenied):
        nubetis_org.add_module(module, by=nubetis_session)
    nubetis_org.add_module(module)
    assert nubetis_session.find("modules", F.name == "visits")[0]["name"] == "visits"


@pytest.mark.parametrize("feature", ["groups", "sharing_rules", "permission_sets"])
def test_an_edition_without_what_is_used_is_refused(nubetis_org, nubetis_session, feature):
    """Nor can nubetis itself make what the edition lacks."""
    list(nubetis_org.people("ana"))
    operation = LACKING[feature](nubetis_session)
    with refusing("edition_lacks", Refused, match=feature):
        set_edition(nubetis_session, lacks=[feature])
    for each in nubetis_session.find(feature):
        nubetis_session.delete(each)
    set_edition(nubetis_session, lacks=[feature])
    with refusing("edition_lacks", Refused):
        LACKING[feature](nubetis_org.system("testing"))
    assert operation


def test_a_module_that_the_edition_lacks_has_a_closed_gate(nubetis_org, nubetis_session):
    """For every verb and everybody but nubetis itself; what was there is there again afterwards."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="A")
    operation = set_edition(nubetis_session, lacks_modules=[nubetis_org.schema.module("leads").id])
    for session in (ana, nubetis_session):
        assert session.decide("view", "leads").reasons == (Reason.EDITION,)
        assert not session.can("view", lead.id)
        for call in (lambda s: s.find("leads"), lambda s: s.create("leads", name="B"), lambda s: s.count("leads")):
            with refusing("not_in_edition", AccessDenied):
                call(session)
    assert who_can(nubetis_session, "view", "leads") == []
    assert "edition" in str(ana.explain("view", "leads"))
    assert nubetis_org.system("testing").count("leads") == 1
    nubetis_session.undo(operation)
    assert ana.get(lead.id)["name"] == "A"


# -- what comes built in ----------------------------------------------------------------------------------------------
BUILT_IN = {
    "role deleted": lambda s: s.delete(s.find("roles", F.name == "Manager")[0]),
    "roles deleted": lambda s: s.apply(s.plan_delete("roles", F.name == "Manager")),
    "profile deleted": lambda s: s.delete(s.find("profiles", F.name == "Standard")[0]),
    "flag": lambda s: s.edit(s.find("profiles", F.name == "Administrator")[0], administrator=False),
    "permissions": lambda s: s.edit(s.find("profiles", F.name == "Administrator")[0], permissions="{}"),
    "permissions in bulk": lambda s: s.apply(s.plan_update("profiles", F.name == "Administrator", permissions="{}")),
    "merged away": lambda s: merge(s, s.create("roles", name="M"), s.find("roles", F.name == "Manager")),
}


@pytest.mark.parametrize("door", ["administrator", "system"])
def test_what_comes_built_in_stays_as_it_is(nubetis_org, nubetis_session, door):
    session = nubetis_session if door == "administrator" else nubetis_org.system("testing")
    names = ("roles", "profiles")
    before = [dict(each) for name in names for each in session.find(name, F.built_in == True)]  # noqa: E712
    for act in BUILT_IN.values():
        with pytest.raises(NubetisError) as caught:
            act(session)
        assert "built_in" in {caught.value.code, *[each.code for each in getattr(caught.value, "refusals", ())]}
    assert before == [dict(each) for name in names for each in session.find(name, F.built_in == True)]  # noqa: E712


@pytest.mark.parametrize("module", ["roles", "profiles"])
def test_the_check_of_the_whole_misses_what_is_gone(nubetis_org, nubetis_session, module):
    """Whatever road there may yet be."""
    system = nubetis_org.system("testing")
    roster = system.state.read(lambda: read_roster(system.state.txn))
    check_roster(roster, nubetis_org.schema, now=system.now())
    gone = nubetis_session.find(module, F.built_in == True)[0]  # noqa: E712 - a filter
    kept = f"built_in_{module}"
    with refusing("built_in", Refused):
        check_roster(
            attrs.evolve(roster, **{kept: getattr(roster, kept) - {gone.key}}), nubetis_org.schema, now=system.now()
        )


def test_the_mark_of_what_is_built_in_is_nubetiss(nubetis_org, nubetis_session):
    for session in (nubetis_session, nubetis_org.system("testing")):
        with refusing("read_only", InvalidValue):
            session.edit(session.find("roles", F.name == "Manager")[0], built_in=False)
        with refusing("read_only", InvalidValue):
            session.create("roles", name="Mine", built_in=True)


def test_what_is_built_in_may_be_called_as_one_likes_and_standard_permits_what_one_likes(nubetis_session):
    admin, standard = (nubetis_session.find("profiles", F.name == name)[0] for name in ("Administrator", "Standard"))
    nubetis_session.edit(admin, name="Jefatura")
    nubetis_session.edit(standard, permissions=json.dumps(write_permissions(Permissions())))
    nubetis_session.edit(nubetis_session.find("roles", F.name == "Manager")[0], name="Gerente")


def test_setting_an_organisation_up_cannot_be_undone(nubetis_org, nubetis_session):
    for operation in past.operations(nubetis_session, limit=50):
        with suppress(NubetisError):
            assert nubetis_org.system("testing").undo(operation).operation is None
    assert [nubetis_session.count(each) for each in ("roles", "profiles", "users")] == [2, 2, 1]


# -- custom roles and profiles ----------------------------------------------------------------------------------------
def test_the_first_user_has_a_system_role_and_is_an_administrator(nubetis_session):
    me = nubetis_session.get(nubetis_session.user)
    assert nubetis_session.get(me["role"])["built_in"]
    assert nubetis_session.get(me["profile"])["administrator"]
    assert nubetis_session.create("roles", name="Own")["name"] == "Own"


@pytest.mark.parametrize("module", ["roles", "profiles"])
def test_custom_ones_unlock_when_enough_are_active(nubetis_session, module):
    """Those who are invited, and services, do not count."""
    early = nubetis_session.create(module, name="Early")
    nubetis_session.delete(early)
    set_edition(nubetis_session, unlock_after=2)
    nubetis_session.create("users", person(nubetis_session, "robot", kind="service"))
    user = nubetis_session.create("users", person(nubetis_session, state="invited"))
    for call in (
        lambda: nubetis_session.create(module, name="Late"),
        lambda: nubetis_session.restore(early.id),
        lambda: nubetis_session.apply(plan_load(nubetis_session, Table({"name": ["Late"]}), module=module)),
    ):
        with pytest.raises(NubetisError) as caught:
            call()
        assert "locked_yet" in {caught.value.code, *[each.code for each in getattr(caught.value, "refusals", ())]}
    nubetis_session.edit(user.id, state="active")
    assert nubetis_session.create(module, name="Late")["name"] == "Late"
    nubetis_session.edit(user.id, state="suspended")
    assert nubetis_session.count(module) == 3


def test_records_are_merged_though_the_edition_lacks_a_module_that_links_to_them(nubetis_org, nubetis_session):
    """What links to them there stays as it is, like all that one may not see."""
    s = nubetis_session
    kept, gone = s.create("accounts", name="A"), s.create("accounts", name="B")
    deal = s.create("deals", name="D", account=gone.id)
    set_edition(s, lacks_modules=[nubetis_org.schema.module("deals").id])
    merge(s, kept, [gone])
    assert s.count("accounts") == 1
    assert nubetis_org.system("testing").get(deal.id)["account"] == gone.id


def test_records_are_merged_by_one_who_may_not_view_a_module_that_links_to_them(nubetis_org, nubetis_session):
    (ana,) = nubetis_org.people("ana")
    said = Permissions(default=list(Action), modules={nubetis_org.schema.module("deals").id: []})
    profile = nubetis_session.create("profiles", name="P", permissions=json.dumps(write_permissions(said)))
    nubetis_session.edit(ana.user, profile=profile.id)
    merge(ana, ana.create("accounts", name="A"), [ana.create("accounts", name="B")])
    assert ana.count("accounts") == 1


def test_no_sequence_takes_more_than_there_is_or_the_last_administrator(nubetis_org, nubetis_session, full, rng):
    """Whatever is tried, in whatever order: on each road, and back by undo."""
    free = {
        "suspend": lambda s, one: s.edit(one[rng.choice(["eva", "luis", "ana"])], state="suspended"),
        "oneself": lambda s, _: s.edit(s.user, state="deactivated"),
        "delete": lambda s, one: s.delete(one[rng.choice(["eva", "luis", "bo"])]),
        "back": lambda s, one: s.restore(one[rng.choice(["eva", "luis", "bo"])]),
        "undo": lambda s, _: s.undo(rng.choice(past.operations(s, limit=5))),
        "wider": lambda s, _: set_edition(s, users=rng.randint(1, 4), roles=3),
        "leaves": lambda s, one: s.apply(plan_offboarding(s, one["luis"], to="eva")),
    }
    for name in rng.choices([*ROADS, *free], k=40):
        with suppress(NubetisError, IndexError):  # an undo may have taken the setting away
            {**ROADS, **free}[name](nubetis_session, full)
        used, limit = usage(nubetis_session)["users"]
        assert limit is None or used <= limit
        assert nubetis_session.can("edit", "users")
        assert nubetis_org.system("testing").count("users", F.state == "active") >= used
