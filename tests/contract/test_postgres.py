"""The PostgreSQL store under the contract suite."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from nubetis.testing.store_contract import StoreContract


class TestPostgresStore(StoreContract):
    """One schema a folder of the test."""

    factory = "nubetis.backends:open_postgres"

    @pytest.fixture(autouse=True)
    def _server(self, postgres):
        self.server = postgres

    def url_of(self, folder: Path) -> str:
        schema = hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()
        return self.server(f"t{schema}")
