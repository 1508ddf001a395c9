"""The roster of an organisation: its people, roles, groups and sharing, as a transaction sees them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from nubetis.access.directory import Directory, Profile, Roster, User
from nubetis.access.numbering import Position
from nubetis.access.permissions import NO_PERMISSION, Permissions, read_permissions
from nubetis.access.sharing import Default, Level, Principal, Rule
from nubetis.errors import UNREADABLE, NubetisError, Refused, damage
from nubetis.model.bind import ALWAYS
from nubetis.model.convert import from_json
from nubetis.model.filters import Filter
from nubetis.model.ids import decode
from nubetis.model.system import (
    GROUPS,
    PERMISSION_SETS,
    PROFILES,
    ROLES,
    SHARING_DEFAULTS,
    SHARING_RULES,
    USERS,
)  # fmt: skip
from nubetis.session.world import LIVE
from nubetis.types import Cells, Key, ModuleId, Stored

if TYPE_CHECKING:
    from nubetis.model.bind import Bound
    from nubetis.model.schema import Module
    from nubetis.model.store import Txn
    from nubetis.session.world import World

__all__ = ["directory_of", "read_roster"]


def directory_of(world: World, txn: Txn, version: int) -> Directory:
    """Give what *txn* sees of everybody's access, read anew where its *version* is not the one last read."""
    known = world.directory
    if known is None or known[0] != version:
        try:
            known = world.directory = version, Directory(_roster(txn))
        except UNREADABLE as error:
            raise damage("A record of people or sharing", error) from error
    return known[1]  # not world.directory: another thread may have put there what its snapshot sees


def read_roster(txn: Txn) -> Roster:
    """Give what *txn* sees of people and sharing.

    Users in the recycle bin are among them, not active: what they own is still in somebody's reach.

    Raises:
        Refused: ``bad_sharing``; something there cannot be read.
        InvalidValue: ``bad_permissions``, ``bad_principal``, ``bad_id``.
    """
    try:
        return _roster(txn)
    except NubetisError:
        raise
    except UNREADABLE as error:
        reason = f"it cannot be read ({type(error).__name__})"
        raise Refused("bad_sharing", by="a record of people or sharing", reason=reason) from error


_USER: Final = ("role", "profile", "state", "kind", "permission_sets", "deleted_in")
_DEFAULT: Final = ("module", "level", "upward", "parent", "parent_level")
_RULE: Final = ("active", "name", "module", "source", "where", "target", "level", "superiors")


def _roster(txn: Txn) -> Roster:
    profiles = _rows(txn, PROFILES, "administrator", "permissions")
    return Roster(
        users=tuple(map(_user, _rows(txn, USERS, *_USER, where=ALWAYS))),
        roles=tuple(
            [Position(key, above, bool(peers)) for key, above, peers in _rows(txn, ROLES, "reports_to", "peers")]
        ),
        profiles={key: Profile(_permissions(text), administrator=bool(flag)) for key, flag, text in profiles},
        sets={key: _permissions(text) for key, text in _rows(txn, PERMISSION_SETS, "permissions")},
        groups={key: tuple(map(Principal.parse, _list(each))) for key, each in _rows(txn, GROUPS, "members")},
        defaults=dict(map(_default, _rows(txn, SHARING_DEFAULTS, *_DEFAULT))),
        rules=tuple(_rules(_rows(txn, SHARING_RULES, *_RULE))),
    )


def _rows(txn: Txn, module: Module, *columns: str, where: Bound = LIVE) -> Iterator[Cells]:
    for batch in txn.stream(module, where, columns=("id", *columns)):
        yield from zip(*batch, strict=True)


def _user(row: Cells) -> User:
    key, role, profile, state, kind, sets, deleted = row
    return User(
        key=key, role=Key(role or 0), profile=Key(profile or 0),
        active=state == "active" and deleted is None, deleted=deleted is not None, person=kind == "person",
        sets=tuple([decode(each)[1] for each in _list(sets)]),
    )  # fmt: skip


def _list(cell: Stored) -> list[str]:
    return [] if cell is None else json.loads(str(cell))


def _permissions(cell: Stored) -> Permissions:
    return NO_PERMISSION if cell is None else read_permissions(json.loads(str(cell)))


def _level(cell: Stored) -> Level:
    return Level[str(cell).upper()]


def _default(row: Cells) -> tuple[ModuleId, Default]:
    _, module, level, upward, parent, parent_level = row
    return module, Default(level=_level(level), upward=_level(upward), parent=parent, parent_level=_level(parent_level))


def _rules(rows: Iterable[Cells]) -> Iterator[Rule]:
    for key, active, name, module, source, where, target, level, superiors in rows:
        if active:
            yield Rule(
                key=key, name=name, module=module, target=Principal.parse(target),
                level=_level(level), superiors=bool(superiors),
                source=None if source is None else Principal.parse(source),
                where=None if where is None else from_json(json.loads(str(where)), Filter),
            )  # fmt: skip
