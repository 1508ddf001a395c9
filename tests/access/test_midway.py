"""A unit that changes rights goes on with the new ones: who makes himself less does no more than that."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.errors import AccessDenied, NotFound
from nubetis.session.delegating import plan_delegation
from nubetis.session.previewing import who_can
from tests.stores import refusing


@pytest.fixture
def managing(nubetis_session):
    """Give the profile of one who manages people and roles, and may explain access."""
    functions = [Function.MANAGE_USERS, Function.MANAGE_ROLES, Function.EXPLAIN_ACCESS]
    kept = json.dumps(write_permissions(attrs.evolve(STANDARD, functions=functions)))
    return nubetis_session.create("profiles", name="Managing", permissions=kept).id


def standard(session):
    return session.find("profiles", F.name == "Standard")[0].id


def test_who_gives_a_subtree_away_has_its_records_no_more(nubetis_org, nubetis_session, managing):
    luis, ana = nubetis_org.people("luis: Manager", "ana: Rep < luis")
    nubetis_session.edit(luis.user, profile=managing)
    lead = ana.create("leads", name="L")

    def work(session):
        assert session.can("edit", lead)
        session.edit(session.get(ana.user)["role"], reports_to=None)
        assert (session.count("leads"), session.can("view", lead)) == (0, False)
        with refusing("not_found", NotFound):
            who_can(session, "view", lead)
        with refusing("not_found", NotFound):
            session.edit(lead.id, name="afterwards")

    luis.unit(work)
    assert nubetis_session.get(lead.id)["name"] == "L"


def test_who_is_administrator_no_more_makes_nobody_one(nubetis_org, nubetis_session):
    boss, pia = nubetis_org.people("boss: Head !admin", "pia: Office")
    whole = nubetis_session.get(nubetis_session.user)["profile"]

    def work(session):
        session.edit(session.user, profile=standard(session))
        session.edit(pia.user, profile=whole)

    with refusing("denied", AccessDenied):
        boss.unit(work)
    assert boss.get(boss.user)["profile"] == whole  # nothing of the unit stays
    assert boss.can("edit", "users")


def test_who_suspends_himself_writes_no_more(nubetis_org, nubetis_session, managing):
    (pia,) = nubetis_org.people("pia: Office")
    nubetis_session.edit(pia.user, profile=managing)

    def work(session):
        session.edit(session.user, state="suspended")
        with refusing("denied", AccessDenied):
            session.create("leads", name="X")
        with refusing("not_found", NotFound):
            session.edit(session.user, state="active")

    pia.unit(work)
    assert nubetis_session.get(pia.user)["state"] == "suspended"
    assert not nubetis_session.count("leads")
    with refusing("denied", AccessDenied):
        pia.find("leads")


def test_who_gets_more_has_it_at_once(nubetis_org, nubetis_session, managing):
    (pia,) = nubetis_org.people("pia: Office")
    nubetis_session.edit(pia.user, profile=managing)

    def work(session):
        made = session.create("roles", name="Below", reports_to=session.get(session.user)["role"])
        values = {"name": "N", "email": "n@acme.pe", "role": made.id, "profile": standard(session)}
        new = session.create("users", values)
        theirs = session.create("leads", name="X", owner=new.id)
        return session.edit(theirs.id, name="Y")["name"]

    assert pia.unit(work) == "Y"


@pytest.mark.parametrize("way", ["savepoint", "whole"])
def test_what_is_taken_back_takes_no_rights(nubetis_org, nubetis_session, way):
    """Rights that a unit lost and that were not stored are there again: in the unit, and after it."""
    (boss,) = nubetis_org.people("boss: Head !admin")

    def lose(session):
        session.edit(session.user, profile=standard(session))
        assert not session.can("edit", "users")
        raise ZeroDivisionError

    def work(session):
        with pytest.raises(ZeroDivisionError):
            session.unit(lose)
        assert session.can("edit", "users")
        session.edit(session.user, name="Boss")

    if way == "savepoint":
        boss.unit(work)
    else:
        with pytest.raises(ZeroDivisionError):
            boss.unit(lose)
    assert boss.can("edit", "users")


def test_rights_that_moved_before_a_unit_that_fails_stay_moved(nubetis_org, nubetis_session):
    """What was learnt at the beginning of a unit is known after it, too, though it fails."""
    (boss,) = nubetis_org.people("boss: Head !admin")
    assert boss.can("edit", "users")
    nubetis_session.edit(boss.user, profile=standard(nubetis_session))
    with pytest.raises(ZeroDivisionError):
        boss.unit(lambda _: 1 / 0)
    assert not boss.can("edit", "users")


def test_a_delegate_who_sends_himself_away_has_nothing_lent(nubetis_org, nubetis_session, managing):
    ivo, rob = nubetis_org.people("ivo: Clerk", "rob: Desk")
    nubetis_session.edit(ivo.user, profile=managing)
    nubetis_session.edit(rob.user, profile=nubetis_session.create("profiles", name="None").id)
    ivo.apply(plan_delegation(ivo, "rob", functions=["manage_users"], until=ivo.now() + timedelta(days=1)))
    acting = nubetis_org.session(HostSignIn("rob"), on_behalf_of="ivo")

    def work(session):
        session.edit(rob.user, state="suspended")
        with refusing("denied", AccessDenied):
            session.create("leads", name="X")

    acting.unit(work)
    assert not nubetis_session.count("leads")
