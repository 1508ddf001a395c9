"""Several processes on one store, and a process that is killed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext
from functools import partial
from pathlib import Path
from random import Random
from typing import IO, Final

import pytest

from nubetis.model.store import Batch, ConflictKind, Guard, Store, Txn
from nubetis.testing.store_contract.history import Changed, Event, Moved, faults, prepare, work
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, ContractSetting, all_rows, race, write
from nubetis.testing.store_contract.worker import ROWS, killing, started

__all__ = ["ProcessCases", "events_of"]

_EVENTS: Final[dict[str, type[Event]]] = {"Changed": Changed, "Moved": Moved}
_WRITERS: Final = 8
_KILLED: Final = 12


def _answers(lines: IO[str]) -> list[list[str]]:
    """Give what a process said, when it is done."""
    found: list[list[str]] = []
    for line in lines:
        found.append(line.split(maxsplit=1))
        if found[-1][0] == "done":
            return found
    pytest.fail(f"the process ended early, after {found[-1:]}")


def _event(kind: str, text: str) -> Event:
    values = json.loads(text)
    if kind == "Moved":
        values["versions"] = {int(key): version for key, version in values["versions"].items()}
    return _EVENTS[kind](**values)


def events_of(lines: IO[str]) -> list[Event]:
    """Give the history that a process tells."""
    return [_event(*said) for said in _answers(lines) if said[0] in _EVENTS]


def _greatest(said: list[list[str]], word: str, least: int) -> int:
    """Give the greatest number that was said with *word*."""
    return max([int(number) for first, number in said if first == word], default=least)


class ProcessCases(ContractSetting):
    """What holds between processes, and what a killed one leaves."""

    def _begin(self, stack: ExitStack, folder: Path, task: str, numbers: list[int]) -> list[IO[str]]:
        """Start a process for each of *numbers*; all of them are ready."""
        url = self.url_of(folder)
        found = [stack.enter_context(started(self.factory, url, task, number)) for number in numbers]
        assert [lines.readline() for lines in found] == ["ready\n"] * len(numbers)
        return found

    def test_a_process_killed_while_it_commits_leaves_whole_units(self, tmp_path: Path) -> None:
        """Each unit that it was told of is there, and of the one under way all or nothing; nobody else has it open."""
        with closing(self.fresh_store(tmp_path)) as store:
            self.need(store, "durable")
        self._kill_writers(tmp_path, lambda: closing(self.open_store(tmp_path)))

    def test_what_a_process_wrote_last_is_there_when_it_is_killed_at_once(self, tmp_path: Path) -> None:
        """A unit so small that it may wait for the next to be brought to the disk, and no next one comes."""
        with closing(self.fresh_store(tmp_path)) as store:
            self.need(store, "durable")
        last = 0
        with killing(self.factory, self.url_of(tmp_path), "kill_when_done") as kill:
            for units in (1, 2, 3):
                last += units
                assert _greatest(kill(last - units + 1, last), "done", 0) == last
                with closing(self.open_store(tmp_path)) as store:
                    there = store.read(lambda txn: [row[0] for row in all_rows(txn, PLACES)])
                assert there == list(range(1, last + 1)), f"lost: unit {last} was acknowledged"

    def test_a_process_killed_beside_others_leaves_whole_units(self, store: Store, tmp_path: Path) -> None:
        """The same, where the store is open in another process meanwhile."""
        self.need(store, "processes")
        self._kill_writers(tmp_path, lambda: nullcontext(store))

    def _kill_writers(self, folder: Path, opened: Callable[[], AbstractContextManager[Store]]) -> None:
        """Kill one writer after the other, each at another moment, and look what it left."""
        first = 1
        with killing(self.factory, self.url_of(folder)) as kill:
            for _ in range(_KILLED):
                said = kill(first)
                with opened() as store:
                    last = self._last_step(store)
                    done, begun = [_greatest(said, word, first - 1) for word in ("done", "begin")]
                    assert done <= last, f"lost: step {done} was acknowledged, and what is there is of step {last}"
                    assert last <= begun, f"there is step {last}, and only {begun} was begun"
                    assert store.check() == []
                first = last + 1
        assert first > 1

    def _last_step(self, store: Store) -> int:
        """Give the number of the step whose rows are there: whole, and those of no other."""

        def unit(txn: Txn) -> int:
            rows = all_rows(txn, PEOPLE)
            steps = {int(row[0] or 0) // ROWS for row in rows}
            last = max(steps, default=0)
            assert len(steps) <= 1, f"people: rows of the steps {sorted(steps)} are there together"
            assert len(rows) in {0, ROWS}, f"people: lost {ROWS - len(rows)} of the {ROWS} rows of step {last}"
            counted = Guard(counter="steps", delta=0, floor=last, ceiling=last)
            assert txn.write(Batch(guards=(counted,))).written, f"counters: steps is not {last}, as the rows say"
            return last

        return store.write(unit)

    def test_processes_never_oversell(self, store: Store, tmp_path: Path) -> None:
        """However many ask at once, as many are granted as there are."""
        self.need(store, "processes")
        assert write(store, Batch(guards=(Guard(counter="seats", delta=20),))).written
        with ExitStack() as stack:
            found = self._begin(stack, tmp_path, "seats", [12, 12, 12])
            assert sum(int(_answers(lines)[-1][1]) for lines in found) == 20
        again = write(store, Batch(guards=(Guard(counter="seats", delta=-1, floor=0),)))
        assert [each.kind for each in again.conflicts] == [ConflictKind.GUARD]

    def test_a_store_is_used_on_both_sides_of_a_fork(self, store: Store, tmp_path: Path) -> None:
        """Opened before it, by a process of its own."""
        self.need(store, "processes")
        if not hasattr(os, "fork"):
            pytest.skip("this system has no fork")
        with ExitStack() as stack:
            (lines,) = self._begin(stack, tmp_path, "fork", [1])
            assert _answers(lines)[-1] == ["done", "0\n"]
        assert {int(row[0] or 0) // ROWS for row in store.read(lambda txn: all_rows(txn, PEOPLE))} == {3}

    def test_threads_lose_no_update_and_write_under_no_stale_right(self, store: Store) -> None:
        """Eight of them, who yield to each other between reading and writing; their history is checked afterwards."""
        prepare(store)

        def writer(number: int) -> list[Event]:
            return work(store, number, times=12, random=Random(number), pause=partial(time.sleep, 0))

        found = race(*[partial(writer, number) for number in range(_WRITERS)])
        assert faults([event for events in found for event in events], store) == []
        assert {type(event) for events in found for event in events} == {Changed, Moved}

    def test_processes_lose_no_update_and_write_under_no_stale_right(self, store: Store, tmp_path: Path) -> None:
        """Three of them, who pause between reading and writing."""
        self.need(store, "processes")
        prepare(store)
        with ExitStack() as stack:
            found = self._begin(stack, tmp_path, "history", [1, 2, 3])
            events = [event for lines in found for event in events_of(lines)]
        assert faults(events, store) == []
