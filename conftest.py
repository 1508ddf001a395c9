"""Every example of the documentation and of a docstring is a test.

The examples of one document share their names and run in order, in a folder of their own. With
pytest-xdist a document must stay on one worker: ``--dist loadfile``.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import ExitStack, chdir, contextmanager
from doctest import ELLIPSIS
from os import environ
from tempfile import TemporaryDirectory
from typing import Any

from sybil import Sybil
from sybil.parsers import myst, rest


def _enter_folder(namespace: dict[str, Any]) -> None:
    with ExitStack() as stack:
        stack.enter_context(chdir(stack.enter_context(TemporaryDirectory())))
        stack.enter_context(_without_columns())
        namespace["_leave_folder"] = stack.pop_all().close


@contextmanager
def _without_columns() -> Generator[None]:
    """Let answers be as wide as they are: pytest-xdist tells its workers the width of the terminal."""
    columns = environ.pop("COLUMNS", None)
    yield
    if columns is not None:
        environ["COLUMNS"] = columns


def _leave_folder(namespace: dict[str, Any]) -> None:
    namespace["_leave_folder"]()


_pages = Sybil(
    name="page",
    parsers=[myst.PythonCodeBlockParser(doctest_optionflags=ELLIPSIS), myst.SkipParser()],
    filenames=["README.md"],
    patterns=["docs/*.md", "docs/*/*.md", "docs/*/*/*.md"],
    excludes=["docs/_build/**"],
    setup=_enter_folder,
    teardown=_leave_folder,
)

_docstrings = Sybil(
    name="docstring",
    path="src",
    parsers=[rest.DocTestParser(optionflags=ELLIPSIS), rest.SkipParser()],
    patterns=["*.py"],
    setup=_enter_folder,
    teardown=_leave_folder,
)

pytest_collect_file = (_pages + _docstrings).pytest()
