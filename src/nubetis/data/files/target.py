"""Where a file's bytes go: a path that is replaced whole or not at all."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

from nubetis.errors import StoreError

__all__ = ["replacing", "target_suffix"]


def target_suffix(path: Path) -> str:
    """Give the suffix that says the kind of file, in lower case, without ``.gz``.

    >>> target_suffix(Path("contacts.CSV.gz"))
    '.csv'
    """
    return Path(path.name.removesuffix(".gz")).suffix.lower()


@contextmanager
def replacing(path: Path) -> Generator[BinaryIO]:
    """Open a file beside *path* that takes its place when all was written; ``.gz`` packs.

    Raises:
        StoreError: ``unwritable``; what stood at *path* is still there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
    try:
        try:
            with part.open("xb") as file, _packed(file, path) as sink:
                yield sink
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError("unwritable", file=str(path), reason=error.strerror or type(error).__name__) from None


@contextmanager
def _packed(file: IO[bytes], path: Path) -> Generator[BinaryIO]:
    if path.suffix != ".gz":
        yield cast("BinaryIO", file)
        return
    with gzip.GzipFile(filename="", fileobj=file, mode="wb", mtime=0) as sink:
        yield cast("BinaryIO", sink)
