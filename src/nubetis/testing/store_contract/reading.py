"""Reading many rows: streams, counts, aggregates, pages, tallies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final

import attrs
import pytest

from nubetis.model.bind import (
    ALWAYS,
    NEVER,
    Bound,
    Missing,
    No,
    OneOf,
    Test,
)  # fmt: skip
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.fold import fold_text
from nubetis.model.query import BoundQuery, Order, order_values
from nubetis.model.store import (
    Batch,
    Inserts,
    Measure,
    MeasureKind,
    Removals,
    Store,
)  # fmt: skip
from nubetis.testing.generate import any_order, any_rows
from nubetis.testing.store_contract.setting import (
    HOSTILE,
    PEOPLE,
    ContractSetting,
    all_rows,
    cell,
    inserting,
    load,
    page_of,
    people,
    race,
    row_of,
    setting,
    tally_of,
    write,
)
from nubetis.types import Key, Row, Stored

__all__ = [
    "ReadingCases",
]

_CONDITIONS: Final[tuple[Bound, ...]] = (
    ALWAYS, No(Missing("stage")), Test("deleted_in", Operator.GT, 0), Missing("deleted_in"),
)  # fmt: skip


class ReadingCases(ContractSetting):
    """What comes back in which order, and how much of it."""

    # streams, counts, aggregates ------------------------------------------------------------------
    def test_a_stream_gives_the_columns_asked_for_in_batches(self, store: Store) -> None:
        """In key order, twins too, none of them larger than *size* or empty."""
        load(store, PEOPLE, [row_of(PEOPLE, key, {"name": f"Ñ{key}"}) for key in (3, 1, 2, 9, 5)])
        names = ["name__f", "id", "name"]
        batches = store.read(lambda txn: list(txn.stream(PEOPLE, columns=names, size=2)))
        assert [len(batch[0]) for batch in batches] == [2, 2, 1]
        rows = [row for batch in batches for row in zip(*batch, strict=True)]
        assert [(fold_text(f"ñ{key}"), key, f"Ñ{key}") for key in (1, 2, 3, 5, 9)] == rows
        assert store.read(lambda txn: list(txn.stream(PEOPLE, NEVER))) == []

    def test_a_stream_gives_whole_rows_unless_told(self, store: Store) -> None:
        """Those of the layout, in its order."""
        rows = any_rows(Random(5), PEOPLE, count=30)
        load(store, PEOPLE, rows)
        assert rows == store.read(lambda txn: all_rows(txn, PEOPLE))

    def test_a_count_stops_at_its_limit(self, store: Store) -> None:
        """And counts all without one; none is none."""
        load(store, PEOPLE, people([{"size": 1}] * 10))
        where = Test("size", Operator.EQ, 1)
        asked = [(look, limit) for look in (where, ALWAYS) for limit in (None, 0, 3, 10, 99)]
        counts = store.read(lambda txn: [txn.count(PEOPLE, look, limit=limit) for look, limit in asked])
        assert counts == [10, 0, 3, 10, 10] * 2

    @pytest.mark.parametrize("groups", [(), ("stage",), ("name__f",), ("stage", "active"), ("size",)])
    def test_aggregates_agree_with_python(self, store: Store, groups: tuple[str, ...]) -> None:
        """In the order of the groups, the empty value first."""
        rows = any_rows(Random(11), PEOPLE, count=60)
        load(store, PEOPLE, rows)
        measures = [Measure(MeasureKind.COUNT), *[Measure(k, c) for k in MeasureKind for c in ("ratio", "active")]]
        measures += [Measure(MeasureKind.MIN, "name__f"), Measure(MeasureKind.MAX, "born")]
        found = store.read(lambda txn: txn.aggregate(PEOPLE, No(Missing("stage")), groups=groups, measures=measures))
        full = [PEOPLE.layout.fill(row) for row in rows if cell(PEOPLE, row, "stage") is not None]
        assert _aggregated(full, groups, measures) == found

    @pytest.mark.parametrize("column", ["stage", "name__f"])
    def test_text_groups_by_the_letter(self, store: Store, column: str) -> None:
        """No collation joins or orders them: case, marks and trailing spaces count; empty text is not no text."""
        cells: list[dict[str, Stored]] = [{column.removesuffix("__f"): text} for text in (*HOSTILE, "", *HOSTILE)]
        rows = people(cells)
        load(store, PEOPLE, rows)
        measures = [Measure(MeasureKind.COUNT), Measure(MeasureKind.MAX, "id"), Measure(MeasureKind.MIN, column)]
        found = store.read(lambda txn: txn.aggregate(PEOPLE, ALWAYS, groups=[column], measures=measures))
        assert _aggregated([PEOPLE.layout.fill(row) for row in rows], [column], measures) == found

    def test_without_groups_there_is_one_row_even_of_nothing(self, store: Store) -> None:
        """Counts are 0, the other measures empty; with groups there is none."""
        measures = [Measure(MeasureKind.COUNT), *[Measure(each, "size") for each in MeasureKind]]
        assert store.read(lambda txn: txn.aggregate(PEOPLE, NEVER, measures=measures)) == [(0, 0, None, None, None)]
        assert store.read(lambda txn: txn.aggregate(PEOPLE, ALWAYS, groups=["stage"], measures=measures)) == []

    def test_sums_are_exact_beyond_63_bits(self, store: Store) -> None:
        """Upwards and downwards."""
        load(store, PEOPLE, people([{"size": size, "ratio": -size} for size in [2**62 - 1] * 9 + [7]]))
        sums = [Measure(MeasureKind.SUM, "size"), Measure(MeasureKind.SUM, "ratio")]
        total = 9 * (2**62 - 1) + 7
        assert [(total, -total)] == store.read(lambda txn: txn.aggregate(PEOPLE, ALWAYS, measures=sums))

    # pages ----------------------------------------------------------------------------------------
    def _walk(self, store: Store, query: BoundQuery) -> list[Row]:
        found: list[Row] = []
        while page := page_of(store, query):
            assert len(page) <= query.limit
            found += page
            query = attrs.evolve(query, after=order_values(query.module, query.order, page[-1]))
        return found

    @pytest.mark.parametrize("seed", range(12))
    def test_pages_in_any_order_give_every_row_once(self, store: Store, seed: int) -> None:
        """Forwards and backwards, mixed directions, empty values, few and many ties."""
        random = Random(seed)
        rows = any_rows(random, PEOPLE, count=40)
        load(store, PEOPLE, rows)
        for _ in range(6):
            where = random.choice(_CONDITIONS)
            query = BoundQuery(module=PEOPLE, where=where, order=any_order(random, PEOPLE), limit=random.randint(1, 9))
            fits = matcher(where, PEOPLE.layout.full_index)
            fitting = [row for row in rows if fits(PEOPLE.layout.fill(row))]
            expected = sorted(fitting, key=partial(order_key, query.order))
            assert expected == self._walk(store, query), query.order
            assert expected[::-1] == self._walk(store, query.reversed()), query.order

    def test_text_pages_by_code_point(self, store: Store) -> None:
        """ñ after nz, the empty value first, every hostile text in its place."""
        load(store, PEOPLE, people([{"name": text} for text in HOSTILE]))
        query = BoundQuery(module=PEOPLE, where=ALWAYS, order=(Order("name__f"), Order("id")), limit=5)
        folded = [("" if text is None else fold_text(text)) for text in HOSTILE]
        found = [int(row[0] or 0) - 1 for row in self._walk(store, query)]
        assert sorted(range(len(folded)), key=lambda at: (HOSTILE[at] is not None, folded[at], at)) == found

    @pytest.mark.parametrize("descending", [False, True])
    def test_pages_stand_still_when_others_write(self, store: Store, *, descending: bool) -> None:
        """Rows inserted and removed between pages neither shift the others nor repeat them."""
        random = Random(3)
        load(
            store, PEOPLE, [row_of(PEOPLE, key * 10, {"size": random.choice([None, 1, 2, 3])}) for key in range(1, 41)]
        )
        order = (Order("size", descending=descending), Order("id", descending=descending))
        query = BoundQuery(module=PEOPLE, where=ALWAYS, order=order, limit=4)
        stable = [row[0] for row in store.read(lambda t: t.query(attrs.evolve(query, limit=99)))]
        seen: list[Stored] = []
        gone: set[Stored] = set()
        key = 0
        while page := page_of(store, query):
            seen += [row[0] for row in page]
            query = attrs.evolve(query, after=order_values(PEOPLE, order, page[-1]))
            new = [
                row_of(PEOPLE, random.randint(0, 40) * 10 + (key := key + 1) % 9 + 1, {"size": s}) for s in (None, 2)
            ]
            old = [Key(int(stable[place] or 0)) for place in (len(gone), -1 - len(gone))]
            gone |= set(old) if len(gone) < 8 else set()
            parts = (
                Removals(PEOPLE, [Key(int(r[0] or 0)) for r in new] + [k for k in old if k in gone]),
                Inserts(PEOPLE, new),
            )
            assert write(store, Batch(parts=parts)).written
        assert len(seen) == len(set(seen))
        assert [k for k in stable if k not in gone] == [k for k in seen if k in set(stable) - gone]

    def test_pages_miss_nothing_while_threads_insert(self, store: Store) -> None:
        """Each row that was there comes once, in its place, whatever two writers put between, before and after."""
        stable = [row_of(PEOPLE, key * 10, {"name": text}) for key, text in enumerate(HOSTILE, start=1)]
        load(store, PEOPLE, stable)
        order = (Order("name__f"), Order("id"))

        def insert(last: int) -> None:
            for place, text in enumerate(HOSTILE[:30], start=1):
                assert write(store, inserting(PEOPLE, [row_of(PEOPLE, place * 10 + last, {"name": text})])).written

        def walk() -> list[list[Row]]:
            query = BoundQuery(module=PEOPLE, where=ALWAYS, order=order, limit=3)
            return [self._walk(store, query), self._walk(store, query.reversed())[::-1]]

        given = race(walk, partial(insert, 1), partial(insert, 2))[0] or []
        expected = [row[0] for row in sorted(stable, key=partial(order_key, order))]
        for rows in given:
            keys = [row[0] for row in rows]
            assert len(keys) == len(set(keys))
            assert expected == [key for key in keys if int(key or 0) % 10 == 0]

    def test_a_page_after_a_removed_row_goes_on_from_its_place(self, store: Store) -> None:
        """A cursor is a place, not a row."""
        load(store, PEOPLE, people([{"size": size} for size in (5, 5, 6, 7)]))
        order = (Order("size"), Order("id"))
        write(store, Batch(parts=(Removals(PEOPLE, [Key(2)]),)))
        query = BoundQuery(module=PEOPLE, where=ALWAYS, order=order, after=(5, 2))
        assert [row[0] for row in store.read(lambda txn: txn.query(query))] == [3, 4]

    # tallies --------------------------------------------------------------------------------------
    @pytest.mark.parametrize("seed", range(4))
    def test_tallies_are_what_counting_gives(self, store: Store, seed: int) -> None:
        """After any writes, deletions, restorations, failures; compacted at any time."""
        random = Random(seed)
        load(store, PEOPLE, any_rows(random, PEOPLE, count=20))
        for _ in range(25):
            self._write_something(store, random)
            if random.random() < 0.2:
                store.compact([PEOPLE.id] if random.random() < 0.5 else ())
            rows = store.read(lambda txn: all_rows(txn, PEOPLE, Missing("deleted_in")))
            for column in ("owner", "stage"):
                expected = dict(Counter(cell(PEOPLE, row, column) for row in rows))
                assert expected == tally_of(store, column)

    def _write_something(self, store: Store, random: Random) -> None:
        keys = random.sample(range(1, 30), k=3)
        owner, stage = random.choice([None, 1, 2]), random.choice([None, "new", "won"])
        column, value = random.choice([("owner", owner), ("stage", stage), ("deleted_in", random.choice([None, 4]))])
        match random.randint(0, 3):
            case 0:
                cells = {"owner": owner, "stage": stage}
                write(store, inserting(PEOPLE, [row_of(PEOPLE, random.randint(20, 60), cells)]))
            case 1:
                write(store, setting(column, keys, [value] * 3))
            case 2:
                write(store, Batch(parts=(Removals(PEOPLE, list(map(Key, keys[:1]))),)))
            case _:
                where = OneOf("id", tuple(keys))
                store.write(lambda txn: txn.update_where(PEOPLE, where, {column: value}))

    def test_tallies_do_not_lose_what_many_write_at_once(self, store: Store) -> None:
        """Four threads; no hot row, no lost count."""

        def add(base: int) -> None:
            for key in range(base, base + 10):
                assert write(store, inserting(PEOPLE, [row_of(PEOPLE, key, {"owner": key % 2})])).written

        race(*[partial(add, base) for base in (100, 200, 300, 400)])
        assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == {0: 20, 1: 20}


def order_key(order: Sequence[Order], row: Row) -> list[_Sorted]:
    cells = order_values(PEOPLE, order, row)
    return [_Sorted(cell, descending=each.descending) for cell, each in zip(cells, order, strict=True)]


@attrs.frozen
class _Sorted:
    """A cell that compares as the order says: empty first, and all of it turned when descending."""

    cell: Stored
    descending: bool

    def __lt__(self, other: _Sorted) -> bool:
        low, high = (other.cell, self.cell) if self.descending else (self.cell, other.cell)
        if low is None or high is None:
            return low is None and high is not None
        return (low, "") < (high, "") if isinstance(low, int) and isinstance(high, int) else str(low) < str(high)


def _aggregated(full: Sequence[Row], groups: Sequence[str], measures: Sequence[Measure]) -> list[Row]:
    index = PEOPLE.layout.full_index
    found: dict[Row, list[Row]] = {}
    for row in full:
        found.setdefault(tuple([row[index[name]] for name in groups]), []).append(row)
    ordered = sorted(found, key=lambda group: [(cell is not None, cell) for cell in group])
    return [group + tuple([_measured(each, found[group]) for each in measures]) for group in ordered]


def _measured(measure: Measure, rows: Sequence[Row]) -> Stored:
    cells = [row[PEOPLE.layout.full_index[measure.column or "id"]] for row in rows]
    present = [cell for cell in cells if cell is not None]
    if measure.kind is MeasureKind.COUNT:
        return len(present)
    if not present:
        return None
    if measure.kind is MeasureKind.SUM:
        return sum([int(cell) for cell in present])
    return sorted(present, key=_of_one_kind)[0 if measure.kind is MeasureKind.MIN else -1]


def _of_one_kind(cell: Stored) -> tuple[int, str]:
    return (cell, "") if isinstance(cell, int) else (0, str(cell))
