"""Rows of a plan: in memory while they are few, in a temporary file beyond that.

A plan of a million records must not need a gigabyte.  Rows are written in blocks, as JSON, and read back block by
block; whoever looks at them sees a sequence and cannot tell, unless there is no room for the file (``no_temporary``).
The file goes with the last reference to the rows.
"""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import IO, BinaryIO, Final, Protocol, cast, overload

from nubetis.errors import StoreError, system_reason
from nubetis.model.cells import bytes_of, json_of
from nubetis.types import Row

__all__ = ["IN_MEMORY", "Spool", "room", "scratch"]

IN_MEMORY: Final = 50_000
"""Rows that stay in memory."""

_BLOCK: Final = 1000


@contextmanager
def room() -> Generator[None]:
    """Give a block that works in the folder for temporary files.

    Raises:
        StoreError: ``no_temporary``.
    """
    try:
        yield
    except OSError as error:
        raise StoreError("no_temporary", reason=system_reason(error)) from None


@contextmanager
def scratch(in_memory: int) -> Generator[BinaryIO]:
    """Give a file that is a file beyond so many bytes, and is gone at the end.

    What works with it does so in :func:`room`.
    """
    file = tempfile.SpooledTemporaryFile(in_memory)  # noqa: SIM115 - to close it may fail
    try:
        yield cast("BinaryIO", file)
    finally:
        _close(file)


class _Closing(Protocol):
    def close(self) -> None: ...


def _close(file: _Closing) -> None:
    with suppress(OSError):  # what could not be written before cannot be now
        file.close()


class Spool(Sequence[Row]):
    """A sequence of rows that is added to at its end.

    >>> rows = Spool([(1, "a"), (2, "b")])
    >>> rows[1], len(rows)
    ((2, 'b'), 2)
    """

    def __init__(self, rows: Iterable[Row] = (), *, in_memory: int = IN_MEMORY) -> None:
        self._tail: list[Row] = []
        self._limit = in_memory
        self._file: IO[str] | None = None
        self._offsets: list[int] = []
        self.extend(rows)

    def append(self, row: Row) -> None:
        """Add one row."""
        self._tail.append(row)
        if len(self._tail) > self._limit or (self._file is not None and len(self._tail) >= _BLOCK):
            self._spill()

    def extend(self, rows: Iterable[Row]) -> None:
        """Add rows."""
        source = iter(rows)
        while block := list(islice(source, _BLOCK)):
            self._tail += block
            if self._file is not None or len(self._tail) > self._limit:
                self._spill()

    def _spill(self) -> None:
        """Write all full blocks to the file; where that fails, the rows are as they were."""
        with room():
            if self._file is None:
                self._file = tempfile.TemporaryFile("w+", encoding="utf-8")  # noqa: SIM115 - closed by the finalizer
                weakref.finalize(self, _close, self._file)
            whole = len(self._tail) - len(self._tail) % _BLOCK
            offsets = [self._write(start) for start in range(0, whole, _BLOCK)]
            self._file.flush()
        self._offsets += offsets
        self._tail = self._tail[whole:]

    def _write(self, start: int) -> int:
        """Write the block of the tail that begins at *start* to the end of the file; give where it lies."""
        file = cast("IO[str]", self._file)
        offset = file.seek(0, 2)
        block = self._tail[start : start + _BLOCK]
        file.write(json.dumps(block, default=json_of, separators=(",", ":")) + "\n")
        return offset

    def _block(self, number: int) -> list[Row]:
        if self._file is None or number >= len(self._offsets):
            start = (number - len(self._offsets)) * _BLOCK
            return self._tail[start : start + _BLOCK]
        with room():
            self._file.seek(self._offsets[number])
            line = self._file.readline()
        return [tuple(row) for row in json.loads(line, object_hook=bytes_of)]

    @property
    def spilled(self) -> bool:
        """Say whether some rows are in a file."""
        return self._file is not None

    def __len__(self) -> int:
        return len(self._offsets) * _BLOCK + len(self._tail)

    def __iter__(self) -> Iterator[Row]:
        for number in range(len(self._offsets)):
            yield from self._block(number)
        yield from self._tail

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            return self._between(start, stop)[::step] if step > 0 else [self[at] for at in range(start, stop, step)]
        at = range(len(self))[index]
        return self._block(at // _BLOCK)[at % _BLOCK]

    def _between(self, start: int, stop: int) -> list[Row]:
        if not self._offsets:
            return self._tail[start:stop]
        found: list[Row] = []
        for number in range(start // _BLOCK, -(-stop // _BLOCK)):
            block = self._block(number)
            first = number * _BLOCK
            found += block[max(start - first, 0) : max(stop - first, 0)]
        return found
