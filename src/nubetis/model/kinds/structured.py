"""Addresses and names of persons: frozen classes, one part an attribute."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import attrs

from nubetis.model.fields import Field, FieldType, Operator, Part, Storage, Value
from nubetis.model.fold import fold_text
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import wrong
from nubetis.model.kinds.texts import clean_text, sample_text
from nubetis.types import Cells, Row

__all__ = ["TYPES", "Address", "PersonName"]


@attrs.frozen(kw_only=True)
class Address:
    """A postal address in five parts; empty parts are ``None``."""

    street: str | None = None
    city: str | None = None
    region: str | None = None
    postcode: str | None = None
    country: str | None = None

    def __str__(self) -> str:
        return ", ".join(part for part in attrs.astuple(self) if part)


@attrs.frozen(kw_only=True)
class PersonName:
    """A person's name in its parts; two surnames are two parts."""

    prefix: str | None = None
    given: str | None = None
    family: str | None = None
    second_family: str | None = None
    suffix: str | None = None

    def __str__(self) -> str:
        return " ".join(part for part in attrs.astuple(self) if part)


def _structured(name: str, value_type: type, sample: Callable[[Field, Random], Value]) -> FieldType:
    """Make a field type of a frozen attrs class, one text part an attribute."""
    names = [attribute.name for attribute in attrs.fields(value_type)]
    parts = tuple(Part(each, Storage.TEXT, kind="text", text=True) for each in names)

    def check(field: Field, offered: object) -> Value:
        if not isinstance(offered, value_type):
            raise wrong(field, offered, value_type.__name__)
        cells = {each: getattr(offered, each) or None for each in names}
        checked = {k: v if v is None else clean_text(field, v, field.max_length) for k, v in cells.items()}
        return value_type(**checked) if any(checked.values()) else None

    def pack(field: Field, value: Value) -> Row:
        return tuple([getattr(value, each) for each in names])

    def unpack(field: Field, row: Cells) -> Value:
        return value_type(**dict(zip(names, row, strict=True))) if any(row) else None

    def parse(field: Field, text: str, formats: Formats) -> Value:
        cells = [cell.strip() or None for cell in text.split("|")]
        return field.check(value_type(**dict(zip(names, cells, strict=False))))

    return FieldType(
        name=name,
        parts=lambda field: parts,
        check=check,
        pack=pack,
        unpack=unpack,
        operand=lambda field, offered: (),
        operators=frozenset({Operator.EMPTY, Operator.MATCHES, Operator.CHANGED}),
        parse=parse,
        show=lambda field, value, formats: "|".join(getattr(value, each) or "" for each in names).rstrip("|"),
        sample=sample,
        fold=fold_text,
        filterable=True,
    )


def _sample_address(field: Field, random: Random) -> Address:
    return Address(street=sample_text(field, random), city=random.choice(["Lima", "Ñuñoa", "León"]), country="PE")


def _sample_person(field: Field, random: Random) -> PersonName:
    return PersonName(given=random.choice(["José", "Ana"]), family=random.choice(["Núñez", "Pena", "Peña"]))


TYPES: Final[tuple[FieldType, ...]] = (
    _structured("address", Address, _sample_address),
    _structured("person_name", PersonName, _sample_person),
)
