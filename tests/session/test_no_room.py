"""Where the folder for temporary files has no room, it is said, and what to do; nothing is left behind."""

from __future__ import annotations

import io
import tempfile

import pytest

import nubetis
from nubetis.backends.memory import forget_memory
from nubetis.errors import StoreError
from nubetis.model.fields import Field
from nubetis.model.kinds import FileRef, kind
from nubetis.session import subject
from nubetis.session.subject import export_subject
from nubetis.testing.people import ADMINISTRATOR
from tests.stores import no_file_beyond, refusing

AT = "memory://restored-without-room"


@pytest.fixture
def none(monkeypatch, tmp_path):
    """Let the folder for temporary files be none."""
    monkeypatch.setattr(tempfile, "tempdir", f"{tmp_path}/none")


@pytest.fixture
def temporary(monkeypatch, tmp_path):
    """Give a folder for temporary files of one's own."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def spilling(monkeypatch):
    """Let everything of a person's data go by way of a file."""
    monkeypatch.setattr(subject, "_IN_MEMORY", 1)


@pytest.fixture
def contact(nubetis_session):
    found = nubetis_session.create("contacts", last_name="Ríos", description="x" * 20_000)
    return nubetis_session.edit(found.id, description="y" * 20_000)


@pytest.fixture
def back_up(tmp_path):
    """Give the name of a back-up."""
    with nubetis.create("memory://", administrator=ADMINISTRATOR) as org:
        org.backup(f"{tmp_path}/org.bak")
    return f"{tmp_path}/org.bak"


@pytest.mark.usefixtures("spilling")
@pytest.mark.parametrize("size", [1, 1000, 20_000])
def test_a_person_s_data_is_not_half_given(nubetis_session, contact, temporary, tmp_path, size):
    """Neither to an open file nor into a folder; with room it is given."""
    sink, folder = io.BytesIO(), tmp_path / "given"
    for target in (sink, folder):
        with no_file_beyond(size), refusing("no_temporary", StoreError, match="TMPDIR"):
            export_subject(nubetis_session, contact, target)
    assert (sink.getvalue(), folder.exists(), list(temporary.iterdir())) == (b"", False, [])
    assert export_subject(nubetis_session, contact, folder).changes == 1


@pytest.mark.usefixtures("spilling")
def test_a_folder_that_is_none_is_said_to_be_none(nubetis_session, contact, none):
    with refusing("no_temporary", StoreError, match="no such file or folder"):
        export_subject(nubetis_session, contact, io.BytesIO())


@pytest.mark.parametrize("size", [10, 5000])
def test_a_folder_that_has_no_room_is_as_it_was(nubetis_org, nubetis_session, tmp_path, size):
    """What was there stays; what was begun goes, files too."""
    nubetis_org.add_field("contacts", Field(name="scan", type=kind("file")))
    refs = [FileRef(hash=nubetis_org.blobs.put(each), name="a", size=len(each)) for each in (b"a" * 100, b"b" * 50_000)]
    made = nubetis_session.create("contacts", last_name="Ríos", scan=refs[0])
    nubetis_session.edit(made.id, scan=refs[1])
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "mine.txt").write_text("mine")
    for folder in (tmp_path / "given", tmp_path / "new"):
        with no_file_beyond(size), refusing("unwritable", StoreError):
            export_subject(nubetis_session, made.id, folder)
    assert [each.name for each in (tmp_path / "given").iterdir()] == ["mine.txt"]
    assert not (tmp_path / "new").exists()


def test_nothing_is_restored_by_way_of_no_folder(back_up, none):
    with refusing("no_temporary", StoreError, match="TMPDIR"):
        nubetis.org.restore(back_up, AT)
    forget_memory(AT)


@pytest.mark.parametrize("size", [1, 10_000, 100_000])
def test_nothing_is_restored_by_way_of_a_folder_without_room(back_up, temporary, size):
    with no_file_beyond(size), refusing("no_temporary", StoreError, match="make room there"):
        nubetis.org.restore(back_up, AT)
    assert list(temporary.iterdir()) == []
    with pytest.raises(nubetis.NubetisError):
        nubetis.open(AT)
