"""Taking an operation back, field by field; what somebody else changed since stays and is named.

A field is set back when it still has the value that the operation gave it.  That value is not in the journal: it is
the value before the next change of the field, or, where there is none, the present one.

Records are looked at block by block, and what is found goes into files beyond some thousands, so that an undo of a
million records needs little memory.  Of records and fields that the user may not see nothing is said, and nothing is
done to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.model.bind import ALWAYS, All, Bound, OneOf, Test
from nubetis.model.evaluate import Predicate
from nubetis.model.fields import Field, FieldState, Operator
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import encode
from nubetis.model.journal import JournalChange, Keeping, keeping, read_change, read_inserts
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Edits, Part, Plan, Refusal
from nubetis.model.schema import DELETED_IN, ID, VERSION, Module, Schema, key_of
from nubetis.model.system import CHANGES, ENTRIES
from nubetis.session.planning import Planner, staying
from nubetis.session.spool import Spool
from nubetis.types import Key, Row

if TYPE_CHECKING:
    from nubetis.model.store import Txn

__all__ = ["UndoPlanner", "entries_of", "later_changes"]

_CHUNK: Final = 500
BLOCK: Final = 2000
"""Records that are looked at together."""


def entries_of(txn: Txn, operation: Key) -> list[Row]:
    """Give the entries of an operation, in order."""
    where = Test("operation", Operator.EQ, operation)
    return [row for batch in txn.stream(ENTRIES, where) for row in zip(*batch, strict=True)]


def later_changes(txn: Txn, module: Module, records: Iterable[Key], *, after: Key) -> list[JournalChange]:
    """Give all changes of *records* in entries that follow *after*, oldest first."""
    ordered = sorted(set(records))
    found: list[JournalChange] = []
    for start in range(0, len(ordered), _CHUNK):
        keys = OneOf("record", tuple(ordered[start : start + _CHUNK]))
        where = All((keys, Test("entry", Operator.GT, after), Test("module", Operator.EQ, module.id)))
        found += [read_change(row) for batch in txn.stream(CHANGES, where) for row in zip(*batch, strict=True)]
    return sorted(found, key=lambda change: (change.entry, change.key))


@attrs.define
class _Findings:
    """What an undo would do, as it is found out: rows and new values by field, rows by kind of move."""

    sets: dict[tuple[int, tuple[int, ...]], tuple[Spool, Spool]] = attrs.field(factory=dict)
    moves: dict[tuple[int, ChangeKind], Spool] = attrs.field(factory=dict)
    kept: list[Refusal] = attrs.field(factory=list)
    failed: list[Refusal] = attrs.field(factory=list)
    foreign: set[int] = attrs.field(factory=set)
    staying: dict[int, set[Key]] = attrs.field(factory=dict)
    """By module, what the operation made and what does not go."""

    def put_back(self, module: Module, row: Row, back: Mapping[int, Row]) -> None:
        """Note that fields of a record get their values back."""
        order = tuple(sorted(back))
        rows, values = self.sets.setdefault((module.id, order), (Spool(), Spool()))
        rows.append(row)
        values.append(tuple([cell for number in order for cell in back[number]]))

    def move(self, module: Module, row: Row, kind: ChangeKind) -> None:
        """Note that a record goes into the recycle bin or out of it."""
        self.moves.setdefault((module.id, kind), Spool()).append(row)


@attrs.frozen
class _Rights:
    """What the user may do in one module, by row; made once for all of its records."""

    planner: Planner
    module: Module

    @cached_property
    def sees(self) -> Predicate:
        """Whether the user may see a record."""
        return self.planner.allowed(self.module, Action.VIEW)

    @cached_property
    def sees_all(self) -> bool:
        """Whether there is no record that the user may not see."""
        return self.planner.policy.grant(Action.VIEW, self.module) == EVERYTHING

    @cached_property
    def edits(self) -> Predicate:
        """Whether the user may edit a record."""
        return self.planner.allowed(self.module, Action.EDIT)

    @cached_property
    def transfers(self) -> Predicate:
        """Whether the user may give a record another owner."""
        return self.planner.allowed(self.module, Action.TRANSFER)

    @cached_property
    def deletes(self) -> Predicate:
        """Whether the user may delete and restore a record."""
        return self.planner.allowed(self.module, Action.DELETE)


@attrs.frozen
class _Past:
    """What the operation changed of one record, which no operation changes twice, and the changes since."""

    mine: JournalChange
    later: Sequence[JournalChange]


@attrs.define
class UndoPlanner:
    """Makes the plan that takes *operation* back; ``kept`` are its warnings, ``failed`` its refusals."""

    planner: Planner
    operation: Key
    found: _Findings = attrs.field(factory=_Findings)
    _rights: dict[int, _Rights] = attrs.field(factory=dict, init=False)

    @property
    def schema(self) -> Schema:
        """The schema of the organisation."""
        return self.planner.known.schema

    def plan(self) -> Plan:
        """Give the plan."""
        entries = entries_of(self.planner.txn, self.operation)
        own = frozenset([key_of(entry) for entry in entries])
        for number, records in self._changed(entries):
            if module := self._module(number, "the module is gone or a schema"):
                self._take_back(module, records, own)
        for entry in reversed(entries):  # what was made later may link to what was made before
            self._take_back_creations(entry, own)
        detail = {"operation": encode("ope", self.operation)}
        parts = tuple([part for part in self._parts() if len(part)])
        return Plan(
            cause=Cause(CauseKind.UNDO, detail),
            parts=parts,
            refusals=tuple(self.found.failed),
            warnings=tuple(self.found.kept),
            undo_of=self.operation,
        )

    def _module(self, number: int, reason: str) -> Module | None:
        """Give a module whose records can be set back; where they cannot, note so once."""
        module = self.schema.by_id.get(number)
        if module is not None and module.name != "modules":
            return module
        if number not in self.found.foreign:
            params = {"id": encode("ope", self.operation), "reason": reason}
            self.found.failed.append(Refusal(code="undo_foreign", params=params))
            self.found.foreign.add(number)
        return None

    def _in(self, module: Module) -> _Rights:
        return self._rights.setdefault(module.id, _Rights(self.planner, module))

    # changes -----------------------------------------------------------------------------------------------
    def _changed(self, entries: Iterable[Row]) -> Iterator[tuple[int, list[Key]]]:
        """Give the records that *entries* changed, in blocks by module."""
        for entry in entries:
            where = Test("entry", Operator.EQ, entry[ID])
            for batch in self.planner.txn.stream(CHANGES, where, columns=("module", "record"), size=BLOCK):
                blocks: dict[int, list[Key]] = {}
                for number, record in zip(*batch, strict=True):
                    blocks.setdefault(int(number or 0), []).append(Key(int(record or 0)))
                yield from blocks.items()

    def _take_back(self, module: Module, records: Sequence[Key], own: AbstractSet[Key]) -> None:
        """Take back what was done to *records* in the entries *own*."""
        mine: dict[Key, JournalChange] = {}
        later: dict[Key, list[JournalChange]] = {}
        for change in later_changes(self.planner.txn, module, records, after=Key(min(own) - 1)):
            if change.entry in own:
                mine[change.record] = change
            elif change.record in mine:
                later.setdefault(change.record, []).append(change)
        for record, row in zip(records, self.planner.rows_of(module, records), strict=True):
            if row is not None:
                self._record(module, row, _Past(mine[record], later.get(record, ())))
            elif self._in(module).sees_all:  # nobody knows any more who could see it
                self._fail(module, record, "it is gone")

    def _fail(self, module: Module, record: Key, reason: str, field: Field | None = None) -> None:
        name = encode(module.prefix, record)
        self.found.failed.append(
            Refusal(
                code="undo_foreign",
                params={"id": name, "reason": reason},
                module=module.name,
                record=name,
                field=None if field is None else field.name,
            )
        )

    def _record(self, module: Module, row: Row, past: _Past) -> None:
        rights = self._in(module)
        if not rights.sees(row):
            return
        change = past.mine
        moved = change.kind in {ChangeKind.DELETE, ChangeKind.RESTORE}
        if moved and rights.deletes(row):
            self._move(module, row, change)
        elif moved:
            self._fail(module, key_of(row), "you may not delete it")
        readable = [number for number in change.commitment if self._reads(module, number)]
        if readable and not rights.edits(row):
            self._fail(module, key_of(row), "you may not edit it")
            return
        back = {
            number: change.before[number]
            for number in readable
            if self._is_known(module, change, number)
            and self._is_given(module, row, number)
            and self._untouched(module, row, past, number)
        }
        if back:
            self.found.put_back(module, row, back)

    def _reads(self, module: Module, number: int) -> bool:
        field = module.by_id.get(number)
        return field is None or self.planner.policy.reads(module, field)

    def _is_known(self, module: Module, change: JournalChange, number: int) -> bool:
        """Say whether the value before *change* is to be had and the field can take it; note a failure where not."""
        field, left = module.by_id.get(number), keeping(change, number)
        if field is None:
            reason = "one of its fields is gone for good"
        elif field.state is FieldState.RETIRED:
            reason = "its field is retired"
        elif not self.planner.writes(module, field):
            reason = "you may not write its field"
        elif left is Keeping.ERASED:
            reason = "what its field held was erased"
        elif left is Keeping.CHANGED:
            reason = "what the journal says of its field is not what was written: verify it"
        else:
            return True
        self._fail(module, change.record, reason, field)
        return False

    def _is_given(self, module: Module, row: Row, number: int) -> bool:
        """Say whether the user may set the field of a record back: its owner, only if he may give it another."""
        field = module.by_id[number]
        if field.name != "owner" or self._in(module).transfers(row):
            return True
        self._fail(module, key_of(row), "you may not give it another owner", field)
        return False

    def _untouched(self, module: Module, row: Row, past: _Past, number: int) -> bool:
        """Say whether the field still has the value that the operation left; note it as kept where not.

        Others may have changed it between the operation's transactions, too.
        """
        following = next((change for change in past.later if number in change.commitment), None)
        if following is None:
            return True
        field = module.by_id[number]
        place = module.layout.index[field.column_of(field.parts[0])]
        if following.before.get(number) == row[place : place + len(field.parts)]:
            return True
        self._keep(module, row, past.mine.version + 1, field)
        return False

    def _keep(self, module: Module, row: Row, expected: int, field: Field | None = None) -> None:
        """Note that a record stays as it is, because somebody changed it since."""
        record = encode(module.prefix, key_of(row))
        params = {"id": record, "actual": row[VERSION], "expected": expected}
        name = None if field is None else field.name
        self.found.kept.append(Refusal(code="stale", params=params, module=module.name, record=record, field=name))

    def _move(self, module: Module, row: Row, change: JournalChange) -> None:
        deleted = row[DELETED_IN] is not None
        if deleted is not (change.kind is ChangeKind.DELETE) or (deleted and row[DELETED_IN] != change.entry):
            self._keep(module, row, change.version + 1)
            return
        self.found.move(module, row, ChangeKind.RESTORE if deleted else ChangeKind.DELETE)

    # creations ---------------------------------------------------------------------------------------------
    def _take_back_creations(self, entry: Row, own: AbstractSet[Key]) -> None:
        for number, first, last, _ in reversed(read_inserts(entry)):
            module = self._module(number, "it changed the schema")
            if module is None:
                continue
            inside = (Test("id", Operator.GE, first), Test("id", Operator.LE, last))
            rows = self.planner.rows(module, All((*inside, Test("created_in", Operator.EQ, entry[ID]))))
            living = (row for row in rows if row[DELETED_IN] is None and self._sees_made(module, row))
            while block := list(islice(living, BLOCK)):
                self._remove(module, block, own)

    def _sees_made(self, module: Module, row: Row) -> bool:
        """Say whether the user sees a record that was made; one that he does not stays."""
        seen = self._in(module).sees(row)
        if not seen:
            self._stays(module, row)
        return seen

    def _stays(self, module: Module, row: Row) -> None:
        self.found.staying.setdefault(module.id, set()).add(key_of(row))

    def _remove(self, module: Module, rows: list[Row], own: AbstractSet[Key]) -> None:
        linked = self._linked_from(module, [key_of(row) for row in rows], own)
        for row in rows:
            if not self._in(module).deletes(row):
                self._fail(module, key_of(row), "you may not delete it")
            elif row[VERSION] != 1:
                self._keep(module, row, 1)
            elif row[ID] in linked:
                self.found.kept.append(attrs.evolve(linked[row[ID]], record=encode(module.prefix, key_of(row))))
            else:
                self.found.move(module, row, ChangeKind.DELETE)
                continue
            self._stays(module, row)

    def _linked_from(self, module: Module, keys: list[Key], own: AbstractSet[Key]) -> Mapping[object, Refusal]:
        """Give the records to which others link that stay, and what to say of it.

        Of others that the user may not see only that there is something.
        """
        found: dict[object, Refusal] = {}
        for other in self.schema.modules:
            for field in other.fields:
                if module.name in field.targets and other.journalled:
                    found |= self._links(module, other, field, (keys, own))
        return found

    def _links(
        self, module: Module, other: Module, field: Field, wanted: tuple[list[Key], AbstractSet[Key]]
    ) -> dict[object, Refusal]:
        found = self._counted(other, field.column, wanted, ALWAYS)
        if not found:
            return {}
        seen = found
        if not self.planner.policy.reads(other, field):
            seen = {}
        elif not self._in(other).sees_all:
            seen = self._counted(other, field.column, wanted, self.planner.granted(other, Action.VIEW))
        return {target: _referenced(module, other, target, seen.get(target, 0)) for target in found}

    def _counted(
        self, other: Module, column: str, wanted: tuple[list[Key], AbstractSet[Key]], where: Bound
    ) -> dict[object, int]:
        """Give how many living records that fit *where*, and stay, link to each key that is linked to."""
        keys, own = wanted
        names = (column, "id", "version", "created_in", "deleted_in")
        staying = self.found.staying.get(other.id, frozenset[Key]())
        found: dict[object, int] = {}
        for start in range(0, len(keys), _CHUNK):
            linking = All((OneOf(column, tuple(keys[start : start + _CHUNK])), where))
            for batch in self.planner.txn.stream(other, linking, columns=names):
                for target, record, version, made, gone in zip(*batch, strict=True):
                    goes = made in own and version == 1 and record not in staying
                    if gone is None and not goes:
                        found[target] = found.get(target, 0) + 1
        return found

    def _parts(self) -> Iterator[Part]:
        for (number, order), (rows, values) in self.found.sets.items():
            module = self.schema.by_id[number]
            fields = tuple([module.by_id[each] for each in order])
            part = Edits(module, rows, fields, values)
            yield self._fit(part, self.planner.unfit(module, part.changed_rows(), fields=fields, going_back=True))
        for (number, kind), moved in self.found.moves.items():
            part = Edits(self.schema.by_id[number], moved, kind=kind)
            gone = self.planner.unfit(part.module, moved, going_back=True) if kind is ChangeKind.RESTORE else {}
            yield self._fit(part, gone)

    def _fit(self, part: Edits, gone: Mapping[int, Refusal]) -> Edits:
        """Leave out what cannot be set back, because a value is taken by now or a link leads nowhere."""
        prefix = part.module.prefix
        self.found.failed += [
            attrs.evolve(gone[at], record=encode(prefix, key_of(part.rows[at]))) for at in sorted(gone)
        ]
        return attrs.evolve(part, rows=staying(part.rows, gone), after=staying(part.after, gone) if part.after else ())


def _referenced(module: Module, other: Module, target: object, count: int) -> Refusal:
    """Give why a record stays to which others link; *count* of them may be seen."""
    if not count:
        return Refusal(code="out_of_sight", params={"module": module.name}, module=module.name)
    record = encode(module.prefix, int(str(target)))
    params = {"id": record, "count": count, "module": other.name}
    return Refusal(code="referenced", params=params, module=module.name)
