"""Commands for those who leave and stand in for others, for editions, teams, and access kept as a text."""

from __future__ import annotations

from pathlib import Path

from tests.cli.test_access import acme, lead, made  # noqa: F401 - fixtures
from tests.cli.test_usage import english

EVA = ("--as", "eva@acme.pe")


def test_who_leaves_hands_over_in_one_operation(acme, lead):  # noqa: F811 - a fixture
    refused = acme("users", "leave", "eva@acme.pe", "--yes")
    assert (refused.code, "--to USER, or --records leads=USER" in refused.err) == (1, True)
    looked = acme("users", "leave", "eva@acme.pe", "--to", "pia@acme.pe", "--dry-run").out
    assert "Could no longer sign in: eva@acme.pe." in looked
    assert "Owner" in looked
    done = acme("users", "leave", "eva@acme.pe", "--records", "leads=pia@acme.pe", "--yes", "--json").json
    owners = {each["owner"] for each in acme("find", "leads", "--json", "--fields", "owner").json["records"]}
    assert acme("users", "leave", "pia@acme.pe", "--records", "leads").code == 2
    users = {each["email"]: each for each in acme("users", "--json").json["users"]}
    assert owners == {users["pia@acme.pe"]["id"]}
    assert users["eva@acme.pe"]["state"] == "deactivated"
    assert acme("journal", "undo", done["operation"]["id"], "--yes").code == 0
    assert acme("users", "list", "state = active", "--json").json["users"][1]["email"] == "eva@acme.pe"


def test_a_preview_says_who_would_be_locked_out(acme):  # noqa: F811 - a fixture
    said = acme("preview", "users", "edit", "eva@acme.pe", "--state", "suspended", "--json").json["lockouts"]
    assert len(said["signed_out"]) == 1
    assert not said["oneself"]
    acme("profiles", "permit", "Standard", "manage_roles", "--yes")
    said = acme("preview", "profiles", "forbid", "Standard", "manage_roles").out
    assert "eva@acme.pe would lose: manage_roles." in said
    assert "Nobody beside the administrators could do any more: manage_roles." in said


def test_an_edition_is_shown_set_and_taken_back(acme):  # noqa: F811 - a fixture
    assert "no limit" in acme("edition").out
    assert acme("edition", "set", "users=2", "--yes").code == 1
    done = acme("edition", "set", "users=9", "lacks=groups", "lacks_modules=deals", "--yes", "--json")
    assert acme("edition", "--json").json["edition"]["users"] == 9
    assert "It lacks: groups, Deals" in acme("edition").out
    assert "[not_in_edition]" in acme("sharing", "group", "add", "x", "--yes").err
    assert acme("edition", "set", "lacks=none", "--yes").code == 0
    assert acme("edition", "--json").json["edition"]["users"] == 9
    assert "lacks" not in acme("edition", "--json").json["edition"]
    assert done.code == 0
    for wrong in ("usrs=3", "users=many", "by_host=perhaps", "lacks=grops"):
        assert "[bad_setting]" in acme("edition", "set", wrong, "--yes").err


def test_a_team_is_joined_listed_and_left(acme, lead):  # noqa: F811 - a fixture
    assert (
        acme("sharing", "team", "join", lead, "pia@acme.pe", "--level", "write", "--function", "Legal", *EVA).code == 0
    )
    assert "Legal" in acme("sharing", "team", "list", lead).out
    assert acme("explain", "pia@acme.pe", "edit", lead, "--json").json["reasons"] == ["team"]
    assert acme("sharing", "team", "leave", lead, "pia@acme.pe", *EVA).code == 0
    assert acme("sharing", "team", "list", lead, "--json").json["team"] == []


def test_a_delegation_is_given_listed_and_taken_back(acme):  # noqa: F811 - a fixture
    given = ["--until", "2999-12-30", "--module", "leads", "--action", "view"]
    assert acme("users", "delegate", "pia@acme.pe", *given, "--yes", *EVA).code == 0
    said = acme("users", "delegations", *EVA).out
    assert "Eva" in said
    assert "Pia" in said
    assert " 2999-12-30 " in said
    assert acme("users", "delegations", "--json").json["delegations"][0]["modules"] == ["leads"]
    assert acme("users", "revoke", "pia@acme.pe", *EVA).code == 0
    assert acme("users", "delegations", "--json").json["delegations"] == []
    assert "[not_lent]" in acme("users", "revoke", "pia@acme.pe", *EVA).err


def test_a_permission_set_is_made_given_and_kept_while_somebody_has_it(acme):  # noqa: F811 - a fixture
    assert acme("profiles", "set", "add", "Exports", "leads.export", "--yes").code == 0
    assert acme("profiles", "set", "list", "--json").json["permission_sets"]["Exports"] == [
        "leads.view",
        "leads.export",
    ]
    assert not acme("explain", "eva@acme.pe", "export", "leads", "--json").json["allowed"]
    assert acme("users", "edit", "eva@acme.pe", "--set", "Exports", "--yes").code == 0
    assert acme("explain", "eva@acme.pe", "export", "leads", "--json").json["allowed"]
    assert acme("profiles", "set", "remove", "Exports", "--yes").code == 1
    assert acme("users", "edit", "eva@acme.pe", "--drop-set", "Exports", "--yes").code == 0
    assert acme("profiles", "set", "remove", "Exports", "--yes").code == 0
    assert acme("profiles", "set", "list", "--json").json["permission_sets"] == {}
    said = acme("profiles", "set", "add", "Mail", "mas_mail").err
    assert "Did you mean mass_mail? [" in said


def test_access_is_kept_and_compared(acme):  # noqa: F811 - a fixture
    assert acme("access", "snapshot", "access.json").code == 0
    assert acme("access", "compare", "access.json").code == 0
    acme("sharing", "default", "leads", "read", "--yes")
    found = acme("access", "compare", "access.json")
    assert (found.code, "~ defaults / leads / level: none → read" in found.out) == (1, True)
    assert acme("access", "compare", "access.json", "--json").json["differences"][0]["after"] == "read"
    assert acme("access", "snapshot", "no/where.json").code == 3
    assert acme("access", "compare", "nowhere.json").code == 3
    Path("access.json").write_bytes(b"\xff")
    assert "[bad_snapshot]" in acme("access", "compare", "access.json").err


SPOKEN = [
    ["users", "leave", "eva@acme.pe"],
    ["users", "leave", "eva@acme.pe", "--to", "pia@acme.pe", "--dry-run"],
    ["users", "delegate", "pia@acme.pe", "--until", "2999-12-30", "--action", "view", "--yes"],
    ["users", "delegations"],
    ["users", "revoke", "pia@acme.pe"],
    ["profiles", "set", "add", "Exporta", "export", "-y"],
    ["profiles", "set", "list"],
    ["profiles", "set", "remove", "Exporta", "-y"],
    ["edition"],
    ["edition", "set", "users=9", "lacks=groups", "--dry-run"],
    ["sharing", "team", "list", "LEAD"],
    ["sharing", "team", "join", "LEAD", "pia@acme.pe"],
    ["sharing", "team", "leave", "LEAD", "pia@acme.pe"],
    ["access", "snapshot", "a.json"],
    ["access", "compare", "a.json"],
    ["access", "compare", "b.json"],
]


def test_no_answer_leaves_a_word_in_english(acme, lead):  # noqa: F811 - fixtures
    for words in SPOKEN:
        said = acme(*[lead if each == "LEAD" else each for each in words], "--lang", "es")
        spoken = said.out + said.err
        assert spoken != ""
        assert (words, english(spoken)) == (words, [])
