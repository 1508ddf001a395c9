"""What a store says of itself, what it mends, and what it leaves where nothing was made."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from nubetis.backends import open_memory
from nubetis.errors import NotFound
from nubetis.model.bind import Holds, Test
from nubetis.model.fields import Operator
from nubetis.model.findings import Finding
from nubetis.model.schema import Schema, diff
from nubetis.model.store import Batch, ConflictKind, Expect, Store, Txn, VersionName
from nubetis.testing.generate import any_rows
from nubetis.testing.store_contract.comparing import require_same
from nubetis.testing.store_contract.setting import (
    CONTRACT_SCHEMA,
    DERIVED,
    PEOPLE,
    ContractSetting,
    all_rows,
    all_there_is,
    factory_at,
    fill,
    inserting,
    kinds,
    load,
    people,
    race,
    row_of,
    write,
)
from nubetis.types import Stored

__all__ = ["JudgingCases"]


def _derived(txn: Txn) -> object:
    """Give the rows, and what is found by what is derived from them."""
    looks = (Test("name__f", Operator.EQ, "jose"), Holds("marks", "a"), Test("size", Operator.EQ, 1))
    return {"all": all_there_is(txn), **{f"found by {look}": all_rows(txn, PEOPLE, look) for look in looks}}


class JudgingCases(ContractSetting):
    """Cases of what a store says of itself (``check``, ``mend``, ``facts``) and of its end (``clear``, ``discard``)."""

    def test_a_sound_store_is_found_sound_beside_writers(self, store: Store) -> None:
        """Whoever writes meanwhile writes rows and what is derived together."""
        rows, told = any_rows(Random(9), PEOPLE, count=50), list[int]()

        def fill() -> list[Finding]:
            for row in rows:
                load(store, PEOPLE, [row])
            return []

        found = race(fill, lambda: store.check(CONTRACT_SCHEMA, progress=lambda done, _: told.append(done)))
        assert found == [[], []]
        assert told
        assert told == sorted(told)

    @pytest.mark.parametrize("what", DERIVED)
    def test_what_was_harmed_is_found_and_mended(self, store: Store, tmp_path: Path, what: str) -> None:
        """What is derived from rows is as it was before, and the rows are too."""
        cells: dict[str, Stored] = {"name": "José", "code": "x", "marks": '["a"]', "owner": 1, "size": 1}
        load(store, PEOPLE, people([cells, {"name": "Ana", "owner": 2}, {}]))
        before = store.read(_derived)
        self.harm(tmp_path, store, what)
        found = store.check(CONTRACT_SCHEMA)
        assert (bool(found), all(each.mends for each in found), bool(store.check())) == (True, True, True)
        store.mend(found, CONTRACT_SCHEMA)
        assert (store.check(CONTRACT_SCHEMA), store.check()) == ([], [])
        require_same(before, store.read(_derived))
        assert kinds(write(store, inserting(PEOPLE, [row_of(PEOPLE, 9, {"code": "X"})]))) == [ConflictKind.UNIQUE]

    def test_what_looks_first_may_stop_the_mending(self, store: Store, tmp_path: Path) -> None:
        """What is wrong stays as it is, and is mended by whoever finds that nothing has moved."""
        load(store, PEOPLE, people([{"name": "José", "owner": 1, "size": 1}]))
        self.harm(tmp_path, store, DERIVED[0])
        found, seen = store.check(CONTRACT_SCHEMA), list[int]()

        def refuse(txn: Txn) -> None:
            seen.append(txn.count(PEOPLE))
            raise LookupError

        with pytest.raises(LookupError):
            store.mend(found, CONTRACT_SCHEMA, fence=refuse)
        assert (seen, store.check(CONTRACT_SCHEMA)) == ([1], found)
        store.mend(found, CONTRACT_SCHEMA, fence=lambda txn: seen.append(txn.count(PEOPLE)))
        assert (seen, store.check(CONTRACT_SCHEMA)) == ([1, 1], [])

    @pytest.mark.parametrize("harmed", [range(1, 2), range(300, 301), range(120, 280)])
    def test_wrong_twins_are_found_wherever_they_are(self, store: Store, tmp_path: Path, harmed: range) -> None:
        """One of many, first or last, or many of them."""
        load(store, PEOPLE, people([{"name": "José", "size": int(key in harmed)} for key in range(1, 301)]))
        self.harm(tmp_path, store, "twins")
        found = store.check(CONTRACT_SCHEMA)
        assert (bool(found), bool(store.check())) == (True, True)
        store.mend(found, CONTRACT_SCHEMA)
        assert (store.check(CONTRACT_SCHEMA), store.check()) == ([], [])
        assert store.read(lambda txn: txn.count(PEOPLE, Test("name__f", Operator.EQ, "jose"))) == 300

    def test_mending_what_is_sound_changes_nothing(self, store: Store) -> None:
        """Nor does a finding of something that is not so."""
        load(store, PEOPLE, any_rows(Random(9), PEOPLE, count=20))
        before = store.read(all_there_is)
        for findings in (
            [],
            [Finding("twin_wrong", "people", "name__f", 3)],
            [Finding("tally_wrong", "people", "size")],
        ):
            store.mend(findings, CONTRACT_SCHEMA)
            require_same(before, store.read(all_there_is))
            assert store.check(CONTRACT_SCHEMA) == []

    def test_facts_are_plain_and_have_names(self, store: Store) -> None:
        """They are shown as they are."""
        found = store.facts()
        assert found
        assert all(name and isinstance(value, str | int) for name, value in found.items())

    @pytest.mark.parametrize("told", [True, False])
    def test_a_store_that_is_cleared_is_as_new(self, tmp_path: Path, told: bool) -> None:  # noqa: FBT001 - a case
        """Whatever definitions are lost: nothing of what was there is seen by whoever comes after."""
        store = self.fresh_store(tmp_path)
        fill(store)
        known = CONTRACT_SCHEMA.modules if told else [each for each in CONTRACT_SCHEMA.modules if not each.journalled]
        for _ in range(2):
            store.clear(known)
            assert store.format() is None
        store.close()
        again = self.open_store(tmp_path)
        assert again.format() is None
        again.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        new = open_memory("memory://", create=True)
        new.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        require_same(new.read(all_there_is), again.read(all_there_is))
        assert again.check(CONTRACT_SCHEMA) == []
        again.close()

    def test_a_store_that_is_discarded_leaves_nothing(self, tmp_path: Path) -> None:
        """With tables or without; until an organisation is set up nobody has anything to lose."""
        for schema in (None, CONTRACT_SCHEMA):
            store = self.open_store(tmp_path)
            if schema is not None:
                store.migrate(diff(Schema(), schema), schema)
            store.discard()
            with pytest.raises(NotFound):
                self._there(tmp_path)

    @pytest.mark.parametrize("name", VersionName)
    def test_an_organisation_that_was_set_up_is_not_discarded(self, tmp_path: Path, name: VersionName) -> None:
        """Somebody made it before the one who gave up; whichever version moved."""
        store = self.open_store(tmp_path)
        store.migrate(diff(Schema(), CONTRACT_SCHEMA), CONTRACT_SCHEMA)
        load(store, PEOPLE, any_rows(Random(9), PEOPLE, count=3))
        write(store, Batch(expects=(Expect(name, 0),)))
        before = store.read(all_there_is)
        store.discard()
        again = self._there(tmp_path)
        require_same(before, again.read(all_there_is))
        again.close()

    def _there(self, folder: Path) -> Store:
        """Open what there is and must have a format."""
        found = factory_at(self.factory)(self.url_of(folder), create=False)
        if found.format() is None:
            found.close()
            raise NotFound("no_database", url="this one")
        return found
