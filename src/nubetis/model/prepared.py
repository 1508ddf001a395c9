"""Filters that are bound already, but for the view."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

from nubetis.model.filters import Filter

if TYPE_CHECKING:
    from nubetis.model.bind import Bound, Viewpoint

__all__ = ["Prepared"]


@attrs.frozen
class Prepared(Filter):
    """What is bound already, but for the view: policies give such, and no host, text or JSON can say it."""

    make: Callable[[Viewpoint], Bound]
