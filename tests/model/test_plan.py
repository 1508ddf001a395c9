"""Plans: exact differences, counted, cut and joined without loss; a digest of which records they write."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.model.ids import decode
from nubetis.model.money import Money
from nubetis.model.outbox import Message
from nubetis.model.plan import (
    Cause,
    CauseKind,
    ChangeKind,
    Committed,
    Creates,
    Edits,
    Operation,
    OperationState,
    Plan,
    Refusal,
)
from nubetis.model.schema import ID, VERSION
from nubetis.model.standard import base_schema
from nubetis.session.applying import chunks
from nubetis.testing.strategies import parts, plans, rows
from tests.rows import another, row_of, with_cell

SCHEMA = base_schema()
DEALS, LEADS = SCHEMA.module("deals"), SCHEMA.module("leads")
NAME, STAGE, AMOUNT = DEALS.field("name"), DEALS.field("stage"), DEALS.field("amount")

SOME = rows(DEALS, most=6)
SOME_PART = parts(DEALS)
SOME_PLAN = plans(SCHEMA, modules=["deals", "leads", "notes"], most=5)


def deal(key, **values):
    return row_of(DEALS, key, **{"name": f"deal {key}", "stage": "open"} | values)


def creates(*keys):
    return Creates(DEALS, [deal(key) for key in keys])


def wins(*keys):
    return Edits(DEALS, [deal(key) for key in keys], (STAGE,), [("won",)] * len(keys))


def bins(*keys):
    return Edits(DEALS, [deal(key) for key in keys], kind=ChangeKind.DELETE)


def digest(*parts, **more):
    return Plan(parts=parts, **more).digest


# -- the digest -------------------------------------------------------------------------------


def test_a_digest_is_32_hexadecimal_digits():
    assert len(bytes.fromhex(digest(creates(1)))) == 16


@given(SOME, st.data())
def test_no_value_can_be_found_by_trying(found, data):
    """The digest stays in the journal when a value is erased: of a new record, key and version count, and no more."""
    if not found:
        return
    at, place = data.draw(st.integers(0, len(found) - 1)), data.draw(st.integers(0, len(found[0]) - 1))
    changed = [*found]
    changed[at] = with_cell(found[at], place, another(found[at][place]))
    same = digest(Creates(DEALS, found)) == digest(Creates(DEALS, changed))
    assert same == (place not in {ID, VERSION})


@pytest.mark.parametrize("at", [0, 255, 256, 257, 511, 512, 599])
def test_every_record_of_a_long_plan_counts(at):
    """Wherever it lies in the blocks in which a digest is taken."""
    rows = [deal(key) for key in range(1, 601)]
    moved = [with_cell(row, VERSION, 2) if place == at else row for place, row in enumerate(rows)]
    assert digest(Creates(DEALS, rows)) != digest(Creates(DEALS, moved))


@pytest.mark.parametrize(
    "other",
    [
        wins(1, 3),
        Edits(DEALS, [with_cell(deal(1), VERSION, 2), deal(2)], (STAGE,), [("won",)] * 2),
        Edits(DEALS, [deal(1), deal(2)], (NAME,), [("won",)] * 2),
        Edits(DEALS, [deal(1), deal(2)], (STAGE, NAME), [("won", "x")] * 2),
        Edits(LEADS, [row_of(LEADS, 1), row_of(LEADS, 2)], (LEADS.field("status"),), [("won",)] * 2),
        wins(2, 1),
        wins(1, 2, 3),
        wins(1),
        bins(1, 2),
        attrs.evolve(bins(1, 2), kind=ChangeKind.RESTORE),
        creates(1, 2),
    ],
    ids=[
        "key", "version", "field", "fields", "module", "order", "more", "fewer", "delete",
        "restore", "create",
    ],
)  # fmt: skip
def test_whatever_would_be_written_otherwise_gives_another_digest(other):
    assert digest(wins(1, 2)) != digest(other)


def test_the_module_counts_though_all_else_is_alike():
    """The same keys, versions, columns and values in two modules are two plans."""
    accounts = SCHEMA.module("accounts")
    parts = [Edits(module, [row_of(module, 1)], (module.field("name"),), [("x",)]) for module in (DEALS, accounts)]
    assert digest(parts[0]) != digest(parts[1])


def test_deleting_restoring_and_purging_the_same_record_are_three_plans():
    kinds = (ChangeKind.DELETE, ChangeKind.RESTORE, ChangeKind.PURGE)
    assert len({digest(attrs.evolve(bins(1), kind=kind)) for kind in kinds}) == len(kinds)


def test_the_order_of_the_parts_counts():
    assert digest(wins(1), bins(2)) != digest(bins(2), wins(1))


def test_what_a_record_had_besides_does_not_count():
    """Nor what it would have; its version does: a record that changed has another."""
    renamed = Edits(DEALS, [deal(1, name="another"), deal(2)], (STAGE,), [("won",), ("lost",)])
    assert digest(wins(1, 2)) == digest(renamed)


@pytest.mark.parametrize(
    "more",
    [
        {"cause": Cause(CauseKind.IMPORT, {"file": "x.csv"})},
        {"refusals": (Refusal(code="required", params={"field": "name"}),)},
        {"warnings": (Refusal(code="required", params={"field": "name"}),)},
        {"messages": (Message(kind="x", key="x"),)},
        {"schema": SCHEMA},
        {"at": datetime(2026, 1, 1, tzinfo=UTC)},
        {"access_version": 7},
        {"undo_of": 7},
    ],
    ids=lambda more: next(iter(more)),
)
def test_why_and_when_do_not_count(more):
    """The dry run and the application of the same changes have one digest."""
    assert digest(wins(1)) == digest(wins(1), **more)


@given(SOME_PLAN)
def test_a_digest_is_that_of_the_parts_however_they_are_kept(plan):
    kept = [attrs.evolve(part, rows=tuple(part.rows)) for part in plan.parts]
    assert plan.digest == digest(*kept)


def written(plan):
    """Give all that a digest speaks of."""
    return [
        (part.kind, part.module.id, getattr(part, "columns", ()), [(row[ID], row[VERSION]) for row in part.rows])
        for part in plan.parts
    ]


@given(SOME_PLAN, SOME_PLAN, st.data())
def test_two_digests_are_the_same_where_the_same_records_are_written_in_the_same_way(one, other, data):
    parts = data.draw(st.permutations(one.parts))
    fewer = [part.slice(0, len(part) - 1) if len(part) else part for part in one.parts]
    for each in (other, attrs.evolve(one, parts=tuple(parts)), attrs.evolve(one, parts=tuple(fewer))):
        assert (one.digest == each.digest) == (written(one) == written(each))


def test_a_plan_for_nothing_has_a_digest_of_its_own():
    assert len({digest(), digest(wins(1)), digest(wins())}) == 3


# -- parts ------------------------------------------------------------------------------------


@given(SOME_PART, st.integers(1, 3))
def test_cutting_a_part_loses_no_record(part, size):
    """Slice by slice, the differences are those of the whole, in order; the last may be short."""
    pieces = [part.slice(start, start + size) for start in range(0, len(part), size)]
    assert list(part.changes()) == [change for piece in pieces for change in piece.changes()]
    assert len(part) == sum(map(len, pieces))
    assert all((piece.kind, piece.module) == (part.kind, DEALS) for piece in pieces)


@given(SOME_PLAN, st.integers(1, 4))
def test_cutting_a_plan_into_transactions_loses_no_record(plan, size):
    """Each but the last is full, and what is asked of all of them is what was asked of the plan, in its order."""
    lots = list(chunks(plan.parts, size))
    assert list(plan.changes) == [change for lot in lots for part in lot for change in part.changes()]
    assert [size] * (len(lots) - 1) == [sum(map(len, lot)) for lot in lots[:-1]]
    assert all(0 < sum(map(len, lot)) <= size for lot in lots)


@given(SOME_PLAN, SOME_PLAN)
def test_what_two_plans_do_their_parts_do_in_one(one, other):
    both = attrs.evolve(one, parts=one.parts + other.parts)
    assert list(both.changes) == [*one.changes, *other.changes]
    assert both.counts() == {
        kind: one.counts().get(kind, 0) + other.counts().get(kind, 0) for kind in one.counts() | other.counts()
    }
    assert len(both) == len(one) + len(other)


@given(SOME_PART)
def test_changed_rows_differ_in_the_fields_of_the_part_only(part):
    if part.kind is not ChangeKind.UPDATE:
        return
    for old, new, wanted in zip(part.rows, part.changed_rows(), part.after, strict=True):
        assert wanted == tuple([new[place] for place in part.places])
        assert [cell for place, cell in enumerate(old) if place not in part.places] == [
            cell for place, cell in enumerate(new) if place not in part.places
        ]


@given(SOME_PART)
def test_what_a_part_changes_its_reverse_brings_back(part):
    if part.kind is not ChangeKind.UPDATE:
        return
    changed = list(part.changed_rows())
    back = attrs.evolve(part, rows=changed, after=list(part.before()))
    assert part.rows == list(back.changed_rows())


def test_a_field_of_several_parts_is_changed_whole():
    part = Edits(DEALS, [deal(1)], (AMOUNT,), [(100, "PEN", 100)])
    assert ("amount", "amount.currency", "amount.home") == part.columns
    assert [(None, None, None)] == list(part.before())


def test_a_part_knows_keys_and_versions_it_saw():
    part = Edits(DEALS, [deal(5), with_cell(deal(6), VERSION, 4)], (STAGE,), [("won",)] * 2)
    assert ([5, 6], [1, 4]) == (part.keys, part.versions)


def test_values_and_records_are_as_many():
    """A part that lacks a value is a fault of its maker, found before anything is written."""
    part = Edits(DEALS, [deal(1), deal(2)], (STAGE,), [("won",)])
    with pytest.raises(ValueError, match="shorter"):
        list(part.changed_rows())


# -- what a person reads ----------------------------------------------------------------------


def test_a_creation_shows_what_is_given_only():
    (change,) = Creates(DEALS, [deal(1, amount=Money("10", "PEN", home="10"))]).changes()
    assert ({}, "deal 1", "open") == (dict(change.before), change.after["name"], change.after["stage"])
    assert "description" not in change.after
    assert "tags" not in change.after
    assert (ChangeKind.CREATE, "deals", 1) == (change.kind, change.module, decode(change.record)[1])


def test_an_update_shows_the_fields_it_changes_before_and_after():
    (change,) = wins(1).changes()
    assert ({"stage": "open"}, {"stage": "won"}) == (change.before, change.after)


def test_a_way_into_the_recycle_bin_changes_no_field():
    (change,) = bins(1).changes()
    assert (ChangeKind.DELETE, {}, {}) == (change.kind, change.before, change.after)


def test_the_changes_of_a_plan_are_those_of_its_parts_in_order():
    plan = Plan(parts=(creates(1, 2), wins(3), bins(4)))
    assert [1, 2, 3, 4] == [decode(change.record)[1] for change in plan.changes]
    assert [change.record for change in plan.changes] == [change.record for change in plan.changes]


def test_a_plan_counts_records_by_kind():
    plan = Plan(parts=(creates(1, 2), wins(3), wins(4, 5), bins(6)))
    assert ({"create": 2, "update": 3, "delete": 1}, 6) == (plan.counts(), len(plan))


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (Plan(), "nothing to do"),
        (Plan(parts=(creates(1, 2), wins(3))), "2 to create, 1 to update"),
        (Plan(parts=(wins(1),), refusals=(Refusal(code="required"),) * 2), "1 to update, 2 refused"),
        (Plan(refusals=(Refusal(code="required"),)), "1 refused"),
    ],
    ids=["empty", "two kinds", "some refused", "all refused"],
)
def test_a_plan_says_what_it_would_do(plan, said):
    assert said == str(plan)


@pytest.mark.parametrize("part", [creates(1), wins(1), bins(1)], ids=lambda part: part.kind.value)
def test_showing_a_part_shows_no_value(part):
    """Plans get into logs; the values of records must not."""
    shown = repr(part) + repr(Plan(parts=(part,)))
    assert [word for word in ("deal 1", "'open'", "'won'") if word in shown] == []


def test_showing_what_was_stored_shows_no_value():
    operation = Operation(key=7, state=OperationState.DONE, cause=Cause(), digest="00")
    shown = repr(Committed(org_id="x", operation=operation, entry=8, parts=(wins(1),)))
    assert [word for word in ("deal 1", "'open'", "'won'") if word in shown] == []


def test_an_operation_is_named_by_its_key():
    assert ("ope", 7) == decode(Operation(key=7, state=OperationState.DONE, cause=Cause(), digest="00").id)


def test_a_digest_begins_with_keys():
    """A reminder for who changes the layout: key and version stand first in every row."""
    assert (0, 1) == (ID, VERSION)
