"""The schema, judged by what is kept in it: fields that are unused, always empty, of the wrong type, named twice.

One pass over the records of each module, in streaming columns; what is remembered of a field does not grow with the
records.  A :class:`Remark` is a code, its figures, and a remedy; nothing is changed.

=====================  ==============================================================================================
``field_unused``       no record has a value, and no filter, rule, index or title speaks of the field
``field_empty``        no record has a value, and something speaks of it all the same
``field_default``      every record has the default: nobody ever chose
``field_drifted``      a text all of whose values read as another type (*kind*)
``field_few``          a text with a handful of values: a choice
``field_unfiltered``   an index that no stored filter or rule makes use of
``label_twice``        two fields of a module, or two modules, that a person cannot tell apart
=====================  ==============================================================================================

Stored filters are the validation rules of modules, and those of retention rules and legal holds.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.data.profile import names_code
from nubetis.errors import AccessDenied, NubetisError, names_or_all, sentence
from nubetis.model.convert import from_json
from nubetis.model.fields import Field, Value
from nubetis.model.filters import Filter
from nubetis.model.fold import fold_text
from nubetis.model.numbered import asked as fields_asked
from nubetis.model.schema import Module, Schema
from nubetis.types import FieldName, ModuleName

if TYPE_CHECKING:
    from nubetis.model.door import Reader

__all__ = ["REMARKS", "FieldFigures", "ModuleFigures", "Remark", "SchemaReport", "lint_schema", "reads_as"]

REMARKS: Final[dict[str, tuple[str, str]]] = {
    "field_unused": (
        "None of {records} records has a value in {field}, and nothing else speaks of it.",
        "Retire the field; purge it later.",
    ),
    "field_empty": (
        "None of {records} records has a value in {field}, though filters, rules or indexes speak of it.",
        "Fill the field, or take it out of what speaks of it and retire it.",
    ),
    "field_default": (
        "All {records} records have the default in {field}.",
        "Ask whether anybody needs the choice; if not, retire the field.",
    ),
    "field_drifted": (
        "{field} is {type}, and all its {filled} values read as {kind}.",
        "Make a new field of that type, copy the values, retire the old one.",
    ),
    "field_few": (
        "{field} is {type}, and its {filled} values are only {distinct} different ones.",
        "Make a new choice field with these values, copy them, retire the old one.",
    ),
    "field_unfiltered": (
        "{field} is indexed, and no stored filter or rule asks for it.",
        "Where no host asks for it either, take the index away: each write keeps it up.",
    ),
    "label_twice": (
        "{field} and {other} have the same label.",
        "Give one of them another label.",
    ),
}
"""Code → what is the case, and what to do; the placeholders are the remark's parameters."""

_TEXTS: Final = frozenset({"text", "long_text"})
_FEW: Final = 20
_PART: Final = 10
"""Values for each different one, from which on they are few."""


@attrs.frozen(kw_only=True)
class Remark:
    """One thing that is not as it might be: *field* of *module*, the figures in *params*.

    *field* is ``None`` where the module itself is meant.
    """

    code: str
    module: ModuleName
    field: FieldName | None = None
    params: Mapping[str, object] = attrs.field(factory=dict)

    @property
    def remedy(self) -> str:
        """What to do, in English; :func:`nubetis.i18n.phrase` says it in another language."""
        return REMARKS[self.code][1]

    def __str__(self) -> str:
        return sentence(REMARKS[self.code][0], self.params)


@attrs.frozen(kw_only=True)
class FieldFigures:
    """What is known of one field: how many records have a value, and how many the default.

    Of texts, *kind* is the type as which all values read, *distinct* the number of different ones while they are few.
    """

    name: FieldName
    type: str
    filled: int
    default: int
    kind: str | None = None
    distinct: int | None = None
    asked: bool = False
    """Whether a filter, rule, index, tally or title speaks of it."""


@attrs.frozen(kw_only=True)
class ModuleFigures:
    """The figures of one module's fields."""

    name: ModuleName
    records: int
    fields: tuple[FieldFigures, ...]


@attrs.frozen(kw_only=True)
class SchemaReport:
    """What was found, module by module in the schema's order, and the figures behind it."""

    remarks: tuple[Remark, ...] = ()
    modules: tuple[ModuleFigures, ...] = ()

    def of(self, code: str) -> tuple[Remark, ...]:
        """Give the remarks with *code*."""
        return tuple([each for each in self.remarks if each.code == code])


def lint_schema(door: Reader, *, modules: Sequence[str] | None = None, least: int = 20) -> SchemaReport:
    """Judge the fields of *modules*, of all that are not nubetis's own where it is not given.

    Of modules with fewer than *least* records, and texts with fewer values, nothing is concluded but what labels say.
    Records and fields that the user may not see are not looked at: let an administrator do it.

    Cost: one pass over the records; memory for a few values a field.

    Raises:
        NotFound: ``unknown_module``.
        InvalidValue: ``bad_argument``; *modules* is empty.
    """
    names = names_or_all(modules, argument="modules", expected="names of modules")
    kept = list(_kept(door))  # whoever reads learns of a new schema, too
    schema = door.schema
    own = (each.name for each in schema.modules if not each.system)
    chosen = [schema.module(name) for name in (own if names is None else names)]
    asked = _asked(schema, kept)
    found: list[Remark] = list(_same_modules(chosen))
    figures: list[ModuleFigures] = []
    for module in chosen:
        counted = _counted(door, module, asked)
        figures.append(counted)
        found += _remarks(module, counted, asked, least)
    return SchemaReport(remarks=tuple(found), modules=tuple(figures))


# -- what values say --------------------------------------------------------------------------------------------------
_DAY_MONTH: Final = r"(0?[1-9]|[12]\d|3[01])[-/.](0?[1-9]|[12]\d|3[01])"
"""Either first."""
_DAY: Final = rf"(\d{{4}}[-/.](0?[1-9]|1[0-2])[-/.](0?[1-9]|[12]\d|3[01])|{_DAY_MONTH}[-/.]\d{{4}})"
_READS: Final[dict[str, re.Pattern[str]]] = {
    "boolean": re.compile(r"true|false|yes|no|s[ií]", re.IGNORECASE),
    "integer": re.compile(r"[-+]?(0|[1-9][0-9]{0,17})"),
    "decimal": re.compile(r"[-+]?(0|[1-9][0-9]{0,2}([.,]?[0-9]{3})*)([.,][0-9]+)?"),
    "date": re.compile(_DAY, re.ASCII),
    "datetime": re.compile(_DAY + r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?\s?(Z|[-+]\d\d:?\d\d)?", re.ASCII),
    "email": re.compile(r"[^@\s,;<>]+@[^@\s,;<>.]+\.[^@\s,;<>]+"),
    "url": re.compile(r"https?://\S+", re.IGNORECASE),
    "phone": re.compile(r"\(?\+[\d\s()./-]{6,24}\d|\(?\d{2,4}[)\s./-]+\d{3,4}[\s./-]?\d{3,4}", re.ASCII),
}


def reads_as(text: str) -> frozenset[str]:
    """Give the field types as which *text* reads, the text without what stands round it.

    Digits with a zero before them are a code, and no number.

    >>> sorted(reads_as("12")), sorted(reads_as("ana@acme.pe")), sorted(reads_as("01234567"))
    (['decimal', 'integer'], ['email'], [])
    """
    bare = text.strip()
    return frozenset([name for name, pattern in _READS.items() if pattern.fullmatch(bare)])


@attrs.define
class _Column:
    """What is remembered of one field while its values go by."""

    field: Field
    filled: int = 0
    default: int = 0
    kinds: frozenset[str] = frozenset(_READS)
    few: set[str] | None = attrs.field(factory=set)

    def see(self, values: Sequence[Value]) -> None:
        """Look at some values."""
        there = [value for value in values if value is not None and value != ()]
        self.filled += len(there)
        self.default += sum([value == self.field.default for value in there])
        if self.field.type.name in _TEXTS:
            self._see_texts(there)

    def _see_texts(self, texts: Sequence[str]) -> None:
        for text in texts if self.kinds else ():
            self.kinds &= reads_as(text)
            if not self.kinds:
                break
        if self.few is not None:
            self.few.update(texts)
            self.few = self.few if len(self.few) <= _FEW else None

    def figures(self, *, asked: bool) -> FieldFigures:
        """Give what was seen."""
        text = self.field.type.name in _TEXTS and self.filled > 0
        kind = next((name for name in _READS if name in self.kinds), None) if text else None
        code = kind in {"integer", "decimal"} and names_code(self.field.name)
        return FieldFigures(
            name=self.field.name,
            type=self.field.type.name,
            filled=self.filled,
            default=self.default,
            kind=None if code else kind,
            distinct=len(self.few) if text and self.few is not None else None,
            asked=asked,
        )


def _counted(door: Reader, module: Module, asked: _Asked) -> ModuleFigures:
    columns = [_Column(field) for field in _own(module)]
    records = 0
    for batch in door.stream(module.name, fields=["id", *[each.field.name for each in columns]]):
        records += len(batch[0])
        for column, values in zip(columns, batch[1:], strict=True):
            column.see(values)
    figures = [each.figures(asked=asked(module.name, each.field.name)) for each in columns]
    return ModuleFigures(name=module.name, records=records, fields=tuple(figures))


def _own(module: Module) -> list[Field]:
    """Give the fields that are the module's own, and in use."""
    return [module.field(field.name) for field in module.fields if field.name in module.layout.slots]


# -- what speaks of fields --------------------------------------------------------------------------------------------
@attrs.frozen
class _Asked:
    """Which fields filters and rules ask for, and which the modules themselves speak of."""

    filters: frozenset[tuple[str, str]]
    modules: frozenset[tuple[str, str]]

    def __call__(self, module: str, field: str) -> bool:
        return (module, field) in self.filters or (module, field) in self.modules


def _asked(schema: Schema, kept: Iterable[tuple[int, Filter]]) -> _Asked:
    stored = [(module, rule.where) for module in schema.modules for rule in module.rules]
    modules = schema.by_id
    stored += [(modules[number], where) for number, where in kept if number in modules]
    found = [each for module, where in stored for each in fields_asked(where, module, schema)]
    speaking = {(str(of.name), str(field.name)) for _, of, field in found if field is not None}
    own = {
        (str(module.name), name)
        for module in schema.modules
        for name in (str(module.title), *module.tallied_by, *_together(module))
    }
    return _Asked(frozenset(speaking), frozenset(own))


def _together(module: Module) -> Iterator[str]:
    return (name.partition(".")[0] for names in module.indexes for name in names)


def _kept(door: Reader) -> Iterator[tuple[int, Filter]]:
    """Give the filters of holds, retention and sharing rules that one may read, and the numbers of their modules."""
    for keeper in ("holds", "retention_rules", "sharing_rules"):
        with suppress(AccessDenied):
            for numbers, texts in door.stream(keeper, fields=("module", "where")):
                found = zip(numbers, map(_filter_of, texts), strict=True)
                yield from [(number, where) for number, where in found if where is not None]


def _filter_of(text: str | None) -> Filter | None:
    try:
        return None if text is None else from_json(json.loads(text), Filter)
    except (NubetisError, ValueError, RecursionError):
        return None  # what nubetis did not write speaks of no field


# -- what is found ----------------------------------------------------------------------------------------------------
def _remarks(module: Module, figures: ModuleFigures, asked: _Asked, least: int) -> Iterator[Remark]:
    labels: dict[str, FieldName] = {}
    for each in figures.fields:
        field = module.field(each.name)
        other = labels.setdefault(fold_text(field.label), field.name)
        if other != field.name:
            yield _remark("label_twice", module, field, other=other)
        if figures.records >= least:
            yield from _of_values(module, field, each, figures.records)
        if each.filled >= least:
            yield from _of_texts(module, field, each)
        if field.indexed and (str(module.name), str(field.name)) not in asked.filters:
            yield _remark("field_unfiltered", module, field)


def _of_values(module: Module, field: Field, seen: FieldFigures, records: int) -> Iterator[Remark]:
    if not seen.filled:
        yield _remark("field_empty" if seen.asked or field.indexed else "field_unused", module, field, records=records)
    elif field.default is not None and seen.default == records:
        yield _remark("field_default", module, field, records=records)


def _of_texts(module: Module, field: Field, seen: FieldFigures) -> Iterator[Remark]:
    facts = {"type": seen.type, "filled": seen.filled}
    if seen.kind is not None:
        yield _remark("field_drifted", module, field, kind=seen.kind, **facts)
    elif seen.distinct is not None and seen.filled >= _PART * max(seen.distinct, 2):
        yield _remark("field_few", module, field, distinct=seen.distinct, **facts)


def _remark(code: str, module: Module, field: Field, **params: object) -> Remark:
    return Remark(code=code, module=module.name, field=field.name, params={"field": field.name, **params})


def _same_modules(modules: Iterable[Module]) -> Iterator[Remark]:
    labels: dict[str, ModuleName] = {}
    for module in modules:
        other = labels.setdefault(fold_text(module.label), module.name)
        if other != module.name:
            yield Remark(code="label_twice", module=module.name, params={"field": module.name, "other": other})
