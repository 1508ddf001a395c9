"""Counting the records against the journal: what it says was created, and never purged, must be there.

An entry names, for each module, the first and last key of what it created and how many they are; each record names its
entry.  So records are counted entry by entry, and one that nobody created does not stand in for one that is lost.  The
changes ledger names what was purged.  Entries are read in lots, and of each lot only the keys between its first and its
last: these are in the order of time as the entries are, so the whole is about one pass, and memory does not grow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.model.bind import All, OneOf, Test
from nubetis.model.fields import Operator
from nubetis.model.findings import Finding
from nubetis.model.ids import encode
from nubetis.model.journal import read_inserts
from nubetis.model.schema import ID, Module, key_of
from nubetis.model.store import Measure, MeasureKind
from nubetis.model.system import CHANGES, ENTRIES
from nubetis.session.state import State
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.model.store import Txn

__all__ = ["lost_of", "lost_records"]

_LOT: Final = 500
"""Entries that are looked at together."""
_COUNT: Final = (Measure(MeasureKind.COUNT),)


def lost_records(state: State) -> Iterator[Finding]:
    """Give, for each module, how many records are gone that the journal has; inside a unit."""
    return lost_of(state.txn, [module for module in state.known.schema.modules if module.journalled])


def lost_of(txn: Txn, journalled: Iterable[Module]) -> Iterator[Finding]:
    """Give the same of these modules only, also where nothing else of the organisation can be read."""
    modules = {int(module.id): module for module in journalled}
    gone = Counter[int]()
    for each in _short(txn, modules):
        gone[each.module.id] += each.missing
    purged = _purged(txn)
    lost = {number: count - purged.get(number, 0) for number, count in gone.items()}
    for number, count in lost.items():
        if count > 0:
            module = modules[number]
            yield Finding("record_lost", str(module.name), _first(txn, module), count)


@attrs.frozen
class _Short:
    """What one entry has created of one module, *count* between two keys, and how many of it are *missing*."""

    module: Module
    entry: Key
    low: Key
    high: Key
    count: int
    missing: int


def _short(txn: Txn, modules: dict[int, Module]) -> Iterator[_Short]:
    """Give the entries of which not all is there that they created."""
    for batch in txn.stream(ENTRIES, size=_LOT):
        made: dict[int, dict[Key, tuple[Key, Key, int]]] = {}
        for entry in zip(*batch, strict=True):
            for number, low, high, count in read_inserts(entry):
                of, key = made.setdefault(number, {}), key_of(entry)
                before = of.get(key, (low, high, 0))
                of[key] = (min(low, before[0]), max(high, before[1]), count + before[2])
        for number, entries in made.items():
            if number in modules:
                yield from _short_of(txn, modules[number], entries)


def _short_of(txn: Txn, module: Module, made: dict[Key, tuple[Key, Key, int]]) -> Iterator[_Short]:
    where = All(
        (
            Test("id", Operator.GE, min(low for low, _, _ in made.values())),
            Test("id", Operator.LE, max(high for _, high, _ in made.values())),
            Test("created_in", Operator.GE, min(made)),
            Test("created_in", Operator.LE, max(made)),
        )
    )
    rows = txn.aggregate(module, where, groups=("created_in",), measures=_COUNT)
    there = {int(entry or 0): int(count or 0) for entry, count in rows}
    for entry, (low, high, count) in made.items():
        missing = count - there.get(entry, 0)
        if missing > 0:
            yield _Short(module, entry, low, high, count, missing)


def _purged(txn: Txn) -> dict[int, int]:
    where = Test("kind", Operator.EQ, "purge")
    rows = txn.aggregate(CHANGES, where, groups=("module",), measures=_COUNT)
    return {int(module or 0): int(count or 0) for module, count in rows}


def _first(txn: Txn, module: Module) -> str:
    """Name the first that is lost and whose key the journal knows; where it knows none, it says so."""
    for each in _short(txn, {int(module.id): module}):
        if left := _absent(txn, module, _candidates(each)):
            return encode(module.prefix, min(left))
    return "?"


def _candidates(each: _Short) -> list[Key]:
    """Give keys that the entry is known to have created: all, or the outer ones where there are gaps between."""
    if each.high - each.low + 1 == each.count:
        return [Key(key) for key in range(each.low, each.high + 1)]
    return [each.low, each.high]


def _absent(txn: Txn, module: Module, keys: list[Key]) -> set[Key]:
    """Give those of *keys* that are neither there nor purged."""
    left = set(keys) - {Key(int(row[ID] or 0)) for row in txn.get_many(module, keys) if row is not None}
    where = All(
        (
            OneOf("record", tuple(sorted(left))),
            Test("module", Operator.EQ, module.id),
            Test("kind", Operator.EQ, "purge"),
        )
    )
    found = txn.stream(CHANGES, where, columns=("record",)) if left else ()
    return left - {Key(int(key or 0)) for (batch,) in found for key in batch}
