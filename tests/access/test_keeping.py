"""Who acts for another has himself, when it is written, no more of any record than before: by whatever way."""

from __future__ import annotations

import pytest

from nubetis import F, HostSignIn
from nubetis.errors import Refused
from nubetis.model.filters import has
from nubetis.session.delegating import plan_delegation, revoke
from nubetis.session.past import operations
from nubetis.session.sharing import plan_default, plan_share_rule, share
from tests.stores import refusing


@pytest.fixture
def people(nubetis_org, nubetis_session):
    """Bob acts for ana; carl is below him, dora gives him what she owns, gus is where others give him nothing."""
    lines = ("ana: Rep", "bob: Boss", "carl: Below < bob", "dora: Desk", "eva: Boss", "gus: Gate")
    found = dict(zip(("ana", "bob", "carl", "dora", "eva", "gus"), nubetis_org.people(*lines), strict=True))
    nubetis_session.edit(nubetis_session.find("roles", F.name == "Boss")[0], peers=True)
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "dora's", "leads", source="dora", target="bob"))
    admin.apply(plan_share_rule(admin, "lima", "leads", where=F.company == "Lima", target="bob"))
    admin.apply(plan_share_rule(admin, "tacna", "accounts", where=F.name == "Tacna", target="bob"))
    linked = F.account.linked(F.website.is_empty() & (F.industry == "Tea"))
    admin.apply(plan_share_rule(admin, "linked", "contacts", where=linked, target="role Boss", level="write"))
    won = has("deals", via="account", where=F.name == "Won")
    admin.apply(plan_share_rule(admin, "won", "accounts", where=won, target="bob"))
    quiet = ~has("calls", via="about") & (F.name == "Quiet")
    admin.apply(plan_share_rule(admin, "quiet", "accounts", where=quiet, target="bob"))
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="delete"))
    found["ana"].apply(plan_delegation(found["ana"], "bob"))
    return found


@pytest.fixture
def acting(nubetis_org, people):
    return nubetis_org.session(HostSignIn("bob"), on_behalf_of="ana")


def _parent_of_his(people):
    """Give an account of bob's, which ana may read."""
    own = people["bob"].create("accounts", name="His")
    share(people["bob"], own, "ana")
    return own.id


WAYS = {
    "to one below": ("leads", {"owner": "carl"}),
    "to a peer": ("leads", {"owner": "eva"}),
    "to whom a rule gives": ("leads", {"owner": "dora"}),
    "to himself": ("leads", {"owner": "bob"}),
    "by a value": ("leads", {"company": "lima"}),
    "by a value of accounts": ("accounts", {"name": "Tacna"}),
}


def test_a_delegate_keeps_no_record(people, acting):
    """Be it one or one of many; and it stays as it was."""
    made = []
    for module, values in WAYS.values():
        record, other = (people["ana"].create(module, name=name) for name in ("Secret", "Other"))
        made.append(record)
        with refusing("keeps_lent", Refused):
            acting.edit(record.id, values)
        with refusing("keeps_lent", Refused):
            acting.apply(acting.plan_edits(module, {other.id: {"name": "N"}, record.id: {**values}}))
        with refusing("keeps_lent", Refused):
            acting.apply(acting.plan_update(module, F.name == "Secret", values))
    revoke(people["ana"], "bob")
    for record in made:
        assert not people["bob"].can("view", record.id)
        assert people["ana"].get(record.id).version == 1


def test_others_have_what_the_delegate_gives_them(people, acting):
    """And what he has not got afterwards either he may write as the other may."""
    lead = people["ana"].create("leads", name="X")
    acting.edit(lead.id, company="Cusco", owner="gus")
    assert people["gus"].can("delete", lead.id)
    assert not people["bob"].can("view", lead.id)


def test_what_he_has_himself_he_may_hand_on(people, acting):
    """He loses nothing and gains nothing by it."""
    lead = people["carl"].create("leads", name="X")
    share(people["carl"], lead, "ana", level="delete")
    acting.edit(lead.id, owner="eva", company="Lima")
    assert people["bob"].can("delete", lead.id)
    acting.delete(lead.id)


def test_a_delegate_hangs_nothing_under_a_record_that_he_has(people, acting):
    """Nor by a share of it with what belongs to it."""
    his, contact = _parent_of_his(people), people["ana"].create("contacts", last_name="C")
    with refusing("keeps_lent", Refused):
        acting.edit(contact.id, account=his)
    between = people["gus"].create("accounts", name="Between")
    for name in ("ana", "bob"):
        share(people["gus"], between, name, level="write" if name == "bob" else "read")
    with refusing("keeps_lent", Refused):
        acting.edit(contact.id, account=between.id)
    assert not people["bob"].can("view", contact.id)


def test_what_the_delegate_made_himself_counts(people, acting):
    """An account that a rule gives him, and a contact of the other that would hang under it."""
    contact = people["ana"].create("contacts", last_name="C")
    account = acting.create("accounts", name="Tacna")
    assert people["bob"].can("view", account.id)
    with refusing("keeps_lent", Refused):
        acting.edit(contact.id, account=account.id)


def test_a_new_record_is_the_others(people, acting):
    """It may be such as the delegate sees himself, and is given to nobody by whom he would have more of it."""
    assert people["bob"].can("view", acting.create("leads", name="New", company="Lima").id)
    for owner in ("carl", "eva", "dora", "bob"):
        with refusing("keeps_lent", Refused):
            acting.create("leads", name="New", owner=owner)
    acting.create("leads", name="New", owner="gus")


def test_what_a_rule_asks_of_linked_records_counts(people, acting):
    """An account that is written gives what links to it, and what it links to; so does one that comes or goes."""
    ana = people["ana"]
    account = ana.create("accounts", name="A")
    contact = ana.create("contacts", last_name="C", account=account.id)
    deal = ana.create("deals", name="Open", account=account.id)
    for act in (
        lambda: acting.edit(account.id, industry="Tea"),
        lambda: acting.edit(deal.id, name="Won"),
        lambda: acting.create("deals", name="Won", account=account.id),
    ):
        with refusing("keeps_lent", Refused):
            act()
    assert not people["bob"].can("view", contact.id)
    acting.edit(account.id, industry="Silk")
    acting.edit(deal.id, name="Lost")
    won = acting.create("deals", name="Won")
    with refusing("keeps_lent", Refused):
        acting.edit(won.id, account=account.id)


def test_what_must_not_be_linked_counts(people, acting):
    """A rule may ask that nothing links to a record; what goes then gives it."""
    ana = people["ana"]
    account = ana.create("accounts", name="Quiet")
    assert people["bob"].can("view", account.id)
    call = ana.create("calls", subject="Hello", about=account.id)
    assert not people["bob"].can("view", account.id)
    other = ana.create("accounts", name="Other")
    for act in (lambda: acting.delete(call.id), lambda: acting.edit(call.id, about=other.id)):
        with refusing("keeps_lent", Refused):
            act()


def test_what_comes_back_from_the_bin_gives_nothing_new(people, acting):
    """A parent there gives nothing; who may not take it out himself does not get what belongs to it."""
    ana = people["ana"]
    account = ana.create("accounts", name="A")
    contact = ana.create("contacts", last_name="C", account=account.id)
    share(ana, account, "bob")
    assert people["bob"].can("view", contact.id)
    ana.delete(account.id)
    assert not people["bob"].can("view", contact.id)
    with refusing("keeps_lent", Refused):
        acting.restore(account.id)
    lead = people["carl"].create("leads", name="X")
    share(people["carl"], lead, "ana", level="delete")
    acting.delete(lead.id)
    acting.restore(lead.id)


def test_an_undo_gives_nothing_either(people, acting):
    """What he took from himself in her name he does not put back in it; she does."""
    lead = people["gus"].create("leads", name="X", company="Lima")
    share(people["gus"], lead, "ana", level="write")
    acting.edit(lead.id, company="Cusco")
    (taken,) = operations(acting)
    with refusing("keeps_lent", Refused):
        acting.undo(taken)
    people["ana"].undo(taken)
    assert people["bob"].can("view", lead.id)


def test_an_administrator_who_acts_for_another_gains_nothing(nubetis_org, people):
    """He has everything in his own name."""
    lead = people["ana"].create("leads", name="X")
    people["ana"].apply(plan_delegation(people["ana"], "admin"))
    session = nubetis_org.session(HostSignIn("admin", factor=True), on_behalf_of="ana")
    session.edit(lead.id, owner="carl", company="Lima")
    assert people["carl"].can("delete", lead.id)
