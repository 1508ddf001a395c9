"""An organisation on PostgreSQL: the door, what its URL says, and what may go wrong with a server."""

from __future__ import annotations

import threading

import psycopg
import pytest

import nubetis
from nubetis import F, HostSignIn, Money
from nubetis.backends.sql.postgres.connections import locate
from nubetis.errors import InvalidValue, NotFound, NubetisError, StoreError

ADMIN = "ana@acme.pe"


@pytest.fixture
def url(postgres, request):
    """Give the URL of a schema of the test's own."""
    return postgres(request.node.name[:60])


@pytest.fixture
def org(url):
    with nubetis.create(url, administrator=ADMIN, settings={"currency": "PEN"}) as org:
        yield org


def _session(org, user=ADMIN):
    return org.session(HostSignIn(user, factor=True))


def test_what_is_written_is_found_changed_undone_and_verified(org):
    with _session(org) as s:
        deals = [
            {
                "name": f"Ñandú {n}",
                "amount": Money(n, "PEN"),
                "stage": ("open", "won")[n % 2],
                "tags": ["a", "b"][: n % 3],
            }
            for n in range(40)
        ]
        s.apply(s.plan_create("deals", deals))
        won = (F.stage == "won") & F.name.matches("nandu")
        assert 20 == s.count("deals", won)
        page = s.find("deals", won, sort="-amount", limit=7)
        assert [f"Ñandú {n}" for n in range(39, 25, -2)] == [deal["name"] for deal in page]
        assert "Ñandú 25" == s.find("deals", won, sort="-amount", limit=7, after=page.next)[0]["name"]
        operation = s.apply(s.plan_update("deals", won, stage="lost"))
        assert 0 == s.count("deals", won)
        assert 20 == len(s.undo(operation).reversed)
        assert 20 == s.count("deals", won)
    org.verify().require()
    assert [] == org.check()


def test_what_was_written_is_there_when_it_is_opened_again(org, url):
    with _session(org) as s:
        deal = s.create("deals", name="Café Lima")
    with nubetis.open(url) as again, _session(again) as s:
        assert "Café Lima" == s.get(deal.id)["name"]


def test_schemas_of_one_server_know_nothing_of_each_other(org, postgres, request):
    with _session(org) as s:
        deal = s.create("deals", name="x")
    other = postgres(f"{request.node.name[:50]}_2")
    with nubetis.create(other, administrator=ADMIN) as org_2, _session(org_2) as s, pytest.raises(NotFound):
        s.get(deal.id)


def test_opening_never_makes_a_schema(postgres):
    url = postgres("nobody_made_it")
    for _ in range(2):
        with pytest.raises(NotFound) as caught:
            nubetis.open(url)
        assert "no_database" == caught.value.code


def test_a_schema_of_others_is_left_as_it_is(postgres):
    base = postgres("theirs")
    with psycopg.connect(locate(base).conninfo, autocommit=True) as raw:
        raw.execute("CREATE SCHEMA theirs")
        raw.execute("CREATE TABLE theirs.things (x int)")
        for act in (nubetis.open, lambda url: nubetis.create(url, administrator=ADMIN)):
            with pytest.raises(StoreError) as caught:
                act(base)
            assert "not_nubetis" == caught.value.code
        assert [("things",)] == raw.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'theirs'").fetchall()


def test_a_server_that_is_not_there_is_named_without_the_password():
    with pytest.raises(StoreError) as caught:
        nubetis.open("postgresql://ana:hunter2@127.0.0.1:1/crm?schema=acme")
    assert "unreachable" == caught.value.code
    assert "hunter2" not in f"{caught.value}{caught.value!r}{caught.value.__cause__!r}"


@pytest.mark.parametrize(
    "bad",
    ["postgresql://h/d?schema=", "postgresql://h/d?schema=pg_x", f"postgresql://h/d?schema={'x' * 64}",
     "postgresql://h/d?profile=quick", "mysql://h/d"],
)  # fmt: skip
def test_a_url_that_names_no_schema_is_refused(bad):
    with pytest.raises(InvalidValue) as caught:
        locate(bad)
    assert "bad_argument" == caught.value.code


def test_any_name_of_a_schema_is_quoted(postgres):
    url = postgres("a %22b%22 %25s; -- Ñ")
    with nubetis.create(url, administrator=ADMIN) as org, _session(org) as s:
        assert 1 == s.count("users")


def test_a_connection_that_the_server_ends_is_made_anew(org):
    with _session(org) as s:
        s.create("deals", name="before")
        link = org._world.store._units.pool._idle[0]
        (number,) = link.execute("SELECT pg_backend_pid()").fetchone()
        with psycopg.connect(locate(org.url).conninfo, autocommit=True) as raw:
            raw.execute("SELECT pg_terminate_backend(%s, 10000)", (number,))
        s.create("deals", name="after")
        assert 2 == s.count("deals")


def test_a_unit_that_swallows_a_failed_statement_writes_nothing(org):
    store = org._world.store

    def unit(txn):
        txn.allocate("x")
        with pytest.raises(psycopg.Error):
            txn._db.execute("SELECT 1/0")

    with pytest.raises(StoreError):
        store.write(unit)
    assert 1 == store.write(lambda txn: txn.allocate("x"))


def test_two_administrators_who_remove_each_other_at_once_leave_one(org):
    with _session(org) as s:
        role, profile = s.find("roles")[0].id, s.find("profiles", F.administrator == True)[0].id  # noqa: E712
        standard = s.find("profiles", F.administrator == False)[0].id  # noqa: E712
        s.create("users", name="Luis", email="luis@acme.pe", role=role, profile=profile)
    barrier, refused = threading.Barrier(2), []

    def remove(me, other):
        with _session(org, me) as s:
            user = s.find("users", F.email == other)[0]
            plan = s.plan_edits("users", {user.id: {"profile": standard}})
            barrier.wait(30)
            try:
                s.apply(plan)
            except NubetisError as error:
                refused.append(error.code)

    threads = [
        threading.Thread(target=remove, args=pair) for pair in ((ADMIN, "luis@acme.pe"), ("luis@acme.pe", ADMIN))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert 1 == len(refused)


def test_an_organisation_that_cannot_be_set_up_leaves_its_schema_empty(url):
    """The place is free for the next; one that is set up is not discarded."""
    for _ in range(2):
        with pytest.raises(InvalidValue) as caught:
            nubetis.create(url, administrator=ADMIN, settings={"currency": "soles"})
        assert caught.value.code == "bad_setting"
    with nubetis.create(url, administrator=ADMIN) as org:
        org._world.store.discard()
    with nubetis.open(url) as org:
        assert 1 == org.system("testing").count("users")
