"""Profiles in names: compared, cloned, merged, and changed so that no permission lacks the one that it needs."""

from __future__ import annotations

import json

import pytest

from nubetis import HostSignIn
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, Function
from nubetis.errors import AccessDenied, InvalidValue, NotFound, Refused
from nubetis.session.profiles import (
    Unlike,
    compare_profiles,
    plan_field_level,
    plan_forbid,
    plan_permit,
    plan_profile_clone,
    plan_profile_merge,
    profile_facts,
    profiles,
)
from tests.stores import refusing


@pytest.fixture
def admin(nubetis_org, nubetis_session):
    list(nubetis_org.people("ana: Rep", "pia: Office"))
    nubetis_session.apply(plan_profile_clone(nubetis_session, "Standard", "Sales"))
    return nubetis_session


def give(admin, user, profile):
    admin.edit(admin.get(user).id, profile=profile_facts(admin, profile).id)


def test_profiles_are_listed_with_what_they_permit(admin):
    found = {each.name: each for each in profiles(admin)}

    assert {name: each.users for name, each in found.items()} == {"Administrator": 1, "Standard": 2, "Sales": 0}
    assert (found["Administrator"].administrator, found["Sales"].built_in) == (True, False)
    assert found["Sales"].verbs["*"] == found["Sales"].verbs["deals"]
    assert found["Sales"].verbs["deals"] == tuple(each.value for each in Action if each in STANDARD.default)
    assert found["Administrator"].functions == tuple(each.value for each in Function)


def test_a_clone_permits_the_same_and_that_of_an_administrator_is_none(admin):
    admin.apply(plan_profile_clone(admin, "Administrator", "Almost"))

    assert compare_profiles(admin, "Standard", "Sales") == []
    assert compare_profiles(admin, "Administrator", "Almost") == []
    assert not profile_facts(admin, "Almost").administrator


def test_only_what_differs_is_told(admin):
    admin.apply(plan_permit(admin, "Sales", ["export", "manage_sharing"]))
    admin.apply(plan_forbid(admin, "Sales", "leads.delete"))
    admin.apply(plan_field_level(admin, "Sales", "contacts.phone", "hidden"))
    told = compare_profiles(admin, "Standard", "Sales")

    assert told == [
        Unlike("leads.delete", "yes", "no"),
        Unlike("export", "no", "yes"),
        Unlike("leads.merge", "yes", "no"),
        Unlike("manage_sharing", "no", "yes"),
        Unlike("contacts.phone", "edit", "hidden"),
    ]
    assert [Unlike(each.what, each.second, each.first) for each in told] == compare_profiles(admin, "Sales", "Standard")


def test_what_is_permitted_then_is_and_brings_what_it_needs(admin, nubetis_org):
    give(admin, nubetis_org.session(HostSignIn("ana")).user, "Sales")
    with nubetis_org.session(HostSignIn("ana")) as ana:
        admin.apply(plan_forbid(admin, "Sales", "view"))
        assert not any(ana.can(action, "leads") for action in Action)
        admin.apply(plan_permit(admin, "Sales", "leads.merge"))
        assert {action for action in Action if ana.can(action, "leads")} == {
            Action.VIEW, Action.EDIT, Action.DELETE, Action.MERGE,
        }  # fmt: skip
        assert not ana.can("view", "deals")
        op = admin.apply(plan_permit(admin, "Sales", ["manage_roles"]))
        assert ana.can("create", "roles")
        assert ana.can("edit", "users")
        admin.undo(op)
        assert not ana.can("edit", "users")


def test_a_hidden_field_is_not_there_and_may_come_back(admin, nubetis_org):
    with nubetis_org.session(HostSignIn("ana")) as ana:
        contact = ana.create("contacts", last_name="Paz", phone="123")
        admin.apply(plan_field_level(admin, "Standard", "contacts.phone", "hidden"))
        assert "phone" not in ana.get(contact.id)
        assert profile_facts(admin, "Standard").fields == {"contacts.phone": "hidden"}
        assert "contacts.phone" not in profile_facts(ana, "Standard").fields
        assert compare_profiles(ana, "Standard", "Sales") == []
        admin.apply(plan_field_level(admin, "Standard", "contacts.phone", "edit"))
        assert ana.get(contact.id)["phone"] == "123"


@pytest.mark.parametrize(
    ("permits", "export", "delete"), [("any", True, True), ("all", False, False), ("own", True, False)]
)
def test_a_merge_moves_the_users_and_takes_one_profile_away(admin, nubetis_org, permits, export, delete):
    with nubetis_org.session(HostSignIn("ana")) as ana:
        admin.apply(plan_permit(admin, "Sales", "export"))
        admin.apply(plan_forbid(admin, "Sales", "delete"))
        admin.apply(plan_profile_clone(admin, "Standard", "Other"))
        give(admin, ana.user, "Other")
        op = admin.apply(plan_profile_merge(admin, "Sales", ["Other"], permits=permits))

        assert [each.name for each in profiles(admin)] == ["Administrator", "Sales", "Standard"]
        assert admin.get(ana.user)["profile"] == profile_facts(admin, "Sales").id
        assert (ana.can("export", "leads"), ana.can("delete", "leads")) == (export, delete)
        admin.undo(op)
        assert (ana.can("export", "leads"), ana.can("delete", "leads")) == (False, True)


@pytest.mark.parametrize("name", ["id", "version", "created_by", "modified_at"])
def test_what_nubetis_sets_is_shown_always(admin, name):
    """It would be there all the same: edits are checked against it, and pages are sorted by it."""
    with refusing("shown_always", Refused):
        admin.apply(plan_field_level(admin, "Standard", f"contacts.{name}", "hidden"))
    admin.apply(plan_field_level(admin, "Standard", "contacts.owner", "hidden"))


def test_what_changes_nothing_is_an_empty_plan(admin):
    assert len(plan_permit(admin, "Sales", "leads.view")) == 0
    assert len(plan_field_level(admin, "Sales", "leads.name", "edit")) == 0
    assert len(plan_forbid(admin, "Sales", ["export", "mass_mail"])) == 0


def test_what_cannot_be_is_refused(admin):
    calls = [
        ("bad_permissions", InvalidValue, lambda: plan_permit(admin, "Sales", "exprt")),
        ("bad_permissions", InvalidValue, lambda: plan_permit(admin, "Sales", "leads.manage_users")),
        ("unknown_module", NotFound, lambda: plan_permit(admin, "Sales", "lead.view")),
        ("bad_argument", InvalidValue, lambda: plan_permit(admin, "Sales", "users.view")),
        ("bad_argument", InvalidValue, lambda: plan_forbid(admin, "Administrator", "view")),
        ("unknown_field", NotFound, lambda: plan_field_level(admin, "Sales", "leads.fone", "read")),
        ("bad_argument", InvalidValue, lambda: plan_field_level(admin, "Sales", "leads.phone", "secret")),
        ("unknown_principal", NotFound, lambda: compare_profiles(admin, "Sales", "Sels")),
        ("bad_argument", InvalidValue, lambda: plan_profile_merge(admin, "Sales", ["Sales"])),
        ("bad_argument", InvalidValue, lambda: plan_profile_merge(admin, "Sales", ["Standard"], permits="some")),
    ]
    for code, kind, call in calls:
        with refusing(code, kind):
            call()
    with refusing("bad_permissions", match="Did you mean export"):
        plan_permit(admin, "Sales", "exprt")


def test_profiles_are_changed_by_those_only_who_manage_them(admin, nubetis_org):
    with nubetis_org.session(HostSignIn("ana")) as ana:
        assert [each.name for each in profiles(ana)] == ["Administrator", "Sales", "Standard"]
        for call in (
            lambda: plan_profile_clone(ana, "Standard", "x"),
            lambda: plan_permit(ana, "Sales", "export"),
            lambda: plan_field_level(ana, "Sales", "leads.phone", "read"),
            lambda: plan_profile_merge(ana, "Sales", ["Standard"]),
        ):
            with refusing("denied", AccessDenied):
                call()


def test_a_profile_of_which_nothing_was_said_permits_nothing(admin):
    admin.create("profiles", name="Empty")
    admin.create("profiles", name="Old", permissions=json.dumps({}))

    assert set(profile_facts(admin, "Empty").verbs.values()) == {()}
    assert compare_profiles(admin, "Empty", "Old") == []
