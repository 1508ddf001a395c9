"""Commands for the organisation as a whole: make, examine, back up, restore."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

import attrs
import click

import nubetis
from nubetis.backends.urls import shown
from nubetis.cli.call import Answer, Call, anchor_option, command, url_of
from nubetis.cli.face import RenderableType, grid, group, line, text_of
from nubetis.cli.texts import EXIT_CODES, _, language, say
from nubetis.doctor import Diagnosis, diagnose
from nubetis.model.findings import Finding, Severity
from nubetis.org import copy, restore, why_not_whole
from nubetis.types import Json


@command("create", _("Make an organisation and its first administrator."), signs_in=False)
@click.option(
    "--administrator", metavar=_("E-MAIL"), required=True, help=_("The first administrator; no password is set.")
)
@click.option("--name", help=_("The organisation's name."))
@click.option("--currency", metavar="PEN", help=_("The currency in which it counts."))
def create_command(call: Call, administrator: str, name: str | None, currency: str | None) -> Answer:
    """Make an organisation."""
    given = {"name": name, "currency": currency}
    settings = {key: value for key, value in given.items() if value is not None}
    with nubetis.create(call.url, administrator=administrator, settings=settings, around=call.around) as org:
        facts = {"url": call.shown, "name": org.name, "administrator": administrator, "modules": _modules(org)}
    call.face.answer(facts, lambda: line(_("Made {name} at {url}.").format(name=facts["name"], url=call.shown)))
    return None


def _modules(org: nubetis.Org) -> list[str]:
    return [str(module.name) for module in org.schema.modules if not module.system]


@command("doctor", _("Look whether everything is in order."), signs_in=False)
@anchor_option(_("An anchor kept elsewhere: with it, a journal that was cut short is found out, too."))
@click.option("--repair", is_flag=True, help=_("Put right what can be made again from the records."))
def doctor_command(call: Call, anchor: str | None, *, repair: bool) -> Answer:
    """Examine the environment and the organisation; exit 1 where something is wrong, 3 where it cannot be opened."""
    with call.face.progress(_("Examining")) as report:
        found = diagnose(call.url, anchor=anchor, repair=repair, progress=report, around=call.around)
    facts = {
        "url": call.shown,
        "environment": found.environment,
        "store": found.store,
        "organisation": found.organisation,
        "findings": [_finding(each, found, call.there) for each in found.findings],
        "mended": [_finding(each, found, call.there) for each in found.mended],
    }
    call.face.answer(facts, lambda: _shown(found, call))
    if found.error is not None:
        return EXIT_CODES["store"]
    return None if found.in_order else EXIT_CODES["refused"]


def _finding(each: Finding, found: Diagnosis, there: str) -> dict[str, object]:
    return {
        "code": each.code,
        "area": each.area,
        "severity": each.severity,
        "about": each.about,
        "detail": each.detail,
        "count": each.count,
        "mends": each.mends,
        "message": _said(each, found),
        "remedy": each.remedy(language(), there=there),
    }


def _shown(found: Diagnosis, call: Call) -> RenderableType:
    url, room = call.shown, call.face.room
    parts = [_pairs(found.environment, _("Environment"), room)]
    parts += [_pairs(found.store, _("Store"), room)] if found.store else []
    parts += [_pairs(found.organisation, url, room)] if found.organisation else []
    for each in found.mended:
        parts.append(line("✓ " + _("Put right: {finding}").format(finding=each.said(language())), "green"))
    for each in found.findings:
        style = "bold red" if each.severity is Severity.ERROR else "bold yellow"
        remedy = each.remedy(language(), there=call.there)
        parts += [line(f"✗ {_said(each, found)} [{each.code}]", style), line(f"  → {remedy}", whole=True)]
    return group(*parts, *([line("✓ " + _("Everything is in order."), "bold green")] if found.in_order else []))


def _said(each: Finding, found: Diagnosis) -> str:
    """Say a finding; the error that kept the organisation closed in the user's language, too."""
    if each.code == "cannot_open" and found.error is not None:
        return f"{attrs.evolve(each, detail=say(found.error)).said(language())} [{found.error.code}]"
    return each.said(language())


def _pairs(found: Mapping[str, Json], title: str, room: int) -> RenderableType:
    labels = _labels()
    rows = [
        [labels.get(name, name), _short(value, {} if name in _BY_NAME else labels)] for name, value in found.items()
    ]
    return grid(["", ""], rows, room=room, title=title)


_BY_NAME: Final = frozenset({"records", "packages", "extras"})
"""Facts that are told by the names of modules and packages, which are no words."""


def _labels() -> dict[str, str]:
    """Give what facts are called; settings of a database engine keep the names that it gives them."""
    return {
        "name": _("name"),
        "schema_version": _("schema version"),
        "records": _("records"),
        "journal": _("journal"),
        "entries": _("entries"),
        "anchor": _("anchor"),
        "system": _("system"),
        "packages": _("packages"),
        "extras": _("extras"),
        "time_zones": _("time zones"),
        "languages": _("languages"),
        "terminal": _("terminal"),
        "encoding": _("encoding"),
        "interactive": _("interactive"),
        "durable": _("durable"),
        "processes": _("several processes"),
        "ddl_in_txn": _("schema changes in transactions"),
        "savepoints": _("savepoints"),
        "snapshots": _("copies while in use"),
        "linked_filters": _("filters on linked records"),
        "max_fields": _("most columns"),
        "max_params": _("most parameters"),
        "path": _("path"),
        "mode": _("rights"),
        "bytes": _("bytes"),
        "log_bytes": _("bytes of the log"),
        "free_disk_bytes": _("bytes free on the disk"),
        "tables": _("tables"),
        "rows": _("rows"),
        "version": _("version"),
    }


def _short(value: Json, labels: Mapping[str, str]) -> object:
    """Give a fact on one line."""
    if isinstance(value, Mapping):
        return ", ".join([f"{labels.get(key, key)} {_short(each, labels)}" for key, each in value.items() if each])
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(map(str, value))
    return text_of(value) if isinstance(value, bool) else value


@command("backup", _("Write a consistent copy beside those who work."), signs_in=False)
@click.argument("target", metavar=_("FILE"))
def backup_command(call: Call, target: str) -> Answer:
    """Back up."""
    with call.org() as org:
        anchor = org.backup(target)
    facts = {"url": call.shown, "target": target, "anchor": anchor}
    text = _("Wrote {file}. Keep its anchor elsewhere: with it, `journal verify` finds a journal that was cut short.")
    shown = group(line(text.format(file=target)), line(anchor, "bold", whole=True))
    call.face.answer(facts, lambda: shown)
    return None


@contextmanager
def _telling(call: Call, url: str, *, replace: bool) -> Generator[None]:
    """Say what an interruption has left at *url*, where something else stood before."""
    before = why_not_whole(url, around=call.around) if replace else "no_database"
    try:
        yield
    except (KeyboardInterrupt, click.Abort):
        if before != "no_database" and why_not_whole(url, around=call.around) in {"half_made", "no_database"}:
            gone = _("What stood at {url} is gone, and what takes its place is half made: do it again, with --replace.")
            call.face.note(gone.format(url=shown(url)))
        raise


@command("restore", _("Put a back-up in the place of the organisation."), signs_in=False)
@click.argument("source", metavar=_("FILE"))
@click.option("--replace", is_flag=True, help=_("Also where there is an organisation already; it is lost."))
def restore_command(call: Call, source: str, *, replace: bool) -> Answer:
    """Restore, and open what was restored."""
    with _telling(call, call.url, replace=replace):
        restore(source, call.url, replace=replace, around=call.around)
    with call.org() as org:
        found = org.verify()
        facts = {
            "url": call.shown,
            "source": source,
            "name": org.name,
            "anchor": found.anchor,
            "entries": found.entries,
        }
    call.face.answer(facts, lambda: line(_("Restored {name} from {file}.").format(name=facts["name"], file=source)))
    return None


@command("copy", _("Copy an organisation into another store."), signs_in=False, opens=False)
@click.argument("source", metavar=_("FROM"))
@click.argument("target", metavar=_("TO"))
@click.option("--replace", is_flag=True, help=_("Also where there is an organisation already; it is lost."))
def copy_command(call: Call, source: str, target: str, *, replace: bool) -> Answer:
    """Copy, compare, and open what was made."""
    old, new = url_of(source), url_of(target)
    with _telling(call, new, replace=replace), call.face.progress(_("Copying")) as progress:
        copied = copy(old, new, replace=replace, progress=progress, around=call.around)
    with nubetis.open(new, around=call.around) as org:
        found = org.verify()
        facts = {"source": shown(old), "target": shown(new), "name": org.name, "rows": copied.rows,
                 "content": copied.content, "anchor": found.anchor}  # fmt: skip
    found.require()
    text = _("Copied {name} to {url}: {rows} rows, the same on both sides (content hash {content}).")
    told = text.format(name=facts["name"], url=facts["target"], rows=copied.rows, content=copied.content)
    call.face.answer(facts, lambda: group(line(told), line(found.anchor, "bold", whole=True)))
    return None
