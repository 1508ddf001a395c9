"""The search for duplicates: what is found, that order does not matter, that nothing explodes."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis.data import Table, read
from nubetis.errors import InvalidValue
from nubetis.samples import contacts

SETS = Path(__file__).parents[4] / "shared" / "data" / "duplicates"
ASIDE = ("id", "source", "entity")

PEOPLE = Table(
    {
        "nombre": ["Ana", "Luis", "Anna", "Ríos", "Eva", None],
        "apellidos": ["Ríos Paz", "Soto", "Rios Paz", "Ana", "Vega", None],
        "correo": ["ana@x.pe", "luis@y.pe", "ana@x.pe", None, None, None],
        "telefono": ["+51 987 654 321", "5550101", "987654321", "5550999", None, None],
    }
)


def _f1(clusters, truth):
    found = {pair for group in clusters for pair in combinations(group, 2)}
    members = {}
    for row, entity in enumerate(truth):
        members.setdefault(entity, []).append(row)
    true = {pair for group in members.values() for pair in combinations(group, 2)}
    return 2 * len(found & true) / (len(found) + len(true))


def _sample(count, seed):
    people = list(contacts(count, seed=seed))
    fields = ("first_name", "last_name", "email", "phone", "mobile", "company", "street", "city", "postcode")
    table = Table({name: [getattr(person, name) for person in people] for name in fields})
    return table, [person.entity for person in people]


def test_the_same_person_is_found_and_nobody_else():
    assert PEOPLE.duplicates().clusters(above=0.9) == ((0, 2),)


def test_a_pair_is_explained_as_a_sum():
    pair = PEOPLE.duplicates().explain(2, 0)
    evidence = pair.prior + sum(pair.weights.values())
    assert pair.score == pytest.approx(1 / (1 + 2**-evidence))
    assert pair.weights["correo"] > 0
    assert "correo" in str(pair)
    assert "<table>" in pair._repr_html_()


def test_rows_that_are_not_together_are_explained_too():
    pair = PEOPLE.duplicates().explain(0, 1)
    assert (pair.score < 0.01, pair.weights["apellidos"] < 0) == (True, True)


def test_a_row_without_values_is_like_none():
    assert PEOPLE.duplicates().explain(0, 5).score == 0.0


@pytest.mark.parametrize("rows", [(0, 0), (0, 6), (-1, 2)])
def test_rows_that_are_not_there_are_refused(rows):
    with pytest.raises(InvalidValue):
        PEOPLE.duplicates().explain(*rows)


@pytest.mark.parametrize("above", [0, -1, 1.1])
def test_a_threshold_is_a_probability(above):
    with pytest.raises(InvalidValue):
        PEOPLE.duplicates().clusters(above=above)


def test_pairs_come_best_first_and_are_counted():
    matches = _sample(300, 5)[0].duplicates()
    scores = [pair.score for pair in matches]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == len(matches)
    assert [pair.score for pair in matches.best(3)] == pytest.approx(scores[:3])


def test_matches_have_both_faces():
    matches = PEOPLE.duplicates()
    assert "groups above 0.95" in repr(matches)
    assert "<table>" in matches._repr_html_()


@pytest.mark.parametrize(
    "columns", [{}, {"a": []}, {"a": [None, ""]}, {"a": ["x"]}, {"a": ["...", "!!"]}, {"id": ["1", "2"]}]
)
def test_little_or_nothing_to_compare_gives_no_pairs(columns):
    matches = Table(columns).duplicates()
    assert (len(matches), matches.clusters()) == (0, ())


def test_a_lower_threshold_never_splits_a_pair():
    matches = _sample(300, 7)[0].duplicates()
    strict, loose = [{row for group in matches.clusters(above=above) for row in group} for above in (0.99, 0.5)]
    assert strict <= loose


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 5))
def test_the_order_of_the_rows_does_not_matter(random, seed):
    table, _ = _sample(80, 3)
    order = list(range(len(table)))
    random.shuffle(order)
    plain, shuffled = table.duplicates(seed=seed), table.take(order).duplicates(seed=seed)
    assert _pairs(shuffled, order) == _pairs(plain, range(len(table)))
    groups = [sorted([order[row] for row in group]) for group in shuffled.clusters(above=0.8)]
    assert sorted(groups) == [list(group) for group in plain.clusters(above=0.8)]


def _pairs(matches, order):
    return sorted([(*sorted([order[pair.first], order[pair.second]]), pair.score) for pair in matches])


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=5), st.lists(st.none() | st.text(max_size=6), min_size=5, max_size=5), max_size=3)
)
def test_no_text_breaks_the_search(columns):
    matches = Table(columns).duplicates()
    assert all(0 <= pair.score <= 1 for pair in matches)


def test_thousands_of_equal_rows_are_one_entry():
    table = Table({"name": ["Ana Ríos"] * 20_000, "phone": ["5550101"] * 20_000})
    matches = table.duplicates()
    assert (len(matches.links), len(matches.entries)) == (1, 1)


def test_a_giant_block_stays_bounded():
    table = Table(
        {"name": ["Juan Pérez"] * 5000, "city": ["Lima"] * 5000, "note": [f"n {n * 7919}" for n in range(5000)]}
    )
    matches = table.duplicates()
    assert len(matches.links) < 200_000


def test_generated_people_are_found():
    table, truth = _sample(1500, 11)
    assert _f1(table.duplicates().clusters(above=0.9), truth) > 0.85


@pytest.mark.skipif(not SETS.is_dir(), reason="the shared example files are not there")
@pytest.mark.parametrize(("name", "least"), [("restaurants", 0.88), ("childcare", 0.85), ("fake1000", 0.9)])
def test_real_sets_are_found(name, least):
    table = read(SETS / f"{name}.csv")
    matches = table.without(*ASIDE).duplicates()
    assert _f1(matches.clusters(above=0.95), table["entity"]) >= least
