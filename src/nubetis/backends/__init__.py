"""Stores: in memory, and SQL.  Nothing heavy is loaded before a store of its kind is opened."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from nubetis.backends.blobs import StoreBlobs
    from nubetis.backends.memory import MemoryStore, open_memory
    from nubetis.backends.sql import open_sqlite
    from nubetis.backends.sql.postgres import open_postgres

__all__ = ["MemoryStore", "StoreBlobs", "open_memory", "open_postgres", "open_sqlite"]

_WHERE: Final = {
    "MemoryStore": "nubetis.backends.memory",
    "StoreBlobs": "nubetis.backends.blobs",
    "open_memory": "nubetis.backends.memory",
    "open_postgres": "nubetis.backends.sql.postgres",
    "open_sqlite": "nubetis.backends.sql",
}


def __getattr__(name: str) -> object:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
