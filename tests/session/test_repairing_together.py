"""A repair beside a change of the schema: what it examined is no longer what there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from zlib import crc32

import attrs
import pytest

import nubetis
from nubetis import F, Field, Module
from nubetis.backends.memory import MemoryStore, forget_memory
from nubetis.model.findings import Finding
from nubetis.model.kinds import kind
from nubetis.testing.people import OrgWithPeople, make_org
from tests.session.test_altering_together import Meanwhile

ZONE = Field(name="zone", type=kind("text"), searchable=True, unique=True)


class Killed(BaseException):
    """What ends the one who changes the schema, as if it were its process."""


class Repairing(Meanwhile):
    """A store in which somebody acts just before what was examined is made again."""

    def mend(self, findings, schema, **more):
        self._act()
        self._store.mend(findings, schema, **more)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "postgresql":
        yield request.getfixturevalue("postgres")(f"r{crc32(request.node.name.encode())}")
        return
    yield f"memory://{tmp_path}" if request.param == "memory" else f"sqlite:///{tmp_path}/org.db?profile=fast"
    forget_memory(f"memory://{tmp_path}")


@pytest.fixture
def org(url):
    with make_org(url) as made:
        made.administrator().create("leads", name="José")
        yield made


def opened_again(org, url):
    return OrgWithPeople.like(nubetis.open(url, around=org._around))


def repaired(org, act):
    """Give what is left of a harm that is repaired, while somebody acts just before the store makes it again."""
    store = org._world.store
    org._world.store = Repairing(store, None, act)
    wanted = Finding("twin_wrong", "leads", "name__f", 1)
    try:
        return org.repair([wanted])
    finally:
        org._world.store = store


def test_a_field_that_is_added_meanwhile_stays_whole(org, url):
    """Its twin and its index are no surplus because the examination knew nothing of them."""
    with opened_again(org, url) as other:

        def act():
            other.add_field("leads", ZONE)
            other.administrator().create("leads", name="Peña", zone="Lima")

        assert repaired(org, act) == []
        assert [each["name"] for each in other.administrator().find("leads", F.zone == "lima")] == ["Peña"]
        with pytest.raises(nubetis.errors.Conflict):
            other.administrator().create("leads", name="Dos", zone="LIMA")


def test_a_change_that_is_half_way_keeps_what_it_has_made(org, url):
    """The tables are wide by then, and the definitions still the old ones."""
    made = []
    with opened_again(org, url) as other:

        def stop():
            raise Killed

        def act():
            store = other._world.store
            other._world.store = Meanwhile(store, "write 1", stop)
            with suppress(Killed):
                other.add_field("leads", ZONE)
            other._world.store = store
            made.append(tables(store))

        repaired(org, act)
        assert made == [tables(other._world.store)]
        other.mend()
        other.administrator().create("leads", name="Peña", zone="Lima")
        assert org.check() == []


def without_zone(org):
    leads = org.schema.module("leads")
    return org.schema.with_module(attrs.evolve(leads, fields=[each for each in leads.fields if each.name != "zone"]))


def once(act):
    """Give what does *act* in a thread of its own when it is first told how far an examination is."""
    left = [act]

    def told(_done, _total):
        if left:
            with ThreadPoolExecutor(1) as threads:
                threads.submit(left.pop()).result()

    return told


CHANGES = {
    "purge a field": lambda org: org.alter(without_zone(org)),
    "drop a module": lambda org: org.alter(org.schema.without_module("pets")),
    "add a field": lambda org: org.add_field("leads", Field(name="area", type=kind("text"))),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_change_while_tables_are_examined_is_no_harm(org, url, change):
    """They are examined again, as they are by then."""
    org.add_module(Module(name="pets", fields=[Field(name="name", type=kind("text"))]))
    org.add_field("leads", ZONE)
    org.administrator().create("pets", name="Rex")
    with opened_again(org, url) as other:
        other.schema  # noqa: B018 - it knows what there is
        assert org.check(progress=once(lambda: CHANGES[change](other))) == []


def test_what_a_change_had_still_to_take_away_is_no_harm_once_it_has_ended(org, url):
    """It was under way when the tables were examined, and is not when operations are."""
    org.add_field("leads", ZONE)
    with opened_again(org, url) as other:

        def stop():
            raise Killed

        store = other._world.store
        other._world.store = Meanwhile(store, "migrate 1", stop)
        with suppress(Killed):
            other.alter(without_zone(other))
        other._world.store = store
        assert org.check(progress=once(other.mend)) == []


def tables(store):
    """Give what the store has of leads, and its rows."""
    module = "leads"
    if isinstance(store, MemoryStore):
        return [table.index for table in store._home.tables.values() if table.module.name == module]
    found = store._units.apart(store._units.tables.dialect.catalogue)[module]
    return sorted(found.columns), sorted(found.indexes)
