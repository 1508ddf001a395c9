"""The policy: a list and a single check never disagree, and each decision says why."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.access.decision import Action, Reason
from nubetis.errors import AccessDenied, NotFound
from nubetis.model.filters import EVERYTHING
from tests.stores import permit_all, refusing

MODULES = ("leads", "accounts", "users", "roles", "profiles", "settings", "modules")


@pytest.fixture
def crowd(nubetis_org, nubetis_session, rng):
    """Three users, and records that belong to one of four at random, some of them deleted."""
    permit_all(nubetis_session)
    sessions = dict(zip(("luis", "ana", "eva"), nubetis_org.people("luis", "ana", "eva: D !admin"), strict=True))
    for number in range(30):
        owner = rng.choice(["luis", "ana", "eva", "admin"])
        record = nubetis_session.create("leads", name=str(number), owner=owner)
        if rng.random() < 0.2:
            nubetis_session.delete(record)
    return {**sessions, "admin": nubetis_session}


@pytest.mark.parametrize("module", MODULES)
def test_a_record_is_in_the_list_exactly_when_one_may_view_it(crowd, module):
    """Find ⇔ can("view"), for each user and record; counts and streams agree with the list."""
    known = {record.id for record in crowd["admin"].find(module, limit=1000)}
    for session in crowd.values():
        listed = {record.id for record in session.find(module, limit=1000)}
        assert listed == {each for each in known if session.can("view", each)}
        assert len(listed) == session.count(module) == sum(len(ids) for (ids,) in session.stream(module, fields=["id"]))


@pytest.mark.parametrize(("action", "plan"), [
    ("edit", lambda s: s.plan_update("leads", EVERYTHING, company="X")),
    ("delete", lambda s: s.plan_delete("leads", EVERYTHING)),
], ids=["edit", "delete"])  # fmt: skip
def test_a_plan_holds_exactly_what_one_may_do(crowd, action, plan):
    """The records of a bulk plan are those of which the check says yes."""
    known = [record.id for record in crowd["admin"].find("leads", limit=1000)]
    for session in crowd.values():
        planned = {change.record for change in plan(session).changes}
        assert planned == {each for each in known if session.can(action, each)}


def test_the_bin_shows_ones_own_only(crowd):
    """What was deleted is still somebody's."""
    for name, session in crowd.items():
        gone = session.find("leads", deleted=True, limit=1000)
        assert name in {"admin", "eva"} or {record["owner"] for record in gone} <= {session.user}


def test_aggregates_count_what_one_may_see(crowd):
    """Numbers give away no record."""
    for session in crowd.values():
        (found,) = session.aggregate("leads", measures={"n": "count"})
        assert found == {"n": session.count("leads")}


@pytest.mark.parametrize("module", ["users", "roles", "profiles", "settings", "modules"])
@pytest.mark.parametrize("action", ["create", "edit", "delete"])
def test_only_administrators_change_people_and_settings(crowd, module, action):
    """Everybody reads names; nobody else writes."""
    assert not crowd["ana"].can(action, module)
    assert crowd["eva"].can(action, module)
    with pytest.raises(AccessDenied):
        crowd["ana"].plan_delete(module, EVERYTHING)
    with pytest.raises(AccessDenied):
        crowd["ana"].plan_create(module, [{"name": "x"}])


def test_ledgers_are_closed_to_everybody(crowd):
    """The journal is read through history and operations, never as a module."""
    for session in crowd.values():
        for ledger in ("operations", "entries", "changes", "seals", "outbox", "versions", "counters", "blobs"):
            assert not session.can("view", ledger)
            with pytest.raises((AccessDenied, NotFound)):
                session.find(ledger)


def test_one_does_not_promote_oneself(crowd):
    """A user cannot write his own profile, nor another's."""
    ana = crowd["ana"]
    admin = ana.find("profiles", F.administrator == True)[0]  # noqa: E712 - a filter
    with refusing("denied", AccessDenied):
        ana.edit(ana.user, profile=admin.id)


def test_a_decision_says_why(crowd):
    """Owner, administrator, not the owner, not in the profile: each has its reason, and words."""
    luis, ana, eva = (crowd[name] for name in ("luis", "ana", "eva"))
    lead = luis.create("leads", name="X")

    assert luis.decide("edit", lead).reasons == (Reason.OWNER,)
    assert eva.decide("edit", lead).reasons == (Reason.ADMINISTRATOR,)
    assert ana.decide("create", "users").reasons == (Reason.PROFILE,)
    assert "the user owns the record" in str(luis.explain("edit", lead))
    with refusing("not_found", NotFound):
        ana.decide("view", lead)


def test_an_unknown_action_is_an_error(nubetis_session):
    """A mistyped action is not a no."""
    with pytest.raises(ValueError, match="action: give view, create, edit, delete"):
        nubetis_session.can("veiw", "leads")


@pytest.mark.parametrize("action", list(Action))
def test_system_sessions_may_everything_and_are_named(nubetis_org, action):
    """Nubetis itself says for what purpose it acts."""
    system = nubetis_org.system("mending")
    record = system.create("leads", name="X")

    assert system.decide(action, record).user == "mending"
    assert system.can(action, record)


def test_handing_a_record_over_takes_it_away(crowd):
    """Rights follow the owner at once."""
    luis, ana = crowd["luis"], crowd["ana"]
    lead = luis.create("leads", name="X")
    luis.edit(lead, owner="ana")

    assert (luis.can("view", lead), ana.can("view", lead)) == (False, True)
