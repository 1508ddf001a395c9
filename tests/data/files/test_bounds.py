"""A small file never takes a large memory: keys without end, packed zeros, devices, columns that hold nothing."""

from __future__ import annotations

import gzip
import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from nubetis.data import Source, Table, read
from nubetis.errors import InvalidValue, StoreError

MEGABYTE = 1_000_000


def refused(origin, **options):
    tracemalloc.start()
    try:
        with pytest.raises((InvalidValue, StoreError)) as caught:
            read(origin, **options)
        return caught.value, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_keys_without_end_are_refused_where_they_become_too_many():
    content = b"".join(b'{"k%d":"x"}\n' % n for n in range(12_000))
    error, peak = refused(content, file_format="jsonl")

    assert (error.code, error.params["line"]) == ("bad_file", 1501)
    assert "more than 1,500 keys" in str(error)
    assert peak < 30 * MEGABYTE


def test_fifteen_hundred_keys_are_read():
    line = b"{" + b",".join(b'"k%d":"x"' % n for n in range(1500)) + b"}\n"

    assert len(read(line * 3, file_format="jsonl").columns) == 1500


def test_more_keys_than_can_be_read_are_not_written(tmp_path):
    with pytest.raises(InvalidValue, match="at most 1,500"):
        Table({f"c{n}": ["1"] for n in range(1501)}).write(tmp_path / "a.jsonl")


@pytest.mark.parametrize("name", ["a.jsonl", "a.csv"])
def test_a_table_that_is_nearly_empty_everywhere_is_refused(tmp_path, name):
    """Its cells would take a thousand times the memory that the file has bytes."""
    head = {"a.jsonl": b"{" + b",".join(b'"k%d":1' % n for n in range(1500)) + b"}\n", "a.csv": b"x," * 16_000 + b"y\n"}
    path = tmp_path / name
    path.write_bytes(head[name] + {"a.jsonl": b'{"k0":1}\n', "a.csv": b"x\n"}[name] * 17_000)
    error, peak = refused(path)

    assert error.code == "bad_file"
    assert "nearly all of its cells are empty" in str(error)
    assert peak < 300 * MEGABYTE


def test_a_table_with_many_empty_columns_is_read():
    content = b"a," * 99 + b"z\n" + b"x\n" * 5000

    assert len(read(content, header=1).columns) == 100


def test_what_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "a.csv.gz"
    with gzip.open(path, "wb") as file:
        file.writelines(b"a,b\n" + b"0,0\n" * 1_000_000 for _ in range(30))
    error, peak = refused(path)

    assert error.code == "unreadable"
    assert "unpacks to more than" in str(error)
    assert peak < 10 * MEGABYTE


def test_what_is_packed_well_is_read(tmp_path):
    path = tmp_path / "a.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"0,0\n" * 200_000))

    assert len(read(path, encoding="utf-8", delimiter=",", header=1)) == 200_000


def test_reading_all_at_once_is_bounded_too(monkeypatch):
    monkeypatch.setattr("nubetis.data.files.source.UNPACKED", 1000)
    source = Source.of(gzip.compress(b"x" * 100_000))
    with pytest.raises(InvalidValue, match="unpacks to more than"), source.open() as stream:
        stream.read()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX")
def test_a_pipe_is_read_once_and_whole(tmp_path):
    path = tmp_path / "pipe.csv"
    os.mkfifo(path)
    writing = threading.Thread(target=path.write_bytes, args=(b"nombre;ciudad\nAna;Lima\n",))
    writing.start()
    table = read(path)
    writing.join()

    assert table.to_dict() == {"nombre": ["Ana"], "ciudad": ["Lima"]}


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="no /dev/zero here")
def test_a_device_without_end_is_refused(monkeypatch):
    monkeypatch.setattr("nubetis.data.files.source.SPOOLED", 100_000)
    error, _ = refused("/dev/zero", file_format="csv")

    assert error.code == "unreadable"
    assert "longer than" in str(error)
