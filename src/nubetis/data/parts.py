"""Parts of fields that have a column of their own in files: ``address.city``, ``amount.home``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import NotFound
from nubetis.model.fields import Field, Part
from nubetis.model.nearest import suggest
from nubetis.model.schema import Module

if TYPE_CHECKING:
    from nubetis.model.fields import Value

__all__ = ["BESIDE", "Named", "named", "parts_of"]

BESIDE: Final = frozenset({"currency", "home"})
"""The parts of money that columns of their own may fill."""


def parts_of(field: Field) -> list[Part]:
    """Give the parts with columns: all those of a structured text, and of money what stands beside the amount."""
    whole = all(part.text for part in field.parts)
    return [part for part in field.parts if part.name and (whole or part.name in BESIDE)]


@attrs.frozen
class Named:
    """A field, or one *part* of it."""

    field: Field
    part: Part | None = None

    @property
    def path(self) -> str:
        """The name of the field, or of the field and the part."""
        return str(self.field.name) if self.part is None else f"{self.field.name}.{self.part.name}"

    @property
    def is_home(self) -> bool:
        """Whether it is what money is worth in the organisation's own currency."""
        return self.part is not None and self.part.name == "home" and self.field.type.name == "money"

    def of(self, value: Value) -> Value:
        """Give what *value*, which the field holds, says there."""
        return value if self.part is None or value is None else getattr(value, self.part.name)


def named(module: Module, path: str) -> Named:
    """Give what *path* names: a field, or a field and a part.

    Raises:
        NotFound: ``unknown_field``.

    >>> from nubetis.model.standard import base_schema
    >>> named(base_schema().module("accounts"), "address.city").part.name
    'city'
    """
    name, dot, part_name = path.partition(".")
    field = module.field(name)
    if not dot:
        return Named(field)
    parts = {part.name: part for part in parts_of(field)}
    if part_name not in parts:
        hint = suggest(path, [f"{name}.{each}" for each in parts]) or f"Did you mean {name}?"
        raise NotFound("unknown_field", module=module.name, field=path, hint=hint)
    return Named(field, parts[part_name])
