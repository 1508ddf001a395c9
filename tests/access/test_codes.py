"""Whatever stands in place of an instant, a parent, an edition or a reason: an error with a code."""

from __future__ import annotations

from datetime import datetime

import pytest

from nubetis.access.entitlements import EDITION
from nubetis.errors import NubetisError
from nubetis.model.plan import Cause
from nubetis.session.delegating import plan_delegation
from nubetis.session.looking import as_user
from nubetis.session.sharing import plan_default

NO_ZONE = datetime(2027, 1, 1)  # noqa: DTZ001 - that is what is asked

WRONG = {
    "a cause that cannot be kept": lambda s: s.plan_create("leads", [], cause=Cause(detail={"x": "\ud800"})),
    "a cause that is no JSON": lambda s: s.plan_create("leads", [], cause=Cause(detail={"x": object()})),
    "until without a zone": lambda s: plan_delegation(s, "bob", until=NO_ZONE),
    "since without a zone": lambda s: plan_delegation(s, "bob", since=NO_ZONE, until=s.now()),
    "until that is none": lambda s: plan_delegation(s, "bob", until="2027-01-01"),
    "since that is none": lambda s: plan_delegation(s, "bob", since=3),
    "a parent that is a list": lambda s: plan_default(s, "contacts", parent=[]),
    "a parent that is a number": lambda s: plan_default(s, "contacts", parent=3),
    "a deep edition": lambda s: s.create(
        "settings", name=EDITION, value='{"users":' + "[" * 100_000 + "]" * 100_000 + "}"
    ),
    "a reason that is no text to keep": lambda s: as_user(s, "bob", reason="\ud800"),
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_by_a_code(nubetis_org, nubetis_session, given):
    nubetis_org.people("bob: Rep")
    with pytest.raises(NubetisError):
        given(nubetis_session)
    assert nubetis_session.count("delegations") == nubetis_session.count("sharing_defaults") == 0
