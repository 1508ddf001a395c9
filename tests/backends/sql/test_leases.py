"""Whoever opens an organisation leases a node number: whatever ends him meanwhile, the next gets one that is new."""

from __future__ import annotations

import subprocess
import sys
from itertools import count
from pathlib import Path

import psycopg
import pytest

import nubetis
from nubetis.backends.sql.postgres.connections import Link, locate
from nubetis.errors import StoreError
from nubetis.testing.people import make_org
from tests.stores import refusing

WORKERS = Path(__file__).with_name("workers.py")


def test_whoever_is_killed_while_he_opens_leaves_a_number_for_the_next(tmp_path):
    """At many of his statements: the organisation is in order, and no number is given twice."""
    url = f"sqlite:///{tmp_path}/org.db"
    make_org(url).close()
    command = [sys.executable, WORKERS, "opens", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    given = list(map(int, done.stdout.split()))
    assert given == sorted(set(given))
    assert given[-1] - given[0] >= len(given)  # some died when they had one, which nobody else is given
    with nubetis.open(url) as org:
        assert org.check() == []
        assert org._world.keys._node == given[-1] + 1


@pytest.fixture
def url(postgres, request):
    url = postgres(request.node.name[-60:])
    make_org(url).close()
    return url


def lose_the_line(monkeypatch, url, *, times, written):
    """End the connection at each of the next *times* commits: before it is done, or before that is heard of."""
    commit, left = Link.commit, count()

    def cut(link):
        if next(left) < times:
            if written:
                link._connection.execute("COMMIT")
            with psycopg.connect(locate(url).conninfo, autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", (link._connection.info.backend_pid,))
        commit(link)

    monkeypatch.setattr(Link, "commit", cut)


@pytest.mark.parametrize("written", [False, True])
def test_an_organisation_is_opened_though_the_line_is_lost_while_it_leases(url, monkeypatch, written):
    """Nobody has seen the number that may have been given: another does as well."""
    with nubetis.open(url) as org:
        before = org._world.keys._node
    lose_the_line(monkeypatch, url, times=2, written=written)
    with nubetis.open(url) as org:
        assert org._world.keys._node == before + (3 if written else 1)
        org.system("working").create("leads", name="x")
        assert org.check() == []


def test_who_writes_is_told_that_nobody_knows_whether_it_was_written(url, monkeypatch):
    """Once he has looked he can go on; an organisation that cannot be opened so is told, too."""
    with nubetis.open(url) as org:
        session = org.system("working")
        with monkeypatch.context() as patch:
            lose_the_line(patch, url, times=1, written=True)
            with refusing("commit_unknown", StoreError):
                session.create("leads", name="x")
        assert session.count("leads") == 1
    lose_the_line(monkeypatch, url, times=100, written=False)
    with refusing("commit_unknown", StoreError):
        nubetis.open(url)
