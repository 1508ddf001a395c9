"""Units of work: isolation, guards, races, savepoints."""

from __future__ import annotations

import threading
from collections import Counter
from contextlib import suppress
from functools import partial
from itertools import chain, product
from random import Random
from typing import NoReturn

import attrs
import pytest

from nubetis.errors import StoreError
from nubetis.model.bind import (
    ALWAYS,
    Test,
)  # fmt: skip
from nubetis.model.fields import Operator
from nubetis.model.query import BoundQuery
from nubetis.model.store import (
    Batch,
    ConflictKind,
    Expect,
    Guard,
    Inserts,
    Outcome,
    Removals,
    Store,
    Txn,
    VersionName,
    Versions,
    WriteConflict,
)  # fmt: skip
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import (
    LOGS,
    PATIENCE,
    PEOPLE,
    PLACES,
    ContractSetting,
    StopError,
    all_rows,
    all_there_is,
    cell,
    in_thread,
    inserting,
    keys_of,
    kinds,
    load,
    nest,
    people,
    race,
    row_of,
    setting,
    stop,
    write,
)
from nubetis.types import Key, Stored

__all__ = [
    "UnitCases",
]


def _orders(seed: int) -> list[list[int]]:
    """Give the keys of four of six rows, five times, in any order."""
    random = Random(seed)
    return [random.sample(range(1, 7), 4) for _ in range(5)]


class UnitCases(ContractSetting):
    """What units see of each other, and what racing writers may not do."""

    # guards, expects, counters --------------------------------------------------------------------
    def test_a_guard_keeps_its_counter_within_bounds(self, store: Store) -> None:
        """Both bounds are included; the conflict names the counter and its value."""
        up = Batch(guards=(Guard(counter="seats", delta=2, ceiling=4),))
        assert [write(store, up).written for _ in range(3)] == [True, True, False]
        assert (WriteConflict(ConflictKind.GUARD, None, None, "seats", 4),) == write(store, up).conflicts
        down = Batch(guards=(Guard(counter="seats", delta=-4, floor=0),))
        assert [write(store, down).written for _ in range(2)] == [True, False]

    def test_a_guard_looks_at_both_bounds_whichever_way_it_moves(self, store: Store) -> None:
        """A counter that lies beyond a bound is not moved towards it, where it does not come back within."""
        bounds = ((0, None), (None, 0), (0, 4), (-4, 0), (None, None))

        def unit(txn: Txn) -> None:
            for start, delta, (floor, ceiling) in product((-3, 3), (-1, 0, 1, 3), bounds):
                name = f"{start} {delta} {floor} {ceiling}"
                assert txn.write(Batch(guards=(Guard(counter=name, delta=start),))).written
                outcome = txn.write(Batch(guards=(Guard(counter=name, delta=delta, floor=floor, ceiling=ceiling),)))
                end = start + delta
                within = (floor is None or floor <= end) and (ceiling is None or end <= ceiling)
                against = () if within else (WriteConflict(ConflictKind.GUARD, None, None, name, start),)
                assert outcome.conflicts == against

        store.write(unit)

    def test_a_guard_looks_at_what_those_before_it_in_the_batch_have_moved(self, store: Store) -> None:
        """Each of them would fit alone; together they do not, and the counter stays as it was."""
        down = Guard(counter="seats", delta=-1, floor=0)
        assert write(store, Batch(guards=(Guard(counter="seats", delta=2),))).written
        assert kinds(write(store, Batch(guards=(down, down, down)))) == [ConflictKind.GUARD]
        assert write(store, Batch(guards=(Guard(counter="seats", delta=0, floor=2, ceiling=2),))).written
        assert write(store, Batch(guards=(down, down))).written

    def test_a_failed_guard_takes_the_rows_with_it(self, store: Store) -> None:
        """The counter moves with the batch or not at all."""
        guard = Guard(counter="seats", delta=1, ceiling=1)
        batches = [Batch(parts=(Inserts(PEOPLE, [row_of(PEOPLE, key)]),), guards=(guard,)) for key in (1, 2)]
        assert [write(store, batch).written for batch in batches] == [True, False]
        assert keys_of(store, ALWAYS) == [1]

    def test_counters_do_not_know_each_other(self, store: Store) -> None:
        """Names differ to the letter."""
        for name in ("a", "A", "á", "a "):
            assert write(store, Batch(guards=(Guard(counter=name, delta=1, ceiling=1),))).written

    def test_racing_guards_never_oversell(self, store: Store) -> None:
        """Eight threads, each of which reads before it writes, take exactly what there is."""
        assert write(store, Batch(guards=(Guard(counter="seats", delta=20),))).written
        take = Guard(counter="seats", delta=-1, floor=0)

        def unit(txn: Txn) -> bool:
            txn.count(PEOPLE)
            return txn.write(Batch(guards=(take,))).written

        found = race(*[lambda: [store.write(unit) for _ in range(5)]] * 8)
        assert sum(chain(*found)) == 20

    def test_writers_who_meet_inside_their_units_stay_serial(self, store: Store) -> None:
        """The second begins while the first pauses between its read and its write."""
        assert write(store, Batch(guards=(Guard(counter="administrators", delta=2),))).written
        inside, begun = threading.Event(), threading.Event()
        resign = Batch(guards=(Guard(counter="administrators", delta=-1, floor=1),))

        def first(txn: Txn) -> bool:
            txn.versions()
            inside.set()
            begun.wait(PATIENCE)
            return txn.write(resign).written

        def second() -> bool:
            inside.wait(PATIENCE)
            begun.set()
            return write(store, resign).written

        assert sorted(race(lambda: store.write(first), second)) == [False, True]

    def test_units_that_touch_the_same_rows_in_any_order_all_come_to_their_end(self, store: Store) -> None:
        """Six threads of five units, each of which changes four of six rows: none is lost, and none runs for ever."""
        load(store, PEOPLE, people([{"size": 0}] * 6))
        runs, orders = list[int](), {number: _orders(number) for number in range(6)}

        def unit(txn: Txn, number: int, keys: list[int]) -> None:
            runs.append(number)
            for key in keys:
                row = txn.get_many(PEOPLE, [Key(key)])[0]
                size, version = (int(cell(PEOPLE, row, name) or 0) for name in ("size", "version"))
                assert txn.write(setting("size", [key], [size + 1], expected=[version])).written

        def many(number: int) -> None:
            for keys in orders[number]:
                store.write(partial(unit, number=number, keys=keys))

        race(*[partial(many, number) for number in orders])
        asked = Counter(key for several in orders.values() for keys in several for key in keys)
        sizes = {int(row[0] or 0): cell(PEOPLE, row, "size") for row in store.read(lambda txn: all_rows(txn, PEOPLE))}
        assert asked == sizes
        assert len(runs) <= 20 * 30

    def test_rights_that_move_while_a_writer_pauses_are_not_overlooked(self, store: Store) -> None:
        """Who read the access version first, and writes last, either came first or is told that it moved."""
        inside, begun = threading.Event(), threading.Event()

        def first(txn: Txn) -> Outcome:
            seen = txn.versions().access
            inside.set()
            begun.wait(PATIENCE)
            row = row_of(PEOPLE, 1, {"size": seen})
            return txn.write(Batch(parts=(Inserts(PEOPLE, [row]),), expects=(Expect(VersionName.ACCESS, seen),)))

        def second() -> Outcome:
            inside.wait(PATIENCE)
            begun.set()
            return store.write(lambda txn: txn.write(Batch(expects=(Expect(VersionName.ACCESS, 0),))))

        outcomes = race(lambda: store.write(first), second)
        written = sum(outcome.written for outcome in outcomes)
        assert store.read(lambda txn: txn.versions().access) == written
        assert [cell(PEOPLE, row, "size") for row in store.read(lambda txn: all_rows(txn, PEOPLE))] in ([0], [1])

    def test_an_expected_version_is_raised_by_one(self, store: Store) -> None:
        """Each of the numbers by itself."""
        assert Versions(0, 0, 0) == store.read(lambda txn: txn.versions())
        for name, version in ((VersionName.ACCESS, 0), (VersionName.ACCESS, 1), (VersionName.SETTINGS, 0)):
            assert write(store, Batch(expects=(Expect(name, version),))).written
        assert Versions(schema=0, access=2, settings=1) == store.read(lambda txn: txn.versions())

    def test_a_version_that_moved_is_returned_as_a_conflict(self, store: Store) -> None:
        """With what it is now; the rows of the batch are not written."""
        move = Batch(expects=(Expect(VersionName.SCHEMA, 0),))
        assert write(store, move).written
        outcome = write(store, attrs.evolve(move, parts=(Inserts(PEOPLE, [row_of(PEOPLE, 1)]),)))
        assert (WriteConflict(ConflictKind.VERSION, None, None, "schema", 1),) == outcome.conflicts
        assert keys_of(store, ALWAYS) == []

    @pytest.mark.parametrize("moved", [(), (VersionName.ACCESS,), (VersionName.SETTINGS, VersionName.SCHEMA)])
    def test_each_version_is_expected_alone_and_with_the_others(
        self, store: Store, moved: tuple[VersionName, ...]
    ) -> None:
        """Right or wrong, with rows or without: each one that is wrong is named, and then none moves."""
        for name in moved:
            assert write(store, Batch(expects=(Expect(name, 0),))).written
        now = store.read(lambda txn: txn.versions())
        names = list(VersionName)
        for number, offs in enumerate(product((0, 0, 1, -1), repeat=len(names))):
            named = [(name, off) for name, off in zip(names, offs, strict=True) if off]
            asked = tuple([Expect(name, now.of(name) + off) for name, off in zip(names, offs, strict=True)])
            alone = tuple([Expect(name, now.of(name) + off) for name, off in named])
            rows = (Inserts(PLACES, [row_of(PLACES, 1)]),) if number % 2 else ()
            for expects in (asked, alone) if named else ():
                conflicts = write(store, Batch(parts=rows, expects=expects)).conflicts
                found = {(each.kind, each.column, each.actual) for each in conflicts}
                assert {(ConflictKind.VERSION, name, now.of(name)) for name, _ in named} == found
        assert (now, []) == (store.read(lambda txn: txn.versions()), keys_of(store, ALWAYS, PLACES))
        assert write(store, Batch(expects=tuple([Expect(name, now.of(name)) for name in names]))).written
        assert Versions(*[now.of(name) + 1 for name in names]) == store.read(lambda txn: txn.versions())

    def test_of_racing_structural_changes_one_wins_each_round(self, store: Store) -> None:
        """Compare-and-set of the access version by four threads."""
        for version in range(5):
            batch = Batch(expects=(Expect(VersionName.ACCESS, version),))
            assert sum(outcome.written for outcome in race(*[partial(write, store, batch)] * 4)) == 1

    def test_numbers_are_never_given_twice(self, store: Store) -> None:
        """From 1, in one piece each, whoever asks; other counters have their own."""
        assert store.write(lambda t: (t.allocate("a"), t.allocate("a", 10), t.allocate("b"))) == (1, 2, 1)

        def take(count: int) -> list[int]:
            firsts = [store.write(lambda txn: txn.allocate("a", count)) for _ in range(10)]
            return [number for first in firsts for number in range(first, first + count)]

        taken = chain(*race(*[partial(take, count) for count in (1, 2, 3, 4)]))
        assert list(range(12, 112)) == sorted(taken)

    def test_numbers_taken_in_a_lost_savepoint_are_not_given_again(self, store: Store) -> None:
        """Somebody may have seen them: a gap remains, in nested savepoints too; what is given back is only a unit's."""
        self.need(store, "savepoints")
        self.need(store, "savepoints")
        given: list[int] = []

        def unit(txn: Txn) -> None:
            with suppress(StopError), txn.savepoint():
                given.append(txn.allocate("a"))
                with suppress(StopError), txn.savepoint():
                    given.append(txn.allocate("a", 5))
                    stop()
                given.append(txn.allocate("a"))
                stop()
            given.append(txn.allocate("a"))

        store.write(unit)
        given.append(store.write(lambda txn: txn.allocate("a")))
        assert given == [1, 2, 7, 8, 9]

    def test_a_guard_in_a_lost_savepoint_is_taken_back(self, store: Store) -> None:
        """What is guarded goes with the rows, beside numbers that stay taken."""
        self.need(store, "savepoints")

        def unit(txn: Txn) -> None:
            txn.allocate("numbers")
            with suppress(StopError), txn.savepoint():
                txn.allocate("numbers")
                assert txn.write(Batch(guards=(Guard(counter="seats", delta=1, ceiling=1),))).written
                stop()

        store.write(unit)
        assert write(store, Batch(guards=(Guard(counter="seats", delta=1, ceiling=1),))).written
        assert store.write(lambda txn: txn.allocate("numbers")) == 3

    # units ----------------------------------------------------------------------------------------
    def test_a_unit_gives_what_it_returns(self, store: Store) -> None:
        """Reading and writing."""
        assert (store.read(lambda txn: "r"), store.write(lambda txn: "w")) == ("r", "w")

    def test_a_failed_unit_leaves_nothing(self, store: Store) -> None:
        """Neither rows, nor counters, versions or tallies; and the store can be written again."""
        load(store, PEOPLE, people([{"owner": 1}]))
        before = store.read(all_there_is)

        def unit(txn: Txn) -> NoReturn:
            txn.bulk_load(LOGS, [row_of(LOGS, 1)])
            txn.update_where(PEOPLE, ALWAYS, {"owner": 2})
            txn.write(Batch(parts=(Removals(PEOPLE, [Key(1)]),), expects=(Expect(VersionName.ACCESS, 0),)))
            txn.allocate("a", 5)
            stop()

        with pytest.raises(StopError):
            store.write(unit)
        require_same(before, store.read(all_there_is))
        assert store.write(lambda txn: txn.allocate("a")) == 1

    def test_a_write_unit_sees_its_own_writes(self, store: Store) -> None:
        """By every way of reading, before anybody else does."""
        mine, others = threading.Event(), threading.Event()

        def unit(txn: Txn) -> int:
            txn.write(inserting(PEOPLE, people([{"owner": 4, "name": "x"}])))
            where = Test("name__f", Operator.EQ, "x")
            assert 1 == txn.count(PEOPLE, where) == len(all_rows(txn, PEOPLE, where))
            assert len(txn.query(BoundQuery(module=PEOPLE, where=where))) == 1
            assert txn.get_many(PEOPLE, [Key(1)])[0] is not None
            assert txn.tally(PEOPLE, "owner") == {4: 1}
            mine.set()
            return -others.wait(PATIENCE)

        def other() -> int:
            assert mine.wait(PATIENCE)
            count = store.read(lambda txn: txn.count(PEOPLE))
            others.set()
            return count

        assert race(lambda: store.write(unit), other) == [-1, 0]
        assert keys_of(store, ALWAYS) == [1]

    def test_a_read_unit_sees_one_snapshot(self, store: Store) -> None:
        """Another thread commits in the middle; the next unit sees it."""
        load(store, PEOPLE, people([{"owner": 1}]))

        def unit(txn: Txn) -> tuple[object, object]:
            before = all_there_is(txn)
            in_thread(lambda: write(store, inserting(PEOPLE, [row_of(PEOPLE, 2, {"owner": 1})])))
            in_thread(lambda: write(store, Batch(expects=(Expect(VersionName.ACCESS, 0),))))
            return before, all_there_is(txn)

        before, after = store.read(unit)
        require_same(before, after)
        assert keys_of(store, ALWAYS) == [1, 2]

    def test_a_stream_is_not_disturbed_by_writers(self, store: Store) -> None:
        """Rows taken out meanwhile are still given."""
        load(store, PEOPLE, people([{}] * 50))

        def unit(txn: Txn) -> list[Stored]:
            stream = txn.stream(PEOPLE, columns=["id"], size=7)
            first = next(stream)
            in_thread(lambda: write(store, Batch(parts=(Removals(PEOPLE, list(map(Key, range(1, 51)))),))))
            return [key for (keys,) in [first, *stream] for key in keys]

        assert list(range(1, 51)) == store.read(unit)

    def test_a_unit_inside_a_unit_is_refused(self, store: Store) -> None:
        """It would wait for the outer one, or see half of it."""
        for outer in (store.read, store.write):
            for inner in (store.read, store.write):
                with pytest.raises(StoreError) as caught:
                    outer(nest(inner))
                assert caught.value.code == "store_failed"
        assert store.write(lambda txn: txn.allocate("a")) == 1

    def test_a_transaction_ends_with_its_unit(self, store: Store) -> None:
        """Who kept it cannot write any more."""
        kept = store.write(lambda txn: txn)
        with pytest.raises(StoreError):
            kept.write(inserting(PEOPLE, [row_of(PEOPLE, 1)]))
        assert keys_of(store, ALWAYS) == []

    def test_a_read_unit_may_not_write(self, store: Store) -> None:
        """It is refused, and the store is as it was."""
        with pytest.raises(StoreError) as caught:
            store.read(lambda txn: txn.write(inserting(PEOPLE, [row_of(PEOPLE, 1)])))
        assert caught.value.code == "store_failed"
        assert keys_of(store, ALWAYS) == []

    def test_a_savepoint_that_raises_leaves_nothing_and_the_unit_goes_on(self, store: Store) -> None:
        """Nested ones, too: the outer keeps what the inner did not lose."""
        self.need(store, "savepoints")

        def unit(txn: Txn) -> None:
            txn.write(inserting(PEOPLE, [row_of(PEOPLE, 1, {"owner": 1})]))
            with txn.savepoint():
                txn.write(inserting(PEOPLE, [row_of(PEOPLE, 2, {"owner": 2})]))
                _lose(txn, inserting(PEOPLE, [row_of(PEOPLE, 3, {"owner": 3})]))
                assert txn.tally(PEOPLE, "owner") == {1: 1, 2: 1}
            _lose(txn, Batch(parts=(Removals(PEOPLE, [Key(1)]),), guards=(Guard(counter="g", delta=1),)))
            assert txn.write(Batch(guards=(Guard(counter="g", delta=1, ceiling=1),))).written

        store.write(unit)
        assert keys_of(store, ALWAYS) == [1, 2]


def _lose(txn: Txn, batch: Batch) -> None:
    """Write *batch* and more in a savepoint that raises."""
    with suppress(StopError), txn.savepoint():
        assert txn.write(batch).written
        txn.update_where(PEOPLE, ALWAYS, {"owner": 9})
        stop()
