"""The command: which steps, in which order, and what is said at the end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import click

import nubetis
from nubetis import HostSignIn
from nubetis.cli.call import Answer, Call, command, url_of
from nubetis.cli.demo.change import bulk_edit, find_pairs, merge_all, merge_once
from nubetis.cli.demo.fill import build, load_file, look, read_file
from nubetis.cli.demo.fit import currency_of
from nubetis.cli.demo.keep import history, leave, prove
from nubetis.cli.demo.people import who_sees
from nubetis.cli.demo.stage import Stage
from nubetis.cli.face import RenderableType, bar, grid, group, line, panel
from nubetis.cli.texts import _
from nubetis.samples import contacts, write_csv

if TYPE_CHECKING:
    from nubetis.types import Json

__all__ = ["demo_command"]

ADMINISTRATOR = "ana@example.com"


@attrs.frozen(kw_only=True)
class _Demo:
    """What is shown, and where."""

    data: str | None
    rows: int
    seed: int
    only_known: bool


@command(
    "demo",
    _("See the whole work on generated contacts or on a file of yours."),
    signs_in=False,
    usual=_("one in a temporary folder"),
    value=_Demo,
)
@click.option("--data", metavar=_("FILE"), help=_("A file of yours; contacts are generated without it."))
@click.option(
    "--rows", type=click.IntRange(min=0), default=2000, show_default=True, help=_("How many contacts are generated.")
)
@click.option("--seed", default=1, show_default=True, help=_("The same seed, the same contacts."))
@click.option(
    "--only-known", is_flag=True, help=_("Leave out columns that fill no field, instead of making fields for them.")
)
def demo_command(call: Call, given: _Demo) -> Answer:
    """Read, clean, import, find, merge, undo, edit, verify and export, with a picture of each step."""
    folder = Path(tempfile.mkdtemp(prefix="nubetis-"))
    try:
        stage = _play(call if call.named else attrs.evolve(call, url=url_of(str(folder / "demo.db"))), given, folder)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    call.face.answer(stage.summary(), lambda: _closing(stage))
    return None


def _play(call: Call, given: _Demo, folder: Path) -> Stage:
    stage = Stage(face=call.face, url=call.shown, folder=folder, keep=not given.only_known)
    stage.face.show(panel(line(_("Everything below goes through the public interfaces of nubetis.")), "nubetis demo"))
    with stage.step(_("A file as people send it")):
        read_file(stage, Path(given.data) if given.data else _generated(stage, given), generated=not given.data)
    settings: dict[str, Json] = {"name": "Demo", "currency": currency_of(stage.table)}
    with (
        nubetis.create(call.url, administrator=ADMINISTRATOR, settings=settings, around=call.around) as org,
        org.session(HostSignIn(ADMINISTRATOR, factor=True)) as session,
    ):
        stage.enter(org, session)
        _tell(stage)
    return stage


def _generated(stage: Stage, given: _Demo) -> Path:
    path = stage.folder / "contactos.csv"
    people = list(contacts(given.rows, seed=given.seed))
    write_csv(path, people, header="es", encoding="cp1252", delimiter=";")
    stage.truth = [str(each.entity) for each in people]
    return path


def _tell(stage: Stage) -> None:
    with stage.step(_("An organisation for it")):
        build(stage)
    with stage.step(_("Import, with what is refused")):
        load_file(stage)
    with stage.step(_("Looking at it")):
        look(stage)
    with stage.step(_("Records that mean the same")):
        found = find_pairs(stage)
    if found is not None:
        with stage.step(_("Merge one, and take it back")):
            merge_once(stage, found)
        with stage.step(_("Merge all that are sure")):
            merge_all(stage, found)
    with stage.step(_("A bulk edit, and taking it back")):
        bulk_edit(stage)
    with stage.step(_("Who sees what, and why")):
        who_sees(stage)
    with stage.step(_("The past of one record")):
        history(stage)
    with stage.step(_("The journal")):
        prove(stage)
    with stage.step(_("Export")):
        leave(stage)


def _closing(stage: Stage) -> RenderableType:
    slowest = max(stage.seconds.values(), default=0.0)
    rows = [[title, f"{seconds:.2f} s", bar(seconds, of=slowest, size=20)] for title, seconds in stage.seconds.items()]
    times = grid([_("step"), _("time"), ""], rows, room=stage.room - 4, right=[_("time")])
    total = line(_("{seconds:.1f} s in all. Look further:").format(seconds=sum(stage.seconds.values())), "bold")
    name = stage.url.removeprefix("sqlite:///")
    module = stage.fit.module
    commands = [
        f"nubetis find {module} --db {name}",
        f"nubetis journal list --db {name}",
        f"nubetis doctor --db {name}",
    ]
    kept = [line(f"  {each}", "cyan", whole=True) for each in commands] if stage.url.startswith("sqlite:") else []
    return group(panel(times, _("What was done")), total, *kept)
