"""What another user sees: read only, journalled, and nothing that the one who looks may not see himself."""

from __future__ import annotations

import json

import attrs
import pytest

from nubetis import F
from nubetis.access.permissions import STANDARD, FieldLevel, Function, write_permissions
from nubetis.errors import AccessDenied, InvalidValue, NotFound, StoreError
from nubetis.model.filters import EVERYTHING
from nubetis.model.plan import CauseKind, Plan
from nubetis.session.delegating import plan_delegation
from nubetis.session.erasing import erase
from nubetis.session.looking import as_user
from nubetis.session.past import history, operations
from nubetis.session.sharing import plan_default, plan_share_rule, share
from nubetis.session.teams import join
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org):
    lines = ("luis: Lead", "ana: Rep < luis", "pia: Office", "boss: Head !admin")
    return dict(zip(("luis", "ana", "pia", "boss"), nubetis_org.people(*lines), strict=True))


@pytest.fixture
def leads(staff):
    return {name: staff[name].create("leads", name=name, company="Lima") for name in ("luis", "ana", "pia")}


def helper(admin, user, **fields):
    """Let *user* explain access, and not read *fields*."""
    said = attrs.evolve(STANDARD, functions=[Function.EXPLAIN_ACCESS], **fields)
    kept = json.dumps(write_permissions(said))
    admin.edit(user, profile=admin.create("profiles", name="Helper", permissions=kept).id)


def test_an_administrator_sees_what_the_user_sees(nubetis_session, staff, leads):
    """The same pages, numbers, records, decisions; and no more."""
    seen = as_user(nubetis_session, "luis", reason="he asked")
    luis = staff["luis"]
    assert seen.user == luis.user
    assert [each.id for each in seen.find("leads")] == [each.id for each in luis.find("leads")]
    assert seen.count("leads") == 2
    assert dict(seen.get(leads["ana"])) == dict(luis.get(leads["ana"]))
    assert seen.explain("edit", leads["ana"]) == luis.explain("edit", leads["ana"])
    with refusing("not_found", NotFound):
        seen.get(leads["pia"])


WRITES = {
    "create": lambda s, r: s.create("leads", name="X"),
    "edit": lambda s, r: s.edit(r, name="X"),
    "delete": lambda s, r: s.delete(r),
    "restore": lambda s, r: s.restore(r),
    "apply": lambda s, r: s.apply(s.plan_update("leads", EVERYTHING, name="X")),
    "apply nothing": lambda s, r: s.apply(Plan()),
    "undo": lambda s, r: s.undo(operations(s)[0]),
    "unit": lambda s, r: s.unit(lambda _: None),
    "share": lambda s, r: share(s, r, "pia"),
    "join": lambda s, r: join(s, r, "pia"),
    "erase": lambda s, r: erase(s, r, fields=["name"]),
    "delegate": lambda s, r: s.apply(plan_delegation(s, "pia")),
}


@pytest.mark.parametrize("road", WRITES)
def test_nothing_is_written(nubetis_session, staff, leads, road):
    before = operations(nubetis_session)
    seen = as_user(nubetis_session, "luis", reason="he asked")
    with refusing("only_reading", AccessDenied):
        WRITES[road](seen, leads["luis"])
    assert len(operations(nubetis_session)) == len(before) + 1
    assert nubetis_session.get(leads["luis"])["name"] == "luis"


def test_the_journal_tells_of_it(nubetis_session, staff):
    """Who looked on, as whom and why."""
    as_user(nubetis_session, "luis", reason="he asked")
    found = operations(nubetis_session)[0]
    assert (found.actor, found.cause.kind) == (nubetis_session.user, CauseKind.VIEW)
    assert found.cause.detail == {"as": staff["luis"].user, "reason": "he asked"}
    for reason in ("", " "):
        with refusing("bad_argument", InvalidValue):
            as_user(nubetis_session, "luis", reason=reason)


def test_who_may_explain_access_sees_no_more_than_himself(nubetis_org, nubetis_session, staff, leads):
    """Neither records nor fields, on any road; nor what the other did."""
    module = nubetis_org.schema.module("leads")
    helper(nubetis_session, staff["pia"].user, fields={(module.id, module.field("company").id): FieldLevel.HIDDEN})
    share(staff["luis"], leads["luis"], "pia")
    seen = as_user(staff["pia"], "luis", reason="help")
    assert [each.id for each in seen.find("leads")] == [leads["luis"].id]
    assert (seen.count("leads"), seen.can("view", leads["ana"].id)) == (1, False)
    assert "company" not in seen.get(leads["luis"])
    assert seen.can("delete", leads["luis"].id)
    with refusing("not_found", NotFound):
        seen.explain("view", leads["ana"].id)
    assert operations(seen) == []
    assert "Lima" not in repr(history(seen, leads["luis"]))
    assert not as_user(staff["pia"], "ana", reason="help").find("leads")


def test_who_looks_on_is_told_no_more_of_rules_than_he_may_know(nubetis_session, staff):
    """Neither by name nor whether it holds, of one that asks for a field which he may not read himself."""
    contacts = nubetis_session.schema.module("contacts")
    helper(nubetis_session, staff["pia"].user, fields={(contacts.id, contacts.field("phone").id): FieldLevel.HIDDEN})
    rule = plan_share_rule(nubetis_session, "numbers", "contacts", where=F.phone == "+51999111222", target="ana")
    nubetis_session.apply(rule)
    nubetis_session.apply(plan_default(nubetis_session, "contacts", level="read"))
    contact = nubetis_session.create("contacts", last_name="X", phone="+51999111222")
    told = as_user(staff["pia"], "ana", reason="she asked").explain("view", contact.id)
    assert "numbers" not in repr(told)
    assert "numbers" in repr(as_user(nubetis_session, "ana", reason="she asked").explain("view", contact.id))


def test_one_looks_on_only_with_the_right_to(nubetis_session, staff, leads):
    """And only as long as one has it; not as an administrator, nor for another."""
    luis = staff["luis"]
    with refusing("denied", AccessDenied):
        as_user(luis, "ana", reason="x")
    with refusing("unknown_user", NotFound):
        as_user(nubetis_session, "nobody", reason="x")
    helper(nubetis_session, luis.user)
    seen = as_user(luis, "ana", reason="x")
    assert seen.count("leads") == 1
    with refusing("denied", AccessDenied):
        as_user(luis, "boss", reason="x")
    with refusing("only_reading", AccessDenied):
        as_user(as_user(nubetis_session, "luis", reason="x"), "ana", reason="x")
    standard = nubetis_session.find("profiles", F.name == "Standard")[0]
    nubetis_session.edit(luis.user, profile=standard.id)
    with refusing("denied", AccessDenied):
        seen.count("leads")
    other = as_user(staff["boss"], "ana", reason="x")
    nubetis_session.edit(staff["boss"].user, state="suspended")
    with refusing("denied", AccessDenied):
        other.count("leads")


def test_who_acts_for_another_does_not_look_on(nubetis_org, nubetis_session, staff):
    from nubetis import HostSignIn

    helper(nubetis_session, staff["luis"].user)
    staff["luis"].apply(plan_delegation(staff["luis"], "pia", functions="explain_access"))
    acting = nubetis_org.session(HostSignIn("pia"), on_behalf_of="luis")
    with refusing("denied", AccessDenied):
        as_user(acting, "ana", reason="x")


def test_a_look_of_which_the_journal_does_not_tell_is_none(nubetis_session, staff):
    """A unit in which it was opened was taken back."""
    opened = []

    def work(session):
        opened.append(as_user(session, "luis", reason="x"))
        raise LookupError

    before = operations(nubetis_session)
    with pytest.raises(LookupError):
        nubetis_session.unit(work)
    with refusing("closed", StoreError):
        opened[0].count("leads")
    assert operations(nubetis_session) == before
