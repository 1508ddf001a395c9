"""What people read is Spanish to the last word, whatever the command; what programs read does not change."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.test_usage import english

FILE = (
    "Nombre;Apellidos;Correo;Empresa;Color\nAna;Ruiz;ana@x.pe;Acme Perú;rojo\nLuis;;l@x.pe;;azul\nEva;Paz;nada;;\n"
    "Jo;Li;j@x.pe;;\nMia;Sol;m@x.pe;Otra;\n"
)


@pytest.fixture
def habla(acme, monkeypatch):
    """Give the command line in Spanish, wide enough to cut nothing."""
    monkeypatch.setenv("LANGUAGE", "es")
    monkeypatch.setenv("COLUMNS", "200")
    Path("c.csv").write_text(FILE, encoding="cp1252")
    return acme


@pytest.mark.parametrize(
    "arguments",
    [
        ["import", "c.csv", "-m", "contacts", "--dry-run"],
        ["import", "c.csv", "-m", "contacts", "--create-linked"],
        ["import", "c.csv", "-m", "contacts", "--map", "Color=email"],
        ["find", "accounts", "--fields", "id"],
        ["find", "accounts", "zzz"],
        ["history", "ACCOUNT"],
        ["journal", "list", "--limit", "1"],
        ["journal", "show", "OPERATION"],
        ["journal", "undo", "OPERATION", "--dry-run"],
        ["journal", "undo", "OPERATION"],
        ["journal", "resume", "OPERATION"],
        ["journal", "verify"],
        ["journal", "verify", "--anchor", f"1:{'0' * 32}"],
        ["doctor"],
        ["doctor", "--db", "no.db"],
        ["backup", "b.db"],
        ["create", "--db", "n.db", "--administrator", "eva@x.pe"],
        ["export", "x.csv", "-m", "accounts"],
        ["find", "accounts", "name ="],
        ["find", "accounts", "--limit", "0"],
        ["find", "acounts"],
        ["import", "no.csv", "-m", "accounts"],
        ["import", "c.csv", "-m", "contacts", "--map", "Nada=email"],
        ["restore", "no.db", "--db", "n.db"],
    ],
)
def test_no_answer_leaves_a_word_in_english(habla, arguments):
    names = {
        "ACCOUNT": habla("find", "accounts", "--json").json["records"][0]["id"],
        "OPERATION": habla("journal", "list", "--json").json["operations"][0]["id"],
    }
    said = habla(*[names.get(each, each) for each in arguments])

    assert said.out + said.err != ""
    assert english(said.out + said.err) == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE operations SET cause = 'user' WHERE cause = 'import'", "no es lo que se escribió"),
        ("DROP INDEX IF EXISTS accounts_name", "le falta, como índice"),
        ("UPDATE accounts SET name__f = 'x'", "no es el plegado de su texto"),
    ],
)
def test_doctor_says_in_spanish_what_is_not_in_order(habla, statement, said):
    with closing(sqlite3.connect("nubetis.db")) as link, link:
        if "INDEX" in statement:
            (name,) = link.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL").fetchone()
            statement = f'DROP INDEX "{name}"'
        link.execute(statement)
    given = habla("doctor")

    assert given.code == 1
    assert said in given.out


def test_what_programs_read_is_the_same_in_every_language(habla):
    spoken = [habla("journal", "list", "--json", "--lang", language).json for language in ("es", "en")]

    assert spoken[0] == spoken[1]
    assert {each["cause"] for each in spoken[0]["operations"]} == {"import", "setup"}
    assert "importación" in habla("journal", "list").out


def test_what_doctor_calls_its_facts_is_spanish(habla):
    said = habla("doctor").out

    assert {"entries", "anchor", "durable", "processes", "packages", "path"}.isdisjoint(said.split())
    assert "auditoría" in said
    assert "journal_mode" in said  # the engine's own name


def test_why_a_column_fills_a_field_is_spanish_for_programs_too(habla):
    said = habla("import", "c.csv", "-m", "contacts", "--dry-run", "--json").json["mapping"]

    assert {each["column"]: each["because"] for each in said}["Correo"] == "un sinónimo"
