"""Messages: values with a key that makes sending them twice harmless."""

from __future__ import annotations

import attrs
import pytest

from nubetis.model.outbox import Message
from nubetis.model.system import OUTBOX


def test_a_message_without_body_has_an_empty_one_of_its_own():
    first, second = (Message(kind="x", key=key) for key in "ab")
    assert {} == first.body == second.body
    assert first.body is not second.body


def test_messages_are_compared_whole():
    assert Message(kind="x", key="a", body={"n": 1}) == Message(kind="x", key="a", body={"n": 1})
    assert Message(kind="x", key="a", body={"n": 1}) != Message(kind="x", key="a", body={"n": 2})


def test_kind_and_key_are_named_never_placed():
    """Exchanged by accident they would make every message of a kind the same one."""
    with pytest.raises(TypeError):
        Message("welcome", "welcome:ana")


def test_a_message_does_not_change():
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        Message(kind="x", key="a").key = "b"


def test_the_key_is_unique_in_the_ledger():
    """What makes a second message with the same key impossible is the store, not a look before."""
    assert ["key"] == [field.name for field in OUTBOX.fields if field.unique]


def test_what_is_due_is_found_by_an_index():
    assert (("state", "due_at"),) == OUTBOX.indexes
