"""Names that a database keeps for itself: of modules they are mapped, of fields they are refused by every store."""

from __future__ import annotations

import pytest

from nubetis import Field, Module
from nubetis.errors import InvalidValue
from nubetis.model.kinds import kind
from tests.stores import refusing


@pytest.mark.parametrize("name", ["pg_class", "pg_tables", "pg_user", "sqlite_master", "sqlite_things"])
def test_a_module_may_be_called_as_a_table_of_the_database(nubetis_org, nubetis_session, name):
    nubetis_org.add_module(Module(name=name, fields=[Field(name="name", type=kind("text"))]))
    nubetis_session.create(name, name="Lima")

    assert [each["name"] for each in nubetis_session.find(name)] == ["Lima"]
    assert nubetis_org.check() == []


@pytest.mark.parametrize("name", ["rowid", "oid", "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"])
def test_a_field_may_not_be_called_as_a_column_that_every_table_has(name):
    with refusing("bad_name", InvalidValue):
        Field(name=name, type=kind("text"))
