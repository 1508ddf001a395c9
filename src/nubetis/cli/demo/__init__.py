"""The demonstration: the whole work, on generated contacts or on any file, through the public interfaces."""

from nubetis.cli.demo.story import demo_command

__all__ = ["demo_command"]
