"""The end: the past of a record, the journal's proof, an export, and where to go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nubetis.cli.face import line
from nubetis.cli.journal import say_verified
from nubetis.cli.plans import operations_grid
from nubetis.cli.records import history_grid, history_rows
from nubetis.cli.texts import counted
from nubetis.data import export
from nubetis.session import past

if TYPE_CHECKING:
    from nubetis.cli.demo.stage import Stage

__all__ = ["history", "leave", "prove"]


def history(stage: Stage) -> None:
    """Show the life of the record to which most has happened."""
    page = stage.session.find(stage.module.name, sort="-version", limit=1)
    if not page:
        stage.facts["history"] = {"record": None, "moments": 0}
        stage.nothing()
        return
    moments = past.history(stage.session, page[0])
    stage.facts["history"] = {"record": page[0].id, "moments": len(moments)}
    rows = history_rows(stage.session, page[0].id, moments)
    stage.face.show(line(f"{page[0].id}  {page[0].title}", "bold"), history_grid(rows, room=stage.room))


def prove(stage: Stage) -> None:
    """Show the latest operations, and verify the journal."""
    stage.face.show(operations_grid(past.operations(stage.session, limit=6), room=stage.room))
    found = stage.org.verify()
    stage.facts["journal"] = {
        "entries": found.entries,
        "anchor": found.anchor,
        "tampered": [str(each) for each in found.tampered],
    }
    good = say_verified(found)
    stage.face.show(*[line(f"✗ {each}", "bold red") for each in found.tampered])
    if not found.tampered:
        stage.face.show(line(good, "bold green"))


def leave(stage: Stage) -> None:
    """Export what is left."""
    target = stage.folder / f"{stage.module.name}.csv"
    done = export(stage.session, target, module=stage.module.name)
    stage.facts["export"] = {"file": str(target), "count": done.count, "sha256": done.hash}
    text = counted("{count} record in {file}", "{count} records in {file}", done.count, file=target)
    stage.face.show(line(text, whole=True), line(f"SHA-256 {done.hash}", "dim"))
