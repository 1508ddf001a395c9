"""What to do so that everybody's pages are fast: the indexes that sharing rules ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from nubetis.access.advice import Advice, advice
from nubetis.session.explaining import may_ask, require_insight
from nubetis.session.rosters import directory_of

if TYPE_CHECKING:
    from nubetis.session.door import Session

__all__ = ["advise"]


def advise(session: Session) -> tuple[Advice, ...]:
    """Name the sharing rules on values that no index serves, and the fields of which one would; nothing is changed.

    Raises:
        AccessDenied: the user may not explain access.
    """

    def work() -> tuple[Advice, ...]:
        state = session.state
        require_insight(state)
        roster = directory_of(state.world, state.txn, state.versions.access).roster
        told = tuple([rule for rule in roster.rules if may_ask(rule, state)])
        return advice(attrs.evolve(roster, rules=told), state.known.schema)

    return session.state.read(work)
