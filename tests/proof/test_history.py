"""The history of many writers: nothing is lost and no right is stale on our stores, and broken ones are found out."""

from __future__ import annotations

import os
import time
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import chain
from random import Random

import attrs
import pytest

from nubetis.backends import open_memory
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Updates
from nubetis.testing.store_contract import CONTRACT_SCHEMA
from nubetis.testing.store_contract.history import KEYS, Changed, Moved, faults, prepare, work
from nubetis.testing.store_contract.setting import PEOPLE, factory_at, race
from nubetis.testing.store_contract.several import events_of
from nubetis.testing.store_contract.worker import started

SEED = int(os.environ.get("NUBETIS_TEST_SEED", "0"))
WRITERS = int(os.environ.get("NUBETIS_PROCESSES", "3"))
TIMES = int(os.environ.get("NUBETIS_ROUNDS", "8"))


@contextmanager
def made(factory, url):
    """Make a store with the tables of the contract suite, and the rows that all writers write."""
    with closing(factory_at(factory)(url, create=True)) as store:
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        prepare(store)
        yield store


def by_threads(store, count, times):
    """Let threads write, who yield between reading and writing; give their history."""
    writers = [
        partial(work, store, each, times=times, random=Random(f"{SEED} {each}"), pause=partial(time.sleep, 0))
        for each in range(count)
    ]
    return list(chain.from_iterable(race(*writers)))


@pytest.mark.parametrize("name", ["sqlite", "postgres"])
def test_processes_lose_no_update_and_write_under_no_stale_right(name, request, tmp_path):
    factory, url = f"nubetis.backends:open_{name}", f"sqlite:///{tmp_path}/org.db?profile=fast"
    url = request.getfixturevalue("postgres")(f"history{os.getpid()}") if name == "postgres" else url
    with made(factory, url) as store, ExitStack() as stack:
        seeds = [SEED % 1000 * WRITERS + place for place in range(WRITERS)]
        found = [stack.enter_context(started(factory, url, "history", seed, times=TIMES)) for seed in seeds]
        events = [event for lines in found for event in events_of(lines)]

        assert faults(events, store) == [], f"seed {SEED}"
        assert {type(event) for event in events} == {Changed, Moved}


def test_threads_lose_no_update_in_memory():
    with made("nubetis.backends:open_memory", "memory://") as store:
        assert faults(by_threads(store, 8, TIMES), store) == []


class Broken:
    """A store that breaks one promise."""

    def __init__(self):
        self._store = open_memory("memory://", create=True)

    def __getattr__(self, name):
        return getattr(self._store, name)


class Overwrites(Broken):
    """Takes the version that is there for the one expected: the last writer wins."""

    def write(self, unit):
        return self._store.write(lambda txn: unit(Overwriting(txn)))


class Overwriting:
    def __init__(self, txn):
        self._txn = txn

    def __getattr__(self, name):
        return getattr(self._txn, name)

    def write(self, batch):
        parts = tuple(self._blind(part) if isinstance(part, Updates) else part for part in batch.parts)
        return self._txn.write(attrs.evolve(batch, parts=parts))

    def _blind(self, part):
        rows = self._txn.get_many(part.module, part.keys)
        return attrs.evolve(part, expected=[row[1] for row in rows])


class Forgets(Broken):
    """Answers with the versions that it saw first: rights that were taken away still hold."""

    def write(self, unit):
        return self._store.write(lambda txn: unit(Forgetting(txn, self)))

    first = None


class Forgetting(Overwriting):
    def __init__(self, txn, store):
        super().__init__(txn)
        self._home = store

    def versions(self):
        if self._txn.versions().access % 2 == 0:
            self._home.first = self._txn.versions()
        return self._home.first

    def write(self, batch):
        actual = self._txn.versions().access
        expects = tuple(attrs.evolve(each, version=actual) for each in batch.expects)
        return self._txn.write(attrs.evolve(batch, expects=expects))


@pytest.mark.parametrize(("kind", "word"), [(Overwrites, "had read"), (Forgets, "rights")])
def test_a_broken_store_is_found_out(kind, word):
    """Threads need not meet in one run; in twenty they do."""
    assert any(word in fault for _ in range(20) for fault in _faults_of(kind()))


def _faults_of(store):
    with closing(store):
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        prepare(store)
        return faults(by_threads(store, 8, 30), store)


def test_a_history_is_checked_to_its_end():
    """What the last update wrote must be there; a change that saw a version must come after it."""
    with made("nubetis.backends:open_memory", "memory://") as store:
        changed = Changed(key=1, version=1, before=0, after=7, access=0)
        assert faults([changed], store) == ["1 holds 0, not 7"]
        moved = Moved(access=0, versions=dict.fromkeys(KEYS, 1))
        assert any("beside the change of 0" in fault for fault in faults([changed, moved], store))
        assert store.read(lambda txn: txn.count(PEOPLE)) == len(KEYS)
