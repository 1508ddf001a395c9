"""The commands that keep and give: rules of retention are done, and a person gets what is kept of her."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import nubetis as library
from nubetis import HostSignIn, Surroundings
from nubetis.session.holding import plan_hold
from nubetis.session.retaining import plan_rule
from nubetis.testing.clock import FixedClock


@pytest.fixture
def ruled(acme):
    """Give the same with a rule that purges accounts in the bin after a day, one account there, and one held."""
    earlier = Surroundings(clock=FixedClock(datetime.now(UTC) - timedelta(days=2)))
    with library.open("sqlite:///nubetis.db", around=earlier) as org, org.session(HostSignIn("ana@acme.pe")) as session:
        session.apply(plan_rule(session, "accounts", name="empty", days=1, action="purge"))
        held, gone = session.find("accounts", sort="name")
        session.apply(plan_hold(session, "accounts", records=[held], reason="x"))
        for each in (held, gone):
            session.delete(each)
    return acme, held.id, gone.id


def test_a_dry_run_shows_what_would_go_and_what_is_held(ruled):
    nubetis, held, gone = ruled
    plan = nubetis("retention", "--dry-run", "--json").json["plan"]
    shown = nubetis("retention", "empty", "--dry-run").out

    assert (plan["counts"], [each["record"] for each in plan["warnings"]]) == ({"purge": 1}, [held])
    assert "1 to purge" in shown
    assert gone in shown
    assert nubetis("find", "accounts", "--deleted", "--json").json["total"] == 2


def test_rules_are_done_once(ruled):
    nubetis, held, _ = ruled
    done = nubetis("retention", "--json")
    assert (done.code, done.json["operation"]["records"]) == (0, 1)
    assert "nothing to do" in nubetis("retention").out

    assert [held] == [each["id"] for each in nubetis("find", "accounts", "--deleted", "--json").json["records"]]
    assert nubetis("retention", "no such rule").code == 1


def test_where_there_are_no_rules_that_is_said_and_no_table_is_drawn(acme):
    assert acme("retention").out.splitlines() == ["There are no active rules of retention."]
    assert acme("retention", "--json").json["plan"]["counts"] == {}


def test_where_rules_find_nothing_no_table_is_drawn(ruled):
    nubetis, _, _ = ruled
    nubetis("retention")
    out = nubetis("retention").out

    assert "nothing to do" in out
    assert "before" not in out


def test_what_was_given_of_a_person_is_replaced_only_where_that_is_said(acme):
    """Somebody may have worked with the file since."""
    record = acme("find", "accounts", "--json").json["records"][0]["id"]
    acme("subject", record, "given")
    document = Path("given", "subject.json")
    document.write_text("mine", encoding="utf-8")
    said = acme("subject", record, "given")

    assert (said.code, "--replace" in said.err, document.read_text("utf-8")) == (3, True, "mine")
    assert acme("subject", record, "given", "--replace").code == 0
    assert json.loads(document.read_bytes())["subject"] == record


def test_a_person_is_written_into_a_folder(acme):
    record = acme("find", "accounts", "--json").json["records"][0]["id"]
    said = acme("subject", record, "given", "--json")

    assert (said.code, said.json["records"]) == (0, 1)
    assert json.loads(Path("given", "subject.json").read_bytes())["subject"] == record
    assert "Wrote given: records 1, " in acme("subject", record, "given", "--replace").out
    assert acme("subject", "acc_0000000000001W", "other").code == 1
