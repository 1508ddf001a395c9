"""Cleaning a table: steps that are data, and a report of what each of them changed.

A step never guesses: what it does not recognise stays as it is, and cleaning what is clean changes nothing.
A recipe says which steps; :data:`DEFAULT` gives each column the steps of what it holds
(:mod:`nubetis.data.profile`).
"""

from __future__ import annotations

import enum
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from nubetis.data.names import PARTICLES
from nubetis.data.profile import ColumnKind, profile_column
from nubetis.data.show import html_table, text_table
from nubetis.errors import require
from nubetis.model.kinds.texts import has_plus, holds_two_phones

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from nubetis.data.cells import Cell, Columns

__all__ = ["DEFAULT", "Changed", "Cleaner", "Recipe", "Report", "Step", "clean_columns", "clean_text", "steps_of"]


class Cleaner(enum.StrEnum):
    """One way to clean a text."""

    REPAIR = enum.auto()
    """UTF-8 that was read as Windows' Western code page: ``JosÃ©`` → ``José``."""
    TRIM = enum.auto()
    """White space at the ends, in rows, and characters without width."""
    MISSING = enum.auto()
    """What stands for nothing: ``-``, ``N/A``, ``s/n`` alone in a cell."""
    NAME = enum.auto()
    """A name all in capitals or all in small letters: ``MARÍA DE LA CRUZ`` → ``María de la Cruz``."""
    EMAIL = enum.auto()
    """An e-mail address without ``mailto:`` and brackets, in small letters."""
    PHONE = enum.auto()
    """A telephone number: ``+`` and digits; ``0051 (1) 445-3020`` → ``+5114453020``."""
    URL = enum.auto()
    """An address of the web that leaves out how it is fetched: ``www.acme.pe`` → ``https://www.acme.pe``."""


@attrs.frozen
class Step:
    """One cleaner on some columns: those named, else those of *kinds*, else all.

    >>> Step(Cleaner.TRIM).columns is None
    True
    """

    cleaner: Cleaner
    kinds: frozenset[ColumnKind] = frozenset()
    columns: frozenset[str] | None = None

    def wants(self, name: str, kind: ColumnKind) -> bool:
        """Tell whether the step is for the column *name*, which holds *kind*."""
        if self.columns is not None:
            return name in self.columns
        return not self.kinds or kind in self.kinds


Recipe: TypeAlias = tuple[Step, ...]
"""Steps in the order in which they are taken."""

_PASSES: Final = 4
"""A cleaner may lay bare what another mends; two passes are the rule, the second of which changes nothing."""

DEFAULT: Final[Recipe] = (
    Step(Cleaner.REPAIR),
    Step(Cleaner.TRIM),
    Step(Cleaner.MISSING),
    Step(Cleaner.NAME, frozenset({ColumnKind.PERSON})),
    Step(Cleaner.EMAIL, frozenset({ColumnKind.EMAIL})),
    Step(Cleaner.PHONE, frozenset({ColumnKind.PHONE})),
    Step(Cleaner.URL, frozenset({ColumnKind.URL})),
)
"""What is done when nothing else is said."""


def steps_of(given: Iterable[Step]) -> Recipe:
    """Give the steps of a recipe.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    require(given, Iterable, argument="recipe", expected="a list of steps")
    steps = tuple(given)
    for each in steps:
        require(each, Step, argument="recipe", expected="a list of steps")
    return steps


@attrs.frozen
class Changed:
    """What one step changed in one column; *examples* are some before and after, shortest first."""

    cleaner: Cleaner
    column: str
    cells: int
    examples: tuple[tuple[str, str], ...] = ()


@attrs.frozen(repr=False)
class Report:
    """What a cleaning changed, by step and column; what changed nothing is left out.

    >>> _, report = clean_columns({"name": [" ANA ", "luis"]})
    >>> report.cells
    1
    """

    changes: tuple[Changed, ...] = ()

    @property
    def cells(self) -> int:
        """How many changes were made; a cell counts once for each step that changed it."""
        return sum([change.cells for change in self.changes])

    def _shown(self) -> list[list[str]]:
        return [
            [change.column, change.cleaner.value, str(change.cells), *_example(change.examples)]
            for change in self.changes
        ]

    def __repr__(self) -> str:
        return text_table(("column", "step", "cells", "before", "after"), self._shown())

    def _repr_html_(self) -> str:
        return html_table(("column", "step", "cells", "before", "after"), self._shown())


def _example(examples: Sequence[tuple[str, str]]) -> tuple[str, str]:
    return examples[0] if examples else ("", "")


def clean_columns(columns: Columns, *, recipe: Recipe = DEFAULT) -> tuple[dict[str, list[Cell]], Report]:
    """Give the cleaned columns and what was changed; *columns* are left as they are.

    A step works once on each distinct value.  What a column holds is judged again before each step, on what
    the steps before have made of it.

    >>> cleaned, _ = clean_columns({"Correo": [" ANA@X.PE", None, "<luis@x.pe>"]})
    >>> cleaned
    {'Correo': ['ana@x.pe', None, 'luis@x.pe']}
    """
    found: dict[str, list[Cell]] = {}
    changes: list[Changed] = []
    for name, cells in columns.items():
        found[name] = list(cells)
        for _ in range(_PASSES):
            found[name], made = _clean_column(name, found[name], recipe)
            changes += made
            if not made:
                break
    return found, Report(tuple(changes))


def _clean_column(name: str, cells: list[Cell], recipe: Recipe) -> tuple[list[Cell], list[Changed]]:
    changes: list[Changed] = []
    for step in recipe:
        asks = step.columns is None and step.kinds
        if step.wants(name, profile_column(name, cells).kind if asks else ColumnKind.TEXT):
            cells, made = _apply(step.cleaner, name, cells)
            changes += made
    return cells, changes


def _apply(cleaner: Cleaner, column: str, cells: list[Cell]) -> tuple[list[Cell], list[Changed]]:
    counts = Counter([cell for cell in cells if cell is not None])
    made: dict[str, Cell] = {cell: clean_text(cell, cleaner) for cell in counts}
    if cleaner in {Cleaner.TRIM, Cleaner.MISSING}:
        made = {cell: after or None for cell, after in made.items()}
    different = sorted([cell for cell, after in made.items() if after != cell], key=lambda cell: (len(cell), cell))
    if not different:
        return cells, []
    examples = tuple([(cell, made[cell] or "") for cell in different[:3]])
    changed = Changed(cleaner, column, sum([counts[cell] for cell in different]), examples)
    return [None if cell is None else made[cell] for cell in cells], [changed]


def clean_text(text: str, cleaner: Cleaner) -> str:
    """Give *text* cleaned in one way.

    >>> clean_text("JOSÉ O'DONNELL DE LA CRUZ", Cleaner.NAME), clean_text("(01) 445-3020", Cleaner.PHONE)
    ("José O'Donnell de la Cruz", '014453020')
    """
    return _CLEANERS[cleaner](text)


# --- the cleaners ----------------------------------------------------------------------------------

_SPACES: Final = re.compile(r"[^\S\n\r]+")
_LINE_ENDS: Final = re.compile(r" *(\r\n|\r|\n) *")
_NO_WIDTH: Final = dict.fromkeys([0x200B, 0x2060, 0xFEFF])
_NO_WIDTH_ENDS: Final = "\u200c\u200d\u200e\u200f"
_TWICE: Final = re.compile("[\u00c2-\u00f4\u0102\u0103][\u0080-\u00bf\u0152-\u0192\u02c6\u02dc\u2013-\u2122\u20ac]")


def _trim(text: str) -> str:
    bare = _SPACES.sub(" ", text.translate(_NO_WIDTH))
    return _LINE_ENDS.sub("\n", bare).strip().strip(_NO_WIDTH_ENDS).strip()


def _repair(text: str) -> str:
    while _TWICE.search(text):
        try:
            once = bytes([_WESTERN[char] for char in text]).decode("utf-8")
        except (UnicodeError, KeyError):
            return text
        text = once
    return text


def _western_bytes() -> dict[str, int]:
    """Give the byte of each character as Windows reads it; the five bytes it has no character for are C1."""
    return {bytes([byte]).decode("cp1252", "ignore") or chr(byte): byte for byte in range(256)}


_WESTERN: Final = _western_bytes()


_NOTHING: Final = re.compile(r"[-–—._?]+|#?n/a|n\.a\.|s/[nd]|s\.[nd]\.|sin datos?", re.IGNORECASE)


def _missing(text: str) -> str:
    return "" if len(text) < 12 and _NOTHING.fullmatch(text) else text


_ROMAN: Final = frozenset({"ii", "iii", "iv", "vi", "vii", "viii"})
_WORD: Final = re.compile(r"[^\W\d_]+", re.UNICODE)


def _name(text: str) -> str:
    """Set a name that is all of one case; one that mixes cases was written by somebody who knows."""
    letters = [char for char in text if char.isalpha()]
    if len(letters) < 2 or not (text.isupper() or text.islower()):
        return text
    words = text.lower().split(" ")
    return " ".join([_name_word(word, first=place == 0) for place, word in enumerate(words)])


def _name_word(word: str, *, first: bool) -> str:
    if word in _ROMAN:
        return word.upper()
    if word in PARTICLES and not first:
        return word
    return _WORD.sub(_capital, word)


def _capital(found: re.Match[str]) -> str:
    """Give the letters with a capital; a final *'s* stays small, and so does a letter without a capital."""
    letters = found[0]
    upper = letters[0].upper()
    is_tail = len(letters) == 1 and found.start() > 0 and found.string[found.start() - 1] in "'’"
    return letters if is_tail or len(upper) > 1 else upper + letters[1:]


_MAIL_TO: Final = re.compile(r"(?:mailto:)?\s*<?\s*([^@\s,;<>()\"]+@[^@\s,;<>()\"]+?)\s*>?[\s.,;]*", re.IGNORECASE)
_NAMED_MAIL: Final = re.compile(r"[^<>@]*<\s*(?:mailto:)?([^@\s,;<>()\"]+@[^@\s,;<>()\"]+?)\s*>[\s.,;]*", re.IGNORECASE)


def _email(text: str) -> str:
    bare = text.strip()
    found = _MAIL_TO.fullmatch(bare) or _NAMED_MAIL.fullmatch(bare)
    return found[1].lower() if found else text


_BARE_URL: Final = re.compile(r"www\.[^\s/?#]+\.[^\s/?#.]+(?:[/?#]\S*)?", re.IGNORECASE)


def _url(text: str) -> str:
    bare = text.strip()
    return f"https://{bare}" if _BARE_URL.fullmatch(bare) else text


_EXTENSION: Final = re.compile(r"\s*(?:x|ext\.?|extension|anexo|int\.?|interno|ramal)\s*(\d{1,6})", re.IGNORECASE)
_PHONE_SIGNS: Final = re.compile(r"[0-9\s().\-/\u2010-\u2015]+")


def _phone(text: str) -> str:
    """Leave digits and a leading +; what is no telephone number, or two, stays as it is."""
    bare = text.strip()
    extension = _EXTENSION.search(bare)
    number = bare[: extension.start()] if extension and extension.end() == len(bare) else bare
    plus = has_plus(number)
    signs = number.replace("+", "", 1) if plus else number
    if holds_two_phones(bare) or not _PHONE_SIGNS.fullmatch(signs):
        return text
    tail = extension[1] if extension and number != bare else ""
    return _phone_of(signs, plus=plus, extension=tail) or text


def _phone_of(signs: str, *, plus: bool, extension: str) -> str:
    abroad = plus or signs.lstrip("( ").startswith("00")
    bare = _without_trunk(signs if plus else signs.replace("00", "", 1)) if abroad else signs
    digits = "".join([char for char in bare if char in "0123456789"])
    if not 6 <= len(digits) <= 15 or (abroad and digits[0] == "0"):
        return ""
    return ("+" if abroad else "") + digits + (f" ext {extension}" if extension else "")


_CODE: Final = re.compile(r"\D*([1-9]\d{0,2})\D+(?=0)")
_BEGIN_WITH_0: Final = frozenset({"39", "225", "229", "241", "242", "378", "379"})
"""Codes of countries whose numbers begin with a zero that is dialled from abroad as well."""
_TRUNKS: Final = {"36": ("06", "0"), "52": ("01", "0")}
"""Code of country → what is dialled before a number inside it, where that is not a zero alone."""


def _without_trunk(signs: str) -> str:
    """Take away what is dialled inside a country only, behind its code: the zero of ``51 (01) 445``."""
    found = _CODE.match(signs)
    if found is None or found[1] in _BEGIN_WITH_0:
        return signs
    rest = signs[found.end() :]
    trunk = next(each for each in _TRUNKS.get(found[1], ("0",)) if rest.startswith(each))
    return found[0] + rest.removeprefix(trunk)


_CLEANERS: Final[Mapping[Cleaner, Callable[[str], str]]] = {
    Cleaner.REPAIR: _repair,
    Cleaner.TRIM: _trim,
    Cleaner.MISSING: _missing,
    Cleaner.NAME: _name,
    Cleaner.EMAIL: _email,
    Cleaner.PHONE: _phone,
    Cleaner.URL: _url,
}
