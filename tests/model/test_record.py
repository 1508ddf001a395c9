"""Records: a mapping over one row, read on demand, that shows no value by accident."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import NotFound
from nubetis.model.fields import Field
from nubetis.model.ids import decode
from nubetis.model.kinds import Address, kind
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema
from nubetis.model.standard import base_schema
from nubetis.testing.strategies import rows
from tests.rows import row_of

SCHEMA = base_schema()
CONTACTS, DEALS = SCHEMA.module("contacts"), SCHEMA.module("deals")
ANA = Record(
    CONTACTS,
    row_of(CONTACTS, 77, version=3, first_name="Ana", last_name="Núñez", address=Address(city="Lima"), tags=["vip"]),
)
ANY = st.sampled_from(SCHEMA.modules).flatmap(
    lambda module: rows(module, most=4).map(lambda found: [Record(module, row) for row in found])
)


# -- a mapping --------------------------------------------------------------------------------


@given(ANY)
def test_it_obeys_the_laws_of_a_mapping(found):
    for record in found:
        assert isinstance(record, Mapping)
        assert list(record) == list(record.keys()) == [name for name, _ in record.items()]
        assert len(record) == len(list(record)) == len(set(record))
        assert list(record.values()) == [record[name] for name in record]
        assert all(name in record for name in record)


@given(ANY)
def test_its_names_are_the_active_fields_of_the_module(found):
    for record in found:
        assert list(SCHEMA.module(record.module).layout.slots) == list(record)


@given(ANY)
def test_reading_gives_what_was_written(found):
    """Packing what is read gives the row again: no value is lost on the way out and in."""
    for record in found:
        module = SCHEMA.module(record.module)
        packed = [cell for field in module.all_fields for cell in field.pack(record[field.name] or None)]
        falsy = [0 if cell is False else cell for cell in record.row]
        kept = [cell for field in module.all_fields for cell in _packed(field, record[field.name])]
        assert falsy == kept, packed


def _packed(field, value):
    return (None,) * len(field.parts) if value in (None, ()) else field.pack(value)


def test_a_value_is_read_by_its_type():
    assert ("Ana", Address(city="Lima"), ("vip",)) == (ANA["first_name"], ANA["address"], ANA["tags"])


def test_what_is_missing_is_none_or_no_choices():
    record = Record(CONTACTS, row_of(CONTACTS, 1, last_name="x"))
    assert (None, None, ()) == (record["email"], record["address"], record["tags"])


def test_money_comes_with_its_home_amount():
    record = Record(DEALS, row_of(DEALS, 1, name="x", amount=Money("10", "EUR", home="40.5")))
    assert Money(Decimal("10.00"), "EUR", home=Decimal("40.50")) == record["amount"]


# -- unknown fields ---------------------------------------------------------------------------


def test_an_unknown_field_is_not_found_with_the_nearest_name():
    with pytest.raises(NotFound) as caught:
        ANA["lastname"]
    assert ("unknown_field", {"module": "contacts", "field": "lastname", "hint": "Did you mean last_name?"}) == (
        caught.value.code,
        caught.value.params,
    )


def test_an_unknown_field_is_a_key_error_too():
    """So that ``get``, ``in`` and whatever else works on mappings works here."""
    with pytest.raises(KeyError):
        ANA["lastname"]
    assert (None, "x", False) == (ANA.get("lastname"), ANA.get("lastname", "x"), "lastname" in ANA)


def test_the_error_speaks_like_any_other():
    """Not like a KeyError, which shows its argument in quotes."""
    with pytest.raises(NotFound, match=r"^Module contacts has no field lastname\. Did you mean last_name\?$"):
        ANA["lastname"]


def test_a_retired_field_is_not_seen():
    schema = Schema().with_module(Module(name="pets", fields=[text("name"), text("race")]))
    retired = schema.retire_field("pets", "race").module("pets")
    record = Record(retired, row_of(schema.module("pets"), 1, name="Michi", race="cat"))
    assert "race" not in record
    assert record["name"] == "Michi"


# -- what it is -------------------------------------------------------------------------------


def test_its_id_names_module_and_key():
    assert (CONTACTS.prefix, 77) == decode(ANA.id)
    assert (77, 3, "contacts", ANA.id) == (ANA.key, ANA.version, ANA.module, ANA["id"])


@pytest.mark.parametrize(("name", "title"), [("Acme", "Acme"), (None, None)])
def test_its_title_is_the_title_field_or_the_id(name, title):
    record = Record(DEALS, row_of(DEALS, 5, **({"name": name} if name else {})))
    assert (title or record.id) == record.title


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x4FFF), min_size=3, max_size=9))
def test_showing_it_shows_no_value(secret):
    """A record gets into logs and tracebacks; what it holds must not."""
    record = Record(CONTACTS, row_of(CONTACTS, 77, first_name=secret, last_name=secret, tags=[secret]))
    assert f"<contacts {record.id} version 1>" == repr(record) == str(record)


# -- comparing --------------------------------------------------------------------------------


def test_records_are_equal_when_all_they_hold_is():
    twin = Record(CONTACTS, ANA.row)
    assert (ANA, hash(ANA)) == (twin, hash(twin))


@pytest.mark.parametrize(
    "other",
    [
        Record(CONTACTS, row_of(CONTACTS, 77, version=4, first_name="Ana")),
        Record(CONTACTS, row_of(CONTACTS, 78, version=3, first_name="Ana")),
        dict(ANA),
        ANA.id,
        None,
    ],
)
def test_another_version_another_record_or_another_thing_is_not_equal(other):
    assert other != ANA


def test_the_same_row_in_two_modules_is_two_records():
    """An id alone says nothing without its module."""
    schema = Schema().with_modules([Module(name=name, fields=[text("name")]) for name in ("pets", "toys")])
    row = row_of(schema.module("pets"), 1, name="x")
    pet, toy = (Record(schema.module(name), row) for name in ("pets", "toys"))
    assert pet != toy
    assert len({pet, toy, Record(schema.module("pets"), row)}) == 2


# -- reading on demand ------------------------------------------------------------------------


def text(name):
    return Field(name=name, type=kind("text"))


@pytest.fixture
def read():
    """Give a record with one field that tells when it is unpacked, and the list it tells to."""
    told = []

    def unpack(field, cells):
        told.append(field.name)
        return cells[0]

    loud = attrs.evolve(kind("text"), unpack=unpack, plain=False)
    module = Module(name="pets", prefix="pet", fields=[text("name"), Field(name="loud", type=loud)])
    return Record(module, row_of(module, 1, name="x", loud="y")), told


def test_nothing_is_unpacked_before_it_is_asked_for(read):
    record, told = read
    assert (record.id, record.version, record.title, len(record), repr(record), list(record)) is not None
    assert (record == record, hash(record), record["name"]) is not None  # noqa: PLR0124 - equality is what is asked
    assert told == []


def test_what_is_asked_for_is_unpacked_each_time(read):
    """A value that can change in the reader's hands is never shared between two who read it."""
    record, told = read
    assert ["y", "y"] == [record["loud"], record["loud"]]
    assert ["loud", "loud"] == told


def test_a_record_has_no_room_for_anything_else():
    with pytest.raises(AttributeError):
        ANA.stage = "won"
    with pytest.raises(TypeError):
        ANA["first_name"] = "Eva"
