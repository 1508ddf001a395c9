"""CSV: what is read, on which line, and what is refused."""

from __future__ import annotations

import csv
import tracemalloc

import pytest

from nubetis.data import BUILT_IN, Hints, Source, read
from nubetis.errors import InvalidValue, NotFound, StoreError

CSV = BUILT_IN["csv"]


def _batches(content, **options):
    source = Source.of(content)
    return list(CSV.read(source, CSV.detect(source, Hints(header=1)), **options))


def test_lines_are_physical_lines():
    [batch] = _batches(b'name,note\nAna,"two\nlines"\n\nLuis,"x"\r\nEva,"y"\n')
    assert list(batch.lines) == [2, 5, 6]


@pytest.mark.parametrize(
    "content", [b"a;b;\n1;2;\n3;4;\n", b"a;b;;\n1;2;;\n3;4\n", b"a;b\n1;2;\n3;4;\n", b"a;b; \n1;2; \n3;4;\n"]
)
def test_a_delimiter_that_ends_lines_makes_no_column(content):
    table = read(content)
    assert (table.to_dict(), list(table.uneven)) == ({"a": ["1", "3"], "b": ["2", "4"]}, [])


def test_a_column_without_name_that_says_something_is_one():
    table = read(b"a;b;;\n1;2;;\n3;4;x;\n")
    assert (table.columns, table["column_3"], list(table.uneven)) == (("a", "b", "column_3"), [None, "x"], [])


def test_batches_are_bounded_and_keep_their_order():
    batches = _batches(b"n,m\n" + b"".join(b"%d,x\n" % n for n in range(10)), rows=4)
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert [cell for batch in batches for cell in batch.data[0]] == [str(n) for n in range(10)]


def test_a_row_longer_than_the_header_loses_no_cell():
    table = read(b"a,b\n1,2\n1,2,3\n", header=1)
    assert (table.columns, table["column_3"]) == (("a", "b", "column_3"), [None, "3"])


def test_a_row_shorter_than_the_header_is_filled():
    assert list(read(b"a,b\n1\n", header=1)) == [("1", None)]


def test_names_are_made_unique():
    assert read(b"a,,a\n1,2,3\n", header=1).columns == ("a", "column_2", "a_2")


def test_a_file_with_a_header_only_has_its_columns():
    table = read(b"name,city\n")
    assert (table.columns, len(table)) == (("name", "city"), 0)


def test_an_empty_file_is_an_empty_table():
    assert (read(b"").columns, len(read(b""))) == ((), 0)


def test_a_file_without_a_header_gets_names():
    assert read(b"1,2\n3,4\n").columns == ("column_1", "column_2")


def test_nothing_is_converted():
    assert read(b"zip,phone,amount\n00123,+51 1,1e5\n").to_dict() == {
        "zip": ["00123"],
        "phone": ["+51 1"],
        "amount": ["1e5"],
    }


def test_what_stands_above_the_header_is_skipped():
    table = read(b"Report\n\nname;city;zip\nAna;Lima;001\nLuis;Cusco;002\nEva;Tacna;003\n")
    assert (table.columns, table.lines) == (("name", "city", "zip"), [4, 5, 6])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252", "utf-16-le"])
def test_encodings_are_found(encoding):
    content = "nombre;ciudad\nIñaki;Cañete\nJosé;Huánuco\n".encode(encoding)
    assert read(content)["nombre"] == ["Iñaki", "José"]


def test_a_nul_byte_is_refused_with_its_line():
    with pytest.raises(InvalidValue, match=r"line 3: it holds a NUL") as caught:
        read(b"name\nAna\nLu\0is\n", encoding="utf-8")
    assert caught.value.code == "bad_file"


def test_a_wrong_encoding_names_the_byte():
    content = b"name\n" + b"x" * 100_000 + b"\nI\xf1aki\n"
    with pytest.raises(InvalidValue) as caught:
        read(content, encoding="utf-8")
    assert (caught.value.code, caught.value.params["position"]) == ("bad_encoding", content.index(b"\xf1"))


def test_an_odd_byte_far_down_is_not_overlooked():
    content = b"name,city\n" + b"Ana,Lima\n" * 50_000 + "Iñaki,Cañete\n".encode("cp1252")
    assert read(content)["name"][-1] == "Iñaki"


def test_a_quote_that_never_ends_is_refused_where_it_begins():
    with pytest.raises(InvalidValue, match=r"line 3: a quoted cell begins here"):
        read(b'name,note\nAna,x\nLuis,"y\nEva,z\n', header=1, delimiter=",")


def test_a_long_cell_is_read_and_the_limit_of_the_process_never_lowered():
    before = csv.field_size_limit(20_000_000)
    try:
        assert read(b'name,note\nAna,"' + b"x" * 200_000 + b'"\n', header=1)["note"] == ["x" * 200_000]
        assert csv.field_size_limit() == 20_000_000
    finally:
        csv.field_size_limit(before)


def test_an_endless_line_is_refused(monkeypatch):
    monkeypatch.setattr("nubetis.data.files.source.LONGEST_LINE", 1000)
    with pytest.raises(InvalidValue, match="longer than 1000"):
        read(b"name\n" + b"x" * 5000)


def test_a_missing_file_is_not_found(tmp_path):
    with pytest.raises(NotFound, match="there is no such file"):
        read(tmp_path / "no.csv")


def test_a_folder_cannot_be_read(tmp_path):
    with pytest.raises(StoreError) as caught:
        read(tmp_path, file_format="csv")
    assert caught.value.code == "unreadable"


def test_damaged_compression_is_said(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(b"\x1f\x8bxxxxxxxxxxxxxxxxxxx")
    with pytest.raises(InvalidValue, match="compression is damaged"):
        read(path)


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(InvalidValue, match=r"answers to \.pdf\. Known: csv, tsv, jsonl"):
        read(tmp_path / "a.pdf")
    with pytest.raises(InvalidValue, match="answers to excel"):
        read(b"", file_format="excel")


@pytest.mark.parametrize(("hint", "value"), [("encoding", "klingon"), ("delimiter", "ab"), ("delimiter", '"')])
def test_bad_hints_are_refused(hint, value):
    with pytest.raises(InvalidValue) as caught:
        read(b"a,b\n", **{hint: value})
    assert caught.value.code == "bad_argument"


def test_reading_in_batches_takes_bounded_memory(tmp_path):
    path = tmp_path / "big.csv"
    path.write_bytes(b"name,city,zip\n" + b"Ana Maria Rios,Lima,00123\n" * 200_000)
    source = Source.of(path)
    detected = CSV.detect(source, Hints())
    tracemalloc.start()
    rows = sum(len(batch) for batch in CSV.read(source, detected, rows=1000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (rows, peak < 3_000_000) == (200_000, True)


@pytest.mark.parametrize("encoding", ["utf-99", "base64", "rot13", "hex", "undefined", "a\0b", "ñ", ""])
def test_what_is_no_encoding_of_text_is_refused(encoding):
    with pytest.raises(InvalidValue) as caught:
        read(b"a,b\n1,2\n", encoding=encoding)
    assert (caught.value.code, caught.value.params["argument"]) == ("bad_argument", "encoding")


def test_a_row_without_end_is_refused_before_it_fills_the_memory():
    with pytest.raises(InvalidValue, match=r"line 2: .*16,384 cells") as caught:
        read(b"a,b\n" + b"x," * 16_384 + b"\n")
    assert caught.value.code == "bad_file"
    assert len(read(b"x," * 16_383 + b"x", header=1).columns) == 16_384
