"""The tree of roles as it stands, and plans that change it; what cannot be is refused, and nothing is written."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nubetis.errors import AccessDenied, InvalidValue, NotFound, Refused
from nubetis.session.roles import plan_role, plan_role_change, plan_role_move, plan_role_removal, role_tree
from tests.stores import refusing


@pytest.fixture
def admin(nubetis_org, nubetis_session):
    list(nubetis_org.people("eva: Head", "luis: Lead < eva", "ana: Rep < luis", "rosa: Rep", "pia: Office"))
    return nubetis_session


def drawn(session):
    """Give the tree as lines, below the roles that an organisation begins with."""
    tree = role_tree(session)
    return [f"{'  ' * each.depth}{each.name} {each.users}+{each.users_below}" for each in tree if not each.built_in]


def test_each_role_stands_before_those_that_report_to_it(admin):
    assert drawn(admin) == ["Head 1+3", "  Lead 1+2", "    Rep 2+0", "Office 1+0"]
    assert {each.name for each in role_tree(admin) if each.built_in} == {"Chief Executive", "Manager"}
    assert sum(each.users for each in role_tree(admin)) == admin.count("users")


def test_a_chain_may_be_longer_than_python_calls_deep(admin):
    plan = admin.plan_create("roles", [{"name": f"r{number:04}"} for number in range(1200)])
    admin.apply(plan)
    ids = [change.record for change in plan.changes]
    admin.apply(admin.plan_edits("roles", {low: {"reports_to": up} for up, low in pairwise(ids)}))
    tree = [each for each in role_tree(admin) if each.name.startswith("r")]

    assert [each.depth for each in tree] == list(range(1200))


def test_a_role_comes_below_another(admin):
    admin.apply(plan_role(admin, "Desk", under="office", peers=True))
    desk = next(each for each in role_tree(admin) if each.name == "Desk")

    assert (desk.depth, desk.peers) == (1, True)
    assert drawn(admin)[-2:] == ["Office 1+0", "  Desk 0+0"]


def test_a_role_moves_with_all_below_it_and_back_by_undo(admin):
    before = drawn(admin)
    op = admin.apply(plan_role_move(admin, "Lead", under="Office"))
    assert drawn(admin) == ["Head 1+0", "Office 1+3", "  Lead 1+2", "    Rep 2+0"]
    admin.undo(op)
    assert drawn(admin) == before
    admin.apply(plan_role_move(admin, "Lead", under=None))
    assert drawn(admin)[1] == "Lead 1+2"


def test_a_role_is_renamed_and_its_users_become_peers(admin):
    admin.apply(plan_role_change(admin, "Rep", name="Seller", peers=True))
    seller = next(each for each in role_tree(admin) if each.name == "Seller")

    assert (seller.peers, seller.users) == (True, 2)


def test_a_role_in_use_goes_only_with_an_heir(admin):
    with refusing("role_in_use", Refused):
        admin.apply(plan_role_removal(admin, "Lead"))
    admin.apply(plan_role_removal(admin, "Lead", heir="Office"))
    assert drawn(admin) == ["Head 1+0", "Office 2+2", "  Rep 2+0"]


@pytest.mark.parametrize(
    ("gone", "heir", "left"),
    [
        ("Head", "Rep", ["Office 1+0", "Rep 3+1", "  Lead 1+0"]),
        ("Head", "Lead", ["Lead 2+2", "  Rep 2+0", "Office 1+0"]),
        ("Lead", "Rep", ["Head 1+3", "  Rep 3+0", "Office 1+0"]),
        ("Rep", "Head", ["Head 3+1", "  Lead 1+0", "Office 1+0"]),
        ("Lead", "Head", ["Head 2+2", "  Rep 2+0", "Office 1+0"]),
        ("Office", "Head", ["Head 2+3", "  Lead 1+2", "    Rep 2+0"]),
    ],
)
def test_an_heir_takes_the_place_wherever_it_stands(admin, gone, heir, left):
    """Below the role that goes, above it, or beside; undo brings all back."""
    before = drawn(admin)
    op = admin.apply(plan_role_removal(admin, gone, heir=heir))
    assert drawn(admin) == left
    admin.undo(op)
    assert drawn(admin) == before


def test_what_cannot_be_is_refused(admin):
    before = drawn(admin)
    calls = {
        ("unknown_principal", NotFound): lambda: plan_role_move(admin, "Nobody", under=None),
        ("unknown_principal", LookupError): lambda: plan_role(admin, "New", under="pro_0000000000001W"),
        ("role_circle", Refused): lambda: admin.apply(plan_role_move(admin, "Head", under="Rep")),
        ("bad_argument", InvalidValue): lambda: plan_role_removal(admin, "Lead", heir="lead"),
    }
    for (code, kind), call in calls.items():
        with refusing(code, kind):
            call()
    assert drawn(admin) == before


def test_roles_are_changed_by_those_only_who_manage_them(admin, nubetis_org):
    from nubetis import HostSignIn

    with nubetis_org.session(HostSignIn("ana")) as ana:
        assert drawn(ana) == drawn(admin)
        for call in (
            lambda: plan_role(ana, "x"),
            lambda: plan_role_move(ana, "Rep", under=None),
            lambda: plan_role_removal(ana, "Rep", heir="Office"),
        ):
            with refusing("denied", AccessDenied):
                call()
