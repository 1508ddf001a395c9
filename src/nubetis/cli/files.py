"""Commands for files: import, export."""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Final

import attrs
import click

import nubetis
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.plans import operation_facts, plan_facts, plan_text, refusal_facts
from nubetis.cli.records import read_filter
from nubetis.cli.texts import EXIT_CODES, _, counted, language, say_refusal
from nubetis.data.export import export
from nubetis.data.load import apply_load, empty_rows, linked_records, map_table, plan_load
from nubetis.data.rejected import rejected_rows, write_rejected
from nubetis.errors import InvalidValue
from nubetis.i18n import phrase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nubetis import Plan, Table
    from nubetis.data.cells import Cell
    from nubetis.data.load import Linked, LoadReport
    from nubetis.data.mapping import FieldMap
    from nubetis.data.rejected import Rejected
    from nubetis.model.plan import Refusal
    from nubetis.model.schema import Module

__all__ = ["export_command", "import_command", "map_grid", "refusals_grid"]

_SHOWN: Final = 10


@attrs.frozen(kw_only=True)
class _Import:
    """What is to be imported, and how."""

    file: str
    module: str
    columns: tuple[str, ...]
    dry_run: bool
    rejected: str | None
    create_linked: bool
    no_clean: bool
    encoding: str | None
    delimiter: str | None

    def check(self) -> None:
        """Refuse to write the refused rows over the rows that they are from."""
        try:
            same = self.rejected is not None and os.path.samefile(self.file, self.rejected)  # noqa: PTH121 - by inode
        except (OSError, ValueError):
            return  # one of them is not there
        if same:
            raise InvalidValue("bad_argument", argument="--rejected", reason=_("it is the file that is imported"))

    def table(self) -> Table:
        """Read the file."""
        table = nubetis.read(self.file, encoding=self.encoding, delimiter=self.delimiter)
        if not table.columns:
            raise InvalidValue("bad_file", file=self.file, line=1, reason=_("there is nothing in it"))
        return table

    def field_map(self, table: Table, module: Module) -> FieldMap:
        """Map its columns, as their headers and the user say."""
        found = map_table(table, module)
        chosen = dict(_pair(each) for each in self.columns)
        return found.changed({column: field or None for column, field in chosen.items()})


def _pair(text: str) -> tuple[str, str]:
    column, sign, field = text.rpartition("=")
    if not sign:
        raise InvalidValue("bad_argument", argument="--map", reason=_("write it as COLUMN=FIELD, or COLUMN= for none"))
    return column, field


@command("import", _("Load a file into a module."), value=_Import)
@click.argument("file", metavar=_("FILE"))
@click.option("--module", "-m", required=True, metavar=_("MODULE"), help=_("Such as contacts, accounts, leads."))
@click.option(
    "--map", "columns", multiple=True, metavar=_("COLUMN=FIELD"), help=_("Which field a column fills; may be repeated.")
)
@click.option("--dry-run", is_flag=True, help=_("Show the plan, and do nothing."))
@click.option("--rejected", metavar=_("FILE"), help=_("Write the refused lines there, with the reasons."))
@click.option("--create-linked", is_flag=True, help=_("Make the companies and the like that the file names first."))
@click.option("--no-clean", is_flag=True, help=_("Take the cells as they are."))
@click.option("--encoding", help=_("The file's encoding, where it is found out wrongly."))
@click.option("--delimiter", help=_("What stands between its cells."))
def import_command(call: Call, given: _Import) -> Answer:
    """Load a file: its columns are mapped, its cells cleaned, what does not fit is refused line by line."""
    given.check()
    with call.session() as session:
        raw = given.table()
        table = raw if given.no_clean else raw.clean()
        field_map = given.field_map(table, session.schema.module(given.module))
        file = Path(given.file).name
        plan = plan_load(
            session, table, module=given.module, field_map=field_map, file=file, create_linked=given.create_linked
        )
        _write_rejected(given, plan, raw)
        if given.dry_run:
            _show_plan(call, plan, (field_map, rejected_rows(plan, raw), len(raw)))
            return _code(len(plan.refusals))
        with call.face.progress(_("Writing")) as progress:
            report = apply_load(session, plan, table=raw, progress=progress)
    call.face.answer(_report_facts(report, field_map), lambda: _report(call, report, field_map))
    return _code(report.refused)


def _code(refused: int) -> int:
    return EXIT_CODES["partly" if refused else "done"]


def _beside(empty: int, warnings: Sequence[Refusal]) -> list[RenderableType]:
    """Say how many rows have nothing to load, and which have not as many cells as the header, if any."""
    text = counted("{count} row with nothing to load left out.", "{count} rows with nothing to load left out.", empty)
    uneven = [line(say_refusal(each), "yellow") for each in warnings if each.code == "uneven_rows"]
    return [*([line(text)] if empty else []), *uneven]


def _write_rejected(given: _Import, plan: Plan, raw: Table) -> None:
    """Write what the plan refuses before it is applied, even if that is nothing: where it cannot be, nothing is."""
    if given.rejected is not None:
        rejected = rejected_rows(plan, raw)
        write_rejected(rejected, given.rejected, columns=raw.columns, language=language(), detected=raw.detected)


def map_facts(field_map: FieldMap) -> list[dict[str, object]]:
    """Give the mapping for programs."""
    return [{**attrs.asdict(each), "because": phrase(each.because, language())} for each in field_map]


def map_grid(field_map: FieldMap, *, room: int) -> RenderableType:
    """Give the mapping as a table."""
    rows = [
        [each.column, each.field or "–", f"{each.confidence:.0%}", phrase(each.because, language())]
        for each in field_map
    ]
    return grid([_("column"), _("field"), _("sure"), _("because")], rows, room=room, right=[_("sure")])


def _value(each: Rejected, field_map: FieldMap) -> Cell:
    """Give the cell that is refused, as it stands in the file."""
    return each.cells.get(field_map.filled.get(each.field or "", ""))


def _rejected_facts(rejected: Sequence[Rejected], field_map: FieldMap) -> list[dict[str, object]]:
    return [{**refusal_facts(each.refusal), "value": _value(each, field_map)} for each in rejected]


def refusals_grid(rejected: Sequence[Rejected], field_map: FieldMap, *, room: int) -> RenderableType:
    """Give the first faults of rows as a table: where, what stands there, why."""
    rows = [[each.line, each.field, _value(each, field_map), say_refusal(each.refusal)] for each in rejected[:_SHOWN]]
    names = [_("line"), _("field"), _("cell"), _("reason")]
    shown = [grid(names, rows, room=room, right=[_("line")], wrap=_("reason"))]
    left = len(rejected) - _SHOWN
    shown += [line(_("(and {count} more)").format(count=left), "dim")] if left > 0 else []
    if any(each.code == "bad_link" for each in rejected):
        shown.append(
            line(_("Say --create-linked to have what is linked and not there yet made as well."), "bold yellow")
        )
    return group(*shown)


def _refused(rejected: Sequence[Rejected], field_map: FieldMap, rows: int, *, room: int) -> list[RenderableType]:
    """Show the first faults; say which columns refuse most rows, and how to load the file without them."""
    columns = field_map.filled
    refusing = Counter([columns[each.field] for each in rejected if each.field in columns])
    text = _("Column {column} refuses {count} of {rows} rows. Say --map {mapped} to leave it out.")
    advice = [
        line(text.format(column=column, mapped=quote(f"{column}="), count=count, rows=rows), "bold yellow")
        for column, count in refusing.items()
        if count > 1 and count * 2 > rows
    ]
    return [refusals_grid(rejected, field_map, room=room), *advice] if rejected else []


def _show_plan(call: Call, plan: Plan, found: tuple[FieldMap, Sequence[Rejected], int]) -> None:
    field_map, rejected, rows = found
    room = call.face.room
    refused, empty = _rejected_facts(rejected, field_map), empty_rows(plan, rows=rows)
    linked = linked_records(plan)
    facts = {
        "mapping": map_facts(field_map),
        "plan": plan_facts(plan),
        "rows": rows,
        "rejected": refused,
        "empty": empty,
    }
    facts["linked"] = [attrs.asdict(each) for each in linked]
    needed = counted(
        "{count} of them because the file links to it", "{count} of them because the file links to them", len(linked)
    )
    parts = [map_grid(field_map, room=room), line(plan_text(plan), "bold"), *_linked_line(needed, linked)]
    parts += [*_beside(empty, plan.warnings), *_refused(rejected, field_map, rows, room=room)]
    call.face.answer(facts, lambda: group(*parts))


def _report_facts(report: LoadReport, field_map: FieldMap) -> dict[str, object]:
    return {
        "mapping": map_facts(field_map),
        "operation": operation_facts(report.operation),
        "rows": report.rows,
        "created": report.created,
        "linked": [attrs.asdict(each) for each in report.linked],
        "refused": report.refused,
        "empty": report.empty,
        "rejected": _rejected_facts(report.rejected, field_map),
        "warnings": [refusal_facts(each) for each in report.warnings],
    }


def _linked_line(text: str, linked: Sequence[Linked]) -> list[RenderableType]:
    """Name what is made because the file links to it, behind *text*."""
    names = ", ".join([each.title for each in linked[:_SHOWN]])
    return [line(f"{text}: {names}{', …' if len(linked) > _SHOWN else ''}")] if linked else []


def _report(call: Call, report: LoadReport, field_map: FieldMap) -> RenderableType:
    room = call.face.room
    rows = counted("{count} row", "{count} rows", report.rows)
    made = counted("{count} record made", "{count} records made", report.created)
    left = counted("{count} row refused", "{count} rows refused", report.refused)
    linked = counted(
        "{count} record made that they link to", "{count} records made that they link to", len(report.linked)
    )
    undo = _("Take it back: nubetis journal undo {id}{there}").format(id=report.operation.id, there=call.there)
    parts = [map_grid(field_map, room=room), line(f"{rows}: {made}, {left}.", "bold")]
    parts += [
        *_beside(report.empty, report.warnings),
        *_linked_line(linked, report.linked),
        *([line(undo, "dim", whole=True)] if report.created else []),
    ]
    return group(*parts, *_refused(report.rejected, field_map, report.rows, room=room))


@command("export", _("Write records to a file."))
@click.argument("target", metavar=_("FILE"))
@click.argument("where", metavar=_("[FILTER]"), nargs=-1)
@click.option("--module", "-m", required=True, metavar=_("MODULE"), help=_("Such as contacts, accounts, leads."))
@click.option("--fields", metavar=_("FIELDS"), help=_("Which fields, with commas between them."))
@click.option("--format", "file_format", help=_("The kind of file, where its suffix does not say it: csv, tsv, jsonl."))
def export_command(
    call: Call, target: str, where: tuple[str, ...], *, module: str, fields: str | None, file_format: str | None
) -> Answer:
    """Write the records that fit the filter; the suffix says the kind of file, - is the standard output."""
    with call.session() as session:
        wanted = read_filter(where, session.schema.module(module), session.schema)
        named = fields.split(",") if fields else None
        sink = sys.stdout.buffer if target == "-" else target
        done = export(session, sink, module=module, where=wanted, fields=named, file_format=file_format)
    facts = {"file": target, "module": module, "columns": done.columns, "count": done.count, "sha256": done.hash}
    text = counted("Wrote {count} record to {file}.", "Wrote {count} records to {file}.", done.count, file=target)
    face = call.face.turned() if _is_output(target) else call.face
    face.answer(facts, lambda: group(line(text), line(f"SHA-256 {done.hash}", "dim", whole=True)))
    return None


def _is_output(target: str) -> bool:
    """Tell whether *target* is the standard output, which holds the file then and no answer."""
    try:
        return target == "-" or os.path.samestat(os.stat(target), os.fstat(1))  # noqa: PTH116 - beside a descriptor
    except (OSError, ValueError):
        return False
