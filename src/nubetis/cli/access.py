"""Commands that keep everybody's access as a text, and compare it: snapshot, compare."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import attrs
import click

from nubetis.access.snapshot import AccessSnapshot, compare
from nubetis.cli.call import Answer, Call, command
from nubetis.cli.face import group, line
from nubetis.cli.texts import EXIT_CODES, _, counted
from nubetis.cli.usage import Group, language_option
from nubetis.errors import InvalidValue, StoreError, system_reason
from nubetis.session.snapshots import access_snapshot

__all__ = ["access_command"]

_STREAM: Final = "-"
"""Stands for the standard output, or input."""


@click.group("access", cls=Group, params=[language_option()], help=_("Keep everybody's access as a text, and compare."))
def access_command() -> None:
    """Keep everybody's access as a text, and compare."""


@command("snapshot", _("Write everybody's access to a file; it has no value of any record."))
@click.argument("file", metavar=_("FILE|-"))
def snapshot_command(call: Call, file: str) -> Answer:
    """Take a snapshot; a file that is there is written anew, and ``-`` is the standard output."""
    with call.session() as session:
        text = access_snapshot(session).show()
    if file == _STREAM:
        call.face.out.file.write(text)
        return None
    try:
        Path(file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise StoreError("unwritable", file=file, reason=system_reason(error)) from error
    call.face.answer({"file": file}, lambda: line(_("Everybody's access is in {file}.").format(file=file)))
    return None


@command("compare", _("Show what of everybody's access is another than in a file; exit code 1 if anything is."))
@click.argument("file", metavar=_("FILE|-"))
def compare_command(call: Call, file: str) -> Answer:
    """Compare the access of now with a snapshot."""
    before = AccessSnapshot.parse(_text(file))
    with call.session() as session:
        found = compare(before, access_snapshot(session))
    facts = {"file": file, "differences": [attrs.asdict(each) for each in found]}
    same = line(_("Everybody's access is as in {file}.").format(file=file))
    title = counted("{count} difference", "{count} differences", len(found))
    call.face.answer(facts, lambda: group(line(title, "bold"), *[line(str(each)) for each in found]) if found else same)
    return EXIT_CODES["refused"] if found else None


def _text(file: str) -> str:
    """Read a snapshot.

    Raises:
        InvalidValue: ``bad_snapshot``; it is no text.
        StoreError: ``unreadable``.
    """
    try:
        return sys.stdin.read() if file == _STREAM else Path(file).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise InvalidValue("bad_snapshot", reason="this is not JSON (UTF-8)") from None
    except OSError as error:
        raise StoreError("unreadable", file=file, reason=system_reason(error)) from error


for _each in (snapshot_command, compare_command):
    access_command.add_command(_each)
