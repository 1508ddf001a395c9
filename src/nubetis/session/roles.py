"""Roles: the tree of who reports to whom, and plans that change it.

A role is named by its name or id.  Nothing here writes: :meth:`~nubetis.session.Session.apply` does, and what a move
gives and takes :func:`nubetis.session.previewing.preview` says before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from nubetis.data.merge import plan_merge
from nubetis.errors import InvalidValue, require, require_bool
from nubetis.model.filters import F
from nubetis.session.naming import named
from nubetis.types import RecordId

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.model.plan import Plan
    from nubetis.model.record import Record
    from nubetis.session.door import Session

__all__ = ["RoleInTree", "plan_role", "plan_role_change", "plan_role_move", "plan_role_removal", "role_tree"]


@attrs.frozen(kw_only=True)
class RoleInTree:
    """A role, *depth* steps from the top; *users* have it, and *users_below* one of those below it.

    With *peers* those who have it see each other's records.  A *built_in* one came with the organisation.
    """

    id: RecordId
    name: str
    reports_to: RecordId | None
    depth: int
    users: int
    users_below: int
    peers: bool
    built_in: bool


def role_tree(session: Session) -> list[RoleInTree]:
    """Give all roles, each before those that report to it, which stand in the order of their names.

    Counted are users of any state, but for those in the recycle bin.

    >>> from nubetis.testing.people import make_org
    >>> with make_org() as org, org.administrator() as session:
    ...     people = list(org.people("eva: Director", "ana: Rep < eva"))
    ...     [(role.depth, role.name, role.users, role.users_below) for role in role_tree(session)][1:3]
    [(0, 'Director', 1, 1), (1, 'Rep', 1, 0)]
    """
    return session.state.read(lambda: _tree(session))


def _tree(session: Session) -> list[RoleInTree]:
    names = ("id", "name", "reports_to", "peers", "built_in")
    rows = [row for batch in session.stream("roles", fields=names) for row in zip(*batch, strict=True)]
    counts = session.aggregate("users", by="role", measures={"users": "count"})
    tree = _Walk(rows={str(row[0]): row for row in rows}, users={str(each["role"]): each["users"] for each in counts})
    return tree.roles()


@attrs.frozen(kw_only=True)
class _Walk:
    """Walks the tree, without recursion: chains may be long."""

    rows: Mapping[str, tuple[Value, ...]]
    users: Mapping[str, Value]

    def roles(self) -> list[RoleInTree]:
        """Give all roles, those above before those below."""
        beneath: dict[str | None, list[str]] = {}
        for role, (_, _, above, *_) in sorted(self.rows.items(), key=lambda row: str(row[1][1]).casefold()):
            beneath.setdefault(str(above) if str(above) in self.rows else None, []).append(role)
        order: list[tuple[str, int]] = []
        left = [(role, 0) for role in reversed(beneath.get(None, []))]
        while left:
            role, depth = left.pop()
            order.append((role, depth))
            left += [(each, depth + 1) for each in reversed(beneath.get(role, []))]
        return self._counted(order)

    def _counted(self, order: list[tuple[str, int]]) -> list[RoleInTree]:
        below: dict[str, int] = {}
        found: list[RoleInTree] = []
        for role, depth in reversed(order):
            _, name, above, peers, built_in = self.rows[role]
            own = int(str(self.users.get(role, 0)))
            below[str(above)] = below.get(str(above), 0) + own + below.get(role, 0)
            found.append(
                RoleInTree(
                    id=RecordId(role), name=str(name), depth=depth, users=own, users_below=below.get(role, 0),
                    reports_to=None if above is None else RecordId(str(above)),
                    peers=bool(peers), built_in=bool(built_in),
                )
            )  # fmt: skip
        return found[::-1]


# -- plans ------------------------------------------------------------------------------------------------------------
def plan_role(session: Session, name: str, *, under: str | None = None, peers: bool = False) -> Plan:
    """Plan a role that reports to the one *under* which it is; without one it stands at the top.

    Raises:
        AccessDenied: the user may not manage roles.
        NotFound: ``unknown_principal``; there is no such role above.
    """
    require(name, str, argument="name", expected="a text")
    require_bool(peers, argument="peers")
    values: dict[str, Value] = {"name": name, "reports_to": _above(session, under), "peers": peers}
    return session.plan_create("roles", [values])


def plan_role_move(session: Session, role: str, *, under: str | None) -> Plan:
    """Plan another place of a role, with all below it: under a role, or with ``None`` at the top.

    Raises:
        AccessDenied: the user may not manage roles.
        NotFound: ``unknown_principal``.
    """
    return session.plan_edits("roles", {named(session, "roles", role).id: {"reports_to": _above(session, under)}})


def plan_role_change(session: Session, role: str, *, name: str | None = None, peers: bool | None = None) -> Plan:
    """Plan another *name* of a role, or that those who have it see each other's records as *peers*.

    Raises:
        AccessDenied: the user may not manage roles.
        NotFound: ``unknown_principal``.
    """
    given: dict[str, Value] = {"name": name, "peers": peers}
    wanted = {field: value for field, value in given.items() if value is not None}
    return session.plan_edits("roles", {named(session, "roles", role).id: wanted})


def plan_role_removal(session: Session, role: str, *, heir: str | None = None) -> Plan:
    """Plan that a role goes; its users and the roles that report to it go to the *heir*, which takes its place.

    Without an heir it must have neither; sharing rules and groups must not name it.

    Raises:
        AccessDenied: the user may not manage roles, or the users who have it.
        NotFound: ``unknown_principal``.
        InvalidValue: ``bad_argument``; it is its own heir.
    """
    gone = named(session, "roles", role)
    if heir is None:
        return session.plan_delete("roles", F["id"].in_([gone.id]))
    kept = named(session, "roles", heir)
    if kept.id == gone.id:
        raise InvalidValue("bad_argument", argument="heir", reason="name another role than the one that goes")
    place = gone if gone.id in _all_above(session, kept) else kept
    return plan_merge(session, kept, [gone], values={"reports_to": place["reports_to"]})


def _all_above(session: Session, role: Record) -> set[RecordId]:
    """Give the roles above *role*."""
    above = {each.id: each.reports_to for each in role_tree(session)}
    found: set[RecordId] = set()
    at = above.get(role.id)
    while at is not None and at not in found:
        found.add(at)
        at = above.get(at)
    return found


def _above(session: Session, under: str | None) -> RecordId | None:
    return None if under is None else named(session, "roles", under).id
