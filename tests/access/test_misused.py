"""Whatever is given in place of a name, the functions of access answer with a code and never with an accident."""

from __future__ import annotations

import pytest

from nubetis import F
from nubetis.errors import NubetisError
from nubetis.session.delegating import plan_delegation, revoke
from nubetis.session.explaining import explain_for
from nubetis.session.leaving import belongings, plan_offboarding
from nubetis.session.looking import as_user
from nubetis.session.previewing import preview, who_can
from nubetis.session.profiles import plan_field_level
from nubetis.session.roles import plan_role_move
from nubetis.session.sharing import plan_default, plan_group, plan_share_rule, principal, share, shares, unshare
from nubetis.session.teams import join, leave, team

CALLS = {
    "plan_offboarding": lambda s, lead, bad: plan_offboarding(s, bad),
    "plan_offboarding state": lambda s, lead, bad: plan_offboarding(s, "ana", state=bad),
    "belongings": lambda s, lead, bad: belongings(s, bad),
    "plan_delegation": lambda s, lead, bad: plan_delegation(s, bad),
    "revoke": lambda s, lead, bad: revoke(s, bad),
    "share": share,
    "share of": lambda s, lead, bad: share(s, bad, "ana"),
    "share level": lambda s, lead, bad: share(s, lead, "ana", level=bad),
    "shares": lambda s, lead, bad: shares(s, bad),
    "unshare": unshare,
    "join": join,
    "leave": leave,
    "team": lambda s, lead, bad: team(s, bad),
    "principal": lambda s, lead, bad: principal(s, bad),
    "who_can action": lambda s, lead, bad: who_can(s, bad, lead),
    "who_can": lambda s, lead, bad: who_can(s, "view", bad),
    "explain_for": lambda s, lead, bad: explain_for(s, bad, "view", lead),
    "explain_for action": lambda s, lead, bad: explain_for(s, "ana", bad, lead),
    "explain_for record": lambda s, lead, bad: explain_for(s, "ana", "view", bad),
    "as_user": lambda s, lead, bad: as_user(s, bad, reason="x"),
    "preview": lambda s, lead, bad: list(preview(s, bad)),
    "plan_role_move": lambda s, lead, bad: plan_role_move(s, bad, under="Rep"),
    "plan_field_level": lambda s, lead, bad: plan_field_level(s, "Standard", bad, "hidden"),
    "plan_field_level level": lambda s, lead, bad: plan_field_level(s, "Standard", "contacts.phone", bad),
    "plan_field_level profile": lambda s, lead, bad: plan_field_level(s, bad, "contacts.phone", "hidden"),
    "plan_group members": lambda s, lead, bad: plan_group(s, "g", [bad]),
    "plan_group all": lambda s, lead, bad: plan_group(s, "g", 3 if bad == 3 else [bad]),
    "plan_default": lambda s, lead, bad: plan_default(s, bad),
    "plan_default level": lambda s, lead, bad: plan_default(s, "leads", level=3 if bad is None else bad),
    "plan_share_rule": lambda s, lead, bad: plan_share_rule(s, "r", bad, source="ana", target="ana"),
    "plan_share_rule target": lambda s, lead, bad: plan_share_rule(s, "r", "leads", source="ana", target=bad),
    "can": lambda s, lead, bad: s.can(bad, lead),
    "decide": lambda s, lead, bad: s.decide("view", bad),
}  # fmt: skip
NONSENSE = [None, 3, b"x", ["a"], {"a": 1}, "", "x" * 10_000, "\ud800", "\x00", 1.5]


@pytest.fixture
def lead(nubetis_org):
    (ana,) = nubetis_org.people("ana: Rep")
    return ana.create("leads", name="L")


@pytest.mark.parametrize("call", CALLS)
def test_nonsense_is_answered_with_a_code(nubetis_session, lead, call):
    for bad in NONSENSE:
        with pytest.raises(NubetisError) as caught:
            CALLS[call](nubetis_session, lead, bad)
        assert str(caught.value)


def test_a_filter_is_no_text(nubetis_session, lead):
    for bad in ("name = 'x'", 3, {"name": "x"}):
        with pytest.raises(NubetisError):
            plan_share_rule(nubetis_session, "r", "leads", where=bad, target="ana")
    assert plan_share_rule(nubetis_session, "r", "leads", where=F.name == "x", target="ana")
    assert lead.id
