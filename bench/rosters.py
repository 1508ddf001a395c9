"""The oracle's answer for a viewer of the access benchmark: whose records, which values and shares, by plain Python."""

from __future__ import annotations

from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

import attrs
from peers import now
from world import CRITERIA, NAME

from nubetis.access.sharing import Level, Principal
from nubetis.testing.rosters import Oracle

if TYPE_CHECKING:
    from peers import Raw
    from world import World

    from nubetis.types import Key, ModuleId, Row


@attrs.frozen
class _Remembering(Oracle):
    """The oracle of the suites, which would take hours: it remembers what it was asked."""

    known: dict[tuple[object, ...], object] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    def members(self, principal: Principal, seen: frozenset[Key] = frozenset()) -> set[Key]:
        """See :class:`Oracle`."""
        return self._once(("members", principal, seen), lambda: Oracle.members(self, principal, seen))

    def above(self, role: Key) -> list[Key]:
        """See :class:`Oracle`."""
        return self._once(("above", role), lambda: Oracle.above(self, role))

    def reached(self, viewer: Key, target: Principal, *, superiors: bool) -> bool:
        """See :class:`Oracle`."""
        return self._once(
            ("reached", viewer, target, superiors), lambda: Oracle.reached(self, viewer, target, superiors=superiors)
        )

    def role(self, user: Key) -> Key:
        """See :class:`Oracle`."""
        return self._roles[user]

    @property
    def _roles(self) -> dict[Key, Key]:
        return self._once(("roles",), lambda: {user.key: user.role for user in self.roster.users})

    def _once(self, key, make):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - what *make* gives
        if key not in self.known:
            self.known[key] = make()
        return self.known[key]


@attrs.define
class Expected:
    """All records, shares and people, read once."""

    oracle: _Remembering
    module: ModuleId
    records: list[Row]
    shares: list[Row]

    @classmethod
    def of(cls, raw: Raw, world: World) -> Expected:
        """Read them."""
        cells = "id, owner, stage, region, batch, amount, score"
        return cls(
            oracle=_Remembering(world.directory.roster),
            module=world.module.id,
            records=raw.run(f"SELECT {cells} FROM {NAME} WHERE deleted_in IS NULL ORDER BY id"),
            shares=raw.run(
                "SELECT record, target, superiors FROM shares WHERE deleted_in IS NULL AND module = ?"
                " AND (until IS NULL OR until > ?)", (int(world.module.id), now(world)),
            ),
        )  # fmt: skip

    def keys(self, viewer: Key) -> list[int]:
        """Give the keys of the records that *viewer* may see, in order."""
        owners = {
            user.key for user in self.oracle.roster.users
            if self.oracle.level(viewer, user.key, self.module) >= Level.READ
        }  # fmt: skip
        rules = self.oracle.criteria(viewer, self.module)
        texts = {rule.where for rule in self.oracle.roster.rules if rule.key in rules}
        tests = [each.holds for each in CRITERIA if each.where in texts]
        shared = {
            record for (target, superiors), records in self._by_target.items()
            if self.oracle.reached(viewer, Principal.parse(target), superiors=superiors) for record in records
        }  # fmt: skip
        return [
            row[0] for row in self.records
            if row[1] in owners or row[0] in shared or any(holds(*row[2:]) for holds in tests)
        ]  # fmt: skip

    @cached_property
    def _by_target(self) -> dict[tuple[str, bool], list[int]]:
        found: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for record, target, superiors in self.shares:
            found[str(target), bool(superiors)].append(record)
        return found
