"""Bytes inside the organisation's store, so that back-ups, erasure and moving house take them along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from nubetis.errors import Damaged, InvalidValue, NotFound, misused, require
from nubetis.model.bind import Test
from nubetis.model.blobs import BlobHash, blob_hash, is_hash
from nubetis.model.fields import Operator
from nubetis.model.query import BoundQuery
from nubetis.model.store import Batch, Inserts, Removals, Store
from nubetis.model.system import BLOBS
from nubetis.types import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nubetis.model.store import Txn
    from nubetis.types import Row

__all__ = ["StoreBlobs", "forget_blob", "keep_blob", "read_blob"]


def _found(txn: Txn, name: str) -> Row | None:
    if not is_hash(name):  # plans that wait lie under names of their own
        return None
    rows = txn.query(BoundQuery(module=BLOBS, where=Test("hash", Operator.EQ, name), limit=1))
    return rows[0] if rows else None


def keep_blob(txn: Txn, data: bytes) -> BlobHash:
    """Keep *data* in the transaction at hand; give its name."""
    name = blob_hash(data)
    if _found(txn, name) is None:
        row = (txn.allocate("blobs"), name, len(data), bytes(data))
        txn.write(Batch(parts=(Inserts(BLOBS, [row]),)))  # writes are serial: nobody took the name meanwhile
    return name


def read_blob(txn: Txn, name: BlobHash) -> bytes:
    """Give the bytes as the transaction at hand sees them.

    Raises:
        NotFound: ``not_found``.
        Damaged: they no longer have this hash.
    """
    row = _found(txn, name)
    if row is None:
        raise NotFound("not_found", id=name, module=BLOBS.name)
    data = row[BLOBS.layout.index["data"]]
    if not isinstance(data, bytes) or blob_hash(data) != name:
        raise Damaged("damaged", what=f"File {name}", reason="its bytes are not those that were kept")
    return data


def forget_blob(txn: Txn, name: BlobHash) -> None:
    """Forget the bytes in the transaction at hand; a name that is not there does no harm."""
    row = _found(txn, name)
    if row is not None:
        txn.write(Batch(parts=(Removals(BLOBS, [Key(int(row[0] or 0))]),)))


@attrs.frozen
class StoreBlobs:
    """The :class:`~nubetis.model.blobs.BlobStore` inside *store*; every call is a unit of its own.

    Where a transaction is at hand already, use :func:`keep_blob`, :func:`read_blob` and :func:`forget_blob`.
    """

    store: Store

    def put(self, data: bytes) -> BlobHash:
        """Keep *data*; give its name.

        Raises:
            InvalidValue: ``bad_argument``; it is no bytes.
        """
        if not isinstance(data, bytes | bytearray | memoryview):
            raise misused("data", "bytes", data)
        return self.store.write(lambda txn: keep_blob(txn, data))

    def get(self, name: BlobHash) -> bytes:
        """Give the bytes.

        Raises:
            NotFound: ``not_found``.
            Damaged: they no longer have this hash.
        """
        return self.store.read(lambda txn: read_blob(txn, name))

    def stream(self, name: BlobHash, *, size: int = 65_536) -> Iterator[bytes]:
        """Give the bytes in pieces of at most *size*; the whole is checked before the first.

        Raises:
            NotFound: ``not_found``.
            Damaged: they no longer have this hash.
            InvalidValue: ``bad_argument``; the size is no number from 1 on.
        """
        require(size, int, argument="size", expected="a number from 1 on")
        if size < 1:
            raise InvalidValue("bad_argument", argument="size", reason="give a number from 1 on")
        data = memoryview(self.get(name))
        return (bytes(data[start : start + size]) for start in range(0, len(data), size))

    def delete(self, name: BlobHash) -> None:
        """Forget the bytes; a name that is not there does no harm."""
        self.store.write(lambda txn: forget_blob(txn, name))
