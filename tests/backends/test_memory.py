"""The memory store: what is its own, beyond the contract."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.backends.memory import forget_memory, open_memory
from nubetis.backends.memory.sorted_map import FULL, SortedMap
from nubetis.errors import NotFound, StoreError
from nubetis.model.findings import Finding
from nubetis.model.schema import Schema, diff
from nubetis.model.store import FORMAT
from nubetis.model.system import ROLES, SYSTEM_SCHEMA

STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=200)


def filled(count):
    made = SortedMap()
    for key in range(count):
        made[key] = key
    return made


@given(STEPS)
def test_a_sorted_map_is_a_sorted_dictionary(steps):
    made, expected = filled(FULL - 30), {key: key for key in range(FULL - 30)}
    for put, key in steps:
        if put:
            made[key * 9] = expected[key * 9] = -key - 1
        else:
            assert expected.pop(key * 9, None) == made.pop(key * 9)
    assert (sorted(expected.items()), len(expected)) == (list(made.items()), len(made))


@given(STEPS)
def test_a_fork_leaves_the_older_version_alone(steps):
    old = filled(2 * FULL)
    before, new = list(old.items()), old.fork()
    for put, key in steps:
        if put:
            new[key * 20 + 1] = -1
        else:
            new.pop(key * 20)
        new = new.fork()
    assert before == list(old.items())


@given(st.integers(-2, 2 * FULL + 2))
def test_above_and_below_begin_beside_any_key(key):
    made = filled(2 * FULL)
    assert list(range(max(key + 1, 0), 2 * FULL)) == list(made.above(key))
    assert list(range(min(key, 2 * FULL) - 1, -1, -1)) == list(made.below(key))


def test_keys_in_any_order_split_their_leaves():
    made = SortedMap()
    for key in range(5 * FULL, -1, -1):
        made[key * 7919 % (5 * FULL + 1)] = key
    assert list(range(5 * FULL + 1)) == [key for key, _ in made.items()]
    for key in range(5 * FULL + 1):
        made.pop(key)
    assert (len(made), list(made.values()), made.get(3)) == (0, [], None)


def test_a_store_without_a_name_is_always_new():
    stores = [open_memory("memory://", create=True) for _ in range(2)]
    stores[0].migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    assert [store.format() for store in stores] == [FORMAT, None]


@pytest.mark.parametrize("url", ["memory://", "memory://nobody-made-this"])
def test_opening_what_nobody_made_is_not_found(url):
    with pytest.raises(NotFound) as caught:
        open_memory(url, create=False)
    assert caught.value.code == "no_database"


def test_a_named_store_outlives_its_handles_until_it_is_forgotten():
    url = "memory://outlives"
    store = open_memory(url, create=True)
    store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    store.close()
    again = open_memory(url, create=False)
    assert again.format() == FORMAT
    forget_memory(url)
    assert again.format() == FORMAT
    with pytest.raises(NotFound):
        open_memory(url, create=False)


def test_a_closed_store_says_so():
    store = open_memory("memory://", create=True)
    store.close()
    with pytest.raises(StoreError) as caught:
        store.read(lambda txn: txn.count(ROLES))
    assert caught.value.code == "closed"


def test_a_module_that_was_not_migrated_is_refused():
    store = open_memory("memory://", create=True)
    with pytest.raises(StoreError) as caught:
        store.read(lambda txn: txn.count(ROLES))
    assert "roles" in str(caught.value)


def test_a_transaction_kept_after_its_unit_may_not_write():
    store = open_memory("memory://", create=True)
    store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    kept = store.write(lambda txn: txn)
    with pytest.raises(StoreError):
        kept.allocate("a")


def test_a_row_of_the_wrong_width_is_refused():
    store = open_memory("memory://", create=True)
    store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    with pytest.raises(StoreError):
        store.write(lambda txn: txn.bulk_load(ROLES, [(1, 2, 3)]))


def test_what_is_derived_and_went_astray_is_found():
    store = open_memory("memory://", create=True)
    store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    store._home.tables[ROLES.id].taken["name"]["ghost"] = 1
    assert store.check() == [Finding("index_wrong", "roles")]
    store.mend(store.check(), SYSTEM_SCHEMA)
    assert store.check() == []


def test_the_memory_store_loads_no_sqlalchemy():
    code = "import sys, nubetis.backends.memory, nubetis.backends.blobs; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
