"""Taking a snapshot of everybody's access, to be kept and compared (:mod:`nubetis.access.snapshot`)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.directory import Directory, Roster
from nubetis.access.entitlements import write_entitlements
from nubetis.access.intervals import Intervals
from nubetis.access.numbering import Numbering
from nubetis.access.people import User
from nubetis.access.permissions import Function, Permissions, write_permissions
from nubetis.access.sharing import GRANTED, Principal, PrincipalKind, Rule
from nubetis.access.snapshot import AccessSnapshot
from nubetis.model.convert import to_json
from nubetis.model.filters import Compare, Filter, conditions_of
from nubetis.model.ids import decode
from nubetis.model.kinds import instant_text
from nubetis.model.numbered import named
from nubetis.model.record import Record
from nubetis.session.explaining import may_ask, require_insight
from nubetis.session.rosters import directory_of
from nubetis.session.world import LIVE, living
from nubetis.types import Json, Key, ModuleId

if TYPE_CHECKING:
    from nubetis.access.directory import Profile
    from nubetis.model.schema import Module
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["access_snapshot"]


def access_snapshot(session: Session) -> AccessSnapshot:
    """Give everybody's access as it is now, to be kept as text and compared.

    Fields that the user may not read are left out, so let an administrator take it.

    Cost: the reach of each role by each other, some ms for a hundred roles in a module.

    Raises:
        AccessDenied: the user may not explain access.
    """

    def work() -> AccessSnapshot:
        state = session.state
        require_insight(state)
        return _Taker(state, directory_of(state.world, state.txn, state.versions.access)).taken()

    return session.state.read(work)


@attrs.define
class _Taker:
    """Puts names in the place of keys."""

    state: State
    directory: Directory
    _names: dict[str, Mapping[Key, str]] = attrs.field(factory=dict, init=False)
    _people: dict[Key, tuple[str, Json]] = attrs.field(factory=dict, init=False)

    def taken(self) -> AccessSnapshot:
        """Give the whole of it."""
        roster = self.directory.roster
        return AccessSnapshot(
            users=_sorted({self._user(each.key): self._standing(each) for each in roster.users if not each.deleted}),
            edition=self._edition(),
            roles=_sorted({self._name("roles", each.key): self._role(each.reports_to, peers=each.peers)
                           for each in roster.roles}),
            profiles=_sorted({self._name("profiles", key): self._profile(each)
                              for key, each in roster.profiles.items()}),
            permission_sets=_sorted({self._name("permission_sets", key): self._permissions(each)
                                     for key, each in roster.sets.items()}),
            groups=_sorted({self._name("groups", key): sorted(map(self._principal, each))
                            for key, each in roster.groups.items()}),
            defaults={module.name: self._default(module) for module in self._modules()},
            rules=_sorted({rule.name: self._rule(rule) for rule in roster.rules}),
            functions={each.value: self._having(each) for each in sorted(Function)},
            delegations=_sorted(self._delegations()),
            reach=_sorted(self._reach()),
        )  # fmt: skip

    def _modules(self) -> list[Module]:
        return sorted([each for each in self.state.sight.schema.modules if not each.system], key=lambda each: each.name)

    def _name(self, module: str, key: Key | None) -> str:
        if module not in self._names:
            found = self.state.known.schema.module(module)
            batches = self.state.txn.stream(found, LIVE, columns=("id", "name"))
            rows = [pair for batch in batches for pair in zip(*batch, strict=True)]
            self._names[module] = {Key(int(each or 0)): str(name) for each, name in rows}
        return self._names[module].get(key or Key(0), "")

    def _user(self, key: Key) -> str:
        """Give a user's handle, or else his e-mail: what he is called by in any organisation made alike."""
        return self._person(key)[0]

    def _person(self, key: Key) -> tuple[str, Json]:
        if not self._people:
            batches = self.state.txn.stream(self.state.known.schema.module("users"), columns=_PERSON)
            for each, handle, email, state in [row for batch in batches for row in zip(*batch, strict=True)]:
                self._people[Key(int(each or 0))] = str(handle or email), None if state is None else str(state)
        return self._people.get(key, ("", None))

    def _principal(self, given: Principal) -> str:
        if given.kind in _NAMED:
            word = _NAMED[given.kind]
            return f"{word} {self._name(f'{word}s', given.key)}{'+' if given.subordinates else ''}"
        return f"user {self._user(given.key)}" if given.kind is PrincipalKind.USER else given.text

    # sections ----------------------------------------------------------------------------------------------
    def _standing(self, user: User) -> Json:
        return {
            "role": self._name("roles", user.role), "profile": self._name("profiles", user.profile),
            "permission_sets": sorted([self._name("permission_sets", each) for each in user.sets]),
            "state": self._person(user.key)[1], "person": user.person,
        }  # fmt: skip

    def _edition(self) -> dict[str, Json]:
        """Give what the edition lacks and limits; modules by name."""
        found = write_entitlements(self.directory.roster.entitlements)
        names = {int(each.id): str(each.name) for each in self._modules()}
        lacks = self.directory.roster.entitlements.lacks_modules
        named: list[Json] = [*sorted([names.get(int(each), str(each)) for each in lacks])]
        return _sorted({**found, **({"lacks_modules": named} if lacks else {})})

    def _role(self, reports_to: Key | None, *, peers: bool) -> Json:
        return {"reports_to": None if reports_to is None else self._name("roles", reports_to), "peers": peers}

    def _profile(self, profile: Profile) -> Json:
        return {"administrator": profile.administrator, **self._permissions(profile.permissions)}

    def _permissions(self, given: Permissions) -> dict[str, Json]:
        """Give permissions with the names of modules and fields; without fields that the user may not read."""
        modules = {str(int(each.id)): each for each in self._modules()}
        found = write_permissions(given)
        verbs, fields = _object(found["verbs"]), _object(found["fields"])
        named = {modules[each].name if each in modules else each: value for each, value in verbs.items()}
        told: dict[str, Json] = {}
        for name, level in fields.items():
            module, _, number = name.partition(".")
            field = modules[module].by_id.get(int(number)) if module in modules else None
            if field is not None:
                told[f"{modules[module].name}.{field.name}"] = level
        return {"verbs": _sorted(named), "functions": found["functions"], "fields": _sorted(told)}

    def _default(self, module: Module) -> Json:
        found = self.directory.default(module.id)
        parent = None if found.parent is None else module.by_id.get(found.parent)
        return {
            "level": found.level.text, "upward": found.upward.text,
            "parent": None if parent is None else str(parent.name), "parent_level": found.parent_level.text,
        }  # fmt: skip

    def _rule(self, rule: Rule) -> Json:
        return {
            "module": self.state.known.schema.by_id[rule.module].name, "target": self._principal(rule.target),
            "level": rule.level.text, "superiors": rule.superiors,
            "source": None if rule.source is None else self._principal(rule.source),
            "where": None if rule.where is None else self._shape(rule, rule.where),
        }  # fmt: skip

    def _shape(self, rule: Rule, where: Filter) -> Json:
        schema = self.state.known.schema
        of_today = named(where, schema.by_id[rule.module], schema)
        return _shape(of_today, seen=self._seen(rule.module), whole=may_ask(rule, self.state))

    def _seen(self, module: ModuleId) -> set[str]:
        return {str(each.name) for each in self.state.sight.schema.by_id[module].all_fields}

    def _having(self, function: Function) -> Json:
        """Give the active users who have a function."""
        directory = self.directory
        found = [each.key for each in directory.users.values() if each.active]
        return [*sorted([self._user(key) for key in found if function in directory.permissions(key).functions])]

    def _delegations(self) -> dict[str, Json]:
        """Give what is lent, or will be, to whom; several of the same two are listed."""
        module, now = self.state.known.schema.module("delegations"), instant_text(self.state.world.now())
        names = {str(int(each.id)): str(each.name) for each in self._modules()}
        until = module.layout.index["until"]
        found: dict[str, list[Json]] = {}
        for row in living(self.state.txn, module):
            if row[until] is None or str(row[until]) > now:
                record = Record(module, row)
                user, delegate = (self._user(decode(str(record[each]))[1]) for each in ("user", "delegate"))
                found.setdefault(f"{user} > {delegate}", []).append(_lent(record, names))
        return {two: [*sorted(several, key=json.dumps)] for two, several in found.items()}

    def _reach(self) -> dict[str, Json]:
        """Give for each role what those who have it have in each module, by the roles of the owners."""
        directory = Directory(_by_roles(self.directory.roster))
        modules = self._modules()
        return {
            self._name("roles", each.key): {
                module.name: self._reached(directory, each.key, module) for module in modules
            }
            for each in directory.roster.roles
        }

    def _reached(self, directory: Directory, role: Key, module: Module) -> Json:
        reach = directory.reach(role, module.id)
        found: dict[str, Json] = {"everybody": reach.everything.text}
        for level in GRANTED:
            more = [reach.owners[each] for each in GRANTED if each > level]
            owners = reach.owners[level] - more[0] if more else reach.owners[level]
            if owners and level > reach.everything:
                found[level.text] = [*sorted(self._branches(directory.numbering, owners))]
        return found

    def _branches(self, numbering: Numbering, owners: Intervals) -> Iterator[str]:
        """Name roles; one with all below it once, as ``Sales+``: a chain of them would be told again by each above."""
        for start, end in owners.spans:
            at = start
            while at < end:
                role = numbering.users[at]
                first, after = numbering.subtree(role)
                whole = first == at and after <= end
                yield f"{self._name('roles', role)}{'+' if whole and after - first > 1 else ''}"
                at = after if whole else at + 1


def _by_roles(roster: Roster) -> Roster:
    """Give the same roles and rules with one user for each role, of the role's key."""
    users = tuple([User(key=role.key, role=role.key, profile=Key(0)) for role in roster.roles])
    rules = tuple([rule for rule in roster.rules if PrincipalKind.USER not in {rule.target.kind, _kind(rule.source)}])
    groups = {
        key: tuple([each for each in members if each.kind is not PrincipalKind.USER])
        for key, members in roster.groups.items()
    }
    return attrs.evolve(roster, users=users, rules=rules, groups=groups)


def _kind(principal: Principal | None) -> PrincipalKind | None:
    return None if principal is None else principal.kind


def _sorted(found: Mapping[str, Json]) -> dict[str, Json]:
    return dict(sorted(found.items()))


def _lent(record: Record, names: Mapping[str, str]) -> Json:
    modules: list[Json] = [*sorted([names.get(each, each) for each in _items(record["modules"])])]
    lists: dict[str, Json] = {name: [*sorted(_items(record[name]))] for name in ("actions", "functions")}
    ends = {name: None if (end := record[name]) is None else str(end) for name in ("since", "until")}
    return {"modules": modules, **lists, **ends}


def _items(value: object) -> list[str]:
    return list(map(str, value)) if isinstance(value, tuple | list) else []


def _object(found: Json) -> Mapping[str, Json]:
    return found if isinstance(found, dict) else {}


def _shape(where: Filter, *, seen: set[str], whole: bool) -> Json:
    """Give the fields that a filter names, as far as one may read them, and a digest of it: no values.

    Who may not read all of them gets no digest: he could try values until one has it.
    """
    text = json.dumps(to_json(where), ensure_ascii=False, sort_keys=True)
    fields = {each.path.partition(".")[0] for each in conditions_of(where) if isinstance(each, Compare)}
    return {"fields": sorted(fields & seen), "digest": sha256(text.encode()).hexdigest()[:16] if whole else None}


_PERSON: Final = ("id", "handle", "email", "state")
_NAMED: Final = {PrincipalKind.ROLE: "role", PrincipalKind.GROUP: "group"}
