"""The first records of an organisation, and how a session begins."""

from __future__ import annotations

import json
from collections.abc import Mapping

import attrs

from nubetis.access.entitlements import EDITION, Entitlements, write_entitlements
from nubetis.access.permissions import EVERY_PERMISSION, STANDARD, Permissions, write_permissions
from nubetis.access.sign_in import HostSignIn
from nubetis.errors import AccessDenied, require
from nubetis.model.convert import module_text
from nubetis.model.fields import Value
from nubetis.model.ids import decode
from nubetis.model.plan import Cause, CauseKind, Plan
from nubetis.model.record import Record
from nubetis.model.schema import Schema
from nubetis.session.altering import refuse_unusable_defaults
from nubetis.session.applying import Applier
from nubetis.session.door import Session, refused
from nubetis.session.state import State, facts_of
from nubetis.session.world import World, check_first
from nubetis.types import Json, Key

__all__ = ["first_settings", "open_session", "set_up"]

_ROLES = ("Chief Executive", "Manager")
_PROFILES = (("Administrator", EVERY_PERMISSION), ("Standard", STANDARD))


def first_settings(
    administrator: str, settings: Mapping[str, Json], entitlements: Entitlements | None
) -> dict[str, Json]:
    """Give the settings that an organisation begins with.

    Raises:
        InvalidValue: ``bad_setting``; ``bad_argument``, they are no mapping.
    """
    require(settings, Mapping, argument="settings", expected="settings by name")
    found = {"name": _name_of(administrator), **settings}
    check_first(found)
    if entitlements is None:
        return found
    require(entitlements, Entitlements, argument="entitlements", expected="an edition: Entitlements(…)")
    return {**found, EDITION: write_entitlements(entitlements)}


def set_up(state: State, schema: Schema, *, administrator: str, settings: Mapping[str, Json]) -> None:
    """Write the definitions of the modules, the built-in roles and profiles, the settings and the administrator."""
    state.write(lambda: _set_up(state, schema, administrator, {**settings, "id": state.world.salt()}))


def _name_of(email: str) -> str:
    """Give a name for the organisation until somebody gives it its own."""
    return email.rpartition("@")[2].partition(".")[0].capitalize()


def _set_up(state: State, schema: Schema, administrator: str, settings: Mapping[str, Json]) -> None:
    state.known = attrs.evolve(state.known, schema=schema, settings=settings)
    refuse_unusable_defaults(state.planner(), schema, before=Schema())
    definitions = [
        {
            "name": each.name,
            "number": int(each.id),
            "definition": module_text(each),
        }
        for each in schema.modules
    ]
    _create(state, "modules", definitions)
    _create(state, "settings", [{"name": name, "value": json.dumps(value)} for name, value in settings.items()])
    roles = _create(state, "roles", [{"name": name, "built_in": True} for name in _ROLES])
    profiles = _create(state, "profiles", [_built_in(*each) for each in _PROFILES])
    local = administrator.partition("@")[0]
    person = {
        "email": administrator,
        "handle": local,
        "name": local.replace(".", " ").title(),
        "role": roles[0].id,
        "profile": profiles[0].id,
    }
    _create(state, "users", [person])


def _create(state: State, module: str, values: list[dict[str, Value]]) -> list[Record]:
    part, refusals = state.planner().creates(state.known.schema.module(module), values)
    plan = Plan(cause=Cause(CauseKind.SETUP), parts=(part,), refusals=tuple(refusals))
    if refusals:
        raise refused(plan)
    Applier(state, plan).run()
    state.refresh()
    return [Record(part.module, row) for row in part.rows]


def _built_in(name: str, permissions: Permissions) -> dict[str, Value]:
    """Give the values of a built-in profile."""
    kept = json.dumps(write_permissions(permissions))
    return {"name": name, "administrator": permissions is EVERY_PERMISSION, "permissions": kept, "built_in": True}


def open_session(world: World, sign_in: HostSignIn, *, on_behalf_of: str | None = None) -> Session:
    """Give the session of a user for whom the host vouches, or of another on whose behalf he acts.

    Raises:
        NotFound: ``unknown_user``.
        AccessDenied: the user is not active; ``no_delegation``, nobody lets him act so.
    """
    require(sign_in, HostSignIn, argument="sign_in", expected='a sign-in such as HostSignIn("ana@acme.pe")')
    state = State(world, None, purpose="signing in")
    name = state.read(lambda: state.known.find_user(state.txn, sign_in.user))
    key = decode(name)[1]
    facts = state.read(lambda: facts_of(state.known, state.txn, key))
    if not facts.active:
        raise AccessDenied("denied", user=sign_in.user, action="sign in", module="this organisation")
    if on_behalf_of is None:
        return Session(State(world, key, sign_in=_in_journal(sign_in)))
    return Session(_acting(state, key, sign_in, on_behalf_of))


def _acting(state: State, key: Key, sign_in: HostSignIn, name: str) -> State:
    """Give the state of one who acts for the user with this name."""
    require(name, str, argument="on_behalf_of", expected="an e-mail, a handle or a record id")
    user = state.read(lambda: state.known.find_user(state.txn, name))
    other = State(
        state.world, decode(user)[1], sign_in=_in_journal(sign_in), on_behalf_of=user, delegate=key
    )  # fmt: skip
    other.read(lambda: None)  # whether he may is asked before he has a door
    return other


def _in_journal(sign_in: HostSignIn) -> dict[str, Json]:
    """Give what the journal says of a sign-in, with everything that its session writes."""
    at = None if sign_in.at is None else sign_in.at.isoformat()
    found: dict[str, Json] = {"by": "host", "factor": sign_in.factor, "at": at, "address": sign_in.address}
    return {name: value for name, value in found.items() if value is not None}
