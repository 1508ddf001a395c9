"""Sealing the journal, and proving that nobody changed it since."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Final

import attrs

from nubetis.errors import Damaged, InvalidValue, StoreError
from nubetis.model.bind import ALWAYS, Missing, OneOf
from nubetis.model.journal import (
    GENESIS,
    Tampered,
    broken_commitments,
    entry_digest,
    read_change,
    seal_digest,
)
from nubetis.model.kinds import instant_text
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import ID, key_of
from nubetis.model.store import Batch, Inserts, Txn, Updates
from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS, SEALS
from nubetis.session.state import State
from nubetis.types import Key, Row

__all__ = ["NO_ANCHOR", "Verification", "copy_sealed", "is_anchor", "seal", "verify"]

NO_ANCHOR: Final = f"it is no anchor: copy it whole, such as 12:{GENESIS}"
_ANCHOR: Final = re.compile(r"[0-9]{1,19}:[0-9a-f]{32}")
_LOT = 500
_TRIES = 100
"""How often is sealed and looked for a copy; most often the first time is enough."""
_VERIFIED = 16
"""Entries that are verified at once: one alone may have thousands of changes."""
_DIGEST, _SEAL = ENTRIES.layout.index["digest"], ENTRIES.layout.index["seal"]


@attrs.frozen(kw_only=True)
class Verification:
    """What verifying the journal found: *entries* looked at, the last seal as *anchor*, and what was *tampered* with.

    Keep the anchor elsewhere: with it, a journal cut short or rewritten whole is found out, too.
    """

    entries: int
    anchor: str
    tampered: tuple[Tampered, ...] = ()

    def require(self) -> None:
        """Stop where the journal was changed.

        Raises:
            Damaged: ``tampered``, with the first place.
        """
        if self.tampered:
            raise Damaged("tampered", where=str(self.tampered[0]))


def seal(state: State, *, secret: bytes | None = None) -> int:
    """Seal all entries that are not sealed yet, in the order in which they are seen; give their number."""
    total = 0
    while count := state.write(lambda: _seal_some(state, secret)):
        total += count
    return total


def _seal_some(state: State, secret: bytes | None) -> int:
    query = BoundQuery(module=ENTRIES, where=Missing("seal"), limit=_LOT)
    entries = state.txn.query(query)
    if not entries:
        return 0
    first = state.txn.allocate("seals", len(entries))
    before, now = _last_seal(state.txn), instant_text(state.world.now())
    seals: list[Row] = []
    for number, entry in enumerate(entries, start=first):
        before = seal_digest(before, entry, at=now, secret=secret)
        seals.append((number, entry[ID], before, now))
    keys = [key_of(entry) for entry in entries]
    state.write_now(
        Batch(parts=(Inserts(SEALS, seals), Updates(ENTRIES, ("seal",), keys, [(row[ID],) for row in seals])))
    )
    return len(entries)


def _last_seal(txn: Txn) -> str:
    row = _newest(txn)
    return str(row[2]) if row else GENESIS


def _newest(txn: Txn) -> Row | None:
    rows = txn.query(BoundQuery(module=SEALS, where=ALWAYS, order=(Order("id", descending=True),), limit=1))
    return rows[0] if rows else None


class _UnsealedError(Exception):
    """Somebody wrote since all was sealed."""


def copy_sealed(state: State, copy: Callable[[Callable[[Txn], None]], object], *, secret: bytes | None = None) -> str:
    """Seal the journal and *copy* it, as often as somebody wrote in between; give the anchor of the copy's last entry.

    *copy* is given what looks first, at the very state that is copied.

    Raises:
        StoreError: ``store_failed``; others write so fast that there is always something to seal.
    """
    anchor = ""

    def look(txn: Txn) -> None:
        nonlocal anchor
        if txn.count(ENTRIES, Missing("seal"), limit=1):
            raise _UnsealedError
        anchor = _anchor(txn)

    for _ in range(_TRIES):
        seal(state, secret=secret)
        with suppress(_UnsealedError):
            copy(look)
            return anchor
    raise StoreError("store_failed", reason="others write so fast that the journal is never sealed to its end")


def _anchor(txn: Txn) -> str:
    row = _newest(txn)
    return f"{key_of(row)}:{row[2]!s}" if row else f"0:{GENESIS}"


def is_anchor(text: str) -> bool:
    """Say whether *text* is written as anchors are, whatever journal it is of.

    >>> is_anchor("12:" + "0" * 32), is_anchor("12")
    (True, False)
    """
    return _ANCHOR.fullmatch(text) is not None


def verify(state: State, *, anchor: str | None = None, secret: bytes | None = None) -> Verification:
    """Recompute every commitment, digest and seal; give what does not fit.

    *anchor* is that of an earlier verification or back-up.  Cost: reads the whole journal, some 20 µs a change.

    Raises:
        InvalidValue: ``bad_argument``; *anchor* is none, and says nothing of the journal.
    """
    if anchor is not None and not is_anchor(anchor):
        raise InvalidValue("bad_argument", argument="anchor", reason=NO_ANCHOR)
    seal(state, secret=secret)
    return state.read(lambda: _Verifier(state.txn, secret).run(anchor))


@attrs.define
class _Verifier:
    """Walks the chain once."""

    txn: Txn
    secret: bytes | None
    before: str = GENESIS
    expected: int = 1
    entries: int = 0
    found: list[Tampered] = attrs.field(factory=list)
    anchored: bool = False

    def run(self, anchor: str | None) -> Verification:
        for batch in self.txn.stream(SEALS, size=_VERIFIED):
            self._seals(list(zip(*batch, strict=True)), anchor)
        if anchor is not None and not self.anchored:
            self.found.append(
                Tampered("the chain does not hold the anchor: its end was cut off or it was written anew")
            )
        self._strangers()
        return Verification(
            entries=self.entries, anchor=f"{self.expected - 1}:{self.before}", tampered=tuple(self.found)
        )

    def _seals(self, seals: Sequence[Row], anchor: str | None) -> None:
        keys = [Key(int(row[1] or 0)) for row in seals]
        entries = dict(zip(keys, self.txn.get_many(ENTRIES, keys), strict=True))
        changes = self._changes(keys)
        operations = self._operations([row for row in entries.values() if row is not None])
        for row in seals:
            key = Key(int(row[1] or 0))
            entry = entries[key]
            self._number(key_of(row))
            self.entries += 1
            if entry is None:
                self.found.append(Tampered(f"entry {key} is gone", key))
            else:
                self._entry(entry, operations.get(entry[1]), changes.get(key, []))
                self._link(row, entry)
            self.before = str(row[2])
            self.anchored = self.anchored or anchor == f"{key_of(row)}:{row[2]!s}"

    def _number(self, number: int) -> None:
        if number != self.expected:
            self.found.append(Tampered(f"seals {self.expected} to {number - 1} are gone"))
        self.expected = number + 1

    def _link(self, row: Row, entry: Row) -> None:
        wanted = seal_digest(self.before, entry, at=str(row[3]), secret=self.secret)
        if wanted != row[2] or entry[_SEAL] != row[ID]:
            self.found.append(
                Tampered(
                    f"seal {key_of(row)} does not fit entry {int(row[1] or 0)} and the seal before it",
                    Key(int(row[1] or 0)),
                )
            )

    def _entry(self, entry: Row, operation: Row | None, changes: Sequence[Row]) -> None:
        key = key_of(entry)
        if operation is None:
            self.found.append(Tampered(f"the operation of entry {key} is gone", key))
        elif entry_digest(entry, operation, changes) != entry[_DIGEST]:
            self.found.append(
                Tampered(f"entry {key}, its operation or one of its changes is not what was written", key)
            )
        for change in changes:
            self.found += self._commitments(change)

    def _commitments(self, row: Row) -> Iterable[Tampered]:
        try:
            change = read_change(row)
        except Damaged:
            return [Tampered(f"change {key_of(row)} cannot be read")]
        return broken_commitments(change)

    def _changes(self, keys: Sequence[Key]) -> dict[Key, list[Row]]:
        found: dict[Key, list[Row]] = {}
        for batch in self.txn.stream(CHANGES, OneOf("entry", tuple(keys))):
            for row in zip(*batch, strict=True):
                found.setdefault(Key(int(row[1] or 0)), []).append(row)
        return found

    def _operations(self, entries: Iterable[Row]) -> dict[object, Row]:
        keys = sorted({Key(int(entry[1] or 0)) for entry in entries})
        return {row[ID]: row for row in self.txn.get_many(OPERATIONS, keys) if row is not None}

    def _strangers(self) -> None:
        """Find changes that belong to no entry, and entries that say to be sealed and are not."""
        for keys, entries in self.txn.stream(CHANGES, columns=("id", "entry"), size=_LOT):
            known = _present(self.txn, {Key(int(entry or 0)) for entry in entries})
            self.found += [
                Tampered(f"change {int(key or 0)} belongs to no entry")
                for key, entry in zip(keys, entries, strict=True)
                if entry not in known
            ]
        for keys, seals in self.txn.stream(ENTRIES, columns=("id", "seal"), size=_LOT):
            named = {
                row[ID]: row[1] for row in self.txn.get_many(SEALS, sorted({Key(int(s)) for s in seals if s})) if row
            }
            self.found += [
                Tampered(f"entry {int(key or 0)} names a seal that is not its own", Key(int(key or 0)))
                for key, seal in zip(keys, seals, strict=True)
                if seal is not None and named.get(seal) != key  # one without a seal was written just now
            ]


def _present(txn: Txn, keys: set[Key]) -> set[object]:
    return {row[ID] for row in txn.get_many(ENTRIES, sorted(keys)) if row is not None}
