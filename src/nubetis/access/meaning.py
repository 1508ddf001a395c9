"""What sharing rules on values ask of records with one schema and with another: of which columns, by which links."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from nubetis.access.sharing import Rule
from nubetis.model.bind import All, AnyOf, Bound, Linked, Linking, No, Viewpoint, bind
from nubetis.model.filters import Compare, conditions_of
from nubetis.model.numbered import asked
from nubetis.model.schema import Schema

__all__ = ["filled", "meaning", "what_goes"]

_Meaning: TypeAlias = Bound | tuple[object, ...] | None


def what_goes(rule: Rule, before: Schema, after: Schema) -> Iterator[str]:
    """Name the fields for which *rule* asks and which there would be no more, by the names of *before*."""
    module = before.by_id.get(rule.module)
    for _, of, field in asked(rule.where, module, before) if rule.where is not None and module is not None else ():
        now = after.by_id.get(of.id)
        kept = None if now is None or field is None else now.by_id.get(field.id)
        if field is not None and now is not None and (kept is None or kept.name not in now.layout.slots):
            yield f"{of.name}.{field.name}"


def filled(rule: Rule, schema: Schema) -> list[object]:
    """Give what stands in the fields for which *rule* asks where nobody says anything else."""
    module = schema.by_id.get(rule.module)
    if rule.where is None or module is None:
        return []
    fields = [field for _, _, field in asked(rule.where, module, schema)]
    words = any(isinstance(each, Compare) and not each.path for each in conditions_of(rule.where))
    fields += module.fields if words else ()  # which are looked for in many
    return [None if each is None else each.default for each in fields]


def meaning(rule: Rule, schema: Schema, view: Viewpoint) -> _Meaning:
    """Give what *rule* asks with *schema*, such that it is the same where the same columns are asked.

    Raises:
        InvalidFilter: it cannot be asked.
    """
    module = schema.by_id.get(rule.module)
    return None if rule.where is None or module is None else _meaning(bind(rule.where, module, schema, view))


def _meaning(bound: Bound) -> _Meaning:
    match bound:
        case All(parts) | AnyOf(parts):
            return (type(bound), *[_meaning(part) for part in parts])
        case No(part):
            return (No, _meaning(part))
        case Linked(column, module, where):
            return (Linked, column, module.id, _meaning(where))
        case Linking(module, via, where, prefix):
            return (Linking, module.id, via, prefix, _meaning(where))
        case _:
            return bound
