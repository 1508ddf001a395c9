"""A user of the database to whom the tables do not belong: what cannot be mended is said, and all else goes on."""

from __future__ import annotations

import pytest

import nubetis
from nubetis.doctor import diagnose
from nubetis.model.findings import Finding
from nubetis.testing.people import make_org
from tests.backends.sql.test_postgres import guest_of
from tests.test_doctor import execute

ALL = (
    "GRANT ALL ON SCHEMA {s} TO guest",
    "GRANT ALL ON ALL TABLES IN SCHEMA {s} TO guest",
    "GRANT ALL ON ALL SEQUENCES IN SCHEMA {s} TO guest",
)


@pytest.fixture
def url(postgres, request):
    url = postgres(request.node.name[:60])
    make_org(url).close()
    return url


def test_who_does_not_own_the_tables_is_told_so_and_the_rest_is_mended(url):
    """Only where something of theirs is to be made again: who works in them needs to own nothing."""
    with guest_of(url, *ALL) as guest:
        assert "table_denied" not in [each.code for each in diagnose(guest).findings]
        with nubetis.open(guest) as org:
            org.system("working").create("leads", name="x")
        execute(url, "DROP INDEX leads__ix__owner", "UPDATE counters SET value = value - 1 WHERE name = 'seals'")
        found = diagnose(guest, repair=True)

    wanted = {Finding("table_denied", "leads", "ALTER"), Finding("index_missing", "leads", "leads__ix__owner")}
    assert wanted == set(found.findings)
    assert [each.code for each in found.mended] == ["counter_behind"]
    assert [each.code for each in diagnose(url, repair=True).mended] == ["index_missing"]


def test_who_may_make_nothing_in_the_schema_is_told_so(url):
    execute(url, "DROP INDEX leads__ix__owner")
    with guest_of(url, *ALL, "REVOKE CREATE ON SCHEMA {s} FROM guest") as guest:
        found = diagnose(guest, repair=True).findings

    assert Finding("table_denied", "leads", "ALTER, CREATE") in found
