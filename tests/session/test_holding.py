"""Legal holds: what is held is neither erased nor purged, by nobody, and nothing of it is changed by the attempt."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nubetis import F
from nubetis.errors import AccessDenied, InvalidFilter, InvalidValue, NotFound, Refused
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, ME, has
from nubetis.model.kinds import kind
from nubetis.model.schema import Module
from nubetis.session import erasing, past
from nubetis.session.holding import held_by, holds, plan_hold, plan_lift
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.stores import refusing, rows_of


def everything(org):
    """Give all that the store holds, as one text."""
    return json.dumps([rows_of(org, module) for module in org.schema.modules], default=repr)


def hold(session, module="leads", **given):
    """Place a hold; give it."""
    session.apply(plan_hold(session, module, reason="Case 12/2026", **given))
    return holds(session)[-1]


@pytest.fixture
def lead(nubetis_session):
    return nubetis_session.create("leads", name="A", email="ana@acme.pe", company="Acme")


SCOPES = {
    "all": lambda lead: {},
    "filter": lambda lead: {"where": F.company == "acme"},
    "ids": lambda lead: {"records": [lead]},
}


@pytest.mark.parametrize("scope", SCOPES)
def test_what_is_held_is_not_erased_and_nothing_is_changed(nubetis_org, nubetis_session, lead, scope):
    placed = hold(nubetis_session, **SCOPES[scope](lead))
    before = everything(nubetis_org)

    with refusing("legal_hold", Refused) as caught:
        erasing.erase(nubetis_session, lead.id)
    assert caught.value.params == {"id": lead.id, "hold": placed.id}
    assert before == everything(nubetis_org)
    assert held_by(nubetis_session, lead) == placed.id


@pytest.mark.parametrize("scope", SCOPES)
def test_a_hold_that_is_lifted_no_longer_stands_in_the_way_and_undo_puts_it_back(nubetis_session, lead, scope):
    placed = hold(nubetis_session, **SCOPES[scope](lead))
    lifted = nubetis_session.apply(plan_lift(nubetis_session, placed))
    assert (held_by(nubetis_session, lead), holds(nubetis_session)) == (None, [])
    assert [placed.id] == [each.id for each in holds(nubetis_session, over=True)]
    nubetis_session.undo(lifted)

    assert held_by(nubetis_session, lead) == placed.id
    nubetis_session.apply(plan_lift(nubetis_session, placed))
    erasing.erase(nubetis_session, lead.id)
    assert nubetis_session.get(lead.id)["email"] is None


def test_placing_a_hold_is_an_operation_and_can_be_undone(nubetis_session, lead):
    placed = nubetis_session.apply(plan_hold(nubetis_session, "leads", reason="x"))
    nubetis_session.undo(placed)

    assert held_by(nubetis_session, lead) is None
    erasing.erase(nubetis_session, lead.id)


@pytest.mark.parametrize("scope", [{"where": F.company == "other"}, {"records": []}], ids=["filter", "ids"])
def test_what_is_not_of_the_hold_is_erased(nubetis_session, lead, scope):
    other = nubetis_session.create("leads", name="B")
    hold(nubetis_session, **{**scope, **({"records": [other.id]} if "records" in scope else {})})
    hold(nubetis_session, "contacts")

    assert erasing.erase(nubetis_session, lead.id).changes == 1


def test_a_hold_says_who_placed_it_why_on_what_and_since_when(nubetis_session, nubetis_clock, lead):
    until = nubetis_clock() + timedelta(days=30)
    placed = hold(nubetis_session, where=F.company == "acme", records=[lead], until=until)

    assert (placed.reason, placed.module, placed.where) == ("Case 12/2026", "leads", F.company == "acme")
    assert (placed.records, placed.since, placed.until) == ((lead.id,), nubetis_clock(), until)
    assert placed.placed_by == nubetis_session.user


def test_a_hold_is_over_at_its_end(nubetis_session, nubetis_clock, lead):
    hold(nubetis_session, until=nubetis_clock() + timedelta(days=1))
    nubetis_clock.advance(days=1, seconds=-1e-6)
    assert held_by(nubetis_session, lead) is not None
    nubetis_clock.advance(seconds=1e-6)

    assert held_by(nubetis_session, lead) is None


# -- how one might get round it ---------------------------------------------------------------------------------------
def test_a_record_is_not_edited_out_of_a_hold(nubetis_session, nubetis_clock, lead):
    """It fitted at some moment since the hold began."""
    placed = hold(nubetis_session, where=F.company == "acme")
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead.id, company="Other")
    nubetis_session.edit(lead.id, company="Third")

    with refusing("legal_hold", Refused):
        erasing.erase(nubetis_session, lead.id)
    assert held_by(nubetis_session, lead.id) == placed.id


def test_an_edit_in_the_instant_in_which_the_hold_began_does_not_get_out_of_it(nubetis_session, lead):
    """Clocks are coarse, and two writes may have one instant: the record fitted in it."""
    placed = hold(nubetis_session, where=F.company == "acme")
    nubetis_session.edit(lead.id, company="Other")

    assert held_by(nubetis_session, lead.id) == placed.id


def test_what_fitted_before_the_hold_began_is_free_unless_it_reaches_back(nubetis_session, nubetis_clock, lead):
    early = nubetis_clock()
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead.id, company="Other")
    nubetis_clock.advance(days=1)
    hold(nubetis_session, where=F.company == "acme")
    assert held_by(nubetis_session, lead.id) is None
    hold(nubetis_session, where=F.company == "acme", since=early)

    assert held_by(nubetis_session, lead.id) is not None


def test_each_hold_reaches_back_as_far_as_it_says_and_no_farther(nubetis_session, nubetis_clock, lead):
    """One that reaches far back, and fits nothing, lends its reach to no other."""
    early = nubetis_clock()
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead.id, company="Other")
    nubetis_clock.advance(days=1)
    hold(nubetis_session, where=F.company == "nobody", since=early)
    hold(nubetis_session, where=F.company == "acme")

    assert held_by(nubetis_session, lead.id) is None


def test_a_record_in_the_bin_is_held_and_not_purged(nubetis_org, nubetis_session, nubetis_clock, lead):
    other = nubetis_session.create("leads", name="B")
    hold(nubetis_session, where=F.company == "acme")
    nubetis_session.delete(lead.id)
    nubetis_session.delete(other.id)
    nubetis_clock.advance(days=1)

    assert nubetis_org.purge(before=nubetis_clock()) == 1
    assert [lead.id] == [each.id for each in nubetis_session.find("leads", deleted=True)]
    with refusing("legal_hold", Refused):
        erasing.erase(nubetis_session, lead.id)


def test_of_a_purged_record_the_past_is_held_by_its_id_and_by_any_filter(
    nubetis_org, nubetis_session, nubetis_clock, lead
):
    """No filter can be asked of what is gone, so that it stands."""
    nubetis_session.delete(lead.id)
    nubetis_clock.advance(days=1)
    nubetis_org.purge(before=nubetis_clock())
    for scope in ({"records": [lead.id]}, {"where": F.company == "nobody"}):
        placed = hold(nubetis_session, **scope)
        with refusing("legal_hold", Refused):
            erasing.erase(nubetis_session, lead.id)
        nubetis_session.apply(plan_lift(nubetis_session, placed))

    assert erasing.erase(nubetis_session, lead.id).changes == 0


def test_a_hold_in_force_holds_itself(nubetis_session):
    placed = hold(nubetis_session)

    with refusing("legal_hold", Refused):
        erasing.erase(nubetis_session, placed.id, fields=["where"])


def test_a_hold_follows_its_module_and_stands_where_its_filter_can_no_longer_be_asked(nubetis_org, nubetis_session):
    """A rename does not get records out of it, nor does a field that is gone."""
    pets = Module(name="pets", fields=[Field(name=name, type=kind("text"), personal=True) for name in ("name", "race")])
    nubetis_org.add_module(pets)
    pet = nubetis_session.create("pets", name="A", race="cat")
    placed = hold(nubetis_session, "pets", where=F.race == "dog")
    assert held_by(nubetis_session, pet) is None
    nubetis_org.alter(nubetis_org.schema.retire_field("pets", "race"))

    assert held_by(nubetis_session, pet) == placed.id


@pytest.mark.parametrize("drop", ["field", "module"])
def test_a_module_under_a_hold_loses_neither_itself_nor_a_field(nubetis_org, nubetis_session, drop):
    fields = [Field(name=name, type=kind("text")) for name in ("name", "race")]
    nubetis_org.add_module(Module(name="pets", fields=fields))
    nubetis_session.create("pets", name="A", race="cat")
    placed = hold(nubetis_session, "pets")
    nubetis_org.alter(nubetis_org.schema.retire_field("pets", "race"))
    schema = nubetis_org.schema
    smaller = schema.purge_field("pets", "race") if drop == "field" else schema.without_module("pets")

    with refusing("legal_hold", Refused) as caught:
        nubetis_org.alter(smaller)
    assert caught.value.params == {"id": "pets", "hold": placed.id}
    assert nubetis_org.schema == schema
    nubetis_session.apply(plan_lift(nubetis_session, placed))
    nubetis_org.alter(smaller)


def test_a_scope_that_nubetis_did_not_write_is_the_whole_module(nubetis_session, lead):
    """Holds are ordinary records: what an administrator types wrongly into one holds too much, and never too little."""
    number = int(nubetis_session.schema.module("leads").id)
    made = nubetis_session.create(
        "holds", reason="x", module=number, where="no JSON", since=nubetis_session.now(), records='["lea_1"]'
    )

    assert held_by(nubetis_session, lead) == made.id


# -- who, and what not ------------------------------------------------------------------------------------------------
def test_only_administrators_place_lift_and_list_holds(nubetis_org, nubetis_session, lead):
    placed = hold(nubetis_session)
    (ana,) = nubetis_org.people("ana")
    own = ana.create("leads", name="B", email="b@acme.pe")

    for call in (
        lambda: plan_hold(ana, "leads", reason="x"),
        lambda: plan_lift(ana, placed),
        lambda: holds(ana),
        lambda: ana.apply(plan_lift(nubetis_session, placed)),
    ):
        with refusing("denied", AccessDenied):
            call()
    with refusing("legal_hold", Refused):
        erasing.erase(ana, own.id)
    assert held_by(ana, own) == placed.id
    with refusing("not_found", NotFound):
        held_by(ana, lead)


@pytest.mark.parametrize(
    ("given", "code", "error"),
    [
        ({"where": F.owner == ME}, "filter_context", InvalidFilter),
        ({"where": F.nowhere == 1}, "unknown_field", NotFound),
        ({"records": ["lea_0000000000001W"]}, "not_found", NotFound),
        ({"records": ["con_0000000000001W"]}, "not_found", NotFound),
        ({"module": "changes"}, "bad_argument", InvalidValue),
    ],
)
def test_a_hold_that_cannot_be_is_refused_when_it_is_planned(nubetis_session, given, code, error):
    with refusing(code):
        plan_hold(nubetis_session, **{"module": "leads", "reason": "x", **given})


def test_a_hold_ends_after_it_begins_and_only_once(nubetis_session, nubetis_clock):
    with refusing("bad_argument", InvalidValue):
        plan_hold(nubetis_session, "leads", reason="x", until=nubetis_clock())
    placed = hold(nubetis_session)
    nubetis_session.apply(plan_lift(nubetis_session, placed))
    with refusing("bad_argument", InvalidValue):
        plan_lift(nubetis_session, placed.id)
    with refusing("not_found", NotFound):
        plan_lift(nubetis_session, nubetis_session.create("leads", name="A").id)


def test_a_hold_does_not_keep_records_from_being_worked_with(nubetis_session, lead):
    """They are edited, deleted, restored and merged as before: all of that can be taken back."""
    hold(nubetis_session)
    nubetis_session.edit(lead.id, name="B")
    nubetis_session.delete(lead.id)
    nubetis_session.restore(lead.id)
    nubetis_session.apply(nubetis_session.plan_delete("leads", EVERYTHING))
    nubetis_session.undo(past.operations(nubetis_session, limit=1)[0])

    assert nubetis_session.get(lead.id)["name"] == "B"


# -- whatever is done ------------------------------------------------------------------------------------------------
ACTS = st.lists(
    st.tuples(st.sampled_from(["edit", "delete", "restore", "undo", "hold", "lift"]), st.booleans()), max_size=9
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS)
def test_a_record_is_erased_just_when_no_hold_that_it_ever_fitted_is_in_force(acts):
    """A model in Python says what is held; where it is, the attempt leaves the store as it was, to the byte."""
    clock = FixedClock()
    with make_org(clock=clock) as org, org.administrator() as session:
        record, held = _played(session, clock, acts)
        before = everything(org)
        with refusing("legal_hold", Refused) if held else nullcontext():
            erasing.erase(session, record, fields=["email"])

        after = everything(org)
        assert (after == before, EMAIL in after) == (held, held)


EMAIL = "canary@acme.pe"


def _played(session, clock, acts):
    """Do *acts* to a lead, of *acme* or not; say whether it fitted the hold that is in force while that was."""
    record = session.create("leads", name="A", email=EMAIL, company="other").id
    company, gone, placed, fitted = "other", False, None, False
    for act, acme in acts:
        clock.advance(hours=1)
        if act == "edit" and not gone:
            company = "acme" if acme else "other"
            session.edit(record, company=company, description=str(clock()))
        elif act == "undo" and not gone:
            session.undo(session.edit(record, company="acme") and past.operations(session, limit=1)[0])
            fitted = fitted or placed is not None
        elif act == "delete" and not gone:
            session.delete(record)
            gone = True
        elif act == "restore" and gone:
            session.restore(record)
            gone = False
        elif act == "hold" and placed is None:
            placed, fitted = hold(session, where=F.company == "acme"), False
        elif act == "lift" and placed is not None:
            session.apply(plan_lift(session, placed))
            placed = None
        fitted = fitted or company == "acme"
    return record, placed is not None and fitted


@pytest.mark.parametrize("name", ["since", "until"])
def test_an_instant_of_a_hold_has_its_zone(nubetis_session, nubetis_clock, name):
    with refusing("bad_datetime", InvalidValue):
        plan_hold(nubetis_session, "leads", reason="Case", **{name: nubetis_clock.now.replace(tzinfo=None)})


@pytest.mark.parametrize(
    "where",
    [
        F.account.linked(F.industry == "mining"),
        ~F.account.linked(F.industry == "mining") & (F.last_name == "Ríos"),
        has("deals", via="contact"),
    ],
    ids=["linked", "not linked", "has"],
)
def test_a_hold_does_not_look_at_linked_records(nubetis_session, where):
    """Who changed or deleted those would get the record out of the hold."""
    with refusing("filter_value", InvalidFilter) as caught:
        plan_hold(nubetis_session, "contacts", where=where, reason="Case")
    assert "by their ids" in str(caught.value)


@pytest.mark.parametrize("asked", [True, False])
def test_a_hold_that_looks_at_what_was_erased_stands(nubetis_session, nubetis_clock, lead, asked):
    """Whether the record fitted nobody can tell; one that looks at other fields can be asked."""
    since = nubetis_clock.now
    nubetis_clock.advance(hours=1)
    erasing.erase(nubetis_session, lead.id, fields=["email"])
    nubetis_clock.advance(hours=1)
    where = F.email == "ana@acme.pe" if asked else F.company == "none of these"
    placed = hold(nubetis_session, where=where, since=since)

    assert held_by(nubetis_session, lead.id) == (placed.id if asked else None)


def test_a_hold_on_no_records_is_not_one_on_all(nubetis_session, lead):
    """Who computed the list and found nothing did not mean everything."""
    with refusing("bad_argument", InvalidValue) as caught:
        plan_hold(nubetis_session, "leads", records=[], reason="Case")
    assert caught.value.params["argument"] == "records"


@pytest.mark.parametrize("where", [F.email == "eva@acme.pe", F.email.is_empty() & (F.company == "acme")])
def test_an_erasure_puts_nothing_under_a_hold_that_was_there(nubetis_session, nubetis_clock, lead, where):
    """It had looked: what was erased is known not to have been held, and may be erased again, and purged."""
    hold(nubetis_session, where=where)
    nubetis_clock.advance(hours=1)
    nubetis_session.edit(lead.id, email="ana@otra.pe", company="Other")
    nubetis_clock.advance(hours=1)
    erasing.erase(nubetis_session, lead.id, fields=["email"])

    assert held_by(nubetis_session, lead.id) is None
    erasing.erase(nubetis_session, lead.id)


def test_what_fitted_after_the_erasure_is_held(nubetis_session, nubetis_clock, lead):
    placed = hold(nubetis_session, where=F.email == "eva@acme.pe")
    nubetis_clock.advance(hours=1)
    erasing.erase(nubetis_session, lead.id, fields=["email"])
    for email in ("eva@acme.pe", "other@acme.pe"):
        nubetis_clock.advance(hours=1)
        nubetis_session.edit(lead.id, email=email)

    assert held_by(nubetis_session, lead.id) == placed.id


def test_a_hold_that_was_changed_since_the_erasure_may_have_had_another_filter_then(
    nubetis_session, nubetis_clock, lead
):
    placed = hold(nubetis_session, where=F.email == "eva@acme.pe")
    nubetis_clock.advance(hours=1)
    erasing.erase(nubetis_session, lead.id, fields=["email"])
    nubetis_session.edit(placed.id, reason="Case 13/2026")

    assert held_by(nubetis_session, lead.id) == placed.id
