"""Filters and definitions as JSON: everything of the model that is stored or sent, and the one door to cattrs.

Filters
-------
::

    {"all": [FILTER, …]}    {"any": [FILTER, …]}    {"not": FILTER}
    {"field": "stage", "is": "=", "value": VALUE}                 "value" is absent for "is empty" and "changed"
    {"field": "account", "is": "linked", "value": FILTER}
    {"has": "deals", "by": "account", "where": FILTER}

Operators are spelled as in the text form; words looked for everywhere are ``{"field": "", "is": "matches", …}``.
A VALUE is a text, a number, ``true``, ``false``, ``null``, a list of such, or says its type:
``{"decimal": "1.5"}``, ``{"integer": "…"}`` (beyond 2⁵³, which JavaScript rounds), ``{"date": "2026-01-31"}``,
``{"time": "09:30:00"}``, ``{"datetime": "2026-01-31T09:30:00+00:00"}``,
``{"wall_time": {"local": "2026-01-31T09:30:00", "zone": "America/Lima"}}``,
``{"money": {"amount": "1200", "currency": "PEN", "home": "1200"}}`` (*home* may be absent),
``{"period": {"kind": "last", "unit": "day", "count": 7}}`` (*count* may be absent), ``{"people": "my team"}``,
``{"bytes": BASE64}``.

Definitions
-----------
Fields, modules, rules and schemas are objects with the attributes of their classes, none left out when written,
those with a default allowed to be absent when read.  A field's type is its name; its default is the list of its
stored parts.  Ids, columns and tables are kept as they are.  ``"format"`` says which version of this form it is.

What is read comes from outside: unknown keys, wrong types and later formats are refused with
:class:`~nubetis.errors.InvalidValue` (``bad_argument``; the argument is the path, ``$.all[3].value``), and nothing
else is ever raised.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Final, Protocol, TypeAlias, TypeVar, cast, get_args, get_origin

import attrs
from cattrs import Converter
from cattrs.errors import (
    AttributeValidationNote,
    BaseValidationError,
    ForbiddenExtraKeysError,
)
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from nubetis.errors import InvalidFilter, InvalidValue, NubetisError
from nubetis.model.bind import DEPTH
from nubetis.model.fields import Field, FieldState, FieldType, Operator, Storage
from nubetis.model.filters import EVERYTHING, And, Compare, Filter, Has, Not, Or, People, Period, PeriodKind, Unit
from nubetis.model.formats import Formats
from nubetis.model.kinds import BUILT_IN, WallTime
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.schema import Module, Schema, ValidationRule, suggest
from nubetis.types import Json, Row, Stored

__all__ = ["FORMAT", "from_json", "module_text", "schema_of", "to_json"]

FORMAT: Final = 1
"""The version of the form that this nubetis writes; it reads this one and those before."""

_T = TypeVar("_T")
_Object: TypeAlias = Mapping[str, object]
_EXACT: Final = 2**53
"""JavaScript, and with it much of what reads JSON, rounds whole numbers beyond this."""
_DIGITS: Final = 1000
_FAULTS: Final = (ValueError, TypeError, ArithmeticError, LookupError, AttributeError, RecursionError)
"""What reading a value can raise when it is not what its tag says."""


def to_json(value: Filter | Field | Module | ValidationRule | Schema) -> dict[str, Json]:
    """Give the JSON form of a filter or a definition: dicts, lists, texts, numbers, truths and ``None``.

    Raises:
        InvalidValue: ``bad_argument``; a filter compares with something that no field takes.

    >>> from nubetis.model.filters import F
    >>> to_json(F.amount > Decimal("1000.5"))
    {'field': 'amount', 'is': '>', 'value': {'decimal': '1000.5'}}
    """
    if isinstance(value, Filter):
        return _write_filter(value, "$", 0)
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
        return cast("_T", _read_filter(data, "$", 0))
    body = _without_format(_object(data, "$"))
    try:
        found: _T = _reader(frozenset(types.items())).structure(body, kind)
    except (BaseValidationError, *_FAULTS) as error:
        raise _located(error, "$") from None
    return cast("_T", _checked_schema(found)) if isinstance(found, Schema) else found


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


@lru_cache(maxsize=1024)
def _module_of(definition: str, types: frozenset[tuple[str, FieldType]]) -> Module:
    return from_json(json.loads(definition), Module, types=dict(types))


def _id_of(module: Module) -> int:
    return module.id


# -- faults ------------------------------------------------------------------------------------
def _bad(path: str, reason: str) -> InvalidValue:
    return InvalidValue("bad_argument", argument=path, reason=reason)


def _located(error: BaseException, path: str) -> NubetisError:
    """Give the first fault in *error*, with the path that leads to it."""
    while isinstance(error, BaseValidationError):
        error = error.exceptions[0]
        path += "".join([_step(note) for note in getattr(error, "__notes__", ())])
    if isinstance(error, ForbiddenExtraKeysError):
        return _bad(path, f"unknown key {min(map(str, error.extra_fields))[:60]}")
    if isinstance(error, KeyError) and not isinstance(error, NubetisError):
        return _bad(path, "it is missing")
    if not isinstance(error, NubetisError):
        return _bad(path, "this value cannot be read")
    if error.code != "bad_argument":
        return error if path == "$" else _bad(path, str(error).rstrip("."))
    inner = str(error.params["argument"])
    return _bad(path + inner[1:] if inner.startswith("$") else path, str(error.params["reason"]))


def _step(note: object) -> str:
    return f".{note.name}" if isinstance(note, AttributeValidationNote) else ""


def _object(data: object, path: str) -> _Object:
    if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
        raise _bad(path, "give an object")
    return data


def _array(data: object, path: str) -> list[object]:
    if not isinstance(data, list | tuple):
        raise _bad(path, "give a list")
    return list(data)


def _text(data: object, path: str = "$") -> str:
    if not isinstance(data, str):
        raise _bad(path, "give a text")
    return data


def _only(shape: _Object, path: str, known: Iterable[str]) -> None:
    for key in shape.keys() - frozenset(known):
        raise _bad(path, f"unknown key {key[:60]}")


# -- filters to JSON -----------------------------------------------------------------------------
def _write_filter(where: Filter, path: str, level: int) -> dict[str, Json]:
    if level > DEPTH:
        raise InvalidFilter("filter_depth", limit=DEPTH)
    match where:
        case And(parts):
            return {"all": [_write_filter(part, path, level + 1) for part in parts]}
        case Or(parts):
            return {"any": [_write_filter(part, path, level + 1) for part in parts]}
        case Not(part):
            return {"not": _write_filter(part, path, level + 1)}
        case Has(module, via, inner):
            return {"has": str(module), "by": str(via), "where": _write_filter(inner, path, level + 1)}
        case Compare():
            return _write_compare(where, level)
        case _:
            raise _bad("filter", f"{type(where).__name__} is no filter")


def _write_compare(where: Compare, level: int) -> dict[str, Json]:
    shape: dict[str, Json] = {"field": where.path, "is": where.operator.value}
    if where.operator is Operator.LINKED and isinstance(where.operand, Filter):
        return {**shape, "value": _write_filter(where.operand, where.path, level + 1)}
    if where.operand is None:
        return shape
    return {**shape, "value": _write_operand(where.operand, where.path)}


def _write_operand(value: object, path: str) -> Json:
    return [_write(each, path) for each in value] if isinstance(value, tuple) else _write(value, path)


def _write(value: object, path: str) -> Json:
    match value:
        case People():
            return {"people": value.value}
        case None | bool() | str():
            return value if value is None or isinstance(value, bool) else str.__str__(value)
        case int():
            return _write_integer(value, path)
        case float() if math.isfinite(value):
            return value
        case Decimal() if value.is_finite():
            return {"decimal": str(value)}
        case datetime() | date() | time():
            return {_ISO_TAGS[next(kind for kind in _ISO_TAGS if isinstance(value, kind))]: value.isoformat()}
        case Record():
            return str(value.id)
        case Money() | WallTime() | Period() | bytes():
            return _write_structured(value)
        case _:
            raise _bad(path or "filter", f"a filter cannot hold {type(value).__name__}")


_ISO_TAGS: Final[Mapping[type, str]] = {datetime: "datetime", date: "date", time: "time"}


def _write_integer(value: int, path: str) -> Json:
    if abs(value) <= _EXACT:
        return int(value)
    if abs(value) >= 10**_DIGITS:
        raise _bad(path, "a number of more than 1000 digits")
    return {"integer": str(int(value))}


def _write_structured(value: Money | WallTime | Period | bytes) -> Json:
    match value:
        case Money(amount, currency):
            home = {} if value.home is None else {"home": str(value.home)}
            return {"money": {"amount": str(amount), "currency": currency, **home}}
        case WallTime(local, zone):
            return {"wall_time": {"local": local.isoformat(), "zone": zone}}
        case Period(kind, unit, count):
            span: dict[str, Json] = {"kind": kind.value, "unit": unit.value}
            return {"period": span if count is None else {**span, "count": count}}
        case bytes():
            return {"bytes": base64.b64encode(value).decode("ascii")}


# -- JSON to filters -----------------------------------------------------------------------------
def _read_filter(data: object, path: str, level: int) -> Filter:
    if level > DEPTH:
        raise InvalidFilter("filter_depth", limit=DEPTH)
    shape = _object(data, path)
    for key, read in _FILTERS.items():
        if key in shape:
            return read(shape, path, level)
    raise _bad(path, f"give an object with one of {', '.join(_FILTERS)}")


def _read_many(shape: _Object, path: str, level: int) -> Filter:
    kind, key = (And, "all") if "all" in shape else (Or, "any")
    _only(shape, path, {key})
    parts = _array(shape[key], f"{path}.{key}")
    return kind(tuple([_read_filter(each, f"{path}.{key}[{at}]", level + 1) for at, each in enumerate(parts)]))


def _read_not(shape: _Object, path: str, level: int) -> Filter:
    _only(shape, path, {"not"})
    return Not(_read_filter(shape["not"], f"{path}.not", level + 1))


def _read_has(shape: _Object, path: str, level: int) -> Filter:
    _only(shape, path, {"has", "by", "where"})
    inner = _read_filter(shape["where"], f"{path}.where", level + 1) if "where" in shape else EVERYTHING
    return Has(_text(shape["has"], f"{path}.has"), _text(shape.get("by"), f"{path}.by"), inner)


def _read_compare(shape: _Object, path: str, level: int) -> Filter:
    _only(shape, path, {"field", "is", "value"})
    name, sign = _text(shape["field"], f"{path}.field"), shape.get("is")
    operators = {each.value: each for each in Operator}
    if not isinstance(sign, str) or sign not in operators:
        raise _bad(f"{path}.is", f"no such operator; {suggest(str(sign)[:60], operators).rstrip('.')}")
    operator = operators[sign]
    if operator is Operator.LINKED and isinstance(shape.get("value"), Mapping):
        return Compare(name, operator, _read_filter(shape["value"], f"{path}.value", level + 1))
    return Compare(name, operator, _read_operand(shape.get("value"), f"{path}.value"))


class _ReadFilter(Protocol):
    def __call__(self, shape: _Object, path: str, level: int) -> Filter: ...


_FILTERS: Final[Mapping[str, _ReadFilter]] = {
    "field": _read_compare,
    "all": _read_many,
    "any": _read_many,
    "not": _read_not,
    "has": _read_has,
}


def _read_operand(data: object, path: str) -> object:
    if not isinstance(data, list | tuple):
        return _read(data, path)
    return tuple([_read(each, f"{path}[{at}]") for at, each in enumerate(data)])


def _read(data: object, path: str) -> object:
    if data is None or isinstance(data, bool | str):
        return data
    if isinstance(data, int) and abs(data) < 10**_DIGITS:
        return data
    if isinstance(data, float) and math.isfinite(data):
        return data
    shape = _object(data, path)
    tag = next(iter(shape), "")
    if len(shape) != 1 or tag not in _TAGS:
        raise _bad(path, f"give a value, or an object with one of {', '.join(_TAGS)}")
    try:
        return _TAGS[tag](shape[tag])
    except InvalidValue as error:
        raise _located(error, f"{path}.{tag}") from None
    except _FAULTS:
        raise _bad(f"{path}.{tag}", f"this is no {tag.replace('_', ' ')}") from None


def _read_decimal(data: object) -> Decimal:
    value = Decimal(_text(data))
    if not value.is_finite():
        raise _bad("$", "give a finite number")
    return value


def _read_integer(data: object) -> int:
    text = _text(data)
    if len(text) > _DIGITS + 1 or not text.isascii() or not text.removeprefix("-").isdigit():
        raise _bad("$", "give a whole number")
    return int(text)


def _read_money(data: object) -> Money:
    shape = _object(data, "$")
    _only(shape, "$", {"amount", "currency", "home"})
    home = _read_decimal(shape["home"]) if "home" in shape else None
    return Money(_read_decimal(shape["amount"]), _text(shape["currency"], "$.currency"), home=home)


def _read_wall_time(data: object) -> WallTime:
    shape = _object(data, "$")
    _only(shape, "$", {"local", "zone"})
    local = datetime.fromisoformat(_text(shape["local"], "$.local"))
    return WallTime(local, _text(shape["zone"], "$.zone"))


def _read_period(data: object) -> Period:
    shape = _object(data, "$")
    _only(shape, "$", {"kind", "unit", "count"})
    count = shape.get("count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise _bad("$.count", "give a whole number")
    return Period(PeriodKind(_text(shape["kind"], "$.kind")), Unit(_text(shape["unit"], "$.unit")), count)


_TAGS: Final[Mapping[str, Callable[[object], object]]] = {
    "decimal": _read_decimal,
    "integer": _read_integer,
    "date": lambda data: date.fromisoformat(_text(data)),
    "time": lambda data: time.fromisoformat(_text(data)),
    "datetime": lambda data: datetime.fromisoformat(_text(data)),
    "wall_time": _read_wall_time,
    "money": _read_money,
    "period": _read_period,
    "people": lambda data: People(_text(data)),
    "bytes": lambda data: base64.b64decode(_text(data), validate=True),
}
"""Tag of a value → what reads it; paths in their faults begin at the tag."""


# -- definitions ---------------------------------------------------------------------------------
# Named for type checkers only where these classes stand; cattrs looks at run time.
attrs.resolve_types(ValidationRule, localns={"Filter": Filter})
attrs.resolve_types(FieldType, localns={"Formats": Formats})

_FieldTypes: TypeAlias = frozenset[tuple[str, FieldType]]
_NOT_SAID: Final[Mapping[type, tuple[str, ...]]] = {Field: ("default",), Module: ("left_out",)}
"""What is not read as it stands: a default by its field's type, what one may not see not at all."""


@lru_cache(maxsize=1)
def _writer() -> Converter:
    """Make what writes definitions."""
    converter = Converter()
    converter.register_unstructure_hook(FieldType, lambda kind: kind.name)
    converter.register_unstructure_hook(FieldState, lambda state: state.value)  # a str, too, else
    converter.register_unstructure_hook_func(_is_filter, lambda where: _write_filter(where, "$", 0))
    plain = make_dict_unstructure_fn(Field, converter, default=override(omit=True))
    converter.register_unstructure_hook(Field, lambda field: {**plain(field), "default": _write_default(field)})
    whole = make_dict_unstructure_fn(Module, converter, left_out=override(omit=True))
    converter.register_unstructure_hook(Module, whole)
    return converter


def _is_filter(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Filter)


@lru_cache(maxsize=16)
def _reader(types: _FieldTypes) -> Converter:
    """Make what reads definitions that name these field types: strictly, for cattrs alone would turn 5 to "5"."""
    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    known = dict(types)

    def read_type(data: object, _: object) -> FieldType:
        name = _text(data)
        if name not in known:
            raise InvalidValue("unknown_field_type", type=name[:60], hint=suggest(name[:60], known))
        return known[name]

    converter.register_structure_hook(str, lambda data, _: _text(data))
    converter.register_structure_hook(bool, _strict_bool)
    converter.register_structure_hook(int, _strict_int)
    converter.register_structure_hook(FieldState, lambda data, _: _strict_state(data))  # a str, too, else
    converter.register_structure_hook(FieldType, read_type)
    converter.register_structure_hook(Filter, lambda data, _: _read_filter(data, "$", 0))
    converter.register_structure_hook_factory(_is_tuple, _tuple_hook)
    converter.register_structure_hook_factory(attrs.has, _class_hook)
    return converter


def _strict_state(data: object) -> FieldState:
    known = {each.value: each for each in FieldState}
    if not isinstance(data, str) or data not in known:
        raise _bad("$", f"give one of {', '.join(known)}")
    return known[data]


def _strict_bool(data: object, _: object) -> bool:
    if not isinstance(data, bool):
        raise _bad("$", "give true or false")
    return data


def _strict_int(data: object, _: object) -> int:
    if isinstance(data, bool) or not isinstance(data, int) or abs(data) >= 2**63:
        raise _bad("$", "give a whole number")
    return data


_Hook: TypeAlias = Callable[[object, object], object]


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _tuple_hook(kind: object, converter: Converter) -> _Hook:
    item = get_args(kind)[0]
    read = converter.get_structure_hook(item)

    def structure(data: object, _: object) -> object:
        found = []
        for at, each in enumerate(_array(data, "$")):
            try:
                found.append(read(each, item))
            except (BaseValidationError, *_FAULTS) as error:
                raise _located(error, f"$[{at}]") from None
        return tuple(found)

    return structure


def _class_hook(kind: type, converter: Converter) -> _Hook:
    left_out = {name: override(omit=True) for name in _NOT_SAID.get(kind, ())}
    read = cast("_Hook", make_dict_structure_fn(kind, converter, **left_out))  # type: ignore[arg-type]  # names

    def structure(data: object, _: object) -> object:
        shape = _object(data, "$")
        if kind is not Field:
            found = read(shape, kind)
            return _checked_module(found) if isinstance(found, Module) else found
        bare = read({key: shape[key] for key in shape if key != "default"}, kind)
        return _with_default(_checked_field(cast("Field", bare)), shape.get("default"))

    return structure


def _without_format(shape: _Object) -> _Object:
    found = shape.get("format", FORMAT)
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise _bad("$.format", "give a whole number")
    if found > FORMAT:
        raise _bad("$.format", f"a later nubetis wrote this (format {found}; this one knows {FORMAT})")
    return {key: shape[key] for key in shape if key != "format"}


# defaults -----------------------------------------------------------------------------------------
_CELLS: Final[Mapping[Storage, type]] = {
    **dict.fromkeys(Storage, str),
    **dict.fromkeys((Storage.INTEGER, Storage.DECIMAL, Storage.BOOLEAN, Storage.KEY), int),
    Storage.BYTES: bytes,
}


def _write_default(field: Field) -> Json:
    """Give the stored parts of a field's default, which every version can read."""
    value = field.check(field.default)
    if value is None:
        return None
    return [{"bytes": base64.b64encode(c).decode("ascii")} if isinstance(c, bytes) else c for c in field.pack(value)]


def _with_default(field: Field, data: object) -> Field:
    if data is None:
        return field
    row = tuple([_read(cell, f"$.default[{at}]") for at, cell in enumerate(_array(data, "$.default"))])
    try:
        value = field.check(field.type.unpack(field, _checked_row(field, row)))
    except InvalidValue as error:
        raise _bad("$.default", str(error).rstrip(".")) from None
    except _FAULTS:
        raise _bad("$.default", f"this is no stored {field.type.name}") from None
    return attrs.evolve(field, default=value)


def _checked_row(field: Field, row: tuple[object, ...]) -> Row:
    for part, cell in zip(field.parts, row, strict=True):
        fits = isinstance(cell, _CELLS[part.storage]) and not isinstance(cell, bool)
        if not fits and cell is not None:
            raise ValueError(part.name)
    return cast("tuple[Stored, ...]", row)


# what classes do not check themselves -----------------------------------------------------------------
def _checked_field(field: Field) -> Field:
    if not 0 <= field.scale <= 18:
        raise _bad("$.scale", "give a number from 0 to 18")
    if field.max_length < 1 or field.id < 0:
        raise _bad("$.max_length" if field.max_length < 1 else "$.id", "give a number above 0")
    return field


def _checked_module(module: Module) -> Module:
    _unique("$.fields", [field.name for field in module.fields])
    _unique("$.fields", [field.column for field in module.fields])
    _unique("$.fields", [str(field.id) for field in module.fields if field.id])
    if any(field.id >= module.next_field for field in module.fields):
        raise _bad("$.next_field", "it is above the id of every field")
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
            raise _bad(path, f"{name[:60]} stands there twice")
        seen.add(name)


def _checked_schema(schema: Schema) -> Schema:
    """Check what joins the modules: unique names, and links that lead somewhere."""
    _unique("$.modules", [module.name for module in schema.modules])
    _unique("$.modules", [module.prefix for module in schema.modules])
    _unique("$.modules", [module.table for module in schema.modules])
    _unique("$.modules", [str(module.id) for module in schema.modules])
    return attrs.evolve(schema, version=schema.version - 1).with_modules(())
