"""Sharing as it stands is told in words, and the words are those by which it can be said again."""

from __future__ import annotations

import pytest

from nubetis import F, HostSignIn
from nubetis.access.sharing import EVERYBODY, Principal, PrincipalKind
from nubetis.errors import AccessDenied
from nubetis.model.ids import decode
from nubetis.session.shared import groups, module_sharing, principal_words, share_rules
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule, principal
from tests.stores import refusing


@pytest.fixture
def admin(nubetis_org, nubetis_session):
    list(nubetis_org.people("luis: Lead", "ana: Rep < luis", "pia: Office"))
    return nubetis_session


def test_what_holds_in_each_module_is_told_also_where_nobody_said_anything(admin):
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="read", upward="read"))
    admin.apply(plan_default(admin, "leads", level="write"))
    found = {each.module: each for each in module_sharing(admin)}

    assert set(found) == {module.name for module in admin.schema.modules if not module.system}
    assert (found["leads"].level, found["leads"].upward, found["leads"].said) == ("write", "delete", True)
    told = found["contacts"]
    assert (told.level, told.upward, told.parent, told.parent_level) == ("none", "read", "account", "read")
    assert not found["deals"].said


def test_rules_and_groups_are_told_in_words(admin):
    admin.apply(plan_group(admin, "Front", ["pia", "role Rep", "role Lead+"]))
    admin.apply(plan_group(admin, "All", ["group Front", "everybody"]))
    admin.apply(plan_share_rule(admin, "b", "leads", source="role Lead+", target="group Front", level="write"))
    admin.apply(plan_share_rule(admin, "a", "leads", where=F.company == "Lima", target="pia", superiors=True))
    one, two = share_rules(admin)

    assert {each.name: set(each.members) for each in groups(admin)} == {
        "All": {"group Front", "everybody"}, "Front": {"pia@nubetis.test", "role Rep", "role Lead+"},
    }  # fmt: skip
    assert (one.name, one.source, one.where, one.superiors) == ("a", None, F.company == "Lima", True)
    assert (one.target, one.level, one.module) == ("pia@nubetis.test", "read", "leads")
    assert (two.source, two.target, two.level, two.where) == ("role Lead+", "group Front", "write", None)


def test_the_words_of_a_principal_name_it(admin):
    """Also where its name looks like something else."""
    names = ["Rep", "A+", "role Rep", " x", "+", "everybody", "Ñandú", "use_0000000000001W"]
    roles = [admin.create("roles", name=name) for name in names if name != "Rep"]
    made = [admin.create("groups", name=name) for name in names]
    given = [EVERYBODY, *[Principal(PrincipalKind.USER, decode(each.id)[1]) for each in admin.find("users")]]
    given += [Principal(PrincipalKind.ROLE, decode(each.id)[1], below) for each in roles for below in (False, True)]
    given += [Principal(PrincipalKind.GROUP, decode(each.id)[1]) for each in made]

    assert [principal(admin, principal_words(admin, each)) for each in given] == given


def test_who_is_gone_is_named_by_id(admin):
    role = admin.create("roles", name="Gone")
    admin.delete(role)
    gone = Principal(PrincipalKind.ROLE, decode(role.id)[1], subordinates=True)

    assert principal_words(admin, gone) == f"{role.id}+"


def test_rules_are_told_to_those_who_manage_sharing(admin, nubetis_org):
    with nubetis_org.session(HostSignIn("ana")) as ana:
        for ask in (module_sharing, share_rules):
            with refusing("denied", AccessDenied):
                ask(ana)
        assert groups(ana) == []
