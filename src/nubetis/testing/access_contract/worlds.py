"""Random worlds of access, as values: people and sharing, records with hostile texts, shares, teams and parents.

A world is made from its seed alone, and holds whatever the specification names: chains of fifty roles and bushes,
roles and groups with nobody, groups in groups, users who are suspended or deleted, owners and parents that are not
there or in the recycle bin, shares that have ended, twice the same share, and the same keys in several modules.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.directory import Profile, Roster
from nubetis.access.editing import permitting, with_field
from nubetis.access.entitlements import Entitlements, Feature
from nubetis.access.numbering import Position
from nubetis.access.people import User
from nubetis.access.permissions import STANDARD, FieldLevel, Permissions
from nubetis.access.sharing import EVERYBODY, GRANTED, Default, Level, Principal, PrincipalKind, Rule
from nubetis.model.fields import Field
from nubetis.model.filters import F, Filter, has
from nubetis.model.fold import fold_text
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema
from nubetis.model.standard import base_schema
from nubetis.testing.clock import START
from nubetis.testing.rosters import ADMINISTRATOR, USUAL, any_roster
from nubetis.types import Key, ModuleId

__all__ = [
    "CRITERIA",
    "LINKED",
    "LINKS",
    "MODULES",
    "WORLD_SCHEMA",
    "Given",
    "Lent",
    "LinkedCriterion",
    "There",
    "Thing",
    "World",
    "any_world",
    "module_called",
    "with_fields",
]

MODULES: Final = ("accounts", "contacts", "deals")
"""The modules of which a world has records; each has the fields ``city`` and ``size`` besides its own."""
LINKS: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": (), "contacts": ("account",), "deals": ("account", "contact"),
}  # fmt: skip
"""The links that can make a parent: of deals by two ways, and by contacts on to accounts."""


def with_fields(schema: Schema) -> Schema:
    """Give *schema* with the fields that the records of a world have besides."""
    for name in MODULES:
        schema = schema.with_field(name, Field(name="city", type=kind("text"), indexed=True))
        schema = schema.with_field(name, Field(name="size", type=kind("integer")))
    return schema


WORLD_SCHEMA: Final = with_fields(base_schema())
"""That of an organisation which holds a world."""


def module_called(name: str) -> Module:
    """Give one of the modules of a world."""
    return WORLD_SCHEMA.module(name)


CITIES: Final = (
    None, "Lima", "LIMA", "lima ", "Líma", "100%", "a_c", "abc", "a%c", "\\", "'; --", "ñandú", "Nandu", "😀",
    "İstanbul",
)  # fmt: skip
"""Texts that mean something elsewhere, twins in case and accents, and none at all."""

_Fits = Callable[["Thing"], bool]


def _city(of: Thing) -> str:
    return "" if of.city is None else fold_text(of.city)


CRITERIA: Final[tuple[tuple[Filter, _Fits], ...]] = (
    (F.city == "lima", lambda each: _city(each) == "lima"),
    (F.city.contains("%"), lambda each: "%" in _city(each)),
    (F.city.contains("_"), lambda each: "_" in _city(each)),
    (F.city.starts_with("a"), lambda each: _city(each).startswith("a")),
    (F.city.is_empty(), lambda each: each.city is None),
    (~F.city.is_empty() & (F.size > 2), lambda each: each.city is not None and each.size is not None and each.size > 2),
    (F.size.in_([0, 4]), lambda each: each.size in {0, 4}),
    ((F.city == "ñandu") | F.size.is_empty(), lambda each: _city(each) == fold_text("ñandu") or each.size is None),
)
"""Filters of rules, each with what it means, said once more in Python."""


@attrs.frozen(kw_only=True)
class Thing:
    """A record: *links* are the keys of what it belongs to, by field, be they there or not."""

    module: str
    key: Key
    owner: Key | None = None
    city: str | None = None
    size: int | None = None
    links: Mapping[str, Key] = attrs.field(factory=dict)
    deleted: bool = False


There = Callable[[str, "Key | None"], "Thing | None"]
"""Gives the record with a key, by module, where it is there to be looked at and not in the recycle bin."""


@attrs.frozen
class LinkedCriterion:
    """A filter on linked records, what it means of a record, and the fields that it *asks* for, by module."""

    where: Filter
    fits: Callable[[Thing, There], bool]
    asks: tuple[tuple[str, str], ...]


def _account(of: Thing | None, there: There) -> Thing | None:
    return None if of is None else there("accounts", of.links.get("account"))


def _large(found: Thing | None) -> bool:
    return found is not None and found.size is not None and found.size > 2


_IN_LIMA: Final = LinkedCriterion(
    F.account.linked(F.city == "lima"),
    lambda each, there: (found := _account(each, there)) is not None and _city(found) == "lima",
    (("accounts", "city"),),
)
_OF_NONE_LARGE: Final = LinkedCriterion(
    ~F.account.linked(F.size > 2), lambda each, there: not _large(_account(each, there)), (("accounts", "size"),)
)

LINKED: Final[Mapping[str, tuple[LinkedCriterion, ...]]] = {
    "accounts": (
        LinkedCriterion(
            has("contacts", via="account", where=F.size > 2),
            lambda each, there: any(
                _large(found) and found is not None and found.links.get("account") == each.key
                for found in (there("contacts", Key(at)) for at in range(1, 1000))
            ),
            (("contacts", "size"),),
        ),
    ),
    "contacts": (
        _IN_LIMA,
        _OF_NONE_LARGE,
        LinkedCriterion(
            F.account.linked(F.city.is_empty()) | (F.size == 1),
            lambda each, there: each.size == 1
            or ((found := _account(each, there)) is not None and found.city is None),
            (("accounts", "city"), ("contacts", "size")),
        ),
    ),
    "deals": (
        _IN_LIMA,
        _OF_NONE_LARGE,
        LinkedCriterion(
            F.contact.linked(F.account.linked(F.size > 2)),
            lambda each, there: _large(_account(there("contacts", each.links.get("contact")), there)),
            (("accounts", "size"),),
        ),
    ),
}  # fmt: skip
"""Filters of rules on what records link to, and on what links to them, by module."""


@attrs.frozen(kw_only=True)
class Lent:
    """A delegation: *user* lets *delegate* act for him, in all *modules* and *actions* where none are named."""

    user: Key
    delegate: Key
    since: datetime | None = None
    until: datetime | None = None
    modules: tuple[str, ...] = ()
    actions: tuple[Action, ...] = ()
    deleted: bool = False


@attrs.frozen(kw_only=True)
class Given:
    """A share of one record, or with *team* a place in its team."""

    module: str
    record: Key
    target: Principal
    level: Level
    until: datetime | None = None
    related: bool = False
    superiors: bool = False
    team: bool = False


@attrs.frozen(kw_only=True)
class World:
    """An organisation at the instant *now*."""

    roster: Roster
    things: Mapping[str, tuple[Thing, ...]]
    given: tuple[Given, ...]
    lent: tuple[Lent, ...] = ()
    now: datetime = START


def any_world(
    random: Random, *, users: int = 30, records: int = 300, chain: int = 50, limited: bool = False
) -> World:  # fmt: skip
    """Make a world of so many users and records (in all modules together), with a chain of roles so long.

    Where it is *limited* its edition may lack features and a module.
    """
    modules = [module_called(name) for name in MODULES]
    roster = any_roster(
        random, users=users, roles=max(2, users // 2), groups=6, rules=random.choice((0, 6, 14)),
        modules=[each.id for each in modules], criteria=[where for where, _ in CRITERIA],
    )  # fmt: skip
    roster = _with_profiles(random, _with_chain(random, roster, chain))
    roster = attrs.evolve(roster, defaults=dict(_with_parents(random, roster.defaults, modules)))
    roster = attrs.evolve(roster, rules=tuple([_on_links(random, each) for each in roster.rules]))
    if limited:
        roster = attrs.evolve(roster, entitlements=_edition(random))
    things = {name: tuple(_things(random, name, roster, records // len(MODULES))) for name in MODULES}
    given = list(_given(random, roster, things, count=records // 5))
    return World(
        roster=roster, things=things, given=(*given, *given[: len(given) // 10]), lent=tuple(_lent(random, roster))
    )


# -- people -----------------------------------------------------------------------------------------------------------
def _with_chain(random: Random, roster: Roster, length: int) -> Roster:
    """Put a chain of roles below some role, and a few users along it."""
    above: Key | None = random.choice(roster.roles).key
    chain: list[Position] = []
    for at in range(length):
        chain.append(Position(Key(20_000 + at), above, peers=random.random() < 0.1))
        above = chain[-1].key
    moved = [attrs.evolve(each, role=_place_in(random, chain, each)) for each in roster.users]
    return attrs.evolve(roster, roles=(*roster.roles, *chain), users=tuple(moved))


def _place_in(random: Random, chain: list[Position], user: User) -> Key:
    return random.choice(chain).key if chain and random.random() < 0.3 else user.role


def _with_profiles(random: Random, roster: Roster) -> Roster:
    """Give some users other profiles, and permission sets; let some be deleted."""
    profiles = {Key(10 + at): Profile(_permissions(random)) for at in range(4)}
    sets = {Key(30 + at): _permissions(random) for at in range(3)}
    standard = Profile(attrs.evolve(STANDARD, default=frozenset(Action)))
    named = set(_named(roster))
    users = [
        _with_rights(random, each, [*profiles, USUAL], list(sets), stays=each.key in named) for each in roster.users
    ]
    return attrs.evolve(
        roster, users=tuple(users), profiles={**roster.profiles, USUAL: standard, **profiles}, sets=sets
    )


def _named(roster: Roster) -> Iterable[Key]:
    """Give the users whom groups and rules name, who cannot be deleted."""
    for several in (*roster.groups.values(), *[(each.target, each.source) for each in roster.rules]):
        yield from [each.key for each in several if each is not None and each.kind is PrincipalKind.USER]


def _with_rights(random: Random, user: User, profiles: list[Key], sets: list[Key], *, stays: bool) -> User:
    deleted = not stays and random.random() < 0.1
    return attrs.evolve(
        user,
        profile=ADMINISTRATOR if user.profile == ADMINISTRATOR else random.choice(profiles),
        sets=tuple(random.sample(sets, k=random.choice((0, 0, 1, 2)))),
        deleted=deleted, active=user.active and not deleted,
    )  # fmt: skip


def _permissions(random: Random) -> Permissions:
    """Permit some verbs, with what they need, in all modules or in one; and hide some fields."""
    found = Permissions() if random.random() < 0.2 else Permissions(default=[Action.VIEW])
    for verb in random.sample(list(Action), k=random.randint(0, 8)):
        within = random.choice((None, *[module_called(name).id for name in MODULES]))
        found = permitting(found, verb, within)
    for name in random.sample(MODULES, k=random.randint(0, 2)):
        module = module_called(name)
        level = random.choice(list(FieldLevel))
        found = with_field(found, (module.id, module.field(random.choice(("city", "size"))).id), level)
    return found


def _with_parents(
    random: Random, defaults: Mapping[ModuleId, Default], modules: Iterable[Module]
) -> Iterable[tuple[ModuleId, Default]]:
    for module in modules:
        default = defaults.get(module.id, Default())
        if LINKS[module.name] and random.random() < 0.7:
            field = module.field(random.choice(LINKS[module.name]))
            default = attrs.evolve(default, parent=field.id, parent_level=random.choice(list(Level)))
        if module.id in defaults or default.parent is not None:
            yield module.id, default


def _on_links(random: Random, rule: Rule) -> Rule:
    """Let some rules on values ask for linked records instead."""
    if rule.where is None or random.random() < 0.5:
        return rule
    name = next(each for each in MODULES if module_called(each).id == rule.module)
    return attrs.evolve(rule, where=random.choice(LINKED[name]).where)


def _edition(random: Random) -> Entitlements:
    """Give an edition that lacks some features, and a module now and then."""
    features = random.sample(list(Feature), k=random.choice((0, 1, 3)))
    modules = [module_called(random.choice(MODULES)).id] if random.random() < 0.4 else []
    return Entitlements(lacks=features, lacks_modules=modules, unlock_after=random.choice((0, 1)))


def _lent(random: Random, roster: Roster) -> Iterable[Lent]:
    """Let some act for others: in all, or in some modules and verbs; some not yet, or no longer."""
    for _ in range(min(4, len(roster.users) // 4)):
        one, other = random.sample([each.key for each in roster.users], k=2)
        chosen = permitting(Permissions(default=[Action.VIEW]), random.choice(list(Action)), None).default
        for _ in range(random.choice((1, 1, 2))):
            yield Lent(
                user=one, delegate=other, deleted=random.random() < 0.15,
                since=random.choice((None, None, START - timedelta(days=1), START, START + timedelta(days=1))),
                until=random.choice((None, None, START + timedelta(days=1), START)),
                modules=tuple(random.sample(MODULES, k=random.choice((0, 0, 1, 2)))),
                actions=random.choice(((), tuple(sorted(chosen)))),
            )  # fmt: skip


# -- records ----------------------------------------------------------------------------------------------------------
def _things(random: Random, module: str, roster: Roster, count: int) -> Iterable[Thing]:
    """Make records whose keys are the same in each module; some owners and parents are not there."""
    owners = random.sample([each.key for each in roster.users], k=min(len(roster.users), random.choice((3, 12, 1000))))
    for at in range(1, count + 1):
        absent = random.random()
        links = {name: Key(random.randint(1, count + 2)) for name in LINKS[module] if random.random() < 0.8}
        yield Thing(
            module=module, key=Key(at), links=links,
            owner=None if absent < 0.05 else Key(999_999) if absent < 0.08 else random.choice(owners),
            city=random.choice(CITIES), size=random.choice((None, *range(6))), deleted=random.random() < 0.1,
        )  # fmt: skip


def _given(random: Random, roster: Roster, things: Mapping[str, tuple[Thing, ...]], *, count: int) -> Iterable[Given]:
    for _ in range(count):
        thing = random.choice(things[random.choice(MODULES)])
        team = random.random() < 0.2
        yield Given(
            module=thing.module, record=thing.key, level=random.choice(GRANTED), team=team,
            target=Principal(PrincipalKind.USER, random.choice(roster.users).key) if team else _target(random, roster),
            until=None if team else random.choice((None, None, *[START + timedelta(days=n) for n in (-1, 0, 1)])),
            related=not team and random.random() < 0.4, superiors=not team and random.random() < 0.4,
        )  # fmt: skip


def _target(random: Random, roster: Roster) -> Principal:
    role, below = random.choice(roster.roles).key, random.random() < 0.4
    return random.choice(
        (
            Principal(PrincipalKind.USER, random.choice(roster.users).key),
            Principal(PrincipalKind.USER, random.choice(roster.users).key),
            Principal(PrincipalKind.ROLE, role, subordinates=below),
            Principal(PrincipalKind.GROUP, random.choice(list(roster.groups))),
            Principal(PrincipalKind.ROLE, Key(77)) if random.random() < 0.2 else EVERYBODY,
        )
    )
