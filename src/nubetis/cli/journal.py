"""Commands for the journal: list, show, undo, resume, verify."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from nubetis.cli.call import Answer, Call, anchor_option, command
from nubetis.cli.changing import Look, agreed, change_options, changes_access, look
from nubetis.cli.face import RenderableType, group, line
from nubetis.cli.plans import (
    operation_facts,
    operations_grid,
    plan_facts,
    plan_text,
    refusal_facts,
    refused_lines,
)
from nubetis.cli.texts import EXIT_CODES, _, counted, language, say_label
from nubetis.cli.until import since_option, until_option
from nubetis.cli.usage import Group, language_option
from nubetis.cli.wording import plan_rows, plan_words
from nubetis.errors import NotFound
from nubetis.i18n import phrase
from nubetis.session import past, resuming

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nubetis import Operation, Plan, Session
    from nubetis.model.plan import Undo
    from nubetis.session.sealing import Verification
    from nubetis.types import ModuleName

__all__ = ["journal_command", "say_verified"]

_LATEST: Final = 100_000
_MOST: Final = 10_000
_LINKED: Final = frozenset({"referenced", "out_of_sight"})
"""Why an undo leaves a record that nobody changed: others link to it."""


@click.group(
    "journal", cls=Group, params=[language_option()], help=_("List, show, undo, resume and verify operations.")
)
def journal_command() -> None:
    """List, show, undo, resume and verify operations."""


def say_verified(found: Verification) -> str:
    """Say that the journal is what was written."""
    return counted(
        "✓ {count} entry is what was written. Anchor: {anchor}",
        "✓ {count} entries are what was written. Anchor: {anchor}",
        found.entries,
        anchor=found.anchor,
    )


# --- commands --------------------------------------------------------------------------------------


@command("list", _("List the latest operations."))
@click.option(
    "--limit", "-n", type=click.IntRange(1, _MOST), default=20, show_default=True, help=_("How many; 10,000 at most.")
)
@click.option("--module", metavar=_("MODULE"), help=_("Only those that made or changed records of a module."))
@click.option("--by", metavar=_("USER"), help=_("Only those of a user, or done in their name."))
@since_option
@until_option
def list_command(call: Call, **asked: Any) -> Answer:  # noqa: ANN401 - click's values
    """List operations, newest first, with what they wrote."""
    with call.session() as session:
        found = past.operations(session, **asked)
        wrote = past.written(session, found)
        labels = {str(each.name): say_label(each) for each in session.schema.modules}
    facts = {"operations": [{**operation_facts(each), "written": wrote.get(each.id, {})} for each in found]}
    said: dict[str, str] = {name: _said_written(counts, labels) for name, counts in wrote.items()}
    call.face.answer(facts, lambda: operations_grid(found, room=call.face.room, written=said))
    return None


def _said_written(counts: Mapping[ModuleName, int], labels: Mapping[str, str]) -> str:
    """Say how many records of which modules: ``Deals 3, Contacts 1``, most first."""
    ordered = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    return ", ".join([f"{labels.get(name, name)} {count:,}" for name, count in ordered])


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
        rows = plan_rows(session, plan)
    facts = {"operation": operation_facts(found), "undo": plan_facts(plan)}
    room = call.face.room
    title = line(_("Undoing it would do this: {plan}").format(plan=plan_text(plan)), "bold")
    head = [operations_grid([found], room=room), *_purpose(found), title]
    call.face.answer(facts, lambda: group(*head, *plan_words(plan, rows, room), *_refusals(plan)))
    return None


def _purpose(operation: Operation) -> list[RenderableType]:
    """Give the line that says for what purpose nubetis itself did it."""
    return [line(_("purpose: {purpose}").format(purpose=operation.purpose))] if operation.purpose else []


@command("undo", _("Take an operation back, field by field."))
@click.argument("operation", metavar="ID")
@change_options
def undo_command(call: Call, operation: str, *, dry_run: bool, yes: bool) -> Answer:
    """Undo; what somebody else changed since stays, and is named.  Where it changes access, somebody is asked."""
    with call.session() as session:
        plan = past.plan_undo(session, operation)
        seen = look(session, plan) if changes_access(plan) else None
        if dry_run:
            rows = plan_rows(session, plan) if seen is None else []
            facts = {"plan": plan_facts(plan)} if seen is None else seen.facts
            call.face.answer(facts, lambda: _planned(call, plan, rows, seen))
            return None
        if seen is not None and not agreed(call, seen, yes=yes):
            return EXIT_CODES["refused"]
        done = session.undo(operation)
    told = {
        "operation": None if done.operation is None else operation_facts(done.operation),
        "reversed": done.reversed,
        "kept": [refusal_facts(each) for each in done.kept],
        "failed": [refusal_facts(each) for each in done.failed],
    }
    said = [line(each) for each in _undone(done, binned=plan.counts().get("delete", 0))]
    call.face.answer(
        told, lambda: group(*said, *refused_lines(done.kept, "yellow"), *refused_lines(done.failed, "red"))
    )
    return 1 if done.failed else None


def _planned(call: Call, plan: Plan, rows: Sequence[Sequence[object]], seen: Look | None) -> RenderableType:
    """Give what an undo would do, and who would gain and lose by it."""
    room = call.face.room
    shown = plan_words(plan, rows, room) if seen is None else [seen.shown(room)]
    return group(*shown, *_refusals(plan))


def _refusals(plan: Plan) -> list[RenderableType]:
    return [*refused_lines(plan.refusals, "red"), *refused_lines(plan.warnings, "yellow")]


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
