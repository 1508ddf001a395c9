"""The PostgreSQL store under the contract suite."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nubetis.backends.sql.postgres import open_postgres
from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract


class TestPostgresStore(StoreContract):
    """One schema a folder of the test."""

    @pytest.fixture(autouse=True)
    def _server(self, postgres):
        self.server = postgres

    def open_store(self, folder: Path) -> Store:
        schema = hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()
        return open_postgres(self.server(f"t{schema}"), create=True)
