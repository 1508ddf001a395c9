"""Retention: how long what is kept, as rules that are data; and purging by them.

A rule is a record of the system module ``retention_rules``: planned, journalled, undone; only administrators write
it.  It says of one module: what fits a filter and has been *live* (or in the *bin*) for so many days without a change
goes into the recycle bin, or is purged.  Nothing goes by itself: a plan shows exactly which records would, and is
applied like any other, in transactions of 5,000 records, can be stopped and resumed.  Records under a legal hold are
never purged (:mod:`nubetis.session.holding`); the plan names them in its warnings.

::

    from nubetis.session.retaining import plan_retention, plan_rule

    s.apply(plan_rule(s, "leads", name="old leads", days=730, where=F.status == "unqualified"))
    s.apply(plan_rule(s, "leads", name="empty the bin", days=30, action="purge"))
    plan = plan_retention(s)
    s.apply(plan)

How long something lies in the bin is counted from the last change, which is the way there, unless it was erased from,
or an undo set its fields back, since.  Links to what was purged lead nowhere.
"""

from __future__ import annotations

import enum
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

import attrs

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue, NotFound, NubetisError, names_or_all, require
from nubetis.hookspecs import hookimpl
from nubetis.model.bind import All, Bound, No, Test, Viewpoint, bind
from nubetis.model.convert import to_json
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING, NOTHING, Filter
from nubetis.model.ids import encode
from nubetis.model.kinds import instant, instant_text
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Creates, Edits, Operation, Part, Plan, Refusal
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema, key_of
from nubetis.session.applying import Applier
from nubetis.session.asking import kept_filter
from nubetis.session.holding import Holding, free_view
from nubetis.session.spool import Spool
from nubetis.session.state import State
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleName, Progress, RecordId, Row

if TYPE_CHECKING:
    from nubetis.session.door import Session
    from nubetis.session.planning import Planner

__all__ = [
    "Fate",
    "RetentionRule",
    "RetentionRules",
    "Stage",
    "plan_retention",
    "plan_rule",
    "purge",
    "retain",
    "rules",
]

_E = TypeVar("_E", bound=enum.StrEnum)
_CHUNK: Final = 500
_LONGEST: Final = 36_500
"""Days: a hundred years."""
_SAID: Final = frozenset({"module", "where", "days", "action", "stage"})
_SOMEBODY: Final = encode("use", 1)
"""Stands for whom a filter names where it is only asked whether it fits."""


class Stage(enum.StrEnum):
    """Of which records a rule speaks."""

    LIVE = "live"
    BIN = "bin"
    """Those in the recycle bin."""


class Fate(enum.StrEnum):
    """What becomes of them."""

    BIN = "bin"
    """They go into the recycle bin."""
    PURGE = "purge"
    """They go for good; the journal keeps that they were there."""


@attrs.frozen(kw_only=True)
class RetentionRule:
    """A rule, as a value: what of *module* fits *where* and has been in its *stage* for *days* has this *action*.

    *fault* says why it cannot be followed, where it cannot: nothing fits it then.
    """

    name: str
    module: ModuleName
    where: Filter = EVERYTHING
    days: int
    action: Fate
    stage: Stage
    active: bool = True
    id: RecordId | None = None
    fault: str = ""


# -- rules ------------------------------------------------------------------------------------------------------------
def plan_rule(
    session: Session, module: str, *, name: str, days: int, action: str = "bin", where: Filter = EVERYTHING,
    stage: str | None = None,
) -> Plan:  # fmt: skip
    """Plan a rule for records of *module*.

    *action* is ``bin`` or ``purge``; *stage* is ``live``, or ``bin`` where the action is to purge, unless told
    otherwise.  A live record can be purged without a stay in the bin, but not a user, role, profile or the like.

    Raises:
        AccessDenied: the user is not an administrator.
        NotFound: the module, or a field of *where*.
        InvalidFilter: *where* does not fit the module, or depends on who asks.
        InvalidValue: ``bad_argument``; no such rule can be.
        Conflict: ``not_unique``; a rule has this name.
    """

    def work() -> Plan:
        planner, found = session.state.planner(), session.schema.module(module)
        planner.require(Action.CREATE, session.schema.module("retention_rules"))
        fate = _member(Fate, action, "action")
        usual = Stage.BIN if fate is Fate.PURGE else Stage.LIVE
        rule = RetentionRule(
            name=name, module=found.name, where=where, days=days, action=fate,
            stage=usual if stage is None else _member(Stage, stage, "stage"),
        )  # fmt: skip
        _check(rule, found)
        bind(where, found, session.schema, free_view(planner.view))
        values = {
            "name": name, "module": int(found.id), "days": days, "action": rule.action.value, "stage": rule.stage.value,
            "where": json.dumps(to_json(where), ensure_ascii=False),
        }  # fmt: skip
        return session.plan_create("retention_rules", [values])

    return session.state.read(work)


def _member(choices: type[_E], value: str, argument: str) -> _E:
    known = [each.value for each in choices]
    if value not in known:
        raise InvalidValue("bad_argument", argument=argument, reason=f"give {' or '.join(known)}")
    return choices(value)


def _check(rule: RetentionRule, module: Module) -> None:
    """Make sure that *rule* can be: of what, how old, and what then."""
    require(rule.name, str, argument="name", expected="a text")
    if not rule.name:
        raise InvalidValue("bad_argument", argument="name", reason="a rule has a name")
    if not module.journalled or module.name == "modules":  # a number of a module is never given again
        raise InvalidValue("bad_argument", argument="module", reason="its records are kept for ever")
    if type(rule.days) is not int or not 1 <= rule.days <= _LONGEST:
        raise InvalidValue("bad_argument", argument="days", reason="give a whole number of days from 1 to 36,500")
    if rule.action.value == rule.stage.value:
        raise InvalidValue("bad_argument", argument="stage", reason="what lies in the bin cannot go there")
    if module.system and rule.stage is Stage.LIVE:
        raise InvalidValue("bad_argument", argument="module", reason="nubetis needs its own records while they live")


def rules(session: Session) -> list[RetentionRule]:
    """Give the rules, oldest first, those that are not active or can no longer be followed, too.

    Raises:
        AccessDenied: the user is not an administrator.
    """
    return session.state.read(lambda: _rules(session.state.planner()))


def _rules(planner: Planner) -> list[RetentionRule]:
    module, view = planner.known.schema.module("retention_rules"), free_view(planner.view)
    planner.require(Action.EDIT, module)
    rows = filter(planner.allowed(module, Action.VIEW), planner.rows(module, LIVE))
    return [_rule_of(Record(module, row), planner.known.schema, view) for row in rows]


def _rule_of(record: Record, schema: Schema, view: Viewpoint) -> RetentionRule:
    """Give a record of the rules as a value; what cannot be followed has its fault, and nothing fits it."""
    module = schema.by_id.get(record["module"])
    rule = RetentionRule(
        name=record["name"], module=ModuleName("" if module is None else module.name), where=NOTHING,
        days=record["days"], action=Fate.BIN, stage=Stage.LIVE, active=record["active"] is not False, id=record.id,
    )  # fmt: skip
    if module is None:
        reason = "its module is gone"
        return attrs.evolve(rule, fault=reason)
    try:
        where = EVERYTHING if record["where"] is None else kept_filter(record["where"], module, schema)
        rule = attrs.evolve(rule, action=Fate(record["action"]), stage=Stage(record["stage"]))
        _check(rule, module)
        bind(where, module, schema, view)
    except (NubetisError, ValueError, RecursionError) as error:
        return attrs.evolve(rule, fault=str(error).rstrip("."))
    return attrs.evolve(rule, where=where)


def _unfit(rule: RetentionRule) -> Refusal:
    params = {"rule": rule.name, "reason": rule.fault}
    return Refusal(code="bad_retention", params=params, module=ModuleName("retention_rules"), record=rule.id)


class RetentionRules:
    """Refuses rules of retention that nobody could follow, however they are written; a plug-in of the core's own.

    One that cannot be followed any more may still be renamed, put out of action, or deleted.
    """

    @hookimpl
    def nubetis_validate(self, plan: Plan) -> Iterable[Refusal]:
        """Check creations of rules, and edits of what they say."""
        return [
            _unfit(rule)
            for part in plan.parts
            if part.module.name == "retention_rules" and _speaks(part)
            for rule in _written(part, plan)
            if rule.fault
        ]


def _speaks(part: Part) -> bool:
    """Say whether *part* changes what rules say."""
    return isinstance(part, Creates) or any(field.name in _SAID for field in part.fields)


def _written(part: Part, plan: Plan) -> Iterator[RetentionRule]:
    """Give the rules of *part* as they would be."""
    view = Viewpoint(now=plan.at, find_user=lambda _: _SOMEBODY)
    for row in part.rows if isinstance(part, Creates) else part.changed_rows():
        yield _rule_of(Record(part.module, row), plan.schema, view)


# -- what the rules would do ------------------------------------------------------------------------------------------
def plan_retention(session: Session, *, names: Sequence[str] | None = None) -> Plan:
    """Plan what the active rules say, as of now; or those with *names*, active or not.

    Of records that the user may not delete nothing is planned, or told.  What several rules name goes by the first
    of them.  What a legal hold keeps from being purged stands in the plan's warnings (``legal_hold``), and so does a
    rule that can no longer be followed (``bad_retention``).

    Raises:
        AccessDenied: the user is not an administrator.
        NotFound: ``not_found``; no rule has one of *names*.
        InvalidValue: ``bad_argument``; *names* is empty.
    """
    wanted = names_or_all(names, argument="names")

    def work() -> Plan:
        planner = session.state.planner()
        found = _rules(planner)
        if unknown := set(wanted or ()) - {rule.name for rule in found}:
            raise NotFound("not_found", id=min(unknown), module="retention_rules")
        asked = [rule for rule in found if (rule.active if wanted is None else rule.name in wanted)]
        cause = Cause(CauseKind.RULE, {"retention": [str(rule.name) for rule in asked]})
        return _Retention(planner).plan(asked, cause)

    return session.state.read(work)


def retain(
    session: Session, *, names: Sequence[str] | None = None, progress: Progress | None = None
) -> Operation | None:
    """Do what the active rules say, or those with *names*; one that is stopped can be resumed.

    ``None`` where there is nothing to do: no operation is made of it.

    Raises:
        Refused: a plug-in stands against some of it; and whatever planning and applying raise.
    """
    plan = plan_retention(session, names=names)
    return session.apply(plan, progress=progress) if len(plan) or plan.refusals else None


def purge(state: State, before: datetime) -> int:
    """Take records for good out of the recycle bin that were put there before an instant; give their number.

    What is under a legal hold, or moved meanwhile, stays; so do users, who are tombstones that records name.
    """
    limit = instant_text(instant(before, name="before"))

    def work() -> Plan:
        planner = state.planner()
        modules = [each for each in state.known.schema.modules if each.journalled and each.name not in _STAYING]
        retention = _Retention(planner)
        parts = [retention.purged(module, planner.rows(module, _unchanged(Stage.BIN, limit))) for module in modules]
        return retention.planned(parts, Cause(CauseKind.SYSTEM, {"purge": limit}))

    plan = state.read(work)
    return Applier(state, plan, tolerance=len(plan)).run().position if len(plan) else 0


_STAYING: Final = frozenset({"modules", "users"})


def _unchanged(stage: Stage, limit: str) -> Bound:
    return All((LIVE if stage is Stage.LIVE else No(LIVE), Test("modified_at", Operator.LT, limit)))


@attrs.define
class _Retention:
    """Makes one plan; *warnings* is what stays under a hold.

    *seen* has, for modules of which several rules speak, the records that are in the plan already.
    """

    planner: Planner
    seen: dict[ModuleName, set[Key]] = attrs.field(factory=dict)
    warnings: list[Refusal] = attrs.field(factory=list)
    refusals: list[Refusal] = attrs.field(factory=list)

    def plan(self, asked: Sequence[RetentionRule], cause: Cause) -> Plan:
        times = Counter([rule.module for rule in asked])
        self.seen = {module: set() for module, rules_of_it in times.items() if rules_of_it > 1}
        self.warnings += [_unfit(rule) for rule in asked if rule.fault]
        return self.planned([self._part(rule) for rule in asked if not rule.fault], cause)

    def planned(self, parts: Iterable[Edits], cause: Cause) -> Plan:
        kept = tuple([part for part in parts if len(part)])
        plan = Plan(cause=cause, parts=kept, refusals=tuple(self.refusals), warnings=tuple(self.warnings))
        return self.planner.checked(plan)

    def _part(self, rule: RetentionRule) -> Edits:
        module = self.planner.known.schema.module(rule.module)
        rows = self.planner.rows(module, self._bound(rule, module))
        if module.name in self.seen:
            rows = _unseen(rows, self.seen[module.name])
        if rule.action is Fate.PURGE:
            return self.purged(module, rows)
        part, refused = self.planner.moves(module, rows, ChangeKind.DELETE)
        self.refusals += refused
        return part

    def _bound(self, rule: RetentionRule, module: Module) -> Bound:
        view = self.planner.view
        limit = instant_text(view.now - timedelta(days=rule.days))
        wanted = bind(rule.where, module, self.planner.known.schema, view)  # links lead to what the user sees
        return All((_unchanged(rule.stage, limit), wanted, self.planner.granted(module, Action.DELETE)))

    def purged(self, module: Module, rows: Iterable[Row]) -> Edits:
        """Give the part that purges *rows*, without those that are held."""
        return Edits(module, Spool(self._free(module, iter(rows))), kind=ChangeKind.PURGE)

    def _free(self, module: Module, rows: Iterator[Row]) -> Iterator[Row]:
        holding = Holding.of(self.planner, module)
        while chunk := list(islice(rows, _CHUNK)):
            held = holding.of_rows(chunk)
            self.warnings += [_spared(module, key, hold) for key, hold in held.items()]
            yield from (row for row in chunk if key_of(row) not in held)


def _unseen(rows: Iterable[Row], seen: set[Key]) -> Iterator[Row]:
    """Give the *rows* that are not in *seen*, and note them there."""
    for row in rows:
        if key_of(row) not in seen:
            seen.add(key_of(row))
            yield row


def _spared(module: Module, key: Key, hold: RecordId) -> Refusal:
    record = encode(module.prefix, key)
    params = {"id": record, "hold": hold}
    return Refusal(code="legal_hold", params=params, module=module.name, record=record)
