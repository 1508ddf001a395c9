"""The decision: how far one has a record, by which grants, which gates were looked at, and what is missing."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F
from nubetis.access.decision import Action, Granted, Lack, Reason
from nubetis.access.permissions import STANDARD, FieldLevel, Permissions, write_permissions
from nubetis.access.sharing import NEEDED, Level
from nubetis.errors import NotFound
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, period
from nubetis.model.kinds import kind
from nubetis.session.explaining import explain_for
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule, share
from tests.access.test_previewing import records, shuffle, staff
from tests.stores import permit_all, refusing

__all__ = ["records", "staff"]


@pytest.mark.parametrize("again", range(3))
def test_what_is_decided_of_one_record_is_what_lists_and_plans_say(nubetis_session, staff, records, rng, again):
    """For each user, module and level: the pages of find, what may be edited, what may be deleted."""
    permit_all(nubetis_session)
    shuffle(nubetis_session, rng, records)
    for session in staff.values():
        for module in ("accounts", "contacts"):
            lists = {
                "view": {each.id for each in session.find(module, limit=100)},
                "edit": {each.record for each in session.plan_update(module, EVERYTHING, description="x").changes},
                "delete": {each.record for each in session.plan_delete(module, EVERYTHING).changes},
            }
            for record in records:
                if record.module == module:
                    told = {name: session.can(name, record.id) for name in lists}
                    assert told == {name: record.id in found for name, found in lists.items()}
                    agrees(session, record)


def agrees(session, record):
    """Hold level, grants, gates and reasons of a decision to each other, and the explanation to the decision."""
    for action in Action:
        if not session.can("view", record.id):
            with refusing("not_found", NotFound):
                session.decide(action, record.id)
            continue
        found, needed = session.decide(action, record.id), NEEDED.get(action, Level.NONE)
        assert found.allowed == session.can(action, record) == all(each.matched for each in found.gates)
        assert found.level == max(each.level for each in found.grants)
        assert found.allowed == (found.level >= needed and found.gates[-2].matched)
        assert bool(found.missing) != found.allowed
        told = session.explain(action, record.id)
        assert told.decision == found
        assert not found.allowed or {*found.reasons} <= {each.reason for each in told.steps if each.matched}


def test_the_parts_of_a_decision(nubetis_org, nubetis_session, staff):
    """An owner; one to whom a rule gives less; one whose profile permits less."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "lima", "leads", where=F.company == "Lima", target="pia"))
    lead = staff["ana"].create("leads", name="X", company="Lima")
    own, pia = staff["ana"].decide("edit", lead), staff["pia"].decide("edit", lead)
    assert (own.level, own.grants) == (Level.DELETE, (Granted(Reason.OWNER, Level.DELETE),))
    assert [(each.name, each.matched) for each in own.gates] == [("user", True), ("profile", True), ("grant", True)]
    assert (pia.allowed, pia.level, pia.grants) == (False, Level.READ, (Granted(Reason.CRITERIA, Level.READ, "lima"),))
    assert (pia.missing, pia.reasons) == ((Lack(Reason.SHORT, "write"),), (Reason.SHORT,))
    less = admin.create(
        "profiles", name="Less", permissions=json.dumps(write_permissions(Permissions(default=[Action.VIEW])))
    )
    admin.edit(staff["ana"].user, profile=less.id)
    own = staff["ana"].decide("edit", lead)
    assert (own.allowed, own.level, own.missing) == (False, Level.DELETE, (Lack(Reason.PROFILE, "edit"),))
    assert [each.name for each in own.gates] == ["user", "profile"]
    assert staff["ana"].decide("create", "users").missing == (Lack(Reason.PROFILE, "manage_users"),)


def test_a_decision_names_what_one_only_reads_and_nothing_that_is_hidden(nubetis_org, nubetis_session, staff):
    """Who explains the access of others is told of both."""
    leads = nubetis_org.schema.module("leads")
    said = {
        (leads.id, leads.field("company").id): FieldLevel.READ,
        (leads.id, leads.field("phone").id): FieldLevel.HIDDEN,
    }
    kept = json.dumps(write_permissions(attrs.evolve(STANDARD, fields=said)))
    nubetis_session.edit(nubetis_session.find("profiles", F.name == "Standard")[0], permissions=kept)
    lead = staff["ana"].create("leads", name="X")
    assert staff["ana"].decide("edit", lead).fields == {"company": FieldLevel.READ}
    assert "phone" not in repr(staff["ana"].explain("edit", lead))
    told = explain_for(nubetis_session, "ana", "edit", lead).decision
    assert told.fields == {"company": FieldLevel.READ, "phone": FieldLevel.HIDDEN}


def test_a_number_that_nubetis_gives_is_only_read(nubetis_org, nubetis_session):
    """By administrators, too; a field that came since the session began is there."""
    lead = nubetis_session.create("leads", name="X")
    assert nubetis_session.decide("edit", lead).fields == {}
    nubetis_org.add_field("leads", Field(name="number", type=kind("auto_number")))
    for session in (nubetis_session, nubetis_org.system("testing")):
        assert session.decide("edit", lead.id).fields == {"number": FieldLevel.READ}


def test_a_rule_that_hangs_on_time_is_judged_anew(nubetis_session, nubetis_clock, staff):
    """A record that was made in the last two days, and then no longer."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "new", "leads", where=F.created_at.in_(period("last", "day", 2)), target="pia"))
    lead = staff["ana"].create("leads", name="X")
    assert staff["pia"].can("view", lead.id)
    nubetis_clock.advance(days=5)
    assert not staff["pia"].can("view", lead.id)
    assert lead.id not in {each.id for each in staff["pia"].find("leads")}


def test_a_decision_follows_what_the_unit_has_done(nubetis_session, staff):
    """A share that was made, and one that was taken back."""
    lead = staff["ana"].create("leads", name="X")

    def work(session):
        assert session.can("view", lead.id)
        session.edit(lead, owner="pia")
        assert not session.can("view", lead.id)

    staff["ana"].unit(work)
    assert staff["pia"].can("delete", lead.id)


def test_an_explanation_shows_the_way(nubetis_session, staff):
    """Down the tree from the user to the owner; through which group a rule comes."""
    admin = nubetis_session
    lead = staff["ana"].create("leads", name="X")
    assert "Eva > Lead > Rep > Ana" in str(staff["eva"].explain("view", lead))
    admin.apply(plan_group(admin, "Inner", ["role Office"]))
    admin.apply(plan_group(admin, "Front", ["tom", "group Inner"]))
    admin.apply(plan_share_rule(admin, "front", "leads", source="role Rep", target="group Front", superiors=True))
    assert (
        "rule front: a sharing rule gives the owner's records (through group Front > group Inner > role Office)"
        in str(staff["pia"].explain("view", lead))
    )
    share(admin, lead, "tom", level="write", superiors=True)
    assert "(with Tom, as one above)" in str(staff["pia"].explain("edit", lead))


def test_a_long_way_is_cut_in_its_middle(nubetis_org, nubetis_session):
    lines = ["p0: R0", *[f"p{at}: R{at} < p{at - 1}" for at in range(1, 8)]]
    *_, last = people = list(nubetis_org.people(*lines))
    told = str(people[0].explain("view", last.create("leads", name="X")))
    assert "P0 > R1 > … > R7 > P7" in told


def test_the_nearest_misses(nubetis_session, nubetis_clock, staff):
    """Of each kind, in the order of how near they are."""
    admin = nubetis_session
    lead = staff["ana"].create("leads", name="X")
    admin.apply(plan_share_rule(admin, "read", "leads", source="ana", target="pia"))
    admin.apply(plan_share_rule(admin, "eva's", "leads", source="eva", target="pia", level="write"))
    admin.apply(plan_share_rule(admin, "lima", "leads", where=F.company == "Lima", target="pia", level="write"))
    admin.apply(plan_share_rule(admin, "others", "leads", source="ana", target="tom", level="write"))
    until = admin.now() + timedelta(hours=1)
    share(admin, lead, "pia", level="write", until=until)
    nubetis_clock.advance(hours=2)
    found = explain_for(admin, "pia", "edit", lead).misses
    assert found == (
        "rule read gives read", f"the share with Pia ended at {found[1].rpartition(' ')[2]}",
        "rule eva's would apply if the owner were Eva", "rule lima would apply if company = Lima",
        "rule others gives it to Tom", "hierarchy would apply if the owner were below role Office",
    )  # fmt: skip


def test_a_miss_names_no_value_of_a_field_that_the_asker_may_not_read(nubetis_org, nubetis_session, staff):
    """Though he may explain the access of others."""
    from nubetis.access.permissions import Function

    admin, leads = nubetis_session, nubetis_org.schema.module("leads")
    admin.apply(plan_share_rule(admin, "secret", "leads", where=F.company == "Lima", target="pia"))
    less = attrs.evolve(
        STANDARD, functions=[Function.EXPLAIN_ACCESS],
        fields={(leads.id, leads.field("company").id): FieldLevel.HIDDEN},
    )  # fmt: skip
    profile = admin.create("profiles", name="L", permissions=json.dumps(write_permissions(less)))
    admin.edit(staff["ana"].user, profile=profile.id)
    lead = staff["ana"].create("leads", name="X")
    told = explain_for(staff["ana"], "pia", "view", lead)
    assert "secret" not in str(told)
    assert "Lima" not in str(told)
    assert "company" not in told.decision.fields


def test_who_has_everything_of_a_module_has_it_by_default(nubetis_session, staff):
    nubetis_session.apply(plan_default(nubetis_session, "leads", level="write"))
    lead = staff["ana"].create("leads", name="X")
    assert staff["pia"].decide("edit", lead).grants == (Granted(Reason.DEFAULT, Level.WRITE),)
