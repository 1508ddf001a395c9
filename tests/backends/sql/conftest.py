"""A store in the folder of the test, and a second look at its file with plain sqlite3."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from zlib import crc32

import pytest

from nubetis.backends import open_postgres, open_sqlite
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/org.db"


@pytest.fixture
def store(url):
    """Give a store with the tables of the contract suite."""
    made = open_sqlite(f"{url}?profile=fast", create=True)
    made.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    yield made
    made.close()


@pytest.fixture(params=["sqlite", "postgres"])
def any_store(request, tmp_path):
    if request.param == "postgres":
        made = open_postgres(
            request.getfixturevalue("postgres")(f"w{crc32(request.node.nodeid.encode())}"), create=True
        )
    else:
        made = open_sqlite(f"sqlite:///{tmp_path}/ways.db?profile=fast", create=True)
    made.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    yield made
    made.close()


@pytest.fixture
def query(tmp_path, store):
    """Give a function that asks the file, not the store."""

    def ask(sql, *parameters):
        with closing(sqlite3.connect(tmp_path / "org.db")) as link:
            return link.execute(sql, parameters).fetchall()

    return ask


@pytest.fixture
def statements(store):
    """Give the statements that the store runs from now on; they fill up as it works."""
    seen = []
    link = store._units.pool.take()
    link.set_trace_callback(seen.append)
    store._units.pool.give(link)
    yield seen
    link.set_trace_callback(None)
