"""What a host writes has the types a reader expects. Never run: mypy and basedpyright read it."""

from __future__ import annotations

from typing import assert_type

import nubetis
from nubetis import F, Filter, HostSignIn, Operation, Org, Plan, Record, Session


def a_host_opens_a_session(url: str) -> None:
    org = nubetis.open(url)
    assert_type(org, Org)
    with org.session(HostSignIn("ana@acme.pe", factor=True)) as s:
        assert_type(s, Session)


def filters_are_joined_not_tested() -> None:
    assert_type((F.stage == "open") & ~F.name.matches("lima"), Filter)
    assert_type(F["stage"] == "open", Filter)
    assert_type(F.address.city.contains("lima") | (F.amount > 1), Filter)


def a_plan_becomes_an_operation(s: Session) -> None:
    plan = s.plan_update("deals", F.stage == "open", stage="won")
    assert_type(plan, Plan)
    operation = s.apply(plan)
    assert_type(operation, Operation)
    s.undo(operation)


def records_are_found_in_pages(s: Session) -> None:
    page = s.find("deals", F.stage == "open", sort="-amount", limit=50)
    assert_type(list(page), list[Record])
    assert_type(s.create("deals", name="Acme"), Record)
    assert_type(s.can("view", page[0]), bool)
