"""What the commands of access say: of previews, of lists that change, of what cannot be, on the standard output."""

from __future__ import annotations

import io

import pytest

from nubetis.access.snapshot import AccessSnapshot
from nubetis.cli.texts import read_principal, say_principal, speaking
from tests.cli.test_access import acme, lead, made
from tests.cli.test_usage import english

__all__ = ["acme", "lead", "made"]


@pytest.mark.parametrize(
    ("words", "path", "named"),
    [
        (["roles"], "roles", "roles move"),
        (["roles", "--json"], "roles", "roles move"),
        (["roles", "list"], "roles list", "roles move"),
        (["sharing", "share", "lea_0000000000001W", "pia"], "sharing share", "sharing rule add"),
        (["sharing", "team", "join", "lea_0000000000001W", "pia"], "sharing team join", "sharing group edit"),
        (["users", "revoke", "pia"], "users revoke", "users delegate"),
    ],
)
def test_what_has_no_preview_says_so_and_names_what_has(acme, words, path, named):
    said = acme("preview", *words)
    assert said.code == 2
    assert "--dry-run" not in said.err + said.out
    if "--json" not in words:
        assert f"{path} has no preview. These have one: " in said.err
        assert named in said.err


def test_help_and_mistakes_behind_a_preview_are_those_of_the_command(acme):
    assert "Usage: nubetis roles" in acme("preview", "roles", "--help").out
    assert "--under" in acme("preview", "roles", "move", "--help").out
    assert "No such command 'mov'" in acme("preview", "roles", "mov").err
    assert acme("preview", "roles", "move", "Sales", "--top").code == 0


def test_of_a_list_that_changes_only_the_change_is_shown(acme):
    members = ["pia@acme.pe", "eva@acme.pe", "role Office", "role Sales+"]
    acme("sharing", "group", "add", "Front", *members, "-y")
    said = acme("sharing", "group", "edit", "Front", "--add", "luis@acme.pe", "--drop", "role Sales+", "--dry-run").out
    (row,) = [each for each in said.splitlines() if "Members" in each]
    assert row.split("Members")[1].split() == ["\N{MINUS SIGN}", "role", "Sales+", "+", "luis@acme.pe"]


def test_a_snapshot_goes_to_the_standard_output_and_comes_from_the_input(acme, monkeypatch, tmp_path):
    text = acme("access", "snapshot", "-").out
    assert AccessSnapshot.parse(text).show() == text
    assert not (tmp_path / "-").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert acme("access", "compare", "-").code == 0


def test_parents_in_a_circle_and_too_many_in_a_row_are_said_in_plain_words(acme):
    default = ["sharing", "default"]
    said = acme(*default, "accounts", "none", "--parent", "parent", "--parent-level", "read", "-y").err
    assert "lead back to where they begin: accounts > accounts" in said
    assert "module number" not in said


def test_a_parent_wants_a_level(acme):
    said = acme("sharing", "default", "contacts", "none", "--parent", "account", "--yes")
    assert (said.code, "--parent-level" in said.err) == (2, True)
    assert acme("sharing", "default", "contacts", "none", "--parent", "", "--yes").code == 0


def test_who_may_not_manage_sharing_is_told_so(acme):
    acme("sharing", "default", "leads", "read", "--yes")
    for module in ("leads", "deals"):
        assert "[denied]" in acme("sharing", "default", module, "none", "--as", "eva@acme.pe").err


# --- in Spanish ------------------------------------------------------------------------------------


PRINCIPALS = ["everybody", "role Sales", "role Sales+", "role All of us", "group Front", "ana@acme.pe", "pia"]


@pytest.mark.parametrize("language", ["en", "es"])
@pytest.mark.parametrize("words", PRINCIPALS)
def test_what_is_said_of_a_principal_can_be_typed(language, words):
    with speaking(language):
        assert read_principal(say_principal(words)) == words
        assert read_principal(words) == words


def test_principals_are_typed_in_the_users_language(acme, lead):
    spoken = ["--lang", "es", "--yes"]
    assert acme("sharing", "group", "add", "Front", "cargo Sales+", "usuario pia@acme.pe", *spoken).code == 0
    rule = ["sharing", "rule", "add", "r", "leads", "--of", "grupo Front", "--with", "todos"]
    assert acme(*rule, *spoken).code == 0
    assert acme("sharing", "share", lead, "cargo Office", "--lang", "es", "--as", "eva@acme.pe").code == 0
    told = acme("sharing", "--json").json
    assert set(told["groups"][0]["members"]) == {"role Sales+", "pia@acme.pe"}
    assert [(each["source"], each["target"]) for each in told["rules"]] == [("group Front", "everybody")]
    assert acme("sharing", "unshare", lead, "cargo Office", "--lang", "es", "--as", "eva@acme.pe").code == 0


SPOKEN = [
    (["roles", "peers", "Sales"], "Falta el argumento 'on|off'. Elija entre: on, off"),
    (["roles", "remove", "Nada"], "No hay ningún cargo Nada."),
    (["sharing", "rule", "remove", "Nada"], "No hay ninguna regla de uso compartido Nada."),
    (["sharing", "default", "leads", "read", "--as", "eva@acme.pe"], "[denied]"),
    (["users"], " correo "),
]


@pytest.mark.parametrize(("words", "said"), SPOKEN)
def test_it_is_said_as_people_speak(acme, words, said):
    found = acme(*words, "--lang", "es")
    assert said in found.out + found.err
    assert english(found.out + found.err) == []


def test_labels_stand_in_sentences_and_names_where_they_are_to_be_typed(acme):
    denied = acme("find", "sharing_rules", "--lang", "es", "--as", "eva@acme.pe").err
    assert "Reglas de uso compartido" in denied
    assert "--records leads=" in acme("users", "leave", "eva@acme.pe", "--yes").err


def test_a_merge_of_what_is_built_in_says_what_and_keeps_its_code(acme):
    said = acme("profiles", "merge", "Administrator", "Standard", "--lang", "es").err
    assert "[built_in]" in said
    assert said.count("pro_") == 1
    assert english(said) == []


@pytest.mark.parametrize(
    ("words", "level"), [("private", "none"), ("Public read", "read"), ("public read/write", "write")]
)
def test_a_level_may_be_called_as_elsewhere(acme, words, level):
    assert acme("sharing", "default", "leads", words, "--yes").code == 0
    told = acme("sharing", "--json").json["modules"]
    assert next(each["level"] for each in told if each["module"] == "leads") == level


@pytest.mark.parametrize("language", ["en", "es"])
def test_controlled_by_parent_is_said_otherwise_and_the_hint_says_how(acme, language):
    said = acme("sharing", "default", "contacts", "Controlled by parent", "--lang", language)
    assert (said.code, "--parent-level" in said.err) == (2, True)
    assert "'publ'" in acme("sharing", "default", "contacts", "publ", "--lang", language).err


# --- the journal -----------------------------------------------------------------------------------


def test_the_journal_lists_what_was_written_and_is_asked_by_whom_where_and_when(acme):
    acme("sharing", "group", "add", "Front", "role Sales", "-y")
    newest = acme("journal", "list", "--limit", "1").out
    assert "Groups 1" in newest
    (told,) = acme("journal", "list", "--module", "groups", "--json").json["operations"]
    assert told["written"] == {"groups": 1}
    hers = acme("journal", "list", "--by", "eva@acme.pe", "--json").json["operations"]
    assert [each["written"] for each in hers] == [
        {"leads": 1}, {"leads": 1},
    ]  # fmt: skip
    assert acme("journal", "list", "--until", "2020-01-01", "--json").json["operations"] == []
    assert acme("journal", "list", "--since", "2020-01-01", "--module", "groups", "--json").json["operations"] == [told]
    assert acme("journal", "list", "--since", "today").code == 2


def test_a_day_begins_for_since_and_ends_for_until(acme):
    day = acme("journal", "list", "-n", "1", "--json").json["operations"][0]["started_at"][:10]
    for option in ("--since", "--until"):
        assert acme("journal", "list", "-n", "1", option, day, "--json").json["operations"]


def test_names_stand_where_ids_would_in_the_journal_and_in_the_life_of_a_record(acme):
    """Of links, principals, modules and levels; permissions one by one."""
    acme("sharing", "group", "add", "Front", "role Sales", "pia@acme.pe", "-y")
    rule = ["sharing", "rule", "add", "r", "leads", "--of", "group Front", "--with", "role Office", "-y"]
    done = acme(*rule, "--json").json["operation"]["id"]
    acme("sharing", "group", "edit", "Front", "--drop", "role Sales", "-y")
    edited = acme("journal", "list", "-n", "1", "--json").json["operations"][0]["id"]
    said = acme("journal", "show", edited).out
    assert ["+ role Sales" in said, "rol_" in said] == [True, False]
    name = acme("sharing", "--json").json["groups"][0]["id"]
    life = acme("history", name).out
    assert ["Members: \N{MINUS SIGN} role Sales" in life, "rol_" in life, "use_" in life] == [True, False, False]
    life = acme("history", acme("sharing", "--json").json["rules"][0]["id"]).out
    assert ["Module: Leads" in life, "Target: role Office" in life] == [True, True]
    assert acme("journal", "undo", done, "--dry-run").code == 0


def test_the_life_of_a_profile_says_what_was_permitted(acme):
    acme("profiles", "forbid", "Standard", "leads.delete", "-y")
    (told,) = [each for each in acme("profiles", "--json").json["profiles"] if each["name"] == "Standard"]
    assert "leads.delete: yes → no" in acme("history", told["id"]).out
