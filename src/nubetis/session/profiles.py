"""Profiles: what they permit, in names; cloned, compared, merged, and changed a permission at a time.

Permissions are named ``export`` (in every module), ``leads.export`` (in one) and ``manage_users`` (a function of the
organisation), fields ``contacts.phone``.  A profile is named by its name or id.  Nothing here writes but the plans
that it makes, once they are applied.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import reduce
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.editing import common, forbidding, joined, permitting, with_field
from nubetis.access.permissions import (
    EVERY_PERMISSION,
    NO_PERMISSION,
    FieldLevel,
    Function,
    Permission,
    Permissions,
    read_permissions,
    write_permissions,
)
from nubetis.data.merge import plan_merge
from nubetis.errors import InvalidValue, names_of, require
from nubetis.model.filters import F
from nubetis.model.nearest import suggest
from nubetis.session.naming import named
from nubetis.types import FieldId, ModuleId, ModuleName, RecordId

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.model.plan import Plan
    from nubetis.model.record import Record
    from nubetis.model.schema import Module
    from nubetis.session.door import Session

__all__ = [
    "ProfileFacts",
    "Unlike",
    "compare_profiles",
    "permission_sets",
    "plan_field_level",
    "plan_forbid",
    "plan_permission_set",
    "plan_permit",
    "plan_profile_clone",
    "plan_profile_merge",
    "profile_facts",
    "profiles",
    "unlike",
]

EVERY_MODULE: Final = "*"
"""Stands for the modules of which nothing else is said, and those that are still to come."""


@attrs.frozen(kw_only=True)
class ProfileFacts:
    """A profile in names.

    *verbs* are given by module, *fields* are those that are not simply edited: ``{"contacts.phone": "hidden"}``.
    """

    id: RecordId
    name: str
    administrator: bool
    built_in: bool
    users: int
    verbs: Mapping[ModuleName, tuple[str, ...]]
    functions: tuple[str, ...]
    fields: Mapping[str, str]


@attrs.frozen
class Unlike:
    """What tells two profiles apart: a permission that one of them has, or the levels of a field."""

    what: str
    first: str
    second: str


def profiles(session: Session) -> list[ProfileFacts]:
    """Give all profiles, by name, with the number of users of each; one in the recycle bin is none."""
    return session.state.read(
        lambda: [_facts(session, each) for each in session.find("profiles", sort="name", limit=1000)]
    )


def profile_facts(session: Session, profile: str) -> ProfileFacts:
    """Give one profile.

    >>> from nubetis.testing.people import make_org
    >>> with make_org() as org, org.administrator() as session:
    ...     facts = profile_facts(session, "Standard")
    ...     "export" in facts.verbs["leads"], facts.functions
    (False, ())

    Raises:
        NotFound: ``unknown_principal``.
    """
    return session.state.read(lambda: _facts(session, named(session, "profiles", profile)))


def _facts(session: Session, record: Record) -> ProfileFacts:
    found = permissions_of(record)
    modules = [module for module in session.schema.modules if not module.system]
    return ProfileFacts(
        id=record.id,
        name=str(record["name"]),
        administrator=bool(record["administrator"]),
        built_in=bool(record["built_in"]),
        users=session.count("users", F.profile == record.id),
        verbs={ModuleName(EVERY_MODULE): _ordered(found.default)}
        | {module.name: _ordered(found.verbs(module.id)) for module in modules},
        functions=tuple([each.value for each in Function if each in found.functions]),
        fields=dict(_fields(found, modules)),
    )


def permissions_of(record: Record) -> Permissions:
    """Give what a profile permits; an administrator's permits everything."""
    if record["administrator"]:
        return EVERY_PERMISSION
    text = record["permissions"]
    return Permissions() if text is None else read_permissions(json.loads(str(text)))


def _ordered(verbs: frozenset[Action]) -> tuple[str, ...]:
    return tuple([each.value for each in Action if each in verbs])


def _fields(found: Permissions, modules: Iterable[Module]) -> Iterator[tuple[str, str]]:
    """Give the levels of fields by name; of those that one may not read oneself nothing is said."""
    for module in modules:
        for field in module.fields:
            if (module.id, field.id) in found.fields:
                yield f"{module.name}.{field.name}", found.level(module.id, field.id).name.lower()


def compare_profiles(session: Session, first: str, second: str) -> list[Unlike]:
    """Give what tells two profiles apart: permissions as ``yes`` or ``no``, fields by level.

    A verb that differs in every module is named alone, as ``export``; one of modules that are still to come as
    ``*.export``.

    Raises:
        NotFound: ``unknown_principal``.
    """

    def work() -> list[Unlike]:
        return unlike(session, *[permissions_of(named(session, "profiles", each)) for each in (first, second)])

    return session.state.read(work)


def unlike(session: Session, one: Permissions, two: Permissions) -> list[Unlike]:
    """Give what tells the permissions of two profiles apart, see :func:`compare_profiles`."""
    modules = [module for module in session.schema.modules if not module.system]
    return [*_unlike_verbs(one, two, modules), *_unlike_functions(one, two), *_unlike_fields(one, two, modules)]


def _unlike_verbs(one: Permissions, two: Permissions, modules: Iterable[Module]) -> Iterator[Unlike]:
    places = {EVERY_MODULE: (one.default, two.default)}
    places |= {str(module.name): (one.verbs(module.id), two.verbs(module.id)) for module in modules}
    for verb in Action:
        sides = {name: (verb in a, verb in b) for name, (a, b) in places.items()}
        if set(sides.values()) in ({(True, False)}, {(False, True)}):
            yield Unlike(verb.value, *map(_yes, sides[EVERY_MODULE]))
            continue
        yield from [
            Unlike(f"{name}.{verb.value}", *map(_yes, each)) for name, each in sides.items() if len({*each}) > 1
        ]


def _unlike_functions(one: Permissions, two: Permissions) -> Iterator[Unlike]:
    for each in Function:
        if (each in one.functions) is not (each in two.functions):
            yield Unlike(each.value, _yes(each in one.functions), _yes(each in two.functions))


def _unlike_fields(one: Permissions, two: Permissions, modules: list[Module]) -> Iterator[Unlike]:
    said, too = (dict(_fields(each, modules)) for each in (one, two))
    for name in dict.fromkeys([*said, *too]):
        sides = said.get(name, _EDIT), too.get(name, _EDIT)
        if sides[0] != sides[1]:
            yield Unlike(name, *sides)


_EDIT: Final = FieldLevel.EDIT.name.lower()


def _yes(has: bool) -> str:  # noqa: FBT001 - a word for it
    return "yes" if has else "no"


# -- plans ------------------------------------------------------------------------------------------------------------
def plan_profile_clone(session: Session, profile: str, name: str) -> Plan:
    """Plan a profile *name* that permits what another does.

    The clone of an administrator's permits everything and is none itself: sharing and roles hold for its users.

    Raises:
        AccessDenied: the user may not manage profiles; ``not_in_edition``.
        NotFound: ``unknown_principal``.
    """
    kept = _text(permissions_of(named(session, "profiles", profile)))
    return session.plan_create("profiles", [{"name": name, "permissions": kept}])


def plan_permit(session: Session, profile: str, permissions: str | Iterable[str]) -> Plan:
    """Plan that a profile permits more, with all that it needs.

    Raises:
        AccessDenied: the user may not manage profiles; ``not_in_edition``.
        NotFound: ``unknown_principal``, ``unknown_module``.
        InvalidValue: ``bad_permissions``; there is no such permission.
    """
    changes = _named_permissions(session, permissions)
    return _plan(session, profile, lambda now: reduce(lambda kept, each: permitting(kept, *each), changes, now))


def plan_forbid(session: Session, profile: str, permissions: str | Iterable[str]) -> Plan:
    """Plan that a profile permits less: neither these permissions nor what needs them.

    Raises:
        AccessDenied: the user may not manage profiles; ``not_in_edition``.
        NotFound: ``unknown_principal``, ``unknown_module``.
        InvalidValue: ``bad_permissions``; there is no such permission.
    """
    changes = _named_permissions(session, permissions)
    return _plan(session, profile, lambda now: reduce(lambda kept, each: forbidding(kept, *each), changes, now))


def plan_field_level(session: Session, profile: str, field: str, level: str) -> Plan:
    """Plan that a *field*, such as ``contacts.phone``, is ``hidden``, ``read`` or ``edit`` for those of a profile.

    Raises:
        AccessDenied: the user may not manage profiles; ``not_in_edition``.
        NotFound: ``unknown_principal``, ``unknown_module``, ``unknown_field``.
        InvalidValue: ``bad_argument``; there is no such level.
    """
    wanted, place = _level(level), _place(session, field)
    return _plan(session, profile, lambda now: with_field(now, place, wanted))


def plan_permission_set(
    session: Session, name: str, permissions: str | Iterable[str] = (), *, fields: Mapping[str, str] | None = None
) -> Plan:
    """Plan a permission set that adds these permissions, with all that they need, and levels of *fields*.

    Fields are named as ``{"contacts.phone": "read"}``; a set never takes anything away.  Users get it by their
    ``permission_sets``, which hold ids.

    >>> from nubetis.testing.people import make_org
    >>> with make_org() as org, org.administrator() as admin:
    ...     operation = admin.apply(plan_permission_set(admin, "Exports", ["leads.export", "explain_access"]))
    ...     [each["name"] for each in admin.find("permission_sets")]
    ['Exports']

    Raises:
        AccessDenied: the user may not manage profiles; ``not_in_edition``.
        NotFound: ``unknown_module``, ``unknown_field``.
        InvalidValue: ``bad_permissions``, ``bad_argument``; there is no such permission or level.
    """
    named = {} if fields is None else fields
    require(named, Mapping, argument="fields", expected="levels by field")
    levels = {field: _level(level) for field, level in named.items()}
    added = _named_permissions(session, permissions)
    whole = reduce(lambda kept, each: permitting(kept, *each), added, Permissions())
    given = attrs.evolve(whole, fields={_place(session, field): level for field, level in levels.items()})
    return session.plan_create("permission_sets", [{"name": name, "permissions": _text(given)}])


def _level(name: object) -> FieldLevel:
    levels = {each.name.lower(): each for each in FieldLevel}
    if not isinstance(name, str) or name not in levels:
        raise InvalidValue("bad_argument", argument="level", reason=f"give {', '.join(levels)}")
    return levels[name]


def _place(session: Session, field: str) -> tuple[ModuleId, FieldId]:
    require(field, str, argument="field", expected="a field, such as contacts.phone")
    module, _, name = field.partition(".")
    home = _of_people(session, module)
    return home.id, home.field(name).id


def permission_sets(session: Session) -> dict[str, list[str]]:
    """Give what each permission set permits, by name: ``export`` in every module, ``leads.export`` in one."""

    def work() -> dict[str, list[str]]:
        names = ("name", "permissions")
        rows = [row for batch in session.stream("permission_sets", fields=names) for row in zip(*batch, strict=True)]
        sets = {str(name): read_permissions(json.loads(str(text or "{}"))) for name, text in sorted(rows)}
        return {name: [each.what for each in unlike(session, NO_PERMISSION, now)] for name, now in sets.items()}

    return session.state.read(work)


def plan_profile_merge(session: Session, master: str, losers: Iterable[str], *, permits: str = "any") -> Plan:
    """Plan that the users of *losers* get the profile *master*, and the losers go.

    The master permits from then on what ``any`` of them did, what ``all`` of them did, or what it did itself (``own``).

    Raises:
        AccessDenied: the user may not manage profiles and users.
        NotFound: ``unknown_principal``.
        InvalidValue: ``bad_argument``; the master is a loser, or *permits* is none of these.
    """
    if permits not in _MERGES:
        raise InvalidValue("bad_argument", argument="permits", reason=f"give {', '.join(_MERGES)}")
    kept, *gone = [named(session, "profiles", each) for each in (master, *names_of(losers, argument="losers"))]
    now = permissions_of(kept)
    then = reduce(_MERGES[permits], map(permissions_of, gone), now)
    values: dict[str, Value] = {} if then == now else {"permissions": _text(then)}
    return plan_merge(session, kept, gone, values=values)


_MERGES: Final = {"any": joined, "all": common, "own": lambda kept, _: kept}


def _plan(session: Session, profile: str, change: Callable[[Permissions], Permissions]) -> Plan:
    found = named(session, "profiles", profile)
    if found["administrator"]:
        reason = "an administrator's profile permits everything, for ever"
        raise InvalidValue("bad_argument", argument="profile", reason=reason)
    now = permissions_of(found)
    then = change(now)
    return session.plan_edits("profiles", {} if then == now else {found.id: {"permissions": _text(then)}})


def _text(permissions: Permissions) -> str:
    return json.dumps(write_permissions(permissions))


def _named_permissions(session: Session, names: str | Iterable[str]) -> list[tuple[Permission, ModuleId | None]]:
    return [_permission(session, each) for each in names_of(names, argument="permissions")]


def _permission(session: Session, name: str) -> tuple[Permission, ModuleId | None]:
    """Give what ``export``, ``leads.export`` or ``manage_users`` names."""
    module, dot, verb = name.rpartition(".")
    known: Mapping[str, Permission] = {each.value: each for each in (*Action, *(() if dot else Function))}
    if verb not in known:
        reason = f"no permission is called {name[:60]}. {suggest(verb, known)}".rstrip(".")
        raise InvalidValue("bad_permissions", reason=reason)
    return known[verb], _of_people(session, module).id if dot else None


def _of_people(session: Session, name: str) -> Module:
    """Give a module of people's own records: permissions are about no other."""
    module = session.schema.module(name)
    if module.system:
        raise InvalidValue("bad_argument", argument="module", reason=f"{name} is nubetis's own, and not shared")
    return module
