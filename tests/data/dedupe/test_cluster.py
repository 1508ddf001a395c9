"""Groups from pairs: no chains, and the same whatever the names."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nubetis.data.dedupe.cluster import cluster

PAIRS = st.dictionaries(
    st.tuples(st.integers(0, 9), st.integers(0, 9)).filter(lambda pair: pair[0] < pair[1]),
    st.floats(0.01, 1),
    max_size=25,
).map(lambda found: sorted([(a, b, score) for (a, b), score in found.items()], key=lambda pair: -pair[2]))


@given(PAIRS, st.floats(0.1, 1))
def test_groups_are_disjoint_sorted_and_of_two_at_least(pairs, above):
    groups = cluster(pairs, above=above)
    members = [member for group in groups for member in group]
    assert len(members) == len(set(members))
    assert all(len(group) > 1 and list(group) == sorted(group) for group in groups)


@given(PAIRS)
def test_the_best_pair_is_always_together(pairs):
    groups = cluster(pairs, above=0.5)
    if pairs and pairs[0][2] >= 0.5:
        assert any({pairs[0][0], pairs[0][1]} <= set(group) for group in groups)


def test_a_chain_does_not_become_a_group():
    chain = [(n, n + 1, 0.96) for n in range(8)]
    assert max(len(group) for group in cluster(chain, above=0.95)) == 2
