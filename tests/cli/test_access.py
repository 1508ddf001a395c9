"""Commands for people and sharing: shown as they stand, changed after a look at who gains and loses, and explained."""

from __future__ import annotations

import io
from shutil import copy

import pytest

import nubetis as library
from nubetis import F, HostSignIn
from nubetis.access.decision import Reason
from nubetis.cli.commands import run
from nubetis.cli.texts import say_reason, speaking
from nubetis.session.leaving import plan_offboarding
from nubetis.session.naming import named
from nubetis.session.roles import plan_role
from tests.cli.test_usage import english


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Make the organisation once: Luis is above Eva, who has two leads; Pia is beside them."""
    place = tmp_path_factory.mktemp("acme") / "nubetis.db"
    with library.create(f"sqlite:///{place}", administrator="ana@acme.pe") as org:
        with org.session(HostSignIn("ana@acme.pe")) as ana:
            for role, under in (("Sales", "Manager"), ("Office", None)):
                ana.apply(plan_role(ana, role, under=under))
            for name, role in (("luis", "Manager"), ("eva", "Sales"), ("pia", "Office")):
                values = {"name": name.title(), "email": f"{name}@acme.pe", "handle": name}
                places = {
                    module[:-1]: named(ana, module, each).id
                    for module, each in (("roles", role), ("profiles", "Standard"))
                }
                ana.create("users", values | places)
        with org.session(HostSignIn("eva@acme.pe")) as eva:
            for name, company in (("Juan", "Acme"), ("Rosa", "Otra")):
                eva.create("leads", name=name, company=company)
    return place


@pytest.fixture
def acme(nubetis, made):
    """Give the commands with a copy of it in nubetis.db."""
    copy(made, "nubetis.db")
    return nubetis


@pytest.fixture
def lead(acme):
    return acme("find", "leads", "name = Juan", "--json").json["records"][0]["id"]


@pytest.fixture
def answering(acme, monkeypatch):
    """Give the commands with somebody at the terminal who gives an answer."""

    def call(answer, *arguments):
        stdin = io.StringIO(f"{answer}\n")
        stdin.isatty = lambda: True
        monkeypatch.setattr("sys.stdin", stdin)
        return acme(*arguments)

    return call


def roles(nubetis):
    return {each["name"]: each for each in nubetis("roles", "--json").json["roles"]}


# --- roles -----------------------------------------------------------------------------------------


def test_the_tree_of_roles_is_drawn_with_the_numbers_of_users(acme):
    acme("roles", "peers", "Sales", "on", "--yes")
    said = acme("roles")

    assert said.out.split("\n")[:6] == [
        "Acme",
        "├── Chief Executive  1 user · built in",
        "├── Manager  1 user · 1 below · built in",
        "│   └── Sales  1 user · peers",
        "└── Office  1 user",
        "",
    ]
    assert roles(acme)["Sales"]["depth"] == 1
    assert acme("roles", "list").out == said.out


def test_a_move_says_who_gains_and_loses_how_many_before_it_asks(answering, acme):
    said = answering("n", "roles", "move", "Sales", "--under", "Office")

    assert (said.code, "Do it?" in said.err, "Nothing was changed." in said.err) == (1, True, True)
    assert "1 user gains access, 1 user loses access." in said.out
    assert [row.split() for row in said.out.splitlines() if "@" in row or "Leads" in row] == [
        ["luis@acme.pe", "10", "modules", "none", "yet", "(all)"],
        ["Leads", "2", "(all)"],
        ["pia@acme.pe", "10", "modules", "none", "yet", "(all)"],
        ["Leads", "2", "(all)"],
    ]
    assert roles(acme)["Sales"]["reports_to"] == roles(acme)["Manager"]["id"]
    assert answering("y", "roles", "move", "Sales", "--under", "Office").code == 0
    assert roles(acme)["Sales"]["reports_to"] == roles(acme)["Office"]["id"]


def test_where_nobody_is_to_be_asked_it_must_be_said(acme):
    said = acme("roles", "move", "Sales", "--top", "--json")

    assert (said.code, said.json["error"]["code"]) == (2, "usage")
    assert acme("roles", "move", "Sales", "--top").code == 2
    done = acme("roles", "move", "Sales", "--top", "--yes", "--json")
    assert (done.code, done.json["operation"]["state"], roles(acme)["Sales"]["depth"]) == (0, "done", 0)
    lost = {each["email"]: each["modules"] for each in done.json["preview"]}
    assert [each["lost"] for each in lost["luis@acme.pe"] if each["module"] == "leads"] == [
        {"read": 2, "write": 2, "delete": 2}
    ]


UNFELT = [
    ["roles", "rename", "Office", "Front office"],
    ["users", "add", "zoe@acme.pe", "--role", "Sales", "--profile", "Standard"],
    ["users", "delegate", "pia@acme.pe", "--as", "eva@acme.pe"],
    ["profiles", "clone", "Standard", "Sales people"],
    ["sharing", "group", "add", "Front", "role Sales"],
]


@pytest.mark.parametrize("words", UNFELT, ids=lambda words: words[1])
def test_what_nobody_gains_or_loses_by_is_asked_as_well(answering, acme, words):
    """One rule for all that changes access: a count may miss what somebody is lent, or has by a value."""
    before = acme("journal", "list", "--json").json
    said = acme(*words)
    assert (said.code, "[usage]" in said.err) == (2, True)
    assert answering("n", *words).code == 1
    assert acme("journal", "list", "--json").json == before
    assert answering("y", *words).code == 0
    assert acme("journal", "list", "--json").json != before


def test_where_there_is_nothing_to_do_nobody_is_asked(acme):
    assert "nothing to do" in acme("roles", "peers", "Sales", "off").out


@pytest.mark.parametrize("way", ["dry run", "preview"])
def test_a_look_changes_nothing(acme, way):
    words = ["roles", "move", "Sales", "--under", "Office"]
    before = acme("journal", "list", "--json").json
    said = acme("preview", *words) if way == "preview" else acme(*words, "--dry-run")

    assert (said.code, "luis@acme.pe" in said.out, "pia@acme.pe" in said.out) == (0, True, True)
    assert acme("journal", "list", "--json").json == before
    assert acme("preview", *words, "--json").json == acme(*words, "--dry-run", "--json").json


def test_a_preview_is_of_a_command_that_changes_access(acme):
    for words in (["find", "leads"], ["nothing"], [], ["roles", "list"]):
        assert acme("preview", *words).code == 2


def test_a_role_goes_with_an_heir(acme):
    assert "[role_in_use]" in acme("roles", "remove", "Sales").err
    said = acme("roles", "remove", "Sales", "--heir", "Office", "--yes")

    assert (said.code, roles(acme)["Office"]["users"]) == (0, 2)


REFUSED = [
    (["roles", "move", "Manager", "--under", "Sales", "--dry-run"], "role_circle", 1),
    (["roles", "move", "Sale", "--top"], "unknown_principal", 1),
    (["roles", "move", "Sales"], "usage", 2),
    (["roles", "move", "Sales", "--top", "--under", "Office"], "usage", 2),
    (["roles", "add", "office"], "not_unique", 1),
    (["roles", "wat"], "usage", 2),
    (["users", "edit", "ana@acme.pe", "--state", "suspended"], "last_administrator", 1),
    (["users", "edit", "ana@acme.pe", "--profile", "Standard", "--dry-run"], "last_administrator", 1),
    (["users", "edit", "zoe@acme.pe", "--state", "suspended"], "unknown_user", 1),
    (["users", "edit", "role Sales", "--state", "suspended"], "unknown_user", 1),
    (["users", "edit", "eva@acme.pe", "--state", "asleep"], "usage", 2),
    (["users", "add", "eva@acme.pe", "--role", "Sales", "--profile", "Standard"], "not_unique", 1),
    (["users", "add", "zoe@acme.pe", "--role", "Sales", "--profile", "Nobody"], "unknown_principal", 1),
    (["users", "add", "zoe", "--role", "Sales", "--profile", "Standard"], "bad_email", 1),
    (["users", "remove", "ana@acme.pe"], "last_administrator", 1),
    (["profiles", "permit", "Standard", "exprt"], "bad_permissions", 1),
    (["profiles", "forbid", "Administrator", "view"], "bad_argument", 1),
    (["profiles", "remove", "Standard"], "built_in", 1),
    (["profiles", "field", "Standard", "leads.fone", "hidden"], "unknown_field", 1),
    (["profiles", "field", "Standard", "leads.phone", "secret"], "usage", 2),
    (["profiles", "compare", "Standard", "Other"], "unknown_principal", 1),
    (["sharing", "default", "dealz", "read"], "unknown_module", 1),
    (["sharing", "default", "users", "read"], "bad_argument", 1),
    (["sharing", "rule", "add", "x", "leads", "--with", "pia@acme.pe"], "usage", 2),
    (["sharing", "rule", "add", "x", "leads", "--with", "pia", "--of", "role No"], "unknown_principal", 1),
    (["sharing", "rule", "remove", "x"], "unknown_principal", 1),
    (["sharing", "group", "add", "A", "group B"], "unknown_principal", 1),
    (["sharing", "share", "lea_0000000000001W", "pia@acme.pe"], "not_found", 1),
    (["explain", "zoe@acme.pe", "view", "leads"], "unknown_user", 1),
    (["explain", "eva@acme.pe", "eat", "leads"], "usage", 2),
    (["who-can", "view", "lea_0000000000001W"], "not_found", 1),
]


def test_what_cannot_be_is_an_error_with_its_code_and_nothing_is_written(acme):
    """Said in Spanish to the last word; the shells of programs read the exit code."""
    before = acme("journal", "list", "--json").json
    found = [acme(*words, "--lang", "es") for words, _, _ in REFUSED]

    said = [
        (words, f"[{code}]" in each.err, each.code, each.out)
        for (words, code, _), each in zip(REFUSED, found, strict=True)
    ]
    assert said == [(words, True, code, "") for words, _, code in REFUSED]
    assert [
        (words, english(each.err)) for (words, _, _), each in zip(REFUSED, found, strict=True) if english(each.err)
    ] == []
    assert acme(*REFUSED[0][0], "--json").json["error"]["code"] == REFUSED[0][1]
    assert acme("journal", "list", "--json").json == before


def test_a_refusal_names_what_it_is_about(acme):
    said = acme("roles", "move", "Manager", "--under", "Sales").err

    assert f"The role Manager ({roles(acme)['Manager']['id']}) would be above itself." in said


# --- users -----------------------------------------------------------------------------------------


def test_users_are_listed_with_role_profile_and_state(acme):
    found = acme("users", "--json").json["users"]

    assert [(each["name"], each["email"], each["state"], each["role"], each["profile"]) for each in found] == [
        ("Ana", "ana@acme.pe", "active", "Chief Executive", "Administrator"),
        ("Eva", "eva@acme.pe", "active", "Sales", "Standard"),
        ("Luis", "luis@acme.pe", "active", "Manager", "Standard"),
        ("Pia", "pia@acme.pe", "active", "Office", "Standard"),
    ]
    assert "4 users" in acme("users").out
    assert [each["name"] for each in acme("users", "list", "name = eva", "--json").json["users"]] == ["Eva"]


def test_a_user_is_edited_after_a_look(acme):
    seen = acme("users", "edit", "eva@acme.pe", "--role", "Office", "--dry-run")
    assert [seen.code, "luis@acme.pe" in seen.out, "Sales" in seen.out] == [0, True, True]
    assert acme("users", "edit", "eva@acme.pe", "--role", "Office", "--name", "Eva Paz", "--yes").code == 0
    assert acme("users", "edit", "pia@acme.pe", "--state", "suspended", "--yes").code == 0
    found = {each["email"]: each for each in acme("users", "--json").json["users"]}

    assert (found["eva@acme.pe"]["role"], found["eva@acme.pe"]["name"]) == ("Office", "Eva Paz")
    assert found["pia@acme.pe"]["state"] == "suspended"


def test_permission_sets_are_given_and_taken(acme):
    with library.open("sqlite:///nubetis.db") as org, org.session(HostSignIn("ana@acme.pe")) as session:
        for name in ("Exports", "Mails"):
            session.create("permission_sets", name=name, permissions='{"verbs": {"*": ["view", "export"]}}')
    said = acme("users", "edit", "eva@acme.pe", "--set", "exports", "--set", "Mails", "--yes")
    assert "1 user gains access." in said.out
    acme("users", "edit", "eva@acme.pe", "--drop-set", "Mails", "--yes")

    found = {each["email"]: each["permission_sets"] for each in acme("users", "--json").json["users"]}
    assert found["eva@acme.pe"] == ["Exports"]
    assert acme("explain", "eva@acme.pe", "export", "leads", "--json").json["allowed"]


def test_a_user_goes_into_the_bin_and_comes_back_by_undo(acme):
    done = acme("users", "remove", "pia@acme.pe", "--yes", "--json")
    assert [each["email"] for each in acme("users", "--json").json["users"]] == [
        "ana@acme.pe", "eva@acme.pe", "luis@acme.pe",
    ]  # fmt: skip
    assert acme("journal", "undo", done.json["operation"]["id"], "--yes").code == 0
    assert len(acme("users", "--json").json["users"]) == 4


AWAY = {"suspended": ["edit", "eva@acme.pe", "--state", "suspended"], "removed": ["remove", "eva@acme.pe"]}


@pytest.mark.parametrize("road", AWAY)
def test_nobody_is_sent_away_unasked(answering, acme, road):
    """It is said that all is lost and what stays; nobody to ask is no yes."""
    words = ["users", *AWAY[road]]
    assert acme(*words).code == 2
    said = answering("n", *words)
    assert (said.code, "1 user loses access." in said.out) == (1, True)
    assert {"sign-in", "more;", "2", "records", "stay", "theirs"} <= set(said.out.split())
    assert len(acme("users", "list", "state = active", "--json").json["users"]) == 4
    (told,) = acme(*words, "--dry-run", "--json").json["preview"]
    assert (told["signs_in"], told["keeps"], "leads.view" in told["permissions_lost"]) == (
        [True, False],
        {"leads": 2},
        True,
    )
    assert answering("y", *words).code == 0
    assert len(acme("users", "list", "state = active", "--json").json["users"]) == 3


def test_an_undo_of_a_change_of_access_is_looked_at_and_asked(answering, acme):
    """As the change itself was; an undo of records is not."""
    move = acme("roles", "move", "Sales", "--under", "Office", "--yes", "--json").json["operation"]["id"]
    seen = acme("journal", "undo", move, "--dry-run")
    assert "1 user gains access, 1 user loses access." in seen.out
    assert {each["email"] for each in acme("journal", "undo", move, "--dry-run", "--json").json["preview"]} == {
        "luis@acme.pe", "pia@acme.pe",
    }  # fmt: skip
    assert acme("journal", "undo", move).code == 2
    said = answering("n", "journal", "undo", move)
    assert (said.code, "luis@acme.pe" in said.out, "Nothing was changed." in said.err) == (1, True, True)
    assert roles(acme)["Sales"]["reports_to"] == roles(acme)["Office"]["id"]
    assert answering("y", "journal", "undo", move).code == 0
    assert roles(acme)["Sales"]["reports_to"] == roles(acme)["Manager"]["id"]
    rename = acme("roles", "rename", "Office", "Front", "--yes", "--json").json["operation"]["id"]
    assert answering("n", "journal", "undo", rename).code == 1
    assert acme("journal", "undo", rename, "--yes").code == 0


def test_an_undo_of_people_and_records_is_shown(acme):
    """A record's field may be called as one of sharing is."""
    with library.open("sqlite:///nubetis.db") as org, org.session(HostSignIn("ana@acme.pe")) as session:
        name = session.find("leads", F.name == "Juan")[0].id
        session.edit(name, source="web")
        session.apply(plan_offboarding(session, "eva@acme.pe", to="pia@acme.pe"))
    done = acme("journal", "list", "--limit", "1", "--json").json["operations"][0]["id"]
    said = " ".join(acme("journal", "undo", done, "--dry-run").out.split())
    assert "2 users gain access, 1 user loses access." in said  # Eva and those above her, and Pia who had them
    assert acme("journal", "undo", done, "--yes").code == 0


def test_programs_are_told_what_changes_and_nothing_of_the_rest(acme):
    (luis, pia) = acme("preview", "roles", "move", "Sales", "--under", "Office", "--json").json["preview"]
    assert (set(luis), set(pia)) == ({"user", "email", "modules", "none_yet"},) * 2
    assert luis["modules"] == [{"module": "leads", "lost": {"read": 2, "write": 2, "delete": 2}, "exact": True}]
    assert (set(luis["none_yet"]), len(luis["none_yet"]["lost"])) == ({"lost"}, 10)
    told = acme("preview", "sharing", "default", "leads", "read", "--json").json["preview"]
    widened = {"module": "leads", "everybody": ["none", "read"]}
    assert [each["modules"] for each in told] == [
        [widened], [widened], [{**widened, "gained": {"read": 2}, "exact": True}],
    ]  # fmt: skip


# --- profiles --------------------------------------------------------------------------------------


def test_a_profile_is_cloned_changed_compared_and_merged(acme):
    assert acme("profiles", "clone", "Standard", "Sales people", "-y").code == 0
    assert acme("profiles", "permit", "Sales people", "leads.export", "manage_roles", "-y").code == 0
    assert acme("profiles", "field", "Sales people", "contacts.phone", "hidden", "-y").code == 0
    assert acme("users", "edit", "eva@acme.pe", "--profile", "Sales people", "--yes").code == 0
    told = acme("profiles", "compare", "Standard", "Sales people", "--json").json["differences"]
    assert [(each["what"], each["first"], each["second"]) for each in told] == [
        ("leads.export", "no", "yes"), ("manage_users", "no", "yes"), ("manage_roles", "no", "yes"),
        ("contacts.phone", "edit", "hidden"),
    ]  # fmt: skip
    seen = acme("profiles", "forbid", "Sales people", "view", "--dry-run")
    assert "1 user loses access." in seen.out
    assert acme("profiles", "merge", "Standard", "Sales people", "--yes").code == 0
    found = acme("profiles", "--json").json["profiles"]
    assert {each["name"]: each["users"] for each in found} == {"Administrator": 1, "Standard": 3}
    assert acme("explain", "pia@acme.pe", "export", "leads", "--json").json["allowed"]


def test_a_field_is_hidden_after_a_look(acme):
    said = acme("profiles", "field", "Standard", "contacts.email", "hidden", "--dry-run")
    assert ["3 users lose access." in said.out, "contacts.email: edit → hidden" in said.out] == [True, True]
    assert acme("profiles", "field", "Standard", "contacts.email", "hidden").code == 2
    told = acme("profiles", "field", "Standard", "contacts.email", "hidden", "--yes", "--json").json["preview"]
    assert [each["fields_lost"] for each in told] == [{"contacts.email": ["edit", "hidden"]}] * 3


def test_a_profile_is_shown_as_verbs_against_modules(acme):
    acme("profiles", "forbid", "Standard", "deals.delete", "--yes")
    said = acme("profiles", "show", "standard")
    rows = {row.split()[0]: row.split()[-2:] for row in said.out.splitlines() if row.split()}

    assert (rows["permission"], rows["view"], rows["delete"]) == (["others", "Deals"], ["✓", "✓"], ["✓", "·"])
    assert rows["export"] == ["·", "·"]
    assert "merge" not in acme("profiles", "show", "standard", "--json").json["verbs"]["deals"]
    assert "They permit the same." in acme("profiles", "compare", "Standard", "Standard").out


# --- sharing ---------------------------------------------------------------------------------------


def test_sharing_is_shown_as_it_was_said(acme):
    assert (
        acme("sharing", "default", "contacts", "read", "--parent", "account", "--parent-level", "write", "-y").code == 0
    )
    assert acme("sharing", "default", "contacts", "none", "--upward", "read", "-y").code == 0
    assert acme("sharing", "group", "add", "Front", "pia@acme.pe", "role Sales+", "-y").code == 0
    assert acme("sharing", "group", "edit", "Front", "--add", "role Office", "--drop", "pia@acme.pe", "-y").code == 0
    rule = ["sharing", "rule", "add"]
    assert acme(*rule, "north", "leads", "--of", "role Sales+", "--with", "group Front", "-y").code == 0
    assert acme(*rule, "acme", "leads", "--where", "company = Acme", "--with", "everybody", "-y").code == 0
    told, said = acme("sharing", "--json").json, acme("sharing").out

    contacts = next(each for each in told["modules"] if each["module"] == "contacts")
    assert contacts == {
        "module": "contacts", "level": "none", "upward": "read", "parent": "account", "parent_level": "write",
        "said": True,
    }  # fmt: skip
    assert [(each["name"], each["source"], each["where"], each["target"]) for each in told["rules"]] == [
        ("acme", None, "company = Acme", "everybody"), ("north", "role Sales+", None, "group Front"),
    ]  # fmt: skip
    assert [set(each["members"]) for each in told["groups"]] == [{"role Sales+", "role Office"}]
    assert ["account: read and write" in said, "of role Sales+" in said, "company = Acme" in said] == [True] * 3
    refused = acme("sharing", "group", "remove", "Front").err
    assert [name in refused for name in ("Front (gro_", "still named by north (sru_", "[still_named]")] == [True] * 3
    for words in (["rule", "remove", "north"], ["rule", "remove", "acme"], ["group", "remove", "Front"]):
        assert acme("sharing", *words, "--yes").code == 0
    assert acme("sharing", "default", "contacts", "none", "--parent", "", "-y").code == 0
    left = acme("sharing", "--json").json
    assert (left["rules"], left["groups"]) == ([], [])
    assert next(each for each in left["modules"] if each["module"] == "contacts")["parent"] is None


def test_a_rule_is_looked_at_before_it_is_made(acme):
    said = acme(
        "sharing", "rule", "add", "w", "leads", "--where", "company = Acme", "--with", "pia@acme.pe", "--dry-run"
    )

    assert ["by rule w" in said.out, "pia@acme.pe" in said.out, "1 user gains access." in said.out] == [True] * 3


def test_one_record_is_shared_to_the_end_of_a_day_and_no_longer(acme, lead):
    eva = ["--as", "eva@acme.pe"]
    assert acme("sharing", "share", lead, "pia@acme.pe", "--level", "write", "--until", "2999-12-30", *eva).code == 0
    (told,) = acme("sharing", "shares", lead, "--json").json["shares"]
    assert (told["target"], told["level"], told["until"]) == ("pia@acme.pe", "write", "2999-12-31T00:00:00+00:00")
    assert "pia@acme.pe" in acme("sharing", "shares", lead, *eva).out
    assert acme("explain", "pia@acme.pe", "edit", lead, "--json").json["reasons"] == ["share"]
    over = acme("sharing", "share", lead, "pia@acme.pe", "--until", "2000-01-01T10:30", *eva)
    assert over.code != 0
    assert "until" in over.err
    assert "owner" in acme("sharing", "share", lead, "eva@acme.pe", *eva).err
    assert acme("sharing", "unshare", lead, "pia@acme.pe", *eva).code == 0
    assert acme("sharing", "shares", lead, "--json").json["shares"] == []
    assert "[not_shared]" in acme("sharing", "unshare", lead, "pia@acme.pe", *eva).err


def test_a_default_by_the_parent_is_looked_at(acme):
    words = ["sharing", "default", "contacts", "none", "--parent", "account", "--parent-level", "write"]
    said = acme(*words, "--dry-run")
    assert ["it may concern 3 users." in said.out, "by account: read and write" in said.out] == [True, True]
    assert acme(*words).code == 2


# --- explanations ----------------------------------------------------------------------------------


def test_an_explanation_is_drawn_step_by_step(acme, lead):
    acme("sharing", "rule", "add", "west", "leads", "--where", "company = Otra", "--with", "pia@acme.pe", "-y")
    may, may_not = acme("explain", "luis@acme.pe", "edit", lead).out, acme("explain", "pia@acme.pe", "view", lead).out

    assert may.splitlines()[0] == f"✓ luis@acme.pe may edit: Juan ({lead})"
    assert "  ✓ tree of roles: the owner's role is below the user's (Luis > " in may
    assert "  · owner: the user does not own the record" in may.splitlines()
    assert may_not.splitlines()[0] == f"✗ pia@acme.pe may not view: Juan ({lead})"
    assert "  ~ rule west would apply if company = Otra" in may_not.splitlines()


def test_one_may_ask_for_oneself_and_not_for_others(acme, lead):
    acme("profiles", "field", "Standard", "leads.phone", "hidden", "--yes")
    told = acme("explain", "luis@acme.pe", "edit", lead, "--json").json
    assert (told["fields"], told["missing"]) == ({"phone": "hidden"}, [])
    assert told["grants"][0] == {"reason": "hierarchy", "level": "delete", "rule": ""}
    assert not any(each["short"] for each in told["steps"])
    assert "Hidden fields: Phone" in acme("explain", "luis@acme.pe", "edit", lead).out
    assert acme("explain", "luis@acme.pe", "edit", lead, "--as", "luis@acme.pe").code == 0
    assert "[denied]" in acme("explain", "eva@acme.pe", "edit", lead, "--as", "luis@acme.pe").err
    assert "[not_found]" in acme("explain", "pia@acme.pe", "edit", lead, "--as", "pia@acme.pe").err
    assert "[denied]" in acme("who-can", "edit", lead, "--as", "luis@acme.pe").err


def test_who_can_lists_those_whom_explain_allows(acme, lead):
    for action in ("edit", "export"):
        found = {each["email"] for each in acme("who-can", action, lead, "--json").json["users"]}
        users = [f"{name}@acme.pe" for name in ("ana", "luis", "eva", "pia")]
        assert found == {each for each in users if acme("explain", each, action, lead, "--json").json["allowed"]}
    assert "luis@acme.pe" in acme("who-can", "edit", lead).out


def test_who_manages_people_and_may_not_explain_is_asked_without_a_preview(acme):
    acme("profiles", "permit", "Standard", "manage_roles", "--yes")
    said = acme("roles", "rename", "Sales", "Sellers", "--as", "luis@acme.pe", "--dry-run")

    assert (said.code, "for those who may explain access" in said.out) == (0, True)
    assert acme("roles", "rename", "Sales", "Sellers", "--as", "luis@acme.pe").code == 2
    assert acme("roles", "rename", "Sales", "Sellers", "--as", "luis@acme.pe", "--yes").code == 0


# --- in Spanish ------------------------------------------------------------------------------------


SPOKEN = [
    ["users"],
    ["users", "edit", "eva@acme.pe", "--role", "Office", "--dry-run"],
    ["users", "edit", "eva@acme.pe", "--profile", "Administrator", "--dry-run"],
    ["users", "remove", "eva@acme.pe", "--dry-run"],
    ["profiles", "field", "Standard", "contacts.email", "hidden", "--dry-run"],
    ["sharing", "default", "contacts", "none", "--parent", "account", "--parent-level", "write", "--dry-run"],
    ["roles"],
    ["roles", "add", "Otro"],
    ["roles", "move", "Sales", "--under", "Office"],
    ["preview", "roles", "move", "Sales", "--under", "Office"],
    ["preview", "find"],
    ["profiles"],
    ["profiles", "show", "Standard"],
    ["profiles", "compare", "Standard", "Administrator"],
    ["profiles", "compare", "Standard", "Standard"],
    ["profiles", "permit", "Standard", "leads.export", "--dry-run"],
    ["profiles", "forbid", "Administrator", "view"],
    ["sharing"],
    ["sharing", "default", "leads", "read", "--dry-run"],
    ["sharing", "rule", "add", "x", "leads", "--with", "pia@acme.pe"],
    ["sharing", "share", "LEAD", "pia@acme.pe"],
    ["sharing", "shares", "LEAD"],
    ["explain", "luis@acme.pe", "edit", "LEAD"],
    ["explain", "pia@acme.pe", "edit", "LEAD"],
    ["explain", "pia@acme.pe", "export", "leads"],
    ["who-can", "edit", "LEAD"],
]
ENGLISH = {"may", "nothing", "everybody", "user", "users", "gains", "loses", "permission", "because", "owner"}


def test_no_answer_leaves_a_word_in_english(acme, lead):
    acme("sharing", "rule", "add", "oeste", "leads", "--where", "company = Otra", "--with", "pia@acme.pe", "-y")
    for words in SPOKEN:
        said = acme(*[lead if each == "LEAD" else each for each in words], "--lang", "es")
        spoken = said.out + said.err

        assert spoken != ""
        assert (words, english(spoken), ENGLISH.intersection(spoken.replace(":", " ").split())) == (words, [], set())


@pytest.mark.parametrize("reason", list(Reason))
def test_each_reason_is_said_in_spanish(reason):
    with speaking("en"):
        own = say_reason(reason)
    with speaking("es"):
        said = say_reason(reason)

    assert (own != "", said != own) == (True, True)


def test_no_command_falls_with_a_traceback(acme, capsys):
    """Whatever names are given."""
    for words in (
        ["users"],
        ["roles"],
        ["profiles", "show", ""],
        ["sharing", "shares", ""],
        ["explain", "", "view", ""],
    ):
        for name in ("\udcff", "x\0y", "a" * 3000, "%", "🙂"):
            code = run([*words, name])
            capsys.readouterr()
            assert code in {1, 2}


def test_a_change_of_people_is_told_in_words(acme, lead):
    """The state, the fields, who is meant, and the module of a default; in Spanish, too."""
    said = acme("users", "edit", "eva@acme.pe", "--state", "suspended", "--dry-run", "--lang", "es").out
    assert "suspendido" in said
    assert not {"active", "suspended", "state"} & set(said.split())
    acme("sharing", "default", "leads", "read", "--yes")
    said = acme("sharing", "default", "leads", "write", "--dry-run").out
    assert "1003" not in said
    assert "Leads" in said
    rule = ["sharing", "rule", "add", "todo", "leads", "--of", "role Sales", "--with", "everybody"]
    said = acme(*rule, "--dry-run", "--lang", "es").out
    assert "cargo Sales" in said
    assert "todos" in said
    assert "everybody" not in said


def test_who_mistypes_a_name_is_helped(acme):
    said = acme("roles", "move", "Manger", "--top", "--lang", "es").err
    assert "No hay ningún cargo Manger. ¿Quiso decir Manager?" in said
    assert "Did you mean Sales?" in acme("sharing", "group", "add", "x", "role Sals").err


def test_an_error_names_who_is_meant_by_an_id(acme, lead):
    role = next(each for each in acme("roles", "--json").json["roles"] if each["name"] == "Sales")["id"]
    said = acme("roles", "remove", "Sales", "--yes").err
    assert f"Sales ({role})" in said
    assert "Eva (use_" in said


def test_the_end_of_a_share_is_shown_as_it_was_given(acme, lead):
    share = ["sharing", "share", lead, "pia@acme.pe", "--as", "eva@acme.pe", "--until"]
    assert acme(*share, "2999-12-30").code == 0
    assert " 2999-12-30 " in acme("sharing", "shares", lead).out
    assert acme(*share, "2999-12-30T18:00").code == 0
    assert "2999-12-30 18:00" in acme("sharing", "shares", lead).out
    said = acme(*share, "mañana", "--lang", "es")
    assert said.code == 2
    assert "mañana no es un día como 2026-12-31 ni un instante como 2026-12-31T18:00." in said.err
