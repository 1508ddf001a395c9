"""Field types: what is packed is unpacked, what is shown is read, what is wrong is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.i18n import PHRASES
from nubetis.model.fields import Choice, Field, Storage
from nubetis.model.formats import ISO
from nubetis.model.ids import encode
from nubetis.model.kinds import BUILT_IN, Address, WallTime, kind, texts
from nubetis.model.money import Money
from nubetis.testing.generate import any_value
from nubetis.testing.strategies import fields
from tests.stores import refusing

NOT_READ = {"file", "image"}
PYTHON_TYPES = {
    Storage.TEXT: str, Storage.INTEGER: int, Storage.DECIMAL: int, Storage.BOOLEAN: int, Storage.DATE: str,
    Storage.DATETIME: str, Storage.TIME: str, Storage.KEY: int, Storage.SET: str, Storage.BYTES: bytes,
}  # fmt: skip


def made(name, **settings):
    targets = {"link": ("users",), "owner": ("users",)}.get(name, ())
    return Field(name="x", type=kind(name), targets=targets, prefixes=("use",) * len(targets), **settings)


def values(name, count=200):
    field, random = made(name), Random(name)
    return field, [value for value in (any_value(random, field) for _ in range(count)) if value is not None]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_what_is_packed_is_unpacked(name):
    field, found = values(name)
    assert found == [field.type.unpack(field, field.pack(value)) for value in found]
    assert field.type.unpack(field, field.pack(None)) in (None, ())


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_a_checked_value_is_right_for_ever(name):
    field, found = values(name)
    assert found == [field.check(value) for value in found]


@pytest.mark.parametrize("name", sorted(BUILT_IN))
def test_each_part_is_stored_as_it_says(name):
    field, found = values(name)
    for value in found:
        for part, cell in zip(field.parts, field.pack(value), strict=True):
            assert cell is None or type(cell) is PYTHON_TYPES[part.storage]


@pytest.mark.parametrize("name", sorted(set(BUILT_IN) - NOT_READ - {"address", "person_name", "money"}))
def test_what_is_shown_is_read(name):
    field = made(name)
    samples = [field.check(field.type.sample(field, Random(seed))) for seed in range(100)]
    assert samples == [field.type.parse(field, field.type.show(field, each, ISO), ISO) for each in samples]


@pytest.mark.parametrize("name", ["address", "person_name"])
def test_structured_values_are_read_as_they_are_shown(name):
    field = made(name)
    samples = [field.type.sample(field, Random(seed)) for seed in range(50)]
    assert samples == [field.type.parse(field, field.type.show(field, each, ISO), ISO) for each in samples]


@given(fields(), st.randoms(use_true_random=False))
def test_any_field_packs_what_its_sample_gives(field, random):
    value = field.check(field.type.sample(field, random)) if not field.targets else None
    assert len(field.parts) == len(field.pack(value))


ORDERED = ["integer", "decimal", "date", "datetime", "time", "boolean"]


@pytest.mark.parametrize("name", ORDERED)
def test_stored_values_are_in_the_order_of_values(name):
    field, found = values(name)
    assert sorted(found) == sorted(found, key=field.pack)


@pytest.mark.parametrize(
    ("name", "offered", "code"),
    [
        ("text", 5, "wrong_type"),
        ("text", "a\0b", "bad_text"),
        ("text", "\ud800", "bad_text"),
        ("text", "x" * 256, "too_long"),
        ("integer", True, "wrong_type"),
        ("integer", 2**62, "bad_number"),
        ("decimal", "NaN", "bad_number"),
        ("decimal", Decimal("1.005"), "bad_number"),
        ("decimal", 10**16, "bad_number"),
        ("decimal", "1e999999999", "bad_number"),
        ("boolean", 1, "wrong_type"),
        ("date", datetime(2026, 1, 1, tzinfo=UTC), "wrong_type"),
        ("date", "2026-02-30", "bad_date"),
        ("datetime", "2026-01-01T00:00:00", "bad_datetime"),
        ("datetime", date(2026, 1, 1), "wrong_type"),
        ("time", time(9, tzinfo=UTC), "bad_time"),
        ("wall_time", WallTime(datetime(2026, 1, 1), "Mars/Base"), "bad_zone"),  # noqa: DTZ001 - on a wall
        ("wall_time", WallTime(datetime(2026, 1, 1), "../etc"), "bad_zone"),  # noqa: DTZ001 - on a wall
        ("email", "ana@", "bad_email"),
        ("phone", "12", "bad_phone"),
        ("url", "javascript:alert(1)", "bad_url"),
        ("multi_choice", "abc", "wrong_type"),
        ("link", encode("dea", 1), "wrong_module"),
        ("link", "use_x", "not_an_id"),
        ("address", "Lima", "wrong_type"),
        ("money", 5, "wrong_type"),
        ("money", Money("1.005", "PEN"), "bad_number"),
        ("bytes", "text", "wrong_type"),
    ],
)
def test_what_does_not_fit_is_refused(name, offered, code):
    with pytest.raises(InvalidValue) as caught:
        made(name).check(offered)
    assert code == caught.value.code


@pytest.mark.parametrize(
    ("offered", "why"),
    [
        ("12", "fewer than 3 digits"),
        ("()", "fewer than 3 digits"),
        ("1" * 16, "more than 15 digits"),
        ("+" + "1" * 16, "more than 15 digits"),
        ("00" + "1" * 16, "more than 15 digits"),
        ("12345678901234567890", "more than 15 digits"),
        ("+(01) 445-3020", "no country's code begins with 0"),
        ("(+ 0) 445-3020", "no country's code begins with 0"),
        ("+00 51 445-3020", "no country's code begins with 0"),
        ("ask Ana", "letters or signs"),
        ("445-3020 ext", "letters or signs"),
        ("445-3020 / 445-3021", "two numbers"),
        ("445-3020/445-3021", "two numbers"),
        ("+51 987 654 321 ; 445-3020", "two numbers"),
        ("987654321 y 987654322", "two numbers"),
        ("987654321 Y (+51) 987654322 anexo 3", "two numbers"),
        ("+51 987 654 321 +51 987 654 322", "two numbers"),
        ("014453020, 014453021", "two numbers"),
        ("234567 / 234568", "two numbers"),
    ],
)
def test_a_refused_telephone_number_is_told_why(offered, why):
    with pytest.raises(InvalidValue) as caught:
        made("phone").check(offered)
    assert ("bad_phone", True) == (caught.value.code, why in str(caught.value))
    assert caught.value.params["reason"] in PHRASES


@given(st.from_regex(texts._PLAIN_PHONE, fullmatch=True))
def test_the_short_way_of_telephone_numbers_takes_none_that_the_long_one_refuses(offered):
    assert texts._why_no_phone(offered) == ""


@pytest.mark.parametrize(
    ("offered", "digits"),
    [
        ("(+51) 1 277 2996", "+5112772996"),
        ("( + 57) 307-064-9819 anexo 12", "+57307064981912"),
        ("+(51) 1 277 2996", "+5112772996"),
        ("(01) 445-3020", "014453020"),
        ("02302/926000", "02302926000"),
        ("+49 2302/926000", "+492302926000"),
        ("+49 (0)39831/201234", "+49039831201234"),
        ("1" * 15, "1" * 15),
        ("+" + "1" * 15 + " anexo 123456", "+" + "1" * 15 + "123456"),
        ("00" + "1" * 15, "00" + "1" * 15),
        ("+" + "1" * 14 + "(0)1", "+" + "1" * 14 + "01"),
    ],
)
def test_a_telephone_number_is_kept_as_written_and_compared_by_plus_and_digits(offered, digits):
    field = made("phone")

    assert (field.check(offered), field.type.fold(offered)) == (offered, digits)


@pytest.mark.parametrize("name", sorted(BUILT_IN))
@pytest.mark.parametrize("empty", [None, ""])
def test_nothing_is_empty_for_every_type(name, empty):
    assert made(name).check(empty) in (None, ())


def test_an_empty_structure_is_no_value():
    assert made("address").check(Address(city="")) is None


def test_a_choice_must_be_one_of_those_there_are():
    field = made("choice", choices=("new", "won"))
    assert field.check("won") == "won"
    with pytest.raises(InvalidValue) as caught:
        field.check("lost")
    assert caught.value.code == "unknown_choice"


@pytest.mark.parametrize("choice", ["", 'a"b', "a\\b"])
def test_a_choice_that_would_break_a_set_is_refused(choice):
    with pytest.raises(InvalidValue):
        made("multi_choice", choices=(choice,))


def test_an_instant_is_kept_in_utc():
    lima = timezone(timedelta(hours=-5))
    assert made("datetime").pack(datetime(2026, 1, 31, 9, 30, tzinfo=lima)) == ("2026-01-31T14:30:00.000000Z",)


def test_an_unknown_field_type_is_refused():
    with pytest.raises(InvalidValue) as caught:
        kind("money2")
    assert caught.value.code == "unknown_field_type"


@pytest.mark.parametrize("name", ["Stage", "1st", "a__f", "and", "", "ñ", "a.b", "x" * 61])
def test_a_name_that_would_not_do_everywhere_is_refused(name):
    with pytest.raises(InvalidValue) as caught:
        Field(name=name, type=kind("text"))
    assert caught.value.code == "bad_name"


@pytest.mark.parametrize(
    ("text", "value"), [("50%", "50"), (" 12.5 % ", "12.5"), ("50", "50"), ("200%", "200"), ("-3", "-3")]
)
def test_per_cent_are_the_number_before_the_sign(text, value):
    """More than a hundred, too: growth and discounts have no bound that all share."""
    field = made("percent")

    assert field.type.parse(field, text, ISO) == Decimal(value)


@pytest.mark.parametrize("text", ["%", "%50", "50%%", "50 % x"])
def test_other_signs_are_no_per_cent(text):
    field = made("percent")

    with pytest.raises(InvalidValue):
        field.type.parse(field, text, ISO)


@given(st.lists(st.text("ab; ,'[]1", min_size=1, max_size=5), max_size=4))
def test_free_choices_are_read_as_they_are_shown(chosen):
    """Also those with what stands between choices in a cell, or with spaces round them."""
    field = made("multi_choice")
    value = field.check(chosen)
    assert (field.type.parse(field, field.type.show(field, value, ISO), ISO) or ()) == (value or ())


@pytest.mark.parametrize(("cell", "chosen"), [
    ("a; b", ("a", "b")), ("a;b;", ("a", "b")), ('"a;b"; c', ("a;b", "c")), (";;a ; ;", ("a",)), ("", None),
    ('"a"', ("a",)), ('["a","b"]', ("a", "b")), (' [ "a;b" ] ', ("a;b",)), ("[2024, 1.50]", ("1.50", "2024")),
    ("[]", ()), ('"[]"', ("[]",)), ("[a]; b", ("[a]", "b")),
])  # fmt: skip
def test_several_choices_in_a_cell(cell, chosen):
    field = made("multi_choice")
    assert field.check(field.type.parse(field, cell, ISO) if cell else None) == chosen


def test_choices_of_a_list_may_be_called_by_their_labels():
    field = made("multi_choice", choices=(Choice("n", label="Norte"), Choice("s", label="Sur")))
    assert field.type.parse(field, '["norte", "s"]', ISO) == ("n", "s")


@pytest.mark.parametrize("given", ['["a", ""]', ["a", ""]])
def test_an_empty_choice_is_said_to_be_empty(given):
    field = made("multi_choice")
    with refusing("empty_choice", InvalidValue):
        field.type.parse(field, given, ISO) if isinstance(given, str) else field.check(given)
