"""Filters that are asked with again and again: bound, and in normal form, once for all instants.

What is bound at two far instants, and differs by nothing but the texts of these, differs so at any other: the instant
is a hole in it, to be filled when it is asked with.  It stays as it is as long as its users, names and fields do;
whoever keeps it knows how long that is.  A filter of which more hangs on the instant ("this month") is bound each time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.model.bind import All, Bound, Normal, bind, dated
from nubetis.model.kinds import instant_text
from nubetis.model.normal import normal_form

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint
    from nubetis.model.filters import Filter
    from nubetis.model.schema import Module, Schema

__all__ = ["Standing", "standing"]

_FAR: Final = timedelta(days=3777, hours=7)
_FARTHER: Final = timedelta(days=9131, hours=5)


@attrs.frozen
class Standing:
    """A bound filter: the *kept* one, in which the instant may be a hole, or one that is *made* for each instant."""

    kept: Normal
    made: Callable[[Viewpoint], Bound] | None = None

    def at(self, view: Viewpoint) -> Normal:
        """Give it as it is at the instant of *view*."""
        if self.made is not None:
            return Normal(normal_form(self.made(view.freed())))
        kept = self.kept
        if not kept.hole:
            return kept
        return Normal(kept.form, hole=kept.hole, now=instant_text(view.now), kept=kept.kept)


def standing(where: Filter, module: Module, schema: Schema, view: Viewpoint, *beside: Bound) -> Standing:
    """Bind *where*, which a policy gives, to *module*, with all that is *beside* it.

    Raises:
        InvalidFilter: see :func:`~nubetis.model.bind.bind`.
    """

    def made(seen: Viewpoint) -> Bound:
        return All((*beside, bind(where, module, schema, seen)))

    free = view.freed()
    far, farther = (attrs.evolve(free, now=view.now + away) for away in (_FAR, _FARTHER))
    first, second = normal_form(made(far)), normal_form(made(farther))
    hole = instant_text(far.now)
    if first == second:
        return Standing(Normal(first))
    if dated(first, hole, instant_text(farther.now)) == second:
        return Standing(Normal(dated(first, hole, hole), hole=hole, now=hole))
    return Standing(Normal(first), made)
