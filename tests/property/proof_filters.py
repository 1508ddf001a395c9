"""Proof that filters mean the same in Python, in memory and in SQL, over as many (filter, record) pairs as wanted.

A *shard* is 30 records and a hundred filters made from one seed; what fails is made again by its seed alone, and
a long proof is resumed at the seed where it stopped::

    python -m tests.property.proof_filters --pairs 1000000 --seed 0 --stores memory sqlite postgres

It also holds the proof to be worth something: there is a distinct filter for every fifty pairs, and each operator,
alone, is true for 20 to 80 % of the records it was asked of.
"""
# ruff: noqa: T201 - a script that prints

from __future__ import annotations

import argparse
import sys
from collections import Counter
from contextlib import ExitStack, closing
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import attrs

from nubetis.backends.memory import open_memory
from nubetis.backends.sql import open_sqlite
from nubetis.backends.sql.postgres import open_postgres
from nubetis.model.bind import bind
from nubetis.model.evaluate import matcher
from nubetis.model.filters import Compare
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Batch, Inserts, Removals
from nubetis.testing.generate import FilterMaker, any_rows, any_view
from nubetis.testing.store_contract import CONTRACT_SCHEMA
from nubetis.testing.store_contract.filters import Relations
from nubetis.testing.store_contract.setting import PEOPLE, PLACES, USERS
from tests.servers import running_postgres

RECORDS, FILTERS = 30, 100
STORES = ("memory", "sqlite", "postgres")
PAIRS_OF_A_SHARD = RECORDS * FILTERS


@attrs.define
class Tally:
    """What a proof has seen."""

    pairs: int = 0
    filters: set[str] = attrs.field(factory=set)
    asked: Counter[str] = attrs.field(factory=Counter)
    true: Counter[str] = attrs.field(factory=Counter)
    faults: list[str] = attrs.field(factory=list)

    def shares(self):
        """Give, for each operator alone, the share of records for which it was true."""
        return {operator: self.true[operator] / self.asked[operator] for operator in sorted(self.asked)}

    def unfair(self):
        """Name the operators that were too often true or false to prove anything."""
        return [f"{operator}: {share:.2f}" for operator, share in self.shares().items() if not 0.2 <= share <= 0.8]


def opened(name, stack, folder):
    """Open the store called *name*, with the tables of the contract suite; *stack* closes it."""
    if name == "memory":
        store = open_memory("memory://", create=True)
    elif name == "sqlite":
        store = open_sqlite(f"sqlite:///{folder}/proof.db?profile=fast", create=True)
    else:
        store = open_postgres(stack.enter_context(running_postgres())("proof"), create=True)
    stack.enter_context(closing(store))
    store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
    return store


def prove_shard(seed, found, *, among):
    """Compare one shard in Python and in all stores *among*; note the result in *found*."""
    random = Random(seed)
    tables = {"people": any_rows(random, PEOPLE, count=RECORDS), "places": any_rows(random, PLACES, count=12)}
    for store in among:
        store.write(lambda txn: fill(txn, tables))
    maker = FilterMaker(PEOPLE, tables["people"], schema=CONTRACT_SCHEMA, related=tables)
    view = any_view(random, USERS)
    filters = [*leaves(maker, random), *[maker.filter(random, depth=3) for _ in range(FILTERS - FILTERS // 3)]]
    bounds = [bind(each, PEOPLE, CONTRACT_SCHEMA, view) for each in filters]
    expected = in_python(tables, bounds)
    for store in among:
        compare(expected, store.read(lambda txn: [answer(txn, bound) for bound in bounds]), seed, found, filters, store)
    note(filters, expected, found)


def fill(txn, tables):
    """Replace all records."""
    for module in (PEOPLE, PLACES):
        assert txn.write(Batch(parts=(Removals(module, range(1, 100)), Inserts(module, tables[module.name])))).written


def leaves(maker, random):
    """Give single comparisons, every path and operator with the same chance."""
    pairs = random.choices(maker.operators(), k=FILTERS // 3)
    return [maker.compare(random, path, operator=operator, depth=1) for path, operator in pairs]


def in_python(tables, bounds):
    """Give the keys that fit, by the evaluator."""
    full = {"people": [PEOPLE.layout.fill(r) for r in tables["people"]]}
    related = Relations(full["people"], PEOPLE, {"places": [PLACES.layout.fill(r) for r in tables["places"]]})
    found = [matcher(bound, PEOPLE.layout.full_index, related) for bound in bounds]
    return [[row[0] for row in full["people"] if fits(row)] for fits in found]


def answer(txn, bound):
    """Give the keys that fit, by a store."""
    return [row[0] for row in txn.query(BoundQuery(module=PEOPLE, where=bound, limit=RECORDS))]


def compare(expected, actual, seed, found, filters, store):
    """Note where a store answers otherwise."""
    for where, keys, others in zip(filters, expected, actual, strict=True):
        if keys != others:
            differ = sorted(set(keys) ^ set(others))
            found.faults.append(f"seed {seed}, {store.capabilities.name}, records {differ}: {repr(where)[:2000]}")


def note(filters, expected, found):
    """Count pairs, filters and how often each operator was true."""
    found.pairs += len(filters) * RECORDS
    found.filters.update(map(repr, filters))
    for where, keys in zip(filters, expected, strict=True):
        if isinstance(where, Compare):
            found.asked[where.operator.value] += RECORDS
            found.true[where.operator.value] += len(keys)


def prove(pairs, seed, *, names=STORES[:2], progress=lambda done: None):
    """Compare shards from *seed* on until there are so many pairs; give what was seen, at the first fault too."""
    found = Tally()
    with TemporaryDirectory() as folder, ExitStack() as stack:
        among = [opened(name, stack, Path(folder)) for name in names]
        while found.pairs < pairs and not found.faults:
            prove_shard(seed, found, among=among)
            seed += 1
            progress(found)
    return found


def main(arguments=None):
    """Run the proof; the exit code is 1 where answers differ or the proof is not worth its name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first shard")
    parser.add_argument("--stores", nargs="+", choices=STORES, default=STORES, help="to be compared with Python")
    options = parser.parse_args(arguments)
    found = prove(options.pairs, options.seed, names=options.stores, progress=show)
    print(f"\n{found.pairs:,} pairs, {len(found.filters):,} distinct filters, from seed {options.seed} on")
    print(f"in Python and in {', '.join(options.stores)}")
    print("\n".join(f"  {operator:12} true for {share:4.0%}" for operator, share in found.shares().items()))
    print("\n".join(found.faults) or "equal everywhere")
    poor = found.unfair() + ["too few distinct filters"] * (len(found.filters) < found.pairs / 50)
    print("\n".join(f"not proved: {each}" for each in poor))
    return 1 if found.faults or poor else 0


def show(found):
    """Say how far the proof has come, every hundred shards."""
    if not found.pairs % (100 * PAIRS_OF_A_SHARD):
        print(f"{found.pairs:,} pairs", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
