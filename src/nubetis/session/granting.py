"""What gives records to others beside their owners and may not be written by everybody who may write the record.

Whoever has a record may not give more of what hangs on it than he has: a share that goes on to related records is to
no more than having the parent gives, and to another parent a record goes only from one who has it as far as the
parent gives it away.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from nubetis.access.decision import Action
from nubetis.access.policy import RolePolicy
from nubetis.access.relating import children
from nubetis.access.sharing import Level
from nubetis.model.bind import All, Bound, Linked, Linking, Test
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.ids import encode
from nubetis.model.plan import ChangeKind, Creates, Edits, Part, Refusal
from nubetis.model.schema import key_of
from nubetis.model.system import SHARES
from nubetis.session.world import LIVE, TxnRelated
from nubetis.types import ModuleId

if TYPE_CHECKING:
    from nubetis.model.evaluate import Predicate
    from nubetis.model.fields import Field
    from nubetis.session.planning import Planner
    from nubetis.types import Row

__all__ = ["granting_refusals"]


def granting_refusals(planner: Planner, parts: Iterable[Part]) -> Iterator[Refusal]:
    """Give what stands against single records of *parts*, be they an undo; nothing against administrators'."""
    policy = planner.policy
    if not isinstance(policy, RolePolicy) or policy.user.administrator:
        return
    for part in parts:
        if part.module.name == SHARES.name:
            yield from _beyond(planner, policy, part)
        elif isinstance(part, Edits) and part.kind is ChangeKind.UPDATE:
            yield from _to_another_parent(planner, policy, part)


# -- shares with related records --------------------------------------------------------------------------------------
def _beyond(planner: Planner, policy: RolePolicy, part: Part) -> Iterator[Refusal]:
    index, schema = part.module.layout.index, planner.known.schema
    for row in _given(part):
        module = schema.by_id.get(ModuleId(int(row[index["module"]] or 0)))
        level = Level.parse(row[index["level"]])
        if not row[index["related"]] or module is None:
            continue
        for related, given in children(policy.directory, schema, module):
            if level > given:
                params: dict[str, object] = {"level": level.text, "related": related.name, "given": given.text}
                yield _refusal(part, row, "related_beyond", params)
                break


def _given(part: Part) -> Iterable[Row]:
    """Give the shares as they would be, where they would be."""
    if isinstance(part, Creates) or part.kind is ChangeKind.RESTORE:
        return part.rows
    return part.changed_rows() if part.kind is ChangeKind.UPDATE else ()


def _refusal(part: Part, row: Row, code: str, params: dict[str, object], field: str | None = None) -> Refusal:
    record = encode(part.module.prefix, key_of(row))
    return Refusal(code=code, params=params, module=part.module.name, record=record, field=field)


# -- links to parents -------------------------------------------------------------------------------------------------
def _to_another_parent(planner: Planner, policy: RolePolicy, part: Edits) -> Iterator[Refusal]:
    default = policy.directory.default(part.module.id)
    field = next((each for each in part.fields if each.id == default.parent), None)
    if field is None or len(field.targets) != 1:
        return
    has = planner.test(part.module, policy.reaching(part.module, Level.DELETE))
    gives = _gives_all(planner, part, field, default.parent_level)
    for row, after in zip(part.rows, part.changed_rows(), strict=True):
        if gives(after) and not has(row):
            params: dict[str, object] = {
                "user": "This user", "action": Action.TRANSFER.value, "module": part.module.name,
            }  # fmt: skip
            yield _refusal(part, row, "denied", params, field.name)


def _gives_all(planner: Planner, part: Edits, field: Field, level: Level) -> Predicate:
    """Give the test of whether a parent gives more than who may edit has: by its module, or by a share of both."""
    if level is Level.DELETE:
        return lambda _: True
    parent = planner.known.schema.module(field.targets[0])
    fixed = (LIVE, Test("module", Operator.EQ, int(parent.id)), Test("related", Operator.EQ, 1))
    shared: Bound = Linking(SHARES, "record", All((*fixed, Test("level", Operator.EQ, Level.DELETE.text))))
    found = matcher(Linked(field.column, parent, shared), part.module.layout.full_index, TxnRelated(planner.txn))
    return lambda row: found(part.module.layout.fill(row))
