"""How tables, matches and reports look: as aligned text in a terminal, as HTML in a notebook."""

from __future__ import annotations

import html
import unicodedata
from typing import TYPE_CHECKING, Final

from nubetis.i18n import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nubetis.data.cells import Cell

__all__ = ["html_table", "shortened", "text_table"]

_CELL: Final = 28
_LINE: Final = 118
_STYLE: Final = "text-align:left;white-space:pre-wrap;vertical-align:top"


def shortened(text: str, limit: int = _CELL) -> str:
    r"""Give *text* on one line, cut with … to *limit* columns of a terminal.

    >>> shortened("a long line\nof text", 8)
    'a long …'
    """
    line = printable(text)
    if width(line) <= limit:
        return line
    room = limit - 1
    kept: list[str] = []
    for char in line:
        room -= width(char)
        if room < 0:
            break
        kept.append(char)
    return "".join(kept) + "…"


def width(text: str) -> int:
    """Give how many columns of a terminal *text* takes.

    >>> width("ana"), width("東京"), width("e\u0301")
    (3, 4, 1)
    """
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(char) in "WF" for char in text)
    return len(text) + wide - sum(unicodedata.combining(char) > 0 for char in text)


def text_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Give rows as text, columns aligned and cut to a terminal's width.

    >>> print(text_table(["name", "city"], [["Ana", "Lima"], ["José", None]]))
    name  city
    ----  ----
    Ana   Lima
    José
    """
    body = [[shortened(cell or "") for cell in row] for row in rows]
    head = [shortened(name) for name in columns]
    widths = [max([width(cell) for cell in cells]) for cells in zip(head, *body, strict=True)]
    fitting = _fitting(widths)
    rule = ["-" * wide for wide in widths]
    lines = [_line(line[:fitting], widths) for line in (head, rule, *body)]
    left = len(head) - fitting
    return "\n".join(lines if not left else [*lines, f"(and {left} more columns)"])


def _fitting(widths: Sequence[int]) -> int:
    total = 0
    for count, wide in enumerate(widths):
        total += wide + 2
        if total > _LINE and count:
            return count
    return len(widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join([cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=False)]).rstrip()


def html_table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, caption: str = "") -> str:
    """Give rows as an HTML table; every text is escaped.

    >>> html_table(["a"], [["<b>"]]).count("&lt;b&gt;")
    1
    """
    head = "".join([f'<th style="{_STYLE}">{html.escape(name)}</th>' for name in columns])
    body = "".join([f"<tr>{''.join([_html_cell(cell) for cell in row])}</tr>" for row in rows])
    title = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _html_cell(cell: Cell) -> str:
    return f'<td style="{_STYLE}">{html.escape(shortened(cell, 200))}</td>' if cell else "<td></td>"
