"""What is settled before a filter is bound: filters that lack the view alone, and lists that are used again."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import TYPE_CHECKING, Any

import attrs

from nubetis.model.filters import Filter
from nubetis.types import Stored

if TYPE_CHECKING:
    from nubetis.model.bind import Bound, Viewpoint

__all__ = ["Prepared", "Settled"]


@attrs.frozen
class Prepared(Filter):
    """What is bound already, but for the view: policies give such, and no host, text or JSON can say it."""

    make: Callable[[Viewpoint], Bound]


class Settled(tuple[Stored, ...]):  # noqa: SLOT001 - what is kept with it needs a place
    """The values of a list that many queries ask with; none is missing.  What stores make of it is *kept* with it.

    >>> Settled((3, 4)) == (3, 4)
    True
    """

    @cached_property
    def kept(self) -> dict[Hashable, Any]:
        """What is worked out of it once, by what works it out."""
        return {}

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash
