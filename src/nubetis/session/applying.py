"""Applying plans: one operation, one transaction and one journal entry for each chunk.

A plan of one chunk is written in one transaction.  A larger one is first kept whole in the store, chunk by chunk;
then each transaction writes a chunk and drops its copy.  Whatever kills the process in between, what is left of the
plan is in the store, and resuming goes on with it: no record is lost or written twice.

The last transaction of an operation, which may be its only one, ends it, and with it the plan's messages fall due: an
operation that is stopped or taken back has told the world nothing, and one that wrote no record has nothing to tell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

import attrs

from nubetis.access.policy import SETUP
from nubetis.errors import Cancelled, Conflict, NubetisError, PlanDrifted, require_call, require_count
from nubetis.model.bind import OneOf
from nubetis.model.ids import decode, encode
from nubetis.model.journal import change_rows, entry_digest, inserts_of
from nubetis.model.kinds import instant_text
from nubetis.model.outbox import Message
from nubetis.model.plan import CauseKind, ChangeKind, Committed, Creates, Edits, Operation, OperationState, Part, Plan
from nubetis.model.schema import CREATED_IN, ID, VERSION, Module, Schema, key_of
from nubetis.model.store import (
    Batch,
    ConflictKind,
    Expect,
    Inserts,
    Removals,
    Txn,
    Updates,
    VersionName,
    WriteConflict,
)
from nubetis.model.system import BLOBS, CHANGES, ENTRIES, OPERATIONS, OUTBOX
from nubetis.session.holding import Holding
from nubetis.session.kept import Lot, asked_of, lot_row, plan_keys, refuse_asked_more
from nubetis.session.past import last_entry, operation_of
from nubetis.session.planning import STRUCTURAL, refuse_definitions
from nubetis.session.rosters import check_written
from nubetis.session.state import State
from nubetis.session.taking import Lent
from nubetis.session.undoing import UndoPlanner
from nubetis.session.world import check_settings
from nubetis.types import Key, Progress, RecordId, Row

__all__ = ["CHUNK", "Applier", "check_pace", "chunks", "operation_row", "refuse_moved"]

CHUNK: Final = 5000
"""Records of one transaction."""

TAKING_BACK: Final = "taking back"
"""The purpose of nubetis itself where an operation failed."""


def chunks(parts: Iterable[Part], size: int = CHUNK) -> Iterator[tuple[Part, ...]]:
    """Cut *parts* into lots of at most *size* records, keeping their order."""
    lot: list[Part] = []
    room = size
    for part in parts:
        start = 0
        while start < len(part):
            taken = part.slice(start, start + room)
            lot.append(taken)
            start, room = start + len(taken), room - len(taken)
            if not room:
                yield tuple(lot)
                lot, room = [], size
    if lot:
        yield tuple(lot)


def check_pace(tolerance: int, progress: Progress | None) -> None:
    """Stop where a plan cannot be applied so.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    require_count(tolerance, argument="tolerance")
    if progress is not None:
        require_call(progress, argument="progress")


def lots_of(plan: Plan) -> Iterator[Lot]:
    """Give what each transaction writes of *plan*, in order."""
    left = len(plan)
    for parts in chunks(plan.parts, CHUNK):
        left -= sum(map(len, parts))
        yield Lot(parts, messages=() if left else plan.messages, last=not left)


def operation_row(operation: Operation) -> Row:
    """Give the row of the operations ledger."""
    return (
        operation.key,
        operation.state.value,
        operation.cause.kind.value,
        _detail(operation),
        _key(operation.actor),
        _key(operation.on_behalf_of),
        operation.digest,
        operation.position,
        operation.changes,
        operation.undo_of,
        _instant(operation.started_at),
        _instant(operation.ended_at),
    )


def _detail(operation: Operation) -> str:
    found = {
        "cause": dict(operation.cause.detail),
        "sign_in": dict(operation.sign_in),
        "purpose": operation.purpose,
    }
    return json.dumps({name: value for name, value in found.items() if value}, ensure_ascii=False)


def _key(record: RecordId | None) -> Key | None:
    return None if record is None else decode(record)[1]


def _instant(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


@attrs.define
class Applier:
    """Applies one plan for a session.

    *failed* is an operation that the plan takes back: it ends in the transaction that begins to.
    """

    state: State
    plan: Plan
    tolerance: int = 0
    progress: Progress | None = None
    failed: Operation | None = None
    skipped: list[RecordId] = attrs.field(factory=list)
    spared: list[RecordId] = attrs.field(factory=list)
    """What was to be purged and came under a legal hold since."""

    def run(self) -> Operation:
        """Write the plan; give the operation."""
        refuse_definitions(self.state.purpose, self.plan.parts)
        operation = self._begin()
        if self.state.txn_now is not None:
            return self.state.write(lambda: self._whole(operation))
        if len(self.plan) <= CHUNK:
            return self._told(self.state.write(lambda: self._whole(operation)))
        keys = self.state.write(lambda: self._keep(operation, lots_of(self.plan)))
        lots = (attrs.evolve(lot, key=key) for key, lot in zip(keys, lots_of(self.plan), strict=True))
        return self.drain(operation, lots)

    def keep_whole(self) -> tuple[Operation, Lot]:
        """Keep the plan in the store as one lot, to be written by :meth:`step` and dropped by :meth:`end`."""
        operation = self._begin()
        lot = Lot(self.plan.parts, last=False)
        self._keep(operation, [lot])
        return operation, lot

    def _begin(self) -> Operation:
        world = self.state.world
        actor = self.state.actor_id
        return Operation(
            key=world.keys.one(),
            state=OperationState.RUNNING,
            cause=self.plan.cause,
            sign_in=self.state.sign_in,
            purpose="" if actor is not None else self.state.purpose,
            digest=self.plan.digest,
            actor=actor,
            on_behalf_of=self.state.on_behalf_of,
            changes=len(self.plan),
            undo_of=self.plan.undo_of,
            started_at=world.now(),
        )

    # one transaction ---------------------------------------------------------------------------------------
    def _whole(self, operation: Operation) -> Operation:
        self.skipped.clear()
        self.spared.clear()
        self.state.planner().require_all(self.plan.parts, self.plan.cause)
        self._end_failed()
        return self._write(operation, Lot(self.plan.parts, messages=self.plan.messages), first=True)

    def _write(self, operation: Operation, lot: Lot, *, first: bool) -> Operation:
        txn = self.state.txn
        _refuse_outdated(lot.parts, self.state.known.schema)
        lot = attrs.evolve(lot, parts=tuple(map(self.state.planner().up_to_date, lot.parts)))
        if self.plan.undo_of is None and (gone := self.state.planner().gone_links(lot.parts)):
            raise PlanDrifted("drifted", count=gone)
        if lot.last:
            operation = attrs.evolve(operation, state=OperationState.DONE, ended_at=self.state.world.now())
        lot = attrs.evolve(lot, parts=self._purgeable(lot.parts))
        if operation.cause.kind is CauseKind.MERGE:
            self._refuse_linked(lot.parts)
        lent = Lent.of(self.state, lot.parts)
        while True:
            position = operation.position + sum(map(len, lot.parts))
            written = attrs.evolve(operation, position=position, skipped=(*self.skipped, *self.spared))
            batch, entry = self._batch(written, lot, first=first)
            outcome = txn.write(batch)
            if outcome.written:
                break
            lot = attrs.evolve(lot, parts=self._without_drifted(lot.parts, outcome.conflicts))
        if lent is not None:
            lent.refuse_more()
        self._check_invariants(txn, lot.parts)
        self.state.committed.append(
            Committed(org_id=self.state.known.org_id, operation=written, entry=entry, parts=lot.parts)
        )
        return written

    def _batch(self, operation: Operation, lot: Lot, *, first: bool) -> tuple[Batch, Key]:
        world, parts = self.state.world, lot.parts
        entry, now = world.keys.after(last_entry(self.state.txn)), instant_text(world.now())
        ledger = operation_row(operation)
        changes = [row for part in parts if isinstance(part, Edits) for row in self._journal(part, entry)]
        bare: Row = (entry, operation.key, now, inserts_of(parts), None, None)
        digest = entry_digest(bare, ledger, changes)
        found: list[Inserts | Updates | Removals] = [self._stored(part, entry, now) for part in parts]
        found.append(Inserts(ENTRIES, [(*bare[:4], digest, None)]))
        found += [Inserts(CHANGES, changes)] if changes else []
        found.append(Inserts(OPERATIONS, [ledger]) if first else _progress_of(operation))
        found += [] if lot.key is None else [Removals(BLOBS, [lot.key])]
        found += self._messages(lot.messages, entry, now) if lot.messages and operation.position else []
        return Batch(parts=tuple(found), expects=self._expects(parts, first=first)), entry

    def _journal(self, part: Edits, entry: Key) -> list[Row]:
        world = self.state.world
        return change_rows(part, entry, world.keys.many(len(part)), salt=world.salt)

    def _stored(self, part: Part, entry: Key, now: str) -> Inserts | Updates | Removals:
        if isinstance(part, Creates):
            rows = [(*row[:CREATED_IN], entry, *row[CREATED_IN + 1 :]) for row in part.rows]
            return Inserts(part.module, self._numbered(part.module, rows))
        if part.kind is ChangeKind.PURGE:
            return Removals(part.module, part.keys)
        stamp: Row = (now, self.state.actor)
        columns = (*part.columns, "modified_at", "modified_by")
        if part.kind is ChangeKind.UPDATE:
            values = [(*after, *stamp) for after in part.after]
        else:
            columns = (*columns, "deleted_in")
            gone = entry if part.kind is ChangeKind.DELETE else None
            values = [(*stamp, gone)] * len(part)
        return Updates(part.module, columns, part.keys, values, part.versions)

    def _numbered(self, module: Module, rows: list[Row]) -> list[Row]:
        """Fill in the automatic numbers; they are taken when a plan is written, and gaps are allowed."""
        for slot in module.layout.slots.values():
            if slot.field.type.name == "auto_number" and rows:
                first = self.state.txn.allocate(f"number:{module.id}:{slot.field.id}", len(rows))
                at = slot.start
                rows = [(*row[:at], number, *row[at + 1 :]) for number, row in enumerate(rows, start=first)]
        return rows

    def _expects(self, parts: Sequence[Part], *, first: bool) -> tuple[Expect, ...]:
        """Give the versions that *parts* move; the first transaction also holds the plan to the rights it saw."""
        names = {str(part.module.name) for part in parts}
        if not names & (STRUCTURAL | {"modules"}):
            return ()
        versions = self.state.txn.versions()  # of now: a unit may have moved them itself
        seen = self.plan.access_version if first else None
        found = [Expect(VersionName.ACCESS, versions.access if seen is None else seen)] if names & STRUCTURAL else []
        found += [Expect(VersionName.SETTINGS, versions.settings)] if "settings" in names else []
        found += [Expect(VersionName.SCHEMA, versions.schema)] if "modules" in names else []
        return tuple(found)

    def _messages(self, messages: Iterable[Message], entry: Key, now: str) -> list[Inserts | Updates | Removals]:
        """Give the messages that nobody has sent yet: their keys make them idempotent."""
        wanted = {each.key: each for each in reversed(tuple(messages))}
        for (keys,) in self.state.txn.stream(OUTBOX, OneOf("key", tuple(wanted)), columns=("key",)):
            wanted = {key: each for key, each in wanted.items() if key not in keys}
        rows = [_message_row(each, self.state.world.keys.one(), entry, now) for each in reversed(wanted.values())]
        return [Inserts(OUTBOX, rows)] if rows else []

    def _check_invariants(self, txn: Txn, parts: Sequence[Part]) -> None:
        if any(part.module.name == "settings" for part in parts):
            check_settings(txn, self.state.known.schema, org_id=self.state.known.org_id)
        if self.state.purpose != SETUP and any(part.module.name in STRUCTURAL for part in parts):
            check_written(self.state, parts)

    def _purgeable(self, parts: tuple[Part, ...]) -> tuple[Part, ...]:
        """Leave out what is to be purged and is no longer what the plan saw, or came under a hold since."""
        purges = [part for part in parts if part.kind is ChangeKind.PURGE]
        drifted = [conflict for part in purges for conflict in self._moved(part)]
        if drifted:
            parts = self._without_drifted(parts, drifted)
        return tuple([self._without_held(part) if part.kind is ChangeKind.PURGE else part for part in parts])

    def _moved(self, part: Part) -> Iterator[WriteConflict]:
        """Give what a store does not look at when it removes rows: their versions."""
        rows = self.state.planner().rows_of(part.module, [key_of(row) for row in part.rows])
        for seen, row in zip(part.rows, rows, strict=True):
            if row is None:
                yield WriteConflict(ConflictKind.MISSING, part.module, key_of(seen))
            elif row[VERSION] != seen[VERSION]:
                yield WriteConflict(ConflictKind.STALE, part.module, key_of(seen), actual=int(row[VERSION] or 0))

    def _refuse_linked(self, parts: tuple[Part, ...]) -> None:
        """Make sure that a merge leads all links to the losers to the master, also those made since it was planned."""
        known = {each.record for each in self.plan.refusals}
        known |= {encode(part.module.prefix, key_of(row)) for part in parts for row in part.rows}
        losers = [part for part in parts if part.kind is ChangeKind.DELETE]
        linked = {each: module for part in losers for module, each in self.state.planner().linked_to(part)}
        found = [
            WriteConflict(ConflictKind.STALE, linked[each], decode(each)[1]) for each in sorted(linked.keys() - known)
        ]
        if found:
            self._without_drifted(parts, found)

    def _without_held(self, part: Part) -> Part:
        held = Holding.of(self.state.planner(), part.module).of_rows(part.rows)
        self.spared += [encode(part.module.prefix, key) for key in held]
        return _slice_without(part, set(held)) if held else part

    # what stands against it --------------------------------------------------------------------------------
    def _without_drifted(self, parts: tuple[Part, ...], conflicts: Sequence[WriteConflict]) -> tuple[Part, ...]:
        """Leave out the records that drifted, as far as the tolerance goes."""
        drifted = {(c.module.id, c.key): c for c in conflicts if c.module is not None and c.kind in _DRIFT}
        other = [conflict for conflict in conflicts if conflict.kind not in _DRIFT]
        if other:
            raise self._error_of(other[0])
        if len(self.skipped) + len(drifted) > self.tolerance:
            raise self._drift_error(parts, list(drifted.values()))
        self.skipped += [
            encode(c.module.prefix, c.key) for c in drifted.values() if c.module is not None and c.key is not None
        ]
        return tuple(
            [_slice_without(part, {key for module, key in drifted if module == part.module.id}) for part in parts]
        )

    def _drift_error(self, parts: Sequence[Part], conflicts: Sequence[WriteConflict]) -> PlanDrifted:
        first, error = conflicts[0], PlanDrifted("drifted", count=len(conflicts))
        if sum(map(len, parts)) > 1 or first.module is None or first.key is None:
            return error
        now = self.state.record_now(first.module, first.key)
        known = self.state.sight.module(first.module).layout.slots
        error.mine = {n: value for change in parts[0].changes() for n, value in change.after.items() if n in known}
        error.theirs = {} if now is None else {name: now[name] for name in error.mine}
        return error

    def _error_of(self, conflict: WriteConflict) -> NubetisError:
        if conflict.kind is ConflictKind.UNIQUE:
            return self._taken(conflict)
        if conflict.kind is ConflictKind.VERSION:
            return PlanDrifted("outdated")
        if conflict.kind is ConflictKind.TAKEN and conflict.module is not None:
            return Conflict("applied_already", module=conflict.module.name)
        return Conflict("store_failed", reason=conflict.kind.value)

    def _taken(self, conflict: WriteConflict) -> NubetisError:
        module, name = conflict.module, conflict.column.partition("__")[0]
        if module is None or name not in module.layout.index:
            return Conflict("not_unique", field=name)
        found = self.state.planner().against("not_unique", module, module.layout.column(name).field)
        return Conflict(found.code, **found.params)

    # many transactions -------------------------------------------------------------------------------------
    def _keep(self, operation: Operation, lots: Iterable[Lot]) -> list[Key]:
        """Keep the plan in the store, lot by lot; give the keys of the lots."""
        if self.plan.access_version not in {None, self.state.versions.access}:
            raise PlanDrifted("outdated")
        _refuse_outdated(self.plan.parts, self.state.known.schema)
        self.state.planner().require_all(self.plan.parts, self.plan.cause)
        self._end_failed()
        self.state.write_now(Batch(parts=(Inserts(OPERATIONS, [operation_row(operation)]),)))
        keys: list[Key] = []
        self.state.txn.bulk_load(BLOBS, self._lot_rows(operation, lots, keys))
        return keys

    def _lot_rows(self, operation: Operation, lots: Iterable[Lot], keys: list[Key]) -> Iterator[Row]:
        for place, lot in enumerate(lots):
            keys.append(self.state.world.keys.one())
            yield lot_row(keys[-1], operation.key, place, lot)

    def drain(self, operation: Operation, lots: Iterable[Lot]) -> Operation:
        """Write lot after lot; leave an operation that can be resumed when asked to stop, and nothing when it fails."""
        try:
            for lot in lots:
                operation = self.step(operation, lot)
                self._told(operation)
        except Cancelled:
            self.end(operation, OperationState.CANCELLED)
            raise
        except Exception as error:  # also what the host's progress raises
            moved = isinstance(error, NubetisError) and error.code == "operation_moved"
            if not moved and operation.state is not OperationState.DONE:
                self.take_back(operation)
            raise
        return operation

    def step(self, operation: Operation, lot: Lot) -> Operation:
        """Write one lot in a transaction of its own, if the user may, as rights then are."""
        before = len(self.skipped), len(self.spared)

        def work() -> Operation:
            del self.skipped[before[0] :], self.spared[before[1] :]  # the store may have to run this again
            refuse_moved(self.state.txn, operation)
            self.state.planner().require_all(lot.parts, operation.cause)
            return self._write(operation, lot, first=False)

        return self.state.write(work)

    def _told(self, operation: Operation) -> Operation:
        """Tell how far *operation* has come; who then asks to stop one that is done comes too late."""
        try:
            if self.progress is not None:
                self.progress(operation.position, operation.changes)
        except Cancelled:
            if operation.state is not OperationState.DONE:
                raise
        return operation

    def end(self, operation: Operation, state: OperationState) -> Operation:
        """End an operation, whatever the user may by now; what is kept of its plan goes, unless it can be resumed."""
        itself = self.state.itself(TAKING_BACK)
        ended = attrs.evolve(operation, state=state, ended_at=itself.world.now())

        def work() -> None:
            refuse_moved(itself.txn, operation)
            left = [] if state is OperationState.CANCELLED else plan_keys(itself.txn, operation.key)
            itself.write_now(Batch(parts=(_progress_of(ended), Removals(BLOBS, left))))

        itself.write(work)
        return ended

    def take_back(self, operation: Operation) -> None:
        """End an operation that failed: undo what it wrote, forget what it did not.

        It is nubetis that does so, on behalf of the user: he may have lost the right, or what he wrote from his sight.
        """
        if not operation.position:
            self.end(operation, OperationState.FAILED)
            return
        itself = self.state.itself(TAKING_BACK)
        plan = itself.read(lambda: UndoPlanner(itself.planner(), operation.key).plan())
        Applier(itself, plan, failed=operation).run()

    def _end_failed(self) -> None:
        if self.failed is not None:
            self.end(self.failed, OperationState.FAILED)


def refuse_moved(txn: Txn, operation: Operation) -> None:
    """Refuse where somebody else went on with *operation*, took it back or ended it."""
    row = txn.get_many(OPERATIONS, [operation.key])[0]
    now = None if row is None else operation_of(row)
    if now is None or now.state not in _OPEN or now.position != operation.position:
        raise Conflict("operation_moved", id=operation.id)


def _progress_of(operation: Operation) -> Updates:
    """Give how far *operation* has come, for its row in the ledger."""
    row, columns = operation_row(operation), ("state", "position", "ended_at")
    values = tuple([row[OPERATIONS.layout.index[name]] for name in columns])
    return Updates(OPERATIONS, columns, [operation.key], [values])


_DRIFT: Final = frozenset({ConflictKind.STALE, ConflictKind.MISSING})
_OPEN: Final = frozenset({OperationState.RUNNING, OperationState.CANCELLED})


def _slice_without(part: Part, keys: AbstractSet[Key | None]) -> Part:
    keep = [at for at, row in enumerate(part.rows) if row[ID] not in keys]
    if isinstance(part, Creates):
        return Creates(part.module, [part.rows[at] for at in keep])
    after = [part.after[at] for at in keep] if part.after else ()
    return attrs.evolve(part, rows=[part.rows[at] for at in keep], after=after)


def _message_row(message: Message, key: Key, entry: Key, now: str) -> Row:
    body = json.dumps(dict(message.body), ensure_ascii=False)
    return (key, message.kind, body, message.key, "waiting", 0, now, entry)


def _refuse_outdated(parts: Iterable[Part], schema: Schema) -> None:
    """Refuse what was planned for fields or modules that are no more, or that would be checked otherwise now.

    Raises:
        PlanDrifted: ``outdated``.
    """
    for part in parts:
        now, old = schema.by_id.get(part.module.id), part.module
        if now is old:
            continue
        if now is None or not now.by_id.keys() >= old.by_id.keys():
            raise PlanDrifted("outdated")
        refuse_asked_more(part, asked_of(old), now)
