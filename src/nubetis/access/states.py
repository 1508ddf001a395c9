"""The states of a user, and which may follow which.

A user is invited, becomes active, may be suspended for a while, and is deactivated when he leaves; in the recycle bin
he is a tombstone that records still name.  Only the active sign in, and only active persons take a licence.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

__all__ = ["FIRST", "FOLLOWING", "UserState"]


class UserState(enum.StrEnum):
    """What a user is; the values are kept."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"


FIRST: Final = frozenset({UserState.INVITED, UserState.ACTIVE, UserState.DEACTIVATED})
"""What a new user may be; deactivated, where old records name somebody who has left."""

FOLLOWING: Final[Mapping[UserState, frozenset[UserState]]] = {
    UserState.INVITED: frozenset({UserState.ACTIVE, UserState.DEACTIVATED}),
    UserState.ACTIVE: frozenset({UserState.SUSPENDED, UserState.DEACTIVATED}),
    UserState.SUSPENDED: frozenset({UserState.ACTIVE, UserState.DEACTIVATED}),
    UserState.DEACTIVATED: frozenset({UserState.ACTIVE, UserState.INVITED}),
}
"""State → what may follow it.  Whatever he is, he may be put into the recycle bin and taken out as he was; and undo
gives back what was, whichever way."""
