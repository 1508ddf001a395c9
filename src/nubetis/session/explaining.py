"""Why somebody may do something or not: every gate and grant that was looked at, and what nearly was enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nubetis.access.decision import Action, Decision, Explanation, Reason, Step
from nubetis.access.permissions import Function
from nubetis.access.policy import Grant, RolePolicy
from nubetis.access.sharing import NEEDED, Level
from nubetis.errors import AccessDenied, one_of
from nubetis.model.ids import decode
from nubetis.model.text import show
from nubetis.session.state import State

if TYPE_CHECKING:
    from nubetis.model.record import Record
    from nubetis.model.schema import Module
    from nubetis.session.door import Session
    from nubetis.types import RecordId, Row

__all__ = ["explain_for", "explained", "require_insight"]


def explained(
    state: State, action: Action, module: Module, row: Row | None, record: RecordId | None, *, insight: bool = False
) -> Explanation:
    """Give the decision of the user of *state* about a record, or about a module where there is no *row*.

    What nearly was enough is told where he may know the rules, or with *insight* where somebody asks who may.
    """
    policy, needed = state.policy, NEEDED.get(action, Level.NONE)
    gate = policy.gate(action, module)
    grants = [] if row is None else _looked_at(state, module, row)
    steps = [Step(_name(each), matched=held, reason=each.reason) for each, held in grants if each.level >= needed]
    allowed = gate.matched and (row is None or state.planner().allowed(module, action)(row))
    matched = dict.fromkeys(step.reason for step in steps if step.matched) if allowed else {}
    lacking = (Reason.NO_GRANT,) if gate.matched and not allowed else (gate.reason,)
    decision = Decision(
        allowed=allowed, action=action, module=module.name, record=record,
        user=state.facts.email if state.facts is not None else state.purpose,
        reasons=tuple(matched) or lacking,
    )  # fmt: skip
    told = gate.matched and not allowed and (insight or _sees_rules(state))
    misses = tuple(_misses(grants, needed)) if told else ()
    return Explanation(decision=decision, steps=(gate, *_once(steps)), misses=misses)


def _looked_at(state: State, module: Module, row: Row) -> list[tuple[Grant, bool]]:
    planner = state.planner()
    return [(each, planner.test(module, each.where)(row)) for each in state.policy.grants(module)]


def _name(grant: Grant) -> str:
    return grant.reason.value if grant.rule is None else f"{grant.reason.value} {grant.rule.name}"


def _once(steps: list[Step]) -> Iterator[Step]:
    """Give one step for each name: a share is looked for at each level."""
    for name in dict.fromkeys(step.name for step in steps):
        same = [step for step in steps if step.name == name]
        yield next((step for step in same if step.matched), same[0])


def _misses(grants: list[tuple[Grant, bool]], needed: Level) -> Iterator[str]:
    """Say what nearly was enough: a grant that does not go so far, a rule whose values the record has not."""
    for grant, held in grants:
        if held and grant.level < needed:
            yield f"{_name(grant)} gives {grant.level.text}"
    rules = [each.rule for each, held in grants if each.rule is not None and not held and each.level >= needed]
    for rule in rules:
        if rule.where is not None:
            yield f"rule {rule.name} would apply if {show(rule.where)}"


def _sees_rules(state: State) -> bool:
    policy = state.policy
    if not isinstance(policy, RolePolicy):
        return True
    return policy.may(Function.EXPLAIN_ACCESS)


def require_insight(state: State) -> None:
    """Stop one who may not look at others' rights.

    Raises:
        AccessDenied: he is neither an administrator nor permitted to explain access.
    """
    if not _sees_rules(state):
        raise AccessDenied("denied", user="This user", action="explain access", module="this organisation")


def explain_for(session: Session, user: str, action: str, record: str | Record) -> Explanation:
    """Explain what another *user* may do with a record that one sees oneself, nearest misses included.

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
        return explained(other, wanted, module, row, name, insight=True)

    return session.state.read(work)
