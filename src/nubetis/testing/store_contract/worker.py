"""A process of its own that opens a store by its factory and URL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager
from functools import partial
from itertools import count
from multiprocessing import get_all_start_methods, get_context
from random import Random
from typing import IO, TYPE_CHECKING, Final

import attrs

from nubetis.model.store import Batch, Guard, Inserts, Removals, Store, Txn
from nubetis.testing.store_contract.history import work
from nubetis.testing.store_contract.setting import PATIENCE, PEOPLE, PLACES, factory_at, row_of
from nubetis.types import Key

if TYPE_CHECKING:
    from multiprocessing.context import ForkContext, SpawnContext
    from multiprocessing.synchronize import Semaphore

__all__ = ["ROWS", "kill_when_done", "kill_when_told", "killing", "main", "started", "step"]

ROWS: Final = 100
"""Rows that a step adds: writing them takes long enough to be killed in the middle of it."""

_MOST: Final = 3
"""Steps that a writer does at most before the one in which it is killed."""


def _say(*words: object) -> None:
    """Say a line to the case that started this process, whole: it may be killed at any moment."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def step(txn: Txn, number: int) -> None:
    """Do step *number*: add rows, take those of the step before away, count."""
    rows = [row_of(PEOPLE, number * ROWS + place, {"size": number, "owner": place}) for place in range(ROWS)]
    gone = Removals(PEOPLE, [Key((number - 1) * ROWS + place) for place in range(ROWS)])
    guard = Guard(counter="steps", delta=1, floor=number, ceiling=number)
    assert txn.write(Batch(parts=(Inserts(PEOPLE, rows), gone), guards=(guard,))).written


def _seats(store: Store, _number: int, times: int) -> None:
    """Take a seat as often as told, with a pause between reading and writing; say how many were granted."""
    take = Batch(guards=(Guard(counter="seats", delta=-1, floor=0),))

    def unit(txn: Txn) -> bool:
        txn.versions()
        time.sleep(0.001)
        return txn.write(take).written

    _say("done", sum(store.write(unit) for _ in range(times)))


def _fork(store: Store, number: int, _times: int) -> None:
    """Use the store, fork, and use it on both sides."""
    store.write(partial(step, number=number))
    child = os.fork()
    if not child:
        store.write(partial(step, number=number + 1))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    store.write(partial(step, number=number + 2))
    _say("done", status)


def _history(store: Store, writer: int, times: int) -> None:
    """Write as one of many; say what was accepted, an event a line."""
    random = Random(f"history {writer}")
    events = work(store, writer, times=times, random=random, pause=lambda: time.sleep(random.random() / 500))
    for event in events:
        _say(type(event).__name__, json.dumps(attrs.asdict(event)))
    _say("done", len(events))


_TASKS: Final[dict[str, Callable[[Store, int, int], None]]] = {
    "seats": _seats, "fork": _fork, "history": _history,
}  # fmt: skip


@contextmanager
def started(factory: str, url: str, task: str, number: int, *, times: int = 12) -> Generator[IO[str]]:
    """Start a process that does *task*, *times* times; give what it says.  It is killed when this ends."""
    with _running("main", factory, url, task, str(number), str(times)) as process:
        assert process.stdout is not None
        yield process.stdout


@contextmanager
def killing(factory: str, url: str, how: str = "kill_when_told") -> Generator[Callable[..., list[list[str]]]]:
    """Give a function that lets a process do steps from a number on, until it is killed at some moment.

    It gives what the process said, a list of words a line.  Nobody but that process has the store open.  *how* names
    the function of this module that kills; all numbers that are given are told to it.
    """
    with _running(how, factory, url) as process:
        given, said = process.stdin, process.stdout
        assert given is not None
        assert said is not None

        def kill(*numbers: int) -> list[list[str]]:
            given.write(" ".join(map(str, numbers)) + "\n")
            given.flush()
            found = [said.readline().split()]
            while found[-1] and found[-1][0] in {"begin", "done"}:
                found.append(said.readline().split())
            assert found.pop() == ["killed"]
            return found

        yield kill


@contextmanager
def _running(function: str, *arguments: str) -> Generator[subprocess.Popen[str]]:
    """Run a function of this module in a process of its own, which is killed at the end."""
    command = [sys.executable, "-c", f"from {__name__} import {function}; {function}()", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=environment)  # noqa: S603
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def main() -> None:
    """Do the task that the command line names."""
    factory, url, task, number, times = sys.argv[1:]
    with closing(factory_at(factory)(url, create=False)) as store:
        _say("ready")
        _TASKS[task](store, int(number), int(times))


def kill_when_told() -> None:
    """For each number that comes in start a process that does steps from there on, and kill it in the middle of one.

    Whoever is forked need not load everything first, so many can be killed in a second.
    """
    factory, url = sys.argv[1:]
    factory_at(factory)
    context, random = _context(), Random(url)
    for line in sys.stdin:
        begun = context.Semaphore(0)
        process = context.Process(target=_do_steps, args=(factory, url, int(line), begun))
        process.start()
        time.sleep(random.random() * _time_of_a_step(begun, random.randint(1, _MOST)))
        word = "killed" if process.is_alive() else "ended"
        process.kill()
        process.join()
        _say(word)


def kill_when_done() -> None:
    """For each two numbers that come in start a process that writes the small units between them, and kill it then."""
    factory, url = sys.argv[1:]
    factory_at(factory)
    context = _context()
    for line in sys.stdin:
        first, last = map(int, line.split())
        done = context.Semaphore(0)
        process = context.Process(target=_write_units, args=(factory, url, range(first, last + 1), done))
        process.start()
        done.acquire(timeout=PATIENCE)
        process.kill()
        process.join()
        _say("killed")


def _write_units(factory: str, url: str, numbers: range, done: Semaphore) -> None:
    """Write a row in a unit for each of *numbers*, and wait for the end."""
    store = factory_at(factory)(url, create=False)
    for number in numbers:
        rows = [row_of(PLACES, number)]
        store.write(lambda txn, rows=rows: txn.write(Batch(parts=(Inserts(PLACES, rows),))))  # type: ignore[misc]
        _say("done", number)
    done.release()
    time.sleep(PATIENCE)


def _context() -> ForkContext | SpawnContext:
    return get_context("fork") if "fork" in get_all_start_methods() else get_context("spawn")


def _time_of_a_step(begun: Semaphore, steps: int) -> float:
    """Wait until *steps* are done and one more has begun; give the seconds that the last of them took."""
    before = last = time.monotonic()
    for _ in range(steps + 1):
        before = last
        begun.acquire(timeout=PATIENCE)
        last = time.monotonic()
    return last - before


def _do_steps(factory: str, url: str, first: int, begun: Semaphore) -> None:
    """Do one step after the other in a store that is opened here, until somebody ends it."""
    store = factory_at(factory)(url, create=False)
    for number in count(first):
        _say("begin", number)
        begun.release()
        store.write(partial(step, number=number))
        _say("done", number)
