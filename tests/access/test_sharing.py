"""Who sees, edits and deletes what, by each kind of grant: the list, the check and the explanation say the same."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nubetis import F
from nubetis.access.decision import Reason
from nubetis.errors import AccessDenied, InvalidValue, NotFound, NubetisError, Refused
from nubetis.model.ids import decode, encode
from nubetis.model.store import Batch, Updates
from nubetis.session import sharing
from nubetis.session.shared import module_sharing
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule, share, shares, unshare
from tests.stores import refusing


@pytest.fixture
def staff(nubetis_org):
    """Four below each other and beside: eva over luis over ana, and rosa beside ana under luis; pia apart."""
    lines = ("eva: Head", "luis: Lead < eva", "ana: Rep < luis", "rosa: Rep", "pia: Office")
    return dict(zip(("eva", "luis", "ana", "rosa", "pia"), nubetis_org.people(*lines), strict=True))


def may(session, record):
    """Give what a user may do with a record: nothing, view, edit, delete; the list and the bulk plans agree."""
    listed = record.id in {each.id for each in session.find(record.module, limit=1000)}
    assert listed == session.can("view", record.id)
    found = [action for action in ("view", "edit", "delete") if session.can(action, record.id)]
    assert found == ["view", "edit", "delete"][: len(found)]
    if listed:
        assert session.explain(found[-1], record).decision.allowed
    return found[-1] if found else None


def all_of(staff, record):
    """Give what each may do."""
    return {name: may(session, record) for name, session in staff.items()}


def test_who_is_above_has_what_those_below_own(staff):
    """And nobody beside, below or apart."""
    lead = staff["ana"].create("leads", name="X")
    expected = {"eva": "delete", "luis": "delete", "ana": "delete", "rosa": None, "pia": None}
    assert all_of(staff, lead) == expected
    assert staff["eva"].decide("edit", lead).reasons == (Reason.HIERARCHY,)


@pytest.mark.parametrize("upward", ["none", "read", "delete"])
def test_how_much_goes_up_is_said_by_the_module(staff, nubetis_session, upward):
    nubetis_session.apply(plan_default(nubetis_session, "leads", upward=upward))
    lead = staff["ana"].create("leads", name="X")
    assert may(staff["eva"], lead) == {"none": None, "read": "view", "delete": "delete"}[upward]
    assert may(staff["ana"], lead) == "delete"


@pytest.mark.parametrize("level", ["none", "read", "write", "delete"])
def test_what_everybody_has_is_said_by_the_module(staff, nubetis_session, level):
    nubetis_session.apply(plan_default(nubetis_session, "leads", level=level))
    lead = staff["ana"].create("leads", name="X")
    assert may(staff["pia"], lead) == {"none": None, "read": "view", "write": "edit", "delete": "delete"}[level]
    assert may(staff["pia"], staff["ana"].create("accounts", name="other module")) is None


def test_peers_share_where_their_role_says_so(staff, nubetis_session):
    lead = staff["ana"].create("leads", name="X")
    role = nubetis_session.find("roles", F.name == "Rep")[0]
    nubetis_session.edit(role, peers=True)
    assert may(staff["rosa"], lead) == "delete"
    assert staff["rosa"].decide("edit", lead).reasons == (Reason.PEERS,)


@pytest.mark.parametrize(("target", "superiors", "reached"), [
    ("pia", False, {"pia"}), ("pia", True, {"pia"}), ("rosa", False, {"rosa"}), ("rosa", True, {"rosa", "luis", "eva"}),
    ("role Office", False, {"pia"}), ("role Lead", False, {"luis"}), ("role Lead+", False, {"luis", "ana", "rosa"}),
    ("role Head+", False, {"eva", "luis", "ana", "rosa"}), ("everybody", False, {"eva", "luis", "ana", "rosa", "pia"}),
    ("group Front", False, {"pia", "rosa", "ana"}),
])  # fmt: skip
def test_a_rule_by_owner_reaches_its_target(staff, nubetis_session, target, superiors, reached):
    """Each kind of principal; superiors of the target where the rule says so."""
    admin = nubetis_session
    admin.apply(plan_group(admin, "Inner", ["role Rep"]))
    admin.apply(plan_group(admin, "Front", ["pia", "group Inner"]))
    lead = admin.create("leads", name="X")
    assert set(all_of(staff, lead).values()) == {None}
    admin.apply(plan_share_rule(admin, "r", "leads", source="admin", target=target, level="write", superiors=superiors))
    assert {name for name, found in all_of(staff, lead).items() if found == "edit"} == reached
    assert {name for name, found in all_of(staff, lead).items() if found is None} == staff.keys() - reached


def test_a_rule_by_values_reaches_the_records_that_have_them(staff, nubetis_session):
    """As long as they have them; whoever owns them."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "lima", "leads", where=F.company == "Lima", target="pia"))
    lead = staff["ana"].create("leads", name="X", company="LIMA")
    assert may(staff["pia"], lead) == "view"
    assert staff["pia"].decide("view", lead).reasons == (Reason.CRITERIA,)
    staff["ana"].edit(lead, company="Cusco")
    assert may(staff["pia"], lead) is None


def test_the_most_permissive_of_several_grants_wins(staff, nubetis_session):
    admin = nubetis_session
    lead = admin.create("leads", name="X")
    for number, level in enumerate(("read", "delete", "write")):
        admin.apply(plan_share_rule(admin, f"r{number}", "leads", source="admin", target="pia", level=level))
    assert may(staff["pia"], lead) == "delete"


# -- shares -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("target", "superiors", "reached"), [
    ("pia", False, {"pia"}), ("role Rep", False, {"ana", "rosa"}), ("role Rep", True, {"ana", "rosa", "luis", "eva"}),
    ("role Lead+", False, {"luis", "ana", "rosa"}), ("everybody", False, {"eva", "luis", "ana", "rosa", "pia"}),
])  # fmt: skip
def test_a_share_reaches_its_target(staff, nubetis_session, target, superiors, reached):
    lead, other = (nubetis_session.create("leads", name=name) for name in "XY")
    share(nubetis_session, lead, target, level="write", superiors=superiors)
    assert {name for name, found in all_of(staff, lead).items() if found == "edit"} == reached
    assert set(all_of(staff, other).values()) == {None}


def test_a_share_ends_at_its_instant(staff, nubetis_session, nubetis_clock):
    lead = nubetis_session.create("leads", name="X")
    share(nubetis_session, lead, "pia", until=nubetis_session.now() + timedelta(hours=1))
    assert may(staff["pia"], lead) == "view"
    nubetis_clock.advance(hours=1)
    assert may(staff["pia"], lead) is None


def test_lists_and_counts_of_one_session_follow_the_clock(staff, nubetis_session, nubetis_clock):
    """What is made ready for the user is not made for the instant at which he first asked."""
    staff["pia"].create("leads", name="own")
    for hours in (1, 2, 3):
        until = nubetis_session.now() + timedelta(hours=hours)
        share(nubetis_session, nubetis_session.create("leads", name=f"until {hours}"), "pia", until=until)
    for left in (4, 3, 2, 1):
        page = staff["pia"].find("leads", limit=1, total="exact")
        assert (page.total, staff["pia"].count("leads"), staff["pia"].count("leads", limit=9)) == (left, left, left)
        assert sum(1 for batch in staff["pia"].stream("leads", size=1) for _ in batch[0]) == left
        assert len(staff["pia"].find("leads", sort="-name")) == left
        nubetis_clock.advance(hours=1)


def test_a_share_is_changed_and_taken_away(staff, nubetis_session):
    lead = nubetis_session.create("leads", name="X")
    share(nubetis_session, lead, "pia")
    share(nubetis_session, lead, "pia", level="delete", related=True)
    (found,) = shares(nubetis_session, lead)
    assert (found.level, found.related, may(staff["pia"], lead)) == ("delete", True, "delete")
    unshare(nubetis_session, lead, "pia")
    assert (shares(nubetis_session, lead), may(staff["pia"], lead)) == ([], None)
    with refusing("not_shared", NotFound):
        unshare(nubetis_session, lead, "pia")


def test_an_owner_shares_what_is_his_and_the_journal_names_him(staff):
    """And takes it back; the operation is his own."""
    lead = staff["ana"].create("leads", name="X")
    operation = share(staff["ana"], lead, "pia")
    assert operation.actor == staff["ana"].user
    assert may(staff["pia"], lead) == "view"
    staff["ana"].undo(operation)
    assert may(staff["pia"], lead) is None


def test_nobody_shares_what_is_not_his(staff):
    """Neither by the function nor by writing the record of a share, nor by turning a share of his own elsewhere."""
    lead, own = staff["ana"].create("leads", name="X"), staff["pia"].create("leads", name="Y")
    rosa = staff["rosa"]
    with refusing("not_found", NotFound):
        share(rosa, lead, "rosa")
    module, key = rosa.state.world.last.module_of(lead.id)
    values = {"module": int(module.id), "record": int(key), "target": "everybody"}
    with pytest.raises(AccessDenied):
        rosa.create("shares", values)
    share(staff["pia"], own, "rosa", level="write")
    with refusing("denied_of", AccessDenied):
        share(rosa, own, "ana")
    mine = rosa.create("leads", name="Z")
    share(rosa, mine, "pia")
    (kept,) = rosa.find("shares")
    with pytest.raises(AccessDenied):
        rosa.edit(kept, record=int(key))
    assert {name for name, found in all_of(staff, lead).items() if found} == {"eva", "luis", "ana"}


# -- parents ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("level", ["read", "write", "delete"])
def test_whoever_may_view_the_parent_has_the_child(staff, nubetis_session, level):
    """To the level that the module says; never the other way round."""
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level=level))
    account = admin.create("accounts", name="Acme")
    contact = admin.create("contacts", last_name="Quispe", account=account.id)
    assert may(staff["pia"], contact) is None
    share(admin, account, "pia")
    assert may(staff["pia"], contact) == {"read": "view", "write": "edit", "delete": "delete"}[level]
    assert staff["pia"].decide("view", contact).reasons == (Reason.PARENT,)
    share(admin, admin.create("contacts", last_name="Solo"), "ana")
    assert may(staff["ana"], account) is None


def test_a_share_may_go_to_the_children_too(staff, nubetis_session):
    """Without *related* it does not."""
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account"))
    account = admin.create("accounts", name="Acme")
    contact = admin.create("contacts", last_name="Quispe", account=account.id)
    share(admin, account, "pia", level="write")
    assert may(staff["pia"], contact) is None
    share(admin, account, "pia", level="write", related=True)
    assert may(staff["pia"], contact) == "edit"


@pytest.mark.parametrize("related", [False, True])
def test_a_parent_in_the_bin_gives_nothing(staff, nubetis_session, related):
    """Neither by the level that the module says nor by a share for both; once it is out again, it does."""
    admin = nubetis_session
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="none" if related else "read"))
    account = admin.create("accounts", name="Acme")
    contact = admin.create("contacts", last_name="Quispe", account=account.id)
    share(admin, account, "pia", related=related)
    assert may(staff["pia"], contact) == "view"
    admin.delete(account)
    assert may(staff["pia"], contact) is None
    admin.restore(account.id)
    assert may(staff["pia"], contact) == "view"


# -- what cannot be ---------------------------------------------------------------------------------------------------
def role_of(session, name):
    return session.find("roles", F.name == name)[0]


NONSENSE = '{"verbs": {"*": ["x"]}}'
CANNOT = {
    "role circle": ("role_circle", lambda s: s.edit(role_of(s, "Head"), reports_to=role_of(s, "Rep").id)),
    "role of its own": ("role_circle", lambda s: s.edit(role_of(s, "Head"), reports_to=role_of(s, "Head").id)),
    "role in use": ("role_in_use", lambda s: s.delete(role_of(s, "Rep"))),
    "role above": ("role_in_use", lambda s: s.delete(role_of(s, "Empty"))),
    "profile in use": ("profile_in_use", lambda s: s.delete(s.find("profiles", F.name == "Used")[0])),
    "group circle": ("group_circle", lambda s: s.edit(s.find("groups", F.name == "A")[0], members=[
        sharing.principal(s, "group B").text])),
    "rule of both": ("bad_sharing", lambda s: s.apply(
        plan_share_rule(s, "r", "leads", source="ana", where=F.name == "x", target="pia"))),
    "rule of neither": ("bad_sharing", lambda s: s.apply(plan_share_rule(s, "r", "leads", target="pia"))),
    "rule on nothing": ("bad_sharing", lambda s: s.apply(
        plan_share_rule(s, "r", "leads", where=F.nothing == "x", target="pia"))),
    "rule of a person": ("bad_sharing", lambda s: s.apply(
        plan_share_rule(s, "r", "leads", where=F.name.changed(), target="pia"))),
    "module": ("unknown_sharing", lambda s: s.create("sharing_rules", {
        "name": "r", "module": 77777, "source": "everybody", "target": "everybody"})),
    "system module": ("unknown_sharing", lambda s: s.create("sharing_defaults", module=4)),
    "parent of several": ("bad_sharing", lambda s: s.apply(plan_default(s, "tasks", parent="about"))),
    "parent no link": ("bad_sharing", lambda s: s.apply(plan_default(s, "contacts", parent="email"))),
    "permission lacks": ("permission_lacks", lambda s: s.create(
        "profiles", name="Odd", permissions='{"verbs": {"*": ["edit"]}}')),
    "unknown set": ("unknown_member", lambda s: s.edit(s.user, permission_sets=[encode("pse", 77)])),
    "no id of a set": ("bad_id", lambda s: s.edit(s.user, permission_sets=["x"])),
    "no principal": ("bad_id", lambda s: s.create("groups", name="C", members=["nobody"])),
    "no JSON": ("bad_sharing", lambda s: s.create("profiles", name="Odd", permissions="{")),
    "no permission": ("bad_permissions", lambda s: s.create("permission_sets", name="P", permissions=NONSENSE)),
}  # fmt: skip


@pytest.mark.parametrize(("code", "act"), CANNOT.values(), ids=CANNOT)
def test_what_cannot_be_is_refused_and_nothing_of_it_is_written(staff, nubetis_session, code, act):
    admin = nubetis_session
    empty = admin.create("roles", name="Empty")
    admin.edit(role_of(admin, "Office"), reports_to=empty.id)
    admin.edit(staff["pia"].user, profile=admin.create("profiles", name="Used").id)
    admin.apply(plan_group(admin, "A", ["pia"]))
    admin.apply(plan_group(admin, "B", ["group A"]))
    before = [each.version for name in ("roles", "profiles", "groups", "users") for each in admin.find(name, limit=100)]
    with pytest.raises(NubetisError) as caught:
        act(admin)
    assert caught.value.code == code
    after = [each.version for name in ("roles", "profiles", "groups", "users") for each in admin.find(name, limit=100)]
    assert before == after
    assert admin.count("sharing_rules") == admin.count("sharing_defaults") == 0


def test_what_a_rule_names_does_not_go(nubetis_org, staff, nubetis_session):
    """Neither the field of its filter nor its module."""
    admin = nubetis_session
    admin.apply(plan_share_rule(admin, "r", "leads", where=F.company == "Lima", target="pia"))
    with refusing("bad_sharing", Refused):
        nubetis_org.alter(nubetis_org.schema.retire_field("leads", "company"))


def test_doctor_finds_a_roster_that_does_not_stand(nubetis_org, nubetis_session):
    """As a hand at the database may leave it."""
    roles = nubetis_org.schema.module("roles")
    keys = [decode(each.id)[1] for each in nubetis_session.find("roles", sort="id")]
    part = Updates(roles, ("reports_to",), keys[:2], [(keys[1],), (keys[0],)])
    nubetis_org._world.store.write(lambda txn: txn.write(Batch(parts=(part,))))
    (found,) = nubetis_org.check()
    assert (found.code, found.detail) == ("people_wrong", "role_circle")


def test_what_is_not_named_of_a_default_stays(nubetis_session):
    """As on the command line; ``None`` takes the parent away."""
    admin = nubetis_session

    def now():
        found = next(each for each in module_sharing(admin) if each.module == "contacts")
        return found.level, found.upward, found.parent, found.parent_level

    admin.apply(plan_default(admin, "contacts", upward="read"))
    assert now() == ("none", "read", None, "none")
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="write"))
    assert now() == ("none", "read", "account", "write")
    admin.apply(plan_default(admin, "contacts", level="read"))
    assert now() == ("read", "read", "account", "write")
    admin.apply(plan_default(admin, "contacts", parent=None))
    assert now() == ("read", "read", None, "none")


@pytest.mark.parametrize("ago", [timedelta(0), timedelta(days=1)])
def test_a_share_that_is_over_is_none(staff, ago):
    ana = staff["ana"]
    lead = ana.create("leads", name="X")
    with refusing("bad_argument", InvalidValue):
        share(ana, lead, "pia", until=ana.now() - ago)
    assert shares(ana, lead) == []


def test_the_owner_needs_no_share(staff):
    lead = staff["ana"].create("leads", name="X")
    with refusing("bad_argument", InvalidValue):
        share(staff["ana"], lead, "ana")
    assert shares(staff["ana"], lead) == []


def test_a_link_leads_to_what_one_has_by_a_rule_on_what_one_has_not(staff, nubetis_session):
    """Rules ask for whatever they ask for; that one may not see the account takes nothing from having the contact."""
    admin, pia = nubetis_session, staff["pia"]
    where = F.account.linked(F.industry == "mining")
    admin.apply(plan_share_rule(admin, "mines", "contacts", where=where, target="pia", level="read"))
    account = admin.create("accounts", name="Acme", industry="mining")
    contact = admin.create("contacts", last_name="Rey", account=account.id)
    deal = pia.create("deals", name="X", contact=contact.id)
    assert (may(pia, account), may(pia, contact)) == (None, "view")
    assert [each.id for each in pia.find("deals", F.contact.linked(F.last_name == "Rey"))] == [deal.id]
    assert pia.count("deals", F.contact.linked(F.account.linked(F.industry == "mining"))) == 0


def test_links_of_rules_and_parents_are_counted_together(nubetis_org, nubetis_session):
    """Whichever comes last; and what is had so is listed, counted, and asked by filters as it is decided."""
    admin, (bob,) = nubetis_session, nubetis_org.people("bob: Rep")
    admin.apply(plan_default(admin, "contacts", parent="account", parent_level="write"))
    deep = [F.name == "deep"]
    for _ in range(4):
        deep.append(F.parent.linked(deep[-1]))
    for links in (3, 4):
        with refusing("bad_sharing", Refused, match="links"):
            admin.apply(plan_share_rule(admin, "r", "accounts", where=deep[links], target="bob"))
    admin.apply(plan_share_rule(admin, "r", "accounts", where=deep[2], target="bob"))
    with refusing("bad_sharing", Refused, match="links"):
        admin.apply(plan_default(admin, "deals", parent="contact", parent_level="write"))
    accounts = [admin.create("accounts", name="deep").id]
    for name in ("one", "two"):
        accounts.append(admin.create("accounts", name=name, parent=accounts[-1]).id)
    contact = admin.create("contacts", last_name="C", account=accounts[2])
    deal = bob.create("deals", name="D", contact=contact.id)
    assert bob.can("edit", contact.id)
    assert [each.id for each in bob.find("contacts")] == [contact.id]
    assert bob.count("deals", F.contact.linked(F.account.linked(F.name == "two"))) == 1
    assert bob.count("deals", F.contact.linked(F.account.linked(F.parent.linked(F.name == "one")))) == 0  # out of sight
    note = bob.create("notes", title="N", about=deal.id)
    chain = F.about.linked(F.contact.linked(F.account.linked(~F.parent.linked(F.name == "deep"))))
    assert [each.id for each in bob.find("notes", chain)] == [note.id]
