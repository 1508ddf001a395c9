"""What something names does not go: the refusal says what names it, and what to do."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import InvalidValue, Refused
from nubetis.model.ids import encode
from nubetis.session.lockouts import lockouts
from nubetis.session.naming import named
from nubetis.session.profiles import plan_permission_set
from nubetis.session.roles import plan_role_removal
from nubetis.session.sharing import plan_group, plan_share_rule
from tests.stores import refusing


@pytest.fixture
def admin(nubetis_org, nubetis_session):
    """Names a user, a role, a group and a permission set, each once."""
    nubetis_org.people("luis: Lead", "ana: Rep < luis", "pia: Office")
    admin = nubetis_session
    office = named(admin, "roles", "Office").id
    empty = admin.create("roles", name="Empty", reports_to=office)
    admin.apply(plan_group(admin, "Front", ["pia", "role Empty"]))
    admin.apply(plan_share_rule(admin, "front", "leads", source="role Rep", target="group Front"))
    admin.apply(plan_permission_set(admin, "Exports", ["leads.export"]))
    admin.edit(empty.id, name="Empty")
    admin.edit(user(admin, "ana"), permission_sets=[named(admin, "permission_sets", "Exports").id])
    return admin


def user(session, handle):
    return session.find("users", F.handle == handle)[0]


def gone(session, module, name):
    return session.plan_delete(module, F["id"].in_([named(session, module, name).id]))


NAMED = {
    "group": (lambda s: gone(s, "groups", "Front"), "front"),
    "role": (lambda s: gone(s, "roles", "Empty"), "Front"),
    "role with an heir": (lambda s: plan_role_removal(s, "Empty", heir="Rep"), "Front"),
    "permission set": (lambda s: gone(s, "permission_sets", "Exports"), "ana"),
    "user": (lambda s: s.plan_delete("users", F.handle == "pia"), "Front"),
}


@pytest.mark.parametrize("what", NAMED)
def test_what_something_names_does_not_go_and_that_is_said(admin, what):
    plan, by = NAMED[what][0](admin), NAMED[what][1]
    with refusing("still_named", Refused, match="still named by") as caught:
        admin.apply(plan)
    assert admin.get(caught.value.params["by"]).title.casefold() == by.casefold()
    assert admin.get(caught.value.params["id"])
    assert ("leave" in str(caught.value)) is (what == "user")
    assert lockouts(admin, plan).stopped.code == "still_named"


def test_all_that_names_it_is_said(admin):
    for number in range(6):
        admin.apply(plan_share_rule(admin, f"r{number}", "leads", source="ana", target="group Front"))
    with refusing("still_named", Refused) as caught:
        admin.delete(named(admin, "groups", "Front"))
    names = caught.value.params["by"].split(", ")
    assert (len(set(names)), names[-1]) == (6, "…")


def test_what_never_was_there_is_said_otherwise(admin):
    with refusing("unknown_member", Refused):
        admin.edit(user(admin, "ana"), permission_sets=[encode("pse", 77)])


@pytest.mark.parametrize(("module", "name"), [("roles", "Chief Executive"), ("profiles", "Standard")])
def test_what_is_built_in_stays_with_advice_that_can_be_followed(admin, module, name):
    (refusal,) = gone(admin, module, name).refusals
    assert (refusal.code, refusal.params["what"]) == ("built_in", named(admin, module, name).id)
    assert "another name" in str(refusal)


def test_the_administrators_profile_says_to_clone_it(admin):
    with refusing("built_in", (Refused, InvalidValue), match="clone it"):
        admin.edit(named(admin, "profiles", "Administrator").id, permissions="{}")
