"""Schema changes, and the store as a whole."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from random import Random
from typing import Final

import attrs
import pytest

from nubetis.errors import Conflict, NotFound, StoreError
from nubetis.model.bind import (
    ALWAYS,
    Missing,
    No,
    OneOf,
    Test,
)  # fmt: skip
from nubetis.model.fields import FieldState, Operator
from nubetis.model.fold import fold_text
from nubetis.model.schema import Module, Schema, diff, key_of
from nubetis.model.store import (
    FORMAT,
    Batch,
    ConflictKind,
    Expect,
    Guard,
    Inserts,
    Removals,
    Store,
    Txn,
    Updates,
    VersionName,
    Versions,
    WriteConflict,
)  # fmt: skip
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.testing.generate import any_rows
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import (
    CONTRACT_SCHEMA,
    LOGS,
    PATIENCE,
    PEOPLE,
    PLACES,
    ContractSetting,
    StopError,
    all_rows,
    all_there_is,
    cell,
    factory_at,
    field_of,
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
    stop,
    write,
)
from nubetis.types import FieldId, FieldName, Key

__all__ = [
    "SchemaCases",
]

_SEAT: Final = Guard(counter="seats", delta=1)
_MEETING: Final = 0.05
"""Seconds for which a change waits for another to come between: a store that takes one at a time lets none in."""

_WAYS: Final[tuple[Callable[[Txn], object], ...]] = (
    lambda txn: txn.write(inserting(PEOPLE, [row_of(PEOPLE, 104, {"owner": 1, "face": b"x"})])),
    lambda txn: txn.write(setting("size", [101], [7], expected=[1])),
    lambda txn: txn.update_where(PEOPLE, Test("id", Operator.EQ, 102), {"size": 8, "owner": 2}),
    lambda txn: txn.update_where(LOGS, ALWAYS, {"size": None}),
    lambda txn: txn.write(Batch(parts=(Removals(PEOPLE, [Key(103), Key(1)]),))),
    lambda txn: txn.bulk_load(PLACES, iter([row_of(PLACES, 101)])),
    lambda txn: txn.write(Batch(guards=(_SEAT,))),
    lambda txn: txn.write(Batch(expects=(Expect(VersionName.SETTINGS, txn.versions().settings),))),
    lambda txn: txn.allocate("numbers", 5),
)
"""Each way to write; none touches a row that another does."""


def _look_for_the_change(txn: Txn) -> None:
    """Refuse a step of a change that is done."""
    if txn.versions().schema:
        raise Conflict("operation_moved", id="x")


def _in_units(txn: Txn) -> list[int]:
    """Give how many units each thing says that there were, where each wrote all of them."""
    counters = {cell(COUNTERS, row, "name"): cell(COUNTERS, row, "value") for row in all_rows(txn, COUNTERS)}
    counted = [int(counters.get(name) or 0) for name in ("rows", "seats")]
    people = txn.count(PEOPLE)
    return [people // 2 if people % 2 == 0 else -1, txn.count(LOGS), *counted, txn.versions().access - 1]


class SchemaCases(ContractSetting):
    """What a migration keeps, and what opening, closing and copying do."""

    # schema ---------------------------------------------------------------------------------------
    def test_an_empty_store_has_no_format(self, tmp_path: Path) -> None:
        """Until the first migration writes it."""
        store = self.open_store(tmp_path)
        assert None is store.format()
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        assert store.format() == FORMAT
        store.close()

    def test_each_step_may_be_repeated(self, store: Store) -> None:
        """Records, versions and counters stay."""
        fill(store)
        before = store.read(all_there_is)
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        require_same(before, store.read(all_there_is))

    def _change(self, store: Store, schema: Schema) -> Module:
        """Migrate to *schema*, twice; give its people."""
        steps = diff(CONTRACT_SCHEMA, schema)
        store.migrate(steps, schema)
        store.migrate(steps, schema)
        return schema.module("people")

    def test_what_looks_first_sees_what_is_there_and_may_stop_the_change(self, store: Store) -> None:
        """So that of several who go on with a change none does a step that another has done."""
        load(store, PEOPLE, people([{"size": 1}]))
        schema, seen = CONTRACT_SCHEMA.with_field("people", field_of("nick", unique=True)), []

        def look(txn: Txn) -> None:
            seen.append(txn.count(PEOPLE, ALWAYS))
            raise Conflict("operation_moved", id="x")

        with pytest.raises(Conflict) as caught:
            store.migrate(diff(CONTRACT_SCHEMA, schema), schema, fence=look)
        assert caught.value.code == "operation_moved"
        assert store.check(CONTRACT_SCHEMA) == []
        store.migrate(diff(CONTRACT_SCHEMA, schema), schema, fence=lambda txn: seen.append(txn.count(PEOPLE, ALWAYS)))
        assert seen == [1, 1]
        assert keys_of(store, Missing("nick"), schema.module("people")) == [1]

    def test_what_looks_first_sees_what_the_change_would_take_away(self, store: Store) -> None:
        """And keeps it, where it stops the change."""
        load(store, LOGS, [row_of(LOGS, 1, {"line": "x"})])
        without, seen = CONTRACT_SCHEMA.without_module("logs"), []

        def look(txn: Txn) -> None:
            seen.append(all_rows(txn, LOGS))
            raise Conflict("operation_moved", id="x")

        with pytest.raises(Conflict):
            store.migrate(diff(CONTRACT_SCHEMA, without), without, fence=look)
        assert seen == [[row_of(LOGS, 1, {"line": "x"})]]
        assert seen == [store.read(lambda txn: all_rows(txn, LOGS))]

    def test_of_two_who_go_on_with_a_change_none_does_its_step_late(self, store: Store) -> None:
        """One drops a module when the other has done so, and has made it again and used it: nothing of it goes."""
        without, begun, changed, ended = CONTRACT_SCHEMA.without_module("logs"), *[threading.Event() for _ in range(3)]
        steps = diff(CONTRACT_SCHEMA, without)

        def look_and_wait(txn: Txn) -> None:
            _look_for_the_change(txn)
            begun.set()
            if changed.wait(_MEETING):
                ended.wait(PATIENCE)

        def first() -> None:
            with suppress(Conflict):
                store.migrate(steps, without, fence=look_and_wait)

        def second() -> None:
            begun.wait(PATIENCE)
            store.migrate(steps, without, fence=_look_for_the_change)
            changed.set()
            assert write(store, Batch(expects=(Expect(VersionName.SCHEMA, 0),))).written
            store.migrate(diff(without, CONTRACT_SCHEMA), CONTRACT_SCHEMA)
            load(store, LOGS, [row_of(LOGS, 1)])
            ended.set()

        race(first, second)
        assert store.check(CONTRACT_SCHEMA) == []
        assert keys_of(store, ALWAYS, LOGS) == [1]

    def test_a_new_field_is_empty_and_can_be_used(self, store: Store) -> None:
        """Filtered, sorted, unique."""
        rows = people([{"size": size} for size in range(10)])
        load(store, PEOPLE, rows)
        module = self._change(store, CONTRACT_SCHEMA.with_field("people", field_of("nick", unique=True)))
        assert [(*row, None) for row in rows] == store.read(lambda txn: all_rows(txn, module))
        new = Batch(parts=(Updates(module, ("nick",), [Key(3), Key(4)], [("Ñ",), ("ñ",)]),))
        assert kinds(write(store, new)) == [ConflictKind.UNIQUE]
        write(store, Batch(parts=(Updates(module, ("nick",), [Key(3)], [("Ñ",)]),)))
        assert keys_of(store, Test("nick__f", Operator.EQ, fold_text("ñ")), module) == [3]

    def test_rows_of_the_schema_before_can_be_read_and_written_meanwhile(self, store: Store) -> None:
        """Between the step and the new version, others work on with the module they know."""
        load(store, PEOPLE, people([{"size": 1}]))
        module = self._change(store, CONTRACT_SCHEMA.with_field("people", field_of("nick")))
        row = row_of(PEOPLE, 2, {"size": 2})
        assert write(store, inserting(PEOPLE, [row])).written
        assert [get(store, 1), row] == store.read(lambda txn: all_rows(txn, PEOPLE))
        assert (*row, None) == get(store, 2, module)

    def test_a_field_made_filterable_has_its_twin_filled(self, store: Store) -> None:
        """And loses it again."""
        load(store, PEOPLE, people([{"code": "José"}]))
        code = attrs.evolve(PEOPLE.field("name"), searchable=False, filterable=False)
        module = self._change(store, CONTRACT_SCHEMA.with_field("people", code))
        write(store, Batch(parts=(Inserts(module, [row_of(module, 2, {"name": "Ñandú"})]),)))
        again = CONTRACT_SCHEMA.with_field("people", attrs.evolve(PEOPLE.field("name"), label="Again"))
        store.migrate(diff(CONTRACT_SCHEMA.with_field("people", code), again), again)
        assert keys_of(store, Test("name__f", Operator.EQ, fold_text("ñandu")), again.module("people")) == [2]

    def test_a_renamed_field_keeps_its_column_and_its_data(self, store: Store) -> None:
        """Names are for people."""
        rows = any_rows(Random(3), PEOPLE, count=5)
        load(store, PEOPLE, rows)
        renamed = attrs.evolve(PEOPLE.field("size"), name="height")
        module = self._change(store, CONTRACT_SCHEMA.with_field("people", renamed))
        assert rows == store.read(lambda txn: all_rows(txn, module))

    def test_a_retired_field_keeps_its_data(self, store: Store) -> None:
        """Until it is purged."""
        rows = any_rows(Random(4), PEOPLE, count=5)
        load(store, PEOPLE, rows)
        module = self._change(store, CONTRACT_SCHEMA.retire_field("people", "size"))
        assert FieldState.RETIRED is module.layout.column("size").field.state
        assert rows == store.read(lambda txn: all_rows(txn, module))

    @pytest.mark.parametrize("name", ["size", "code", "marks", "worth", "name"])
    def test_a_purged_field_is_gone_and_its_name_is_free(self, store: Store, name: str) -> None:
        """A new field of that name begins empty."""
        load(store, PEOPLE, any_rows(Random(5), PEOPLE, count=10))
        old = PEOPLE.field(name)
        fields = [field for field in PEOPLE.fields if field is not old]
        purged = CONTRACT_SCHEMA.with_module(attrs.evolve(PEOPLE, fields=fields, title=FieldName("note"), indexes=()))
        store.migrate(diff(CONTRACT_SCHEMA, purged), purged)
        again = purged.with_field("people", attrs.evolve(old, id=FieldId(0)))
        store.migrate(diff(purged, again), again)
        module = again.module("people")
        column = module.layout.slots[old.name].field.column
        assert {None} == {cell(module, row, column) for row in store.read(lambda txn: all_rows(txn, module))}

    def test_a_dropped_module_is_gone(self, store: Store) -> None:
        """With its rows; others stay."""
        load(store, LOGS, [row_of(LOGS, 1)])
        load(store, PLACES, [row_of(PLACES, 1)])
        without = CONTRACT_SCHEMA.without_module("logs")
        self._change(store, without)
        store.migrate(diff(without, CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        assert (keys_of(store, ALWAYS, LOGS), keys_of(store, ALWAYS, PLACES)) == ([], [1])

    def test_what_a_change_only_took_away_is_gone_when_it_is_opened_again(self, tmp_path: Path) -> None:
        """A module, and a field of another; what is made again of those names is empty."""
        fields = [field for field in PEOPLE.fields if field.name != "note"]
        less = CONTRACT_SCHEMA.without_module("logs").with_module(attrs.evolve(PEOPLE, fields=fields))
        with closing(self.fresh_store(tmp_path)) as store:
            load(store, LOGS, [row_of(LOGS, 1)])
            load(store, PEOPLE, people([{"note": "x", "size": 7}]))
            store.migrate(diff(CONTRACT_SCHEMA, less), less)
        with closing(self.open_store(tmp_path)) as again:
            again.migrate(diff(less, CONTRACT_SCHEMA), CONTRACT_SCHEMA)
            assert keys_of(again, ALWAYS, LOGS) == []
            assert [cell(PEOPLE, get(again, 1), name) for name in ("note", "size")] == [None, 7]

    def test_a_field_that_is_not_unique_cannot_become_so(self, store: Store) -> None:
        """Nothing is changed, of what goes with it neither; without the twin, it can."""
        fill(store)
        twins = people([{"name": "José"}, {"name": "JOSE"}])
        assert write(store, Batch(parts=(Removals(PEOPLE, [*map(Key, range(1, 21))]), Inserts(PEOPLE, twins)))).written
        unique = CONTRACT_SCHEMA.with_field("people", attrs.evolve(PEOPLE.field("name"), unique=True))
        more = unique.with_field("places", field_of("nick", unique=True)).without_module("logs")
        before = store.read(all_there_is)
        for schema in (unique, more):
            with pytest.raises(Conflict) as caught:
                store.migrate(diff(CONTRACT_SCHEMA, schema), schema)
            assert caught.value.code == "not_unique"
            require_same(before, store.read(all_there_is))
            assert store.check(CONTRACT_SCHEMA) == []
        write(store, Batch(parts=(Removals(PEOPLE, [Key(1)]),)))
        self._change(store, unique)

    @pytest.mark.parametrize("names", [("people", "logs"), ("logs", "people")])
    def test_a_change_of_two_modules_is_refused_whole(self, store: Store, names: tuple[str, str]) -> None:
        """One may become unique and the other may not: afterwards neither has."""
        columns = {"people": "name", "places": "name", "logs": "line"}
        fit, unfit = (CONTRACT_SCHEMA.module(name) for name in names)
        load(store, unfit, [row_of(unfit, key, {columns[unfit.name]: "x"}) for key in (1, 2)])
        schema = CONTRACT_SCHEMA
        for module in (fit, unfit):
            schema = schema.with_field(module.name, attrs.evolve(module.field(columns[module.name]), unique=True))
        with pytest.raises(Conflict):
            store.migrate(diff(CONTRACT_SCHEMA, schema), schema)
        assert store.check(CONTRACT_SCHEMA) == []
        for module in (fit, unfit):
            rows = [row_of(module, key, {columns[module.name]: "x"}) for key in (8, 9)]
            assert write(store, inserting(module, rows)).written

    def test_what_was_refused_is_not_looked_for_afterwards(self, tmp_path: Path) -> None:
        """A store that was opened again knows no other schema than the one refused, and is sound."""
        store = self.open_store(tmp_path)
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        load(store, PEOPLE, people([{"name": "José"}, {"name": "JOSE"}]))
        store.close()
        again = self.open_store(tmp_path)
        unique = CONTRACT_SCHEMA.with_field("people", attrs.evolve(PEOPLE.field("name"), unique=True))
        before = again.read(all_there_is)
        with pytest.raises(Conflict):
            again.migrate(diff(CONTRACT_SCHEMA, unique), unique)
        require_same(before, again.read(all_there_is))
        assert again.check() == []
        again.close()

    def test_a_long_text_is_unique_however_long_it_is(self, store: Store) -> None:
        """It is told apart by its last character, found, moved, and freed, as a short one is."""
        code = attrs.evolve(PEOPLE.field("code"), max_length=50_000)
        schema = CONTRACT_SCHEMA.with_field("people", code)
        self._change(store, schema)
        module = schema.module("people")
        spread = Random(7)
        words = "".join([chr(spread.randrange(0xAC00, 0xD7A3)) for _ in range(5_000)])  # nothing to pack in these
        texts = [words, f"{words}a", f"{words}b"]
        rows = [row_of(module, key, {"code": text}) for key, text in enumerate(texts, start=1)]
        load(store, module, rows)
        for key, text in enumerate([f"{words}A", words], start=8):
            outcome = write(store, inserting(module, [row_of(module, key, {"code": text})]))
            assert (WriteConflict(ConflictKind.UNIQUE, module, Key(key), "code"),) == outcome.conflicts
        folded = [fold_text(text) for text in texts]
        assert keys_of(store, Test("code__f", Operator.EQ, folded[1]), module) == [2]
        assert keys_of(store, OneOf("code__f", (folded[2], folded[0], "x")), module) == [1, 3]
        assert keys_of(store, No(Test("code__f", Operator.EQ, folded[2])), module) == [1, 2]
        assert keys_of(store, Test("code__f", Operator.GT, folded[0]), module) == [2, 3]
        assert store.check() == []

    def test_a_module_tallied_by_another_field_counts_what_is_there(self, store: Store) -> None:
        """Records that were written before count, too."""
        load(store, PLACES, [row_of(PLACES, key, {"keeper": key % 2}) for key in range(1, 6)])
        schema = CONTRACT_SCHEMA.with_module(attrs.evolve(PLACES, tallied_by=("keeper",)))
        self._change(store, schema)
        places = schema.module("places")
        assert store.read(lambda txn: txn.tally(places, "keeper")) == {0: 2, 1: 3}

    def test_a_module_with_more_columns_than_it_can_hold_is_refused(self, store: Store) -> None:
        """The refusal names the capability; just as many as it declares can be held, and nothing is half made."""
        most = store.capabilities.max_fields
        taken = len(Module(name="wide", fields=[field_of("f")]).layout.columns) - 1
        before = store.read(all_there_is)
        for count, fits in ((most - taken + 1, False), (most - taken, True)):
            fields = [field_of(f"f{place}", "integer") for place in range(count)]
            schema = CONTRACT_SCHEMA.with_module(Module(name="wide", fields=fields))
            if fits:
                store.migrate(diff(CONTRACT_SCHEMA, schema), schema)
                continue
            with pytest.raises(StoreError) as caught:
                store.migrate(diff(CONTRACT_SCHEMA, schema), schema)
            assert (caught.value.code, str(most) in str(caught.value)) == ("no_capability", True)
            require_same(before, store.read(all_there_is))
        wide = schema.module("wide")
        row = row_of(wide, 1, {f"f{most - taken - 1}": 7})
        load(store, wide, [row])
        assert get(store, 1, wide) == row

    # the store as a whole -------------------------------------------------------------------------
    def test_closing_twice_does_no_harm(self, tmp_path: Path) -> None:
        """Neither does closing a store that nobody used."""
        store = self.open_store(tmp_path)
        store.close()
        store.close()

    def test_a_store_that_nobody_made_is_not_found(self, tmp_path: Path) -> None:
        """Opening it makes none."""
        folder = tmp_path / "nobody"
        folder.mkdir()
        for _ in range(2):
            with pytest.raises(NotFound) as caught:
                factory_at(self.factory)(self.url_of(folder), create=False)
            assert caught.value.code == "no_database"

    def test_compacting_changes_nothing_that_is_read(self, tmp_path: Path) -> None:
        """Of any module or of all, also twice: not of the others either, nor when it is opened again."""
        with closing(self.fresh_store(tmp_path)) as store:
            fill(store)
            write(store, Batch(parts=(Removals(PEOPLE, [Key(1), Key(2)]), Removals(LOGS, [Key(1)]))))
            before = store.read(all_there_is)
            for modules in ([PEOPLE.id], [LOGS.id], (), ()):
                store.compact(modules)
                require_same(before, store.read(all_there_is))
                assert store.check() == []
        self._is_there_again(tmp_path, before, 6)

    def test_what_is_written_after_compacting_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        """Where what there is was written anew, what comes after goes there too."""
        with closing(self.fresh_store(tmp_path)) as store:
            fill(store)
            for _ in range(2):
                store.compact()
                assert write(store, Batch(guards=(_SEAT,))).written
            load(store, PEOPLE, [row_of(PEOPLE, 101)])
            before = store.read(all_there_is)
        self._is_there_again(tmp_path, before, 6)

    def _is_there_again(self, folder: Path, before: object, number: int) -> None:
        with closing(self.open_store(folder)) as again:
            require_same(before, again.read(all_there_is))
            assert (again.format(), again.check()) == (FORMAT, [])
            assert again.write(lambda txn: txn.allocate("numbers")) == number

    def test_what_was_written_is_there_when_it_is_opened_again(self, tmp_path: Path) -> None:
        """Rows, tallies, versions, counters: whatever was written last of each, and by whatever way."""
        with closing(self.fresh_store(tmp_path)) as store:
            fill(store)
            load(store, PEOPLE, [row_of(PEOPLE, key) for key in range(101, 104)])
            for way in _WAYS:
                store.write(way)
            before = store.read(all_there_is)
        self._is_there_again(tmp_path, before, 11)

    def test_organisations_do_not_see_each_other(self, store: Store, tmp_path: Path) -> None:
        """A store serves one."""
        folder = tmp_path / "other"
        folder.mkdir()
        other = self.open_store(folder)
        other.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        load(other, PEOPLE, people([{"code": "x", "owner": 1}]))
        load(store, PEOPLE, people([{"code": "x"}]))
        assert other.write(lambda txn: txn.allocate("a")) == 1
        assert (
            store.write(lambda t: t.allocate("a")),
            store.read(lambda t: t.tally(PEOPLE, "owner")),
        ) == (1, {None: 1})
        other.close()

    def test_versions_and_counters_are_rows_that_can_be_copied(self, store: Store) -> None:
        """Counters are read by name and taken out, the versions set as any row is."""
        write(store, Batch(guards=(Guard(counter="a", delta=-3),)))
        store.write(lambda txn: txn.allocate("b", 4))
        rows = store.read(lambda txn: all_rows(txn, COUNTERS))
        found = {cell(COUNTERS, row, "name"): cell(COUNTERS, row, "value") for row in rows}
        assert found == {"a": -3, "b": 4}
        write(store, Batch(parts=(Removals(COUNTERS, [key_of(row) for row in rows]),)))
        assert store.write(lambda txn: txn.allocate("b")) == 1
        columns = tuple([name.value for name in VersionName])
        write(store, Batch(parts=(Updates(VERSIONS, columns, [Key(1)], [(7, 8, 9)]),)))
        assert store.read(lambda txn: txn.versions()) == Versions(7, 8, 9)
        assert store.format() == FORMAT

    def test_a_counter_that_is_taken_out_takes_no_other_with_it(self, store: Store) -> None:
        """Those that are made afterwards are counters of their own."""

        def take(name: str, count: int = 1) -> int:
            return store.write(lambda txn: txn.allocate(name, count))

        assert [take(name, 5) for name in "abc"] == [1, 1, 1]
        (first, *_) = store.read(lambda txn: all_rows(txn, COUNTERS))
        write(store, Batch(parts=(Removals(COUNTERS, [key_of(first)]),)))
        write(store, Batch(guards=(Guard(counter="d", delta=2),)))
        assert sorted([take(name) for name in "deabc"]) == [1, 1, 3, 6, 6]
        assert (len(store.read(lambda txn: all_rows(txn, COUNTERS))), store.check()) == (5, [])

    def test_a_snapshot_is_a_whole_store(self, store: Store, tmp_path: Path) -> None:
        """What is written afterwards is not in it."""
        self.need(store, "snapshots")
        fill(store)
        before = store.read(all_there_is)
        target = str(tmp_path / "snapshot")
        store.snapshot(target)
        write(store, Batch(parts=(Removals(PEOPLE, [Key(1)]),), expects=(Expect(VersionName.ACCESS, 2),)))
        store.write(lambda txn: txn.allocate("numbers"))
        copy = self.open_snapshot(target)
        require_same(before, copy.read(all_there_is))
        assert copy.check(CONTRACT_SCHEMA) == []
        assert copy.write(lambda txn: txn.allocate("numbers")) == 6
        assert kinds(write(copy, Batch(guards=(Guard(counter="seats", delta=-1, floor=-3),)))) == [ConflictKind.GUARD]
        copy.close()

    def test_a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with(self, store: Store, tmp_path: Path) -> None:
        """It holds whole units, and numbers go on where they were."""
        self.need(store, "snapshots")
        target = str(tmp_path / "snapshot")

        def unit(txn: Txn, number: int) -> None:
            assert number == txn.allocate("rows")
            rows = Inserts(PEOPLE, [row_of(PEOPLE, number * 2), row_of(PEOPLE, number * 2 + 1)])
            lines, move = Inserts(LOGS, [row_of(LOGS, number)]), Expect(VersionName.ACCESS, number)
            assert txn.write(Batch(parts=(rows, lines), guards=(_SEAT,), expects=(move,))).written

        def many() -> None:
            for number in range(2, 21):
                store.write(partial(unit, number=number))

        assert write(store, Batch(expects=(Expect(VersionName.ACCESS, 0),))).written
        store.write(partial(unit, number=1))
        race(many, lambda: store.snapshot(target))
        copy = self.open_snapshot(target)
        count = copy.read(lambda txn: txn.count(LOGS))
        assert count > 0
        assert copy.read(_in_units) == [count] * 5
        copy.write(partial(unit, number=count + 1))
        assert (copy.read(_in_units), copy.check(CONTRACT_SCHEMA)) == ([count + 1] * 5, [])
        copy.close()

    def test_what_looks_first_sees_what_is_copied_and_may_stop_the_snapshot(self, store: Store, tmp_path: Path) -> None:
        """Where it raises there is no copy."""
        self.need(store, "snapshots")
        load(store, PEOPLE, people([{"size": 1}]))
        target, seen = tmp_path / "snapshot", []

        def refuse(txn: Txn) -> None:
            seen.append(txn.count(PEOPLE))
            stop()

        with pytest.raises(StopError):
            store.snapshot(str(target), fence=refuse)
        assert not target.exists()
        store.snapshot(str(target), fence=lambda txn: seen.append(txn.count(PEOPLE)))
        copy = self.open_snapshot(str(target))
        assert [*seen, copy.read(lambda txn: txn.count(PEOPLE))] == [1, 1, 1]
        copy.close()

    def test_a_store_without_snapshots_says_so(self, store: Store, tmp_path: Path) -> None:
        """It refuses with the code that says what it cannot do."""
        if store.capabilities.snapshots:
            pytest.skip(f"{store.capabilities.name} declares snapshots=True")
        with pytest.raises(StoreError) as caught:
            store.snapshot(str(tmp_path / "snapshot"))
        assert caught.value.code == "no_capability"
