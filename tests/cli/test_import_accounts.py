"""Each row of an imported file is accounted for: on the screen, in JSON and by the exit code."""

from __future__ import annotations

from pathlib import Path

import pytest

FILE = "Empresa,Correo\nNueva,no@x.pe\n,\nOtra,nada\n"


@pytest.fixture
def write():
    """Give a function that writes the file to be imported."""

    def call(text):
        Path("a.csv").write_text(text, encoding="utf-8")

    return call


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_empty_row_is_counted_as_one(acme, write, more):
    write(FILE)

    assert acme("import", "a.csv", "-m", "accounts", "--json", *more).json["empty"] == 1
    assert "1 row with nothing to load left out" in acme("import", "a.csv", "-m", "accounts", *more).out


def test_the_counts_of_an_import_add_up(acme, write):
    write(FILE)
    found = acme("import", "a.csv", "-m", "accounts", "--json").json

    assert found["rows"] == found["created"] + found["refused"] + found["empty"] == 3


def test_a_file_without_empty_rows_says_nothing_of_them(acme, write):
    write("Empresa\nNueva\n")

    assert "left out" not in acme("import", "a.csv", "-m", "accounts").out


@pytest.mark.parametrize("more", [(), ("--dry-run",), ("--json",), ("--dry-run", "--json"), ("--rejected", "r.csv")])
def test_an_import_done_in_part_leaves_with_a_code_of_its_own(acme, write, more):
    write(FILE)

    assert acme("import", "a.csv", "-m", "accounts", *more).code == 4


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_an_import_of_all_rows_leaves_with_0(acme, write, more):
    write("Empresa\nNueva\n")

    assert acme("import", "a.csv", "-m", "accounts", *more).code == 0


def test_the_way_back_names_the_organisation_that_was_named(nubetis, write):
    nubetis("create", "--administrator", "ana@acme.pe", "--db", "other one.db")
    write("Empresa\nNueva\n")
    said = nubetis("import", "a.csv", "-m", "accounts", "--db", "other one.db").out

    assert "--db 'other one.db'" in said


def test_the_way_back_names_no_organisation_where_it_is_the_usual_one(acme, write):
    write("Empresa\nNueva\n")

    assert "--db" not in acme("import", "a.csv", "-m", "accounts").out
    assert "--db" not in acme("import", "a.csv", "-m", "accounts", "--db", "nubetis.db").out


def test_the_help_explains_the_code_of_an_import_done_in_part(nubetis):
    assert "rows were refused" in nubetis("--help").out


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_line_with_too_few_or_too_many_cells_is_told(acme, write, more):
    """It may have lost a delimiter, and then its values stand in wrong columns."""
    write("Empresa,Ciudad,Correo\nUna,Lima,a@x.pe\nDos,Lima\nTres,Lima,c@x.pe,\nCuatro,Lima,d@x.pe,más\n")
    said = acme("import", "a.csv", "-m", "accounts", *more)

    assert "not as many cells as the header: 2; line (cells): 3 (2), 5 (4)." in " ".join(said.out.split())
    found = acme("import", "a.csv", "-m", "accounts", "--json", *more).json
    assert "uneven_rows" in [each["code"] for each in found.get("plan", found)["warnings"]]


def test_lines_of_one_length_are_not_told(acme, write):
    write("Empresa,Ciudad,Correo\nUna,Lima,a@x.pe\n,,\n")

    assert "as many cells" not in acme("import", "a.csv", "-m", "accounts").out
