"""Seeded makers of hostile values, rows and filters; what strategies, contract suite and long proofs share.

A *pool* of a few values a field makes records that agree now and then, so that a filter whose constants are drawn
from the records is true for a fair share of them: with thousands of distinct values every ``=`` would be false,
and equal answers would prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Final

import attrs

from nubetis.model.bind import Viewpoint
from nubetis.model.columns import as_part
from nubetis.model.exact import unscaled
from nubetis.model.fields import Field, Operator, Part, Storage, Value
from nubetis.model.filters import (
    EVERYTHING,
    And,
    Compare,
    Filter,
    Has,
    Not,
    Or,
    People,
    Period,
    PeriodKind,
    Unit,
    keywords,
)  # fmt: skip
from nubetis.model.fold import fold_text
from nubetis.model.ids import encode
from nubetis.model.kinds import BUILT_IN, Address, PersonName, WallTime
from nubetis.model.money import Money
from nubetis.model.query import BoundQuery, Order
from nubetis.model.schema import DELETED_IN, ID, VERSION, Module, Schema
from nubetis.types import RecordId, Row, Stored

if TYPE_CHECKING:
    from random import Random

    from nubetis.model.bind import Bound

__all__ = ["NOW", "TEXTS", "FilterMaker", "any_order", "any_query", "any_rows", "any_value", "any_view"]

NOW: Final = datetime(2026, 3, 15, 13, 45, tzinfo=UTC)
"""The instant at which generated filters are bound; generated dates lie round it."""

TEXTS: Final = (
    "a", "A", "á", "a\u0301", "ab", "a ", " a", "a  b", "a%", "a_b", "%", "_", "\\", "'", '"', "a'b", "--", "n", "ñ",
    "Ñ", "nz", "n\u0303\u0303", "o", "José", "JOSE", "jose\u0301", "Peña", "pena", "Núñez",
    "Straße", "STRASSE", "ﬁn", "fin",
    "東京", "東", "🙂", "👩‍👩‍👧",
    "\u0301", "\uffff", "\U0010ffff", "0", "10", "9", "1e3", "null", "NULL", "\t", "a\nb", "İ", "\u0131",
    "x" * 250, "ñ" * 120, "Ω", "Å", "①", "ｶﾞ",
)  # fmt: skip
"""Short texts that collations, patterns, quoting and folds tend to get wrong."""

LONG: Final = "ñandú 50% " * 1000
"""Ten thousand characters."""

INTEGERS: Final = (0, 1, -1, 2, 9, 10, 255, -256, 2**31, -(2**31), 2**53 + 1, 2**62 - 1, -(2**62) + 1)

ZONES: Final = ("UTC", "America/Lima", "Europe/Madrid", "Pacific/Auckland", "America/Santiago")


# -- values -----------------------------------------------------------------------------------------------------------
def _text(field: Field, random: Random) -> str:
    if field.max_length > len(LONG) and random.random() < 0.05:
        return LONG[random.randint(0, 9) :]
    one, two = random.choice(TEXTS), random.choice(TEXTS)
    return random.choice([one, one, one + two, f"{one} {two}"])[: field.max_length]


def _long_text(_: Field, random: Random) -> str:
    return LONG if random.random() < 0.05 else " ".join(random.choices(TEXTS, k=4))


def _decimal(field: Field, random: Random) -> Decimal:
    digits = random.choice([*INTEGERS[:8], random.randint(-999, 999), 10**18 - 1, 1 - 10**18])
    return unscaled(digits, field.scale)


def _instant(_: Field, random: Random) -> datetime:
    span = random.choice([timedelta(microseconds=1), timedelta(hours=1), timedelta(days=1), timedelta(days=40)])
    return NOW + random.randint(-12, 12) * span


def _date(field: Field, random: Random) -> date:
    return _instant(field, random).date()


def _time(field: Field, random: Random) -> time:
    return _instant(field, random).time()


def _wall(field: Field, random: Random) -> WallTime:
    return WallTime(_instant(field, random).replace(tzinfo=None), random.choice(ZONES[1:]))


def _money(field: Field, random: Random) -> Money:
    amount, home = _decimal(field, random), _decimal(field, random)
    return Money(amount, random.choice(["PEN", "EUR"]), home=home.copy_sign(amount) if amount else amount)


def _part(field: Field, random: Random) -> str | None:
    return random.choice([None, _text(field, random)])


def _address(field: Field, random: Random) -> Address | None:
    found = Address(street=_part(field, random), city=_part(field, random), country=random.choice([None, "PE"]))
    return found if str(found) else None


def _person(field: Field, random: Random) -> PersonName | None:
    found = PersonName(given=_part(field, random), family=_part(field, random))
    return found if str(found) else None


def _integer(_: Field, random: Random) -> int:
    return random.choice([*INTEGERS, random.randint(-9, 9)])


def _email(_: Field, random: Random) -> str:
    return random.choice(["ana", "ANA", "josé", "a_b", "a%b"]) + random.choice(
        ["@acme.pe", "@ACME.pe", "@ñandú.example"]
    )


def _link(field: Field, random: Random) -> RecordId | None:
    return encode(random.choice(field.prefixes), random.randint(1, 9)) if field.prefixes else None


_HOSTILE: Final[Mapping[str, Callable[[Field, Random], Value]]] = {
    "text": _text, "long_text": _long_text, "integer": _integer, "auto_number": _integer, "decimal": _decimal,
    "percent": _decimal, "money": _money, "date": _date, "datetime": _instant, "time": _time, "wall_time": _wall,
    "address": _address, "person_name": _person, "email": _email, "link": _link, "owner": _link,
}  # fmt: skip


def any_value(random: Random, field: Field) -> Value:
    """Give a value that *field* takes, ``None`` now and then; hostile where its type allows."""
    if random.random() < 0.2:
        return None
    maker = _HOSTILE.get(field.type.name, field.type.sample)
    return field.check(maker(field, random))


def any_rows(random: Random, module: Module, *, count: int, pool: int = 4) -> list[Row]:
    """Give stored rows with keys 1 to *count*, whose cells are drawn from *pool* values a field.

    Unique fields are left empty; one row in six is deleted.
    """
    columns = [_cells(random, field, count=count, pool=pool) for field in module.all_fields]
    rows = [tuple([cell for cells in columns for cell in cells[place]]) for place in range(count)]
    return [_with_system(module, random, row, place + 1) for place, row in enumerate(rows)]


def _cells(random: Random, field: Field, *, count: int, pool: int) -> list[Row]:
    if field.unique or field.system:
        return [(None,) * len(field.parts)] * count
    values = [field.pack(any_value(random, field)) for _ in range(pool)]
    return random.choices(values, k=count)


def _with_system(module: Module, random: Random, row: Row, key: int) -> Row:
    cells: list[Stored] = list(row)
    cells[ID] = key
    if module.journalled:
        cells[VERSION] = random.randint(1, 3)
        cells[DELETED_IN] = random.choice([None] * 5 + [7])
    return tuple(cells)


def any_view(random: Random, users: Sequence[RecordId] = ()) -> Viewpoint:
    """Give a viewpoint at :data:`NOW`: some zone, some first day of the week and of the fiscal year."""
    some = tuple(random.sample(users, k=min(len(users), 2)))
    people = {each: some[: 1 if each is People.ME else 2] for each in People}
    return Viewpoint(
        now=NOW,
        zone=random.choice(ZONES),
        first_day=random.randint(0, 6),
        fiscal_month=random.randint(1, 12),
        people=people,
    )


# -- filters ----------------------------------------------------------------------------------------------------------
@attrs.frozen
class _Target:
    """Something that a filter can name: a field or one of its parts."""

    path: str
    field: Field
    part: Part
    operators: tuple[Operator, ...]


_CHANGES: Final = frozenset({Operator.CHANGED, Operator.CHANGED_FROM, Operator.CHANGED_TO})


def _targets(module: Module, known: frozenset[str]) -> list[_Target]:
    found: list[_Target] = []
    for slot in module.layout.slots.values():
        named = [part for part in slot.field.parts if part.name and part.kind]
        whole = [part for part in slot.field.parts if not part.name]
        found += [_target(slot.field, part, known) for part in whole + named]
    return [target for target in found if target.operators]


def _target(field: Field, part: Part, known: frozenset[str]) -> _Target:
    rules = BUILT_IN[part.kind] if part.name else field.type
    path = f"{field.name}.{part.name}" if part.name else str(field.name)
    unusable = _CHANGES if known.issuperset(field.targets) else _CHANGES | {Operator.LINKED}
    allowed = [each for each in rules.operators - unusable if _is_known(field, part, each)]
    return _Target(path, field, part, tuple(sorted(allowed)))


def _is_known(field: Field, part: Part, operator: Operator) -> bool:
    if operator is Operator.MATCHES:
        return field.has_twin(part)
    return operator is Operator.EMPTY or field.filterable or not part.text


class FilterMaker:
    """Makes filters for *module* whose constants come from *rows*; deterministic in the ``Random`` given.

    *related* has rows of other modules, for filters on linked records; *people* says whether "me" and other people
    who depend on the viewer may be compared with.
    """

    def __init__(
        self,
        module: Module,
        rows: Sequence[Row],
        *,
        schema: Schema,
        related: Mapping[str, Sequence[Row]] | None = None,
        people: bool = True,
    ) -> None:
        self._module = module
        self._rows = rows
        self._schema = schema
        self._related = dict(related or {})
        self._people = people
        self._targets = _targets(module, frozenset(self._related))
        self._links = [
            (other, field)
            for name in self._related
            for other in [schema.module(name)]
            for field in other.fields
            if module.name in field.targets
        ]

    def leaf(self, random: Random, *, depth: int = 0) -> Filter:
        """Give one comparison."""
        if depth and self._links and random.random() < 0.08:
            return self._has(random, depth)
        target = random.choice(self._targets)
        return self.compare(random, target.path, operator=random.choice(target.operators), depth=depth)

    def compare(self, random: Random, path: str, *, operator: Operator, depth: int = 0) -> Filter:
        """Give a comparison of the field *path* by *operator*."""
        target = next(each for each in self._targets if each.path == path)
        if operator is Operator.LINKED:
            return self._linked(random, target, depth)
        return self._compare(random, target, operator)

    def filter(self, random: Random, *, depth: int = 2) -> Filter:
        """Give a filter nested up to *depth*."""
        if depth <= 0 or random.random() < 0.3:
            return self.leaf(random, depth=depth)
        shape = random.randint(0, 4)
        if shape == 0:
            return Not(self.filter(random, depth=depth - 1))
        parts = tuple([self.filter(random, depth=depth - 1) for _ in range(random.randint(2, 3))])
        return And(parts) if shape <= 2 else Or(parts)

    def operators(self) -> list[tuple[str, Operator]]:
        """Give every (path, operator) that filters on the module know."""
        return [(target.path, operator) for target in self._targets for operator in target.operators]

    def _compare(self, random: Random, target: _Target, operator: Operator) -> Filter:
        match operator:
            case Operator.EMPTY:
                return Compare(target.path, operator)
            case Operator.BETWEEN:
                return Compare(target.path, operator, self._two(random, target))
            case Operator.IN | Operator.ANY_OF | Operator.ALL_OF:
                return Compare(target.path, operator, self._several(random, target, operator))
            case Operator.CONTAINS | Operator.STARTS | Operator.ENDS:
                return Compare(target.path, operator, self._piece(random, target, operator))
            case Operator.MATCHES:
                return self._matches(random, target)
            case _:
                return Compare(target.path, operator, self._operand(random, target, operator))

    def _operand(self, random: Random, target: _Target, operator: Operator) -> object:
        if target.part.storage in {Storage.DATE, Storage.DATETIME} and random.random() < 0.4:
            return _any_period(random)
        if self._people and "users" in target.field.targets and random.random() < 0.2:
            return random.choice(list(People))
        low, high = self._two(random, target)
        value = high if operator in {Operator.LT, Operator.LE} else low
        return random.choice([value, value.home]) if isinstance(value, Money) and value.home is not None else value

    def _one(self, random: Random, target: _Target) -> object:
        """Give a value of the target: of one of the rows if there is one, or a new one."""
        found = [self._read(row, target) for row in random.sample(self._rows, k=min(6, len(self._rows)))]
        for value in found:
            if value is not None and value != ():
                return value if not isinstance(value, tuple) else random.choice(value)
        return _fresh(random, target)

    def _two(self, random: Random, target: _Target) -> tuple[object, object]:
        """Give two values far apart, the lower first, so that ordered comparisons are true for a fair share."""
        low, _, high = sorted([self._one(random, target) for _ in range(3)], key=_rank)
        return low, high

    def _read(self, row: Row, target: _Target) -> Value:
        if not target.part.name:
            return self._module.layout.slots[target.field.name].read(row)
        cell = row[self._module.layout.index[target.field.column_of(target.part)]]
        is_scaled = target.part.storage is Storage.DECIMAL and cell is not None
        return unscaled(int(cell or 0), target.field.scale) if is_scaled else cell

    def _several(self, random: Random, target: _Target, operator: Operator) -> object:
        if (
            operator is Operator.IN
            and target.part.storage in {Storage.DATE, Storage.DATETIME}
            and random.random() < 0.3
        ):
            return _any_period(random)
        most = 2 if operator is Operator.ALL_OF else 3
        return tuple([self._one(random, target) for _ in range(random.randint(1, most))])

    def _piece(self, random: Random, target: _Target, operator: Operator) -> str:
        text = str(self._one(random, target))
        size = random.randint(1, min(3, len(text)))
        last = len(text) - size
        start = {Operator.STARTS: 0, Operator.ENDS: last}.get(operator)
        start = random.randint(0, last) if start is None else start
        piece = text[start : start + size]
        fold = as_part(target.field, target.part).type.fold or str
        return next(each for each in (piece, text, "a1") if fold(each))  # an accent alone is no piece

    def _matches(self, random: Random, target: _Target) -> Filter:
        text = str(self._one(random, target))
        words = [word for word in text.split() if any(map(str.isalnum, word))] or ["a"]
        word = random.choice(words)[:4]
        everywhere = any(slot.field.searchable for slot in self._module.layout.slots.values())
        if everywhere and random.random() < 0.3:
            return keywords(word)
        return Compare(target.path, Operator.MATCHES, word)

    def _linked(self, random: Random, target: _Target, depth: int) -> Filter:
        name = random.choice(target.field.targets)
        if depth <= 0:
            return Compare(target.path, Operator.LINKED, EVERYTHING)
        if len(target.field.targets) > 1:
            return Compare(target.path, Operator.LINKED, self._of_one(random, target.field, name))
        return Compare(target.path, Operator.LINKED, self._of(name).filter(random, depth=depth - 1))

    def _of_one(self, random: Random, field: Field, name: str) -> Filter:
        """Give a comparison of a field that *name* has, and no other module to which *field* leads."""
        others = [self._schema.module(each) for each in field.targets if each != name]
        leaf = self._of(name).leaf(random)
        if not isinstance(leaf, Compare) or not leaf.path:
            return EVERYTHING
        shared = any(leaf.path.partition(".")[0] in other.layout.slots for other in others)
        return EVERYTHING if shared else random.choice([leaf, ~leaf])

    def _has(self, random: Random, depth: int) -> Filter:
        other, field = random.choice(self._links)
        return Has(other.name, str(field.name), self._of(other.name).filter(random, depth=depth - 1))

    def _of(self, name: str) -> FilterMaker:
        rows = self._related[name]
        module = self._schema.module(name)
        return FilterMaker(module, rows, schema=self._schema, related=self._related, people=self._people)


def _rank(value: object) -> tuple[float, str]:
    match value:
        case Money():
            return float(value.amount if value.home is None else value.home), ""
        case WallTime():
            return value.instant().timestamp(), ""
        case bool() | int() | Decimal():
            return float(value), ""
        case date() | time():
            return 0.0, value.isoformat()
        case _:
            return 0.0, fold_text(str(value))


def _fresh(random: Random, target: _Target) -> object:
    if target.part.name:
        return random.choice(TEXTS) if target.part.storage is Storage.TEXT else random.choice(INTEGERS[:8])
    maker = _HOSTILE.get(target.field.type.name, target.field.type.sample)
    value = maker(target.field, random)
    return random.choice(value) if isinstance(value, tuple) else value


def _any_period(random: Random) -> Period:
    kind = random.choice(list(PeriodKind))
    counted = kind is PeriodKind.OLDER or (kind is not PeriodKind.THIS and random.random() < 0.5)
    return Period(kind, random.choice(list(Unit)), random.randint(1, 8) if counted else None)


# -- queries ----------------------------------------------------------------------------------------------------------
def any_order(random: Random, module: Module) -> tuple[Order, ...]:
    """Give an order by up to three columns, mixed in direction, that ends with the key."""
    unsorted = {Storage.SET, Storage.BYTES}
    fields = [column for column in module.layout.columns[1:] if column.storage not in unsorted]
    names = [column.twin or column.name for column in random.sample(fields, k=random.randint(0, 3))]
    chosen = [Order(name, descending=random.random() < 0.5) for name in names]
    return (*chosen, Order("id", descending=chosen[-1].descending if chosen else random.random() < 0.5))


def any_query(random: Random, module: Module, where: Bound) -> BoundQuery:
    """Give the first page of a query in some order."""
    return BoundQuery(module=module, where=where, order=any_order(random, module), limit=random.randint(1, 7))
