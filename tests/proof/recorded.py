"""What a process asked of the system, and what a disk holds when the power goes in the middle of it.

Until a file is synced, any of the writes since its last sync may be on the disk or not, in any order, and the last
sectors of one may be missing.  So an *image* is what was synced, and some of what came after.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import attrs

_CALLS = "fsync,fdatasync,write,pwrite64,ftruncate"
_LINE = re.compile(r"\d+ +(\w+)\(\d+<([^>]*)>(?:, (.*))?\) = (-?\d+)")
_DATA = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?, (\d+)(?:, (\d+))?')
_SECTOR = 512


@attrs.frozen
class Call:
    """One call of the system: ``write``, ``sync``, ``cut`` (to *offset*) or ``say``."""

    kind: str
    file: str = ""
    offset: int = 0
    data: bytes = attrs.field(default=b"", repr=False)


@cache
def cannot_trace():
    """Say why processes cannot be watched here, nothing where they can."""
    if not shutil.which("strace"):
        return "strace is not installed"
    tried = subprocess.run(["strace", "-o", "/dev/null", "true"], capture_output=True, check=False)
    return "" if tried.returncode == 0 else "the system does not let processes be traced"


def record(script, *arguments, folder):
    """Run *script* under strace; give what it asked for of the files in *folder*, and what it said."""
    trace = Path(folder, "trace")
    watch = ["strace", "-f", "-y", "-xx", "-s", "100000", "-e", f"trace={_CALLS}", "-o", str(trace)]
    run = subprocess.run([*watch, sys.executable, str(script), *arguments], capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    calls = [_call(line) for line in trace.read_text("ascii").splitlines()]
    return [call for call in calls if call is not None and (call.kind == "say" or str(folder) == call.file[0])]


def _call(line):
    found = _LINE.match(line)
    if found is None:
        return None
    name, where, rest, result = found.groups()
    path = _text(where)
    if name == "write" and not path.endswith((".db", "-wal")):
        return Call("say", data=_bytes(rest)[0]) if line.split("(")[1].startswith("1<") else None
    file = (str(Path(path).parent), Path(path).name)
    if name in {"fsync", "fdatasync"}:
        return Call("sync", file) if int(result) == 0 else None
    if name == "ftruncate":
        return Call("cut", file, int(rest))
    data, offset = _bytes(rest)
    assert int(result) == len(data), line[:200]
    return Call("write", file, offset, data)


def _text(where):
    return bytes.fromhex(where.replace("\\x", "")).decode() if where.startswith("\\x") else where


def _bytes(rest):
    data, cut, _, offset = _DATA.fullmatch(rest).groups()
    assert not cut, "strace left out some of the bytes"
    return bytes.fromhex(data.replace("\\x", "")), int(offset or 0)


class Disk:
    """Files as a disk has them: *synced*, and *pending* since then."""

    def __init__(self, files):
        self.synced = {name: bytearray(content) for name, content in files.items()}
        self.pending = []
        self.said = []

    def play(self, calls):
        """Let *calls* happen."""
        for call in calls:
            if call.kind == "say":
                self.said.append(call.data.decode().strip())
            elif call.kind == "sync":
                self._apply(self.synced, [each for each in self.pending if each.file == call.file])
                self.pending = [each for each in self.pending if each.file != call.file]
            else:
                self.pending.append(call)

    def number(self, word):
        """Give the last number said after *word*."""
        return max([int(said.split()[1]) for said in self.said if said.startswith(word)], default=0)

    def image(self, random):
        """Give what may be found after the power has gone: something of what was not synced."""
        files = {name: bytearray(content) for name, content in self.synced.items()}
        self._apply(files, _survivors(self.pending, random))
        return files

    @staticmethod
    def _apply(files, calls):
        for call in calls:
            content = files.setdefault(call.file[1], bytearray())
            if call.kind == "cut":
                del content[call.offset :]
                continue
            content.extend(bytes(max(0, call.offset - len(content))))
            content[call.offset : call.offset + len(call.data)] = call.data


def _survivors(pending, random):
    """Give all of them, none, the first few, or any; the last of the few, or any of any, may be torn."""
    match random.randrange(4):
        case 0:
            return pending
        case 1:
            return []
        case 2:
            first = pending[: random.randint(0, len(pending))]
            return [*first[:-1], *[_torn(call, random) for call in first[-1:]]]
        case _:
            return [_torn(call, random) if random.random() < 0.2 else call for call in pending if random.random() < 0.6]


def _torn(call, random):
    sectors = random.randint(0, len(call.data) // _SECTOR)
    return attrs.evolve(call, data=call.data[: sectors * _SECTOR])
