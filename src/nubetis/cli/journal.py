"""Commands for the journal: list, show, undo, resume, verify."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

import click

from nubetis.cli.call import Answer, Call, anchor_option, command
from nubetis.cli.face import RenderableType, grid, group, line, text_of
from nubetis.cli.texts import _, counted, language, say_refusal, say_word
from nubetis.cli.usage import Group, language_option
from nubetis.errors import NotFound
from nubetis.i18n import phrase
from nubetis.session import past, resuming

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nubetis import Operation, Plan, Session
    from nubetis.model.plan import Change, Refusal, Undo
    from nubetis.session.sealing import Verification

__all__ = [
    "journal_command",
    "operation_facts",
    "operations_grid",
    "plan_facts",
    "plan_grid",
    "plan_text",
    "refusal_facts",
    "say_verified",
]

_SHOWN: Final = 12
_LATEST: Final = 100_000
_MOST: Final = 10_000
_LINKED: Final = frozenset({"referenced", "out_of_sight"})
"""Why an undo leaves a record that nobody changed: others link to it."""


@click.group(
    "journal", cls=Group, params=[language_option()], help=_("List, show, undo, resume and verify operations.")
)
def journal_command() -> None:
    """List, show, undo, resume and verify operations."""


# --- faces -----------------------------------------------------------------------------------------


def operation_facts(operation: Operation) -> dict[str, object]:
    """Give an operation's facts for programs."""
    return {
        "id": operation.id,
        "state": operation.state,
        "cause": operation.cause.kind,
        "detail": operation.cause.detail,
        "actor": operation.actor,
        "purpose": operation.purpose,
        "records": operation.changes,
        "position": operation.position,
        "digest": operation.digest,
        "started_at": operation.started_at,
        "ended_at": operation.ended_at,
    }


def operations_grid(operations: Iterable[Operation], *, room: int) -> RenderableType:
    """Give operations as a table."""
    rows = [
        [each.id, each.started_at, say_word(each.cause.kind), say_word(each.state), each.changes, _detail(each)]
        for each in operations
    ]
    columns = ["id", _("when"), _("cause"), _("state"), _("records"), _("detail")]
    return grid(columns, rows, room=room, right=[_("records")])


def _detail(operation: Operation) -> str:
    words = {
        "module": _("module"),
        "rows": _("rows"),
        "records": _("records"),
        "file": _("file"),
        "encoding": _("encoding"),
        "operation": _("operation"),
        "links_of": _("links of"),
        "linked": _("linked"),
    }
    return ", ".join(f"{words.get(name, name)} {text_of(value)}" for name, value in operation.cause.detail.items())


def refusal_facts(refusal: Refusal) -> dict[str, object]:
    """Give a refusal's facts for programs."""
    return {
        "record": refusal.record,
        "line": refusal.line,
        "field": refusal.field,
        "code": refusal.code,
        "reason": say_refusal(refusal),
    }


def plan_facts(plan: Plan) -> dict[str, object]:
    """Give a plan's facts for programs."""
    return {
        "digest": plan.digest,
        "counts": plan.counts(),
        "refusals": [refusal_facts(each) for each in plan.refusals],
        "warnings": [refusal_facts(each) for each in plan.warnings],
    }


def plan_text(plan: Plan) -> str:
    """Give a plan in one line, in the user's language."""
    words = {
        "create": _("{count} to create"),
        "update": _("{count} to update"),
        "delete": _("{count} to delete"),
        "restore": _("{count} to restore"),
        "purge": _("{count} to purge"),
    }
    counts = plan.counts().items()
    parts = [words.get(kind, f"{{count}} {kind}").format(count=count) for kind, count in counts]
    rows = {each.line for each in plan.refusals}
    if rows and None not in rows:
        parts.append(counted("{count} row refused", "{count} rows refused", len(rows)))
    elif rows:
        parts.append(counted("{count} refusal", "{count} refusals", len(plan.refusals)))
    return ", ".join(parts) or _("nothing to do")


def say_verified(found: Verification) -> str:
    """Say that the journal is what was written."""
    return counted(
        "✓ {count} entry is what was written. Anchor: {anchor}",
        "✓ {count} entries are what was written. Anchor: {anchor}",
        found.entries,
        anchor=found.anchor,
    )


def plan_grid(plan: Plan, *, room: int, most: int = _SHOWN) -> RenderableType:
    """Give the first differences of a plan as a table, and what it refuses."""
    shown = list(islice(plan.changes, most))
    rows = [row for change in shown for row in _change_rows(change)]
    names = [_("record"), _("what"), _("field"), _("before"), _("after")]
    parts: list[RenderableType] = [grid(names, rows, room=room)] if rows else []
    left = len(plan) - len(shown)
    parts += [line(counted("(and {count} more record)", "(and {count} more records)", left), "dim")] if left > 0 else []
    return group(*parts, *_refused(plan.refusals, "red"), *_refused(plan.warnings, "yellow"))


def _change_rows(change: Change) -> list[list[object]]:
    names = [name for name, value in change.after.items() if value != change.before.get(name)]
    rows: list[list[object]] = [[change.record, say_word(change.kind), "", "", ""]]
    for place, name in enumerate(names):
        cells = [name, text_of(change.before.get(name)), text_of(change.after[name])]
        rows[place:] = [[*(rows[0][:2] if place == 0 else ["", ""]), *cells]]
    return rows


def _refused(refusals: Sequence[Refusal], style: str) -> list[RenderableType]:
    lines: list[RenderableType] = [
        line(f"{each.record or each.line or '·'}: {say_refusal(each)} [{each.code}]", style)
        for each in refusals[:_SHOWN]
    ]
    left = len(refusals) - _SHOWN
    return [*lines, line(_("(and {count} more)").format(count=left), style)] if left > 0 else lines


# --- commands --------------------------------------------------------------------------------------


@command("list", _("List the latest operations."))
@click.option(
    "--limit", "-n", type=click.IntRange(1, _MOST), default=20, show_default=True, help=_("How many; 10,000 at most.")
)
def list_command(call: Call, limit: int) -> Answer:
    """List operations, newest first."""
    with call.session() as session:
        found = past.operations(session, limit=limit)
    facts = {"operations": [operation_facts(each) for each in found]}
    call.face.answer(facts, lambda: operations_grid(found, room=call.face.room))
    return None


def _operation(session: Session, name: str) -> Operation:
    found = next((each for each in past.operations(session, limit=_LATEST) if each.id == name), None)
    if found is None:
        raise NotFound("no_operation", id=name)
    return found


@command("show", _("Show an operation, and what undoing it would do."))
@click.argument("operation", metavar="ID")
def show_command(call: Call, operation: str) -> Answer:
    """Show one operation."""
    with call.session() as session:
        found = _operation(session, operation)
        plan = past.plan_undo(session, found)
    facts = {"operation": operation_facts(found), "undo": plan_facts(plan)}
    room = call.face.room
    title = line(_("Undoing it would do this: {plan}").format(plan=plan_text(plan)), "bold")
    head = [operations_grid([found], room=room), *_purpose(found), title]
    call.face.answer(facts, lambda: group(*head, plan_grid(plan, room=room)))
    return None


def _purpose(operation: Operation) -> list[RenderableType]:
    """Give the line that says for what purpose nubetis itself did it."""
    return [line(_("purpose: {purpose}").format(purpose=operation.purpose))] if operation.purpose else []


@command("undo", _("Take an operation back, field by field."))
@click.argument("operation", metavar="ID")
@click.option("--dry-run", is_flag=True, help=_("Show what would be done, and do nothing."))
def undo_command(call: Call, operation: str, *, dry_run: bool) -> Answer:
    """Undo; what somebody else changed since stays, and is named."""
    room = call.face.room
    with call.session() as session:
        plan = past.plan_undo(session, operation)
        if dry_run:
            call.face.answer({"plan": plan_facts(plan)}, lambda: plan_grid(plan, room=room))
            return None
        done = session.undo(operation)
    facts = {
        "operation": None if done.operation is None else operation_facts(done.operation),
        "reversed": done.reversed,
        "kept": [refusal_facts(each) for each in done.kept],
        "failed": [refusal_facts(each) for each in done.failed],
    }
    said = [line(each) for each in _undone(done, binned=plan.counts().get("delete", 0))]
    call.face.answer(facts, lambda: group(*said, *_refused(done.kept, "yellow"), *_refused(done.failed, "red")))
    return 1 if done.failed else None


def _undone(done: Undo, *, binned: int) -> list[str]:
    """Say what an undo did; *binned* records went into the recycle bin, since the operation had made them."""
    if not (done.reversed or done.kept or done.failed):
        return [_("Nothing was set back: what the operation did is already taken back.")]
    linked = sum(each.code in _LINKED for each in done.kept)
    parts = [
        (_("Set back: {count}."), len(done.reversed)),
        (_("Kept, because somebody changed them since: {count}."), len(done.kept) - linked),
        (_("Kept, because other records link to them: {count}."), linked),
        (_("Failed: {count}."), len(done.failed)),
    ]
    always = {0, len(parts) - 1}
    text = " ".join([said.format(count=count) for at, (said, count) in enumerate(parts) if count or at in always])
    told = counted("{count} record is in the recycle bin: find it with --deleted.",
                   "{count} records are in the recycle bin: find them with --deleted.", binned)  # fmt: skip
    return [text, *([told] if binned else [])]


@command("resume", _("Go on with an operation that was interrupted."))
@click.argument("operation", metavar="ID")
@click.option(
    "--tolerance",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help=_("How many records that changed meanwhile may be left out."),
)
def resume_command(call: Call, operation: str, tolerance: int) -> Answer:
    """Resume; an operation that is done is left as it is."""
    with call.session() as session, call.face.progress(_("Writing")) as progress:
        done = resuming.resume(session, operation, tolerance=tolerance, progress=progress)
    call.face.answer({"operation": operation_facts(done)}, lambda: operations_grid([done], room=call.face.room))
    return None


@command("verify", _("Prove that nobody changed the journal since it was written."), signs_in=False)
@anchor_option(_("The anchor of an earlier verification or back-up."))
def verify_command(call: Call, anchor: str | None) -> Answer:
    """Verify the journal; exit 1 where it was changed."""
    with call.org() as org:
        found = org.verify(anchor=anchor)
    facts = {"entries": found.entries, "anchor": found.anchor, "tampered": [str(each) for each in found.tampered]}
    good = say_verified(found)
    bad = [line(f"✗ {phrase(str(each), language())}", "bold red") for each in found.tampered]
    call.face.answer(facts, lambda: group(*bad) if bad else line(good, "green", whole=True))
    return 1 if bad else None


for _each in (list_command, show_command, undo_command, resume_command, verify_command):
    journal_command.add_command(_each)
