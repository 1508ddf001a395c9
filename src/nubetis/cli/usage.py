"""What click says of itself, in the user's language: help pages, and commands that were not understood."""

from __future__ import annotations

import click

from nubetis.cli.texts import _, language, read_principal
from nubetis.i18n import phrase

__all__ = ["Command", "Group", "ListingGroup", "language_option", "say_usage", "whom"]


class Command(click.Command):
    """A command whose help page is in one language."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first line."""
        pieces = self.collect_usage_pieces(ctx)
        formatter.write_usage(ctx.command_path, " ".join(pieces), prefix=f"{_('Usage')}: ")

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Give what stands behind the name."""
        return [_translated(piece) for piece in super().collect_usage_pieces(ctx)]

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        options = [each for each in self.get_params(ctx) if isinstance(each, click.Option)]
        records = [found for each in options if (found := each.get_help_record(ctx)) is not None]
        with formatter.section(_("Options")):
            formatter.write_dl([(name, _with_extra(text)) for name, text in records])

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """Give ``--help``."""
        option = super().get_help_option(ctx)
        if option is not None:
            option.help = _("Show this page.")
        return option


class Group(Command, click.Group):
    """A command of commands."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, then the commands."""
        Command.format_options(self, ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands."""
        found = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section(_("Commands")):
            formatter.write_dl([(name, each.get_short_help_str(200)) for name, each in found if each is not None])


class ListingGroup(Group):
    """A command of commands that lists where none of them is named: ``nubetis roles`` is ``nubetis roles list``."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put ``list`` first, where there are options only, and no help is asked for."""
        helps = {"-h", "--help"}.intersection(args[:1])
        named = any(each in self.commands for each in args) or not all(each.startswith("-") for each in args[:1])
        return super().parse_args(ctx, args if named or helps else ["list", *args])


def whom(_context: click.Context, _parameter: click.Parameter, given: str | tuple[str, ...] | None) -> object:
    """Read with whom something is shared, one or several, named in the user's language or as in every one."""
    if given is None or isinstance(given, str):
        return given and read_principal(given)
    return tuple(map(read_principal, given))


def language_option() -> click.Option:
    """Give ``--lang``, which :func:`nubetis.cli.commands.run` has read before."""
    return click.Option(
        ["--lang"],
        metavar="es|en",
        type=click.Choice(("es", "en")),
        help=_("The language of what is said."),
        expose_value=False,
    )


def _translated(piece: str) -> str:
    return {"[OPTIONS]": _("[OPTIONS]"), "COMMAND [ARGS]...": _("COMMAND [ARGS]...")}.get(piece, piece)


def _with_extra(text: str) -> str:
    return text.replace("[required]", _("[required]")).replace("[default: ", f"[{_('default')}: ")


def say_usage(error: click.ClickException) -> str:
    """Say what was not understood."""
    names = list(getattr(error, "possibilities", None) or ())
    said = error.message if names else error.format_message()
    text = phrase(" ".join(said.split()), language())
    hint = phrase(f"Did you mean {' / '.join(names)}?", language())
    return f"{text} {hint}" if names else text
