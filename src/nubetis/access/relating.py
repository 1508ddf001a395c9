"""What records have from their parents: how far those who have a record have what it is the parent of."""

from __future__ import annotations

from collections.abc import Iterator

from nubetis.access.directory import Directory
from nubetis.access.sharing import Level
from nubetis.model.schema import Module, Schema

__all__ = ["children", "given_to_related"]


def children(directory: Directory, schema: Schema, module: Module) -> Iterator[tuple[Module, Level]]:
    """Give the modules that name *module* as their parent, with the level that its records give."""
    for number, default in directory.roster.defaults.items():
        child = schema.by_id.get(number)
        field = None if child is None or default.parent is None else child.by_id.get(default.parent)
        if child is not None and field is not None and tuple(field.targets) == (module.name,):
            yield child, default.parent_level


def given_to_related(directory: Directory, schema: Schema, module: Module) -> Level:
    """Give how far whoever has a record of *module* has all that it is the parent of."""
    return min([level for _, level in children(directory, schema, module)], default=Level.DELETE)
