"""The world of the access benchmark: an organisation of 10,000 people, who have a million records in their reach.

All of it comes from one seed: a tree of roles, people in it (most of them at its leaves), groups in groups, rules,
shares (a few people get most of them) and records (a few people own most of them, some own none).  People and
sharing are planned and applied as a host would; records and shares are loaded in bulk.

Six people are there on purpose, see :data:`SPECIAL`.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import accumulate
from random import Random
from typing import TYPE_CHECKING, Any, Final

import attrs

import nubetis
from nubetis import F, Field, HostSignIn, Module
from nubetis.access.sharing import Level, Principal, PrincipalKind
from nubetis.model.convert import to_json
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import kind
from nubetis.session.rosters import directory_of
from nubetis.types import Key, Row

if TYPE_CHECKING:
    from nubetis.access.directory import Directory
    from nubetis.model.filters import Filter
    from nubetis.session import Session

NAME: Final = "opportunities"
LOT: Final = 50_000
STAGES: Final = ("open", "offered", "won", "lost", "asleep")
REGIONS: Final = (
    "Lima", "Arequipa", "Cusco", "Piura", "Trujillo", "Chiclayo", "Iquitos", "Huancayo", "Tacna", "Puno", "Ica",
    "Cajamarca", "Ayacucho", "Pucallpa", "Sullana", "Chimbote", "Tumbes", "Moquegua", "Huaraz", "Tarapoto", "Juliaca",
    "Abancay", "Cerro", "Bagua",
)  # fmt: skip
WORDS: Final = (
    "andina", "norte", "sierra", "costa", "minera", "textil", "agro", "puerto", "molino", "nube", "faro", "aceros",
    "vidrios", "papel", "lana", "cacao", "quinua", "pesquera", "cobre", "plata", "seguros", "salud", "clinica",
    "escuela", "hotel", "taxi", "bus", "puente", "obra", "ladrillo", "cemento", "pintura",
)  # fmt: skip
SPECIAL: Final = {
    "ceo": "at the top of the tree, no administrator",
    "nothing": "no role above anybody, no rule, no share, no record",
    "audit": "everything by a rule",
    "criteria": "one rule on values, nothing else",
    "robot": "owns a tenth of all records",
    "leader": "at the top of the subtree that is moved",
}
"""People who are there on purpose, by handle."""


@attrs.frozen(kw_only=True)
class Scale:
    """How much there is of what."""

    roles: int = 1_000
    users: int = 10_000
    groups: int = 200
    rules: int = 60
    shares: int = 200_000
    records: int = 1_000_000
    subtree: int = 200

    @classmethod
    def of(cls, part: float) -> Scale:
        """Give the world of the specification, or a *part* of it; a few rules there are in any, and all on values."""
        least = {"rules": 6}
        whole = {field.name: field.default for field in attrs.fields(cls)}
        return cls(**{name: max(least.get(name, 4), round(each * part)) for name, each in whole.items()})


@attrs.frozen
class Criterion:
    """A rule on values: as a filter, as SQL and as plain Python, so that each side has it in its own words."""

    where: Filter
    sql: str
    holds: Callable[[str, str, int, int, int], bool]
    """Of stage, region, batch, amount and score."""


CRITERIA: Final = (
    Criterion(F.region == "Tacna", "region = 'Tacna'", lambda s, r, b, a, p: r == "Tacna"),
    Criterion(F.amount > 900_000, "amount > 900000", lambda s, r, b, a, p: a > 900_000),
    Criterion(F.batch < 5, "batch < 5", lambda s, r, b, a, p: b < 5),
    Criterion(F.score == 99, "score = 99", lambda s, r, b, a, p: p == 99),
    Criterion(F.stage == "asleep", "stage = 'asleep'", lambda s, r, b, a, p: s == "asleep"),
    Criterion(
        (F.region == "Lima") & (F.stage == "won"), "region = 'Lima' AND stage = 'won'",
        lambda s, r, b, a, p: r == "Lima" and s == "won",
    ),
    Criterion(
        (F.region == "Bagua") & (F.score > 90), "region = 'Bagua' AND score > 90",
        lambda s, r, b, a, p: r == "Bagua" and p > 90,
    ),
    Criterion(
        (F.amount > 500_000) & (F.stage == "open"), "amount > 500000 AND stage = 'open'",
        lambda s, r, b, a, p: a > 500_000 and s == "open",
    ),
    Criterion(
        (F.batch == 7) | (F.batch == 700), "batch IN (7, 700)", lambda s, r, b, a, p: b in {7, 700},
    ),
    Criterion(
        (F.score < 2) & (F.region == "Cusco"), "score < 2 AND region = 'Cusco'",
        lambda s, r, b, a, p: p < 2 and r == "Cusco",
    ),
    Criterion(F.amount < 300, "amount < 300", lambda s, r, b, a, p: a < 300),
    Criterion(F.batch == 500, "batch = 500", lambda s, r, b, a, p: b == 500),
)  # fmt: skip
"""The last one is what *criteria* has."""


def module() -> Module:
    """Give the module of the records."""

    def field(name: str, type_name: str = "text", **more: Any) -> Field:  # noqa: ANN401 - settings of fields
        return Field(name=name, type=kind(type_name), **more)

    return Module(
        name=NAME, prefix="opp", title="name", tallied_by=["owner"],
        fields=[
            field("name", indexed=True, searchable=True), field("company", searchable=True),
            field("stage", "choice", choices=STAGES), field("region", "choice", choices=REGIONS),
            field("batch", "integer", indexed=True), field("amount", "integer", indexed=True),
            field("score", "integer"), field("closed", "date"),
        ],
    )  # fmt: skip


# -- what was built ---------------------------------------------------------------------------------------------------
@attrs.define
class World:
    """An open organisation, and who is who in it."""

    org: nubetis.Org
    module: Module
    directory: Directory
    admin: Session
    handles: dict[str, Key]
    """Keys of :data:`SPECIAL` people."""
    people: list[Key]
    """Keys of all people but the administrator, in key order."""
    sessions: dict[Key, Session] = attrs.field(factory=dict)

    @classmethod
    def of(cls, org: nubetis.Org) -> World:
        """Give the world that is kept in *org*."""
        admin = org.session(HostSignIn("admin", factor=True))
        state = admin.state
        directory = state.read(lambda: directory_of(state.world, state.txn, state.versions.access))
        handles = {
            each["handle"]: Key(int(each.row[0]))
            for each in admin.find("users", F.handle.in_([*SPECIAL, "admin"]), limit=100)
        }
        people = sorted(directory.users.keys() - {handles.pop("admin")})
        found = org.schema.module(NAME)
        return cls(org=org, module=found, directory=directory, admin=admin, handles=handles, people=people)

    def session(self, user: Key) -> Session:
        """Give the open session of a user."""
        if user not in self.sessions:
            self.sessions[user] = self.org.session(HostSignIn(encode("use", user)))
        return self.sessions[user]

    def subtree(self) -> Key:
        """Give the role at the top of the subtree that is moved."""
        return self.directory.users[self.handles["leader"]].role


def say(text: str) -> None:
    """Tell how far it is; figures go to the output, and this beside it."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", file=sys.stderr, flush=True)


def build(org: nubetis.Org, scale: Scale, *, seed: int = 11) -> World:
    """Fill *org*, which is new, with a world."""
    org.add_module(module())
    builder = _Builder(org, scale, Random(seed))
    builder.people()
    builder.sharing()
    builder.records()
    builder.shares()
    org._world.store.compact()  # noqa: SLF001 - as in a store that has lived on: one tally for each owner
    return World.of(org)


def build_people(org: nubetis.Org, scale: Scale, *, seed: int = 11) -> World:
    """Fill *org*, which is new, with the people and the sharing of a world, and with no records."""
    org.add_module(module())
    builder = _Builder(org, scale, Random(seed))
    builder.people()
    builder.sharing()
    return World.of(org)


# -- how it is built --------------------------------------------------------------------------------------------------
@attrs.define
class _Builder:
    org: nubetis.Org
    scale: Scale
    random: Random
    roles: list[tuple[Key, int]] = attrs.field(factory=list)
    """Role and how deep it lies; those of special people are not among them."""
    users: list[Key] = attrs.field(factory=list)
    groups: list[Key] = attrs.field(factory=list)
    special: dict[str, Key] = attrs.field(factory=dict)
    entry: int | None = None
    first: int = 0
    admin: Session = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.admin = self.org.session(HostSignIn("admin", factor=True))

    def create(self, name: str, values: list[dict[str, Any]]) -> list[Key]:
        """Plan records, apply the plan, give their keys."""
        plan = self.admin.plan_create(name, values)
        self.admin.apply(plan)
        return [Key(int(row[0])) for row in plan.parts[0].rows]

    # people ------------------------------------------------------------------------------------------------
    def people(self) -> None:
        """Make the tree of roles and who has them."""
        top = self.admin.find("roles", F.name == "Chief Executive")[0].id
        profile = self.admin.find("profiles", F.administrator == False)[0].id  # noqa: E712 - a filter
        leader = self._tree(decode(top)[1])
        names = ("Newcomer", "Auditor", "Observer")
        apart = self.create("roles", [{"name": name, "reports_to": top} for name in names])
        places = {"ceo": decode(top)[1], "nothing": apart[0], "audit": apart[1], "criteria": apart[2]}
        places |= {"robot": self.roles[-1][0], "leader": leader}
        rest = self.scale.users - len(places) - 1
        handles = [*places, *[f"u{number:05d}" for number in range(rest)]]
        roles = [*places.values(), *self._weighted(rest)]
        keys = self.create("users", [
            {"name": handle.title(), "email": f"{handle}@example.com", "handle": handle, "profile": profile,
             "role": encode("rol", role)}
            for handle, role in zip(handles, roles, strict=True)
        ])  # fmt: skip
        self.special, self.users = dict(zip(places, keys, strict=False)), keys[len(places) :]
        say(f"{len(self.roles) + 5:,} roles, {len(keys) + 1:,} people")

    def _tree(self, top: Key) -> Key:
        """Make roles below *top*, two to six below each, level by level; give one with about a fifth of them."""
        above, depth, left = [top], 1, self.scale.roles - 5
        parents: dict[Key, Key] = {}
        while left > 0:
            places = [each for each in above for _ in range(self.random.randint(2, 6))][:left]
            self.random.shuffle(places)
            keys = self.create("roles", [
                {"name": f"Role {depth}.{number}", "reports_to": encode("rol", each), "peers": peers < 0.1}
                for number, each in enumerate(places) for peers in [self.random.random()]
            ])  # fmt: skip
            parents |= dict(zip(keys, places, strict=True))
            self.roles += [(key, depth) for key in keys]
            above, depth, left = keys, depth + 1, left - len(keys)
        sizes: dict[Key, int] = {}
        for key in reversed(parents):
            sizes[key] = sizes.get(key, 1)
            sizes[parents[key]] = sizes.get(parents[key], 1) + sizes[key]
        return min(parents, key=lambda key: abs(sizes[key] - self.scale.subtree))

    def _weighted(self, count: int) -> list[Key]:
        """Give roles for people: most at the leaves, fewer above, some with nobody."""
        weights = [self.random.random() ** 2 * 4.0**depth for _, depth in self.roles]
        return self.random.choices([key for key, _ in self.roles], weights, k=count)

    # sharing -----------------------------------------------------------------------------------------------
    def sharing(self) -> None:
        """Make groups and rules."""
        flat = round(self.scale.groups * 0.8)
        self.groups = self.create("groups", [self._group(number) for number in range(flat)])
        self.groups += self.create("groups", [self._group(number) for number in range(flat, self.scale.groups)])
        number = int(self.org.schema.module(NAME).id)
        rules = [{"source": self._source(), "target": self._target()} for _ in range(self.scale.rules - 1)]
        rules.append({"source": "everybody", "target": encode("use", self.special["audit"])})
        rules += [{"where": json.dumps(to_json(each.where)), "target": self._target()} for each in CRITERIA[:-1]]
        rules.append(
            {"where": json.dumps(to_json(CRITERIA[-1].where)), "target": encode("use", self.special["criteria"])}
        )
        chance = self.random
        self.create("sharing_rules", [
            {"name": f"rule {at}", "module": number, "level": chance.choice(("read", "read", "write", "delete")),
             "superiors": chance.random() < 0.3 and at not in {self.scale.rules - 1, len(rules) - 1}, **rule}
            for at, rule in enumerate(rules)
        ])  # fmt: skip
        say(f"{len(self.groups)} groups, {len(rules)} rules")

    def _group(self, number: int) -> dict[str, Any]:
        chance = self.random
        members = [encode("use", key) for key in chance.sample(self.users, min(len(self.users), chance.randint(3, 30)))]
        members += [self._role(deepest=chance.random() < 0.5) for _ in range(chance.randint(0, 2))]
        members += [encode("gro", chance.choice(self.groups))] if self.groups else []
        return {"name": f"Group {number}", "members": list(dict.fromkeys(members))}

    def _role(self, *, deepest: bool = False) -> str:
        """Give a role as a principal, half of them with those below; never one at the top."""
        least = max(2, max(depth for _, depth in self.roles) - 1) if deepest else 2
        deep = [key for key, depth in self.roles if depth >= least] or [self.roles[-1][0]]
        found = Principal(PrincipalKind.ROLE, self.random.choice(deep), self.random.random() < 0.5)
        return found.text

    def _source(self) -> str:
        return encode("gro", self.random.choice(self.groups)) if self.random.random() < 0.3 else self._role()

    def _target(self) -> str:
        match self.random.choices(("group", "role", "user"), (5, 4, 1))[0]:
            case "group":
                return encode("gro", self.random.choice(self.groups))
            case "role":
                return self._role()
            case _:
                return encode("use", self.random.choice(self.users))

    # records -----------------------------------------------------------------------------------------------
    def records(self) -> None:
        """Load the records: a tenth is the robot's, the rest is spread as it is among people, a hundredth is binned."""
        found = self.org.schema.module(NAME)
        values = {"stage": "open", "region": "Lima", "batch": 1, "amount": 1000, "score": 1}
        self.admin.create(NAME, name="the first", owner=encode("use", self.special["robot"]), **values)
        first = self.admin.find(NAME)[0].row
        self.entry = int(first[2] or 0)
        chance = self.random
        weights = [chance.lognormvariate(0, 1.3) if chance.random() > 0.1 else 0.0 for _ in self.users]
        weights.append(sum(weights) / 9)
        owners, summed = [*self.users, self.special["robot"]], list(accumulate(weights))
        keys = self.org._world.keys  # noqa: SLF001 - as the session does
        self.first = int(keys.one())
        for start in range(0, self.scale.records - 1, LOT):
            count = min(LOT, self.scale.records - 1 - start)
            drawn = chance.choices(owners, cum_weights=summed, k=count)
            rows = [self._record(key, owner) for key, owner in zip(keys.many(count), drawn, strict=True)]
            self._load(found, rows)
            say(f"{start + count + 1:,} of {self.scale.records:,} records")

    def _load(self, found: Module, rows: list[Row]) -> None:
        self.org._world.store.write(lambda txn: txn.bulk_load(found, rows))  # noqa: SLF001 - no plan for a million

    def _head(self, key: int, owner: int) -> Row:
        gone = self.entry if self.random.random() < 0.01 else None
        at = f"2026-{key % 12 + 1:02d}-{key % 28 + 1:02d}T09:30:00.{key % 1_000_000:06d}Z"
        return (key, 1, self.entry, gone, at, owner, at, owner, owner, None)

    def _record(self, key: int, owner: int) -> Row:
        chance = self.random
        words = chance.choices(WORDS, k=3)
        region = REGIONS[min(int(chance.expovariate(0.25)), len(REGIONS) - 1)]
        return (
            *self._head(key, owner), f"{words[0]} {words[1]} {key % 9973}", words[2],
            chance.choices(STAGES, (40, 20, 20, 19.5, 0.5))[0], region, chance.randrange(1000),
            min(int(chance.lognormvariate(9, 2)), 10**7), chance.randrange(100),
            f"2026-{chance.randrange(1, 13):02d}-{chance.randrange(1, 29):02d}",
        )  # fmt: skip

    # shares ------------------------------------------------------------------------------------------------
    def shares(self) -> None:
        """Load the shares: few people get most of them; some are over, some go to superiors."""
        shares, number = self.org.schema.module("shares"), int(self.org.schema.module(NAME).id)
        targets = [encode("use", key) for key in self.users]
        weights = [1 / (place + 3) for place in range(len(targets))]
        others = [*[encode("gro", key) for key in self.groups], *[self._role(deepest=True) for _ in range(100)]]
        summed, keys, chance = list(accumulate(weights)), self.org._world.keys, self.random  # noqa: SLF001
        owner = self.special["robot"]
        ends = (*(None,) * 8, "2026-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z")
        records = list(self._keys())
        for start in range(0, self.scale.shares, LOT):
            count = min(LOT, self.scale.shares - start)
            drawn = chance.choices(targets, cum_weights=summed, k=count)
            rows: list[Row] = [
                (
                    *self._head(key, owner)[:3], None, *self._head(key, owner)[4:], number, chance.choice(records),
                    target if chance.random() < 0.8 else chance.choice(others),
                    chance.choices(("read", "write", "delete"), (70, 25, 5))[0], chance.choice(ends), 0,
                    int(chance.random() < 0.2), "share", None,
                )
                for key, target in zip(keys.many(count), drawn, strict=True)
            ]  # fmt: skip
            self._load(shares, rows)
            say(f"{start + count:,} of {self.scale.shares:,} shares")

    def _keys(self) -> Iterator[int]:
        """Give the keys of all records."""
        found = self.org.schema.module(NAME)
        yield from self.org._world.store.read(  # noqa: SLF001
            lambda txn: [int(key) for batch in txn.stream(found, columns=("id",), size=10_000) for key in batch[0]]
        )


# -- who looks --------------------------------------------------------------------------------------------------------
@attrs.frozen
class Viewer:
    """One whose pages are measured; *kind* says why."""

    kind: str
    key: Key


def viewers(world: World, count: int, shared: Iterable[tuple[Key, int]], *, seed: int = 5) -> list[Viewer]:
    """Give those who are extreme, and *count* others; *shared* is how many shares go to whom."""
    known = [Viewer(handle, key) for handle, key in world.handles.items()]
    taken = set(world.handles.values())
    others = [key for key in world.people if key not in taken]
    reaches = {key: world.directory.reach(key, world.module.id).owners[Level.READ] for key in others}
    most = max(shared, key=lambda pair: pair[1])[0]
    known.append(Viewer("most shares", most))
    known.append(Viewer("most owners", max(others, key=lambda key: len(reaches[key]))))
    known.append(Viewer("most intervals", max(others, key=lambda key: len(reaches[key].bounds))))
    chance = Random(seed)
    return known + [Viewer("random", key) for key in chance.sample(others, min(count, len(others)))]
