"""How large a filter may be: what is larger is refused with what to do, and nothing but our own errors is raised."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis import F
from nubetis.errors import InvalidCursor, InvalidFilter, InvalidValue, NotFound
from nubetis.model.bind import CONDITIONS, LINKS, VALUES, AnyOf, No, OneOf, Viewpoint, bind
from nubetis.model.bind import Test as Compared
from nubetis.model.convert import from_json, to_json
from nubetis.model.evaluate import matcher, select
from nubetis.model.fields import Operator
from nubetis.model.filters import And, Filter, Not, Or, has, join, keywords
from nubetis.model.query import read_cursor
from nubetis.model.schema import Schema
from nubetis.model.standard import STANDARD_MODULES
from nubetis.model.system import SYSTEM_SCHEMA
from nubetis.model.text import parse, show

SCHEMA: Schema = SYSTEM_SCHEMA.with_modules(STANDARD_MODULES)
DEALS = SCHEMA.module("deals")
VIEW = Viewpoint(now=datetime(2026, 5, 20, tzinfo=UTC))


def bound(where):
    return bind(where, DEALS, SCHEMA, VIEW)


def linked(levels, inner=F.name == "x"):
    """Follow links there and back, *levels* of them."""
    for level in range(levels):
        inner = has("deals", via="account", where=inner) if level % 2 else F.account.linked(inner)
    return inner if levels % 2 else F.account.linked(inner)


WIDE = {
    "or": lambda n: join(Or, [F.probability > i for i in range(n)]),
    "and": lambda n: join(And, [~F.name.contains(str(i)) for i in range(n)]),
    "all of": lambda n: F.tags.all_of(*[str(i) for i in range(n)]),
    "any of": lambda n: F.tags.any_of(*[str(i) for i in range(n)]),
    "words": lambda n: F.name.matches(" ".join(map(str, range(n)))),
    "days": lambda n: F.created_at.in_([datetime(2026, 1, 1).date()] * (n // 2)),  # noqa: DTZ001 - a day
    "within a link": lambda n: F.account.linked(join(Or, [F.name.contains(str(i)) for i in range(n - 1)])),
}


@pytest.mark.parametrize("name", WIDE)
def test_a_filter_has_so_many_conditions_and_no_more(name):
    bound(WIDE[name](CONDITIONS))
    with pytest.raises(InvalidFilter) as caught:
        bound(WIDE[name](CONDITIONS + 2))
    assert ("filter_size", CONDITIONS) == (caught.value.code, caught.value.params["limit"])


def test_keywords_count_once_for_each_field_in_which_they_are_looked_for():
    with pytest.raises(InvalidFilter) as caught:
        bound(keywords(" ".join(map(str, range(CONDITIONS // 2)))) & keywords(" ".join(map(str, range(CONDITIONS)))))
    assert caught.value.code == "filter_size"


def test_what_one_may_see_counts_too():
    """A store has to ask it all the same."""
    view = Viewpoint(now=VIEW.now, visible=lambda module: WIDE["or"](10) if module.name == "deals" else WIDE["and"](10))
    where = join(Or, [F.account.linked(F.name == str(i)) for i in range(CONDITIONS // 10)])
    with pytest.raises(InvalidFilter) as caught:
        bind(where, DEALS, SCHEMA, view)
    assert caught.value.code == "filter_size"


def test_links_are_followed_so_far_and_no_further():
    bound(linked(LINKS - 1 if LINKS % 2 == 0 else LINKS))
    with pytest.raises(InvalidFilter) as caught:
        bound(linked(LINKS + 2))
    assert ("filter_links", LINKS) == (caught.value.code, caught.value.params["limit"])


def test_lists_hold_so_many_values_and_no_more():
    bound(F.probability.in_(range(VALUES)))
    with pytest.raises(InvalidFilter) as caught:
        bound(F.probability.in_(range(VALUES)) | F.stage.in_(["open"] * 1 + ["won"]) & F.name.in_(map(str, range(9))))
    assert ("filter_values", VALUES) == (caught.value.code, caught.value.params["limit"])


def test_many_equalities_are_one_list():
    """Whatever else stands between them, and denied as well."""
    where = join(Or, [F.name == str(i) for i in range(3500)] + [F.stage == "won", F.name.in_(["x", "y", "1"])])
    found = bound(where)
    assert AnyOf((OneOf("name__f", (*map(str, range(3500)), "x", "y")), Compared("stage", Operator.EQ, "won"))) == found
    assert No(found) == bound(~where)


ROWS = [{"probability": None if n == 7 else n, "stage": "open"} for n in range(12)]


@given(st.lists(st.integers(0, 12), max_size=12), st.booleans())
def test_a_list_means_what_its_equalities_mean(values, deny):
    where = join(Or, [F.probability == value for value in values] + [F.probability > 10])
    index = DEALS.layout.full_index
    rows = []
    for cells in ROWS:
        row = [None] * len(index)
        for name, value in cells.items():
            row[index[name]] = value
        rows.append(tuple(row))
    columns = {"probability": [row[index["probability"]] for row in rows]}
    wanted = [n for n in range(12) if (n != 7 and (n in values or n > 10)) is not deny]
    found = bound(~where if deny else where)
    assert wanted == [n for n, row in enumerate(rows) if matcher(found, index)(row)]
    assert wanted == select(found, columns, len(rows))


def test_a_thousand_alternatives_are_asked_of_a_record():
    """In Python as well, without a call for each."""
    test = matcher(bound(WIDE["or"](CONDITIONS)), DEALS.layout.full_index)
    row = [None] * len(DEALS.layout.full_index)
    assert not test(tuple(row))
    row[DEALS.layout.full_index["probability"]] = 1
    assert test(tuple(row))


# -- hostile ----------------------------------------------------------------------------------------------------------
def deep(levels):
    where = F.name == "x"
    for level in range(levels):
        where = Not(where) if level % 3 else (where & F.name.is_empty()) | F.name.is_empty()
    return where


@pytest.mark.parametrize("levels", [100, 5000, 50_000])
@pytest.mark.parametrize("act", [bound, to_json, show], ids=["bind", "to_json", "show"])
def test_whatever_is_too_deep_is_refused(act, levels):
    with pytest.raises(InvalidFilter) as caught:
        act(deep(levels))
    assert caught.value.code == "filter_depth"


@pytest.mark.parametrize("levels", [100, 900])
@pytest.mark.parametrize(
    "wrap", [lambda f: {"not": f}, lambda f: {"all": [f]}, lambda f: {"has": "deals", "by": "account", "where": f},
             lambda f: {"field": "account", "is": "linked", "value": f}],
    ids=["not", "all", "has", "linked"])  # fmt: skip
def test_json_that_is_too_deep_is_refused(wrap, levels):
    data = {"field": "name", "is": "is empty"}
    for _ in range(levels):
        data = wrap(data)
    with pytest.raises(InvalidValue) as caught:
        from_json(data, Filter)
    assert caught.value.code == "filter_depth"


@pytest.mark.parametrize("text", ["(" * 50_000, "not " * 25_000 + "x", "a and " * 16_000, "x or " * 20_000 + "x",
    "account linked (" * 6_000, "has deals by account (" * 4_000, "a in (" + "1," * 49_000, '"' * 99_999,
    "a = " * 25_000, "-" * 100_000, "stage in (won" + ", lost" * 16_000 + ")", "\\" * 100_000, "a." * 50_000,
], ids=lambda text: ascii(text[:14]))  # fmt: skip
def test_text_of_100_kb_is_read_or_refused(text):
    with suppress(InvalidFilter):
        bound(parse(text, module=DEALS, schema=SCHEMA))


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
        st.sampled_from(["all", "any", "not", "has", "by", "where", "field", "is", "value", "decimal", "date", "money",
                         "period", "people", "wall_time", "bytes", "amount", "currency", "kind", "unit", "count", "x"]),
        inner, max_size=3),
    max_leaves=12,
)  # fmt: skip


def spoilt(draw, data):
    """Give *data* with one of its pieces replaced by junk."""
    if isinstance(data, dict) and data and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(data)))
        return {**data, key: spoilt(draw, data[key])}
    if isinstance(data, list) and data and draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        return [*data[:at], spoilt(draw, data[at]), *data[at + 1 :]]
    return draw(JUNK)


WHOLE = to_json(
    (F.stage.in_(["won", "lost"]) & ~(F.amount > 5) & has("notes", via="about", where=F.title.contains("x")))
    | F.account.linked(F.created_at < datetime(2026, 1, 1, tzinfo=UTC))
    | F.tags.any_of("a", "b")
)


@given(st.data())
@settings(max_examples=150)
def test_spoilt_json_is_a_filter_or_is_refused(data):
    written = spoilt(data.draw, WHOLE)
    try:
        where = from_json(written, Filter)
    except InvalidValue:
        return
    assert where == from_json(to_json(where), Filter)
    try:
        bound(where)
    except (InvalidValue, NotFound):
        return


@given(st.text(st.sampled_from([*string.printable, "ñ", "\0", "\ud800", "“"]), max_size=40))
def test_any_text_is_a_filter_or_is_refused(text):
    with suppress(InvalidValue, NotFound):
        bound(parse(f"stage = won and {text}", module=DEALS, schema=SCHEMA))


@pytest.mark.parametrize(
    "body", ["[" * 50_000, '{"a":1}', '"abc"', "[]", "[1]", "7", '["00"]', '["00",NaN,{"a":[]}]', "\ud800"],
    ids=lambda body: ascii(body[:8]),
)  # fmt: skip
def test_a_cursor_that_somebody_made_is_refused_or_read(body):
    raw = body.encode("utf-8", "surrogatepass")
    made = base64.urlsafe_b64encode(hashlib.blake2b(raw, digest_size=4).digest() + raw).decode()
    with suppress(InvalidCursor):
        read_cursor(made, "00")
        assert json.loads(body)[0] == "00"
