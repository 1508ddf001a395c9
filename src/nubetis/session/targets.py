"""What stands against the shares of a plan: with whom they are, and of what.

A share names both by key and not by a link, so that it is here that it leads somewhere.  One that does not, whoever put
it into the store, gives nothing (:func:`kept_shares`) and is a finding of ``nubetis doctor``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.access.sharing import Level, Principal, PrincipalKind
from nubetis.errors import InvalidValue
from nubetis.model.bind import All, Normal, Test
from nubetis.model.fields import Operator
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.plan import ChangeKind, Creates, Refusal
from nubetis.model.schema import DELETED_IN, key_of
from nubetis.model.system import SHARES
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleId

if TYPE_CHECKING:
    from nubetis.model.plan import Part
    from nubetis.model.schema import Module
    from nubetis.model.store import Txn
    from nubetis.session.planning import Planner
    from nubetis.types import Row, Stored

__all__ = ["KeptShare", "Place", "kept_shares", "owners", "readable", "share_refusals"]

Place: TypeAlias = tuple[str, int]
"""Prefix and key of a record."""
_CHUNK: Final = 500
_SAID: Final = frozenset({"target", "module", "record", "kind"})
_CELLS: Final = ("module", "record", "target", "kind", "until")
_TEAM: Final = "team"


# -- as they are kept -------------------------------------------------------------------------------------------------
@attrs.frozen(kw_only=True)
class KeptShare:
    """A share of a record as it is kept; *until* in the text of instants."""

    target: Principal
    level: Level
    until: str | None
    related: bool
    superiors: bool
    kind: str


_COLUMNS: Final = ("target", "level", "until", "related", "superiors", "kind")


def kept_shares(txn: Txn, module: Module, key: Key) -> Iterator[KeptShare]:
    """Give the shares of a record, ended ones too; those that say nothing that can be read are passed over."""
    found = (LIVE, Test("module", Operator.EQ, int(module.id)), Test("record", Operator.EQ, int(key)))
    where = Normal(All(found))
    for batch in txn.stream(SHARES, where, columns=_COLUMNS):
        for target, level, until, related, superiors, kind in zip(*batch, strict=True):
            principal = readable(target, level)
            if principal is not None:
                yield KeptShare(
                    target=principal, level=Level.parse(level), until=None if until is None else str(until),
                    related=bool(related), superiors=bool(superiors), kind=str(kind),
                )  # fmt: skip


def readable(target: Stored, level: Stored) -> Principal | None:
    """Give with whom a share is that is kept so, if anybody can read that."""
    try:
        Level.parse(level)
        return Principal.parse(str(target))
    except InvalidValue:
        return None


# -- as they are planned ----------------------------------------------------------------------------------------------
def share_refusals(planner: Planner, parts: Sequence[Part]) -> list[Refusal]:
    """Give what stands against the shares of *parts*, be they planned, written, or put back by an undo."""
    shares = [part for part in parts if part.module.id == SHARES.id and _says(part)]
    coming = [part for part in parts if shares and (isinstance(part, Creates) or part.kind is ChangeKind.RESTORE)]
    made: dict[Place, Stored] = {
        (part.module.prefix, key_of(row)): _owner(planner, part.module, row) for part in coming for row in part.rows
    }
    return [each for part in shares for each in _against(planner, part, made)]


def _owner(planner: Planner, module: Module, row: Row) -> Stored:
    """Give who owns a record, as far as one may know."""
    field = module.field("owner")
    return row[module.layout.index[field.column]] if planner.policy.reads(module, field) else None


def _says(part: Part) -> bool:
    if isinstance(part, Creates) or part.kind is ChangeKind.RESTORE:
        return True
    return part.kind is ChangeKind.UPDATE and any(field.name in _SAID for field in part.fields)


def _against(planner: Planner, part: Part, made: Mapping[Place, Stored]) -> Iterator[Refusal]:
    for start in range(0, len(part), _CHUNK):
        few = part.slice(start, start + _CHUNK)
        rows = list(few.rows if isinstance(few, Creates) or few.kind is ChangeKind.RESTORE else few.changed_rows())
        found = [_Said.of(planner, part.module, row, new=isinstance(part, Creates)) for row in rows]
        wanted = {place for each in found for place in each.places} - made.keys()
        there = {**made, **owners(planner, wanted)}
        for row, each in zip(rows, found, strict=True):
            reason = each.reason(there)
            if reason and (part.kind is ChangeKind.RESTORE or row[DELETED_IN] is None):
                record = encode(part.module.prefix, key_of(row))
                yield Refusal(code="bad_share", params={"reason": reason}, module=part.module.name, record=record)


def owners(planner: Planner, wanted: Iterable[Place]) -> Mapping[Place, Stored]:
    """Give those of *wanted* that are there and not in the recycle bin, each with its owner, where one may know."""
    found: dict[Place, Stored] = {}
    for prefix, places in groupby(sorted(wanted), key=itemgetter(0)):
        module = planner.known.schema.by_prefix[prefix]
        rows = planner.rows_of(module, [Key(key) for _, key in places])
        living = [row for row in rows if row is not None and row[DELETED_IN] is None]
        found |= {(prefix, key_of(row)): _owner(planner, module, row) for row in living}
    return found


@attrs.frozen
class _Said:
    """What a share would say: with whom, of what record, whether that is a place in its team.

    One that is new may be *over* already; who lets another end then ends it.
    """

    target: Principal | None
    record: Place | None
    team: bool
    over: bool

    @classmethod
    def of(cls, planner: Planner, module: Module, row: Row, *, new: bool) -> _Said:
        number, key, target, kind, until = (row[module.layout.index[name]] for name in _CELLS)
        shared = planner.known.schema.by_id.get(ModuleId(int(number or 0)))
        place = None if shared is None or shared.system else (shared.prefix, int(key or 0))
        over = new and until is not None and str(until) <= instant_text(planner.view.now)
        return cls(readable(target, Level.READ.text), place, kind == _TEAM, over)

    @property
    def places(self) -> Iterable[Place]:
        return [each for each in (self.record, self._principal) if each is not None]

    @property
    def _principal(self) -> Place | None:
        everybody = self.target is None or self.target.kind is PrincipalKind.EVERYBODY
        return None if self.target is None or everybody else (self.target.kind.value, self.target.key)

    def reason(self, there: Mapping[Place, Stored]) -> str:
        """Give why it cannot be so, if it cannot."""
        if self.target is None:
            return "name a user, a role (with + for those below it), a group, or everybody"
        if self.team and self.target.kind is not PrincipalKind.USER:
            return "a team has users; share it with others"
        lost: Sequence[tuple[str, bool]] = (
            ("nobody is there with whom it would be", self._principal not in {None, *there}),
            ("there is no such record", self.record not in there),
            ("its owner has all of the record already", self._with_owner(there)),
            ("it would be over already", self.over),
        )
        return next((text for text, stands in lost if stands), "")

    def _with_owner(self, there: Mapping[Place, Stored]) -> bool:
        if self.target is None or self.record is None or self.target.kind is not PrincipalKind.USER:
            return False
        return there.get(self.record) == self.target.key
