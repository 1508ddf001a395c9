"""Stores that break one promise each about what units see of each other, or about what is left of what was done."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import attrs
from nubetis_lines import LinesStore

from nubetis.backends import open_memory
from nubetis.backends.memory.store import _HOMES, MemoryStore, _Home
from nubetis.backends.memory.transactions import Transaction
from nubetis.backends.sql import open_sqlite
from nubetis.errors import Conflict, StoreError
from nubetis.model import bind
from nubetis.model.bind import ALWAYS
from nubetis.model.fields import Operator
from nubetis.model.kinds import BUILT_IN
from nubetis.model.schema import StepKind, diff
from nubetis.model.store import Batch, ConflictKind, Removals, Updates, VersionName
from nubetis.model.system import COUNTERS, VERSIONS
from nubetis.testing.store_contract import CONTRACT_SCHEMA
from nubetis.testing.store_contract.setting import PEOPLE, all_rows, in_thread, kinds


class BrokenTxn:
    """A transaction that does what the real one does, but for what a subclass breaks."""

    def __init__(self, txn):
        self._txn = txn

    def __getattr__(self, name):
        return getattr(self._txn, name)


class Broken:
    """A store on SQLite that does all that it should, but for what a subclass breaks."""

    txn = BrokenTxn

    def __init__(self, url):
        self.path = url.removeprefix("sqlite:///")
        self._store = open_sqlite(f"{url}?profile=fast", create=True)

    def __getattr__(self, name):
        return getattr(self._store, name)

    def read(self, unit):
        return self._store.read(lambda txn: unit(self.txn(txn)))

    def write(self, unit):
        return self._store.write(lambda txn: unit(self.txn(txn)))


_NAMES = tuple([name.value for name in VersionName])


class ShowsAnotherState(Broken):
    """Gives units that read, or write, what is committed last, by the ways of looking that are *astray*."""

    reads, writes, astray, linked = True, False, (), False

    def read(self, unit):
        return self._store.read(lambda txn: unit(Astray(txn, self) if self.reads else txn))

    def write(self, unit):
        return self._store.write(lambda txn: unit(Astray(txn, self) if self.writes else txn))


class Astray(BrokenTxn):
    def __init__(self, txn, store):
        super().__init__(txn)
        self._store = store

    def __getattr__(self, name):
        if name not in self._store.astray:
            return getattr(self._txn, name)
        return partial(self._elsewhere, name)

    def _elsewhere(self, name, *given, **more):
        look = partial(_answer, name=name, given=given, more=more)
        if self._store.linked and "Link" not in repr(given):
            return look(self._txn)
        return in_thread(lambda: self._store._store.read(look))


def _answer(txn, name, given, more):
    found = getattr(txn, name)(*given, **more)
    return iter(list(found)) if name == "stream" else found


class InMemory(Broken):
    home = _Home

    def __init__(self, url):
        name = url.removeprefix("sqlite:///")
        _HOMES.setdefault(name, self.home())
        self._store = open_memory(f"memory://{name}", create=True)


class Piecemeal(_Home):
    """Shows what is committed module by module."""

    _shown = {}  # noqa: RUF012 - never changed in place

    @property
    def tables(self):
        return self._shown

    @tables.setter
    def tables(self, tables):
        for number, table in tables.items():
            self._shown = {**self._shown, number: table}
            time.sleep(0)
        self._shown = tables


class ShowsModuleByModule(InMemory):
    home = Piecemeal


class LetsWritersGoOn(InMemory):
    """Runs units side by side, and keeps one when all that it did and saw comes out the same once more, but for one."""

    capabilities = attrs.evolve(MemoryStore.capabilities, savepoints=False)
    overlooked = ""

    def write(self, unit):
        home = self._store._home
        with home.unit():
            while True:
                result, calls = _run(unit, Transaction(home.tables, writes=True))
                with self._store._turn(home):
                    again = Transaction(home.tables, writes=True)
                    if all(_answered(again, *call) for call in calls if call[0] != self.overlooked):
                        home.tables = again.tables
                        return result


def _run(unit, txn):
    noting = Recording(txn)
    try:
        result = unit(noting)
    finally:
        txn.end()
    if txn.lost:
        raise StoreError("store_failed", reason="lost")
    return result, noting.calls


def _answered(txn, name, given, more, found):
    answer = getattr(txn, name)(*given, **more)
    return (list(answer) if name == "stream" else answer) == found


class Recording(BrokenTxn):
    def __init__(self, txn):
        super().__init__(txn)
        self.calls = []

    def __getattr__(self, name):
        return partial(self._call, name)

    def _call(self, name, *given, **more):
        given = [list(each) if isinstance(each, Iterator) else each for each in given]
        answer = getattr(self._txn, name)(*given, **more)
        found = list(answer) if name == "stream" else answer
        self.calls.append((name, given, more, found))
        return iter(found) if name == "stream" else found


class KeepsWhatWasInterrupted(Broken):
    def write(self, unit):
        ended = []

        def held(txn):
            with _holding(ended):
                return unit(txn)

        result = super().write(held)
        if ended:
            raise ended[0]
        return result


class KeepsInterruptedSavepoints(BrokenTxn):
    @contextmanager
    def savepoint(self):
        ended = []
        with self._txn.savepoint(), _holding(ended):
            yield
        if ended:
            raise ended[0]


@contextmanager
def _holding(ended):
    """Hold back what ends a program, for later."""
    try:
        yield
    except Exception:
        raise
    except BaseException as error:  # noqa: BLE001 - that is what is broken
        ended.append(error)


class LosesOtherTallies(Broken):
    """Adds up the tallies of what it is told, and forgets those of other modules."""

    def compact(self, module_ids=()):
        told = [int(each) for each in module_ids]
        self._store.compact(module_ids)
        if told:
            with closing(sqlite3.connect(self.path)) as link, link:
                link.execute(f"DELETE FROM tallies WHERE module NOT IN ({', '.join(map(str, told))})")


class LooksAtTheSchemaOnly(Broken):
    """Throws away what somebody has set up, where one of the other versions moved."""

    def discard(self):
        if self._store.format() and not self._store.read(lambda txn: txn.versions().schema):
            self._store.write(lambda txn: txn.write(Batch(parts=(Updates(VERSIONS, _NAMES, [1], [(0, 0, 0)]),))))
        self._store.discard()


class LooksBefore(Broken):
    """Asks the fence in a unit of its own."""

    def migrate(self, steps, schema, *, fence=None):
        if fence is not None:
            self._store.read(fence)
        self._store.migrate(steps, schema)


class OverlooksTwins(Broken):
    """Finds wrong twins in some rows only."""

    rows = range(1, 2)

    def check(self, schema=None, *, progress=None):
        found = self._store.check(schema, progress=progress)
        wrong = bind.Test("name__f", Operator.EQ, "harmed")
        keys = self._store.read(lambda txn: {row[0] for row in all_rows(txn, PEOPLE, wrong)})
        return found if keys & set(self.rows) else [each for each in found if each.code != "twin_wrong"]


class OverlooksMany(OverlooksTwins):
    def check(self, schema=None, *, progress=None):
        return [each for each in self._store.check(schema, progress=progress) if (each.count or 0) <= 99]


class RemovesTwice(BrokenTxn):
    """Takes a key that is named twice out of the tallies twice."""

    def write(self, batch):
        outcome = self._txn.write(batch)
        for part in batch.parts:
            if isinstance(part, Removals) and len(set(part.keys)) < len(part.keys):
                self._txn._db.execute("UPDATE tallies SET delta = delta - 1")
        return outcome


class LooksWhereItGoes(BrokenTxn):
    """Looks at the floor of a guard where it goes down, and at the ceiling where it goes up."""

    def write(self, batch):
        guards = [
            attrs.evolve(g, floor=None if g.delta > 0 else g.floor, ceiling=None if g.delta < 0 else g.ceiling)
            for g in batch.guards
        ]
        return self._txn.write(attrs.evolve(batch, guards=tuple(guards)))


class MovesVersionsAnyway(BrokenTxn):
    """Raises the versions that were expected of a batch that one kind of conflict stands against."""

    kind = ConflictKind.GUARD

    def write(self, batch):
        outcome = self._txn.write(batch)
        if self.kind in kinds(outcome):
            self._txn.write(Batch(expects=batch.expects))
        return outcome


class CountsWhatChanged(BrokenTxn):
    def update_where(self, module, where, values):
        found = self._txn.stream(module, where, columns=list(values))
        changed = sum(row != tuple(values.values()) for batch in found for row in zip(*batch, strict=True))
        self._txn.update_where(module, where, values)
        return changed


class TakesNoneForAll(BrokenTxn):
    def count(self, module, where=ALWAYS, *, limit=None):
        return self._txn.count(module, where, limit=limit or None)


class LoadsUpToTheError(BrokenTxn):
    def bulk_load(self, module, rows):
        return self._txn.bulk_load(module, _up_to_the_error(rows))


class GoesOnAfterTheError(BrokenTxn):
    """Lets a unit be kept whose load ended in the middle."""

    def bulk_load(self, module, rows):
        given = list(rows)
        return self._txn.bulk_load(module, given)


def _up_to_the_error(rows):
    with suppress(BaseException):
        yield from rows


class KeepsThePartThatFits(Broken):
    """Makes the changes of one module after the other; those before the one that is refused stay."""

    turned = 1

    def migrate(self, steps, schema, *, fence=None):
        try:
            self._store.migrate(steps, schema, fence=fence)
        except Conflict as error:
            if error.code != "not_unique":
                raise
            with suppress(Conflict):
                part = CONTRACT_SCHEMA
                for module in list(schema.modules)[:: self.turned]:
                    part, before = part.with_module(module), part
                    self._store.migrate(diff(before, part), part)
            raise


class KeepsThePartThatFitsTurned(KeepsThePartThatFits):
    turned = -1


class InLines(Broken):
    def __init__(self, url):
        path = Path(url.removeprefix("sqlite:///"))
        self._store = LinesStore(url, path, BUILT_IN)


class ForgetsChanges(BrokenTxn):
    """Does not note what is changed by a condition."""

    def update_where(self, module, where, values):
        return self._txn._txn.update_where(module, where, values)


class ForgetsChangesOfLines(InLines):
    txn = ForgetsChanges


class LosesCountersWhenCompacted(InLines):
    def compact(self, module_ids=()):
        rows = self._store._rows
        self._store._rows = lambda txn, held: rows(txn, {k: v for k, v in held.items() if k != COUNTERS.id})
        self._store.compact(module_ids)
        del self._store._rows


class AppendsToTheOldFile(InLines):
    """Writes the file anew, and goes on in the one that it replaced."""

    def compact(self, module_ids=()):
        with self._store._path.open("a+b") as held:
            old = os.fdopen(os.dup(held.fileno()), "a+b")
        self._store.compact(module_ids)
        self._store._file.close()
        self._store._file = old


class KeepsNoLossOfTables(InLines):
    """Leaves no line of a change that only takes away."""

    def migrate(self, steps, schema, *, fence=None):
        every = list(steps)
        if every and {step.kind for step in every} <= {StepKind.DROP_MODULE, StepKind.PURGE_FIELD}:
            self._store._memory.migrate(every, schema, fence=fence)
            self._store._schema = schema
            return
        self._store.migrate(every, schema, fence=fence)


class LooksAfterwards(Broken):
    """Asks the fence when the change is made."""

    def migrate(self, steps, schema, *, fence=None):
        self._store.migrate(steps, schema)
        if fence is not None:
            self._store.read(fence)


class LeavesTheBinAlone(BrokenTxn):
    def update_where(self, module, where, values):
        living = bind.All((where, bind.Missing("deleted_in"))) if module.journalled else where
        return self._txn.update_where(module, living, values)


class LooksAtTheFirstGuardOnly(BrokenTxn):
    """Looks at the bounds of the first guard of each counter in a batch."""

    def write(self, batch):
        seen, guards = set(), []
        for guard in batch.guards:
            again = guard.counter in seen
            guards.append(attrs.evolve(guard, floor=None, ceiling=None) if again else guard)
            seen.add(guard.counter)
        return self._txn.write(attrs.evolve(batch, guards=tuple(guards)))
