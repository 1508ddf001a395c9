"""CSV beside the standard library's: what one writes the other reads, in every dialect."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import Table
from nubetis.data import read

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
HOSTILE = TEXT | st.text(st.sampled_from("\"',;\t|\\\r\n a1=ñ\ufeff\u2028"), max_size=6)
WORD = st.text(st.sampled_from("abñé \n\"'"), min_size=1, max_size=8).map(lambda text: f"x{text}y")


def rows(cell, *, least=1, wide=3):
    return st.lists(st.tuples(*[cell] * wide), min_size=least, max_size=6)


def written(lines, **dialect):
    target = io.StringIO(newline="")
    csv.writer(target, **dialect).writerows(lines)
    return target.getvalue()


def filled(lines):
    """Give *lines* as they are read: an empty cell is none, and what holds nothing at all is no row."""
    return [tuple([cell or None for cell in line]) for line in lines]


@given(rows(HOSTILE))
def test_what_is_written_the_csv_module_reads(lines):
    sink = io.BytesIO()
    Table(dict(zip("abc", map(list, zip(*lines, strict=True)), strict=True))).write(sink)
    found = list(csv.reader(io.StringIO(sink.getvalue().decode(), newline="")))

    assert found == [["a", "b", "c"], *map(list, lines)]


@pytest.mark.parametrize("delimiter", ",;\t|")
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@given(lines=rows(HOSTILE))
def test_what_the_csv_module_writes_is_read(lines, delimiter, end):
    text = written([("a", "b", "c"), *lines], delimiter=delimiter, lineterminator=end, quoting=csv.QUOTE_ALL)
    table = read(text.encode(), encoding="utf-8", delimiter=delimiter, header=1, file_format="csv")

    assert (table.columns, list(table)) == (("a", "b", "c"), filled(lines))


@given(rows(WORD, least=3), st.sampled_from(",;\t|"), st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
def test_delimiter_header_and_encoding_are_found(lines, delimiter, encoding):
    text = written([("nombre", "ciudad", "nota"), *lines], delimiter=delimiter)
    table = read(text.encode(encoding), file_format="csv")

    assert table.detected is not None
    assert (table.detected.delimiter, table.detected.header) == (delimiter, 1)
    assert (table.columns, list(table)) == (("nombre", "ciudad", "nota"), lines)


@given(rows(HOSTILE))
def test_each_row_knows_the_line_on_which_it_begins(lines):
    text = written([("a", "b", "c"), *lines], lineterminator="\n", quoting=csv.QUOTE_ALL)
    table = read(text.encode(), encoding="utf-8", delimiter=",", header=1, file_format="csv")
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = [reader.line_num + 1 for _ in iter(lambda: next(reader, None), None)][:-1]

    assert list(table.lines) == [2, *begins[1:]][: len(lines)]
