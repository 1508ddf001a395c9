"""What COPY is given is what the table holds."""

from __future__ import annotations

from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nubetis.backends.sql.postgres.connections import connect, locate
from nubetis.errors import StoreError
from nubetis.model.schema import Schema, diff
from nubetis.testing.store_contract.setting import CONTRACT_SCHEMA, LOGS, row_of

TEXTS = st.none() | st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]) | st.sampled_from("\\\n\r\tN.xñ")
)
NUMBERS = st.none() | st.integers(-(1 << 63), (1 << 63) - 1) | st.booleans()
ROWS = st.lists(st.tuples(NUMBERS, TEXTS, st.none() | st.binary(max_size=5)), min_size=1, max_size=20)


@pytest.fixture(scope="module")
def link(postgres):
    with closing(connect(locate(postgres("copy_text")))) as link:
        link.execute("CREATE TEMPORARY TABLE cells (place serial, number bigint, text text, bytes bytea)")
        yield link


@given(ROWS, st.integers(1, 5))
@example([(None, "\\.", None), (1, "\\N", b"\\N"), (True, "", b"")], 1)
def test_what_is_copied_in_is_read_back(link, rows, size):
    link.execute("TRUNCATE cells")
    lots = [rows[at : at + size] for at in range(0, len(rows), size)]

    link.insert_many("COPY cells (number, text, bytes) FROM STDIN", lots)

    assert rows == link.execute("SELECT number, text, bytes FROM cells ORDER BY place").fetchall()


@pytest.mark.parametrize("bad", ["\0", "\ud800", 1 << 63])
def test_what_no_column_can_hold_is_refused_whole(postgres, bad):
    from nubetis.backends.sql.postgres import open_postgres

    store = open_postgres(postgres(f"bad_{ord(bad) if isinstance(bad, str) else 'number'}"), create=True)
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    cell = {"line": bad} if isinstance(bad, str) else {"size": bad}
    with pytest.raises((StoreError, ValueError)):
        store.write(lambda txn: txn.bulk_load(LOGS, [row_of(LOGS, 1, {}), row_of(LOGS, 2, cell)]))
    assert 0 == store.read(lambda txn: txn.count(LOGS))
    store.close()
