"""Files that other hands have harmed: what is broken is named, what is whole is kept, nobody's values are told."""

from __future__ import annotations

import sqlite3
import traceback
from contextlib import closing, suppress
from pathlib import Path
from random import Random

import pytest

from nubetis.backends.sql import open_sqlite, restore
from nubetis.errors import Conflict, Damaged, NubetisError, StoreError
from nubetis.model.bind import ALWAYS
from nubetis.model.findings import Finding
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import (
    CONTRACT_SCHEMA,
    PEOPLE,
    all_there_is,
    keys_of,
    load,
    row_of,
)  # fmt: skip

PAGE = 4096
VALUE = "geheimnis"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a snapshot with 300 people."""
    folder = tmp_path_factory.mktemp("whole")
    with closing(open_sqlite(f"sqlite:///{folder}/org.db?profile=fast", create=True)) as store:
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        load(store, PEOPLE, [row_of(PEOPLE, key, {"note": f"{VALUE} {key} " * 20, "owner": 1}) for key in range(300)])
        store.snapshot(f"{folder}/copy.db")
    return Path(folder, "copy.db").read_bytes()


def harmed(whole, random):
    """Give the bytes with a page lost, mixed up, or cut off."""
    content, pages = bytearray(whole), len(whole) // PAGE
    at = random.randrange(1, pages) * PAGE
    match random.randrange(4):
        case 0:
            content[at : at + PAGE] = bytes(PAGE)
        case 1:
            content[at : at + PAGE] = random.randbytes(PAGE)
        case 2:
            for _ in range(40):
                content[at + random.randrange(PAGE)] ^= 1 << random.randrange(8)
        case _:
            del content[at + random.randrange(PAGE) :]
    return content


@pytest.mark.parametrize("number", range(12))
def test_a_harmed_file_gives_errors_of_ours_that_tell_no_values(whole, tmp_path, rng, number):
    """Reading, writing, checking: each does its work or says what is wrong, and never anything else."""
    (tmp_path / "org.db").write_bytes(harmed(whole, rng))
    said, works = [], []
    with suppress(NubetisError):
        store = open_sqlite(f"sqlite:///{tmp_path}/org.db?profile=fast", create=False)
        works = [
            lambda: store.read(all_there_is),
            lambda: load(store, PEOPLE, [row_of(PEOPLE, 1000)]),
            lambda: said.extend(map(str, store.check())),
            lambda: store.snapshot(f"{tmp_path}/copy.db"),
            lambda: store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA),
            store.close,
        ]
    for work in works:
        try:
            work()
        except NubetisError as error:
            said.append(str(error))
    assert VALUE not in " ".join(said)


@pytest.mark.parametrize("number", range(12))
def test_a_snapshot_whose_pages_do_not_fit_is_refused_and_what_was_there_stays(whole, tmp_path, rng, number):
    """Refused, it leaves the file it should have replaced as it was, and nothing beside it."""
    (tmp_path / "copy.db").write_bytes(harmed(whole, rng))
    (tmp_path / "org.db").write_bytes(whole)
    url = f"sqlite:///{tmp_path}/org.db"
    harm = _raised(lambda: restore(f"{tmp_path}/copy.db", url, replace=True))
    if harm is not None:
        assert (harm.code, harm.params["file"]) == ("unrestorable", f"{tmp_path}/copy.db")
        assert (tmp_path / "org.db").read_bytes() == whole
    with closing(open_sqlite(url, create=False)) as store:
        assert store.read(lambda txn: txn.count(PEOPLE)) == 300
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "org.db"]


@pytest.mark.parametrize("number", range(12))
def test_what_is_backed_up_can_be_restored_or_there_is_no_back_up(whole, tmp_path, rng, number):
    """A ruined page is copied as well as any other: nobody is told that this were a back-up."""
    (tmp_path / "org.db").write_bytes(harmed(whole, rng))
    harm = None
    try:
        with closing(open_sqlite(f"sqlite:///{tmp_path}/org.db", create=False)) as store:
            harm = _raised(lambda: store.snapshot(f"{tmp_path}/copy.db"))
    except NubetisError:  # who cannot open it cannot back it up
        return
    if harm is None:
        restore(f"{tmp_path}/copy.db", f"sqlite:///{tmp_path}/again.db")
    else:
        assert [path.name for path in tmp_path.iterdir()] == ["org.db"]
        assert harm.code == "not_backed_up"
        assert "nubetis doctor" in str(harm)


def _raised(work):
    try:
        work()
    except Damaged as error:
        return error
    return None


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (bytes(2 * PAGE), "unrestorable"),
        (b"", "not_nubetis"),
        (b"SQLite format 3\0", "unrestorable"),
        (b"a diary", "unrestorable"),
    ],
)
def test_what_is_no_snapshot_is_named_as_the_one_at_fault(whole, tmp_path, content, kind):
    """The error names the source, not the place it was to go to."""
    (tmp_path / "copy.db").write_bytes(content)
    with pytest.raises(StoreError) as caught:
        restore(f"{tmp_path}/copy.db", f"sqlite:///{tmp_path}/org.db")

    assert (caught.value.code, f"{tmp_path}/copy.db" in str(caught.value)) == (kind, True)
    assert [path.name for path in tmp_path.iterdir()] == ["copy.db"]


def test_a_snapshot_is_not_restored_onto_itself(whole, tmp_path):
    (tmp_path / "org.db").write_bytes(whole)
    with pytest.raises(Conflict) as caught:
        restore(f"{tmp_path}/org.db", f"sqlite:///{tmp_path}/org.db")
    assert caught.value.code == "database_exists"

    assert (tmp_path / "org.db").read_bytes() == whole


def test_folders_are_neither_snapshots_nor_places_for_them(whole, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "copy.db").write_bytes(whole)
    with pytest.raises(StoreError) as caught:
        restore(f"{tmp_path}/folder", f"sqlite:///{tmp_path}/org.db")
    assert caught.value.code == "unreadable"
    with pytest.raises(StoreError):
        restore(f"{tmp_path}/copy.db", f"sqlite:///{tmp_path}/folder", replace=True)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy.db", "folder"]


# -- the log ----------------------------------------------------------------------------------------------------------
@pytest.fixture
def crashed(tmp_path, whole):
    """A file and its log, as a process leaves them that was killed after three units."""
    (tmp_path / "live.db").write_bytes(whole)
    store = open_sqlite(f"sqlite:///{tmp_path}/live.db?profile=fast", create=False)
    for key in (1001, 1002, 1003):
        load(store, PEOPLE, [row_of(PEOPLE, key)])
    for name in ("org.db", "org.db-wal"):
        (tmp_path / name).write_bytes((tmp_path / name.replace("org", "live")).read_bytes())
    store.close()
    return tmp_path


def found_after(folder):
    """Give how many people there are when the file is opened, and that it is sound."""
    with closing(open_sqlite(f"sqlite:///{folder}/org.db?profile=fast", create=False)) as store:
        found = keys_of(store, ALWAYS)
        assert store.check() == []
        load(store, PEOPLE, [row_of(PEOPLE, 5000)])
    return len(found)


def test_a_log_that_a_killed_process_left_is_read(crashed):
    assert found_after(crashed) == 303


def test_without_its_log_a_file_has_what_had_come_to_rest(crashed):
    (crashed / "org.db-wal").unlink()

    assert found_after(crashed) == 300


@pytest.mark.parametrize("number", range(10))
def test_of_a_log_with_a_flipped_bit_whole_units_before_it_are_kept(crashed, rng, number):
    """Checksums end the log where it is wrong; what came before is complete."""
    log = bytearray((crashed / "org.db-wal").read_bytes())
    log[rng.randrange(len(log))] ^= 1 << rng.randrange(8)
    (crashed / "org.db-wal").write_bytes(log)

    assert found_after(crashed) in {300, 301, 302, 303}


def test_the_log_of_another_file_is_not_taken_for_its_own(crashed, tmp_path_factory):
    """Salts tell them apart only while both live; a log of noise is passed over."""
    (crashed / "org.db-wal").write_bytes(Random(1).randbytes(3 * PAGE))

    assert found_after(crashed) == 300


# -- tables -----------------------------------------------------------------------------------------------------------
def test_a_table_that_is_gone_is_named(whole, tmp_path):
    (tmp_path / "org.db").write_bytes(whole)
    with closing(sqlite3.connect(tmp_path / "org.db")) as link:
        link.execute("DROP TABLE people")
    with closing(open_sqlite(f"sqlite:///{tmp_path}/org.db", create=False)) as store:
        for work in (lambda: keys_of(store, ALWAYS), lambda: load(store, PEOPLE, [row_of(PEOPLE, 1)])):
            with pytest.raises(StoreError) as caught:
                work()
            assert (caught.value.code, "people" in str(caught.value)) == ("store_failed", True)


def test_a_text_that_is_no_longer_unicode_is_damage_and_not_shown(whole, tmp_path):
    """The driver would print it; neither the error nor its traceback may."""
    (tmp_path / "org.db").write_bytes(whole)
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("UPDATE people SET note = CAST(x'ff' || note AS TEXT) WHERE id = 7")
    with closing(open_sqlite(f"sqlite:///{tmp_path}/org.db", create=False)) as store:
        with pytest.raises(Damaged) as caught:
            keys_of(store, ALWAYS)
        assert VALUE not in "".join(traceback.format_exception(caught.value))
        assert caught.value.params["what"].startswith("people at ")
        assert store.check(CONTRACT_SCHEMA) == [Finding("table_unreadable", "people")]


def test_a_twin_that_is_no_longer_unicode_is_named_by_the_check(whole, tmp_path):
    """The check goes on to the other tables: it does not stop at the first damage."""
    (tmp_path / "org.db").write_bytes(whole)
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("UPDATE people SET name__f = CAST(x'ff' AS TEXT), name = 'x' WHERE id = 7")
    with closing(open_sqlite(f"sqlite:///{tmp_path}/org.db", create=False)) as store:
        assert store.check(CONTRACT_SCHEMA) == [Finding("table_unreadable", "people")]


def test_a_snapshot_of_a_file_in_use_by_others_is_restored_with_its_log(crashed):
    """Whoever copies a file by hand and brings its log along loses nothing."""
    restore(f"{crashed}/org.db", f"sqlite:///{crashed}/new.db")

    with closing(open_sqlite(f"sqlite:///{crashed}/new.db", create=False)) as store:
        assert len(keys_of(store, ALWAYS)) == 303
