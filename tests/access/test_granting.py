"""Nobody gives by a parent, or by a share that goes on to related records, more than he has."""

from __future__ import annotations

import pytest

from nubetis.data.merge import plan_merge
from nubetis.errors import AccessDenied, InvalidValue, Refused
from nubetis.model.filters import EVERYTHING
from nubetis.model.ids import decode
from nubetis.model.plan import Cause, CauseKind
from nubetis.session.sharing import plan_default, principal, share, unshare
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org, nubetis_session):
    """Give sessions by handle; contacts have their accounts as parents, which give them to be read."""
    names = ("ana", "pia", "rob")
    sessions = nubetis_org.people("ana: Rep", "pia: Office", "rob: Desk")
    level(nubetis_session, "read")
    return {"admin": nubetis_session, **dict(zip(names, sessions, strict=True))}


def level(admin, text):
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level=text))


def by_hand(session, account, **values):
    """Write a share as a record, past :func:`share`."""
    number = int(session.schema.module("accounts").id)
    made = {"kind": "share", "module": number, "record": int(decode(account.id)[1]), "target": "everybody"}
    return session.create("shares", {**made, "related": True, "level": "delete", **values})


BEYOND = {
    "shared": lambda s, account, _: share(s, account, "rob", level="delete", related=True),
    "to write": lambda s, account, _: share(s, account, "everybody", level="write", related=True),
    "by hand": lambda s, account, _: by_hand(s, account),
    "as a team's": lambda s, account, _: by_hand(s, account, kind="team", target=principal(s, "rob").text),
    "edited to a level": lambda s, account, given: s.edit(given, level="delete"),
    "edited to related": lambda s, account, _: s.edit(by_hand(s, account, related=False), related=True),
}  # fmt: skip


@pytest.mark.parametrize("road", BEYOND)
def test_related_records_are_shared_beyond_their_parent_by_administrators_alone(staff, road):
    """The children that one may only read do not become his own to delete."""
    admin, pia = staff["admin"], staff["pia"]
    account = pia.create("accounts", name="A")
    contact = staff["ana"].create("contacts", last_name="C")
    admin.edit(contact, account=account.id)
    given = by_hand(pia, account, level="read")
    with refusing("related_beyond", AccessDenied):
        BEYOND[road](pia, account, given)
    assert not staff["rob"].can("edit", contact.id)
    level(admin, "delete")
    BEYOND[road](pia, account, given)
    with refusing("bad_sharing", Refused):
        level(admin, "read")
    admin.apply(admin.plan_delete("shares", EVERYTHING))
    level(admin, "read")
    share(admin, account, "rob", level="delete", related=True)
    assert staff["rob"].can("delete", contact.id)


def test_a_share_with_what_has_no_children_goes_to_any_level(staff):
    """There is nothing that it would give."""
    lead = staff["pia"].create("leads", name="L")
    share(staff["pia"], lead, "rob", level="delete", related=True)


def test_what_an_administrator_shared_is_taken_away_and_back_and_not_changed(staff):
    """Its owner takes it away; he gives it to nobody else, and no longer, nor back by an undo, which asks as much."""
    admin, pia = staff["admin"], staff["pia"]
    account = pia.create("accounts", name="A")
    share(admin, account, "rob", level="delete", related=True)
    found = pia.find("shares")[0]
    with refusing("related_beyond", AccessDenied):
        pia.edit(found, target=staff["ana"].user)
    taken = unshare(pia, account, "rob")
    assert [each.code for each in pia.undo(taken).failed] == ["related_beyond"]
    with refusing("related_beyond", AccessDenied):
        pia.restore(found.id)
    assert not admin.undo(taken).failed


@pytest.fixture
def lent(staff):
    """Give a contact of ana's that rob may write, and an account of his own."""
    level(staff["admin"], "delete")
    contact = staff["ana"].create("contacts", last_name="C")
    share(staff["ana"], contact, "rob", level="write")
    return contact, staff["rob"].create("accounts", name="R")


def test_who_may_write_a_record_does_not_give_it_to_another_parent(staff, lent):
    """For its parent gives it to be deleted: that asks for as much as another owner does."""
    contact, account = lent
    rob = staff["rob"]
    with refusing("denied", AccessDenied):
        rob.edit(contact, account=account.id)
    plan = rob.plan_edits("contacts", {contact.id: {"account": account.id, "last_name": "D"}})
    assert [(each.code, each.field) for each in plan.refusals] == [("denied", "account")]
    rob.edit(contact, last_name="D")
    assert not rob.can("delete", contact.id)
    share(staff["ana"], contact, "rob", level="delete")
    rob.edit(rob.get(contact.id), account=account.id)


def test_another_parent_that_gives_no_more_than_to_write_is_free(staff, lent):
    """As long as nobody is given more by it: not by a share of both."""
    contact, account = lent
    rob, admin = staff["rob"], staff["admin"]
    level(admin, "write")
    rob.edit(contact, account=account.id)
    rob.edit(rob.get(contact.id), account=None)
    share(admin, account, "pia", level="delete", related=True)
    with refusing("denied", AccessDenied):
        rob.edit(rob.get(contact.id), account=account.id)


def test_a_plan_made_by_another_gives_no_more(staff, lent):
    """What is applied is asked of who applies it."""
    contact, account = lent
    admin, rob = staff["admin"], staff["rob"]
    linked = admin.plan_edits("contacts", {contact.id: {"account": account.id}})
    with refusing("denied", AccessDenied):
        rob.apply(linked)


def test_new_records_and_merged_parents_are_free(staff, lent):
    """One creates with whatever parent one sees; of two accounts of one's own the contacts go along."""
    _, account = lent
    rob = staff["rob"]
    other = rob.create("accounts", name="S")
    contact = rob.create("contacts", last_name="N", account=other.id)
    theirs = staff["ana"].create("contacts", last_name="T")
    staff["admin"].edit(theirs, account=other.id)
    rob.apply(plan_merge(rob, account, [other]))
    assert {rob.get(each.id)["account"] for each in (contact, theirs)} == {account.id}


def test_an_undo_gives_no_other_parent_than_an_edit(staff, lent):
    """And nobody names what he does an undo."""
    contact, account = lent
    rob, admin = staff["rob"], staff["admin"]
    level(admin, "write")
    rob.edit(contact, account=account.id)
    gone = rob.apply(rob.plan_edits("contacts", {contact.id: {"account": None}}))
    level(admin, "delete")
    assert [each.code for each in rob.undo(gone).failed] == ["denied"]
    assert not rob.can("delete", contact.id)
    assert not staff["ana"].get(contact.id)["account"]
    level(admin, "write")
    assert not rob.undo(gone).failed
    with refusing("bad_argument", InvalidValue):
        rob.plan_edits("contacts", {contact.id: {"account": None}}, cause=Cause(CauseKind.UNDO))


def test_a_parent_comes_where_no_share_would_give_more_by_it(staff):
    """Who shared before knew nothing of it; it is for whoever sets the parent to decide, and so for a lower level."""
    admin, pia, ana = staff["admin"], staff["pia"], staff["ana"]
    account = pia.create("accounts", name="A")
    contact = ana.create("contacts", last_name="C", account=None)
    admin.apply(plan_default(admin, "contacts", parent=None))
    admin.edit(contact, account=account.id)
    share(pia, account, "rob", level="delete", related=True)
    for text in ("none", "read", "write"):
        with refusing("bad_sharing", Refused, match="1 shares go on"):
            level(admin, text)
    level(admin, "delete")
    assert staff["rob"].can("delete", contact.id)
    with refusing("bad_sharing", Refused):
        level(admin, "read")
    share(pia, account, "rob", level="read", related=True)
    level(admin, "read")
    assert not staff["rob"].can("edit", contact.id)
    share(admin, account, "rob", level="delete", related=True)
    level(admin, "write")
    assert staff["rob"].can("delete", contact.id)
