r"""Rows as ``COPY … FROM STDIN`` reads them: a line each, cells apart by tabs, ``\N`` where there is nothing.

A whole column is looked at before its cells are: most hold one kind of value and nothing to escape, and then each cell
costs some 30 ns, which lets the server be the slower of the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, cast

from nubetis.types import Row, Stored

__all__ = ["copy_text"]

_NOTHING: Final = "\\N"
_ESCAPED: Final = (("\\", "\\\\"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
"""The backslash first: it begins the others."""


def copy_text(rows: Sequence[Row]) -> bytes:
    r"""Give the lines of *rows*, of which there is at least one.

    >>> copy_text([(1, "a\tb", None), (2, "ñ", b"\0")])
    b'1\ta\\tb\t\\N\n2\t\xc3\xb1\t\\\\x00\n'
    """
    columns = [_cells(column) for column in zip(*rows, strict=True)]
    return ("\n".join(map("\t".join, zip(*columns, strict=True))) + "\n").encode()


def _cells(column: Sequence[Stored]) -> Iterable[str]:
    kinds = set(map(type, column))
    if kinds == {int}:
        return map(str, column)
    if kinds <= {str, type(None)}:
        return _texts(cast("Sequence[str | None]", column))
    return [_cell(cell) for cell in column]


def _texts(column: Sequence[str | None]) -> Iterable[str]:
    joined = "".join([text for text in column if text])
    if not any(char in joined for char, _ in _ESCAPED):
        return [_NOTHING if text is None else text for text in column]
    return [_cell(text) for text in column]


def _cell(cell: Stored) -> str:
    if cell is None:
        return _NOTHING
    if isinstance(cell, bytes):
        return f"\\\\x{cell.hex()}"
    if isinstance(cell, int):
        return str(int(cell))  # a boolean is kept as a number
    for char, escaped in _ESCAPED:
        cell = cell.replace(char, escaped)
    return cell
