"""Bytes: images, attachments, originals, named by the hash of what they hold."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Final, NewType, Protocol, TypeGuard

__all__ = ["BlobHash", "BlobStore", "blob_hash", "is_hash"]

_HASH: Final = re.compile("[0-9a-f]{64}")

BlobHash = NewType("BlobHash", str)
"""BLAKE2b-256 of the bytes, in hexadecimal."""


def blob_hash(data: bytes) -> BlobHash:
    """Give the name under which *data* is kept.

    >>> blob_hash(b"")[:8]
    '0e5751c0'
    """
    return BlobHash(hashlib.blake2b(data, digest_size=32).hexdigest())


def is_hash(name: object) -> TypeGuard[BlobHash]:
    """Say whether *name* is one that bytes can have.

    >>> is_hash(blob_hash(b"")), is_hash("plan:7")
    (True, False)
    """
    return isinstance(name, str) and _HASH.fullmatch(name) is not None


class BlobStore(Protocol):
    """Keeps bytes by their hash; the same bytes are kept once."""

    def put(self, data: bytes) -> BlobHash:
        """Keep *data*; give its name."""
        ...

    def get(self, name: BlobHash) -> bytes:
        """Give the bytes.

        Raises:
            NotFound: ``not_found``.
            Damaged: they no longer have this hash.
        """
        ...

    def stream(self, name: BlobHash, *, size: int = 65_536) -> Iterator[bytes]:
        """Give the bytes in pieces of at most *size*."""
        ...

    def delete(self, name: BlobHash) -> None:
        """Forget the bytes; a name that is not there does no harm."""
        ...
