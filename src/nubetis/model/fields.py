"""Fields, and the field types they are made of.

A :class:`FieldType` is a value: a name, the *parts* it keeps in the store, and a few functions.  Most types have
one part, without a name; structured types (address, money) have several, which filters name with a dot
(``address.city``) and the store keeps in dotted columns.

Three forms of a value
----------------------
*value*
    what the host's code sees: ``Decimal("12.50")``, ``date(2026, 1, 31)``, a :class:`~nubetis.model.money.Money`.
*stored*
    what a store keeps and every filter compares: ``None``, ``int``, ``str`` or ``bytes``, so arranged that ``==`` and
    ``<`` on stored values mean the same as on values (see :class:`Storage`).
*text*
    what a person reads and types, through :class:`nubetis.model.formats.Formats`.

``check`` brings what was offered to a value or raises :class:`~nubetis.errors.InvalidValue`; ``pack`` and
``unpack`` go to the stored form and back.  Past ``check`` a value is right and nobody checks it again.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any, Final, TypeAlias

import attrs

from nubetis.errors import InvalidValue, misused, names_of, require
from nubetis.model.formats import Formats
from nubetis.types import Cells, FieldId, FieldName, ModuleName, Row, Stored

__all__ = [
    "CELLS",
    "Choice",
    "Field",
    "FieldState",
    "FieldType",
    "Operator",
    "Part",
    "Storage",
    "Value",
    "check_name",
    "check_settings",
]

Value: TypeAlias = Any
"""A field's value as the host's code sees it; its type is the field type's business, unknown to a checker."""


class Storage(enum.StrEnum):
    """How one part is kept, the same for every store as far as ``==`` and ``<`` can tell.

    A store may use a better column type of its own, so long as it gives and takes these.
    """

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    """An integer: the value times ten to the *scale* of its field."""
    BOOLEAN = "boolean"
    """0 or 1."""
    DATE = "date"
    """``2026-01-31``."""
    DATETIME = "datetime"
    """``2026-01-31T09:30:00.000000Z``: UTC, always with microseconds."""
    TIME = "time"
    """``09:30:00.000000``."""
    KEY = "key"
    """The key of a record."""
    SET = "set"
    """A JSON array of texts, sorted: several choices."""
    BYTES = "bytes"


CELLS: Final[Mapping[Storage, type]] = {
    **dict.fromkeys(Storage, str),
    **dict.fromkeys((Storage.INTEGER, Storage.DECIMAL, Storage.BOOLEAN, Storage.KEY), int),
    Storage.BYTES: bytes,
}
"""What a cell is in Python, where it is not empty."""


class Operator(enum.StrEnum):
    """What a filter can say of a field.  Negatives are ``~`` of these."""

    EQ = "="
    LT = "<"
    LE = "<="
    GT = ">"
    GE = ">="
    BETWEEN = "between"
    IN = "in"
    EMPTY = "is empty"
    CONTAINS = "contains"
    STARTS = "starts with"
    ENDS = "ends with"
    MATCHES = "matches"
    ANY_OF = "any of"
    ALL_OF = "all of"
    LINKED = "linked"
    CHANGED = "changed"
    CHANGED_FROM = "changed from"
    CHANGED_TO = "changed to"


@attrs.frozen
class Part:
    """One stored column of a field type.

    *name* is empty for the only part of a simple type.  *kind* names the simple type whose rules the part follows
    in filters; *text* says that it can have a folded twin.
    """

    name: str
    storage: Storage
    kind: str = ""
    text: bool = False


def _is_empty(value: Value) -> bool:
    return value is None or value == ""


@attrs.frozen(kw_only=True)
class FieldType:
    """What a field can hold and how it is checked, kept, compared and shown.

    *parts* is a function of the field because some depend on it (a link to several modules also keeps which).
    *operand* turns what a filter compares with into (part, stored value) pairs, all of which must hold.
    """

    name: str
    parts: Callable[[Field], tuple[Part, ...]]
    check: Callable[[Field, object], Value]
    pack: Callable[[Field, Value], Row]
    unpack: Callable[[Field, Cells], Value]
    operand: Callable[[Field, object], tuple[tuple[str, Stored], ...]]
    operators: frozenset[Operator]
    parse: Callable[[Field, str, Formats], Value]
    show: Callable[[Field, Value, Formats], str]
    sample: Callable[[Field, Random], Value]
    fold: Callable[[str], str] | None = None
    filterable: bool = False
    """A field of this type has a folded twin unless it says otherwise."""
    plain: bool = False
    """The stored form is the value itself: ``unpack`` need not be called."""
    ordered_by: str = ""
    """The part that sorts and indexes use where none is named, and sums: of money, the home amount."""
    longest: int | None = None
    """Characters that a text of this type may have, where its field does not say (``max_length``)."""


class FieldState(enum.StrEnum):
    """A retired field keeps its data, unseen, until it is purged."""

    ACTIVE = "active"
    RETIRED = "retired"


_EXPECTED: Final = {str: "a text", bool: "True or False", int: "a whole number", FieldState: "a FieldState"}


def check_settings(given: object, kinds: Mapping[type, Iterable[str]]) -> None:
    """Stop where a setting of a definition is of another kind than the names by kind say.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    for kind, names in kinds.items():
        for name in names:
            require(getattr(given, name), kind, argument=name, expected=_EXPECTED[kind])


@attrs.frozen
class Choice:
    """One value of a choice field: what is stored, and what a person reads.

    One that is *retired* stays with the records that have it, and no other is given it.
    """

    value: str
    label: str = ""
    colour: str = ""
    retired: bool = False

    def __attrs_post_init__(self) -> None:
        require(self.value, str, argument="choices", expected="a list of texts, or of Choice")
        check_settings(self, {str: ("label", "colour"), bool: ("retired",)})


_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,59}")
_RESERVED: Final = frozenset({"and", "or", "not", "in", "is", "me", "any", "all", "values"})
_OF_STORES: Final = frozenset({"rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"})
"""Columns that a table of SQLite or PostgreSQL has by itself: an organisation moves between stores."""


def check_name(name: str, *, what: str) -> str:
    """Give *name* back if it can name a module or a field.

    Raises:
        InvalidValue: ``bad_name``; ``bad_argument``, it is no text.

    >>> check_name("stage", what="field")
    'stage'
    """
    require(name, str, argument="name", expected="a text")
    taken = name in _RESERVED or (what == "field" and name in _OF_STORES)
    if not _NAME.fullmatch(name) or taken or "__" in name:
        raise InvalidValue("bad_name", name=repr(name[:60]), what=what)
    return name


def _field_name(name: str) -> FieldName:
    return FieldName(check_name(name, what="field"))


def _choices(given: Iterable[Choice | str]) -> tuple[Choice, ...]:
    if isinstance(given, str) or not isinstance(given, Iterable):
        raise misused("choices", "a list of choices", given)
    choices = tuple(Choice(item) if isinstance(item, str) else item for item in given)
    for choice in choices:
        require(choice, Choice, argument="choices", expected="a list of texts, or of Choice")
    if any('"' in choice.value or "\\" in choice.value or not choice.value for choice in choices):
        raise InvalidValue("bad_argument", argument="choices", reason='a choice is not empty and has no " or \\')
    return choices


def _field_type(given: FieldType) -> FieldType:
    require(given, FieldType, argument="type", expected='a field type such as kind("text")')
    return given


def _targets(given: Iterable[str] | str) -> tuple[ModuleName, ...]:
    names = names_of(given, argument="targets", expected="names of modules")
    return tuple(ModuleName(check_name(name, what="module")) for name in names)


def _prefixes(given: Iterable[str]) -> tuple[str, ...]:
    return names_of(given, argument="prefixes")


_KINDS: Final = {
    str: ("column", "label", "help"),
    bool: ("required", "unique", "filterable", "searchable", "indexed", "personal", "consent", "system"),
    int: ("id", "scale", "max_length"),
    FieldState: ("state",),
}


@attrs.frozen(kw_only=True)
class Field:
    """One field of a module.

    *id* is given by the schema and never changes; *column* is the name in the store, the first name the field
    had.  *filterable* short text has a folded twin; *searchable* text is found by keywords.  *system* fields are
    written by nubetis alone.  *scale* is the number of decimals of decimal, percent and money fields.
    """

    name: FieldName = attrs.field(converter=_field_name)
    type: FieldType = attrs.field(converter=_field_type)
    id: FieldId = FieldId(0)
    column: str = attrs.field(default=attrs.Factory(lambda self: str(self.name), takes_self=True))
    label: str = attrs.field(
        default=attrs.Factory(lambda self: self.name.replace("_", " ").capitalize(), takes_self=True)
    )
    help: str = ""
    required: bool = False
    unique: bool = False
    default: Value = None
    filterable: bool = attrs.field(default=attrs.Factory(lambda self: self.type.filterable, takes_self=True))
    searchable: bool = False
    indexed: bool = False
    personal: bool = False
    consent: bool = False
    system: bool = False
    choices: tuple[Choice, ...] = attrs.field(default=(), converter=_choices)
    targets: tuple[ModuleName, ...] = attrs.field(default=(), converter=_targets)
    prefixes: tuple[str, ...] = attrs.field(default=(), converter=_prefixes)
    """The id prefixes of *targets*; filled by the schema."""
    scale: int = 2
    max_length: int = 255
    state: FieldState = FieldState.ACTIVE

    def __attrs_post_init__(self) -> None:
        check_settings(self, _KINDS)
        if self.targets and Operator.LINKED not in self.type.operators:
            reason = f"{self.name} is no link, and leads nowhere: leave them away"
            raise InvalidValue("bad_argument", argument="targets", reason=reason)
        if self.unique and self.parts[0].name:
            reason = f"{self.name} has several parts, and none stands for it"
            raise InvalidValue("bad_argument", argument="unique", reason=reason)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The stored parts of this field, in order."""
        return self.type.parts(self)

    @property
    def order_part(self) -> Part:
        """The part that says where a record stands among others."""
        return next((part for part in self.parts if part.name == self.type.ordered_by), self.parts[0])

    def has_twin(self, part: Part) -> bool:
        """Say whether *part* has a folded twin: text that can be filtered or searched."""
        return part.text and (self.filterable or self.searchable)

    def column_of(self, part: Part) -> str:
        """Give the name of the column that keeps *part*."""
        return f"{self.column}.{part.name}" if part.name else self.column

    def choice_values(self) -> Mapping[str, Choice]:
        """Give the choices by their stored value."""
        return {choice.value: choice for choice in self.choices}

    def open_choices(self) -> tuple[str, ...]:
        """Give the choices that records may still be given, by their stored value."""
        return tuple([choice.value for choice in self.choices if not choice.retired])

    def check(self, offered: object) -> Value:
        """Bring what was *offered* to a value of this field; ``None`` and ``""`` are empty.

        Raises:
            InvalidValue: it does not fit the field's type.
        """
        return None if _is_empty(offered) else self.type.check(self, offered)

    def pack(self, value: Value) -> Row:
        """Give the stored form of a checked *value*, one item a part."""
        return (None,) * len(self.parts) if value is None else self.type.pack(self, value)
