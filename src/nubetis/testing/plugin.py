"""The pytest plug-in: an organisation, a session and a clock for each test that asks for them.

It is found by its entry point (``pytest11``) wherever nubetis is installed, and loads nothing of nubetis but this
file until a fixture is used.

======================  ===============================================================================
``nubetis_clock``       a :class:`~nubetis.testing.clock.FixedClock`, which moves only when it is told to
``nubetis_org``         an organisation with the same ids, salts and instants in each run; ``.people(…)``
                        makes users on the fly (:mod:`nubetis.testing.people`)
``nubetis_session``     the session of its administrator
``nubetis_store_url``   where the organisation is kept; override it to run tests on other stores
======================  ===============================================================================

Organisations are kept in memory.  ``--nubetis-store=sqlite:///{tmp_path}/org.db`` (or ``nubetis_store`` in the
configuration) keeps them elsewhere; ``{tmp_path}`` is the folder of the test.
"""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nubetis.session import Session
    from nubetis.testing.clock import FixedClock
    from nubetis.testing.people import OrgWithPeople

__all__ = [
    "nubetis_clock",
    "nubetis_org",
    "nubetis_session",
    "nubetis_store_url",
    "pytest_addoption",
    "pytest_runtest_makereport",
]

_HELP = "where nubetis_org keeps its records, {tmp_path} is the folder of the test (memory://)"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line and the configuration say where organisations are kept."""
    parser.getgroup("nubetis").addoption("--nubetis-store", metavar="URL", help=_HELP)
    parser.addini("nubetis_store", _HELP, default="memory://")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a case of the store contract that failed say which sentence it holds the store to."""
    report = yield
    suite = sys.modules.get("nubetis.testing.store_contract") if report.failed else None
    if suite is not None and isinstance(item, pytest.Function) and issubclass(item.cls or object, suite.StoreContract):
        said = suite.sentences_of(item.originalname.removeprefix("test_"))
        report.sections.append(("What the contract says", "\n".join(said)))
    return report


@pytest.fixture
def nubetis_store_url(request: pytest.FixtureRequest) -> str:
    """The URL of the store of ``nubetis_org``."""
    template: str = request.config.getoption("--nubetis-store") or request.config.getini("nubetis_store")
    if "{tmp_path}" not in template:
        return template
    return template.replace("{tmp_path}", str(request.getfixturevalue("tmp_path")))


@pytest.fixture
def nubetis_clock() -> FixedClock:
    """A clock that shows the same instant until it is moved."""
    from nubetis.testing.clock import FixedClock

    return FixedClock()


@pytest.fixture
def nubetis_org(nubetis_store_url: str, nubetis_clock: FixedClock) -> Iterator[OrgWithPeople]:
    """An organisation of its own for the test, with one administrator; it closes itself."""
    from nubetis.testing.people import make_org

    with make_org(nubetis_store_url, clock=nubetis_clock) as org:
        yield org


@pytest.fixture
def nubetis_session(nubetis_org: OrgWithPeople) -> Iterator[Session]:
    """An open session of the administrator of ``nubetis_org``."""
    with nubetis_org.administrator() as session:
        yield session
