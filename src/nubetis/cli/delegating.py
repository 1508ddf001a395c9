"""Commands of ``nubetis users`` for acting in another's name: delegate, delegations, revoke."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nubetis.access.decision import Action
from nubetis.access.permissions import Function
from nubetis.cli.call import Answer, Call, command, title_of
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.face import grid
from nubetis.cli.plans import operation_facts, operations_grid
from nubetis.cli.texts import _, say_label, say_permission
from nubetis.cli.until import say_until, until_option
from nubetis.session.delegating import delegations, plan_delegation, revoke

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from nubetis.session.delegating import Delegation

__all__ = ["delegate_command", "delegations_command", "revoke_command"]


@attrs.frozen(kw_only=True)
class _Lent:
    """What is lent to whom."""

    delegate: str
    until: datetime | None
    modules: tuple[str, ...]
    actions: tuple[str, ...]
    functions: tuple[str, ...]
    dry_run: bool
    yes: bool


@command("delegate", _("Let another user work in your name."), value=_Lent)
@click.argument("delegate", metavar=_("USER"))
@until_option
@click.option(
    "--module", "modules", metavar=_("MODULE"), multiple=True, help=_("Only there; all, where none is named.")
)
@click.option(
    "--action",
    "actions",
    type=click.Choice([each.value for each in Action]),
    multiple=True,
    help=_("Only this; all that you may, where none is named."),
)
@click.option(
    "--function",
    "functions",
    type=click.Choice([each.value for each in Function]),
    multiple=True,
    help=_("A function of the organisation as well."),
)
@change_options
def delegate_command(call: Call, given: _Lent) -> Answer:
    """Delegate."""
    return carry_out(
        call,
        lambda session: plan_delegation(
            session, given.delegate, until=given.until, modules=given.modules, actions=given.actions,
            functions=given.functions,
        ),
        dry_run=given.dry_run, yes=given.yes,
    )  # fmt: skip


@command("delegations", _("Show what you have lent and been lent; an administrator sees all."))
def delegations_command(call: Call) -> Answer:
    """List delegations."""
    with call.session() as session:
        found = delegations(session)
        users = {str(each): title_of(session, each) or each for one in found for each in (one.user, one.delegate)}
        labels = {str(module.name): say_label(module) for module in session.schema.modules}
    names = [_("from whom"), _("to whom"), _("until"), _("modules"), _("permits")]
    facts = {"delegations": [attrs.asdict(each) for each in found]}
    call.face.answer(facts, lambda: grid(names, [_cells(each, users, labels) for each in found], room=call.face.room))
    return None


def _cells(each: Delegation, users: Mapping[str, str], labels: Mapping[str, str]) -> list[object]:
    modules = ", ".join([labels[module] for module in each.modules]) or _("every module")
    actions = [say_permission(Action(action)) for action in each.actions] or [_("all")]
    functions = [say_permission(Function(function)) for function in each.functions]
    may = ", ".join([*actions, *functions])
    return [users[each.user], users[each.delegate], say_until(each.until), modules, may]


@command("revoke", _("Let another user work in your name no longer."))
@click.argument("delegate", metavar=_("USER"))
def revoke_command(call: Call, delegate: str) -> Answer:
    """Revoke a delegation."""
    with call.session() as session:
        done = revoke(session, delegate)
    call.face.answer({"operation": operation_facts(done)}, lambda: operations_grid([done], room=call.face.room))
    return None
