"""The command line: help, exit codes, languages, errors."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from nubetis.cli import commands
from nubetis.cli.call import url_of

GROUPS = ["journal", "users", "roles", "profiles", "sharing", "preview"]
"""Commands of commands, and the one that takes another's words."""
COMMANDS = [
    "demo", "create", "import", "export", "find", "history", "doctor", "backup", "restore", "explain", "who-can",
    *GROUPS,
]  # fmt: skip


def test_help_lists_every_command_and_explains_the_exit_codes(nubetis):
    said = nubetis("--help")

    assert said.code == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in said.out] == []
    assert [code for code in commands.EXIT_CODES.values() if f"\n  {code} " not in said.out] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_and_answers_programs(nubetis, name):
    said = nubetis(name, "--help")

    assert said.code == 0
    assert name in GROUPS or "--json" in said.out


@pytest.mark.parametrize("name", ["list", "show", "undo", "verify"])
def test_every_command_of_the_journal_explains_itself(nubetis, name):
    assert "--json" in nubetis("journal", name, "--help").out


def test_the_version_is_that_of_the_package(nubetis):
    assert nubetis("--version").out.strip() == f"nubetis {metadata.version('nubetis')}"


def test_a_command_that_does_not_exist_is_a_usage_error(nubetis):
    assert nubetis("fnd").code == commands.EXIT_CODES["usage"]


def test_a_missing_argument_is_a_usage_error(nubetis):
    assert nubetis("find").code == commands.EXIT_CODES["usage"]


def test_help_loads_nothing_heavy():
    """What a person types most must answer at once."""
    script = (
        "import sys; from nubetis.cli.commands import run; run(['--help']); "
        "print([name for name in ('rich', 'sqlalchemy', 'numpy', 'rapidfuzz', 'cattrs') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_interrupting_has_an_exit_code_of_its_own(nubetis, monkeypatch):
    def interrupted(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_group", type("Group", (), {"main": interrupted}))

    assert nubetis("find").code == commands.EXIT_CODES["interrupted"]


@pytest.mark.parametrize(("name", "url"), [("a.db", "sqlite:///a.db"), ("memory://x", "memory://x")])
def test_an_organisation_is_named_by_file_or_url(name, url):
    assert url_of(name) == url


# --- errors ----------------------------------------------------------------------------------------


def test_an_error_is_said_with_its_code_beside_the_output(nubetis):
    said = nubetis("find", "deals", "--db", "nowhere.db")

    assert (said.code, said.out) == (1, "")
    assert "nowhere.db" in said.err
    assert "[no_database]" in said.err


def test_a_url_in_a_command_that_is_to_be_typed_is_quoted(nubetis):
    said = nubetis("find", "deals", "--db", "sqlite:///a&b c.db?profile=fast")

    assert "nubetis create --db 'sqlite:///a&b c.db" in said.err.replace("\n", " ")


def test_an_error_is_json_for_programs(nubetis):
    said = nubetis("find", "deals", "--db", "nowhere.db", "--json")

    assert said.json["error"]["code"] == "no_database"
    assert said.err == ""


def test_errors_are_said_in_the_language_asked_for(nubetis):
    spoken = [nubetis("find", "deals", "--db", "nowhere.db", *more).err for more in (["--lang", "es"], ["--lang=es"])]

    assert all("No hay ninguna organización" in each for each in spoken)


def test_the_language_of_the_environment_counts(nubetis, monkeypatch):
    monkeypatch.setenv("LANGUAGE", "es_PE")

    assert "Órdenes" in nubetis("--help").out


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (["find", "dealz"], "unknown_module", 1),
        (["find", "accounts", "emial = x"], "unknown_field", 1),
        (["find", "accounts", "--fields", "nme"], "unknown_field", 1),
        (["find", "accounts", "name ="], "filter_syntax", 1),
        (["find", "accounts", "--limit", "0"], "bad_argument", 1),
        (["find", "accounts", "--after", "zz"], "cursor_damaged", 1),
        (["find", "accounts", "--as", "x@y.pe"], "unknown_user", 1),
        (["find", "accounts", "--db", "ftp://x"], "unknown_scheme", 1),
        (["history", "acc_zzz"], "bad_id", 1),
        (["journal", "undo", "ope_0000000000000"], "bad_id", 1),
        (["import", "no.csv", "-m", "accounts"], "unreadable", 1),
        (["import", ".", "-m", "accounts"], "unreadable", 3),
        (["import", "accounts.csv", "-m", "accounts", "--encoding", "utf-99"], "bad_argument", 1),
        (["import", "accounts.csv", "-m", "accounts", "--map", "Empresa"], "bad_argument", 1),
        (["import", "accounts.csv", "-m", "accounts", "--map", "Empresa=nme"], "unknown_field", 1),
        (["export", "out.pdf", "-m", "accounts"], "unknown_format", 1),
        (["export", "no/out.csv", "-m", "accounts"], "unwritable", 3),
        (["create", "--administrator", "ana@acme.pe"], "database_exists", 1),
        (["create", "--db", "new.db", "--administrator", "ana"], "bad_email", 1),
        (["restore", "no.db"], "database_exists", 1),
        (["restore", "accounts.csv", "--db", "new.db"], "unrestorable", 3),
        (["find", "accounts", "--db", "accounts.csv"], "not_sqlite", 3),
        (["backup", "accounts.csv"], "unwritable", 3),
    ],
)
def test_what_cannot_be_done_is_a_clear_error(acme, arguments, code, exit_code):
    before = {path.name for path in Path().iterdir()}
    said = acme(*arguments, "--json")

    assert (said.json["error"]["code"], said.code) == (code, exit_code)
    assert said.json["error"]["message"]
    left = {path.name for path in Path().iterdir()} - before
    assert [name for name in left if not name.startswith("nubetis.db")] == []


@pytest.mark.parametrize("command", [["journal", "verify"], ["doctor"]])
def test_an_anchor_that_is_none_is_a_usage_error_and_no_alarm(acme, command):
    said = acme(*command, "--anchor", "foo")

    assert (said.code, "no anchor" in said.err) == (commands.EXIT_CODES["usage"], True)


def test_an_undo_says_where_the_records_are_and_the_second_that_nothing_is_left(acme):
    Path("pets.csv").write_text("Empresa\nRex SAC\nOtra SAC\n", encoding="utf-8")
    made = acme("import", "pets.csv", "-m", "accounts", "--json").json["operation"]["id"]

    assert "2 records are in the recycle bin: find them with --deleted." in acme("journal", "undo", made).out
    assert acme("find", "accounts", "--deleted", "--json").json["total"] == 2
    again = acme("journal", "undo", made)
    assert (again.code, "already taken back" in again.out) == (0, True)
    assert [each["cause"] for each in acme("journal", "list", "-n", "2", "--json").json["operations"]] == [
        "undo",
        "import",
    ]


def test_an_undo_tells_what_others_changed_from_what_others_link_to(acme):
    """A record may stay for either reason, and one linking record is not several."""
    Path("pets.csv").write_text("Empresa\nRex SAC\nOtra SAC\n", encoding="utf-8")
    made = acme("import", "pets.csv", "-m", "accounts", "--json").json["operation"]["id"]
    Path("people.csv").write_text("Apellidos,Empresa\nPaz,Rex SAC\n", encoding="utf-8")
    acme("import", "people.csv", "-m", "contacts")
    said = " ".join(acme("journal", "undo", made).out.split())

    assert "Set back: 1. Kept, because other records link to them: 1. Failed: 0." in said
    assert "changed" not in said
    assert "is still linked from contacts (1)." in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["find", "accounts", "--db", "no.db"], "nubetis create --db sqlite:///no.db --administrator E-MAIL"),
        (["create", "--administrator", "ana@acme.pe"], "--replace"),
        (["restore", "no.db"], "--replace"),
    ],
)
def test_what_to_do_is_what_can_be_typed(acme, arguments, said):
    answer = acme(*arguments)

    assert said in answer.err
    assert "nubetis.open" not in answer.err
    assert "nubetis.create" not in answer.err
