"""Unions of many ways to a record, as access asks: pages and counts are those of the evaluator, whatever is planned."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from random import Random
from typing import Final

import attrs
import pytest

from nubetis.model.bind import ALWAYS, All, AnyOf, Bound, Linked, Linking, Missing, No, OneOf, Test, Within
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.prepared import Settled
from nubetis.model.query import BoundQuery, Order, order_values
from nubetis.model.store import Store
from nubetis.testing.store_contract.filters import Relations
from nubetis.testing.store_contract.reading import order_key
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, ContractSetting, load, page_of, row_of
from nubetis.types import Row, Stored

__all__ = ["WayCases", "agree_on_ways", "any_union", "load_ways"]

_OWNERS: Final = tuple(range(1001, 1041))
_NAMES: Final = tuple([f"n{place}" for place in range(20)])
_LIVE: Final = Missing("deleted_in")
_ORDERS: Final = (
    (Order("id"),),
    (Order("id", descending=True),),
    (Order("name__f"), Order("id")),
    (Order("size", descending=True), Order("id", descending=True)),
    (Order("ratio"), Order("size", descending=True), Order("id")),
)


def load_ways(store: Store, random: Random, *, count: int = 300) -> tuple[list[Row], list[Row]]:
    """Fill *store* with people, of whom some owners have many and some none, and places that lead to them."""
    people = [row_of(PEOPLE, key, _person(random)) for key in range(1, count + 1)]
    places = [row_of(PLACES, key, _place(random, count)) for key in range(1, count)]
    load(store, PEOPLE, people)
    load(store, PLACES, places)
    return people, places


def _person(random: Random) -> dict[str, Stored]:
    return {
        "owner": random.choice((None, _OWNERS[0], *_OWNERS[: random.randint(1, 30)])),
        "name": random.choice((None, "Ana", "ana", "Luis", "ñandú", "nz")),
        "size": random.choice((None, *range(6))),
        "ratio": random.choice((None, -1, 0, 1)),
        "stage": random.choice((None, "new", "won", "lost")),
        "place": random.choice((None, *range(1, 30))),
        "deleted_in": 1 if random.random() < 0.1 else None,
    }


def _place(random: Random, count: int) -> dict[str, Stored]:
    return {"name": random.choice(_NAMES), "size": random.randrange(3), "keeper": random.randrange(count)}


def any_union(random: Random) -> Bound:
    """Give what access asks for: one of several ways, by owner, by link, by values; and something else besides."""
    ways = [make(random) for make in random.choices((_owned, _owned, _linked, _by_value), k=random.randint(1, 5))]
    rest = random.choice(
        (ALWAYS, ALWAYS, Test("stage", Operator.EQ, "won"), Test("size", Operator.GT, 2), _by_value(random))
    )
    living = random.choice((_LIVE, _LIVE, _LIVE, ALWAYS, No(_LIVE)))
    return All((living, rest, AnyOf(tuple(ways))))


def _owned(random: Random) -> Bound:
    if random.random() < 0.3:
        return Test("owner", Operator.EQ, random.choice(_OWNERS))
    values = random.sample(_OWNERS, k=random.randint(0, len(_OWNERS)))
    return OneOf("owner", Settled(values) if random.random() < 0.5 else tuple(values))


def _linked(random: Random) -> Bound:
    names = OneOf("name__f", Settled(random.sample(_NAMES, k=random.randint(1, len(_NAMES)))))
    more = random.choice((ALWAYS, Test("size", Operator.EQ, 1)))
    return Linking(PLACES, "keeper", All((names, more)))


def _by_value(random: Random) -> Bound:
    number = random.randrange(6)
    small = All((Test("size", Operator.EQ, number), No(Missing("name__f"))))
    there = Linked("place", PLACES, Test("size", Operator.EQ, number % 3))
    begins = Within("name__f", Operator.STARTS, random.choice("aln"))
    return random.choice((small, there, begins, Test("ratio", Operator.LE, 0), No(Missing("size"))))


def agree_on_ways(store: Store, random: Random, rows: tuple[Sequence[Row], Sequence[Row]], *, rounds: int) -> None:
    """Compare pages in every order, page by page, and counts, with what the evaluator finds."""
    people, places = rows
    full = [PEOPLE.layout.fill(row) for row in people]
    related = Relations(full, PEOPLE, {"places": [PLACES.layout.fill(row) for row in places]})
    for _ in range(rounds):
        where = any_union(random)
        fits = matcher(where, PEOPLE.layout.full_index, related)
        fitting = [row for row, whole in zip(people, full, strict=True) if fits(whole)]
        query = BoundQuery(module=PEOPLE, where=where, order=random.choice(_ORDERS), limit=random.randint(1, 60))
        assert sorted(fitting, key=partial(order_key, query.order)) == _walk(store, query), query
        _agree_on_counts(store, where, len(fitting), random.randint(1, 60))


def _walk(store: Store, query: BoundQuery) -> list[Row]:
    """Give all pages, each from the last row of the one before."""
    found: list[Row] = []
    while page := page_of(store, query):
        assert len(page) <= query.limit
        found += page
        query = attrs.evolve(query, after=order_values(query.module, query.order, page[-1]))
    return found


def _agree_on_counts(store: Store, where: Bound, fitting: int, limit: int) -> None:
    assert fitting == store.read(lambda txn: txn.count(PEOPLE, where))
    assert min(limit, fitting) == store.read(lambda txn: txn.count(PEOPLE, where, limit=limit))


class WayCases(ContractSetting):
    """A store finds by every way what the evaluator finds."""

    @pytest.mark.parametrize("seed", range(4))
    def test_pages_and_counts_of_many_ways_are_the_evaluators(self, store: Store, seed: int) -> None:
        """Owners, links and values, alone and together, sparse and dense, with a filter of the user's besides."""
        random = Random(seed)
        agree_on_ways(store, random, load_ways(store, random), rounds=15)
