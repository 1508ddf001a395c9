"""Stores that break one promise each: the suite finds every one of them, by the case that is there for it."""

from __future__ import annotations

import inspect
import re
import sqlite3
from contextlib import ExitStack, closing, suppress
from functools import partial
from typing import ClassVar

import attrs
import pytest
from _pytest.outcomes import Failed

from nubetis.backends import open_memory
from nubetis.backends.memory.transactions import Transaction
from nubetis.backends.sql import open_sqlite
from nubetis.errors import Conflict, NotFound, StoreError
from nubetis.model.bind import ALWAYS
from nubetis.model.schema import Schema, diff, key_of
from nubetis.model.store import Batch, ConflictKind, Expect, Removals, Updates, VersionName
from nubetis.model.system import COUNTERS, ENTRIES, SEALS
from nubetis.testing.people import make_org
from nubetis.testing.store_contract import CONTRACT_SCHEMA, StoreContract, isolation, schemas
from nubetis.testing.store_contract.sessions import _Opening
from nubetis.testing.store_contract.setting import LOGS, all_rows, setting
from tests.contract.breaking import (
    AppendsToTheOldFile,
    Broken,
    BrokenTxn,
    CountsWhatChanged,
    ForgetsChangesOfLines,
    GoesOnAfterTheError,
    KeepsInterruptedSavepoints,
    KeepsNoLossOfTables,
    KeepsThePartThatFits,
    KeepsThePartThatFitsTurned,
    KeepsWhatWasInterrupted,
    LeavesTheBinAlone,
    LetsWritersGoOn,
    LoadsUpToTheError,
    LooksAfterwards,
    LooksAtTheFirstGuardOnly,
    LooksAtTheSchemaOnly,
    LooksBefore,
    LooksWhereItGoes,
    LosesCountersWhenCompacted,
    LosesOtherTallies,
    MovesVersionsAnyway,
    OverlooksMany,
    OverlooksTwins,
    RemovesTwice,
    ShowsAnotherState,
    ShowsModuleByModule,
    TakesNoneForAll,
)
from tests.contract.harming import HARM


class LosesRowsOfSnapshots(Broken):
    """Takes the rows of one module out of a snapshot."""

    lost = ENTRIES

    def snapshot(self, target):
        self._store.snapshot(target)
        with closing(open_sqlite(f"sqlite:///{target}", create=False)) as copy:
            keys = copy.read(lambda txn: [key_of(row) for row in all_rows(txn, self.lost)])
            copy.write(lambda txn: txn.write(Batch(parts=(Removals(self.lost, keys),))))


class LosesCountersOfSnapshots(LosesRowsOfSnapshots):
    lost = COUNTERS


class LosesLinesOfSnapshots(LosesRowsOfSnapshots):
    lost = LOGS


class ForgetsVersionsOfSnapshots(Broken):
    def snapshot(self, target):
        self._store.snapshot(target)
        with closing(open_sqlite(f"sqlite:///{target}", create=False)) as copy:
            version = copy.read(lambda txn: txn.versions().access)
            copy.write(lambda txn: txn.write(Batch(expects=(Expect(VersionName.ACCESS, version),))))


class BelievesOne(BrokenTxn):
    """Takes for right whatever is expected of one version."""

    name = VersionName.SETTINGS

    def write(self, batch):
        now = self._txn.versions()
        expects = [Expect(each.name, now.of(each.name)) if each.name is self.name else each for each in batch.expects]
        return self._txn.write(attrs.evolve(batch, expects=tuple(expects)))


class LooksAtTheFirstVersionOnly(BrokenTxn):
    def write(self, batch):
        now = self._txn.versions()
        expects = [*batch.expects[:1], *[Expect(each.name, now.of(each.name)) for each in batch.expects[1:]]]
        return self._txn.write(attrs.evolve(batch, expects=tuple(expects)))


class StopsAfter500(BrokenTxn):
    def get_many(self, module, keys):
        return [row if place < 500 else None for place, row in enumerate(self._txn.get_many(module, keys))]


class LosesTheLastOfALot(BrokenTxn):
    def get_many(self, module, keys):
        found = self._txn.get_many(module, keys)
        return [*found[:-1], None] if found and len(found) % 500 == 0 else found


class SortsTheKeys(BrokenTxn):
    def get_many(self, module, keys):
        return self._txn.get_many(module, sorted(keys) if len(keys) > 100 else keys)


class LoadsTheFirst5000(BrokenTxn):
    def bulk_load(self, module, rows):
        given = list(rows)
        self._txn.bulk_load(module, given[:5000])
        return len(given)


class StreamsTheFirst3000(BrokenTxn):
    def stream(self, *given, **more):
        seen = 0
        for batch in self._txn.stream(*given, **more):
            seen += len(batch[0])
            yield batch
            if seen >= 3000:
                return


class AnswersWith1000(BrokenTxn):
    def query(self, query):
        return self._txn.query(query)[:1000]


class LooksAtTwoVersions(BrokenTxn):
    """Does not look at the versions of the third row and those after it."""

    looked = 2

    def write(self, batch):
        return self._txn.write(attrs.evolve(batch, parts=tuple([self._blind(part) for part in batch.parts])))

    def _blind(self, part):
        if not isinstance(part, Updates) or part.expected is None:
            return part
        rows = self._txn.get_many(part.module, part.keys)
        pairs = enumerate(zip(rows, part.expected, strict=True))
        now = [each if place < self.looked or row is None else row[1] for place, (row, each) in pairs]
        return attrs.evolve(part, expected=now)


class LooksAtALotOfVersions(LooksAtTwoVersions):
    looked = 500


class ChangesARowWhenRefused(Broken):
    def migrate(self, steps, schema, *, fence=None):
        try:
            self._store.migrate(steps, schema, fence=fence)
        except Conflict:
            self._store.write(lambda txn: txn.write(setting("size", [1], [77])))
            raise


class TakesOutWhenRefused(Broken):
    """Drops the modules that go, and refuses the rest."""

    def migrate(self, steps, schema, *, fence=None):
        try:
            self._store.migrate(steps, schema, fence=fence)
        except Conflict:
            if "logs" not in {module.name for module in schema.modules}:
                self._store.write(lambda txn: txn.update_where(LOGS, ALWAYS, {"size": None}))
            raise


class FindsNothing(Broken):
    def check(self, schema=None, *, progress=None):  # noqa: ARG002 - the signature of a store
        return []


class MendsNothing(Broken):
    def mend(self, findings, schema, **more):
        pass


class MendsWithoutLooking(Broken):
    def mend(self, findings, schema, **_):
        self._store.mend(findings, schema)


class MendsARow(Broken):
    def mend(self, findings, schema, **more):
        self._store.mend(findings, schema, **more)
        self._store.write(lambda txn: txn.write(setting("size", [2], [77])))


class LosesAUnit(Broken):
    """Says of one unit in nine that it is written, when it is not."""

    units = 0

    def write(self, unit):
        self.units += 1
        if self.units % 9:
            return super().write(unit)
        with suppress(ZeroDivisionError):
            self._store.write(lambda txn: (unit(txn), 1 / 0))
        return None


class RunsUnitsOverAndOver(Broken):
    def write(self, unit):
        for _ in range(25):
            with suppress(ZeroDivisionError):
                self._store.write(lambda txn: (unit(txn), 1 / 0))
        return super().write(unit)


class HidesASeal(BrokenTxn):
    def query(self, query):
        return [row for row in self._txn.query(query) if query.module != SEALS or row[0] != 3]


class TurnsTheSealsRound(BrokenTxn):
    def query(self, query):
        found = self._txn.query(query)
        return found[::-1] if query.module == SEALS else found


class ShowsWhatIsNotCommitted(Broken):
    under_way = None

    def __init__(self, url):
        self._store = open_memory(url.replace("sqlite:///", "memory://"), create=True)

    def write(self, unit):
        def noted(txn):
            self.under_way = txn
            return unit(txn)

        try:
            return self._store.write(noted)
        finally:
            self.under_way = None

    def read(self, unit):
        if self.under_way is None:
            return self._store.read(unit)
        return unit(Transaction(self.under_way.tables, writes=False))


class KeepsLinesWhenCleared(Broken):
    """Has the rows of one module again as soon as there is a table for them."""

    kept: ClassVar = []

    def clear(self, known=()):
        if self.format() is not None:
            self.kept += self._store.read(lambda txn: all_rows(txn, LOGS))
        self._store.clear(known)

    def migrate(self, steps, schema, **more):
        self._store.migrate(steps, schema, **more)
        self._store.write(lambda txn: txn.bulk_load(LOGS, self.kept))


def on(txn):
    """Give a store whose units get *txn*."""
    return type(txn.__name__, (Broken,), {"txn": txn})


def astray(name, **more):
    """Give a store that looks elsewhere when *name* is asked."""
    return type(f"{'_'.join([name, *more])}_astray", (ShowsAnotherState,), {"astray": (name,), **more})


FILTERING = ("stream", "query", "count", "aggregate")
LOOKS = (*FILTERING, "get_many", "tally")
WAYS_BY_NAME = {
    "stream": "stream", "page": "query", "count": "count", "groups": "aggregate", "keys": "get_many", "tally": "tally",
}  # fmt: skip


BROKEN = [
    (LosesRowsOfSnapshots, "a_snapshot_is_a_whole_store", {}),
    (LosesCountersOfSnapshots, "a_snapshot_is_a_whole_store", {}),
    (LosesCountersOfSnapshots, "a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with", {}),
    (LosesLinesOfSnapshots, "a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with", {}),
    (ForgetsVersionsOfSnapshots, "a_snapshot_is_a_whole_store", {}),
    (ForgetsVersionsOfSnapshots, "a_snapshot_taken_beside_a_writer_is_restored_and_gone_on_with", {}),
    *[
        (on(type(f"Believes{name}", (BelievesOne,), {"name": name})), "each_version_is_expected_alone", {"moved": ()})
        for name in VersionName
    ],
    (on(LooksAtTheFirstVersionOnly), "each_version_is_expected_alone", {"moved": ()}),
    (on(StopsAfter500), "get_many_keeps_the_order", {}),
    (on(StopsAfter500), "get_many_gives_every_row", {"count": 501}),
    (on(LosesTheLastOfALot), "get_many_gives_every_row", {"count": 1000}),
    (on(SortsTheKeys), "get_many_gives_every_row", {"count": 499}),
    *[
        (on(each), "a_bulk_load_takes_rows_in_any_order", {})
        for each in (LoadsTheFirst5000, StreamsTheFirst3000, AnswersWith1000)
    ],
    (on(LooksAtTwoVersions), "a_stale_row_is_found", {"count": 3}),
    (on(LooksAtALotOfVersions), "a_stale_row_is_found", {"count": 501}),
    (ChangesARowWhenRefused, "a_field_that_is_not_unique_cannot_become_so", {}),
    (ChangesARowWhenRefused, "what_was_refused_is_not_looked_for_afterwards", {}),
    *[(FindsNothing, "what_was_harmed", {"what": what}) for what in HARM],
    *[(MendsNothing, "what_was_harmed", {"what": what}) for what in HARM],
    (MendsWithoutLooking, "what_looks_first_may_stop_the_mending", {}),
    (MendsARow, "what_was_harmed", {"what": "tallies"}),
    (LosesAUnit, "units_that_touch_the_same_rows", {}),
    (RunsUnitsOverAndOver, "units_that_touch_the_same_rows", {}),
    (on(HidesASeal), "who_follows_the_journal", {}),
    (on(TurnsTheSealsRound), "who_follows_the_journal", {}),
    (ShowsWhatIsNotCommitted, "a_write_unit_sees_its_own_writes(?!_by)", {}),
    (KeepsLinesWhenCleared, "a_store_that_is_cleared_is_as_new", {"told": True}),
    (TakesOutWhenRefused, "a_field_that_is_not_unique_cannot_become_so", {}),
    (ShowsModuleByModule, "a_commit_is_seen_whole", {}),
    *[(astray(name), "a_read_unit_sees_one_snapshot_by_every_way", {}) for name in LOOKS],
    *[(astray(name, reads=False, writes=True), "a_write_unit_sees_its_own_writes_by_every_way", {}) for name in LOOKS],
    *[(astray(name, linked=True), "linked_filters_look_at_the_snapshot", {}) for name in FILTERING],
    *[
        (astray(name, linked=True, reads=False, writes=True), "linked_filters_look_at_the_snapshot", {})
        for name in FILTERING
    ],
    *[
        (type(f"Overlooks_{name}", (LetsWritersGoOn,), {"overlooked": name}), "of_two_units_that_look", {"way": way})
        for way, name in WAYS_BY_NAME.items()
    ],
    (KeepsWhatWasInterrupted, "a_unit_ended_by_whatever", {}),
    (on(KeepsInterruptedSavepoints), "a_savepoint_ended_by_whatever", {}),
    (LosesOtherTallies, "compacting_changes_nothing", {}),
    *[
        (LooksAtTheSchemaOnly, "an_organisation_that_was_set_up", {"name": name})
        for name in (VersionName.ACCESS, VersionName.SETTINGS)
    ],
    (LooksBefore, "of_two_who_go_on", {}),
    (OverlooksTwins, "wrong_twins_are_found", {"harmed": range(300, 301)}),
    (type("OverlooksTheFirst", (OverlooksTwins,), {"rows": range(2, 301)}), "wrong_twins", {"harmed": range(1, 2)}),
    (OverlooksMany, "wrong_twins_are_found", {"harmed": range(120, 280)}),
    (on(RemovesTwice), "a_key_that_is_named_twice", {}),
    (on(LooksWhereItGoes), "a_guard_looks_at_both_bounds", {}),
    *[
        (
            on(type(f"MovesVersionsWhen_{kind}", (MovesVersionsAnyway,), {"kind": kind})),
            "whatever_stands",
            {"kind": kind},
        )
        for kind in ConflictKind
        if kind is not ConflictKind.VERSION
    ],
    (on(CountsWhatChanged), "update_where_sets_all_that_fit", {}),
    (on(TakesNoneForAll), "a_count_stops_at_its_limit", {}),
    *[
        (on(each), "a_bulk_load_whose_rows_raise", {"error": KeyboardInterrupt})
        for each in (LoadsUpToTheError, GoesOnAfterTheError)
    ],
    (KeepsThePartThatFits, "a_change_of_two_modules", {"names": ("people", "logs")}),
    (KeepsThePartThatFitsTurned, "a_change_of_two_modules", {"names": ("logs", "people")}),
    (ForgetsChangesOfLines, "what_was_written_is_there", {}),
    (LosesCountersWhenCompacted, "compacting_changes_nothing", {}),
    (AppendsToTheOldFile, "what_is_written_after_compacting", {}),
    (KeepsNoLossOfTables, "what_a_change_only_took_away", {}),
    (LooksAfterwards, "what_looks_first_sees_what_the_change_would", {}),
    (on(LeavesTheBinAlone), "update_where_sets_rows_in_the_bin", {}),
    (on(LooksAtTheFirstGuardOnly), "a_guard_looks_at_what_those_before", {}),
]


def case_of(store, beginning):
    """Give the one case of the suite that begins so, for a store of the kind of *store*."""

    class Suite(StoreContract):
        factory = "nubetis.backends:open_sqlite"

        def url_of(self, folder):
            return f"sqlite:///{folder}/org.db"

        def harm(self, folder, store, what):  # noqa: ARG002 - the signature of the suite
            with closing(sqlite3.connect(folder / "org.db")) as link, link:
                link.execute(HARM[what])

        def open_store(self, folder):
            return store(f"sqlite:///{folder}/org.db")

        def open_snapshot(self, target):
            return open_sqlite(f"sqlite:///{target}", create=False)

    (name,) = [each for each in dir(Suite) if re.match(f"test_{beginning}", each)]
    return Suite(), getattr(Suite(), name)


def run(store, beginning, tmp_path, given):
    """Run a case on a store of its own, as pytest would."""
    suite, case = case_of(store, beginning)
    wanted, more = inspect.signature(case).parameters, {"tmp_path": tmp_path}
    with ExitStack() as stack:
        if "store" in wanted:
            more["store"] = made = stack.enter_context(closing(suite.open_store(tmp_path)))
            made.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        if "org" in wanted:
            plugin = _Opening(partial(suite.open_store, tmp_path))
            more["org"] = stack.enter_context(make_org("contract://org", plugins=[plugin]))
        case(**{name: more[name] for name in wanted if name in more}, **given)


@pytest.fixture(autouse=True)
def _patient(monkeypatch):
    """Wait longer for those who should not come, for a broken store lets them come however busy the machine is."""
    monkeypatch.setattr(isolation, "_MEETING", 0.2)
    monkeypatch.setattr(schemas, "_MEETING", 0.5)


@pytest.mark.parametrize(("store", "beginning", "given"), BROKEN, ids=lambda each: getattr(each, "__name__", str(each)))
def test_a_broken_store_is_found_by_the_case_that_is_there_for_it(store, beginning, given, tmp_path):
    run(Broken, beginning, tmp_path, given)
    folder = tmp_path / "broken"
    folder.mkdir()
    with pytest.raises((AssertionError, Failed, NotFound, StoreError)):
        run(store, beginning, folder, given)
