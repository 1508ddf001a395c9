"""Where a file's bytes come from: a path, bytes in memory, an open file."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import stat
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, TypeAlias, cast

import attrs

from nubetis.data.cells import LONGEST_LINE
from nubetis.errors import InvalidValue, NotFound, StoreError, system_reason

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

__all__ = ["Origin", "Source"]

Origin: TypeAlias = str | os.PathLike[str] | bytes | IO[bytes] | IO[str]
"""What a file can be read from; text names a path."""

UNPACKED: Final = 4_000_000_000
"""Bytes that a packed file may unpack to, if it is not unpacked beforehand."""

SPOOLED: Final = 500_000_000
"""Bytes that are taken from a pipe or a device, which can be read only once."""

_GZIP: Final = b"\x1f\x8b"
_RATIO: Final = 200
_FREE: Final = 64_000_000
"""No file packs text so well that it unpacks to more than 200 times its size; a small one may."""


@attrs.frozen
class Source:
    r"""Bytes that can be read more than once; gzip is opened on the way.

    >>> source = Source.of(b"name\nAna\n")
    >>> with source.open() as stream:
    ...     stream.readline()
    b'name\n'
    """

    name: str
    _content: Path | bytes = attrs.field(repr=False)

    @classmethod
    def of(cls, origin: Origin) -> Source:
        """Give the source for a path, bytes or an open file; an open file is read to its end.

        Raises:
            NotFound: ``unreadable``; there is no such file.
            StoreError: ``unreadable``; the system does not let us.
        """
        if isinstance(origin, bytes):
            return cls("<bytes>", origin)
        if isinstance(origin, str | os.PathLike):
            path = Path(origin)
            return cls(str(origin), _spooled(path) if _flows(path) else path)
        name = str(getattr(origin, "name", "<file>"))
        with _readable(name):
            content = origin.read()
        return cls(name, content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)

    @property
    def suffix(self) -> str:
        """The file's suffix in lower case, without ``.gz``; empty where there is no name."""
        path = Path(self.name.removesuffix(".gz"))
        return "" if self.name.startswith("<") else path.suffix.lower()

    @contextmanager
    def open(self) -> Generator[BinaryIO]:
        """Open the bytes; faults of file and compression become nubetis's errors."""
        with _readable(self.name), self._raw() as raw:
            packed = raw.read(2) == _GZIP
            raw.seek(0)
            if not packed:
                yield raw
                return
            with _Unpacked(raw, self.name) as stream:
                yield cast("BinaryIO", stream)

    @contextmanager
    def lines(self, encoding: str) -> Generator[Iterator[str]]:
        """Open the text's physical lines, each with its line end.

        Raises:
            InvalidValue: ``bad_encoding`` with the byte that does not fit; ``bad_file`` for a NUL
                character or an endless line.
        """
        try:
            with self.open() as stream:
                text = io.TextIOWrapper(stream, encoding=encoding, newline="")
                yield self._checked(text)
        except UnicodeError:
            raise InvalidValue(
                "bad_encoding", file=self.name, encoding=encoding, position=self._misfit(encoding)
            ) from None

    def _raw(self) -> BinaryIO:
        if isinstance(self._content, bytes):
            return io.BytesIO(self._content)
        try:
            return self._content.open("rb")
        except ValueError:
            raise OSError("no file can have such a name") from None

    def _checked(self, text: io.TextIOWrapper) -> Iterator[str]:
        number = 0
        while line := text.readline(LONGEST_LINE):
            number += 1
            if "\0" in line:
                raise self.fault(number, "it holds a NUL character, which text never does")
            if len(line) >= LONGEST_LINE:
                raise self.fault(number, f"the line is longer than {LONGEST_LINE} characters")
            yield line

    def fault(self, line: int, reason: str) -> InvalidValue:
        """Give the error that says what is wrong at *line*."""
        return InvalidValue("bad_file", file=self.name, line=line, reason=reason)

    def _misfit(self, encoding: str) -> int:
        """Give the position of the first byte that does not fit; the text is decoded once more to find it."""
        with self.open() as stream:
            return misfit(stream, encoding)


class _Unpacked(gzip.GzipFile):
    """Unpacks what was packed in good faith."""

    def __init__(self, raw: BinaryIO, name: str) -> None:
        packed = raw.seek(0, os.SEEK_END)
        raw.seek(0)
        super().__init__(fileobj=raw)
        self._of = name
        self._most = min(UNPACKED, max(_FREE, _RATIO * packed))

    def read(self, size: int | None = -1) -> bytes:
        """Give *size* bytes, or all."""
        return self._counted(super().read(self._most + 1 if size is None or size < 0 else size))

    def read1(self, size: int = -1) -> bytes:
        """Give at most *size* bytes."""
        return self._counted(super().read1(size))

    def _counted(self, found: bytes) -> bytes:
        if self.tell() > self._most:
            reason = f"it unpacks to more than {self._most:,} bytes: unpack it yourself if you trust it"
            raise InvalidValue("unreadable", file=self._of, reason=reason)
        return found


def _flows(path: Path) -> bool:
    """Tell whether what stands at *path* can be read only once, as a pipe or a device."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False  # opening it says why
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def _spooled(path: Path) -> bytes:
    with _readable(str(path)), path.open("rb") as stream:
        found = stream.read(SPOOLED + 1)
    if len(found) > SPOOLED:
        reason = f"it is longer than {SPOOLED:,} bytes and no file: write it to one"
        raise InvalidValue("unreadable", file=str(path), reason=reason)
    return found


def misfit(stream: BinaryIO, encoding: str) -> int:
    r"""Give the position of the first byte that is not *encoding*, or -1.

    >>> misfit(io.BytesIO(b"ab\xff"), "utf-8"), misfit(io.BytesIO(b"ab"), "utf-8")
    (2, -1)
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    position = 0
    while True:
        chunk = stream.read(1 << 16)
        kept = len(decoder.getstate()[0])
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            return position - kept + error.start
        except UnicodeError:
            return 0  # UTF-16 without its mark
        if not chunk:
            return -1
        position += len(chunk)


@contextmanager
def _readable(name: str) -> Generator[None]:
    try:
        yield
    except FileNotFoundError:
        raise NotFound("unreadable", file=name, reason="there is no such file") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InvalidValue("unreadable", file=name, reason="its compression is damaged") from None
    except OSError as error:
        raise StoreError("unreadable", file=name, reason=system_reason(error)) from None
