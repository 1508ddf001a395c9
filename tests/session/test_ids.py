"""An id that one may not see, an id of nothing and an id of another kind are answered alike."""

from __future__ import annotations

import inspect

import pytest

from nubetis import Session
from nubetis.errors import InvalidValue, NotFound, NubetisError
from nubetis.model.ids import encode
from nubetis.session import erasing, past, resuming
from nubetis.testing.clock import START
from tests.stores import refusing, state_of

CALLS = {
    "get": lambda s, each: s.get(each),
    "edit": lambda s, each: s.edit(each, name="X"),
    "delete": lambda s, each: s.delete(each),
    "restore": lambda s, each: s.restore(each),
    "erase": lambda s, each: erasing.erase(s, each, fields=["name"]),
    "history": past.history,
    "as_of": lambda s, each: past.as_of(s, each, START),
    "decide": lambda s, each: s.decide("view", each),
    "explain": lambda s, each: s.explain("view", each),
}
OPERATIONS = {
    "plan_undo": past.plan_undo,
    "undo": lambda s, each: s.undo(each),
    "resume": resuming.resume,
}
NOTHING = encode("lea", 1 << 61)


def taking(name):
    """Give the public methods of a session, and functions of its areas, with a parameter of this name."""
    methods = inspect.getmembers(Session, inspect.isfunction)
    areas = [each for area in (erasing, past, resuming) for each in inspect.getmembers(area, inspect.isfunction)]
    found = [*methods, *[each for each in areas if "session" in inspect.signature(each[1]).parameters]]
    return {each for each, function in found if each[0] != "_" and name in inspect.signature(function).parameters}


def answer(call, *arguments):
    """Give the kind of an error, its code and its parameters without the id."""
    with pytest.raises(NubetisError) as caught:
        call(*arguments)
    return type(caught.value), caught.value.code, {k: v for k, v in caught.value.params.items() if k != "id"}


def test_every_method_that_takes_an_id_is_looked_at_here():
    """A new method that takes an id must join the tables above."""
    assert taking("record") - {"can"} <= set(CALLS)
    assert taking("operation") <= set(OPERATIONS)
    assert {"history", "erase"} <= taking("record")


@pytest.mark.parametrize("name", sorted(taking("record") - {"can"}))
def test_a_foreign_record_is_as_none_at_all(nubetis_org, name):
    """Living or deleted, what one may not see answers as an id of nothing; the record stays as it is."""
    luis, ana = nubetis_org.people("luis", "ana")
    living, gone = (luis.create("leads", name="X") for _ in range(2))
    luis.delete(gone)
    before = state_of(luis)
    nothing = answer(CALLS[name], ana, NOTHING)

    assert (NotFound, "not_found") == nothing[:2]
    assert nothing == answer(CALLS[name], ana, living.id) == answer(CALLS[name], ana, gone.id)
    assert before == state_of(luis)


@pytest.mark.parametrize("name", sorted(taking("record") - {"can"}))
def test_a_foreign_record_given_as_a_value_opens_nothing(nubetis_org, name):
    """A record object that came from elsewhere has no more power than its id."""
    luis, ana = nubetis_org.people("luis", "ana")
    record = luis.create("leads", name="X")

    assert answer(CALLS[name], ana, NOTHING) == answer(CALLS[name], ana, record)


@pytest.mark.parametrize("name", sorted(taking("operation")))
def test_a_foreign_operation_is_as_none_at_all(nubetis_org, name):
    """Another's operation, an operation of nothing and a record's id are answered alike."""
    luis, ana = nubetis_org.people("luis", "ana")
    lead = luis.create("leads", name="X")
    operation = past.operations(luis, limit=1)[0]
    nothing = answer(OPERATIONS[name], ana, encode("ope", 1 << 61))

    assert (NotFound, "no_operation") == nothing[:2]
    assert nothing == answer(OPERATIONS[name], ana, operation) == answer(OPERATIONS[name], ana, operation.id)
    assert nothing == answer(OPERATIONS[name], ana, lead.id)


LEDGERS = ("ope", "ent", "cha", "sea", "out", "blo", "ver", "zzz")
MISTYPED = ("", "lea", "lea_", "lea_0000000000001X", "../x", "lea_" + "Z" * 14, "\0", "ñ" * 99)


@pytest.mark.parametrize("name", sorted(taking("record") - {"can"}))
def test_ledgers_have_no_records_for_anybody(nubetis_session, name):
    """An id of a ledger's row names nothing, for administrators too."""
    for ledger in LEDGERS:
        assert answer(CALLS[name], nubetis_session, encode(ledger, 1))[:2] == (NotFound, "not_found")


@pytest.mark.parametrize("name", sorted(taking("record") - {"can"}))
def test_a_mistyped_id_says_so(nubetis_session, name):
    """A wrong check character is told apart from a record that is not there."""
    for text in MISTYPED:
        a_word = text.isascii() and text.isalpha() and name in {"decide", "explain"}  # which may name a module
        with refusing(*(("unknown_module", NotFound) if a_word else ("bad_id", InvalidValue))):
            CALLS[name](nubetis_session, text)


def test_can_is_false_for_whatever_is_not_there(nubetis_org):
    """``can`` answers no, and does not tell why."""
    luis, ana = nubetis_org.people("luis", "ana")
    record = luis.create("leads", name="X")

    assert not any(ana.can("view", each) for each in (record, record.id, NOTHING, "lea_0", "", encode("ope", 1)))


def test_plans_by_id_refuse_foreign_records_as_none(nubetis_org):
    """Bulk edits by id name what they cannot find, alike for foreign and for missing ones."""
    luis, ana = nubetis_org.people("luis", "ana")
    record = luis.create("leads", name="X")
    plan = ana.plan_edits("leads", {record.id: {"name": "Y"}, NOTHING: {"name": "Y"}})

    assert len(plan) == 0
    assert [each.code for each in plan.refusals] == ["not_found"] * 2


def test_plans_by_id_do_not_take_ids_of_another_module(nubetis_session):
    """The number of an account is not a lead."""
    account = nubetis_session.create("accounts", name="X")
    plan = nubetis_session.plan_edits("leads", {account.id: {"name": "Y"}})

    assert [each.code for each in plan.refusals] == ["not_found"]


@pytest.mark.parametrize("target", ["missing", "foreign", "deleted", "wrong module"])
def test_a_link_leads_only_to_what_one_may_see(nubetis_org, target):
    """A link to nothing, to a foreign or a deleted record is refused alike; one to another module by type."""
    luis, ana = nubetis_org.people("luis", "ana")
    mine, deleted = (ana.create("accounts", name="X") for _ in range(2))
    ana.delete(deleted)
    links = {
        "missing": encode("acc", 1 << 61), "foreign": luis.create("accounts", name="X").id,
        "deleted": deleted.id, "wrong module": ana.create("leads", name="X").id,
    }  # fmt: skip
    contact = ana.create("contacts", last_name="Paz", account=mine.id)

    for call in (
        lambda: ana.create("contacts", last_name="Paz", account=links[target]),
        lambda: ana.edit(contact, account=links[target]),
    ):
        with refusing("wrong_module" if target == "wrong module" else "bad_link", InvalidValue):
            call()


def test_filters_on_linked_records_see_no_more_than_their_user(nubetis_org):
    """A sub-filter on a foreign record is false: it cannot be used to guess values."""
    from nubetis import F
    from nubetis.model.filters import has

    luis, ana = nubetis_org.people("luis", "ana")
    account = luis.create("accounts", name="Secret")
    luis.create("contacts", last_name="Paz", account=account.id)
    luis.edit(account, owner="ana")

    assert ana.count("accounts", F.name == "secret") == 1
    assert ana.count("accounts", has("contacts", via="account")) == 0
    assert luis.count("contacts", F.account.linked(F.name == "secret")) == 0
