"""Snapshots beside writers, restoring, and finding what is wrong."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing

import pytest

import nubetis
from nubetis.backends.sql import open_sqlite, restore
from nubetis.errors import Conflict, Damaged, NewerFormat, StoreBusy, StoreError
from nubetis.model.bind import ALWAYS
from nubetis.model.findings import Finding
from nubetis.model.schema import Schema, diff
from nubetis.org import copy
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, PEOPLE, keys_of, load, race, row_of
from tests.stores import refusing


@pytest.fixture
def snapshot(store, tmp_path):
    """Give the name of a snapshot with two people in it."""
    load(store, PEOPLE, [row_of(PEOPLE, key, {"name": f"Ñ{key}", "marks": '["a"]'}) for key in (1, 2)])
    target = f"{tmp_path}/copy.db"
    store.snapshot(target)
    return target


def break_into(path, *statements):
    with closing(sqlite3.connect(path, isolation_level=None)) as link:
        for sql in statements:
            link.execute(sql)


# -- snapshots --------------------------------------------------------------------------------------------------------
def test_a_snapshot_is_one_file_that_is_whole(snapshot, tmp_path):
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith("copy")) == ["copy.db"]
    with closing(sqlite3.connect(snapshot)) as link:
        assert link.execute("PRAGMA journal_mode").fetchone() == ("delete",)
        assert link.execute("SELECT count(*) FROM people").fetchone() == (2,)


def test_a_snapshot_does_not_overwrite(store, snapshot):
    with pytest.raises(StoreError) as caught:
        store.snapshot(snapshot)
    assert caught.value.code == "unwritable"


def test_a_snapshot_that_cannot_be_written_leaves_nothing(store, tmp_path):
    with pytest.raises(StoreError):
        store.snapshot(f"{tmp_path}/none/copy.db")

    assert [path.name for path in tmp_path.iterdir() if "copy" in path.name or "part" in path.name] == []


def test_what_is_written_after_the_fence_has_looked_is_not_in_the_snapshot(store, tmp_path):
    def look(txn):
        assert txn.count(PEOPLE) == 0
        race(lambda: load(store, PEOPLE, [row_of(PEOPLE, 1)]))

    store.snapshot(f"{tmp_path}/copy.db", fence=look)

    assert keys_of(store, ALWAYS) == [1]
    with closing(open_sqlite(f"sqlite:///{tmp_path}/copy.db", create=False)) as copy:
        assert keys_of(copy, ALWAYS) == []


def test_snapshots_beside_writers_hold_whole_units(store, tmp_path):
    done = threading.Event()

    def writer():
        for unit in range(60):
            load(store, PEOPLE, [row_of(PEOPLE, unit * 100 + place + 1) for place in range(50)])
        done.set()

    def copier():
        copies = 0
        while not done.is_set() or not copies:
            store.snapshot(f"{tmp_path}/copy{copies}.db")
            copies += 1
        return copies

    copies = race(writer, copier)[1]
    for number in range(copies):
        with closing(open_sqlite(f"sqlite:///{tmp_path}/copy{number}.db", create=False)) as copy:
            assert len(keys_of(copy, ALWAYS)) % 50 == 0
            assert copy.check() == []


# -- restoring --------------------------------------------------------------------------------------------------------
def test_a_snapshot_is_restored_to_a_new_place(snapshot, tmp_path):
    restore(snapshot, f"sqlite:///{tmp_path}/new.db")

    with closing(open_sqlite(f"sqlite:///{tmp_path}/new.db", create=False)) as store:
        assert keys_of(store, ALWAYS) == [1, 2]
        load(store, PEOPLE, [row_of(PEOPLE, 3)])
        assert store.check() == []


def test_an_organisation_is_replaced_only_when_told(store, url, snapshot):
    load(store, PEOPLE, [row_of(PEOPLE, 3)])
    store.close()
    with pytest.raises(Conflict) as caught:
        restore(snapshot, url)
    assert caught.value.code == "database_exists"

    restore(snapshot, url, replace=True)
    with closing(open_sqlite(url, create=False)) as back:
        assert keys_of(back, ALWAYS) == [1, 2]


def test_an_organisation_in_use_is_not_replaced(store, url, snapshot, tmp_path):
    load(store, PEOPLE, [row_of(PEOPLE, 3)])

    with pytest.raises(StoreBusy):
        restore(snapshot, url, replace=True)

    assert keys_of(store, ALWAYS) == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir() if "part" in path.name] == []


def test_what_is_damaged_can_be_replaced(store, url, snapshot, tmp_path):
    store.close()
    content = (tmp_path / "org.db").read_bytes()
    (tmp_path / "org.db").write_bytes(content[:100] + b"\0" * (len(content) - 100))  # it says still what it was
    (tmp_path / "org.db-wal").write_bytes(b"left over")

    restore(snapshot, url, replace=True)

    with closing(open_sqlite(url, create=False)) as back:
        assert keys_of(back, ALWAYS) == [1, 2]


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("name", ["notes.csv", "songs.db"])
def test_nothing_restored_takes_the_place_of_what_is_no_organisation(snapshot, tmp_path, name, replace):
    """As nothing is made or copied there; it is not called an organisation either."""
    path = tmp_path / name
    if name == "notes.csv":
        path.write_bytes(b"name,note\r\nAna,call her\r\n")
    else:
        break_into(path, "CREATE TABLE songs (name)")
    before = path.read_bytes()

    with refusing("not_sqlite" if name == "notes.csv" else "not_nubetis", StoreError):
        restore(snapshot, f"sqlite:///{path}", replace=replace)
    assert path.read_bytes() == before


def test_an_empty_file_is_restored_to_as_one_is_made_there(snapshot, tmp_path):
    (tmp_path / "new.db").touch()
    restore(snapshot, f"sqlite:///{tmp_path}/new.db")

    with closing(open_sqlite(f"sqlite:///{tmp_path}/new.db", create=False)) as store:
        assert keys_of(store, ALWAYS) == [1, 2]


def test_only_a_whole_snapshot_of_ours_is_restored(snapshot, tmp_path):
    target = f"sqlite:///{tmp_path}/new.db"
    cases = {
        "songs.db": (["CREATE TABLE songs (name)"], StoreError),
        "empty.db": ([], StoreError),
        "newer.db": (["CREATE TABLE versions (id, format, schema, access, settings)",
                      "INSERT INTO versions VALUES (1, 999, 0, 0, 0)"], NewerFormat),
    }  # fmt: skip
    for name, (statements, kind) in cases.items():
        break_into(tmp_path / name, *statements)
        with pytest.raises(kind):
            restore(f"{tmp_path}/{name}", target)
    torn = tmp_path / "torn.db"
    content = bytearray((tmp_path / "copy.db").read_bytes())
    content[8192:-4096] = bytes(len(content) - 12288)
    torn.write_bytes(content)
    with pytest.raises(Damaged):
        restore(str(torn), target)
    with pytest.raises(StoreError):
        restore(f"{tmp_path}/none.db", target)

    assert not (tmp_path / "new.db").exists()


# -- checks -----------------------------------------------------------------------------------------------------------
def test_a_sound_store_has_nothing_to_say(store, snapshot):
    assert store.check() == []


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        ("UPDATE people SET name__f = 'x' WHERE id = 1", "name__f of people is not the fold of its text in 1 rows"),
        ("DELETE FROM people__marks WHERE record = 2", "people__marks does not say what the choices in"),
        ("INSERT INTO people__marks VALUES (9, 'b')", "people__marks does not say what the choices in"),
        ('INSERT INTO tallies (module, "column", value, delta) SELECT module, "column", value, 1 FROM tallies LIMIT 1',
         "The tallies of people by"),
        ("DROP INDEX people__ix__size", "lacks the indexes people__ix__size"),
        ("ALTER TABLE people DROP COLUMN face", "Table people lacks face"),
        ("DROP TABLE logs", "Table logs is missing"),
    ],
)  # fmt: skip
def test_harm_done_by_other_hands_is_found(store, snapshot, tmp_path, harm, said):
    break_into(tmp_path / "org.db", harm)

    (fault,) = store.check()
    assert said in str(fault)
    assert "Ñ1" not in str(fault)


def test_a_store_just_opened_is_checked_too(store, snapshot, url, tmp_path):
    store.close()
    break_into(tmp_path / "org.db", "DROP INDEX users__ux__email__f")

    with closing(open_sqlite(url, create=False)) as again:
        assert again.check() == [Finding("index_missing", "users", "users__ux__email__f")]


def test_compacting_keeps_the_counts(store, query):
    for key in range(1, 50):
        load(store, PEOPLE, [row_of(PEOPLE, key, {"owner": key % 3, "deleted_in": 5 if key % 2 else None})])
    before = store.read(lambda txn: txn.tally(PEOPLE, "owner"))
    store.compact([PEOPLE.id + 1])
    assert query("SELECT count(*) FROM tallies") > [(40,)]

    store.compact()

    assert store.read(lambda txn: txn.tally(PEOPLE, "owner")) == before == {0: 8, 1: 8, 2: 8}
    assert query("SELECT count(*) FROM tallies") == [(4,)]
    assert store.check() == []


def test_a_migration_again_does_not_count_twice(store, snapshot):
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)

    assert store.check() == []


@pytest.mark.parametrize("how", ["copy", "restore"])
def test_what_is_replaced_keeps_its_rights(tmp_path, how):
    """Of a file that its owner alone may read, the new one is not for everybody; nor was it while it was made."""
    old, new = tmp_path / "old.db", tmp_path / "new.db"
    for path in (old, new):
        nubetis.create(f"sqlite:///{path}", administrator="ana@acme.pe").close()
    old.chmod(0o600)
    if how == "copy":
        copy(f"sqlite:///{new}", f"sqlite:///{old}", replace=True)
    else:
        restore(str(new), f"sqlite:///{old}", replace=True)

    assert old.stat().st_mode & 0o777 == 0o600
    assert [path for path in tmp_path.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("harm", [b"}", b"\xff"])
def test_a_backup_that_could_not_be_opened_takes_no_ones_place(tmp_path, harm):
    """Its pages are whole, and one byte of a definition is not: what is there already stays."""
    good, bad = f"sqlite:///{tmp_path}/good.db", tmp_path / "bad.db"
    with nubetis.create(f"sqlite:///{tmp_path}/old.db", administrator="ana@acme.pe") as org:
        org.backup(str(bad))
    with nubetis.create(good, administrator="ana@acme.pe") as org:
        before = org.settings()
    bytes_of = bytearray(bad.read_bytes())
    at = bytes_of.index(b'{"fields"')
    bytes_of[at : at + 1] = harm
    bad.write_bytes(bytes_of)
    with refusing("unrestorable", Damaged):
        nubetis.org.restore(str(bad), good, replace=True)
    with nubetis.open(good) as org:
        assert before == org.settings()
