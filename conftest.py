"""Every example of the documentation and of a docstring is a test.

The examples of one document share their names and run in order, in a folder of their own. With
pytest-xdist a document must stay on one worker: ``--dist loadfile``.
"""

from __future__ import annotations

from contextlib import ExitStack, chdir
from doctest import ELLIPSIS
from os import environ
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from sybil import Sybil
from sybil.parsers import myst, rest


def _enter_folder(namespace: dict[str, Any]) -> None:
    with ExitStack() as stack:
        stack.enter_context(chdir(stack.enter_context(TemporaryDirectory())))
        stack.enter_context(patch.dict(environ))
        environ.pop("COLUMNS", None)  # a worker has one, and pages are as wide as they are
        namespace["_leave_folder"] = stack.pop_all().close


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
