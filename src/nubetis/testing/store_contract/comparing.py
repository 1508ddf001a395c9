"""Comparing what two stores hold, or one before and after: what differs is named, module by module."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice, zip_longest
from typing import Final

__all__ = ["difference", "require_same"]

_MOST: Final = 20
"""Differences that are named."""
_KEYS: Final = 5
"""Keys that are named of each."""
_WIDE: Final = 160
"""Characters of a value."""


def require_same(expected: object, actual: object) -> None:
    """Fail with what differs, if anything does."""
    __tracebackhide__ = True
    if expected != actual:
        raise AssertionError(difference(expected, actual))


def difference(expected: object, actual: object) -> str:
    """Say what differs: what is lost, what is there besides, and what is another.

    >>> print(difference({"people": [(1, "a"), (2, "b")]}, {"people": [(2, "c")]}))
    people: lost 1 of 2 rows, of key 1
    people, key 2, [1]: 'b' was expected, not 'c'
    """
    found = list(islice(_differences("", expected, actual), _MOST + 1))
    more = ["and more"] if len(found) > _MOST else []
    return "\n".join([*found[:_MOST], *more])


def _differences(place: str, expected: object, actual: object) -> Iterator[str]:
    if expected == actual:
        return
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        for name in dict.fromkeys([*expected, *actual]):
            yield from _differences(_inside(place, str(name)), expected.get(name), actual.get(name))
    elif (old := _by_key(expected)) is not None and (new := _by_key(actual)) is not None and old.keys() != new.keys():
        yield from _rows(place, old, new)
    elif isinstance(expected, list | tuple) and isinstance(actual, list | tuple) and len(expected) == len(actual):
        names = [f"key {row[0]}" for row in expected] if _by_key(expected) else [f"[{n}]" for n in range(len(expected))]
        for name, one, other in zip_longest(names, expected, actual):
            yield from _differences(_inside(place, name), one, other)
    else:
        yield f"{place or 'it'}: {_short(expected)} was expected, not {_short(actual)}"


def _rows(place: str, old: Mapping[object, object], new: Mapping[object, object]) -> Iterator[str]:
    """Say which rows are not in both, and what of the others differs."""
    lost, besides = [key for key in old if key not in new], [key for key in new if key not in old]
    if lost:
        yield f"{place or 'rows'}: lost {len(lost)} of {len(old)} rows, of key {_keys(lost)}"
    if besides:
        yield f"{place or 'rows'}: {len(besides)} rows too many, of key {_keys(besides)}"
    for key in [key for key in old if key in new]:
        yield from _differences(_inside(place, f"key {key}"), old[key], new[key])


def _by_key(rows: object) -> dict[object, object] | None:
    """Give rows by their key, where it is rows."""
    if not isinstance(rows, list) or not all(isinstance(row, tuple) and row for row in rows):
        return None
    found: dict[object, object] = {row[0]: row for row in rows}
    return found if len(found) == len(rows) else None


def _inside(place: str, name: str) -> str:
    return f"{place}, {name}" if place else name


def _keys(keys: Iterable[object]) -> str:
    found = list(map(str, keys))
    return ", ".join(found[:_KEYS]) + (" …" if len(found) > _KEYS else "")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _WIDE else f"{text[:_WIDE]}…"
