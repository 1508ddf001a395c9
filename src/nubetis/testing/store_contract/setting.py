"""What the cases of the contract share: a schema, a fresh store, and short ways to read and write it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from random import Random
from typing import ClassVar, Final, NoReturn, TypeVar

import attrs
import pytest

from nubetis.model.bind import (
    ALWAYS,
    Bound,
)  # fmt: skip
from nubetis.model.fields import Field
from nubetis.model.ids import encode
from nubetis.model.kinds import kind
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Module, Schema, diff
from nubetis.model.store import (
    Batch,
    ConflictKind,
    Expect,
    Guard,
    Inserts,
    Outcome,
    Store,
    StoreFactory,
    Txn,
    Updates,
    VersionName,
)  # fmt: skip
from nubetis.model.system import COUNTERS, SYSTEM_SCHEMA, TALLIES, VERSIONS
from nubetis.testing.generate import LONG, TEXTS, any_rows
from nubetis.types import Key, Row, Stored

__all__ = [
    "CONTRACT_SCHEMA",
    "DERIVED",
    "HOSTILE",
    "LOGS",
    "PATIENCE",
    "PEOPLE",
    "PLACES",
    "USERS",
    "ContractSetting",
    "StopError",
    "all_rows",
    "all_there_is",
    "cell",
    "factory_at",
    "field_of",
    "fill",
    "get",
    "in_thread",
    "inserting",
    "keys_of",
    "kinds",
    "load",
    "nest",
    "page_of",
    "people",
    "race",
    "row_of",
    "setting",
    "stop",
    "tally_of",
    "write",
]

T = TypeVar("T")

DERIVED: Final = ("twins", "sets", "tallies", "indexes")
"""What a store derives from rows."""

PATIENCE: Final = 30.0
"""Seconds after which a thread that does not come counts as stuck."""


# -- the schema of the suite ------------------------------------------------------------------------------------------
def field_of(name: str, type_name: str = "text", **settings: object) -> Field:
    """Give a field of the built-in type."""
    return Field(name=name, type=kind(type_name), **settings)  # type: ignore[arg-type]  # literals below


_PEOPLE: Final = Module(
    name="people",
    prefix="per",
    tallied_by=("owner", "stage"),
    indexes=(("stage", "size"),),
    fields=[
        field_of("name", searchable=True, indexed=True, max_length=20_000),
        field_of("code", unique=True),
        field_of("note", "long_text", searchable=True),
        field_of("size", "integer", indexed=True),
        field_of("ratio", "decimal", scale=3),
        field_of("worth", "money"),
        field_of("born", "date"),
        field_of("seen", "datetime"),
        field_of("meets", "wall_time"),
        field_of("wakes", "time"),
        field_of("active", "boolean"),
        field_of("stage", "choice", choices=("new", "won", "lost", "ñ%_")),
        field_of("marks", "multi_choice", choices=("a", "ab", "b", "%", "_", "Ñ")),
        field_of("email", "email"),
        field_of("phone", "phone"),
        field_of("home", "address"),
        field_of("parent", "link", targets=("people",)),
        field_of("place", "link", targets=("places",), indexed=True),
        field_of("about", "link", targets=("people", "places")),
        field_of("face", "bytes"),
    ],
)
_PLACES: Final = Module(
    name="places",
    prefix="pla",
    indexes=(("name", "keeper"),),
    fields=[
        field_of("name", indexed=True),
        field_of("size", "integer"),
        field_of("keeper", "link", targets=("people",)),
    ],
)
_LOGS: Final = Module(
    name="logs",
    prefix="log",
    journalled=False,
    tallied_by=("size",),
    fields=[
        field_of("line", "choice", max_length=1_000_000),
        field_of("key", "choice", unique=True, max_length=300),
        field_of("size", "integer"),
    ],
)

CONTRACT_SCHEMA: Final = SYSTEM_SCHEMA.with_modules([_PEOPLE, _PLACES, _LOGS])
"""The system modules, a module with a field of nearly every type, one more to link to, and a ledger."""

PEOPLE: Final = CONTRACT_SCHEMA.module("people")
PLACES: Final = CONTRACT_SCHEMA.module("places")
LOGS: Final = CONTRACT_SCHEMA.module("logs")
USERS: Final = tuple([encode("use", key) for key in range(1, 10)])


def row_of(module: Module, key: int, cells: Mapping[str, Stored] | None = None) -> Row:
    """Give a row of *module* with some *cells*, by column name; the others are empty.

    >>> row_of(PLACES, 7, {"size": 3})[:3]
    (7, 1, 1)
    """
    given: dict[str, Stored] = {"id": key, "version": 1, "created_in": 1, **(cells or {})}
    return tuple([given.get(column.name) for column in module.layout.columns])


def cell(module: Module, row: Row | None, column: str) -> Stored:
    """Give one cell of a row that must be there."""
    assert row is not None
    return row[module.layout.index[column]]


def people(cells: Sequence[Mapping[str, Stored]]) -> list[Row]:
    """Give rows with the keys 1, 2, 3 and so on."""
    return [row_of(PEOPLE, key, each) for key, each in enumerate(cells, start=1)]


def inserting(module: Module, rows: Sequence[Row]) -> Batch:
    """Give a batch that inserts *rows*."""
    return Batch(parts=(Inserts(module, rows),))


def setting(column: str, keys: Sequence[int], values: Sequence[Stored], expected: Sequence[int] | None = None) -> Batch:
    """Give a batch that sets one column of people."""
    cells: list[Row] = [(value,) for value in values]
    return Batch(parts=(Updates(PEOPLE, (column,), [Key(key) for key in keys], cells, expected),))


def write(store: Store, batch: Batch) -> Outcome:
    """Write a batch in a unit of its own."""
    return store.write(lambda txn: txn.write(batch))


def load(store: Store, module: Module, rows: Sequence[Row]) -> None:
    """Load rows in a unit of their own."""
    assert store.write(lambda txn: txn.bulk_load(module, rows)) == len(rows)


def all_rows(txn: Txn, module: Module, where: Bound = ALWAYS) -> list[Row]:
    """Give the rows that fit, in key order."""
    return [row for columns in txn.stream(module, where) for row in zip(*columns, strict=True)]


def keys_of(store: Store, where: Bound, module: Module = PEOPLE) -> list[Stored]:
    """Give the keys of the rows that fit, in a unit of their own."""
    return [row[0] for row in store.read(lambda txn: all_rows(txn, module, where))]


def get(store: Store, key: int, module: Module = PEOPLE) -> Row | None:
    """Give one row, in a unit of its own."""
    return store.read(lambda txn: txn.get_many(module, [Key(key)]))[0]


def page_of(store: Store, query: BoundQuery) -> list[Row]:
    """Give one page, in a unit of its own."""
    return store.read(lambda txn: txn.query(query))


def tally_of(store: Store, column: str) -> dict[Stored, int]:
    """Give the tally of one column of people."""
    return store.read(lambda txn: txn.tally(PEOPLE, column))


def kinds(outcome: Outcome) -> list[ConflictKind]:
    """Give the kinds of the conflicts."""
    return [conflict.kind for conflict in outcome.conflicts]


def all_there_is(txn: Txn) -> object:
    """Give the rows of all modules, the store's own and the journal's too, tallies and versions, to be compared."""
    shown = [module for module in CONTRACT_SCHEMA.modules if module != TALLIES]
    tables: dict[str, object] = {module.name: all_rows(txn, module) for module in shown}
    tallies = {
        f"tally of {module.name} by {each}": txn.tally(module, each) for module in shown for each in _tallied(module)
    }
    return {**tables, **tallies, "versions": attrs.asdict(txn.versions())}


def _tallied(module: Module) -> list[str]:
    return [module.field(name).column for name in module.tallied_by]


def fill(store: Store) -> None:
    """Put rows into every module, move each version by another number, and count something."""
    for module in CONTRACT_SCHEMA.modules:
        if module not in (TALLIES, COUNTERS, VERSIONS):
            load(store, module, any_rows(Random(7), module, count=20))
    for place, name in enumerate(VersionName, start=1):
        for version in range(place):
            assert write(store, Batch(expects=(Expect(name, version),))).written
    assert write(store, Batch(guards=(Guard(counter="seats", delta=-3),))).written
    assert store.write(lambda txn: txn.allocate("numbers", 5)) == 1


class StopError(Exception):
    """Ends a unit on purpose."""


def nest(inner: Callable[[Callable[[Txn], int]], int]) -> Callable[[Txn], int]:
    """Give a unit that opens another."""
    return lambda _: inner(lambda txn: txn.count(PEOPLE))


def stop() -> NoReturn:
    """End the unit at hand."""
    raise StopError


def race(*units: Callable[[], T]) -> list[T]:
    """Run each in a thread of its own, all from one barrier; give the results in order."""
    barrier = threading.Barrier(len(units))

    def begin(unit: Callable[[], T]) -> T:
        barrier.wait(PATIENCE)
        return unit()

    with ThreadPoolExecutor(len(units)) as threads:
        futures: list[Future[T]] = [threads.submit(begin, unit) for unit in units]
        return [future.result(PATIENCE) for future in futures]


def in_thread(unit: Callable[[], T]) -> T:
    """Run in another thread, to its end."""
    return race(unit)[0]


HOSTILE: Final = (None, *TEXTS, LONG)


def factory_at(place: str) -> StoreFactory:
    """Give the factory at ``package.module:function``."""
    module, _, name = place.partition(":")
    factory: StoreFactory = getattr(import_module(module), name)
    return factory


class ContractSetting:
    """What all cases have: a way to open a store, and a fresh one."""

    factory: ClassVar[str]
    """Where the :class:`~nubetis.model.store.StoreFactory` is, as ``package.module:function``."""

    def url_of(self, folder: Path) -> str:
        """Give the URL of the organisation that lives in *folder*, which is there."""
        raise NotImplementedError

    def open_store(self, folder: Path) -> Store:
        """Open the store of the organisation in *folder*; make one, empty, where there is none."""
        return factory_at(self.factory)(self.url_of(folder), create=True)

    def fresh_store(self, folder: Path) -> Store:
        """Make a store in *folder*, with the tables of :data:`CONTRACT_SCHEMA`."""
        store = self.open_store(folder)
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        return store

    def open_snapshot(self, target: str) -> Store:
        """Open what :meth:`Store.snapshot` wrote to *target*."""
        pytest.skip(f"no way given to open the snapshot {target}")

    def harm(self, folder: Path, store: Store, what: str) -> None:  # noqa: ARG002 - the signature of those that can
        """Harm what is derived of people, in the store of *folder*, by other means than its own; no row changes.

        *what* is one of :data:`DERIVED`: the twin of ``name`` in each row whose ``size`` is 1, the index of the set
        ``marks``, the tallies, or what finds values (in a store that has indexes that can be lost).  A store that keeps
        no such thing skips.
        """
        pytest.skip(f"no way given to harm the {what} of {store.capabilities.name}")

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[Store]:
        """Give a fresh store with :data:`CONTRACT_SCHEMA`; it must be sound at the end of each case."""
        store = self.fresh_store(tmp_path)
        yield store
        assert store.check() == []
        store.close()

    def need(self, store: Store, capability: str) -> None:
        """Skip the case, with the reason, where the store declares that it cannot."""
        if not getattr(store.capabilities, capability):
            pytest.skip(f"{store.capabilities.name} declares {capability}=False")
