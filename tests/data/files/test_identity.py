"""What is written as CSV or TSV is read back as it was, whatever the texts: nobody has to say how it was written."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nubetis import Table
from nubetis.data import read
from nubetis.data.cells import unique_names
from nubetis.errors import InvalidValue

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
HOSTILE = st.text(st.sampled_from("\"',;\t|\\\r\n a1=.@-:/ñ\ufeff\u2028\x85\x1f"), max_size=8)
NUMBER = st.sampled_from(["2024", "1.5", "1,5", "2026-01-31", "a@x.pe", "https://x.pe", "10:30", "-1"])
LIST = st.lists(st.sampled_from(["'a'", '"b"', "c", "\\'", '\\"', "1"]), min_size=4, max_size=9)
JOINED = st.builds(lambda parts, mark: mark.join(["", *parts, ""]), LIST, st.sampled_from(",;\t|\n"))
CELLS = TEXT | HOSTILE | NUMBER | JOINED


@st.composite
def tables(draw):
    names = draw(st.lists(CELLS, min_size=1, max_size=4, unique=True))
    height = draw(st.integers(0, 6))
    return Table({name: draw(st.lists(st.none() | CELLS, min_size=height, max_size=height)) for name in names})


def expected(table):
    """Give what the file says of *table*: an empty cell is none, and a column without a name is counted."""
    cells = [[cell or None for cell in column] for column in table.to_dict().values()]
    return Table(dict(zip(unique_names(table.columns), cells, strict=True)))


def again(table, kind):
    sink = io.BytesIO()
    table.write(sink, file_format=kind)
    return read(sink.getvalue(), file_format=kind)


@pytest.mark.parametrize("kind", ["csv", "tsv"])
@given(table=tables())
@example(table=Table({"a": ["x;y", "z;w"]}))
@example(table=Table({"2024": ["1"], "2025": ["2"]}))
@example(table=Table({"2024": ["1", None], "2025": [None, None]}))
@example(table=Table({"a": ["'x'", "'y'", "'z'", "'w'"]}))
@example(table=Table({"a": ["x\\", "y\\"], "b": ["z\\", "\n"]}))
@example(table=Table({"\ufeffa": ["1"]}))
@example(table=Table({"": ["1"], "column_1": ["2"]}))
@example(table=Table({"": ["1"], " ": ["2"], "c": ["3"]}))
@example(table=Table({"a": [None, "x"]}))
@example(table=Table({"1,5": ["2,5"]}))
@example(table=Table({"a": ["1"] * 400, "b": ["\n" * 400] + ["2"] * 399}))
@example(table=Table({"\n" * 400 + "1": ["1", "2"], "2": ['"', ";"]}))
@example(table=Table({"a": ["x" * 200_000, "\n" * 200_000, '"' * 200_000], "b": ["1", "2", "3"]}))
@example(table=Table({f"{n}": ["1"] for n in range(2000)}))
def test_a_table_is_read_as_it_was_written(table, kind):
    assert again(table, kind) == expected(table)


@given(tables().filter(len))
def test_the_standard_library_reads_the_same(table):
    sink = io.BytesIO()
    table.write(sink)
    found = list(csv.reader(io.StringIO(sink.getvalue().decode(), newline="")))
    rows = [row for row in found if row]

    assert rows == [list(unique_names(table.columns)), *[[cell or "" for cell in row] for row in table]]


def test_headings_that_are_names_stand_right_above_their_cells():
    sink = io.BytesIO()
    Table({"nombre": ["Ana", "Luis Paz"], "nota": ["x;y", None]}).write(sink)

    assert sink.getvalue() == b'nombre,nota\r\nAna,"x;y"\r\nLuis Paz,\r\n'


@pytest.mark.parametrize(
    ("table", "code"),
    [
        (Table({"a": ["x\0y"]}), "bad_text"),
        (Table({"a\0": ["x"]}), "bad_text"),
        (Table({"a": ["\ud800"]}), "bad_text"),
        (Table({"a": ["x" * 8_000_000]}), "too_long"),
        (Table({"a": ["x" * 5_000_000], "b": ["y" * 5_000_000]}), "too_long"),
        (Table({f"c{n}": ["1"] for n in range(16_385)}), "bad_argument"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(table, code, tmp_path):
    with pytest.raises(InvalidValue) as caught:
        table.write(tmp_path / "a.csv")

    assert caught.value.code == code
    assert list(tmp_path.iterdir()) == []


def test_the_longest_row_is_read_back():
    table = Table({"a": ["x" * 3_999_000], "b": ["\n" * 3_999_000]})

    assert again(table, "csv") == table
    with pytest.raises(InvalidValue, match=r"line 2: .*longer than 8,000,000 characters"):
        read(b'a,b\n"' + b"x\n" * 4_000_000 + b'",1\n')
