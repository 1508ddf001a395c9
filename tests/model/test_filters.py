"""Filters as values: how they are built, joined, compared and shown."""

from __future__ import annotations

import copy

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidFilter
from nubetis.model.fields import Operator
from nubetis.model.filters import (
    EVERYTHING,
    ME,
    NOTHING,
    TODAY,
    TOMORROW,
    YESTERDAY,
    And,
    Compare,
    F,
    Filter,
    Has,
    Not,
    Or,
    Period,
    PeriodKind,
    Unit,
    has,
    join,
    keywords,
    period,
)
from nubetis.model.standard import base_schema
from nubetis.testing.strategies import filters

SCHEMA = base_schema()
FILTERS = filters(SCHEMA.module("deals"), schema=SCHEMA, depth=3)

LEAVES = st.sampled_from([F[name] == number for name in "abc" for number in (1, 2)])
JOINED = st.recursive(
    LEAVES, lambda inner: st.builds(lambda a, b: a & b, inner, inner) | st.builds(lambda a, b: a | b, inner, inner)
)


BUILT = [
    (F.a == 1, Operator.EQ, 1),
    (F.a < 1, Operator.LT, 1),
    (F.a <= 1, Operator.LE, 1),
    (F.a > 1, Operator.GT, 1),
    (F.a >= 1, Operator.GE, 1),
    (F.a.between(1, 2), Operator.BETWEEN, (1, 2)),
    (F.a.in_([1, 2]), Operator.IN, (1, 2)),
    (F.a.is_empty(), Operator.EMPTY, None),
    (F.a.contains("x"), Operator.CONTAINS, "x"),
    (F.a.starts_with("x"), Operator.STARTS, "x"),
    (F.a.ends_with("x"), Operator.ENDS, "x"),
    (F.a.matches("x"), Operator.MATCHES, "x"),
    (F.a.any_of("x", "y"), Operator.ANY_OF, ("x", "y")),
    (F.a.all_of("x", "y"), Operator.ALL_OF, ("x", "y")),
    (F.a.linked(F.b == 1), Operator.LINKED, F.b == 1),
    (F.a.changed(), Operator.CHANGED, None),
    (F.a.changed_from(1), Operator.CHANGED_FROM, 1),
    (F.a.changed_to(1), Operator.CHANGED_TO, 1),
]


# -- building ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("built", "operator", "operand"), BUILT, ids=str)
def test_a_comparison_is_a_value_of_path_operator_and_operand(built, operator, operand):
    assert Compare("a", operator, operand) == built


def test_every_operator_can_be_built():
    assert set(Operator) == {operator for _, operator, _ in BUILT}


@pytest.mark.parametrize("path", [F["address.city"], F.address.city, F["address"].city])
def test_a_part_is_named_by_a_dot_however_it_is_written(path):
    assert Compare("address.city", Operator.EQ, "Lima") == (path == "Lima")


def test_a_name_that_python_keeps_for_itself_goes_in_brackets():
    assert Compare("class", Operator.EQ, "x") == (F["class"] == "x")


def test_a_field_named_like_an_operator_goes_by_the_first_name_only():
    """``F.contains`` is a field; ``F.name.contains`` is the operator, and brackets name the part."""
    assert (F.contains == 1, F["name.contains"] == 1) == (
        Compare("contains", Operator.EQ, 1),
        Compare("name.contains", Operator.EQ, 1),
    )


def test_nothing_is_compared_as_empty():
    """``None`` on either comparison means "is empty", so that no store compares with NULL."""
    assert (F.a == None, F.a != None) == (F.a.is_empty(), ~F.a.is_empty())  # noqa: E711 - what is tested


def test_unequal_is_the_negation_of_equal():
    assert Not(F.a == 1) == (F.a != 1)


def test_in_keeps_what_was_given_though_its_source_is_spent():
    assert Compare("a", Operator.IN, (0, 1, 2)) == F.a.in_(iter(range(3)))


@pytest.mark.parametrize("whole", [TODAY, ME])
def test_in_takes_a_period_or_people_whole(whole):
    assert Compare("a", Operator.IN, whole) == F.a.in_(whole)


def test_keywords_name_no_field():
    assert Compare("", Operator.MATCHES, "acme lima") == keywords("acme lima")


def test_has_asks_for_any_record_unless_told():
    assert Has("deals", "account", EVERYTHING) == has("deals", via="account")


@pytest.mark.parametrize("name", ["__len__", "__iter__", "__fspath__", "__array__"])
def test_python_finds_no_magic_in_a_field_name(name):
    """Otherwise ``list(F)`` or an array library would take a field for what it is not."""
    for each in (F, F.stage):
        with pytest.raises(AttributeError):
            getattr(each, name)


# -- joining ----------------------------------------------------------------------------------


@given(FILTERS, FILTERS, FILTERS)
def test_joining_does_not_depend_on_brackets(a, b, c):
    assert ((a & b) & c, (a | b) | c) == (a & (b & c), a | (b | c))


@given(FILTERS)
def test_everything_and_nothing_leave_a_filter_as_it_is(a):
    """But for a join of one kind with itself, which stays flat."""
    assert (a, a, a, a) == (EVERYTHING & a, a & EVERYTHING, NOTHING | a, a | NOTHING)


@given(JOINED)
def test_a_double_negation_is_the_filter_itself(a):
    assert (a, ~a) == (~~a, ~~~a)


@given(st.lists(JOINED, max_size=4))
def test_joins_are_flat(parts):
    """No conjunction stands directly in a conjunction, and none has one part."""
    for kind in (And, Or):
        joined = join(kind, parts)
        if isinstance(joined, kind):
            assert [part for part in joined.parts if isinstance(part, kind)] == []
            assert len(joined.parts) != 1


def test_of_no_parts_all_hold_and_none_does():
    assert (EVERYTHING, NOTHING) == (join(And, []), join(Or, []))


def test_order_of_parts_is_kept():
    """A filter is shown as it was written."""
    parts = tuple(F[name] == 1 for name in "cab")
    assert And(parts) == parts[0] & parts[1] & parts[2]


# -- no truth ---------------------------------------------------------------------------------


@pytest.mark.parametrize("what", [F.a == 1, F.a, EVERYTHING, NOTHING, ~F.a.is_empty(), has("deals", via="account")])
def test_a_filter_has_no_truth(what):
    """``a and b`` would drop *a* without a word."""
    with pytest.raises(InvalidFilter) as caught:
        bool(what)
    assert caught.value.code == "filter_truth"


@pytest.mark.parametrize(
    "clause",
    [
        lambda: (F.a == 1) and (F.b == 2),
        lambda: (F.a == 1) or (F.b == 2),
        lambda: not F.a,
        lambda: 1 < F.a < 5,
        lambda: F.a in [1, 2],
        lambda: (~F.a.is_empty()) and F.b,
        lambda: [each for each in (F.a == 1, F.b == 2) if each],
        lambda: max(F.a, F.b),
    ],
    ids=["and", "or", "not", "chain", "in", "fields", "if", "max"],
)
def test_whatever_would_drop_a_clause_raises(clause):
    with pytest.raises(InvalidFilter, match="and, or, not"):
        clause()


# -- values -----------------------------------------------------------------------------------


@given(FILTERS)
def test_a_copy_is_equal_and_hashes_alike(where):
    twin = copy.deepcopy(where)
    assert (where, hash(where)) == (twin, hash(twin))


@given(FILTERS, FILTERS)
def test_filters_shown_alike_are_alike(a, b):
    """A cursor knows its query by how the filter is shown: two that differ must not look the same."""
    if repr(a) == repr(b):
        assert a == b


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (F.a == 1, F.a == 2),
        (F.a == 1, F.b == 1),
        (F.a == 1, F.a >= 1),
        (F.a == "1", F.a == 1),
        (~(F.a == 1), F.a == 1),
        ((F.a == 1) & (F.b == 1), (F.a == 1) | (F.b == 1)),
        (has("deals", via="account"), has("deals", via="contact")),
        (F.a.in_([1]), F.a == 1),
        (F.a.in_(TODAY), F.a.in_(YESTERDAY)),
    ],
)
def test_filters_that_say_something_else_are_not_equal_and_shown_apart(a, b):
    assert (a.__eq__(b) is True, repr(a) == repr(b)) == (False, False)


@pytest.mark.parametrize("where", [F.a == 1, (F.a == 1) & (F.b == 1), ~(F.a == 1), has("deals", via="account"), TODAY])
def test_a_filter_does_not_change(where):
    name = attrs.fields(type(where))[0].name
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        setattr(where, name, "x")


def test_who_asks_is_shown_apart_from_a_text_that_reads_the_same():
    """A cursor of the one must not fit the other."""
    assert repr(F.owner == "me") != repr(F.owner == ME)


def test_a_filter_has_no_room_for_anything_else():
    assert [kind for kind in Filter.__subclasses__() if hasattr(kind, "__dict__") and "__dict__" in vars(kind)] == []


@pytest.mark.parametrize(
    ("where", "shown"),
    [
        (F.stage == "won", "F.stage == 'won'"),
        (F.address.city.contains("lima"), "F.address.city.contains('lima')"),
        (F.amount.between(1, 2), "F.amount.between(1, 2)"),
        (F.closed.is_empty(), "F.closed.is_empty()"),
        ((F.a == 1) & (F.b == 2), "(F.a == 1) & (F.b == 2)"),
        ((F.a == 1) & ((F.b == 2) | (F.c == 3)), "(F.a == 1) & ((F.b == 2) | (F.c == 3))"),
        (~((F.a == 1) | (F.b == 2)), "~((F.a == 1) | (F.b == 2))"),
        (EVERYTHING, "EVERYTHING"),
        (NOTHING, "NOTHING"),
        (EVERYTHING | (F.a == 1), "EVERYTHING | (F.a == 1)"),
        (keywords("acme"), "keywords('acme')"),
        (F, "F"),
        (F.address.city, "F.address.city"),
    ],
)
def test_a_filter_is_shown_as_it_is_written(where, shown):
    assert shown == repr(where)


def test_a_field_can_be_the_key_of_a_mapping_by_identity_of_its_name():
    assert hash(F.stage) == hash(F["stage"])


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("name.like", "Did you mean contains?"),
        ("name.contain", "Did you mean contains?"),
        ("address.city.startswith", "Did you mean starts_with?"),
        ("stage.is_null", "Did you mean is_empty?"),
        ("stage.isin", "Did you mean in_?"),
        ("stage.equals", "Did you mean ==?"),
        ("zzz", "Known: all_of, any_of, "),
    ],
)
def test_what_is_called_and_is_no_operator_is_told_what_may_be_meant(path, meant):
    with pytest.raises(InvalidFilter) as caught:
        F[path]("x", case=True)

    assert str(caught.value).startswith(f"F.{path}: no such operator; {meant}")


# -- periods ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 7, 10_000])
@pytest.mark.parametrize("kind", PeriodKind)
def test_a_period_counts_one_to_ten_thousand_units(kind, count):
    assert count == Period(kind, Unit.DAY, count).count


@pytest.mark.parametrize("count", [0, -1, 10_001, 10**30, True, 2.0, "3"])
@pytest.mark.parametrize("kind", PeriodKind)
def test_another_count_is_refused(kind, count):
    with pytest.raises(InvalidFilter) as caught:
        Period(kind, Unit.DAY, count)
    assert caught.value.code == "bad_argument"


def test_older_than_needs_a_count_and_others_do_not():
    assert [PeriodKind.THIS, PeriodKind.LAST, PeriodKind.NEXT] == [
        Period(kind).kind for kind in PeriodKind if kind is not PeriodKind.OLDER
    ]
    with pytest.raises(InvalidFilter):
        Period(PeriodKind.OLDER)


@pytest.mark.parametrize(("kind", "unit", "argument"), [("lst", "day", "kind"), ("last", "dekad", "unit")])
def test_a_period_of_no_such_kind_or_unit_is_refused_by_name(kind, unit, argument):
    with pytest.raises(InvalidFilter) as caught:
        period(kind, unit)
    assert ("bad_argument", argument) == (caught.value.code, caught.value.params["argument"])


@pytest.mark.parametrize("kind", PeriodKind)
@pytest.mark.parametrize("unit", Unit)
def test_a_period_is_named_by_its_words(kind, unit):
    assert Period(kind, unit, 3) == period(kind.value, unit.value, 3)


def test_yesterday_today_and_tomorrow_are_periods():
    assert [period("last", "day"), period("this", "day"), period("next", "day")] == [YESTERDAY, TODAY, TOMORROW]
