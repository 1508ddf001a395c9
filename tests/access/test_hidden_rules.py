"""Rules that ask for a field which one may not read: neither it nor whether it holds is told or probed."""

from __future__ import annotations

import json
import re

import attrs
import pytest

from nubetis import F
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.errors import NotFound, Refused
from nubetis.session.advising import advise
from nubetis.session.explaining import explain_for
from nubetis.session.past import as_of, history, module_as_of
from nubetis.session.previewing import preview
from nubetis.session.shared import share_rules
from nubetis.session.sharing import plan_default, plan_share_rule
from nubetis.session.snapshots import access_snapshot
from tests.stores import refusing

FUNCTIONS = [Function.MANAGE_SHARING, Function.EXPLAIN_ACCESS]


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Max manages the sharing and may not read phones; one rule gives Pia whoever has a number."""
    admin = nubetis_session
    found = dict(zip(("max", "pia", "tom"), nubetis_org.people("max: Ops", "pia: Office", "tom: Desk"), strict=True))
    contacts = admin.schema.module("contacts")
    less = attrs.evolve(
        STANDARD, functions=FUNCTIONS, fields={(contacts.id, contacts.field("phone").id): FieldLevel.HIDDEN}
    )
    profile = admin.create("profiles", name="Ops", permissions=json.dumps(write_permissions(less)))
    admin.edit(found["max"].user, profile=profile.id)
    admin.apply(plan_default(admin, "leads", level="read"))
    admin.apply(plan_default(admin, "contacts", level="read"))
    admin.apply(plan_share_rule(admin, "all", "contacts", source="everybody", target="max", level="delete"))
    admin.apply(plan_share_rule(admin, "numbered", "contacts", where=F.phone == "+51999", target="pia", level="write"))
    admin.apply(plan_share_rule(admin, "named", "contacts", where=F.last_name == "Rey", target="pia", level="write"))
    return found


def rule(session, name):
    return session.find("sharing_rules", F.name == name)[0]


def test_who_may_not_read_the_field_has_not_the_rule(nubetis_session, staff):
    """On each road to the records of rules; on or off."""
    hidden, own = rule(nubetis_session, "numbered"), staff["max"]
    assert [each.name for each in share_rules(own)] == ["all", "named"]
    for _ in ("on", "off"):
        assert [each["name"] for each in own.find("sharing_rules", F.where == hidden["where"])] == []
        assert not own.can("view", hidden.id)
        assert not own.can("edit", hidden.id)
        assert not own.can("delete", hidden.id)
        nubetis_session.edit(hidden.id, active=False)
    assert "numbered" in {each.name for each in share_rules(nubetis_session)}


def test_an_explanation_tells_of_no_such_rule(nubetis_session, staff):
    """Two contacts that differ in what is hidden alone are explained alike, but for what the decision itself says."""
    with_it, without = [nubetis_session.create("contacts", last_name="X", phone=each) for each in ("+51999", "+51000")]
    for contact in (with_it, without):
        for user in ("tom", "pia"):
            told = explain_for(staff["max"], user, "edit", contact)
            assert "numbered" not in str(told)
            assert "numbered" not in str(told.decision)
    one, other = [explain_for(staff["max"], "tom", "edit", each) for each in (with_it, without)]
    assert (one.steps, one.misses) == (other.steps, other.misses)
    assert "rule numbered gives it to Pia" in explain_for(nubetis_session, "tom", "edit", with_it).misses


def test_a_step_that_is_told_has_no_name(nubetis_session, staff):
    contact = nubetis_session.create("contacts", last_name="X", phone="+51999")
    told = explain_for(staff["max"], "pia", "edit", contact)
    assert told.decision.allowed
    assert [step.name for step in told.steps if step.matched][-1] == "criteria"
    assert "criteria numbered" in [step.name for step in explain_for(nubetis_session, "pia", "edit", contact).steps]


PROBES = [F.phone == "+51999", ~F.phone.contains("9"), (F.last_name == "X") | F.phone.is_empty()]


@pytest.mark.parametrize("where", PROBES, ids=["equal", "not", "or"])
def test_nobody_makes_a_rule_that_asks_for_what_he_may_not_read(staff, where):
    """As of a field that there is not; nor is it looked at before."""
    session = staff["max"]
    plan = plan_share_rule(session, "probe", "contacts", where=where, target="tom")
    for act in (session.apply, lambda plan: preview(session, plan)):
        with refusing("bad_sharing", Refused) as caught:
            act(plan)
    unknown = plan_share_rule(session, "probe", "contacts", where=F.nophone == "+51999", target="tom")
    with refusing("bad_sharing", Refused) as other:
        session.apply(unknown)
    assert re.sub("(?<=[a-z] )phone", "nophone", said(caught)) == said(other)


def said(caught):
    """Give what is said, without the rule's id and what may be meant."""
    return re.sub("sru_[0-9A-Z]+|Did you mean .*", "", str(caught.value)).rstrip(". ?")


def test_nor_changes_one_into_it(nubetis_session, staff):
    """Nor makes it while it is off; what he may read he changes as before."""
    session = staff["max"]
    own, text = rule(session, "named"), str(rule(nubetis_session, "numbered")["where"])
    with refusing("bad_sharing", Refused):
        session.edit(own, where=text)
    values = {each: own[each] for each in ("module", "target", "level")}
    with refusing("bad_sharing", Refused):
        session.create("sharing_rules", name="off", where=text, active=False, **values)
    session.edit(own, active=False)
    assert session.edit(own.id, name="by name")["name"] == "by name"


def test_a_snapshot_has_no_digest_to_try_values_against(nubetis_session, staff):
    assert access_snapshot(staff["max"]).rules["numbered"]["where"] == {"fields": [], "digest": None}
    assert access_snapshot(staff["max"]).rules["named"]["where"]["digest"] is not None


def test_advice_is_of_what_one_may_read(nubetis_session, staff):
    assert "numbered" in str(advise(nubetis_session))
    assert "numbered" not in str(advise(staff["max"]))
    assert "phone" not in str(advise(staff["max"]))


def test_what_a_rule_asked_for_once_is_as_hidden(nubetis_session, staff, nubetis_clock):
    """Where it asks for something else by now, its life goes on without what it asked for; then it was not there."""
    own, changed = staff["max"], rule(nubetis_session, "numbered")
    text, before = str(rule(nubetis_session, "named")["where"]), own.now()
    nubetis_clock.advance(minutes=1)
    nubetis_session.edit(changed.id, where=text)
    nubetis_session.edit(changed.id, where=text.replace("Rey", "Paz"), level="read")
    told = history(own, changed)
    assert "phone" not in repr(told)
    assert [["level", "where"], ["active", "level", "module", "name", "superiors", "target"]] == [
        sorted({*each.after} - {"owner"}) for each in told
    ]  # fmt: skip
    assert "numbered" not in {each["name"] for each in module_as_of(own, "sharing_rules", before)}
    with refusing("not_found", NotFound):
        as_of(own, changed, before)
    assert "+51999" in repr(history(nubetis_session, changed))
    assert "+51999" in str(as_of(nubetis_session, changed, before)["where"])
