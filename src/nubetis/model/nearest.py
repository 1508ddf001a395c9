"""What somebody may have meant who mistyped a name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Final

__all__ = ["LONGEST", "suggest"]

_MOST_NAMED: Final = 20
LONGEST: Final = 60
"""Characters of a name that are looked at; nothing has a longer one."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Give a sentence that helps with a mistyped *name*.

    >>> suggest("stge", ["stage", "amount"])
    'Did you mean stage?'
    """
    names = sorted(known)
    folded = {each.lower(): each for each in names}
    close = difflib.get_close_matches(str(name).lower(), folded, n=1)
    if close or not names:
        return f"Did you mean {folded[close[0]]}?" if close else ""
    return f"Known: {', '.join([*names[:_MOST_NAMED], *(['…'] if len(names) > _MOST_NAMED else [])])}."
