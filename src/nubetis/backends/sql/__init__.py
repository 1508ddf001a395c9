"""The store on SQL databases: SQLite and PostgreSQL, on the same code."""

from nubetis.backends.sql.dialects import Profile
from nubetis.backends.sql.sqlite import open_sqlite, put_in_place, refuse_taken, restore
from nubetis.backends.sql.store import SqlStore

__all__ = ["Profile", "SqlStore", "open_sqlite", "put_in_place", "refuse_taken", "restore"]
