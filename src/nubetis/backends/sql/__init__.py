"""The store on SQL databases: SQLite and PostgreSQL, on the same code."""

from nubetis.backends.sql.dialects import Profile
from nubetis.backends.sql.sqlite import open_sqlite, restore
from nubetis.backends.sql.store import SqlStore

__all__ = ["Profile", "SqlStore", "open_sqlite", "restore"]
