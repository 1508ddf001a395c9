"""Loading a table into a module: its columns become fields, its cells values, its faults a report.

Nothing is guessed that cannot be seen: which column fills which field is a :class:`~nubetis.data.mapping.FieldMap`
that can be looked at and changed, columns that fill none are warnings of the plan, and a row that does not fit is
refused by its line in the file, with field, code and reason.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.data.amounts import join_money
from nubetis.data.cells import Cell
from nubetis.data.files import Batch
from nubetis.data.mapping import FieldMap, Mapped, map_columns, normal_header
from nubetis.data.names import has_whole_name, name_whole
from nubetis.data.parts import BESIDE, Named, parts_of
from nubetis.data.rejected import Rejected, rejected_rows, told_apart, write_rejected
from nubetis.data.slots import Slot, attempt, slots_of
from nubetis.data.table import Table
from nubetis.data.written import written_formats
from nubetis.errors import InvalidValue, NubetisError, misused, require
from nubetis.model.fields import Field, Operator, Value
from nubetis.model.filters import F
from nubetis.model.fold import fold_text
from nubetis.model.formats import ISO, Formats
from nubetis.model.ids import decode
from nubetis.model.plan import Cause, CauseKind, Operation, Plan, Refusal
from nubetis.model.schema import Module
from nubetis.types import RecordId

if TYPE_CHECKING:
    import os

    from nubetis.data.detect import Detected
    from nubetis.model.door import Reader, Writer
    from nubetis.types import Json, Progress

__all__ = [
    "Linked",
    "LoadReport",
    "apply_load",
    "empty_rows",
    "fitting_map",
    "linked_records",
    "load",
    "map_table",
    "plan_links",
    "plan_load",
]

_CHUNK: Final = 500
_SHOWN: Final = 10


# --- which column fills which field ----------------------------------------------------------------


def map_table(table: Table, module: Module) -> FieldMap:
    """Find the fields of *module* that the columns of *table* fill: by name, label or synonym.

    The columns that :meth:`LoadReport.write_rejected` adds fill none, whatever they are called.
    """
    fields = [slot.field for slot in module.layout.slots.values() if not slot.field.system]
    known = {str(field.name): field.label for field in fields}
    known |= {path: path for field in fields for part in parts_of(field) for path in [Named(field, part).path]}
    given, said = told_apart(table.columns)
    found = map_columns(given, module=module.name, known=known)
    left = tuple([Mapped(column, None, 0.0, "it says why the row was refused") for column in said])
    own = {normal_header(str(name)) for name, slot in module.layout.slots.items() if slot.field.system}
    own_too = [_not_ours(each) if normal_header(each.column) in own else each for each in found]
    return attrs.evolve(found, columns=(*own_too, *left))


def _not_ours(each: Mapped) -> Mapped:
    """Say of a column such as ``id`` why it fills nothing, if it does."""
    because = "nubetis sets it; an import makes new records and changes none"
    return attrs.evolve(each, because=because) if each.field is None else each


def fitting_map(
    table: Table, field_map: FieldMap, module: Module, *, formats: Formats | None = None, share: float = 0.5
) -> FieldMap:
    """Give the map without the columns of whose cells less than *share* can be values of their field.

    It tells which module a file is for: a header may say ``type`` and mean something else than the field of that name.
    Of a file that is for this module the other map is to be loaded, so that what does not fit is refused by its line.
    """
    how = formats or written_formats(table, field_map, module)
    slots = slots_of(module, field_map, how)
    misfits = {slot.column for slot in slots if slot.fit(table[slot.column]) < share}
    return attrs.evolve(
        field_map, columns=tuple([_misfit(each) if each.column in misfits else each for each in field_map])
    )


def _misfit(each: Mapped) -> Mapped:
    return Mapped(each.column, None, 0.0, f"{each.field} cannot hold its values", misfit=each.field)


# --- links -----------------------------------------------------------------------------------------


def _is_link(field: Field) -> bool:
    return bool(field.targets) and "users" not in field.targets


def _is_id(text: str) -> bool:
    return not isinstance(attempt(decode, text.strip()), NubetisError)


def _linked(
    door: Reader, field: Field, texts: Iterable[str], links: Plan | None = None
) -> Callable[[str], Value | NubetisError]:
    """Give the reader of a link's cells: an id, or the title of one record, which *links* may be about to make."""
    folded = {fold_text(text.strip()): text.strip() for text in texts if not _is_id(text)}
    names = [name for _, name in sorted(folded.items())]
    found: dict[str, list[RecordId]] = {}
    schema = door.schema
    for target in field.targets:
        _find_titles(door, schema.module(target), names, found)
    for change in links.changes if links is not None else ():
        title = fold_text(str(change.after[schema.module(change.module).title]))
        if change.module in field.targets and title in folded:
            found.setdefault(title, []).append(change.record)

    def read(text: str) -> Value | NubetisError:
        bare = text.strip()
        if _is_id(bare):
            return attempt(field.check, bare)
        ids = found.get(fold_text(bare), [])
        if len(ids) == 1:
            return ids[0]
        code = "ambiguous_link" if ids else "bad_link"
        return InvalidValue(code, field=field.name, candidates=", ".join(ids[:5]))

    return read


def _find_titles(door: Reader, module: Module, names: Sequence[str], found: dict[str, list[RecordId]]) -> None:
    title = module.field(module.title)
    if Operator.IN not in title.type.operators or title.type.fold is None:
        return
    for start in range(0, len(names), _CHUNK):
        where = F[title.name].in_(names[start : start + _CHUNK])
        for ids, titles in door.stream(module.name, where, fields=("id", title.name)):
            for record, text in zip(ids, titles, strict=True):
                found.setdefault(fold_text(str(text)), []).append(RecordId(str(record)))


def plan_links(door: Writer, table: Table, *, module: str, field_map: FieldMap | None = None) -> Plan:
    """Plan the records that the link columns of *table* name and that do not exist yet: the companies of contacts.

    :func:`plan_load` does so by itself, for the rows that fit, where it is told to.
    """
    home = door.schema.module(module)
    return _plan_links(door, table, home, slots_of(home, _mapped(field_map, _as_table(table), home), ISO))


def _plan_links(door: Writer, table: Table, home: Module, slots: Sequence[Slot]) -> Plan:
    plans = [_plan_targets(door, slot.field, table[slot.column]) for slot in slots if _is_link(slot.field)]
    cause = Cause(CauseKind.IMPORT, {"links_of": home.name})
    return Plan(
        cause=cause,
        parts=tuple([part for plan in plans for part in plan.parts]),
        refusals=tuple([each for plan in plans for each in plan.refusals]),
        schema=door.schema,
    )


def _plan_targets(door: Writer, field: Field, cells: Iterable[Cell]) -> Plan:
    texts = {cell.strip() for cell in cells if cell and not cell.isspace()}
    read = _linked(door, field, texts)
    missing = [text for text in sorted(texts) if getattr(read(text), "code", "") == "bad_link"]
    distinct = {fold_text(text): text for text in reversed(missing)}
    module = door.schema.module(field.targets[0])
    return door.plan_create(module.name, [{module.title: text} for _, text in sorted(distinct.items())])


# --- rows ------------------------------------------------------------------------------------------


@attrs.frozen
class _Loader:
    """Makes records of the rows of a table."""

    table: Table
    slots: tuple[Slot, ...]
    readers: tuple[Callable[[str], Value | NubetisError], ...]
    currency: str | None
    joined: Mapping[Field, Mapping[str, Slot]]
    """The slots, by part, of fields of money that several columns fill."""
    records: list[dict[str, Value]] = attrs.field(factory=list)
    places: list[int] = attrs.field(factory=list)
    refusals: list[tuple[int, Refusal]] = attrs.field(factory=list)

    @classmethod
    def of(cls, door: Reader, table: Table, slots: Sequence[Slot], links: Plan | None) -> _Loader:
        readers = [
            _linked(door, slot.field, {cell for cell in table[slot.column] if cell}, links)
            if _is_link(slot.field)
            else slot.reader()
            for slot in slots
        ]
        return cls(table, tuple(slots), tuple(readers), door.currency, _joined(slots))

    def run(self, module: Module, rows: Iterable[int]) -> None:
        """Fill *records*, with the *places* of their rows, and *refusals*."""
        columns = [self.table[slot.column] for slot in self.slots]
        named = has_whole_name(module)
        for place in rows:
            cells = [column[place] for column in columns]
            record, faults = self._row(cells)
            if named:
                name_whole(record)
            if faults:
                self.refusals.extend([(place, _refusal(fault, module, slot)) for slot, fault in faults])
                self.refusals.extend([(place, each) for each in _missing(module, record, faults)])
            elif record:
                self.records.append(record)
                self.places.append(place)

    def _row(self, cells: Iterable[Cell]) -> tuple[dict[str, Value], list[tuple[Slot, NubetisError]]]:
        record: dict[str, Value] = {}
        parts: dict[Field, dict[str, Value]] = {}
        faults: list[tuple[Slot, NubetisError]] = []
        for slot, read, cell in zip(self.slots, self.readers, cells, strict=True):
            if cell is None or cell.isspace() or not cell:
                continue
            value = read(cell)
            if isinstance(value, NubetisError):
                faults.append((slot, value))
            elif slot.part is not None:
                parts.setdefault(slot.field, {})[slot.part.name] = value
            else:
                record[slot.field.name] = value
        bad = {slot.field for slot, _ in faults}
        faults += [fault for field in self.joined if field not in bad for fault in self._join(field, record, parts)]
        return _with_parts(record, parts), faults

    def _join(
        self, field: Field, record: dict[str, Value], parts: dict[Field, dict[str, Value]]
    ) -> list[tuple[Slot, NubetisError]]:
        """Put an amount and what stands beside it together in *record*; give what stands against it."""
        beside, slots = parts.pop(field, {}), self.joined[field]
        if not beside and field.name not in record:
            return []
        try:
            record[field.name] = join_money(field, record.get(field.name), beside, own=self.currency)
        except InvalidValue as fault:
            return [(slots["home" if fault.code == "home_amount" and "home" in slots else ""], fault)]
        return []


def _missing(
    module: Module, record: Mapping[str, Value], faults: Iterable[tuple[Slot, NubetisError]]
) -> Iterator[Refusal]:
    """Give the required fields that a row with other faults leaves empty: the planner does not see it."""
    said = {slot.field.name for slot, _ in faults}
    for field in module.fields:
        if field.required and field.default is None and field.name not in said and record.get(field.name) is None:
            yield Refusal(code="required", params={"field": field.name}, module=module.name, field=field.name)


def _joined(slots: Iterable[Slot]) -> dict[Field, dict[str, Slot]]:
    """Give the slots, by part, of the fields of money that columns beside an amount fill as well."""
    found: dict[Field, dict[str, Slot]] = {}
    for slot in slots:
        if slot.field.type.name == "money":
            found.setdefault(slot.field, {"": slot})[slot.part.name if slot.part is not None else ""] = slot
    return {field: parts for field, parts in found.items() if BESIDE & parts.keys()}


def _with_parts(record: dict[str, Value], parts: Mapping[Field, Mapping[str, Value]]) -> dict[str, Value]:
    """Put the cells of a field's parts together; what the field itself holds stays beside them."""
    for field, cells in parts.items():
        whole = field.pack(record.get(field.name))
        row = [cells.get(part.name, cell) for part, cell in zip(field.parts, whole, strict=True)]
        record[field.name] = field.type.unpack(field, tuple(row))
    return record


def _refusal(fault: NubetisError, module: Module, slot: Slot) -> Refusal:
    return Refusal(code=fault.code, params=fault.params, module=module.name, field=slot.path)


# --- the plan --------------------------------------------------------------------------------------


def plan_load(
    door: Writer, table: Table | Iterable[Batch], *, module: str, field_map: FieldMap | None = None,
    formats: Formats | None = None, file: str | None = None, create_linked: bool = False,
) -> Plan:  # fmt: skip
    """Plan a record of *module* for each row of *table*.

    A cell is read as a value of its field by *formats*, else as the columns of *table* turn out to write dates and
    numbers; a link's cell is an id or the title of exactly one record.  An amount without a currency is in that which
    another column says (``amount.currency``), else in that of the organisation.  An empty cell says nothing, and a row
    of empty cells is left out.  Refusals name the line in the file (of a table without lines: the row, from 1), the
    field and the reason; warnings name the columns that fill no field.  *file* is named in the journal.

    With *create_linked*, what rows that fit link to by a title that nobody has is made as well, in the same operation.

    Raises:
        NotFound: ``unknown_module``; ``unknown_field`` or ``unknown_column`` in *field_map*.
        InvalidValue: ``bad_argument``; no column fills a field.
    """
    return _plan(door, _as_table(table), _Options(module, field_map, formats, file, create_linked))


@attrs.frozen
class _Options:
    module: str
    field_map: FieldMap | None
    formats: Formats | None
    file: str | None
    create_linked: bool = False


_TABLE: Final = "a table such as nubetis.read(…) gives, or batches"


def _as_table(given: Table | Iterable[Batch]) -> Table:
    if isinstance(given, Table):
        return given
    if isinstance(given, str | bytes | PathLike) or not isinstance(given, Iterable):
        raise misused("table", _TABLE, given)
    return Table.from_batches(map(_as_batch, given))


def _as_batch(given: Batch) -> Batch:
    require(given, Batch, argument="table", expected=_TABLE)
    return given


def _mapped(given: FieldMap | None, table: Table, module: Module) -> FieldMap:
    """Give the map that was *given*, or the one that the headers tell."""
    if given is None:
        return map_table(table, module)
    require(given, FieldMap, argument="field_map", expected="what map_table(…) gives, or .changed(…) of it")
    return given


def _plan(door: Writer, table: Table, options: _Options) -> Plan:
    module = door.schema.module(options.module)
    field_map = _mapped(options.field_map, table, module)
    if not field_map.fields:
        raise InvalidValue("bad_argument", argument="table", reason=f"no column fills a field of {module.name}")
    how = options.formats or written_formats(table, field_map, module, currency=door.currency)
    slots = slots_of(module, field_map, how, door.currency)
    made = _made(door, table, slots, links=options.create_linked)
    return attrs.evolve(
        made.plan,
        cause=Cause(CauseKind.IMPORT, _detail(table, made.plan, options)),
        refusals=tuple(_by_line(table, made.refusals)),
        warnings=(*_uneven(table, module), *_warnings(field_map, module)),
    )


@attrs.frozen
class _Made:
    """A plan, and what is refused, with the places of the rows."""

    plan: Plan
    refusals: list[tuple[int, Refusal]]


def _made(door: Writer, table: Table, slots: Sequence[Slot], *, links: bool) -> _Made:
    """Plan the rows of *table*; with *links* what they link to, too, but only as rows that are written name it."""
    everything = range(len(table))
    home = slots[0].module
    first = _plan_links(door, table, home, slots) if links else None
    made, left = _made_of(door, table, slots, (everything, first))
    if first is None or not made.refusals:
        return made
    needed = _plan_links(door, table.take(left), home, slots)
    if _titles(needed) == _titles(first):
        return made
    again, _ = _made_of(door, table, slots, (left, needed))
    by_line = [(place, each) for place, each in made.refusals if place >= 0]
    return _Made(again.plan, [*by_line, *again.refusals])


def _made_of(
    door: Writer, table: Table, slots: Sequence[Slot], what: tuple[Iterable[int], Plan | None]
) -> tuple[_Made, list[int]]:
    """Plan some rows, behind a plan of what they link to; give the places of those that are not refused as well."""
    module, (rows, links) = slots[0].module, what
    loader = _Loader.of(door, table, slots, links)
    loader.run(module, rows)
    plan = door.plan_create(module.name, loader.records, cause=Cause(CauseKind.IMPORT), after=links)
    gone = {each.line for each in plan.refusals}
    left = [place for line, place in enumerate(loader.places, 1) if line not in gone]
    return _Made(plan, [*loader.refusals, *_placed(plan.refusals, loader.places)]), left


def _titles(links: Plan) -> list[str]:
    """Give what the records of *links* are called."""
    return [str(change.after[part.module.title]) for part in links.parts for change in part.changes()]


def _placed(refusals: Iterable[Refusal], places: Sequence[int]) -> Iterator[tuple[int, Refusal]]:
    """Give refusals of the planner, which counts records from 1, with the places of their rows."""
    return ((places[each.line - 1] if each.line else -1, each) for each in refusals)


def _lines_of(plan: Plan) -> int:
    """Give how many rows are refused; one may have several faults."""
    return len({each.line for each in plan.refusals if each.line is not None})


def _by_line(table: Table, refusals: Iterable[tuple[int, Refusal]]) -> list[Refusal]:
    ordered = sorted(refusals, key=lambda pair: pair[0])
    lines = table.lines or range(1, len(table) + 1)
    return [each if place < 0 else attrs.evolve(each, line=lines[place]) for place, each in ordered]


def _warnings(field_map: FieldMap, module: Module) -> Iterator[Refusal]:
    for each in field_map:
        if each.misfit is not None:
            params = {"column": each.column, "module": module.name, "field": each.misfit}
            yield Refusal(code="misfit_column", params=params, module=module.name, field=each.misfit)
        elif each.field is None:
            params = {"column": each.column, "module": module.name, "because": each.because}
            yield Refusal(code="unmapped_column", params=params, module=module.name)


def _uneven(table: Table, module: Module) -> Iterator[Refusal]:
    """Warn of rows that lost cells, or have some too many: their values may stand in wrong columns."""
    first = ", ".join([f"{line} ({cells})" for line, cells in table.uneven[:_SHOWN]])
    lines = f"{first}, …" if len(table.uneven) > _SHOWN else first
    if lines:
        yield Refusal(code="uneven_rows", params={"count": len(table.uneven), "lines": lines}, module=module.name)


def _detail(table: Table, plan: Plan, options: _Options) -> dict[str, Json]:
    known: dict[str, Json] = {"module": options.module, "rows": len(table), "records": sum(map(len, plan.parts[-1:]))}
    if plan.parts[:-1]:
        known["linked"] = sum(map(len, plan.parts[:-1]))
    if options.file is not None:
        known["file"] = options.file.encode("utf-8", "replace").decode()  # a name may hold bytes that are no text
    if table.detected is not None:
        known["encoding"] = table.detected.encoding
    return known


# --- the report ------------------------------------------------------------------------------------


@attrs.frozen
class Linked:
    """A record that was made because loaded ones link to it."""

    module: str
    id: RecordId
    title: str


@attrs.frozen(kw_only=True)
class LoadReport:
    """What became of a table: *rows* seen, records *created*, rows *refused*; *rejected* has each fault.

    *empty* rows have no cell that fills a field, and are left out.
    *linked* are the records that were made because those link to them.
    """

    operation: Operation
    rows: int
    created: int
    refused: int
    empty: int = 0
    rejected: tuple[Rejected, ...] = ()
    warnings: tuple[Refusal, ...] = ()
    linked: tuple[Linked, ...] = ()
    detected: Detected | None = attrs.field(default=None, repr=False)
    columns: tuple[str, ...] = attrs.field(default=(), repr=False)
    """Those of the table."""

    def write_rejected(self, target: str | os.PathLike[str], *, language: str = "en") -> None:
        """Write the rejected rows as :func:`write_rejected` does, as their file was written."""
        write_rejected(self.rejected, target, columns=self.columns, language=language, detected=self.detected)


def load(
    door: Writer, table: Table | Iterable[Batch], *, module: str, field_map: FieldMap | None = None,
    formats: Formats | None = None, file: str | None = None, progress: Progress | None = None,
) -> LoadReport:  # fmt: skip
    """Write a record of *module* for each row of *table* that fits, as :func:`plan_load` says; report the others."""
    whole = _as_table(table)
    plan = _plan(door, whole, _Options(module, field_map, formats, file))
    return apply_load(door, plan, table=whole, progress=progress)


def linked_records(plan: Plan) -> tuple[Linked, ...]:
    """Give the records that a plan of :func:`plan_load` makes because its rows link to them."""
    made = [(part.module, change) for part in plan.parts[:-1] for change in part.changes()]
    return tuple([Linked(at.name, each.record, str(each.after[at.title])) for at, each in made])


def empty_rows(plan: Plan, *, rows: int) -> int:
    """Give how many of the *rows* that a plan of :func:`plan_load` is made of have nothing to load."""
    return rows - sum(map(len, plan.parts[-1:])) - _lines_of(plan)


def apply_load(door: Writer, plan: Plan, *, table: Table, progress: Progress | None = None) -> LoadReport:
    """Apply a plan of :func:`plan_load` that was looked at.

    *table* is what it was made of, or that before it was cleaned: then rejected rows are as they stood in the file.
    """
    operation = door.apply(plan, skip_refused=True, progress=progress)
    linked = linked_records(plan)
    return LoadReport(
        operation=operation,
        rows=len(table),
        created=operation.changes - len(linked),
        refused=_lines_of(plan),
        empty=empty_rows(plan, rows=len(table)),
        rejected=rejected_rows(plan, table),
        warnings=plan.warnings,
        linked=linked,
        detected=table.detected,
        columns=tuple(table.columns),
    )
