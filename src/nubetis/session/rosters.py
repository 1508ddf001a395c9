"""The roster of an organisation: its people, roles, groups and sharing, as a transaction sees them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import attrs

from nubetis.access.compare import Comparison, Handed, Parents
from nubetis.access.directory import PRIVATE, Directory, Profile, Roster
from nubetis.access.entitlements import EDITION, UNLIMITED, Entitlements, read_entitlements
from nubetis.access.invariants import check_roster, check_rules
from nubetis.access.meaning import filled, meaning, what_goes
from nubetis.access.numbering import Position
from nubetis.access.people import Groups, People, User
from nubetis.access.permissions import NO_PERMISSION, Permissions, read_permissions
from nubetis.access.policy import RolePolicy, policy_of
from nubetis.access.sharing import GRANTED, Default, Level, Principal, Rule, lasting
from nubetis.errors import UNREADABLE, AccessDenied, NubetisError, Refused, damage
from nubetis.model.bind import ALWAYS, All, OneOf, Test, Viewpoint
from nubetis.model.convert import from_json
from nubetis.model.fields import Operator
from nubetis.model.filters import Filter
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import instant_text
from nubetis.model.numbered import names_left
from nubetis.model.plan import ChangeKind, Creates, Edits, Part
from nubetis.model.schema import DELETED_IN, key_of
from nubetis.model.system import (
    GROUPS,
    PERMISSION_SETS,
    PROFILES,
    ROLES,
    SETTINGS,
    SHARES,
    SHARING_DEFAULTS,
    SHARING_RULES,
    USERS,
)  # fmt: skip
from nubetis.session.gaining import refuse_shared
from nubetis.session.world import LIVE
from nubetis.types import Cells, FieldId, Key, ModuleId, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.bind import Bound
    from nubetis.model.schema import Module, Schema
    from nubetis.model.store import Txn
    from nubetis.session.state import State
    from nubetis.session.world import World

__all__ = [
    "check_asking",
    "check_meaning",
    "check_people",
    "check_written",
    "compared",
    "directory_of",
    "going",
    "read_roster",
    "rows_with",
    "rule_of",
]


def directory_of(world: World, txn: Txn, version: int) -> Directory:
    """Give what *txn* sees of everybody's access, read anew where its *version* is not the one last read.

    *version* is that with which the unit began.  What it has changed itself since is seen and not kept for others: it
    may be taken back.
    """
    if txn.versions().access != version:
        return _read_directory(txn)
    known = world.directory
    if known is None or known[0] != version:
        known = world.directory = version, _read_directory(txn)
    return known[1]  # not world.directory: another thread may have put there what its snapshot sees


def _read_directory(txn: Txn) -> Directory:
    try:
        return Directory(_roster(_Source(txn)))
    except UNREADABLE as error:
        raise damage("A record of people or sharing", error) from error


def check_written(state: State, written: Iterable[Part]) -> None:
    """Make sure of the same, and keep what *written* has made of people and sharing for whoever reads it next.

    The unit goes on with the rights that its user now has.  *written* are the last that the transaction wrote; what
    they do not touch need not be read again.

    Raises:
        Refused, AccessDenied: see :func:`check_people`.
    """
    version, parts = state.txn.versions().access, tuple(written)
    known = _known_at(state, version - 1)
    after = Directory(read_roster(state.txn, known=known, touched=_modules_of(parts)))
    _check(state, parts, after)
    state.go_on(after)
    state.afterwards.append(partial(_keep, state.world, version, after))


def _known_at(state: State, version: int) -> Roster | None:
    """Give the roster at a *version* of this transaction, where it is at hand."""
    if state.people_now is not None and state.people_now[0] == version:
        return state.people_now[1].roster
    kept = state.world.directory
    return kept[1].roster if kept is not None and kept[0] == version == state.versions.access else None


def _keep(world: World, version: int, directory: Directory) -> None:
    world.directory = version, directory


def _modules_of(parts: Iterable[Part]) -> frozenset[ModuleId]:
    return frozenset([part.module.id for part in parts])


def check_people(state: State, parts: Iterable[Part]) -> None:
    """Make sure that people, rights and sharing may stand as *parts* would make them.

    Raises:
        Refused: see :func:`~nubetis.access.invariants.check_roster`; ``raises_rights``, ``takes_over``.
        AccessDenied: ``edition_of_host``.
    """
    known, planned = _known_at(state, state.txn.versions().access), tuple(parts)
    after = read_roster(state.txn, planned, known=known, touched=_modules_of(planned))
    _check(state, planned, Directory(after))


def _check(state: State, parts: Iterable[Part], after: Directory) -> None:
    schema = state.known.schema
    check_roster(after.roster, schema, now=state.world.now(), going=going(parts))
    policy = state.policy
    if isinstance(policy, RolePolicy):
        _refuse_of_host(policy.directory.roster.entitlements, after.roster.entitlements)
        _refuse_beyond(state, policy.directory.roster, after.roster)
    check_asking(state, after.roster)
    _refuse_by_name(after.roster, schema, state.view().now)
    if isinstance(policy, RolePolicy) and not policy.user.administrator:
        _refuse_taking_over(policy, parts, after)
        comparison = compared(state, policy.directory, after)
        comparison.refuse_raising(policy.user.key, has=policy.permissions)
        refuse_shared(state, comparison, policy)
        if state.delegate is not None:  # nor is anything lent for longer than the delegation
            comparison.refuse_raising(state.delegate, of=state.delegate)
            own = policy_of(policy.directory, schema, policy.directory.users[state.delegate])
            refuse_shared(state, comparison, own, of=state.delegate)


def check_meaning(state: State, schema: Schema) -> None:
    """Make sure that people and sharing stand with *schema*, and that rules ask what they asked.

    Administrators may let a rule ask more, such as one that looks for words in whatever is searchable.

    Raises:
        Refused: see :func:`~nubetis.access.invariants.check_roster`; ``bad_sharing``, a rule asks for what would go;
            ``raises_rights``.
    """
    roster, before, now = read_roster(state.txn), state.known.schema, state.world.now()
    for rule in roster.rules:
        for lost in what_goes(rule, before, schema):
            raise Refused("bad_sharing", by=encode("sru", rule.key), reason=f"it asks for {lost}")
    check_roster(roster, schema, now=now)
    policy, view = state.policy, Viewpoint(now=now)
    if isinstance(policy, RolePolicy) and not policy.user.administrator:
        for rule in roster.rules:
            same = meaning(rule, before, view) == meaning(rule, schema, view)
            if not same or filled(rule, before) != filled(rule, schema):
                raise Refused("raises_rights", user=rule.target.text, what="records of others")
        if _usual_parents(roster, before) != _usual_parents(roster, schema):
            raise Refused("raises_rights", user=policy.user.id, what="records of others")


def _usual_parents(roster: Roster, schema: Schema) -> dict[ModuleId, object]:
    """Give by module the parent that a record has of which nobody says anything else."""
    found: dict[ModuleId, object] = {}
    for number, default in roster.defaults.items():
        module = schema.by_id.get(number)
        field = None if module is None else module.by_id.get(default.parent or 0)
        if field is not None and field.default is not None:
            found[number] = field.default
    return found


def _refuse_beyond(state: State, before: Roster, after: Roster) -> None:
    """Stop a new parent, or less by one, where shares stand that would give more of what belongs to it.

    Nobody but an administrator makes such a share, and whoever made these before did not know of it.
    """
    still = lasting(instant_text(state.world.now()))
    for number, now in after.defaults.items():
        then, module = before.defaults.get(number, PRIVATE), state.known.schema.by_id[number]
        parent = _links(state.known.schema, module).get(now.parent or FieldId(0))
        if parent is None or (then.parent == now.parent and then.parent_level <= now.parent_level):
            continue
        beyond = tuple([level.text for level in GRANTED if level > now.parent_level])
        count = state.txn.count(SHARES, All((*_lent(parent), OneOf("level", beyond), still))) if beyond else 0
        if count:
            reason = f"{count} shares go on from its parent to more than that: let them give less, or end them"
            raise Refused("bad_sharing", by=module.name, reason=reason)


def _lent(module: ModuleId) -> tuple[Bound, ...]:
    """Give the shares of records of *module* that go on to what belongs to them."""
    return LIVE, Test("module", Operator.EQ, int(module)), Test("related", Operator.EQ, 1)


def _refuse_by_name(after: Roster, schema: Schema, now: datetime) -> None:
    """Stop rules that would be kept by names, which may be those of other fields tomorrow."""
    for rule in (*after.rules, *after.resting):
        module = schema.by_id.get(rule.module)
        if module is not None and rule.where is not None and names_left(rule.where, module, schema):
            check_rules([rule], schema, Viewpoint(now=now))
            raise Refused("bad_sharing", by=encode("sru", rule.key), reason="what it asks for has another name by now")


def going(parts: Iterable[Part]) -> frozenset[RecordId]:
    """Give the records that *parts* take away."""
    return frozenset(
        encode(part.module.prefix, key_of(row))
        for part in parts
        if part.kind in {ChangeKind.DELETE, ChangeKind.PURGE}
        for row in part.rows
    )


def compared(
    state: State, before: Directory, after: Directory, *, handed: Handed | None = None, felt: bool = False
) -> Comparison:
    """Compare what everybody has *before* and *after* in the modules of records; see :class:`Comparison` for *felt*."""
    schema = state.known.schema
    modules = tuple([module.id for module in schema.modules if not module.system])
    linked = {module: _links(schema, schema.by_id[module]) for module in modules}
    said = {module: (before.default(module), after.default(module)) for module in modules}
    changed = [module for module, (then, now) in said.items() if then.parent != now.parent]
    parents = {linked[module].get(each.parent or FieldId(0)) for module in changed for each in said[module]}
    lent = {parent: _most_lent(state, parent) for parent in parents - {None} if parent is not None}
    return Comparison(before, after, modules, Parents(linked, lent), handed or Handed(), felt)


def _links(schema: Schema, module: Module) -> dict[FieldId, ModuleId]:
    """Give the modules to which the fields of *module* link, each to one of people's own."""
    single = [field for field in module.fields if len(field.targets) == 1]
    found = {field.id: schema.module(field.targets[0]) for field in single}
    return {field: each.id for field, each in found.items() if not each.system}


def _most_lent(state: State, module: ModuleId) -> Level:
    """Give the greatest level to which a record of *module* is shared with what belongs to it."""
    where = _lent(module)
    levels = [
        each
        for each in reversed(GRANTED)
        if state.txn.count(SHARES, All((*where, Test("level", Operator.EQ, each.text))), limit=1)
    ]
    return levels[0] if levels else Level.NONE


def check_asking(state: State, after: Roster) -> None:
    """Make sure that no rule is made or changed which asks for a field that the user may not read.

    Raises:
        Refused: ``bad_sharing``.
    """
    if isinstance(state.policy, RolePolicy) and not state.policy.user.administrator:
        check_rules(_new_rules(state.policy.directory.roster, after), state.known.schema, state.view())


def _new_rules(before: Roster, after: Roster) -> list[Rule]:
    """Give the rules that were made or changed, whether they are on or off."""
    found: list[Rule] = []
    for those, now in ((before.rules, after.rules), (before.resting, after.resting)):
        kept = {rule.key: rule for rule in those}
        found += [rule for rule in now if kept.get(rule.key) != rule]
    return found


_SIGNING_IN: Final = frozenset({"email", "handle", "state", "kind", "profile", "permission_sets"})
"""By what a user is known at sign-in and whether he may sign in; and what he then may."""


def _refuse_taking_over(policy: RolePolicy, parts: Iterable[Part], now: Directory) -> None:
    """Stop one who would sign in as a user who may more than he, keep such a one out, or first make him less."""
    directory, after = policy.directory, now.roster
    for key in _signing_in(parts):
        if directory.administrator(key) or not directory.permissions(key) <= policy.permissions:
            raise Refused("takes_over", user=encode("use", key))
    less = {key for each in (PROFILES, PERMISSION_SETS) for key in _changed(parts, each)}
    for user in directory.roster.users if less else ():
        if not less.isdisjoint((user.profile, *user.sets)) and user.key in now.users:
            had = directory.permissions(user.key)
            if not had <= policy.permissions and not had <= now.permissions(user.key):
                raise Refused("takes_over", user=encode("use", user.key))
    administrators = {key for key, profile in directory.roster.profiles.items() if profile.administrator}
    left = {key for key, profile in after.profiles.items() if profile.administrator}
    for user in directory.roster.users if administrators - left else ():
        if user.profile in administrators - left:
            raise Refused("takes_over", user=encode("use", user.key))


def _changed(parts: Iterable[Part], module: Module) -> Iterator[Key]:
    """Give the records of *module* that *parts* change."""
    for part in parts:
        if part.module.id == module.id and isinstance(part, Edits):
            yield from map(key_of, part.rows)


def _signing_in(parts: Iterable[Part]) -> Iterator[Key]:
    """Give the users of whom *parts* change how they sign in, or whether."""
    for part in parts:
        if part.module.id == USERS.id and isinstance(part, Edits):
            written = {str(field.name) for field in part.fields}
            if part.kind is not ChangeKind.UPDATE or written & _SIGNING_IN:
                yield from map(key_of, part.rows)


def _refuse_of_host(before: Entitlements, after: Entitlements) -> None:
    if before.by_host and after != before:
        raise AccessDenied("edition_of_host")


def read_roster(
    txn: Txn, parts: Iterable[Part] = (), *, known: Roster | None = None, touched: Collection[ModuleId] = ()
) -> Roster:
    """Give what *txn* sees of people and sharing, or would see if *parts* were written.

    Users in the recycle bin are among them, not active: what they own is still in somebody's reach.  *known* is what
    *txn* saw before it wrote to the modules *touched*; only those are read.

    Raises:
        Refused: ``bad_sharing``; something there cannot be read.
        InvalidValue: ``bad_permissions``, ``bad_principal``, ``bad_id``.
    """
    try:
        return _roster(_Source(txn, tuple(parts)), known, touched)
    except NubetisError:
        raise
    except UNREADABLE as error:
        reason = f"it cannot be read ({type(error).__name__})"
        raise Refused("bad_sharing", by="a record of people or sharing", reason=reason) from error


_USER: Final = ("role", "profile", "state", "kind", "email", "permission_sets", "deleted_in")
_DEFAULT: Final = ("module", "level", "upward", "parent", "parent_level")
_RULE: Final = ("active", "name", "module", "source", "where", "target", "level", "superiors")


def _roster(source: _Source, known: Roster | None = None, touched: Collection[ModuleId] = ()) -> Roster:
    """Give what *source* has; *known* is taken over, but for what is made of the modules *touched*."""
    read = [part for module, part in _PARTS if known is None or module.id in touched]
    found: dict[str, Any] = {}
    for part in read:
        found |= part(source)
    return attrs.evolve(Roster() if known is None else known, **found)


def _read_users(source: _Source) -> dict[str, Any]:
    return {"users": People(map(_user, source.rows(USERS, *_USER, where=ALWAYS)))}


def _read_roles(source: _Source) -> dict[str, Any]:
    rows = list(source.rows(ROLES, "reports_to", "peers", "built_in"))
    return {
        "roles": tuple([Position(key, above, bool(peers)) for key, above, peers, _ in rows]),
        "built_in_roles": frozenset([row[0] for row in rows if row[-1]]),
    }


def _read_profiles(source: _Source) -> dict[str, Any]:
    rows = list(source.rows(PROFILES, "administrator", "permissions", "built_in"))
    return {
        "profiles": {key: Profile(_permissions(text), administrator=bool(flag)) for key, flag, text, _ in rows},
        "built_in_profiles": frozenset([row[0] for row in rows if row[-1]]),
    }


def _read_sets(source: _Source) -> dict[str, Any]:
    return {"sets": {key: _permissions(text) for key, text in source.rows(PERMISSION_SETS, "permissions")}}


def _read_groups(source: _Source) -> dict[str, Any]:
    return {
        "groups": Groups({k: tuple(map(Principal.parse, _list(each))) for k, each in source.rows(GROUPS, "members")})
    }


def _read_defaults(source: _Source) -> dict[str, Any]:
    return {"defaults": dict(map(_default, source.rows(SHARING_DEFAULTS, *_DEFAULT)))}


def _read_rules(source: _Source) -> dict[str, Any]:
    rules = list(_rules(source.rows(SHARING_RULES, *_RULE)))
    return {
        "rules": tuple([rule for active, rule in rules if active]),
        "resting": tuple([rule for active, rule in rules if not active]),
    }


def _read_settings(source: _Source) -> dict[str, Any]:
    return {"entitlements": _entitlements(source.rows(SETTINGS, "name", "value"))}


_PARTS: Final[Sequence[tuple[Module, Callable[[_Source], dict[str, Any]]]]] = (
    (USERS, _read_users),
    (ROLES, _read_roles),
    (PROFILES, _read_profiles),
    (PERMISSION_SETS, _read_sets),
    (GROUPS, _read_groups),
    (SHARING_DEFAULTS, _read_defaults),
    (SHARING_RULES, _read_rules),
    (SETTINGS, _read_settings),
)
"""What of a roster is made of the records of each module."""


def rows_with(txn: Txn, parts: Iterable[Part], module: Module, *columns: str) -> Iterator[Cells]:
    """Give key and *columns* of the living records that *txn* sees, or would see if *parts* were written."""
    return _Source(txn, tuple(parts)).rows(module, *columns)


@attrs.frozen
class _Source:
    """The records that a transaction sees, changed as *parts* would change them."""

    txn: Txn
    parts: tuple[Part, ...] = ()

    def rows(self, module: Module, *columns: str, where: Bound = LIVE) -> Iterator[Cells]:
        """Give the key and *columns* of the records that fit *where*: those that live, or all."""
        parts = [part for part in self.parts if part.module.id == module.id]
        if not parts:
            for batch in self.txn.stream(module, where, columns=("id", *columns)):
                yield from zip(*batch, strict=True)
            return
        index = module.layout.index
        for row in self._changed(module, parts):
            if where == ALWAYS or row[DELETED_IN] is None:
                yield tuple([row[index[name]] for name in ("id", *columns)])

    def _changed(self, module: Module, parts: Iterable[Part]) -> Iterable[Row]:
        rows = {key_of(row): row for batch in self.txn.stream(module) for row in zip(*batch, strict=True)}
        for part in parts:
            if part.kind is ChangeKind.PURGE:
                for row in part.rows:
                    rows.pop(key_of(row), None)
            else:
                rows |= {key_of(row): row for row in _as_written(part)}
        return rows.values()


def _as_written(part: Part) -> Iterable[Row]:
    """Give the rows of *part* as they would be."""
    if isinstance(part, Creates):
        return part.rows
    if part.kind is ChangeKind.UPDATE:
        return part.changed_rows()
    gone = 1 if part.kind is ChangeKind.DELETE else None
    return [(*row[:DELETED_IN], gone, *row[DELETED_IN + 1 :]) for row in part.rows]


def _entitlements(rows: Iterable[Cells]) -> Entitlements:
    found = [text for _, name, text in rows if name == EDITION]
    return read_entitlements(json.loads(str(found[0]))) if found else UNLIMITED


def _user(row: Cells) -> User:
    key, role, profile, state, kind, email, sets, deleted = row
    return User(
        key=key, role=Key(role or 0), profile=Key(profile or 0),
        active=state == "active" and deleted is None, deleted=deleted is not None, person=kind != "service",
        signs_in=email is not None,
        sets=tuple([decode(each)[1] for each in _list(sets)]),
    )  # fmt: skip


def _list(cell: Stored) -> list[str]:
    return [] if cell is None else json.loads(str(cell))


def _permissions(cell: Stored) -> Permissions:
    return NO_PERMISSION if cell is None else read_permissions(json.loads(str(cell)))


def _default(row: Cells) -> tuple[ModuleId, Default]:
    _, module, level, upward, parent, parent_level = row
    levels = {"level": level, "upward": upward, "parent_level": parent_level}
    return module, Default(parent=parent, **{name: Level.parse(each) for name, each in levels.items()})


def rule_of(module: Module, row: Row) -> Rule:
    """Give the sharing rule that a row of theirs is, be it on or off.

    Raises:
        Damaged: nubetis did not write it so.
    """
    try:
        ((_, found),) = _rules([tuple([row[module.layout.index[name]] for name in ("id", *_RULE)])])
    except UNREADABLE as error:
        raise damage("A record of people or sharing", error) from error
    return found


def _rules(rows: Iterable[Cells]) -> Iterator[tuple[bool, Rule]]:
    """Give each rule, and whether it is on."""
    for key, active, name, module, source, where, target, level, superiors in rows:
        yield bool(active), Rule(
            key=key, name=name, module=module, target=Principal.parse(target),
            level=Level.parse(level), superiors=bool(superiors),
            source=None if source is None else Principal.parse(source),
            where=None if where is None else from_json(json.loads(str(where)), Filter),
        )  # fmt: skip
