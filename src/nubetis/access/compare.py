"""What changes for whom between two rosters: before a role moves, a rule comes, a profile or a default changes.

Two numberings order users differently, but mostly in long runs that only lie elsewhere; with the runs a reach of the
one is said in the places of the other, and users of one role whom the same rules reach are compared once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

import attrs

from nubetis.access.directory import Directory, Reach
from nubetis.access.intervals import NOBODY, Intervals, Span
from nubetis.access.permissions import NO_PERMISSION, Permissions, permitted
from nubetis.access.sharing import GRANTED, Level, Rule
from nubetis.errors import Refused
from nubetis.model.ids import encode
from nubetis.types import Key, ModuleId

__all__ = ["Comparison", "Difference", "UserChange"]


@attrs.frozen(kw_only=True)
class Difference:
    """What one user *gained* and *lost* in a module, to each level: owners, by their places before.

    *everything* are the levels of what everybody has, before and after; *rules* on values are those that began or
    ceased to reach him, or give another level.
    """

    gained: Mapping[Level, Intervals]
    lost: Mapping[Level, Intervals]
    everything: tuple[Level, Level]
    rules_gained: tuple[Rule, ...] = ()
    rules_lost: tuple[Rule, ...] = ()

    @cached_property
    def _differs(self) -> bool:
        owners = any(self.gained.values()) or any(self.lost.values())
        return owners or self.everything[0] != self.everything[1] or bool(self.rules_gained or self.rules_lost)

    def __bool__(self) -> bool:
        return self._differs


@attrs.frozen(kw_only=True)
class UserChange:
    """What changes for one user: in modules, and in what his profile permits."""

    user: Key
    modules: Mapping[ModuleId, Difference] = attrs.field(factory=dict)
    permissions: tuple[Permissions, Permissions] = (NO_PERMISSION, NO_PERMISSION)

    def __bool__(self) -> bool:
        return bool(self.modules) or self.permissions[0] != self.permissions[1]


@attrs.define
class Comparison:
    """Compares two directories, user by user, in *modules*.

    Cost: some ms for each thousand users, and for each thousand different answers.
    """

    before: Directory
    after: Directory
    modules: tuple[ModuleId, ...]
    _known: dict[tuple[int, int], Difference] = attrs.field(factory=dict, init=False, repr=False)
    _kept: list[Reach] = attrs.field(factory=list, init=False, repr=False)

    def changes(self) -> Iterator[UserChange]:
        """Give what changes, for each user for whom anything does; those who come are compared with nothing."""
        changed: set[Key] = set()
        for module in self._alike:
            changed.update(self._changed_in(module))
        for user in self.before.users.keys() | self.after.users.keys():
            then, now = self.before.permissions(user), self.after.permissions(user)
            if then is not now and then != now:
                changed.add(user)
        yield from filter(None, map(self.of, sorted(changed)))

    def _changed_in(self, module: ModuleId) -> Iterator[Key]:
        """Give the users whose reach in a module is another, whether or not they are users on both sides."""
        old, new = self.before.reaches(module), self.after.reaches(module)
        places = self.before.numbering.places
        for user, reach in zip(self.after.numbering.users, new, strict=True):
            place = places.get(user)
            if place is None or self._between(old[place], reach):
                yield user
        yield from places.keys() - self.after.numbering.places.keys()

    def of(self, user: Key) -> UserChange:
        """Give what changes for one user."""
        found = {module: self._without_own(user, self._difference(user, module)) for module in self._alike}
        return UserChange(
            user=user,
            modules={alike: each for module, each in found.items() if each for alike in self._alike[module]},
            permissions=(self.before.permissions(user), self.after.permissions(user)),
        )

    @cached_property
    def _alike(self) -> Mapping[ModuleId, list[ModuleId]]:
        """Give the modules by the first of those of which the same is said before and after: no rules, one default."""
        firsts: dict[object, ModuleId] = {}
        found: dict[ModuleId, list[ModuleId]] = {}
        for module in self.modules:
            said: list[object] = [each.said_of(module) for each in (self.before, self.after)]
            first = firsts.setdefault(tuple(said), module)
            found.setdefault(first, []).append(module)
        return found

    def _without_own(self, user: Key, found: Difference) -> Difference:
        """Leave out his own records, which he has in any case."""
        place = self.before.numbering.places.get(user)
        if place is None or not any(place in each for each in (*found.gained.values(), *found.lost.values())):
            return found
        own = Intervals.one(place)
        gained, lost = ({level: each - own for level, each in sets.items()} for sets in (found.gained, found.lost))
        return attrs.evolve(found, gained=gained, lost=lost)

    def _difference(self, user: Key, module: ModuleId) -> Difference:
        return self._between(self.before.reach(user, module), self.after.reach(user, module))

    def _between(self, old: Reach, new: Reach) -> Difference:
        key = id(old), id(new)
        found = self._known.get(key)
        if found is None:
            self._kept += [old, new]  # so that nothing else gets their ids
            found = self._known[key] = self._compared(old, new)
        return found

    def _compared(self, old: Reach, new: Reach) -> Difference:
        pairs = {level: (old.owners[level], self.moved(new.owners[level])) for level in GRANTED}
        return Difference(
            gained={level: _less(now, then, had=old.everything >= level) for level, (then, now) in pairs.items()},
            lost={level: _less(then, now, had=new.everything >= level) for level, (then, now) in pairs.items()},
            everything=(old.everything, new.everything),
            rules_gained=tuple([rule for rule in new.criteria if rule not in old.criteria]),
            rules_lost=tuple([rule for rule in old.criteria if rule not in new.criteria]),
        )

    def refuse_raising(self, actor: Key, *, has: Permissions | None = None, of: Key | None = None) -> None:
        """Stop a change by *actor* that gives anybody, himself included, what he has not got.

        *has* is what he is permitted, where that is less than his profile says; with *of* only that user is looked at.

        Raises:
            Refused: ``raises_rights``.
        """
        permissions = self.before.permissions(actor) if has is None else has
        for change in self.changes() if of is None else [self.of(of)]:
            then, now = change.permissions
            raised = not now <= then and not now <= permitted(permissions, [then])
            if raised or self.after.administrator(change.user) > self.before.administrator(change.user):
                raise Refused("raises_rights", user=encode("use", change.user), what="permissions")
            for module, found in change.modules.items():
                if not self._has(actor, module, found):
                    raise Refused("raises_rights", user=encode("use", change.user), what="records of others")

    def _has(self, actor: Key, module: ModuleId, found: Difference) -> bool:
        """Say whether *actor* has all that somebody would gain; owners who are new have nothing yet."""
        reach, place = self.before.reach(actor, module), self.before.numbering.places.get(actor, -1)
        known = Intervals.of([(0, len(self.before.numbering.users))])
        own = Intervals.one(place) if place >= 0 else NOBODY
        owners = all(
            level <= reach.everything or found.gained[level] & known <= reach.owners[level] | own for level in GRANTED
        )
        everybody = found.everything[1] <= max(found.everything[0], reach.everything)
        return owners and everybody and set(found.rules_gained) <= set(reach.criteria)

    # places ------------------------------------------------------------------------------------------------
    @cached_property
    def _runs(self) -> tuple[list[int], list[int]]:
        """Give where in the new order runs of users begin that lay side by side in the old one, and where each lay."""
        places, beyond = self.before.numbering.places, len(self.before.numbering.users)
        begins: list[int] = []
        lay: list[int] = []
        following = -1
        for at, user in enumerate(self.after.numbering.users):
            place = places.get(user)
            if place is None:
                place, beyond = beyond, beyond + 1
            if place != following:
                begins.append(at)
                lay.append(place)
            following = place + 1
        return begins, lay

    def moved(self, owners: Intervals) -> Intervals:
        """Give places of the new order as those of the old one; users who are new come after all others."""
        return Intervals.of(span for each in owners.spans for span in self._moved(each))

    def _moved(self, span: Span) -> Iterable[Span]:
        begins, lay = self._runs
        start, end = span
        run = bisect_right(begins, start) - 1
        while start < end:
            stop = min(end, begins[run + 1] if run + 1 < len(begins) else end)
            first = lay[run] + start - begins[run]
            yield first, first + stop - start
            start, run = stop, run + 1


def _less(owners: Intervals, others: Intervals, *, had: bool) -> Intervals:
    """Give *owners* who are none of the *others*; nobody where everybody's records are *had* anyway."""
    return NOBODY if had or owners == others else owners - others
