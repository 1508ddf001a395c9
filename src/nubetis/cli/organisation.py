"""Commands for the organisation as a whole: make, examine, back up, restore."""

from __future__ import annotations

import platform
import sqlite3
from importlib import metadata
from typing import Final

import click

import nubetis
from nubetis.backends.urls import shown
from nubetis.cli.call import Answer, Call, command, url_of
from nubetis.cli.face import RenderableType, grid, group, line
from nubetis.cli.texts import EXIT_CODES, _, language, say
from nubetis.errors import NubetisError, StoreError
from nubetis.i18n import phrase
from nubetis.org import copy, restore

_PACKAGES: Final = ("nubetis", "attrs", "cattrs", "click", "numpy", "pluggy", "rapidfuzz", "rich", "sqlalchemy")


@command("create", _("Make an organisation and its first administrator."), signs_in=False)
@click.option(
    "--administrator", metavar="E-MAIL", required=True, help=_("The first administrator; no password is set.")
)
@click.option("--name", help=_("The organisation's name."))
@click.option("--currency", metavar="PEN", help=_("The currency in which it counts."))
def create_command(call: Call, administrator: str, name: str | None, currency: str | None) -> Answer:
    """Make an organisation."""
    given = {"name": name, "currency": currency}
    settings = {key: value for key, value in given.items() if value is not None}
    with nubetis.create(call.url, administrator=administrator, settings=settings) as org:
        facts = {"url": call.shown, "name": org.name, "administrator": administrator, "modules": _modules(org)}
    call.face.answer(facts, lambda: line(_("Made {name} at {url}.").format(name=facts["name"], url=call.shown)))
    return None


def _modules(org: nubetis.Org) -> list[str]:
    return [str(module.name) for module in org.schema.modules if not module.system]


@command("doctor", _("Look whether everything is in order."), signs_in=False)
def doctor_command(call: Call) -> Answer:
    """Examine the environment and the organisation; exit 1 where something is wrong, 3 where it cannot be read."""
    facts: dict[str, object] = {"environment": _environment(), "url": call.shown, "organisation": None}
    code = None
    try:
        with call.org() as org:
            facts["organisation"], problems = _examined(org)
    except NubetisError as error:
        problems = [f"{say(error)} [{error.code}]"]
        code = EXIT_CODES["store"] if isinstance(error, StoreError) else None
    facts["problems"] = problems
    call.face.answer(facts, lambda: _shown(facts, problems, call.face.out.width))
    return code or (EXIT_CODES["refused"] if problems else None)


def _environment() -> dict[str, str]:
    versions = {name: _version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, **versions}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "-"


def _examined(org: nubetis.Org) -> tuple[dict[str, object], list[str]]:
    schema = org.schema
    problems = [phrase(each, language()) for each in org.check()]
    found = org.verify()
    problems += [phrase(str(each), language()) for each in found.tampered]
    interrupted = org.interrupted()
    text = _("operation {id} was interrupted; go on with it: nubetis journal resume {id}")
    problems += [text.format(id=each.id) for each in interrupted]
    with org.system("doctor") as system:
        records = {name: system.count(name) for name in _modules(org)}
    facts: dict[str, object] = {
        "name": org.name,
        "schema_version": schema.version,
        "records": records,
        "journal": {"entries": found.entries, "anchor": found.anchor},
    }
    return facts, problems


def _shown(facts: dict[str, object], problems: list[str], room: int) -> RenderableType:
    environment = facts["environment"]
    parts: list[RenderableType] = [_pairs(environment, _("Environment"), room)]
    organisation = facts["organisation"]
    if isinstance(organisation, dict):
        known = {**organisation, "journal": organisation["journal"]["anchor"]}
        labels = {
            "name": _("name"),
            "schema_version": _("schema version"),
            "records": _("records"),
            "journal": _("journal"),
        }
        parts.append(_pairs({labels[key]: value for key, value in known.items()}, str(facts["url"]), room))
    parts += [line(f"✗ {problem}", "bold red") for problem in problems]
    return group(*parts, *([] if problems else [line("✓ " + _("Everything is in order."), "bold green")]))


def _pairs(found: object, title: str, room: int) -> RenderableType:
    assert isinstance(found, dict)  # noqa: S101 - facts hold dicts
    rows: list[list[object]] = []
    for name, value in found.items():
        shown = (
            ", ".join(f"{key} {count}" for key, count in value.items() if count) if isinstance(value, dict) else value
        )
        rows.append([name, shown])
    return grid(["", ""], rows, room=room, title=title)


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


@command("restore", _("Put a back-up in the place of the organisation."), signs_in=False)
@click.argument("source", metavar=_("FILE"))
@click.option("--replace", is_flag=True, help=_("Also where there is an organisation already; it is lost."))
def restore_command(call: Call, source: str, *, replace: bool) -> Answer:
    """Restore, and open what was restored."""
    restore(source, call.url, replace=replace)
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
    with call.face.progress(_("Copying")) as progress:
        copied = copy(old, new, replace=replace, progress=progress)
    with nubetis.open(new) as org:
        found = org.verify()
        facts = {"source": shown(old), "target": shown(new), "name": org.name, "rows": copied.rows,
                 "content": copied.content, "anchor": found.anchor}  # fmt: skip
    found.require()
    text = _("Copied {name} to {url}: {rows} rows, the same on both sides (content hash {content}).")
    told = text.format(name=facts["name"], url=facts["target"], rows=copied.rows, content=copied.content)
    call.face.answer(facts, lambda: group(line(told), line(found.anchor, "bold", whole=True)))
    return None
