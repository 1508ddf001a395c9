"""Plans: what is shown is what is written, and what others changed meanwhile is found out."""

from __future__ import annotations

from decimal import Decimal

import pytest

import nubetis
from nubetis import F, Money
from nubetis.errors import Conflict, InvalidValue, NotFound, PlanDrifted, Refused
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import Address
from nubetis.model.plan import OperationState
from nubetis.session import past
from tests.stores import refusing, rows_of, state_of


def leads(session, count=4):
    """Make leads named by their number."""
    session.apply(session.plan_create("leads", [{"name": str(number)} for number in range(count)]))
    return list(session.find("leads", sort="id"))


def test_a_plan_writes_nothing(nubetis_org, nubetis_session):
    """A dry run is the plan without apply: the store stays as it was, row for row."""
    from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS

    leads(nubetis_session)
    before = [rows_of(nubetis_org, ledger) for ledger in (OPERATIONS, ENTRIES, CHANGES)]
    nubetis_session.plan_create("leads", [{"name": "X"}])
    nubetis_session.plan_update("leads", EVERYTHING, company="Y")
    nubetis_session.plan_delete("leads", EVERYTHING)

    assert before == [rows_of(nubetis_org, ledger) for ledger in (OPERATIONS, ENTRIES, CHANGES)]
    assert nubetis_session.count("leads", F.company.is_empty()) == 4


@pytest.mark.parametrize("kind", ["create", "update", "edits", "delete"])
def test_the_operation_has_the_digest_of_the_dry_run(nubetis_session, kind):
    """digest(dry run) == digest(apply), in the operation, in its ledger row, and in a plan made again."""
    records = leads(nubetis_session)
    plan = {
        "create": lambda: nubetis_session.plan_create("leads", [{"name": "X"}, {"name": "Y"}]),
        "update": lambda: nubetis_session.plan_update("leads", F.name != "2", company="Acme"),
        "edits": lambda: nubetis_session.plan_edits("leads", {r.id: {"company": r["name"]} for r in records}),
        "delete": lambda: nubetis_session.plan_delete("leads", F.name.in_(["1", "2"])),
    }[kind]
    dry = plan()
    if kind != "create":  # ids of new records are part of the digest
        assert dry.digest == plan().digest
    operation = nubetis_session.apply(dry)

    assert dry.digest == operation.digest
    assert dry.digest == past.operations(nubetis_session, limit=1)[0].digest
    assert (OperationState.DONE, len(dry)) == (operation.state, operation.position)


def test_what_is_applied_is_what_the_plan_shows(nubetis_session):
    """The changes of a plan, before and after, are those that the records make."""
    leads(nubetis_session)
    plan = nubetis_session.plan_update("leads", F.name != "2", company="Acme")
    changes = list(plan.changes)
    nubetis_session.apply(plan)

    assert [change.before for change in changes] == [{"company": None}] * 3
    for change in changes:
        assert change.after["company"] == nubetis_session.get(change.record)["company"]


def test_records_that_already_have_the_values_are_left_out(nubetis_session):
    """An update that changes nothing writes no version and no history."""
    records = leads(nubetis_session)
    nubetis_session.edit(records[0], company="Acme")

    assert len(nubetis_session.plan_update("leads", EVERYTHING, company="Acme")) == 3


def test_another_filter_gives_another_digest(nubetis_session):
    """Which records it is, is part of the digest; values are not, for they could be found from it by trying."""
    leads(nubetis_session)
    digests = {
        where: {nubetis_session.plan_update("leads", where, company=company).digest for company in ("A", "B")}
        for where in (EVERYTHING, F.name == "1")
    }

    assert [1, 1] == [len(each) for each in digests.values()]
    assert digests[EVERYTHING] != digests[F.name == "1"]


def test_a_plan_that_drifted_is_refused_whole(nubetis_org, nubetis_session):
    """One record changed since the plan was made: nothing of the plan is written."""
    records = leads(nubetis_session)
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="Acme")
    nubetis_org.administrator().edit(records[1], company="Other")

    with refusing("drifted", PlanDrifted):
        nubetis_session.apply(plan)
    assert [r["company"] for r in nubetis_session.find("leads", sort="id")] == [None, "Other", None, None]


@pytest.mark.parametrize("change", ["edit", "delete"])
def test_drift_within_the_tolerance_is_left_out_and_named(nubetis_org, nubetis_session, change):
    """Up to *tolerance* records that changed are skipped; the operation lists them."""
    records = leads(nubetis_session)
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="Acme")
    other = nubetis_org.administrator()
    other.edit(records[1], company="Other") if change == "edit" else other.delete(records[1])
    operation = nubetis_session.apply(plan, tolerance=1)

    assert (records[1].id,) == operation.skipped
    assert operation.position == 3
    assert nubetis_session.count("leads", F.company == "Acme") == 3


def test_a_plan_of_one_record_that_drifted_names_both_values(nubetis_org, nubetis_session):
    """It is drift as that of several is, and says what the caller wanted and what is there."""
    record = leads(nubetis_session, 1)[0]
    plan = nubetis_session.plan_edits("leads", {record.id: {"company": "Mine"}})
    nubetis_org.administrator().edit(record, company="Theirs")

    with refusing("drifted", PlanDrifted) as caught:
        nubetis_session.apply(plan)
    assert str(caught.value) == "1 of the plan's records changed since it was made. Make the plan again."
    assert (caught.value.mine, caught.value.theirs) == ({"company": "Mine"}, {"company": "Theirs"})


def test_applying_a_plan_twice_is_drift(nubetis_session):
    """A plan is good for one time."""
    leads(nubetis_session)
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="Acme")
    nubetis_session.apply(plan)

    with refusing("drifted", PlanDrifted):
        nubetis_session.apply(plan)


def test_creating_twice_by_one_plan_is_refused(nubetis_session):
    """The keys of new records are part of the plan, so that a repeated apply makes no twins."""
    plan = nubetis_session.plan_create("leads", [{"name": "X"}])
    nubetis_session.apply(plan)

    with pytest.raises(Conflict):
        nubetis_session.apply(plan)
    assert nubetis_session.count("leads") == 1


def test_an_edit_of_a_stale_record_raises_with_both_values(nubetis_org, nubetis_session):
    """A record given as it was read must still have that version."""
    record = leads(nubetis_session, 1)[0]
    nubetis_org.administrator().edit(record, company="Theirs")

    with refusing("stale", Conflict) as caught:
        nubetis_session.edit(record, company="Mine")
    assert (caught.value.mine, caught.value.theirs) == ({"company": "Mine"}, {"company": "Theirs"})
    assert (caught.value.params["expected"], caught.value.params["actual"]) == (1, 2)


def test_an_id_has_no_version_to_be_stale(nubetis_org, nubetis_session):
    """Who names a record by id says that any version will do."""
    record = leads(nubetis_session, 1)[0]
    nubetis_org.administrator().edit(record, company="Theirs")

    assert nubetis_session.edit(record.id, company="Mine")["company"] == "Mine"


def test_merge_fields_applies_what_nobody_else_touched(nubetis_org, nubetis_session):
    """With *merge_fields* only the fields written must be as they were read."""
    record = leads(nubetis_session, 1)[0]
    nubetis_org.administrator().edit(record, company="Theirs")
    merged = nubetis_session.edit(record, description="Mine", merge_fields=True)

    assert (merged["company"], merged["description"]) == ("Theirs", "Mine")
    with refusing("stale", Conflict):
        nubetis_session.edit(record, company="Mine", merge_fields=True)


def test_deleting_a_stale_record_is_a_conflict(nubetis_org, nubetis_session):
    """What one deletes one must have seen."""
    record = leads(nubetis_session, 1)[0]
    nubetis_org.administrator().edit(record, company="Theirs")

    with refusing("stale", Conflict):
        nubetis_session.delete(record)


def test_refusals_stop_the_plan_unless_the_rest_is_wanted(nubetis_session):
    """Bad input is a result: line, field and reason; the rest can be written."""
    plan = nubetis_session.plan_create("leads", [{"name": "X"}, {}, {"name": 7}, {"name": "Y"}])

    assert [(each.line, each.code) for each in plan.refusals] == [(2, "required"), (3, "wrong_type")]
    with refusing("refused", Refused, match="skip_refused=True") as caught:
        nubetis_session.apply(plan)
    assert plan.refusals == caught.value.refusals
    assert nubetis_session.count("leads") == 0
    nubetis_session.apply(plan, skip_refused=True)
    assert [record["name"] for record in nubetis_session.find("leads", sort="name")] == ["X", "Y"]


def test_values_take_names_that_clash_with_arguments(nubetis_org, nubetis_session):
    """``values=`` writes fields named like arguments."""
    from nubetis import Field, Module
    from nubetis.model.kinds import kind

    text = kind("text")
    nubetis_org.add_module(Module(name="odd", fields=[Field(name=n, type=text) for n in ("merge_fields", "module")]))
    record = nubetis_session.create("odd", {"merge_fields": "a"}, module="b")

    assert (record["merge_fields"], record["module"]) == ("a", "b")
    assert nubetis_session.edit(record, {"merge_fields": "c"})["merge_fields"] == "c"


def test_a_unit_is_written_whole_or_not_at_all(nubetis_session):
    """An error in a unit takes back what it wrote; the session goes on."""

    def work(session):
        session.create("leads", name="X")
        assert session.count("leads") == 1
        raise InvalidValue("bad_argument", argument="x", reason="y")

    with refusing("bad_argument"):
        nubetis_session.unit(work)
    assert state_of(nubetis_session) == {}
    assert nubetis_session.create("leads", name="Y")["name"] == "Y"


def test_units_join_the_one_they_stand_in(nubetis_session):
    """A unit inside a unit is the same transaction."""

    def outer(session):
        session.unit(lambda inner: inner.create("leads", name="X"))
        raise InvalidValue("bad_argument", argument="x", reason="y")

    with refusing("bad_argument"):
        nubetis_session.unit(outer)
    assert nubetis_session.count("leads") == 0


def test_nothing_of_a_block_under_a_savepoint_stays_when_it_raises(nubetis_session):
    """A savepoint gives up its block, and the unit goes on."""

    def work(session):
        session.create("leads", name="X")
        with refusing("required"), session.savepoint():
            session.create("leads", name="Y")
            session.create("leads")
        return session.create("leads", name="Z")

    nubetis_session.unit(work)
    assert [record["name"] for record in nubetis_session.find("leads", sort="name")] == ["X", "Z"]


def test_hooks_hear_only_of_what_was_stored(nubetis_store_url):
    """What a savepoint or a failed unit took back is told to nobody."""
    from nubetis import hookimpl
    from nubetis.testing.people import make_org

    class Ear:
        heard = 0

        @hookimpl
        def nubetis_committed(self, committed):
            self.heard += sum(map(len, committed.parts))

    def work(session):
        with refusing("required"), session.savepoint():
            session.create("leads", name="Y")
            session.create("leads")
        session.create("leads", name="Z")

    ear = Ear()
    with make_org(nubetis_store_url, plugins=[ear]) as org:
        ear.heard = 0
        org.administrator().unit(work)
    assert ear.heard == 1


def test_an_unknown_module_is_named_with_the_nearest(nubetis_session):
    """A mistyped module is an error that helps."""
    with refusing("unknown_module", NotFound) as caught:
        nubetis_session.find("leeds")
    assert "leads" in str(caught.value)


def test_money_counts_at_home(nubetis_session):
    """The home amount is filled in for the home currency; another one needs its rate."""
    home = nubetis_session.create("deals", name="A", amount=Money("12.50", "PEN"))["amount"]
    given = nubetis_session.create("deals", name="B", amount=Money("10", "EUR", home="41.2"))["amount"]

    assert (Money("12.5", "PEN", home="12.5"), Money("10", "EUR", home="41.2")) == (home, given)
    with refusing("no_rate", InvalidValue):
        nubetis_session.create("deals", name="C", amount=Money("10", "EUR"))
    total = nubetis_session.aggregate("deals", measures={"sum": "sum amount", "n": "count"})
    assert [{"sum": Money("53.7", "PEN").amount, "n": 2}] == total


@pytest.mark.parametrize("size", [1, 2, 7])
def test_pages_meet_no_record_twice_and_miss_none(nubetis_session, size):
    """Walking on and back over keyset pages gives each record once, ties and empty values too."""
    nubetis_session.apply(nubetis_session.plan_create(
        "leads", [{"name": str(n), "company": [None, "A", "á", "b"][n % 4]} for n in range(11)]))  # fmt: skip
    whole = [record.id for record in nubetis_session.find("leads", sort="-company", limit=100)]
    seen, pages = [], []
    page = nubetis_session.find("leads", sort="-company", limit=size)
    while True:
        pages.append([record.id for record in page])
        seen += pages[-1]
        if page.next is None:
            break
        page = nubetis_session.find("leads", sort="-company", limit=size, after=page.next)
    assert whole == seen
    for wanted in reversed(pages[:-1]):
        page = nubetis_session.find("leads", sort="-company", limit=size, after=page.previous)
        assert wanted == [record.id for record in page]
    assert page.previous is None


@pytest.mark.parametrize(
    ("amount", "home"), [("10", "9.99"), ("10", "-10"), ("0", "1"), ("-5", "5"), ("10", "0")], ids=repr
)
def test_a_home_amount_that_contradicts_an_amount_in_the_home_currency_is_refused(nubetis_session, amount, home):
    with refusing("home_amount", InvalidValue):
        nubetis_session.create("deals", name="A", amount=Money(amount, "PEN", home=home))


@pytest.mark.parametrize(("amount", "home"), [("10", "-41"), ("0", "1"), ("-5", "5")], ids=repr)
def test_a_home_amount_that_no_rate_makes_is_refused(nubetis_session, amount, home):
    """A rate is a positive number; one that rounds to nothing is."""
    with refusing("home_amount", InvalidValue):
        nubetis_session.create("deals", name="A", amount=Money(amount, "EUR", home=home))
    assert nubetis_session.create("deals", name="B", amount=Money("0.01", "EUR", home="0"))["amount"].home == 0


def test_money_is_sorted_summed_and_compared_by_its_home_amount(nubetis_session):
    """Ten euros are more than twenty soles; twenty yen are less than either."""
    for amount, currency, home in (("10", "EUR", "41.2"), ("20", "PEN", None), ("200", "JPY", "5")):
        nubetis_session.create("deals", name=currency, amount=Money(amount, currency, home=home))
    found = [deal["name"] for deal in nubetis_session.find("deals", sort="-amount")]
    assert ["EUR", "PEN", "JPY"] == found
    assert ["EUR"] == [deal["name"] for deal in nubetis_session.find("deals", F.amount > 20)]
    assert Decimal("66.20") == nubetis_session.aggregate("deals", measures={"all": "sum amount"})[0]["all"]


def test_without_a_currency_of_its_own_an_organisation_takes_no_money(nubetis_store_url):
    """A hundred dollars and a hundred soles would count the same."""
    with nubetis.create(nubetis_store_url, administrator="ana@acme.pe") as org:
        system = org.system("testing")
        for money in (Money("100", "USD"), Money("100", "PEN", home="100")):
            with refusing("no_currency", InvalidValue):
                system.create("deals", name="A", amount=money)
        system.create("settings", name="currency", value='"PEN"')
        assert system.create("deals", name="A", amount=Money("100", "PEN"))["amount"].home == 100


def test_texts_that_are_folded_alike_are_one_group(nubetis_session):
    """Grouping, like equality, looks at letters and not at case and accents; ñ is a letter of its own."""
    for name, city in enumerate(("Lima", "LIMA", "lima", "Peña", "pena", None)):
        nubetis_session.create("accounts", name=f"a{name}", address=Address(city=city) if city else None)
    found = nubetis_session.aggregate("accounts", by=["address.city"], measures={"n": "count", "first": "min name"})

    assert [(each["address.city"], each["n"], each["first"]) for each in found] == [
        (None, 1, "a5"),
        ("LIMA", 3, "a0"),
        ("pena", 1, "a4"),
        ("Peña", 1, "a3"),
    ]


def test_a_plan_holds_the_fields_alone_that_change_of_each_record(nubetis_session):
    """And so do history and undo: a value that was there already is neither written nor taken back."""
    deals = [
        {"name": "A", "stage": "won"},
        {"name": "B", "stage": "open"},
        {"name": "C", "stage": "won", "next_step": "x"},
    ]
    a, b, _ = [nubetis_session.create("deals", each) for each in deals]
    plan = nubetis_session.plan_update("deals", EVERYTHING, stage="won", next_step="x")

    assert {change.record: dict(change.after) for change in plan.changes} == {
        a.id: {"next_step": "x"}, b.id: {"stage": "won", "next_step": "x"},
    }  # fmt: skip
    operation = nubetis_session.apply(plan)
    undone = nubetis_session.undo(operation)
    assert (len(undone.reversed), len(undone.kept)) == (2, 0)
    assert len(nubetis_session.undo(operation).reversed) == 0
    assert [each["stage"] for each in nubetis_session.find("deals", sort="name")] == ["won", "open", "won"]


def test_edits_of_single_records_hold_the_fields_alone_that_change(nubetis_session):
    deal = nubetis_session.create("deals", name="A", stage="won")
    plan = nubetis_session.plan_edits("deals", {deal.id: {"stage": "won", "next_step": "x", "name": "A"}})

    assert [dict(change.after) for change in plan.changes] == [{"next_step": "x"}]
