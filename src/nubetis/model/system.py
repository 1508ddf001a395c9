"""The modules that nubetis needs for itself: people and settings, and the ledgers.

Users, roles and profiles are ordinary records: planned, journalled, undone.  Ledgers are not: they *are* the
journal, or can be made again, or must never be taken back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, Value
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema

__all__ = [
    "BLOBS",
    "CHANGES",
    "COUNTERS",
    "DELEGATIONS",
    "ENTRIES",
    "FIRST_OTHER",
    "GROUPS",
    "HOLDS",
    "MODULES",
    "OPERATIONS",
    "OUTBOX",
    "PERMISSION_SETS",
    "PROFILES",
    "RETENTION_RULES",
    "ROLES",
    "SEALS",
    "SETTINGS",
    "SHARES",
    "SHARING_DEFAULTS",
    "SHARING_RULES",
    "SYSTEM_SCHEMA",
    "TALLIES",
    "USERS",
    "VERSIONS",
    "check_own",
]


def _field(name: str, type_name: str = "text", **settings: Value) -> Field:
    return Field(name=name, type=kind(type_name), **settings)


def _choice(name: str, *values: str) -> Field:
    return _field(name, "choice", choices=values, default=values[0])


def _number(name: str, *, indexed: bool = False) -> Field:
    return _field(name, "integer", indexed=indexed)


def _plain(name: str, *, required: bool = False) -> Field:
    """Text that nobody sorts or searches: exact, no twin."""
    return _field(name, "choice", required=required, max_length=1_000_000)


def _key(name: str, *, unique: bool = False) -> Field:
    """Text that rows are found by: exact, and short enough for every store's indexes."""
    return _field(name, "choice", unique=unique, max_length=290)


def _blob(name: str) -> Field:
    return _field(name, "choice", max_length=1 << 40)


def _system(name: str, prefix: str, fields: Iterable[Field], **settings: Value) -> Module:
    return Module(name=name, prefix=prefix, fields=fields, system=True, **settings)


def _ledger(name: str, prefix: str, fields: Iterable[Field], *indexes: tuple[str, ...]) -> Module:
    return _system(name, prefix, fields, journalled=False, indexes=indexes)


# -- people and settings ----------------------------------------------------------------------------------------------
_USERS = _system(
    "users", "use",
    [
        _field("name", required=True, searchable=True, personal=True),
        _field("email", "email", required=True, unique=True, searchable=True, personal=True),
        _field("handle", unique=True, max_length=60),
        _choice("state", "active", "invited", "suspended", "deactivated"),
        _choice("kind", "person", "service"),
        _field("role", "link", targets=("roles",), required=True),
        _field("profile", "link", targets=("profiles",), required=True),
        _field("permission_sets", "multi_choice"),
    ],
)  # fmt: skip
"""*permission_sets* holds ids of records of the module with that name."""

_ROLES = _system(
    "roles", "rol",
    [
        _field("name", required=True, unique=True),
        _field("reports_to", "link", targets=("roles",)),
        _field("built_in", "boolean", default=False),
        _field("peers", "boolean", default=False),
    ],
)  # fmt: skip

_PROFILES = _system(
    "profiles", "pro",
    [
        _field("name", required=True, unique=True),
        _field("administrator", "boolean", default=False),
        _field("built_in", "boolean", default=False),
        _plain("permissions"),
    ],
)  # fmt: skip
"""*permissions* is JSON (:mod:`nubetis.access.permissions`)."""

_SETTINGS = _system("settings", "set", [_field("name", required=True, unique=True), _plain("value")])
"""One record a key; the value is JSON."""

_MODULES = _system(
    "modules", "mod",
    [_field("name", required=True, unique=True), _number("number"), _plain("definition", required=True)],
)  # fmt: skip
"""One record a module; the definition is JSON (:mod:`nubetis.model.convert`)."""

# -- what is kept, and how long ----------------------------------------------------------------------------------------
_HOLDS = _system(
    "holds", "hol",
    [
        _field("reason", required=True, max_length=1000),
        _field("module", "integer", required=True, indexed=True),
        _plain("where"),
        _plain("records"),
        _field("since", "datetime", required=True),
        _field("until", "datetime"),
    ],
)  # fmt: skip
"""One record a legal hold: on records of the module with this number, by a filter or by ids, both as JSON."""

_RETENTION_RULES = _system(
    "retention_rules", "ret",
    [
        _field("name", required=True, unique=True),
        _field("module", "integer", required=True),
        _plain("where"),
        _field("days", "integer", required=True),
        _choice("action", "bin", "purge"),
        _choice("stage", "live", "bin"),
        _field("active", "boolean", default=True),
    ],
)  # fmt: skip
"""One record a rule: what goes when it has been in a stage, unchanged, for so many days."""

# -- sharing ----------------------------------------------------------------------------------------------------------
_LEVELS = ("read", "write", "delete")

_PERMISSION_SETS = _system(
    "permission_sets", "pse", [_field("name", required=True, unique=True), _plain("permissions")]
)  # fmt: skip

_GROUPS = _system("groups", "gro", [_field("name", required=True, unique=True), _field("members", "multi_choice")])
"""*members* are principals (:class:`nubetis.access.sharing.Principal`), as everywhere here."""

_SHARING_DEFAULTS = _system(
    "sharing_defaults", "sde",
    [
        _field("module", "integer", required=True, unique=True),
        _choice("level", "none", *_LEVELS),
        _choice("upward", "delete", "read", "none"),
        _number("parent"),
        _choice("parent_level", "none", *_LEVELS),
    ],
)  # fmt: skip
"""One record a module, by its number: what everybody has, what goes up the tree of roles, and what a parent gives."""

_SHARING_RULES = _system(
    "sharing_rules", "sru",
    [
        _field("name", required=True, unique=True),
        _field("module", "integer", required=True),
        _key("source"),
        _plain("where"),
        _key("target"),
        _choice("level", *_LEVELS),
        _field("superiors", "boolean", default=False),
        _field("active", "boolean", default=True),
    ],
)  # fmt: skip
"""One record a rule: by owners (*source*) or by values (*where*, a filter as JSON)."""

_SHARES = _system(
    "shares", "sha",
    [
        _field("module", "integer", required=True),
        _field("record", "integer", required=True),
        _key("target"),
        _choice("level", *_LEVELS),
        _field("until", "datetime"),
        _field("related", "boolean", default=False),
        _field("superiors", "boolean", default=False),
        _choice("kind", "share", "team"),
        _field("function", max_length=200),
    ],
    indexes=(("record",), ("target", "module", "record"), ("target", "module", "superiors", "record")),
)  # fmt: skip
"""One record a share: one record, by the number of its module and its key, with one principal.

One of the kind ``team`` says that a user works on the record, as *function* says."""

_DELEGATIONS = _system(
    "delegations", "del",
    [
        _field("user", "link", targets=("users",), required=True),
        _field("delegate", "link", targets=("users",), required=True),
        _field("since", "datetime"),
        _field("until", "datetime"),
        _field("modules", "multi_choice"),
        _field("actions", "multi_choice"),
        _field("functions", "multi_choice"),
    ],
    indexes=(("delegate",),),
)  # fmt: skip
"""One record a delegation: *user* lets *delegate* act for him, in modules by their numbers."""

# -- the journal ------------------------------------------------------------------------------------------------------
_OPERATIONS = _ledger(
    "operations", "ope",
    [
        _choice("state", "running", "done", "cancelled", "failed"),
        _plain("cause"),
        _plain("detail"),
        _field("actor", "link", targets=("users",)),
        _field("on_behalf_of", "link", targets=("users",)),
        _plain("digest"),
        _number("position"),
        _number("changes"),
        _number("undo_of", indexed=True),
        _field("started_at", "datetime"),
        _field("ended_at", "datetime"),
    ],
)  # fmt: skip
"""One row an operation: what was applied, for whom, how far."""

_ENTRIES = _ledger(
    "entries", "ent",
    [_number("operation"), _field("at", "datetime"), _plain("inserts"), _plain("digest"), _number("seal")],
    ("operation",), ("seal",),
)  # fmt: skip
"""One row a transaction.  *inserts* is JSON: [module, first key, last key, count]; *digest* covers its changes."""

_CHANGES = _ledger(
    "changes", "cha",
    [
        _number("entry"),
        _number("module"),
        _number("record"),
        _choice("kind", "update", "delete", "restore", "purge", "erase"),
        _number("version"),
        _blob("before"),
        _blob("salts"),
        _plain("commitment"),
    ],
    ("entry",), ("record", "entry"),
)  # fmt: skip
"""One row a changed record: the values before, by field id, as JSON."""

_SEALS = _ledger(
    "seals", "sea", [_number("entry"), _plain("digest"), _field("at", "datetime")], ("entry",)
)  # fmt: skip
"""The chain: row n covers row n - 1 and one entry, in commit order."""

# -- what the store keeps for itself ----------------------------------------------------------------------------------
_VERSIONS = _ledger(
    "versions",
    "ver",
    [_number("format"), _number("schema"), _number("access"), _number("settings"), _plain("org")],
)
"""Just one row, with key 1."""

_COUNTERS = _ledger("counters", "cou", [_key("name", unique=True), _number("value")])
_TALLIES = _ledger(
    "tallies",
    "tal",
    [_number("module"), _key("column"), _plain("value"), _number("delta"), _number("number")],
    ("module", "column", "number", "delta"),
)
"""Deltas of live counts; *value* is the JSON of the stored value, and *number* itself where it is a whole number."""

_OUTBOX = _ledger(
    "outbox", "out",
    [
        _plain("kind"),
        _plain("body"),
        _key("key", unique=True),
        _choice("state", "waiting", "done", "dead"),
        _number("attempts"),
        _field("due_at", "datetime"),
        _number("entry"),
    ],
    ("state", "due_at"),
)  # fmt: skip
"""Messages to the outside, written in the transaction that causes them."""

_BLOBS = _ledger("blobs", "blo", [_key("hash", unique=True), _number("size"), _field("data", "bytes")])


_ALL = Schema().with_modules(
    [
        _VERSIONS,
        _COUNTERS,
        _TALLIES,
        _USERS,
        _ROLES,
        _PROFILES,
        _SETTINGS,
        _MODULES,
        _OPERATIONS,
        _ENTRIES,
        _CHANGES,
        _SEALS,
        _OUTBOX,
        _BLOBS,
        _HOLDS,
        _RETENTION_RULES,
        _PERMISSION_SETS,
        _GROUPS,
        _SHARING_DEFAULTS,
        _SHARING_RULES,
        _SHARES,
        _DELEGATIONS,
    ]
)
FIRST_OTHER: Final = 1000
"""The number of the first module that is not a system module: those that later versions add find room below."""

SYSTEM_SCHEMA: Final = attrs.evolve(_ALL, next_module=FIRST_OTHER)
"""All of them, numbered by their place in this list for ever: new ones go to the end."""


def check_own(schema: Schema) -> None:
    """Make sure that *schema* has all that nubetis needs for itself, as it needs it.

    A host may add fields to people, roles, profiles and settings, which nubetis never requires, and name or index
    theirs as it likes; ledgers stay as they are.

    Raises:
        InvalidValue: ``schema_system``.
    """
    for own in SYSTEM_SCHEMA.modules:
        found = schema.by_id.get(own.id)
        if found is None or (found.name, found.journalled, found.system) != (own.name, own.journalled, True):
            raise InvalidValue("schema_system", name=own.name, reason="nubetis cannot do without it")
        if not own.journalled and found.fields != own.fields:
            raise InvalidValue("schema_system", name=own.name, reason="it is a ledger, which nubetis alone writes")
        _check_own_fields(own, found)


def _check_own_fields(own: Module, found: Module) -> None:
    for field in own.fields:
        now = found.by_id.get(field.id)
        looks = {} if now is None else {name: getattr(now, name) for name in _LOOKS}
        if now != attrs.evolve(field, **looks):
            reason = f"nubetis reads the field of {own.name}, and needs it as it is"
            raise InvalidValue("schema_system", name=field.name, reason=reason)
    for field in found.fields:
        if field.required and field.id not in own.by_id:
            raise InvalidValue("schema_system", name=field.name, reason=f"nubetis writes {own.name} without it")


_LOOKS: Final = ("label", "help", "indexed", "searchable")
"""What of nubetis's own fields a host may change."""

VERSIONS: Final = SYSTEM_SCHEMA.module("versions")
COUNTERS: Final = SYSTEM_SCHEMA.module("counters")
TALLIES: Final = SYSTEM_SCHEMA.module("tallies")
USERS: Final = SYSTEM_SCHEMA.module("users")
ROLES: Final = SYSTEM_SCHEMA.module("roles")
PROFILES: Final = SYSTEM_SCHEMA.module("profiles")
SETTINGS: Final = SYSTEM_SCHEMA.module("settings")
MODULES: Final = SYSTEM_SCHEMA.module("modules")
OPERATIONS: Final = SYSTEM_SCHEMA.module("operations")
ENTRIES: Final = SYSTEM_SCHEMA.module("entries")
CHANGES: Final = SYSTEM_SCHEMA.module("changes")
SEALS: Final = SYSTEM_SCHEMA.module("seals")
OUTBOX: Final = SYSTEM_SCHEMA.module("outbox")
BLOBS: Final = SYSTEM_SCHEMA.module("blobs")
HOLDS: Final = SYSTEM_SCHEMA.module("holds")
RETENTION_RULES: Final = SYSTEM_SCHEMA.module("retention_rules")
PERMISSION_SETS: Final = SYSTEM_SCHEMA.module("permission_sets")
GROUPS: Final = SYSTEM_SCHEMA.module("groups")
SHARING_DEFAULTS: Final = SYSTEM_SCHEMA.module("sharing_defaults")
SHARING_RULES: Final = SYSTEM_SCHEMA.module("sharing_rules")
SHARES: Final = SYSTEM_SCHEMA.module("shares")
DELEGATIONS: Final = SYSTEM_SCHEMA.module("delegations")
