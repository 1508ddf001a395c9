"""The memory store is the model: whatever is done to both stores, in any order, the other one says and holds the same.

Hypothesis draws units of writes, reads, savepoints and schema changes; what fails is made smaller.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias, TypeVar

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from nubetis.backends.memory import open_memory
from nubetis.errors import NubetisError
from nubetis.model.bind import ALWAYS, All, AnyOf, Bound, Holds, Missing, No, OneOf, Test
from nubetis.model.fields import Field, Operator
from nubetis.model.fold import fold_text
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import VERSION, Module, Schema, diff
from nubetis.model.store import (
    Batch,
    Expect,
    Guard,
    Inserts,
    Measure,
    MeasureKind,
    Outcome,
    Removals,
    Store,
    Txn,
    Updates,
    VersionName,
)  # fmt: skip
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import ContractSetting, StopError, all_rows, field_of, row_of, stop
from nubetis.types import FieldId, Key, Row, Stored

if TYPE_CHECKING:
    from hypothesis.strategies import DataObject, DrawFn, SearchStrategy

__all__ = ["MachineCases", "StoreMachine", "run_machine"]

T = TypeVar("T")

Act: TypeAlias = Callable[[Txn], object]
"""Something a unit does; what it gives is compared."""

_THINGS: Final = Module(
    name="things",
    prefix="thi",
    tallied_by=("owner", "stage"),
    indexes=(("stage", "size"),),
    fields=[
        field_of("name", searchable=True, indexed=True),
        field_of("code", unique=True),
        field_of("size", "integer"),
        field_of("stage", "choice", choices=("new", "won")),
        field_of("marks", "multi_choice", choices=("a", "b", "Ñ")),
    ],
)
_LINES: Final = Module(
    name="lines",
    prefix="lin",
    journalled=False,
    tallied_by=("size",),
    fields=[field_of("key", "choice", unique=True), field_of("size", "integer")],
)
_START: Final = SYSTEM_SCHEMA.with_modules([_THINGS, _LINES])
_LATER: Final = {"nick": field_of("nick", unique=True), "rank": field_of("rank", "integer", indexed=True)}

_KEYS: Final = st.integers(1, 5)
_CELLS: Final[dict[str, list[Stored]]] = {
    "name": [None, "José", "JOSE", "ñ", "n", "a%", "", "a ", "x' OR 1"],
    "code": [None, "x", "X", "y", "á", "Á"],
    "nick": [None, "k", "K", "ß", "SS"],
    "key": [None, "x", "X", "y"],
    "size": [None, 0, 1, -1, 2**63 - 1, -(2**63)],
    "rank": [None, 1, 2],
    "stage": [None, "new", "won"],
    "marks": [None, '["a"]', '["a","b"]', '["Ñ"]'],
    "owner": [None, 1, 2],
    "deleted_in": [None, None, None, 5],
}
_VALUES: Final = {name: st.sampled_from(cells) for name, cells in _CELLS.items()}
_VERSIONS: Final = st.sampled_from([1, 1, 2, 3])


def _named(module: Module) -> list[str]:
    """Give the names of the columns whose values are drawn."""
    return [column.name for column in module.layout.columns if column.name in _VALUES]


@st.composite
def _rows(draw: DrawFn, module: Module) -> list[Row]:
    """Give a few rows, with keys of their own or of others and any version."""
    cells = st.fixed_dictionaries({}, optional={name: _VALUES[name] for name in _named(module)})
    return [
        row_of(module, draw(_KEYS), {**draw(cells), "version": draw(_VERSIONS)}) for _ in range(draw(st.integers(1, 4)))
    ]


@st.composite
def _updates(draw: DrawFn, module: Module) -> Updates:
    """Give new values of some columns, with or without the versions expected: now and then too old or too new."""
    columns = tuple(draw(st.lists(st.sampled_from(_named(module)), min_size=1, max_size=3, unique=True)))
    keys = [Key(key) for key in draw(st.lists(_KEYS, min_size=1, max_size=3))]
    values: list[Row] = [tuple([draw(_VALUES[name]) for name in columns]) for _ in keys]
    expected = [draw(_VERSIONS) for _ in keys] if module.journalled and draw(st.booleans()) else None
    return Updates(module, columns, keys, values, expected)


@st.composite
def _guards(draw: DrawFn) -> Guard:
    """Give a change of a counter within bounds."""
    floor, ceiling = draw(st.sampled_from([(None, None), (0, None), (0, 3), (-1, 1)]))
    counter = draw(st.sampled_from(["g", "G"]))
    return Guard(counter=counter, delta=draw(st.integers(-2, 3)), floor=floor, ceiling=ceiling)


@st.composite
def _batches(draw: DrawFn, module: Module) -> Batch:
    """Give a batch of anything."""
    inserts: SearchStrategy[Inserts | Updates | Removals] = _rows(module).map(lambda found: Inserts(module, found))
    removals = st.lists(_KEYS.map(Key), min_size=1, max_size=3).map(lambda keys: Removals(module, keys))
    expects = st.builds(Expect, st.sampled_from(list(VersionName)), st.integers(0, 2))
    return Batch(
        parts=tuple(draw(st.lists(inserts | _updates(module) | removals, max_size=3))),
        guards=tuple(draw(st.lists(_guards(), max_size=2))),
        expects=tuple(draw(st.sampled_from([0, 0, 0, 1]).flatmap(lambda most: st.lists(expects, max_size=most)))),
    )


def _leaves(module: Module) -> list[Bound]:
    leaves: list[Bound] = [Missing(name) for name in _named(module)]
    leaves += [Test("size", sign, 0) for sign in (Operator.EQ, Operator.LT, Operator.GE)]
    leaves += [OneOf("id", (1, 2, 3))]
    if "name__f" in module.layout.full_index:
        leaves += [Holds("marks", "a"), Test("name__f", Operator.EQ, fold_text("jose"))]
    return leaves


@st.composite
def _filters(draw: DrawFn, module: Module) -> Bound:
    """Give a filter on columns that are there."""
    one, two = (draw(st.sampled_from(_leaves(module))) for _ in range(2))
    return draw(st.sampled_from([ALWAYS, one, No(one), All((one, No(two))), AnyOf((one, two))]))


@st.composite
def _changes(draw: DrawFn, module: Module) -> Act:
    """Give a change of all that fit."""
    where = draw(_filters(module))
    names = draw(st.lists(st.sampled_from(_named(module)), min_size=1, max_size=2, unique=True))
    values = {name: draw(_VALUES[name]) for name in names}
    return lambda txn: txn.update_where(module, where, values)


def _singles(module: Module) -> SearchStrategy[Act]:
    """Give one thing that a unit does."""
    batches: SearchStrategy[Act] = _batches(module).map(lambda batch: lambda txn: _plain(txn.write(batch)))
    loads: SearchStrategy[Act] = _rows(module).map(lambda found: lambda txn: txn.bulk_load(module, found))
    numbers: SearchStrategy[Act] = st.integers(1, 3).map(lambda count: lambda txn: txn.allocate("a", count))
    looks: SearchStrategy[Act] = _filters(module).map(lambda where: lambda txn: _seen(txn, module, where))
    return st.one_of(batches, batches, loads, _changes(module), numbers, looks)


@st.composite
def _units(draw: DrawFn, module: Module, *, savepoints: bool) -> list[Act]:
    """Give what a unit does, some of it in a savepoint."""
    several = draw(st.lists(_singles(module), min_size=1, max_size=4))
    if not savepoints or draw(st.booleans()):
        return several
    within = draw(st.lists(_singles(module), min_size=1, max_size=3))
    return [*several, _inside(within, lose=draw(st.booleans())), *draw(st.lists(_singles(module), max_size=1))]


def _inside(several: Sequence[Act], *, lose: bool) -> Act:
    """Do *several* in a savepoint, and lose it if told."""

    def act(txn: Txn) -> object:
        found: list[object] = []
        with suppress(StopError), txn.savepoint():
            found += [each(txn) for each in several]
            if lose:
                stop()
        return found

    return act


def _plain(outcome: Outcome) -> object:
    """Give the conflicts in values that are compared fast."""
    return [
        (each.kind, each.module and each.module.name, each.key, each.column, each.actual) for each in outcome.conflicts
    ]


def _seen(txn: Txn, module: Module, where: Bound) -> object:
    """Give what a filter gives, by all ways of reading."""
    measures = [Measure(MeasureKind.COUNT), *[Measure(each, "size") for each in MeasureKind]]
    orders = [(Order("id"),), (Order("size", descending=True), Order("id")), (Order("owner"), Order("id"))]
    fitting = [order for order in orders if order[0].column in module.layout.index]
    return {
        "stream": all_rows(txn, module, where),
        "count": txn.count(module, where),
        "count with a limit": txn.count(module, where, limit=2),
        "aggregate": txn.aggregate(module, where, groups=[_named(module)[0]], measures=measures),
        "query": [txn.query(BoundQuery(module=module, where=where, order=order, limit=3)) for order in fitting],
        "get_many": txn.get_many(module, [Key(key) for key in range(7)]),
        "tally": {name: txn.tally(module, module.field(name).column) for name in module.tallied_by},
        "versions": attrs.asdict(txn.versions()),
    }


class StoreMachine(RuleBasedStateMachine):
    """Does everything to a store and to the memory store; what ``fresh()`` gives opens a store that begins empty."""

    def __init__(self) -> None:
        super().__init__()
        self.reopen = reopen = self.fresh()
        self.schema = Schema()
        self.model: Store = open_memory("memory://", create=True)
        self.store = reopen()
        self.savepoints = self.store.capabilities.savepoints

    def fresh(self) -> Callable[[], Store]:
        """Give what opens the store at hand, again and again; each machine has its own."""
        raise NotImplementedError

    @initialize()
    def make(self) -> None:
        """Begin with the same tables, and a few rows: what is empty says little."""
        self.migrate(_START)
        things, lines = (self.schema.module(name) for name in ("things", "lines"))
        stages = (None, "new", "won")
        cells = [{"stage": stage, "name": "José", "size": key // 2} for key, stage in enumerate(stages, start=1)]
        self.load(things, [row_of(things, key, {**each, "version": key}) for key, each in enumerate(cells, start=1)])
        self.load(lines, [row_of(lines, key, {"size": key}) for key in range(1, 4)])

    def load(self, module: Module, rows: Sequence[Row]) -> None:
        """Load rows into both."""
        assert self.both(lambda store: store.write(lambda txn: txn.bulk_load(module, rows))) == len(rows)

    def teardown(self) -> None:
        """Let go of both."""
        with closing(self.model), closing(self.store):
            pass

    def both(self, work: Callable[[Store], T]) -> object:
        """Do *work* to both; what it gives, or what it raises, must be the same."""
        expected, actual = (_attempt(work, store) for store in (self.model, self.store))
        require_same(expected, actual)
        return expected

    def migrate(self, schema: Schema) -> None:
        """Bring both to *schema*, if both can."""
        steps = diff(self.schema, schema)
        if self.both(lambda store: store.migrate(steps, schema)) is None:
            self.schema = schema

    def module(self, data: DataObject) -> Module:
        """Choose a module."""
        return self.schema.module(data.draw(st.sampled_from(["things", "things", "lines"])))

    @rule(data=st.data(), fail=st.sampled_from([False, False, False, True]))
    def unit(self, data: DataObject, *, fail: bool) -> None:
        """Do some things in one unit, which may fail at its end."""
        several = data.draw(_units(self.module(data), savepoints=self.savepoints))

        def work(txn: Txn) -> object:
            found = [each(txn) for each in several]
            if fail:
                stop()
            return found

        self.both(lambda store: store.write(work))

    @rule(data=st.data())
    def look(self, data: DataObject) -> None:
        """Read in a unit of its own."""
        module = self.module(data)
        where = data.draw(_filters(module))
        self.both(lambda store: store.read(lambda txn: _seen(txn, module, where)))

    @rule(off=st.lists(st.sampled_from([-1, 0, 1]), min_size=5, max_size=5))
    def expect_versions(self, off: list[int]) -> None:
        """Write each row there is, expecting its version, the one before or the one after."""
        module, keys = self.schema.module("things"), [Key(key) for key in range(1, 6)]
        rows = self.model.read(lambda txn: txn.get_many(module, keys))
        versions = [int(row[VERSION] or 0) + more for row, more in zip(rows, off, strict=True) if row]
        there = [key for key, row in zip(keys, rows, strict=True) if row]
        parts = [
            Updates(module, ("stage",), [key], [("new",)], [version])
            for key, version in zip(there, versions, strict=True)
        ]
        self.both(lambda store: store.write(lambda txn: [_plain(txn.write(Batch(parts=(part,)))) for part in parts]))

    @rule(name=st.sampled_from(sorted(_LATER)))
    def add_field(self, name: str) -> None:
        """Add a field, or take the one there is away with its data."""
        things = self.schema.module("things")
        kept = [field for field in things.fields if field.name != name]
        if len(kept) < len(things.fields):
            self.migrate(self.schema.with_module(attrs.evolve(things, fields=kept)))
        else:
            self.change(_LATER[name], id=FieldId(0))

    @rule(name=st.sampled_from(["name", "size", "stage"]))
    def make_unique(self, name: str) -> None:
        """Make a field unique, if its values let, or no longer."""
        field = self.schema.module("things").field(name)
        self.change(field, unique=not field.unique)

    def change(self, field: Field, **settings_of_field: object) -> None:
        """Change a field, or add it."""
        self.migrate(self.schema.with_field("things", attrs.evolve(field, **settings_of_field)))  # type: ignore[arg-type]

    @rule(tallied=st.sampled_from([(), ("owner",), ("stage", "owner"), ("size",)]))
    def count_by(self, tallied: tuple[str, ...]) -> None:
        """Count by other fields; what is there already counts."""
        self.migrate(self.schema.with_module(attrs.evolve(self.schema.module("things"), tallied_by=tallied)))

    @rule()
    def drop_and_make(self) -> None:
        """Take a module away with its records, and make it again."""
        self.migrate(self.schema.without_module("lines"))
        self.migrate(self.schema.with_module(_LINES))

    @rule()
    def rest(self) -> None:
        """Add up the tallies, close the store and open it again."""
        self.store.compact()
        self.store.close()
        self.store = self.reopen()

    @invariant()
    def same_and_sound(self) -> None:
        """Both hold the same, and what is derived follows from it."""
        modules = [self.schema.module(name) for name in ("things", "lines")]
        self.both(lambda store: store.read(lambda txn: {str(each.name): _seen(txn, each, ALWAYS) for each in modules}))
        self.both(lambda store: store.check())


def _attempt(work: Callable[[Store], object], store: Store) -> object:
    try:
        return work(store)
    except NubetisError as error:
        return type(error), error.code, error.params if error.code == "not_unique" else None
    except StopError:
        return "lost"


def run_machine(fresh: Callable[[], Callable[[], Store]]) -> None:
    """Look for a difference: *fresh* begins a new store each time, and gives what opens it again and again.

    Fifteen runs, or 2,000 where Hypothesis's profile asks for more examples than usual.
    """
    profile = settings()
    examples = 15 if profile.max_examples <= 100 else 2000
    chosen = settings(profile, max_examples=examples, stateful_step_count=12, deadline=None, print_blob=True)
    machine = type("Machine", (StoreMachine,), {"fresh": lambda _: fresh()})
    run_state_machine_as_test(machine, settings=chosen)


class MachineCases(ContractSetting):
    """The state machine, as a case."""

    def test_whatever_is_done_in_any_order_it_is_as_in_memory(self, tmp_path: Path) -> None:
        """Units, savepoints, reads, schema changes, closing and opening again."""
        numbers = count()

        def fresh() -> Callable[[], Store]:
            folder = tmp_path / f"run{next(numbers)}"
            folder.mkdir()
            return partial(self.open_store, folder)

        run_machine(fresh)
