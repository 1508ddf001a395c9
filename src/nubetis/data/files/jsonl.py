"""JSON Lines: one object a line.

A text is the text; a number is kept as it was written (``1.50`` stays ``1.50``, nineteen digits stay
nineteen); ``true`` and ``false`` become those words; what is nested becomes its JSON.  ``null`` and ``""``
stay apart.
"""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

import attrs

from nubetis.data.cells import Cell, text_of
from nubetis.data.detect import Detected
from nubetis.data.files.delimited import find_encoding
from nubetis.data.files.format import BATCH_ROWS, Batch, Hints, Spread
from nubetis.errors import InvalidValue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nubetis.data.files.source import Source

    _Numbered: TypeAlias = tuple[int, dict[str, Cell]]

__all__ = ["JsonLines"]

_MOST_KEYS: Final = 1500


class _Number(str):
    """A number as it was written."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(parse_float=_Number, parse_int=_Number, parse_constant=_Number)


@attrs.frozen
class JsonLines:
    """Files with one JSON object a line; keys are columns, in the order in which they first come.

    >>> from nubetis.data.files.source import Source
    >>> source = Source.of(b'{"name": "Ana", "score": 1.50}')
    >>> [batch] = JSONL.read(source, JSONL.detect(source, Hints()))
    >>> batch.columns, list(batch.rows())
    (('name', 'score'), [('Ana', '1.50')])
    """

    name: str = "jsonl"
    suffixes: tuple[str, ...] = (".jsonl", ".ndjson")

    def sniff(self, head: bytes) -> float:
        """Surely one, if the first line begins with an object."""
        return 0.9 if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b'{"') else 0.0

    def detect(self, source: Source, hints: Hints) -> Detected:
        """Find the encoding; there is nothing else to find."""
        encoding = find_encoding(source, hints)
        return Detected(encoding=encoding.value, header=0, evidence=(encoding,))

    def read(self, source: Source, detected: Detected, *, rows: int = BATCH_ROWS) -> Iterator[Batch]:
        """Give the objects in batches; blank lines are left out, keys that an object lacks are ``None``."""
        columns: tuple[str, ...] = ()
        with source.lines(detected.encoding) as lines:
            found = _bounded(_objects(lines, source), source)
            spread = Spread()
            while part := list(islice(found, rows)):
                columns = tuple(dict.fromkeys([*columns, *[key for _, item in part for key in item]]))
                cells = sum([len(item) for _, item in part])
                if spread.is_thin(rows=len(part), columns=len(columns), cells=cells):
                    raise source.fault(part[0][0], "nearly all of its cells are empty: this is no table")
                data = tuple([[item.get(name) for _, item in part] for name in columns])
                yield Batch(columns, data, [line for line, _ in part])

    def write(self, batches: Iterable[Batch], sink: BinaryIO) -> None:
        """Write one object a row, as UTF-8."""
        for batch in batches:
            if len(batch.columns) > _MOST_KEYS:
                raise InvalidValue("bad_argument", argument="columns", reason="such a file has at most 1,500 of them")
            sink.writelines(_line(dict(zip(batch.columns, row, strict=True))) for row in batch.rows())


def _bounded(found: Iterable[_Numbered], source: Source) -> Iterator[_Numbered]:
    """Give the objects as long as they have not too many keys together: keys without end are no columns."""
    keys: set[str] = set()
    for line, item in found:
        keys.update(item)
        if len(keys) > _MOST_KEYS:
            raise source.fault(line, "the objects up to here have more than 1,500 keys: this is no table")
        yield line, item


def _objects(lines: Iterable[str], source: Source) -> Iterator[_Numbered]:
    for number, line in enumerate(lines, 1):
        if line.isspace():
            continue
        try:
            found = _DECODER.decode(line.strip())
            cells = {key: _cell(value) for key, value in found.items()} if isinstance(found, dict) else None
        except (json.JSONDecodeError, RecursionError) as error:
            raise source.fault(number, f"this is not JSON ({_reason(error)})") from None
        if cells is None:
            raise source.fault(number, "this is JSON, but not an object")
        if "\\u" in line and not _is_text(cells):
            raise source.fault(number, "it holds a character that no text may hold")
        yield number, cells


def _reason(error: Exception) -> str:
    return f"{error.msg}, character {error.colno}" if isinstance(error, json.JSONDecodeError) else "too deep"


def _cell(value: object) -> Cell:
    return str(value) if isinstance(value, str) else text_of(_plain(value))


def _is_text(cells: dict[str, Cell]) -> bool:
    """An escape may bring in what the file itself cannot hold: NUL, and half a surrogate pair."""
    whole = "".join([part for pair in cells.items() for part in pair if part])
    return "\0" not in whole and not any("\ud800" <= char <= "\udfff" for char in whole)


def _plain(value: object) -> object:
    """Give nested numbers back to JSON; those that floats would change stay text."""
    if isinstance(value, _Number):
        number = json.loads(value) if len(value) < 40 else None
        return number if repr(number) == value else str(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def _line(found: dict[str, Cell]) -> bytes:
    text = json.dumps(found, ensure_ascii=False)
    if "\\u0000" in text and any("\0" in part for pair in found.items() for part in pair if part):
        raise InvalidValue("bad_text", field="A cell", what="U+0000")
    try:
        return f"{text}\n".encode()
    except UnicodeEncodeError:
        raise InvalidValue("bad_text", field="A cell", what="half a surrogate pair") from None


JSONL: Final = JsonLines()
