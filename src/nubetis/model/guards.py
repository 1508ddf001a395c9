"""Field types of plug-ins, of which whatever is raised or given wrongly is an error that names the plug-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, cast

import attrs

from nubetis.errors import NubetisError, PluginError
from nubetis.model.fields import Field, FieldType, Part, Value
from nubetis.model.kinds.base import pack_same
from nubetis.model.kinds.texts import is_storable

__all__ = ["guarded"]

Given: TypeAlias = tuple[object, ...]
Judge: TypeAlias = Callable[[object, Given], str]

_FUNCTIONS: Final = ("parts", "check", "pack", "unpack", "operand", "parse", "show", "sample", "fold")


def guarded(kind: FieldType, plugin: str) -> FieldType:
    """Give *kind*, of which functions that are not nubetis's own name *plugin* where they fail.

    What they answer must be what a store can keep and compare, and what a file can hold.
    """
    hook = f"field type {kind.name}"
    changed: dict[str, Value] = {}
    for name in _FUNCTIONS:
        function = getattr(kind, name)
        if function is not None and not _is_own(function):
            changed[name] = _guard(function, plugin, f"{hook}, {name}")
    if not changed:
        return kind
    judged = _judges(kind)
    for name in judged.keys() & {*changed, "check", "pack"}:
        changed[name] = _judged(changed.get(name, getattr(kind, name)), judged[name], plugin, f"{hook}, {name}")
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


def _judges(kind: FieldType) -> dict[str, Judge]:
    """Give, for each function, what says what is expected in place of its answer, or nothing where that fits."""
    kept = {"check": _cell} if kind.pack is pack_same else {"pack": _row}
    return kept | {"show": _text, "fold": _text, "operand": _pairs, "parts": _parts}


def _judged(function: Callable[..., Value], judge: Judge, plugin: str, hook: str) -> Callable[..., Value]:
    def call(*given: object) -> Value:
        found = function(*given)
        expected = judge(found, given)
        if expected:
            reason = f"{expected} expected, not {type(found).__name__}"
            raise PluginError("plugin", plugin=plugin, hook=hook, reason=reason)
        return found

    return call


def _cell(found: object, _: Given) -> str:
    return "" if _fits(found) else "a text, a number or bytes were"


def _row(found: object, given: Given) -> str:
    count = len(_field(given).parts)
    return "" if isinstance(found, tuple) and len(found) == count and all(map(_fits, found)) else f"{count} cells were"


def _text(found: object, _: Given) -> str:
    return "" if isinstance(found, str) and is_storable(found) else "a text was"


def _parts(found: object, _: Given) -> str:
    return "" if isinstance(found, tuple) and found and all(isinstance(each, Part) for each in found) else "parts were"


def _pairs(found: object, given: Given) -> str:
    names = {part.name for part in _field(given).parts}
    pairs = found if isinstance(found, tuple) and found else (None,)
    fit = (isinstance(each, tuple) and len(each) == 2 and each[0] in names and _fits(each[1]) for each in pairs)
    return "" if all(fit) else "pairs of a part's name and a cell were"


def _field(given: Given) -> Field:
    return cast("Field", given[0])


def _fits(cell: object) -> bool:
    if isinstance(cell, str):
        return is_storable(cell)
    return cell is None or (type(cell) is int and -(1 << 63) <= cell < 1 << 63) or isinstance(cell, bytes)
