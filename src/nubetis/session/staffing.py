"""What the rules of people and of the edition have against a plan, record by record.

What must hold of all people together is checked when a plan is written (:mod:`nubetis.access.invariants`); here is
what hangs on the step itself: from which state to which, whether a custom role may be made yet, and how many records
one import makes.  An undo gives back what was, and is only asked whether anything built in would go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import repeat
from typing import TYPE_CHECKING, Final

from nubetis.access.decision import Action
from nubetis.access.permissions import NO_PERMISSION, FieldLevel, read_permissions
from nubetis.access.states import FIRST, FOLLOWING, UserState
from nubetis.errors import UNREADABLE, NubetisError, Refused
from nubetis.model.fields import FieldState
from nubetis.model.ids import encode
from nubetis.model.plan import CauseKind, ChangeKind, Creates, Edits, Part, Plan, Refusal
from nubetis.model.schema import key_of
from nubetis.session.rosters import directory_of

if TYPE_CHECKING:
    from nubetis.access.directory import Roster
    from nubetis.model.fields import Field
    from nubetis.model.schema import Schema
    from nubetis.session.planning import Planner
    from nubetis.types import Row, Stored

__all__ = ["staffing_refusals"]


def staffing_refusals(planner: Planner, plan: Plan) -> list[Refusal]:
    """Give what stands against single records of *plan*.

    Raises:
        Refused: ``edition_limit``; an import makes more records than the edition lets one make.
    """
    names = {str(part.module.name) for part in plan.parts}
    imported = plan.cause.kind is CauseKind.IMPORT
    if not imported and not names & _RULED:
        return []
    roster = directory_of(planner.world, planner.txn, planner.known.versions.access).roster
    if imported:
        _refuse_long(plan, roster)
    back, schema = plan.cause.kind is CauseKind.UNDO, planner.known.schema
    return [each for part in plan.parts for each in (_kept(part) if back else _against(part, roster, schema))]


_BUILT: Final = frozenset({"roles", "profiles"})
_RULED: Final = _BUILT | {"users"}


def _refuse_long(plan: Plan, roster: Roster) -> None:
    """Refuse more records than one import may make; those that they link to come before them and are not counted."""
    rows, limit = sum(map(len, plan.parts[-1:])), roster.entitlements.import_rows
    if limit is not None and rows > limit:
        raise Refused("edition_limit", what="records of one import", limit=limit, count=rows)


def _against(part: Part, roster: Roster, schema: Schema) -> Iterator[Refusal]:
    if part.module.name == "users":
        yield from _states(part)
    yield from _kept(part)
    yield from _early(part, roster)
    if part.module.name == "profiles":
        yield from _closing(part, schema)


def _refusal(part: Part, row: Row, code: str, **params: object) -> Refusal:
    record = encode(part.module.prefix, key_of(row))
    return Refusal(code=code, params=params, module=part.module.name, record=record)


def _cell(part: Part, row: Row, name: str) -> Stored:
    return row[part.module.layout.index[name]]


# -- states -----------------------------------------------------------------------------------------------------------
def _states(part: Part) -> Iterator[Refusal]:
    for row, old, new in _steps(part):
        allowed = FIRST if old is None else FOLLOWING[old]
        if new != old and new not in allowed:
            yield _refusal(
                part, row, "bad_user_state", old="new" if old is None else old.value,
                new="nothing" if new is None else new.value, allowed=", ".join(sorted(allowed)),
            )  # fmt: skip


def _steps(part: Part) -> Iterator[tuple[Row, UserState | None, UserState | None]]:
    """Give from which state to which each user would go."""
    if isinstance(part, Creates):
        for row in part.rows:
            yield row, None, _state(_cell(part, row, "state"))
    elif part.kind is ChangeKind.UPDATE:
        for row, after in zip(part.rows, part.changed_rows(), strict=True):
            yield row, _state(_cell(part, row, "state")), _state(_cell(part, after, "state"))


def _state(cell: Stored) -> UserState | None:
    return None if cell is None else UserState(str(cell))


# -- roles and profiles -----------------------------------------------------------------------------------------------
def _kept(part: Part) -> Iterator[Refusal]:
    """Refuse that what is built in goes, or that the Administrator's profile says anything else."""
    if part.module.name not in _BUILT:
        return
    going = part.kind in {ChangeKind.DELETE, ChangeKind.PURGE}
    written = {field.name for field in part.fields} - {"name"} if isinstance(part, Edits) else set[str]()
    for row in part.rows if going or written else ():
        if _cell(part, row, "built_in") and (going or _administers(part, row)):
            reason = (
                "it stays; give it another name, or leave it without users"
                if going
                else "it permits everything, for ever; clone it, and change the clone"
            )
            yield _refusal(part, row, "built_in", what=encode(part.module.prefix, key_of(row)), reason=reason)


def _administers(part: Part, row: Row) -> bool:
    return part.module.name == "profiles" and bool(_cell(part, row, "administrator"))


def _early(part: Part, roster: Roster) -> Iterator[Refusal]:
    """Refuse custom roles and profiles as long as too few persons are active."""
    wanted, active = roster.entitlements.unlock_after, roster.users.seats
    if part.module.name in _BUILT and active < wanted and part.kind in {ChangeKind.CREATE, ChangeKind.RESTORE}:
        for row in part.rows:
            yield _refusal(part, row, "locked_yet", what=part.module.name, wanted=wanted, active=active)


def _closing(part: Part, schema: Schema) -> Iterator[Refusal]:
    """Refuse that a profile lets its users create where, from now on, they may not write what is required."""
    if isinstance(part, Edits) and "permissions" not in {field.name for field in part.fields}:
        return
    if part.kind not in {ChangeKind.CREATE, ChangeKind.UPDATE}:
        return
    before = part.rows if isinstance(part, Edits) else repeat(None)
    after = part.changed_rows() if isinstance(part, Edits) else part.rows
    for old, row in zip(before, after, strict=False):
        kept = set[tuple[str, str]]() if old is None else set(_unfillable(_cell(part, old, "permissions"), schema))
        for module, field in _unfillable(_cell(part, row, "permissions"), schema):
            if (module, field) not in kept:
                profile = str(_cell(part, row, "name"))
                yield _refusal(part, row, "required_closed", module=module, field=field, profile=profile)
                break


def _unfillable(permissions: Stored, schema: Schema) -> Iterator[tuple[str, str]]:
    """Give the required fields, by module, that may not be written with *permissions* where one may create."""
    try:
        found = NO_PERMISSION if permissions is None else read_permissions(json.loads(str(permissions)))
    except (NubetisError, *UNREADABLE):  # said when it is written
        return
    for (number, field_id), level in sorted(found.fields.items()):
        module = schema.by_id.get(number)
        field = None if module is None else module.by_id.get(field_id)
        closed = level < FieldLevel.EDIT and Action.CREATE in found.verbs(number)
        if module is not None and field is not None and closed and _asked_for(field):
            yield str(module.name), str(field.name)


def _asked_for(field: Field) -> bool:
    by_hand = field.state is FieldState.ACTIVE and field.type.name != "auto_number"
    return field.required and field.default is None and by_hand
