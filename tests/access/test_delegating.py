"""Acting for another: with his rights as far as he lent them, both names in the journal, over when it ends."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.decision import Action, Lack, Reason
from nubetis.access.delegation import Limits
from nubetis.access.permissions import EVERY_PERMISSION, STANDARD, Function, Permissions, write_permissions
from nubetis.errors import AccessDenied, InvalidValue, NotFound, NubetisError, Refused
from nubetis.session.delegating import Delegation, delegations, plan_delegation, revoke
from nubetis.session.explaining import explain_for
from nubetis.session.past import history, operations
from nubetis.session.previewing import who_can
from nubetis.session.sharing import plan_group, plan_share_rule, share, unshare
from nubetis.session.teams import join
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org):
    """Luis over ana; pia and tom apart."""
    lines = ("luis: Lead", "ana: Rep < luis", "pia: Office", "tom: Desk")
    return dict(zip(("luis", "ana", "pia", "tom"), nubetis_org.people(*lines), strict=True))


@pytest.fixture
def lead(staff):
    return staff["ana"].create("leads", name="X")


def lend(session, delegate, **limits):
    return session.apply(plan_delegation(session, delegate, **limits))


def acting(org, who, whom):
    return org.session(HostSignIn(who), on_behalf_of=whom)


def test_the_delegate_has_what_the_other_has(nubetis_org, staff, lead):
    """In a session of its own; in his own he has no more than before."""
    with refusing("no_delegation", AccessDenied):
        acting(nubetis_org, "pia", "luis")
    lend(staff["luis"], "pia")
    session = acting(nubetis_org, "pia", "luis")
    assert session.can("edit", lead.id)
    assert not staff["pia"].can("view", lead.id)
    assert session.decide("edit", lead).reasons == (Reason.HIERARCHY,)
    assert [each.id for each in session.find("leads", F.owner != "pia")] == [lead.id]


def test_both_names_are_in_the_journal(nubetis_org, staff, lead):
    """He who did it is the actor, and it belongs to the other; both find it and may take it back."""
    lend(staff["luis"], "pia")
    own = staff["pia"].apply(staff["pia"].plan_create("leads", [{"name": "her own"}]))
    session = acting(nubetis_org, "pia", "luis")
    made = session.create("leads", name="Y")
    pia, luis = staff["pia"].user, staff["luis"].user
    assert (made["owner"], made["created_by"], made["modified_by"]) == (luis, pia, pia)
    session.edit(lead, name="Z")
    (moment, *_) = history(staff["luis"], lead)
    assert (moment.operation.actor, moment.operation.on_behalf_of) == (pia, luis)
    found = [each.id for each in operations(session)]
    assert len(found) == 2
    assert found == [each.id for each in operations(staff["luis"]) if each.actor == pia]
    with refusing("no_operation", NotFound):
        session.undo(own)
    session.undo(found[0])
    assert staff["luis"].get(lead)["name"] == "X"
    staff["luis"].undo(found[1])


@pytest.mark.parametrize("way", ["until", "revoked", "deleted", "undone", "delegator", "delegate"])
def test_it_is_over_at_the_next_call_when_it_ends(nubetis_org, nubetis_session, nubetis_clock, staff, lead, way):
    admin, luis = nubetis_session, staff["luis"]
    operation = lend(luis, "pia", until=luis.now() + timedelta(hours=1))
    session = acting(nubetis_org, "pia", "luis")
    assert session.get(lead)
    ends = {
        "until": lambda: nubetis_clock.advance(hours=1),
        "revoked": lambda: revoke(luis, "pia"),
        "deleted": lambda: luis.delete(delegations(luis)[0].id),
        "undone": lambda: luis.undo(operation),
        "delegator": lambda: admin.edit(luis.user, state="suspended"),
        "delegate": lambda: admin.edit(staff["pia"].user, state="suspended"),
    }
    ends[way]()
    for act in (lambda: session.get(lead), lambda: session.create("leads", name="Y"), lambda: session.find("leads")):
        with refusing("no_delegation", AccessDenied):
            act()
    assert not session.can("view", lead.id)
    with pytest.raises(NubetisError):
        acting(nubetis_org, "pia", "luis")


def test_it_begins_at_its_instant(nubetis_org, nubetis_clock, staff):
    lend(staff["luis"], "pia", since=staff["luis"].now() + timedelta(days=1))
    with refusing("no_delegation", AccessDenied):
        acting(nubetis_org, "pia", "luis")
    nubetis_clock.advance(days=1)
    assert acting(nubetis_org, "pia", "luis").count("leads") == 0


def test_only_what_was_lent(nubetis_org, staff, lead):
    """Modules and actions, and both of several delegations; a refusal says so."""
    luis, pia = staff["luis"], staff["pia"]
    lend(luis, "pia", modules=["leads"], actions=["view"])
    session = acting(nubetis_org, "pia", "luis")
    assert (session.can("view", lead.id), session.can("edit", lead.id), session.can("view", "deals")) == (
        True,
        False,
        False,
    )
    found = session.decide("edit", lead)
    assert (found.reasons, found.missing) == ((Reason.DELEGATION,), (Lack(Reason.DELEGATION, "edit"),))
    with refusing("denied", AccessDenied):
        session.edit(lead, name="Y")
    lend(luis, "pia", modules="deals")
    assert (session.can("create", "deals"), session.can("edit", lead.id)) == (True, False)
    (first, second) = delegations(pia)
    assert first == Delegation(
        id=first.id, user=luis.user, delegate=pia.user, since=None, until=None, modules=("leads",), actions=("view",),
        functions=(),
    )  # fmt: skip
    assert second.modules == ("deals",)
    assert delegations(staff["tom"]) == []


def test_a_delegation_is_not_lent_on(nubetis_org, staff, lead):
    """Neither from a session for another, nor along a chain."""
    lend(staff["luis"], "pia")
    lend(staff["pia"], "tom")
    session = acting(nubetis_org, "pia", "luis")
    with refusing("denied", AccessDenied):
        lend(session, "tom")
    assert not acting(nubetis_org, "tom", "pia").can("view", lead.id)
    with refusing("no_delegation", AccessDenied):
        acting(nubetis_org, "tom", "luis")


def test_an_administrators_rights_are_never_lent(nubetis_org, nubetis_session, staff, lead):
    """Of him one has what the built-in Standard permits, and whose records his role, rules and shares give."""
    lend(nubetis_session, "pia", functions=[each.value for each in Function])
    session = acting(nubetis_org, "pia", "admin")
    assert not session.can("view", lead.id)
    assert {each for each in Action if session.can(each, "leads")} == STANDARD.default
    for module in ("users", "roles", "profiles", "sharing_rules", "settings"):
        assert not session.can("edit", module)
    assert len(operations(session)) == 0
    share(nubetis_session, lead, "admin")
    assert session.can("view", lead.id)


MANAGER = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS, Function.MANAGE_SHARING])


@pytest.fixture
def manager(nubetis_session, staff):
    """Luis, who manages people and sharing."""
    kept = json.dumps(write_permissions(MANAGER))
    profile = nubetis_session.create("profiles", name="Manager", permissions=kept)
    nubetis_session.edit(staff["luis"].user, profile=profile.id)
    return staff["luis"]


def test_functions_are_lent_only_where_they_are_named(nubetis_org, manager, staff):
    lend(manager, "pia")
    session = acting(nubetis_org, "pia", "luis")
    assert not session.can("edit", "users")
    assert session.decide("edit", "users").reasons == (Reason.DELEGATION,)
    lend(manager, "pia", functions="manage_users")
    assert session.can("edit", "users")
    assert not session.can("edit", "sharing_rules")


def test_nobody_keeps_what_was_lent(nubetis_org, manager, staff, lead):
    """With the functions lent, he gives himself neither a right nor records for longer than the delegation."""
    lend(manager, "pia", functions=["manage_users", "manage_sharing"])
    session = acting(nubetis_org, "pia", "luis")
    profile = session.find("profiles", F.name == "Manager")[0]
    for act in (
        lambda: session.edit(staff["pia"].user, profile=profile.id),
        lambda: session.apply(plan_share_rule(session, "r", "leads", source="ana", target="pia")),
        lambda: session.edit(staff["pia"].user, role=session.find("roles", F.name == "Lead")[0].id),
    ):
        with refusing("raises_rights", Refused):
            act()
    session.apply(plan_share_rule(session, "r", "leads", source="ana", target="tom"))
    assert staff["tom"].can("view", lead.id)


def test_what_was_lent_follows_the_rights_of_the_other(nubetis_org, nubetis_session, staff, lead):
    lend(staff["luis"], "pia")
    session = acting(nubetis_org, "pia", "luis")
    assert session.can("edit", lead.id)
    less = nubetis_session.create(
        "profiles", name="Less", permissions=json.dumps(write_permissions(Permissions(default=[Action.VIEW])))
    )
    nubetis_session.edit(staff["luis"].user, profile=less.id)
    assert (session.can("view", lead.id), session.can("edit", lead.id)) == (True, False)


BAD = {
    "oneself": ("bad_delegation", Refused, {"delegate": "luis"}),
    "not active": ("bad_delegation", Refused, {"delegate": "tom"}),
    "nobody": ("unknown_user", NotFound, {"delegate": "nobody"}),
    "without view": ("bad_delegation", Refused, {"delegate": "pia", "actions": ["edit"]}),
    "without a function": ("bad_delegation", Refused, {"delegate": "pia", "functions": ["manage_roles"]}),
    "no action": ("bad_argument", InvalidValue, {"delegate": "pia", "actions": ["veiw"]}),
    "no function": ("bad_argument", InvalidValue, {"delegate": "pia", "functions": ["x"]}),
    "no module": ("unknown_module", NotFound, {"delegate": "pia", "modules": ["leeds"]}),
    "system module": ("bad_argument", InvalidValue, {"delegate": "pia", "modules": ["users"]}),
}


@pytest.mark.parametrize(("code", "kind", "given"), BAD.values(), ids=BAD)
def test_what_cannot_be_delegated(nubetis_session, staff, code, kind, given):
    nubetis_session.edit(staff["tom"].user, state="suspended")
    with refusing(code, kind):
        plan_delegation(staff["luis"], **given)


def test_it_ends_after_it_begins(staff):
    luis = staff["luis"]
    for since, until in ((None, luis.now()), (luis.now() + timedelta(2), luis.now() + timedelta(1))):
        with refusing("bad_argument", InvalidValue):
            plan_delegation(luis, "pia", since=since, until=until)


def test_nobody_delegates_for_another(staff):
    """By writing the record, or by turning one of his own."""
    luis, pia = staff["luis"], staff["pia"]
    with pytest.raises(AccessDenied):
        pia.create("delegations", user=luis.user, delegate=pia.user)
    lend(pia, "tom")
    (mine,) = delegations(pia)
    with pytest.raises(AccessDenied):
        pia.edit(mine.id, user=luis.user)
    lend(luis, "pia", modules="deals")
    given = next(each for each in delegations(pia) if each.user == luis.user)
    for act in (lambda: pia.edit(given.id, modules=[]), lambda: pia.delete(given.id)):
        with refusing("denied", AccessDenied):
            act()
    with refusing("not_lent", NotFound):
        revoke(pia, "luis")


def test_what_a_hand_wrote_into_a_delegation_lends_nothing(nubetis_org, staff, lead):
    luis = staff["luis"]
    luis.create("delegations", user=luis.user, delegate=staff["pia"].user, modules=["x"], actions=["y"])
    session = acting(nubetis_org, "pia", "luis")
    assert not session.can("view", lead.id)
    assert session.find("users")


@pytest.mark.parametrize("whole", [STANDARD, MANAGER, EVERY_PERMISSION])
def test_no_limits_lend_more_than_there_is(whole, rng):
    """Whatever is named; and of what is whole nothing is lacking in what is lent."""
    for _ in range(50):
        limits = Limits(
            modules=rng.sample(range(1000, 1004), rng.randint(0, 3)),
            actions=rng.choice([None, frozenset({Action.VIEW, *rng.sample(list(Action), 3)})]),
            functions=rng.sample(list(Function), 3),
        )
        assert limits.within(whole) <= whole


def test_who_sees_and_ends_a_delegation_is_who_can(nubetis_session, staff, lead):
    """The two that it names; of a share, those who may share its record."""
    lend(staff["luis"], "pia")
    share(staff["ana"], lead, "tom")
    (record,) = nubetis_session.find("delegations")
    (shared,) = nubetis_session.find("shares")
    everybody = [*staff.values(), nubetis_session]
    for each in (record, shared):
        for action in ("view", "edit", "delete"):
            found = sorted(who_can(nubetis_session, action, each))
            assert found == sorted([one.user for one in everybody if one.can(action, each.id)])
    assert [one.can("delete", record.id) for one in staff.values()] == [True, False, False, False]
    assert [one.can("view", shared.id) for one in staff.values()] == [True, True, False, False]


@pytest.mark.parametrize("again", range(3))
def test_no_delegate_has_more_than_the_other(nubetis_org, nubetis_session, staff, rng, again):
    """Of any record and action, whatever was lent; and with all lent, just as much."""
    made = [rng.choice([*staff.values()]).create(rng.choice(["leads", "deals"]), name=str(at)) for at in range(8)]
    luis = staff["luis"]
    for record in rng.sample([each for each in made if each["owner"] != luis.user], 1):
        share(nubetis_session, record, "luis", level="write")
    actions = ["view", *rng.sample(["edit", "delete", "share", "create", "export"], 2)]
    lend(luis, "pia", actions=actions, modules=rng.choice(["leads", "deals"]))
    lend(luis, "tom")
    some, whole = acting(nubetis_org, "pia", "luis"), acting(nubetis_org, "tom", "luis")
    for record in made:
        for action in Action:
            assert some.can(action, record.id) <= luis.can(action, record.id)
            assert whole.can(action, record.id) == luis.can(action, record.id)
    for module in ("leads", "deals"):
        assert {each.id for each in whole.find(module)} == {each.id for each in luis.find(module)}


# -- what would stay --------------------------------------------------------------------------------------------------
TAKING = {
    "a share": lambda s, lead: share(s, lead, "pia"),
    "a role": lambda s, lead: share(s, lead, "role Office"),
    "those above": lambda s, lead: share(s, lead, "role Clerk", superiors=True),
    "a group": lambda s, lead: share(s, lead, "group Front"),
    "everybody": lambda s, lead: share(s, lead, "everybody"),
    "a team": lambda s, lead: join(s, lead, "pia"),
    "more of a share": lambda s, lead: s.edit(s.find("shares")[0], level="delete"),
    "owning": lambda s, lead: s.edit(lead, owner="pia"),
    "owning many": lambda s, lead: s.apply(s.plan_update("leads", F.name == "X", owner="pia")),
    "owning what is new": lambda s, lead: s.create("leads", name="New", owner="pia"),
}


@pytest.fixture
def front(nubetis_org, nubetis_session, staff):
    nubetis_org.people("ida: Clerk < pia")
    nubetis_session.apply(plan_group(nubetis_session, "Front", ["pia"]))
    return staff


@pytest.mark.parametrize("take", TAKING.values(), ids=TAKING)
def test_a_delegate_gives_himself_nothing_that_stays(nubetis_org, front, lead, take):
    """By himself, by where he is, or to everybody; others he gives what the other may give."""
    luis = front["luis"]
    if take is TAKING["more of a share"]:
        share(luis, lead, "pia")
    lend(luis, "pia")
    session = acting(nubetis_org, "pia", "luis")
    with refusing("keeps_lent", Refused):
        take(session, lead)
    revoke(luis, "pia")
    assert not front["pia"].can("delete", lead.id)


def test_a_delegate_gives_others_what_the_other_may_give(nubetis_org, front, lead):
    """And edits records that are his own by right."""
    luis, pia = front["luis"], front["pia"]
    own = pia.create("leads", name="Own")
    share(pia, own, "luis", level="delete")
    lend(luis, "pia")
    session = acting(nubetis_org, "pia", "luis")
    share(session, lead, "tom")
    unshare(session, lead, "tom")
    session.edit(own.id, name="Other")
    session.edit(lead, owner="tom")
    assert front["tom"].can("delete", lead.id)


def test_a_plan_of_another_does_not_help_a_delegate(nubetis_org, nubetis_session, front, lead):
    """It is looked at when it is written."""
    plan = nubetis_session.plan_edits("leads", {lead.id: {"owner": "pia"}})
    lend(front["luis"], "pia")
    with refusing("keeps_lent", Refused):
        acting(nubetis_org, "pia", "luis").apply(plan)


@pytest.mark.parametrize(
    ("limits", "told"), [({}, True), ({"actions": ["view"]}, False), ({"modules": ["deals"]}, False)]
)
def test_an_explanation_says_that_acting_for_another_would_do(nubetis_session, staff, lead, limits, told):
    """As far as it was lent, as long as it lasts, and to those only who may explain access."""
    says = "acting for luis@nubetis.test would do"
    assert says not in explain_for(nubetis_session, "pia", "edit", lead).misses
    lend(staff["luis"], "pia", **limits)
    assert (says in explain_for(nubetis_session, "pia", "edit", lead).misses) is told
    if told:
        revoke(staff["luis"], "pia")
        assert says not in explain_for(nubetis_session, "pia", "edit", lead).misses


def test_also_where_a_profile_lacks_the_permission(nubetis_session, staff, lead):
    less = nubetis_session.create("profiles", name="Less", permissions=json.dumps(write_permissions(Permissions())))
    nubetis_session.edit(staff["pia"].user, profile=less.id)
    lend(staff["luis"], "pia")
    assert explain_for(nubetis_session, "pia", "edit", lead).misses == ("acting for luis@nubetis.test would do",)


def test_places_in_teams_are_not_lent(nubetis_org, staff):
    """Neither seen nor given up by who acts: those of records that are not lent are nobody's, others stay his own."""
    deal = staff["pia"].create("deals", name="D")
    join(staff["pia"], deal, "luis", level="write", function="Secret")
    lend(staff["luis"], "tom", modules=["leads"], actions=["view"])
    session = acting(nubetis_org, "tom", "luis")
    (place,) = staff["luis"].find("shares")
    assert list(session.find("shares")) == []
    assert not session.can("view", place.id)
    with refusing("not_found", NotFound):
        session.delete(place.id)
    assert staff["luis"].can("edit", deal.id)
