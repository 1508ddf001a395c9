"""A user leaves: all that he has goes to others by one plan, which is looked at before, written whole, and undone."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, Field, HostSignIn
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.errors import AccessDenied, Cancelled, InvalidValue, NotFound, NubetisError, Refused
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.session import past
from nubetis.session.delegating import plan_delegation
from nubetis.session.leaving import belongings, plan_offboarding
from nubetis.session.previewing import preview
from nubetis.session.resuming import resume
from nubetis.session.sharing import plan_group, plan_share_rule, principal, share, shares
from tests.stores import refusing, rows_of, state_of

EVERYWHERE = ("leads", "deals", "users", "groups", "sharing_rules", "shares")


@pytest.fixture
def house(nubetis_org, nubetis_session, nubetis_clock):
    """Luis leaves: he owns three leads and a deal, helps with others', and is named by groups, rules and shares."""
    nubetis_org.add_field("leads", Field(name="helper", type=kind("link"), targets=("users",)))
    nubetis_org.add_field("leads", Field(name="source_of", type=kind("link"), targets=("contacts", "users")))
    luis, eva, pia, ana = nubetis_org.people("luis: Lead", "eva: Head", "pia: Office", "ana: Rep < luis")
    admin = nubetis_session
    made = {name: luis.create("leads", name=name).id for name in ("A", "B", "C")}
    admin.edit(made["B"], helper=luis.user)
    made["D"] = ana.create("leads", name="D", helper=luis.user).id
    made["E"] = ana.create("leads", name="E", source_of=luis.user).id
    made["F"], made["G"] = ana.create("leads", name="F").id, ana.create("leads", name="G").id
    made["deal"] = luis.create("deals", name="Big").id
    for name, members in {"both": ["luis", "eva", "role Rep"], "his": ["luis"], "others": ["pia"]}.items():
        admin.apply(plan_group(admin, name, members))
    admin.apply(plan_share_rule(admin, "from", "leads", source="luis", target="pia"))
    admin.apply(plan_share_rule(admin, "to", "leads", source="pia", target="luis"))
    admin.apply(plan_share_rule(admin, "between", "leads", source="eva", target="luis"))
    admin.apply(plan_share_rule(admin, "other", "leads", source="pia", target="group his"))
    share(ana, made["F"], "luis", level="write")
    share(ana, made["D"], "luis")
    share(ana, made["D"], "eva", level="delete")
    share(ana, made["E"], "luis", level="delete")
    share(ana, made["E"], "eva", until=admin.now() + timedelta(days=3))
    share(ana, made["G"], "luis")
    share(ana, made["G"], "eva", level="delete", until=admin.now() + timedelta(seconds=1))
    nubetis_clock.advance(seconds=1)
    return {**made, "luis": luis, "eva": eva, "pia": pia, "ana": ana}


def named(org, user):
    """Give where *user* is still named by living records: modules and columns."""
    found = set()
    for module in org.schema.modules:
        if not module.journalled or module.name == "users":
            continue
        for row in rows_of(org, module):
            columns = {name: row[at] for name, at in module.layout.index.items()}
            key = principal(org.system("x"), user).key
            for column, cell in columns.items():
                if columns["deleted_in"] is None and column not in {"created_by", "modified_by"}:
                    of_people = not module.system and column in {"owner", "helper", "source_of"}
                    if (of_people and cell == key) or (module.system and user in str(cell)):
                        found.add((module.name, column))
    return found


def test_all_that_he_has_goes_to_another(nubetis_org, nubetis_session, house):
    luis, eva = house["luis"].user, house["eva"].user
    assert belongings(nubetis_session, "luis").records == {"leads": 5, "deals": 1}
    plan = plan_offboarding(nubetis_session, "luis", to="eva")
    assert not plan.refusals
    nubetis_session.apply(plan)
    assert nubetis_session.get(luis)["state"] == "deactivated"
    assert not belongings(nubetis_session, luis)
    assert named(nubetis_org, luis) == set()
    assert {nubetis_session.get(house[each])["owner"] for each in ("A", "B", "C", "deal")} == {eva}
    assert [nubetis_session.get(house[each])["helper"] for each in "ABD"] == [None, eva, eva]
    assert nubetis_session.get(house["E"])["source_of"] == eva
    groups = {each["name"]: each["members"] for each in nubetis_session.find("groups")}
    assert eva in groups["his"]
    assert groups["both"].count(eva) == 1
    rules = {each["name"]: (each["source"], each["target"]) for each in nubetis_session.find("sharing_rules")}
    assert rules["from"] == (eva, house["pia"].user)
    assert rules["to"] == (house["pia"].user, eva)
    assert "between" not in rules
    ana = house["ana"]
    assert [(each.target, each.level) for each in shares(ana, house["F"])] == [(eva, "write")]
    assert [(each.target, each.level) for each in shares(ana, house["D"])] == [(eva, "delete")]
    assert [(each.target, each.level, each.until) for each in shares(ana, house["E"])] == [(eva, "delete", None)]
    assert [(each.target, each.level, each.until) for each in shares(ana, house["G"])] == [(eva, "read", None)]
    with refusing("denied", AccessDenied):
        nubetis_org.session(HostSignIn("luis"))


def test_it_is_one_operation_and_undo_gives_all_of_it_back(nubetis_session, house):
    before = state_of(nubetis_session, *EVERYWHERE)
    undo = nubetis_session.undo(nubetis_session.apply(plan_offboarding(nubetis_session, "luis", to="eva")))
    assert (undo.kept, undo.failed) == ((), ())
    assert state_of(nubetis_session, *EVERYWHERE) == before
    assert house["luis"].can("edit", house["A"])


@pytest.mark.parametrize("state", ["suspended", "deleted"])
def test_he_may_be_suspended_or_deleted_instead(nubetis_session, house, state):
    before = state_of(nubetis_session, *EVERYWHERE)
    operation = nubetis_session.apply(plan_offboarding(nubetis_session, "luis", to="eva", state=state))
    gone = state == "deleted"
    luis = next(each for each in nubetis_session.find("users", deleted=gone, limit=99) if each["handle"] == "luis")
    assert luis["state"] == ("active" if gone else state)
    nubetis_session.undo(operation)
    assert state_of(nubetis_session, *EVERYWHERE) == before
    assert house["luis"].can("edit", house["A"])


def test_records_of_a_module_may_go_to_somebody_else(nubetis_session, house):
    nubetis_session.apply(plan_offboarding(nubetis_session, "luis", to="eva", records={"deals": "pia"}))
    assert nubetis_session.get(house["deal"])["owner"] == house["pia"].user
    assert nubetis_session.get(house["A"])["owner"] == house["eva"].user


def test_without_somebody_who_takes_it_over_it_is_refused_by_module(nubetis_session, house):
    """His memberships and the shares with him just end."""
    plan = plan_offboarding(nubetis_session, "luis", records={"deals": "pia"})
    assert [(each.code, each.module, each.params["count"]) for each in plan.refusals] == [
        ("no_heir", "sharing_rules", 3), ("no_heir", "leads", 5),
    ]  # fmt: skip
    with refusing("refused", Refused):
        nubetis_session.apply(plan)
    for each in nubetis_session.find("sharing_rules", F.name != "other"):
        nubetis_session.delete(each)
    nubetis_session.apply(plan_offboarding(nubetis_session, "luis", records={"deals": "pia", "leads": "ana"}))
    assert not belongings(nubetis_session, house["luis"].user)
    assert [each.target for each in shares(house["ana"], house["F"])] == []


HEIRS = {
    "himself": (InvalidValue, "bad_heir", {"to": "luis"}),
    "suspended": (InvalidValue, "bad_heir", {"to": "pia"}),
    "in one module": (InvalidValue, "bad_heir", {"to": "eva", "records": {"deals": "pia"}}),
    "nobody": (NotFound, "unknown_user", {"to": "zoe"}),
    "no module": (NotFound, "unknown_module", {"to": "eva", "records": {"dealz": "eva"}}),
    "a system module": (InvalidValue, "bad_argument", {"to": "eva", "records": {"roles": "eva"}}),
    "no such state": (InvalidValue, "bad_argument", {"to": "eva", "state": "gone"}),
    "stays active": (InvalidValue, "bad_argument", {"to": "eva", "state": "active"}),
}


@pytest.mark.parametrize(("error", "code", "given"), HEIRS.values(), ids=HEIRS)
def test_whoever_takes_it_over_is_an_active_user(nubetis_session, house, error, code, given):
    nubetis_session.edit(house["pia"].user, state="suspended")
    with refusing(code, error):
        plan_offboarding(nubetis_session, "luis", **given)


def test_a_state_that_cannot_follow_is_refused(nubetis_session, house):
    nubetis_session.edit(house["luis"].user, state="deactivated")
    plan = plan_offboarding(nubetis_session, "luis", to="eva", state="suspended")
    assert [each.code for each in plan.refusals] == ["bad_user_state"]
    nubetis_session.apply(plan_offboarding(nubetis_session, "luis", to="eva"))
    assert not belongings(nubetis_session, "luis")


def test_the_last_administrator_cannot_leave(nubetis_session, house):
    assert house
    for state in ("deactivated", "suspended", "deleted"):
        plan = plan_offboarding(nubetis_session, "admin@nubetis.test", to="eva", state=state)
        with refusing("last_administrator", Refused):
            nubetis_session.apply(plan)


def test_it_is_looked_at_before(nubetis_session, house):
    plan = plan_offboarding(nubetis_session, "luis", to="eva", state="deleted")
    assert house["pia"].user in {each.user for each in preview(nubetis_session, plan)}
    assert {change.record for change in plan.changes} >= {house["A"], house["deal"], house["luis"].user}


def test_who_may_not_manage_users_does_not_send_anybody_away(house):
    with refusing("denied", AccessDenied):
        plan_offboarding(house["eva"], "luis", to="eva")


def test_what_one_may_not_see_is_not_left_behind_in_silence(nubetis_org, nubetis_session, house):
    """Whoever manages people and does not see his leads is told that something stands against it, and no more."""
    said = attrs.evolve(STANDARD, default=list(Action), functions=[Function.MANAGE_USERS, Function.MANAGE_SHARING])
    profile = nubetis_session.create("profiles", name="HR", permissions=json.dumps(write_permissions(said)))
    nubetis_session.edit(house["pia"].user, profile=profile.id)
    for each in nubetis_session.find("sharing_rules"):
        nubetis_session.delete(each)
    plan = plan_offboarding(house["pia"], "luis", to="eva")
    assert {(each.code, each.module) for each in plan.refusals} >= {
        ("out_of_sight", "leads"),
        ("out_of_sight", "deals"),
    }
    assert not {change.record for change in plan.changes} & {house[each] for each in ("A", "B", "C", "deal")}


def test_many_records_go_in_chunks_and_come_back(nubetis_session, house, small_chunks):
    """It may be stopped and resumed; he is gone from the first chunk on, and so makes no more meanwhile."""
    assert small_chunks
    nubetis_session.apply(
        nubetis_session.plan_create("leads", [{"name": str(n), "owner": house["luis"].user} for n in range(9)])
    )
    before = state_of(nubetis_session, *EVERYWHERE)
    plan = plan_offboarding(nubetis_session, "luis", to="eva")

    def stop(_done, _total):
        raise Cancelled("cancelled", done=0)

    with pytest.raises(Cancelled):
        nubetis_session.apply(plan, progress=stop)
    with refusing("denied", AccessDenied):
        house["luis"].create("leads", name="More")
    operation = resume(nubetis_session, _last(nubetis_session))
    assert not belongings(nubetis_session, "luis")
    undo = nubetis_session.undo(operation)
    assert (undo.kept, undo.failed) == ((), ())
    assert state_of(nubetis_session, *EVERYWHERE) == before


def _last(session):
    return past.operations(session)[0]


def test_who_has_nothing_just_goes(nubetis_session, house):
    for each in nubetis_session.find("groups"):
        nubetis_session.edit(each, members=[house["ana"].user])
    nubetis_session.apply(nubetis_session.plan_delete("sharing_rules", EVERYTHING))
    plan = plan_offboarding(nubetis_session, "pia")
    assert [part.module.name for part in plan.parts] == ["users"]


def test_a_field_that_one_may_not_read_tells_nothing(nubetis_org, nubetis_session, house):
    """Whom it names is neither counted nor moved; the plan says that something stands against it, and no more."""
    leads = nubetis_org.schema.module("leads")
    hidden = {(leads.id, leads.field("helper").id): FieldLevel.HIDDEN}
    functions = [Function.MANAGE_USERS, Function.MANAGE_SHARING]
    said = attrs.evolve(STANDARD, default=list(Action), functions=functions, fields=hidden)
    profile = nubetis_session.create("profiles", name="HR", permissions=json.dumps(write_permissions(said)))
    nubetis_session.edit(house["eva"].user, profile=profile.id)
    nubetis_session.edit(house["D"], owner=house["eva"].user)
    before = belongings(house["eva"], "luis").records
    nubetis_session.edit(house["D"], helper=None)
    assert belongings(house["eva"], "luis").records == before
    nubetis_session.edit(house["D"], helper=house["luis"].user)
    plan = plan_offboarding(house["eva"], "luis", to="pia")
    told = {(each.code, each.record) for each in plan.refusals if each.module == "leads"}
    assert told == {("out_of_sight", None), ("denied", house["E"])}
    assert house["D"] not in {change.record for change in plan.changes}


def test_delegations_end_for_good(nubetis_org, nubetis_session, house):
    """From him and to him; nobody acts for him, or he for anybody, when he is back."""
    admin, luis, eva, pia = nubetis_session, house["luis"], house["eva"], house["pia"]
    luis.apply(plan_delegation(luis, "pia"))
    eva.apply(plan_delegation(eva, "luis"))
    eva.apply(plan_delegation(eva, "pia"))
    assert belongings(admin, "luis").delegations == 2
    operation = admin.apply(plan_offboarding(admin, "luis", to="eva"))
    admin.edit(luis.user, state="active")
    for who, whom in (("pia", "luis"), ("luis", "eva")):
        with refusing("no_delegation", AccessDenied):
            nubetis_org.session(HostSignIn(who), on_behalf_of=whom)
    nubetis_org.session(HostSignIn("pia"), on_behalf_of="eva").close()
    assert pia.can("view", "leads")
    admin.edit(luis.user, state="deactivated")
    admin.undo(operation)
    assert belongings(admin, "luis").delegations == 2


def test_who_manages_users_ends_delegations_and_gives_none(nubetis_org, nubetis_session, house):
    """Neither by changing one nor by taking it out of the recycle bin."""
    admin, eva, pia = nubetis_session, house["eva"], house["pia"]
    managing = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS])
    profile = admin.create("profiles", name="HR", permissions=json.dumps(write_permissions(managing)))
    (hr,) = nubetis_org.people("hr: Desk")
    admin.edit(hr.user, profile=profile.id)
    eva.apply(plan_delegation(eva, "pia"))
    (kept,) = hr.find("delegations")
    with pytest.raises(AccessDenied):
        hr.edit(kept, delegate=hr.user)
    (nobody,) = nubetis_org.people("nobody: Desk")
    nobody.apply(plan_delegation(nobody, "pia"))
    hr.apply(plan_offboarding(hr, "nobody"))
    assert [each.id for each in hr.find("delegations")] == [kept.id]
    hr.delete(kept)
    with pytest.raises((AccessDenied, NotFound)):
        hr.restore(kept.id)
    assert list(pia.find("delegations")) == []


def test_nobody_goes_and_leaves_things_behind(nubetis_session, house):
    """Not when told to skip what is refused: the advice is to name an heir."""
    admin = nubetis_session
    plan = plan_offboarding(admin, "luis")
    assert plan.refusals
    with pytest.raises(NubetisError) as caught:
        admin.apply(plan)
    assert "skip_refused" not in str(caught.value)
    assert "to=" in str(caught.value)
    admin.apply(plan, skip_refused=True)
    assert admin.get(house["luis"].user)["state"] == "active"
    assert admin.get(house["A"])["owner"] == house["luis"].user
