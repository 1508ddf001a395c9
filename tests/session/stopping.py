"""Long operations, and how they are stopped half-way: what several test files share."""

from __future__ import annotations

import pytest

from nubetis.errors import Cancelled
from nubetis.model.filters import EVERYTHING
from tests.stores import state_of

PLANS = {
    "create": lambda s: s.plan_create("leads", [{"name": f"new {n}"} for n in range(8)]),
    "update": lambda s: s.plan_update("leads", EVERYTHING, company="New"),
    "delete": lambda s: s.plan_delete("leads", EVERYTHING),
}
"""A plan of each kind, over the records of NAMES."""

NAMES = [{"name": str(number), "company": "Old"} for number in range(8)]


def stop_after(done):
    """Give a progress that asks to stop once *done* records are written."""

    def progress(position, total):
        if position >= done:
            raise Cancelled("cancelled", done=position)

    return progress


def cancel(session, plan, after=1):
    """Apply *plan* and stop when *after* records are written."""
    with pytest.raises(Cancelled):
        session.apply(plan, progress=stop_after(after))


def shape(session):
    """Give the records by name, as new ids differ from run to run."""
    return sorted(((str(v["name"]), gone, v["company"]) for gone, v in state_of(session).values()), key=str)
