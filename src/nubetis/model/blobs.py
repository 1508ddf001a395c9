"""Bytes: images, attachments, originals, named by the hash of what they hold."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NewType, Protocol

__all__ = ["BlobHash", "BlobStore", "blob_hash"]

BlobHash = NewType("BlobHash", str)
"""BLAKE2b-256 of the bytes, in hexadecimal."""


def blob_hash(data: bytes) -> BlobHash:
    """Give the name under which *data* is kept.

    >>> blob_hash(b"")[:8]
    '0e5751c0'
    """
    return BlobHash(hashlib.blake2b(data, digest_size=32).hexdigest())


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
