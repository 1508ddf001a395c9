"""What changes for whom: as the oracle says of each pair before and after, whatever moved."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F
from nubetis.access.compare import Comparison
from nubetis.access.directory import Directory
from nubetis.access.sharing import Level
from nubetis.testing.rosters import USUAL, Oracle, any_roster
from nubetis.types import ModuleId

DEALS, LEADS = ModuleId(1000), ModuleId(1001)


def made(rng, rules):
    return any_roster(
        rng, users=rng.randint(2, 20), roles=rng.randint(2, 10), groups=3, rules=rules, modules=(DEALS, LEADS),
        criteria=(F.name == "x",),
    )  # fmt: skip


def role_moved(rng, roster):
    """Let a role report to one that is not below it."""
    oracle = Oracle(roster)
    role = rng.choice(roster.roles)
    others = [each.key for each in roster.roles if role.key not in (each.key, *oracle.above(each.key))]
    above = rng.choice([None, *others])
    roles = [attrs.evolve(each, reports_to=above) if each.key == role.key else each for each in roster.roles]
    return attrs.evolve(roster, roles=tuple(roles))


def user_moved(rng, roster):
    user, role = rng.choice(roster.users), rng.choice(roster.roles)
    users = [attrs.evolve(each, role=role.key) if each is user else each for each in roster.users]
    return attrs.evolve(roster, users=tuple(users))


def user_came(rng, roster):
    new = attrs.evolve(rng.choice(roster.users), key=99_999, profile=USUAL)
    return attrs.evolve(roster, users=(*roster.users, new))


def user_went(rng, roster):
    gone = rng.choice(roster.users)
    return attrs.evolve(roster, users=tuple([each for each in roster.users if each is not gone]))


def rule_went(rng, roster):
    return attrs.evolve(roster, rules=roster.rules[1:])


def rule_came(rng, roster):
    new = attrs.evolve(made(rng, rules=6).rules[-1], key=77)
    at = rng.randint(0, len(roster.rules))
    return attrs.evolve(roster, rules=(*roster.rules[:at], new, *roster.rules[at:]))


def rule_changed(rng, roster):
    """Another level, source or target, in another place among the rules."""
    rules = list(roster.rules)
    if rules:
        old, other = rules.pop(), made(rng, rules=9).rules[rng.randint(0, 8)]
        rules.insert(0, attrs.evolve(other, key=old.key))
    return attrs.evolve(roster, rules=tuple(rules))


def members_went(rng, roster):
    key = rng.choice(list(roster.groups))
    return attrs.evolve(roster, groups={**roster.groups, key: made(rng, rules=0).groups[key][:1]})


def peers_changed(rng, roster):
    role = rng.choice(roster.roles)
    roles = [attrs.evolve(each, peers=not each.peers) if each is role else each for each in roster.roles]
    return attrs.evolve(roster, roles=tuple(roles))


def default_changed(rng, roster):
    found = Directory(roster).default(DEALS)
    return attrs.evolve(roster, defaults={**roster.defaults, DEALS: attrs.evolve(found, level=Level.READ)})


CHANGES = [
    role_moved, user_moved, user_came, user_went, rule_went, rule_came, rule_changed, members_went, peers_changed,
    default_changed,
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("again", range(4))
def test_each_user_gains_and_loses_what_the_oracle_says(rng, change, again):
    before = made(rng, rules=again * 5)
    after = change(rng, before)
    comparison = Comparison(Directory(before), Directory(after), (DEALS, LEADS))
    told = {each.user: each for each in comparison.changes()}
    both = {user.key for user in before.users} & {user.key for user in after.users}
    for viewer in both:
        for module in (DEALS, LEADS):
            found = told[viewer].modules.get(module) if viewer in told else None
            for owner in both - {viewer}:
                then, now = (Oracle(each).level(viewer, owner, module) for each in (before, after))
                place = comparison.before.numbering.places[owner]
                assert level_in(comparison.before, viewer, module, place) == then
                assert (found is not None) or then == now
                if found is not None:
                    floor = found.everything
                    for level in (Level.READ, Level.WRITE, Level.DELETE):
                        assert (place in found.gained[level] and floor[1] < level and floor[0] < level) == (
                            now >= level > then and max(floor) < level
                        )


def level_in(directory, viewer, module, place):
    return directory.reach(viewer, module).level_of(place)


def test_where_nothing_changes_nothing_is_told(rng):
    roster = made(rng, rules=10)
    assert list(Comparison(Directory(roster), Directory(roster), (DEALS, LEADS)).changes()) == []


def test_another_profile_is_told(rng):
    roster = made(rng, rules=0)
    user = roster.users[0]
    other = attrs.evolve(user, profile=USUAL if user.profile != USUAL else 1)
    after = attrs.evolve(roster, users=(other, *roster.users[1:]))
    (change,) = Comparison(Directory(roster), Directory(after), (DEALS,)).changes()
    assert change.user == user.key
    assert change.permissions[0] != change.permissions[1]


@pytest.mark.parametrize("change", CHANGES)
def test_places_are_translated_one_by_one(rng, change):
    """The same owner in both orders."""
    before = made(rng, rules=0)
    comparison = Comparison(Directory(before), Directory(change(rng, before)), (DEALS,))
    old, new = comparison.before.numbering, comparison.after.numbering
    for user, place in new.places.items():
        (moved,) = comparison.moved(type(comparison.before.members(_everybody()))((place, place + 1)))
        assert moved == old.places.get(user, moved)
        assert (user in old.places) == (moved < len(old.users))


def _everybody():
    from nubetis.access.sharing import EVERYBODY

    return EVERYBODY
