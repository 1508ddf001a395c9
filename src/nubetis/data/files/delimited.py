"""Text with delimiters: comma, semicolon, tab, bar.

Cells stay the text they are: no number is converted and no leading zero lost.  An empty cell and a missing
one look the same in such a file; both are read as ``None``.

What is written is read back as it was, without a word on how it was written.  So a cell is quoted wherever it could
be taken for several, and column names that look like data are set apart by a blank line.  A row is at most 8,000,000
characters long and has at most 16,384 cells, when it is written as when it is read.
"""

from __future__ import annotations

import codecs
import csv
import re
from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, BinaryIO, Final

import attrs

from nubetis.data.cells import LONGEST_LINE, Cell, unique_names
from nubetis.data.detect import (
    Detected,
    Evidence,
    csv_reader,
    detect_dialect,
    detect_encoding,
    looks_like_text,
    reads_as_names,
)
from nubetis.data.files.format import BATCH_ROWS, Batch, Hints, Spread
from nubetis.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nubetis.data.files.source import Source

__all__ = ["Delimited", "find_encoding"]

_LOOKED_AT: Final = 300
_SAMPLE: Final = 1_000_000
_MOST_CELLS: Final = 16_384
"""Cells of one row, as spreadsheets have at most; more are not a table, and would not fit in bounded memory."""
_END: Final = "\0end"
"""Stands after the last line; only an open quote swallows it, since no line of a file may hold a NUL."""


@attrs.frozen
class Delimited:
    r"""Files with delimiters; *delimiters* are those it looks for, and the first is written, in *encoding*.

    >>> from nubetis.data.files.source import Source
    >>> source = Source.of(b"name;zip\nAna;00123\n")
    >>> [batch] = CSV.read(source, CSV.detect(source, Hints()))
    >>> batch.columns, list(batch.rows()), batch.lines
    (('name', 'zip'), [('Ana', '00123')], [2])
    """

    name: str
    suffixes: tuple[str, ...]
    delimiters: str = ",;\t|"
    encoding: str = "utf-8"

    def as_read(self, detected: Detected) -> Delimited:
        """Give the kind that writes as a file was found to be written: its delimiter, its encoding and mark.

        >>> CSV.as_read(Detected(encoding="cp1252", delimiter=";")).delimiters[0]
        ';'
        """
        rest = self.delimiters.replace(detected.delimiter, "")
        return attrs.evolve(self, delimiters=detected.delimiter + rest, encoding=detected.encoding)

    def sniff(self, head: bytes) -> float:
        """Any text may be one."""
        return 0.5 if self.delimiters[0] == "," and looks_like_text(head) else 0.0

    def detect(self, source: Source, hints: Hints) -> Detected:
        """Find encoding, delimiter, quote and header from the beginning of *source*."""
        encoding = find_encoding(source, hints)
        with source.lines(encoding.value) as lines:
            sample = list(_sample(lines))
        found = detect_dialect(sample, delimiters=_delimiter(hints) or self.delimiters)
        header = found.header if hints.header is None else hints.header
        return attrs.evolve(found, encoding=encoding.value, header=header, evidence=(encoding, *found.evidence))

    def read(self, source: Source, detected: Detected, *, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Give the rows below the header, in batches; blank lines are left out."""
        with source.lines(detected.encoding) as lines:
            found = _rows(lines, source, detected)
            header, width = _header(found, detected)
            part = list(islice(found, rows))
            named = len(header)
            if header and not part:
                yield Batch(header, tuple([[] for _ in header]))
            spread = Spread()
            while part:
                header = _widened(header, part)
                cells = sum([len(row) for _, row in part])
                if spread.is_thin(rows=len(part), columns=len(header), cells=cells):
                    raise source.fault(part[0][0], "nearly all of its cells are empty: this is no table")
                yield attrs.evolve(_batch(header, part), uneven=_uneven(part, (named, width)))
                part = list(islice(found, rows))

    def write(self, batches: Iterable[Batch], sink: BinaryIO) -> None:
        """Write a header and *batches*, lines ending as RFC 4180 says."""
        mark = self.delimiters[0]
        encoder = codecs.getincrementalencoder(self.encoding)()
        columns: tuple[str, ...] | None = None
        for batch in batches:
            if columns is None:
                columns = batch.columns
                sink.write(_encoded(encoder, _head(columns, mark)))
            sink.writelines(_encoded(encoder, _line(row, mark)) for row in batch.rows())


def find_encoding(source: Source, hints: Hints) -> Evidence:
    """Give the encoding of *source* with the evidence for it.

    Raises:
        InvalidValue: ``bad_argument``; there is no encoding of the name given.
    """
    if hints.encoding is None:
        with source.open() as stream:
            return detect_encoding(stream)
    try:
        "".encode(hints.encoding)  # codecs that are no encodings of text, such as base64, are refused here
        return Evidence("encoding", codecs.lookup(hints.encoding).name, 1.0, "it was given")
    except (LookupError, ValueError):
        raise InvalidValue(
            "bad_argument", argument="encoding", reason=f"there is no encoding {hints.encoding[:40]}"
        ) from None


def _delimiter(hints: Hints) -> str | None:
    if hints.delimiter is not None and (len(hints.delimiter) != 1 or hints.delimiter in '"\r\n\0'):
        raise InvalidValue("bad_argument", argument="delimiter", reason="it must be one character, no quote")
    return hints.delimiter


# --- reading ---------------------------------------------------------------------------------------


def _sample(lines: Iterable[str]) -> Iterator[str]:
    """Give the beginning of a file, which ends in no quoted cell unless that is very long."""
    quotes = size = 0
    for number, line in enumerate(lines, 1):
        yield line
        quotes += line.count('"')
        size += len(line)
        whole = quotes % 2 == 0 or size > _SAMPLE
        if size > LONGEST_LINE or (number >= _LOOKED_AT and whole):
            return


@attrs.define
class _Measured:
    """Lines of which no row takes too many characters: a quote that never ends must not fill the memory."""

    lines: Iterable[str]
    source: Source
    start: int = 1
    size: int = 0

    def __iter__(self) -> Iterator[str]:
        for line in self.lines:
            self.size += len(line)
            if self.size > LONGEST_LINE:
                raise self.source.fault(
                    self.start, f"the row that begins here is longer than {LONGEST_LINE:,} characters"
                )
            yield line

    def begin(self, line: int) -> None:
        """Begin a row at *line*."""
        self.start, self.size = line, 0


def _rows(lines: Iterator[str], source: Source, detected: Detected) -> Iterator[tuple[int, list[str]]]:
    """Give line and cells of each row that is not blank; the line is where the row begins."""
    measured = _Measured(chain(lines, [_END]), source)
    reader = csv_reader(measured, delimiter=detected.delimiter, quote=detected.quote, escape=detected.escape)
    try:
        for row in reader:
            if row and row[-1].endswith(_END):
                _check_end(row, source.fault(measured.start, "a quoted cell begins here and never ends"))
            elif row:
                _check_width(row, source, measured.start)
                yield measured.start, row
            measured.begin(reader.line_num + 1)
    except csv.Error as error:
        raise source.fault(measured.start, f"the row that begins here cannot be read ({error})") from None


def _check_end(row: Sequence[str], fault: InvalidValue) -> None:
    if row != [_END]:
        raise fault


def _check_width(row: Sequence[str], source: Source, line: int) -> None:
    if len(row) > _MOST_CELLS:
        raise source.fault(line, "the row that begins here has more than 16,384 cells")


def _header(rows: Iterator[tuple[int, list[str]]], detected: Detected) -> tuple[tuple[str, ...], int]:
    """Give the column names and leave *rows* at the first row of data; what stands above them is skipped.

    Blank names at the end are columns only where a cell below them says something: a delimiter that ends each line
    parts no columns.  So the number of the header's cells is given as well.
    """
    if not detected.header:
        return (), 0
    for line, row in rows:
        if line >= detected.header:
            return unique_names(row)[: _said(row) or len(row)], len(row)
    return (), 0


def _said(row: Sequence[str]) -> int:
    """Give how many cells *row* has up to the last that says something."""
    return next((place for place in range(len(row), 0, -1) if row[place - 1] and not row[place - 1].isspace()), 0)


def _widened(header: tuple[str, ...], rows: Sequence[tuple[int, list[str]]]) -> tuple[str, ...]:
    """Give names for all cells: a row that is longer than the header loses none."""
    wide = max([_said(row) for _, row in rows]) if header else max([len(row) for _, row in rows])
    return header if wide <= len(header) else unique_names([*header, *[""] * (wide - len(header))])


def _uneven(rows: Sequence[tuple[int, list[str]]], header: tuple[int, int]) -> list[tuple[int, int]]:
    """Give line and cells of the rows that are shorter than the header's names, or say something beyond its cells."""
    named, width = header
    return [(line, len(row)) for line, row in rows if width and (len(row) < named or any(row[width:]))]


def _batch(header: tuple[str, ...], rows: Sequence[tuple[int, list[str]]]) -> Batch:
    columns = list(zip_longest(*[row for _, row in rows], fillvalue=""))[: len(header)]
    data: list[Sequence[Cell]] = [[cell or None for cell in column] for column in columns]
    data += [[None] * len(rows) for _ in range(len(header) - len(data))]
    return Batch(header, tuple(data), [line for line, _ in rows])


# --- writing ---------------------------------------------------------------------------------------


def _encoded(encoder: codecs.IncrementalEncoder, text: str) -> bytes:
    try:
        return encoder.encode(text)
    except UnicodeEncodeError as error:
        char = ord(text[error.start])
        what = "half a surrogate pair" if 0xD800 <= char < 0xE000 else f"U+{char:04X}"
        raise InvalidValue("bad_text", field="A cell", what=what) from None


def _head(columns: Sequence[str], mark: str) -> str:
    """Give the line of the names; a blank one stands below it where they would be taken for data."""
    if len(columns) > _MOST_CELLS:
        raise InvalidValue("bad_argument", argument="columns", reason="such a file has at most 16,384 of them")
    names = unique_names(columns)  # one that is blank would be no column if nothing stands below it
    return _line(names, mark) + ("" if not names or reads_as_names(names) else "\r\n")


def _line(row: Sequence[Cell], mark: str) -> str:
    text = mark.join([_quoted(cell) if cell and _UNSURE.search(cell) else cell or "" for cell in row])
    if not text and len(row) == 1:
        text = '""'  # an empty line would be no row
    if len(text) + 2 >= LONGEST_LINE:
        raise InvalidValue("too_long", field="A row", limit=LONGEST_LINE, length=len(text))
    return f"{text}\r\n"


def _quoted(cell: str) -> str:
    if "\0" in cell:
        raise InvalidValue("bad_text", field="A cell", what="U+0000")
    return '"' + cell.replace('"', '""') + '"'


_UNSURE: Final = re.compile("^'|[,;\t|\"\r\n\0\ufeff]")
"""What a cell holds that is quoted: some delimiter, a quote or a line end, or a mark of the encoding."""

CSV: Final = Delimited("csv", (".csv", ".txt"))
TSV: Final = Delimited("tsv", (".tsv", ".tab"), delimiters="\t")
