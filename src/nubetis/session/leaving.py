"""A user leaves: all that he owns or takes part in goes to others, by one plan; undo gives all of it back.

His records, and those that name him in a field, go to whoever takes them over; so does his place in groups, in rules
of sharing and in shares of single records.  He himself comes first in the plan, so that nothing new is his while a
long one is being written.  What lies in the recycle bin keeps him, as the journal does.

A rule that shares what he owns shares afterwards what the one owns who takes over: look at it with
:func:`~nubetis.session.previewing.preview`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.sharing import Level, Principal, PrincipalKind
from nubetis.access.states import UserState
from nubetis.errors import InvalidValue, require
from nubetis.model.bind import All, AnyOf, Bound, Test
from nubetis.model.fields import Field, FieldState, Operator
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import instant_text
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Edits, Part, Plan, Refusal
from nubetis.model.record import Record
from nubetis.model.schema import Module
from nubetis.session.spool import Spool
from nubetis.session.targets import owners
from nubetis.session.world import LIVE, living

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.session.door import Session
    from nubetis.session.planning import Planner
    from nubetis.session.state import State
    from nubetis.types import Key, ModuleName, Row, Stored

__all__ = ["Belongings", "belongings", "plan_offboarding"]

DELETED: Final = "deleted"
_STATES: Final = (UserState.SUSPENDED.value, UserState.DEACTIVATED.value, DELETED)


@attrs.frozen(kw_only=True)
class Belongings:
    """What a user has: the number of *records*, by module, that he owns or that name him, and what else names him.

    *delegations* are those that he gave and was given.
    """

    records: Mapping[ModuleName, int]
    groups: int
    rules: int
    shares: int
    delegations: int = 0

    def __bool__(self) -> bool:
        return bool(self.records or self.groups or self.rules or self.shares or self.delegations)


def belongings(session: Session, user: str) -> Belongings:
    """Give what *user* has, as far as the user of the session may see it; nothing of it is false.

    Raises:
        NotFound: ``unknown_user``.
    """
    return session.state.read(lambda: _Leaving.of(session.state, user, None, {}).belongings())


def plan_offboarding(
    session: Session,
    user: str,
    *,
    to: str | None = None,
    records: Mapping[str, str] | None = None,
    state: str = "deactivated",
) -> Plan:
    """Plan that *user* leaves and is ``suspended``, ``deactivated`` or ``deleted``; *to* takes over what he has.

    The *records* of a module may go to another user each: ``{"deals": "eva"}``.  Where nobody takes records or rules
    over they are refusals (``no_heir``), as is what the user of the session may not see (``out_of_sight``); places in
    groups, and shares with him, then just end.  Delegations from him and to him end in any case.  Where anything is
    refused the plan holds nothing: nobody goes and leaves half of his things behind, not with ``skip_refused`` either.

    Cost: the records that name him are read once; the plan is applied by 5,000 records a transaction.

    Raises:
        AccessDenied: the user of the session may not manage users, or not change many records.
        NotFound: ``unknown_user``, ``unknown_module``.
        InvalidValue: ``bad_heir``, who takes over is not active, or is the one who leaves.
    """
    if state not in _STATES:
        raise InvalidValue("bad_argument", argument="state", reason=f"give {', '.join(_STATES)}")
    given = {} if records is None else records
    require(given, Mapping, argument="records", expected="users by module")
    return session.state.read(lambda: _Leaving.of(session.state, user, to, given).plan(state))


@attrs.frozen(kw_only=True)
class _Leaving:
    """One who leaves, and who takes over: *to*, and by module in *heirs*."""

    state: State
    planner: Planner
    key: Key
    to: Key | None
    heirs: Mapping[str, Key]

    @classmethod
    def of(cls, state: State, user: str, to: str | None, records: Mapping[str, str]) -> _Leaving:
        """Find those who are named."""
        key = decode(state.known.find_user(state.txn, user))[1]
        for name in records:
            if state.known.schema.module(name).system:
                reason = f"{name} is nubetis's own; name modules of records"
                raise InvalidValue("bad_argument", argument="records", reason=reason)
        heirs = {name: _heir(state, key, each) for name, each in records.items()}
        mine = None if to is None else _heir(state, key, to)
        return cls(state=state, planner=state.planner(), key=key, to=mine, heirs=heirs)

    @property
    def text(self) -> str:
        """The principal that he is."""
        return Principal(PrincipalKind.USER, self.key).text

    def module(self, name: str) -> Module:
        """Give a module of nubetis's own."""
        return self.state.known.schema.module(name)

    # what there is -----------------------------------------------------------------------------------------
    def belongings(self) -> Belongings:
        """Give what he has, as far as it may be seen."""
        reads = self.planner.policy.reads
        readable = {module: [each for each in fields if reads(module, each)] for module, fields in self._modules()}
        records = {module.name: self._count(module, self._naming(fields)) for module, fields in readable.items()}
        return Belongings(
            records={name: count for name, count in records.items() if count},
            groups=len(self._seen("groups", self._groups())),
            rules=len(self._seen("sharing_rules", self._rules())),
            shares=self._count(self.module("shares"), Test("target", Operator.EQ, self.text)),
            delegations=self._count(self.module("delegations"), self._lent),
        )

    @property
    def _lent(self) -> Bound:
        return AnyOf(tuple([Test(each, Operator.EQ, int(self.key)) for each in ("user", "delegate")]))

    def _seen(self, module: str, rows: Iterable[Row]) -> list[Row]:
        return list(filter(self.planner.allowed(self.module(module), Action.VIEW), rows))

    def _count(self, module: Module, where: Bound) -> int:
        return self.state.txn.count(module, All((LIVE, where, self.planner.granted(module, Action.VIEW))), limit=None)

    def _modules(self) -> Iterator[tuple[Module, tuple[Field, ...]]]:
        """Give the modules of records with their fields in which users are named."""
        for module in self.state.known.schema.modules:
            if not module.system:
                yield module, _of_users(module)

    def _naming(self, fields: Iterable[Field]) -> Bound:
        return AnyOf(tuple([Test(each.column, Operator.EQ, self.key) for each in fields]))

    def _groups(self) -> list[Row]:
        module = self.module("groups")
        return [row for row in living(self.state.txn, module) if self.text in _members(module, row)]

    def _rules(self) -> list[Row]:
        module = self.module("sharing_rules")
        places = [module.layout.index[name] for name in ("source", "target")]
        return [row for row in living(self.state.txn, module) if self.text in [row[at] for at in places]]

    # the plan ----------------------------------------------------------------------------------------------
    def plan(self, state: str) -> Plan:
        """Give the plan, himself first."""
        found = _Found()
        found.add(self._himself(state))
        self._in_groups(found)
        self._in_rules(found)
        self._in_shares(found)
        self._in_delegations(found)
        for module, fields in self._modules():
            self._in_records(module, fields, found)
        cause = Cause(CauseKind.USER, {"offboarding": encode("use", self.key)})
        parts = tuple([part for part in found.parts if len(part)])
        plan = self.planner.checked(Plan(cause=cause, parts=parts, refusals=tuple(found.refusals)))
        return attrs.evolve(plan, parts=()) if plan.refusals else plan

    def _himself(self, state: str) -> tuple[Iterable[Part], list[Refusal]]:
        module = self.module("users")
        rows = [row for row in self.planner.rows_of(module, [self.key]) if row is not None]
        if state == DELETED:
            part, refusals = self.planner.moves(module, rows, ChangeKind.DELETE)
            return [part], refusals
        return self.planner.edits(module, rows, {"state": state})

    def _in_groups(self, found: _Found) -> None:
        module = self.module("groups")
        for row in self._groups():
            left = [each for each in _members(module, row) if each != self.text]
            mine = [] if self.to is None or self._heir_text in left else [self._heir_text]
            found.add(self.planner.edits(module, [row], {"members": [*left, *mine]}))

    @property
    def _heir_text(self) -> str:
        return "" if self.to is None else Principal(PrincipalKind.USER, self.to).text

    def _in_rules(self, found: _Found) -> None:
        module, rows = self.module("sharing_rules"), self._rules()
        if self.to is None:
            found.without_heir(module, len(rows))
            return
        for row in rows:
            rule = Record(module, row)
            now = {name: rule[name] for name in ("source", "target") if rule[name] == self.text}
            after: dict[str, Value] = dict.fromkeys(now, self._heir_text)
            ends = {**{name: rule[name] for name in ("source", "target")}, **after}
            if ends["source"] == ends["target"]:  # from somebody to himself
                found.add(self._gone(module, [row]))
            else:
                found.add(self.planner.edits(module, [row], after))

    def _gone(self, module: Module, rows: Iterable[Row]) -> tuple[Iterable[Part], list[Refusal]]:
        part, refusals = self.planner.moves(module, rows, ChangeKind.DELETE)
        return [part], refusals

    def _in_shares(self, found: _Found) -> None:
        """Give his shares to the one who takes over; of two with a record one goes if the other covers it.

        Of records that he owns they go.
        """
        module = self.module("shares")
        sees, rows = self.planner.allowed(module, Action.VIEW), self._shares_with(module, self.text)
        mine = list(filter(sees, rows))
        if len(mine) < len(rows):
            found.out_of_sight(module)
        if self.to is None:
            found.add(self._gone(module, mine))
            return
        covering = _Covering(module, instant_text(self.planner.view.now))
        theirs: dict[tuple[int, int], list[Row]] = {}
        for row in filter(sees, self._shares_with(module, self._heir_text)):
            theirs.setdefault(_about(module, row), []).append(row)
        moved, gone = Spool(), Spool()
        own = self._owned_by_heir({_about(module, row) for row in mine})
        for row in mine:
            others = theirs.get(_about(module, row), [])
            if _about(module, row) in own or any(covering.covers(other, row) for other in others):
                gone.append(row)
                continue
            moved.append(row)
            gone.extend([other for other in others if covering.covers(row, other)])
            others[:] = [other for other in others if not covering.covers(row, other)]
        found.add(self.planner.edits(module, moved, {"target": self._heir_text}))
        found.add(self._gone(module, gone))

    def _owned_by_heir(self, records: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
        """Give those of *records*, by the number of their module and key, of which he has all already."""
        numbers = {each.prefix: int(each.id) for each in self.planner.known.schema.modules}
        prefixes = {number: prefix for prefix, number in numbers.items()}
        found = owners(self.planner, {(prefixes[number], key) for number, key in records if number in prefixes})
        return {(numbers[prefix], key) for (prefix, key), owner in found.items() if owner == self.to}

    def _in_delegations(self, found: _Found) -> None:
        """End what he lent and was lent: it must not live again if he comes back."""
        module = self.module("delegations")
        rows = list(self.planner.rows(module, All((LIVE, self._lent))))
        if rows:
            found.add(self._gone(module, rows))

    def _shares_with(self, module: Module, target: str) -> list[Row]:
        return list(self.planner.rows(module, All((LIVE, Test("target", Operator.EQ, target)))))

    # records -----------------------------------------------------------------------------------------------
    def _in_records(self, module: Module, fields: tuple[Field, ...], found: _Found) -> None:
        heir = self.heirs.get(module.name, self.to)
        groups, hidden = self._sorted(module, fields)
        if hidden:
            found.out_of_sight(module)
        if heir is None:
            found.without_heir(module, sum(map(len, groups.values())))
            return
        for names, rows in groups.items():
            values: dict[str, Value] = dict.fromkeys(names, encode("use", heir))
            found.add(self.planner.edits(module, rows, values))

    def _sorted(self, module: Module, fields: tuple[Field, ...]) -> tuple[dict[tuple[str, ...], Spool], bool]:
        """Give the records that name him by the fields in which they do, and whether there is one out of sight."""
        sees = self.planner.allowed(module, Action.VIEW)
        writable = {each.name for each in fields if self.planner.writes(module, each)}
        groups: dict[tuple[str, ...], Spool] = {}
        hidden = False
        for row in self.planner.rows(module, All((LIVE, self._naming(fields)))):
            names = tuple([str(each.name) for each in fields if self._named(module, each, row)])
            if not sees(row) or not writable.issuperset(names):
                hidden = True
            elif names:
                groups.setdefault(names, Spool()).append(row)
        return groups, hidden

    def _named(self, module: Module, field: Field, row: Row) -> bool:
        at = module.layout.index[field.column]
        return row[at] == self.key and (len(field.targets) == 1 or row[at + 1] == "use")


@attrs.define
class _Found:
    """The parts and refusals of a plan that is being made; edits of the same fields are put together."""

    parts: list[Part] = attrs.field(factory=list)
    refusals: list[Refusal] = attrs.field(factory=list)

    def add(self, made: tuple[Iterable[Part], list[Refusal]]) -> None:
        """Add what a planner gives."""
        for part in made[0]:
            last = self.parts[-1] if self.parts else None
            if isinstance(part, Edits) and isinstance(last, Edits) and _alike(part, last):
                self.parts[-1] = attrs.evolve(last, rows=[*last.rows, *part.rows], after=[*last.after, *part.after])
            else:
                self.parts.append(part)
        self.refusals += made[1]

    def out_of_sight(self, module: Module) -> None:
        """Note that there is something of *module* which the user of the session may not see."""
        self.refusals.append(Refusal(code="out_of_sight", params={"module": module.name}, module=module.name))

    def without_heir(self, module: Module, count: int) -> None:
        """Note that nobody takes over what there is of *module*."""
        if count:
            params = {"module": module.name, "count": count}
            self.refusals.append(Refusal(code="no_heir", params=params, module=module.name))


def _alike(part: Edits, other: Edits) -> bool:
    same = part.module is other.module and part.kind is other.kind and part.fields == other.fields
    return same and part.module.system


def _heir(state: State, leaving: Key, name: str) -> Key:
    """Give the user who takes over.

    Raises:
        InvalidValue: ``bad_heir``.
    """
    key = decode(state.known.find_user(state.txn, name))[1]
    users = state.known.schema.module("users")
    row = state.txn.get_many(users, [key])[0]
    if key == leaving:
        raise InvalidValue("bad_heir", user=name[:_SHOWN], reason="it is the one who leaves")
    if row is None or Record(users, row)["state"] != UserState.ACTIVE:
        raise InvalidValue("bad_heir", user=name[:_SHOWN], reason="the user is not active")
    return key


_SHOWN: Final = 60


def _of_users(module: Module) -> tuple[Field, ...]:
    """Give the fields of *module* that may name a user, and that people write."""
    fields = [each for each in module.all_fields if "users" in each.targets and not each.system]
    return tuple([each for each in fields if each.state is FieldState.ACTIVE])


def _members(module: Module, row: Row) -> list[str]:
    members = Record(module, row)["members"]
    return list(map(str, members)) if isinstance(members, tuple | list) else []


def _about(module: Module, row: Row) -> tuple[int, int]:
    index = module.layout.index
    return int(row[index["module"]] or 0), int(row[index["record"]] or 0)


@attrs.frozen
class _Covering:
    """Tells whether one share of a record gives all that another does, at an instant."""

    module: Module
    now: str

    def covers(self, row: Row, other: Row) -> bool:
        """Say whether *other* need not be beside *row*: it says nothing more, or is over."""
        if self._over(other):
            return True
        same = self._cell(row, "kind") == self._cell(other, "kind") and not self._over(row)
        said = self._cell(other, "function") in {None, self._cell(row, "function")}
        goes_on = all(bool(self._cell(row, name)) >= bool(self._cell(other, name)) for name in ("related", "superiors"))
        level = Level.parse(self._cell(row, "level")) >= Level.parse(self._cell(other, "level"))
        return same and said and goes_on and level and self._ends(row) >= self._ends(other)

    def _cell(self, row: Row, name: str) -> Stored:
        return row[self.module.layout.index[name]]

    def _ends(self, row: Row) -> tuple[bool, str]:
        until = self._cell(row, "until")
        return until is None, str(until or "")

    def _over(self, row: Row) -> bool:
        forever, until = self._ends(row)
        return not forever and until <= self.now
