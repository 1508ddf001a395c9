"""The numbering of roles and users says who is below whom, whatever the tree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.access.numbering import Holders, Position, number


@st.composite
def trees(draw):
    """Give roles, each below any other or none, circles included, and users who have one, or one that is not there."""
    count = draw(st.integers(0, 12))
    above = st.none() | st.integers(0, count + 1)
    roles = [Position(key, draw(above)) for key in range(count)]
    users = [(100 + each, draw(st.integers(0, count + 1))) for each in range(draw(st.integers(0, 20)))]
    return draw(st.permutations(roles)), draw(st.permutations(users))


def chain(roles, key):
    """Give the roles above *key*, by following them one by one; ``None`` for one that hangs in a circle."""
    above, found = {role.key: role.reports_to for role in roles}, []
    while above[key] in above:
        key = above[key]
        if key in found:
            return None
        found.append(key)
    return found


@given(trees())
def test_whoever_is_below_a_role_is_in_its_interval_and_nobody_else(given_tree):
    """Compared with following each user's roles upward."""
    roles, users = given_tree
    found = number(roles, Holders(dict(users)))
    chains = {role.key: chain(roles, role.key) for role in roles}
    for role in roles:
        hangs = chains[role.key] is not None
        own = {user for user, held in users if held == role.key and hangs}
        below = {user for user, held in users if role.key in (chains.get(held) or ()) and hangs}
        assert {found.users[at] for at in range(*found.own(role.key))} == own
        assert {found.users[at] for at in range(*found.below(role.key))} == below
        assert {found.users[at] for at in range(*found.subtree(role.key))} == own | below
        assert found.above(role.key) == (chains[role.key] or [])


@given(trees())
def test_every_user_has_a_place_of_his_own(given_tree):
    roles, users = given_tree
    found = number(roles, Holders(dict(users)))
    assert sorted(found.users) == sorted(user for user, _ in users)
    assert [found.places[user] for user in found.users] == list(range(len(users)))
    known = {role.key for role in roles if chain(roles, role.key) is not None}
    assert {user: found.role_of(user) for user, _ in users} == {u: r if r in known else None for u, r in users}


@given(trees(), st.randoms(use_true_random=False))
def test_the_order_in_which_they_are_given_changes_nothing(given_tree, random):
    roles, users = given_tree
    again = number(random.sample(roles, len(roles)), Holders(dict(random.sample(users, len(users)))))
    assert again == number(roles, Holders(dict(users)))


@pytest.mark.parametrize("depth", [1, 50, 20_000])
def test_a_chain_may_be_as_long_as_it_likes(depth):
    """No recursion: twenty thousand roles, one below the other."""
    found = number(
        [Position(n, n - 1 if n else None) for n in range(depth)], Holders({10**6 + n: n for n in range(depth)})
    )
    assert found.below(0) == (1, depth)
    assert found.subtree(depth - 1) == (depth - 1, depth)
    assert len(found.above(depth - 1)) == depth - 1


def test_a_role_of_nobody_knows_has_nobody():
    found = number([Position(1)], Holders({7: 1}))
    assert (found.own(9), found.below(9), found.above(9), found.peers(9)) == ((0, 0), (0, 0), [], False)
    assert number([Position(1, peers=True)], Holders({})).peers(1)
