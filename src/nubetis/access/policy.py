"""The policy: what one user may do, as filters.

A policy never answers for a single record by another way than for a list: it gives *gates*, which hold or not
before any record is looked at, and a *grant*, which is a filter.  ``find`` puts the grant into its query and ``can``
evaluates the same grant on one record, so they cannot disagree.

Today there are two kinds of users: an administrator, who may do everything, and an owner, who may do everything
with what he owns.  Everybody reads people, roles and profiles, so that names can be shown.
"""

from __future__ import annotations

from typing import Final, Protocol

import attrs

from nubetis.access.decision import Action, Reason, Step
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, ME, NOTHING, F, Filter
from nubetis.model.schema import Module
from nubetis.types import RecordId

__all__ = ["OwnerPolicy", "Policy", "SystemPolicy", "UserFacts"]


@attrs.frozen(kw_only=True)
class UserFacts:
    """What a policy must know of a user."""

    id: RecordId
    name: str
    email: str
    active: bool
    administrator: bool


class Policy(Protocol):
    """What one user may do."""

    def gate(self, action: Action, module: Module) -> Step:
        """Give the gate that decides, before any record is looked at."""
        ...

    def grant(self, action: Action, module: Module) -> tuple[Filter, Reason]:
        """Give the records of *module* to which the user may do *action*, and why those."""
        ...

    def reads(self, module: Module, field: Field) -> bool:
        """Say whether the user may read *field*."""
        ...

    def writes(self, module: Module, field: Field) -> bool:
        """Say whether the user may write *field*."""
        ...


_OPEN: Final = frozenset({"users", "roles", "profiles", "modules", "settings"})


@attrs.frozen
class OwnerPolicy:
    """Administrators do everything; others do everything with what they own."""

    user: UserFacts

    def gate(self, action: Action, module: Module) -> Step:
        """See :class:`Policy`."""
        if not self.user.active:
            return Step("user", matched=False, reason=Reason.INACTIVE)
        if not module.journalled:
            return Step("module", matched=False, reason=Reason.LEDGER)
        if module.system and action is not Action.VIEW and not self.user.administrator:
            return Step("profile", matched=False, reason=Reason.PROFILE)
        reason = Reason.ADMINISTRATOR if self.user.administrator else Reason.EVERYBODY
        return Step("profile", matched=True, reason=reason)

    def grant(self, action: Action, module: Module) -> tuple[Filter, Reason]:
        """See :class:`Policy`."""
        if not self.gate(action, module).matched:
            return NOTHING, Reason.PROFILE
        if self.user.administrator:
            return EVERYTHING, Reason.ADMINISTRATOR
        if module.system and module.name in _OPEN:
            return EVERYTHING, Reason.EVERYBODY
        return F.owner == ME, Reason.OWNER

    def reads(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`."""
        return True

    def writes(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`; what nubetis sets nobody writes."""
        return not field.system


@attrs.frozen
class SystemPolicy:
    """Everything, for nubetis itself; each use names its purpose and is journalled."""

    purpose: str

    def gate(self, action: Action, module: Module) -> Step:
        """See :class:`Policy`."""
        return Step(self.purpose, matched=True, reason=Reason.SYSTEM)

    def grant(self, action: Action, module: Module) -> tuple[Filter, Reason]:
        """See :class:`Policy`."""
        return EVERYTHING, Reason.SYSTEM

    def reads(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`."""
        return True

    def writes(self, module: Module, field: Field) -> bool:
        """See :class:`Policy`."""
        return not field.system
