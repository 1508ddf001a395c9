"""Random worlds of access on each store: a sample of ``proof_access``; and the suite finds what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.access import policy
from nubetis.access.delegation import Limits
from nubetis.access.directory import Directory
from nubetis.access.numbering import Numbering
from nubetis.backends.memory import forget_memory
from nubetis.backends.memory.transactions import Transaction
from nubetis.model.bind import Viewpoint
from nubetis.session import deciding, delegating, previewing, state
from nubetis.testing.access_contract import AccessContract, laws
from nubetis.testing.access_contract.laws import LAWS
from nubetis.testing.access_contract.proving import agreeing, lawful, numbered_anew
from tests.access.proof_access import prove


class TestAccessInMemory(AccessContract):
    factory = "nubetis.backends:open_memory"

    @pytest.fixture(autouse=True)
    def _forget(self):
        self._urls = set()
        yield
        for url in self._urls:
            forget_memory(url)

    def url_of(self, folder: Path) -> str:
        self._urls.add(f"memory://{folder}")
        return f"memory://{folder}"


class TestAccessOnSQLite(AccessContract):
    factory = "nubetis.backends:open_sqlite"

    def url_of(self, folder: Path) -> str:
        return f"sqlite:///{folder}/org.db?profile=fast"


def test_on_postgres_too(postgres):
    """A world and a few laws."""
    assert agreeing(postgres("laws_a"), 1, users=8, records=60) > 2000
    assert lawful(postgres("laws_b"), 1, LAWS[::3])


def test_a_part_of_the_proof():
    found = prove(20_000, 100, names=["memory", "sqlite"], size={"users": 8, "records": 60})
    assert found.faults == []


# -- what is broken ---------------------------------------------------------------------------------------------------
def without_superiors(patch):
    told = Directory.reaches_user
    patch.setattr(Directory, "reaches_user", lambda *given, superiors: told(*given, superiors=False))


def without_expiry(patch):
    patch.setattr(policy, "instant_text", lambda _: "0")


def with_parents_of_anybody(patch):
    patch.setattr(deciding.Decider, "_has", lambda *_: True)


def without_parents(patch):
    patch.setattr(policy.RolePolicy, "_by_parent", lambda *_: iter(()))


def without_peers(patch):
    patch.setattr(Numbering, "peers", lambda *_: False)


def without_hidden_fields(patch):
    patch.setattr(policy.RolePolicy, "reads", lambda *_: True)


def with_the_bin_in_counts(patch):
    count = Transaction.count
    patch.setattr(Transaction, "count", lambda *given, **more: count(*given, **more) + 1)


def with_a_page_less_the_last(patch):
    query = Transaction.query
    patch.setattr(Transaction, "query", lambda txn, asked: query(txn, asked)[: max(5, asked.limit - 1)])


def with_whoever_is_asked_about(patch):
    patch.setattr(previewing._Finder, "_by_shares", lambda *_, **__: set())


def without_editions(patch):
    patch.setattr(policy.RolePolicy, "_in_edition", lambda *_: True)


def with_everything_lent(patch):
    patch.setattr(Limits, "within", lambda _, whole: whole)


def with_delegations_that_never_end(patch):
    patch.setattr(delegating, "instant_text", lambda _: "0")


def with_links_as_the_viewer_sees_them(patch):
    """Bind rules on linked records as if the viewer asked."""
    patch.setattr(Viewpoint, "freed", lambda view: view)


BROKEN = [
    without_superiors, without_expiry, with_parents_of_anybody, without_parents, without_peers, without_hidden_fields,
    with_the_bin_in_counts, with_a_page_less_the_last, with_whoever_is_asked_about, without_editions,
    with_everything_lent, with_delegations_that_never_end, with_links_as_the_viewer_sees_them,
]  # fmt: skip


@pytest.mark.parametrize("broken", BROKEN)
def test_the_oracle_finds_what_is_broken(broken, monkeypatch, tmp_path):
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        sum(agreeing(f"memory://{tmp_path}-{seed}", seed, users=10, records=60) for seed in range(5))


def with_an_old_directory(patch):
    kept = {}

    def old(world, txn, version):
        if id(world) not in kept:
            kept[id(world)] = world, directory_of(world, txn, version)
        return kept[id(world)][1]

    directory_of = state.directory_of
    patch.setattr(state, "directory_of", old)


def with_a_silent_preview(patch):
    patch.setattr(laws, "preview", lambda *_: [])


@pytest.mark.parametrize("broken", [with_an_old_directory, with_a_silent_preview])
def test_laws_find_what_is_broken(broken, monkeypatch, tmp_path):
    broken(monkeypatch)
    with pytest.raises(AssertionError):
        sum(lawful(f"memory://{tmp_path}-{seed}", seed, LAWS) for seed in range(5))


def with_keys_that_matter(patch):
    """Give nobody with an even key what is shared with him."""
    told = Directory.targets
    patch.setattr(Directory, "targets", lambda self, user: told(self, user if user % 2 else 1))


def test_other_numbers_find_what_is_broken(monkeypatch, tmp_path):
    with_keys_that_matter(monkeypatch)
    urls = f"memory://{tmp_path}-a", f"memory://{tmp_path}-b"
    with pytest.raises(AssertionError):
        sum(numbered_anew((f"{urls[0]}{seed}", f"{urls[1]}{seed}"), seed) for seed in range(5))
