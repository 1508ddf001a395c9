"""How many statements a call takes, what they look like to the planner, and which constants they bear."""

from __future__ import annotations

from itertools import product

import pytest

from nubetis.backends.sql.shapes import after_prefix, shape, tame
from nubetis.backends.sql.sqlite.dialect import SQLITE
from nubetis.backends.sql.tables import Tables
from nubetis.errors import InvalidFilter
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
    Within,
    Word,
)  # fmt: skip
from nubetis.model.bind import (
    Test as Compared,
)
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.normal import normal_form
from nubetis.model.query import BoundQuery, Order
from nubetis.model.store import Batch, Expect, Guard, Inserts, Measure, MeasureKind, Removals, Updates, VersionName
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, keys_of, load, people, row_of, write

LIVING = Missing("deleted_in")


def pages(*, order, after=None, where=LIVING, limit=50):
    return BoundQuery(module=PEOPLE, where=where, order=order, after=after, limit=limit)


# -- how many ---------------------------------------------------------------------------------------------------------
def test_a_read_unit_is_its_statements_and_two(store, statements):
    store.read(lambda txn: (txn.versions(), txn.get_many(PEOPLE, [1]), txn.get_many(PEOPLE, list(range(500)))))

    assert [sql.split()[0] for sql in statements] == ["BEGIN", "SELECT", "SELECT", "SELECT", "COMMIT"]


def test_many_keys_are_asked_for_by_the_five_hundred(store, statements):
    load(store, PEOPLE, [row_of(PEOPLE, key) for key in range(1, 1200)])
    statements.clear()

    wanted = [*range(1300, 0, -1), 7, 7]
    found = store.read(lambda txn: txn.get_many(PEOPLE, wanted))

    assert [row and row[0] for row in found] == [key if key < 1200 else None for key in wanted]
    assert len(statements) == 3 + 2


def test_a_batch_is_one_statement_a_part_and_row_and_none_for_what_it_does_not_touch(store, statements):
    rows = [row_of(PEOPLE, key, {"owner": 9}) for key in range(1, 101)]
    write(store, Batch(parts=(Inserts(PEOPLE, rows),)))

    texts = [sql for sql in statements if sql.startswith("INSERT")]
    assert sum("INTO people " in sql for sql in texts) == 100
    assert sum("INTO tallies" in sql for sql in texts) == 2  # one a value and column, not one a record
    assert sum("people__" in sql for sql in texts) == 0

    statements.clear()
    write(store, Batch(parts=(Updates(PEOPLE, ("name",), [1, 2], [("a",), ("b",)], [1, 1]),)))
    assert [sql.split()[0] for sql in statements] == ["BEGIN", "SAVEPOINT", "UPDATE", "UPDATE", "RELEASE", "COMMIT"]


def test_a_page_that_ends_within_the_first_range_asks_no_more(store, statements):
    load(store, PEOPLE, people([{"name": "x"}] * 9))
    statements.clear()

    order = (Order("name__f"), Order("id"))
    rows = store.read(lambda txn: txn.query(pages(order=order, after=("x", 2), limit=5)))

    assert [row[0] for row in rows] == [3, 4, 5, 6, 7]
    assert len(statements) == 3


def test_filters_of_one_shape_are_compiled_once(store):
    home = store._tables.of(PEOPLE)
    store.read(lambda txn: txn.count(PEOPLE, Compared("size", Operator.GT, 1)))
    known = len(home._statements)
    for size in range(100):
        store.read(lambda txn, size=size: txn.count(PEOPLE, Compared("size", Operator.GT, size)))

    assert len(home._statements) == known


def test_statements_that_nobody_used_lately_are_forgotten(store):
    home = store._tables.of(PEOPLE)
    for depth in range(1, 1100):
        home.statement(depth, home.table.select)
        home.statement(1, home.table.select)

    assert len(home._statements) == 1024
    assert 1 in home._statements
    assert 2 not in home._statements


# -- what the planner makes of them -----------------------------------------------------------------------------------
def plan(store, statements, unit):
    statements.clear()
    store.read(unit)
    select = next(sql for sql in statements if sql.startswith("SELECT"))
    steps = store._units.apart(lambda link: link.execute(f"EXPLAIN QUERY PLAN {select}").fetchall())
    return [step[3] for step in steps]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize(
    ("column", "index"),
    [("name__f", "people__ix__name__f"), ("size", "people__ix__size"), ("owner", "people__ix__owner")],
)
def test_a_sorted_page_walks_its_index_and_sorts_nothing(store, statements, column, index, descending):
    order = (Order(column, descending=descending), Order("id", descending=descending))
    first = plan(store, statements, lambda txn: txn.query(pages(order=order)))
    value = "x" if column == "name__f" else 3

    assert [step for step in first if index in step] == first

    for after in ((value, 5), (None, 5)):
        for segment in pages(order=order, after=after).segments():
            both = All((LIVING, segment))
            steps = plan(store, statements, lambda txn, both=both: txn.query(pages(order=order, where=both)))
            assert len(steps) == 1, steps
            assert steps[0].startswith(f"SEARCH people USING INDEX {index}"), steps


def test_a_page_in_key_order_walks_the_table(store, statements):
    after = All((LIVING, Compared("id", Operator.GT, 7)))
    steps = plan(store, statements, lambda txn: txn.query(pages(order=(Order("id"),), where=after)))

    assert steps == ["SEARCH people USING INTEGER PRIMARY KEY (rowid>?)"]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Within("name__f", Operator.STARTS, "lim"), "INDEX people__ix__name__f (name__f>? AND name__f<?)"),
        (
            All((Within("name__f", Operator.STARTS, "pan"), No(Within("name__f", Operator.STARTS, "pan\u0303")))),
            "INDEX people__ix__name__f (name__f>? AND name__f<?)",
        ),
        (OneOf("size", (1, 2, 3)), "INDEX people__ix__size (size=?)"),
        (OneOf("size", tuple(range(99))), "INDEX people__ix__size (size=?)"),
        (Compared("code__f", Operator.EQ, "x"), "INDEX people__ux__code__f (code__f=?)"),
        (All((Compared("stage", Operator.EQ, "won"), Compared("size", Operator.GT, 3))), "people__ix__stage__size"),
    ],
)
def test_filters_use_the_indexes_of_the_living(store, statements, where, expected):
    steps = plan(store, statements, lambda txn: txn.count(PEOPLE, All((LIVING, where))))

    assert expected in " ".join(steps)


def test_sets_and_links_are_looked_up(store, statements):
    held = plan(store, statements, lambda txn: txn.count(PEOPLE, Holds("marks", "a")))
    assert "SEARCH x1 USING PRIMARY KEY (record=? AND value=?)" in held

    linking = Linking(PEOPLE, "place", ALWAYS)
    steps = plan(store, statements, lambda txn: txn.count(PLACES, linking))
    assert any("people__ix__place (place=?)" in step for step in steps), steps


def test_the_recycle_bin_is_found_without_a_scan(store, statements):
    steps = plan(store, statements, lambda txn: txn.count(PEOPLE, No(Missing("deleted_in"))))

    assert "people__dx__deleted_in" in steps[0]


# -- constants --------------------------------------------------------------------------------------------------------
GREAT = [2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 2**200, -(2**200)]
HALVES = ["\ud800", "a\udfffb", "z\ud800", "", "\ue000", "\U0010ffff", "a", "\ud7ff"]
ORDERS = [Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE]


@pytest.mark.parametrize(("operator", "value"), list(product(ORDERS, GREAT)))
def test_numbers_that_no_column_holds_are_compared_exactly(store, operator, value):
    rows = people([{"size": size} for size in (None, 0, -1, 2**63 - 1, -(2**63))])
    load(store, PEOPLE, rows)
    for bound in (Compared("size", operator, value), OneOf("size", (0, value))):
        for each in (bound, No(bound)):
            fits = matcher(each, PEOPLE.layout.full_index)
            assert keys_of(store, each) == [row[0] for row in rows if fits(PEOPLE.layout.fill(row))]


@pytest.mark.parametrize(
    ("operator", "value"), list(product([*ORDERS, Operator.CONTAINS, Operator.STARTS, Operator.ENDS], HALVES))
)
def test_half_characters_are_compared_exactly(store, operator, value):
    rows = people([{"stage": text} for text in (None, "", "a", "z", "a\ud7ff", "\ue000", "\U0010ffff", "a\ue000b")])
    load(store, PEOPLE, rows)
    single = Compared("stage", operator, value) if operator in ORDERS else Within("stage", operator, value)
    for bound in (single, No(single), OneOf("stage", ("a", value))):
        fits = matcher(bound, PEOPLE.layout.full_index)
        assert keys_of(store, bound) == [row[0] for row in rows if fits(PEOPLE.layout.fill(row))]


def test_a_cursor_may_hold_a_number_that_no_column_holds(store):
    load(store, PEOPLE, people([{"size": size} for size in (5, None, 7)]))
    order = (Order("size"), Order("id"))

    assert store.read(lambda txn: txn.query(pages(order=order, after=(2**70, 1)))) == []
    assert len(store.read(lambda txn: txn.query(pages(order=order, after=(-(2**70), 1))))) == 2


def test_a_key_that_no_row_can_have_is_not_there(store):
    assert store.read(lambda txn: txn.get_many(PEOPLE, [2**63])) == [None]
    assert store.read(lambda txn: txn.get_many(PEOPLE, [1, 2**63])) == [None, None]


@pytest.mark.parametrize("count", [33, 500, 3000])
def test_long_rows_of_tests_do_not_exhaust_the_parser(store, count):
    load(store, PEOPLE, people([{"size": size, "marks": '["a"]'} for size in range(5)]))
    tests = tuple([Compared("size", Operator.EQ, size) for size in range(3, 3 + count)])

    assert keys_of(store, AnyOf(tests)) == [4, 5]
    assert keys_of(store, No(AnyOf(tests))) == [1, 2, 3]
    assert keys_of(store, OneOf("size", tuple(range(3, 3 + count)))) == [4, 5]


def test_deep_filters_are_compiled_or_refused(store):
    load(store, PEOPLE, people([{"size": 1, "parent": 1}]))
    bound = Compared("size", Operator.EQ, 1)
    for level in range(60):
        kind, operator = (All, Operator.LT) if level % 2 else (AnyOf, Operator.GT)
        bound = kind((bound, Compared("size", operator, level + 2)))

    assert keys_of(store, bound) == [1]
    assert keys_of(store, No(bound)) == []
    with pytest.raises(InvalidFilter) as caught:
        keys_of(store, _nested(ALWAYS, 60))
    assert caught.value.code == "filter_depth"


def _nested(bound, depth):
    """Give a filter whose expression is deeper than the parser allows."""
    for level in range(depth):
        wide = tuple([Compared("size", Operator.GT, number) for number in range(60)])
        bound = All((AnyOf((bound, *wide)), Compared("size", Operator.LT, level)))
    return bound


def test_filters_that_no_store_can_answer_are_refused(store):
    with pytest.raises(InvalidFilter) as caught:
        store.read(lambda txn: txn.count(PEOPLE, Differs("size", "old:size")))
    assert caught.value.code == "filter_context"
    with pytest.raises(InvalidFilter):
        store.read(lambda txn: txn.count(PEOPLE, Missing("old:size")))


def test_two_modules_of_one_name_have_shapes_of_their_own(store):
    """A shape names a module by identity: after a schema change the old statement must not serve."""
    one = Linked("place", PLACES, ALWAYS)
    other = Linked("place", PEOPLE, ALWAYS)

    assert shape(one, SQLITE.pack_many) != shape(other, SQLITE.pack_many)


def test_taming_leaves_what_the_driver_bears():
    tests = [Compared("size", Operator.EQ, 2**63 - 1), Word(("name__f",), "a"), Holds("marks", "a"), LIVING]
    for bound in [*tests, All(tuple(tests)), No(tests[0]), Linking(PEOPLE, "parent", tests[0])]:
        assert tame(normal_form(bound)) == normal_form(bound)


@pytest.mark.parametrize(
    ("prefix", "after"),
    [("a", "b"), ("az", "a{"), ("\ud7ff", "\ue000"), ("a\U0010ffff", "b"), ("\U0010ffff", None), ("", None)],
)
def test_the_end_of_a_prefix(prefix, after):
    assert after_prefix(prefix) == after


# -- numbers ----------------------------------------------------------------------------------------------------------
def test_sums_pass_64_bits(store):
    most = 10**18 - 1
    load(store, PEOPLE, people([{"size": sign * most} for sign in (1, 1, 1, -1) for _ in range(20)] + [{"size": None}]))
    measures = (Measure(MeasureKind.SUM, "size"), Measure(MeasureKind.SUM, "ratio"))

    assert store.read(lambda txn: txn.aggregate(PEOPLE, ALWAYS, measures=measures)) == [(40 * most, None)]


def test_a_counter_does_not_run_over(store):
    top = 2**63 - 1
    assert write(store, Batch(guards=(Guard(counter="x", delta=top),))).written
    (conflict,) = write(store, Batch(guards=(Guard(counter="x", delta=1),))).conflicts

    assert conflict.actual == top


def test_conflicts_of_every_kind_are_named_together(store):
    load(store, PEOPLE, people([{"code": "a"}, {"code": "b"}]))
    batch = Batch(
        parts=(
            Inserts(PEOPLE, [row_of(PEOPLE, 1), row_of(PEOPLE, 9, {"code": "A"})]),
            Updates(PEOPLE, ("code",), [1, 2, 8], [("c",), ("c",), ("d",)], [7, 1, 1]),
            Removals(PEOPLE, [77]),
        ),
        guards=(Guard(counter="x", delta=-1, floor=0),),
        expects=(Expect(VersionName.ACCESS, 5),),
    )
    found = [(each.kind.value, each.key, each.column, each.actual) for each in write(store, batch).conflicts]

    assert found == [
        ("version", None, "access", 0),
        ("guard", None, "x", 0),
        ("taken", 1, "", None),
        ("unique", 9, "code", None),
        ("stale", 1, "", 1),
        ("missing", 8, "", None),
    ]


def test_tables_are_told_apart_by_identity_and_the_oldest_forgotten():
    tables = Tables(SQLITE)

    assert tables.of(PEOPLE) is tables.of(PEOPLE)
    assert [table.name for table in tables.all()] == ["people"]
