"""Statements for what several ways lead to: a walk that tests each record, and each way asked for its first.

See :mod:`nubetis.backends.sql.planner`, which chooses between them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import attrs
import sqlalchemy as sa

from nubetis.backends.sql.compile import Conditions
from nubetis.backends.sql.shapes import SMALL, packed, shape
from nubetis.backends.sql.tables import parameter
from nubetis.model.bind import ALWAYS, All, AnyOf, Bound, Holds, Linked, Linking, Missing, OneOf, Test
from nubetis.model.fields import Operator
from nubetis.model.query import Order
from nubetis.types import LEAST, MOST

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Bool, Cell
    from nubetis.backends.sql.tables import ModuleTable, Statement, Tables
    from nubetis.types import Stored

__all__ = ["Asked", "Heads", "Union", "counted", "counted_links", "union_of", "walk", "ways"]

_LIVE: Final = Missing("deleted_in")

Prepared: TypeAlias = "tuple[Statement, list[Stored]]"
"""A statement and its constants."""


# -- what is asked ----------------------------------------------------------------------------------------------------
@attrs.frozen(kw_only=True)
class Heads:
    """A way by index: rows whose *column* is one of *values* and that fit *where*; of those *through* links from."""

    column: str
    values: tuple[Stored, ...]
    where: Bound = ALWAYS
    through: Linking | None = None


@attrs.frozen(kw_only=True)
class Union:
    """What a filter asks: *rest*, and at least one of the ways, by *heads* or the *others*; *whole* is all the ways.

    *live* says that records in the recycle bin are out of the question.
    """

    rest: Bound
    live: bool
    whole: Bound
    heads: tuple[Heads, ...]
    others: tuple[Bound, ...]

    @property
    def own(self) -> tuple[OneOf, ...]:
        """The heads that are values of the rows themselves, as tests."""
        return tuple([OneOf(each.column, each.values) for each in self.heads if each.through is None])

    @property
    def links(self) -> tuple[Heads, ...]:
        """The heads of links."""
        return tuple([each for each in self.heads if each.through is not None])


def union_of(tables: Tables, home: ModuleTable, where: Bound) -> Union | None:
    """Give what *where*, in normal form, asks as a union; ``None`` where heads lead to none of it."""
    parts = where.parts if isinstance(where, All) else (where,)
    for place, part in enumerate(parts):
        ways = part.parts if isinstance(part, AnyOf) else ()
        found = [_heads(tables, home, way) for way in ways]
        if any(each is not None for each in found):
            rest = tuple([each for each in (*parts[:place], *parts[place + 1 :]) if each != _LIVE])
            return Union(
                rest=All(rest), live=len(rest) < len(parts) - 1, whole=AnyOf(tuple(sorted(ways, key=_effort))),
                heads=tuple([each for each in found if each is not None]),
                others=tuple([way for way, each in zip(ways, found, strict=True) if each is None]),
            )  # fmt: skip
    return None


def _effort(way: Bound) -> int:
    """Give how dear it is to test a record for *way*: what is cheap is asked first, and is often enough."""
    match way:
        case Linked() | Linking() | Holds():
            return 3
        case All(parts) | AnyOf(parts):
            return max(map(_effort, parts), default=0)
        case OneOf(_, values):
            return 1 if len(values) <= SMALL else 2
        case _:
            return 0


def _heads(tables: Tables, home: ModuleTable, way: Bound) -> Heads | None:
    match way:
        case OneOf(column, values) if _leads(home, column):
            return Heads(column=column, values=values)
        case Test(column, Operator.EQ, value) if _leads(home, column):
            return Heads(column=column, values=(value,))
        case Linking(where=All(parts), prefix=None):
            return _linking(tables, way, parts)
        case _:
            return None


def _linking(tables: Tables, way: Linking, parts: Sequence[Bound]) -> Heads | None:
    there = tables.of(way.module)
    fixed = {part.column for part in parts if isinstance(part, Test) and part.operator is Operator.EQ}
    for part in parts:
        if isinstance(part, OneOf) and _leads_on(there, part.column, fixed, way.via):
            left = All(tuple([each for each in parts if each is not part]))
            return Heads(column=part.column, values=part.values, where=left, through=way)
    return None


def _leads(home: ModuleTable, column: str) -> bool:
    """Say whether an index gives the rows of one value of *column*, in the order of their keys."""
    return (column,) in home.plain_indexes


def _leads_on(home: ModuleTable, column: str, fixed: set[str], via: str) -> bool:
    """Say whether an index gives the rows of one value of *column*, where others are *fixed*, in the order of *via*."""
    found = home.plain_indexes
    return any(each[0] == column and each[-1] == via and fixed.issuperset(each[1:-1]) for each in found)


@attrs.frozen(kw_only=True)
class Asked:
    """A page of *union* within *segment*: its first *limit* records in *order*, or their *ids* alone."""

    union: Union
    segment: Bound = ALWAYS
    order: tuple[Order, ...]
    limit: int
    ids: bool = False

    @property
    def along_key(self) -> bool:
        """Whether the key alone orders."""
        return len(self.order) == 1 and self.order[0].column == "id"

    @property
    def down(self) -> bool:
        """Whether the order descends."""
        return self.order[0].descending


# -- how it is asked --------------------------------------------------------------------------------------------------
_Ids: TypeAlias = sa.Select[tuple[object]]


class _Builder:
    """Builds one statement, whose parts may each be used several times: their constants have their places."""

    def __init__(self, tables: Tables, home: ModuleTable, asked: Asked) -> None:
        self._tables = tables
        self.home = home
        self.asked = asked
        self._aliases = count(1)
        self.key: list[object] = [asked.order, asked.ids, asked.union.live]
        self.constants: list[Stored] = []
        self._rest = self.take(asked.union.rest)
        self._segment = self.take(asked.segment)

    def take(self, bound: Bound) -> int:
        """Take in the constants of *bound*; give the place of the first."""
        first = len(self.constants)
        found, values = shape(bound, self._tables.dialect.pack_many)
        self.key.append(found)
        self.constants += values
        return first

    def constant(self, value: Stored) -> int:
        """Take in one constant; give its place."""
        self.constants.append(value)
        return len(self.constants) - 1

    def take_heads(self, heads: Heads) -> _Taken:
        """Take in *heads*."""
        through = None if heads.through is None else (id(heads.through.module), heads.through.via)
        self.key += ("heads", heads.column, through)
        values = self.constant(packed(heads.values, self._tables.dialect.pack_many))
        return _Taken(heads, values, self.take(heads.where))

    def finished(self, name: str, build: Callable[[], sa.ClauseElement], *, keep: object = None) -> Prepared:
        """Give what *build* makes, the first time that it is asked for; *keep* as long as it is kept."""
        made = self.home.statement((name, *self.key), build, keep=(self.asked, keep))
        return made, self.constants

    # expressions -------------------------------------------------------------------------------------------
    def name(self, letter: str) -> str:
        """Give a name that nothing else in the statement has."""
        return f"{letter}{next(self._aliases)}"

    def row(self) -> sa.FromClause:
        """Give the module's table by another name."""
        return self.home.table.alias(self.name("t"))

    def near(self, row: sa.FromClause) -> list[Bool]:
        """Give what says that *row* is in the segment, and not in the bin."""
        living = [row.c.deleted_in.is_(None)] if self.asked.union.live else []
        within = [] if self.asked.segment == ALWAYS else [self.condition(self.asked.segment, row, self._segment)]
        return [*living, *within]

    def rest(self, row: sa.FromClause, *, probe: bool = False) -> list[Bool]:
        """Give what is asked besides the ways."""
        rest = self.asked.union.rest
        return [] if rest == ALWAYS else [self.condition(rest, row, self._rest, probe=probe)]

    def condition(self, bound: Bound, row: sa.FromClause, first: int, *, probe: bool = False) -> Bool:
        """Give *bound*, whose constants begin at *first*, of *row*."""
        return Conditions(self._tables, self.home.module, row, first=first, probe=probe).condition(bound)

    def by(self, row: sa.FromClause) -> list[Cell]:
        """Give the order, of *row*."""
        return [self.home.dialect.ordered(row.c[each.column], each.descending) for each in self.asked.order]

    def found(self, where: Bool, limit: int) -> sa.ClauseElement:
        """Give the page of the records that fit *where*."""
        table = self.home.table
        cells = [table.c.id] if self.asked.ids else self.home.row()
        return _limited(sa.select(*cells).where(where).order_by(*self.by(table)), limit)

    # ways --------------------------------------------------------------------------------------------------
    def of_heads(self, taken: _Taken, limit: int, cut: Cell | None = None) -> _Ids:
        """Give the first *limit* ids of each head, not beyond *cut*."""
        heads = taken.heads
        home = self.home if heads.through is None else self._tables.of(heads.through.module)
        dialect = self._tables.dialect
        each = dialect.each(home.table.c[heads.column], parameter(taken.values), self.name("h"))
        one, by = self._owned(heads, each) if heads.through is None else self._linked(taken, heads.through, each)
        if cut is not None:
            one = one.where(self._before(one.selected_columns[0], cut))
        return self._of_each(each, _limited(one.order_by(*by), limit))

    def _of_each(self, each: sa.FromClause, one: _Ids) -> _Ids:
        """Give the ids that *one* gives for each head."""
        lateral = self._tables.dialect.lateral(one.correlate(each), self.name("l"))
        (key,) = lateral.c
        return sa.select(key.label("id")).select_from(each.join(lateral, sa.true()))

    def _owned(self, heads: Heads, each: sa.FromClause) -> tuple[_Ids, list[Cell]]:
        row = self.row()
        found = sa.select(row.c.id).where(row.c[heads.column] == each.c.value, *self.near(row), *self.rest(row))
        return found, self.by(row)

    def _linked(self, taken: _Taken, through: Linking, each: sa.FromClause) -> tuple[_Ids, list[Cell]]:
        link, row = self._tables.of(through.module).table.alias(self.name("s")), self.row()
        tests = [*self._links(taken, through, link, each), row.c.id == link.c[through.via]]
        tests += [*self.near(row), *self.rest(row)]
        if self.asked.along_key:
            key = link.c[through.via]
            by = self.home.dialect.ordered(key, self.asked.down)
            return sa.select(key.label("id")).distinct().where(*tests), [by]
        return sa.select(row.c.id).where(*tests).group_by(row.c.id), self.by(row)

    def _links(self, taken: _Taken, through: Linking, link: sa.FromClause, each: sa.FromClause) -> list[Bool]:
        """Give what a *link* must fit to lead from one of the heads in *each*."""
        where = Conditions(self._tables, through.module, link, first=taken.where).condition(taken.heads.where)
        living = [link.c.deleted_in.is_(None)] if through.module.journalled else []
        return [link.c[taken.heads.column] == each.c.value, where, *living]

    def linked(self, taken: _Taken, through: Linking, most: int) -> _Ids:
        """Give the ids to which links of all heads lead; *most*, which is never reached, has them looked up by head."""
        link = self._tables.of(through.module).table.alias(self.name("s"))
        each = self._tables.dialect.each(link.c[taken.heads.column], parameter(taken.values), self.name("h"))
        one = sa.select(link.c[through.via].label("id")).where(*self._links(taken, through, link, each))
        return self._of_each(each, _limited(one, most))

    def of_other(self, other: Bound, first: int, limit: int, cut: Cell | None = None) -> _Ids:
        """Give the first *limit* ids of one of the other ways, not beyond *cut*."""
        row = self.row()
        one = sa.select(row.c.id).where(*self.near(row), *self.rest(row), self.condition(other, row, first))
        one = one if cut is None else one.where(self._before(row.c.id, cut))
        return sa.select(_limited(one.order_by(*self.by(row)), limit).subquery(self.name("o")).c.id)

    def _before(self, key: Cell, cut: Cell) -> Bool:
        return key >= cut if self.asked.down else key <= cut

    def first_of(self, ids: sa.FromClause, limit: int) -> _Ids:
        """Give the first *limit* of *ids*, each once, along the key."""
        key = ids.c.id
        return _limited(sa.select(key).distinct().order_by(key.desc() if self.asked.down else key.asc()), limit)

    def cut(self, first: sa.FromClause, limit: int) -> Cell:
        """Give the last id that can be on the page, by the ids of *first*."""
        page, down = self.first_of(first, limit).subquery(self.name("p")), self.asked.down
        # the least itself would be read as minus one that is too great
        last, beyond = (sa.func.min, LEAST + 1) if down else (sa.func.max, MOST)
        full = sa.func.count() >= parameter(limit)
        whole = sa.case((full, last(page.c.id)), else_=sa.literal_column(str(beyond)))
        return sa.select(whole).select_from(page).scalar_subquery()


@attrs.frozen
class _Taken:
    """Heads, and the places of their values and of the constants of their condition."""

    heads: Heads
    values: int
    where: int


def _limited(selected: sa.Select[Any], place: int) -> sa.Select[Any]:
    return selected.suffix_with(sa.text(f"LIMIT :{parameter(place).key}"))


def walk(tables: Tables, home: ModuleTable, asked: Asked, window: int | None = None) -> Prepared:
    """Give the statement that tests records one by one, in order: all of them, or the next *window* alone."""
    made = _Builder(tables, home, asked)
    whole, limit = made.take(asked.union.whole), made.constant(asked.limit)
    size = None if window is None else made.constant(window)

    def fits(row: sa.FromClause, *, probe: bool) -> list[Bool]:
        return [*made.rest(row, probe=probe), made.condition(asked.union.whole, row, whole, probe=True)]

    def build() -> sa.ClauseElement:
        if size is None:
            return made.found(sa.and_(*made.near(home.table), *fits(home.table, probe=False)), limit)
        row = made.row()
        near = _limited(sa.select(row).where(*made.near(row)).order_by(*made.by(row)), size).subquery(made.name("w"))
        return made.found(home.table.c.id.in_(sa.select(near.c.id).where(*fits(near, probe=True))), limit)

    return made.finished("walk" if size is None else "window", build)


MANY: Final = 16
"""Heads from which on each is asked for few records first."""


def ways(tables: Tables, home: ModuleTable, asked: Asked) -> Prepared:
    """Give the statement that asks each way for its first, and finds the page among them."""
    made = _Builder(tables, home, asked)
    taken = [made.take_heads(heads) for heads in asked.union.heads]
    others = [(other, made.take(other)) for other in asked.union.others]
    limit = made.constant(asked.limit)
    heads = sum(len(each.values) for each in asked.union.heads)
    few = made.constant(max(4, 4 * asked.limit // heads)) if heads > MANY and asked.along_key else limit
    made.key.append(few == limit)

    def build() -> sa.ClauseElement:
        first = sa.union_all(*[made.of_heads(each, few) for each in taken]).cte("first")
        cut = made.cut(first, limit) if asked.along_key else None
        again = [sa.select(first.c.id)] if few == limit else [made.of_heads(each, limit, cut) for each in taken]
        hit = sa.union_all(*again, *[made.of_other(other, place, limit, cut) for other, place in others]).cte("hit")
        ids = made.first_of(hit, limit) if asked.along_key else sa.select(hit.c.id)
        return made.found(home.table.c.id.in_(ids), limit)

    return made.finished("ways", build)


# -- counts -----------------------------------------------------------------------------------------------------------
_KEY: Final = (Order("id"),)


def counted(
    tables: Tables,
    home: ModuleTable,
    union: Union,
    *,
    among: Sequence[Bound],
    without: Sequence[Bound] = (),
    scanned: bool = False,
) -> Prepared:
    """Give the statement that counts what fits one *among* some ways, and each *without*; *scanned* row by row."""
    made = _Builder(tables, home, Asked(union=union, order=_KEY, limit=0))
    some = AnyOf(tuple(among)) if len(among) > 1 else among[0]
    first = made.take(some)
    tests = [(each, made.take(each)) for each in without]
    made.key.append(scanned)

    def build() -> sa.ClauseElement:
        row = made.row()
        fits = [made.condition(some, row, first, probe=scanned), *made.near(row), *made.rest(row)]
        fits += [made.condition(each, row, place, probe=True) for each, place in tests]
        return sa.select(sa.func.count()).select_from(row).where(*fits)

    return made.finished("counted", build, keep=(*among, *without))


def counted_links(
    tables: Tables, home: ModuleTable, union: Union, links: Sequence[Heads], *, without: Sequence[Bound]
) -> Prepared:
    """Give the statement that counts the records to which *links* lead, and of which each *without* holds."""
    made = _Builder(tables, home, Asked(union=union, order=_KEY, limit=0))
    taken = [(made.take_heads(each), each.through) for each in links]
    tests = [(each, made.take(each)) for each in without]
    most = made.constant(1 << 62)

    def build() -> sa.ClauseElement:
        ids = [made.linked(each, through, most) for each, through in taken if through is not None]
        once = (sa.union(*ids) if len(ids) > 1 else ids[0].distinct()).subquery(made.name("c"))
        row = made.row()
        fits = [row.c.id == once.c.id, *made.near(row), *made.rest(row)]
        fits += [made.condition(each, row, place, probe=True) for each, place in tests]
        there: sa.Select[tuple[object]] = sa.select(sa.literal_column("1")).select_from(row).where(*fits)
        there = there.correlate(once).suffix_with(sa.text("LIMIT 1"))
        return sa.select(sa.func.count()).select_from(once).where(there.scalar_subquery().is_not(None))

    return made.finished("links", build, keep=(*links, *without))
