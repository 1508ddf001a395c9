"""What operations wrote, told from the journal: how many records of which modules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from nubetis.model.bind import OneOf
from nubetis.model.journal import read_inserts
from nubetis.model.schema import key_of
from nubetis.model.store import Measure, MeasureKind
from nubetis.model.system import CHANGES, ENTRIES
from nubetis.types import Key, ModuleId, ModuleName, Row

if TYPE_CHECKING:
    from nubetis.session.state import State

__all__ = ["counted"]

_LOT: Final = 500
_COUNT: Final = (Measure(MeasureKind.COUNT),)


def counted(state: State, keys: Sequence[Key]) -> dict[Key, Mapping[ModuleName, int]]:
    """Give by operation how many records of which modules it made or changed; inside a unit.

    Raises:
        Damaged: nubetis did not write the journal so.
    """
    found: dict[Key, Counter[ModuleName]] = {key: Counter() for key in keys}
    for start in range(0, len(keys), _LOT):
        lot = OneOf("operation", tuple(keys[start : start + _LOT]))
        entries = [row for batch in state.txn.stream(ENTRIES, lot) for row in zip(*batch, strict=True)]
        _count_lot(state, entries, found)
    return {key: {name: counts[name] for name in sorted(counts)} for key, counts in found.items()}


def _count_lot(state: State, entries: Sequence[Row], found: dict[Key, Counter[ModuleName]]) -> None:
    place, names = ENTRIES.layout.index["operation"], state.known.schema.by_id

    def add(operation: Key, number: int, count: int) -> None:
        module = names.get(ModuleId(number))
        if module is not None:
            found[operation][module.name] += count

    of = {key_of(row): Key(int(str(row[place]))) for row in entries}
    for row in entries:
        for number, _, _, count in read_inserts(row):
            add(of[key_of(row)], number, count)
    for start in range(0, len(of), _LOT):
        where = OneOf("entry", tuple(of)[start : start + _LOT])
        for entry, module, many in state.txn.aggregate(CHANGES, where, groups=("entry", "module"), measures=_COUNT):
            add(of[Key(int(entry or 0))], int(module or 0), int(many or 0))
