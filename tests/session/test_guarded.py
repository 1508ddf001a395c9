"""What no door may do: leave an organisation that cannot be read any more."""

from __future__ import annotations

import json
from datetime import timedelta

import attrs
import pytest

from nubetis import F, HostSignIn, create, hookimpl, open
from nubetis.access.decision import Action
from nubetis.access.permissions import STANDARD, write_permissions
from nubetis.access.policy import RolePolicy
from nubetis.errors import AccessDenied, Conflict, Damaged, InvalidValue, Refused
from nubetis.model.bind import ALWAYS
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, ME
from nubetis.model.kinds import kind
from nubetis.model.plan import Cause, CauseKind, Creates, Edits, Plan
from nubetis.model.schema import Module, ValidationRule
from nubetis.model.store import Batch, Updates
from nubetis.session import erasing
from nubetis.session.past import operations, plan_undo
from nubetis.testing.people import ADMINISTRATOR
from tests.stores import refusing, rows_of, state_of


def definition_of(session, name):
    return session.find("modules", F.name == name)[0]


ROADS = {
    "create": lambda s: s.create("modules", name="x", number=999, definition="{}"),
    "edit": lambda s: s.edit(definition_of(s, "leads"), definition="nonsense"),
    "delete": lambda s: s.delete(definition_of(s, "leads")),
    "plan": lambda s: s.plan_update("modules", EVERYTHING, definition="nonsense"),
    "erase": lambda s: erasing.erase(s, definition_of(s, "leads"), fields=["definition"]),
}


@pytest.mark.parametrize("road", ROADS)
def test_definitions_of_modules_are_not_changed_as_records(nubetis_org, nubetis_session, road):
    before = rows_of(nubetis_org, nubetis_org.schema.module("modules"))
    with refusing("schema_records", Refused):
        ROADS[road](nubetis_session)

    assert before == rows_of(nubetis_org, nubetis_org.schema.module("modules"))
    assert nubetis_session.create("leads", name="A")["name"] == "A"


def forged_definition(session):
    module = session.schema.module("modules")
    (row, *_) = rows_of_module(session, module)
    return Edits(module, [row], (module.field("definition"),), [("{",)])


def forged_owner(session):
    """A lead of nobody, made by hand."""
    part = session.plan_create("leads", [{"name": "A"}]).parts[0]
    at = part.module.layout.index["owner"]
    return Creates(part.module, [(*row[:at], 12345, *row[at + 1 :]) for row in part.rows])


def forged_name(session):
    """A lead without the name that it must have."""
    part = session.plan_update("leads", EVERYTHING, name="B").parts[0]
    return attrs.evolve(part, after=[(None,)])


def forged_version(session):
    part = session.plan_update("leads", EVERYTHING, name="B").parts[0]
    return Edits(part.module, part.rows, (part.module.field("created_at"),), [("2001-01-01T00:00:00.000000Z",)])


def rows_of_module(session, module):
    return session.state.read(lambda: list(session.state.planner().rows(module, ALWAYS)))


FORGED = (forged_definition, forged_owner, forged_name, forged_version)


@pytest.mark.parametrize("forged", FORGED)
def test_a_plan_made_by_hand_is_not_applied(nubetis_org, nubetis_session, forged):
    """Nobody has asked of its rows what is asked of all others."""
    nubetis_session.create("leads", name="A")
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="Acme")
    before = state_of(nubetis_session)
    with refusing("foreign_plan", Refused):
        nubetis_session.apply(attrs.evolve(plan, parts=(*plan.parts, forged(nubetis_session))))

    assert before == state_of(nubetis_session)


OWN = sorted(set(CauseKind) - {CauseKind.USER, CauseKind.IMPORT, CauseKind.MERGE})


def test_a_cause_opens_nothing(nubetis_org, nubetis_session):
    """Many at once are many at once, whatever they are said to be for; and what nubetis does nobody else says."""
    (ana,) = nubetis_org.people("ana: Rep")
    leads = [ana.create("leads", name=name).id for name in "AB"]
    for said in ("user", "import", "merge"):
        with refusing("denied", AccessDenied):
            ana.plan_delete("leads", EVERYTHING, cause=Cause(CauseKind(said)))
    ways = (
        lambda cause: ana.plan_delete("leads", EVERYTHING, cause=cause),
        lambda cause: ana.plan_edits("leads", {lead: {"name": "C"} for lead in leads}, cause=cause),
        lambda cause: ana.plan_create("leads", [{"name": "C"}], cause=cause),
    )
    for said in (*OWN, *map(str, OWN), "x", None):
        for way in ways:
            with refusing("bad_argument", InvalidValue):
                way(Cause(said))
    assert len(ana.find("leads", F.name.in_(["A", "B"]))) == 2


def test_many_are_many_however_they_are_put_into_parts(nubetis_org, nubetis_session):
    """Of one module; each lacks another of the values."""
    (ana,) = nubetis_org.people("ana: Rep")
    less = attrs.evolve(STANDARD, default=STANDARD.default - {Action.MASS_UPDATE})
    profile = nubetis_session.create("profiles", name="Less", permissions=json.dumps(write_permissions(less)))
    nubetis_session.edit(ana.user, profile=profile.id)
    leads = [ana.create("leads", name="x", **{field: "A"}).id for field in ("company", "job_title")]
    with refusing("denied", AccessDenied):
        ana.plan_update("leads", EVERYTHING, company="A", job_title="A")
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="A", job_title="A")
    assert [len(part) for part in plan.parts] == [1, 1]
    with refusing("denied", AccessDenied):
        ana.apply(plan)
    for lead in leads:
        ana.edit(lead, company="A", job_title="A")


@pytest.mark.parametrize("said", OWN)
def test_a_cause_is_not_put_on_afterwards(nubetis_org, nubetis_session, said):
    """Neither on a plan of one's own, nor on none; nor does a plan take back what another does."""
    lead = nubetis_session.create("leads", name="A").id
    plan = nubetis_session.plan_edits("leads", {lead: {"name": "B"}})
    operation = nubetis_session.apply(plan)
    nubetis_session.edit(lead, name="C")
    undo = plan_undo(nubetis_session, operations(nubetis_session)[0])
    plan = nubetis_session.plan_edits("leads", {lead: {"name": "D"}})
    forged = (
        attrs.evolve(plan, cause=Cause(said)),
        attrs.evolve(plan, cause=undo.cause, undo_of=undo.undo_of),
        attrs.evolve(plan, undo_of=operation.key),
        attrs.evolve(undo, undo_of=operation.key),
        attrs.evolve(undo, cause=Cause()),
        Plan(cause=Cause(said)),
    )
    for each in forged:
        with refusing("foreign_plan", Refused):
            nubetis_session.apply(each)
    nubetis_session.apply(undo)
    assert nubetis_session.get(lead)["name"] == "B"


def test_a_plan_of_another_organisation_is_not_applied(nubetis_org, nubetis_session):
    """Its owners and links mean somebody else there, or nobody."""
    other = create("memory://", administrator=ADMINISTRATOR)
    with other.session(HostSignIn(ADMINISTRATOR)) as there:
        plan = there.plan_create("leads", [{"name": "A"}])
    before = state_of(nubetis_session)
    with refusing("foreign_plan", Refused):
        nubetis_session.apply(plan)

    assert before == state_of(nubetis_session)


def test_plans_may_be_put_together(nubetis_session):
    """Their parts are what was checked."""
    made = [nubetis_session.plan_create("leads", [{"name": name}]) for name in "AB"]
    nubetis_session.apply(attrs.evolve(made[0], parts=(*made[0].parts, *made[1].parts)))

    assert ["A", "B"] == [record["name"] for record in nubetis_session.find("leads", sort="name")]


def test_new_records_are_made_once(nubetis_session):
    """A plan that is applied again says so; it is no trouble of the store."""
    plan = nubetis_session.plan_create("leads", [{"name": "A"}])
    nubetis_session.apply(plan)
    with refusing("applied_already", Conflict):
        nubetis_session.apply(plan)

    assert nubetis_session.count("leads") == 1


def test_who_may_not_write_a_field_does_not_apply_a_plan_that_does(nubetis_session, monkeypatch):
    """A plan is made under rights, and they may be another's."""
    nubetis_session.create("leads", name="A")
    plan = nubetis_session.plan_update("leads", EVERYTHING, company="Acme", name="B")
    monkeypatch.setattr(RolePolicy, "writes", lambda self, module, field: field.name != "company")
    with refusing("denied", AccessDenied):
        nubetis_session.apply(plan)

    assert nubetis_session.find("leads")[0]["name"] == "A"


def test_a_module_that_went_leaves_its_number_behind(nubetis_org, nubetis_clock):
    """Purging the recycle bin does not let another module have it, and with it the journal of the first."""
    nubetis_org.add_module(attrs.evolve(nubetis_org.schema.module("leads"), **OWN, name="ones", prefix="one"))
    number = nubetis_org.schema.module("ones").id
    nubetis_org.alter(nubetis_org.schema.without_module("ones"))
    nubetis_clock.advance(days=90)
    nubetis_org.purge(before=nubetis_clock() - timedelta(days=1))
    nubetis_org.add_module(attrs.evolve(nubetis_org.schema.module("leads"), **OWN, name="twos", prefix="two"))

    assert nubetis_org.schema.module("twos").id > number


OWN = {"id": 0, "table": "", "fields": [Field(name="name", type=kind("text"))], "indexes": (), "system": False}


@pytest.mark.parametrize(
    ("name", "value"),
    [("id", '"other"'), ("id", None), ("currency", '"xx"'), ("currency", "7"), ("name", '""'), ("name", "[]")],
)
def test_settings_keep_a_meaning(nubetis_org, nubetis_session, name, value):
    """The id stays, the name is one, the currency is of ISO 4217."""
    setting = nubetis_session.find("settings", F.name == name)[0]
    before = nubetis_org.settings()
    with refusing("bad_setting", InvalidValue):
        nubetis_session.edit(setting, value=value) if value else nubetis_session.delete(setting)

    assert before == nubetis_org.settings()


@pytest.mark.parametrize("value", ["{", "", "nonsense"])
def test_a_setting_that_is_no_json_is_refused(nubetis_org, nubetis_session, value):
    setting = nubetis_session.find("settings", F.name == "name")[0]
    with refusing("bad_setting", InvalidValue):
        nubetis_session.edit(setting, value=value)

    assert nubetis_org.name == "Acme"


def test_a_setting_that_is_fit_is_taken_at_once(nubetis_org, nubetis_session):
    nubetis_session.edit(nubetis_session.find("settings", F.name == "name")[0], value=json.dumps("Peña e Hijos"))
    nubetis_session.create("settings", name="theme", value='{"dark": true}')

    assert (nubetis_org.name, nubetis_org.settings()["theme"]) == ("Peña e Hijos", {"dark": True})


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"currency": "soles"}, "a code of ISO 4217"),
        ({"currency": "XYZ"}, "a code of ISO 4217"),
        ({"name": " "}, "has a name"),
        ({"curency": "PEN"}, "Did you mean currency"),
        ({"locale": "xx"}, "Known: currency, name"),
        ({"id": "mine"}, "Known: currency, name"),
    ],
)
def test_an_organisation_is_not_made_with_settings_that_mean_nothing(tmp_path, settings, said):
    """They are judged before anything is touched: the folder of the store need not be there."""
    with refusing("bad_setting", InvalidValue, match=said):
        create(f"sqlite:///{tmp_path}/none/org.db", administrator=ADMINISTRATOR, settings=settings)


@pytest.mark.parametrize("nubetis_store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("module", "column"), [("modules", "definition"), ("settings", "value")], ids=["definition", "setting"]
)
@pytest.mark.parametrize("text", ["{", "null", '{"name": 7}', '[["x"]]'])
def test_what_was_damaged_from_outside_is_named_as_damage(nubetis_org, module, column, text):
    """Never a raw error of the JSON reader; nothing is written."""
    found = nubetis_org.schema.module(module)
    key = rows_of(nubetis_org, found)[0][0]
    part = Updates(found, (column,), [key], [(text,)])
    nubetis_org._world.store.write(lambda txn: txn.write(Batch(parts=(part,))))
    if (module, text) in {("settings", "null"), ("settings", '{"name": 7}'), ("settings", '[["x"]]')}:
        open(nubetis_org.url).close()  # any JSON is a setting
        return
    with refusing("damaged", Damaged):
        open(nubetis_org.url)


def test_a_link_keeps_the_module_it_leads_to(nubetis_org):
    """The keys in it would name other records."""
    schema = nubetis_org.schema
    field = attrs.evolve(schema.module("contacts").field("account"), targets=("leads",), prefixes=())
    with refusing("schema_type", InvalidValue) as caught:
        nubetis_org.alter(schema.with_field("contacts", field))

    assert "from link to accounts to link to leads" in str(caught.value)


# -- validation rules -----------------------------------------------------------------------------------------------
def ruled(org, where):
    """Give the schema with a rule on leads that holds for *where*."""
    rule = ValidationRule(name="strict", where=where, message="No.")
    return org.schema.with_module(attrs.evolve(org.schema.module("leads"), rules=(rule,)))


UNFIT = {
    "unknown": F.compny == "x",
    "me": F.owner == ME,
    "changed": F.company.changed(),
    "linked": F.owner.linked(F.name == "x"),
    "type": F.created_at == "yesterday or so",
}


@pytest.mark.parametrize("kind_of", UNFIT)
def test_a_rule_that_cannot_be_asked_is_not_saved(nubetis_org, nubetis_session, kind_of):
    """Saved, it would keep the module from being written."""
    with refusing("bad_rule_filter", InvalidValue) as caught:
        nubetis_org.alter(ruled(nubetis_org, UNFIT[kind_of]))

    assert "strict" in str(caught.value)
    assert nubetis_session.create("leads", name="A")["name"] == "A"


def test_a_field_that_a_rule_names_is_not_retired_or_renamed_under_it(nubetis_org, nubetis_session):
    """The rule goes first."""
    nubetis_org.add_field("leads", Field(name="nickname", type=kind("text")))
    nubetis_org.alter(ruled(nubetis_org, F.nickname == "x"))
    field = nubetis_org.schema.module("leads").field("nickname")
    for schema in (
        nubetis_org.schema.retire_field("leads", "nickname"),
        nubetis_org.schema.with_field("leads", attrs.evolve(field, name="alias")),
    ):
        with refusing("bad_rule_filter", InvalidValue):
            nubetis_org.alter(schema)

    with refusing("bad_rule", InvalidValue):
        nubetis_session.create("leads", name="A", nickname="x")
    nubetis_org.alter(nubetis_org.schema.with_module(attrs.evolve(nubetis_org.schema.module("leads"), rules=())))
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "nickname"))
    assert nubetis_session.create("leads", name="A")["name"] == "A"


def test_an_organisation_is_not_made_with_a_rule_that_cannot_be_asked(tmp_path):
    class Pets:
        @hookimpl
        def nubetis_modules(self):
            rule = ValidationRule(name="strict", where=F.nme == "x", message="No.")
            return [Module(name="pets", fields=[Field(name="name", type=kind("text"))], rules=(rule,))]

    with refusing("bad_rule_filter", InvalidValue):
        create(f"sqlite:///{tmp_path}/org.db", administrator=ADMINISTRATOR, plugins=[Pets()])
    assert list(tmp_path.iterdir()) == []
