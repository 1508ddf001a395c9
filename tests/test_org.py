"""The organisation: made, opened, changed while it runs, interrupted and mended, backed up."""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from pathlib import Path

import attrs
import pytest

import nubetis
from nubetis import F, Field, HostSignIn, Module, Surroundings
from nubetis.errors import AccessDenied, Conflict, InvalidFilter, InvalidValue, NotFound, NubetisError
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.session import past, sealing
from nubetis.session.state import State
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import ADMINISTRATOR, OrgWithPeople, make_org
from tests.stores import nubetis_store_url, refusing, state_of

__all__ = ["nubetis_store_url"]


class PowerCut(BaseException):
    """What an interruption is played by: no error of nubetis, so that nobody takes care of it."""


def text(name, **more):
    """Give a field of text."""
    return Field(name=name, type=kind("text"), **more)


def pets(*fields):
    """Give a module."""
    return Module(name="pets", fields=[text("name", required=True), *fields])


def reopened(org):
    """Close the organisation and open it again, as after a crash."""
    url, around = org.url, org._around
    org.close()
    return OrgWithPeople.like(nubetis.open(url, around=around))


# -- made and opened --------------------------------------------------------------------------------------------------
def test_a_new_organisation_has_its_administrator(nubetis_store_url):
    """The first user is an active administrator, by e-mail and handle, without a password."""
    with nubetis.create(nubetis_store_url, administrator="ana.paz@acme.pe") as org:
        for name in ("ana.paz@acme.pe", "ANA.PAZ@ACME.PE", "ana.paz"):
            assert org.session(HostSignIn(name)).can("create", "users")
        assert org.name == "Acme"


@pytest.mark.parametrize("email", ["", "ana", "a b@acme.pe", "a@b@c", "\0@acme.pe"])
def test_a_mistyped_administrator_leaves_nothing(nubetis_store_url, email):
    """The same URL can be used once the e-mail is right."""
    with pytest.raises(InvalidValue):
        nubetis.create(nubetis_store_url, administrator=email)
    with refusing("no_database", NotFound):
        nubetis.open(nubetis_store_url)
    nubetis.create(nubetis_store_url, administrator="ana@acme.pe").close()


def test_open_never_creates(nubetis_store_url, tmp_path):
    """A missing organisation is an error, and no file is made."""
    with refusing("no_database", NotFound):
        nubetis.open(nubetis_store_url)
    assert list(tmp_path.iterdir()) == []


def test_create_never_overwrites(nubetis_org):
    """Where there is an organisation it stays."""
    nubetis_org.administrator().create("leads", name="X")

    with refusing("database_exists", Conflict):
        nubetis.create(nubetis_org.url, administrator="b@acme.pe")
    assert reopened(nubetis_org).administrator().count("leads") == 1


def test_what_was_written_is_there_after_opening_again(nubetis_org):
    """Records, journal, schema and settings survive."""
    nubetis_org.add_module(pets(text("colour")))
    session = nubetis_org.administrator()
    session.create("pets", name="Rex", colour="brown")
    anchor, before, settings = nubetis_org.verify().anchor, state_of(session, "pets", "users"), nubetis_org.settings()
    org = reopened(nubetis_org)

    assert state_of(org.administrator(), "pets", "users") == before
    assert (org.settings(), org.name) == (settings, "Acme")
    assert org.verify(anchor=anchor).tampered == ()
    assert org.check() == []


def test_keys_never_come_again_though_the_clock_goes_back(nubetis_org, nubetis_clock):
    """A new process with a clock that is behind makes new ids all the same."""
    first = nubetis_org.administrator().create("leads", name="A").id
    nubetis_clock.advance(days=-30)
    org = reopened(nubetis_org)

    assert org.administrator().create("leads", name="B").id != first
    assert org.administrator().count("leads") == 2


# -- changed while it runs --------------------------------------------------------------------------------------------
def test_a_module_is_added_and_used_at_once(nubetis_org, nubetis_session):
    """An open session sees the new module in its next unit; ids never change."""
    nubetis_org.add_module(pets())
    record = nubetis_session.create("pets", name="Rex")
    number = nubetis_org.schema.module("pets").id
    nubetis_org.add_field("pets", text("colour"))

    assert nubetis_org.schema.module("pets").id == number
    assert nubetis_session.edit(record, colour="brown")["colour"] == "brown"
    assert nubetis_session.count("pets", F.colour == "BROWN") == 1


def test_a_custom_field_has_history_filters_and_undo_for_nothing(nubetis_org, nubetis_session):
    """A field made at run time is as good as a standard one."""
    nubetis_org.add_field("leads", text("hobby"))
    lead = nubetis_session.create("leads", name="A", hobby="chess")
    nubetis_session.edit(lead, hobby="go")
    operation = past.operations(nubetis_session, limit=1)[0]

    assert past.history(nubetis_session, lead.id)[0].before == {"hobby": "chess"}
    nubetis_session.undo(operation)
    assert [record.id for record in nubetis_session.find("leads", F.hobby.starts_with("CH"))] == [lead.id]


def changed(schema, module, name, /, **changes):
    """Give a schema in which a field is another."""
    return schema.with_field(module, attrs.evolve(schema.module(module).field(name), **changes))


def test_a_field_becomes_filterable_with_the_records_there_are(nubetis_org, nubetis_session):
    """The twin is filled for old records, too."""
    nubetis_org.add_module(pets(text("colour", filterable=False)))
    nubetis_session.create("pets", name="Rex", colour="Brown")
    with pytest.raises(InvalidFilter):
        nubetis_session.count("pets", F.colour == "brown")
    nubetis_org.alter(changed(nubetis_org.schema, "pets", "colour", filterable=True))

    assert nubetis_session.count("pets", F.colour == "brown") == 1
    assert nubetis_org.check() == []


def test_choices_can_be_added(nubetis_org, nubetis_session):
    """A new choice is accepted from the next unit on."""
    nubetis_org.add_module(pets(Field(name="kind", type=kind("choice"), choices=("dog",))))
    with refusing("unknown_choice"):
        nubetis_session.create("pets", name="Tom", kind="cat")
    nubetis_org.alter(changed(nubetis_org.schema, "pets", "kind", choices=("dog", "cat")))

    assert nubetis_session.create("pets", name="Tom", kind="cat")["kind"] == "cat"


def test_a_retired_field_is_unseen_and_keeps_its_data(nubetis_org, nubetis_session):
    """It can be neither read, written nor filtered; taken back into use, its values are there."""
    nubetis_org.add_module(pets(text("colour")))
    rex = nubetis_session.create("pets", name="Rex", colour="brown")
    field = nubetis_org.schema.module("pets").field("colour")
    nubetis_org.alter(nubetis_org.schema.retire_field("pets", "colour"))

    assert "colour" not in nubetis_session.get(rex.id)
    with refusing("unknown_field"):
        nubetis_session.edit(rex.id, colour="white")
    with pytest.raises(NubetisError):
        nubetis_session.count("pets", F.colour == "brown")
    nubetis_org.alter(nubetis_org.schema.with_field("pets", field))
    assert nubetis_session.get(rex.id)["colour"] == "brown"


def test_a_field_keeps_its_values_under_another_name(nubetis_org, nubetis_session):
    """A rename keeps the field's number, and with it values and history."""
    nubetis_org.add_module(pets(text("colour")))
    rex = nubetis_session.create("pets", name="Rex", colour="brown")
    nubetis_session.edit(rex, colour="white")
    nubetis_org.alter(changed(nubetis_org.schema, "pets", "colour", name="shade"))

    assert nubetis_session.get(rex.id)["shade"] == "white"
    assert past.history(nubetis_session, rex.id)[0].before == {"shade": "brown"}


def test_the_type_of_a_field_does_not_change(nubetis_org):
    """Another type is another field; nothing is begun."""
    nubetis_org.add_module(pets(text("colour")))
    with refusing("schema_type", InvalidValue):
        nubetis_org.alter(changed(nubetis_org.schema, "pets", "colour", type=kind("integer")))

    nubetis_org.add_field("pets", text("size"))


def test_a_schema_made_from_an_old_one_is_refused(nubetis_org):
    """Two administrators change the modules: the second must look again, and takes nothing away."""
    old = nubetis_org.schema
    nubetis_org.add_module(pets())

    with pytest.raises(Conflict):
        nubetis_org.alter(old.with_module(Module(name="toys", fields=[text("name")])))
    assert "pets" in nubetis_org.schema


def test_only_administrators_change_modules(nubetis_org):
    """The right to change modules is checked where a user is named."""
    (ana,) = nubetis_org.people("ana")

    with pytest.raises(AccessDenied):
        nubetis_org.add_module(pets(), by=ana)
    nubetis_org.add_module(pets(), by=nubetis_org.administrator())


def test_a_change_that_the_records_forbid_is_refused_and_stands_in_no_way(nubetis_org, nubetis_session):
    """A field with equal values cannot become unique: other changes go on, and the organisation opens."""
    nubetis_org.add_module(pets(text("tag")))
    for name in ("Rex", "Tom"):
        nubetis_session.create("pets", name=name, tag="1")
    with refusing("not_unique", Conflict):
        nubetis_org.alter(changed(nubetis_org.schema, "pets", "tag", unique=True))
    nubetis_org.add_field("pets", text("colour"))
    org = reopened(nubetis_org)

    assert org.administrator().create("pets", name="Kim", tag="1", colour="red")["colour"] == "red"


# -- interrupted and mended -------------------------------------------------------------------------------------------
STEPS = ("migrate before", "migrate after", "write 0", "write 1", "write 2", "write 3", "drop before", "drop after")
CHANGES = {
    "add module": lambda schema: schema.with_module(Module(name="toys", fields=[text("name")])),
    "add field": lambda schema: schema.with_field("pets", text("size")),
    "make filterable": lambda schema: changed(schema, "pets", "colour", filterable=True),
    "retire": lambda schema: schema.retire_field("pets", "colour"),
    "drop module": lambda schema: schema.without_module("junk"),
}


class Failing:
    """A store that is cut off at one step of a schema change."""

    def __init__(self, store, step):
        self._store, (self._what, at) = store, step.split()
        self._at, self._writes, self._migrations = at, 0, 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def write(self, unit):
        number, self._writes = self._writes, self._writes + 1
        if (self._what, self._at) == ("write", str(number)):
            raise PowerCut
        return self._store.write(unit)

    def migrate(self, steps, schema, **more):
        self._migrations += 1
        here = self._what == ("migrate" if self._migrations == 1 else "drop")
        if here and self._at == "before":
            raise PowerCut
        self._store.migrate(steps, schema, **more)
        if here:
            raise PowerCut


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("change", CHANGES)
def test_an_interrupted_change_is_mended_on_open(nubetis_org, nubetis_session, change, step):
    """Wherever it was cut off, opening again gives the old modules or the new ones, whole, and work goes on."""
    junk = Module(name="junk", fields=[text("name")])
    nubetis_org.alter(nubetis_org.schema.with_modules([pets(text("colour", filterable=False)), junk]))
    nubetis_session.create("pets", name="Rex", colour="Brown")
    old = nubetis_org.schema
    new, store = CHANGES[change](old), nubetis_org._world.store
    nubetis_org._world.store = Failing(store, step)
    with suppress(PowerCut):
        nubetis_org.alter(new)
    nubetis_org._world.store = store
    org = reopened(nubetis_org)

    assert org.schema.modules in (old.modules, new.modules)
    assert org.interrupted() == []
    assert org.check() == []
    assert org.verify().tampered == ()
    assert org.administrator().find("pets")[0]["name"] == "Rex"
    undone = org.schema.modules == old.modules
    org.alter(CHANGES[change](org.schema) if undone else org.schema.with_field("pets", text("x")))
    org.administrator().create("pets", name="Tom")
    if change == "drop module":
        assert leftovers(org, junk) == []
    org.close()


def leftovers(org, module):
    """Give what the store still holds of a module that is no more."""
    store = org._world.store
    if org.url.startswith("memory"):
        return [each for each in store._home.tables.values() if each.module.name == module.name]
    names = store._units.apart(store._tables.dialect.catalogue)
    return [name for name in names if name == module.name or name.startswith(f"{module.name}__")]


def test_a_change_under_way_is_told_to_others(nubetis_org):
    """Until it is mended, a second change is refused by name; records can be worked with."""
    nubetis_org.add_module(pets())
    store = nubetis_org._world.store
    nubetis_org._world.store = Failing(store, "migrate before")
    with pytest.raises(PowerCut):
        nubetis_org.add_field("pets", text("colour"))
    nubetis_org._world.store = store

    with refusing("schema_pending", Conflict):
        nubetis_org.add_field("pets", text("size"))
    assert nubetis_org.administrator().create("pets", name="Rex")["name"] == "Rex"
    nubetis_org.mend()
    assert "colour" in nubetis_org.schema.module("pets").layout.slots


# -- kept -------------------------------------------------------------------------------------------------------------
def test_the_anchor_of_a_backup_is_that_of_its_last_entry_also_beside_a_writer(nubetis_org, tmp_path, monkeypatch):
    """Whoever writes between sealing and copying: nothing that is in the copy may be cut off unnoticed."""
    seal, late, target = sealing.seal, iter(["a", "b", "c"]), tmp_path / "backup.db"

    def slow(state, *, secret=None):
        count = seal(state, secret=secret)
        for name in islice(late, 1):
            nubetis_org.system("late").create("leads", name=name)
        return count

    monkeypatch.setattr(sealing, "seal", slow)
    anchor = nubetis_org.backup(str(target))
    monkeypatch.undo()

    with nubetis.open(f"sqlite:///{target}") as copy:
        assert copy.verify().anchor == anchor  # whatever was not sealed is sealed now, and would move it
    nubetis_org.verify(anchor=anchor).require()


def test_a_backup_is_not_made_of_a_journal_that_is_never_sealed_to_its_end(nubetis_org, tmp_path, monkeypatch):
    monkeypatch.setattr(sealing, "seal", lambda *_, **__: 0)
    nubetis_org.system("writing").create("leads", name="a")

    with refusing("store_failed"):
        nubetis_org.backup(f"{tmp_path}/backup.db")
    assert not (tmp_path / "backup.db").exists()


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_a_back_up_is_the_organisation(nubetis_org, nubetis_session, tmp_path):
    """A copy opens, has the same records, and its journal holds the anchor given with it."""
    nubetis_org.add_module(pets())
    nubetis_session.create("pets", name="Rex")
    target = tmp_path / "copy.db"
    anchor = nubetis_org.backup(str(target))
    before = state_of(nubetis_session, "pets", "users")
    nubetis_session.create("pets", name="Later")
    with nubetis.open(f"sqlite:///{target}") as copy:
        session = copy.session(HostSignIn(ADMINISTRATOR))
        assert state_of(session, "pets", "users") == before
        assert copy.verify(anchor=anchor).tampered == ()
        assert copy.check() == []
        session.create("pets", name="Own")


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
def test_a_back_up_overwrites_nothing(nubetis_org, tmp_path):
    """A file that is there stays as it is."""
    target = tmp_path / "copy.db"
    target.write_text("mine")
    with pytest.raises(NubetisError):
        nubetis_org.backup(str(target))
    assert target.read_text() == "mine"


def test_purging_empties_the_bin(nubetis_org, nubetis_session, nubetis_clock):
    """What was deleted before an instant goes for good; what others link to, or later lies there, stays."""
    old, new, kept = (nubetis_session.create("leads", name=name) for name in ("old", "new", "kept"))
    nubetis_session.delete(old)
    instant = nubetis_clock.advance(days=30)
    nubetis_clock.advance(days=1)
    nubetis_session.delete(new)

    assert nubetis_org.purge(before=instant) == 1
    assert {record.id for record in nubetis_session.find("leads", deleted=True)} == {new.id}
    assert [record.id for record in nubetis_session.find("leads", EVERYTHING)] == [kept.id]
    assert nubetis_org.verify().tampered == ()


@pytest.mark.parametrize("call", ["session", "schema", "settings", "verify"])
def test_a_closed_organisation_refuses(nubetis_org, call):
    """Whatever it is asked afterwards is an error with a code; closing twice does no harm."""
    nubetis_org.close()
    nubetis_org.close()
    asked = {
        "session": lambda: nubetis_org.session(HostSignIn(ADMINISTRATOR)), "schema": lambda: nubetis_org.schema,
        "settings": nubetis_org.settings, "verify": nubetis_org.verify,
    }  # fmt: skip

    with refusing("closed"):
        asked[call]()


def test_two_organisations_know_nothing_of_each_other(tmp_path):
    """Ids of one are nothing in the other, though they look alike."""
    with make_org() as one, make_org(f"sqlite:///{Path(tmp_path, 'two.db')}", clock=FixedClock()) as two:
        lead = one.administrator().create("leads", name="A")
        with refusing("not_found", NotFound):
            two.administrator().get(lead.id)


def test_what_surrounds_an_organisation_shows_no_secret():
    """The key of the seals stands in no log."""
    assert "hush" not in repr(Surroundings(secret=b"hush"))
    assert "hush" not in repr(State.__doc__)


@pytest.mark.parametrize("call", [nubetis.open, lambda url: nubetis.create(url, administrator=ADMINISTRATOR)])
@pytest.mark.parametrize("url", ["zzz.db", "/data/zzz.db"])
def test_a_file_is_named_by_a_url(url, call):
    with refusing("bad_argument", InvalidValue, match=f"sqlite:///{url}"):
        call(url)
