"""What is still to be done after a transaction: messages to the outside.

A message that nobody takes is offered again, later each time, and at last given up: it stays, *dead*, until it is
offered again on purpose.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from nubetis.errors import PluginError, require_count
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

__all__ = ["ATTEMPTS", "deliver"]

ATTEMPTS: Final = 12
"""How often a message is offered before it is given up: over three days, by the pauses."""
_PAUSE: Final = timedelta(minutes=1)
_LONGEST: Final = timedelta(hours=12)


def deliver(state: State, limit: int, *, dead: bool = False) -> int:
    """Hand due messages to the plug-ins, at least once each; give the number of those taken.

    Where a plug-in raises, its messages are handed to it one by one, so that one of them does not stand in the way of
    the others; the first error is raised when all are marked.
    """
    require_count(limit, argument="limit")
    rows = state.read(lambda: _due(state, limit, "dead" if dead else "waiting"))
    if not rows:
        return 0
    errors: list[PluginError] = []
    taken = _taken(state, [_message(row) for row in rows], errors)
    state.write(lambda: _mark(state, rows, taken))
    if errors:
        raise errors[0]
    return sum(_cell(row, "key") in taken for row in rows)


def _taken(state: State, messages: list[Message], errors: list[PluginError]) -> set[str]:
    """Give the keys of *messages* that somebody took; *errors* fills up with those raised for one message alone."""
    try:
        return set(state.world.extensions.notify(messages))
    except PluginError as error:
        if len(messages) == 1:
            errors.append(error)
            return set()
    return {key for message in messages for key in _taken(state, [message], errors)}


def _cell(row: Row, name: str) -> str:
    return str(row[OUTBOX.layout.index[name]])


def _due(state: State, limit: int, wanted: str) -> list[Row]:
    now = instant_text(state.world.now())
    where = All((Test("state", Operator.EQ, wanted), Test("due_at", Operator.LE, now)))
    order = (Order("due_at"), Order("id"))
    return state.txn.query(BoundQuery(module=OUTBOX, where=where, order=order, limit=limit))


def _message(row: Row) -> Message:
    return Message(kind=_cell(row, "kind"), key=_cell(row, "key"), body=json.loads(_cell(row, "body")))


def _mark(state: State, rows: list[Row], taken: set[str]) -> None:
    """Note what became of *rows*; what another worker delivered meanwhile stays done."""
    there = [row for row in state.txn.get_many(OUTBOX, [key_of(row) for row in rows]) if row is not None]
    left = [row for row in there if _cell(row, "state") != "done"]
    values = list(_marks(state, left, taken))
    keys = [key_of(row) for row in left]
    state.write_now(Batch(parts=(Updates(OUTBOX, ("state", "attempts", "due_at"), keys, values),)))


def _marks(state: State, rows: Iterable[Row], taken: set[str]) -> Iterable[Row]:
    now = state.world.now()
    for row in rows:
        attempts = int(_cell(row, "attempts")) + 1
        if _cell(row, "key") in taken:
            yield ("done", attempts, instant_text(now))
        elif attempts >= ATTEMPTS:
            yield ("dead", attempts, instant_text(now))
        else:
            yield ("waiting", attempts, instant_text(now + min(_PAUSE * 2 ** (attempts - 1), _LONGEST)))
