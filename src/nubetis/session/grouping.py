"""Numbers for groups of records: what they are grouped by, what is computed, and both as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.access.decision import Action
from nubetis.errors import InvalidValue, require
from nubetis.model.columns import as_part, bad_operator, find_column
from nubetis.model.fields import Field, Part, Storage, Value
from nubetis.model.filters import Filter
from nubetis.model.store import Measure, MeasureKind
from nubetis.types import Row

if TYPE_CHECKING:
    from nubetis.model.bind import Viewpoint
    from nubetis.model.schema import Module
    from nubetis.session.state import State

__all__ = ["aggregated"]

_NUMBERS: Final = frozenset({Storage.INTEGER, Storage.DECIMAL})
_MEASURES: Final = "count, sum amount, min amount, max amount"
_UNORDERED: Final = frozenset({Storage.SET, Storage.BYTES})


def aggregated(
    state: State, module: Module, where: Filter, by: Sequence[str], measures: Mapping[str, str]
) -> list[dict[str, Value]]:
    """Give a dict of the fields of *by* and the names of *measures* for each group of the records that fit."""
    _check_names(by, measures)
    planner = state.planner()
    groups = [_grouped(module, name, planner.view) for name in by]
    wanted = {name: _measure(module, text, planner.view) for name, text in measures.items()}
    parts = [(group, part) for group in groups for part in group.parts]
    shown = [Measure(MeasureKind.MIN, field.column_of(part)) for field, part in parts if field.has_twin(part)]
    rows = state.txn.aggregate(
        module,
        planner.bound(module, where, Action.VIEW),
        groups=[f"{field.column_of(part)}{'__f' if field.has_twin(part) else ''}" for field, part in parts],
        measures=[*[measure for measure, _ in wanted.values()], *shown],
    )
    cells = [*zip(by, map(_Cells, groups), strict=True), *[(name, each) for name, (_, each) in wanted.items()]]
    return [_values(_unfolded(row, parts), cells) for row in rows]


def _check_names(by: Sequence[str], measures: Mapping[str, str]) -> None:
    if not measures:
        raise InvalidValue("bad_argument", argument="measures", reason="give measures by name")
    for name in measures:
        require(name, str, argument="measures", expected="a text as the name of each")
        if name in by:
            reason = f"records are grouped by {name}: give the measure another name"
            raise InvalidValue("bad_argument", argument="measures", reason=reason)


def _grouped(module: Module, path: str, view: Viewpoint) -> Field:
    """Give what records are grouped by: a field with all of its parts, or the one that *path* names."""
    field, part = find_column(module, path, view)
    return as_part(field, part) if "." in path else field


def _unfolded(row: Row, parts: Sequence[tuple[Field, Part]]) -> Row:
    """Give *row* with a text of each group as somebody wrote it, which stands at its end, for what is folded alike."""
    folded = [field.has_twin(part) for field, part in parts]
    texts = iter(row[len(row) - sum(folded) :])
    heads = [next(texts) if twin else cell for twin, cell in zip(folded, row, strict=False)]
    return (*heads, *row[len(parts) : len(row) - sum(folded)])


@attrs.frozen
class _Cells:
    """What cells of a row of the store's answer mean: the parts of *field*, or a number as it is."""

    field: Field | None = None

    @property
    def width(self) -> int:
        """The number of cells."""
        return 1 if self.field is None else len(self.field.parts)

    def value(self, cells: Row) -> Value:
        """Give the value that *cells* are."""
        if self.field is None or all(cell is None for cell in cells):
            return cells[0]
        return self.field.type.unpack(self.field, cells)


def _measure(module: Module, text: str, view: Viewpoint) -> tuple[Measure, _Cells]:
    require(text, str, argument="measures", expected=_MEASURES)
    name, _, path = text.partition(" ")
    if name not in list(MeasureKind) or (not path and name != MeasureKind.COUNT):
        raise InvalidValue("bad_argument", argument="measures", reason=f"give {_MEASURES}")
    kind = MeasureKind(name)
    if not path:
        return Measure(kind), _Cells()
    field, part = find_column(module, path, view)
    if kind is MeasureKind.COUNT:
        return Measure(kind, field.column_of(part)), _Cells()
    whole = "." not in path
    only = as_part(field, field.order_part if whole else part)
    if (whole and part.name) or not _is_measured(only, kind):  # an address has no order, its city has
        raise bad_operator(field, kind.value)
    return Measure(kind, only.column), _Cells(only)


def _is_measured(field: Field, kind: MeasureKind) -> bool:
    """Say whether there is such a number of *field*: sums of numbers, the least and greatest of what has an order."""
    if len(field.parts) != 1:
        return False
    (part,) = field.parts
    if kind is MeasureKind.SUM:
        return part.storage in _NUMBERS
    return part.storage not in _UNORDERED and (field.filterable or not part.text)


def _values(row: Row, cells: Sequence[tuple[str, _Cells]]) -> dict[str, Value]:
    found: dict[str, Value] = {}
    start = 0
    for name, each in cells:
        found[name] = each.value(row[start : start + each.width])
        start += each.width
    return found
