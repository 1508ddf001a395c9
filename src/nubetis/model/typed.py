"""Records as values of the host's own classes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, TypeVar, cast

import attrs

from nubetis.model.record import Record
from nubetis.model.schema import Module

__all__ = ["Typed"]

T = TypeVar("T")


@attrs.frozen
class Typed(Generic[T]):
    """Reads records of one module as values of an attrs class whose attributes are fields of it."""

    view: type[T]
    names: tuple[str, ...]

    @classmethod
    def of(cls, view: type[T], module: Module) -> Typed[T]:
        """Give the view of *module* as *view*.

        Raises:
            NotFound: ``unknown_field``.
        """
        names = tuple([each.name for each in attrs.fields(cast("type[attrs.AttrsInstance]", view))])
        for name in names:
            module.field(name)
        return cls(view, names)

    def one(self, record: Record) -> T:
        """Give *record* as a value."""
        return self.view(**{name: record[name] for name in self.names})

    def all(self, records: Iterable[Record]) -> list[T]:
        """Give *records* as values."""
        return [self.one(record) for record in records]
