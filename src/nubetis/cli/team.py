"""Commands of ``nubetis sharing team``: who works on a record."""

from __future__ import annotations

from typing import Final

import attrs
import click

from nubetis.access.sharing import Level
from nubetis.cli.call import Answer, Call, command, title_of
from nubetis.cli.face import grid
from nubetis.cli.plans import operation_facts, operations_grid
from nubetis.cli.texts import _, say_level
from nubetis.cli.usage import Group, language_option
from nubetis.session.teams import join, leave, team

__all__ = ["team_command"]

_LEVELS: Final = tuple([level.text for level in Level])[1:]


@click.group("team", cls=Group, params=[language_option()], help=_("Show who works on a record, and change it."))
def team_command() -> None:
    """Show who works on a record, and change it."""


@command("list", _("Show who works on a record."))
@click.argument("record", metavar="ID")
def list_command(call: Call, record: str) -> Answer:
    """List the team of a record."""
    with call.session() as session:
        found = team(session, record)
        rows = [
            [title_of(session, each.user) or each.user, say_level(each.level), each.function or ""] for each in found
        ]
    facts = {"record": record, "team": [attrs.asdict(each) for each in found]}
    call.face.answer(facts, lambda: grid([_("user"), _("level"), _("works as")], rows, room=call.face.room))
    return None


@command("join", _("Let a user work on a record; once more gives another level."))
@click.argument("record", metavar="ID")
@click.argument("user", metavar=_("USER"))
@click.option("--level", type=click.Choice(_LEVELS), default="read", show_default=True, help=_("How far."))
@click.option("--function", metavar=_("WORDS"), help=_("What the user does there."))
def join_command(call: Call, record: str, user: str, *, level: str, function: str | None) -> Answer:
    """Put a user into the team of a record."""
    with call.session() as session:
        done = join(session, record, user, level=level, function=function)
    call.face.answer({"operation": operation_facts(done)}, lambda: operations_grid([done], room=call.face.room))
    return None


@command("leave", _("Take a user out of the team of a record."))
@click.argument("record", metavar="ID")
@click.argument("user", metavar=_("USER"))
def leave_command(call: Call, record: str, user: str) -> Answer:
    """Take a user out of the team of a record."""
    with call.session() as session:
        done = leave(session, record, user)
    call.face.answer({"operation": operation_facts(done)}, lambda: operations_grid([done], room=call.face.room))
    return None


for _each in (list_command, join_command, leave_command):
    team_command.add_command(_each)
