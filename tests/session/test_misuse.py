"""What a programmer mistypes is an error of nubetis that says what to give instead."""

from __future__ import annotations

from datetime import datetime
from io import BytesIO

import attrs
import pytest

from nubetis import F, Field, HostSignIn, Module, Money, Table, create, hookimpl
from nubetis.data import export, lint_schema, load, plan_links, plan_load
from nubetis.errors import Conflict, InvalidFilter, InvalidValue, NotFound, PluginError
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.model.text import parse
from nubetis.session.erasing import erase
from nubetis.session.holding import holds, plan_hold
from nubetis.session.past import as_of, operations
from nubetis.session.resuming import resume
from nubetis.session.retaining import plan_retention, plan_rule, retain
from tests.stores import refusing

TABLE = Table({"name": ["A"]})
NO_ZONE = datetime.fromisoformat("2026-01-31T09:30:00")


def made(name, **settings):
    return Field(name="q", type=kind(name), **settings)


def renamed(session):
    return session.plan_update("deals", EVERYTHING, name="x")


MISUSES = {
    "session": (lambda org, s, deal: org.session("ana@acme.pe"), "HostSignIn"),
    "get a number": (lambda org, s, deal: s.get(3), "a record or its id"),
    "get none": (lambda org, s, deal: s.get(None), "a record or its id"),
    "delete": (lambda org, s, deal: s.delete(3), "a record or its id"),
    "undo": (lambda org, s, deal: s.undo(3), "a record or its id"),
    "as of no instant": (lambda org, s, deal: as_of(s, deal, "yesterday"), "an instant with its zone"),
    "as of no zone": (lambda org, s, deal: as_of(s, deal, NO_ZONE), "an instant with its zone"),
    "purge before no zone": (lambda org, s, deal: org.purge(before=NO_ZONE), "an instant with its zone"),
    "sort": (lambda org, s, deal: s.find("deals", sort=3), "names of fields"),
    "sort of numbers": (lambda org, s, deal: s.find("deals", sort=[3]), "names of fields"),
    "limit": (lambda org, s, deal: s.find("deals", limit="x"), "a whole number"),
    "after": (lambda org, s, deal: s.find("deals", after=3), "cursor"),
    "total": (lambda org, s, deal: s.find("deals", total="all"), "none, capped, exact"),
    "count to": (lambda org, s, deal: s.count("deals", limit="x"), "a whole number"),
    "average": (
        lambda org, s, deal: s.aggregate("deals", measures={"t": "avg amount"}),
        "count, sum amount, min amount, max amount",
    ),
    "sum of nothing": (lambda org, s, deal: s.aggregate("deals", measures={"t": "sum"}), "sum amount"),
    "a measure that is a number": (lambda org, s, deal: s.aggregate("deals", measures={"t": 3}), "sum amount"),
    "measures": (lambda org, s, deal: s.aggregate("deals", measures="count"), "measures: give measures by name"),
    "no measure": (lambda org, s, deal: s.aggregate("deals", measures={}), "measures: give measures by name"),
    "a measure named by a number": (lambda org, s, deal: s.aggregate("deals", measures={5: "count"}), "a text"),
    "a measure named as what it is grouped by": (
        lambda org, s, deal: s.aggregate("deals", by="stage", measures={"stage": "count"}),
        "another name",
    ),
    "a filter that is a number": (lambda org, s, deal: parse(5), "text: give a text"),
    "first settings": (
        lambda org, s, deal: create("memory://", administrator="a@b.pe", settings=5),
        "settings by name",
    ),
    "first name": (
        lambda org, s, deal: create("memory://", administrator="a@b.pe", settings={"name": "a\0b"}),
        "no text",
    ),
    "can": (lambda org, s, deal: s.can("fly", deal), "view, create, edit, delete"),
    "decide": (lambda org, s, deal: s.decide("fly", deal), "view, create, edit, delete"),
    "module": (lambda org, s, deal: s.find(3), "no module 3"),
    "values": (lambda org, s, deal: s.create("deals", ["x"]), "values by field"),
    "edited values": (lambda org, s, deal: s.edit(deal, ["x"]), "values by field"),
    "one record": (lambda org, s, deal: s.plan_create("deals", {"name": "1"}), "a list of values by field"),
    "edits": (lambda org, s, deal: s.plan_edits("deals", ["x"]), "values by field, by record id"),
    "plan": (lambda org, s, deal: s.apply(3), "plan: give a plan"),
    "field type": (lambda org, s, deal: Field(name="q", type="text"), 'kind("text")'),
    "no fields": (lambda org, s, deal: Module(name="empty", fields=[]), "at least one field"),
    "field of nothing": (lambda org, s, deal: Module(name="empty", fields=["name"]), "a list of fields"),
    "module that is a list": (lambda org, s, deal: s.find(["deals"]), "no module ['deals']"),
    "limit that is a truth": (lambda org, s, deal: s.find("deals", limit=True), "a whole number"),
    "deleted": (lambda org, s, deal: s.find("deals", deleted="no"), "deleted: give True or False"),
    "streamed fields": (lambda org, s, deal: list(s.stream("deals", fields=3)), "names of fields"),
    "merge fields": (lambda org, s, deal: s.edit(deal, name="x", merge_fields="no"), "True or False"),
    "records": (lambda org, s, deal: s.plan_create("deals", 3), "a list of values by field"),
    "after no plan": (lambda org, s, deal: s.plan_create("deals", [], after=3), "after: give a plan"),
    "cause": (lambda org, s, deal: s.plan_delete("deals", EVERYTHING, cause="import"), "a cause"),
    "no cause": (lambda org, s, deal: s.plan_create("deals", [], cause=()), "a cause"),
    "tolerance below none": (lambda org, s, deal: s.apply(renamed(s), tolerance=-1), "tolerance: give a number from 0"),
    "tolerance of a text": (lambda org, s, deal: s.apply(renamed(s), tolerance="1"), "tolerance: give a whole number"),
    "tolerance of a truth": (lambda org, s, deal: s.apply(renamed(s), tolerance=True), "a whole number, not bool"),
    "tolerance of none": (
        lambda org, s, deal: s.apply(renamed(s), tolerance=float("nan")),
        "not float",
    ),
    "skip refused": (lambda org, s, deal: s.apply(renamed(s), skip_refused="no"), "True or False"),
    "progress": (lambda org, s, deal: s.apply(renamed(s), progress=1), "progress: give a function"),
    "work": (lambda org, s, deal: s.unit(3), "work: give a function"),
    "tolerance of a resumption": (lambda org, s, deal: resume(s, operations(s)[0], tolerance=-1), "tolerance"),
    "latest operations": (lambda org, s, deal: operations(s, limit=True), "a whole number, not bool"),
    "erased fields": (lambda org, s, deal: erase(s, deal, fields=3), "names of fields"),
    "no fields to erase": (lambda org, s, deal: erase(s, deal, fields=[]), "fields: none are given: leave it out for"),
    "no fields to export": (lambda org, s, deal: export(s, BytesIO(), module="deals", fields=()), "fields: none are"),
    "no fields to stream": (lambda org, s, deal: list(s.stream("deals", fields=[])), "fields: none are given"),
    "no modules to judge": (lambda org, s, deal: lint_schema(s, modules=[]), "modules: none are given"),
    "modules to judge": (lambda org, s, deal: lint_schema(s, modules=3), "names of modules"),
    "no rules to follow": (lambda org, s, deal: retain(s, names=[]), "names: none are given: leave it out for all"),
    "a sign-in of nobody": (lambda org, s, deal: HostSignIn(None), "user: give an e-mail, a handle or a record id"),
    "a factor": (lambda org, s, deal: HostSignIn("ana", factor="no"), "factor: give True or False"),
    "a sign-in at no instant": (lambda org, s, deal: HostSignIn("ana", at="ayer"), "an instant with its zone"),
    "a sign-in of no zone": (lambda org, s, deal: HostSignIn("ana", at=NO_ZONE), "an instant with its zone"),
    "an address": (lambda org, s, deal: HostSignIn("ana", address=3), "address: give a text"),
    "two fields": (lambda org, s, deal: F["a", "b"], "F[…]: give the name of one field, not tuple"),
    "a file to load": (lambda org, s, deal: load(s, "x.csv", module="deals"), "table: give a table such as"),
    "rows to load": (lambda org, s, deal: load(s, [{"name": "x"}], module="deals"), "table: give a table such as"),
    "no table": (lambda org, s, deal: plan_load(s, None, module="deals"), "table: give a table such as"),
    "links of a file": (lambda org, s, deal: plan_links(s, "x.csv", module="deals"), "table: give a table such as"),
    "a map": (lambda org, s, deal: load(s, TABLE, module="deals", field_map={"name": "name"}), "map_table(…) gives"),
    "an empty map": (lambda org, s, deal: load(s, TABLE, module="deals", field_map={}), "map_table(…) gives"),
    "a map of links": (lambda org, s, deal: plan_links(s, TABLE, module="deals", field_map={}), "map_table(…) gives"),
    "rule of no days": (lambda org, s, deal: plan_rule(s, "deals", name="r", days=0), "days: give a whole number"),
    "rule without name": (lambda org, s, deal: plan_rule(s, "deals", name="", days=1), "name: a rule has a name"),
    "rule named by number": (lambda org, s, deal: plan_rule(s, "deals", name=3, days=1), "name: give a text"),
    "names of rules": (lambda org, s, deal: plan_retention(s, names=3), "a list of names"),
    "one rule": (lambda org, s, deal: plan_retention(s, names="old"), "no record old in retention_rules"),
    "held records": (lambda org, s, deal: plan_hold(s, "deals", reason="x", records=3), "records or their ids"),
    "holds over": (lambda org, s, deal: holds(s, over="no"), "over: give True or False"),
    "messages": (lambda org, s, deal: org.deliver(limit=-1), "limit: give a number from 0"),
    "choice of nothing": (lambda org, s, deal: org.add_field("deals", made("choice")), "q has nothing to choose from"),
    "link to nothing": (lambda org, s, deal: org.add_field("deals", made("link")), "targets: q leads to no module"),
    "owner of no users": (lambda org, s, deal: org.add_field("deals", made("owner")), "targets: q leads to no module"),
    "module that is a text": (lambda org, s, deal: org.add_module("pets"), "module: give a module, not str"),
    "field that is a text": (lambda org, s, deal: org.add_field("deals", "q"), "field: give a field, not str"),
    "id of a title": (
        lambda org, s, deal: org.add_field("contacts", made("text", id=33)),
        "id: that of q is for nubetis to give",
    ),
    "id of owner, later": (
        lambda org, s, deal: org.add_field("deals", made("text", id=9)),
        "id: that of q is for nubetis to give",
    ),
    "id of another module": (
        lambda org, s, deal: org.add_module(attrs.evolve(org.schema.module("contacts"), name="pets")),
        "id: that of pets is for nubetis to give",
    ),
    "module of a choice of nothing": (
        lambda org, s, deal: org.add_module(Module(name="pets", fields=[made("choice")])),
        "choices: q has nothing to choose from",
    ),
    "rows": (lambda org, s, deal: Table([{"a": 1}]), "Table.from_dicts"),
    "filter": (lambda org, s, deal: s.find("deals", "amount > 3"), "nubetis.model.text.parse"),
    "text in": (lambda org, s, deal: F.stage.in_("won"), "a list of values"),
    "number in": (lambda org, s, deal: F.amount.in_(3), "a list of values"),
}


@pytest.fixture
def deal(nubetis_session):
    return nubetis_session.create("deals", name="Lima")


@pytest.mark.parametrize("name", MISUSES)
def test_a_misuse_says_what_to_give(nubetis_org, nubetis_session, deal, name):
    call, said = MISUSES[name]
    with pytest.raises((InvalidValue, NotFound)) as caught:
        call(nubetis_org, nubetis_session, deal)

    assert said in str(caught.value)
    assert 1 == nubetis_session.count("deals")


def test_one_field_to_group_by_needs_no_list(nubetis_session, deal):
    assert [{"stage": deal["stage"], "n": 1}] == nubetis_session.aggregate("deals", by="stage", measures={"n": "count"})


def test_one_record_to_hold_and_one_field_to_erase_need_no_list(nubetis_session, deal):
    """A text is iterable, by letter."""
    erased = erase(nubetis_session, deal.id, fields="next_step")
    nubetis_session.apply(plan_hold(nubetis_session, "deals", reason="x", records=deal.id))
    nubetis_session.apply(plan_hold(nubetis_session, "deals", reason="x", records=deal))

    assert erased.cause.detail["fields"] == ["next_step"]
    assert [each.records for each in holds(nubetis_session)] == [(deal.id,), (deal.id,)]


def test_several_choices_may_be_free_as_tags_are(nubetis_org, nubetis_session, deal):
    nubetis_org.add_field("deals", made("multi_choice"))

    assert nubetis_session.edit(deal, q=["any"])["q"] == ("any",)


def test_an_id_of_nothing_may_not_be_edited(nubetis_session):
    """A word is taken for a module: that there is none is said, for nobody would see it in a no."""
    assert not nubetis_session.can("edit", "lea_0000000000000")
    assert not nubetis_session.can("edit", "non-sense")
    with refusing("unknown_module", NotFound):
        nubetis_session.can("edit", "nonsense")


# -- plug-ins ---------------------------------------------------------------------------------------------------------
class Mistyped:
    @hookimpl
    def nubetis_valdate(self, plan):
        """Answer a hook that there is not."""


class Otherwise:
    @hookimpl
    def nubetis_validate(self, pln):
        """Ask for what no hook gives."""


class Plain:
    """Has no hook."""


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        (Mistyped(), "Mistyped failed in nubetis_valdate: no such hook; Did you mean nubetis_validate"),
        (Otherwise(), "Otherwise failed in nubetis_validate: it takes plan, not pln"),
        (Plain(), "@nubetis.hookimpl"),
        (1, "@nubetis.hookimpl"),
    ],
)
def test_a_plug_in_that_cannot_be_asked_is_refused(plugin, said):
    with refusing("plugin", PluginError) as caught:
        create("memory://", administrator="ana@acme.pe", plugins=[plugin])
    assert said in str(caught.value)


# -- what is meant ----------------------------------------------------------------------------------------------------
def test_a_field_of_a_linked_record_is_asked_of_the_link(nubetis_session):
    with refusing("unknown_field", InvalidFilter, match=r"Write account linked \(name = …\)\."):
        nubetis_session.find("deals", F.account.name == "Acme")


def test_a_part_of_a_field_that_has_none_is_not_made_up(nubetis_session):
    with refusing("unknown_field", InvalidFilter, match=r"deals has no field name\.x\. Did you mean name\?"):
        nubetis_session.find("deals", F.name.x == "Acme")


def test_a_module_that_nobody_works_in_is_not_suggested(nubetis_session):
    with refusing("unknown_module", NotFound) as caught:
        nubetis_session.find("counter")
    assert "counters" not in str(caught.value)
    assert "accounts" in str(caught.value)


def test_a_list_of_what_is_known_says_where_it_was_cut(nubetis_session):
    fields = [Field(name=f"f{number}", type=kind("text")) for number in range(30)]
    with refusing("unknown_field", NotFound, match=r"f\d+, …\.$"):
        Module(name="pets", fields=fields).field("zzzzz")
    with refusing("unknown_field", NotFound, match=r"[a-z]\.$"):
        nubetis_session.schema.module("deals").field("zzzzz")


def test_the_name_of_a_field_that_is_too_long_says_so():
    with refusing("bad_name", InvalidValue, match="at most 60"):
        Field(name="x" * 80, type=kind("text"))


def test_a_living_record_is_not_restored(nubetis_session, deal):
    with refusing("not_deleted", Conflict, match="not in the recycle bin"):
        nubetis_session.restore(deal)


# -- money ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("amount", [3, "4"])
def test_a_bare_number_is_no_money(nubetis_session, amount):
    with refusing("wrong_type", InvalidValue, match=r"Money\('1200\.00', 'PEN'\)"):
        nubetis_session.create("deals", name="Lima", amount=amount)


@pytest.mark.parametrize("amount", [1.1, 1.0])
def test_a_binary_fraction_is_no_amount(amount):
    """1.1 is not what it says: kept as it is, it would have 52 decimals."""
    with refusing("bad_argument", InvalidValue, match=r"not float"):
        Money(amount, "PEN")
    with refusing("bad_argument", InvalidValue, match=r"not float"):
        Money("1", "PEN", home=amount)


def test_money_of_abroad_says_how_a_rate_is_given():
    with (
        create("memory://", administrator="ana@acme.pe", settings={"currency": "PEN"}) as org,
        refusing("no_rate", InvalidValue, match=r"Money\('100', 'USD', home='375'\)"),
    ):
        org.system("test").create("deals", name="Lima", amount=Money("3", "USD"))


def test_an_error_about_what_is_no_text_can_be_printed(nubetis_org):
    with refusing("unknown_user", NotFound) as caught:
        nubetis_org.session(HostSignIn("a\ud800b"))
    assert r"a\ud800b" in str(caught.value)
    str(caught.value).encode()
