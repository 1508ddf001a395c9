"""Deciding about single records: the grants of a user, looked at one by one, the cheapest first.

A list is made by the store from the filters of the policy; a single record is judged here from the same sets of owners,
rules, shares and parents, made ready once for each module and rights.  What the two say is the same, which properties
in the tests hold them to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.access.decision import Action, Decision, Granted, Lack, Reason, Step
from nubetis.access.intervals import Intervals
from nubetis.access.looking import LookingPolicy
from nubetis.access.permissions import FieldLevel
from nubetis.access.policy import INVOLVING, RolePolicy, function_of
from nubetis.access.sharing import NEEDED, Level, Principal, Rule
from nubetis.errors import InvalidValue, NotFound
from nubetis.model.evaluate import matcher
from nubetis.model.kinds import instant_text
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module, key_of
from nubetis.model.standing import standing
from nubetis.session.targets import kept_shares
from nubetis.session.world import TxnRelated
from nubetis.types import Key, ModuleId, RecordId, Row

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nubetis.access.directory import Directory, Reach
    from nubetis.access.policy import Policy
    from nubetis.session.state import State

__all__ = ["Decider", "Look", "allows", "decided", "judged"]


@attrs.frozen(kw_only=True)
class Look:
    """One grant as it was looked at for a record: whether it is *held*, and what it comes by.

    *target* is with whom something is shared, *ended* the instant since when it no longer is.  *above* are module and
    row of the parent that gives it.
    """

    reason: Reason
    level: Level
    held: bool
    rule: Rule | None = None
    target: Principal | None = None
    ended: str | None = None
    above: tuple[Module, Row] | None = None

    @property
    def name(self) -> str:
        """The name of the step."""
        return self.reason.value if self.rule is None else f"{self.reason.value} {self.rule.name}"


_Holds: TypeAlias = Callable[[Row], bool]
_Owned: TypeAlias = tuple[Intervals, Look]
"""A look that holds for the owners at some places."""

_FULL: Final = Level.DELETE
_SYSTEM: Final = Look(reason=Reason.SYSTEM, level=_FULL, held=True)
_ADMINISTRATOR: Final = Look(reason=Reason.ADMINISTRATOR, level=_FULL, held=True)
_OWNER: Final = Look(reason=Reason.OWNER, level=_FULL, held=True)


@attrs.frozen(kw_only=True)
class _Judge:
    """What a user has in one module by owners and by values, ready to be asked of single rows.

    *default* is what everybody has, *owners* are all whose records come by one of *owned*: looks that hold for some.
    """

    module: Module
    owner_at: int
    default: Look | None
    owners: Intervals
    owned: tuple[_Owned, ...]
    criteria: tuple[tuple[Rule, _Holds], ...]
    parent: tuple[int, Module, Level] | None


@attrs.define(eq=False)
class Decider:
    """Judges the records of one user, as long as his rights are those of *policy*."""

    state: State
    policy: Policy
    _judges: dict[ModuleId, _Judge] = attrs.field(factory=dict, init=False, repr=False)
    _gates: dict[tuple[Action, ModuleId], tuple[Step, ...]] = attrs.field(factory=dict, init=False, repr=False)
    _fields: dict[ModuleId, tuple[Module, Mapping[str, FieldLevel]]] = attrs.field(factory=dict, init=False, repr=False)

    def gates(self, action: Action, module: Module) -> tuple[Step, ...]:
        """Give the gates that are looked at before any record is."""
        found = self._gates.get((action, module.id))
        if found is None:
            found = self._gates[action, module.id] = self.policy.gates(action, module)
        return found

    def fields(self, module: Module) -> Mapping[str, FieldLevel]:
        """Give the fields that the user only reads; nothing is said of those that are hidden, and that nubetis sets."""
        found = self._fields.get(module.id)
        if found is None or found[0] is not module:
            found = self._fields[module.id] = module, self._only_read(module)
        return found[1]

    def _only_read(self, module: Module) -> Mapping[str, FieldLevel]:
        read = [each for each in module.all_fields if not each.system and self.policy.reads(module, each)]
        writes = self.state.planner().writes
        return {str(each.name): FieldLevel.READ for each in read if not writes(module, each)}

    def hidden(self, module: Module) -> Mapping[str, FieldLevel]:
        """Give the fields that are hidden from the user, for those who may know."""
        fields = [each for each in module.all_fields if not each.system and not self.policy.reads(module, each)]
        return {str(each.name): FieldLevel.HIDDEN for each in fields}

    def level(self, module: Module, row: Row, *, enough: Level = _FULL) -> tuple[Level, list[Look]]:
        """Give how far the user has a record, and the grants that give it: no more than are needed for *enough*."""
        level, found = Level.NONE, list[Look]()
        for look in self.looks(module, row, every=False):
            if look.held:
                found.append(look)
                level = max(level, look.level)
                if level >= enough:
                    break
        return level, found

    # the grants --------------------------------------------------------------------------------------------
    def looks(self, module: Module, row: Row, through: tuple[str, ...] = (), *, every: bool = True) -> Iterator[Look]:
        """Look at each grant, be it held or not, or not at *every* one of those that are not held.

        *through* are the modules of which this one is the parent.
        """
        policy = self.policy
        if not isinstance(policy, RolePolicy):
            yield _SYSTEM
            return
        if policy.user.administrator:
            yield _ADMINISTRATOR
        if module.system:
            yield self._of_system(module, row)
            return
        judge = self._judge(policy, module)
        yield from self._by_owner(judge, policy, row, every=every)
        for rule, holds in judge.criteria:
            held = holds(row)
            if held or every:
                yield Look(reason=Reason.CRITERIA, level=rule.level, held=held, rule=rule)
        yield from self.shares(policy, module, key_of(row))
        if judge.parent is not None and module.name not in through:
            yield from self._by_parent(policy, judge.parent, row, (*through, module.name))

    def _of_system(self, module: Module, row: Row) -> Look:
        if module.name not in INVOLVING:
            return Look(reason=Reason.EVERYBODY, level=_FULL, held=self._allowed(Action.VIEW, module, row))
        level = _FULL if self._allowed(Action.EDIT, module, row) else Level.READ
        held = level is _FULL or self._allowed(Action.VIEW, module, row)
        return Look(reason=Reason.INVOLVED, level=level, held=held)

    def _allowed(self, action: Action, module: Module, row: Row) -> bool:
        return self.state.planner().allowed(module, action)(row)

    def _by_owner(self, judge: _Judge, policy: RolePolicy, row: Row, *, every: bool) -> Iterator[Look]:
        owner = row[judge.owner_at]
        if every or owner == policy.user.key:
            yield _held(_OWNER, owner == policy.user.key)
        if judge.default is not None:
            yield judge.default
        place = -1 if owner is None else policy.directory.numbering.places.get(Key(int(owner)), -1)
        if every or place in judge.owners:
            yield from [_held(look, place in members) for members, look in judge.owned]

    def shares(self, policy: RolePolicy, module: Module, key: Key, *, related: bool = False) -> Iterator[Look]:
        """Look at the shares of a record, ended ones too; only at those for *related* records, if so said."""
        for share in kept_shares(self.state.txn, module, key):
            if related and not share.related:
                continue
            until = share.until
            ended = until if until is not None and until <= instant_text(self.state.world.now()) else None
            if policy.directory.reaches_user(policy.user.key, share.target, superiors=share.superiors):
                reason = Reason.TEAM if share.kind == "team" else Reason.SHARE
                yield Look(
                    reason=Reason.PARENT if related else reason, level=share.level, held=ended is None,
                    target=share.target, ended=ended,
                )  # fmt: skip

    def _by_parent(
        self, policy: RolePolicy, parent: tuple[int, Module, Level], row: Row, through: tuple[str, ...]
    ) -> Iterator[Look]:
        at, module, level = parent
        key = row[at]
        above = None if key is None else self.state.txn.get_many(module, [Key(int(key))])[0]
        there = above is not None and above[DELETED_IN] is None
        if level:
            has = there and above is not None and self._has(module, above, through)
            place = (module, above) if above is not None and has else None
            yield Look(reason=Reason.PARENT, level=level, held=has, above=place)
        if there and above is not None:
            related = self.shares(policy, module, key_of(above), related=True)
            yield from [attrs.evolve(each, above=(module, above)) for each in related]

    def _has(self, module: Module, row: Row, through: tuple[str, ...]) -> bool:
        return any(look.held for look in self.looks(module, row, through, every=False))

    # made ready --------------------------------------------------------------------------------------------
    def _judge(self, policy: RolePolicy, module: Module) -> _Judge:
        found = self._judges.get(module.id)
        if found is None or found.module is not module:
            found = self._judges[module.id] = self._made(policy, module)
        return found

    def _made(self, policy: RolePolicy, module: Module) -> _Judge:
        directory, user = policy.directory, policy.user.key
        reach = directory.reach(user, module.id)
        default = directory.default(module.id)
        field = next((each for each in module.fields if each.id == default.parent), None)
        parent = None
        if field is not None and len(field.targets) == 1:
            above = self.state.known.schema.module(field.targets[0])
            parent = None if above.system else (module.layout.index[field.column], above, default.parent_level)
        return _Judge(
            module=module, owner_at=module.layout.index[module.field("owner").column],
            default=Look(reason=Reason.DEFAULT, level=reach.everything, held=True) if reach.everything else None,
            owners=reach.owners[Level.READ], owned=tuple(_owned(directory, user, module, reach)),
            criteria=tuple([(rule, self._criterion(module, rule)) for rule in reach.criteria]),
            parent=parent,
        )  # fmt: skip

    def _criterion(self, module: Module, rule: Rule) -> _Holds:
        """Give the test of a rule on values, bound once unless it hangs on the present instant."""
        where, state = rule.where, self.state
        assert where is not None  # noqa: S101 - it is one by values
        found = standing(where, module, state.known.schema, state.view())
        if found.made or found.kept.hole:
            return lambda row: bool(state.planner().fitting(module, found.at(state.view()))(row))
        test = matcher(found.kept, module.layout.full_index, _Present(state))
        return lambda row: test(module.layout.fill(row))


def _owned(directory: Directory, user: Key, module: Module, reach: Reach) -> Iterator[_Owned]:
    """Give what gives a user records by their owners: the tree, and rules."""
    numbering, upward = directory.numbering, reach.default.upward
    role = numbering.role_of(user)
    if role is not None and upward:
        yield Intervals.of([numbering.below(role)]), Look(reason=Reason.HIERARCHY, level=upward, held=True)
        if numbering.peers(role):
            yield Intervals.of([numbering.own(role)]), Look(reason=Reason.PEERS, level=upward, held=True)
    place = numbering.places.get(user)
    for rule in [] if place is None else directory.rules_for(place, module.id):
        if rule.source is not None:
            look = Look(reason=Reason.RULE, level=rule.level, held=True, rule=rule)
            yield directory.members(rule.source), look


def _held(look: Look, held: bool) -> Look:  # noqa: FBT001 - what it says
    return look if held else attrs.evolve(look, held=False)


@attrs.frozen
class _Present:
    """Finds linked records in whatever transaction the session is in."""

    state: State

    def by_key(self, module: Module, key: int) -> Row | None:
        """See :class:`nubetis.model.evaluate.Related`."""
        return TxnRelated(self.state.txn).by_key(module, key)

    def by_link(self, module: Module, column: str, key: int) -> Iterable[Row]:
        """See :class:`nubetis.model.evaluate.Related`."""
        return TxnRelated(self.state.txn).by_link(module, column, key)


# -- the decision -----------------------------------------------------------------------------------------------------
def allows(state: State, action: Action, record: str | Record) -> bool:
    """Say whether :func:`judged` allows it; no more is looked at than that takes.

    Raises:
        NotFound: no module has records with such ids; ``unknown_module``.
    """
    gates = state.decider.gates
    if isinstance(record, str) and record in state.known.schema:
        return gates(action, state.known.schema.module(record))[-1].matched
    try:
        module, key = state.known.module_of(record.id if isinstance(record, Record) else record)
    except InvalidValue:
        state.known.asked_module(record)  # what is no id may be meant for a module: that is said
        raise
    if not gates(Action.VIEW, module)[-1].matched or not gates(action, module)[-1].matched:
        return False
    row = state.txn.get_many(module, [key])[0]
    if row is None or row[DELETED_IN] is not None:
        return False
    enough = NEEDED.get(action, Level.READ)
    return state.decider.level(module, row, enough=enough)[0] >= enough and _is_seen_by_asker(state, module, row)


def judged(state: State, action: Action, record: str | Record) -> Decision:
    """Give the decision about a record that the user may see, or about the module that *record* names.

    Raises:
        NotFound: there is no such record, or the user may not see it; ``unknown_module``.
    """
    named = state.known.asked_module(record)
    if named is not None:
        return decided(state, action, named)
    name = record.id if isinstance(record, Record) else RecordId(record)
    module, key = state.known.module_of(name)
    row = state.txn.get_many(module, [key])[0]
    if row is not None and row[DELETED_IN] is None:
        decider = state.decider
        found = decider.level(module, row)
        if found[0] and _is_seen_by_asker(state, module, row) and decider.gates(Action.VIEW, module)[-1].matched:
            return decided(state, action, module, record=name, found=found)
    raise NotFound("not_found", id=name, module=module.name)


def _is_seen_by_asker(state: State, module: Module, row: Row) -> bool:
    """Say whether one who looks on with less than all rights sees a record himself."""
    return not isinstance(state.policy, LookingPolicy) or state.planner().allowed(module, Action.VIEW)(row)


def decided(
    state: State,
    action: Action,
    module: Module,
    *,
    record: RecordId | None = None,
    found: tuple[Level, list[Look]] | None = None,
) -> Decision:
    """Give the decision about a *record* of which the grants were *found*, or about a module where there is none."""
    decider = state.decider
    gates, needed = decider.gates(action, module), NEEDED.get(action, Level.NONE)
    level, looks = found or (Level.NONE, [])
    if found is not None:  # of a record nobody may anything who may not view it
        needed = max(needed, Level.READ)
        views = decider.gates(Action.VIEW, module)
        gates = gates if views[-1].matched or not gates[-1].matched else views
    if found is not None and gates[-1].matched:
        reason = looks[0].reason if looks else Reason.NO_GRANT
        gates = (*gates, Step("grant", level >= needed, reason))
    last, facts = gates[-1], state.facts
    return Decision(
        allowed=last.matched, action=action, module=module.name, record=record, level=level, gates=gates,
        user=state.purpose if facts is None else facts.email,
        grants=tuple([_granted(look) for look in looks]),
        missing=() if last.matched else (_lack(last, action, module, needed),),
        fields=decider.fields(module),
        reasons=_reasons(last, looks, needed),
    )  # fmt: skip


def _reasons(last: Step, looks: list[Look], needed: Level) -> tuple[Reason, ...]:
    if not last.matched:
        none = Reason.SHORT if looks else Reason.NO_GRANT
        return (none if last.name == "grant" else last.reason,)
    return tuple(dict.fromkeys([look.reason for look in looks if look.level >= needed])) or (last.reason,)


def _granted(look: Look) -> Granted:
    return Granted(look.reason, look.level, "" if look.rule is None else look.rule.name)


def _lack(gate: Step, action: Action, module: Module, needed: Level) -> Lack:
    """Say what would have to be there for a gate to hold."""
    if gate.name == "grant":
        return Lack(Reason.NO_GRANT if gate.reason is Reason.NO_GRANT else Reason.SHORT, needed.text)
    function = function_of(module)
    what = "active" if gate.reason is Reason.INACTIVE else action.value if function is None else function.value
    return Lack(gate.reason, what)
