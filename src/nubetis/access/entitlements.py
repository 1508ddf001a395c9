"""What the edition of an organisation gives: features, and limits of people, roles, profiles and imports.

:class:`Entitlements` is one value, kept as the setting ``edition``, and read with everybody's access.  Where nothing
is set, nothing is limited.  Limits hold for what there is afterwards, so they hold on every road; a feature that the
edition has not is a gate that nobody passes, administrators neither.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import attrs

from nubetis.access.permissions import Function
from nubetis.errors import InvalidValue
from nubetis.model.nearest import suggest
from nubetis.types import Json, ModuleId

__all__ = [
    "EDITION",
    "FEATURES_OF_FUNCTIONS",
    "FEATURES_OF_MODULES",
    "UNLIMITED",
    "Entitlements",
    "Feature",
    "read_entitlements",
    "write_entitlements",
]

EDITION: Final = "edition"
"""The name of the setting."""


class Feature(enum.StrEnum):
    """What an edition may have or not; the values are stable."""

    PERMISSION_SETS = "permission_sets"
    GROUPS = "groups"
    SHARING_RULES = "sharing_rules"
    CUSTOM_MODULES = "custom_modules"
    RETENTION = "retention"
    AUTOMATION = "automation"
    INSIGHT = "insight"
    """To look at others' rights: ``explain_for``, ``who_can``, ``preview``."""


FEATURES_OF_MODULES: Final[Mapping[str, Feature]] = {
    "permission_sets": Feature.PERMISSION_SETS,
    "groups": Feature.GROUPS,
    "sharing_rules": Feature.SHARING_RULES,
    "modules": Feature.CUSTOM_MODULES,
    "holds": Feature.RETENTION,
    "retention_rules": Feature.RETENTION,
}
"""The feature that it takes to change the records of a system module."""

FEATURES_OF_FUNCTIONS: Final[Mapping[Function, Feature]] = {
    Function.MANAGE_MODULES: Feature.CUSTOM_MODULES,
    Function.MANAGE_RETENTION: Feature.RETENTION,
    Function.MANAGE_AUTOMATION: Feature.AUTOMATION,
    Function.EXPLAIN_ACCESS: Feature.INSIGHT,
}
"""The feature that a function of the organisation takes."""

_MOST: Final = 1 << 53
"""What JSON keeps exactly everywhere."""
_SHOWN: Final = 60


def _bad(reason: str) -> InvalidValue:
    return InvalidValue("bad_setting", name=EDITION, reason=reason)


def _features(given: object) -> frozenset[Feature]:
    known = {each.value: each for each in Feature}
    for each in _several(given, "features"):
        if not isinstance(each, str) or each not in known:
            hint = suggest(str(each)[:_SHOWN], known)
            raise _bad(f"no feature is called {str(each)[:_SHOWN]}. {hint}".rstrip(".? "))
    return frozenset([known[str(each)] for each in _several(given, "features")])


def _numbers(given: object) -> frozenset[ModuleId]:
    return frozenset([ModuleId(_whole("a module's number", each, least=1)) for each in _several(given, "modules")])


def _several(given: object, what: str) -> Iterable[object]:
    if isinstance(given, list | tuple | set | frozenset):
        return given
    raise _bad(f"give the {what} that it lacks as a list")


def _whole(name: str, given: object, *, least: int) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given < _MOST:
        raise _bad(f"{name} is a whole number from {least} on")
    return given


def _from(least: int, *, or_none: bool = True) -> Callable[[object, attrs.Attribute[int], object], None]:
    def check(_: object, field: attrs.Attribute[int], given: object) -> None:
        if given is not None or not or_none:
            _whole(field.name, given, least=least)

    return check


def _check_bool(_: object, field: attrs.Attribute[bool], given: object) -> None:
    if not isinstance(given, bool):
        raise _bad(f"{field.name} is true or false")


@attrs.frozen(kw_only=True)
class Entitlements:
    """An edition: the features and modules that it lacks, and its limits; ``None`` is no limit.

    *users* are licences: active persons take one each, service users and those who are not active none.  *roles* and
    *profiles* count the built-in ones; *import_rows* are the records of one import.  *automations* is kept for the
    host: nothing counts against it yet.  *lacks_modules* has numbers of people's own modules, which never change.

    Custom roles and profiles can be made once *unlock_after* persons are active.  With *by_host* only the host can
    change the edition (``org.system``), whatever a user may.

    >>> Entitlements(users=5, lacks=["groups"]).lacks
    frozenset({<Feature.GROUPS: 'groups'>})
    """

    users: int | None = attrs.field(default=None, validator=_from(1))
    roles: int | None = attrs.field(default=None, validator=_from(2))
    profiles: int | None = attrs.field(default=None, validator=_from(2))
    import_rows: int | None = attrs.field(default=None, validator=_from(0))
    automations: int | None = attrs.field(default=None, validator=_from(0))
    lacks: frozenset[Feature] = attrs.field(default=frozenset(), converter=_features)
    lacks_modules: frozenset[ModuleId] = attrs.field(default=frozenset(), converter=_numbers)
    unlock_after: int = attrs.field(default=1, validator=_from(0, or_none=False))
    by_host: bool = attrs.field(default=False, validator=_check_bool)


UNLIMITED: Final = Entitlements()
"""The edition of an organisation of which nothing else was said."""


def write_entitlements(found: Entitlements) -> dict[str, Json]:
    """Give *found* as JSON, without what is as in :data:`UNLIMITED`.

    >>> write_entitlements(Entitlements(users=5, lacks=["retention", "groups"]))
    {'users': 5, 'lacks': ['groups', 'retention']}
    """
    values: dict[str, Json] = {}
    for field in attrs.fields(Entitlements):
        value = getattr(found, field.name)
        if value != getattr(UNLIMITED, field.name):
            values[field.name] = _listed(value) if isinstance(value, frozenset) else value
    return values


def _listed(several: frozenset[Feature | ModuleId]) -> list[Json]:
    return [each.value if isinstance(each, Feature) else int(each) for each in sorted(several)]


def read_entitlements(data: object) -> Entitlements:
    """Read what :func:`write_entitlements` gives.

    Raises:
        InvalidValue: ``bad_setting``.
    """
    if not isinstance(data, Mapping):
        raise _bad("it is an object of limits and of what it lacks")
    known = {field.name for field in attrs.fields(Entitlements)}
    for name in data:
        if name not in known:
            raise _bad(f"it has no {str(name)[:_SHOWN]}. {suggest(str(name)[:_SHOWN], known)}".rstrip(".? "))
    return Entitlements(**data)
