"""The store on SQL databases: SQLite now, others on the same code."""

from nubetis.backends.sql.connections import Profile
from nubetis.backends.sql.copies import restore
from nubetis.backends.sql.store import SqlStore, open_sqlite

__all__ = ["Profile", "SqlStore", "open_sqlite", "restore"]
