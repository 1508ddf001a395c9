"""The state as of an instant is what a copy kept then says: values, version, by whom and when."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis import F
from nubetis.errors import AccessDenied, NotFound
from nubetis.model.fields import Field
from nubetis.model.kinds import kind
from nubetis.session import erasing, past
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.stores import refusing

URLS = ["memory://{}", "sqlite:///{}/org.db?profile=fast"]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["create", "edit", "edit", "edit", "bulk", "delete", "restore", "undo", "erase"]),
        st.integers(0, 3),
        st.sampled_from(["company", "tags", "name"]),
        st.sampled_from(["a", "á", "b"]),
        st.booleans(),
    ),
    min_size=4, max_size=18,
)  # fmt: skip


class Life:
    """An organisation that is worked on, and a copy of all its living leads at each instant."""

    def __init__(self, url):
        self.clock = FixedClock()
        self.org = make_org(url, clock=self.clock)
        self.admin = self.org.administrator()
        (self.other,) = self.org.people("eva: D !admin")
        self.begun = past.operations(self.admin, limit=1)[0].key
        self.copies: list[tuple[object, dict]] = []
        self.erased: list[tuple[int, str, str]] = []

    def step(self, what, number, field, value, by_other):
        """Do one thing, keep a copy of what is then, and move on."""
        session = self.other if by_other else self.admin
        getattr(self, what)(session, number, field, (value,) if field == "tags" else value)
        self.copies.append((self.clock.now, {each.id: dict(each) for each in session.find("leads", limit=100)}))
        self.clock.advance(minutes=1)

    def create(self, session, *drawn):
        _, field, value = drawn
        session.create("leads", {"name": "x", field: value})

    def pick(self, session, number, *, deleted=False):
        found = session.find("leads", deleted=deleted, limit=100)
        return found[number % len(found)].id if found else None

    def edit(self, session, *drawn):
        number, field, value = drawn
        if record := self.pick(session, number):
            session.edit(record, {field: value})

    def bulk(self, session, *drawn):
        _, field, value = drawn
        session.apply(session.plan_update("leads", F.name == "x", {field: value}))

    def delete(self, session, *drawn):
        number, _, _ = drawn
        if record := self.pick(session, number):
            session.delete(record)

    def restore(self, session, *drawn):
        number, _, _ = drawn
        if record := self.pick(session, number, deleted=True):
            session.restore(record)

    def undo(self, session, *drawn):
        number, _, _ = drawn
        operations = past.operations(session, limit=number + 1)
        if (
            len(operations) > number
            and operations[number].key > self.begun
            and operations[number].cause.kind != "erasure"
        ):
            session.undo(operations[number])

    def erase(self, session, *drawn):
        number, field, _ = drawn
        record = self.pick(session, number)
        if record and field != "name":
            erasing.erase(session, record, fields=[field])
            self.erased.append((len(self.copies), record, field))

    def wanted(self, place):
        """Give the copy of then, without what was erased since, and what that is."""
        instant, copy = self.copies[place]
        copy = {record: dict(values) for record, values in copy.items()}
        marks: dict[str, dict[str, str]] = {record: {} for record in copy}
        for when, record, field in self.erased:
            if when > place and record in copy:
                copy[record][field] = () if field == "tags" else None
                marks[record][field] = "erased"
        return instant, copy, marks


@pytest.mark.parametrize("url", URLS, ids=["memory", "sqlite"])
@settings(max_examples=10)
@given(steps=STEPS)
def test_the_past_is_what_a_copy_kept_then_says(url, steps):
    """Of each record, and of the module; of what was erased since it says so, and has no value."""
    with TemporaryDirectory() as folder:
        life = Life(url.format(Path(folder)))
        with life.org:
            for step in steps:
                life.step(*step)
            for place in range(len(life.copies)):
                instant, copy, marks = life.wanted(place)
                found = list(past.module_as_of(life.admin, "leads", instant))
                assert copy == {each.id: dict(each) for each in found}
                assert marks == {each.id: dict(each.marks) for each in found}
                for each in found:
                    alone = past.as_of(life.admin, each.id, instant)
                    assert (each, each.marks) == (alone, alone.marks)


@pytest.fixture
def lead(nubetis_clock, nubetis_session):
    """A lead of three versions, one a day."""
    made = nubetis_session.create("leads", name="0")
    for number in range(1, 3):
        nubetis_clock.advance(days=1)
        nubetis_session.edit(made.id, name=str(number))
    nubetis_clock.advance(days=1)
    return made


def test_a_module_is_read_in_batches_without_seam(nubetis_clock, nubetis_session, monkeypatch):
    """Whatever the size; what is written between two batches is walked back, too."""
    monkeypatch.setattr(past, "_LOT", 2)
    made = [nubetis_session.create("leads", name=str(number)).id for number in range(5)]
    then = nubetis_clock.now
    nubetis_clock.advance(days=1)
    found = past.module_as_of(nubetis_session, "leads", then)
    names = [next(found)["name"]]
    nubetis_session.edit(made[-1], name="changed")
    nubetis_session.delete(made[-2])
    nubetis_session.create("leads", name="new")

    assert ["0", "1", "2", "3", "4"] == names + [each["name"] for each in found]


def test_a_record_that_lies_in_the_bin_has_a_past(nubetis_clock, nubetis_session, lead):
    """As long as it lived; from then on it is not there."""
    before = nubetis_clock.now
    nubetis_clock.advance(days=1)
    nubetis_session.delete(lead.id)

    assert past.as_of(nubetis_session, lead.id, before)["name"] == "2"
    assert [lead.id] == [each.id for each in past.module_as_of(nubetis_session, "leads", before)]
    with refusing("not_found", NotFound):
        past.as_of(nubetis_session, lead.id, nubetis_clock.now)


def test_the_past_of_a_module_shows_what_one_may_see_now(nubetis_org, nubetis_clock, nubetis_session, lead):
    """Others' records are not in it, though they were one's own then; ledgers are closed."""
    (ana,) = nubetis_org.people("ana")
    mine = ana.create("leads", name="mine")
    nubetis_session.edit(lead.id, owner="ana")
    nubetis_clock.advance(days=1)
    both = nubetis_clock.now
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead.id, owner="admin")

    assert [mine.id] == [each.id for each in past.module_as_of(ana, "leads", both)]
    with refusing("not_found", NotFound):
        past.as_of(ana, lead.id, both)
    with refusing("denied", AccessDenied):
        list(past.module_as_of(ana, "changes", both))


def test_what_was_erased_is_marked_however_much_was_changed_before(nubetis_clock, nubetis_session, lead):
    """An erasure takes all that was before it, also where other fields alone were changed first."""
    then = nubetis_clock.now
    for values in ({"company": "Acme"}, {"email": "a@acme.pe"}, {"company": "Other"}):
        nubetis_clock.advance(days=1)
        nubetis_session.edit(lead.id, values)
    erasing.erase(nubetis_session, lead.id, fields=["email"])

    assert dict(past.as_of(nubetis_session, lead.id, then).marks) == {"email": "erased"}


def test_a_field_that_was_purged_since_is_marked(nubetis_org, nubetis_clock, nubetis_session):
    """Where the module had it then; before, and once it was retired, it is not spoken of."""
    lead = nubetis_session.create("leads", name="A")
    instants = [nubetis_clock.now]
    steps = [
        lambda: nubetis_org.add_field("leads", Field(name="nickname", type=kind("text"))),
        lambda: nubetis_session.edit(lead.id, nickname="x"),
        lambda: nubetis_org.alter(nubetis_org.schema.retire_field("leads", "nickname")),
        lambda: nubetis_org.alter(nubetis_org.schema.purge_field("leads", "nickname")),
    ]
    for step in steps:
        nubetis_clock.advance(days=1)
        step()
        instants.append(nubetis_clock.now)
    marks = [dict(past.as_of(nubetis_session, lead.id, each).marks) for each in instants]

    assert [{}, {"nickname": "purged"}, {"nickname": "purged"}, {}, {}] == marks
    assert "nickname" not in past.as_of(nubetis_session, lead.id, instants[2])
    (whole,) = past.module_as_of(nubetis_session, "leads", instants[1])
    assert {"nickname": past.Mark.PURGED} == dict(whole.marks)


def test_a_purged_field_is_marked_for_those_who_might_have_read_it(hiding, nubetis_org, nubetis_clock, nubetis_session):
    """For others there was none."""
    (ana,) = nubetis_org.people("ana")
    nubetis_org.add_field("leads", Field(name="margin", type=kind("text")))
    lead = ana.create("leads", name="A")
    then = nubetis_clock.now
    nubetis_clock.advance(days=1)
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "margin"))
    nubetis_org.alter(nubetis_org.schema.purge_field("leads", "margin"))

    assert {} == dict(past.as_of(ana, lead.id, then).marks)
    assert {"margin": "purged"} == dict(past.as_of(nubetis_session, lead.id, then).marks)
