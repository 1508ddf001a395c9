"""Pages: each record comes once, forward and backward, whatever is sorted by; a forged place is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import closing
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nubetis
from nubetis.errors import InvalidCursor
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, F
from nubetis.model.kinds import kind
from nubetis.model.query import Query, digest_of, write_cursor
from nubetis.model.schema import Module

NAMES = (None, "a", "Á", "b", "ñ", "n", "nz")
THINGS = Module(
    name="things",
    prefix="thi",
    fields=[
        Field(name="name", type=kind("text")),
        Field(name="size", type=kind("integer")),
        Field(name="day", type=kind("date")),
        Field(name="open", type=kind("boolean")),
        Field(name="rank", type=kind("decimal")),
    ],
)
SORTS = st.lists(
    st.sampled_from(["name", "size", "day", "open", "rank", "id", "owner", "created_at"]), max_size=3, unique=True
).flatmap(lambda names: st.tuples(*[st.sampled_from([name, f"-{name}"]) for name in names]))
WHERES = st.sampled_from([EVERYTHING, F.size > 0, ~(F.size > 0), F.name.is_empty(), F.name == "a"])


def cells(number):
    """Give values of which many are alike and many are missing."""
    return {
        "name": NAMES[number % 7],
        "size": (None, -1, 0, 1)[number % 4],
        "day": (None, date(2026, 1, 1), date(2025, 1, 1))[number % 3],
        "open": (None, True, False)[number // 3 % 3],
        "rank": (None, "0.5", "-0.5")[number // 5 % 3],
    }


@pytest.fixture(
    scope="module", params=["memory://", "sqlite:///{folder}/org.db?profile=fast"], ids=["memory", "sqlite"]
)
def session(request, tmp_path_factory):
    url = request.param.format(folder=tmp_path_factory.mktemp("pages"))
    with closing(nubetis.create(url, administrator="ana@acme.pe")) as org:
        org.add_module(THINGS)
        session = org.session(nubetis.HostSignIn("ana@acme.pe"))
        with closing(session):
            for number in range(37):
                session.create("things", values=cells(number))
            yield session


def walked(session, where, sort, limit):
    """Give the pages from the first to the last."""
    pages = [session.find("things", where, sort=sort, limit=limit)]
    while pages[-1].next is not None:
        pages.append(session.find("things", where, sort=sort, limit=limit, after=pages[-1].next))
    return pages


def ids(pages):
    return [record.id for page in pages for record in page]


@given(WHERES, SORTS, st.integers(1, 15))
def test_page_by_page_each_record_comes_once_in_the_order_of_one_page(session, where, sort, limit):
    whole = session.find("things", where, sort=sort, limit=100)
    assert ids([whole]) == ids(walked(session, where, sort, limit))


@given(WHERES, SORTS, st.integers(1, 15))
def test_backward_the_same_records_come_again(session, where, sort, limit):
    pages = walked(session, where, sort, limit)
    back = [pages[-1]]
    while back[0].previous is not None:
        back.insert(0, session.find("things", where, sort=sort, limit=limit, after=back[0].previous))
    assert ids(pages) == ids(back)
    assert pages[0].previous is None is back[0].previous


@given(SORTS, st.integers(1, 15))
def test_what_is_after_a_page_and_before_the_next_is_the_page_itself(session, sort, limit):
    first = session.find("things", sort=sort, limit=limit)
    second = session.find("things", sort=sort, limit=limit, after=first.next)
    assert list(first) == list(session.find("things", sort=sort, limit=limit, after=second.previous))


@given(SORTS)
def test_descending_is_ascending_backward(session, sort):
    """The id that breaks ties goes with the last field."""
    turned = tuple([name.removeprefix("-") if name.startswith("-") else f"-{name}" for name in sort])
    if sort:
        forward, backward = (ids([session.find("things", sort=each, limit=100)]) for each in (sort, turned))
        assert forward == backward[::-1]


def forged(digest, values, back=0):
    """Give a cursor that fits its own check."""
    body = json.dumps([digest, back, *values]).encode()
    check = hashlib.blake2b(body, digest_size=4).digest()
    return base64.urlsafe_b64encode(check + body).decode().rstrip("=")


@pytest.mark.parametrize(
    "values",
    [[], ["a"], ["a", 1, 2], [1, 1], [1.5, 1], [True, 1], [[1], 1], [{}, 1], ["a", "b"], ["a", None], ["a", True]],
    ids=repr,
)
@pytest.mark.parametrize("back", [0, 1])
def test_a_forged_place_that_is_none_is_refused(session, values, back):
    """The regression: a TypeError in memory, another error in SQLite."""
    digest = digest_of(Query("things", sort=("name",)))
    with pytest.raises(InvalidCursor) as caught:
        session.find("things", sort="name", after=forged(digest, values, back))
    assert caught.value.code == "cursor_foreign"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@given(st.lists(JSON, max_size=3), SORTS, JSON)
def test_whatever_place_is_forged_is_refused_or_shows_what_may_be_seen(session, values, sort, back):
    cursor = forged(digest_of(Query("things", sort=sort)), values, back)
    try:
        page = session.find("things", sort=sort, after=cursor, limit=100)
    except InvalidCursor:
        return
    assert set(ids([page])) <= set(ids([session.find("things", limit=100)]))


@pytest.mark.parametrize(
    "other", [{"where": F.size > 0}, {"sort": "-name"}, {"sort": ("name", "size")}, {"module": "leads"}], ids=repr
)
def test_a_cursor_of_another_query_is_refused(session, other):
    asked = {"module": "things", "where": EVERYTHING, "sort": "name"}
    cursor = session.find(asked["module"], asked["where"], sort=asked["sort"], limit=2).next
    found = asked | other
    with pytest.raises(InvalidCursor) as caught:
        session.find(found["module"], found["where"], sort=found["sort"], after=cursor)
    assert caught.value.code == "cursor_foreign"


def test_a_cursor_cut_anywhere_is_refused(session):
    cursor = session.find("things", sort="name", limit=2).next
    for size in range(len(cursor)):
        with pytest.raises(InvalidCursor):
            session.find("things", sort="name", after=cursor[:size])


def test_a_place_between_records_is_a_place(session):
    """The record that a cursor came from may be gone."""
    whole = session.find("things", sort="size", limit=100)
    cursor = write_cursor(digest_of(Query("things", sort=("size",))), [0, 0], back=False)
    expected = [record for record in whole if record["size"] is not None and record["size"] >= 0]
    assert expected == list(session.find("things", sort="size", limit=100, after=cursor))
