"""Moving an organisation from one store to another, of whatever kinds they are.

One read unit of the source is one snapshot, so writers go on there.  Each module is streamed into one bulk load of the
target: no more than some thousand rows are held at once, and of those with bytes one.  Rows of the journal, of seals,
of ledgers and of blobs are copied as they are, counters (the leases of node numbers among them) go on from where they
stood.  Tallies and twins are derived, so the target makes its own.

The source is read to its end before anything is made: of one that is damaged nothing is copied, and the target is as
it was.  A file is made beside its place, which it takes when the copy is whole, so what was there is there until then.

Nothing is an organisation whose schema version is 0.  The target has it until all is there and has been compared, so
one that an interruption left is never taken for whole: it refuses to open, and the copy is made again with *replace*.

The content hash
----------------
The sum of a module is BLAKE2b over its rows in key order, each as a JSON array of its stored cells with a comma after
it, bytes as base64; the content hash is BLAKE2b over (number, rows, sum) of each module in the order of their numbers,
and the versions.  It says nothing of what a store keeps for itself, so all stores give the same.  Counters are compared
beside it: opening an organisation takes a node number, and does not change its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from secrets import token_hex
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.backends.urls import shown
from nubetis.errors import Conflict, Damaged, InvalidValue, NotFound, NubetisError, StoreError
from nubetis.model.cells import json_of
from nubetis.model.fields import Storage
from nubetis.model.schema import Schema, diff, key_of
from nubetis.model.store import Batch, Columns, Guard, Removals, Updates
from nubetis.model.system import COUNTERS, MODULES, TALLIES, VERSIONS
from nubetis.types import Key, ModuleId

if TYPE_CHECKING:
    from nubetis.model.schema import Module
    from nubetis.model.store import Store, Txn
    from nubetis.types import Progress, Row

__all__ = ["Copied", "ReadSchema", "content_hash", "copy_into_file", "copy_out", "copy_store", "require_room"]

ReadSchema: TypeAlias = Callable[["Txn"], Schema]
"""Gives the modules that a transaction sees, by their definitions."""

_Sums: TypeAlias = dict[ModuleId, tuple[int, str]]
"""Module → rows and their sum."""

_OWN: Final = (VERSIONS, COUNTERS, TALLIES)
"""What is not copied row by row: the store keeps it in its own way."""
_LOT: Final = 512
"""Rows read at once."""
_OF_DAMAGE: Final = frozenset({"damaged", "store_failed"})
"""What is said of a store whose tables are not what they must be."""
_PASSES: Final = 3
"""Each row is read, then written, then compared."""


@attrs.frozen(kw_only=True)
class Copied:
    """What a copy holds: its *rows*, those of the journal and of ledgers too, and their content hash."""

    rows: int
    content: str


def copy_store(source: Store, target: Store, read_schema: ReadSchema, *, progress: Progress | None = None) -> Copied:
    """Make *target* hold what *source* holds; whatever it held is lost, see :func:`require_room`.

    All of *source* is read before anything of *target* is changed.

    Raises:
        StoreError: ``no_capability``, a module has more columns than the target can hold; ``not_replaced``, something
            stands there that nobody of nubetis made; those of both stores.
        Damaged: ``miscopied``; what arrived is not what was sent.
    """

    def unit(txn: Txn) -> Copied:
        run = _Copy(txn, target, read_schema(txn), progress or _silent)
        target.capabilities.refuse_excess(run.schema.modules)
        run.read_all()
        target.clear(_known(target, read_schema))  # also what an earlier run of this unit left
        return run.run()

    return source.read(unit)


def require_room(source: Store, target: Store, url: str, *, replace: bool) -> bool:
    """Stop where *target*, at *url*, holds something that is not to be replaced, or is the *source* itself.

    Say whether nothing is there.  What is to be replaced may be damaged: nothing is asked of it.

    Raises:
        Conflict: ``database_exists``.
        StoreError: ``half_made``.
        InvalidValue: ``bad_argument``; both are the same store.
    """
    if _is_empty(target, replace=replace):
        return True
    if not replace:
        whole = target.read(lambda txn: txn.versions()).schema
        raise Conflict("database_exists", url=url) if whole else StoreError("half_made", url=url)
    if _are_the_same(source, target):
        raise InvalidValue("bad_argument", argument="target", reason="it is the organisation that is to be copied")
    return False


def _is_empty(target: Store, *, replace: bool) -> bool:
    try:
        return target.format() is None
    except Damaged:
        if not replace:
            raise
        return False


def copy_out(
    source: Store, target: str, read_schema: ReadSchema, *, fence: Callable[[Txn], object] | None = None
) -> None:
    """Write a copy to the SQLite file *target*, which must not be there; it is whole, or not there at all.

    *fence* looks first, at what is copied, as in :meth:`~nubetis.model.store.Store.snapshot`.

    Raises:
        StoreError: ``unwritable``.
    """
    from nubetis.backends.sql import refuse_taken  # the one door of a heavy library

    def looked(txn: Txn) -> Schema:
        if fence is not None:
            fence(txn)
        return read_schema(txn)

    refuse_taken(target)
    _make_file(source, f"sqlite:///{target}", looked, _silent)


def copy_into_file(
    source: Store, url: str, read_schema: ReadSchema, *, replace: bool = False, progress: Progress | None = None
) -> Copied:
    """Copy *source* to the SQLite file at *url*; what was there is as it was until the copy is whole.

    Raises:
        Conflict: ``database_exists``.
        StoreError: ``half_made``, ``no_folder``; those of :func:`copy_store`.
        InvalidValue: ``bad_argument``; both are the same store.
    """
    from nubetis.backends.sql import open_sqlite  # the one door of a heavy library

    with suppress(NotFound), closing(open_sqlite(url, create=False)) as there:
        if not require_room(source, there, shown(url), replace=replace):
            with suppress(Damaged):  # nobody knows what others have put into it
                there.refuse_others(_known(there, read_schema))
    return _make_file(source, url, read_schema, progress)


def _make_file(source: Store, url: str, read_schema: ReadSchema, progress: Progress | None) -> Copied:
    from nubetis.backends.sql import open_sqlite, put_in_place  # the one door of a heavy library

    with put_in_place(url) as made, closing(open_sqlite(made, create=True)) as file:
        return copy_store(source, file, read_schema, progress=progress)


def content_hash(txn: Txn, schema: Schema) -> str:
    """Give the content hash of what *txn* sees, the same in every store."""
    return _joined(txn, {module.id: _sum_of(txn, module, _silent_lot) for module in _copied(schema)})


def _silent(_done: int, _total: int | None) -> None:
    """Tell nobody."""


def _silent_lot(_rows: int) -> None:
    """Tell nobody."""


# -- sums -------------------------------------------------------------------------------------------------------------
def _copied(schema: Schema) -> list[Module]:
    """Give the modules whose rows are copied; the definitions first, by which a half copy is known."""
    chosen = [module for module in schema.modules if module.id not in {own.id for own in _OWN}]
    return sorted(chosen, key=lambda module: (module.id != MODULES.id, module.id))


def _batches(txn: Txn, module: Module) -> Iterator[Columns]:
    heavy = any(column.storage is Storage.BYTES for column in module.layout.columns)
    return txn.stream(module, size=1 if heavy else _LOT)


def _sum_of(txn: Txn, module: Module, told: Callable[[int], None]) -> tuple[int, str]:
    """Give the number of rows and their sum."""
    count, hasher = 0, hashlib.blake2b(digest_size=16)
    for batch in _batches(txn, module):
        rows: list[Row] = list(zip(*batch, strict=True))
        hasher.update(json.dumps(rows, default=json_of, separators=(",", ":"))[1:-1].encode() + b",")
        count += len(rows)
        told(len(rows))
    return count, hasher.hexdigest()


def _joined(txn: Txn, sums: _Sums) -> str:
    versions = attrs.astuple(txn.versions())
    text = json.dumps([[number, *sums[number]] for number in sorted(sums)] + [list(versions)])
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _counters(txn: Txn) -> dict[str, int]:
    name, value = COUNTERS.layout.index["name"], COUNTERS.layout.index["value"]
    rows = [row for batch in txn.stream(COUNTERS) for row in zip(*batch, strict=True)]
    return {str(row[name]): int(row[value] or 0) for row in rows if row[value]}


# -- copying ----------------------------------------------------------------------------------------------------------
class _UnsentError(Exception):
    """The source could not be read: *why*."""

    def __init__(self, why: Exception) -> None:
        super().__init__(why)
        self.why = why


@attrs.define
class _Copy:
    """One run: from the snapshot that *txn* sees into *target*, which is empty."""

    txn: Txn
    target: Store
    schema: Schema
    progress: Progress
    done: int = 0
    total: int = 0
    sums: _Sums = attrs.field(factory=dict)
    counters: dict[str, int] = attrs.field(factory=dict)

    def read_all(self) -> None:
        """Read the source to its end, and change nothing."""
        modules = _copied(self.schema)
        self.total = _PASSES * sum([self.txn.count(module) for module in modules])
        self.sums = {module.id: _sum_of(self.txn, module, self._told) for module in modules}
        self.counters = _counters(self.txn)

    def run(self) -> Copied:
        """Copy, compare, and only then let it be an organisation."""
        self.target.migrate(diff(Schema(), self.schema), self.schema)
        for module in _copied(self.schema):
            self._load(module)
        self._write(Batch(guards=tuple([Guard(counter=name, delta=value) for name, value in self.counters.items()])))
        self.target.read(self._compare)
        versions = attrs.astuple(self.txn.versions())
        self._write(Batch(parts=(Updates(VERSIONS, ("schema", "access", "settings"), [Key(1)], [versions]),)))
        return Copied(rows=self.total // _PASSES, content=_joined(self.txn, self.sums))

    def _load(self, module: Module) -> None:
        before = self.done

        def unit(txn: Txn) -> None:
            self.done = before  # where the target runs the unit again, the rows are read again
            txn.bulk_load(module, self._sent(module))

        try:
            self.target.write(unit)
        except _UnsentError as error:
            raise error.why from None  # in the unit of the source, which knows what it says

    def _sent(self, module: Module) -> Iterator[Row]:
        """Give the rows of the source; what stops their reading is no fault of the target."""
        batches = _batches(self.txn, module)
        while batch := self._next(batches):
            self._told(len(batch))
            yield from batch

    def _next(self, batches: Iterator[Columns]) -> list[Row]:
        try:
            return list(zip(*next(batches, ()), strict=True))
        except Exception as error:
            raise _UnsentError(error) from error

    def _told(self, rows: int) -> None:
        self.done += rows
        self.progress(self.done, self.total)

    def _compare(self, txn: Txn) -> None:
        for module in _copied(self.schema):
            if _sum_of(txn, module, self._told) != self.sums[module.id]:
                raise Damaged("miscopied", module=module.name)
        if _counters(txn) != self.counters:
            raise Damaged("miscopied", module=COUNTERS.name)

    def _write(self, batch: Batch) -> None:
        assert self.target.write(lambda txn: txn.write(batch)).written  # noqa: S101 - nobody else writes there


# -- what was there before --------------------------------------------------------------------------------------------
def _are_the_same(source: Store, target: Store) -> bool:
    """Say whether both are one store, whatever their URLs: what is written to one is seen in the other."""
    name = f"copy {token_hex(8)}"
    try:
        target.write(lambda txn: txn.write(Batch(guards=(Guard(counter=name, delta=1),))))
    except StoreError as error:
        if error.code in _OF_DAMAGE:  # the source is read to its end, so it is another
            return False
        raise
    same = name in source.read(_counters)

    def take_back(txn: Txn) -> None:
        index = COUNTERS.layout.index["name"]
        rows = [row for batch in txn.stream(COUNTERS) for row in zip(*batch, strict=True)]
        txn.write(Batch(parts=(Removals(COUNTERS, [key_of(row) for row in rows if row[index] == name]),)))

    target.write(take_back)
    return same


def _known(target: Store, read_schema: ReadSchema) -> tuple[Module, ...]:
    """Give the modules of the organisation that was there, as far as it knows them still."""
    try:
        return target.read(read_schema).modules
    except NubetisError:
        return ()
