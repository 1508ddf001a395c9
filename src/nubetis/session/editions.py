"""The edition of the organisation: what it gives, how much of it is used, and its change as a plan.

It is the setting ``edition``, kept, journalled and undone like all others; who may manage settings sets it, unless it
is the host's own (``by_host``).  What it gives is in :mod:`nubetis.access.entitlements`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nubetis.access.entitlements import EDITION, Entitlements, write_entitlements
from nubetis.errors import require
from nubetis.model.filters import F
from nubetis.session.rosters import directory_of

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.model.plan import Plan
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["edition", "plan_edition", "usage"]


def edition(session: Session) -> Entitlements:
    """Give what the edition gives.

    >>> from nubetis.testing.people import make_org
    >>> edition(make_org().administrator()).users is None
    True
    """
    return session.state.read(lambda: session.state.known.entitlements)


def plan_edition(session: Session, entitlements: Entitlements) -> Plan:
    """Plan another edition.  Where it gives less than what there is, applying it is refused.

    Raises:
        AccessDenied: the user may not manage settings.
    """
    require(entitlements, Entitlements, argument="entitlements", expected="an edition: Entitlements(…)")
    values: dict[str, Value] = {"name": EDITION, "value": json.dumps(write_entitlements(entitlements))}

    def work() -> Plan:
        for kept in session.find("settings", F.name == EDITION, limit=1):
            return session.plan_edits("settings", {kept.id: values})
        return session.plan_create("settings", [values])

    return session.state.read(work)


def usage(session: Session) -> dict[str, tuple[int, int | None]]:
    """Give how much is used and how much there may be of users (licences), roles and profiles; ``None``: no limit."""
    return session.state.read(lambda: _usage(session.state))


def _usage(state: State) -> dict[str, tuple[int, int | None]]:
    roster = directory_of(state.world, state.txn, state.versions.access).roster
    limits = roster.entitlements
    return {
        "users": (roster.users.seats, limits.users),
        "roles": (len(roster.roles), limits.roles),
        "profiles": (len(roster.profiles), limits.profiles),
    }
