"""Random people and sharing, and an oracle that answers about them one pair at a time, by following every path.

The oracle knows no intervals and no numbering: what it says was written from the specification's words, and is slow.
"""

from __future__ import annotations

from collections.abc import Iterable
from random import Random
from typing import Final

import attrs

from nubetis.access.directory import PRIVATE, Profile, Roster
from nubetis.access.numbering import Position
from nubetis.access.people import User
from nubetis.access.permissions import STANDARD
from nubetis.access.sharing import EVERYBODY, Default, Level, Principal, PrincipalKind, Rule
from nubetis.model.filters import Filter
from nubetis.types import Key, ModuleId

__all__ = ["ADMINISTRATOR", "USUAL", "Oracle", "any_roster"]

ADMINISTRATOR: Final = Key(1)
"""The key of the profile of administrators in rosters made here."""
USUAL: Final = Key(2)
"""The key of everybody else's."""


def any_roster(
    random: Random,
    *,
    users: int,
    roles: int,
    groups: int = 0,
    rules: int = 0,
    modules: Iterable[ModuleId] = (ModuleId(1000),),
    criteria: Iterable[Filter] = (),
) -> Roster:
    """Give people in a random tree of roles, nested groups, and rules between any of them.

    Roles form one tree or several, deep ones and flat ones; some have nobody.  *criteria* are the filters of which
    the rules on values take one each.
    """
    role_keys = [Key(10_000 + each) for each in range(roles)]
    user_keys = [Key(100_000 + each) for each in range(users)]
    group_keys = [Key(1_000_000 + each) for each in range(groups)]
    maker = _Maker(random, role_keys, user_keys, group_keys)
    known, filters = tuple(modules), tuple(criteria)
    return Roster(
        users=tuple([maker.user(key) for key in user_keys]),
        roles=tuple(maker.positions()),
        profiles={ADMINISTRATOR: Profile(administrator=True), USUAL: Profile(STANDARD)},
        groups={key: maker.group(at) for at, key in enumerate(group_keys)},
        defaults={module: maker.default() for module in known if random.random() < 0.7},
        rules=tuple([maker.rule(Key(2_000_000 + each), random.choice(known), filters) for each in range(rules)]),
    )


@attrs.frozen
class _Maker:
    random: Random
    roles: list[Key]
    users: list[Key]
    groups: list[Key]

    def positions(self) -> Iterable[Position]:
        """Give each role below an earlier one, the last one more often than others: chains as well as bushes."""
        for at, key in enumerate(self.roles):
            above = None
            if at and self.random.random() < 0.93:
                above = self.roles[at - 1] if self.random.random() < 0.3 else self.random.choice(self.roles[:at])
            yield Position(key, above, peers=self.random.random() < 0.2)

    def user(self, key: Key) -> User:
        profile = ADMINISTRATOR if self.random.random() < 0.02 else USUAL
        return User(key=key, role=self.random.choice(self.roles), profile=profile, active=self.random.random() < 0.95)

    def group(self, at: int) -> tuple[Principal, ...]:
        """Give members; groups only from among the earlier ones, so that none holds itself."""
        return tuple([self.principal(self.groups[:at]) for _ in range(self.random.randint(0, 4))])

    def principal(self, groups: list[Key], *, everybody: bool = False) -> Principal:
        kinds = ["user", "role", "subordinates", *(["group"] if groups else []), *(["everybody"] if everybody else [])]
        match self.random.choice(kinds):
            case "user":
                return Principal(PrincipalKind.USER, self.random.choice(self.users))
            case "role":
                return Principal(PrincipalKind.ROLE, self.random.choice(self.roles))
            case "subordinates":
                return Principal(PrincipalKind.ROLE, self.random.choice(self.roles), subordinates=True)
            case "group":
                return Principal(PrincipalKind.GROUP, self.random.choice(groups))
            case _:
                return EVERYBODY

    def default(self) -> Default:
        level = self.random.choice([Level.NONE, Level.NONE, Level.NONE, Level.READ, Level.WRITE, Level.DELETE])
        return Default(level=level, upward=self.random.choice([Level.DELETE, Level.DELETE, Level.READ, Level.NONE]))

    def rule(self, key: Key, module: ModuleId, criteria: tuple[Filter, ...]) -> Rule:
        by_value = bool(criteria) and self.random.random() < 0.3
        return Rule(
            key=key,
            name=f"rule {key}",
            module=module,
            target=self.principal(self.groups, everybody=self.random.random() < 0.1),
            level=self.random.choice([Level.READ, Level.READ, Level.WRITE, Level.DELETE]),
            source=None if by_value else self.principal(self.groups, everybody=self.random.random() < 0.05),
            where=self.random.choice(criteria) if by_value else None,
            superiors=self.random.random() < 0.4,
        )


@attrs.frozen
class Oracle:
    """Says who has what in *roster*, by the words of the specification and with no cleverness at all."""

    roster: Roster

    def members(self, principal: Principal, seen: frozenset[Key] = frozenset()) -> set[Key]:
        """Give the users whom *principal* stands for."""
        match principal.kind:
            case PrincipalKind.EVERYBODY:
                return {user.key for user in self.roster.users}
            case PrincipalKind.USER:
                return {user.key for user in self.roster.users if user.key == principal.key}
            case PrincipalKind.ROLE:
                found = {user.key for user in self.roster.users if user.role == principal.key}
                below = {u.key for u in self.roster.users if principal.key in self.above(u.role)}
                return found | below if principal.subordinates else found
            case PrincipalKind.GROUP if principal.key in seen:
                return set()
            case PrincipalKind.GROUP:
                inner = self.roster.groups.get(principal.key, ())
                return set().union(*[self.members(each, seen | {principal.key}) for each in inner])

    def above(self, role: Key) -> list[Key]:
        """Give the roles above *role*."""
        reports = {position.key: position.reports_to for position in self.roster.roles}
        found: list[Key] = []
        at = reports.get(role)
        while at is not None and at not in found:
            found.append(at)
            at = reports.get(at)
        return found

    def reached(self, viewer: Key, target: Principal, *, superiors: bool) -> bool:
        """Say whether what is given to *target* reaches *viewer*."""
        members = self.members(target)
        role = self.role(viewer)
        return viewer in members or (superiors and any(role in self.above(self.role(each)) for each in members))

    def role(self, user: Key) -> Key:
        """Give the role of a user."""
        return next(each.role for each in self.roster.users if each.key == user)

    def level(self, viewer: Key, owner: Key, module: ModuleId) -> Level:
        """Give how far *viewer* has the records of *owner* in *module*, whatever their values."""
        default = self.roster.defaults.get(module, PRIVATE)
        found = [default.level]
        if viewer == owner:
            found.append(Level.DELETE)
        mine, theirs = self.role(viewer), self.role(owner)
        peers = any(each.key == mine and each.peers for each in self.roster.roles)
        if mine in self.above(theirs) or (peers and mine == theirs):
            found.append(default.upward)
        for rule in self.roster.rules:
            shared = rule.module == module and rule.source is not None and owner in self.members(rule.source)
            if shared and self.reached(viewer, rule.target, superiors=rule.superiors):
                found.append(rule.level)
        return max(found)

    def criteria(self, viewer: Key, module: ModuleId) -> set[Key]:
        """Give the keys of the rules on values that reach *viewer*."""
        return {
            rule.key
            for rule in self.roster.rules
            if rule.module == module
            and rule.where is not None
            and self.reached(viewer, rule.target, superiors=rule.superiors)
        }
