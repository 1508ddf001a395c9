"""Finding a place for a file's columns: a standard module that they fit, or one of their own."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from nubetis import Field, Module
from nubetis.cli.texts import _
from nubetis.data import ColumnKind, FieldMap, Mapped, fitting_map, map_columns, map_table, profile_columns
from nubetis.data.mapping import normal_header
from nubetis.data.names import has_whole_name
from nubetis.data.written import WrittenFormats, written_formats
from nubetis.errors import InvalidValue
from nubetis.i18n import LANGUAGES, label_in
from nubetis.model.fields import check_name
from nubetis.model.fold import fold_keyword
from nubetis.model.kinds import kind
from nubetis.model.schema import Schema
from nubetis.model.standard import STANDARD_MODULES

if TYPE_CHECKING:
    from nubetis import Table
    from nubetis.data import Cell, Profile

__all__ = ["Fit", "currency_of", "find_fit"]

_CANDIDATES: Final = ("contacts", "accounts", "leads", "deals", "products", "tasks")
"""Modules that a file may be for; of those that fit it as well, the first."""
_OTHERWISE: Final = "USD"
_ENOUGH: Final = 1.5
_SHORT: Final = 255
_TITLES: Final = (ColumnKind.PERSON, ColumnKind.TEXT, ColumnKind.CATEGORY, ColumnKind.LONG)


@attrs.frozen(kw_only=True)
class Fit:
    """Where a table goes: into which module of which schema, which column into which field."""

    schema: Schema
    module: str
    field_map: FieldMap
    own_module: bool = False
    own_fields: tuple[str, ...] = ()
    """Columns that got a field of their own."""


def find_fit(table: Table, schema: Schema, *, file: str, keep: bool = True) -> Fit:
    """Find the standard module that the columns fit best; make one of their own where none does.

    With *keep*, columns that fill no field get fields of their own.
    """
    words = frozenset(normal_header(Path(file).name.partition(".")[0]).split())
    scored = [(_score(each), each) for each in (_standard(table, schema.module(name)) for name in _CANDIDATES)]
    fitting = [pair for pair in scored if pair[0] >= _ENOUGH and _is_titled(pair[1], schema)]
    if not fitting:
        return _own_module(table, schema, file=file)
    best = max(fitting, key=lambda pair: pair[0] + _is_named(schema.module(pair[1].module), words))[1]
    module = schema.module(best.module)
    fit = Fit(schema=schema, module=module.name, field_map=best)
    return _with_own_fields(fit, table) if keep else fit


def _standard(table: Table, module: Module) -> FieldMap:
    found = map_table(table, module)
    return fitting_map(table, found, module)


def _is_titled(field_map: FieldMap, schema: Schema) -> bool:
    """Tell whether a map fills what records of its module are called by."""
    module = schema.module(field_map.module)
    title = "last_name" if has_whole_name(module) and "name" not in field_map.filled else module.title
    return title in field_map.filled


def _is_named(module: Module, words: frozenset[str]) -> bool:
    """Tell whether the words of a file's name name a module."""
    labels = [normal_header(label_in(language, module.label)).split() for language in LANGUAGES]
    return any(words.issuperset(label) for label in labels)


def currency_of(table: Table) -> str:
    """Give the currency that the amounts of a file name most often."""
    formats, votes = WrittenFormats(), Counter[str]()
    for module in STANDARD_MODULES:
        money = {str(field.name) for field in module.fields if field.type.name == "money"}
        for path, column in map_columns(table.columns, module=module.name).filled.items():
            if path in money:
                votes.update(_told(lambda cell: formats.parse_money(cell)[1], table[column]))
            elif path.removesuffix(".currency") in money:
                votes.update(_told(formats.parse_currency, table[column]))
    return max(votes, key=lambda code: (votes[code], code), default=_OTHERWISE)


def _told(read: Callable[[str], str | None], cells: Iterable[Cell]) -> Iterator[str]:
    for cell in cells:
        try:
            said = read(cell) if cell else None
        except InvalidValue:
            continue
        if said is not None:
            yield said


def _score(field_map: FieldMap) -> float:
    return sum(each.confidence for each in field_map if each.field is not None)


# --- fields and modules of their own ---------------------------------------------------------------


def _with_own_fields(fit: Fit, table: Table) -> Fit:
    """Give every column with values that fills no field one of its own: of dates where all are, else of text."""
    profiles = {each.name: each for each in profile_columns(table.to_dict())}
    wanted = [profiles[column] for column in fit.field_map.unmapped if profiles[column].kind is not ColumnKind.EMPTY]
    schema = fit.schema
    taken = set(map(str, schema.module(fit.module).layout.slots))
    chosen: dict[str, str | None] = {}
    for profile in wanted:
        text = _text_field(profile, table, taken)
        dates = attrs.evolve(text, type=kind("date"), searchable=False)
        field = dates if profile.kind is ColumnKind.DATE and _all_dates(fit, table, profile.name, dates) else text
        schema = schema.with_field(fit.module, field)
        chosen[profile.name] = str(field.name)
    names = tuple(each.name for each in wanted)
    columns = [_made_for(each) if each.column in chosen else each for each in fit.field_map.changed(chosen)]
    field_map = attrs.evolve(fit.field_map, columns=tuple(columns))
    return attrs.evolve(fit, schema=schema, field_map=field_map, own_fields=names)


def _all_dates(fit: Fit, table: Table, column: str, field: Field) -> bool:
    """Tell whether each cell of a column is a date in only one way, as the file writes dates."""
    module = fit.schema.with_field(fit.module, field).module(fit.module)
    formats = written_formats(table, fit.field_map.changed({column: str(field.name)}), module)
    cells = [cell for cell in table[column] if cell and not cell.isspace()]
    return len(list(_told(lambda cell: formats.parse_date(cell).isoformat(), cells))) == len(cells)


def _made_for(each: Mapped) -> Mapped:
    return attrs.evolve(each, because=_("a field made for it"))


def _own_module(table: Table, schema: Schema, *, file: str) -> Fit:
    taken: set[str] = {"id", "version", "owner", "tags"}
    profiles = sorted(profile_columns(table.to_dict()), key=_title_rank)
    fields = [_text_field(each, table, taken) for each in profiles]
    name = _free(_slug(Path(file).name.partition(".")[0], "list"), {str(module.name) for module in schema.modules})
    new = Module(
        name=name, label=Path(file).stem[:60] or name, fields=fields or [Field(name="name", type=kind("text"))]
    )
    mapped = {each.name: str(field.name) for each, field in zip(profiles, fields, strict=True)}
    columns = tuple(Mapped(column, mapped[column], 1.0, _("a field made for it")) for column in table.columns)
    changed = schema.with_module(new)
    own = tuple(table.columns)
    return Fit(schema=changed, module=name, field_map=FieldMap(name, columns), own_module=True, own_fields=own)


def _title_rank(profile: Profile) -> tuple[int, int]:
    """Put first what names a row best: words, filled and distinct."""
    return (_TITLES.index(profile.kind) if profile.kind in _TITLES else len(_TITLES), -profile.distinct)


def _text_field(profile: Profile, table: Table, taken: set[str]) -> Field:
    name = _slug(profile.name, "field")
    name = _free(f"file_{name}" if name in taken else name, taken)
    taken.add(name)
    longest = max([len(cell) for cell in table[profile.name] if cell], default=0)
    kind_name = "text" if longest <= _SHORT else "long_text"
    return Field(name=name, label=profile.name[:60], type=kind(kind_name), searchable=True)


def _slug(text: str, otherwise: str) -> str:
    """Give an API name for a header."""
    words = re.findall(r"[a-z0-9]+", fold_keyword(text))
    name = "_".join(words)[:40].strip("_")
    name = name if name[:1].isalpha() else f"{otherwise}_{name}".rstrip("_")
    try:
        return check_name(name, what="field")
    except ValueError:
        return f"{otherwise}_{name}"


def _free(name: str, taken: Iterable[str]) -> str:
    known, number, found = set(taken), 1, name
    while found in known:
        number += 1
        found = f"{name}_{number}"
    return found
