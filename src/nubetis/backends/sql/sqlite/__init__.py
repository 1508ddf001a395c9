"""SQLite: one file an organisation."""

from nubetis.backends.sql.sqlite.copies import restore
from nubetis.backends.sql.sqlite.file import SqliteFile, open_sqlite

__all__ = ["SqliteFile", "open_sqlite", "restore"]
