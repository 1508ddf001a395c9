"""Where the story plays: what every step is told, what it leaves behind, how long it took."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, TypeVar

import attrs

from nubetis.cli.face import Face, heading, line
from nubetis.cli.texts import _

if TYPE_CHECKING:
    from nubetis import Module, Org, Session, Table
    from nubetis.cli.demo.fit import Fit

__all__ = ["Stage"]

T = TypeVar("T")
_BOOKKEEPING = frozenset({"version", "modified_at", "modified_by"})


@attrs.define(kw_only=True)
class Stage:
    """What the steps share.  *facts* become the answer to programs; *seconds* say how long each step took."""

    face: Face
    url: str
    folder: Path
    keep: bool = True
    facts: dict[str, object] = attrs.field(factory=dict)
    seconds: dict[str, float] = attrs.field(factory=dict)
    file: str = ""
    truth: Sequence[str | None] = ()
    """Who each row really is, and after the import each record, in id order; empty where the file does not say."""
    _table: Table | None = None
    _org: Org | None = None
    _session: Session | None = None
    _fit: Fit | None = None

    @property
    def room(self) -> int:
        """How wide the terminal is."""
        return self.face.out.width

    @property
    def table(self) -> Table:
        """The file, cleaned."""
        return _there(self._table)

    @property
    def org(self) -> Org:
        """The organisation."""
        return _there(self._org)

    @property
    def session(self) -> Session:
        """The administrator's session."""
        return _there(self._session)

    @property
    def fit(self) -> Fit:
        """Which column goes where."""
        return _there(self._fit)

    @property
    def module(self) -> Module:
        """The module of the file's records, as it is now."""
        return self.org.schema.module(self.fit.module)

    def read(self, table: Table, file: str) -> None:
        """Remember the file."""
        self._table, self.file = table, file

    def enter(self, org: Org, session: Session) -> None:
        """Remember the organisation."""
        self._org, self._session = org, session

    def choose(self, fit: Fit) -> None:
        """Remember what goes where."""
        self._fit = fit

    @contextmanager
    def step(self, title: str) -> Generator[None]:
        """Announce a step and take its time."""
        self.face.show(heading(f"{len(self.seconds) + 1}. {title}"))
        began = perf_counter()
        yield
        self.seconds[title] = round(perf_counter() - began, 3)

    def nothing(self) -> None:
        """Say that there is nothing to show in this step."""
        self.face.show(line(_("There is nothing to show here: no record came of the file."), "dim"))

    def fingerprint(self) -> str:
        """Give a hash of all records of the module, without what only counts and dates their writings."""
        names = [name for name in self.module.layout.slots if name not in _BOOKKEEPING]
        hasher = hashlib.sha256()
        for batch in self.session.stream(self.module.name, fields=names):
            for row in zip(*batch, strict=True):
                hasher.update(repr(row).encode("utf-8", "surrogatepass"))
        return hasher.hexdigest()

    def summary(self) -> dict[str, object]:
        """Give all facts, for programs."""
        steps = [{"step": title, "seconds": seconds} for title, seconds in self.seconds.items()]
        return {**self.facts, "steps": steps, "seconds": round(sum(self.seconds.values()), 3)}


def _there(value: T | None) -> T:
    if value is None:  # pragma: no cover - the order of the steps
        message = "this step comes too early"
        raise RuntimeError(message)
    return value
