"""A repair beside a change of the schema: what it examined is no longer what there is."""

from __future__ import annotations

from contextlib import suppress

import pytest

import nubetis
from nubetis import F, Field
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
        yield request.getfixturevalue("postgres")(request.node.name[:60])
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


def tables(store):
    """Give what the store has of leads, and its rows."""
    module = "leads"
    if isinstance(store, MemoryStore):
        return [table.index for table in store._home.tables.values() if table.module.name == module]
    found = store._units.apart(store._units.tables.dialect.catalogue)[module]
    return sorted(found.columns), sorted(found.indexes)
