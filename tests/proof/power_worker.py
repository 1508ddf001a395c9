"""Writes units one after the other and says so, until it is gone; started under strace."""

from __future__ import annotations

import os
import sys

from nubetis.backends.sql import open_sqlite
from nubetis.model.bind import ALWAYS, Test
from nubetis.model.fields import Operator
from nubetis.model.store import Batch, Guard, Inserts, Removals, Updates
from nubetis.testing.store_contract.setting import PEOPLE, row_of

REST = 4
"""After so many units the log is brought into the file."""


def step(txn, number):
    """Do unit *number*: it adds, changes, takes out, counts; the same on every store."""
    rows = [
        row_of(PEOPLE, number * 10 + place, {"name": f"Ñ{number}", "note": "x" * 700, "marks": '["a"]', "owner": place})
        for place in range(5)
    ]
    parts = [Inserts(PEOPLE, rows)]
    if number > 1:
        before = (number - 1) * 10
        parts.append(Updates(PEOPLE, ("note", "owner"), [before, before + 1], [("y" * 900, 7), (None, None)], [1, 1]))
        parts.append(Removals(PEOPLE, [before + 2]))
    guard = Guard(counter="written", delta=1)
    assert txn.write(Batch(parts=tuple(parts), guards=(guard,))).written
    txn.update_where(PEOPLE, Test("id", Operator.GE, number * 10), {"size": number})
    assert txn.count(PEOPLE, ALWAYS) == 4 * number + 1


def say(text):
    """Say it in one call of the system, so that it has its place among the others."""
    os.write(1, f"{text}\n".encode())


def main(url, units, rests):
    """Work; with *rests* bring the log into the file now and then."""
    store = open_sqlite(url, create=False)
    for number in range(1, int(units) + 1):
        say(f"begin {number}")
        store.write(lambda txn, number=number: step(txn, number))
        say(f"done {number}")
        if rests == "rests" and number % REST == 0:
            store._units.apart(lambda link: link.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall())
    os._exit(0)  # closing would bring everything to rest


if __name__ == "__main__":
    main(*sys.argv[1:])
