"""An organisation is harmed in every way that doctor knows: it names the harm, and mends what follows from rows."""

from __future__ import annotations

import os
import re
import sqlite3
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, date, datetime, time
from pathlib import Path
from random import Random

import attrs
import pytest

import nubetis
from nubetis import F, Money, doctor
from nubetis.backends.memory import forget_memory
from nubetis.backends.sql.sqlite import checks
from nubetis.doctor import diagnose, examine_environment
from nubetis.errors import Conflict, Damaged, NotFound
from nubetis.model.fields import Field
from nubetis.model.findings import FINDINGS, Area, Finding, Severity
from nubetis.model.ids import decode, encode
from nubetis.model.kinds import Address, FileRef, WallTime, kind
from nubetis.model.schema import Module
from nubetis.model.store import Batch, Guard, Inserts, Removals, Updates
from nubetis.model.system import BLOBS, COUNTERS, ENTRIES, OPERATIONS, OUTBOX, SYSTEM_SCHEMA
from nubetis.org import copy
from nubetis.session import applying, past
from nubetis.testing.people import make_org

VALUE = "geheimnis"
ACCOUNT, ATTACHMENT = "accounts", "attachments"


def filled(url):
    """Make an organisation with links, choices, files, an update, a deletion and something purged."""
    org = make_org(url)
    with org.administrator() as session:
        account = session.create("accounts", name=f"{VALUE} SAC", tags=["a", "b"])
        session.create("contacts", last_name=VALUE, account=account.id)
        kept, past = [
            FileRef(hash=org.blobs.put(data), name=f"{VALUE}.pdf", size=len(data)) for data in (b"kept", b"past")
        ]
        attached = session.create("attachments", file=past, about=account.id)
        session.edit(attached, file=kept)  # only the journal speaks of the other one
        session.edit(account, name=f"{VALUE} SRL")
        gone = session.create("accounts", name=f"{VALUE} EIRL")
        session.create("contacts", last_name=VALUE, account=gone.id)
        session.delete(gone.id)
    org.verify()
    return org


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def url(request, tmp_path):
    """Give where an organisation can be, on each store."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/org.db?profile=fast"
    elif request.param == "postgresql":
        yield request.getfixturevalue("postgres")(f"doctor_{tmp_path.name}"[:60])
    else:
        yield f"memory://{tmp_path}"
        forget_memory(f"memory://{tmp_path}")


@pytest.fixture
def org(url):
    with filled(url) as org:
        yield org


def codes(findings):
    return [each.code for each in findings]


def test_of_an_organisation_in_order_nothing_is_found(org, url):
    """Neither of one that was just made and used, nor when it is opened by doctor; facts say no value."""
    told = []
    assert org.check(progress=lambda done, total: told.append((done, total))) == []
    assert told == sorted(told[:-10]) + told[-10:]
    found = diagnose(url, around=org._around)

    assert (found.findings, found.mended, found.error, found.severity, found.in_order) == ((), (), None, None, True)
    assert found.store["durable"] is False
    assert found.organisation["records"]["contacts"] == 2
    assert VALUE not in repr(found)


def test_links_to_what_was_purged_lead_somewhere(org):
    assert org.purge(before=datetime(2100, 1, 1, tzinfo=UTC)) == 1

    assert org.check() == []


# -- harm that the store's own contract can do ------------------------------------------------------------------------
def row_of(org, module, index=0):
    """Give one row of a module."""
    rows = org._world.store.read(lambda txn: [row for b in txn.stream(module) for row in zip(*b, strict=True)])
    return rows[index]


def write(org, *parts, **more):
    assert org._world.store.write(lambda txn: txn.write(Batch(parts=parts, **more))).written


def lose_the_linked(org):
    account = row_of(org, org.schema.module("accounts"))
    write(org, Removals(org.schema.module("accounts"), [account[0]]))


def lose_the_file(org):
    write(org, Removals(BLOBS, [1]))


def change_the_file(org):
    write(org, Updates(BLOBS, ("data",), [1], [(b"other",)]))


def keep_a_file_of_nobody(org):
    org.blobs.put(b"x")


def keep_a_plan_that_ended(org):
    operation = row_of(org, OPERATIONS)[0]
    write(org, Inserts(BLOBS, [(1 << 50, f"plan:{operation}:00000000", 2, b"{}")]))


def set_a_counter_back(org):
    write(org, guards=(Guard(counter="seals", delta=-2),))


def set_the_nodes_back(org):
    for _ in range(6):
        org._world._leased = None
        org._world.settle()
    with org.administrator() as session:
        session.edit(session.find("contacts")[0], first_name="by the seventh node")
    write(org, guards=(Guard(counter="nodes", delta=-6),))


def lose_the_version(org):
    contacts = org.schema.module("contacts")
    write(org, Updates(contacts, ("version",), [row_of(org, contacts)[0]], [(None,)]))


def spoil_a_set(org):
    accounts = org.schema.module("accounts")
    write(org, Updates(accounts, ("tags",), [row_of(org, accounts)[0]], [(f"no {VALUE}",)]))


def lose_the_leases(org):
    row = next(row for row in all_rows(org, COUNTERS) if row[1] == "nodes")
    write(org, Removals(COUNTERS, [row[0]]))


def all_rows(org, module):
    return org._world.store.read(lambda txn: [row for b in txn.stream(module) for row in zip(*b, strict=True)])


def set_the_clock_back(org):
    entry = row_of(org, ENTRIES, -1)
    write(org, Inserts(ENTRIES, [(entry[0] + (3_600_000 << 22), *entry[1:])]))


def interrupt(org):
    write(org, Updates(OPERATIONS, ("state",), [row_of(org, OPERATIONS, -1)[0]], [("running",)]))


def interrupt_the_schema(org):
    write(org, Updates(OPERATIONS, ("state", "cause"), [row_of(org, OPERATIONS, -1)[0]], [("running", "schema")]))


def give_up_a_message(org):
    row = (1 << 50, "welcome", "{}", "k", "dead", 12, "2026-01-01T00:00:00.000000Z", row_of(org, ENTRIES)[0])
    write(org, Inserts(OUTBOX, [row]))


def lose_the_newest_entry(org):
    with org.administrator() as session:
        session.create("leads", name="by the newest")
    write(org, Removals(ENTRIES, [row_of(org, ENTRIES, -1)[0]]))


HARM = [
    (give_up_a_message, "messages_dead", None, False),
    (keep_a_file_of_nobody, "blob_orphaned", None, False),
    (keep_a_plan_that_ended, "plan_orphaned", None, True),
    (set_the_nodes_back, "counter_behind", "nodes", True),
    (set_a_counter_back, "counter_behind", "seals", True),
    (lose_the_leases, "nodes_unleased", "nodes", False),
    (interrupt, "operation_interrupted", None, False),
    (interrupt_the_schema, "schema_pending", None, False),
    (change_the_file, "blob_wrong", None, False),
    (lose_the_version, "system_cell_wrong", "contacts.version", False),
    (spoil_a_set, "cell_wrong", "accounts.tags", False),
    (lose_the_file, "blob_missing", "attachments.file", False),
    (lose_the_linked, "link_broken", None, False),
    (lose_the_newest_entry, "entry_lost", "leads", False),
    (set_the_clock_back, "clock_behind", "clock", False),
]


def test_harm_to_what_records_say_of_each_other_is_named(org):
    """One harm after the other, each found beside those before it, and mended where that can be done."""
    known, also = [], {"link_broken": ["record_lost"]}
    for harm, code, about, mends in HARM:
        harm(org)
        findings = org.check()
        new = [each for each in findings if each not in known]
        assert set(codes(new)) == {code, *also.get(code, ())}
        new = [each for each in new if each.code == code]
        assert about in {None, new[0].about}
        assert VALUE not in repr(new) + "".join(map(str, new))
        known = org.repair(findings)
        assert (new[0] in known) is not mends, code


def test_choices_that_no_cell_tells_any_more_come_back_from_their_table(org, url):
    """It is the last that knows them: a repair writes the cell, and empties nothing."""
    if org.url.startswith("memory"):
        pytest.skip("memory has no such table")
    record = org.administrator().create("accounts", name="B", tags=["norte", "sur"])
    execute(org.url, f"UPDATE accounts SET tags = '{{' WHERE id = {decode(record.id)[1]}")
    assert {each.code for each in org.check()} >= {"cell_wrong"}
    org.repair(org.check())
    assert org.check() == []
    assert org.administrator().get(record.id)["tags"] == ("norte", "sur")


@pytest.mark.parametrize("text", [f"no {VALUE}", "5", f'["{VALUE}'])
def test_choices_that_are_none_are_damage_that_names_field_and_record(org, text):
    accounts = org.schema.module("accounts")
    key = row_of(org, accounts)[0]
    if org.url.startswith("memory"):
        write(org, Updates(accounts, ("tags",), [key], [(text,)]))
    else:
        execute(org.url, f"UPDATE accounts SET tags = '{text}' WHERE id = {key}")
    record = encode(accounts.prefix, key)
    assert Finding("cell_wrong", "accounts.tags", record, 1) in org.check()
    with org.administrator() as session:
        with pytest.raises(Damaged) as caught:
            session.get(record)["tags"]
        assert ("accounts.tags" in str(caught.value), record in str(caught.value)) == (True, True)
        assert VALUE not in repr(caught.value) + str(caught.value)
        assert caught.value.__cause__ is None
        session.edit(record, tags=["new"])
    assert org.check() == []


def spoil(org, **cells):
    """Write into the first lead, by the store, what no session would; give its id."""
    leads = org.schema.module("leads")
    key = row_of(org, leads)[0]
    for column, cell in cells.items():
        write(org, Updates(leads, (column,), [key], [(cell,)]))
    return encode(leads.prefix, key)


CELLS = {
    "born": (f"{VALUE}", date(2020, 1, 31)),
    "seen": ("2020-01-31", datetime(2020, 1, 31, tzinfo=UTC)),
    "wakes": ("25:00", time(9)),
    "worth.currency": (f"{VALUE}", Money("1", "PEN")),
    "stage": (VALUE, "b"),
    "marks": (f'["b","{VALUE}"]', ["b"]),
    "when.local": (VALUE, WallTime(datetime.fromisoformat("2026-01-31"), "America/Lima")),
}
"""Column → what is none, and what is put there anew."""


def test_a_cell_that_its_type_cannot_read_and_a_choice_that_is_none_are_found(org):
    """What is written anew is as it should be; what is free is taken as it is, and so are choices of the bin."""
    kinds = {"born": "date", "seen": "datetime", "wakes": "time", "worth": "money", "when": "wall_time"}
    fields = [Field(name=name, type=kind(each)) for name, each in kinds.items()]
    fields += [
        Field(name="free", type=kind("multi_choice")),
        Field(name="stage", type=kind("choice"), choices=("a", "b")),
    ]
    fields += [Field(name="marks", type=kind("multi_choice"), choices=("a", "b"))]
    schema = org.schema
    for field in fields:
        schema = schema.with_field("leads", field)
    org.alter(schema)
    good = {name.partition(".")[0]: value for name, (_, value) in CELLS.items()}
    with org.administrator() as session:
        for _ in range(3):
            session.create("leads", name="x", free=["anything"], **good)
        assert org.check() == []
        for column, (bad, value) in CELLS.items():
            field = column.partition(".")[0]
            record = spoil(org, **{column: bad})
            found = [each for each in org.check() if each.code == "cell_wrong"]
            assert found == [Finding("cell_wrong", f"leads.{field}", record, 1)]
            session.edit(record, **{field: None})
            session.edit(record, **{field: value})
            assert org.check() == []
        session.delete(spoil(org))
        gone = spoil(org, stage=VALUE)
        assert org.check() == []  # a choice may be taken away when no living record has it
        spoil(org, born=VALUE, created_at=VALUE)
    assert org.check() == [
        Finding("system_cell_wrong", "leads.created_at", gone, 1), Finding("cell_wrong", "leads.born", gone, 1)
    ]  # fmt: skip


def test_an_entry_that_is_gone_before_it_was_sealed_is_missed_by_its_records(org, url):
    """No seal says that it was there; what says so is what it created, of which the rest is whole."""
    lose_the_newest_entry(org)
    record = org.administrator().find("leads")[0].id
    assert diagnose(url, around=org._around).findings == (Finding("entry_lost", "leads", record, 1),)


LOCKED = {
    "all users inactive": lambda org: ("users", {"state": "deactivated"}),
    "all users in the bin": lambda org: ("users", {"deleted_in": row_of(org, ENTRIES)[0]}),
    "no profile of an administrator": lambda org: ("profiles", {"administrator": 0}),
}


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("locked", LOCKED)
def test_an_organisation_that_nobody_can_administer_is_named_and_can_be_opened_again(org, url, locked):
    """The remedy is nubetis's own door, which the journal shows."""
    name, values = LOCKED[locked](org)
    module = org.schema.module(name)
    keys = [row[0] for row in all_rows(org, module)]
    write(org, Updates(module, tuple(values), keys, [tuple(values.values())] * len(keys)))

    assert diagnose(url, around=org._around).findings == (Finding("no_administrator", "users"),)
    with org.system("rescue") as system:
        if locked == "all users inactive":
            system.edit(system.find("users")[0], state="active")
        elif locked == "all users in the bin":
            system.restore(system.find("users", deleted=True)[0].id)
        else:
            system.edit(system.find("profiles", F.name == "Administrator")[0], administrator=True)
    assert diagnose(url, around=org._around).findings == ()


def test_a_broken_link_names_field_and_first_record_and_how_many(org):
    lose_the_linked(org)
    found = {each.about: each for each in org.check() if each.code == "link_broken"}

    assert sorted(found) == ["attachments.about", "contacts.account"]
    assert (decode(found["contacts.account"].detail)[0], found["contacts.account"].count) == ("con", 1)


def test_a_counter_that_was_set_on_gives_no_number_that_is_taken(org):
    set_a_counter_back(org)
    org.repair(org.check())
    with org.administrator() as session:
        session.create("accounts", name="B")

    assert org.verify().tampered == ()


def test_automatic_numbers_go_on_behind_those_that_are_taken(org):
    """Also where the counter is gone, and the last of them lies in the bin."""
    org.add_field("leads", Field(name="code", type=kind("auto_number")))
    with org.administrator() as session:
        made = [session.create("leads", name=str(number)) for number in range(3)]
        session.delete(made[-1])
    module = org.schema.module("leads")
    name = f"number:{module.id}:{module.field('code').id}"
    (counter,) = [row[0] for row in all_rows(org, COUNTERS) if row[1] == name]
    write(org, Removals(COUNTERS, [counter]))

    assert org.check() == [Finding("counter_behind", name, "leads.code", 3)]
    assert org.repair(org.check()) == []
    with org.administrator() as session:
        assert session.create("leads", name="next")["code"] == 4


def test_a_changed_journal_is_found_by_its_seals_and_a_cut_one_by_its_anchor(org, url):
    anchor = org.verify().anchor
    assert diagnose(url, anchor=anchor, around=org._around).findings == ()
    (cut,) = diagnose(url, anchor="9:" + "0" * 32, around=org._around).findings
    assert (cut.code, cut.area, cut.severity) == ("tampered", Area.SEALS, Severity.ERROR)
    write(org, Updates(OPERATIONS, ("cause",), [row_of(org, OPERATIONS)[0]], [("user",)]))

    assert set(codes(diagnose(url, around=org._around).findings)) == {"tampered"}


# -- harm that other hands do to tables -------------------------------------------------------------------------------
OURS = "WHERE module = (SELECT number FROM modules WHERE name = 'accounts')"
TWICE = f'INSERT INTO tallies (module, "column", value, delta) SELECT module, "column", value, 1 FROM tallies {OURS}'
TABLES = [
    ("UPDATE accounts SET name__f = 'x'", Finding("twin_wrong", "accounts", "name__f", 2)),
    ("UPDATE accounts SET name = NULL", Finding("twin_wrong", "accounts", "name__f", 2)),
    ("DELETE FROM accounts__tags WHERE value = 'a'", Finding("set_wrong", "accounts", "accounts__tags")),
    ("DROP TABLE accounts__tags", Finding("set_wrong", "accounts", "accounts__tags")),
    (TWICE, Finding("tally_wrong", "accounts", "owner")),
    (f"UPDATE tallies SET value = 'no' {OURS}",
     Finding("tally_wrong", "accounts", "owner")),
    (f"UPDATE tallies SET number = number + 1 {OURS}", Finding("tally_wrong", "accounts", "owner")),
    ("DROP INDEX accounts__ix__owner", Finding("index_missing", "accounts", "accounts__ix__owner")),
    ("DROP INDEX accounts__ix__owner; CREATE INDEX accounts__ix__owner ON accounts (phone)",
     Finding("index_wrong", "accounts__ix__owner")),
    ("DROP INDEX accounts__ix__owner; CREATE INDEX accounts__ix__owner ON accounts (owner)",
     Finding("index_wrong", "accounts__ix__owner")),
    ("CREATE INDEX accounts__ix__old ON accounts (name)", Finding("index_orphaned", "accounts", "accounts__ix__old")),
    ('ALTER TABLE accounts DROP COLUMN "address.city__f"', Finding("twin_missing", "accounts", "address.city__f")),
    ("ALTER TABLE accounts DROP COLUMN phone", Finding("column_missing", "accounts", "phone")),
]  # fmt: skip


def execute(url, *statements):
    """Run statements by another hand than ours."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///").partition("?")[0])) as link, link:
            for each in statements:
                link.execute(each)
        return
    import psycopg

    from nubetis.backends.sql.postgres.connections import locate

    place = locate(url)
    with psycopg.connect(place.conninfo, autocommit=True) as link:
        link.execute(f'SET search_path TO "{place.schema}"')
        for each in statements:
            link.execute(each)


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_harm_to_tables_is_named_and_what_follows_from_rows_is_made_again(org, url):
    """One organisation for all: each harm is found alone, and after its repair nothing is left of it."""
    for statement, wanted in TABLES:
        execute(url, *statement.split("; "))
        findings = org.check()
        assert wanted in findings, (statement, findings)
        assert {each.about for each in findings} == {wanted.about}, (statement, findings)
        assert VALUE not in repr(findings)
        assert org.repair(findings) == [], statement


SYSTEM = [str(module.name) for module in SYSTEM_SCHEMA.modules]


@pytest.fixture
def harmed(request, tmp_path, whole):
    """Give an organisation that is open, where it is, and how a table of it is taken away."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/org.db?profile=fast"
        (tmp_path / "org.db").write_bytes(whole)
        with nubetis.open(url) as org:
            yield org, url, lambda name: execute(url, f"DROP TABLE {name}")
        return
    url, away = request.getfixturevalue("on_a_server"), []

    def take_away(name):
        away.append(name)
        execute(url, f"ALTER TABLE {name} SET SCHEMA doctor_away")

    with nubetis.open(url) as org:
        yield org, url, take_away
    for name in away:
        execute(url, f"ALTER TABLE doctor_away.{name} SET SCHEMA doctor_whole")


@pytest.fixture(scope="module")
def on_a_server(request):
    """Give an organisation on a server for all who put back what they take away."""
    url = request.getfixturevalue("postgres")("doctor_whole")
    filled(url).close()
    execute(url, "CREATE SCHEMA doctor_away")
    return url


@pytest.mark.parametrize(
    ("harmed", "table"),
    [
        *[("sqlite", name) for name in [*SYSTEM, "accounts"]],
        *[("postgresql", name) for name in ("versions", "modules", "tallies", "accounts")],  # each takes a second
    ],
    indirect=["harmed"],
)
def test_any_table_that_is_gone_is_named_and_the_others_are_examined(harmed, table):
    """By whoever has the organisation open and by doctor, which may not get so far as to open it."""
    org, url, take_away = harmed
    take_away(table)
    twin = Finding("twin_wrong", "contacts", "last_name__f", 1)
    execute(url, "UPDATE contacts SET last_name__f = 'x' WHERE id = (SELECT min(id) FROM contacts)")
    missing = Finding("table_missing", table)
    open_ones = org.check()
    assert {missing, twin} <= set(open_ones)
    assert missing in org.repair(open_ones)
    execute(url, "UPDATE contacts SET last_name__f = 'x' WHERE id = (SELECT min(id) FROM contacts)")

    found = diagnose(url)
    assert missing in found.findings
    assert not {"module_lost", "table_foreign", "index_orphaned"} & set(codes(found.findings))
    assert table == "modules" or twin in found.findings
    assert found.error is None or found.error.code in {"damaged", "store_failed"}
    assert VALUE not in repr(found)


FOREIGN = [
    ("CREATE TABLE ledger (id INTEGER)", Finding("table_foreign", "ledger")),
    ("ALTER TABLE accounts ADD COLUMN zz INTEGER", Finding("column_foreign", "accounts", "zz")),
    ("CREATE INDEX zz ON contacts (last_name)", Finding("index_foreign", "contacts", "zz")),
]


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_what_other_hands_have_made_is_named_and_left_alone(org, url):
    """It is no harm, but whoever takes it for his own finds that no copy has it."""
    wanted = []
    for statement, finding in FOREIGN:
        execute(url, statement)
        wanted.append(finding)
        assert set(org.check()) == set(wanted)
    assert {each.severity for each in wanted} == {Severity.WARNING}
    assert set(org.repair(wanted)) == set(wanted)
    with org.administrator() as session:
        session.create("accounts", name="B")
        session.create("contacts", last_name="C")


def test_of_a_module_that_was_dropped_nothing_is_missed_by_a_copy(org, url):
    """Its definition lies in the bin, and then it is purged: that is no loss."""
    org.add_module(Module(name="visits", prefix="vis", fields=[Field(name="name", type=kind("text"))]))
    with org.administrator() as session:
        session.create("visits", name=VALUE)
    org.alter(org.schema.without_module("visits"))
    for _ in range(2):
        assert copy(url, f"memory://{url}.copy", replace=True, around=org._around).rows
        org.purge(before=datetime(2100, 1, 1, tzinfo=UTC))
    forget_memory(f"memory://{url}.copy")


def lose_the_definition(org, url, module="visits"):
    """Add a module with a record, and take its definition out of the store."""
    org.add_module(Module(name=module, prefix="vis", fields=[Field(name="name", type=kind("text"))]))
    with org.administrator() as session:
        session.create(module, name=VALUE)
    definitions = org.schema.module("modules")
    (key,) = [row[0] for row in all_rows(org, definitions) if row[definitions.layout.index["name"]] == module]
    write(org, Removals(definitions, [key]))


def test_records_whose_module_is_gone_are_found(org, url):
    """Who opens the organisation does not see them, and a copy would leave them behind."""
    lose_the_definition(org, url)
    found = diagnose(url, around=org._around)

    assert Finding("module_lost", "visits", count=1) in found.findings
    assert ("record_lost", "modules", 1) in {(each.code, each.about, each.count) for each in found.findings}
    assert found.severity is Severity.ERROR
    assert not any(each.code.endswith("foreign") for each in found.findings)
    with pytest.raises(Damaged) as caught:
        copy(url, f"memory://{url}.copy", around=org._around)
    assert caught.value.code == "damaged"
    with pytest.raises(NotFound):
        nubetis.open(f"memory://{url}.copy")


FORMS = [
    ("phone", "ALTER TABLE accounts ALTER COLUMN phone TYPE varchar(900)", "phone CHARACTER VARYING(900)"),
    ("created_in", "ALTER TABLE accounts ALTER COLUMN created_in SET NOT NULL", "created_in BIGINT NOT NULL"),
    ("id", "ALTER TABLE accounts DROP CONSTRAINT accounts_pkey", "id BIGINT NOT NULL"),
]


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
def test_a_column_of_another_form_is_found_on_a_server(org, url):
    for column, statement, form in FORMS:
        execute(url, statement)
        (found,) = org.check()
        assert (found.code, found.about) == ("column_wrong", "accounts"), column
        assert form in found.detail


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_column_of_another_form_is_found_in_a_file(org, url):
    execute(url, "ALTER TABLE accounts DROP COLUMN phone", "ALTER TABLE accounts ADD COLUMN phone INTEGER")

    assert org.check() == [Finding("column_wrong", "accounts", "phone INTEGER")]


def test_records_that_are_gone_are_counted_against_the_journal(org):
    """Nobody links to them; and a repair of the live counts does not wipe the trace."""
    with org.administrator() as session:
        made = [session.create("leads", name=f"{VALUE} {number}") for number in range(5)]
        session.delete(made[0])
    org.purge(before=datetime(2100, 1, 1, tzinfo=UTC))
    write(org, Removals(org.schema.module("leads"), [decode(each.id)[1] for each in made[1:3]]))
    wanted = Finding("record_lost", "leads", made[1].id, 2)

    assert wanted in org.check()
    assert wanted in org.repair(org.check())
    with org.administrator() as session:
        session.create("leads", name="another")
    assert wanted in org.check()


def test_of_records_made_together_the_first_that_is_gone_is_named(org):
    with org.administrator() as session:
        session.apply(session.plan_create("leads", [{"name": str(number)} for number in range(20)]))
        made = [record.id for record in session.find("leads", limit=100)]
    lost = sorted(decode(each)[1] for each in made)[7:9]
    write(org, Removals(org.schema.module("leads"), lost))

    found = [each for each in org.check() if each.code == "record_lost"]
    assert found == [Finding("record_lost", "leads", encode(org.schema.module("leads").prefix, lost[0]), 2)]


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("url", ["memory", "sqlite"], indirect=True)
def test_nothing_is_taken_for_lost_whatever_was_done(org, seed, monkeypatch):
    """Records made alone and together, over several transactions, undone, binned, restored and purged."""
    monkeypatch.setattr(applying, "CHUNK", 3)
    random = Random(seed)
    with org.administrator() as session:
        for number in range(25):
            found = [each.id for each in session.find("leads", limit=100)]
            binned = [each.id for each in session.find("leads", deleted=True, limit=100)]
            match random.choice(["one", "many", "delete", "restore", "undo", "purge"]):
                case "one":
                    session.create("leads", name=str(number))
                case "many":
                    rows = [{"name": str(each)} for each in range(random.randrange(1, 9))]
                    session.apply(session.plan_create("leads", rows))
                case "delete" if found:
                    session.delete(random.choice(found))
                case "restore" if binned:
                    session.restore(random.choice(binned))
                case "undo":
                    session.undo(past.operations(session, limit=1)[0].id)
                case "purge":
                    org.purge(before=datetime(2100, 1, 1, tzinfo=UTC))
    assert "record_lost" not in codes(org.check())


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_table_that_is_lost_is_not_made_anew_and_empty(org, url):
    execute(url, "DROP TABLE outbox")
    found = diagnose(url, repair=True, around=org._around)

    assert Finding("table_missing", "outbox") in found.findings
    assert found.mended == ()


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_columns_that_are_lost_are_made_again_and_all_else_is_as_it_was(org, url):
    """Twins from their texts, others empty, for what was in them is gone; no back-up is needed to go on."""
    twin, column = ["address.city__f"], ["phone", "phone__f"]
    with org.administrator() as session:
        made = session.create("accounts", name="x", phone="+51 987 654 321", address=Address(city="Ñaña"))
        before = {name: value for name, value in session.get(made.id).items() if name != "phone"}
    execute(url, *[f'ALTER TABLE accounts DROP COLUMN "{each}"' for each in twin + column])
    found = diagnose(url, repair=True, around=org._around)

    assert (found.findings, codes(found.mended)) == ((), ["column_missing", "twin_missing"])
    with org.administrator() as session:
        after = dict(session.find("accounts", F.address.city == "ñaña")[0].items())
        assert (after.pop("phone"), after) == (None, before)
        assert session.edit(made.id, phone="+51 987 654 322")["phone"] is not None


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_a_column_of_choices_that_is_lost_is_made_again_from_their_table(org, url):
    with org.administrator() as session:
        made = session.create("accounts", name="x", tags=["b", "a"]).id
    execute(url, "ALTER TABLE accounts DROP COLUMN tags")

    assert codes(org.repair(org.check())) == []
    with org.administrator() as session:
        assert (session.get(made)["tags"], session.count("accounts", F.tags.any_of("a"))) == (("a", "b"), 2)


@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_a_value_that_is_there_twice_is_named_by_its_records_and_the_rest_is_mended(org, url):
    """An index that keeps values unique cannot be made over it; once they differ, it can."""
    with org.administrator() as session:
        made = [session.create("roles", name=f"{VALUE} {number}").id for number in range(3)]
    keys = ", ".join([str(decode(each)[1]) for each in made[:2]])
    execute(url, "DROP INDEX roles__ux__name__f", f"UPDATE roles SET name = '{VALUE}' WHERE id IN ({keys})")
    twice = Finding("not_unique", "roles.name", made[0], 2)
    assert codes(org.check()) == ["index_missing", "twin_wrong"]  # by their twins they still differ

    assert org.repair(org.check()) == [twice]
    assert org.repair([*org.check(), Finding("tally_wrong", "roles")]) == [twice]
    assert VALUE not in repr(twice) + str(twice) + twice.remedy()
    execute(url, f"UPDATE roles SET name = 'other' WHERE id = {decode(made[1])[1]}")
    assert org.repair(org.check()) == []
    with org.administrator() as session, pytest.raises(Conflict):
        session.create("roles", name="Other")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_a_change_of_the_schema_under_way_has_made_is_left_to_it(org, url):
    execute(url, "CREATE INDEX accounts__ix__new ON accounts (name)", "UPDATE accounts SET name__f = 'x'")
    interrupt_the_schema(org)
    findings = org.check()

    assert sorted(codes(findings)) == ["schema_pending", "twin_wrong"]
    assert org.repair(findings) == findings


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_was_put_right_is_said(org, url):
    execute(url, "UPDATE accounts SET name__f = 'x'", "DROP INDEX accounts__ix__owner")
    found = diagnose(url, repair=True, around=org._around)

    assert (found.findings, codes(found.mended)) == ((), ["index_missing", "twin_wrong"])
    with org.administrator() as session:
        assert session.count("accounts", F.name == f"{VALUE} srl") == 1


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_what_is_still_wrong_is_not_said_to_be_put_right(org, url):
    """Of two twins one is spoilt as soon as it is made again."""
    spoil = "UPDATE contacts SET last_name__f = 'x'"
    execute(url, "UPDATE accounts SET name__f = 'x'", spoil,
            f"CREATE TRIGGER spoil AFTER UPDATE OF last_name__f ON contacts BEGIN {spoil}; END")  # fmt: skip
    found = diagnose(url, repair=True, around=org._around)

    assert [(each.code, each.about) for each in found.findings] == [("twin_wrong", "contacts")]
    assert [(each.code, each.about) for each in found.mended] == [("twin_wrong", "accounts")]


# -- beside those who work --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("url", ["sqlite", "postgresql"], indirect=True)
def test_what_others_write_meanwhile_is_not_taken_for_harm(org):
    """Tables, twins, sets and live counts are compared on one snapshot."""

    def work():
        with org.administrator() as session:
            for number in range(30):
                made = session.create("accounts", name=f"N {number}", tags=["a", str(number)])
                session.edit(made, tags=["b"], name=f"M {number}")

    with ThreadPoolExecutor(1) as threads:
        working = threads.submit(work)
        found = [org.check()]
        while not working.done():
            found.append(org.check())
        working.result()
    assert found == [[]] * len(found)


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_memory_does_not_grow_with_the_records(org):
    """Thirty thousand rows, each of some kilobytes as Python values, are never in memory together."""
    module = org.schema.module("contacts")
    row = row_of(org, module)
    org._world.store.write(lambda txn: txn.bulk_load(module, ((key, *row[1:]) for key in range(1, 30_001))))
    tracemalloc.start()
    try:
        assert org.check() == []
        assert tracemalloc.get_traced_memory()[1] < 4_000_000
    finally:
        tracemalloc.stop()


# -- harm to the file -------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of an organisation that nobody has open."""
    folder = tmp_path_factory.mktemp("whole")
    filled(f"sqlite:///{folder}/org.db?profile=fast").close()
    return Path(folder, "org.db").read_bytes()


@pytest.fixture
def file(whole, tmp_path):
    """Give an SQLite file of the test's own."""
    (tmp_path / "org.db").write_bytes(whole)
    return tmp_path / "org.db"


def found_in(file, **more):
    return diagnose(f"sqlite:///{file}?profile=fast", **more)


def test_an_index_that_does_not_say_what_its_table_says_is_made_again(file):
    execute(
        f"sqlite:///{file}",
        "PRAGMA writable_schema = ON",
        "UPDATE sqlite_master SET sql = replace(sql, 'deleted_in IS NULL', 'deleted_in IS NOT NULL') "
        "WHERE name = 'contacts__ix__account'",
    )
    (found,) = set(found_in(file).findings)
    assert (found.code, found.about) == ("index_wrong", "contacts__ix__account")
    done = found_in(file, repair=True)

    assert (done.findings, set(codes(done.mended))) == ((), {"index_wrong"})


def test_a_page_that_is_lost_is_damage_and_never_mended(file):
    content = bytearray(file.read_bytes())
    with closing(sqlite3.connect(file)) as link:
        (page,) = link.execute("SELECT rootpage FROM sqlite_master WHERE name = 'contacts__ix__account'").fetchone()
    content[(page - 1) * 4096 : page * 4096] = bytes(4096)
    file.write_bytes(content)
    found = found_in(file, repair=True)

    assert "file_damaged" in codes(found.findings)
    assert (found.mended, found.severity) == ((), Severity.ERROR)
    assert VALUE not in repr(found)


def test_a_store_that_cannot_be_opened_is_examined_all_the_same(file):
    execute(f"sqlite:///{file}", "DROP TABLE settings", "UPDATE users SET email__f = 'x'")
    found = found_in(file)

    assert codes(found.findings)[0] == "cannot_open"
    assert Finding("twin_wrong", "users", "email__f", 1) in found.findings
    assert found.organisation is None


def test_parts_that_cannot_be_examined_are_named_and_the_others_are(file):
    execute(f"sqlite:///{file}", "DROP TABLE changes", "UPDATE accounts SET name__f = 'x'")
    found = codes(found_in(file).findings)

    assert {"table_missing", "twin_wrong", "not_examined"} <= set(found)


def test_a_file_that_everybody_may_write_is_named(file):
    file.chmod(0o666)

    assert set(codes(found_in(file).findings)) == {"exposed"}


def test_little_room_and_a_large_log_are_named(file, monkeypatch):
    monkeypatch.setattr(checks, "LEAST_FREE", 1 << 50)
    (found,) = found_in(file).findings
    assert (found.code, found.about, found.severity) == ("disk_low", str(file), Severity.WARNING)
    monkeypatch.setattr(checks, "LEAST_FREE", 0)
    monkeypatch.setattr(checks, "LARGEST_LOG", -1)
    (found,) = found_in(file).findings

    assert (found.code, found.mends) == ("log_large", True)


def test_a_file_that_may_not_be_written_is_named(file, monkeypatch):
    """Whoever is root may write everything, so the system's answer is changed and not the file."""
    with monkeypatch.context() as patch:
        patch.setattr(os, "access", lambda *_: False)
        found = found_in(file).findings

    assert Finding("read_only", str(file)) in found


def test_facts_of_a_file_say_how_it_is_kept(file):
    facts = found_in(file).store

    assert facts["synchronous"] == "normal"
    assert facts["mode"] == "-rw-r--r--"
    assert facts["bytes"] == file.stat().st_size
    assert facts["journal_mode"] == "wal"


# -- the server -------------------------------------------------------------------------------------------------------
def test_a_server_that_does_not_sync_is_named_where_durability_was_asked_for(postgres):
    url = postgres("unsynced").replace("profile=fast", "profile=durable")
    with make_org(url) as org:
        assert {(each.code, each.detail) for each in org.check()} == {("not_durable", "fsync = off")}
        assert org.facts()["encoding"] == "UTF8"
        assert int(str(org.facts()["version"]).partition(".")[0]) >= 13


def test_facts_of_a_server_say_how_units_are_kept_apart(postgres):
    """And not what the server would do by itself."""
    with make_org(postgres("apart")) as org:
        store, found = org._world.store, {}

        def look(txn):
            txn.apart(lambda link: found.setdefault(len(found), link.execute("SHOW transaction_isolation").fetchone()))

        store.read(look)
        store.write(look)
        facts = org.facts()
    assert [level for (level,) in found.values()] == [facts["isolation_of_reads"], facts["isolation_of_writes"]]


@pytest.mark.parametrize("code", ["exposed", "operation_interrupted"])
def test_what_a_remedy_names_is_one_word_for_a_shell(code):
    assert "'a b'" in Finding(code, "a b").remedy()


def test_a_database_of_another_encoding_is_named(postgres, monkeypatch):
    """One made before that was refused."""
    import psycopg

    from nubetis.backends.sql.postgres import open_postgres, server
    from nubetis.backends.sql.postgres.connections import locate

    base = postgres("ascii")
    with psycopg.connect(locate(base).conninfo, autocommit=True) as link:
        link.execute("CREATE DATABASE seven ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        name = link.info.dbname
    with monkeypatch.context() as patch:
        patch.setattr(server, "_ENCODING", "SQL_ASCII")
        store = open_postgres(base.replace(f"/{name}?", "/seven?"), create=True)

    assert codes(store.check()) == ["encoding_wrong"]
    store.close()


# -- the environment --------------------------------------------------------------------------------------------------
def test_an_environment_in_order_has_no_findings():
    assert examine_environment() == []


@pytest.mark.parametrize(
    ("name", "value", "found"),
    [
        ("_OLDEST_SQLITE", (99, 0), Finding("sqlite_old", sqlite3.sqlite_version, "99.0")),
        ("_ZONE", "Nowhere/City", Finding("no_time_zones", "Nowhere/City")),
        ("LANGUAGES", ("en", "es", "xx"), Finding("catalogue_missing", "xx")),
        ("_required", lambda: [("no-such-package", "1", None)], Finding("package_missing", "no-such-package")),
        ("_required", lambda: [("no-such-package", "1", "extra")], None),
        ("_required", lambda: [("nubetis", "99", None)], Finding("package_old", "nubetis", doctor._version("nubetis"))),
    ],
)
def test_what_nubetis_cannot_work_with_is_named(monkeypatch, name, value, found):
    monkeypatch.setattr(doctor, name, value)

    assert examine_environment() == ([] if found is None else [found])


def test_an_sqlite_without_threads_is_named(monkeypatch):
    monkeypatch.setattr(sqlite3, "threadsafety", 0)

    assert codes(examine_environment()) == ["sqlite_not_threadsafe"]


def test_without_an_organisation_only_the_environment_is_examined():
    found = diagnose()

    assert (found.store, found.organisation, found.findings) == (None, None, ())
    assert set(found.environment["extras"]) == {"postgres", "testing"}


# -- what is said -----------------------------------------------------------------------------------------------------
PAGE = Path(__file__).parent.parent / "docs" / "reference" / "findings.md"


def test_the_reference_lists_every_code_as_the_source_has_it():
    row = r"^\| `(\w+)` \| (\w+) \| (\w+) \| (yes|no) \| (.*?) \| (.*?) \|$"
    rows = re.findall(row, PAGE.read_text("utf-8"), re.MULTILINE)

    assert rows == [
        (code, kind.area.value, kind.severity.value, "yes" if kind.mends else "no", kind.sentence, kind.remedy)
        for code, kind in FINDINGS.items()
    ]


def test_every_code_of_the_table_is_found_somewhere_in_the_source():
    source = Path(doctor.__file__).parent
    made = "\n".join(path.read_text("utf-8") for path in source.rglob("*.py") if path.name != "findings.py")

    assert [code for code in FINDINGS if f'"{code}"' not in made] == []


@pytest.mark.parametrize("code", FINDINGS)
def test_every_finding_has_a_sentence_and_a_remedy_in_spanish(code):
    found = Finding(code, "ABOUT", "DETAIL", 12345)
    for text in (found.said("es"), found.remedy("es")):
        assert text
        assert text not in {str(found), found.remedy()}
    for part in ("ABOUT", "DETAIL", "12345"):
        assert (part in found.said("es")) == (part in str(found))


def test_findings_are_values():
    found = Finding("tally_wrong", "deals", "owner")

    assert {found, attrs.evolve(found)} == {found}
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        found.code = "x"
