"""A choice is taken away when no record has it any more: a filter could not ask for those that do."""

from __future__ import annotations

import attrs
import pytest

from nubetis import F, Field
from nubetis.errors import InvalidFilter, Refused
from nubetis.model.fields import Choice
from nubetis.model.filters import EVERYTHING
from nubetis.model.kinds import kind


def with_choices(org, *names):
    """Give the schema in which the field q of deals has other choices."""
    field = org.schema.module("deals").field("q")
    return org.schema.with_field("deals", attrs.evolve(field, choices=tuple(map(Choice, names))))


@pytest.fixture(params=["choice", "multi_choice"])
def org(nubetis_org, request):
    """Give an organisation whose deals have a field q with the choices a, b and c."""
    choices = tuple(map(Choice, "abc"))
    nubetis_org.add_field("deals", Field(name="q", type=kind(request.param), choices=choices))
    return nubetis_org


def asked(org, name):
    """Give the filter that asks for *name*."""
    return F.q == name if value(org, name) == name else F.q.any_of(name)


def value(org, name):
    """Give the value of q that chooses *name*."""
    return name if org.schema.module("deals").field("q").type.name == "choice" else (name,)


def test_a_choice_that_records_have_is_not_dropped(org, nubetis_session):
    made = [nubetis_session.create("deals", name="x", q=value(org, each)) for each in "aab"]
    with pytest.raises(Refused) as caught:
        org.alter(with_choices(org, "b", "c"))

    assert (caught.value.code, caught.value.params["choice"], caught.value.params["count"]) == ("choice_in_use", "a", 2)
    assert nubetis_session.count("deals", F.q.is_empty()) == 0
    assert nubetis_session.get(made[0].id)["q"] == value(org, "a")


def test_a_choice_that_no_living_record_has_goes(org, nubetis_session):
    """Records may be given another, or deleted; new choices and labels are no matter."""
    for each in "ab":
        nubetis_session.create("deals", name="x", q=value(org, each))
    nubetis_session.apply(nubetis_session.plan_update("deals", asked(org, "a"), q=value(org, "b")))
    org.alter(with_choices(org, "b", "d"))
    nubetis_session.apply(nubetis_session.plan_delete("deals", EVERYTHING))
    org.alter(with_choices(org, "d"))
    with pytest.raises(InvalidFilter):
        nubetis_session.count("deals", asked(org, "b"))
