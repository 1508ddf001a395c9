"""A batch that the database refuses for what no single row shows is not taken for written."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from nubetis.backends.sql import open_sqlite
from nubetis.errors import NubetisError
from nubetis.model.bind import ALWAYS
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Batch, Inserts
from nubetis.testing.store_contract import CONTRACT_SCHEMA, row_of
from nubetis.testing.store_contract.setting import PEOPLE, keys_of


def test_a_set_that_has_a_member_twice_is_refused_and_leaves_nothing(tmp_path):
    with closing(open_sqlite(f"sqlite:///{tmp_path}/org.db", create=True)) as store:
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        rows = [row_of(PEOPLE, 1, {"owner": 1}), row_of(PEOPLE, 2, {"owner": 1, "marks": '["a","a"]'})]
        with pytest.raises((NubetisError, sqlite3.IntegrityError)):
            store.write(lambda txn: txn.write(Batch(parts=(Inserts(PEOPLE, rows),))))
        assert (keys_of(store, ALWAYS), store.check()) == ([], [])
