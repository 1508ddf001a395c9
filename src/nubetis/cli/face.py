"""How answers look: JSON for programs, tables for people, progress beside them.

Rich stands behind this one door.  No text is markup, and none controls a terminal: :func:`line` makes each one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Final, Literal, cast

import attrs
from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.rule import Rule
from rich.table import Table as Grid
from rich.text import Text
from rich.tree import Tree

from nubetis.cli.texts import _, counted, json_text
from nubetis.data.show import shortened, width
from nubetis.i18n import printable
from nubetis.model.cells import base64_of
from nubetis.types import Json
from nubetis.types import Progress as Report

__all__ = ["Face", "RenderableType", "bar", "grid", "group", "heading", "line", "panel", "plain", "text_of", "tree"]

_CAPS: Final = (60, 44, 34, 26, 19)
"""How wide a cell may be; the last leaves a record id whole."""
_ROOMY: Final = 100_000
"""Room where nobody looks at the answer but a file or a pipe: no cell is cut there."""
_LEAST: Final = 28
"""Room that is left to a column of which the cells are broken into lines."""


_EXACT: Final = (1 << 53) - 1
"""The greatest whole number of which every reader of JSON keeps all digits; a greater one is text."""


def plain(value: object) -> Json:
    """Give a value as JSON says it: numbers with decimals, dates and enumerations as text, values as objects."""
    match value:
        case Enum():
            return plain(value.value)
        case None | bool() | int() | float() | str():
            return str(value) if isinstance(value, int) and abs(value) > _EXACT else value
        case Decimal() | bytes():
            return text_of(value)
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(item) for item in value]
        case _ if attrs.has(type(value)):
            return plain(attrs.asdict(cast("attrs.AttrsInstance", value), recurse=False))
        case _:
            return str(value)


def text_of(value: object) -> str:
    """Give a value on one line, for a person; an empty one is empty."""
    match value:
        case None | ():
            return ""
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case Decimal():
            return f"{value:f}"
        case bytes():
            return base64_of(value)
        case tuple() | list():
            return ", ".join(map(text_of, value))
        case _ if attrs.has(type(value)) and type(value).__str__ is object.__str__:
            return ", ".join(
                [text_of(item) for item in attrs.astuple(cast("attrs.AttrsInstance", value)) if item is not None]
            )
        case _:
            return str(value)


@attrs.frozen
class Face:
    """Where answers go."""

    json: bool = False
    out: Console = attrs.field(factory=lambda: _console(sys.stdout), repr=False)
    beside: Console = attrs.field(factory=lambda: _console(sys.stderr), repr=False)

    def answer(self, facts: Mapping[str, object], shown: Callable[[], RenderableType]) -> None:
        """Give *facts* to a program, or what *shown* makes of them to a person."""
        if self.json:
            self.out.file.write(json_text(plain(facts)) + "\n")
        else:
            wide = self.out if self.room == self.out.width else _console(self.out.file, width=self.room)
            wide.print(shown(), crop=False)

    @property
    def room(self) -> int:
        """How wide an answer may be: the terminal, what ``COLUMNS`` says, else as wide as its content."""
        return self.out.width if self.out.is_terminal or os.environ.get("COLUMNS") else _ROOMY

    def turned(self) -> Face:
        """Give the face that answers beside the standard output, where that is taken by a file."""
        return attrs.evolve(self, out=self.beside)

    def agrees(self, question: str) -> bool | None:
        """Ask a person; ``None`` where nobody is there to answer."""
        if self.json or not sys.stdin.isatty():
            return None
        self.beside.print(line(f"{question} [{_('y')}/N] "), end="")
        return sys.stdin.readline().strip().casefold() in {"y", "yes", _("y"), _("yes")}

    def note(self, message: str) -> None:
        """Say something beside the answer."""
        self.beside.print(line(message, "dim"))

    def show(self, *what: RenderableType) -> None:
        """Show something to a person; programs get the answer only."""
        if not self.json:
            for each in what:
                self.out.print(each, crop=False)

    @contextmanager
    def progress(self, title: str) -> Generator[Report]:
        """Give a function that moves a bar, drawn on a terminal only."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        hidden = self.json or not self.beside.is_terminal
        with Progress(*columns, console=self.beside, transient=True, disable=hidden) as bars:
            task = bars.add_task(title, total=None)

            def report(done: int, total: int | None) -> None:
                bars.update(task, completed=done, total=total)

            yield report


def _console(stream: object, *, width: int | None = None) -> Console:
    return Console(file=stream, width=width, markup=False, emoji=False, highlight=False)  # type: ignore[arg-type]  # a text stream


# --- pieces ----------------------------------------------------------------------------------------


def line(text: str, style: str = "", *, whole: bool = False) -> Text:
    """Give a text in which nothing is markup or a control; *whole* is never broken into lines: it is to be copied."""
    shown = printable(text, keep="\n")
    return Text(shown, style=style, no_wrap=whole or None, overflow="ignore" if whole else None)


def group(*parts: RenderableType) -> Group:
    """Give parts below each other."""
    return Group(*parts)


def heading(text: str) -> RenderableType:
    """Give the line above a part of a longer story."""
    return Padding(Rule(line(text, "bold"), align="left", style="dim"), (1, 0, 0, 0))


def tree(root: str, branches: Iterable[tuple[int, Text]]) -> RenderableType:
    """Give a tree: each branch with its depth, from 0, after the one that it grows from."""
    trunk = Tree(line(root, "bold"), guide_style="dim")
    grown = [trunk]
    for depth, text in branches:
        del grown[depth + 1 :]
        grown.append(grown[-1].add(text))
    return trunk


def panel(body: RenderableType, title: str = "") -> Panel:
    """Give a frame."""
    return Panel(body, title=line(title, "bold") if title else None, title_align="left", box=box.ROUNDED, expand=False)


def grid(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    room: int,
    title: str = "",
    right: Sequence[str] = (),
    wrap: str | Sequence[str] = "",
) -> RenderableType:
    """Give a table that fits *room*: cells are cut, those of *wrap* broken; columns that do not fit are counted.

    Where room is no matter, nothing is cut or broken.
    """
    texts, wraps = [[text_of(cell) for cell in row] for row in rows], {wrap} if isinstance(wrap, str) else {*wrap}
    least = [
        [cell[:_LEAST] if name in wraps else cell for name, cell in zip(columns, row, strict=True)] for row in texts
    ]
    caps = (room, *_CAPS) if room >= _ROOMY else _CAPS
    cap = next((cap for cap in caps if _fitting(columns, least, (room, cap)) == len(columns)), _CAPS[-1])
    fitting = _fitting(columns, least, (room, cap))
    table = _empty_grid(title)
    table.show_header = table.show_edge = any(columns)
    for name in columns[:fitting]:
        justify: Literal["left", "right"] = "right" if name in right else "left"
        overflow: Literal["fold", "ellipsis"] = "fold" if name in wraps else "ellipsis"
        table.add_column(line(name), no_wrap=name not in wraps, overflow=overflow, justify=justify)
    for row in texts:
        shown = zip(columns[:fitting], row, strict=False)
        table.add_row(*[line(cell if name in wraps else shortened(cell, cap)) for name, cell in shown])
    left = len(columns) - fitting
    return (
        Group(table, line(counted("(and {count} more column)", "(and {count} more columns)", left), "dim"))
        if left
        else table
    )


def _empty_grid(title: str) -> Grid:
    heading = line(title, "bold") if title else None
    return Grid(box=box.SIMPLE_HEAD, title=heading, title_justify="left", pad_edge=False)


def _fitting(columns: Sequence[str], rows: Sequence[Sequence[str]], limits: tuple[int, int]) -> int:
    """Give how many columns fit a room when no cell is wider than a cap; three places stand between two columns."""
    room, cap = limits
    total = 2
    for place, name in enumerate(columns):
        widest = max([width(name), *[width(row[place]) for row in rows]])
        total += min(widest, cap) + (3 if place else 0)
        if total > room and place:
            return place
    return len(columns)


def bar(value: float, *, of: float, size: int = 24) -> str:
    """Give a bar of text.

    >>> bar(1, of=2, size=4)
    '██'
    """
    return "█" * max(1 if value else 0, round(size * value / of)) if of else ""
