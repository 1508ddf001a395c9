"""A stored text that is no longer Unicode: every road says which module is damaged, and none shows the text."""

from __future__ import annotations

import io
import sqlite3
import traceback
from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from nubetis import F
from nubetis.data.export import export
from nubetis.errors import Damaged
from nubetis.session.past import as_of, history
from nubetis.testing.people import make_org
from tests.stores import refusing

HUSH = "geheimnis"


@pytest.fixture
def org(tmp_path):
    with make_org(f"sqlite:///{tmp_path}/org.db?profile=fast") as org:
        yield org


@pytest.fixture
def session(org):
    with org.administrator() as session:
        yield session


@pytest.fixture
def operation(session):
    """Leads that were made and changed."""
    session.apply(session.plan_create("leads", [{"name": f"{HUSH} {n}", "company": HUSH} for n in range(3)]))
    return session.apply(session.plan_update("leads", F.company == HUSH, company="Andere"))


def spoil(tmp_path, table, *columns):
    """Put a byte before each text that no text begins with."""
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        for column in columns:
            link.execute(f"UPDATE {table} SET {column} = CAST(x'ff' || {column} AS TEXT)")


ROADS = {
    "get": lambda s, ids, op: s.get(ids[0]),
    "find": lambda s, ids, op: s.find("leads"),
    "sorted": lambda s, ids, op: s.find("leads", F.name.contains("e"), sort="-name"),
    "stream": lambda s, ids, op: list(s.stream("leads")),
    "aggregate": lambda s, ids, op: s.aggregate("leads", by=["company"], measures={"n": "count"}),
    "export": lambda s, ids, op: export(s, io.BytesIO(), module="leads"),
    "as of": lambda s, ids, op: as_of(s, ids[0], datetime.now(UTC) + timedelta(days=1)),
    "edit": lambda s, ids, op: s.edit(ids[0], company="X"),
    "update": lambda s, ids, op: s.plan_update("leads", F.name.contains("e"), company="X"),
    "undo": lambda s, ids, op: s.undo(op),
}


def told(error):
    """Give all that whoever logs the error could see of it, without the lines of this file."""
    shown = traceback.TracebackException.from_exception(error, capture_locals=False)
    return str(error) + repr(error.params) + "".join(shown.format_exception_only())


@pytest.mark.parametrize("road", ROADS)
def test_every_road_names_the_module_and_shows_nothing(session, operation, tmp_path, road):
    ids = [lead.id for lead in session.find("leads")]
    spoil(tmp_path, "leads", "name", "company", "name__f", "company__f")
    with refusing("damaged", Damaged) as caught:
        ROADS[road](session, ids, operation)

    assert caught.value.params["what"].startswith("leads at sqlite://")
    assert HUSH not in told(caught.value)
    assert (caught.value.__cause__, caught.value.__suppress_context__) == (None, True)


@pytest.mark.parametrize("road", [lambda s, i, op: history(s, i), lambda s, i, op: s.undo(op)], ids=["history", "undo"])
def test_a_damaged_past_is_the_journal_s(session, operation, tmp_path, road):
    first = session.find("leads")[0].id
    spoil(tmp_path, "changes", "before")
    with refusing("damaged", Damaged) as caught:
        road(session, first, operation)

    assert caught.value.params["what"].startswith("changes at ")
    assert HUSH not in told(caught.value)


def test_what_is_whole_is_read_beside_it(session, operation, tmp_path):
    """One damaged record does not keep the others from being read by their ids, nor other modules."""
    first, *others = [lead.id for lead in session.find("leads")]
    with closing(sqlite3.connect(tmp_path / "org.db", isolation_level=None)) as link:
        link.execute("UPDATE leads SET name = CAST(x'ff' AS TEXT) WHERE id = (SELECT min(id) FROM leads)")
    with refusing("damaged"):
        session.get(first)

    assert [session.get(other)["company"] for other in others] == ["Andere", "Andere"]
    assert session.create("accounts", name="Acme")["name"] == "Acme"
