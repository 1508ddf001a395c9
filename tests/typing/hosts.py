"""More of what a host writes: sessions, plans, records, plug-ins. Never run: the type checkers read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import assert_type

import attrs

import nubetis
from nubetis import (
    Decision,
    F,
    Field,
    Filter,
    HostSignIn,
    Module,
    Money,
    Operation,
    Org,
    Plan,
    Query,
    Record,
    Schema,
    Session,
    Surroundings,
    hookimpl,
)
from nubetis.access.decision import Explanation
from nubetis.errors import Conflict, InvalidFilter, NotFound, NubetisError, Refused
from nubetis.model.door import Context, Reader, Writer
from nubetis.model.filters import EVERYTHING, ME, Period, has, keywords, period
from nubetis.model.findings import Finding
from nubetis.model.kinds import kind
from nubetis.model.plan import Cause, CauseKind, Change, Committed, Refusal, Undo
from nubetis.model.query import Page
from nubetis.model.schema import ValidationRule
from nubetis.model.typed import Typed
from nubetis.session import erasing, past, resuming
from nubetis.types import ModuleName, RecordId


def an_organisation_is_made_and_looked_after(url: str) -> None:
    around = Surroundings(plugins=[Pets()], secret=b"x", clock=lambda: datetime.now(UTC))
    with nubetis.create(url, administrator="ana@acme.pe", settings={"currency": "PEN"}, around=around) as org:
        assert_type(org, Org)
        assert_type(org.schema, Schema)
        assert_type(org.backup("copy.db"), str)
        assert_type(org.verify(anchor="…").anchor, str)
        assert_type(org.check(), list[Finding])
        assert_type(org.interrupted(), list[Operation])
        assert_type(org.deliver(limit=5), int)
        assert_type(org.system("migration"), Session)


def a_session_is_a_reader_a_writer_and_a_context(s: Session) -> tuple[Reader, Writer, Context]:
    """What an area takes first, a session gives."""
    return s, s, s


def one_record(s: Session, record: Record) -> None:
    assert_type(s.get(record), Record)
    assert_type(s.get(record.id), Record)
    assert_type(s.edit(record, stage="won"), Record)
    assert_type(s.edit(record, {"values": 1}, merge_fields=True), Record)
    assert_type(s.delete(record), Operation)
    assert_type(s.restore(record.id), Record)
    assert_type(erasing.erase(s, record, fields=["email"]), Operation)
    assert_type(s.user, RecordId | None)


def the_past_is_asked_of_a_session(s: Session, record: Record) -> None:
    assert_type(past.operations(s, limit=5), list[Operation])
    assert_type(past.as_of(s, record, datetime.now(UTC)), past.PastRecord)
    for moment in past.history(s, record.id):
        assert_type(moment, past.Moment)
        assert_type(moment.operation, Operation)


def a_record_is_a_mapping(record: Record) -> dict[str, object]:
    assert_type(record.id, RecordId)
    assert_type(record.version, int)
    assert_type(record.title, str)
    assert_type(list(record), list[str])
    names: Mapping[str, object] = record
    return dict(names)


def pages_lead_on(s: Session) -> None:
    page = s.find("deals", EVERYTHING, sort=["-amount", "name"], total="exact", deleted=True)
    assert_type(page, Page)
    assert_type(page[0], Record)
    assert_type(page[:2], Sequence[Record])
    assert_type(page.next, str | None)
    assert_type(page.total, int | None)
    s.find("deals", page.filter, sort=page.sort, after=page.next)
    assert_type(Query(ModuleName("deals"), page.filter, sort=page.sort), Query)


def numbers(s: Session) -> None:
    assert_type(s.count("deals", F.stage == "won", limit=100), int)
    for row in s.aggregate("deals", by=["stage"], measures={"total": "sum amount"}):
        assert_type(list(row), list[str])
    for columns in s.stream("deals", fields=["name", "stage"]):
        assert_type(len(columns), int)


def plans_are_read_before_they_are_applied(s: Session) -> Iterator[str]:
    plan = s.plan_create("deals", [{"name": "x"}], cause=Cause(CauseKind.IMPORT, {"file": "x.csv"}))
    assert_type(plan, Plan)
    assert_type(plan.digest, str)
    assert_type(plan.counts(), dict[str, int])
    assert_type(plan.changes, Iterator[Change])
    assert_type(plan.refusals, tuple[Refusal, ...])
    for change in plan.changes:
        yield f"{change.kind} {change.record}: {change.before} → {change.after}"
    assert_type(s.plan_edits("deals", {"dea_1": {"stage": "won"}}), Plan)
    assert_type(s.plan_delete("deals", F.stage == "lost"), Plan)
    operation = s.apply(plan, tolerance=3, skip_refused=True, progress=lambda done, total: None)
    assert_type(resuming.resume(s, operation), Operation)
    assert_type(past.plan_undo(s, operation.id), Plan)
    undone = s.undo(operation)
    assert_type(undone, Undo)
    assert_type(undone.kept, tuple[Refusal, ...])


def a_unit_gives_what_its_function_gives(s: Session) -> None:
    assert_type(s.unit(lambda inner: inner.count("deals")), int)
    assert_type(s.unit(_twice), list[Record])
    with s.savepoint():
        s.create("deals", name="x")


def _twice(s: Session) -> list[Record]:
    return [s.create("deals", name=name) for name in "ab"]


def rights_are_asked(s: Session, record: Record) -> None:
    assert_type(s.can("edit", record), bool)
    assert_type(s.can("create", "deals"), bool)
    assert_type(s.decide("edit", record), Decision)
    assert_type(s.explain("edit", record), Explanation)


def filters_have_one_type_whatever_they_say() -> list[Filter]:
    last: Period = period("last", "quarter")
    return [
        F.amount == Decimal(1),
        F.amount != Money("1", "PEN"),
        F.amount.between(1, 2),
        F.closed.in_(last),
        F.owner.in_([ME, "luis"]),
        F.stage.in_(stage for stage in ("won", "lost")),
        F.name.is_empty(),
        F.tags.any_of("vip"),
        F.account.linked(F.name.starts_with("acme")),
        has("deals", via="account", where=F.stage == "won"),
        keywords("acme"),
        ~EVERYTHING,
        F["address.city"] == "Lima",
    ]


class Pets:
    """A plug-in: hooks take and give values."""

    @hookimpl
    def nubetis_modules(self) -> list[Module]:
        """Give one module."""
        rule = ValidationRule(name="named", where=F.name.is_empty(), message="A pet has a name.")
        return [Module(name="pets", fields=[Field(name="name", type=kind("text"), required=True)], rules=(rule,))]

    @hookimpl
    def nubetis_validate(self, plan: Plan) -> Iterable[Refusal]:
        """Refuse nothing."""
        return [Refusal(code="bad_rule", params={"message": str(len(plan))})]

    @hookimpl
    def nubetis_committed(self, committed: Committed) -> None:
        """Look at what was stored."""
        assert_type(committed.operation, Operation)


@attrs.frozen
class Deal:
    """A host's own view."""

    id: str
    name: str


def records_become_values_of_the_hosts_class(org: Org, s: Session) -> None:
    view = org.typed(Deal)
    assert_type(view, Typed[Deal])
    assert_type(view.all(s.find("deals")), list[Deal])
    assert_type(view.one(s.find("deals")[0]).name, str)


def errors_say_what_happened(s: Session) -> str:
    try:
        s.find("deals", F.stage == "won")
    except Conflict as error:
        assert_type(error.mine, dict[str, object])
    except Refused as error:
        assert_type(error.refusals, tuple[object, ...])
    except (NotFound, InvalidFilter) as error:
        assert_type(error.code, str)
    except NubetisError as error:
        return str(error)
    return ""


def a_host_vouches() -> HostSignIn:
    return HostSignIn("ana@acme.pe", factor=True, at=datetime.now(UTC), address="10.0.0.1")
