"""Everybody's access at one instant: an immutable snapshot of people, roles, groups, defaults and rules.

A :class:`Directory` belongs to one access version.  Whatever changes makes another; readers keep theirs until they
see the new version.  What it says of one user in one module is a :class:`Reach`: sets of owners as intervals of the
numbering, and the rules on values that reach him.  All answers about records come from that one form.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property, reduce
from itertools import accumulate
from operator import or_, xor
from typing import Final, TypeAlias

import attrs

from nubetis.access.entitlements import UNLIMITED, Entitlements
from nubetis.access.intervals import NOBODY, Intervals, Span
from nubetis.access.numbering import Numbering, Position, number
from nubetis.access.people import Groups, People, User, grouped, people
from nubetis.access.permissions import EVERY_PERMISSION, NO_PERMISSION, Permissions, permitted
from nubetis.access.sharing import EVERYBODY, GRANTED, Default, Level, Principal, PrincipalKind, Rule
from nubetis.model.prepared import Settled
from nubetis.types import Key, ModuleId

__all__ = ["Alike", "Directory", "Profile", "Reach", "Roster", "bits"]


@attrs.frozen
class Profile:
    """What a profile permits; an *administrator*'s permits everything."""

    permissions: Permissions = NO_PERMISSION
    administrator: bool = False


@attrs.frozen(kw_only=True)
class Roster:
    """What is kept of people and of sharing; groups are given by their members.

    *resting* are rules that are off: they give nothing.  *built_in_roles* and *built_in_profiles* are the keys of those
    that always are; *entitlements* is what the edition gives.
    """

    users: People = attrs.field(default=People(), converter=people)
    roles: tuple[Position, ...] = ()
    profiles: Mapping[Key, Profile] = attrs.field(factory=dict)
    sets: Mapping[Key, Permissions] = attrs.field(factory=dict)
    groups: Groups = attrs.field(factory=Groups, converter=grouped)
    defaults: Mapping[ModuleId, Default] = attrs.field(factory=dict)
    rules: tuple[Rule, ...] = ()
    resting: tuple[Rule, ...] = ()
    built_in_roles: frozenset[Key] = frozenset()
    built_in_profiles: frozenset[Key] = frozenset()
    entitlements: Entitlements = UNLIMITED


_KEPT: Final = 1000
"""Sets of owners whose keys are at hand."""

PRIVATE = Default()
"""What holds in a module of which nothing is said."""

Alike: TypeAlias = tuple[Key | None, int]
"""Why users have the same: the role that they have, and the rules that reach them, a bit each."""


@attrs.frozen(kw_only=True)
class Reach:
    """What some users have in one module: *everything* to a level, *owners* by level, and *criteria*.

    *owners* are those whose records they have, beside their own, to each level; those of a greater level are among
    those of a less one.
    *criteria* are the rules on values that reach them.
    """

    default: Default
    owners: Mapping[Level, Intervals]
    criteria: tuple[Rule, ...] = ()

    @cached_property
    def _steps(self) -> tuple[tuple[int, ...], tuple[Level, ...]]:
        bounds = sorted({bound for each in self.owners.values() for bound in each.bounds})
        levels = [max([level for level in GRANTED if at in self.owners[level]], default=Level.NONE) for at in bounds]
        everything = self.default.level
        return tuple(bounds), (everything, *[max(everything, level) for level in levels])

    @property
    def everything(self) -> Level:
        """How far they have the records of everybody, also of owners who are gone."""
        return self.default.level

    def level_of(self, place: int) -> Level:
        """Give how far they have the records of the owner at *place*, whatever their values."""
        bounds, levels = self._steps
        return levels[bisect_right(bounds, place)]


@attrs.define
class Directory:
    """Answers who has what; made once for an access version, asked by many threads."""

    roster: Roster
    _permitted: dict[tuple[Key, tuple[Key, ...]], Permissions] = attrs.field(factory=dict, init=False, repr=False)
    _reaches: dict[tuple[Key | None, ModuleId, int], Reach] = attrs.field(factory=dict, init=False, repr=False)
    _targets: dict[Key, tuple[Settled, Settled]] = attrs.field(factory=dict, init=False, repr=False)
    _owners: dict[Intervals, Settled] = attrs.field(factory=dict, init=False, repr=False)

    @cached_property
    def numbering(self) -> Numbering:
        """The places of all users."""
        return number(self.roster.roles, self.roster.users.holders)

    @property
    def users(self) -> Mapping[Key, User]:
        """All users by key."""
        return self.roster.users.by_key

    # permissions -------------------------------------------------------------------------------------------
    def permissions(self, user: Key) -> Permissions:
        """Give what the profile and the permission sets of a user permit."""
        found = self.users.get(user)
        return NO_PERMISSION if found is None else self.rights(found.profile, found.sets)

    def rights(self, profile: Key, sets: tuple[Key, ...]) -> Permissions:
        """Give what a *profile* and permission *sets* permit together."""
        known = self._permitted.get((profile, sets))
        if known is None:
            known = self._permitted[profile, sets] = self._permit(profile, sets)
        return known

    def _permit(self, key: Key, sets: tuple[Key, ...]) -> Permissions:
        profile = self.roster.profiles.get(key, Profile())
        if profile.administrator:
            return EVERY_PERMISSION
        return permitted(profile.permissions, [self.roster.sets[each] for each in sets if each in self.roster.sets])

    def administrator(self, user: Key) -> bool:
        """Say whether a user's profile is an administrator's."""
        found = self.users.get(user)
        return found is not None and self.roster.profiles.get(found.profile, Profile()).administrator

    # principals --------------------------------------------------------------------------------------------
    def members(self, principal: Principal) -> Intervals:
        """Give the places of those whom *principal* stands for."""
        if principal.kind is PrincipalKind.GROUP:
            return self._groups.get(principal.key, NOBODY)
        return Intervals.of([self._span(principal)])

    def _span(self, principal: Principal) -> Span:
        """Give the places of those whom *principal*, which is no group, stands for: they lie side by side."""
        numbering, key = self.numbering, principal.key
        if principal.kind is PrincipalKind.USER:
            place = numbering.places.get(key)
            return (0, 0) if place is None else (place, place + 1)
        if principal.kind is PrincipalKind.ROLE:
            return numbering.subtree(key) if principal.subordinates else numbering.own(key)
        return 0, len(numbering.users)

    @cached_property
    def _groups(self) -> Mapping[Key, Intervals]:
        groups = self.roster.groups
        apart = {key: list(map(self._span, members)) for key, members in groups.apart.items()}
        return {key: Intervals.of([span for each in groups.within(key) for span in apart[each]]) for key in groups}

    def reaches_user(self, user: Key, principal: Principal, *, superiors: bool) -> bool:
        """Say whether *user* is one of *principal*, or with *superiors* above one in the tree of roles."""
        numbering = self.numbering
        place, role = numbering.places.get(user, -1), numbering.role_of(user) if superiors else None
        first, last = (0, 0) if role is None else numbering.below(role)
        if principal.kind is PrincipalKind.GROUP:
            members = self._groups.get(principal.key, NOBODY)
            return place in members or members.meets(first, last)
        start, end = self._span(principal)
        return start <= place < end or max(start, first) < min(end, last)

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
        role = self.numbering.role_of(self.numbering.users[place])
        below = (0, 0) if role is None else self.numbering.below(role)
        if below[0] == below[1]:
            return
        yield from [Principal(PrincipalKind.USER, self.numbering.users[at]) for at in range(*below)]
        for each in self.roster.roles:
            if _inside(self.numbering.own(each.key), below):
                yield Principal(PrincipalKind.ROLE, each.key)
            if _inside(self.numbering.subtree(each.key), below):
                yield Principal(PrincipalKind.ROLE, each.key, True)  # noqa: FBT003 - with subordinates
        for key, members in self._groups.items():
            if members.meets(*below) and place not in members:
                yield Principal(PrincipalKind.GROUP, key)

    def targets(self, user: Key) -> tuple[Settled, Settled]:
        """Give the texts of :meth:`principals`: those by which any share reaches a user, and those where it goes up."""
        known = self._targets.get(user)
        if known is None:
            found = self.principals(user)
            near, above = (Settled([each.text for each, up in found if up is which]) for which in (False, True))
            known = self._targets[user] = near, above
        return known

    # reach -------------------------------------------------------------------------------------------------
    def owners(self, places: Intervals) -> Settled:
        """Give the keys of the users at *places*."""
        known = self._owners.get(places)
        if known is None:
            if len(self._owners) >= _KEPT:
                self._owners.clear()
            users = self.numbering.users
            known = self._owners[places] = Settled([users[at] for at in places])
        return known

    def reach(self, user: Key, module: ModuleId) -> Reach:
        """Give what a user has in a module beside his own records, whatever his profile permits.

        Users of one role whom the same rules reach share one answer.  Cost: a µs, and some hundred for a new answer.
        """
        place = self.numbering.places.get(user)
        if place is None:
            return Reach(default=attrs.evolve(self.default(module), level=Level.NONE), owners=_by_level(()))
        return self.reach_of(self.numbering.role_of(user), self.rules_mask(place), module)

    def reach_of(self, role: Key | None, mask: int, module: ModuleId) -> Reach:
        """Give what those of *role* whom the rules of *mask* reach have in a module."""
        found = role, module, mask & self._rule_masks.get(module, 0)
        reach = self._reaches.get(found)
        if reach is None:
            reach = self._reaches[found] = self._reach(*found)
        return reach

    def reaches(self, module: ModuleId) -> list[Reach]:
        """Give what each user has in a module, by place: :meth:`reach` of everybody, made a stretch at a time."""
        begins, _ = self.stretches
        ends = [*begins[1:], len(self.numbering.users)]
        found = [self.reach_of(*alike, module) for alike in self.stretches[1]]
        return [reach for at, reach in enumerate(found) for _ in range(begins[at], ends[at])]

    @cached_property
    def stretches(self) -> tuple[list[int], list[Alike]]:
        """Give the places at which stretches of users begin who have the same in every module, and what gives it."""
        begins: list[int] = []
        alike: list[Alike] = []
        numbering, (bounds, masks) = self.numbering, self._target_masks
        owns = sorted([(*numbering.own(role.key), role.key) for role in self.roster.roles])
        beyond: Key | None = None
        for start, end, role in [*owns, (max([own[1] for own in owns], default=0), len(numbering.users), beyond)]:
            above = 0 if role is None else self._masks_above[role]
            first, last = bisect_right(bounds, start), bisect_left(bounds, end)
            if start < end:
                begins += [start, *bounds[first:last]]
                alike += [(role, mask | above) for mask in masks[first : last + 1]]
        return begins, alike

    def said_of(self, module: ModuleId) -> tuple[Default, int]:
        """Give all that is said of a module: its default, and its rules, a bit each."""
        return self.default(module), self._rule_masks.get(module, 0)

    def default(self, module: ModuleId) -> Default:
        """Give what everybody has in a module."""
        return self.roster.defaults.get(module, PRIVATE)

    def _reach(self, role: Key | None, module: ModuleId, mask: int) -> Reach:
        default = self.default(module)
        rules = self.rules(mask)
        spans = [(default.upward, span) for span in self.by_tree(role)]
        spans += [(rule.level, span) for rule in rules if rule.source for span in self.sources[rule.source].spans]
        criteria = tuple([rule for rule in rules if rule.where is not None])
        return Reach(default=default, owners=_by_level(spans), criteria=criteria)

    def by_tree(self, role: Key | None) -> Iterable[Span]:
        """Give whose records those of a role have by the tree."""
        if role is not None:
            yield self.numbering.below(role)
            if self.numbering.peers(role):
                yield self.numbering.own(role)

    @cached_property
    def sources(self) -> Mapping[Principal, Intervals]:
        """The places of those whose records rules give."""
        return {each: self.members(each) for each in {rule.source for rule in self.roster.rules} if each is not None}

    def rules_for(self, place: int, module: ModuleId) -> list[Rule]:
        """Give the rules of a module that reach the user at *place*."""
        return self.rules(self.rules_mask(place) & self._rule_masks.get(module, 0))

    # rules as bits -----------------------------------------------------------------------------------------
    def rules(self, mask: int) -> list[Rule]:
        """Give the rules whose bits are set in *mask*."""
        return [self.roster.rules[at] for at in bits(mask)]

    def rules_mask(self, place: int) -> int:
        """Give the rules that reach the user at *place*, a bit each: as one of their target, or as one above it."""
        role = self.numbering.role_of(self.numbering.users[place])
        return self._mask_at(place) | (0 if role is None else self._masks_above[role])

    def _mask_at(self, place: int) -> int:
        bounds, masks = self._target_masks
        return masks[bisect_right(bounds, place)]

    @cached_property
    def _rule_masks(self) -> Mapping[ModuleId, int]:
        found: dict[ModuleId, int] = {}
        for at, rule in enumerate(self.roster.rules):
            found[rule.module] = found.get(rule.module, 0) | 1 << at
        return found

    @cached_property
    def _target_masks(self) -> tuple[list[int], list[int]]:
        """Give the places at which the rules that have one as their target change, and which they are from there on."""
        turned: dict[int, int] = {}
        for at, rule in enumerate(self.roster.rules):
            for bound in self.members(rule.target).bounds:
                turned[bound] = turned.get(bound, 0) ^ 1 << at
        bounds = sorted(turned)
        return bounds, list(accumulate([turned[bound] for bound in bounds], xor, initial=0))

    @cached_property
    def _masks_above(self) -> Mapping[Key, int]:
        """Give for each role the rules whose target has somebody below it, and which go to superiors."""
        goes_up = sum(1 << at for at, rule in enumerate(self.roster.rules) if rule.superiors)
        bounds, masks = self._target_masks
        found: dict[Key, int] = {}
        for role in self.roster.roles:
            start, end = self.numbering.below(role.key)
            first, last = bisect_right(bounds, start), bisect_left(bounds, end)
            found[role.key] = reduce(or_, masks[first : last + 1], 0) & goes_up if start < end else 0
        return found


def _inside(span: Span, other: Span) -> bool:
    return span[0] < span[1] and other[0] <= span[0] and span[1] <= other[1]


def bits(mask: int) -> Iterable[int]:
    """Give the places of the bits that are set."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _by_level(spans: Iterable[tuple[Level, Span]]) -> dict[Level, Intervals]:
    found = list(spans)
    return {each: Intervals.of([span for level, span in found if level >= each]) for each in GRANTED}
