"""Filters and their values to JSON, and back."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Final, Protocol

from nubetis.errors import InvalidFilter, InvalidValue
from nubetis.model.bind import DEPTH
from nubetis.model.cells import json_of
from nubetis.model.convert.faults import FAULTS, Object, array_of, bad, located, object_of, only, text_of
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING, And, Compare, Filter, Has, Not, Or, People, Period, PeriodKind, Unit
from nubetis.model.kinds import WallTime
from nubetis.model.money import Money
from nubetis.model.nearest import suggest
from nubetis.model.record import Record
from nubetis.types import Json

__all__ = ["read_filter", "read_value", "write_filter"]

_EXACT: Final = 2**53
"""JavaScript, and with it much of what reads JSON, rounds whole numbers beyond this."""
_DIGITS: Final = 1000


# -- filters to JSON -----------------------------------------------------------------------------
def write_filter(where: Filter, path: str, level: int) -> dict[str, Json]:
    """Give the JSON of *where*, which stands at *path* and *level* deep."""
    if level > DEPTH:
        raise InvalidFilter("filter_depth", limit=DEPTH)
    match where:
        case And(parts):
            return {"all": [write_filter(part, path, level + 1) for part in parts]}
        case Or(parts):
            return {"any": [write_filter(part, path, level + 1) for part in parts]}
        case Not(part):
            return {"not": write_filter(part, path, level + 1)}
        case Has(module, via, inner):
            return {"has": str(module), "by": str(via), "where": write_filter(inner, path, level + 1)}
        case Compare():
            return _write_compare(where, level)
        case _:
            raise bad("filter", f"{type(where).__name__} is no filter")


def _write_compare(where: Compare, level: int) -> dict[str, Json]:
    shape: dict[str, Json] = {"field": where.path, "is": where.operator.value}
    if where.operator is Operator.LINKED and isinstance(where.operand, Filter):
        return {**shape, "value": write_filter(where.operand, where.path, level + 1)}
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
            raise bad(path or "filter", f"a filter cannot hold {type(value).__name__}")


_ISO_TAGS: Final[Mapping[type, str]] = {datetime: "datetime", date: "date", time: "time"}


def _write_integer(value: int, path: str) -> Json:
    if abs(value) <= _EXACT:
        return int(value)
    if abs(value) >= 10**_DIGITS:
        raise bad(path, "a number of more than 1000 digits")
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
            return json_of(value)


# -- JSON to filters -----------------------------------------------------------------------------
def read_filter(data: object, path: str, level: int) -> Filter:
    """Give the filter that *data* at *path* says, *level* deep."""
    if level > DEPTH:
        raise InvalidFilter("filter_depth", limit=DEPTH)
    shape = object_of(data, path)
    for key, read in _FILTERS.items():
        if key in shape:
            return read(shape, path, level)
    raise bad(path, f"give an object with one of {', '.join(_FILTERS)}")


def _read_many(shape: Object, path: str, level: int) -> Filter:
    kind, key = (And, "all") if "all" in shape else (Or, "any")
    only(shape, path, {key})
    parts = array_of(shape[key], f"{path}.{key}")
    return kind(tuple([read_filter(each, f"{path}.{key}[{at}]", level + 1) for at, each in enumerate(parts)]))


def _read_not(shape: Object, path: str, level: int) -> Filter:
    only(shape, path, {"not"})
    return Not(read_filter(shape["not"], f"{path}.not", level + 1))


def _read_has(shape: Object, path: str, level: int) -> Filter:
    only(shape, path, {"has", "by", "where"})
    inner = read_filter(shape["where"], f"{path}.where", level + 1) if "where" in shape else EVERYTHING
    return Has(text_of(shape["has"], f"{path}.has"), text_of(shape.get("by"), f"{path}.by"), inner)


def _read_compare(shape: Object, path: str, level: int) -> Filter:
    only(shape, path, {"field", "is", "value"})
    name, sign = text_of(shape["field"], f"{path}.field"), shape.get("is")
    operators = {each.value: each for each in Operator}
    if not isinstance(sign, str) or sign not in operators:
        raise bad(f"{path}.is", f"no such operator; {suggest(str(sign)[:60], operators).rstrip('.')}")
    operator = operators[sign]
    if operator is Operator.LINKED and isinstance(shape.get("value"), Mapping):
        return Compare(name, operator, read_filter(shape["value"], f"{path}.value", level + 1))
    return Compare(name, operator, _read_operand(shape.get("value"), f"{path}.value"))


class _ReadFilter(Protocol):
    def __call__(self, shape: Object, path: str, level: int) -> Filter: ...


_FILTERS: Final[Mapping[str, _ReadFilter]] = {
    "field": _read_compare,
    "all": _read_many,
    "any": _read_many,
    "not": _read_not,
    "has": _read_has,
}


def _read_operand(data: object, path: str) -> object:
    if not isinstance(data, list | tuple):
        return read_value(data, path)
    return tuple([read_value(each, f"{path}[{at}]") for at, each in enumerate(data)])


def read_value(data: object, path: str) -> object:
    """Give the value that *data* at *path* says."""
    if data is None or isinstance(data, bool | str):
        return data
    if isinstance(data, int) and abs(data) < 10**_DIGITS:
        return data
    if isinstance(data, float) and math.isfinite(data):
        return data
    shape = object_of(data, path)
    tag = next(iter(shape), "")
    if len(shape) != 1 or tag not in _TAGS:
        raise bad(path, f"give a value, or an object with one of {', '.join(_TAGS)}")
    try:
        return _TAGS[tag](shape[tag])
    except InvalidValue as error:
        raise located(error, f"{path}.{tag}") from None
    except FAULTS:
        raise bad(f"{path}.{tag}", f"this is no {tag.replace('_', ' ')}") from None


def _read_decimal(data: object) -> Decimal:
    value = Decimal(text_of(data))
    if not value.is_finite():
        raise bad("$", "give a finite number")
    return value


def _read_integer(data: object) -> int:
    text = text_of(data)
    if len(text) > _DIGITS + 1 or not text.isascii() or not text.removeprefix("-").isdigit():
        raise bad("$", "give a whole number")
    return int(text)


def _read_money(data: object) -> Money:
    shape = object_of(data, "$")
    only(shape, "$", {"amount", "currency", "home"})
    home = _read_decimal(shape["home"]) if "home" in shape else None
    return Money(_read_decimal(shape["amount"]), text_of(shape["currency"], "$.currency"), home=home)


def _read_wall_time(data: object) -> WallTime:
    shape = object_of(data, "$")
    only(shape, "$", {"local", "zone"})
    local = datetime.fromisoformat(text_of(shape["local"], "$.local"))
    return WallTime(local, text_of(shape["zone"], "$.zone"))


def _read_period(data: object) -> Period:
    shape = object_of(data, "$")
    only(shape, "$", {"kind", "unit", "count"})
    count = shape.get("count")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
        raise bad("$.count", "give a whole number")
    return Period(PeriodKind(text_of(shape["kind"], "$.kind")), Unit(text_of(shape["unit"], "$.unit")), count)


_TAGS: Final[Mapping[str, Callable[[object], object]]] = {
    "decimal": _read_decimal,
    "integer": _read_integer,
    "date": lambda data: date.fromisoformat(text_of(data)),
    "time": lambda data: time.fromisoformat(text_of(data)),
    "datetime": lambda data: datetime.fromisoformat(text_of(data)),
    "wall_time": _read_wall_time,
    "money": _read_money,
    "period": _read_period,
    "people": lambda data: People(text_of(data)),
    "bytes": lambda data: base64.b64decode(text_of(data), validate=True),
}
"""Tag of a value → what reads it; paths in their faults begin at the tag."""
