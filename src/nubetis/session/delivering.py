"""What is still to be done after a transaction: messages to the outside."""

from __future__ import annotations

import json

from nubetis.errors import require_count
from nubetis.model.bind import All, Test
from nubetis.model.fields import Operator
from nubetis.model.kinds import instant_text
from nubetis.model.outbox import Message
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import key_of
from nubetis.model.store import Batch, Updates
from nubetis.model.system import OUTBOX
from nubetis.session.state import State
from nubetis.types import Row

__all__ = ["deliver"]


def deliver(state: State, limit: int) -> int:
    """Hand due messages to the plug-ins, at least once each; give the number of those taken.

    What is not taken goes to the end of the queue, and so does what was handed to a plug-in that raises.
    """
    require_count(limit, argument="limit")
    rows = state.read(lambda: _due(state, limit))
    taken: set[str] = set()
    try:
        taken = set(state.world.extensions.notify([_message(row) for row in rows])) if rows else taken
    finally:
        if rows:
            state.write(lambda: _mark(state, rows, taken))
    return sum(_cell(row, "key") in taken for row in rows)


def _cell(row: Row, name: str) -> str:
    return str(row[OUTBOX.layout.index[name]])


def _due(state: State, limit: int) -> list[Row]:
    now = instant_text(state.world.now())
    where = All((Test("state", Operator.EQ, "waiting"), Test("due_at", Operator.LE, now)))
    order = (Order("due_at"), Order("id"))
    return state.txn.query(BoundQuery(module=OUTBOX, where=where, order=order, limit=limit))


def _message(row: Row) -> Message:
    return Message(kind=_cell(row, "kind"), key=_cell(row, "key"), body=json.loads(_cell(row, "body")))


def _mark(state: State, rows: list[Row], taken: set[str]) -> None:
    """Note what became of *rows*; what another worker delivered meanwhile stays done."""
    there = [row for row in state.txn.get_many(OUTBOX, [key_of(row) for row in rows]) if row is not None]
    waiting = [row for row in there if _cell(row, "state") == "waiting"]
    now = instant_text(state.world.now())
    values: list[Row] = [
        ("done" if _cell(row, "key") in taken else "waiting", int(_cell(row, "attempts")) + 1, now) for row in waiting
    ]
    keys = [key_of(row) for row in waiting]
    state.write_now(Batch(parts=(Updates(OUTBOX, ("state", "attempts", "due_at"), keys, values),)))
