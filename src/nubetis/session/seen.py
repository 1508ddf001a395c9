"""What of modules and records one may read: the fields that he may not read are not there.

Records, plans and errors that a session gives are made with the modules of its :class:`Sight`; stores, the journal
and plug-ins work with the whole ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from operator import itemgetter
from typing import TypeAlias

import attrs

from nubetis.access.decision import Action
from nubetis.access.policy import Policy
from nubetis.model.bind import Bound, Normal, Viewpoint
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema
from nubetis.model.standing import Standing, standing
from nubetis.types import ModuleId, Row

__all__ = ["Sight"]

_Cut: TypeAlias = Callable[[Row], Row]
_Asked: TypeAlias = tuple[Action, ModuleId, tuple[Bound, ...]]


def _uncut(row: Row) -> Row:
    return row


@attrs.frozen
class Sight:
    """The modules of *whole* as *policy* lets them be read; where it hides nothing, the modules themselves."""

    policy: Policy
    whole: Schema = attrs.field(repr=False)
    _known: dict[ModuleId, tuple[Module, _Cut]] = attrs.field(factory=dict, init=False, repr=False)
    _granted: dict[_Asked, Standing] = attrs.field(factory=dict, init=False, repr=False)

    @cached_property
    def schema(self) -> Schema:
        """All modules as they may be read.  No change of the schema can be made from one that lacks fields."""
        modules = tuple([self.module(each) for each in self.whole.modules])
        same = all(each is other for each, other in zip(modules, self.whole.modules, strict=True))
        return self.whole if same else attrs.evolve(self.whole, modules=modules, base=-1)

    def module(self, module: Module) -> Module:
        """Give *module* without the fields that may not be read."""
        return self._of(module)[0]

    def record(self, module: Module, row: Row) -> Record:
        """Give a row of *module* as a record without the fields that may not be read."""
        seen, cut = self._of(module)
        return Record(seen, cut(row))

    def records(self, module: Module, rows: Iterable[Row]) -> tuple[Record, ...]:
        """Give rows of *module* as :meth:`record` does."""
        seen, cut = self._of(module)
        return tuple([Record(seen, row) for row in (rows if cut is _uncut else map(cut, rows))])

    def granted(self, action: Action, module: Module, view: Viewpoint, *beside: Bound) -> Normal:
        """Give the records of *module* to which the user may do *action*, and that fit what is *beside* it, bound once.

        Names and users in it are those of the access version to which the policy belongs.
        """
        key = action, module.id, beside
        found = self._granted.get(key)
        if found is None:
            grant = self.policy.grant(action, module)
            found = self._granted[key] = standing(grant, module, self.whole, view, *beside)
        return found.at(view)

    def unseen(self) -> dict[str, frozenset[str]]:
        """Give the names of what may not be read, by module."""
        found = {
            str(m.name): frozenset(m.layout.slots.keys() - self.module(m).layout.slots) for m in self.whole.modules
        }
        return {name: fields for name, fields in found.items() if fields}

    def _of(self, module: Module) -> tuple[Module, _Cut]:
        found = self._known.get(module.id)
        if found is None:
            found = self._known[module.id] = self._cut(module)
        return found

    def _cut(self, module: Module) -> tuple[Module, _Cut]:
        hidden = [f.id for f in module.all_fields if not f.system and not self.policy.reads(module, f)]
        if not hidden:
            return module, _uncut
        seen = module.without_fields(hidden)
        return seen, itemgetter(*[module.layout.index[column.name] for column in seen.layout.columns])
