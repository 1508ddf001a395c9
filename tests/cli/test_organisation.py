"""create, doctor, backup, restore."""

from __future__ import annotations

import shlex
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

    assert (said.code, said.json["organisation"]) == (3, None)
    assert said.json["findings"][0]["code"] == "cannot_open"
    assert "no_database" in nubetis("doctor").out


def test_doctor_finds_a_journal_that_was_changed(acme):
    assert acme("journal", "verify").code == 0
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE operations SET cause = 'user' WHERE cause = 'import'")

    said = acme("doctor", "--json")
    assert said.code == 1
    assert [each["code"] for each in said.json["findings"]] == ["tampered"]


def test_the_remedies_of_doctor_can_be_pasted(acme):
    """They name the organisation that was looked at, whatever is in its name, and nothing where it is the usual one."""
    acme("backup", "it's mine.db")
    for name, there in (("it's mine.db", ["--db", "it's mine.db"]), ("nubetis.db", [])):
        with closing(sqlite3.connect(name)) as link, link:
            link.execute("DROP INDEX accounts__ix__owner")
        (found,) = acme("doctor", "--json", *there).json["findings"]
        assert found["remedy"] in acme("doctor", *there).out
        pasted = shlex.split(found["remedy"].partition(": ")[2])
        assert pasted == ["nubetis", "doctor", *there, "--repair"]
        assert acme(*pasted[1:]).code == 0


def test_a_backup_can_be_restored_and_has_all_records(acme):
    anchor = acme("backup", "copy.db", "--json").json["anchor"]
    said = acme("restore", "copy.db", "--db", "again.db", "--json")

    assert (said.code, said.json["name"]) == (0, "Acme")
    assert acme("journal", "verify", "--anchor", anchor, "--db", "again.db").code == 0
    assert acme("find", "accounts", "--db", "again.db", "--json").json["total"] == 2


def test_restore_replaces_only_when_asked(acme):
    acme("backup", "copy.db")

    assert acme("restore", "copy.db").code == 1
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


def test_doctor_mends_when_asked_and_says_what(acme):
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE accounts SET name__f = 'x'")
    before = acme("doctor", "--json")
    said = acme("doctor", "--repair", "--json")

    assert (before.code, before.json["mended"]) == (1, [])
    assert (said.code, said.json["findings"], said.json["mended"]) == (0, [], before.json["findings"])
    assert "--repair" in before.json["findings"][0]["remedy"]
    assert acme("find", "accounts", 'name = "acme perú"', "--json").json["total"] == 1


def test_doctor_shows_what_was_found_with_its_code_and_what_to_do(acme):
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        link.execute("UPDATE accounts SET name__f = 'x'")
    said = acme("doctor").out

    assert "✗ Column name__f of accounts is not the fold of its text in 2 rows. " in " ".join(said.split()) + " "
    assert "twin_wrong" in said
    assert "→ It can be made again" in said
    assert "✓ Put right: " in acme("doctor", "--repair").out


def test_doctor_answers_three_where_there_is_nothing_to_open(nubetis):
    for name in ("missing.db", "no/such/missing.db"):
        said = nubetis("doctor", "--db", name, "--json")

        assert (said.code, [each["code"] for each in said.json["findings"]]) == (3, ["cannot_open"])


def test_what_has_no_header_has_no_lines_for_one(acme):
    lines = acme("doctor").out.splitlines()

    assert lines[0].strip() == "Environment"
    assert lines[1].startswith("python ")


def test_doctor_finds_with_an_anchor_a_journal_that_was_cut_short(acme):
    anchor = acme("backup", "copy.db", "--json").json["anchor"]
    assert acme("doctor", "--anchor", anchor).code == 0
    said = acme("doctor", "--anchor", "9" + anchor, "--json")

    assert (said.code, said.json["findings"][0]["code"]) == (1, "tampered")


def test_an_organisation_is_copied_to_another_file(acme):
    anchor = acme("journal", "verify", "--json").json["anchor"]
    said = acme("copy", "nubetis.db", "moved.db", "--json")

    assert (said.code, said.json["name"], said.json["anchor"]) == (0, "Acme", anchor)
    assert acme("find", "accounts", "--db", "moved.db", "--json").json["total"] == 2
    again = acme("copy", "nubetis.db", "moved.db", "--json")
    assert (again.code, again.json["error"]["code"]) == (1, "database_exists")
    assert said.json["content"][:16] in acme("copy", "nubetis.db", "moved.db", "--replace").out.replace("\n", "")


def test_no_answer_holds_a_password(nubetis):
    url = "postgresql://ana:hunter2@127.0.0.1:1/crm?schema=acme&connect_timeout=2"
    calls = (
        ("create", "--administrator", "ana@acme.pe", "--db", url), ("find", "deals", "--db", url),
        ("doctor", "--db", url), ("backup", "x.db", "--db", url), ("copy", url, "x.db"),
        ("restore", "x.db", "--db", url),
    )  # fmt: skip
    for call in calls:
        for more in ((), ("--json",)):
            said = nubetis(*call, *more)
            assert said.code == 3, call
            assert "hunter2" not in said.out + said.err
