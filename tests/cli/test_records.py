"""find, history, journal, import, export."""

from __future__ import annotations

from pathlib import Path

import pytest

from nubetis.cli.face import plain
from nubetis.model.ids import decode


def names(said):
    return [record["name"] for record in said.json["records"]]


# --- find and history ------------------------------------------------------------------------------


def test_find_takes_the_text_form_of_filters(acme):
    assert names(acme("find", "accounts", "address.city = lima", "--json")) == ["Acme Perú"]
    assert names(acme("find", "accounts", "not", "acme", "--json")) == ["Ñandú SAC"]
    assert names(acme("find", "accounts", "--sort", "-name", "--json")) == ["Ñandú SAC", "Acme Perú"]


def test_a_part_of_a_field_may_be_named(acme):
    said = acme("find", "accounts", "--fields", "name,address.city", "--sort", "name", "--json")
    assert [each["address.city"] for each in said.json["records"]] == ["Lima", "Cusco"]

    assert "Cusco" in acme("find", "accounts", "--fields", "address.city").out
    assert acme("export", "a.csv", "-m", "accounts", "--fields", "address.city").code == 0
    assert Path("a.csv").read_text("utf-8").split() == ["address.city", "Lima", "Cusco"]


def test_what_goes_to_a_file_or_a_pipe_is_as_wide_as_it_is(acme, monkeypatch):
    long = "Compañía de los nombres largos " * 5
    Path("long.csv").write_text(f"Empresa,Ciudad,Sector,Descripción\n{long},{long},{long},{long}\n", encoding="utf-8")
    acme("import", "long.csv", "-m", "accounts")
    monkeypatch.delenv("COLUMNS")
    said = acme("find", "accounts", "compañía", "--fields", "name,address.city,industry,description")
    record = acme("find", "accounts", "compañía", "--json").json["records"][0]["id"]

    assert said.out.count(long.strip()) == 4
    assert "more column" not in said.out
    assert all(len(line) < 900 for line in said.out.splitlines())
    assert long.strip() in acme("history", record).out


def test_find_goes_on_after_a_page(acme):
    first = acme("find", "accounts", "--sort", "name", "--limit", "1", "--json")
    second = acme("find", "accounts", "--sort", "name", "--limit", "1", "--after", first.json["next"], "--json")

    assert (names(first), names(second), second.json["next"]) == (["Acme Perú"], ["Ñandú SAC"], None)


def test_find_shows_a_table_that_fits_and_the_whole_cursor(acme):
    page = acme("find", "accounts", "--limit", "1", "--json").json
    said = acme("find", "accounts", "--limit", "1")

    assert page["next"] in said.out
    assert all(len(line) <= 80 for line in said.out.splitlines() if page["next"] not in line)
    assert page["records"][0]["id"] in said.out


def test_find_says_when_nothing_fits(acme):
    said = acme("find", "accounts", "zzz")

    assert (said.code, said.out.strip()) == (0, "No record fits.")


@pytest.mark.parametrize("width", [20, 40, 60, 200])
def test_tables_fit_any_terminal(acme, monkeypatch, width):
    monkeypatch.setenv("COLUMNS", str(width))

    for arguments in (["find", "accounts"], ["journal", "list"]):
        assert max(map(len, acme(*arguments).out.splitlines())) <= max(width, 24)


def test_what_a_record_holds_controls_no_terminal(acme):
    Path("evil.csv").write_text("Empresa\n[red]x[/red] \x1b[31mred\n", encoding="utf-8")
    acme("import", "evil.csv", "-m", "accounts", "--no-clean")
    said = acme("find", "accounts", "red")

    assert "[red]x[/red]" in said.out
    assert "\x1b" not in said.out


def test_history_tells_a_record_s_life(acme):
    record = acme("find", "accounts", "acme", "--json").json["records"][0]["id"]
    said = acme("history", record, "--json")

    assert [moment["kind"] for moment in said.json["moments"]] == ["create"]
    assert said.json["moments"][0]["after"]["name"] == "Acme Perú"
    assert "Acme Perú" in acme("history", record).out


# --- the journal -----------------------------------------------------------------------------------


def test_an_import_can_be_listed_shown_and_undone(acme):
    operation = acme("journal", "list", "--json").json["operations"][0]
    assert (operation["cause"], operation["records"], operation["detail"]["file"]) == ("import", 2, "accounts.csv")

    shown = acme("journal", "show", operation["id"], "--json").json
    assert shown["undo"]["counts"] == {"delete": 2}

    planned = acme("journal", "undo", operation["id"], "--dry-run", "--json")
    assert planned.json["plan"]["counts"] == {"delete": 2}
    assert acme("find", "accounts", "--json").json["total"] == 2

    done = acme("journal", "undo", operation["id"], "--json")
    assert (done.code, len(done.json["reversed"]), done.json["kept"]) == (0, 2, [])
    assert acme("find", "accounts", "--json").json["total"] == 0


def test_the_journal_is_shown_to_people(acme):
    operation = acme("journal", "list", "--json").json["operations"][0]["id"]

    assert operation in acme("journal", "list").out
    assert "Undoing it would" in acme("journal", "show", operation).out
    assert "Set back: 2" in acme("journal", "undo", operation).out


def test_an_operation_that_is_not_there_is_not_found(acme):
    record = acme("find", "accounts", "--json").json["records"][0]["id"]

    assert acme("journal", "show", record, "--json").json["error"]["code"] == "no_operation"


def test_verify_gives_an_anchor_and_finds_another_journal(acme):
    said = acme("journal", "verify", "--json")

    assert (said.code, said.json["tampered"]) == (0, [])
    assert acme("journal", "verify", "--anchor", said.json["anchor"]).code == 0
    assert acme("journal", "verify", "--anchor", f"1:{'0' * 32}").code == 1


# --- files -----------------------------------------------------------------------------------------


def test_import_reports_what_it_refuses_and_writes_it_to_be_mended(acme):
    Path("c.csv").write_text(
        "Nombre;Apellidos;Correo;Otra\nAna;Ruiz;ana@acme.pe;1\nLuis;;luis@acme.pe;2\nEva;Paz;nada;3\n", encoding="utf-8"
    )
    said = acme("import", "c.csv", "-m", "contacts", "--rejected", "bad.csv", "--json")

    assert (said.code, said.json["rows"], said.json["created"], said.json["refused"]) == (4, 3, 1, 2)
    assert [(each["line"], each["field"], each["code"]) for each in said.json["rejected"]] == [
        (3, "last_name", "required"),
        (4, "email", "bad_email"),
    ]
    assert [each["code"] for each in said.json["warnings"]] == ["unmapped_column"]
    assert Path("bad.csv").read_text("utf-8").splitlines()[0] == "Nombre;Apellidos;Correo;Otra;line;field;code;reason"


def test_a_dry_run_of_an_import_writes_nothing(acme):
    said = acme("import", "accounts.csv", "-m", "accounts", "--dry-run", "--json")

    assert (said.json["plan"]["counts"], acme("find", "accounts", "--json").json["total"]) == ({"create": 2}, 2)
    assert "2 to create" in acme("import", "accounts.csv", "-m", "accounts", "--dry-run").out


def test_the_user_says_which_column_fills_which_field(acme):
    Path("x.csv").write_text("foo,bar\nNorte SA,Sur SA\n", encoding="utf-8")
    acme("import", "x.csv", "-m", "accounts", "--map", "bar=name")

    assert "Sur SA" in names(acme("find", "accounts", "--json"))


def test_what_a_file_links_to_is_made_when_asked(acme):
    Path("c.csv").write_text("Apellidos,Empresa\nRuiz,Nueva SA\nPaz,acme peru\n", encoding="utf-8")
    refused = acme("import", "c.csv", "-m", "contacts", "--dry-run", "--json").json["plan"]["refusals"]
    assert [(each["line"], each["code"]) for each in refused] == [(2, "bad_link")]

    said = acme("import", "c.csv", "-m", "contacts", "--create-linked", "--json")
    assert (said.json["created"], said.json["refused"]) == (2, 0)
    assert sorted(names(acme("find", "accounts", "--json"))) == ["Acme Perú", "Nueva SA", "Ñandú SAC"]


def test_spanish_dates_are_read_by_the_vote_of_their_column(acme):
    Path("c.csv").write_text("Apellidos,Fecha de nacimiento\nRuiz,03/04/1980\nPaz,31/01/1981\n", encoding="utf-8")
    acme("import", "c.csv", "-m", "contacts")
    found = acme("find", "contacts", "--sort", "birth_date", "--fields", "birth_date", "--json").json["records"]

    assert [record["birth_date"] for record in found] == ["1980-04-03", "1981-01-31"]


def test_export_writes_what_a_filter_finds(acme):
    said = acme("export", "out.csv", "-m", "accounts", "lima", "--fields", "name,address", "--json")

    assert (said.json["count"], said.json["columns"][:2]) == (0, ["name", "address.street"])
    said = acme("export", "out.csv", "-m", "accounts", "acme", "--fields", "name", "--json")
    assert said.json["count"] == 1
    assert Path("out.csv").read_bytes() == "name\r\nAcme Perú\r\n".encode()
    assert "SHA-256" in acme("export", "out.jsonl", "-m", "accounts").out


def test_the_journal_shows_for_what_purpose_nubetis_itself_did_something(acme):
    """Setting up an organisation is nobody's work but nubetis's."""
    listed = acme("journal", "list", "--json", "--limit", "100").json["operations"]
    (first, *_) = [each["id"] for each in listed if each["purpose"] == "setup"]

    assert "purpose: setup" in acme("journal", "show", first).out
    assert acme("journal", "show", first, "--json").json["operation"]["purpose"] == "setup"


def test_programs_get_the_entry_of_a_record_by_its_id(acme):
    """Its key is a number of 60 bits, which JavaScript would round."""
    record = acme("find", "accounts", "--fields", "name,created_in", "--json").json["records"][0]

    assert ("ent", int) == (decode(record["created_in"])[0], type(decode(record["created_in"])[1]))


@pytest.mark.parametrize(("number", "said"), [(2**53 - 1, 2**53 - 1), (2**53, str(2**53)), (-(2**60), str(-(2**60)))])
def test_whole_numbers_that_readers_of_json_would_round_are_text(number, said):
    assert {"n": [said]} == plain({"n": [number]})


def test_a_field_that_is_not_there_is_refused_though_nothing_is_found(acme):
    said = acme("find", "accounts", "name = nobody", "--fields", "name,nme", "--json")

    assert (said.code, said.json["error"]["code"]) == (1, "unknown_field")
