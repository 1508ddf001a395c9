"""Numbers and names as people say them: one pair, two pairs; the labels of standard fields in their language."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.cli.texts import counted, speaking


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", ["0 pairs look alike", "1 pair looks alike", "2 pairs look alike"]),
        ("es", ["0 pares se parecen", "1 par se parece", "2 pares se parecen"]),
    ],
)
def test_one_is_said_as_one(language, said):
    with speaking(language):
        assert [counted("{count} pair looks alike", "{count} pairs look alike", count) for count in range(3)] == said


def test_a_command_leaves_its_language_behind(nubetis):
    with speaking("en"):
        assert "organización" in nubetis("find", "deals", "--db", "no.db", "--lang", "es").err
        assert counted("{count} row", "{count} rows", 2) == "2 rows"


def test_an_import_counts_as_people_do(acme):
    Path("a.csv").write_text("Empresa,Correo\nNueva,no@x.pe\n", encoding="utf-8")
    Path("b.csv").write_text("Empresa,Correo\nUna,a@x.pe\nOtra,b@x.pe\nMala,nada\n", encoding="utf-8")

    assert "1 row: 1 record made, 0 rows refused." in acme("import", "a.csv", "-m", "accounts").out
    assert "3 rows: 2 records made, 1 row refused." in acme("import", "b.csv", "-m", "accounts").out
    assert "3 filas: 2 registros creados, 1 fila rechazada." in (
        acme("import", "b.csv", "-m", "accounts", "--lang", "es").out
    )


def test_labels_of_standard_fields_are_in_the_language_of_the_reader(acme):
    english = acme("find", "accounts", "--fields", "name,address,created_at").out.split("\n")
    spanish = acme("find", "accounts", "--fields", "name,address,created_at", "--lang", "es").out.split("\n")

    assert next(each.split()[0] for each in english if each.split()) == "id"
    assert "Name" in english[1] + english[0]
    assert "Created at" in english[1] + english[0]
    assert "Nombre" in spanish[1] + spanish[0]
    assert "Creado el" in spanish[1] + spanish[0]
