"""Record ids: order, check character, a clock that goes back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nubetis.errors import InvalidValue
from nubetis.model.ids import NODES, KeyMaker, decode, encode, instant_of

KEYS = st.integers(0, 2**63 - 1)
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def is_refused(text):
    try:
        decode(text)
    except InvalidValue as error:
        return error.code == "bad_id"
    return False


@given(KEYS, st.from_regex("[a-z]{2,3}[0-9]?", fullmatch=True))
def test_an_id_is_read_as_it_was_written_in_any_case(key, prefix):
    text = encode(prefix, key)
    assert (prefix, key) == decode(text) == decode(f"{prefix}_{text.rpartition('_')[2].lower()}")


@given(KEYS, KEYS)
def test_ids_sort_as_their_keys(one, other):
    assert (one < other) == (encode("dea", one) < encode("dea", other))


@given(KEYS)
@settings(max_examples=25)
def test_every_wrong_character_is_found(key):
    prefix, _, body = encode("dea", key).partition("_")
    wrong = [body[:at] + char + body[at + 1 :] for at in range(14) for char in ALPHABET if char != body[at]]
    assert all(is_refused(f"{prefix}_{each}") for each in wrong)


@given(KEYS)
def test_every_exchange_of_two_characters_is_found(key):
    body = encode("dea", key).partition("_")[2]
    for one, other in combinations(range(14), 2):
        swapped = list(body)
        swapped[one], swapped[other] = swapped[other], swapped[one]
        assert body[one] == body[other] or is_refused("dea_" + "".join(swapped))


@pytest.mark.parametrize(
    "text", ["", "dea", "dea_", "_0000000000001W", "dea_000000000001W", "dea_U000000000001W", "dea_8" * 3]
)
def test_what_is_no_id_is_refused(text):
    assert is_refused(text)


def test_letters_that_look_like_digits_are_read_as_these():
    assert decode("dea_0000000000001W") == decode("dea_OOOOOOOOOOOOiw") == decode("dea_oooooooooooolW")


@given(st.lists(st.tuples(st.integers(-5000, 5000), st.integers(0, 6000)), max_size=8))
def test_keys_only_grow_whatever_the_clock_does(steps):
    now = [NOW]
    maker = KeyMaker(7, lambda: now[0])
    keys = []
    for millis, count in steps:
        now[0] += timedelta(milliseconds=millis)
        keys += maker.many(count)
    assert keys == sorted(set(keys))
    assert sum(count for _, count in steps) == len(keys)


def test_makers_of_different_nodes_never_meet_and_one_goes_on_after_another():
    makers = [KeyMaker(node, lambda: NOW) for node in (0, 1, NODES - 1)]
    keys = [key for maker in makers for key in maker.many(5000)]
    assert len(set(keys)) == 15_000
    behind = KeyMaker(1, lambda: NOW - timedelta(days=1))
    after = behind.after(max(keys))
    assert max(keys) < after < behind.one()
    assert after < behind.after(0) < behind.after(1), "a key once given is not taken back by a lower bound"


def test_a_key_tells_when_it_was_made():
    assert instant_of(KeyMaker(3, lambda: NOW).one()) == NOW


@pytest.mark.parametrize(
    "text",
    [
        "x" * 61 + "_0000000000001W",
        "\ud800_0000000000001W",
        "d a_0000000000001W",
        "dea_000000000000\u0131W",
        "dea_000000000000ßW"[:-2] + "ß",
        "dea_" + "0" * 10**6,
    ],
)
def test_an_id_is_short_and_of_the_letters_that_ids_have(text):
    """Whatever a capital of another alphabet would turn into."""
    assert is_refused(text)


def test_a_refused_id_is_named_in_letters_that_every_log_can_hold():
    with pytest.raises(InvalidValue) as caught:
        decode("dea_\ud800\u202e\n" + "x" * 500)
    assert str(caught.value).isascii()
    assert len(str(caught.value)) < 200
