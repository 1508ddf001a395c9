"""Filters mean the same in Python, in memory and in SQLite: a sample of ``proof_filters``, and any schema."""

from __future__ import annotations

from tempfile import TemporaryDirectory

from hypothesis import given, settings

from nubetis.backends.memory import open_memory
from nubetis.backends.sql import open_sqlite
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Batch, Inserts
from nubetis.testing.strategies import worlds
from tests.conftest import SEED
from tests.property.proof_filters import prove
from tests.property.test_evaluate import answers


def test_python_memory_and_sqlite_agree_on_a_sample():
    """Fifty thousand pairs; the seed is the run's."""
    found = prove(50_000, SEED)
    assert found.faults == []
    assert len(found.filters) > 900


@given(worlds())
@settings(max_examples=max(settings.default.max_examples // 10, 1))
def test_stores_agree_with_the_matcher_over_any_schema(world):
    """Fields of every type, filterable or not, in modules made for the occasion."""
    expected = [row[0] for row, fits in zip(world.rows["things"], answers(world, world.bound), strict=True) if fits]
    assert expected == found_by(open_memory("memory://", create=True), world)
    with TemporaryDirectory() as folder:
        assert expected == found_by(open_sqlite(f"sqlite:///{folder}/org.db?profile=fast", create=True), world)


def found_by(store, world):
    """Give the keys that *store* finds in the world."""
    store.migrate(diff(Schema(), world.schema), world.schema)
    parts = [Inserts(world.schema.module(name), rows) for name, rows in world.rows.items()]
    assert store.write(lambda txn: txn.write(Batch(parts=tuple(parts)))).written
    page = store.read(lambda txn: txn.query(BoundQuery(module=world.module, where=world.bound, limit=99)))
    store.close()
    return [row[0] for row in page]
