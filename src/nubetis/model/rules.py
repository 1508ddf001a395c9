"""Validation rules: a filter and a message; checked on every plan, by the same hook that plug-ins use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from nubetis.errors import InvalidValue, NubetisError
from nubetis.hookspecs import hookimpl
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.evaluate import Predicate, matcher
from nubetis.model.ids import encode
from nubetis.model.plan import ChangeKind, Creates, Part, Plan, Refusal
from nubetis.model.schema import Module, Schema, ValidationRule, key_of

__all__ = ["ValidationRules", "check_rules", "check_scope"]


_LINKS: Final = frozenset({"link", "owner"})


def check_rules(schema: Schema, *, now: datetime) -> None:
    """Make sure that every rule of *schema* can be asked, so that none stops its module from being written.

    Raises:
        InvalidValue: ``bad_rule_filter``; a rule names a field or value that is not there, or asks for what a record
            alone cannot tell.
    """
    for module in schema.modules:
        for rule in module.rules:
            try:
                _test_of(rule, module, schema, now)
            except NubetisError as error:
                raise InvalidValue("bad_rule_filter", rule=rule.name, module=module.name, reason=str(error)) from error


def check_scope(schema: Schema) -> None:
    """Make sure that every choice of *schema* has something to choose from, and every link leads somewhere.

    What records begin with is not retired: none could be made.

    Several choices may be free, as tags are; nubetis's own modules have exact texts that are choices of nothing.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    for module in schema.modules:
        for field in module.fields:
            if field.type.name in _LINKS and not field.targets:
                reason = f"{field.name} leads to no module: name one"
                raise InvalidValue("bad_argument", argument="targets", reason=reason)
            if field.type.name == "choice" and not field.choices and not module.system:
                reason = f"{field.name} has nothing to choose from: give choices, or make it a text"
                raise InvalidValue("bad_argument", argument="choices", reason=reason)
            begun = [field.default] if isinstance(field.default, str) else field.default
            if field.choices and begun and not set(field.open_choices()).issuperset(begun):
                reason = f"{field.name} would begin with a choice that is retired: give another, or none"
                raise InvalidValue("bad_argument", argument="default", reason=reason)


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
    tests = [(rule, _test_of(rule, module, plan.schema, plan.at)) for rule in module.rules]
    for row in part.rows if isinstance(part, Creates) else part.changed_rows():
        full = module.layout.fill(row)
        for rule, broken in tests:
            if broken(full):
                yield _refusal(module, key_of(row), rule.message)


def _test_of(rule: ValidationRule, module: Module, schema: Schema, now: datetime) -> Predicate:
    return matcher(bind(rule.where, module, schema, Viewpoint(now=now)), module.layout.full_index)


def _refusal(module: Module, key: int, message: str) -> Refusal:
    return Refusal(code="bad_rule", params={"message": message}, module=module.name, record=encode(module.prefix, key))
