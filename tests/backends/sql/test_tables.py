"""The tables as any SQL tool sees them, and the steps that change them."""

from __future__ import annotations

import attrs
import pytest

from nubetis.backends.sql import open_sqlite
from nubetis.backends.sql.ddl import Builder
from nubetis.errors import Conflict
from nubetis.model.bind import ALWAYS
from nubetis.model.fields import Field
from nubetis.model.kinds import kind
from nubetis.model.schema import Module, Schema, SchemaStep, StepKind, diff
from nubetis.model.store import Batch, Inserts
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, PEOPLE, PLACES, StopError, load, row_of, write


def text_field(name, **settings):
    return Field(name=name, type=kind("text"), **settings)


def change(store, schema):
    store.migrate(diff(CONTRACT_SCHEMA, schema), schema)


def test_tables_are_strict_and_named_as_modules_and_columns(query):
    (sql,) = [sql for (sql,) in query("SELECT sql FROM sqlite_master WHERE name = 'people'")]
    columns = {name: kind for _, name, kind, *_ in query("PRAGMA table_info(people)")}

    assert sql.rstrip().endswith("STRICT")
    assert columns["id"] == "INTEGER"
    assert (columns["worth"], columns["worth.currency"], columns["name__f"]) == ("INTEGER", "TEXT", "TEXT")
    assert list(columns) == list(PEOPLE.layout.full_index)


def test_side_tables_have_no_rowid_and_are_found_by_value(query):
    ((sql,),) = query("SELECT sql FROM sqlite_master WHERE name = 'people__marks'")

    assert "WITHOUT ROWID" in sql
    assert query("SELECT count(*) FROM pragma_index_list('people__marks') WHERE name = 'people__marks__ix__value'") == [
        (1,)
    ]


def test_the_key_is_the_rowid(store, query):
    load(store, PEOPLE, [row_of(PEOPLE, 1 << 62)])

    assert query("SELECT rowid FROM people") == [(1 << 62,)]


def test_indexes_are_of_the_living(query):
    indexes = dict(query("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'people'"))

    assert indexes["people__ix__name__f"].endswith("WHERE deleted_in IS NULL")
    assert "UNIQUE" in indexes["people__ux__code__f"]
    assert "people__ix__stage__size" in indexes
    assert "people__dx__deleted_in" in indexes


@pytest.mark.parametrize("name", ["order", "select", "sqlite_master", "index", "group"])
def test_words_of_sql_may_name_modules_and_fields(store, name):
    module = Module(name=name, fields=[text_field("table", unique=True), text_field("where", indexed=True)])
    schema = CONTRACT_SCHEMA.with_module(module)
    change(store, schema)
    found = schema.module(name)

    write(store, Batch(parts=(Inserts(found, [row_of(found, 5, {"table": "Ñ", "where": "x"})]),)))

    assert store.read(lambda txn: txn.get_many(found, [5]))[0] == row_of(found, 5, {"table": "Ñ", "where": "x"})


def test_a_schema_that_is_interrupted_leaves_nothing(store, query, monkeypatch):
    before = query("SELECT sql FROM sqlite_master ORDER BY name")
    schema = CONTRACT_SCHEMA.with_field("people", text_field("extra", indexed=True))
    make, calls = Builder._make_index, []

    def interrupted(self, index, text):
        calls.append(index)
        make(self, index, text)
        raise StopError

    monkeypatch.setattr(Builder, "_make_index", interrupted)
    with pytest.raises(StopError):
        change(store, schema)
    assert query("SELECT sql FROM sqlite_master ORDER BY name") == before

    monkeypatch.undo()
    change(store, schema)
    assert "extra__f" in {row[1] for row in query("PRAGMA table_info(people)")}


def test_doing_it_all_again_changes_nothing(store, query):
    before = query("SELECT name, sql FROM sqlite_master ORDER BY name")
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)

    assert query("SELECT name, sql FROM sqlite_master ORDER BY name") == before


def test_a_twin_that_goes_and_comes_back_is_filled_anew(store, query):
    load(store, PEOPLE, [row_of(PEOPLE, 1, {"name": "Ñandú"})])
    name = PEOPLE.field("name")
    plain = CONTRACT_SCHEMA.with_field("people", attrs.evolve(name, filterable=False, searchable=False, indexed=False))
    change(store, plain)
    assert "name__f" not in {row[1] for row in query("PRAGMA table_info(people)")}
    store.write(lambda txn: txn.update_where(plain.module("people"), ALWAYS, {"name": "Peña"}))

    store.migrate(diff(plain, CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    assert query("SELECT name__f FROM people") == [("pen\u0303a",)]


def test_purging_a_set_takes_its_side_table(store, query):
    load(store, PEOPLE, [row_of(PEOPLE, 1, {"marks": '["a"]'})])
    field = PEOPLE.field("marks")
    kept = [each for each in PEOPLE.fields if each.id != field.id]
    module = attrs.evolve(PEOPLE, fields=kept)
    schema = CONTRACT_SCHEMA.with_module(module)
    store.migrate([SchemaStep(StepKind.PURGE_FIELD, schema.module("people"), field)], schema)

    assert query("SELECT count(*) FROM sqlite_master WHERE name = 'people__marks'") == [(0,)]
    assert "marks" not in {row[1] for row in query("PRAGMA table_info(people)")}


def test_a_field_that_is_absent_from_an_older_schema_keeps_its_column(store, query):
    """Only a purge destroys: a migration with an older schema takes nothing away."""
    change(store, CONTRACT_SCHEMA.with_field("people", text_field("extra")))
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)

    assert "extra" in {row[1] for row in query("PRAGMA table_info(people)")}


def test_a_field_of_a_renamed_fields_old_name_has_its_own_column(store):
    renamed = CONTRACT_SCHEMA.with_field("people", attrs.evolve(PEOPLE.field("email"), name="mail"))
    both = renamed.with_field("people", text_field("email"))
    change(store, both)
    people = both.module("people")
    row = row_of(people, 1, {"email": "ana@acme.pe", "email_2": "other"})

    load(store, people, [row])
    assert store.read(lambda txn: txn.get_many(people, [1])) == [row]


def test_what_is_not_unique_names_the_field_and_no_value(store):
    load(store, PEOPLE, [row_of(PEOPLE, key, {"email": "Ana@acme.pe"}) for key in (1, 2)])
    schema = CONTRACT_SCHEMA.with_field("people", attrs.evolve(PEOPLE.field("email"), unique=True))

    with pytest.raises(Conflict) as caught:
        change(store, schema)
    assert caught.value.params == {"field": "email"}


def test_long_names_stay_apart(store, query):
    name = "n" * 55
    fields = [text_field(f"{'f' * 50}{place}", indexed=True) for place in range(3)]
    schema = CONTRACT_SCHEMA.with_module(Module(name=name, fields=fields))
    change(store, schema)

    indexes = [row[1] for row in query(f"PRAGMA index_list({name})")]
    assert len([index for index in indexes if len(index) <= 60]) == 5  # three, the owner's, the deleted


@pytest.mark.parametrize("empty", [True, False])
def test_a_great_load_ends_with_all_indexes(store, query, empty):
    before = query("SELECT sql FROM sqlite_master WHERE type = 'index' ORDER BY name")
    if not empty:
        load(store, PLACES, [row_of(PLACES, 1)])
    load(store, PLACES, [row_of(PLACES, key, {"keeper": key}) for key in range(2, 12_002)])

    assert query("SELECT sql FROM sqlite_master WHERE type = 'index' ORDER BY name") == before
    assert store.check() == []


def test_a_great_load_beside_what_is_there_keeps_the_indexes(store, statements):
    """Making them again would read all that was there before, and nobody could read it meanwhile."""
    load(store, PLACES, [row_of(PLACES, 1)])
    statements.clear()
    load(store, PLACES, [row_of(PLACES, key) for key in range(2, 12_002)])

    assert not [sql for sql in statements if "INDEX" in sql]


def test_a_great_load_that_is_not_unique_leaves_nothing(store, query):
    users = CONTRACT_SCHEMA.module("users")
    rows = [row_of(users, key, {"email": f"c{key % 11_000}"}) for key in range(12_000)]

    with pytest.raises(Conflict) as caught:
        store.write(lambda txn: txn.bulk_load(users, rows))
    assert caught.value.params == {"field": "email"}
    assert query("SELECT count(*) FROM users") == [(0,)]


def test_an_organisation_is_migrated_once_by_two(url):
    """Two processes that make the same organisation at once agree on it."""
    one, other = open_sqlite(url, create=True), open_sqlite(url, create=True)
    for store in (one, other):
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)

    assert one.format() == other.format()
    one.close()
    other.close()


def test_an_index_of_a_side_table_that_was_lost_is_made_again(store, query):
    before = query("SELECT name, sql FROM sqlite_master ORDER BY name")
    store._units.write(lambda txn: txn._db.execute("DROP INDEX people__marks__ix__value"))
    store.migrate([], CONTRACT_SCHEMA)

    assert query("SELECT name, sql FROM sqlite_master ORDER BY name") == before
