"""One decision at a time: may this viewer see what that person owns?  Ours beside cedarpy, vakt, casbin and oso.

All are asked the same pairs and give the same answers; they differ in nothing but how they are told.  Each gets the
tree of roles and the rules as it likes them best, loaded before: who is a target or a source of a rule is worked out
for all of them, and cedarpy is asked for all pairs in one call.  Ours is measured twice: with the reach of each viewer
at hand, as in a session, and looked up each time, which is what is held against the engines.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from random import Random
from statistics import median
from typing import TYPE_CHECKING, Any, Final

import attrs
from measure import versions
from world import Scale, build_people, say

import nubetis
from nubetis.access.sharing import Level

if TYPE_CHECKING:
    from world import World

    from nubetis.types import Key

Ask = Callable[[], list[bool]]
"""Gives the answers to all pairs."""


@attrs.frozen(kw_only=True)
class Person:
    """What an engine is told of somebody."""

    key: Key
    role: str
    above: list[str]
    """The roles above the own one."""
    peers: bool
    targets: list[str]
    """Rules that reach this person."""
    sources: list[str]
    """Rules that share what this person owns."""


@attrs.frozen
class Question:
    """The pairs, who is in them, and the roles."""

    world: World
    people: Mapping[Key, Person]
    pairs: list[tuple[Key, Key]]

    @classmethod
    def of(cls, world: World, count: int) -> Question:
        """Draw pairs, of which somewhat more than half are allowed."""
        chance, directory = Random(9), world.directory
        pairs: list[tuple[Key, Key]] = []
        while len(pairs) < count:
            viewer, owner = chance.sample(world.people, 2)
            inside = list(directory.reach(viewer, world.module.id).owners[Level.READ])
            if len(pairs) % 2 and not inside:
                continue  # half of the pairs are of one who has others' records, and one of those
            pairs.append((viewer, directory.numbering.users[chance.choice(inside)] if len(pairs) % 2 else owner))
        keys = {key for pair in pairs for key in pair}
        return cls(world, {key: _person(world, key) for key in keys}, pairs)

    def first(self, count: int) -> Question:
        """Give the same with fewer pairs."""
        return attrs.evolve(self, pairs=self.pairs[:count])


def _person(world: World, key: Key) -> Person:
    directory, numbering = world.directory, world.directory.numbering
    role, place = numbering.role_of(key), numbering.places[key]
    rules = directory.roster.rules
    return Person(
        key=key,
        role=str(role),
        above=[] if role is None else [str(each) for each in numbering.above(role)],
        peers=role is not None and numbering.peers(role),
        targets=[str(rule.key) for rule in directory.rules_for(place, world.module.id) if rule.source is not None],
        sources=[
            str(rule.key) for rule in rules if rule.source is not None and place in directory.members(rule.source)
        ],
    )  # fmt: skip


# -- the engines ------------------------------------------------------------------------------------------------------
def ours(asked: Question) -> Ask:
    """One binary search for each; the reaches are at hand."""
    directory, number = asked.world.directory, asked.world.module.id
    places = directory.numbering.places
    reaches = {viewer: directory.reach(viewer, number) for viewer, _ in asked.pairs}
    read = Level.READ
    return lambda: [
        viewer == owner or reaches[viewer].level_of(places.get(owner, -1)) >= read for viewer, owner in asked.pairs
    ]


def looked_up(asked: Question) -> Ask:
    """The same, with the reach of each viewer looked up each time."""
    directory, number = asked.world.directory, asked.world.module.id
    places, read = directory.numbering.places, Level.READ
    return lambda: [
        viewer == owner or directory.reach(viewer, number).level_of(places.get(owner, -1)) >= read
        for viewer, owner in asked.pairs
    ]


_CEDAR: Final = """
permit (principal, action == Action::"view", resource) when { principal == resource };
permit (principal, action == Action::"view", resource)
  when { resource.role in principal.role && resource.role != principal.role };
permit (principal, action == Action::"view", resource)
  when { principal.peers && resource.role == principal.role };
"""


def cedarpy(asked: Question) -> Ask:
    """Roles and rules as entities with parents; policies and entities parsed before; all pairs in one call."""
    import cedarpy as cedar

    rules = [rule.key for rule in asked.world.directory.roster.rules if rule.source is not None]
    of_rules = [f'permit (principal in T::"{r}", action == Action::"view", resource in S::"{r}");' for r in rules]
    policies = cedar.PolicySet.from_str("\n".join([_CEDAR, *of_rules]))
    entities = cedar.Entities.from_json_str(json.dumps([*_cedar_roles(asked), *_cedar_people(asked)]))
    requests = [
        {"principal": f'U::"{viewer}"', "action": 'Action::"view"', "resource": f'U::"{owner}"', "context": {}}
        for viewer, owner in asked.pairs
    ]
    return lambda: [each.allowed for each in cedar.is_authorized_batch(requests, policies, entities)]


def _cedar_roles(asked: Question) -> Iterator[dict[str, Any]]:
    for each in asked.world.directory.roster.roles:
        above = [] if each.reports_to is None else [{"type": "R", "id": str(each.reports_to)}]
        yield {"uid": {"type": "R", "id": str(each.key)}, "attrs": {}, "parents": above}


def _cedar_people(asked: Question) -> Iterator[dict[str, Any]]:
    for each in asked.people.values():
        parents = [{"type": "T", "id": rule} for rule in each.targets]
        parents += [{"type": "S", "id": rule} for rule in each.sources]
        about = {"role": {"__entity": {"type": "R", "id": each.role}}, "peers": each.peers}
        yield {"uid": {"type": "U", "id": str(each.key)}, "attrs": about, "parents": parents}


def vakt(asked: Question) -> Ask:
    """A policy for each rule, and one each for the owner, the tree and peers; the guard looks at one after another."""
    from vakt import ALLOW_ACCESS, Guard, Inquiry, MemoryStorage, Policy, RulesChecker
    from vakt.rules import Any as Whatever
    from vakt.rules import AnyIn, Eq, ResourceMatch
    from vakt.rules.base import Rule

    class Above(Rule):
        def satisfied(self, what: object, inquiry: Any = None) -> bool:  # noqa: ANN401 - theirs
            return what in inquiry.resource["above"]

    storage, view = MemoryStorage(), [Eq("view")]

    def add(name: str, subject: dict[str, Any], resource: dict[str, Any]) -> None:
        storage.add(Policy(name, actions=view, subjects=[subject], resources=[resource], effect=ALLOW_ACCESS))

    every = {"key": Whatever()}
    add("own", {"key": ResourceMatch("key")}, every)
    add("tree", {"role": Above()}, every)
    add("peers", {"role": ResourceMatch("role"), "peers": Eq(True)}, every)  # noqa: FBT003 - a value
    for rule in asked.world.directory.roster.rules:
        if rule.source is not None:
            add(str(rule.key), {"targets": AnyIn(str(rule.key))}, {"sources": AnyIn(str(rule.key))})
    guard = Guard(storage, RulesChecker())
    known = {key: attrs.asdict(person) for key, person in asked.people.items()}
    asks = [Inquiry(action="view", subject=known[viewer], resource=known[owner]) for viewer, owner in asked.pairs]
    return lambda: [guard.is_allowed(each) for each in asks]


_CASBIN: Final = """
[request_definition]
r = sub, owner, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
g2 = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.act == p.act && (g(r.sub, p.sub) && g2(r.owner, p.obj) || p.sub == "anybody" && tree(r.sub, r.owner))
"""


def casbin(asked: Question) -> Ask:
    """A line for each rule, whose targets and sources are roles of it; the tree is a function of the host."""
    import casbin as engine

    people = {str(key): person for key, person in asked.people.items()}
    model = engine.Model()
    model.load_model_from_text(_CASBIN)
    enforcer = engine.Enforcer(model)

    def tree(viewer: str, owner: str) -> bool:
        mine, theirs = people[viewer], people[owner]
        return viewer == owner or mine.role in theirs.above or (mine.peers and mine.role == theirs.role)

    enforcer.add_function("tree", tree)
    rules = [rule for rule in asked.world.directory.roster.rules if rule.source is not None]
    enforcer.add_policies([["anybody", "tree", "view"], *[[f"t{r.key}", f"s{r.key}", "view"] for r in rules]])
    enforcer.add_named_grouping_policies("g", [[key, f"t{rule}"] for key, p in people.items() for rule in p.targets])
    enforcer.add_named_grouping_policies("g2", [[key, f"s{rule}"] for key, p in people.items() for rule in p.sources])
    for number, each in enumerate(rules):  # it wants every role to be somebody's
        enforcer.add_named_grouping_policy("g", f"nobody{number}", f"t{each.key}")
        enforcer.add_named_grouping_policy("g2", f"nobody{number}", f"s{each.key}")
    asks = [(str(viewer), str(owner)) for viewer, owner in asked.pairs]
    return lambda: [enforcer.enforce(viewer, owner, "view") for viewer, owner in asks]


_POLAR: Final = """
allow(viewer: Person, "view", owner: Person) if viewer.key = owner.key;
allow(viewer: Person, "view", owner: Person) if viewer.role in owner.above;
allow(viewer: Person, "view", owner: Person) if viewer.peers = true and viewer.role = owner.role;
allow(viewer: Person, "view", owner: Person) if rule in viewer.targets and rule in owner.sources;
"""


def oso(asked: Question) -> Ask:
    """Four rules of Polar about people as objects."""
    import oso as engine

    library = engine.Oso()
    library.register_class(Person)
    library.load_str(_POLAR)
    asks = [(asked.people[viewer], asked.people[owner]) for viewer, owner in asked.pairs]
    return lambda: [library.is_allowed(viewer, "view", owner) for viewer, owner in asks]


PEERS: Final = {cedarpy: 2000, vakt: 2000, casbin: 300, oso: 300}
"""The engines, and how many pairs each is asked at a time."""


# -- figures ----------------------------------------------------------------------------------------------------------
def decisions(scale: Scale) -> Iterator[dict[str, Any]]:
    """Give the lines of the table, as their fields."""
    say("decisions [python]")
    with nubetis.create("memory://", administrator="admin@example.com", settings={"currency": "PEN"}) as org:
        asked = Question.of(build_people(org, scale), 2000)
    expected = ours(asked)()
    detail = f"{len(expected):,} pairs, {sum(expected):,} allowed"
    yield _line("one grant level on a prepared policy", _each(ours(asked), expected), detail)
    mine = _each(looked_up(asked), expected)
    yield _line("one grant level, the policy looked up", mine, detail)
    found: dict[str, float] = {}
    for peer, count in PEERS.items():
        name = peer.__name__
        if find_spec(name) is None:
            say(f"{name} is left out: it is not installed.")
            continue
        found[name] = _each(peer(asked.first(count)), expected[:count])
        yield _line(f"one grant level: {name} {versions(name)[name]}", found[name], f"{count:,} pairs")
    if found:
        best = min(found, key=found.__getitem__)
        yield {
            "path": "one grant level beside the best engine [python]", "value": found[best] / mine, "unit": "×",
            "gate": 30, "stretch": 50, "more_is_better": True,
            "detail": f"{best}: {found[best] * 1e6:.1f} µs; ours with the policy looked up",
        }  # fmt: skip


def _line(path: str, value: float, detail: str) -> dict[str, Any]:
    return {"path": f"{path} [python]", "value": value * 1e6, "unit": "µs", "detail": detail}


def _each(ask: Ask, expected: list[bool]) -> float:
    """Give the seconds of one answer, the median of five times; the answers must be the expected ones."""
    assert [bool(each) for each in ask()] == expected
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        ask()
        times.append((time.perf_counter() - begin) / len(expected))
    return median(times)
