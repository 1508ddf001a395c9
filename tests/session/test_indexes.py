"""An index that names several fields serves the pages of a filter and a sort: nothing is scanned, nothing sorted."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F, Field, Module, Money
from nubetis.errors import StoreError
from nubetis.model.kinds import kind
from nubetis.session.past import operations
from nubetis.testing.people import make_org
from tests.stores import refusing

INDEXES = (("stage", "amount"), ("stage", "name"), ("stage", "closed", "name"), ("account", "closed"))


@pytest.fixture
def org(tmp_path):
    with make_org(f"sqlite:///{tmp_path}/org.db?profile=fast") as org:
        org.alter(org.schema.with_module(attrs.evolve(org.schema.module("deals"), indexes=INDEXES)))
        yield org


@pytest.fixture
def session(org):
    with org.administrator() as session:
        firm = session.create("accounts", name="Acme").id
        deals = [
            {"name": f"n{n % 7}", "amount": Money(n % 5, "PEN"), "stage": "open", "account": firm} for n in range(40)
        ]
        session.apply(session.plan_create("deals", deals))
        yield session


def steps_of(org, ask):
    """Give what SQLite makes of each page that *ask* reads."""
    pool, seen = org._world.store._units.pool, []
    link = pool.take()
    link.set_trace_callback(seen.append)
    pool.give(link)
    ask()
    link.set_trace_callback(None)
    pages = [text for text in seen if text.startswith("SELECT") and "FROM deals" in text and "LIMIT" in text]
    return [[row[3] for row in link.execute(f"EXPLAIN QUERY PLAN {text}")] for text in pages]


@pytest.mark.parametrize("sign", ["", "-"])
@pytest.mark.parametrize(
    ("where", "sort", "index"),
    [
        (F.stage == "open", ("amount",), "deals__ix__stage__amount.home (stage=?"),
        (F.stage == "open", ("name",), "deals__ix__stage__name__f (stage=?"),
        (
            (F.stage == "open") & F.closed.is_empty(),
            ("name",),
            "deals__ix__stage__closed__name__f (stage=? AND closed=?",
        ),
    ],
)  # fmt: skip
def test_each_page_of_a_filter_and_a_sort_walks_the_index_of_both(org, session, where, sort, index, sign):
    """The first page, the next, and the one before."""
    order = tuple(f"{sign}{name}" for name in sort)

    def walk():
        first = session.find("deals", where, sort=order, limit=3)
        second = session.find("deals", where, sort=order, limit=3, after=first.next)
        again = session.find("deals", where, sort=order, limit=3, after=second.previous)
        assert [deal.id for deal in first] == [deal.id for deal in again]

    found = steps_of(org, walk)
    assert len(found) >= 3
    for steps in found:
        assert len(steps) == 1, steps
        assert steps[0].startswith(f"SEARCH deals USING INDEX {index}"), steps


def test_without_the_index_the_page_is_sorted(org, session):
    """So that the test above is known to be able to fail."""
    org.alter(org.schema.with_module(attrs.evolve(org.schema.module("deals"), indexes=())))
    found = steps_of(org, lambda: session.find("deals", F.stage == "open", sort="amount", limit=3))
    assert any("TEMP B-TREE" in step for steps in found for step in steps)


def test_a_module_that_the_store_cannot_hold_is_refused_before_anything_is_written(nubetis_org):
    """When it is planned: the journal has no operation of it, and the next change is free."""
    most = nubetis_org._world.store.capabilities.max_fields
    wide = Module(name="wide", fields=[Field(name=f"f{n}", type=kind("integer")) for n in range(most)])
    with nubetis_org.administrator() as session:
        before = operations(session)
        with refusing("no_capability", StoreError):
            nubetis_org.add_module(wide)
        assert before == operations(session)
    nubetis_org.add_module(attrs.evolve(wide, fields=wide.fields[:3]))
