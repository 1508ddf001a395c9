"""Changing the schema: an operation that can be resumed, like any other.

What the modules will be is kept in the store first; then tables and columns are added; then the definitions change,
in one transaction that raises the schema version; last, what is no longer defined is dropped.  Each step may be
repeated.  Until the definitions change everybody goes on with the old ones, which the new tables serve as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from nubetis.access.decision import Action
from nubetis.errors import Conflict, NubetisError
from nubetis.model.bind import All, Test
from nubetis.model.convert import module_json, schema_of
from nubetis.model.fields import Operator
from nubetis.model.plan import (
    Cause,
    CauseKind,
    ChangeKind,
    Creates,
    Edits,
    Operation,
    OperationState,
    Part,
    Plan,
)
from nubetis.model.query import BoundQuery
from nubetis.model.schema import ID, Schema, StepKind, diff
from nubetis.model.system import OPERATIONS
from nubetis.session.applying import Applier, read_lots
from nubetis.session.past import operation_of
from nubetis.session.planning import Planner
from nubetis.session.state import State
from nubetis.session.world import living
from nubetis.types import Key, Row

__all__ = ["alter", "plan_alter", "resume_alter"]

_DROPS = frozenset({StepKind.DROP_MODULE, StepKind.PURGE_FIELD})


def plan_alter(state: State, schema: Schema) -> Plan:
    """Plan the change of the modules' definitions to those of *schema*; inside a unit.

    Raises:
        AccessDenied: the user may not change modules.
        InvalidValue: ``schema_type``; a field's type would change.
        Conflict: ``schema_stale``; *schema* was made from another than the present one.
    """
    planner = state.planner()
    module = state.known.schema.module("modules")
    planner.require(Action.EDIT, module)
    if schema.base != state.known.schema.version:
        raise Conflict("schema_stale")
    diff(state.known.schema, schema)
    cause = Cause(CauseKind.SCHEMA, {"version": state.versions.schema + 1})
    return Plan(cause=cause, parts=tuple(part for part in _parts(planner, schema) if len(part)))


def _parts(planner: Planner, schema: Schema) -> Iterable[Part]:
    module = planner.known.schema.module("modules")
    number, definition = module.layout.index["number"], module.layout.index["definition"]
    name = module.layout.index["name"]
    stored = {row[number]: row for row in living(planner.txn, module)}
    texts = {each.id: json.dumps(module_json(each), ensure_ascii=False, sort_keys=True) for each in schema.modules}
    names = {each.id: str(each.name) for each in schema.modules}
    new = [{"name": names[n], "number": int(n), "definition": texts[n]} for n in texts if n not in stored]
    yield planner.creates(module, new)[0]
    moved = [n for n in texts if n in stored and (stored[n][definition], stored[n][name]) != (texts[n], names[n])]
    fields = (module.field("name"), module.field("definition"))
    yield Edits(module, [stored[n] for n in moved], fields, [(names[n], texts[n]) for n in moved])
    yield Edits(module, [row for n, row in stored.items() if n not in texts], kind=ChangeKind.DELETE)


def alter(state: State, schema: Schema) -> Operation:
    """Change the modules to *schema*; an interruption is mended by :func:`resume_alter`, on the next open.

    Raises:
        Conflict: ``schema_pending``; another change is under way.
    """

    def keep() -> tuple[Applier, Operation, Key]:
        if pending := _pending(state):
            raise Conflict("schema_pending", operation=operation_of(pending[0]).id)
        applier = Applier(state, plan_alter(state, schema))
        operation, keys = applier.keep_whole()
        return applier, operation, keys

    applier, operation, key = state.write(keep)
    return _carry_out(applier, operation, key)


def _pending(state: State) -> list[Row]:
    running = Test("state", Operator.EQ, OperationState.RUNNING.value)
    where = All((running, Test("cause", Operator.EQ, CauseKind.SCHEMA.value)))
    return state.txn.query(BoundQuery(module=OPERATIONS, where=where, limit=1))


def _carry_out(applier: Applier, operation: Operation, key: Key) -> Operation:
    state, old = applier.state, applier.state.known.schema
    new = _schema_after(state, applier.plan.parts)
    steps = diff(old, new)
    try:
        state.world.store.migrate([step for step in steps if step.kind not in _DROPS], new)
    except NubetisError:  # what the records forbid must not stand in the way of the next change
        applier.take_back(operation)
        raise
    done = applier.drain(operation, [(key, applier.plan.parts)])
    if drops := [step for step in steps if step.kind in _DROPS]:
        state.world.store.migrate(drops, new)
    return done


def _schema_after(state: State, parts: Iterable[Part]) -> Schema:
    """Give the schema when *parts*, changes of definitions, are written."""
    module = state.known.schema.module("modules")
    at = module.layout.index["definition"]
    rows = {row[ID]: row for row in state.read(lambda: living(state.txn, module))}
    for part in parts:
        changed = list(part.rows if isinstance(part, Creates) or not part.after else part.changed_rows())
        rows |= {row[ID]: row for row in changed}
        if part.kind is ChangeKind.DELETE:
            rows = {key: row for key, row in rows.items() if key not in {row[ID] for row in changed}}
    definitions = [json.loads(str(row[at])) for row in rows.values()]
    return schema_of(definitions, types=state.world.extensions.field_types(), version=state.known.versions.schema + 1)


def resume_alter(state: State) -> Operation | None:
    """Go on with a change of the schema that was interrupted; ``None`` where there is none."""

    def left() -> tuple[Operation, list[tuple[Key, tuple[Part, ...]]]] | None:
        rows = _pending(state)
        if not rows:
            return None
        operation = operation_of(rows[0])
        return operation, read_lots(state.txn, operation.key, state.known.schema)

    found = state.read(left)
    if found is None:
        return None
    operation, lots = found
    if not lots:  # written, but not marked as done
        return Applier(state, Plan()).drain(operation, [])
    applier = Applier(state, Plan(cause=operation.cause, parts=lots[0][1]))
    return _carry_out(applier, operation, lots[0][0])
