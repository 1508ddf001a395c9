"""What the locks of a schema change are there for: each race is brought about, the other stopped half way."""

from __future__ import annotations

import threading
import time
from contextlib import closing

import attrs
import psycopg
import pytest

from nubetis.backends.sql.postgres import open_postgres
from nubetis.backends.sql.postgres.connections import locate
from nubetis.errors import StoreBusy
from nubetis.model.bind import ALWAYS, Missing, OneOf
from nubetis.model.fields import Field
from nubetis.model.findings import Finding
from nubetis.model.fold import fold_text
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema, diff
from nubetis.model.system import COUNTERS, SYSTEM_SCHEMA, TALLIES, VERSIONS
from nubetis.testing.store_contract.setting import PATIENCE, inserting, keys_of, race, row_of


def pets(**settings):
    """Give the modules that every store needs, and pets, whose name is as told."""
    name = Field(name="name", type=kind("text"), **settings)
    return BARE.with_module(Module(name="pets", fields=[name]))


BARE = attrs.evolve(SYSTEM_SCHEMA, modules=(VERSIONS, COUNTERS, TALLIES))
PLAIN, FOLDED = pets(filterable=False), pets(filterable=True)


@pytest.fixture
def url(postgres, request):
    return postgres(request.node.name[:60])


@pytest.fixture
def store(url):
    with closing(open_postgres(url, create=True)) as made:
        made.migrate(diff(Schema(), PLAIN), PLAIN)
        yield made


@pytest.fixture
def beside(url):
    """Give a function that does *work* in a thread, and *then* when it waits for a lock, or is done."""
    plain, _, _ = url.partition("schema=")
    waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'"

    def run(work, then):
        thread = threading.Thread(target=work)
        with closing(psycopg.connect(plain.rstrip("?&"), autocommit=True)) as watching:
            thread.start()
            while thread.is_alive() and watching.execute(waits).fetchone() is None:
                thread.join(0.01)
        then()
        thread.join(PATIENCE)

    return run


def test_who_catches_up_with_twins_waits_for_a_writer_who_knew_none(store, beside):
    """His row was not there to be seen when its twin had to be made."""
    old, new = PLAIN.module("pets"), FOLDED.module("pets")
    store.migrate(diff(PLAIN, FOLDED), FOLDED)
    inside, go = threading.Event(), threading.Event()

    def unit(txn):
        assert txn.write(inserting(old, [row_of(old, 1, {"name": "Ñandú"})])).written
        inside.set()
        go.wait(PATIENCE)

    writer = threading.Thread(target=store.write, args=(unit,))
    writer.start()
    inside.wait(PATIENCE)
    beside(lambda: store.migrate(diff(PLAIN, FOLDED), FOLDED), go.set)
    writer.join(PATIENCE)
    assert keys_of(store, OneOf("name__f", (fold_text("ñandú"),)), new) == [1]
    assert [found for found in store.check(FOLDED) if found.about == "pets"] == []


def test_of_two_that_change_the_schema_the_second_looks_when_the_first_is_done(store, beside):
    """What it looks at is what the first left, so it does no step late."""
    wider = PLAIN.with_field("pets", Field(name="nick", type=kind("text")))
    inside, go, seen = threading.Event(), threading.Event(), []

    def pause(_):
        inside.set()
        go.wait(PATIENCE)

    def look(txn):
        seen.append(txn.count(wider.module("pets"), Missing("nick")))

    steps = diff(PLAIN, wider)
    first = threading.Thread(target=store.migrate, args=(steps, wider), kwargs={"fence": pause})
    first.start()
    inside.wait(PATIENCE)
    beside(lambda: store.migrate(steps, wider, fence=look), go.set)
    first.join(PATIENCE)
    assert seen == [0]


def test_who_makes_tables_again_looks_when_a_change_is_done(store, beside):
    """So it does not take away what the change has made."""
    wider = PLAIN.with_field("pets", Field(name="nick", type=kind("text")))
    inside, go, seen = threading.Event(), threading.Event(), []

    def pause(_):
        inside.set()
        go.wait(PATIENCE)

    def look(txn):
        seen.append(txn.count(wider.module("pets"), Missing("nick")))

    first = threading.Thread(target=store.migrate, args=(diff(PLAIN, wider), wider), kwargs={"fence": pause})
    first.start()
    inside.wait(PATIENCE)
    beside(lambda: store.mend([Finding("tally_wrong", "pets")], PLAIN, fence=look), go.set)
    first.join(PATIENCE)
    assert seen == [0]


# -- patience ---------------------------------------------------------------------------------------------------------
SHORT = 0.6
"""Seconds of patience."""


@pytest.fixture
def impatient(store, url):
    """Give a store of little patience."""
    with closing(open_postgres(url, create=False, patience=SHORT)) as made:
        yield made


@pytest.fixture
def holding(store, url):
    """Give a function that takes a lock by another hand, and who holds it until the test is over."""
    module = PLAIN.module("pets")
    assert store.write(lambda txn: txn.write(inserting(module, [row_of(module, 1, {"name": "Rex"})]))).written
    with closing(psycopg.connect(locate(url).conninfo)) as other:
        other.execute(f'SET search_path TO "{locate(url).schema}"')
        yield other.execute


def alone(store):
    """Let the units of *store* ask others to wait."""
    store._units._crowded = float("inf")


def renaming(txn):
    module = PLAIN.module("pets")
    return txn.update_where(module, ALWAYS, {"name": "Tom"})


def waits_for(store):
    asked = "SELECT setting::int FROM pg_settings WHERE name = 'lock_timeout'"
    return store.write(lambda txn: txn._db.execute(asked).fetchone())[0] / 1000


def test_a_writer_waits_for_a_lock_half_as_long_as_it_has_patience(impatient):
    """Beside others, and alone: a row is waited for twice, and not as long as the server would."""
    assert waits_for(impatient) == SHORT / 2
    alone(impatient)
    assert waits_for(impatient) == pytest.approx(SHORT / 2, abs=0.05)


def test_of_many_that_wait_for_one_row_none_waits_longer_than_it_says(impatient, holding):
    """Who stands behind another gets his turn when that one gives up, and then waits for the row itself."""
    holding("SELECT 1 FROM pets FOR UPDATE")
    waited = []

    def work():
        begun = time.monotonic()
        with pytest.raises(StoreBusy):
            impatient.write(renaming)
        waited.append(time.monotonic() - begun)

    race(*[work] * 4)
    assert SHORT <= min(waited)
    assert max(waited) < 1.4 * SHORT


@pytest.mark.parametrize("lock", ["LOCK TABLE versions IN EXCLUSIVE MODE", "SELECT 1 FROM pets FOR UPDATE"])
@pytest.mark.parametrize("prepare", [lambda _: None, alone], ids=["beside", "alone"])
def test_a_writer_gives_up_when_its_patience_ends(impatient, holding, beside, lock, prepare):
    """What it says it waited is what it waited, and not twice that, or for ever."""
    prepare(impatient)
    holding(lock)
    begun, caught = time.monotonic(), []

    def work():
        try:
            impatient.write(renaming)
        except StoreBusy as error:
            caught.append((error.params["seconds"], time.monotonic() - begun))

    beside(work, lambda: None)
    ((said, waited),) = caught
    assert said == SHORT
    assert SHORT <= waited < 2 * SHORT
    assert holding("SELECT count(*) FROM pg_locks WHERE NOT granted").fetchone() == (0,)


def test_a_reader_gives_up_when_its_patience_ends(impatient, holding):
    holding("LOCK TABLE pets IN ACCESS EXCLUSIVE MODE")
    begun = time.monotonic()
    with pytest.raises(StoreBusy):
        impatient.read(lambda txn: txn.count(PLAIN.module("pets")))
    assert SHORT <= time.monotonic() - begun < 2 * SHORT
