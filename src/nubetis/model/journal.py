"""The journal: one entry a transaction, sealed into a chain; history, "as of" and undo read it backwards.

What is kept
------------
An *entry* names its operation, its instant and, for created records, the range of their keys (each row carries the
entry in ``created_in``).  Each record that was updated, deleted, restored or erased has one *change* with the values
before, by field id; the values after are those before the next change, or the present ones.

Tamper evidence
---------------
Each value before is committed to by ``BLAKE2b(salt, value)``; an entry's digest covers its own columns, its
operation's, and the commitments of its changes, and a *seal* covers the entry's digest, the instant of the sealing
and the seal before it.
Erasure takes away value and salt and leaves the commitment, so the chain still verifies and the value cannot be
guessed from it.  Seals are made in commit order by whoever next reads the journal, so that writers do not queue.

What is not detected without an *anchor* (a seal kept elsewhere, as back-ups and exports print it): a tail cut off
together with its seals, or a journal rewritten from end to end.  With a key the chain cannot be rewritten by one who
has not the key.  Present values are not part of the journal.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, cast

import attrs

from nubetis.errors import UNREADABLE, damage
from nubetis.model.cells import cell_of, json_of
from nubetis.model.plan import ChangeKind, Creates, Edits, Part
from nubetis.model.schema import DELETED_IN, ID, VERSION, Module, key_of
from nubetis.model.system import CHANGES, ENTRIES, OPERATIONS
from nubetis.types import Json, Key, Row, Stored

__all__ = [
    "GENESIS",
    "JournalChange",
    "Keeping",
    "Tampered",
    "broken_commitments",
    "change_rows",
    "entry_digest",
    "inserts_of",
    "keeping",
    "read_change",
    "read_inserts",
    "row_before",
    "seal_digest",
    "without_values",
]

GENESIS: Final = "0" * 32
"""What the first seal follows."""


def _cell(module: Module, row: Row, name: str) -> Stored:
    return row[module.layout.index[name]]


@attrs.frozen(kw_only=True)
class JournalChange:
    """One record's change as the journal keeps it; *before* has stored parts by field id."""

    key: Key
    entry: Key
    module: int
    record: Key
    kind: ChangeKind
    version: int
    before: Mapping[int, Row]
    salts: Mapping[int, str]
    commitment: Mapping[int, str]


def _commit(salt: str, values: Sequence[Stored]) -> str:
    said = json.dumps(values, ensure_ascii=False, default=json_of)
    return hashlib.blake2b(f"{salt}{said}".encode(), digest_size=16).hexdigest()


def _by_id(cells: Mapping[int, object]) -> str:
    said = {str(number): value for number, value in cells.items()}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=json_of)


def change_rows(part: Edits, entry: Key, keys: Iterable[Key], *, salt: Callable[[], str]) -> list[Row]:
    """Give the rows of the changes ledger for *part*; *keys* are theirs, *salt* gives a fresh secret each time."""
    cut = _cuts(part)
    rows: list[Row] = []
    for key, row, values in zip(keys, part.rows, part.before(), strict=False):
        before = {number: values[start:stop] for number, start, stop in cut}
        salts = {number: salt() for number in before}
        commitment = {number: _commit(salts[number], list(cells)) for number, cells in before.items()}
        rows.append(
            (
                key,
                entry,
                part.module.id,
                row[ID],
                part.kind.value,
                row[VERSION],
                _by_id(before),
                _by_id(salts),
                _by_id(commitment),
            )
        )
    return rows


def _cuts(part: Edits) -> list[tuple[int, int, int]]:
    found, start = [], 0
    for field in part.fields:
        stop = start + len(field.parts)
        found.append((int(field.id), start, stop))
        start = stop
    return found


def _from_json(text: Stored) -> dict[int, object]:
    return {int(number): value for number, value in json.loads(str(text or "{}")).items()}


def read_change(row: Row) -> JournalChange:
    """Give a row of the changes ledger as a value.

    Raises:
        Damaged: nubetis did not write it so.
    """
    try:
        return _change_of(row)
    except UNREADABLE as error:
        raise damage(f"Change {key_of(row)} of the journal", error) from error


def _change_of(row: Row) -> JournalChange:
    def number(name: str) -> int:
        return int(_cell(CHANGES, row, name) or 0)

    def texts(name: str) -> dict[int, str]:
        return {place: str(value) for place, value in _from_json(_cell(CHANGES, row, name)).items()}

    cells = cast("dict[int, list[Json]]", _from_json(_cell(CHANGES, row, "before")))
    return JournalChange(
        key=Key(number("id")),
        entry=Key(number("entry")),
        module=number("module"),
        record=Key(number("record")),
        kind=ChangeKind(str(_cell(CHANGES, row, "kind"))),
        version=number("version"),
        before={place: tuple(map(cell_of, values)) for place, values in cells.items()},
        salts=texts("salts"),
        commitment=texts("commitment"),
    )


def row_before(module: Module, row: Row, change: JournalChange) -> tuple[Row, set[int]]:
    """Give the row as it was before *change*, and the fields of which it is not known any more."""
    cells, gone = list(row), set[int]()
    for number in change.commitment:
        field = module.by_id.get(number)
        if field is not None:
            place = module.layout.index[field.column_of(field.parts[0])]
            values = change.before.get(number)
            cells[place : place + len(field.parts)] = (None,) * len(field.parts) if values is None else values
            gone |= {number} if values is None else set()
    cells[VERSION] = change.version
    if change.kind in {ChangeKind.DELETE, ChangeKind.RESTORE}:
        cells[DELETED_IN] = None if change.kind is ChangeKind.DELETE else change.entry
    return tuple(cells), gone


def without_values(change: JournalChange, fields: Iterable[int]) -> tuple[str, str]:
    """Give before and salts as they are stored when the values of *fields* are erased."""
    gone = set(fields)
    before = {number: value for number, value in change.before.items() if number not in gone}
    return _by_id(before), _by_id({number: salt for number, salt in change.salts.items() if number not in gone})


def inserts_of(parts: Iterable[Part]) -> str:
    """Give what an entry says of created records: module, first key, last key, count, for each part."""
    found = [
        [part.module.id, min(keys), max(keys), len(keys)]
        for part in parts
        if isinstance(part, Creates) and (keys := [key_of(row) for row in part.rows])
    ]
    return json.dumps(found, separators=(",", ":"))


def read_inserts(entry: Row) -> list[tuple[int, Key, Key, int]]:
    """Give module id, first and last key and count of the records that *entry* created.

    Raises:
        Damaged: nubetis did not write it so.
    """
    try:
        found = json.loads(str(_cell(ENTRIES, entry, "inserts") or "[]"))
        return [(int(module), Key(int(low)), Key(int(high)), int(count)) for module, low, high, count in found]
    except UNREADABLE as error:
        raise damage(f"Entry {key_of(entry)} of the journal", error) from error


# -- digests and seals ------------------------------------------------------------------------------------------------
_OPERATION_COLUMNS: Final = (
    "id",
    "cause",
    "detail",
    "actor",
    "on_behalf_of",
    "digest",
    "changes",
    "undo_of",
    "started_at",
)
_CHANGE_COLUMNS: Final = ("id", "entry", "module", "record", "kind", "version", "commitment")


def entry_digest(entry: Row, operation: Row, changes: Iterable[Row]) -> str:
    """Give the digest of an entry: its own columns, what of its operation never changes, and its commitments."""
    hasher = hashlib.blake2b(digest_size=16)
    hasher.update(repr([_cell(ENTRIES, entry, name) for name in ("id", "operation", "at", "inserts")]).encode())
    hasher.update(repr([_cell(OPERATIONS, operation, name) for name in _OPERATION_COLUMNS]).encode())
    places = [CHANGES.layout.index[name] for name in _CHANGE_COLUMNS]
    for row in sorted(changes, key=key_of):
        hasher.update(repr([row[place] for place in places]).encode())
    return hasher.hexdigest()


def seal_digest(before: str, entry: Row, *, at: str, secret: bytes | None = None) -> str:
    """Give the seal, made *at* an instant, of an entry that follows the seal *before*; keyed by a *secret*."""
    text = f"{before}|{entry[ID]!s}|{_cell(ENTRIES, entry, 'digest')!s}|{at}".encode()
    if secret is not None:
        return hmac.new(secret, text, hashlib.sha256).hexdigest()[:32]
    return hashlib.blake2b(text, digest_size=16).hexdigest()


@attrs.frozen
class Tampered:
    """One place where the journal is not what was written."""

    where: str
    entry: Key | None = None

    def __str__(self) -> str:
        return self.where


class Keeping(enum.Enum):
    """What has become of a value in the journal."""

    WHOLE = "whole"
    ERASED = "erased"
    CHANGED = "changed"


def keeping(change: JournalChange, number: int) -> Keeping:
    """Say what has become of the value that *change* has of a field."""
    values, salt = change.before.get(number), change.salts.get(number)
    if values is None and salt is None:  # erasing takes both
        return Keeping.ERASED
    whole = values is not None and salt is not None and _commit(salt, list(values)) == change.commitment.get(number)
    return Keeping.WHOLE if whole else Keeping.CHANGED


def broken_commitments(change: JournalChange) -> Iterator[Tampered]:
    """Give the values of *change* that are not those committed to; erased ones are passed over."""
    for number in {**change.before, **change.salts}:
        if keeping(change, number) is Keeping.CHANGED:
            yield Tampered(f"the value of field {number} in change {change.key}", change.entry)
