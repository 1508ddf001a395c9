"""Writing rows: batches, versions, uniqueness, bulk."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from random import Random

import pytest

from nubetis.errors import Conflict, StoreError
from nubetis.model.bind import (
    ALWAYS,
    All,
    Holds,
    Missing,
    No,
    Test,
)  # fmt: skip
from nubetis.model.fields import Operator
from nubetis.model.fold import fold_text
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
    Updates,
    VersionName,
    Versions,
    WriteConflict,
)  # fmt: skip
from nubetis.testing.generate import INTEGERS
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import (
    HOSTILE,
    LOGS,
    PATIENCE,
    PEOPLE,
    PLACES,
    ContractSetting,
    StopError,
    all_rows,
    all_there_is,
    cell,
    fill,
    get,
    inserting,
    keys_of,
    kinds,
    load,
    people,
    race,
    row_of,
    setting,
    write,
)
from nubetis.types import Key, Row, Stored

__all__ = [
    "WritingCases",
]


def _against(now: Versions) -> Mapping[ConflictKind, Batch]:
    """Give what a store that was filled has one thing against, by its kind."""
    return {
        ConflictKind.STALE: setting("size", [101], [7], expected=[9]),
        ConflictKind.MISSING: setting("size", [777], [7]),
        ConflictKind.UNIQUE: inserting(PEOPLE, [row_of(PEOPLE, 103, {"code": "X_"})]),
        ConflictKind.TAKEN: inserting(PEOPLE, [row_of(PEOPLE, 101)]),
        ConflictKind.GUARD: Batch(guards=(Guard(counter="seats", delta=1, floor=0),)),
        ConflictKind.VERSION: Batch(expects=(Expect(VersionName.SETTINGS, now.settings + 1),)),
    }


class WritingCases(ContractSetting):
    """What a batch and a bulk load do, and what stands against them."""

    # rows -----------------------------------------------------------------------------------------
    def test_rows_come_back_as_they_were_written(self, store: Store) -> None:
        """Hostile texts, huge and negative numbers, bytes and empty cells come back to the letter."""
        cells = [{"name": text, "note": text} for text in HOSTILE] + [{"size": number} for number in INTEGERS]
        rows = people([*cells, {"face": bytes(range(256)), "worth": 5, "worth.currency": "PEN", "worth.home": 5}])
        assert write(store, inserting(PEOPLE, rows)).written
        keys = [Key(int(row[0] or 0)) for row in rows]
        assert rows == store.read(lambda txn: txn.get_many(PEOPLE, keys))

    def test_get_many_keeps_the_order_asked_for_and_says_what_is_missing(self, store: Store) -> None:
        """Also of keys that are asked twice, and of more keys than a statement has parameters."""
        there = range(1, 2001)
        load(store, LOGS, [row_of(LOGS, key) for key in there])
        keys = [Key(3), Key(9000), Key(1), Key(3), *map(Key, range(1001, 40_000)), Key(2), Key(3)]
        found = store.read(lambda txn: txn.get_many(LOGS, keys))
        assert [row and row[0] for row in found] == [key if key in there else None for key in keys]

    @pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 999, 1000, 1001, 2000])
    def test_get_many_gives_every_row_of_a_lot_of_any_size(self, store: Store, count: int) -> None:
        """In an order that is not theirs, with some asked twice and one in the middle that is not there."""
        load(store, LOGS, [row_of(LOGS, key, {"size": key}) for key in range(1, 2001)])
        keys = Random(count).choices([Key(key) for key in range(1, 2001)], k=count)
        lacking = [Key(9000) if place == count // 2 else key for place, key in enumerate(keys)]
        for asked in (keys, sorted(keys), lacking):
            found = store.read(lambda txn, asked=asked: txn.get_many(LOGS, asked))  # type: ignore[misc]
            assert [row and row[0] for row in found] == [key if key < 9000 else None for key in asked]

    def test_get_many_gives_deleted_rows_too(self, store: Store) -> None:
        """Whether a record is in the recycle bin is not the store's business."""
        load(store, PEOPLE, people([{"deleted_in": 5}]))
        assert get(store, 1) is not None

    def test_the_same_key_in_two_modules_is_two_rows(self, store: Store) -> None:
        """A key names a row within its module."""
        load(store, PEOPLE, [row_of(PEOPLE, 1, {"size": 1})])
        load(store, PLACES, [row_of(PLACES, 1, {"size": 2})])
        assert write(store, Batch(parts=(Removals(PEOPLE, [Key(1)]),))).written
        assert (get(store, 1), cell(PLACES, get(store, 1, PLACES), "size")) == (None, 2)

    def test_a_taken_key_is_returned_as_a_conflict(self, store: Store) -> None:
        """The row that has the key keeps its values, even when it is deleted."""
        load(store, PEOPLE, people([{"name": "first", "deleted_in": 4}]))
        outcome = write(store, inserting(PEOPLE, [row_of(PEOPLE, 1, {"name": "second"})]))
        assert (outcome.conflicts[0].kind, outcome.conflicts[0].key) == (ConflictKind.TAKEN, 1)
        assert cell(PEOPLE, get(store, 1), "name") == "first"

    def test_removals_take_rows_out_and_missing_keys_do_no_harm(self, store: Store) -> None:
        """More keys than a statement has parameters, too."""
        load(store, PEOPLE, people([{}] * 3))
        assert write(store, Batch(parts=(Removals(PEOPLE, list(map(Key, range(2, 40_000)))),))).written
        assert keys_of(store, ALWAYS) == [1]

    def test_a_key_that_is_named_twice_is_removed_once(self, store: Store) -> None:
        """In one part or in two: what is derived of it goes once, and what it held is free."""
        load(store, PEOPLE, people([{"owner": 1, "code": "x", "marks": '["a"]'}, {"owner": 1}, {"owner": 2}]))
        keys = [Key(1), Key(9), Key(1), Key(9), Key(1)]
        assert write(store, Batch(parts=(Removals(PEOPLE, keys), Removals(PEOPLE, keys[:2])))).written
        assert (keys_of(store, ALWAYS), keys_of(store, Holds("marks", "a"))) == ([2, 3], [])
        assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == {1: 1, 2: 1}
        assert write(store, inserting(PEOPLE, [row_of(PEOPLE, 1, {"code": "X"})])).written

    def test_updates_set_the_named_columns_only(self, store: Store) -> None:
        """Each row gets its own values; an empty value can be set."""
        load(store, PEOPLE, people([{"name": "a", "size": 1}, {"name": "b", "size": 2}]))
        part = Updates(PEOPLE, ("name", "size"), [Key(2), Key(1)], [(None, 20), ("A", 10)])
        assert write(store, Batch(parts=(part,))).written
        rows = store.read(lambda txn: txn.get_many(PEOPLE, [Key(1), Key(2)]))
        assert [(cell(PEOPLE, r, "name"), cell(PEOPLE, r, "size")) for r in rows] == [("A", 10), (None, 20)]

    def test_an_update_moves_the_folded_twin(self, store: Store) -> None:
        """Filters see the new text and no longer the old one."""
        load(store, PEOPLE, people([{"name": "Ágata"}]))
        write(store, setting("name", [1], ["Peña"]))
        old, new = (Test("name__f", Operator.EQ, fold_text(text)) for text in ("AGATA", "PEÑA"))
        assert (keys_of(store, old), keys_of(store, new)) == ([], [1])

    def test_a_batch_of_thousands_is_one_batch(self, store: Store) -> None:
        """Inserts, updates and removals beyond any limit of one statement."""
        rows = [row_of(LOGS, key, {"size": key}) for key in range(1, 6001)]
        assert write(store, inserting(LOGS, rows)).written
        keys = [Key(key) for key in range(1, 6001)]
        more: list[Row] = [(key + 1,) for key in keys]
        assert write(store, Batch(parts=(Updates(LOGS, ("size",), keys, more), Removals(LOGS, keys[3000:])))).written
        assert more[:3000] == [(size,) for size in chain(*[c[0] for c in self._sizes(store)])]

    def _sizes(self, store: Store) -> list[tuple[Sequence[Stored], ...]]:
        return store.read(lambda txn: list(txn.stream(LOGS, columns=["size"])))

    # versions -------------------------------------------------------------------------------------
    def test_an_update_with_the_right_version_raises_it_by_one(self, store: Store) -> None:
        """The writer need not set it."""
        load(store, PEOPLE, people([{"size": 1}]))
        assert write(store, setting("size", [1], [2], expected=[1])).written
        assert (cell(PEOPLE, get(store, 1), "version"), cell(PEOPLE, get(store, 1), "size")) == (2, 2)

    def test_a_stale_version_is_returned_with_the_one_found(self, store: Store) -> None:
        """Nothing of the batch is written then."""
        load(store, PEOPLE, people([{"size": 1}, {"size": 1, "version": 5}]))
        outcome = write(store, setting("size", [1, 2], [7, 7], expected=[1, 4]))
        assert (WriteConflict(ConflictKind.STALE, PEOPLE, Key(2), "", 5),) == outcome.conflicts
        assert [cell(PEOPLE, get(store, key), "size") for key in (1, 2)] == [1, 1]

    def test_all_stale_rows_are_named(self, store: Store) -> None:
        """Not only the first."""
        load(store, PEOPLE, people([{"version": 2}, {"version": 3}, {}]))
        outcome = write(store, setting("size", [1, 2, 3], [0, 0, 0], expected=[1, 1, 1]))
        assert {(1, 2), (2, 3)} == {(conflict.key, conflict.actual) for conflict in outcome.conflicts}

    @pytest.mark.parametrize("count", [1, 3, 7, 501])
    def test_a_stale_row_is_found_wherever_it_stands(self, store: Store, count: int) -> None:
        """First, last, between or behind any number of others: nothing is written, and the row is named."""
        load(store, PEOPLE, people([{"size": 1, "version": 5}] * count))
        keys = list(range(1, count + 1))
        for place in {*range(min(count, 7)), count - 1} if count < 500 else (2, 499, 500):
            versions = [4 + 2 * (place % 2) if each == place else 5 for each in range(count)]
            outcome = write(store, setting("size", keys, [7] * count, expected=versions))
            assert (WriteConflict(ConflictKind.STALE, PEOPLE, Key(place + 1), "", 5),) == outcome.conflicts
        assert keys_of(store, Test("size", Operator.EQ, 7)) == []
        assert write(store, setting("size", keys, [7] * count, expected=[5] * count)).written
        assert len(keys_of(store, All((Test("size", Operator.EQ, 7), Test("version", Operator.EQ, 6))))) == count

    @pytest.mark.parametrize("expected", [[1], None])
    def test_an_update_of_no_row_is_returned_as_missing(self, store: Store, expected: list[int] | None) -> None:
        """With and without an expected version."""
        outcome = write(store, setting("size", [9], [1], expected=expected))
        assert (WriteConflict(ConflictKind.MISSING, PEOPLE, Key(9)),) == outcome.conflicts

    def test_an_update_without_expected_versions_leaves_them(self, store: Store) -> None:
        """Ledgers have none."""
        load(store, PEOPLE, people([{"version": 3}]))
        assert write(store, setting("size", [1], [2])).written
        assert cell(PEOPLE, get(store, 1), "version") == 3

    def test_of_two_writers_with_one_version_one_is_stale(self, store: Store) -> None:
        """Compare-and-set in two threads."""
        load(store, PEOPLE, people([{"size": 0}]))
        found = race(*[partial(write, store, setting("size", [1], [n], expected=[1])) for n in (1, 2)])
        assert sorted(outcome.written for outcome in found) == [False, True]

    # batches --------------------------------------------------------------------------------------
    def test_a_batch_with_a_conflict_leaves_nothing(self, store: Store) -> None:
        """Whatever it held: rows, guards, versions; the transaction goes on."""
        load(store, PEOPLE, people([{"size": 1, "code": "x"}]))
        assert write(store, Batch(guards=(Guard(counter="seats", delta=0),))).written
        batch = Batch(
            parts=(
                Inserts(PEOPLE, [row_of(PEOPLE, 2, {"owner": 4})]),
                Updates(PEOPLE, ("size",), [Key(1)], [(9,)]),
                Removals(PEOPLE, [Key(1)]),
                Updates(PEOPLE, ("size",), [Key(77)], [(9,)]),
            ),
            guards=(Guard(counter="seats", delta=1),),
            expects=(Expect(VersionName.ACCESS, 0),),
        )
        before = store.read(all_there_is)

        def unit(txn: Txn) -> Outcome:
            outcome = txn.write(batch)
            require_same(before, all_there_is(txn))
            assert txn.write(Batch(guards=(Guard(counter="seats", delta=0, ceiling=0),))).written
            return outcome

        assert kinds(store.write(unit)) == [ConflictKind.MISSING]
        require_same(before, store.read(all_there_is))

    @pytest.mark.parametrize("kind", ConflictKind)
    def test_whatever_stands_against_a_batch_nothing_of_it_stays(self, store: Store, kind: ConflictKind) -> None:
        """Each kind alone, before or behind rows, guards and versions that have nothing against them."""
        fill(store)
        load(store, PEOPLE, [row_of(PEOPLE, 101, {"code": "x_", "owner": 1}), row_of(PEOPLE, 102)])
        now = store.read(lambda txn: txn.versions())
        against, more = _against(now)[kind], (Inserts(PLACES, [row_of(PLACES, 101)]), Removals(LOGS, [Key(1)]))
        parts = (*more, Updates(PEOPLE, ("owner",), [Key(102)], [(5,)]))
        guards = (Guard(counter="numbers", delta=1),)
        expects = tuple([Expect(name, now.of(name)) for name in (VersionName.ACCESS, VersionName.SCHEMA)])
        good, before = Batch(parts=parts, guards=guards, expects=expects), store.read(all_there_is)
        for one, two in ((good, against), (against, good)):
            both = Batch(parts=one.parts + two.parts, guards=one.guards + two.guards, expects=one.expects + two.expects)
            assert kinds(write(store, both)) == [kind]
            require_same(before, store.read(all_there_is))

    def test_the_transaction_goes_on_after_a_conflict(self, store: Store) -> None:
        """What it wrote before and writes after is kept."""

        def unit(txn: Txn) -> list[bool]:
            keys = (1, 1, 2)
            return [txn.write(inserting(PEOPLE, [row_of(PEOPLE, key)])).written for key in keys]

        assert store.write(unit) == [True, False, True]
        assert keys_of(store, ALWAYS) == [1, 2]

    def test_parts_apply_in_their_order(self, store: Store) -> None:
        """A key and a unique value set free by one part can be used by the next."""
        load(store, PEOPLE, people([{"code": "x"}, {"code": "y"}]))
        batch = Batch(
            parts=(
                Removals(PEOPLE, [Key(1)]),
                Updates(PEOPLE, ("code",), [Key(2)], [("x",)]),
                Inserts(PEOPLE, [row_of(PEOPLE, 1, {"code": "y"})]),
            )
        )
        assert write(store, batch).written
        assert [cell(PEOPLE, get(store, key), "code") for key in (1, 2)] == ["y", "x"]

    def test_an_empty_batch_is_written(self, store: Store) -> None:
        """It has nothing against it."""
        assert write(store, Batch()).written
        assert write(store, Batch(parts=(Inserts(PEOPLE, []), Removals(PEOPLE, [])))).written

    # uniqueness -----------------------------------------------------------------------------------
    @pytest.mark.parametrize(("old", "new"), [("José", "JOSE"), ("ﬁn", "FIN"), ("Straße", "strasse"), ("a%", "A%")])
    def test_a_folded_twin_is_not_unique(self, store: Store, old: str, new: str) -> None:
        """The conflict names the row offered and the column."""
        load(store, PEOPLE, people([{"code": old}]))
        outcome = write(store, inserting(PEOPLE, [row_of(PEOPLE, 2, {"code": new})]))
        assert (WriteConflict(ConflictKind.UNIQUE, PEOPLE, Key(2), "code"),) == outcome.conflicts

    @pytest.mark.parametrize(("old", "new"), [("pena", "peña"), ("a", "a "), ("a_", "ab"), (None, None)])
    def test_what_only_looks_alike_is_unique(self, store: Store, old: str | None, new: str | None) -> None:
        """ñ is not n, a trailing space counts, patterns are text, and empty values never clash."""
        load(store, PEOPLE, people([{"code": old}]))
        assert write(store, inserting(PEOPLE, [row_of(PEOPLE, 2, {"code": new})])).written

    def test_uniqueness_holds_within_one_batch(self, store: Store) -> None:
        """Two rows of one part may not share a value."""
        outcome = write(store, inserting(PEOPLE, people([{"code": "x"}, {"code": "X"}])))
        assert kinds(outcome) == [ConflictKind.UNIQUE]
        assert keys_of(store, ALWAYS) == []

    def test_an_update_may_not_take_a_value_but_may_keep_its_own(self, store: Store) -> None:
        """Changing only the case of one's own value is no conflict."""
        load(store, PEOPLE, people([{"code": "x"}, {"code": "y"}]))
        assert kinds(write(store, setting("code", [2], ["X"], expected=[1]))) == [ConflictKind.UNIQUE]
        assert write(store, setting("code", [2], ["Y"], expected=[1])).written

    def test_deleting_frees_a_unique_value_and_restoring_claims_it(self, store: Store) -> None:
        """Uniqueness holds among living rows only."""
        load(store, PEOPLE, people([{"code": "x"}]))
        assert write(store, setting("deleted_in", [1], [5], expected=[1])).written
        assert write(store, inserting(PEOPLE, [row_of(PEOPLE, 2, {"code": "X"})])).written
        assert kinds(write(store, setting("deleted_in", [1], [None], expected=[2]))) == [ConflictKind.UNIQUE]
        assert write(store, Batch(parts=(Removals(PEOPLE, [Key(2)]),))).written
        assert write(store, setting("deleted_in", [1], [None], expected=[2])).written

    def test_a_ledger_is_unique_without_deletion(self, store: Store) -> None:
        """Its rows all live."""
        load(store, LOGS, [row_of(LOGS, 1, {"key": "x"})])
        assert kinds(write(store, inserting(LOGS, [row_of(LOGS, 2, {"key": "x"})]))) == [ConflictKind.UNIQUE]
        assert write(store, inserting(LOGS, [row_of(LOGS, 2, {"key": "X"})])).written

    def test_of_two_writers_with_one_value_one_is_refused(self, store: Store) -> None:
        """Also when both looked first and found it free."""
        free = threading.Barrier(2)
        look = Test("code__f", Operator.EQ, "x")

        def take(key: int) -> bool:
            assert store.read(lambda txn: txn.count(PEOPLE, look)) == 0
            free.wait(PATIENCE)
            return write(store, inserting(PEOPLE, [row_of(PEOPLE, key, {"code": "x"})])).written

        assert sorted(race(lambda: take(1), lambda: take(2))) == [False, True]

    # bulk -----------------------------------------------------------------------------------------
    def test_a_bulk_load_takes_rows_in_any_order_from_any_iterable(self, store: Store) -> None:
        """However many, and gives their number; twins, sets and tallies are made as well, and all can be read."""
        count = 6000
        rows = [row_of(PEOPLE, key, {"name": "Ñ", "marks": '["a"]', "owner": key % 3}) for key in range(count, 0, -1)]
        assert store.write(lambda txn: txn.bulk_load(PEOPLE, iter(rows))) == count
        both = All((Test("name__f", Operator.EQ, fold_text("ñ")), Holds("marks", "a")))
        assert store.read(lambda txn: txn.count(PEOPLE, both)) == count
        assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == dict.fromkeys(range(3), count // 3)
        assert store.read(lambda txn: all_rows(txn, PEOPLE)) == rows[::-1]
        page = BoundQuery(module=PEOPLE, where=both, limit=1500)
        assert store.read(lambda txn: txn.query(page)) == rows[:-1501:-1]

    @pytest.mark.parametrize("rows", [[(1, "x"), (2, "X")], [(9, "Y")], [(1, "a"), (1, "b")]])
    def test_a_bulk_load_that_is_not_unique_is_lost(self, store: Store, rows: list[tuple[int, str]]) -> None:
        """Among its own rows, against those there are, and by key."""
        load(store, PEOPLE, [row_of(PEOPLE, 5, {"code": "y"})])
        with pytest.raises(Conflict) as caught:
            store.write(lambda txn: txn.bulk_load(PEOPLE, [row_of(PEOPLE, key, {"code": code}) for key, code in rows]))
        assert caught.value.code == "not_unique"
        assert keys_of(store, ALWAYS) == [5]

    @pytest.mark.parametrize("error", [StopError, KeyboardInterrupt])
    def test_a_bulk_load_whose_rows_raise_is_lost(self, store: Store, error: type[BaseException]) -> None:
        """What they raise is raised, after any number of rows, and a unit that takes it up cannot be kept."""

        def rows(count: int) -> Iterator[Row]:
            yield from [row_of(LOGS, key, {"size": 1}) for key in range(1, count + 1)]
            raise error

        def swallows(txn: Txn, count: int) -> None:
            txn.write(inserting(PEOPLE, [row_of(PEOPLE, 8)]))
            with suppress(error):
                txn.bulk_load(LOGS, rows(count))

        for count in (0, 1, 1200):
            with pytest.raises(error):
                store.write(lambda txn, count=count: txn.bulk_load(LOGS, rows(count)))  # type: ignore[misc]
            with pytest.raises(StoreError) as caught:
                store.write(partial(swallows, count=count))
            assert caught.value.code == "store_failed"
            assert (keys_of(store, ALWAYS, LOGS), keys_of(store, ALWAYS)) == ([], [])

    def test_update_where_sets_all_that_fit_and_no_version(self, store: Store) -> None:
        """Also when the value decides what fits; its number is given."""
        load(store, PEOPLE, people([{"size": size, "name": "Ñ"} for size in (1, 2, None, 2)]))
        where = Test("size", Operator.EQ, 2)
        assert store.write(lambda txn: txn.update_where(PEOPLE, where, {"size": 1, "name": "José", "stage": None})) == 2
        found = keys_of(store, All((Test("size", Operator.EQ, 1), Test("name__f", Operator.EQ, "jose"))))
        assert (found, cell(PEOPLE, get(store, 2), "version")) == ([2, 4], 1)
        assert store.write(lambda txn: txn.update_where(PEOPLE, where, {"size": 1})) == 0
        ones = Test("size", Operator.EQ, 1)
        assert store.write(lambda txn: txn.update_where(PEOPLE, ones, {"size": 1, "stage": None})) == 3

    def test_update_where_sets_rows_in_the_bin_too(self, store: Store) -> None:
        """They fit as any other, and are counted."""
        load(store, PEOPLE, people([{"size": 1}, {"size": 1, "deleted_in": 5}, {"size": 3, "deleted_in": 5}]))
        where = Test("size", Operator.EQ, 1)
        assert store.write(lambda txn: txn.update_where(PEOPLE, where, {"size": 2})) == 2
        assert [cell(PEOPLE, get(store, key), "size") for key in (1, 2, 3)] == [2, 2, 3]

    def test_update_where_moves_the_tallies_of_a_ledger(self, store: Store) -> None:
        """Its rows all live, so that nothing is said of their deletion."""
        load(store, LOGS, [row_of(LOGS, key, {"size": size}) for key, size in enumerate((1, 2, 2, None), start=1)])
        where = Test("size", Operator.EQ, 2)
        assert store.write(lambda txn: txn.update_where(LOGS, where, {"size": None})) == 2
        assert store.read(lambda txn: txn.tally(LOGS, "size")) == {1: 1, None: 3}

    def test_update_where_may_not_break_uniqueness(self, store: Store) -> None:
        """The unit is lost; restoring a row claims its values, too."""
        load(store, PEOPLE, people([{}, {}, {"code": "y", "deleted_in": 5}, {"code": "Y"}]))
        for where, values in ((Test("id", Operator.LE, 2), {"code": "x"}), (ALWAYS, {"deleted_in": None})):
            with pytest.raises(Conflict) as caught:
                store.write(lambda t, w=where, v=values: t.update_where(PEOPLE, w, v))  # type: ignore[misc]
            assert caught.value.code == "not_unique"
        assert keys_of(store, No(Missing("code"))) == [3, 4]
        assert keys_of(store, Missing("deleted_in")) == [1, 2, 4]

    def test_a_unit_cannot_swallow_a_load_or_change_that_failed(self, store: Store) -> None:
        """What was done in part must not be kept, whatever the unit makes of the error."""
        load(store, PEOPLE, people([{}, {}]))

        def loads(txn: Txn) -> None:
            txn.write(inserting(PEOPLE, [row_of(PEOPLE, 8)]))
            with pytest.raises(Conflict):
                txn.bulk_load(PEOPLE, [row_of(PEOPLE, key, {"code": "x"}) for key in (3, 4)])

        def changes(txn: Txn) -> None:
            txn.write(inserting(PEOPLE, [row_of(PEOPLE, 8)]))
            with pytest.raises(Conflict):
                txn.update_where(PEOPLE, ALWAYS, {"code": "x"})

        for unit in (loads, changes):
            with pytest.raises(StoreError) as caught:
                store.write(unit)
            assert caught.value.code == "store_failed"
        assert keys_of(store, ALWAYS) == [1, 2]

    def test_a_savepoint_does_not_save_a_unit_whose_change_failed(self, store: Store) -> None:
        """It is lost all the same."""
        self.need(store, "savepoints")
        load(store, PEOPLE, people([{}, {}]))

        def nested(txn: Txn) -> None:
            with pytest.raises(Conflict), txn.savepoint():
                txn.update_where(PEOPLE, ALWAYS, {"code": "x"})

        with pytest.raises(StoreError) as caught:
            store.write(nested)
        assert caught.value.code == "store_failed"
        assert store.read(lambda txn: txn.count(PEOPLE, Missing("code"))) == 2
