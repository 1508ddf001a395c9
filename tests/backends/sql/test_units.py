"""Units of work under threads, processes, forks, kills and full disks."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from nubetis.backends.sql import SqlStore, pool
from nubetis.backends.sql.sqlite import SqliteFile
from nubetis.backends.sql.sqlite.connections import locate
from nubetis.backends.sql.sqlite.faults import translated
from nubetis.backends.sql.sqlite.file import pool_of
from nubetis.errors import Conflict, Damaged, StoreBusy, StoreError
from nubetis.model.bind import ALWAYS
from nubetis.model.store import Batch, Guard, Inserts
from nubetis.testing.store_contract.setting import PEOPLE, StopError, get, keys_of, load, race, row_of, stop, write

PROCESSES = 4
WORKERS = Path(__file__).with_name("workers.py")


def start(name, url, seed, rounds=25):
    arguments = [sys.executable, "-W", "error", WORKERS, name, url, str(seed), str(rounds)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(*processes):
    """Wait for all; give what they printed."""
    ends = [(process.communicate(timeout=120), process.returncode) for process in processes]
    assert [(errors, code) for (_, errors), code in ends] == [("", 0)] * len(ends)
    return [int(printed) for (printed, _), _ in ends]


def adding(count=1):
    return Batch(guards=(Guard(counter="stock", delta=count),))


def in_child(work):
    """Run *work* in a fork; give its exit code."""
    child = os.fork()
    if child == 0:  # pragma: no cover - in the child
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


# -- threads ----------------------------------------------------------------------------------------------------------
def test_eight_threads_write_and_none_is_lost(store):
    def writer(number):
        def work():
            for place in range(40):
                row = row_of(PEOPLE, number * 1000 + place, {"owner": number})
                assert write(store, Batch(parts=(Inserts(PEOPLE, [row]),), guards=adding().guards)).written

        return work

    race(*[writer(number) for number in range(1, 9)])

    assert len(keys_of(store, ALWAYS)) == 320
    assert store.write(lambda txn: txn.allocate("stock")) == 321
    assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == dict.fromkeys(range(1, 9), 40)


def test_readers_do_not_wait_for_a_writer(store):
    inside, done = threading.Event(), threading.Event()

    def unit(txn):
        txn.bulk_load(PEOPLE, [row_of(PEOPLE, 1)])
        inside.set()
        assert done.wait(30)

    def reader():
        assert inside.wait(30)
        assert keys_of(store, ALWAYS) == []
        done.set()

    race(lambda: store.write(unit), reader)

    assert keys_of(store, ALWAYS) == [1]


def test_connections_are_as_many_as_units_at_once(store):
    for _ in range(20):
        race(lambda: keys_of(store, ALWAYS))

    assert len(store._units.pool._idle) == 1


def test_another_writer_is_waited_for_and_then_named(url, store, tmp_path):
    impatient = SqlStore(SqliteFile.at(locate(url), pool_of(locate(url)), make=False), patience=0.05)
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusy) as caught:
            write(impatient, adding())
        link.execute("COMMIT")

    assert caught.value.params["url"] == url
    assert write(impatient, adding()).written
    impatient.close()


def test_a_thread_waits_for_a_thread_no_longer_than_it_must(url, store):
    impatient = SqlStore(SqliteFile.at(locate(url), pool_of(locate(url)), make=False), patience=0.01)
    inside, done = threading.Event(), threading.Event()

    def holder():
        impatient.write(lambda _: (inside.set(), done.wait(30)))

    def other():
        assert inside.wait(30)
        with pytest.raises(StoreBusy):
            write(impatient, adding())
        done.set()

    race(holder, other)
    impatient.close()


def test_a_unit_that_was_overtaken_runs_again(store):
    """The unit is called once more when the driver says busy."""
    calls = []

    def unit(txn):
        calls.append(txn)
        if len(calls) < 3:
            raise _error(sqlite3.SQLITE_BUSY_SNAPSHOT)
        return txn.allocate("x")

    assert store.write(unit) == 1
    assert len(calls) == 3


def test_what_is_kept_of_a_unit_after_its_end_is_closed(store):
    load(store, PEOPLE, [row_of(PEOPLE, key) for key in range(1, 5000)])
    kept = store.read(lambda txn: (txn, txn.stream(PEOPLE)))
    begun = store.read(lambda txn: _begun(txn.stream(PEOPLE, size=10)))

    with pytest.raises(StoreError) as caught:
        kept[0].versions()
    assert caught.value.code == "closed"
    for stream in (kept[1], begun):
        with pytest.raises((StoreError, sqlite3.ProgrammingError)):
            next(stream)


def _begun(stream):
    next(stream)
    return stream


# -- processes --------------------------------------------------------------------------------------------------------
def test_processes_never_take_more_than_there_is(url, store, rng):
    write(store, adding(100))
    seeds = [rng.randrange(1 << 30) for _ in range(PROCESSES)]

    taken = finish(*[start("guards", url, seed) for seed in seeds])

    left = store.write(lambda txn: txn.allocate("stock", 0)) - 1
    assert sum(taken) + left == 100, seeds
    assert left in {0, 1, 2}, seeds


def test_of_structural_changes_under_one_version_one_wins(url, store):
    won = finish(*[start("structure", url, 0) for _ in range(PROCESSES)])

    assert sum(won) == store.read(lambda txn: txn.versions().access)
    assert 25 <= sum(won) <= 25 * PROCESSES


@pytest.mark.parametrize("turn", range(8))
def test_a_killed_process_leaves_whole_units(url, store, rng, turn):
    seed = rng.randrange(1 << 30)
    process = start("dies", url, seed)
    printed, errors = process.communicate(timeout=120)
    acknowledged = len(printed.split())

    assert (process.returncode, errors) == (-signal.SIGKILL, ""), seed
    units = store.write(lambda txn: txn.allocate("written", 0)) - 1
    assert units == acknowledged, seed  # the kill comes before the commit that was not acknowledged
    assert len(keys_of(store, ALWAYS)) == 20 * units, seed
    assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == ({None: 20 * units} if units else {}), seed
    assert store.check() == [], seed


# -- forks ------------------------------------------------------------------------------------------------------------
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_store_works_on_both_sides_of_a_fork(store):
    write(store, adding())

    def child():
        assert write(store, adding()).written
        assert store.read(lambda txn: txn.get_many(PEOPLE, [1])) == [None]
        store.close()

    assert [in_child(child) for _ in range(3)] == [0, 0, 0]
    assert write(store, adding()).written
    assert store.write(lambda txn: txn.allocate("stock")) == 6
    assert store.check() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_no_idle_connection_crosses_a_fork(store):
    keys_of(store, ALWAYS)
    assert store._units.pool._idle

    def child():
        assert not store._units.pool._idle

    assert in_child(child) == 0
    assert not store._units.pool._idle


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_child_born_inside_a_unit_cannot_commit_it(store):
    parent = os.getpid()
    born = []

    def unit(txn):
        txn.bulk_load(PEOPLE, [row_of(PEOPLE, 1)])
        born.append(os.fork())

    try:
        store.write(unit)
    except StoreError as error:  # pragma: no cover - in the child
        os._exit(7 if error.code == "store_failed" and os.getpid() != parent else 1)
    if os.getpid() != parent:  # pragma: no cover - in the child, which must not come so far
        os._exit(2)

    assert os.waitstatus_to_exitcode(os.waitpid(born[0], 0)[1]) == 7
    assert keys_of(store, ALWAYS) == [1]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_child_does_not_wait_for_its_parents_writers(store, monkeypatch):
    """It is refused the file at once: SQLite would have it wait for a lock that nobody gives back."""
    monkeypatch.setattr("nubetis.backends.sql.pool.LONGEST", 0.01)
    inside, done = threading.Event(), threading.Event()

    def holder():
        store.write(lambda _: (inside.set(), done.wait(30)))

    def forker():
        assert inside.wait(30)
        code = in_child(lambda: refused(store))
        done.set()
        return code

    def refused(store):
        with pytest.raises(StoreError, match="forked while"):
            keys_of(store, ALWAYS)

    assert race(holder, forker)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_child_does_not_think_its_parents_threads_are_in_units(store, monkeypatch):
    """Their numbers are given to threads of the child, which would be refused as units inside units."""
    monkeypatch.setattr("nubetis.backends.sql.pool.LONGEST", 0.01)
    inside, done = threading.Event(), threading.Event()

    def holder():
        store.read(lambda _: (inside.set(), done.wait(30)))

    def child():
        assert store._units.pool.busy == set()

    def forker():
        assert inside.wait(30)
        code = in_child(child)
        done.set()
        return code

    assert race(holder, forker)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork")
def test_a_connection_given_back_at_the_last_moment_is_not_used_by_the_child(store, monkeypatch):
    """Another thread may give one back when all idle ones have just been closed."""
    keys_of(store, ALWAYS)
    monkeypatch.setattr(type(store._units.pool), "drain", lambda _: None)

    def child():
        with pytest.raises(StoreError, match="forked while"):
            keys_of(store, ALWAYS)

    assert in_child(child) == 0


# -- what may fail ----------------------------------------------------------------------------------------------------
def full_after(store, pages):
    """Let the file grow by *pages* at most."""
    link = store._units.pool.take()
    (count,) = link.execute("PRAGMA page_count").fetchone()
    link.execute(f"PRAGMA max_page_count = {count + pages}")
    store._units.pool.give(link)
    return link


def test_a_full_disk_leaves_nothing_of_the_unit(store):
    load(store, PEOPLE, [row_of(PEOPLE, 1)])
    full_after(store, 10)

    with pytest.raises(StoreError) as caught:
        load(store, PEOPLE, [row_of(PEOPLE, key, {"note": "x" * 2000}) for key in range(2, 500)])
    assert caught.value.code == "disk_full"
    assert keys_of(store, ALWAYS) == [1]

    load(store, PEOPLE, [row_of(PEOPLE, key, {"note": "x" * 2000}) for key in range(2, 500)])  # room was made
    assert len(keys_of(store, ALWAYS)) == 499
    assert store.check() == []


def test_a_full_disk_ends_a_batch_and_all_that_was_before_it(store):
    """SQLite then takes the whole transaction back by itself; a unit that goes on must not write without one."""
    full_after(store, 10)
    seen = []

    def unit(txn):
        txn.bulk_load(PEOPLE, [row_of(PEOPLE, 1)])
        rows = [row_of(PEOPLE, key, {"note": "x" * 2000}) for key in range(2, 500)]
        try:
            with txn.savepoint():
                txn.write(Batch(parts=(Inserts(PEOPLE, rows),)))
        except sqlite3.OperationalError as error:
            seen.append(error.sqlite_errorname)
        with pytest.raises(StoreError) as caught:
            txn.bulk_load(PEOPLE, [row_of(PEOPLE, 3)])
        assert caught.value.code == "closed"

    with pytest.raises(StoreError):
        store.write(unit)

    assert seen == ["SQLITE_FULL"]
    assert keys_of(store, ALWAYS) == []


def test_a_batch_that_meets_a_full_disk_says_so(store):
    full_after(store, 10)
    rows = [row_of(PEOPLE, key, {"note": "x" * 2000}) for key in range(2, 500)]

    with pytest.raises(StoreError) as caught:
        write(store, Batch(parts=(Inserts(PEOPLE, rows),)))
    assert caught.value.code == "disk_full"


def test_a_unit_cannot_swallow_a_load_that_failed_in_part(store):
    def unit(txn):
        with pytest.raises(Conflict):
            txn.bulk_load(PEOPLE, [row_of(PEOPLE, key, {"code": "x"}) for key in (1, 2)])

    with pytest.raises(StoreError):
        store.write(unit)
    assert keys_of(store, ALWAYS) == []


def test_a_file_that_may_not_be_written_is_read(store):
    load(store, PEOPLE, [row_of(PEOPLE, 1)])
    link = store._units.pool.take()
    link.execute("PRAGMA query_only = ON")
    store._units.pool.give(link)

    assert get(store, 1) == row_of(PEOPLE, 1)
    with pytest.raises(StoreError) as caught:
        write(store, adding())
    assert caught.value.code == "read_only_store"


def test_an_error_of_the_unit_is_passed_on_and_the_connection_kept(store):
    link = store._units.pool._idle[0]
    with pytest.raises(StopError):
        store.write(lambda txn: (txn.bulk_load(PEOPLE, [row_of(PEOPLE, 1)]), stop()))

    assert store._units.pool._idle == [link]
    assert keys_of(store, ALWAYS) == []


def _error(code):
    error = sqlite3.OperationalError("a message with somebody's name")
    error.sqlite_errorcode = code
    error.sqlite_errorname = "SQLITE_X"
    return error


@pytest.mark.parametrize(
    ("code", "kind", "ours"),
    [
        (sqlite3.SQLITE_BUSY, StoreBusy, "store_busy"),
        (sqlite3.SQLITE_CORRUPT, Damaged, "damaged"),
        (sqlite3.SQLITE_NOTADB, Damaged, "not_sqlite"),
        (sqlite3.SQLITE_FULL, StoreError, "disk_full"),
        (sqlite3.SQLITE_READONLY_DBMOVED, StoreError, "read_only_store"),
        (sqlite3.SQLITE_IOERR_WRITE, StoreError, "unwritten"),
        (sqlite3.SQLITE_IOERR_FSYNC, StoreError, "store_failed"),
        (sqlite3.SQLITE_TOOBIG, StoreError, "store_failed"),
    ],
)
def test_what_sqlite_says_in_words_of_ours(code, kind, ours):
    found = translated(_error(code), "sqlite:///a.db")

    assert (type(found), found.code) == (kind, ours)
    assert "somebody" not in str(found)


def test_a_write_that_is_done_stays_done_where_the_log_cannot_be_let_go(store, monkeypatch):
    """What housekeeping meets afterwards is no fault of the writer's; it is tried again."""
    calls = []

    def failing(self, link):
        calls.append(link)
        raise _error(sqlite3.SQLITE_FULL)

    monkeypatch.setattr(SqliteFile, "shed", failing)
    with pytest.raises(StoreError):
        store.compact()
    store.write(lambda txn: txn.allocate("counter"))
    assert (len(calls), store.read(lambda txn: txn.versions().schema) >= 0) == (2, True)


def test_who_is_awaited_by_a_fork_may_use_another_file_too(monkeypatch):
    """A copy reads one store and writes another: a fork that waits for the first must not keep it from the second."""
    one, other = (pool.Pool(lambda: SimpleNamespace(born=0), file=name) for name in "ab")
    held, waiting = one.take(), []
    monkeypatch.setattr(pool, "_forking", [0])
    thread = threading.Thread(target=lambda: waiting.append(other.take()), daemon=True)
    thread.start()
    assert other.take() is not None
    assert waiting == []
    pool._forking.clear()
    thread.join(30)
    assert len(waiting) == 1
    one.give(held)
