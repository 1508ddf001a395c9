"""What a URL may find, and that looking changes nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from nubetis.backends.sql import Profile, open_sqlite
from nubetis.backends.sql.sqlite.connections import locate
from nubetis.errors import Damaged, InvalidValue, NewerFormat, NotFound, StoreError
from nubetis.model.schema import Schema, diff
from nubetis.model.store import FORMAT
from nubetis.model.system import SYSTEM_SCHEMA


def test_a_missing_file_is_not_found_and_not_made(url, tmp_path):
    with pytest.raises(NotFound) as caught:
        open_sqlite(url, create=False)

    assert caught.value.code == "no_database"
    assert caught.value.params["url"] == url
    assert list(tmp_path.iterdir()) == []


def test_an_empty_file_holds_no_organisation(url, tmp_path):
    (tmp_path / "org.db").touch()

    with pytest.raises(NotFound):
        open_sqlite(url, create=False)
    with closing(open_sqlite(url, create=True)) as store:
        assert store.format() is None


def test_a_store_that_was_never_migrated_holds_no_organisation(url):
    open_sqlite(url, create=True).close()

    with pytest.raises(NotFound):
        open_sqlite(url, create=False)


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("table", ["CREATE TABLE versions (id, x)", "CREATE TABLE songs (name)"])
def test_a_strange_database_is_left_alone(url, tmp_path, table, create):
    with closing(sqlite3.connect(tmp_path / "org.db")) as link:
        link.execute(table)
    before = (tmp_path / "org.db").read_bytes()

    with pytest.raises(StoreError) as caught:
        open_sqlite(url, create=create)

    assert caught.value.code == "not_nubetis"
    assert (tmp_path / "org.db").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["org.db"]


@pytest.mark.parametrize("create", [False, True])
def test_a_file_that_is_no_database_is_said_to_be_none_and_its_content_not_told(url, tmp_path, create):
    (tmp_path / "org.db").write_bytes(b"secret " * 500)

    with pytest.raises(Damaged) as caught:
        open_sqlite(url, create=create)

    assert caught.value.code == "not_sqlite"
    assert "secret" not in str(caught.value)
    assert (tmp_path / "org.db").read_bytes() == b"secret " * 500


def test_in_a_folder_that_is_missing_nothing_is_made_and_the_folder_is_named(tmp_path):
    with pytest.raises(StoreError) as caught:
        open_sqlite(f"sqlite:///{tmp_path}/no/such/org.db", create=True)

    assert (caught.value.code, caught.value.params["folder"]) == ("no_folder", f"{tmp_path}/no/such")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_into_a_folder_that_is_missing_names_it(store, tmp_path):
    with pytest.raises(StoreError) as caught:
        store.snapshot(f"{tmp_path}/no/copy.db")

    assert (caught.value.code, caught.value.params["folder"]) == ("no_folder", f"{tmp_path}/no")


def test_a_broken_page_is_damage(url, store, tmp_path):
    store.close()
    path = tmp_path / "org.db"
    content = bytearray(path.read_bytes())
    content[100:4096] = b"\xff" * 3996  # the first page keeps its header and loses the rest
    path.write_bytes(content)

    with pytest.raises(Damaged):
        open_sqlite(url, create=False)


def test_a_newer_format_is_refused(url, store, tmp_path):
    store.close()
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("UPDATE versions SET format = ?", (FORMAT + 1,))

    with pytest.raises(NewerFormat) as caught:
        open_sqlite(url, create=True)

    assert caught.value.params == {"url": url, "found": FORMAT + 1, "known": FORMAT}


def test_a_format_that_becomes_newer_is_seen_by_the_next_unit(store, tmp_path):
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("UPDATE versions SET format = ?", (FORMAT + 1,))

    with pytest.raises(NewerFormat):
        store.read(lambda txn: txn.versions())


@pytest.mark.parametrize(
    "url", ["sqlite://", "sqlite:///", "sqlite:///:memory:", "sqlite:///a.db?profile=x", "sqlite:///a.db?mode=ro", "x"]
)
def test_a_url_that_says_something_else_is_refused(url):
    with pytest.raises(InvalidValue) as caught:
        open_sqlite(url, create=True)

    assert caught.value.code == "bad_argument"


def test_the_profile_says_how_far_a_commit_goes(tmp_path):
    assert locate("sqlite:///a.db").profile is Profile.DURABLE
    for profile, level in (("durable", 2), ("fast", 1)):
        with closing(open_sqlite(f"sqlite:///{tmp_path}/{profile}.db?profile={profile}", create=True)) as store:
            assert store.capabilities.durable is (profile == "durable")
            assert store._units.apart(lambda link: link.execute("PRAGMA synchronous").fetchone()) == (level,)


@pytest.mark.parametrize("name", ["a b?c.db", "100%.db", "ñandú#1.db"])
def test_names_of_files_are_taken_to_the_letter(tmp_path, name):
    if "?" in name:
        name = name.replace("?", "=")  # a question mark begins the settings of a URL
    open_sqlite(f"sqlite:///{tmp_path}/{name}", create=True).close()

    assert name in {path.name for path in tmp_path.iterdir()}


def test_a_folder_that_is_not_there_is_an_error_of_ours(tmp_path):
    with pytest.raises(StoreError) as caught:
        open_sqlite(f"sqlite:///{tmp_path}/none/org.db", create=True)

    assert caught.value.code == "no_folder"


def test_a_relative_path_begins_at_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with closing(open_sqlite("sqlite:///here.db", create=True)) as store:
        store.migrate(diff(Schema(), SYSTEM_SCHEMA), SYSTEM_SCHEMA)

    assert (tmp_path / "here.db").is_file()


def test_no_connection_is_left_open(url):
    """In a process of its own, where every warning is an error to the end."""
    script = (
        "import sys, nubetis.backends.sql as sql, threading\n"
        f"store = sql.open_sqlite({url!r}, create=True)\n"
        "threads = [threading.Thread(target=store.format) for _ in range(4)]\n"
        "[t.start() for t in threads]; [t.join() for t in threads]\n"
        "store.close(); del store\n"
    )
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", script], capture_output=True, text=True, check=False
    )

    assert (run.returncode, run.stderr) == (0, "")


def test_a_closed_store_says_so(store):
    store.close()

    with pytest.raises(StoreError) as caught:
        store.read(lambda txn: txn.versions())
    assert caught.value.code == "closed"
