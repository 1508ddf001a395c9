"""The past, read from the present and the journal backwards: the life of records, what was done, how to take it back.

These functions take the session first, and see what its user may see::

    from nubetis.session.past import as_of, history, operations

    history(s, deal)[0].before
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from nubetis.errors import UNREADABLE, NotFound, damage
from nubetis.model.bind import ALWAYS, Bound, Test
from nubetis.model.fields import Operator, Value
from nubetis.model.ids import decode, encode
from nubetis.model.journal import JournalChange
from nubetis.model.kinds import instant_text
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Operation, OperationState, Plan
from nubetis.model.query import BoundQuery, Order
from nubetis.model.record import Record
from nubetis.model.schema import CREATED_IN, DELETED_IN, ID, Module, key_of
from nubetis.model.system import ENTRIES, OPERATIONS
from nubetis.session.undoing import UndoPlanner, later_changes
from nubetis.types import Key, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.store import Txn
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["Moment", "as_of", "history", "last_entry", "operation_named", "operation_of", "operations", "plan_undo"]


@attrs.frozen(kw_only=True)
class Moment:
    """One change in a record's life; *before* and *after* have the fields that changed.

    A value that was erased is missing in both.
    """

    at: datetime
    kind: ChangeKind
    operation: Operation
    before: Mapping[str, Value]
    after: Mapping[str, Value]


def history(session: Session, record: str | Record) -> list[Moment]:
    """Give the life of a record, newest first: when, by which operation, which fields.

    Cost: one indexed query, and one for its operations.

    Raises:
        NotFound: there is none, it is in the recycle bin, or the user may not see it.
    """

    def work() -> list[Moment]:
        found, state = session.get(record), session.state
        return _history_of(state.txn, session.schema.module(found.module), found.row)

    return session.state.read(work)


def as_of(session: Session, record: str | Record, instant: datetime) -> Record:
    """Give a record as it was at *instant*.

    Raises:
        NotFound: it was not there then; or it is not there now, or the user may not see it.
    """

    def work() -> Record:
        found = session.get(record)
        module = session.schema.module(found.module)
        row = _row_at(session.state.txn, module, found.row, instant_text(instant))
        if row is None:
            raise NotFound("not_found", id=found.id, module=module.name)
        return Record(module, row)

    return session.state.read(work)


def operations(session: Session, *, limit: int = 50) -> list[Operation]:
    """Give the latest operations, newest first: all of them for administrators, their own for others."""
    state = session.state
    return state.read(lambda: _latest(state.txn, _whose(state), limit))


def plan_undo(session: Session, operation: str | Operation) -> Plan:
    """Plan to take an operation back; its warnings name what stays because somebody changed it since.

    Raises:
        NotFound: ``no_operation``; there is none, or it is not the user's.
    """

    def work() -> Plan:
        planner, found = session.state.planner(), operation_named(session.state, operation)
        return planner.checked(UndoPlanner(planner, found.key).plan())

    return session.state.read(work)


def operation_named(state: State, operation: str | Operation) -> Operation:
    """Give an operation as it is now; inside a unit.

    Raises:
        NotFound: ``no_operation``; there is none, or it is not the user's.
    """
    name = operation.id if isinstance(operation, Operation) else operation
    prefix, key = decode(name)
    row = state.txn.get_many(OPERATIONS, [key])[0] if prefix == OPERATIONS.prefix else None
    whose = _whose(state)
    if row is None or whose not in {None, row[OPERATIONS.layout.index["actor"]]}:
        raise NotFound("no_operation", id=name)
    return operation_of(row)


def _whose(state: State) -> Key | None:
    """Give whose operations the user may see; ``None`` for everybody's."""
    facts = state.facts
    return None if facts is None or facts.administrator else state.user


def operation_of(row: Row) -> Operation:
    """Give a row of the operations ledger as a value.

    Raises:
        Damaged: nubetis did not write it so.
    """
    try:
        return _operation_of(row)
    except UNREADABLE as error:
        raise damage(f"Operation {key_of(row)} of the journal", error) from error


def _operation_of(row: Row) -> Operation:
    cell = {column.name: row[place] for place, column in enumerate(OPERATIONS.layout.columns)}
    detail = json.loads(str(cell["detail"]))
    return Operation(
        sign_in=detail.get("sign_in", {}),
        purpose=str(detail.get("purpose", "")),
        key=Key(int(cell["id"] or 0)),
        state=OperationState(str(cell["state"])),
        digest=str(cell["digest"]),
        cause=Cause(CauseKind(str(cell["cause"])), detail.get("cause", {})),
        actor=_user(cell["actor"]),
        on_behalf_of=_user(cell["on_behalf_of"]),
        position=int(cell["position"] or 0),
        changes=int(cell["changes"] or 0),
        undo_of=None if cell["undo_of"] is None else Key(int(cell["undo_of"])),
        started_at=_instant(cell["started_at"]),
        ended_at=_instant(cell["ended_at"]),
    )


def _user(key: Stored) -> RecordId | None:
    return None if key is None else encode("use", int(key))


def _instant(text: Stored) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))


def _history_of(txn: Txn, module: Module, row: Row) -> list[Moment]:
    changes = later_changes(txn, module, [key_of(row)], after=Key(0))
    entries = _entries(txn, [change.entry for change in changes] + [Key(int(row[CREATED_IN] or 0))])
    present, moments = row, []
    for change in reversed(changes):
        earlier = _undone(module, present, change)
        fields = [module.by_id[number] for number in change.before if number in module.by_id]
        names = [field.name for field in fields if field.name in module.layout.slots]
        moments.append(_moment(module, change.kind, entries[change.entry], (earlier, present), names))
        present = earlier
    born = [
        name
        for name, slot in module.layout.slots.items()
        if not slot.field.system and Record(module, present)[name] not in (None, ())
    ]
    first = entries.get(Key(int(row[CREATED_IN] or 0)))
    return moments + (
        [] if first is None else [_moment(module, ChangeKind.CREATE, first, (present, present), born, born=True)]
    )


def _moment(
    module: Module,
    kind: ChangeKind,
    entry: tuple[datetime, Operation],
    rows: tuple[Row, Row],
    names: Sequence[str],
    *,
    born: bool = False,
) -> Moment:
    old, new = Record(module, rows[0]), Record(module, rows[1])
    before = {} if born else {name: old[name] for name in names}
    return Moment(at=entry[0], kind=kind, operation=entry[1], before=before, after={name: new[name] for name in names})


def _undone(module: Module, row: Row, change: JournalChange) -> Row:
    """Give the row as it was before *change*."""
    cells = list(row)
    for number, values in change.before.items():
        field = module.by_id.get(number)
        if field is not None:
            place = module.layout.index[field.column_of(field.parts[0])]
            cells[place : place + len(values)] = values
    if change.kind is ChangeKind.DELETE:
        cells[DELETED_IN] = None
    return tuple(cells)


def _entries(txn: Txn, keys: Sequence[Key]) -> dict[Key, tuple[datetime, Operation]]:
    unique = sorted(set(keys))
    rows = [row for row in txn.get_many(ENTRIES, unique) if row is not None]
    numbers = sorted({Key(int(row[1] or 0)) for row in rows})
    operations = {row[ID]: operation_of(row) for row in txn.get_many(OPERATIONS, numbers) if row is not None}
    return {key_of(row): (datetime.fromisoformat(str(row[2])), operations[row[1]]) for row in rows}


def _row_at(txn: Txn, module: Module, row: Row, instant: str) -> Row | None:
    """Give the record as it was at *instant* (stored form); ``None`` where it was not there yet, or deleted."""
    created = txn.get_many(ENTRIES, [Key(int(row[CREATED_IN] or 0))])[0]
    if created is None or str(created[2]) > instant:
        return None
    after = last_entry(txn, Test("at", Operator.LE, instant))
    for change in reversed(later_changes(txn, module, [key_of(row)], after=after)):
        row = _undone(module, row, change)
        if change.kind is ChangeKind.RESTORE:
            row = (*row[:DELETED_IN], change.entry, *row[DELETED_IN + 1 :])
    return None if row[DELETED_IN] is not None else row


def last_entry(txn: Txn, where: Bound = ALWAYS) -> Key:
    """Give the last journal entry that *where* lets through, 0 where there is none."""
    rows = txn.query(BoundQuery(module=ENTRIES, where=where, order=(Order("id", descending=True),), limit=1))
    return key_of(rows[0]) if rows else Key(0)


def _latest(txn: Txn, actor: Key | None, limit: int) -> list[Operation]:
    where = ALWAYS if actor is None else Test("actor", Operator.EQ, actor)
    query = BoundQuery(module=OPERATIONS, where=where, order=(Order("id", descending=True),), limit=limit)
    return [operation_of(row) for row in txn.query(query)]
