"""Record ids: 63 bits ordered by time inside, text with a check character outside.

A *key* is ``milliseconds since 2020 (41 bits) | node (10) | sequence (12)``.  Nodes are leased from the store, so
two processes never make the same key; a clock that goes back does not take the keys back with it.

The text is the module's prefix, ``_``, thirteen characters of Crockford's base 32 and one check character,
because spreadsheets and JavaScript round numbers of nineteen digits.  The check is a sum over GF(32) with the
weights α, α², …: it finds every wrong character and every exchange of two characters (the weights of the
thirteen places differ).  I, L and O are read as 1, 1 and 0, in any case.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from nubetis.errors import Damaged, InvalidValue, require
from nubetis.types import Key, RecordId

__all__ = ["NODES", "KeyMaker", "decode", "encode", "instant_of", "node_of"]

_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_EPOCH_MS: Final = int(_EPOCH.timestamp() * 1000)
_NODE_BITS: Final = 10
_SEQUENCE_BITS: Final = 12
_KEY_BITS: Final = 63
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH: Final = 13
_PREFIX: Final = re.compile(r"\w{1,60}", re.ASCII)
_KNOWN: Final = 4096
"""How many texts are remembered: the same few records are asked about again and again."""
_VALUES: Final = {char: value for value, char in enumerate(_ALPHABET)} | {"I": 1, "L": 1, "O": 0}

NODES: Final = 1 << _NODE_BITS
"""How many key makers one organisation can have at a time."""


def _times_alpha(value: int) -> int:
    value <<= 1
    return value ^ 0b100101 if value & 32 else value  # x⁵ + x² + 1, primitive over GF(2)


def _weights() -> list[list[int]]:
    rows = [list(range(32))]
    for _ in range(_LENGTH):
        rows.append([_times_alpha(value) for value in rows[-1]])
    return rows[1:]


_WEIGHTS: Final = _weights()


def _check(digits: list[int]) -> int:
    total = 0
    for table, digit in zip(_WEIGHTS, digits, strict=True):
        total ^= table[digit]
    return total


def encode(prefix: str, key: int) -> RecordId:
    """Give the text of *key* in the module with *prefix*.

    >>> encode("dea", 1)
    'dea_0000000000001W'
    """
    return _encoded(prefix, key)


@lru_cache(maxsize=_KNOWN)
def _encoded(prefix: str, key: int) -> RecordId:
    digits = [key >> shift & 31 for shift in range(60, -1, -5)]
    body = "".join([_ALPHABET[digit] for digit in digits])
    return RecordId(f"{prefix}_{body}{_ALPHABET[_check(digits)]}")


def _bad(text: str, reason: str) -> InvalidValue:
    return InvalidValue("bad_id", id=ascii(text[:40])[1:-1], reason=reason)


def decode(text: str) -> tuple[str, Key]:
    """Give prefix and key of a record id; the inverse of :func:`encode`.

    Raises:
        InvalidValue: ``bad_id``; the text was mistyped or is no record id.

    >>> decode("dea_0000000000001W")
    ('dea', 1)
    """
    require(text, str, argument="id", expected="a record or its id")
    return _decoded(text)


@lru_cache(maxsize=_KNOWN)
def _decoded(text: str) -> tuple[str, Key]:
    prefix, _, body = text.rpartition("_")
    try:
        digits = [_VALUES[char] for char in body[: _LENGTH + 2].upper()]
    except KeyError:
        raise _bad(text, "it holds a character that ids do not have") from None
    if not _PREFIX.fullmatch(prefix) or not body.isascii() or len(digits) != _LENGTH + 1:
        raise _bad(text, "its length is wrong")
    if digits[0] > 7 or _check(digits[:-1]) != digits[-1]:
        raise _bad(text, "a character was mistyped")
    key = 0
    for digit in digits[:-1]:
        key = key << 5 | digit
    return prefix, Key(key)


def instant_of(key: int) -> datetime:
    """Give the instant at which *key* was made, to the millisecond."""
    return _EPOCH + timedelta(milliseconds=key >> (_NODE_BITS + _SEQUENCE_BITS))


def node_of(key: int) -> int:
    """Give the node that *key* was made by."""
    return key >> _SEQUENCE_BITS & NODES - 1


class KeyMaker:
    """Makes keys that only grow, for one node; safe in threads.

    *clock* gives the present instant.  When it stands still or goes back, the sequence carries on from the
    highest key made, into the next millisecond when it is full.
    """

    def __init__(self, node: int, clock: Callable[[], datetime]) -> None:
        self._node = node % NODES
        self._clock = clock
        self._tick = 0
        self._sequence = 0
        self._lock = threading.Lock()

    def one(self) -> Key:
        """Give the next key."""
        return self.many(1)[0]

    def after(self, last: int) -> Key:
        """Give a key that is higher than *last*, which another node made, perhaps by a clock that is ahead.

        Keys made so are in the order in which their makers saw each other (a hybrid logical clock: Kulkarni et al.,
        "Logical Physical Clocks", 2014).

        Raises:
            Damaged: ``tampered``; *last* lies beyond all time that keys can tell.
        """
        with self._lock:
            self._advance()
            if self._next() <= last:
                self._tick, self._sequence = (last >> (_NODE_BITS + _SEQUENCE_BITS)) + 1, 0
            if self._next() >= 1 << _KEY_BITS:
                raise Damaged("tampered", where=f"key {last} was not made by a clock")
            return self._take(1)[0]

    def _next(self) -> int:
        return (self._tick << _NODE_BITS | self._node) << _SEQUENCE_BITS | self._sequence

    def many(self, count: int) -> list[Key]:
        """Give the next *count* keys, in growing order."""
        keys: list[Key] = []
        with self._lock:
            self._advance()
            while len(keys) < count:
                keys += self._take(count - len(keys))
        return keys

    def _advance(self) -> None:
        now = int(self._clock().timestamp() * 1000) - _EPOCH_MS
        if now > self._tick:
            self._tick, self._sequence = now, 0

    def _take(self, count: int) -> list[Key]:
        room = (1 << _SEQUENCE_BITS) - self._sequence
        taken = min(count, room)
        base = self._next()
        self._sequence += taken
        if taken == room:
            self._tick, self._sequence = self._tick + 1, 0
        return [Key(key) for key in range(base, base + taken)]
