"""Rules ask fields by their number: no change of the schema by others than administrators lets them ask more."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F, HostSignIn
from nubetis.access.permissions import STANDARD, Function, write_permissions
from nubetis.errors import InvalidFilter, InvalidValue, Refused
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING, has, keywords
from nubetis.model.kinds import kind
from nubetis.model.numbered import named, names_left, numbered
from nubetis.session.delegating import plan_delegation
from nubetis.session.holding import holds, plan_hold
from nubetis.session.past import operations
from nubetis.session.profiles import plan_field_level
from nubetis.session.retaining import plan_rule, rules
from nubetis.session.shared import share_rules
from nubetis.session.sharing import plan_default, plan_share_rule
from tests.stores import refusing


@pytest.fixture
def moe(nubetis_org, nubetis_session):
    """Moe, who manages modules, and is no administrator."""
    (session,) = nubetis_org.people("moe: Mods")
    given = attrs.evolve(STANDARD, functions=[Function.MANAGE_MODULES, Function.MANAGE_SETTINGS])
    profile = nubetis_session.create("profiles", name="Mods", permissions=json.dumps(write_permissions(given)))
    nubetis_session.edit(session.user, profile=profile.id)
    return session


@pytest.fixture
def lead(nubetis_session):
    return nubetis_session.create("leads", name="x", job_title="Lima", company="Cusco")


def shared(session, where, module="leads"):
    session.apply(plan_share_rule(session, "rule", module, where=where, target="role Mods", level="delete"))


def with_fields(org, module, change):
    """Give the schema in which each field of *module* is what *change* makes of it."""
    old = org.schema.module(module)
    return with_module(org.schema, attrs.evolve(old, fields=[change(each) for each in old.fields]))


def with_module(schema, module):
    """Give the schema with *module*, of which nobody has looked whether it fits."""
    return attrs.evolve(schema, modules=tuple([module if each.id == module.id else each for each in schema.modules]))


def swapped(org, module, one, other):
    names = {one: other, other: one}
    return with_fields(org, module, lambda field: attrs.evolve(field, name=names.get(field.name, field.name)))


@pytest.mark.parametrize("who", ["moe", "administrator"])
def test_a_rename_changes_nothing_of_what_a_rule_asks(nubetis_org, nubetis_session, moe, lead, who):
    """Nor does a name that others have had; the rule is told with the names of today."""
    other = nubetis_session.create("leads", name="y", company="Lima")
    shared(nubetis_session, F.company == "Lima")
    nubetis_org.alter(
        swapped(nubetis_org, "leads", "company", "job_title"), by=moe if who == "moe" else nubetis_session
    )
    assert (moe.can("view", lead.id), moe.can("delete", other.id)) == (False, True)
    assert [each.id for each in moe.find("leads")] == [other.id]
    assert [each.where for each in share_rules(nubetis_session)] == [F.job_title == "Lima"]


WHERE = {
    "leads": F.company == "Lima",
    "contacts": F.account.linked((F.address.city == "Lima") & ~F.phone.is_empty()),
    "accounts": has("deals", via="account", where=F.stage.in_(["won"])) | F.owner.linked(F.name == "Eva"),
    "tasks": F.about.linked(F.phone.starts_with("1")) | keywords("tea"),
}


@pytest.mark.parametrize("module", WHERE)
@pytest.mark.usefixtures("moe")
def test_a_filter_by_numbers_is_the_same(nubetis_session, module):
    """And told as it was, with all its parts; however it is written."""
    schema = nubetis_session.schema
    found = numbered(WHERE[module], schema.module(module), schema)
    assert not names_left(found, schema.module(module), schema)
    assert named(found, schema.module(module), schema) == WHERE[module]
    assert numbered(found, schema.module(module), schema) == found
    assert nubetis_session.count(module, found) == nubetis_session.count(module, WHERE[module])
    shared(nubetis_session, WHERE[module], module)
    (record,) = nubetis_session.find("sharing_rules")
    assert [each.where for each in share_rules(nubetis_session)] == [WHERE[module]]
    nubetis_session.edit(record.id, where=record["where"], name="again")
    assert nubetis_session.get(record.id)["where"] == record["where"]


def test_what_a_rule_asks_does_not_go(nubetis_org, nubetis_session, moe):
    """Whether the rule is on or not, it is no other field's by then."""
    shared(nubetis_session, F.company == "Lima")
    with refusing("bad_sharing", Refused, match="company"):
        nubetis_org.alter(nubetis_org.schema.retire_field("leads", "company"), by=moe)
    nubetis_session.edit(nubetis_session.find("sharing_rules")[0].id, active=False)
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "company"), by=moe)
    nubetis_org.alter(nubetis_org.schema.purge_field("leads", "company"), by=moe)
    field = Field(name="company", type=kind("text"))
    nubetis_org.alter(nubetis_org.schema.with_field("leads", field), by=moe)
    for session in (nubetis_session,):
        with refusing("bad_sharing", Refused):
            session.edit(session.find("sharing_rules")[0].id, active=True)


def test_numbers_are_not_given_twice(nubetis_org, nubetis_session, moe):
    """A field that went for good has left rules, profiles and the journal to speak of it."""
    nubetis_org.alter(nubetis_org.schema.retire_field("leads", "company"), by=moe)
    number = next(each.id for each in nubetis_org.schema.module("leads").fields if each.name == "company")
    nubetis_org.alter(nubetis_org.schema.purge_field("leads", "company"), by=moe)
    schema = nubetis_org.schema
    leads = schema.module("leads")
    back = Field(name="other", type=kind("text"), id=number)
    for changed in (
        {"fields": [*leads.fields, back]},
        {"next_field": number},
        {"fields": [*leads.fields, attrs.evolve(back, id=leads.next_field)]},
    ):
        with refusing("bad_argument", InvalidValue):
            nubetis_org.alter(with_module(schema, attrs.evolve(leads, **changed)), by=moe)
    gone = nubetis_org.alter(schema.without_module("products"), by=moe)
    assert gone
    again = attrs.evolve(schema.module("products"), name="wares")
    with refusing("bad_argument", InvalidValue):
        schema = nubetis_org.schema
        nubetis_org.alter(attrs.evolve(schema, modules=(*schema.modules, again)), by=moe)


def test_words_are_looked_for_no_further(nubetis_org, nubetis_session, moe, lead):
    """A rule that asks whatever is searchable asks more when more is; that is for administrators."""
    shared(nubetis_session, keywords("Lima"))
    assert not moe.can("view", lead.id)
    wide = with_fields(
        nubetis_org,
        "leads",
        lambda field: attrs.evolve(field, searchable=field.searchable or field.name == "job_title"),
    )
    with refusing("raises_rights", Refused):
        nubetis_org.alter(wide, by=moe)
    nubetis_org.alter(wide, by=nubetis_session)
    assert moe.can("view", lead.id)


@pytest.mark.parametrize("where", [F.company == "lima", keywords("lima")])
def test_what_a_rule_asks_for_is_filled_by_administrators(nubetis_org, nubetis_session, moe, where):
    """A default would give each new record to whomever the rule names."""
    shared(nubetis_session, where)
    filling = with_fields(
        nubetis_org, "leads", lambda field: attrs.evolve(field, default="Lima") if field.name == "company" else field
    )
    with refusing("raises_rights", Refused):
        nubetis_org.alter(filling, by=moe)
    nubetis_org.alter(filling, by=nubetis_session)


def test_the_parent_of_new_records_is_for_administrators_too(nubetis_org, nubetis_session, moe):
    """A default parent would give each new record to whomever has that one."""
    nubetis_session.apply(plan_default(nubetis_session, "contacts", parent="account", parent_level="delete"))
    account = moe.create("accounts", name="His")
    filling = with_fields(
        nubetis_org,
        "contacts",
        lambda field: attrs.evolve(field, default=account.id) if field.name == "account" else field,
    )
    with refusing("raises_rights", Refused):
        nubetis_org.alter(filling, by=moe)


def test_one_who_acts_for_a_manager_of_modules_gains_nothing(nubetis_org, nubetis_session, moe, lead):
    """Be it for an administrator that he does not gain it."""
    nubetis_org.people("bob: Desk")
    moe.apply(plan_delegation(moe, "bob", functions=["manage_modules", "manage_settings"]))
    shared(nubetis_session, keywords("Lima"))
    wide = with_fields(nubetis_org, "leads", lambda field: attrs.evolve(field, searchable=True))
    acting = nubetis_org.session(HostSignIn("bob"), on_behalf_of="moe")
    with refusing("raises_rights", Refused):
        nubetis_org.alter(wide, by=acting)


def test_a_link_leads_where_it_led(nubetis_org, nubetis_session, moe):
    """Neither by its targets nor by the names of modules does a parent become another."""
    nubetis_session.apply(plan_default(nubetis_session, "contacts", parent="account", parent_level="read"))
    schema = nubetis_org.schema
    names = {"accounts": "leads", "leads": "accounts"}
    modules = tuple([attrs.evolve(each, name=names.get(each.name, each.name)) for each in schema.modules])
    with pytest.raises(InvalidValue):
        nubetis_org.alter(attrs.evolve(schema, modules=modules), by=moe)
    with pytest.raises(InvalidValue):
        nubetis_org.alter(
            with_fields(
                nubetis_org,
                "contacts",
                lambda field: attrs.evolve(field, targets=("leads",)) if field.name == "account" else field,
            ),
            by=moe,
        )


def test_holds_and_retention_ask_by_number_too(nubetis_org, nubetis_session, moe, lead):
    admin = nubetis_session
    admin.apply(plan_hold(admin, "leads", where=F.company == "Cusco", reason="Case 1"))
    admin.apply(plan_rule(admin, "leads", name="old", days=1, where=F.company == "Lima"))
    nubetis_org.alter(swapped(nubetis_org, "leads", "company", "job_title"), by=moe)
    assert [each.where for each in holds(admin)] == [F.job_title == "Cusco"]
    assert [each.where for each in rules(admin)] == [F.job_title == "Lima"]
    assert lead.id


@pytest.mark.usefixtures("moe")
def test_a_rule_of_another_module_says_what_it_asks(nubetis_session):
    """The numbers are those of the module's fields."""
    shared(nubetis_session, F.company == "Lima")
    (rule,) = nubetis_session.find("sharing_rules")
    deals = int(nubetis_session.schema.module("deals").id)
    with refusing("bad_argument", InvalidValue):
        nubetis_session.edit(rule.id, module=deals)
    nubetis_session.edit(rule.id, module=deals, where='{"field": "name", "is": "=", "value": "x"}')
    assert [each.where for each in share_rules(nubetis_session)] == [F.name == "x"]
    nubetis_session.undo(operations(nubetis_session)[0])
    assert [each.where for each in share_rules(nubetis_session)] == [F.company == "Lima"]


def test_no_rule_is_kept_by_names(nubetis_session):
    """Neither one that is off: a field of that name may come."""
    leads = int(nubetis_session.schema.module("leads").id)
    for active in (True, False):
        with refusing("bad_sharing", Refused, match="nothing_like_it"):
            nubetis_session.create(
                "sharing_rules", name="r", module=leads, target="everybody", level="read", active=active,
                where='{"field": "nothing_like_it", "is": "=", "value": "x"}',
            )  # fmt: skip
    assert nubetis_session.count("sharing_rules", EVERYTHING) == 0


def test_a_number_shows_no_more_than_a_name(nubetis_org, nubetis_session, moe, lead):
    """What one may not read is no field by its number either, wherever it is asked."""
    nubetis_session.apply(plan_field_level(nubetis_session, "Mods", "leads.company", "hidden"))
    number = nubetis_session.schema.module("leads").field("company").id
    for given in (number, 9999):
        with refusing("unknown_field", InvalidFilter, match=f"#{given}"):
            moe.find("leads", F[f"#{given}"] == "Cusco")
        with refusing("unknown_field", InvalidFilter):
            nubetis_session.find("leads", sort=f"#{given}")
    assert [each.id for each in nubetis_session.find("leads", F[f"#{number}"] == "Cusco")] == [lead.id]
