"""A table: named columns of text in memory, for notebooks, scripts and small jobs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, BinaryIO, TypeAlias, TypeGuard, cast

import attrs

from nubetis.data.cells import Cell, text_of
from nubetis.data.clean import DEFAULT, Recipe, Report, clean_columns, steps_of
from nubetis.data.dedupe.find import column_digest, find_duplicates
from nubetis.data.dedupe.fuse import fuse
from nubetis.data.dedupe.matches import Matches
from nubetis.data.detect import Detected
from nubetis.data.files import BATCH_ROWS, BUILT_IN, Batch, FileFormat, Hints, Origin, Source
from nubetis.data.files.target import replacing, target_suffix
from nubetis.data.show import html_table, text_table
from nubetis.errors import InvalidValue, NotFound, misused, names_of, require, require_count
from nubetis.model.formats import ISO, Formats

__all__ = ["Rows", "Table", "read"]

Rows: TypeAlias = Iterable[Mapping[str, object]]
"""Rows as mappings of column to value."""

_SHOWN = 10
_ROWS = "rows as values by column"


def _columns(given: Mapping[str, Sequence[object]]) -> dict[str, list[Cell]]:
    require(given, Mapping, argument="columns", expected="columns by name (rows go to Table.from_dicts)")
    found = {name: [cell if type(cell) is str else text_of(cell) for cell in cells] for name, cells in given.items()}
    if len({len(cells) for cells in found.values()}) > 1:
        raise InvalidValue("bad_argument", argument="columns", reason="they are not of one length")
    return found


@attrs.frozen(repr=False, eq=False)
class Table:
    """Named columns of one length.  A cell is text or ``None``; other values are written as ISO text.

    A table is never changed: each method gives a new one.

    >>> table = Table({"name": ["Ana", "Luis"], "zip": ["00123", None]})
    >>> table
    name  zip
    ----  -----
    Ana   00123
    Luis
    >>> len(table), table["zip"], list(table)
    (2, ['00123', None], [('Ana', '00123'), ('Luis', None)])
    """

    _cells: dict[str, list[Cell]] = attrs.field(converter=_columns)
    detected: Detected | None = attrs.field(default=None, kw_only=True)
    """How the file was read, with evidence; ``None`` where there was no file."""
    cleaned: Report = attrs.field(default=Report(), kw_only=True)
    """What :meth:`clean` changed."""
    lines: Sequence[int] = attrs.field(default=(), kw_only=True)
    """The physical line of each row in its file; empty where rows have none."""
    uneven: Sequence[tuple[int, int]] = attrs.field(default=(), kw_only=True)
    """Line and number of cells of each row of the file that has not as many as the header."""
    formats: Formats = attrs.field(default=ISO, kw_only=True)
    """How values are shown and read."""

    @classmethod
    def from_dicts(cls, rows: Rows) -> Table:
        """Give the table of *rows*; columns stand in the order in which they first come.

        >>> Table.from_dicts([{"name": "Ana"}, {"city": "Lima"}]).to_dict()
        {'name': ['Ana', None], 'city': [None, 'Lima']}
        """
        require(rows, Iterable, argument="rows", expected=_ROWS)
        kept = list(rows)
        for row in kept:
            require(row, Mapping, argument="rows", expected=_ROWS)
        names = dict.fromkeys([name for row in kept for name in row])
        return cls({name: [row.get(name) for row in kept] for name in names})

    @classmethod
    def from_batches(cls, batches: Iterable[Batch], *, detected: Detected | None = None) -> Table:
        """Give the table of *batches*; a column that comes late is empty above."""
        found: dict[str, list[Cell]] = {}
        lines: list[int] = []
        uneven: list[tuple[int, int]] = []
        height = 0
        for batch in batches:
            _extend(found, batch, height)
            height += len(batch)
            lines += batch.lines
            uneven += batch.uneven
        return cls(found, detected=detected, lines=lines, uneven=uneven)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(self._cells)

    def __len__(self) -> int:
        return len(next(iter(self._cells.values()), ()))

    def __getitem__(self, column: str) -> list[Cell]:
        """Give a copy of one column.

        Raises:
            NotFound: ``unknown_column``.
        """
        return list(self._column(column))

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return zip(*self._cells.values(), strict=True)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return self.columns == other.columns and self._cells == other._cells

    __hash__ = None  # type: ignore[assignment]  # it holds lists, and is not meant as a key

    def _column(self, name: str) -> list[Cell]:
        try:
            return self._cells[name]
        except KeyError:
            raise NotFound("unknown_column", column=name, known=", ".join(self.columns)) from None

    # --- parts -------------------------------------------------------------------------------------

    def to_dict(self) -> dict[str, list[Cell]]:
        """Give the cells by column, as lists of their own."""
        return {name: list(cells) for name, cells in self._cells.items()}

    def to_dicts(self) -> Iterator[dict[str, Cell]]:
        """Give each row as a dict, in their order.

        >>> list(Table({"name": ["Ana"]}).to_dicts())
        [{'name': 'Ana'}]
        """
        return (dict(zip(self._cells, row, strict=True)) for row in self)

    def head(self, rows: int = 5) -> Table:
        """Give the first *rows* rows."""
        return self.take(range(min(rows, len(self))))

    def take(self, rows: Iterable[int]) -> Table:
        """Give the rows at these places, in this order.

        >>> Table({"name": ["Ana", "Luis"]}).take([1, 0])["name"]
        ['Luis', 'Ana']
        """
        places = list(rows)
        lines = [self.lines[place] for place in places] if self.lines else ()
        cells = {name: [column[place] for place in places] for name, column in self._cells.items()}
        kept = set(lines)
        uneven = [each for each in self.uneven if each[0] in kept] if self.uneven else ()
        return attrs.evolve(self, cells=cells, lines=lines, uneven=uneven)

    def select(self, *columns: str) -> Table:
        """Give these columns only, in this order.

        >>> Table({"id": ["1"], "name": ["Ana"]}).select("name").columns
        ('name',)
        """
        wanted = names_of(columns, argument="columns")
        return attrs.evolve(self, cells={name: self._column(name) for name in wanted})

    def without(self, *columns: str) -> Table:
        """Give all columns but these; one that is not there is no error.

        >>> Table({"id": ["1"], "name": ["Ana"]}).without("id").columns
        ('name',)
        """
        return self.select(*[name for name in self.columns if name not in columns])

    def rename(self, names: Mapping[str, str]) -> Table:
        """Give the table with other names for its columns: ``{"Correo": "email"}``.

        Raises:
            InvalidValue: ``name_taken``; two columns would be of one name.
        """
        for name in names:
            self._column(name)
        renamed = [names.get(name, name) for name in self.columns]
        if len(set(renamed)) < len(renamed):
            twice = next(name for name in renamed if renamed.count(name) > 1)
            raise InvalidValue("name_taken", what="column", name=twice)
        return attrs.evolve(self, cells=dict(zip(renamed, self._cells.values(), strict=True)))

    def batches(self, *, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Give the rows in batches; a table without rows gives one empty batch."""
        for start in range(0, max(1, len(self)), rows):
            data = tuple([cells[start : start + rows] for cells in self._cells.values()])
            yield Batch(self.columns, data, self.lines[start : start + rows])

    # --- work --------------------------------------------------------------------------------------

    def clean(self, recipe: Recipe = DEFAULT) -> Table:
        """Give the table cleaned; its :attr:`cleaned` says what was changed.

        >>> table = Table({"Apellidos": [" NÚÑEZ DEL PRADO "]}).clean()
        >>> table["Apellidos"], table.cleaned.cells
        (['Núñez del Prado'], 2)
        """
        steps = steps_of(recipe)
        cells, report = clean_columns(self._cells, recipe=steps)
        return attrs.evolve(self, cells=cells, cleaned=report)

    def duplicates(self, *, seed: int = 1) -> Matches:
        """Find the rows that mean the same person or company, without labels.

        Leave out columns that say where a row came from (:meth:`without`).  The result does not depend on the
        order of the rows.

        >>> table = Table({"name": ["Ana Ríos", "Luis Paz", "Ana Rios"], "email": ["a@x.pe", "l@y.pe", "a@x.pe"]})
        >>> table.duplicates().clusters(above=0.9)
        ((0, 2),)
        """
        require_count(seed, argument="seed")
        return find_duplicates(self._cells, seed=seed)

    def merged(self, matches: Matches, *, above: float = 0.95) -> Table:
        """Give the table with one row for each cluster, where its first row stood.

        The fullest row of a cluster is kept, its empty cells filled from the others.

        Raises:
            InvalidValue: ``bad_argument``; *matches* are those of another table, or of this one before a column
                that was searched was changed, such as by :meth:`clean`.

        >>> table = Table({"name": ["Ana Ríos", "Ana Rios"], "email": ["a@x.pe", "a@x.pe"], "city": [None, "Lima"]})
        >>> table.merged(table.duplicates(), above=0.9)["city"]
        ['Lima']
        """
        require(matches, Matches, argument="matches", expected="what duplicates() gave")
        if matches.rows != len(self) or not matches.searched <= set(map(column_digest, self._cells.values())):
            raise InvalidValue("bad_argument", argument="matches", reason="they are those of another table")
        cells = fuse(self._cells, matches.clusters(above=above), rows=len(self))
        return attrs.evolve(self, cells=cells, lines=())

    def write(self, target: str | os.PathLike[str] | IO[bytes], *, file_format: str | FileFormat | None = None) -> None:
        """Write the table to a path or an open binary file; a path is replaced whole or not at all.

        The suffix says the kind of file; ``.gz`` after it packs.

        Raises:
            InvalidValue: ``unknown_format``; ``bad_text``, a cell cannot be written.
            StoreError: ``unwritable``.
        """
        if not isinstance(target, str | os.PathLike):
            _kind(file_format or "csv").write(self.batches(), cast("BinaryIO", target))
            return
        path = Path(target)
        kind = _kind(file_format) if file_format else BUILT_IN.for_suffix(target_suffix(path), file=str(path))
        with replacing(path) as sink:
            kind.write(self.batches(), sink)

    # --- faces -------------------------------------------------------------------------------------

    def __repr__(self) -> str:
        text = text_table(self.columns, self.head(_SHOWN))
        more = len(self) - _SHOWN
        return f"{text}\n(and {more} more rows)" if more > 0 else text

    def _repr_html_(self) -> str:
        return html_table(self.columns, self.head(_SHOWN), caption=f"{len(self)} rows × {len(self.columns)} columns")


def read(
    source: Origin | Rows,
    *,
    file_format: str | FileFormat | None = None,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: int | None = None,
) -> Table:
    r"""Read a table: from a path, bytes, an open file, or rows as mappings.

    What is not given is found out, and :attr:`Table.detected` says what was found and why.  Cells stay the text
    they are in the file.

    Args:
        source: Text is a path; for text itself give ``text.encode()``.
        file_format: ``csv``, ``tsv``, ``jsonl``, or a kind of file of your own.
        encoding: Such as ``utf-8`` or ``cp1252``.
        delimiter: One character.
        header: The line of the column names; 0 where there are none.

    Raises:
        NotFound: ``unreadable``; there is no such file.
        InvalidValue: ``bad_encoding``, ``bad_file``, ``unknown_format``; the file is not what it must be.
        StoreError: ``unreadable``; the system does not let us.

    >>> read(b"nombre;zip\nAna;00123\n")["zip"]
    ['00123']
    """
    _require_source(source)
    if _is_rows(source):
        return Table.from_dicts(source)
    opened = Source.of(cast("Origin", source))
    kind = _kind(file_format) if file_format else BUILT_IN.for_source(opened)
    detected = kind.detect(opened, Hints(encoding=encoding, delimiter=delimiter, header=header))
    return Table.from_batches(kind.read(opened, detected), detected=detected)


def _require_source(given: object) -> None:
    if not (isinstance(given, str | os.PathLike | Iterable) or hasattr(given, "read")):
        raise misused("source", "a path, bytes, an open file or rows", given)
    if isinstance(given, Mapping):
        raise misused("source", "a path, bytes, an open file or rows (columns by name go to Table)", given)


def _is_rows(source: Origin | Rows) -> TypeGuard[Rows]:
    return not isinstance(source, str | bytes | os.PathLike) and not hasattr(source, "read")


def _kind(given: str | FileFormat) -> FileFormat:
    return BUILT_IN[given] if isinstance(given, str) else given


def _extend(found: dict[str, list[Cell]], batch: Batch, height: int) -> None:
    for name, cells in zip(batch.columns, batch.data, strict=True):
        found.setdefault(name, [None] * height).extend(cells)
    for column in found.values():
        column.extend([None] * (height + len(batch) - len(column)))
