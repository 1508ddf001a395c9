"""A file whose catalogue of tables is ruined is a damaged one on every road, whatever bytes stand there now."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nubetis
from nubetis.errors import Damaged, NubetisError
from nubetis.org import check_store, restore
from nubetis.testing.people import ADMINISTRATOR
from tests.stores import refusing

NOT_UNICODE = b"\x80"
"""SQLite quotes the word in which it stands, and the driver cannot read what is quoted."""
ENTRIES = re.compile(rb"CREATE (TABLE|INDEX)")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Give the file of an organisation with a contact."""
    path = tmp_path_factory.mktemp("whole") / "org.db"
    with nubetis.create(f"sqlite:///{path}?profile=fast", administrator=ADMINISTRATOR) as org:
        with org.session(nubetis.HostSignIn(ADMINISTRATOR)) as session:
            session.create("contacts", last_name="Paz")
        org.backup(f"{path}.bak")
    return Path(f"{path}.bak")


def ruined(whole, folder, harm, *, at=2, entry=0):
    """Give the name of a copy of *whole* with *harm* in the catalogue."""
    data = bytearray(whole.read_bytes())
    found = [each.start() for each in ENTRIES.finditer(data)]
    start = found[entry % len(found)] + at
    data[start : start + len(harm)] = harm
    path = folder / "ruined.db"
    path.write_bytes(data)
    return path


def opened(path, whole):
    with nubetis.open(f"sqlite:///{path}?profile=fast") as org, org.session(nubetis.HostSignIn(ADMINISTRATOR)) as s:
        s.find("contacts")
        org.check()


ROADS = {
    "open": opened,
    "doctor": lambda path, whole: check_store(f"sqlite:///{path}"),
    "restore": lambda path, whole: restore(str(path), f"sqlite:///{path.parent}/new.db"),
}


@pytest.mark.parametrize("road", ROADS)
@pytest.mark.parametrize("harm", [NOT_UNICODE, b"\0", b"nonsense"])
def test_it_is_said_to_be_damaged_and_what_to_do(whole, tmp_path, road, harm):
    path = ruined(whole, tmp_path, harm)
    before = path.read_bytes()
    with pytest.raises(Damaged, match=r"Restore a back-up|Take another back-up"):
        ROADS[road](path, whole)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir() if each.suffix == ".db"] == ["ruined.db"]


def test_a_back_up_takes_its_place(whole, tmp_path):
    path = ruined(whole, tmp_path, NOT_UNICODE)
    restore(str(whole), f"sqlite:///{path}", replace=True)
    opened(path, whole)


def test_it_is_not_backed_up(whole, tmp_path):
    """Neither where it was ruined while somebody worked in it."""
    path = tmp_path / "org.db"
    restore(str(whole), f"sqlite:///{path}")
    with nubetis.open(f"sqlite:///{path}?profile=fast") as org:
        place = path.read_bytes().index(b"CREATE TABLE contacts") + 2
        with path.open("r+b") as file:
            file.seek(place)
            file.write(NOT_UNICODE)
        with refusing("not_backed_up", Damaged):
            org.backup(f"{tmp_path}/copy.db")
    assert not (tmp_path / "copy.db").exists()


def said(road, *given):
    """Give the code of the error with which *road* ends, if it does."""
    try:
        road(*given)
    except NubetisError as error:
        return error.code


@given(harm=st.binary(min_size=1, max_size=4), at=st.integers(-40, 200), entry=st.integers(0, 200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_bytes_stand_there_it_is_an_error_of_ours_or_none(whole, tmp_path, harm, at, entry):
    path = ruined(whole, tmp_path, harm, at=at, entry=entry)
    assert {said(ROADS[road], path, whole) for road in ("doctor", "restore")} <= {None, "damaged", "unrestorable"}
    for each in tmp_path.iterdir():
        each.unlink()
