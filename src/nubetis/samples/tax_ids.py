"""Tax numbers that a check would accept, for the people and companies of the samples.

Nearly all are a weighted sum modulo 11 (RUC, RFC, NIT, CUIT, RUT, CPF, CNPJ); Spain's are a table of letters
modulo 23 and a Luhn sum.  The numbers are invented: a serial number spread over the digits, so that few
entities share one.
"""

from __future__ import annotations

from operator import mul
from typing import TYPE_CHECKING

from nubetis.samples.words import ascii_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import date

    from nubetis.samples.world import Firm, Person

__all__ = [
    "COMPANY_IDS",
    "PERSON_IDS",
    "cif",
    "cnpj",
    "cpf",
    "cuit",
    "nif",
    "nit",
    "rfc",
    "ruc",
    "rut",
]

_NIF_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_RFC_ALPHABET = "0123456789ABCDEFGHIJKLMN&OPQRSTUVWXYZ Ñ"
_HOMONYM = "123456789ABCDEFGHIJKLMNPQRSTUVWXYZ"
_RFC_RUDE = """
BUEI BUEY CACA CACO CAGA CAGO CAKA COGE COJA COJE COJI COJO CULO FETO GUEY JOTO KACA KACO KAGA KAGO KOGE KOJO
KAKA KULO MAME MAMO MEAR MEAS MEON MION MOCO MULA PEDA PEDO PENE PUTA PUTO QULO RATA RUIN
"""
_RUC_WEIGHTS = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_NIT_WEIGHTS = (41, 37, 29, 23, 19, 17, 13, 7, 3)
_RUT_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


def _weighted(digits: str, weights: Iterable[int]) -> int:
    """Give the sum of the digits, each times its weight."""
    return sum(map(mul, map(int, digits), weights))


def ruc(base: str) -> str:
    """Give Peru's RUC of the ten digits.

    >>> ruc("2013131295")
    '20131312955'
    """
    return f"{base}{(11 - _weighted(base, _RUC_WEIGHTS) % 11) % 10}"


def nif(number: int) -> str:
    """Give Spain's NIF of a person's number.

    >>> nif(12345678)
    '12345678Z'
    """
    return f"{number:08d}{_NIF_LETTERS[number % 23]}"


def cif(letter: str, digits: str) -> str:
    """Give Spain's tax number of a company of kind A or B, from seven digits.

    >>> cif("A", "5881850")
    'A58818501'
    """
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[::2])
    return f"{letter}{digits}{-(doubled + sum(map(int, digits[1::2]))) % 10}"


def rfc(base: str) -> str:
    """Give Mexico's RFC of its first twelve characters (a person's) or eleven (a company's).

    >>> rfc("GODE561231GR")
    'GODE561231GR8'
    """
    total = sum((13 - place) * _RFC_ALPHABET.index(letter) for place, letter in enumerate(base.rjust(12)))
    return base + "0A987654321"[total % 11]


def nit(base: str) -> str:
    """Give Colombia's NIT of nine digits.

    >>> nit("213123432")
    '213123432-1'
    """
    rest = _weighted(base, _NIT_WEIGHTS) % 11
    return f"{base}-{rest if rest < 2 else 11 - rest}"


def cuit(kind: str, number: int) -> str:
    """Give Argentina's CUIT; kind is 20 (man), 27 (woman) or 30 (company), and x3 where no digit would do.

    >>> cuit("20", 5536168)
    '20-05536168-2'
    """
    check = -_weighted(f"{kind}{number:08d}", _RUC_WEIGHTS) % 11
    return cuit(f"{kind[0]}3", number) if check == 10 else f"{kind}-{number:08d}-{check}"


def rut(number: int) -> str:
    """Give Chile's RUT.

    >>> rut(12531909)
    '12.531.909-2'
    """
    check = "0123456789K"[-_weighted(f"{number:08d}", _RUT_WEIGHTS) % 11]
    return f"{number:,}-{check}".replace(",", ".")


def _with_two_checks(base: str, weights: tuple[int, ...]) -> str:
    """Give the digits with Brazil's two check digits."""
    for used in (weights[1:], weights):
        base += str(-_weighted(base, used) % 11 % 10)
    return base


def cpf(number: int) -> str:
    """Give the CPF of a person in Brazil.

    >>> cpf(390533447)
    '390.533.447-05'
    """
    digits = _with_two_checks(f"{number:09d}", (11, 10, 9, 8, 7, 6, 5, 4, 3, 2))
    return f"{digits[:3]}.{digits[3:6]}.{digits[6:9]}-{digits[9:]}"


def cnpj(number: int) -> str:
    """Give the CNPJ of a company in Brazil, its head office.

    >>> cnpj(16727230)
    '16.727.230/0001-97'
    """
    digits = _with_two_checks(f"{number:08d}0001", (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2))
    return f"{digits[:2]}.{digits[2:5]}.{digits[5:8]}/{digits[8:12]}-{digits[12:]}"


def _person_rfc(bearer: Person, serial: int) -> str:
    """Give the RFC that the name and the birth date make; letters of the name alone."""
    first, second = (ascii_text(name.split()[-1]).upper() for name in (bearer.surnames * 2)[:2])
    vowel = next((letter for letter in first[1:] if letter in "AEIOU"), "X")
    other = second[0] if len(bearer.surnames) > 1 else "X"
    letters = f"{first[0]}{vowel}{other}{ascii_text(bearer.given[0]).upper()}"
    return _dated_rfc(letters[:3] + "X" if letters in _RFC_RUDE else letters, bearer.born, serial)


def _company_rfc(bearer: Firm, serial: int) -> str:
    """Give the RFC that a company's name and foundation make."""
    letters = [letter for letter in ascii_text(bearer.core).upper() if letter in _HOMONYM[9:]]
    return _dated_rfc("".join(letters[:3]), bearer.founded, serial)


def _dated_rfc(letters: str, day: date, serial: int) -> str:
    """Give the RFC of its letters, its day and the serial number of homonyms."""
    return rfc(f"{letters}{day:%y%m%d}{_HOMONYM[serial // 34 % 30]}{_HOMONYM[serial % 34]}")


PERSON_IDS: Mapping[str, Callable[[Person, int], str]] = {
    "PE": lambda bearer, serial: f"{serial % 10**8:08d}" if serial % 4 else ruc(f"10{serial % 10**8:08d}"),
    "ES": lambda bearer, serial: nif(serial % 10**8),
    "MX": _person_rfc,
    "CO": lambda bearer, serial: str(10**9 + serial % 10**8),
    "AR": lambda bearer, serial: cuit("27" if bearer.female else "20", 15_000_000 + serial % 10**7),
    "CL": lambda bearer, serial: rut(7_000_000 + serial % 10**7),
    "BR": lambda bearer, serial: cpf(serial % 10**9),
    "US": lambda bearer, serial: "",
}
"""By country, what makes a person's number of a bearer and a serial number of nine digits."""

COMPANY_IDS: Mapping[str, Callable[[Firm, int], str]] = {
    "PE": lambda bearer, serial: ruc(f"20{serial % 10**8:08d}"),
    "ES": lambda bearer, serial: cif("AB"[serial % 2], f"{serial // 2 % 10**7:07d}"),
    "MX": _company_rfc,
    "CO": lambda bearer, serial: nit(f"9{serial % 10**8:08d}"),
    "AR": lambda bearer, serial: cuit("30", serial % 10**8),
    "CL": lambda bearer, serial: rut(70_000_000 + serial % 10**7),
    "BR": lambda bearer, serial: cnpj(serial % 10**8),
    "US": lambda bearer, serial: f"{serial % 10**9 // 10**7:02d}-{serial % 10**7:07d}",
}
"""By country, the same for a company."""
