"""Which file a URL names: to the letter, for as long as the store lives."""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.backends.sql import open_sqlite, restore
from nubetis.backends.sql.sqlite.connections import locate, uri
from nubetis.errors import InvalidValue, NotFound, StoreError
from nubetis.model.bind import ALWAYS
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, PEOPLE, keys_of, load, race, row_of

NAMES = [
    "a b.db", "100%.db", "a%20b.db", "ñandú.db", "n\u0303.db", "東京 🙂.db",
    "x.db#f", "file:x.db", "a&b=c;d.db", "'\".db", "-wal",
     "a\nb.db", "..db", "$HOME.db", "~", "a\\b.db",
]  # fmt: skip


def made(url):
    """Make an organisation with the tables of the suite."""
    store = open_sqlite(url, create=True)
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    return store


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_taken_to_the_letter_and_found_again(tmp_path, name):
    """No percent escape, quote, fragment or scheme inside it means anything."""
    url = f"sqlite:///{tmp_path}/{name}?profile=fast"
    with closing(open_sqlite(url, create=True)) as store:
        assert store.format() is None
    with pytest.raises(NotFound):
        open_sqlite(url, create=False)
    assert name in {path.name for path in tmp_path.iterdir()}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere names of files are Unicode")
def test_a_name_that_is_not_unicode_is_a_name(tmp_path):
    name = os.fsdecode(b"caf\xe9.db")
    open_sqlite(f"sqlite:///{tmp_path}/{name}", create=True).close()

    assert b"caf\xe9.db" in {os.fsencode(path.name) for path in tmp_path.iterdir()}


@pytest.mark.parametrize("name", ["org\0.db", "a\ud800.db"])
@pytest.mark.parametrize("create", [True, False])
def test_a_name_that_no_file_can_have_is_refused(tmp_path, name, create):
    """SQLite would end the first at the NUL and open another file."""
    with pytest.raises(InvalidValue) as caught:
        open_sqlite(f"sqlite:///{tmp_path}/{name}", create=create)

    assert caught.value.code == "bad_argument"
    assert list(tmp_path.iterdir()) == []


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0?"), min_size=1))
def test_no_name_becomes_a_setting(path):
    """Whatever it holds, SQLite is told one mode, and it is ours."""
    told = uri(path, "ro")

    assert (told.count("?"), told.count("#"), told.endswith("?mode=ro")) == (1, 0, True)


def test_two_slashes_do_not_name_a_host(tmp_path):
    with closing(open_sqlite(f"sqlite:////{tmp_path}/org.db", create=True)) as store:
        assert store.format() is None

    assert (tmp_path / "org.db").is_file()


@pytest.mark.parametrize(
    "url",
    ["postgresql://x/y", "SQLITE:///a.db", " sqlite:///a.db", "sqlite:/a.db", "sqlite:///a.db?profile=",
     "sqlite:///a.db?profile=fast&profile=durable", "sqlite:///a.db?profile=fast&cache=shared",
     "sqlite:///a.db?PROFILE=fast", "sqlite:///?profile=fast"],
)  # fmt: skip
def test_what_it_does_not_know_is_refused_and_not_passed_over(url):
    with pytest.raises(InvalidValue) as caught:
        locate(url)

    assert caught.value.code == "bad_argument"


def test_a_name_too_long_is_not_found_and_cannot_be_made(tmp_path):
    url = f"sqlite:///{tmp_path}/{'n' * 300}.db"
    with pytest.raises(NotFound):
        open_sqlite(url, create=False)
    with pytest.raises(StoreError) as caught:
        open_sqlite(url, create=True)

    assert caught.value.code == "read_only_store"


def test_a_folder_is_no_organisation_and_stays_a_folder(tmp_path):
    (tmp_path / "org.db").mkdir()
    with pytest.raises(NotFound):
        open_sqlite(f"sqlite:///{tmp_path}/org.db", create=False)
    with pytest.raises(StoreError) as caught:
        open_sqlite(f"sqlite:///{tmp_path}/org.db", create=True)

    assert caught.value.code == "read_only_store"
    assert list((tmp_path / "org.db").iterdir()) == []


def test_a_relative_name_means_the_same_file_when_the_process_goes_elsewhere(tmp_path, monkeypatch):
    """Connections are made when they are needed: none may open another file of that name."""
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(tmp_path)
    with closing(made("sqlite:///org.db?profile=fast")) as store:
        load(store, PEOPLE, [row_of(PEOPLE, 1)])
        monkeypatch.chdir(other)
        found = race(*[lambda: keys_of(store, ALWAYS)] * 4)
        load(store, PEOPLE, [row_of(PEOPLE, 2)])

    assert found == [[1]] * 4
    assert list(other.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="the system has no links")
def test_a_link_leads_to_its_file_and_stays_a_link(tmp_path):
    """What lies beside the file, lies beside the file and not beside the link; a restored one takes its place."""
    (tmp_path / "data").mkdir()
    (tmp_path / "org.db").symlink_to(tmp_path / "data" / "real.db")
    url = f"sqlite:///{tmp_path}/org.db?profile=fast"
    with closing(made(url)) as store:
        load(store, PEOPLE, [row_of(PEOPLE, 1)])
        store.snapshot(f"{tmp_path}/copy.db")
        load(store, PEOPLE, [row_of(PEOPLE, 2)])
        assert {path.name for path in tmp_path.iterdir()} == {"data", "org.db", "copy.db"}
    restore(f"{tmp_path}/copy.db", url, replace=True)

    assert (tmp_path / "org.db").is_symlink()
    with closing(open_sqlite(f"sqlite:///{tmp_path}/data/real.db", create=False)) as store:
        assert keys_of(store, ALWAYS) == [1]


# -- files that go while they are open --------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be moved there")
@pytest.mark.parametrize("harm", ["deleted", "moved", "replaced"])
def test_nothing_is_acknowledged_that_would_go_to_a_file_nobody_finds(tmp_path, harm):
    path = tmp_path / "org.db"
    store = made(f"sqlite:///{path}?profile=fast")
    load(store, PEOPLE, [row_of(PEOPLE, 1)])
    path.rename(tmp_path / "elsewhere.db")
    if harm == "replaced":
        made(f"sqlite:///{path}").close()
    if harm == "deleted":
        (tmp_path / "elsewhere.db").unlink()

    with pytest.raises(StoreError) as caught:
        load(store, PEOPLE, [row_of(PEOPLE, 2)])

    assert caught.value.code == "store_failed"
    store.close()


@pytest.mark.skipif(sys.platform == "win32", reason="open files cannot be moved there")
def test_no_connection_makes_a_file_anew(tmp_path):
    """Only making an organisation makes a file; afterwards one that is gone is missed."""
    path = tmp_path / "org.db"
    store = made(f"sqlite:///{path}?profile=fast")
    store._units.pool.drain()
    for left in tmp_path.iterdir():
        left.unlink()

    with pytest.raises(StoreError) as caught:
        keys_of(store, ALWAYS)
    assert caught.value.code == "read_only_store"
    assert list(tmp_path.iterdir()) == []
    store.close()


def test_a_snapshot_goes_to_a_name_that_a_file_can_have(tmp_path):
    with closing(made(f"sqlite:///{tmp_path}/org.db?profile=fast")) as store:
        for name in ("a\0b", "n" * 300, "none/copy.db", "org.db"):
            with pytest.raises(StoreError):
                store.snapshot(str(Path(tmp_path, name)))

    assert [path.name for path in tmp_path.iterdir()] == ["org.db"]
