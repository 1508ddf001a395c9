"""The ledger of counts: compacted, it has one line for each value that somebody has, and none for the others."""

from __future__ import annotations

import pytest

from nubetis.backends.sql import store as sql_store
from nubetis.backends.sql.tallies import Tallies
from nubetis.model.prepared import Settled
from nubetis.model.store import Batch, Removals
from nubetis.testing.store_contract.setting import PEOPLE, inserting, load, row_of, tally_of, write

OWNERS = "SELECT value, delta FROM tallies WHERE module = ? AND \"column\" = 'owner' ORDER BY value"


def test_two_deltas_of_one_value_become_one(store, query):
    for key in (1, 2):
        load(store, PEOPLE, [row_of(PEOPLE, key, {"owner": 7})])
    assert [("7", 1), ("7", 1)] == query(OWNERS, PEOPLE.id)
    store.compact()

    assert [("7", 2)] == query(OWNERS, PEOPLE.id)


def test_a_value_that_nobody_has_any_more_leaves_no_line(store, query):
    load(store, PEOPLE, [row_of(PEOPLE, 1, {"owner": 7}), row_of(PEOPLE, 2, {"owner": 8})])
    store.write(lambda txn: txn.write(Batch(parts=(Removals(PEOPLE, [1]),))))
    store.compact()

    assert [("8", 1)] == query(OWNERS, PEOPLE.id)
    assert store.check() == []


def test_compacting_again_changes_nothing(store, query):
    load(store, PEOPLE, [row_of(PEOPLE, 1, {"owner": 7})])
    store.compact()
    before = query("SELECT * FROM tallies ORDER BY id")
    store.compact()

    assert before == query("SELECT * FROM tallies ORDER BY id")


def test_the_ledger_is_added_up_once_it_has_grown(store, query, monkeypatch):
    """Nobody asks for it: whoever writes the last of so many deltas does it, and the counts stay."""
    monkeypatch.setattr(sql_store, "_GROWN", 50)
    for key in range(1, 60):
        write(store, inserting(PEOPLE, [row_of(PEOPLE, key, {"owner": key % 3})]))
    (deltas,) = query("SELECT count(*) FROM tallies")[0]
    assert deltas < 30
    assert tally_of(store, "owner") == {0: 19, 1: 20, 2: 20}


def test_a_column_of_many_values_is_added_up_by_one_statement(store, statements):
    """One for each value would scan the ledger each time."""
    for start in (0, 100):
        load(store, PEOPLE, [row_of(PEOPLE, start + key, {"owner": key}) for key in range(1, 101)])
    statements.clear()
    store.write(lambda txn: txn.compact(()))
    assert len([each for each in statements if each.startswith("DELETE")]) <= 3
    assert tally_of(store, "owner") == dict.fromkeys(range(1, 101), 2)


ASKED = [[], [1], [1, 1, 2], [None, 3], [None], list(range(-5, 40)), Settled((3, 4))]
NAMED = [[], ["Añil"], ["", "o'b"], [None, "Añil"], ["nobody", "x" * 3000]]


@pytest.mark.parametrize(("column", "asked"), [("owner", ASKED), ("stage", NAMED)])
def test_what_some_values_and_all_others_have_adds_up(any_store, column, asked):
    """Whole numbers are found by an index, texts are not: the counts are the same."""
    names = [None, "", "Añil", "o'b", "añil", "x" * 3000]
    rows = [row_of(PEOPLE, key, {"owner": key % 7 or None, "stage": names[key % 6]}) for key in range(1, 101)]
    load(any_store, PEOPLE, rows)
    counts = tally_of(any_store, column)
    for values in asked:
        total, without, whole = any_store.read(lambda txn, given=values: sums(txn, column, given))
        assert total == sum(counts.get(value, 0) for value in set(values))
        known = [value for value in values if value is not None]
        assert without == {value: each for value, each in counts.items() if value not in known}
        assert whole == 100


def sums(txn, column, values):
    tallies = Tallies(txn._db, txn._tables)
    known = values if isinstance(values, Settled) else [value for value in values if value is not None]
    return (
        tallies.total(PEOPLE, column, values),
        tallies.without(PEOPLE, column, known),
        tallies.whole(PEOPLE, column),
    )
