"""A process that forks while an organisation is open: both sides go on, each with keys of its own.

Each test runs in a process of its own: the one that runs the tests may have threads, and those do not fork.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import nubetis
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

UNDER_WAY = """
import os, sys, threading
import nubetis
from nubetis import HostSignIn

org = nubetis.open(sys.argv[1])
sign_in = HostSignIn(sys.argv[2])
session, other = (org.session(sign_in) for _ in range(2))
inside, forking = threading.Event(), threading.Event()

def write(s):
    s.create("leads", name="x")
    inside.set()
    forking.wait()
    for _ in range(20):
        s.create("leads", name="x")

def look():
    other.count("leads")
    inside.set()
    forking.wait()
    for _ in range(50):
        other.count("leads")

thread = threading.Thread(target=lambda: other.unit(write) if sys.argv[3] == "write" else other.state.read(look))
thread.start()
inside.wait()
os.register_at_fork(before=forking.set)  # the unit goes on when the fork has begun
says, hears = os.pipe(), os.pipe()
child = os.fork()
if not child:
    for found in (org, nubetis.open(sys.argv[1])):
        found.session(sign_in).create("leads", name="child")
    os.write(says[1], b"x")
    os.read(hears[0], 1)  # the parent has closed the file meanwhile
    session.create("leads", name="child")
    os._exit(0)
os.read(says[0], 1)
thread.join()
session.create("leads", name="parent")
org.close()
os.write(hears[1], b"x")
status = os.waitpid(child, 0)[1]
again = nubetis.open(sys.argv[1])
print(status, again.session(sign_in).count("leads"), again.check())
"""

TOO_LONG = """
import os, sys, threading
import nubetis
from nubetis import HostSignIn
from nubetis.backends.sql import pool
from nubetis.errors import StoreError

pool.LONGEST = 0.05
org = nubetis.open(sys.argv[1])
session, other = (org.session(HostSignIn(sys.argv[2])) for _ in range(2))
inside, forked = threading.Event(), threading.Event()
work = lambda: (other.count("leads"), inside.set(), forked.wait())
thread = threading.Thread(target=lambda: other.state.read(work))
thread.start()
inside.wait()
child = os.fork()
if not child:
    said = 0
    for use in (lambda: session.create("leads", name="x"), lambda: nubetis.open(sys.argv[1])):
        try:
            use()
        except StoreError as error:
            said += error.code == "store_failed" and "forked" in str(error)
    org.close()
    os._exit(said)
forked.set()
thread.join()
session.create("leads", name="x")
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), session.count("leads"))
"""

CROWD = """
import multiprocessing, sys, threading
import nubetis
from nubetis import HostSignIn

url, email = sys.argv[1:]

def job(number):
    with nubetis.open(url) as org, org.session(HostSignIn(email)) as session:
        return session.create("leads", name=f"child{number}")["name"]

def write():
    session = org.session(HostSignIn(email))
    while not done.is_set():
        session.create("leads", name="parent")
        wrote.set()

org = nubetis.open(url)
done, wrote = threading.Event(), threading.Event()
thread = threading.Thread(target=write)
thread.start()
wrote.wait()
with multiprocessing.get_context("fork").Pool(3) as pool:
    print(*sorted(pool.map(job, range(3), chunksize=1)))
done.set()
thread.join()
"""

CACHED = """
import os, threading
from nubetis.backends.sql import tables

held = threading.Event()

def add():
    with tables.CACHES:
        held.set()
        threading.Event().wait(0.2)

thread = threading.Thread(target=add)
thread.start()
held.wait()
child = os.fork()
if not child:
    os._exit(0 if tables.CACHES.acquire(timeout=5) else 1)
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


@pytest.fixture
def file(tmp_path):
    url = f"sqlite:///{tmp_path / 'acme.db'}"
    nubetis.create(url, administrator="ana@acme.pe").close()
    return url


@pytest.mark.parametrize(("doing", "written"), [("write", 21), ("read", 0)])
def test_a_fork_waits_for_the_units_of_other_threads(file, doing, written):
    """SQLite's notes of their locks would be in the child: it could not write, or what it writes would be lost."""
    assert run(UNDER_WAY, file, "ana@acme.pe", doing) == f"0 {written + 4} []"


def test_a_child_is_refused_a_file_of_which_a_thread_did_not_let_go(file):
    assert run(TOO_LONG, file, "ana@acme.pe") == "2 1"


def test_processes_begun_beside_a_thread_that_writes_write_as_well(file):
    assert run(CROWD, file, "ana@acme.pe") == "child0 child1 child2"


def test_a_child_has_no_cache_that_a_thread_was_adding_to():
    assert run(CACHED) == "0"
