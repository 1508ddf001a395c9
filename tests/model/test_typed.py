"""Records as values of a host's own class."""

from __future__ import annotations

from decimal import Decimal

import attrs
import pytest

from nubetis.errors import NotFound
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.standard import base_schema
from nubetis.model.typed import Typed
from tests.rows import row_of

DEALS = base_schema().module("deals")
ROWS = [
    row_of(DEALS, 1, name="Acme", stage="open", amount=Money("10", "PEN", home="10")),
    row_of(DEALS, 2, name="Eva", stage="won"),
]
RECORDS = [Record(DEALS, row) for row in ROWS]


@attrs.frozen
class Deal:
    id: str
    name: str
    amount: Money | None
    stage: str = "open"


def test_a_record_becomes_a_value_of_the_class():
    found = Typed.of(Deal, DEALS).one(RECORDS[0])
    amount = Money(Decimal("10.00"), "PEN", home=Decimal("10.00"))
    assert Deal(RECORDS[0].id, "Acme", amount, "open") == found


def test_many_records_keep_their_order():
    assert ["Acme", "Eva"] == [deal.name for deal in Typed.of(Deal, DEALS).all(iter(RECORDS))]


def test_what_is_missing_is_none_and_not_the_default_of_the_class():
    """The class's defaults are for the host's own making; a record says what it holds."""
    record = Record(DEALS, row_of(DEALS, 3, name="x"))
    assert Deal(record.id, "x", None, None) == Typed.of(Deal, DEALS).one(record)


def test_only_the_attributes_of_the_class_are_read():
    @attrs.frozen
    class Name:
        name: str

    assert [Name("Acme"), Name("Eva")] == Typed.of(Name, DEALS).all(RECORDS)


def test_an_attribute_that_is_no_field_is_found_at_once():
    """When the view is made, not at the first record."""

    @attrs.frozen
    class Wrong:
        stge: str

    with pytest.raises(NotFound) as caught:
        Typed.of(Wrong, DEALS)
    assert ("unknown_field", "Did you mean stage?") == (caught.value.code, caught.value.params["hint"])


def test_no_records_are_no_values():
    assert [] == Typed.of(Deal, DEALS).all([])
