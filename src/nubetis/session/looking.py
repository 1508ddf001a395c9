"""What another user sees: a session that only reads, and of which the journal tells."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from nubetis.access.policy import RolePolicy
from nubetis.errors import AccessDenied, InvalidValue, require
from nubetis.model.ids import decode
from nubetis.model.kinds.texts import is_storable
from nubetis.model.plan import Cause, CauseKind, Plan
from nubetis.session.explaining import require_insight

if TYPE_CHECKING:
    from nubetis.session.door import Session

__all__ = ["as_user"]


def as_user(session: Session, user: str, *, reason: str) -> Session:
    """Give a session that sees what *user* sees, and writes nothing; why, stands in the journal with both names.

    An administrator sees just what the user does.  Who has the function *explain access* sees no record and no field
    that he may not see himself, and does not look on as an administrator.  ``can`` and ``explain`` say what the user
    may.  When the right to look on goes, the next call is refused.

    Raises:
        AccessDenied: the user of the session may not explain access; ``only_reading``, of whatever writes.
        NotFound: ``unknown_user``.
        InvalidValue: ``bad_argument``; no reason was given.
    """
    require(reason, str, argument="reason", expected="why you look")
    if not reason.strip() or not is_storable(reason):
        raise InvalidValue("bad_argument", argument="reason", reason="say why you look")

    def work() -> Session:
        state = session.state
        require_insight(state)
        if state.user is None or state.delegate is not None or not isinstance(state.policy, RolePolicy):
            raise AccessDenied("denied", user="This user", action="look on", module="this organisation")
        key = decode(state.known.find_user(state.txn, user))[1]
        found = attrs.evolve(session, state=state.looking_on(key))
        found.state.closed = True  # until the journal tells of it: a unit may be taken back
        state.afterwards.append(partial(setattr, found.state, "closed", False))  # noqa: FBT003 - setattr
        told = Plan(cause=Cause(CauseKind.VIEW, {"as": found.user, "reason": reason[:1000]}))
        session.apply(state.world.vouch(told))
        return found

    return session.unit(lambda _: work())
