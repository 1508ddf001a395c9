"""The contract suite that every store must pass: each sentence of :mod:`nubetis.model.store` names its case.

A store's own tests subclass :class:`StoreContract` and say where its factory is, and a URL for each folder::

    class TestMine(StoreContract):
        factory = "mine.store:open_mine"

        def url_of(self, folder: Path) -> str:
            return f"mine:///{folder}/org"

``open_snapshot`` opens what a store's snapshots wrote, and ``harm`` harms what it derives from rows behind its back;
without them the cases that need them are skipped.

What a store declares in its ``capabilities`` that it cannot do is skipped, with the reason.  Threads meet at
barriers and events; only started processes sleep, for a moment between reading and writing.
:data:`~nubetis.testing.store_contract.rules.RULES` says which cases hold a store to which sentence; a case that fails
names what differs, module by module, and its sentences.
"""

from __future__ import annotations

from nubetis.testing.store_contract.filters import FilterCases
from nubetis.testing.store_contract.isolation import IsolationCases
from nubetis.testing.store_contract.judging import JudgingCases
from nubetis.testing.store_contract.machine import MachineCases
from nubetis.testing.store_contract.reading import ReadingCases
from nubetis.testing.store_contract.rules import sentences_of
from nubetis.testing.store_contract.schemas import SchemaCases
from nubetis.testing.store_contract.sessions import SessionCases
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, row_of
from nubetis.testing.store_contract.several import ProcessCases
from nubetis.testing.store_contract.units import UnitCases
from nubetis.testing.store_contract.ways import WayCases
from nubetis.testing.store_contract.writing import WritingCases

__all__ = ["CONTRACT_SCHEMA", "StoreContract", "row_of", "sentences_of"]


class StoreContract(
    WritingCases,
    UnitCases,
    IsolationCases,
    FilterCases,
    ReadingCases,
    WayCases,
    SchemaCases,
    JudgingCases,
    ProcessCases,
    SessionCases,
    MachineCases,
):
    """All cases; subclass it, and say its ``factory`` and ``url_of``."""
