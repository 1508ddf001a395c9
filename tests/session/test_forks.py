"""A process that forks while an organisation is open: both sides go on, each with keys of its own.

Each test runs in a process of its own: the one that runs the tests may have threads, and those do not fork.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nubetis.testing.people import make_org

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this machine does not fork")

FORK = """
import os, sys
import nubetis
from nubetis import HostSignIn
from nubetis.org import Surroundings
from nubetis.testing.clock import FixedClock

url, administrator = sys.argv[1:]
make = nubetis.create if url.startswith("memory:") else nubetis.open
given = {"administrator": administrator} if make is nubetis.create else {}
org = make(url, around=Surroundings(clock=FixedClock()), **given)
session = org.session(HostSignIn(administrator))
plan = session.plan_create("leads", [{"name": "before"}])
child = os.fork()
names = [f"{'parent' if child else 'child'}{n}" for n in range(3)]
made = [session.create("leads", name=name).id for name in names]
if not child:
    session.apply(plan)
    org.close()
    os._exit(0 if len(set(made)) == 3 else 1)
assert os.waitpid(child, 0)[1] == 0
assert org.check() == []
print(*sorted(str(each["name"]) for each in session.find("leads")))
"""

HELD = """
import os, threading
import nubetis
from nubetis import HostSignIn
from nubetis.backends.memory import store

store.PATIENCE = 5
org = nubetis.create("memory://", administrator="ana@acme.pe")
session, other = (org.session(HostSignIn("ana@acme.pe")) for _ in range(2))
writing, forked = threading.Event(), threading.Event()
work = lambda s: (s.create("leads", name="x"), writing.set(), forked.wait())
thread = threading.Thread(target=lambda: other.unit(work))
thread.start()
writing.wait()
child = os.fork()
if not child:
    session.create("leads", name="y")
    os._exit(0)
status = os.waitpid(child, 0)[1]
forked.set()
thread.join()
print(status, session.count("leads"))
"""

CACHED = """
import os, threading
from nubetis.backends.sql import tables

held = threading.Event()

def add():
    with tables._CACHES:
        held.set()
        threading.Event().wait(0.2)

thread = threading.Thread(target=add)
thread.start()
held.wait()
child = os.fork()
if not child:
    os._exit(0 if tables._CACHES.acquire(timeout=5) else 1)
print(os.waitpid(child, 0)[1])
thread.join()
"""


def run(script, *given):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script, *given],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stderr, done.returncode) == ("", 0)
    return done.stdout.strip()


def test_both_sides_of_a_fork_write_in_the_same_instant(nubetis_store_url):
    """Keys have a node in them, and a child leases its own; a plan made before the fork is applied by one side."""
    if nubetis_store_url.startswith("memory:"):
        assert run(FORK, nubetis_store_url, "ana@acme.pe") == "parent0 parent1 parent2"  # the child has a copy
        return
    with make_org(nubetis_store_url) as org, org.administrator() as session:
        (administrator,) = session.find("users")
    every = "before child0 child1 child2 parent0 parent1 parent2"

    assert run(FORK, nubetis_store_url, administrator["email"]) == every


def test_a_child_does_not_wait_for_a_thread_that_it_has_not():
    assert run(HELD) == "0 1"


def test_a_child_has_no_cache_that_a_thread_was_adding_to():
    assert run(CACHED) == "0"
