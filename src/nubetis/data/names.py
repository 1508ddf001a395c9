"""Whole names of persons, told apart into first and last names, and put together again.

Words that belong to the next one (*de la Cruz*, *Dr. Luis*) count as one with it.  Then one word is a last name; of two
and three the first is the first name, of more the first two: *Ana Ruiz*, *Ana Ruiz Soto*, *Ana María Ruiz Soto*.  What
stands before a comma is the last name: *Ruiz Soto, Ana María*.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nubetis.model.fields import Value
    from nubetis.model.schema import Module

__all__ = ["NAMES", "PARTICLES", "PICKS", "WHOLE", "has_whole_name", "name_whole", "split_name"]

NAMES: Final = ("first_name", "last_name")
WHOLE: Final = "+".join(NAMES)
"""What a column of whole names fills."""

PARTICLES: Final = frozenset(
    "a al ap bin da das de del dela den der di do dos du e ibn la las le los of und van von y zu".split()  # noqa: SIM905
)
_TITLES: Final = frozenset("don doña dr dra ing lic miss mr mrs ms prof profa sr sra srta".split())  # noqa: SIM905
_BEFORE: Final = PARTICLES | _TITLES
_BEHIND: Final = frozenset("ii iii iv jr md phd sr".split())  # noqa: SIM905


@lru_cache(maxsize=1024)
def split_name(name: str) -> tuple[str, str]:
    """Give the first and the last name of a person; of one word, the last.

    >>> split_name("Ana María de la Cruz Soto"), split_name("Ruiz, Ana"), split_name("Ana")
    (('Ana María', 'de la Cruz Soto'), ('Ana', 'Ruiz'), ('', 'Ana'))
    """
    bare = name.strip(" ,")
    before, comma, behind = (part.strip() for part in bare.partition(","))
    if comma and behind.lower().rstrip(".") not in _BEHIND:
        return behind, before
    words = _units(bare.split())
    firsts = 0 if len(words) < 2 else 1 if len(words) < 4 else 2
    return " ".join(words[:firsts]), " ".join(words[firsts:])


def _units(words: Iterable[str]) -> list[str]:
    """Give *words*, each with those before it that belong to it, and those that only end a name with the one before."""
    found: list[str] = []
    held: list[str] = []
    for word in words:
        bare = word.lower().rstrip(".")
        if found and not held and bare in _BEHIND:
            found[-1] += f" {word}"
            continue
        held.append(word)
        if bare not in _BEFORE:
            found.append(" ".join(held))
            held = []
    return [*found[:-1], " ".join([*found[-1:], *held])] if held else found


PICKS: Final[Mapping[str, Callable[[str], str]]] = {
    "first_name": lambda name: split_name(name)[0],
    "last_name": lambda name: split_name(name)[1],
}
"""What each field takes of a whole name."""


def has_whole_name(module: Module) -> bool:
    """Tell whether records of *module* are titled by a whole name, and have the first and the last one beside it."""
    return module.title == "name" and {"name", *NAMES} <= module.layout.slots.keys()


def name_whole(record: MutableMapping[str, Value]) -> None:
    """Give *record* the whole name that its first and last names make, where it has none.

    >>> lead = {"first_name": "Ana", "last_name": "Ruiz"}
    >>> name_whole(lead)
    >>> lead["name"]
    'Ana Ruiz'
    """
    whole = " ".join([str(record[each]) for each in NAMES if record.get(each)])
    if whole and not record.get("name"):
        record["name"] = whole
