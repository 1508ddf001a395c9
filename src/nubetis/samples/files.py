"""A CSV file as a customer exports it: headers in their language, dates and amounts in their form."""

from __future__ import annotations

import csv
import itertools
from datetime import date, datetime
from decimal import Decimal
from operator import attrgetter
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TextIO

import attrs

from nubetis.errors import InvalidValue
from nubetis.samples.countries import COUNTRIES
from nubetis.samples.records import TRUTH, Company, Contact

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

__all__ = ["write_csv"]

Header = Literal["es", "en", "fields"]

_SHARED = """
email:Correo electrónico:E-mail|phone:Teléfono:Phone|street:Dirección:Street address|city:Ciudad:City
region:Departamento / Provincia:State / Province|postcode:Código postal:Zip code|country:País:Country
lead_source:Origen:Lead source|currency:Moneda:Currency|notes:Observaciones:Notes
created:Fecha de creación:Created on
"""
_CONTACT = """
first_name:Nombre:First name|last_name:Apellidos:Last name|mobile:Celular:Mobile
company:Empresa:Company|job_title:Cargo:Job title
birth_date:Fecha de nacimiento:Date of birth|tax_id:DNI / RUC:Tax ID|amount:Importe:Amount
"""
_COMPANY = """
name:Razón social:Company name|trade_name:Nombre comercial:Trade name
tax_id:RUC / NIF:Tax ID|industry:Rubro:Industry
website:Página web:Website|employees:N° de empleados:Employees|annual_revenue:Facturación anual:Annual revenue
"""
_SOURCES_ES = {
    "Web": "Página web",
    "Referral": "Recomendación",
    "Trade show": "Feria",
    "Import": "Importación",
    "Walk-in": "Visita",
    "Cold call": "Llamada",
    "Social media": "Redes sociales",
    "Partner": "Socio",
}


def _labels(table: str, language: int) -> dict[str, str]:
    """Give the header of each field in one language."""
    cells = (cell.split(":") for cell in table.replace("\n", "|").split("|") if cell)
    return {cell[0]: cell[language] for cell in cells}


def _text(value: object) -> str:
    """Show a value as the field form does: ISO, nothing for a missing value."""
    return "" if value is None else str(value)


def _spanish(value: object) -> str:
    """Show a value as a Spanish export does: 31/01/2024 09:30 and 1.234,50."""
    match value:
        case datetime():
            return f"{value:%d/%m/%Y %H:%M}"
        case date():
            return f"{value:%d/%m/%Y}"
        case Decimal():
            return f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
        case _:
            return _SOURCES_ES.get(value, value) if isinstance(value, str) else _text(value)


def _english(value: object) -> str:
    """Show a value as an English export does: 01/31/2024 09:30 AM and 1,234.50."""
    match value:
        case datetime():
            return f"{value:%m/%d/%Y %I:%M %p}"
        case date():
            return f"{value:%m/%d/%Y}"
        case Decimal():
            return f"{value:,.2f}"
        case _:
            return _text(value)


_SHOWN: Mapping[Header, Callable[[object], str]] = {"es": _spanish, "en": _english, "fields": _text}
_LANGUAGES: Mapping[Header, int] = {"es": 1, "en": 2}


def _columns(kind: type[Contact | Company], header: Header) -> dict[str, str]:
    """Give the header of each field that is written; an export shows no truth."""
    names = [field.name for field in attrs.fields(kind)]
    if header == "fields":
        return {name: name for name in names}
    labels = _labels(_SHARED + "|" + (_CONTACT if kind is Contact else _COMPANY), _LANGUAGES[header])
    return {name: labels[name] for name in names if name not in TRUTH}


def _rows(records: Iterable[Contact | Company], names: list[str], *, header: Header) -> Iterator[list[str]]:
    """Give the cells of each record."""
    shown = _SHOWN[header]
    label = attrgetter(*names)
    country = names.index("country")
    for record in records:
        row = [shown(value) for value in label(record)]
        if header != "fields" and row[country]:
            place = COUNTRIES[row[country]]
            row[country] = place.name if header == "es" else place.english_name
        yield row


def _write(file: TextIO, records: Iterable[Contact | Company], *, header: Header, delimiter: str) -> int:
    """Write header and rows; the first record says which columns there are."""
    stream = iter(records)
    first = next(stream, None)
    columns = _columns(Contact if first is None else type(first), header)
    writer = csv.writer(file, delimiter=delimiter)
    writer.writerow(columns.values())
    count = 0
    for row in _rows(itertools.chain([] if first is None else [first], stream), list(columns), header=header):
        writer.writerow(row)
        count += 1
    return count


def write_csv(
    target: str | PathLike[str] | TextIO,
    records: Iterable[Contact | Company],
    *,
    header: Header = "es",
    encoding: str = "utf-8",
    delimiter: str = ",",
) -> int:
    """Write the records as a customer's export and give how many they were.

    Args:
        target: A path, or a file open for text (then its own encoding holds; open it with ``newline=""``).
        records: All contacts or all companies; read one by one.
        header: ``es`` or ``en`` is the language of headers, dates, amounts and countries, without truth;
            ``fields`` writes the API names, ISO values and the truth.
        encoding: Such as ``utf-8-sig`` or ``cp1252``; a character it lacks becomes ``?``, as in Excel.
        delimiter: Such as ``;`` or a tab.

    Raises:
        InvalidValue: There is no such header.

    >>> import io
    >>> from nubetis.samples import contacts
    >>> file = io.StringIO(newline="")
    >>> write_csv(file, contacts(5), delimiter=";")
    5
    >>> file.getvalue()[:37]
    'Nombre;Apellidos;Correo electrónico;T'
    """
    if header not in _SHOWN:
        raise InvalidValue("bad_argument", argument="header", reason=f"es, en or fields, not {header}")
    if not isinstance(target, str | PathLike):
        return _write(target, records, header=header, delimiter=delimiter)
    with Path(target).open("w", encoding=encoding, errors="replace", newline="") as file:
        return _write(file, records, header=header, delimiter=delimiter)
