"""The access suite: random organisations on a store, in which everybody must have what the specification says.

A store's own tests subclass :class:`AccessContract` as they do
:class:`~nubetis.testing.store_contract.StoreContract`::

    class TestAccessOnMine(AccessContract):
        factory = "mine.store:open_mine"

        def url_of(self, folder: Path) -> str:
            return f"mine:///{folder}/org"

Each case makes a world from a seed (:mod:`~nubetis.testing.access_contract.worlds`): a tree of roles, profiles, groups,
rules, shares, teams, parents, delegations, an edition, and records.  An oracle follows every path of it with sets.
Whatever lists, counts, decisions, explanations, exports and ``who_can`` answer is compared with it, also after changes
that are planned, previewed, applied and undone.  :func:`~nubetis.testing.access_contract.proving.agreeing` does the
same for any URL and seed.  :func:`~nubetis.testing.access_contract.interference.alike` compares two organisations
that differ only in what one of their users may not see.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Final

import pytest

from nubetis.testing.access_contract.laws import LAWS, Law
from nubetis.testing.access_contract.proving import agreeing, lawful, numbered_anew
from nubetis.testing.store_contract.sessions import _Opening
from nubetis.testing.store_contract.setting import ContractSetting

__all__ = ["AccessContract"]

_URL: Final = "contract://org"


class AccessContract(ContractSetting):
    """All cases; subclass it, and say its ``factory`` and ``url_of``."""

    def _plugin(self, folder: Path) -> object:
        folder.mkdir(exist_ok=True)
        return _Opening(partial(self.open_store, folder))

    @pytest.mark.parametrize("seed", range(2))
    def test_everybody_has_what_the_oracle_says(self, tmp_path: Path, seed: int) -> None:
        """Pages, counts, decisions, explanations, exports, who may; some thousand checks a world."""
        assert agreeing(_URL, seed, users=8, records=60, plugins=[self._plugin(tmp_path)]) > 2000

    @pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
    def test_a_law_holds(self, tmp_path: Path, law: Law) -> None:
        """A change is planned, previewed, applied and undone; what it gives and takes is what it may."""
        assert lawful(_URL, 1, [law], plugins=[self._plugin(tmp_path)])

    def test_other_numbers_change_nothing(self, tmp_path: Path) -> None:
        """Users, roles and groups have other keys and stand in another order."""
        plugins = [(self._plugin(tmp_path / name),) for name in ("first", "second")]
        assert numbered_anew((_URL, _URL), 1, plugins=plugins)
