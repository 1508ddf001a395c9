"""What the locks of a schema change are there for: each race is brought about, the other stopped half way."""

from __future__ import annotations

import threading
from contextlib import closing

import attrs
import psycopg
import pytest

from nubetis.backends.sql.postgres import open_postgres
from nubetis.model.bind import Missing, OneOf
from nubetis.model.fields import Field
from nubetis.model.findings import Finding
from nubetis.model.fold import fold_text
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema, diff
from nubetis.model.system import COUNTERS, SYSTEM_SCHEMA, TALLIES, VERSIONS
from nubetis.testing.store_contract.setting import PATIENCE, inserting, keys_of, row_of


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
