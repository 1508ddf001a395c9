"""A history of what writers read and wrote, and the proof, afterwards, that no update was lost and no right was stale.

Each writer notes what it read inside the unit that the store accepted.  Nothing orders the writers but the store
itself: the versions of each row, and what whoever changes rights saw of them, are enough to find what cannot be.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from random import Random
from typing import Final

import attrs

from nubetis.model.store import Batch, Expect, Store, Txn, Updates, VersionName
from nubetis.testing.store_contract.setting import PEOPLE, cell, load, people
from nubetis.types import Key, Row

__all__ = ["KEYS", "Changed", "Event", "Moved", "faults", "prepare", "work"]

KEYS: Final = tuple(Key(key) for key in range(1, 5))
"""The rows that all writers write."""


@attrs.frozen(kw_only=True)
class Changed:
    """An accepted update: of which row, what it had read, what it wrote, under which rights."""

    key: int
    version: int
    before: int
    after: int
    access: int


@attrs.frozen(kw_only=True)
class Moved:
    """An accepted change of rights: from which version, and the versions of all rows as it saw them."""

    access: int
    versions: Mapping[int, int]


Event = Changed | Moved


def prepare(store: Store) -> None:
    """Make the rows."""
    load(store, PEOPLE, people([{"size": 0}] * len(KEYS)))


def work(store: Store, writer: int, *, times: int, random: Random, pause: Callable[[], None]) -> list[Event]:
    """Write *times* times as *writer*, pausing between reading and writing; give what was accepted."""
    found: list[Event] = []
    for number in range(times):
        if random.random() < 0.2:
            event: Event | None = store.write(lambda txn: _move(txn, pause))
        else:
            after, key = (writer + 1) * 1_000_000 + number, random.choice(KEYS)
            event = _change(store, key, after, apart=random.random() < 0.5, pause=pause)
        found += [] if event is None else [event]
    return found


def _change(store: Store, key: Key, after: int, *, apart: bool, pause: Callable[[], None]) -> Event | None:
    """Read a row and write it, in one unit, or the reading *apart* as a plan does, whose rights must still hold."""
    if not apart:
        return store.write(lambda txn: _update(txn, *_look(txn, key, pause), key=key, after=after))
    row, access = store.read(lambda txn: _look(txn, key, pause))
    return store.write(lambda txn: _update(txn, row, access, key=key, after=after))


def _look(txn: Txn, key: Key, pause: Callable[[], None]) -> tuple[Row | None, int]:
    access, row = txn.versions().access, txn.get_many(PEOPLE, [key])[0]
    pause()
    return row, access


def _update(txn: Txn, row: Row | None, access: int, *, key: Key, after: int) -> Event | None:
    if txn.versions().access != access:
        return None
    version, before = int(cell(PEOPLE, row, "version") or 0), int(cell(PEOPLE, row, "size") or 0)
    written = txn.write(Batch(parts=(Updates(PEOPLE, ("size",), [key], [(after,)], [version]),))).written
    return Changed(key=key, version=version, before=before, after=after, access=access) if written else None


def _move(txn: Txn, pause: Callable[[], None]) -> Event | None:
    access = txn.versions().access
    rows = txn.get_many(PEOPLE, KEYS)
    pause()
    written = txn.write(Batch(expects=(Expect(VersionName.ACCESS, access),))).written
    versions = {int(key): int(cell(PEOPLE, row, "version") or 0) for key, row in zip(KEYS, rows, strict=True)}
    return Moved(access=access, versions=versions) if written else None


def faults(events: Iterable[Event], store: Store) -> list[str]:
    """Give what cannot have happened in any order, in sentences; *store* is what the writers left."""
    everything = list(events)
    changes = [event for event in everything if isinstance(event, Changed)]
    moves = [event for event in everything if isinstance(event, Moved)]
    rows = store.read(lambda txn: txn.get_many(PEOPLE, KEYS))
    last = {int(key): int(cell(PEOPLE, row, "size") or 0) for key, row in zip(KEYS, rows, strict=True)}
    return [*_lost(changes, last), *_twice(moves), *_stale(changes, moves)]


def _lost(changes: Sequence[Changed], last: Mapping[int, int]) -> list[str]:
    """Each update must have read what the one before it wrote; the last one must still be there."""
    chains: dict[int, list[Changed]] = defaultdict(list)
    for each in sorted(changes, key=lambda change: change.version):
        chains[each.key].append(each)
    found: list[str] = []
    for key, chain in chains.items():
        before = [0, *[each.after for each in chain]]
        found += [
            f"update of {key} to {each.after} had read {each.before} at version {each.version}, not {value} at {place}"
            for place, (each, value) in enumerate(zip(chain, before, strict=False), start=1)
            if (each.version, each.before) != (place, value)
        ]
        found += [] if last[key] == before[-1] else [f"{key} holds {last[key]}, not {before[-1]}"]
    return found


def _twice(moves: Sequence[Moved]) -> list[str]:
    seen = sorted(move.access for move in moves)
    return [f"rights were changed {seen} times" for _ in range(1) if seen != list(range(len(seen)))]


def _stale(changes: Sequence[Changed], moves: Sequence[Moved]) -> list[str]:
    """What a change of rights had not seen must have been written under the rights it made, and the other way round."""
    return [
        f"update of {each.key} at version {each.version} under rights {each.access} beside the change of {move.access}"
        for move in moves
        for each in changes
        if (each.version >= move.versions[each.key]) != (each.access > move.access)
    ]
