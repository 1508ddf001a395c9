"""The command line: a thin face over the API.  ``nubetis --help`` lists the commands."""

from nubetis.cli.commands import main

__all__ = ["main"]
