"""An organisation on PostgreSQL: the door, what its URL says, and what may go wrong with a server."""

from __future__ import annotations

import threading
from contextlib import closing, contextmanager
from random import Random
from string import ascii_lowercase

import attrs
import psycopg
import pytest

import nubetis
from nubetis import F, Field, HostSignIn, Module, Money
from nubetis.backends.sql.postgres import open_postgres
from nubetis.backends.sql.postgres.connections import connect, locate
from nubetis.backends.urls import shown
from nubetis.doctor import diagnose
from nubetis.errors import InvalidValue, NotFound, NubetisError, StoreError
from nubetis.model.kinds import kind
from nubetis.model.schema import Schema, diff
from nubetis.model.system import COUNTERS, SYSTEM_SCHEMA, TALLIES, VERSIONS
from nubetis.testing.store_contract.setting import inserting, row_of
from tests.stores import refusing

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
    assert "Connection refused" in str(caught.value)
    assert "?." not in str(caught.value)
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


@pytest.mark.parametrize("name", ["$user", "information_schema", "pg_temp", "pg_catalog", "pg_x", "ñ" * 32, "%ff", ""])
def test_a_name_of_a_schema_that_postgresql_takes_for_another_is_refused(postgres, name):
    """`$user` in a search path is the schema named like the user, quoted or not; a long name would be cut."""
    names = "SELECT nspname FROM pg_namespace"
    with psycopg.connect(locate(postgres("public")).conninfo, autocommit=True) as raw:
        before = raw.execute(names).fetchall()
        for act in (nubetis.open, lambda url: nubetis.create(url, administrator=ADMIN)):
            with pytest.raises(InvalidValue) as caught:
                act(postgres(name))
            assert "bad_argument" == caught.value.code
        assert before == raw.execute(names).fetchall()


@pytest.mark.parametrize("name", ["$User", "user", "$user$", "PG_x", "ñ" * 31, "a,$user"])
def test_a_name_of_a_schema_that_only_looks_so_is_its_own(postgres, name):
    with closing(connect(locate(postgres(name)))) as link:
        assert (None,) == link.execute("SELECT current_schema()").fetchone()
        link.execute("CREATE SCHEMA " + '"' + name + '"')
        assert (name,) == link.execute("SELECT current_schema()").fetchone()


@pytest.mark.parametrize(
    ("query", "said"), [("schema=a&shema=acme", "shema"), ("schema=a&profile=quick", "profile"), ("Schema=a", "Schema")]
)
def test_a_setting_that_nobody_knows_is_named(query, said):
    with refusing("bad_argument", InvalidValue) as caught:
        locate(f"postgresql://ana:hunter2@h/d?{query}")
    assert said in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_a_piece_of_a_password_is_not_named_as_a_setting():
    with refusing("bad_argument", InvalidValue) as caught:
        locate("postgresql://ana?hunter2=x@h/d?schema=a")
    assert "hunter2" not in str(caught.value)


def test_errors_name_the_server_that_was_asked(postgres):
    url = postgres("nobody_made_it")
    with refusing("no_database") as caught:
        nubetis.open(url)
    assert f"at {shown(url)}." in str(caught.value)


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


class Overtaken:
    """A store in whose next unit that writes, or reads, others work once the unit has its snapshot."""

    def __init__(self, store, others):
        self._store, self._others, self.runs = store, [others], 0

    def __getattr__(self, name):
        return getattr(self._store, name)

    def _after(self, unit):
        mine = self._others.pop() if self._others else None

        def overtaken(txn):
            txn.versions()
            self.runs += mine is not None
            if mine is not None and self.runs == 1:
                thread = threading.Thread(target=mine)
                thread.start()
                thread.join()
            return unit(txn)

        return overtaken

    def read(self, unit):
        return self._store.read(self._after(unit))

    def write(self, unit):
        return self._store.write(self._after(unit))


@pytest.fixture
def overtaken(org):
    """Give a way to do a work that *others* overtake; it gives how often the unit ran."""
    store = org._world.store

    def run(others, work):
        between = org._world.store = Overtaken(store, others)
        try:
            work()
        finally:
            org._world.store = store
        return between.runs

    return run


@pytest.mark.parametrize("work", ["create", "find"])
def test_a_unit_that_was_overtaken_runs_again(org, overtaken, work):
    """A change of the schema: its snapshot has the old definitions, and the tables are the new ones."""
    do = {
        "create": lambda s: s.create("leads", name="B"),
        "find": lambda s: s.find("leads"),
    }[work]
    org.add_field("leads", nubetis.Field(name="hobby", type=kind("text")))
    with _session(org) as s:
        s.create("leads", name="A")
        gone = org.schema.retire_field("leads", "hobby").purge_field("leads", "hobby")
        assert overtaken(lambda: org.alter(gone), lambda: do(s)) == 2
        assert s.count("leads") == (2 if work == "create" else 1)
    assert org.check() == []


def test_a_column_that_is_not_there_is_told_where_no_schema_changed(org):
    """Damage does not heal by trying again."""
    with _session(org) as s:
        s.create("leads", name="A")
        org._world.store._units.apart(lambda link: link.execute("ALTER TABLE leads DROP COLUMN name CASCADE"))
        with pytest.raises(StoreError, match="UndefinedColumn"):
            s.find("leads")


RIGHTS = ("USAGE ON SCHEMA {s}", "SELECT ON ALL TABLES IN SCHEMA {s}")


@contextmanager
def guest_of(url, *statements):
    """Give the URL for another user of the server, for whom *statements* are run first, with {s} for the schema."""
    place = locate(url)
    with psycopg.connect(place.conninfo, autocommit=True) as raw:
        raw.execute("DROP ROLE IF EXISTS guest")
        raw.execute("CREATE ROLE guest LOGIN PASSWORD 'guest'")
        try:
            for each in statements:
                raw.execute(each.format(s=place.schema))
            yield f"{url}&options=-c%20role%3Dguest"
        finally:
            raw.execute("DROP OWNED BY guest")
            raw.execute("DROP ROLE guest")


@pytest.mark.parametrize("grants", [(), RIGHTS[:1], RIGHTS], ids=["nothing", "usage", "reading"])
def test_a_user_without_the_rights_is_told_which_are_missing(postgres, grants):
    """Not that there is no organisation, and nothing of files; what he may not do has left no trace."""
    url = postgres(f"rights{len(grants)}")
    nubetis.create(url, administrator="ana@acme.pe").close()
    with (
        guest_of(url, *[f"GRANT {grant} TO guest" for grant in grants]) as guest,
        refusing("read_only_server", StoreError) as caught,
    ):
        nubetis.open(guest)
    named = ("the schema is closed", "permission denied for table", "permission denied for table")[len(grants)]
    assert f"({named}" in str(caught.value)


def test_doctor_names_the_tables_that_it_may_not_read_or_write_and_goes_on(url):
    """Each by itself, and the others are examined."""
    nubetis.create(url, administrator=ADMIN).close()
    harm = (
        "DROP INDEX {s}.accounts__ix__owner",
        "CREATE TABLE {s}.songs (id int)",
        "REVOKE ALL ON {s}.songs FROM guest",
    )
    grants = ("GRANT ALL ON SCHEMA {s} TO guest", "GRANT ALL ON ALL TABLES IN SCHEMA {s} TO guest")
    less = (
        "REVOKE SELECT ON {s}.deals, {s}.leads__tags, {s}.tallies FROM guest",
        "REVOKE UPDATE, DELETE ON {s}.contacts FROM guest",
    )
    with guest_of(url, *grants, *harm, *less) as guest:
        found = diagnose(guest)
    denied = {each.about: each.detail for each in found.findings if each.code == "table_denied"}
    assert denied == {
        "accounts": "ALTER", "contacts": "DELETE, UPDATE", "deals": "SELECT", "leads__tags": "SELECT",
        "tallies": "SELECT", "songs": "DELETE, INSERT, SELECT, UPDATE",
    }  # fmt: skip
    assert ("index_missing", "accounts") in {(each.code, each.about) for each in found.findings}
    assert {"table_missing", "set_wrong"}.isdisjoint(each.code for each in found.findings)
    assert found.error is None


def test_doctor_names_the_table_that_keeps_the_organisation_from_being_opened(url):
    nubetis.create(url, administrator=ADMIN).close()
    grants = ("GRANT ALL ON SCHEMA {s} TO guest", "GRANT ALL ON ALL TABLES IN SCHEMA {s} TO guest")
    with guest_of(url, *grants, "REVOKE SELECT ON {s}.modules FROM guest") as guest:
        found = diagnose(guest)
    assert [(each.code, each.about) for each in found.findings][1:] == [("table_denied", "modules")]
    assert "permission denied for table modules" in str(found.error)


def test_a_user_who_may_not_make_the_schema_is_told_that_there_is_none(url):
    """Rights on a schema that is not there cannot be given."""
    with guest_of(url) as guest, refusing("no_schema", StoreError) as caught:
        nubetis.create(guest, administrator=ADMIN)
    assert f"There is no schema {locate(url).schema}" in str(caught.value)
    assert "GRANT CREATE ON DATABASE postgres TO guest." in str(caught.value)


def test_a_port_that_is_no_number_is_told_so_and_not_shown():
    """Where the host was forgotten it is the password."""
    for url in ("postgresql://ana@db.example:abc/crm", "postgresql://ana:s3cret/crm", "postgresql://a,b:x/crm"):
        with refusing("bad_argument", InvalidValue) as caught:
            locate(url)
        assert "port" in str(caught.value)
        assert "s3cret" not in str(caught.value)


def test_a_url_that_names_no_database_is_refused(monkeypatch):
    """The driver would take one that has the user's name; what the host's settings say is as good as a name."""
    for url in ("postgresql://ana@db.example", "postgresql://ana@db.example/?schema=x", "postgresql:///?dbname="):
        with refusing("bad_argument", InvalidValue, match="names no database"):
            locate(url)
    for url in ("postgresql:///?dbname=crm", "postgresql:///?service=crm"):
        assert locate(url).schema == "nubetis"
    monkeypatch.setenv("PGDATABASE", "crm")
    assert locate("postgresql://ana@db.example").schema == "nubetis"


# -- wide modules -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("length", [23, 35, 254])
def test_a_record_of_as_many_texts_as_a_module_may_have_fits(postgres, length):
    """Those of 23 letters are the worst: the server keeps them in the page, where longer ones leave 18 bytes."""
    with closing(open_postgres(postgres(f"wide_{length}"), create=True)) as store:
        taken = len(Module(name="wide", fields=[Field(name="n", type=kind("integer"))]).layout.full_index) - 1
        most = (store.capabilities.max_fields - taken) // 2
        fields = [Field(name=f"f{place}", type=kind("text")) for place in range(most)]
        schema = attrs.evolve(SYSTEM_SCHEMA, modules=(VERSIONS, COUNTERS, TALLIES)).with_module(
            Module(name="wide", fields=fields)
        )
        store.migrate(diff(Schema(), schema), schema)
        wide = schema.module("wide")
        random = Random(length)
        row = row_of(wide, 1, {each.name: "".join(random.choices(ascii_lowercase, k=length)) for each in fields})
        assert store.write(lambda txn: txn.write(inserting(wide, [row]))).written
        assert store.read(lambda txn: txn.get_many(wide, [row[0]])) == [row]
        more = schema.with_field("wide", Field(name="more", type=kind("text")))
        with pytest.raises(StoreError) as caught:
            store.migrate(diff(schema, more), more)
    assert caught.value.code == "no_capability"
