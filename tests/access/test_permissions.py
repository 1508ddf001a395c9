"""What a profile permits holds on every road, and a permission set only adds."""

from __future__ import annotations

import json
from io import BytesIO

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis import F, HostSignIn, Table
from nubetis.access.decision import Action
from nubetis.access.permissions import (
    CATALOGUE,
    EVERY_PERMISSION,
    NO_PERMISSION,
    STANDARD,
    FieldLevel,
    Function,
    Permissions,
    permitted,
    read_permissions,
    write_permissions,
)
from nubetis.data import export, load, merge
from nubetis.errors import AccessDenied, InvalidValue, NubetisError, Refused
from nubetis.model.fields import Field
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind
from nubetis.session.profiles import plan_field_level, plan_permission_set, plan_permit
from tests.stores import refusing

VERBS = st.frozensets(st.sampled_from(list(Action)))
MODULES = st.integers(1000, 1003)
KEYS = st.tuples(MODULES, st.integers(32, 34))
PERMISSIONS = st.builds(
    Permissions,
    default=VERBS,
    modules=st.dictionaries(MODULES, VERBS, max_size=3),
    functions=st.frozensets(st.sampled_from(list(Function))),
    fields=st.dictionaries(KEYS, st.sampled_from(list(FieldLevel)), max_size=3),
)


# -- the catalogue ----------------------------------------------------------------------------------------------------
def test_every_permission_is_in_the_catalogue_and_what_it_needs_too():
    assert CATALOGUE.keys() == {*Action, *Function}
    assert {need for permit in CATALOGUE.values() for need in permit.needs} <= CATALOGUE.keys()


def test_nothing_needs_itself_by_whatever_way():
    for each in CATALOGUE:
        seen, left = set(), {*CATALOGUE[each].needs}
        while left:
            need = left.pop()
            seen.add(need)
            left |= CATALOGUE[need].needs - seen
        assert each not in seen


def test_what_comes_built_in_lacks_nothing():
    for each in (EVERY_PERMISSION, STANDARD, NO_PERMISSION):
        assert each.dangling() == []
    assert {Action.EXPORT, Action.MASS_DELETE}.isdisjoint(STANDARD.default)


@given(PERMISSIONS)
def test_what_is_written_is_read_as_it_was(permissions):
    assert read_permissions(json.loads(json.dumps(write_permissions(permissions)))) == permissions


@given(PERMISSIONS, PERMISSIONS)
def test_a_set_only_adds(profile, more):
    both = permitted(profile, [more])
    assert profile <= both
    for module in range(999, 1004):
        assert both.verbs(module) == profile.verbs(module) | more.verbs(module)
    assert both.functions == profile.functions | more.functions
    assert permitted(profile) == profile


@given(PERMISSIONS, PERMISSIONS, PERMISSIONS)
def test_the_order_of_sets_does_not_matter(profile, one, two):
    assert permitted(profile, [one, two]) <= permitted(profile, [two, one])
    assert permitted(profile, [two, one]) <= permitted(profile, [one, two])


@given(PERMISSIONS)
def test_nobody_permits_less_than_nothing_or_more_than_everything(permissions):
    assert permissions <= EVERY_PERMISSION
    assert attrs.evolve(NO_PERMISSION, fields=permissions.fields) <= permissions


@given(PERMISSIONS)
def test_what_lacks_something_names_it(permissions):
    for module, each, need in permissions.dangling():
        held = permissions.functions if isinstance(each, Function) else permissions.default
        held = held if module is None else permissions.verbs(module)
        assert each in held
        assert need not in held


# -- on every road ----------------------------------------------------------------------------------------------------
ROADS = {
    Action.VIEW: lambda s, _: s.find("leads"),
    Action.CREATE: lambda s, _: s.create("leads", name="N"),
    Action.EDIT: lambda s, ids: s.edit(ids[0], name="N"),
    Action.DELETE: lambda s, ids: s.delete(ids[0]),
    Action.IMPORT: lambda s, _: load(s, Table({"name": ["N"]}), module="leads"),
    Action.EXPORT: lambda s, _: export(s, BytesIO(), module="leads", file_format="csv"),
    Action.MASS_UPDATE: lambda s, _: s.apply(s.plan_update("leads", EVERYTHING, company="X")),
    Action.MASS_DELETE: lambda s, _: s.apply(s.plan_delete("leads", EVERYTHING)),
    Action.TRANSFER: lambda s, ids: s.edit(ids[0], owner="pia"),
    Action.MERGE: lambda s, ids: merge(s, ids[0], [ids[1]]),
}


def needing(action):
    """Give *action* and all verbs that need it, by whatever way."""
    found = {action}
    while more := {each for each in Action if CATALOGUE[each].needs & found} - found:
        found |= more
    return found


def given_profile(admin, name, permissions):
    kept = json.dumps(write_permissions(permissions))
    return admin.create("profiles", name=name, permissions=kept)


@pytest.fixture
def ana(nubetis_org, nubetis_session):
    """Give ana, who owns three leads, and pia."""
    found, _ = nubetis_org.people("ana", "pia")
    for number in range(3):
        nubetis_session.create("leads", name=str(number), owner="ana")
    return found


@pytest.mark.parametrize("action", ROADS)
def test_a_verb_that_is_not_permitted_is_refused_and_one_that_is_is_done(nubetis_org, nubetis_session, ana, action):
    """With all others permitted; nothing of what is refused is written."""
    ids = [each.id for each in nubetis_session.find("leads", sort="id")]
    without = given_profile(nubetis_session, "Without", Permissions(default=frozenset(Action) - needing(action)))
    nubetis_session.edit(ana.user, profile=without.id)
    before = [(each.id, each.version) for each in nubetis_session.find("leads", sort="id")]
    with refusing("denied", AccessDenied):
        ROADS[action](ana, ids)
    assert before == [(each.id, each.version) for each in nubetis_session.find("leads", sort="id")]
    everything = given_profile(nubetis_session, "All", Permissions(default=list(Action)))
    nubetis_session.edit(ana.user, profile=everything.id)
    ROADS[action](nubetis_org.session(HostSignIn("ana")), ids)


def test_a_permission_set_lifts_what_the_profile_denies(nubetis_session, ana):
    kept = json.dumps(write_permissions(Permissions(default=[Action.VIEW, Action.EXPORT])))
    exports = nubetis_session.create("permission_sets", name="Exports", permissions=kept)
    with refusing("denied", AccessDenied):
        ROADS[Action.EXPORT](ana, [])
    nubetis_session.edit(ana.user, permission_sets=[exports.id])
    ROADS[Action.EXPORT](ana, [])


@pytest.mark.parametrize("level", list(FieldLevel))
def test_a_field_is_hidden_read_or_edited(nubetis_org, nubetis_session, ana, level):
    leads = nubetis_org.schema.module("leads")
    said = attrs.evolve(STANDARD, fields={(leads.id, leads.field("company").id): level})
    nubetis_session.edit(ana.user, profile=given_profile(nubetis_session, "P", said).id)
    lead = ana.find("leads")[0]
    assert ("company" in lead) == (level > FieldLevel.HIDDEN)
    if level is FieldLevel.EDIT:
        assert ana.edit(lead, company="X")["company"] == "X"
        return
    with pytest.raises(Exception, match="company"):
        ana.edit(lead, company="X")
    nubetis_session.edit(lead.id, company="X")
    assert (ana.count("leads", F.name == lead["name"])) == 1


def test_one_module_may_say_otherwise(nubetis_org, nubetis_session, ana):
    number = nubetis_org.schema.module("leads").id
    said = attrs.evolve(STANDARD, modules={number: [Action.VIEW]})
    nubetis_session.edit(ana.user, profile=given_profile(nubetis_session, "P", said).id)
    assert (ana.can("create", "leads"), ana.can("view", "leads"), ana.can("create", "deals")) == (False, True, True)


# -- what is required -------------------------------------------------------------------------------------------------
def closing(level, verbs=STANDARD.default):
    """Give the text of permissions that close the last name of contacts."""
    return lambda schema: json.dumps(write_permissions(Permissions(
        default=verbs,
        fields={(schema.module("contacts").id, schema.module("contacts").field("last_name").id): level},
    )))  # fmt: skip


@pytest.mark.parametrize("level", [FieldLevel.READ, FieldLevel.HIDDEN])
def test_no_profile_lets_one_create_who_may_not_write_what_is_required(nubetis_session, level):
    """On each road; one who creates nothing there may be kept from it, and a set closes nothing."""
    admin, text = nubetis_session, closing(level)(nubetis_session.schema)
    with refusing("required_closed", Refused) as caught:
        admin.create("profiles", name="Shut", permissions=text)
    assert "last_name of contacts" in str(caught.value)
    profile = admin.create("profiles", name="Open", permissions=json.dumps(write_permissions(STANDARD)))
    for act in (
        lambda: admin.edit(profile, permissions=text),
        lambda: admin.apply(plan_field_level(admin, "Open", "contacts.last_name", level.name.lower())),
    ):
        with refusing("required_closed", Refused):
            act()
    looking = closing(level, verbs=[Action.VIEW])(admin.schema)
    admin.edit(profile, permissions=looking)
    with refusing("required_closed", Refused):
        admin.apply(plan_permit(admin, "Open", "contacts.create"))
    admin.apply(plan_permit(admin, "Open", "leads.create"))
    admin.create("permission_sets", name="Set", permissions=text)


def test_one_who_may_not_write_what_is_required_since_creates_nothing(nubetis_org, nubetis_session):
    """Whatever came first, the profile or that it is required; the profile may be changed in all else."""
    admin = nubetis_session
    nubetis_org.add_field("contacts", Field(name="code", type=kind("text")))
    (ana,) = nubetis_org.people("ana: Rep")
    admin.apply(plan_field_level(admin, "Standard", "contacts.code", "read"))
    ana.create("contacts", last_name="X")
    field = nubetis_org.schema.module("contacts").field("code")
    nubetis_org.alter(nubetis_org.schema.with_field("contacts", attrs.evolve(field, required=True)))
    with refusing("cannot_fill", AccessDenied) as caught:
        ana.create("contacts", last_name="X")
    assert "code is required" in str(caught.value)
    admin.apply(plan_permit(admin, "Standard", "export"))


# -- names ------------------------------------------------------------------------------------------------------------
@given(PERMISSIONS)
def test_names_do_as_well(found):
    """Of verbs, functions and levels."""
    said = Permissions(
        default=[each.value for each in found.default],
        modules={module: {each.value for each in verbs} for module, verbs in found.modules.items()},
        functions=tuple(each.value for each in found.functions),
        fields={place: level.name.lower() for place, level in found.fields.items()},
    )
    assert said == found
    assert said.dangling() == found.dangling()


@pytest.mark.parametrize("wrong", [
    {"default": ["vew"]}, {"default": "view"}, {"default": [3]}, {"functions": ["view"]}, {"default": None},
    {"modules": {1000: ["vew"]}}, {"fields": {(1000, 32): "seen"}}, {"fields": {(1000, 32): 7}},
])  # fmt: skip
def test_what_is_no_name_is_said_at_once(wrong):
    with refusing("bad_permissions", InvalidValue):
        Permissions(**wrong)


def test_a_permission_set_is_planned_by_names(nubetis_org, nubetis_session):
    """With all that a permission needs; nothing else is permitted by it."""
    admin = nubetis_session
    (ana,) = nubetis_org.people("ana: Rep")
    phone = nubetis_org.schema.module("contacts").field("phone").id
    admin.apply(plan_field_level(admin, "Standard", "contacts.phone", "hidden"))
    admin.apply(plan_permission_set(
        admin, "Out", ["leads.export", "manage_profiles"], fields={"contacts.phone": "edit"}
    ))  # fmt: skip
    made = admin.find("permission_sets")[0]
    kept = read_permissions(json.loads(str(made["permissions"])))
    leads, contacts = (nubetis_org.schema.module(name).id for name in ("leads", "contacts"))
    assert kept == Permissions(
        modules={leads: ["view", "export"]}, functions=["manage_profiles", "manage_users"],
        fields={(contacts, phone): "edit"},
    )  # fmt: skip
    admin.edit(ana.user, permission_sets=[made.id])
    assert ana.create("contacts", last_name="X", phone="+51999")["phone"] == "+51999"
    assert (ana.can("export", "leads"), ana.can("export", "deals")) == (True, False)
    for wrong in (["leads.exprt"], ["nothing.export"]):
        with pytest.raises(NubetisError):
            plan_permission_set(admin, "No", wrong)
    with refusing("bad_argument", InvalidValue):
        plan_permission_set(admin, "No", fields={"contacts.phone": "seen"})
