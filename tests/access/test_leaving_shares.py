"""Who takes over what another had keeps what he has himself: of two shares one goes if the other covers it."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.session.leaving import plan_offboarding
from nubetis.session.sharing import plan_default, principal, share, shares, unshare
from nubetis.session.teams import join, leave, team


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Give sessions by handle; ana leaves and pia takes over."""
    sessions = nubetis_org.people("eva: Director", "ana: Rep", "pia: Office", "luis: Head")
    return {"admin": nubetis_session, **dict(zip(("eva", "ana", "pia", "luis"), sessions, strict=True))}


def gives(session, record):
    return {(each.target, each.level, each.until, each.related, each.superiors) for each in shares(session, record)}


def test_the_heir_keeps_his_related_share(staff):
    """Though the one who leaves had the record further."""
    admin, eva, pia = staff["admin"], staff["eva"], staff["pia"]
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="none"))
    account = eva.create("accounts", name="A")
    contact = eva.create("contacts", last_name="C", account=account.id)
    share(admin, account, "pia", level="read", related=True)
    share(eva, account, "ana", level="write")
    admin.apply(plan_offboarding(admin, "ana", to="pia"))
    assert pia.can("view", contact.id)
    assert pia.can("edit", account.id)
    unshare(eva, account, "pia")
    assert not pia.can("view", account.id)
    assert not pia.can("view", contact.id)


def test_the_heir_keeps_his_place_in_the_team(staff):
    """A share is no membership, and each function is kept."""
    admin, eva = staff["admin"], staff["eva"]
    account, other, bare = [eva.create("accounts", name=name) for name in "ABC"]
    join(eva, account, "pia", function="Lead")
    join(eva, bare, "pia")
    for each in (account, bare):
        share(eva, each, "ana", level="write")
    for name in ("pia", "ana"):
        join(eva, other, name, function=f"As {name}")
    admin.apply(plan_offboarding(admin, "ana", to="pia"))
    pia = staff["pia"].user
    assert [(each.user, each.function) for each in team(eva, account)] == [(pia, "Lead")]
    assert [(each.user, each.function) for each in team(eva, bare)] == [(pia, None)]
    assert [each.level for each in shares(eva, account)] == ["write"]
    assert {(each.user, each.function) for each in team(eva, other)} == {(pia, "As pia"), (pia, "As ana")}
    leave(eva, other, "pia")
    assert team(eva, other) == []


@pytest.mark.parametrize("again", range(6))
def test_the_heir_has_the_union_of_both_and_undo_gives_both_back(nubetis_clock, staff, rng, again):
    """Whatever they say: nothing that either gave is lost, nothing is there twice, and nothing is more."""
    admin, eva, pia = staff["admin"], staff["eva"], staff["pia"]
    record = eva.create("accounts", name=f"A{again}")
    for name in ("pia", "ana"):
        until = rng.choice([None, eva.now() + timedelta(days=rng.randint(1, 2)), eva.now() + timedelta(hours=1)])
        level = rng.choice(["read", "write", "delete"])
        share(admin, record, name, level=level, until=until, related=rng.random() < 0.5, superiors=rng.random() < 0.5)
    nubetis_clock.advance(hours=2)
    before = gives(eva, record)
    left = admin.apply(plan_offboarding(admin, "ana", to="pia"))
    after = gives(eva, record)
    said = {(pia.user, *each[1:]) for each in before}
    assert after <= said
    living = [each for each in said if each[2] is None or each[2] > eva.now()]
    assert all(any(_covers(each, wanted) for each in after) for wanted in living)
    assert not any(_covers(one, other) for one in after for other in after if one != other)
    admin.undo(left)
    assert gives(eva, record) == before


def _covers(one, other):
    levels = ["read", "write", "delete"]
    ends = one[2] is None or (other[2] is not None and one[2] >= other[2])
    return levels.index(one[1]) >= levels.index(other[1]) and ends and one[3] >= other[3] and one[4] >= other[4]


def test_shares_of_records_out_of_sight_are_told_of_by_their_module_alone(nubetis_session, staff):
    """Who manages users is told neither which they are nor how many; an administrator moves them."""
    admin, pia = nubetis_session, staff["pia"]
    given = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS])
    profile = admin.create("profiles", name="HR", permissions=json.dumps(write_permissions(given)))
    admin.edit(staff["luis"].user, profile=profile.id)
    lead = pia.create("leads", name="Hers")
    share(pia, lead, "ana")
    join(pia, lead, "eva")
    plan = plan_offboarding(staff["luis"], "ana", to="eva")
    assert [(each.code, each.module, each.record) for each in plan.refusals] == [("out_of_sight", "shares", None)]
    assert len(plan) == 0
    admin.apply(plan_offboarding(admin, "ana", to="eva"))
    assert not admin.find("shares", F.target == principal(admin, "ana").text)
