"""The contract suite finds out a store that says it is durable and is not, whether processes may share it or not."""

from __future__ import annotations

import pytest

from nubetis.testing.store_contract import StoreContract


class Suite(StoreContract):
    """The cases, on a store of this folder."""

    def __init__(self, name):
        self.factory = f"tests.testing.broken:{name}"

    def url_of(self, folder):
        return f"broken:///{folder}/org.jsonl"


@pytest.mark.parametrize("name", ["open_torn", "open_forgetful"])
def test_a_store_that_does_not_survive_a_killed_process_is_found_out(tmp_path, name):
    with pytest.raises(AssertionError):
        Suite(name).test_a_process_killed_while_it_commits_leaves_whole_units(tmp_path)
