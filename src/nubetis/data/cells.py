"""What a cell of a table may hold: text, or nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, TypeAlias

from nubetis.model.cells import base64_of
from nubetis.model.formats import ISO

__all__ = ["LONGEST_LINE", "Cell", "Columns", "text_of", "unique_names"]

Cell: TypeAlias = str | None
"""A cell is text, exactly as the file had it, or ``None`` where there is nothing."""

Columns: TypeAlias = Mapping[str, Sequence[Cell]]
"""Cells by column name; all columns are of one length."""


LONGEST_LINE: Final = 8_000_000
"""Characters of one line of a file, and of one row; a longer one is no text, and would not fit in bounded memory."""


def text_of(value: object) -> Cell:
    """Give *value* as the text of a cell, without a locale.

    >>> text_of(Decimal("1.50")), text_of(True), text_of(date(2026, 1, 31)), text_of(None), text_of([1])
    ('1.50', 'true', '2026-01-31', None, '[1]')
    """
    match value:
        case None | str():
            return value
        case bool():
            return ISO.show_boolean(value)
        case Decimal() if value.is_finite():
            return ISO.show_number(value)
        case datetime() | date() | time():
            return value.isoformat()
        case bytes():
            return base64_of(value)
        case Mapping() | list() | tuple():
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=text_of)
        case _:
            return str(value)


def unique_names(names: Iterable[Cell]) -> tuple[str, ...]:
    """Give *names* so that none is blank and none stands twice.

    >>> unique_names(["name", "", "name"])
    ('name', 'column_2', 'name_2')
    """
    given = [name if name and not name.isspace() else f"column_{place}" for place, name in enumerate(names, 1)]
    taken = set(given)
    numbers: dict[str, int] = {}
    found: list[str] = []
    for name in given:
        fresh = name if name not in numbers else _fresh(name, taken, numbers)
        numbers.setdefault(fresh, 2)
        taken.add(fresh)
        found.append(fresh)
    return tuple(found)


def _fresh(name: str, taken: set[str], numbers: dict[str, int]) -> str:
    """Give *name* with the first number that is free; *numbers* says where to look."""
    number = numbers[name]
    while f"{name}_{number}" in taken:
        number += 1
    numbers[name] = number
    return f"{name}_{number}"
