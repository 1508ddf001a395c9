"""Units: one transaction, run again where the store must, and told to plug-ins once; savepoints inside it."""

from __future__ import annotations

import pytest

from nubetis import F, HostSignIn, hookimpl
from nubetis.errors import InvalidValue, PlanDrifted, Refused, StoreError
from nubetis.model.filters import EVERYTHING
from nubetis.session import past
from nubetis.testing.people import make_org
from tests.stores import refusing, rows_of


class Ear:
    """Remembers what plug-ins are told was stored."""

    def __init__(self):
        self.heard = []

    @hookimpl
    def nubetis_committed(self, committed):
        self.heard += [row[0] for part in committed.parts for row in part.rows]


class Stubborn:
    """A store that runs each unit *times* times and keeps the last, as after conflicts with other writers."""

    def __init__(self, store, times):
        self._store, self._times = store, times

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, unit):
        for _ in range(self._times - 1):
            with pytest.raises(Again):
                self._store.write(lambda txn: self._in_vain(txn, unit))
        return self._store.write(unit)

    def _in_vain(self, txn, unit):
        unit(txn)
        raise Again


class Again(Exception):
    """Ends a unit without writing it."""


@pytest.fixture
def ear():
    """A plug-in that listens."""
    return Ear()


@pytest.fixture
def org(nubetis_store_url, ear):
    """An organisation with that plug-in."""
    with make_org(nubetis_store_url, plugins=[ear]) as org:
        ear.heard.clear()
        yield org


@pytest.fixture
def session(org):
    """A session of the administrator."""
    with org.administrator() as session:
        yield session


def names(session):
    """Give the names of all leads."""
    return [record["name"] for record in session.find("leads", sort="name")]


def keys(session):
    """Give the keys of all leads, in order."""
    return [record.key for record in session.find("leads", limit=1000)]


@pytest.mark.parametrize("times", [2, 3])
def test_a_unit_that_is_run_again_is_written_once(org, ear, times):
    """Records, journal and plug-ins know of one run."""
    before = len(past.operations(org.administrator()))
    org._world.store = Stubborn(org._world.store, times)
    session = org.administrator()
    session.unit(lambda s: [s.create("leads", name=name) for name in "ab"])
    org._world.store = org._world.store._store

    assert names(session) == ["a", "b"]
    assert len(past.operations(session)) == before + 2
    assert sorted(ear.heard) == keys(session)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("times", [2, 3])
def test_a_long_operation_that_is_run_again_skips_each_record_once(org, times):
    """What drifted is counted once against the tolerance, however often the transaction runs."""
    session = org.administrator()
    session.apply(session.plan_create("leads", [{"name": str(number)} for number in range(8)]))
    plan = session.plan_update("leads", EVERYTHING, company="New")
    drifted = [session.edit(record, company="Other").id for record in session.find("leads", sort="name")[3:5]]
    org._world.store = Stubborn(org._world.store, times)
    operation = session.apply(plan, tolerance=2)

    assert (sorted(drifted), operation.position) == (sorted(operation.skipped), 6)


def test_nested_savepoints_give_up_their_own_blocks_only(session, ear):
    """The inner block goes, the outer stays; whoever listens hears of what stayed."""

    def work(s):
        with s.savepoint():
            s.create("leads", name="outer")
            with refusing("bad_argument"), s.savepoint():
                s.create("leads", name="inner")
                raise InvalidValue("bad_argument", argument="x", reason="y")
            s.create("leads", name="outer too")

    session.unit(work)
    assert names(session) == ["outer", "outer too"]
    assert sorted(ear.heard) == keys(session)


def test_an_outer_savepoint_takes_the_inner_with_it(session, ear):
    """What an inner block kept goes when the outer one raises."""

    def work(s):
        s.create("leads", name="before")
        with refusing("bad_argument"), s.savepoint():
            with s.savepoint():
                s.create("leads", name="inner")
            raise InvalidValue("bad_argument", argument="x", reason="y")
        s.create("leads", name="after")

    session.unit(work)
    assert names(session) == ["after", "before"]
    assert sorted(ear.heard) == keys(session)


def test_a_unit_that_raises_is_told_to_nobody(session, ear):
    """No record, no entry, no hook."""

    def work(s):
        s.create("leads", name="X")
        raise InvalidValue("bad_argument", argument="x", reason="y")

    before = past.operations(session)
    with refusing("bad_argument"):
        session.unit(work)
    assert (names(session), ear.heard, past.operations(session)) == ([], [], before)


def test_an_interruption_in_a_unit_writes_nothing(org, session, ear):
    """Not only errors: whatever leaves the unit takes it back."""

    def work(s):
        s.create("leads", name="X")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        session.unit(work)
    assert (names(session), ear.heard, org.verify().tampered) == ([], [], ())
    assert session.create("leads", name="Y")["name"] == "Y"


def test_a_unit_reads_what_it_wrote_and_others_do_not(org, session):
    """Until it ends, what it writes is its own."""
    other = org.administrator()

    def work(s):
        lead = s.create("leads", name="X")
        return s.get(lead)["name"], s.count("leads")

    assert session.unit(work) == ("X", 1)
    assert other.count("leads") == 1


def test_a_unit_gives_what_its_work_gives(session):
    """Its answer is the caller's, ``None`` too."""
    assert session.unit(lambda s: None) is None
    assert session.unit(lambda s: [s.count("leads")]) == [0]


def test_a_savepoint_outside_a_unit_is_refused(session):
    """There is no transaction to go back in."""
    with refusing("store_failed", StoreError), session.savepoint():
        raise AssertionError


def test_plug_ins_hear_after_the_commit_and_see_what_was_stored(nubetis_store_url):
    """Whoever is told can read it, through a session of his own."""
    seen = []

    class Reader:
        @hookimpl
        def nubetis_committed(self, committed):  # noqa: ARG002 - the hook names it
            if self.org is not None:
                seen.append(self.org.administrator().count("leads"))

        org = None

    reader = Reader()
    with make_org(nubetis_store_url, plugins=[reader]) as org:
        reader.org = org
        org.administrator().unit(lambda s: [s.create("leads", name=name) for name in "ab"])

    assert seen == [2, 2]


def test_one_unit_may_hold_many_operations_each_with_its_entry(org, session):
    """A unit is a transaction, not an operation: each apply stands for itself in the journal."""
    before = len(rows_of(org, org.schema.module("entries")))
    session.unit(lambda s: [s.create("leads", name=name) for name in "abc"])

    assert len(rows_of(org, org.schema.module("entries"))) == before + 3
    assert len({each.id for each in past.operations(session, limit=3)}) == 3


def test_people_are_changed_several_times_in_one_unit(nubetis_org, nubetis_session):
    """A role, who has it, and the settings: all of it, or nothing; each sees what came before."""

    def work(session):
        role = session.create("roles", name="Own")
        profile = session.find("profiles", F.name == "Standard")[0].id
        session.create("users", name="A", email="a@acme.pe", handle="a", role=role.id, profile=profile)
        session.create("settings", name="theme", value='"dark"')
        session.create("settings", name="size", value="3")
        session.edit(role, name="Own one")
        return role.id

    role = nubetis_session.unit(work)
    assert nubetis_session.get(role)["name"] == "Own one"
    assert nubetis_org.session(HostSignIn("a")).user is not None
    assert nubetis_org.settings()["size"] == 3


def test_a_unit_is_refused_whole_where_its_last_change_of_people_is(nubetis_session):
    def work(session):
        session.create("roles", name="Own")
        session.edit(session.user, state="suspended")

    with refusing("last_administrator", Refused):
        nubetis_session.unit(work)
    assert nubetis_session.count("roles") == 2


def test_a_plan_from_before_a_unit_is_held_to_the_rights_it_saw(nubetis_session):
    """Also by a change of rights in the unit itself."""
    plan = nubetis_session.plan_create("roles", [{"name": "Late"}])

    def work(session):
        session.create("roles", name="Own")
        session.apply(plan)

    with refusing("outdated", PlanDrifted):
        nubetis_session.unit(work)
