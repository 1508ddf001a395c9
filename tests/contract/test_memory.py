"""The memory store under the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.backends.memory import forget_memory
from nubetis.testing.store_contract import StoreContract


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
