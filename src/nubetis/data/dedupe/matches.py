"""What a search for duplicates found: pairs with their scores, groups, and why."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, islice
from numbers import Real
from typing import Final, Protocol

import attrs

from nubetis.data.dedupe.cluster import cluster
from nubetis.data.show import html_table, text_table
from nubetis.errors import InvalidValue, require

__all__ = ["Explainer", "Matches", "Pair"]

_SHOWN: Final = 10


@attrs.frozen
class Pair:
    """Two rows and how surely they are one.

    *score* is a probability.  *weights* says in bits what each column speaks for (above 0) or against; with
    *prior*, what a pair has before anything is known, they sum to the evidence.

    >>> Pair(0, 2, 0.99, {"email": 12.0, "city": -0.5}).weights["email"]
    12.0
    """

    first: int
    second: int
    score: float
    weights: dict[str, float] = attrs.field(factory=dict)
    prior: float = 0.0

    def _shown(self) -> list[list[str]]:
        ordered = sorted(self.weights.items(), key=lambda item: -abs(item[1]))
        return [["before", f"{self.prior:+.1f}"], *[[name, f"{bits:+.1f}"] for name, bits in ordered]]

    def __str__(self) -> str:
        table = text_table(("column", "bits"), self._shown())
        return f"rows {self.first} and {self.second}: {self.score:.1%}\n{table}"

    def _repr_html_(self) -> str:
        caption = f"rows {self.first} and {self.second}: {self.score:.1%}"
        return html_table(("column", "bits"), self._shown(), caption=caption)


class Explainer(Protocol):
    """Scores any two rows, candidates or not."""

    def explain(self, first: int, second: int) -> Pair:
        """Give the pair of two rows with its weights."""
        ...


@attrs.frozen(repr=False, eq=False)
class Matches:
    """The pairs that may be one, best first, and the groups that they make.

    Rows that are equal in their normal form are kept as one *entry*, so that a thousand equal rows are not half
    a million pairs; iteration gives every pair of rows all the same.

    >>> from nubetis.data.table import Table
    >>> found = Table({"name": ["Ana Ríos", "Luis Paz", "Ana Rios"], "phone": ["5550101"] * 3}).duplicates(seed=1)
    >>> best = next(iter(found))
    >>> (best.first, best.second), len(found.clusters(above=0.9))
    ((0, 2), 1)
    """

    rows: int
    """How many rows were searched."""
    seed: int
    entries: tuple[tuple[int, ...], ...] = attrs.field(repr=False)
    """The rows of each entry."""
    links: tuple[tuple[int, int, float], ...] = attrs.field(repr=False)
    """Two entries and their score, best first; an entry of many rows with itself as well."""
    explainer: Explainer | None = attrs.field(default=None, repr=False)
    searched: frozenset[str] = attrs.field(default=frozenset(), repr=False)
    """The digests of the columns that were searched."""

    def __iter__(self) -> Iterator[Pair]:
        """Give the pairs of rows, best first; without weights, which :meth:`explain` gives."""
        for first, second, score in self.links:
            if first == second:
                pairs = combinations(self.entries[first], 2)
                yield from [Pair(a, b, score) for a, b in islice(pairs, 10_000)]
                continue
            for a in self.entries[first]:
                yield from [Pair(min(a, b), max(a, b), score) for b in self.entries[second]]

    def __len__(self) -> int:
        return sum([self._size(first, second) for first, second, _ in self.links])

    def _size(self, first: int, second: int) -> int:
        count = len(self.entries[first])
        return count * (count - 1) // 2 if first == second else count * len(self.entries[second])

    def best(self, count: int = _SHOWN) -> list[Pair]:
        """Give the first *count* pairs, with their weights."""
        return [self.explain(pair.first, pair.second) for pair in islice(self, count)]

    def clusters(self, *, above: float = 0.95) -> tuple[tuple[int, ...], ...]:
        """Give the groups of rows that are one, each sorted, in the order of their first rows.

        *above* is the least score of a pair that joins; a group is guarded against chains
        (:func:`~nubetis.data.dedupe.cluster.cluster`).

        Raises:
            InvalidValue: ``bad_argument``; *above* is no probability.
        """
        require(above, Real, argument="above", expected="a number")
        if not 0 < above <= 1:
            raise InvalidValue("bad_argument", argument="above", reason="it must lie above 0 and at most at 1")
        same = {first for first, second, score in self.links if first == second and score >= above}
        groups = cluster([link for link in self.links if link[0] != link[1]], above=above)
        grouped = {entry for group in groups for entry in group}
        groups += [(entry,) for entry in sorted(same - grouped)]
        return tuple(
            sorted([tuple(sorted([row for entry in group for row in self.entries[entry]])) for group in groups])
        )

    def explain(self, first: int, second: int) -> Pair:
        """Give any two rows with the weight of every column, whether they were found alike or not.

        Raises:
            InvalidValue: ``bad_argument``; there is no such row.
        """
        if first == second or not (0 <= first < self.rows and 0 <= second < self.rows):
            raise InvalidValue("bad_argument", argument="first, second", reason="they must be two rows of the table")
        first, second = min(first, second), max(first, second)
        return self.explainer.explain(first, second) if self.explainer else Pair(first, second, 0.0)

    def _shown(self) -> list[list[str]]:
        return [[str(pair.first), str(pair.second), f"{pair.score:.3f}", _reasons(pair)] for pair in self.best()]

    def _title(self) -> str:
        return f"{len(self)} pairs, {len(self.clusters())} groups above 0.95, in {self.rows} rows"

    def __repr__(self) -> str:
        return f"{self._title()}\n{text_table(('row', 'row', 'score', 'because'), self._shown())}"

    def _repr_html_(self) -> str:
        return html_table(("row", "row", "score", "because"), self._shown(), caption=self._title())


def _reasons(pair: Pair) -> str:
    said = sorted(pair.weights.items(), key=lambda item: -abs(item[1]))[:3]
    return ", ".join([f"{name} {bits:+.0f}" for name, bits in said])
