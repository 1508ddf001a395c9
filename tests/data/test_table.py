"""Tables: parts, faces, reading and writing."""

from __future__ import annotations

import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.data import BUILT_IN, Batch, Detected, Source, Table, read
from nubetis.errors import InvalidValue, NotFound, StoreError

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
HOSTILE = st.sampled_from(
    [
        "=1+1",
        '"',
        '""',
        "a\nb",
        "a\r\nb",
        "\r",
        ";",
        "\t",
        "|",
        "'",
        "\\",
        '\\"',
        " x ",
        "007",
        "\ufeff",
        "\u2028",
        "NULL",
    ]
)
FILLED = (TEXT | HOSTILE).filter(bool)
NAMES = st.lists(FILLED.filter(lambda name: not name.isspace()), min_size=1, max_size=4, unique=True)


@st.composite
def tables(draw, cells):
    names = draw(NAMES)
    height = draw(st.integers(0, 6))
    return Table({name: draw(st.lists(cells, min_size=height, max_size=height)) for name in names})


def _has_rows(table):
    return all(any(row) for row in table)


def _round_trip(table, kind, **known):
    """Read what was written as it was written: detection may take hostile text for another dialect."""
    sink = io.BytesIO()
    table.write(sink, file_format=kind)
    return Table.from_batches(BUILT_IN[kind].read(Source.of(sink.getvalue()), Detected(encoding="utf-8", **known)))


@given(tables(st.none() | FILLED).filter(_has_rows))
def test_csv_is_read_as_it_was_written(table):
    assert _round_trip(table, "csv") == table


@given(tables(st.none() | FILLED).filter(_has_rows))
def test_tsv_is_read_as_it_was_written(table):
    assert _round_trip(table, "tsv", delimiter="\t") == table


@given(tables(st.none() | TEXT | HOSTILE).filter(len))
def test_jsonl_is_read_as_it_was_written_and_tells_nothing_from_empty(table):
    assert _round_trip(table, "jsonl") == table


@given(tables(st.none() | TEXT | HOSTILE))
def test_a_table_is_the_table_of_its_batches(table):
    assert Table.from_batches(table.batches(rows=2)) == table


@given(tables(st.none() | TEXT | HOSTILE))
def test_a_table_is_the_table_of_its_dicts(table):
    assert (Table.from_dicts(table.to_dicts()) == table) is (len(table) > 0)


@given(tables(st.none() | TEXT | HOSTILE))
def test_every_table_has_both_faces(table):
    assert "<table>" in table._repr_html_()
    assert all(line.isprintable() for line in repr(table).split("\n"))


def test_html_is_escaped():
    assert "<script>" not in Table({"<script>": ["<script>"]})._repr_html_()


def test_long_tables_say_how_much_is_not_shown():
    assert repr(Table({"n": range(30)})).endswith("(and 20 more rows)")
    assert "more columns)" in repr(Table({f"column number {n}": ["x" * 40] for n in range(9)}))


def test_values_become_iso_text():
    assert Table({"a": [1, 2.5, True, None, ["x"]]})["a"] == ["1", "2.5", "true", None, '["x"]']


def test_columns_are_of_one_length():
    with pytest.raises(InvalidValue) as caught:
        Table({"a": ["1"], "b": []})
    assert caught.value.code == "bad_argument"


def test_an_unknown_column_is_named_with_those_that_are_there():
    with pytest.raises(NotFound, match=r"There is no column b\. Columns: a\."):
        Table({"a": []})["b"]


def test_columns_are_selected_left_out_and_renamed():
    table = Table({"a": ["1"], "b": ["2"], "c": ["3"]})
    assert table.select("c", "a").columns == ("c", "a")
    assert table.without("a", "zz").columns == ("b", "c")
    assert table.rename({"a": "x"}).columns == ("x", "b", "c")
    with pytest.raises(InvalidValue, match="already a column"):
        table.rename({"a": "b"})


def test_rows_are_taken_with_their_lines():
    table = read(b"a\n1\n2\n3\n", header=1)
    assert (table.take([2, 0])["a"], table.take([2, 0]).lines) == (["3", "1"], [4, 2])
    assert table.head(2)["a"] == ["1", "2"]


def test_a_table_is_not_a_key():
    with pytest.raises(TypeError):
        hash(Table({}))
    assert Table({}) != "table"


def test_late_columns_are_empty_above():
    batches = [Batch(("a",), (["1"],)), Batch(("a", "b"), (["2"], ["3"]))]
    assert Table.from_batches(batches).to_dict() == {"a": ["1", "2"], "b": [None, "3"]}


def test_the_design_runs(tmp_path):
    source, target = tmp_path / "contactos.csv", tmp_path / "limpio.csv"
    source.write_text("nombre;correo\nANA RÍOS; Ana@X.pe\nana rios;ana@x.pe\nLuis Paz;l@y.pe\n", encoding="cp1252")
    table = read(source).clean()
    matches = table.duplicates(seed=1)
    table.merged(matches, above=0.9).write(target)
    assert read(target).to_dict() == {"nombre": ["Ana Ríos", "Luis Paz"], "correo": ["ana@x.pe", "l@y.pe"]}


def test_matches_of_another_table_are_refused():
    with pytest.raises(InvalidValue, match="another table"):
        Table({"a": ["1"]}).merged(Table({"a": []}).duplicates())


def test_gzip_is_written_the_same_each_time_and_read(tmp_path):
    one, two = tmp_path / "a.csv.gz", tmp_path / "b.csv.gz"
    table = Table({"name": ["Ana"], "city": ["Lima"]})
    table.write(one)
    table.write(two)
    assert one.read_bytes() == two.read_bytes()
    assert gzip.decompress(one.read_bytes()) == b"name,city\r\nAna,Lima\r\n"
    assert read(one) == table


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")
    with pytest.raises(InvalidValue) as caught:
        Table({"a": ["fine", "\ud800"]}).write(path)
    assert caught.value.code == "bad_text"
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
@pytest.mark.parametrize("cell", ["a\0b", "\udfff"])
def test_what_no_text_may_hold_is_not_written(kind, cell):
    with pytest.raises(InvalidValue) as caught:
        Table({"a": [cell]}).write(io.BytesIO(), file_format=kind)
    assert caught.value.code == "bad_text"


def test_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(StoreError) as caught:
        Table({"a": ["1"]}).write(tmp_path / "no" / "a.csv")
    assert caught.value.code == "unwritable"


def test_an_unknown_suffix_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(InvalidValue) as caught:
        Table({"a": ["1"]}).write(tmp_path / "a.pdf")
    assert (caught.value.code, list(tmp_path.iterdir())) == ("unknown_format", [])


def test_dicts_and_open_files_are_read(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("name\nAna\n", encoding="utf-8")
    with path.open("rb") as binary, path.open(encoding="utf-8") as text:
        assert read(binary) == read(text) == read([{"name": "Ana"}])


PEOPLE = {"name": ["Ana Ríos", "Luis Paz", "ana rios "], "email": ["a@x.pe", "l@y.pe", "a@x.pe"]}


@pytest.mark.parametrize(
    "other",
    [
        Table({"name": ["Eva", "Iris", "Zoe"], "email": ["e@x.pe", "i@x.pe", "z@x.pe"]}),
        Table(PEOPLE).clean(),
        Table(PEOPLE).take([1, 0, 2]),
        Table(PEOPLE).without("name"),
        Table({"name": ["Ana Ríos", None, "ana rios "], "email": PEOPLE["email"]}),
    ],
)
def test_matches_of_another_table_of_the_same_length_merge_nothing(other):
    """Else rows that are not alike would be lost without a word."""
    matches = Table(PEOPLE).duplicates()

    with pytest.raises(InvalidValue) as caught:
        other.merged(matches, above=0.9)
    assert (caught.value.code, caught.value.params["argument"]) == ("bad_argument", "matches")


def test_matches_of_some_columns_merge_the_whole_table():
    """Columns that say where a row came from are left out of the search, and kept."""
    table = Table({**PEOPLE, "source": ["crm", "web", "fair"]})

    assert len(table.merged(table.without("source").duplicates(), above=0.9)) == 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda table: table.clean("x"), "recipe: give a list of steps, not str."),
        (lambda table: table.clean(None), "recipe: give a list of steps, not NoneType."),
        (lambda table: table.select(["name"]), "columns: give a list of names, not list."),
        (lambda _: read(None), "source: give a path, bytes, an open file or rows, not NoneType."),
        (lambda _: read(3), "source: give a path, bytes, an open file or rows, not int."),
        (
            lambda _: read({"a": [1]}),
            "source: give a path, bytes, an open file or rows (columns by name go to Table), not dict.",
        ),
        (lambda _: read([1]), "rows: give rows as values by column, not int."),
        (lambda _: read([("a", "b")]), "rows: give rows as values by column, not tuple."),
        (lambda _: Table.from_dicts(None), "rows: give rows as values by column, not NoneType."),
        (lambda table: table.merged(None), "matches: give what duplicates() gave, not NoneType."),
        (lambda table: table.merged(table.duplicates(), above="x"), "above: give a number, not str."),
        (lambda table: table.duplicates(seed="a"), "seed: give a whole number, not str."),
        (lambda table: table.duplicates(seed=-1), "seed: give a number from 0 on, below 2⁶³."),
    ],
)
def test_what_is_of_another_type_is_refused_in_words(wrong, said):
    with pytest.raises(InvalidValue) as caught:
        wrong(Table({"name": ["Ana"]}))

    assert (caught.value.code, str(caught.value)) == ("bad_argument", said)
