"""Profiles edited as values: permit with what that needs, forbid with what needs it, join, and what tells two apart.

None of it leaves a permission without the one that it needs, where there was none before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import and_, or_
from typing import Final, Protocol, TypeAlias, TypeVar

import attrs

from nubetis.access.decision import Action
from nubetis.access.permissions import CATALOGUE, FieldLevel, Function, Permission, Permissions
from nubetis.types import FieldId, ModuleId

__all__ = ["common", "forbidding", "joined", "needing", "permitting", "with_field"]

T = TypeVar("T")
_Verbs: TypeAlias = frozenset[Action]
_OfLevels: TypeAlias = Callable[[FieldLevel, FieldLevel], FieldLevel]


class _OfSets(Protocol):
    """Makes one set of two."""

    def __call__(self, first: frozenset[T], second: frozenset[T], /) -> frozenset[T]:
        """Give it."""
        ...


def _with_needed(permission: Permission) -> frozenset[Permission]:
    found: set[Permission] = set()
    left = [permission]
    while left:
        each = left.pop()
        found.add(each)
        left += CATALOGUE[each].needs - found
    return frozenset(found)


_NEEDED: Final[Mapping[Permission, frozenset[Permission]]] = {each: _with_needed(each) for each in CATALOGUE}
"""What each permission needs, by whatever way, and itself."""


def needing(permission: Permission) -> frozenset[Permission]:
    """Give the permissions that need *permission*, by whatever way, and itself."""
    return frozenset([each for each, needed in _NEEDED.items() if permission in needed])


def permitting(permissions: Permissions, permission: Permission, module: ModuleId | None = None) -> Permissions:
    """Give *permissions* with one more, and all that it needs: in one *module*, or in every one.

    >>> sorted(permitting(Permissions(), Action.IMPORT).default)
    [<Action.CREATE: 'create'>, <Action.IMPORT: 'import'>, <Action.VIEW: 'view'>]
    """
    added = _NEEDED[permission]
    if isinstance(permission, Function):
        return attrs.evolve(permissions, functions=permissions.functions | _functions(added))
    return _with_verbs(permissions, module, lambda verbs: verbs | _verbs(added))


def forbidding(permissions: Permissions, permission: Permission, module: ModuleId | None = None) -> Permissions:
    """Give *permissions* without one, and without all that need it: in one *module*, or in every one.

    >>> forbidding(permitting(Permissions(), Action.IMPORT), Action.VIEW) == Permissions()
    True
    """
    taken = needing(permission)
    if isinstance(permission, Function):
        return attrs.evolve(permissions, functions=permissions.functions - _functions(taken))
    return _with_verbs(permissions, module, lambda verbs: verbs - _verbs(taken))


def _functions(given: Iterable[Permission]) -> frozenset[Function]:
    return frozenset([each for each in given if isinstance(each, Function)])


def _verbs(given: Iterable[Permission]) -> _Verbs:
    return frozenset([each for each in given if isinstance(each, Action)])


def _with_verbs(permissions: Permissions, module: ModuleId | None, change: Callable[[_Verbs], _Verbs]) -> Permissions:
    if module is not None:
        now = permissions.verbs(module)
        then = change(now)  # where nothing changes, the module goes on with all the others
        return permissions if then == now else attrs.evolve(permissions, modules={**permissions.modules, module: then})
    modules = {each: change(verbs) for each, verbs in permissions.modules.items()}
    return attrs.evolve(permissions, default=change(permissions.default), modules=modules)


def with_field(permissions: Permissions, field: tuple[ModuleId, FieldId], level: FieldLevel) -> Permissions:
    """Give *permissions* of a profile with another *level* of a field; nothing is kept of one that may be edited."""
    others = {each: kept for each, kept in permissions.fields.items() if each != field}
    return attrs.evolve(permissions, fields=others if level is FieldLevel.EDIT else {**others, field: level})


def joined(first: Permissions, second: Permissions) -> Permissions:
    """Give what, as profiles, *first* or *second* permits."""
    return _both(first, second, or_, max)


def common(first: Permissions, second: Permissions) -> Permissions:
    """Give what, as profiles, *first* and *second* permit."""
    return _both(first, second, and_, min)


def _both(first: Permissions, second: Permissions, sets: _OfSets, level: _OfLevels) -> Permissions:
    modules = first.modules.keys() | second.modules.keys()
    fields = {each: level(first.level(*each), second.level(*each)) for each in first.fields.keys() | second.fields}
    return Permissions(
        default=sets(first.default, second.default),
        modules={each: sets(first.verbs(each), second.verbs(each)) for each in modules},
        functions=sets(first.functions, second.functions),
        fields={each: found for each, found in fields.items() if found is not FieldLevel.EDIT},
    )
