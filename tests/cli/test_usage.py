"""What click says is said in the user's language; what is not understood is an error like any other."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

from nubetis.cli import commands

ENGLISH = frozenset(
    {
        "Usage", "Options", "Commands", "Show", "Missing", "such", "Invalid", "value", "the", "with", "page", "file",
        "record", "records", "operation", "which", "their", "without", "other", "every", "required", "default", "Try",
        "and", "is", "of", "to", "not", "was", "it", "that", "are", "Write", "Give", "There", "Did", "mean", "line",
    }
)  # fmt: skip
"""Words that no Spanish text has."""
PATHS = [
    [], ["demo"], ["create"], ["import"], ["export"], ["find"], ["history"], ["journal"], ["journal", "list"],
    ["journal", "show"], ["journal", "undo"], ["journal", "resume"], ["journal", "verify"], ["retention"], ["subject"],
    ["doctor"], ["backup"], ["restore"], ["copy"],
    ["users"], ["users", "list"], ["users", "add"], ["users", "edit"], ["users", "remove"],
    ["roles"], ["roles", "list"], ["roles", "add"], ["roles", "move"], ["roles", "rename"], ["roles", "peers"],
    ["roles", "remove"], ["profiles"], ["profiles", "list"], ["profiles", "show"], ["profiles", "compare"],
    ["profiles", "clone"], ["profiles", "merge"], ["profiles", "permit"], ["profiles", "forbid"], ["profiles", "field"],
    ["profiles", "remove"], ["sharing"], ["sharing", "list"], ["sharing", "default"], ["sharing", "rule"],
    ["sharing", "rule", "add"], ["sharing", "rule", "remove"], ["sharing", "group"], ["sharing", "group", "add"],
    ["sharing", "group", "edit"], ["sharing", "group", "remove"], ["sharing", "share"], ["sharing", "unshare"],
    ["sharing", "shares"], ["explain"], ["who-can"], ["preview"],
]  # fmt: skip
HELP_OF_ALL = (
    "import json, sys; from nubetis.cli.commands import run\n"
    "for path in json.loads(sys.argv[1]): run([*path, '--help', '--lang', 'es'])"
)


def english(text):
    """Give the English words in *text*; names of options and API names are not words."""
    words = [word.strip(".,;:()[]'\"") for word in text.split() if not word.startswith("-")]
    return sorted(ENGLISH.intersection(words))


def test_no_help_page_leaves_a_word_in_english():
    """In a process of its own: a command keeps the language in which it was loaded."""
    environ = {**os.environ, "COLUMNS": "100"}
    start = [sys.executable, "-c", HELP_OF_ALL, json.dumps(PATHS)]
    done = subprocess.run(start, capture_output=True, text=True, check=True, encoding="utf-8", env=environ)

    assert done.stdout.count("Uso: nubetis") == len(PATHS)
    assert "Opciones:" in done.stdout
    assert "[obligatorio]" in done.stdout
    assert english(re.sub(r"\n  default  |sharing default", "", done.stdout)) == []  # the name of a command


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["fnd"], "No hay ninguna orden 'fnd'."),
        (["journal", "wat"], "No hay ninguna orden 'wat'."),
        (["find"], "Falta el argumento"),
        (["import", "x.csv"], "Falta la opción '--module' / '-m'."),
        (["find", "accounts", "--wat"], "No hay ninguna opción '--wat'."),
        (["find", "accounts", "--limit", "x"], "'x' no es un número entero."),
        (["find", "accounts", "--limit"], "necesita un valor."),
        (["doctor", "a", "b"], "Sobran argumentos: (a b)"),
        (["doctor", "--json=3"], "no lleva ningún valor."),
    ],
)
def test_what_is_not_understood_is_said_in_spanish(nubetis, arguments, said):
    given = nubetis("--lang", "es", *arguments)

    assert (given.code, given.out) == (commands.EXIT_CODES["usage"], "")
    assert said in given.err
    assert "[usage]" in given.err
    assert english(given.err) == []


def test_an_option_that_is_nearly_one_is_named(nubetis):
    assert "Did you mean --limit" in nubetis("find", "accounts", "--limt", "3").err


def test_a_language_that_is_not_spoken_is_not_understood(nubetis):
    assert nubetis("find", "accounts", "--lang", "fr").code == commands.EXIT_CODES["usage"]


def test_what_is_not_understood_is_json_for_programs(nubetis):
    said = nubetis("find", "--json")

    assert (said.code, said.json["error"]["code"], said.err) == (2, "usage", "")


@pytest.mark.parametrize("place", ["before", "after", "group"])
def test_the_language_may_be_named_anywhere(nubetis, place):
    calls = {
        "before": ["--lang", "es", "find", "x", "--db", "no.db"],
        "after": ["find", "x", "--db", "no.db", "--lang=es"],
        "group": ["journal", "--lang", "es", "list", "--db", "no.db"],
    }

    assert "No hay ninguna organización" in nubetis(*calls[place]).err


def test_a_list_of_operations_has_one_to_ten_thousand(nubetis):
    limits = ["0", "-1", "10001", "100000000000000000000", "x", "1.5", ""]
    said = [nubetis("journal", "list", f"--limit={limit}", "--db", "no.db", "--lang", "es") for limit in limits]

    assert [(each.code, "[usage]" in each.err) for each in said] == [(2, True)] * len(limits)
    assert [english(each.err) for each in said] == [[]] * len(limits)


@pytest.mark.parametrize("option", ["--as", "--db"])
def test_an_empty_name_is_not_the_usual_one(acme, option):
    """As a script writes it whose variable is not set: it must not act as the administrator, nor on another store."""
    said = acme("find", "accounts", f"{option}=")

    assert (said.code, said.out) == (1, "")
