"""Text, long text, e-mail, telephone and web address."""

from __future__ import annotations

import re
import unicodedata
from random import Random
from typing import Final

import attrs

from nubetis.errors import InvalidValue
from nubetis.model.fields import Field, FieldType, Storage, Value
from nubetis.model.fold import fold_exact, fold_text
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import LONG, TEXT, one, operand_of, pack_same, unpack_same, wrong
from nubetis.types import Stored

__all__ = [
    "TYPES",
    "clean_text",
    "fold_phone",
    "has_plus",
    "holds_two_phones",
    "is_storable",
    "operand_text",
    "sample_text",
    "show_text",
]

_BAD: Final = re.compile("[\x00\ud800-\udfff]")


_LONG: Final = 1_000_000
_URL_LENGTH: Final = 2000


def is_storable(text: str) -> bool:
    """Say whether every store can hold *text*: it has no NUL and no half of a surrogate pair."""
    return _BAD.search(text) is None


def clean_text(field: Field, offered: object, limit: int) -> str:
    """Give *offered* back if it is text that every store can hold."""
    if not isinstance(offered, str):
        raise wrong(field, offered, "text")
    if len(offered) > limit:
        raise InvalidValue("too_long", field=field.name, limit=limit, length=len(offered))
    if (bad := _BAD.search(offered)) is not None:
        what = "NUL" if bad[0] == "\0" else "half of a surrogate pair"
        raise InvalidValue("bad_text", field=field.name, what=what)
    return str(offered)


def _check_text(field: Field, offered: object) -> str:
    if type(offered) is str and len(offered) <= field.max_length and _BAD.search(offered) is None:
        return offered  # most values of a great load: one call less
    return clean_text(field, offered, field.max_length)


def _check_long(field: Field, offered: object) -> str:
    return clean_text(field, offered, _LONG)


def _parse_text(field: Field, text: str, formats: Formats) -> Value:
    return field.check(text)


def show_text(field: Field, value: Value, formats: Formats) -> str:
    """Show a value as its own text."""
    return str(value)


_WORDS: Final = [
    "lima",
    "norte",
    "sol",
    "río",
    "ñandú",
    "Ágata",
    "café",
    "uno",
    "dos",
    "tres",
    "50%",
    "a_b",
    "x'y",
    "Straße",
    "東京",
    "Zoë",
]


def sample_text(field: Field, random: Random) -> str:
    """Give some words, hostile ones among them."""
    return " ".join(random.choices(_WORDS, k=random.randint(1, 3)))[: field.max_length]


def _text(name: str, **changes: Value) -> FieldType:
    base = FieldType(
        name=name,
        parts=one(Storage.TEXT, text=True),
        check=_check_text,
        pack=pack_same,
        unpack=unpack_same,
        operand=operand_of(pack_same),
        operators=TEXT,
        parse=_parse_text,
        show=show_text,
        sample=sample_text,
        fold=fold_text,
        filterable=True,
        plain=True,
    )
    return attrs.evolve(base, **changes)


_EMAIL: Final = re.compile(r"[^\s@<>,;\"]{1,64}@[^\s@<>,;\"]{1,190}")
_URL: Final = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?", re.IGNORECASE)
_DIGITS: Final = 15
"""A telephone number has no more, its country included (ITU-T E.164)."""
_PHONE: Final = re.compile(r"(?P<number>[\s(]*\+?[\d\s().\-/]*)(\s?(x|ext\.?|anexo)\s?\d{1,6})?", re.IGNORECASE)
_PLAIN_PHONE: Final = re.compile(r"\+?[1-9](?:[ .-]?[0-9]){2,14}")
"""Most numbers that there are, and nothing that :func:`_why_no_phone` finds fault with."""
_PLUS: Final = re.compile(r"[\s(]*\+")
_BETWEEN: Final = re.compile(r"[/;,|&\n]|\s(?:y|e|o|u|and|or)\s|(?<=\d)\s+(?=\(?\+)", re.IGNORECASE)


def _check_email(field: Field, offered: object) -> str:
    text = clean_text(field, offered, field.max_length).strip()
    if not _EMAIL.fullmatch(text):
        raise InvalidValue("bad_email", field=field.name)
    return text


def _check_url(field: Field, offered: object) -> str:
    text = clean_text(field, offered, _URL_LENGTH).strip()
    if not _URL.fullmatch(text):
        raise InvalidValue("bad_url", field=field.name)
    return text


def _check_phone(field: Field, offered: object) -> str:
    text = clean_text(field, offered, 60).strip()
    reason = "" if _PLAIN_PHONE.fullmatch(text) else _why_no_phone(text)
    if reason:
        raise InvalidValue("bad_phone", field=field.name, reason=reason)
    return text


def _why_no_phone(text: str) -> str:
    if holds_two_phones(text):
        return "it holds two numbers"
    found = _PHONE.fullmatch(text)
    if not found:
        return "it holds letters or signs that are no part of a number"
    digits = fold_phone(found["number"].replace("(0)", ""))
    if digits.startswith("+0"):
        return "no country's code begins with 0"
    if _count_digits(text) < 3:
        return "it has fewer than 3 digits"
    return "it has more than 15 digits" if len(digits.lstrip("+").removeprefix("00")) > _DIGITS else ""


def _count_digits(text: str) -> int:
    return sum(map(str.isdigit, text))


def has_plus(text: str) -> bool:
    """Say whether a telephone number begins with a plus, be it in brackets."""
    return _PLUS.match(text) is not None


def holds_two_phones(text: str) -> bool:
    """Say whether *text* holds several telephone numbers; a slash may also stand behind the code of an area.

    >>> holds_two_phones("445-3020 / 445-3021"), holds_two_phones("+49 2302/926000")
    (True, False)
    """
    first, *others = _BETWEEN.split(text.replace("(0)", ""))
    coded = has_plus(first) or first.lstrip(" (").startswith("0")
    return _count_digits(first) >= (8 if coded else 6) and any(_count_digits(each) >= 6 for each in others)


_NO_DIGITS: Final = bytes(code for code in range(128) if not chr(code).isdigit())


def fold_phone(text: str) -> str:
    """Give the digits of a telephone number, and its leading plus."""
    if text.isascii():
        digits = text.encode().translate(None, _NO_DIGITS).decode()
    else:
        digits = "".join([str(unicodedata.digit(char)) for char in text if char.isdigit()])
    return f"+{digits}" if has_plus(text) else digits


# Filters compare e-mail, phone and url with a piece of one, too, so their operands are text only.
def operand_text(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    """Compare with a piece of text that need not be a whole value."""
    return (("", clean_text(field, offered, 2000)),)


def _sample_email(field: Field, random: Random) -> str:
    name, host = random.choice(["ana", "luis", "josé", "maría"]), random.choice(["acme.pe", "Gmail.com"])
    return f"{name}{random.randint(1, 99)}@{host}"


def _sample_url(field: Field, random: Random) -> str:
    return f"https://{random.choice(['acme', 'norte', 'sol'])}.example/{random.randint(1, 9)}"


def _sample_phone(field: Field, random: Random) -> str:
    return random.choice(["+51 9{:08d}", "(01) {:07d}", "9{:08d}"]).format(random.randint(0, 9_999_999))


TYPES: Final[tuple[FieldType, ...]] = (
    _text("text"),
    _text("long_text", check=_check_long, longest=_LONG, operators=LONG, filterable=False),
    _text("email", check=_check_email, operand=operand_text, fold=fold_exact, sample=_sample_email),
    _text("phone", check=_check_phone, operand=operand_text, fold=fold_phone, sample=_sample_phone),
    _text("url", check=_check_url, longest=_URL_LENGTH, operand=operand_text, fold=fold_exact, sample=_sample_url),
)
