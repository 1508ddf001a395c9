"""What a text file is: its encoding, its delimiter, where its header stands; each with evidence.

Encoding: a byte order mark says it; bytes that are UTF-8 to the last one are UTF-8, because other text is
so by accident almost never; else code pages are tried and the one in which the letters beyond ASCII make
words wins.  Delimiter: each candidate splits the beginning of the file; rows of one width, with cells that
look like values, win.  Nothing is guessed silently: see :attr:`Detected.evidence`.
"""

from __future__ import annotations

import codecs
import csv
import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, BinaryIO, Final, TypeAlias

import attrs

from nubetis.data.cells import LONGEST_LINE

if TYPE_CHECKING:
    import _csv
    from collections.abc import Iterable, Sequence

    _Found: TypeAlias = Sequence[tuple[int, list[str]]]

__all__ = ["Detected", "Evidence", "csv_reader", "detect_dialect", "detect_encoding", "reads_as_names"]

_CHUNK: Final = 1 << 16
_SAMPLE: Final = 1 << 17
_ROWS: Final = 200

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CODE_PAGES: Final = {
    "cp1252": 0.3,
    "cp1250": 0.0,
    "cp850": 0.0,
    "mac_roman": 0.0,
    "cp1251": 0.0,
    "shift_jis": 0.0,
}
"""Code page → what it has in advance: most files that are not UTF-8 are Windows' Western ones."""
_LETTERS: Final = frozenset("áéíóúüñàèìòùâêîôûãõçäöëïåæøßÁÉÍÓÚÜÑÀÈÌÒÙÂÊÎÔÛÃÕÇÄÖËÏÅÆØ")
_SIGNS: Final = frozenset("“”\u2018’–—…€ºª°·¿¡«»£§©®\u00a0")
_VALUE: Final = re.compile(
    r"\s*(|[-+]?[$€£]?[\d.,]+\s?%?|[\d/.:\-T+Z ]+|[^@\s]+@[^@\s]+|https?://\S+|[^,;\t|\"]{1,80})\s*"
)
_LIKE_DATA: Final = re.compile(r"\s*([-+]?[\d.,:/\- ]*\d[\d.,:/\- ]*|[^@\s]+@[^@\s]+\.\w+|https?://\S+)\s*")


@attrs.frozen
class Evidence:
    """One thing found out about a file.

    >>> str(Evidence("encoding", "utf-8", 1.0, "every byte fits"))
    'encoding: utf-8 (100 %, every byte fits)'
    """

    what: str
    value: str
    confidence: float
    because: str

    def __str__(self) -> str:
        return f"{self.what}: {self.value} ({self.confidence:.0%}, {self.because})".replace("%", " %", 1)


@attrs.frozen(kw_only=True)
class Detected:
    """How a text file is to be read, and why.

    *header* is the physical line of the column names, or 0 where the file has none.

    >>> Detected(encoding="utf-8", delimiter=";").confidence
    1.0
    """

    encoding: str
    delimiter: str = ","
    quote: str = '"'
    escape: str | None = None
    header: int = 1
    evidence: tuple[Evidence, ...] = ()

    @property
    def confidence(self) -> float:
        """The confidence of the weakest evidence."""
        return min([piece.confidence for piece in self.evidence], default=1.0)


# --- encoding --------------------------------------------------------------------------------------


def detect_encoding(stream: BinaryIO) -> Evidence:
    """Find the encoding of the text in *stream*, which is read to its end in bounded memory.

    >>> import io
    >>> detect_encoding(io.BytesIO("Muñoz, Iñaki".encode("cp1252"))).value
    'cp1252'
    """
    head = stream.read(_SAMPLE)
    for mark, name in _MARKS:
        if head.startswith(mark):
            return Evidence("encoding", name, 1.0, "the file begins with its mark")
    if b"\0" in head:
        return _wide(head)
    odd = _first_odd_chunk(head, stream)
    if odd is None:
        return Evidence("encoding", "utf-8", 1.0, "every byte fits")
    return _code_page(head + odd)


def looks_like_text(head: bytes) -> bool:
    r"""Tell whether a file that begins so may be text; a stray control character does not speak against it.

    >>> looks_like_text(b"name,city"), looks_like_text("né".encode("utf-16")), looks_like_text(b"PNG\0\0\1")
    (True, True, False)
    """
    if any(head.startswith(mark) for mark, _ in _MARKS) or _wide(head).confidence > 0.5:
        return True
    controls = sum([byte < 32 and byte not in b"\t\n\r\f\x1b" for byte in head])
    return controls * 10 <= len(head)


def _wide(head: bytes) -> Evidence:
    """Tell UTF-16 without its mark by the place of its zero bytes."""
    for name, zeros, rest in (("utf-16-le", head[1::2], head[::2]), ("utf-16-be", head[::2], head[1::2])):
        if zeros.count(0) > len(zeros) * 0.3 and rest.count(0) < len(rest) * 0.02:
            return Evidence("encoding", name, 0.9, "every other byte is zero")
    return Evidence("encoding", "utf-8", 0.1, "it holds zero bytes, as no text does")


def _first_odd_chunk(head: bytes, stream: BinaryIO) -> bytes | None:
    """Give the first chunk that is not UTF-8, empty where *head* is it; ``None`` where there is none.

    A file that is UTF-8 with letters beyond ASCII up to its last one, which breaks off, was cut: it is UTF-8 still,
    and reading it says where it ends.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    chunk, beyond = head, False
    while True:
        try:
            beyond = not decoder.decode(chunk, final=not chunk).isascii() or beyond
        except UnicodeDecodeError:
            cut = not chunk and beyond
            return None if cut else chunk if chunk is not head else b""
        if not chunk:
            return None
        chunk = stream.read(_CHUNK)


def _code_page(sample: bytes) -> Evidence:
    found = [
        (score_text(text) + ahead, name)
        for name, ahead in _CODE_PAGES.items()
        if (text := _decoded(sample, name)) is not None
    ]
    found.sort(key=lambda pair: -pair[0])
    if not found or found[0][0] <= 0:
        return Evidence("encoding", "latin-1", 0.2, "no code page makes words of its letters")
    best, name = found[0]
    lead = best - (found[1][0] if len(found) > 1 else 0)
    return Evidence("encoding", name, min(0.95, 0.5 + lead / 4), "its letters make words")


def _decoded(sample: bytes, encoding: str) -> str | None:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeDecodeError:
        return None


def score_text(text: str) -> float:
    """Give how well the characters beyond ASCII fit where they stand: about 2 for good text, else below 0.

    >>> score_text("Muñoz") > 1 > 0 > score_text("Mu±oz")
    True
    """
    scores = [
        _score_char(text[place - 1 : place], text[place], text[place + 1 : place + 2])
        for place in range(len(text))
        if text[place] > "\x7f"
    ]
    return sum(scores) / len(scores) if scores else 0.0


def _score_char(before: str, char: str, after: str) -> float:
    inside = before.isalpha() and after.isalpha()
    if char in _LETTERS:
        return _score_accented(before, char, after)
    if char in _SIGNS:
        return -2.0 if inside and char != "’" else 0.3
    if char.isalpha():
        return _score_script(before + after, char)
    return -4.0 if unicodedata.category(char) in {"Cc", "So"} else -2.0


def _score_accented(before: str, char: str, after: str) -> float:
    """Accented letters stand among plain ones, in their case; rows of them are another script."""
    if before.islower() and char.isupper():
        return -2.0
    if any(letter.isalpha() and letter.isascii() for letter in before + after):
        return 2.0
    return 0.0 if before.isalpha() or after.isalpha() else 0.5


def _score_script(beside: str, char: str) -> float:
    """Letters of one script stand together; letters of the West beyond the common ones are rare."""
    if char < "\u0250" or any(letter.isalpha() and letter.isascii() for letter in beside):
        return -1.5
    jump = beside[:1].islower() and char.isupper()
    return -1.0 if jump else 1.2 if any(letter > "\u0250" for letter in beside) else 0.0


# --- dialect ---------------------------------------------------------------------------------------


def detect_dialect(lines: Sequence[str], *, delimiters: str = ",;\t|") -> Detected:
    r"""Find delimiter, quote and header in the first *lines* of a file.

    >>> detect_dialect(["nombre;ciudad\n", "Ana;Lima, Perú\n"]).delimiter
    ';'
    """
    strict = _strict(lines, delimiters)
    quote = '"' if strict else _quote(lines, delimiters)
    escape = None if strict else _escape(lines, quote)
    read = {mark: _rows(lines, mark, quote, escape) for mark in strict or delimiters}
    scored = sorted([(-_score_rows(_filled(rows)), place, mark) for place, (mark, rows) in enumerate(read.items())])
    lead = scored[1][0] - scored[0][0] if len(scored) > 1 else 1.0
    mark = scored[0][2]
    header, because, sure = _header(read[mark])
    return Detected(
        encoding="utf-8",
        delimiter=mark,
        quote=quote,
        escape=escape,
        header=header,
        evidence=(
            Evidence("delimiter", repr(mark), min(1.0, 0.5 + lead), "its rows are of one width"),
            Evidence("header", f"line {header}" if header else "none", sure, because),
        ),
    )


def _strict(lines: Iterable[str], delimiters: str) -> list[str]:
    """Give the delimiters by which every double quote opens or closes a whole cell or is doubled inside of one.

    None, where there is no double quote: then nothing was proved.
    """
    text = "".join(lines)
    return [mark for mark in delimiters if '"' in text and _strictly(mark).fullmatch(text)]


def _strictly(delimiter: str) -> re.Pattern[str]:
    edge = rf"{re.escape(delimiter)}\r\n"
    cell = rf'(?:"(?:[^"]++|"")*+(?:"|\Z)|[^"{edge}]*+)'
    return re.compile(rf"{cell}(?:[{edge}]{cell})*+")


def _quote(lines: Iterable[str], delimiters: str) -> str:
    """Tell which mark stands in pairs round whole cells; double quotes unless the others do so far more often."""
    edge = re.escape(delimiters) + "\r\n"
    text = "\n" + "\n".join(lines)
    double, single = [len(re.findall(f"(?<=[{edge}]){mark}[^{mark}{edge}]+{mark}(?=[{edge}])", text)) for mark in "\"'"]
    return "'" if single > 2 * double and single > 3 else '"'


def _escape(lines: Iterable[str], quote: str) -> str | None:
    """Tell whether a backslash escapes quotes.

    Where quotes are doubled, one after a backslash either ends its cell or is the first of two; only one with
    something else behind it, or a quote left over, says that it is escaped.
    """
    text = "".join(lines)
    escaped, doubled = text.count("\\" + quote), text.count(quote * 2)
    inside = re.search(rf"\\{quote}[^,;\t|\r\n{quote}]", text)
    said = inside is not None or text.count(quote) % 2 == 1
    return "\\" if escaped > doubled and said else None


def _rows(lines: Iterable[str], delimiter: str, quote: str, escape: str | None) -> _Found:
    """Give line and cells of the rows; those of a blank line are none."""
    reader = csv_reader(lines, delimiter=delimiter, quote=quote, escape=escape)
    rows: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for row in reader:
            rows.append((start, row))
            start = reader.line_num + 1
    except csv.Error:
        pass  # what was read so far speaks; the reader itself reports it
    return rows


def csv_reader(lines: Iterable[str], *, delimiter: str, quote: str, escape: str | None) -> _csv.Reader:
    """Give the standard library's reader, for cells as long as a row may be.

    Its limit belongs to the whole process: it is raised where it is lower, and never lowered, so that no other reader
    refuses what it took before.
    """
    if csv.field_size_limit() < LONGEST_LINE:
        csv.field_size_limit(LONGEST_LINE)
    return csv.reader(lines, delimiter=delimiter, quotechar=quote, escapechar=escape)


def _filled(rows: _Found) -> _Found:
    return [(line, row) for line, row in rows if any(row)]


def _score_rows(rows: _Found) -> float:
    if not rows:
        return 0.0
    widths = Counter([len(row) for _, row in rows])
    wide, count = max(widths.items(), key=lambda pair: (pair[1] * (pair[0] > 1), pair[0]))
    if wide < 2:
        return 0.0
    cells = [cell for _, row in rows if len(row) == wide for cell in row]
    typed = sum([_VALUE.fullmatch(cell[:200]) is not None for cell in cells]) / len(cells)
    return count / len(rows) * typed * (1 - 0.4 / wide)


def _header(found: _Found) -> tuple[int, str, float]:
    """Find the line of the column names: the first row of the common width, unless it looks like data."""
    rows = _filled(found)
    if not rows:
        return 1, "the file is empty", 0.5
    if _set_apart(found):
        return 1, "a blank line sets it apart", 0.9
    wide = max(Counter([len(row) for _, row in rows]).items(), key=lambda pair: (pair[1], pair[0]))[0]
    line, row = next((each for each in rows if _is_full(each[1], wide)), rows[0])
    if not _all_names(row) and len(rows) > 1:
        return 0, "the first row holds numbers, dates or addresses", 0.7
    return line, "the first full row holds names", 0.9 if line == 1 else 0.7


def _set_apart(found: _Found) -> bool:
    """Tell whether one blank line stands between the first row and the others, none of which is wider."""
    head, blank, body = [row for _, row in found[:3]] if len(found) > 2 else ([], [""], [])
    return not blank and 0 < len(body) <= len(head) and (_is_full(head, len(head)) or head == [""])


def reads_as_names(row: Sequence[str]) -> bool:
    """Tell whether *row*, above others of its width, is taken for the names of the columns.

    >>> reads_as_names(["name", "city"]), reads_as_names(["2025", "2026"])
    (True, False)
    """
    return _is_full(row, len(row)) and _all_names(row)


def _is_full(row: Sequence[str], wide: int) -> bool:
    return sum([cell != "" for cell in row]) * 2 >= wide


def _all_names(row: Sequence[str]) -> bool:
    data = sum([_LIKE_DATA.fullmatch(cell) is not None for cell in row])
    return data * 3 < len(row) and not any("@" in cell or "://" in cell for cell in row)
