"""A place in a row of tokens, which only goes forward."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from nubetis.model.text.names import Names
from nubetis.model.text.tokens import Token, syntax_error

if TYPE_CHECKING:
    from nubetis.errors import InvalidFilter

__all__ = ["Cursor"]


@attrs.define
class Cursor:
    """Reads tokens one after another; *names* are those of the module that is spoken of just now."""

    tokens: Sequence[Token]
    names: Names
    at: int = 0

    @property
    def here(self) -> Token:
        """The next token."""
        return self.tokens[self.at]

    @property
    def after(self) -> Token:
        """The token after the next; the end follows the end."""
        return self.tokens[min(self.at + 1, len(self.tokens) - 1)]

    @property
    def ahead(self) -> tuple[Token, Token]:
        """The two tokens after the next."""
        last = len(self.tokens) - 1
        return self.tokens[min(self.at + 1, last)], self.tokens[min(self.at + 2, last)]

    def next(self) -> Token:
        """Give the next token and go past it."""
        token = self.tokens[self.at]
        self.at += 1
        return token

    def take(self, low: str) -> bool:
        """Go past the next token if it says *low*."""
        if self.tokens[self.at].low != low:
            return False
        self.at += 1
        return True

    def expect(self, low: str, what: str) -> None:
        """Go past *low*, which must come now; *what* says what is missing otherwise."""
        if not self.take(low):
            raise self.missing(what)

    def missing(self, what: str, *, hint: str = "") -> InvalidFilter:
        """Make the error that *what* is missing here."""
        token = self.here
        return syntax_error(f"{what} is missing", token.start, token.end, hint=hint)
