"""History, "as of" and undo are the journal read backwards: held against a model that remembers everything."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from nubetis.errors import NotFound
from nubetis.model.plan import ChangeKind
from nubetis.session import past
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.stores import refusing, state_of, values_of

FIELDS = ("name", "company", "description")
VALUES = st.fixed_dictionaries({}, optional={name: st.sampled_from(["a", "á", "b"]) for name in FIELDS})


def test_history_tells_the_life_of_a_record_newest_first(nubetis_clock, nubetis_session):
    """When, by which operation, which fields, before and after."""
    lead = nubetis_session.create("leads", name="A")
    nubetis_clock.advance(days=1)
    nubetis_session.edit(lead, name="B", company="Acme")
    nubetis_clock.advance(days=1)
    nubetis_session.delete(lead.id)
    nubetis_session.restore(lead.id)
    restored, deleted, edited, made = past.history(nubetis_session, lead.id)

    assert [each.kind for each in (restored, deleted, edited, made)] == ["restore", "delete", "update", "create"]
    assert (
        dict(edited.before),
        dict(edited.after),
    ) == ({"name": "A", "company": None}, {"name": "B", "company": "Acme"})
    assert timedelta(days=1) == edited.at - made.at
    assert nubetis_session.user == edited.operation.actor
    assert made.after["name"] == "A"


def test_a_record_in_the_recycle_bin_has_its_history(nubetis_org, nubetis_session):
    """For those who may see it."""
    (ana,) = nubetis_org.people("ana")
    lead = nubetis_session.create("leads", name="A")
    nubetis_session.delete(lead)

    assert [each.kind for each in past.history(nubetis_session, lead)] == ["delete", "create"]
    with refusing("not_found", NotFound):
        past.history(ana, lead)


def test_of_a_purged_record_it_is_said_that_it_was(nubetis_org, nubetis_clock, nubetis_session):
    """To who sees all of the module: whose it was nobody knows any more.  Once it is purged it is not there."""
    (ana,) = nubetis_org.people("ana")
    lead, other = ana.create("leads", name="A"), ana.create("leads", name="B")
    then = nubetis_clock.now
    nubetis_clock.advance(days=1)
    ana.delete(lead)
    nubetis_clock.advance(days=1)
    assert nubetis_org.purge(before=nubetis_clock.now) == 1

    for call in (past.history, lambda session, record: past.as_of(session, record, then)):
        with refusing("purged", NotFound) as caught:
            call(nubetis_session, lead.id)
        assert caught.value.params == {"id": lead.id, "module": "leads"}
        with refusing("not_found", NotFound):
            call(ana, lead.id)
    with refusing("not_found", NotFound):
        past.as_of(nubetis_session, lead.id, nubetis_clock.now)
    assert past.as_of(ana, other.id, then)["name"] == "B"


def test_the_past_needs_the_right_to_the_present(nubetis_org, nubetis_session):
    """Who may not see a record now has no view of how it was."""
    (ana,) = nubetis_org.people("ana")
    lead = ana.create("leads", name="A")
    nubetis_session.edit(lead, owner="admin")

    with refusing("not_found", NotFound):
        past.history(ana, lead)


def test_before_a_record_was_made_it_was_not_there(nubetis_clock, nubetis_session):
    """As of an instant before its creation, and while it lay in the bin, a record is not found."""
    before = nubetis_clock.advance(hours=-1)
    nubetis_clock.advance(hours=2)
    lead = nubetis_session.create("leads", name="A")
    nubetis_clock.advance(hours=1)
    nubetis_session.delete(lead)
    gone = nubetis_clock.advance(hours=1)
    nubetis_clock.advance(hours=1)
    nubetis_session.restore(lead.id)

    for instant in (before, gone):
        with refusing("not_found", NotFound):
            past.as_of(nubetis_session, lead.id, instant)


def test_the_past_outlives_the_field(nubetis_org, nubetis_session):
    """History of a field that was retired since is left out, and nothing breaks."""
    lead = nubetis_session.create("leads", name="A", company="Old")
    nubetis_session.edit(lead, company="New", name="B")
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "company"))

    assert {"name": "A"}.items() <= dict(past.history(nubetis_session, lead.id)[0].before).items()


class Life(RuleBasedStateMachine):
    """A dictionary beside the store: after each step, the present, the bin and every past instant must agree."""

    url = "memory://"
    records = Bundle("records")
    binned = Bundle("binned")
    done = Bundle("done")

    @initialize()
    def begin(self):
        self.folder = TemporaryDirectory()
        self.clock = FixedClock()
        self.org = make_org(self.url.format(Path(self.folder.name)), clock=self.clock)
        self.session = self.org.administrator()
        self.now: dict[str, tuple[bool, dict]] = {}
        self.moments: list[tuple[object, dict]] = []

    def teardown(self):
        self.org.close()
        self.folder.cleanup()

    def stepped(self):
        """Keep the model's state at this instant, and move on."""
        self.moments.append((self.clock.now, dict(self.now)))
        self.clock.advance(minutes=1)

    def latest(self):
        return past.operations(self.session, limit=1)[0]

    @rule(target=records, values=VALUES)
    def create(self, values):
        record = self.session.create("leads", {"name": "x", **values})
        self.now[record.id] = (False, {"company": None, "description": None, "name": "x", **values})
        self.stepped()
        return record.id

    @rule(target=done, record=records, values=VALUES)
    def edit(self, record, values):
        gone, old = self.now[record]
        if gone:
            return None
        self.session.edit(record, values)
        self.now[record] = (False, {**old, **values})
        self.stepped()
        return self.latest().id, record, old, {**old, **values}

    @rule(target=binned, record=consumes(records))
    def delete(self, record):
        if not self.now[record][0]:
            self.session.delete(record)
            self.now[record] = (True, self.now[record][1])
            self.stepped()
        return record

    @rule(target=records, record=consumes(binned))
    def restore(self, record):
        if self.now[record][0]:
            self.session.restore(record)
            self.now[record] = (False, self.now[record][1])
            self.stepped()
        return record

    @rule(edit=consumes(done))
    def undo(self, edit):
        if edit is None:
            return
        operation, record, before, after = edit
        gone, present = self.now[record]
        kept = {each.field for each in self.session.undo(operation).kept}
        touched = {name for name in before if before[name] != after[name]}
        self.now[record] = (gone, {**present, **{name: before[name] for name in touched - kept}})
        assert all(present[name] == after[name] for name in touched - kept)
        self.stepped()

    @invariant()
    def present_agrees(self):
        if not hasattr(self, "session"):
            return
        found = {record: (gone, {n: v[n] for n in FIELDS}) for record, (gone, v) in state_of(self.session).items()}
        assert self.now == found

    @invariant()
    def past_agrees(self):
        if not hasattr(self, "session"):
            return
        for instant, state in self.moments[-8:]:
            for record in self.now:
                self.looked_at(record, instant, state.get(record))

    def looked_at(self, record, instant, wanted):
        if self.now[record][0]:
            return  # in the bin: nobody sees it
        try:
            found = values_of(past.as_of(self.session, record, instant))
        except NotFound:
            assert wanted is None or wanted[0]
        else:
            assert wanted is not None
            assert not wanted[0]
            assert wanted[1] == {name: found[name] for name in FIELDS}


class LifeInFile(Life):
    """The same in an SQLite file."""

    url = "sqlite:///{}/org.db?profile=fast"


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=12, stateful_step_count=25)
TestLifeInFile = LifeInFile.TestCase
TestLifeInFile.settings = settings(max_examples=5, stateful_step_count=20)


@pytest.mark.parametrize("steps", [1, 5])
def test_history_undone_step_by_step_is_the_beginning(nubetis_session, steps):
    """Walking the befores from the present back ends at the record as it was made."""
    lead = nubetis_session.create("leads", name="0", company="0")
    for number in range(1, steps + 1):
        nubetis_session.edit(lead.id, {FIELDS[number % 2]: str(number)})
    present = dict(values_of(nubetis_session.get(lead)))
    for moment in past.history(nubetis_session, lead.id):
        if moment.kind is ChangeKind.UPDATE:
            assert {name: present[name] for name in moment.after} == dict(moment.after)
            present |= moment.before

    assert values_of(lead) == present
