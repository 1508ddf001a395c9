"""One of a list, several of a list."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from random import Random
from typing import Final

from nubetis.errors import InvalidValue
from nubetis.model.fields import Choice, Field, FieldType, Storage, Value
from nubetis.model.fold import fold_text
from nubetis.model.formats import Formats
from nubetis.model.kinds.base import EQUAL, MANY, plain, wrong
from nubetis.model.kinds.texts import clean_text
from nubetis.types import Cells, Row, Stored

__all__ = ["TYPES", "pack_set"]


def _check_choice(field: Field, offered: object) -> str:
    known = field.choice_values()
    if not isinstance(offered, str):
        raise wrong(field, offered, "a choice")
    if known and offered not in known:
        raise InvalidValue("unknown_choice", field=field.name, hint="", choices=", ".join(field.open_choices()))
    return clean_text(field, offered, field.max_length)


def _check_choices(field: Field, offered: object) -> tuple[str, ...]:
    if isinstance(offered, str) or not isinstance(offered, Iterable):
        raise wrong(field, offered, "several choices")
    chosen = tuple(sorted({_check_choice(field, item) for item in offered}))
    if "" in chosen:
        raise InvalidValue("empty_choice", field=field.name)
    if any('"' in item or "\\" in item for item in chosen):
        raise InvalidValue("bad_text", field=field.name, what='" or \\')
    return chosen


def pack_set(chosen: Iterable[str]) -> str | None:
    """Give the stored form of several choices: a sorted JSON array, ``None`` for none."""
    found = sorted(set(chosen))
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else None


def _pack_choices(field: Field, value: Value) -> Row:
    return (pack_set(value),)


def _unpack_choices(field: Field, row: Cells) -> Value:
    return () if row[0] is None else tuple(json.loads(str(row[0])))


def _operand_choice(field: Field, offered: object) -> tuple[tuple[str, Stored], ...]:
    return (("", _check_choice(field, offered)),)


def _label(field: Field, value: str) -> str:
    choice = field.choice_values().get(value, Choice(value))
    return choice.label or value


def _show_choice(field: Field, value: Value, formats: Formats) -> str:
    return str(value)


def _show_choices(field: Field, value: Value, formats: Formats) -> str:
    """Give the choices with ``; `` between them; one that would be read otherwise stands in quotes."""
    return "; ".join([f'"{item}"' if ";" in item or item != item.strip() or item[0] == "[" else item for item in value])


def _choice_named(field: Field, text: str) -> str:
    by_label = {fold_text(_label(field, value)): value for value in field.choice_values()}
    return by_label.get(fold_text(text), text)


def _parse_choice(field: Field, text: str, formats: Formats) -> Value:
    return field.check(_choice_named(field, text.strip()))


def _parse_choices(field: Field, text: str, formats: Formats) -> Value:
    """Read what :func:`_show_choices` gives, or a JSON list, which a cell of JSON Lines may be."""
    listed = _listed(text)
    items = [quoted or bare.strip() for quoted, bare in _ITEM.findall(text)] if listed is None else listed
    return field.check([_choice_named(field, item) for item in items if item or listed])


def _listed(text: str) -> list[str] | None:
    """Give the texts of a JSON list, numbers as they are written; ``None`` where *text* is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, list) and all(isinstance(item, str) for item in found) else None


_ITEM: Final = re.compile(r'\s*(?:"([^"]+)"\s*(?=;|\Z)|([^;]+))(?:;|\Z)')
"""One of several choices, in quotes or bare; none has a quote in it."""


def _sample_choice(field: Field, random: Random) -> str:
    return random.choice(field.open_choices() or ["norte", "sur", "Ñuñoa"])


def _sample_choices(field: Field, random: Random) -> tuple[str, ...]:
    return tuple(sorted({_sample_choice(field, random) for _ in range(random.randint(1, 3))}))


TYPES: Final[tuple[FieldType, ...]] = (
    plain(
        "choice",
        Storage.TEXT,
        check=_check_choice,
        operators=EQUAL,
        operand=_operand_choice,
        parse=_parse_choice,
        show=_show_choice,
        sample=_sample_choice,
    ),
    plain(
        "multi_choice",
        Storage.SET,
        check=_check_choices,
        pack=_pack_choices,
        unpack=_unpack_choices,
        operators=MANY,
        operand=_operand_choice,
        parse=_parse_choices,
        show=_show_choices,
        sample=_sample_choices,
    ),
)
