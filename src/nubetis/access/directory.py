"""Everybody's access at one instant: an immutable snapshot of people, roles, groups, defaults and rules.

A :class:`Directory` belongs to one access version.  Whatever changes makes another; readers keep theirs until they
see the new version.  What it says of one user in one module is a :class:`Reach`: sets of owners as intervals of the
numbering, and the rules on values that reach him.  All answers about records come from that one form.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import attrs

from nubetis.access.intervals import NOBODY, Intervals, Span
from nubetis.access.numbering import Numbering, Position, number
from nubetis.access.permissions import EVERY_PERMISSION, NO_PERMISSION, Permissions, permitted
from nubetis.access.sharing import EVERYBODY, Default, Level, Principal, PrincipalKind, Rule
from nubetis.types import Key, ModuleId

__all__ = ["Directory", "Profile", "Reach", "Roster", "User"]


@attrs.frozen(kw_only=True)
class User:
    """A user, as far as access goes; *sets* are the keys of his permission sets."""

    key: Key
    role: Key
    profile: Key
    active: bool = True
    person: bool = True
    sets: tuple[Key, ...] = ()


@attrs.frozen
class Profile:
    """What a profile permits; an *administrator*'s permits everything."""

    permissions: Permissions = NO_PERMISSION
    administrator: bool = False


@attrs.frozen(kw_only=True)
class Roster:
    """What is kept of people and of sharing; groups are given by their members."""

    users: tuple[User, ...] = ()
    roles: tuple[Position, ...] = ()
    profiles: Mapping[Key, Profile] = attrs.field(factory=dict)
    sets: Mapping[Key, Permissions] = attrs.field(factory=dict)
    groups: Mapping[Key, tuple[Principal, ...]] = attrs.field(factory=dict)
    defaults: Mapping[ModuleId, Default] = attrs.field(factory=dict)
    rules: tuple[Rule, ...] = ()


PRIVATE = Default()
"""What holds in a module of which nothing is said."""


@attrs.frozen(kw_only=True)
class Reach:
    """What one user has in one module: *everything* to a level, the *owners* whose records he has, by level, and the
    *criteria*, rules on values that reach him.

    ``owners[level]`` holds ``owners[level + 1]``.
    """  # noqa: D205 - one thought

    everything: Level
    owners: tuple[Intervals, Intervals, Intervals, Intervals]
    criteria: tuple[Rule, ...] = ()
    default: Default = PRIVATE

    def level_of(self, place: int | None) -> Level:
        """Give how far he has the records of the owner at *place*, whatever their values."""
        if place is not None:
            for level in (Level.DELETE, Level.WRITE, Level.READ):
                if level <= self.everything:
                    return self.everything
                if place in self.owners[level]:
                    return level
        return self.everything


@attrs.define
class Directory:
    """Answers who has what; made once for an access version, asked by many threads."""

    roster: Roster
    _reaches: dict[tuple[Key, ModuleId], Reach] = attrs.field(factory=dict, init=False, repr=False)

    @cached_property
    def numbering(self) -> Numbering:
        """The places of all users."""
        return number(self.roster.roles, [(user.key, user.role) for user in self.roster.users])

    @cached_property
    def users(self) -> Mapping[Key, User]:
        """All users by key."""
        return {user.key: user for user in self.roster.users}

    # permissions -------------------------------------------------------------------------------------------
    def permissions(self, user: Key) -> Permissions:
        """Give what the profile and the permission sets of a user permit."""
        found = self.users.get(user)
        if found is None:
            return NO_PERMISSION
        profile = self.roster.profiles.get(found.profile, Profile())
        if profile.administrator:
            return EVERY_PERMISSION
        sets = [self.roster.sets[key] for key in found.sets if key in self.roster.sets]
        return permitted(profile.permissions, sets)

    def administrator(self, user: Key) -> bool:
        """Say whether a user's profile is an administrator's."""
        found = self.users.get(user)
        return found is not None and self.roster.profiles.get(found.profile, Profile()).administrator

    # principals --------------------------------------------------------------------------------------------
    def members(self, principal: Principal) -> Intervals:
        """Give the places of those whom *principal* stands for."""
        match principal.kind:
            case PrincipalKind.EVERYBODY:
                return Intervals.of([(0, len(self.numbering.users))])
            case PrincipalKind.USER:
                place = self.numbering.places.get(principal.key)
                return NOBODY if place is None else Intervals.of([(place, place + 1)])
            case PrincipalKind.ROLE:
                role = principal.key
                span = self.numbering.subtree(role) if principal.subordinates else self.numbering.own(role)
                return Intervals.of([span])
            case PrincipalKind.GROUP:
                return self._groups.get(principal.key, NOBODY)

    @cached_property
    def _groups(self) -> Mapping[Key, Intervals]:
        return {key: self._of_group(key) for key in self.roster.groups}

    def _of_group(self, group: Key) -> Intervals:
        """Give the members of a group, those of groups in it included; a circle of groups has the members of all."""
        seen, left = {group}, [group]
        spans: list[Span] = []
        while left:
            for member in self.roster.groups.get(left.pop(), ()):
                if member.kind is not PrincipalKind.GROUP:
                    spans += self.members(member).spans
                elif member.key not in seen:
                    seen.add(member.key)
                    left.append(member.key)
        return Intervals.of(spans)

    def reached(self, place: int, target: Principal, *, superiors: bool) -> bool:
        """Say whether a grant to *target* reaches the user at *place*: as one of them, or as one above them."""
        members = self._targets.get(target) or self.members(target)
        if place in members:
            return True
        return superiors and members.meets(*self._below(place))

    @cached_property
    def _targets(self) -> Mapping[Principal, Intervals]:
        return {target: self.members(target) for target in {rule.target for rule in self.roster.rules}}

    def _below(self, place: int) -> Span:
        role = self.numbering.role_of(self.numbering.users[place])
        return (0, 0) if role is None else self.numbering.below(role)

    def principals(self, user: Key) -> list[tuple[Principal, bool]]:
        """Give the principals by which a share reaches a user, and whether only by a share that goes to superiors."""
        place = self.numbering.places.get(user)
        if place is None:
            return []
        role = self.numbering.role_of(user)
        found = [EVERYBODY, Principal(PrincipalKind.USER, user)]
        if role is not None:
            found.append(Principal(PrincipalKind.ROLE, role))
            found += [Principal(PrincipalKind.ROLE, each, True) for each in (role, *self.numbering.above(role))]  # noqa: FBT003 - with subordinates
        found += [Principal(PrincipalKind.GROUP, key) for key, members in self._groups.items() if place in members]
        return [*[(each, False) for each in found], *[(each, True) for each in self._beneath(place)]]

    def _beneath(self, place: int) -> Iterable[Principal]:
        """Give the principals that have a member below the user at *place*, and not himself."""
        below = self._below(place)
        if below[0] == below[1]:
            return
        yield from [Principal(PrincipalKind.USER, self.numbering.users[at]) for at in range(*below)]
        for role in self.roster.roles:
            own, tree = self.numbering.own(role.key), self.numbering.subtree(role.key)
            if _inside(own, below):
                yield Principal(PrincipalKind.ROLE, role.key)
            if _inside(tree, below):
                yield Principal(PrincipalKind.ROLE, role.key, True)  # noqa: FBT003 - with subordinates
        for key, members in self._groups.items():
            if members.meets(*below) and place not in members:
                yield Principal(PrincipalKind.GROUP, key)

    # reach -------------------------------------------------------------------------------------------------
    def reach(self, user: Key, module: ModuleId) -> Reach:
        """Give what a user has in a module, whatever his profile permits."""
        found = self._reaches.get((user, module))
        if found is None:
            found = self._reaches[user, module] = self._reach(user, module)
        return found

    def _reach(self, user: Key, module: ModuleId) -> Reach:
        default = self.roster.defaults.get(module, PRIVATE)
        place = self.numbering.places.get(user)
        if place is None:
            return Reach(everything=Level.NONE, owners=(NOBODY,) * 4, default=default)
        rules = [rule for rule in self._rules_of(module) if self.reached(place, rule.target, superiors=rule.superiors)]
        spans = [(level, span) for level, members in self._granted(place, default) for span in members.spans]
        spans += [
            (rule.level, span) for rule in rules if rule.source is not None for span in self._sources[rule.source].spans
        ]
        return Reach(
            everything=default.level,
            owners=_by_level(spans),
            criteria=tuple([rule for rule in rules if rule.where is not None]),
            default=default,
        )

    @cached_property
    def _by_module(self) -> Mapping[ModuleId, list[Rule]]:
        found: dict[ModuleId, list[Rule]] = {}
        for rule in self.roster.rules:
            found.setdefault(rule.module, []).append(rule)
        return found

    def _rules_of(self, module: ModuleId) -> list[Rule]:
        return self._by_module.get(module, [])

    @cached_property
    def _sources(self) -> Mapping[Principal, Intervals]:
        return {each: self.members(each) for each in {rule.source for rule in self.roster.rules} if each is not None}

    def _granted(self, place: int, default: Default) -> Iterable[tuple[Level, Intervals]]:
        """Give whose records a user has as their owner, and by the tree of roles."""
        yield Level.DELETE, Intervals.of([(place, place + 1)])
        role = self.numbering.role_of(self.numbering.users[place])
        if role is not None:
            yield default.upward, Intervals.of([self.numbering.below(role)])
            if self.numbering.peers(role):
                yield default.upward, Intervals.of([self.numbering.own(role)])


def _inside(span: Span, other: Span) -> bool:
    return span[0] < span[1] and other[0] <= span[0] and span[1] <= other[1]


def _by_level(spans: Iterable[tuple[Level, Span]]) -> tuple[Intervals, Intervals, Intervals, Intervals]:
    found = list(spans)
    none, read, write, delete = (Intervals.of([span for level, span in found if level >= each]) for each in Level)
    return none, read, write, delete
