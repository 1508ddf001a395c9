"""Moving an organisation between stores of all kinds: what arrives, what an interruption leaves, what is refused."""

from __future__ import annotations

import threading
import tracemalloc
from contextlib import closing, contextmanager
from random import Random

import attrs
import pytest

import nubetis
from nubetis import F, Field, HostSignIn, Module, Money
from nubetis.backends import copying
from nubetis.backends.blobs import StoreBlobs
from nubetis.backends.copying import content_hash, copy_store
from nubetis.backends.memory import forget_memory
from nubetis.backends.sql import open_sqlite
from nubetis.backends.sql.postgres import open_postgres
from nubetis.errors import Damaged, InvalidValue, NotFound, StoreError
from nubetis.model.kinds import FileRef, kind
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Batch, Guard
from nubetis.model.system import BLOBS, MODULES, SYSTEM_SCHEMA, VERSIONS
from nubetis.org import copy, restore
from nubetis.session.erasing import erase
from tests.stores import refusing, rows_of

ADMIN = "ana@acme.pe"
WAYS = [("memory", "sqlite"), ("sqlite", "postgres"), ("postgres", "sqlite"), ("postgres", "memory")]


@pytest.fixture
def place(request, tmp_path):
    """Give the URL of an empty place of a kind, by a name; those in memory are forgotten at the end."""
    made = []

    def give(store, name):
        if store == "postgres":
            number = f"{Random(f'{tmp_path} {name}').getrandbits(64):x}"
            return request.getfixturevalue("postgres")(f"c{number}")
        made.append(f"memory://{tmp_path}/{name}")
        return made[-1] if store == "memory" else f"sqlite:///{tmp_path}/{name}.db?profile=fast"

    yield give
    for url in made:
        forget_memory(url)


def fill(org):
    """Let an organisation have something of everything: fields of its own, a journal with an undo and an erasure."""
    pets = Module(name="pets", fields=[Field(name="name", type=kind("text")), Field(name="face", type=kind("bytes"))])
    org.add_module(pets)
    with org.session(HostSignIn(ADMIN, factor=True)) as s:
        deals = [
            {"name": f"Ñandú {n}", "amount": Money(n, "PEN"), "tags": ["a", "b"][: n % 3], "stage": "open"}
            for n in range(60)
        ]
        s.apply(s.plan_create("deals", deals))
        s.undo(s.apply(s.plan_update("deals", F.name.matches("nandu"), stage="won")))
        s.apply(s.plan_delete("deals", F.name == "Ñandú 7"))
        s.create("pets", name="x", face=b"\0\xff" * 40)
        lead = s.create("leads", name="Erased", last_name="Erased", email="gone@acme.pe")
        erase(s, lead.id)
        data = b"the bytes of a file" * 500
        s.create("attachments", file=FileRef(name="a.txt", size=len(data), hash=org.blobs.put(data)))
    org._world.store.write(lambda txn: txn.write(Batch(guards=(Guard(counter="seats", delta=-3),))))
    return org.verify().anchor


def seen(org):
    """Give all that an organisation holds, as people and the journal see it, and its content hash."""
    schema = org.schema
    tables = {module.name: rows_of(org, module) for module in schema.modules if module not in copying._OWN}
    store = org._world.store
    tallies = {m.name: [store.read(lambda t, m=m: t.tally(m, "owner"))] for m in schema.modules if m.tallied_by}
    return tables, tallies, org.settings(), store.read(lambda txn: content_hash(txn, schema))


@pytest.mark.parametrize(("old", "new"), WAYS)
def test_everything_arrives_and_is_sealed_as_before(place, old, new):
    source, target, told = place(old, "old"), place(new, "new"), []
    with nubetis.create(source, administrator=ADMIN, settings={"currency": "PEN"}) as org:
        anchor, before = fill(org), seen(org)

    copied = copy(source, target, progress=lambda done, total: told.append((done, total)))

    assert (3 * copied.rows,) * 2 == told[-1]  # read, written, compared
    with nubetis.open(target) as org:
        assert before == seen(org)
        assert copied.content == before[-1]
        assert [] == org.check()
        org.verify(anchor=anchor).require()
        counters = org._world.store.read(copying._counters)
        assert (-3, 2) == (counters["seats"], counters["nodes"])  # the lease of the maker, and of who opened it
        with org.session(HostSignIn(ADMIN, factor=True)) as s:
            assert 59 == s.count("deals", F.name.matches("nandu"))
            s.create("deals", name="goes on")
        org.verify(anchor=anchor).require()


# -- interruptions ----------------------------------------------------------------------------------------------------
class Stopped(Exception):
    """Ends a copy on purpose."""


@pytest.fixture
def old(place):
    """Give the URL of an organisation in memory, with something of everything."""
    with nubetis.create(place("memory", "old"), administrator=ADMIN, settings={"currency": "PEN"}) as org:
        fill(org)
    return place("memory", "old")


def stopping(share):
    """Give a progress that ends a copy where that share of it is done."""

    def stop(done, total):
        if done >= share * total:
            raise Stopped

    return stop


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_copy_that_was_interrupted_leaves_nothing_where_nothing_was(old, place, store, share, tmp_path):
    target = place(store, "new")

    with pytest.raises(Stopped):
        copy(old, target, progress=stopping(share))

    assert [] == list(tmp_path.iterdir())
    with refusing("no_database", NotFound):
        nubetis.open(target)
    copy(old, target)
    with nubetis.open(old) as one, nubetis.open(target) as other:
        assert seen(one) == seen(other)


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("share", [0.2, 0.5, 1.0])
def test_what_is_to_be_replaced_stays_while_the_source_is_read_and_in_a_file_until_the_copy_is_whole(
    old, place, store, share
):
    """In other stores an interruption leaves what is no organisation, until the copy is made again."""
    target = place(store, "new")
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        before = seen(org)

    with pytest.raises(Stopped):
        copy(old, target, replace=True, progress=stopping(share))

    if store == "sqlite" or share < 1 / 3:
        with nubetis.open(target) as org:
            assert before == seen(org)
    else:
        with refusing("half_made", StoreError) as caught:
            nubetis.open(target)
        assert "--replace" in str(caught.value)
        with refusing("half_made"):
            copy(old, target)
        with refusing("half_made"):
            copy(target, place("memory", "third"))
        with refusing("half_made"):
            nubetis.create(target, administrator=ADMIN)
    copy(old, target, replace=True)
    with nubetis.open(old) as one, nubetis.open(target) as other:
        assert seen(one) == seen(other)
        assert [] == other.check()


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_a_damaged_source_harms_no_target_and_is_the_one_that_is_named(old, place, store, tmp_path):
    bad, target, fresh = place("sqlite", "bad"), place(store, "good"), place(store, "fresh")
    copy(old, bad)
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        before = seen(org)
    harm(tmp_path / "bad.db", "deals")

    for url, replace in ((target, True), (fresh, False)):
        with refusing("damaged", Damaged) as caught:
            copy(bad, url, replace=replace)
        assert "bad.db" in str(caught.value)

    with nubetis.open(target) as org:
        assert before == seen(org)
    with refusing("no_database", NotFound):
        nubetis.open(fresh)
    assert not (tmp_path / "fresh.db").exists()


def test_a_source_that_breaks_while_it_is_written_is_named_too(old, place, monkeypatch):
    """What the source cannot give is no fault of the target, whose unit asks for it."""
    import sqlite3

    bad, calls, batches = place("sqlite", "bad"), [], copying._batches
    copy(old, bad)

    def broken(txn, module):
        calls.append(module.name)
        if calls.count("deals") == 2:
            error = sqlite3.DatabaseError("broken")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        yield from batches(txn, module)

    monkeypatch.setattr(copying, "_batches", broken)
    with refusing("damaged", Damaged) as caught:
        copy(bad, place("sqlite", "good"))
    assert "bad.db" in str(caught.value)


@pytest.mark.parametrize("kept", ["organisation", "back-up"])
def test_a_file_is_as_it_was_when_it_has_been_copied_from(old, place, tmp_path, kept):
    """To the byte, so its sum can be kept beside it."""
    source = place("sqlite", "kept")
    if kept == "organisation":
        copy(old, source)
        nubetis.open(source).close()
    else:
        with nubetis.open(old) as org:
            org.backup(f"{tmp_path}/kept.db")
    before = (tmp_path / "kept.db").read_bytes()

    copy(source, place("memory", "new"))

    assert before == (tmp_path / "kept.db").read_bytes()
    assert ["kept.db"] == [path.name for path in tmp_path.iterdir()]


def harm(path, table):
    """Write over the first page of a table."""
    import sqlite3

    with closing(sqlite3.connect(path)) as link:
        ((page,),) = link.execute("SELECT rootpage FROM sqlite_master WHERE name = ?", (table,)).fetchall()
        ((size,),) = link.execute("PRAGMA page_size").fetchall()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
def test_what_was_at_the_target_is_gone_where_it_is_replaced(old, place, store):
    target = place(store, "new")
    with nubetis.create(target, administrator="luis@acme.pe", settings={"currency": "USD"}) as org:
        org.add_module(Module(name="cars", fields=[Field(name="name", type=kind("text"), unique=True)]))
        org.add_field("deals", Field(name="colour", type=kind("text"), unique=True))
        with org.session(HostSignIn("luis@acme.pe")) as s:
            s.create("cars", name="x")
            s.create("deals", name="x", colour="red", tags=["a"])
        org._world.store.write(lambda txn: txn.allocate("theirs"))

    with refusing("database_exists"):
        copy(old, target)
    copy(old, target, replace=True)

    with nubetis.open(old) as one, nubetis.open(target) as other:
        assert seen(one) == seen(other)
        assert [] == other.check()
        assert "theirs" not in other._world.store.read(copying._counters)
        other.add_module(Module(name="cars", fields=[Field(name="name", type=kind("text"), unique=True)]))
        assert [] == rows_of(other, other.schema.module("cars"))


@pytest.mark.parametrize("store", ["memory", "sqlite", "postgres"])
@pytest.mark.parametrize("harm", ["its definition", "all definitions", "the versions"])
def test_of_a_damaged_organisation_nothing_is_left_where_it_is_replaced(old, place, store, harm):
    """The remedy for damage needs nothing of what is damaged."""
    target = place(store, "new")
    cars = Module(name="cars", fields=[Field(name="marks", type=kind("multi_choice"), choices=("a", "b"))])
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        org.add_module(cars)
        org.system("testing").create("cars", marks=["a"])
    damage(target, harm)

    copy(old, target, replace=True)

    with nubetis.open(old) as one, nubetis.open(target) as other:
        assert seen(one) == seen(other)
        assert [] == other.check()
        other.add_module(cars)
        assert [] == rows_of(other, other.schema.module("cars"))
        assert [] == other.check()


def damage(url, harm):
    """Take away definitions of modules, or what says that there is an organisation."""
    gone = {
        "its definition": "DELETE FROM modules WHERE name = 'cars'",
        "all definitions": "DROP TABLE modules",
        "the versions": "DROP TABLE versions",
    }[harm]
    if url.startswith("memory"):
        from nubetis.backends.memory.store import _HOMES

        tables = _HOMES[url.partition("://")[2]].tables
        if harm == "its definition":
            rows = tables[MODULES.id].rows
            rows.pop(next(key for key, row in rows.items() if "cars" in row))
        else:
            del tables[MODULES.id if harm == "all definitions" else VERSIONS.id]
        return
    with open_at(url) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(gone)))


@contextmanager
def open_at(url):
    """Open the store at *url*, whatever is there."""
    opened = open_sqlite if url.startswith("sqlite") else open_postgres
    with closing(opened(url, create=False)) as store:
        yield store


def test_what_others_put_beside_an_organisation_is_not_lost_with_it(old, place):
    """Nor is anything else: who made it takes it away first."""
    target = place("postgres", "new")
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        before = seen(org)
    made = {
        "CREATE TABLE songs (id int)": "songs",
        "CREATE VIEW sung AS SELECT id FROM deals": "songs, sung",
        "DROP TABLE songs": "sung",
        "CREATE SCHEMA IF NOT EXISTS reports": "sung",
        "ALTER VIEW sung SET SCHEMA reports": "reports.sung",
    }
    for sql, name in made.items():
        with open_at(target) as store:
            store._units.define(lambda txn, sql=sql: txn.apart(lambda link: link.execute(sql)))
        with refusing("not_replaced", StoreError) as caught:
            copy(old, target, replace=True)
        assert f": {name}." in str(caught.value)
        with nubetis.open(target) as org:
            assert before == seen(org)
    with open_at(target) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute("DROP VIEW reports.sung")))
    copy(old, target, replace=True)


@pytest.mark.parametrize(("name", "sql"), [
    ("notes__mine", "CREATE TABLE notes__mine (x int)"),
    ("notes__tags_extra", "CREATE TABLE notes__tags_extra (record int, value text)"),
    ("notes_old", "CREATE TABLE notes_old AS SELECT * FROM notes"),
])  # fmt: skip
def test_what_others_named_or_filled_as_ours_is_not_lost_either(old, place, name, sql):
    """A copy of records that somebody made for himself, a table named as if it stood beside one of ours."""
    target = place("postgres", "new")
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        before = seen(org)
    with open_at(target) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(sql)))
    with refusing("not_replaced", StoreError) as caught:
        copy(old, target, replace=True)
    assert f": {name}." in str(caught.value)
    with nubetis.open(target) as org:
        assert before == seen(org)
        org.alter(org.schema.without_module("notes"))
    with open_at(target) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(f"SELECT count(*) FROM {name}")))


@pytest.mark.parametrize(("sql", "name", "away"), [
    ("CREATE TABLE songs (id int)", "songs", "DROP TABLE songs"),
    ("CREATE VIEW sung AS SELECT id FROM deals", "sung", "DROP VIEW sung"),
])  # fmt: skip
def test_what_others_put_into_the_file_of_an_organisation_is_not_lost_with_it(old, place, sql, name, away):
    """The file is replaced as a whole, so nothing of theirs may be in it."""
    target = place("sqlite", "new")
    with nubetis.create(target, administrator="luis@acme.pe") as org:
        before = seen(org)
        org.alter(org.schema.without_module("notes"))
    with open_at(target) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(sql)))
    with refusing("not_replaced", StoreError) as caught:
        copy(old, target, replace=True)
    assert f": {name}." in str(caught.value)
    with open_at(target) as store:
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(f"SELECT * FROM {name}")))
        store._units.define(lambda txn: txn.apart(lambda link: link.execute(away)))
    copy(old, target, replace=True)
    with nubetis.open(target) as org:
        assert before != seen(org)


def test_a_backup_is_restored_over_a_damaged_organisation(place, tmp_path):
    """That is what its errors say to do."""
    url, file = place("postgres", "one"), f"{tmp_path}/back-up.db"
    with nubetis.create(url, administrator=ADMIN, settings={"currency": "PEN"}) as org:
        fill(org)
        org.backup(file)
        before = seen(org)
    for harm in ("the versions", "all definitions"):
        damage(url, harm)
        restore(file, url, replace=True)
        with nubetis.open(url) as org:
            assert before == seen(org)
            assert [] == org.check()


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_an_organisation_is_not_copied_onto_itself_whatever_it_is_called(place, store, tmp_path):
    url = place(store, "one")
    with nubetis.create(url, administrator=ADMIN, settings={"currency": "PEN"}) as org:
        fill(org)
        before = seen(org)
    (tmp_path / "link.db").symlink_to(tmp_path / "one.db")
    other = url if store == "memory" else f"sqlite:///{tmp_path}/link.db"

    for again in (url, other):
        with refusing("bad_argument", InvalidValue):
            copy(url, again, replace=True)

    with nubetis.open(url) as org:
        assert before == seen(org)
        assert not [name for name in org._world.store.read(copying._counters) if name.startswith("copy")]


def test_what_does_not_arrive_as_it_was_sent_is_found(old, place, monkeypatch):
    """A target that loses a cell, or a row, or a counter, leaves nothing."""
    from nubetis.backends.memory.transactions import Transaction

    load = Transaction.bulk_load
    harms = (
        lambda rows: rows[1:],
        lambda rows: [(*rows[0][:-1], "other" if isinstance(rows[0][-1], str) else 7), *rows[1:]],
    )
    for number, harm in enumerate(harms):
        target = place("memory", f"new{number}")

        def worse(txn, module, rows, harm=harm):
            whole = list(rows)
            return load(txn, module, harm(whole) if module.name == "deals" else whole)

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "bulk_load", worse)
            with refusing("miscopied", Damaged) as caught:
                copy(old, target)
        assert "deals" in str(caught.value)
        with refusing("no_database"):
            nubetis.open(target)


def test_a_counter_that_does_not_arrive_as_it_was_sent_is_found(old, place, monkeypatch):
    """Its numbers would be given twice; a content hash says nothing of it."""
    from nubetis.backends.memory.transactions import Transaction

    write = Transaction.write
    for number, harm in enumerate((lambda guards: guards[1:], lambda guards: (attrs.evolve(guards[0], delta=7),))):
        target = place("memory", f"new{number}")

        def worse(txn, batch, harm=harm):
            return write(txn, attrs.evolve(batch, guards=harm(batch.guards)) if len(batch.guards) > 1 else batch)

        with monkeypatch.context() as patch:
            patch.setattr(Transaction, "write", worse)
            with refusing("miscopied", Damaged) as caught:
                copy(old, target)
        assert "counters" in str(caught.value)
        with refusing("no_database"):
            nubetis.open(target)


def test_others_go_on_writing_and_the_copy_is_of_one_instant(place):
    source, target = place("sqlite", "old"), place("memory", "new")
    writing, done = threading.Event(), threading.Event()
    with nubetis.create(source, administrator=ADMIN) as org, org.session(HostSignIn(ADMIN)) as s:
        s.apply(s.plan_create("deals", [{"name": f"d{n}"} for n in range(50)]))

        def write():
            writing.wait(30)
            with org.session(HostSignIn(ADMIN)) as other:
                other.create("deals", name="later")
            done.set()

        def told(_done, _total):
            writing.set()
            assert done.wait(30)  # the writer is not kept waiting by the copy

        writer = threading.Thread(target=write)
        writer.start()
        copy(source, target, progress=told)
        writer.join(30)
        assert 51 == s.count("deals")
    with nubetis.open(target) as copied, copied.session(HostSignIn(ADMIN)) as s:
        assert 50 == s.count("deals")
        copied.verify().require()


def test_files_are_never_held_all_at_once(place):
    schema = attrs.evolve(SYSTEM_SCHEMA, modules=(*copying._OWN, MODULES, BLOBS))
    source, target = [open_sqlite(place("sqlite", name), create=True) for name in ("old", "new")]
    source.migrate(diff(Schema(), schema), schema)
    for number in range(16):
        StoreBlobs(source).put(bytes([number]) * 500_000)
    target.migrate(diff(Schema(), schema), schema)  # what is made ready once is not counted
    tracemalloc.start()
    try:
        copy_store(source, target, lambda _: schema)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    source.close()
    target.close()
    assert most < 6_000_000  # of 8; three copies of one are made


# -- refusals ---------------------------------------------------------------------------------------------------------
def test_nothing_is_made_where_there_is_nothing_to_copy(place, tmp_path):
    with refusing("no_database", NotFound):
        copy(place("sqlite", "none"), place("sqlite", "new"))
    assert [] == list(tmp_path.iterdir())


def test_what_others_wrote_is_not_copied_onto(old, tmp_path):
    theirs = tmp_path / "songs.db"
    import sqlite3

    with sqlite3.connect(theirs) as link:
        link.execute("CREATE TABLE songs (name)")
    link.close()
    before = theirs.read_bytes()
    with refusing("not_nubetis"):
        copy(old, f"sqlite:///{theirs}", replace=True)
    assert before == theirs.read_bytes()


def test_a_module_that_the_target_cannot_hold_is_named_before_anything_is_copied(place):
    source, target = place("memory", "old"), place("memory", "new")
    with nubetis.create(source, administrator=ADMIN) as org:
        fields = [Field(name=f"f{n}", type=kind("integer")) for n in range(70)]
        org.add_module(Module(name="wide", fields=[Field(name="name", type=kind("text")), *fields]))
    from nubetis.backends.memory import MemoryStore

    narrow = attrs.evolve(MemoryStore.capabilities, max_fields=70)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryStore, "capabilities", narrow)
        with refusing("no_capability") as caught:
            copy(source, target)
    assert "wide" in str(caught.value)


def test_what_is_to_be_replaced_stays_where_the_target_cannot_hold_the_new_one(place):
    source, target = place("memory", "old"), place("memory", "new")
    nubetis.create(target, administrator=ADMIN, settings={"name": "Kept"}).close()
    with nubetis.create(source, administrator=ADMIN) as org:
        org.add_module(Module(name="wide", fields=[Field(name=f"f{n}", type=kind("integer")) for n in range(70)]))
    from nubetis.backends.memory import MemoryStore

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryStore, "capabilities", attrs.evolve(MemoryStore.capabilities, max_fields=70))
        with refusing("no_capability"):
            copy(source, target, replace=True)
    with nubetis.open(target) as org:
        assert (org.name, org.check()) == ("Kept", [])


# -- back-ups ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("store", ["memory", "postgres"])
def test_any_store_is_backed_up_to_a_file_and_restored(place, store, tmp_path):
    url, again, file = place(store, "one"), place(store, "two"), f"{tmp_path}/back-up.db"
    with nubetis.create(url, administrator=ADMIN, settings={"currency": "PEN"}) as org:
        fill(org)
        anchor = org.backup(file)
        before = seen(org)
        with org.session(HostSignIn(ADMIN)) as s:
            s.create("deals", name="after the back-up")
        with refusing("unwritable"):
            org.backup(file)
        with refusing("no_folder"):
            org.backup(f"{tmp_path}/none/back-up.db")
    assert ["back-up.db"] == sorted(path.name for path in tmp_path.iterdir())
    kept = (tmp_path / "back-up.db").read_bytes()

    restore(file, again)
    with refusing("database_exists"):
        restore(file, url)
    restore(file, url, replace=True)

    assert kept == (tmp_path / "back-up.db").read_bytes()
    for place_of_it in (url, again):
        with nubetis.open(place_of_it) as org:
            assert before == seen(org)
            org.verify(anchor=anchor).require()
            assert [] == org.check()


def test_a_damaged_backup_is_not_restored(place, tmp_path):
    url = place("memory", "one")
    nubetis.create(url, administrator=ADMIN).close()
    (tmp_path / "torn.db").write_bytes(b"no database" * 100)
    with refusing("unrestorable"):
        restore(f"{tmp_path}/torn.db", url, replace=True)
    nubetis.open(url).close()


# -- the hash ---------------------------------------------------------------------------------------------------------
def test_the_content_hash_does_not_hang_on_how_rows_are_read(old, monkeypatch):
    with nubetis.open(old) as org:
        schema, store = org.schema, org._world.store
        found = set()
        for lot in (1, 7, 512):
            monkeypatch.setattr(copying, "_LOT", lot)
            found.add(store.read(lambda txn: content_hash(txn, schema)))
        assert 1 == len(found)
        with org.session(HostSignIn(ADMIN)) as s:
            s.edit(s.find("deals")[0], name="y")
        assert store.read(lambda txn: content_hash(txn, schema)) not in found
