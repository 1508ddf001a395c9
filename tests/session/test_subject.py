"""Subject access: every value of the person that the store holds is in the document, and none of anybody else's."""

from __future__ import annotations

import base64
import io
import json
import re
from datetime import date
from itertools import count

import attrs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nubetis import F, HostSignIn, Money
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.data import merge
from nubetis.errors import AccessDenied, NotFound, StoreError
from nubetis.model.fields import Field
from nubetis.model.ids import encode
from nubetis.model.kinds import Address, FileRef, kind
from nubetis.model.store import Batch, Updates
from nubetis.session import erasing
from nubetis.session.subject import SubjectReport, export_subject
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.stores import refusing, rows_of


def exported(session, record):
    """Give the document, and what it says."""
    sink = io.BytesIO()
    report = export_subject(session, record, sink)
    return report, json.loads(sink.getvalue())


def ids_of(document):
    return [each["id"] for each in document["records"]]


@pytest.fixture
def eva(nubetis_session):
    return nubetis_session.create(
        "contacts",
        last_name="Ríos",
        email="eva@rios.pe",
        birth_date=date(1990, 5, 17),
        email_opt_out=True,
        address=Address(city="Lima", country="PE"),
        tags=("vip", "press"),
    )


def test_a_record_is_said_with_its_values_and_marks(nubetis_session, eva):
    report, document = exported(nubetis_session, eva)
    (record,) = document["records"]

    assert {name: document[name] for name in ("format", "organisation", "subject", "made_by", "made_at")} == {
        "format": 1, "organisation": "Acme", "subject": eva.id, "made_by": nubetis_session.user,
        "made_at": "2026-03-02T09:30:00.000000Z",
    }  # fmt: skip
    assert (record["id"], record["module"], record["because"], record["state"]) == (
        eva.id,
        "contacts",
        "subject",
        "live",
    )
    assert record["values"] == {
        "owner": nubetis_session.user, "tags": ["press", "vip"], "last_name": "Ríos", "email": "eva@rios.pe",
        "birth_date": "1990-05-17", "email_opt_out": True, "address": {"city": "Lima", "country": "PE"},
    }  # fmt: skip
    fields = document["modules"]["contacts"]["fields"]
    assert fields["email"] == {"label": "Email", "type": "email", "personal": True}
    assert fields["email_opt_out"] == {"label": "Email opt out", "type": "boolean", "consent": True}
    assert report == SubjectReport(subject=eva.id, records=1, changes=0, files=0)


def test_the_history_is_given_newest_first(nubetis_session, eva):
    first = nubetis_session.edit(eva.id, email="eva@otra.pe")
    nubetis_session.edit(first, job_title="Editor", email="eva@tercera.pe")
    report, document = exported(nubetis_session, eva.id)
    history = document["records"][0]["history"]

    assert [each["before"] for each in history] == [{"email": "eva@otra.pe"}, {"email": "eva@rios.pe"}]
    assert {(each["kind"], each["cause"], each["by"]) for each in history} == {("update", "user", nubetis_session.user)}
    assert report.changes == 2


def test_what_links_to_the_person_is_given_and_what_the_person_links_to_is_not(nubetis_session, eva):
    acme = nubetis_session.create("accounts", name="Acme")
    nubetis_session.edit(eva.id, account=acme.id)
    deal = nubetis_session.create("deals", name="Big", contact=eva.id, amount=Money("12.50", "PEN"))
    note = nubetis_session.create("notes", title="Call back", about=eva.id)
    gone = nubetis_session.create("tasks", subject="Old", about=eva.id)
    nubetis_session.delete(gone)
    nubetis_session.create("notes", title="Other", about=deal.id)
    nubetis_session.create("notes", title="Elsewhere", about=acme.id)
    _, document = exported(nubetis_session, eva.id)
    records = {each["id"]: each for each in document["records"]}

    assert list(records) == [eva.id, deal.id, gone.id, note.id]
    assert records[note.id]["because"] == {"links": "about", "to": eva.id}
    assert (records[deal.id]["values"]["amount"], records[gone.id]["state"]) == ("12.50 PEN", "bin")
    assert records[eva.id]["values"]["account"] == acme.id


def test_the_same_key_in_another_module_is_another_record(nubetis_org, nubetis_session, eva):
    """A link to one of several modules says which: a key alone does not."""
    module = nubetis_session.schema.module("notes")
    about = module.field("about")
    note = nubetis_session.create("notes", title="x", about=eva.id)
    leads = Updates(module, (about.column_of(about.parts[1]),), [note.key], [("lea",)])
    nubetis_org._world.store.write(lambda txn: txn.write(Batch(parts=(leads,))))
    assert nubetis_session.get(note.id)["about"] == encode("lea", eva.key)
    _, document = exported(nubetis_session, eva)

    assert ids_of(document) == [eva.id]


def test_what_was_merged_into_the_person_is_given_unless_that_was_undone(nubetis_session, eva):
    twin, older, other = (nubetis_session.create("contacts", last_name=name) for name in ("Rios", "R.", "Paz"))
    note = nubetis_session.create("notes", title="x", about=older.id)
    merge(nubetis_session, twin.id, [older.id])
    merge(nubetis_session, eva.id, [twin.id])
    nubetis_session.undo(merge(nubetis_session, eva.id, [other.id]))
    _, document = exported(nubetis_session, eva.id)

    assert sorted(ids_of(document)[1:3]) == sorted([twin.id, older.id])
    assert {each["because"] for each in document["records"][1:3]} == {"merged"}
    assert ids_of(document)[3:] == [note.id]


def test_a_person_in_the_bin_or_purged_is_given_as_far_as_anything_is_left(
    nubetis_org, nubetis_session, nubetis_clock, eva
):
    nubetis_session.edit(eva.id, email="eva@otra.pe")
    nubetis_session.delete(eva.id)
    assert exported(nubetis_session, eva)[1]["records"][0]["state"] == "bin"
    nubetis_clock.advance(days=1)
    nubetis_org.purge(before=nubetis_clock())
    (record,) = exported(nubetis_session, eva.id)[1]["records"]

    assert record["state"] == "purged"
    assert "values" not in record
    assert [each["kind"] for each in record["history"]] == ["purge", "delete", "update"]
    assert record["history"][2]["before"] == {"email": "eva@rios.pe"}
    (ana,) = nubetis_org.people("ana")
    with refusing("not_found", NotFound):
        exported(ana, eva.id)


def test_retired_fields_and_those_that_are_gone_are_given_while_anything_is_left(nubetis_org, nubetis_session):
    for name in ("nick", "alias"):
        nubetis_org.add_field("leads", Field(name=name, type=kind("text"), personal=True))
    lead = nubetis_session.create("leads", name="A", nick="Evi", alias="E.")
    nubetis_session.edit(lead.id, nick="Evita", alias="F.")
    number = int(nubetis_session.schema.module("leads").field("alias").id)
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "nick").retire_field("leads", "alias"))
    nubetis_org.alter(nubetis_org.schema.purge_field("leads", "alias"))
    _, document = exported(nubetis_session, lead.id)
    record = document["records"][0]

    assert record["values"]["nick"] == "Evita"
    assert record["history"][0]["before"] == {"nick": "Evi", f"#{number}": ["E."]}
    marks = document["modules"]["leads"]["fields"]["nick"]
    assert marks == {"label": "Nick", "type": "text", "personal": True, "retired": True}


def photo(org, data):
    return FileRef(hash=org.blobs.put(data), name="eva.png", size=len(data))


@pytest.fixture
def pictured(nubetis_org, nubetis_session):
    """Give a lead that had three files: one it has, one it had, one that is gone."""
    nubetis_org.add_field("leads", Field(name="photo", type=kind("image"), personal=True))
    old, new, lost = (photo(nubetis_org, each) for each in (b"old", b"new", b"lost"))
    lead = nubetis_session.create("leads", name="A", photo=lost)
    for each in (old, new):
        nubetis_session.edit(lead.id, photo=each)
    nubetis_org.blobs.delete(lost.hash)
    return lead.id, (old.hash, new.hash, lost.hash)


def test_files_that_fields_lead_to_or_led_to_are_in_the_document(nubetis_session, pictured):
    lead, (old, new, lost) = pictured
    report, document = exported(nubetis_session, lead)
    files = {each["hash"]: each for each in document["files"]}

    assert [base64.b64decode(files[each]["base64"]) for each in (old, new)] == [b"old", b"new"]
    assert files[lost] == {"hash": lost, "missing": True}
    assert (report.files, report.missing) == (3, (lost,))
    assert document["records"][0]["values"]["photo"] == {
        "hash": new, "name": "eva.png", "size": 3, "media_type": "application/octet-stream",
    }  # fmt: skip


def test_a_folder_gets_the_document_and_the_files_beside_it(nubetis_session, pictured, tmp_path):
    lead, (old, new, _) = pictured
    folder = tmp_path / "new" / "eva"
    report = export_subject(nubetis_session, lead, folder)
    document = json.loads((folder / "subject.json").read_bytes())

    assert {each["hash"]: each.get("path") for each in document["files"]}[old] == f"files/{old}"
    assert sorted([old, new]) == sorted(path.name for path in (folder / "files").iterdir())
    assert (folder / "files" / new).read_bytes() == b"new"
    assert report.records == 1
    with refusing("unwritable", StoreError):
        export_subject(nubetis_session, lead, folder)
    assert export_subject(nubetis_session, lead, folder, replace=True) == report
    (tmp_path / "file").write_text("x")
    with refusing("unwritable", StoreError):
        export_subject(nubetis_session, lead, tmp_path / "file")


def test_of_a_user_the_operations_are_given(nubetis_org, nubetis_session):
    (ana,) = nubetis_org.people("ana")
    ana.create("leads", name="Not about Ana")
    _, document = exported(nubetis_session, ana.user)

    assert [(each["cause"], each["sign_in"]) for each in document["operations"]] == [
        ("user", {"by": "host", "factor": True})
    ]
    assert ids_of(document) == [ana.user]


def test_a_user_gets_what_he_may_see(nubetis_org, nubetis_session, eva):
    """Records of others that are linked to his own are left out; a person that is not his is not there."""
    (ana,) = nubetis_org.people("ana")
    let_export(nubetis_session)
    own = ana.create("contacts", last_name="Paz")
    nubetis_session.create("notes", title="Secret", about=own.id)
    mine = ana.create("notes", title="Mine", about=own.id)

    assert ids_of(exported(ana, own.id)[1]) == [own.id, mine.id]
    with refusing("not_found", NotFound):
        exported(ana, eva.id)


def let_export(admin):
    """Let users of the profile Standard export."""
    more = attrs.evolve(STANDARD, default=[*STANDARD.default, Action.EXPORT])
    standard = admin.find("profiles", F.name == "Standard")[0]
    admin.edit(standard, permissions=json.dumps(write_permissions(more)))


def test_nothing_is_given_without_the_permission_to_export(nubetis_org, nubetis_session):
    """Of records linked to one's own neither, where one may not export those; of oneself one has all that one sees."""
    (ana,) = nubetis_org.people("ana")
    own = ana.create("contacts", last_name="Paz")
    note = ana.create("notes", title="Mine", about=own.id)
    with refusing("denied", AccessDenied):
        exported(ana, own.id)
    less = attrs.evolve(
        STANDARD, modules={nubetis_session.schema.module("contacts").id: [*STANDARD.default, Action.EXPORT]}
    )
    profile = nubetis_session.create("profiles", name="Contacts", permissions=json.dumps(write_permissions(less)))
    nubetis_session.edit(ana.user, profile=profile.id)
    assert ids_of(exported(ana, own.id)[1]) == [own.id]
    assert note.id not in json.dumps(exported(ana, own.id)[1])


def test_what_others_did_and_whence_is_for_them_and_administrators(nubetis_org, nubetis_session):
    """Colleagues are known to all; when they sign in and from where is not."""
    admin = nubetis_org.session(HostSignIn("admin", factor=True, address="10.1.2.3"))
    ana, bob = nubetis_org.people("ana", "bob")
    admin.create("leads", name="Secret")
    with refusing("denied", AccessDenied):
        exported(bob, admin.user)
    managing = attrs.evolve(STANDARD, functions=[Function.MANAGE_USERS])
    profile = admin.create("profiles", name="People", permissions=json.dumps(write_permissions(managing)))
    admin.edit(bob.user, profile=profile.id)
    assert "10.1.2.3" not in json.dumps(exported(bob, admin.user)[1])
    assert "10.1.2.3" in json.dumps(exported(admin, admin.user)[1])
    lead = ana.create("leads", name="Hers")
    assert [each["cause"] for each in exported(ana, ana.user)[1]["operations"]] == ["user"]
    assert lead.id  # what she did


def test_fields_that_the_user_may_not_read_are_nowhere(nubetis_session, eva):
    """Neither as values nor in the history, nor named."""
    nubetis_session.edit(eva.id, email="eva@otra.pe")
    policy = nubetis_session.state.policy

    class NoMail:
        gate, grant, writes = policy.gate, policy.grant, policy.writes

        def reads(self, _, field):
            return field.name != "email"

    def work(session):
        session.state.policy = NoMail()
        sink = io.BytesIO()
        export_subject(session, eva.id, sink)
        session.state.policy = policy
        return sink.getvalue().decode()

    assert not re.search('@|"email"', nubetis_session.unit(work))


def test_what_was_erased_is_in_no_document(nubetis_session, eva):
    nubetis_session.edit(eva.id, email="eva@otra.pe")
    erasing.erase(nubetis_session, eva.id)
    sink = io.BytesIO()
    export_subject(nubetis_session, eva.id, sink)

    assert not re.search("eva@|Ríos", sink.getvalue().decode())


# -- all of it, and nothing else --------------------------------------------------------------------------------------
ACTS = st.lists(
    st.tuples(st.sampled_from(["edit", "note", "renote", "deal", "delete", "undo", "merge"]), st.booleans())
)
CANARY = re.compile(r"[ab]canary\d+end")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(acts=ACTS)
def test_the_document_has_every_value_of_the_person_in_the_store_and_none_of_another(acts):
    """Whatever is done to two people: the canaries of one in the dump of the store are those in the document."""
    with make_org(clock=FixedClock()) as org, org.administrator() as session:
        people = _played(session, acts)
        dump = json.dumps([rows_of(org, module) for module in org.schema.modules], default=repr)
        for letter, person in people.items():
            sink = io.BytesIO()
            export_subject(session, person, sink)
            wanted = {each for each in CANARY.findall(dump) if each[0] == letter}
            assert set(CANARY.findall(sink.getvalue().decode())) == wanted


def _played(session, acts):
    """Do *acts* to two people, with a new value each time; give the people by the letter of their values."""
    numbers = count()
    people = {each: session.create("contacts", last_name=f"{each}canary{next(numbers)}end").id for each in "ab"}
    notes = {each: session.create("notes", title="x", about=people[each]).id for each in "ab"}
    for act, first in acts:
        letter = "ab"[first]
        value, person = f"{letter}canary{next(numbers)}end", people[letter]
        match act:
            case "edit" if session.can("edit", person):
                session.edit(person, job_title=value)
            case "note" if session.can("edit", person):
                session.create("notes", title=value, about=person)
            case "renote":
                session.edit(notes[letter], body=value)
            case "deal" if session.can("edit", person):
                session.create("deals", name=value, contact=person)
            case "delete" if session.can("delete", person):
                session.undo(session.delete(person))
            case "undo" if session.can("edit", person):
                operation = session.apply(session.plan_edits("contacts", {person: {"first_name": value}}))
                session.undo(operation)
            case "merge" if session.can("edit", person):
                twin = session.create("contacts", last_name=value)
                merge(session, person, [twin.id])
            case _:
                pass
    return people


def test_the_bytes_are_the_same_each_time(nubetis_session, eva):
    nubetis_session.create("notes", title="x", about=eva.id)
    sinks = [io.BytesIO(), io.BytesIO()]
    for sink in sinks:
        export_subject(nubetis_session, eva, sink)

    assert sinks[0].getvalue() == sinks[1].getvalue()


def test_a_link_that_one_may_not_read_leads_to_nothing(hiding, nubetis_org, nubetis_session):
    """Neither its name nor that it leads there is told; who may read it is given the record."""
    nubetis_org.add_field("contacts", Field(name="margin", type=kind("link"), targets=("leads",)))
    (ana,) = nubetis_org.people("ana")
    let_export(nubetis_session)
    lead = ana.create("leads", name="A")
    linking = nubetis_session.create("contacts", last_name="B", margin=lead.id, owner="ana")
    (_, hers), (_, all_of_it) = exported(ana, lead), exported(nubetis_session, lead)

    assert ([lead.id], False) == (ids_of(hers), "margin" in json.dumps(hers))
    assert [lead.id, linking.id] == ids_of(all_of_it)
