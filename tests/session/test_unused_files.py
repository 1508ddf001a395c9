"""Files of which nothing speaks: found, and taken away; what a record, the past or a waiting plan leads to stays."""

from __future__ import annotations

import pytest

from nubetis import Field
from nubetis.errors import NotFound
from nubetis.model.kinds import FileRef, kind
from nubetis.session import erasing
from nubetis.session.resuming import resume
from nubetis.session.state import State
from tests.session.stopping import cancel
from tests.stores import refusing


@pytest.fixture
def org(nubetis_org):
    """An organisation whose leads have a photo."""
    nubetis_org.add_field("leads", Field(name="photo", type=kind("image")))
    return nubetis_org


def put(org, data):
    return FileRef(hash=org.blobs.put(data), name="a.png", size=len(data))


def state(org):
    return State(org._world, None, purpose="testing")


def test_only_what_nothing_leads_to_is_found_and_goes(org, nubetis_session):
    """A file that is shown, was shown, was retired, lies in the recycle bin, or was never shown by anybody."""
    now, once, binned, retired, orphan = (put(org, each) for each in (b"now", b"once", b"bin", b"retired", b"orphan"))
    lead = nubetis_session.create("leads", name="A", photo=once)
    nubetis_session.edit(lead.id, photo=now)
    nubetis_session.delete(nubetis_session.create("leads", name="B", photo=binned).id)
    org.add_field("leads", Field(name="scan", type=kind("file")))
    nubetis_session.create("leads", name="C", scan=retired)
    org.alter(org.schema.retire_field("leads", "scan"))

    found = erasing.unused_files(state(org))
    assert [orphan.hash] == found
    assert 1 == erasing.remove_unused_files(state(org), found)
    assert [] == erasing.unused_files(state(org))
    with refusing("not_found", NotFound):
        org.blobs.get(orphan.hash)
    kept = [org.blobs.get(each.hash) for each in (now, once, binned, retired)]
    assert [b"now", b"once", b"bin", b"retired"] == kept


def test_what_is_used_between_finding_and_removing_stays(org, nubetis_session):
    late = put(org, b"late")
    found = erasing.unused_files(state(org))
    nubetis_session.create("leads", name="A", photo=late)
    assert 0 == erasing.remove_unused_files(state(org), found)
    assert b"late" == org.blobs.get(late.hash)


def test_a_plan_that_waits_keeps_its_files(org, nubetis_session, small_chunks):
    """Also from an erasure of another record with the same file."""
    photos = [put(org, str(number).encode()) for number in range(3 * small_chunks)]
    plan = nubetis_session.plan_create("leads", [{"name": f"L{n}", "photo": each} for n, each in enumerate(photos)])
    cancel(nubetis_session, plan)
    twin = nubetis_session.create("leads", name="twin", photo=photos[-1])
    erasing.erase(nubetis_session, twin.id, fields=["photo"])

    assert [] == erasing.unused_files(state(org))
    resume(nubetis_session, org.interrupted()[0].id)
    last = nubetis_session.find("leads", sort="-id")[0]["photo"]
    assert [str(n).encode() for n in range(len(photos))] == [org.blobs.get(each.hash) for each in photos]
    assert last is None or org.blobs.get(last.hash)


def test_a_writer_that_dies_between_its_commit_and_the_bytes_leaves_them_to_be_found(org, nubetis_session, monkeypatch):
    """The process ends before what is to be done afterwards is done."""
    photo = put(org, b"mine")
    lead = nubetis_session.create("leads", name="A", photo=photo)
    monkeypatch.setattr(type(org.blobs), "delete", _die)
    with pytest.raises(KeyboardInterrupt):
        erasing.erase(nubetis_session, lead.id, fields=["photo"])
    monkeypatch.undo()

    assert b"mine" == org.blobs.get(photo.hash)
    found = erasing.unused_files(state(org))
    assert ([photo.hash], 1) == (found, erasing.remove_unused_files(state(org), found))


def _die(*_given):
    raise KeyboardInterrupt
