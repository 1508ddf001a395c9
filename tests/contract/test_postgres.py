"""The PostgreSQL store under the contract suite."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract
from tests.contract.harming import HARM


class TestPostgresStore(StoreContract):
    """One schema a folder of the test."""

    factory = "nubetis.backends:open_postgres"

    @pytest.fixture(autouse=True)
    def _server(self, postgres):
        self.server = postgres

    def url_of(self, folder: Path) -> str:
        schema = hashlib.blake2b(str(folder).encode(), digest_size=8).hexdigest()
        return self.server(f"t{schema}")

    def harm(self, folder: Path, store: Store, what: str) -> None:  # noqa: ARG002 - the signature of the suite
        plain, _, rest = self.url_of(folder).partition("schema=")
        with closing(psycopg.connect(plain.rstrip("?&"), autocommit=True)) as link:
            link.execute(f'SET search_path TO "{rest.partition("&")[0]}"')
            link.execute(HARM[what])
