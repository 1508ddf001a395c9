"""What changes for whom between two rosters: before a role moves, a rule comes, a profile or a default changes.

Two numberings order users differently, but mostly in long runs that only lie elsewhere; with the runs a reach of the
one is said in the places of the other, and users of one role whom the same rules reach are compared once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from itertools import chain, pairwise
from typing import Final, TypeAlias

import attrs

from nubetis.access.decision import Action
from nubetis.access.directory import PRIVATE, Alike, Directory, Reach, bits
from nubetis.access.editing import joined
from nubetis.access.intervals import NOBODY, Intervals, Span
from nubetis.access.permissions import NO_PERMISSION, FieldLevel, Permissions
from nubetis.access.sharing import GRANTED, Level, Principal, Rule
from nubetis.errors import Refused
from nubetis.model.ids import encode
from nubetis.types import FieldId, Key, ModuleId

__all__ = ["ByParent", "Comparison", "Difference", "Handed", "Parents", "UserChange"]

_NOTHING: Final = Reach(default=PRIVATE, owners=dict.fromkeys(GRANTED, NOBODY))
"""What one has who may not sign in."""


@attrs.frozen
class ByParent:
    """A way to records: to this *level* one has those whose parent, linked by *field*, one has."""

    field: FieldId
    level: Level

    def beats(self, other: ByParent | None) -> bool:
        """Say whether it gives something that the *other* does not."""
        return other is None or self.field != other.field or self.level > other.level


@attrs.frozen
class Parents:
    """Which modules are parents: *linked* by the fields of each module, and the greatest level to which one of *lent*
    is shared with what belongs to it.
    """  # noqa: D205 - one thought

    linked: Mapping[ModuleId, Mapping[FieldId, ModuleId]] = attrs.field(factory=dict)
    lent: Mapping[ModuleId, Level] = attrs.field(factory=dict)

    def of(self, module: ModuleId, directory: Directory) -> ModuleId | None:
        """Give the parent of *module*, by what *directory* says of it."""
        field = directory.default(module).parent
        return None if field is None else self.linked.get(module, {}).get(field)

    def way(self, module: ModuleId, directory: Directory) -> ByParent | None:
        """Give the way by it, where it leads to anything."""
        default, parent = directory.default(module), self.of(module, directory)
        if default.parent is None or parent is None:
            return None
        level = max(default.parent_level, self.lent.get(parent, Level.NONE))
        return ByParent(default.parent, level) if level else None


@attrs.frozen
class Handed:
    """How many records of each module go from one owner to another; ``None`` stands for no owner."""

    counts: Mapping[ModuleId, Mapping[tuple[Key | None, Key | None], int]] = attrs.field(factory=dict)

    @cached_property
    def owners(self) -> Mapping[ModuleId, frozenset[Key | None]]:
        """Those who give or take, by module."""
        return {module: frozenset(chain.from_iterable(pairs)) for module, pairs in self.counts.items()}

    def away(self, module: ModuleId) -> Mapping[Key | None, int]:
        """Give how many records each owner gives away."""
        found: Counter[Key | None] = Counter()
        for (giver, _), count in self.counts.get(module, {}).items():
            found[giver] += count
        return found


Numbers: TypeAlias = Mapping[Level, int]
"""Numbers of records by level."""


@attrs.frozen(kw_only=True)
class Difference:
    """What one user *gained* and *lost* in a module, to each level: owners, by their places before.

    *everything* are the levels of what everybody has, before and after; *rules* on values are those that began or
    ceased to reach him, or give another level.  *by_parent* are the ways that came and went by which he may have
    records whose parent he has, or, where he has more or fewer of the parents, those that he has by them.
    """

    gained: Mapping[Level, Intervals]
    lost: Mapping[Level, Intervals]
    everything: tuple[Level, Level]
    rules_gained: tuple[Rule, ...] = ()
    rules_lost: tuple[Rule, ...] = ()
    by_parent: tuple[ByParent | None, ByParent | None] = (None, None)
    handed: tuple[Numbers, Numbers] = ({}, {})
    """Numbers of records that come and go with their owners, to each level."""

    @cached_property
    def _differs(self) -> bool:
        owners = any(self.gained.values()) or any(self.lost.values()) or any(self.handed)
        others = self.rules_gained or self.rules_lost or any(self.by_parent)
        return owners or self.everything[0] != self.everything[1] or bool(others)

    def __bool__(self) -> bool:
        return self._differs

    @property
    def sees(self) -> tuple[bool, bool]:
        """Whether he sees more records, and whether he sees fewer."""
        then, now = self.everything
        come, go = [Level.READ in each for each in self.handed]
        more = self.gained[Level.READ] or self.rules_gained or self.by_parent[1] or now > then or come
        fewer = self.lost[Level.READ] or self.rules_lost or self.by_parent[0] or then > now or go
        return bool(more), bool(fewer)


@attrs.frozen(kw_only=True)
class UserChange:
    """What changes for one user: in modules, in what his profile permits, and whether he may sign in."""

    user: Key
    modules: Mapping[ModuleId, Difference] = attrs.field(factory=dict)
    permissions: tuple[Permissions, Permissions] = (NO_PERMISSION, NO_PERMISSION)
    signs_in: tuple[bool, bool] = (True, True)

    def __bool__(self) -> bool:
        return bool(self.modules) or self.permissions[0] != self.permissions[1] or self.signs_in[0] != self.signs_in[1]


@attrs.frozen
class _Piece:
    """Users from *start* to before *end* of the new order, who are alike before and after."""

    start: int
    end: int
    then: Alike
    now: Alike
    same: bool = attrs.field(kw_only=True)
    """Whether they have the same wherever everybody does."""


@attrs.define
class Comparison:
    """Compares two directories, user by user, in *modules*: what is said of users or, where it is *felt*, what those
    have of it who may sign in.

    Users whom the same role and rules gave the same owners before and after are passed over, wherever those lie now.

    Cost: a ms for each thousand users and roles, some ms for each thousand answers that may be others.
    """  # noqa: D205 - one thought

    before: Directory
    after: Directory
    modules: tuple[ModuleId, ...]
    parents: Parents = attrs.field(factory=Parents)
    handed: Handed = attrs.field(factory=Handed)
    felt: bool = False
    _known: dict[tuple[int, int], Difference] = attrs.field(factory=dict, init=False, repr=False)
    _kept: list[Reach] = attrs.field(factory=list, init=False, repr=False)
    _moves: dict[object, tuple[Numbers, Numbers]] = attrs.field(factory=dict, init=False, repr=False)
    _masks: dict[int, int] = attrs.field(factory=dict, init=False, repr=False)

    def changes(self) -> Iterator[UserChange]:
        """Give what changes, for each user for whom anything does; those who come are compared with nothing."""
        changed = set(self._with_other_rights())
        for module in self._alike:
            changed.update(self._changed_in(module))
        for module in self.handed.counts:
            changed.update([user for user in self.after.numbering.places if any(self._handed(user, module))])
        yield from filter(None, map(self.of, sorted(changed)))

    def _with_other_rights(self) -> Iterator[Key]:
        """Give the users of whom something else is said, or whose profile and permission sets permit something else."""
        old, new = self.before.roster.users, self.after.roster.users
        if old is not new:
            yield from [user for user in old.by_key.keys() | new.by_key if old.by_key.get(user) != new.by_key.get(user)]
        for rights, users in new.by_rights.items():
            if self.before.rights(*rights) != self.after.rights(*rights):
                yield from users

    def _changed_in(self, module: ModuleId) -> Iterator[Key]:
        """Give the users on both sides whose reach in a module is another."""
        same = self.before.default(module) == self.after.default(module)
        users, (old, new) = self.after.numbering.users, (self.before, self.after)
        for piece in self._pieces:
            if (same and piece.same) or not self._between(
                module, old.reach_of(*piece.then, module), new.reach_of(*piece.now, module)
            ):
                continue
            yield from users[piece.start : piece.end]

    @cached_property
    def _pieces(self) -> list[_Piece]:
        """Give the users of both sides, in pieces that are alike before, and alike after."""
        (old, then), (new, now) = self.before.stretches, self.after.stretches
        users, places = self.before.numbering.users, self.after.numbering.places
        runs, lay = self._runs
        turns = {places[users[begin]] for begin in old if users[begin] in places}
        starts = sorted(turns.union(new, runs))
        found: list[_Piece] = []
        for start, end in pairwise([*starts, len(places)]):
            run = bisect_right(runs, start) - 1
            place = lay[run] + start - runs[run]
            if place < len(users):
                was, is_now = then[bisect_right(old, place) - 1], now[bisect_right(new, start) - 1]
                found.append(_Piece(start, end, was, is_now, same=self._stays(was, is_now)))
        return found

    def _stays(self, then: Alike, now: Alike) -> bool:
        """Say whether all that the two are given is the same, whatever it is."""
        (was, mask), (role, rules) = then, now
        return was == role and role in self._still and self._turned(rules) == mask

    @cached_property
    def _still(self) -> frozenset[Key | None]:
        """Give the roles who have the records of the same users by the tree, before and after."""
        roles = {role.key for role in self.before.roster.roles}
        both = [role.key for role in self.after.roster.roles if role.key in roles]
        old, new = self.before.by_tree, self.after.by_tree
        return frozenset([None, *[r for r in both if Intervals.of(old(r)) == self.moved(Intervals.of(new(r)))]])

    def _turned(self, mask: int) -> int:
        """Give the rules of *mask* as bits of before; those that are others have bits that none has."""
        found = self._masks.get(mask)
        if found is None:
            found = self._masks[mask] = sum([self._bits[at] for at in bits(mask)])
        return found

    @cached_property
    def _bits(self) -> list[int]:
        """Give for each rule of after the bit that it has before, or one that none has."""
        known = {rule.key: (1 << at, rule) for at, rule in enumerate(self.before.roster.rules)}
        found: list[int] = []
        for at, rule in enumerate(self.after.roster.rules, len(self.before.roster.rules)):
            bit, was = known.get(rule.key, (0, None))
            found.append(bit if was == rule and self._same_source(rule.source) else 1 << at)
        return found

    def _same_source(self, source: Principal | None) -> bool:
        return source is None or self.before.sources[source] == self.moved(self.after.sources[source])

    def of(self, user: Key) -> UserChange:
        """Give what changes for one user."""
        found = {module: self._without_own(user, self._difference(user, module)) for module in self._alike}
        for module in self.handed.counts:
            found[module] = attrs.evolve(found[module], handed=self._handed(user, module))
        self._belonging(found)
        return UserChange(
            user=user,
            modules={alike: each for module, each in found.items() if each for alike in self._alike[module]},
            permissions=(self._permissions(self.before, user), self._permissions(self.after, user)),
            signs_in=(_active(self.before, user), _active(self.after, user)),
        )

    def everything(self, user: Key, module: ModuleId) -> tuple[Level, Level]:
        """Give to which level a user has everybody's records, before and after."""
        levels = [
            Level.DELETE if self.administrator(side, user) else self._reach(side, user, module).everything
            for side in (self.before, self.after)
        ]
        return levels[0], levels[1]

    def administrator(self, side: Directory, user: Key) -> bool:
        """Say whether a user has everything on one *side*."""
        return side.administrator(user) and not self._out(side, user)

    def _out(self, side: Directory, user: Key) -> bool:
        return self.felt and not _active(side, user)

    def _permissions(self, side: Directory, user: Key) -> Permissions:
        return NO_PERMISSION if self._out(side, user) else side.permissions(user)

    def _reach(self, side: Directory, user: Key, module: ModuleId) -> Reach:
        return _NOTHING if self._out(side, user) else side.reach(user, module)

    def _belonging(self, found: dict[ModuleId, Difference]) -> None:
        """Let what belongs to records that come or go for one user come or go with them."""
        left = [module for module, each in found.items() if each] if self._children else []
        while left:
            more, fewer = found[left[-1]].sees
            for child in self._children.get(left.pop(), ()):
                ways = self._ways(child)
                with_it = _told(found[child], (ways[0] if fewer else None, ways[1] if more else None))
                if with_it != found[child].by_parent:
                    found[child] = attrs.evolve(found[child], by_parent=with_it)
                    left.append(child)

    @cached_property
    def _children(self) -> Mapping[ModuleId, set[ModuleId]]:
        """Give for modules those of which each is the parent, before or after; all by the first of their like."""
        firsts = {module: first for first, several in self._alike.items() for module in several}
        found: dict[ModuleId, set[ModuleId]] = {}
        for module in self._alike:
            for side in (self.before, self.after):
                parent = self.parents.of(module, side)
                if parent is not None and parent in firsts:
                    found.setdefault(firsts[parent], set()).add(module)
        return found

    def _ways(self, module: ModuleId) -> tuple[ByParent | None, ByParent | None]:
        return self.parents.way(module, self.before), self.parents.way(module, self.after)

    @cached_property
    def _alike(self) -> Mapping[ModuleId, list[ModuleId]]:
        """Give the modules by the first of those of which the same is said before and after: no rules, one default."""
        firsts: dict[object, ModuleId] = {}
        found: dict[ModuleId, list[ModuleId]] = {}
        for module in self.modules:
            said: list[object] = [
                (each.said_of(module), self.parents.of(module, each), self.parents.way(module, each))
                for each in (self.before, self.after)
            ]
            handed = module if module in self.handed.counts else None
            first = firsts.setdefault((*said, handed), module)
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
        return self._between(module, self._reach(self.before, user, module), self._reach(self.after, user, module))

    def _between(self, module: ModuleId, old: Reach, new: Reach) -> Difference:
        key = id(old), id(new)
        found = self._known.get(key)
        if found is None:
            self._kept += [old, new]  # so that nothing else gets their ids
            found = self._known[key] = self._compared(module, old, new)
        return found

    def _compared(self, module: ModuleId, old: Reach, new: Reach) -> Difference:
        pairs = {level: (old.owners[level], self.moved(new.owners[level])) for level in GRANTED}
        found = Difference(
            gained={level: _less(now, then, had=old.everything >= level) for level, (then, now) in pairs.items()},
            lost={level: _less(then, now, had=new.everything >= level) for level, (then, now) in pairs.items()},
            everything=(old.everything, new.everything),
            rules_gained=tuple([rule for rule in new.criteria if rule not in old.criteria]),
            rules_lost=tuple([rule for rule in old.criteria if rule not in new.criteria]),
        )
        then, now = (
            way if reach is not _NOTHING else None for way, reach in zip(self._ways(module), (old, new), strict=True)
        )
        went, came = then if then and then.beats(now) else None, now if now and now.beats(then) else None
        return attrs.evolve(found, by_parent=_told(found, (went, came)))

    # records that go to another owner ----------------------------------------------------------------------
    def _handed(self, user: Key, module: ModuleId) -> tuple[Numbers, Numbers]:
        """Give how many of the records that get another owner come and go for *user*, to each level."""
        reaches = self._reach(self.before, user, module), self._reach(self.after, user, module)
        mine = user if user in self.handed.owners[module] else None
        key = (id(reaches[0]), id(reaches[1]), module, mine)
        found = self._moves.get(key)
        if found is None:
            self._kept += reaches
            found = self._moves[key] = self._moved_between(user, module)
        return found

    def _moved_between(self, user: Key, module: ModuleId) -> tuple[Numbers, Numbers]:
        come: Counter[Level] = Counter()
        go: Counter[Level] = Counter()
        for (giver, taker), count in self.handed.counts[module].items():
            then, now = (
                self._level_of(self.before, user, module, giver),
                self._level_of(self.after, user, module, taker),
            )
            for level in GRANTED:
                if then < level <= now:
                    come[level] += count
                elif now < level <= then:
                    go[level] += count
        return come, go

    def _level_of(self, side: Directory, user: Key, module: ModuleId, owner: Key | None) -> Level:
        if user == owner:
            return Level.NONE if self._out(side, user) else Level.DELETE
        reach, place = self._reach(side, user, module), side.numbering.places.get(owner or Key(0))
        return reach.everything if place is None else reach.level_of(place)

    def refuse_raising(self, actor: Key, *, has: Permissions | None = None, of: Key | None = None) -> None:
        """Stop a change by *actor* that gives anybody, himself included, what he has not got.

        *has* is what he is permitted, where that is less than his profile says; with *of* only that user is looked at.

        Raises:
            Refused: ``raises_rights``.
        """
        permissions = self.before.permissions(actor) if has is None else has
        changes = self.changes() if of is None else [self.of(of)]
        for change in sorted(changes, key=lambda each: not each.signs_in[1]):
            if self.before.administrator(change.user):  # who has everything
                continue
            if self.after.administrator(change.user) or self._raises(permissions, *change.permissions):
                raise Refused("raises_rights", user=encode("use", change.user), what="permissions")
            for module, found in change.modules.items():
                if not self._has(actor, module, found):
                    raise Refused("raises_rights", user=encode("use", change.user), what="records of others")

    def _raises(self, has: Permissions, then: Permissions, now: Permissions) -> bool:
        """Say whether it is more that is permitted *now* than was *then*, and than he *has* who would permit it."""
        if now <= then:
            return False
        had = joined(has, then)
        verbs = self._without_fields(now) <= self._without_fields(had)
        fields = {*now.fields, *then.fields, *has.fields}
        levels = ([self._level(each, *field) for each in (now, then, has)] for field in fields)
        return not verbs or any(after > max(others) for after, *others in levels)

    def _without_fields(self, permissions: Permissions) -> Permissions:
        return attrs.evolve(permissions, fields={})

    def _level(self, permissions: Permissions, module: ModuleId, field: FieldId) -> FieldLevel:
        """Give what one can do with a field, whose records one may not even view or edit."""
        level, verbs = permissions.level(module, field), permissions.verbs(module)
        if module not in self.modules or verbs & _WRITING:
            return level
        return min(level, FieldLevel.READ if Action.VIEW in verbs else FieldLevel.HIDDEN)

    def _has(self, actor: Key, module: ModuleId, found: Difference) -> bool:
        """Say whether *actor* has all that somebody would gain; owners who are new have nothing yet.

        What one has by a parent comes with the parents, which he has, too; another way by it gives what nobody counts.
        """
        reach, place = self.before.reach(actor, module), self.before.numbering.places.get(actor, -1)
        known = Intervals.of([(0, len(self.before.numbering.users))])
        own = Intervals.one(place) if place >= 0 else NOBODY
        owners = all(
            level <= reach.everything or found.gained[level] & known <= reach.owners[level] | own for level in GRANTED
        )
        everybody = found.everything[1] <= max(found.everything[0], reach.everything)
        way = found.by_parent[1]
        parents = way is None or way.level <= reach.everything or not way.beats(self._ways(module)[0])
        return owners and everybody and parents and set(found.rules_gained) <= set(reach.criteria)

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


_WRITING: Final = frozenset({Action.CREATE, Action.EDIT})


def _active(side: Directory, user: Key) -> bool:
    found = side.users.get(user)
    return found is not None and found.active


def _told(found: Difference, ways: tuple[ByParent | None, ByParent | None]) -> tuple[ByParent | None, ByParent | None]:
    """Give what goes and comes by the *ways*, beside what is told already: nothing to a level that everybody gives."""
    most = max(found.everything)
    gone, come = [
        known if way is None or way.level <= most else way for known, way in zip(found.by_parent, ways, strict=True)
    ]
    return gone, come
