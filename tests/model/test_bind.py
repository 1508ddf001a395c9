"""Binding: what a filter means is settled once, and what it cannot mean is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidFilter, NotFound
from nubetis.model.bind import All, AnyOf, Missing, OneOf, Test, Viewpoint, Within, bind
from nubetis.model.columns import bind_sort
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.filters import ME, MY_TEAM, NOTHING, TODAY, F, Period, PeriodKind, Unit, has, keywords
from nubetis.model.ids import encode
from nubetis.model.kinds import instant_text
from nubetis.model.money import Money
from nubetis.model.periods import period_days
from nubetis.model.standard import base_schema

Test.__test__ = False
SCHEMA = base_schema()
DEALS, CONTACTS, CALLS, NOTES = (SCHEMA.module(name) for name in ("deals", "contacts", "calls", "notes"))
NOW = datetime(2026, 3, 15, 3, 30, tzinfo=UTC)
VIEW = Viewpoint(now=NOW, people={ME: (encode("use", 1),), MY_TEAM: (encode("use", 1), encode("use", 2))})


def bound(where, module=DEALS, view=VIEW):
    return bind(where, module, SCHEMA, view)


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (F.name == "ÁCME", Test("name__f", Operator.EQ, "acme")),
        (F.stage == "won", Test("stage", Operator.EQ, "won")),
        (F.amount > 5, Test("amount.home", Operator.GT, 500)),
        (
            F.amount == Money("5", "PEN"),
            All((Test("amount", Operator.EQ, 500), Test("amount.currency", Operator.EQ, "PEN"))),
        ),
        (F.amount.currency == "PEN", Test("amount.currency", Operator.EQ, "PEN")),
        (F.name.contains("Ñ"), Within("name__f", Operator.CONTAINS, "n\u0303")),
        (F.stage.in_(["won", "won", "lost"]), OneOf("stage", ("won", "lost"))),
        (F.owner == ME, OneOf("owner", (1,))),
        (F.owner.in_(MY_TEAM), OneOf("owner", (1, 2))),
        (F.amount.is_empty(), Missing("amount")),
        (F.account == encode("acc", 7), Test("account", Operator.EQ, 7)),
        (F.stage == None, Missing("stage")),  # noqa: E711 - a filter
    ],
)
def test_a_filter_becomes_tests_on_columns(where, expected):
    assert expected == bound(where)


@pytest.mark.parametrize("operator", ["contains", "starts_with", "ends_with", "matches"])
def test_a_part_of_a_structured_field_has_its_own_column_and_twin(operator):
    """The regression: the column was named twice."""
    row = [None] * len(CONTACTS.layout.columns)
    row[0], row[CONTACTS.layout.index["address.city"]] = 1, "Ñuñoa"
    found = bound(getattr(F.address.city, operator)("Ñuñoa"), CONTACTS)
    assert matcher(found, CONTACTS.layout.full_index)(CONTACTS.layout.fill(tuple(row)))


def test_a_structure_is_empty_when_all_its_parts_are():
    """The regression: only its first part was looked at."""
    parts = ("street", "city", "region", "postcode", "country")
    assert All(tuple([Missing(f"address.{part}") for part in parts])) == bound(F.address.is_empty(), CONTACTS)
    assert Missing("address.city") == bound(F.address.city.is_empty(), CONTACTS)


def test_a_structure_changes_with_each_of_its_parts():
    changed = bound(F.address.changed(), CONTACTS, Viewpoint(now=NOW, with_old=True))
    assert 5 == len(changed.parts)


@pytest.mark.parametrize("where", [F.address == "Lima", F.address > "Lima", F.address.contains("Lima")])
def test_a_structure_is_compared_part_by_part_only(where):
    """The regression: its first part was taken for the whole."""
    with pytest.raises(InvalidFilter) as caught:
        bound(where, CONTACTS)
    assert ("filter_operator", "changed, is empty, matches") == (caught.value.code, caught.value.params["known"])


def test_text_without_a_twin_says_what_it_knows():
    with pytest.raises(InvalidFilter) as caught:
        bound(F.description.matches("x"))
    assert "is empty" == caught.value.params["known"]


def test_a_link_to_several_modules_also_tells_which():
    here = bound(F.about == encode("dea", 5), NOTES)
    assert All((Test("about", Operator.EQ, 5), Test("about.module", Operator.EQ, "dea"))) == here


@pytest.mark.parametrize(
    ("where", "code"),
    [
        (F.stge == "won", "unknown_field"),
        (F.amount.colour == 1, "unknown_field"),
        (F.stage == "gone", "filter_value"),
        (F.stage > "won", "filter_operator"),
        (F.amount == "much", "filter_value"),
        (F.probability == "5%", "filter_value"),
        (F.description == "x", "filter_operator"),
        (F.name.contains(""), "filter_value"),
        (F.name.contains(5), "filter_value"),
        (F.name.matches(" "), "filter_value"),
        (F.closed.contains("x"), "filter_operator"),
        (F.name == TODAY, "filter_value"),
        (F.account == ME, "filter_value"),
        (F.stage.changed(), "filter_context"),
        (F.account.linked(F.nme == "x"), "unknown_field"),
        (has("deals", via="contact"), "filter_value"),
    ],
)
def test_what_a_filter_cannot_mean_is_refused(where, code):
    with pytest.raises(InvalidFilter) as caught:
        bound(where)
    assert code == caught.value.code


def test_a_link_to_several_modules_is_asked_by_a_field_of_one_of_them():
    """Those without the field never fit; nor does a negation of it make them fit."""
    for where in (F.stage == "won", ~(F.stage == "won")):
        found = bound(F.about.linked(where), module=NOTES)
        assert ["deals"] == [part.parts[1].module.name for part in found.parts]
    several = bound(F.about.linked(F.owner == ME), module=NOTES)
    assert NOTES.field("about").targets == tuple(part.parts[1].module.name for part in several.parts)


def test_a_field_that_no_module_of_a_link_has_is_refused():
    with pytest.raises(InvalidFilter) as caught:
        bound(F.about.linked(F.lst_name == "A"), module=NOTES)
    assert caught.value.code == "unknown_field"


def test_people_that_nobody_knows_here_are_refused():
    with pytest.raises(InvalidFilter) as caught:
        bound(F.owner == ME, view=Viewpoint(now=NOW))
    assert caught.value.code == "filter_context"


def test_a_module_that_is_not_there_is_refused():
    with pytest.raises(NotFound):
        bound(has("dealz", via="account"))


def test_an_unreadable_field_is_as_unknown_as_one_that_is_not_there():
    """In a filter, in a sort, in keywords."""
    view = Viewpoint(now=NOW, readable=lambda module, field: field.name != "stage")
    errors = []
    for name in ("stage", "stgae"):
        for ask in (
            lambda name=name: bound(F[name] == "won", view=view),
            lambda name=name: bind_sort(DEALS, name, view),
        ):
            with pytest.raises(InvalidFilter) as caught:
                ask()
            errors.append((caught.value.code, caught.value.params["field"] == name))
    assert {("unknown_field", True)} == set(errors)
    assert "stage" not in str(caught.value.params["hint"])
    hidden = Viewpoint(now=NOW, readable=lambda module, field: field.name != "first_name")
    assert "first_name__f" not in bound(keywords("ana"), CONTACTS, hidden).parts[0].columns


def test_filters_on_linked_records_see_what_the_viewer_may_see():
    view = Viewpoint(now=NOW, visible=lambda module: F.owner == encode("use", 3))
    assert "value=3" in repr(bound(F.account.linked(F.name == "x"), view=view).where)
    assert "value=3" in repr(bound(has("deals", via="account"), SCHEMA.module("accounts"), view).where)


def test_too_deep_a_filter_is_refused():
    where = F.stage == "won"
    for _ in range(40):
        where = (~where & F.name.is_empty()) | NOTHING
    with pytest.raises(InvalidFilter) as caught:
        bound(where)
    assert caught.value.code == "filter_depth"


@pytest.mark.parametrize(
    ("path", "column"), [("name", "name__f"), ("amount", "amount.home"), ("id", "id"), ("closed", "closed")]
)
def test_a_sort_uses_the_compared_column(path, column):
    assert column == bind_sort(DEALS, path, VIEW)


@pytest.mark.parametrize(("module", "path"), [(DEALS, "tags"), (DEALS, "description"), (CONTACTS, "address")])
def test_what_has_no_order_cannot_be_sorted_by(module, path):
    with pytest.raises(InvalidFilter):
        bind_sort(module, path, VIEW)


def test_a_part_of_a_structure_can_be_sorted_by():
    assert "address.city__f" == bind_sort(CONTACTS, "address.city", VIEW)


# -- periods, against a brute force of days ---------------------------------------------------------------------------
PERIODS = st.builds(
    Period, st.sampled_from([PeriodKind.THIS, PeriodKind.LAST, PeriodKind.NEXT]), st.sampled_from(list(Unit))
)
VIEWS = st.builds(
    lambda now, zone, first_day, month: Viewpoint(now=now, zone=zone, first_day=first_day, fiscal_month=month),
    st.datetimes(datetime(1999, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - zones come apart
    st.sampled_from(["UTC", "America/Lima", "Pacific/Auckland", "Europe/Madrid"]),
    st.integers(0, 6),
    st.integers(1, 12),
)


def label(day, unit, view):
    """Name the unit in which *day* lies, by counting."""
    months = day.year * 12 + day.month - 1
    fiscal = months - (view.fiscal_month - 1)
    return {
        Unit.DAY: day.toordinal(),
        Unit.WEEK: (day.toordinal() - 1 - view.first_day) // 7,
        Unit.MONTH: months,
        Unit.QUARTER: months // 3,
        Unit.YEAR: day.year,
        Unit.FISCAL_QUARTER: fiscal // 3,
        Unit.FISCAL_YEAR: fiscal // 12,
    }[unit]


@given(PERIODS, VIEWS)
def test_a_calendar_period_holds_the_days_that_counting_gives(span, view):
    today = view.now.astimezone(ZoneInfo(view.zone)).date()
    wanted = label(today, span.unit, view) + {PeriodKind.THIS: 0, PeriodKind.LAST: -1, PeriodKind.NEXT: 1}[span.kind]
    days = [today + timedelta(offset) for offset in range(-800, 801)]
    expected = [day for day in days if label(day, span.unit, view) == wanted]
    first, after = map(date.fromordinal, period_days(span, view))
    assert expected == [day for day in days if first <= day < after]


@given(st.sampled_from([PeriodKind.LAST, PeriodKind.NEXT, PeriodKind.OLDER]), st.integers(1, 400), VIEWS)
def test_counted_days_end_or_begin_with_today(kind, count, view):
    today = view.now.astimezone(ZoneInfo(view.zone)).date()
    first, after = map(date.fromordinal, period_days(Period(kind, Unit.DAY, count), view))
    if kind is PeriodKind.LAST:
        assert (count, today + timedelta(1)) == ((after - first).days, after)
    elif kind is PeriodKind.NEXT:
        assert (count, today) == ((after - first).days, first)
    else:
        assert date.min == first
        assert after <= today


@given(VIEWS, st.integers(-60, 60))
def test_a_period_of_instants_is_the_day_on_the_viewers_wall(view, hours):
    instant = view.now + timedelta(hours=hours)
    found = bound(F.at == TODAY, CALLS, view)
    row = [None] * len(CALLS.layout.columns)
    row[CALLS.layout.index["at"]] = instant_text(instant)
    zone = ZoneInfo(view.zone)
    same_day = instant.astimezone(zone).date() == view.now.astimezone(zone).date()
    assert same_day == matcher(found, CALLS.layout.full_index)(CALLS.layout.fill(tuple(row)))


def test_any_of_nothing_is_nothing():
    assert AnyOf(()) == bound(NOTHING)


def test_a_reason_within_a_sentence_ends_once():
    with pytest.raises(InvalidFilter) as caught:
        bound(F.stage == "zzz")
    assert str(caught.value).endswith(".")
    assert ".." not in str(caught.value)
