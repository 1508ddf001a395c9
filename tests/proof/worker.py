"""A process of its own: does one thing for each line it is given, and answers with one line of JSON."""

from __future__ import annotations

import json
import sys
import time
from random import Random

import nubetis
from nubetis import HostSignIn
from nubetis.errors import NubetisError
from nubetis.model.store import Batch, Guard
from nubetis.session import applying


def guard(org, task):
    """Take from a pool as often as told, with pauses; give how often it was granted."""
    random, batch = Random(task["seed"]), Batch(guards=(Guard(counter=task["pool"], delta=-1, floor=0),))

    def unit(txn):
        txn.versions()
        time.sleep(random.random() / 500)  # a pause between reading and writing is what a race needs
        return txn.write(batch).written

    return sum(org._world.store.write(unit) for _ in range(task["times"]))


def leave(org, task):
    """Send an administrator away, by a plan made a while before, or in one unit."""
    random = Random(task["seed"])
    try:
        session = org.session(HostSignIn(task["me"]))
        name = session.state.read(lambda: session.state.view().find_user(task["whom"]))
        plan = session.plan_edits("users", {name: {"state": "suspended"}})
        time.sleep(random.random() / 200)
        if random.random() < 0.5:
            session.apply(plan)
        else:
            session.unit(lambda unit: unit.edit(name, state="suspended"))
    except NubetisError as error:
        return error.code
    return "done"


def load(org, task):
    """Import many records in many transactions, having said that it begins."""
    applying.CHUNK = 10
    session = org.system("importing")
    plan = session.plan_create("leads", [{"name": f"{task['name']} {number}"} for number in range(task["count"])])
    say("begin")
    session.apply(plan)
    return "done"


def say(answer):
    """Answer with one line."""
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def main():
    """Work through the lines of the standard input."""
    tasks = {"guard": guard, "leave": leave, "load": load}
    with nubetis.open(sys.argv[1]) as org:
        say("ready")
        for line in sys.stdin:
            task = json.loads(line)
            say(tasks[task["do"]](org, task))


if __name__ == "__main__":
    main()
