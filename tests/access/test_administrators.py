"""One active administrator remains, whatever road is taken."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest

from nubetis import F
from nubetis.data import merge
from nubetis.errors import AccessDenied, NotFound, NubetisError, Refused
from nubetis.model.filters import EVERYTHING
from nubetis.model.plan import Plan
from nubetis.session import erasing, past, resuming
from nubetis.session.leaving import plan_offboarding
from nubetis.testing.people import ADMINISTRATOR
from tests.stores import refusing


def me(session):
    """Give the administrator's record."""
    return session.get(session.user)


def profile(session, *, administrator):
    """Give a profile."""
    return session.find("profiles", F.administrator == administrator, sort="id")[0]


def other(session):
    """Give a user who is no administrator."""
    values = {"name": "O", "email": "o@acme.pe", "role": me(session)["role"]}
    return session.create("users", **values, profile=profile(session, administrator=False).id)


def own_profile(session):
    """Give a profile of administrators that the house has made, and that the only one of them now has."""
    made = session.create("profiles", name="Own", administrator=True)
    session.edit(me(session), profile=made.id)
    return made


ROADS = {
    "delete": lambda s: s.delete(me(s)),
    "deactivate": lambda s: s.edit(me(s), state="deactivated"),
    "suspend": lambda s: s.edit(me(s), state="suspended"),
    "profile": lambda s: s.edit(me(s), profile=profile(s, administrator=False).id),
    "flag": lambda s: s.edit(profile(s, administrator=True), administrator=False),
    "profile deleted": lambda s: s.delete(profile(s, administrator=True)),
    "bulk": lambda s: s.apply(s.plan_update("users", EVERYTHING, state="suspended")),
    "bulk delete": lambda s: s.apply(s.plan_delete("users", EVERYTHING)),
    "a service": lambda s: s.edit(me(s), kind="service"),
    "merged into another": lambda s: merge(s, other(s), [me(s)]),
    "leaves": lambda s: s.apply(plan_offboarding(s, s.user, to=other(s).id)),
    "leaves for good": lambda s: s.apply(plan_offboarding(s, s.user, to=other(s).id, state="deleted")),
    "own profile of administrators": lambda s: s.edit(own_profile(s), administrator=False),
    "own profile deleted": lambda s: s.delete(own_profile(s)),
    "in a unit": lambda s: s.unit(lambda it: it.edit(me(it), state="deactivated")),
    "erase": lambda s: erasing.erase(s, me(s), fields=["profile"]),
    "erase state": lambda s: erasing.erase(s, me(s), fields=["state"]),
}


SEVERAL = {
    "erase", "erase state", "merged into another", "leaves", "leaves for good", "own profile of administrators",
    "own profile deleted",
}  # fmt: skip
"""Roads that change people more than once, or what no unit does."""


def administrators(org):
    """Give the e-mails of those who can still act as administrators."""
    system = org.system("testing")
    keys = [each.id for each in system.find("profiles", F.administrator == True)]  # noqa: E712 - a filter
    return [user["email"] for user in system.find("users", (F.state == "active") & F.profile.in_(keys))]


@pytest.mark.parametrize("road", sorted(ROADS))
def test_the_last_administrator_stays(nubetis_org, nubetis_session, road):
    """Each road is refused, and nothing of it is written."""
    with pytest.raises(NubetisError) as caught:
        ROADS[road](nubetis_session)
    codes = {caught.value.code, *[each.code for each in getattr(caught.value, "refusals", ())]}
    assert codes & {"last_administrator", "built_in", "still_used", "bad_user_state"}
    assert administrators(nubetis_org) == [ADMINISTRATOR]


def test_undo_cannot_take_his_promotion_back(nubetis_org, nubetis_session):
    (eva,) = nubetis_org.people("eva")
    administrator = profile(nubetis_session, administrator=True).id
    operation = nubetis_session.apply(nubetis_session.plan_edits("users", {eva.user: {"profile": administrator}}))
    eva.edit(nubetis_session.user, state="deactivated")
    with refusing("last_administrator", Refused):
        nubetis_org.system("testing").undo(operation)
    assert administrators(nubetis_org) == ["eva@nubetis.test"]


def test_undo_cannot_take_the_last_administrator(nubetis_org, nubetis_session):
    """Undoing the creation of the only administrator left is refused, for nubetis itself too."""
    values = {"name": "E", "email": "e@acme.pe", "role": nubetis_session.find("roles")[0].id}
    values["profile"] = profile(nubetis_session, administrator=True).id
    operation = nubetis_session.apply(nubetis_session.plan_create("users", [values]))
    nubetis_session.edit(me(nubetis_session), state="suspended")

    with refusing("last_administrator", Refused):
        nubetis_org.system("testing").undo(operation)
    assert administrators(nubetis_org) == ["e@acme.pe"]


@pytest.mark.parametrize("road", sorted(set(ROADS) - SEVERAL))
def test_the_last_administrator_stays_though_a_unit_goes_on(nubetis_org, nubetis_session, road):
    """Catching the refusal inside a unit does not let the change through."""

    def work(session):
        with pytest.raises(NubetisError):
            ROADS[road](session)

    nubetis_session.unit(work)
    assert administrators(nubetis_org) == [ADMINISTRATOR]


def test_one_of_two_administrators_may_go(nubetis_org, nubetis_session):
    """The rule asks for one, not for oneself."""
    list(nubetis_org.people("eva: Director !admin"))
    nubetis_session.edit(me(nubetis_session), state="suspended")

    assert administrators(nubetis_org) == ["eva@nubetis.test"]


def test_two_plans_that_are_each_right_are_not_right_together(nubetis_org, nubetis_session):
    """Two administrators plan at the same time to send the other away: the second plan has drifted."""
    (eva,) = nubetis_org.people("eva: Director !admin")
    first = nubetis_session.plan_edits("users", {eva.user: {"state": "suspended"}})
    second = eva.plan_edits("users", {nubetis_session.user: {"state": "suspended"}})
    nubetis_session.apply(first)

    with pytest.raises(NubetisError):
        eva.apply(second)
    assert administrators(nubetis_org) == [ADMINISTRATOR]


@pytest.mark.parametrize("turn", range(5))
def test_administrators_who_race_leave_one(nubetis_org, turn):
    """Threads in which each administrator sends himself away: one of them remains."""
    sessions = [nubetis_org.administrator(), *nubetis_org.people("eva: Director !admin", "ana: Director !admin")]
    barrier = threading.Barrier(len(sessions))

    def leave(session):
        barrier.wait()
        with suppress(NubetisError):
            session.edit(session.user, state="suspended")

    threads = [threading.Thread(target=leave, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(administrators(nubetis_org)) == 1


def away(state):
    return lambda session, user: session.edit(user, state=state)


REMOVALS = {
    "suspend": away("suspended"),
    "deleting": lambda session, user: session.delete(user),
    "profile": lambda session, user: session.edit(user, profile=profile(session, administrator=False).id),
    "off-board": lambda session, user: session.apply(plan_offboarding(session, user, to=session.user)),
    "in bulk": lambda session, user: session.apply(
        session.plan_update("users", F.id == user, state="deactivated")),
}  # fmt: skip


@pytest.mark.parametrize("way", REMOVALS)
def test_two_administrators_who_remove_each_other_leave_one(nubetis_org, nubetis_session, way):
    """At the same instant: whoever comes second is refused, or finds that rights have moved."""
    (eva,) = nubetis_org.people("eva: Director !admin")
    barrier, done = threading.Barrier(2), list[str]()

    def remove(session, user):
        barrier.wait()
        with suppress(NubetisError):
            REMOVALS[way](session, user)
            done.append(user)

    pairs = ((nubetis_session, eva.user), (eva, nubetis_session.user))
    threads = [threading.Thread(target=remove, args=pair) for pair in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(administrators(nubetis_org)) == 1 == len(done)


@pytest.mark.parametrize("turn", range(5))
def test_one_e_mail_has_one_user_in_a_race(nubetis_org, turn):
    """Threads that make the same user: one succeeds, the others are told that the value is taken."""
    sessions = [nubetis_org.administrator() for _ in range(4)]
    first = sessions[0]
    role, standard = first.find("roles")[0].id, profile(first, administrator=False).id
    barrier, codes = threading.Barrier(len(sessions)), []

    def make(session):
        barrier.wait()
        try:
            session.create("users", name="X", email="X@acme.pe", role=role, profile=standard)
            codes.append("made")
        except NubetisError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=make, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(codes) == ["made", "not_unique", "not_unique", "not_unique"]
    assert first.count("users", F.email == "x@ACME.pe") == 1


def test_a_user_who_was_sent_away_does_nothing_more(nubetis_org, nubetis_session):
    """An open session ends with the right to it, from the next unit on; a plan made before is worth nothing."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="A")
    plan = ana.plan_edits("leads", {lead.id: {"name": "B"}})
    nubetis_session.edit(ana.user, state="suspended")

    assert not ana.can("view", lead)
    for call in (lambda: ana.find("leads"), lambda: ana.create("leads", name="C"), lambda: ana.apply(plan)):
        with refusing("denied", AccessDenied):
            call()
    assert nubetis_session.get(lead)["name"] == "A"


SENT_AWAY = {
    "operations": lambda s, _: past.operations(s),
    "preview of an undo": past.plan_undo,
    "undo": lambda s, operation: s.undo(operation),
    "resume": resuming.resume,
    "a plan of nothing": lambda s, _: s.apply(Plan()),
    "a unit of nothing": lambda s, _: s.unit(lambda _: None),
    "history": lambda s, _: past.history(s, s.user),
    "explain": lambda s, _: s.explain("view", "leads"),
    "settings": lambda s, _: s.get(s.user),
}


@pytest.mark.parametrize("way", ["suspended", "deleted"])
@pytest.mark.parametrize("name", SENT_AWAY)
def test_an_administrator_who_was_sent_away_neither_reads_the_journal_nor_writes_it(nubetis_org, way, name):
    """Nor does he end what others have begun: a stopped operation stays one that can be resumed."""
    first, second = nubetis_org.people("ana !admin", "bo !admin")
    lead = first.create("leads", name="A")
    second.find("leads")
    operation = past.operations(first)[0]
    if way == "suspended":
        first.edit(second.user, state="suspended")
    else:
        first.delete(second.user)
    before = past.operations(first)

    with refusing("denied", AccessDenied):
        SENT_AWAY[name](second, operation)
    assert (past.operations(first), first.get(lead)["name"]) == (before, "A")


def test_an_operation_whose_user_is_sent_away_is_taken_back(nubetis_org, nubetis_session, small_chunks):
    """By nubetis itself, as after any other fault: he may not any more."""
    (ana,) = nubetis_org.people("ana !admin")
    plan = ana.plan_create("leads", [{"name": f"L{number}"} for number in range(9)])

    def send_away(done, total):
        if done:
            nubetis_session.edit(ana.user, state="suspended")

    with refusing("denied", AccessDenied):
        ana.apply(plan, progress=send_away)
    assert nubetis_org.interrupted() == []
    assert nubetis_session.count("leads") == 0


def test_a_plan_is_good_for_the_rights_of_those_who_apply_it(nubetis_org, nubetis_session):
    """A plan that an administrator made gives nobody else his rights."""
    (ana,) = nubetis_org.people("ana")
    lead = nubetis_session.create("leads", name="A")
    plan = nubetis_session.plan_edits("leads", {lead.id: {"owner": ana.user}})

    with pytest.raises(NubetisError):
        ana.apply(plan)
    assert nubetis_session.user == nubetis_session.get(lead)["owner"]


def test_a_session_opens_for_active_users_only(nubetis_org, nubetis_session):
    """Nobody and those sent away have no door."""
    from nubetis import HostSignIn

    (ana,) = nubetis_org.people("ana")
    nubetis_session.edit(ana.user, state="deactivated")

    with refusing("denied", AccessDenied):
        nubetis_org.session(HostSignIn("ana"))
    with refusing("unknown_user", NotFound):
        nubetis_org.session(HostSignIn("nobody@acme.pe"))
