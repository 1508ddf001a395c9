"""What an organisation asks of its store: long operations are resumed, and the journal is followed without gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest

from nubetis.errors import Cancelled, Conflict
from nubetis.hookspecs import Registry, hookimpl
from nubetis.model.bind import Test
from nubetis.model.fields import Operator
from nubetis.model.filters import EVERYTHING
from nubetis.model.query import BoundQuery
from nubetis.model.schema import Schema, SchemaStep
from nubetis.model.store import Store, Txn
from nubetis.model.system import ENTRIES, SEALS
from nubetis.org import Org
from nubetis.session.resuming import resume
from nubetis.testing.people import make_org
from nubetis.testing.store_contract.setting import ContractSetting, all_rows, field_of, race
from nubetis.types import Stored

__all__ = ["SessionCases"]


_Fence: TypeAlias = Callable[[Txn], object] | None


class _Cut(BaseException):
    """The power goes: nobody takes it up."""


class _Opening:
    """The plug-in that opens the store at hand for an organisation, as ``contract://``."""

    def __init__(self, reopen: Callable[[], Store]) -> None:
        self._reopen = reopen

    @hookimpl
    def nubetis_stores(self, registry: Registry) -> None:
        """Register it."""
        registry.add_store("contract", self._open)

    def _open(self, url: str, *, create: bool) -> Store:  # noqa: ARG002 - the signature of a factory
        return self._reopen()


class SessionCases(ContractSetting):
    """A few stories through the session, on this store."""

    @pytest.fixture
    def org(self, tmp_path: Path) -> Iterator[Org]:
        """Give an organisation in the store at hand; it must be sound at the end of each case."""
        with make_org("contract://org", plugins=[_Opening(partial(self.open_store, tmp_path))]) as org:
            yield org
            assert (org.check(), org.verify().tampered) == ([], ())

    def test_a_schema_operation_that_was_interrupted_is_gone_on_with(
        self, org: Org, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Stopped before any of the calls that change the tables, and after each; the next opening mends it."""
        migrate = org._world.store.migrate  # noqa: SLF001 - the case is about what the store is asked

        def early(steps: Iterable[SchemaStep], schema: Schema, **fence: _Fence) -> None:  # noqa: ARG001 - as it is asked
            raise _Cut

        def late(steps: Iterable[SchemaStep], schema: Schema, **fence: _Fence) -> None:
            migrate(steps, schema, **fence)
            raise _Cut

        for interrupted in (early, late):
            name = interrupted.__name__
            with monkeypatch.context() as patch:
                patch.setattr(org._world.store, "migrate", interrupted)  # noqa: SLF001
                with pytest.raises(_Cut):
                    org.add_field("leads", field_of(name))
            with pytest.raises(Conflict):
                org.add_field("leads", field_of("other"))
            org.mend()
            assert org.system("looking").create("leads", {"name": "Ana", name: "x"})[name] == "x"

    def test_an_operation_that_was_cancelled_is_gone_on_with(self, org: Org, monkeypatch: pytest.MonkeyPatch) -> None:
        """Each record is written once, and undoing takes all of it back."""
        monkeypatch.setattr("nubetis.session.applying.CHUNK", 3)
        session = org.system("importing")
        plan = session.plan_create("leads", [{"name": f"lead {number}"} for number in range(8)])

        def until(done: int, _: object) -> None:
            if done >= 3:
                raise Cancelled("cancelled", done=done)

        with pytest.raises(Cancelled):
            session.apply(plan, progress=until)
        (left,) = org.interrupted()
        assert resume(session, left).position == 8
        assert sorted(str(each["name"]) for each in session.find("leads")) == [f"lead {n}" for n in range(8)]
        session.undo(left)
        assert session.count("leads", EVERYTHING) == 0

    def test_who_follows_the_journal_misses_nothing(self, org: Org) -> None:
        """Four write, two seal, one follows by number: each entry comes once, and no number is left out."""
        sessions = [org.system(f"writer {number}") for number in range(4)]
        seen: list[list[Stored]] = []

        def follow() -> None:
            for _ in range(10):
                seen.extend(_after(org, len(seen)))

        def writing(number: int) -> None:
            for place in range(4):
                sessions[number].create("leads", name=f"lead {number}-{place}")

        def sealing() -> None:
            for _ in range(4):
                org.verify()

        race(*[partial(writing, number) for number in range(4)], sealing, sealing, follow)
        org.verify()
        seen.extend(_after(org, len(seen)))
        store = org._world.store  # noqa: SLF001 - entries are not shown otherwise
        entries = store.read(lambda txn: [row[0] for row in all_rows(txn, ENTRIES)])
        assert [number for number, _ in seen] == list(range(1, len(seen) + 1))
        assert sorted(int(entry or 0) for _, entry in seen) == entries


def _after(org: Org, number: int) -> list[list[Stored]]:
    """Give the seals above *number*, each with its entry."""
    query = BoundQuery(module=SEALS, where=Test("id", Operator.GT, number), limit=1000)
    store = org._world.store  # noqa: SLF001 - the feed is a query over the seals
    return [list(row[:2]) for row in store.read(lambda txn: txn.query(query))]
