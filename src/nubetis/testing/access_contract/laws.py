"""Laws that hold whatever the world: what a change may do to what users find, and what it may not.

Each change is planned and applied through the door, compared with the oracle of the changed world and with what its
preview said, and undone; then everything is as it was.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.directory import Roster
from nubetis.access.numbering import Position
from nubetis.access.people import User
from nubetis.access.sharing import GRANTED, Default, Level, Principal, PrincipalKind, Rule
from nubetis.model.convert import to_json
from nubetis.model.ids import decode, encode
from nubetis.session.planning import STRUCTURAL
from nubetis.session.previewing import preview
from nubetis.testing.access_contract.checks import Checker, Seen
from nubetis.testing.access_contract.worlds import CRITERIA, MODULES, Given, Thing, World, module_called
from nubetis.testing.access_contract.writing import as_cells, as_text
from nubetis.types import Key

if TYPE_CHECKING:
    from nubetis.model.plan import Plan
    from nubetis.session import Session
    from nubetis.session.previewing import AccessChange

__all__ = ["LAWS", "Changed", "Relation", "bosses_see_what_is_below", "keeps_law", "renumbered"]


class Relation(enum.Enum):
    """How what users find after a change stands to what they found before."""

    GROWS = enum.auto()
    SHRINKS = enum.auto()
    STAYS = enum.auto()
    ANY = enum.auto()


@attrs.frozen(kw_only=True)
class Changed:
    """A change: its *plan*, the world that it leads to, and what it may do."""

    plan: Plan
    world: World
    relation: Relation


Law = Callable[["Session", World, Random], Changed]
_NEW: Final = Key(3_000_000)


def keeps_law(checker: Checker, law: Law) -> int:
    """Apply one change to the organisation of *checker*, compare, and undo it; give how many checks there were.

    Raises:
        AssertionError: it does not hold.
    """
    org = checker.org
    with org.administrator() as session:
        before = checker.seen()
        changed = law(session, checker.world, checker.random)
        told = _previewed(session, changed.plan)
        operation = session.apply(changed.plan)
        then = Checker(org=org, world=changed.world, random=checker.random)
        after = then.seen()
        then.hold(law.__name__, expected=then.expected(), actual=after, count=_size(changed.world, after))
        _relate(then, law.__name__, changed.relation, before, after)
        if told is not None:
            _foretold(then, told, _unshared(checker), _unshared(then))
            _counted(checker, then, told)
        session.undo(operation)
        then.hold(law.__name__, "undone", expected=before, actual=checker.seen(), count=_size(checker.world, before))
    return then.checks


def _size(world: World, seen: Seen) -> int:
    return sum(len(world.things[module]) for _, module in seen)


def _relate(checker: Checker, name: str, relation: Relation, before: Seen, after: Seen) -> None:
    for each in before.keys() & after.keys():
        then, now = before[each], after[each]
        holds = {
            Relation.GROWS: then <= now, Relation.SHRINKS: now <= then, Relation.STAYS: now == then, Relation.ANY: True,
        }  # fmt: skip
        checker.hold(name, relation, each, expected=True, actual=holds[relation], count=len(then | now))


def _previewed(session: Session, plan: Plan) -> Mapping[Key, AccessChange] | None:
    """Give what the preview says of each user; it says nothing of plans of shares."""
    if not all(part.module.name in STRUCTURAL for part in plan.parts):
        return None
    return {decode(each.user)[1]: each for each in preview(session, plan)}


def _unshared(checker: Checker) -> Seen:
    """Give what users would find if no single record were shared: of shares a preview says nothing."""
    world = attrs.evolve(checker.world, given=())
    return Checker(org=checker.org, world=world, random=checker.random).expected()


def _foretold(checker: Checker, told: Mapping[Key, AccessChange], before: Seen, after: Seen) -> None:
    for user, module in before.keys() & after.keys():
        then, now, said = before[user, module], after[user, module], told.get(user)
        gains, loses = said is not None and said.gains, said is not None and said.loses
        checker.hold("preview of gains", user, module, expected=True, actual=gains or now <= then)
        checker.hold("preview of losses", user, module, expected=True, actual=loses or then <= now)


def _counted(checker: Checker, then: Checker, told: Mapping[Key, AccessChange]) -> None:
    """Hold that a preview counts the records that come and go by their owners, to each level."""
    for user in [each.key for each in checker.world.roster.users if each.active]:
        said = {str(each.module): each for each in told[user].modules} if user in told else {}
        for module in () if checker.oracle.administrator(user) else MODULES:
            found = said.get(module)
            if found is None or found.everybody[0] == found.everybody[1]:
                levels = [_by_owners(each, user, module) for each in (checker, then)]
                actual = ({}, {}) if found is None else (_some(found.gained), _some(found.lost))
                then.hold("preview counts", user, module, expected=_moves(*levels), actual=actual, count=3)


def _by_owners(checker: Checker, user: Key, module: str) -> list[Level]:
    things = [each for each in checker.world.things[module] if not each.deleted]
    return [checker.oracle.level_by_owner(user, each) for each in things]


def _moves(before: list[Level], after: list[Level]) -> tuple[dict[str, int], dict[str, int]]:
    pairs = list(zip(before, after, strict=True))
    gained = {level.text: sum(then < level <= now for then, now in pairs) for level in GRANTED}
    lost = {level.text: sum(now < level <= then for then, now in pairs) for level in GRANTED}
    return _some(gained), _some(lost)


def _some(counts: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in counts.items() if count}


# -- changes ----------------------------------------------------------------------------------------------------------
def _with_rules(world: World, rules: Iterable[Rule]) -> World:
    return attrs.evolve(world, roster=attrs.evolve(world.roster, rules=tuple(rules)))


def _user(world: World, random: Random) -> User:
    return random.choice([each for each in world.roster.users if each.active])


def _rule(session: Session, world: World, rule: Rule, relation: Relation) -> Changed:
    plan = session.plan_create(
        "sharing_rules",
        [{
            "name": rule.name, "module": int(rule.module), "target": rule.target.text, "level": rule.level.text,
            "source": None if rule.source is None else rule.source.text, "superiors": rule.superiors,
            "where": None if rule.where is None else as_text(to_json(rule.where)),
        }],
    )  # fmt: skip
    return Changed(plan=plan, world=_with_rules(world, [*world.roster.rules, rule]), relation=relation)


def a_rule_by_owners_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Share what those of a role and below own with somebody."""
    rule = Rule(
        key=_NEW, name="new", module=module_called(random.choice(MODULES)).id, level=random.choice(GRANTED),
        source=Principal(PrincipalKind.ROLE, random.choice(world.roster.roles).key, subordinates=True),
        target=Principal(PrincipalKind.USER, _user(world, random).key), superiors=random.random() < 0.5,
    )  # fmt: skip
    return _rule(session, world, rule, Relation.GROWS)


def a_rule_by_values_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Share what has certain values with a role."""
    rule = Rule(
        key=_NEW, name="new", module=module_called(random.choice(MODULES)).id, level=random.choice(GRANTED),
        where=random.choice(CRITERIA)[0], target=Principal(PrincipalKind.ROLE, _user(world, random).role),
        superiors=random.random() < 0.5,
    )  # fmt: skip
    return _rule(session, world, rule, Relation.GROWS)


def a_rule_on_other_modules_changes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Share everybody's products."""
    everything = Principal(PrincipalKind.ROLE, random.choice(world.roster.roles).key)
    module = module_called("products").id
    rule = Rule(key=_NEW, name="new", module=module, level=Level.DELETE, source=everything, target=everything)
    return _rule(session, world, rule, Relation.STAYS)


def a_rule_that_goes_gives_nothing(session: Session, world: World, random: Random) -> Changed:
    """Take a rule away, or change nothing where there is none."""
    if not world.roster.rules:
        return a_rule_on_other_modules_changes_nothing(session, world, random)
    gone = random.choice(world.roster.rules)
    plan = session.plan_edits("sharing_rules", {encode("sru", gone.key): {"active": False}})
    left = [each for each in world.roster.rules if each.key != gone.key]
    return Changed(plan=plan, world=_with_rules(world, left), relation=Relation.SHRINKS)


def a_share_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Share one record with a role and those below it, with its related records."""
    thing = random.choice([each for each in world.things[random.choice(MODULES)] if not each.deleted])
    given = Given(
        module=thing.module, record=thing.key, level=random.choice(GRANTED), related=True,
        target=Principal(PrincipalKind.ROLE, _user(world, random).role, subordinates=True),
        superiors=random.random() < 0.5,
    )  # fmt: skip
    plan = session.plan_create("shares", [as_cells(given)])
    return Changed(plan=plan, world=attrs.evolve(world, given=(*world.given, given)), relation=Relation.GROWS)


def one_more_in_a_group_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Put a user into a group; what rules give to it, and what they give of it, grows."""
    group, user = random.choice(list(world.roster.groups)), _user(world, random).key
    members = (*world.roster.groups[group], Principal(PrincipalKind.USER, user))
    plan = session.plan_edits("groups", {encode("gro", group): {"members": [each.text for each in members]}})
    groups = {**world.roster.groups, group: members}
    changed = attrs.evolve(world, roster=attrs.evolve(world.roster, groups=groups))
    return Changed(plan=plan, world=changed, relation=Relation.GROWS)


def a_default_that_rises_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Let everybody have the records of a module."""
    module = module_called(random.choice(MODULES)).id
    old = world.roster.defaults.get(module)
    new = attrs.evolve(old or Default(), level=Level.DELETE)
    if old is None:
        plan = session.plan_create("sharing_defaults", [{"module": int(module), "level": new.level.text}])
    else:
        plan = session.plan_edits("sharing_defaults", {encode("sde", module): {"level": new.level.text}})
    defaults = {**world.roster.defaults, module: new}
    changed = attrs.evolve(world, roster=attrs.evolve(world.roster, defaults=defaults))
    return Changed(plan=plan, world=changed, relation=Relation.GROWS)


def a_permission_set_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Give a user all permission sets that there are."""
    user = _user(world, random)
    sets = (*user.sets, *[each for each in world.roster.sets if each not in user.sets])
    plan = session.plan_edits("users", {encode("use", user.key): {"permission_sets": [encode("pse", s) for s in sets]}})
    changed = _with_user(world, attrs.evolve(user, sets=sets))
    return Changed(plan=plan, world=changed, relation=Relation.GROWS)


def _with_user(world: World, user: User) -> World:
    return _with_users(world, [user if each.key == user.key else each for each in world.roster.users])


def _with_users(world: World, users: Iterable[User]) -> World:
    return attrs.evolve(world, roster=attrs.evolve(world.roster, users=tuple(users)))


def a_tree_hung_below_a_role_takes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Let a role that reports to nobody report to one of another tree: all above have more roles below."""
    top = random.choice([each for each in world.roster.roles if each.reports_to is None])
    others = [each.key for each in world.roster.roles if top.key not in _line(world.roster, each.key)]
    above = random.choice(others) if others else None
    return _moved(session, world, top, above, Relation.GROWS)


def a_role_that_moves_is_seen_by_others(session: Session, world: World, random: Random) -> Changed:
    """Let any role report to any other that is not below it."""
    role = random.choice(world.roster.roles)
    others = [each.key for each in world.roster.roles if role.key not in _line(world.roster, each.key)]
    return _moved(session, world, role, random.choice([None, *others]), Relation.ANY)


def _moved(session: Session, world: World, role: Position, above: Key | None, relation: Relation) -> Changed:
    to = None if above is None else encode("rol", above)
    plan = session.plan_edits("roles", {encode("rol", role.key): {"reports_to": to}})
    roles = [attrs.evolve(each, reports_to=above) if each.key == role.key else each for each in world.roster.roles]
    changed = attrs.evolve(world, roster=attrs.evolve(world.roster, roles=tuple(roles)))
    return Changed(plan=plan, world=changed, relation=relation)


def _line(roster: Roster, role: Key) -> Iterator[Key]:
    """Give a role and all above it."""
    reports = {each.key: each.reports_to for each in roster.roles}
    at: Key | None = role
    while at is not None:
        yield at
        at = reports.get(at)


def a_user_who_moves_leaves_his_own(session: Session, world: World, random: Random) -> Changed:
    """Give a user another role."""
    user, role = _user(world, random), random.choice(world.roster.roles).key
    plan = session.plan_edits("users", {encode("use", user.key): {"role": encode("rol", role)}})
    return Changed(plan=plan, world=_with_user(world, attrs.evolve(user, role=role)), relation=Relation.ANY)


def one_who_comes_changes_nothing(session: Session, world: World, random: Random) -> Changed:
    """Make a user who owns nothing, in a role that is not empty: what goes to an empty one has no superiors yet."""
    role, profile = _user(world, random).role, _user(world, random).profile
    values = {"name": "New", "email": "new@nubetis.test", "handle": "new", "role": encode("rol", role)}
    plan = session.plan_create("users", [{**values, "profile": encode("pro", profile)}])
    (made,) = plan.changes
    user = User(key=decode(str(made.record))[1], role=role, profile=profile)
    changed = _with_users(world, [*world.roster.users, user])
    return Changed(plan=plan, world=changed, relation=Relation.STAYS)


LAWS: Final[tuple[Law, ...]] = (
    a_rule_by_owners_takes_nothing,
    a_rule_by_values_takes_nothing,
    a_rule_on_other_modules_changes_nothing,
    a_rule_that_goes_gives_nothing,
    a_share_takes_nothing,
    one_more_in_a_group_takes_nothing,
    a_default_that_rises_takes_nothing,
    a_permission_set_takes_nothing,
    a_tree_hung_below_a_role_takes_nothing,
    a_role_that_moves_is_seen_by_others,
    a_user_who_moves_leaves_his_own,
    one_who_comes_changes_nothing,
)


def bosses_see_what_is_below(checker: Checker) -> int:
    """Hold that one above an owner finds his records, where the module lets anything go up; give the checks."""
    seen, world, before = checker.seen(), checker.world, checker.checks
    for user, module in seen:
        default = world.roster.defaults.get(module_called(module).id, Default())
        if default.upward and seen[user, module]:
            role = next(each.role for each in world.roster.users if each.key == user)
            below = {each.key for each in world.roster.users if role in list(_line(world.roster, each.role))[1:]}
            owned = {each.key for each in world.things[module] if each.owner in below and not each.deleted}
            checker.hold(user, "above", below, expected=set(), actual=owned - seen[user, module], count=len(owned))
    return checker.checks - before


# -- other numbers ----------------------------------------------------------------------------------------------------
def renumbered(world: World, random: Random) -> tuple[World, Mapping[Key, Key]]:
    """Give *world* with other keys for users, roles and groups, in another order; and the users' new keys."""
    roster = world.roster
    users = _shuffled(random, [each.key for each in roster.users])
    roles = _shuffled(random, [each.key for each in roster.roles])
    names = _Names(users=users, roles=roles, groups=_shuffled(random, list(roster.groups)))
    things = {name: tuple(map(names.thing, some)) for name, some in world.things.items()}
    given = tuple([attrs.evolve(each, target=names.principal(each.target)) for each in world.given])
    return attrs.evolve(world, roster=names.roster(roster, random), things=things, given=given), users


@attrs.frozen(kw_only=True)
class _Names:
    """The new keys by the old ones."""

    users: Mapping[Key, Key]
    roles: Mapping[Key, Key]
    groups: Mapping[Key, Key]

    def principal(self, given: Principal) -> Principal:
        new = {PrincipalKind.USER: self.users, PrincipalKind.ROLE: self.roles, PrincipalKind.GROUP: self.groups}
        return attrs.evolve(given, key=new.get(given.kind, {}).get(given.key, given.key))

    def thing(self, given: Thing) -> Thing:
        return given if given.owner is None else attrs.evolve(given, owner=self.users.get(given.owner, given.owner))

    def roster(self, given: Roster, random: Random) -> Roster:
        people = [attrs.evolve(each, key=self.users[each.key], role=self.roles[each.role]) for each in given.users]
        tree, rules = list(map(self._position, given.roles)), list(map(self._rule, given.rules))
        groups = {self.groups[key]: tuple(map(self.principal, each)) for key, each in given.groups.items()}
        random.shuffle(people)
        random.shuffle(tree)
        random.shuffle(rules)
        return attrs.evolve(given, users=tuple(people), roles=tuple(tree), rules=tuple(rules), groups=groups)

    def _position(self, given: Position) -> Position:
        above = None if given.reports_to is None else self.roles[given.reports_to]
        return attrs.evolve(given, key=self.roles[given.key], reports_to=above)

    def _rule(self, given: Rule) -> Rule:
        source = None if given.source is None else self.principal(given.source)
        return attrs.evolve(given, target=self.principal(given.target), source=source)


def _shuffled(random: Random, keys: list[Key]) -> dict[Key, Key]:
    return dict(zip(keys, random.sample(keys, k=len(keys)), strict=True))
