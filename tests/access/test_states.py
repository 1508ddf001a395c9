"""A user goes from state to state along a table; only the active ones have a door."""

from __future__ import annotations

import pytest

from nubetis import F, HostSignIn, Table
from nubetis.access.states import FIRST, FOLLOWING, UserState
from nubetis.data import plan_load
from nubetis.errors import AccessDenied, NubetisError
from nubetis.session.resuming import resume
from tests.stores import refusing


def person(session, name="ana", **values):
    """Give the values of a new user."""
    role = session.find("roles", F.name == "Manager")[0].id
    profile = session.find("profiles", F.name == "Standard")[0].id
    return {"name": name, "email": f"{name}@acme.pe", "handle": name, "role": role, "profile": profile, **values}


def put(session, user, state):
    """Bring a user who was just made active into *state*, by ways that are allowed."""
    ways = {"active": (), "suspended": ("suspended",), "deactivated": ("deactivated",),
            "invited": ("deactivated", "invited")}  # fmt: skip
    for each in ways[state]:
        session.edit(user, state=each)


@pytest.mark.parametrize("old", UserState)
def test_a_state_follows_another_as_the_table_says(nubetis_session, old):
    for new in UserState:
        user = nubetis_session.create("users", person(nubetis_session, new.value)).id
        put(nubetis_session, user, old)
        if old == new or new in FOLLOWING[old]:
            assert nubetis_session.edit(user, state=new.value)["state"] == new
            continue
        with refusing("bad_user_state", match=f"{old} .*{new}"):
            nubetis_session.edit(user, state=new.value)
        assert nubetis_session.get(user)["state"] == old


@pytest.mark.parametrize("state", UserState)
def test_a_new_user_begins_as_the_table_says(nubetis_session, state):
    """By a call, and by a file, of which the line is named."""
    values = person(nubetis_session, state=state.value)
    plan = plan_load(nubetis_session, Table.from_dicts([values]), module="users")
    assert [(each.code, each.line) for each in plan.refusals] == ([] if state in FIRST else [("bad_user_state", 1)])
    if state in FIRST:
        assert nubetis_session.create("users", values)["state"] == state
    else:
        with refusing("bad_user_state"):
            nubetis_session.create("users", values)


def test_many_at_once_are_refused_one_by_one(nubetis_session):
    """The rest of a bulk change can be written."""
    ana, bo = (nubetis_session.create("users", person(nubetis_session, name)).id for name in ("ana", "bo"))
    nubetis_session.edit(bo, state="deactivated")
    plan = nubetis_session.plan_update("users", F.handle.in_(["ana", "bo"]), state="suspended")
    assert [(each.code, each.record) for each in plan.refusals] == [("bad_user_state", bo)]
    nubetis_session.apply(plan, skip_refused=True)
    assert [nubetis_session.get(each)["state"] for each in (ana, bo)] == ["suspended", "deactivated"]


def test_undo_gives_back_what_was(nubetis_session):
    """Also where nobody could go there otherwise."""
    user = nubetis_session.create("users", person(nubetis_session, state="invited")).id
    operation = nubetis_session.apply(nubetis_session.plan_edits("users", {user: {"state": "active"}}))
    nubetis_session.undo(operation)
    assert nubetis_session.get(user)["state"] == "invited"


def test_nubetis_itself_goes_along_the_table_as_well(nubetis_org, nubetis_session):
    user = nubetis_session.create("users", person(nubetis_session)).id
    with refusing("bad_user_state"):
        nubetis_org.system("testing").edit(user, state="invited")


@pytest.mark.parametrize("state", [*UserState, "deleted"])
def test_only_the_active_open_a_session_and_go_on_with_one(nubetis_org, nubetis_session, state):
    """Whoever was signed in when it came is stopped at his next call."""
    user = nubetis_session.create("users", person(nubetis_session)).id
    session = nubetis_org.session(HostSignIn("ana"))
    if state == "deleted":
        nubetis_session.delete(user)
    else:
        put(nubetis_session, user, state)
    if state == "active":
        assert session.find("leads").next is None
        assert nubetis_org.session(HostSignIn("ana")).user == user
        return
    for call in (lambda: session.find("leads"), lambda: resume(session, "ope_0000000000001W")):
        with refusing("denied", AccessDenied):
            call()
    for name in (user, "ana", "ana@acme.pe"):
        with pytest.raises(NubetisError) as caught:
            nubetis_org.session(HostSignIn(name))
        assert caught.value.code == ("unknown_user" if state == "deleted" else "denied")


def test_a_tombstone_is_named_by_what_he_had_and_comes_back_as_he_was(nubetis_org, nubetis_session):
    """Records keep their owner; the e-mail is free for another."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="A")
    nubetis_session.delete(ana.user)
    assert nubetis_session.get(lead.id)["owner"] == ana.user
    assert nubetis_session.restore(ana.user)["state"] == "active"
    assert nubetis_org.session(HostSignIn("ana")).get(lead.id)["name"] == "A"
