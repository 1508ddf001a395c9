"""An explanation leaves nothing out that its reader may know: fields, profile, parent, and how far grants go."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.access.decision import Lack, Reason
from nubetis.access.sharing import Level
from nubetis.errors import NotFound
from nubetis.session.explaining import explain_for
from nubetis.session.naming import named
from nubetis.session.profiles import plan_field_level, plan_forbid, plan_permission_set, plan_permit, plan_profile_clone
from nubetis.session.roles import plan_role_change
from nubetis.session.sharing import plan_default, plan_share_rule, share
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Ana and rosa have one role below luis; pia has a profile of her own."""
    lines = ("luis: Lead", "ana: Rep < luis", "rosa: Rep", "pia: Office")
    found = dict(zip(("luis", "ana", "rosa", "pia"), nubetis_org.people(*lines), strict=True))
    admin = nubetis_session
    admin.apply(plan_profile_clone(admin, "Standard", "Clerks"))
    admin.apply(plan_forbid(admin, "Clerks", ["delete"]))
    admin.edit(found["pia"].user, profile=named(admin, "profiles", "Clerks").id)
    return found


def steps(told):
    return {step.name: step for step in told.steps}


def test_what_does_not_go_so_far_is_not_called_nothing(nubetis_session, staff):
    admin = nubetis_session
    lead = staff["ana"].create("leads", name="X")
    assert explain_for(admin, "pia", "edit", lead).decision.reasons == (Reason.NO_GRANT,)
    admin.apply(plan_share_rule(admin, "r", "leads", source="ana", target="pia"))
    told = explain_for(admin, "pia", "edit", lead)
    assert (told.decision.reasons, told.decision.missing) == ((Reason.SHORT,), (Lack(Reason.SHORT, "write"),))
    assert told.decision.level is Level.READ
    assert str(told).splitlines()[0].endswith("what gives the user this record does not go so far (read only)")
    assert "only" not in explain_for(admin, "pia", "view", lead).decision.because


def test_the_profile_and_the_sets_are_named_with_what_they_lack(nubetis_session, staff):
    admin = nubetis_session
    admin.apply(plan_permission_set(admin, "Exports", ["deals.export"]))
    assert (
        steps(explain_for(admin, "pia", "delete", "deals"))["profile"].detail == "profile Clerks, without deals.delete"
    )
    admin.edit(staff["pia"].user, permission_sets=[named(admin, "permission_sets", "Exports").id])
    told = explain_for(admin, "pia", "delete", "deals")
    assert steps(told)["profile"].detail == "profile Clerks, permission set Exports, without deals.delete"
    assert steps(explain_for(admin, "pia", "export", "deals"))["profile"].detail == "permission set Exports"
    assert steps(staff["pia"].explain("view", "deals"))["profile"].detail == "profile Clerks"
    assert steps(explain_for(admin, "pia", "edit", "roles"))["profile"].detail.endswith("without manage_roles")
    assert steps(admin.explain("edit", "roles"))["profile"].detail == "profile Administrator"
    assert staff["pia"].explain("view", "deals").decision.gates == staff["pia"].decide("view", "deals").gates


def test_fields_are_told_as_far_as_the_asker_may_read_them(nubetis_session, staff):
    admin = nubetis_session
    for field, level in (("phone", "hidden"), ("email", "hidden"), ("source", "read"), ("description", "read")):
        admin.apply(plan_field_level(admin, "Clerks", f"leads.{field}", level))
    told = explain_for(admin, "pia", "view", "leads")
    assert told.fields == {"hidden": ["email", "phone"], "read": ["description", "source"]}
    assert str(told).splitlines()[-2:] == ["  hidden: email, phone", "  read: description, source"]
    assert staff["pia"].explain("view", "leads").fields == {"read": ["description", "source"]}
    for field in ("phone", "source"):
        admin.apply(plan_field_level(admin, "Standard", f"leads.{field}", "hidden"))
    admin.apply(plan_permit(admin, "Standard", ["explain_access"]))
    assert explain_for(staff["luis"], "pia", "view", "leads").fields == {"hidden": ["email"], "read": ["description"]}


def test_a_parent_is_named_with_the_way_to_it_to_who_sees_it(nubetis_session, staff):
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="write"))
    account = staff["ana"].create("accounts", name="Acme", website="https://acme.pe")
    contact = staff["rosa"].create("contacts", last_name="Quispe")
    admin.edit(contact, account=account.id)
    parent = f"parent Acme ({account.id})"
    ways = {"ana": "owner", "luis": "tree of roles"}
    for name, way in ways.items():
        assert steps(explain_for(admin, name, "view", contact))["parent"].detail.startswith(f"{parent}, had by {way}")
    assert steps(staff["ana"].explain("delete", contact))["parent"].detail == (
        f"{parent}, had by owner, gives read and write"
    )
    admin.apply(plan_share_rule(admin, "web", "accounts", where=F.website == "https://acme.pe", target="pia"))
    assert "had by rule web" in steps(explain_for(admin, "pia", "view", contact))["parent"].detail
    admin.apply(plan_permit(admin, "Standard", ["explain_access"]))
    told = steps(explain_for(staff["rosa"], "ana", "view", contact))["parent"]
    assert (told.matched, told.detail) == (True, "gives read and write")  # she does not see the account
    admin.apply(plan_field_level(admin, "Standard", "accounts.website", "hidden"))
    told = steps(explain_for(staff["luis"], "pia", "view", contact))["parent"]
    assert "web" not in told.detail


@pytest.mark.parametrize("by", ["himself", "another"])
def test_a_parent_is_not_told_to_who_may_not_read_the_link(nubetis_session, staff, by):
    """Hidden is the link, and so what it says; neither is it told of a share with what belongs to the parent."""
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="read"))
    admin.apply(plan_permit(admin, "Standard", ["explain_access"]))
    account = staff["ana"].create("accounts", name="Acme")
    contact = staff["ana"].create("contacts", last_name="Quispe", account=account.id)
    share(admin, account, "rosa", level="read", related=True)

    def told():
        own = by == "himself"
        return str(
            staff["rosa"].explain("view", contact) if own else explain_for(staff["luis"], "rosa", "view", contact)
        )

    assert "Acme" in told()
    admin.apply(plan_field_level(admin, "Standard", "contacts.account", "hidden"))
    assert "parent" in told()
    assert "Acme" not in told()
    assert account.id not in told()


def test_peers_are_among_what_nearly_was_enough(nubetis_session, staff):
    admin = nubetis_session
    lead = staff["ana"].create("leads", name="X")
    near = "peers would apply if those of role Rep saw each other's records"
    assert near in explain_for(admin, "rosa", "view", lead).misses
    assert near not in explain_for(admin, "pia", "view", lead).misses
    admin.apply(plan_default(admin, "leads", upward="read"))
    assert near not in explain_for(admin, "rosa", "edit", lead).misses
    admin.apply(plan_role_change(admin, "Rep", peers=True))
    assert explain_for(admin, "rosa", "view", lead).decision.allowed


@pytest.mark.parametrize("act", ["can", "decide", "explain"])
def test_a_module_that_is_none_is_named_and_the_nearest_with_it(staff, act):
    with refusing("unknown_module", NotFound, match="deals"):
        getattr(staff["ana"], act)("edit", "dealz")
    assert not staff["ana"].can("edit", "dea_0000000000001W")
    assert not staff["ana"].can("edit", "dea_0")
