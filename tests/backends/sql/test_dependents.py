"""What stands in the way of a change on a server: things of others are named wherever they are, and nothing is lost."""

from __future__ import annotations

import psycopg
import pytest

import nubetis
from nubetis.backends.sql.postgres.connections import locate
from nubetis.errors import StoreError
from nubetis.model.fields import Field
from nubetis.model.findings import Finding
from nubetis.model.kinds import kind
from nubetis.org import copy
from nubetis.testing.people import make_org
from tests.stores import refusing
from tests.test_doctor import execute


@pytest.fixture
def url(postgres, request):
    return postgres(request.node.name[-60:])


@pytest.fixture
def org(url):
    with make_org(url) as org:
        yield org


@pytest.fixture
def elsewhere(url):
    """Give the name of another schema of the same database."""
    name = f"of_others_{locate(url).schema[-40:]}"
    execute(url, f'CREATE SCHEMA "{name}"')
    return name


def test_a_view_that_reads_what_is_to_go_is_named(org, url, elsewhere):
    """Once it is taken away, opening goes on with the change."""
    org.add_field("leads", Field(name="nick", type=kind("text")))
    execute(url, f'CREATE VIEW "{elsewhere}".nicks AS SELECT id, nick FROM leads')
    org.alter(org.schema.retire_field("leads", "nick"))
    with refusing("depended_on", StoreError) as caught:
        org.alter(org.schema.purge_field("leads", "nick"))
    assert f"view {elsewhere}.nicks depends on column nick" in str(caught.value).replace('"', "")
    with refusing("depended_on", StoreError):
        nubetis.open(url, around=org._around)
    execute(url, f'DROP VIEW "{elsewhere}".nicks')
    with nubetis.open(url, around=org._around) as again:
        assert again.check() == []


def test_a_foreign_key_to_what_is_to_go_is_named(org, url, elsewhere, tmp_path):
    """A table of others, in a schema of theirs, that leads to records of ours."""
    source = f"sqlite:///{tmp_path}/other.db"
    nubetis.create(source, administrator="ana@acme.pe").close()
    execute(url, f'CREATE TABLE "{elsewhere}".calls (lead bigint REFERENCES leads (id))')
    with refusing("depended_on", StoreError) as caught:
        copy(source, url, replace=True)
    assert "constraint calls_lead_fkey on table" in str(caught.value)
    assert org.check() == []
    execute(url, f'DROP TABLE "{elsewhere}".calls')
    copy(source, url, replace=True)


def use_up(url, columns):
    """Let the table of leads have had so many columns more."""
    names = [f"x{number}" for number in range(columns)]
    execute(
        url,
        f"ALTER TABLE leads {', '.join([f'ADD COLUMN {name} int' for name in names])}",
        f"ALTER TABLE leads {', '.join([f'DROP COLUMN {name}' for name in names])}",
    )


def test_a_table_that_has_had_all_its_columns_is_named_before_and_refused_then(org, url, postgres):
    """Those that were purged count for ever; a copy in another schema begins anew."""
    (had,) = ask(url, "SELECT relnatts FROM pg_class WHERE oid = 'leads'::regclass")
    use_up(url, 1400 - had)
    assert org.check() == [Finding("columns_low", "leads", count=1400)]
    use_up(url, 200)
    with refusing("columns_used_up", StoreError):
        org.add_field("leads", Field(name="nick", type=kind("text")))
    assert org.interrupted() == []
    org.system("working").create("leads", name="x")
    copy(url, other := postgres(f"other_{locate(url).schema[-40:]}"))
    with nubetis.open(other, around=org._around) as again:
        again.add_field("leads", Field(name="nick", type=kind("text")))
        assert again.check() == []


def ask(url, query):
    place = locate(url)
    with psycopg.connect(place.conninfo) as link:
        link.execute(f'SET search_path TO "{place.schema}"')
        return link.execute(query).fetchone()
