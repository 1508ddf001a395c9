"""Erasure: a value leaves the record, its past and the bytes of the store; the journal still verifies."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing, suppress

import pytest

from nubetis import F
from nubetis.data import merge
from nubetis.errors import Cancelled, InvalidValue, NotFound
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import FileRef, kind
from nubetis.model.plan import CauseKind, OperationState
from nubetis.model.schema import Module
from nubetis.session import erasing, past, resuming
from tests.session.stopping import cancel
from tests.stores import refusing, rows_of

CANARY = "canary7f3a9c@acme.pe"


def everything(org):
    """Give all that the store holds, as one text."""
    return json.dumps([rows_of(org, module) for module in org.schema.modules], default=repr)


def filled(session):
    """Make a record whose e-mail was changed, moved, undone, deleted and restored with the canary in it."""
    lead = session.create("leads", name="A", email=CANARY, company="Acme")
    session.edit(lead.id, email="other@acme.pe")
    session.edit(lead.id, email=CANARY)
    session.undo(past.operations(session, limit=1)[0])
    session.undo(past.operations(session, limit=1)[0])
    session.delete(lead.id)
    session.restore(lead.id)
    return lead


def test_an_erased_value_is_nowhere(nubetis_org, nubetis_session):
    """Records, twins, journal, plans: no row has it, and the chain is whole, as long as it was."""
    lead = filled(nubetis_session)
    anchor = nubetis_org.verify().anchor
    assert CANARY in everything(nubetis_org)
    erasing.erase(nubetis_session, lead.id, fields=["email"])

    assert CANARY not in everything(nubetis_org)
    assert nubetis_session.get(lead)["email"] is None
    assert nubetis_session.get(lead)["company"] == "Acme"
    assert nubetis_org.verify(anchor=anchor).tampered == ()
    assert nubetis_org.check() == []


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_an_erased_value_is_in_no_byte_of_the_file(nubetis_org, nubetis_session, tmp_path):
    """Once the file is closed, neither it nor its log holds the value: pages are overwritten."""
    lead = filled(nubetis_session)
    erasing.erase(nubetis_session, lead.id)
    nubetis_org.close()
    left = [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()]

    assert left == []


def test_all_personal_data_goes_where_no_field_is_named(nubetis_session):
    """The marks of the schema say what is personal."""
    lead = nubetis_session.create(
        "leads", name="A", first_name="Ana", last_name="Paz", email="ana@acme.pe", company="Acme"
    )
    erasing.erase(nubetis_session, lead)
    now = nubetis_session.get(lead.id)

    assert tuple(now[name] for name in ("first_name", "last_name", "email", "company")) == (None, None, None, "Acme")


def test_an_erasure_names_what_was_merged_into_the_record_and_is_left(nubetis_org, nubetis_session):
    """Of the same person, in the recycle bin; what was merged elsewhere, or was taken back, is not among them."""
    kept, twin, older, other = (nubetis_session.create("leads", name=name, email=CANARY) for name in "abcd")
    merge(nubetis_session, twin.id, [older.id])
    merge(nubetis_session, kept.id, [twin.id])
    nubetis_session.undo(merge(nubetis_session, kept.id, [other.id]))
    done = erasing.erase(nubetis_session, kept.id)
    left = done.cause.detail["merged"]
    for each in left:
        erasing.erase(nubetis_session, each)

    assert sorted(left) == sorted([twin.id, older.id])
    assert "merged" not in erasing.erase(nubetis_session, other.id).cause.detail
    assert CANARY not in everything(nubetis_org)


def test_an_erasure_stands_in_the_journal_without_the_value(nubetis_session):
    """Who erased what of which record is known; undo brings nothing back."""
    lead = filled(nubetis_session)
    operation = erasing.erase(nubetis_session, lead.id, fields=["email"])
    nubetis_session.undo(operation)

    assert operation.cause.kind == CauseKind.ERASURE
    assert nubetis_session.get(lead)["email"] is None
    assert nubetis_session.count("leads", F.email == CANARY) == 0


def test_history_passes_over_what_was_erased(nubetis_session):
    """The moments stay, the value is in none of them."""
    lead = filled(nubetis_session)
    erasing.erase(nubetis_session, lead.id, fields=["email"])

    assert CANARY not in repr([(dict(each.before), dict(each.after)) for each in past.history(nubetis_session, lead)])


def test_a_module_without_personal_data_wants_the_fields_named(nubetis_session):
    """Erasing all of nothing is a mistake."""
    deal = nubetis_session.create("deals", name="A")

    with refusing("bad_argument", InvalidValue):
        erasing.erase(nubetis_session, deal)


@pytest.mark.parametrize("field", ["id", "version", "created_at"])
def test_what_nubetis_sets_is_not_erased(nubetis_session, field):
    """The bones of a record stay."""
    lead = nubetis_session.create("leads", name="A")

    with refusing("read_only", InvalidValue):
        erasing.erase(nubetis_session, lead, fields=[field])


@pytest.mark.usefixtures("small_chunks")
def test_an_erased_value_is_in_no_plan_that_waits_to_be_resumed(nubetis_org, nubetis_session):
    """What is kept of a stopped operation is a past, too."""
    nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": str(n), "email": CANARY} for n in range(5)]))
    cancel(nubetis_session, nubetis_session.plan_update("leads", EVERYTHING, company="New"))
    for lead in nubetis_session.find("leads"):
        erasing.erase(nubetis_session, lead.id, fields=["email"])

    assert CANARY not in everything(nubetis_org)


@pytest.mark.usefixtures("small_chunks")
def test_a_stopped_operation_goes_on_without_the_record_that_was_erased(nubetis_org, nubetis_session):
    nubetis_session.apply(nubetis_session.plan_create("leads", [{"name": str(n), "email": CANARY} for n in range(7)]))
    cancel(nubetis_session, nubetis_session.plan_update("leads", EVERYTHING, company="New"))
    waiting = nubetis_session.find("leads", F.company.is_empty())
    erasing.erase(nubetis_session, waiting[0].id, fields=["email"])
    stopped = next(each for each in past.operations(nubetis_session) if each.state is OperationState.CANCELLED)
    resuming.resume(nubetis_session, stopped)

    assert [waiting[0].id] == [lead.id for lead in nubetis_session.find("leads", F.company.is_empty())]
    nubetis_org.verify().require()


# -- what is hard to reach ----------------------------------------------------------------------------------------
def test_a_record_in_the_recycle_bin_is_erased_like_any_other(nubetis_org, nubetis_session):
    lead = filled(nubetis_session)
    nubetis_session.delete(lead.id)
    erasing.erase(nubetis_session, lead.id)

    assert CANARY not in everything(nubetis_org)
    assert nubetis_session.restore(lead.id)["company"] == "Acme"
    nubetis_org.verify().require()


def test_of_a_purged_record_the_past_is_erased(nubetis_org, nubetis_clock, nubetis_session):
    lead = filled(nubetis_session)
    nubetis_session.delete(lead.id)
    nubetis_clock.advance(days=2)
    nubetis_org.purge(before=nubetis_clock())
    assert CANARY in everything(nubetis_org)
    erasing.erase(nubetis_session, lead.id)

    assert CANARY not in everything(nubetis_org)
    nubetis_org.verify().require()


def test_of_a_purged_record_nobody_but_an_administrator_hears(nubetis_org, nubetis_clock):
    (ana,) = nubetis_org.people("ana")
    lead = filled(ana)
    ana.delete(lead.id)
    nubetis_clock.advance(days=2)
    nubetis_org.purge(before=nubetis_clock())

    for name in (lead.id, "lea_0000000000001W"):
        with refusing("not_found", NotFound):
            erasing.erase(ana, name)


def test_what_never_was_is_not_erased(nubetis_session):
    with refusing("not_found", NotFound):
        erasing.erase(nubetis_session, "lea_0000000000001W")


@pytest.mark.parametrize("fields", [None, ("nickname",)], ids=["all", "named"])
def test_a_retired_field_is_erased_too(nubetis_org, nubetis_session, fields):
    nubetis_org.add_field("leads", Field(name="nickname", type=kind("text"), personal=True))
    lead = nubetis_session.create("leads", name="A", nickname=CANARY)
    nubetis_session.edit(lead.id, nickname=f"2 {CANARY}")
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "nickname"))
    erasing.erase(nubetis_session, lead.id, fields=fields)

    assert CANARY not in everything(nubetis_org)
    nubetis_org.verify().require()


def test_of_a_purged_field_the_past_is_erased_with_all_personal_data(nubetis_org, nubetis_session):
    """Nobody knows any more whether it was personal."""
    nubetis_org.add_field("leads", Field(name="nickname", type=kind("text")))
    lead = nubetis_session.create("leads", name="A", nickname=CANARY)
    nubetis_session.edit(lead.id, nickname="other")
    for step in ("retire_field", "purge_field"):
        nubetis_org.alter(getattr(nubetis_org.schema, step)("leads", "nickname"))
    assert CANARY in everything(nubetis_org)
    erasing.erase(nubetis_session, lead.id)

    assert CANARY not in everything(nubetis_org)
    nubetis_org.verify().require()


def photo(org, data):
    return FileRef(hash=org.blobs.put(data), name=f"{CANARY}.png", size=len(data))


def test_the_bytes_of_a_file_go_unless_somebody_else_has_them(nubetis_org, nubetis_session):
    """Earlier ones, too; what another record, or its past, leads to stays."""
    nubetis_org.add_field("leads", Field(name="photo", type=kind("image"), personal=True))
    old, new, shared, once = (photo(nubetis_org, each) for each in (b"old", b"new", b"shared", b"once"))
    lead = nubetis_session.create("leads", name="A", photo=old)
    nubetis_session.edit(lead.id, photo=shared)
    nubetis_session.edit(lead.id, photo=once)
    nubetis_session.edit(lead.id, photo=new)
    nubetis_session.create("leads", name="B", photo=shared)
    other = nubetis_session.create("leads", name="C", photo=once)
    nubetis_session.edit(other.id, photo=None)
    erasing.erase(nubetis_session, lead.id)

    assert [nubetis_org.blobs.get(each.hash) for each in (shared, once)] == [b"shared", b"once"]
    for gone in (old, new):
        with refusing("not_found", NotFound):
            nubetis_org.blobs.get(gone.hash)


def test_an_erasure_that_is_taken_back_leaves_the_bytes(nubetis_org, nubetis_session):
    nubetis_org.add_field("leads", Field(name="photo", type=kind("image"), personal=True))
    kept = photo(nubetis_org, b"kept")
    lead = nubetis_session.create("leads", name="A", photo=kept)

    def work(session):
        erasing.erase(session, lead.id)
        raise Cancelled("cancelled", done=0)

    with pytest.raises(Cancelled):
        nubetis_session.unit(work)
    nubetis_session.create("leads", name="B")
    assert nubetis_org.blobs.get(kept.hash) == b"kept"


def test_an_erasure_of_which_a_savepoint_gives_up_leaves_the_bytes(nubetis_org, nubetis_session):
    """The unit goes on and is written; what the block wanted done afterwards is not."""
    nubetis_org.add_field("leads", Field(name="photo", type=kind("image"), personal=True))
    kept, gone = photo(nubetis_org, b"kept"), photo(nubetis_org, b"gone")
    one, two = (nubetis_session.create("leads", name="A", photo=each) for each in (kept, gone))

    def work(session):
        erasing.erase(session, two.id)
        with suppress(Cancelled), session.savepoint():
            erasing.erase(session, one.id)
            raise Cancelled("cancelled", done=0)

    nubetis_session.unit(work)
    assert nubetis_session.get(one.id)["photo"] == kept
    assert nubetis_org.blobs.get(kept.hash) == b"kept"
    with refusing("not_found", NotFound):
        nubetis_org.blobs.get(gone.hash)


def test_the_counts_of_a_field_forget_the_value_too(nubetis_org, nubetis_session):
    pets = Module(
        name="pets",
        fields=[Field(name="name", type=kind("text")), Field(name="race", type=kind("text"), personal=True)],
        tallied_by=("race",),
    )
    nubetis_org.add_module(pets)
    pet = nubetis_session.create("pets", name="A", race=CANARY)
    erasing.erase(nubetis_session, pet.id)

    assert CANARY not in everything(nubetis_org)
    assert nubetis_org.check() == []


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_an_erased_value_is_in_no_byte_of_the_open_file_and_its_log(nubetis_org, nubetis_session, tmp_path):
    """Not only when everybody has closed it."""
    lead = filled(nubetis_session)
    erasing.erase(nubetis_session, lead.id)

    assert [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()] == []
    assert "org.db-wal" in [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("then", ["write", "check"])
@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_an_erased_value_that_a_reader_keeps_goes_when_he_has_gone(nubetis_org, nubetis_session, tmp_path, then):
    """With the next write or check, not only when the last one closes the file."""
    lead = filled(nubetis_session)
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM leads").fetchall()
        erasing.erase(nubetis_session, lead.id)
        assert CANARY.encode() in (tmp_path / "org.db-wal").read_bytes()
        nubetis_session.create("leads", name="while he reads")
    nubetis_session.create("leads", name="later") if then == "write" else nubetis_org.check()

    assert [path.name for path in tmp_path.iterdir() if CANARY.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_no_erased_value_is_left_between_the_rows_of_others(nubetis_org, nubetis_session, tmp_path):
    """A page that was put in order keeps bytes of rows that lay there; SQLite overwrites only what is deleted."""
    others = [{"last_name": f"N{number}", "email": f"u{number}@x.pe"} for number in range(400)]
    nubetis_session.apply(nubetis_session.plan_create("contacts", others))

    def fill(session):
        for number in range(60):
            contact = session.create("contacts", last_name=f"ZEBRA{number}LAST", email=f"zebra{number}@secret.pe")
            if number % 3:
                note = f"HYENA{number} " * (1, 200, 2000)[number % 7 % 3]
                session.edit(contact, description=note, email=f"zebrb{number}@secret.pe")
            yield contact

    made = nubetis_session.unit(lambda session: list(fill(session)))
    nubetis_session.unit(lambda session: [erasing.erase(session, each) for each in made])

    found = b"".join(each.read_bytes() for each in tmp_path.glob("org.db*"))
    assert re.findall(rb"(?i)zebr[ab]\d+(?:@secret|last)", found) == []
