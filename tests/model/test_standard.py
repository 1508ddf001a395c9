"""The standard modules: whole, consistent, and able to keep what their types make."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from nubetis.model.fields import FieldState, Operator, Storage
from nubetis.model.formats import ISO
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import BUILT_IN
from nubetis.model.record import Record
from nubetis.model.schema import FIRST_OWN_FIELD
from nubetis.model.standard import STANDARD_MODULES, base_schema
from nubetis.model.system import FIRST_OTHER, SYSTEM_SCHEMA

SCHEMA = base_schema()
STANDARD = [SCHEMA.module(module.name) for module in STANDARD_MODULES]
FIELDS = [
    pytest.param(module, field, id=f"{module.name}.{field.name}") for module in STANDARD for field in module.fields
]
MODULES = [pytest.param(module, id=module.name) for module in STANDARD]

REQUIRED = {
    "accounts": {"name"},
    "leads": {"name"},
    "contacts": {"last_name"},
    "deals": {"name"},
    "products": {"name"},
    "tasks": {"subject"},
    "events": {"subject"},
    "calls": {"subject"},
    "notes": set(),
    "attachments": {"file"},
    "emails": set(),
}
"""The least that makes a record of each module: a form that asks for more turns people away."""


def test_the_modules_are_those_of_a_crm():
    wanted = {
        "leads", "contacts", "accounts", "deals", "tasks", "events", "calls", "notes", "attachments", "emails",
        "products",
    }  # fmt: skip
    assert wanted == {module.name for module in STANDARD_MODULES}


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_every_field_gives_back_what_it_is_given(module, field):
    """For fifty samples: checked, packed into a row, read from it, and checked again, a value is the same."""
    random, slot = Random(f"{module.name}.{field.name}"), module.layout.slots[field.name]
    for _ in range(50):
        value = field.check(field.type.sample(field, random))
        row = [None] * len(module.layout.columns)
        row[slot.start : slot.stop] = field.pack(value)
        read = slot.read(tuple(row))
        assert value == read
        assert read is None or field.check(read) == read


@pytest.mark.parametrize(("module", "field"), [each for each in FIELDS if each.values[1].type.name != "file"])
def test_what_a_field_shows_it_reads(module, field):
    """But for files, which come as bytes."""
    random = Random(f"{module.name}.{field.name}")
    for _ in range(20):
        value = field.check(field.type.sample(field, random))
        if value in (None, ()):
            continue
        shown = field.type.show(field, value, ISO)
        assert shown == field.type.show(field, field.type.parse(field, shown, ISO), ISO)


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_every_part_has_a_column_of_its_own_with_its_storage(module, field):
    slot = module.layout.slots[field.name]
    columns = module.layout.columns[slot.start : slot.stop]
    assert [part.storage for part in field.parts] == [column.storage for column in columns]
    assert [field.column_of(part) for part in field.parts] == [column.name for column in columns]


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_a_field_is_active_labelled_and_not_nubetis_own(module, field):
    assert (FieldState.ACTIVE, False) == (field.state, field.system)
    assert field.label[0].isupper()
    assert field.id >= FIRST_OWN_FIELD


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_a_default_is_a_value_of_its_field(module, field):
    assert field.default is None or field.check(field.default) == field.default


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_links_lead_to_modules_and_know_their_prefixes(module, field):
    assert [SCHEMA.module(target).prefix for target in field.targets] == list(field.prefixes)


@pytest.mark.parametrize(("module", "field"), FIELDS)
def test_choices_are_named_and_there_is_more_than_one(module, field):
    if field.type.name not in {"choice", "multi_choice"}:
        assert field.choices == ()
        return
    values = [choice.value for choice in field.choices]
    assert len(values) == len(set(values)) > 1
    assert [value for value in values if value != value.lower() or " " in value] == []


@pytest.mark.parametrize("module", MODULES)
def test_the_title_is_a_field_that_shows_as_one_line(module):
    title = module.field(module.title)
    assert title.type.name in {"text", "file"}
    record = Record(module, (1, 1, *[None] * (len(module.layout.columns) - 2)))
    assert record.id == record.title


@pytest.mark.parametrize("module", MODULES)
def test_no_more_is_required_than_makes_a_record(module):
    assert REQUIRED[module.name] == {field.name for field in module.fields if field.required}


@pytest.mark.parametrize("module", MODULES)
def test_the_title_is_required_or_the_id_stands_for_it(module):
    needed = {field.name for field in module.fields if field.required}
    assert not needed or module.title in needed


@pytest.mark.parametrize("module", MODULES)
def test_keywords_find_records_of_every_module_by_their_title(module):
    title = module.field(module.title)
    assert title.searchable or Operator.MATCHES not in title.type.operators


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_journalled_and_counted_by_owner(module):
    assert (True, False, ("owner",)) == (module.journalled, module.system, module.tallied_by)


@pytest.mark.parametrize("module", MODULES)
def test_an_id_says_of_which_module_it_is(module):
    assert module is SCHEMA.by_prefix[decode(encode(module.prefix, 7))[0]]


@pytest.mark.parametrize("module", STANDARD_MODULES, ids=lambda module: module.name)
def test_a_prefix_is_as_it_was_declared(module):
    """The schema would give another where one is taken, and ids would begin with a surprise."""
    assert module.prefix == SCHEMA.module(module.name).prefix


def test_prefixes_names_and_tables_are_unique_with_those_of_the_system():
    for attribute in ("prefix", "name", "table", "id"):
        times = Counter(getattr(module, attribute) for module in SCHEMA.modules)
        assert [value for value, number in times.items() if number > 1] == []


def test_numbers_begin_beyond_those_of_the_system():
    """So that system modules of a later version find room."""
    assert list(range(FIRST_OTHER, FIRST_OTHER + len(STANDARD))) == sorted(module.id for module in STANDARD)


def test_the_system_modules_are_as_they_were():
    assert [SCHEMA.by_id[module.id] for module in SYSTEM_SCHEMA.modules] == list(SYSTEM_SCHEMA.modules)


def test_personal_data_are_marked_in_people():
    """What an erasure takes without being told."""
    for name in ("leads", "contacts"):
        marked = {field.name for field in SCHEMA.module(name).fields if field.personal}
        assert {"first_name", "last_name", "email", "phone", "mobile", "address"} <= marked


def test_no_column_holds_two_things():
    for module in STANDARD:
        names = [column.name for column in module.layout.columns] + [name for name, _, _ in module.layout.twins]
        assert len(names) == len(set(names))


def test_nearly_every_type_has_a_use():
    """What no standard field uses is for custom fields; the list says which."""
    used = {field.type.name for module in STANDARD for field in module.all_fields}
    unused = {"auto_number", "bytes", "decimal", "image", "person_name", "time"}
    assert unused == {*BUILT_IN} - used


def test_every_storage_has_a_use_in_records():
    used = {column.storage for module in SCHEMA.modules for column in module.layout.columns}
    assert {Storage.TIME} == {*Storage} - used
