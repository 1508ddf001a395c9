"""Stores that say they are durable and are not, each in one way: the contract suite must find them out."""

from __future__ import annotations

import json
from pathlib import Path

from nubetis_lines import LinesStore

from nubetis.model.kinds import BUILT_IN


class TornStore(LinesStore):
    """Writes key by key, each whole, so that a unit may be there in part."""

    def _append(self, line):
        for number, keys, rows in line.pop("rows", ()):
            found = {row[0]: row for row in rows}
            for key in keys:
                self._put({"rows": [[number, [key], [found[key]] if key in found else []]]})
        if line:
            self._put(line)

    def _put(self, line):
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()


class ForgetfulStore(LinesStore):
    """Answers at once, and writes when it is closed."""

    def _append(self, line):
        self.__dict__.setdefault("_kept", []).append(line)

    def close(self):
        for line in self.__dict__.pop("_kept", []):
            super()._append(line)
        super().close()


class UnflushedStore(LinesStore):
    """Leaves what it wrote last in a buffer of the process; what is larger goes through."""

    def _append(self, line):
        self._file.write(json.dumps(line).encode() + b"\n")


class LateStore(UnflushedStore):
    """Brings every other line to the disk, with the one before."""

    _lines = 0

    def _append(self, line):
        super()._append(line)
        self._lines += 1
        if self._lines % 2 == 0:
            self._file.flush()


def _path(url):
    return Path(url.partition(":///")[2])


def open_torn(url, *, create):
    return TornStore(url, _path(url), BUILT_IN)


def open_forgetful(url, *, create):
    return ForgetfulStore(url, _path(url), BUILT_IN)


def open_unflushed(url, *, create):
    return UnflushedStore(url, _path(url), BUILT_IN)


def open_late(url, *, create):
    return LateStore(url, _path(url), BUILT_IN)
