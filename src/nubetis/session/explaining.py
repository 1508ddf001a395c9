"""Why somebody may do something or not: every gate and grant that was looked at, and what nearly was enough."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action, Decision, Explanation, Granted, Reason, Step
from nubetis.access.permissions import Permissions
from nubetis.access.policy import RolePolicy, function_of
from nubetis.access.sharing import NEEDED, Level, Principal, PrincipalKind, Rule
from nubetis.errors import AccessDenied, one_of
from nubetis.model.ids import decode
from nubetis.model.numbered import named
from nubetis.model.record import Record
from nubetis.model.schema import key_of
from nubetis.model.text import show
from nubetis.session.deciding import Look, decided
from nubetis.session.delegating import lenders
from nubetis.session.state import State
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.session.door import Session
    from nubetis.types import Row

__all__ = ["explain_for", "explained", "may_ask", "require_insight", "sees_rules"]


def explained(state: State, decision: Decision, *, asker: State | None = None) -> Explanation:
    """Give the steps that lead the user of *state* to *decision*.

    What nearly was enough is told to *asker*, another who may explain access, or to the user if he may himself.
    """
    asker = asker or state.told()
    gates = [_told_gate(state, decision, each) for each in decision.gates if each.name != "grant"]
    if asker is not None:
        decision = attrs.evolve(decision, grants=_told_grants(decision, state, asker))
    knows = asker or (state if sees_rules(state) else None)
    if decision.record is None or not gates[-1].matched:
        told = () if decision.allowed or knows is None else tuple(_for_others(state, decision))
        return Explanation(decision=decision, steps=tuple(gates), misses=told)
    module, key = state.known.module_of(decision.record)
    row = state.txn.get_many(module, [key])[0]
    looks = [] if row is None else list(state.decider.looks(module, row))
    looks = looks if asker is None else list(_told_looks(looks, asker))
    knows_owner = "owner" in (asker or state).sight.module(module).layout.slots
    needed = NEEDED.get(decision.action, Level.NONE)
    teller = _Teller(state, module, () if row is None else row, needed, knows_owner, asker)
    misses = () if decision.allowed or knows is None else (*_for_others(state, decision), *teller.misses(looks, knows))
    return Explanation(decision=decision, steps=(*gates, *teller.steps(looks)), misses=misses)


def _for_others(state: State, decision: Decision) -> Iterator[str]:
    """Name those for whom the user may do it, though not for himself."""
    name = decision.record
    module, key = (state.known.schema.module(decision.module), None) if name is None else state.known.module_of(name)
    row = None if key is None else state.txn.get_many(module, [key])[0]
    for other in lenders(state):
        found = None if row is None else other.decider.level(module, row)
        if decided(other, decision.action, module, record=name, found=found).allowed and other.facts is not None:
            yield f"acting for {other.facts.email} would do"


def _told_gate(state: State, decision: Decision, gate: Step) -> Step:
    """Name the profile and the permission sets by which a gate holds, or what they lack."""
    policy = state.policy
    if gate.name != "profile" or not isinstance(policy, RolePolicy):
        return gate
    roster, user = policy.directory.roster, policy.directory.users[policy.user.key]
    module = state.known.schema.module(decision.module)
    having = [("profiles", user.profile, roster.profiles[user.profile].permissions)]
    having += [("permission_sets", key, roster.sets[key]) for key in user.sets if key in roster.sets]
    function, permitted = function_of(module), policy.permissions.verbs(module.id)
    action = decision.action if gate.matched or decision.action not in permitted else Action.VIEW

    def permits(each: Permissions) -> bool:
        return function in each.functions if module.system else action in each.verbs(module.id)

    told = [each for each in having if not gate.matched or permits(each[2])]
    kinds = {"profiles": "profile", "permission_sets": "permission set"}
    names = [f"{kinds[kind]} {_name(state, kind, key)}" for kind, key, _ in told]
    lacked = f"{module.name}.{action.value}" if function is None else function.value
    lacks = [] if gate.matched else [f"without {lacked}"]
    return attrs.evolve(gate, detail=", ".join([*names[: 1 if gate.matched else None], *lacks]))


def _name(state: State, module: str, key: Key | None) -> str:
    found = state.known.schema.module(module)
    row = None if key is None else state.txn.get_many(found, [key])[0]
    return "nobody" if row is None else str(Record(found, row)["name"])


def may_ask(rule: Rule, asker: State) -> bool:
    """Say whether *asker* may read all that a rule asks for: if not, it would tell him what it found there."""
    policy = asker.policy
    return not isinstance(policy, RolePolicy) or policy.may_ask(rule, asker.view())


def _told_grants(decision: Decision, state: State, asker: State) -> tuple[Granted, ...]:
    """Give the grants of a decision; a rule of which *asker* may not know whether it holds has no name."""
    policy = state.policy
    rules = policy.directory.roster.rules if isinstance(policy, RolePolicy) else ()
    secret = {rule.name for rule in rules if not may_ask(rule, asker)}
    return tuple([attrs.evolve(each, rule="") if each.rule in secret else each for each in decision.grants])


def _told_looks(looks: Iterable[Look], asker: State) -> Iterator[Look]:
    """Give what was looked at without the rules of which *asker* may not know whether they hold.

    What such a rule gives is told by the decision itself; so it stands there, but not by which rule.
    """
    for look in looks:
        if look.rule is None or may_ask(look.rule, asker):
            yield look
        elif look.held:
            yield attrs.evolve(look, rule=None)


_ALWAYS: Final = {Reason.DEFAULT, Reason.HIERARCHY, Reason.SHARE, Reason.TEAM}
"""What a step says of that it was looked for, also where there is none."""
_SHOWN: Final = 4
_WAYS: Final = {
    Reason.DEFAULT: "what everybody has", Reason.HIERARCHY: "tree of roles"
}  # fmt: skip
"""Other words than its code by which a grant is called."""
_LEVELS: Final = {Level.NONE: "nothing", Level.READ: "read", Level.WRITE: "read and write", Level.DELETE: "all"}


@attrs.frozen
class _Teller:
    """Tells of the grants of one record as people do: with the names of roles, groups and users."""

    state: State
    module: Module
    row: Row
    needed: Level
    knows_owner: bool
    """Whether the one who is told may read who owns the record."""
    asker: State | None = None
    """Who is told, where it is not the user himself."""

    def steps(self, looks: list[Look]) -> Iterator[Step]:
        """Give a step for each grant that was looked at, in order."""
        for look in looks:
            far = look.level >= self.needed
            yield Step(look.name, look.held and far, look.reason, self._detail(look), short=look.held and not far)
        if looks and looks[0].reason is Reason.OWNER:
            reasons = {look.reason for look in looks}
            yield from [Step(each.value, matched=False, reason=each) for each in Reason if each in _ALWAYS - reasons]

    def _detail(self, look: Look) -> str:
        found: list[str] = []
        if look.held and look.reason is Reason.HIERARCHY and self.knows_owner:
            found.append(self._path())
        if look.rule is not None:
            found.append(f"through {self._way(look.rule.target)}")
        if look.target is not None:
            found.append(f"with {self._way(look.target)}")
        if look.ended is not None:
            found.append(f"ended at {look.ended}")
        if look.above is not None:
            found += self._parent(*look.above, shared=look.target is not None)
        if look.held and (look.level < self.needed or look.reason is Reason.PARENT):
            found.append(f"gives {_LEVELS[look.level]}")
        return ", ".join(found)

    def _parent(self, module: Module, row: Row, *, shared: bool) -> Iterator[str]:
        """Name the parent, and by what the user has it, to one who sees it and may read the link to it."""
        told_to = self.asker or self.state
        link = self._policy.directory.default(self.module.id).parent
        seen = told_to.record_now(module, key_of(row))
        if seen is None or link not in told_to.sight.module(self.module).by_id:
            return
        yield f"parent {seen.title} ({seen.id})"
        if shared:
            return
        looks = self.state.decider.looks(module, row, (self.module.name,))
        told = looks if self.asker is None else _told_looks(looks, self.asker)
        held = next((each for each in told if each.held), None)
        if held is not None:
            yield f"had by {_WAYS.get(held.reason, held.reason.value) if held.rule is None else _called(held)}"

    # names -------------------------------------------------------------------------------------------------
    def _named(self, module: str, key: Key | None) -> str:
        return _name(self.state, module, key)

    def _principal(self, given: Principal) -> str:
        if given.kind is PrincipalKind.EVERYBODY:
            return given.text
        module, word = _WORDS[given.kind]
        return f"{word}{self._named(module, given.key)}{' and below' if given.subordinates else ''}"

    def _way(self, target: Principal) -> str:
        """Give the way from *target* to the user, through the groups in it; or that it goes to those above."""
        directory, me = self._policy.directory, self._policy.user.key
        if not directory.reaches_user(me, target, superiors=False):
            return f"{self._principal(target)}, as one above"
        way = [target]
        while way[-1].kind is PrincipalKind.GROUP:
            inner = directory.roster.groups.get(way[-1].key, ())
            following = [each for each in inner if directory.reaches_user(me, each, superiors=False)]
            if not following or following[0] in way:
                break
            way.append(following[0])
        return " > ".join(map(self._principal, way))

    def _path(self) -> str:
        """Give the way from the user down to the owner: ``Ana > Ventas Norte > … > Luis``."""
        numbering, owner = self._policy.directory.numbering, self._owner
        below, mine = numbering.role_of(owner), numbering.role_of(self._policy.user.key)
        roles = [] if below is None else [below, *numbering.above(below)]
        between = [] if mine is None or mine not in roles else roles[: roles.index(mine)][::-1]
        names = [self._named("roles", each) for each in between]
        names = [names[0], "…", names[-1]] if len(names) > _SHOWN else names
        return " > ".join([self._named("users", self._policy.user.key), *names, self._named("users", owner)])

    @property
    def _owner(self) -> Key:
        return Key(int(self.row[self.module.layout.index["owner"]] or 0))

    @property
    def _policy(self) -> RolePolicy:
        policy = self.state.policy
        assert isinstance(policy, RolePolicy)  # noqa: S101 - nubetis itself has no path and no principals
        return policy

    # what nearly was enough --------------------------------------------------------------------------------
    def misses(self, looks: list[Look], asker: State) -> Iterator[str]:
        """Say what nearly was enough, the nearest first."""
        yield from [
            f"{_called(look)} gives {_LEVELS[look.level]}" for look in looks if look.held and look.level < self.needed
        ]
        looks = list(_told_looks(looks, asker))
        far = [look for look in looks if not look.held and look.level >= self.needed]
        for look in far:
            if look.ended is not None and look.target is not None:
                yield f"the {look.reason.value} with {self._principal(look.target)} ended at {look.ended}"
        for look in far:
            if look.rule is not None:
                yield f"rule {look.rule.name} would apply if {self._condition(look.rule)}"
        yield from self._peers()
        yield from self._others(asker)
        for look in far:
            if look.reason is Reason.HIERARCHY:
                role = self._policy.directory.numbering.role_of(self._policy.user.key)
                yield f"hierarchy would apply if the owner were below role {self._named('roles', role)}"

    def _condition(self, rule: Rule) -> str:
        if rule.source is not None:
            return f"the owner were {self._principal(rule.source)}"
        return "" if rule.where is None else show(named(rule.where, self.module, self.state.known.schema))

    def _peers(self) -> Iterator[str]:
        """Name the role that the owner has, too, where those who have it do not see each other's records."""
        directory = self._policy.directory
        role = directory.numbering.role_of(self._policy.user.key)
        if role is None or not self.knows_owner or role != directory.numbering.role_of(self._owner):
            return
        if not directory.numbering.peers(role) and directory.default(self.module.id).upward >= self.needed:
            yield f"peers would apply if those of role {self._named('roles', role)} saw each other's records"

    def _others(self, asker: State) -> Iterator[str]:
        """Name the rules that give the record to somebody else."""
        directory, planner = self._policy.directory, self.state.planner()
        place = directory.numbering.places.get(self._owner, -1)
        mine = {
            rule.key for rule in directory.rules_for(directory.numbering.places[self._policy.user.key], self.module.id)
        }
        for rule in directory.roster.rules:
            if (
                rule.module != self.module.id
                or rule.key in mine
                or rule.level < self.needed
                or not may_ask(rule, asker)
            ):
                continue
            by_owner = rule.source is not None and place in directory.members(rule.source)
            if by_owner or (rule.where is not None and planner.test(self.module, rule.where)(self.row)):
                yield f"rule {rule.name} gives it to {self._principal(rule.target)}"


def _called(look: Look) -> str:
    return look.name if look.rule is None else f"rule {look.rule.name}"


_WORDS: Final = {
    PrincipalKind.USER: ("users", ""),
    PrincipalKind.ROLE: ("roles", "role "),
    PrincipalKind.GROUP: ("groups", "group "),
}


def sees_rules(state: State) -> bool:
    """Say whether the user may know the rules that give others what they have."""
    policy = state.policy
    return not isinstance(policy, RolePolicy) or policy.insight


def require_insight(state: State) -> None:
    """Stop one who may not look at others' rights.

    Raises:
        AccessDenied: he is neither an administrator nor permitted to explain access.
    """
    if not sees_rules(state):
        raise AccessDenied("denied", user="This user", action="explain access", module="this organisation")


def explain_for(session: Session, user: str, action: str, record: str | Record) -> Explanation:
    """Explain what another *user* may do with a record that one sees oneself, nearest misses included.

    The fields that are hidden from him are named in the decision, as far as one may read them oneself.

    Raises:
        AccessDenied: the user of the session may not explain access.
        NotFound: ``unknown_user``; there is no such record, or the user of the session may not see it.
    """
    wanted = one_of(Action, action, argument="action")

    def work() -> Explanation:
        state = session.state
        require_insight(state)
        module, row, name = state.asked_about(record, session.get)
        other = state.of_user(decode(state.known.find_user(state.txn, user))[1])
        found = None if row is None else other.decider.level(module, row)
        decision = decided(other, wanted, module, record=name, found=found)
        seen = state.sight.module(module).layout.slots
        fields = {**decision.fields, **other.decider.hidden(module)}
        told = {each: level for each, level in fields.items() if each in seen}
        return explained(other, attrs.evolve(decision, fields=told), asker=state)

    return session.state.read(work)
