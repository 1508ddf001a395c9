"""A field that comes after a plan was made: the records that the plan makes have its default, as any new one has."""

from __future__ import annotations

import attrs
import pytest

from nubetis import Field, Money
from nubetis.errors import PlanDrifted
from nubetis.model.kinds import kind
from nubetis.session.resuming import resume
from tests.session.stopping import NAMES, cancel
from tests.stores import refusing

DEFAULTS = {
    "text": "new", "choice": "a", "multi_choice": ("a", "b"), "money": Money("5", "PEN"), "boolean": False,
    "bytes": b"\0",
}  # fmt: skip


def add(org, name="late", **settings):
    org.add_field("leads", Field(**{"name": name, "type": kind("text"), **settings}))


def of(session, *names):
    return [tuple(each[name] for name in names) for each in session.find("leads", limit=100)]


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_record_planned_before_has_the_default(nubetis_org, nubetis_session, name):
    """Of whatever kind, be it required; what the plan gives stays."""
    choices = ("a", "b") if "choice" in name else ()
    plan = nubetis_session.plan_create("leads", [{"name": "A", "company": "X"}, {"name": "B"}])
    add(nubetis_org, type=kind(name), choices=choices, default=DEFAULTS[name], required=True)
    add(nubetis_org, "bare")
    nubetis_session.apply(plan)
    same = nubetis_session.create("leads", name="C")["late"]

    found = of(nubetis_session, "name", "company", "late", "bare")
    assert found[:2] == [("A", "X", same, None), ("B", None, same, None)]
    assert nubetis_org.check() == []


def test_a_field_put_before_others_moves_no_value(nubetis_org, nubetis_session):
    """Values follow their field, wherever it lies now."""
    plan = nubetis_session.plan_create("leads", [{"name": "A", "company": "X"}])
    leads = nubetis_org.schema.module("leads")
    first = Field(name="late", type=kind("text"), default="new")
    nubetis_org.alter(nubetis_org.schema.with_module(attrs.evolve(leads, fields=[first, *leads.fields])))
    nubetis_session.apply(plan)

    assert of(nubetis_session, "name", "company", "late") == [("A", "X", "new")]


@pytest.mark.usefixtures("small_chunks")
def test_what_is_resumed_has_it_from_there_on(nubetis_org, nubetis_session):
    """Records that were there when the field came are empty, as ever."""
    cancel(nubetis_session, nubetis_session.plan_create("leads", NAMES), after=3)
    add(nubetis_org, default="new")
    resume(nubetis_session, nubetis_org.interrupted()[0])

    assert of(nubetis_session, "name", "late") == [
        (each["name"], None if at < 3 else "new") for at, each in enumerate(NAMES)
    ]
    assert nubetis_org.verify().tampered == ()


@pytest.mark.usefixtures("small_chunks")
def test_what_runs_meanwhile_has_it_from_there_on(nubetis_org, nubetis_session):
    """Nobody stops a long operation by adding a field."""
    added = []

    def progress(done, total):
        if not added:
            added.append(add(nubetis_org, default="new"))

    nubetis_session.apply(nubetis_session.plan_create("leads", NAMES), progress=progress)

    assert [late for (late,) in of(nubetis_session, "late")] == [None] * 3 + ["new"] * 5


def test_a_field_that_asks_for_a_value_still_stops_it(nubetis_org, nubetis_session):
    plan = nubetis_session.plan_create("leads", [{"name": "A"}])
    add(nubetis_org, required=True)
    with refusing("outdated", PlanDrifted):
        nubetis_session.apply(plan)
    assert of(nubetis_session, "name") == []
