"""What a kind of file has to offer, and the registry that finds the right one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol

import attrs

from nubetis.data.cells import Cell
from nubetis.errors import InvalidValue

if TYPE_CHECKING:
    from nubetis.data.detect import Detected
    from nubetis.data.files.source import Source

__all__ = ["BATCH_ROWS", "Batch", "FileFormat", "FileFormats", "Hints", "Spread"]

BATCH_ROWS: Final = 4096
"""Rows of one batch: enough to be fast in columns, little enough for bounded memory."""

_ROOMY: Final = 20_000_000
_THIN: Final = 50
"""A table of more than 20 million cells must hold one cell in fifty."""


@attrs.frozen
class Batch:
    """Some rows of a file, by column.  Lists are handed over, not shared.

    *lines* gives the physical line on which each row begins; it is empty where rows have no lines.  *uneven* gives line
    and number of cells of each row that has not as many as the header.

    >>> batch = Batch(("name",), (["Ana", None],), (2, 3))
    >>> len(batch), list(batch.rows())
    (2, [('Ana',), (None,)])
    """

    columns: tuple[str, ...]
    data: tuple[Sequence[Cell], ...]
    lines: Sequence[int] = ()
    uneven: Sequence[tuple[int, int]] = ()

    def __len__(self) -> int:
        return len(self.data[0]) if self.data else len(self.lines)

    def rows(self) -> Iterator[tuple[Cell, ...]]:
        """Give the rows, in the order of the file."""
        return zip(*self.data, strict=True)


@attrs.define
class Spread:
    """How far a file has spread out: memory must grow with the file, not with rows times columns.

    >>> Spread().is_thin(rows=4096, columns=16_000, cells=4096), Spread().is_thin(rows=4096, columns=9, cells=4096)
    (True, False)
    """

    rows: int = 0
    cells: int = 0

    def is_thin(self, *, rows: int, columns: int, cells: int) -> bool:
        """Take in *rows* more, which say *cells* cells; tell whether most of the table is none."""
        self.rows += rows
        self.cells += cells
        whole = self.rows * columns
        return whole > _ROOMY and whole > self.cells * _THIN


@attrs.frozen(kw_only=True)
class Hints:
    """What the caller knows about a file; what is ``None`` is found out.

    *header* is the physical line of the column names, 0 where there are none.

    >>> Hints(delimiter=";").encoding is None
    True
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: int | None = None


class FileFormat(Protocol):
    """A kind of file.  Values of it are frozen, and know nothing of one file.

    >>> from nubetis.data.files import BUILT_IN
    >>> BUILT_IN["csv"].suffixes
    ('.csv', '.txt')
    """

    @property
    def name(self) -> str:
        """The name that a caller gives: ``csv``."""
        ...

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The suffixes of its files, in lower case with their point; the first is used for new ones."""
        ...

    def sniff(self, head: bytes) -> float:
        """Give how sure it is, 0 to 1, that a file beginning with *head* is of this kind."""
        ...

    def detect(self, source: Source, hints: Hints) -> Detected:
        """Find out how *source* is to be read; what *hints* says stands."""
        ...

    def read(self, source: Source, detected: Detected, *, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Give the file in batches of at most *rows* rows, in its order, in bounded memory.

        A later batch may have more columns than the first; it keeps their order.

        Raises:
            InvalidValue: ``bad_encoding`` or ``bad_file`` with the line; ``unreadable``.
        """
        ...

    def write(self, batches: Iterable[Batch], sink: BinaryIO) -> None:
        """Write *batches*, which have the same columns, as they come.

        Raises:
            InvalidValue: ``bad_text``; a cell holds what this kind of file cannot say.
        """
        ...


@attrs.frozen
class FileFormats:
    """The kinds of file that are known, in order; a frozen registry.

    >>> from nubetis.data.files import BUILT_IN
    >>> [kind.name for kind in BUILT_IN]
    ['csv', 'tsv', 'jsonl']
    """

    _known: tuple[FileFormat, ...] = ()

    def __iter__(self) -> Iterator[FileFormat]:
        return iter(self._known)

    def __getitem__(self, name: str) -> FileFormat:
        for kind in self._known:
            if kind.name == name:
                return kind
        raise self._unknown("a file", name)

    def extended(self, *kinds: FileFormat) -> FileFormats:
        """Give a registry that knows *kinds* as well; they come first."""
        return FileFormats((*kinds, *self._known))

    def for_suffix(self, suffix: str, *, file: str = "a file") -> FileFormat:
        """Give the kind whose files end in *suffix*.

        Raises:
            InvalidValue: ``unknown_format``.
        """
        for kind in self._known:
            if suffix in kind.suffixes:
                return kind
        raise self._unknown(file, suffix or "a file without suffix")

    def for_source(self, source: Source) -> FileFormat:
        """Give the kind of *source*: by its suffix, by its beginning where it has none.

        Raises:
            InvalidValue: ``unknown_format``.
        """
        if source.suffix:
            return self.for_suffix(source.suffix, file=source.name)
        with source.open() as stream:
            head = stream.read(4096)
        kind = max(self._known, key=lambda each: each.sniff(head))
        if kind.sniff(head) <= 0:
            raise self._unknown(source.name, "a file that begins so")
        return kind

    def _unknown(self, file: str, suffix: str) -> InvalidValue:
        known = ", ".join([kind.name for kind in self._known])
        return InvalidValue("unknown_format", file=file, suffix=suffix, known=known)
