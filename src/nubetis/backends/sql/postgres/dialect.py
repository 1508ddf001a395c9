"""PostgreSQL, 13 or later: text by the C collation, so that it sorts by code point as everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.base import PGDialect

from nubetis.backends.sql.dialects import Bool, Cell, Connection, Dialect, Found, catalogue
from nubetis.backends.sql.postgres.faults import (
    Unfit,
    has_waited,
    is_busy,
    is_entangled,
    is_missing,
    translated,
    violated,
)
from nubetis.model.fields import Storage
from nubetis.model.fold import TILDE
from nubetis.types import LEAST, MOST, Stored

__all__ = ["POSTGRES"]

_INTEGER: Final = sa.BIGINT()
_TEXT: Final = sa.TEXT(collation="C")
_COMPILER: Final = PGDialect(paramstyle="format")  # type: ignore[no-untyped-call]  # SQLAlchemy says no more of it

_OURS: Final = "relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = current_schema())"

_COLUMNS: Final = f"""
SELECT relname, attname, upper(format_type(atttypid, atttypmod))
    || coalesce(' COLLATE "' || nullif(collname, 'default') || '"', '')
    || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END
    || CASE WHEN attnum = ANY (indkey) THEN ' PRIMARY KEY' ELSE '' END
FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
LEFT JOIN pg_collation ON pg_collation.oid = attcollation
LEFT JOIN pg_index ON indrelid = pg_class.oid AND indisprimary
WHERE {_OURS} AND relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped ORDER BY relname, attnum
"""

_INDEXES: Final = f"""
SELECT t.relname, i.relname, CASE WHEN indisunique THEN 'UNIQUE ' ELSE '' END
    || (SELECT string_agg(coalesce(attname::text, '?'), ', ' ORDER BY place)
        FROM unnest(indkey) WITH ORDINALITY AS k (number, place)
        LEFT JOIN pg_attribute ON attrelid = t.oid AND attnum = number)
    || coalesce(' WHERE ' || btrim(pg_get_expr(indpred, t.oid), '()'), '')
FROM pg_class AS t JOIN pg_index ON indrelid = t.oid JOIN pg_class AS i ON i.oid = indexrelid
WHERE t.{_OURS} AND t.relkind IN ('r', 'p') AND NOT indisprimary
"""


_VIEWS: Final = f"""
SELECT relname FROM pg_class WHERE {_OURS} AND relkind IN ('v', 'm', 'f')
UNION SELECT nspname || '.' || v.relname FROM pg_class AS v JOIN pg_namespace AS n ON n.oid = v.relnamespace
JOIN pg_rewrite ON ev_class = v.oid JOIN pg_depend AS d ON d.classid = 'pg_rewrite'::regclass AND objid = pg_rewrite.oid
JOIN pg_class AS t ON d.refclassid = 'pg_class'::regclass AND t.oid = refobjid AND t.relkind IN ('r', 'p')
WHERE t.{_OURS} AND nspname <> current_schema()
"""
"""Views of this schema, and those elsewhere that read its tables."""


_DENIED: Final = f"""
SELECT relname, verb FROM pg_class, unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS verb
WHERE {_OURS} AND relkind IN ('r', 'p') AND NOT has_table_privilege(pg_class.oid, verb)
UNION ALL SELECT relname, verb FROM pg_class, unnest(ARRAY['ALTER', 'CREATE']) AS verb
WHERE {_OURS} AND relkind IN ('r', 'p') AND NOT CASE verb
    WHEN 'ALTER' THEN pg_has_role(relowner, 'USAGE') ELSE has_schema_privilege(relnamespace, 'CREATE') END
ORDER BY relname, verb
"""
"""Of these the last two only hinder who makes something again."""


def _catalogue(connection: Connection) -> dict[str, Found]:
    return catalogue(connection.execute(_COLUMNS), connection.execute(_INDEXES))


def _one_of_many(column: Cell, packed: Cell) -> Bool:
    return column.op("=", is_comparison=True)(sa.func.any(_array(column, packed)))


def _array(column: Cell, packed: Cell) -> Cell:
    return sa.cast(packed, sa.ARRAY(_INTEGER if isinstance(column.type, sa.Integer) else sa.Text()))


def _each(column: Cell, packed: Cell, name: str) -> sa.TableValuedAlias:
    return sa.func.unnest(_array(column, packed)).table_valued("value").alias(name).render_derived()


def _lateral(one: sa.Select[Any], name: str) -> sa.FromClause:
    return one.lateral(name)


def _pack_many(values: Sequence[Stored]) -> Stored:
    """Give the text of an array: the driver would look at each value, for tens of milliseconds where they are many."""
    numbers = [value for value in values if type(value) is int]
    if numbers and (min(numbers) < LEAST or max(numbers) > MOST):
        raise Unfit("a number has more than 64 bits")
    if len(numbers) == len(values):
        return f"{{{','.join(map(str, values))}}}"
    quoted = [str(value).replace("\\", "\\\\").replace('"', '\\"') for value in values]
    return '{"' + '","'.join(quoted) + '"}'


def _ordered(column: Cell, descending: bool) -> Cell:  # noqa: FBT001 - one of two orders
    found = column.desc() if descending else column.asc()
    if getattr(column, "primary_key", False):  # never empty; and its index stands in the database's own order
        return found
    return found.nulls_last() if descending else found.nulls_first()


def _bulk(table: sa.Table, columns: Sequence[str]) -> sa.ClauseElement:
    quote = _COMPILER.identifier_preparer.quote
    names = ", ".join([quote(name) for name in columns])
    return sa.text(f"COPY {quote(table.name)} ({names}) FROM STDIN".replace(":", "\\:"))


POSTGRES: Final = Dialect(
    name="postgresql",
    compiler=_COMPILER,
    types={
        Storage.TEXT: _TEXT, Storage.INTEGER: _INTEGER, Storage.DECIMAL: _INTEGER, Storage.BOOLEAN: _INTEGER,
        Storage.DATE: _TEXT, Storage.DATETIME: _TEXT, Storage.TIME: _TEXT, Storage.KEY: _INTEGER, Storage.SET: _TEXT,
        Storage.BYTES: sa.LargeBinary(),
    },
    contains=lambda column, text: sa.func.strpos(column, text) > sa.literal_column("0"),
    ends=lambda column, text, length: sa.func.right(column, length) == text,
    plain=lambda column: sa.func.replace(column, sa.literal_column(f"'{TILDE}'"), sa.literal_column("''")),
    apart=lambda column: sa.func.replace(
        column, sa.literal_column(f"'n{TILDE}'"), sa.literal_column(f"'{TILDE}'")
    ),
    one_of_many=_one_of_many,
    pack_many=_pack_many,
    each=_each,
    lateral=_lateral,
    ordered=_ordered,
    raised=psycopg.Error,
    collision=psycopg.IntegrityError,
    unfit=(Unfit, UnicodeEncodeError),
    violated=violated,
    is_busy=is_busy,
    has_waited=has_waited,
    is_entangled=is_entangled,
    is_missing=is_missing,
    is_unreadable=lambda error: False,  # the server takes in nothing but Unicode
    translated=translated,
    catalogue=_catalogue,
    views=_VIEWS,
    denied=_DENIED,
    table_options={},
    side_options={},
    partial="postgresql_where",
    key_in_index=True,
    longest_indexed=290,  # an entry has room for 2,704 bytes; a syllable of Hangul is folded to 9
    digest=sa.func.md5,  # who makes two texts of one digest may keep only one of them
    bulk=_bulk,
    begin_read="BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    begin_write="BEGIN ISOLATION LEVEL SERIALIZABLE",
    write_lock="LOCK TABLE versions IN ROW SHARE MODE",
    alone_lock="LOCK TABLE versions IN EXCLUSIVE MODE",
    lock_wait="SET LOCAL lock_timeout = {}",
    begin_schema="BEGIN ISOLATION LEVEL READ COMMITTED",
    schema_lock="SELECT pg_advisory_xact_lock(780173, hashtext(current_schema()))",
    table_lock="LOCK TABLE {table} IN EXCLUSIVE MODE",
    one_writer=False,
)  # fmt: skip
