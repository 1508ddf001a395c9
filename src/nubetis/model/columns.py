"""What the paths of a filter and of a sort name: a field of a module, a part of it, and the column that is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import InvalidFilter
from nubetis.model.fields import Field, Operator, Part, Storage
from nubetis.model.kinds import BUILT_IN
from nubetis.model.nearest import suggest
from nubetis.model.numbered import NUMBER, field_named
from nubetis.model.schema import Module, suggest_field

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint

__all__ = ["CHANGES", "as_part", "bad_operator", "bind_sort", "compared", "find_asked", "find_column"]

CHANGES: Final = frozenset({Operator.CHANGED, Operator.CHANGED_FROM, Operator.CHANGED_TO})
"""Operators on what a record was before."""


def find_column(module: Module, path: str, view: Viewpoint) -> tuple[Field, Part]:
    """Give field and part that *path* names in *module*.

    Raises:
        InvalidFilter: ``unknown_field``, also for a field that the viewer may not read.
    """
    name, _, part_name = path.partition(".")
    slot = module.layout.slots.get(name)
    readable = {each for each, slot in module.layout.slots.items() if view.readable(module, slot.field)}
    if slot is None or name not in readable:
        fields = [module.layout.slots[each].field for each in readable]
        raise InvalidFilter("unknown_field", module=module.name, field=name, hint=suggest_field(name, fields))
    for part in slot.field.parts:
        if part.name == part_name:
            return slot.field, part
    if not part_name:
        return slot.field, slot.field.parts[0]
    raise InvalidFilter("unknown_field", module=module.name, field=path, hint=_meant(slot.field, part_name))


def find_asked(module: Module, path: str, view: Viewpoint) -> tuple[Field, Part]:
    """Give field and part that a filter asks: by the names of :func:`find_column`, or by number.

    Raises:
        InvalidFilter: ``unknown_field``, also for a field that the viewer may not read.
    """
    if not path.startswith(NUMBER):
        return find_column(module, path, view)
    number, dot, part = path.partition(".")
    field = field_named(number, module)
    if field is None or not view.readable(module, field):
        raise InvalidFilter("unknown_field", module=module.name, field=path, hint="")
    return find_column(module, f"{field.name}{dot}{part}", view)


def _meant(field: Field, part_name: str) -> str:
    """Give the hint for a part that *field* has not."""
    if field.targets:
        return f"Write {field.name} linked ({part_name} = …)."
    names = [part.name for part in field.parts if part.name]
    return suggest(part_name, names) if names else f"Did you mean {field.name}?"


def compared(field: Field, part: Part) -> str:
    """Give the column that comparisons use: the twin where there is one."""
    column = field.column_of(part)
    return f"{column}__f" if field.has_twin(part) else column


def bind_sort(module: Module, path: str, view: Viewpoint) -> str:
    """Give the column that sorts *module* by the field *path*.

    Raises:
        InvalidFilter: unknown, or of a type that has no order.
    """
    field, part = find_column(module, path, view)
    if "." not in path and not part.name:
        part = field.order_part
    elif "." not in path:  # an address has no order, its city has
        raise bad_operator(field, "sort")
    if part.storage in {Storage.SET, Storage.BYTES} or (part.text and not field.filterable):
        raise bad_operator(field, "sort")
    return compared(field, part)


def bad_operator(field: Field, operator: str) -> InvalidFilter:
    """Give the error that *field* knows no such operator, and which it knows."""
    known = ", ".join(sorted(_known(field)))
    return InvalidFilter("filter_operator", field=field.name, type=field.type.name, operator=operator, known=known)


def _known(field: Field) -> frozenset[Operator]:
    """Give the operators that *field* knows: without a twin, text knows those that need none."""
    bare = field.type.operators - {Operator.MATCHES}
    has_twin = any(field.has_twin(part) for part in field.parts)
    if field.filterable or not field.parts[0].text:
        return field.type.operators if has_twin else bare
    return field.type.operators & {Operator.EMPTY, *CHANGES, *([Operator.MATCHES] if has_twin else [])}


def as_part(field: Field, part: Part) -> Field:
    """Give the field seen as one of its parts: ``address.city`` follows the rules of text."""
    if not part.name or not part.kind:
        return field
    rules = BUILT_IN[part.kind]
    only = attrs.evolve(part, name="")
    return attrs.evolve(
        field,
        type=attrs.evolve(rules, parts=lambda _: (only,)),
        column=field.column_of(part),
        choices=(),
        targets=(),
    )
