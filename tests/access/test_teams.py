"""The team of a record: who works on it, as what, and how far; beside its shares and not among them."""

from __future__ import annotations

import pytest

from nubetis.access.decision import Granted, Reason
from nubetis.access.sharing import Level
from nubetis.errors import AccessDenied, InvalidValue, NotFound, NubetisError
from nubetis.session.explaining import explain_for
from nubetis.session.past import history
from nubetis.session.previewing import who_can
from nubetis.session.profiles import plan_forbid
from nubetis.session.sharing import share, shares, unshare
from nubetis.session.teams import Member, join, leave, team
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org):
    lines = ("luis: Lead", "ana: Rep < luis", "rosa: Rep", "pia: Office")
    return dict(zip(("luis", "ana", "rosa", "pia"), nubetis_org.people(*lines), strict=True))


@pytest.fixture
def lead(staff):
    return staff["ana"].create("leads", name="X")


def test_a_member_has_the_record_as_far_as_said(staff, lead):
    """And is listed with what he does there; a second time changes it."""
    ana, pia = staff["ana"], staff["pia"]
    join(ana, lead, "pia", function="Pre-sales")
    assert (pia.can("view", lead.id), pia.can("edit", lead.id)) == (True, False)
    assert pia.decide("view", lead).reasons == (Reason.TEAM,)
    join(ana, lead, "pia", level="write", function="Legal")
    (member,) = team(ana, lead)
    assert member == Member(id=member.id, user=pia.user, level="write", function="Legal")
    assert pia.decide("edit", lead).grants == (Granted(Reason.TEAM, Level.WRITE),)


def test_team_and_shares_are_not_each_other(staff, lead):
    """One who has both keeps the one when the other goes; each list has its own."""
    ana, pia = staff["ana"], staff["pia"]
    join(ana, lead, "pia", level="write")
    share(ana, lead, "pia")
    assert ([each.level for each in shares(ana, lead)], [each.level for each in team(ana, lead)]) == (
        ["read"],
        ["write"],
    )
    assert {each.reason for each in pia.decide("view", lead).grants} == {Reason.SHARE, Reason.TEAM}
    unshare(ana, lead, "pia")
    assert (shares(ana, lead), pia.can("edit", lead.id)) == ([], True)
    leave(ana, lead, "pia")
    assert (team(ana, lead), pia.can("view", lead.id)) == ([], False)
    for name, act in (("not_shared", unshare), ("not_in_team", leave)):
        with refusing(name, NotFound):
            act(ana, lead, "pia")


def test_those_who_see_the_record_see_who_works_on_it(staff, lead):
    """Only those who may share it say who does."""
    join(staff["ana"], lead, "pia")
    assert [each.user for each in team(staff["pia"], lead)] == [staff["pia"].user]
    for act in (lambda s: join(s, lead, "rosa"), lambda s: leave(s, lead, "luis")):
        with refusing("denied_of", AccessDenied):
            act(staff["pia"])
        with refusing("not_found", NotFound):
            act(staff["rosa"])
    with refusing("not_found", NotFound):
        team(staff["rosa"], lead)


@pytest.mark.parametrize(("user", "code", "kind"), [
    ("role Rep", "bad_argument", InvalidValue), ("everybody", "bad_argument", InvalidValue),
    ("nobody", "unknown_user", NotFound),
])  # fmt: skip
def test_a_team_has_users(staff, lead, user, code, kind):
    with refusing(code, kind):
        join(staff["ana"], lead, user)


def test_a_level_is_one_that_gives_something(staff, lead):
    with refusing("bad_argument", InvalidValue):
        join(staff["ana"], lead, "pia", level="none")


def test_a_team_is_explained_and_found_like_any_grant(staff, lead, nubetis_session):
    join(staff["ana"], lead, "pia", level="write")
    assert staff["pia"].user in who_can(nubetis_session, "edit", lead)
    assert staff["pia"].user not in who_can(nubetis_session, "delete", lead)
    told = explain_for(nubetis_session, "pia", "delete", lead)
    assert "team gives read and write" in told.misses
    assert [(each.name, each.matched) for each in told.steps if each.reason in {Reason.TEAM, Reason.SHARE}] == [
        ("team", False), ("share", False),
    ]  # fmt: skip


def test_joining_is_journalled_and_undone(staff, lead):
    operation = join(staff["ana"], lead, "pia", function="Legal")
    (member,) = team(staff["ana"], lead)
    assert [each.operation.actor for each in history(staff["ana"], member.id)] == [staff["ana"].user]
    staff["ana"].undo(operation)
    assert (team(staff["ana"], lead), staff["pia"].can("view", lead.id)) == ([], False)


def test_a_member_leaves_by_himself(staff, lead):
    """And not by that back again: what he gave up, or was taken from him, is the sharer's to give."""
    ana, pia = staff["ana"], staff["pia"]
    join(ana, lead, "pia")
    join(ana, lead, "rosa")
    with refusing("denied_of", AccessDenied):
        leave(pia, lead, "rosa")
    operation = leave(pia, lead, "pia")
    assert ([each.user for each in team(ana, lead)], pia.can("view", lead.id)) == ([staff["rosa"].user], False)
    with pytest.raises(NubetisError):
        leave(pia, lead, "pia")
    pia.undo(operation)
    assert not pia.can("view", lead.id)
    join(ana, lead, "pia")
    (gone,) = [each.id for each in team(ana, lead) if each.user == pia.user]
    leave(ana, lead, "pia")
    with pytest.raises(NubetisError):
        pia.restore(gone)
    assert not pia.can("view", lead.id)


def test_a_member_changes_nothing_of_his_place(staff, lead):
    """He has the record as far as was said."""
    ana, pia = staff["ana"], staff["pia"]
    join(ana, lead, "pia")
    (member,) = team(ana, lead)
    assert (pia.can("view", member.id), pia.can("edit", member.id)) == (True, False)
    with pytest.raises(NubetisError):
        pia.edit(member.id, level="delete")
    share(ana, lead, "pia")
    (other,) = shares(ana, lead)
    assert not pia.can("view", other.id)


def test_one_whose_profile_shares_nothing_is_told_so(nubetis_org, nubetis_session, staff, lead):
    """And one who has not the whole record, that."""
    join(staff["ana"], lead, "pia", level="write")
    with refusing("denied_of", AccessDenied) as caught:
        share(staff["pia"], lead, "rosa")
    assert lead.id in str(caught.value)
    nubetis_session.apply(plan_forbid(nubetis_session, "Standard", "share"))
    with refusing("denied", AccessDenied):
        share(staff["pia"], lead, "rosa")
