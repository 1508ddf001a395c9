"""A schema made from an older one is not stored: it would drop what others added meanwhile."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from nubetis.errors import Conflict, PlanDrifted
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, F
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, ValidationRule
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


def changed(org, name, /, **settings):
    """Change what a field of the module odd asks."""
    org.alter(org.schema.with_field("odd", attrs.evolve(org.schema.module("odd").field(name), **settings)))


def with_rule(org):
    rule = ValidationRule(name="no b", where=F.name == "b", message="No b.")
    org.alter(org.schema.with_module(attrs.evolve(org.schema.module("odd"), rules=(rule,))))


ASKS_MORE = {
    "choice dropped": lambda org: changed(org, "size", choices=("s",)),
    "one of several": lambda org: changed(org, "sizes", choices=("s",)),
    "choices at all": lambda org: changed(org, "tags2", choices=("x",)),
    "required": lambda org: changed(org, "note", required=True),
    "shorter": lambda org: changed(org, "note", max_length=3),
    "unique": lambda org: changed(org, "note", unique=True),
    "retired": lambda org: org.alter(org.schema.retire_field("odd", "note")),
    "rule": with_rule,
}
ASKS_NO_MORE = {
    "choice added": lambda org: changed(org, "size", choices=("s", "m", "l")),
    "label": lambda org: changed(org, "note", label="Nota"),
    "index": lambda org: changed(org, "note", indexed=True),
    "name": lambda org: changed(org, "note", name="remark"),
    "another module": lambda org: org.add_field("leads", field("colour")),
}


@pytest.fixture
def odd(nubetis_org):
    """Give a session where there is a module with fields that ask something of their values."""
    org = nubetis_org
    fields = [
        field("name"), field("note"), Field(name="size", type=kind("choice"), choices=("s", "m")),
        Field(name="sizes", type=kind("multi_choice"), choices=("s", "m")),
        Field(name="tags2", type=kind("multi_choice")), Field(name="about", type=kind("link"), targets=("accounts",)),
    ]  # fmt: skip
    org.add_module(Module(name="odd", fields=fields))
    session = org.administrator()
    session.create("odd", name="a")
    return session


def plans(session):
    """Give a plan of new records, and one of new values for those that are there."""
    values = {"name": "b", "size": "m", "sizes": ("m",), "tags2": ("y",)}
    return [session.plan_create("odd", [values]), session.plan_update("odd", EVERYTHING, note="long", **values)]


@pytest.mark.parametrize("asked", ASKS_MORE.values(), ids=ASKS_MORE)
def test_a_plan_is_not_written_where_more_is_asked_than_when_it_was_made(nubetis_org, odd, asked):
    """What would be refused now must not come in by the back door."""
    made = plans(odd)
    asked(nubetis_org)
    for plan in made:
        with refusing("outdated", PlanDrifted):
            odd.apply(plan)
    assert [each["name"] for each in odd.find("odd")] == ["a"]


@pytest.mark.parametrize("asked", ASKS_NO_MORE.values(), ids=ASKS_NO_MORE)
def test_a_plan_is_written_where_nothing_more_is_asked(nubetis_org, odd, asked):
    made = plans(odd)
    asked(nubetis_org)
    for plan in made:
        odd.apply(plan)
    assert [each["name"] for each in odd.find("odd")] == ["b", "b"]


def test_a_field_that_must_be_filled_came_meanwhile(nubetis_org, odd):
    """New records would lack it; what is there lacks it anyway."""
    made, edited = plans(odd)
    nubetis_org.add_field("odd", Field(name="due", type=kind("date"), required=True))
    with refusing("outdated", PlanDrifted):
        odd.apply(made)
    odd.apply(edited)


@pytest.mark.parametrize("purged", [False, True])
@pytest.mark.parametrize("new", [False, True])
def test_a_plan_is_not_written_where_it_would_link_to_what_is_gone(nubetis_org, odd, new, purged):
    account = odd.create("accounts", name="Acme")
    record = odd.find("odd")[0]
    values = {"name": "b", "about": account.id}
    plan = odd.plan_create("odd", [values]) if new else odd.plan_edits("odd", {record.id: values})
    odd.delete(account)
    if purged:
        nubetis_org.purge(before=odd.now() + timedelta(days=1))
    with refusing("drifted", PlanDrifted):
        odd.apply(plan)
    assert [(each["name"], each["about"]) for each in odd.find("odd")] == [("a", None)]
    assert nubetis_org.check() == []


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("asked", ASKS_MORE.values(), ids=ASKS_MORE)
def test_what_is_left_of_an_operation_is_held_to_what_is_asked_now(nubetis_org, odd, asked):
    """As a plan is; it can be taken back all the same."""
    values = {"name": "c", "size": "s", "sizes": ("s",), "note": "x"}
    cancel(odd, odd.plan_create("odd", [values | {"note": f"n{number}"} for number in range(8)]), after=3)
    asked(nubetis_org)
    (left,) = nubetis_org.interrupted()
    with refusing("outdated", PlanDrifted):
        resume(odd, left)
    odd.undo(left)
    assert [each["name"] for each in odd.find("odd")] == ["a"]


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("asked", ASKS_NO_MORE.values(), ids=ASKS_NO_MORE)
def test_what_is_left_goes_on_where_nothing_more_is_asked(nubetis_org, odd, asked):
    cancel(odd, odd.plan_create("odd", [{"name": "b"}] * 8), after=3)
    asked(nubetis_org)
    (left,) = nubetis_org.interrupted()
    resume(odd, left)
    assert odd.count("odd") == 9


def test_what_is_asked_of_other_fields_stops_no_edit(nubetis_org, odd):
    """A choice that went, a field that was retired: the plan writes neither."""
    plan = odd.plan_update("odd", EVERYTHING, name="b")
    changed(nubetis_org, "size", choices=("s",))
    nubetis_org.alter(nubetis_org.schema.retire_field("odd", "note"))
    odd.apply(plan)
    assert odd.find("odd")[0]["name"] == "b"
