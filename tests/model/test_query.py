"""Cursors: the same place tomorrow, and no place in another query."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidCursor
from nubetis.model.bind import All
from nubetis.model.filters import F
from nubetis.model.query import BoundQuery, Order, Query, digest_of, read_cursor, write_cursor
from nubetis.model.standard import base_schema

DEALS = base_schema().module("deals")
CELLS = st.lists(st.none() | st.integers(-(2**63), 2**63) | st.text(max_size=20), max_size=4)


@given(CELLS, st.booleans())
def test_a_cursor_is_read_as_it_was_written(values, back):
    digest = digest_of(Query("deals"))
    assert (tuple(values), back) == read_cursor(write_cursor(digest, values, back=back), digest)


@given(CELLS, st.data())
def test_a_cursor_that_was_tampered_with_is_refused(values, data):
    raw = bytearray(base64.urlsafe_b64decode(write_cursor("00", values, back=False) + "=="))
    raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InvalidCursor) as caught:
        read_cursor(base64.urlsafe_b64encode(raw).decode().rstrip("="), "00")
    assert caught.value.code == "cursor_damaged"


@given(st.text(max_size=40))
def test_any_text_that_is_no_cursor_is_refused(text):
    with pytest.raises(InvalidCursor):
        read_cursor(text, "00")


@pytest.mark.parametrize(
    "other",
    [
        Query("leads", F.stage == "won"),
        Query("deals", F.stage == "lost"),
        Query("deals", F.stage == "won", sort=("-amount",)),
        Query("deals", F.stage == "won", deleted=True),
    ],
)
def test_a_cursor_belongs_to_one_module_filter_and_sort(other):
    cursor = write_cursor(digest_of(Query("deals", F.stage == "won")), [1], back=False)
    with pytest.raises(InvalidCursor) as caught:
        read_cursor(cursor, digest_of(other))
    assert caught.value.code == "cursor_foreign"


def test_the_size_of_a_page_does_not_matter_to_a_cursor():
    assert digest_of(Query("deals", limit=3)) == digest_of(Query("deals", limit=50))


def test_reversing_a_query_twice_gives_it_back():
    query = BoundQuery(module=DEALS, where=All(()), order=(Order("stage", descending=True), Order("id")))
    assert query.reversed() != query == query.reversed().reversed()
