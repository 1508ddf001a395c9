"""Applying plans: one operation, one transaction and one journal entry for each chunk.

A plan of one chunk is written in one transaction.  A larger one is first kept whole in the store, chunk by chunk;
then each transaction writes a chunk and drops its copy.  Whatever kills the process in between, what is left of the
plan is in the store, and :func:`resume` goes on with it: no record is lost or written twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, cast

import attrs

from nubetis.access.invariants import check_administrators
from nubetis.errors import Cancelled, Conflict, NubetisError, PlanDrifted
from nubetis.model.bind import OneOf, Test
from nubetis.model.fields import Operator, Value
from nubetis.model.ids import decode, encode
from nubetis.model.journal import change_rows, entry_digest, inserts_of
from nubetis.model.kinds import instant_text
from nubetis.model.outbox import Message
from nubetis.model.plan import ChangeKind, Committed, Creates, Edits, Operation, OperationState, Part, Plan
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import CREATED_IN, ID, Module, Schema, key_of
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
from nubetis.session.planning import STRUCTURAL
from nubetis.session.state import State
from nubetis.session.undoing import UndoPlanner
from nubetis.types import Key, Progress, RecordId, Row

__all__ = ["CHUNK", "Applier", "chunks", "operation_row", "read_lots"]

CHUNK: Final = 5000
"""Records of one transaction."""


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
    signed = {"sign_in": dict(operation.sign_in)} if operation.sign_in else {}
    return json.dumps({**operation.cause.detail, **signed}, ensure_ascii=False)


def _key(record: RecordId | None) -> Key | None:
    return None if record is None else decode(record)[1]


def _instant(value: datetime | None) -> str | None:
    return None if value is None else instant_text(value)


@attrs.define
class Applier:
    """Applies one plan for a session."""

    state: State
    plan: Plan
    tolerance: int = 0
    progress: Progress | None = None
    skipped: list[RecordId] = attrs.field(factory=list)

    def run(self) -> Operation:
        """Write the plan; give the operation."""
        operation = self._begin(len(self.plan))
        if len(self.plan) <= CHUNK or self.state.txn_now is not None:
            return self.state.write(lambda: self._whole(operation, self.plan.parts))
        kept = self.state.write(lambda: self._keep(operation, chunks(self.plan.parts, CHUNK)))
        return self.drain(operation, zip(kept, chunks(self.plan.parts, CHUNK), strict=True))

    def keep_whole(self) -> tuple[Operation, Key]:
        """Keep the plan in the store as one lot, to be written by :meth:`drain`; inside a unit."""
        operation = self._begin(len(self.plan))
        return operation, self._keep(operation, [self.plan.parts])[0]

    def _begin(self, count: int) -> Operation:
        world = self.state.world
        actor = self.state.user_id
        return Operation(
            key=world.keys.one(),
            state=OperationState.RUNNING,
            cause=self.plan.cause,
            sign_in=self.state.sign_in,
            digest=self.plan.digest,
            actor=actor,
            changes=count,
            undo_of=self.plan.undo_of,
            started_at=world.now(),
        )

    # one transaction ---------------------------------------------------------------------------------------
    def _whole(self, operation: Operation, parts: tuple[Part, ...]) -> Operation:
        self.skipped.clear()
        self.state.planner().require_all(parts)
        done = attrs.evolve(operation, state=OperationState.DONE, ended_at=self.state.world.now())
        return self._write(done, parts, first=True)

    def _write(
        self, operation: Operation, parts: tuple[Part, ...], *, first: bool, drop: Key | None = None
    ) -> Operation:
        txn = self.state.txn
        while True:
            written = attrs.evolve(
                operation, position=operation.position + sum(map(len, parts)), skipped=tuple(self.skipped)
            )
            batch, entry = self._batch(written, parts, first=first, drop=drop)
            outcome = txn.write(batch)
            if outcome.written:
                break
            parts = self._without_drifted(parts, outcome.conflicts)
        self._check_invariants(txn, parts)
        self.state.committed.append(
            Committed(org_id=self.state.known.org_id, operation=written, entry=entry, parts=parts)
        )
        return written

    def _batch(
        self, operation: Operation, parts: tuple[Part, ...], *, first: bool, drop: Key | None
    ) -> tuple[Batch, Key]:
        world = self.state.world
        entry, now = world.keys.one(), instant_text(world.now())
        ledger = operation_row(operation)
        changes = [row for part in parts if isinstance(part, Edits) for row in self._journal(part, entry)]
        bare: Row = (entry, operation.key, now, inserts_of(parts), None, None)
        digest = entry_digest(bare, ledger, changes)
        found: list[Inserts | Updates | Removals] = [self._stored(part, entry, now) for part in parts]
        found.append(Inserts(ENTRIES, [(*bare[:4], digest, None)]))
        found += [Inserts(CHANGES, changes)] if changes else []
        found.append(self._operation_part(operation, ledger, first=first))
        found += [] if drop is None else [Removals(BLOBS, [drop])]
        found += self._messages(entry, now) if first and self.plan.messages else []
        expects = self._expects(parts, first=first)
        return Batch(parts=tuple(found), expects=expects), entry

    def _journal(self, part: Edits, entry: Key) -> list[Row]:
        world = self.state.world
        return change_rows(part, entry, world.keys.many(len(part)), salt=world.salt)

    def _operation_part(self, operation: Operation, row: Row, *, first: bool) -> Inserts | Updates:
        if first:
            return Inserts(OPERATIONS, [row])
        columns = ("state", "position", "ended_at")
        values = tuple([row[OPERATIONS.layout.index[name]] for name in columns])
        return Updates(OPERATIONS, columns, [operation.key], [values])

    def _stored(self, part: Part, entry: Key, now: str) -> Inserts | Updates | Removals:
        if isinstance(part, Creates):
            rows = [(*row[:CREATED_IN], entry, *row[CREATED_IN + 1 :]) for row in part.rows]
            return Inserts(part.module, self._numbered(part.module, rows))
        if part.kind is ChangeKind.PURGE:
            return Removals(part.module, part.keys)
        stamp: Row = (now, self.state.user)
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
        versions, names = self.state.versions, {str(part.module.name) for part in parts}
        seen = self.plan.access_version if first else None
        found = [Expect(VersionName.ACCESS, versions.access if seen is None else seen)] if names & STRUCTURAL else []
        found += [Expect(VersionName.SETTINGS, versions.settings)] if "settings" in names else []
        found += [Expect(VersionName.SCHEMA, versions.schema)] if "modules" in names else []
        return tuple(found)

    def _messages(self, entry: Key, now: str) -> list[Inserts | Updates | Removals]:
        """Give the messages that nobody has sent yet: their keys make them idempotent."""
        wanted = {each.key: each for each in reversed(self.plan.messages)}
        for (keys,) in self.state.txn.stream(OUTBOX, OneOf("key", tuple(wanted)), columns=("key",)):
            wanted = {key: each for key, each in wanted.items() if key not in keys}
        rows = [_message_row(each, self.state.world.keys.one(), entry, now) for each in reversed(wanted.values())]
        return [Inserts(OUTBOX, rows)] if rows else []

    def _check_invariants(self, txn: Txn, parts: Sequence[Part]) -> None:
        if self.state.purpose != "setup" and any(part.module.name in STRUCTURAL for part in parts):
            check_administrators(txn, self.state.known.schema)

    # what stands against it --------------------------------------------------------------------------------
    def _without_drifted(self, parts: tuple[Part, ...], conflicts: Sequence[WriteConflict]) -> tuple[Part, ...]:
        """Leave out the records that drifted, as far as the tolerance goes."""
        drifted = {(c.module.id, c.key): c for c in conflicts if c.module is not None and c.kind in _DRIFT}
        other = [conflict for conflict in conflicts if conflict.kind not in _DRIFT]
        if other:
            raise _error_of(other[0])
        if len(self.skipped) + len(drifted) > self.tolerance:
            raise self._drift_error(parts, list(drifted.values()))
        self.skipped += [
            encode(c.module.prefix, c.key) for c in drifted.values() if c.module is not None and c.key is not None
        ]
        return tuple(
            [_slice_without(part, {key for module, key in drifted if module == part.module.id}) for part in parts]
        )

    def _drift_error(self, parts: Sequence[Part], conflicts: Sequence[WriteConflict]) -> Conflict:
        first = conflicts[0]
        if sum(map(len, parts)) > 1 or first.module is None or first.key is None:
            return PlanDrifted("drifted", count=len(conflicts))
        part = parts[0]
        expected = part.versions[0] if isinstance(part, Edits) else 0
        record = encode(first.module.prefix, first.key)
        error = Conflict("stale", id=record, actual=first.actual, expected=expected)
        error.mine = {change_name: value for change in part.changes() for change_name, value in change.after.items()}
        error.theirs = self.state.values_now(first.module, first.key, list(error.mine))
        return error

    # many transactions -------------------------------------------------------------------------------------
    def _keep(self, operation: Operation, lots: Iterable[tuple[Part, ...]]) -> list[Key]:
        """Keep the plan in the store, lot by lot; give the keys of the lots."""
        if self.plan.access_version not in {None, self.state.versions.access}:
            raise PlanDrifted("drifted", count="Some")
        self.state.planner().require_all(self.plan.parts)
        self.state.write_now(Batch(parts=(Inserts(OPERATIONS, [operation_row(operation)]),)))
        keys: list[Key] = []
        self.state.txn.bulk_load(BLOBS, self._lot_rows(operation, lots, keys))
        return keys

    def _lot_rows(self, operation: Operation, lots: Iterable[tuple[Part, ...]], keys: list[Key]) -> Iterator[Row]:
        for place, lot in enumerate(lots):
            keys.append(self.state.world.keys.one())
            yield _blob_row(keys[-1], operation.key, place, lot)

    def drain(self, operation: Operation, lots: Iterable[tuple[Key, tuple[Part, ...]]]) -> Operation:
        """Write lot after lot; leave an operation that can be resumed when asked to stop, and nothing when it fails."""
        try:
            for key, lot in lots:
                operation = self._next(operation, key, lot)
                if self.progress is not None:
                    self.progress(operation.position, operation.changes)
        except Cancelled:
            self._end(operation, OperationState.CANCELLED)
            raise
        except NubetisError:
            self.take_back(operation)
            raise
        return self._end(operation, OperationState.DONE)

    def _next(self, operation: Operation, key: Key, lot: tuple[Part, ...]) -> Operation:
        return self.state.write(lambda: self._write(operation, lot, first=False, drop=key))

    def _end(self, operation: Operation, state: OperationState) -> Operation:
        ended = attrs.evolve(operation, state=state, ended_at=self.state.world.now())
        row = operation_row(ended)
        columns = ("state", "position", "ended_at")
        part = Updates(
            OPERATIONS,
            columns,
            [ended.key],
            [tuple([row[OPERATIONS.layout.index[name]] for name in columns])],
        )
        self.state.write(lambda: self.state.write_now(Batch(parts=(part,))))
        return ended

    def take_back(self, operation: Operation) -> None:
        """End an operation that failed: undo what it wrote, forget what it did not."""
        self._end(operation, OperationState.FAILED)
        self.state.forget_plan(operation.key)
        if operation.position:
            Applier(self.state, self.state.read(lambda: UndoPlanner(self.state.planner(), operation.key).plan())).run()


_DRIFT: Final = frozenset({ConflictKind.STALE, ConflictKind.MISSING})


def _error_of(conflict: WriteConflict) -> NubetisError:
    if conflict.kind is ConflictKind.UNIQUE:
        return Conflict("not_unique", field=conflict.column.partition("__")[0])
    if conflict.kind is ConflictKind.VERSION:
        return PlanDrifted("drifted", count="Some")
    return Conflict("store_failed", reason=conflict.kind.value)


def _slice_without(part: Part, keys: set[Key | None]) -> Part:
    keep = [at for at, row in enumerate(part.rows) if row[ID] not in keys]
    if isinstance(part, Creates):
        return Creates(part.module, [part.rows[at] for at in keep])
    after = [part.after[at] for at in keep] if part.after else ()
    return attrs.evolve(part, rows=[part.rows[at] for at in keep], after=after)


def _message_row(message: Message, key: Key, entry: Key, now: str) -> Row:
    body = json.dumps(dict(message.body), ensure_ascii=False)
    return (key, message.kind, body, message.key, "waiting", 0, now, entry)


# -- plans kept in the store ------------------------------------------------------------------------------------------
def _blob_row(key: Key, operation: Key, place: int, lot: tuple[Part, ...]) -> Row:
    data = json.dumps([_part_json(part) for part in lot], ensure_ascii=False, separators=(",", ":")).encode()
    return (key, f"plan:{operation}:{place:08d}", len(data), data)


def _part_json(part: Part) -> list[object]:
    if isinstance(part, Creates):
        return [part.kind.value, part.module.id, [], list(part.rows), []]
    return [part.kind.value, part.module.id, [field.id for field in part.fields], list(part.rows), list(part.after)]


def read_lots(txn: Txn, operation: Key, schema: Schema) -> list[tuple[Key, tuple[Part, ...]]]:
    """Give what is left of the plan of *operation*."""
    low, high = f"plan:{operation}:", f"plan:{operation};"
    where = Test("hash", Operator.GE, low)
    query = BoundQuery(module=BLOBS, where=where, order=(Order("hash"), Order("id")), limit=1_000_000)
    rows = [row for row in txn.query(query) if str(row[1]) < high]
    return [
        (
            key_of(row),
            tuple([_part_of(each, schema) for each in json.loads(cast("bytes", row[3]))]),
        )
        for row in rows
    ]


def _part_of(data: Value, schema: Schema) -> Part:
    kind, number, field_ids, rows, after = data
    module = schema.by_id[number]
    row_tuples = [tuple(row) for row in rows]
    if kind == ChangeKind.CREATE:
        return Creates(module, row_tuples)
    fields = tuple([module.by_id[each] for each in field_ids])
    return Edits(module, row_tuples, fields, [tuple(row) for row in after], ChangeKind(str(kind)))
