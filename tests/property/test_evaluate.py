"""The two evaluators agree with a third, naive one, and negation is negation."""

from __future__ import annotations

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis.model.bind import (
    ALWAYS,
    All,
    AnyOf,
    Differs,
    Holds,
    Linked,
    Linking,
    Missing,
    No,
    OneOf,
    Test,
    Within,
    Word,
    bind,
)
from nubetis.model.evaluate import matcher, select
from nubetis.model.fields import Operator
from nubetis.model.normal import normal_form
from nubetis.testing.strategies import worlds

Test.__test__ = False
FEWER = settings(max_examples=max(settings.default.max_examples * 2 // 5, 1))
"""A world costs 30 ms to make."""


class Naive:
    """Interprets a bound tree as its docstrings read, on cells by name; nothing is compiled."""

    def __init__(self, world):
        tables = {name: world.schema.module(name) for name in world.rows}
        self.tables = {name: [named(module, row) for row in world.rows[name]] for name, module in tables.items()}

    def living(self, module):
        return [cells for cells in self.tables.get(module.name, ()) if cells["deleted_in"] is None]

    def fits(self, bound, cells):
        return getattr(self, f"on_{type(bound).__name__.lower()}")(bound, cells)

    def on_all(self, bound, cells):
        return all(self.fits(part, cells) for part in bound.parts)

    def on_anyof(self, bound, cells):
        return any(self.fits(part, cells) for part in bound.parts)

    def on_no(self, bound, cells):
        return not self.fits(bound.part, cells)

    def on_missing(self, bound, cells):
        return cells[bound.column] is None

    def on_oneof(self, bound, cells):
        return cells[bound.column] is not None and cells[bound.column] in bound.values

    def on_holds(self, bound, cells):
        cell = cells[bound.column]
        return cell is not None and bound.value in json.loads(cell)

    def on_differs(self, bound, cells):
        return cells[bound.column] != cells[bound.other]

    def on_word(self, bound, cells):
        texts = [cells[column] for column in bound.columns if cells[column] is not None]
        return any(bound.text in text.replace("\u0303", "") for text in texts)

    def on_within(self, bound, cells):
        cell, size = cells[bound.column], len(bound.text)
        if cell is None:
            return False
        starts = [at for at in range(len(cell) - size + 1) if cell[at : at + size] == bound.text]
        starts = [at for at in starts if not bound.apart or cell[at + size : at + size + 1] != "\u0303"]
        places = {Operator.STARTS: {0}, Operator.ENDS: {len(cell) - size}}
        return bool(set(starts) & places.get(bound.operator, set(starts)))

    def on_test(self, bound, cells):
        cell, value = cells[bound.column], bound.value
        if cell is None:
            return False
        low, same = cell < value, cell == value
        return {
            Operator.EQ: same,
            Operator.LT: low,
            Operator.LE: low or same,
            Operator.GT: not (low or same),
            Operator.GE: not low,
        }[bound.operator]

    def on_linked(self, bound, cells):
        return any(r["id"] == cells[bound.column] and self.fits(bound.where, r) for r in self.living(bound.module))

    def on_linking(self, bound, cells):
        return any(
            child[bound.via] == cells["id"]
            and bound.prefix in {None, child.get(f"{bound.via}.module")}
            and self.fits(bound.where, child)
            for child in self.living(bound.module)
        )


def named(module, row):
    return dict(zip(module.layout.full_index, module.layout.fill(row), strict=True))


class Related:
    """Linked rows for the evaluator, from the naive tables."""

    def __init__(self, naive):
        self.naive = naive

    def by_key(self, module, key):
        return next((tuple(cells.values()) for cells in self.naive.living(module) if cells["id"] == key), None)

    def by_link(self, module, column, key):
        return [tuple(cells.values()) for cells in self.naive.living(module) if cells[column] == key]


def answers(world, bound):
    naive = Naive(world)
    fits = matcher(bound, world.module.layout.full_index, Related(naive))
    return [fits(world.module.layout.fill(row)) for row in world.rows["things"]]


def columns_of(world):
    full = [world.module.layout.fill(row) for row in world.rows["things"]]
    return {name: [row[at] for row in full] for name, at in world.module.layout.full_index.items()}


@FEWER
@given(worlds())
def test_the_matcher_answers_as_the_tree_reads(world):
    naive = Naive(world)
    expected = [naive.fits(world.bound, cells) for cells in naive.tables["things"]]
    assert expected == answers(world, world.bound)


@FEWER
@given(worlds(linked=False))
def test_selecting_from_columns_gives_the_rows_that_match(world):
    count = len(world.rows["things"])
    expected = [at for at, fits in enumerate(answers(world, world.bound)) if fits]
    assert expected == select(world.bound, columns_of(world), count)


@FEWER
@given(worlds())
def test_normal_form_keeps_the_meaning_and_negates_single_tests_only(world):
    normal = normal_form(world.bound)
    assert answers(world, world.bound) == answers(world, normal)
    assert normal == normal_form(normal)
    assert all(not isinstance(part, All | AnyOf | No) for part in negated(normal))


def negated(bound):
    """Give what stands under a No."""
    match bound:
        case No(part):
            return [part, *negated(part)]
        case All(parts) | AnyOf(parts):
            return [each for part in parts for each in negated(part)]
        case Linked() | Linking():
            return negated(bound.where)
        case _:
            return []


@FEWER
@given(worlds())
def test_every_record_is_on_exactly_one_side_of_a_filter(world):
    other = bind(~world.filter, world.module, world.schema, world.view)
    assert [not fits for fits in answers(world, world.bound)] == answers(world, other)


@FEWER
@given(worlds(linked=False))
def test_a_filter_and_its_negation_split_the_columns(world):
    count, columns = len(world.rows["things"]), columns_of(world)
    both = select(world.bound, columns, count) + select(No(world.bound), columns, count)
    assert list(range(count)) == sorted(both)


CELLS = st.none() | st.sampled_from(["a", "b", "an\u0303o", "an\u0303an", '["a"]', '["a","b"]'])
SETS = st.sampled_from([None, '["a"]', '["ab"]'])
PIECES = st.sampled_from([Operator.CONTAINS, Operator.STARTS, Operator.ENDS])
LEAVES = st.one_of(
    st.builds(Test, st.just("x"), st.sampled_from([Operator.EQ, Operator.LT, Operator.GE]), st.sampled_from("ab")),
    st.builds(OneOf, st.just("y"), st.lists(st.sampled_from("abc"), max_size=3).map(tuple)),
    st.builds(Missing, st.sampled_from("xy")),
    st.builds(Within, st.just("y"), PIECES, st.sampled_from("ab")),
    st.builds(Within, st.just("y"), st.just(Operator.CONTAINS), st.sampled_from(["n", "an"]), st.just(True)),
    st.builds(Word, st.sampled_from([(), ("x",), ("x", "y")]), st.sampled_from(["a", "ano"])),
    st.just(Holds("set", "a")),
    st.just(Differs("x", "y")),
)
TREES = st.recursive(
    LEAVES,
    lambda parts: st.one_of(
        st.builds(No, parts),
        st.builds(All, st.lists(parts, max_size=7).map(tuple)),
        st.builds(AnyOf, st.lists(parts, max_size=7).map(tuple)),
    ),
    max_leaves=20,
)


@given(TREES, st.lists(st.tuples(CELLS, CELLS, SETS)))
@settings(max_examples=300)
def test_trees_of_any_shape_mean_the_same_everywhere(tree, records):
    """Wide and deep ones, empty ones, repeated parts."""
    naive, names = Naive.__new__(Naive), ("x", "y", "set")
    expected = [naive.fits(tree, dict(zip(names, record, strict=True))) for record in records]
    assert expected == list(map(matcher(tree, {"x": 0, "y": 1, "set": 2}), records))
    columns = {name: [record[at] for record in records] for at, name in enumerate(names)}
    assert [at for at, yes in enumerate(expected) if yes] == select(tree, columns, len(records))
    assert normal_form(tree) != ALWAYS or all(expected)
