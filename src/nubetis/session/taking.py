"""What one who acts for another may not do with it: have himself more than before, which he would keep when that ends.

He neither shares anything with himself nor makes himself an owner, be it that he has the record anyway.  And whatever
he writes, he has himself, not acting, no record to a greater level than before it was written; that is asked of the
same filters that decide everything: by owners, values, shares and parents.  A record that is new is the other's first,
in whose name it is made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.policy import RolePolicy
from nubetis.access.sharing import GRANTED, Level, Principal
from nubetis.errors import Refused
from nubetis.model.bind import All, AnyOf, Bound, Linked, Linking, No, OneOf
from nubetis.model.ids import encode
from nubetis.model.plan import ChangeKind, Creates, Edits, Part
from nubetis.model.schema import key_of
from nubetis.types import Key, ModuleId

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.session.planning import Planner
    from nubetis.session.state import State
    from nubetis.types import Row, Stored

__all__ = ["Lent", "refuse_keeping"]

_SHARE: Final = ("target", "superiors")
_CHUNK: Final = 500


# -- shares, and owning -----------------------------------------------------------------------------------------------
def refuse_keeping(planner: Planner, part: Part) -> None:
    """Stop one who acts for another and would share records with himself, or make himself the owner of one.

    With himself is also with a role or group in which he is, and with everybody.

    Raises:
        Refused: ``keeps_lent``.
    """
    actor, policy = planner.actor, planner.policy
    if actor is None or actor == planner.user or not isinstance(policy, RolePolicy):
        return
    if part.module.name == "shares" and any(_reached(policy, actor, part, row) for row in _given(part, _SHARED)):
        raise Refused("keeps_lent", user=encode("use", actor), what="a share of records")
    if not part.module.system:
        at = part.module.layout.index[part.module.field("owner").column]
        if any(row[at] == actor for row in _given(part, {"owner"})):
            raise Refused("keeps_lent", user=encode("use", actor), what="records as their owner")


_SHARED = frozenset({"target", "level", "until", "related", "superiors", "module", "record"})


def _given(part: Part, names: Iterable[str]) -> Iterable[Row]:
    """Give the rows, as they would be, of which a part gives somebody something: by *names* where it edits."""
    if isinstance(part, Creates):
        return part.rows
    if part.kind is ChangeKind.UPDATE and {str(field.name) for field in part.fields} & set(names):
        return part.changed_rows()
    return part.rows if part.kind is ChangeKind.RESTORE and part.module.system else ()


def _reached(policy: RolePolicy, user: Key, part: Part, row: Row) -> bool:
    target, superiors = (row[part.module.layout.index[name]] for name in _SHARE)
    return policy.directory.reaches_user(user, Principal.parse(str(target)), superiors=bool(superiors))


# -- whatever is written ----------------------------------------------------------------------------------------------
@attrs.frozen
class Lent:
    """What a delegate has himself of the records that *parts* touch, *before* these are written for their *owner*."""

    planner: Planner
    policy: RolePolicy
    parts: tuple[Part, ...]
    owner: Key
    before: Mapping[ModuleId, Mapping[Key, Level]] = attrs.field(factory=dict)

    @classmethod
    def of(cls, state: State, parts: tuple[Part, ...]) -> Lent | None:
        """Look at what there is; nothing where nobody acts for another, or has everything himself."""
        if state.delegate is None or state.user is None:
            return None
        own = state.of_user(state.delegate)
        policy, planner = own.policy, own.planner()
        if not isinstance(policy, RolePolicy) or policy.user.administrator:
            return None
        asking = cls(planner, policy, parts, state.user)
        return attrs.evolve(asking, before={each: asking.levels(each, keys) for each, keys in asking.touched().items()})

    def refuse_more(self) -> None:
        """Stop where he has more of any record, now that *parts* are written.

        Raises:
            Refused: ``keeps_lent``.
        """
        for module, had in self.before.items():
            if any(level > had.get(key, Level.NONE) for key, level in self.levels(module, had.keys()).items()):
                raise self._error()
        for part in self.parts:
            if isinstance(part, Creates) and not part.module.system and self._given_away(part):
                raise self._error()

    def _error(self) -> Refused:
        return Refused("keeps_lent", user=self.policy.user.id, what="more of a record than before")

    def levels(self, number: ModuleId, keys: Iterable[Key]) -> dict[Key, Level]:
        """Give how far he has the records with *keys* now, be they in the recycle bin."""
        module, ordered = self.planner.known.schema.by_id[number], sorted(keys)
        found = dict.fromkeys(ordered, Level.NONE)
        for level in GRANTED:
            grant = self.planner.free(module, self.policy.reaching(module, level))
            for start in range(0, len(ordered), _CHUNK):
                few = OneOf("id", tuple(ordered[start : start + _CHUNK]))
                found |= dict.fromkeys(self._keys(module, All((few, grant))), level)
        return found

    def _keys(self, module: Module, where: Bound) -> Iterator[Key]:
        for (keys,) in self.planner.txn.stream(module, where, columns=("id",)):
            yield from [Key(int(key or 0)) for key in keys]

    def touched(self) -> dict[ModuleId, set[Key]]:
        """Give the records of which he may have more when *parts* are written."""
        found: dict[ModuleId, set[Key]] = {}
        for part in self.parts:
            if isinstance(part, Edits) and not part.module.system and part.kind in _GIVING:
                found.setdefault(part.module.id, set()).update(part.keys)
            for start in range(0, len(part), _CHUNK):
                for module, led in self._hanging_on(part.slice(start, start + _CHUNK)):
                    found.setdefault(module.id, set()).update(self._keys(module, led))
        return found

    def _hanging_on(self, part: Part) -> Iterator[tuple[Module, Bound]]:
        """Give what finds the records that hang on those of *part*: by rules that reach him, or from the bin."""
        directory = self.policy.directory
        for module in self.planner.known.schema.modules:
            if module.system:
                continue
            parent = directory.default(module.id).parent
            for field in module.fields if part.kind is ChangeKind.RESTORE else ():
                if field.id == parent and tuple(field.targets) == (part.module.name,):
                    yield module, OneOf(field.column, _keys_of(part))
            for rule in directory.reach(self.policy.user.key, module.id).criteria:
                if rule.where is not None:
                    yield from [(module, led) for led in _led_to(self.planner.free(module, rule.where), part)]

    def _given_away(self, part: Creates) -> bool:
        """Say whether he has more of a new record than if it were the user's, as records are at first."""
        module, at = part.module, part.module.layout.index[part.module.field("owner").column]
        rows = {key_of(row): (*row[:at], self.owner, *row[at + 1 :]) for row in part.rows if row[at] != self.owner}
        now = self.levels(module.id, rows) if rows else {}
        for level in GRANTED if rows else ():
            has = self.planner.test(module, self.policy.reaching(module, level))
            if any(now[key] >= level and not has(row) for key, row in rows.items()):
                return True
        return False


_GIVING: Final = frozenset({ChangeKind.UPDATE, ChangeKind.RESTORE})


def _keys_of(part: Part) -> tuple[Stored, ...]:
    return tuple([key_of(row) for row in part.rows])


def _led_to(where: Bound, part: Part) -> Iterator[Bound]:
    """Give what finds the records for which *where* looks at one of *part*, as links are and as they would be."""
    match where:
        case All(parts) | AnyOf(parts):
            for each in parts:
                yield from _led_to(each, part)
        case No(each):
            yield from _led_to(each, part)
        case Linked(column, module, inner):
            yield from [OneOf(column, _keys_of(part))] if module.id == part.module.id else []
            yield from [Linked(column, module, led) for led in _led_to(inner, part)]
        case Linking(module, via, inner):
            yield from [OneOf("id", _linked_by(part, via))] if module.id == part.module.id else []
            yield from [Linking(module, via, led) for led in _led_to(inner, part)]
        case _:
            return


def _linked_by(part: Part, via: str) -> tuple[Stored, ...]:
    """Give to what the records of *part* link by a column, and would link."""
    at = part.module.layout.index[via]
    after = part.changed_rows() if isinstance(part, Edits) and part.after else ()
    return tuple({row[at] for row in (*part.rows, *after)} - {None})
