"""With whom something must be shared so that a change of people gives it to somebody: roles, groups and users.

A share reaches those whom a rule with the same target would reach, and so it is asked as if there were one rule for
each role and group, and one that goes to superiors: who has more of them after the change has gained their targets.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import attrs

from nubetis.access.compare import Comparison
from nubetis.access.directory import Directory, Roster
from nubetis.access.intervals import NOBODY, Intervals, Span
from nubetis.access.sharing import EVERYBODY, Level, Principal, PrincipalKind, Rule
from nubetis.types import Key, ModuleId

__all__ = ["Gaining", "Way"]


@attrs.frozen
class Way:
    """How a share comes to somebody: by its *target*, or with *superiors* only where it goes up as well."""

    target: Principal
    superiors: bool


@attrs.frozen
class Gaining:
    """What users gain between the two directories of *comparison* of what is shared."""

    comparison: Comparison

    def ways(self, actor: Key, *, of: Key | None = None) -> Mapping[Way, Key]:
        """Give the ways that somebody gains and *actor* had not, each with one who gains it; *of* looks at him alone.

        Cost: nothing where nobody has another role and no role or group is another; else some 30 ms for each thousand
        users.
        """
        if self._same_people:
            return {}
        return {**self._by_groups(actor, of), **self._by_users(actor, of)}

    @property
    def _same_people(self) -> bool:
        old, new = self.comparison.before.roster, self.comparison.after.roster
        return old.groups == new.groups and old.roles == new.roles and _roles(old) == _roles(new)

    # by roles and groups -----------------------------------------------------------------------------------
    def _by_groups(self, actor: Key, of: Key | None) -> Mapping[Way, Key]:
        before, after = self._asked
        had = _mask(before, actor)
        found: dict[Way, Key] = {}
        for user in after.users if of is None else [of]:
            more = _mask(after, user) & ~_mask(before, user) & ~had
            if more and not before.administrator(user):  # who is one already gains nothing
                had |= more
                found |= {Way(rule.target, rule.superiors): user for rule in after.rules(more)}
        return found

    @cached_property
    def _asked(self) -> tuple[Directory, Directory]:
        after = self.comparison.after.roster
        targets = [EVERYBODY, *[Principal(PrincipalKind.GROUP, key) for key in after.groups]]
        for role in after.roles:
            targets += [Principal(PrincipalKind.ROLE, role.key, below) for below in (False, True)]
        rules = tuple([_rule(target, up=up) for target in targets for up in (False, True)])
        before, now = [Directory(attrs.evolve(each, rules=rules)) for each in (self.comparison.before.roster, after)]
        return before, now

    # by users ----------------------------------------------------------------------------------------------
    def _by_users(self, actor: Key, of: Key | None) -> Mapping[Way, Key]:
        """Give the users above whom somebody comes: what is shared with them may go up."""
        before, after = self.comparison.before, self.comparison.after
        above: dict[tuple[Key | None, Key | None], Intervals] = {}
        found: dict[Way, Key] = {}
        for user in after.users:
            roles = before.numbering.role_of(user), after.numbering.role_of(user)
            if roles not in above:
                above[roles] = self._come_above(*roles, before.numbering.places.get(actor, -1))
            who = self._one_of(above[roles], user, of) if above[roles] and user != actor else None
            if who is not None:
                found[Way(Principal(PrincipalKind.USER, user), superiors=True)] = who
        return found

    def _come_above(self, old: Key | None, new: Key | None, actor: int) -> Intervals:
        """Give who comes above those of a role, in the places of before; nobody where the actor was there already."""
        had = _above(self.comparison.before, old)
        return NOBODY if actor in had else self.comparison.moved(_above(self.comparison.after, new)) - had

    def _one_of(self, places: Intervals, user: Key, of: Key | None) -> Key | None:
        found = (self._everybody[at] for at in places)
        administers = self.comparison.before.administrator
        return next((each for each in found if each != user and of in {None, each} and not administers(each)), None)

    @cached_property
    def _everybody(self) -> tuple[Key, ...]:
        """Give the users by their places of before, those who are new after them."""
        numberings = self.comparison.before.numbering, self.comparison.after.numbering
        known = numberings[0].places
        return (*numberings[0].users, *[each for each in numberings[1].users if each not in known])


def _roles(roster: Roster) -> dict[Key, Key]:
    return {user.key: user.role for user in roster.users}


def _rule(target: Principal, *, up: bool) -> Rule:
    return Rule(key=Key(0), name="", module=ModuleId(0), target=target, level=Level.READ, superiors=up)


def _mask(directory: Directory, user: Key) -> int:
    place = directory.numbering.places.get(user)
    return 0 if place is None else directory.rules_mask(place)


def _above(directory: Directory, role: Key | None) -> Intervals:
    """Give the places of those whose role is above *role*."""
    numbering = directory.numbering
    spans: list[Span] = [] if role is None else [numbering.own(each) for each in numbering.above(role)]
    return Intervals.of(spans) if spans else NOBODY
