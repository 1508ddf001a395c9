"""The text form of filters: what each spelling means, and where exactly a fault is."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal

import attrs
import pytest

from nubetis.errors import InvalidFilter, InvalidValue
from nubetis.model.bind import DEPTH
from nubetis.model.fields import Choice, Field
from nubetis.model.filters import (
    EVERYTHING,
    ME,
    MY_SUBORDINATES,
    MY_TEAM,
    NOTHING,
    TODAY,
    TOMORROW,
    YESTERDAY,
    And,
    Compare,
    F,
    Not,
    Or,
    has,
    keywords,
    period,
)
from nubetis.model.formats import ISO, IsoFormats
from nubetis.model.kinds import WallTime, kind
from nubetis.model.money import Money
from nubetis.model.record import Record
from nubetis.model.schema import Module
from nubetis.model.standard import base_schema
from nubetis.model.text import canonical, parse, show
from nubetis.model.text.tokens import RESERVED

SCHEMA = base_schema()
DEALS = SCHEMA.module("deals")
CONTACTS = SCHEMA.module("contacts")
EVENTS = SCHEMA.module("events")

SPELLINGS = [
    ("everything", EVERYTHING),
    ("nothing", NOTHING),
    ("stage = won", F.stage == "won"),
    ("stage != won", F.stage != "won"),
    ("amount < 1", F.amount < 1),
    ("amount <= 1", F.amount <= 1),
    ("amount > 1000.50", F.amount > Decimal("1000.50")),
    ("amount >= -1", F.amount >= -1),
    ("not amount > 1", ~(F.amount > 1)),
    ("amount between 1 and 5 and b = 2", F.amount.between(1, 5) & (F.b == 2)),
    ("amount not between 1 and 5", ~F.amount.between(1, 5)),
    ("stage in (won, lost)", F.stage.in_(["won", "lost"])),
    ("stage not in (won)", ~F.stage.in_(["won"])),
    ("stage in ()", F.stage.in_([])),
    ("closed is empty", F.closed.is_empty()),
    ("closed is not empty", ~F.closed.is_empty()),
    ("name contains lima", F.name.contains("lima")),
    ("name not contains lima", ~F.name.contains("lima")),
    ("name starts with li", F.name.starts_with("li")),
    ("name ends with ma", F.name.ends_with("ma")),
    ('name matches "acme lima"', F.name.matches("acme lima")),
    ('name contains "2026"', F.name.contains("2026")),
    ("tags any of (a, b)", F.tags.any_of("a", "b")),
    ("tags not all of (a, b)", ~F.tags.all_of("a", "b")),
    ("account linked (name = acme or x is empty)", F.account.linked((F.name == "acme") | F.x.is_empty())),
    ("account not linked (everything)", ~F.account.linked(EVERYTHING)),
    ("has deals by account", has("deals", via="account")),
    ("has deals by account (stage = won)", has("deals", via="account", where=F.stage == "won")),
    ("not has deals by account", ~has("deals", via="account")),
    ("stage changed", F.stage.changed()),
    ("stage not changed", ~F.stage.changed()),
    ("stage changed from open", F.stage.changed_from("open")),
    ("stage changed to won", F.stage.changed_to("won")),
    ("owner = me", F.owner == ME),
    ('owner = "me"', F.owner == "me"),
    ("owner in my team", F.owner.in_(MY_TEAM)),
    ("owner in (me, ana@acme.pe)", F.owner.in_([ME, "ana@acme.pe"])),
    ("owner in my subordinates", F.owner.in_(MY_SUBORDINATES)),
    ("closed = today", F.closed == TODAY),
    ("closed = yesterday", F.closed == YESTERDAY),
    ("closed < tomorrow", F.closed < TOMORROW),
    ("closed in this week", F.closed.in_(period("this", "week"))),
    ("closed in last quarter", F.closed.in_(period("last", "quarter"))),
    ("closed in next fiscal year", F.closed.in_(period("next", "fiscal year"))),
    ("closed in last 7 days", F.closed.in_(period("last", "day", 7))),
    ("closed in next 3 fiscal quarters", F.closed.in_(period("next", "fiscal quarter", 3))),
    ("closed in last 1 month", F.closed.in_(period("last", "month", 1))),
    ("closed older than 30 days", F.closed.in_(period("older than", "day", 30))),
    ("closed not older than 30 days", ~F.closed.in_(period("older than", "day", 30))),
    ("closed = older than 1 year", F.closed == period("older than", "year", 1)),
    ("closed = 2026-01-31", F.closed == date(2026, 1, 31)),
    ("at < 2026-01-31T09:30:00+00:00", F.at < datetime(2026, 1, 31, 9, 30, tzinfo=UTC)),
    ("opens = 09:30:00", F.opens == time(9, 30)),
    (
        "starts > 2026-01-31T09:30:00 America/Lima",
        F.starts > WallTime(datetime(2026, 1, 31, 9, 30), "America/Lima"),  # noqa: DTZ001 - the time on a wall
    ),
    ("active = true", F.active == True),  # noqa: E712 - makes a filter
    ("active != false", F.active != False),  # noqa: E712 - makes a filter
    ('active = "true"', F.active == "true"),
    ("amount > 1200 PEN", F.amount > Money("1200", "PEN")),
    ("address.city = Ñuñoa", F.address.city == "Ñuñoa"),
    ('"a field" = x', F["a field"] == "x"),
    ('name = ""', F.name == ""),
    ('name = "a \\"b\\" \\\\ c\\nd\\u0000"', F.name == 'a "b" \\ c\nd\0'),
    ('code = "007"', F.code == "007"),
    ("acme", keywords("acme")),
    ('"acme corp"', keywords("acme corp")),
    ("acme lima", keywords("acme") & keywords("lima")),
    ("acme not test", keywords("acme") & ~keywords("test")),
    ('acme "is"', keywords("acme") & keywords("is")),
    ("not acme lima", ~keywords("acme") & keywords("lima")),
    ("starts = 1 and all = 2 and in in (3)", (F["starts"] == 1) & (F["all"] == 2) & F["in"].in_([3])),
    ('"or" = 1', F["or"] == 1),
    ("a = 1 and acme", (F.a == 1) & keywords("acme")),
    ("a = 1 or b = 2 and c = 3", (F.a == 1) | (F.b == 2) & (F.c == 3)),
    ("(a = 1 or b = 2) and c = 3", ((F.a == 1) | (F.b == 2)) & (F.c == 3)),
    ("not (a = 1 and b = 2)", ~((F.a == 1) & (F.b == 2))),
    ("nothing and a = 1", NOTHING & (F.a == 1)),
]


@pytest.mark.parametrize(("text", "where"), SPELLINGS, ids=[text for text, _ in SPELLINGS])
def test_each_filter_has_one_spelling_and_each_spelling_is_read(text, where):
    """What a filter compares with comes back with its type: ``repr`` tells ``me`` from "me"."""
    assert show(where) == text
    assert parse(text) == where
    assert repr(parse(text)) == repr(where)


OTHER_SPELLINGS = [
    ("STAGE_1 Is Not EMPTY AND x IN (1,2,)", ~F.STAGE_1.is_empty() & F.x.in_([1, 2])),
    ("a=1 b=2", (F.a == 1) & (F.b == 2)),
    ("not not a = 1", F.a == 1),
    ("((a = 1))", F.a == 1),
    ("(a = 1 and b = 2) c = 3", (F.a == 1) & (F.b == 2) & (F.c == 3)),
    ("not a != 1", F.a == 1),
    ("not a not in (1)", F.a.in_([1])),
    ("everything and a = 1", F.a == 1),
    ("nothing or a = 1", F.a == 1),
    ("closed in older than 2 weeks", F.closed.in_(period("older than", "week", 2))),
    ("closed in last 1 days", F.closed.in_(period("last", "day", 1))),
    ("a = last b", (F.a == "last") & keywords("b")),
    ("a = my b", (F.a == "my") & keywords("b")),
    ("a = +51987 b", (F.a == "+51987") & keywords("b")),
    ("a = 1 pen", (F.a == 1) & keywords("pen")),
    ('a = 1 "PEN"', (F.a == 1) & keywords("PEN")),
    ("any all starts", keywords("any") & keywords("all") & keywords("starts")),
    ("contains contains x", F.contains.contains("x")),
    ("wow! o'brien", keywords("wow!") & keywords("o'brien")),
    ("a!=1", F.a != 1),
    ("has deals by account and (a = 1 or b = 2)", has("deals", via="account") & ((F.a == 1) | (F.b == 2))),
]


@pytest.mark.parametrize(("text", "where"), OTHER_SPELLINGS, ids=[text for text, _ in OTHER_SPELLINGS])
def test_other_spellings_are_read_and_shown_in_the_first_form(text, where):
    assert parse(text) == where
    assert parse(show(where)) == where


NULL = 'Write is empty; or, for the text, "null".'

FAULTS = [
    ("", "", "a condition is missing", "Write everything where every record is meant."),
    ("stage = ", "", "a value is missing", ""),
    ("stage = )", ")", "a value is missing", ""),
    ("(stage = won", "", ") is missing", ""),
    ("stage = won)", ")", ") cannot stand here", "There is no ( for it."),
    ("acme, lima", ",", ", cannot stand here", 'Put words with signs in quotes: "a, b".'),
    ("a = 1 and", "", "a condition is missing", ""),
    ("a = 1 and or b = 2", "or", "or stands between two things", 'To look for the word, write "or".'),
    ('name = "acme', '"acme', "the quotation mark is not closed", 'Write " at the end.'),
    (r'name = "a\q"', r"\q", "no such escape", r"Write \\ for \."),
    ("a = b\0c", "\0", "a character that no text may hold", "Remove it."),
    ("stage is won", "is", "is says only is empty", "Did you mean =?"),
    ("stage in won", "won", "a list in parentheses is missing", "Write in (a, b)."),
    ("stage in (won lost)", "lost", ") is missing", ""),
    ("a between 1", "", "and with the upper end is missing", ""),
    ("name contains =", "=", "a text is missing", ""),
    ("closed in last 7 dayz", "dayz", "no such unit of a period", "Did you mean day?"),
    ("closed in last fiscal wek", "fiscal wek", "no such unit of a period", "Did you mean fiscal year?"),
    ("closed older than many days", "many", "a period counts 1 to 10,000 units", ""),
    ("closed in last 99999 days", "99999", "a period counts 1 to 10,000 units", ""),
    ("closed older than", "", "a number of units is missing", "Write older than 30 days."),
    ("closed older than 3", "", "day, week, month, quarter or year is missing", ""),
    ("owner in my tem", "tem", "no such people", "Did you mean team?"),
    ("closed = 2026-02-30", "2026-02-30", "no such number, date or time", "Put a text in quotes."),
    ("at = 99:99", "99:99", "no such number, date or time", "Put a text in quotes."),
    ("a = " + "9" * 61, "9" * 61, "no such number, date or time", "Put a text in quotes."),
    ("has deals account", "has", "has is followed by a module, by and a field", "Write has deals by account (…)."),
    ("has deals by", "", "the field that links here is missing", "Write has deals by account (…)."),
    ("stage == won", "=", "a value is missing", "Did you mean =?"),
    ("stage <> won", ">", "a value is missing", "Did you mean !=?"),
    ("amount => 5", ">", "a value is missing", "Did you mean >=?"),
    ("stage = = won", "=", "a value is missing", ""),
    ("stage = null", "null", "a missing value is compared with nothing", NULL),
    ("stage in (won, NULL)", "NULL", "a missing value is compared with nothing", NULL.replace("null", "NULL")),
    ("stage is null", "is", "is says only is empty", "Did you mean is empty?"),
    ("stage is not null", "is", "is says only is empty", "Did you mean is not empty?"),
    ("stage is not won", "is", "is says only is empty", "Did you mean !=?"),
    ("stage is", "is", "is says only is empty", "Did you mean =?"),
    ("name = 'Ruiz'", "'Ruiz'", "only double quotes hold a text", 'Put a text in quotes such as "Lima".'),
    ("name contains 'Ruiz Paz'", "'Ruiz", "only double quotes hold a text", 'Put a text in quotes such as "Lima".'),
    ("name like Ru%", "like", "no such operator", "Did you mean contains?"),
    ("acme stage eq won", "eq", "no such operator", "Did you mean =?"),
    ("stage isnull", "isnull", "no such operator", "Did you mean is empty?"),
    ('name.starts_with("x")', "name.starts_with", "no such operator", "Did you mean name starts with?"),
]


@pytest.mark.parametrize(("text", "wrong", "reason", "hint"), FAULTS, ids=[text for text, *_ in FAULTS])
def test_a_fault_says_where_it_is_and_what_to_do(text, wrong, reason, hint):
    with pytest.raises(InvalidFilter) as caught:
        parse(text)

    params = caught.value.params
    assert caught.value.code == "filter_syntax"
    assert text[params["position"] : params["end"]] == wrong
    assert (params["reason"], params["hint"]) == (reason, hint)


TYPED_FAULTS = [
    ("stge = won", "stge", "unknown_field", "Did you mean stage?"),
    ("STAGE = won", "STAGE", "unknown_field", "Did you mean stage?"),
    ("fase = won", "fase", "unknown_field", "Did you mean stage?"),
    ("name = x or stge = won", "stge", "unknown_field", "Did you mean stage?"),
    ("amount.curency = PEN", "amount.curency", "unknown_field", "Did you mean currency?"),
    ("stage = wno", "wno", "unknown_choice", "Did you mean won?"),
    ('stage in (won, "lots")', '"lots"', "unknown_choice", "Did you mean lost?"),
    ("account linked (nmae = acme)", "nmae", "unknown_field", "Did you mean name?"),
    ("has contcts by account", "contcts", "unknown_module", "Did you mean contacts?"),
    ("has deals by acount", "acount", "unknown_field", "Did you mean account?"),
    ("closed in last", "", "filter_syntax", ""),
    ("closed = last wek", "wek", "filter_syntax", "Did you mean week?"),
    ("owner = my tem", "tem", "filter_syntax", "Did you mean team?"),
    ("name like Ru%", "like", "filter_syntax", "Did you mean contains?"),
    ("acme name startswith Ru", "startswith", "filter_syntax", "Did you mean starts with?"),
    ("name ~ Ru", "~", "filter_syntax", "Did you mean matches?"),
    ("stage:won", "stage:won", "filter_syntax", "Did you mean stage = won?"),
    ('name.matches("x")', "name.matches", "filter_syntax", "Did you mean name matches?"),
]


@pytest.mark.parametrize(("text", "wrong", "code", "hint"), TYPED_FAULTS, ids=[text for text, *_ in TYPED_FAULTS])
def test_with_a_module_unknown_names_say_where_they_are(text, wrong, code, hint):
    with pytest.raises(InvalidFilter) as caught:
        parse(text, module=DEALS, schema=SCHEMA)

    params = caught.value.params
    assert caught.value.code == code
    assert text[params["position"] : params["end"]] == wrong
    assert params["hint"] == hint


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("amount > lots", "lots"),
        ("amount > 1.555", "1.555"),
        ('amount > "1 XYZW"', '"1 XYZW"'),
        ('amount > "1.555 PEN"', '"1.555 PEN"'),
        ("closed = soon", "soon"),
        ("probability = 5.5", "5.5"),
        ("created_at > 2026-02-30", "2026-02-30"),
    ],
)
def test_with_a_module_a_value_that_does_not_fit_says_where_it_is(text, wrong):
    with pytest.raises(InvalidFilter) as caught:
        parse(text, module=DEALS)

    params = caught.value.params
    assert (caught.value.code, text[params["position"] : params["end"]]) == ("filter_value", wrong)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("name = 2026", F.name == "2026"),
        ("name = today and name contains true", (F.name == "today") & F.name.contains("true")),
        ("name = me", F.name == "me"),
        ("next_step = last", F.next_step == "last"),
        ("amount > 1000", F.amount > Decimal(1000)),
        ("amount > 1000.5 PEN", F.amount > Money("1000.5", "PEN")),
        ('amount > "1000.5 PEN"', F.amount > Money("1000.5", "PEN")),
        ('amount > "1000.5"', F.amount > Decimal("1000.5")),
        ("amount.currency = PEN amount.home > 5", (F.amount.currency == "PEN") & (F.amount.home > Decimal(5))),
        ('closed = "2026-01-31"', F.closed == date(2026, 1, 31)),
        ("closed in last week", F.closed.in_(period("last", "week"))),
        ("owner = luis", F.owner == "luis"),
        ("owner in (me, luis)", F.owner.in_([ME, "luis"])),
        ("tags any of (2026, vip)", F.tags.any_of("2026", "vip")),
        ("created_at > 2026-01-31", F.created_at > date(2026, 1, 31)),
        ('created_at = "2026-01-31"', F.created_at == date(2026, 1, 31)),
        (
            "created_at between 2026-01-30 and 2026-01-31",
            F.created_at.between(date(2026, 1, 30), date(2026, 1, 31)),
        ),
        ("created_at in (today, 2026-01-31)", F.created_at.in_([TODAY, date(2026, 1, 31)])),
        ("created_at < 2026-01-31T09:00:00-05:00", F.created_at < datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ("account linked (tax_id = 20100)", F.account.linked(F.tax_id == "20100")),
        ("has tasks by about (subject = 7)", has("tasks", via="about", where=F.subject == "7")),
    ],
)
def test_with_a_module_the_field_decides_the_type(text, where):
    assert parse(text, module=DEALS, schema=SCHEMA) == where


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("about linked (tax_id = 20100)", F.about.linked(F.tax_id == "20100")),
        ("about linked (not (probability > 5 or amount > 3))", F.about.linked(~((F.probability > 5) | (F.amount > 3)))),
        ("about linked (owner = luis)", F.about.linked(F.owner == "luis")),
    ],
)
def test_a_link_to_several_modules_is_asked_by_a_field_of_one_of_them(text, where):
    assert parse(text, module=SCHEMA.module("notes"), schema=SCHEMA) == where


@pytest.mark.parametrize(
    ("text", "wrong", "meant"),
    [
        ("stage = won && amount > 3", "&&", "and"),
        ("stage = won & amount > 3", "&", "and"),
        ("stage = won || amount > 3", "||", "or"),
        ("stage = won | amount > 3", "|", "or"),
        ("stage = won y amount > 3", "y", "and"),
        ("stage = won Y lima", "Y", "and"),
        ("lima y not stage = won", "y", "and"),
        ("(stage = won) o (callao)", "o", "or"),
        ("stage = won e name contains i", "e", "and"),
        ("stage = won u owner = me", "u", "or"),
        ("acme or lima && callao", "&&", "and"),
        ("account linked (name = a y tax_id = 20100)", "y", "and"),
        ("stage = won &&", "&&", "and"),
    ],
)
def test_a_joiner_of_another_language_is_refused_and_not_looked_for(text, wrong, meant):
    """It would silently search for the sign; `or` would even be taken for `and`."""
    for module in (None, DEALS):
        with pytest.raises(InvalidFilter) as caught:
            parse(text, module=module, schema=SCHEMA)

        params = caught.value.params
        assert text[params["position"] : params["end"]] == wrong
        assert params["reason"] == f"{wrong} joins no conditions"
        assert params["hint"] == f'Write {meant}; or, for the word, "{wrong}".'


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("jorge y maria", keywords("jorge") & keywords("y") & keywords("maria")),
        ('stage = won "y" lima', (F.stage == "won") & keywords("y") & keywords("lima")),
        ('stage = won "&&" lima', (F.stage == "won") & keywords("&&") & keywords("lima")),
        ("stage = won and y and amount > 3", (F.stage == "won") & keywords("y") & (F.amount > Decimal(3))),
        ("stage = won y", (F.stage == "won") & keywords("y")),
        ("y stage = won", keywords("y") & (F.stage == "won")),
        ("& lima", keywords("&") & keywords("lima")),
        ("name = a&b", F.name == "a&b"),
        ("name = y stage = won", (F.name == "y") & (F.stage == "won")),
    ],
)
def test_what_joins_nothing_is_a_word(text, where):
    assert parse(text, module=DEALS) == where


def test_a_field_may_be_called_as_a_joiner():
    points = Module(name="points", fields=[Field(name=name, type=kind("integer")) for name in "xyo"])

    assert parse("x = 1 y = 2 o > 3", module=points) == (F.x == 1) & (F.y == 2) & (F.o > 3)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('name = "null"', F.name == "null"),
        ("name = O'Brien", F.name == "O'Brien"),
        ('name "like" ana', keywords("name") & keywords("like") & keywords("ana")),
        ("acme like", keywords("acme") & keywords("like")),
        ("http://acme.pe", keywords("http://acme.pe")),
        ("name.matches (x)", keywords("name.matches") & keywords("x")),
    ],
)
def test_what_only_looks_like_another_language_is_read(text, where):
    assert parse(text, module=DEALS) == where


def test_without_a_module_a_foreign_word_at_the_end_or_in_quotes_is_a_word():
    """Nobody knows what is a field; one that wants a value is refused where one follows."""
    assert parse("acme like") == keywords("acme") & keywords("like")
    assert parse('name "like" ana') == keywords("name") & keywords("like") & keywords("ana")
    assert parse("like ana") == keywords("like") & keywords("ana")


def test_a_choice_may_be_called_none():
    field = Field(name="mood", type=kind("choice"), choices=["none", "good"])

    assert parse("mood = none", module=Module(name="pets", fields=[field])) == (F.mood == "none")


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_word_of_a_language_is_shown_in_quotes_and_read_back_beside_a_field(word):
    where = keywords("name") & keywords(word)

    assert parse(show(where), module=DEALS) == where


def test_without_a_schema_linked_records_are_read_by_look():
    assert parse("account linked (tax_id = 20100)", module=DEALS) == F.account.linked(F.tax_id == 20100)


def test_a_wall_time_field_takes_a_local_time_with_its_zone_or_an_instant():
    local = datetime(2026, 1, 31, 9)  # noqa: DTZ001 - the time on a wall
    instant = datetime(2026, 1, 31, 14, tzinfo=UTC)

    assert parse("starts = 2026-01-31T09:00 America/Lima", module=EVENTS) == (
        F.starts == WallTime(local, "America/Lima")
    )
    assert parse('starts = "2026-01-31T09:00 America/Lima"', module=EVENTS) == (
        F.starts == WallTime(local, "America/Lima")
    )
    assert parse("starts = 2026-01-31T14:00+00:00", module=EVENTS) == (F.starts == instant)
    with pytest.raises(InvalidFilter):
        parse("starts = 2026-01-31T09:00 America/Nowhere", module=EVENTS)


def test_a_hidden_field_is_unknown_and_not_suggested():
    with pytest.raises(InvalidFilter) as caught:
        parse("amount > 5", module=DEALS, readable=lambda module, field: field.name != "amount")

    assert caught.value.code == "unknown_field"
    assert "amount" not in caught.value.params["hint"]


# --- the second face -------------------------------------------------------------------------


@attrs.frozen
class SpanishFormats(IsoFormats):
    """Numbers as 1.000,5, days as 31/01/2026."""

    def parse_number(self, text):
        whole, comma, rest = text.partition(",")
        groups = whole.lstrip("-").split(".")
        if len(groups) > 1 and not all(len(group) == 3 for group in groups[1:]):
            raise InvalidValue("bad_format", what="un número", example="1.000,5")
        return ISO.parse_number(whole.replace(".", "") + ("." if comma else "") + rest)

    def parse_date(self, text):
        try:
            return datetime.strptime(text, "%d/%m/%Y").replace(tzinfo=UTC).date()
        except ValueError:
            raise InvalidValue("bad_format", what="una fecha", example="31/01/2026") from None


SPANISH = SpanishFormats()
STAGES = (Choice("won", "Ganada"), Choice("half", "Ganada a medias"), Choice("open", "Abierta"))
NEGOCIOS = Module(
    name="negocios",
    fields=[
        Field(name="stage", type=kind("choice"), label="Etapa", choices=STAGES),
        Field(name="amount", type=kind("decimal"), label="Importe"),
        Field(name="total", type=kind("money"), label="Total"),
        Field(name="closed", type=kind("date"), label="Fecha de cierre"),
        Field(name="address", type=kind("address"), label="Dirección"),
    ],
)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("Etapa = Ganada", F.stage == "won"),
        ("etapa = GANADA A MEDIAS", F.stage == "half"),
        ('"Etapa" in (Ganada a medias, abierta)', F.stage.in_(["half", "open"])),
        ("stage = won", F.stage == "won"),
        ("Importe > 1.000,5", F.amount > Decimal("1000.5")),
        ("Importe in (1,5, 2)", F.amount.in_([Decimal("1.5"), 2])),
        ("Total > 1.000,50 PEN", F.total > Money("1000.50", "PEN")),
        ("Fecha de cierre > 31/01/2026", F.closed > date(2026, 1, 31)),
        ("fecha de cierre = 2026-01-31", F.closed == date(2026, 1, 31)),
        ("direccion.city = Lima Fecha", (F.address.city == "Lima") & keywords("Fecha")),
        ("fecha de cierre", keywords("fecha") & keywords("de") & keywords("cierre")),
    ],
)
def test_with_formats_labels_and_local_numbers_are_read(text, where):
    assert parse(text, module=NEGOCIOS, formats=SPANISH) == where


@pytest.mark.parametrize("text", ["Etapa = Perdida", "Importe > 1000.5", "Fecha de cierre = 31-01-2026"])
def test_with_formats_other_values_are_still_refused(text):
    """``1000.5`` is not guessed at where a point groups digits."""
    with pytest.raises(InvalidFilter):
        parse(text, module=NEGOCIOS, formats=SPANISH)


def test_without_formats_labels_mean_nothing():
    with pytest.raises(InvalidFilter):
        parse("Etapa = Ganada", module=NEGOCIOS)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.000,5", Decimal("1000.5")),
        ("31/01/2026", date(2026, 1, 31)),
        ("2026-01-31", date(2026, 1, 31)),
        ("true", True),
        ("x", "x"),
    ],
)
def test_with_formats_and_no_module_the_look_is_the_local_one(text, value):
    assert parse(f"a = {text}", formats=SPANISH) == (F.a == value)


def test_with_formats_a_comma_that_makes_no_number_still_parts_a_list():
    assert parse("a in (10,20,30)", formats=ISO) == F.a.in_([10, 20, 30])


def test_with_formats_a_number_of_another_form_is_refused():
    with pytest.raises(InvalidFilter) as caught:
        parse("a = 1000.5", formats=SPANISH)

    assert (caught.value.params["position"], caught.value.params["end"]) == (4, 10)


def test_modules_have_labels_too():
    assert parse("has Deals by Account", module=CONTACTS, schema=SCHEMA, formats=ISO) == has("deals", via="account")


# --- the canonical form ----------------------------------------------------------------------


def test_what_means_the_same_by_construction_is_shown_the_same():
    a, b, c = F.a == 1, F.b == 2, F.c == 3

    assert canonical(And((And((a, b)), And((c,))))) == And((a, b, c))
    assert canonical(Or((a, Or(())))) == a
    assert canonical(Not(Not(a))) == a
    assert canonical(Compare("a", F.a.is_empty().operator, "left over")) == F.a.is_empty()


def test_values_that_mean_the_same_are_shown_the_same():
    lima = timezone(timedelta(hours=-5))
    deal = Record(DEALS, (1, 1, 1, None))

    assert show(F.a == 0.1) == "a = 0.1"
    assert show(F.a == Money("5", "PEN", home="1")) == "a = 5 PEN"
    assert show(F.a == datetime(2026, 1, 31, 9, tzinfo=lima)) == "a = 2026-01-31T14:00:00+00:00"
    assert show(F.a.in_([deal])) == f"a in ({deal.id})"
    assert show(F.a == datetime.max.replace(tzinfo=lima)) == "a = 9999-12-31T23:59:59.999999-05:00"


@pytest.mark.parametrize(
    "where",
    [
        F.a == None,  # noqa: E711 - becomes "is empty", so the next ones are made by hand
        Compare("a", (F.a == 1).operator),
        F.a == b"x",
        F.a == Decimal("NaN"),
        F.a == float("inf"),
        F.a == Decimal("1E+70"),
        F.a == 10**60,
        F.a == Decimal("1." + "1" * 60),
        F.a.contains(5),
        Compare("a", F.a.in_([1]).operator, "won"),
        Compare("a", F.a.between(1, 2).operator, (1,)),
        Compare("a", F.a.linked(EVERYTHING).operator, "x"),
        F.a == WallTime(datetime(2026, 1, 1, 9), "no zone"),  # noqa: DTZ001 - the time on a wall
        And(("no filter",)),
    ][1:],
)
def test_what_can_be_bound_to_no_field_has_no_text(where):
    with pytest.raises(InvalidFilter):
        show(where)


# --- hostile texts ---------------------------------------------------------------------------


def nested(levels):
    where = F.a == 1
    for level in range(levels):
        where = ((F.b == level) & where) if level % 2 else ((F.b == level) | where)
    return where


def test_nesting_as_deep_as_can_be_bound_is_shown_and_read():
    where = nested(DEPTH)

    assert parse(show(where)) == where


@pytest.mark.parametrize("levels", [DEPTH + 1, 5000])
def test_deeper_nesting_is_refused_when_shown(levels):
    with pytest.raises(InvalidFilter) as caught:
        show(nested(levels))

    assert caught.value.code == "filter_depth"


def test_deeper_nesting_is_refused_when_read():
    """Junctions nest filters twice as deep as parentheses."""
    text = "a = 1"
    for _ in range(DEPTH - 10):
        text = f"b = 2 or c = 3 and ({text})"

    with pytest.raises(InvalidFilter) as caught:
        parse(text)

    assert caught.value.code == "filter_depth"


SIZE = 100_000
HOSTILE = [
    *("(", ")", "not ", "not(", '"', "=", "!", "a ", "a or ", "a=1 ", "and ", "\\", " ", "a", "1", "-", ".", ","),
    *("a in (", "a linked (", "has a by b (", "x = last ", "x = my ", '"" ', "a is not ", "a changed ", "\\u0041"),
    *("2026-01-31T09:00 ", "1 PEN ", "ñ", "x in (1) ", "older than ", "fiscal ", "a between 1 and "),
]


def read(text, **options):
    """Give the filter that *text* says, or what is wrong with it."""
    try:
        return parse(text, **options)
    except InvalidFilter as error:
        return error


@pytest.mark.parametrize("piece", HOSTILE)
@pytest.mark.parametrize("options", [{}, {"module": DEALS, "schema": SCHEMA, "formats": ISO}], ids=["bare", "typed"])
def test_a_hundred_kilobytes_of_anything_are_read_or_refused(piece, options):
    for text in (piece * (SIZE // len(piece)), f'x = "{piece * (SIZE // len(piece))}'):
        found = read(text, **options)

        if isinstance(found, InvalidFilter):
            assert 0 <= found.params["position"] <= found.params["end"] <= len(text)
        else:
            assert show(found)
