"""Filters: every bound test over hostile rows, against the evaluator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest

from nubetis.model.bind import (
    ALWAYS,
    CONDITIONS,
    LINKS,
    NEVER,
    VALUES,
    All,
    AnyOf,
    Bound,
    Holds,
    Linked,
    Linking,
    Missing,
    No,
    OneOf,
    Test,
    Within,
    Word,
    bind,
)  # fmt: skip
from nubetis.model.evaluate import matcher
from nubetis.model.fields import Operator
from nubetis.model.fold import fold_text
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Module
from nubetis.model.store import (
    Batch,
    Inserts,
    Removals,
    Store,
    Txn,
)  # fmt: skip
from nubetis.testing.generate import INTEGERS, TEXTS, FilterMaker, any_rows, any_view
from nubetis.testing.store_contract.setting import (
    CONTRACT_SCHEMA,
    HOSTILE,
    PEOPLE,
    PLACES,
    USERS,
    ContractSetting,
    all_rows,
    keys_of,
    load,
    people,
    row_of,
    setting,
    write,
)
from nubetis.types import Key, Row, Stored

__all__ = [
    "FilterCases",
]


class FilterCases(ContractSetting):
    """A store finds the rows that the evaluator in Python finds."""

    # filters --------------------------------------------------------------------------------------
    def _agree(self, store: Store, module: Module, bounds: Sequence[Bound], full: Sequence[Row]) -> None:
        """Stream, count and query give the rows that :func:`matcher` finds, one unit for all *bounds*."""
        related = Relations(full, module)

        def unit(txn: Txn) -> None:
            for bound in bounds:
                fits = matcher(bound, module.layout.full_index, related)
                expected = [row[0] for row in full if fits(row)]
                streamed = [key for (keys,) in txn.stream(module, bound, columns=["id"]) for key in keys]
                assert expected == streamed, bound
                assert len(expected) == txn.count(module, bound), bound
                page = txn.query(BoundQuery(module=module, where=bound, limit=len(full)))
                assert expected == [row[0] for row in page], bound

        store.read(unit)

    def _agree_on(self, store: Store, cells: Sequence[Mapping[str, Stored]], bounds: Sequence[Bound]) -> None:
        rows = people(cells)
        load(store, PEOPLE, rows)
        both = [*bounds, *[No(bound) for bound in bounds]]
        self._agree(store, PEOPLE, both, [PEOPLE.layout.fill(row) for row in rows])

    @pytest.mark.parametrize("operator", [Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE])
    @pytest.mark.parametrize("column", ["name__f", "email__f", "home.city__f", "stage"])
    def test_text_compares_by_code_point(self, store: Store, operator: Operator, column: str) -> None:
        """Every hostile text against every other, folded and exact."""
        cells = [{column.removesuffix("__f"): text} for text in HOSTILE]
        values = [text and PEOPLE.layout.fill(row_of(PEOPLE, 1, each))[PEOPLE.layout.full_index[column]]
                  for text, each in zip(HOSTILE, cells, strict=True)]  # fmt: skip
        self._agree_on(
            store, cells, [Test(column, operator, value) for value in dict.fromkeys(values) if value is not None]
        )

    @pytest.mark.parametrize("operator", [Operator.CONTAINS, Operator.STARTS, Operator.ENDS])
    @pytest.mark.parametrize("column", ["name__f", "stage"])
    def test_pieces_of_text_are_found_to_the_letter(self, store: Store, operator: Operator, column: str) -> None:
        """No letter is a pattern, and none is folded twice."""
        name = column.removesuffix("__f")
        folded = [fold_text(text) for text in TEXTS] if name != column else TEXTS
        pieces = dict.fromkeys([*folded, *[text[:1] for text in folded], *[text[-1:] for text in folded]])
        bounds = [Within(column, operator, piece) for piece in pieces]
        if operator is Operator.CONTAINS:
            bounds += [Within(column, operator, piece, apart=True) for piece in (*pieces, "n", "an") if piece]
        self._agree_on(store, [{name: text} for text in HOSTILE], bounds)

    @pytest.mark.parametrize("operator", [Operator.EQ, Operator.LT, Operator.LE, Operator.GT, Operator.GE])
    @pytest.mark.parametrize("column", ["size", "ratio", "worth.home", "parent"])
    def test_numbers_compare_as_whole_numbers(self, store: Store, operator: Operator, column: str) -> None:
        """Negative and huge ones, too: nothing goes through a float."""
        numbers = [number for each in INTEGERS for number in (each, each + 1)]
        cells: list[dict[str, Stored]] = [{column: number} for number in (None, *numbers)]
        self._agree_on(store, cells, [Test(column, operator, number) for number in numbers])

    @pytest.mark.parametrize("column", ["name__f", "stage"])
    def test_a_trailing_space_counts(self, store: Store, column: str) -> None:
        """Also no-break and wide ones, and those before."""
        texts = ["a", "a ", "a  ", " a", "a\t", "a\u00a0", "a\u3000", "", " ", None]
        cells: list[dict[str, Stored]] = [{column.removesuffix("__f"): text} for text in texts]
        values = [fold_text(text) if column == "name__f" else text for text in texts if text is not None]
        bounds: list[Bound] = [OneOf(column, (value,)) for value in values]
        bounds += [Test(column, sign, value) for sign in (Operator.EQ, Operator.LE) for value in values]
        self._agree_on(store, cells, [*bounds, *[Within(column, Operator.ENDS, value) for value in values]])

    def test_one_of_many_values(self, store: Store) -> None:
        """None, one, some, and more than a statement has parameters."""
        cells = [{"name": text, "size": at} for at, text in enumerate(HOSTILE)]
        folded = [fold_text(text) for text in TEXTS]
        bounds = [OneOf("name__f", ()), OneOf("name__f", tuple(folded[:1])), OneOf("name__f", tuple(folded[::2]))]
        self._agree_on(store, cells, [*bounds, OneOf("size", tuple(range(3, 40_000, 5)))])

    def test_a_missing_value_is_on_the_other_side(self, store: Store) -> None:
        """Comparisons with it are false, and their negation is true; also where a column is empty throughout."""
        empty: list[Bound] = [Missing("size"), Missing("name"), Missing("face"), Missing("marks"), Missing("ratio")]
        tests: list[Bound] = [
            Test("size", Operator.GT, 0),
            Test("ratio", Operator.LE, 0),
            Holds("marks", "a"),
            OneOf("size", (1, 2)),
        ]
        cells: list[dict[str, Stored]] = [
            {"size": 1, "marks": '["a"]'},
            {},
            {"size": None, "face": b""},
            {"name": "\u0301"},
        ]
        self._agree_on(store, cells, [*empty, *tests, All((tests[0], No(tests[2]))), AnyOf((No(tests[0]), tests[1]))])

    def test_words_are_found_in_any_of_the_columns(self, store: Store) -> None:
        """Their ñ is read as n; letters are letters."""
        columns = ("name__f", "note__f", "home.city__f")
        texts = ["Peña", "pena", "PENAS", "nn\u0303", "50%", "a_b", "東京", None, "pen", "n", "ñ"]
        cells = [{name: text} for text in texts for name in ("name", "note", "home.city")]
        words = ["pena", "pen", "n", "50%", "a_b", "_", "%", "東", "nn", "\u0303"]
        self._agree_on(store, cells, [Word(c, word) for word in words for c in (columns, columns[:1])])

    def test_a_set_holds_its_members_and_no_pieces_of_them(self, store: Store) -> None:
        """``a`` is not held by ``["ab"]``, nor is ``%``."""
        sets = [None, "[]", '["a"]', '["ab"]', '["a","ab"]', '["%"]', '["_","b"]', '["Ñ"]']
        values = ["a", "ab", "b", "%", "_", "Ñ", "n", "ñ", ","]
        self._agree_on(store, [{"marks": each} for each in sets], [Holds("marks", value) for value in values])

    def test_sets_follow_updates(self, store: Store) -> None:
        """By batch, by condition, and by removal."""
        load(store, PEOPLE, people([{"marks": '["a"]'}] * 3))
        write(store, setting("marks", [1], ['["b"]']))
        store.write(lambda txn: txn.update_where(PEOPLE, Test("id", Operator.EQ, 2), {"marks": None}))
        assert (keys_of(store, Holds("marks", "a")), keys_of(store, Holds("marks", "b"))) == ([3], [1])
        write(store, Batch(parts=(Removals(PEOPLE, [Key(3)]), Inserts(PEOPLE, [row_of(PEOPLE, 4)]))))
        assert keys_of(store, Holds("marks", "a")) == []

    def test_everything_and_nothing(self, store: Store) -> None:
        """Also within others, and negated."""
        bounds: list[Bound] = [
            ALWAYS,
            NEVER,
            All((ALWAYS, NEVER)),
            AnyOf((NEVER, ALWAYS)),
            All((Missing("size"), ALWAYS)),
        ]
        self._agree_on(store, [{}, {"size": 1}], bounds)

    def test_deeply_nested_filters(self, store: Store) -> None:
        """Sixty levels of all, any and none."""
        bound: Bound = Test("size", Operator.GT, 2)
        for level in range(60):
            other = Test("size", Operator.EQ, level)
            bound = (No(bound), All((bound, No(other))), AnyOf((other, bound)))[level % 3]
        self._agree_on(store, [{"size": size} for size in (None, *range(60))], [bound])

    @pytest.mark.parametrize("seed", range(6))
    def test_generated_filters_agree_with_the_evaluator(self, store: Store, seed: int) -> None:
        """Every field and operator, and nested ones, over hostile records."""
        self._agree_on_generated(store, Random(seed), linked=False)

    @pytest.mark.parametrize("seed", range(6))
    def test_generated_linked_filters_agree_with_the_evaluator(self, store: Store, seed: int) -> None:
        """The same, with filters on linked records among them."""
        self.need(store, "linked_filters")
        self._agree_on_generated(store, Random(seed), linked=True)

    def _agree_on_generated(self, store: Store, random: Random, *, linked: bool) -> None:
        related = {name: any_rows(random, CONTRACT_SCHEMA.module(name), count=12) for name in ("people", "places")}
        for name, rows in related.items():
            load(store, CONTRACT_SCHEMA.module(name), rows)
        maker = FilterMaker(PEOPLE, related["people"], schema=CONTRACT_SCHEMA, related=related if linked else {})
        pairs = [(path, each) for path, each in maker.operators() if (each is Operator.LINKED) == linked]
        filters = [maker.compare(random, path, operator=each, depth=1) for path, each in pairs]
        filters += [maker.filter(random, depth=3) for _ in range(40)]
        view = any_view(random, USERS)
        self._agree_all(store, [bind(each, PEOPLE, CONTRACT_SCHEMA, view) for each in filters], related)

    def _agree_all(self, store: Store, bounds: Sequence[Bound], tables: Mapping[str, Sequence[Row]]) -> None:
        full = {name: [CONTRACT_SCHEMA.module(name).layout.fill(r) for r in rows] for name, rows in tables.items()}
        related = Relations(full["people"], PEOPLE, {"places": full["places"]})

        def unit(txn: Txn) -> list[tuple[Bound, list[Stored], list[Stored]]]:
            found = []
            for bound in bounds:
                fits = matcher(bound, PEOPLE.layout.full_index, related)
                expected = [row[0] for row in full["people"] if fits(row)]
                found.append((bound, expected, [row[0] for row in all_rows(txn, PEOPLE, bound)]))
            return found

        assert [each for each in store.read(unit) if each[1] != each[2]] == []

    def test_linked_filters_look_at_living_records_only(self, store: Store) -> None:
        """Forward and backward, through a link to one module and to several."""
        self.need(store, "linked_filters")
        load(store, PLACES, [row_of(PLACES, 1, {"size": 1}), row_of(PLACES, 2, {"size": 1, "deleted_in": 3})])
        cells: list[dict[str, Stored]] = [
            {"place": 1, "about": 1, "about.module": "pla"},
            {"place": 2, "about": 1, "about.module": "per"},
            {"place": 3, "parent": 1},
            {"parent": 2, "deleted_in": 9},
            {},
        ]
        load(store, PEOPLE, people(cells))
        one = Test("size", Operator.EQ, 1)
        assert keys_of(store, Linked("place", PLACES, one)) == [1]
        assert keys_of(store, No(Linked("place", PLACES, ALWAYS))) == [2, 3, 4, 5]
        assert keys_of(store, Linking(PEOPLE, "parent", ALWAYS)) == [1]
        assert keys_of(store, No(Linking(PEOPLE, "parent", ALWAYS))) == [2, 3, 4, 5]
        assert keys_of(store, Linking(PEOPLE, "about", ALWAYS, "pla"), PLACES) == [1]
        assert keys_of(store, Linking(PEOPLE, "about", ALWAYS, "per")) == [1]

    def test_the_largest_filters_that_can_be_bound_are_answered(self, store: Store) -> None:
        """As many links in a row, conditions and values as binding lets through."""
        load(store, PLACES, [row_of(PLACES, 1, {"keeper": 1}), row_of(PLACES, 2, {"keeper": 9})])
        load(store, PEOPLE, people([{"place": 1, "size": 7, "about.module": "per", "about": 1}, {"place": 2}]))
        several = [Test("size", Operator.GT, number * 2) for number in range(CONDITIONS)]
        assert keys_of(store, AnyOf(tuple(several))) == [1]
        assert keys_of(store, All(tuple(map(No, several[4:])))) == [1, 2]
        assert keys_of(store, OneOf("size", tuple(range(VALUES)))) == [1]
        self.need(store, "linked_filters")
        where: Bound = Test("size", Operator.EQ, 7)
        where = AnyOf((All((Test("about.module", Operator.EQ, "per"), Linked("about", PEOPLE, where))), NEVER))
        where = AnyOf((No(All((where, No(Missing("size"))))), Linked("about", PEOPLE, where)))
        where = All((Linked("keeper", PEOPLE, where), No(Missing("keeper"))))
        where = No(AnyOf((No(Linked("place", PLACES, where)), Missing("size"))))
        assert LINKS == 4  # as many as these
        assert keys_of(store, where) == [1]

    def test_linked_filters_nest(self, store: Store) -> None:
        """People whose place is kept by somebody who has a child called x; the module is met twice."""
        self.need(store, "linked_filters")
        load(store, PLACES, [row_of(PLACES, 1, {"keeper": 1}), row_of(PLACES, 2, {"keeper": 2})])
        load(store, PEOPLE, people([{"place": 2}, {"place": 1}, {"parent": 1, "name": "X"}]))
        child = Linking(PEOPLE, "parent", Test("name__f", Operator.EQ, "x"))
        assert keys_of(store, Linked("place", PLACES, Linked("keeper", PEOPLE, child))) == [2]
        assert keys_of(store, No(Linked("place", PLACES, Linked("keeper", PEOPLE, child)))) == [1, 3]


class Relations:
    """Finds linked rows among full rows, for the evaluator."""

    def __init__(self, full: Sequence[Row], module: Module, more: Mapping[str, Sequence[Row]] | None = None) -> None:
        self._tables = {str(module.name): full, **(more or {})}

    def by_key(self, module: Module, key: int) -> Row | None:
        return next((row for row in self._living(module) if row[0] == key), None)

    def by_link(self, module: Module, column: str, key: int) -> list[Row]:
        return [row for row in self._living(module) if row[module.layout.index[column]] == key]

    def _living(self, module: Module) -> Iterator[Row]:
        return (row for row in self._tables.get(module.name, ()) if row[module.layout.index["deleted_in"]] is None)
