"""Every plan gives the same page: what is guessed decides about time only."""

from __future__ import annotations

from random import Random

import pytest

from nubetis.backends.sql import planner, unions
from nubetis.backends.sql.planner import Planner
from nubetis.backends.sql.tables import Guess
from nubetis.model import bind
from nubetis.model.bind import All, AnyOf, Missing, OneOf
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.normal import normal_form
from nubetis.model.query import BoundQuery
from nubetis.testing.store_contract.filters import Relations
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, load, page_of, row_of
from nubetis.testing.store_contract.ways import agree_on_ways, load_ways

LIVE = Missing("deleted_in")


GUESSES = {
    "nothing is there": ({}, 0),
    "few of many": ({}, 1_000_000),
    "nearly all": (dict.fromkeys(range(1001, 1041), 25_000), 1_000_000),
}


@pytest.mark.parametrize("guess", GUESSES)
def test_pages_and_counts_are_right_whatever_is_guessed(any_store, guess, monkeypatch):
    """Short windows and few heads, so that each plan is taken, in part and to its end."""
    monkeypatch.setattr(planner, "_FIRST", 7)
    monkeypatch.setattr(unions, "MANY", 3)
    random = Random(guess)
    rows = load_ways(any_store, random)
    any_store._tables.guesses[PEOPLE.id, "owner"] = Guess(*GUESSES[guess])
    agree_on_ways(any_store, random, rows, rounds=12)


@pytest.fixture
def planned(store, monkeypatch):
    """Give the plans that are carried out, by their first word."""
    seen = []
    run = Planner._run

    def noted(self, prepared):
        seen.append("walk" if "w2" in prepared[0].text else prepared[0].text.split()[0].lower())
        return run(self, prepared)

    monkeypatch.setattr(Planner, "_run", noted)
    return seen


def owned(store, owners):
    where = All((LIVE, AnyOf((OneOf("owner", owners), OneOf("place", (5,))))))
    return page_of(store, BoundQuery(module=PEOPLE, where=where, limit=10))


def fill(store, count, cells):
    rows = [row_of(PEOPLE, key, cells(key)) for key in range(1, count + 1)]
    store.write(lambda txn: txn.bulk_load(PEOPLE, rows))


def test_who_sees_much_walks_and_who_sees_little_looks_up(store, planned):
    fill(store, 6000, lambda key: {"owner": 1 + key % 60 if key % 1000 else 100})
    assert len(owned(store, tuple(range(1, 60)))) == 10
    assert planned == ["walk"]
    planned.clear()
    assert [row[0] for row in owned(store, (100,))] == [1000, 2000, 3000, 4000, 5000, 6000]
    assert planned == ["with"]


def test_a_walk_that_finds_too_little_ends_and_the_ways_are_asked(store, planned):
    """The guess says that half of all are his; they all lie at the far end."""
    fill(store, 10_000, lambda key: {"owner": 1 if key > 9000 else 2})
    store._tables.guesses[PEOPLE.id, "owner"] = Guess({1: 5_000, 2: 5_000}, 10_000)
    assert [row[0] for row in owned(store, (1, *range(3, 60)))][:2] == [9001, 9002]
    assert planned == ["walk", "with"]


def test_a_filter_that_few_fit_is_asked_first(store, planned):
    fill(store, 9000, lambda key: {"owner": key % 9, "size": key % 3000})
    ways = AnyOf((OneOf("owner", (1, 2, 3, 7)), OneOf("place", (5,))))
    query = BoundQuery(module=PEOPLE, where=All((LIVE, OneOf("size", (7,)), ways)), limit=10)
    assert [row[0] for row in page_of(store, query)] == [key for key in (7, 3007, 6007) if key % 9 in {1, 2, 3, 7}]
    assert len(planned) == 2


def test_a_list_alone_is_no_union(store):
    where = normal_form(All((LIVE, OneOf("owner", (1, 2)))))
    assert unions.union_of(store._tables, store._tables.of(PEOPLE), where) is None


def test_a_walk_that_fills_no_page_is_not_taken_for_the_end(store, planned):
    """Three are near the beginning, the others at the far end."""
    fill(store, 10_000, lambda key: {"owner": 1 if key > 9000 or key < 4 else 2})
    store._tables.guesses[PEOPLE.id, "owner"] = Guess({1: 5_000, 2: 5_000}, 10_000)
    assert [row[0] for row in owned(store, (1, *range(3, 60)))] == [1, 2, 3, *range(9001, 9008)]
    assert planned == ["walk", "with"]


def test_few_heads_and_many_are_asked_by_statements_of_their_own(store):
    """Both have the same parts, and the constants of the one would not do for the other."""
    fill(store, 300, lambda key: {"owner": key % 50})
    for owners in (tuple(range(40)), (1, 2), tuple(range(40))):
        store._tables.guesses[PEOPLE.id, "owner"] = Guess({}, 1_000_000)
        assert [row[0] for row in owned(store, owners)] == [key for key in range(1, 301) if key % 50 in owners][:10]


@pytest.mark.parametrize("left_out", [(), (3, 7), tuple(range(2, 12))])
def test_who_sees_nearly_all_is_counted_by_what_he_does_not_see(any_store, left_out):
    """The ways beside the ledger's are tried on the rows of other owners, and of none: what the evaluator finds."""
    cells = [{"owner": key % 12 or None, "size": key % 5, "place": key % 9, "stage": "won"} for key in range(1, 201)]
    people = [row_of(PEOPLE, key, each) for key, each in enumerate(cells, start=1)]
    places = [row_of(PLACES, key, {"name": "a", "keeper": 3 * key}) for key in range(1, 60)]
    load(any_store, PEOPLE, people)
    load(any_store, PLACES, places)
    full = [PEOPLE.layout.fill(row) for row in people]
    related = Relations(full, PEOPLE, {"places": [PLACES.layout.fill(row) for row in places]})
    named = bind.Linking(PLACES, "keeper", OneOf("name__f", ("a",)))
    others = [bind.Test("size", Operator.EQ, 2), OneOf("place", (4, 5)), named]
    seen = OneOf("owner", tuple([owner for owner in range(1, 12) if owner not in left_out]))
    for ways in ([], others[:1], others[:2], others[2:], others):
        where = All((LIVE, AnyOf((seen, *ways, OneOf("owner", (1,))))))
        any_store._tables.guesses[PEOPLE.id, "owner"] = Guess(dict.fromkeys(range(1, 12), 20), 201)
        expected = sum(map(matcher(where, PEOPLE.layout.full_index, related), full))
        assert expected == any_store.read(lambda txn, asked=where: txn.count(PEOPLE, asked)), ways


@pytest.mark.parametrize(
    "unfit",
    [
        bind.Test("stage", Operator.EQ, "\ud800"),
        bind.Test("size", Operator.LT, 1 << 70),
        OneOf("size", (1 << 70, *range(40))),
    ],
    ids=["half a character", "a great number", "a list with one"],
)
@pytest.mark.parametrize("beside", [False, True])
def test_what_no_column_can_hold_is_asked_by_many_ways_as_by_one(any_store, unfit, beside):
    """The driver refuses such a constant; the filter means what the evaluator says all the same."""
    fill(any_store, 60, lambda key: {"owner": key % 4, "size": key, "stage": "won"})
    ways = (OneOf("owner", (1, 2)), OneOf("place", (5,)))
    where = All((LIVE, unfit, AnyOf(ways))) if beside else All((LIVE, AnyOf((*ways, unfit))))
    fits = matcher(where, PEOPLE.layout.full_index)
    rows = [row_of(PEOPLE, key, {"owner": key % 4, "size": key, "stage": "won"}) for key in range(1, 61)]
    expected = [row[0] for row in rows if fits(PEOPLE.layout.fill(row))]
    assert expected == [row[0] for row in page_of(any_store, BoundQuery(module=PEOPLE, where=where, limit=100))]
    for limit in (None, 7):
        found = any_store.read(lambda txn, most=limit: txn.count(PEOPLE, where, limit=most))
        assert found == min(len(expected), limit or 100)
