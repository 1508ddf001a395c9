"""The memory store under the contract suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.backends.memory import forget_memory, open_memory
from nubetis.model.store import Store
from nubetis.testing.store_contract import StoreContract


class TestMemoryStore(StoreContract):
    """Organisations named by the folder of the test, forgotten after it."""

    def open_store(self, folder: Path) -> Store:
        return open_memory(f"memory://{folder}", create=True)

    @pytest.fixture(autouse=True)
    def _forget(self, tmp_path: Path):
        yield
        for folder in (tmp_path, tmp_path / "other"):
            forget_memory(f"memory://{folder}")
