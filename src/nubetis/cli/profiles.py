"""Commands for profiles: list, show, compare, clone, merge, permit, forbid."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nubetis.access.decision import Action
from nubetis.access.permissions import CATALOGUE, Function
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.texts import _, say_label, say_level, say_permission
from nubetis.cli.usage import ListingGroup, language_option
from nubetis.model.filters import F
from nubetis.session.naming import named
from nubetis.session.profiles import (
    compare_profiles,
    permission_sets,
    plan_field_level,
    plan_forbid,
    plan_permission_set,
    plan_permit,
    plan_profile_clone,
    plan_profile_merge,
    profile_facts,
    profiles,
)

if TYPE_CHECKING:
    from nubetis.access.permissions import Permission
    from nubetis.session.profiles import ProfileFacts, Unlike

__all__ = ["profiles_command"]


@click.group(
    "profiles", cls=ListingGroup, params=[language_option()], help=_("List, show, compare and change profiles.")
)
def profiles_command() -> None:
    """List, show, compare and change profiles."""


@command("list", _("List profiles."))
def list_command(call: Call) -> Answer:
    """List profiles, with the number of users of each."""
    with call.session() as session:
        found = profiles(session)
    names = [_("name"), _("users"), _("kind"), _("functions")]
    rows = [[each.name, each.users, _kind(each), ", ".join(map(_function, each.functions))] for each in found]
    facts = {"profiles": [attrs.asdict(each) for each in found]}
    call.face.answer(facts, lambda: grid(names, rows, room=call.face.room, right=[_("users")]))
    return None


def _kind(profile: ProfileFacts) -> str:
    kinds = [(profile.administrator, _("administrator")), (profile.built_in, _("built in"))]
    return ", ".join([word for holds, word in kinds if holds])


def _function(name: str) -> str:
    return say_permission(Function(name))


@command("show", _("Show what a profile permits."))
@click.argument("profile", metavar=_("PROFILE"))
def show_command(call: Call, profile: str) -> Answer:
    """Show the permissions by module, the functions and the fields of a profile."""
    with call.session() as session:
        found = profile_facts(session, profile)
        labels = {str(module.name): say_label(module) for module in session.schema.modules}
    call.face.answer(attrs.asdict(found), lambda: _shown(found, labels, call.face.room))
    return None


def _shown(found: ProfileFacts, labels: dict[str, str], room: int) -> RenderableType:
    kind = _kind(found)
    title = line(found.name + (f" ({kind})" if kind else ""), "bold")
    functions = [[each.value, _marked(each), _tick(each.value in found.functions)] for each in Function]
    fields = [[name, say_level(level)] for name, level in found.fields.items()]
    parts = [_matrix(found, labels, room), grid([_("function"), "", ""], functions, room=room)]
    parts += [grid([_("field"), _("level")], fields, room=room)] if fields else []
    return group(title, *parts, line(_("! is dangerous: it empties or gives away much at once."), "dim"))


def _matrix(found: ProfileFacts, labels: dict[str, str], room: int) -> RenderableType:
    """Give verbs against modules; modules that permit the same are one column."""
    alike: dict[tuple[str, ...], list[str]] = {}
    for module, verbs in found.verbs.items():
        alike.setdefault(verbs, []).append(module)
    columns = {_heading(modules, labels, len(alike)): verbs for verbs, modules in alike.items()}
    rows = [[each.value, _marked(each), *[_tick(each.value in verbs) for verbs in columns.values()]] for each in Action]
    return grid([_("permission"), "", *columns], rows, room=room)


def _heading(modules: list[str], labels: dict[str, str], columns: int) -> str:
    if columns == 1:
        return _("every module")
    return _("others") if "*" in modules else ", ".join([labels.get(each, each) for each in modules])


def _marked(permission: Permission) -> str:
    return say_permission(permission) + (" !" if CATALOGUE[permission].dangerous else "")


def _tick(permitted: bool) -> str:  # noqa: FBT001 - a sign for it
    return "✓" if permitted else "·"


@command("compare", _("Show what tells two profiles apart."))
@click.argument("first", metavar=_("PROFILE"))
@click.argument("second", metavar=_("PROFILE"))
def compare_command(call: Call, first: str, second: str) -> Answer:
    """Compare two profiles; what is the same in both is not shown."""
    with call.session() as session:
        found = compare_profiles(session, first, second)
    facts = {"first": first, "second": second, "differences": [attrs.asdict(each) for each in found]}
    call.face.answer(facts, lambda: _compared(found, (first, second), call.face.room))
    return None


def _compared(found: list[Unlike], names: tuple[str, str], room: int) -> RenderableType:
    if not found:
        return line(_("They permit the same."), "dim")
    rows = [[each.what, say_level(each.first), say_level(each.second)] for each in found]
    return grid([_("permission"), *names], rows, room=room)


# --- changes ---------------------------------------------------------------------------------------


@command("clone", _("Make a profile that permits what another does."))
@click.argument("profile", metavar=_("PROFILE"))
@click.argument("name", metavar=_("NAME"))
@change_options
def clone_command(call: Call, profile: str, name: str, **how: bool) -> Answer:
    """Clone a profile; the clone of an administrator permits everything and is none."""
    return carry_out(call, lambda session: plan_profile_clone(session, profile, name), **how)


@command("merge", _("Give the users of other profiles this one, and take those away."))
@click.argument("profile", metavar=_("PROFILE"))
@click.argument("others", metavar=_("PROFILE…"), nargs=-1, required=True)
@click.option(
    "--permits",
    type=click.Choice(("any", "all", "own")),
    default="any",
    show_default=True,
    help=_("It permits what any of them did, what all of them did, or only its own."),
)
@change_options
def merge_command(call: Call, profile: str, others: tuple[str, ...], *, permits: str, **how: bool) -> Answer:
    """Merge profiles."""
    return carry_out(call, lambda session: plan_profile_merge(session, profile, others, permits=permits), **how)


@command("permit", _("Permit more, with all that it needs: export, leads.delete, manage_users."))
@click.argument("profile", metavar=_("PROFILE"))
@click.argument("permissions", metavar=_("PERMISSION…"), nargs=-1, required=True)
@change_options
def permit_command(call: Call, profile: str, permissions: tuple[str, ...], **how: bool) -> Answer:
    """Permit something in every module, in one, or a function of the organisation."""
    return carry_out(call, lambda session: plan_permit(session, profile, permissions), **how)


@command("forbid", _("Permit less: neither this nor what needs it."))
@click.argument("profile", metavar=_("PROFILE"))
@click.argument("permissions", metavar=_("PERMISSION…"), nargs=-1, required=True)
@change_options
def forbid_command(call: Call, profile: str, permissions: tuple[str, ...], **how: bool) -> Answer:
    """Forbid something in every module, in one, or a function of the organisation."""
    return carry_out(call, lambda session: plan_forbid(session, profile, permissions), **how)


@command("field", _("Hide a field, or let it be read only."))
@click.argument("profile", metavar=_("PROFILE"))
@click.argument("field", metavar=_("MODULE.FIELD"))
@click.argument("level", metavar="hidden|read|edit", type=click.Choice(("hidden", "read", "edit")))
@change_options
def field_command(call: Call, profile: str, field: str, level: str, **how: bool) -> Answer:
    """Say what the users of a profile may do with a field."""
    return carry_out(call, lambda session: plan_field_level(session, profile, field, level), **how)


@command("remove", _("Take a profile away that nobody has."))
@click.argument("profile", metavar=_("PROFILE"))
@change_options
def remove_command(call: Call, profile: str, **how: bool) -> Answer:
    """Remove a profile; to give its users another one, merge it into that."""
    return carry_out(
        call,
        lambda session: session.plan_delete("profiles", F["id"].in_([named(session, "profiles", profile).id])),
        **how,
    )


# --- permission sets -------------------------------------------------------------------------------


@click.group("set", cls=ListingGroup, params=[language_option()], help=_("List, add and remove permission sets."))
def set_command() -> None:
    """List, add and remove permission sets."""


@command("list", _("List permission sets, with what they permit."))
def list_sets_command(call: Call) -> Answer:
    """List permission sets."""
    with call.session() as session:
        found = permission_sets(session)
    names = [_("name"), _("permits")]
    rows = [[name, ", ".join(permits)] for name, permits in found.items()]
    call.face.answer({"permission_sets": found}, lambda: grid(names, rows, room=call.face.room))
    return None


@command("add", _("Make a permission set; nubetis users edit USER --set NAME gives it."))
@click.argument("name", metavar=_("NAME"))
@click.argument("permissions", metavar=_("PERMISSION…"), nargs=-1, required=True)
@change_options
def add_set_command(call: Call, name: str, permissions: tuple[str, ...], **how: bool) -> Answer:
    """Add a permission set, which permits with each permission what it needs."""
    return carry_out(call, lambda session: plan_permission_set(session, name, permissions), **how)


@command("remove", _("Take a permission set away that nobody has."))
@click.argument("name", metavar=_("NAME"))
@change_options
def remove_set_command(call: Call, name: str, **how: bool) -> Answer:
    """Remove a permission set."""
    return carry_out(
        call,
        lambda session: session.plan_delete(
            "permission_sets", F["id"].in_([named(session, "permission_sets", name).id])
        ),
        **how,
    )


for _each in (list_sets_command, add_set_command, remove_set_command):
    set_command.add_command(_each)
for _each in (
    list_command, show_command, compare_command, clone_command, merge_command, permit_command, forbid_command,
    field_command, remove_command, set_command,
):  # fmt: skip
    profiles_command.add_command(_each)
