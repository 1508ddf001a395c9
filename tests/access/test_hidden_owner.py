"""Who may not read who owns a record is not told it by sharing, explanations or rules that ask for owners."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.errors import InvalidFilter
from nubetis.session.explaining import explain_for
from nubetis.session.profiles import plan_field_level
from nubetis.session.shared import share_rules
from nubetis.session.sharing import plan_share_rule, share
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Luis is above Zoe, explains access and manages sharing; owners are hidden from him."""
    admin = nubetis_session
    names = ("luis", "zoe", "pia")
    found = dict(zip(names, nubetis_org.people("luis: Lead", "zoe: Rep < luis", "pia: Office"), strict=True))
    more = attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS, Function.MANAGE_SHARING])
    blind = admin.create("profiles", name="Blind", permissions=json.dumps(write_permissions(more)))
    admin.apply(plan_field_level(admin, "Blind", "contacts.owner", "hidden"))
    admin.edit(found["luis"].user, profile=blind.id)
    return found


@pytest.fixture
def contact(staff):
    return staff["zoe"].create("contacts", last_name="Rey")


def test_owners_are_hidden_where_they_would_stand(staff, contact):
    assert staff["luis"].get(contact.id).get("owner") is None
    with refusing("unknown_field", InvalidFilter):
        staff["luis"].find("contacts", F.owner == staff["zoe"].user)


@pytest.mark.parametrize("action", ["view", "edit", "delete"])
def test_the_way_down_to_the_owner_is_not_told(nubetis_session, staff, contact, action):
    """Neither of one's own rights nor of another's."""
    for told in (staff["luis"].explain(action, contact.id), explain_for(staff["luis"], "luis", action, contact)):
        (step,) = [each for each in told.steps if each.name == "hierarchy"]
        assert (step.matched, step.detail) == (True, "")
        assert "zoe" not in repr(told).lower()
    told = explain_for(nubetis_session, "luis", action, contact)
    assert [each.detail.lower() for each in told.steps if each.name == "hierarchy"] == ["luis > rep > zoe"]


def test_a_rule_that_asks_for_owners_is_not_told_either(nubetis_session, staff, contact):
    """Whether it holds would say who owns the record."""
    admin, luis = nubetis_session, staff["luis"]
    admin.apply(plan_share_rule(admin, "of Zoe", "contacts", source="zoe", target="pia", level="write"))
    admin.apply(plan_share_rule(admin, "of all", "contacts", source="everybody", target="luis", level="read"))
    for told in (explain_for(luis, "pia", "edit", contact), explain_for(luis, "luis", "delete", contact)):
        assert "of Zoe" not in repr(told)
    assert [each.name for each in share_rules(luis)] == ["of all"]
    assert {each.name for each in share_rules(admin)} == {"of Zoe", "of all"}


@pytest.mark.parametrize("target", ["zoe", "pia"])
def test_a_record_can_be_shared_and_whether_it_is_the_targets_is_not_told(staff, contact, target):
    share(staff["luis"], contact, target)
    assert staff[target].can("view", contact.id)
