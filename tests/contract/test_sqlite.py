"""The SQLite store under the contract suite."""

from __future__ import annotations

from pathlib import Path

from nubetis.backends.sql import open_sqlite
from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract


class TestSqliteStore(StoreContract):
    """One file in the folder of the test."""

    factory = "nubetis.backends:open_sqlite"

    def url_of(self, folder: Path) -> str:
        return f"sqlite:///{folder}/org.db"

    def open_snapshot(self, target: str) -> Store:
        return open_sqlite(f"sqlite:///{target}", create=False)
