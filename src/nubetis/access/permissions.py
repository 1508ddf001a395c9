"""Permissions: what a profile lets its users do, as data.

A *permission* is one of the verbs of a module (:class:`~nubetis.access.decision.Action`) or a function of the
organisation (:class:`Function`).  The catalogue says of each what must be permitted with it, whether it is dangerous,
and whether it asks for a fresh second factor.  A field is hidden, read or edited (:class:`FieldLevel`).

A profile says all of it for every module; a permission set only adds.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterable, Mapping
from functools import reduce
from typing import Final, TypeAlias, TypeVar

import attrs

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue
from nubetis.model.nearest import suggest
from nubetis.types import FieldId, Json, ModuleId

__all__ = [
    "CATALOGUE",
    "EVERY_PERMISSION",
    "NO_PERMISSION",
    "STANDARD",
    "FieldLevel",
    "Function",
    "Permission",
    "Permissions",
    "Permit",
    "permitted",
    "read_permissions",
    "write_permissions",
]


class Function(enum.StrEnum):
    """What one may do in the organisation, beside the records of a module; the values are stable."""

    MANAGE_USERS = "manage_users"
    MANAGE_ROLES = "manage_roles"
    MANAGE_PROFILES = "manage_profiles"
    MANAGE_SHARING = "manage_sharing"
    MANAGE_SETTINGS = "manage_settings"
    MANAGE_MODULES = "manage_modules"
    MANAGE_RETENTION = "manage_retention"
    MANAGE_AUTOMATION = "manage_automation"
    EXPLAIN_ACCESS = "explain_access"


class FieldLevel(enum.IntEnum):
    """What one may do with a field; more is greater."""

    HIDDEN = 0
    READ = 1
    EDIT = 2


_Member = TypeVar("_Member", bound=enum.StrEnum)
Permission: TypeAlias = Action | Function
_Place: TypeAlias = tuple[ModuleId, FieldId]


def _some(given: Iterable[Permission]) -> frozenset[Permission]:
    return frozenset(given)


def _verbs(given: Iterable[Action | str]) -> frozenset[Action]:
    return _members(Action, given)


def _functions(given: Iterable[Function | str]) -> frozenset[Function]:
    return _members(Function, given)


def _by_module(given: Mapping[ModuleId, Iterable[Action | str]]) -> Mapping[ModuleId, frozenset[Action]]:
    return {module: _verbs(verbs) for module, verbs in given.items()}


def _levels(given: Mapping[_Place, FieldLevel | str]) -> Mapping[_Place, FieldLevel]:
    return {place: level if isinstance(level, FieldLevel) else _level(level) for place, level in given.items()}


@attrs.frozen
class Permit:
    """One line of the catalogue: what is *needed* beside it, whether it is *dangerous*, and asks for a *step_up*."""

    needs: frozenset[Permission] = attrs.field(default=frozenset(), converter=_some)
    dangerous: bool = False
    step_up: bool = False


_VIEW, _EDIT, _DELETE = Action.VIEW, Action.EDIT, Action.DELETE

CATALOGUE: Final[Mapping[Permission, Permit]] = {
    Action.VIEW: Permit(),
    Action.CREATE: Permit([_VIEW]),
    Action.EDIT: Permit([_VIEW]),
    Action.DELETE: Permit([_VIEW]),
    Action.SHARE: Permit([_VIEW]),
    Action.IMPORT: Permit([Action.CREATE]),
    Action.EXPORT: Permit([_VIEW], dangerous=True, step_up=True),
    Action.MASS_UPDATE: Permit([_EDIT]),
    Action.MASS_DELETE: Permit([_DELETE], dangerous=True, step_up=True),
    Action.TRANSFER: Permit([_EDIT]),
    Action.MERGE: Permit([_EDIT, _DELETE]),
    Action.SEND_MAIL: Permit([_VIEW]),
    Action.MASS_MAIL: Permit([Action.SEND_MAIL], dangerous=True),
    Function.MANAGE_USERS: Permit(dangerous=True, step_up=True),
    Function.MANAGE_ROLES: Permit([Function.MANAGE_USERS], dangerous=True, step_up=True),
    Function.MANAGE_PROFILES: Permit([Function.MANAGE_USERS], dangerous=True, step_up=True),
    Function.MANAGE_SHARING: Permit(dangerous=True, step_up=True),
    Function.MANAGE_SETTINGS: Permit(dangerous=True),
    Function.MANAGE_MODULES: Permit([Function.MANAGE_SETTINGS], dangerous=True),
    Function.MANAGE_RETENTION: Permit(dangerous=True, step_up=True),
    Function.MANAGE_AUTOMATION: Permit(),
    Function.EXPLAIN_ACCESS: Permit(),
}
"""Every permission there is; a test holds that no need is missing and none goes in a circle."""


@attrs.frozen(kw_only=True)
class Permissions:
    """What is permitted: *verbs* of each module, *functions*, and *fields* of which something else is said.

    The verbs of a module that is not in *modules* are *default*.  A field that is not in *fields* is edited where this
    is a profile, and nothing is said of it where this is a permission set.  Names will do for verbs, functions and
    levels.

    Raises:
        InvalidValue: ``bad_permissions``; something is no name of one.

    >>> Permissions(default=["view"]).default
    frozenset({<Action.VIEW: 'view'>})
    """

    default: frozenset[Action] = attrs.field(default=frozenset(), converter=_verbs)
    modules: Mapping[ModuleId, frozenset[Action]] = attrs.field(factory=dict, converter=_by_module)
    functions: frozenset[Function] = attrs.field(default=frozenset(), converter=_functions)
    fields: Mapping[_Place, FieldLevel] = attrs.field(factory=dict, converter=_levels)

    def verbs(self, module: ModuleId) -> frozenset[Action]:
        """Give what is permitted in a module."""
        return self.modules.get(module, self.default)

    def level(self, module: ModuleId, field: FieldId) -> FieldLevel:
        """Give what a profile permits with a field."""
        return self.fields.get((module, field), FieldLevel.EDIT)

    def dangling(self) -> list[tuple[ModuleId | None, Permission, Permission]]:
        """Give each permission that lacks another it needs: the module (``None`` for all others), it, and that."""
        places: list[tuple[ModuleId | None, Collection[Permission]]] = [(None, self.default), *self.modules.items()]
        found = [(module, each, need) for module, verbs in places for each, need in _lacking(verbs)]
        return [*found, *[(None, each, need) for each, need in _lacking(self.functions)]]

    def __le__(self, other: Permissions) -> bool:
        """Say whether, as profiles, *other* permits all that this does."""
        modules = self.modules.keys() | other.modules.keys()
        fields = self.fields.keys() | other.fields.keys()
        return (
            self.default <= other.default
            and self.functions <= other.functions
            and all(self.verbs(each) <= other.verbs(each) for each in modules)
            and all(self.level(*each) <= other.level(*each) for each in fields)
        )


def _lacking(permitted: Collection[Permission]) -> list[tuple[Permission, Permission]]:
    wanted = [(each, need) for each in permitted for need in CATALOGUE[each].needs]
    return sorted([pair for pair in wanted if pair[1] not in permitted])


def permitted(profile: Permissions, sets: Iterable[Permissions] = ()) -> Permissions:
    """Give what a profile and permission sets permit together: a set never takes anything away."""
    return reduce(_with, sets, profile)


def _with(profile: Permissions, added: Permissions) -> Permissions:
    modules = profile.modules.keys() | added.modules.keys()
    levels = {each: max(level, added.fields.get(each, FieldLevel.HIDDEN)) for each, level in profile.fields.items()}
    return Permissions(
        default=profile.default | added.default,
        modules={each: profile.verbs(each) | added.verbs(each) for each in modules},
        functions=profile.functions | added.functions,
        fields={each: level for each, level in levels.items() if level is not FieldLevel.EDIT},
    )


# -- as JSON ----------------------------------------------------------------------------------------------------------
def write_permissions(found: Permissions) -> dict[str, Json]:
    """Give *found* as JSON: ``{"verbs": {"*": […], "1003": […]}, "functions": […], "fields": {"1003.7": "read"}}``.

    Modules and fields are named by their numbers, which never change.

    >>> write_permissions(Permissions(default=[Action.VIEW], functions=[Function.MANAGE_USERS]))
    {'verbs': {'*': ['view']}, 'functions': ['manage_users'], 'fields': {}}
    """
    verbs = {"*": found.default, **{str(module): each for module, each in sorted(found.modules.items())}}
    return {
        "verbs": {name: sorted([each.value for each in several]) for name, several in verbs.items()},
        "functions": sorted([each.value for each in found.functions]),
        "fields": {f"{m}.{f}": level.name.lower() for (m, f), level in sorted(found.fields.items())},
    }


def read_permissions(data: object) -> Permissions:
    """Read what :func:`write_permissions` gives.

    Raises:
        InvalidValue: ``bad_permissions``.
    """
    whole = _object(data)
    if unknown := whole.keys() - {"verbs", "functions", "fields"}:
        raise InvalidValue("bad_permissions", reason=f"there is nothing called {min(unknown)[:60]} in them")
    verbs = {name: _members(Action, each) for name, each in _object(whole.get("verbs", {})).items()}
    fields = {_field(name): _level(each) for name, each in _object(whole.get("fields", {})).items()}
    return Permissions(
        default=verbs.pop("*", frozenset()),
        modules={ModuleId(_number(name)): each for name, each in verbs.items()},
        functions=_members(Function, whole.get("functions", [])),
        fields=fields,
    )


def _object(data: object) -> Mapping[str, object]:
    if not isinstance(data, Mapping) or not all(isinstance(name, str) for name in data):
        raise InvalidValue("bad_permissions", reason="give an object")
    return data


def _members(kind: type[_Member], data: object) -> frozenset[_Member]:
    """Read names of *kind*."""
    if isinstance(data, frozenset) and all(isinstance(each, kind) for each in data):
        return data
    if not isinstance(data, list | tuple | set | frozenset):
        raise InvalidValue("bad_permissions", reason="give a list of names")
    known = {each.value: each for each in kind}
    for each in data:
        if not isinstance(each, str) or str(each) not in known:
            hint = suggest(str(each)[:60], known)
            raise InvalidValue(
                "bad_permissions", reason=f"no permission is called {str(each)[:60]}. {hint}".rstrip(".")
            )
    return frozenset([known[str(each)] for each in data])


def _number(name: str) -> int:
    if not name.isascii() or not name.isdecimal() or len(name) > _DIGITS:
        raise InvalidValue("bad_permissions", reason=f"{name[:60]} is no number of a module or field")
    return int(name)


def _field(name: str) -> tuple[ModuleId, FieldId]:
    module, _, field = name.partition(".")
    return ModuleId(_number(module)), FieldId(_number(field))


def _level(data: object) -> FieldLevel:
    known = {level.name.lower(): level for level in FieldLevel}
    if not isinstance(data, str) or data not in known:
        raise InvalidValue("bad_permissions", reason=f"a field is one of {', '.join(known)}")
    return known[data]


_DIGITS: Final = 9

NO_PERMISSION: Final = Permissions()
EVERY_PERMISSION: Final = Permissions(default=frozenset(Action), functions=frozenset(Function))
"""What the built-in Administrator has, for ever."""
STANDARD: Final = Permissions(default=frozenset(Action) - {Action.MASS_DELETE, Action.EXPORT, Action.MASS_MAIL})
"""What the built-in Standard begins with: everybody's daily work, and nothing that empties a house at once."""
