"""The ledger of counts: compacted, it has one line for each value that somebody has, and none for the others."""

from __future__ import annotations

from nubetis.backends.sql import store as sql_store
from nubetis.backends.sql.tallies import Tallies
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


def test_the_total_of_some_values_is_what_their_counts_add_up_to(store):
    load(store, PEOPLE, [row_of(PEOPLE, key, {"owner": key % 7 or None}) for key in range(1, 101)])
    counts = tally_of(store, "owner")
    for values in ([], [1], [1, 1, 2], [None, 3], list(range(-5, 40))):
        found = store.read(lambda txn, given=values: Tallies(txn._db, txn._tables).total(PEOPLE, "owner", given))
        assert found == sum(counts.get(value, 0) for value in set(values))
