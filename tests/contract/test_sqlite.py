"""The SQLite store under the contract suite."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from nubetis.backends.sql import open_sqlite
from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract
from tests.contract.harming import HARM


class TestSqliteStore(StoreContract):
    """One file in the folder of the test."""

    factory = "nubetis.backends:open_sqlite"

    def url_of(self, folder: Path) -> str:
        return f"sqlite:///{folder}/org.db"

    def open_snapshot(self, target: str) -> Store:
        return open_sqlite(f"sqlite:///{target}", create=False)

    def harm(self, folder: Path, store: Store, what: str) -> None:  # noqa: ARG002 - the signature of the suite
        with closing(sqlite3.connect(folder / "org.db")) as link, link:
            link.execute(HARM[what])
