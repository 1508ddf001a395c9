"""Detection: small cases here, the annotated files where they are there."""

from __future__ import annotations

import io
import json
from itertools import islice
from pathlib import Path

import pytest

from nubetis.data import Source, read
from nubetis.data.detect import detect_dialect, detect_encoding
from nubetis.errors import InvalidValue, NubetisError

TABLES = Path(__file__).parents[3] / "shared" / "data" / "tables"
MARKS = {"comma": ",", "semicolon": ";", "tab": "\t", "vslash": "|"}


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Muñoz, José, Ángel", "cp1252"),
        ("Muñoz, José, Ángel", "cp850"),
        ("Muñoz, José, Ángel, Béatrice", "mac_roman"),
        ("São João, Conceição", "cp1252"),
        ("Иван Петров, Москва", "cp1251"),
        ("plain", "utf-8"),
    ],
)
def test_code_pages_are_told_by_their_words(text, encoding):
    found = detect_encoding(io.BytesIO(text.encode(encoding)))
    assert (found.value, found.confidence > 0.5) == (encoding, True)


def test_a_code_page_is_never_as_sure_as_utf_8():
    assert detect_encoding(io.BytesIO("ñ".encode("cp1252"))).confidence < 1


def test_decimal_commas_do_not_hide_the_semicolon():
    assert detect_dialect(["name;amount\n", "Ana;1,5\n", "Luis;2,25\n"]).delimiter == ";"


def test_every_detection_says_why():
    found = detect_dialect(["name,city\n", "Ana,Lima\n"])
    assert [piece.what for piece in found.evidence] == ["delimiter", "header"]
    assert 0 < found.confidence <= 1


def test_single_quotes_and_backslashes_are_seen():
    lines = ["'a','b, c'\n"] * 5
    assert (detect_dialect(lines).quote, detect_dialect(['"a \\"x\\"","b"\n'] * 3).escape) == ("'", "\\")


@pytest.mark.skipif(not TABLES.is_dir(), reason="the shared example files are not there")
def test_annotated_files_are_mostly_recognised():
    known = [row for row in json.loads((TABLES / "dialects.json").read_text("utf-8")) if row[3] in MARKS]
    right = [_delimiter(TABLES / "dialects" / row[0]) == MARKS[row[3]] for row in known]
    others = [hit for hit, row in zip(right, known, strict=True) if row[3] != "comma"]
    assert (sum(right) / len(right) >= 0.97, sum(others) / len(others) >= 0.94) == (True, True)


def _delimiter(path):
    source = Source.of(path)
    with source.open() as stream:
        encoding = detect_encoding(stream).value
    try:
        with source.lines(encoding) as lines:
            return detect_dialect(list(islice(lines, 200))).delimiter
    except NubetisError:
        return None


def test_a_backslash_at_the_end_of_a_quoted_cell_escapes_nothing():
    assert detect_dialect(["a,b\r\n", '"x,\\",1\r\n', '"y\r\n', '",2\r\n']).escape is None
    assert detect_dialect(["a,b\n", '"say \\"hi\\"",1\n']).escape == "\\"


def test_utf8_that_was_cut_within_a_letter_is_not_taken_for_a_code_page():
    """Mojibake in every row would be worse than the error that names the byte."""
    content = "nombre;ciudad\nJosé;Perú\n".encode()[:-2]

    assert detect_encoding(io.BytesIO(content)).value == "utf-8"
    with pytest.raises(InvalidValue) as caught:
        read(content)
    assert (caught.value.code, caught.value.params["position"]) == ("bad_encoding", len(content) - 1)


def test_a_code_page_whose_only_letter_beyond_ascii_is_the_last_stays_one():
    assert detect_encoding(io.BytesIO("nombre\nJosé".encode("cp1252"))).value == "cp1252"
