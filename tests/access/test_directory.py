"""What the directory says by intervals, the oracle says by following every path."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.access.directory import Directory
from nubetis.access.intervals import Intervals
from nubetis.access.sharing import EVERYBODY, Level, Principal, PrincipalKind
from nubetis.testing.rosters import Oracle, any_roster
from nubetis.types import ModuleId

DEALS, LEADS, OTHER = ModuleId(1000), ModuleId(1001), ModuleId(1002)
ROUNDS = range(6)


@pytest.fixture(params=ROUNDS)
def roster(request, rng):
    """Give people and rules, another time each."""
    return any_roster(
        rng, users=rng.randint(1, 25), roles=rng.randint(1, 14), groups=rng.randint(0, 6), rules=rng.randint(0, 25),
        modules=(DEALS, LEADS), criteria=(F.name == "x", F.name == "y"),
    )  # fmt: skip


@pytest.mark.parametrize("module", [DEALS, LEADS, OTHER])
def test_each_user_has_of_each_owner_what_the_oracle_says(roster, module):
    directory, oracle = Directory(roster), Oracle(roster)
    for viewer in roster.users:
        reach = directory.reach(viewer.key, module)
        assert {rule.key for rule in reach.criteria} == oracle.criteria(viewer.key, module)
        for owner in roster.users:
            expected = oracle.level(viewer.key, owner.key, module)
            place = directory.numbering.places[owner.key]
            if owner.key != viewer.key:  # his own he has in any case
                assert reach.level_of(place) == expected, (viewer, owner)


def test_the_reach_of_everybody_is_that_of_each(roster):
    directory = Directory(roster)
    for module in (DEALS, LEADS, OTHER):
        assert directory.reaches(module) == [directory.reach(user, module) for user in directory.numbering.users]


def test_greater_levels_are_held_by_less(roster):
    """Whoever may delete may write, and whoever may write may read."""
    directory = Directory(roster)
    for user in roster.users:
        read, write, delete = directory.reach(user.key, DEALS).owners.values()
        assert delete <= write <= read


def test_principals_stand_for_whom_the_oracle_says(roster):
    directory, oracle = Directory(roster), Oracle(roster)
    for principal in every_principal(roster):
        found = {directory.numbering.users[at] for at in directory.members(principal)}
        assert found == oracle.members(principal)


@pytest.mark.parametrize("superiors", [False, True])
def test_the_principals_of_a_user_are_those_by_which_a_grant_reaches_him(roster, superiors):
    """Shares are looked for by principal: each that reaches him is among his, and no other."""
    directory, oracle = Directory(roster), Oracle(roster)
    for user in roster.users:
        mine = {each for each, above in directory.principals(user.key) if superiors or not above}
        reaching = {
            each
            for each in every_principal(roster)
            if oracle.members(each) and oracle.reached(user.key, each, superiors=superiors)
        }
        assert {each for each in mine if oracle.members(each)} == reaching


def test_an_unknown_user_has_nothing_of_anybody(roster):
    directory = Directory(roster)
    reach = directory.reach(5, OTHER)
    assert reach.level_of(0) is Level.NONE
    assert not any(reach.owners.values())
    assert directory.principals(5) == []
    assert directory.permissions(5).verbs(OTHER) == frozenset()


def test_a_circle_of_groups_has_the_members_of_all():
    """The door lets none in; a damaged store may have one all the same, and nobody waits for ever."""
    one, two = (Principal(PrincipalKind.GROUP, key) for key in (7, 8))
    roster = any_roster(__import__("random").Random(1), users=4, roles=2)
    first, second = (Principal(PrincipalKind.USER, user.key) for user in roster.users[:2])
    roster = type(roster)(users=roster.users, roles=roster.roles, groups={7: (two, first), 8: (one, second)})
    directory = Directory(roster)
    places = [directory.numbering.places[user.key] for user in roster.users[:2]]
    both = Intervals.of([(place, place + 1) for place in places])
    assert directory.members(one) == directory.members(two) == both


def every_principal(roster):
    """Give all principals that there are."""
    yield EVERYBODY
    yield from [Principal(PrincipalKind.USER, user.key) for user in roster.users]
    for role in roster.roles:
        yield Principal(PrincipalKind.ROLE, role.key)
        yield Principal(PrincipalKind.ROLE, role.key, True)
    yield from [Principal(PrincipalKind.GROUP, key) for key in roster.groups]
