"""The doors: what an area may ask of the one who signed in, and nothing else.

:class:`~nubetis.session.Session` implements all three.  Import, export, bulk edits, merges, mail, calendar take one
as their first argument, and see what its user may see.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from nubetis.model.fields import Value
from nubetis.model.filters import EVERYTHING, Filter
from nubetis.model.formats import Formats
from nubetis.model.plan import Cause, Operation, Plan
from nubetis.model.query import Page
from nubetis.model.record import Record
from nubetis.model.schema import Schema
from nubetis.types import Progress

__all__ = ["Context", "Reader", "Writer"]


class Reader(Protocol):
    """Reads records, as far as its user may see them."""

    @property
    def schema(self) -> Schema:
        """The modules, as last read."""
        ...

    @property
    def currency(self) -> str | None:
        """The currency that the organisation counts in, where it has one."""
        ...

    def can(self, action: str, record: str | Record) -> bool:
        """Say whether the user may do *action* with a record, or in the module of this name."""
        ...

    def get(self, record: str | Record) -> Record:
        """Give the record with this id, as it is now.

        Raises:
            NotFound: there is none, or the user may not see it.
        """
        ...

    def find(
        self,
        module: str,
        where: Filter = EVERYTHING,
        *,
        sort: str | Sequence[str] = (),
        limit: int = 50,
        after: str | None = None,
        total: str = "none",
    ) -> Page:
        """Give a page of records."""
        ...

    def stream(
        self, module: str, where: Filter = EVERYTHING, *, fields: Sequence[str] | None = None, size: int = 2048
    ) -> Iterator[tuple[Sequence[Value], ...]]:
        """Give all records that fit, in id order, as batches of columns."""
        ...

    def count(self, module: str, where: Filter = EVERYTHING, *, limit: int | None = None) -> int:
        """Give how many records fit."""
        ...

    def aggregate(
        self, module: str, where: Filter = EVERYTHING, *, by: Sequence[str] = (), measures: Mapping[str, str]
    ) -> list[dict[str, Value]]:
        """Give numbers for groups of records."""
        ...


class Writer(Reader, Protocol):
    """Writes records, as far as its user may: a plan first, then its application."""

    def plan_create(
        self, module: str, records: Iterable[Mapping[str, Value]], *, cause: Cause = ..., after: Plan | None = ...
    ) -> Plan:
        """Plan new records, behind the new ones of *after*, to which they may link."""
        ...

    def plan_update(
        self, module: str, where: Filter, /, values: Mapping[str, Value] | None = None, **fields: Value
    ) -> Plan:
        """Plan the same new values for all records that fit."""
        ...

    def plan_edits(self, module: str, edits: Mapping[str, Mapping[str, Value]], *, cause: Cause = ...) -> Plan:
        """Plan new values for each record, by id."""
        ...

    def plan_delete(self, module: str, where: Filter, *, cause: Cause = ...) -> Plan:
        """Plan the way of records into the recycle bin."""
        ...

    def apply(
        self, plan: Plan, *, tolerance: int = 0, skip_refused: bool = False, progress: Progress | None = None
    ) -> Operation:
        """Write a plan."""
        ...

    def savepoint(self) -> AbstractContextManager[None]:
        """Give a block of which nothing stays when it raises; inside a unit only."""
        ...


class Context(Protocol):
    """What the work of a session needs besides records."""

    @property
    def schema(self) -> Schema:
        """The modules as they are now."""
        ...

    @property
    def formats(self) -> Formats:
        """How its user reads and writes values."""
        ...

    def now(self) -> datetime:
        """Give the present instant."""
        ...
