"""Three ways to say in SQL which records one may see, as they are written by hand, on the tables of the organisation.

*one OR*: one predicate over the owners in one's reach (worked out before, and not counted), rules on values and
shares.  *CTE*: the same, but the tree of roles is walked in the statement.  *share rows*: a table that has a row for
each record and each principal who has it, made before; its upkeep is not counted.  Each gets what makes it fast:
indexes, statistics, plans made anew for each viewer.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import attrs
from world import CRITERIA, NAME, say

from nubetis.access.numbering import Numbering
from nubetis.access.sharing import Level, Principal, PrincipalKind

if TYPE_CHECKING:
    import psycopg
    from world import World

    from nubetis.access.directory import Directory
    from nubetis.types import Key, Row

LIMIT: Final = 2.0
"""Seconds after which a statement of a peer is stopped."""
_SUBORDINATES: Final = 1 << 60
"""Added to the key of a role: what is shared with it and all below it."""
_OWNED_IN: Final = 2 << 60
"""Added to the key of a role: what people of this role own, which those above have."""


class Raw:
    """A driver's own connection, to the tables that the organisation has; statements are written with ``?``."""

    def __init__(self, connection: sqlite3.Connection | psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.is_sqlite = isinstance(connection, sqlite3.Connection)

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Give the rows of one statement, however long it takes."""
        if isinstance(self.connection, sqlite3.Connection):
            return self.connection.execute(sql, parameters).fetchall()
        cursor = self.connection.execute(sql.replace("?", "%s").encode(), parameters or None, prepare=False)
        return [] if cursor.description is None else cursor.fetchall()

    def timed(self, sql: str, parameters: Sequence[Any]) -> tuple[float, list[Row] | None]:
        """Give seconds and rows; no rows where it was stopped."""
        self.limit(LIMIT)
        begin = time.perf_counter()
        rows = None
        try:
            rows = self._limited(sql, parameters)
        except Exception as error:
            if "interrupted" not in str(error) and "statement timeout" not in str(error):
                raise
        took = time.perf_counter() - begin
        self.limit(0)
        return took, rows

    def _limited(self, sql: str, parameters: Sequence[Any]) -> list[Row]:
        if not isinstance(self.connection, sqlite3.Connection):
            return self.run(sql, parameters)
        until = time.perf_counter() + LIMIT
        self.connection.set_progress_handler(lambda: time.perf_counter() > until, 100_000)
        try:
            return self.run(sql, parameters)
        finally:
            self.connection.set_progress_handler(None, 0)

    def limit(self, seconds: float) -> None:
        """Let the server stop what takes longer; 0 lets all be."""
        if not self.is_sqlite:
            self.run(f"SET statement_timeout = {round(seconds * 1000)}")

    def among(self, cell: str, *, text: bool = False) -> str:
        """Give a test of *cell* against a list in one parameter, see :meth:`packed`."""
        if self.is_sqlite:
            return f"{cell} IN (SELECT value FROM json_each(?))"
        return f"{cell} = ANY (?::{'text' if text else 'bigint'}[])"

    def packed(self, values: Iterable[Any]) -> Any:  # noqa: ANN401 - what the driver takes
        """Give a list as one parameter."""
        return json.dumps(list(values)) if self.is_sqlite else list(values)

    def put(self, table: str, rows: Sequence[Row]) -> None:
        """Insert many rows."""
        marks = ", ".join("?" * len(rows[0])) if rows else ""
        sql = f"INSERT INTO {table} VALUES ({marks})"
        if isinstance(self.connection, sqlite3.Connection):
            self.connection.execute("BEGIN")
            self.connection.executemany(sql, rows)
            self.connection.execute("COMMIT")
            return
        with self.connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(row)


# -- tables of the peers ----------------------------------------------------------------------------------------------
def prepare(raw: Raw, world: World) -> None:
    """Make the tables that peers need beside the organisation's, where they are not there yet."""
    if _is_ready(raw):
        return
    say("tables of the peers")
    directory, rules = world.directory, world.directory.roster.rules
    numbering = directory.numbering
    _table(raw, "bench_roles (id BIGINT PRIMARY KEY, parent BIGINT, peers BIGINT)", "bench_roles (parent)")
    raw.put("bench_roles", [(each.key, each.reports_to, int(each.peers)) for each in directory.roster.roles])
    _table(raw, "bench_users (id BIGINT PRIMARY KEY, role BIGINT)", "bench_users (role)")
    raw.put("bench_users", [(each.key, each.role) for each in directory.roster.users])
    _table(raw, "bench_sources (rule BIGINT, owner BIGINT)", "bench_sources (rule, owner)", "bench_sources (owner)")
    sources = [
        (rule.key, numbering.users[at])
        for rule in rules if rule.source is not None for at in directory.members(rule.source)
    ]  # fmt: skip
    raw.put("bench_sources", sources)
    _share_rows(raw, world)
    for name in ("roles", "users", "sources", "access"):
        raw.run(f"ANALYZE bench_{name}" if raw.is_sqlite else f"VACUUM ANALYZE bench_{name}")
    raw.run("CREATE TABLE bench_ready (id BIGINT)")


def _is_ready(raw: Raw) -> bool:
    found = (
        "sqlite_master WHERE name" if raw.is_sqlite else "pg_tables WHERE schemaname = current_schema() AND tablename"
    )
    return bool(raw.run(f"SELECT 1 FROM {found} = 'bench_ready'"))


def _table(raw: Raw, definition: str, *indexes: str) -> None:
    name = definition.partition(" ")[0]
    raw.run(f"DROP TABLE IF EXISTS {name}")
    raw.run(f"CREATE TABLE {definition}")
    for number, each in enumerate(indexes):
        raw.run(f"CREATE INDEX {name}_{number} ON {each}")


def _share_rows(raw: Raw, world: World) -> None:
    """Make a row for each record and each principal who has it: owner, role of the owner, rules, shares."""
    of_records = f"SELECT {{}}, o.id FROM {NAME} AS o {{}} WHERE o.deleted_in IS NULL"
    _table(raw, "bench_shared (record BIGINT, principal BIGINT)")
    raw.put("bench_shared", list(_shared(raw, world)))
    parts = [
        of_records.format("o.owner AS principal", "").replace("o.id", "o.id AS record"),
        of_records.format(f"u.role + {_OWNED_IN}", "JOIN bench_users AS u ON u.id = o.owner"),
        of_records.format("s.rule", "JOIN bench_sources AS s ON s.owner = o.owner"),
        "SELECT principal, record FROM bench_shared",
    ]
    parts += [
        f"{of_records.format(rule.key, '')} AND ({_sql_of(rule.where)})"
        for rule in world.directory.roster.rules if rule.where is not None
    ]  # fmt: skip
    key = "PRIMARY KEY (principal, record)"
    _table(raw, f"bench_access (principal BIGINT, record BIGINT, {key}){' WITHOUT ROWID' if raw.is_sqlite else ''}")
    raw.run(f"INSERT INTO bench_access {' UNION '.join(parts)} ORDER BY 1, 2")
    raw.run("CREATE INDEX bench_access_record ON bench_access (record, principal)")


def _sql_of(where: object) -> str:
    return next(each.sql for each in CRITERIA if each.where == where)


def _shared(raw: Raw, world: World) -> Iterable[Row]:
    """Give record and principal of each share whose time is not over; those above a target as roles of their own."""
    directory = world.directory
    rows = raw.run(
        "SELECT record, target, superiors FROM shares WHERE deleted_in IS NULL AND module = ?"
        " AND (until IS NULL OR until > ?)", (int(world.module.id), now(world)),
    )  # fmt: skip
    above: dict[str, list[int]] = {}
    for record, target, superiors in rows:
        text = str(target)
        principal = Principal.parse(text)
        yield record, principal.key + (_SUBORDINATES if principal.subordinates else 0)
        if superiors:
            if text not in above:
                above[text] = sorted(_above(directory, principal))
            yield from [(record, role) for role in above[text]]


def _above(directory: Directory, principal: Principal) -> set[Key]:
    numbering = directory.numbering
    roles = {numbering.role_of(numbering.users[at]) for at in directory.members(principal)}
    return {each for role in roles if role is not None for each in numbering.above(role)}


def now(world: World) -> str:
    """Give the present instant as it is stored."""
    return world.admin.now().isoformat(timespec="microseconds").replace("+00:00", "Z")


# -- statements -------------------------------------------------------------------------------------------------------
@attrs.frozen(kw_only=True)
class Reached:
    """What one viewer has, worked out for the peers."""

    user: Key
    role: Key | None
    owners: list[Key]
    near: list[str]
    above: list[str]
    rules: list[Key]
    criteria: list[str]
    principals: list[int]

    @classmethod
    def of(cls, world: World, user: Key) -> Reached:
        """Work it out from the roster."""
        directory, numbering = world.directory, world.directory.numbering
        reach = directory.reach(user, world.module.id)
        role = numbering.role_of(user)
        rules = directory.rules_for(numbering.places[user], world.module.id)
        found = directory.principals(user)
        return cls(
            user=user, role=role,
            owners=list(dict.fromkeys([user, *[numbering.users[at] for at in reach.owners[Level.READ]]])),
            near=[each.text for each, up in found if not up], above=[each.text for each, up in found if up],
            rules=[rule.key for rule in rules],
            criteria=[_sql_of(rule.where) for rule in rules if rule.where is not None],
            principals=[*_principals(directory, user), *[rule.key for rule in rules]],
        )  # fmt: skip


def _principals(directory: Directory, user: Key) -> Iterable[int]:
    """Give the principals of share rows by which one has a record, but for rules."""
    numbering = directory.numbering
    for each, up in directory.principals(user):
        if not up and each.kind is not PrincipalKind.EVERYBODY:
            yield each.key + (_SUBORDINATES if each.subordinates else 0)
    role = numbering.role_of(user)
    if role is not None:
        yield from [below + _OWNED_IN for below in _owned_in(directory, numbering, role)]


def _owned_in(directory: Directory, numbering: Numbering, role: Key) -> Iterable[Key]:
    """Give the roles whose people's records one of *role* has by the tree."""
    start, end = numbering.below(role)
    for each in directory.roster.roles:
        first, last = numbering.own(each.key)
        if first < last and start <= first and last <= end:
            yield each.key
    if numbering.peers(role):
        yield role


Said = tuple[str, list[Any]]
"""A condition, and its parameters."""


def _shares(raw: Raw, world: World, reached: Reached) -> Said:
    """Give the condition of shares: those with oneself, and with somebody below where superiors have it too."""
    near = raw.among("s.target", text=True)
    parameters: list[Any] = [int(world.module.id), raw.packed(reached.near)]
    if reached.above:
        near = f"({near} OR (s.superiors = 1 AND {raw.among('s.target', text=True)}))"
        parameters.append(raw.packed(reached.above))
    still = "(s.until IS NULL OR s.until > ?)"
    return f"s.deleted_in IS NULL AND s.module = ? AND {near} AND {still}", [*parameters, now(world)]


def _either(owned: Said, reached: Reached, shares: Said) -> Said:
    values = "".join([f" OR ({each})" for each in reached.criteria])
    text = f"({owned[0]}{values} OR EXISTS (SELECT 1 FROM shares AS s WHERE s.record = o.id AND {shares[0]}))"
    return text, [*owned[1], *shares[1]]


def one_or(raw: Raw, world: World, reached: Reached) -> tuple[str, Said]:
    """Give what comes before the statement, and its condition: owners, values, shares."""
    owned = raw.among("o.owner"), [raw.packed(reached.owners)]
    return "", _either(owned, reached, _shares(raw, world, reached))


_TREE: Final = """WITH RECURSIVE below (id) AS (
  SELECT id FROM bench_roles WHERE parent = ?
  UNION ALL SELECT r.id FROM bench_roles AS r JOIN below ON r.parent = below.id
), seen (id) AS (
  SELECT u.id FROM bench_users AS u JOIN below ON u.role = below.id
  UNION SELECT u.id FROM bench_users AS u JOIN bench_roles AS r ON r.id = u.role WHERE r.id = ? AND r.peers = 1
  UNION SELECT owner FROM bench_sources WHERE {rules}
  UNION SELECT id FROM bench_users WHERE id = ?
) """


def tree(raw: Raw, world: World, reached: Reached) -> tuple[str, Said]:
    """Give the same with the tree of roles walked by the statement."""
    owned = "o.owner IN (SELECT id FROM seen)", [reached.role, reached.role, raw.packed(reached.rules), reached.user]
    return _TREE.format(rules=raw.among("rule")), _either(owned, reached, _shares(raw, world, reached))


def share_rows(raw: Raw, world: World, reached: Reached) -> tuple[str, Said]:  # noqa: ARG001 - one signature
    """Give the same from share rows."""
    inner = f"SELECT record FROM bench_access WHERE {raw.among('principal')}"
    return "", (f"o.id IN ({inner})", [raw.packed(reached.principals)])


PEERS: Final = {"one OR predicate": one_or, "recursive CTE": tree, "share rows": share_rows}


def page_sql(raw: Raw, world: World, peer: str, reached: Reached) -> Said:
    """Give the statement of a peer for the first page in id order."""
    head, (where, parameters) = PEERS[peer](raw, world, reached)
    cells = ", ".join([f'o."{column.name}"' for column in world.module.layout.columns])
    body = f"SELECT {cells} FROM {NAME} AS o WHERE o.deleted_in IS NULL AND {where} ORDER BY o.id LIMIT 51"
    return head + body, parameters


def count_sql(raw: Raw, world: World, peer: str, reached: Reached) -> Said:
    """Give the statement of a peer that counts."""
    head, (where, parameters) = PEERS[peer](raw, world, reached)
    return f"{head}SELECT count(*) FROM {NAME} AS o WHERE o.deleted_in IS NULL AND {where}", parameters
