"""The memory store under the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.backends.memory import forget_memory
from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract
from nubetis.testing.store_contract.setting import PEOPLE


class TestMemoryStore(StoreContract):
    """Organisations named by the folder of the test, forgotten after it."""

    factory = "nubetis.backends:open_memory"

    @pytest.fixture(autouse=True)
    def _forget(self):
        self._urls = set()
        yield
        for url in self._urls:
            forget_memory(url)

    def url_of(self, folder: Path) -> str:
        url = f"memory://{folder}"
        self._urls.add(url)
        return url

    def harm(self, folder: Path, store: Store, what: str) -> None:  # noqa: ARG002 - the signature of the suite
        table = store._home.tables[PEOPLE.id]
        if what == "sets":
            pytest.skip("memory keeps no index of sets")
        elif what == "twins":
            at, size = table.index["name__f"], table.index["size"]
            for row in [row for row in table.rows.values() if row[size] == 1]:
                table.rows[row[0]] = (*row[:at], "harmed", *row[at + 1 :])
        else:
            found = table.tallies if what == "tallies" else table.taken["code"]
            found.pop(next(iter(found.items()))[0])
