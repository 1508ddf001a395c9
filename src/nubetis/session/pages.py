"""Pages: a query bound, limited by the policy, run, and given its cursors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nubetis.access.decision import Action
from nubetis.errors import InvalidCursor, InvalidValue, require
from nubetis.model.bind import All, Bound, No, bind
from nubetis.model.columns import bind_sort
from nubetis.model.query import (
    BoundQuery,
    Order,
    Page,
    Query,
    Total,
    digest_of,
    is_place,
    order_values,
    read_cursor,
    write_cursor,
)
from nubetis.model.schema import Module
from nubetis.session.state import State
from nubetis.session.world import LIVE
from nubetis.types import Row

__all__ = ["CAP", "MOST", "find_page"]

CAP = 1000
"""How far a capped total counts."""
MOST = 10_000
"""Records of one page."""
_BY_ID: Final = (Order("id"),)


def find_page(state: State, query: Query) -> Page:
    """Give the page that *query* asks for; inside a unit."""
    require(query.limit, int, argument="limit", expected="a whole number")
    if not 1 <= query.limit <= MOST:
        raise InvalidValue("bad_argument", argument="limit", reason=f"a page has 1 to {MOST:,} records")
    module = state.known.schema.module(query.module)
    where = _bound(state, module, query)
    order = bind_order(state, module, query.sort)
    digest = digest_of(query)
    after, back = read_cursor(query.after, digest) if query.after is not None else (None, False)
    if after is not None and not is_place(order, module, after):
        raise InvalidCursor("cursor_foreign")
    asked = BoundQuery(module=module, where=where, order=order, limit=query.limit + 1, after=after)
    rows = state.txn.query(asked.reversed() if back else asked)
    more, rows = len(rows) > query.limit, rows[: query.limit]
    if back:
        rows.reverse()
    total, capped = _counted(state, module, where, query.total)
    return Page(
        records=state.sight.records(module, rows), filter=query.where, sort=query.sort, total=total, capped=capped,
        next=_cursor(module, order, rows[-1], digest, back=False) if rows and (more or back) else None,
        previous=_cursor(module, order, rows[0], digest, back=True) if rows and (more if back else after) else None,
    )  # fmt: skip


def _bound(state: State, module: Module, query: Query) -> Bound:
    planner = state.planner()
    if not query.deleted:
        return planner.bound(module, query.where, Action.VIEW)
    planner.require(Action.VIEW, module)
    wanted = bind(query.where, module, state.known.schema, planner.view)
    return All((No(LIVE), wanted, planner.granted(module, Action.VIEW)))


def bind_order(state: State, module: Module, sort: Sequence[str]) -> tuple[Order, ...]:
    """Give the columns that *sort* names, ended by the id."""
    if not sort:
        return _BY_ID
    view = state.view()
    order = [Order(bind_sort(module, name.removeprefix("-"), view), name.startswith("-")) for name in sort]
    if all(each.column != "id" for each in order):
        order.append(Order("id", descending=order[-1].descending if order else False))
    return tuple(order)


def _cursor(module: Module, order: Sequence[Order], row: Row, digest: str, *, back: bool) -> str:
    return write_cursor(digest, order_values(module, order, row), back=back)


def _counted(state: State, module: Module, where: Bound, wanted: Total) -> tuple[int | None, bool]:
    """Give how many records fit, as far as that is *wanted*, and whether there are more."""
    if wanted is Total.NONE:
        return None, False
    limit = CAP + 1 if wanted is Total.CAPPED else None
    found = state.txn.count(module, where, limit=limit)
    capped = limit is not None and found > CAP
    return CAP if capped else found, capped
