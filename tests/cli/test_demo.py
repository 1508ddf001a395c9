"""The demonstration, on generated contacts and on files of all kinds."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis import Table
from nubetis.cli.demo.change import agree_in_names
from nubetis.i18n import PHRASES


def test_the_demonstration_tells_the_truth_about_itself(nubetis):
    """All that the story claims stands in the JSON summary, and holds."""
    said = nubetis("demo", "--db", "demo.db", "--rows", "300", "--json")
    facts = said.json

    assert said.code == 0
    assert (facts["file"]["rows"], facts["file"]["encoding"], facts["file"]["delimiter"]) == (300, "cp1252", ";")
    assert facts["module"]["name"] == "contacts"
    assert facts["module"]["own_fields"]
    assert facts["import"]["created"] + facts["import"]["refused"] == 300
    assert facts["duplicates"]["groups"] > 10
    assert facts["truth"]["precision"] > 0.5
    assert facts["merge"]["undone_equal"] is True
    assert facts["merged"]["after"] < facts["merged"]["before"] == facts["import"]["created"]
    assert facts["bulk"]["undone_equal"] is True
    assert facts["bulk"]["changed"] > 0
    assert facts["journal"]["tampered"] == []
    assert facts["export"]["count"] == facts["merged"]["after"]
    assert (facts["people"]["roles"], facts["people"]["explained"]["reasons"]) == (3, ["hierarchy"])
    assert len(facts["steps"]) == 12


def test_what_the_demonstration_leaves_can_be_looked_at(nubetis):
    facts = nubetis("demo", "--db", "demo.db", "--rows", "60", "--json").json
    found = nubetis("find", "contacts", "--db", "demo.db", "--json", "--limit", "1").json

    assert found["total"] == facts["export"]["count"]
    assert nubetis("journal", "verify", "--db", "demo.db", "--anchor", facts["journal"]["anchor"]).code == 0
    assert nubetis("doctor", "--db", "demo.db").code == 0


def test_a_column_of_dates_that_fits_no_field_gets_a_field_of_dates(nubetis):
    """So that it can be filtered by day, and shown as the others are."""
    rows = "".join(f"Ruiz{n};r{n}@x.pe;{n + 12}/02/2026\n" for n in range(1, 8))
    Path("contactos.csv").write_text(f"Apellidos;Correo;Fecha de alta\n{rows}", encoding="utf-8")
    name = nubetis("demo", "--data", "contactos.csv", "--db", "demo.db", "--json").json["mapping"]["Fecha de alta"]
    found = nubetis("find", "contacts", f"{name} < 2026-02-14", "--fields", name, "--db", "demo.db", "--json").json

    assert [each[name] for each in found["records"]] == ["2026-02-13"]


def test_a_column_of_dates_that_may_be_read_in_two_ways_stays_text(nubetis):
    rows = "".join(f"Ruiz{n};r{n}@x.pe;0{n}/02/2026\n" for n in range(1, 8))
    Path("contactos.csv").write_text(f"Apellidos;Correo;Fecha de alta\n{rows}", encoding="utf-8")
    facts = nubetis("demo", "--data", "contactos.csv", "--db", "demo.db", "--json").json

    assert (facts["import"]["created"], facts["import"]["refused"]) == (7, 0)


def test_the_picture_fits_the_terminal_and_has_no_colour_in_a_pipe(nubetis):
    said = nubetis("demo", "--rows", "120")
    long = [line for line in said.out.splitlines() if len(line) > 80]

    assert said.code == 0
    assert "\x1b" not in said.out
    assert all("/" in line for line in long), long
    assert "✓" in said.out


def test_in_a_file_it_is_as_wide_as_its_content(nubetis, monkeypatch):
    """A log of CI has no terminal to be filled."""
    monkeypatch.delenv("COLUMNS")
    said = nubetis("demo", "--db", "demo.db", "--rows", "60")

    assert max(map(len, said.out.splitlines())) < 400


def test_the_picture_speaks_spanish(nubetis):
    said = nubetis("demo", "--rows", "60", "--lang", "es")

    assert said.code == 0
    assert "Importación" in said.out or "Importar" in said.out
    assert "codificación: cp1252 (" in said.out
    assert "encabezado: línea 1 (" in said.out
    assert not [each for each in PHRASES if each in said.out and " " in each and "{" not in each]
    assert "La respuesta correcta se conoce" in said.out


def test_the_judgement_of_the_search_is_said_plainly(nubetis):
    said = " ".join(nubetis("demo", "--rows", "120").out.split())

    assert "The right answer is known, and the search was not told it. Of the pairs it found, " in said


@pytest.mark.parametrize(
    ("names", "agree"),
    [
        ([("Ana María", "Ruiz Soto"), ("ANA", "Ruíz")], True),
        ([("Ana", "Ruiz"), ("Ruiz", "Ana")], False),
        ([("Ana María", "Ruiz"), ("Ruiz Soto", "Ana")], False),
        ([("Ana", "Ruiz"), ("Luis", "Ruiz")], False),
        ([("Ana", "Ruiz"), (None, "Ruiz")], False),
    ],
)
def test_the_pair_that_is_shown_has_names_that_agree(names, agree):
    table = Table({"first_name": [first for first, _ in names], "last_name": [last for _, last in names]})

    assert agree_in_names(table, range(len(names))) is agree
    assert agree_in_names(table.without("first_name"), range(len(names)))


def test_steps_that_take_long_show_that_they_go_on(nubetis, monkeypatch):
    """On a terminal only, and beside the story."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = nubetis("demo", "--rows", "60")

    for title in ("Reading", "Writing", "Comparing", "Merging", "Editing", "Taking back"):
        assert title in said.err
    assert "Taking back" not in said.out


def test_the_same_seed_gives_the_same_story(nubetis):
    kept = ("file", "mapping", "duplicates", "truth", "merged", "bulk")
    first, second = (nubetis("demo", "--db", f"{name}.db", "--rows", "100", "--json").json for name in "ab")

    assert [first[name] for name in kept] == [second[name] for name in kept]


TWINS = "arts deli,1 main st,lima,5550101,american,1\n" * 2
GOOD = "\n".join(f"x{number},a{number}@x.pe,5550{number:03}" for number in range(9))
FILES = {
    "companies.csv": (
        "name,addr,city,phone,type,entity\n" + "arts deli,1 main st,lima,5550101,american,1\n" * 2,
        "accounts",
    ),
    "header.csv": ("nombre,apellidos\n", "contacts"),
    "people.csv": ("Nombre;Apellidos;Estado del prospecto;Web\nAna;Ruiz;new;https://a.pe\nAna;Ruiz;new;\n", "leads"),
    "posibles_clientes 2026.csv": ("Nombre,Correo\nAna Ruiz,a@x.pe\nAna Ruiz,a@x.pe\n", "leads"),
    "contactos.csv": ("Nombre;Apellidos;Empresa;Web\nAna;Ruiz;Acme;\nLuis;Paz;Sol;\n", "contacts"),
    "deals.csv": ("Negocio;Monto;Etapa\nA;5 PEN;won\nA;S/ 7;won\nB;1;open\n", "deals"),
    "list.csv": ("Producto;SKU;Precio;Moneda\nPen;a1;1.200,50;EUR\nInk;a2;7;€\n", "products"),
    "todo.csv": ("subject;due;status\nCall;2026-01-31;open\nCall;2026-01-31;done\n", "tasks"),
    "unknown.csv": ("foo;bar\nx;1\ny;2\nx;1\n", "unknown"),
    "one.csv": ("names\nAna\nAna\nLuis\n", "one"),
    "select.csv": ("select,in,id,_x,ñ,ñ\nA,B,1,2,3,4\n", "select"),
    "accounts.csv": ("foo,bar\nx,y\n", "accounts_2"),
    "blank.csv": ("\n\n  \n", "blank"),
    "long.csv": ("t\n" + "x" * 400 + "\n[red]y[/red] \x1b[31mz\n", "long"),
    "rows.jsonl": ('{"Nombre": "Ana", "Apellidos": "Ruiz", "n": 1}\n{"Nombre": "Eva", "n": 2}\n', "contacts"),
    "bad.csv": (
        "Apellidos,Correo,Teléfono\n" + GOOD + "\n,nada,\n",
        "contacts",
    ),
    "all bad.csv": ("Nombre,Apellidos,Correo\nAna,,a@x.pe\nEva,,e@x.pe\n", "contacts"),
}


@pytest.mark.parametrize("name", FILES)
def test_any_file_has_a_place(nubetis, name):
    text, module = FILES[name]
    Path(name).write_text(text, encoding="utf-8")
    said = nubetis("demo", "--data", name, "--db", "demo.db", "--json")

    assert said.code == 0, said.out
    facts = said.json
    assert facts["module"]["name"] == module
    assert facts["import"]["created"] + facts["import"]["refused"] == facts["file"]["rows"]
    assert not facts["import"]["refused"] or name in {"rows.jsonl", "bad.csv", "all bad.csv"}
    assert facts["bulk"]["undone_equal"] is True
    Path("demo.db").unlink()
    assert nubetis("demo", "--data", name, "--db", "demo.db").code == 0


def test_columns_that_fill_no_field_can_be_left_out(nubetis):
    Path("c.csv").write_text("Nombre,Apellidos,Color\nAna,Ruiz,rojo\n", encoding="utf-8")
    kept = nubetis("demo", "--data", "c.csv", "--db", "a.db", "--json").json
    left = nubetis("demo", "--data", "c.csv", "--db", "b.db", "--json", "--only-known").json

    assert (kept["mapping"]["Color"], left["mapping"].get("Color")) == ("color", None)


@pytest.mark.parametrize(
    ("name", "content", "code", "exit_code"),
    [
        ("empty.csv", b"", "bad_file", 1),
        ("nul.csv", b"a,b\n1\0,2\n", "bad_file", 1),
        ("quote.csv", b'a,b\n1,"2\n', "bad_file", 1),
        ("binary.csv", bytes(range(128, 256)) * 9 + b"\0\0", "bad_encoding", 1),
        ("text.pdf", b"x", "unknown_format", 1),
        ("damaged.csv.gz", b"\x1f\x8b\x08damaged", "unreadable", 1),
    ],
)
def test_a_file_that_cannot_be_read_is_a_clear_error_and_nothing_is_made(nubetis, name, content, code, exit_code):
    Path(name).write_bytes(content)
    said = nubetis("demo", "--data", name, "--db", "demo.db", "--json")

    assert (said.json["error"]["code"], said.code) == (code, exit_code)
    assert not Path("demo.db").exists()


def test_the_demonstration_never_touches_an_organisation_that_is_there(acme):
    said = acme("demo", "--db", "nubetis.db", "--rows", "10", "--json")

    assert (said.json["error"]["code"], said.code) == ("database_exists", 1)
    assert acme("find", "accounts", "--json").json["total"] == 2


def test_a_field_made_for_a_column_says_so_and_spaces_are_seen(nubetis):
    Path("c.csv").write_text("Nombre,Apellidos,Color\n Ana  ,Ruiz,rojo\n", encoding="utf-8")
    said = nubetis("demo", "--data", "c.csv", "--db", "a.db").out

    assert "a field made for it" in said
    assert "·Ana··" in said


def test_as_many_contacts_as_cannot_be_are_a_command_not_understood(nubetis):
    """And said so in the user's language, before anything is shown."""
    said = nubetis("demo", "--rows", "-5", "--lang", "es")

    assert (said.code, said.out) == (2, "")
    assert "no está en el intervalo" in said.err


def test_the_help_says_where_the_organisation_is_made(nubetis):
    """A folder that lasts as long as the system keeps it, and not the database of all other commands."""
    said = " ".join(nubetis("demo", "--help").out.split())

    assert "one in a temporary folder where none is named" in said
    assert "nubetis.db" not in said
