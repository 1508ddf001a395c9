"""Field types against what nobody should offer: a value that every store can hold, or a refusal that tells nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from random import Random
from types import SimpleNamespace

import pytest

from nubetis.errors import MESSAGES, InvalidFilter, InvalidValue
from nubetis.model.bind import Viewpoint, bind
from nubetis.model.fields import Field, Operator
from nubetis.model.filters import Compare
from nubetis.model.formats import ISO
from nubetis.model.kinds import BUILT_IN, Address, FileRef, PersonName, WallTime, kind
from nubetis.model.money import Money
from nubetis.model.schema import Module, Schema

EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-14))
NAMES = sorted(BUILT_IN)
NAMED = "Quispe"
"""Stands in offered values and must not stand in what is said of them."""


def wall(local, zone="America/Lima"):
    return WallTime(local, zone)


NOON = datetime(2026, 1, 1, 12)  # noqa: DTZ001 - on a wall
NUMBERS = [
    float("nan"), float("inf"), -float("inf"), Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 10**5000,
    Decimal("1e1000000"), Decimal("1e-1000000"), -(2**63), 2**63, 0.1 + 0.2, True, False, 1 + 2j,
]  # fmt: skip
TEXTS = [
    "9" * 1_000_000, "1e999999999", "a\0b", "\0", "\ud800", "x\udfff", "\u202egnp.exe", "\u200f", "x" * 1_000_001,
    "0000-01-01", "10000-01-01", "2026-02-30", "2026-06-30T23:59:60Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "23:59:60", "25:00", "use_", "_", "use_" + "Z" * 14, "use_" + "0" * 1_000_000,
    "x" * 1_000_000 + "_0000000000001W", "\ud800_0000000000001W", "http://", "http://[", "https://\u202e.com",
    "a@" + "b" * 300, "@", "+", "\uff11\uff12\uff13", "²²²", "|" * 50, ";;;", "a;\0", "ana@acme.pe\r\nBcc: x@y.pe",
]  # fmt: skip
THINGS = [
    b"", b"\xff", [], [[]], {}, {"a": 1}, object(), (None,), ("a", None), ["\ud800"], ["\0"], ['"'], [5], timedelta(1),
    SimpleNamespace(id=5), SimpleNamespace(id=None), Field, len,
]  # fmt: skip
TIMES = [
    date.min, date.max, datetime.min, datetime.max, datetime.min.replace(tzinfo=EAST),  # noqa: DTZ901 - on purpose
    datetime.max.replace(tzinfo=WEST), time.min, time(1, tzinfo=UTC), wall(datetime.min, "Asia/Tokyo"),  # noqa: DTZ901
    wall(datetime.max), wall(NOON, ""), wall(NOON, "/etc/passwd"), wall(NOON, "../../etc"),  # noqa: DTZ901
    wall(NOON, "America/\0"), wall(NOON, "America/\ud800"), wall(NOON, "A/" + "x" * 100_000), wall("x"), wall(None),
    wall(NOON, None), wall(NOON, 5), wall(NOON.replace(tzinfo=UTC)),
]  # fmt: skip
STRUCTURES = [
    Address(street="\0"), Address(city=5), Address(city="x" * 1000), PersonName(given="\ud800"),
    PersonName(given=["x"]),
    FileRef(hash="x", name="\0", size=5), FileRef(hash=5, name="a", size=1), FileRef(hash="x", name="a", size="b"),
    FileRef(hash="x", name="a", size=-1), FileRef(hash="x", name="a", size=2**80), FileRef(hash="x", name=None, size=1),
    FileRef(hash="x", name="a", size=True), FileRef(hash="\0", name="a", size=1),
    FileRef(hash="x", name="a", size=1, media_type="\ud800"), Money("1", "PEN", home="1e400"), Money(10**30, "PEN"),
    Money("0.001", "PEN"),
]  # fmt: skip
HOSTILE = [*NUMBERS, *TEXTS, *THINGS, *TIMES, *STRUCTURES]


def made(name, **settings):
    targets = {"link": ("users",), "owner": ("users",)}.get(name, ())
    return Field(name="x", type=kind(name), targets=targets, prefixes=("use",) * len(targets), **settings)


def tried(act, *given):
    """Give what *act* gives, or the refusal; anything else that is raised is a fault."""
    try:
        return act(*given)
    except InvalidValue as refusal:
        return refusal


def is_storable(cell):
    if isinstance(cell, str):
        cell.encode()  # half of a surrogate pair is in no UTF-8
        return "\0" not in cell
    return cell is None or isinstance(cell, bytes) or (type(cell) is int and -(2**63) <= cell < 2**63)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_offered_is_refused_or_can_be_stored_and_read_back(name):
    field = made(name)
    for offered in HOSTILE:
        value = tried(field.check, offered)
        if not isinstance(value, InvalidValue) and value not in (None, ()):
            row = field.pack(value)
            assert len(field.parts) == len(row)
            assert all(map(is_storable, row)), repr(offered)[:80]
            assert value == field.type.unpack(field, row)
            assert isinstance(field.type.show(field, value, ISO), str)


@pytest.mark.parametrize("name", NAMES)
def test_whatever_is_typed_is_refused_or_can_be_stored(name):
    field = made(name)
    for text in TEXTS:
        value = tried(field.type.parse, field, text, ISO)
        if not isinstance(value, InvalidValue):
            assert all(map(is_storable, field.pack(value))), repr(text)[:80]


@pytest.mark.parametrize("name", NAMES)
def test_a_refusal_has_a_known_code_and_a_short_sentence_that_can_be_written(name):
    field = made(name)
    refusals = [tried(field.check, offered) for offered in HOSTILE]
    refusals += [tried(field.type.parse, field, text, ISO) for text in TEXTS]
    for refusal in refusals:
        if isinstance(refusal, InvalidValue):
            assert refusal.code in MESSAGES
            assert len(str(refusal).encode()) < 300
            assert "{" not in str(refusal)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"text", "long_text"}))
def test_a_refusal_does_not_say_the_value(name):
    """Of texts, numbers and structures; of what should be an id as well: it may be a name."""
    field = made(name, choices=())
    texts = ["\0" + NAMED, f"{NAMED}@{NAMED}@", NAMED * 100_000, f"1{NAMED}", f"2026-{NAMED}"]
    offered = [*texts, Address(city=NAMED + "\0"), PersonName(given=NAMED + "\0"), [NAMED], {NAMED: 1}]
    offered += [wall(NOON, f"A/{NAMED}"), FileRef(hash="x", name=NAMED + "\0", size=1), NAMED.encode()]
    said = [str(found) for each in offered if isinstance(found := tried(field.check, each), InvalidValue)]
    said += [str(f) for each in texts if isinstance(f := tried(field.type.parse, field, each, ISO), InvalidValue)]
    assert said
    assert [] == [sentence for sentence in said if NAMED in sentence]


VIEW = Viewpoint(now=datetime(2026, 3, 15, tzinfo=UTC), with_old=True)


def schema_with(name):
    users = Module(name="users", prefix="use", fields=[Field(name="name", type=kind("text"))])
    return Schema().with_modules([users, Module(name="things", fields=[made(name)])])


SEVERAL = {Operator.IN, Operator.ANY_OF, Operator.ALL_OF, Operator.BETWEEN}


@pytest.mark.parametrize("name", NAMES)
def test_a_filter_with_whatever_operand_is_bound_or_refused(name):
    """By every operator that the type knows; the regression: a wall time in no zone was a KeyError."""
    schema = schema_with(name)
    things = schema.module("things")
    for operator in sorted(things.field("x").type.operators):
        for offered in HOSTILE:
            operand = (offered, offered) if operator in SEVERAL else offered
            found = tried(bind, Compare("x", operator, operand), things, schema, VIEW)
            assert not isinstance(found, InvalidValue) or isinstance(found, InvalidFilter)


@pytest.mark.parametrize("name", NAMES)
def test_an_operator_of_no_use_to_a_type_is_refused_with_those_it_knows(name):
    schema = schema_with(name)
    things = schema.module("things")
    field = things.field("x")
    for operator in set(Operator) - field.type.operators - {Operator.MATCHES}:
        refusal = tried(bind, Compare("x", operator, "a"), things, schema, VIEW)
        assert ("filter_operator", name) == (refusal.code, refusal.params["type"])
        assert set(refusal.params["known"].split(", ")) <= {each.value for each in Operator}


@pytest.mark.parametrize("name", NAMES)
def test_every_operator_that_a_type_knows_can_be_bound_to_a_sample(name):
    schema = schema_with(name)
    things = schema.module("things")
    field = things.field("x")
    value = field.check(field.type.sample(field, Random(1)))
    value = value[0] if isinstance(value, tuple) else value
    piece = "51" if name == "phone" else "sol"
    special = {
        Operator.EMPTY: None, Operator.CHANGED: None, Operator.LINKED: Compare("name", Operator.EQ, "x"),
        **dict.fromkeys(SEVERAL, (value, value)),
        **dict.fromkeys([Operator.CONTAINS, Operator.STARTS, Operator.ENDS, Operator.MATCHES], piece),
    }  # fmt: skip
    unused = set() if field.filterable or not field.parts[0].text else {Operator.MATCHES}
    for operator in sorted(field.type.operators - unused):
        bind(Compare("x", operator, special.get(operator, value)), things, schema, VIEW)


@pytest.mark.parametrize("name", ["text", "email", "phone", "url", "address", "person_name"])
def test_a_fold_folds_once(name):
    """What is folded again stays."""
    fold = kind(name).fold
    texts = ["Ñandú", "STRASSE", "Straße", "İstanbul", "ﬁn", "ｶﾞ", "Å", "+51 (1) 999", "", " a  b ", "\u0301", "ǰ", "ΐ"]
    texts += [chr(code) for code in range(0x20, 0x3000) if not 0xD800 <= code < 0xE000]
    assert [] == [text for text in texts if fold(fold(text)) != fold(text)]


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"file", "image", "bytes"}))
def test_what_a_generator_gives_is_read_as_it_is_shown(name):
    """A second time it is shown the same."""
    field = made(name)
    for seed in range(50):
        shown = field.type.show(field, field.check(field.type.sample(field, Random(seed))), ISO)
        again = field.type.parse(field, shown, ISO)
        assert shown == field.type.show(field, again, ISO)
