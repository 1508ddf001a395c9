"""Where the access benchmark measures: a store with its world, those who look, and the lines of the table."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from typing import Any, Final

import attrs
from peers import Raw, prepare
from records import server
from world import Scale, Viewer, World, build, say

import nubetis
from nubetis.model.ids import encode
from nubetis.types import Key

__all__ = ["STORES", "Line", "Place", "ms", "once", "opened", "runs", "settled", "spread"]

SLOW: Final = (0.25, 1.0)
"""Seconds of a first run after which there is but one other, and none."""


@attrs.frozen(kw_only=True)
class Line:
    """One line of the table: a *value* with its *unit*, its bounds, and what stands beside it in *detail*."""

    path: str
    value: float
    unit: str
    gate: float | None = None
    stretch: float | None = None
    more_is_better: bool = False
    detail: str = ""

    @property
    def reached(self) -> str:
        """Whether gate and stretch were reached."""
        if self.gate is None:
            return "–"
        if not self._holds(self.gate):
            return "no"
        return "stretch" if self.stretch is not None and self._holds(self.stretch) else "gate"

    def _holds(self, bound: float) -> bool:
        return self.value >= bound if self.more_is_better else self.value <= bound


def spread(times: Iterable[float]) -> tuple[float, float, float]:
    """Give p50, p95 and the maximum, by nearest rank."""
    ordered = sorted(times)
    return tuple([ordered[min(len(ordered) - 1, int(len(ordered) * at))] for at in (0.5, 0.95, 1.0)])  # type: ignore[return-value]  # three


def runs(work: Callable[[], object]) -> float:
    """Give the seconds that *work* takes."""
    return settled(once(work), lambda: once(work))


def settled(first: float, again: Callable[[], float]) -> float:
    """Give the median of three further times where the *first* was short, one further where it was not, or that."""
    if first > SLOW[1]:
        return first
    return again() if first > SLOW[0] else median([again() for _ in range(3)])


def once(work: Callable[[], object]) -> float:
    """Give the seconds of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def ms(seconds: float) -> float:
    """Give milliseconds, as the JSON keeps them."""
    return round(seconds * 1000, 3)


# -- one store --------------------------------------------------------------------------------------------------------
@attrs.define
class Place:
    """One store with its world, a raw connection to the same tables, and those who look."""

    name: str
    world: World
    raw: Raw
    viewers: list[Viewer]
    budget: float
    rows: dict[Key, dict[str, Any]] = attrs.field(factory=dict)
    """What was measured of each viewer, in ms; kept in the JSON."""

    def note(self, viewer: Viewer, **found: object) -> None:
        """Keep something of a viewer."""
        self.rows.setdefault(viewer.key, {"viewer": viewer.kind, "user": encode("use", viewer.key)}).update(found)

    def each(self, area: str) -> Iterator[Viewer]:
        """Give viewers until the area's time is over; those who are left out are told of."""
        begin = time.perf_counter()
        for number, viewer in enumerate(self.viewers):
            if time.perf_counter() - begin > self.budget:
                say(f"{area} [{self.name}]: only {number} of {len(self.viewers)} viewers in {self.budget:.0f} s")
                return
            yield viewer

    def lines(
        self, path: str, times: Mapping[Viewer, float], *, gates: Sequence[tuple[float | None, ...]] = ()
    ) -> Iterator[Line]:
        """Give a line for each of p50, p95 and the maximum of seconds, that with who it was."""
        slowest = max(times, key=times.__getitem__)
        kind = f"{slowest.kind} {encode('use', slowest.key)}"
        details = (f"{len(times)} viewers", "", kind)
        for which, (name, found) in enumerate(zip(("p50", "p95", "max"), spread(times.values()), strict=True)):
            gate, stretch = gates[which] if gates else (None, None)
            yield Line(
                path=f"{path}, {name} [{self.name}]", value=found * 1000, unit="ms", gate=gate, stretch=stretch,
                detail=details[which],
            )  # fmt: skip


# -- opening ----------------------------------------------------------------------------------------------------------
STORES: Final = ("sqlite", "postgresql")


@contextmanager
def opened(name: str, folder: Path, scale: Scale | None) -> Generator[tuple[World, Raw]]:
    """Give the world in *folder*, built first where *scale* says how great it is, and a raw connection."""
    with ExitStack() as stack:
        url, connect = _sqlite(folder) if name == "sqlite" else _postgres(folder, stack)
        if scale is not None:
            say(f"building {name}")
            with nubetis.create(url, administrator="admin@example.com", settings={"currency": "PEN"}) as org:
                world = build(org, scale)
                raw = connect(stack)
                raw.run("ANALYZE" if raw.is_sqlite else "VACUUM ANALYZE")
                prepare(raw, world)
        world = World.of(stack.enter_context(nubetis.open(url)))
        raw = connect(stack)
        prepare(raw, world)
        yield world, raw


Connect = Callable[[ExitStack], Raw]


def _sqlite(folder: Path) -> tuple[str, Connect]:
    path = folder / "org.db"

    def connect(stack: ExitStack) -> Raw:
        link = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None, cached_statements=512)))
        for pragma in ("synchronous = FULL", "cache_size = -32768", "temp_store = MEMORY"):
            link.execute(f"PRAGMA {pragma}")
        return Raw(link)

    return f"sqlite:///{path}", connect


def _postgres(folder: Path, stack: ExitStack) -> tuple[str, Connect]:
    import psycopg

    base = stack.enter_context(server(folder / "data"))

    def connect(stack: ExitStack) -> Raw:
        link = stack.enter_context(closing(psycopg.connect(base, autocommit=True)))
        link.execute("SET search_path = bench_access; SET jit = off")
        return Raw(link)

    return f"{base}{'&' if '?' in base else '?'}schema=bench_access", connect
