"""Counting exactly what a user gains and loses: by owner, rule, share and parent together, in the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, TypeAlias

import attrs

from nubetis.access.directory import Directory
from nubetis.access.policy import policy_of
from nubetis.access.sharing import GRANTED, Level
from nubetis.model.bind import All, No, Test, bind
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING, People
from nubetis.model.ids import encode
from nubetis.model.normal import normal_form
from nubetis.session.world import LIVE

if TYPE_CHECKING:
    from nubetis.model.bind import Bound
    from nubetis.model.schema import Module
    from nubetis.session.state import State
    from nubetis.types import Key

__all__ = ["Exactly"]

Sides: TypeAlias = "tuple[Bound, Bound]"


@attrs.frozen
class Exactly:
    """Counts living records as *state* sees them, between what people have *before* and *after*.

    Cost: two counts of the store for each level of a module in which a user has something else.
    """

    state: State
    before: Directory
    after: Directory

    def shared_with_others(self) -> Iterator[Key]:
        """Give the users who are reached by other shares before than after, whatever is shared; no administrators."""
        for user in self.before.users.keys() & self.after.users:
            both = self.before, self.after
            if self.before.targets(user) != self.after.targets(user) and not any(
                side.administrator(user) for side in both
            ):
                yield user

    def everybody(self, user: Key, module: Module) -> Level:
        """Give how far a user has everybody's records."""
        return self.before.reach(user, module.id).everything

    def of(self, user: Key, module: Module) -> tuple[dict[str, int], dict[str, int]]:
        """Give how many records of *module* a user gains and loses, by level."""
        sides = {level: self._sides(user, module, level) for level in GRANTED}
        gained = {level.text: self._number(module, now, then) for level, (then, now) in sides.items()}
        lost = {level.text: self._number(module, then, now) for level, (then, now) in sides.items()}
        return _some(gained), _some(lost)

    def _sides(self, user: Key, module: Module, level: Level) -> Sides:
        then, now = (self._has(side, user, module, level) for side in (self.before, self.after))
        return then, now

    def _has(self, side: Directory, user: Key, module: Module, level: Level) -> Bound:
        found, schema = side.users.get(user), self.state.known.schema
        if found is None or not found.active:  # what he owns stays his
            return Test(module.field("owner").column, Operator.EQ, user)
        free = attrs.evolve(
            self.state.view(), people={People.ME: (encode("use", user),)},
            readable=lambda module, field: True, visible=lambda module: EVERYTHING,
        )  # fmt: skip
        return bind(policy_of(side, schema, found).reaching(module, level), module, schema, free)

    def _number(self, module: Module, having: Bound, without: Bound) -> int:
        if having == without:
            return 0
        return self.state.txn.count(module, All((LIVE, having, normal_form(No(without)))), limit=None)


def _some(counts: dict[str, int]) -> dict[str, int]:
    return {level: count for level, count in counts.items() if count}
