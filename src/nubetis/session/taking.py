"""What one who acts for another may not do with it: give himself what he would keep when that ends."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from nubetis.access.policy import RolePolicy
from nubetis.access.sharing import Principal
from nubetis.errors import Refused
from nubetis.model.ids import encode
from nubetis.model.plan import ChangeKind, Creates, Part

if TYPE_CHECKING:
    from nubetis.session.planning import Planner
    from nubetis.types import Key, Row

__all__ = ["refuse_keeping"]

_SHARE = ("target", "superiors")


def refuse_keeping(planner: Planner, part: Part) -> None:
    """Stop one who acts for another and would share records with himself, or make himself the owner of one.

    With himself is also with a role or group in which he is, and with everybody.

    Raises:
        Refused: ``keeps_lent``.
    """
    actor, policy = planner.actor, planner.policy
    if actor is None or actor == planner.user or not isinstance(policy, RolePolicy):
        return
    if part.module.name == "shares" and any(_reached(policy, actor, part, row) for row in _given(part, _SHARED)):
        raise Refused("keeps_lent", user=encode("use", actor), what="a share of records")
    if not part.module.system:
        at = part.module.layout.index[part.module.field("owner").column]
        if any(row[at] == actor for row in _given(part, {"owner"})):
            raise Refused("keeps_lent", user=encode("use", actor), what="records as their owner")


_SHARED = frozenset({"target", "level", "until", "related", "superiors", "module", "record"})


def _given(part: Part, names: Iterable[str]) -> Iterable[Row]:
    """Give the rows, as they would be, of which a part gives somebody something: by *names* where it edits."""
    if isinstance(part, Creates):
        return part.rows
    if part.kind is ChangeKind.UPDATE and {str(field.name) for field in part.fields} & set(names):
        return part.changed_rows()
    return part.rows if part.kind is ChangeKind.RESTORE and part.module.system else ()


def _reached(policy: RolePolicy, user: Key, part: Part, row: Row) -> bool:
    target, superiors = (row[part.module.layout.index[name]] for name in _SHARE)
    return policy.directory.reaches_user(user, Principal.parse(str(target)), superiors=bool(superiors))
