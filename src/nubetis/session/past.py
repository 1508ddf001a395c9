"""The past, read from the present and the journal backwards: the life of records, what was done, how to take it back.

These functions take the session first, and see what its user may see::

    from nubetis.session.past import as_of, history, operations

    history(s, deal)[0].before
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from nubetis.access.decision import Action
from nubetis.access.looking import LookingPolicy
from nubetis.access.policy import RolePolicy
from nubetis.errors import UNREADABLE, NotFound, damage, require_count
from nubetis.model.bind import ALWAYS, NEVER, All, AnyOf, Bound, Missing, No, Test
from nubetis.model.convert import from_json
from nubetis.model.fields import FieldState, Operator, Value
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import decode, encode
from nubetis.model.journal import JournalChange, row_before
from nubetis.model.kinds import instant, instant_text
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Operation, OperationState, Plan
from nubetis.model.query import BoundQuery, Order
from nubetis.model.record import Record
from nubetis.model.schema import CREATED_IN, DELETED_IN, ID, Module, key_of
from nubetis.model.system import ENTRIES, OPERATIONS
from nubetis.session.rosters import rule_of
from nubetis.session.undoing import UndoPlanner, later_changes
from nubetis.session.written import counted
from nubetis.types import Key, ModuleName, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.store import Txn
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = [
    "Mark",
    "Moment",
    "PastRecord",
    "as_of",
    "history",
    "is_told",
    "last_entry",
    "module_as_of",
    "operation_named",
    "operation_of",
    "operations",
    "plan_undo",
    "written",
]


_LOT = 500


class Mark(enum.StrEnum):
    """Why the past of a field is not to be had."""

    ERASED = "erased"
    """Its values were taken out of the record and its past."""
    PURGED = "purged"
    """The field is gone from the module, and its values with it."""


class PastRecord(Record):
    """A record as it was.

    *marks* names the fields whose value of then is gone, and says why.  An erased one is ``None`` in the record; a
    purged one is not in it.
    """

    __slots__ = ("_marks",)

    def __init__(self, record: Record, marks: Mapping[str, Mark]) -> None:
        super().__init__(record._module, record._row)  # noqa: SLF001 - the same record
        self._marks = marks

    @property
    def marks(self) -> Mapping[str, Mark]:
        """The fields whose value of then is gone, and why."""
        return self._marks


@attrs.frozen(kw_only=True)
class Moment:
    """One change in a record's life; *before* and *after* have the fields that changed.

    A value that was erased is missing in both, as is one that the user may not read.  Of another's *operation* he sees
    who did it, when and why, and not what else it did, unless he is an administrator.
    """

    at: datetime
    kind: ChangeKind
    operation: Operation
    before: Mapping[str, Value]
    after: Mapping[str, Value]


def history(session: Session, record: str | Record) -> list[Moment]:
    """Give the life of a record, newest first, be it in the recycle bin by now: when, by which operation, which fields.

    Cost: one indexed query, and one for its operations.

    Raises:
        NotFound: there is none, or the user may not see it; ``purged``, it went for good.
    """
    name = record.id if isinstance(record, Record) else record

    def work() -> list[Moment]:
        state = session.state
        return _history_of(state, *_present(state, name, until=Key(0)))

    return session.state.read(work)


def as_of(session: Session, record: str | Record, instant: datetime) -> PastRecord:
    """Give a record as it was at *instant*, be it in the recycle bin by now.

    Cost: one indexed query of its changes since, and one for the entry that it was last written in.

    Raises:
        NotFound: it was not there then, or the user may not see it; ``purged``, it went for good since, and with it
            the instant at which it was made.
    """
    name = record.id if isinstance(record, Record) else record

    def work() -> PastRecord:
        state = session.state
        until = _entry_at(state, instant)
        module, row = _present(state, name, until=until)
        found = list(_walk(state, module, until).records([row]))
        if not found:
            raise NotFound("not_found", id=name, module=module.name)
        return found[0]

    return session.state.read(work)


def _present(state: State, name: str, *, until: Key) -> tuple[Module, Row]:
    """Give module and row of a record, be it in the recycle bin.

    Raises:
        NotFound: there is none, or the user may not see it; ``purged``, it went for good after the entry *until*, which
            only who sees all records of the module is told: nobody knows any more whose it was.
    """
    module, key = state.known.module_of(name)
    row = state.txn.get_many(module, [key])[0]
    if row is not None and state.planner().allowed(module, Action.VIEW)(row):
        return module, row
    if row is None and state.policy.grant(Action.VIEW, module) == EVERYTHING:
        since = later_changes(state.txn, module, [key], after=until)
        if since and since[-1].kind is ChangeKind.PURGE:
            raise NotFound("purged", id=name, module=module.name)
    raise NotFound("not_found", id=name, module=module.name)


def module_as_of(session: Session, module: str, instant: datetime) -> Iterator[PastRecord]:
    """Give all records of a module that lived at *instant*, as they were then, in id order; filter them in Python.

    Records that lie in the recycle bin by now are among them, purged ones are not: the journal has not kept them.
    What the user may see is decided by how records are now.

    Cost: all records of the module that he may see are read, and their changes since, some hundreds at a time, each
    time on a snapshot of its own.  What is written meanwhile is walked back, too.
    """
    walk: Walk | None = None
    last = Key(0)

    def batch() -> list[PastRecord]:
        nonlocal last, walk
        state, found = session.state, session.state.known.schema.module(module)
        walk = (
            _walk(state, found, _entry_at(state, instant))
            if walk is None
            else attrs.evolve(walk, state=state, module=found)
        )
        planner = state.planner()
        planner.require(Action.VIEW, found)
        there = (Test("id", Operator.GT, last), Test("created_in", Operator.LE, walk.until))
        where = All((*there, planner.granted(found, Action.VIEW)))
        rows = state.txn.query(BoundQuery(module=found, where=where, order=(Order("id"),), limit=_LOT))
        last = key_of(rows[-1]) if rows else Key(-1)
        return list(walk.records(rows))

    while last >= 0:
        yield from session.state.read(batch)


def operations(
    session: Session,
    *,
    limit: int = 50,
    by: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    module: str | None = None,
) -> list[Operation]:
    """Give the latest operations, newest first: all of them for administrators, their own for others.

    Only those done *by* a user, or in his name, that began at the instant *since* or later and before *until*, and that
    made or changed records of a *module*.

    Raises:
        InvalidValue: ``bad_argument``; the limit is negative, or greater than any number of operations.
        NotFound: ``unknown_user``, ``unknown_module``.
    """
    require_count(limit, argument="limit")
    state = session.state

    def work() -> list[Operation]:
        tests: list[Bound] = []
        if by is not None:
            user = decode(state.known.find_user(state.txn, by))[1]
            tests.append(AnyOf(tuple([Test(name, Operator.EQ, int(user)) for name in ("actor", "on_behalf_of")])))
        for sign, given in ((Operator.GE, since), (Operator.LT, until)):
            tests += [] if given is None else [Test("started_at", sign, instant_text(given))]
        found = _latest(state, limit, tests) if module is None else _latest_in(state, limit, tests, module)
        return [told_of(state, each) for each in found]

    return state.read(work)


def written(session: Session, operations: Iterable[Operation]) -> dict[RecordId, Mapping[ModuleName, int]]:
    """Give how many records of which modules each operation made or changed; of those of others nothing is told.

    Raises:
        Damaged: nubetis did not write the journal so.
    """
    keys = [each.key for each in operations]

    def work() -> dict[RecordId, Mapping[ModuleName, int]]:
        rows = [row for row in session.state.txn.get_many(OPERATIONS, keys) if row is not None]
        told = [key_of(row) for row in rows if is_told(session.state, operation_of(row))]
        return {encode(OPERATIONS.prefix, key): found for key, found in counted(session.state, told).items()}

    return session.state.read(work)


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
    found = None if row is None else operation_of(row)
    if found is None or not is_told(state, found):
        raise NotFound("no_operation", id=name)
    return found


def is_told(state: State, operation: Operation) -> bool:
    """Say whether the user may know what an operation did."""
    return _sees_all(state) or _is_own(state, operation)


def _sees_all(state: State) -> bool:
    return state.facts is None or state.facts.administrator


def _is_own(state: State, operation: Operation) -> bool:
    """Say whether the user did it, or one who acted for him; for who acts for him, whether that was himself."""
    by, behalf = operation.actor, operation.on_behalf_of
    if isinstance(state.policy, LookingPolicy):
        return False
    if state.delegate is not None:
        return (by, behalf) == (state.actor_id, state.user_id)
    return by == state.user_id or (by is not None and behalf == state.user_id)


def _own(state: State) -> Bound:
    """Give the operations of which :func:`_is_own` holds."""
    if isinstance(state.policy, LookingPolicy):
        return NEVER
    user, actor = int(state.user or 0), int(state.actor or 0)
    behalf = Test("on_behalf_of", Operator.EQ, user)
    if state.delegate is not None:
        return All((Test("actor", Operator.EQ, actor), behalf))
    return AnyOf((Test("actor", Operator.EQ, user), All((behalf, No(Missing("actor"))))))


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


def _history_of(state: State, module: Module, row: Row) -> list[Moment]:
    changes = later_changes(state.txn, module, [key_of(row)], after=Key(0))
    entries = _entries(state, [change.entry for change in changes] + [Key(int(row[CREATED_IN] or 0))])
    seen = state.sight.module(module)
    present, moments = row, []
    for change in reversed(changes):
        earlier, _ = row_before(module, present, change)
        fields = [module.by_id[number] for number in change.before if number in module.by_id]
        plain = [field.name for field in fields if field.name in seen.layout.slots]
        names = _told_names(state, module, plain, (earlier, present))
        if not _is_hidden(change, module, seen) and (names or not change.before):
            rows = state.sight.record(module, earlier), state.sight.record(module, present)
            moments.append(_moment(change.kind, entries[change.entry], rows, names))
        present = earlier
    made = state.sight.record(module, present)
    born = [n for n, slot in seen.layout.slots.items() if not slot.field.system and made[n] not in (None, ())]
    born = _told_names(state, module, born, (present,))
    first = entries.get(Key(int(row[CREATED_IN] or 0)))
    return moments + ([] if first is None else [_moment(ChangeKind.CREATE, first, (made, made), born, born=True)])


def _told_names(state: State, module: Module, names: Sequence[str], rows: Iterable[Row]) -> list[str]:
    """Give *names* without what a sharing rule asked for, where that was what the user may not read."""
    told = all(_is_told(state, module, row) for row in rows)
    return [name for name in names if told or name not in {"where", "source"}]


def _is_told(state: State, module: Module, row: Row) -> bool:
    """Say whether the user may know of a sharing rule as it was then: who may not read what it asks for has it not."""
    if module.name != "sharing_rules" or not isinstance(state.policy, RolePolicy):
        return True
    return state.policy.may_ask(rule_of(module, row), state.view())


def _is_hidden(change: JournalChange, module: Module, seen: Module) -> bool:
    """Say whether *change* is of nothing but fields that the user may not read."""
    known = [number for number in change.commitment if number in module.by_id]
    return bool(known) and len(known) == len(change.commitment) and not any(number in seen.by_id for number in known)


def _moment(
    kind: ChangeKind,
    entry: tuple[datetime, Operation],
    records: tuple[Record, Record],
    names: Sequence[str],
    *,
    born: bool = False,
) -> Moment:
    old, new = records
    before = {} if born else {name: old[name] for name in names}
    return Moment(at=entry[0], kind=kind, operation=entry[1], before=before, after={name: new[name] for name in names})


def _entries(state: State, keys: Iterable[Key]) -> dict[Key, tuple[datetime, Operation]]:
    """Give instant and operation of entries, each operation as far as the user may know it."""
    rows = [row for row in state.txn.get_many(ENTRIES, sorted(set(keys))) if row is not None]
    numbers = sorted({Key(int(row[1] or 0)) for row in rows})
    found = {row[ID]: told_of(state, operation_of(row)) for row in state.txn.get_many(OPERATIONS, numbers) if row}
    return {key_of(row): (datetime.fromisoformat(str(row[2])), found[row[1]]) for row in rows}


def told_of(state: State, operation: Operation) -> Operation:
    """Give of an operation what the user may know: of another's, who, when and why, and not what else it did."""
    if _sees_all(state):
        return operation
    if not _is_own(state, operation):
        cause = Cause(operation.cause.kind)
        return attrs.evolve(operation, cause=cause, sign_in={}, digest="", position=0, changes=0)
    hidden = {name for names in state.sight.unseen().values() for name in names}
    fields = operation.cause.detail.get("fields")
    if not hidden or not isinstance(fields, list):
        return operation
    detail = {**operation.cause.detail, "fields": [name for name in fields if name not in hidden]}
    return attrs.evolve(operation, cause=attrs.evolve(operation.cause, detail=detail))


# -- the state as of an instant ---------------------------------------------------------------------------------------
def _entry_at(state: State, moment: datetime) -> Key:
    """Give the last entry that was written by an instant."""
    return last_entry(state.txn, Test("at", Operator.LE, instant_text(instant(moment, name="instant"))))


def _walk(state: State, module: Module, until: Key) -> Walk:
    walk = Walk(state=state, module=module, until=until)
    return attrs.evolve(walk, purged=_purged_fields(walk))


@attrs.frozen(kw_only=True)
class Walk:
    """The way of records of *module* back to what they were after the entry *until*.

    *purged* names the fields that the module had then and that are gone with their values.
    """

    state: State
    module: Module
    until: Key
    purged: tuple[str, ...] = ()

    def records(self, rows: Iterable[Row]) -> Iterator[PastRecord]:
        """Give the records that lived then, as they were."""
        sight, seen = self.state.sight, self.state.sight.module(self.module)
        for row, gone in self.back(list(rows)):
            if not _is_told(self.state, self.module, row):
                continue
            marks = {str(seen.by_id[number].name): Mark.ERASED for number in sorted(gone) if number in seen.by_id}
            marks = {name: mark for name, mark in marks.items() if name in seen.layout.slots}
            yield PastRecord(sight.record(self.module, row), {**marks, **dict.fromkeys(self.purged, Mark.PURGED)})

    def back(self, rows: Sequence[Row]) -> Iterator[tuple[Row, set[int]]]:
        """Give the rows that lived then, and the fields of which it is not known any more what they held."""
        there = [row for row in rows if int(row[CREATED_IN] or 0) <= self.until]
        since = self._changes([key_of(row) for row in there], after=self.until)
        stamps = self._stamps(list(since))
        for now in there:
            row, gone = self._back(now, since.get(key_of(now), ()), stamps.get(key_of(now)))
            if row[DELETED_IN] is None:
                yield row, gone

    def _back(self, row: Row, changes: Sequence[JournalChange], stamp: Row | None) -> tuple[Row, set[int]]:
        gone: set[int] = set()
        for change in reversed(changes):
            row, unknown = row_before(self.module, row, change)
            gone |= unknown  # an erasure takes all that was before it
        if changes:  # who wrote it last before that; where nobody did, who made it
            at = self.module.layout.index["modified_at"]
            made = self.module.layout.index["created_at"]
            row = (*row[:at], *(row[made : made + 2] if stamp is None else stamp), *row[at + 2 :])
        return row, gone

    def _changes(self, keys: Sequence[Key], *, after: Key) -> dict[Key, list[JournalChange]]:
        found: dict[Key, list[JournalChange]] = {}
        for change in later_changes(self.state.txn, self.module, keys, after=after):
            found.setdefault(change.record, []).append(change)
        return found

    def _stamps(self, keys: Sequence[Key]) -> dict[Key, Row]:
        """Give when and by whom each record was last changed until then."""
        whole = self._changes(keys, after=Key(0))
        last = {key: [c.entry for c in found if c.entry <= self.until] for key, found in whole.items()}
        latest = {key: entries[-1] for key, entries in last.items() if entries}
        rows = {key_of(row): row for row in self.state.txn.get_many(ENTRIES, sorted(set(latest.values()))) if row}
        numbers = sorted({Key(int(row[1] or 0)) for row in rows.values()})
        at = OPERATIONS.layout.index["actor"]
        actors = {row[ID]: row[at] for row in self.state.txn.get_many(OPERATIONS, numbers) if row}
        return {key: (rows[entry][2], actors.get(rows[entry][1])) for key, entry in latest.items() if entry in rows}


def _purged_fields(walk: Walk) -> tuple[str, ...]:
    """Give the names of the fields that were seen then and are gone, as far as the user may read them."""
    state, home = walk.state, walk.state.known.schema.module("modules")
    rows = state.txn.query(
        BoundQuery(module=home, where=Test("number", Operator.EQ, walk.module.id), order=(Order("id"),), limit=1)
    )
    at = home.layout.index["definition"]
    types = state.world.extensions.field_types()
    found: list[str] = []
    for row, _ in attrs.evolve(walk, module=home).back(rows):
        if row == rows[0]:  # nothing changed since
            continue
        try:
            then = from_json(json.loads(str(row[at])), Module, types=types)
        except UNREADABLE as error:
            raise damage("The definition of a module", error) from error
        gone = [field for field in then.fields if field.id not in walk.module.by_id]
        reads = state.policy.reads
        found += [f.name for f in gone if f.state is FieldState.ACTIVE and reads(walk.module, f)]
    return tuple(found)


def last_entry(txn: Txn, where: Bound = ALWAYS) -> Key:
    """Give the last journal entry that *where* lets through, 0 where there is none."""
    rows = txn.query(BoundQuery(module=ENTRIES, where=where, order=(Order("id", descending=True),), limit=1))
    return key_of(rows[0]) if rows else Key(0)


def _latest_in(state: State, limit: int, tests: Sequence[Bound], module: str) -> list[Operation]:
    """Give the latest operations that wrote to *module*: their entries say so, and are read in lots."""
    name = state.known.schema.module(module).name
    found: list[Operation] = []
    lot = _latest(state, _LOT, tests)
    while lot and len(found) < limit:
        counts = counted(state, [each.key for each in lot])
        found += [each for each in lot if name in counts[each.key]]
        lot = _latest(state, _LOT, [*tests, Test("id", Operator.LT, int(lot[-1].key))])
    return found[:limit]


def _latest(state: State, limit: int, tests: Sequence[Bound]) -> list[Operation]:
    where = All((*(() if _sees_all(state) else (_own(state),)), *tests))
    query = BoundQuery(module=OPERATIONS, where=where, order=(Order("id", descending=True),), limit=limit)
    return [operation_of(row) for row in state.txn.query(query)]
