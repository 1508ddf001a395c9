"""Which entries are worth comparing: those that share something rare.

Each value gives keys: its words, their consonants, its beginning, the local part of an e-mail address.  A key
that a few entries share pairs them all; a key that many share is joined with another such key, and besides
pairs only neighbours in the order of content, so that no block, however large, costs more than its size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from nubetis.data.dedupe.columns import Coded, Entries
from nubetis.data.dedupe.normal import skeleton
from nubetis.data.profile import ColumnKind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from nubetis.data.dedupe.columns import Codes

__all__ = ["Pairs", "candidate_pairs", "keys_of"]

Pairs: TypeAlias = "tuple[NDArray[np.int64], NDArray[np.int64]]"
"""Two entries each, the smaller first."""

_CAP: Final = 40
_NEIGHBOURS: Final = 4
_JOINED: Final = 8
_KEPT: Final = 15
_PAIRS_AN_ENTRY: Final = 150


def keys_of(word: str, kind: ColumnKind) -> set[str]:
    """Give what a value may be found by.

    >>> sorted(keys_of("ana rios", ColumnKind.PERSON))
    ['p:ana ', 's:an', 's:rs', 'w:ana', 'w:rios']
    """
    match kind:
        case ColumnKind.EMAIL:
            local = word.partition("@")[0]
            letters = "".join([char for char in local if char.isalpha()])
            return {f"m:{word}", f"l:{local}", f"a:{letters}"} if letters else {f"m:{word}", f"l:{local}"}
        case ColumnKind.URL:
            return {f"m:{word}", f"p:{word[:8]}"}
        case ColumnKind.PHONE | ColumnKind.CODE:
            return {f"n:{word}", f"t:{word[-6:]}", f"b:{word[:6]}"}
        case ColumnKind.DATE | ColumnKind.NUMBER | ColumnKind.CATEGORY:
            return {f"x:{word}"}
        case _:
            return _word_keys(word)


def _word_keys(text: str) -> set[str]:
    words = text.split()[:20]
    found = {f"w:{word}" for word in words} | {f"s:{skeleton(word)}" for word in words if len(word) > 2}
    return found | {f"p:{text[:4]}"}


def candidate_pairs(entries: Entries) -> Pairs:
    """Give the pairs worth comparing: for each entry the few with which it shares the rarest keys."""
    size = len(entries)
    parts: list[tuple[NDArray[np.int64], float]] = []
    budget = _PAIRS_AN_ENTRY * size
    for members, weight in _blocks(_postings(entries.columns), size):
        pairs = _pairs_within(members, size)
        budget -= len(pairs)
        if budget < 0:
            break
        parts.append((pairs, weight))
    if not parts:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    both = np.concatenate([pairs for pairs, _ in parts])
    weights = np.repeat([weight for _, weight in parts], [len(pairs) for pairs, _ in parts])
    pairs, inverse = np.unique(both, return_inverse=True)
    shared = np.bincount(inverse.reshape(-1), weights).astype(np.float64)
    return _best(pairs, shared, size)


def _postings(columns: Sequence[Coded]) -> dict[str, list[int]]:
    """Give the entries of each key.  Columns of people share their keys: names get swapped."""
    found: defaultdict[str, list[int]] = defaultdict(list)
    for place, column in enumerate(columns):
        space = "people" if column.kind is ColumnKind.PERSON else str(place)
        keys = [[f"{space}/{key}" for key in sorted(keys_of(word, column.kind))] for word in column.words]
        for entry, code in enumerate(column.codes.tolist()):
            for key in keys[code] if code >= 0 else ():
                found[key].append(entry)
    return {key: sorted(set(entries)) for key, entries in found.items() if len(entries) > 1}


def _blocks(postings: dict[str, list[int]], size: int) -> Iterator[tuple[list[int], float]]:
    """Give blocks and the weight of their keys, the rarest first."""
    common = {key: entries for key, entries in postings.items() if len(entries) > _CAP}
    blocks = [*_joined(common, size).items(), *postings.items()]
    for _, entries in sorted(blocks, key=lambda block: (len(block[1]), block[0])):
        if len(entries) > 1:
            yield entries, float(np.log(1 + size / len(entries)))


def _joined(common: dict[str, list[int]], size: int) -> dict[str, list[int]]:
    """Join the rarest common keys of each entry two by two."""
    of_entry: list[list[str]] = [[] for _ in range(size)]
    for key in sorted(common, key=lambda key: (len(common[key]), key)):
        for entry in common[key]:
            if len(of_entry[entry]) < _JOINED:
                of_entry[entry].append(key)
    found: defaultdict[str, list[int]] = defaultdict(list)
    for entry, keys in enumerate(of_entry):
        for first, second in combinations(keys, 2):
            found[f"{first}+{second}"].append(entry)
    return {key: entries for key, entries in found.items() if len(entries) > 1}


def _pairs_within(members: Sequence[int], size: int) -> NDArray[np.int64]:
    """Give the pairs of a block as one number each; of a large block only neighbours."""
    block = np.array(members, dtype=np.int64)
    if len(block) <= _CAP:
        first, second = np.triu_indices(len(block), 1)
        return block[first] * size + block[second]
    return np.concatenate([block[:-step] * size + block[step:] for step in range(1, _NEIGHBOURS + 1)])


def _best(pairs: Codes, weights: NDArray[np.float64], size: int) -> Pairs:
    """Keep a pair that is among the best of either of its entries."""
    first, second = pairs // size, pairs % size
    owner = np.concatenate([first, second])
    order = np.lexsort((np.tile(pairs, 2), -np.tile(weights, 2), owner))
    starts = np.searchsorted(owner[order], np.arange(size))
    rank = np.arange(len(order)) - starts[owner[order]]
    kept = np.zeros(len(pairs), dtype=bool)
    kept[order[rank < _KEPT] % len(pairs)] = True
    return first[kept], second[kept]
