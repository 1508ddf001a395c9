"""What may go wrong with a PostgreSQL server: writers that are faster, lines that break, restarts, refused sign-ins."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import traceback
from contextlib import closing
from urllib.parse import quote

import attrs
import psycopg
import pytest

import nubetis
from nubetis.backends.sql.postgres import PostgresSchema, connections, open_postgres
from nubetis.backends.sql.postgres.connections import connect, locate
from nubetis.backends.sql.store import SqlStore
from nubetis.errors import InvalidValue, NewerFormat, StoreError
from nubetis.model import bind
from nubetis.model.fields import Operator
from nubetis.model.schema import Schema, diff
from nubetis.model.system import COUNTERS, SYSTEM_SCHEMA, TALLIES, VERSIONS
from tests.stores import refusing

SECRETS = "hunter2"
BARE = attrs.evolve(SYSTEM_SCHEMA, modules=(VERSIONS, COUNTERS, TALLIES))
"""The modules that every store needs, and no more: others take a second."""


@pytest.fixture
def url(postgres, request):
    """Give the URL of a schema of the test's own."""
    return postgres(request.node.name[-60:])  # its end, where the parameters are


@pytest.fixture
def store(url):
    made = open_postgres(url, create=True)
    made.migrate(diff(Schema(), BARE), BARE)
    yield made
    made.close()


def fail(txn, code):
    txn._db.execute(f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'row (hunter2)'; END $$")


# -- units that are run again -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("code", [
    "40001", "40P01", "55P03", "57P01", "57P02", "57P03", "57P05", "25P03", "08000", "08003", "08006", "08P01",
])  # fmt: skip
def test_a_unit_that_was_taken_back_for_another_is_run_again(store, code):
    runs = []

    def unit(txn):
        runs.append(txn.allocate("x"))
        if len(runs) < 3:
            fail(txn, code)
        return runs[-1]

    assert 1 == store.write(unit)
    assert [1, 1, 1] == runs
    assert 2 == store.write(lambda txn: txn.allocate("x"))


def lock_of(txn):
    """Give how the unit holds the row of versions, by which writers make room for each other."""
    found = txn._db.execute(
        "SELECT mode FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'versions'::regclass AND mode <> %s",
        ("AccessShareLock",),
    )
    return [mode for (mode,) in found.fetchall()]


def test_a_unit_that_is_taken_back_again_and_again_is_run_alone(store):
    """Beside others first; then no other begins, and it comes to its end whatever they do."""
    seen = []

    def unit(txn):
        seen.append(lock_of(txn))
        if len(seen) < 4:
            fail(txn, "40001")

    store.write(unit)
    store.write(unit)
    assert seen == [["RowShareLock"]] * 2 + [["ExclusiveLock"]] * 2 + [["RowShareLock"]]


def test_after_writers_waited_for_each_other_they_queue_for_a_while(store, monkeypatch):
    """The server needs a second to see that: it is not asked to again at once."""
    seen = []

    def unit(txn):
        seen.append(lock_of(txn))
        if len(seen) == 1:
            fail(txn, "40P01")

    store.write(unit)
    store.write(unit)
    monkeypatch.setattr(store._units, "_crowded", 0.0)
    store.write(unit)
    assert seen == [["RowShareLock"], ["ExclusiveLock"], ["ExclusiveLock"], ["RowShareLock"]]


def test_a_unit_that_is_run_alone_sees_what_those_before_it_wrote(store):
    """It waits before it looks, so it is not taken back for what it waited for."""
    inside, waiting, seen = threading.Event(), [], []

    def first(txn):
        seen.append(txn.allocate("x"))
        inside.set()
        while not waiting:
            waiting.extend(txn._db.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchall())

    def alone(txn):
        seen.append(txn.allocate("x"))

    thread = threading.Thread(target=lambda: store.write(first))
    thread.start()
    assert inside.wait(30)
    store._units._crowded = float("inf")
    store.write(alone)
    thread.join(30)
    assert seen == [1, 2]


def test_others_do_not_wait_for_one_that_waits_to_be_alone(store, url):
    """A long unit keeps it from that; meanwhile it asks now and then, and whoever comes between gets on."""
    end, inside, asked = threading.Event(), threading.Event(), threading.Event()

    def long(txn):
        txn.allocate("long")
        inside.set()
        assert end.wait(60)

    def watch():
        with closing(psycopg.connect(url.partition("schema=")[0].rstrip("?&"), autocommit=True)) as other:
            while not other.execute("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'ExclusiveLock'").fetchall():
                pass
        asked.set()

    alone, beside = (open_postgres(url, create=False) for _ in range(2))
    alone._units._crowded = float("inf")
    works = [lambda: store.write(long), watch, lambda: alone.write(lambda txn: txn.allocate("alone"))]
    threads = [threading.Thread(target=work) for work in works]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    threads[2].start()
    assert asked.wait(60)
    assert beside.write(lambda txn: txn.allocate("beside")) == 1
    assert not end.is_set()
    end.set()
    for thread in threads:
        thread.join(60)
    assert beside.write(lambda txn: txn.allocate("alone")) == 2
    for each in (alone, beside):
        each.close()


def test_a_unit_that_cannot_succeed_is_not_run_again_and_shows_no_value(store):
    runs = []

    def unit(txn):
        runs.append(txn.allocate("x"))
        fail(txn, "23514")

    with refusing("store_failed", StoreError) as caught:
        store.write(unit)
    assert [1] == runs
    assert SECRETS not in str(caught.value)
    assert 1 == store.write(lambda txn: txn.allocate("x"))


@pytest.mark.parametrize("kind", ["read", "write"])
def test_a_unit_whose_connection_is_ended_is_run_again_on_another(store, kind):
    runs = []

    def unit(txn):
        runs.append(txn._db.execute("SELECT pg_backend_pid()").fetchone())
        if len(runs) < 2:
            txn._db.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return "done"

    assert "done" == getattr(store, kind)(unit)
    assert 2 == len(set(runs))


def ended(url, number):
    """Wait until the server has let go of a session."""
    with psycopg.connect(locate(url).conninfo, autocommit=True) as raw:
        while raw.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", (number,)).fetchone():
            pass


def test_a_reader_whose_connection_is_ended_as_it_commits_is_run_again(store, url):
    """It wrote nothing, so there is nothing to look for."""
    store.write(lambda txn: txn.allocate("x"))
    runs = []

    def unit(txn):
        found = list(txn.stream(COUNTERS))
        (number,) = txn._db.execute("SELECT pg_backend_pid()").fetchone()
        runs.append(number)
        if len(runs) < 3:
            with psycopg.connect(locate(url).conninfo, autocommit=True) as raw:
                raw.execute("SELECT pg_terminate_backend(%s, 10000)", (number,))
        return found

    assert 1 == len(store.read(unit)[0][0])
    assert 3 == len(set(runs))


@pytest.mark.parametrize("act", ["read", "write", "format", "facts"])
def test_a_session_that_the_server_ended_while_it_was_idle_is_made_anew(store, url, act):
    do = {
        "read": lambda: store.read(lambda txn: txn.versions()),
        "write": lambda: store.write(lambda txn: txn.allocate("x")),
    }.get(act, getattr(store, act))
    do()
    (number,) = store._units.apart(lambda link: link.execute("SELECT pg_backend_pid()").fetchone())
    store._units.apart(lambda link: link.execute("SET idle_session_timeout = '1ms'"))
    ended(url, number)
    do()
    do()


@pytest.mark.parametrize(("kind", "last"), [("read", "statement"), ("read", "commit"), ("write", "statement")])
def test_a_unit_that_thought_too_long_for_the_server_is_run_again(store, url, kind, last):
    """The server ended it while it waited for more, so before the commit; of a write's commit it may not say so."""
    runs = []

    def unit(txn):
        runs.append(txn._db.execute("SELECT pg_backend_pid()").fetchone()[0])
        got = txn.allocate("x") if kind == "write" else 1
        if len(runs) < 2:
            txn._db.execute("SET idle_in_transaction_session_timeout = '1ms'")
            ended(url, runs[-1])
            if last == "statement":
                txn.versions()
        return got

    assert 1 == getattr(store, kind)(unit)
    assert 2 == len(set(runs))


def test_a_connection_that_is_lost_among_many_statements_is_not_used_again(store):
    """The driver sends them together; one that broke in the middle of that never comes out of it, nor is it closed."""
    runs = []

    def unit(txn):
        runs.append(txn._db.execute("SELECT pg_backend_pid()").fetchone())
        if len(runs) < 2:
            link = txn._db._connection.pgconn
            link.enter_pipeline_mode()
            link.send_query_params(b"SELECT 1", None)
            raise psycopg.OperationalError("cannot exit pipeline mode while busy")
        return txn.allocate("x")

    assert store.write(unit) == 1
    assert len(set(runs)) == 2
    assert store.read(lambda txn: txn.versions().schema) == 0


@pytest.mark.parametrize("moment", ["SELECT set_config", "SELECT 1 FROM pg_namespace", "SELECT 1 WHERE has_schema"])
def test_a_connection_that_is_lost_while_one_opens_is_made_again(store, url, monkeypatch, moment):
    """Whoever ends it: the organisation is there, and who opens it asks no more than that."""
    real, ended = psycopg.Connection.execute, []

    def execute(link, query, *given, **more):
        text = query.decode() if isinstance(query, bytes) else query
        if text.startswith(moment) and not ended:
            ended.append(text)
            real(link, "SELECT pg_terminate_backend(pg_backend_pid())")
        return real(link, query, *given, **more)

    monkeypatch.setattr(psycopg.Connection, "execute", execute)
    with closing(open_postgres(url, create=False)) as again:
        assert again.read(lambda txn: txn.versions()).schema == 0
    assert len(ended) == 1


def test_two_units_that_wait_for_each_other_are_both_written(store):
    """A real deadlock: each holds a counter that the other wants."""
    for name in "ab":
        store.write(lambda txn, name=name: txn.allocate(name))
    barrier, first_runs = threading.Barrier(2), []

    def unit(txn, mine, theirs, first):
        txn.allocate(mine)
        if not first:
            first.append(True)
            barrier.wait(30)
        txn.allocate(theirs)

    def work(mine, theirs):
        first = []
        store.write(lambda txn: unit(txn, mine, theirs, first))
        first_runs.extend(first)

    threads = [threading.Thread(target=work, args=pair) for pair in ("ab", "ba")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [True, True] == first_runs
    assert (4, 4) == store.write(lambda txn: (txn.allocate("a"), txn.allocate("b")))


def test_what_nobody_knows_after_a_commit_is_said(store):
    """The line breaks while it commits: the unit is not run again, for it may have been written."""
    runs = []

    def unit(txn):
        runs.append(txn.allocate("x"))
        txn._db.execute(
            "CREATE FUNCTION cut() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(30); RETURN NULL; END'"
        )
        txn._db.execute(
            "CREATE CONSTRAINT TRIGGER cut AFTER UPDATE ON counters DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION cut()"
        )
        txn.allocate("x")

    with refusing("commit_unknown") as caught:
        store.write(unit)
    assert "Look before you make it again" in str(caught.value)
    assert [1] == runs


def test_a_server_that_restarts_is_waited_for(store, postgres_server, monkeypatch):
    monkeypatch.setattr(connections, "_RESTART", 60.0)
    assert 1 == store.write(lambda txn: txn.allocate("x"))
    postgres_server.stop()
    back = threading.Thread(target=postgres_server.start)
    back.start()
    try:
        assert 2 == store.write(lambda txn: txn.allocate("x"))
    finally:
        back.join(60)


def test_a_server_that_does_not_come_back_is_named(store, url, monkeypatch):
    gone = open_postgres(url, create=False)
    monkeypatch.setattr(connections, "_RESTART", 0.0)
    place = locate("postgresql://ana:hunter2@127.0.0.1:1/crm?schema=acme")
    gone._database.pool.drain()
    gone._database.pool._make = lambda: connections.reconnect(place)
    with refusing("unreachable", StoreError):
        gone.read(lambda txn: txn.versions())
    gone.close()


# -- what is refused --------------------------------------------------------------------------------------------------
def test_a_newer_format_is_refused_and_left_as_it_is(store, url):
    store.write(lambda txn: txn._db.execute("UPDATE versions SET format = 999"))
    for act in (nubetis.open, lambda place: nubetis.create(place, administrator="ana@acme.pe")):
        with refusing("newer_format", NewerFormat) as caught:
            act(url)
        assert "format 999" in str(caught.value)
    with refusing("newer_format"):
        store.read(lambda txn: txn.versions())


def test_hostile_names_are_names_and_nothing_else(postgres):
    names = ['a"; DROP SCHEMA public; --', "Ñandú ☃", "select", "A b%20c", "x" * 63, "it's", "$1", "a.b", "\\"]
    with psycopg.connect(locate(postgres("public")).conninfo, autocommit=True) as raw:
        before = {row[0] for row in raw.execute("SELECT nspname FROM pg_namespace")}
        for name in names:
            url = postgres(quote(name))
            with closing(open_postgres(url, create=True)) as store:
                store.migrate(diff(Schema(), BARE), BARE)
                assert 1 == store.format()
        made = {row[0] for row in raw.execute("SELECT nspname FROM pg_namespace")} - before
        assert set(names) == made
        tables = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'counters'"
        assert made <= {row[0] for row in raw.execute(tables)}


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://ana:hunter2#x@h/d", "postgresql://ana:hunter2/x@h/d", "postgresql://ana:hunter2?x@h/d",
        "postgresql://ana:hunter2@x@h/d", "postgresql://ana:[hunter2@h/d", "postgresql://ana:hunter2@h:hunter2/d",
        "postgresql://ana:hunter2:x@h:1:2/d", "postgresql://ana:hunter2@h/d?nonsense=1", "postgresql://ana:hunter2@h/d?schema=",
        "postgresql://ana:\ud800hunter2@h/d", "postgresql://ana:hunter2\u2100@h/d", "oracle://ana:hunter2@h/d",
        "postgresql://ana:hunter2@h/d?schema=%00", "postgresql://ana:hunter2@h/d?profile=hunter2",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_read_is_refused_without_showing_it(url):
    with pytest.raises(InvalidValue) as caught:
        connect(locate(url))
    assert "bad_argument" == caught.value.code
    assert SECRETS not in "".join(traceback.format_exception(caught.value)).replace(url, "")
    assert SECRETS not in f"{caught.value} {caught.value!r}"


def test_what_is_escaped_reaches_the_server_as_it_is():
    place = locate("postgresql://an%40a:p%2F%23%3F%40%3A@[::1]:77,h2/d%20b?schema=acme&sslmode=disable")
    said = psycopg.conninfo.conninfo_to_dict(place.conninfo)
    assert {
        "user": "an@a", "password": "p/#?@:", "host": "::1,h2", "port": "77,", "dbname": "d b", "sslmode": "disable",
    } == said  # fmt: skip
    assert "p/#?@:" not in repr(place)
    assert "p%2F" not in f"{place!r}{place.url}"


@pytest.fixture
def doorkeeper():
    """Give the port of a server that asks for a password and then lets nobody in."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        asked = []

        def serve():
            with closing(listening.accept()[0]) as line:
                while struct.unpack("!ii", line.recv(8))[1] in {80877103, 80877104}:  # no encryption here
                    line.sendall(b"N")
                line.recv(4096)
                line.sendall(b"R" + struct.pack("!ii", 8, 3))
                asked.append(line.recv(4096))
                fields = b'SFATAL\0C28P01\0Mpassword authentication failed for user "ana"\0\0'
                line.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1], asked
        thread.join(30)


def test_a_wrong_password_is_said_and_not_shown(doorkeeper, caplog):
    port, asked = doorkeeper
    caplog.set_level(logging.DEBUG)
    url = f"postgresql://ana:{SECRETS}@127.0.0.1:{port}/crm?schema=acme&gssencmode=disable"
    with refusing("unreachable", StoreError) as caught:
        nubetis.open(url)
    assert b"hunter2" in asked[0]
    assert "password authentication failed" in str(caught.value)
    assert SECRETS not in "".join(traceback.format_exception(caught.value)) + repr(caught.value) + caplog.text


@pytest.mark.parametrize("rows", [3, 20_000])
def test_a_statement_that_fails_among_many_raises_its_own_error_and_nothing_is_logged(postgres, caplog, rows):
    """The driver logs what it skips after that; to standard error, where a host has set up no logging."""
    with closing(connect(locate(postgres("many")))) as link:
        link.execute("CREATE TEMP TABLE many (id integer PRIMARY KEY)")
        link.execute("BEGIN")
        with pytest.raises(psycopg.errors.UniqueViolation):
            link.executemany("INSERT INTO many VALUES (%s)", [(0,), *[(number,) for number in range(rows)]])
        link.execute("ROLLBACK")
        assert link.executemany("INSERT INTO many VALUES (%s)", [(number,) for number in range(rows)]).rowcount == rows
    assert [] == caplog.records


def test_a_database_that_is_not_there_is_said(postgres):
    url = postgres("x").replace("/postgres?", "/no_such_database?")
    with refusing("unreachable", StoreError) as caught:
        nubetis.create(url, administrator="ana@acme.pe")
    assert "no_such_database" in str(caught.value)


@pytest.fixture
def latin(postgres):
    """Give the URL of a schema in a database that keeps text as LATIN1."""
    base = postgres("acme")
    with psycopg.connect(locate(base).conninfo, autocommit=True) as raw:
        raw.execute("CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
        yield base.replace("/postgres?", "/latin?")
        raw.execute("DROP DATABASE latin WITH (FORCE)")


def test_a_database_that_cannot_hold_all_text_is_refused_and_left_as_it_is(latin):
    with refusing("encoding_wrong", StoreError) as caught:
        nubetis.create(latin, administrator="ana@acme.pe")
    assert "LATIN1" in str(caught.value)
    with psycopg.connect(locate(latin).conninfo, autocommit=True) as raw:
        assert raw.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'acme'").fetchone() is None
        raw.execute("CREATE SCHEMA acme")
    with closing(SqlStore(PostgresSchema.at(locate(latin)))) as store:  # as one that was made before
        store.migrate(diff(Schema(), BARE), BARE)
        with refusing("store_failed") as caught:
            store.read(lambda txn: txn.count(COUNTERS, bind.Test("name", Operator.EQ, "☃")))
    assert "UntranslatableCharacter" in str(caught.value)


def test_an_open_organisation_shows_no_password(postgres):
    base = postgres("shows_no_password")
    secret = psycopg.conninfo.conninfo_to_dict(locate(base).conninfo).get("password", SECRETS)
    url = base if secret in base else f"{base}&password={secret}"
    with nubetis.create(url, administrator="ana@acme.pe") as org:
        assert secret not in repr(org)
        with refusing("database_exists") as caught:
            nubetis.create(url, administrator="ana@acme.pe")
        assert secret not in f"{caught.value}{caught.value!r}"
    with refusing("no_database") as caught:
        nubetis.open(url.replace("shows_no", "has_no"))
    assert secret not in f"{caught.value}{caught.value!r}"
