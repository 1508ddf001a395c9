"""What random calls are made of: names, values, filters and orders near what is hidden; records, seen and unseen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.errors import NubetisError
from nubetis.model.fields import Field, Operator, Value
from nubetis.model.filters import EVERYTHING, NOTHING, Compare, F, Filter, has, keywords
from nubetis.model.ids import encode
from nubetis.session.past import operations
from nubetis.testing.access_contract.twins import CANDIDATES, MODULES, Twin, constants

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.session import Session

__all__ = ["Draw"]

_USUAL: Final = (Operator.EQ, Operator.LT, Operator.GE, Operator.IN, Operator.EMPTY, Operator.CONTAINS, Operator.STARTS)
_OF_CHANGES: Final = {Operator.CHANGED, Operator.CHANGED_FROM, Operator.CHANGED_TO}
_SYSTEM: Final = (
    "users", "roles", "profiles", "sharing_rules", "sharing_defaults", "shares", "delegations", "holds", "settings",
    "retention_rules", "modules", "groups",
)  # fmt: skip
_WORDS: Final = ("hush", "acme", "hu", "zz", "bolt", "ana@acme.pe", "100%", "ñandu", "987")
_NAMES: Final = ("Acme", "acme", "Ácme", "Bolt", "Cusco 1", "hush")
_VIA: Final = (
    ("contacts", "account"), ("deals", "account"), ("deals", "contact"), ("contacts", "ref"), ("deals", "ref"),
    ("tasks", "about"), ("accounts", "parent"),
)  # fmt: skip


@attrs.define
class Draw:
    """Draws by *random* what a call to the viewer's session of a *twin* may be given."""

    twin: Twin
    random: Random

    @property
    def session(self) -> Session:
        """The viewer's session."""
        return self.twin.viewer

    def chance(self, likely: float) -> bool:
        """Say yes as often as is *likely*."""
        return self.random.random() < likely

    # names -------------------------------------------------------------------------------------------------
    def module(self) -> str:
        """Give a module of people's; now and then one of nubetis's, or none."""
        if self.chance(0.06):
            return self.random.choice((*_SYSTEM, "nothings", "dealz"))
        return self.random.choice(MODULES)

    def field(self, module: str) -> str:
        """Give the name of a field, hidden ones more often than others; now and then of none."""
        return self.random.choice(self._names(module))

    def _names(self, module: str) -> Sequence[str]:
        found = self._module(module)
        if found is None:
            return ("margin",)
        if module in MODULES and self.chance(0.12):
            return (*self.twin.hidden[module], *self.twin.hidden[module], "margim")
        unseen = self.twin.hidden.get(module, ()) if self.chance(0.9) else ()
        plain = [name for name in CANDIDATES.get(module, ()) if name not in unseen]
        return [*plain, *plain, *sorted(found.layout.slots.keys() - {*unseen})]

    def _module(self, name: str) -> Module | None:
        schema = self.twin.schema
        return schema.module(name) if name in schema else None

    def record(self, module: str) -> str:
        """Give the id of a record: of one's own, one that one may see or not, or none."""
        if module not in MODULES:
            found = self._module(module)
            return "nix" if found is None else self._one_of(module)
        made = [each.id for each in self.session.find(module, sort="-id", limit=3)] if self.chance(0.3) else []
        some = self.twin.unseen if self.chance(0.2) else self.twin.open if self.chance(0.3) else self.twin.own
        absent = [encode("acc", 7), encode("con", 7), "con_0"] if self.chance(0.05) else []
        return self.random.choice(absent or made or some[module])

    def _one_of(self, module: str) -> str:
        try:
            found = [each.id for each in self.session.find(module, limit=20)]
        except NubetisError:
            found = []
        return self.random.choice(found or [encode("rol", 3)])

    def records(self, module: str, most: int = 3) -> list[str]:
        """Give ids of some records."""
        return [self.record(module) for _ in range(self.random.randint(1, most))]

    def person(self) -> str:
        """Give somebody, or nobody."""
        return self.random.choice(
            ("pia", "tom", "ana", "admin@nubetis.test", "tom@nubetis.test", "pia", "tom", "nobody")
        )

    def action(self) -> str:
        """Give a verb."""
        return self.random.choice(list(Action)).value

    def instant(self) -> datetime:
        """Give an instant of the past, more or less."""
        return self.session.now() - timedelta(seconds=self.random.choice((-5, 0, 1, 2, 10, 30, 60, 90)))

    def operation(self) -> str:
        """Give one's own latest operations, or one of somebody else."""
        if self.chance(0.1):
            return self.random.choice(self.twin.foreign)
        found = operations(self.session, limit=4)
        return self.random.choice(found).id if found else encode("ope", 5)

    # values ------------------------------------------------------------------------------------------------
    def value(self, module: str, name: str) -> Value:
        """Give a value that the field may have, of those that are hidden or near one."""
        found = self._module(module)
        slot = None if found is None else found.layout.slots.get(name)
        if slot is None:
            return "hush"
        field = slot.field
        if self.chance(0.08):
            return self.random.choice((None, "", 7, "hush"))
        if "users" in field.targets:
            return self.person()
        if field.targets:
            return self.record(self.random.choice([each for each in field.targets if each in MODULES] or ["accounts"]))
        return self._constant(field)

    def _constant(self, field: Field) -> Value:
        known = constants(field)
        if known and field.name != "name":
            return self.random.choice(known)
        return self.random.choice(_NAMES)

    def values(self, module: str, most: int = 2) -> dict[str, Value]:
        """Give values for some fields."""
        names = [self._written(module) for _ in range(self.random.randint(1, most))]
        return {name: self.value(module, name) for name in names}

    def _written(self, module: str) -> str:
        """Give a field that can be written, nearly always."""
        found, name = self._module(module), self.field(module)
        if found is None or name not in found.layout.slots or self.chance(0.05):
            return name
        plain = [slot.field.name for slot in found.layout.slots.values() if not slot.field.system]
        return name if name in plain else str(self.random.choice(plain))

    def new(self, module: str) -> dict[str, Value]:
        """Give values of a record to be made: most that it needs, and some more."""
        found = self._module(module)
        title = "name" if found is None else str(found.title)
        return {title: self.random.choice(_NAMES), **self.values(module)}

    # filters -----------------------------------------------------------------------------------------------
    def where(self, module: str, depth: int = 2) -> Filter:
        """Give a filter, which may follow links and name what is hidden."""
        at = self.random.random()
        if depth and at < 0.2:
            one, other = self.where(module, depth - 1), self.where(module, depth - 1)
            return self.random.choice((one & other, one | other, one & ~other))
        if depth and at < 0.35:
            return self._linked(module, depth - 1)
        if at < 0.42:
            return keywords(self.random.choice(_WORDS))
        if at < 0.5:
            return self.random.choice((EVERYTHING, EVERYTHING, NOTHING))
        leaf = self._leaf(module)
        return ~leaf if self.chance(0.2) else leaf

    def _linked(self, module: str, depth: int) -> Filter:
        if self.chance(0.4):
            other, via = self.random.choice(_VIA)
            return has(other, via=via, where=self.where(other, depth))
        via = self.random.choice([name for other, name in _VIA if other == module] or ["owner"])
        found = self._module(module)
        slot = None if found is None else found.layout.slots.get(via)
        target = "accounts" if slot is None or not slot.field.targets else self.random.choice(slot.field.targets)
        return F[via].linked(self.where(target, depth))

    def _leaf(self, module: str) -> Filter:
        name = self.field(module)
        operator = self._operator(module, name)
        match operator:
            case Operator.EMPTY | Operator.CHANGED:
                return Compare(name, operator)
            case Operator.IN | Operator.ANY_OF | Operator.ALL_OF | Operator.BETWEEN:
                return Compare(name, operator, tuple([self._operand(module, name) for _ in range(2)]))
            case Operator.CONTAINS | Operator.STARTS | Operator.ENDS | Operator.MATCHES:
                return Compare(name, operator, self.random.choice(_WORDS))
            case Operator.LINKED:
                return Compare(name, operator, EVERYTHING)
            case _:
                return Compare(name, operator, self._operand(module, name))

    def _operator(self, module: str, name: str) -> Operator:
        """Give one that the field knows, nearly always."""
        found = self._module(module)
        slot = None if found is None else found.layout.slots.get(name)
        if slot is None or self.chance(0.05):
            return self.random.choice(_USUAL)
        known = [each for each in Operator if each in slot.field.type.operators - _OF_CHANGES]
        return self.random.choice(known or [Operator.EMPTY])

    def _operand(self, module: str, name: str) -> object:
        value = self.value(module, name)
        return value[0] if isinstance(value, tuple) and value else value

    def sort(self, module: str) -> list[str]:
        """Give an order by some fields."""
        names = [self.field(module) for _ in range(self.random.choice((0, 1, 1, 2)))]
        return [f"-{name}" if self.chance(0.4) else name for name in names]
