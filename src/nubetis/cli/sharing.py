"""Commands for sharing: what everybody has, rules, groups, and single records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
import click

from nubetis.access.sharing import BY_PARENT, ELSEWHERE, Level
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.face import RenderableType, grid, group
from nubetis.cli.plans import operation_facts, operations_grid
from nubetis.cli.records import read_filter
from nubetis.cli.team import team_command
from nubetis.cli.texts import _, say_label, say_level, say_principal
from nubetis.cli.until import say_until, until_option
from nubetis.cli.usage import Group, ListingGroup, language_option, whom
from nubetis.model.filters import F
from nubetis.model.text import show
from nubetis.session.naming import named
from nubetis.session.shared import ModuleSharing, groups, module_sharing, principal_words, share_rules
from nubetis.session.sharing import (
    AS_IT_IS,
    plan_default,
    plan_group,
    plan_share_rule,
    principal,
    share,
    shares,
    unshare,
)
from nubetis.session.targets import readable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from nubetis import Operation, Plan, Session
    from nubetis.session.shared import Group as SharedGroup
    from nubetis.session.shared import ShareRule
    from nubetis.session.sharing import Share

__all__ = ["sharing_command"]

_LEVELS: Final = tuple([level.text for level in Level])
_GIVEN: Final = _LEVELS[1:]


@click.group(
    "sharing", cls=ListingGroup, params=[language_option()], help=_("Show what is shared with whom, and change it.")
)
def sharing_command() -> None:
    """Show what is shared with whom, and change it."""


@command("list", _("Show what everybody has in each module, the rules and the groups."))
def list_command(call: Call) -> Answer:
    """Show all that is shared, but for single records."""
    with call.session() as session:
        found = _All(modules=module_sharing(session), rules=share_rules(session), groups=groups(session))
        labels = {str(module.name): say_label(module) for module in session.schema.modules}
    call.face.answer(found.facts(), lambda: found.shown(labels, call.face.room))
    return None


@attrs.frozen(kw_only=True)
class _All:
    """Sharing as it stands."""

    modules: Sequence[ModuleSharing]
    rules: Sequence[ShareRule]
    groups: Sequence[SharedGroup]

    def facts(self) -> dict[str, object]:
        """Give it to programs; a rule's filter as text."""
        rules = [{**attrs.asdict(each, recurse=False), "where": _where(each)} for each in self.rules]
        return {
            "modules": [attrs.asdict(each) for each in self.modules],
            "rules": rules,
            "groups": [attrs.asdict(each) for each in self.groups],
        }

    def shown(self, labels: dict[str, str], room: int) -> RenderableType:
        """Give it as three tables."""
        columns = [_("module"), _("everybody"), _("those above"), _("who sees the parent")]
        modules = [[labels[each.module], *_module_cells(each)] for each in self.modules]
        parts = [grid(columns, modules, room=room, title=_("Modules"))]
        if self.rules:
            names = [_("name"), _("module"), _("what"), _("with"), _("level")]
            rules = [[each.name, labels[each.module], *_rule_cells(each)] for each in self.rules]
            parts.append(grid(names, rules, room=room, title=_("Rules")))
        if self.groups:
            found = [[each.name, ", ".join(map(say_principal, each.members))] for each in self.groups]
            parts.append(grid([_("name"), _("members")], found, room=room, title=_("Groups")))
        return group(*parts)


def _module_cells(each: ModuleSharing) -> list[str]:
    parent = f"{each.parent}: {say_level(each.parent_level)}" if each.parent is not None else ""
    return [say_level(each.level), say_level(each.upward), parent]


def _rule_cells(each: ShareRule) -> list[str]:
    what = _("of {owners}").format(owners=say_principal(each.source)) if each.source is not None else _where(each) or ""
    target = say_principal(each.target)
    target = _("{target} and those above").format(target=target) if each.superiors else target
    return [what, target, say_level(each.level) if each.active else _("off")]


def _where(rule: ShareRule) -> str | None:
    return None if rule.where is None else show(rule.where)


@attrs.frozen(kw_only=True)
class _Default:
    """What is said of a module; ``None`` where it stays as it is."""

    module: str
    level: str
    upward: str | None
    parent: str | None
    parent_level: str | None
    dry_run: bool
    yes: bool

    def plan(self, session: Session) -> Plan:
        """Plan it."""
        parent = AS_IT_IS if self.parent is None else self.parent or None
        return plan_default(
            session, self.module, level=self.level, upward=self.upward, parent=parent, parent_level=self.parent_level
        )


def _read_level(_context: click.Context, _parameter: click.Parameter, given: str) -> str:
    """Read a level, or what other systems call so: private, public read."""
    if given.casefold() == BY_PARENT:
        raise click.BadParameter(_("Controlled by parent is said with --parent and --parent-level."))
    found = ELSEWHERE.get(given.casefold())
    if found is None and given not in _LEVELS:
        raise click.BadParameter(f"{given!r} is not one of {', '.join(map(repr, _LEVELS))}.")
    return given if found is None else found.text


@command("default", _("Say what everybody has in a module."), value=_Default)
@click.argument("module", metavar=_("MODULE"))
@click.argument("level", metavar="|".join(_LEVELS), callback=_read_level)
@click.option("--upward", type=click.Choice(("none", "read", "delete")), help=_("What those above an owner have."))
@click.option("--parent", metavar=_("FIELD"), help=_("The link to the parent; empty for none."))
@click.option("--parent-level", type=click.Choice(_LEVELS), help=_("What those have who may view the parent."))
@change_options
def default_command(call: Call, given: _Default) -> Answer:
    """Say what everybody has; what is not named stays as it is."""
    if given.parent and given.parent_level is None:
        said = _("Give --parent-level with --parent: what those have who may view the parent ({levels}).")
        raise click.UsageError(said.format(levels=", ".join(_LEVELS)))
    return carry_out(call, given.plan, dry_run=given.dry_run, yes=given.yes)


# --- rules -----------------------------------------------------------------------------------------


@click.group("rule", cls=Group, params=[language_option()], help=_("Add and remove sharing rules."))
def rule_command() -> None:
    """Add and remove sharing rules."""


@attrs.frozen(kw_only=True)
class _Rule:
    """A rule to be added."""

    name: str
    module: str
    target: str
    source: str | None
    where: str | None
    level: str
    superiors: bool
    dry_run: bool
    yes: bool

    def plan(self, session: Session) -> Plan:
        """Plan it."""
        home = session.schema.module(self.module)
        where = None if self.where is None else read_filter([self.where], home, session.schema)
        return plan_share_rule(
            session, self.name, self.module, target=self.target, level=self.level, source=self.source, where=where,
            superiors=self.superiors,
        )  # fmt: skip


@command("add", _("Share what somebody owns, or what has certain values."), value=_Rule)
@click.argument("name", metavar=_("NAME"))
@click.argument("module", metavar=_("MODULE"))
@click.option(
    "--with",
    "target",
    metavar=_("WHOM"),
    callback=whom,
    required=True,
    help=_("everybody, ana@acme.pe, 'role Rep', 'role Rep+', 'group Front'"),
)
@click.option("--of", "source", metavar=_("WHOM"), callback=whom, help=_("Whose records: named as for --with."))
@click.option("--where", metavar=_("FILTER"), help=_("Which records: 'city = Lima'."))
@click.option("--level", type=click.Choice(_GIVEN), default="read", show_default=True, help=_("How far."))
@click.option("--superiors", is_flag=True, help=_("Also with those above."))
@change_options
def add_rule_command(call: Call, given: _Rule) -> Answer:
    """Add a sharing rule."""
    if (given.source is None) is (given.where is None):
        raise click.UsageError(_("Give either --of or --where."))
    return carry_out(call, given.plan, dry_run=given.dry_run, yes=given.yes)


@command("remove", _("Take a sharing rule away."))
@click.argument("name", metavar=_("NAME"))
@change_options
def remove_rule_command(call: Call, name: str, **how: bool) -> Answer:
    """Remove a sharing rule."""
    return carry_out(call, _removal("sharing_rules", name), **how)


def _removal(module: str, name: str) -> Callable[[Session], Plan]:
    return lambda session: session.plan_delete(module, F["id"].in_([named(session, module, name).id]))


# --- groups ----------------------------------------------------------------------------------------


@click.group("group", cls=Group, params=[language_option()], help=_("Add, edit and remove groups."))
def group_command() -> None:
    """Add, edit and remove groups."""


@command("add", _("Make a group of users, roles and other groups."))
@click.argument("name", metavar=_("NAME"))
@click.argument("members", metavar=_("WHOM…"), callback=whom, nargs=-1)
@change_options
def add_group_command(call: Call, name: str, members: tuple[str, ...], **how: bool) -> Answer:
    """Add a group."""
    return carry_out(call, lambda session: plan_group(session, name, members), **how)


@command("edit", _("Change the members of a group."))
@click.argument("name", metavar=_("NAME"))
@click.option(
    "--add",
    "added",
    metavar=_("WHOM"),
    callback=whom,
    multiple=True,
    help=_("A member more; several times for several."),
)
@click.option("--drop", "dropped", metavar=_("WHOM"), callback=whom, multiple=True, help=_("A member less."))
@change_options
def edit_group_command(
    call: Call, name: str, *, added: tuple[str, ...], dropped: tuple[str, ...], **how: bool
) -> Answer:
    """Edit a group."""

    def planned(session: Session) -> Plan:
        found = named(session, "groups", name)
        less = {principal(session, each).text for each in dropped}
        kept = found["members"]
        now = map(str, kept) if isinstance(kept, tuple) else ()
        members = dict.fromkeys([*now, *[principal(session, each).text for each in added]])
        return session.plan_edits(
            "groups", {found.id: {"members": tuple([each for each in members if each not in less])}}
        )

    return carry_out(call, planned, **how)


@command("remove", _("Take a group away that nothing names."))
@click.argument("name", metavar=_("NAME"))
@change_options
def remove_group_command(call: Call, name: str, **how: bool) -> Answer:
    """Remove a group."""
    return carry_out(call, _removal("groups", name), **how)


# --- one record ------------------------------------------------------------------------------------


@command("share", _("Share one record."))
@click.argument("record", metavar="ID")
@click.argument("target", metavar=_("WHOM"), callback=whom)
@click.option("--level", type=click.Choice(_GIVEN), default="read", show_default=True, help=_("How far."))
@until_option
@click.option("--related", is_flag=True, help=_("Also the records of which it is the parent."))
@click.option("--superiors", is_flag=True, help=_("Also with those above."))
def share_command(
    call: Call, record: str, target: str, *, level: str, until: datetime | None, related: bool, superiors: bool
) -> Answer:
    """Share one record with a user, a role, a group or everybody."""
    with call.session() as session:
        done = share(session, record, target, level=level, until=until, related=related, superiors=superiors)
    return _done(call, done)


@command("unshare", _("Share one record no longer."))
@click.argument("record", metavar="ID")
@click.argument("target", metavar=_("WHOM"), callback=whom)
def unshare_command(call: Call, record: str, target: str) -> Answer:
    """Take the share of one record away."""
    with call.session() as session:
        done = unshare(session, record, target)
    return _done(call, done)


def _done(call: Call, done: Operation) -> Answer:
    call.face.answer({"operation": operation_facts(done)}, lambda: operations_grid([done], room=call.face.room))
    return None


@command("shares", _("Show with whom one record is shared."))
@click.argument("record", metavar="ID")
def shares_command(call: Call, record: str) -> Answer:
    """List the shares of one record."""
    with call.session() as session:
        found = [(each, _target_words(session, each)) for each in shares(session, record)]
    facts = {"record": record, "shares": [{**attrs.asdict(each), "target": target} for each, target in found]}
    names = [_("with"), _("level"), _("until"), _("related"), _("those above")]
    call.face.answer(facts, lambda: grid(names, [_share_cells(*each) for each in found], room=call.face.room))
    return None


def _target_words(session: Session, each: Share) -> str:
    principal = readable(each.target, each.level)
    return str(each.target) if principal is None else principal_words(session, principal)


def _share_cells(each: Share, target: str) -> list[object]:
    return [say_principal(target), say_level(each.level), say_until(each.until), each.related, each.superiors]


for _each in (add_rule_command, remove_rule_command):
    rule_command.add_command(_each)
for _each in (add_group_command, edit_group_command, remove_group_command):
    group_command.add_command(_each)
for _each in (
    list_command, default_command, rule_command, group_command, share_command, unshare_command, shares_command,
    team_command,
):  # fmt: skip
    sharing_command.add_command(_each)
