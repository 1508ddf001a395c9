"""A process of its own that opens a store by its factory and URL."""
# ruff: noqa: T201 - it talks to the case that started it

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial
from random import Random
from typing import IO, Final

import attrs

from nubetis.model.store import Batch, Guard, Inserts, Removals, Store, Txn
from nubetis.testing.store_contract.history import work
from nubetis.testing.store_contract.setting import PEOPLE, factory_at, row_of
from nubetis.types import Key

__all__ = ["ROWS", "main", "started", "step"]

ROWS: Final = 20
"""Rows that a step adds."""


def step(txn: Txn, number: int) -> None:
    """Do step *number*: add rows, take those of the step before away, count."""
    rows = [row_of(PEOPLE, number * ROWS + place, {"size": number, "owner": place}) for place in range(ROWS)]
    gone = Removals(PEOPLE, [Key((number - 1) * ROWS + place) for place in range(ROWS)])
    guard = Guard(counter="steps", delta=1, floor=number, ceiling=number)
    assert txn.write(Batch(parts=(Inserts(PEOPLE, rows), gone), guards=(guard,))).written


def _steps(store: Store, first: int, _times: int) -> None:
    """Do one step after the other, until somebody ends it."""
    while True:
        print("begin", first, flush=True)
        store.write(partial(step, number=first))
        print("done", first, flush=True)
        first += 1


def _seats(store: Store, _number: int, times: int) -> None:
    """Take a seat as often as told, with a pause between reading and writing; say how many were granted."""
    take = Batch(guards=(Guard(counter="seats", delta=-1, floor=0),))

    def unit(txn: Txn) -> bool:
        txn.versions()
        time.sleep(0.001)
        return txn.write(take).written

    print("done", sum(store.write(unit) for _ in range(times)), flush=True)


def _fork(store: Store, number: int, _times: int) -> None:
    """Use the store, fork, and use it on both sides."""
    store.write(partial(step, number=number))
    child = os.fork()
    if not child:
        store.write(partial(step, number=number + 1))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    store.write(partial(step, number=number + 2))
    print("done", status, flush=True)


def _history(store: Store, writer: int, times: int) -> None:
    """Write as one of many; say what was accepted, an event a line."""
    random = Random(f"history {writer}")
    events = work(store, writer, times=times, random=random, pause=lambda: time.sleep(random.random() / 500))
    for event in events:
        print(type(event).__name__, json.dumps(attrs.asdict(event)), flush=True)
    print("done", len(events), flush=True)


_TASKS: Final[dict[str, Callable[[Store, int, int], None]]] = {
    "steps": _steps, "seats": _seats, "fork": _fork, "history": _history,
}  # fmt: skip


@contextmanager
def started(factory: str, url: str, task: str, number: int, *, times: int = 12) -> Generator[IO[str]]:
    """Start a process that does *task*, *times* times; give what it says.  It is killed when this ends."""
    command = [
        sys.executable,
        "-c",
        f"from {__name__} import main; main()",
        factory,
        url,
        task,
        str(number),
        str(times),
    ]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
    assert process.stdout is not None
    try:
        yield process.stdout
    finally:
        process.kill()
        process.stdout.close()
        process.wait()


def main() -> None:
    """Do the task that the command line names."""
    factory, url, task, number, times = sys.argv[1:]
    with closing(factory_at(factory)(url, create=False)) as store:
        print("ready", flush=True)
        _TASKS[task](store, int(number), int(times))
