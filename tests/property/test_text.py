"""Text and JSON say every filter, and say it back."""

from __future__ import annotations

import datetime as dt
import json
import string
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from functools import reduce
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidFilter, InvalidValue, NubetisError
from nubetis.model import filters
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.convert import from_json, to_json
from nubetis.model.fields import Field, Operator, Storage
from nubetis.model.filters import (
    EVERYTHING,
    NOTHING,
    And,
    Compare,
    Filter,
    Has,
    Not,
    Or,
    People,
    Period,
    PeriodKind,
    Unit,
)
from nubetis.model.formats import ISO
from nubetis.model.kinds import WallTime, kind
from nubetis.model.money import Money
from nubetis.model.schema import Module
from nubetis.model.standard import base_schema
from nubetis.model.text import canonical, parse, show
from nubetis.model.text.tokens import RESERVED

# --- filters ---------------------------------------------------------------------------------

SYNTAX = sorted(RESERVED)
TEXTS = (
    st.text(max_size=8)
    | st.text(st.characters(), max_size=3)
    | st.sampled_from([*SYNTAX, "PEN", "a/b", "2026-01-31", "1e5", "007", "ñandú", 'say "x"', "Me", "\ud800", "\0"])
)
PATHS = st.sampled_from(["stage", "address.city", "owner", "in", "has", "and", "a b", "", "me"]) | TEXTS
NUMBERS = st.integers(-(10**18), 10**18) | st.decimals(allow_nan=False, allow_infinity=False, places=3).filter(
    lambda number: abs(number) < 10**30
)
ZONES = st.just(UTC) | st.integers(-1439, 1439).map(lambda minutes: timezone(timedelta(minutes=minutes)))
LOCAL = st.datetimes()
INSTANTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - zones come apart
PERIODS = st.builds(
    Period, st.sampled_from([PeriodKind.THIS, PeriodKind.LAST, PeriodKind.NEXT]), st.sampled_from(Unit)
) | st.builds(Period, st.sampled_from(PeriodKind), st.sampled_from(Unit), st.integers(1, 10_000))
PEOPLE = st.sampled_from(People)
MONEY = st.builds(Money, NUMBERS, st.text(string.ascii_uppercase, min_size=3, max_size=3))
VALUES = st.one_of(
    TEXTS,
    NUMBERS,
    st.booleans(),
    st.dates(),
    LOCAL,
    INSTANTS,
    st.times(),
    PERIODS,
    PEOPLE,
    MONEY,
    st.builds(WallTime, LOCAL, st.sampled_from(["America/Lima", "Etc/GMT+5"])),
)
MANY = st.lists(VALUES, max_size=3).map(tuple) | PERIODS | PEOPLE
OPERANDS = {
    **dict.fromkeys([Operator.EMPTY, Operator.CHANGED], st.none()),
    **dict.fromkeys([Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES], TEXTS),
    **dict.fromkeys([Operator.IN, Operator.ANY_OF, Operator.ALL_OF], MANY),
    Operator.BETWEEN: st.tuples(VALUES, VALUES),
}


def conditions(inner):
    linked = st.builds(Compare, PATHS, st.just(Operator.LINKED), inner)
    return linked | st.builds(Has, PATHS, PATHS, inner)


def compares():
    plain = [each for each in Operator if each is not Operator.LINKED]
    return st.sampled_from(plain).flatmap(
        lambda sign: st.builds(Compare, PATHS, st.just(sign), OPERANDS.get(sign, VALUES))
    )


def junctions(inner):
    """Build by ``&``, ``|`` and ``~``, as a host does."""
    some = st.lists(inner, min_size=1, max_size=3)
    joined = some.map(lambda parts: reduce(lambda a, b: a & b, parts))
    either = some.map(lambda parts: reduce(lambda a, b: a | b, parts))
    return joined | either | inner.map(lambda part: ~part) | conditions(inner)


def raw_junctions(inner):
    """Build by hand: a single part, nests of one kind, double negation."""
    some = st.lists(inner, max_size=3).map(tuple)
    return some.map(And) | some.map(Or) | inner.map(Not) | conditions(inner)


NAMES = {"Money": Money, "WallTime": WallTime, "Decimal": Decimal, "datetime": dt}
LEAVES = compares() | st.sampled_from([EVERYTHING, NOTHING])
FILTERS = st.recursive(LEAVES, junctions, max_leaves=8)
RAW_FILTERS = st.recursive(LEAVES, raw_junctions, max_leaves=8)


@given(FILTERS)
def test_a_filter_is_read_as_it_was_shown(where):
    """``==`` takes ``me`` for "me" and 1 for true; the JSON form does not."""
    again = parse(show(where))

    assert again == canonical(where)
    assert to_json(again) == to_json(canonical(where))


@given(RAW_FILTERS)
def test_a_filter_made_by_hand_is_read_as_its_canonical_form(where):
    assert parse(show(where)) == canonical(where)
    assert canonical(canonical(where)) == canonical(where)


@given(FILTERS)
def test_combining_makes_canonical_filters(where):
    """Values apart: an instant is shown in UTC, where it equals itself."""
    assert canonical(where) == where


@given(FILTERS | RAW_FILTERS)
def test_the_python_that_a_filter_is_shown_as_builds_it(where):
    again = eval(repr(where), {**vars(filters), **NAMES})  # noqa: S307 - the rule itself

    assert again == where
    assert repr(again) == repr(where)


@given(FILTERS)
def test_the_text_of_a_filter_is_one_line_of_unicode(where):
    text = show(where)

    assert len(text.splitlines()) == 1
    assert text.encode().decode() == text


@given(RAW_FILTERS)
def test_a_filter_comes_back_from_json_exactly(where):
    data = json.loads(json.dumps(to_json(where)))

    assert from_json(data, Filter) == where
    assert to_json(from_json(data, Filter)) == data


# --- with a module ---------------------------------------------------------------------------

SCHEMA = base_schema()
VIEW = Viewpoint(now=datetime(2026, 5, 20, tzinfo=UTC), people=dict.fromkeys(People, ()), with_old=True)


def operand_for(field, sign, rng):
    value = field.type.sample(field, rng)
    value = value[0] if isinstance(value, tuple) else value
    if sign in {Operator.EMPTY, Operator.CHANGED}:
        return None
    if sign in {Operator.IN, Operator.ANY_OF, Operator.ALL_OF}:
        return (value, value)
    if sign is Operator.BETWEEN:
        return (value, value)
    if sign is Operator.LINKED:
        return EVERYTHING
    wants_text = sign in {Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES}
    return "san isidro" if wants_text else value


@st.composite
def fitting(draw):
    """Give a module and a condition that fits it, with values of its own sampling."""
    module = draw(st.sampled_from(SCHEMA.modules))
    field = draw(st.sampled_from([slot.field for slot in module.layout.slots.values()]))
    signs = field.type.operators
    if field.parts[0].text and not field.filterable:
        signs = signs & {Operator.EMPTY, Operator.CHANGED}
    if field.parts[0].storage is Storage.TEXT and field.parts[0].name:
        signs = frozenset({Operator.EMPTY})
    sign = draw(st.sampled_from(sorted(signs)))
    operand = operand_for(field, sign, Random(draw(st.integers(0, 999))))
    where = Compare(field.name, sign, operand)
    return module, ~where if draw(st.booleans()) else where


@given(fitting())
def test_a_filter_read_with_its_module_binds_to_the_same(fit):
    """The field decides what the text of a value is: the types may differ, the meaning may not."""
    module, where = fit
    again = parse(show(where), module=module, schema=SCHEMA)

    assert bind(again, module, SCHEMA, VIEW) == bind(where, module, SCHEMA, VIEW)


# --- any text --------------------------------------------------------------------------------

PIECES = st.sampled_from(
    [*SYNTAX, *'()"=<>!,\\', "!=", " ", "  ", "days", "quarter", "7", "2026-01-31", "won", "stage"]
)
SENTENCES = st.lists(PIECES | TEXTS, max_size=12).map(" ".join) | st.text(max_size=20)
DEALS = SCHEMA.module("deals")


def read(text, **options):
    """Give the filter that *text* says, or what is wrong with it."""
    try:
        return parse(text, **options)
    except InvalidFilter as error:
        return error


@given(SENTENCES)
def test_any_text_is_read_for_good_or_refused_with_a_span(text):
    where = read(text)

    if isinstance(where, InvalidFilter):
        assert 0 <= where.params["position"] <= where.params["end"] <= len(text)
        return
    assert parse(show(where)) == where
    assert show(parse(show(where))) == show(where)


@given(SENTENCES, st.sampled_from([None, ISO]))
def test_any_text_read_with_a_module_names_its_fields_only_or_is_refused_with_a_span(text, formats):
    where = read(text, module=DEALS, schema=SCHEMA, formats=formats)

    if isinstance(where, InvalidFilter):
        assert 0 <= where.params["position"] <= where.params["end"] <= len(text)
        return
    assert parse(show(where)) == canonical(where)


# --- any JSON --------------------------------------------------------------------------------

KEYS = st.sampled_from(
    ["all", "any", "not", "field", "is", "value", "has", "by", "where", "decimal", "date", "money", "x"]
)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.sampled_from([*Operator, "NaN", "1e999999999"])
)
JSON = st.deferred(lambda: SCALARS | st.lists(JSON, max_size=2) | st.dictionaries(KEYS | TEXTS, JSON, max_size=3))


@given(JSON)
def test_any_json_is_a_filter_or_refused(data):
    try:
        where = from_json(data, Filter)
    except InvalidValue:
        return

    assert from_json(to_json(where), Filter) == where


@st.composite
def damaged(draw, whole):
    """Give a copy of *whole* in which something at a random place is something else, gone or new."""
    data = json.loads(json.dumps(whole))
    here = data
    while True:
        keys = sorted(here) if isinstance(here, dict) else range(len(here))
        key = draw(st.sampled_from(keys))
        deeper = isinstance(here[key], dict | list) and here[key] and draw(st.booleans())
        if not deeper:
            break
        here = here[key]
    here[key] = draw(JSON)
    return data


@pytest.mark.parametrize("name", ["deals", "calls", "products", "users"])
@given(st.data())
def test_a_damaged_definition_is_read_or_refused(name, data):
    module = SCHEMA.module(name)
    try:
        found = from_json(data.draw(damaged(to_json(module))), type(module))
    except NubetisError:
        return

    assert from_json(to_json(found), type(module)) == found


def test_decimals_keep_their_digits():
    assert str(parse("a = 1.500").operand) == "1.500"
    assert from_json(to_json(Compare("a", Operator.EQ, Decimal("1.500"))), Filter).operand.as_tuple().digits == (
        1,
        5,
        0,
        0,
    )


PARTED = base_schema().with_modules([
    Module(name="parted", fields=[
        Field(name="name", type=kind("text")), Field(name="wall", type=kind("wall_time")),
        Field(name="price", type=kind("money")), Field(name="photo", type=kind("image")),
        Field(name="home", type=kind("address")),
    ])
]).module("parted")  # fmt: skip
EXACT = ["wall.zone", "wall.local", "price.currency", "photo.media_type", "photo.name", "home.city", "name"]


@given(st.sampled_from(EXACT), st.lists(TEXTS | st.sampled_from(["", " ", "\n", " a ", "a\t"]), min_size=1, max_size=3))
def test_what_can_be_asked_of_a_part_is_read_back_to_the_letter(path, texts):
    """Also blanks, and what is nothing but blanks."""
    for where in (Compare(path, Operator.EQ, texts[0]), Compare(path, Operator.IN, tuple(texts))):
        try:
            bind(where, PARTED, base_schema(), Viewpoint(now=datetime(2026, 3, 15, tzinfo=UTC)))
        except InvalidFilter:
            continue
        assert parse(show(where), module=PARTED) == canonical(where)
