"""The roster that goes on from one access version to the next is the one that is read anew."""

from __future__ import annotations

import json

import pytest

from nubetis import F
from nubetis.access.entitlements import Entitlements
from nubetis.access.permissions import STANDARD, write_permissions
from nubetis.session.editions import plan_edition
from nubetis.session.rosters import read_roster
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule

PERMITS = json.dumps(write_permissions(STANDARD))


def named(session, module, name):
    (found,) = session.find(module, F.name == name)
    return found.id


@pytest.fixture
def admin(nubetis_org, nubetis_session):
    """An administrator where there is one of each."""
    nubetis_org.people("luis: Lead", "ana: Rep < luis")
    nubetis_session.create("profiles", name="Seller", permissions=PERMITS)
    nubetis_session.create("permission_sets", name="More", permissions=PERMITS)
    nubetis_session.apply(plan_group(nubetis_session, "Both", ["ana", "role Lead+"]))
    nubetis_session.apply(plan_default(nubetis_session, "leads", level="read"))
    rule = plan_share_rule(nubetis_session, "Rule", "leads", target="group Both", source="everybody")
    nubetis_session.apply(rule)
    return nubetis_session


def user_changed(admin):
    (ana,) = admin.find("users", F.handle == "ana")
    admin.edit(ana.id, permission_sets=[named(admin, "permission_sets", "More")])


CHANGES = {
    "a role moves": lambda s: s.edit(named(s, "roles", "Lead"), reports_to=named(s, "roles", "Manager")),
    "a user changes": user_changed,
    "a profile changes": lambda s: s.edit(named(s, "profiles", "Seller"), permissions=None),
    "a set changes": lambda s: s.edit(named(s, "permission_sets", "More"), permissions=None),
    "a group comes": lambda s: s.apply(plan_group(s, "Other", ["ana"])),
    "a default changes": lambda s: s.apply(plan_default(s, "leads", level="write")),
    "a rule rests": lambda s: s.edit(named(s, "sharing_rules", "Rule"), active=False),
    "the edition changes": lambda s: s.apply(plan_edition(s, Entitlements(users=99))),
}


@pytest.mark.parametrize("changes", [*[[each] for each in CHANGES], [*CHANGES]], ids=[*CHANGES, "all in one unit"])
def test_what_goes_on_is_what_is_read(nubetis_org, admin, changes):
    before = nubetis_org._world.directory[1].roster
    admin.unit(lambda session: [CHANGES[each](session) for each in changes])
    known = nubetis_org._world.directory[1].roster
    assert before != known == admin.state.read(lambda: read_roster(admin.state.txn))
