"""Validation rules: a filter and a message; checked on every plan, by the same hook that plug-ins use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from nubetis.hookspecs import hookimpl
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.evaluate import matcher
from nubetis.model.ids import encode
from nubetis.model.plan import ChangeKind, Creates, Part, Plan, Refusal
from nubetis.model.schema import Module, key_of

__all__ = ["ValidationRules"]


class ValidationRules:
    """Refuses records for which a rule of their module holds.

    A rule sees the fields of the record itself, as it would be; not those of linked records.
    """

    @hookimpl
    def nubetis_validate(self, plan: Plan) -> Iterable[Refusal]:
        """Check creations and updates against the rules of their modules."""
        return [
            refusal for part in plan.parts if part.module.rules and _says(part) for refusal in _refusals(part, plan)
        ]


def _says(part: Part) -> bool:
    """Say whether the part gives values: what only leaves or comes back is not checked."""
    return part.kind in {ChangeKind.CREATE, ChangeKind.UPDATE}


def _refusals(part: Part, plan: Plan) -> Iterator[Refusal]:
    module = part.module
    view = Viewpoint(now=plan.at)
    tests = [
        (rule, matcher(bind(rule.where, module, plan.schema, view), module.layout.full_index)) for rule in module.rules
    ]
    for row in part.rows if isinstance(part, Creates) else part.changed_rows():
        full = module.layout.fill(row)
        for rule, broken in tests:
            if broken(full):
                yield _refusal(module, key_of(row), rule.message)


def _refusal(module: Module, key: int, message: str) -> Refusal:
    return Refusal(code="bad_rule", params={"message": message}, module=module.name, record=encode(module.prefix, key))
