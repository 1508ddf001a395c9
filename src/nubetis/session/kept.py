"""What is left of plans that are being applied: lots, kept in the store until they are written.

A lot is what one transaction writes.  It holds values of people, so an erasure strikes them out of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import cast

import attrs

from nubetis.errors import PlanDrifted
from nubetis.model.bind import All, Bound, Test
from nubetis.model.cells import cell_of, json_of
from nubetis.model.convert import to_json
from nubetis.model.fields import Operator, Value
from nubetis.model.outbox import Message
from nubetis.model.plan import ChangeKind, Creates, Edits, Part
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import ID, Module, Schema, key_of
from nubetis.model.store import Txn, Updates
from nubetis.model.system import BLOBS
from nubetis.types import Json, Key, Row

__all__ = ["Lot", "asked_of", "lot_row", "plan_keys", "read_lots", "refuse_asked_more", "strike"]


@attrs.frozen
class Lot:
    """What one transaction writes of a plan, and *key*, under which it is kept in the store until then.

    The *last* ends the operation and carries its messages.
    """

    parts: tuple[Part, ...]
    messages: tuple[Message, ...] = ()
    last: bool = True
    key: Key | None = None


def lot_row(key: Key, operation: Key, place: int, lot: Lot) -> Row:
    """Give the row of BLOBS that keeps *lot*, the one at *place* of its operation."""
    messages = [[each.kind, each.key, dict(each.body)] for each in lot.messages]
    found = {"parts": [_part_json(part) for part in lot.parts], "messages": messages, "last": lot.last}
    data = _packed(found)
    return (key, f"plan:{operation}:{place:08d}", len(data), data)


def _packed(lot: Value) -> bytes:
    return json.dumps(lot, ensure_ascii=False, separators=(",", ":"), default=json_of).encode()


def _part_json(part: Part) -> list[object]:
    fields, after = ([], []) if isinstance(part, Creates) else ([field.id for field in part.fields], list(part.after))
    known = {"laid": _laid(part.module), **asked_of(part.module)}
    return [part.kind.value, part.module.id, fields, list(part.rows), after, known]


def asked_of(module: Module) -> dict[str, Json]:
    """Give what *module* asks of values, as JSON says it: of each field, by its id, and by rules."""
    fields: dict[str, Json] = {
        str(field.id): [
            field.required, field.unique, field.scale, field.max_length, field.state.value,
            ["", *field.open_choices()] if field.choices else [],
        ]
        for field in module.all_fields
    }  # fmt: skip
    return {"fields": fields, "rules": [to_json(rule) for rule in module.rules]}


def refuse_asked_more(part: Part, before: Mapping[str, Json], now: Module) -> None:
    """Refuse *part*, which was checked when its module asked what *before* says, where *now* would ask otherwise.

    Names, labels and indexes may differ, and what is asked of fields that are not written.

    Raises:
        PlanDrifted: ``outdated``.
    """
    if part.kind not in {ChangeKind.CREATE, ChangeKind.UPDATE}:
        return
    asked = asked_of(now)
    then, fields = cast("Mapping[str, Json]", before["fields"]), cast("Mapping[str, Json]", asked["fields"])
    written = then if isinstance(part, Creates) else [str(field.id) for field in part.fields]
    alike = all(_asks_alike(then[each], fields[each]) for each in written if each in then)
    came = [now.by_id[int(each)] for each in fields.keys() - then.keys()]
    asks_more = isinstance(part, Creates) and any(field.required and field.default is None for field in came)
    if not alike or asks_more or before["rules"] != asked["rules"]:
        raise PlanDrifted("outdated")


def _asks_alike(old: Json, new: Json) -> bool:
    """Compare what is asked of one field; a choice may have come, and none gone."""
    *then, before = cast("list[Json]", old)
    *now, after = cast("list[Json]", new)
    had, has = set(cast("list[str]", before)), set(cast("list[str]", after))
    return then == now and (not has or (bool(had) and had <= has))


def _laid(module: Module) -> list[int]:
    """Give the ids of the fields by which a row of *module* lies."""
    return [int(field.id) for field in module.all_fields]


def plan_keys(txn: Txn, operation: Key) -> list[Key]:
    """Give the keys of what is kept of the plan of *operation*."""
    return [Key(int(key or 0)) for (keys,) in txn.stream(BLOBS, _kept_of(operation), columns=("id",)) for key in keys]


def read_lots(txn: Txn, operation: Key, schema: Schema) -> list[Lot]:
    """Give what is left of the plan of *operation*."""
    query = BoundQuery(module=BLOBS, where=_kept_of(operation), order=(Order("hash"), Order("id")), limit=1_000_000)
    return [_lot_of(key_of(row), json.loads(cast("bytes", row[3])), schema) for row in txn.query(query)]


def strike(txn: Txn, module: Module, record: Key) -> Updates:
    """Give the change that takes one record out of all plans that are kept: they go on without it."""
    every = All((Test("hash", Operator.GE, "plan:"), Test("hash", Operator.LT, "plan;")))
    keys: list[Key] = []
    values: list[Row] = []
    for found, lots in txn.stream(BLOBS, every, columns=("id", "data"), size=16):
        for key, lot in zip(found, [json.loads(cast("bytes", data)) for data in lots], strict=True):
            if _struck(lot["parts"], module, record):
                data = _packed(lot)
                keys.append(Key(int(key or 0)))
                values.append((len(data), data))
    return Updates(BLOBS, ("size", "data"), keys, values)


def _struck(parts: list[Value], module: Module, record: Key) -> bool:
    """Take the rows of *record* out of the parts of a lot; say whether there were any."""
    struck = False
    for part in parts:
        _, number, _, rows, after, _ = part
        keep = [at for at, row in enumerate(rows) if number != module.id or row[ID] != record]
        struck = struck or len(keep) < len(rows)
        part[3:5] = [rows[at] for at in keep], [after[at] for at in keep if after]
    return struck


def _kept_of(operation: Key) -> Bound:
    return All((Test("hash", Operator.GE, f"plan:{operation}:"), Test("hash", Operator.LT, f"plan:{operation};")))


def _lot_of(key: Key, data: Value, schema: Schema) -> Lot:
    parts = tuple([_part_of(each, schema) for each in data["parts"]])
    messages = tuple([Message(kind=kind, key=name, body=body) for kind, name, body in data["messages"]])
    return Lot(parts, messages, bool(data["last"]), key)


def _part_of(data: Value, schema: Schema) -> Part:
    kind, number, field_ids, rows, after, known = data
    module, laid = schema.by_id.get(number), known["laid"]
    if module is None or _laid(module)[: len(laid)] != laid:
        raise PlanDrifted("outdated")
    width = len(module.layout.columns)
    if kind == ChangeKind.CREATE:  # without the fields that came since
        own = [field for field in module.fields if field.id in laid]
        part: Part = Creates(attrs.evolve(module, fields=own), [tuple(map(cell_of, row)) for row in rows])
    else:
        row_tuples = [(*map(cell_of, row), *[None] * (width - len(row))) for row in rows]
        fields = tuple([module.by_id[each] for each in field_ids])
        part = Edits(module, row_tuples, fields, [tuple(map(cell_of, row)) for row in after], ChangeKind(str(kind)))
    refuse_asked_more(part, known, module)
    return part
