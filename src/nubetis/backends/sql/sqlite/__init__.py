"""SQLite: one file an organisation."""

from nubetis.backends.sql.sqlite.copies import put_in_place, refuse_taken, restore
from nubetis.backends.sql.sqlite.file import SqliteFile, open_sqlite

__all__ = ["SqliteFile", "open_sqlite", "put_in_place", "refuse_taken", "restore"]
