"""What units see of each other, by whatever way they look; and that a unit ended by whatever leaves nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from typing import Final, TypeAlias

import pytest

from nubetis.model.bind import ALWAYS, Bound, Linked, Linking, Test
from nubetis.model.fields import Operator
from nubetis.model.query import BoundQuery, Order
from nubetis.model.store import (
    Batch,
    Expect,
    Guard,
    Inserts,
    Measure,
    MeasureKind,
    Removals,
    Store,
    Txn,
    Updates,
    VersionName,
)
from nubetis.model.system import COUNTERS
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import (
    LOGS,
    PEOPLE,
    PLACES,
    ContractSetting,
    StopError,
    all_rows,
    all_there_is,
    cell,
    fill,
    in_thread,
    inserting,
    load,
    people,
    race,
    row_of,
    write,
)
from nubetis.types import Key

__all__ = ["IsolationCases"]

_Way: TypeAlias = Callable[[Txn, Bound], object]

_KEYS: Final = [Key(key) for key in range(1, 60)]
_COUNT: Final = Measure(MeasureKind.COUNT)
_MEETING: Final = 0.01
"""Seconds for which a unit waits for another to have read as well: a store that takes one at a time lets none in."""
_STATES: Final = 25
"""How many states a reader sees beside a writer."""


def _page(txn: Txn, where: Bound, *order: Order) -> object:
    return txn.query(BoundQuery(module=PEOPLE, where=where, order=(*order, Order("id")), limit=100))


WAYS: Final[Mapping[str, _Way]] = {
    "stream": lambda txn, where: all_rows(txn, PEOPLE, where),
    "one column": lambda txn, where: list(txn.stream(PEOPLE, where, columns=["size"])),
    "page": _page,
    "page by size": lambda txn, where: _page(txn, where, Order("size")),
    "count": lambda txn, where: txn.count(PEOPLE, where),
    "count to a limit": lambda txn, where: txn.count(PEOPLE, where, limit=50),
    "aggregate": lambda txn, where: txn.aggregate(PEOPLE, where, measures=[_COUNT, Measure(MeasureKind.SUM, "size")]),
    "groups": lambda txn, where: txn.aggregate(PEOPLE, where, groups=["size"], measures=[_COUNT]),
}
"""Each way to look for people."""

DIRECT: Final[Mapping[str, _Way]] = {
    "keys": lambda txn, _: txn.get_many(PEOPLE, _KEYS),
    "tally": lambda txn, _: txn.tally(PEOPLE, "owner"),
}
"""The ways that take no condition."""

_BOUNDS: Final[Mapping[str, Bound]] = {
    "all": ALWAYS,
    "indexed": Test("size", Operator.GE, 1),
    "folded": Test("name__f", Operator.EQ, "jose"),
}
_ENDINGS: Final = (StopError, KeyboardInterrupt, SystemExit, GeneratorExit)


def _seen(txn: Txn, bounds: Mapping[str, Bound] = _BOUNDS) -> dict[str, object]:
    """Give what is seen of people, by every way of looking."""
    found = {name: look(txn, ALWAYS) for name, look in DIRECT.items()}
    return found | {
        f"{name}, {which}": look(txn, where) for name, look in WAYS.items() for which, where in bounds.items()
    }


def _differing(one: Mapping[str, object], other: Mapping[str, object]) -> list[str]:
    return [name for name, found in one.items() if other[name] != found]


def _change() -> Batch:
    """Give a batch that each way of looking sees: two more, one that is another's, one that is gone."""
    new = [row_of(PEOPLE, key, {"size": 1, "name": "José", "owner": 1}) for key in (8, 9)]
    parts = (Inserts(PEOPLE, new), Updates(PEOPLE, ("owner", "size"), [Key(2)], [(3, 8)]), Removals(PEOPLE, [Key(3)]))
    return Batch(parts=parts, guards=(Guard(counter="seats", delta=1),), expects=(Expect(VersionName.ACCESS, 0),))


def _some() -> list[Mapping[str, int | str]]:
    return [{"size": size, "name": name, "owner": 1} for size in (1, 2) for name in ("José", "Ana")]


@contextmanager
def _switching() -> Generator[None]:
    """Let threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _states(txn: Txn) -> set[int]:
    """Give the numbers that each thing says of how many units there were; more than one is half of a unit."""
    counters = [int(cell(COUNTERS, row, "value") or 0) for row in all_rows(txn, COUNTERS)]
    counts = [txn.count(module) for module in (LOGS, PEOPLE, PLACES)]
    return {txn.versions().access, *(counters or [0]), *counts, txn.tally(PEOPLE, "owner").get(1, 0)}


def _a_state(txn: Txn, number: int) -> None:
    """Do unit *number*."""
    rows = [Inserts(module, [row_of(module, number)]) for module in (PLACES, LOGS)]
    parts = (Inserts(PEOPLE, [row_of(PEOPLE, number, {"owner": 1})]), *rows)
    guard, move = Guard(counter="units", delta=1), Expect(VersionName.ACCESS, number - 1)
    assert txn.write(Batch(parts=parts, guards=(guard,), expects=(move,))).written


def _and_then(ended: threading.Event, work: Callable[[], None]) -> None:
    """Do *work* to its end, whichever it is, and say so."""
    try:
        work()
    finally:
        ended.set()


class IsolationCases(ContractSetting):
    """What a unit sees, by whatever way it looks, and what stays of one that ended otherwise than it should."""

    def test_a_read_unit_sees_one_snapshot_by_every_way_of_looking(self, store: Store) -> None:
        """Another commits after it began: whatever it looks at first or again is as it was; the next unit sees it."""
        load(store, PEOPLE, people(_some()))
        before = store.read(_seen)

        def begun(txn: Txn) -> dict[str, object]:
            txn.versions()
            assert in_thread(lambda: write(store, _change()).written)
            return _seen(txn)

        assert _differing(before, store.read(begun)) == []
        assert _differing(before, store.read(_seen)) == list(before)

    def test_linked_filters_look_at_the_snapshot_of_their_unit(self, store: Store) -> None:
        """Only records that are linked change, meanwhile and by the unit itself; each way of looking follows."""
        self.need(store, "linked_filters")
        load(store, PLACES, [row_of(PLACES, key, {"size": key, "keeper": key}) for key in (1, 2, 3)])
        load(store, PEOPLE, people([{"place": 1, "size": 1}, {"place": 2, "size": 2}, {"place": 2}]))
        one, small = Test("size", Operator.EQ, 1), Test("size", Operator.LE, 1)
        there, back = Linked("place", PLACES, one), Linking(PLACES, "keeper", small)
        look = partial(_seen, bounds={"there": there, "back": back})
        before = store.read(look)
        linked = [name for name in before if name not in DIRECT]

        def move(txn: Txn) -> None:
            sizes = Updates(PLACES, ("size",), _KEYS[:3], [(2,), (1,), (1,)])
            assert txn.write(Batch(parts=(sizes,))).written

        def reading(txn: Txn) -> dict[str, object]:
            txn.versions()
            in_thread(lambda: store.write(move))
            return look(txn)

        def moving(txn: Txn) -> dict[str, object]:
            txn.update_where(PLACES, ALWAYS, {"size": 1})
            return look(txn)

        assert _differing(before, store.read(reading)) == []
        moved = store.read(look)
        assert _differing(before, moved) == linked
        own = store.write(moving)
        assert (_differing(own, store.read(look)), _differing(own, moved)) == ([], linked)

    def test_a_write_unit_sees_its_own_writes_by_every_way_of_looking(self, store: Store) -> None:
        """What it sees is what is there afterwards; what a savepoint lost it does not see."""
        load(store, PEOPLE, people(_some()))
        before = store.read(_seen)

        def unit(txn: Txn) -> dict[str, object]:
            assert _differing(before, _seen(txn)) == []
            assert txn.write(_change()).written
            return _seen(txn)

        own = store.write(unit)
        assert (_differing(own, store.read(_seen)), _differing(own, before)) == ([], list(before))

    def test_a_commit_is_seen_whole_or_not_at_all(self, store: Store) -> None:
        """Rows of three modules, a tally, a counter and a version move together, whoever looks meanwhile."""
        enough, seen = threading.Event(), list[set[int]]()

        def writing() -> None:
            for number in range(1, 100 * _STATES):
                store.write(partial(_a_state, number=number))
                if enough.is_set():
                    return

        def looking() -> None:
            while len(seen) < _STATES and not enough.is_set():
                found = store.read(_states)
                seen.extend([] if found in seen else [found])

        with _switching():
            race(partial(_and_then, enough, writing), partial(_and_then, enough, looking))
        assert [found for found in seen if len(found) > 1] == []

    @pytest.mark.parametrize("way", [*WAYS, *DIRECT])
    def test_of_two_units_that_look_and_find_nothing_one_writes(self, store: Store, way: str) -> None:
        """Whatever a unit looked at, by whatever way: when it is kept, it is as if it had been alone."""
        meeting, look = threading.Barrier(2), {**WAYS, **DIRECT}[way]
        nothing = store.read(lambda txn: look(txn, _BOUNDS["indexed"]))

        def unit(txn: Txn, key: int) -> bool:
            found = look(txn, _BOUNDS["indexed"])
            with suppress(threading.BrokenBarrierError):
                meeting.wait(_MEETING)
            row = row_of(PEOPLE, key, {"size": key, "owner": key})
            return found == nothing and txn.write(inserting(PEOPLE, [row])).written

        found = race(*[partial(store.write, partial(unit, key=key)) for key in (1, 2)])
        assert (sorted(found), store.read(lambda txn: txn.count(PEOPLE))) == ([False, True], 1)

    def test_a_unit_ended_by_whatever_leaves_nothing(self, store: Store) -> None:
        """An interrupt, an exit, a thread that is done with: it is raised, and the store can be written on."""
        fill(store)
        before = store.read(all_there_is)

        def unit(txn: Txn, ending: type[BaseException]) -> None:
            txn.bulk_load(PEOPLE, [row_of(PEOPLE, 100)])
            txn.update_where(PLACES, ALWAYS, {"size": 2})
            assert txn.write(Batch(guards=(Guard(counter="seats", delta=1),))).written
            txn.allocate("numbers")
            raise ending

        for ending in _ENDINGS:
            with pytest.raises(ending):
                store.write(partial(unit, ending=ending))
            require_same(before, store.read(all_there_is))
        assert store.write(lambda txn: txn.allocate("numbers")) == 6

    def test_a_savepoint_ended_by_whatever_keeps_nothing(self, store: Store) -> None:
        """Whoever ends it, the unit that takes that up goes on with what there was."""
        self.need(store, "savepoints")
        load(store, PEOPLE, people(_some()))
        before = store.read(_seen)

        def unit(txn: Txn, ending: type[BaseException]) -> dict[str, object]:
            with suppress(ending), txn.savepoint():
                assert txn.write(_change()).written
                assert _differing(before, _seen(txn)) == list(before)
                raise ending
            return _seen(txn)

        for ending in _ENDINGS:
            assert _differing(before, store.write(partial(unit, ending=ending))) == []
            assert _differing(before, store.read(_seen)) == []
