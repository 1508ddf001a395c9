"""What the specification says of a world: every path followed with sets, for one user and one record at a time.

There are no intervals here, no filters and no queries, and nothing is asked of the code that it is compared with but
the values of which a world is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.people import User
from nubetis.access.permissions import STANDARD, FieldLevel, Permissions
from nubetis.access.sharing import NEEDED, Level, Principal
from nubetis.model.fields import Field
from nubetis.testing.access_contract.worlds import CRITERIA, LINKED, Given, Lent, Thing, World, module_called
from nubetis.testing.rosters import Oracle
from nubetis.types import Key

__all__ = ["ActingOracle", "WorldOracle"]

_MEANS: Final = {repr(where): fits for where, fits in CRITERIA}
_MEANS_LINKED: Final = {repr(each.where): each.fits for several in LINKED.values() for each in several}


@attrs.define
class WorldOracle:
    """Says who has what in *world*; what it found of people is kept, for it is asked thousands of times."""

    world: World
    people: Oracle = attrs.field(init=False)
    _reached: dict[tuple[Key, Principal, bool], bool] = attrs.field(factory=dict, init=False)
    _owned: dict[tuple[Key, Key | None, str], Level] = attrs.field(factory=dict, init=False)
    _rules: dict[tuple[Key, str], set[Key]] = attrs.field(factory=dict, init=False)
    _given: dict[tuple[str, Key], list[Given]] = attrs.field(factory=dict, init=False)
    _things: dict[tuple[str, Key], Thing] = attrs.field(factory=dict, init=False)
    _levels: dict[tuple[Key, str, Key], Level] = attrs.field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        """Lay out shares and records by what they are asked for."""
        self.people = Oracle(self.world.roster)
        for each in self.world.given:
            self._given.setdefault((each.module, each.record), []).append(each)
        self._things = {(each.module, each.key): each for some in self.world.things.values() for each in some}

    # rights ------------------------------------------------------------------------------------------------
    def may(self, viewer: Key, action: Action, thing: Thing) -> bool:
        """Say whether *viewer* may do *action* with a record."""
        level = Level.DELETE if self.administrator(viewer) else self.level(viewer, thing)
        return self.permits(viewer, action, thing.module) and level >= NEEDED.get(action, Level.NONE)

    def permits(self, viewer: Key, action: Action, module: str) -> bool:
        """Say whether *viewer* is active, the edition has the module, and profile or permission sets have the verb."""
        number = module_called(module).id
        if not self._user(viewer).active or number in self.world.roster.entitlements.lacks_modules:
            return False
        return self.administrator(viewer) or any(action in each.verbs(number) for each in self._permissions(viewer))

    def field(self, viewer: Key, module: str, field: Field) -> FieldLevel:
        """Give the greatest level that the profile or a permission set gives of a field."""
        if self.administrator(viewer):
            return FieldLevel.EDIT
        (profile, *sets), place = self._permissions(viewer), (module_called(module).id, field.id)
        added = [each.fields.get(place, FieldLevel.HIDDEN) for each in sets]
        return max([profile.fields.get(place, FieldLevel.EDIT), *added])

    def administrator(self, viewer: Key) -> bool:
        """Say whether *viewer* has an administrator's profile."""
        return self.world.roster.profiles[self._user(viewer).profile].administrator

    def _user(self, key: Key) -> User:
        return next(each for each in self.world.roster.users if each.key == key)

    def _permissions(self, viewer: Key) -> list[Permissions]:
        user, roster = self._user(viewer), self.world.roster
        return [roster.profiles[user.profile].permissions, *[roster.sets[each] for each in user.sets]]

    # grants ------------------------------------------------------------------------------------------------
    def level(self, viewer: Key, thing: Thing) -> Level:
        """Give how far *viewer* has a record, by all grants, whatever his profile permits."""
        known = self._levels.get((viewer, thing.module, thing.key))
        if known is None:
            known = max(self._grants(viewer, thing, ()))
            self._levels[viewer, thing.module, thing.key] = known
        return known

    def _grants(self, viewer: Key, thing: Thing, through: tuple[str, ...]) -> Iterator[Level]:
        yield self.level_by_owner(viewer, thing)
        yield from self._by_values(viewer, thing)
        yield from self._by_shares(viewer, thing)
        yield from self._by_parent(viewer, thing, through)

    def level_by_owner(self, viewer: Key, thing: Thing) -> Level:
        """Give how far *viewer* has a record by its owner: his own, the default, the tree, and rules by owners."""
        key = (viewer, thing.owner, thing.module)
        known = self._owned.get(key)
        if known is None:
            known = self._owned[key] = self._of_owner(*key)
        return known

    def _of_owner(self, viewer: Key, owner: Key | None, module: str) -> Level:
        number, roster = module_called(module).id, self.world.roster
        if owner is None or owner not in {each.key for each in roster.users}:
            default = roster.defaults.get(number)
            return Level.NONE if default is None else default.level
        return self.people.level(viewer, owner, number)

    def _by_values(self, viewer: Key, thing: Thing) -> Iterator[Level]:
        key = (viewer, thing.module)
        if key not in self._rules:
            self._rules[key] = self.people.criteria(viewer, module_called(thing.module).id)
        for rule in self.world.roster.rules:
            if rule.key in self._rules[key] and self.fits(repr(rule.where), thing):
                yield rule.level

    def fits(self, where: str, thing: Thing) -> bool:
        """Say whether a record fits a filter, which looks at linked records whoever sees them, but not in the bin."""
        if where in _MEANS:
            return _MEANS[where](thing)
        return _MEANS_LINKED[where](thing, self.there)

    def there(self, module: str, key: Key | None) -> Thing | None:
        """Give a record that is not in the recycle bin."""
        found = None if key is None else self._things.get((module, key))
        return None if found is None or found.deleted else found

    def _by_shares(self, viewer: Key, thing: Thing, *, related: bool = False) -> Iterator[Level]:
        for each in self._given.get((thing.module, thing.key), ()):
            ended = each.until is not None and each.until <= self.world.now
            if not ended and (each.related or not related) and self._reaches(viewer, each):
                yield each.level

    def _reaches(self, viewer: Key, given: Given) -> bool:
        key = (viewer, given.target, given.superiors)
        if key not in self._reached:
            self._reached[key] = self.people.reached(viewer, given.target, superiors=given.superiors)
        return self._reached[key]

    def _by_parent(self, viewer: Key, thing: Thing, through: tuple[str, ...]) -> Iterator[Level]:
        """Give what the record gets from its parent, which must live; a module is a child once on a path."""
        module = module_called(thing.module)
        default = self.world.roster.defaults.get(module.id)
        if default is None or default.parent is None or thing.module in through:
            return
        field = module.by_id[default.parent]
        parent = self._things.get((field.targets[0], thing.links.get(field.name, Key(0))))
        if parent is None or parent.deleted:
            return
        if any(self._grants(viewer, parent, (*through, thing.module))):
            yield default.parent_level
        yield from self._by_shares(viewer, parent, related=True)


@attrs.define
class ActingOracle(WorldOracle):
    """Says what *delegate* has who acts for another: the other's rights as far as they are lent, never more.

    Of an administrator it is what the built-in Standard permits, and the records that he has without being one.
    """

    delegate: Key = attrs.field(kw_only=True)

    def lends(self, user: Key) -> list[Lent]:
        """Give the delegations of *user* that hold now; none where one of the two is not active."""
        if not (self._user(user).active and self._user(self.delegate).active):
            return []
        now = self.world.now
        return [
            each for each in self.world.lent
            if (each.user, each.delegate) == (user, self.delegate) and not each.deleted
            and (each.since is None or each.since <= now) and (each.until is None or now < each.until)
        ]  # fmt: skip

    def permits(self, viewer: Key, action: Action, module: str) -> bool:
        """Say whether the user may, and has lent it."""
        lent = any(
            (not each.modules or module in each.modules) and (not each.actions or action in each.actions)
            for each in self.lends(viewer)
        )
        return lent and super().permits(viewer, action, module)

    def administrator(self, viewer: Key) -> bool:  # noqa: ARG002 - as of whoever it is
        """Nobody is one while he acts for another."""
        return False

    def _permissions(self, viewer: Key) -> list[Permissions]:
        return [STANDARD] if super().administrator(viewer) else super()._permissions(viewer)
