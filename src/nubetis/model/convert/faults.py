"""What is wrong with a piece of JSON, and where: the readers of the pieces that everything else is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

from cattrs.errors import AttributeValidationNote, BaseValidationError, ForbiddenExtraKeysError

from nubetis.errors import InvalidValue, NubetisError

__all__ = ["FAULTS", "Object", "array_of", "bad", "located", "object_of", "only", "text_of"]

Object: TypeAlias = Mapping[str, object]
FAULTS: Final = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)


def bad(path: str, reason: str) -> InvalidValue:
    """Give the fault of what stands at *path*."""
    return InvalidValue("bad_argument", argument=path, reason=reason)


def located(error: BaseException, path: str) -> NubetisError:
    """Give the first fault in *error*, with the path that leads to it."""
    while isinstance(error, BaseValidationError):
        error = error.exceptions[0]
        path += "".join([_step(note) for note in getattr(error, "__notes__", ())])
    if isinstance(error, ForbiddenExtraKeysError):
        return bad(path, f"unknown key {min(map(str, error.extra_fields))[:60]}")
    if isinstance(error, KeyError) and not isinstance(error, NubetisError):
        return bad(path, "it is missing")
    if not isinstance(error, NubetisError):
        return bad(path, "this value cannot be read")
    if error.code != "bad_argument":
        return error if path == "$" else bad(path, str(error).rstrip("."))
    inner = str(error.params["argument"])
    return bad(path + inner[1:] if inner.startswith("$") else path, str(error.params["reason"]))


def _step(note: object) -> str:
    return f".{note.name}" if isinstance(note, AttributeValidationNote) else ""


def object_of(data: object, path: str) -> Object:
    """Give *data* if it is an object."""
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise bad(path, "give an object")
    return data


def array_of(data: object, path: str) -> list[object]:
    """Give *data* if it is a list."""
    if not isinstance(data, list | tuple):
        raise bad(path, "give a list")
    return list(data)


def text_of(data: object, path: str = "$") -> str:
    """Give *data* if it is a text."""
    if not isinstance(data, str):
        raise bad(path, "give a text")
    return data


def only(shape: Object, path: str, known: Iterable[str]) -> None:
    """Refuse an object with other keys than those *known*."""
    for key in shape.keys() - frozenset(known):
        raise bad(path, f"unknown key {key[:60]}")
