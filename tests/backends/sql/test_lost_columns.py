"""Columns that nubetis alone sets, dropped by another hand: what the journal tells of them comes back, or nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from random import Random

import pytest

from nubetis.doctor import diagnose
from nubetis.errors import Damaged
from nubetis.model.fields import Field
from nubetis.model.findings import Finding
from nubetis.model.kinds import kind
from nubetis.model.store import Batch, Inserts
from nubetis.model.system import ENTRIES
from nubetis.session import applying, past
from nubetis.testing.clock import FixedClock
from nubetis.testing.people import make_org
from tests.test_doctor import execute

TOLD = ["version", "created_in", "deleted_in", "created_at", "created_by", "modified_at", "modified_by"]
"""What the journal tells of each record."""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/org.db?profile=fast"
    return request.getfixturevalue("postgres")(f"lost_{tmp_path.name}"[:60])


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def org(url, clock):
    with make_org(url, clock=clock) as org:
        yield org


def live(org, clock, random, *, times=30):
    """Make, change, bin, restore, undo, merge and purge leads, each at an instant of its own."""
    with org.administrator() as ana, org.system("importing") as system:
        ana.create("leads", name="first")
        for number in range(times):
            clock.advance(seconds=1)
            session = random.choice([ana, system])
            found = [each.id for each in session.find("leads", limit=100)]
            binned = [each.id for each in session.find("leads", deleted=True, limit=100)]
            match random.choice(["one", "many", "edit", "delete", "delete", "restore", "undo", "purge"]):
                case "one":
                    session.create("leads", name=str(number))
                case "many":
                    session.apply(session.plan_create("leads", [{"name": str(each)} for each in range(5)]))
                case "edit" if found:
                    session.edit(random.choice(found), name=f"edited {number}")
                case "delete" if found:
                    session.delete(random.choice(found))
                case "restore" if binned:
                    session.restore(random.choice(binned))
                case "undo":
                    session.undo(past.operations(session, limit=1)[0].id)
                case "purge" if number % 3 == 0:
                    org.purge(before=datetime(2100, 1, 1, tzinfo=UTC))
        session.create("leads", name="stays")
        session.delete(session.create("leads", name="goes").id)


def drop(url, table, *columns):
    """Drop columns by another hand; SQLite wants the indexes that name them gone before."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0])) as link:
            rows = link.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ?", (table,))
            gone = [name for name, sql in rows if sql and any(column in sql for column in columns)]
        execute(url, *[f'DROP INDEX "{name}"' for name in gone])
    execute(url, *[f'ALTER TABLE {table} DROP COLUMN "{column}"' for column in columns])


def rows_of(org, name="leads"):
    module = org.schema.module(name)
    return org._world.store.read(lambda txn: [row for b in txn.stream(module) for row in zip(*b, strict=True)])


def codes(findings):
    return [each.code for each in findings]


@pytest.mark.parametrize(("url", "seed"), [("sqlite", 0), ("sqlite", 1), ("postgresql", 0)], indirect=["url"])
def test_what_the_journal_tells_of_records_comes_back(org, url, clock, seed, monkeypatch):
    """Column by column, and all together: each record is as it was, whatever was done before."""
    monkeypatch.setattr(applying, "CHUNK", 3)
    live(org, clock, Random(seed))
    before = rows_of(org)
    assert len({row[3] is None for row in before}) == 2
    each = [[column] for column in TOLD] if url.startswith("sqlite") else []
    for lost in [*each, TOLD]:
        drop(url, "leads", *lost)
        assert Finding("column_told", "leads", ", ".join(sorted(lost))) in org.check()
        assert org.repair(org.check()) == [], lost
        assert before == rows_of(org), lost


def test_what_was_in_the_bin_stays_there(org, url):
    """Doctor does it too, and says what it has put right."""
    with org.administrator() as session:
        kept, gone = [session.create("accounts", name=each).id for each in ("kept", "gone")]
        session.delete(gone)
    drop(url, "accounts", "deleted_in")
    found = diagnose(url, repair=True, around=org._around)

    assert (found.findings, "column_told" in codes(found.mended)) == ((), True)
    with org.administrator() as session:
        assert [each.id for each in session.find("accounts")] == [kept]
        assert [each.id for each in session.find("accounts", deleted=True)] == [gone]
        session.restore(gone)
        assert session.count("accounts") == 2


def test_a_change_of_the_schema_makes_no_column_of_ours_anew_and_empty(org, url):
    """It makes what its tables lack, and of this column the journal knows what was in it."""
    with org.administrator() as session:
        session.delete(session.create("accounts", name="gone"))
    drop(url, "accounts", "deleted_in")
    org.add_field("leads", Field(name="nick", type=kind("text")))
    with org.administrator() as session:
        assert [len(session.find("accounts", deleted=gone)) for gone in (False, True)] == [0, 1]


def test_without_the_journal_nothing_is_made_up(org, url):
    """Neither by a repair nor by a change of the schema; the rest of the organisation is mended."""
    with org.administrator() as session:
        session.delete(session.create("accounts", name="gone"))
    drop(url, "accounts", "deleted_in")
    drop(url, "changes", "kind")
    execute(url, "UPDATE leads SET name__f = 'x'", "DROP INDEX leads__ix__owner")
    wanted = {Finding("column_lost", "accounts", "deleted_in"), Finding("column_lost", "changes", "kind")}

    assert wanted <= set(org.check())
    assert not any(each.mends for each in wanted)
    left = org.repair(org.check())
    assert (wanted <= set(left), "index_missing" in codes(left)) == (True, False)
    with pytest.raises(Damaged) as caught:
        org._world.store.migrate((), org._world.last.schema)
    assert caught.value.params["reason"].startswith("it lacks")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_who_made_what_is_not_guessed(org, url):
    """Where two entries may both have made a record the column stays lost, and all others come back."""
    with org.administrator() as session:
        session.apply(session.plan_create("leads", [{"name": str(each)} for each in range(3)]))
        keys = sorted(row[0] for row in rows_of(org))
    entry = rows_of_entries(org)[-1]
    other = (entry[0] + 1, entry[1], entry[2], f"[[{org.schema.module('leads').id},{keys[0]},{keys[1]},2]]", None, None)
    org._world.store.write(lambda txn: txn.write(Batch(parts=(Inserts(ENTRIES, [other]),))))
    drop(url, "leads", "created_in")

    assert "column_told" in codes(org.repair(org.check()))


def rows_of_entries(org):
    return org._world.store.read(lambda txn: [row for b in txn.stream(ENTRIES) for row in zip(*b, strict=True)])


@pytest.mark.parametrize(("url", "table", "column"), [
    *[("sqlite", *each) for each in [
        ("settings", "value"), ("modules", "definition"), ("versions", "access"), ("entries", "inserts"),
        ("users", "profile"),
    ]],
    ("postgresql", "leads", "id"), ("postgresql", "changes", "kind"),
], indirect=["url"])  # fmt: skip
def test_what_nubetis_cannot_do_without_is_never_made_empty(org, url, table, column):
    """What helps is a back-up, and the remedy says so."""
    drop(url, table, column)
    found = diagnose(url, repair=True, around=org._around)

    (lost,) = [each for each in found.findings if each.about == table and each.code.startswith("column")]
    assert (lost.code, lost.detail, lost.mends) == ("column_lost", column, False)
    assert "back-up" in lost.remedy()
    assert "column_missing" not in codes(found.mended)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("column", ["value", "module"])
def test_live_counts_follow_from_records_whatever_is_lost_of_them(org, url, column):
    with org.administrator() as session:
        session.create("leads", name="x")
    drop(url, "tallies", column)
    found = diagnose(url, repair=True, around=org._around)

    assert (found.findings, codes(found.mended)[:1]) == ((), ["twin_missing"])
    leads = org.schema.module("leads")
    assert list(org._world.store.read(lambda txn: txn.tally(leads, "owner")).values()) == [1]
