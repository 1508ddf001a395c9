"""create, doctor, backup, restore."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def test_create_makes_an_organisation_and_its_administrator(nubetis):
    said = nubetis("create", "--administrator", "ana@acme.pe", "--name", "Acme", "--currency", "PEN", "--json")

    assert (said.code, said.json["name"]) == (0, "Acme")
    assert "deals" in said.json["modules"]
    users = nubetis("find", "users", "--json", "--fields", "email").json["records"]
    assert [user["email"] for user in users] == ["ana@acme.pe"]


def test_the_database_may_be_named_by_the_environment(nubetis, monkeypatch):
    monkeypatch.setenv("NUBETIS_DB", "other.db")

    assert nubetis("create", "--administrator", "ana@acme.pe").code == 0
    assert Path("other.db").is_file()


def test_doctor_finds_everything_in_order(acme):
    said = acme("doctor", "--json")

    assert (said.code, said.json["findings"]) == (0, [])
    assert said.json["organisation"]["records"]["accounts"] == 2
    assert set(said.json["environment"]) >= {"python", "sqlite", "packages", "extras", "time_zones", "terminal"}
    assert "✓" in acme("doctor").out


def test_doctor_without_an_organisation_shows_the_environment(nubetis):
    said = nubetis("doctor", "--json")

    assert (said.code, said.json["organisation"]) == (1, None)
    assert said.json["findings"][0]["code"] == "cannot_open"
    assert "no_database" in nubetis("doctor").out


def test_doctor_finds_a_journal_that_was_changed(acme):
    assert acme("journal", "verify").code == 0
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE operations SET cause = 'user' WHERE cause = 'import'")

    said = acme("doctor", "--json")
    assert said.code == 1
    assert [each["code"] for each in said.json["findings"]] == ["tampered"]


def test_a_backup_can_be_restored_and_has_all_records(acme):
    anchor = acme("backup", "copy.db", "--json").json["anchor"]
    said = acme("restore", "copy.db", "--db", "again.db", "--json")

    assert (said.code, said.json["name"]) == (0, "Acme")
    assert acme("journal", "verify", "--anchor", anchor, "--db", "again.db").code == 0
    assert acme("find", "accounts", "--db", "again.db", "--json").json["total"] == 2


def test_restore_replaces_only_when_asked(acme):
    acme("backup", "copy.db")

    assert acme("restore", "copy.db").code == 3
    assert acme("restore", "copy.db", "--replace").code == 0


def test_a_newer_database_is_left_alone(acme):
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE versions SET format = 999")
    said = acme("find", "accounts", "--json")

    assert (said.code, said.json["error"]["code"]) == (3, "newer_format")


def test_with_two_administrators_one_must_be_named(acme):
    import nubetis
    from nubetis import HostSignIn

    with nubetis.open("sqlite:///nubetis.db") as org, org.session(HostSignIn("ana@acme.pe")) as session:
        first = session.find("users")[0]
        session.create("users", name="Luis", email="luis@acme.pe", role=first["role"], profile=first["profile"])

    assert acme("find", "accounts", "--json").json["error"]["code"] == "bad_argument"
    assert acme("find", "accounts", "--json", "--as", "luis@acme.pe").code == 0


def test_doctor_looks_at_the_records_of_every_module(acme):
    """What was derived from the records of a module that nobody used since the store was opened is compared, too."""
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE accounts SET name__f = 'x'")

    assert acme("doctor", "--json").json["findings"][0]["about"] == "accounts"
