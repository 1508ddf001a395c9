"""A sorted map whose versions live side by side.

Two levels: a list of leaves, each a run of keys in order with their values.  :meth:`SortedMap.fork` copies the
upper level only; a leaf is copied when the fork first writes to it.  So a fork costs one list of a million / 512
items, a write a few microseconds, and whoever holds an older version is never disturbed: that is all a snapshot,
a savepoint and a roll-back need.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain
from typing import TYPE_CHECKING, Final, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import SupportsRichComparison

__all__ = ["SortedMap"]

K = TypeVar("K", bound="SupportsRichComparison")
V = TypeVar("V")

FULL: Final = 512
"""Keys of one leaf at most."""


class _Leaf(Generic[K, V]):
    """A run of keys in order; written only by the map that made it."""

    __slots__ = ("keys", "owner", "values")

    def __init__(self, owner: object, keys: list[K], values: list[V]) -> None:
        self.owner = owner
        self.keys = keys
        self.values = values


class SortedMap(Generic[K, V]):
    """Keys in order, each with a value that is not ``None``.

    A map that was forked is not written any more, as its fork has its leaves.

    >>> old = SortedMap()
    >>> old[1] = "one"
    >>> new = old.fork()
    >>> new[2] = "two"
    >>> list(old.items()), list(new.items())
    ([(1, 'one')], [(1, 'one'), (2, 'two')])
    """

    __slots__ = ("_firsts", "_leaves", "_size", "_token")

    def __init__(self) -> None:
        self._token = object()  # marks the leaves that are ours; the map itself would keep old versions alive
        self._firsts: list[K] = []
        self._leaves: list[_Leaf[K, V]] = []
        self._size = 0

    def fork(self) -> SortedMap[K, V]:
        """Give a map with the same items, to be written without touching this one."""
        new: SortedMap[K, V] = SortedMap()
        new._firsts, new._leaves, new._size = self._firsts.copy(), self._leaves.copy(), self._size
        return new

    def __len__(self) -> int:
        return self._size

    def get(self, key: K) -> V | None:
        """Give the value of *key*, ``None`` where there is none."""
        at = bisect_right(self._firsts, key) - 1
        if at < 0:
            return None
        leaf = self._leaves[at]
        place = bisect_left(leaf.keys, key)
        return leaf.values[place] if place < len(leaf.keys) and leaf.keys[place] == key else None

    def __setitem__(self, key: K, value: V) -> None:
        if not self._leaves:
            self._add_leaf(0, [key], [value])
            return
        at = max(bisect_right(self._firsts, key) - 1, 0)
        leaf = self._own(at)
        place = bisect_left(leaf.keys, key)
        if place < len(leaf.keys) and leaf.keys[place] == key:
            leaf.values[place] = value
        elif place == FULL:
            self._add_leaf(at + 1, [key], [value])  # growing keys fill their leaves
        else:
            self._insert(at, place, (key, value))

    def pop(self, key: K) -> V | None:
        """Take *key* out; give its value, ``None`` where there is none."""
        value = self.get(key)
        if value is None:
            return None
        at = bisect_right(self._firsts, key) - 1
        leaf = self._own(at)
        place = bisect_left(leaf.keys, key)
        del leaf.keys[place], leaf.values[place]
        self._size -= 1
        if leaf.keys:
            self._firsts[at] = leaf.keys[0]
        else:
            del self._firsts[at], self._leaves[at]
        return value

    def items(self) -> Iterator[tuple[K, V]]:
        """Give keys and values, in the order of the keys."""
        return chain.from_iterable([zip(leaf.keys, leaf.values, strict=True) for leaf in self._leaves])

    def values(self) -> Iterator[V]:
        """Give the values, in the order of the keys."""
        return chain.from_iterable([leaf.values for leaf in self._leaves])

    def above(self, key: K) -> Iterator[V]:
        """Give the values of the keys above *key*, growing."""
        at = max(bisect_right(self._firsts, key) - 1, 0)
        for leaf in self._leaves[at : at + 1]:
            yield from leaf.values[bisect_right(leaf.keys, key) :]
        for leaf in self._leaves[at + 1 :]:
            yield from leaf.values

    def below(self, key: K | None = None) -> Iterator[V]:
        """Give the values of the keys below *key*, or all of them, falling."""
        at = len(self._leaves) if key is None else bisect_left(self._firsts, key)
        for place in range(at - 1, -1, -1):
            leaf = self._leaves[place]
            stop = len(leaf.keys) if key is None else bisect_left(leaf.keys, key)
            yield from reversed(leaf.values[:stop])

    def _own(self, at: int) -> _Leaf[K, V]:
        """Give the leaf at *at*, copied first where another version has it too."""
        leaf = self._leaves[at]
        if leaf.owner is not self._token:
            leaf = self._leaves[at] = _Leaf(self._token, leaf.keys.copy(), leaf.values.copy())
        return leaf

    def _insert(self, at: int, place: int, item: tuple[K, V]) -> None:
        leaf = self._leaves[at]
        leaf.keys.insert(place, item[0])
        leaf.values.insert(place, item[1])
        self._size += 1
        self._firsts[at] = leaf.keys[0]
        if len(leaf.keys) > FULL:
            half = FULL // 2
            self._size -= len(leaf.keys) - half
            self._add_leaf(at + 1, leaf.keys[half:], leaf.values[half:])
            del leaf.keys[half:], leaf.values[half:]

    def _add_leaf(self, at: int, keys: list[K], values: list[V]) -> None:
        self._firsts.insert(at, keys[0])
        self._leaves.insert(at, _Leaf(self._token, keys, values))
        self._size += len(keys)
