"""A value of any kind is made, changed, looked back at, taken back, copied out and erased, on each store."""

from __future__ import annotations

import base64
import io
import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis import Module
from nubetis.cli.face import plain, text_of
from nubetis.data import export, load
from nubetis.model.fields import Field
from nubetis.model.formats import ISO
from nubetis.model.journal import read_change
from nubetis.model.kinds import BUILT_IN, FileRef, kind
from nubetis.model.system import CHANGES
from nubetis.session import applying, erasing, past, resuming
from nubetis.session.spool import Spool
from nubetis.session.subject import export_subject
from nubetis.testing.generate import any_value
from nubetis.testing.people import make_org
from tests.session.stopping import cancel
from tests.stores import refusing, rows_of

KINDS = sorted(set(BUILT_IN) - {"auto_number", "owner"})
"""What people give: a number comes by itself, and everything has an owner already."""


@pytest.fixture
def things(nubetis_org):
    """Give an organisation with a module of a field of each kind, named after it."""
    several = {"link": {"targets": ("contacts",)}, "choice": {"choices": ("a", "b", "ñ")}}
    fields = [Field(name=f"a_{name}", type=kind(name), personal=True, **several.get(name, {})) for name in KINDS]
    nubetis_org.add_module(Module(name="things", fields=[Field(name="name", type=kind("text")), *fields]))
    return nubetis_org


def two_of_each(org, session):
    """Give two different values for each field."""
    found = [{}, {}]
    for field in org.schema.module("things").fields:
        for values, value in zip(found, two_values(org, session, field), strict=True):
            values[str(field.name)] = value
    return found


def two_values(org, session, field):
    if field.type.name in {"file", "image"}:
        data = [field.name.encode(), b"another"]
        return [FileRef(hash=org.blobs.put(each), name="a.pdf", size=len(each)) for each in data]
    if field.targets:
        return [session.create("contacts", last_name="x").id for _ in range(2)]
    random, found = Random(field.name), []
    while len(found) < 2:
        value = field.check(any_value(random, field))
        if value not in (None, (), *found):
            found.append(value)
    return found


def of(record, wanted):
    """Give the values of *record* that *wanted* names."""
    return {name: record[name] for name in wanted}


def test_what_it_was_is_known_and_comes_back(things, nubetis_session, nubetis_clock):
    """History, as-of and undo give the values that were there, to the letter; the journal verifies."""
    first, second = two_of_each(things, nubetis_session)
    made = nubetis_session.create("things", values=first).id
    then = nubetis_clock.now
    nubetis_clock.advance(minutes=1)
    done = [
        nubetis_session.apply(nubetis_session.plan_edits("things", {made: values}))
        for values in (second, dict.fromkeys(first))
    ]

    assert [of(moment.before, first) for moment in past.history(nubetis_session, made)[:2]] == [second, first]
    assert of(past.as_of(nubetis_session, made, then), first) == first
    for operation, wanted in zip(reversed(done), (second, first), strict=True):
        nubetis_session.undo(operation)
        assert of(nubetis_session.get(made), first) == wanted
    nubetis_session.delete(made)
    assert of(nubetis_session.restore(made), first) == first
    assert things.verify().tampered == ()
    assert things.check() == []


def test_what_is_erased_is_nowhere(things, nubetis_session):
    """Values leave the record and its past, whatever their kind, and the chain is whole."""
    first, second = two_of_each(things, nubetis_session)
    made = nubetis_session.create("things", values=first).id
    nubetis_session.edit(made, values=second)
    erasing.erase(nubetis_session, made)
    kept = [read_change(row) for row in rows_of(things, CHANGES)]
    number = things.schema.module("things").id
    personal = {field.id for field in things.schema.module("things").fields if field.personal}

    assert [personal & change.before.keys() for change in kept if change.module == number] == [set(), set()]
    assert {nubetis_session.get(made)[f"a_{name}"] or None for name in KINDS} == {None}
    assert things.verify().tampered == ()
    assert things.check() == []


def test_what_was_stopped_goes_on_with_the_same_values(things, nubetis_session, monkeypatch):
    """A plan that waits in the store to be resumed keeps each value as it is."""
    monkeypatch.setattr(applying, "CHUNK", 1)
    first, second = two_of_each(things, nubetis_session)
    cancel(nubetis_session, nubetis_session.plan_create("things", [first] * 3))
    resuming.resume(nubetis_session, things.interrupted()[0])
    assert [of(each, first) for each in nubetis_session.find("things")] == [first] * 3

    everything = {each.id: second for each in nubetis_session.find("things")}
    cancel(nubetis_session, nubetis_session.plan_edits("things", everything))
    nubetis_session.undo(things.interrupted()[0])
    assert [of(each, first) for each in nubetis_session.find("things")] == [first] * 3


@given(st.lists(st.tuples(st.integers(), st.binary(max_size=50), st.none() | st.binary(max_size=5)), max_size=20))
def test_rows_in_a_file_are_the_rows_that_were_put_there(rows):
    assert list(Spool(rows * 1000, in_memory=1)) == rows * 1000


WRITTEN = ["bytes", "text", "long_text", "integer", "decimal", "boolean", "date", "datetime", "time", "choice"]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_what_is_exported_is_imported_as_the_same(things, nubetis_session, suffix):
    """A file takes each kind from one organisation to another."""
    fields = [f"a_{name}" for name in WRITTEN]
    for values in two_of_each(things, nubetis_session):
        nubetis_session.create("things", values={name: values[name] for name in fields})
    sink = io.BytesIO()
    export(nubetis_session, sink, module="things", fields=fields, file_format=suffix)
    with make_org() as other, other.administrator() as free:
        other.add_module(things.schema.module("things").__class__(name="things", fields=bare(things)))
        load(free, nubetis.read(sink.getvalue(), file_format=suffix), module="things")
        there = [[each[name] for name in fields] for each in free.find("things")]
    assert there == [[each[name] for name in fields] for each in nubetis_session.find("things")]


def bare(org):
    """Give the fields as they were before the schema numbered them."""
    return [
        Field(name=each.name, type=each.type, choices=each.choices)
        for each in org.schema.module("things").fields
        if not each.targets
    ]


def test_programs_and_people_see_bytes_in_base64():
    assert [plain(b"\xff1"), text_of(b"\xff1"), nubetis.read([{"a": b"\xff1"}])["a"][0]] == ["/zE="] * 3


@pytest.mark.parametrize("text", ["é", "YQ", "Y Q = = =", "b'a'"])
def test_what_is_not_base64_is_no_bytes(text):
    field = Field(name="v", type=kind("bytes"))
    with refusing("bad_format"):
        field.type.parse(field, text, ISO)


def test_no_bytes_are_nothing(things, nubetis_session):
    """As an empty text is: no cell of a file could tell them apart."""
    assert nubetis_session.create("things", a_bytes=b"")["a_bytes"] is None


def test_who_asks_for_his_data_gets_the_bytes(things, nubetis_session):
    """Those of now and those of before, in base64."""
    made = nubetis_session.create("things", name="A", a_bytes=b"\x00first").id
    nubetis_session.edit(made, a_bytes=b"\xffsecond")
    sink = io.BytesIO()
    export_subject(nubetis_session, made, sink)
    (record,) = json.loads(sink.getvalue())["records"]
    said = [record["values"]["a_bytes"], record["history"][0]["before"]["a_bytes"]]

    assert [base64.b64decode(each["base64"]) for each in said] == [b"\xffsecond", b"\x00first"]
