"""Commands for what is kept, and how long: retention, subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from nubetis.cli.call import Answer, Call, command
from nubetis.cli.face import group, line
from nubetis.cli.plans import operation_facts, operations_grid, plan_facts, plan_grid, plan_text
from nubetis.cli.texts import _
from nubetis.session.retaining import plan_retention, rules
from nubetis.session.subject import export_subject

if TYPE_CHECKING:
    from nubetis import Plan, Session

__all__ = ["retention_command", "subject_command"]


@command("retention", _("Do what the rules of retention say."))
@click.argument("names", metavar=_("[RULE]"), nargs=-1)
@click.option("--dry-run", is_flag=True, help=_("Show the plan, and do nothing."))
def retention_command(call: Call, names: tuple[str, ...], *, dry_run: bool) -> Answer:
    """Do what the active rules say, or those that are named."""
    room = call.face.room
    with call.session() as session:
        plan = plan_retention(session, names=names or None)
        title = line(_what(plan, session, names), "bold")
        if dry_run or not len(plan):
            call.face.answer({"plan": plan_facts(plan)}, lambda: group(title, plan_grid(plan, room=room)))
            return None
        with call.face.progress(_("Writing")) as progress:
            done = session.apply(plan, progress=progress)
    facts = {"plan": plan_facts(plan), "operation": operation_facts(done)}
    call.face.answer(facts, lambda: group(title, operations_grid([done], room=room)))
    return None


def _what(plan: Plan, session: Session, names: tuple[str, ...]) -> str:
    """Say what the rules would do, or that there are none."""
    if not names and not any(rule.active for rule in rules(session)):
        return _("There are no active rules of retention.")
    return plan_text(plan)


@command("subject", _("Write all that is kept of a person into a folder."))
@click.argument("record", metavar="ID")
@click.argument("folder", metavar=_("FOLDER"))
@click.option("--replace", is_flag=True, help=_("Also where such a document lies there already; it is lost."))
def subject_command(call: Call, record: str, folder: str, *, replace: bool) -> Answer:
    """Write the person's record, what is linked to it, history and files."""
    with call.session() as session:
        done = export_subject(session, record, folder, replace=replace)
    facts = {
        "subject": done.subject,
        "folder": folder,
        "records": done.records,
        "changes": done.changes,
        "files": done.files,
        "missing": done.missing,
    }
    text = _("Wrote {folder}: records {records}, changes of them {changes}, files {files}.")
    counts = {"records": done.records, "changes": done.changes, "files": done.files, "folder": folder}
    call.face.answer(facts, lambda: line(text.format(**counts)))
    return None
