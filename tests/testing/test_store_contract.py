"""The contract suite finds out a store that says it is durable and is not, whether processes may share it or not."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from nubetis.testing.store_contract import StoreContract
from nubetis.testing.store_contract.comparing import difference, require_same


class Suite(StoreContract):
    """The cases, on a store of this folder."""

    def __init__(self, name):
        self.factory = f"tests.testing.broken:{name}"

    def url_of(self, folder):
        return f"broken:///{folder}/org.jsonl"


ROWS = [(key, "a", "b" * 500) for key in range(1, 30)]


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"people": ROWS[1:-1], "places": []}, "people: lost 2 of 29 rows, of key 1, 29"),
        ({"people": [*ROWS, (99,)], "places": []}, "people: 1 rows too many, of key 99"),
        (
            {"people": [*ROWS[:3], (4, "x", "b" * 500), *ROWS[4:]], "places": []},
            "people, key 4, [1]: 'a' was expected, not 'x'",
        ),
        ({"people": ROWS[::-1], "places": []}, "people, key 1, [0]: 1 was expected, not 29"),
        ({"people": ROWS, "places": None}, "places: [] was expected, not None"),
        ({"people": ROWS}, "places: [] was expected, not None"),
    ],
)
def test_what_differs_is_named_and_not_shown_whole(other, said):
    found = difference({"people": ROWS, "places": []}, other)
    assert found.splitlines()[0] == said
    assert len(found) < 3000
    with pytest.raises(AssertionError, match=re.escape(said)):
        require_same({"people": ROWS, "places": []}, other)


def test_what_is_the_same_is_no_failure():
    require_same({"people": list(ROWS)}, {"people": ROWS})


FAILING = """
from nubetis.testing.store_contract import StoreContract
from nubetis.testing.store_contract.comparing import difference, require_same
from nubetis.backends import open_memory

def open_lossy(url, *, create):
    store = open_memory(url, create=create)
    whole = store.migrate
    store.migrate = lambda *given, **more: (store.clear(), whole(*given, **more))
    return store

class TestLossy(StoreContract):
    factory = f"{__name__}:open_lossy"

    def url_of(self, folder):
        return f"memory://{folder}"

def test_of_others():
    assert False
"""


def test_a_case_that_fails_says_what_is_lost_and_what_the_contract_says(tmp_path):
    """The module, and the sentence; cases of others are shown as ever."""
    (tmp_path / "test_lossy.py").write_text(FAILING)
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-k",
        "each_step_may or test_of_others",
        "test_lossy.py",
    ]
    said = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False).stdout
    assert "2 failed" in said
    assert ": lost 20 of 20 rows, of key " in said
    assert said.count("What the contract says") == 1
    assert "Store.migrate: Bring the tables to *schema* by *steps*, each of which may have been done before." in said


@pytest.mark.parametrize("name", ["open_torn", "open_forgetful"])
def test_a_store_that_does_not_survive_a_killed_process_is_found_out(tmp_path, name):
    said = {"open_torn": "people: lost|people: rows of the steps", "open_forgetful": "lost: step"}[name]
    with pytest.raises(AssertionError, match=said):
        Suite(name).test_a_process_killed_while_it_commits_leaves_whole_units(tmp_path)


@pytest.mark.parametrize("name", ["open_unflushed", "open_late", "open_forgetful"])
def test_a_store_that_keeps_a_small_unit_back_is_found_out(tmp_path, name):
    """Large ones go through a buffer at once, so it takes small ones."""
    with pytest.raises(AssertionError, match="lost: unit"):
        Suite(name).test_what_a_process_wrote_last_is_there_when_it_is_killed_at_once(tmp_path)
