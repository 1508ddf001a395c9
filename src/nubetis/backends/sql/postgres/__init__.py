"""PostgreSQL: one schema an organisation."""

from nubetis.backends.sql.postgres.server import PostgresSchema, open_postgres

__all__ = ["PostgresSchema", "open_postgres"]
