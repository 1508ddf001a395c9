"""Bytes inside the store."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.backends.blobs import StoreBlobs, keep_blob, read_blob
from nubetis.backends.memory import open_memory
from nubetis.errors import Damaged, InvalidValue, NotFound
from nubetis.model.bind import ALWAYS
from nubetis.model.blobs import BlobHash, blob_hash
from nubetis.model.schema import Schema, diff
from nubetis.model.system import BLOBS, SYSTEM_SCHEMA
from tests.stores import refusing

NOWHERE = BlobHash("0" * 64)


def fresh():
    store = open_memory("memory://", create=True)
    store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)
    return StoreBlobs(store)


@pytest.fixture
def blobs():
    return fresh()


@given(st.lists(st.binary(max_size=50), max_size=6), st.integers(1, 60))
def test_bytes_come_back_whole_and_in_pieces(several, size):
    blobs = fresh()
    names = [blobs.put(data) for data in several]
    assert several == [blobs.get(name) for name in names]
    assert several == [b"".join(blobs.stream(name, size=size)) for name in names]
    assert all(0 < len(piece) <= size for name in names for piece in blobs.stream(name, size=size))
    assert len(set(several)) == blobs.store.read(lambda txn: txn.count(BLOBS))


def test_the_name_is_the_hash_of_the_bytes(blobs):
    assert blob_hash(b"abc") == blobs.put(b"abc") == blobs.put(bytearray(b"abc"))


@pytest.mark.parametrize("read", ["get", "stream"])
def test_a_name_that_nobody_kept_is_not_found(blobs, read):
    with pytest.raises(NotFound) as caught:
        getattr(blobs, read)(NOWHERE)
    assert caught.value.code == "not_found"


@pytest.mark.parametrize("read", ["get", "stream"])
@pytest.mark.parametrize("wrong", [b"abd", None])
def test_bytes_that_changed_are_damaged(blobs, read, wrong):
    name = blobs.put(b"abc")
    blobs.store.write(lambda txn: txn.update_where(BLOBS, ALWAYS, {"data": wrong}))
    with pytest.raises(Damaged) as caught:
        getattr(blobs, read)(name)
    assert caught.value.code == "damaged"


def test_deleting_forgets_and_does_no_harm_twice(blobs):
    kept, gone = blobs.put(b"kept"), blobs.put(b"gone")
    for name in (gone, gone, NOWHERE):
        blobs.delete(name)
    assert blobs.get(kept) == b"kept"
    with pytest.raises(NotFound):
        blobs.get(gone)
    assert gone == blobs.put(b"gone")


def test_bytes_are_kept_in_the_transaction_at_hand(blobs):
    """They go when it fails, and it sees them at once."""

    def unit(txn):
        assert read_blob(txn, keep_blob(txn, b"abc")) == b"abc"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        blobs.store.write(unit)
    with pytest.raises(NotFound):
        blobs.get(blob_hash(b"abc"))


@pytest.mark.parametrize("data", [None, "text", 5, [1, 2]], ids=repr)
def test_what_is_no_bytes_is_refused(blobs, data):
    with refusing("bad_argument", InvalidValue, match="bytes"):
        blobs.put(data)


@pytest.mark.parametrize("size", [0, -1, None, "x", 1.5], ids=repr)
def test_pieces_of_no_size_are_refused_before_the_first(blobs, size):
    """None comes back short."""
    name = blobs.put(b"abc")
    with refusing("bad_argument", InvalidValue, match="size"):
        blobs.stream(name, size=size)


def test_a_plan_that_waits_is_no_file(blobs):
    """It lies among the bytes under a name of its own, and neither is read nor goes as one of them."""
    blobs.store.write(lambda txn: txn.bulk_load(BLOBS, [(1, "plan:7:00000000", 2, b"{}")]))
    with refusing("not_found", NotFound):
        blobs.get("plan:7:00000000")
    blobs.delete("plan:7:00000000")

    assert blobs.store.read(lambda txn: txn.count(BLOBS)) == 1


def test_bytes_that_are_deleted_while_they_are_read_come_whole(blobs):
    name = blobs.put(b"abcd")
    pieces = blobs.stream(name, size=1)
    first = next(pieces)
    blobs.delete(name)

    assert first + b"".join(pieces) == b"abcd"
