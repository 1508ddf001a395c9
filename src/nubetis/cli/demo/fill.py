"""The first steps: a file is read, an organisation made for it, the records imported and looked at."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import nubetis
from nubetis import F
from nubetis.cli.demo.fit import find_fit
from nubetis.cli.face import RenderableType, bar, grid, group, line, tree
from nubetis.cli.files import map_grid, refusals_grid
from nubetis.cli.plans import operation_facts, plan_text
from nubetis.cli.records import records_grid, shown_fields
from nubetis.cli.texts import _, counted, language
from nubetis.data import apply_load, plan_load
from nubetis.data.detect import Evidence
from nubetis.errors import InvalidValue
from nubetis.i18n import phrase
from nubetis.model.fields import Operator

if TYPE_CHECKING:
    from nubetis import Field, Table
    from nubetis.cli.demo.stage import Stage

__all__ = ["TRUTH", "build", "load_file", "look", "read_file", "top_values"]

_SAMPLE = 5
TRUTH = ("entity", "cluster_id", "true_id")
"""Columns of test files that say who is who: kept from the search, and used to judge it."""


def read_file(stage: Stage, path: Path, *, generated: bool) -> None:
    """Read the file, show how it was read, and clean it."""
    with stage.face.progress(_("Reading")):
        raw = nubetis.read(path)
        if not raw.columns:
            raise InvalidValue("bad_file", file=path.name, line=1, reason=_("there is nothing in it"))
        table = raw.clean()
    stage.read(table, path.name)
    stage.truth = stage.truth or next((table[name] for name in table.columns if name in TRUTH), ())
    detected = raw.detected
    stage.facts["file"] = {
        "name": path.name,
        "generated": generated,
        "rows": len(table),
        "columns": list(table.columns),
        "encoding": None if detected is None else detected.encoding,
        "delimiter": None if detected is None else detected.delimiter,
        "cleaned_cells": table.cleaned.cells,
    }
    evidence = [line(f"  {_said(each)}", "dim") for each in (detected.evidence if detected else ())]
    rows = counted("{file}: {count} row", "{file}: {count} rows", len(table), file=path.name)
    columns = counted("{count} column", "{count} columns", len(table.columns))
    stage.face.show(line(f"{rows}, {columns}", "bold"), *evidence)
    stage.face.show(grid(table.columns, list(raw.head(_SAMPLE)), room=stage.room), _cleaned(stage, table))


def _said(each: Evidence) -> str:
    """Give what was found out about the file, in the user's language."""
    what, value, because = (phrase(text, language()) for text in (each.what, each.value, each.because))
    return str(Evidence(what, value, each.confidence, because))


def _cleaned(stage: Stage, table: Table) -> RenderableType:
    changes = sorted(table.cleaned.changes, key=lambda each: -each.cells)[:_SAMPLE]
    rows = [
        [
            each.column,
            each.cleaner.value,
            each.cells,
            *map(_with_spaces, each.examples[-1] if each.examples else ("", "")),
        ]
        for each in changes
    ]
    columns = [_("column"), _("step"), _("cells"), _("before"), _("after")]
    text = line(counted("Cleaned: {count} cell", "Cleaned: {count} cells", table.cleaned.cells))
    return group(text, grid(columns, rows, room=stage.room, right=[_("cells")])) if rows else text


def _with_spaces(text: str) -> str:
    """Show spaces that may be too many: those at the ends and in rows."""
    return re.sub(r"^\s+|\s+$|\s{2,}|[^\S ]", lambda found: "·" * len(found[0]), text)


def build(stage: Stage) -> None:
    """Choose the module that the columns fit, and make the fields that it lacks."""
    fit = find_fit(stage.table, stage.org.schema, file=stage.file, keep=stage.keep)
    if fit.schema is not stage.org.schema and fit.schema.version != stage.org.schema.version:
        stage.org.alter(fit.schema, by=stage.session)
    stage.choose(fit)
    module = stage.module
    own = [field.label for field in module.fields if field.label in {name[:60] for name in fit.own_fields}]
    stage.facts["organisation"] = {"url": stage.url, "name": stage.org.name}
    stage.facts["module"] = {"name": module.name, "own_module": fit.own_module, "own_fields": list(fit.own_fields)}
    stage.facts["mapping"] = dict(fit.field_map.fields)
    branches = {
        _("users"): [str(user["email"]) for user in stage.session.find("users")],
        _("modules"): [", ".join(str(each.name) for each in stage.org.schema.modules if not each.system)],
        _("the file goes to"): [str(module.name)],
    }
    if own:
        branches[_("fields made for it, in real columns")] = [", ".join(own)]
    leaves = [
        each
        for name, texts in branches.items()
        for each in [(0, line(name)), *[(1, line(text, "dim")) for text in texts]]
    ]
    stage.face.show(tree(f"{stage.org.name}  {stage.url}", leaves), map_grid(fit.field_map, room=stage.room))


def load_file(stage: Stage) -> None:
    """Make what the file links to and its records; refuse what does not fit, line by line."""
    fit, session, table = stage.fit, stage.session, stage.table
    with stage.face.progress(_("Planning")):
        plan = plan_load(
            session, table, module=fit.module, field_map=fit.field_map, file=stage.file, create_linked=True
        )
    stage.face.show(line(_("The plan, before anything is written: {plan}").format(plan=plan_text(plan)), "bold"))
    with stage.face.progress(_("Writing")) as progress:
        report = apply_load(session, plan, table=table, progress=progress)
    refused = {each.line for each in report.rejected}
    lines = table.lines or range(1, len(table) + 1)
    stage.truth = [who for who, line_number in zip(stage.truth, lines, strict=False) if line_number not in refused]
    stage.facts["import"] = {
        "operation": operation_facts(report.operation),
        "linked": len(report.linked),
        "created": report.created,
        "refused": report.refused,
        "codes": dict(Counter(each.code for each in report.rejected)),
    }
    made = counted("{count} record made", "{count} records made", report.created)
    named = counted("{count} record that they link to", "{count} records that they link to", len(report.linked))
    left = counted("{count} row refused", "{count} rows refused", report.refused)
    stage.face.show(line(f"{made}, {named}, {left}", "green"))
    if report.rejected:
        rejected = stage.folder / "rejected.csv"
        report.write_rejected(rejected, language=language())
        text = _("The refused rows, with the reasons, to be mended and loaded again: {file}")
        stage.face.show(
            refusals_grid(report.rejected, fit.field_map, room=stage.room),
            line(text.format(file=rejected), "dim", whole=True),
        )


def look(stage: Stage) -> None:
    """Show a page, what a filter finds, and how the values of one field are spread."""
    module, session = stage.module, stage.session
    sortable = Operator.LT in module.field(module.title).type.operators
    page = session.find(module.name, sort=module.title if sortable else (), limit=_SAMPLE, total="exact")
    stage.facts["page"] = {"total": page.total, "shown": len(page)}
    if not page:
        stage.nothing()
        return
    fields = shown_fields(module, session.find(module.name, limit=200))
    stage.face.show(records_grid(module, page, fields=fields, room=stage.room))
    stage.face.show(line(_("{count} of {total}").format(count=len(page), total=f"{page.total:,}"), "dim"))
    top = top_values(stage)
    if top is not None:
        field, values = top
        rows = [[value, count, bar(count, of=values[0][1])] for value, count in values]
        stage.face.show(grid([field, "", ""], rows, room=stage.room))


def top_values(stage: Stage) -> tuple[str, list[tuple[str, int]]] | None:
    """Give the field, or part of one, that groups the records best, with its most frequent values."""
    found: list[tuple[int, str, list[tuple[str, int]]]] = []
    for slot in stage.module.layout.slots.values():
        for path in _groupable(slot.field):
            groups = stage.session.aggregate(stage.module.name, F[path] != None, by=[path], measures={"count": "count"})  # noqa: E711 - a filter
            values = sorted([(-int(str(each["count"])), str(each[path])) for each in groups])
            if len(values) >= 2 and -values[0][0] > 1:
                found.append((abs(len(values) - 12), path, [(value, -count) for count, value in values[:6]]))
    return min(found)[1:] if found else None


def _groupable(field: Field) -> list[str]:
    if field.system or field.name in TRUTH or (field.personal and field.type.name != "address"):
        return []
    if field.type.name == "address":
        return [f"{field.name}.city", f"{field.name}.country"]
    return [str(field.name)] if field.type.name in {"text", "choice"} and field.filterable else []
