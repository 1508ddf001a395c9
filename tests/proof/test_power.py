"""What is left when the power goes: counted by the calls of the system, and tried on images of the disk.

In CI a sample; ``nox -s power`` does many.  An image is named by its seed and number.
"""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from nubetis.backends.memory import open_memory
from nubetis.backends.sql import open_sqlite
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, all_there_is
from tests.proof.power_worker import step
from tests.proof.recorded import Disk, cannot_trace, record

pytestmark = pytest.mark.skipif(bool(cannot_trace()), reason=cannot_trace() or "processes can be watched")

SEED = os.environ.get("NUBETIS_TEST_SEED", "0")
IMAGES = int(os.environ.get("NUBETIS_IMAGES", "30"))
SHARD, SHARDS = (int(part) for part in os.environ.get("NUBETIS_SHARD", "0/1").split("/"))
UNITS = 10
PROFILES = ("durable", "fast")


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    """What a writer asked of the system, in each profile, and the files with which it began."""
    found = {}
    for profile in PROFILES:
        folder = tmp_path_factory.mktemp(profile).resolve()
        url = f"sqlite:///{folder}/org.db?profile={profile}"
        with closing(open_sqlite(url, create=True)) as store:
            store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        files = {"org.db": (folder / "org.db").read_bytes()}
        script = Path(__file__).with_name("power_worker.py")
        found[profile] = (files, record(script, url, str(UNITS), "rests", folder=folder))
    return found


@pytest.fixture(scope="module")
def states():
    """What the store holds after each number of units, as the memory store has it."""
    store = open_memory("memory://", create=True)
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    found = [store.read(all_there_is)]
    for number in range(1, UNITS + 1):
        store.write(lambda txn, number=number: step(txn, number))
        found.append(store.read(all_there_is))
    return found


def unsynced(calls):
    """Give the units that were acknowledged while something of the log was not synced."""
    found, is_synced, wrote = [], True, False
    for call in calls:
        if call.kind == "say" and call.data.startswith(b"done"):
            assert wrote, f"{call.data!r} without a write"
            found += [] if is_synced else [int(call.data.split()[1])]
        elif call.kind == "say":
            wrote = False
        elif call.file[1].endswith("-wal"):
            is_synced = call.kind == "sync"
            wrote = wrote or call.kind == "write"
    return found


def test_a_durable_unit_is_synced_before_it_is_acknowledged(recordings):
    assert unsynced(recordings["durable"][1]) == []


def test_a_fast_unit_waits_for_no_sync(recordings):
    """Which also shows that the count can tell."""
    assert unsynced(recordings["fast"][1]) == list(range(1, UNITS + 1))


@pytest.mark.parametrize("profile", PROFILES)
def test_after_a_power_cut_whole_units_are_there_and_all_that_were_promised(recordings, states, profile, tmp_path):
    """At any call: some of what was not synced is lost, in any order, torn at any sector."""
    files, calls = recordings[profile]
    for number in range(SHARD, IMAGES, SHARDS):
        random = Random(f"{SEED} {profile} {number}")
        disk = Disk(files)
        disk.play(calls[: random.randint(0, len(calls))])
        promised = disk.number("done") if profile == "durable" else 0
        found = states[promised : disk.number("begin") + 1]

        assert opened(disk.image(random), tmp_path) in found, f"image {number} of seed {SEED}"


def test_a_log_cut_anywhere_holds_its_whole_units(recordings, states, tmp_path):
    """At the boundary of each frame, and in the middle of it; units come back one after the other."""
    files, calls = recordings["durable"]
    first = next(at for at, call in enumerate(calls) if call.kind == "sync" and call.file[1] == "org.db")
    disk = Disk(files)
    disk.play(calls[:first])  # before the log is brought into the file for the first time
    log, frame = bytes(disk.synced["org.db-wal"]), 24 + 4096
    cuts = sorted({place + part for place in range(32, len(log), frame) for part in (0, 24, 2000)})
    held = [
        states.index(opened({**files, "org.db-wal": log[:cut]}, tmp_path))
        for cut in cuts[:: max(1, len(cuts) // IMAGES)]
    ]

    assert (held, held[0]) == (sorted(held), 0)
    assert states.index(opened({**files, "org.db-wal": log}, tmp_path)) == disk.number("done")


def opened(files, folder):
    """Give what a store holds that is opened on *files*, and is sound."""
    for name in ("org.db", "org.db-wal", "org.db-shm"):
        Path(folder, name).unlink(missing_ok=True)
    for name, content in files.items():
        Path(folder, name).write_bytes(content)
    with closing(open_sqlite(f"sqlite:///{folder}/org.db?profile=fast", create=False)) as store:
        found = store.read(all_there_is)
        assert store.check() == []
    return found
