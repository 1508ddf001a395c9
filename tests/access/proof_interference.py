"""Proof of non-interference: pairs of worlds that differ only in what a user may not see, as many calls as wanted.

A pair and its calls are made from one seed; what differs is made again by its seed alone, with the fewest calls that
lead there.  A long proof is resumed at the seed where it stopped, or shared among several machines::

    python -m tests.access.proof_interference --calls 10000 --seed 0 --shard 1/2 --stores memory sqlite postgres
"""
# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import attrs

from nubetis.backends.memory import forget_memory
from nubetis.testing.access_contract.interference import LEAKS, alike
from tests.access.proofs import STORES, asked, urls


@attrs.define
class Tally:
    """What a proof has seen."""

    calls: Counter = attrs.field(factory=Counter)
    leaks: Counter = attrs.field(factory=Counter)
    pairs: int = 0
    faults: list[str] = attrs.field(factory=list)

    def pair(self, url_of, name, seed, calls):
        """Try a pair of worlds; keep what differs."""
        self.pairs += 1
        try:
            found = alike(url_of, seed, calls=calls)
        except AssertionError as error:
            self.faults.append(f"{name}: {str(error)[:3000]}")
            return
        self.calls += found.calls
        self.leaks += found.leaks


def prove(calls, seed, *, step=1, names=STORES[:1], each=80, progress=lambda found: None):
    """Try pairs from *seed* on until there are so many calls; give what was seen, at the first fault too."""
    found = Tally()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        places = {name: urls(name, stack, Path(folder)) for name in names}
        while found.calls.total() < calls and not found.faults:
            for name, url_of in places.items():
                found.pair(url_of, name, seed, each)
            for side in (0, 1):
                forget_memory(f"memory://twin-{seed}-{side}")
            seed += step
            progress(found)
    return found


def main(arguments=None):
    """Run the proof; the exit code is 1 where answers differ."""
    options, count, first, step = asked(arguments, __doc__, what="calls", default=10_000)
    found = prove(count, first, step=step, names=options.stores, progress=show)
    print(f"\n{found.calls.total():,} calls of {len(found.calls)} roads in {found.pairs} pairs of worlds, "
          f"from seed {options.seed} on, shard {options.shard}, in {', '.join(options.stores)}")  # fmt: skip
    for name, times in found.leaks.items():
        print(f"told on purpose: {name}, {times} times: {LEAKS[name]}")
    print("\n".join(found.faults) or "0 differences")
    return 1 if found.faults else 0


def show(found):
    """Say how far the proof has come."""
    print(f"{found.calls.total():,} calls, {found.pairs} pairs", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
