"""Whether a change of people gives somebody what is shared with others, and its actor has not got it himself.

Who comes into a group or a role, or above somebody, has what is shared with these.  No rule tells of that: the living
shares are looked up by their targets, and the actor is asked for each record as if he wanted it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from nubetis.access.compare import Comparison
from nubetis.access.gaining import Gaining, Way
from nubetis.access.policy import RolePolicy
from nubetis.access.relating import given_to_related
from nubetis.access.sharing import Level, Principal, lasting
from nubetis.errors import Refused
from nubetis.model.bind import All, OneOf
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.schema import key_of
from nubetis.model.system import SHARES
from nubetis.session.deciding import Decider
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleId, Row

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.session.state import State

__all__ = ["refuse_shared"]

_MOST: Final = 5000
"""Records of which the actor is asked; a change that gives more is for administrators."""
_CHUNK: Final = 500
_SHARE: Final = ("target", "superiors", "module", "record", "level", "related")

_Gained: TypeAlias = dict[tuple[ModuleId, Key], dict[bool, tuple[Level, Key]]]
"""By record, and by whether with those of which it is the parent: to which level it is gained, and by whom."""


def refuse_shared(state: State, comparison: Comparison, policy: RolePolicy, *, of: Key | None = None) -> None:
    """Stop a change by the user of *policy* that gives anybody, or the user *of*, a share that he has not got.

    Raises:
        Refused: ``raises_rights``.
    """
    ways = Gaining(comparison).ways(policy.user.key, of=of)
    gained: _Gained = {}
    for way, number, record, level, related in _living(state, ways):
        kinds = gained.setdefault((number, record), {})
        kinds[related] = max(kinds.get(related, (Level.NONE, Key(0))), (level, ways[way]))
        if len(gained) > _MOST:
            raise _raises(ways[way])
    decider = Decider(state, policy)
    for module, row in _records(state, gained):
        for related, (level, user) in gained[module.id, key_of(row)].items():
            if not _has(decider, policy, module, row, level, related=related):
                raise _raises(user)


def _raises(user: Key) -> Refused:
    return Refused("raises_rights", user=encode("use", user), what="records of others")


def _living(state: State, ways: Mapping[Way, Key]) -> Iterator[tuple[Way, ModuleId, Key, Level, bool]]:
    """Give the shares that are not over and come by one of *ways*."""
    texts = sorted({way.target.text for way in ways})
    still = lasting(instant_text(state.world.now()))
    for start in range(0, len(texts), _CHUNK):
        where = All((OneOf("target", tuple(texts[start : start + _CHUNK])), LIVE, still))
        for batch in state.txn.stream(SHARES, where, columns=_SHARE):
            for target, superiors, module, record, level, related in zip(*batch, strict=True):
                way = Way(Principal.parse(str(target)), bool(superiors))
                if way in ways:
                    yield way, ModuleId(int(module or 0)), Key(int(record or 0)), Level.parse(level), bool(related)


def _records(state: State, gained: _Gained) -> Iterator[tuple[Module, Row]]:
    """Give the records that are gained and still there, be it in the recycle bin."""
    keys: dict[ModuleId, list[Key]] = {}
    for number, key in gained:
        keys.setdefault(number, []).append(key)
    for number, those in keys.items():
        module = state.known.schema.by_id.get(number)
        if module is not None:
            yield from [(module, row) for row in state.planner().rows_of(module, those) if row is not None]


def _has(decider: Decider, policy: RolePolicy, module: Module, row: Row, level: Level, *, related: bool) -> bool:
    """Say whether the user of *policy* has a record to *level*, and what it is the parent of where that goes along."""
    if decider.level(module, row)[0] < level:
        return False
    if not related or level <= given_to_related(policy.directory, decider.state.known.schema, module):
        return True
    shares = decider.shares(policy, module, key_of(row), related=True)
    return any(look.held and look.level >= level for look in shares)
