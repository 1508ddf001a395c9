"""What an administrator should know of his sharing rules: which of them no index serves.

A rule on values gives records to whoever it reaches; a page of those who have little else looks for them by an index,
or through all records.  The answers are the same, and the time is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import attrs

from nubetis.access.directory import Roster
from nubetis.model.fields import Field, FieldState, Operator
from nubetis.model.filters import And, Compare, Filter, Or
from nubetis.model.numbered import named
from nubetis.model.schema import Module, Schema
from nubetis.types import ModuleName

__all__ = ["Advice", "advice"]

_LED: Final = frozenset(
    {Operator.EQ, Operator.IN, Operator.LT, Operator.LE, Operator.GT, Operator.GE, Operator.BETWEEN, Operator.STARTS}
)
"""The operators for which an index gives the records."""


@attrs.frozen(kw_only=True)
class Advice:
    """No index of *module* serves the rules on values named *rules*; one of any of *fields* would.

    Without *fields* no index can: such a rule, that asks what a text contains, say, always looks through all records.
    """

    module: ModuleName
    rules: tuple[str, ...]
    fields: tuple[str, ...]

    def __str__(self) -> str:
        rules = ", ".join(self.rules)
        if not self.fields:
            return f"{self.module}: no index can serve {rules}; ask for a value rather than for a part of a text"
        return f"{self.module}: index {' or '.join(self.fields)}, for which {rules} ask"


def advice(roster: Roster, schema: Schema) -> tuple[Advice, ...]:
    """Give what is missing, by module and fields."""
    found: dict[tuple[ModuleName, tuple[str, ...]], list[str]] = {}
    for rule in roster.rules:
        module = schema.by_id.get(rule.module)
        if module is None or rule.where is None:
            continue
        where = named(rule.where, module, schema)
        if _is_served(where, module):
            continue
        fields = tuple(dict.fromkeys(_wanted(where, module)))
        found.setdefault((module.name, fields), []).append(rule.name)
    return tuple([Advice(module=name, fields=fields, rules=tuple(rules)) for (name, fields), rules in found.items()])


def _is_served(where: Filter, module: Module) -> bool:
    """Say whether an index gives the records of *where*, or few more."""
    match where:
        case And(parts):
            return any(_is_served(part, module) for part in parts)
        case Or(parts):
            return all(_is_served(part, module) for part in parts)
        case _:
            return any(_is_indexed(field, module) for field in _led(where, module))


def _led(where: Filter, module: Module) -> Iterator[Field]:
    """Give the field that *where* compares so that an index of it helps."""
    if isinstance(where, Compare) and where.operator in _LED:
        slot = module.layout.slots.get(where.path)
        if slot is not None and slot.field.state is FieldState.ACTIVE:
            yield slot.field


def _is_indexed(field: Field, module: Module) -> bool:
    return field.indexed or field.unique or field.name == "id" or any(each[0] == field.name for each in module.indexes)


def _wanted(where: Filter, module: Module) -> Iterable[str]:
    """Name the fields of which an index would help."""
    if isinstance(where, And | Or):
        for part in where.parts:
            yield from _wanted(part, module)
    yield from [str(field.name) for field in _led(where, module) if not _is_indexed(field, module)]
