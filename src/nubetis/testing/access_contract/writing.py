"""A world written into an organisation: all of it at once, as rows, for it must be cheap."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.directory import Profile, Roster
from nubetis.access.entitlements import EDITION, UNLIMITED, write_entitlements
from nubetis.access.numbering import Position
from nubetis.access.people import User
from nubetis.access.permissions import Permissions, write_permissions
from nubetis.access.sharing import Default, Principal, Rule
from nubetis.model.convert import to_json
from nubetis.model.fields import Value
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import instant_text
from nubetis.model.kinds.choices import pack_set
from nubetis.model.numbered import numbered
from nubetis.model.store import Batch, Expect, Inserts, Txn, VersionName
from nubetis.testing.access_contract.worlds import MODULES, WORLD_SCHEMA, Given, Lent, Thing, World, with_fields
from nubetis.testing.people import make_org
from nubetis.types import Key, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.filters import Filter
    from nubetis.model.schema import Module
    from nubetis.testing.people import OrgWithPeople

__all__ = ["address_of", "as_cells", "as_text", "make_world", "write_world"]

_Cells = Mapping[str, Stored]
_SETTING: Final = 9_000_000
"""The key of the setting that says what the edition gives."""
_WRITTEN: Final = "2026-03-02T09:30:00.000000Z"


def address_of(user: Key) -> str:
    """Give the address by which a user of a world signs in."""
    return f"u{user}@nubetis.test"


def make_world(url: str, world: World, *, plugins: Iterable[object] = ()) -> tuple[OrgWithPeople, World]:
    """Make an organisation that holds *world*; give the world with what every organisation has besides."""
    org = make_org(url, plugins=plugins)
    org.alter(with_fields(org.schema))
    return org, write_world(org, world)


def write_world(org: OrgWithPeople, world: World) -> World:
    """Write *world* into an organisation that has none yet; give it with what was there."""
    rows = _rows(world)
    store = org._world.store  # noqa: SLF001 - through the door it would take a hundred times as long

    def unit(txn: Txn) -> None:
        expected = Expect(VersionName.ACCESS, txn.versions().access)
        parts = [Inserts(module, [_row(module, *each) for each in some]) for module, some in rows if some]
        outcome = txn.write(Batch(expects=(expected,), parts=tuple(parts)))
        if not outcome.written:
            raise AssertionError(f"a world is not written: {outcome.conflicts}")

    store.write(unit)
    return attrs.evolve(world, roster=_with_first(org, world.roster))


def _with_first(org: OrgWithPeople, roster: Roster) -> Roster:
    """Add the administrator who made the organisation, and the roles and profiles that it begins with."""
    session = org.administrator()
    mine = session.get(str(session.user))
    profile, role = _key(mine["profile"]), _key(mine["role"])
    user = User(key=_key(mine.id), role=role, profile=profile)
    return attrs.evolve(
        roster,
        users=(*roster.users, user),
        roles=(*roster.roles, Position(role)),
        profiles={**roster.profiles, profile: Profile(administrator=True)},
    )


def _key(record: object) -> Key:
    return decode(str(record))[1]


def _row(module: Module, key: int, cells: _Cells) -> Row:
    given = {
        "id": key, "version": 1, "created_in": 1, "created_at": _WRITTEN, "modified_at": _WRITTEN, **cells
    }  # fmt: skip
    return tuple([given.get(column.name) for column in module.layout.columns])


def _rows(world: World) -> list[tuple[Module, list[tuple[int, _Cells]]]]:
    roster = world.roster
    found: dict[str, Iterator[tuple[int, _Cells]]] = {
        "roles": (_role(each) for each in roster.roles),
        "profiles": (_profile(*each) for each in roster.profiles.items()),
        "permission_sets": (_set(*each) for each in roster.sets.items()),
        "users": (_user(each) for each in roster.users),
        "groups": (_group(*each) for each in roster.groups.items()),
        "sharing_defaults": (_default(*each) for each in roster.defaults.items()),
        "sharing_rules": (_rule(each) for each in roster.rules),
        "shares": ((at, _share(each)) for at, each in enumerate(world.given, 1)),
        "delegations": ((at, _delegation(each)) for at, each in enumerate(world.lent, 1)),
        "settings": _edition(roster),
        **{name: (_thing(each) for each in world.things[name]) for name in MODULES},
    }  # fmt: skip
    return [(WORLD_SCHEMA.module(name), list(some)) for name, some in found.items()]


def as_text(data: object) -> str:
    """Give *data* as JSON, as it is kept."""
    return json.dumps(data, ensure_ascii=False)


def _role(each: Position) -> tuple[int, _Cells]:
    return each.key, {
        "name": f"role {each.key}", "reports_to": each.reports_to, "built_in": 0, "peers": int(each.peers)
    }  # fmt: skip


def _profile(key: Key, each: Profile) -> tuple[int, _Cells]:
    said = as_text(write_permissions(each.permissions))
    return key, {
        "name": f"profile {key}", "administrator": int(each.administrator), "built_in": 0, "permissions": said
    }  # fmt: skip


def _set(key: Key, each: Permissions) -> tuple[int, _Cells]:
    return key, {"name": f"set {key}", "permissions": as_text(write_permissions(each))}


def _group(key: Key, members: tuple[Principal, ...]) -> tuple[int, _Cells]:
    return key, {"name": f"group {key}", "members": pack_set([each.text for each in members])}


def _user(each: User) -> tuple[int, _Cells]:
    sets: Sequence[str] = [encode("pse", key) for key in each.sets]
    return each.key, {
        "name": f"User {each.key}", "email": address_of(each.key), "handle": f"u{each.key}", "kind": "person",
        "state": "active" if each.active or each.deleted else "suspended", "role": each.role, "profile": each.profile,
        "permission_sets": pack_set(sets), "deleted_in": 1 if each.deleted else None,
    }  # fmt: skip


def _default(module: int, each: Default) -> tuple[int, _Cells]:
    return module, {
        "module": module, "level": each.level.text, "upward": each.upward.text, "parent": each.parent,
        "parent_level": each.parent_level.text,
    }  # fmt: skip


def _rule(each: Rule) -> tuple[int, _Cells]:
    return each.key, {
        "name": each.name, "module": int(each.module), "target": each.target.text, "level": each.level.text,
        "source": None if each.source is None else each.source.text,
        "where": None if each.where is None else as_text(to_json(_numbered(each.module, each.where))),
        "superiors": int(each.superiors), "active": 1,
    }  # fmt: skip


def _numbered(module: int, where: Filter) -> Filter:
    of = WORLD_SCHEMA.by_id[module]
    return numbered(where, of, WORLD_SCHEMA)


def _share(each: Given) -> _Cells:
    cells = as_cells(each)
    return {
        **cells, "related": int(each.related), "superiors": int(each.superiors),
        "until": None if each.until is None else instant_text(each.until),
    }  # fmt: skip


def _delegation(each: Lent) -> _Cells:
    instants = {"since": each.since, "until": each.until}
    return {
        "user": each.user, "delegate": each.delegate, "deleted_in": 1 if each.deleted else None,
        "modules": pack_set([str(int(WORLD_SCHEMA.module(name).id)) for name in each.modules]),
        "actions": pack_set([action.value for action in each.actions]), "functions": pack_set([]),
        **{name: None if at is None else instant_text(at) for name, at in instants.items()},
    }  # fmt: skip


def _edition(roster: Roster) -> Iterator[tuple[int, _Cells]]:
    if roster.entitlements != UNLIMITED:
        yield _SETTING, {"name": EDITION, "value": as_text(write_entitlements(roster.entitlements))}


def as_cells(each: Given) -> dict[str, Value]:
    """Give the values of the record of a share."""
    return {
        "module": int(WORLD_SCHEMA.module(each.module).id), "record": int(each.record), "target": each.target.text,
        "level": each.level.text, "until": each.until,
        "related": each.related, "superiors": each.superiors, "kind": "team" if each.team else "share",
    }  # fmt: skip


def _thing(each: Thing) -> tuple[int, _Cells]:
    title = "last_name" if each.module == "contacts" else "name"
    return each.key, {
        title: f"{each.module} {each.key}", "owner": each.owner, "city": each.city, "size": each.size, **each.links,
        "deleted_in": 1 if each.deleted else None,
    }  # fmt: skip
