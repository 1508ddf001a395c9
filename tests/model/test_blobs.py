"""Bytes are named by what they are; a store keeps them once and gives them back whole or not at all."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import Damaged, NotFound
from nubetis.model.blobs import blob_hash
from nubetis.model.store import Batch, Updates
from nubetis.model.system import BLOBS
from tests.stores import nubetis_store_url, rows_of

__all__ = ["nubetis_store_url"]

DATA = [b"", b"\0", b"x" * 200_000, bytes(range(256)), "ñ".encode()]


@given(st.binary())
def test_a_name_is_blake2b_of_the_bytes(data):
    assert hashlib.blake2b(data, digest_size=32).hexdigest() == blob_hash(data)


@given(st.lists(st.binary(max_size=3), unique=True))
def test_other_bytes_have_another_name(several):
    assert len(several) == len({blob_hash(data) for data in several})


@pytest.mark.parametrize("data", DATA, ids=len)
def test_what_is_put_is_got(nubetis_org, data):
    blobs = nubetis_org.blobs
    name = blobs.put(data)
    assert (blob_hash(data), data, data) == (name, blobs.get(name), b"".join(blobs.stream(name)))


@pytest.mark.parametrize("size", [1, 7, 65_536])
def test_pieces_are_as_large_as_asked_but_the_last(nubetis_org, size):
    data = bytes(range(100))
    pieces = list(nubetis_org.blobs.stream(nubetis_org.blobs.put(data), size=size))
    assert [data[start : start + size] for start in range(0, 100, size)] == pieces


def test_the_same_bytes_are_kept_once(nubetis_org):
    before = len(rows_of(nubetis_org, BLOBS))
    assert len({nubetis_org.blobs.put(b"the same") for _ in range(3)}) == 1
    assert before + 1 == len(rows_of(nubetis_org, BLOBS))


def test_what_is_deleted_is_gone_and_can_be_put_again(nubetis_org):
    blobs = nubetis_org.blobs
    name, other = blobs.put(b"gone"), blobs.put(b"stays")
    blobs.delete(name)
    with pytest.raises(NotFound) as caught:
        blobs.get(name)
    assert ("not_found", b"stays") == (caught.value.code, blobs.get(other))
    assert (name, b"gone") == (blobs.put(b"gone"), blobs.get(name))


def test_deleting_what_is_not_there_does_no_harm(nubetis_org):
    blobs = nubetis_org.blobs
    kept = blobs.put(b"x")
    blobs.delete(blob_hash(b"never put"))
    assert blobs.get(kept) == b"x"


def test_changed_bytes_are_damage_and_not_an_answer(nubetis_org):
    """In streams too, before the first piece."""
    blobs, store = nubetis_org.blobs, nubetis_org._world.store
    name = blobs.put(b"as they were")
    key = next(row[0] for row in rows_of(nubetis_org, BLOBS) if row[1] == name)
    store.write(lambda txn: txn.write(Batch(parts=(Updates(BLOBS, ("data",), [key], [(b"as they are",)]),))))
    for read in (blobs.get, blobs.stream):
        with pytest.raises(Damaged) as caught:
            read(name)
        assert caught.value.code == "damaged"
