"""Taking an operation back, field by field; what somebody else changed since stays and is named.

A field is set back when it still has the value that the operation gave it.  That value is not in the journal: it is
the value before the next change of the field, or, where there is none, the present one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import attrs

from nubetis.access.decision import Action
from nubetis.model.bind import All, AnyOf, Bound, OneOf, Test
from nubetis.model.fields import Field, FieldState, Operator
from nubetis.model.ids import encode
from nubetis.model.journal import JournalChange, Keeping, keeping, read_change, read_inserts
from nubetis.model.plan import Cause, CauseKind, ChangeKind, Edits, Part, Plan, Refusal
from nubetis.model.schema import CREATED_IN, DELETED_IN, ID, VERSION, Module, Schema, key_of
from nubetis.model.system import CHANGES, ENTRIES
from nubetis.session.planning import Planner
from nubetis.types import Key, Row

if TYPE_CHECKING:
    from nubetis.model.store import Txn

__all__ = ["UndoPlanner", "changes_of_entries", "entries_of", "later_changes"]

_CHUNK = 500


def entries_of(txn: Txn, operation: Key) -> list[Row]:
    """Give the entries of an operation, in order."""
    where = Test("operation", Operator.EQ, operation)
    return [row for batch in txn.stream(ENTRIES, where) for row in zip(*batch, strict=True)]


def changes_of_entries(txn: Txn, entries: Iterable[Row]) -> list[JournalChange]:
    """Give the changes of *entries*, oldest first."""
    keys = [key_of(row) for row in entries]
    found = [
        row
        for start in range(0, len(keys), _CHUNK)
        for batch in txn.stream(CHANGES, OneOf("entry", tuple(keys[start : start + _CHUNK])))
        for row in zip(*batch, strict=True)
    ]
    return sorted(map(read_change, found), key=lambda change: (change.entry, change.key))


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
    """What an undo would do, as it is found out."""

    sets: dict[tuple[int, tuple[int, ...]], list[tuple[Row, Row]]] = attrs.field(factory=dict)
    moves: dict[tuple[int, ChangeKind], list[Row]] = attrs.field(factory=dict)
    kept: list[Refusal] = attrs.field(factory=list)
    failed: list[Refusal] = attrs.field(factory=list)


@attrs.define
class UndoPlanner:
    """Makes the plan that takes *operation* back; ``kept`` are its warnings, ``failed`` its refusals."""

    planner: Planner
    operation: Key
    found: _Findings = attrs.field(factory=_Findings)

    @property
    def schema(self) -> Schema:
        """The schema of the organisation."""
        return self.planner.known.schema

    def plan(self) -> Plan:
        """Give the plan."""
        entries = entries_of(self.planner.txn, self.operation)
        by_module: dict[int, list[JournalChange]] = {}
        for change in changes_of_entries(self.planner.txn, entries):
            by_module.setdefault(change.module, []).append(change)
        for number, changes in by_module.items():
            self._take_back(number, changes)
        for entry in entries:
            self._take_back_creations(entry)
        detail = {"operation": encode("ope", self.operation)}
        parts = tuple([part for part in self._parts() if len(part)])
        return Plan(
            cause=Cause(CauseKind.UNDO, detail),
            parts=parts,
            refusals=tuple(self.found.failed),
            warnings=tuple(self.found.kept),
            undo_of=self.operation,
        )

    # changes -----------------------------------------------------------------------------------------------
    def _take_back(self, number: int, changes: list[JournalChange]) -> None:
        module = self.schema.by_id.get(number)
        if module is None or module.name == "modules":
            self.found.failed.append(
                Refusal(code="undo_foreign", params=_params(self.operation, "the module is gone or a schema"))
            )
            return
        records = list(dict.fromkeys(change.record for change in changes))
        rows = dict(zip(records, self.planner.rows_of(module, records), strict=True))
        may = self.planner.allowed(module, Action.EDIT)
        own: dict[Key, list[JournalChange]] = {}
        for change in changes:
            own.setdefault(change.record, []).append(change)
        entries = {change.entry for change in changes}
        later: dict[Key, list[JournalChange]] = {}
        for change in later_changes(self.planner.txn, module, records, after=min(entries)):
            if change.entry not in entries and change.entry > own[change.record][0].entry:
                later.setdefault(change.record, []).append(change)
        for record, mine in own.items():
            row = rows[record]
            if row is None or not may(row):
                self._fail(module, record, "it is gone" if row is None else "you may not edit it")
            else:
                self._record(module, row, mine, later.get(record, []))

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

    def _record(self, module: Module, row: Row, mine: list[JournalChange], later: list[JournalChange]) -> None:
        moves = [change for change in mine if change.kind in {ChangeKind.DELETE, ChangeKind.RESTORE}]
        if moves:
            self._move(module, row, moves[-1])
        first: dict[int, JournalChange] = {}
        for change in mine:
            first = dict.fromkeys(change.commitment, change) | first
        back = {
            number: change.before[number]
            for number, change in first.items()
            if self._is_known(module, change, number) and self._untouched(module, row, (mine, later), number)
        }
        if back:
            order = tuple(sorted(back))
            values = tuple([cell for number in order for cell in back[number]])
            self.found.sets.setdefault((module.id, order), []).append((row, values))

    def _is_known(self, module: Module, change: JournalChange, number: int) -> bool:
        """Say whether the value before *change* is to be had and the field can take it; note a failure where not."""
        field, kept = module.by_id.get(number), keeping(change, number)
        if field is None:
            reason = "one of its fields is gone for good"
        elif field.state is FieldState.RETIRED:
            reason = "its field is retired"
        elif kept is Keeping.ERASED:
            reason = "what its field held was erased"
        elif kept is Keeping.CHANGED:
            reason = "what the journal says of its field is not what was written: verify it"
        else:
            return True
        self._fail(module, change.record, reason, field)
        return False

    def _untouched(
        self, module: Module, row: Row, changes: tuple[list[JournalChange], list[JournalChange]], number: int
    ) -> bool:
        """Say whether the field still has the value that the operation left; note it as kept where not.

        *changes* are the operation's own and those of others since its first, be it between its transactions.
        """
        mine, later = changes
        field = module.by_id[number]
        place = module.layout.index[field.column_of(field.parts[0])]
        present = row[place : place + len(field.parts)]
        following = [change for change in later if number in change.commitment]
        if not following or following[0].before.get(number) == present:
            return True
        record = encode(module.prefix, key_of(row))
        params = {"id": record, "actual": row[VERSION], "expected": mine[-1].version + 1}
        self.found.kept.append(
            Refusal(code="stale", params=params, module=module.name, record=record, field=field.name)
        )
        return False

    def _move(self, module: Module, row: Row, change: JournalChange) -> None:
        deleted = row[DELETED_IN] is not None
        if deleted is not (change.kind is ChangeKind.DELETE) or (deleted and row[DELETED_IN] != change.entry):
            record = encode(module.prefix, key_of(row))
            params = {"id": record, "actual": row[VERSION], "expected": change.version + 1}
            self.found.kept.append(Refusal(code="stale", params=params, module=module.name, record=record))
            return
        kind = ChangeKind.RESTORE if deleted else ChangeKind.DELETE
        self.found.moves.setdefault((module.id, kind), []).append(row)

    # creations ---------------------------------------------------------------------------------------------
    def _take_back_creations(self, entry: Row) -> None:
        for number, first, last, _ in read_inserts(entry):
            module = self.schema.by_id.get(number)
            if module is None or module.name == "modules":
                self.found.failed.append(
                    Refusal(code="undo_foreign", params=_params(self.operation, "it changed the schema"))
                )
                continue
            inside = (Test("id", Operator.GE, first), Test("id", Operator.LE, last))
            where = All((*inside, Test("created_in", Operator.EQ, entry[ID])))
            rows = list(self.planner.rows(module, where))
            self._remove(module, [row for row in rows if row[DELETED_IN] is None])

    def _remove(self, module: Module, rows: list[Row]) -> None:
        may = self.planner.allowed(module, Action.DELETE)
        linked = self._linked_from(module, [key_of(row) for row in rows], {row[CREATED_IN] for row in rows})
        for row in rows:
            record = encode(module.prefix, key_of(row))
            if not may(row):
                self._fail(module, key_of(row), "you may not delete it")
            elif row[VERSION] != 1:
                params = {"id": record, "actual": row[VERSION], "expected": 1}
                self.found.kept.append(Refusal(code="stale", params=params, module=module.name, record=record))
            elif row[ID] in linked:
                params = {"id": record, "count": linked[row[ID]][1], "module": linked[row[ID]][0]}
                self.found.kept.append(Refusal(code="referenced", params=params, module=module.name, record=record))
            else:
                self.found.moves.setdefault((module.id, ChangeKind.DELETE), []).append(row)

    def _linked_from(self, module: Module, keys: list[Key], entries: set[object]) -> Mapping[object, tuple[str, int]]:
        """Give the records that others link to, other than those made in the same transactions."""
        found: dict[object, tuple[str, int]] = {}
        for other in self.schema.modules:
            for field in other.fields:
                if module.name in field.targets and other.journalled:
                    self._count_links(other, field.column, keys, entries, found)
        return found

    def _count_links(
        self,
        other: Module,
        column: str,
        keys: list[Key],
        entries: set[object],
        found: dict[object, tuple[str, int]],
    ) -> None:
        for start in range(0, len(keys), _CHUNK):
            where: Bound = All((AnyOf((OneOf(column, tuple(keys[start : start + _CHUNK])),)),))
            for targets, made, gone in self.planner.txn.stream(
                other, where, columns=(column, "created_in", "deleted_in")
            ):
                for target, entry, deleted in zip(targets, made, gone, strict=True):
                    if deleted is None and entry not in entries:
                        found[target] = (other.name, found.get(target, ("", 0))[1] + 1)

    def _parts(self) -> Iterable[Part]:
        for (number, order), pairs in self.found.sets.items():
            module = self.schema.by_id[number]
            fields = tuple([module.by_id[each] for each in order])
            part = Edits(module, [row for row, _ in pairs], fields, [cells for _, cells in pairs])
            yield self._fit(part, self.planner.unfit(module, part.changed_rows(), fields=fields, going_back=True))
        for (number, kind), rows in self.found.moves.items():
            part = Edits(self.schema.by_id[number], rows, kind=kind)
            gone = self.planner.unfit(part.module, rows, going_back=True) if kind is ChangeKind.RESTORE else {}
            yield self._fit(part, gone)

    def _fit(self, part: Edits, gone: Mapping[int, Refusal]) -> Edits:
        """Leave out what cannot be set back, because a value is taken by now or a link leads nowhere."""
        prefix = part.module.prefix
        self.found.failed += [
            attrs.evolve(gone[at], record=encode(prefix, key_of(part.rows[at]))) for at in sorted(gone)
        ]
        keep = [at for at in range(len(part)) if at not in gone]
        after = [part.after[at] for at in keep] if part.after else ()
        return attrs.evolve(part, rows=[part.rows[at] for at in keep], after=after)


def _params(operation: Key, reason: str) -> dict[str, object]:
    return {"id": encode("ope", operation), "reason": reason}
