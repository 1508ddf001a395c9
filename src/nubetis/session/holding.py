"""Legal holds: what may be neither erased nor purged, whoever asks, until the hold is lifted.

A hold is a record of the system module ``holds``: planned, journalled, undone like any other; who manages retention
writes it.  It names a module and what of it: the records that fit a filter, those with certain ids, or all of them.
Holds that ask for fields which he may not read are out of his sight, and he makes none.

What is held
------------
A record is held by a filter if it fits now, or did at any moment since the hold's ``since``: to edit it does not get
it out.  Where that cannot be told, the hold stands: a filter that can no longer be asked (a field of it is gone)
holds its whole module, and so does a filter where of a record only the past is left or a value that it looks at was
erased since.  What linked records were then is not asked: such a filter is refused.  A hold in force holds itself.
A hold is over from its ``until`` on, or when it lies in the recycle bin.

::

    from nubetis.session.holding import plan_hold, plan_lift

    s.apply(plan_hold(s, "contacts", where=F.account == acme, reason="Case 12/2026"))
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast

import attrs

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue, NotFound, NubetisError, Refused, require, require_bool
from nubetis.model.bind import ALWAYS, All, Bound, Test, Viewpoint, bind
from nubetis.model.convert import to_json
from nubetis.model.evaluate import Predicate, matcher
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING, Compare, Filter, conditions_of
from nubetis.model.ids import decode, encode
from nubetis.model.journal import JournalChange, row_before
from nubetis.model.kinds import instant, instant_text
from nubetis.model.plan import Cause, Plan
from nubetis.model.record import Record
from nubetis.model.schema import CREATED_IN, DELETED_IN, VERSION, Module, SchemaStep, StepKind, key_of
from nubetis.model.system import HOLDS
from nubetis.session.asking import kept_filter, refuse_linked
from nubetis.session.past import last_entry
from nubetis.session.undoing import later_changes
from nubetis.session.world import LIVE, TxnRelated
from nubetis.types import Json, Key, ModuleName, RecordId, Row

if TYPE_CHECKING:
    from nubetis.session.door import Session
    from nubetis.session.planning import Planner

__all__ = ["Hold", "Holding", "free_view", "held_by", "holds", "plan_hold", "plan_lift", "refuse_drops"]


@attrs.frozen(kw_only=True)
class Hold:
    """A legal hold, as a value: *reason*, *placed_by* whom, on what, *since* and *until* when.

    It is on the records of *module* that fit *where*, or are among *records*; where neither is given, on all.
    *until* is ``None`` while nobody has said when it ends.
    """

    id: RecordId
    reason: str
    module: ModuleName
    where: Filter | None = None
    records: tuple[RecordId, ...] = ()
    since: datetime
    until: datetime | None = None
    placed_by: RecordId | None = None

    def in_force(self, now: datetime) -> bool:
        """Say whether it stands at *now*."""
        return self.since <= now and (self.until is None or now < self.until)


# -- placing and lifting ----------------------------------------------------------------------------------------------
def plan_hold(
    session: Session, module: str, *, reason: str, where: Filter | None = None,
    records: Iterable[str | Record] | None = None,
    since: datetime | None = None, until: datetime | None = None,
) -> Plan:  # fmt: skip
    """Plan a hold on the records of *module* that fit *where*, or on *records*; on all where neither is given.

    A filter that speaks of today moves with it: name dates.  *since* is now unless told otherwise; an earlier instant
    also holds what fitted then.  Give the plan to :meth:`Session.apply <nubetis.session.door.Session.apply>`.

    Raises:
        AccessDenied: the user may not manage retention.
        NotFound: the module, a field of *where*, or one of *records*, or he may not see it.
        InvalidFilter: *where* does not fit the module, depends on who asks, or asks linked records.
        InvalidValue: ``bad_argument``; the module is a ledger, *records* are none, or the hold would be over before
            it begins.
    """

    def work() -> Plan:
        planner, found = session.state.planner(), session.schema.module(module)
        planner.require(Action.CREATE, session.schema.module("holds"))
        now = planner.view.now
        _check_scope(found, since or now, until)
        values: dict[str, object] = {"reason": reason, "module": int(found.id), "since": since or now, "until": until}
        if where is not None:
            bind(where, found, session.schema, free_view(planner.view))
            refuse_linked(where)
            values["where"] = json.dumps(to_json(where), ensure_ascii=False)
        if records is not None:
            values["records"] = json.dumps(_known_records(planner, found, records))
        return session.plan_create("holds", [values], cause=Cause(detail={"hold": str(found.name)}))

    return session.state.read(work)


def _check_scope(module: Module, since: datetime, until: datetime | None) -> None:
    if not module.journalled:
        raise InvalidValue("bad_argument", argument="module", reason="nothing of a ledger is erased or purged")
    since = instant(since, name="since")
    until = until and instant(until, name="until")
    if until is not None and until <= since:
        raise InvalidValue("bad_argument", argument="until", reason="the hold would be over before it begins")


def _known_records(planner: Planner, module: Module, records: Iterable[str | Record]) -> list[str]:
    """Give the ids of *records*, which are there, in the bin, or purged with something of them left."""
    given = [records] if isinstance(records, str | Record) else records
    require(given, Iterable, argument="records", expected="records or their ids")
    names = list(dict.fromkeys(each.id if isinstance(each, Record) else RecordId(each) for each in given))
    keys = [key for prefix, key in map(decode, names) if prefix == module.prefix]
    rows = [row for row in planner.rows_of(module, keys) if row is not None]
    there = {key_of(row) for row in filter(planner.allowed(module, Action.VIEW), rows)}
    if planner.policy.grant(Action.VIEW, module) == EVERYTHING:
        there |= {change.record for change in later_changes(planner.txn, module, set(keys) - there, after=Key(0))}
    for name in names:
        prefix, key = decode(name)
        if prefix != module.prefix or key not in there:
            raise NotFound("not_found", id=name, module=module.name)
    if not names:
        raise InvalidValue("bad_argument", argument="records", reason="none are given: leave it out to hold all")
    return [str(name) for name in names]


def plan_lift(session: Session, hold: str | Hold) -> Plan:
    """Plan the end of a hold: it is over from now on.  Undo puts it back in force.

    Raises:
        AccessDenied: the user is not an administrator.
        NotFound: there is no such hold.
        InvalidValue: ``bad_argument``; it is over already.
    """

    def work() -> Plan:
        planner, now = session.state.planner(), session.now()
        planner.require(Action.EDIT, session.schema.module("holds"))
        name = hold.id if isinstance(hold, Hold) else RecordId(hold)
        found = _hold_of(planner, _hold_row(planner, name))
        if found.until is not None and found.until <= now:
            raise InvalidValue("bad_argument", argument="hold", reason="it is over already")
        return session.plan_edits("holds", {name: {"until": max(now, found.since)}}, cause=Cause(detail={"lift": name}))

    return session.state.read(work)


def _hold_row(planner: Planner, name: str) -> Row:
    module, (prefix, key) = planner.known.schema.module("holds"), decode(name)
    row = planner.txn.get_many(module, [key])[0] if prefix == module.prefix else None
    if row is None or row[DELETED_IN] is not None:
        raise NotFound("not_found", id=name, module=module.name)
    return row


# -- what there is ----------------------------------------------------------------------------------------------------
def holds(session: Session, *, over: bool = False) -> list[Hold]:
    """Give the holds in force, oldest first; with *over*, those that have ended, too.

    Raises:
        AccessDenied: the user is not an administrator.
    """
    require_bool(over, argument="over")

    def work() -> list[Hold]:
        planner, module = session.state.planner(), session.schema.module("holds")
        planner.require(Action.EDIT, module)
        found = [
            _hold_of(planner, row) for row in filter(planner.allowed(module, Action.VIEW), planner.rows(module, LIVE))
        ]
        return [each for each in found if over or each.in_force(planner.view.now)]

    return session.state.read(work)


def held_by(session: Session, record: str | Record) -> RecordId | None:
    """Give the id of a hold that stands against erasing and purging *record*, which may lie in the recycle bin.

    Raises:
        NotFound: there is no such record, or the user may not see it.
    """

    def work() -> RecordId | None:
        name = record.id if isinstance(record, Record) else record
        module, key = session.state.known.module_of(name)
        planner = session.state.planner()
        row = planner.txn.get_many(module, [key])[0]
        if row is None or not planner.allowed(module, Action.VIEW)(row):
            raise NotFound("not_found", id=name, module=module.name)
        return Holding.of(planner, module).of_rows([row]).get(key)

    return session.state.read(work)


def _hold_of(planner: Planner, row: Row) -> Hold:
    """Give a record of ``holds`` as a value; a scope that nubetis did not write so is the whole module."""
    record = Record(planner.known.schema.module("holds"), row)
    module = planner.known.schema.by_id.get(record["module"])
    try:
        where = None if record["where"] is None else kept_filter(record["where"], module, planner.known.schema)
        named = cast("Json", json.loads(record["records"] or "[]"))
        records = tuple([encode(*decode(str(each))) for each in cast("list[object]", named)])
    except (NubetisError, ValueError, TypeError, RecursionError):
        where, records = EVERYTHING, ()
    return Hold(
        id=record.id, reason=record["reason"], module=ModuleName("" if module is None else module.name),
        where=where, records=records, since=record["since"], until=record["until"], placed_by=record["created_by"],
    )  # fmt: skip


# -- what is held -----------------------------------------------------------------------------------------------------
def free_view(view: Viewpoint) -> Viewpoint:
    """Give the viewpoint of nobody in particular: all fields and records, and no *me*."""
    return Viewpoint(
        now=view.now, zone=view.zone, first_day=view.first_day, fiscal_month=view.fiscal_month, find_user=view.find_user
    )


def _always(_: object) -> bool:
    return True


@attrs.frozen
class _Watch:
    """One hold in force, made ready to be asked; *after* is the last entry before it began."""

    hold: RecordId
    keys: frozenset[Key]
    fits: Predicate | None
    after: Key
    asks: frozenset[int] | None = None
    """The fields that the filter looks at; ``None`` where it may be any."""
    made: Key | None = None
    """The entry that made the hold; ``None`` where it was changed since."""

    def stood(self, entry: Key, row: Row, unknown: AbstractSet[int], erased: Key) -> bool:
        """Say whether the hold was on the record as it was until *entry*, or whether nobody can tell.

        *erased* is the entry of the last erasure after that, which had looked: had the hold stood, it had been refused.
        """
        if self.fits is None or entry <= self.after or (self.made is not None and self.made < erased):
            return False
        return self.fits(row) or bool(unknown if self.asks is None else self.asks & unknown)


@attrs.frozen
class Holding:
    """The holds in force on *module*, ready to be asked, in one transaction."""

    planner: Planner
    module: Module
    watches: tuple[_Watch, ...]

    @classmethod
    def of(cls, planner: Planner, module: Module) -> Holding:
        """Read the holds on *module*."""
        on = _in_force(planner, Test("module", Operator.EQ, int(module.id)))
        itself = _in_force(planner) if module.id == HOLDS.id else []
        own = [_Watch(each.id, frozenset({decode(each.id)[1]}), None, Key(0)) for each, _ in itself]
        return cls(planner, module, (*own, *[_watch(planner, module, *each) for each in on]))

    def of_rows(self, rows: Sequence[Row]) -> dict[Key, RecordId]:
        """Give those of *rows* that are held, and by which hold.

        Cost: nothing where there is no hold; else a few microseconds a row, and for those that do not fit a filter
        now, their journal.
        """
        found = {key_of(row): hold for row in rows if (hold := self._now(row)) is not None}
        asked = [each for each in self.watches if each.fits is not None]
        rest = {key_of(row): row for row in rows if key_of(row) not in found} if asked else {}
        if rest:
            found |= self._earlier(rest, asked)
        return found

    def of_past(self, key: Key) -> RecordId | None:
        """Give the hold on a record of which only the past is left: by its id, or by any filter on its module."""
        return next((each.hold for each in self.watches if each.fits is not None or key in each.keys), None)

    def _now(self, row: Row) -> RecordId | None:
        full = self.module.layout.fill(row)
        fitting = (each for each in self.watches if key_of(row) in each.keys or (each.fits and each.fits(full)))
        return next((each.hold for each in fitting), None)

    def _earlier(self, rows: dict[Key, Row], asked: Sequence[_Watch]) -> dict[Key, RecordId]:
        """Give those of *rows* that fitted at some moment since a hold began."""
        after = min(each.after for each in asked)
        past: dict[Key, list[JournalChange]] = {}
        for change in later_changes(self.planner.txn, self.module, rows, after=after):
            past.setdefault(change.record, []).append(change)
        found: dict[Key, RecordId] = {}
        for key, changes in past.items():
            for state in self._states(rows[key], changes):
                hit = next((each.hold for each in asked if each.stood(*state)), None)
                if hit is not None:
                    found[key] = hit
        return found

    def _states(self, row: Row, changes: list[JournalChange]) -> Iterator[tuple[Key, Row, set[int], Key]]:
        """Give the entry of each of *changes*, what the record was before it, what of that was erased, and last when.

        The latest change of which a value is gone is an erasure's own.
        """
        unknown: set[int] = set()
        last = Key(0)
        for change in reversed(changes):
            row, erased = row_before(self.module, row, change)
            unknown = unknown | erased  # an erasure takes all that was before it
            last = last or (change.entry if erased else last)
            yield change.entry, self.module.layout.fill(row), unknown, last


def _in_force(planner: Planner, where: Bound = ALWAYS) -> list[tuple[Hold, Row]]:
    rows = planner.rows(planner.known.schema.module("holds"), All((LIVE, where)))
    return [(each, row) for row in rows if (each := _hold_of(planner, row)).in_force(planner.view.now)]


def _watch(planner: Planner, module: Module, hold: Hold, row: Row) -> _Watch:
    keys = frozenset([key for prefix, key in map(decode, hold.records) if prefix == module.prefix])
    where = EVERYTHING if hold.where is None and not hold.records else hold.where
    fits = None if where is None else _test(planner, module, where)
    before = Test("at", Operator.LT, instant_text(hold.since))
    after = Key(0) if fits in {None, _always} else last_entry(planner.txn, before)
    made = Key(int(row[CREATED_IN] or 0)) if row[VERSION] == 1 else None
    return _Watch(hold.id, keys, fits, after, _asked(module, where), made)


def _asked(module: Module, where: Filter | None) -> frozenset[int] | None:
    """Give the fields that *where* looks at, ``None`` where it may be any: words are looked for in several."""
    conditions = [] if where is None else list(conditions_of(where))
    compared = [each for each in conditions if isinstance(each, Compare) and each.operator is not Operator.MATCHES]
    names = {each.path.partition(".")[0] for each in compared}
    if len(compared) < len(conditions) or not names <= module.layout.slots.keys():
        return None
    return frozenset([module.field(name).id for name in names])


def _test(planner: Planner, module: Module, where: Filter) -> Predicate:
    """Give the test of one full row; where the filter can no longer be asked, everything fits."""
    if where == EVERYTHING:
        return _always
    try:
        refuse_linked(where)
        bound = bind(where, module, planner.known.schema, free_view(planner.view))
        return matcher(bound, module.layout.full_index, TxnRelated(planner.txn))
    except NubetisError:
        return _always


def refuse_drops(planner: Planner, steps: Iterable[SchemaStep]) -> None:
    """Stop a change of the schema that would drop values of a module on which there is a hold.

    Raises:
        Refused: ``legal_hold``.
    """
    for step in steps:
        if step.kind in _DROPS:
            watches = Holding.of(planner, step.module).watches
            if watches:
                raise Refused("legal_hold", id=step.module.name, hold=watches[0].hold)


_DROPS: Final = frozenset({StepKind.DROP_MODULE, StepKind.PURGE_FIELD})
