"""A copy is on the disk before anybody is told that it is there."""

from __future__ import annotations

import os

import pytest

from nubetis.backends.sql import restore


@pytest.fixture
def synced(monkeypatch):
    """Give the inodes that were brought to the disk, in order."""
    seen, real = [], os.fsync

    def spy(handle):
        seen.append(os.fstat(handle).st_ino)
        real(handle)

    monkeypatch.setattr(os, "fsync", spy)
    return seen


def test_a_snapshot_is_synced_and_then_its_folder(store, tmp_path, synced):
    """First what it holds, then its name: a power cut leaves the whole copy, or none."""
    target = tmp_path / "copies" / "copy.db"
    target.parent.mkdir()
    store.snapshot(str(target))

    assert [target.stat().st_ino, target.parent.stat().st_ino] == synced


def test_a_restored_file_is_synced_and_then_its_folder(store, tmp_path, synced):
    store.snapshot(f"{tmp_path}/copy.db")
    synced.clear()
    place = tmp_path / "there" / "org.db"
    place.parent.mkdir()
    restore(f"{tmp_path}/copy.db", f"sqlite:///{place}")

    assert [place.stat().st_ino, place.parent.stat().st_ino] == synced
