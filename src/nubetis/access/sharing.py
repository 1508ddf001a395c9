"""Who shares what with whom: levels, principals, groups, organisation-wide defaults and sharing rules, as values."""

from __future__ import annotations

import enum
from functools import lru_cache
from typing import Final

import attrs

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue
from nubetis.model.bind import AnyOf, Missing, Test
from nubetis.model.fields import Operator
from nubetis.model.filters import Filter
from nubetis.model.ids import decode, encode
from nubetis.types import FieldId, Key, ModuleId

__all__ = [
    "BY_PARENT",
    "ELSEWHERE",
    "EVERYBODY",
    "GRANTED",
    "NEEDED",
    "Default",
    "Level",
    "Principal",
    "PrincipalKind",
    "Rule",
    "lasting",
]


class Level(enum.IntEnum):
    """How far a grant goes; each holds what is less."""

    NONE = 0
    READ = 1
    WRITE = 2
    DELETE = 3

    @property
    def text(self) -> str:
        """The text in which it is kept, and given."""
        return self.name.lower()

    @classmethod
    def parse(cls, text: object, *, argument: str = "level") -> Level:
        """Read what :attr:`text` gives, given as *argument*.

        >>> Level.parse("write") is Level.WRITE
        True

        Raises:
            InvalidValue: ``bad_argument``.
        """
        if isinstance(text, str) and text in _LEVELS:
            return _LEVELS[text]
        reason = f"give {', '.join(_LEVELS)}"
        other = text.casefold() if isinstance(text, str) else ""
        if other == BY_PARENT:
            reason = "say controlled by parent with parent and parent_level"
        elif other in ELSEWHERE:
            reason = f"{other} is called {ELSEWHERE[other].text} here"
        raise InvalidValue("bad_argument", argument=argument, reason=reason)


_LEVELS: Final = {level.text: level for level in Level}
ELSEWHERE: Final = {
    "private": Level.NONE, "public read": Level.READ, "public read/write": Level.WRITE,
    "public read/write/delete": Level.DELETE,
}  # fmt: skip
"""What everybody has, as other systems call it."""
BY_PARENT: Final = "controlled by parent"
"""The same, where it is no level but two things to say."""
GRANTED: Final = (Level.READ, Level.WRITE, Level.DELETE)
"""The levels to which something can be given."""


NEEDED: Final[dict[Action, Level]] = {
    Action.VIEW: Level.READ,
    Action.EXPORT: Level.READ,
    Action.SEND_MAIL: Level.READ,
    Action.MASS_MAIL: Level.READ,
    Action.EDIT: Level.WRITE,
    Action.MASS_UPDATE: Level.WRITE,
    Action.DELETE: Level.DELETE,
    Action.MASS_DELETE: Level.DELETE,
    Action.MERGE: Level.DELETE,
    Action.SHARE: Level.DELETE,
    Action.TRANSFER: Level.DELETE,
}
"""The level of a grant that an action asks of a record; to create and to import ask of none."""


class PrincipalKind(enum.StrEnum):
    """What a principal is; the values begin its text."""

    USER = "use"
    ROLE = "rol"
    GROUP = "gro"
    EVERYBODY = "everybody"


@attrs.frozen
class Principal:
    """A user, those of a role (with *subordinates*, of those below it, too), a group, or everybody.

    >>> Principal.parse("everybody") == EVERYBODY, EVERYBODY.text
    (True, 'everybody')
    """

    kind: PrincipalKind
    key: Key = Key(0)
    subordinates: bool = False

    @property
    def text(self) -> str:
        """The text in which it is kept: the record's id, with a ``+`` for those below a role."""
        if self.kind is PrincipalKind.EVERYBODY:
            return self.kind.value
        return f"{encode(self.kind.value, self.key)}{'+' if self.subordinates else ''}"

    @classmethod
    def parse(cls, text: str) -> Principal:
        """Read what :attr:`text` gives.

        Raises:
            InvalidValue: ``bad_principal``; or ``bad_id``, it is mistyped.
        """
        return _parsed(text)


_KNOWN: Final = 10_000
"""Texts of principals that are read already."""


@lru_cache(maxsize=_KNOWN)
def _parsed(text: str) -> Principal:
    if text == PrincipalKind.EVERYBODY.value:
        return EVERYBODY
    prefix, key = decode(text.removesuffix("+"))
    if prefix not in _WITH_KEY or (text.endswith("+") and prefix != PrincipalKind.ROLE.value):
        raise InvalidValue("bad_principal", given=text[:60])
    return Principal(PrincipalKind(prefix), key, text.endswith("+"))


_WITH_KEY: Final = frozenset(PrincipalKind) - {PrincipalKind.EVERYBODY}
EVERYBODY: Final = Principal(PrincipalKind.EVERYBODY)


@attrs.frozen(kw_only=True)
class Default:
    """What everybody has in a module (*level*), and what goes up the tree of roles (*upward*).

    With a *parent*, a link of the module, whoever may view the linked record has *parent_level*.
    """

    level: Level = Level.NONE
    upward: Level = Level.DELETE
    parent: FieldId | None = None
    parent_level: Level = Level.NONE


@attrs.frozen(kw_only=True)
class Rule:
    """A sharing rule of *module*: the records owned by *source*, or those that fit *where*, are shared with *target*.

    With *superiors* also with whoever is above one of *target* in the tree of roles.
    """

    key: Key
    name: str
    module: ModuleId
    target: Principal
    level: Level
    source: Principal | None = None
    where: Filter | None = None
    superiors: bool = False


def lasting(now: str) -> AnyOf:
    """Give what holds for shares and delegations that are not over at *now*, the text of an instant."""
    return AnyOf((Missing("until"), Test("until", Operator.GT, now)))
