"""What the commands of access say: of previews, of lists that change, of what cannot be, on the standard output."""

from __future__ import annotations

import io

import pytest

from nubetis.access.snapshot import AccessSnapshot
from tests.cli.test_access import acme, lead, made

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
def test_what_has_no_preview_says_so_and_names_what_has(acme, words, path, named):  # noqa: F811 - a fixture
    said = acme("preview", *words)
    assert said.code == 2
    assert "--dry-run" not in said.err + said.out
    if "--json" not in words:
        assert f"{path} has no preview. These have one: " in said.err
        assert named in said.err


def test_help_and_mistakes_behind_a_preview_are_those_of_the_command(acme):  # noqa: F811
    assert "Usage: nubetis roles" in acme("preview", "roles", "--help").out
    assert "--under" in acme("preview", "roles", "move", "--help").out
    assert "No such command 'mov'" in acme("preview", "roles", "mov").err
    assert acme("preview", "roles", "move", "Sales", "--top").code == 0


def test_of_a_list_that_changes_only_the_change_is_shown(acme):  # noqa: F811
    members = ["pia@acme.pe", "eva@acme.pe", "role Office", "role Sales+"]
    acme("sharing", "group", "add", "Front", *members, "-y")
    said = acme("sharing", "group", "edit", "Front", "--add", "luis@acme.pe", "--drop", "role Sales+", "--dry-run").out
    (row,) = [each for each in said.splitlines() if "Members" in each]
    assert row.split("Members")[1].split() == ["−", "role", "Sales+", "+", "luis@acme.pe"]


def test_a_snapshot_goes_to_the_standard_output_and_comes_from_the_input(acme, monkeypatch, tmp_path):  # noqa: F811
    text = acme("access", "snapshot", "-").out
    assert AccessSnapshot.parse(text).show() == text
    assert not (tmp_path / "-").exists()
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert acme("access", "compare", "-").code == 0


def test_parents_in_a_circle_and_too_many_in_a_row_are_said_in_plain_words(acme):  # noqa: F811
    default = ["sharing", "default"]
    said = acme(*default, "accounts", "none", "--parent", "parent", "--parent-level", "read", "-y").err
    assert "lead back to where they begin: accounts > accounts" in said
    assert "module number" not in said


def test_a_parent_wants_a_level(acme):  # noqa: F811
    said = acme("sharing", "default", "contacts", "none", "--parent", "account", "--yes")
    assert (said.code, "--parent-level" in said.err) == (2, True)
    assert acme("sharing", "default", "contacts", "none", "--parent", "", "--yes").code == 0


def test_who_may_not_manage_sharing_is_told_so(acme):  # noqa: F811
    acme("sharing", "default", "leads", "read", "--yes")
    for module in ("leads", "deals"):
        assert "[denied]" in acme("sharing", "default", module, "none", "--as", "eva@acme.pe").err
