"""A share is with somebody and of something; one that is not gives nothing, and breaks nothing."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.decision import Action
from nubetis.access.sharing import Level
from nubetis.errors import InvalidValue, Refused
from nubetis.model.ids import decode
from nubetis.model.plan import Cause, CauseKind
from nubetis.model.store import Batch, Updates
from nubetis.model.system import SHARES
from nubetis.session.erasing import erase
from nubetis.session.examining import examine
from nubetis.session.explaining import explain_for
from nubetis.session.leaving import plan_offboarding
from nubetis.session.previewing import who_can
from nubetis.session.sharing import share, shares, unshare
from nubetis.session.teams import join, leave, team
from tests.stores import refusing

NOBODY = ["garbage", "", None, "rol_0", "zzz_0PMYYS9R00612G", "everybody+", "use_0PMYYS9R005Z2W+", "+"]


@pytest.fixture
def lead(nubetis_org):
    """Give a lead that ana owns and has shared with luis; pia is there, too."""
    ana, *_ = nubetis_org.people("ana: Rep", "luis: Boss", "pia: Office")
    made = ana.create("leads", name="L")
    share(ana, made, "luis")
    return made


def of_leads(session, lead, **values):
    module = int(session.schema.module("leads").id)
    return {"module": module, "record": int(decode(lead.id)[1]), "target": "everybody", "level": "read", **values}


ROADS = {
    "created": lambda s, values: s.create("shares", values),
    "imported": lambda s, values: s.apply(s.plan_create("shares", [values], cause=Cause(CauseKind.IMPORT))),
    "edited": lambda s, values: s.edit(s.find("shares")[0].id, values),
    "edited in a plan": lambda s, values: s.apply(s.plan_edits("shares", {s.find("shares")[0].id: values})),
    "updated": lambda s, values: s.apply(s.plan_update("shares", F.kind == "share", values)),
}


@pytest.mark.parametrize("road", ROADS)
def test_a_share_is_with_somebody(nubetis_session, lead, road):
    gone = nubetis_session.create("groups", name="Gone", members=[])
    nubetis_session.delete(gone.id)
    for target in [*NOBODY, gone.id, "rol_0PMYYS9R005Z2W"]:
        with refusing("bad_share", InvalidValue):
            ROADS[road](nubetis_session, of_leads(nubetis_session, lead, target=target))


@pytest.mark.parametrize("road", ROADS)
def test_a_share_is_of_a_record(nubetis_session, lead, road):
    gone = nubetis_session.create("leads", name="Gone")
    nubetis_session.delete(gone)
    for values in ({"module": 1}, {"module": 424242}, {"record": 7}, {"record": int(decode(gone.id)[1])}):
        with refusing("bad_share", InvalidValue):
            ROADS[road](nubetis_session, of_leads(nubetis_session, lead, **values))


def test_only_users_are_in_a_team_whatever_the_road(nubetis_session, lead):
    with refusing("bad_share", InvalidValue):
        nubetis_session.create("shares", of_leads(nubetis_session, lead, kind="team"))


def test_a_good_one_is_written_by_hand_too(nubetis_session, lead, nubetis_org):
    for target in ("everybody", nubetis_session.find("roles")[0].id + "+", nubetis_session.user):
        nubetis_session.create("shares", of_leads(nubetis_session, lead, target=target))


def test_with_whom_and_how_far_is_not_erased_of_a_share_that_stands(nubetis_session, lead):
    kept = nubetis_session.find("shares")[0].id
    with refusing("bad_share", InvalidValue):
        erase(nubetis_session, kept, fields=["target"])
    with refusing("still_used", Refused):
        erase(nubetis_session, kept, fields=["module"])
    nubetis_session.delete(kept)
    erase(nubetis_session, kept, fields=["target"])
    with refusing("bad_share", InvalidValue):
        nubetis_session.restore(kept)


def test_no_share_is_with_the_owner_nor_over_whatever_the_road(nubetis_org, nubetis_session, lead):
    """He would keep it when somebody else owns the record."""
    ana, pia = map(nubetis_org.session, map(HostSignIn, ("ana", "pia")))
    for road in ROADS.values():
        with refusing("bad_share", InvalidValue, match="owner"):
            road(ana, of_leads(ana, lead, target=ana.user, level="delete"))
    with refusing("bad_share", InvalidValue, match="over"):
        ana.create("shares", of_leads(ana, lead, target=pia.user, until=ana.now()))
    with refusing("bad_share", InvalidValue, match="owner"):
        join(ana, lead, "ana", level="delete")
    ana.edit(lead, owner="pia")
    assert not ana.can("view", lead)


def test_whom_and_what_a_share_is_about_is_asked_when_it_is_written(nubetis_org, nubetis_session, lead):
    """Who was there when it was planned may have gone; and so for what an undo puts back."""
    ana, pia = map(nubetis_org.session, map(HostSignIn, ("ana", "pia")))
    plan = ana.plan_create("shares", [of_leads(ana, lead, target=pia.user)])
    taken = unshare(ana, lead, "luis")
    for name in ("pia", "luis"):
        user = nubetis_session.find("users", F.handle == name)[0]
        nubetis_session.edit(user, state="deactivated")
        nubetis_session.delete(user.id)
    with refusing("bad_share", InvalidValue):
        ana.apply(plan)
    assert [each.code for each in ana.undo(taken).failed] == ["bad_share"]
    assert shares(ana, lead) == []


def test_an_undo_brings_a_record_back_with_its_shares(nubetis_org, nubetis_session, lead):
    """Of what comes in one operation all is there."""
    (shared,) = nubetis_session.find("shares")
    plans = [
        nubetis_session.plan_delete("shares", F["id"] == shared.id),
        nubetis_session.plan_delete("leads", F["id"] == lead.id),
    ]
    gone = nubetis_session.apply(attrs.evolve(plans[0], parts=(*plans[0].parts, *plans[1].parts)))
    assert not nubetis_session.undo(gone).failed
    assert nubetis_org.session(HostSignIn("luis")).can("view", lead)


def spoil(session, **cells):
    """Write into the store what nubetis refuses."""
    key = decode(session.find("shares")[0].id)[1]
    part = Updates(SHARES, tuple(cells), [key], [tuple(cells.values())])
    session.state.write(lambda: session.state.write_now(Batch(parts=(part,))))


def test_a_bad_share_in_the_store_breaks_nothing(nubetis_org, nubetis_session, lead):
    ana, luis, pia = map(nubetis_org.session, map(HostSignIn, ("ana", "luis", "pia")))
    share(ana, lead, "pia", level="write")
    lost = {"target": "rol_0PMYYS9R005Z2W"}
    for cells in [lost, *[{"target": each} for each in NOBODY], {"target": luis.user, "level": None}]:
        spoil(nubetis_session, **cells)
        asked = pia.decide(Action.EDIT, lead).allowed, pia.can(Action.VIEW, lead), luis.can(Action.VIEW, lead)
        assert asked == (True, True, False)
        assert (pia.count("leads"), luis.count("leads")) == (1, 0)
        assert who_can(nubetis_session, "view", lead) == sorted([nubetis_session.user, ana.user, pia.user])
        assert pia.explain("edit", lead).decision.allowed
        assert not explain_for(nubetis_session, "luis", "view", lead).decision.allowed
        assert len(shares(ana, lead)) == 2
        told = [each.code for each in examine(nubetis_session.state)]
        assert told == ([] if cells == lost else ["people_wrong"])
    nubetis_session.apply(plan_offboarding(nubetis_session, "pia", to="ana"))


# -- twice the same ---------------------------------------------------------------------------------------------------
def twice(session, lead, pia, kind):
    for level in ("write", "read", "delete"):
        session.create("shares", of_leads(session, lead, target=pia.user, level=level, kind=kind))


@pytest.mark.parametrize(
    ("kind", "give", "take", "left"),
    [
        ("share", share, unshare, lambda session, lead: len(shares(session, lead)) == 1),
        ("team", join, leave, lambda session, lead: not team(session, lead)),
    ],
)
def test_who_has_it_twice_has_it_no_more_afterwards(nubetis_org, nubetis_session, lead, kind, give, take, left):
    ana, pia = map(nubetis_org.session, map(HostSignIn, ("ana", "pia")))
    twice(ana, lead, pia, kind)
    give(ana, lead, "pia", level="read")
    assert not pia.can("edit", lead)
    take(ana, lead, "pia")
    assert not pia.can("view", lead)
    assert left(ana, lead)


@pytest.mark.parametrize(
    ("level", "said"),
    [("Public read", "called read here"), ("private", "called none here"), ("controlled by parent", "parent_level"),
     ("READ", "give none, read, write, delete"), (None, "give none"), (3, "give none")],
)  # fmt: skip
def test_a_level_of_another_system_is_told_what_it_is_called_here(level, said):
    with refusing("bad_argument", InvalidValue, match=said):
        Level.parse(level)
