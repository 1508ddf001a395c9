"""Who manages retention and is no administrator learns by it nothing that he may not read, and deletes nothing else."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.errors import AccessDenied, InvalidFilter, NotFound
from nubetis.model.convert import to_json
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING, Compare, Has, has, keywords
from nubetis.session.holding import holds, plan_hold
from nubetis.session.retaining import plan_retention, plan_rule, rules
from nubetis.session.sharing import plan_default
from tests.stores import refusing

PHONE = F.phone == "+51999111222"


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Max manages retention and may not read phones."""
    found = dict(zip(("max", "ana"), nubetis_org.people("max: Ops", "ana: Rep"), strict=True))
    contacts = nubetis_session.schema.module("contacts")
    said = attrs.evolve(
        STANDARD, functions=[Function.MANAGE_RETENTION],
        fields={(contacts.id, contacts.field("phone").id): FieldLevel.HIDDEN},
    )  # fmt: skip
    profile = nubetis_session.create("profiles", name="Ops", permissions=json.dumps(write_permissions(said)))
    nubetis_session.edit(found["max"].user, profile=profile.id)
    return found


def raw(session, module, where=PHONE):
    """Give the values of a hold or rule as they are kept, without the call that makes one."""
    both = {"module": int(session.schema.module("contacts").id), "where": json.dumps(to_json(where))}
    if module == "holds":
        return {**both, "reason": "r", "since": session.now()}
    return {**both, "name": "n", "days": 1, "action": "bin", "stage": "live"}


@pytest.mark.parametrize("module", ["holds", "retention_rules"])
def test_nobody_asks_for_values_that_he_may_not_read(nubetis_session, staff, module):
    """By the call or by the record itself; and does not see what others ask for."""
    kept = nubetis_session.create(module, **raw(nubetis_session, module))
    whole = {**raw(nubetis_session, module), "where": None, "reason": "all", "name": "all"}
    other = nubetis_session.create(
        module, **{k: v for k, v in whole.items() if k in nubetis_session.schema.module(module).layout.slots}
    )
    own = staff["max"]
    number = nubetis_session.schema.module("contacts").field("phone").id
    by_number = Compare(f"#{number}", Operator.EQ, "+51999111222")
    for where in (PHONE, ~PHONE, by_number):
        with refusing(*(("denied", AccessDenied) if where is by_number else ("unknown_field", NotFound))):
            own.create(
                module, **{**raw(own, module, where), "name": "his"} if module != "holds" else raw(own, module, where)
            )
    assert [each.id for each in own.find(module)] == [other.id]
    with refusing("not_found", NotFound):
        own.get(kept.id)
    found = holds(own) if module == "holds" else rules(own)
    assert [each.id for each in found] == [other.id]
    with refusing("unknown_field", InvalidFilter):
        if module == "holds":
            plan_hold(own, "contacts", where=PHONE, reason="r")
        else:
            plan_rule(own, "contacts", name="n", days=1, where=PHONE)


@pytest.mark.parametrize("where", [F.last_name == "Rey", F.account.linked(F.name == "Acme"), EVERYTHING])
def test_what_he_may_read_he_may_ask_for(nubetis_session, staff, where):
    """Also in the module of which a field is hidden from him; and sees it, whoever made it."""
    own = staff["max"]
    own.apply(plan_rule(own, "contacts", name="his", days=2, where=where))
    if where != F.account.linked(F.name == "Acme"):  # a hold looks at the record alone
        own.apply(plan_hold(own, "contacts", where=where, reason="his"))
        assert [(each.reason, each.where) for each in holds(own)] == [("his", where)]
    nubetis_session.apply(plan_rule(nubetis_session, "contacts", name="hers", days=2, where=where))
    assert [each.name for each in rules(own)] == ["his", "hers"]
    assert [each.where for each in rules(own)] == [where, where]


@pytest.mark.parametrize(
    "where",
    [PHONE, PHONE & (F.last_name == "x"), ~PHONE, has("contacts", via="account", where=PHONE), keywords("51999")],
)
def test_however_it_is_asked_for(nubetis_session, staff, where):
    """Within other conditions, from another module, or by words that are looked for everywhere."""
    module = "accounts" if isinstance(where, Has) else "contacts"
    nubetis_session.apply(plan_rule(nubetis_session, module, name="hush", days=2, where=where))
    assert rules(staff["max"]) == []


@pytest.mark.parametrize("action", ["bin", "purge"])
def test_a_plan_is_of_records_that_one_may_delete(nubetis_session, nubetis_clock, staff, action):
    """Of the others it tells neither ids nor how many fit."""
    nubetis_session.apply(plan_rule(nubetis_session, "leads", name="old", days=1, action=action, stage="live"))
    hers, his = staff["ana"].create("leads", name="Hers"), staff["max"].create("leads", name="His")
    nubetis_clock.advance(days=2)
    plan = plan_retention(staff["max"])
    assert ([each.record for each in plan.changes], plan.refusals, plan.warnings) == ([his.id], (), ())
    nubetis_session.apply(plan_default(nubetis_session, "leads", level="read"))
    assert [each.record for each in plan_retention(staff["max"]).changes] == [his.id]
    assert {each.record for each in plan_retention(nubetis_session).changes} == {hers.id, his.id}


def test_links_lead_to_what_one_sees(nubetis_session, nubetis_clock, staff):
    """A rule on what one's record is linked to does not tell of that, where it is out of sight or its field hidden."""
    admin, own = nubetis_session, staff["max"]
    admin.apply(plan_default(admin, "deals", level="delete"))
    hers = staff["ana"].create("contacts", last_name="Rey")
    admin.edit(hers.id, phone="+51999111222")
    deal = admin.create("deals", name="D", contact=hers.id)
    own.apply(plan_rule(own, "deals", name="linked", days=1, where=F.contact.linked(F.last_name == "rey")))
    nubetis_clock.advance(days=2)
    assert own.count("deals", F.contact.linked(F.last_name == "rey")) == 0
    assert list(plan_retention(own).changes) == []
    assert [each.record for each in plan_retention(admin).changes] == [deal.id]
    kept = {"module": int(admin.schema.module("deals").id), "where": json.dumps(to_json(F.contact.linked(PHONE)))}
    with refusing("unknown_field", NotFound):
        own.create("retention_rules", name="n", days=1, action="bin", stage="live", **kept)
    with refusing("filter_value", InvalidFilter):
        plain = json.dumps(to_json(F.contact.linked(F.last_name == "rey")))
        own.create("holds", reason="r", since=own.now(), **{**kept, "where": plain})
    admin.apply(plan_rule(admin, "deals", name="hers", days=1, where=F.contact.linked(PHONE)))
    assert [each.name for each in rules(own)] == ["linked"]


def test_a_record_out_of_sight_is_held_no_more_than_one_that_never_was(nubetis_session, staff):
    hers = staff["ana"].create("leads", name="Hers")
    gone = staff["ana"].create("leads", name="Gone")
    nubetis_session.delete(gone)
    for name in (hers.id, gone.id, staff["max"].user.replace("use", "lea")):
        with refusing("not_found", NotFound):
            plan_hold(staff["max"], "leads", records=[name], reason="r")
    assert len(plan_hold(nubetis_session, "leads", records=[hers.id, gone.id], reason="r"))


def test_definitions_are_for_those_who_manage_modules(nubetis_session, staff):
    """They say of hidden fields, too, what they are called and what they may hold."""
    assert all("definition" not in each for each in staff["max"].find("modules"))
    with refusing("unknown_field", InvalidFilter):
        staff["max"].find("modules", F.definition.contains("phone"))
    assert all("definition" in each for each in nubetis_session.find("modules"))
