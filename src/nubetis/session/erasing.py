"""Erasure: what goes for good.

Values leave the record and its whole past; the journal still verifies, by the commitments that stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.states import UserState
from nubetis.backends.blobs import forget_blob
from nubetis.errors import InvalidValue, NotFound, Refused, names_or_all
from nubetis.model.bind import All, OneOf, Test
from nubetis.model.blobs import BlobHash
from nubetis.model.fields import Field, FieldState, Operator
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import encode
from nubetis.model.journal import JournalChange, without_values
from nubetis.model.kinds.files import FILE_TYPES
from nubetis.model.plan import Cause, CauseKind, Edits, Operation, Plan
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module
from nubetis.model.store import Batch, Updates
from nubetis.model.system import BLOBS, CHANGES
from nubetis.session.applying import Applier
from nubetis.session.door import refused
from nubetis.session.holding import Holding
from nubetis.session.kept import strike
from nubetis.session.planning import refuse_definitions
from nubetis.session.state import State
from nubetis.session.subject import merged_into
from nubetis.session.undoing import later_changes
from nubetis.types import Key, Row, Stored

if TYPE_CHECKING:
    from nubetis.session.door import Session
    from nubetis.types import Json

__all__ = ["erase", "remove_unused_files", "unused_files"]


def erase(session: Session, record: str | Record, *, fields: Sequence[str] | None = None) -> Operation:
    """Take values out of a record and of its whole past, for good: *fields*, or all personal data.

    The record may be in the recycle bin, or purged, so that only its past is left; fields may be retired.  Files that
    nothing else speaks of go with their bytes.  The journal still verifies.  Operations that wait to be resumed go on
    without the record.  This cannot be undone.

    Records that were merged into it lie in the recycle bin and are left; ``cause.detail["merged"]`` of the operation
    names them, to be erased as well.

    Cost: the journal of the record, and the operations that were merges; where files are erased, the whole journal is
    read.

    Raises:
        NotFound: there was never such a record or field, or the user may not see it.
        Refused: ``legal_hold``; a hold stands against it (:mod:`nubetis.session.holding`).  ``still_used``; nubetis
            needs it: a user is deactivated first, whatever else is nubetis's own put into the recycle bin.
            ``built_in``, ``bad_user_state``, ``bad_share``, and what else stands against an edit.
        AccessDenied: the user may not delete and edit in this module.
        InvalidValue: a field that nubetis sets; *fields* is empty; or is not given, and the module has no personal
            data.
    """
    name = record.id if isinstance(record, Record) else record
    names = names_or_all(fields, argument="fields", expected="names of fields")
    return session.state.write(lambda: _Erasure.of(session.state, name).run(names))


@attrs.frozen(kw_only=True)
class _Erasure:
    """What is to be erased of one record: its *row*, if it still has one, and its *past*."""

    state: State
    module: Module
    key: Key
    row: Row | None
    past: Sequence[JournalChange]

    @classmethod
    def of(cls, state: State, name: str) -> _Erasure:
        """Find the record, or what is left of it."""
        module, key = state.known.module_of(name)
        planner = state.planner()
        planner.require(Action.DELETE, module)
        row = state.txn.get_many(module, [key])[0]
        past = later_changes(state.txn, module, [key], after=Key(0))
        if row is None:
            seen = bool(past) and state.policy.grant(Action.DELETE, module) == EVERYTHING
        else:
            seen = planner.allowed(module, Action.VIEW)(row)
        if not seen:
            raise NotFound("not_found", id=name, module=module.name)
        return cls(state=state, module=module, key=key, row=row, past=past)

    def run(self, names: Sequence[str] | None) -> Operation:
        """Erase the fields *names*, or all personal data."""
        state, module = self.state, self.module
        fields = self._chosen(names)
        self._refuse_held()
        record = encode(module.prefix, self.key)
        cause = Cause(
            CauseKind.ERASURE, {"record": record, "fields": [field.name for field in fields], **self._merged()}
        )
        empty = tuple([None for field in fields for _ in field.parts])
        parts = () if self.row is None else (Edits(module, [self.row], fields, [empty]),)
        refuse_definitions(state.purpose, parts)
        self._refuse_used(fields)
        files = self._files(fields)
        plan = Plan(cause=cause, parts=parts)
        against = state.planner().standing(plan)
        if against:
            raise refused(attrs.evolve(plan, parts=(), refusals=tuple(against)))
        operation = Applier(state, plan).run()
        numbers = {int(field.id) for field in fields} | (self._purged_fields() if names is None else set())
        self._scrub(numbers)
        state.write_now(Batch(parts=(strike(state.txn, module, self.key),)))
        for each in _unused(state, files):
            state.afterwards.append(partial(state.world.extensions.blob_stores()(state.world.store).delete, each))
        state.afterwards.append(state.world.store.compact)
        return operation

    def _merged(self) -> dict[str, Json]:
        """Name the records of the same person that were merged into this one, and are left."""
        rows = merged_into(self.state, self.module, self.key)
        return {"merged": [encode(self.module.prefix, key) for key in rows]} if rows else {}

    def _refuse_held(self) -> None:
        holding = Holding.of(self.state.planner(), self.module)
        hold = holding.of_past(self.key) if self.row is None else holding.of_rows([self.row]).get(self.key)
        if hold is not None:
            raise Refused("legal_hold", id=encode(self.module.prefix, self.key), hold=hold)

    def _refuse_used(self, fields: Iterable[Field]) -> None:
        """Stop where people, roles and whatever else nubetis stands on would be without what they must have."""
        row, index = self.row, self.module.layout.index
        if row is None or row[DELETED_IN] is not None or not self.module.system:
            return
        if self.module.name == "users" and row[index["state"]] == UserState.DEACTIVATED.value:
            return
        for field in fields:
            if field.required:
                raise Refused("still_used", id=encode(self.module.prefix, self.key), field=field.name)

    def _chosen(self, names: Sequence[str] | None) -> tuple[Field, ...]:
        known = self.module.all_fields
        if names is None:
            fields = tuple([field for field in known if field.personal])
            if not fields and not self._purged_fields():
                reason = f"{self.module.name} has no personal data; name fields"
                raise InvalidValue("bad_argument", argument="fields", reason=reason)
            return fields
        chosen = dict.fromkeys(
            field
            for name in names
            for field in [each for each in known if each.name == name and each.state is FieldState.RETIRED]
            or [self.state.planner().writable(self.module, name)]
        )
        return tuple(chosen)

    def _purged_fields(self) -> set[int]:
        """Give the fields of which only the past speaks: whether they were personal nobody knows any more."""
        return {number for change in self.past for number in change.before if number not in self.module.by_id}

    def _files(self, fields: Iterable[Field]) -> set[BlobHash]:
        """Give the files to which *fields* lead, now or earlier."""
        found: set[BlobHash] = set()
        for field in fields:
            if field.type.name in FILE_TYPES:
                place = self.module.layout.index[field.column]
                cells = [change.before[field.id][0] for change in self.past if field.id in change.before]
                cells += [] if self.row is None else [self.row[place]]
                found |= {BlobHash(str(cell)) for cell in cells if cell is not None}
        return found

    def _scrub(self, numbers: AbstractSet[int]) -> None:
        past = later_changes(self.state.txn, self.module, [self.key], after=Key(0))
        touched = [change for change in past if numbers & set(change.before)]
        values = [without_values(change, numbers) for change in touched]
        part = Updates(CHANGES, ("before", "salts"), [change.key for change in touched], values)
        if touched:
            self.state.write_now(Batch(parts=(part,)))


def _unused(state: State, files: AbstractSet[BlobHash]) -> set[BlobHash]:
    """Give those of *files* of which no record, no past and no plan that waits speaks any more."""
    unused = set(files)
    for module in state.known.schema.modules if files else ():
        for field in module.all_fields:
            if field.type.name in FILE_TYPES:
                used = OneOf(field.column, tuple(sorted(unused)))
                for (cells,) in state.txn.stream(module, used, columns=(field.column,)):
                    unused -= {BlobHash(str(cell)) for cell in cells}
    for text in _texts_of_the_past(state) if unused else ():
        unused.difference_update(map(BlobHash, _HASH.findall(text)))
    return unused


_HASH: Final = re.compile("[0-9a-f]{64}")


def _texts_of_the_past(state: State) -> Iterator[str]:
    """Give what the journal keeps of values, and what is left of plans, as text."""
    for (texts,) in state.txn.stream(CHANGES, columns=("before",)):
        yield from map(str, texts)
    for (plans,) in state.txn.stream(BLOBS, All((Test("hash", Operator.GE, "plan:"),)), columns=("data",), size=1):
        yield from [plan.decode("utf-8", "replace") for plan in plans if isinstance(plan, bytes)]


def unused_files(state: State) -> list[BlobHash]:
    """Give the files in the organisation's own store of which nothing speaks: what had kept them was not stored.

    A file that somebody has just put, and whose record he has not written yet, is among them.

    Cost: for each ten thousand files the whole journal is read; no bytes of files are.
    """

    def work() -> list[BlobHash]:
        where = Test("hash", Operator.LT, "plan:")
        names = state.txn.stream(BLOBS, where, columns=("hash",), size=_FILES)
        return [each for (batch,) in names for each in sorted(_unused(state, set(map(_name, batch))))]

    return state.read(work)


def remove_unused_files(state: State, files: Iterable[BlobHash]) -> int:
    """Take away those of *files*, found by :func:`unused_files`, of which nothing speaks still; give their number."""

    def work() -> int:
        gone = _unused(state, set(files))
        for each in gone:
            forget_blob(state.txn, each)
        return len(gone)

    return state.write(work)


_FILES: Final = 10_000


def _name(cell: Stored) -> BlobHash:
    return BlobHash(str(cell))
