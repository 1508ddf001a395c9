"""Acting for another: a user lets a second one work in his name, for a time, in all or in some of what he may do.

Whoever acts for another opens a session with ``org.session(sign_in, on_behalf_of="luis")``.  It has the rights of that
other, as far as they were lent and never an administrator's; the journal has both names.  A delegation is a record of
``delegations``: planned, journalled, undone.  It is looked at by each unit, and over at the next call when it ends.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from nubetis.access.decision import Action
from nubetis.access.delegation import Limits, lent
from nubetis.access.permissions import CATALOGUE, Function
from nubetis.access.policy import RolePolicy
from nubetis.access.sharing import lasting
from nubetis.errors import AccessDenied, InvalidValue, NotFound, Refused, names_of, one_of
from nubetis.model.bind import All, AnyOf, Missing, Test
from nubetis.model.fields import Operator
from nubetis.model.filters import F
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import instant, instant_text
from nubetis.model.record import Record
from nubetis.session.world import LIVE
from nubetis.types import Key, ModuleId, ModuleName, RecordId

if TYPE_CHECKING:
    from nubetis.model.fields import Value
    from nubetis.model.plan import Operation, Plan
    from nubetis.session.door import Session
    from nubetis.session.state import State

__all__ = ["Delegation", "delegations", "lenders", "limits_of", "plan_delegation", "revoke"]


@attrs.frozen(kw_only=True)
class Delegation:
    """One delegation, as it is kept: *user* lets *delegate* act for him; of no names all are meant but functions."""

    id: RecordId
    user: RecordId
    delegate: RecordId
    since: datetime | None
    until: datetime | None
    modules: tuple[ModuleName, ...]
    actions: tuple[str, ...]
    functions: tuple[str, ...]


def plan_delegation(
    session: Session,
    delegate: str,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    modules: str | Sequence[str] = (),
    actions: str | Sequence[str] = (),
    functions: str | Sequence[str] = (),
) -> Plan:
    """Plan that *delegate* may act for the user of the session, from *since* until *until*, or from now on for good.

    Without *modules* and *actions* all that he may himself; *functions* are lent only where they are named.

    Raises:
        NotFound: ``unknown_user``, ``unknown_module``.
        InvalidValue: ``bad_argument``, ``bad_datetime``.
        Refused: ``bad_delegation``; to oneself, to one who is not active, or of what lacks something that it needs.
    """
    verbs = [one_of(Action, each, argument="actions") for each in names_of(actions, argument="actions", expected=_LIST)]
    given = names_of(functions, argument="functions", expected=_LIST)
    duties = [one_of(Function, each, argument="functions") for each in given]
    names = names_of(modules, argument="modules", expected=_LIST)
    _check_needs({*verbs, *duties}, verbs)
    since, until = (None if at is None else instant(at, name=name) for name, at in (("since", since), ("until", until)))
    if until is not None and until <= (since or session.now()):
        raise InvalidValue("bad_argument", argument="until", reason="it lies before the delegation begins")

    def work() -> Plan:
        state = session.state
        values: dict[str, Value] = {
            "user": session.user, "delegate": _delegate(state, delegate), "since": since, "until": until,
            "modules": [str(int(_of_people(state, each))) for each in names],
            "actions": [each.value for each in verbs], "functions": [each.value for each in duties],
        }  # fmt: skip
        return session.plan_create("delegations", [values])

    return session.state.read(work)


_LIST = "names"


def _check_needs(given: set[Action | Function], verbs: Sequence[Action]) -> None:
    """Refuse what lacks something that it needs, where it is not all verbs that are lent."""
    for each in sorted(given):
        for need in sorted(CATALOGUE[each].needs - given):
            if isinstance(need, Function) or verbs:
                raise Refused("bad_delegation", reason=f"{each.value} needs {need.value} with it")


def _delegate(state: State, name: str) -> RecordId:
    found = state.known.find_user(state.txn, name)
    if found == state.user_id:
        raise Refused("bad_delegation", reason="one acts for oneself already")
    if not _active(state, decode(found)[1]):
        raise Refused("bad_delegation", reason=f"{name[:60]} is not active")
    return found


def _active(state: State, user: Key) -> bool:
    users = state.known.schema.module("users")
    row = state.txn.get_many(users, [user])[0]
    return row is not None and row[users.layout.index["deleted_in"]] is None and Record(users, row)["state"] == "active"


def _of_people(state: State, module: str) -> ModuleId:
    found = state.known.schema.module(module)
    if found.system:
        raise InvalidValue("bad_argument", argument="modules", reason=f"{module} is nubetis's own; name functions")
    return found.id


def delegations(session: Session) -> list[Delegation]:
    """Give the delegations that the user has given and been given, ended ones too; an administrator, everybody's."""

    def work() -> list[Delegation]:
        schema = session.state.known.schema
        found = session.find("delegations", sort="id", limit=1000)
        return [_told(each, {str(int(module.id)): module.name for module in schema.modules}) for each in found]

    return session.state.read(work)


def _told(record: Record, names: dict[str, ModuleName]) -> Delegation:
    modules, actions, functions = (tuple(map(str, record[name] or ())) for name in ("modules", "actions", "functions"))
    return Delegation(
        id=record.id, modules=tuple([names[each] for each in modules if each in names]), actions=actions,
        functions=functions, **{name: record[name] for name in ("user", "delegate", "since", "until")},
    )  # fmt: skip


def revoke(session: Session, delegate: str) -> Operation:
    """Take back all that the user has let *delegate* do for him; whoever acts so is stopped at his next call.

    Raises:
        NotFound: ``not_lent``; there is nothing to take back. ``unknown_user``.
    """

    def work() -> Operation:
        found = session.state.known.find_user(session.state.txn, delegate)
        plan = session.plan_delete("delegations", (F.user == session.user) & (F.delegate == found))
        if not len(plan):
            raise NotFound("not_lent", user=delegate[:60])
        return session.apply(plan)

    return session.unit(lambda _: work())


# -- what holds now ---------------------------------------------------------------------------------------------------
def limits_of(state: State, user: Key, delegate: Key) -> tuple[Limits, ...]:
    """Give what *user* lets *delegate* do for him now.

    Raises:
        AccessDenied: ``no_delegation``; nothing, or one of the two is not active.
    """
    module = state.known.schema.module("delegations")
    now = instant_text(state.world.now())
    since = AnyOf((Missing("since"), Test("since", Operator.LE, now)))
    two = Test("user", Operator.EQ, int(user)), Test("delegate", Operator.EQ, int(delegate))
    batches = state.txn.stream(module, All((LIVE, *two, since, lasting(now))))
    rows = [row for batch in batches for row in zip(*batch, strict=True)]
    if not rows or not _active(state, user) or not _active(state, delegate):
        raise AccessDenied("no_delegation", user=encode("use", user))
    return tuple([_limits(Record(module, row)) for row in rows])


def lenders(state: State) -> Iterator[State]:
    """Give what the user would see who acts now for each of those who let him, to look at only."""
    module = state.known.schema.module("delegations")
    mine = Test("delegate", Operator.EQ, int(state.user or 0))
    cells = state.txn.stream(module, All((LIVE, mine)), columns=("user",))
    for user in sorted({Key(int(each)) for (column,) in cells for each in column if each is not None}):
        try:
            limits = limits_of(state, user, state.user or Key(0))
        except AccessDenied:  # not now
            continue
        other = state.of_user(user)
        if isinstance(other.policy, RolePolicy):
            other.policy = lent(other.policy, limits)
            yield other


def _limits(record: Record) -> Limits:
    """Read what is lent; what is no name of anything lends nothing."""
    modules, actions, functions = (set(map(str, record[name] or ())) for name in ("modules", "actions", "functions"))
    return Limits(
        modules=[ModuleId(int(each)) for each in modules if each.isdecimal()] or _nothing(modules),
        actions=frozenset([each for each in Action if each.value in actions]) if actions else None,
        functions=[each for each in Function if each.value in functions],
    )


def _nothing(named: Iterable[str]) -> Iterable[ModuleId]:
    return [ModuleId(0)] if list(named) else []
