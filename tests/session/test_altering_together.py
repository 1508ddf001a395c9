"""A change of the schema with which others go on in the middle: who opens the organisation, and who began it.

The other one acts at one step and may stop at another, so that each step is met by one who comes late.
"""

from __future__ import annotations

from contextlib import suppress

import attrs
import pytest

from nubetis import Field, Module
from nubetis.errors import Conflict
from nubetis.model.kinds import kind
from nubetis.session.altering import resume_alter
from nubetis.session.state import State
from nubetis.session.world import World
from tests.stores import refusing


def text(name, **more):
    return Field(name=name, type=kind("text"), **more)


def pets(*fields):
    return Module(name="pets", fields=[text("name"), text("colour", filterable=False), text("chip"), *fields])


def changed(schema, name, **changes):
    return schema.with_field("pets", attrs.evolve(schema.module("pets").field(name), **changes))


CHANGES = {
    "make filterable": lambda schema: changed(schema, "colour", filterable=True),
    "purge and add one of its name": lambda schema: (
        schema.retire_field("pets", "colour").purge_field("pets", "colour").with_field("pets", text("colour"))
    ),
    "make unique": lambda schema: changed(schema, "chip", unique=True),
}
STEPS = ("migrate 0", "migrate 0 after", "write 1", "write 1 after", "migrate 1", "migrate 1 after", "write 2")


class Stop(BaseException):
    """What the other one stops by; no error of nubetis."""


class Meanwhile:
    """A store in which somebody acts just before *step*, or after it, once."""

    def __init__(self, store, step, act):
        self._store, self._step, self._act = store, step, act
        self._counts = {"write": 0, "migrate": 0}

    def __getattr__(self, name):
        return getattr(self._store, name)

    def _do(self, kind, work):
        name, self._counts[kind] = f"{kind} {self._counts[kind]}", self._counts[kind] + 1
        self._at(name)
        found = work()
        self._at(f"{name} after")
        return found

    def _at(self, name):
        if name == self._step:
            self._step = None
            self._act()

    def write(self, unit):
        return self._do("write", lambda: self._store.write(unit))

    def migrate(self, steps, schema, **more):
        return self._do("migrate", lambda: self._store.migrate(steps, schema, **more))


@pytest.fixture
def org(nubetis_org):
    nubetis_org.add_module(pets())
    nubetis_org.administrator().create("pets", name="Rex", colour="Brown", chip="1")
    return nubetis_org


def other(org, step=None):
    """Give the work of one who opens the organisation while it is changed, and stops at *step*."""
    world = org._world

    def stop():
        raise Stop

    def act():
        store = Meanwhile(world.store._store, step, stop)
        mine = World(store=store, extensions=world.extensions, now=world.now, lease=world.lease, salt=world.salt)
        with suppress(Stop):
            resume_alter(State(mine, None, purpose="mending"))

    return act


def together(org, change, step, act):
    """Change the schema while somebody acts at *step*; give the operation."""
    store = org._world.store
    org._world.store = Meanwhile(store, step, act)
    try:
        return org.alter(change(org.schema))
    finally:
        org._world.store = store


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("step", STEPS)
def test_who_opens_it_in_the_middle_may_go_on_with_it(org, change, step):
    """Who began it is not stopped by that; the modules are the new ones, whole, and what they were is changed once."""
    new = CHANGES[change](org.schema)
    operation = together(org, CHANGES[change], step, other(org))
    expect_changed(org, new, operation)


@pytest.mark.parametrize("late", ["write 1", "migrate 1", "write 2"])
@pytest.mark.parametrize("step", ["migrate 0", "write 1", "migrate 1"])
def test_who_goes_on_with_it_may_stop_again(org, step, late):
    change = CHANGES["purge and add one of its name"]
    new = change(org.schema)
    operation = together(org, change, step, other(org, late))
    expect_changed(org, new, operation)


def expect_changed(org, new, operation):
    assert org.schema.modules == new.modules
    assert [operation.state.value, org.interrupted(), org.check()] == ["done", [], []]
    (rex,) = org.administrator().find("pets")
    assert (rex["name"], rex["chip"]) == ("Rex", "1")
    org.alter(org.schema.with_field("pets", text("more")))
    org.administrator().create("pets", name="Tom", more="x", chip="2")


def test_one_that_the_records_forbid_says_why_whoever_found_it(org):
    """Two with one chip: who began it is told of that, also where the other one took it back first."""
    org.administrator().create("pets", name="Tom", chip="1")
    for step in ("migrate 0", "migrate 0 after"):
        with refusing("not_unique", Conflict):
            together(org, CHANGES["make unique"], step, suppressing(other(org)))
        assert org.interrupted() == []


def suppressing(act):
    def acted():
        with suppress(Conflict):
            act()

    return acted


def test_one_that_the_records_forbid_by_now_is_no_reason_not_to_open(org):
    """It is taken back, and stands in the journal as one that failed."""

    def stop():
        raise Stop

    with suppress(Stop):
        together(org, CHANGES["make unique"], "migrate 0", stop)
    assert len(org.interrupted()) == 1
    org.administrator().create("pets", name="Tom", chip="1")
    org.mend()

    assert org.interrupted() == []
    assert not org.schema.module("pets").field("chip").unique


def test_two_that_open_it_with_the_same_new_module_both_get_it(org):
    """The slower one finds a change under way, goes on with it, and has nothing left to do."""
    extensions, found = org._world.extensions, []
    modules = (*extensions.modules(), Module(name="toys", fields=[text("name")]))

    class Offering:
        def __getattr__(self, name):
            return getattr(extensions, name)

        def modules(self):
            return modules

    org._world.extensions = Offering()
    store = org._world.store

    def act():
        org._world.store = store
        org.mend()
        found.append("toys" in org.schema)

    for step in ("write 0", "migrate 0"):
        org._world.store = Meanwhile(store, step, act)
        org.mend()
    org._world.store = store
    assert (found, "toys" in org.schema, org.interrupted()) == ([True], True, [])


def test_one_at_which_the_store_stumbles_is_taken_back(org):
    """Whatever it raises: the next change does not find it in its way."""

    def stumble():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        together(org, CHANGES["make unique"], "migrate 0", stumble)
    assert org.interrupted() == []
    org.add_field("pets", Field(name="later", type=kind("text")))
