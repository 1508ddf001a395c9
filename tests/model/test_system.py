"""The system modules: their numbers never move, for every stored journal speaks of them."""

from __future__ import annotations

import pytest

from nubetis.model import system
from nubetis.model.schema import FIRST_OWN_FIELD
from nubetis.model.system import FIRST_OTHER, SYSTEM_SCHEMA

FROZEN = {
    "versions": (1, "ver", {"format": 32, "schema": 33, "access": 34, "settings": 35, "org": 36}),
    "counters": (2, "cou", {"name": 32, "value": 33}),
    "tallies": (3, "tal", {"module": 32, "column": 33, "value": 34, "delta": 35, "number": 36}),
    "users": (
        4,
        "use",
        {"name": 32, "email": 33, "handle": 34, "state": 35, "kind": 36, "role": 37, "profile": 38,
         "permission_sets": 39},
    ),
    "roles": (5, "rol", {"name": 32, "reports_to": 33, "built_in": 34, "peers": 35}),
    "profiles": (6, "pro", {"name": 32, "administrator": 33, "built_in": 34, "permissions": 35}),
    "settings": (7, "set", {"name": 32, "value": 33}),
    "modules": (8, "mod", {"name": 32, "number": 33, "definition": 34}),
    "operations": (
        9,
        "ope",
        {
            "state": 32, "cause": 33, "detail": 34, "actor": 35, "on_behalf_of": 36, "digest": 37, "position": 38,
            "changes": 39, "undo_of": 40, "started_at": 41, "ended_at": 42,
        },
    ),
    "entries": (10, "ent", {"operation": 32, "at": 33, "inserts": 34, "digest": 35, "seal": 36}),
    "changes": (
        11,
        "cha",
        {
            "entry": 32, "module": 33, "record": 34, "kind": 35, "version": 36, "before": 37, "salts": 38,
            "commitment": 39,
        },
    ),
    "seals": (12, "sea", {"entry": 32, "digest": 33, "at": 34}),
    "outbox": (
        13,
        "out",
        {"kind": 32, "body": 33, "key": 34, "state": 35, "attempts": 36, "due_at": 37, "entry": 38},
    ),
    "blobs": (14, "blo", {"hash": 32, "size": 33, "data": 34}),
    "holds": (15, "hol", {"reason": 32, "module": 33, "where": 34, "records": 35, "since": 36, "until": 37}),
    "retention_rules": (
        16,
        "ret",
        {"name": 32, "module": 33, "where": 34, "days": 35, "action": 36, "stage": 37, "active": 38},
    ),
    "permission_sets": (17, "pse", {"name": 32, "permissions": 33}),
    "groups": (18, "gro", {"name": 32, "members": 33}),
    "sharing_defaults": (19, "sde", {"module": 32, "level": 33, "upward": 34, "parent": 35, "parent_level": 36}),
    "sharing_rules": (
        20,
        "sru",
        {
            "name": 32, "module": 33, "source": 34, "where": 35, "target": 36, "level": 37, "superiors": 38,
            "active": 39,
        },
    ),
    "shares": (
        21,
        "sha",
        {
            "module": 32, "record": 33, "target": 34, "level": 35, "until": 36, "related": 37, "superiors": 38,
            "kind": 39, "function": 40,
        },
    ),
    "delegations": (
        22,
        "del",
        {"user": 32, "delegate": 33, "since": 34, "until": 35, "modules": 36, "actions": 37, "functions": 38},
    ),
}  # fmt: skip
"""Name → number, prefix, fields by number.  What stands here never changes; new ones are added at the end."""

EVERY_RECORD = {
    "id": 1, "version": 2, "created_in": 3, "deleted_in": 4, "created_at": 5, "created_by": 6, "modified_at": 7,
    "modified_by": 8, "owner": 9, "tags": 10,
}  # fmt: skip

LEDGERS = {
    "versions", "counters", "tallies", "operations", "entries", "changes", "seals", "outbox", "blobs",
}  # fmt: skip

NAMES = list(FROZEN)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_given_once_stays(name):
    module = SYSTEM_SCHEMA.module(name)
    found = {field.name: field.id for field in module.fields}
    assert FROZEN[name] == (module.id, module.prefix, found)


def test_every_system_module_stands_in_the_table():
    """A new one goes to the end of both lists."""
    assert NAMES == [module.name for module in SYSTEM_SCHEMA.modules]


@pytest.mark.parametrize("name", NAMES)
def test_what_every_record_has_is_numbered_below_the_modules_own_fields(name):
    module = SYSTEM_SCHEMA.module(name)
    common = {field.name: field.id for field in module.all_fields if field.id < FIRST_OWN_FIELD}
    assert ({"id": 1} if name in LEDGERS else EVERY_RECORD) == common


@pytest.mark.parametrize("name", NAMES)
def test_a_ledger_is_not_journalled_and_everything_else_is(name):
    module = SYSTEM_SCHEMA.module(name)
    assert (name in LEDGERS, True) == (not module.journalled, module.system)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_has_the_name_of_its_field_and_a_table_of_its_module(name):
    """The ledgers are read by place and by column name."""
    module = SYSTEM_SCHEMA.module(name)
    assert module.name == module.table
    assert [field.name for field in module.fields] == [field.column for field in module.fields]


@pytest.mark.parametrize("name", NAMES)
def test_each_has_a_constant_of_its_name(name):
    assert SYSTEM_SCHEMA.module(name) is getattr(system, name.upper())
    assert name.upper() in system.__all__


@pytest.mark.parametrize("name", sorted(LEDGERS))
def test_a_ledger_keeps_its_texts_exact(name):
    """What the journal compares and hashes must come back to the letter: no twin, no fold."""
    assert () == SYSTEM_SCHEMA.module(name).layout.twins


def test_a_person_is_found_by_mail_and_handle_whatever_the_case():
    users = SYSTEM_SCHEMA.module("users")
    assert {"email", "handle"} == {field.name for field in users.fields if field.unique}
    assert {"email__f", "handle__f"} <= {twin for twin, _, _ in users.layout.twins}


def test_there_is_room_for_later_system_modules():
    assert max(module.id for module in SYSTEM_SCHEMA.modules) < FIRST_OTHER == SYSTEM_SCHEMA.next_module


def test_the_changes_of_a_record_are_found_by_an_index():
    assert {("entry",), ("record", "entry")} == set(SYSTEM_SCHEMA.module("changes").indexes)
