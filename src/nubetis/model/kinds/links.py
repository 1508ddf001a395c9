"""Links to records, owners."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import attrs

from nubetis.errors import InvalidValue, NotFound
from nubetis.model.fields import Field, FieldType, Operator, Part, Storage, Value
from nubetis.model.formats import Formats
from nubetis.model.ids import decode, encode
from nubetis.model.kinds.base import EQUAL, plain, wrong
from nubetis.model.kinds.texts import show_text
from nubetis.types import Cells, RecordId, Row, Stored

__all__ = ["TYPES", "user_named"]

# A link to one module keeps the key; a link to several keeps the prefix of the module as well.  The schema fills
# ``Field.prefixes``, so that ids can be read and written without it.
_LINK: Final = (Part("", Storage.KEY),)
_LINKS: Final = (Part("", Storage.KEY), Part("module", Storage.TEXT))


def _link_parts(field: Field) -> tuple[Part, ...]:
    return _LINK if len(field.targets) == 1 else _LINKS


def user_named(field: Field, name: str, find: Callable[[str], RecordId]) -> RecordId:
    """Give the user whom *field* is given by *name*; the error does not say the name, which may be anybody's.

    Raises:
        NotFound: ``no_such_user``.
        InvalidValue: ``not_an_id``.
    """
    try:
        return find(name)
    except NotFound:
        raise NotFound("no_such_user", field=field.name) from None
    except InvalidValue as error:
        raise _no_id(field, error) from None


def _no_id(field: Field, error: InvalidValue) -> InvalidValue:
    return InvalidValue("not_an_id", field=field.name, reason=error.params["reason"])


def _check_link(field: Field, offered: object) -> RecordId:
    text = getattr(offered, "id", offered)
    if not isinstance(text, str):
        raise wrong(field, offered, "a record or its id")
    try:
        prefix, key = decode(text)
    except InvalidValue as error:
        raise _no_id(field, error) from None
    if field.prefixes and prefix not in field.prefixes:
        raise InvalidValue("wrong_module", field=field.name, expected=" or ".join(field.targets), given=prefix)
    return encode(prefix, key)


def _pack_link(field: Field, value: Value) -> Row:
    prefix, key = decode(str(value))
    return (key,) if len(field.targets) == 1 else (key, prefix)


def _unpack_link(field: Field, row: Cells) -> Value:
    if row[0] is None:
        return None
    return encode(field.prefixes[0] if len(row) == 1 else str(row[1]), int(row[0]))


def _operand_link(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    names = [part.name for part in _link_parts(field)]
    return tuple(zip(names, _pack_link(field, _check_link(field, offered)), strict=True))


def _parse_link(field: Field, text: str, formats: Formats) -> Value:
    return field.check(text.strip())


def _sample_link(field: Field, random: Random) -> Value:
    return encode(random.choice(field.prefixes), random.randint(1, 2**40)) if field.prefixes else None


_LINK_TYPE = plain(
    "link",
    Storage.KEY,
    parts=_link_parts,
    check=_check_link,
    pack=_pack_link,
    unpack=_unpack_link,
    operand=_operand_link,
    operators=EQUAL | {Operator.LINKED},
    parse=_parse_link,
    show=show_text,
    sample=_sample_link,
)

TYPES: Final[tuple[FieldType, ...]] = (
    _LINK_TYPE,
    attrs.evolve(_LINK_TYPE, name="owner"),
)
