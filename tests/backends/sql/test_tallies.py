"""The ledger of counts: compacted, it has one line for each value that somebody has, and none for the others."""

from __future__ import annotations

from nubetis.model.store import Batch, Removals
from nubetis.testing.store_contract.setting import PEOPLE, load, row_of

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
