"""A schema made from an older one is not stored: it would drop what others added meanwhile."""

from __future__ import annotations

import pytest

from nubetis.errors import Conflict, PlanDrifted
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.model.schema import Module
from nubetis.session.resuming import resume
from nubetis.session.world import Known, World
from tests.session.stopping import cancel
from tests.stores import refusing


def field(name):
    return Field(name=name, type=kind("text"))


@pytest.mark.parametrize("more", [1, 2, 3])
def test_a_schema_made_before_anothers_change_is_refused(nubetis_org, more):
    """However many changes it has itself; what the other added stays."""
    mine = nubetis_org.schema
    nubetis_org.add_field("deals", field("colour"))
    for number in range(more):
        mine = mine.with_module(Module(name=f"own{number}", fields=[field("name")]))
    with pytest.raises(Conflict) as caught:
        nubetis_org.alter(mine)
    assert caught.value.code == "schema_stale"
    assert nubetis_org.schema.module("deals").field("colour").name == "colour"
    assert "own0" not in nubetis_org.schema


def test_read_again_the_change_can_be_repeated(nubetis_org):
    nubetis_org.add_field("deals", field("colour"))
    nubetis_org.alter(nubetis_org.schema.with_field("deals", field("size")))
    names = [each.name for each in nubetis_org.schema.module("deals").fields][-2:]
    assert names == ["colour", "size"]


def test_several_changes_of_the_present_schema_are_one(nubetis_org):
    """Only where they began counts."""
    schema = nubetis_org.schema.with_field("deals", field("colour")).with_field("leads", field("colour"))
    nubetis_org.alter(schema)
    assert all("colour" in nubetis_org.schema.module(name).layout.slots for name in ("deals", "leads"))


class Raced(World):
    """One in which another thread, whose unit sees an older snapshot, learns in the very moment."""

    def __setattr__(self, name, value):
        super().__setattr__(name, Known() if name == "last" else value)


def test_what_a_unit_learns_is_what_its_own_transaction_sees(nubetis_org):
    """Another thread's knowledge is older: a record would be written with columns that are gone."""
    world = nubetis_org._world
    raced = Raced(store=world.store, extensions=world.extensions, now=world.now, lease=world.lease, salt=world.salt)
    learnt, seen = world.store.read(lambda txn: (raced.learn(txn), txn.versions()))

    assert (learnt.versions, learnt.schema.modules) == (seen, nubetis_org.schema.modules)


def purged(org, name):
    """Purge a field of the leads."""
    org.alter(org.schema.retire_field("leads", name).purge_field("leads", name))


@pytest.mark.parametrize("again", [None, "text", "integer"])
@pytest.mark.parametrize("kind_of_plan", ["create", "update"])
def test_a_plan_older_than_the_purge_of_a_field_is_refused(nubetis_org, again, kind_of_plan):
    """Its name may be another field's by now: what was meant for the old one must not get there."""
    nubetis_org.add_field("leads", field("size"))
    session = nubetis_org.administrator()
    session.create("leads", name="Rex", size="small")
    plan = (
        session.plan_create("leads", [{"name": "Tom", "size": "big"}])
        if kind_of_plan == "create"
        else session.plan_update("leads", EVERYTHING, size="big")
    )
    purged(nubetis_org, "size")
    if again is not None:
        nubetis_org.add_field("leads", Field(name="size", type=kind(again)))
    with refusing("outdated", PlanDrifted):
        session.apply(plan)

    assert session.count("leads") == 1
    assert nubetis_org.check() == []


def test_a_plan_older_than_a_new_field_is_applied(nubetis_org):
    session = nubetis_org.administrator()
    plan = session.plan_create("leads", [{"name": "Tom"}])
    nubetis_org.add_field("leads", field("size"))
    session.apply(plan)

    assert session.find("leads")[0]["size"] is None


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("again", [None, "text", "integer"])
def test_what_is_left_of_an_operation_is_not_written_after_a_purge(nubetis_org, again):
    """It can be taken back; nothing is written where it does not belong."""
    nubetis_org.add_field("leads", field("size"))
    session = nubetis_org.administrator()
    cancel(session, session.plan_create("leads", [{"name": str(n), "size": "big"} for n in range(8)]), after=3)
    done = session.count("leads")
    purged(nubetis_org, "size")
    if again is not None:
        nubetis_org.add_field("leads", Field(name="size", type=kind(again)))
    (left,) = nubetis_org.interrupted()
    with refusing("outdated", PlanDrifted):
        resume(session, left)
    assert session.count("leads") == done
    session.undo(left)
    assert (session.count("leads"), nubetis_org.check()) == (0, [])


@pytest.mark.usefixtures("small_chunks")
def test_what_is_left_of_an_operation_is_written_after_a_field_was_added(nubetis_org):
    session = nubetis_org.administrator()
    cancel(session, session.plan_create("leads", [{"name": str(n)} for n in range(8)]), after=3)
    nubetis_org.add_field("leads", field("size"))
    (left,) = nubetis_org.interrupted()
    resume(session, left)

    assert [each["size"] for each in session.find("leads")] == [None] * 8
    assert nubetis_org.check() == []
