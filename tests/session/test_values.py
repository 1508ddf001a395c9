"""What may be written, and what is refused whatever road it comes by."""

from __future__ import annotations

import pytest

from nubetis import F, Field, HostSignIn, Module, Money
from nubetis.errors import Conflict, InvalidFilter, InvalidValue, NotFound, NubetisError
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.model.schema import ValidationRule
from nubetis.model.text import parse
from nubetis.session.past import operations
from tests.stores import SYSTEM, refusing, state_of

HOSTILE = [
    "'; DROP TABLE leads; --", '"', "\\", "%", "_", "{name}", "%s", "${x}", "<script>", "=1+1",
    "ñandú", "İı", "a\u0301",
    "\u202eevil", "\ufeff", "🙂👩‍👩‍👧", "\U0010ffff", " lead ", "NULL", "None", "0", "\t\n\r", "x" * 250,
]  # fmt: skip
ROADS = {
    "create": lambda s, lead, values: s.create("leads", {"name": "X", **values}),
    "edit": lambda s, lead, values: s.edit(lead, values),
    "plan_create": lambda s, lead, values: s.apply(s.plan_create("leads", [{"name": "X", **values}])),
    "plan_update": lambda s, lead, values: s.apply(s.plan_update("leads", EVERYTHING, values)),
    "plan_edits": lambda s, lead, values: s.apply(s.plan_edits("leads", {lead.id: values})),
}


UNKNOWN = ("nmae", "", "id; --", "__class__", "name__f", "é", "tags.x")
UNHOLDABLE = ("\0", "a\0b", "\ud800")
FAULTY = (
    ("name", 7, "wrong_type"), ("name", "x" * 256, "too_long"), ("name", b"x", "wrong_type"),
    ("name", None, "required"),
    ("email", "ana", "bad_email"), ("website", "javascript:alert(1)", "bad_url"), ("phone", "abc", "bad_phone"),
    ("status", "nwe", "unknown_choice"), ("email_opt_out", 1, "wrong_type"), ("tags", "x", "wrong_type"),
    ("owner", "nobody@acme.pe", "no_such_user"), ("owner", "use_0000000000001W", "no_such_user"),
)  # fmt: skip


@pytest.mark.parametrize("road", ROADS)
def test_what_nubetis_sets_nobody_writes(nubetis_session, road):
    """Mass assignment: each system field is refused on each road, for administrators too."""
    lead = nubetis_session.create("leads", name="A")
    for field in SYSTEM:
        with refusing("read_only", InvalidValue):
            ROADS[road](nubetis_session, lead, {field: lead[field] if lead[field] is not None else 1})
        assert [record.row for record in nubetis_session.find("leads")] == [lead.row]


@pytest.mark.parametrize("road", ROADS)
def test_an_unknown_field_is_an_error_on_each_road(nubetis_session, road):
    """Nothing is dropped silently; columns that only the store knows are unknown."""
    lead = nubetis_session.create("leads", name="A")
    for name in UNKNOWN:
        with refusing("unknown_field", NotFound):
            ROADS[road](nubetis_session, lead, {name: "X"})


def test_hostile_text_comes_back_as_it_went_in(nubetis_session):
    """Text is data: written, read and found, to the letter."""
    for text in HOSTILE:
        record = nubetis_session.create("leads", name=text, company=text)
        found = nubetis_session.get(record)
        assert (found["name"], found["company"]) == (text, text)
        assert record.id in {each.id for each in nubetis_session.find("leads", F.company == text)}
        assert record.id in {each.id for each in nubetis_session.find("leads", F.company.contains(text))}


@pytest.mark.parametrize("road", ROADS)
def test_text_that_no_store_can_hold_is_refused(nubetis_session, road):
    """NUL bytes and half characters are named as such and nothing is written."""
    lead = nubetis_session.create("leads", name="A")
    for text in UNHOLDABLE:
        with refusing("bad_text", InvalidValue):
            ROADS[road](nubetis_session, lead, {"company": text})
    assert nubetis_session.count("leads", ~F.company.is_empty()) == 0


@pytest.mark.parametrize("road", ROADS)
def test_a_value_that_does_not_fit_has_its_code(nubetis_session, road):
    """Each fault has one code, whatever road it comes by."""
    lead = nubetis_session.create("leads", name="A")
    before = state_of(nubetis_session)
    for field, value, code in FAULTY:
        with refusing(code):
            ROADS[road](nubetis_session, lead, {field: value})
        assert state_of(nubetis_session) == before


def test_required_and_default(nubetis_session):
    """A default fills what is not given; what is given empty stays empty, unless required."""
    assert nubetis_session.create("deals", name="A")["stage"] == "open"
    assert nubetis_session.create("deals", name="A", stage=None)["stage"] is None
    with refusing("required", InvalidValue):
        nubetis_session.create("deals", stage="won")


def test_a_validation_rule_refuses_with_its_message(nubetis_org, nubetis_session):
    """A rule is a filter and a message; it sees the record as it would be."""
    rule = ValidationRule(name="cap", where=F.amount > 100, message="Too dear.")
    fields = [Field(name="name", type=kind("text")), Field(name="amount", type=kind("money"))]
    nubetis_org.add_module(Module(name="offers", fields=fields, rules=(rule,)))
    offer = nubetis_session.create("offers", name="A", amount=Money("100", "PEN"))

    for call in (
        lambda: nubetis_session.create("offers", name="B", amount=Money("101", "PEN")),
        lambda: nubetis_session.edit(offer, amount=Money("101", "PEN")),
    ):
        with refusing("bad_rule", InvalidValue) as caught:
            call()
        assert str(caught.value) == "Too dear."
    assert nubetis_session.edit(offer, name="C")["name"] == "C"


def test_unique_values_are_compared_folded(nubetis_session):
    """Ñ is a letter of its own; case and accents are none."""
    nubetis_session.create("products", name="a", code="Peña-Á")

    nubetis_session.create("products", name="b", code="Pena-Á")
    with refusing("not_unique", Conflict):
        nubetis_session.create("products", name="c", code="PEÑA-a")


def test_two_records_of_one_plan_cannot_share_a_unique_value(nubetis_session):
    """The second is refused by line; the first goes in."""
    plan = nubetis_session.plan_create("products", [{"name": "a", "code": "1"}, {"name": "b", "code": "1"}])

    assert [(each.line, each.code) for each in plan.refusals] == [(2, "not_unique")]
    assert len(plan) == 1


def test_one_update_cannot_give_many_records_a_unique_value(nubetis_session):
    """The same value for all is refused for all but one at most."""
    nubetis_session.apply(nubetis_session.plan_create("products", [{"name": "a"}, {"name": "b"}]))
    plan = nubetis_session.plan_update("products", EVERYTHING, code="1")

    assert [each.code for each in plan.refusals] == ["not_unique"]


def test_restoring_checks_unique_values_and_links_again(nubetis_session):
    """What was free when the record was deleted may be taken, what it links to may be gone."""
    product = nubetis_session.create("products", name="a", code="1")
    nubetis_session.delete(product)
    nubetis_session.create("products", name="b", code="1")
    account = nubetis_session.create("accounts", name="Acme")
    contact = nubetis_session.create("contacts", last_name="Paz", account=account.id)
    nubetis_session.delete(contact)
    nubetis_session.delete(account)

    with refusing("not_unique", Conflict):
        nubetis_session.restore(product.id)
    with refusing("bad_link", InvalidValue):
        nubetis_session.restore(contact.id)
    nubetis_session.restore(account.id)
    assert contact.id == nubetis_session.restore(contact.id).id


def test_a_deleted_record_is_in_the_bin_and_nowhere_else(nubetis_session):
    """Lists, counts, reading, editing: none finds it; the recycle bin does."""
    lead = nubetis_session.create("leads", name="A")
    nubetis_session.delete(lead)

    assert (list(nubetis_session.find("leads")), nubetis_session.count("leads")) == ([], 0)
    assert [lead.id] == [gone.id for gone in nubetis_session.find("leads", deleted=True)]
    for call in (nubetis_session.get, nubetis_session.delete, lambda each: nubetis_session.edit(each, name="B")):
        with refusing("not_found", NotFound):
            call(lead.id)


def test_a_living_record_is_not_restored(nubetis_session):
    """There is nothing to take out of the bin, which is another thing than that it is not there."""
    lead = nubetis_session.create("leads", name="A")

    with refusing("not_deleted", Conflict):
        nubetis_session.restore(lead)


def test_a_record_made_for_somebody_else_is_made(nubetis_org):
    """One may hand a record over with its creation, though one does not see it afterwards."""
    luis, ana = nubetis_org.people("luis", "ana")
    made = ana.create("leads", name="A", owner="luis")

    assert ([made.id], 0) == ([lead.id for lead in luis.find("leads")], ana.count("leads"))


FAULTS = {
    "required": lambda s: s.create("leads"),
    "unique": lambda s: s.create("products", name="b", code="1"),
    "link": lambda s: s.create("contacts", last_name="P", account="acc_0000000000001W"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_failed_in_a_unit_leaves_nothing_though_the_unit_goes_on(nubetis_session, fault):
    """A call of a session is whole or nothing, also where its error is caught inside a unit."""
    nubetis_session.create("products", name="a", code="1")
    before = state_of(nubetis_session, "leads", "products", "contacts")

    def work(session):
        with pytest.raises(NubetisError):
            FAULTS[fault](session)

    nubetis_session.unit(work)
    assert before == state_of(nubetis_session, "leads", "products", "contacts")


@pytest.mark.parametrize("bad", ["\0", "\ud800"])
def test_what_no_text_can_have_is_asked_of_no_store(nubetis_org, nubetis_session, bad):
    """No store is asked for it: one would give an error of its own."""
    for where in (F.name.matches(f"a{bad}b"), F.name == f"a{bad}b", F.name.contains(bad)):
        with refusing("filter_value", InvalidFilter):
            nubetis_session.find("leads", where)
    for name in (f"a{bad}b", f"a{bad}@b.pe"):
        with refusing("no_such_user", NotFound):
            nubetis_session.find("leads", F.owner == name)
        with refusing("unknown_user", NotFound):
            nubetis_org.session(HostSignIn(name))


def test_a_limit_that_no_store_knows_is_refused(nubetis_session):
    """Each store would have an answer of its own."""
    for limit in (-1, 1 << 63, 10**30):
        for call in (nubetis_session.count, lambda _, limit: operations(nubetis_session, limit=limit)):
            with refusing("bad_argument", InvalidValue):
                call("leads", limit=limit)
    assert (0, []) == (nubetis_session.count("leads", limit=(1 << 63) - 1), operations(nubetis_session, limit=0))


def test_nobody_links_to_what_he_does_not_see(nubetis_org, nubetis_session):
    """Made, edited, planned or restored: a record of others is as one that is not there."""
    (ana,) = nubetis_org.people("ana")
    theirs, mine = nubetis_session.create("accounts", name="Theirs"), ana.create("accounts", name="Mine")
    contact = ana.create("contacts", last_name="Paz", account=mine.id)
    for call in (
        lambda: ana.create("contacts", last_name="Rey", account=theirs.id),
        lambda: ana.edit(contact.id, account=theirs.id),
    ):
        with refusing("bad_link", InvalidValue):
            call()
    plan = ana.plan_create("contacts", [{"last_name": each, "account": each} for each in (mine.id, theirs.id)])
    assert [(each.line, each.code) for each in plan.refusals] == [(2, "bad_link")]

    ana.delete(contact.id)
    nubetis_session.edit(mine.id, owner="admin")
    with refusing("bad_link", InvalidValue):
        ana.restore(contact.id)
    assert ana.count("contacts") == 0


@pytest.mark.parametrize("given", ["Juan Perez", "Juan@perez", "use_Juan", "acc_Juan", "Juan_000"])
@pytest.mark.parametrize("field", ["owner", "account"])
def test_an_error_about_a_link_does_not_say_the_value(nubetis_session, given, field):
    """It says what is expected; what was given may be anybody's name."""
    for call in (
        lambda: nubetis_session.create("contacts", {"last_name": "Paz", field: given}),
        lambda: nubetis_session.find("contacts", F[field] == given),
        lambda: nubetis_session.find("contacts", F[field].in_([given])),
        lambda: nubetis_session.find("contacts", parse(f'{field} = "{given}"')),
    ):
        with pytest.raises(NubetisError) as caught:
            call()
        error = caught.value
        assert field in str(error)
        assert "Juan" not in f"{error} {error.params}"
