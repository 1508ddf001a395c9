"""Rows that were refused: what is wrong with each, and a file of them to be mended and loaded again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.data.cells import Cell, unique_names
from nubetis.data.files import BUILT_IN
from nubetis.data.files.delimited import Delimited
from nubetis.data.files.target import target_suffix
from nubetis.data.table import Table
from nubetis.errors import InvalidValue, NubetisError
from nubetis.i18n import render
from nubetis.model.plan import Plan, Refusal

if TYPE_CHECKING:
    import os

    from nubetis.data.detect import Detected

__all__ = ["Rejected", "rejected_rows", "told_apart", "write_rejected"]

_PROBLEMS: Final = ("line", "field", "code", "reason")


@attrs.frozen(kw_only=True)
class Rejected:
    """One fault of one row: where it is, what is wrong, and the row as it was."""

    line: int
    refusal: Refusal
    cells: Mapping[str, Cell] = attrs.field(repr=False)

    @property
    def field(self) -> str | None:
        """The field that refuses, where it is one."""
        return self.refusal.field

    @property
    def code(self) -> str:
        """The stable code of what is wrong."""
        return self.refusal.code

    @property
    def reason(self) -> str:
        """What is wrong, in English."""
        return self.said("en")

    def said(self, language: str) -> str:
        """Give what is wrong in a language."""
        return render(NubetisError(self.refusal.code, **self.refusal.params), language)


def write_rejected(
    rejected: Iterable[Rejected],
    target: str | os.PathLike[str],
    *,
    columns: Sequence[str],
    language: str = "en",
    detected: Detected | None = None,
) -> None:
    """Write rejected rows, in their *columns*, with line, field, code and reason: mend them and load them again.

    A row with several faults is written once, with all of them, a semicolon between.
    A CSV file is written as *detected* says that the file
    of the rows is; in UTF-8 with its mark where that encoding lacks a letter of the reasons.

    Raises:
        InvalidValue: ``unknown_format``.
        StoreError: ``unwritable``.
    """
    faults: dict[int, list[Rejected]] = {}
    for each in rejected:
        faults.setdefault(each.line, []).append(each)
    rows = [faults[line] for line in sorted(faults)]
    own = told_apart(columns)[0]
    names = unique_names([*own, *_PROBLEMS])[len(own) :]
    cells = {column: [row[0].cells[column] for row in rows] for column in own}
    problems = zip(*[(str(row[0].line), *_problems(row, language)) for row in rows], strict=True)
    found: list[Sequence[Cell]] = [*problems] if rows else [[] for _ in names]
    _write_as(Table({**cells, **dict(zip(names, found, strict=True))}), Path(target), detected)


def _problems(row: Sequence[Rejected], language: str) -> list[str | None]:
    """Give fields, codes and reasons of one row's faults."""
    told = [(each.field or "", each.code, each.said(language)) for each in row]
    return ["; ".join(texts) or None for texts in zip(*told, strict=True)]


def _write_as(table: Table, path: Path, detected: Detected | None) -> None:
    kind = BUILT_IN.for_suffix(target_suffix(path), file=str(path))
    if detected is None or not isinstance(kind, Delimited) or kind.name != "csv":
        table.write(path, file_format=kind)
        return
    try:
        table.write(path, file_format=kind.as_read(detected))
    except InvalidValue as error:
        if error.code != "bad_text" or detected.encoding.startswith("utf"):
            raise
        table.write(path, file_format=kind.as_read(attrs.evolve(detected, encoding="utf-8-sig")))


def rejected_rows(plan: Plan, table: Table) -> tuple[Rejected, ...]:
    """Give the rows of *table* that a plan of :func:`~nubetis.data.load.plan_load` refuses, with each fault."""
    places = {line: place for place, line in enumerate(table.lines or range(1, len(table) + 1))}
    columns = {name: table[name] for name in table.columns}
    return tuple([_rejected(columns, places[each.line], each) for each in plan.refusals if each.line is not None])


def _rejected(columns: Mapping[str, Sequence[Cell]], place: int, refusal: Refusal) -> Rejected:
    assert refusal.line is not None  # noqa: S101 - asked before
    return Rejected(line=refusal.line, refusal=refusal, cells={name: column[place] for name, column in columns.items()})


def told_apart(columns: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Tell the columns of a file from those that an earlier report of refused rows put behind them."""
    first = len(columns) - len(_PROBLEMS)
    numbered = [
        re.fullmatch(rf"{name}(_\d+)?", column) for name, column in zip(_PROBLEMS, columns[first:], strict=False)
    ]
    said = first > 0 and all(numbered)
    return (columns[:first], columns[first:]) if said else (columns, ())
