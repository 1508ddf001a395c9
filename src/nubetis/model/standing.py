"""Filters that are asked with again and again: bound, and in normal form, once, but for what the instant changes.

Whatever of a filter is bound alike at two far instants hangs on no instant, and stays as it is as long as its users,
names and fields do; whoever keeps it knows how long that is.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.model.bind import ALWAYS, AnyOf, Bound, Normal, bind
from nubetis.model.filters import Or
from nubetis.model.normal import normal_form
from nubetis.model.prepared import Prepared

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint
    from nubetis.model.filters import Filter
    from nubetis.model.schema import Module, Schema

__all__ = ["Standing", "standing"]

_FAR: Final = timedelta(days=3777, hours=7)

_Make: TypeAlias = "Callable[[Viewpoint], Bound]"


@attrs.frozen
class Standing:
    """A bound filter: what is *kept* of it, or at least one of that and of what is *made* for each instant."""

    kept: Normal
    made: tuple[_Make, ...] = ()

    def at(self, view: Viewpoint) -> Normal:
        """Give it as it is at the instant of *view*."""
        if not self.made:
            return self.kept
        parts = list(_parts(self.kept.part))
        for make in self.made:
            found = normal_form(make(view))
            if found == ALWAYS:
                return Normal(ALWAYS)
            parts += _parts(found)
        return Normal(parts[0] if len(parts) == 1 else AnyOf(tuple(parts)))


def standing(where: Filter, module: Module, schema: Schema, view: Viewpoint) -> Standing:
    """Bind *where* to *module*, to be asked with at other instants, too.

    Raises:
        InvalidFilter: see :func:`~nubetis.model.bind.bind`.
    """
    bound, far = bind(where, module, schema, view), attrs.evolve(view, now=view.now + _FAR)
    if bound == bind(where, module, schema, far):
        return Standing(Normal(normal_form(bound)))
    parts = where.parts if isinstance(where, Or) else (where,)
    moving = [part for part in parts if bind(part, module, schema, view) != bind(part, module, schema, far)]
    kept = normal_form(bind(Or(tuple([part for part in parts if part not in moving])), module, schema, view))
    made = [partial(_bound, part, module, schema) for part in moving]
    return Standing(Normal(kept), () if kept == ALWAYS else tuple(made))


def _bound(where: Filter, module: Module, schema: Schema, view: Viewpoint) -> Bound:
    return where.make(view) if isinstance(where, Prepared) else bind(where, module, schema, view)


def _parts(bound: Bound) -> tuple[Bound, ...]:
    """Give the parts of which one must hold."""
    return bound.parts if isinstance(bound, AnyOf) else (bound,)
