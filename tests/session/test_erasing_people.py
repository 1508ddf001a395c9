"""What nubetis itself stands on is not emptied by an erasure as long as it is in use."""

from __future__ import annotations

import pytest

from nubetis import F, HostSignIn
from nubetis.errors import Refused
from nubetis.session.erasing import erase
from tests.stores import nubetis_store_url, refusing

__all__ = ["nubetis_store_url"]


def built_in(session, *, administrator):
    return session.find("profiles", (F.built_in == True) & (F.administrator == administrator))[0]  # noqa: E712


def test_the_only_administrator_does_not_erase_himself(nubetis_org, nubetis_session):
    with refusing("still_used", Refused):
        erase(nubetis_session, nubetis_session.user)
    assert nubetis_org.session(HostSignIn("admin@nubetis.test")).user == nubetis_session.user


@pytest.mark.parametrize("state", ["active", "suspended", "invited"])
def test_who_may_still_sign_in_is_sent_away_first(nubetis_org, nubetis_session, state):
    (ana,) = nubetis_org.people("ana")
    if state == "invited":
        values = {each: nubetis_session.get(ana.user)[each] for each in ("role", "profile")}
        made = nubetis_session.create("users", name="N", email="n@acme.pe", state="invited", **values).id
    else:
        made = nubetis_session.edit(ana.user, state=state).id
    for fields in (None, ["email"], ["name"], ["role"]):
        with refusing("still_used", Refused):
            erase(nubetis_session, made, fields=fields)


@pytest.mark.parametrize("way", ["deactivated", "deleted"])
def test_who_has_gone_is_erased(nubetis_org, nubetis_session, way):
    (ana,) = nubetis_org.people("ana")
    if way == "deleted":
        nubetis_session.delete(ana.user)
    else:
        nubetis_session.edit(ana.user, state="deactivated")
    erase(nubetis_session, ana.user)
    found = next(each for each in nubetis_session.find("users", deleted=way == "deleted") if each.id == ana.user)
    assert (found["name"], found["email"]) == (None, None)


def test_an_administrator_without_an_e_mail_is_none_who_remains(nubetis_org, nubetis_session):
    (eva,) = nubetis_org.people("eva: Head !admin")
    nubetis_session.edit(eva.user, state="deactivated")
    erase(nubetis_session, eva.user)
    nubetis_session.edit(eva.user, state="active")
    for way in (lambda: nubetis_session.delete(nubetis_session.user),
                lambda: nubetis_session.edit(nubetis_session.user, state="suspended")):  # fmt: skip
        with refusing("last_administrator", Refused):
            way()


@pytest.mark.parametrize("field", ["administrator", "permissions", "name"])
def test_the_built_in_administrator_permits_everything_for_ever(nubetis_session, field):
    kept = built_in(nubetis_session, administrator=True)
    with pytest.raises(Refused) as caught:
        erase(nubetis_session, kept.id, fields=[field])
    assert caught.value.code == ("still_used" if field == "name" else "built_in")
    assert dict(nubetis_session.get(kept.id)) == dict(kept)


@pytest.mark.parametrize("module", ["roles", "profiles", "settings"])
def test_what_must_have_a_name_keeps_it_until_it_goes(nubetis_session, module):
    kept = nubetis_session.find(module)[0]
    with refusing("still_used", Refused):
        erase(nubetis_session, kept.id, fields=["name"])


def test_the_name_of_a_role_in_the_bin_goes(nubetis_session):
    made = nubetis_session.create("roles", name="Of Rosa")
    nubetis_session.delete(made.id)
    erase(nubetis_session, made.id, fields=["name"])


def test_a_state_is_not_erased(nubetis_org, nubetis_session):
    (ana,) = nubetis_org.people("ana")
    with refusing("bad_user_state", Refused):
        erase(nubetis_session, ana.user, fields=["state"])
