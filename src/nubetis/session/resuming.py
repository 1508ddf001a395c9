"""Operations that were begun and not finished: found, and gone on with, by whoever may write what is left of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from nubetis.model.bind import OneOf
from nubetis.model.plan import CauseKind, Operation, OperationState, Plan
from nubetis.model.query import BoundQuery
from nubetis.model.system import OPERATIONS
from nubetis.session.altering import resume_alter
from nubetis.session.applying import Applier, check_pace
from nubetis.session.kept import Lot, read_lots
from nubetis.session.past import operation_named, operation_of
from nubetis.session.state import State
from nubetis.types import Progress

if TYPE_CHECKING:
    from nubetis.session.door import Session

__all__ = ["resume", "unfinished"]


def resume(
    session: Session, operation: str | Operation, *, tolerance: int = 0, progress: Progress | None = None
) -> Operation:
    """Go on with an operation that was interrupted or cancelled; one that is done is left as it is.

    *tolerance* and *progress* are as for :meth:`Session.apply <nubetis.session.door.Session.apply>`.

    Raises:
        NotFound: ``no_operation``; there is none, or it is not the user's.
        AccessDenied: the user may not write what is left of it; where he loses the right meanwhile, what was written
            of it is taken back.
        PlanDrifted: more records than *tolerance* changed since; what was written of it is taken back.
        Conflict: ``operation_moved``; somebody else goes on with it, or took it back, at the same time.
    """
    check_pace(tolerance, progress)
    state = session.state
    found, lots = state.read(lambda: _left(state, operation))
    if not lots:
        return found
    if found.cause.kind is CauseKind.SCHEMA:  # there is more to do than to write
        return resume_alter(state) or found
    applier = Applier(state, Plan(cause=found.cause), tolerance=tolerance, progress=progress)
    return applier.drain(attrs.evolve(found, state=OperationState.RUNNING, ended_at=None), lots)


def _left(state: State, operation: str | Operation) -> tuple[Operation, list[Lot]]:
    found = operation_named(state, operation)
    planner = state.planner()
    lots = [
        attrs.evolve(lot, parts=tuple(map(planner.up_to_date, lot.parts)))
        for lot in read_lots(state.txn, found.key, state.known.schema)
    ]
    for lot in lots:
        planner.require_all(lot.parts, found.cause)
    return found, lots


def unfinished(state: State) -> list[Operation]:
    """Give the operations that can be resumed, oldest first; inside a unit."""
    where = OneOf("state", (OperationState.RUNNING.value, OperationState.CANCELLED.value))
    return [operation_of(row) for row in state.txn.query(BoundQuery(module=OPERATIONS, where=where, limit=1000))]
