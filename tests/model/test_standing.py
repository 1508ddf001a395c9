"""What is bound once for all instants says at each of them what binding it there says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.model.bind import All, AnyOf, Linking, Missing, No, Normal, Test, Viewpoint, bind
from nubetis.model.fields import Operator
from nubetis.model.filters import ME, TODAY, And, F, Not, Or, Period, PeriodKind, Unit
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.normal import normal_form
from nubetis.model.prepared import Prepared
from nubetis.model.standard import base_schema
from nubetis.model.standing import _FAR, standing

Test.__test__ = False
SCHEMA = base_schema()
DEALS, SHARES = SCHEMA.module("deals"), SCHEMA.module("shares")
NOW = datetime(2026, 3, 15, 3, 30, tzinfo=UTC)
LIVE = Missing("deleted_in")


def at(now):
    return Viewpoint(now=now, people={ME: (encode("use", 1),)}, readable=lambda *_: False)


def _until(view):
    still = AnyOf((Missing("until"), Test("until", Operator.GT, instant_text(view.now))))
    return Normal(Linking(SHARES, "record", All((still, Test("module", Operator.EQ, 7)))))


UNTIL = Prepared(_until)
LEAVES = st.sampled_from([
    UNTIL, Not(UNTIL), F.owner == ME, F.stage == "won", F.closed == TODAY, F.amount > 5,
    F.created_at > NOW + _FAR, F.created_at.between(NOW, NOW + _FAR),
    F.created_at == Period(PeriodKind.THIS, Unit.MONTH),
])  # fmt: skip


def _joined(inner):
    kinds, parts = st.sampled_from([And, Or]), st.lists(inner, max_size=4)
    return st.builds(lambda kind, some: kind(tuple(some)), kinds, parts)


FILTERS = st.recursive(LEAVES, _joined)
DAYS = st.integers(-10_000, 60_000).map(lambda days: NOW + timedelta(days=days, seconds=days))
INSTANTS = st.sampled_from([NOW, NOW + timedelta(microseconds=1), NOW + _FAR]) | DAYS


@given(FILTERS, INSTANTS, st.lists(INSTANTS, min_size=1, max_size=3))
def test_it_is_at_each_instant_what_binding_it_there_gives(where, first, instants):
    found = standing(where, DEALS, SCHEMA, at(first), LIVE)
    for now in instants:
        expected = normal_form(All((LIVE, bind(where, DEALS, SCHEMA, at(now).freed()))))
        assert normal_form(found.at(at(now))) == expected
        assert normal_form(No(found.at(at(now)))) == normal_form(No(expected))


@pytest.mark.parametrize(
    ("where", "once"),
    [
        (F.stage == "won", True),
        (UNTIL, True),
        (UNTIL | (F.owner == ME), True),
        (UNTIL | (F.closed == TODAY), False),
    ],
)
def test_it_is_bound_once_unless_more_than_the_instant_changes(where, once):
    """What a store has made of it serves at other instants, too."""
    found = standing(where, DEALS, SCHEMA, at(NOW))
    one, other = (found.at(at(NOW + timedelta(days=days))) for days in (0, 1))
    assert (one.form is other.form) == (one.kept is other.kept) == once
    assert attrs.evolve(one, now="", hole="") == Normal(one.form)
