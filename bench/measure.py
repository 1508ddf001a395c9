"""What the benchmarks share: interleaved rounds, medians of ratios, facts of the machine, a table.

Each round times one side and then the other, in turn first, so that what slows the machine slows both. A figure is
the median over the rounds of *peer's time / our time*: 1.00 is as fast as the peer, 2.00 twice as fast.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import sqlite3
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Figure:
    """One line of the table: *ratio* is ours against the peer's; *ours* and *theirs* are rates a second."""

    path: str
    peer: str
    ratio: float
    spread: tuple[float, float]
    gate: float | None = None
    stretch: float | None = None
    ours: float
    theirs: float

    @property
    def reached(self) -> str:
        """Whether gate and stretch were reached."""
        if self.gate is None:
            return "–"
        if self.ratio < self.gate:
            return "no"
        return "stretch" if self.stretch is not None and self.ratio >= self.stretch else "gate"


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that *work* takes; the collector of garbage looks at what *work* makes, and at nothing older."""
    gc.collect()
    gc.freeze()
    try:
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin
    finally:
        gc.unfreeze()


def against(
    ours: Callable[[], object], theirs: Callable[[], object], *, rounds: int, units: int, **named: object
) -> Figure:
    """Time both in turn, and give the figure; *units* is how many records one call is about."""
    mine, peers = [], []
    for number in range(rounds + 1):
        pair = [(mine, ours), (peers, theirs)]
        for times, work in pair if number % 2 else reversed(pair):
            times.append(timed(work))
    mine, peers = mine[1:], peers[1:]  # the first round warms
    ratios = sorted(b / a for a, b in zip(mine, peers, strict=True))
    return Figure(
        ratio=statistics.median(ratios),
        spread=(ratios[0], ratios[-1]),
        ours=units / statistics.median(mine),
        theirs=units / statistics.median(peers),
        **named,  # type: ignore[arg-type]  # path, peer, gate, stretch
    )


def machine() -> dict[str, object]:
    """Give facts of the machine, and no path."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "commit": _commit(),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
        "sqlite": sqlite3.sqlite_version,
    }


def _commit() -> str:
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],  # noqa: S607 - whatever git there is
        capture_output=True, text=True, check=False, cwd=Path(__file__).parent,
    )  # fmt: skip
    return found.stdout.strip() or "unknown"


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text("utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"


def versions(*names: str) -> dict[str, str]:
    """Give the versions of distributions."""
    return {name: version(name) for name in names}


def options(description: str, *more: tuple[str, dict[str, object]]) -> argparse.Namespace:
    """Read the command line that all benchmarks have; *more* are options of this one."""
    parser = argparse.ArgumentParser(description=description)
    for name, settings in more:
        parser.add_argument(name, **settings)  # type: ignore[arg-type]  # as that takes them
    parser.add_argument("--quick", action="store_true", help="at most a minute")
    parser.add_argument("--json", nargs="?", const=Path("-"), type=Path, metavar="FILE", help="print JSON, or keep it")
    parser.add_argument("--only", default="", help="only areas with this text in 'pages [sqlite]'")
    return parser.parse_args()


def report(figures: Iterable[Figure], *, facts: dict[str, object], target: Path | None) -> None:
    """Print the figures as a table, or as JSON where *target* is ``-``; a file gets the JSON beside the table."""
    found = list(figures)
    if target is not None:
        rows = [{**attrs.asdict(each), "reached": each.reached} for each in found]
        text = json.dumps({"facts": facts, "figures": rows}, indent=2, ensure_ascii=False) + "\n"
        if target == Path("-"):
            sys.stdout.write(text)
            return
        target.write_text(text, encoding="utf-8")
    print(*[f"{name}: {value}" for name, value in facts.items()], sep="\n")
    print()
    for line in _table(found):
        print(line)


def _table(figures: Sequence[Figure]) -> Iterable[str]:
    yield "| path | peer | ratio | spread | gate | stretch | reached | ours /s | peer /s |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for each in figures:
        gate, stretch = ("–" if bound is None else f"{bound:.2f}" for bound in (each.gate, each.stretch))
        low, high = each.spread
        cells = (each.path, each.peer, f"{each.ratio:.2f}", f"{low:.2f}–{high:.2f}", gate, stretch, each.reached)
        yield f"| {' | '.join(cells)} | {each.ours:,.0f} | {each.theirs:,.0f} |"
