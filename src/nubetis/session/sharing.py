"""Sharing: what everybody has in a module, rules, and shares of single records; each a record, planned and undone.

Principals are named as people do: ``"everybody"``, a user by e-mail, handle or id, ``"role Manager"``, ``"role
Manager+"`` with those below it, ``"group Norte"``; the ids of roles and groups will do, too.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.access.sharing import EVERYBODY, Default, Level, Principal, PrincipalKind
from nubetis.errors import AccessDenied, InvalidValue, NotFound, names_of, require, require_bool
from nubetis.model.bind import All, Test
from nubetis.model.convert import to_json
from nubetis.model.fields import Operator
from nubetis.model.filters import F, Filter
from nubetis.model.fold import fold_text
from nubetis.model.ids import decode
from nubetis.model.nearest import suggest
from nubetis.model.plan import Operation, Plan
from nubetis.model.query import BoundQuery
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module, key_of
from nubetis.session.naming import KINDS
from nubetis.session.world import LIVE

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.session.door import Session
    from nubetis.session.state import State
    from nubetis.types import Key, RecordId

__all__ = [
    "AS_IT_IS",
    "AsItIs",
    "Share",
    "plan_default",
    "plan_group",
    "plan_share_rule",
    "principal",
    "share",
    "shares",
    "unshare",
]

SHARED: Final = "share"
"""The kind of a share that is no membership in a team."""


class AsItIs(enum.Enum):
    """Stands for what is not named, where ``None`` says something."""

    AS_IT_IS = "as it is"


AS_IT_IS: Final = AsItIs.AS_IT_IS


@attrs.frozen(kw_only=True)
class Share:
    """One share of a record, as it is kept."""

    id: RecordId
    target: str
    level: str
    until: datetime | None
    related: bool
    superiors: bool


def principal(session: Session, name: str) -> Principal:
    """Give the principal that *name* names, see above.

    Raises:
        NotFound: ``unknown_user``; ``unknown_principal``.
    """
    return session.state.read(lambda: _principal(session.state, name))


def _principal(state: State, given: str) -> Principal:
    require(given, str, argument="principal", expected="the name of a user, role or group, or everybody")
    name = given.strip()
    kind, _, rest = name.partition(" ")
    if name == EVERYBODY.text:
        return EVERYBODY
    if kind in _NAMED and rest:
        return _named(state, kind, rest.strip())
    if name.removesuffix("+").partition("_")[0] in {PrincipalKind.ROLE, PrincipalKind.GROUP}:
        found = Principal.parse(name)
        _require_there(state, found, name)
        return found
    return Principal(PrincipalKind.USER, decode(state.known.find_user(state.txn, name))[1])


_NAMED = {"role": ("roles", PrincipalKind.ROLE), "group": ("groups", PrincipalKind.GROUP)}


def _named(state: State, kind: str, name: str) -> Principal:
    module, of_kind = _NAMED[kind]
    below = of_kind is PrincipalKind.ROLE and name.endswith("+")
    where = Test("name__f", Operator.EQ, fold_text(name.removesuffix("+").strip()))
    found = state.known.schema.module(module)
    rows = state.txn.query(BoundQuery(module=found, where=All((where, LIVE)), limit=1))
    if not rows:
        there = state.txn.query(BoundQuery(module=found, where=LIVE))
        hint = suggest(name[:60], [str(Record(found, row)["name"]) for row in there])
        raise NotFound("unknown_principal", kind=kind, name=name[:60], hint=hint)
    return Principal(of_kind, key_of(rows[0]), below)


def _require_there(state: State, given: Principal, name: str) -> None:
    module = state.known.schema.by_prefix[given.kind.value]
    row = state.txn.get_many(module, [given.key])[0]
    if row is None or row[DELETED_IN] is not None:
        raise NotFound("unknown_principal", kind=KINDS[module.name], name=name[:60], hint="")


# -- what holds for a module ------------------------------------------------------------------------------------------
def plan_default(
    session: Session,
    module: str,
    *,
    level: str | None = None,
    upward: str | None = None,
    parent: str | AsItIs | None = AS_IT_IS,
    parent_level: str | None = None,
) -> Plan:
    """Plan what everybody has in *module*: ``none``, ``read``, ``write`` or ``delete``.

    *upward* is what those above an owner have in the tree of roles: ``delete``, ``read`` or ``none``.  *parent* names
    a link of the module: whoever may view the linked record has *parent_level*; ``None`` takes both away.  What is not
    named stays as it is.

    Raises:
        AccessDenied: the user may not manage sharing.
    """
    levels = {"level": level, "upward": upward, "parent_level": parent_level}
    if parent is not None and not isinstance(parent, AsItIs):
        require(parent, str, argument="parent", expected="the name of a link, or None")
    named = {argument: given for argument, given in levels.items() if given is not None}
    for argument, given in named.items():
        Level.parse(given, argument=argument)

    def work() -> Plan:
        found = _of_people(session, module)
        values: dict[str, Value] = {**named}
        if parent is None:
            values = {"parent": None, "parent_level": Level.NONE.text, **named}
        elif not isinstance(parent, AsItIs):
            values["parent"] = int(found.field(parent).id)
        return _set(session, found, values)

    return session.state.read(work)


def _set(session: Session, of: Module, values: dict[str, Value]) -> Plan:
    """Plan the only record of what everybody has in the module *of*."""
    state = session.state
    kept = state.known.schema.module("sharing_defaults")
    state.planner().require(Action.EDIT, kept)
    where = All((Test("module", Operator.EQ, int(of.id)), LIVE))
    rows = state.txn.query(BoundQuery(module=kept, where=where, limit=1))
    if rows:
        return session.plan_edits(kept.name, {Record(kept, rows[0]).id: values})
    return session.plan_create(kept.name, [{"module": int(of.id), **_USUAL, **values}])


_USUAL: Final = {
    "level": Default().level.text, "upward": Default().upward.text, "parent_level": Default().parent_level.text
}  # fmt: skip


def plan_share_rule(
    session: Session,
    name: str,
    module: str,
    *,
    target: str,
    level: str = "read",
    source: str | None = None,
    where: Filter | None = None,
    superiors: bool = False,
) -> Plan:
    """Plan a sharing rule: the records that *source* owns, or that fit *where*, are shared with *target*.

    With *superiors* also with those above *target* in the tree of roles.

    Raises:
        AccessDenied: the user may not manage sharing.
        NotFound: ``unknown_principal``, ``unknown_user``, ``unknown_module``.
    """
    Level.parse(level)
    require_bool(superiors, argument="superiors")
    if where is not None:
        require(where, Filter, argument="where", expected="a filter, such as F.stage == 'won'")

    def work() -> Plan:
        values: dict[str, Value] = {
            "name": name, "module": int(_of_people(session, module).id), "level": level, "superiors": superiors,
            "source": None if source is None else _principal(session.state, source).text,
            "where": None if where is None else json.dumps(to_json(where), ensure_ascii=False),
            "target": _principal(session.state, target).text,
        }  # fmt: skip
        return session.plan_create("sharing_rules", [values])

    return session.state.read(work)


def plan_group(session: Session, name: str, members: Iterable[str]) -> Plan:
    """Plan a group of users, roles and other groups."""
    given = names_of(members, argument="members")
    return session.state.read(
        lambda: session.plan_create(
            "groups", [{"name": name, "members": [_principal(session.state, each).text for each in given]}]
        )
    )


def _of_people(session: Session, module: str) -> Module:
    found = session.state.known.schema.module(module)
    if found.system:
        raise InvalidValue("bad_argument", argument="module", reason=f"{module} is nubetis's own, and not shared")
    return found


# -- one record -------------------------------------------------------------------------------------------------------
def share(
    session: Session,
    record: str | Record,
    target: str,
    *,
    level: str = "read",
    until: datetime | None = None,
    related: bool = False,
    superiors: bool = False,
) -> Operation:
    """Share one record with *target*, until an instant or for good.

    With *related* also the records of which it is the parent; with *superiors* also with those above *target*.  Sharing
    again with the same target takes the place of the earlier share.  Those who work on a record are its team
    (:mod:`nubetis.session.teams`).

    Raises:
        NotFound: there is no such record, or the user may not see it.
        AccessDenied: the user may not share it.
        InvalidValue: ``bad_argument``; *until* is over already, or the target owns the record.
    """
    require_given(level)
    for argument, given in (("related", related), ("superiors", superiors)):
        require_bool(given, argument=argument)

    _require_ahead(session, until)

    def work() -> Operation:
        found = _principal(session.state, target)
        if found.kind is PrincipalKind.USER and session.get(record).get("owner") == found.text:
            reason = "the owner has all of the record already"
            raise InvalidValue("bad_argument", argument="target", reason=reason)
        values: dict[str, Value] = {"level": level, "until": until, "related": related, "superiors": superiors}
        return put(session, record, found.text, values)

    return session.unit(lambda _: work())


def require_given(level: str) -> None:
    """Stop at a *level* that gives nothing.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    if Level.parse(level) is Level.NONE:
        raise InvalidValue("bad_argument", argument="level", reason="give read, write or delete, or take it away")


def _require_ahead(session: Session, until: datetime | None) -> None:
    """Stop at an instant that is over: what ends then gives nothing.

    Raises:
        InvalidValue: ``bad_argument``.
    """
    if isinstance(until, datetime) and until.tzinfo is not None and until <= session.now():
        raise InvalidValue("bad_argument", argument="until", reason="it is over already; name a later instant")


def put(
    session: Session, record: str | Record, target: str, values: Mapping[str, Value], *, kind: str = SHARED
) -> Operation:
    """Write the only share of one *kind* of a record with *target*; of several that were made at once, all."""
    module, key = shareable(session, record)
    old = [each for each in kept(session, module, key, kind=kind) if each["target"] == target]
    if old:
        return session.apply(session.plan_edits("shares", {each.id: values for each in old}))
    made = {**values, "kind": kind, "module": int(module.id), "record": int(key), "target": target}
    return session.apply(session.plan_create("shares", [made]))


def unshare(session: Session, record: str | Record, target: str) -> Operation:
    """Take the share of one record with *target* away.

    Raises:
        NotFound: there is no such record or share, or the user may not see it.
        AccessDenied: the user may not share the record.
    """

    def work() -> Operation:
        done = take(session, shareable(session, record), _principal(session.state, target).text)
        if done is None:
            raise NotFound("not_shared", target=target[:60])
        return done

    return session.unit(lambda _: work())


def take(session: Session, place: tuple[Module, Key], target: str, *, kind: str = SHARED) -> Operation | None:
    """Take all shares of one *kind* of a record with *target* away: two may have been made at once."""
    where = _of(*place, kind) & (F.target == target)
    plan = session.plan_delete("shares", where)
    return session.apply(plan) if len(plan) else None


def shares(session: Session, record: str | Record) -> list[Share]:
    """Give with whom one record is shared, the oldest first.

    Raises:
        NotFound: there is no such record, or the user may not see it.
        AccessDenied: the user may not share it.
    """

    def work() -> list[Share]:
        return [_share(each) for each in kept(session, *shareable(session, record))]

    return session.state.read(work)


def shareable(session: Session, record: str | Record) -> tuple[Module, Key]:
    """Give module and key of a record that the user may share."""
    found = session.get(record)
    if not session.can(Action.SHARE, found):
        session.state.planner().require(Action.SHARE, session.state.known.schema.module(found.module))
        raise AccessDenied("denied_of", user="This user", action="share", id=found.id)
    return session.state.known.module_of(found.id)


def kept(session: Session, module: Module, key: Key, *, kind: str = SHARED) -> list[Record]:
    """Give the shares of one *kind* of a record, the oldest first."""
    return list(session.find("shares", _of(module, key, kind), limit=1000, sort="id"))


def _of(module: Module, key: Key, kind: str) -> Filter:
    return (F.module == int(module.id)) & (F.record == int(key)) & (F.kind == kind)


def _share(record: Record) -> Share:
    return Share(id=record.id, **{each.name: record[each.name] for each in attrs.fields(Share) if each.name != "id"})
