"""What a column holds, judged by its values and, where they leave a doubt, by its name."""

from __future__ import annotations

import enum
import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.data.mapping import normal_header

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nubetis.data.cells import Cell, Columns

__all__ = ["ColumnKind", "Profile", "names_code", "profile_column", "profile_columns"]

_EMAIL: Final = re.compile(r"\s*(mailto:)?<?[^@\s,;<>]+@[^@\s,;<>]+\.[^@\s,;<>]+>?[\s.,;]*", re.IGNORECASE)
_URL: Final = re.compile(r"\s*(https?://\S+|www\.\S+)\s*", re.IGNORECASE)
_DATE: Final = re.compile(
    r"\s*(\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4})([ T]\d{1,2}:\d{2}.*)?\s*"
)
_COMPACT_DATE: Final = re.compile(r"(19|20)\d\d(0\d|1[0-2])([0-2]\d|3[01])")
_NUMBER: Final = re.compile(r"\s*[-+]?[$€£]?\s?\d[\d.,]*\s?%?\s*")
_PHONE: Final = re.compile(
    r"\s*(\(?\+|00)?[\d\s()./\-]{6,24}\d\s*((x|ext\.?|anexo|int\.?)\s*\d{1,6})?\s*", re.IGNORECASE
)
_WRITTEN_PHONE: Final = re.compile(r"\s*(\(?\+\d|\(\d{2,4}\)|\d{2,4}[-/ .]\d{3,4}[- .]?\d{3,4}\s*$)")

_NAMED_PHONE: Final = re.compile(
    r"\b(phones?|tel|telf?|tlf|telephone|mobile|cell|fax|fono|celular|movil|whatsapp)\b|telefon|telemovel"
)
_NAMED_PERSON: Final = re.compile(
    r"\b(first|last|given|family|full) ?name\b|contact name"
    r"|\b(surname|apellidos?|nombres?|sobrenome|apelido|contacto)\b"
)
_NAMED_COMPANY: Final = re.compile(r"empresa|company|razon social|comercial|organi[sz]a|account|negocio")
_NAMED_THING: Final = re.compile(r"(\w+ )?(name|title)|nombre|nome|titulo|razon social|cliente|customer")
_NAMED_DATE: Final = re.compile(r"\b(date|dob|fecha|nacimiento|birth|data|born)\b|birthday")
_NAMED_CODE: Final = re.compile(
    r"\b(zip|postal|postcode|cp|cep|id|code|codigo|dni|ruc|nif|cif|rut|nit|cuit|rfc|cnpj|cpf|vat|ssn|tax|number|numero"
    r"|nro)\b"
    r"|soc sec"
)
_NAMED_KEY: Final = re.compile(r"\b(record |external )?id\b|\bid (externo|de registro)\b|\b(uu|gu)id\b|row number")


class ColumnKind(enum.StrEnum):
    """What the values of a column are."""

    EMPTY = enum.auto()
    """Nothing at all."""
    KEY = enum.auto()
    """A number that the table itself gave to each row: it says nothing about who is who."""
    EMAIL = enum.auto()
    URL = enum.auto()
    PHONE = enum.auto()
    DATE = enum.auto()
    CODE = enum.auto()
    """Digits and letters that are compared as a whole: postcodes, tax ids."""
    NUMBER = enum.auto()
    CATEGORY = enum.auto()
    """One of a few."""
    PERSON = enum.auto()
    """Names of people."""
    COMPANY = enum.auto()
    """Names of companies, sites, products."""
    TEXT = enum.auto()
    """Other short text: streets, towns."""
    LONG = enum.auto()
    """Sentences."""


@attrs.frozen
class Profile:
    """What is known about a column; *filled* and *distinct* count cells.

    >>> profile_column("Correo", ["ana@x.pe", None, "luis@x.pe"])
    Profile(name='Correo', kind=<ColumnKind.EMAIL: 'email'>, filled=2, distinct=2)
    """

    name: str
    kind: ColumnKind
    filled: int
    distinct: int


def names_code(header: str) -> bool:
    """Say whether a column is named like one of codes: digits that are no number, however they look.

    >>> names_code("tax_id"), names_code("RUC"), names_code("employees")
    (True, True, False)
    """
    return _NAMED_CODE.search(normal_header(header)) is not None


def profile_columns(columns: Columns) -> tuple[Profile, ...]:
    """Give the profile of each column, in their order.

    >>> [each.kind.value for each in profile_columns({"DNI": ["01234567"], "Apellidos": ["Núñez"]})]
    ['code', 'person']
    """
    return tuple([profile_column(name, cells) for name, cells in columns.items()])


def profile_column(name: str, cells: Sequence[Cell]) -> Profile:
    """Give the profile of one column; it does not depend on the order of the rows."""
    counts = Counter([cell for cell in cells if cell and not cell.isspace()])
    filled = counts.total()
    header = normal_header(name)
    kind = _kind(header, counts, filled) if counts else ColumnKind.EMPTY
    return Profile(name, kind, filled, len(counts))


def _kind(header: str, counts: Counter[str], filled: int) -> ColumnKind:
    values = sorted(counts)[:: max(1, len(counts) // 2000)]
    if _share(_EMAIL, values) > 0.6:
        return ColumnKind.EMAIL
    if _share(_URL, values) > 0.6:
        return ColumnKind.URL
    if _is_key(header, counts, filled):
        return ColumnKind.KEY
    digits = _digit_kind(header, values)
    return digits or _word_kind(header, values, counts, filled)


def _share(pattern: re.Pattern[str], values: Sequence[str]) -> float:
    return sum([pattern.fullmatch(value) is not None for value in values]) / len(values)


def _is_key(header: str, counts: Counter[str], filled: int) -> bool:
    """A key is there in each row, no two alike, and is a run of whole numbers or is named so."""
    if len(counts) < filled or filled < 2:
        return False
    if _NAMED_KEY.fullmatch(header):
        return True
    if not all(value.isascii() and value.isdigit() and len(value) < 12 for value in counts):
        return False
    numbers = [int(value) for value in counts]
    return filled >= 20 and max(numbers) - min(numbers) < 1.2 * filled


def _digit_kind(header: str, values: Sequence[str]) -> ColumnKind | None:
    if _share(_DATE, values) > 0.6 or (_NAMED_DATE.search(header) and _share(_COMPACT_DATE, values) > 0.6):
        return ColumnKind.DATE
    phones = _share(_PHONE, values)
    if phones > 0.5 and _NAMED_PHONE.search(header):
        return ColumnKind.PHONE
    if _NAMED_CODE.search(header) and sum([_is_code(value) for value in values]) > 0.6 * len(values):
        return ColumnKind.CODE
    if phones > 0.6 and sum([_WRITTEN_PHONE.match(value) is not None for value in values]) > 0.6 * len(values):
        return ColumnKind.PHONE
    return _number_kind(values)


def _number_kind(values: Sequence[str]) -> ColumnKind | None:
    if _share(_NUMBER, values) <= 0.7:
        return None
    whole = sum([value.strip().isdigit() for value in values]) / len(values)
    zeros = any(value[:1] == "0" and len(value) > 1 and value.isdigit() for value in values)
    long = sum([len(value) >= 5 for value in values]) > 0.6 * len(values)
    return ColumnKind.CODE if whole > 0.7 and (zeros or long) else ColumnKind.NUMBER


def _is_code(value: str) -> bool:
    return len(value) < 30 and any(char.isdigit() for char in value) and value.count(" ") < 4


def _word_kind(header: str, values: Sequence[str], counts: Counter[str], filled: int) -> ColumnKind:
    if sum([len(value) for value in values]) / len(values) > 80:
        return ColumnKind.LONG
    if _NAMED_PERSON.search(header) and not _NAMED_COMPANY.search(header):
        return ColumnKind.PERSON
    if (_NAMED_COMPANY.search(header) or _NAMED_THING.fullmatch(header)) and len(counts) > 0.2 * filled:
        return ColumnKind.COMPANY
    few = len(counts) <= 30 and filled >= 50 and filled / len(counts) >= 10
    return ColumnKind.CATEGORY if few else ColumnKind.TEXT
