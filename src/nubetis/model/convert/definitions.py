"""Fields, modules, rules and schemas to JSON, and back, by cattrs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import chain
from typing import Final, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    BaseValidationError,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from nubetis.errors import InvalidValue, NotFound, NubetisError
from nubetis.model.cells import json_of
from nubetis.model.convert.faults import FAULTS, Object, array_of, bad, located, object_of, text_of
from nubetis.model.convert.filters import read_filter, read_value, write_filter
from nubetis.model.fields import CELLS, Field, FieldState, FieldType
from nubetis.model.filters import Filter
from nubetis.model.formats import Formats
from nubetis.model.kinds import BUILT_IN
from nubetis.model.kinds.texts import is_storable
from nubetis.model.nearest import suggest
from nubetis.model.remember import remembered
from nubetis.model.schema import Module, Schema, ValidationRule
from nubetis.types import Json, Row, Stored

__all__ = ["FORMAT", "from_json", "missing_type", "module_text", "schema_of", "to_json"]

FORMAT: Final = 1
"""The version of the form that this nubetis writes; it reads this one and those before."""

_T = TypeVar("_T")
"""What reading a value can raise when it is not what its tag says."""


def to_json(value: Filter | Field | Module | ValidationRule | Schema) -> dict[str, Json]:
    """Give the JSON form of a filter or a definition: dicts, lists, texts, numbers, truths and ``None``.

    Raises:
        InvalidValue: ``bad_argument``; a filter compares with something that no field takes.

    >>> from decimal import Decimal
    >>> from nubetis.model.filters import F
    >>> to_json(F.amount > Decimal("1000.5"))
    {'field': 'amount', 'is': '>', 'value': {'decimal': '1000.5'}}
    """
    if isinstance(value, Filter):
        return write_filter(value, "$", 0)
    written: dict[str, Json] = _writer().unstructure(value)
    return {"format": FORMAT, **written}


def from_json(data: object, kind: type[_T], *, types: Mapping[str, FieldType] = BUILT_IN) -> _T:
    """Give the filter or the definition that *data* says; the inverse of :func:`to_json`.

    *kind* is ``Filter``, ``Field``, ``Module``, ``ValidationRule`` or ``Schema``; *types* are the field types that
    definitions may name.

    Raises:
        InvalidValue: ``bad_argument`` with the path; or what the definition itself violates.

    >>> from_json({"not": {"field": "stage", "is": "=", "value": "won"}}, Filter)
    ~(F.stage == 'won')
    """
    if kind is Filter:
        return cast("_T", read_filter(data, "$", 0))
    body = _without_format(object_of(data, "$"))
    try:
        found: _T = _reader(frozenset(types.items())).structure(body, kind)
    except (BaseValidationError, *FAULTS) as error:
        raise located(error, "$") from None
    return cast("_T", _checked_schema(found)) if isinstance(found, Schema) else found


@remembered
def module_text(module: Module) -> str:
    """Give a module's definition as a JSON text, as the ``modules`` module keeps it.

    >>> from nubetis.model.system import ROLES
    >>> json.loads(module_text(ROLES))["name"]
    'roles'
    """
    return json.dumps(to_json(module), ensure_ascii=False, sort_keys=True)


def schema_of(definitions: Iterable[str], *, types: Mapping[str, FieldType], version: int) -> Schema:
    """Give the schema of the modules that *definitions* say, each a JSON text, in the order of their ids.

    The same text gives the same module, so what was made for it (layouts, tables, statements) serves every
    organisation of the process that has it, each time it is opened.

    >>> from nubetis.model.system import SYSTEM_SCHEMA
    >>> found = schema_of(map(module_text, SYSTEM_SCHEMA.modules), types=BUILT_IN, version=1)
    >>> found.modules == SYSTEM_SCHEMA.modules
    True
    """
    known = frozenset(types.items())
    modules = [_module_of(each, known) for each in definitions]
    return _checked_schema(Schema(modules=tuple(sorted(modules, key=_id_of)), version=version))


def check_kept(schema: Schema, *, types: Mapping[str, FieldType]) -> None:
    """Make sure that what would be kept of *schema* is read again as the same: nobody could open it otherwise.

    Cost: some ms a module, once for each that this process has not seen.

    Raises:
        InvalidValue: ``bad_argument``; a setting of a module or of a field of it is not what it may be.
    """
    known = frozenset(types.items())
    for module in schema.modules:
        argument = f"module {module.name}"
        try:
            text = module_text(module)
            same = is_storable(text.replace("\\u0000", "\0")) and module_text(_module_of(text, known)) == text
        except NubetisError as error:
            raise bad(argument, str(error).rstrip(".")) from None
        except FAULTS as error:
            raise bad(argument, f"a setting of it cannot be kept ({type(error).__name__})") from error
        if not same:
            raise bad(argument, "a setting of it would be read again as another")


def missing_type(definition: str, types: Mapping[str, FieldType]) -> NotFound | None:
    """Give the error for the first field of a stored module whose type is not among *types*, if there is one.

    >>> missing_type('{"name": "firms", "fields": [{"name": "tax", "type": "ruc"}]}', BUILT_IN).params["type"]
    'ruc'
    """
    try:
        module = json.loads(definition)
        named = [(text_of(each["type"]), text_of(each["name"])) for each in module["fields"]]
        found = next(each for each in named if each[0] not in types)
        return NotFound("missing_plugin", type=found[0][:60], field=found[1], module=text_of(module["name"]))
    except (*FAULTS, StopIteration):
        return None


@lru_cache(maxsize=1024)
def _module_of(definition: str, types: frozenset[tuple[str, FieldType]]) -> Module:
    return from_json(json.loads(definition), Module, types=dict(types))


def _id_of(module: Module) -> int:
    return module.id


# -- definitions ---------------------------------------------------------------------------------
# Named for type checkers only where these classes stand; cattrs looks at run time.
attrs.resolve_types(ValidationRule, localns={"Filter": Filter})
attrs.resolve_types(FieldType, localns={"Formats": Formats})

_FieldTypes: TypeAlias = frozenset[tuple[str, FieldType]]
_NOT_SAID: Final[Mapping[type, tuple[str, ...]]] = {Field: ("default",), Module: ("left_out",), Schema: ("freed",)}
"""What is not read as it stands: a default by its field's type, what one may not see not at all."""


@lru_cache(maxsize=1)
def _writer() -> Converter:
    """Make what writes definitions."""
    converter = Converter()
    converter.register_unstructure_hook(FieldType, lambda kind: kind.name)
    converter.register_unstructure_hook(FieldState, lambda state: state.value)  # a str, too, else
    converter.register_unstructure_hook_func(_is_filter, lambda where: write_filter(where, "$", 0))
    plain = make_dict_unstructure_fn(Field, converter, default=override(omit=True))
    converter.register_unstructure_hook(Field, lambda field: {**plain(field), "default": _write_default(field)})
    whole = make_dict_unstructure_fn(Module, converter, left_out=override(omit=True))
    converter.register_unstructure_hook(Module, whole)
    bare = make_dict_unstructure_fn(Schema, converter, freed=override(omit=True))
    converter.register_unstructure_hook(Schema, bare)
    return converter


def _is_filter(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Filter)


@lru_cache(maxsize=16)
def _reader(types: _FieldTypes) -> Converter:
    """Make what reads definitions that name these field types: strictly, for cattrs alone would turn 5 to "5"."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    known = dict(types)

    def read_type(data: object, _: object) -> FieldType:
        name = text_of(data)
        if name not in known:
            raise InvalidValue("unknown_field_type", type=name[:60], hint=suggest(name[:60], known))
        return known[name]

    converter.register_structure_hook(str, lambda data, _: text_of(data))
    converter.register_structure_hook(bool, _strict_bool)
    converter.register_structure_hook(int, _strict_int)
    converter.register_structure_hook(FieldState, lambda data, _: _strict_state(data))  # a str, too, else
    converter.register_structure_hook(FieldType, read_type)
    converter.register_structure_hook(Filter, lambda data, _: read_filter(data, "$", 0))
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    return converter


def _strict_state(data: object) -> FieldState:
    known = {each.value: each for each in FieldState}
    if not isinstance(data, str) or data not in known:
        raise bad("$", f"give one of {', '.join(known)}")
    return known[data]


def _strict_bool(data: object, _: object) -> bool:
    if not isinstance(data, bool):
        raise bad("$", "give true or false")
    return data


def _strict_int(data: object, _: object) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or abs(data) >= 2**63:
        raise bad("$", "give a whole number")
    return data


_Hook: TypeAlias = Callable[[object, object], object]


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _tuple_hook(kind: object, converter: Converter) -> _Hook:
    item = get_args(kind)[0]
    read = converter.get_structure_hook(item)

    def structure(data: object, _: object) -> object:
        found = []
        for at, each in enumerate(array_of(data, "$")):
            try:
                found.append(read(each, item))
            except (BaseValidationError, *FAULTS) as error:
                raise located(error, f"$[{at}]") from None
        return tuple(found)

    return structure


def _class_hook(kind: type, converter: Converter) -> _Hook:
    left_out = {name: override(omit=True) for name in _NOT_SAID.get(kind, ())}
    read = cast("_Hook", make_dict_structure_fn(kind, converter, **left_out))  # type: ignore[arg-type]  # names

    def structure(data: object, _: object) -> object:
        shape = object_of(data, "$")
        if kind is not Field:
            found = read(shape, kind)
            return _checked_module(found) if isinstance(found, Module) else found
        bare = read({key: shape[key] for key in shape if key != "default"}, kind)
        return _with_default(_checked_field(cast("Field", bare)), shape.get("default"))

    return structure


def _without_format(shape: Object) -> Object:
    found = shape.get("format", FORMAT)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise bad("$.format", "give a whole number")
    if found > FORMAT:
        raise bad("$.format", f"a later nubetis wrote this (format {found}; this one knows {FORMAT})")
    return {key: shape[key] for key in shape if key != "format"}


# defaults -----------------------------------------------------------------------------------------
def _write_default(field: Field) -> Json:
    """Give the stored parts of a field's default, which every version can read."""
    value = field.check(field.default)
    if value is None:
        return None
    return [json_of(cell) if isinstance(cell, bytes) else cell for cell in field.pack(value)]


def _with_default(field: Field, data: object) -> Field:
    if data is None:
        return field
    row = tuple([read_value(cell, f"$.default[{at}]") for at, cell in enumerate(array_of(data, "$.default"))])
    try:
        value = field.check(field.type.unpack(field, _checked_row(field, row)))
    except InvalidValue as error:
        raise bad("$.default", str(error).rstrip(".")) from None
    except FAULTS:
        raise bad("$.default", f"this is no stored {field.type.name}") from None
    return attrs.evolve(field, default=value)


def _checked_row(field: Field, row: tuple[object, ...]) -> Row:
    for part, cell in zip(field.parts, row, strict=True):
        fits = isinstance(cell, CELLS[part.storage]) and not isinstance(cell, bool)
        if not fits and cell is not None:
            raise ValueError(part.name)
    return cast("tuple[Stored, ...]", row)


# what classes do not check themselves -----------------------------------------------------------------
def _checked_field(field: Field) -> Field:
    if not 0 <= field.scale <= 18:
        raise bad("$.scale", "give a number from 0 to 18")
    if field.max_length < 1 or field.id < 0:
        raise bad("$.max_length" if field.max_length < 1 else "$.id", "give a number above 0")
    return field


def _checked_module(module: Module) -> Module:
    _unique("$.fields", [field.name for field in module.fields])
    _unique("$.fields", [field.column for field in module.fields])
    _unique("$.fields", [str(field.id) for field in module.fields if field.id])
    known = [field.name for field in module.all_fields]
    indexed = [name for name in chain(*module.indexes) if name not in module.layout.index]
    for name in (module.title, *module.tallied_by, *indexed):
        if name not in known:
            raise InvalidValue("unknown_field", module=module.name, field=name[:60], hint=suggest(name[:60], known))
    return module


def _unique(path: str, names: list[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise bad(path, f"{name[:60]} stands there twice")
        seen.add(name)


def _checked_schema(schema: Schema) -> Schema:
    """Check what joins the modules: unique names, and links that lead somewhere."""
    _unique("$.modules", [module.name for module in schema.modules])
    _unique("$.modules", [module.prefix for module in schema.modules])
    _unique("$.modules", [module.table for module in schema.modules])
    _unique("$.modules", [str(module.id) for module in schema.modules])
    return attrs.evolve(schema, version=schema.version - 1).with_modules(())
