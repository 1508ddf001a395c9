"""Changes of people and sharing: the plan is shown, and who gains and loses what by it, before it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs
import click

from nubetis.access.sharing import Level
from nubetis.cli.call import Answer, Call
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.locking import lockout_facts, say_lockouts
from nubetis.cli.plans import operation_facts, operations_grid, plan_facts, plan_text
from nubetis.cli.texts import EXIT_CODES, _, counted, say_label, say_level
from nubetis.cli.wording import plan_rows, plan_words
from nubetis.errors import AccessDenied, NubetisError
from nubetis.session.door import refused
from nubetis.session.lockouts import lockouts
from nubetis.session.planning import STRUCTURAL
from nubetis.session.previewing import check_plan, preview

if TYPE_CHECKING:
    from nubetis import Plan, Session
    from nubetis.session.lockouts import Lockouts
    from nubetis.session.previewing import AccessChange, Gain

__all__ = ["Look", "agreed", "carry_out", "change_options", "changes_access", "look"]

_SHOWN: Final = 12


def change_options(function: Callable[..., Answer]) -> Callable[..., Answer]:
    """Give a command ``--dry-run`` and ``--yes``, which go to :func:`carry_out`."""
    dry = click.option("--dry-run", is_flag=True, help=_("Show the plan and who gains and loses by it; do nothing."))
    yes = click.option("--yes", "-y", is_flag=True, help=_("Do it without asking."))
    return dry(yes(function))


def carry_out(call: Call, planned: Callable[[Session], Plan], *, dry_run: bool, yes: bool) -> Answer:
    """Show a plan and what it changes for whom; do it, once somebody agrees."""
    with call.session() as session:
        plan = planned(session)
        if plan.refusals:
            raise refused(attrs.evolve(plan, parts=()))  # it is done whole, or not at all
        found = look(session, plan)
        if not dry_run and len(plan):
            if not agreed(call, found, yes=yes):
                return EXIT_CODES["refused"]
            with call.face.progress(_("Writing")) as progress:
                done = session.apply(found.plan, progress=progress)
            facts = {**found.facts, "operation": operation_facts(done)}
            call.face.answer(facts, lambda: group(found.title, operations_grid([done], room=call.face.room)))
            return None
    call.face.answer(found.facts, lambda: found.shown(call.face.room))
    return None


def agreed(call: Call, found: Look, *, yes: bool) -> bool:
    """Ask with all before one's eyes, where *yes* was not said before."""
    if yes:
        return True
    call.face.show(found.shown(call.face.room))
    answer = call.face.agrees(_("Do it?"))
    if answer is None:
        raise click.UsageError(_("Nobody is there to be asked: give --yes, or --dry-run to look only."))
    if not answer:
        call.face.note(_("Nothing was changed."))
    return answer


def changes_access(plan: Plan) -> bool:
    """Say whether a plan writes to what access is made of."""
    return any(part.module.name in STRUCTURAL for part in plan.parts)


def look(session: Session, plan: Plan) -> Look:
    """Look at a plan, which must be able to stand.

    Raises:
        Refused: it cannot.
    """
    check_plan(session, plan)
    try:
        changes = _previewed(session, plan)
        locked = lockouts(session, plan)
    except AccessDenied:  # it tells of others' rights
        changes, locked = None, None
    named = [] if locked is None else [*locked.signed_out, *locked.lost]
    others = [each for change in changes or () for each in (*change.acts_for_gained, *change.acts_for_lost)]
    named = [*named, *others, *[each.user for each in changes or ()]]
    users = {**_new_users(plan), **_names_of(session, frozenset(named))}
    labels = {str(each.name): say_label(each) for each in session.schema.modules if not each.system}
    return Look(plan=plan, changes=changes, rows=plan_rows(session, plan), users=users, labels=labels, locked=locked)


def _previewed(session: Session, plan: Plan) -> list[AccessChange]:
    """Give who gains and loses what, compared record by record where that is soon done."""
    with suppress(NubetisError):  # somebody else writes, or would stop it: then by what owners and rules say
        if len(plan) <= _SOON and session.count("users") * _records(session) <= _SOON * _SOON:
            return preview(session, plan, exact=True)
    return preview(session, plan)


def _records(session: Session) -> int:
    return sum(session.count(each.name) for each in session.schema.modules if not each.system)


_SOON: Final = 500


@attrs.frozen(kw_only=True)
class Look:
    """A plan, and what it changes for whom; ``None`` where one may not know that."""

    plan: Plan
    changes: Sequence[AccessChange] | None
    rows: Sequence[Sequence[object]]
    users: Mapping[str, str]
    labels: Mapping[str, str]
    locked: Lockouts | None

    @property
    def facts(self) -> dict[str, object]:
        """What programs are told."""
        told = (
            None
            if self.changes is None
            else [{"email": self.users.get(each.user), **_facts(each)} for each in self.changes]
        )
        locked = None if self.locked is None else lockout_facts(self.locked)
        return {"plan": plan_facts(self.plan), "preview": told, "lockouts": locked}

    @property
    def title(self) -> RenderableType:
        """The plan, and how many gain and lose by it, in two lines."""
        return group(line(plan_text(self.plan), "bold"), line(self._summary()))

    def _summary(self) -> str:
        if self.changes is None:
            return _("Who gains and loses by it is for those who may explain access.")
        seen = list(map(_without_ways, self.changes))
        gain, lose = sum(each.gains for each in seen), sum(each.loses for each in seen)
        if not gain and not lose and self.changes:
            count = len(self.changes)
            return counted("Nobody gains or loses records now; it may concern {count} user.",
                           "Nobody gains or loses records now; it may concern {count} users.", count)  # fmt: skip
        if not gain and not lose:
            return _("Nobody else gains or loses by it.") if self.locked else _("Nobody gains or loses by it.")
        said = [counted("{count} user gains access", "{count} users gain access", gain)] if gain else []
        said += [counted("{count} user loses access", "{count} users lose access", lose)] if lose else []
        return f"{', '.join(said)}."

    def shown(self, room: int) -> RenderableType:
        """Give the plan and the preview as tables."""
        return group(
            line(plan_text(self.plan), "bold"),
            *plan_words(self.plan, self.rows, room),
            line(self._summary(), "bold"),
            *self._locked(),
            *self._preview(room),
        )

    def _locked(self) -> list[RenderableType]:
        said = [] if self.locked is None else say_lockouts(self.locked, self.users, self.labels)
        return [line(each, "bold red") for each in said]

    def _preview(self, room: int) -> list[RenderableType]:
        if not self.changes:
            return []
        names = [_("user"), _("where"), _("gains"), _("loses")]
        rows = [row for each in self.changes[:_SHOWN] for row in _preview_rows(each, self.users, self.labels)]
        left = len(self.changes) - _SHOWN
        more = counted("(and {count} more user)", "(and {count} more users)", left)
        return [grid(names, rows, room=room, wrap=names[2:]), *([line(more, "dim")] if left > 0 else [])]


# --- who gains and loses ---------------------------------------------------------------------------


def _without_ways(change: AccessChange) -> AccessChange:
    """Leave out what may come and go by the parent of records where none does: all of them were counted."""
    modules = [
        attrs.evolve(each, by_parent_gained={}, by_parent_lost={}) if each.exact else each for each in change.modules
    ]
    return attrs.evolve(change, modules=tuple(modules))


def _facts(change: AccessChange) -> dict[str, object]:
    """Give what changes for one user, and nothing of the rest; *none_yet* are modules in which there is no record."""
    sides = {
        side: [
            str(each.module) for each in change.modules if (counts := getattr(each, side)) and not any(counts.values())
        ]
        for side in ("gained", "lost")
    }
    modules = list(map(_facts_of_module, change.modules))
    facts = {
        "signs_in": change.signs_in if change.signs_in[0] != change.signs_in[1] else (),
        "keeps": change.keeps,
        "modules": [each for each in modules if len(each) > 1],
        "none_yet": {side: names for side, names in sides.items() if names},
        **{name: getattr(change, name) for name in _SIDES_OF_USER},
    }
    return {"user": change.user, **{name: value for name, value in facts.items() if value}}


_SIDES_OF_USER: Final = (
    "permissions_gained", "permissions_lost", "fields_gained", "fields_lost", "acts_for_gained", "acts_for_lost",
)  # fmt: skip


def _facts_of_module(gain: Gain) -> dict[str, object]:
    facts = attrs.asdict(gain)
    for side in ("gained", "lost"):
        facts[side] = {level: count for level, count in facts[side].items() if count}
    if gain.everybody[0] == gain.everybody[1]:
        facts["everybody"] = ()
    facts["exact"] = gain.exact and bool(facts["gained"] or facts["lost"])
    return {name: value for name, value in facts.items() if value}


def _preview_rows(change: AccessChange, users: Mapping[str, str], labels: Mapping[str, str]) -> Iterator[list[object]]:
    gained, lost = _sides(change, labels)
    for side, others in ((gained, change.acts_for_gained), (lost, change.acts_for_lost)):
        if others:
            side[_("acts for")] = ", ".join([users.get(each, each) for each in others])
    alike: dict[tuple[str, str], list[str]] = {}
    for where in dict.fromkeys([*gained, *lost]):
        alike.setdefault((gained.get(where, ""), lost.get(where, "")), []).append(where)
    for place, (sides, several) in enumerate(alike.items()):
        user = users.get(change.user, change.user) if place == 0 else ""
        yield [user, _where(several, len(labels)), *sides]


def _where(several: Sequence[str], modules: int) -> str:
    """Give the modules for which the same holds; many are counted."""
    if len(several) == modules:
        return _("every module")
    return ", ".join(several) if len(several) <= _NAMED else _("{count} modules").format(count=len(several))


_NAMED: Final = 3


def _sides(change: AccessChange, labels: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Give what one gains, and what he loses, by where: signing in, a module, the permissions, or the fields."""
    sides = _signing_in(change)
    for each in change.modules:
        before, after = each.everybody
        rises = Level.parse(after) > Level.parse(before)
        everybody = f"{_('of everybody')}: {say_level(before)} → {say_level(after)}" if before != after else ""
        for side, records, rules, ways in (
            (0, each.gained, each.rules_gained, each.by_parent_gained),
            (1, each.lost, each.rules_lost, each.by_parent_lost),
        ):
            others = [*map(_rule, rules), *[_way(field, level) for field, level in ways.items()]]
            said = [_counts(records, exact=each.exact), everybody if rises is (side == 0) else "", *others]
            if text := "; ".join(filter(None, said)):
                sides[side][labels.get(each.module, each.module)] = text
    for side, names in ((0, change.permissions_gained), (1, change.permissions_lost)):
        if names:
            sides[side][_("permissions")] = ", ".join(_shortest(names, labels))
    for side, fields in ((0, change.fields_gained), (1, change.fields_lost)):
        if fields:
            said = [f"{name}: {say_level(before)} → {say_level(after)}" for name, (before, after) in fields.items()]
            sides[side][_("fields")] = "; ".join(said)
    return sides


def _signing_in(change: AccessChange) -> tuple[dict[str, str], dict[str, str]]:
    """Say who may sign in from now on, and who no longer, with what stays theirs."""
    before, after = change.signs_in
    count = sum(change.keeps.values())
    stay = counted("{count} record stays theirs", "{count} records stay theirs", count)
    comes = {_("sign-in"): _("may sign in")} if after and not before else {}
    goes = {_("sign-in"): "; ".join([_("may sign in no more"), *([stay] if count else [])])} if before > after else {}
    return comes, goes


def _way(field: str, level: str) -> str:
    return _("by {field}: {level}").format(field=field, level=say_level(level))


_LEVELS: Final = tuple([level.text for level in Level])


def _rule(name: str) -> str:
    return _("by rule {name}").format(name=name)


def _counts(records: Mapping[str, int], *, exact: bool) -> str:
    """Say how many records to which levels, those of as many together; about, where owners count."""
    levels: dict[int, list[str]] = {}
    for level in _LEVELS:
        if level in records:
            levels.setdefault(records[level], []).append(level)
    about = "" if exact else "≈ "
    said = {count: f"{about}{count:,}" if count else _("none yet") for count in levels}
    return ", ".join([f"{said[count]} ({_levels(tuple(several))})" for count, several in levels.items()])


def _levels(several: tuple[str, ...]) -> str:
    """Say to which levels; with a greater one go those below it, where these come and go as well."""
    if several == _LEVELS[1 : 1 + len(several)]:
        return say_level(several[-1])
    words = {"read": _("read"), "write": _("write"), "delete": _("delete")}
    return _(" and ").join([words[each] for each in several])


def _shortest(names: Iterable[str], labels: Mapping[str, str]) -> list[str]:
    """Give permissions with those of every module named once, as ``export``."""
    modules: dict[str, set[str]] = {}
    for name in names:
        module, dot, verb = name.rpartition(".")
        modules.setdefault(verb if dot else name, set()).add(module)
    return [
        shown
        for verb, found in modules.items()
        for shown in (
            [verb] if found >= labels.keys() or found == {""} else [f"{each}.{verb}" for each in sorted(found)]
        )
    ]


def _names_of(session: Session, users: frozenset[str]) -> dict[str, str]:
    """Give the e-mails of users, by id; those in the recycle bin have none here."""
    rows = [row for batch in session.stream("users", fields=("id", "email")) for row in zip(*batch, strict=True)]
    return {str(user): str(email) for user, email in rows if user in users}


def _new_users(plan: Plan) -> dict[str, str]:
    return {str(each.record): str(each.after["email"]) for each in plan.changes if "email" in each.after}
