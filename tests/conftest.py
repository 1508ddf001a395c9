"""How properties run, and the one seed of a run: printed, and given back by ``NUBETIS_TEST_SEED``."""

from __future__ import annotations

import os
import secrets
from random import Random

import pytest
from hypothesis import settings

from tests.servers import _postgres_server, postgres, postgres_server  # noqa: F401 - fixtures for all tests
from tests.stores import sampled

# Forty examples a property for each run; ``nox -s proofs`` asks for 10,000.
settings.register_profile("ci", deadline=None, print_blob=True, max_examples=40)
settings.register_profile("long", settings.get_profile("ci"), max_examples=10_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

# In the environment, so that the workers of pytest-xdist and started processes share it.
SEED = int(os.environ.setdefault("NUBETIS_TEST_SEED", str(secrets.randbits(32))))


def pytest_report_header() -> str:
    """Name the seed: the same seed gives the same run."""
    return f"NUBETIS_TEST_SEED={SEED}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes too long for each run."""
    left = [item for item in items if not sampled(item)]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if sampled(item)]


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> Random:
    """Randomness of the run's seed, the same for a test whichever others run."""
    return Random(f"{SEED} {request.node.nodeid}")
