"""What must not type-check. Each ignore is needed: a checker that finds one unused fails (``strict``).

The ignores name mypy's code; basedpyright takes them for its own.
"""

from __future__ import annotations

import nubetis
from nubetis import F, Field, HostSignIn, Module, Money, Org, Plan, Record, Session
from nubetis.errors import NotFound
from nubetis.model.filters import Period, has, period
from nubetis.model.outbox import Message


def a_filter_goes_where_a_filter_is_taken(s: Session, record: Record) -> None:
    s.find("deals", "stage = won")  # type: ignore[arg-type]  # text is read first: nubetis.model.text.parse
    s.find("deals", F.stage)  # type: ignore[arg-type]  # a field is not yet a filter
    s.count("deals", 1)  # type: ignore[arg-type]  # no number is one
    _ = (F.stage == "won") & F.amount  # type: ignore[operator]  # nor does a field join one
    _ = (F.stage == "won") & True  # type: ignore[operator]  # nor a truth


def filters_are_built_of_what_their_operators_take() -> None:
    F.stage.contains(1)  # type: ignore[arg-type]  # a piece of text is text
    F.account.linked("acme")  # type: ignore[arg-type]  # a link leads to a filter
    F.stage.in_(7)  # type: ignore[arg-type]  # several values are several
    has("deals", "account")  # type: ignore[call-arg]  # the field is named
    period("last", "day", "7")  # type: ignore[arg-type]  # a count is a number
    Period("last")  # type: ignore[arg-type]  # a kind is one of four


def values_do_not_change(record: Record, plan: Plan, money: Money) -> None:
    record["stage"] = "won"  # type: ignore[index]  # a record is read; a session edits
    record.id = "dea_1"  # type: ignore[misc, assignment]  # an id is given
    plan.parts = ()  # type: ignore[misc]  # a plan is what was looked at
    money.currency = "EUR"  # type: ignore[misc]  # money of another currency is other money


def a_plan_is_applied_and_an_operation_undone(s: Session, plan: Plan, record: Record) -> None:
    s.apply(record)  # type: ignore[arg-type]  # a record is no plan
    s.undo(plan)  # type: ignore[arg-type]  # what was not applied cannot be undone
    s.apply(plan, 3)  # type: ignore[call-arg]  # a tolerance is named


def a_session_is_opened_for_somebody(org: Org) -> None:
    org.session("ana@acme.pe")  # type: ignore[arg-type]  # by what right is said
    HostSignIn("ana@acme.pe", True)  # type: ignore[call-arg]  # a factor is named
    nubetis.create("memory://")  # type: ignore[call-arg]  # an organisation has an administrator
    Session()  # type: ignore[call-arg]  # only an organisation makes one


def definitions_are_named() -> None:
    Field("name", "text")  # type: ignore[call-arg, arg-type]  # each setting is named
    Module(name="pets")  # type: ignore[call-arg]  # a module has fields
    Message("welcome", "welcome:ana")  # type: ignore[call-arg]  # exchanged they would be another message
    Money(1.5, "PEN")  # type: ignore[arg-type]  # a float is no amount
    NotFound()  # type: ignore[call-arg]  # an error has a code
