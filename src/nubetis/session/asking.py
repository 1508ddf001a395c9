"""What rules, holds and retention ask for: filters that are kept in records, by the numbers of fields.

However they are offered they are written by number (:mod:`nubetis.model.numbered`), in every plan, and shown with the
names of today.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import UNREADABLE, InvalidFilter, InvalidValue, NubetisError
from nubetis.model.convert import from_json, to_json
from nubetis.model.fields import Operator
from nubetis.model.filters import Filter, Has, conditions_of
from nubetis.model.numbered import asked, named, numbered
from nubetis.model.plan import ChangeKind, Creates
from nubetis.types import ModuleId

if TYPE_CHECKING:
    from nubetis.model.plan import Part
    from nubetis.model.schema import Module, Schema
    from nubetis.session.planning import Planner
    from nubetis.types import Row, Stored

__all__ = ["kept_filter", "refuse_linked", "with_numbers"]

_KEEPERS: Final = frozenset({"sharing_rules", "holds", "retention_rules"})


def kept_filter(text: str, module: Module | None, schema: Schema) -> Filter:
    """Give the filter that is kept as *text* of records of *module*, with the names of today.

    Raises:
        InvalidValue: ``bad_argument``; and what JSON raises.
    """
    found = from_json(json.loads(text), Filter)
    return found if module is None else named(found, module, schema)


def with_numbers(planner: Planner, part: Part) -> Part:
    """Give *part* with the filters that it would keep by number, as far as they name what the user may read.

    Raises:
        InvalidValue: ``bad_argument``; it would let a filter ask the fields of another module.
        NotFound: ``unknown_field``; a hold or a rule of retention asks for a field that the user may not read.
    """
    if part.module.name not in _KEEPERS:
        return part
    if isinstance(part, Creates):
        at = part.module.layout.index[part.module.field("where").column]
        return attrs.evolve(part, rows=[_with(row, at, _number(planner, part.module, row)) for row in part.rows])
    written = {str(field.name) for field in part.fields}
    if part.kind is not ChangeKind.UPDATE or not written & {"module", "where"}:
        return part
    after = list(part.changed_rows())
    if "where" in written:
        at = part.columns.index(part.module.field("where").column)
        texts = [_number(planner, part.module, row) for row in after]
        return attrs.evolve(part, after=[_with(row, at, text) for row, text in zip(part.after, texts, strict=True)])
    known, asking = planner.known.schema.by_id, [row for row in after if _cell(part.module, row, "where") is not None]
    if any(_cell(part.module, row, "module") in known for row in asking):
        reason = "say with the module what is asked of its records"
        raise InvalidValue("bad_argument", argument="where", reason=reason)
    return part


def _with(row: Row, at: int, cell: Stored) -> Row:
    return (*row[:at], cell, *row[at + 1 :])


def _cell(module: Module, row: Row, name: str) -> Stored:
    return row[module.layout.index[module.field(name).column]]


def _number(planner: Planner, keeper: Module, row: Row) -> Stored:
    """Give the text of the filter in a row of *keeper*; as it is, where it says nothing that could be asked."""
    text, schema = _cell(keeper, row, "where"), planner.known.schema
    module = schema.by_id.get(ModuleId(int(_cell(keeper, row, "module") or 0)))
    if text is None or module is None:
        return text
    try:
        given = from_json(json.loads(str(text)), Filter)
        found = numbered(given, module, schema, readable=planner.policy.reads)
    except (NubetisError, *UNREADABLE):
        return text
    if keeper.name != "sharing_rules":  # which are looked at whole, with whatever else they say
        _refuse_unread(planner, given, module)
    if keeper.name == "holds":
        refuse_linked(given)
    return json.dumps(to_json(found), ensure_ascii=False)


def _refuse_unread(planner: Planner, where: Filter, module: Module) -> None:
    """Stop a filter that asks for a field which the user may not read, as if there were none."""
    for name, of, field in asked(where, module, planner.known.schema):
        if field is not None and not planner.policy.reads(of, field):
            planner.sight.module(of).field(name)


def refuse_linked(where: Filter) -> None:
    """Stop a filter that looks at other records: to change those would get a record out of the hold."""
    for each in conditions_of(where):
        if isinstance(each, Has) or each.operator is Operator.LINKED:
            path = each.via if isinstance(each, Has) else each.path
            reason = "a hold looks at the record alone: find those linked now, and hold them by their ids"
            raise InvalidFilter("filter_value", field=path, reason=reason)
