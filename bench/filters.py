"""Filters: five clauses on values that are folded already, by closures and on columns, beside two rule engines.

``python bench/filters.py --quick`` takes less than a minute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random

import json_logic
import rule_engine
from measure import Figure, against, machine, options, report, versions

from nubetis.model.bind import All, Bound, Test, Within
from nubetis.model.evaluate import matcher, select
from nubetis.model.fields import Operator
from nubetis.types import Row, Stored

COLUMNS = ("stage", "amount", "city", "name", "closed")
WORDS = ["acme", "norte", "sur", "sol", "luna", "rio", "mar", "andes", "inka", "lima"]

FILTER: Bound = All((
    Test("stage", Operator.EQ, "open"),
    Test("amount", Operator.GT, 200_000),
    Test("city", Operator.EQ, "lima"),
    Within("name", Operator.CONTAINS, "a"),
    Test("closed", Operator.GE, "2026-03-01"),
))  # fmt: skip
"""Each clause holds for most records, so that the later ones are looked at, too."""

LOGIC = {"and": [
    {"==": [{"var": "stage"}, "open"]}, {">": [{"var": "amount"}, 200_000]}, {"==": [{"var": "city"}, "lima"]},
    {"in": ["a", {"var": "name"}]}, {">=": [{"var": "closed"}, "2026-03-01"]},
]}  # fmt: skip

RULE = 'stage == "open" and amount > 200000 and city == "lima" and "a" in name and closed >= "2026-03-01"'


def rows_of(random: Random, count: int) -> list[Row]:
    """Give rows of the five columns, folded, without empty values (the engines refuse them)."""
    return [
        (
            random.choice(["open", "open", "open", "won"]), random.randrange(1_000_000),
            random.choice(["lima", "lima", "lima", "cusco"]), f"{random.choice(WORDS)} {random.choice(WORDS)}",
            f"2026-{random.randrange(1, 13):02d}-{random.randrange(1, 29):02d}",
        )
        for _ in range(count)
    ]  # fmt: skip


def engines(rows: list[Row]) -> Mapping[str, tuple[Callable[[], list[int]], int]]:
    """Give, by name, what finds the places of rows that fit, and how many rows it looks at (the slow ones at fewer)."""
    some = [dict(zip(COLUMNS, row, strict=True)) for row in rows[: max(1000, len(rows) // 50)]]
    columns: dict[str, list[Stored]] = {name: [row[at] for row in rows] for at, name in enumerate(COLUMNS)}
    fits = matcher(FILTER, {name: at for at, name in enumerate(COLUMNS)})
    rule = rule_engine.Rule(RULE)
    return {
        "closures": (lambda: [at for at, row in enumerate(rows) if fits(row)], len(rows)),
        "columns": (lambda: select(FILTER, columns, len(rows)), len(rows)),
        "panzi-json-logic": (
            lambda: [at for at, each in enumerate(some) if json_logic.jsonLogic(LOGIC, each)],
            len(some),
        ),
        "rule-engine": (lambda: [at for at, each in enumerate(some) if rule.matches(each)], len(some)),
    }


def figures(count: int, rounds: int) -> list[Figure]:
    """Compare each evaluator with each engine, record for record."""
    found = engines(rows_of(Random(7), count))
    peers, ours = ("panzi-json-logic", "rule-engine"), ("closures", "columns")
    _, few = found[peers[0]]
    assert len({tuple(at for at in work() if at < few) for work, _ in found.values()}) == 1, "they disagree"
    return [_figure(found, mine, peer, rounds) for mine in ours for peer in peers]


def _figure(found: Mapping[str, tuple[Callable[[], list[int]], int]], mine: str, peer: str, rounds: int) -> Figure:
    (work, many), (other, few) = found[mine], found[peer]
    share = many / few
    measured = against(work, other, rounds=rounds, units=many, path=f"five clauses, {mine}", peer=peer, gate=15.0)
    # The engine looked at fewer records: bring its side to the same number.
    low, high = (bound * share for bound in measured.spread)
    return Figure(
        path=measured.path, peer=peer, gate=15.0, stretch=3_000_000 / (measured.theirs / share),
        ratio=measured.ratio * share, spread=(low, high), ours=measured.ours, theirs=measured.theirs / share,
    )  # fmt: skip


def main() -> None:
    """Measure and print."""
    given = options(__doc__ or "")
    count, rounds = (100_000, 7) if given.quick else (1_000_000, 15)
    facts = {**machine(), "records": count, "peers": versions("panzi-json-logic", "rule-engine")}
    report(figures(count, rounds), facts=facts, target=given.json)


if __name__ == "__main__":
    main()
