"""Field types of plug-ins, of which whatever is raised or given wrongly is an error that names the plug-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from nubetis.errors import NubetisError, PluginError
from nubetis.model.fields import Field, FieldType, Value
from nubetis.model.kinds.base import pack_same
from nubetis.types import Row

__all__ = ["guarded"]

_FUNCTIONS: Final = ("parts", "check", "pack", "unpack", "operand", "parse", "show", "sample", "fold")


def guarded(kind: FieldType, plugin: str) -> FieldType:
    """Give *kind*, of which functions that are not nubetis's own name *plugin* where they fail.

    What is to be stored must be what a store can keep: a cell for each part.
    """
    hook = f"field type {kind.name}"
    changed: dict[str, Value] = {}
    for name in _FUNCTIONS:
        function = getattr(kind, name)
        if function is not None and not _is_own(function):
            changed[name] = _guard(function, plugin, f"{hook}, {name}")
    if not changed:
        return kind
    if kind.pack is pack_same:
        changed["check"] = _checked(changed.get("check", kind.check), plugin, hook)
    else:
        changed["pack"] = _packed(changed.get("pack", kind.pack), plugin, hook)
    return attrs.evolve(kind, **changed)


def _is_own(function: object) -> bool:
    return str(getattr(function, "__module__", "")).partition(".")[0] == "nubetis"


def _guard(function: Callable[..., Value], plugin: str, hook: str) -> Callable[..., Value]:
    def call(*given: object) -> Value:
        try:
            return function(*given)
        except NubetisError:
            raise
        except Exception as error:
            raise PluginError("plugin", plugin=plugin, hook=hook, reason=type(error).__name__) from error

    return call


def _checked(check: Value, plugin: str, hook: str) -> Callable[[Field, object], Value]:
    def call(field: Field, offered: object) -> Value:
        found = check(field, offered)
        if not _fits(found):
            reason = f"a text, a number or bytes were expected, not {type(found).__name__}"
            raise PluginError("plugin", plugin=plugin, hook=f"{hook}, check", reason=reason)
        return found

    return call


def _packed(pack: Value, plugin: str, hook: str) -> Callable[[Field, Value], Row]:
    def call(field: Field, value: Value) -> Row:
        found = pack(field, value)
        if not isinstance(found, tuple) or len(found) != len(field.parts) or not all(map(_fits, found)):
            reason = f"{len(field.parts)} cells were expected"
            raise PluginError("plugin", plugin=plugin, hook=f"{hook}, pack", reason=reason)
        return found

    return call


def _fits(cell: object) -> bool:
    return cell is None or (type(cell) is int and -(1 << 63) <= cell < 1 << 63) or isinstance(cell, str | bytes)
