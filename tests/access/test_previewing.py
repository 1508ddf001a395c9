"""Looking before: a preview says what each user's own sessions then show; who may is who can."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.errors import AccessDenied, NubetisError
from nubetis.model.filters import EVERYTHING
from nubetis.session import past
from nubetis.session.delegating import plan_delegation
from nubetis.session.explaining import explain_for
from nubetis.session.leaving import plan_offboarding
from nubetis.session.previewing import check_plan, preview, who_can
from nubetis.session.profiles import plan_field_level, plan_forbid
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule, principal, share, shares
from tests.stores import refusing

NAMES = ("eva", "luis", "ana", "rosa", "pia", "tom")


@pytest.fixture
def staff(nubetis_org):
    lines = ("eva: Head", "luis: Lead < eva", "ana: Rep < luis", "rosa: Rep", "pia: Office", "tom: Desk < pia")
    return dict(zip(NAMES, nubetis_org.people(*lines), strict=True))


@pytest.fixture
def records(staff, nubetis_session, rng):
    """Accounts and contacts of theirs, of anybody's; some belong to accounts."""
    admin = nubetis_session
    accounts = [admin.create("accounts", name=str(n), owner=rng.choice([*NAMES, "admin"])) for n in range(8)]
    contacts = [
        admin.create(
            "contacts", last_name=str(n), owner=rng.choice([*NAMES, "admin"]), job_title=rng.choice(["Lima", "Cusco"]),
            account=rng.choice([None, *[each.id for each in accounts]]),
        )
        for n in range(16)
    ]  # fmt: skip
    return [*accounts, *contacts]


def shuffle(admin, rng, records):
    """Share at random: defaults, rules by owner and values, groups, shares of all kinds."""
    admin.apply(plan_group(admin, "Both", ["role Rep", "pia"]))
    targets = [*NAMES, "role Rep", "role Lead+", "group Both", "role Desk", "everybody"]
    levels = ["read", "write", "delete"]
    upward = rng.choice(["none", "read", "delete"])
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level=rng.choice(levels), upward=upward))
    for number in range(3):
        more = {"target": rng.choice(targets), "level": rng.choice(levels), "superiors": rng.random() < 0.5}
        admin.apply(plan_share_rule(admin, f"o{number}", "accounts", source=rng.choice(targets), **more))
        admin.apply(plan_share_rule(admin, f"v{number}", "contacts", where=F.job_title == "Lima", **more))
    for record in rng.sample(records, 8):
        others = [each for each in targets if principal(admin, each).text != record["owner"]]
        share(
            admin, record, rng.choice(others), level=rng.choice(levels), related=rng.random() < 0.5,
            superiors=rng.random() < 0.5,
        )  # fmt: skip
        until = rng.choice([None, admin.now() + timedelta(days=1), admin.now() - timedelta(days=1)])
        admin.edit(shares(admin, record)[0].id, until=until)


@pytest.mark.parametrize("again", range(3))
def test_who_may_is_who_can(nubetis_session, staff, records, rng, again):
    """For each record and action, the users found are those whose own sessions may."""
    shuffle(nubetis_session, rng, records)
    everybody = [*staff.values(), nubetis_session]
    for record in records:
        for action in Action:
            found = who_can(nubetis_session, action, record)
            assert sorted(found) == sorted([each.user for each in everybody if each.can(action, record.id)])
    for user in ("ana", "pia", "tom"):
        for action in (Action.CREATE, Action.IMPORT, Action.EDIT):
            told = explain_for(nubetis_session, user, action, records[-1])
            assert told.decision.allowed == staff[user].can(action, records[-1].id)
    for module in ("contacts", "users"):
        for action in Action:
            found = set(who_can(nubetis_session, action, module))
            assert found == {each.user for each in everybody if each.can(action, module)}


def visible(staff):
    """Give what each sees, edits and deletes."""
    return {
        name: {
            (module, level): {each.id for each in session.find(module, limit=1000) if session.can(action, each.id)}
            for module in ("accounts", "contacts")
            for level, action in (("read", "view"), ("write", "edit"), ("delete", "delete"))
        }
        for name, session in staff.items()
    }


CHANGES = {
    "role moves": lambda s, _: s.plan_edits("roles", {role(s, "Lead").id: {"reports_to": role(s, "Office").id}}),
    "role leaves": lambda s, _: s.plan_edits("roles", {role(s, "Rep").id: {"reports_to": None}}),
    "user moves": lambda s, _: s.plan_update("users", F.handle == "tom", role=role(s, "Head").id),
    "rule goes": lambda s, _: s.plan_delete("sharing_rules", F.name == "o0"),
    "rules go": lambda s, _: s.plan_delete("sharing_rules", EVERYTHING),
    "rule comes": lambda s, rng: plan_share_rule(s, "n", "accounts", source="everybody", target=rng.choice(NAMES)),
    "default": lambda s, _: plan_default(s, "accounts", level="write"),
    "group": lambda s, _: s.plan_update("groups", EVERYTHING, members=["everybody"]),
    "owners": lambda s, rng: s.plan_update("accounts", F.name.in_(["1", "3", "5"]), owner=rng.choice(NAMES)),
    "all to one": lambda s, rng: s.plan_update("contacts", EVERYTHING, owner=rng.choice(NAMES)),
    "each to another": lambda s, rng: s.plan_edits(
        "accounts", {each.id: {"owner": rng.choice([*NAMES, "admin"])} for each in s.find("accounts")}
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_preview_says_what_then_is(nubetis_session, staff, records, rng, change):
    """The records counted as gained and lost are those that come and go, where no other grant gives them."""
    admin = nubetis_session
    for number in range(3):
        more = {"target": rng.choice([*NAMES, "role Rep", "role Lead+"]), "superiors": rng.random() < 0.5}
        admin.apply(plan_share_rule(admin, f"o{number}", "accounts", source=rng.choice(NAMES), level="write", **more))
    admin.apply(plan_group(admin, "Both", ["pia"]))
    admin.apply(plan_share_rule(admin, "g", "contacts", source="ana", target="group Both"))
    before = visible(staff)
    plan = CHANGES[change](admin, rng)
    told = {each.user: each for each in preview(admin, plan)}
    assert visible(staff) == before  # nothing was written
    admin.apply(plan)
    after = visible(staff)
    agrees(staff, told, before, after)


MORE = {
    "suspended": lambda s, _: s.plan_update("users", F.handle == "ana", state="suspended"),
    "role of one": lambda s, _: s.plan_update("users", F.handle == "ana", role=role(s, "Office").id),
    "leaves": lambda s, rng: plan_offboarding(s, "ana", to=rng.choice([each for each in NAMES if each != "ana"])),
    "profile": lambda s, _: plan_forbid(s, "Standard", ["contacts.edit"]),
    "values": lambda s, _: s.plan_update("contacts", F.job_title == "Cusco", job_title="Lima"),
    "parents": lambda s, rng: s.plan_update("contacts", EVERYTHING, account=rng.choice(s.find("accounts")).id),
    "shares": lambda s, _: s.plan_delete("shares", EVERYTHING),
    "bin": lambda s, _: s.plan_delete("accounts", F.name.in_(["0", "2", "4", "6"])),
}


@pytest.mark.parametrize("change", [*CHANGES, *MORE])
def test_an_exact_preview_is_what_then_is(nubetis_session, staff, records, rng, change):
    """By owners, rules, shares and parents together, by profiles and states: to each level, in each module."""
    admin = nubetis_session
    shuffle(admin, rng, records)
    plan = {**CHANGES, **MORE}[change](admin, rng)
    before, operations = visible(staff), len(past.operations(admin))
    told = {each.user: each for each in preview(admin, plan, exact=True)}
    assert (visible(staff), len(past.operations(admin))) == (before, operations)  # nothing was written
    admin.apply(plan)
    active = {each.id for each in admin.find("users", F.state == "active")}
    after = {name: dict.fromkeys(had, frozenset()) for name, had in before.items()}
    after |= visible({name: session for name, session in staff.items() if session.user in active})
    for name, session in staff.items():
        gains = {each.module: each for each in told[session.user].modules} if session.user in told else {}
        for (module, level), now in after[name].items():
            then, found = before[name][module, level], gains.get(module)
            assert (found.gained.get(level, 0) if found else 0) == len(now - then), (name, module, level)
            assert (found.lost.get(level, 0) if found else 0) == len(then - now), (name, module, level)


def test_an_exact_preview_in_a_unit_leaves_the_unit_as_it_was(nubetis_session, staff, records):
    """What the unit has written before stays, what the preview does is taken back."""
    admin = nubetis_session

    def unit(session):
        session.edit(records[0].id, name="first")
        preview(session, session.plan_update("accounts", EVERYTHING, owner="pia"), exact=True)
        return {each["owner"] for each in session.find("accounts")}

    assert len(admin.unit(unit)) > 1
    assert admin.get(records[0].id)["name"] == "first"


def agrees(staff, told, before, after):
    """Compare what is told with what each saw before and sees after."""
    for name, session in staff.items():
        gains = {each.module: each for each in told[session.user].modules} if session.user in told else {}
        if (seen := told.get(session.user)) is not None:
            assert seen.gains or all(now <= before[name][at] for at, now in after[name].items())
            assert seen.loses or all(now >= before[name][at] for at, now in after[name].items())
        for (module, level), now in after[name].items():
            then, found = before[name][module, level], gains.get(module)
            if found is not None and found.everybody[0] != found.everybody[1]:
                assert now >= then
                continue
            assert (found.gained.get(level, 0) if found else 0) == len(now - then), (name, module, level)
            assert (found.lost.get(level, 0) if found else 0) == len(then - now), (name, module, level)


PLANS = {
    "last administrator": lambda s: s.plan_update("users", F.handle == "admin", state="suspended"),
    "circle": lambda s: s.plan_edits("roles", {role(s, "Head").id: {"reports_to": role(s, "Rep").id}}),
    "role in use": lambda s: s.plan_delete("roles", F.name == "Rep"),
    "lacking": lambda s: s.plan_create("profiles", [{"name": "x", "permissions": '{"verbs": {"*": ["edit"]}}'}]),
    "fine": lambda s: s.plan_edits("roles", {role(s, "Rep").id: {"reports_to": role(s, "Office").id}}),
    "of other records": lambda s: s.plan_create("leads", [{"name": "x"}]),
}


@pytest.mark.parametrize("change", PLANS)
def test_a_plan_is_checked_as_it_would_be_when_it_is_applied(nubetis_session, staff, change):
    """The same code, or none; nothing is written by the check."""

    def said(act):
        try:
            act(nubetis_session, plan)
        except NubetisError as error:
            return error.code, str(error)
        return None

    plan = PLANS[change](nubetis_session)
    before = len(past.operations(nubetis_session))
    checked = said(check_plan)
    assert len(past.operations(nubetis_session)) == before
    assert checked == said(type(nubetis_session).apply)


def test_a_plan_is_checked_for_those_only_who_may_write_it(nubetis_session, staff):
    with refusing("denied", AccessDenied):
        check_plan(staff["ana"], PLANS["fine"](nubetis_session))


def test_an_administrator_has_everything_whatever_is_shared(nubetis_session, staff):
    """Nothing is said of her; who becomes one gains everybody's records, and who ceases to be one loses them."""
    admin = nubetis_session
    plan = plan_default(admin, "deals", level="write")
    assert {each.user for each in preview(admin, plan)} == {each.user for each in staff.values()}
    admin.apply(plan)
    profile = admin.find("profiles", F.administrator == True)[0]  # noqa: E712 - a filter
    (told,) = preview(admin, admin.plan_update("users", F.handle == "ana", profile=profile.id))
    levels = {each.module: each.everybody for each in told.modules}
    assert (levels["deals"], levels["leads"], set(levels)) == (
        ("write", "delete"), ("none", "delete"), {each.name for each in admin.schema.modules if not each.system},
    )  # fmt: skip
    assert all((each.gained, each.lost) == ({}, {}) for each in told.modules)
    admin.apply(admin.plan_update("users", F.handle == "ana", profile=profile.id))
    standard = admin.find("profiles", F.name == "Standard")[0]
    (told,) = preview(admin, admin.plan_update("users", F.handle == "ana", profile=standard.id))
    assert {each.module: each.everybody for each in told.modules}["deals"] == ("delete", "write")
    assert "manage_users" in told.permissions_lost
    assert (told.gains, told.loses) == (False, True)


def test_a_preview_names_permissions(nubetis_session, staff):
    admin = nubetis_session
    more = attrs.evolve(STANDARD, default=[*STANDARD.default, Action.EXPORT], functions=[Function.EXPLAIN_ACCESS])
    profile = admin.create("profiles", name="More", permissions=json.dumps(write_permissions(more)))
    (told,) = preview(admin, admin.plan_update("users", F.handle == "ana", profile=profile.id))
    assert told.user == staff["ana"].user
    assert "contacts.export" in told.permissions_gained
    assert "explain_access" in told.permissions_gained
    assert told.permissions_lost == ()


def test_others_rights_are_for_those_who_may_explain_them(nubetis_session, staff):
    lead = staff["ana"].create("leads", name="X")
    for act in (lambda s: who_can(s, "view", lead), lambda s: preview(s, nubetis_session.plan_create("roles", []))):
        with refusing("denied", AccessDenied):
            act(staff["ana"])
        act(nubetis_session)


def test_what_a_unit_changed_is_seen_in_it_and_not_kept_when_it_is_taken_back(nubetis_org, nubetis_session, staff):
    """Neither for it nor for others, though the version that it had reached is reached again by another change."""
    lead, admin = staff["ana"].create("leads", name="X"), nubetis_session

    def unit(session):
        session.apply(
            session.plan_edits("roles", {role(session, "Rep").id: {"reports_to": role(session, "Office").id}})
        )
        nubetis_org._world.directory = None  # as where another thread has put its own there
        assert staff["pia"].user in who_can(session, "view", lead)
        raise LookupError

    with pytest.raises(LookupError):
        admin.unit(unit)
    assert staff["pia"].user not in who_can(admin, "view", lead)
    admin.create("roles", name="Other")
    assert staff["pia"].user not in who_can(admin, "view", lead)
    assert not staff["pia"].can("view", lead.id)


def role(session, name):
    return session.find("roles", F.name == name)[0]


def test_who_may_act_for_another_is_named_and_when_it_ends(nubetis_org, nubetis_session, staff):
    """Also where it is to begin later; who may already gains nothing by a second one."""
    admin, luis, tom = nubetis_session, staff["luis"], staff["tom"]
    explain = attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS])
    profile = admin.create("profiles", name="Explains", permissions=json.dumps(write_permissions(explain)))
    admin.edit(luis.user, profile=profile.id)
    plan = plan_delegation(luis, "tom", since=admin.now() + timedelta(days=1))
    (told,) = preview(luis, plan)
    assert (told.user, told.acts_for_gained, told.acts_for_lost) == (tom.user, (luis.user,), ())
    assert (told.gains, told.loses) == (True, False)
    luis.apply(plan)
    assert preview(luis, plan_delegation(luis, "tom", until=admin.now() + timedelta(days=2))) == []
    given = admin.find("delegations")[0]
    soon = luis.plan_edits("delegations", {given.id: {"until": admin.now() + timedelta(days=2)}})
    assert preview(luis, soon) == []
    (told,) = preview(luis, luis.plan_delete("delegations", EVERYTHING))
    assert (told.acts_for_gained, told.acts_for_lost, told.loses) == ((), (luis.user,), True)
    (left,) = [each for each in preview(admin, plan_offboarding(admin, "luis", to="eva")) if each.acts_for_lost]
    assert (left.user, left.acts_for_lost) == (tom.user, (luis.user,))


# -- who may not sign in ----------------------------------------------------------------------------------------------
AWAY = {
    "suspended": lambda s: s.plan_update("users", F.handle == "ana", state="suspended"),
    "deactivated": lambda s: s.plan_update("users", F.handle == "ana", state="deactivated"),
    "removed": lambda s: s.plan_delete("users", F.handle == "ana"),
}


@pytest.mark.parametrize("road", AWAY)
def test_who_is_sent_away_loses_everything_and_what_he_owns_stays_his(nubetis_session, staff, records, road):
    """Nobody else gains or loses by it, as what he owns is where it was."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "r", "accounts", source="pia", target="role Rep"))
    (told,) = preview(admin, AWAY[road](admin))
    owned = {name: admin.count(name, F.owner == staff["ana"].user) for name in ("accounts", "contacts")}
    seen = staff["ana"].count("accounts") - owned["accounts"]
    assert (told.user, told.signs_in, told.gains, told.loses) == (staff["ana"].user, (True, False), False, True)
    assert told.keeps == {name: count for name, count in owned.items() if count}
    assert {each.module: each.lost for each in told.modules}["accounts"] == {"read": seen}
    assert {"contacts.view", "leads.edit"} <= set(told.permissions_lost)
    done = admin.apply(AWAY[road](admin))
    (back,) = preview(admin, past.plan_undo(admin, done))
    assert (back.signs_in, back.gains, back.loses, back.keeps) == ((False, True), True, False, {})
    assert back.permissions_gained == told.permissions_lost
    assert {each.module: each.gained for each in back.modules} == {each.module: each.lost for each in told.modules}


@pytest.mark.parametrize("heir", ["tom", "luis", "rosa"])
def test_whose_records_go_to_another_takes_them_from_some_and_gives_them_to_others(
    nubetis_session, staff, records, rng, heir
):
    """Off-boarding gives away what was his and moves the rules in which he stood: counted is what then is."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "r", "accounts", source="ana", target="pia", level="write"))
    others = {name: session for name, session in staff.items() if name != "ana"}
    before = visible(others)
    plan = plan_offboarding(admin, "ana", to=heir)
    told = {each.user: each for each in preview(admin, plan)}
    (gone,) = [each for each in told.values() if each.signs_in == (True, False)]
    seen = {name: staff["ana"].count(name) for name in ("accounts", "contacts")}
    assert (gone.keeps, {each.module: each.lost.get("read") for each in gone.modules}) == (
        {}, {name: count for name, count in seen.items() if count},
    )  # fmt: skip
    admin.apply(plan)
    agrees(others, told, before, visible(others))


def test_what_belongs_to_records_that_go_to_another_is_named(nubetis_session, staff):
    """Contacts come and go with their account, whoever owns them."""
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="write"))
    account = admin.create("accounts", name="A", owner="ana")
    admin.create("contacts", last_name="C", account=account.id, owner="admin")
    told = {each.user: each for each in preview(admin, admin.plan_edits("accounts", {account.id: {"owner": "tom"}}))}
    ways = {
        name: {each.module: (each.by_parent_gained, each.by_parent_lost) for each in told[staff[name].user].modules}
        for name in ("ana", "luis", "tom", "pia")
    }
    for name in ("tom", "pia"):
        assert ways[name]["contacts"] == ({"account": "write"}, {})
    for name in ("ana", "luis"):
        assert ways[name]["contacts"] == ({}, {"account": "write"})
    assert staff["rosa"].user not in told


def test_an_administrator_who_is_sent_away_loses_the_records_of_everybody(nubetis_session, staff):
    admin = nubetis_session
    profile = admin.find("profiles", F.administrator == True)[0]  # noqa: E712 - a filter
    admin.apply(admin.plan_update("users", F.handle == "ana", profile=profile.id))
    admin.apply(plan_default(admin, "deals", level="read"))
    (told,) = preview(admin, AWAY["suspended"](admin))
    assert {each.everybody for each in told.modules} == {("delete", "none")}
    assert "manage_users" in told.permissions_lost


def test_who_may_not_sign_in_gains_and_loses_nothing_by_another_change(nubetis_session, staff):
    admin = nubetis_session
    admin.apply(admin.plan_update("users", F.handle == "rosa", state="suspended"))
    admin.apply(admin.plan_delete("users", F.handle == "tom"))
    told = preview(admin, plan_default(admin, "leads", level="read"))
    assert {each.user for each in told} == {staff[name].user for name in ("eva", "luis", "ana", "pia")}
    moved = preview(admin, admin.plan_update("users", F.handle == "rosa", role=role(admin, "Office").id))
    assert {each.user: (each.gains, each.loses) for each in moved} == {
        staff["luis"].user: (False, True), staff["eva"].user: (False, True),
    }  # fmt: skip


# -- by the parent ----------------------------------------------------------------------------------------------------
def by_parent(session, plan):
    """Give what comes and goes by a parent, by user and module."""
    return {
        (each.user, gain.module): (dict(gain.by_parent_gained), dict(gain.by_parent_lost))
        for each in preview(session, plan)
        for gain in each.modules
        if gain.by_parent_gained or gain.by_parent_lost
    }


def test_a_default_by_the_parent_is_told_to_whomever_it_may_concern(nubetis_session, staff):
    """Administrators and those who have everybody's records to that level gain nothing by it."""
    admin, everybody = nubetis_session, {each.user for each in staff.values()}

    def default(level="none", **more):
        return plan_default(admin, "contacts", level=level, **more)

    def said(*what):
        return {(user, "contacts"): what for user in everybody}

    write, read = ({"parent": "account", "parent_level": level} for level in ("write", "read"))
    assert by_parent(admin, default(**write)) == said({"account": "write"}, {})
    assert by_parent(admin, default("write", **write)) == {}
    assert by_parent(admin, default(parent="account")) == {}
    admin.apply(default(**write))
    assert by_parent(admin, default(**read)) == said({}, {"account": "write"})
    assert by_parent(admin, default(parent=None)) == said({}, {"account": "write"})
    assert by_parent(admin, default("delete", **write)) == {}
    admin.apply(default(**read))
    assert by_parent(admin, default(**write)) == said({"account": "write"}, {})
    assert preview(admin, default(**read)) == []


def test_a_share_with_what_belongs_to_it_comes_with_the_parent(nubetis_session, staff):
    """The default gives nothing by itself, and yet the shares of parents do."""
    admin = nubetis_session
    share(admin, admin.create("accounts", name="A"), "pia", level="write", related=True)
    found = by_parent(admin, plan_default(admin, "contacts", parent="account"))
    assert found[staff["pia"].user, "contacts"] == ({"account": "write"}, {})


def test_who_gains_parents_gains_what_belongs_to_them(nubetis_session, staff):
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="read"))
    admin.apply(plan_default(admin, "deals", parent="contact", parent_level="write"))
    plan = plan_share_rule(admin, "r", "accounts", source="ana", target="pia")
    gained = {"contacts": {"account": "read"}, "deals": {"contact": "write"}}
    assert by_parent(admin, plan) == {(staff["pia"].user, module): (each, {}) for module, each in gained.items()}
    admin.apply(plan)
    lost = by_parent(admin, admin.plan_delete("sharing_rules", EVERYTHING))
    assert lost == {(staff["pia"].user, module): ({}, each) for module, each in gained.items()}


PARENTS = {
    **CHANGES,
    "parent comes": lambda s, _: plan_default(s, "deals", parent="account", parent_level="read"),
    "parent goes": lambda s, _: plan_default(s, "contacts"),
    "more by the parent": lambda s, _: plan_default(s, "contacts", parent="account", parent_level="delete"),
    "sent away": lambda s, _: s.plan_update("users", F.handle == "ana", state="suspended"),
}


@pytest.mark.parametrize("change", PARENTS)
def test_nothing_comes_or_goes_untold_by_the_parent(nubetis_session, staff, records, rng, change):
    """What a user has more or less afterwards is counted, or told as of everybody, of a rule or by the parent."""
    admin = nubetis_session
    level = rng.choice(["read", "write"])
    admin.apply(plan_group(admin, "Both", ["pia"]))
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level=level))
    for number, target in enumerate(("tom", "role Lead", "group Both")):
        admin.apply(plan_share_rule(admin, f"o{number}", "accounts", source=rng.choice(NAMES), target=target))
    before = visible(staff)
    plan = PARENTS[change](admin, rng)
    told = {each.user: {gain.module: gain for gain in each.modules} for each in preview(admin, plan)}
    admin.apply(plan)
    staying = {name: each for name, each in staff.items() if change != "sent away" or name != "ana"}
    after = visible(staying)
    for name, session in staying.items():
        for (module, level), now in after[name].items():
            then, gain = before[name][module, level], told.get(session.user, {}).get(module)
            comes = gain is not None and (gain.gained.get(level) or gain.by_parent_gained)
            goes = gain is not None and (gain.lost.get(level) or gain.by_parent_lost)
            risen = gain is not None and gain.everybody[0] < gain.everybody[1]
            assert comes or risen or now <= then, (name, module, level)
            assert goes or now >= then, (name, module, level)
            if comes and not (risen or gain.by_parent_gained):
                assert len(now - then) <= gain.gained[level]
            if goes and not gain.by_parent_lost:
                assert len(then - now) <= gain.lost[level]


def test_fields_are_told_with_their_levels(nubetis_session, staff):
    admin = nubetis_session
    told = preview(admin, plan_field_level(admin, "Standard", "contacts.email", "hidden"))
    assert {each.user for each in told} == {each.user for each in staff.values()}
    assert [(each.gains, each.loses) for each in told] == [(False, True)] * len(staff)
    assert {tuple(each.fields_lost.items()) for each in told} == {(("contacts.email", ("edit", "hidden")),)}
    admin.apply(plan_field_level(admin, "Standard", "contacts.email", "hidden"))
    told = preview(admin, plan_field_level(admin, "Standard", "contacts.email", "read"))
    assert {tuple(each.fields_gained.items()) for each in told} == {(("contacts.email", ("hidden", "read")),)}
    (told,) = preview(admin, AWAY["suspended"](admin))
    assert (told.fields_gained, told.fields_lost) == ({}, {})  # there is nothing of which to say it


def test_an_exact_preview_is_for_those_only_who_may_apply_the_plan(nubetis_session, staff, records):
    """It would tell what a change does that one may not make."""
    explain = attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS])
    profile = nubetis_session.create("profiles", name="Explains", permissions=json.dumps(write_permissions(explain)))
    nubetis_session.edit(staff["tom"].user, profile=profile.id)
    plan = nubetis_session.plan_update("users", F.handle == "ana", state="suspended")
    assert preview(staff["tom"], plan)
    with refusing("denied", AccessDenied):
        preview(staff["tom"], plan, exact=True)
