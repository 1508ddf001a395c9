"""Files, images, bare bytes."""

from __future__ import annotations

import base64
from random import Random
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.cells import base64_of
from nubetis.model.fields import Field, FieldType, Operator, Part, Storage, Value
from nubetis.model.fold import fold_text
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import plain, wrong
from nubetis.model.kinds.texts import clean_text, operand_text, show_text
from nubetis.types import Cells, Row

__all__ = ["FILE_TYPES", "TYPES", "FileRef"]


@attrs.frozen(kw_only=True)
class FileRef:
    """A file kept in the blob store: what its bytes hash to, and what it was called."""

    hash: str
    name: str
    size: int
    media_type: str = "application/octet-stream"

    def __str__(self) -> str:
        return self.name


FILE_TYPES: Final = frozenset({"file", "image"})
"""Types of fields that lead to bytes in the blob store."""

_FILE_PARTS: Final = (
    Part("", Storage.TEXT),
    Part("name", Storage.TEXT, kind="text", text=True),
    Part("size", Storage.INTEGER, kind="integer"),
    Part("media_type", Storage.TEXT, kind="choice"),
)


def _check_file(field: Field, offered: object) -> FileRef:
    if not isinstance(offered, FileRef):
        raise wrong(field, offered, "a FileRef")
    if type(offered.size) is not int or not 0 <= offered.size < 2**62:
        raise wrong(field, offered.size, "a size in bytes")
    return FileRef(
        hash=clean_text(field, offered.hash, 255),
        name=clean_text(field, offered.name, field.max_length),
        size=offered.size,
        media_type=clean_text(field, offered.media_type, 255),
    )


def _pack_file(field: Field, value: Value) -> Row:
    return attrs.astuple(value)


def _unpack_file(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    return FileRef(hash=str(row[0]), name=str(row[1]), size=int(row[2] or 0), media_type=str(row[3]))


def _refuse_parse(field: Field, text: str, formats: Formats) -> Value:
    raise wrong(field, text, "a FileRef")


def _check_bytes(field: Field, offered: object) -> bytes | None:
    if not isinstance(offered, bytes):
        raise wrong(field, offered, "bytes")
    return offered or None  # as an empty text is: a cell of a file says neither


def _show_bytes(field: Field, value: Value, formats: Formats) -> str:
    return base64_of(value)


def _parse_bytes(field: Field, text: str, formats: Formats) -> Value:
    try:
        return field.check(base64.b64decode("".join(text.split()), validate=True))
    except ValueError:
        raise InvalidValue("bad_format", what="bytes in base64", example="bnViZXRpcw==") from None


def _sample_file(field: Field, random: Random) -> FileRef:
    return FileRef(hash=f"{random.getrandbits(256):064x}", name="contrato.pdf", size=random.randint(1, 10**6))


_FILE = plain(
    "file",
    Storage.TEXT,
    parts=lambda field: _FILE_PARTS,
    fold=fold_text,
    check=_check_file,
    pack=_pack_file,
    unpack=_unpack_file,
    operand=operand_text,
    operators=frozenset({Operator.EMPTY}),
    parse=_refuse_parse,
    show=show_text,
    sample=_sample_file,
)

TYPES: Final[tuple[FieldType, ...]] = (
    _FILE,
    attrs.evolve(_FILE, name="image"),
    plain(
        "bytes",
        Storage.BYTES,
        check=_check_bytes,
        operators=frozenset({Operator.EMPTY}),
        parse=_parse_bytes,
        show=_show_bytes,
        sample=lambda field, random: random.randbytes(8),
    ),
)
