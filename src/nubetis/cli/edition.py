"""Commands for the edition: what it gives, how much of it is used, and another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from nubetis.access.entitlements import read_entitlements, write_entitlements
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.face import grid, group, line
from nubetis.cli.texts import _, say_label
from nubetis.cli.usage import ListingGroup, language_option
from nubetis.session.editions import edition, plan_edition, usage

if TYPE_CHECKING:
    from nubetis import Plan, Session
    from nubetis.access.entitlements import Entitlements
    from nubetis.types import Json

__all__ = ["edition_command"]


@click.group(
    "edition", cls=ListingGroup, params=[language_option()], help=_("Show what the edition gives, and change it.")
)
def edition_command() -> None:
    """Show what the edition gives, and change it."""


@command("list", _("Show what the edition gives, and how much of it is used."))
def list_command(call: Call) -> Answer:
    """Show limits, what is used of them, and what the edition lacks."""
    with call.session() as session:
        found, used = edition(session), usage(session)
        lacks = [*map(str, sorted(found.lacks)), *_modules(session, found)]
    limits = {**{name: limit for name, (_used, limit) in used.items()}, "import_rows": found.import_rows}
    counts: dict[str, int | None] = {name: count for name, (count, _limit) in used.items()}
    rows = [
        [_words().get(name, name), counts.get(name, ""), _("no limit") if limit is None else limit]
        for name, limit in limits.items()
    ]
    facts = {"edition": write_entitlements(found), "usage": {name: list(each) for name, each in used.items()}}
    lacking = line(_("It lacks: {names}").format(names=", ".join(lacks) or _("nothing")))
    table = grid([_("what"), _("used"), _("limit")], rows, room=call.face.room)
    call.face.answer(facts, lambda: group(table, lacking))
    return None


def _words() -> dict[str, str]:
    return {
        "users": _("licences"),
        "roles": _("roles"),
        "profiles": _("profiles"),
        "import_rows": _("records of an import"),
    }


def _modules(session: Session, found: Entitlements) -> list[str]:
    return [say_label(session.schema.by_id[each]) for each in sorted(found.lacks_modules)]


_NUMBERS: Final = frozenset({"users", "roles", "profiles", "import_rows", "automations", "unlock_after"})
_SWITCH: Final = {"yes": True, "no": False}


@command("set", _("Set limits, and what the edition lacks; what is not named stays."))
@click.argument("given", metavar=_("NAME=VALUE…"), nargs=-1, required=True)
@change_options
def set_command(call: Call, given: tuple[str, ...], **how: bool) -> Answer:
    """Change the edition: users=10 import_rows=none lacks=groups,retention lacks_modules=deals by_host=yes."""

    def planned(session: Session) -> Plan:
        values = write_entitlements(edition(session))
        for each in given:
            name, _sign, text = each.partition("=")
            values.pop(name, None)
            if text not in {"", "none"}:
                values[name] = _value(session, name, text)
        return plan_edition(session, read_entitlements(values))

    return carry_out(call, planned, **how)


def _value(session: Session, name: str, text: str) -> Json:
    """Read what stands behind the sign; what is no such value is refused with its name."""
    if name == "lacks":
        return list(text.split(","))
    if name == "lacks_modules":
        return [int(session.schema.module(each).id) for each in text.split(",")]
    if name in _NUMBERS and text.isdecimal():
        return int(text)
    return _SWITCH.get(text, text) if name == "by_host" else text


for _each in (list_command, set_command):
    edition_command.add_command(_each)
