"""The hooks by which a host extends nubetis, and by which nubetis extends itself.

A hook returns *data* for a batch, and the core decides; it is never called once per record.  Each takes one value.
Hooks may grow arguments and never lose one.  A plug-in is any object with methods marked by :data:`hookimpl`; a class
of such objects is called to make one::

    class Pets:
        @nubetis.hookimpl
        def nubetis_modules(self):
            return [Module(name="pets", fields=[…])]

    nubetis.open(url, plugins=[Pets()])
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final, Protocol

import pluggy

if TYPE_CHECKING:
    from nubetis.data.files import FileFormat
    from nubetis.model.blobs import BlobStore
    from nubetis.model.fields import FieldType
    from nubetis.model.outbox import Message
    from nubetis.model.plan import Committed, Plan, Refusal
    from nubetis.model.schema import Module
    from nubetis.model.store import Store, StoreFactory

__all__ = ["PROJECT", "Registry", "hookimpl", "hookspec"]

PROJECT: Final = "nubetis"

hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)
"""Marks a method of a plug-in as an implementation of the hook with its name."""


class Registry(Protocol):
    """Takes factories by name; a later one with the same name takes the place of the earlier."""

    def add_store(self, scheme: str, factory: StoreFactory) -> None:
        """Open URLs that begin with *scheme* by *factory*."""
        ...

    def add_blob_store(self, name: str, factory: BlobStoreFactory) -> None:
        """Offer a place for bytes."""
        ...

    def add_file_format(self, file_format: FileFormat) -> None:
        """Offer a kind of file to import and export."""
        ...


class BlobStoreFactory(Protocol):
    """Makes a blob store for an open organisation."""

    def __call__(self, store: Store) -> BlobStore:
        """Give the blob store of the organisation kept in *store*."""
        ...


@hookspec
def nubetis_stores(registry: Registry) -> None:
    """Register factories for URL schemes.  Called once, before the organisation is opened."""


@hookspec
def nubetis_blob_stores(registry: Registry) -> None:
    """Register places for bytes.  Called once, before the organisation is opened."""


@hookspec
def nubetis_file_formats(registry: Registry) -> None:
    """Register kinds of files.  Called once, before the organisation is opened."""


@hookspec
def nubetis_modules() -> Sequence[Module]:
    """Give modules that every organisation has.  Called when one is created, and when one is opened."""
    return ()


@hookspec
def nubetis_field_types() -> Sequence[FieldType]:
    """Give field types besides the built-in ones.  Called once, before the organisation is opened."""
    return ()


@hookspec
def nubetis_validate(plan: Plan) -> Iterable[Refusal]:
    """Give what stands against *plan*.  Called once for each plan, before it is shown or applied."""
    return ()


@hookspec
def nubetis_committed(committed: Committed) -> None:
    """One batch was stored.  Called once a transaction, after it, never for each record."""


@hookspec(firstresult=True)
def nubetis_notify(messages: Sequence[Message]) -> Sequence[str] | None:
    """Deliver messages of the outbox; give the keys of those taken.

    The first plug-in that does not give ``None`` ends the call.  What nobody takes is offered again, later each time.
    Where a plug-in raises, the messages are handed to it one by one.
    """
