"""Filters as they are kept: fields and modules by their numbers, so that a rename changes nothing of what they ask.

A path begins with ``#`` and the number of the field: ``#40``, ``#40.city``.  Where a link leads to several modules,
what is asked of the linked record has a number for each of them: ``#17:40|18:45``.  ``matches`` without a path stays
without: it asks whatever is searchable.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field
from nubetis.model.filters import And, Compare, Filter, Has, Not, Or
from nubetis.model.schema import Module, Schema

__all__ = ["NUMBER", "asked", "check_numbers", "field_named", "module_named", "named", "names_left", "numbered"]

NUMBER: Final = "#"
"""What a number begins with that stands in place of a name."""

_Named: TypeAlias = Callable[[str, Sequence[Module]], str]


def field_named(name: str, module: Module) -> Field | None:
    """Give the active field of *module* with this name, or number."""
    if not name.startswith(NUMBER):
        slot = module.layout.slots.get(name)
        return None if slot is None else slot.field
    for each in name.removeprefix(NUMBER).split("|"):
        of, colon, number = each.rpartition(":")
        if (not colon or of == str(module.id)) and number.isdecimal():
            field = module.by_id.get(int(number))
            slot = None if field is None else module.layout.slots.get(field.name)
            return field if slot is not None and slot.field is field else None
    return None


def module_named(name: str, schema: Schema) -> Module:
    """Give the module with this name, or number.

    Raises:
        NotFound: ``unknown_module``.
    """
    found = _known(name, schema)
    return schema.module(name) if found is None else found


def _known(name: str, schema: Schema) -> Module | None:
    number = name.removeprefix(NUMBER)
    if name.startswith(NUMBER):
        return schema.by_id.get(int(number)) if number.isdecimal() else None
    return schema.module(name) if name in schema else None


def _every(_module: Module, _field: Field) -> bool:
    return True


def numbered(
    where: Filter, module: Module, schema: Schema, *, readable: Callable[[Module, Field], bool] = _every
) -> Filter:
    """Give *where* by the numbers of the fields that are *readable*; what names no such field stays as it is.

    >>> from nubetis.model.filters import F
    >>> from nubetis.model.system import SYSTEM_SCHEMA
    >>> roles = SYSTEM_SCHEMA.module("roles")
    >>> by_number = numbered(F.name == "Rep", roles, SYSTEM_SCHEMA)
    >>> by_number, named(by_number, roles, SYSTEM_SCHEMA)
    (F['#32'] == 'Rep', F.name == 'Rep')
    """

    def number(name: str, modules: Sequence[Module]) -> str:
        found = [(each.id, field_named(name, each)) for each in modules]
        known = [(of, field) for of, field in found if field is not None and readable(schema.by_id[of], field)]
        if name.startswith(NUMBER) or not known:
            return name
        if len(modules) == 1:
            return f"{NUMBER}{known[0][1].id}"
        return NUMBER + "|".join([f"{of}:{field.id}" for of, field in known])

    return _Walk(schema, number, lambda each: f"{NUMBER}{each.id}").of(where, (module,))


def named(where: Filter, module: Module, schema: Schema) -> Filter:
    """Give *where*, which may be by numbers, with the names of today; the number of what is gone stays."""

    def name(given: str, modules: Sequence[Module]) -> str:
        found = [field.name for each in modules if (field := field_named(given, each)) is not None]
        return str(found[0]) if found else given

    return _Walk(schema, name, lambda each: str(each.name)).of(where, (module,))


def asked(where: Filter, module: Module, schema: Schema) -> Iterator[tuple[str, Module, Field | None]]:
    """Give all names or numbers of fields in *where*, with the field of each module that is asked for it."""
    found: list[tuple[str, Module, Field | None]] = []

    def note(name: str, modules: Sequence[Module]) -> str:
        found.extend([(name, each, field_named(name, each)) for each in modules])
        return name

    _Walk(schema, note, lambda each: str(each.name)).of(where, (module,))
    yield from found


def names_left(where: Filter, module: Module, schema: Schema) -> bool:
    """Say whether *where* still asks some field by name."""
    return any(name and not name.startswith(NUMBER) for name, _, _ in asked(where, module, schema))


def check_numbers(old: Schema, new: Schema) -> None:
    """Make sure that *new* gives no number again that *old* has given: rules, profiles and the journal speak of it.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    _check_new("module", [each.id for each in new.modules], old.by_id.keys(), (old.next_module, new.next_module))
    for module in new.modules:
        before = old.by_id.get(module.id)
        known, following = (frozenset[int](), 0) if before is None else (before.by_id.keys(), before.next_field)
        _check_new("field", [each.id for each in module.fields], known, (following, module.next_field))


def _check_new(what: str, given: Sequence[int], known: Collection[int], following: tuple[int, int]) -> None:
    then, now = following
    fresh = all(each >= then for each in given if each not in known)
    if not fresh or now < then or any(each >= now for each in given) or len(set(given)) < len(given):
        raise InvalidValue("bad_argument", argument="id", reason=_GIVEN_ONCE[what])


_GIVEN_ONCE: Final = {
    "module": "the number of a module is given once: leave it to nubetis",
    "field": "the number of a field is given once: leave it to nubetis",
}


@attrs.frozen
class _Walk:
    """Gives filters with other names for fields and modules."""

    schema: Schema
    field: _Named
    module: Callable[[Module], str]

    def of(self, where: Filter, modules: Sequence[Module]) -> Filter:
        match where:
            case And(parts) | Or(parts):
                return attrs.evolve(where, parts=tuple([self.of(part, modules) for part in parts]))
            case Not(part):
                return Not(self.of(part, modules))
            case Has(name, via, inner) if (child := _known(name, self.schema)) is not None:
                return Has(self.module(child), self.field(via, (child,)), self.of(inner, (child,)))
            case Compare():
                return self._compare(where, modules)
            case _:
                return where

    def _compare(self, where: Compare, modules: Sequence[Module]) -> Filter:
        name, dot, part = where.path.partition(".")
        operand = where.operand
        if isinstance(operand, Filter):
            fields = [field for each in modules if (field := field_named(name, each)) is not None]
            targets = dict.fromkeys([target for field in fields for target in field.targets])
            operand = self.of(operand, tuple(map(self.schema.module, targets)))
        path = f"{self.field(name, modules)}{dot}{part}" if name else where.path
        return attrs.evolve(where, path=path, operand=operand)
