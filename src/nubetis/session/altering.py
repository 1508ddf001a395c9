"""Changing the schema: an operation that can be resumed, like any other.

What the modules will be is kept in the store first; then the tables are widened, so that they have what the old
modules have and what the new ones have; then the definitions change, in one transaction that raises the schema
version; last, what is no longer defined is dropped, what who knew the old modules did not keep up is made again, and
only then is the operation done.  Each step may be repeated, and looks in its own transaction whether it is still to be
done: so whoever opens the organisation meanwhile may go on with the change, beside who began it, until it is done.
Until the definitions change everybody goes on with the old ones, and who learns of the new ones a moment later loses
nothing: the wide tables serve both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.errors import Conflict, NubetisError, Refused
from nubetis.model.bind import All, Holds, Test
from nubetis.model.convert import check_kept, module_text
from nubetis.model.fields import Field, Operator, Storage
from nubetis.model.numbered import check_numbers
from nubetis.model.plan import (
    Cause,
    CauseKind,
    ChangeKind,
    Edits,
    Operation,
    OperationState,
    Part,
    Plan,
)
from nubetis.model.query import BoundQuery
from nubetis.model.rules import check_rules, check_scope
from nubetis.model.schema import Module, Schema, SchemaStep, diff, key_of
from nubetis.model.system import OPERATIONS, check_own
from nubetis.model.widening import first_steps, last_steps, widened
from nubetis.session.applying import Applier, refuse_moved
from nubetis.session.holding import refuse_drops
from nubetis.session.kept import Lot, read_lots
from nubetis.session.past import operation_of
from nubetis.session.planning import Planner
from nubetis.session.rosters import check_meaning
from nubetis.session.state import State
from nubetis.session.world import LIVE, living
from nubetis.types import Key, Row

if TYPE_CHECKING:
    from nubetis.model.store import Txn

__all__ = ["alter", "changes_under_way", "plan_alter", "refuse_unusable_defaults", "resume_alter", "settle"]


def plan_alter(state: State, schema: Schema) -> Plan:
    """Plan the change of the modules' definitions to those of *schema*; inside a unit.

    Raises:
        AccessDenied: the user may not change modules.
        InvalidValue: ``schema_system``, nubetis needs something as it was; ``schema_type``, a field's type would
            change; ``bad_rule_filter``, a rule would not fit;
            ``bad_argument``, a choice has no choices or a link leads nowhere; ``no_rate`` and whatever else a new
            default would be refused for as a value.
        Conflict: ``schema_stale``; *schema* was made from another than the present one.
        StoreError: ``no_capability``; a module has more columns than the store can hold.
        Refused: ``refused``, the name of a new module is taken until another change has dropped the old one;
            ``legal_hold``, it would drop values of a module on which there is a hold; ``choice_in_use``, it would
            drop a choice that living records have; ``unknown_sharing``, ``bad_sharing``, a profile or a rule of
            sharing names what would go; ``raises_rights``, a rule would ask something else, and the user is no
            administrator.
    """
    planner = state.planner()
    module = state.known.schema.module("modules")
    planner.require(Action.EDIT, module)
    if schema.base != state.known.schema.version:
        raise Conflict("schema_stale")
    schema = schema.with_modules(schema.modules)  # it may be made by hand
    check_own(schema)
    check_kept(schema, types=state.world.extensions.field_types())
    steps = diff(state.known.schema, schema)
    refuse_drops(planner, steps)
    _refuse_used_choices(planner, steps)
    state.world.store.capabilities.refuse_excess(schema.modules)
    check_scope(schema)
    refuse_unusable_defaults(planner, schema, before=state.known.schema)
    check_rules(schema, now=state.world.now())
    check_numbers(state.known.schema, schema)
    check_meaning(state, schema)
    cause = Cause(CauseKind.SCHEMA, {"version": state.versions.schema + 1})
    return Plan(cause=cause, parts=tuple(part for part in _parts(planner, schema) if len(part)))


def refuse_unusable_defaults(planner: Planner, schema: Schema, *, before: Schema) -> None:
    """Stop where defaults that *before* had not are such as no record could have: every creation would fail.

    Where the organisation counts in no currency yet, money says what is missing, and may come first.
    """
    for module in schema.modules:
        known = before.by_id.get(module.id)
        fields = {} if known is None else known.by_id
        for field in module.fields:
            old = fields.get(field.id)
            early = field.type.name == "money" and planner.known.currency is None
            if not (early or field.default is None or (old is not None and old.default == field.default)):
                planner.value(field, field.default)


def _refuse_used_choices(planner: Planner, steps: Iterable[SchemaStep]) -> None:
    """Stop a change that would drop a choice which living records have: no filter could ask for them any more.

    A field without choices is free, and so is asked for anything.
    """
    for step in steps:
        if step.before is None or step.field is None or not step.field.choices:
            continue
        kept = set(step.field.choice_values())
        for choice in [each for each in step.before.choice_values() if each not in kept]:
            count = _holding(planner, planner.known.schema.by_id[step.module.id], step.before, choice)
            if count:
                params = {"module": step.module.name, "field": step.field.name, "choice": choice, "count": count}
                raise Refused("choice_in_use", **params)


def _holding(planner: Planner, module: Module, field: Field, choice: str) -> int:
    """Give how many living records have *choice*, whoever may see them."""
    many = field.parts[0].storage is Storage.SET
    test = Holds(field.column, choice) if many else Test(field.column, Operator.EQ, choice)
    return planner.txn.count(module, All((LIVE, test)))


def _parts(planner: Planner, schema: Schema) -> Iterable[Part]:
    module = planner.known.schema.module("modules")
    number, definition = module.layout.index["number"], module.layout.index["definition"]
    name = module.layout.index["name"]
    stored = {row[number]: row for row in living(planner.txn, module)}
    texts = {each.id: module_text(each) for each in schema.modules}
    names = {each.id: str(each.name) for each in schema.modules}
    new = [{"name": names[n], "number": int(n), "definition": texts[n]} for n in texts if n not in stored]
    created, refusals = planner.creates(module, new)
    if refusals:  # the name of one that goes in this very change is taken until it is gone
        error = Refused("refused", count=len(refusals), first=str(refusals[0]), hint="")
        error.refusals = tuple(refusals)
        raise error
    yield created
    moved = [n for n in texts if n in stored and (stored[n][definition], stored[n][name]) != (texts[n], names[n])]
    fields = (module.field("name"), module.field("definition"))
    yield Edits(module, [stored[n] for n in moved], fields, [(names[n], texts[n]) for n in moved])
    yield Edits(module, [row for n, row in stored.items() if n not in texts], kind=ChangeKind.DELETE)


def alter(state: State, schema: Schema) -> Operation:
    """Change the modules to *schema*; an interruption is mended by :func:`resume_alter`, on the next open.

    Raises:
        Conflict: ``schema_pending``; another change is under way.
    """

    def keep() -> tuple[Applier, Operation, Lot]:
        if pending := changes_under_way(state.txn):
            raise Conflict("schema_pending", operation=operation_of(pending[0]).id)
        applier = Applier(state, plan_alter(state, schema))
        return (applier, *applier.keep_whole())

    applier, operation, lot = state.write(keep)
    try:
        return _carry_out(applier, operation, lot)
    except Conflict as error:
        if error.code != "operation_moved":
            raise
        resume_alter(state)  # who opened the organisation meanwhile goes on with it too
        now = state.read(lambda: state.txn.get_many(OPERATIONS, [operation.key])[0])
        if now is not None and operation_of(now).state is OperationState.DONE:
            return operation_of(now)
    return alter(state, schema)  # they took it back; who began it is told why


def changes_under_way(txn: Txn) -> list[Row]:
    """Give the operation that changes the schema, where there is one; one at a time does."""
    running = Test("state", Operator.EQ, OperationState.RUNNING.value)
    where = All((running, Test("cause", Operator.EQ, CauseKind.SCHEMA.value)))
    return txn.query(BoundQuery(module=OPERATIONS, where=where, limit=1))


def _carry_out(applier: Applier, operation: Operation, lot: Lot) -> Operation:
    """Do what is left of *operation*: its position says whether the definitions are written."""
    state, migrate = applier.state, applier.state.world.store.migrate
    old, new = _schemas(state, lot.parts, written=operation.position > 0)
    wide, last = widened(old, new), last_steps(old, new)
    if not operation.position:
        try:
            migrate(first_steps(old, wide), wide, fence=lambda txn: refuse_moved(txn, operation))
            written = applier.step(operation, attrs.evolve(lot, key=None))
        except Exception as error:
            _take_back(applier, operation, error)
            raise
        operation = written
    if last or wide.modules != new.modules:
        migrate(last, new, fence=lambda txn: refuse_moved(txn, operation))
    return applier.end(operation, OperationState.DONE)


def _take_back(applier: Applier, operation: Operation, error: Exception) -> None:
    """End a change that the records forbid, or the store: it must not stand in the way of the next one."""
    if isinstance(error, NubetisError) and error.code == "operation_moved":
        return
    try:
        applier.take_back(operation)
    except Conflict as other:
        if other.code != "operation_moved":
            raise


def _schemas(state: State, parts: Iterable[Part], *, written: bool) -> tuple[Schema, Schema]:
    """Give the schema before *parts*, changes of definitions, and after them; they may be written already."""
    known = state.known.schema
    module = known.module("modules")
    rows = {key_of(row): row for row in state.read(lambda: living(state.txn, module))}
    other = _rows_before(rows, parts) if written else _rows_after(rows, parts)
    at, version = module.layout.index["definition"], state.known.versions.schema + (-1 if written else 1)
    found = state.world.read_definitions([str(row[at]) for row in other.values()], version=version)
    return (found, known) if written else (known, found)


def _rows_after(rows: Mapping[Key, Row], parts: Iterable[Part]) -> dict[Key, Row]:
    """Give the definitions as *parts* will make them."""
    found = dict(rows)
    for part in parts:
        changed = part.changed_rows() if isinstance(part, Edits) and part.after else part.rows
        found |= {key_of(row): row for row in changed}
        if part.kind is ChangeKind.DELETE:
            found = _without(found, part)
    return found


def _rows_before(rows: Mapping[Key, Row], parts: Iterable[Part]) -> dict[Key, Row]:
    """Give the definitions as they were before *parts* changed them."""
    found = dict(rows)
    for part in parts:
        found = _without(found, part)
        if isinstance(part, Edits):
            found |= {key_of(row): row for row in part.rows}
    return found


def _without(rows: Mapping[Key, Row], part: Part) -> dict[Key, Row]:
    gone = {key_of(row) for row in part.rows}
    return {key: row for key, row in rows.items() if key not in gone}


def resume_alter(state: State) -> Operation | None:
    """Go on with a change of the schema that was interrupted; ``None`` where there is none, or others ended it."""
    while found := state.read(lambda: _left(state)):
        operation, lot = found
        try:
            return _carry_out(Applier(state, Plan(cause=operation.cause, parts=lot.parts)), operation, lot)
        except Conflict as error:
            if error.code != "operation_moved":
                raise
    return None


def _left(state: State) -> tuple[Operation, Lot] | None:
    """Give the change that is under way, and what there is to write of it; inside a unit."""
    rows = changes_under_way(state.txn)
    if not rows:
        return None
    operation = operation_of(rows[0])
    return operation, read_lots(state.txn, operation.key, state.known.schema)[0]


def settle(state: State, modules: Callable[[], Iterable[Module]]) -> None:
    """Bring an organisation that is opened up to date: a change that was interrupted, and *modules* it has not got.

    Others may be opening it in the same moment, or changing it.  A change that its records forbid by now is taken
    back, and is no reason not to open.
    """
    while True:
        state.read(state.refresh)
        _go_on(state)
        schema = state.known.schema
        new = [module for module in modules() if module.name not in schema]
        try:
            if new:
                alter(state, schema.with_modules(new))
        except Conflict as error:
            if error.code not in _FASTER:
                raise
        else:
            return


def _go_on(state: State) -> None:
    try:
        resume_alter(state)
    except NubetisError:
        if state.read(lambda: changes_under_way(state.txn)):
            raise


_FASTER: Final = frozenset({"schema_pending", "schema_stale", "operation_moved"})
"""Others were faster: there is something new to look at."""
