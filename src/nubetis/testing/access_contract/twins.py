"""Two organisations made from one seed, equal but for what one of their users, the *viewer*, may not see.

What may differ are the values of fields that his profile hides, now and in the past; all values of records that he may
not see, whether they lie in the recycle bin, and whether some of them are there at all; and what rules and holds on
hidden fields ask for.  Ids and instants are the same in both: clocks stand still but when both are moved.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.editing import permitting
from nubetis.access.permissions import STANDARD, FieldLevel, Function, Permissions, write_permissions
from nubetis.access.sign_in import HostSignIn
from nubetis.errors import NubetisError
from nubetis.model.convert import to_json
from nubetis.model.fields import Field, Operator, Value
from nubetis.model.filters import Compare, F, Filter
from nubetis.model.kinds import kind
from nubetis.model.money import Money
from nubetis.session.delegating import plan_delegation
from nubetis.session.holding import plan_hold
from nubetis.session.past import operations
from nubetis.session.retaining import plan_rule
from nubetis.session.sharing import plan_default, plan_share_rule, share
from nubetis.session.teams import join
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import OrgWithPeople, make_org
from nubetis.types import RecordId

if TYPE_CHECKING:
    from nubetis.model.schema import Schema
    from nubetis.session import Session

__all__ = ["CANDIDATES", "MODULES", "OTHERS", "TWIN_FIELDS", "Twin", "constants", "make_twin"]

MODULES: Final = ("accounts", "contacts", "deals", "tasks")
"""The modules of which a twin has records."""
OTHERS: Final = ("pia", "tom")
"""Who has what the viewer may not see."""

_MARKS: Final = ("red", "green", "blue", "grey")

TWIN_FIELDS: Final[Mapping[str, tuple[Field, ...]]] = {
    "accounts": (
        Field(name="margin", type=kind("text"), unique=True, searchable=True, indexed=True),
        Field(name="score", type=kind("integer"), indexed=True),
    ),
    "contacts": (
        Field(name="margin", type=kind("text"), searchable=True),
        Field(name="score", type=kind("integer")),
        Field(name="ref", type=kind("link"), targets=("accounts",)),
    ),
    "deals": (
        Field(name="margin", type=kind("text"), indexed=True),
        Field(name="score", type=kind("decimal"), scale=2),
        Field(name="marks", type=kind("multi_choice"), choices=_MARKS),
        Field(name="ref", type=kind("link"), targets=("contacts", "accounts")),
    ),
    "tasks": (Field(name="margin", type=kind("text"), searchable=True),),
}
"""What the modules have besides their own."""

CANDIDATES: Final[Mapping[str, tuple[str, ...]]] = {
    "accounts": ("margin", "score", "phone", "employees", "industry", "annual_revenue", "address"),
    "contacts": ("margin", "score", "ref", "phone", "email", "birth_date", "job_title", "description"),
    "deals": ("margin", "score", "marks", "ref", "amount", "stage", "closed", "probability"),
    "tasks": ("margin", "due", "description"),
}
"""The fields of which some are hidden."""

_TEXTS: Final = ("hush", "Hush", "húsh", "hu", "husher", "x" * 60, "100%", "h_sh", "ñandú", "zz top", "1")
_CONSTANTS: Final[Mapping[str, tuple[Value, ...]]] = {
    "text": _TEXTS,
    "long_text": _TEXTS,
    "integer": (-1, 0, 1, 9, 10, 11, 500, 99_999),
    "decimal": tuple([Decimal(each) for each in ("-0.01", "0", "0.01", "9.99", "10", "99999.5")]),
    "percent": tuple([Decimal(each) for each in (0, 1, 50, 100)]),
    "money": tuple([Money(Decimal(each), "PEN") for each in ("0", "9.5", "10", "99999")]),
    "date": tuple([date(2026, 3, day) for day in (1, 2, 3, 31)]),
    "multi_choice": (("red",), ("green", "red"), ("blue",), ()),
    "phone": ("+51 987 654 321", "+51 987 654 322", "+1 212 555 0100"),
    "email": ("ana@acme.pe", "ANA@acme.pe", "bo@acme.pe", "a_b@acme.pe"),
}
_FUNCTIONS: Final = (
    Function.EXPLAIN_ACCESS, Function.MANAGE_SHARING, Function.MANAGE_RETENTION, Function.MANAGE_SETTINGS,
    Function.MANAGE_USERS, Function.MANAGE_ROLES, Function.MANAGE_PROFILES,
)  # fmt: skip


def constants(field: Field) -> tuple[Value, ...]:
    """Give the values that hidden cells of *field* have in any twin, and calls ask for: alike, and near each other."""
    if field.choices:
        return (
            tuple([each.value for each in field.choices]) if field.type.name == "choice" else _CONSTANTS["multi_choice"]
        )
    return _CONSTANTS.get(field.type.name, ())


@attrs.define(kw_only=True)
class Twin:
    """One of two organisations: *hidden* are the fields hidden from *viewer*, by module.

    *own* are his records, *open* those of others that he may see, *unseen* those that he may not, by module.  *secret*
    is what chooses all that he may not see, *common* what chooses the rest; the first alone differs between twins.  Who
    has an account has its records of the module *child*.
    """

    org: OrgWithPeople
    schema: Schema
    clock: FixedClock
    admin: Session
    viewer: Session
    hidden: Mapping[str, tuple[str, ...]]
    insight: bool
    child: str | None
    common: Random
    secret: Random
    own: dict[str, list[RecordId]] = attrs.field(factory=dict)
    open: dict[str, list[RecordId]] = attrs.field(factory=dict)
    unseen: dict[str, list[RecordId]] = attrs.field(factory=dict)
    foreign: list[RecordId] = attrs.field(factory=list)
    ruled: bool = False
    about: str = MODULES[0]

    def tick(self) -> None:
        """Let a second pass, in which each twin begins with the same keys."""
        self.clock.advance(seconds=1)

    def close(self) -> None:
        """Close the organisation."""
        self.org.close()

    # what others do meanwhile ------------------------------------------------------------------------------
    def move(self) -> None:
        """Let the administrator write something that the viewer may not see, or now and then something else."""
        self.tick()
        deed = self.common.choice((self._hide, self._hide, self._hide, self._unseen, self._unseen, self._plainly))
        with suppress(NubetisError):  # what is gone by now is so in both
            deed(self.common.choice(MODULES[:3]))
        self.tick()

    def _hide(self, module: str) -> None:
        record = self.common.choice([*self.own[module], *self.open[module]])
        hidden = self.secrets(module)
        names = self.common.sample(hidden, k=min(2, len(hidden)))
        self.admin.edit(record, dict(self.other_values(module, names, record)))

    def _plainly(self, module: str) -> None:
        record = self.common.choice([*self.own[module], *self.open[module]])
        plain = [name for name in CANDIDATES[module] if name not in self.hidden[module]]
        values = self.values(module, self.common.sample(plain, k=min(1, len(plain))), self.common)
        self.admin.edit(record, {**values, **dict(self.other_values(module, self.secrets(module)[:1], record))})

    def _unseen(self, module: str) -> None:
        """Change, remove, restore or make a record that is not seen; in each twin something else.

        Who may explain access is told how many records a change of rights gives others: then only values differ.
        """
        at = self.secret.randrange(3)
        record, going = self.unseen[module][at], ("delete", "restore", "make", "nothing") if at == 2 else ()
        match self.secret.choice(("edit", "edit", *(() if self.insight else going))):
            case "edit":
                self.admin.edit(record, self.values(module, CANDIDATES[module], self.secret) | self.head(module))
            case "delete":
                self.admin.delete(record)
            case "restore":
                self.admin.restore(record)
            case "make":
                self.make(module, self.secret.choice(OTHERS), self.secret)
            case _:
                pass

    def secrets(self, module: str) -> tuple[str, ...]:
        """Give the hidden fields whose values say nothing of who has the record."""
        return tuple([name for name in self.hidden[module] if name != "owner"])

    # values ------------------------------------------------------------------------------------------------
    def values(self, module: str, names: Iterable[str], random: Random) -> dict[str, Value]:
        """Give values of fields of *module*, drawn by *random*."""
        return {name: self._value(module, name, random) for name in names}

    def _value(self, module: str, name: str, random: Random) -> Value:
        field = self.schema.module(module).field(name)
        if field.targets:
            known = [each for target in field.targets for each in self.unseen.get(target, ())[:2]]  # which all stay
            return random.choice([None, *known])
        found = random.choice([None, *constants(field)])
        if field.unique and found is not None:
            return f"{found} {random.getrandbits(16)}"
        return found

    def other_values(self, module: str, names: Iterable[str], record: str) -> Iterator[tuple[str, Value]]:
        """Give other values than the record has, so that each twin writes as much."""
        now = self.admin.get(record)
        for name in names:
            field = self.schema.module(module).field(name)
            tried = [self._value(module, name, self.secret) for _ in range(20)]
            told = [each for each in tried if not _same(field, each, now[name])]
            yield name, (told or [None])[0]

    def make(self, module: str, owner: str, secret: Random | None = None) -> RecordId:
        """Make a record of *owner*: all of it drawn from *secret*, or only what is hidden where that is ``None``."""
        random = secret or self.common
        plain = [name for name in CANDIDATES[module] if name not in self.hidden[module]]
        names = CANDIDATES[module] if secret else plain
        values = self.values(module, names, random) | self.head(module, random, seen=secret is None)
        record = self.admin.create(module, values, owner=owner).id
        if not secret:
            for _ in range(2):  # so that it has a past
                self.admin.edit(record, dict(self.other_values(module, self.secrets(module), record)))
        return record

    def head(self, module: str, random: Random | None = None, *, seen: bool = False) -> dict[str, Value]:
        """Give what each record has, by *random*, or else of one that is not *seen*: its title and its links."""
        random = random or self.secret
        title = self.schema.module(module).title
        found: dict[str, Value] = {str(title): random.choice(("Acme", "acme", "Ácme", "Bolt", "Cusco 1"))}
        links = {"contacts": ("account",), "deals": ("account", "contact"), "tasks": ("about",)}
        for name in links.get(module, ()):
            targets = self.schema.module(module).field(name).targets
            known = [each for target in targets for each in self.unseen.get(target, ())[:2]]
            if seen or module != self.child:
                known += [each for target in targets for each in self.own.get(target, ())]
            found[name] = random.choice([None, *known])
        return found


def _same(field: Field, one: Value, other: Value) -> bool:
    given = field.check(one) if one not in (None, ()) else None
    return given == (None if other == () else other) or _pure(given) == _pure(other)


def _pure(value: Value) -> object:
    return (value.amount, value.currency) if isinstance(value, Money) else value


# -- making -----------------------------------------------------------------------------------------------------------
def make_twin(url: str, seed: int, side: int, *, plugins: Iterable[object] = ()) -> Twin:
    """Make the organisation of a *seed* at *url*; those of two *sides* differ in what is hidden.

    In one of five the viewer is somebody who acts for Ana.
    """
    common, clock = Random(f"twins {seed}"), FixedClock()
    org = make_org(url, clock=clock, plugins=plugins)
    for module, fields in TWIN_FIELDS.items():
        for field in fields:
            org.add_field(module, field)
    viewer, *_ = org.people("ana: Rep", "pia: Office", "tom: Desk", "sol: Front")
    if common.random() < 0.2:
        viewer.apply(plan_delegation(viewer, "sol", functions=list(Function)))
        viewer = org.session(HostSignIn("sol", factor=True), on_behalf_of="ana")
    hidden = dict(_some_hidden(common))
    permissions = _permissions(org, common, hidden)
    twin = Twin(
        org=org, schema=org.schema, clock=clock, admin=org.administrator(), viewer=viewer, hidden=hidden, common=common,
        secret=Random(f"twin {seed} {side}"), child=common.choice((None, "contacts", "deals")),
        insight=Function.EXPLAIN_ACCESS in permissions.functions,
    )  # fmt: skip
    twin.unseen |= {module: [] for module in MODULES}
    for module in MODULES:
        twin.unseen[module] = [_ticked(twin, twin.make(module, common.choice(OTHERS), twin.secret)) for _ in range(3)]
    for module in MODULES:
        twin.own[module] = [_ticked(twin, twin.make(module, "ana")) for _ in range(common.randint(2, 4))]
    for module in MODULES:
        twin.open[module] = [_opened(twin, twin.make(module, _owner_in(twin, module))) for _ in range(2)]
    for module in MODULES:  # by now there is something to link to
        for record in twin.unseen[module]:
            twin.admin.edit(record, twin.head(module))
            twin.tick()
    _give_profile(twin, permissions)
    _with_rules(twin)
    twin.foreign += [each.id for each in operations(twin.admin, limit=9)]
    return twin


def _some_hidden(random: Random) -> Iterator[tuple[str, tuple[str, ...]]]:
    for module, names in CANDIDATES.items():
        kept = [name for name in names if random.random() < (0.85 if name in {"margin", "score"} else 0.4)]
        yield module, (*(kept or names[:1]), *(["owner"] if random.random() < 0.2 else []))


def _permissions(org: OrgWithPeople, random: Random, hidden: Mapping[str, tuple[str, ...]]) -> Permissions:
    """Give the viewer most verbs, some functions, and not the hidden fields; some others only to be read."""
    found = attrs.evolve(STANDARD, default=list(Action))
    if random.random() < 0.2:
        kept = random.sample(list(Action), k=8)
        found = Permissions(default=[Action.VIEW])
        for verb in kept:
            found = permitting(found, verb, None)
    fields = {
        (org.schema.module(module).id, org.schema.module(module).field(name).id): FieldLevel.HIDDEN
        for module, names in hidden.items()
        for name in names
    }
    found = attrs.evolve(found, fields=fields, functions=())
    for function in _FUNCTIONS:
        if random.random() < 0.5:
            found = permitting(found, function, None)
    return found


def _give_profile(twin: Twin, permissions: Permissions) -> None:
    text = json.dumps(write_permissions(permissions))
    profile = twin.admin.create("profiles", name="Less", permissions=text)
    twin.admin.edit(str(twin.viewer.user), profile=profile.id)
    twin.tick()


def _owner_in(twin: Twin, module: str) -> str:
    """Give the owner of a record that the viewer sees, in each twin another where he may not read it.

    Who may explain access is told who may do something with a record, so that he is told of owners, too.
    """
    one, other = twin.common.choice(OTHERS), twin.secret.choice(OTHERS)
    return other if "owner" in twin.hidden[module] and not twin.insight else one


def _ticked(twin: Twin, record: RecordId) -> RecordId:
    twin.tick()
    return record


def _opened(twin: Twin, record: RecordId) -> RecordId:
    """Let the viewer see a record of somebody else."""
    level = twin.common.choice(("read", "write", "delete"))
    if twin.common.random() < 0.3:
        join(twin.admin, record, "ana", level=level)
    else:
        share(twin.admin, record, "ana", level=level, related=twin.common.random() < 0.3)
    return _ticked(twin, record)


def _with_rules(twin: Twin) -> None:
    """Make rules and holds that ask for hidden fields, in each twin for something else; and a default or two."""
    admin, module = twin.admin, twin.common.choice(MODULES[:3])
    twin.about = module
    if twin.child is not None:
        admin.apply(plan_default(admin, twin.child, parent_level="delete", parent="account"))
    if twin.common.random() < 0.8:
        admin.apply(
            plan_share_rule(admin, "hush", module, where=_asked(twin, module, twin.secret), target="pia", level="write")
        )
        (rule,) = admin.find("sharing_rules", limit=1)
        admin.edit(rule, where=_as_text(F[str(admin.schema.module(module).title)] == "Acme"))
    if twin.common.random() < 0.5:
        twin.ruled = True
        admin.apply(
            plan_share_rule(
                admin, "still", module, where=_asked(twin, module, twin.secret), target="tom", level="write"
            )
        )
    if twin.common.random() < 0.3:
        admin.apply(plan_hold(admin, module, reason="case", where=_asked(twin, module, twin.secret)))
    if twin.common.random() < 0.3:
        admin.apply(plan_rule(admin, module, name="old", days=1, where=_asked(twin, module, twin.secret)))
        twin.clock.advance(days=2)
    twin.tick()


def _asked(twin: Twin, module: str, random: Random) -> Filter:
    """Give a filter on a hidden field."""
    fields = [twin.schema.module(module).field(name) for name in twin.secrets(module)]
    field = next(each for each in fields if constants(each))
    if field.type.name == "multi_choice":
        return F[field.name].any_of(random.choice(_MARKS))
    return Compare(field.name, Operator.EQ, random.choice(constants(field)))


def _as_text(where: Filter) -> str:
    return json.dumps(to_json(where), ensure_ascii=False)
