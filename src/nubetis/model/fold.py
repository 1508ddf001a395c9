"""One fold for all text that is compared, sorted, grouped or searched.

Case and accents do not count, with one exception: *ñ* is a letter of its own.  Canonical decomposition writes
it as ``n`` + U+0303, and U+0303 sorts after every ASCII letter in UTF-8 and by code point alike, so the folded
form keeps just that mark after an *n*: "ñandu" stands after "nz", on every store with a binary collation, and no
other text can fold to the same.  Keywords are more lenient: :func:`fold_keyword` drops that mark too, so that
"pena" finds *Peña*.

Reference: Unicode 15 §3.13, compatibility caseless match (D146), less the combining marks.
"""

from __future__ import annotations

import unicodedata
from typing import Final

__all__ = ["TILDE", "apart", "fold_exact", "fold_keyword", "fold_text"]

TILDE: Final = "\u0303"
"""The combining tilde, kept by :func:`fold_text` directly after an n."""


_NUL: Final = "\0"
"""Stands for ñ for a moment; text that nubetis keeps has none."""


def fold_text(text: str) -> str:
    """Give *text* without case and accents; ñ is kept apart from n.

    Idempotent.  Costs 0.1 µs for ASCII, under 1 µs a Spanish text, about 2 µs another.

    >>> fold_text("José Núñez") == fold_text("JOSE NUÑEZ")
    True
    >>> fold_text("pena") < fold_text("penz") < fold_text("peña")
    True
    """
    if text.isascii():
        return text.lower()
    spread = unicodedata.normalize("NFKD", text)
    bare = spread.replace("\u0301", "")  # most accents are acute
    if not bare.isascii():
        bare = bare.replace(f"n{TILDE}", _NUL).replace(f"N{TILDE}", _NUL).replace("\u0308", "")
    if bare.isascii() and _NUL not in text:
        return bare.lower().replace(_NUL, f"n{TILDE}")
    return "".join(_without_marks(unicodedata.normalize("NFKD", spread.casefold())))


def _without_marks(spread: str) -> list[str]:
    kept: list[str] = []
    base = ""
    for char in spread:
        if not unicodedata.combining(char):
            base = char
            kept.append(char)
        elif char == TILDE and base == "n":
            base = ""  # one tilde an n
            kept.append(char)
    return kept


def apart(folded: str) -> str:
    """Give a folded text with the tilde alone in place of each ñ, so that none of them holds an n.

    >>> "pan" in apart(fold_text("pañal")), "pan" in apart(fold_text("panal"))
    (False, True)
    """
    return folded if folded.isascii() else folded.replace(f"n{TILDE}", TILDE)


def fold_keyword(text: str) -> str:
    """Give the fold that keywords use: :func:`fold_text`, and ñ is n.

    >>> fold_keyword("Peña")
    'pena'
    """
    return text.lower() if text.isascii() else fold_text(text).replace(TILDE, "")


def fold_exact(text: str) -> str:
    """Give the fold of an e-mail address: case and compatibility forms only.

    >>> fold_exact("Ana@Example.COM")
    'ana@example.com'
    """
    return (
        text.lower()
        if text.isascii()
        else unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    )
