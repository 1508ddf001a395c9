"""A module's table: its columns, the side tables of its sets, its indexes, as SQLAlchemy and the driver need them.

A table is named as the module's ``table`` and has a column for each of ``layout.columns``, under the same name,
then the folded twins.  A set column also has a side table ``<table>__<column>`` of (record, value), so that "holds
this choice" is a look-up.  Names of modules and fields have no ``__``, so nothing of ours clashes.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cached_property, lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import attrs
import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from nubetis.backends.sql.dialects import Cell
from nubetis.model.fields import Field, FieldState, Storage
from nubetis.types import ModuleId, Row, Stored

if TYPE_CHECKING:
    from nubetis.backends.sql.dialects import Dialect
    from nubetis.model.schema import Module

__all__ = ["Index", "ModuleTable", "Statement", "Tables", "compared", "side_name", "table_name"]

_T = TypeVar("_T")

_LONGEST: Final = 60
"""Characters of a name at most; PostgreSQL cuts at 63."""

_LOT: Final = 500
"""Rows that are folded together while the database takes those before."""

_KEPT: Final = 1024
"""Statements kept for one module."""

CACHES: Final = Lock()
"""Whoever adds to what is kept holds it; a fork too, so that no child has a lock, or a cache, that is half done."""


def table_name(module: Module) -> str:
    """Give the name of the module's table; names that begin with ``sqlite_`` or ``pg_`` belong to the databases."""
    return f"_{module.table}" if module.table.startswith(("sqlite_", "pg_")) else module.table


def side_name(table: str, column: str) -> str:
    """Give the name of the side table of a set column."""
    return _short(f"{table}__{column}")


def _short(name: str) -> str:
    if len(name) <= _LONGEST:
        return name
    return f"{name[: _LONGEST - 13]}_{hashlib.blake2b(name.encode(), digest_size=6).hexdigest()}"


def compared(field: Field) -> tuple[str, ...]:
    """Give the columns that say whether two records have the same value: the twin where there is one.

    >>> from nubetis.model.system import USERS
    >>> compared(USERS.field("email"))
    ('email__f',)
    """
    first = field.parts[0]
    if first.storage is Storage.KEY:
        return tuple([field.column_of(part) for part in field.parts])
    column = field.column_of(first)
    return (f"{column}__f" if field.has_twin(first) else column,)


@attrs.frozen
class Index:
    """One index of a module's table; *field* is set where it keeps a field unique.

    With *digest* it is made of the digest of its column, whose texts may be too long for the database.
    """

    columns: tuple[str, ...]
    field: Field | None = None
    condition: str = "deleted_in IS NULL"
    digest: bool = False

    def name(self, table: str) -> str:
        """Give its name, which says all that it is: another index has another name."""
        kind = "ux" if self.field is not None else "dx" if self.columns == ("deleted_in",) else "ix"
        of = "__digest" if self.digest else ""
        return _short(f"{table}__{kind}__{'__'.join(self.columns)}{of}")


def _indexes(module: Module) -> tuple[Index, ...]:
    living = "deleted_in IS NULL" if module.journalled else ""
    active = [field for field in module.all_fields if field.state is FieldState.ACTIVE and field.name != "id"]
    found = [Index(compared(field), field, living) for field in active if field.unique]
    found += [Index((_ordered(field),), None, living) for field in active if field.indexed and not field.unique]
    found += [Index(tuple([_column(module, name) for name in names]), None, living) for names in module.indexes]
    if module.journalled:
        found.append(Index(("deleted_in",), None, "deleted_in IS NOT NULL"))
    return tuple(dict.fromkeys(found))


def _fitting(indexes: Iterable[Index], module: Module, longest: int | None) -> Iterator[Index]:
    """Give the indexes as the database can hold them, whose texts have *longest* characters at most.

    Of longer texts one that is unique goes by a digest; one that is not goes without, and a query is only slower.
    """
    lengths = {
        column: slot.field.type.longest or slot.field.max_length
        for slot in module.layout.slots.values()
        for column in compared(slot.field)[:1]
        if slot.field.parts[0].storage is Storage.TEXT
    }
    for index in indexes:
        if longest is None or all(lengths.get(column, 0) <= longest for column in index.columns):
            yield index
        elif index.field is not None:
            yield attrs.evolve(index, digest=True)


def _column(module: Module, name: str) -> str:
    slot = next((slot for slot in module.layout.slots.values() if slot.field.name == name), None)
    return name if slot is None else _ordered(slot.field)


def _ordered(field: Field) -> str:
    """Give the column that comparisons with a field, and sorts by it, look at."""
    part = field.order_part
    return field.column_of(part) if part.name else compared(field)[0]


@attrs.frozen
class Statement:
    """Text for the driver; *places* says where each parameter lies among the constants, ``None`` as they come."""

    text: str
    places: tuple[int, ...] | None = None

    def arguments(self, constants: Sequence[Stored]) -> Sequence[Stored]:
        """Give the parameters in the order of the text."""
        return constants if self.places is None else [constants[place] for place in self.places]


class ModuleTable:
    """What the store knows of one module's table."""

    def __init__(self, module: Module, dialect: Dialect) -> None:
        self.module = module
        self.dialect = dialect
        self.name = table_name(module)
        layout = module.layout
        self.columns = tuple([column.name for column in layout.columns])
        self.twins = layout.twins
        self.full_columns = tuple(layout.full_index)
        self.indexes = tuple(_fitting(_indexes(module), module, dialect.longest_indexed))
        self.digested = frozenset([column for index in self.indexes if index.digest for column in index.columns])
        self.sets = {column.name: place for place, column in enumerate(layout.columns) if column.storage is Storage.SET}
        self.heavy = any(column.storage is Storage.BYTES for column in layout.columns)
        self.plain_indexes = tuple([index.columns for index in self.indexes if index.field is None])
        self.tallied = _tallied(module)
        self.folds = {column: fold for _, place, fold in self.twins for column in (self.columns[place],)}
        self.table = self._table()
        self.sides = {column: self._side(column) for column in self.sets}
        self._statements: OrderedDict[Hashable, tuple[object, Statement]] = OrderedDict()

    @cached_property
    def select_one(self) -> str:
        """The query of one row, by its key."""
        return self.finish(sa.select(*self.row()).where(self.table.c.id == parameter(0))).text

    def _table(self) -> sa.Table:
        types, layout = self.dialect.types, self.module.layout
        columns = [sa.Column(c.name, types[c.storage]) for c in layout.columns if c.name != "id"]
        columns += [sa.Column(name, types[Storage.TEXT]) for name, _, _ in self.twins]
        key = sa.Column("id", types[Storage.KEY], primary_key=True, autoincrement=not self.module.journalled)
        return sa.Table(self.name, sa.MetaData(), key, *columns, **self.dialect.table_options)

    def _side(self, column: str) -> sa.Table:
        types = self.dialect.types
        return sa.Table(
            side_name(self.name, column),
            sa.MetaData(),
            sa.Column("record", types[Storage.KEY], primary_key=True, autoincrement=False),
            sa.Column("value", types[Storage.TEXT], primary_key=True),
            **self.dialect.side_options,
        )

    def row(self) -> list[Cell]:
        """Give the columns of a row, in its order."""
        return [self.table.c[name] for name in self.columns]

    def finish(self, expression: sa.sql.expression.ClauseElement) -> Statement:
        """Compile *expression*, whose parameters are all made by :func:`parameter`."""
        compiled = expression.compile(dialect=self.dialect.compiler)
        names = getattr(compiled, "positiontup", None) or []
        places = tuple([int(name[1:]) for name in names])
        return Statement(str(compiled), None if places == tuple(range(len(places))) else places)

    def statement(
        self, key: Hashable, build: Callable[[], sa.sql.expression.ClauseElement], *, keep: object = None
    ) -> Statement:
        """Give the statement of *key*, compiled the first time; the least lately used are forgotten.

        *keep* is held as long as the statement is: what the key names by identity must not be replaced.
        """
        found = self._statements.get(key)
        if found is None:
            return self._make(key, self.finish(build()), keep)
        with suppress(KeyError):  # another thread may just have forgotten it
            self._statements.move_to_end(key)
        return found[1]

    def _make(self, key: Hashable, made: Statement, keep: object) -> Statement:
        with CACHES:
            while len(self._statements) >= _KEPT:
                self._statements.popitem(last=False)
            self._statements[key] = (keep, made)
        return made

    @cached_property
    def side_creation(self) -> Mapping[str, tuple[str, str, str]]:
        """What makes each side table, its index by name, and what makes that, where they are not there; by its name."""
        text = self.dialect.text
        indexes = [sa.Index(f"{side.name}__ix__value", side.c.value, side.c.record) for side in self.sides.values()]
        return {
            side.name: (text(CreateTable(side)), str(index.name), text(CreateIndex(index)))
            for side, index in zip(self.sides.values(), indexes, strict=True)
        }

    @cached_property
    def creation(self) -> str:
        """The statement that makes the table where it is not there."""
        return self.dialect.text(CreateTable(self.table))

    @cached_property
    def index_creation(self) -> Mapping[str, tuple[Index, str]]:
        """Each index and the statement that makes it where it is not there, by its name."""
        return {index.name(self.name): (index, self._index_text(index)) for index in self.indexes}

    def index_form(self, index: Index) -> str:
        """Give the form of *index* as the catalogue does: whether it is unique, of what, and of which rows."""
        columns = ["?" if index.digest else name for name in index.columns]
        columns += ["id"] if self.dialect.key_in_index and index.field is None else []
        condition = f" WHERE {index.condition}" if index.condition else ""
        return f"{'' if index.field is None else 'UNIQUE '}{', '.join(columns)}{condition}"

    def _index_text(self, index: Index) -> str:
        dialect = self.dialect
        bare = [self.table.c[name] for name in index.columns]
        cells: list[Cell] = [
            dialect.digest(cell) if index.digest else dialect.ordered(cell, False)  # noqa: FBT003 - up
            for cell in bare
        ]
        if dialect.key_in_index and index.field is None:
            cells.append(self.table.c.id)
        settings: dict[str, Any] = {dialect.partial: sa.text(index.condition)} if index.condition else {}
        made = sa.Index(index.name(self.name), *cells, unique=index.field is not None, **settings)
        return dialect.text(CreateIndex(made, if_not_exists=True))

    def made(self, index: str) -> bool:
        """Say whether an index of this name is one that we make, now or in an earlier schema."""
        return index.startswith(tuple([f"{self.name}__{kind}__" for kind in ("ix", "ux", "dx")]))

    def fill(self, rows: Sequence[Row]) -> list[Row]:
        """Give the full rows; a fold runs once for each distinct text."""
        return [row for lot in self.filled(rows, size=len(rows) or 1) for row in lot]

    def filled(self, rows: Sequence[Row], *, size: int = _LOT) -> Iterator[Sequence[Row]]:
        """Give the full rows in lots of *size*, as they are asked for."""
        folds = [(place, _Folded(fold).__getitem__) for _, place, fold in self.twins]
        for start in range(0, len(rows), size):
            lot = rows[start : start + size]
            extra = [list(map(fold, [row[place] for row in lot])) for place, fold in folds]
            yield [row + more for row, more in zip(lot, zip(*extra, strict=True), strict=True)] if extra else lot

    def with_twins(self, columns: Sequence[str], values: Sequence[Row]) -> tuple[tuple[str, ...], list[Row]]:
        """Give *columns* with the twins they have, and the *values* that go with them."""
        folds = [(place, self.folds[name]) for place, name in enumerate(columns) if name in self.folds]
        names = (*columns, *[f"{columns[place]}__f" for place, _ in folds])
        if not folds:
            return names, list(values)
        extra = [list(map(_Folded(fold).__getitem__, [row[place] for row in values])) for place, fold in folds]
        return names, [tuple(row) + more for row, more in zip(values, zip(*extra, strict=True), strict=True)]


def _tallied(module: Module) -> tuple[tuple[str, int], ...]:
    names = [module.field(name).column for name in module.tallied_by]
    return tuple([(name, module.layout.index[name]) for name in names])


class _Folded(dict[Stored, Stored]):
    """Folds each text once."""

    def __init__(self, fold: Callable[[str], str]) -> None:
        super().__init__({None: None})
        self._fold = fold

    def __missing__(self, text: Stored) -> Stored:
        folded = self[text] = self._fold(text)  # type: ignore[arg-type]  # a column with a twin holds text
        return folded


def parameter(place: int) -> Cell:
    """Give the parameter that takes the constant at *place*."""
    return sa.bindparam(f"p{place}")


@attrs.frozen(eq=False)
class Same(Generic[_T]):
    """A value as a key: equal to the very same object only, for comparing two would cost more than a query."""

    value: _T

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.value is other.value


@lru_cache(maxsize=_KEPT)
def _table_of(module: Same[Module], dialect: Same[Dialect]) -> ModuleTable:
    """Give what each organisation of the process that has *module* uses: it holds no data, only text."""
    return ModuleTable(module.value, dialect.value)


@attrs.define(eq=False)
class Guess:
    """How many living rows had each value of a column not long ago, and all together; and how often that was asked."""

    counts: Mapping[Stored, int]
    total: int
    asked: int = 0

    @property
    def is_old(self) -> bool:
        """Whether it has been asked so often that reading the counts again costs little beside."""
        return self.asked > max(_ASKED, len(self.counts) // 10)


_ASKED: Final = 20


class Tables:
    """The tables of the modules in use, by identity: comparing two modules would cost more than a query."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.guesses: dict[tuple[ModuleId, str], Guess] = {}
        self.appended = 0
        """Deltas that this process has written to the ledger of tallies since it last added them up."""
        self._known: dict[int, ModuleTable] = {}

    def of(self, module: Module) -> ModuleTable:
        """Give the table of *module*."""
        found = self._known.get(id(module))
        return self._add(module) if found is None else found

    def all(self) -> list[ModuleTable]:
        """Give the tables known so far, in no order."""
        return list(self._known.values())

    def forget(self, modules: Iterable[Module]) -> None:
        """Forget the tables of modules that have not come to be."""
        with CACHES:
            for module in modules:
                self._known.pop(id(module), None)

    def _add(self, module: Module) -> ModuleTable:
        made = _table_of(Same(module), Same(self.dialect))
        with CACHES:
            while len(self._known) >= _KEPT:
                self._known.pop(next(iter(self._known)))
            return self._known.setdefault(id(module), made)  # keeps the module, so its id stays its own
