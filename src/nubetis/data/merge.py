"""Merging records that mean the same person or company: into one of them, by one plan, so that undo works."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, Value
from nubetis.model.filters import F
from nubetis.model.plan import Cause, CauseKind, Operation, Plan
from nubetis.model.record import Record
from nubetis.model.schema import Module
from nubetis.types import RecordId

if TYPE_CHECKING:
    from nubetis.model.door import Reader, Writer
    from nubetis.types import Progress

__all__ = ["Survivor", "best_master", "links_to", "merge", "plan_merge", "side_by_side"]

_CHUNK: Final = 500


class Survivor(enum.StrEnum):
    """Whose value the master has after a merge."""

    FILL = enum.auto()
    """The master's own; where it has none, that of the first loser that has one."""
    NEWEST = enum.auto()
    """That of the record that was changed last, among those that have one."""


def side_by_side(records: Sequence[Record], module: Module) -> dict[str, tuple[Value, ...]]:
    """Give the values of each field in which *records* are not all empty, in the order of the records."""
    names = [field.name for field in _mergeable(module)]
    rows = {str(name): tuple([record[name] for record in records]) for name in names}
    return {name: values for name, values in rows.items() if any(not _is_empty(value) for value in values)}


def best_master(records: Iterable[Record], module: Module) -> Record:
    """Give the record that says most; the oldest of equals."""
    fields = _mergeable(module)
    return max(records, key=lambda each: (sum(not _is_empty(each[field.name]) for field in fields), -each.key))


def plan_merge(
    door: Writer, master: str | Record, losers: Iterable[str | Record], *, survivor: Survivor = Survivor.FILL,
    values: Mapping[str, Value] | None = None,
) -> Plan:  # fmt: skip
    """Plan the merge of *losers* into *master*.

    The master gets the values that *survivor* chooses, and those of *values* before all; links of any module to a
    loser lead to the master, as far as the user may see them; the losers go into the recycle bin.  All of it is one
    plan, and undo takes it back.
    Unique values are left with the master's own, since the losers still hold theirs, and so are automatic numbers; a
    choice that is retired stays where it is.
    Who links to a loser after the plan was made is drift, as for every plan: it is refused, or within the tolerance
    left and named.

    Raises:
        NotFound: a record is not there.
        InvalidValue: ``bad_argument``; the records are not of one module, or the master is a loser.
    """
    records = _records(door, master, losers)
    module = door.schema.module(records[0].module)
    gone = [record.id for record in records[1:]]
    edits = _moved_links(door, module, records[0].id, frozenset(gone))
    chosen = {**_chosen(module, records, survivor), **(values or {})}
    if chosen:
        mine = edits.setdefault(module.name, {}).setdefault(records[0].id, {})
        edits[module.name][records[0].id] = {**mine, **chosen}
    plans = [door.plan_edits(name, each) for name, each in edits.items()]
    plans.append(door.plan_delete(module.name, F["id"].in_(gone)))
    return _joined(plans, Cause(CauseKind.MERGE, {"master": records[0].id, "losers": list(gone)}))


def merge(
    door: Writer, master: str | Record, losers: Iterable[str | Record], *, survivor: Survivor = Survivor.FILL,
    values: Mapping[str, Value] | None = None, progress: Progress | None = None,
) -> Operation:  # fmt: skip
    """Merge *losers* into *master* as :func:`plan_merge` says."""
    return door.apply(plan_merge(door, master, losers, survivor=survivor, values=values), progress=progress)


def _records(door: Reader, master: str | Record, losers: Iterable[str | Record]) -> list[Record]:
    found = [door.get(each) for each in (master, *losers)]
    if len({record.id for record in found}) < len(found) or len(found) < 2:
        raise InvalidValue("bad_argument", argument="losers", reason="give other records than the master, each once")
    if len({record.module for record in found}) > 1:
        raise InvalidValue("bad_argument", argument="losers", reason="they must be of the master's module")
    return found


# --- values ----------------------------------------------------------------------------------------


def _mergeable(module: Module) -> list[Field]:
    return [slot.field for slot in module.layout.slots.values() if not slot.field.system and slot.field.name != "owner"]


def _is_empty(value: Value) -> bool:
    return value is None or value == ()


def _chosen(module: Module, records: Sequence[Record], survivor: Survivor) -> dict[str, Value]:
    """Give the values that the master does not have yet."""
    master = records[0]
    ids = {record.id for record in records}
    found: dict[str, Value] = {}
    for field in _mergeable(module):
        value = _value(field, records, survivor)
        given = field.type.name == "auto_number"  # by nubetis, and nobody writes it
        if not (field.unique or given) and value != master[field.name] and not (field.targets and value in ids):
            found[field.name] = value
    return found


def _value(field: Field, records: Sequence[Record], survivor: Survivor) -> Value:
    ordered = list(records)
    if survivor is Survivor.NEWEST:
        ordered.sort(key=lambda each: (str(each["modified_at"]), each.key), reverse=True)
    mine = records[0][field.name]
    values = [record[field.name] for record in ordered if not _is_empty(record[field.name])]
    retired = field.choice_values().keys() - field.open_choices()
    if field.type.name == "multi_choice":
        chosen = {item for value in values if isinstance(value, tuple) for item in value}
        return tuple(sorted(chosen - (retired - set(mine or ()))))
    if retired:
        values = [value for value in values if value == mine or value not in retired]
    return values[0] if values else mine


# --- links -----------------------------------------------------------------------------------------


def _moved_links(
    door: Reader, module: Module, master: RecordId, gone: frozenset[RecordId]
) -> dict[str, dict[str, dict[str, Value]]]:
    """Give the edits, by module and record, that lead links from *gone* to *master*; a link to itself is emptied."""
    edits: dict[str, dict[str, dict[str, Value]]] = {}
    for other, field in links_to(door.schema.modules, module):
        for record in _linked_from(door, other, field, gone) if door.can("view", other.name) else ():
            if record not in gone:
                new = None if record == master else master
                edits.setdefault(other.name, {}).setdefault(record, {})[field.name] = new
    return edits


def links_to(modules: Iterable[Module], module: Module) -> Iterator[tuple[Module, Field]]:
    """Give the fields of *modules* by which records link to one of *module* and that a merge leads elsewhere."""
    for other in modules:
        if not other.journalled:
            continue
        for slot in other.layout.slots.values():
            if module.name in slot.field.targets and not slot.field.system:
                yield other, slot.field


def _linked_from(door: Reader, module: Module, field: Field, targets: frozenset[RecordId]) -> Iterator[str]:
    ordered = sorted(targets)
    for start in range(0, len(ordered), _CHUNK):
        where = F[field.name].in_(ordered[start : start + _CHUNK])
        for (ids,) in door.stream(module.name, where, fields=("id",)):
            yield from map(str, ids)


def _joined(plans: Sequence[Plan], cause: Cause) -> Plan:
    return attrs.evolve(
        plans[0],
        cause=cause,
        parts=tuple([part for plan in plans for part in plan.parts]),
        refusals=tuple([each for plan in plans for each in plan.refusals]),
        warnings=tuple([each for plan in plans for each in plan.warnings]),
    )
