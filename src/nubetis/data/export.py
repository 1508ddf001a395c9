"""Writing records to a file: streamed, in id order, the same bytes for the same records."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

import attrs

from nubetis.data.files import BUILT_IN, Batch, FileFormat
from nubetis.data.files.target import flows, replacing, target_suffix
from nubetis.data.parts import Named, named, parts_of
from nubetis.errors import AccessDenied, names_or_all
from nubetis.model.fields import Field, Storage, Value
from nubetis.model.filters import EVERYTHING, Filter
from nubetis.model.formats import ISO, Formats
from nubetis.model.money import Money
from nubetis.model.schema import Module

if TYPE_CHECKING:
    from typing_extensions import Buffer

    from nubetis.data.cells import Cell
    from nubetis.model.door import Reader

__all__ = ["Manifest", "export", "export_fields"]

_FIRST: Final = ("id", "version")
_BATCH: Final = 2048


@attrs.frozen(kw_only=True)
class Manifest:
    """What was exported: which *columns* of which records, how many, and the SHA-256 of what was written.

    *hash* is that of the file before it is packed by ``.gz``.
    """

    module: str
    where: Filter
    columns: tuple[str, ...]
    count: int
    hash: str


def export_fields(module: Module) -> tuple[str, ...]:
    """Give the fields that an export has unless told otherwise: id and version, then all that can be loaded again."""
    own = [name for name, slot in module.layout.slots.items() if not slot.field.system and _can_say(slot.field)]
    return (*_FIRST, *own)


def _can_say(field: Field) -> bool:
    return all(part.storage is not Storage.BYTES for part in field.parts)


def export(
    door: Reader, target: str | os.PathLike[str] | IO[bytes], *, module: str, where: Filter = EVERYTHING,
    fields: Sequence[str] | None = None, formats: Formats = ISO, file_format: str | FileFormat | None = None,
) -> Manifest:  # fmt: skip
    """Write the records of *module* that fit *where* to a path or an open binary file.

    The suffix says the kind of file; ``.gz`` after it packs; a pipe or a device without one gets CSV.  A path is
    replaced whole or not at all.  Columns are named by field, those of an address by field and part
    (``address.city``), and *fields* may name either; values are written by *formats*.  What money of another currency
    is worth in the organisation's own stands in a column beside it (``amount.home``).

    Raises:
        AccessDenied: the user's profile does not permit it.
        NotFound: ``unknown_module``, ``unknown_field``.
        InvalidFilter: *where* does not fit the module.
        InvalidValue: ``bad_argument``, *fields* is empty; ``unknown_format``; ``bad_text``, the file format cannot
            say a value.
        StoreError: ``unwritable``.
    """
    found = door.schema.module(module)
    if not door.can("export", module):
        raise AccessDenied("denied", user="This user", action="export", module=module)
    names = names_or_all(fields, argument="fields", expected="names of fields") or export_fields(found)
    own = door.currency
    columns = {each.name: each for name in names for each in _columns(named(found, name), formats, own)}
    wanted = _Wanted(module, where, list(columns.values()))
    if not isinstance(target, str | os.PathLike):
        return _write(door, wanted, _kind(file_format or "csv"), cast("BinaryIO", target))
    path = Path(target)
    suffix = target_suffix(path) or (".csv" if flows(path) else "")
    kind = _kind(file_format) if file_format else BUILT_IN.for_suffix(suffix, file=str(path))
    with replacing(path) as sink:
        return _write(door, wanted, kind, sink)


def _kind(given: str | FileFormat) -> FileFormat:
    return BUILT_IN[given] if isinstance(given, str) else given


# --- columns ---------------------------------------------------------------------------------------


@attrs.frozen
class _Column:
    """One column of the file: where its value is read, and how it is shown."""

    name: str
    field: str
    show: Callable[[Value], Cell]


def _columns(asked: Named, formats: Formats, own: str | None) -> list[_Column]:
    """Give the column of a field; of a structured text, one a part, so that no sign has to hold them apart.

    Money has a second one: what foreign money is worth in the organisation's *own* currency, as nothing else says it.
    """
    return [_Column(each.path, each.field.name, _shown(each, formats, own)) for each in _split(asked, own)]


def _split(asked: Named, own: str | None) -> list[Named]:
    parts = [] if asked.part is not None else [Named(asked.field, part) for part in parts_of(asked.field)]
    if asked.field.type.name == "money":
        return [asked, *[each for each in parts if each.is_home and own is not None]]
    return parts or [asked]


def _shown(asked: Named, formats: Formats, own: str | None) -> Callable[[Value], Cell]:
    if asked.is_home:
        return _home_of(formats, own)
    if asked.part is not None:
        return lambda value: None if (found := asked.of(value)) is None else str(found)
    field, show = asked.field, asked.field.type.show
    return lambda value: None if value is None else show(field, value, formats) or None


def _home_of(formats: Formats, own: str | None) -> Callable[[Value], Cell]:
    def show(value: Value) -> Cell:
        if not isinstance(value, Money) or value.home is None or own is None or value.currency == own:
            return None
        return formats.show_money(value.home, own)

    return show


# --- writing ---------------------------------------------------------------------------------------


@attrs.frozen
class _Wanted:
    """Which records, in which columns."""

    module: str
    where: Filter
    columns: Sequence[_Column]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple([column.name for column in self.columns])

    def batches(self, door: Reader) -> Iterator[Batch]:
        """Give the records as text, in id order; one empty batch where there is none."""
        fields = list(dict.fromkeys([column.field for column in self.columns]))
        places = [fields.index(column.field) for column in self.columns]
        empty = True
        for found in door.stream(self.module, self.where, fields=fields, size=_BATCH):
            pairs = zip(self.columns, places, strict=True)
            yield Batch(self.names, tuple([[column.show(value) for value in found[at]] for column, at in pairs]))
            empty = False
        if empty:
            yield Batch(self.names, tuple([[] for _ in self.columns]))


class _Tee(io.RawIOBase):
    """Hands bytes on and hashes them."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The SHA-256 of what went through, in hexadecimal."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        """Bytes are written, and nothing else."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Hash *data* and hand it on."""
        self._hash.update(data)
        self._sink.write(data)
        return memoryview(data).nbytes


def _write(door: Reader, wanted: _Wanted, kind: FileFormat, sink: BinaryIO) -> Manifest:
    tee, count = _Tee(sink), 0

    def counted() -> Iterator[Batch]:
        nonlocal count
        for batch in wanted.batches(door):
            count += len(batch)
            yield batch

    kind.write(counted(), cast("BinaryIO", tee))
    return Manifest(module=wanted.module, where=wanted.where, columns=wanted.names, count=count, hash=tee.digest)
