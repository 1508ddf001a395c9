"""Another owner, by whatever road: as many at once as one by one, and an undo asks as much as an edit."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, write_permissions
from nubetis.errors import AccessDenied
from nubetis.session.past import plan_undo
from nubetis.session.sharing import plan_default, share
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Deals are everybody's to write, and nobody's to give away but their owner's."""
    nubetis_session.apply(plan_default(nubetis_session, "deals", level="write"))
    lines = ("ana: Rep", "pia: Desk", "bob: Gate")
    return dict(zip(("ana", "pia", "bob"), nubetis_org.people(*lines), strict=True))


@pytest.fixture
def deals(staff):
    return [staff[name].create("deals", name=f"of {name}").id for name in ("ana", "pia")]


def handed(session, deal, owner, **values):
    return session.apply(session.plan_edits("deals", {deal: {"owner": owner, **values}}))


def test_many_get_another_owner_as_each_would(staff, deals):
    """Those that one may not give away are refused in the plan, and the rest can be written."""
    ana = staff["ana"]
    for plan in (
        ana.plan_update("deals", F.name.starts_with("of"), owner="bob"),
        ana.plan_edits("deals", {deal: {"owner": "bob"} for deal in deals}),
    ):
        assert [(each.code, each.params["action"], each.record) for each in plan.refusals] == [
            ("denied", "transfer", deals[1])
        ]
        assert [each.record for each in plan.changes] == [deals[0]]
    ana.apply(plan, skip_refused=True)
    assert [staff["bob"].get(deal)["owner"] for deal in deals] == [staff["bob"].user, staff["pia"].user]
    with refusing("denied", AccessDenied):
        ana.edit(deals[1], owner="bob")


def test_an_undo_takes_no_record_back_that_one_may_not_give_away(staff, deals):
    """What else it changed it sets back; its new owner may undo it."""
    ana, pia, deal = staff["ana"], staff["pia"], deals[0]
    done = handed(ana, deal, "pia", next_step="call")
    assert not ana.can("transfer", deal)
    undone = ana.undo(done)
    assert [(each.code, each.field) for each in undone.failed] == [("undo_foreign", "owner")]
    found = pia.get(deal)
    assert (found["owner"], found["next_step"]) == (pia.user, None)
    assert not ana.can("delete", deal)


def test_what_one_may_no_longer_an_undo_of_an_undo_does_not_either(staff, deals, nubetis_clock):
    """A share that is over is over for it, too."""
    ana, bob, deal = staff["ana"], staff["bob"], deals[0]
    share(ana, deal, "bob", level="delete", until=ana.now() + timedelta(days=1))
    undone = bob.undo(handed(bob, deal, "bob"))
    assert not undone.failed
    nubetis_clock.advance(days=30)
    assert [each.field for each in bob.undo(undone.operation).failed] == ["owner"]
    assert ana.get(deal)["owner"] == ana.user


def test_an_undo_asks_for_the_verb_also_when_it_is_applied(staff, deals, nubetis_session):
    """A plan is made under rights that one may have lost since."""
    ana, deal = staff["ana"], deals[0]
    share(ana, deal, "bob", level="delete")
    done = handed(staff["bob"], deal, "bob")
    share(staff["bob"], deal, "ana", level="delete")
    plan = plan_undo(nubetis_session, done)
    less = attrs.evolve(STANDARD, default=STANDARD.default - {Action.TRANSFER})
    profile = nubetis_session.create("profiles", name="Less", permissions=json.dumps(write_permissions(less)))
    nubetis_session.edit(ana.user, profile=profile.id)
    with refusing("denied", AccessDenied):
        ana.apply(plan)
    nubetis_session.apply(plan)
