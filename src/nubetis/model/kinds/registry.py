"""The built-in field types by name."""

from __future__ import annotations

from typing import Final

from nubetis.errors import InvalidValue
from nubetis.model.fields import FieldType
from nubetis.model.kinds import amounts, choices, files, links, numbers, structured, texts, times

__all__ = ["BUILT_IN", "kind"]

_AREAS: Final = (texts, numbers, amounts, times, choices, links, structured, files)

BUILT_IN: Final[dict[str, FieldType]] = {each.name: each for area in _AREAS for each in area.TYPES}
"""The built-in field types by name."""


def kind(name: str) -> FieldType:
    """Give the built-in field type *name*.

    Raises:
        InvalidValue: ``unknown_field_type``.

    >>> kind("money").name
    'money'
    """
    if name not in BUILT_IN:
        raise InvalidValue("unknown_field_type", type=name, hint=f"Known: {', '.join(BUILT_IN)}.")
    return BUILT_IN[name]
