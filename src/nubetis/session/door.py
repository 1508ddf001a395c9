"""The session: the one door between a host and its records.

Everything that reads is limited by the policy's grant, everything that writes is a plan.  A session belongs to one
user and one thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from itertools import count
from types import TracebackType
from typing import Final, Self, TypeVar

import attrs

from nubetis.access.decision import Action, Decision, Explanation
from nubetis.errors import (
    AccessDenied,
    Conflict,
    InvalidValue,
    NotFound,
    NubetisError,
    Refused,
    names_of,
    names_or_all,
    one_of,
    require,
    require_bool,
    require_call,
    require_count,
)
from nubetis.model.fields import Value
from nubetis.model.filters import EVERYTHING, Filter
from nubetis.model.formats import ISO, Formats
from nubetis.model.ids import decode, encode
from nubetis.model.plan import (
    Cause,
    ChangeKind,
    Creates,
    Edits,
    Operation,
    OperationState,
    Part,
    Plan,
    Refusal,
    Undo,
)
from nubetis.model.query import Page, Query, Total
from nubetis.model.record import Record
from nubetis.model.schema import DELETED_IN, Module, Schema, key_of
from nubetis.session.applying import Applier, check_pace
from nubetis.session.deciding import allows, judged
from nubetis.session.explaining import explained
from nubetis.session.grouping import aggregated
from nubetis.session.pages import find_page
from nubetis.session.past import operation_named, plan_undo
from nubetis.session.state import State
from nubetis.types import ModuleName, Progress, RecordId, Row

__all__ = ["Session", "refused"]

T = TypeVar("T")


@attrs.define(repr=False)
class Session:
    """What one signed-in user may do.  Made by :meth:`nubetis.Org.session`.

    Records are named by id or given as they were read.  ``values`` takes field names that clash with arguments.
    """

    state: State
    formats: Formats = ISO

    def __repr__(self) -> str:
        return f"<Session of {self.user or self.state.purpose}>"

    # context -----------------------------------------------------------------------------------------------
    @property
    def schema(self) -> Schema:
        """The modules as they are now, whoever changed them; without the fields that the user may not read."""
        return self.state.read(lambda: self.state.sight.schema)

    @property
    def currency(self) -> str | None:
        """The currency that the organisation counts in, where it has one."""
        return self.state.known.currency

    @property
    def user(self) -> RecordId | None:
        """The user's record id; ``None`` for nubetis itself."""
        return self.state.user_id

    def now(self) -> datetime:
        """Give the present instant."""
        return self.state.world.now()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the session; whatever it is asked afterwards it refuses."""
        self.state.closed = True

    # reading -----------------------------------------------------------------------------------------------
    def get(self, record: str | Record) -> Record:
        """Give the record with this id, as it is now.

        Raises:
            NotFound: there is none, it is in the recycle bin, or the user may not see it.
            InvalidValue: ``bad_id``; the id was mistyped.
        """
        return self.state.read(lambda: self._shown(self._get(record, Action.VIEW)))

    def _shown(self, record: Record) -> Record:
        return self.state.sight.record(self.state.known.schema.module(record.module), record.row)

    def _get(self, record: str | Record, action: Action, *, deleted: bool = False) -> Record:
        name = _id(record)
        module, key = self.state.known.module_of(name)
        planner = self.state.planner()
        row = self.state.txn.get_many(module, [key])[0]
        gone = row is None or (row[DELETED_IN] is not None) is not deleted
        if row is None or not planner.allowed(module, Action.VIEW)(row):
            raise NotFound("not_found", id=name, module=module.name)
        if gone and deleted:
            raise Conflict("not_deleted", id=name)
        if gone:
            raise NotFound("not_found", id=name, module=module.name)
        if action is not Action.VIEW:
            planner.require(action, module)
        return Record(module, row)

    def find(
        self,
        module: str,
        where: Filter = EVERYTHING,
        *,
        sort: str | Sequence[str] = (),
        limit: int = 50,
        after: str | None = None,
        total: str = "none",
        deleted: bool = False,
    ) -> Page:
        """Give a page of the records of *module* that fit *where* and that the user may see.

        *sort* names fields, ``-`` before the name for descending; the id breaks ties.  *after* is ``page.next`` or
        ``page.previous`` of the same filter and sort.  *total* is ``none``, ``capped`` (counting stops at 1,000) or
        ``exact``.  *deleted* looks into the recycle bin.

        Raises:
            InvalidFilter: a field, operator or value does not fit.
            InvalidCursor: *after* is damaged or of another query.
        """
        require_bool(deleted, argument="deleted")
        order = _names_of_fields("sort", sort)
        many = one_of(Total, total, argument="total")
        query = Query(ModuleName(module), where, sort=order, limit=limit, after=after, total=many, deleted=deleted)
        return self.state.read(lambda: find_page(self.state, query))

    def stream(
        self, module: str, where: Filter = EVERYTHING, *, fields: Sequence[str] | None = None, size: int = 2048
    ) -> Iterator[tuple[Sequence[Value], ...]]:
        """Give all records that fit, in id order, as batches of columns: one sequence a field of *fields*.

        Without *fields*, all that the user may read.  Pages are read one by one, each on a snapshot of its own.

        Raises:
            InvalidValue: ``bad_argument``; *fields* is empty.
        """
        names = names_or_all(fields, argument="fields", expected="names of fields") or tuple(
            self.schema.module(module).layout.slots
        )
        after: str | None = None
        while True:
            page = self.find(module, where, limit=size, after=after)
            if len(page):
                yield tuple([[record[name] for record in page] for name in names])
            if page.next is None:
                return
            after = page.next

    def count(self, module: str, where: Filter = EVERYTHING, *, limit: int | None = None) -> int:
        """Give how many records fit and may be seen; counting may stop at *limit*.

        Raises:
            InvalidValue: ``bad_argument``; the limit is negative, or greater than any number of records.
        """
        if limit is not None:
            require_count(limit, argument="limit")

        def work() -> int:
            found = self.state.known.schema.module(module)
            return self.state.txn.count(found, self.state.planner().bound(found, where, Action.VIEW), limit=limit)

        return self.state.read(work)

    def aggregate(
        self, module: str, where: Filter = EVERYTHING, *, by: str | Sequence[str] = (), measures: Mapping[str, str]
    ) -> list[dict[str, Value]]:
        """Give numbers for groups of records: a dict of the fields of *by* and the names of *measures* for each.

        Texts that differ only in what is folded (case and accents) are one group, shown as one of them is written.
        *measures* maps a name to ``count``, or to ``sum``, ``min`` or ``max`` and a field: ``{"total": "sum amount"}``.
        Money counts in the organisation's currency.

        Raises:
            InvalidFilter: a field does not exist, or is of a type of which there is no such number.
            InvalidValue: ``bad_argument``; there is no measure, one is none of these, or named as a field of *by*.
        """
        groups = _names_of_fields("by", by)
        require(measures, Mapping, argument="measures", expected="measures by name")
        return self.state.read(
            lambda: aggregated(self.state, self.state.known.schema.module(module), where, groups, measures)
        )

    # writing one record ------------------------------------------------------------------------------------
    def create(self, module: str, /, values: Mapping[str, Value] | None = None, **fields: Value) -> Record:
        """Make a record; its owner is the user unless the values say otherwise.

        Raises:
            InvalidValue: a value does not fit, or a required one is missing.
            NotFound: a field that does not exist.
            Conflict: a unique value is taken.
        """
        wanted = _values(values, fields)

        def work() -> Record:
            plan = self.plan_create(module, [wanted])
            self.apply(plan)
            return self._after_write(Record(plan.parts[0].module, plan.parts[0].rows[0]))

        return self.unit(lambda _: work())

    def edit(
        self,
        record: str | Record,
        /,
        values: Mapping[str, Value] | None = None,
        *,
        merge_fields: bool = False,
        **fields: Value,
    ) -> Record:
        """Give fields of a record new values; give the record as it then is.

        A record given as it was read must still have that version.  With *merge_fields* only the fields written must
        be as they were read.

        Raises:
            Conflict: ``stale``; ``mine`` and ``theirs`` have both values.
        """
        wanted = _values(values, fields)
        require_bool(merge_fields, argument="merge_fields")

        def work() -> Record:
            now = self._get(record, Action.EDIT)
            _check_fresh(record, self._shown(now), wanted, merge_fields=merge_fields)
            self.apply(self.plan_edits(now.module, {now.id: wanted}))
            return self._after_write(now)

        return self.unit(lambda _: work())

    def _after_write(self, record: Record) -> Record:
        module, key = self.state.known.module_of(record.id)
        row = self.state.txn.get_many(module, [key])[0]
        return self._shown(record if row is None else Record(module, row))

    def delete(self, record: str | Record) -> Operation:
        """Put a record into the recycle bin."""

        def work() -> Operation:
            now = self._get(record, Action.DELETE)
            _check_fresh(record, now, {}, merge_fields=False)
            return self.apply(self._plan_moves(now.module, [now.row], ChangeKind.DELETE))

        return self.unit(lambda _: work())

    def restore(self, record: str | Record) -> Record:
        """Take a record out of the recycle bin; its unique values must be free and its links lead somewhere."""

        def work() -> Record:
            gone = self._get(record, Action.DELETE, deleted=True)
            self.apply(self._plan_moves(gone.module, [gone.row], ChangeKind.RESTORE))
            return self._shown(self._get(gone, Action.VIEW))

        return self.unit(lambda _: work())

    # plans -------------------------------------------------------------------------------------------------
    def plan_create(
        self,
        module: str,
        records: Iterable[Mapping[str, Value]],
        *,
        cause: Cause | None = None,
        after: Plan | None = None,
    ) -> Plan:
        """Plan new records; what does not fit is refused by line, from 1, and the rest can be applied.

        The parts of *after*, a plan of new records, come first: the records may link to what they make.
        """
        after = Plan() if after is None else after
        require(after, Plan, argument="after", expected="a plan")
        require(records, Iterable, argument="records", expected="a list of values by field")
        earlier = after.parts
        self.state.world.refuse_foreign(Plan(parts=earlier))
        promised = frozenset([(part.module.prefix, key_of(row)) for part in earlier for row in part.rows])

        def work() -> Plan:
            planner = attrs.evolve(self.state.planner(), promised=promised)
            part, refusals = planner.creates(self.state.known.schema.module(module), records)
            return _by_line(self._plan([*earlier, part], refusals, cause), part, refusals)

        return self.state.read(work)

    def plan_update(
        self, module: str, where: Filter, /, values: Mapping[str, Value] | None = None, **fields: Value
    ) -> Plan:
        """Plan the same new values for all records that fit; ``EVERYTHING`` must be said where it is meant."""
        wanted = _values(values, fields)

        def work() -> Plan:
            found, planner = self.state.known.schema.module(module), self.state.planner()
            rows = planner.rows(found, planner.bound(found, where, Action.VIEW))
            parts, refusals = planner.edits(found, rows, wanted)
            return self._plan(parts, refusals, None)

        return self.state.read(work)

    def plan_edits(self, module: str, edits: Mapping[str, Mapping[str, Value]], *, cause: Cause | None = None) -> Plan:
        """Plan new values for each record, by id; ids that the user may not see are refused as those of none."""
        require(edits, Mapping, argument="edits", expected="values by field, by record id")
        for each in edits.values():
            require(each, Mapping, argument="edits", expected="values by field, by record id")
        return self.state.read(lambda: self._plan_edits(self.state.known.schema.module(module), edits, cause))

    def _plan_edits(self, module: Module, edits: Mapping[str, Mapping[str, Value]], cause: Cause | None) -> Plan:
        planner = self.state.planner()
        keys = [decode(each)[1] for each in edits]
        sees = planner.allowed(module, Action.VIEW)
        parts: list[Part] = []
        refusals: list[Refusal] = []
        for name, row in zip(edits, planner.rows_of(module, keys), strict=True):
            if row is None or row[DELETED_IN] is not None or not sees(row) or decode(name)[0] != module.prefix:
                params = {"id": name, "module": module.name}
                refusals.append(Refusal(code="not_found", params=params, module=module.name, record=RecordId(name)))
                continue
            exact, refused = planner.edits(module, [row], edits[name])
            parts += exact
            refusals += refused
        return self._plan(_joined(parts), refusals, cause)

    def plan_delete(self, module: str, where: Filter, *, cause: Cause | None = None) -> Plan:
        """Plan the way of all records that fit into the recycle bin."""

        def work() -> Plan:
            found, planner = self.state.known.schema.module(module), self.state.planner()
            rows = planner.rows(found, planner.bound(found, where, Action.VIEW))
            return self._plan_moves(found.name, rows, ChangeKind.DELETE, cause)

        return self.state.read(work)

    def _plan_moves(self, module: str, rows: Iterable[Row], kind: ChangeKind, cause: Cause | None = None) -> Plan:
        part, refusals = self.state.planner().moves(self.state.known.schema.module(module), rows, kind)
        return self._plan([part], refusals, cause)

    def _plan(self, parts: Iterable[Part], refusals: Iterable[Refusal], cause: Cause | None) -> Plan:
        kept = tuple([part for part in parts if len(part)])
        cause = Cause() if cause is None else cause
        require(cause, Cause, argument="cause", expected="a cause")
        if cause.kind.own:
            raise InvalidValue("bad_argument", argument="cause", reason=f"nubetis alone says {cause.kind.value}")
        if not cause.keeps:
            raise InvalidValue("bad_argument", argument="cause", reason="its detail is no JSON that can be kept")
        return self.state.planner().checked(Plan(cause=cause, parts=kept, refusals=tuple(refusals)))

    # applying ----------------------------------------------------------------------------------------------
    def apply(
        self, plan: Plan, *, tolerance: int = 0, skip_refused: bool = False, progress: Progress | None = None
    ) -> Operation:
        """Write *plan*: one operation, one transaction for each 5,000 records.

        Refused unless *skip_refused* says to write the rest.  Up to *tolerance* records may have changed since the
        plan was made; they are left out and listed in ``skipped``.  *progress* is called after each transaction; when
        it raises :class:`~nubetis.errors.Cancelled` the operation stops and can be resumed.  Whatever else is raised,
        by it too, nubetis takes back what was written so far, in the user's name.

        Raises:
            Refused: the plan has refusals; of a single change, the error itself.
            PlanDrifted: more records changed than tolerated; nothing of the plan remains.
            AccessDenied: who applies it may not; plans are made under rights, and those may be others' or past ones.
                Each transaction asks anew.
            Refused: ``foreign_plan``; parts of it were not planned by this organisation, but made by hand.
        """
        require(plan, Plan, argument="plan", expected="a plan")
        require_bool(skip_refused, argument="skip_refused")
        check_pace(tolerance, progress)
        self.state.world.refuse_foreign(plan)
        if plan.refusals and not skip_refused:
            raise refused(plan)
        return Applier(self.state, plan, tolerance=tolerance, progress=progress).run()

    def undo(self, operation: str | Operation, *, progress: Progress | None = None) -> Undo:
        """Take an operation back, field by field; what somebody else changed since stays and is named in ``kept``.

        Where nothing is left to set back there is no operation.  One that was stopped is over with it.
        :func:`nubetis.session.past.plan_undo` shows it before; *progress* is that of :meth:`apply`.

        Raises:
            NotFound: ``no_operation``; there is none, or it is not the user's.
            Conflict: ``operation_moved``; it went on meanwhile.
        """
        plan, begun = self.state.read(lambda: (plan_undo(self, operation), operation_named(self.state, operation)))
        over = begun.state in {OperationState.DONE, OperationState.FAILED}
        applier = Applier(self.state, plan, failed=None if over else begun, progress=progress)
        done = None if over and not len(plan) else applier.run()
        records = dict.fromkeys(encode(p.module.prefix, key_of(row)) for p in plan.parts for row in p.rows)
        return Undo(operation=done, reversed=tuple(records), kept=plan.warnings, failed=plan.refusals)

    def unit(self, work: Callable[[Session], T]) -> T:
        """Run *work* in one transaction: all of it is written, or nothing.  It may be run again, so let it do
        nothing outside.
        """  # noqa: D205 - one thought
        require_call(work, argument="work")
        return self.state.write(lambda: work(self))

    def savepoint(self) -> AbstractContextManager[None]:
        """Give a block of which nothing stays when it raises; the unit goes on."""
        return self.state.savepoint()

    # rights ------------------------------------------------------------------------------------------------
    def can(self, action: str, record: str | Record) -> bool:
        """Say whether the user may; ``False`` for an id of nothing, too, and for one who was sent away.

        *record* may be a module's name.

        Raises:
            NotFound: ``unknown_module``; a word that no module is called by.
        """
        wanted = one_of(Action, action, argument="action")
        try:
            return self.state.read(lambda: allows(self.state, wanted, record))
        except (NotFound, InvalidValue, AccessDenied) as error:
            if error.code == "unknown_module":
                raise
            return False

    def decide(self, action: str, record: str | Record) -> Decision:
        """Give the decision with its reasons.

        Raises:
            NotFound: there is no such record, or the user may not see it; ``unknown_module``.
            AccessDenied: the user is no longer active: he may nothing.
        """
        wanted = one_of(Action, action, argument="action")
        return self.state.read(lambda: judged(self.state, wanted, record))

    def explain(self, action: str, record: str | Record) -> Explanation:
        """Give the decision and the steps that led to it; ``print`` shows it."""
        wanted = one_of(Action, action, argument="action")
        return self.state.read(lambda: explained(self.state, judged(self.state, wanted, record)))


def _id(record: str | Record) -> RecordId:
    return record.id if isinstance(record, Record) else RecordId(record)


def _values(values: Mapping[str, Value] | None, fields: Mapping[str, Value]) -> dict[str, Value]:
    """Give the values of both ways to give them."""
    given = {} if values is None else values
    require(given, Mapping, argument="values", expected="values by field")
    return {**given, **fields}


def _names_of_fields(argument: str, given: str | Sequence[str]) -> tuple[str, ...]:
    return names_of(given, argument=argument, expected="names of fields")


def _check_fresh(given: str | Record, now: Record, wanted: Mapping[str, Value], *, merge_fields: bool) -> None:
    """Stop an edit of a record that was changed since it was read."""
    if not isinstance(given, Record) or given.version == now.version:
        return
    names = [name for name in wanted if name in now]
    if merge_fields and all(given[name] == now[name] for name in names):
        return
    raise _stale(given, now, {name: wanted[name] for name in names})


def _stale(given: Record, now: Record, mine: Mapping[str, Value]) -> NubetisError:
    error = Conflict("stale", id=now.id, actual=now.version, expected=given.version)
    error.mine = dict(mine)
    error.theirs = {name: now[name] for name in mine}
    return error


def _by_line(plan: Plan, part: Creates, refused: Iterable[Refusal]) -> Plan:
    """Give *plan* with the lines of records of *part* that were refused later, by a rule, when they had their ids."""
    wanted = {each.record for each in plan.refusals if each.module == part.module.name and each.record is not None}
    if not wanted:
        return plan
    before = {each.line for each in refused}
    lines = (line for line in count(1) if line not in before)
    ids = [encode(part.module.prefix, key_of(row)) for row in part.rows]
    line_of = {record: line for record, line in zip(ids, lines, strict=False) if record in wanted}

    def told(each: Refusal) -> Refusal:
        line = None if each.record is None else line_of.get(each.record)
        return each if line is None else attrs.evolve(each, record=None, line=line)

    return attrs.evolve(plan, refusals=tuple(map(told, plan.refusals)))


def refused(plan: Plan) -> NubetisError:
    """Give the error that says why *plan* is not applied: of a single change, its own, others as notes."""
    first = plan.refusals[0]
    if plan.refused == 1 and not len(plan):
        single = _ERRORS.get(first.code, InvalidValue)(first.code, **first.params)
        for each in plan.refusals[1:]:
            single.add_note(str(NubetisError(each.code, **each.params)))
        return single
    hint = "To write the rest, apply it with skip_refused=True." if len(plan) else ""
    error = Refused("refused", count=plan.refused, first=str(first), hint=hint)
    error.refusals = plan.refusals
    return error


def _joined(parts: Sequence[Part]) -> list[Part]:
    """Put the edits of the same fields of one module into one part."""
    groups: dict[tuple[int, ...], list[Edits]] = {}
    for part in parts:
        if isinstance(part, Edits) and len(part):
            groups.setdefault(tuple([int(field.id) for field in part.fields]), []).append(part)
    return [
        attrs.evolve(
            group[0], rows=[r for each in group for r in each.rows], after=[a for each in group for a in each.after]
        )
        for group in groups.values()
    ]


_ERRORS: Final[dict[str, type[NubetisError]]] = {
    "not_unique": Conflict,
    "denied": AccessDenied,
    "related_beyond": AccessDenied,
    "not_found": NotFound,
    "unknown_field": NotFound,
    "no_such_user": NotFound,
    "bad_user_state": Refused,
    "built_in": Refused,
    "locked_yet": Refused,
    "required_closed": Refused,
    "cannot_fill": AccessDenied,
    "cannot_fill_unseen": AccessDenied,
}
"""The class of a refusal's error, where it is not InvalidValue."""
