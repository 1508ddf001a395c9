"""No text from outside commands the terminal: not from a file, a record, a name, nor in what is said of them."""

from __future__ import annotations

import json
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from nubetis.cli.texts import json_text
from nubetis.i18n import printable

EVIL = "a\x1b]0;mine\x07b\x1b[2Jc\x9b31md\u202ee\u2066f\x7fg\u200bh"


def harmless(text):
    return all(char.isprintable() or char == "\n" for char in text)


ARGUMENTS = [
    ["find", EVIL],
    ["find", "accounts", f"name = {EVIL} and"],
    ["find", "accounts", "--fields", EVIL],
    ["find", "accounts", "--after", EVIL],
    ["find", "accounts", "--sort", EVIL],
    ["find", "accounts", "--as", EVIL],
    ["find", "accounts", "--limit", EVIL],
    ["find", "accounts", f"--{EVIL}"],
    ["find", "accounts", "--lang", EVIL],
    ["find", "accounts", "--db", EVIL],
    ["history", EVIL],
    [EVIL],
    ["journal", EVIL],
    ["journal", "show", EVIL],
    ["journal", "undo", EVIL],
    ["journal", "verify", "--anchor", EVIL],
    ["import", EVIL, "-m", "accounts"],
    ["import", "evil.csv", "-m", "accounts"],
    ["import", "evil.csv", "-m", "accounts", "--dry-run"],
    ["import", "evil.csv", "-m", "accounts", "--map", f"{EVIL}=name"],
    ["import", "evil.csv", "-m", "accounts", "--encoding", EVIL],
    ["import", "evil.csv", "-m", "accounts", "--delimiter", EVIL],
    ["import", f"{EVIL}.csv", "-m", "accounts"],
    ["export", f"{EVIL}.csv", "-m", "accounts"],
    ["export", f"{EVIL}/x.csv", "-m", "accounts"],
    ["backup", f"{EVIL}.db"],
    ["restore", EVIL, "--db", "other.db"],
    ["create", "--db", "other.db", "--administrator", EVIL],
    ["create", "--db", "other.db", "--administrator", "eva@x.pe", "--name", EVIL],
    ["create", "--db", "other.db", "--administrator", "eva@x.pe", "--currency", EVIL],
]


def test_nothing_said_commands_the_terminal(acme):
    Path("evil.csv").write_text(f"Empresa,Correo,{EVIL}\n{EVIL},{EVIL},{EVIL}\nx{EVIL},,\n", encoding="utf-8")
    said = [(each, acme(*each, *mode)) for each in ARGUMENTS for mode in ([], ["--json"])]

    assert [each for each, spoken in said if not spoken.out + spoken.err] == []
    assert [each for each, spoken in said if not harmless(spoken.out + spoken.err)] == []


def test_what_records_hold_does_not_command_the_terminal_and_reaches_programs_whole(acme):
    Path("evil.jsonl").write_text(json.dumps({"name": f"x{EVIL}"}), encoding="utf-8")
    acme("import", "evil.jsonl", "-m", "accounts", "--no-clean")
    (found,) = [each for each in acme("find", "accounts", "--json").json["records"] if each["name"].startswith("x")]
    said = [acme("find", "accounts"), acme("history", found["id"]), acme("journal", "list"), acme("doctor")]

    assert found["name"] == f"x{EVIL}"
    assert [harmless(each.out) for each in said] == [True] * 4


@given(st.text())
def test_json_is_printable_and_says_the_same(text):
    shown = json_text({"text": text})

    assert harmless(shown)
    assert json.loads(shown) == {"text": text}


@given(st.text(), st.sampled_from(["", "\n"]))
def test_a_printable_text_keeps_its_length_and_its_visible_characters(text, keep):
    shown = printable(text, keep=keep)

    assert len(shown) == len(text)
    assert all(after in (before, " ") for before, after in zip(text, shown, strict=True))
    assert all(char.isprintable() or char in keep for char in shown)
    assert printable(shown, keep=keep) == shown
