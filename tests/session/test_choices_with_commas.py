"""Choices that look as what stands between the choices of a stored set: every store finds those that are chosen."""

from __future__ import annotations

import pytest

from nubetis import F, Field
from nubetis.model.fields import Choice
from nubetis.model.kinds import kind

CHOICES = ("a", ",", "b", "a,b", ", ", "[", "]")


@pytest.mark.parametrize("wanted", CHOICES)
def test_a_choice_is_found_where_it_was_chosen(nubetis_org, nubetis_session, wanted):
    choices = tuple(map(Choice, CHOICES))
    nubetis_org.add_field("deals", Field(name="q", type=kind("multi_choice"), choices=choices))
    chosen = [(), ("a", "b"), (",",), ("a", ","), ("a", ",", "b"), ("a,b",), (", ", "[", "]"), CHOICES]
    made = [nubetis_session.create("deals", name="x", q=each) for each in chosen]
    expected = [each.id for each, held in zip(made, chosen, strict=True) if wanted in held]

    assert [each.id for each in nubetis_session.find("deals", F.q.any_of(wanted), sort="id")] == expected
