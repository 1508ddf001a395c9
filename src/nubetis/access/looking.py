"""Looking on: what another user sees, as far as the one who looks may see it himself."""

from __future__ import annotations

import attrs

from nubetis.access.decision import Action
from nubetis.access.policy import RolePolicy
from nubetis.model.bind import All, Bound, Viewpoint, bind
from nubetis.model.fields import Field
from nubetis.model.filters import Filter, People
from nubetis.model.prepared import Prepared
from nubetis.model.schema import Module

__all__ = ["LookingPolicy", "looking"]


@attrs.frozen(kw_only=True)
class LookingPolicy(RolePolicy):
    """What the user sees, and *asker* as well: records and fields."""

    asker: RolePolicy

    def grant(self, action: Action, module: Module) -> Filter:
        """See :class:`~nubetis.access.policy.Policy`."""
        own, asked = RolePolicy.grant(self, action, module), self.asker.grant(action, module)

        def both(view: Viewpoint) -> Bound:
            his = attrs.evolve(view, people={People.ME: (self.asker.user.id,)})
            return All((bind(own, module, self.schema, view), bind(asked, module, self.schema, his)))

        return Prepared(both)

    def reads(self, module: Module, field: Field) -> bool:
        """See :class:`~nubetis.access.policy.Policy`."""
        return RolePolicy.reads(self, module, field) and self.asker.reads(module, field)


def looking(policy: RolePolicy, asker: RolePolicy) -> RolePolicy:
    """Give the policy of one who looks on at what *policy* gives: an administrator sees just what that one does."""
    if asker.user.administrator:
        return policy
    return LookingPolicy(
        user=policy.user, directory=policy.directory, schema=policy.schema, permissions=policy.permissions, asker=asker
    )
