"""What others made that needs a table or a column of ours: it is named, wherever it is, and nothing is lost."""

from __future__ import annotations

import pytest

import nubetis
from nubetis.backends.sql.postgres.connections import locate
from nubetis.errors import StoreError
from nubetis.model.fields import Field
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
