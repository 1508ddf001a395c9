"""The contract suite that every store must pass: each sentence of :mod:`nubetis.model.store` names its case.

A store's own tests subclass :class:`StoreContract` and say how a store is opened::

    class TestMine(StoreContract):
        def open_store(self, folder: Path) -> Store:
            return open_mine(f"mine:///{folder}/org", create=True)

What a store declares in its ``capabilities`` that it cannot do is skipped, with the reason.  Threads meet at
barriers and events; nothing sleeps.
"""

from __future__ import annotations

from nubetis.testing.store_contract.filters import FilterCases
from nubetis.testing.store_contract.reading import ReadingCases
from nubetis.testing.store_contract.schemas import SchemaCases
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, row_of
from nubetis.testing.store_contract.units import UnitCases
from nubetis.testing.store_contract.writing import WritingCases

__all__ = ["CONTRACT_SCHEMA", "StoreContract", "row_of"]


class StoreContract(WritingCases, UnitCases, FilterCases, ReadingCases, SchemaCases):
    """All cases; subclass it, and say in ``open_store`` how a store is opened."""
