"""A session that was closed refuses whatever it is asked, by whatever road."""

from __future__ import annotations

import inspect

import pytest

from nubetis import Session
from nubetis.errors import StoreError
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import encode
from nubetis.model.plan import Plan
from nubetis.session import erasing, past, resuming
from nubetis.testing.clock import START
from tests.stores import refusing, state_of

LEAD, OPERATION = encode("lea", 1), encode("ope", 1)
ASKED = {
    "get": lambda s: s.get(LEAD),
    "find": lambda s: s.find("leads"),
    "stream": lambda s: list(s.stream("leads")),
    "count": lambda s: s.count("leads"),
    "aggregate": lambda s: s.aggregate("leads", measures={"n": "count"}),
    "create": lambda s: s.create("leads", name="X"),
    "edit": lambda s: s.edit(LEAD, name="X"),
    "delete": lambda s: s.delete(LEAD),
    "restore": lambda s: s.restore(LEAD),
    "plan_create": lambda s: s.plan_create("leads", [{"name": "X"}]),
    "plan_update": lambda s: s.plan_update("leads", EVERYTHING, name="X"),
    "plan_edits": lambda s: s.plan_edits("leads", {LEAD: {"name": "X"}}),
    "plan_delete": lambda s: s.plan_delete("leads", EVERYTHING),
    "apply": lambda s: s.apply(Plan()),
    "undo": lambda s: s.undo(OPERATION),
    "unit": lambda s: s.unit(lambda inner: None),
    "savepoint": lambda s: s.savepoint().__enter__(),
    "can": lambda s: s.can("view", "leads"),
    "decide": lambda s: s.decide("view", "leads"),
    "explain": lambda s: s.explain("view", "leads"),
    "history": lambda s: past.history(s, LEAD),
    "as_of": lambda s: past.as_of(s, LEAD, START),
    "module_as_of": lambda s: list(past.module_as_of(s, "leads", START)),
    "operations": past.operations,
    "written": lambda session: past.written(session, []),
    "plan_undo": lambda s: past.plan_undo(s, OPERATION),
    "resume": lambda s: resuming.resume(s, OPERATION),
    "erase": lambda s: erasing.erase(s, LEAD),
}
HARMLESS = {"close", "now"}
"""What a closed session still does: it is closed once more, and tells the time."""


def test_every_method_is_asked_here():
    """A new method, or function of an area, must join the table above."""
    methods = {name for name, _ in inspect.getmembers(Session, inspect.isfunction) if name[0] != "_"}
    areas = {
        name
        for area in (past, resuming, erasing)
        for name, each in inspect.getmembers(area, inspect.isfunction)
        if "session" in inspect.signature(each).parameters
    }

    assert (methods - HARMLESS) | areas == set(ASKED)


@pytest.mark.parametrize("name", ASKED)
def test_a_closed_session_refuses(nubetis_org, nubetis_session, name):
    """An error with a code, not an answer; and nothing is written."""
    before = state_of(nubetis_org.administrator())
    nubetis_session.close()
    nubetis_session.close()

    with refusing("store_failed" if name == "savepoint" else "closed", StoreError):
        ASKED[name](nubetis_session)
    assert before == state_of(nubetis_org.administrator())


def test_a_session_ends_with_its_block(nubetis_org):
    """Leaving ``with`` closes, also by an error."""
    with pytest.raises(ZeroDivisionError), nubetis_org.administrator() as session:
        raise ZeroDivisionError

    with refusing("closed"):
        session.count("leads")


def test_closing_one_session_leaves_the_others(nubetis_org, nubetis_session):
    """Each door is its own."""
    nubetis_org.administrator().close()

    assert nubetis_session.count("leads") == 0


def test_a_unit_that_closes_its_session_is_still_whole(nubetis_org, nubetis_session):
    """What was begun is ended; the next thing is refused."""

    def work(session):
        session.create("leads", name="X")
        session.close()

    nubetis_session.unit(work)
    assert nubetis_org.administrator().count("leads") == 1
    with refusing("closed"):
        nubetis_session.count("leads")
