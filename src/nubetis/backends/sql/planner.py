"""Choosing how to page through what several ways lead to, such as what somebody may see: his own, a rule's, shares.

A query for ``rest and (way or way or …)`` has no single good statement: whoever sees nearly all is served at once by
a walk along the order that tests each record, whoever sees fifty records of a million by looking them up, and either
is a thousand times slower for the other.  So two plans stand here, and what they may cost decides:

* the **walk** takes a window of the next records in order, tests each, and is right when a page is full.  It costs what
  the window is long: a page divided by the share of records that fit.
* the **ways** are asked one by one for the first of each, by an index and a *head* at a time (an owner, somebody with
  whom records are shared), each of which gives its records in order.  Many heads are asked for a few records first, and
  then only for those before the last that can be on the page.  It costs some lookups for each head.

The walk may spend what the ways would cost, so that nobody pays much more than twice the better plan, whatever was
guessed wrongly.  Guesses come from tallies, which may be old: they decide about time only, never about what is found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.backends.sql.tables import Guess
from nubetis.backends.sql.tallies import Tallies
from nubetis.backends.sql.unions import MANY, Asked, Heads, Union, counted, counted_links, walk, ways
from nubetis.model.bind import ALWAYS, All, AnyOf, Bound, Missing, No, OneOf, Test
from nubetis.model.fields import Operator
from nubetis.model.normal import normal_form
from nubetis.model.prepared import Settled
from nubetis.model.query import Order

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Connection
    from nubetis.backends.sql.tables import ModuleTable, Tables
    from nubetis.backends.sql.unions import Prepared
    from nubetis.types import Row, Stored

__all__ = ["Planner"]

_LOOKUP: Final = 4
"""What finding one head costs, in records walked."""
_FETCH: Final = 3
"""What a record found by an index costs."""
_FIRST: Final = 256
"""Records of the first window."""
_WIDER: Final = 4
"""How much longer the next is."""
_LINKS: Final = 20
"""Records to which a head of links leads, as long as nobody has counted them."""
_NARROW: Final = 500
"""So many records are few."""
_KEY: Final = (Order("id"),)


@attrs.frozen(kw_only=True)
class Planner:
    """Plans for one *union* in one transaction; where it has a *hole*, statements are asked with *now*."""

    tables: Tables
    home: ModuleTable
    union: Union
    db: Connection
    hole: str = ""
    now: str = ""

    def rows(self, segment: Bound, order: tuple[Order, ...], limit: int) -> list[Row]:
        """Give the first *limit* rows in *order* that fit within *segment*."""
        return self._rows(Asked(union=self.union, segment=segment, order=order, limit=limit))

    def count(self, limit: int | None) -> int:
        """Give how many rows fit, up to *limit*."""
        if limit is not None:
            return len(self._rows(Asked(union=self.union, order=_KEY, limit=limit, ids=True)))
        kept = self._kept()
        if kept is None:
            rows = sum(map(self._size, self.union.heads))
            return self._number_of(self.union.own, scanned=_FETCH * rows >= self._total)
        tallies, (module, column) = Tallies(self.db, self.tables), (self.home.module, kept.column)
        beside = [each for each in self.union.own if each.column != column]
        if 2 * self._share < 1:
            return tallies.total(module, column, kept.values) + self._number_of(beside, without=kept)
        hidden = tallies.without(module, column, kept.values)
        hiding = sum(hidden.values())
        found = tallies.whole(module, column) - hiding
        if _FETCH * hiding <= self._cost_beside:
            return found + self._number_among(hidden, beside, column)
        return found + self._number_of(beside, without=kept)

    def _kept(self) -> OneOf | None:
        """Give the heads whose counts the ledger has, where nothing else is asked of the rows."""
        if self.union.rest != ALWAYS or not self.union.live:
            return None
        tallied = [each for each in self.union.own if each.column in dict(self.home.tallied)]
        columns = {each.column for each in tallied}
        if len(columns) != 1:
            return None
        if len(tallied) == 1:
            return tallied[0]
        return OneOf(tallied[0].column, tuple(dict.fromkeys(value for each in tallied for value in each.values)))

    def _number_of(self, own: Sequence[OneOf], *, without: Bound | None = None, scanned: bool = False) -> int:
        """Count what *own* and each other way but the ledger's lead to, each record once, and none of *without*."""
        found, gone = 0, [] if without is None else [normal_form(No(without))]
        for among in (own, self.union.others):
            if among:
                made = counted(self.tables, self.home, self.union, among=among, without=gone, scanned=scanned)
                found += self._number(made)
                gone += [normal_form(No(each)) for each in among]
            scanned = False
        if self.union.links:
            found += self._number(counted_links(self.tables, self.home, self.union, self.union.links, without=gone))
        return found

    def _number_among(self, hidden: Mapping[Stored, int], beside: Sequence[OneOf], column: str) -> int:
        """Count what the ways *beside* the ledger's lead to, among the rows with one of the values *hidden*."""
        links = [each.through for each in self.union.links if each.through is not None]
        others = [*beside, *self.union.others, *links]
        if not hidden or not others:
            return 0
        given = OneOf(column, tuple([value for value in hidden if value is not None]))
        rest = normal_form(AnyOf((given, Missing(column)))) if None in hidden else given
        within = attrs.evolve(self.union, rest=rest)
        return self._number(counted(self.tables, self.home, within, among=others, scanned=True))

    def _number(self, prepared: Prepared) -> int:
        row = self._run(prepared)[0]
        return int(row[0] or 0)

    def _rows(self, asked: Asked) -> list[Row]:
        budget = self._cost_of_ways(asked)
        for guess in {self._guess(each) for each in self._tallied}:
            guess.asked += 1
        if self._is_narrow(asked):
            return self._run(walk(self.tables, self.home, asked))
        for window in self._windows(asked, budget):
            found = self._run(walk(self.tables, self.home, asked, window))
            if len(found) == asked.limit:
                return found
        plan = walk if budget >= self._total else ways
        return self._run(plan(self.tables, self.home, asked))

    def _run(self, prepared: Prepared) -> list[Row]:
        statement, constants = prepared
        if self.hole:
            constants = [self.now if each is self.hole else each for each in constants]
        return self.db.execute(statement.text, statement.arguments(constants)).fetchall()

    # costs, in records walked ------------------------------------------------------------------------------
    def _windows(self, asked: Asked, budget: float) -> Iterator[int]:
        """Give the windows to try, each longer than the one before: together they cost what the ways would."""
        if not self._is_walked(asked.order):
            return
        expected = asked.limit / self._share if self._share else self._total
        if expected > budget and not self.union.others:
            return
        window = max(_FIRST, int(2 * expected))
        while window <= budget and window < self._total:
            yield window
            window *= _WIDER

    def _cost_of_ways(self, asked: Asked) -> float:
        heads = sum(len(each.values) for each in self.union.heads)
        if asked.along_key and self.union.rest == ALWAYS:
            return 2 * _LOOKUP * heads + _FETCH * asked.limit * min(heads, MANY)
        return _LOOKUP * heads + _FETCH * sum(map(self._size, self.union.heads))

    @property
    def _cost_beside(self) -> float:
        """What counting the other ways than those of the ledger costs: those without index have all records read."""
        links = sum(_LOOKUP * len(each.values) + _FETCH * self._size(each) for each in self.union.links)
        return links + (self._total if self.union.others else 0)

    def _is_walked(self, order: tuple[Order, ...]) -> bool:
        """Say whether an index gives the records in *order*, so that a window of them is found at once."""
        first, *others = order
        if first.column == "id":
            return True
        led = any(index.columns == (first.column,) and not index.digest for index in self.home.indexes)
        return led and [each.column for each in others] == ["id"] and others[0].descending == first.descending

    def _is_narrow(self, asked: Asked) -> bool:
        """Say whether few records fit what is asked besides the ways, and an index finds them."""
        parts = self.union.rest.parts if isinstance(self.union.rest, All) else ()
        led = {index.columns[0] for index in self.home.indexes if not index.digest} if parts else set()
        tests = [part for part in parts if isinstance(part, Test | OneOf) and part.column in led]
        for test in tests:
            if isinstance(test, OneOf) or test.operator is Operator.EQ:
                return self._fits_few(asked, test)
        return False

    def _fits_few(self, asked: Asked, test: Bound) -> bool:
        only = attrs.evolve(self.union, rest=test, whole=ALWAYS)
        few = Asked(union=only, segment=asked.segment, order=_KEY, limit=_NARROW, ids=True)
        return len(self._run(walk(self.tables, self.home, few))) < _NARROW

    # guesses -----------------------------------------------------------------------------------------------
    @cached_property
    def _tallied(self) -> list[Heads]:
        columns = dict(self.home.tallied)
        return [each for each in self.union.heads if each.through is None and each.column in columns]

    @cached_property
    def _total(self) -> int:
        return self._guess(self._tallied[0]).total if self._tallied else 0

    @cached_property
    def _share(self) -> float:
        """How many of all records the greatest way leads to, as far as is known."""
        return max(map(self._size, self._tallied), default=0) / self._total if self._total else 0.0

    def _size(self, heads: Heads) -> int:
        """Give how many rows *heads* lead to."""
        if heads not in self._tallied:
            return _LINKS * len(heads.values)
        guess, values = self._guess(heads), heads.values
        known = values.kept.get("rows") if isinstance(values, Settled) else None
        if isinstance(known, tuple) and known[0] is guess:
            return int(known[1])
        size = sum([guess.counts.get(value, 0) for value in values])
        if isinstance(values, Settled):
            values.kept["rows"] = guess, size
        return size

    def _guess(self, heads: Heads) -> Guess:
        key = self.home.module.id, heads.column
        known = self.tables.guesses.get(key)
        if known is None or known.is_old:
            counts = Tallies(self.db, self.tables).of(self.home.module, heads.column)
            known = self.tables.guesses[key] = Guess(counts, sum(counts.values()))
        return known
