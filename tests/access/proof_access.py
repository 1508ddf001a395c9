"""Proof that everybody has what the specification says: checks of random worlds on each store, as many as wanted.

A world is made from one seed; what fails is made again by its seed alone, and a long proof is resumed at the seed where
it stopped, or shared among several machines::

    python -m tests.access.proof_access --checks 1000000 --seed 0 --shard 1/2 --stores memory sqlite postgres
"""
# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import sys
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from nubetis.backends.memory import forget_memory
from nubetis.testing.access_contract.laws import LAWS
from nubetis.testing.access_contract.proving import agreeing, lawful, numbered_anew
from tests.access.proofs import STORES, asked, urls


@attrs.define
class Tally:
    """What a proof has seen."""

    checks: int = 0
    worlds: int = 0
    faults: list[str] = attrs.field(factory=list)

    def note(self, what, work):
        """Do *work*, and count its checks or keep its fault."""
        try:
            self.checks += work()
        except AssertionError as error:
            self.faults.append(f"{what}: {str(error)[:2000]}")


def prove(checks, seed, *, step=1, names=STORES[:2], size=None, progress=lambda found: None):
    """Try worlds from *seed* on until there are so many checks; give what was seen, at the first fault too."""
    found = Tally()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        places = {name: urls(name, stack, Path(folder)) for name in names}
        while found.checks < checks and not found.faults:
            for name, url_of in places.items():
                _prove_world(found, name, partial(_fresh, url_of), seed, size or {})
            found.worlds += 1
            seed += step
            progress(found)
    return found


def _prove_world(found, name, url, seed, size):
    """Compare with the oracle, and try laws: all of them in memory, and one in turn on other stores."""
    laws = LAWS if name == "memory" else [LAWS[seed % len(LAWS)]]
    works = {
        "oracle": lambda: agreeing(url(f"a{seed}"), seed, **size),
        "laws": lambda: lawful(url(f"l{seed}"), seed, laws),
        "numbers": lambda: numbered_anew((url(f"n{seed}"), url(f"m{seed}")), seed) if name == "memory" else 0,
    }
    for what, work in works.items():
        found.note(f"seed {seed}, {name}, {what}", work)
        for each in "alnm":
            forget_memory(f"memory://proof-{each}{seed}")


def _fresh(url_of, name):
    return url_of(f"proof-{name}")


def main(arguments=None):
    """Run the proof; the exit code is 1 where answers differ."""
    options, count, first, step = asked(arguments, __doc__, what="checks", default=1_000_000)
    found = prove(count, first, step=step, names=options.stores, progress=show)
    print(f"\n{found.checks:,} checks of {found.worlds} worlds, from seed {options.seed} on, shard {options.shard}")
    print(f"the oracle and {', '.join(options.stores)}")
    print("\n".join(found.faults) or "0 differences")
    return 1 if found.faults else 0


def show(found):
    """Say how far the proof has come."""
    print(f"{found.checks:,} checks, {found.worlds} worlds", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
