"""What must hold after every change of people, rights and sharing; checked in the transaction that makes it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from nubetis.access.directory import Roster
from nubetis.access.entitlements import Feature
from nubetis.access.permissions import FieldLevel, Permissions
from nubetis.access.sharing import Default, PrincipalKind, Rule
from nubetis.errors import NubetisError, Refused
from nubetis.model.bind import RIGHTS, Viewpoint, bind, links_in
from nubetis.model.ids import encode
from nubetis.model.schema import Module, Schema
from nubetis.types import Key, ModuleId, ModuleName, RecordId

__all__ = ["BUILT_IN", "check_roster", "check_rules"]

BUILT_IN: Final = 2
"""How many roles, and how many profiles, there always are."""


def check_roster(roster: Roster, schema: Schema, *, now: datetime, going: Collection[RecordId] = ()) -> None:
    """Make sure that people, rights and sharing stand as nubetis needs them.

    *going* are the records that the change takes away: what still names one of them is not what is wrong.

    Raises:
        Refused: ``last_administrator``, ``no_licence``, ``edition_limit``, ``edition_lacks``, ``built_in``,
            ``role_circle``, ``role_in_use``, ``profile_in_use``, ``group_circle``,
            ``unknown_member``, ``still_named``, ``permission_lacks``, ``unknown_sharing``, ``bad_sharing``; the
            transaction must not be committed.
    """
    _check_people(roster)
    _check_edition(roster)
    _check_circles("role_circle", PrincipalKind.ROLE, {role.key: _some(role.reports_to) for role in roster.roles})
    _check_circles("group_circle", PrincipalKind.GROUP, roster.groups.inner)
    _check_named_there(roster, going)
    _check_permissions(roster, schema)
    _check_sharing(roster, schema, now)


def _some(key: Key | None) -> list[Key]:
    return [] if key is None else [key]


def _check_people(roster: Roster) -> None:
    users = roster.users
    if not any(roster.profiles[key].administrator for key in users.signing_in if key in roster.profiles):
        raise Refused("last_administrator")
    roles = {role.key for role in roster.roles}
    for key, user in users.roles.items():
        if key not in roles:
            raise Refused("role_in_use", id=encode("rol", key), by=encode("use", user))
    for key, user in users.profiles.items():
        if key not in roster.profiles:
            raise Refused("profile_in_use", id=encode("pro", key), by=encode("use", user))
    if min(len(roster.built_in_roles), len(roster.built_in_profiles)) < BUILT_IN:
        raise Refused("built_in", what="A role or profile", reason="it stays")
    for role in roster.roles:
        if role.reports_to is not None and role.reports_to not in roles:
            raise Refused("role_in_use", id=encode("rol", role.reports_to), by=encode("rol", role.key))


def _check_edition(roster: Roster) -> None:
    """Refuse more than the edition gives, and that it gives less than what there is."""
    edition = roster.entitlements
    if edition.users is not None and roster.users.seats > edition.users:
        raise Refused("no_licence", limit=edition.users, count=roster.users.seats)
    limits = (("roles", edition.roles, roster.roles), ("profiles", edition.profiles, roster.profiles))
    for what, limit, those in limits:
        if limit is not None and len(those) > limit:
            raise Refused("edition_limit", what=what, limit=limit, count=len(those))
    features = (Feature.PERMISSION_SETS, Feature.GROUPS, Feature.SHARING_RULES)
    for feature, used_by in zip(features, (roster.sets, roster.groups, roster.rules), strict=True):
        if used_by and feature in edition.lacks:
            raise Refused("edition_lacks", feature=feature.value, count=len(used_by))


def _check_circles(code: str, kind: PrincipalKind, leads: Mapping[Key, list[Key]]) -> None:
    """Refuse a circle; without recursion, as chains may be long."""
    done: set[Key] = set()
    for start in leads:
        if start in done:
            continue
        open_ones: dict[Key, None] = {}
        left = [(start, False)]
        while left:
            at, leaving = left.pop()
            if leaving:
                del open_ones[at]
                done.add(at)
            elif at in open_ones:
                raise Refused(code, id=encode(kind.value, at))
            elif at not in done and at in leads:
                open_ones[at] = None
                left += [(at, True), *[(each, False) for each in leads[at]]]


def _check_named_there(roster: Roster, going: Collection[RecordId]) -> None:
    """Refuse that anything names what is not there."""
    lost = list(_lost(roster))
    for prefix, key in lost:
        name, several = encode(prefix, key), [by for kind, each, by in _named(roster) if (kind, each) == (prefix, key)]
        if name not in going:
            raise Refused("unknown_member", id=name, by=several[0])
        told = ", ".join([*dict.fromkeys(several[:_MOST_NAMED]), *(["…"] if len(several) > _MOST_NAMED else [])])
        hint = (
            "Or let the user leave: another takes over all of it (plan_offboarding, nubetis users leave)."
            if prefix == PrincipalKind.USER
            else ""
        )
        raise Refused("still_named", id=name, by=told, hint=hint)


_SET: Final = "pse"
_MOST_NAMED: Final = 5


def _lost(roster: Roster) -> Iterator[tuple[str, Key]]:
    """Give what is named and not there: its prefix and key."""
    there = {
        PrincipalKind.USER: roster.users.living,
        PrincipalKind.ROLE: {role.key for role in roster.roles},
        PrincipalKind.GROUP: roster.groups.keys(),
    }
    principals = [each for rule in roster.rules for each in (rule.source, rule.target) if each is not None]
    named = [*[(kind, key) for kind, keys in roster.groups.named.items() for key in keys],
             *[(each.kind, each.key) for each in principals]]  # fmt: skip
    yield from [(kind.value, key) for kind, key in named if kind in there and key not in there[kind]]
    yield from [(_SET, key) for key in roster.users.sets if key not in roster.sets]


def _named(roster: Roster) -> Iterator[tuple[str, Key, RecordId]]:
    """Give what groups, rules and users name: its prefix and key, and by what it is named."""
    groups = [(encode("gro", key), each) for key, each in roster.groups.items()]
    rules = [(encode("sru", each.key), (each.source, each.target)) for each in roster.rules]
    for name, principals in [*groups, *rules]:
        yield from [(each.kind.value, each.key, name) for each in principals if each is not None]
    for user in roster.users:
        yield from [(_SET, key, encode("use", user.key)) for key in (() if user.deleted else user.sets)]


def _check_permissions(roster: Roster, schema: Schema) -> None:
    profiles = [(encode("pro", key), each.permissions) for key, each in roster.profiles.items()]
    sets = [(encode("pse", key), each) for key, each in roster.sets.items()]
    for name, permissions in [*profiles, *sets]:
        for _, lacking, need in permissions.dangling()[:1]:
            raise Refused("permission_lacks", id=name, permission=lacking.value, need=need.value)
        _check_named(name, permissions, schema)


def _check_named(name: str, permissions: Permissions, schema: Schema) -> None:
    for module in permissions.modules:
        _shared_module(schema, module, name)
    for (module, number), level in permissions.fields.items():
        field = _shared_module(schema, module, name).by_id.get(number)
        if field is None:
            raise Refused("unknown_sharing", by=name, what=f"field {number} of module number {module}")
        if field.system and level is FieldLevel.HIDDEN:
            raise Refused("shown_always", field=field.name)


def _shared_module(schema: Schema, number: ModuleId, by: str) -> Module:
    """Give the module of people's own with this number."""
    found = schema.by_id.get(number)
    if found is None or found.system:
        raise Refused("unknown_sharing", by=by, what=f"module number {number}")
    return found


# -- sharing ----------------------------------------------------------------------------------------------------------
def _check_sharing(roster: Roster, schema: Schema, now: datetime) -> None:
    parents: dict[ModuleId, list[ModuleId]] = {}
    links: list[tuple[Rule, int]] = []
    for number, default in roster.defaults.items():
        module = _shared_module(schema, number, "sharing_defaults")
        if default.parent is not None:
            parents[number] = [_parent(module, default, schema).id]
    _check_parents(parents, schema)
    for rule in roster.rules:
        module = _shared_module(schema, rule.module, encode("sru", rule.key))
        links.append((rule, _check_rule(rule, module, schema, Viewpoint(now=now))))
    _check_links(parents, links)


def _parent(module: Module, default: Default, schema: Schema) -> Module:
    """Give the one module whose records are the parents of those of *module*."""
    field = module.by_id.get(default.parent or 0)
    if field is None or len(field.targets) != 1 or schema.module(field.targets[0]).system:
        reason = "its parent is a link to records of one module"
        raise Refused("bad_sharing", by=module.name, reason=reason)
    return schema.module(field.targets[0])


def _check_parents(parents: Mapping[ModuleId, list[ModuleId]], schema: Schema) -> None:
    for start in parents:
        chain = [start]
        while following := parents.get(chain[-1]):
            chain += following
            if len(chain) > _LONGEST or len(set(chain)) < len(chain):
                raise _bad_parents([schema.by_id[each].name for each in chain])


def _bad_parents(chain: Sequence[ModuleName]) -> Refused:
    """Say of a *chain* of parents that it leads back, or is too long."""
    begin = chain.index(chain[-1])
    way = " > ".join(chain[begin:])
    if begin < len(chain) - 1:
        reason = f"its parents lead back to where they begin: {way}"
    else:
        begin, way = 0, " > ".join(chain)
        reason = f"at most {_LONGEST} modules may be parents in a row, and there would be more: {way}"
    return Refused("bad_sharing", by=chain[begin], reason=reason)


_LONGEST: Final = RIGHTS + 1
"""Modules in a row of parents."""


def _check_links(parents: Mapping[ModuleId, list[ModuleId]], rules: Iterable[tuple[Rule, int]]) -> None:
    """Refuse rules that follow more links than rights may, with those by which records have what their parents have."""
    below: dict[ModuleId, int] = {}
    for start in parents:
        at, steps = start, 0
        while following := parents.get(at):
            at, steps = following[0], steps + 1
            below[at] = max(below.get(at, 0), steps)
    for rule, links in rules:
        if links and links + below.get(rule.module, 0) > RIGHTS:
            reason = (
                f"it follows {links} links, and {RIGHTS} are the most, those from what belongs to its records included"
            )
            raise Refused("bad_sharing", by=encode("sru", rule.key), reason=reason)


def _check_rule(rule: Rule, module: Module, schema: Schema, view: Viewpoint) -> int:
    """Make sure that *rule* can be asked; give how many links it follows."""
    by = encode("sru", rule.key)
    if (rule.source is None) == (rule.where is None):
        raise Refused("bad_sharing", by=by, reason="it is by owners or by values, and not by both")
    if rule.where is None:
        return 0
    try:
        return links_in(bind(rule.where, module, schema, view))
    except NubetisError as error:
        raise Refused("bad_sharing", by=by, reason=str(error).rstrip(".")) from error


def check_rules(rules: Iterable[Rule], schema: Schema, view: Viewpoint) -> None:
    """Make sure that *rules* ask for nothing that the one of the *view* may not: whom they reach would tell him.

    Raises:
        Refused: ``bad_sharing``; to him such a field is one that there is not.
    """
    for rule in rules:
        _check_rule(rule, _shared_module(schema, rule.module, encode("sru", rule.key)), schema, view)
