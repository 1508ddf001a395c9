"""What the processes of the tests do; started as ``python workers.py NAME ARGUMENTS``."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import sys
import traceback
from itertools import count

import nubetis
from nubetis.backends.sql import open_sqlite
from nubetis.model.store import Batch, Expect, Guard, Inserts, Updates, VersionName
from nubetis.testing.store_contract.setting import PEOPLE, row_of


def guards(url, seed, rounds):
    """Take from a counter that may not go below 0, as often as it lets; print how often it did."""
    dice, taken = random.Random(seed), 0
    store = open_sqlite(url, create=False)
    for _ in range(int(rounds)):
        wanted = dice.randint(1, 3)
        outcome = store.write(lambda txn, wanted=wanted: txn.write(take(wanted)))
        taken += wanted if outcome.written else 0
    store.close()
    sys.stdout.write(str(taken))


def take(wanted):
    """Give a batch that takes so many from the stock."""
    return Batch(guards=(Guard(counter="stock", delta=-wanted, floor=0),))


def structure(url, _seed, rounds):
    """Read a version, then change under it; print how often nobody was faster."""
    won = 0
    store = open_sqlite(url, create=False)
    for _ in range(int(rounds)):
        seen = store.read(lambda txn: txn.versions().access)
        batch = Batch(expects=(Expect(VersionName.ACCESS, seen),))
        won += store.write(lambda txn, batch=batch: txn.write(batch)).written
    store.close()
    sys.stdout.write(str(won))


def dies(url, seed, _rounds):
    """Write batches of twenty records and one counter until a commit, or the middle of a unit, kills the process.

    What was acknowledged is printed, so that the one who waits knows what must be there.
    """
    dice = random.Random(seed)
    last = dice.randrange(1, 30)
    store = open_sqlite(url, create=False)
    link = store._units.pool.take()
    link.set_trace_callback(_killer(dice, last))
    store._units.pool.give(link)
    for number in range(1, 1000):
        store.write(lambda txn, number=number: _step(txn, number))
        os.write(1, f"{number}\n".encode())


def opens(url, *_):
    """Let processes open an organisation, each killed at another statement, and at each of those about the lease.

    After each print the number of the node that whoever comes next is given.
    """
    seen = []
    _opened(url, seen.append)
    lease = next(place for place, text in enumerate(seen) if text.startswith("UPDATE counters"))
    for last in sorted({*range(1, len(seen), len(seen) // 5), *range(lease - 4, lease + 4)}):
        child = os.fork()
        if not child:
            _open_and_die(url, last)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"the process that was to die at statement {last} of {len(seen)} did not")
        sys.stdout.write(f"{_opened(url)}\n")


def _open_and_die(url, last):
    statements = count()

    def trace(_):
        if next(statements) == last:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        _opened(url, trace)
    except BaseException:  # noqa: BLE001 - whoever waits is told
        traceback.print_exc()
    os._exit(1)


def _opened(url, trace=None):
    """Open an organisation, with *trace* on each of its connections; give its node."""
    connect = sqlite3.connect

    def traced(*given, **more):
        link = connect(*given, **more)
        link.set_trace_callback(trace)
        return link

    sqlite3.connect = traced
    try:
        with nubetis.open(url) as org:
            return org._world.keys._node
    finally:
        sqlite3.connect = connect


def _step(txn, number):
    rows = [row_of(PEOPLE, number * 100 + place, {"size": number, "marks": '["a"]'}) for place in range(20)]
    updates = Updates(PEOPLE, ("note",), [row[0] for row in rows], [(f"n{number}",)] * 20, [1] * 20)
    guard = Guard(counter="written", delta=1)
    assert txn.write(Batch(parts=(Inserts(PEOPLE, rows), updates), guards=(guard,))).written


def _killer(dice, last):
    """Give a trace that kills this process at a random statement of the *last* unit, its COMMIT included."""
    state = {"unit": 0, "left": dice.choice([1, 2, 10, 30, 45, 10_000])}

    def trace(sql):
        state["unit"] += sql.startswith("BEGIN")
        if state["unit"] >= last:
            state["left"] -= 1
            if state["left"] <= 0 or sql == "COMMIT":
                os.kill(os.getpid(), signal.SIGKILL)

    return trace


if __name__ == "__main__":
    {"guards": guards, "structure": structure, "dies": dies, "opens": opens}[sys.argv[1]](*sys.argv[2:])
