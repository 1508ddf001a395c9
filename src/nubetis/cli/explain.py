"""Commands that look: explain, who-can, preview."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from nubetis.access.decision import Action, Reason
from nubetis.access.sharing import PrincipalKind
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.face import RenderableType, group, line
from nubetis.cli.people import user_facts, users_grid
from nubetis.cli.texts import _, language, say_label, say_level, say_permission, say_reason
from nubetis.cli.usage import Command, language_option
from nubetis.errors import InvalidValue, NotFound
from nubetis.i18n import phrase, translator
from nubetis.session.explaining import explain_for
from nubetis.session.previewing import who_can
from nubetis.session.sharing import principal

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nubetis import Session
    from nubetis.access.decision import Explanation, Step

__all__ = ["explain_command", "explanation_facts", "preview_command", "show_explanation", "who_can_command"]

_ACTION: Final = click.Choice([each.value for each in Action])


# --- explanations ----------------------------------------------------------------------------------


def explanation_facts(found: Explanation) -> dict[str, object]:
    """Give an explanation to programs."""
    decision = found.decision
    return {
        "allowed": decision.allowed,
        "user": decision.user,
        "action": decision.action,
        "module": decision.module,
        "record": decision.record,
        "reasons": decision.reasons,
        "level": decision.level.text,
        "steps": [
            {
                "name": each.name,
                "matched": each.matched,
                "short": each.short,
                "reason": each.reason,
                "detail": each.detail,
            }
            for each in found.steps
        ],
        "grants": [{"reason": each.reason, "level": each.level.text, "rule": each.rule} for each in decision.grants],
        "missing": [{"reason": each.reason, "what": each.what} for each in decision.missing],
        "fields": {name: level for level, names in found.fields.items() for name in names},
        "misses": found.misses,
    }


def show_explanation(found: Explanation, about: str, labels: Mapping[str, str]) -> RenderableType:
    """Draw an explanation: the answer, each gate and grant that was looked at, and what nearly was enough."""
    decision = found.decision
    verb = _("{user} may {action}: {about}") if decision.allowed else _("{user} may not {action}: {about}")
    said = verb.format(user=decision.user, action=say_permission(decision.action), about=about)
    because = "; ".join(map(say_reason, decision.reasons))
    if Reason.SHORT in decision.reasons:
        because = _("{reason} ({level} only)").format(reason=because, level=say_level(decision.level.text))
    head = line(("✓ " if decision.allowed else "✗ ") + said, "bold green" if decision.allowed else "bold red")
    steps = [
        line(
            f"  {'✓' if each.matched else '·'} {_step(each.name)}: {translator(language())(each.sentence)}{_way(each)}",
            "" if each.matched else "dim",
        )
        for each in found.steps
    ]
    misses = [line(f"  ~ {phrase(each, language())}", "yellow") for each in found.misses]
    near = [line(_("Nearly enough:")), *misses] if misses else []
    why = line(_("because {reason}").format(reason=because))
    return group(head, why, line(_("Looked at:")), *steps, *near, *_fields(found, labels))


def _fields(found: Explanation, labels: Mapping[str, str]) -> list[RenderableType]:
    """Give the fields that are hidden, and those that are only read."""
    words = {"hidden": _("Hidden fields: {names}"), "read": _("Fields that are only read: {names}")}
    return [
        line(words[level].format(names=", ".join([labels.get(each, each) for each in names])))
        for level, names in found.fields.items()
    ]


def _way(step: Step) -> str:
    """Give by which way a grant comes."""
    said = ", ".join([phrase(each, language()) for each in step.detail.split(", ")])
    return f" ({said})" if said else ""


def _step(name: str) -> str:
    """Give the word for a gate or a grant; what follows it is a rule's name."""
    kind, space, rest = name.partition(" ")
    words = {
        "user": _("user"),
        "module": _("module"),
        "profile": _("profile"),
        "administrator": _("administrator"),
        "owner": _("owner"),
        "everybody": _("everybody"),
        "default": _("what everybody has"),
        "hierarchy": _("tree of roles"),
        "peers": _("peers"),
        "rule": _("rule"),
        "criteria": _("rule"),
        "share": _("share"),
        "team": _("team"),
        "system": _("nubetis itself"),
        "delegation": _("delegation"),
        "edition": _("edition"),
        "involved": _("about one's own"),
        "parent": _("parent"),
    }
    return f"{words.get(kind, kind)}{space}{rest}"


@command("explain", _("Explain why a user may do something, or not."))
@click.argument("user", metavar=_("USER"))
@click.argument("action", metavar=_("ACTION"), type=_ACTION)
@click.argument("record", metavar=_("ID|MODULE"))
def explain_command(call: Call, user: str, action: str, record: str) -> Answer:
    """Explain what a user may do with a record, or in a module; exit 0 where he may, and where he may not."""
    with call.session() as session:
        found = session.explain(action, record) if _is_me(session, user) else explain_for(session, user, action, record)
        about = _about(session, record)
        fields = session.schema.module(found.decision.module).all_fields
        labels = {str(each.name): say_label(each) for each in fields}
    call.face.answer(explanation_facts(found), lambda: show_explanation(found, about, labels))
    return None


def _is_me(session: Session, user: str) -> bool:
    """Say whether *user* is who asks: one's own access is explained to everybody."""
    try:
        found = principal(session, user)
    except (NotFound, InvalidValue):
        return False
    return found.kind is PrincipalKind.USER and found.text == session.user


def _about(session: Session, record: str) -> str:
    """Give the title of what is asked about."""
    if record in session.schema:
        return say_label(session.schema.module(record))
    return f"{session.get(record).title} ({record})"


@command("who-can", _("List the users who may do something."))
@click.argument("action", metavar=_("ACTION"), type=_ACTION)
@click.argument("record", metavar=_("ID|MODULE"))
def who_can_command(call: Call, action: str, record: str) -> Answer:
    """List the active users who may do an action with a record, or in a module."""
    with call.session() as session:
        found = frozenset(who_can(session, action, record))
        users = [each for each in user_facts(session) if each["id"] in found]
        about = _about(session, record)
    facts = {"action": action, "record": record, "users": users}
    title = line(_("Who may {action}: {about}").format(action=say_permission(Action(action)), about=about), "bold")
    call.face.answer(facts, lambda: group(title, users_grid(users, room=call.face.room)))
    return None


# --- previews --------------------------------------------------------------------------------------

_CHANGING: Final = ("users", "roles", "profiles", "sharing", "edition")


@click.command(
    "preview",
    cls=Command,
    params=[
        click.Argument(["words"], nargs=-1, required=True, metavar=_("COMMAND…"), type=click.UNPROCESSED),
        language_option(),
    ],
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    help=_("Show who would gain and lose access by a command, and do nothing.")
    + "\n\n"
    + _(
        "The command is one of users, roles, profiles, sharing and edition: "
        "nubetis preview roles move Sales --under Manager"
    ),
    short_help=_("Show who would gain and lose access by a command, and do nothing."),
)
@click.pass_context
def preview_command(context: click.Context, words: tuple[str, ...]) -> object:
    """Run a command that changes access as a dry run: the same plan, and the same preview."""
    if words[0] not in _CHANGING:
        raise click.UsageError(_("Give a command of {names}.").format(names=", ".join(_CHANGING)), context)
    root = context.find_root()
    asks_help = not {"-h", "--help"}.isdisjoint(words)
    if not asks_help:
        _require_preview(context, words)
    args = words if asks_help else (*words, "--dry-run")
    return root.command.main(args=list(args), prog_name=root.info_name, standalone_mode=False)


def _require_preview(context: click.Context, words: tuple[str, ...]) -> None:
    """Stop at a command that has no preview, and name those beside it that have one; what is none is said later."""
    command, path = context.find_root().command, list[str]()
    for word in words:
        inner = command.get_command(context, word) if isinstance(command, click.Group) else None
        if inner is None:
            break
        command, path = inner, [*path, word]
    wrong = isinstance(command, click.Group) and any(not each.startswith("-") for each in words[len(path) :][:1])
    if not wrong and not _has_preview(command):
        beside = context.find_root().command
        beside = beside.get_command(context, path[0]) or beside if isinstance(beside, click.Group) else beside
        said = _("{command} has no preview. These have one: {names}.")
        names = ", ".join(_previewed(beside, path[0]))
        raise click.UsageError(said.format(command=" ".join(path), names=names), context)


def _has_preview(command: click.Command) -> bool:
    return any(each.name == "dry_run" for each in command.params)


def _previewed(command: click.Command, path: str) -> Iterator[str]:
    """Give the commands from *path* on that have a preview."""
    if _has_preview(command):
        yield path
    for name, each in sorted(command.commands.items()) if isinstance(command, click.Group) else ():
        yield from _previewed(each, f"{path} {name}")
