"""Looking before: whom a plan would lock out, and what nobody could do any more.

Administrators may everything that the edition has, so it is also said what would stand without anybody *beside* them,
and which of them would remain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

import attrs

from nubetis.access.decision import Action
from nubetis.access.directory import Directory
from nubetis.access.invariants import check_roster
from nubetis.access.people import User
from nubetis.access.permissions import Function
from nubetis.access.policy import RolePolicy, policy_of
from nubetis.errors import NubetisError, require
from nubetis.model.ids import encode
from nubetis.model.plan import Plan, Refusal
from nubetis.session.explaining import require_insight
from nubetis.session.planning import STRUCTURAL
from nubetis.session.rosters import directory_of, going, read_roster
from nubetis.types import ModuleName

if TYPE_CHECKING:
    from nubetis.model.schema import Schema
    from nubetis.session.door import Session
    from nubetis.session.state import State
    from nubetis.types import Key, RecordId

__all__ = ["Lockouts", "lockouts"]


@attrs.frozen(kw_only=True)
class Lockouts:
    """What a plan would lock: nothing of it is false.

    *administrators* are those who could still sign in.  *signed_out* could sign in and could no longer; *oneself* says
    whether one is among them.  *lost* are the functions that others would lose, by user.  *modules* could nobody edit
    any more, or nobody beside the administrators; *functions* the same.  *stopped* is why the plan would be refused
    when it is applied, if it would.
    """

    administrators: tuple[RecordId, ...]
    signed_out: tuple[RecordId, ...] = ()
    oneself: bool = False
    lost: Mapping[RecordId, tuple[str, ...]] = attrs.field(factory=dict)
    modules: tuple[ModuleName, ...] = ()
    functions: tuple[str, ...] = ()
    stopped: Refusal | None = None

    def __bool__(self) -> bool:
        return bool(self.signed_out or self.lost or self.modules or self.functions or self.stopped)


def lockouts(session: Session, plan: Plan) -> Lockouts:
    """Give whom *plan*, a change of people, roles, profiles, sharing or the edition, would lock out.

    Nothing is written.  Cost: the roster is read twice.

    Raises:
        AccessDenied: the user may not explain access.
    """
    require(plan, Plan, argument="plan", expected="a plan")

    def work() -> Lockouts:
        state = session.state
        require_insight(state)
        return _compared(state, plan)

    return session.state.read(work)


def _compared(state: State, plan: Plan) -> Lockouts:
    schema = state.known.schema
    before = _Standing(directory_of(state.world, state.txn, state.versions.access), schema)
    parts = [part for part in plan.parts if part.module.name in STRUCTURAL]
    try:
        after = _Standing(Directory(read_roster(state.txn, parts)), schema)
    except NubetisError as error:
        return Lockouts(administrators=before.administrators(), stopped=_refusal(error))
    lost = {user: tuple(sorted(before.functions(user) - after.functions(user))) for user in after.active}
    out = before.active.keys() - after.active.keys()
    return Lockouts(
        administrators=after.administrators(),
        signed_out=_ids(out),
        oneself=state.user in out,
        lost={encode("use", user): names for user, names in sorted(lost.items()) if names},
        modules=tuple(map(ModuleName, _names(before.edited() - after.edited()))),
        functions=_names(before.done() - after.done()),
        stopped=_stopped(state, after.directory, going(parts)),
    )


def _stopped(state: State, after: Directory, gone: frozenset[RecordId]) -> Refusal | None:
    try:
        check_roster(after.roster, state.known.schema, now=state.world.now(), going=gone)
    except NubetisError as error:
        return _refusal(error)
    return None


def _refusal(error: NubetisError) -> Refusal:
    return Refusal(code=error.code, params=error.params)


def _ids(users: Iterable[Key]) -> tuple[RecordId, ...]:
    return tuple([encode("use", key) for key in sorted(users)])


_Kind: TypeAlias = "tuple[Key, tuple[Key, ...]]"
"""A profile and permission sets."""


@attrs.define(slots=False)
class _Standing:
    """Who may sign in, and what those may do, by one directory."""

    directory: Directory
    schema: Schema
    active: Mapping[Key, User] = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.active = {key: user for key, user in self.directory.users.items() if user.active}

    def administrators(self) -> tuple[RecordId, ...]:
        """Give the persons who can sign in and are administrators."""
        return _ids(key for key, user in self.active.items() if user.person and self.directory.administrator(key))

    def functions(self, user: Key) -> set[str]:
        """Give the functions that a user may do."""
        found = self.active.get(user)
        return set() if found is None else self._functions[found.profile, found.sets]

    def done(self) -> set[tuple[str, bool]]:
        """Give the functions that somebody may do: an administrator (``True``), or somebody else."""
        return {
            (name, policy.user.administrator) for kind, policy in self._kinds.items() for name in self._functions[kind]
        }

    def edited(self) -> set[tuple[ModuleName, bool]]:
        """Give the modules of records in which somebody may edit: an administrator (``True``), or somebody else."""
        modules = [module for module in self.schema.modules if not module.system]
        return {
            (each.name, policy.user.administrator)
            for policy in self._kinds.values()
            for each in modules
            if policy.gate(Action.EDIT, each).matched
        }

    @cached_property
    def _kinds(self) -> Mapping[_Kind, RolePolicy]:
        """One policy for all users who have the same profile and permission sets."""
        known = {(user.profile, user.sets): user for user in self.active.values()}
        return {kind: policy_of(self.directory, self.schema, user) for kind, user in known.items()}

    @cached_property
    def _functions(self) -> Mapping[_Kind, set[str]]:
        return {kind: {each.value for each in Function if policy.may(each)} for kind, policy in self._kinds.items()}


def _names(gone: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    return tuple(sorted({name for name, _ in gone}))
