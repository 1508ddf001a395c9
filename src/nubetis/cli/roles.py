"""Commands for roles: the tree drawn, and changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nubetis.cli.call import Answer, Call, command
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.face import line, tree
from nubetis.cli.texts import _, counted
from nubetis.cli.usage import ListingGroup, language_option
from nubetis.session.roles import plan_role, plan_role_change, plan_role_move, plan_role_removal, role_tree

if TYPE_CHECKING:
    from rich.text import Text

    from nubetis.session.roles import RoleInTree

__all__ = ["roles_command", "said_role"]


@click.group("roles", cls=ListingGroup, params=[language_option()], help=_("Draw the tree of roles, and change it."))
def roles_command() -> None:
    """Draw the tree of roles, and change it."""


@command("list", _("Draw the tree of roles, with the number of users of each."))
def list_command(call: Call) -> Answer:
    """Draw the tree."""
    with call.org() as org, call.session_of(org) as session:
        found = role_tree(session)
        name = org.name
    facts = {"roles": [attrs.asdict(each) for each in found]}
    call.face.answer(facts, lambda: tree(name, [(each.depth, said_role(each)) for each in found]))
    return None


def said_role(role: RoleInTree) -> Text:
    """Give a role for the tree: its name, with how many have it and stand below."""
    parts = [counted("{count} user", "{count} users", role.users)] if role.users else []
    parts += [_("{count} below").format(count=role.users_below)] if role.users_below else []
    parts += [_("peers")] if role.peers else []
    parts += [_("built in")] if role.built_in else []
    return line(role.name).append(f"  {' · '.join(parts)}", "dim") if parts else line(role.name)


@command("add", _("Add a role."))
@click.argument("name", metavar=_("NAME"))
@click.option("--under", metavar=_("ROLE"), help=_("The role to which it reports; without one it stands at the top."))
@click.option("--peers", is_flag=True, help=_("Those who have it see each other's records."))
@change_options
def add_command(call: Call, name: str, under: str | None, *, peers: bool, **how: bool) -> Answer:
    """Add a role."""
    return carry_out(call, lambda session: plan_role(session, name, under=under, peers=peers), **how)


@command("move", _("Move a role, with all below it, to another place."))
@click.argument("role", metavar=_("ROLE"))
@click.option("--under", metavar=_("ROLE"), help=_("The role to which it reports from then on."))
@click.option("--top", is_flag=True, help=_("It reports to nobody from then on."))
@change_options
def move_command(call: Call, role: str, under: str | None, *, top: bool, **how: bool) -> Answer:
    """Move a role; who gains and loses how many records is shown before."""
    if (under is None) is not top:
        raise click.UsageError(_("Give either --under or --top."))
    return carry_out(call, lambda session: plan_role_move(session, role, under=under), **how)


@command("rename", _("Give a role another name."))
@click.argument("role", metavar=_("ROLE"))
@click.argument("name", metavar=_("NAME"))
@change_options
def rename_command(call: Call, role: str, name: str, **how: bool) -> Answer:
    """Rename a role."""
    return carry_out(call, lambda session: plan_role_change(session, role, name=name), **how)


@command("peers", _("Say whether those who have a role see each other's records."))
@click.argument("role", metavar=_("ROLE"))
@click.argument("peers", metavar="on|off", type=click.Choice(("on", "off")))
@change_options
def peers_command(call: Call, role: str, peers: str, **how: bool) -> Answer:
    """Make the users of a role peers, or no longer."""
    return carry_out(call, lambda session: plan_role_change(session, role, peers=peers == "on"), **how)


@command("remove", _("Take a role away."))
@click.argument("role", metavar=_("ROLE"))
@click.option("--heir", metavar=_("ROLE"), help=_("The role that its users get, and to which those below it report."))
@change_options
def remove_command(call: Call, role: str, heir: str | None, **how: bool) -> Answer:
    """Remove a role."""
    return carry_out(call, lambda session: plan_role_removal(session, role, heir=heir), **how)


for _each in (list_command, add_command, move_command, rename_command, peers_command, remove_command):
    roles_command.add_command(_each)
