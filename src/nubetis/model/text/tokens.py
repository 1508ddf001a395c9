"""The words, texts and signs that a filter's text is made of, each with its span."""

from __future__ import annotations

import enum
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from nubetis.errors import InvalidFilter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["END", "FOREIGN", "NO_VALUE", "RESERVED", "Kind", "Token", "is_bare", "quoted", "syntax_error", "tokenize"]

FOREIGN: Final = {
    "like": "contains",
    "ilike": "contains",
    "includes": "contains",
    "~": "matches",
    "startswith": "starts with",
    "starts_with": "starts with",
    "endswith": "ends with",
    "ends_with": "ends with",
    "eq": "=",
    "equals": "=",
    "ne": "!=",
    "gt": ">",
    "gte": ">=",
    "ge": ">=",
    "lt": "<",
    "lte": "<=",
    "le": "<=",
    "isnull": "is empty",
    "exists": "is not empty",
    "is_empty": "is empty",
}
"""Operators of other languages, and what is written here; a text that is one of them is written in quotes."""
NO_VALUE: Final = frozenset({"null", "none"})
"""How other languages write a missing value."""

RESERVED: Final = frozenset(
    {
        *FOREIGN,
        *NO_VALUE,
        *("and", "or", "not", "is", "empty", "in", "any", "all", "of", "between", "everything", "nothing"),
        *("contains", "starts", "ends", "with", "matches", "linked", "has", "by", "changed", "from", "to"),
        *(
            "today",
            "yesterday",
            "tomorrow",
            "this",
            "last",
            "next",
            "older",
            "than",
            "me",
            "my",
            "true",
            "false",
        ),
    }
)
"""Words that the syntax uses somewhere; a text that is one of them is written in quotes."""

END: Final = "\n"
"""What the token after the last says; no word holds white space."""


class Kind(enum.Enum):
    """What a token is."""

    WORD = enum.auto()
    TEXT = enum.auto()
    """Something in quotes: never syntax."""
    SIGN = enum.auto()
    END = enum.auto()


class Token(NamedTuple):
    """One piece of the text.

    *low* is what the syntax looks at: lower case, and empty for what stood in quotes.  *start* and *end* are
    places in the text, as in slices.
    """

    kind: Kind
    text: str
    low: str
    start: int
    end: int


def syntax_error(reason: str, start: int, end: int, *, hint: str = "") -> InvalidFilter:
    """Make the error for a text that cannot be read from *start* to *end*."""
    return InvalidFilter("filter_syntax", position=start, end=end, reason=reason, hint=hint)


# Possessive (++, *+): nothing that was read is given back, so that no text costs more than its length.
_REST: Final = r"""(?P<sign>[<>!]=|[(),=<>])|(?P<quote>"(?:[^"\\]++|\\.)*+")|(?P<open>")"""
_CHARS: Final = r"""[^\s(),"=<>!]++|!(?!=)"""
_TOKEN: Final = re.compile(rf"(?P<word>(?:{_CHARS})++)|{_REST}", re.DOTALL)
_TOKEN_COMMAS: Final = re.compile(rf"(?P<word>(?:{_CHARS}|(?<=\d),(?=\d))++)|{_REST}", re.DOTALL)
_BAD: Final = re.compile("[\x00\ud800-\udfff]")


def tokenize(text: str, *, is_number: Callable[[str], bool] | None = None) -> list[Token]:
    r"""Give the tokens of *text*, then one of kind ``END``.

    With *is_number* a comma between two digits belongs to the word where that makes a number of it.

    Raises:
        InvalidFilter: a quote is not closed, or a character can stand in no text.

    >>> [token.text for token in tokenize('stage="won"')]
    ['stage', '=', 'won', '\n']
    """
    bad = _BAD.search(text)
    if bad is not None:
        raise syntax_error("a character that no text may hold", *bad.span(), hint="Remove it.")
    tokens = list(_tokens(_TOKEN.finditer(text)) if is_number is None else _comma_tokens(text, is_number))
    tokens.append(Token(Kind.END, END, END, len(text), len(text)))
    return tokens


def _tokens(matches: Iterable[re.Match[str]]) -> Iterator[Token]:
    for match in matches:
        kind, said = match.lastgroup, match[0]
        if kind == "word":
            yield Token(Kind.WORD, said, said.lower(), *match.span())
        elif kind == "sign":
            yield Token(Kind.SIGN, said, said, *match.span())
        else:
            yield _quoted_token(match)


def _comma_tokens(text: str, is_number: Callable[[str], bool]) -> Iterator[Token]:
    """Give tokens as a person writes them: 1.000,5 is one, where that is a number."""
    for match in _TOKEN_COMMAS.finditer(text):
        said = match[0]
        if match.lastgroup == "word" and "," in said and not is_number(said):
            start = match.start()
            yield from (
                each._replace(start=each.start + start, end=each.end + start) for each in _tokens(_TOKEN.finditer(said))
            )
        else:
            yield from _tokens((match,))


def _quoted_token(match: re.Match[str]) -> Token:
    if match.lastgroup == "open":
        end = len(match.string)
        raise syntax_error("the quotation mark is not closed", match.start(), end, hint='Write " at the end.')
    return Token(Kind.TEXT, _unescaped(match), "", match.start(), match.end())


# -- quotes -----------------------------------------------------------------------------------
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", '"': '"', "\\": "\\"}
_ESCAPED: Final = {char: f"\\{letter}" for letter, char in _ESCAPES.items()}
_ESCAPE: Final = re.compile(r"\\(u[0-9A-Fa-f]{4}|.)", re.DOTALL)
_SPECIAL: Final = re.compile('[\x00-\x1f"\\\\\x7f-\x9f\u2028\u2029\ud800-\udfff]')
_BARE: Final = re.compile(r"[^\W\d_][\w.@-]{0,59}")


def _unescaped(match: re.Match[str]) -> str:
    start = match.start() + 1

    def replace(escape: re.Match[str]) -> str:
        said = escape[1]
        if len(said) == 5:
            return chr(int(said[1:], 16))
        if said not in _ESCAPES:
            first, last = escape.span()
            raise syntax_error("no such escape", start + first, start + last, hint=r"Write \\ for \.")
        return _ESCAPES[said]

    said = match[0][1:-1]
    return _ESCAPE.sub(replace, said) if "\\" in said else said


def is_bare(text: str, *, besides: frozenset[str] = RESERVED) -> bool:
    """Say whether *text* can be written without quotes and taken for none of *besides* and for no number or date.

    >>> is_bare("won"), is_bare("last"), is_bare("2026"), is_bare("acme corp")
    (True, False, False, False)
    """
    return _BARE.fullmatch(text) is not None and text.lower() not in besides


def quoted(text: str, *, besides: frozenset[str] = RESERVED) -> str:
    r"""Give *text* as a filter's text writes it: bare where that is safe, in quotes otherwise, on one line.

    >>> print(quoted("won"), quoted('5" tube'))
    won "5\" tube"
    """
    return text if is_bare(text, besides=besides) else '"' + _SPECIAL.sub(_escape, text) + '"'


def _escape(match: re.Match[str]) -> str:
    return _ESCAPED.get(match[0]) or f"\\u{ord(match[0]):04x}"
