"""Subject access: all that is kept of one person, in one JSON document, as far as the user may read it.

What is given
-------------
* the **record** of the person, of whatever module, in the recycle bin or not, with its retired fields; where it was
  purged, what the journal still has of it;
* the records **merged** into it, and into those, which lie in the bin since (a merge that was undone counts no more);
* the records **linked** to one of these: of every module, in the bin or not, those with a field that leads there,
  other than ``owner``, ``created_by`` and ``modified_by``, which say who works with a record and not whom it is about.
  Records that the person's own lead to (a company), and what is linked to linked records, are named by id and not
  given: they are about others;
* the **history** of each of these: every value that the journal still has;
* the **files** that their fields lead to, or led to;
* of a **user**, besides, the operations done, with what was noted of the sign-in, which is for him and administrators.

Fields that the user may not read, and records that he may not export, are left out: let an administrator do it.  Of
himself everybody may have all that he may see.  What a
stopped operation still has to write is not given: resume it, or undo it, first.

The document
------------
The same bytes for the same records and clock; no locale.  Keys that have nothing to say are absent::

    {"format": 1, "organisation": TEXT, "made_at": INSTANT, "made_by": ID, "subject": ID,
     "records": [{"id": ID, "module": TEXT, "because": "subject" | "merged" | {"links": FIELD, "to": ID},
                  "state": "live" | "bin" | "purged", "version": NUMBER, "created_at": INSTANT, "created_by": ID,
                  "modified_at": INSTANT, "modified_by": ID, "values": {FIELD: VALUE},
                  "history": [{"at": INSTANT, "kind": TEXT, "operation": ID, "cause": TEXT, "by": ID,
                               "before": {FIELD: VALUE}}]}],
     "operations": [{"id": ID, "at": INSTANT, "cause": TEXT, "sign_in": {…}}],
     "modules": {MODULE: {"label": TEXT, "fields": {FIELD: {"label": TEXT, "type": TEXT, "personal": true,
                                                            "consent": true, "retired": true}}}},
     "files": [{"hash": HASH, "size": NUMBER, "base64": TEXT | "path": PATH | "missing": true}]}

A VALUE is a truth, a whole number, a list of texts, a text as ``nubetis export`` writes it, an object of parts
(addresses, names, and of a file ``hash``, ``name``, ``size`` and ``media_type``), or ``{"base64": TEXT}``.  A history
is newest first; a field in it that was dropped from the schema is ``"#"`` and its number, with what was stored of it.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, TypeAlias, cast

import attrs

from nubetis.access.decision import Action
from nubetis.data.files.target import replacing
from nubetis.errors import Damaged, NotFound, StoreError, system_reason
from nubetis.model.bind import All, Bound, OneOf, Test
from nubetis.model.blobs import BlobHash
from nubetis.model.cells import base64_of
from nubetis.model.fields import Field, FieldState, Operator, Value
from nubetis.model.filters import EVERYTHING
from nubetis.model.formats import ISO
from nubetis.model.ids import decode, encode
from nubetis.model.journal import JournalChange
from nubetis.model.kinds.files import FILE_TYPES
from nubetis.model.plan import CauseKind, Operation
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module, key_of
from nubetis.model.system import ENTRIES, OPERATIONS
from nubetis.session.past import operation_of, told_of
from nubetis.session.spool import room, scratch
from nubetis.session.undoing import later_changes
from nubetis.types import Json, Key, RecordId, Row, Stored

if TYPE_CHECKING:
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["FORMAT", "SubjectReport", "export_subject", "merged_into"]

FORMAT: Final = 1
"""The version of the document."""

_WORKERS: Final = frozenset({"owner", "created_by", "modified_by"})
_HEAD: Final = ("created_at", "created_by", "modified_at", "modified_by")
_EXACT: Final = 2**53
_NAME: Final = "subject.json"
_IN_MEMORY: Final = 1 << 20

Keep: TypeAlias = Callable[[BlobHash, bytes], dict[str, Json]]
"""Puts a file somewhere and says where."""


@attrs.frozen(kw_only=True)
class SubjectReport:
    """What was given: how many *records*, *changes* of them, *files*; and the ids of files that were *missing*."""

    subject: RecordId
    records: int
    changes: int
    files: int
    missing: tuple[str, ...] = ()


def export_subject(
    session: Session, record: str | Record, target: str | os.PathLike[str] | IO[bytes], *, replace: bool = False
) -> SubjectReport:
    """Write all that is kept of the person whose *record* this is to an open binary file, or into a folder.

    A stream gets one document with the files in it.  A folder, which is made where it is missing, gets
    ``subject.json``, written whole or not at all, and each file under its hash in ``files/``; a ``subject.json`` that
    is there already gives way only where *replace* says so.  Records and history
    are read on one snapshot, files after it: do not call this inside a unit.  Memory: one record with its history, or
    one file, at a time.

    Cost: an indexed query for each link field that leads to the module where it is indexed, a scan of its module
    otherwise; the merges in the journal are read.

    Raises:
        NotFound: there was never such a record, or the user may not see it.
        AccessDenied: he may not export it.
        StoreError: ``unwritable``; ``no_temporary``, the document has no room on its way.
    """
    folder = Path(target) if isinstance(target, str | os.PathLike) else None
    if folder is not None and not replace:
        _refuse_existing(folder / _NAME)
    name = record.id if isinstance(record, Record) else record
    with scratch(_IN_MEMORY) as kept:

        def work() -> _Subject:
            kept.seek(0)  # the store may have to run this again
            kept.truncate()
            subject = _Subject.of(session.state, name)
            subject.write(kept)
            kept.seek(0)  # and so all of it is written
            return subject

        with room():
            subject = session.state.read(work)
        if folder is not None:
            return _into_folder(subject, kept, folder)
        return _finish(subject, kept, cast("BinaryIO", target), _inline)


def _refuse_existing(document: Path) -> None:
    if os.path.lexists(document):
        reason = "it is there already: say replace=True, or --replace, to write it anew"
        raise StoreError("unwritable", file=str(document), reason=reason)


def _into_folder(subject: _Subject, kept: BinaryIO, folder: Path) -> SubjectReport:
    """Write the document and its files; where that fails, what was begun goes."""

    def keep(file: BlobHash, data: bytes) -> dict[str, Json]:
        path = folder / "files" / file
        _make(path.parent, until_whole)
        if not path.exists():
            until_whole.callback(path.unlink, missing_ok=True)
        path.write_bytes(data)
        return {"path": f"files/{file}"}

    with ExitStack() as until_whole:
        try:
            _make(folder, until_whole)
            with replacing(folder / _NAME) as sink:
                report = _finish(subject, kept, sink, keep)
        except OSError as error:
            raise StoreError("unwritable", file=str(folder), reason=system_reason(error)) from None
        until_whole.pop_all()
    return report


def _make(folder: Path, until_whole: ExitStack) -> None:
    """Make a folder where there is none."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        until_whole.callback(_unmake, each)
    folder.mkdir(parents=True, exist_ok=True)


def _unmake(folder: Path) -> None:
    with suppress(OSError):  # somebody else has put something there
        folder.rmdir()


def _finish(subject: _Subject, kept: BinaryIO, sink: BinaryIO, keep: Keep) -> SubjectReport:
    """Write what was *kept* of the document to *sink*, and then the files."""
    shutil.copyfileobj(kept, sink)
    missing: list[str] = []
    sink.write(b',\n"files": ')
    files = _array(sink, (subject.file(each, keep, missing) for each in subject.files))
    sink.write(b"}\n")
    return SubjectReport(
        subject=subject.first.id,
        records=subject.records,
        changes=subject.changes,
        files=files,
        missing=tuple(missing),
    )


def _inline(_: BlobHash, data: bytes) -> dict[str, Json]:
    return {"base64": base64_of(data)}


# -- what belongs to the person ---------------------------------------------------------------------------------------
@attrs.frozen
class _Found:
    """One record that belongs to the person, and why; *row* is ``None`` where it was purged."""

    module: Module
    key: Key
    row: Row | None
    because: Json

    @property
    def id(self) -> RecordId:
        """The record's id."""
        return encode(self.module.prefix, self.key)


@attrs.define
class _Subject:
    """Finds what belongs to one person and writes it, in one transaction."""

    state: State
    first: _Found
    action: Action
    modules: dict[str, Module] = attrs.field(factory=dict)
    files: dict[BlobHash, None] = attrs.field(factory=dict)
    records: int = 0
    changes: int = 0

    @classmethod
    def of(cls, state: State, name: str) -> _Subject:
        """Find the person's record, or what is left of it."""
        module, key = state.known.module_of(name)
        row = state.txn.get_many(module, [key])[0]
        if row is None:
            left = bool(later_changes(state.txn, module, [key], after=Key(0)))
            seen = left and state.policy.grant(Action.VIEW, module) == EVERYTHING
        else:
            seen = state.planner().allowed(module, Action.VIEW)(row)
        if not seen:
            raise NotFound("not_found", id=name, module=module.name)
        own = (module.name, key) == ("users", state.user)
        action = Action.VIEW if own else Action.EXPORT  # what is kept of oneself one may always have
        state.planner().require(action, module)
        return cls(state, _Found(module, key, row, "subject"), action)

    def found(self) -> Iterator[_Found]:
        """Give the records: the person's own, those merged into it, those linked to one of them, each once."""
        own = [self.first, *self._merged()]
        yield from own
        given = {(each.module.id, each.key) for each in own}
        for each in self._linked([each.key for each in own]):
            if (each.module.id, each.key) not in given:
                given.add((each.module.id, each.key))
                yield each

    def _merged(self) -> list[_Found]:
        """Give what was merged into the person's record, and into that."""
        module = self.first.module
        rows = merged_into(self.state, module, self.first.key)
        return [_Found(module, key, row, "merged") for key, row in rows.items()]

    def _linked(self, keys: Sequence[Key]) -> Iterator[_Found]:
        """Give the records with a link to one of *keys*, module by module, field by field, in id order."""
        for module in self.state.known.schema.modules:
            for field in self._links(module) if self._sees(module) else ():
                may = self.state.planner().allowed(module, self.action)
                for row in self.state.planner().rows(module, _leads(field, self.first.module, keys)):
                    if may(row):
                        to = encode(self.first.module.prefix, Key(int(row[module.layout.index[field.column]] or 0)))
                        yield _Found(module, key_of(row), row, {"links": str(field.name), "to": str(to)})

    def _links(self, module: Module) -> Iterator[Field]:
        """Give the fields of *module*, retired ones too, by which a record tells the user that it is about one."""
        for field in module.all_fields:
            about = self.first.module.name in field.targets and field.name not in _WORKERS and not field.system
            if about and self.state.policy.reads(module, field):
                yield field

    def _sees(self, module: Module) -> bool:
        return module.journalled and self.state.policy.gate(self.action, module).matched

    # writing -----------------------------------------------------------------------------------------------
    def write(self, sink: BinaryIO) -> None:
        """Write the document up to its files."""
        sink.write(_bytes(self._head())[:-1] + b',\n"records": ')
        self.records = _array(sink, map(self._record, self.found()))
        sink.write(b',\n"operations": ')
        _array(sink, self._operations())
        sink.write(b',\n"modules": ' + _bytes({name: self._module(each) for name, each in self.modules.items()}))

    def _head(self) -> dict[str, Json]:
        return {
            "format": FORMAT,
            "organisation": str(self.state.known.settings.get("name", "")),
            "made_at": _instant(self.state.world.now()),
            "made_by": self.state.user_id,
            "subject": str(self.first.id),
        }

    def _record(self, found: _Found) -> dict[str, Json]:
        module, row = found.module, found.row
        self.modules[module.name] = module
        said: dict[str, Json] = {"id": str(found.id), "module": str(module.name), "because": found.because}
        if row is None:
            said["state"] = "purged"
        else:
            record = Record(module, row)
            said |= {"state": "live" if row[DELETED_IN] is None else "bin", "version": record.version}
            said |= {name: _said(module.field(name), record[name]) for name in _HEAD if record[name] is not None}
            said["values"] = self._values(module, {field.id: _cells(module, field, row) for field in _own(module)})
        return {**said, "history": self._history(module, found.key)}

    def _values(self, module: Module, cells: Mapping[int, Row]) -> dict[str, Json]:
        said: dict[str, Json] = {}
        for number, parts in cells.items():
            field = module.by_id.get(number)
            if field is None:
                gone = self.state.policy.grant(Action.VIEW, module) == EVERYTHING
                said |= {f"#{number}": list(map(_stored, parts))} if gone else {}
            elif self.state.policy.reads(module, field) and any(part is not None for part in parts):
                said[field.name] = self._value(field, parts)
        return said

    def _value(self, field: Field, parts: Row) -> Json:
        if field.type.name in FILE_TYPES and parts[0] is not None:
            self.files[BlobHash(str(parts[0]))] = None
        return _said(field, field.type.unpack(field, parts))

    def _history(self, module: Module, key: Key) -> list[Json]:
        changes = later_changes(self.state.txn, module, [key], after=Key(0))
        self.changes += len(changes)
        entries = _entries(self.state, {change.entry for change in changes})
        return [self._change(module, change, entries[change.entry]) for change in reversed(changes)]

    def _change(self, module: Module, change: JournalChange, entry: tuple[str, Operation]) -> dict[str, Json]:
        at, operation = entry
        said: dict[str, Json] = {"at": at, "kind": change.kind.value, "operation": str(operation.id)}
        said |= {"cause": operation.cause.kind.value, "by": operation.actor}
        return {**said, "before": self._values(module, change.before)}

    def _operations(self) -> Iterator[dict[str, Json]]:
        if self.first.module.name != "users":
            return
        for row in self.state.planner().rows(OPERATIONS, Test("actor", Operator.EQ, self.first.key)):
            done = told_of(self.state, operation_of(row))
            at = None if done.started_at is None else _instant(done.started_at)
            signed: dict[str, Json] = {"sign_in": dict(done.sign_in)} if done.sign_in else {}
            yield {"id": str(done.id), "at": at, "cause": done.cause.kind.value, **signed}

    def _module(self, module: Module) -> dict[str, Json]:
        read = [field for field in _own(module) if self.state.policy.reads(module, field)]
        return {"label": module.label, "fields": {str(field.name): _marks(field) for field in read}}

    def file(self, file: BlobHash, keep: Keep, missing: list[str]) -> dict[str, Json]:
        """Say where *keep* puts a file; note one that is not to be had as *missing*."""
        try:
            data = self.state.world.extensions.blob_stores()(self.state.world.store).get(file)
        except (NotFound, Damaged):
            missing.append(str(file))
            return {"hash": str(file), "missing": True}
        return {"hash": str(file), "size": len(data), **keep(file, data)}


def merged_into(state: State, module: Module, key: Key) -> dict[Key, Row]:
    """Give the records in the recycle bin that were merged into *key*, and into those, as far as they may be seen."""
    merges = _merges(state)
    rows: dict[Key, Row] = {}
    wanted = [key]
    while wanted:
        asked = merges.get(str(encode(module.prefix, wanted.pop())), {})
        keys = [each for prefix, each in map(decode, asked) if prefix == module.prefix and each not in rows]
        found = [row for row in state.planner().rows_of(module, keys) if row is not None]
        gone = {key_of(row): row for row in found if _went(state, row, asked[encode(module.prefix, key_of(row))])}
        rows |= gone
        wanted += gone
    may = state.planner().allowed(module, Action.VIEW)
    return {each: row for each, row in rows.items() if may(row)}


def _went(state: State, row: Row, operations: Collection[Key]) -> bool:
    """Say whether one of *operations* put a record into the bin where it lies."""
    entry = Key(int(row[DELETED_IN] or 0))
    return any(done.key in operations for _, done in _entries(state, [entry]).values())


def _merges(state: State) -> dict[str, dict[str, list[Key]]]:
    """Give, for each record that others were merged into, those, and by which operations."""
    found: dict[str, dict[str, list[Key]]] = {}
    for row in state.planner().rows(OPERATIONS, Test("cause", Operator.EQ, CauseKind.MERGE.value)):
        detail = operation_of(row).cause.detail
        losers = detail.get("losers")
        for loser in losers if isinstance(losers, list) else ():
            found.setdefault(str(detail.get("master")), {}).setdefault(str(loser), []).append(key_of(row))
    return found


def _leads(field: Field, target: Module, keys: Sequence[Key]) -> Bound:
    there = OneOf(field.column, tuple(keys))
    if len(field.targets) == 1:
        return there
    return All((there, Test(field.column_of(field.parts[1]), Operator.EQ, target.prefix)))


def _entries(state: State, keys: Iterable[Key]) -> dict[Key, tuple[str, Operation]]:
    """Give instant and operation of journal entries."""
    place = ENTRIES.layout.index
    rows = [row for row in state.planner().rows_of(ENTRIES, sorted(keys)) if row is not None]
    numbers = sorted({Key(int(row[place["operation"]] or 0)) for row in rows})
    found = zip(numbers, state.planner().rows_of(OPERATIONS, numbers), strict=True)
    done = {number: operation_of(row) for number, row in found if row is not None}
    return {key_of(row): (str(row[place["at"]]), done[Key(int(row[place["operation"]] or 0))]) for row in rows}


# -- how it is said ---------------------------------------------------------------------------------------------------
def _array(sink: BinaryIO, items: Iterable[Json]) -> int:
    """Write *items* one by one; give their number."""
    count = 0
    sink.write(b"[")
    for count, item in enumerate(items, start=1):
        sink.write((b",\n" if count > 1 else b"\n") + _bytes(item))
    sink.write(b"]")
    return count


def _bytes(said: Json) -> bytes:
    return json.dumps(said, ensure_ascii=False).encode()


def _instant(value: datetime) -> str:
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _own(module: Module) -> list[Field]:
    """Give the fields that people fill in, retired ones too."""
    return [field for field in module.all_fields if not field.system]


def _cells(module: Module, field: Field, row: Row) -> Row:
    start = module.layout.index[field.column_of(field.parts[0])]
    return row[start : start + len(field.parts)]


def _marks(field: Field) -> dict[str, Json]:
    marks = {"personal": field.personal, "consent": field.consent, "retired": field.state is FieldState.RETIRED}
    return {"label": field.label, "type": field.type.name, **{name: True for name, held in marks.items() if held}}


def _said(field: Field, value: Value) -> Json:
    """Give a value as the document says it."""
    match value:
        case None | bool():
            return value
        case int() if abs(value) <= _EXACT:
            return value
        case tuple():
            return [str(each) for each in value]
        case bytes():
            return _stored(value)
        case datetime():
            return _instant(value)
        case _:
            return _shown(field, value)


def _shown(field: Field, value: Value) -> Json:
    if len(field.parts) > 1 and (field.type.name in FILE_TYPES or all(part.text for part in field.parts)):
        said = attrs.asdict(value)
        return {name: each for name, each in said.items() if each is not None}
    return field.type.show(field, value, ISO)


def _stored(part: Stored) -> Json:
    return {"base64": base64_of(part)} if isinstance(part, bytes) else part
