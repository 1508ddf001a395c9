"""Plans: exactly what would be written, before anything is; operations: plans that were applied.

A :class:`Plan` is a list of *parts*, each many records of one module that change in the same way: rows to create, or
fields to edit.  A single edit is a plan with one part of one record.  Its *digest* covers ids and versions, and no
value: it stays in the journal, and what is erased must not be found by trying.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from typing import Final, TypeAlias

import attrs

from nubetis.errors import MESSAGES, one_of, sentence
from nubetis.model.fields import Field, FieldState, Value
from nubetis.model.ids import encode
from nubetis.model.kinds.texts import is_storable
from nubetis.model.outbox import Message
from nubetis.model.record import Record
from nubetis.model.schema import ID, VERSION, Module, Schema, key_of
from nubetis.types import Json, Key, ModuleName, RecordId, Row

__all__ = [
    "Cause",
    "CauseKind",
    "Change",
    "ChangeKind",
    "Committed",
    "Creates",
    "Edits",
    "Operation",
    "OperationState",
    "Part",
    "Plan",
    "Refusal",
    "Undo",
]

_BLOCK: Final = 256
"""Records whose digest is taken together."""

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


class ChangeKind(enum.StrEnum):
    """What happens to a record."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    """Into the recycle bin."""
    RESTORE = "restore"
    """Out of it."""
    PURGE = "purge"
    """Out of it for good."""
    ERASE = "erase"
    """Values taken out of record and journal."""


class CauseKind(enum.StrEnum):
    """Why something was written."""

    USER = "user"
    IMPORT = "import"
    MERGE = "merge"
    UNDO = "undo"
    SCHEMA = "schema"
    SETUP = "setup"
    ERASURE = "erasure"
    RULE = "rule"
    VIEW = "view"
    SYSTEM = "system"

    @property
    def own(self) -> bool:
        """Whether nubetis alone gives it, to what it planned itself: less is asked of some of that."""
        return self not in {CauseKind.USER, CauseKind.IMPORT, CauseKind.MERGE}


def _cause_kind(given: str) -> CauseKind:
    return one_of(CauseKind, given, argument="cause")


@attrs.frozen
class Cause:
    """Why: the kind, and what a reader of the journal wants to know besides (a file's name, a rule's version)."""

    kind: CauseKind = attrs.field(default=CauseKind.USER, converter=_cause_kind)
    detail: Mapping[str, Json] = attrs.field(factory=dict)

    @property
    def keeps(self) -> bool:
        """Whether the journal can keep the detail: it is JSON of texts that every store can hold."""
        try:
            return is_storable(json.dumps(dict(self.detail), ensure_ascii=False).replace("\\u0000", "\0"))
        except (ValueError, TypeError, RecursionError):
            return False


@attrs.frozen(kw_only=True)
class Refusal:
    """One change that may not or cannot be made, and why; its record or line is named, its values are not."""

    code: str
    params: Mapping[str, object] = attrs.field(factory=dict)
    module: ModuleName | None = None
    record: RecordId | None = None
    line: int | None = None
    field: str | None = None

    def __str__(self) -> str:
        where = self.record or ("" if self.line is None else f"line {self.line}")
        text = sentence(MESSAGES.get(self.code, self.code), self.params)
        return f"{where}: {text}" if where else text


@attrs.frozen
class Change:
    """One record's difference, for people and hooks to read."""

    kind: ChangeKind
    module: ModuleName
    record: RecordId
    before: Mapping[str, Value]
    after: Mapping[str, Value]


@attrs.frozen(repr=False)
class Creates:
    """New records of one module: whole rows, keys and all."""

    module: Module
    rows: Sequence[Row]

    kind = ChangeKind.CREATE

    def __repr__(self) -> str:
        return f"<create {len(self)} {self.module.name}>"

    def __len__(self) -> int:
        return len(self.rows)

    def changes(self) -> Iterator[Change]:
        """Give each record's difference."""
        for row in self.rows:
            record = Record(self.module, row)
            after = {name: value for name, value in record.items() if value not in (None, ())}
            yield Change(self.kind, self.module.name, record.id, {}, after)

    def slice(self, start: int, stop: int) -> Creates:
        """Give some of the records."""
        return attrs.evolve(self, rows=self.rows[start:stop])


@attrs.frozen(repr=False)
class Edits:
    """The same fields of records of one module, or their way into the recycle bin or out of it.

    *rows* are the records as they are; *after* has the stored parts of *fields* for each, empty for other kinds than
    update.
    """

    module: Module
    rows: Sequence[Row]
    fields: tuple[Field, ...] = ()
    after: Sequence[Row] = ()
    kind: ChangeKind = ChangeKind.UPDATE

    def __repr__(self) -> str:
        return f"<{self.kind.value} {len(self)} {self.module.name}>"

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of *fields*, in the order of the values in *after*."""
        return tuple([field.column_of(part) for field in self.fields for part in field.parts])

    @cached_property
    def places(self) -> tuple[int, ...]:
        """Where *columns* lie in *rows*."""
        return tuple([self.module.layout.index[column] for column in self.columns])

    @property
    def keys(self) -> list[Key]:
        """The keys of the records."""
        return [key_of(row) for row in self.rows]

    @property
    def versions(self) -> list[int]:
        """The versions that the plan saw."""
        return [int(row[VERSION] or 0) for row in self.rows]

    def before(self) -> Iterator[Row]:
        """Give the stored parts of *fields* as they are."""
        places = self.places
        return (tuple([row[place] for place in places]) for row in self.rows)

    def changed_rows(self) -> Iterator[Row]:
        """Give the whole rows as they would be."""
        for row, values in zip(self.rows, self.after, strict=True):
            new = list(row)
            for place, value in zip(self.places, values, strict=True):
                new[place] = value
            yield tuple(new)

    def changes(self) -> Iterator[Change]:
        """Give each record's difference, field by field."""
        names = [field.name for field in self.fields if field.state is FieldState.ACTIVE]
        news = self.changed_rows() if self.after else iter(self.rows)
        for row, new in zip(self.rows, news, strict=True):
            old, now = Record(self.module, row), Record(self.module, new)
            yield Change(self.kind, self.module.name, old.id, {n: old[n] for n in names}, {n: now[n] for n in names})

    def slice(self, start: int, stop: int) -> Edits:
        """Give some of the records."""
        return attrs.evolve(self, rows=self.rows[start:stop], after=self.after[start:stop])


Part: TypeAlias = Creates | Edits


@attrs.frozen(kw_only=True)
class Plan:
    """What would be written: *parts*; what would not: *refusals*; what one should know: *warnings*.

    *schema* and *at* are what it was made with, and when.  *access_version* is that of the rights it was
    made under; it is set where people or rights change.  *unseen* names, by module, the fields that the one who
    planned may not read; *changes* has not got them.
    """

    cause: Cause = attrs.field(factory=Cause)
    parts: tuple[Part, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    messages: tuple[Message, ...] = ()
    access_version: int | None = None
    undo_of: Key | None = None
    unseen: Mapping[str, frozenset[str]] = attrs.field(factory=dict, repr=False, eq=False)
    schema: Schema = attrs.field(factory=Schema, repr=False, eq=False)
    at: datetime = attrs.field(default=_NEVER, eq=False)

    def __len__(self) -> int:
        return sum(map(len, self.parts))

    @property
    def changes(self) -> Iterator[Change]:
        """Each record's difference, part by part."""
        return (_without(change, self.unseen.get(part.module.name)) for part in self.parts for change in part.changes())

    @cached_property
    def digest(self) -> str:
        """Which records the plan would write and how, in 32 hexadecimal digits.  Cost: some 0.5 µs a record, once.

        It covers kinds, modules, columns, ids and versions; no values, which could be found from it by trying.
        """
        hasher = hashlib.blake2b(digest_size=16)
        for part in self.parts:
            head = (part.kind.value, part.module.id, part.columns if isinstance(part, Edits) else ())
            hasher.update(repr(head).encode())
            lines = _digest_lines(part)
            while block := "".join(islice(lines, _BLOCK)):
                hasher.update(block.encode())
        return hasher.hexdigest()

    def counts(self) -> dict[str, int]:
        """Give the number of records for each kind of change."""
        found: dict[str, int] = {}
        for part in self.parts:
            found[part.kind.value] = found.get(part.kind.value, 0) + len(part)
        return found

    @property
    def refused(self) -> int:
        """How many records are refused; one may have several refusals."""
        places = [(each.module, each.line, each.record) for each in self.refusals]
        nowhere = sum(place[1:] == (None, None) for place in places)
        return nowhere + len({place for place in places if place[1:] != (None, None)})

    def __str__(self) -> str:
        counts = [f"{number} to {kind}" for kind, number in self.counts().items()]
        counts += [f"{self.refused} refused"] if self.refusals else []
        return ", ".join(counts) or "nothing to do"


def _without(change: Change, names: frozenset[str] | None) -> Change:
    if not names:
        return change
    before, after = ({n: v for n, v in each.items() if n not in names} for each in (change.before, change.after))
    return attrs.evolve(change, before=before, after=after)


def _digest_lines(part: Part) -> Iterator[str]:
    return (f"{row[ID]!r}:{row[VERSION]!r};" for row in part.rows)


class OperationState(enum.StrEnum):
    """How far an operation has come."""

    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"


@attrs.frozen(kw_only=True)
class Operation:
    """A plan that was applied, or is being applied: *position* of *changes* records are written.

    *sign_in* says how the one who did it had signed in; *purpose* for what nubetis itself did it, with no *actor*.
    """

    key: Key
    state: OperationState
    cause: Cause
    digest: str
    actor: RecordId | None = None
    sign_in: Mapping[str, Json] = attrs.field(factory=dict)
    purpose: str = ""
    on_behalf_of: RecordId | None = None
    position: int = 0
    changes: int = 0
    skipped: tuple[RecordId, ...] = ()
    undo_of: Key | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def id(self) -> RecordId:
        """The operation's id as text."""
        return encode("ope", self.key)


@attrs.frozen(kw_only=True)
class Undo:
    """What became of taking an operation back.

    *reversed* lists the records set back; *kept* those that stay as they are, since somebody changed them afterwards
    (``stale``, with the field) or others link to them (``referenced``, ``out_of_sight``); *failed* what could not be
    taken back, with the reason.  *operation* is ``None`` where there was nothing to set back: what changes nothing is
    no operation.
    """

    operation: Operation | None
    reversed: tuple[RecordId, ...] = ()
    kept: tuple[Refusal, ...] = ()
    failed: tuple[Refusal, ...] = ()


@attrs.frozen(kw_only=True)
class Committed:
    """One transaction that was stored: of which operation, in which entry, and what it wrote."""

    org_id: str
    operation: Operation
    entry: Key
    parts: tuple[Part, ...]
