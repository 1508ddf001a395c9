"""The policy: what one user may do, as filters.

A policy never answers for a single record by another way than for a list: it gives *gates*, which hold or not
before any record is looked at, and a *grant*, which is a filter.  ``find`` puts the grant into its query.  It is the
union of what owners, rules, shares and parents give; :mod:`nubetis.session.deciding` looks at the same sets one by one
for a single record, and tells why.

Grants only ever add; denial lives in gates and in the levels of fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import attrs

from nubetis.access.decision import Action, Reason, Step
from nubetis.access.directory import Directory, Reach
from nubetis.access.entitlements import FEATURES_OF_FUNCTIONS, FEATURES_OF_MODULES, UNLIMITED, Entitlements
from nubetis.access.intervals import Intervals
from nubetis.access.people import User
from nubetis.access.permissions import FieldLevel, Function, Permissions
from nubetis.access.sharing import GRANTED, NEEDED, Level, PrincipalKind, Rule, lasting
from nubetis.errors import NubetisError
from nubetis.model.bind import (
    All,
    AnyOf,
    Bound,
    Linked,
    Linking,
    Missing,
    No,
    Normal,
    OneOf,
    Test,
    Viewpoint,
    Within,
    bind,
)
from nubetis.model.fields import Field, Operator
from nubetis.model.filters import EVERYTHING, NOTHING, F, Filter, Or, join
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.numbered import NUMBER
from nubetis.model.prepared import Prepared
from nubetis.model.schema import Module, Schema
from nubetis.types import Key, RecordId

__all__ = ["INVOLVING", "SETUP", "Policy", "RolePolicy", "SystemPolicy", "UserFacts", "function_of", "policy_of"]


@attrs.frozen(kw_only=True)
class UserFacts:
    """What a policy must know of a user."""

    id: RecordId
    key: Key
    name: str
    email: str
    active: bool
    administrator: bool


class Policy(Protocol):
    """What one user may do."""

    def gate(self, action: Action, module: Module) -> Step:
        """Give the gate that decides, before any record is looked at."""
        ...

    def gates(self, action: Action, module: Module) -> tuple[Step, ...]:
        """Give the gates that are looked at, in order; the last one decides."""
        ...

    def grant(self, action: Action, module: Module) -> Filter:
        """Give the records of *module* to which the user may do *action*."""
        ...

    def reads(self, module: Module, field: Field) -> bool:
        """Say whether the user may read *field*."""
        ...

    def writes(self, module: Module, field: Field) -> bool:
        """Say whether the user may write *field*."""
        ...


_OPEN: Final = frozenset({"users", "roles", "profiles", "permission_sets", "groups", "modules", "settings"})
"""System modules that everybody reads, so that names can be shown."""

SETUP: Final = "setup"
"""The purpose for which nubetis makes the first records of an organisation."""
_FILTERED: Final = frozenset({"holds", "retention_rules"})
"""System modules whose records may hold a filter on any module."""
INVOLVING: Final = frozenset({"shares", "delegations"})
"""System modules of whose records one has those in which one is involved: by the record that is shared, or by name."""

_FUNCTIONS: Final = {
    "users": Function.MANAGE_USERS,
    "roles": Function.MANAGE_ROLES,
    "profiles": Function.MANAGE_PROFILES,
    "permission_sets": Function.MANAGE_PROFILES,
    "groups": Function.MANAGE_SHARING,
    "sharing_defaults": Function.MANAGE_SHARING,
    "sharing_rules": Function.MANAGE_SHARING,
    "settings": Function.MANAGE_SETTINGS,
    "modules": Function.MANAGE_MODULES,
    "holds": Function.MANAGE_RETENTION,
    "retention_rules": Function.MANAGE_RETENTION,
}
"""The function that writes each system module, and reads those that are not open."""


def function_of(module: Module) -> Function | None:
    """Give the function that writes a system module, where there is one."""
    return _FUNCTIONS.get(module.name)


_ACTIVE: Final = Step("user", matched=True, reason=Reason.ACTIVE)


def _permissions(policy: RolePolicy) -> Permissions:
    return policy.directory.permissions(policy.user.key)


def _edition(policy: RolePolicy) -> Entitlements:
    return policy.directory.roster.entitlements


@attrs.frozen(kw_only=True)
class RolePolicy:
    """What profile, role, rules and shares give a user; administrators have everything."""

    user: UserFacts
    directory: Directory
    schema: Schema
    permissions: Permissions = attrs.field(default=attrs.Factory(_permissions, takes_self=True))
    edition: Entitlements = attrs.field(init=False, default=attrs.Factory(_edition, takes_self=True))
    _known: dict[tuple[Action, str], Filter] = attrs.field(factory=dict, init=False, repr=False, eq=False)

    # gates -------------------------------------------------------------------------------------------------
    def gates(self, action: Action, module: Module) -> tuple[Step, ...]:
        """See :class:`Policy`."""
        last = self.gate(action, module)
        return (last,) if last.name == "user" else (_ACTIVE, last)

    def gate(self, action: Action, module: Module) -> Step:
        """See :class:`Policy`."""
        if not self.user.active:
            return Step("user", matched=False, reason=Reason.INACTIVE)
        if not module.journalled:
            return Step("module", matched=False, reason=Reason.LEDGER)
        if self.edition is not UNLIMITED and not self._in_edition(action, module):
            return Step("edition", matched=False, reason=Reason.EDITION)
        if self.user.administrator:
            return Step("profile", matched=True, reason=Reason.ADMINISTRATOR)
        may = self._may_in_system(action, module) if module.system else action in self.permissions.verbs(module.id)
        return Step("profile", matched=may, reason=Reason.PERMITTED if may else Reason.PROFILE)

    def _in_edition(self, action: Action, module: Module) -> bool:
        """Say whether the edition has what *action* takes; names are shown whatever it lacks."""
        if not module.system:
            return module.id not in self.edition.lacks_modules
        named = action is Action.VIEW and module.name in _OPEN
        return named or FEATURES_OF_MODULES.get(module.name) not in self.edition.lacks

    def may(self, function: Function) -> bool:
        """Say whether the user, being active, may do *function*: the edition has it, and his profile permits it."""
        has = FEATURES_OF_FUNCTIONS.get(function) not in self.edition.lacks
        return has and function in self.permissions.functions

    def _may_in_system(self, action: Action, module: Module) -> bool:
        opened = (action is Action.VIEW and module.name in _OPEN) or module.name in INVOLVING
        function = _FUNCTIONS.get(module.name)
        return opened or (function is not None and self.may(function))

    @property
    def insight(self) -> bool:
        """Whether the user may know of the rights of others, and of the rules that give them."""
        return self.may(Function.EXPLAIN_ACCESS)

    # grants ------------------------------------------------------------------------------------------------
    def grant(self, action: Action, module: Module) -> Filter:
        """See :class:`Policy`."""
        found = self._known.get((action, module.name))
        if found is None:
            found = self._known[action, module.name] = self._grant(action, module)
        return found

    def _grant(self, action: Action, module: Module) -> Filter:
        if not self.gate(action, module).matched:
            return NOTHING
        if self.user.administrator:
            return EVERYTHING
        if module.name == "sharing_rules" and action is not Action.CREATE:
            return self._rules(module)
        if module.name in _FILTERED:
            return self._keeping()
        if module.name == "shares":
            leaves = action in {Action.VIEW, Action.DELETE}
            return Prepared(self.of_leaving if leaves else self.of_shareable)
        if module.name == "delegations":
            given = F.user == self.user.id
            ends = self.may(Function.MANAGE_USERS) and action in {Action.VIEW, Action.DELETE}
            given = given | Prepared(lambda _: Missing("deleted_in")) if ends else given
            return given | (F.delegate == self.user.id) if action is Action.VIEW else given
        return EVERYTHING if module.system or action not in NEEDED else self._of_level(module, NEEDED[action], ())

    def _rules(self, module: Module) -> Filter:
        """Give the sharing rules, without those that ask for a field which the user may not read."""
        if FieldLevel.HIDDEN not in self.permissions.fields.values():
            return EVERYTHING
        roster = self.directory.roster

        def bound(view: Viewpoint) -> Bound:
            hidden = [rule.key for rule in (*roster.rules, *roster.resting) if not self.may_ask(rule, view)]
            return No(OneOf("id", tuple(hidden)))

        return Prepared(bound)

    def _keeping(self) -> Filter:
        """Give holds and rules of retention, without those whose filter names a field that the user may not read.

        A number is one of several fields, in several modules: what names any of these is left out.  Words are looked
        for in all fields.
        """
        unread = {int(field) for (_, field), level in self.permissions.fields.items() if level is FieldLevel.HIDDEN}
        if not unread:
            return EVERYTHING
        named = [f"{NUMBER}{each}{end}" for each in sorted(unread) for end in ('"', ".")]
        named += [f":{each}{end}" for each in sorted(unread) for end in ('"', ".", "|")]
        texts = [*named, '"field": ""']
        bound = No(AnyOf(tuple([Within("where", Operator.CONTAINS, each) for each in texts])))
        return Prepared(lambda _: bound)

    def may_ask(self, rule: Rule, view: Viewpoint) -> bool:
        """Say whether the user may read all that a rule asks for."""
        module = self.schema.by_id.get(rule.module)
        if module is None:
            return rule.where is None
        if rule.where is None:
            everybody = rule.source is None or rule.source.kind is PrincipalKind.EVERYBODY
            return everybody or self.reads(module, module.field("owner"))
        try:
            bind(rule.where, module, self.schema, attrs.evolve(view, readable=self.reads))
        except NubetisError:
            return False
        return True

    def reaching(self, module: Module, level: Level) -> Filter:
        """Give the records of *module* that the user has to *level*, whatever his profile permits."""
        return EVERYTHING if self.user.administrator else self._of_level(module, level, ())

    def of_shareable(self, view: Viewpoint) -> Bound:
        """Give the shares of the records that one may share, be they there already or about to be made."""
        shared = [each for each in self.schema.modules if not each.system]
        return AnyOf(tuple([All((_about(each), self._linked_to(each, view))) for each in shared]))

    def of_leaving(self, view: Viewpoint) -> Bound:
        """Give these, and one's own places in teams, as long as one has them: what is over one does not take back."""
        own = Test("target", Operator.EQ, self.user.id), Test("kind", Operator.EQ, "team"), Missing("deleted_in")
        return AnyOf((self.of_shareable(view), All(own)))

    def _linked_to(self, module: Module, view: Viewpoint) -> Bound:
        return Linked("record", module, bind(self.grant(Action.SHARE, module), module, self.schema, view))

    def _of_level(self, module: Module, level: Level, through: tuple[str, ...]) -> Filter:
        """Give the records that one has to *level*; *through* are the modules of which this one is the parent."""
        reach = self._reach(module)
        if reach.everything >= level:
            return EVERYTHING
        parts = [self._own(module), self._owned_by(module, reach.owners[level])]
        parts += [rule.where for rule in reach.criteria if rule.level >= level and rule.where is not None]
        parts.append(self._shared(module, level))
        parts += self._by_parent(module, level, through)
        return join(Or, parts)

    def _reach(self, module: Module) -> Reach:
        return self.directory.reach(self.user.key, module.id)

    def _own(self, module: Module) -> Filter:
        """Give the user's own records."""
        bound = Test(module.field("owner").column, Operator.EQ, self.user.key)
        return Prepared(lambda _: bound)

    def _owned_by(self, module: Module, owners: Intervals) -> Filter:
        """Give the records of *owners*, who are settled already: ten thousand names need not be read again."""
        bound = OneOf(module.field("owner").column, self.directory.owners(owners))
        return Prepared(lambda _: bound)

    def _shared(self, module: Module, level: Level, *, related: bool = False) -> Filter:
        """Give the records that are shared with the user and whose time is not over."""
        levels = tuple([each.text for each in GRANTED if each >= level])
        near, above = self.directory.targets(self.user.key)
        fixed: list[Bound] = [_about(module), OneOf("level", levels)]
        fixed += [Test("related", Operator.EQ, 1)] if related else []
        ways: list[tuple[Bound, ...]] = [(*fixed, OneOf("target", near))]
        ways += [(*fixed, OneOf("target", above), Test("superiors", Operator.EQ, 1))] if above else []
        shares = self.schema.module("shares")

        def bound(view: Viewpoint) -> Bound:
            still = lasting(instant_text(view.now))
            found = [Linking(shares, "record", All((still, *way))) for way in ways]
            return Normal(AnyOf(tuple(found)) if len(found) > 1 else found[0])

        return Prepared(bound)

    def _by_parent(self, module: Module, level: Level, through: tuple[str, ...]) -> Iterator[Filter]:
        """Give the records of which one has the parent: to the level that the module says, or by a share of both."""
        default = self.directory.default(module.id)
        field = next((each for each in module.fields if each.id == default.parent), None)
        if field is None or module.name in through or len(field.targets) != 1:
            return
        parent = self.schema.module(field.targets[0])
        if parent.system:
            return
        if default.parent_level >= level:
            yield F[field.name].linked(self._of_level(parent, Level.READ, (*through, module.name)))
        yield F[field.name].linked(self._shared(parent, level, related=True))

    # fields ------------------------------------------------------------------------------------------------
    def reads(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`; a definition says of hidden fields, too, what they are."""
        if self.user.administrator:
            return True
        if module.system and field.name == "definition":
            return self.may(Function.MANAGE_MODULES)
        return self.permissions.level(module.id, field.id) >= FieldLevel.READ

    def writes(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`; what nubetis sets nobody writes, nor what is built in."""
        if field.system or _is_kept(module, field):
            return False
        return self.user.administrator or self.permissions.level(module.id, field.id) >= FieldLevel.EDIT


def policy_of(directory: Directory, schema: Schema, user: User) -> RolePolicy:
    """Give what a user of *directory* may do, whoever he is by name."""
    administrator = directory.administrator(user.key)
    facts = UserFacts(
        id=encode("use", user.key), key=user.key, name="", email="", active=user.active, administrator=administrator
    )
    return RolePolicy(user=facts, directory=directory, schema=schema)


def _is_kept(module: Module, field: Field) -> bool:
    return module.system and field.name == "built_in"


def _about(module: Module) -> Bound:
    return Test("module", Operator.EQ, int(module.id))


@attrs.frozen
class SystemPolicy:
    """Everything, for nubetis itself; each use names its purpose and is journalled."""

    purpose: str

    def gate(self, action: Action, module: Module) -> Step:
        """See :class:`Policy`."""
        return Step(self.purpose, matched=True, reason=Reason.SYSTEM)

    def gates(self, action: Action, module: Module) -> tuple[Step, ...]:
        """See :class:`Policy`."""
        return (self.gate(action, module),)

    def grant(self, action: Action, module: Module) -> Filter:
        """See :class:`Policy`."""
        return EVERYTHING

    def reads(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`."""
        return True

    def writes(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`; what is built in says who sets an organisation up."""
        return not field.system and (self.purpose == SETUP or not _is_kept(module, field))
