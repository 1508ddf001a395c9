"""Commands for users: list, add, edit, remove."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import click

from nubetis.access.sharing import PrincipalKind
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.changing import carry_out, change_options
from nubetis.cli.delegating import delegate_command, delegations_command, revoke_command
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.records import read_filter
from nubetis.cli.texts import _, counted, say_state
from nubetis.cli.usage import ListingGroup, language_option
from nubetis.errors import NotFound
from nubetis.model.filters import EVERYTHING, F, Filter
from nubetis.model.ids import encode
from nubetis.session.leaving import plan_offboarding
from nubetis.session.naming import named
from nubetis.session.sharing import principal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nubetis import Plan, Session
    from nubetis.model.fields import Value

__all__ = ["user_facts", "users_command", "users_grid"]

_FIELDS = ("id", "name", "email", "handle", "state", "kind", "role", "profile", "permission_sets")
_MOST = 200
"""Users of a table; a filter finds the others, and programs get all of them."""
_STATES = ("active", "invited", "suspended", "deactivated")


@click.group("users", cls=ListingGroup, params=[language_option()], help=_("List, add, edit and remove users."))
def users_command() -> None:
    """List, add, edit and remove users."""


@command("list", _("List users, with their roles and profiles."))
@click.argument("where", metavar=_("[FILTER]"), nargs=-1)
def list_command(call: Call, where: tuple[str, ...]) -> Answer:
    """List the users that fit."""
    with call.session() as session:
        users = user_facts(session, read_filter(where, session.schema.module("users"), session.schema))
    call.face.answer({"users": users}, lambda: users_grid(users, room=call.face.room))
    return None


def user_facts(session: Session, where: Filter = EVERYTHING) -> list[dict[str, object]]:
    """Give the facts of users, by name: role, profile and permission sets are named, too."""
    rows = [row for batch in session.stream("users", where, fields=_FIELDS) for row in zip(*batch, strict=True)]
    titles = _titles(session)
    found = [_facts(dict(zip(_FIELDS, row, strict=True)), titles) for row in rows]
    return sorted(found, key=lambda each: (str(each["name"]).casefold(), str(each["email"])))


def users_grid(users: Sequence[Mapping[str, object]], *, room: int) -> RenderableType:
    """Give the first users as a table, and how many they are."""
    names = [_("name"), _("e-mail"), _("state"), _("role"), _("profile"), _("permission sets")]
    fields = ("name", "email", "state", "role", "profile", "permission_sets")
    rows = [
        [say_state(str(each[field])) if field == "state" else each[field] for field in fields] for each in users[:_MOST]
    ]
    left = len(users) - _MOST
    more = [line(counted("(and {count} more user)", "(and {count} more users)", left), "dim")] if left > 0 else []
    return group(grid(names, rows, room=room), *more, line(counted("{count} user", "{count} users", len(users)), "dim"))


def _titles(session: Session) -> dict[str, str]:
    """Give the names of roles, profiles and permission sets, by id."""
    found: dict[str, str] = {}
    for module in ("roles", "profiles", "permission_sets"):
        for ids, names in session.stream(module, fields=("id", "name")):
            found |= dict(zip(map(str, ids), map(str, names), strict=True))
    return found


def _facts(user: dict[str, Value], titles: dict[str, str]) -> dict[str, object]:
    """Give a user's facts for programs: role, profile and permission sets by name."""
    sets = user["permission_sets"]
    return {
        **user,
        "role": titles.get(str(user["role"])),
        "profile": titles.get(str(user["profile"])),
        "permission_sets": [titles.get(str(each), str(each)) for each in (sets if isinstance(sets, tuple) else ())],
    }


@attrs.frozen(kw_only=True)
class _User:
    """What is said of a user, ``None`` where nothing is, and how it is to be done."""

    user: str
    dry_run: bool
    yes: bool
    name: str | None = None
    handle: str | None = None
    role: str | None = None
    profile: str | None = None
    state: str | None = None
    sets: tuple[str, ...] = ()
    drop_sets: tuple[str, ...] = ()

    def values(self, session: Session, kept: tuple[str, ...] = ()) -> dict[str, Value]:
        """Give the values of the record; *kept* are the permission sets that the user has."""
        given: dict[str, Value] = {"name": self.name, "handle": self.handle, "state": self.state}
        for module, name in (("roles", self.role), ("profiles", self.profile)):
            given[module[:-1]] = None if name is None else named(session, module, name).id
        found = {field: value for field, value in given.items() if value is not None}
        if self.sets or self.drop_sets:
            dropped = {named(session, "permission_sets", each).id for each in self.drop_sets}
            added = [named(session, "permission_sets", each).id for each in self.sets]
            found["permission_sets"] = tuple([each for each in dict.fromkeys([*kept, *added]) if each not in dropped])
        return found


def _user(session: Session, name: str) -> str:
    """Give the id of the user with this e-mail, handle or id."""
    found = principal(session, name)
    if found.kind is not PrincipalKind.USER:
        raise NotFound("unknown_user", user=name[:60])
    return encode(found.kind.value, found.key)


@command("add", _("Add a user."), value=_User)
@click.argument("user", metavar=_("E-MAIL"))
@click.option("--role", metavar=_("ROLE"), required=True, help=_("The place in the tree of roles."))
@click.option("--profile", metavar=_("PROFILE"), required=True, help=_("What the user may do."))
@click.option("--name", help=_("The name; without one what stands before the @."))
@click.option("--handle", help=_("A short name to be called by."))
@click.option("--state", type=click.Choice(_STATES), help=_("Whether the user may work."))
@click.option("--set", "sets", metavar=_("NAME"), multiple=True, help=_("A permission set; several times for several."))
@change_options
def add_command(call: Call, given: _User) -> Answer:
    """Add a user."""

    def planned(session: Session) -> Plan:
        usual: dict[str, Value] = {"email": given.user, "name": given.user.partition("@")[0].replace(".", " ").title()}
        return session.plan_create("users", [usual | given.values(session)])

    return carry_out(call, planned, dry_run=given.dry_run, yes=given.yes)


@command("edit", _("Give a user another role or profile, or another state."), value=_User)
@click.argument("user", metavar=_("USER"))
@click.option("--role", metavar=_("ROLE"), help=_("The place in the tree of roles."))
@click.option("--profile", metavar=_("PROFILE"), help=_("What the user may do."))
@click.option("--name", help=_("The name."))
@click.option("--handle", help=_("A short name to be called by."))
@click.option("--state", type=click.Choice(_STATES), help=_("Whether the user may work."))
@click.option("--set", "sets", metavar=_("NAME"), multiple=True, help=_("Add a permission set."))
@click.option("--drop-set", "drop_sets", metavar=_("NAME"), multiple=True, help=_("Take a permission set away."))
@change_options
def edit_command(call: Call, given: _User) -> Answer:
    """Edit a user."""

    def planned(session: Session) -> Plan:
        name = _user(session, given.user)
        kept = session.get(name)["permission_sets"]
        values = given.values(session, tuple(map(str, kept)) if isinstance(kept, tuple) else ())
        return session.plan_edits("users", {name: values})

    return carry_out(call, planned, dry_run=given.dry_run, yes=given.yes)


@command("remove", _("Put a user into the recycle bin."))
@click.argument("user", metavar=_("USER"))
@change_options
def remove_command(call: Call, user: str, **how: bool) -> Answer:
    """Remove a user; the records stay theirs, and the journal keeps the name."""
    return carry_out(call, lambda session: session.plan_delete("users", F["id"].in_([_user(session, user)])), **how)


@attrs.frozen(kw_only=True)
class _Leaver:
    """Who leaves, who takes over, and how it is to be done."""

    user: str
    heir: str | None
    records: tuple[str, ...]
    state: str
    dry_run: bool
    yes: bool

    def plan(self, session: Session) -> Plan:
        """Plan it."""
        heirs = dict([_pair(each) for each in self.records])
        return plan_offboarding(session, self.user, to=self.heir, records=heirs, state=self.state)


def _pair(text: str) -> tuple[str, str]:
    module, sign, user = text.partition("=")
    if not sign:
        raise click.UsageError(_("Give --records as MODULE=USER."))
    return module, user


@command("leave", _("Let a user leave: another takes over what is his."), value=_Leaver)
@click.argument("user", metavar=_("USER"))
@click.option("--to", "heir", metavar=_("USER"), help=_("Who takes over records, rules, and places in groups."))
@click.option("--records", metavar=_("MODULE=USER"), multiple=True, help=_("Who takes over the records of a module."))
@click.option(
    "--state",
    type=click.Choice(("suspended", "deactivated", "deleted")),
    default="deactivated",
    show_default=True,
    help=_("What the user is then."),
)
@change_options
def leave_command(call: Call, given: _Leaver) -> Answer:
    """Off-board a user in one operation, which undo takes back."""
    return carry_out(call, given.plan, dry_run=given.dry_run, yes=given.yes)


for _each in (
    list_command, add_command, edit_command, remove_command, leave_command, delegate_command, delegations_command,
    revoke_command,
):  # fmt: skip
    users_command.add_command(_each)
