"""Where a file's bytes go: a path that is replaced whole or not at all."""

from __future__ import annotations

import errno
import gzip
import os
import stat
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, Final, cast

from nubetis.errors import StoreError, system_reason

__all__ = ["flows", "replacing", "target_suffix"]


def target_suffix(path: Path) -> str:
    """Give the suffix that says the kind of file, in lower case, without ``.gz``.

    >>> target_suffix(Path("contacts.CSV.gz"))
    '.csv'
    """
    return Path(path.name.removesuffix(".gz")).suffix.lower()


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file beside *path* that takes its place when all was written and on the disk; ``.gz`` packs.

    What stood there keeps its mode; a link stays, and what it names is replaced.  A pipe, a device, and what is open
    already (``/dev/stdout``) are written to as they are.

    Raises:
        StoreError: ``unwritable``; what stood at *path* is still there.
    """
    try:
        mode = _mode(path)
        opened = _flowing(path) if flows(path) else _part(Path(os.path.realpath(path)), mode)
        with opened as file, _packed(file, path) as sink:
            yield sink
    except OSError as error:
        raise StoreError("unwritable", file=str(path), reason=system_reason(error)) from None


def _mode(path: Path) -> int | None:
    """Give the mode of what stands at *path*; ``None`` where nothing does."""
    if any(path.name.endswith(each) and _is_database(path.with_name(path.name.removesuffix(each))) for each in _LOGS):
        raise OSError("it is the log of a database, or would be taken for it")
    try:
        found = path.stat().st_mode
    except FileNotFoundError:
        return None
    except ValueError:
        raise OSError("no file can have such a name") from None
    if stat.S_ISDIR(found):
        raise OSError(errno.EISDIR, "it is a folder")
    if not os.access(path, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    if stat.S_ISREG(found) and _is_database(Path(os.path.realpath(path))):
        raise OSError("it is a database, which no file of records takes the place of")
    return found


def _is_database(path: Path) -> bool:
    """Tell whether an SQLite database stands at *path*: the organisation itself, or a back-up of one."""
    try:
        with path.open("rb") as file:
            return file.read(len(_SQLITE)) == _SQLITE
    except OSError:
        return False  # one may write what one may not read


_LOGS: Final = ("-wal", "-shm", "-journal")
_SQLITE: Final = b"SQLite format 3\0"


def flows(path: Path) -> bool:
    """Tell whether *path* is no file to be replaced: a pipe, a device, or what this process has open."""
    if str(path.absolute()).startswith(("/dev/std", "/dev/fd/", "/proc/")):
        return True
    try:
        return not stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False  # nothing is there; opening it says more


@contextmanager
def _flowing(path: Path) -> Generator[IO[bytes]]:
    with path.open("wb") as file:
        yield file


@contextmanager
def _part(path: Path, mode: int | None) -> Generator[IO[bytes]]:
    """Open the file beside *path*; nobody may read it who may not read what it replaces."""
    rights = 0o666 if mode is None else stat.S_IMODE(mode) & 0o777
    part = path.with_name(f".{path.name[:40]}.{os.getpid()}.{threading.get_ident()}")
    try:
        with open(part, "xb", opener=lambda name, flags: os.open(name, flags, rights)) as file:
            yield file
            file.flush()
            if mode is not None and hasattr(os, "fchmod"):
                os.fchmod(file.fileno(), rights)
            os.fsync(file.fileno())
        part.replace(path)
        _sync(path.parent)
    finally:
        part.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Bring the new name to the disk; where a system cannot open folders, its own rename must do."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _packed(file: IO[bytes], path: Path) -> Generator[BinaryIO]:
    if path.suffix != ".gz":
        yield cast("BinaryIO", file)
        return
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as sink:
        yield cast("BinaryIO", sink)
