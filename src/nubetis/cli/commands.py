"""The list of commands, and what becomes of an error.

Nothing heavy loads here: a command's module is imported when the command is asked for.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Final

import click

from nubetis.cli.texts import EXIT_CODES, _, json_text, say, speaking
from nubetis.cli.usage import Group, language_option, say_usage
from nubetis.errors import NubetisError, StoreError, system_reason
from nubetis.i18n import printable

__all__ = ["EXIT_CODES", "main", "run"]

_WHERE: Final = {
    "demo": "demo",
    "create": "organisation",
    "import": "files",
    "export": "files",
    "find": "records",
    "history": "records",
    "journal": "journal",
    "users": "people",
    "roles": "roles",
    "profiles": "profiles",
    "sharing": "sharing",
    "edition": "edition",
    "access": "access",
    "explain": "explain",
    "who-can": "explain",
    "preview": "explain",
    "retention": "keep",
    "subject": "keep",
    "doctor": "organisation",
    "backup": "organisation",
    "restore": "organisation",
    "copy": "organisation",
}
"""Command → its module; the command is named there as here, with ``_command`` after it, and ``_`` for ``-``."""


def _summaries() -> dict[str, str]:
    return {
        "demo": _("See the whole work on generated contacts or on a file of yours."),
        "create": _("Make an organisation and its first administrator."),
        "import": _("Load a file into a module."),
        "export": _("Write records to a file."),
        "find": _("List records that fit a filter."),
        "history": _("Show the life of a record."),
        "journal": _("List, show, undo, resume and verify operations."),
        "users": _("List, add, edit and remove users."),
        "roles": _("Draw the tree of roles, and change it."),
        "profiles": _("List, show, compare and change profiles."),
        "sharing": _("Show what is shared with whom, and change it."),
        "edition": _("Show what the edition gives, and change it."),
        "access": _("Keep everybody's access as a text, and compare."),
        "explain": _("Explain why a user may do something, or not."),
        "who-can": _("List the users who may do something."),
        "preview": _("Show who would gain and lose access by a command, and do nothing."),
        "retention": _("Do what the rules of retention say."),
        "subject": _("Write all that is kept of a person into a folder."),
        "doctor": _("Look whether everything is in order."),
        "backup": _("Write a consistent copy beside those who work."),
        "restore": _("Put a back-up in the place of the organisation."),
        "copy": _("Copy an organisation into another store."),
    }


class _Commands(Group):
    """Finds each command in its module when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Give the names, in the order of work."""
        return list(_WHERE)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import one command."""
        if cmd_name not in _WHERE:
            return None
        found: click.Command = getattr(
            import_module(f"nubetis.cli.{_WHERE[cmd_name]}"), f"{cmd_name.replace('-', '_')}_command"
        )
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """List the commands without loading them."""
        with formatter.section(_("Commands")):
            formatter.write_dl(list(_summaries().items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        """Explain the exit codes."""
        codes = [
            ("0", _("done")),
            ("1", _("refused, not found, or something is not in order")),
            ("2", _("the command was not understood")),
            ("3", _("the store or a file cannot be read or written")),
            ("4", _("done in part: rows were refused")),
            ("130", _("interrupted")),
        ]
        with formatter.section(_("Exit codes")):
            formatter.write_dl(codes)
        with formatter.section(_("Environment")):
            variables = [
                ("NUBETIS_DB", _("the organisation, where --db does not name one")),
                ("NUBETIS_PLUGINS", _("plug-ins to load, as --plugin names them, with spaces between them")),
                ("NUBETIS_ENTRY_POINTS", _("1 loads the plug-ins that are installed, as --entry-points does")),
                ("LANGUAGE, LANG", _("the language, where --lang does not name one")),
                ("NO_COLOR", _("no colours")),
            ]
            formatter.write_dl(variables)


def _group() -> click.Group:
    version = click.version_option(
        package_name="nubetis", message="%(prog)s %(version)s", help=_("Show the version and leave.")
    )
    return version(
        _Commands(
            name="nubetis",
            help=_(
                "A CRM core: records with a journal, files, duplicates.  Each command takes --help, --json and --lang."
            ),
            params=[language_option()],
            no_args_is_help=True,
            context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
        )
    )


def main() -> None:
    """Run the command line and leave with its exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by who started us: nobody listens
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115 - open to the end
        elif isinstance(getattr(stream, "buffer", None), io.RawIOBase):  # it would take a part written for the whole
            whole = open(stream.fileno(), "w", 1, stream.encoding, "replace", closefd=False)  # noqa: SIM115
            setattr(sys, name, whole)
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a terminal that lacks a letter shows a ? instead of failing
    code = run(sys.argv[1:])
    sys.stdout = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - what could be flushed was
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run one command; give its exit code.

    >>> run(["find", "deals", "--db", "nowhere.db", "--lang", "en"])
    1
    """
    with speaking(_named_language(arguments)):
        try:
            code = _answered(arguments)
            sys.stdout.flush()
        except OSError as error:
            return _unwritten(error)
        except SystemExit:  # click and rich leave so when nobody reads on, as behind `head`
            return EXIT_CODES["store"]
        return code


def _answered(arguments: Sequence[str]) -> int:
    as_json = "--json" in arguments
    try:
        result: object = _group().main(args=list(arguments), prog_name="nubetis", standalone_mode=False)
    except NubetisError as error:
        return _fail(error, as_json=as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return EXIT_CODES["usage"]
    except click.ClickException as error:
        return _misunderstood(error, as_json=as_json)
    except (click.Abort, KeyboardInterrupt):
        click.echo(_("Interrupted."), err=True)
        return EXIT_CODES["interrupted"]
    return result if isinstance(result, int) else EXIT_CODES["done"]


def _named_language(arguments: Sequence[str]) -> str | None:
    """Find ``--lang`` before anything is said, help included."""
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if argument == "--lang":
            return next(iter(arguments[place + 1 :]), None)
    return None


def _fail(error: NubetisError, *, as_json: bool) -> int:
    """Say what happened: to programs on the standard output, to people beside it."""
    _say_error(error.code, say(error), as_json=as_json)
    return EXIT_CODES["store"] if isinstance(error, StoreError) else EXIT_CODES["refused"]


def _misunderstood(error: click.ClickException, *, as_json: bool) -> int:
    """Say why the command was not understood, and where it is explained."""
    context = getattr(error, "ctx", None)
    _say_error("usage", say_usage(error), as_json=as_json)
    if context is not None and not as_json:
        click.echo(_("It is explained by: {command}").format(command=f"{context.command_path} --help"), err=True)
    return EXIT_CODES["usage"]


def _unwritten(error: OSError) -> int:
    """Say that the answer could not be written; nothing to who stopped listening, as ``head`` does."""
    if error.errno != errno.EPIPE:
        file = error.filename or _("the standard output")
        found = StoreError("unwritable", file=file, reason=system_reason(error))
        _say_error(found.code, say(found), as_json=False)
    return EXIT_CODES["store"]


def _say_error(code: str, message: str, *, as_json: bool) -> None:
    if as_json:
        click.echo(json_text({"error": {"code": code, "message": message}}))
    else:
        click.echo(printable(f"{_('Error')}: {message} [{code}]"), err=True)
