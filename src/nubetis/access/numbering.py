"""The tree of roles with its users, numbered so that whoever is below somebody is one interval.

Roles are walked from the top, children after their parent, and each role's users get the next places before those
of the roles below it (an Euler tour).  So of each role the users of its own, and those of its own and all below it,
lie side by side; nothing is kept on records but their owner.  Moving a subtree makes another numbering and touches
no record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from operator import itemgetter

import attrs

from nubetis.access.intervals import Span
from nubetis.types import Key

__all__ = ["Holders", "Numbering", "Position", "number"]


@attrs.frozen
class Position:
    """A role: the one it *reports_to*, and whether those who have it are *peers* who see each other's records."""

    key: Key
    reports_to: Key | None = None
    peers: bool = False


@attrs.frozen
class Holders:
    """Who has which role; made once for the same users, however the tree changes."""

    role_of: Mapping[Key, Key]

    @cached_property
    def by_role(self) -> Mapping[Key | None, list[Key]]:
        """The users of each role, in the order of their keys."""
        return _by(self.role_of.items())


@attrs.frozen(kw_only=True)
class Numbering:
    """The places of users, along the tree of roles: *users* in order, *places* by key.

    A user whose role is none of the roles, and one whose role hangs in no tree (the roles above it form a circle), has
    a place beyond all roles: nobody is above him and nobody below.
    """

    users: tuple[Key, ...]
    places: Mapping[Key, int]
    _tours: Mapping[Key, tuple[int, int, int]] = attrs.field(alias="tours")
    _roles: Mapping[Key, Position] = attrs.field(alias="roles")
    _holders: Holders = attrs.field(alias="holders")

    def role_of(self, user: Key) -> Key | None:
        """Give a user's role, if it is one of the tree."""
        role = self._holders.role_of.get(user)
        return role if role in self._tours else None

    def own(self, role: Key) -> Span:
        """Give the places of those who have *role*."""
        begin, end, _ = self._tours.get(role, _NOWHERE)
        return begin, end

    def subtree(self, role: Key) -> Span:
        """Give the places of those who have *role* or one below it."""
        begin, _, end = self._tours.get(role, _NOWHERE)
        return begin, end

    def below(self, role: Key) -> Span:
        """Give the places of those who have a role below *role*."""
        _, begin, end = self._tours.get(role, _NOWHERE)
        return begin, end

    def peers(self, role: Key) -> bool:
        """Say whether those who have *role* see each other's records."""
        return role in self._roles and self._roles[role].peers

    def above(self, role: Key) -> list[Key]:
        """Give the roles above *role*, the nearest first."""
        found: list[Key] = []
        at = self._roles[role].reports_to if role in self._tours else None
        while at is not None and at in self._tours:
            found.append(at)
            at = self._roles[at].reports_to
        return found


_NOWHERE = (0, 0, 0)


def number(roles: Iterable[Position], holders: Holders) -> Numbering:
    """Number the users who have *roles*.

    A role that reports to none of *roles* stands at the top.  Cost: a µs a role, some for users who are new; chains of
    any depth.
    """
    known = {role.key: role for role in roles}
    children = _by([(role.key, role.reports_to) for role in known.values()])
    tours: dict[Key, tuple[int, int, int]] = {}
    order: list[Key] = []
    for top in sorted(key for key, role in known.items() if role.reports_to not in known):
        _walk(top, children, holders.by_role, order, tours)
    order += sorted([user for role, users in holders.by_role.items() if role not in tours for user in users])
    places = dict(zip(order, range(len(order)), strict=True))
    return Numbering(users=tuple(order), places=places, tours=tours, roles=known, holders=holders)


def _by(pairs: Iterable[tuple[Key, Key | None]]) -> dict[Key | None, list[Key]]:
    """Give the first of each pair, in order, by the second."""
    found: dict[Key | None, list[Key]] = {}
    for each, group in sorted(pairs, key=itemgetter(0)):
        found.setdefault(group, []).append(each)
    return found


def _walk(
    top: Key,
    children: Mapping[Key | None, list[Key]],
    holders: Mapping[Key | None, list[Key]],
    order: list[Key],
    tours: dict[Key, tuple[int, int, int]],
) -> None:
    """Give places to the users of *top* and of all below it; without recursion, as chains may be long."""
    entered: list[tuple[Key, int, int]] = []
    left: list[tuple[Key, bool]] = [(top, False)]
    while left:
        role, done = left.pop()
        if done:
            _, begin, end = entered.pop()
            tours[role] = begin, end, len(order)
            continue
        begin = len(order)
        order += holders.get(role, ())
        entered.append((role, begin, len(order)))
        left.append((role, True))
        left += [(child, False) for child in reversed(children.get(role, ()))]
