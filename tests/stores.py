"""What tests of the door share: the same test on each store, and a short way to name an error."""

from __future__ import annotations

import json
import os
import resource
from contextlib import contextmanager
from zlib import crc32

import pytest

from nubetis.access.decision import Action
from nubetis.access.permissions import Permissions, write_permissions
from nubetis.access.policy import RolePolicy
from nubetis.backends.memory import forget_memory
from nubetis.errors import NubetisError
from nubetis.model.filters import EVERYTHING, F
from nubetis.session import applying, state

SYSTEM = ("id", "version", "created_in", "deleted_in", "created_at", "created_by", "modified_at", "modified_by")
"""Fields that nubetis sets."""


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def nubetis_store_url(request, tmp_path):
    """Run the test on each store; takes the place of the plug-in's fixture.  See ``sampled`` for PostgreSQL."""
    if request.param == "postgres":
        number = crc32(request.node.nodeid.encode())
        yield request.getfixturevalue("postgres")(f"s{number}")
        return
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/org.db?profile=fast"
        return
    url = f"memory://{tmp_path}"
    yield url
    forget_memory(url)


def sampled(item):
    """Say whether *item* is to run: to make an organisation on PostgreSQL takes half a second, so one test in sixteen.

    They are the same in each run; ``NUBETIS_TEST_SESSIONS=all`` runs all of them.
    """
    params = item.callspec.params if hasattr(item, "callspec") else {}
    everything = os.environ.get("NUBETIS_TEST_SESSIONS") == "all"
    return params.get("nubetis_store_url") != "postgres" or everything or crc32(item.nodeid.encode()) % 16 == 0


@pytest.fixture
def small_chunks(monkeypatch):
    """Let a transaction hold three records, so that a few records make a long operation."""
    monkeypatch.setattr(applying, "CHUNK", 3)
    return 3


class HidingPolicy(RolePolicy):
    """One that hides the fields named ``margin`` from all but administrators."""

    def reads(self, module, field):  # noqa: ARG002 - the contract's
        """Say no to the margin."""
        return self.user.administrator or field.name != "margin"


class ShowingPolicy(RolePolicy):
    """One that lets everybody see everything; what one may do stays as it is."""

    def grant(self, action, module):
        """Give all records to be seen."""
        return EVERYTHING if action is Action.VIEW else super().grant(action, module)


@pytest.fixture
def hiding(monkeypatch):
    """Let the policy of all users hide the margin."""
    monkeypatch.setattr(state, "RolePolicy", HidingPolicy)


@pytest.fixture
def showing(monkeypatch):
    """Let the policy of all users show everything."""
    monkeypatch.setattr(state, "RolePolicy", ShowingPolicy)


@contextmanager
def refusing(code, kind=NubetisError, *, match=None):
    """Expect an error of *kind* with *code*, of which the sentence holds *match*."""
    with pytest.raises(kind, match=match) as caught:
        yield caught
    assert code == caught.value.code


@contextmanager
def no_file_beyond(size):
    """Let no file of this process grow beyond *size* bytes: to whoever writes, the disk is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def values_of(record):
    """Give what people put into a record."""
    return {name: value for name, value in record.items() if name not in SYSTEM}


def state_of(session, *modules):
    """Give the values of all records of *modules*, by id, and whether they are in the recycle bin."""
    return {
        record.id: (gone, values_of(record))
        for module in modules or ("leads",)
        for gone in (False, True)
        for record in session.find(module, deleted=gone, limit=10_000)
    }


def rows_of(org, module):
    """Give all rows of a ledger, as the store keeps them."""
    store = org._world.store
    return store.read(lambda txn: [row for batch in txn.stream(module) for row in zip(*batch, strict=True)])


def permit_all(session):
    """Let the profile of everybody permit every verb, so that only grants and fields decide."""
    standard = session.find("profiles", F.name == "Standard")[0]
    session.edit(standard, permissions=json.dumps(write_permissions(Permissions(default=list(Action)))))
