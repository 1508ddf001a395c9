"""Where the answer goes: to full disks, to nobody, to terminals that lack letters, to narrow ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nubetis.cli import commands

PROGRAM = [sys.executable, "-c", "from nubetis.cli import main; main()"]
FULL = Path("/dev/full")


class Full:
    """A stream of a full disk."""

    encoding = "utf-8"

    def write(self, _):
        raise OSError(28, "No space left on device")

    def flush(self):
        """Nothing was kept."""

    def isatty(self):
        return False


def program(*arguments, **options):
    environ = {**os.environ, "LANGUAGE": "en", **options.pop("env", {})}
    return subprocess.run([*PROGRAM, *arguments], env=environ, stderr=subprocess.PIPE, **options, check=False)


@pytest.mark.parametrize(
    "arguments", [["find", "accounts"], ["find", "accounts", "--json"], ["find", "nope", "--json"]]
)
def test_an_answer_that_cannot_be_written_is_an_error_of_the_store(acme, monkeypatch, capsys, arguments):
    monkeypatch.setattr("sys.stdout", Full())

    assert commands.run(arguments) == commands.EXIT_CODES["store"]
    assert "the standard output cannot be written: there is no room left. [unwritable]" in capsys.readouterr().err


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_a_full_disk_behind_the_output_is_no_traceback():
    with FULL.open("w") as full:
        done = program("--help", stdout=full)

    assert done.returncode == commands.EXIT_CODES["store"]
    assert b"Traceback" not in done.stderr
    assert b"[unwritable]" in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="limits are POSIX")
@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": "1"}])
@pytest.mark.parametrize("arguments", [["--help"], ["find", "nope", "--db", "x" * 2000, "--json"]])
def test_a_part_written_is_not_taken_for_the_whole(tmp_path, environ, arguments):
    """A file may grow to one block: the first write succeeds in part."""
    limited = 'ulimit -f 1; out=$1; shift; exec "$@" > "$out"'
    start = ["sh", "-c", limited, "sh", str(tmp_path / "answer"), *PROGRAM, *arguments]
    done = subprocess.run(
        start, env={**os.environ, "LANGUAGE": "en", **environ}, stderr=subprocess.PIPE, check=False
    )  # fmt: skip

    assert done.returncode == commands.EXIT_CODES["store"]
    assert b"[unwritable]" in done.stderr


@pytest.mark.parametrize("environ", [{}, {"PYTHONUNBUFFERED": "1"}])
def test_nobody_reading_on_is_said_to_nobody(environ):
    """As behind `head`: the pipe is closed before the answer is written."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = program("--help", stdout=writing, env=environ)
    finally:
        os.close(writing)

    assert (done.returncode, done.stderr) == (commands.EXIT_CODES["store"], b"")


@pytest.mark.skipif(os.name != "posix", reason="closed streams are POSIX")
@pytest.mark.parametrize("stream", [1, 2])
def test_a_closed_stream_is_no_fault(stream):
    closing = f'exec {stream}>&-; exec "$@"'
    start = ["sh", "-c", closing, "sh", *PROGRAM, "--version"]
    done = subprocess.run(start, capture_output=True, check=False)

    assert done.returncode == 0
    assert b"Traceback" not in done.stderr


def test_a_terminal_that_lacks_letters_gets_others(tmp_path):
    done = program("doctor", "--lang", "es", stdout=subprocess.PIPE, cwd=tmp_path, env={"PYTHONIOENCODING": "ascii"})

    assert done.returncode == 3
    assert done.stdout.isascii()
    assert b"Traceback" not in done.stderr


@pytest.mark.parametrize("target", ["-", *(["/dev/stdout"] if Path("/dev/stdout").exists() else [])])
def test_an_export_to_the_standard_output_is_a_file_there_and_its_summary_beside_it(acme, target):
    done = program("export", target, "-m", "accounts", "--fields", "name", stdout=subprocess.PIPE)
    lines = program("export", target, "-m", "accounts", "--fields", "name", "--format", "jsonl", stdout=subprocess.PIPE)
    told = program("export", target, "-m", "accounts", "--fields", "name", "--json", stdout=subprocess.PIPE)

    assert (done.returncode, done.stdout) == (0, "name\r\nAcme Perú\r\nÑandú SAC\r\n".encode())
    assert b"Wrote 2 records" in done.stderr
    assert lines.stdout.splitlines()[0] == '{"name": "Acme Perú"}'.encode()
    assert told.stdout == done.stdout
    assert json.loads(told.stderr)["count"] == 2


def test_an_export_of_which_the_format_is_said_needs_no_suffix(acme):
    assert acme("export", "out.dat", "-m", "accounts", "--fields", "name", "--format", "tsv").code == 0
    assert Path("out.dat").read_bytes().startswith(b"name\r\n")
    assert "csv, tsv, jsonl" in acme("export", "out.dat", "-m", "accounts", "--format", "pdf").err
    assert "without suffix" in acme("export", "out", "-m", "accounts").err
