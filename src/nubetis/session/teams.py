"""The team of a record: the users who work on it, each with a level and with what he does there.

Beside its shares and not among them: to be in the team says something of the work, a share only opens the record.  The
members are records of ``shares``, of the kind ``team``: journalled, undone and looked at like any grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.sharing import PrincipalKind
from nubetis.errors import InvalidValue, NotFound
from nubetis.model.bind import All, Test
from nubetis.model.fields import Operator
from nubetis.model.record import Record
from nubetis.session.sharing import kept, principal, put, require_given, shareable, take
from nubetis.session.world import LIVE
from nubetis.types import RecordId

if TYPE_CHECKING:
    from nubetis.model.plan import Operation
    from nubetis.session.door import Session

__all__ = ["Member", "join", "leave", "team"]

_TEAM: Final = "team"


@attrs.frozen(kw_only=True)
class Member:
    """One who works on a record, as it is kept."""

    id: RecordId
    user: RecordId
    level: str
    function: str | None


def team(session: Session, record: str | Record) -> list[Member]:
    """Give who works on a record, the longest first; whoever sees it may know.

    Raises:
        NotFound: there is no such record, or the user may not see it.
    """

    def work() -> list[Member]:
        state = session.state
        module, key = state.known.module_of(session.get(record).id)
        about = Test("module", Operator.EQ, int(module.id)), Test("record", Operator.EQ, int(key))
        shares = state.known.schema.module("shares")
        rows = state.planner().rows(shares, All((LIVE, *about, Test("kind", Operator.EQ, _TEAM))))
        return [_member(Record(shares, row)) for row in rows]

    return session.state.read(work)


def join(
    session: Session, record: str | Record, user: str, *, level: str = "read", function: str | None = None
) -> Operation:
    """Let a *user* work on a record, as *function* says; once more gives him another level and function.

    Raises:
        NotFound: ``unknown_user``; there is no such record, or the user of the session may not see it.
        AccessDenied: the user of the session may not share it.
    """
    require_given(level)

    def work() -> Operation:
        return put(session, record, _user(session, user), {"level": level, "function": function}, kind=_TEAM)

    return session.unit(lambda _: work())


def leave(session: Session, record: str | Record, user: str) -> Operation:
    """Take a *user* out of the team of a record; anybody may leave it himself.

    Raises:
        NotFound: ``not_in_team``; there is no such user or record, or the user of the session may not see it.
        AccessDenied: the user of the session may not share it.
    """

    def work() -> Operation:
        target = _user(session, user)
        himself = target == session.user
        place = session.state.known.module_of(session.get(record).id) if himself else shareable(session, record)
        taken = take(session, [each for each in kept(session, *place, kind=_TEAM) if each["target"] == target])
        if taken is None:
            raise NotFound("not_in_team", user=user[:60])
        return taken

    return session.unit(lambda _: work())


def _user(session: Session, name: str) -> str:
    found = principal(session, name)
    if found.kind is not PrincipalKind.USER:
        raise InvalidValue("bad_argument", argument="user", reason="a team has users; share it with others")
    return found.text


def _member(record: Record) -> Member:
    return Member(
        id=record.id, user=RecordId(str(record["target"])), level=record["level"], function=record["function"]
    )
