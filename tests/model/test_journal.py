"""The journal: whatever is changed in it afterwards is found, and what is erased leaves no trace but its proof.

A cell is changed in each way at a time, over all columns of the ledgers; what may change (how far an operation is)
is listed here, and nothing else.
"""

from __future__ import annotations

import json
from itertools import count

import attrs
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from nubetis.errors import Damaged
from nubetis.model.journal import (
    GENESIS,
    Tampered,
    broken_commitments,
    change_rows,
    entry_digest,
    inserts_of,
    read_change,
    read_inserts,
    seal_digest,
    without_values,
)
from nubetis.model.plan import ChangeKind, Creates, Edits
from nubetis.model.standard import base_schema
from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS, SEALS
from nubetis.testing.strategies import rows
from tests.rows import another, row_of, with_cell

SCHEMA = base_schema()
DEALS, LEADS = SCHEMA.module("deals"), SCHEMA.module("leads")
FIELDS = tuple(DEALS.field(name) for name in ("name", "stage", "amount", "closed", "tags"))
HOSTILE = ["", "Ñandú", "\u0303", '"', "\\", "\n\r\t", "0", "null", "a\ud7ffb", "😀", "|", "[1]", "x" * 5000]

ENTRY = (100, 50, "2026-01-31T09:30:00.000000Z", "[[15,1,2,2]]", None, None)
OPERATION = (50, "done", "user", '{"sign_in":{}}', 4, None, "00ff", 2, 2, None, "2026-01-31T09:30:00.000000Z", None)


def salts():
    numbers = count(1)
    return lambda: f"{next(numbers):016x}"


def changes_of(part, *, entry=100, first=200):
    return change_rows(part, entry, range(first, first + len(part)), salt=salts())


def edited(found, fields=FIELDS):
    """Give an edit of *fields* for the rows; what they become is not in the journal."""
    width = sum(len(field.parts) for field in fields)
    return Edits(DEALS, found, tuple(fields), [(None,) * width] * len(found))


TWO = changes_of(edited([row_of(DEALS, 1, name="Acme", stage="open"), row_of(DEALS, 2, name="Eva", stage="won")]))
DIGEST = entry_digest(ENTRY, OPERATION, TWO)


def places(module, *names):
    return [module.layout.index[name] for name in names]


# -- what is kept -----------------------------------------------------------------------------


@given(rows(DEALS, most=5))
def test_the_values_before_are_kept_by_field_id_and_read_back(found):
    part = edited(found)
    kept = [read_change(row) for row in changes_of(part)]
    assert [row[0] for row in found] == [change.record for change in kept]
    for row, change in zip(found, kept, strict=True):
        before = {field.id: row[slot.start : slot.stop] for field, slot in slots()}
        assert before == change.before


def slots():
    return [(field, DEALS.layout.slots[field.name]) for field in FIELDS]


@given(st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_read_back(text):
    part = Edits(DEALS, [row_of(DEALS, 1)], (DEALS.field("name"),), [("x",)])
    at = part.places[0]
    part = attrs.evolve(part, rows=[with_cell(part.rows[0], at, text)])
    (change,) = map(read_change, changes_of(part))
    assert {DEALS.field("name").id: (text,)} == change.before
    assert list(broken_commitments(change)) == []


@given(st.integers(-(2**62), 2**62) | st.none())
def test_any_number_is_read_back(number):
    part = edited([with_cell(row_of(DEALS, 1), DEALS.layout.index["amount"], number)], (DEALS.field("amount"),))
    (change,) = map(read_change, changes_of(part))
    assert number == change.before[DEALS.field("amount").id][0]


@pytest.mark.parametrize("kind", [ChangeKind.DELETE, ChangeKind.RESTORE, ChangeKind.PURGE])
def test_a_way_in_or_out_keeps_no_value(kind):
    part = Edits(DEALS, [row_of(DEALS, 9, version=4, name="x")], kind=kind)
    (change,) = map(read_change, changes_of(part))
    assert (kind, 9, 4, {}, {}, {}) == (
        change.kind, change.record, change.version, change.before, change.salts, change.commitment,
    )  # fmt: skip


def test_a_change_names_entry_module_record_and_version():
    change = read_change(TWO[1])
    assert (201, 100, DEALS.id, 2, ChangeKind.UPDATE, 1) == (
        change.key, change.entry, change.module, change.record, change.kind, change.version,
    )  # fmt: skip


def test_each_value_has_a_salt_of_its_own():
    """Equal values must not look equal once they are erased."""
    found = [read_change(row) for row in changes_of(edited([row_of(DEALS, n, name="same") for n in (1, 2)]))]
    every = [salt for change in found for salt in change.salts.values()]
    assert len(every) == len(set(every)) == 2 * len(FIELDS)
    name = DEALS.field("name").id
    assert found[0].commitment[name] != found[1].commitment[name]


def test_a_commitment_does_not_hold_the_value():
    assert [value for value in ("Acme", "open") if value in TWO[0][CHANGES.layout.index["commitment"]]] == []


def test_an_entry_names_the_ranges_of_what_it_created():
    parts = (
        Creates(DEALS, [row_of(DEALS, key) for key in (7, 5, 6)]),
        edited([row_of(DEALS, 1)]),
        Creates(LEADS, [row_of(LEADS, 9)]),
        Creates(LEADS, []),
    )
    entry = with_cell(ENTRY, ENTRIES.layout.index["inserts"], inserts_of(parts))
    assert [(DEALS.id, 5, 7, 3), (LEADS.id, 9, 9, 1)] == read_inserts(entry)


@pytest.mark.parametrize("nothing", ["[]", None, ""])
def test_an_entry_may_have_created_nothing(nothing):
    assert [] == read_inserts(with_cell(ENTRY, ENTRIES.layout.index["inserts"], nothing))


# -- commitments ------------------------------------------------------------------------------


def test_what_was_not_changed_is_not_suspected():
    assert [found for row in TWO for found in broken_commitments(read_change(row))] == []


def cell_of(row, name):
    return row[CHANGES.layout.index[name]]


def suspicious(row):
    """Say whether verifying finds *row* changed: unreadable, or a commitment that does not fit."""
    try:
        return bool(list(broken_commitments(read_change(row))))
    except Damaged:
        return True


@given(
    st.sampled_from(["before", "salts"]),
    st.sampled_from(range(len(TWO))),
    st.integers(0, 10**6),
    st.sampled_from(list('0123456789abcdef"[]{}:,\\ xñ')),
)
def test_any_changed_character_of_value_or_salt_is_found(column, which, place, letter):
    """Or means the same as before: JSON has more than one way to write a value."""
    row = TWO[which]
    old = cell_of(row, column)
    place %= len(old)
    new = f"{old[:place]}{letter}{old[place + 1 :]}"
    changed = with_cell(row, CHANGES.layout.index[column], new)
    assume(new != old)
    if not suspicious(changed):
        assert read_change(row) == read_change(changed)


def test_a_value_that_is_gone_while_its_salt_stays_was_not_erased():
    """A field's number changed to another's hid its value: found by the property above."""
    change = read_change(TWO[0])
    number = next(iter(change.before))
    cut = attrs.evolve(change, before={key: cells for key, cells in change.before.items() if key != number})
    assert [f"the value of field {number} in change {change.key}"] == [str(each) for each in broken_commitments(cut)]


@given(st.sampled_from(range(len(TWO))), st.integers(0, 10**6), st.sampled_from('0123456789abcdef{}":,'))
def test_any_changed_character_of_a_commitment_is_found(which, place, letter):
    """The entry's digest covers the commitments as they are written."""
    row = TWO[which]
    old = cell_of(row, "commitment")
    place %= len(old)
    new = f"{old[:place]}{letter}{old[place + 1 :]}"
    assume(new != old)
    changed = [*TWO]
    changed[which] = with_cell(row, CHANGES.layout.index["commitment"], new)
    assert entry_digest(ENTRY, OPERATION, changed) != DIGEST


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_value_put_in_the_place_of_another_is_found_by_field(field):
    change = read_change(TWO[0])
    forged = attrs.evolve(change, before={**change.before, field.id: ("forged",)})
    assert [Tampered(f"the value of field {field.id} in change 200", 100)] == list(broken_commitments(forged))


def test_two_values_exchanged_are_found():
    change = read_change(TWO[0])
    name, stage = (DEALS.field(each).id for each in ("name", "stage"))
    swapped = {**change.before, name: change.before[stage], stage: change.before[name]}
    assert 2 == len(list(broken_commitments(attrs.evolve(change, before=swapped))))


def test_a_value_without_salt_or_commitment_is_found():
    change = read_change(TWO[0])
    for gone in (attrs.evolve(change, salts={}), attrs.evolve(change, commitment={})):
        assert len(FIELDS) == len(list(broken_commitments(gone)))


def test_a_value_that_was_never_committed_to_is_found():
    change = read_change(TWO[0])
    more = attrs.evolve(change, before={**change.before, 99: ("new",)}, salts={**change.salts, 99: "00"})
    assert ["the value of field 99 in change 200"] == [str(each) for each in broken_commitments(more)]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), st.integers(1, 7))
def test_salt_and_value_cannot_trade_characters(text, cut):
    """What is hashed is salt then value: a longer salt with a shorter value must not fit."""
    part = Edits(
        DEALS, [with_cell(row_of(DEALS, 1), DEALS.layout.index["name"], text)], (DEALS.field("name"),), [("x",)]
    )
    (change,) = map(read_change, changes_of(part))
    name = DEALS.field("name").id
    shifted = {name: change.salts[name] + text[:cut]}
    assume(text[:cut])
    assert suspicious_values(attrs.evolve(change, salts=shifted, before={name: (text[cut:],)}))


def suspicious_values(change):
    return bool(list(broken_commitments(change)))


# -- erasure ----------------------------------------------------------------------------------


@given(rows(DEALS, most=3), st.sets(st.sampled_from(FIELDS)))
def test_erasure_takes_values_and_salts_and_keeps_the_proof(found, fields):
    """What is left verifies, the entry's digest is the same, and nothing of the value can be guessed from it."""
    kept = changes_of(edited(found))
    gone = {int(field.id) for field in fields}
    erased = [_erased(row, gone) for row in kept]
    assert entry_digest(ENTRY, OPERATION, kept) == entry_digest(ENTRY, OPERATION, erased)
    for old, new in zip(map(read_change, kept), map(read_change, erased), strict=True):
        assert list(broken_commitments(new)) == []
        assert {*old.before} - gone == {*new.before} == {*new.salts}
        assert {number: old.before[number] for number in new.before} == new.before
        assert old.commitment == new.commitment


def _erased(row, gone):
    before, rest = without_values(read_change(row), gone)
    first, second = places(CHANGES, "before", "salts")
    return with_cell(with_cell(row, first, before), second, rest)


def test_erasing_twice_is_erasing_once():
    name = int(DEALS.field("name").id)
    once = _erased(TWO[0], {name})
    assert once == _erased(once, {name})


def test_nothing_erased_is_nothing_changed():
    assert TWO[0] == _erased(TWO[0], set())


def test_the_erased_text_stands_nowhere_in_the_row():
    gone = _erased(TWO[0], {int(DEALS.field("name").id)})
    assert "Acme" not in json.dumps(gone)


# -- the digest of an entry -------------------------------------------------------------------

NOT_COVERED = {
    "entries": {"digest", "seal"},
    "operations": {"state", "position", "ended_at"},
    "changes": {"before", "salts"},
}
"""An entry's digest is itself, its seal comes later; how far an operation is goes on; values are committed to."""

ENTRY_CELLS = [name for name in ENTRIES.layout.index if name not in NOT_COVERED["entries"]]
OPERATION_CELLS = [name for name in OPERATIONS.layout.index if name not in NOT_COVERED["operations"]]
CHANGE_CELLS = [name for name in CHANGES.layout.index if name not in NOT_COVERED["changes"]]


@pytest.mark.parametrize("name", ENTRY_CELLS)
@given(st.data())
def test_any_other_cell_of_an_entry_is_found(name, data):
    changed = _with_other(ENTRIES, ENTRY, name, data)
    assert entry_digest(changed, OPERATION, TWO) != DIGEST


@pytest.mark.parametrize("name", OPERATION_CELLS)
@given(st.data())
def test_any_other_cell_of_its_operation_is_found(name, data):
    changed = _with_other(OPERATIONS, OPERATION, name, data)
    assert entry_digest(ENTRY, changed, TWO) != DIGEST


@pytest.mark.parametrize("name", CHANGE_CELLS)
@given(st.data())
def test_any_other_cell_of_a_change_is_found(name, data):
    which = data.draw(st.sampled_from(range(len(TWO))))
    changed = [*TWO]
    changed[which] = _with_other(CHANGES, TWO[which], name, data)
    assert entry_digest(ENTRY, OPERATION, changed) != DIGEST


def _with_other(module, row, name, data):
    place = module.layout.index[name]
    old = row[place]
    other = st.just(another(old)) | st.integers()
    if name != "id":  # no store lets a key be anything but a number
        other |= st.sampled_from([None, str(old), ""]) | st.text(max_size=3)
    new = data.draw(other.filter(lambda value: (type(value), value) != (type(old), old)))
    return with_cell(row, place, new)


@pytest.mark.parametrize("name", sorted(NOT_COVERED["operations"]))
def test_how_far_an_operation_is_may_change(name):
    changed = with_cell(OPERATION, OPERATIONS.layout.index[name], "x")
    assert entry_digest(ENTRY, changed, TWO) == DIGEST


def test_a_change_taken_away_added_or_put_twice_is_found():
    more = changes_of(edited([row_of(DEALS, 3, name="x")]), first=300)
    for found in ([], TWO[:1], TWO[1:], [*TWO, *more], [*TWO, TWO[0]]):
        assert entry_digest(ENTRY, OPERATION, found) != DIGEST


@given(st.permutations(TWO))
def test_the_order_in_which_changes_are_read_does_not_count(found):
    """A store may give them as it likes; their keys say the order."""
    assert entry_digest(ENTRY, OPERATION, found) == DIGEST


def test_a_change_moved_to_another_record_is_found():
    swapped = [_with(TWO[0], "record", 2), _with(TWO[1], "record", 1)]
    assert entry_digest(ENTRY, OPERATION, swapped) != DIGEST


def _with(row, name, value):
    return with_cell(row, CHANGES.layout.index[name], value)


def test_the_columns_of_the_ledgers_are_those_that_were_thought_about():
    """A column added later must be covered, or listed as one that may change."""
    assert {
        "entries": ["id", "operation", "at", "inserts", "digest", "seal"],
        "operations": [
            "id", "state", "cause", "detail", "actor", "on_behalf_of", "digest", "position", "changes", "undo_of",
            "started_at", "ended_at",
        ],
        "changes": ["id", "entry", "module", "record", "kind", "version", "before", "salts", "commitment"],
        "seals": ["id", "entry", "digest", "at"],
    } == {module.name: list(module.layout.index) for module in (ENTRIES, OPERATIONS, CHANGES, SEALS)}  # fmt: skip


# -- seals ------------------------------------------------------------------------------------

DIGESTS = st.text("0123456789abcdef", min_size=32, max_size=32)
CHAIN = st.lists(st.tuples(st.integers(1, 2**62), DIGESTS), min_size=2, max_size=6, unique=True)
AT = "2026-01-31T09:30:00.000000Z"


def sealed(chain, *, at=AT, secret=None):
    found = [GENESIS]
    for key, digest in chain:
        found.append(seal_digest(found[-1], entry_of(key, digest), at=at, secret=secret))
    return found[1:]


def entry_of(key, digest):
    return (key, *with_cell(ENTRY, ENTRIES.layout.index["digest"], digest)[1:])


@given(CHAIN, st.data())
def test_a_seal_covers_all_that_was_sealed_before_it(chain, data):
    """Whatever is changed, left out or exchanged, the last seal is another."""
    at = data.draw(st.integers(0, len(chain) - 1))
    entry, digest = chain[at]
    others = [
        [*chain[:at], (entry + 1, digest), *chain[at + 1 :]],
        [*chain[:at], (entry, f"{digest[1:]}x"), *chain[at + 1 :]],
        [*chain[:at], *chain[at + 1 :]],
        [*chain[1:], chain[0]],
    ]
    for other in others:
        assert sealed(chain)[-1] != sealed(other)[-1]


@given(CHAIN)
def test_what_is_sealed_again_gives_the_same_seals(chain):
    assert sealed(chain) == sealed([*chain])


def test_when_it_was_sealed_is_covered():
    assert sealed([(1, "00")]) != sealed([(1, "00")], at=AT.replace("2026", "2027"))


def test_a_seal_does_not_cover_that_it_was_made():
    """An entry gets the number of its seal afterwards."""
    entry = entry_of(1, "00")
    marked = with_cell(entry, ENTRIES.layout.index["seal"], 9)
    assert seal_digest(GENESIS, entry, at=AT) == seal_digest(GENESIS, marked, at=AT)


@given(CHAIN, st.binary(min_size=1), st.binary(min_size=1))
def test_with_a_secret_only_its_owner_makes_the_seal(chain, secret, other):
    keyed = sealed(chain, secret=secret)
    assert keyed[-1] not in {*sealed(chain)}
    assume(secret.rstrip(b"\0") != other.rstrip(b"\0"))  # HMAC fills keys up with NUL
    assert keyed[-1] != sealed(chain, secret=other)[-1]


def test_a_secret_may_be_empty_but_is_one():
    assert sealed([(1, "00")], secret=b"") != sealed([(1, "00")])


@given(CHAIN)
def test_seals_are_of_one_length_with_what_the_first_follows(chain):
    assert {len(GENESIS)} == {len(each) for each in (*sealed(chain), *sealed(chain, secret=b"x"))}
