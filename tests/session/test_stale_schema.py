"""A schema made from an older one is not stored: it would drop what others added meanwhile."""

from __future__ import annotations

import pytest

from nubetis.errors import Conflict
from nubetis.model.fields import Field
from nubetis.model.kinds import kind
from nubetis.model.schema import Module
from nubetis.session.world import Known, World


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
