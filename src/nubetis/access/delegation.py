"""Acting for another: what of his own rights a user lends, and the policy of one who acts for him.

What is lent are the verbs of modules and, where it is said, functions; never an administrator's rights: of an
administrator one has what the built-in Standard permits.  Whose records one has is as with the one whom one acts for.
Nothing is lent on.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce

import attrs

from nubetis.access.decision import Action, Reason, Step
from nubetis.access.permissions import NO_PERMISSION, STANDARD, Function, Permissions, permitted
from nubetis.access.policy import RolePolicy
from nubetis.model.bind import Bound, Viewpoint
from nubetis.model.schema import Module
from nubetis.types import ModuleId

__all__ = ["DelegatedPolicy", "Limits", "lent"]


def _modules(given: Iterable[ModuleId]) -> frozenset[ModuleId]:
    return frozenset(given)


def _functions(given: Iterable[Function]) -> frozenset[Function]:
    return frozenset(given)


@attrs.frozen(kw_only=True)
class Limits:
    """What one delegation lends: *modules* and *actions*, all of them where none is named, and *functions*."""

    modules: frozenset[ModuleId] = attrs.field(default=frozenset(), converter=_modules)
    actions: frozenset[Action] | None = None
    functions: frozenset[Function] = attrs.field(default=frozenset(), converter=_functions)

    def within(self, whole: Permissions) -> Permissions:
        """Give what of *whole* is lent.

        >>> sorted(Limits(actions=frozenset([Action.VIEW])).within(STANDARD).default)
        [<Action.VIEW: 'view'>]
        """
        actions = frozenset(Action) if self.actions is None else self.actions
        named = self.modules or whole.modules.keys()
        return Permissions(
            default=frozenset() if self.modules else whole.default & actions,
            modules={each: whole.verbs(each) & actions for each in named},
            functions=whole.functions & self.functions,
            fields=whole.fields,
        )


@attrs.frozen(kw_only=True)
class DelegatedPolicy(RolePolicy):
    """What one may do who acts for the user; *whole* is what the user may himself."""

    whole: RolePolicy

    def gate(self, action: Action, module: Module) -> Step:
        """See :class:`~nubetis.access.policy.Policy`."""
        if module.name == "delegations":
            return Step("delegation", matched=False, reason=Reason.DELEGATION)
        step = RolePolicy.gate(self, action, module)
        if step.matched or not self.whole.gate(action, module).matched:
            return step
        return Step("delegation", matched=False, reason=Reason.DELEGATION)

    def of_leaving(self, view: Viewpoint) -> Bound:
        """Give the shares that are lent; to leave a team is for its member himself."""
        return self.of_shareable(view)


def lent(whole: RolePolicy, limits: Iterable[Limits]) -> DelegatedPolicy:
    """Give the policy of one to whom the user of *whole* has lent what all *limits* together say."""
    own = STANDARD if whole.user.administrator else whole.permissions
    parts = [each.within(own) for each in limits]
    first = attrs.evolve(NO_PERMISSION, fields=own.fields)
    return DelegatedPolicy(
        user=attrs.evolve(whole.user, administrator=False), directory=whole.directory, schema=whole.schema,
        permissions=reduce(_with, parts, first), whole=whole,
    )  # fmt: skip


def _with(one: Permissions, other: Permissions) -> Permissions:
    """Give what two parts of one profile permit together; of fields both say the same."""
    together = permitted(one, [other])
    return attrs.evolve(together, fields=one.fields)
