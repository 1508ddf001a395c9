"""PLACEHOLDER by the lead until the cattrs door lands: keep `module_json(module) -> Json` and
`schema_of(definitions, *, types, version) -> Schema` as public names when you replace this file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from nubetis.model.fields import Choice, Field, FieldState, FieldType
from nubetis.model.schema import Module, Schema
from nubetis.types import Json


def module_json(module: Module) -> Json:
    """Give a module's definition as JSON."""
    out = {a.name: getattr(module, a.name) for a in attrs.fields(Module) if a.name not in {"fields", "rules"}}
    out["fields"] = [
        {
            **{a.name: getattr(f, a.name) for a in attrs.fields(Field) if a.name not in {"type", "choices", "state"}},
            "type": f.type.name,
            "state": f.state.value,
            "choices": [attrs.asdict(c) for c in f.choices],
        }
        for f in module.fields
    ]
    return out


def schema_of(definitions: Iterable[Mapping[str, Json]], *, types: Mapping[str, FieldType], version: int) -> Schema:
    """Give the schema of module definitions."""
    modules = []
    for d in definitions:
        d = dict(d)
        fields = [
            Field(
                **{
                    **f,
                    "type": types[f["type"]],
                    "state": FieldState(f["state"]),
                    "choices": [Choice(**c) for c in f["choices"]],
                    "prefixes": tuple(f["prefixes"]),
                }
            )
            for f in d.pop("fields")
        ]
        d["indexes"] = tuple(tuple(i) for i in d["indexes"])
        d["tallied_by"] = tuple(d["tallied_by"])
        modules.append(Module(**d, fields=fields))
    return Schema(modules=tuple(sorted(modules, key=lambda m: m.id)), version=version)
