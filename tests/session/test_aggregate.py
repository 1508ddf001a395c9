"""Numbers for groups: each kind of field gives a value, or is refused in the same words by each store."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from nubetis import F, Money
from nubetis.errors import InvalidFilter, InvalidValue
from nubetis.model.fields import Field
from nubetis.model.kinds import Address, WallTime, kind
from nubetis.model.schema import Module
from tests.stores import refusing

NAMES = ("boolean", "date", "datetime", "time", "text", "long_text", "email", "integer", "percent", "person_name")


@pytest.fixture
def pets(nubetis_org, nubetis_session):
    """Two records of a module that has a field of many types."""
    fields = [Field(name=name, type=kind(name)) for name in NAMES]
    fields += [
        Field(name="choice", type=kind("choice"), choices=("a", "b")),
        Field(name="wall", type=kind("wall_time")),
    ]
    fields += [Field(name="amount", type=kind("money")), Field(name="place", type=kind("address"))]
    fields += [Field(name="score", type=kind("decimal"), scale=1)]
    fields += [Field(name="about", type=kind("link"), targets=("leads", "contacts"))]
    nubetis_org.add_module(Module(name="pets", prefix="pet", fields=tuple(fields), title="text"))
    lead = nubetis_session.create("leads", name="L")
    for number, city in enumerate(("Lima", "Cusco"), start=1):
        wall = WallTime(datetime.fromisoformat(f"2026-01-0{number}T09:00"), "America/Lima")
        nubetis_session.create(
            "pets", text=f"t{number}", long_text="long", boolean=True, integer=number, score=Decimal("0.5"),
            amount=Money(str(number), "PEN"), place=Address(street="Sol", city=city), choice="a", about=lead.id,
            datetime=datetime(2026, 1, number, tzinfo=UTC), wall=wall,
            tags=("x",),
        )  # fmt: skip
    return lead


def measured(session, text):
    return session.aggregate("pets", measures={"n": text})[0]["n"]


MEASURES = {
    "sum integer": 3,
    "max integer": 2,
    "sum score": Decimal("1.0"),
    "sum amount": Decimal("3.00"),
    "min amount": Decimal("1.00"),
    "sum amount.home": Decimal("3.00"),
    "max amount.currency": "PEN",
    "max place.city": "Lima",
    "min choice": "a",
    "max datetime": datetime(2026, 1, 2, tzinfo=UTC),
    "count long_text": 2,
    "count place.city": 2,
    "count": 2,
}
NONE = (
    "sum text", "sum datetime", "sum boolean", "sum owner", "sum id", "sum choice", "sum tags", "min tags", "sum time",
    "min place", "sum place.city", "max person_name", "max wall", "min long_text", "max about", "sum amount.currency",
)  # fmt: skip


def test_a_measure_is_a_value_of_its_field(nubetis_session, pets):
    assert MEASURES == {text: measured(nubetis_session, text) for text in MEASURES}


def test_there_is_no_sum_of_what_is_no_number_and_no_greatest_without_an_order(nubetis_session, pets):
    for text in NONE:
        with refusing("filter_operator", InvalidFilter):
            measured(nubetis_session, text)


def test_what_is_no_measure_is_refused(nubetis_session):
    for text in ("", "avg integer", "sum", "min", "SUM integer", " sum integer"):
        with refusing("bad_argument", InvalidValue):
            nubetis_session.aggregate("leads", measures={"n": text})


def test_a_field_of_several_parts_groups_by_all_of_them(nubetis_session, pets):
    """One street in two cities is two addresses; an amount of money is no bare number."""
    groups = {
        name: [each[name] for each in nubetis_session.aggregate("pets", by=[name], measures={"n": "count"})]
        for name in ("place", "amount", "about", "amount.home", "tags")
    }

    assert {"Lima", "Cusco"} == {each.city for each in groups["place"]}
    assert ({"1", "2"}, [pets.id]) == ({str(each.amount.normalize()) for each in groups["amount"]}, groups["about"])
    assert ({Decimal(1), Decimal(2)}, [("x",)]) == (set(groups["amount.home"]), groups["tags"])


def test_what_is_grouped_by_finds_its_group(nubetis_session, pets):
    """A value that is given can be asked for."""
    for each in nubetis_session.aggregate("pets", by=["text", "about"], measures={"n": "count"}):
        assert each["n"] == nubetis_session.count("pets", (F.text == each["text"]) & (F.about == each["about"]))
