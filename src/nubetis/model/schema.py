"""Modules and the schema that holds them; how a module's fields lie in a row.

A :class:`Schema` is immutable: every change gives another, and :func:`diff` says by which steps a store gets from
one to the other.  Modules and fields have immutable ids, so that the journal stays right when something is renamed.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import cached_property, lru_cache
from itertools import chain, count
from typing import Final, cast

import attrs

from nubetis.errors import InvalidValue, NotFound, names_of, require
from nubetis.i18n import LANGUAGES, label_in
from nubetis.model.fields import Field, FieldState, Value, check_name, check_settings
from nubetis.model.filters import Filter
from nubetis.model.fold import fold_text
from nubetis.model.kinds import kind
from nubetis.model.layout import Layout, lay_out
from nubetis.model.nearest import LONGEST, suggest
from nubetis.types import FieldId, FieldName, Key, ModuleId, ModuleName, Row

__all__ = [
    "CREATED_IN",
    "DELETED_IN",
    "FIRST_OWN_FIELD",
    "ID",
    "VERSION",
    "Module",
    "Schema",
    "SchemaStep",
    "StepKind",
    "ValidationRule",
    "diff",
    "foreign_id",
    "key_of",
    "suggest_field",
]

ID: Final = 0
"""Where every row has its key."""
VERSION: Final = 1
"""Where a record's row has its version."""
CREATED_IN: Final = 2
"""Where a record's row has the entry that made it."""
DELETED_IN: Final = 3
"""Where a record's row has the entry that deleted it; ``None`` while it lives."""

FIRST_OWN_FIELD: Final = 32
"""Field ids below this belong to the fields that every module has."""


def key_of(row: Row) -> Key:
    """Give the key of a row."""
    return cast("Key", row[ID])


def suggest_field(name: str, fields: Iterable[Field]) -> str:
    """Give a sentence that helps with a mistyped *name* of a field, be it its label in a language that nubetis speaks.

    >>> suggest_field("Apellidos", [Field(name="last_name", type=kind("text"))])
    'Did you mean last_name?'
    """
    known = list(fields)
    said = fold_text(str(name)[:LONGEST])
    meant = [each.name for each in known if said in {fold_text(label_in(lang, each.label)) for lang in LANGUAGES}]
    return f"Did you mean {meant[0]}?" if meant else suggest(str(name)[:LONGEST], [each.name for each in known])


def _every_record(name: ModuleName) -> tuple[Field, ...]:
    """Give the fields that records of every journalled module have, in row order."""

    def system(place: int, field_name: str, type_name: str, **more: Value) -> Field:
        changes: dict[str, Value] = {"id": FieldId(place + 1), "system": True, **more}
        return Field(name=field_name, type=kind(type_name), **changes)

    return (
        system(ID, "id", "link", targets=(name,)),
        system(VERSION, "version", "integer"),
        system(CREATED_IN, "created_in", "integer"),
        system(DELETED_IN, "deleted_in", "integer"),
        system(4, "created_at", "datetime"),
        system(5, "created_by", "link", targets=("users",)),
        system(6, "modified_at", "datetime"),
        system(7, "modified_by", "link", targets=("users",)),
        system(8, "owner", "owner", targets=("users",), system=False, indexed=True),
        system(9, "tags", "multi_choice", system=False),
    )


@lru_cache(maxsize=1024)
def _common_fields(name: ModuleName, prefix: str, *, journalled: bool) -> tuple[Field, ...]:
    """Give the fields that a module has besides its own; the same objects each time."""
    common = _every_record(name) if journalled else _every_ledger_row(name)
    known = {"users": "use"} | {name: prefix}
    return tuple([_with_prefixes(field, known) for field in common])


def _every_ledger_row(name: ModuleName) -> tuple[Field, ...]:
    return (Field(name="id", type=kind("link"), targets=(name,), id=FieldId(ID + 1), system=True),)


@attrs.frozen(kw_only=True)
class ValidationRule:
    """Refuses a record for which *where* holds, with *message*.

    The *name* is its own among the rules of its module.
    """

    name: str
    where: Filter
    message: str

    def __attrs_post_init__(self) -> None:
        check_settings(self, {str: ("name", "message")})
        require(self.where, Filter, argument="where", expected="a filter")
        if not self.name.strip():
            raise InvalidValue("bad_argument", argument="name", reason="a rule has a name")
        if not self.message.strip():
            raise InvalidValue("bad_argument", argument="message", reason="a rule says why it refuses")


def _module_name(name: str) -> ModuleName:
    return ModuleName(check_name(name, what="module"))


def _prefix(given: str) -> str:
    require(given, str, argument="prefix", expected="a text")
    if not _PREFIX.fullmatch(given):
        reason = "give one to eight of a-z and 0-9, a letter first"
        raise InvalidValue("bad_argument", argument="prefix", reason=reason)
    return given


_KINDS: Final = {str: ("label", "title", "table"), bool: ("journalled", "system"), int: ("id", "next_field")}
_PREFIX: Final = re.compile(r"[a-z][a-z0-9]{0,7}")


def _indexes(given: Iterable[Iterable[str]]) -> tuple[tuple[str, ...], ...]:
    expected = "a list of names for each index"
    require(given, Iterable, argument="indexes", expected=expected)
    several = [() if isinstance(each, str) else each for each in given]
    if not all(several):
        raise InvalidValue("bad_argument", argument="indexes", reason=f"give {expected}")
    return tuple([names_of(each, argument="indexes", expected=expected) for each in several])


def _rules(given: Iterable[ValidationRule]) -> tuple[ValidationRule, ...]:
    require(given, Iterable, argument="rules", expected="a list of ValidationRule")
    found = tuple(given)
    names: set[str] = set()
    for each in found:
        require(each, ValidationRule, argument="rules", expected="a list of ValidationRule")
        if each.name in names:
            raise InvalidValue("name_taken", name=each.name, what="rule")
        names.add(each.name)
    return found


def _tallied_by(given: Iterable[str]) -> tuple[str, ...]:
    return names_of(given, argument="tallied_by", expected="names of fields")


def _tuple_of_fields(fields: Iterable[Field]) -> tuple[Field, ...]:
    require(fields, Iterable, argument="fields", expected="a list of fields")
    found = tuple(fields)
    for each in found:
        require(each, Field, argument="fields", expected="a list of fields")
    return found


def foreign_id(each: Module | Field) -> InvalidValue:
    """Give the error for an id that nubetis did not give, or gave to another, whose place it would take."""
    reason = f"that of {each.name} is for nubetis to give: leave it away"
    return InvalidValue("bad_argument", argument="id", reason=reason)


def _title(module: Module) -> FieldName:
    if not module.fields:
        raise InvalidValue("bad_argument", argument="fields", reason="a module has at least one field")
    return module.fields[0].name


@attrs.frozen(kw_only=True)
class Module:
    """A kind of record: its name and its fields.

    *fields* are its own; every journalled module has id, version, owner, tags and the like besides.  A *ledger*
    (``journalled=False``) has only an id besides and is never planned, journalled or undone.  *prefix* begins the
    ids of its records.  *title* names the field that stands for the record where one line must do.
    *indexes* lists fields, or columns, to be indexed together, besides the fields that say *indexed* or *unique*:
    ``(("stage", "closed"),)`` serves the pages of one stage sorted by ``closed``.
    *tallied_by* lists fields by whose values the store keeps live counts.

    >>> Module(name="pets", fields=[Field(name="name", type=kind("text"))]).prefix
    'pet'
    """

    name: ModuleName = attrs.field(converter=_module_name)
    fields: tuple[Field, ...] = attrs.field(converter=_tuple_of_fields)
    id: ModuleId = ModuleId(0)
    prefix: str = attrs.field(
        default=attrs.Factory(lambda self: self.name.replace("_", "")[:3], takes_self=True), converter=_prefix
    )
    label: str = attrs.field(
        default=attrs.Factory(lambda self: self.name.replace("_", " ").capitalize(), takes_self=True)
    )
    title: FieldName = attrs.field(default=attrs.Factory(_title, takes_self=True))
    table: str = attrs.field(default=attrs.Factory(lambda self: str(self.name), takes_self=True))
    journalled: bool = True
    system: bool = False
    tallied_by: tuple[str, ...] = attrs.field(default=(), converter=_tallied_by)
    indexes: tuple[tuple[str, ...], ...] = attrs.field(default=(), converter=_indexes)
    rules: tuple[ValidationRule, ...] = attrs.field(default=(), converter=_rules)
    next_field: int = FIRST_OWN_FIELD
    left_out: frozenset[int] = frozenset()
    """Fields of every record that are not there for one who may not read them; never stored."""

    def __attrs_post_init__(self) -> None:
        check_settings(self, _KINDS)
        for field in self.fields:
            if field.id and not FIRST_OWN_FIELD <= field.id < self.next_field:
                raise foreign_id(field)

    @cached_property
    def all_fields(self) -> tuple[Field, ...]:
        """The fields of every record, then the module's own, in row order."""
        common = _common_fields(self.name, self.prefix, journalled=self.journalled)
        if self.left_out:
            common = tuple([field for field in common if field.id not in self.left_out])
        return common + self.fields

    @cached_property
    def layout(self) -> Layout:
        """How records of this module lie in a row."""
        return lay_out(self.all_fields)

    @cached_property
    def by_id(self) -> Mapping[int, Field]:
        """All fields by their immutable id."""
        return {field.id: field for field in self.all_fields}

    def field(self, name: str) -> Field:
        """Give the active field *name*.

        Raises:
            NotFound: ``unknown_field``, with the nearest name.
        """
        slot = self.layout.slots.get(name)
        if slot is None:
            raise NotFound("unknown_field", module=self.name, field=name, hint=suggest_field(name, self._active()))
        return slot.field

    def check(self) -> None:
        """See that names are there once, and that title, tallies and indexes name fields; once for each module.

        Raises:
            InvalidValue: ``name_taken``; ``schema_needed``, one of these fields is retired.
            NotFound: ``unknown_field``.
        """
        _ = self._is_sound

    @cached_property
    def _is_sound(self) -> bool:
        seen: set[str] = set()
        for field in self.all_fields:
            if field.name in seen:
                raise InvalidValue("name_taken", name=field.name, what="field")
            seen.add(field.name)
        self._need(self.title, f"it is the title of {self.name}")
        for name in self.tallied_by:
            self._need(name, "counts are kept by it")
        for name in chain(*self.indexes):
            if name not in self.layout.index:
                self._need(name, "an index names it")
        return True

    def _need(self, name: str, reason: str) -> None:
        """See that the field *name* is there, and not retired though the module needs it."""
        if name not in self.layout.slots and any(field.name == name for field in self.fields):
            raise InvalidValue("schema_needed", name=name, reason=reason)
        self.field(name)

    def _active(self) -> list[Field]:
        return [slot.field for slot in self.layout.slots.values()]

    def without_fields(self, gone: Iterable[FieldId]) -> Module:
        """Give the module as one sees it who may not read the fields *gone*, nor rules and indexes that name them."""
        left_out = frozenset(gone)
        hidden = {field.name for field in self.all_fields if field.id in left_out}
        return attrs.evolve(
            self,
            fields=[field for field in self.fields if field.id not in left_out],
            title=FieldName("id") if self.title in hidden else self.title,
            tallied_by=(),
            indexes=(),
            rules=(),
            left_out=left_out,
        )


def _with_prefixes(field: Field, prefixes: Mapping[str, str]) -> Field:
    if not field.targets:
        return field
    found = tuple([prefixes[target] for target in field.targets if target in prefixes])
    known = len(found) < len(field.targets) or found == field.prefixes
    return field if known else attrs.evolve(field, prefixes=found)


def _free(name: str, taken: set[str]) -> str:
    """Give *name*, or the first of ``name_2``, ``name_3``… that is not taken, and take it."""
    found = next(each for each in chain([name], map(f"{name}_{{}}".format, count(2))) if each not in taken)
    taken.add(found)
    return found


def _columns(module: Module | None) -> AbstractSet[str]:
    return set() if module is None else {field.column for field in module.fields}


def _numbered(module: Module, freed: AbstractSet[str]) -> Module:
    """Give own fields without an id the next ones, which are never used again, and a column of their own.

    A renamed field keeps its column, so a new field of the old name needs another, and not one of those *freed*.
    """
    if all(field.id for field in module.fields):
        return module
    number, fields = module.next_field, []
    taken = {field.column for field in module.all_fields if field.id} | freed
    for field in module.fields:
        known = field.id
        if not known and field.column != field.name:
            reason = f"a new field is kept under its name: leave the column of {field.name} away"
            raise InvalidValue("bad_argument", argument="column", reason=reason)
        column = field.column if known else _free(field.column, taken)
        fields.append(field if known else attrs.evolve(field, id=FieldId(number), column=column))
        number += not known
    return attrs.evolve(module, fields=fields, next_field=number)


@attrs.frozen(kw_only=True)
class Schema:
    """The modules of an organisation; immutable, and numbered by *version*.

    A new module gets the number *next_module*; the number of one that was dropped is never given again, for the
    journal still speaks of it.

    >>> pets = Module(name="pets", fields=[Field(name="name", type=kind("text"))])
    >>> Schema().with_module(pets).module("pets").id
    1
    """

    modules: tuple[Module, ...] = ()
    version: int = 0
    next_module: int = 1
    base: int = 0
    """The version that this schema was made from by changes that are not stored yet."""
    freed: frozenset[tuple[int, str]] = attrs.field(default=frozenset(), eq=False, repr=False)
    """What those changes gave up and nothing new may have, for it holds values until they are stored; never stored.

    Columns by the id of their module, and tables by 0.
    """

    @cached_property
    def _by_name(self) -> Mapping[str, Module]:
        return {module.name: module for module in self.modules}

    @cached_property
    def by_id(self) -> Mapping[int, Module]:
        """The modules by their immutable id."""
        return {module.id: module for module in self.modules}

    @cached_property
    def by_prefix(self) -> Mapping[str, Module]:
        """The modules by the prefix of their records' ids."""
        return {module.prefix: module for module in self.modules}

    def __contains__(self, name: str) -> bool:
        return name in self._by_name

    def module(self, name: str) -> Module:
        """Give the module *name*.

        Raises:
            NotFound: ``unknown_module``, with the nearest name.
        """
        try:
            return self._by_name[name]
        except (KeyError, TypeError):  # a list has no hash
            raise NotFound("unknown_module", module=name, hint=suggest(name, self._worked_in())) from None

    def _worked_in(self) -> list[str]:
        """Give the names of the modules that hold records, not those of nubetis's own ledgers."""
        return [str(each.name) for each in self.modules if each.journalled]

    def with_module(self, module: Module) -> Schema:
        """Give a schema that has *module* too, or instead of the one with its id, with all ids filled in.

        Raises:
            InvalidValue: a name is taken; ``bad_argument``, the id is no module's.
            NotFound: ``unknown_module``; a link leads to none.
        """
        return self.with_modules([module])

    def with_modules(self, modules: Iterable[Module]) -> Schema:
        """Give a schema with all of *modules*, which may link to each other."""
        known = {module.id: module for module in self.modules}
        number = max(self.next_module, max(known, default=0) + 1)
        tables = {module.table for module in self.modules} | self._freed(0)
        freed = set(self.freed)
        for module in modules:
            require(module, Module, argument="module", expected="a module")
            if module.id and module.id not in known:
                raise foreign_id(module)
            new = _numbered(module, self._freed(module.id) if module.id else frozenset())
            if not module.id:
                new = attrs.evolve(new, id=ModuleId(number), table=_free(module.table, tables))
            number = max(number, new.id + 1)
            freed |= {(new.id, column) for column in _columns(known.get(new.id)) - _columns(new)}
            known[new.id] = self._with_own_prefix(new, known.values())
        modules = _resolved(known.values())
        return attrs.evolve(self, modules=modules, version=self.version + 1, next_module=number, freed=frozenset(freed))

    def _freed(self, module: int) -> frozenset[str]:
        return frozenset([name for of, name in self.freed if of == module])

    def _with_own_prefix(self, module: Module, others: Iterable[Module]) -> Module:
        rivals = {other.prefix for other in others if other.id != module.id}
        names = {other.name for other in others if other.id != module.id}
        if module.name in names:
            raise InvalidValue("name_taken", name=module.name, what="module")
        prefix, number = module.prefix, 1
        while prefix in rivals:
            number += 1
            prefix = f"{module.prefix[:2]}{number}"
        return module if prefix == module.prefix else attrs.evolve(module, prefix=prefix)

    def without_module(self, name: str) -> Schema:
        """Give a schema without the module *name*.

        Raises:
            InvalidValue: ``schema_system``; it is nubetis's own, or others link to it.
        """
        gone = self.module(name)
        linked = [m.name for m in self.modules if m.id != gone.id and any(name in f.targets for f in m.fields)]
        if gone.system or linked:
            reason = f"{linked[0]} links to it" if linked else "nubetis needs it"
            raise InvalidValue("schema_system", name=name, reason=reason)
        kept = tuple([module for module in self.modules if module.id != gone.id])
        return attrs.evolve(self, modules=kept, version=self.version + 1, freed=self.freed | {(0, gone.table)})

    def with_field(self, module: str, field: Field) -> Schema:
        """Give a schema whose *module* has *field* too, or instead of the one with its id.

        Raises:
            InvalidValue: ``bad_argument``; the id is that of no field of the module's own.
        """
        require(field, Field, argument="field", expected="a field")
        old = self.module(module)
        if field.id and field.id not in {each.id for each in old.fields}:
            raise foreign_id(field)
        kept = [field if field.id and each.id == field.id else each for each in old.fields]
        fields = kept if field.id else [*kept, field]
        return self.with_module(attrs.evolve(old, fields=fields))

    def retire_field(self, module: str, name: str) -> Schema:
        """Give a schema in which the field is no longer seen; its data stay.

        A validation rule that asks for it is refused when the schema is applied: ``bad_rule_filter``.

        Raises:
            NotFound: ``unknown_field``.
            InvalidValue: ``schema_system``; every record has it. ``schema_needed``; it is the module's title, counts
                are kept by it, or an index names it.
        """
        field = self.module(module).field(name)
        if field.id < FIRST_OWN_FIELD:
            raise InvalidValue("schema_system", name=name, reason="every record has it")
        return self.with_field(module, attrs.evolve(field, state=FieldState.RETIRED))

    def purge_field(self, module: str, name: str) -> Schema:
        """Give a schema without a field that was retired; its data go with it.

        Raises:
            NotFound: the module has no retired field *name*.
        """
        old = self.module(module)
        gone = [field for field in old.fields if field.name == name and field.state is FieldState.RETIRED]
        if not gone:
            raise NotFound("unknown_field", module=module, field=name, hint="Retire it first.")
        return self.with_module(_without_field(old, gone[0]))


def _without_field(module: Module, field: Field) -> Module:
    names = {str(field.name), *[field.column_of(part) for part in field.parts]}
    indexes = tuple([columns for columns in module.indexes if names.isdisjoint(columns)])
    return attrs.evolve(module, fields=[each for each in module.fields if each.id != field.id], indexes=indexes)


def _resolved(modules: Iterable[Module]) -> tuple[Module, ...]:
    ordered = list(modules)
    prefixes: dict[str, str] = {module.name: module.prefix for module in ordered}
    done = [_with_resolved_links(module, prefixes) for module in ordered]
    for module in done:
        module.check()
    return tuple(done)


def _with_resolved_links(module: Module, prefixes: Mapping[str, str]) -> Module:
    for field in module.fields:
        for target in field.targets:
            if target not in prefixes:
                raise NotFound("unknown_module", module=target, hint=suggest(target, prefixes))
    fields = [_with_prefixes(field, prefixes) for field in module.fields]
    same = all(one is other for one, other in zip(fields, module.fields, strict=True))
    return module if same else attrs.evolve(module, fields=fields)


class StepKind(enum.StrEnum):
    """What a step does to the store."""

    ADD_MODULE = "add module"
    CHANGE_MODULE = "change module"
    """Its name, title, label, rules, indexes or tallies."""
    DROP_MODULE = "drop module"
    ADD_FIELD = "add field"
    CHANGE_FIELD = "change field"
    PURGE_FIELD = "purge field"


@attrs.frozen
class SchemaStep:
    """One step from a schema to the next; each can be repeated without harm."""

    kind: StepKind
    module: Module
    field: Field | None = None
    before: Field | None = None
    was: Module | None = None
    """The module before it changed."""


def diff(old: Schema, new: Schema) -> list[SchemaStep]:
    """Give the steps that bring a store from *old* to *new*, in order.

    Raises:
        InvalidValue: no step can do it: ``schema_type``, a field's type would change; ``bad_argument``, a module's
            table, prefix or journal would; ``schema_unique``, a unique field would be compared in another way.
    """
    steps = [
        SchemaStep(StepKind.DROP_MODULE, module) for number, module in old.by_id.items() if number not in new.by_id
    ]
    for number, module in new.by_id.items():
        before = old.by_id.get(number)
        steps += [SchemaStep(StepKind.ADD_MODULE, module)] if before is None else _module_steps(before, module)
    return steps


def _module_steps(old: Module, new: Module) -> list[SchemaStep]:
    for name in ("table", "prefix", "journalled"):
        if getattr(old, name) != getattr(new, name):
            raise InvalidValue("bad_argument", argument=name, reason=f"module {new.name} keeps it for ever")
    same = attrs.evolve(old, fields=new.fields, next_field=new.next_field) == new
    return [*_field_steps(old, new), *([] if same else [SchemaStep(StepKind.CHANGE_MODULE, new, was=old)])]


def _field_steps(old: Module, new: Module) -> list[SchemaStep]:
    before = {field.id: field for field in old.fields}
    after = {field.id for field in new.fields}
    steps = [SchemaStep(StepKind.PURGE_FIELD, new, field) for field in old.fields if field.id not in after]
    for field in new.fields:
        was = before.get(field.id)
        if was is None:
            steps.append(SchemaStep(StepKind.ADD_FIELD, new, field))
        elif was != field:
            _check_same_type(was, field)
            steps.append(SchemaStep(StepKind.CHANGE_FIELD, new, field, was))
    return steps


def _check_same_type(old: Field, new: Field) -> None:
    same = old.type.name == new.type.name and old.scale == new.scale and old.column == new.column
    if not same or old.prefixes != new.prefixes:
        raise InvalidValue("schema_type", field=new.name, old=_type_of(old), new=_type_of(new))
    if (old.unique or new.unique) and old.has_twin(old.parts[0]) is not new.has_twin(new.parts[0]):
        raise InvalidValue("schema_unique", field=new.name)


def _type_of(field: Field) -> str:
    return f"{field.type.name} to {', '.join(field.targets)}" if field.targets else field.type.name
