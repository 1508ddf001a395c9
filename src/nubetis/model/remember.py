"""Remembering what was made of values that are dear to compare, by which objects they are."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Final, TypeVar

__all__ = ["remembered"]

T = TypeVar("T")
_MOST: Final = 1024


def remembered(make: Callable[..., T]) -> Callable[..., T]:
    """Let *make* be called once for the same objects: immutable ones, for whether they changed is not looked at.

    An equal value that is another object is made of anew.  The objects stay alive as long as they are remembered; of
    more than 1,024 answers all are forgotten.

    >>> made = remembered(lambda word: [word])
    >>> made("a") is made("a")
    True
    """
    known: dict[tuple[int, ...], tuple[tuple[object, ...], T]] = {}

    @wraps(make)
    def once(*things: object) -> T:
        key = tuple(map(id, things))
        found = known.get(key)
        if found is None:
            if len(known) >= _MOST:
                known.clear()
            found = known[key] = things, make(*things)
        return found[1]

    return once
