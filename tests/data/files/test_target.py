"""Where a file is written: what stood there keeps its mode and its links, and what is no file is never replaced."""

from __future__ import annotations

import errno
import gzip
import os
import threading
from pathlib import Path

import pytest

import nubetis
from nubetis import Table
from nubetis.data import read
from nubetis.data.files.target import replacing
from nubetis.errors import StoreError
from tests.stores import refusing

TABLE = Table({"name": ["Ana"]})
WRITTEN = b"name\r\nAna\r\n"
posix = pytest.mark.skipif(os.name != "posix", reason="modes, links and devices are POSIX")


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664])
def test_a_file_keeps_its_mode(tmp_path, mode):
    path = tmp_path / "a.csv"
    path.touch()
    path.chmod(mode)
    with replacing(path) as sink:
        (part,) = [each for each in tmp_path.iterdir() if each != path]
        seen = part.stat().st_mode & 0o777
        sink.write(b"x")

    assert path.stat().st_mode & 0o777 == mode
    assert seen & ~mode & 0o777 == 0


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write every file")
def test_a_file_that_may_not_be_written_is_not_replaced(tmp_path):
    path = tmp_path / "a.csv"
    path.touch()
    path.chmod(0o444)
    with pytest.raises(StoreError, match="do not let you"):
        TABLE.write(path)


@posix
def test_a_new_file_has_the_mode_that_the_system_gives(tmp_path):
    TABLE.write(tmp_path / "a.csv")
    (tmp_path / "b.csv").touch()

    assert (tmp_path / "a.csv").stat().st_mode == (tmp_path / "b.csv").stat().st_mode


@posix
@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_what_it_names_is_written(tmp_path, there):
    (tmp_path / "far").mkdir()
    target = tmp_path / "far" / "a.csv"
    if there:
        target.touch()
    (tmp_path / "near.csv").symlink_to(Path("far") / "a.csv")
    (tmp_path / "nearer.csv").symlink_to("near.csv")
    TABLE.write(tmp_path / "nearer.csv")

    assert (tmp_path / "nearer.csv").is_symlink()
    assert (tmp_path / "near.csv").is_symlink()
    assert target.read_bytes() == WRITTEN
    assert [each.name for each in target.parent.iterdir()] == ["a.csv"]


@posix
def test_a_link_that_names_itself_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.symlink_to(path)
    with pytest.raises(StoreError, match="cannot be written"):
        TABLE.write(path)

    assert path.is_symlink()


def test_a_folder_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.mkdir()
    with pytest.raises(StoreError, match="it is a folder"):
        TABLE.write(path)

    assert list(tmp_path.iterdir()) == [path]
    assert list(path.iterdir()) == []


@posix
def test_a_pipe_is_written_to(tmp_path):
    path, read_back = tmp_path / "a.csv", []
    os.mkfifo(path)
    reading = threading.Thread(target=lambda: read_back.append(path.read_bytes()))
    reading.start()
    TABLE.write(path)
    reading.join()

    assert read_back == [WRITTEN]
    assert path.is_fifo()


@posix
@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_what_is_open_already_is_written_to_and_not_replaced(tmp_path, suffix):
    """As `/dev/stdout` that was sent to a file: the file must stay the one that the shell holds."""
    path = tmp_path / f"a.csv{suffix}"
    with path.open("w+b") as file:
        before = os.fstat(file.fileno()).st_ino
        TABLE.write(f"/dev/fd/{file.fileno()}", file_format="csv")

    assert (path.stat().st_ino, path.read_bytes()) == (before, WRITTEN)


@posix
@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")
def test_a_pipe_that_nobody_reads_is_an_error_of_the_store():
    reading, writing = os.pipe()
    os.close(reading)
    try:
        with pytest.raises(StoreError, match="nobody listens any more"):
            TABLE.write(f"/dev/fd/{writing}", file_format="csv")
    finally:
        os.close(writing)


def test_the_bytes_and_then_the_name_reach_the_disk_before_it_is_said(tmp_path, monkeypatch):
    synced, sync = [], os.fsync

    def listen(handle):
        synced.append((os.path.samestat(os.fstat(handle), tmp_path.stat()), (tmp_path / "a.csv.gz").exists()))
        sync(handle)

    monkeypatch.setattr(os, "fsync", listen)
    TABLE.write(tmp_path / "a.csv.gz")

    assert synced == ([(False, False), (True, True)] if os.name == "posix" else [(False, False)])
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == WRITTEN


def test_a_disk_that_fails_leaves_what_stood_there(tmp_path, monkeypatch):
    path = tmp_path / "a.csv"
    path.write_bytes(b"old")

    def fail(handle):
        raise OSError(errno.EIO, "Input/output error", handle)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(StoreError, match="the device fails"):
        TABLE.write(path)

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_is_written(tmp_path):
    path = tmp_path / f"{'ñ' * 120}.csv"
    TABLE.write(path)

    assert read(path) == TABLE


@pytest.mark.parametrize("name", ["a\0.csv", f"{'x' * 300}.csv"])
def test_a_name_that_no_file_may_have_is_refused(tmp_path, name):
    with pytest.raises(StoreError, match="cannot be written"):
        TABLE.write(tmp_path / name)
    with pytest.raises(StoreError, match="cannot be read"):
        read(tmp_path / name)


def test_no_file_of_records_takes_the_place_of_a_database(tmp_path):
    """The organisation itself, by whatever name, or a back-up of one."""
    path = tmp_path / "acme.db"
    nubetis.create(f"sqlite:///{path}", administrator="ana@acme.pe").close()
    before, link = path.read_bytes(), tmp_path / "link.csv"
    link.symlink_to(path)
    for target in (path, link):
        with refusing("unwritable", StoreError, match="a database"), replacing(target) as file:
            file.write(b"name\n")
    assert path.read_bytes() == before


@pytest.mark.parametrize("ending", ["-wal", "-shm", "-journal"])
@pytest.mark.parametrize("there", [False, True])
def test_no_file_of_records_is_taken_for_the_log_of_a_database(tmp_path, ending, there):
    """Whoever opens the database next would read it as its own."""
    path = tmp_path / "acme.db"
    nubetis.create(f"sqlite:///{path}", administrator="ana@acme.pe").close()
    log = tmp_path / f"acme.db{ending}"
    if there:
        log.write_bytes(b"log")
    with refusing("unwritable", StoreError, match="the log of a database"), replacing(log) as file:
        file.write(b"name\n")
    assert log.exists() == there
