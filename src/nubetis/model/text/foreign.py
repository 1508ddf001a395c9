"""What people write who know other languages of filters: read as it stands it would silently mean something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nubetis.model.text.show import is_keyword
from nubetis.model.text.tokens import FOREIGN, NO_VALUE, Kind, Token, syntax_error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nubetis.errors import InvalidFilter
    from nubetis.model.filters import Filter
    from nubetis.model.text.names import Names

__all__ = ["foreign_joiner", "foreign_operator", "foreign_value", "twin_sign"]

_TWINS: Final = {("=", "="): "=", ("<", ">"): "!=", ("=", ">"): ">=", ("=", "<"): "<=", ("!=", "="): "!="}
_SIGNS: Final = {"&&": "and", "&": "and", "||": "or", "|": "or"}
_JOINERS: Final = {**_SIGNS, "y": "and", "e": "and", "o": "or", "u": "or"}
_OPERANDS: Final = frozenset({Kind.WORD, Kind.TEXT})
_QUOTES: Final = ("'", "\u2018", "\u2019", "\u201c", "\u201d", "`")


def foreign_operator(token: Token, after: Token, operand: Token, names: Names) -> InvalidFilter | None:
    """Give the error where *token*, a field's name, is followed or joined by an operator of another language.

    Where no module says what is a field, any word may be one that is followed by an operator and what it asks for.
    """
    head, dot, method = token.text.partition(".")
    if dot and after.text == "(" and after.start == token.end and (names.module is None or names.knows(head)):
        meant = f"{head} {method.strip('_').replace('_', ' ')}"
    elif ":" in token.text and names.knows(token.text.partition(":")[0]):
        meant = " = ".join(token.text.split(":", 1)).strip()
    elif after.low in FOREIGN and (names.knows(token.text) or (names.module is None and _asks(after, operand))):
        meant, token = FOREIGN[after.low], after
    else:
        return None
    return syntax_error("no such operator", token.start, token.end, hint=f"Did you mean {meant}?")


def _asks(operator: Token, operand: Token) -> bool:
    return operand.kind in _OPERANDS or FOREIGN[operator.low].startswith("is ")


def foreign_joiner(tokens: Sequence[Token | None], terms: Sequence[Filter]) -> InvalidFilter | None:
    """Give the error where a word to look for is what joins conditions elsewhere.

    *tokens* are what the *terms* begin with, ``None`` where ``and`` stands before.  A sign joins whatever stands before
    it; a word of Spanish does between two terms of which one is a condition: ``jorge y maria`` looks for all three.
    """
    for at, token in enumerate(tokens):
        low = "" if token is None else token.low
        if token is None or low not in _JOINERS or not is_keyword(terms[at]):
            continue
        beside = [*terms[at - 1 : at], *terms[at + 1 : at + 2]] if None not in tokens[at + 1 : at + 2] else ()
        if low in _SIGNS or (len(beside) == 2 and not all(map(is_keyword, beside))):
            hint = f'Write {_JOINERS[low]}; or, for the word, "{token.text}".'
            return syntax_error(f"{token.text} joins no conditions", token.start, token.end, hint=hint)
    return None


def foreign_value(token: Token) -> InvalidFilter | None:
    """Give the error where *token* is a missing value, or a text in other quotation marks, of another language."""
    if token.kind is Kind.WORD and token.low in NO_VALUE:
        hint = f'Write is empty; or, for the text, "{token.text}".'
        return syntax_error("a missing value is compared with nothing", token.start, token.end, hint=hint)
    if token.kind is Kind.WORD and token.text.startswith(_QUOTES):
        hint = 'Put a text in quotes such as "Lima".'
        return syntax_error("only double quotes hold a text", token.start, token.end, hint=hint)
    return None


def twin_sign(before: Token, token: Token) -> str:
    """Give the hint for a sign of two, such as ``==``, of which the second stands where a value is missing."""
    meant = _TWINS.get((before.text, token.text)) if before.end == token.start else None
    return f"Did you mean {meant}?" if meant else ""
