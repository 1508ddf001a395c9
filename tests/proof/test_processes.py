"""Several processes on one store: what is guarded holds, and a killed import is resumed to the same end.

In CI a sample; ``nox -s races`` and ``nox -s kills`` do the whole.  A round is named by its seed and number: the same
``NUBETIS_TEST_SEED`` and ``NUBETIS_SHARD=2/4`` give the same rounds again.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from random import Random

import pytest

import nubetis
from nubetis import F, create
from nubetis.errors import NubetisError
from nubetis.model.store import Batch, Guard
from nubetis.session import resuming
from nubetis.testing.people import make_org

SEED = os.environ.get("NUBETIS_TEST_SEED", "0")
PROCESSES = int(os.environ.get("NUBETIS_PROCESSES", "3"))
ROUNDS = int(os.environ.get("NUBETIS_ROUNDS", "3"))
KILLS = int(os.environ.get("NUBETIS_KILLS", "3"))
SHARD, SHARDS = (int(part) for part in os.environ.get("NUBETIS_SHARD", "0/1").split("/"))
COUNT = 1000


class Worker:
    """A process that does what it is told."""

    def __init__(self, url):
        script = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script), url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.answer()

    def tell(self, **task):
        """Give a task, and do not wait."""
        self._process.stdin.write(json.dumps(task) + "\n")
        self._process.stdin.flush()

    def answer(self):
        """Wait for the answer."""
        line = self._process.stdout.readline()
        assert line, f"the process ended with {self._process.wait()}"
        return json.loads(line)

    def kill(self, *, after):
        """Kill it as a power cut would, some seconds from now."""
        try:
            self._process.wait(timeout=after)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGKILL)
        self.end()

    def end(self):
        """Let it end."""
        self._process.communicate()


@pytest.fixture(params=["sqlite", "postgres"])
def url_of(request, tmp_path):
    """Give the URL of an organisation, by a word, on each store that several processes may open."""
    if request.param == "sqlite":
        return lambda word: f"sqlite:///{tmp_path}/{word}.db?profile=fast"
    server, mark = request.getfixturevalue("postgres"), blake2b(str(tmp_path).encode(), digest_size=8).hexdigest()
    return lambda word: server(f"p{mark}_{word}")


@pytest.fixture
def workers(url_of):
    """An organisation, and processes that have it open."""
    url = url_of("org")
    with make_org(url) as org:
        list(org.people(*[f"u{number}: D{number} !admin" for number in range(PROCESSES)]))
        found = [Worker(url) for _ in range(PROCESSES)]
        yield org, found
        for worker in found:
            worker.end()


def test_a_guarded_pool_is_given_out_exactly(workers):
    """However many ask at once, as many are granted as there are."""
    org, found = workers
    for number in range(ROUNDS):
        pool, size = f"pool {number}", 2 * PROCESSES
        org._world.store.write(
            lambda txn, pool=pool, size=size: txn.write(Batch(guards=(Guard(counter=pool, delta=size),)))
        )
        for place, worker in enumerate(found):
            worker.tell(do="guard", pool=pool, times=4, seed=f"{SEED} {number} {place}")

        assert sum(worker.answer() for worker in found) == size, f"round {number} of seed {SEED}"


def test_an_administrator_remains_whoever_leaves_first(workers):
    """All administrators send each other and themselves away at once: one remains, in each round."""
    org, found = workers
    system = org.system("testing")
    for number in range(ROUNDS):
        system.apply(system.plan_update("users", F.state != "active", state="active"))
        system.apply(system.plan_update("users", F.handle == "admin", state="suspended"))
        random = Random(f"{SEED} {number}")
        for place, worker in enumerate(found):
            whom = random.choice([place, (place + 1) % PROCESSES])
            worker.tell(do="leave", me=f"u{place}", whom=f"u{whom}", seed=f"{SEED} {number} {place}")
        codes = [worker.answer() for worker in found]

        assert system.count("users", F.state == "active") >= 1, f"round {number} of seed {SEED}: {codes}"


@pytest.mark.parametrize("what", ["guard", "leave"])
def test_threads_on_memory_keep_the_same_promises(what):
    """The memory store is the model of the others, also of how it behaves under threads."""
    with make_org() as org:
        sessions = list(org.people(*[f"u{number}: D{number} !admin" for number in range(8)]))
        system = org.system("testing")
        system.apply(system.plan_update("users", F.handle == "admin", state="suspended"))
        for number in range(ROUNDS * 2):
            system.apply(system.plan_update("users", (F.state != "active") & (F.handle != "admin"), state="active"))
            granted = _at_once(org, sessions, what=what, pool=f"pool {number}")
            assert granted == 5 if what == "guard" else system.count("users", F.state == "active") >= 1


def _at_once(org, sessions, *, what, pool):
    org._world.store.write(lambda txn: txn.write(Batch(guards=(Guard(counter=pool, delta=5),))))
    barrier, granted = threading.Barrier(len(sessions)), []

    def act(session):
        barrier.wait()
        if what == "guard":
            batch = Batch(guards=(Guard(counter=pool, delta=-1, floor=0),))
            granted.append(org._world.store.write(lambda txn: txn.write(batch)).written)
            return
        try:
            session.edit(session.user, state="suspended")
        except NubetisError:
            granted.append(False)

    threads = [threading.Thread(target=act, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(granted)


def test_a_killed_import_is_resumed_to_the_same_end(url_of):
    """Killed at a random moment: nothing is torn, and going on gives each record once."""
    moments, made = Counter(), set()
    for number in range(SHARD, KILLS, SHARDS):
        url = url_of(f"kills{number // 25}")
        if url not in made:
            create(url, administrator="a@acme.pe").close()
            whole = _killed(url, name="whole", after=60.0)
            made.add(url)
        random, name = Random(f"{SEED} kill {number}"), f"round {number}"
        _killed(url, name=name, after=random.random() * whole)
        moments[_resumed(url, name, where=f"round {number} of seed {SEED}")] += 1
    assert KILLS < 50 or moments["between"] > sum(moments.values()) / 4, moments


def _killed(url, *, name, after):
    """Let a process import until it is killed; give the seconds it had."""
    worker = Worker(url)
    worker.tell(do="load", name=name, count=COUNT)
    worker.answer()
    begin = time.monotonic()
    if after >= 60.0:
        worker.answer()
    else:
        worker.kill(after=after)
    worker.end()
    return time.monotonic() - begin


def _resumed(url, name, *, where):
    """Open what was killed, go on with it, and give the moment at which it was killed."""
    with nubetis.open(url) as org:
        session = org.system("resuming")
        assert [each.code for each in org.check() if each.code != "operation_interrupted"] == [], where
        assert org.verify().tampered == (), where
        left = org.interrupted()
        for operation in left:
            assert resuming.resume(session, operation).position == COUNT, where
        names = [record["name"] for record in session.find("leads", F.name.starts_with(f"{name} "), limit=10_000)]
        assert sorted(names) in ([], sorted(f"{name} {number}" for number in range(COUNT))), where
        assert org.interrupted() == [], where
        assert org.verify().tampered == (), where
        return "between" if left and left[0].position else "after" if names and not left else "before"
