"""The normal form of a value, in which it is compared: one function a kind of column, called once a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from nubetis.data.profile import ColumnKind
from nubetis.model.fold import fold_keyword

__all__ = ["normal_value", "skeleton"]

_WORDS: Final = re.compile(r"[^\W_]+")
_APOSTROPHES: Final = re.compile(r"(?<=\w)['’`\u00b4.](?=\w)")
_NUMBERS: Final = re.compile(r"\d+")

_SAME_WORDS: Final = """
st street str|ave avenue av avda avenida|rd road|blvd boulevard blv|dr drive|ln lane|pl place|ct court|hwy highway
pkwy parkway|sq square|ter terrace|cl close|cres crescent cct circuit|apt apartment dpto depto departamento
fl floor piso|jr jiron|psje pasaje|urb urbanizacion|cll calle c|cra carrera|n north|s south|e east|w west
ne northeast|nw northwest|se southeast|sw southwest|ctr center centre centro|assn association asociacion assoc
intl international internacional|co company compania cia|univ university universidad|dept department
bros brothers hermanos hnos|and y e|1st first|2nd second|3rd third|mt mount|ft fort|hosp hospital
"""
_LEGAL: Final = frozenset(
    [
        "inc",
        "llc",
        "ltd",
        "corp",
        "corporation",
        "incorporated",
        "limited",
        "sa",
        "sac",
        "saa",
        "srl",
        "sl",
        "slu",
        "spa",
        "eirl",
        "sas",
        "sau",
        "gmbh",
        "ag",
        "bv",
        "plc",
        "ltda",
        "eireli",
        "me",
        "epp",
        "sc",
        "scrl",
        "rl",
        "cv",
        "de",
        "del",
        "la",
        "las",
        "los",
        "el",
        "the",
        "of",
        "and",
        "a",
    ]
)


def _same_words() -> dict[str, str]:
    groups = _SAME_WORDS.replace("\n", "|").split("|")
    return {word: group.split()[0] for group in groups if group for word in group.split()}


_SAME: Final = _same_words()


def normal_value(text: str, kind: ColumnKind) -> str:
    """Give the normal form of *text*; empty where nothing is left to compare.

    >>> normal_value("Café Ñandú, S.A.C.", ColumnKind.TEXT), normal_value("+51 987-654-321", ColumnKind.PHONE)
    ('cafe nandu', '987654321')
    """
    return _NORMAL.get(kind, _text)(text)


def skeleton(word: str) -> str:
    """Give the consonants of a word as they sound, roughly: what typing errors and spelling leave alone.

    >>> skeleton("gonzales") == skeleton("gonzalez"), skeleton("phillip") == skeleton("filip")
    (True, True)
    """
    sound = word.replace("ph", "f").replace("qu", "k").translate(_SOUNDS)
    first, rest = sound[:1], _VOWELS.sub("", sound[1:])
    return _TWICE.sub(r"\1", first + rest)


_SOUNDS: Final = str.maketrans({"z": "s", "c": "k", "q": "k", "v": "b", "y": "i", "w": "u", "x": "s"})
_VOWELS: Final = re.compile("[aeiouh]")
_TWICE: Final = re.compile(r"(.)\1+")


def _words(text: str) -> list[str]:
    return _WORDS.findall(_APOSTROPHES.sub("", fold_keyword(text)))


def _person(text: str) -> str:
    return " ".join([word for word in _words(text) if word not in _PARTICLES])


_PARTICLES: Final = frozenset(
    {"de", "del", "la", "las", "los", "da", "do", "dos", "das", "y", "e", "mr", "mrs", "sr", "sra"}
)


def _text(text: str) -> str:
    words = [_SAME.get(word, word) for word in _words(text.replace("&", " and "))]
    return " ".join([word for word in words if word not in _LEGAL] or words)


def _email(text: str) -> str:
    local, _, domain = text.strip().casefold().rpartition("@")
    local = local.partition("+")[0]
    return domain if local in _SHARED_BOXES else f"{local}@{domain}"


_SHARED_BOXES: Final = frozenset(
    [
        "administracion",
        "admin",
        "contact",
        "contacto",
        "contato",
        "comercial",
        "compras",
        "hello",
        "hola",
        "info",
        "informacion",
        "mail",
        "marketing",
        "office",
        "oficina",
        "recepcion",
        "sales",
        "soporte",
        "support",
        "ventas",
        "vendas",
    ]
) | {""}
"""What stands before the @ where a whole firm reads the mail: it says nothing, the domain does."""


def _url(text: str) -> str:
    host = text.strip().casefold().partition("://")[-1] or text.strip().casefold()
    return host.partition("/")[0].removeprefix("www.")


def _phone(text: str) -> str:
    digits = "".join(_NUMBERS.findall(fold_keyword(text)))
    return digits[-9:] if len(digits) > 4 else ""


def _date(text: str) -> str:
    """Give year, month and day, or the parts as they stand; a time of day does not count."""
    parts = _NUMBERS.findall(text)[:3]
    if len(parts) == 3 and len(parts[2]) == 4:
        parts = [parts[2], parts[1], parts[0]]
    return "".join([part.zfill(2) for part in parts])


def _code(text: str) -> str:
    return "".join(_WORDS.findall(fold_keyword(text)))


def _number(text: str) -> str:
    return "".join(_NUMBERS.findall(text))


_NORMAL: Final[Mapping[ColumnKind, Callable[[str], str]]] = {
    ColumnKind.PERSON: _person,
    ColumnKind.EMAIL: _email,
    ColumnKind.URL: _url,
    ColumnKind.PHONE: _phone,
    ColumnKind.DATE: _date,
    ColumnKind.CODE: _code,
    ColumnKind.NUMBER: _number,
}
