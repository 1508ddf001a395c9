"""The memory store is the model: whatever is done to both stores, in any order, SQLite says and holds the same."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import suppress
from itertools import count
from pathlib import Path

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from nubetis.backends.memory import open_memory
from nubetis.backends.sql import open_sqlite
from nubetis.errors import NubetisError
from nubetis.model.bind import ALWAYS, All, AnyOf, Holds, Missing, No, OneOf
from nubetis.model.bind import Test as Compared
from nubetis.model.fields import Operator
from nubetis.model.fold import fold_text
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import Module, Schema, diff
from nubetis.model.store import Batch, Expect, Guard, Inserts, Measure, MeasureKind, Removals, Updates, VersionName
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.testing.store_contract.setting import all_rows, field_of, row_of
from nubetis.types import FieldId

THINGS = Module(
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
LINES = Module(
    name="lines",
    prefix="lin",
    journalled=False,
    tallied_by=("size",),
    fields=[field_of("key", "choice", unique=True), field_of("size", "integer")],
)
START = SYSTEM_SCHEMA.with_modules([THINGS, LINES])
LATER = {"nick": field_of("nick", unique=True), "rank": field_of("rank", "integer", indexed=True)}

KEYS = st.integers(1, 8)
VALUES = {
    "name": st.sampled_from([None, "José", "JOSE", "ñ", "n", "a%", "", "x' OR 1"]),
    "code": st.sampled_from([None, "x", "X", "y", "á", "Á"]),
    "nick": st.sampled_from([None, "k", "K", "ß", "SS"]),
    "key": st.sampled_from([None, "x", "X", "y"]),
    "size": st.sampled_from([None, 0, 1, -1, 2**63 - 1, -(2**63)]),
    "rank": st.sampled_from([None, 1, 2]),
    "stage": st.sampled_from([None, "new", "won"]),
    "marks": st.sampled_from([None, '["a"]', '["a","b"]', '["Ñ"]']),
    "owner": st.sampled_from([None, 1, 2]),
    "deleted_in": st.sampled_from([None, None, None, 5]),
}


def named(module):
    """Give the names of the columns whose values are drawn."""
    return [column.name for column in module.layout.columns if column.name in VALUES]


@st.composite
def rows(draw, module):
    """Give a few rows with keys of their own or of others."""
    cells = st.fixed_dictionaries({}, optional={name: VALUES[name] for name in named(module)})
    return [row_of(module, draw(KEYS), draw(cells)) for _ in range(draw(st.integers(1, 4)))]


@st.composite
def updates(draw, module):
    """Give new values of some columns, with or without the versions expected."""
    columns = tuple(draw(st.lists(st.sampled_from(named(module)), min_size=1, max_size=3, unique=True)))
    keys = draw(st.lists(KEYS, min_size=1, max_size=4))
    values = [tuple([draw(VALUES[name]) for name in columns]) for _ in keys]
    versions = st.lists(st.sampled_from([1, 1, 1, 2]), min_size=len(keys), max_size=len(keys))
    expected = draw(st.none() | versions) if module.journalled else None
    return Updates(module, columns, keys, values, expected)


def guards():
    """Give a change of a counter within bounds."""
    bounds = st.sampled_from([(None, None), (0, None), (0, 3), (-1, 1)])
    return st.builds(
        lambda counter, delta, bound: Guard(counter=counter, delta=delta, floor=bound[0], ceiling=bound[1]),
        st.sampled_from(["g", "G"]), st.integers(-2, 3), bounds,
    )  # fmt: skip


@st.composite
def batches(draw, module):
    """Give a batch of anything."""
    removals = st.lists(KEYS, min_size=1, max_size=3).map(lambda keys: Removals(module, keys))
    parts = rows(module).map(lambda found: Inserts(module, found)) | updates(module) | removals
    expects = st.builds(Expect, st.sampled_from(list(VersionName)), st.integers(0, 2))
    return Batch(
        parts=tuple(draw(st.lists(parts, max_size=3))),
        guards=tuple(draw(st.lists(guards(), max_size=2))),
        expects=tuple(draw(st.lists(expects, max_size=1))),
    )


def filters(module):
    """Give a filter on columns that are there."""
    columns, layout = named(module), module.layout.full_index
    leaves = [Missing(name) for name in columns]
    leaves += [Compared("size", sign, 0) for sign in (Operator.EQ, Operator.LT, Operator.GE)]
    leaves += [OneOf("id", (1, 2, 3))]
    leaves += [Holds("marks", "a"), Compared("name__f", Operator.EQ, fold_text("jose"))] if "name__f" in layout else []
    leaf = st.sampled_from(leaves)
    return st.just(ALWAYS) | leaf | leaf.map(No) | st.builds(lambda a, b: All((a, b)), leaf, leaf.map(No)) | st.builds(
        lambda a, b: AnyOf((a, b)), leaf, leaf
    )  # fmt: skip


@st.composite
def actions(draw, module, depth=1):
    """Give what a unit does, as functions of its transaction that give what is to be compared."""
    return [draw(action(module, depth)) for _ in range(draw(st.integers(1, 4)))]


def action(module, depth):
    """Give one of them."""
    single = st.one_of(
        batches(module).map(lambda batch: lambda txn: outcome(txn.write(batch))),
        rows(module).map(lambda found: lambda txn: txn.bulk_load(module, found)),
        changes(module),
        st.builds(lambda name, n: lambda txn: txn.allocate(name, n), st.just("a"), st.integers(1, 3)),
        filters(module).map(lambda where: lambda txn: seen(txn, module, where)),
    )  # fmt: skip
    if not depth:
        return single
    nested = st.builds(inside, actions(module, depth=depth - 1), st.booleans())
    return st.booleans().flatmap(lambda deeper: nested if deeper else single)


@st.composite
def changes(draw, module):
    """Give a change of all that fit."""
    where = draw(filters(module))
    names = draw(st.lists(st.sampled_from(named(module)), min_size=1, max_size=2, unique=True))
    values = {name: draw(VALUES[name]) for name in names}
    return lambda txn: txn.update_where(module, where, values)


class Lost(Exception):
    """Ends a savepoint or a unit."""


def inside(several, lose):
    """Do *several* in a savepoint, and lose it if told."""

    def act(txn):
        found = []
        with suppress(Lost), txn.savepoint():
            found += [each(txn) for each in several]
            if lose:
                raise Lost
        return found

    return act


def outcome(found):
    """Give the conflicts in values that are compared fast."""
    return [
        (each.kind, each.module and each.module.name, each.key, each.column, each.actual) for each in found.conflicts
    ]


def seen(txn, module, where):
    """Give what a filter gives, by all ways of reading."""
    measures = [Measure(MeasureKind.COUNT), *[Measure(each, "size") for each in MeasureKind]]
    orders = [(Order("id"),), (Order("size", descending=True), Order("id")), (Order("owner"), Order("id"))]
    fitting = [order for order in orders if order[0].column in module.layout.index]
    return (
        all_rows(txn, module, where),
        txn.count(module, where),
        txn.count(module, where, limit=2),
        txn.aggregate(module, where, groups=[named(module)[0]], measures=measures),
        [txn.query(BoundQuery(module=module, where=where, order=order, limit=3)) for order in fitting],
        txn.get_many(module, list(range(9))),
        [txn.tally(module, name) for name in module.tallied_by],
        txn.versions(),
    )


class Stores(RuleBasedStateMachine):
    """Does everything to both."""

    numbers = count()

    @initialize()
    def make(self):
        """Begin with two empty stores."""
        self.folder = Path(tempfile.mkdtemp(prefix="nubetis-machine-"))
        self.schema = Schema()
        self.memory = open_memory("memory://", create=True)
        self.sqlite = open_sqlite(f"sqlite:///{self.folder}/org.db?profile=fast", create=True)
        self.migrate(START)

    def teardown(self):
        """Leave nothing."""
        for store in (self.memory, self.sqlite):
            store.close()
        shutil.rmtree(self.folder)

    def both(self, work):
        """Do *work* to both; what it gives, or what it raises, must be the same."""
        found = [self.attempt(work, store) for store in (self.memory, self.sqlite)]
        assert found[0] == found[1]
        return found[0]

    @staticmethod
    def attempt(work, store):
        try:
            return work(store)
        except NubetisError as error:
            return type(error), error.code, error.params if error.code == "not_unique" else None
        except Lost:
            return "lost"

    def migrate(self, schema):
        """Bring both to *schema*, if both can."""
        steps = diff(self.schema, schema)
        if self.both(lambda store: store.migrate(steps, schema)) is None:
            self.schema = schema

    def module(self, data):
        """Choose a module."""
        return self.schema.module(data.draw(st.sampled_from(["things", "things", "lines"])))

    @rule(data=st.data(), fail=st.sampled_from([False, False, False, True]))
    def unit(self, data, fail):
        """Do some things in one unit, which may fail at its end."""
        several = data.draw(actions(self.module(data)))

        def work(txn):
            found = [each(txn) for each in several]
            if fail:
                raise Lost
            return found

        self.both(lambda store: store.write(work))

    @rule(data=st.data())
    def look(self, data):
        """Read in a unit of its own."""
        module = self.module(data)
        where = data.draw(filters(module))
        self.both(lambda store: store.read(lambda txn: seen(txn, module, where)))

    @rule(data=st.data(), beside=st.sampled_from([0, 0, -1, 1]), size=VALUES["size"])
    def edit(self, data, beside, size):
        """Write a record that is there by the version it has, or by the one before or after it."""
        things = self.schema.module("things")
        present = [row for row in self.memory.read(lambda txn: txn.get_many(things, list(range(1, 9)))) if row]
        rows = present or [row_of(things, 1)]
        row = data.draw(st.sampled_from(rows))
        change = Updates(things, ("size",), [row[0]], [(size,)], [row[1] + beside])
        batch = Batch(parts=(*([] if present else [Inserts(things, rows)]), change))
        found = self.both(lambda store: store.write(lambda txn: outcome(txn.write(batch))))
        assert beside == 0 or found  # whatever else stands against it

    @rule(name=st.sampled_from(sorted(LATER)))
    def add_field(self, name):
        """Add a field, or take the one there is away with its data."""
        things = self.schema.module("things")
        if any(field.name == name for field in things.fields):
            kept = [field for field in things.fields if field.name != name]
            self.migrate(self.schema.with_module(attrs.evolve(things, fields=kept)))
        else:
            self.migrate(self.schema.with_field("things", attrs.evolve(LATER[name], id=FieldId(0))))

    @rule(name=st.sampled_from(["name", "size", "stage"]))
    def make_unique(self, name):
        """Make a field unique, if its values let, or no longer."""
        field = self.schema.module("things").field(name)
        self.migrate(self.schema.with_field("things", attrs.evolve(field, unique=not field.unique)))

    @rule(tallied=st.sampled_from([(), ("owner",), ("stage", "owner"), ("size",)]))
    def count_by(self, tallied):
        """Count by other fields; what is there already counts."""
        self.migrate(self.schema.with_module(attrs.evolve(self.schema.module("things"), tallied_by=tallied)))

    @rule()
    def drop_and_make(self):
        """Take a module away with its records, and make it again."""
        lines = self.schema.module("lines")
        self.migrate(self.schema.without_module("lines"))
        self.migrate(self.schema.with_module(lines))

    @rule()
    def rest(self):
        """Add up the tallies, close the file and open it again."""
        self.sqlite.compact()
        self.sqlite.close()
        self.sqlite = open_sqlite(f"sqlite:///{self.folder}/org.db?profile=fast", create=False)

    @invariant()
    def same_and_sound(self):
        """Both hold the same, and what is derived follows from it."""
        modules = [self.schema.module(name) for name in ("things", "lines")]
        self.both(lambda store: store.read(lambda txn: [seen(txn, module, ALWAYS) for module in modules]))
        self.both(lambda store: store.check())


def test_sqlite_does_what_memory_does():
    examples = 15 if settings.default.max_examples <= 100 else 2000
    run_state_machine_as_test(
        Stores, settings=settings(max_examples=examples, stateful_step_count=12, deadline=None, print_blob=True)
    )
