"""Files as administrators have them: what Excel writes in Spanish is loaded, what is no table is refused whole."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

HEADER = "Nombre;Apellidos;Correo;Fecha de nacimiento"
ROWS = 'Ana;Núñez;ana@x.pe;31/01/1980\r\nLuis;"Peña\r\nOrtiz";luis@x.pe;01/02/1981\r\n'
FILE = f"{HEADER}\r\n{ROWS}"
GOOD = {
    "cp1252": FILE.encode("cp1252"),
    "utf-8": FILE.encode(),
    "mark": b"\xef\xbb\xbf" + FILE.encode(),
    "utf-16": FILE.encode("utf-16"),
    "utf-16 without mark": FILE.encode("utf-16-le"),
    "old Mac lines": FILE.replace("\r\n", "\r").encode(),
    "sep": ("sep=;\r\n" + FILE).encode("cp1252"),
    "title": ("Informe de contactos\r\nGenerado en mayo\r\n\r\n" + FILE).encode(),
    "wide title": ("Informe;;;\r\n;;;\r\n" + FILE).encode(),
    "empty columns": FILE.replace(";", ";;").replace("\r\nLuis", ";\r\nLuis").encode(),
    "three hundred columns": (
        HEADER + "".join(f";c{n}" for n in range(300)) + "\r\n" + ROWS.replace("1980", "1980" + ";x" * 300)
    ).encode(),
}


@pytest.mark.parametrize("name", GOOD)
def test_what_excel_writes_in_spanish_is_loaded(acme, name):
    Path("c.csv").write_bytes(GOOD[name])
    said = acme("import", "c.csv", "-m", "contacts", "--json")
    found = acme("find", "contacts", "--sort", "first_name", "--json").json["records"]

    assert (said.code, said.json["created"], said.json["refused"]) == (0, 2, 0)
    assert [each["first_name"] for each in found] == ["Ana", "Luis"]
    assert [each["last_name"].split() for each in found] == [["Núñez"], ["Peña", "Ortiz"]]
    assert [each["birth_date"] for each in found] == ["1980-01-31", "1981-02-01"]


def test_a_header_alone_makes_nothing(acme):
    Path("c.csv").write_text(HEADER, encoding="utf-8")
    said = acme("import", "c.csv", "-m", "contacts", "--json")

    assert (said.code, said.json["created"], said.json["refused"]) == (0, 0, 0)


def test_of_columns_with_one_name_the_first_is_taken_and_the_other_named(acme):
    Path("c.csv").write_text("Apellidos;Correo;Correo\nRuiz;a@x.pe;b@x.pe\n", encoding="utf-8")
    said = acme("import", "c.csv", "-m", "contacts", "--json")

    assert acme("find", "contacts", "--json").json["records"][0]["email"] == "a@x.pe"
    assert [each["column"] for each in said.json["mapping"] if each["field"] is None] == ["Correo_2"]


BAD = {
    "empty.csv": (b"", "bad_file", 1),
    "mark.csv": (b"\xef\xbb\xbf", "bad_file", 1),
    "blank.csv": (b"\r\n\r\n", "bad_file", 1),
    "nul.csv": (b"Apellidos\nRu\0iz\n", "bad_file", 1),
    "quote.csv": (b'Apellidos\n"Ruiz\n', "bad_file", 1),
    "binary.csv": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)), "bad_encoding", 1),
    "cut.csv": ("Apellidos\nNúñez\nPeñ".encode()[:-1], "bad_encoding", 1),
    "line.csv": (b"x" * 9_000_000, "bad_file", 1),
    "cells.csv": (b"x," * 2_500_000, "bad_file", 1),
    "damaged.csv.gz": (b"\x1f\x8b\x08damaged", "unreadable", 1),
    "lines.jsonl": (b'{"apellidos":"Ruiz"}\n{"apellidos":}\n', "bad_file", 1),
    "book.xlsx": (b"PK\x03\x04", "unknown_format", 1),
    "list.json": (b"[]", "unknown_format", 1),
    "nothing.csv": (b"foo;bar\n1;2\n", "bad_argument", 1),
}


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_table_is_refused_whole(acme, name):
    content, code, exit_code = BAD[name]
    Path(name).write_bytes(content)
    before = acme("journal", "list", "--json").json
    said = acme("import", name, "-m", "contacts", "--rejected", "rejected.csv", "--json")

    assert (said.json["error"]["code"], said.code) == (code, exit_code)
    assert acme("journal", "list", "--json").json == before
    assert not Path("rejected.csv").exists()


@pytest.mark.parametrize(("target", "code"), [("no/x.csv", "unwritable"), ("x.pdf", "unknown_format")])
def test_where_the_refused_rows_cannot_be_written_nothing_is_loaded(acme, target, code):
    """Else the rows would be in, the refused ones lost, and the command would seem to have failed."""
    Path("a.csv").write_text("Empresa,Correo\nNueva,no@x.pe\nOtra,nada\n", encoding="utf-8")
    said = acme("import", "a.csv", "-m", "accounts", "--rejected", target, "--json")

    assert said.json["error"]["code"] == code
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_a_dry_run_writes_the_refused_rows(acme):
    Path("a.csv").write_text("Empresa,Correo\nNueva,no@x.pe\nOtra,nada\n", encoding="utf-8")
    acme("import", "a.csv", "-m", "accounts", "--rejected", "rejected.csv", "--dry-run")

    assert Path("rejected.csv").read_text("utf-8").splitlines()[1].startswith("Otra,nada,3,email,bad_email,")
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_the_mended_file_of_refused_rows_loads(acme):
    Path("a.csv").write_text("Empresa,Correo\nNueva,no@x.pe\nOtra,nada\n", encoding="utf-8")
    acme("import", "a.csv", "-m", "accounts", "--rejected", "r.csv")
    Path("r.csv").write_text(Path("r.csv").read_text("utf-8").replace("nada", "si@x.pe"), encoding="utf-8")
    said = acme("import", "r.csv", "-m", "accounts", "--rejected", "again.csv", "--json")

    assert (said.json["created"], said.json["refused"]) == (1, 0)


def test_an_import_that_made_nothing_offers_nothing_to_take_back(acme):
    Path("a.csv").write_text("Empresa,Correo\n,no@x.pe\n", encoding="utf-8")

    assert "journal undo" not in acme("import", "a.csv", "-m", "accounts").out


def test_a_column_that_is_not_there_is_named_with_those_that_are(acme):
    said = acme("import", "accounts.csv", "-m", "accounts", "--map", "Nope=email", "--json")

    assert said.json["error"]["code"] == "unknown_column"
    assert "Empresa, Ciudad" in said.json["error"]["message"]


@pytest.mark.parametrize("encoding", ["base64", "utf-99", "undefined"])
def test_an_encoding_of_no_text_is_refused(acme, encoding):
    said = acme("import", "accounts.csv", "-m", "accounts", "--encoding", encoding, "--json", "--lang", "es")

    assert said.json["error"]["code"] == "bad_argument"
    assert f"no hay ninguna codificación {encoding}" in said.json["error"]["message"]


def test_thousands_with_points_are_thousands_or_refused(acme):
    Path("a.csv").write_text("Empresa;Empleados\nUno;1.250\nDos;2.000\n", encoding="utf-8")
    acme("import", "a.csv", "-m", "accounts")
    Path("b.csv").write_text("Empresa;Empleados\nTres;1\nCuatro;3.000\n", encoding="utf-8")
    said = acme("import", "b.csv", "-m", "accounts", "--json")
    found = acme("find", "accounts", "--sort", "employees", "employees is not empty", "--json").json["records"]

    assert [each["employees"] for each in found] == [1, 1250, 2000]
    assert [(each["line"], each["field"]) for each in said.json["rejected"]] == [(3, "employees")]


def _itself() -> str:
    return "a.csv"


def _by_a_link() -> str:
    Path("link.csv").symlink_to("a.csv")
    return "link.csv"


def _by_a_hard_link() -> str:
    Path("hard.csv").hardlink_to("a.csv")
    return "hard.csv"


def _by_a_detour() -> str:
    Path("folder").mkdir()
    return "folder/../a.csv"


def _by_its_whole_path() -> str:
    return str(Path("a.csv").absolute())


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
@pytest.mark.parametrize("named", [_itself, _by_a_link, _by_a_hard_link, _by_a_detour, _by_its_whole_path])
def test_the_refused_rows_never_take_the_place_of_the_file_they_are_from(acme, named, dry):
    """Else the rows that were not refused would be lost, in a dry run for ever."""
    content = "Empresa,Correo\nNueva,no@x.pe\nOtra,nada\n"
    Path("a.csv").write_text(content, encoding="utf-8")
    said = acme("import", "a.csv", "-m", "accounts", "--rejected", named(), *dry)

    assert (said.code, Path("a.csv").read_text("utf-8")) == (1, content)
    assert "--rejected: it is the file that is imported" in said.err
    assert acme("find", "accounts", "--json").json["total"] == 2


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_column_whose_header_names_a_field_is_never_left_out(acme, dry):
    """However few of its cells fit: each that does not is refused by its line, and what to do is said."""
    Path("a.csv").write_text("Empresa,Correo,Tipo\nUna,no tiene,x\nDos,tampoco,y\nTres,t@x.pe,z\n", encoding="utf-8")
    shown = " ".join(acme("import", "a.csv", "-m", "accounts", "--rejected", "r.csv", *dry).out.split())
    said = acme("import", "a.csv", "-m", "accounts", *dry, "--json").json
    refused = said["plan"]["refusals"] if dry else said["rejected"]

    assert [(each["line"], each["field"], each["code"]) for each in refused] == [
        (2, "email", "bad_email"), (2, "type", "unknown_choice"), (3, "email", "bad_email"),
        (3, "type", "unknown_choice"), (4, "type", "unknown_choice"),
    ]  # fmt: skip
    assert [each.split(",")[0] for each in Path("r.csv").read_text("utf-8").splitlines()[1:]] == ["Una", "Dos", "Tres"]
    assert "Column Tipo refuses 3 of 3 rows" in shown
    assert "--map Tipo=" in shown


@pytest.mark.parametrize("name", ["Correo electrónico", "E-mail", "Correo electrónico $HOME's"])
def test_what_is_said_of_a_column_can_be_pasted_into_a_shell(acme, name):
    Path("a.csv").write_text(f"Empresa,{name}\nUna,no\nDos,no\n", encoding="utf-8")
    there = ("a.csv", "-m", "accounts", "--map", f"{name}=email", "--dry-run")
    shown = " ".join(acme("import", *there).out.split())
    pasted = shlex.split(shown.partition(" Say ")[2].partition(" to leave")[0])

    assert pasted == ["--map", f"{name}="]
    assert acme("import", *there, *pasted, "--json").json["plan"]["refusals"] == []


@pytest.fixture
def peru(nubetis):
    """Give the command with an organisation that counts in PEN."""
    assert nubetis("create", "--administrator", "ana@acme.pe", "--currency", "PEN").code == 0
    return nubetis


def test_a_refusal_has_row_field_value_and_reason(peru):
    """Of a part of a field, too: the cell is that of its own column."""
    Path("a.csv").write_text("Nombre;Monto;Moneda\nUno;5;pesetas\nDos;x;PEN\n;7;PEN\n", encoding="utf-8")
    said = peru("import", "a.csv", "-m", "deals", "--dry-run", "--json").json["rejected"]

    assert [(each["line"], each["field"], each["value"]) for each in said] == [
        (2, "amount.currency", "pesetas"), (3, "amount", "x"), (4, "name", None),
    ]  # fmt: skip
    assert said == peru("import", "a.csv", "-m", "deals", "--json").json["rejected"]
    assert "pesetas" in peru("import", "a.csv", "-m", "deals").out


def test_a_column_that_refuses_few_rows_is_not_to_be_left_out(acme):
    Path("a.csv").write_text("Empresa,Correo\nUna,no tiene\nDos,d@x.pe\nTres,t@x.pe\n", encoding="utf-8")

    assert "--map" not in acme("import", "a.csv", "-m", "accounts").out


@pytest.mark.parametrize(
    ("module", "header", "cell", "code"),
    [("deals", "Monto", "1.250", "ambiguous_number"), ("contacts", "Cumpleaños", "03/04/2026", "ambiguous_date")],
)
def test_what_can_be_read_in_two_ways_is_refused_by_line_with_that_reason(acme, module, header, cell, code):
    Path("a.csv").write_text(f"Nombre;{header}\nUno;{cell}\nDos;\n", encoding="utf-8")
    said = acme("import", "a.csv", "-m", module, "--rejected", "r.csv", "--json").json

    assert (said["created"], said["refused"], said["warnings"]) == (1, 1, [])
    assert [(each["line"], each["code"]) for each in said["rejected"]] == [(2, code)]
    assert "in two ways" in said["rejected"][0]["reason"]
    assert Path("r.csv").read_text("utf-8").splitlines()[1].startswith(f"Uno;{cell};2;")


def test_the_file_of_no_refused_rows_has_the_columns_of_the_file(acme):
    acme("import", "accounts.csv", "-m", "accounts", "--rejected", "r.csv")

    assert Path("r.csv").read_text("utf-8").splitlines() == ["Empresa,Ciudad,line,field,code,reason"]


def test_a_column_can_be_left_out_by_hand(acme):
    Path("a.csv").write_text("Empresa,Correo\nUna,no tiene\nDos,tampoco\nTres,t@x.pe\n", encoding="utf-8")
    left = acme("import", "a.csv", "-m", "accounts", "--map", "Correo=", "--json").json

    assert (left["created"], [each["code"] for each in left["warnings"]]) == (3, ["unmapped_column"])


def test_the_companies_of_an_import_are_named_and_taken_back_with_it(acme):
    Path("c.csv").write_text("Apellidos,Empresa,Correo\nRuiz,Nueva,\nPaz,-,\nSol,Sola,x\n", encoding="utf-8")
    plan = acme("import", "c.csv", "-m", "contacts", "--create-linked", "--dry-run", "--json").json["plan"]
    said = acme("import", "c.csv", "-m", "contacts", "--create-linked", "--json").json
    acme("journal", "undo", said["operation"]["id"])

    assert plan["counts"] == {"create": 3}
    assert [each["title"] for each in said["linked"]] == ["Nueva"]
    assert (said["created"], said["refused"]) == (2, 1)
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_a_person_is_told_which_companies_were_made(acme):
    Path("c.csv").write_text("Apellidos,Empresa\nRuiz,Nueva\n", encoding="utf-8")

    assert "1 record made that they link to: Nueva" in acme("import", "c.csv", "-m", "contacts", "--create-linked").out


def test_a_dry_run_tells_the_rows_from_the_companies_that_they_need(acme):
    Path("c.csv").write_text("Apellidos,Empresa\nRuiz,Nueva\nPaz,Otra\nSol,Nueva\n", encoding="utf-8")
    arguments = ["import", "c.csv", "-m", "contacts", "--create-linked", "--dry-run"]
    said, facts = acme(*arguments).out, acme(*arguments, "--json").json

    assert "5 to create" in said
    assert "2 of them because the file links to them: Nueva, Otra" in said
    assert (facts["rows"], facts["plan"]["counts"]["create"]) == (3, 5)
    assert [(each["module"], each["title"]) for each in facts["linked"]] == [
        ("accounts", "Nueva"),
        ("accounts", "Otra"),
    ]
    assert "of them" not in acme("import", "accounts.csv", "-m", "accounts", "--dry-run").out


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig", "utf-16"])
def test_refused_rows_are_as_they_stood_in_the_file(acme, encoding):
    """Cell by cell, with delimiter, encoding and mark: the program that wrote the file opens both."""
    Path("a.csv").write_bytes("Empresa;Ciudad;Correo\r\nUna;Lima;u@x.pe\r\n ÑANDÚ ;;NADA @\r\n".encode(encoding))
    acme("import", "a.csv", "-m", "accounts", "--rejected", "r.csv")
    written = Path("r.csv").read_bytes()

    assert written.decode(encoding).splitlines()[1].startswith(" ÑANDÚ ;;NADA @;3;email;bad_email;")
    assert written.startswith(b"\xef\xbb\xbf") is (encoding == "utf-8-sig")
    assert written.startswith(b"\xff\xfe") is (encoding == "utf-16")


def test_reasons_that_the_encoding_cannot_say_make_the_file_utf_8(acme):
    Path("a.csv").write_bytes("Empresa;Ciudad;Correo\r\nЮля;Юля;x\r\nЮля;Юля;a@x.pe\r\n".encode("cp1251"))
    acme("import", "a.csv", "-m", "accounts", "--rejected", "r.csv", "--lang", "es", "--encoding", "cp1251")

    assert "ЮляЮляx" in Path("r.csv").read_text("utf-8-sig").replace(";", "")


@pytest.mark.parametrize(("target", "code"), [("no/x.csv", "unwritable"), ("x.pdf", "unknown_format")])
def test_the_file_of_refused_rows_must_be_writable_even_if_none_is_refused(acme, target, code):
    Path("a.csv").write_text("Empresa\nNueva\n", encoding="utf-8")
    said = acme("import", "a.csv", "-m", "accounts", "--rejected", target, "--json")

    assert said.json["error"]["code"] == code
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_the_refused_rows_of_an_earlier_import_do_not_stay(acme):
    Path("r.csv").write_text("old", encoding="utf-8")
    acme("import", "accounts.csv", "-m", "accounts", "--rejected", "r.csv")

    assert "old" not in Path("r.csv").read_text("utf-8")


@pytest.mark.parametrize("dry", [[], ["--dry-run"]])
def test_a_refusal_shows_what_is_to_be_mended_and_its_whole_reason(acme, dry):
    Path("a.csv").write_text("Empresa,Correo\nUna, NADA @\nDos,d@x.pe\n", encoding="utf-8")
    said = acme("import", "a.csv", "-m", "accounts", *dry).out
    reason = acme("import", "a.csv", "-m", "accounts", "--dry-run", "--json").json["plan"]["refusals"][0]["reason"]
    row = said[said.index("NADA @") :].split()

    assert "…" not in " ".join(row)
    assert " ".join(reason.split()) in " ".join(row)


def test_a_company_that_is_not_there_says_how_to_make_it(acme):
    Path("c.csv").write_text("Apellidos,Empresa\nRuiz,Nueva\n", encoding="utf-8")

    assert "--create-linked" in acme("import", "c.csv", "-m", "contacts").out
    assert "Say --create-linked" not in acme("import", "c.csv", "-m", "contacts", "--create-linked").out


def test_the_id_of_an_export_says_why_it_fills_nothing(acme):
    acme("export", "e.csv", "-m", "accounts")
    said = acme("import", "e.csv", "-m", "accounts", "--dry-run", "--json").json["mapping"]
    because = {each["column"]: each["because"] for each in said}

    assert because["id"] == because["version"] == "nubetis sets it; an import makes new records and changes none"
