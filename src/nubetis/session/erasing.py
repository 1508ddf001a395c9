"""Erasure and purging: what goes for good.

Erasure: values leave the record and its whole past; the journal still verifies, by the commitments that stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue
from nubetis.model.bind import All, No, Test
from nubetis.model.fields import Field, Operator
from nubetis.model.journal import JournalChange, without_values
from nubetis.model.kinds import instant_text
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Edits, Operation, Plan
from nubetis.model.record import Record
from nubetis.model.schema import Module
from nubetis.model.store import Batch, Updates
from nubetis.model.system import CHANGES
from nubetis.session.applying import Applier, strike
from nubetis.session.state import State
from nubetis.session.undoing import later_changes
from nubetis.session.world import LIVE
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.session.door import Session

__all__ = ["erase", "purge"]


def erase(session: Session, record: str | Record, *, fields: Sequence[str] = ()) -> Operation:
    """Take values out of a record and of its whole past, for good: *fields*, or all personal data.

    The journal still verifies.  Operations that wait to be resumed go on without the record.  This cannot be undone.

    Raises:
        NotFound: there is no such record or field, or the user may not see it.
        AccessDenied: the user may not delete and edit in this module.
        InvalidValue: a field that nubetis sets; or none are named, and the module has no personal data.
    """

    def work() -> Operation:
        found = session.get(record)
        session.state.planner().require(Action.DELETE, session.schema.module(found.module))
        return _erase(session.state, found, fields)

    return session.state.write(work)


def _erase(state: State, record: Record, names: Sequence[str]) -> Operation:
    module = state.known.schema.module(record.module)
    fields = _chosen(state, module, names)
    empty = tuple([None for field in fields for _ in field.parts])
    cause = Cause(CauseKind.ERASURE, {"record": record.id, "fields": [field.name for field in fields]})
    operation = Applier(state, Plan(cause=cause, parts=(Edits(module, [record.row], fields, [empty]),))).run()
    _scrub(state, later_changes(state.txn, module, [record.key], after=Key(0)), fields)
    state.write_now(Batch(parts=(strike(state.txn, module, record.key),)))
    return operation


def _chosen(state: State, module: Module, names: Sequence[str]) -> tuple[Field, ...]:
    if names:
        return tuple([state.planner().writable(module, name) for name in names])
    fields = tuple([slot.field for slot in module.layout.slots.values() if slot.field.personal])
    if not fields:
        raise InvalidValue("bad_argument", argument="fields", reason=f"{module.name} has no personal data; name fields")
    return fields


def _scrub(state: State, changes: Sequence[JournalChange], fields: Sequence[Field]) -> None:
    numbers = {int(field.id) for field in fields}
    touched = [change for change in changes if numbers & set(change.before)]
    values = [without_values(change, numbers) for change in touched]
    part = Updates(CHANGES, ("before", "salts"), [change.key for change in touched], values)
    if touched:
        state.write_now(Batch(parts=(part,)))


def purge(state: State, before: datetime) -> int:
    """Take records for good out of the recycle bin that were put there before an instant; give their number."""
    limit = instant_text(before)
    plan = state.read(lambda: Plan(cause=Cause(CauseKind.SYSTEM, {"purge": limit}), parts=tuple(_purged(state, limit))))
    if len(plan):
        Applier(state, plan).run()
    return len(plan)


def _purged(state: State, limit: str) -> Iterator[Edits]:
    where = All((No(LIVE), Test("modified_at", Operator.LT, limit)))
    planner = state.planner()
    for module in state.known.schema.modules:
        if module.journalled and module.name != "modules":  # a number of a module is never given again
            part = Edits(module, list(planner.rows(module, where)), kind=ChangeKind.PURGE)
            if len(part):
                yield part
