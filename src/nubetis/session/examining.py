"""Looking whether an organisation is in order: what the records, the journal, files and counters say of each other.

What is derived from rows the store compares itself (:meth:`nubetis.model.store.Store.check`).  Each part is a unit
that only reads, so that it sees one state beside those who work, and needs memory that does not grow with the
organisation.  Findings name modules, fields and ids.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.access.invariants import check_roster
from nubetis.backends.blobs import StoreBlobs
from nubetis.errors import UNREADABLE, Damaged, InvalidValue, NotFound, Refused, StoreError
from nubetis.model.bind import ALWAYS, All, Missing, No, OneOf, Test
from nubetis.model.blobs import BlobHash, blob_hash
from nubetis.model.fields import Field, Operator, Storage
from nubetis.model.findings import Finding
from nubetis.model.ids import NODES, encode, instant_of, node_of
from nubetis.model.kinds.files import FILE_TYPES
from nubetis.model.plan import CauseKind, OperationState
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import ID, Module, Schema, key_of
from nubetis.model.store import Batch, Guard, Measure, MeasureKind, Removals
from nubetis.model.system import BLOBS, CHANGES, COUNTERS, ENTRIES, OPERATIONS, OUTBOX, SEALS, SHARES
from nubetis.session.altering import changes_under_way
from nubetis.session.erasing import unused_files
from nubetis.session.recounting import lost_records
from nubetis.session.resuming import unfinished
from nubetis.session.rosters import read_roster
from nubetis.session.state import State
from nubetis.session.targets import readable
from nubetis.session.world import LIVE
from nubetis.types import Cells, Key, Progress, Row, Stored

if TYPE_CHECKING:
    from nubetis.model.store import Txn

__all__ = ["examine", "mend"]

_LOT: Final = 500
_KNOWN: Final = 50_000
"""Keys that are remembered to be there."""
_AHEAD: Final = timedelta(minutes=5)
"""What clocks may differ by."""
_PLAN: Final = "plan:"
_FILES: Final = No(All((Test("hash", Operator.GE, "plan:"), Test("hash", Operator.LT, "plan;"))))
_PLANS: Final = All((Test("hash", Operator.GE, "plan:"), Test("hash", Operator.LT, "plan;")))
_AHEAD_OF_SCHEMA: Final = frozenset(
    {"index_orphaned", "index_foreign", "column_foreign", "table_foreign", "module_lost"}
)
"""What a change under way has made, or has still to take away."""

Part: TypeAlias = Callable[[State], Iterable[Finding]]


def examine(state: State, *, progress: Progress | None = None) -> list[Finding]:
    """Give what is not in order; seals are :func:`nubetis.session.sealing.verify`'s.

    Cost: all that there is, is read.  A part that cannot be examined because of what another one found is named.
    """
    findings = _stored(state, progress)
    for done, (name, part) in enumerate(_PARTS.items()):
        if progress is not None:
            progress(done, len(_PARTS))
        try:
            findings += state.read(lambda part=part: list(part(state)))  # type: ignore[misc]  # bound at once
        except StoreError as error:
            findings.append(Finding("not_examined", name, error.code))
    return findings


def _stored(state: State, progress: Progress | None) -> list[Finding]:
    """Compare the store with the schema; again where somebody changed that meanwhile."""
    while True:
        schema, changes = _standing(state)
        findings = state.world.store.check(schema, progress=progress)
        now, left = _standing(state)
        if (now.version, left) == (schema.version, changes):
            return [each for each in findings if not (changes and each.code in _AHEAD_OF_SCHEMA)]


def _standing(state: State) -> tuple[Schema, list[Row]]:
    """Give the schema, and what changes it; where they can no longer be read, as the schema was learnt last."""
    try:
        return state.read(lambda: (state.known.schema, changes_under_way(state.txn)))
    except StoreError:
        return state.world.last.schema, []


def mend(state: State, findings: Iterable[Finding]) -> None:
    """Put right what *findings* of :func:`examine` say and what can be made from what there is; no record changes.

    Tables that somebody changes meanwhile are left as they are: what is wrong with them is found again.
    """
    found, schema = list(findings), _standing(state)[0]
    with suppress(_SchemaMovedError):
        _refuse_unknown(state)
        state.world.store.mend(found, schema, fence=lambda txn: _refuse_moved(txn, schema))
    for each in found:
        if each.code == "plan_orphaned":
            state.write(lambda each=each: _drop_plan(state, each.about))  # type: ignore[misc]  # bound at once
        elif each.code == "counter_behind":
            guard = Guard(counter=each.about, delta=each.count)
            state.write(lambda guard=guard: state.write_now(Batch(guards=(guard,))))  # type: ignore[misc]


class _SchemaMovedError(Exception):
    """The schema is another than was examined, or is being changed, or nobody can know."""


def _refuse_unknown(state: State) -> None:
    try:
        state.read(lambda: changes_under_way(state.txn))
    except StoreError:
        raise _SchemaMovedError from None


def _refuse_moved(txn: Txn, schema: Schema) -> None:
    """Stop where tables may have columns and indexes that *schema* does not know: they would be taken for surplus."""
    if txn.versions().schema != schema.version or changes_under_way(txn):
        raise _SchemaMovedError


# -- operations -------------------------------------------------------------------------------------------------------
def _operations(state: State) -> Iterator[Finding]:
    for operation in unfinished(state):
        schema = operation.cause.kind is CauseKind.SCHEMA
        yield Finding("schema_pending" if schema else "operation_interrupted", operation.id)


# -- cells ------------------------------------------------------------------------------------------------------------
_SOUND: Final = frozenset({Storage.DECIMAL, Storage.BOOLEAN, Storage.KEY})
"""What a type reads whatever number is there; the database sees to it that it is one."""


@attrs.define
class _Looked:
    """One field whose cells are looked at: which are *wrong*, and how many."""

    field: Field
    fits: Callable[[Cells], bool]
    of_living: Callable[[Cells], bool]
    first: Key | None = None
    count: int = 0

    def look(self, keys: Sequence[Stored], gone: Sequence[Stored], columns: Sequence[Sequence[Stored]]) -> None:
        """Look at each value of a batch once."""
        cells: list[Row] = list(zip(*columns, strict=True))
        bad = {each for each in set(cells) if not self.fits(each)}
        strange = {each for each in set(cells) - bad if not self.of_living(each)}
        if not bad and not strange:
            return
        wrong = [
            Key(int(key or 0))
            for key, left, each in zip(keys, gone, cells, strict=True)
            if each in bad or (left is None and each in strange)
        ]
        self.count += len(wrong)
        if wrong and self.first is None:
            self.first = wrong[0]


def _cells(state: State) -> Iterator[Finding]:
    """Look at the cells that nubetis reads, whatever the database let others write there."""
    for module in state.known.schema.modules:
        if module.journalled:
            yield from _astray(state.txn, module)


def _astray(txn: Txn, module: Module) -> Iterator[Finding]:
    """Give the fields with cells that cannot be read, and with choices that are none."""
    looked = [_looked(slot.field) for slot in module.layout.slots.values() if _may_be_wrong(slot.field)]
    names = [each.field.column_of(part) for each in looked for part in each.field.parts]
    for keys, gone, *columns in txn.stream(module, columns=("id", "deleted_in", *names), size=_LOT):
        left = iter(columns)
        for each in looked:
            each.look(keys, gone, [next(left) for _ in each.field.parts])
    for each in looked:
        if each.first is not None:
            code = "system_cell_wrong" if each.field.system else "cell_wrong"
            yield Finding(code, f"{module.name}.{each.field.name}", encode(module.prefix, each.first), each.count)


def _may_be_wrong(field: Field) -> bool:
    """Say whether there are cells that the database takes and the type does not."""
    if field.name == "version" or field.choices:
        return True
    return not field.type.plain and not _SOUND.issuperset(part.storage for part in field.parts)


def _looked(field: Field) -> _Looked:
    if field.name == "version":
        return _Looked(field, lambda cells: _is_version(cells[0]), lambda _: True)
    sets = [place for place, part in enumerate(field.parts) if part.storage is Storage.SET]

    def fits(cells: Cells) -> bool:
        return all(_is_set(cells[place]) for place in sets) and _is_read(field, cells)

    return _Looked(field, fits, partial(_is_chosen, field) if field.choices else lambda _: True)


def _is_version(cell: Stored) -> bool:
    return isinstance(cell, int) and cell > 0


def _is_set(cell: Stored) -> bool:
    if cell is None:
        return True
    try:
        found = json.loads(str(cell))
    except ValueError:
        return False
    return isinstance(found, list) and all(isinstance(each, str) for each in found)


def _is_read(field: Field, cells: Cells) -> bool:
    """Say whether the type reads the cells, and would write what it read as they are."""
    try:
        value = field.type.unpack(field, cells)
        return value is None or field.type.pack(field, value) == cells
    except (InvalidValue, *UNREADABLE):
        return False


def _is_chosen(field: Field, cells: Cells) -> bool:
    """Say whether what is chosen can be chosen; in the recycle bin a choice may be left that was taken away."""
    value = field.type.unpack(field, cells)
    try:
        return not value or field.type.check(field, value) is not None
    except InvalidValue:
        return False


# -- journal and people ------------------------------------------------------------------------------------------------
def _entries(state: State) -> Iterator[Finding]:
    """Look whether each record's entry is there: of one that was not sealed yet no seal says so."""
    seen = _Seen(state.txn)
    for module in state.known.schema.modules:
        if module.journalled:
            yield from _unentered(state.txn, module, seen)


def _unentered(txn: Txn, module: Module, seen: _Seen) -> Iterator[Finding]:
    count, first = 0, ""
    for keys, entries in txn.stream(module, columns=("id", "created_in"), size=_LOT):
        gone = seen.missing(ENTRIES, {Key(int(entry or 0)) for entry in entries})
        lost = [key for key, entry in zip(keys, entries, strict=True) if int(entry or 0) in gone]
        first = first or (encode(module.prefix, Key(int(lost[0] or 0))) if lost else "")
        count += len(lost)
    if count:
        yield Finding("entry_lost", str(module.name), first, count)


def _people(state: State) -> Iterator[Finding]:
    try:
        check_roster(read_roster(state.txn), state.known.schema, now=state.world.now())
    except (Refused, InvalidValue) as error:
        if error.code == "last_administrator":
            yield Finding("no_administrator", "users")
        else:
            yield Finding("people_wrong", str(error.params.get("by", error.params.get("id", ""))), error.code)
    yield from _shares(state.txn)


def _shares(txn: Txn) -> Iterator[Finding]:
    """Name the first share of which nobody can read with whom it is, or how far."""
    rows = txn.stream(SHARES, LIVE, columns=("id", "target", "level"), size=_LOT)
    wrong = [
        Key(int(key or 0))
        for batch in rows
        for key, target, level in zip(*batch, strict=True)
        if readable(target, level) is None
    ]
    if wrong:
        yield Finding("people_wrong", encode(SHARES.prefix, min(wrong)), "bad_share", len(wrong))


# -- links ------------------------------------------------------------------------------------------------------------
def _links(state: State) -> Iterator[Finding]:
    seen = _Seen(state.txn)
    for module in state.known.schema.modules:
        for field in module.all_fields:
            if field.targets and field.column != "id":
                yield from _broken(state, module, field, seen)


def _broken(state: State, module: Module, field: Field, seen: _Seen) -> Iterator[Finding]:
    by_prefix = state.known.schema.by_prefix
    count, first = 0, ""
    several = len(field.targets) > 1
    columns = ("id", *[field.column_of(part) for part in field.parts])
    for keys, links, *prefixes in state.txn.stream(module, No(Missing(field.column)), columns=columns, size=_LOT):
        names = prefixes[0] if several else [field.prefixes[0]] * len(links)
        gone = _gone(seen, by_prefix, set(zip(names, links, strict=True)))
        lost = [key for key, name, link in zip(keys, names, links, strict=True) if (name, link) in gone]
        first = first or (encode(module.prefix, int(lost[0] or 0)) if lost else "")
        count += len(lost)
    if count:
        yield Finding("link_broken", f"{module.name}.{field.name}", first, count)


def _gone(
    seen: _Seen, by_prefix: Mapping[str, Module], links: AbstractSet[tuple[Stored, Stored]]
) -> set[tuple[Stored, Stored]]:
    gone: set[tuple[Stored, Stored]] = set()
    for name in {name for name, _ in links}:
        keys = {Key(int(key or 0)) for each, key in links if each == name}
        target = by_prefix.get(str(name))
        gone |= {(name, key) for key in (keys if target is None else seen.missing(target, keys))}
    return gone


@attrs.define
class _Seen:
    """Remembers which records are there, or were purged: what leads to those leads somewhere."""

    txn: Txn
    there: set[tuple[int, Key]] = attrs.field(factory=set)

    def missing(self, module: Module, keys: AbstractSet[Key]) -> set[Key]:
        """Give those of *keys* that never were purged and are not there."""
        left = {key for key in keys if (module.id, key) not in self.there}
        if not left:
            return set()
        found = {Key(int(key or 0)) for key in _column(self.txn, module, "id", left)}
        found |= self._purged(module, left - found)
        if len(self.there) > _KNOWN:
            self.there.clear()
        self.there |= {(module.id, key) for key in found}
        return left - found

    def _purged(self, module: Module, keys: AbstractSet[Key]) -> set[Key]:
        if not keys:
            return set()
        where = All(
            (
                OneOf("record", tuple(sorted(keys))),
                Test("module", Operator.EQ, module.id),
                Test("kind", Operator.EQ, "purge"),
            )
        )
        return {
            Key(int(key or 0)) for (found,) in self.txn.stream(CHANGES, where, columns=("record",)) for key in found
        }


def _column(txn: Txn, module: Module, column: str, values: AbstractSet[Stored]) -> Iterator[Stored]:
    """Give those of *values* that *column* has."""
    for (found,) in txn.stream(module, OneOf(column, tuple(values)), columns=(column,)):
        yield from found


# -- files ------------------------------------------------------------------------------------------------------------
def _blobs(state: State) -> Iterator[Finding]:
    keeper = state.world.extensions.blob_stores()(state.world.store)
    inside = isinstance(keeper, StoreBlobs)

    def lost(names: AbstractSet[Stored]) -> set[Stored]:
        if inside:
            return set(names) - set(_column(state.txn, BLOBS, "hash", names))
        return {name for name in names if not _is_kept(keeper.get, BlobHash(str(name)))}

    for module, field in _file_fields(state):
        yield from _missing(state, module, field, lost)
    if inside:
        yield from _wrong(state.txn)
        yield from _orphaned(state)


def _is_kept(get: Callable[[BlobHash], bytes], name: BlobHash) -> bool:
    try:
        get(name)
    except (NotFound, Damaged):
        return False
    return True


def _file_fields(state: State) -> Iterator[tuple[Module, Field]]:
    for module in state.known.schema.modules:
        for field in module.all_fields:
            if field.type.name in FILE_TYPES:
                yield module, field


def _missing(
    state: State, module: Module, field: Field, lost: Callable[[AbstractSet[Stored]], set[Stored]]
) -> Iterator[Finding]:
    count, first = 0, ""
    columns = ("id", field.column)
    for keys, names in state.txn.stream(module, No(Missing(field.column)), columns=columns, size=_LOT):
        gone = lost(set(names))
        of = [key for key, name in zip(keys, names, strict=True) if name in gone]
        first = first or (encode(module.prefix, int(of[0] or 0)) if of else "")
        count += len(of)
    if count:
        yield Finding("blob_missing", f"{module.name}.{field.name}", first, count)


def _wrong(txn: Txn) -> Iterator[Finding]:
    for names, sizes, contents in txn.stream(BLOBS, _FILES, columns=("hash", "size", "data"), size=1):
        data = contents[0]
        if not isinstance(data, bytes) or blob_hash(data) != names[0] or len(data) != sizes[0]:
            yield Finding("blob_wrong", str(names[0]))


def _orphaned(state: State) -> Iterator[Finding]:
    if left := unused_files(state):
        yield Finding("blob_orphaned", min(left), count=len(left))


# -- plans that are kept ----------------------------------------------------------------------------------------------
def _plans(state: State) -> Iterator[Finding]:
    kept: dict[Key, int] = {}
    for (names,) in state.txn.stream(BLOBS, _PLANS, columns=("hash",), size=_LOT):
        for name in names:
            key = _operation_of(str(name))
            kept[key] = kept.get(key, 0) + 1
    waiting = {OperationState.RUNNING.value, OperationState.CANCELLED.value}
    place = OPERATIONS.layout.index["state"]
    rows = {row[ID]: row[place] for row in state.txn.get_many(OPERATIONS, sorted(kept)) if row is not None}
    for key, count in sorted(kept.items()):
        if rows.get(key) not in waiting:
            yield Finding("plan_orphaned", encode(OPERATIONS.prefix, key), count=count)


def _operation_of(name: str) -> Key:
    digits = name.split(":")[1]
    return Key(int(digits) if digits.isdigit() else 0)


def _drop_plan(state: State, about: str) -> None:
    if about not in {each.about for each in _plans(state)}:  # somebody resumed it meanwhile
        return
    keys = [
        Key(int(key or 0))
        for found, names in state.txn.stream(BLOBS, _PLANS, columns=("id", "hash"))
        for key, name in zip(found, names, strict=True)
        if encode(OPERATIONS.prefix, _operation_of(str(name))) == about
    ]
    state.write_now(Batch(parts=(Removals(BLOBS, keys),)))


# -- messages ---------------------------------------------------------------------------------------------------------
def _messages(state: State) -> Iterator[Finding]:
    where = Test("state", Operator.EQ, "dead")
    if count := state.txn.count(OUTBOX, where):
        first = state.txn.query(BoundQuery(module=OUTBOX, where=where, order=(Order("id"),), limit=1))
        yield Finding("messages_dead", encode(OUTBOX.prefix, key_of(first[0])), count=count)


# -- counters and clocks ----------------------------------------------------------------------------------------------
def _counters(state: State) -> Iterator[Finding]:
    names, values = COUNTERS.layout.index["name"], COUNTERS.layout.index["value"]
    rows = [row for batch in state.txn.stream(COUNTERS) for row in zip(*batch, strict=True)]
    counters = {str(row[names]): int(row[values] or 0) for row in rows}
    if counters.get("nodes", 0) < 1:
        yield Finding("nodes_unleased", "nodes")
    for name, ledger in (("seals", SEALS), ("blobs", BLOBS)):
        where = _FILES if ledger is BLOBS else ALWAYS
        behind = _last(state.txn, ledger, where) - counters.get(name, 0)
        if behind > 0:
            yield Finding("counter_behind", name, count=behind)
    yield from _nodes(state.txn, counters.get("nodes", 0))
    yield from _numbers(state, counters)
    newest = _last(state.txn, ENTRIES, ALWAYS)
    ahead = instant_of(newest) - state.world.now()
    if newest and ahead > _AHEAD:
        yield Finding("clock_behind", "clock", count=int(ahead.total_seconds() // 60))


def _nodes(txn: Txn, counter: int) -> Iterator[Finding]:
    """Look whether a node has written that the counter has yet to give; past the last node it begins anew."""
    if not 0 < counter < NODES - 1:
        return
    last = max((node_of(Key(int(key or 0))) for (keys,) in txn.stream(ENTRIES, columns=("id",), size=_LOT)
                for key in keys), default=0)  # fmt: skip
    if last > counter:
        yield Finding("counter_behind", "nodes", count=last - counter)


def _numbers(state: State, counters: Mapping[str, int]) -> Iterator[Finding]:
    """Look whether the counter of each automatic number is behind the highest that a record has."""
    for module in state.known.schema.modules:
        for field in [each for each in module.all_fields if each.type.name == "auto_number"]:
            highest = (Measure(MeasureKind.MAX, field.column),)
            ((taken,),) = state.txn.aggregate(module, ALWAYS, measures=highest)
            name = f"number:{module.id}:{field.id}"
            behind = int(taken or 0) - counters.get(name, 0)
            if behind > 0:
                yield Finding("counter_behind", name, f"{module.name}.{field.name}", behind)


def _last(txn: Txn, module: Module, where: Test | No | All) -> int:
    rows = txn.query(BoundQuery(module=module, where=where, order=(Order("id", descending=True),), limit=1))
    return key_of(rows[0]) if rows else 0


_PARTS: Final[Mapping[str, Part]] = {
    "operations": _operations,
    "records": lost_records,
    "entries": _entries,
    "people": _people,
    "cells": _cells,
    "links": _links,
    "files": _blobs,
    "plans": _plans,
    "messages": _messages,
    "counters": _counters,
}
