"""A schema is changed while others work: who still knows the old one, and who knows the new one, lose nothing."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F, Field, Module
from nubetis.errors import InvalidValue
from nubetis.model.kinds import kind
from tests.stores import refusing


def text(name, **more):
    return Field(name=name, type=kind("text"), **more)


def changed(schema, name, /, **changes):
    """Give a schema in which a field of the pets is another."""
    return schema.with_field("pets", attrs.evolve(schema.module("pets").field(name), **changes))


def purged(schema, name):
    return schema.retire_field("pets", name).purge_field("pets", name)


def tallied(schema, *names):
    return schema.with_module(attrs.evolve(schema.module("pets"), tallied_by=names))


CHANGES = {
    "purge": lambda schema: purged(schema, "colour"),
    "purge a set": lambda schema: purged(schema, "likes"),
    "purge and add one of its name": lambda schema: purged(schema, "colour").with_field("pets", text("colour")),
    "purge one retired": lambda schema: schema.purge_field("pets", "old"),
    "retire": lambda schema: schema.retire_field("pets", "colour"),
    "make unfilterable": lambda schema: changed(schema, "colour", filterable=False),
    "make filterable": lambda schema: changed(schema, "plain", filterable=True),
    "make not unique": lambda schema: changed(schema, "chip", unique=False),
    "make unique": lambda schema: changed(schema, "colour", unique=True),
    "drop module": lambda schema: schema.without_module("junk"),
    "begin a tally": lambda schema: tallied(schema, "race", "size"),
    "end a tally": tallied,
    "begin a tally of a new field": lambda schema: tallied(schema.with_field("pets", text("kin")), "race", "kin"),
    "retire what is tallied": lambda schema: tallied(schema).retire_field("pets", "race"),
    "rename": lambda schema: tallied(changed(tallied(schema), "race", name="breed"), "breed"),
}


class Between:
    """A store that lets others work when the tables have changed, and again when the definitions have."""

    def __init__(self, store, early, late):
        self._store, self._early, self._late, self.migrations = store, early, late, 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def migrate(self, steps, schema, **more):
        self.migrations += 1
        if self.migrations == 2:
            self._late()
        self._store.migrate(steps, schema, **more)
        if self.migrations == 1:
            self._early()


@pytest.fixture
def org(nubetis_org):
    """An organisation with pets, and with a module that nobody needs."""
    likes = Field(name="likes", type=kind("multi_choice"), choices=("milk", "meat"))
    more = [text("colour"), text("plain", filterable=False), text("chip", unique=True), text("race"), text("size")]
    pets = Module(name="pets", fields=[text("name"), *more, likes, text("old")], tallied_by=("race",))
    schema = nubetis_org.schema.with_modules([pets, Module(name="junk", fields=[text("name")])])
    nubetis_org.alter(schema.retire_field("pets", "old"))
    nubetis_org.administrator().create("pets", name="Rex", colour="Brown", plain="Big", chip="1", race="Pug")
    return nubetis_org


def altered(org, change, early, late=lambda: None):
    """Change the schema while others work; give how often the tables were changed."""
    store = org._world.store
    between = org._world.store = Between(store, early, late)
    try:
        org.alter(change(org.schema))
    finally:
        org._world.store = store
    return between.migrations


@pytest.mark.parametrize("change", CHANGES)
def test_work_goes_on_while_the_schema_changes(org, change):
    """Made, edited, deleted and restored under either schema: all is there, and what follows from it is right."""
    session = org.administrator()
    rex = session.find("pets")[0]

    def early():
        values = {"colour": "Red", "plain": "Small", "race": "Lab", "size": "XL", "likes": ["milk"]}
        tom = session.create("pets", name="Tom", chip="2", **values)
        session.edit(rex, name="King", colour="Blue", plain="Tiny", race="Lab", likes=["meat"])
        session.delete(tom)
        session.restore(tom)
        assert session.count("pets", F.colour == "BLUE") == 1
        assert session.create("junk", name="Rag")["name"] == "Rag"

    def late():
        kim = session.create("pets", name="Kim")
        session.edit(kim, name="Kit")
        session.edit(rex.id, name="Emperor")

    migrations = altered(org, CHANGES[change], early, late)
    names = {"Tom", "Emperor", "Kit"} if migrations == 2 else {"Tom", "King"}
    assert {record["name"] for record in session.find("pets")} == names
    assert org.check() == []
    assert org.verify().tampered == ()


def test_a_filter_finds_what_was_written_while_the_field_became_filterable(org):
    """The twin of a row that was written under the old schema is filled before the change is done."""
    session = org.administrator()
    altered(org, CHANGES["make filterable"], lambda: session.create("pets", name="Tom", plain="Small"))

    assert [record["name"] for record in session.find("pets", F.plain == "SMALL")] == ["Tom"]


def test_values_of_a_purged_field_are_seen_until_the_definitions_change(org):
    """Who knows the old schema reads what is in it."""
    session, seen = org.administrator(), []
    altered(org, CHANGES["purge"], lambda: seen.extend(session.find("pets", F.colour == "brown")))

    assert [record["colour"] for record in seen] == ["Brown"]


def test_a_unique_mark_holds_until_the_definitions_change(org):
    """The old schema promises it."""
    session, refused = org.administrator(), []

    def early():
        with pytest.raises(Exception, match="chip") as caught:
            session.create("pets", name="Tom", chip="1")
        refused.append(caught.value.code)

    altered(org, CHANGES["make not unique"], early)
    assert refused == ["not_unique"]
    assert session.create("pets", name="Tom", chip="1")["chip"] == "1"


def test_what_only_adds_changes_the_tables_once(org):
    """Nothing is left to be taken away."""
    assert altered(org, lambda schema: schema.with_field("pets", text("more")), lambda: None) == 1


class PowerCut(BaseException):
    """An interruption."""


@pytest.mark.parametrize("change", CHANGES)
def test_what_was_interrupted_after_the_definitions_is_ended(org, change):
    """What was left stands in nobody's way meanwhile, and is taken away when somebody goes on."""
    session = org.administrator()

    def cut():
        raise PowerCut

    try:
        altered(org, CHANGES[change], lambda: session.create("pets", name="Tom", plain="Small", race="Lab"), cut)
    except PowerCut:
        session.create("pets", name="Kim")
    org.mend()

    assert org.interrupted() == []
    assert org.check() == []
    assert {"Rex", "Tom"} <= {record["name"] for record in session.find("pets")}


def test_a_new_field_of_a_purged_ones_name_keeps_what_is_written_before_the_old_one_is_gone(org):
    """It has a column of its own, so nobody reads in it what was purged, nor loses what he wrote."""
    session = org.administrator()
    early, late = [], []

    def look():
        early.append(session.find("pets")[0]["colour"])

    def write():
        late.append(session.find("pets")[0]["colour"])
        session.create("pets", name="Kim", colour="Green")

    altered(org, CHANGES["purge and add one of its name"], look, write)
    assert (early, late) == (["Brown"], [None])
    assert [each["colour"] for each in session.find("pets", F.name == "Kim")] == ["Green"]


def test_a_new_module_in_the_table_of_a_dropped_one_has_another(org):
    """One that was renamed meanwhile left its name free, not its table."""
    session = org.administrator()
    org.alter(org.schema.with_module(attrs.evolve(org.schema.module("junk"), name="rubbish")))
    session.create("rubbish", name="Old")
    again = Module(name="junk", fields=[text("name")])
    altered(
        org,
        lambda schema: schema.without_module("rubbish").with_module(again),
        lambda: None,
        lambda: session.create("junk", name="New"),
    )

    assert [each["name"] for each in session.find("junk")] == ["New"]
    assert org.check() == []


def test_a_module_is_not_dropped_and_made_again_by_one_change(org):
    """Its name is taken until it is gone: nothing is changed."""
    again = Module(name="junk", fields=[text("name")])
    with refusing("refused"):
        org.alter(org.schema.without_module("junk").with_module(again))
    org.alter(org.schema.without_module("junk"))
    org.add_module(again)
    assert not org.administrator().find("junk")


@pytest.mark.parametrize(
    "changes",
    [
        {"chip": {"filterable": False}},
        {"chip": {"filterable": False, "unique": False}},
        {"plain": {"filterable": True, "unique": True}},
    ],
)
def test_a_unique_field_is_not_compared_in_another_way_by_one_change(org, changes):
    """Who knows only one of the schemas would not keep it unique for the other."""
    ((name, change),) = changes.items()
    with refusing("schema_unique", InvalidValue):
        org.alter(changed(org.schema, name, **change))
    assert org.interrupted() == []
