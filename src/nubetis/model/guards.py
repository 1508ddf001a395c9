"""Field types of plug-ins, of which whatever is raised or given wrongly is an error that names the plug-in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias, cast

import attrs

from nubetis.errors import NubetisError, PluginError
from nubetis.model.fields import CELLS, Field, FieldType, Part, Value
from nubetis.model.kinds.base import pack_same
from nubetis.model.kinds.texts import is_storable
from nubetis.types import LEAST, MOST

__all__ = ["guarded", "parts_of"]

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
            reason = f"{expected} expected, not {_called(found)}"
            raise PluginError("plugin", plugin=plugin, hook=hook, reason=reason)
        return found

    return call


def parts_of(field: Field) -> tuple[Part, ...]:
    """Give the parts of *field*, whose type may be one that no organisation has taken in yet.

    Raises:
        PluginError: they are no parts; what can be named is where the function is from.
    """
    kind = field.type
    if _is_own(kind.parts):
        return field.parts
    return guarded(kind, str(getattr(kind.parts, "__module__", None))).parts(field)


def _called(found: object) -> str:
    if isinstance(found, tuple) and found:
        return f"({', '.join(type(each).__name__ for each in found)})"
    return type(found).__name__


def _cell(found: object, given: Given) -> str:
    return "" if _fits(found, _field(given).parts[0]) else f"a cell of {_field(given).parts[0].storage} was"


def _row(found: object, given: Given) -> str:
    parts = _field(given).parts
    if not isinstance(found, tuple) or len(found) != len(parts):
        return f"{len(parts)} cells were"
    return "" if all(map(_fits, found, parts)) else f"cells of {', '.join(part.storage for part in parts)} were"


def _text(found: object, _: Given) -> str:
    return "" if isinstance(found, str) and is_storable(found) else "a text was"


def _parts(found: object, _: Given) -> str:
    return "" if isinstance(found, tuple) and found and all(isinstance(each, Part) for each in found) else "parts were"


def _pairs(found: object, given: Given) -> str:
    parts = {part.name: part for part in _field(given).parts}
    pairs = found if isinstance(found, tuple) and found else (None,)
    fit = (isinstance(each, tuple) and len(each) == 2 and _fits(each[1], parts.get(each[0])) for each in pairs)
    return "" if all(fit) else "pairs of a part's name and a cell were"


def _field(given: Given) -> Field:
    return cast("Field", given[0])


def _fits(cell: object, part: Part | None) -> bool:
    """Say whether *part* can keep *cell*."""
    if part is None or cell is None:
        return part is not None
    if type(cell) is not CELLS[part.storage]:
        return False
    if isinstance(cell, str):
        return is_storable(cell)
    return not isinstance(cell, int) or LEAST <= cell <= MOST
