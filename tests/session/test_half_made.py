"""An organisation that cannot be made leaves nothing behind: its place can be used as if nobody had tried."""

from __future__ import annotations

import pytest

import nubetis
from nubetis.errors import Conflict, NotFound, StoreError
from nubetis.testing.clock import START
from tests.stores import no_file_beyond, refusing

ADMIN = "ana@acme.pe"


@pytest.mark.parametrize("profile", ["durable", "fast"])
@pytest.mark.parametrize("size", [0, 100, 5_000, 50_000, 300_000, 450_000])
def test_a_disk_that_is_full_at_any_moment_leaves_no_file(tmp_path, size, profile):
    url = f"sqlite:///{tmp_path}/org.db?profile={profile}"
    with no_file_beyond(size), pytest.raises(StoreError):
        nubetis.create(url, administrator=ADMIN)

    assert list(tmp_path.iterdir()) == []
    with nubetis.create(url, administrator=ADMIN) as org:
        assert org.check() == []


def test_room_enough_makes_it(tmp_path):
    """So that the sizes above are known to be too small, and not wrong otherwise."""
    with no_file_beyond(4_000_000), nubetis.create(f"sqlite:///{tmp_path}/org.db", administrator=ADMIN) as org:
        assert org.name == "Acme"


def stopping_clock():
    """Give a clock that says one instant and then fails."""
    left = [START]
    return left.pop


def test_what_fails_while_it_is_set_up_leaves_nothing(nubetis_store_url):
    """The store is there by then; the place is free all the same."""
    for _ in range(2):
        with pytest.raises(IndexError):
            nubetis.create(nubetis_store_url, administrator=ADMIN, around=nubetis.Surroundings(clock=stopping_clock()))
    with refusing("no_database", NotFound):
        nubetis.open(nubetis_store_url)
    with nubetis.create(nubetis_store_url, administrator=ADMIN) as org:
        assert org.name == "Acme"


def test_one_who_comes_too_late_takes_nothing_away(nubetis_store_url):
    with nubetis.create(nubetis_store_url, administrator=ADMIN) as org:
        with refusing("database_exists", Conflict):
            nubetis.create(nubetis_store_url, administrator="luis@acme.pe")
        assert org.system("testing").count("users") == 1


def test_a_store_is_discarded_only_while_nobody_has_set_it_up(nubetis_store_url):
    with nubetis.create(nubetis_store_url, administrator=ADMIN) as org:
        org._world.store.discard()
    with nubetis.open(nubetis_store_url) as again:
        assert again.system("testing").count("users") == 1
