"""The pytest plug-in: what a host's own tests are given."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from importlib.metadata import entry_points

import pytest

from nubetis.errors import InvalidValue
from nubetis.testing.clock import START, FixedClock
from nubetis.testing.people import make_org, read_person

PLUGIN = "nubetis.testing.plugin"


def test_manager_sees(nubetis_org):
    """As the design reads it."""
    luis, ana = nubetis_org.people("luis: Manager", "ana: Rep < luis")
    assert luis.can("view", ana.create("leads", name="X"))


def test_roles_report_as_the_lines_say(nubetis_org, nubetis_session):
    """``<`` names the user to whose role the role reports."""
    list(nubetis_org.people("luis: Manager", "ana: Rep < luis", "eva: Rep < luis"))

    rep = nubetis_session.find("roles", sort="-id", limit=1)[0]
    assert rep["name"] == "Rep"
    assert nubetis_session.get(rep["reports_to"])["name"] == "Manager"


def test_an_administrator_is_marked(nubetis_org):
    """``!admin`` makes an administrator."""
    eva, luis = nubetis_org.people("eva: Director !admin", "luis")

    assert eva.can("create", "users")
    assert not luis.can("create", "users")


@pytest.mark.parametrize("line", ["", "Ana: Rep", "ana:", "ana: Rep <", "ana: Rep !root", "ana: a: b"])
def test_a_line_that_says_nothing_is_refused(line):
    """A mistyped person is an error that shows how to write one."""
    with pytest.raises(InvalidValue) as caught:
        read_person(line)

    assert caught.value.code == "bad_format"


def test_a_role_has_one_superior(nubetis_org):
    """Two lines cannot put one role in two places."""
    list(nubetis_org.people("luis: Manager", "eva: Director", "ana: Rep < luis"))

    with pytest.raises(InvalidValue, match="another place"):
        nubetis_org.people("bob: Rep < eva")


def test_ids_salts_and_instants_are_the_same_in_each_run():
    """Two organisations made alike have the same journal, seal for seal."""

    def anchor():
        with make_org() as org, org.administrator() as session:
            session.edit(session.create("leads", name="X"), name="Y")
            return org.verify().anchor

    assert anchor() == anchor()


def test_the_clock_stands_still_until_it_is_moved(nubetis_clock, nubetis_session):
    """Records carry the instant that the clock shows."""
    first = nubetis_session.create("leads", name="X")["created_at"]
    nubetis_clock.advance(minutes=5)

    assert first == START
    assert first + timedelta(minutes=5) == nubetis_session.create("leads", name="Y")["created_at"]


def test_a_clock_shows_instants_only():
    """A time without a zone is refused, at the beginning and later."""
    with pytest.raises(ValueError, match="zone"):
        FixedClock(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test
    with pytest.raises(ValueError, match="zone"):
        FixedClock().move_to(datetime(2026, 1, 1))  # noqa: DTZ001 - the point of the test


def test_a_host_needs_no_more_than_the_fixtures(tmp_path):
    """The plug-in works in a project that has nothing but a test, and says where records are kept."""
    (tmp_path / "test_host.py").write_text(
        "def test_it(nubetis_org, nubetis_session):\n"
        "    assert nubetis_org.url.startswith('memory://mine')\n"
        "    assert nubetis_session.create('leads', name='X')['name'] == 'X'\n"
    )
    found = any(each.value == PLUGIN for each in entry_points(group="pytest11"))
    options = ["-p", "no:cacheprovider", "--nubetis-store=memory://mine{tmp_path}", f"--rootdir={tmp_path}"]
    options += [] if found else ["-p", PLUGIN]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *options, str(tmp_path)], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stdout + run.stderr
