"""What is left of PostgreSQL when its power goes: syncs before an acknowledgement, and servers that crash.

In CI a sample; ``nox -s power`` does many.  A crash is named by its seed and number.
"""

from __future__ import annotations

import os
import threading
from contextlib import closing, suppress
from itertools import pairwise
from random import Random

import psycopg
import pytest

from nubetis.backends.memory import open_memory
from nubetis.backends.sql.postgres import connections, open_postgres
from nubetis.errors import StoreError
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, all_there_is
from tests.proof.power_worker import step
from tests.servers import crash

SEED = os.environ.get("NUBETIS_TEST_SEED", "0")
CRASHES = int(os.environ.get("NUBETIS_CRASHES", "2"))
UNITS = 10
WIDEST = 8
"""A crash comes in one of so many units after the last."""
SYNCS = {True: "SELECT wal_sync FROM pg_stat_wal", False: "SELECT sum(fsyncs) FROM pg_stat_io WHERE object = 'wal'"}


@pytest.fixture
def url_of(postgres, request):
    """Give the URL of a schema of this test's own, with the tables of the contract suite, by the profile."""
    base = postgres(f"power_{request.node.name[:40]}").replace("&profile=fast", "")

    def made(profile):
        url = base.replace("schema=power", f"schema={profile}_power") + f"&profile={profile}"
        with closing(open_postgres(url, create=True)) as store:
            store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
            store.read(lambda txn: txn._db.execute("CHECKPOINT"))  # or a fast one would be lost with the rest
        return url

    return made


@pytest.fixture
def plain(postgres):
    """Give a connection beside the store's, to a server that waits for its disk as a real one does."""
    bare = postgres("x").partition("schema=")[0].rstrip("?&")
    with psycopg.connect(bare, autocommit=True) as link:
        before = link.execute("SHOW fsync").fetchone()[0]
        settle(link, bare, "on", "10s")
        yield link
        settle(link, bare, before, "200ms")


def settle(link, url, fsync, pause):
    """Have the server sync or not, and its own writer rest so long, until one that connects sees it."""
    link.execute(f"ALTER SYSTEM SET fsync = '{fsync}'")
    link.execute(f"ALTER SYSTEM SET wal_writer_delay = '{pause}'")
    link.execute("SELECT pg_reload_conf()")
    for _ in range(1000):
        with psycopg.connect(url) as seen:
            if seen.execute("SHOW fsync").fetchone() == (fsync,):
                return
    pytest.fail("the server does not take the setting: was it given on its command line?")


def unit(txn, number):
    """Do unit *number*, and have the server count its syncs at once, not within a second."""
    step(txn, number)
    txn._db.execute("SELECT pg_stat_force_next_flush()")


def waits(store, link):
    """Give how often the log was synced in each unit, before it was acknowledged."""
    ask = SYNCS[link.info.server_version < 180_000]
    counts = [link.execute(ask).fetchone()[0]]
    for number in range(1, UNITS + 1):
        store.write(lambda txn, number=number: unit(txn, number))
        counts.append(link.execute(ask).fetchone()[0])
    return [after - before for before, after in pairwise(counts)]


def test_a_durable_unit_is_synced_before_it_is_acknowledged(url_of, plain):
    with closing(open_postgres(url_of("durable"), create=False)) as store:
        assert [] == [number for number, count in enumerate(waits(store, plain), 1) if not count]


def test_a_fast_unit_waits_for_no_sync(url_of, plain):
    """Which also shows that the count can tell; the server's own writer may sync now and then."""
    with closing(open_postgres(url_of("fast"), create=False)) as store:
        assert 0 in waits(store, plain)


class Model:
    """What a store holds after each number of units, as the memory store has it."""

    def __init__(self):
        self._store = open_memory("memory://", create=True)
        self._store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        self._states = [self._store.read(all_there_is)]

    def between(self, least, most):
        """Give the states by number of units, from *least* to *most*."""
        while len(self._states) <= most:
            self._store.write(lambda txn: step(txn, len(self._states)))
            self._states.append(self._store.read(all_there_is))
        return dict(list(enumerate(self._states))[least : most + 1])


@pytest.fixture(scope="module")
def model():
    return Model()


class Writer(threading.Thread):
    """Writes unit after unit after the *last*, until the server is gone; *middle* is set in unit *wanted*."""

    def __init__(self, url, last, wanted):
        super().__init__()
        self.url, self.begun, self.done, self.wanted, self.middle = url, last, last, wanted, threading.Event()

    def run(self):
        with closing(open_postgres(self.url, create=False)) as store, suppress(StoreError):
            while True:
                self.begun += 1
                store.write(self._unit)
                self.done = self.begun

    def _unit(self, txn):
        if self.begun == self.wanted:
            self.middle.set()
        step(txn, self.begun)


@pytest.mark.parametrize("profile", ["durable", "fast"])
def test_after_a_crash_of_the_server_whole_units_are_there_and_all_that_were_promised(
    url_of, postgres_server, model, profile, monkeypatch
):
    """The server is ended without a last checkpoint while one writes; it recovers from its log."""
    monkeypatch.setattr(connections, "_RESTART", 0.0)
    url, last = url_of(profile), 0
    for number in range(CRASHES):
        writer = Writer(url, last, last + Random(f"{SEED} {profile} {number}").randint(1, WIDEST))
        writer.start()
        assert writer.middle.wait(60)
        crash(postgres_server)
        writer.join(60)
        postgres_server.start()
        with closing(open_postgres(url, create=False)) as store:
            found = store.read(all_there_is)
            assert {"not_durable"} >= {finding.code for finding in store.check()}
        possible = model.between(writer.done if profile == "durable" else last, writer.begun)
        assert found in possible.values(), f"crash {number} of seed {SEED}"
        last = next(units for units, state in possible.items() if state == found)
