"""An explanation says what the decision says, and why; what nearly was enough is for those who may know the rules."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F
from nubetis.access.decision import Reason
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.access.sharing import NEEDED
from nubetis.errors import AccessDenied, NotFound
from nubetis.session.explaining import explain_for
from nubetis.session.sharing import plan_default, plan_share_rule, share
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    lines = ("eva: Head", "luis: Lead < eva", "ana: Rep < luis", "pia: Office")
    found = dict(zip(("eva", "luis", "ana", "pia"), nubetis_org.people(*lines), strict=True))
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "lima", "leads", where=F.company == "Lima", target="pia"))
    admin.apply(plan_share_rule(admin, "front", "leads", source="role Lead+", target="pia", superiors=True))
    return found


def test_another_user_is_explained_as_he_would_be_to_himself(nubetis_session, staff):
    """Decision and steps are those of his own session, for each action, seen or not."""
    records = [staff["ana"].create("leads", name="X", company="Lima"), staff["eva"].create("leads", name="Y")]
    share(staff["eva"], records[1], "luis", level="write")
    for name, session in staff.items():
        for record in records:
            for action in NEEDED:
                told = explain_for(nubetis_session, name, action, record)
                assert told.decision.allowed == session.can(action, record.id)
                if session.can("view", record.id):
                    own = session.explain(action, record)
                    assert (told.decision, told.steps) == (own.decision, own.steps)
                if told.decision.allowed:
                    assert any(step.matched for step in told.steps[1:]) or told.steps[0].matched
                else:
                    assert told.decision.reasons in {(Reason.NO_GRANT,), (Reason.SHORT,), (Reason.PROFILE,)}


def test_a_step_names_the_rule(nubetis_session, staff):
    lead = staff["ana"].create("leads", name="X")
    told = explain_for(nubetis_session, "pia", "view", lead)
    assert [step.name for step in told.steps if step.matched] == ["user", "profile", "rule front"]
    assert "rule front" in str(told)


def test_what_nearly_was_enough_is_named(nubetis_session, staff):
    """A grant that does not go so far; a rule whose values the record has not."""
    lead = staff["ana"].create("leads", name="X")
    assert explain_for(nubetis_session, "pia", "edit", lead).misses[0] == "rule front gives read"
    other = staff["eva"].create("leads", name="Y")
    misses = explain_for(nubetis_session, "pia", "view", other).misses
    assert "rule lima would apply if company = Lima" in misses
    assert "would apply if" in str(explain_for(nubetis_session, "pia", "view", other))


def test_what_does_not_hold_reads_as_a_no(nubetis_session, staff):
    """And what holds and goes not so far as one asks is told as it stands."""
    nubetis_session.apply(plan_default(nubetis_session, "leads", level="read"))
    lead = staff["ana"].create("leads", name="X", company="Lima")
    told = str(explain_for(nubetis_session, "pia", "edit", lead)).splitlines()
    assert "  · owner: the user does not own the record" in told
    assert "  · share: the record is not shared with the user" in told
    assert "  · default: everybody has the records of this module (gives read)" in told
    for step in explain_for(nubetis_session, "pia", "delete", lead).steps:
        denied = " not " in step.sentence or " only " in step.sentence
        assert denied is not (step.matched or step.short)


def test_one_does_not_learn_of_rules_by_asking_for_oneself(nubetis_session, staff):
    """Who may explain access does."""
    lead = staff["ana"].create("leads", name="X")
    assert staff["pia"].explain("edit", lead).misses == ()
    more = attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS])
    profile = nubetis_session.create("profiles", name="More", permissions=json.dumps(write_permissions(more)))
    nubetis_session.edit(staff["pia"].user, profile=profile.id)
    assert staff["pia"].explain("edit", lead).misses[0] == "rule front gives read"
    assert explain_for(staff["pia"], "eva", "view", lead).decision.allowed


def test_others_are_explained_to_those_only_who_may_explain_access(nubetis_session, staff):
    lead = staff["ana"].create("leads", name="X")
    with refusing("denied", AccessDenied):
        explain_for(staff["luis"], "ana", "view", lead)
    with refusing("unknown_user", NotFound):
        explain_for(nubetis_session, "nobody", "view", lead)
    nubetis_session.edit(staff["ana"].user, state="suspended")
    assert explain_for(nubetis_session, "ana", "view", lead).decision.reasons == (Reason.INACTIVE,)


def test_a_module_is_explained_by_its_gate(nubetis_session, staff):
    nubetis_session.apply(plan_default(nubetis_session, "leads", level="write"))
    assert explain_for(nubetis_session, "pia", "create", "leads").decision.allowed
    assert explain_for(nubetis_session, "pia", "create", "users").decision.reasons == (Reason.PROFILE,)
